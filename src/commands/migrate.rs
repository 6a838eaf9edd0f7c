//! `shardctl migrate`

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;

use super::rolling::{RollingArgs, arming, carry_out, find, freeze_all, open_run, room_for};
use super::target::{Target, TargetArgs};
use crate::context::Context;
use crate::domain::names::{NodePoolName, nearest};
use crate::domain::rolling::{Goal, Operation, Order, Wish, prepare, retarget};
use crate::domain::shardset::Phase;
use crate::domain::shardset::manifests::PHASE_ANNOTATION;
use crate::domain::snapshot::{NodePool, Snapshot};
use crate::error::{CommandError, ExitCode};

/// How long the service must have been up before the next shard moves, as in the tutorial.
const SETTLE: Duration = Duration::from_secs(10);

/// Move all shards to another node pool with the least outage
///
/// Makes room first, so that no outage includes the making of a node; then moves the shards wave by wave, each wave only
/// when every shard is up and says so itself. Nothing is changed before the plan is proved and approved, and nothing is
/// left behind: `shardctl rollout` resumes, aborts or undoes what was stopped.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    shardctl migrate -f shardset.yaml --to stable --strategy canary\n  \
    shardctl migrate kafka -n shop --to-nodepool memory --max-outage 60s\n  \
    shardctl migrate -f shardset.yaml --to stable --dry-run=server")]
pub struct MigrateArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// The phase whose node pool the shards move to; its pool is named by the ShardSet file
    #[arg(long, value_enum, required_unless_present = "to_nodepool", requires = "file")]
    to: Option<Phase>,
    /// The node pool that the shards move to
    #[arg(long, value_name = "NAME", conflicts_with = "to")]
    to_nodepool: Option<String>,
    #[command(flatten)]
    rolling: RollingArgs,
}

/// Runs `shardctl migrate`.
///
/// # Errors
/// When it is refused (nothing was changed) or stops part-way.
pub fn run(context: &Context, args: &MigrateArgs) -> Result<ExitCode, CommandError> {
    context.block_on(migrate(context, args))
}

async fn migrate(context: &Context, args: &MigrateArgs) -> Result<ExitCode, CommandError> {
    let target = args.target.resolve(context).await?;
    let found = find(&target, context.now()).await?;
    let snapshot = &found.snapshot;
    let pool = pool(args, &target, snapshot)?;
    let template = retarget(&snapshot.workload.template.object, pool);
    let phase = args.to.map(Phase::as_str);
    let annotations = [(PHASE_ANNOTATION, phase)];
    let annotations = if args.to.is_some() { &annotations[..] } else { &[] };
    let arming = arming(&target, template, annotations, args.rolling.dry_run).await?;
    let from: BTreeSet<NodePoolName> =
        snapshot.nodes.iter().flat_map(|nodes| nodes.values()).filter_map(|node| node.node_pool()).collect();
    let holds =
        freeze_all(context, &target, snapshot, Some(&pool.name), args.rolling.force_conflicts).await?;
    let revision = match &arming {
        Some(arming) => target.cluster.revision_of(&target.reference, arming).await?,
        None => Some(snapshot.workload.update_revision.clone()),
    };
    let wish = Wish {
        operation: Operation::Migrate { to: pool.name.clone(), from },
        snapshot,
        by: found.by.clone(),
        policy: args.rolling.policy(snapshot, SETTLE)?,
        order: args.rolling.order(Order::Ascending),
        goal: Goal { revision, node_pool: Some(pool.name.clone()), avoid_nodes: BTreeSet::new() },
        arming,
        holds,
        forecast: found.forecast(&args.rolling),
        empties_nodes: false,
        allows_zero_grace_period: args.rolling.allow_zero_grace_period,
    };
    let Some(run) = prepare(wish, found.now)? else {
        context.ui.print(&format!(
            "{} is on nodepool/{} already; nothing was changed\n",
            target.reference, pool.name
        ));
        return Ok(ExitCode::Done);
    };
    let before = open_run(&found, &run)?;
    let run = room_for(&target, &args.rolling, snapshot, run).await?;
    carry_out(context, &target, &args.rolling, &found, run, before).await
}

/// The node pool that the shards move to.
fn pool<'a>(
    args: &MigrateArgs,
    target: &Target,
    snapshot: &'a Snapshot,
) -> Result<&'a NodePool, CommandError> {
    let name = match (&args.to_nodepool, args.to, &target.shardset) {
        (Some(name), _, _) => name.as_str(),
        (None, Some(phase), Some(shardset)) => shardset.pool(phase).name.as_str(),
        _ => return Err(CommandError::usage("--to needs the ShardSet file that names the pool: -f FILE")),
    };
    let pools = snapshot.node_pools.as_ref().map_err(|unknown| CommandError::refused(unknown.to_string()))?;
    pools.iter().find(|pool| pool.name.as_str() == name).ok_or_else(|| {
        let error = CommandError::refused(format!("there is no nodepool/{name}; nothing was changed"));
        match nearest(name, pools.iter().map(|pool| pool.name.as_str())) {
            Some(near) => error.hint(format!("did you mean nodepool/{near}?")),
            None => error.hint("`kubectl get nodepools` lists them"),
        }
    })
}
