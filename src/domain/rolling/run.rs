//! A run: what is to be done, how far it is, and what it has measured. This is the journal, kept in the cluster, so
//! that any machine can go on with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::change::{Change, ObjectRef};
use super::ledger::Ledger;
use super::observed::{Observed, PlaceholderState};
use super::placeholder::Room;
use super::plan::Forecast;
use super::policy::Policy;
use crate::domain::names::{NodeName, NodePoolName, WorkloadRef};
use crate::domain::snapshot::Pod;

/// The name of a run: `migrate-20261122-173015-208`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// The id of a run that starts now. It has milliseconds: runs of a small service may follow each other within a second.
    #[must_use]
    pub fn new(operation: &Operation, now: Timestamp) -> Self {
        Self(format!("{}-{}", operation.verb(), now.strftime("%Y%m%d-%H%M%S-%3f")))
    }

    /// An id as somebody wrote it.
    #[must_use]
    pub fn named(text: &str) -> Self {
        Self(text.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Operation {
    /// Moves the shards to another node pool.
    Migrate { to: NodePoolName, from: BTreeSet<NodePoolName> },
    /// Gives the shards a new template.
    Upgrade { what: String },
    /// Empties nodes.
    Drain { nodes: BTreeSet<NodeName> },
    /// Gives the shards an earlier template.
    Undo { revision: String },
}

impl Operation {
    /// Whether a moved shard is what it was, only elsewhere: no first shard need prove anything.
    #[must_use]
    pub fn changes_nothing_but_the_node(&self) -> bool {
        matches!(self, Self::Drain { .. })
    }

    /// The command that does it.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Migrate { .. } => "migrate",
            Self::Upgrade { .. } => "upgrade",
            Self::Drain { .. } => "drain",
            Self::Undo { .. } => "undo",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Migrate { to, .. } => write!(f, "migrate to nodepool/{to}"),
            Self::Upgrade { what } => write!(f, "upgrade: {what}"),
            Self::Drain { nodes } => {
                f.write_str("drain ")?;
                for (index, node) in nodes.iter().enumerate() {
                    write!(f, "{}node/{node}", if index > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
            Self::Undo { revision } => write!(f, "undo: back to revision {revision}"),
        }
    }
}

/// What a shard is when the run is done with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Goal {
    /// Made from this revision; none until the template is armed and the controller has named it.
    pub revision: Option<String>,
    /// On a node of this pool; none where the pool does not matter.
    pub node_pool: Option<NodePoolName>,
    /// On none of these nodes.
    pub avoid_nodes: BTreeSet<NodeName>,
}

impl Goal {
    /// Whether a pod is what the run wants, as far as can be seen; a node that is not known yet is no node of the pool.
    #[must_use]
    pub fn is_met(&self, pod: &Pod, seen: &Observed) -> bool {
        self.misses(pod, seen).is_none()
    }

    /// The first thing about a pod that is not as the run wants it.
    #[must_use]
    pub fn misses(&self, pod: &Pod, seen: &Observed) -> Option<Miss> {
        if self.revision.is_some() && pod.revision != self.revision {
            return Some(Miss::Revision(pod.revision.clone().unwrap_or_default()));
        }
        let Some(node) = &pod.node else { return Some(Miss::NoNode) };
        if self.avoid_nodes.contains(node) {
            return Some(Miss::Node(node.clone()));
        }
        let wanted = self.node_pool.as_ref()?;
        match seen.nodes.get(node) {
            None => Some(Miss::NoNode),
            Some(known) if known.node_pool().as_ref() == Some(wanted) => None,
            Some(_) => Some(Miss::Pool(node.clone())),
        }
    }
}

/// What is not as wanted about a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// It was made from this revision.
    Revision(String),
    /// It is on no node that is known.
    NoNode,
    /// It is on a node that is emptied.
    Node(NodeName),
    /// It is on this node of another pool.
    Pool(NodeName),
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision(found) => write!(f, "it was made from revision {found}"),
            Self::NoNode => f.write_str("it is on no node that is known"),
            Self::Node(node) => write!(f, "it is on node/{node}, which is emptied"),
            Self::Pool(node) => write!(f, "it is on node/{node}, which is of another pool"),
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// What others might do is being frozen.
    #[default]
    Holding,
    /// Placeholders take the places of shards to come.
    MakingRoom,
    /// The StatefulSet gets the new template.
    Arming,
    /// It has it, and the controller is to name its revision.
    Armed,
    /// Wave by wave.
    Rolling,
    /// The rest of a node is evicted.
    Emptying,
    /// Nothing is left to do but to let go.
    LettingGo,
}

/// Whether a run goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum State {
    /// A process works on it, or did when it died.
    #[default]
    Running,
    /// It stopped part-way and can be resumed or aborted.
    Stopped { why: StopReason },
    /// It did what it was for.
    Done,
    /// It was taken back as far as that goes, and is not resumed.
    Aborted { why: String },
}

/// Why a run stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "message", rename_all = "camelCase")]
pub enum StopReason {
    /// Something stands in the way, in its words.
    Blocked(String),
    /// The operator said so.
    Interrupted,
    /// Another process took the lock, or it could not be renewed.
    LockLost,
    /// The process ended without a word.
    Crashed,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked(what) => f.write_str(what),
            Self::Interrupted => f.write_str("interrupted"),
            Self::LockLost => f.write_str("the lock was lost"),
            Self::Crashed => f.write_str("the process that worked on it ended without a word"),
        }
    }
}

/// Who works on a run, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Actor {
    pub user: String,
    pub host: String,
    pub pid: u32,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} (pid {})", self.user, self.host, self.pid)
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub id: RunId,
    pub operation: Operation,
    pub workload: WorkloadRef,
    pub workload_uid: String,
    pub replicas: u32,
    /// Who started it or resumed it last.
    pub by: Actor,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// How many processes have worked on it. Names of placeholders carry it, so that old ones are never taken for new.
    pub attempt: u32,
    pub policy: Policy,
    pub goal: Goal,
    /// The shards that are moved, in the order in which they go down, those of a wave together.
    pub waves: Vec<Vec<u32>>,
    /// The most shards that may be down together: the largest wave that was approved. Waves are split later on.
    pub largest_wave: u32,
    /// How long a shard was expected to take when the run was planned.
    pub forecast: Forecast,
    /// What is held still meanwhile.
    pub holds: Vec<Change>,
    /// Whether it is held now, or may be: from before the first change until the last is taken back.
    #[serde(default)]
    pub is_holding: bool,
    /// The change of the template, if there is one.
    pub arming: Option<Change>,
    /// How room is made, if it is.
    pub room: Option<Room>,
    pub stage: Stage,
    /// When the process that works on it now entered the stage.
    pub entered_at: Timestamp,
    pub state: State,
    /// The uid of the pod of each shard that we deleted, or were about to.
    pub deleted: BTreeMap<u32, String>,
    pub ledger: Ledger,
    /// What could not be taken back, because somebody else had changed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<String>,
}

impl Run {
    /// The StatefulSet.
    #[must_use]
    pub fn stateful_set(&self) -> ObjectRef {
        ObjectRef::new("apps/v1", "StatefulSet", Some(&self.workload.namespace), &self.workload.name)
    }

    /// All shards that are moved, in order.
    pub fn shards(&self) -> impl Iterator<Item = u32> {
        self.waves.iter().flatten().copied()
    }

    /// Makes each of these shards a wave of its own, from this wave on, before what was to go then. Together they are
    /// mended; those that came up by themselves meanwhile go one by one.
    pub fn put_first(&mut self, wave: u32, shards: &BTreeSet<u32>) {
        let first: Vec<Vec<u32>> =
            self.shards().filter(|ordinal| shards.contains(ordinal)).map(|ordinal| vec![ordinal]).collect();
        for wave in &mut self.waves {
            wave.retain(|ordinal| !shards.contains(ordinal));
        }
        let index = usize::try_from(wave).map_or(self.waves.len(), |index| index.min(self.waves.len()));
        self.waves.splice(index..index, first);
        self.waves.retain(|wave| !wave.is_empty());
    }

    /// Whether another run would do the same: it has the same goal, and gives the same template.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let goal = |run: &Self| {
            let template = run.arming.as_ref().and_then(|arming| arming.template().cloned());
            (run.operation.verb(), run.goal.node_pool.clone(), run.goal.avoid_nodes.clone(), template)
        };
        let (own, its) = (goal(self), goal(other));
        // A template that is armed already is not armed again.
        (&own.0, &own.1, &own.2) == (&its.0, &its.1, &its.2) && (its.3.is_none() || own.3 == its.3)
    }

    /// Whether shardctl has something to do for it yet: it runs, or stopped part-way.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Running | State::Stopped { .. })
    }

    /// Everything that is changed for the run, purpose last, so that it is undone first.
    #[must_use]
    pub fn changes(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.holds.iter().chain(&self.arming)
    }

    /// Whether a place that was made for one of these shards is lost. While a shard is down nobody waits for another place,
    /// and an image that is there once stays.
    #[must_use]
    pub fn lacks_room(&self, seen: &Observed, shards: impl IntoIterator<Item = u32>) -> bool {
        let Some(room) = self.room.as_ref().filter(|room| !room.is_for_images) else { return false };
        let kept = room.shards();
        let is_lost = |ordinal: u32| {
            let state = seen.placeholders.get(&ordinal).map(|placeholder| &placeholder.state);
            kept.contains(&ordinal) && state != Some(&PlaceholderState::Warm)
        };
        seen.down().is_empty() && shards.into_iter().any(is_lost)
    }

    /// Whether a shard that was moved has a new pod which is where or what it should not be.
    #[must_use]
    pub fn is_stray(&self, ordinal: u32, pod: &Pod, seen: &Observed) -> bool {
        self.deleted.get(&ordinal).is_some_and(|uid| *uid != pod.uid)
            && !matches!(self.goal.misses(pod, seen), None | Some(Miss::NoNode))
    }

    /// Forgets the shards that were not moved after all and are still to be: those whose deletion was only written down,
    /// because the process died before it, and those that came back where or what they should not be. What came back wrong
    /// goes before everything else, for its wave is not over. What is down as it was is kept in mind: it was to be mended
    /// together with others, which may be on their way.
    pub fn forget_unmoved(&mut self, seen: &Observed) {
        // A deletion that this process has sent may be on its way yet.
        let is_sent = |ordinal: u32| {
            let last = self.ledger.restarts.iter().rfind(|record| record.ordinal == ordinal);
            last.is_some_and(|record| record.marks.gone.is_none())
        };
        let is_unmoved =
            |ordinal: u32, pod: &Pod| self.is_deleted(ordinal, pod) && pod.is_up() && !is_sent(ordinal);
        let those = |is: &dyn Fn(u32, &Pod) -> bool| -> BTreeSet<u32> {
            seen.pods.iter().filter(|(ordinal, pod)| is(**ordinal, pod)).map(|(one, _)| *one).collect()
        };
        let (unmoved, astray) = (those(&is_unmoved), those(&|one, pod| self.is_stray(one, pod, seen)));
        self.deleted.retain(|ordinal, _| !unmoved.contains(ordinal) && !astray.contains(ordinal));
        self.waves.sort_by_key(|wave| !wave.iter().any(|ordinal| astray.contains(ordinal)));
    }

    /// Whether a pod is the one that a shard had before we deleted it.
    #[must_use]
    pub fn is_deleted(&self, ordinal: u32, pod: &Pod) -> bool {
        self.deleted.get(&ordinal) == Some(&pod.uid)
    }
}
