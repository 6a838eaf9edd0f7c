//! What was read: the autoscalers of a workload, what they are made of, and what each shard uses now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::names::{PodName, WorkloadRef};
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::snapshot::{Container, Part, Unknown};

/// One of the two resources that are requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    Cpu,
    Memory,
}

impl Resource {
    pub const BOTH: [Self; 2] = [Self::Cpu, Self::Memory];

    /// Its name in a list of resources.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }

    /// Its amount among `resources`.
    #[must_use]
    pub fn of(self, resources: Resources) -> Quantity {
        match self {
            Self::Cpu => resources.cpu,
            Self::Memory => resources.memory,
        }
    }

    /// Its word in a sentence.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "memory",
        }
    }
}

/// A quantity as the autoscaler wrote it, which need not be one: `NaN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    Known(Quantity),
    Unreadable(String),
}

impl Amount {
    /// Reads what stands in an object.
    #[must_use]
    pub fn read(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Unreadable(text.to_owned()), Self::Known)
    }

    /// The quantity, where it is one.
    #[must_use]
    pub fn known(&self) -> Option<Quantity> {
        match self {
            Self::Known(quantity) => Some(*quantity),
            Self::Unreadable(_) => None,
        }
    }
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(quantity) => quantity.fmt(f),
            Self::Unreadable(text) => f.pad(text),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Amounts by resource; one that is not there has no entry.
pub type Amounts = BTreeMap<Resource, Amount>;

/// What the autoscaler recommends for a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// Within what the policy allows.
    pub target: Amounts,
    /// By usage alone.
    pub uncapped: Amounts,
    pub lower: Amounts,
    pub upper: Amounts,
}

/// What the autoscaler's policy says of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether the container gets no recommendation (`mode: Off`).
    pub is_off: bool,
    pub min_allowed: Amounts,
    pub max_allowed: Amounts,
}

/// The name of the policy for containers that have none of their own.
pub const ANY_CONTAINER: &str = "*";

/// What the recommender has seen of a container of all shards, from its checkpoint. Times and count are those of CPU
/// samples (`AggregateContainerState` in vertical-pod-autoscaler 1.7.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub first_sample: Option<Timestamp>,
    pub last_sample: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    /// Of all shards together.
    pub samples: u64,
    /// The most that any shard has used, to the upper end of the histogram's bucket, which is at most 5% more; of the last
    /// days, for older samples lose their weight. The memory of a shard's current 24 hours is not in it.
    pub peak: BTreeMap<Resource, Quantity>,
}

/// A condition of the autoscaler's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `RecommendationProvided`, `NoPodsMatched` ...
    pub kind: String,
    pub holds: bool,
    pub since: Option<Timestamp>,
    pub message: String,
}

/// A VerticalPodAutoscaler that targets the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Autoscaler {
    pub name: String,
    /// `Off`, `Initial`, `Recreate`, `InPlaceOrRecreate`, `InPlace` or `Auto`.
    pub update_mode: String,
    pub created_at: Option<Timestamp>,
    /// The recommender that it wants instead of the default one.
    pub recommender: Option<String>,
    /// By container; [`ANY_CONTAINER`] for the others.
    pub policies: BTreeMap<String, Policy>,
    pub conditions: Vec<Condition>,
    /// By container.
    pub advice: BTreeMap<String, Advice>,
    /// Its checkpoints by container; an error where they could not be read.
    pub history: Part<BTreeMap<String, History>>,
}

impl Autoscaler {
    /// The policy for a container, where there is one.
    #[must_use]
    pub fn policy(&self, container: &str) -> Option<&Policy> {
        self.policies.get(container).or_else(|| self.policies.get(ANY_CONTAINER))
    }

    /// A condition that holds.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind && condition.holds)
    }
}

/// The autoscalers of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Autoscalers {
    /// The cluster does not know the kind.
    NoApi,
    /// By name.
    Found(Vec<Autoscaler>),
    Unknown(Unknown),
}

/// The last time that a container was killed for want of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kill {
    pub at: Option<Timestamp>,
    /// Restarts of the container for whatever reason.
    pub restarts: u32,
    /// The limit that it was killed at.
    pub limit: Option<Quantity>,
}

/// One shard, as far as its size goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardUse {
    pub ordinal: u32,
    /// What each container uses now; empty when the metrics API has nothing of the pod.
    pub used: BTreeMap<String, Resources>,
    /// By container.
    pub killed: BTreeMap<String, Kill>,
}

/// Everything that a report rests on.
#[derive(Clone, Debug)]
pub struct Observed {
    pub taken_at: Timestamp,
    pub workload: WorkloadRef,
    /// The containers of the template.
    pub containers: Vec<Container>,
    /// What one pod requests, as the scheduler counts.
    pub requests: Resources,
    pub autoscalers: Autoscalers,
    /// By ordinal.
    pub shards: Vec<ShardUse>,
    /// Why nobody knows what shards use.
    pub usage_unknown: Option<Unknown>,
}

impl Observed {
    /// The name of a shard's pod.
    #[must_use]
    pub fn pod(&self, ordinal: u32) -> PodName {
        PodName::new(format!("{}-{ordinal}", self.workload.name))
    }
}
