//! `shardctl rollout status`

use clap::{Args, ValueEnum};

use crate::commands::target::TargetArgs;
use crate::commands::watch::watch;
use crate::context::Context;
use crate::domain::rolling::{Rollout, Run};
use crate::error::{CommandError, ExitCode};
use crate::k8s::{Holder, Scope};
use crate::render::json;
use crate::render::report::rollout as report;

/// Show which shards are up from the newest template, and what is left
///
/// Works for OnDelete, where kubectl refuses. Ends with 0 when every shard is up from the newest template and no run is
/// open, 4 when a run stopped part-way, 5 when something is left.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    shardctl rollout status kafka -n shop\n  \
    shardctl rollout status -f shardset.yaml --watch")]
pub struct StatusArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// How to print it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: Output,
    /// Print it again whenever it changes, until interrupted
    #[arg(long)]
    watch: bool,
    /// Do not ask the shards for their health
    #[arg(long)]
    no_health: bool,
}

/// The formats of `shardctl rollout status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    #[default]
    Table,
    Json,
    Yaml,
}

/// What was found.
struct Standing {
    rollout: Rollout,
    run: Option<Run>,
    holder: Option<Holder>,
}

pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<ExitCode, CommandError> {
    let target = args.target.resolve(context).await?;
    let look = async || {
        let scope = Scope { nodes: true, health: !args.no_health, ..Scope::default() };
        let snapshot = target.snapshot(scope).await?;
        let (runs, holder) = futures::try_join!(
            target.cluster.runs(&target.reference),
            target.cluster.lock_holder(&target.reference)
        )?;
        let run = runs.into_iter().map(|one| one.run).find(Run::is_open);
        Ok(Standing { rollout: Rollout::of(&snapshot), run, holder })
    };
    let show = |standing: &Standing| {
        let report = report::Status {
            rollout: &standing.rollout,
            run: standing.run.as_ref(),
            holder: standing.holder.as_ref().map(|holder| holder.who.as_str()),
        };
        match args.output {
            Output::Table => report::table(&report, context.ui.look(), context.now()),
            Output::Json => json::json(&report::json(&report)),
            Output::Yaml => json::yaml(&report::json(&report)),
        }
    };
    let facts = |standing: &Standing| (standing.rollout.clone(), standing.run.clone());
    if args.watch {
        return watch(context, &target, look, show, facts, exit_code).await;
    }
    let standing = look().await?;
    context.ui.print(&show(&standing));
    Ok(exit_code(&standing))
}

fn exit_code(standing: &Standing) -> ExitCode {
    match (&standing.run, &standing.holder) {
        (Some(_), None) => ExitCode::Incomplete,
        (None, _) if standing.rollout.is_complete() => ExitCode::Done,
        _ => ExitCode::Findings,
    }
}
