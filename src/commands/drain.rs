//! `shardctl drain`

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::rolling::{RollingArgs, carry_out, find, freeze_all, open_run, room_for};
use super::target::TargetArgs;
use crate::context::Context;
use crate::domain::names::{NodeName, nearest};
use crate::domain::rolling::{Change, Goal, Hold, ObjectRef, Operation, Order, Wish, prepare};
use crate::error::{CommandError, ExitCode};

/// How long the service must have been up before the next shard leaves the node.
const SETTLE: Duration = Duration::from_secs(10);

/// Empty a node without an outage that nobody approved
///
/// Cordons the node, makes room elsewhere, moves the shards of the workload wave by wave, then evicts the rest as
/// `kubectl drain` does, with its refusals. The node stays cordoned when it is done, and is uncordoned when the run is
/// aborted.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    shardctl drain aks-stable-7x2kq -n shop --ignore-daemonsets\n  \
    shardctl drain aks-stable-7x2kq -f shardset.yaml --ignore-daemonsets --wave-size 3")]
pub struct DrainArgs {
    /// The node
    #[arg(value_name = "NODE")]
    node: String,
    /// The StatefulSet whose shards are moved; may be left out when the namespace has one
    #[arg(long, value_name = "WORKLOAD", value_parser = crate::domain::names::parse_workload, conflicts_with = "file")]
    workload: Option<String>,
    /// The ShardSet file of the workload
    #[arg(short, long, value_name = "FILE")]
    file: Option<std::path::PathBuf>,
    #[command(flatten)]
    evictions: EvictionArgs,
    #[command(flatten)]
    rolling: RollingArgs,
}

/// What may be evicted, with the names of kubectl drain.
#[derive(Args, Debug)]
struct EvictionArgs {
    /// Leave pods of DaemonSets where they are
    #[arg(long)]
    ignore_daemonsets: bool,
    /// Evict pods that use emptyDir: what is in it is lost
    #[arg(long)]
    delete_emptydir_data: bool,
    /// Evict pods that no controller makes anew
    #[arg(long)]
    force: bool,
    /// Relax the disruption budgets that forbid the evictions, and restore them after
    #[arg(long)]
    relax_pdb: bool,
}

/// Runs `shardctl drain`.
///
/// # Errors
/// When it is refused (nothing was changed) or stops part-way.
pub fn run(context: &Context, args: &DrainArgs) -> Result<ExitCode, CommandError> {
    context.block_on(drain(context, args))
}

async fn drain(context: &Context, args: &DrainArgs) -> Result<ExitCode, CommandError> {
    let target =
        TargetArgs { workload: args.workload.clone(), file: args.file.clone() }.resolve(context).await?;
    let found = find(&target, context.now()).await?;
    let snapshot = &found.snapshot;
    let node = NodeName::new(&args.node);
    let object = ObjectRef::new("v1", "Node", None, node.as_str());
    let Some(live) = target.cluster.object(&object).await? else {
        let error = CommandError::refused(format!("there is no node/{node}; nothing was changed"));
        let known = snapshot.nodes.iter().flat_map(|nodes| nodes.keys()).map(NodeName::as_str);
        return Err(match nearest(node.as_str(), known) {
            Some(near) => error.hint(format!("did you mean node/{near}?")),
            None => error.hint("`shardctl packing` lists the nodes with shards"),
        });
    };
    let others = target.cluster.pods_to_evict(&node, &target.reference).await?;
    refuse(&args.evictions, &others)?;
    let mut holds: Vec<Change> = Vec::new();
    holds.extend(Change::of(object, Hold::Cordon, &live, "/spec/unschedulable", Some(json!(true))));
    holds.extend(freeze_all(context, &target, snapshot, None, args.rolling.force_conflicts).await?);
    if args.evictions.relax_pdb {
        holds.extend(relaxed_budgets(&target, &others).await?);
    }
    let wish = Wish {
        operation: Operation::Drain { nodes: BTreeSet::from([node.clone()]) },
        snapshot,
        by: found.by.clone(),
        policy: args.rolling.policy(snapshot, target.shardset.as_ref(), SETTLE)?,
        order: args.rolling.order(Order::Ascending),
        goal: Goal {
            revision: Some(snapshot.workload.update_revision.clone()),
            node_pool: None,
            avoid_nodes: BTreeSet::from([node.clone()]),
        },
        arming: None,
        holds,
        forecast: found.forecast(&args.rolling),
        empties_nodes: !others.pods.is_empty(),
        allows_zero_grace_period: args.rolling.allow_zero_grace_period,
    };
    let armed = snapshot.armed_shards();
    if !armed.is_empty() {
        return Err(CommandError::refused(format!(
            "the template of {} is armed: a shard that is moved would take revision {}; nothing was changed",
            target.reference, snapshot.workload.update_revision
        ))
        .hint("roll it out first with `shardctl upgrade`, or take it back with `shardctl rollout undo`"));
    }
    let Some(run) = prepare(wish, found.now)? else {
        context.ui.print(&format!("node/{node} is empty and cordoned already; nothing was changed\n"));
        return Ok(ExitCode::Done);
    };
    let before = open_run(&found, &run)?;
    let run = room_for(&target, &args.rolling, snapshot, run).await?;
    carry_out(context, &target, &args.rolling, &found, run, before).await
}

/// Refuses what kubectl refuses, grouped by reason, with the flag that allows it.
fn refuse(args: &EvictionArgs, others: &crate::k8s::PodsToEvict) -> Result<(), CommandError> {
    let groups = [
        (
            &others.daemons,
            args.ignore_daemonsets,
            "belong to DaemonSets",
            "--ignore-daemonsets to leave them",
        ),
        (&others.unmanaged, args.force, "have no controller that makes them anew", "--force to evict them"),
        (
            &others.with_local_data,
            args.delete_emptydir_data,
            "keep data in emptyDir volumes",
            "--delete-emptydir-data to evict them and lose it",
        ),
    ];
    let refused: Vec<String> = groups
        .iter()
        .filter(|(pods, is_allowed, _, _)| !pods.is_empty() && !is_allowed)
        .map(|(pods, _, reason, flag)| format!("{} {reason}: say {flag}", pods.join(", ")))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let error = CommandError::refused(
        "some pods of the node are not evicted without being told; nothing was changed",
    );
    Err(refused.into_iter().fold(error, CommandError::hint))
}

/// The changes that let the other pods of the node be evicted, whatever their budgets say.
async fn relaxed_budgets(
    target: &super::target::Target,
    others: &crate::k8s::PodsToEvict,
) -> Result<Vec<Change>, CommandError> {
    let mut changes = Vec::new();
    for object in &others.budgets {
        let Some(live) = target.cluster.object(object).await? else { continue };
        let path = match live.pointer("/spec/maxUnavailable").is_some() {
            true => ("/spec/maxUnavailable", json!("100%")),
            false => ("/spec/minAvailable", json!(0)),
        };
        changes.extend(Change::of(object.clone(), Hold::RelaxedBudget, &live, path.0, Some(path.1)));
    }
    Ok(changes)
}
