//! `shardctl rollout abort`

use clap::Args;

use super::open;
use crate::commands::confirm::confirm;
use crate::commands::rolling::{find, take_back};
use crate::commands::target::TargetArgs;
use crate::context::Context;
use crate::domain::rolling::RunId;
use crate::error::{CommandError, ExitCode};
use crate::ops::Approved;
use crate::render::report::rolling as report;

/// Take back what a run that stopped part-way has changed, but for the shards that it moved
///
/// Restores the template, cordons, disruption budgets, and removes placeholders. No pod is deleted: a shard that was
/// moved stays where it is until it restarts, or until `shardctl rollout undo` moves it back.
#[derive(Args, Debug)]
pub struct AbortArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Which run; left out: the one that is open
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Abort without asking
    #[arg(short, long)]
    yes: bool,
}

pub(super) async fn run(context: &Context, args: &AbortArgs) -> Result<ExitCode, CommandError> {
    let target = args.target.resolve(context).await?;
    let found = find(&target, context.now()).await?;
    let journalled = open(&found, args.run.as_deref().map(RunId::named).as_ref(), "abort")?;
    context.ui.say_block(&report::standing(&journalled.run, &found.snapshot, context.ui.look()));
    let approved = Approved::by(&journalled.run, |run| {
        confirm(context, args.yes, &format!("Abort run {}?", run.id), "abort")
    })?;
    take_back(context, &target, &found, journalled, &approved, "aborted by the operator").await
}
