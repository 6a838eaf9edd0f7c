//! Where shards sit on their nodes, what room is left, and how few nodes would do.
//!
//! Room is counted as the scheduler counts it: allocatable less the requests of every pod on the node.
//! What pods really use plays no part in it and is carried beside it, for shards only.

mod fewest;
#[cfg(test)]
mod fewest_tests;
mod node;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod totals;

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

pub(in crate::domain) use node::{closed, slots};

pub use fewest::{Fewest, FewestNodes, HostnameSpread, NoPacking, PresentNodes};

use super::names::{NodeName, NodePoolName, PodName, WorkloadRef};
use super::quantity::Resources;
use super::snapshot::{Node, Pod, Snapshot, Unknown};

/// The shards of a workload on their nodes.
#[derive(Clone, Debug)]
pub struct Packing {
    pub workload: WorkloadRef,
    pub taken_at: Timestamp,
    /// Shards that there should be.
    pub replicas: u32,
    /// What a new shard requests: the template's requests.
    pub shard_requests: Resources,
    /// The nodes of the snapshot, by name.
    pub nodes: Vec<NodePacking>,
    /// Shards that are on no node, by ordinal.
    pub unplaced: Vec<UnplacedShard>,
    /// Shards on nodes that could not be read, by ordinal.
    pub unread: Vec<UnreadShard>,
    /// Ordinals of shards whose pods request something else than the template does.
    pub differing: Vec<u32>,
    pub totals: Totals,
    pub failure_domains: FailureDomains,
    /// How few nodes would do, for each instance type in the snapshot; empty when the pods on the nodes
    /// are not known.
    pub fewest: Vec<Fewest>,
    /// How few of the nodes that are there would do; none when that cannot be told.
    pub present: Option<PresentNodes>,
    /// What the template says about spreading shards over nodes.
    pub hostname_spread: Option<HostnameSpread>,
    /// Why the nodes are not known, when they are not.
    pub nodes_unknown: Option<Unknown>,
    /// Why the pods on the nodes are not known, when they are not.
    pub occupants_unknown: Option<Unknown>,
    /// Why nobody knows what shards use, when nobody does.
    pub usage_unknown: Option<Unknown>,
}

/// One node and what is on it.
#[derive(Clone, Debug)]
pub struct NodePacking {
    pub name: NodeName,
    pub instance_type: Option<String>,
    pub zone: Option<String>,
    pub node_pool: Option<NodePoolName>,
    /// `on-demand`, `spot` or `reserved`.
    pub capacity_type: Option<String>,
    pub is_ready: bool,
    pub is_cordoned: bool,
    pub is_deleting: bool,
    /// Why no new shard would be placed here; empty when one would.
    pub closed: Vec<Closed>,
    pub allocatable: Resources,
    pub allocatable_pods: u32,
    /// The shards on it, by ordinal.
    pub shards: Vec<PlacedShard>,
    /// What its shards use; none when no metrics are known.
    pub usage: Option<ShardUsage>,
    /// What its pods request and what is left; none when its pods are not known.
    pub room: Option<Room>,
    /// US dollars per hour; none when unknown, never 0.
    pub price_per_hour: Option<f64>,
}

/// Why a node takes no new shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    Cordoned,
    NotReady,
    Deleting,
    /// A taint that the template does not tolerate.
    Taint {
        key: String,
        effect: String,
    },
    /// The template's node selector or node affinity does not match it.
    NotSelected,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cordoned => f.write_str("cordoned"),
            Self::NotReady => f.write_str("not ready"),
            Self::Deleting => f.write_str("deleting"),
            Self::Taint { key, effect } => write!(f, "taint {key}:{effect}"),
            Self::NotSelected => f.write_str("not selected"),
        }
    }
}

/// How a shard that is on a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum ShardState {
    Ready,
    NotReady,
    /// Asked to end.
    Terminating,
}

impl ShardState {
    fn of(pod: &Pod) -> Self {
        if pod.deleted_at.is_some() {
            Self::Terminating
        } else if pod.is_ready {
            Self::Ready
        } else {
            Self::NotReady
        }
    }
}

/// A shard on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedShard {
    pub ordinal: u32,
    pub state: ShardState,
    /// Whether there should be a shard of this ordinal: it is below `replicas`.
    pub is_expected: bool,
    /// What its own pod requests, which may be an older template's.
    pub requests: Resources,
}

/// Pods of one sort on one node, or on all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub pods: u32,
    pub requests: Resources,
}

impl Load {
    fn add(&mut self, requests: Resources) {
        self.pods += 1;
        self.requests += requests;
    }

    fn plus(self, other: Self) -> Self {
        Self { pods: self.pods + other.pods, requests: self.requests + other.requests }
    }
}

/// What pods request of a node, and what is left. `requested + free = allocatable + overcommit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    pub shards: Load,
    /// Pods of DaemonSets.
    pub daemons: Load,
    /// All other pods.
    pub others: Load,
    /// Allocatable less requested.
    pub free: Resources,
    pub free_pods: u32,
    /// What is requested beyond allocatable, as after a node's allocatable shrank.
    pub overcommit: Resources,
    /// Further shards of the template that fit, by CPU, memory and pods, whether or not the node is open
    /// to them; none when the template requests nothing.
    pub free_slots: Option<u32>,
    /// Free room that no further shard can use: what is left after `free_slots` more shards.
    pub stranded: Option<Resources>,
}

impl Room {
    /// The requests of all pods together.
    #[must_use]
    pub fn requested(&self) -> Load {
        self.shards.plus(self.daemons).plus(self.others)
    }
}

/// What shards use now, by the metrics API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardUsage {
    pub total: Resources,
    /// How many shards the total speaks of.
    pub measured: u32,
}

/// A shard that is on no node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnplacedShard {
    pub ordinal: u32,
    pub pod_name: PodName,
    pub reason: UnplacedReason,
}

/// Why a shard is on no node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnplacedReason {
    /// The StatefulSet controller has not made its pod.
    NoPod,
    /// Its pod has ended and holds no room.
    Ended { phase: String },
    /// The scheduler found no node, in its own words.
    Unschedulable(String),
    /// The scheduler has not looked at it yet.
    NotScheduled,
}

impl fmt::Display for UnplacedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPod => f.write_str("it has no pod"),
            Self::Ended { phase } => write!(f, "its pod has ended: {phase}"),
            Self::Unschedulable(message) => f.write_str(message),
            Self::NotScheduled => f.write_str("the scheduler has not placed it yet"),
        }
    }
}

/// A shard on a node that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadShard {
    pub ordinal: u32,
    pub node: NodeName,
    pub reason: String,
}

/// All nodes together.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub nodes: u32,
    /// Expected shards that are on nodes which could be read.
    pub placed: u32,
    pub allocatable: Resources,
    pub allocatable_pods: u32,
    /// Sums over the nodes; none when the pods on them are not known.
    pub room: Option<Room>,
    /// Free slots of the nodes that are open to new shards.
    pub open_slots: Option<u32>,
    pub usage: Option<ShardUsage>,
    /// US dollars per hour of the nodes whose price is known; none when no price is.
    pub price_per_hour: Option<f64>,
    /// Nodes whose price is unknown; they are not in `price_per_hour`.
    pub nodes_without_price: u32,
}

/// What can fail at once. For a service that needs every shard, each node that carries one is a single
/// point of failure: fewer nodes fail less often, and take more shards with them when they do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureDomains {
    /// Nodes that carry shards.
    pub nodes: u32,
    /// Zones that carry shards, as far as nodes tell theirs.
    pub zones: u32,
    /// Nodes that carry more than one shard.
    pub shared_nodes: u32,
    /// The most shards on one node.
    pub most_on_one_node: u32,
}

impl NodePacking {
    /// Whether a new shard could be placed here, were there room.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_empty()
    }

    /// Further shards that could be placed here now: the free slots of an open node, else 0.
    #[must_use]
    pub fn open_slots(&self) -> Option<u32> {
        let slots = self.room.as_ref()?.free_slots?;
        Some(if self.is_open() { slots } else { 0 })
    }
}

/// How the shards are packed. `prices` gives a node's price in US dollars per hour, none when unknown.
#[must_use]
pub fn packing(snapshot: &Snapshot, prices: impl Fn(&Node) -> Option<f64>) -> Packing {
    let nodes: Vec<NodePacking> = match &snapshot.nodes {
        Ok(nodes) => {
            let shards = node::shards_by_node(snapshot);
            let on = |node: &Node| shards.get(&node.name).map_or(&[][..], Vec::as_slice);
            nodes.values().map(|one| node::node_packing(snapshot, one, on(one), &prices)).collect()
        }
        Err(_) => Vec::new(),
    };
    let hostname_spread = HostnameSpread::of(snapshot);
    let template = snapshot.workload.template.requests;
    Packing {
        workload: snapshot.workload.reference.clone(),
        taken_at: snapshot.taken_at,
        replicas: snapshot.workload.replicas,
        shard_requests: template,
        unplaced: snapshot.shards.iter().filter_map(node::unplaced).collect(),
        unread: snapshot.shards.iter().filter_map(|shard| node::unread(snapshot, shard)).collect(),
        differing: snapshot
            .shards
            .iter()
            .filter(|shard| shard.pod.as_ref().is_some_and(|pod| pod.requests != template))
            .map(|shard| shard.ordinal)
            .collect(),
        totals: totals::totals(&nodes),
        failure_domains: totals::failure_domains(&nodes),
        fewest: fewest::per_instance_type(snapshot, &nodes, hostname_spread.as_ref()),
        present: PresentNodes::of(snapshot, &nodes),
        hostname_spread,
        nodes_unknown: snapshot.nodes.as_ref().err().cloned(),
        occupants_unknown: snapshot.occupants.as_ref().err().cloned(),
        usage_unknown: snapshot.usage.as_ref().err().cloned(),
        nodes,
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
