//! What there is to be paid: nodes with their pods, disks, snapshots, and the runs of the service.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::names::{ClaimName, NodePoolName, PodName, VolumeName, WorkloadRef};
use crate::domain::quantity::Quantity;
use crate::domain::rolling::Run;
use crate::domain::snapshot::{Node, NodePool, NodeTerm, Occupant, Part, PodTemplate, Unknown};

/// What the costs are of.
#[derive(Clone, Debug)]
pub enum Subject {
    Service(Box<Service>),
    NodePool(NodePoolName),
    Cluster,
}

/// A sharded service, as far as money goes.
#[derive(Clone, Debug)]
pub struct Service {
    pub reference: WorkloadRef,
    /// Shards that there should be.
    pub replicas: u32,
    /// Shards that must be up for the service to be up.
    pub required: u32,
    pub template: PodTemplate,
    /// How long a shard is down when it is moved; none when nobody knows.
    pub restart: Option<Restart>,
}

/// How long a restart of a shard takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    pub each: Duration,
    /// Whether earlier runs measured it; else the pods tell.
    pub is_measured: bool,
}

/// A node and what is on it.
#[derive(Clone, Debug)]
pub struct Machine {
    pub node: Node,
    /// None when the pods could not be read.
    pub pods: Option<Vec<Occupant>>,
}

/// A persistent volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    pub name: VolumeName,
    /// `Available`, `Bound`, `Released` or `Failed`.
    pub phase: String,
    /// Namespace and name of the claim that it is or was bound to.
    pub claim: Option<(String, ClaimName)>,
    /// The pod that mounts it, or the shard that it waits for.
    pub used_by: Option<PodName>,
    /// Whether the pods could be read that might mount it.
    pub is_use_known: bool,
    pub size: Quantity,
    pub storage_class: Option<String>,
    /// The sort of disk as Azure names it: `Premium_LRS`; none for another provider's.
    pub sku: Option<String>,
    /// `Delete` or `Retain`.
    pub reclaim_policy: String,
    /// What a node must be to reach it.
    pub node_terms: Vec<NodeTerm>,
    pub created_at: Option<Timestamp>,
}

impl Disk {
    /// The region of the zone that it is in, where it says so.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        let zones = ["topology.disk.csi.azure.com/zone", "topology.kubernetes.io/zone"];
        let expressions = self.node_terms.iter().flatten();
        let zone =
            expressions.filter(|one| zones.contains(&one.key.as_str())).find_map(|one| one.values.first())?;
        zone.rsplit_once('-').map(|(region, _)| region)
    }
}

/// A VolumeSnapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSnapshot {
    pub namespace: String,
    pub name: String,
    /// The claim that it was taken of; none when it was made from a snapshot that existed.
    pub source: Option<ClaimName>,
    /// Whether that claim is there.
    pub has_source: bool,
    /// The size of a disk made from it.
    pub size: Option<Quantity>,
    pub created_at: Option<Timestamp>,
}

/// What there is, at one moment. A part that could not be read is an error in its place.
#[derive(Clone, Debug)]
pub struct Inventory {
    pub subject: Subject,
    pub taken_at: Timestamp,
    pub machines: Part<Vec<Machine>>,
    /// Why the pods of the machines are not known, when they are not.
    pub pods_unknown: Option<Unknown>,
    /// Every Karpenter NodePool; empty when the cluster has no such API.
    pub node_pools: Part<Vec<NodePool>>,
    pub disks: Part<Vec<Disk>>,
    /// None when the cluster has no such API.
    pub snapshots: Part<Option<Vec<DiskSnapshot>>>,
    /// The runs of the service, the newest first.
    pub runs: Part<Vec<Run>>,
}

impl Inventory {
    /// What could not be read.
    #[must_use]
    pub fn unknown(&self) -> Vec<Unknown> {
        let parts = [
            self.machines.as_ref().err(),
            self.pods_unknown.as_ref(),
            self.node_pools.as_ref().err(),
            self.disks.as_ref().err(),
            self.snapshots.as_ref().err(),
            self.runs.as_ref().err(),
        ];
        parts.into_iter().flatten().cloned().collect()
    }

    /// A pool by name.
    #[must_use]
    pub fn pool(&self, name: &NodePoolName) -> Option<&NodePool> {
        self.node_pools.as_ref().ok()?.iter().find(|pool| pool.name == *name)
    }

    /// The service, when the costs are of one.
    #[must_use]
    pub fn service(&self) -> Option<&Service> {
        match &self.subject {
            Subject::Service(service) => Some(service),
            Subject::NodePool(_) | Subject::Cluster => None,
        }
    }

    /// The run that is not over.
    #[must_use]
    pub fn open_run(&self) -> Option<&Run> {
        self.runs.iter().flatten().find(|run| run.is_open())
    }
}
