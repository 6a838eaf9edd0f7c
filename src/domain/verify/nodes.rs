//! The machines that carry shards.

use std::collections::BTreeMap;

use super::super::names::NodeName;
use super::super::snapshot::Node;
use super::facts::{few, known, violation};
use super::{Check, Facts, NotRun, Outcome};

pub(super) const CHECKS: &[Check] = &[
    Check::error("node-ready", "every shard's node is there and Ready", node_ready),
    Check::error("node-leaving", "no shard's node is about to go", node_leaving),
    Check::warning("node-pressure", "no shard's node is short of anything", node_pressure),
    Check::warning("node-cordoned", "no shard's node is cordoned", node_cordoned),
    Check::info("kubelet-skew", "the shards' nodes run one kubelet version", kubelet_skew),
    Check::info("node-empty", "no node of the shards' pools stands empty", node_empty),
];

/// The nodes that carry shards, and those of them that are not there.
type ShardNodes<'a> = (Vec<(&'a Node, String)>, Vec<(&'a NodeName, String)>);

/// The nodes that carry shards, each with the names of the shards on it.
fn shard_nodes<'a>(facts: &Facts<'a>) -> Result<ShardNodes<'a>, NotRun> {
    let nodes = known(&facts.snapshot.nodes)?;
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    for (name, shards) in facts.shard_nodes() {
        let pods: Vec<_> = shards.iter().map(|shard| &shard.pod_name).collect();
        match nodes.get(name) {
            Some(node) => there.push((node, few(&pods))),
            None => gone.push((name, few(&pods))),
        }
    }
    Ok((there, gone))
}

fn node_ready(facts: &Facts<'_>) -> Outcome {
    let (there, gone) = shard_nodes(facts)?;
    let remedy = "Find out whether the machine still runs before you force anything: `kubectl describe node`, \
                  `kubectl get nodeclaims`";
    let not_ready = there
        .into_iter()
        .filter(|(node, _)| !node.is_ready)
        .map(|(node, pods)| (&node.name, format!("it is not Ready and carries {pods}")));
    let gone = gone
        .into_iter()
        .map(|(name, pods)| (name, format!("it is not there, and {pods} are said to be on it")));
    let mut violations: Vec<_> = not_ready
        .chain(gone)
        .map(|(name, evidence)| violation(format!("node/{name}"), evidence, remedy))
        .collect();
    violations.sort_by(|a, b| a.object.cmp(&b.object));
    Ok(violations)
}

/// Karpenter puts this on a node that it has decided to take away.
const DISRUPTED_TAINT: &str = "karpenter.sh/disrupted";

fn node_leaving(facts: &Facts<'_>) -> Outcome {
    Ok(shard_nodes(facts)?
        .0
        .into_iter()
        .filter_map(|(node, pods)| {
            let why = if let Some(deleted_at) = node.deleted_at {
                format!("asked to go {} ago", facts.age(deleted_at))
            } else if node.taints.iter().any(|taint| taint.key == DISRUPTED_TAINT) {
                format!("Karpenter has tainted it {DISRUPTED_TAINT}")
            } else {
                return None;
            };
            Some(violation(
                format!("node/{}", node.name),
                format!("{why}; {pods} will have to move"),
                "Move the shards before it goes, one outage instead of several: `shardctl drain NODE`",
            ))
        })
        .collect())
}

fn node_pressure(facts: &Facts<'_>) -> Outcome {
    Ok(shard_nodes(facts)?
        .0
        .into_iter()
        .filter(|(node, _)| !node.pressures.is_empty())
        .map(|(node, pods)| {
            violation(
                format!("node/{}", node.name),
                format!("{} is on, and it carries {pods}", node.pressures.join(", ")),
                "Find what uses it up: `kubectl describe node`, `kubectl top pod`",
            )
        })
        .collect())
}

fn node_cordoned(facts: &Facts<'_>) -> Outcome {
    Ok(shard_nodes(facts)?
        .0
        .into_iter()
        .filter(|(node, _)| node.is_cordoned)
        .map(|(node, pods)| {
            violation(
                format!("node/{}", node.name),
                format!("it is cordoned and carries {pods}: a shard that restarts needs another node"),
                "Uncordon it with `kubectl uncordon`, or finish what was begun: `shardctl rollout status`",
            )
        })
        .collect())
}

fn kubelet_skew(facts: &Facts<'_>) -> Outcome {
    let mut versions: BTreeMap<&str, Vec<&NodeName>> = BTreeMap::new();
    for (node, _) in shard_nodes(facts)?.0 {
        versions.entry(&node.kubelet_version).or_default().push(&node.name);
    }
    if versions.len() < 2 {
        return Ok(Vec::new());
    }
    let text: Vec<String> =
        versions.iter().map(|(version, nodes)| format!("{version} on {}", few(nodes))).collect();
    Ok(vec![violation(
        facts.workload(),
        text.join("; "),
        "Replace the older nodes when it suits: `shardctl drain NODE`",
    )])
}

fn node_empty(facts: &Facts<'_>) -> Outcome {
    let nodes = known(&facts.snapshot.nodes)?;
    let occupants = known(&facts.snapshot.occupants)?;
    let pools = facts.intended_pools()?;
    Ok(nodes
        .values()
        .filter(|node| pools.iter().any(|pool| Some(&pool.name) == node.node_pool().as_ref()))
        .filter(|node| occupants.get(&node.name).is_none_or(|pods| pods.iter().all(|pod| pod.is_daemon)))
        .map(|node| {
            violation(
                format!("node/{}", node.name),
                format!(
                    "a {} that carries no pod but daemons, and costs money",
                    node.instance_type().unwrap_or("node")
                ),
                "Keep it as room for a shard to move, or delete it: `kubectl delete nodeclaim`",
            )
        })
        .collect())
}
