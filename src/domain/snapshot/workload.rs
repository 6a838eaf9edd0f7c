//! The StatefulSet and its template.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::node::{Node, NodePool};
use super::scheduling::{AntiAffinity, NodeTerm, SpreadConstraint, Taint, Toleration, any_term_matches};
use crate::domain::names::WorkloadRef;
use crate::domain::quantity::{Quantity, Resources};

/// The annotation that keeps Karpenter from disrupting a pod of its own will.
pub const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";

/// The StatefulSet.
#[derive(Clone, Debug)]
pub struct Workload {
    pub reference: WorkloadRef,
    pub uid: String,
    pub resource_version: String,
    /// Shards that there should be.
    pub replicas: u32,
    /// Whether status speaks of the current spec.
    pub is_status_current: bool,
    pub ready_replicas: u32,
    pub current_revision: String,
    /// The revision that a shard gets when its pod is made anew.
    pub update_revision: String,
    /// `OnDelete` or `RollingUpdate`.
    pub update_strategy: String,
    /// `Parallel` or `OrderedReady`.
    pub pod_management_policy: String,
    /// The headless service that the workload names.
    pub service_name: String,
    /// Names of the claim templates.
    pub claim_templates: Vec<ClaimTemplate>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// `matchLabels` of the selector.
    pub selector: BTreeMap<String, String>,
    /// Field managers of the spec, except those that write status only.
    pub managers: Vec<String>,
    pub template: PodTemplate,
}

/// A claim template of the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimTemplate {
    pub name: String,
    pub size: Quantity,
    pub storage_class: Option<String>,
}

/// What new shards will look like.
#[derive(Clone, Debug, Default)]
pub struct PodTemplate {
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// Seconds a pod is given to end.
    pub termination_grace_period_seconds: i64,
    pub priority_class: Option<String>,
    pub tolerations: Vec<Toleration>,
    /// What a node must be: `nodeSelector` and the required node affinity, as alternatives.
    pub node_terms: Vec<NodeTerm>,
    pub spread: Vec<SpreadConstraint>,
    /// Required pod anti-affinity; what is merely preferred keeps nothing from being placed.
    pub anti_affinity: Vec<AntiAffinity>,
    /// Whether it requires other pods near it (required pod affinity).
    pub needs_company: bool,
    /// Containers in order; init containers left out.
    pub containers: Vec<Container>,
    /// Requests of one pod as the scheduler counts them: containers, sidecars, init containers, overhead.
    pub requests: Resources,
    /// The template as the API server has it, with everything that has no name here.
    pub object: serde_json::Value,
}

/// A container of the template.
#[derive(Clone, Debug, Default)]
pub struct Container {
    pub name: String,
    pub image: String,
    pub requests: BTreeMap<String, Quantity>,
    pub limits: BTreeMap<String, Quantity>,
    pub ports: Vec<ContainerPort>,
    pub startup: Option<HttpProbe>,
    pub readiness: Option<HttpProbe>,
    pub has_startup_probe: bool,
    pub has_readiness_probe: bool,
    pub has_liveness_probe: bool,
    /// Seconds that a preStop hook sleeps, where it says so in the API's own words.
    pub pre_stop_sleep_seconds: Option<i64>,
}

/// A port that a container declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    pub name: Option<String>,
    pub port: u16,
}

/// An HTTP probe with its port resolved to a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HttpProbe {
    pub port: u16,
    pub path: String,
}

impl PodTemplate {
    /// Whether a node that `pool` makes could carry a pod of this template.
    #[must_use]
    pub fn can_be_placed_on(&self, pool: &NodePool) -> bool {
        let tolerated = pool
            .taints
            .iter()
            .filter(|taint| taint.effect != "PreferNoSchedule")
            .all(|taint| self.tolerates(taint));
        let matches = self.node_terms.is_empty()
            || self.node_terms.iter().any(|term| term.iter().all(|expression| pool.can_satisfy(expression)));
        tolerated && matches
    }

    /// Whether a node may carry a pod of this template, by its labels and its taints; what it has room for, and whether
    /// it is cordoned, are other questions.
    #[must_use]
    pub fn can_be_placed_on_node(&self, node: &Node) -> bool {
        let is_kept_out = node
            .taints
            .iter()
            .filter(|taint| {
                taint.effect != "PreferNoSchedule" && !taint.key.starts_with("node.kubernetes.io/")
            })
            .any(|taint| !self.tolerates(taint));
        !is_kept_out && any_term_matches(&self.node_terms, &node.labels)
    }

    /// Whether pods of this template tolerate `taint`.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations.iter().any(|toleration| toleration.tolerates(taint))
    }
}
