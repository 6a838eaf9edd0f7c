//! How few nodes would do.
//!
//! For identical shards on identical empty nodes this is arithmetic: `slots = min((allocatable - daemons) /
//! request)` over CPU, memory and pods, and `nodes = ceil(shards / slots)`. Other pods that need a place as
//! well make it bin packing, where the answer is a packing that was really made, with a lower bound beside it.

use std::collections::BTreeMap;

use super::node::{daemons, others, slots};
use super::{Load, NodePacking, count};
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::snapshot::{NODE_POOL_LABEL, Snapshot};

/// How few nodes of one instance type would do for all shards.
#[derive(Clone, Debug, PartialEq)]
pub struct Fewest {
    /// None for nodes without an instance type label.
    pub instance_type: Option<String>,
    /// Nodes of the type in the snapshot.
    pub present: u32,
    /// The least allocatable seen on a node of the type.
    pub allocatable: Resources,
    pub allocatable_pods: u32,
    /// What DaemonSets are assumed to take on each node: the most seen on a node of the type.
    pub daemons: Load,
    /// Pods on the nodes of the type that are neither shards nor daemons, and need a place as well.
    pub others: Load,
    pub answer: Result<FewestNodes, NoPacking>,
    /// The answer when no node gets more shards than `maxSkew`, as Karpenter plans; none when there is no
    /// such constraint, or no Karpenter.
    pub with_spread: Option<Result<FewestNodes, NoPacking>>,
}

/// A number of nodes that is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FewestNodes {
    /// A packing with this many nodes exists.
    pub nodes: u32,
    /// Shards that fit on a node which has nothing but daemons on it.
    pub per_node: u32,
    /// No packing has fewer nodes than this; where it equals `nodes`, `nodes` is the fewest.
    pub at_least: u32,
}

/// Why no number of nodes is enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPacking {
    #[error("the template requests no CPU and no memory")]
    RequestsMissing,
    #[error("a shard does not fit on an empty node")]
    ShardTooLarge,
    #[error("pod {namespace}/{name} does not fit on an empty node")]
    OtherPodTooLarge { namespace: String, name: String },
}

/// What the template says about spreading its pods over nodes, and who reads it how.
///
/// kube-scheduler compares the nodes that are there: an even distribution always satisfies `maxSkew`.
/// Karpenter takes the emptiest node for one with no shard, because it can always make another
/// (`domainMinCount` in `pkg/controllers/provisioning/scheduling/topologygroup.go`), and so plans for at most
/// `maxSkew` shards on a node; `ScheduleAnyway` counts as required until that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostnameSpread {
    /// The field that says so: `topologySpreadConstraints[0].maxSkew`.
    pub field: String,
    pub max_skew: u32,
    /// `DoNotSchedule` or `ScheduleAnyway`.
    pub when_unsatisfiable: String,
    /// Whether Karpenter makes nodes for this cluster.
    pub has_karpenter: bool,
}

impl HostnameSpread {
    /// The strictest constraint over hostnames; none when there is no such constraint.
    pub(super) fn of(snapshot: &Snapshot) -> Option<Self> {
        let has_karpenter = snapshot.node_pools.as_ref().is_ok_and(|pools| !pools.is_empty())
            || snapshot
                .nodes
                .as_ref()
                .is_ok_and(|nodes| nodes.values().any(|node| node.labels.contains_key(NODE_POOL_LABEL)));
        let constraints = snapshot.workload.template.spread.iter().enumerate();
        let (index, strictest) = constraints
            .filter(|(_, constraint)| constraint.topology_key == "kubernetes.io/hostname")
            .min_by_key(|(_, constraint)| constraint.max_skew)?;
        Some(Self {
            field: format!("topologySpreadConstraints[{index}].maxSkew"),
            // The API server accepts nothing below 1.
            max_skew: u32::try_from(strictest.max_skew).unwrap_or(1).max(1),
            when_unsatisfiable: strictest.when_unsatisfiable.clone(),
            has_karpenter,
        })
    }
}

/// How few of the nodes that are there would do, each with its own daemons and other pods as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresentNodes {
    /// Shards that the open nodes would hold, were there no shard on them yet.
    pub capacity: u32,
    /// The fewest of them that hold all shards; none when all of them do not.
    pub nodes: Option<u32>,
}

impl PresentNodes {
    /// Exact for nodes of different types: shards are identical, so the nodes with most slots come first.
    pub(super) fn of(snapshot: &Snapshot, nodes: &[NodePacking]) -> Option<Self> {
        let shard = snapshot.workload.template.requests;
        let mut holds = nodes
            .iter()
            .filter(|node| node.is_open())
            .map(|node| {
                let room = node.room?;
                let taken = room.daemons.plus(room.others);
                let free = node.allocatable.saturating_sub(taken.requests);
                slots(free, node.allocatable_pods.saturating_sub(taken.pods), shard)
            })
            .collect::<Option<Vec<u32>>>()?;
        if nodes.is_empty() {
            return None;
        }
        holds.sort_unstable_by(|a, b| b.cmp(a));
        let mut capacity = 0_u32;
        let mut fewest = (snapshot.workload.replicas == 0).then_some(0);
        for (index, slots) in holds.into_iter().enumerate() {
            capacity = capacity.saturating_add(slots);
            if fewest.is_none() && capacity >= snapshot.workload.replicas {
                fewest = Some(count(index + 1));
            }
        }
        Some(Self { capacity, nodes: fewest })
    }
}

/// The answer for each instance type in the snapshot, by its name.
pub(super) fn per_instance_type(
    snapshot: &Snapshot,
    nodes: &[NodePacking],
    spread: Option<&HostnameSpread>,
) -> Vec<Fewest> {
    if snapshot.occupants.is_err() {
        return Vec::new();
    }
    let mut types: BTreeMap<Option<&str>, Vec<&NodePacking>> = BTreeMap::new();
    for node in nodes {
        // A node that has just joined reports nothing yet, which says nothing about its type.
        if node.allocatable.cpu.is_positive() && node.allocatable.memory.is_positive() {
            types.entry(node.instance_type.as_deref()).or_default().push(node);
        }
    }
    types
        .into_iter()
        .filter_map(|(instance_type, nodes)| {
            let mut fewest = assumptions(instance_type, &nodes)?;
            let mut pods = Vec::new();
            for other in nodes.iter().flat_map(|node| others(snapshot, &node.name)) {
                fewest.others.add(other.requests);
                pods.push(other);
            }
            let empty = EmptyNode {
                free: fewest.allocatable.saturating_sub(fewest.daemons.requests),
                pods: fewest.allocatable_pods.saturating_sub(fewest.daemons.pods),
                shard: snapshot.workload.template.requests,
                most_shards: u32::MAX,
            };
            let too_large = pods.iter().find(|other| !empty.free.holds(other.requests));
            let requests: Vec<Resources> = pods.iter().map(|other| other.requests).collect();
            let answer = |empty: EmptyNode| match too_large {
                Some(other) => Err(NoPacking::OtherPodTooLarge {
                    namespace: other.namespace.clone(),
                    name: other.name.to_string(),
                }),
                None => empty.fewest(snapshot.workload.replicas, &requests),
            };
            fewest.answer = answer(empty);
            fewest.with_spread = spread
                .filter(|spread| spread.has_karpenter)
                .map(|spread| answer(EmptyNode { most_shards: spread.max_skew, ..empty }));
            Some(fewest)
        })
        .collect()
}

/// What is assumed of a node of one type, the least favourable seen; none when none was seen.
fn assumptions(instance_type: Option<&str>, nodes: &[&NodePacking]) -> Option<Fewest> {
    let most = nodes
        .iter()
        .map(|node| daemons(node))
        .reduce(|a, b| Load { pods: a.pods.max(b.pods), requests: a.requests.max(b.requests) })?;
    Some(Fewest {
        instance_type: instance_type.map(str::to_owned),
        present: count(nodes.len()),
        allocatable: Resources {
            cpu: nodes.iter().map(|node| node.allocatable.cpu).min()?,
            memory: nodes.iter().map(|node| node.allocatable.memory).min()?,
        },
        allocatable_pods: nodes.iter().map(|node| node.allocatable_pods).min()?,
        daemons: most,
        others: Load::default(),
        answer: Err(NoPacking::RequestsMissing),
        with_spread: None,
    })
}

/// A node with nothing but daemons on it, and the shards that are to be placed on such nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct EmptyNode {
    pub free: Resources,
    pub pods: u32,
    /// What one shard requests.
    pub shard: Resources,
    /// The most shards that a node may get.
    pub most_shards: u32,
}

/// A node that some other pods were put on, by their place in the list, and what it has left for shards.
#[derive(Clone, Debug)]
pub(super) struct Filled {
    pub others: Vec<usize>,
    pub free: Resources,
    pub pods: u32,
}

impl EmptyNode {
    /// How few of these nodes hold `replicas` shards and the `others`.
    pub fn fewest(&self, replicas: u32, others: &[Resources]) -> Result<FewestNodes, NoPacking> {
        let per_node = self.shards_on(self.free, self.pods).ok_or(NoPacking::RequestsMissing)?;
        if per_node == 0 {
            return Err(NoPacking::ShardTooLarge);
        }
        let at_least = self.at_least(replicas, per_node, others);
        // With one node for each other pod and enough for the shards alone, every packing succeeds.
        let enough = replicas.div_ceil(per_node).saturating_add(count(others.len())).max(at_least);
        let nodes = (at_least..enough)
            .find(|nodes| self.capacity(*nodes, others) >= Some(replicas))
            .unwrap_or(enough);
        Ok(FewestNodes { nodes, per_node, at_least })
    }

    /// The shards that `nodes` such nodes hold beside the `others`; none when not even those fit. It does
    /// not depend on how many shards there are, so that more shards never need fewer nodes.
    pub fn capacity(&self, nodes: u32, others: &[Resources]) -> Option<u32> {
        let touched = self.place(nodes, others)?;
        let untouched = nodes - count(touched.len());
        let per_node = self.shards_on(self.free, self.pods)?;
        touched.iter().try_fold(per_node.saturating_mul(untouched), |sum, filled| {
            Some(sum.saturating_add(self.shards_on(filled.free, filled.pods)?))
        })
    }

    /// Puts each of `others`, largest first, where it takes the fewest shard slots away, then where least
    /// room is left. Returns the nodes that got one; none when they do not fit on `nodes` nodes.
    pub fn place(&self, nodes: u32, others: &[Resources]) -> Option<Vec<Filled>> {
        let mut order: Vec<usize> = (0..others.len()).collect();
        order.sort_by(|a, b| {
            let size = |index: &usize| self.share(others[*index]);
            size(b).total_cmp(&size(a)).then(a.cmp(b))
        });
        let mut touched: Vec<Filled> = Vec::new();
        for index in order {
            let pod = others[index];
            let mut best: Option<(u32, f64, usize)> = None;
            let fresh = Filled { others: Vec::new(), free: self.free, pods: self.pods };
            let is_fresh_left = count(touched.len()) < nodes;
            for (place, node) in touched.iter().chain(is_fresh_left.then_some(&fresh)).enumerate() {
                if node.pods == 0 || !node.free.holds(pod) {
                    continue;
                }
                let before = self.shards_on(node.free, node.pods)?;
                let left = node.free.saturating_sub(pod);
                let lost = before - self.shards_on(left, node.pods - 1)?;
                let room = self.share(left);
                if best.is_none_or(|(least, tightest, _)| lost < least || (lost == least && room < tightest))
                {
                    best = Some((lost, room, place));
                }
            }
            let (_, _, place) = best?;
            if place == touched.len() {
                touched.push(fresh);
            }
            let node = &mut touched[place];
            node.free = node.free.saturating_sub(pod);
            node.pods -= 1;
            node.others.push(index);
        }
        Some(touched)
    }

    /// No fewer nodes than this can do: by the slots of an empty node, and by each resource added up.
    fn at_least(&self, replicas: u32, per_node: u32, others: &[Resources]) -> u32 {
        let total = others.iter().copied().sum::<Resources>() + self.shard * replicas;
        let pods = replicas.saturating_add(count(others.len()));
        [
            replicas.div_ceil(per_node),
            times_needed(total.cpu, self.free.cpu),
            times_needed(total.memory, self.free.memory),
            pods.div_ceil(self.pods.max(1)),
        ]
        .into_iter()
        .fold(0, u32::max)
    }

    fn shards_on(&self, free: Resources, pods: u32) -> Option<u32> {
        slots(free, pods, self.shard).map(|slots| slots.min(self.most_shards))
    }

    /// The larger share of an empty node's CPU and memory; orders pods and nodes, and decides nothing else.
    fn share(&self, amount: Resources) -> f64 {
        let share = |amount: Quantity, of: Quantity| {
            if of.is_positive() { amount.as_f64() / of.as_f64() } else { 0.0 }
        };
        share(amount.cpu, self.free.cpu).max(share(amount.memory, self.free.memory))
    }
}

/// `ceil(total / each)`; 0 when `each` is nothing, for then nothing can be said.
fn times_needed(total: Quantity, each: Quantity) -> u32 {
    if !each.is_positive() || !total.is_positive() {
        return 0;
    }
    let (total, each) = (total.as_nanos(), each.as_nanos());
    u32::try_from((total + each - 1) / each).unwrap_or(u32::MAX)
}
