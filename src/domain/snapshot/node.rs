//! Nodes, the pods that take their room, and the pools that Karpenter makes them from.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::scheduling::{NodeExpression, NodeTerm, Taint, Toleration};
use crate::domain::names::{NodeName, NodePoolName, PodName};
use crate::domain::quantity::{Quantity, Resources};

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    pub name: NodeName,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
    pub is_cordoned: bool,
    pub deleted_at: Option<Timestamp>,
    pub created_at: Option<Timestamp>,
    pub is_ready: bool,
    /// Conditions other than Ready that are on: `MemoryPressure`, `DiskPressure` ...
    pub pressures: Vec<String>,
    pub allocatable: Resources,
    pub allocatable_pods: u32,
    pub capacity: Resources,
    pub kubelet_version: String,
}

impl Node {
    /// A label's value.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }

    /// The instance type: `Standard_E16s_v5`.
    #[must_use]
    pub fn instance_type(&self) -> Option<&str> {
        self.label("node.kubernetes.io/instance-type")
    }

    /// The zone: `eastus-1`.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.label("topology.kubernetes.io/zone")
    }

    /// The region, by its own label or else by the zone's name: `eastus`.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.label("topology.kubernetes.io/region")
            .or_else(|| self.zone()?.rsplit_once('-').map(|(region, _)| region))
    }

    /// The Karpenter NodePool that made the node.
    #[must_use]
    pub fn node_pool(&self) -> Option<NodePoolName> {
        self.label(NODE_POOL_LABEL).map(NodePoolName::new)
    }

    /// `on-demand` or `spot`.
    #[must_use]
    pub fn capacity_type(&self) -> Option<&str> {
        self.label("karpenter.sh/capacity-type")
    }
}

/// The label that tells which NodePool made a node.
pub const NODE_POOL_LABEL: &str = "karpenter.sh/nodepool";

/// A pod as far as it takes room on a node.
#[derive(Clone, Debug)]
pub struct Occupant {
    pub namespace: String,
    pub name: PodName,
    pub requests: Resources,
    pub is_daemon: bool,
    /// Ordinal when it is a shard of the workload.
    pub ordinal: Option<u32>,
    /// StatefulSet that owns it, when one does.
    pub stateful_set: Option<String>,
    /// Claims that it mounts, each of which takes one of the volumes that its node can attach.
    pub claims: u32,
}

/// A DaemonSet as far as its pods take room on a node that does not exist yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DaemonSet {
    pub namespace: String,
    pub name: String,
    /// Requests of one pod, as the scheduler counts them.
    pub requests: Resources,
    pub tolerations: Vec<Toleration>,
    /// What a node must be, as alternatives.
    pub node_terms: Vec<NodeTerm>,
}

/// A Karpenter NodePool.
#[derive(Clone, Debug, Default)]
pub struct NodePool {
    pub name: NodePoolName,
    pub labels: BTreeMap<String, String>,
    pub requirements: Vec<NodeExpression>,
    pub taints: Vec<Taint>,
    /// Limits by resource name: `cpu`, `memory`, `nodes`.
    pub limits: BTreeMap<String, Quantity>,
    /// What its nodes add up to now, by resource name.
    pub usage: BTreeMap<String, Quantity>,
    pub node_class: NodeClassRef,
    pub consolidation_policy: String,
    /// A duration, or `Never`.
    pub consolidate_after: String,
    /// A duration, or `Never`.
    pub expire_after: String,
    pub budgets: Vec<NodePoolBudget>,
    /// How many nodes a static pool keeps, whether or not a pod waits; none for a pool that makes nodes for pods.
    pub replicas: Option<u32>,
    /// Conditions by type: whether each holds, and the message; one that is Unknown is left out.
    pub conditions: BTreeMap<String, (bool, String)>,
    pub deleted_at: Option<Timestamp>,
    /// Field managers of the spec.
    pub managers: Vec<String>,
}

/// How many nodes of a pool may be disrupted at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePoolBudget {
    /// A number, or a percentage.
    pub nodes: String,
    pub schedule: Option<String>,
    /// Empty means all reasons.
    pub reasons: Vec<String>,
}

/// What a NodePool refers to as its node class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeClassRef {
    pub group: String,
    pub kind: String,
    pub name: String,
}

/// A node class, as far as anyone but its provider can understand it.
#[derive(Clone, Debug)]
pub struct NodeClass {
    pub reference: NodeClassRef,
    pub exists: bool,
    /// The `Ready` condition; none when the class has no conditions.
    pub ready: Option<(bool, String)>,
    /// The most pods that a node of the class runs, where the class says so.
    pub max_pods: Option<u32>,
    /// Whether its nodes give whole cores to Guaranteed pods alone (`kubelet.cpuManagerPolicy: static`).
    pub has_static_cpus: bool,
}

impl NodePool {
    /// Whether a node of this pool can satisfy an expression: by the pool's name, its template labels, or
    /// its requirements. A key that the pool says nothing of is left to the provider, and counts as yes
    /// only where Karpenter decides it (well-known labels).
    #[must_use]
    pub fn can_satisfy(&self, expression: &NodeExpression) -> bool {
        let known = if expression.key == NODE_POOL_LABEL {
            Some(self.name.as_str())
        } else {
            self.labels.get(&expression.key).map(String::as_str)
        };
        if let Some(value) = known {
            return expression.matches(Some(value));
        }
        let own: Vec<&NodeExpression> =
            self.requirements.iter().filter(|own| own.key == expression.key).collect();
        if own.is_empty() {
            return match expression.operator.as_str() {
                "NotIn" | "DoesNotExist" => true,
                _ => is_well_known(&expression.key),
            };
        }
        // Some value that the template accepts must be one that the pool allows.
        match expression.operator.as_str() {
            "In" => expression.values.iter().any(|value| own.iter().all(|own| own.matches(Some(value)))),
            "DoesNotExist" => false,
            _ => match own.iter().find(|own| own.operator == "In") {
                Some(own) => own.values.iter().any(|value| expression.matches(Some(value))),
                None => true,
            },
        }
    }

    /// The one instance type that the pool is pinned to, if it is.
    #[must_use]
    pub fn pinned_instance_type(&self) -> Option<&str> {
        self.requirements.iter().find_map(|requirement| {
            let is_exact = requirement.key == "node.kubernetes.io/instance-type"
                || requirement.key == "karpenter.azure.com/sku-name";
            match requirement.values.as_slice() {
                [only] if is_exact && requirement.operator == "In" => Some(only.as_str()),
                _ => None,
            }
        })
    }
}

/// Labels that Karpenter or its provider puts on every node.
fn is_well_known(key: &str) -> bool {
    [
        "kubernetes.io/",
        "node.kubernetes.io/",
        "topology.kubernetes.io/",
        "karpenter.sh/",
        "karpenter.azure.com/",
        "karpenter.k8s.aws/",
        "topology.disk.csi.azure.com/",
    ]
    .iter()
    .any(|prefix| key.starts_with(prefix))
}
