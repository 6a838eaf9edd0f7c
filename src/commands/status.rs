//! `shardctl status`

use clap::{Args, ValueEnum};

use crate::commands::target::TargetArgs;
use crate::commands::watch::watch;
use crate::context::Context;
use crate::domain::status::Verdict;
use crate::domain::verify::Facts;
use crate::error::{CommandError, ExitCode};
use crate::k8s::Scope;
use crate::render::report::status as render;
use crate::render::style::Stylesheet;

/// Tell whether the service is whole, since when, and which shard is not
///
/// Ends with 5 when the service is down.
#[derive(Args, Debug)]
pub struct StatusArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// How to show the result
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Output::Table)]
    pub output: Output,
    /// Tell again whenever it changes, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Do not ask the shards for their health
    #[arg(long)]
    pub no_health: bool,
}

/// How to show a status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// One line
    #[default]
    Table,
    Json,
    Yaml,
}

impl StatusArgs {
    /// The verdict in the form that was asked for.
    #[must_use]
    pub fn show(&self, verdict: &Verdict, style: Stylesheet) -> String {
        match self.output {
            Output::Table => render::line(verdict, style),
            Output::Json => render::json(verdict),
            Output::Yaml => render::yaml(verdict),
        }
    }
}

/// Runs `shardctl status`.
///
/// # Errors
/// When the workload or its pods cannot be read.
pub fn run(context: &Context, args: &StatusArgs) -> Result<ExitCode, CommandError> {
    context.block_on(async {
        let target = args.target.resolve(context).await?;
        let look = async || {
            let snapshot = target.snapshot(Scope { health: !args.no_health, ..Scope::default() }).await?;
            let mut facts = Facts::new(&snapshot);
            facts.shardset = target.shardset.as_ref();
            Ok(Verdict::of(&snapshot, facts.availability()))
        };
        let show = |verdict: &Verdict| args.show(verdict, context.ui.style());
        if args.watch {
            return watch(context, &target, look, show, Verdict::timeless, exit_code).await;
        }
        let verdict = look().await?;
        context.ui.print(&show(&verdict));
        Ok(exit_code(&verdict))
    })
}

/// How the process ends.
#[must_use]
pub fn exit_code(verdict: &Verdict) -> ExitCode {
    if verdict.is_up { ExitCode::Done } else { ExitCode::Findings }
}
