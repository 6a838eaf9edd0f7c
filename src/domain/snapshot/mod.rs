//! What is known of a sharded service and the cluster around it at one moment.
//!
//! A snapshot is already old when it is looked at. Nothing may be deleted or changed on the strength of
//! one alone: a write carries the uid and resourceVersion that it was decided on.

mod node;
mod scheduling;
mod shard;
mod surroundings;
mod workload;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::names::{ClaimName, NodeName, NodePoolName, PodName, VolumeName};
use super::quantity::Resources;
pub use node::{
    DaemonSet, NODE_POOL_LABEL, Node, NodeClass, NodeClassRef, NodePool, NodePoolBudget, Occupant,
};
pub use scheduling::{
    AntiAffinity, NodeExpression, NodeTerm, SpreadConstraint, Taint, Toleration, any_term_matches,
};
pub use shard::{ContainerStatus, DnsPolicy, Health, OutOfMemory, Pod, Shard};
pub use surroundings::{
    AZURE_DISK, Claim, DisruptionBudget, Endpoint, Service, StorageClass, VerticalAutoscaler, Volume,
};
pub use workload::{
    ClaimTemplate, Container, ContainerPort, DO_NOT_DISRUPT, HttpProbe, PodTemplate, Workload,
};

/// Why a part of the snapshot is not known: what was asked, and the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{asked}: {answer}")]
pub struct Unknown {
    /// The read that failed: "list nodes".
    pub asked: String,
    /// What came back: "forbidden: ...".
    pub answer: String,
    /// Whether it failed for want of permission.
    pub is_forbidden: bool,
}

/// A part of the snapshot that may have failed to be read, while the others were.
pub type Part<T> = Result<T, Unknown>;

/// A sharded service and the cluster around it at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub taken_at: Timestamp,
    /// Version of the API server: `v1.36.3`.
    pub server_version: Part<String>,
    pub workload: Workload,
    /// One entry per ordinal, 0 first; more than `replicas` when pods are left over from a larger set.
    pub shards: Vec<Shard>,
    /// The nodes that carry shards, and the empty ones of the pools that the shards belong on.
    pub nodes: Part<BTreeMap<NodeName, Node>>,
    /// All pods that occupy room on those nodes, shards included, ended ones left out.
    pub occupants: Part<BTreeMap<NodeName, Vec<Occupant>>>,
    /// Every Karpenter NodePool; empty when the cluster has no such API.
    pub node_pools: Part<Vec<NodePool>>,
    /// The node classes that the shards' pools refer to, by pool.
    pub node_classes: Part<BTreeMap<NodePoolName, NodeClass>>,
    /// The disruption budgets of the namespace.
    pub disruption_budgets: Part<Vec<DisruptionBudget>>,
    /// The services that select the shards, or that the workload names as its own.
    pub services: Part<Vec<Service>>,
    /// The claims of the shards by name; a claim that should be there and is not has no entry.
    pub claims: Part<BTreeMap<ClaimName, Claim>>,
    /// The volumes bound to those claims.
    pub volumes: Part<BTreeMap<VolumeName, Volume>>,
    /// The storage classes that the claims name, by name.
    pub storage_classes: Part<BTreeMap<String, StorageClass>>,
    /// The autoscalers that target the workload; empty when the cluster has no such API.
    pub autoscalers: Part<Vec<VerticalAutoscaler>>,
    /// What each shard says of itself over HTTP, by ordinal; empty when nobody asked.
    pub health: BTreeMap<u32, Health>,
    /// Why shards that are up could not be asked, when it was not for the shards.
    pub health_unknown: Option<Unknown>,
    /// What each pod uses now, by pod name; an error when there is no metrics API.
    pub usage: Part<BTreeMap<PodName, Resources>>,
}

impl Snapshot {
    /// The shards that there should be: ordinals below `replicas`.
    pub fn expected_shards(&self) -> impl Iterator<Item = &Shard> {
        let replicas = self.workload.replicas;
        self.shards.iter().filter(move |shard| shard.ordinal < replicas)
    }

    /// A node by name, when nodes could be read and it is among them.
    #[must_use]
    pub fn node(&self, name: &NodeName) -> Option<&Node> {
        self.nodes.as_ref().ok()?.get(name)
    }

    /// The node that a shard is on.
    #[must_use]
    pub fn node_of(&self, shard: &Shard) -> Option<&Node> {
        self.node(shard.pod.as_ref()?.node.as_ref()?)
    }

    /// The ordinals of the shards that would take another template if they restarted now.
    #[must_use]
    pub fn armed_shards(&self) -> Vec<u32> {
        let wanted = &self.workload.update_revision;
        self.shards
            .iter()
            .filter(|shard| {
                let pod = shard.pod.as_ref().filter(|pod| pod.deleted_at.is_none());
                pod.is_some_and(|pod| pod.revision.as_ref() != Some(wanted))
            })
            .map(|shard| shard.ordinal)
            .collect()
    }

    /// The pools whose nodes a new shard could be placed on, by the template's node terms and tolerations.
    ///
    /// # Errors
    /// When the pools could not be read.
    pub fn target_pools(&self) -> Part<Vec<&NodePool>> {
        let template = &self.workload.template;
        let pools = self.node_pools.as_ref().map_err(Clone::clone)?;
        Ok(pools.iter().filter(|pool| template.can_be_placed_on(pool)).collect())
    }
}
