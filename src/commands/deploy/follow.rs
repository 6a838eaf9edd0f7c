//! Waits until every shard is up, and says early why it will not be.

use std::time::{Duration, Instant};

use crate::context::Context;
use crate::domain::names::{WorkloadRef, pods_in_short};
use crate::domain::shard_state::{InState, ShardState, by_state};
use crate::domain::snapshot::Snapshot;
use crate::error::{CommandError, ExitCode};
use crate::k8s::{Cluster, Scope};
use crate::render::progress::Progress;

/// A shard that is stuck gets so long to come loose: kubelets report a first failure that the next try mends.
const STUCK_FOR: Duration = Duration::from_secs(10);
/// After so long without a pod or a node, the cluster's own events are asked why.
const ASK_WHY_AFTER: Duration = Duration::from_secs(10);

/// Waits until every shard is Ready and healthy by its own endpoint. `pool` is the node pool that they belong on.
///
/// # Errors
/// When a shard is stuck, or the time is up; the reason of each shard is told.
pub async fn until_up(
    context: &Context,
    cluster: &Cluster,
    reference: &WorkloadRef,
    pool: &str,
    timeout: Duration,
) -> Result<ExitCode, CommandError> {
    let ui = &context.ui;
    let started = Instant::now();
    let deadline = tokio::time::Instant::now() + timeout;
    let mut snapshot = cluster.snapshot(reference, Scope::default()).await?;
    let mut changes = cluster.changes(&snapshot.workload);
    let mut progress = Progress::new(ui, u64::from(snapshot.workload.replicas));
    let mut stuck_since: Option<Instant> = None;
    let mut has_asked_why = false;
    loop {
        if is_up(&snapshot) {
            // Ready is the kubelet's word; now the shards' own.
            snapshot = cluster.snapshot(reference, Scope { health: true, ..Scope::default() }).await?;
        }
        let groups = by_state(&snapshot);
        let up: usize =
            groups.iter().filter(|(state, _)| state.is_up()).map(|(_, shards)| shards.len()).sum();
        progress.update(&in_words(&snapshot, &groups), u64::try_from(up).unwrap_or(0));
        if is_up(&snapshot) {
            let took = progress.finish();
            ui.print(&format!(
                "{reference} is up: {up} of {up} shards ready and healthy after {:.1}s\n",
                took.as_secs_f64()
            ));
            return Ok(ExitCode::Done);
        }
        stuck_since = match groups.iter().any(|(state, _)| state.is_stuck()) {
            true => stuck_since.or(Some(Instant::now())),
            false => None,
        };
        if stuck_since.is_some_and(|since| since.elapsed() >= STUCK_FOR) {
            let _ = progress.finish();
            return Err(stuck(&snapshot));
        }
        if !has_asked_why && started.elapsed() >= ASK_WHY_AFTER {
            has_asked_why = true;
            for line in why(cluster, &snapshot, pool).await {
                progress.say(&line);
            }
        }
        tokio::select! {
            () = changes.next() => {}
            () = tokio::time::sleep_until(deadline) => {
                let _ = progress.finish();
                let mut error = not_up(&snapshot, &format!("is not up after {}", humantime::format_duration(timeout)));
                error.hints.extend(why(cluster, &snapshot, pool).await);
                return Err(error);
            }
            _ = tokio::signal::ctrl_c() => {
                let _ = progress.finish();
                return Err(CommandError::failed("stopped waiting; everything is applied")
                    .hint(format!("`shardctl status -n {} {}` tells when it is up", reference.namespace, reference.name)));
            }
        }
        snapshot = cluster.snapshot(reference, Scope::default()).await?;
    }
}

fn is_up(snapshot: &Snapshot) -> bool {
    snapshot.workload.is_status_current && by_state(snapshot).iter().all(|(state, _)| state.is_up())
}

fn in_words(snapshot: &Snapshot, groups: &[InState]) -> Vec<(String, String, bool)> {
    let set = &snapshot.workload.reference.name;
    groups
        .iter()
        .map(|(state, ordinals)| (pods_in_short(set, ordinals), state.to_string(), state.is_up()))
        .collect()
}

fn not_up(snapshot: &Snapshot, what: &str) -> CommandError {
    let down: Vec<String> = in_words(snapshot, &by_state(snapshot))
        .into_iter()
        .filter(|(_, _, is_up)| !is_up)
        .map(|(shards, state, _)| format!("{shards} {state}"))
        .collect();
    CommandError::failed(format!("{} {what}: {}", snapshot.workload.reference, down.join("; ")))
        .hint("everything is applied; the same command waits again")
}

/// Shards that nothing but a change brings up.
fn stuck(snapshot: &Snapshot) -> CommandError {
    let reference = &snapshot.workload.reference;
    let groups = by_state(snapshot);
    let mut stuck: Vec<u32> = groups
        .iter()
        .filter(|(state, _)| state.is_stuck())
        .flat_map(|(_, ordinals)| ordinals.iter().copied())
        .collect();
    stuck.sort_unstable();
    let pods = pods_in_short(&reference.name, &stuck);
    let mut error = not_up(snapshot, "will not come up by itself");
    error.hints = vec![format!(
        "everything is applied; deploy a corrected file, then make the shards that are down take it: kubectl delete \
         pod -n {} {pods}",
        reference.namespace
    )];
    error
}

/// Where the events of objects without a namespace are.
const CLUSTER_EVENTS: &str = "default";

/// What the cluster says about the first shard without a pod, and the first without a node and its pool.
async fn why(cluster: &Cluster, snapshot: &Snapshot, pool: &str) -> Vec<String> {
    let reference = &snapshot.workload.reference;
    let set = &reference.name;
    let groups = by_state(snapshot);
    let mut lines = Vec::new();
    if groups.iter().any(|(state, _)| *state == ShardState::Missing)
        && let Ok(warnings) = cluster.last_warnings(&reference.namespace, "StatefulSet", set).await
    {
        lines.extend(warnings.iter().map(|warning| format!("{reference}: {warning}")));
    }
    let pending = groups.iter().find(|(state, _)| matches!(state, ShardState::Unschedulable { .. }));
    if let Some(ordinal) = pending.and_then(|(_, ordinals)| ordinals.first()) {
        let pod = format!("{set}-{ordinal}");
        if let Ok(warnings) = cluster.last_warnings(&reference.namespace, "Pod", &pod).await {
            lines.extend(warnings.iter().map(|warning| format!("pod/{pod}: {warning}")));
        }
        if let Ok(warnings) = cluster.last_warnings(CLUSTER_EVENTS, "NodePool", pool).await {
            lines.extend(warnings.iter().map(|warning| format!("nodepool/{pool}: {warning}")));
        }
    }
    lines
}
