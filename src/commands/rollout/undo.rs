//! `shardctl rollout undo`

use clap::Args;

use crate::commands::rolling::{RollingArgs, undo};
use crate::commands::target::TargetArgs;
use crate::context::Context;
use crate::error::{CommandError, ExitCode};

/// Give the shards an earlier template
///
/// A rolling operation like any other: planned, gated, wave by wave. A shard that never became Ready on the template
/// that is taken back goes first. Without --to-revision, back to the template from before the last run.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    shardctl rollout undo kafka -n shop\n  \
    shardctl rollout undo kafka -n shop --to-revision 3 --strategy canary")]
pub struct UndoArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// The revision to go back to, as `shardctl rollout history` numbers them
    #[arg(long, value_name = "NUMBER")]
    to_revision: Option<i64>,
    #[command(flatten)]
    rolling: RollingArgs,
}

pub(super) async fn run(context: &Context, args: &UndoArgs) -> Result<ExitCode, CommandError> {
    let target = args.target.resolve(context).await?;
    undo(context, &target, args.to_revision, &args.rolling).await
}
