//! `shardctl rollout resume`

use clap::Args;

use super::open;
use crate::commands::confirm::confirm;
use crate::commands::rolling::{RunOutput, find, go_on};
use crate::commands::target::TargetArgs;
use crate::context::Context;
use crate::domain::rolling::RunId;
use crate::error::{CommandError, ExitCode};
use crate::ops::Approved;
use crate::render::report::rolling as report;

/// Go on with a run that stopped part-way
///
/// From any machine: what is left is in the journal beside the workload. The plan that was approved is carried on with;
/// shards that are where they should be are left alone.
#[derive(Args, Debug)]
pub struct ResumeArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Which run; left out: the one that is open
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Go on without asking
    #[arg(short, long)]
    yes: bool,
    /// json: one event per line, and a summary at the end
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    output: RunOutput,
}

pub(super) async fn run(context: &Context, args: &ResumeArgs) -> Result<ExitCode, CommandError> {
    let target = args.target.resolve(context).await?;
    let found = find(&target, context.now()).await?;
    let journalled = open(&found, args.run.as_deref().map(RunId::named).as_ref(), "resume")?;
    context.ui.say_block(&report::standing(&journalled.run, &found.snapshot, context.ui.look()));
    let approved = Approved::by(&journalled.run, |run| {
        confirm(context, args.yes, &format!("Go on with run {}?", run.id), "go on")
    })?;
    go_on(context, &target, args.output, &found, journalled, &approved).await
}
