//! The command line: global options, the commands, and one `match` that dispatches.

mod page;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum as _};

use crate::context::Context;
use crate::error::{CommandError, ExitCode};
use crate::options::{GlobalOptions, HELP_WIDTH};
use crate::render::style::ColorChoice;
use crate::render::ui::Ui;
use crate::{commands, lab};
pub use page::page;

/// Operate a sharded stateful service on Kubernetes
///
/// The service is one StatefulSet. If one shard is down, the service is down: shardctl deploys it,
/// tells the truth about it, and moves its shards with the least outage.
#[derive(Debug, Parser)]
#[command(name = "shardctl", version, max_term_width = HELP_WIDTH, subcommand_required = true)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 refused, 4 stopped part-way, \
                        5 findings, 70 bug. See `shardctl explain EXIT-CODE`")]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalOptions,
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, in the order in which an operator meets them.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(commands::init::InitArgs),
    Deploy(commands::deploy::DeployArgs),
    Delete(commands::delete::DeleteArgs),
    Status(commands::status::StatusArgs),
    Verify(commands::verify::VerifyArgs),
    Packing(commands::packing::PackingArgs),
    Plan(commands::plan::PlanArgs),
    Costs(commands::costs::CostsArgs),
    VpaReport(commands::vpa_report::VpaReportArgs),
    RoutingTest(commands::routing_test::RoutingTestArgs),
    Migrate(commands::migrate::MigrateArgs),
    Upgrade(commands::upgrade::UpgradeArgs),
    Drain(commands::drain::DrainArgs),
    #[command(subcommand)]
    Rollout(commands::rollout::RolloutCommand),
    Explain(commands::explain::ExplainArgs),
    Options(commands::options::OptionsArgs),
    Version(commands::version::VersionArgs),
    Completion(commands::completion::CompletionArgs),
    #[command(subcommand)]
    Lab(lab::LabCommand),
}

/// The clap tree under the name that the program was called by: `kubectl shard` when run as a kubectl plugin.
///
/// As in kubectl, a command's help shows its own options; the global ones are listed by `shardctl options`.
#[must_use]
pub fn command(program: Option<&Path>) -> clap::Command {
    let command = Cli::command().mut_args(|arg| if arg.is_global_set() { arg.hide(true) } else { arg });
    match program.and_then(Path::file_stem).and_then(|name| name.to_str()) {
        Some(name) if name.starts_with("kubectl-") => {
            let name = name.replacen('-', " ", 1).replace('_', "-");
            point_to_options(command, &name).bin_name(name).display_name("kubectl shard")
        }
        _ => point_to_options(command, "shardctl"),
    }
}

/// Ends the help of a command, and of those below it, with where the global options are.
fn point_to_options(command: clap::Command, program: &str) -> clap::Command {
    let pointer = format!("Global options: see `{program} options`");
    let after = match command.get_after_help() {
        Some(text) => format!("{text}\n\n{pointer}"),
        None => pointer,
    };
    command.after_help(after).mut_subcommands(|below| point_to_options(below, program))
}

/// Parses `args`, runs the command, and shows its error. See [`crate::main`].
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let parsed = command(args.first().map(Path::new))
        .color(color_of(&args).into())
        .try_get_matches_from(&args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; everything else is a usage error. A closed pipe is quiet.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::Usage } else { ExitCode::Done };
        }
    };
    let ui = Ui::stdio(cli.global.color);
    let context = Context::new(cli.global, ui);
    let result = dispatch(&context, cli.command);
    match result {
        Ok(exit) => exit,
        Err(error) => {
            show(&context.ui, &error);
            error.exit
        }
    }
}

/// What `--color` says, before the command line is known to be right: its errors follow it, too.
fn color_of(args: &[OsString]) -> ColorChoice {
    let args: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).take_while(|arg| *arg != "--").collect();
    let spaced = args.windows(2).filter_map(|pair| (pair[0] == "--color").then_some(pair[1]));
    let joined = args.iter().filter_map(|arg| arg.strip_prefix("--color="));
    spaced.chain(joined).find_map(|when| ColorChoice::from_str(when, false).ok()).unwrap_or_default()
}

fn dispatch(context: &Context, command: Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::Init(args) => commands::init::run(context, &args),
        Command::Deploy(args) => commands::deploy::run(context, &args),
        Command::Delete(args) => commands::delete::run(context, &args),
        Command::Status(args) => commands::status::run(context, &args),
        Command::Verify(args) => commands::verify::run(context, &args),
        Command::Packing(args) => commands::packing::run(context, &args),
        Command::Plan(args) => commands::plan::run(context, &args),
        Command::Costs(args) => commands::costs::run(context, &args),
        Command::VpaReport(args) => commands::vpa_report::run(context, &args),
        Command::RoutingTest(args) => commands::routing_test::run(context, &args),
        Command::Migrate(args) => commands::migrate::run(context, &args),
        Command::Upgrade(args) => commands::upgrade::run(context, &args),
        Command::Drain(args) => commands::drain::run(context, &args),
        Command::Rollout(command) => commands::rollout::run(context, &command),
        Command::Explain(args) => commands::explain::run(context, &args),
        Command::Options(args) => commands::options::run(context, &args),
        Command::Version(args) => commands::version::run(context, &args),
        Command::Completion(args) => commands::completion::run(context, &args, Cli::command()),
        Command::Lab(command) => lab::run(context, command),
    }
}

/// Prints an error and its hints to standard error.
fn show(ui: &Ui, error: &CommandError) {
    let style = ui.err_style();
    let mut text = format!("{} {error}\n", style.danger("error:"));
    for hint in &error.hints {
        text.push_str(&format!("{} {hint}\n", style.note("hint:")));
    }
    let _ = ui.err().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_plugin_is_called_kubectl_shard_in_its_usage() {
        let mut command = command(Some(Path::new("/usr/local/bin/kubectl-shard")));
        assert!(command.render_usage().to_string().contains("kubectl shard"));
    }
}
