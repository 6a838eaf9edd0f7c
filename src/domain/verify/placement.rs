//! Where shards sit, and who else sits there.

use super::super::quantity::Resources;
use super::super::shardset::Phase;
use super::super::snapshot::{Node, Occupant, Shard};
use super::facts::{few, known, violation};
use super::{Check, Facts, NotRun, Outcome, Violation, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error("shard-node-pool", "every shard is on the node pool that it belongs on", shard_node_pool),
    Check::warning("shard-node-fits", "every shard would be placed on its node again", shard_node_fits),
    Check::error("shard-on-spot", "no shard is on a spot machine", shard_on_spot),
    Check::error("node-overcommitted", "the pods of a node request no more than it has", node_overcommitted),
    Check::warning(
        "node-shared-stateful",
        "no other StatefulSet's pods are on the shards' nodes",
        node_shared_stateful,
    ),
    Check::info("node-shared", "no other pods are on the shards' nodes", node_shared),
];

/// The shards that are on a node that is known, with it.
fn placed<'a>(facts: &Facts<'a>) -> Result<Vec<(&'a Shard, &'a Node)>, NotRun> {
    let nodes = known(&facts.snapshot.nodes)?;
    Ok(facts.pods().filter_map(|(shard, pod)| Some((shard, nodes.get(pod.node.as_ref()?)?))).collect())
}

fn object(shard: &Shard) -> String {
    format!("pod/{}", shard.pod_name)
}

fn shard_node_pool(facts: &Facts<'_>) -> Outcome {
    let placed = placed(facts)?;
    let pools = facts.intended_pools()?;
    let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
    let remedy = match facts.phase()? {
        Some(Phase::Stable) => "Move it: `shardctl migrate --to stable`",
        _ => "Move it off its node: `shardctl drain NODE`",
    };
    Ok(placed
        .into_iter()
        .filter_map(|(shard, node)| {
            let pool = node.node_pool();
            if pools.iter().any(|intended| Some(&intended.name) == pool.as_ref()) {
                return None;
            }
            let is_on =
                pool.map_or_else(|| "of no node pool".to_owned(), |pool| format!("of nodepool/{pool}"));
            Some(violation(
                object(shard),
                format!("it is on node {} {is_on}, and belongs on nodepool/{}", node.name, few(&names)),
                remedy,
            ))
        })
        .collect())
}

fn shard_node_fits(facts: &Facts<'_>) -> Outcome {
    let placed = placed(facts)?;
    // A shard on the wrong pool is told of once, by shard-node-pool.
    let pools = match facts.intended_pools() {
        Ok(pools) => pools,
        Err(NotRun::NotApplicable(_)) => Vec::new(),
        Err(unknown) => return Err(unknown),
    };
    Ok(placed
        .into_iter()
        .filter(|(_, node)| {
            pools.is_empty() || pools.iter().any(|pool| Some(&pool.name) == node.node_pool().as_ref())
        })
        .filter_map(|(shard, node)| {
            let why = facts.misfit(node)?;
            Some(violation(
                object(shard),
                format!("the template no longer fits node {}: {why}", node.name),
                "Decide where it belongs before it restarts: compare the template's affinity and tolerations with \
                 the node's labels and taints",
            ))
        })
        .collect())
}

fn shard_on_spot(facts: &Facts<'_>) -> Outcome {
    Ok(placed(facts)?
        .into_iter()
        .filter(|(_, node)| {
            node.capacity_type() == Some("spot")
                || node.label("kubernetes.azure.com/scalesetpriority") == Some("spot")
        })
        .map(|(shard, node)| {
            violation(
                object(shard),
                format!("node {} is a spot machine: it may go at 30 seconds' notice", node.name),
                "Move it: set karpenter.sh/capacity-type In [on-demand] on the pool, then `shardctl drain NODE`",
            )
        })
        .collect())
}

/// The pods on the nodes that carry shards, by node.
fn neighbours<'a>(facts: &Facts<'a>) -> Result<Vec<(&'a Node, &'a [Occupant])>, NotRun> {
    let nodes = known(&facts.snapshot.nodes)?;
    let occupants = known(&facts.snapshot.occupants)?;
    Ok(facts
        .shard_nodes()
        .into_keys()
        .filter_map(|name| Some((nodes.get(name)?, occupants.get(name)?.as_slice())))
        .collect())
}

fn node_overcommitted(facts: &Facts<'_>) -> Outcome {
    let mut violations = Vec::new();
    for (node, pods) in neighbours(facts)? {
        let mut requested = Resources::default();
        for pod in pods {
            requested.cpu += pod.requests.cpu;
            requested.memory += pod.requests.memory;
        }
        for (resource, requested, allocatable) in [
            ("CPU", requested.cpu, node.allocatable.cpu),
            ("memory", requested.memory, node.allocatable.memory),
        ] {
            if requested > allocatable {
                violations.push(violation(
                    format!("node/{}", node.name),
                    format!(
                        "{} pods request {requested} {resource}, it has {allocatable}: the kubelet refuses a pod \
                         that comes back to it",
                        pods.len()
                    ),
                    "Move pods off the node, those that are no shards first: `shardctl packing` shows what is where",
                ));
            }
        }
    }
    Ok(violations)
}

/// A violation for each node of the shards that has pods which `is_foreign`, none of them daemons.
fn shared(
    facts: &Facts<'_>,
    is_foreign: impl Fn(&Occupant) -> bool,
    what: &str,
    remedy: &str,
) -> Result<Vec<Violation>, NotRun> {
    match facts.phase()? {
        Some(Phase::Stable) => {}
        _ => return not_applicable("asked of phase stable only: its nodes are for shards"),
    }
    Ok(neighbours(facts)?
        .into_iter()
        .filter_map(|(node, pods)| {
            let foreign: Vec<String> = pods
                .iter()
                .filter(|pod| !pod.is_daemon && pod.ordinal.is_none() && is_foreign(pod))
                .map(|pod| format!("{}/{}", pod.namespace, pod.name))
                .collect();
            (!foreign.is_empty()).then(|| {
                violation(format!("node/{}", node.name), format!("{what} {} share it", few(&foreign)), remedy)
            })
        })
        .collect())
}

fn node_shared_stateful(facts: &Facts<'_>) -> Outcome {
    shared(
        facts,
        |pod| pod.stateful_set.is_some(),
        "stateful pods",
        "Give each service a node pool and a taint of its own",
    )
}

fn node_shared(facts: &Facts<'_>) -> Outcome {
    shared(
        facts,
        |pod| pod.stateful_set.is_none(),
        "pods",
        "Taint the node pool, and let only the shards tolerate the taint",
    )
}
