//! `shardctl completion`

use clap::Args;
use clap_complete::Shell;

use crate::context::Context;
use crate::error::{CommandError, ExitCode};

/// Print a completion script for a shell
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  source <(shardctl completion bash)\n  \
                  shardctl completion fish > ~/.config/fish/completions/shardctl.fish")]
pub struct CompletionArgs {
    /// The shell that will read the script
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs `shardctl completion`.
///
/// # Errors
/// Never; the signature is that of all commands.
pub fn run(context: &Context, args: &CompletionArgs, tree: clap::Command) -> Result<ExitCode, CommandError> {
    context.ui.print(&script(args.shell, tree));
    Ok(ExitCode::Done)
}

/// The completion script for `shell`, as committed in `completions/`.
///
/// `tree` is the command line as declared: a shell completes the global options everywhere, though help does not
/// repeat them.
#[must_use]
pub fn script(shell: Shell, mut tree: clap::Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree, "shardctl", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
