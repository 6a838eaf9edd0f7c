//! `shardctl options`

use clap::Args;

use crate::context::Context;
use crate::error::{CommandError, ExitCode};
use crate::options::global_options;

/// List the global options, which every command understands
#[derive(Args, Debug)]
pub struct OptionsArgs {}

/// Runs `shardctl options`.
///
/// # Errors
/// Never; the signature is that of all commands.
pub fn run(context: &Context, _: &OptionsArgs) -> Result<ExitCode, CommandError> {
    context.ui.print(&global_options().render_help().to_string());
    Ok(ExitCode::Done)
}
