//! One shard: an ordinal, its pod, and what it says of itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::names::{ClaimName, NodeName, PodName};
use crate::domain::quantity::{Quantity, Resources};

/// One shard: an ordinal, and the pod that holds it if there is one.
#[derive(Clone, Debug)]
pub struct Shard {
    pub ordinal: u32,
    /// The name that the shard's pod has, or will have.
    pub pod_name: PodName,
    pub pod: Option<Pod>,
}

/// Who tells a pod how to look names up, by its `dnsPolicy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum DnsPolicy {
    /// The kubelet, for the names of the cluster first: `ClusterFirst`, or `ClusterFirstWithHostNet` on its node's network.
    #[default]
    Cluster,
    /// The node: `Default`.
    Node,
    /// The node, though the pod says `ClusterFirst`: that is so on its node's network.
    NodeByNetwork,
    /// The pod itself, in `dnsConfig`: `None`.
    Own,
}

/// A pod of the workload.
#[derive(Clone, Debug)]
pub struct Pod {
    pub uid: String,
    pub resource_version: String,
    pub created_at: Option<Timestamp>,
    /// When the pod was asked to end.
    pub deleted_at: Option<Timestamp>,
    pub node: Option<NodeName>,
    /// When it was given a node.
    pub scheduled_at: Option<Timestamp>,
    /// Whether its volumes are attached and its network is up (`PodReadyToStartContainers`).
    pub is_prepared: bool,
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: String,
    /// `Guaranteed`, `Burstable` or `BestEffort`.
    pub qos_class: String,
    /// The StatefulSet revision that the pod was made from.
    pub revision: Option<String>,
    /// The pod's own IP addresses, one of each family at most, that of the first family first.
    pub ips: Vec<String>,
    pub dns_policy: DnsPolicy,
    pub is_ready: bool,
    /// When Ready last changed.
    pub ready_changed_at: Option<Timestamp>,
    /// Why the pod is not on a node, in the scheduler's words.
    pub unschedulable: Option<String>,
    pub annotations: BTreeMap<String, String>,
    pub containers: Vec<ContainerStatus>,
    pub requests: Resources,
    /// Grace period that this pod was made with.
    pub termination_grace_period_seconds: i64,
    pub claims: Vec<ClaimName>,
}

/// The state of a container.
#[derive(Clone, Debug, Default)]
pub struct ContainerStatus {
    pub name: String,
    pub image: String,
    /// The image that really runs, with its digest.
    pub image_id: String,
    pub restarts: i32,
    /// Reason and message of a container that waits: `CrashLoopBackOff`, `ImagePullBackOff` ...
    pub waiting: Option<(String, String)>,
    /// Reason of its last end: `OOMKilled`, `Error` ...
    pub last_terminated: Option<String>,
    /// Its last end, or its state now, when that was for want of memory.
    pub out_of_memory: Option<OutOfMemory>,
}

/// A container that was killed for want of memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutOfMemory {
    pub at: Option<Timestamp>,
    /// The limit that it has now, as far as the kubelet or the pod's spec tells.
    pub limit: Option<Quantity>,
}

/// What a shard says of itself over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Health {
    /// It answered 200 in this many milliseconds.
    Healthy { millis: u64 },
    /// It answered something else.
    Unhealthy { status: u16, path: String },
    /// It did not answer, and why.
    Silent { reason: String, path: String },
}

impl Health {
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        matches!(self, Self::Healthy { .. })
    }
}

impl Pod {
    /// Whether the pod serves: Ready, and not asked to end.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.is_ready && self.deleted_at.is_none()
    }

    /// Whether the pod has run its course: its StatefulSet makes it anew.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        matches!(self.phase.as_str(), "Failed" | "Succeeded")
    }
}

impl Shard {
    /// Whether the shard has a pod that is Ready and not asked to end.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.pod.as_ref().is_some_and(Pod::is_up)
    }
}
