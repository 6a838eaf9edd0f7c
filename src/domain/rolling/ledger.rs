//! The ledger: outages as they were seen, and what each second of a restart went into.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::observed::Observed;
use crate::domain::names::NodeName;
use crate::domain::snapshot::Pod;

/// What a run has measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// Oldest first; the last one may still go on.
    pub outages: Vec<Outage>,
    /// The restarts, in the order in which they began.
    pub restarts: Vec<ShardRecord>,
    /// Since when every shard is up; none while one is down.
    pub whole_since: Option<Timestamp>,
    /// The shards that were away from their clients at the last look.
    #[serde(skip)]
    away: BTreeSet<u32>,
    /// The shards whose deletion was refused: what becomes of them is not our doing.
    #[serde(skip)]
    refused: BTreeSet<u32>,
}

/// A time in which not every shard served its clients: from when the first was asked to go, and answers those who find it
/// no more, or was seen not Ready; until the last answers those who find it, or is Ready and healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outage {
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The shards that were down in it.
    pub shards: BTreeSet<u32>,
    /// The most that were down at a time.
    pub most_down: u32,
    /// The wave that it belongs to, counted from 0; none when we took nothing down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<u32>,
}

impl Outage {
    /// How long it was, or is until now.
    #[must_use]
    pub fn duration(&self, now: Timestamp) -> Duration {
        between(self.started_at, self.ended_at.unwrap_or(now))
    }
}

/// One restart of a shard by our hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardRecord {
    pub ordinal: u32,
    pub wave: u32,
    pub from: Option<NodeName>,
    pub to: Option<NodeName>,
    pub marks: Marks,
}

/// When a restart reached what, as we saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Marks {
    /// The pod was asked to end.
    pub asked: Timestamp,
    /// It is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Timestamp>,
    /// There is a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// It has a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Timestamp>,
    /// Whether that node was made for it.
    #[serde(default)]
    pub is_new_node: bool,
    /// Its volumes are attached and its network is up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Timestamp>,
    /// How long its images took to be pulled, of the time until its containers ran; none where the kubelet has not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<Duration>,
    /// Its containers run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// It answers what its probes ask; none where nobody asked before it was Ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Timestamp>,
    /// It is Ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<Timestamp>,
    /// It passed the gate: it is back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<Timestamp>,
}

/// What the seconds of a restart went into; none where it is not there yet or was not seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seconds {
    pub terminate: Option<f64>,
    pub create: Option<f64>,
    pub schedule: Option<f64>,
    pub node_launch: Option<f64>,
    pub attach: Option<f64>,
    pub pull: Option<f64>,
    pub start: Option<f64>,
    pub answer: Option<f64>,
    pub ready: Option<f64>,
    pub gate: Option<f64>,
}

impl Marks {
    /// What the seconds went into. A mark that was not seen adds its time to the step after it.
    #[must_use]
    pub fn seconds(&self) -> Seconds {
        let mut since = self.asked;
        let mut step = |mark: Option<Timestamp>| {
            let at = mark?;
            let took = between(since, at).as_secs_f64();
            since = since.max(at);
            Some(took)
        };
        let mut seconds =
            Seconds { terminate: step(self.gone), create: step(self.created), ..Seconds::default() };
        let placed = step(self.scheduled);
        match self.is_new_node {
            true => seconds.node_launch = placed,
            false => seconds.schedule = placed,
        }
        seconds.attach = step(self.prepared);
        let started = step(self.started);
        seconds.pull = started.zip(self.pull).map(|(started, pull)| pull.as_secs_f64().min(started));
        seconds.start = started.map(|started| started - seconds.pull.unwrap_or(0.0));
        seconds.answer = step(self.answered);
        seconds.ready = step(self.ready);
        seconds.gate = step(self.back);
        seconds
    }

    /// From the deletion to the shard being back; none while it is not.
    #[must_use]
    pub fn total(&self) -> Option<Duration> {
        Some(between(self.asked, self.back?))
    }
}

/// What has just changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The first shard went down.
    OutageStarted { shards: BTreeSet<u32> },
    /// The last one is back.
    OutageEnded { outage: Outage },
    /// A shard that we took down reached another mark.
    Shard { ordinal: u32, mark: Mark },
}

/// How far a restart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mark {
    Asked,
    Gone,
    Created,
    Scheduled,
    Prepared,
    Started,
    Answered,
    Ready,
    Back,
}

/// How a shard that we took down, and whose new pod is there, stands with its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does not serve them.
    Away,
    /// It has answered since then. The kubelet does not call it Ready yet, or it has not passed the gate.
    Answers(Timestamp),
    /// It is Ready and has passed the gate.
    Back,
}

impl Ledger {
    /// Notes that a shard's pod is asked to end, for the first time or once more.
    pub fn ask(&mut self, ordinal: u32, wave: u32, from: Option<NodeName>, at: Timestamp) {
        self.refused.remove(&ordinal);
        let marks = Marks { asked: at, ..Marks::default() };
        let last = self.restarts.iter_mut().rfind(|record| record.ordinal == ordinal);
        if let Some(last) = last.filter(|record| record.marks.gone.is_none()) {
            last.marks = marks;
            return;
        }
        self.restarts.push(ShardRecord { ordinal, wave, from, to: None, marks });
    }

    /// Notes that the server refused to end a shard's pod.
    pub fn refuse(&mut self, ordinal: u32) {
        self.refused.insert(ordinal);
    }

    /// Takes in what happened while nobody watched, as far as the pods tell, when another process goes on with the run.
    ///
    /// Shards that were on their way and are Ready have been back since then; so the time in which nobody looked is not
    /// taken for outage. What others did meanwhile is not known.
    pub fn resume(&mut self, seen: &Observed, deleted: &BTreeMap<u32, String>, now: Timestamp) {
        self.whole_since = None;
        // A deletion that was only written down is no restart.
        self.restarts.retain(|record| {
            let pod = seen.pods.get(&record.ordinal);
            let is_old = pod.is_some_and(|pod| deleted.get(&record.ordinal) == Some(&pod.uid));
            record.marks.gone.is_some() || !(is_old && pod.is_some_and(|pod| pod.deleted_at.is_none()))
        });
        let mut shards: BTreeMap<u32, &mut ShardRecord> = BTreeMap::new();
        for record in &mut self.restarts {
            shards.insert(record.ordinal, record);
        }
        // A shard that there should be no more is not down.
        shards.retain(|ordinal, record| {
            record.marks.back.is_none() && deleted.contains_key(ordinal) && *ordinal < seen.replicas()
        });
        // One that has answered was down in an outage that is over.
        let away = || shards.values().filter(|record| record.marks.answered.is_none());
        if self.outages.last().is_none_or(|outage| outage.ended_at.is_some())
            && let Some(started_at) = away().map(|record| record.marks.asked).min()
        {
            self.outages.push(Outage {
                started_at,
                ended_at: None,
                shards: away().map(|record| record.ordinal).collect(),
                most_down: u32::try_from(away().count()).unwrap_or(u32::MAX),
                wave: away().map(|record| record.wave).max(),
            });
        }
        for (ordinal, record) in shards {
            let new = seen.pods.get(&ordinal).filter(|pod| deleted.get(&ordinal) != Some(&pod.uid));
            if let Some(pod) = new.filter(|pod| pod.is_up()) {
                let ready = ready_at(pod, now).max(record.marks.asked);
                record.to.clone_from(&pod.node);
                record.marks.gone.get_or_insert(ready);
                record.marks.ready.get_or_insert(ready);
                record.marks.back = Some(ready);
            }
        }
        // Others that are down now may have failed later: that is another outage.
        if let Some(outage) = self.outages.last_mut().filter(|outage| outage.ended_at.is_none())
            && seen.down().is_disjoint(&outage.shards)
        {
            let pods = outage.shards.iter().filter_map(|ordinal| seen.pods.get(ordinal));
            let ready = pods.map(|pod| ready_at(pod, now)).max().unwrap_or(now);
            outage.ended_at = Some(ready.max(outage.started_at));
        }
    }

    /// Takes in what is seen. `standing` tells of a shard that we took down how its new pod stands.
    pub fn observe(
        &mut self,
        seen: &Observed,
        deleted: &BTreeMap<u32, String>,
        standing: impl Fn(u32) -> Standing,
        now: Timestamp,
    ) -> Vec<Turn> {
        let mut turns = Vec::new();
        let mut latest = BTreeSet::new();
        let mut unseen: BTreeMap<u32, (Timestamp, u32)> = BTreeMap::new();
        for record in self.restarts.iter_mut().rev() {
            // A shard that was moved twice has two records; only the last one goes on.
            if latest.insert(record.ordinal) && record.marks.back.is_none() {
                let pod = seen.pods.get(&record.ordinal);
                let is_new = |pod: &&Pod| deleted.get(&record.ordinal) != Some(&pod.uid);
                let news = record.advance(seen, pod.filter(is_new), pod.is_none(), &standing, now);
                if news.contains(&Mark::Gone) && news.contains(&Mark::Back) {
                    unseen.insert(record.ordinal, (record.marks.asked, record.wave));
                }
                turns.extend(news.into_iter().map(|mark| Turn::Shard { ordinal: record.ordinal, mark }));
            }
        }
        self.note_unseen(&unseen, &mut turns);
        let mut down = seen.down();
        // A shard that is Ready and has not passed the gate is not back; one that never went is not down.
        let ungated = self.under_way(deleted).map(|record| record.ordinal);
        down.extend(ungated.filter(|ordinal| *ordinal < seen.replicas()));
        match down.is_empty() {
            true => drop(self.whole_since.get_or_insert(now)),
            false => self.whole_since = None,
        }
        let answering: BTreeMap<u32, Timestamp> = self
            .under_way(deleted)
            .filter_map(|record| match standing(record.ordinal) {
                Standing::Answers(since) => Some((record.ordinal, since)),
                Standing::Away | Standing::Back => None,
            })
            .collect();
        down.retain(|ordinal| !answering.contains_key(ordinal));
        self.note(seen, &down, &answering, deleted, now, &mut turns);
        self.away = down;
        turns
    }

    /// Shards that went and came back between two looks were down all the same, since they were asked to go.
    fn note_unseen(&mut self, unseen: &BTreeMap<u32, (Timestamp, u32)>, turns: &mut Vec<Turn>) {
        let Some(started_at) = unseen.values().map(|(asked, _)| *asked).min() else { return };
        self.whole_since = None;
        if let Some(open) = self.outages.last_mut().filter(|outage| outage.ended_at.is_none()) {
            open.shards.extend(unseen.keys());
            return;
        }
        let shards: BTreeSet<u32> = unseen.keys().copied().collect();
        turns.push(Turn::OutageStarted { shards: shards.clone() });
        self.outages.push(Outage {
            started_at,
            ended_at: None,
            most_down: u32::try_from(shards.len()).unwrap_or(u32::MAX),
            shards,
            wave: unseen.values().map(|(_, wave)| *wave).max(),
        });
    }

    /// The restarts that are under way: of each shard that was moved the last one, if it has gone and is not back.
    fn under_way(&self, deleted: &BTreeMap<u32, String>) -> impl Iterator<Item = &ShardRecord> {
        let last: BTreeMap<u32, &ShardRecord> =
            self.restarts.iter().map(|record| (record.ordinal, record)).collect();
        let is_moved = |record: &&ShardRecord| deleted.contains_key(&record.ordinal);
        let is_under_way = |record: &&ShardRecord| record.marks.gone.is_some() && record.marks.back.is_none();
        last.into_values().filter(is_moved).filter(is_under_way)
    }

    /// Opens or closes an outage: these shards are away from their clients, and those answer since then.
    fn note(
        &mut self,
        seen: &Observed,
        away: &BTreeSet<u32>,
        answering: &BTreeMap<u32, Timestamp>,
        deleted: &BTreeMap<u32, String>,
        now: Timestamp,
        turns: &mut Vec<Turn>,
    ) {
        let is_not_back = |record: &&ShardRecord| {
            record.marks.back.is_none()
                && away.contains(&record.ordinal)
                && deleted.contains_key(&record.ordinal)
        };
        let wave = self.restarts.iter().filter(is_not_back).map(|one| one.wave).max();
        let began = self.began(seen, away, deleted);
        let open = self.outages.last().filter(|outage| outage.ended_at.is_none());
        let began_after_all = open.and_then(|outage| {
            let last = |ordinal| self.restarts.iter().rfind(|record| record.ordinal == ordinal);
            let asked = outage.shards.iter().filter_map(|ordinal| Some(last(*ordinal)?.marks.asked)).min();
            // One that began before we asked for anything is not ours, whatever we did then to mend it.
            asked.filter(|asked| outage.started_at >= *asked)?;
            self.began(seen, &outage.shards, deleted)
        });
        let answered = self.answered(answering, now);
        let before = self.outages.last().and_then(|outage| outage.ended_at);
        let open = self.outages.last_mut().filter(|outage| outage.ended_at.is_none());
        let most_down = u32::try_from(away.len()).unwrap_or(u32::MAX);
        match (open, away.is_empty()) {
            (None, true) => {}
            (None, false) => {
                // It was seen a little after we asked for it.
                let started_at = began.filter(|began| before.is_none_or(|before| *began >= before));
                turns.push(Turn::OutageStarted { shards: away.clone() });
                self.outages.push(Outage {
                    started_at: started_at.unwrap_or(now),
                    ended_at: None,
                    shards: away.clone(),
                    most_down,
                    wave,
                });
            }
            (Some(outage), false) => {
                // A shard may serve on for a while after it was asked to go.
                if let Some(began) = began_after_all {
                    outage.started_at = began.clamp(outage.started_at, now);
                }
                outage.shards.extend(away);
                outage.most_down = outage.most_down.max(most_down);
                outage.wave = outage.wave.max(wave);
            }
            (Some(outage), true) => {
                outage.ended_at = Some(answered.max(outage.started_at));
                turns.push(Turn::OutageEnded { outage: outage.clone() });
            }
        }
    }

    /// When the first of these shards served no more, which we asked to go; none if one of them is away for another reason.
    fn began(
        &self,
        seen: &Observed,
        shards: &BTreeSet<u32>,
        deleted: &BTreeMap<u32, String>,
    ) -> Option<Timestamp> {
        let stopped = shards.iter().map(|ordinal| {
            let record = self.restarts.iter().rfind(|record| record.ordinal == *ordinal)?;
            let uid = deleted.get(ordinal).filter(|_| !self.refused.contains(ordinal))?;
            let is_gone =
                seen.pods.get(ordinal).is_none_or(|pod| pod.uid != *uid || pod.deleted_at.is_some());
            let asked = record.marks.asked;
            is_gone.then(|| seen.answered_until.get(uid).map_or(asked, |until| asked.max(*until)))
        });
        stopped.collect::<Option<Vec<Timestamp>>>()?.into_iter().min()
    }

    /// When the last of those that were away came back to their clients, if they are.
    fn answered(&self, answering: &BTreeMap<u32, Timestamp>, now: Timestamp) -> Timestamp {
        let back = self.away.iter().map(|ordinal| answering.get(ordinal).copied().unwrap_or(now));
        back.max().unwrap_or(now).min(now)
    }

    /// The outages together, the one that goes on until now.
    #[must_use]
    pub fn total(&self, now: Timestamp) -> Duration {
        self.outages.iter().map(|outage| outage.duration(now)).sum()
    }

    /// The longest restart so far; none before the first shard is back.
    #[must_use]
    pub fn longest_restart(&self) -> Option<Duration> {
        self.restarts.iter().filter_map(|record| record.marks.total()).max()
    }
}

impl ShardRecord {
    /// Sets the marks that are reached by now, and returns the new ones.
    fn advance(
        &mut self,
        seen: &Observed,
        new: Option<&Pod>,
        is_missing: bool,
        standing: &impl Fn(u32) -> Standing,
        now: Timestamp,
    ) -> Vec<Mark> {
        let mut news = Vec::new();
        let marks = &mut self.marks;
        let mut set = |field: &mut Option<Timestamp>, at: Option<Timestamp>, mark: Mark| {
            if at.is_some() && field.is_none() {
                *field = at;
                news.push(mark);
            }
        };
        let reached = |is_reached: bool| is_reached.then_some(now);
        set(&mut marks.gone, reached(is_missing || new.is_some()), Mark::Gone);
        let Some(pod) = new else { return news };
        set(&mut marks.created, Some(now), Mark::Created);
        set(&mut marks.scheduled, reached(pod.node.is_some()), Mark::Scheduled);
        if let Some(node) = &pod.node {
            let made_at = seen.nodes.get(node).and_then(|node| node.created_at);
            marks.is_new_node = made_at.zip(pod.created_at).is_some_and(|(node, pod)| node >= pod);
            self.to = Some(node.clone());
        }
        set(&mut marks.prepared, reached(pod.is_prepared), Mark::Prepared);
        marks.pull = seen.pull_of(&pod.uid);
        let runs = !pod.containers.is_empty() && pod.containers.iter().all(|one| one.waiting.is_none());
        set(&mut marks.started, reached(runs), Mark::Started);
        let standing = standing(self.ordinal);
        if let Standing::Answers(since) = standing {
            set(&mut marks.answered, Some(since), Mark::Answered);
        }
        set(&mut marks.ready, reached(pod.is_up()), Mark::Ready);
        set(&mut marks.back, reached(pod.is_up() && standing == Standing::Back), Mark::Back);
        news
    }
}

/// When a pod became Ready, by what it says itself: in whole seconds, of which the whole may have passed.
fn ready_at(pod: &Pod, now: Timestamp) -> Timestamp {
    pod.ready_changed_at.map_or(now, |ready| (ready + SignedDuration::from_secs(1)).min(now))
}

/// The time from one moment to a later one; nothing when they are the wrong way round.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
