//! What stands around the shards: budgets, services, storage, autoscalers.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::scheduling::NodeTerm;
use crate::domain::names::{ClaimName, PodName, VolumeName};
use crate::domain::quantity::Quantity;

/// A PodDisruptionBudget.
#[derive(Clone, Debug)]
pub struct DisruptionBudget {
    pub name: String,
    /// `matchLabels` of its selector; a selector with expressions is `has_expressions`.
    pub selector: BTreeMap<String, String>,
    pub has_expressions: bool,
    pub min_available: Option<String>,
    pub max_unavailable: Option<String>,
    /// `IfHealthyBudget` or `AlwaysAllow`.
    pub unhealthy_pod_eviction_policy: String,
    pub disruptions_allowed: i32,
    pub current_healthy: i32,
    pub desired_healthy: i32,
    pub expected_pods: i32,
    pub is_status_current: bool,
}

/// A Service and the endpoints behind it.
#[derive(Clone, Debug)]
pub struct Service {
    pub name: String,
    pub is_headless: bool,
    pub selector: BTreeMap<String, String>,
    pub publishes_not_ready: bool,
    /// `None` or `ClientIP`.
    pub session_affinity: String,
    pub ports: Vec<u16>,
    /// Pods behind it and whether each is served.
    pub endpoints: BTreeMap<PodName, Endpoint>,
}

/// One pod behind a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: String,
    pub is_ready: bool,
}

/// A PersistentVolumeClaim.
#[derive(Clone, Debug)]
pub struct Claim {
    pub name: ClaimName,
    /// `Bound`, `Pending` or `Lost`.
    pub phase: String,
    pub requested: Quantity,
    /// What the volume really has.
    pub capacity: Option<Quantity>,
    pub storage_class: Option<String>,
    pub volume: Option<VolumeName>,
    pub deleted_at: Option<Timestamp>,
}

/// A PersistentVolume.
#[derive(Clone, Debug)]
pub struct Volume {
    pub name: VolumeName,
    /// What a node must be to reach the volume; empty means any node does.
    pub node_terms: Vec<NodeTerm>,
    /// `Delete` or `Retain`.
    pub reclaim_policy: String,
}

/// A StorageClass.
#[derive(Clone, Debug)]
pub struct StorageClass {
    pub name: String,
    pub provisioner: String,
    pub waits_for_first_consumer: bool,
    /// `Delete` or `Retain`.
    pub reclaim_policy: String,
    /// What the provisioner is told: `skuName: Premium_LRS`.
    pub parameters: BTreeMap<String, String>,
}

/// The driver whose disks the catalogue of sizes speaks of.
pub const AZURE_DISK: &str = "disk.csi.azure.com";

impl StorageClass {
    /// Whether disks of this class can only be attached to machines that take premium disks.
    #[must_use]
    pub fn is_premium(&self) -> bool {
        self.provisioner == AZURE_DISK
            && self.parameters.iter().any(|(key, value)| {
                // The driver reads both names, in any case.
                ["skuname", "storageaccounttype"].contains(&key.to_ascii_lowercase().as_str())
                    && value.to_ascii_lowercase().starts_with("premium")
            })
    }
}

/// A VerticalPodAutoscaler that targets the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerticalAutoscaler {
    pub name: String,
    /// `Off`, `Initial`, `Recreate`, `InPlaceOrRecreate` or `Auto`.
    pub update_mode: String,
}
