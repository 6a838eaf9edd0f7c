//! What a decision is made on: the service as it was last seen, and what its shards said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::names::{NodeName, NodePoolName, PodName};
use crate::domain::snapshot::{Node, Pod, Snapshot, Workload};

/// The service as it was last seen. It is already old: what is deleted on the strength of it is named by uid and
/// resourceVersion, so that the server refuses if it is another by now.
#[derive(Clone, Debug)]
pub struct Observed {
    pub at: Timestamp,
    /// None when the StatefulSet is gone.
    pub workload: Option<Workload>,
    /// The pods of the workload by ordinal.
    pub pods: BTreeMap<u32, Pod>,
    /// The nodes that carry shards or placeholders, as far as they are known.
    pub nodes: BTreeMap<NodeName, Node>,
    /// The placeholders of the run, by the ordinal of the shard that each keeps a place for.
    pub placeholders: BTreeMap<u32, Placeholder>,
    /// What the cluster complains of, by the uid of the pod.
    pub warnings: BTreeMap<String, Vec<Warning>>,
    /// How long images took to be pulled, by the uid of the pod and the container. One that was there took no time.
    pub pulls: BTreeMap<String, BTreeMap<String, Duration>>,
    /// Since when new pods answer what their probes ask, by uid, where clients find them before they are Ready.
    pub answering: BTreeMap<String, Timestamp>,
    /// Until when pods that were asked to end have answered, by uid, where clients find them until they are gone.
    pub answered_until: BTreeMap<String, Timestamp>,
    /// Pods that are no shards, on the nodes that are emptied.
    pub others: BTreeMap<String, OtherPod>,
}

impl Observed {
    /// Nothing, seen at this time.
    #[must_use]
    pub fn nothing(at: Timestamp) -> Self {
        Self {
            at,
            workload: None,
            pods: BTreeMap::new(),
            nodes: BTreeMap::new(),
            placeholders: BTreeMap::new(),
            warnings: BTreeMap::new(),
            pulls: BTreeMap::new(),
            answering: BTreeMap::new(),
            answered_until: BTreeMap::new(),
            others: BTreeMap::new(),
        }
    }

    /// What a snapshot tells, seen at this time.
    #[must_use]
    pub fn of(snapshot: &Snapshot, at: Timestamp) -> Self {
        let pods = snapshot.shards.iter().filter_map(|shard| Some((shard.ordinal, shard.pod.clone()?)));
        Self {
            workload: Some(snapshot.workload.clone()),
            pods: pods.collect(),
            nodes: snapshot.nodes.clone().unwrap_or_default(),
            ..Self::nothing(at)
        }
    }

    /// How long the images of a pod took to be pulled, one after the other; none while nobody has said.
    #[must_use]
    pub fn pull_of(&self, uid: &str) -> Option<Duration> {
        Some(self.pulls.get(uid)?.values().sum())
    }

    /// How many shards there should be.
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.workload.as_ref().map_or(0, |workload| workload.replicas)
    }

    /// The shards that are not up: no pod, not Ready, or asked to end.
    #[must_use]
    pub fn down(&self) -> BTreeSet<u32> {
        (0..self.replicas()).filter(|ordinal| !self.pods.get(ordinal).is_some_and(Pod::is_up)).collect()
    }

    /// The shards that have no pod, or one that has ended, because one of these is not up: a set that is OrderedReady makes
    /// none before those below it are Ready.
    #[must_use]
    pub fn held_up_by(&self, broken: &BTreeSet<u32>) -> BTreeSet<u32> {
        let is_ordered =
            self.workload.as_ref().is_some_and(|one| one.pod_management_policy == "OrderedReady");
        match broken.first().filter(|_| is_ordered) {
            Some(lowest) => (lowest + 1..self.replicas())
                .filter(|ordinal| self.pods.get(ordinal).is_none_or(Pod::has_ended))
                .collect(),
            None => BTreeSet::new(),
        }
    }

    /// The pool of the node that a pod is on; none while either is not known.
    #[must_use]
    pub fn pool_of(&self, pod: &Pod) -> Option<NodePoolName> {
        self.nodes.get(pod.node.as_ref()?)?.node_pool()
    }
}

/// A pod, as it was when it was decided on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExactPod {
    pub namespace: String,
    pub name: PodName,
    pub uid: String,
    pub resource_version: String,
}

/// A pod that keeps a place for a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    pub pod: ExactPod,
    pub node: Option<NodeName>,
    pub state: PlaceholderState,
    pub created_at: Option<Timestamp>,
}

/// How far a placeholder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceholderState {
    /// It has no node yet; the scheduler's words, if it said any.
    Pending(Option<String>),
    /// It has a node, and the image is not there yet; why not, if that is known.
    Pulling(Option<String>),
    /// The image cannot be pulled.
    Stuck(String),
    /// The place is taken and the image is there.
    Warm,
    /// It is asked to end, or has ended.
    Ending,
}

impl PlaceholderState {
    /// Why it is not there yet, if anybody has said so.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Pending(why) | Self::Pulling(why) => why.clone(),
            Self::Stuck(why) => Some(why.clone()),
            Self::Warm | Self::Ending => None,
        }
    }
}

/// A warning event about a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// `FailedScheduling`, `FailedAttachVolume` ...
    pub reason: String,
    pub message: String,
    /// Who says so: `karpenter`, `default-scheduler`, `attachdetach-controller` ...
    pub component: String,
    /// When it was last said.
    pub at: Timestamp,
}

/// A pod that is no shard, on a node that is emptied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPod {
    pub pod: ExactPod,
    pub node: NodeName,
    pub is_ending: bool,
}

/// What a shard answered when it was asked whether it is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Good answers in a row.
    pub passes: u32,
    /// When they were enough; none while they are not.
    pub passed_at: Option<Timestamp>,
    /// When it was last asked.
    pub at: Timestamp,
    /// What it said when it refused the last time.
    pub refusal: Option<String>,
}

/// What the pods answered, by uid. It is not journalled: after a crash they are asked again.
#[derive(Clone, Debug, Default)]
pub struct Answers(BTreeMap<String, Answer>);

impl Answers {
    /// What a pod last answered.
    #[must_use]
    pub fn of(&self, uid: &str) -> Option<&Answer> {
        self.0.get(uid)
    }

    /// Notes an answer: nothing where it was good, else what was wrong. So many good ones in a row are `enough`.
    pub fn note(&mut self, uid: &str, at: Timestamp, answer: Result<(), String>, enough: u32) {
        let before = self.of(uid).filter(|_| answer.is_ok());
        let passes = before.map_or(0, |before| before.passes) + u32::from(answer.is_ok());
        let passed_at = before.and_then(|before| before.passed_at).or((passes >= enough).then_some(at));
        let passed_at = passed_at.filter(|_| answer.is_ok());
        self.0.insert(uid.to_owned(), Answer { passes, passed_at, at, refusal: answer.err() });
    }
}
