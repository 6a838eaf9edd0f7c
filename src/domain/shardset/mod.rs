//! The ShardSet: the one description of a sharded service that a person writes.
//!
//! The doc comments of these types are the comments in the file that `shardctl init` writes and the
//! descriptions in the published JSON Schema, so they are written for the operator.

mod adopt;
mod commented;
mod duration;
pub mod manifests;
mod parse;
mod pin;
mod resize;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use adopt::{Adoptable, adopt};
pub use commented::to_commented_yaml;
pub use duration::{Period, Span};
pub use parse::{ParseError, parse};
pub use pin::repinned;
pub use resize::resized;

use super::names::DnsLabel;
use super::quantity::Quantity;

/// The API version of the ShardSet file.
pub const API_VERSION: &str = "shardctl.dev/v1alpha1";

/// A sharded stateful service: one StatefulSet of which every shard must be up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShardSet {
    pub api_version: ApiVersion,
    pub kind: Kind,
    pub metadata: Metadata,
    pub spec: Spec,
}

/// The only API version there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum ApiVersion {
    #[default]
    #[serde(rename = "shardctl.dev/v1alpha1")]
    V1alpha1,
}

/// The only kind there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Kind {
    #[default]
    ShardSet,
}

/// What the service is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Metadata {
    /// Name of the StatefulSet: shard 3 of `name: shard` is the pod shard-3.
    pub name: DnsLabel,
    /// Namespace of everything but the node pools and the priority class.
    pub namespace: DnsLabel,
}

/// What the service is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Spec {
    /// Number of shards. It is fixed: a shard holds its own part of the data.
    #[serde(deserialize_with = "parse::at_least_one")]
    #[schemars(range(min = 1, max = 10000))]
    pub replicas: u32,
    /// How many shards must be up for the service to be up: all, or a number.
    #[serde(default)]
    pub availability: Availability,
    /// Labels that pods of this service carry and no others do. Left out: the name and component=shard.
    /// It cannot change once the StatefulSet is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<BTreeMap<String, String>>,
    /// One shard.
    pub shard: Shard,
    /// The volume that each shard keeps its data on.
    pub storage: Storage,
    /// The names under which shards are reached.
    pub services: Services,
    /// Priority of the shards over other pods.
    pub priority: Priority,
    /// The machines.
    pub nodes: Nodes,
    /// How shards are moved, unless the command line says otherwise.
    #[serde(default, skip_serializing_if = "Rolling::is_empty")]
    pub rolling: Rolling,
    /// Pod fields that have no name here, merged into what is rendered (JSON merge patch, RFC 7386).
    #[serde(default, skip_serializing_if = "Overlay::is_empty")]
    pub overlay: Overlay,
}

/// How many shards must be up for the service to be up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "write all, or the number of shards that must be up")]
#[schemars(inline)]
pub enum Availability {
    /// Every shard.
    All(All),
    /// At least so many.
    AtLeast(u32),
}

/// The word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum All {
    All,
}

impl Default for Availability {
    fn default() -> Self {
        Self::All(All::All)
    }
}

impl Availability {
    /// How many of `replicas` shards must be up.
    #[must_use]
    pub fn required(self, replicas: u32) -> u32 {
        match self {
            Self::All(All::All) => replicas,
            Self::AtLeast(shards) => shards,
        }
    }
}

/// One shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Shard {
    /// Name of the container. Left out: shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// Image with a tag that never moves, or with a digest. Never :latest.
    pub image: String,
    /// CPU, requested and limited alike (QoS class Guaranteed).
    #[serde(deserialize_with = "parse::positive")]
    pub cpu: Quantity,
    /// Memory, requested and limited alike.
    #[serde(deserialize_with = "parse::positive")]
    pub memory: Quantity,
    /// Port that the shard serves HTTP on.
    #[schemars(range(min = 1))]
    #[serde(deserialize_with = "parse::port")]
    pub port: u16,
    /// The shard's own word on its health.
    #[serde(default)]
    pub health: Health,
    /// User that the shard runs as, and that owns its volume. Never root.
    #[serde(deserialize_with = "parse::user")]
    #[schemars(range(min = 1))]
    pub run_as_user: u32,
    /// Environment variables, beside POD_NAME, POD_NAMESPACE and SERVICE_NAME.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Time between "stop serving" and the signal to end, for requests that are under way.
    pub pre_stop_sleep: Span,
    /// Time a shard is given to end, preStopSleep included. Zero would let two copies write one disk.
    pub termination_grace_period: Span,
}

/// Paths that answer 200 when the shard is well. A liveness probe is left out on purpose: it would
/// restart a slow shard, and one shard down is the service down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Health {
    /// Path that answers 200 once the shard has loaded its data.
    pub startup_path: String,
    /// Path that answers 200 while the shard can serve.
    pub readiness_path: String,
    /// Longest time to load the data before the kubelet restarts the shard.
    pub startup_timeout: Span,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            startup_path: "/health/startup".to_owned(),
            readiness_path: "/health/readiness".to_owned(),
            startup_timeout: Span::minutes(10),
        }
    }
}

/// The volume that each shard keeps its data on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Storage {
    /// Name of the claim template: the claim of shard 3 is CLAIM-NAME-3.
    pub claim_name: DnsLabel,
    /// Size of the volume.
    #[serde(deserialize_with = "parse::positive")]
    pub size: Quantity,
    /// Storage class. It must bind on first use (WaitForFirstConsumer).
    pub storage_class_name: String,
    /// Where the shard sees the volume.
    pub mount_path: String,
}

/// The names under which shards are reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Services {
    /// Headless service: gives each shard its stable name, ready or not.
    pub headless: DnsLabel,
    /// Service for clients: reaches ready shards only.
    pub client: DnsLabel,
    /// Port of the client service.
    #[schemars(range(min = 1))]
    #[serde(deserialize_with = "parse::port")]
    pub client_port: u16,
    /// None spreads a client's requests over the shards, ClientIP keeps a client at one shard.
    pub session_affinity: SessionAffinity,
}

/// Whether a client stays at one shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum SessionAffinity {
    #[default]
    None,
    #[serde(rename = "ClientIP")]
    ClientIp,
}

/// Priority of the shards over other pods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Priority {
    /// Name of the PriorityClass, made with this value when it is not there.
    pub class_name: DnsLabel,
    /// Higher goes first and may preempt lower.
    #[schemars(range(max = 1_000_000_000))]
    pub value: i32,
}

/// The machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Nodes {
    /// Where Karpenter finds what all its machines have in common (image, network).
    pub node_class_ref: NodeClassRef,
    /// Phase explore: broad families, to find out which machine fits.
    pub explore: Pool,
    /// Phase stable: one exact instance type, tainted, with limits that leave room to replace a node.
    pub stable: Pool,
}

/// A reference to a node class of Karpenter's provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct NodeClassRef {
    pub group: String,
    pub kind: String,
    pub name: String,
}

/// A Karpenter NodePool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Pool {
    /// Name of the NodePool.
    pub name: DnsLabel,
    /// Exact instance types. The stable pool has one: only that is a pin, and what a reservation covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instance_types: Vec<String>,
    /// What a machine must be, in Karpenter's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<Requirement>,
    /// The most that the pool may grow to. The stable pool needs all its nodes and one more, to replace one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Taints that keep other pods away; the shards tolerate them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// When an empty node goes: a time, or Never. A node with a shard on it never goes by itself.
    pub consolidate_after: Period,
    /// Age at which a node is replaced even with a shard on it: a time, or Never.
    pub expire_after: Period,
}

/// The most that a pool may grow to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Limits {
    pub cpu: Quantity,
    pub memory: Quantity,
}

/// One requirement of a NodePool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Requirement {
    pub key: String,
    pub operator: Operator,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
    Gte,
    Lte,
}

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Taint {
    pub key: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    pub effect: TaintEffect,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum TaintEffect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

/// How shards are moved by migrate, upgrade and drain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Rolling {
    /// One after the other, or one first and then all others at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RollingStrategy>,
    /// How long the whole service must have been up before the next wave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle: Option<Span>,
    /// No wave starts whose outage is forecast to be longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_outage: Option<Span>,
    /// No wave starts with which all outages of a run are forecast to be longer together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total_outage: Option<Span>,
}

impl Rolling {
    fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// How many shards go down together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum RollingStrategy {
    /// One after the other: n outages for n shards
    OneByOne,
    /// One shard proves the place and the template, then all others at once: two outages
    Canary,
}

/// Pod fields that have no name in a ShardSet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct Overlay {
    /// Merged into the pod's spec.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub pod: Map<String, Value>,
    /// Merged into the shard's container.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub container: Map<String, Value>,
    /// Merged into the pod's annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Overlay {
    fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// Which of the two node pools the shards belong on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// A broad node pool: find out which machine fits
    Explore,
    /// One pinned instance type, tainted, no voluntary disruption
    Stable,
}

impl Phase {
    /// The word for it in files, labels and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Explore => "explore",
            Self::Stable => "stable",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl ShardSet {
    /// The node pool of a phase.
    #[must_use]
    pub fn pool(&self, phase: Phase) -> &Pool {
        match phase {
            Phase::Explore => &self.spec.nodes.explore,
            Phase::Stable => &self.spec.nodes.stable,
        }
    }

    /// Gives the service and everything named after it another name.
    pub fn rename(&mut self, name: &DnsLabel) {
        let part = |suffix: &str| -> DnsLabel {
            let room = DnsLabel::MAX_LENGTH - suffix.len();
            let stem = name.as_str().get(..room).unwrap_or(name.as_str()).trim_end_matches('-');
            format!("{stem}{suffix}").parse().unwrap_or_else(|_| name.clone())
        };
        self.metadata.namespace = part("");
        self.spec.storage.claim_name = part("-data");
        self.spec.services.headless = part("-headless");
        self.spec.services.client = part("");
        self.spec.priority.class_name = part("-critical");
        self.spec.nodes.explore.name = part("-explore");
        self.spec.nodes.stable.name = part("-stable");
        for taint in &mut self.spec.nodes.stable.taints {
            name.as_str().clone_into(&mut taint.key);
        }
        self.metadata.name = name.clone();
    }

    /// The tutorial's system, with its defects mended: ten shards of 4 CPU and 32Gi, a 100Gi volume each.
    ///
    /// # Panics
    /// Never: the literals are checked by a test.
    #[must_use]
    pub fn tutorial() -> Self {
        let yaml = include_str!("tutorial.yaml");
        parse(yaml).unwrap_or_else(|error| unreachable!("the built-in ShardSet is valid: {error}"))
    }
}

/// The JSON Schema of the ShardSet file, as published in `docs/shardset.schema.json`.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(ShardSet).to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("$id".to_owned(), Value::from("https://shardctl.dev/schema/v1alpha1/shardset.json"));
    }
    schema
}
