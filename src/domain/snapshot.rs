//! What is known of a sharded service and the cluster around it at one moment.
//!
//! A snapshot is already old when it is looked at. Nothing may be deleted or changed on the strength of
//! one alone: a write carries the uid and resourceVersion that it was decided on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::names::{ClaimName, NodeName, NodePoolName, PodName, VolumeName, WorkloadRef};
use super::quantity::{Quantity, Resources};

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
    /// Containers in order; init containers left out.
    pub containers: Vec<Container>,
    /// Requests of one pod as the scheduler counts them: containers, sidecars, init containers, overhead.
    pub requests: Resources,
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct HttpProbe {
    pub port: u16,
    pub path: String,
}

/// A toleration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toleration {
    pub key: Option<String>,
    /// `Exists` or `Equal`.
    pub operator: String,
    pub value: Option<String>,
    /// None tolerates every effect.
    pub effect: Option<String>,
}

/// One alternative of what a node must be: all expressions together.
pub type NodeTerm = Vec<NodeExpression>;

/// One expression over a node's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeExpression {
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`, `Gte` or `Lte`.
    pub operator: String,
    pub values: Vec<String>,
}

/// A topology spread constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpreadConstraint {
    pub topology_key: String,
    pub max_skew: i32,
    /// `DoNotSchedule` or `ScheduleAnyway`.
    pub when_unsatisfiable: String,
}

/// One shard: an ordinal, and the pod that holds it if there is one.
#[derive(Clone, Debug)]
pub struct Shard {
    pub ordinal: u32,
    /// The name that the shard's pod has, or will have.
    pub pod_name: PodName,
    pub pod: Option<Pod>,
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
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    pub phase: String,
    /// `Guaranteed`, `Burstable` or `BestEffort`.
    pub qos_class: String,
    /// The StatefulSet revision that the pod was made from.
    pub revision: Option<String>,
    /// The pod's own IP address.
    pub ip: Option<String>,
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
}

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
/// The annotation that keeps Karpenter from disrupting a pod of its own will.
pub const DO_NOT_DISRUPT: &str = "karpenter.sh/do-not-disrupt";

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    pub key: String,
    pub value: String,
    pub effect: String,
}

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
}

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
}

/// A VerticalPodAutoscaler that targets the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerticalAutoscaler {
    pub name: String,
    /// `Off`, `Initial`, `Recreate`, `InPlaceOrRecreate` or `Auto`.
    pub update_mode: String,
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

impl Pod {
    /// Whether the pod serves: Ready, and not asked to end.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.is_ready && self.deleted_at.is_none()
    }
}

impl Shard {
    /// Whether the shard has a pod that is Ready and not asked to end.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.pod.as_ref().is_some_and(Pod::is_up)
    }
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

    /// Whether pods of this template tolerate `taint`.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations.iter().any(|toleration| toleration.tolerates(taint))
    }
}

impl Toleration {
    /// Kubernetes' rule: key, value and effect match, and what is left out matches anything.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let key = self.key.as_deref().unwrap_or_default();
        if self.effect.as_ref().is_some_and(|effect| !effect.is_empty() && *effect != taint.effect) {
            return false;
        }
        if !key.is_empty() && key != taint.key {
            return false;
        }
        match self.operator.as_str() {
            "Exists" => true,
            _ => !key.is_empty() && self.value.as_deref().unwrap_or_default() == taint.value,
        }
    }
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

impl NodeExpression {
    /// Kubernetes' rule for one expression against a label's value, or against its absence.
    #[must_use]
    pub fn matches(&self, value: Option<&str>) -> bool {
        let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
        let bound = number(self.values.first().map(String::as_str));
        let compare = |holds: fn(i64, i64) -> bool| match (number(value), bound) {
            (Some(value), Some(bound)) => holds(value, bound),
            _ => false,
        };
        match self.operator.as_str() {
            "In" => value.is_some_and(|value| self.values.iter().any(|one| one == value)),
            "NotIn" => value.is_none_or(|value| self.values.iter().all(|one| one != value)),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            "Gt" => compare(|value, bound| value > bound),
            "Lt" => compare(|value, bound| value < bound),
            "Gte" => compare(|value, bound| value >= bound),
            "Lte" => compare(|value, bound| value <= bound),
            _ => false,
        }
    }
}

/// Whether labels satisfy one of the alternatives; no alternatives are satisfied by anything.
#[must_use]
pub fn any_term_matches(terms: &[NodeTerm], labels: &BTreeMap<String, String>) -> bool {
    terms.is_empty()
        || terms.iter().any(|term| {
            term.iter().all(|expression| expression.matches(labels.get(&expression.key).map(String::as_str)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(key: &str, operator: &str, values: &[&str]) -> NodeExpression {
        NodeExpression {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: values.iter().map(ToString::to_string).collect(),
        }
    }

    fn taint(key: &str, value: &str, effect: &str) -> Taint {
        Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() }
    }

    #[test]
    fn tolerations_follow_kubernetes() {
        let reserved = taint("biometric", "reserved", "NoSchedule");
        let toleration = |key: &str, operator: &str, value: &str, effect: &str| Toleration {
            key: Some(key.to_owned()),
            operator: operator.to_owned(),
            value: Some(value.to_owned()),
            effect: Some(effect.to_owned()),
        };
        assert!(toleration("biometric", "Equal", "reserved", "NoSchedule").tolerates(&reserved));
        assert!(toleration("biometric", "Equal", "reserved", "").tolerates(&reserved));
        assert!(toleration("biometric", "Exists", "", "NoSchedule").tolerates(&reserved));
        assert!(toleration("", "Exists", "", "").tolerates(&reserved));
        assert!(!toleration("biometric", "Equal", "other", "NoSchedule").tolerates(&reserved));
        assert!(!toleration("biometric", "Equal", "reserved", "NoExecute").tolerates(&reserved));
        assert!(!toleration("", "Equal", "reserved", "").tolerates(&reserved));
    }

    #[test]
    fn expressions_follow_kubernetes() {
        for (operator, values, value, expected) in [
            ("In", &["a", "b"][..], Some("b"), true),
            ("In", &["a"], None, false),
            ("NotIn", &["a"], None, true),
            ("NotIn", &["a"], Some("a"), false),
            ("Exists", &[], Some(""), true),
            ("DoesNotExist", &[], Some(""), false),
            ("Gt", &["7"], Some("8"), true),
            ("Gt", &["8"], Some("8"), false),
            ("Lte", &["8"], Some("8"), true),
            ("Lt", &["8"], Some("many"), false),
        ] {
            assert_eq!(
                expression("k", operator, values).matches(value),
                expected,
                "{operator} {values:?} {value:?}"
            );
        }
    }

    #[test]
    fn a_template_fits_the_pools_that_its_affinity_and_tolerations_allow() {
        let stable = NodePool {
            name: NodePoolName::new("stable"),
            labels: BTreeMap::from([("nodepool".to_owned(), "biometric-stable".to_owned())]),
            taints: vec![taint("biometric", "reserved", "NoSchedule")],
            requirements: vec![expression("node.kubernetes.io/instance-type", "In", &["Standard_E16s_v5"])],
            ..NodePool::default()
        };
        let mut template = PodTemplate::default();
        assert!(!template.can_be_placed_on(&stable), "the taint is not tolerated");
        template.tolerations = vec![Toleration { operator: "Exists".to_owned(), ..Toleration::default() }];
        assert!(template.can_be_placed_on(&stable));
        for (term, expected) in [
            (expression(NODE_POOL_LABEL, "In", &["stable"]), true),
            (expression(NODE_POOL_LABEL, "In", &["explore"]), false),
            (expression("nodepool", "In", &["biometric-stable"]), true),
            (expression("node.kubernetes.io/instance-type", "In", &["Standard_E8s_v5"]), false),
            (expression("topology.kubernetes.io/zone", "In", &["eastus-1"]), true),
            (expression("example.com/unheard-of", "Exists", &[]), false),
        ] {
            template.node_terms = vec![vec![term.clone()]];
            assert_eq!(template.can_be_placed_on(&stable), expected, "{term:?}");
        }
        assert_eq!(stable.pinned_instance_type(), Some("Standard_E16s_v5"));
    }
}
