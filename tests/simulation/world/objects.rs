//! What there is in the simulated cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Value, json};
use shardctl::domain::names::{NodeName, PodName, WorkloadRef};
use shardctl::domain::quantity::Quantity;
use shardctl::domain::rolling::{ExactPod, ObjectRef, SHARD_LABEL};
use shardctl::domain::snapshot::{NODE_POOL_LABEL, NodeExpression, NodeTerm, Taint, Toleration};

use crate::schedule::Ms;

pub const NAMESPACE: &str = "shop";
pub const WORKLOAD: &str = "shard";
/// The pool that the shards are on at first.
pub const EXPLORE: &str = "explore";
/// The pool that they migrate to.
pub const STABLE: &str = "stable";
pub const ZONE_LABEL: &str = "topology.kubernetes.io/zone";
pub const HOST_LABEL: &str = "kubernetes.io/hostname";
pub const BUDGETS_PATH: &str = "/spec/disruption/budgets";
pub const CORDON_PATH: &str = "/spec/unschedulable";
/// CPU of one shard, in thousandths.
pub const SHARD_CPU: i64 = 1000;

/// A moment as the API has it.
pub fn timestamp(at: Ms) -> Timestamp {
    let start = Timestamp::constant(1_795_341_600, 0);
    start + jiff::SignedDuration::from_millis(i64::try_from(at).unwrap_or(i64::MAX))
}

/// A moment in an object: the API server keeps whole seconds.
pub fn whole_second(at: Ms) -> Timestamp {
    timestamp(at - at % 1000)
}

/// A moment of the simulation.
pub fn ms(at: Timestamp) -> Ms {
    u64::try_from(at.duration_since(timestamp(0)).as_millis()).unwrap_or(0)
}

pub fn workload_ref() -> WorkloadRef {
    WorkloadRef { namespace: NAMESPACE.to_owned(), name: WORKLOAD.to_owned() }
}

pub fn set_ref() -> ObjectRef {
    ObjectRef::new("apps/v1", "StatefulSet", Some(NAMESPACE), WORKLOAD)
}

pub fn pool_ref(pool: &str) -> ObjectRef {
    ObjectRef::new("karpenter.sh/v1", "NodePool", None, pool)
}

pub fn node_ref(node: &NodeName) -> ObjectRef {
    ObjectRef::new("v1", "Node", None, node.as_str())
}

/// The disruption budget of the pods that are no shards.
pub fn budget_ref() -> ObjectRef {
    ObjectRef::new("policy/v1", "PodDisruptionBudget", Some(NAMESPACE), "others")
}

/// A pod, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodKey {
    Shard(u32),
    Place { shard: u32, attempt: u32 },
    Other(u32),
}

impl PodKey {
    pub fn name(self) -> PodName {
        PodName::new(match self {
            Self::Shard(ordinal) => format!("{WORKLOAD}-{ordinal}"),
            Self::Place { shard, attempt } => format!("{WORKLOAD}-place-{shard}-{attempt}"),
            Self::Other(index) => format!("other-{index}"),
        })
    }

    pub fn parse(name: &str) -> Option<Self> {
        let number = |text: &str| text.parse::<u32>().ok();
        if let Some(index) = name.strip_prefix("other-") {
            return Some(Self::Other(number(index)?));
        }
        let rest = name.strip_prefix(WORKLOAD)?.strip_prefix('-')?;
        match rest.strip_prefix("place-") {
            Some(place) => {
                let (shard, attempt) = place.split_once('-')?;
                Some(Self::Place { shard: number(shard)?, attempt: number(attempt)? })
            }
            None => Some(Self::Shard(number(rest)?)),
        }
    }
}

/// A pod.
#[derive(Clone, Debug)]
pub struct SimPod {
    pub key: PodKey,
    /// Unique among all pods that there ever were.
    pub serial: u64,
    pub uid: String,
    pub version: u64,
    pub created: Ms,
    pub ending: Option<Ms>,
    pub node: Option<NodeName>,
    pub scheduled: Option<Ms>,
    pub is_prepared: bool,
    pub is_started: bool,
    pub is_ready: bool,
    pub ready_changed: Option<Ms>,
    /// Why its container waits.
    pub waiting: Option<&'static str>,
    /// It failed as a whole (`status.phase`).
    pub has_ended: bool,
    pub revision: Option<String>,
    pub wants: Rc<Wants>,
    /// The zone of its volume.
    pub zone: Option<String>,
    pub unschedulable: Option<String>,
    /// How many pods its shard had before, since the simulation began.
    pub remake: u32,
    /// Whether it will never be Ready as it is.
    pub is_broken: bool,
}

impl SimPod {
    pub fn is_up(&self) -> bool {
        self.is_ready && self.ending.is_none()
    }

    pub fn exact(&self) -> ExactPod {
        ExactPod {
            namespace: NAMESPACE.to_owned(),
            name: self.key.name(),
            uid: self.uid.clone(),
            resource_version: self.version.to_string(),
        }
    }
}

/// What a pod wants of a node.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    pub terms: Vec<NodeTerm>,
    pub tolerations: Vec<Toleration>,
    /// In thousandths of a CPU.
    pub cpu: i64,
    pub images: BTreeSet<String>,
}

impl Wants {
    /// What the spec of a pod says.
    pub fn of(spec: &Value) -> Self {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let items = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let expression = |one: &Value| NodeExpression {
            // The name of a node is a field that is matched as its labels are.
            key: text(one, "key").map_or_else(String::new, |key| key.replace("metadata.name", HOST_LABEL)),
            operator: text(one, "operator").unwrap_or_default(),
            values: items(one.get("values")).iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        };
        let terms = spec.pointer(
            "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms",
        );
        let toleration = |one: &Value| Toleration {
            key: text(one, "key"),
            operator: text(one, "operator").unwrap_or_else(|| "Equal".to_owned()),
            value: text(one, "value"),
            effect: text(one, "effect"),
        };
        let containers = items(spec.get("containers"));
        let cpu = |container: &Value| {
            let cpu = container.pointer("/resources/requests/cpu").and_then(Value::as_str);
            cpu.and_then(|cpu| cpu.parse::<Quantity>().ok()).map_or(0, Quantity::as_milli)
        };
        let volumes = items(spec.get("volumes"));
        let from_volumes = volumes.iter().filter_map(|volume| volume.pointer("/image/reference")?.as_str());
        let init = items(spec.get("initContainers"));
        let from_containers = containers.iter().chain(&init).filter_map(|one| one.get("image")?.as_str());
        Self {
            terms: items(terms)
                .iter()
                .map(|term| {
                    let lists = ["matchExpressions", "matchFields"];
                    lists.iter().flat_map(|list| items(term.get(list))).map(|one| expression(&one)).collect()
                })
                .collect(),
            tolerations: items(spec.get("tolerations")).iter().map(toleration).collect(),
            cpu: containers.iter().map(cpu).sum(),
            images: from_volumes
                .chain(from_containers)
                .filter(|image| image.starts_with("app:"))
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// The shard that a placeholder keeps a place for, and the process that made it.
pub fn placeholder_key(object: &Value) -> Option<PodKey> {
    object.pointer("/metadata/labels")?.get(SHARD_LABEL)?;
    PodKey::parse(object.pointer("/metadata/name")?.as_str()?)
}

/// A node. Its JSON object, which others patch, is among the objects of the world.
#[derive(Clone, Debug)]
pub struct SimNode {
    pub name: NodeName,
    pub pool: &'static str,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
    pub cpu: i64,
    pub created: Ms,
    pub images: BTreeSet<String>,
}

impl SimNode {
    pub fn new(name: &str, pool: &'static str, zone: &str, cpu: i64, created: Ms) -> Self {
        Self {
            name: NodeName::new(name),
            pool,
            labels: node_labels(name, pool, zone),
            taints: taints_of(pool),
            cpu,
            created,
            images: BTreeSet::new(),
        }
    }

    pub fn object(&self, version: u64) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": self.name, "resourceVersion": version.to_string()},
            "spec": {},
        })
    }
}

pub fn node_labels(name: &str, pool: &str, zone: &str) -> BTreeMap<String, String> {
    [(NODE_POOL_LABEL, pool), (ZONE_LABEL, zone), (HOST_LABEL, name)]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The stable pool is for those who say so.
pub fn taints_of(pool: &str) -> Vec<Taint> {
    let taint = Taint { key: "shards".to_owned(), value: "only".to_owned(), effect: "NoSchedule".to_owned() };
    if pool == STABLE { vec![taint] } else { Vec::new() }
}

pub fn pool_object(pool: &str, nodes: &str, version: u64) -> Value {
    json!({
        "apiVersion": "karpenter.sh/v1", "kind": "NodePool",
        "metadata": {"name": pool, "resourceVersion": version.to_string()},
        "spec": {"disruption": {"consolidateAfter": "Never", "budgets": [{"nodes": nodes}]}},
    })
}

/// A template of shards: the image, and where they may be.
pub fn template(image: &str, pool: Option<&str>) -> Value {
    let mut spec = json!({
        "containers": [{
            "name": "shard", "image": image,
            "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}},
        }],
    });
    if let Some(pool) = pool {
        spec["affinity"] = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [
                {"key": NODE_POOL_LABEL, "operator": "In", "values": [pool]}]}]}}});
    }
    json!({"metadata": {"labels": {"app": WORKLOAD}}, "spec": spec})
}

/// A template that the controller knows.
#[derive(Clone, Debug)]
pub struct Revision {
    pub name: String,
    pub object: Value,
    pub wants: Rc<Wants>,
}

/// The StatefulSet, apart from its JSON object.
#[derive(Clone, Debug)]
pub struct SimSet {
    pub uid: String,
    pub generation: u64,
    /// What the controller has taken note of: the generation, the template and the replicas of it.
    pub observed: u64,
    pub known: usize,
    pub known_replicas: u32,
    /// All templates that there were, each with its revision.
    pub revisions: Vec<Revision>,
}
