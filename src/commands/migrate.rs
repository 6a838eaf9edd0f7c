//! `shardctl migrate`

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;

use super::rolling::{DryRun, First, RollingArgs, arming, carry_out, find, freeze_all, open_run, room_for};
use super::target::{Target, TargetArgs};
use crate::context::Context;
use crate::domain::names::{NodePoolName, nearest};
use crate::domain::rolling::{Goal, Operation, Order, Wish, prepare, retarget};
use crate::domain::shardset::Phase;
use crate::domain::shardset::manifests::{Manifest, PHASE_ANNOTATION};
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
    /// Delete the node pools that the shards came from, when no shard is left on them and they are shardctl's
    #[arg(long)]
    delete_source_pool: bool,
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
    let mut found = find(&target, context.now()).await?;
    let missing = missing_pool(args, &target, &found.snapshot);
    if let (Some(manifest), Ok(pools)) = (&missing, &mut found.snapshot.node_pools) {
        pools.push(target.cluster.try_node_pool(manifest).await?);
    }
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
        policy: args.rolling.policy(snapshot, target.shardset.as_ref(), SETTLE)?,
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
    let sources = match &run.operation {
        Operation::Migrate { from, to } => from.iter().filter(|pool| *pool != to).cloned().collect(),
        _ => Vec::new(),
    };
    let mut first = First { before, apply: missing };
    if args.rolling.dry_run != DryRun::None {
        first.apply = None;
    }
    let exit = carry_out(context, &target, &args.rolling, &found, run, first).await?;
    if exit == ExitCode::Done && args.rolling.dry_run == DryRun::None {
        for source in sources {
            leave(context, &target, args, &source).await?;
        }
    }
    Ok(exit)
}

/// The pool that the file names and that is not there yet: it is made when the plan is approved.
fn missing_pool(args: &MigrateArgs, target: &Target, snapshot: &Snapshot) -> Option<Manifest> {
    let (phase, shardset) = (args.to?, target.shardset.as_ref()?);
    let name = shardset.pool(phase).name.as_str();
    let pools = snapshot.node_pools.as_ref().ok()?;
    if pools.iter().any(|pool| pool.name.as_str() == name) {
        return None;
    }
    shardset.manifests(phase).into_iter().find(|manifest| manifest.kind() == "NodePool")
}

/// Offers to delete a pool that the shards came from. Karpenter then drains and deletes its nodes.
async fn leave(
    context: &Context,
    target: &Target,
    args: &MigrateArgs,
    source: &NodePoolName,
) -> Result<(), CommandError> {
    let ui = &context.ui;
    let standing = target.cluster.pool_standing(source).await?;
    let Some(standing) = standing else { return Ok(()) };
    let nodes = match standing.nodes {
        1 => "1 node".to_owned(),
        nodes => format!("{nodes} nodes"),
    };
    let own = format!("{}/{}-", target.reference.namespace, target.reference.name);
    if standing.pods.iter().any(|pod| pod.starts_with(&own)) {
        ui.say(format!("nodepool/{source} is kept: a shard is still on one of its {nodes}"));
        return Ok(());
    }
    let others = match standing.pods.len() {
        0 => "nothing but DaemonSets on them".to_owned(),
        _ => format!("other pods on them: {}", standing.pods.join(", ")),
    };
    if !standing.is_ours {
        ui.say(format!("nodepool/{source} is kept: it is not shardctl's ({nodes}, {others})"));
        return Ok(());
    }
    let delete = format!("Delete nodepool/{source} ({nodes}, {others})?");
    let is_wanted = match args.delete_source_pool {
        true => standing.pods.is_empty() || args.rolling.yes || ui.confirm(&delete) == Some(true),
        false if args.rolling.yes => false,
        false => ui.confirm(&delete) == Some(true),
    };
    if !is_wanted {
        ui.say(format!(
            "nodepool/{source} is kept ({nodes}, {others}); kubectl delete nodepool {source} deletes it"
        ));
        return Ok(());
    }
    let pool = Manifest::reference("karpenter.sh/v1", "NodePool", None, source.as_str());
    target.cluster.delete(&pool, false).await.map_err(|error| {
        CommandError::incomplete(format!("every shard is moved, and {error}"))
            .hint(format!("kubectl delete nodepool {source}"))
    })?;
    ui.print(&format!("nodepool/{source} is deleted; Karpenter takes its {nodes} away\n"));
    Ok(())
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
