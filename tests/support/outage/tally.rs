//! From what was seen of pods, and when, to outages: plain arithmetic.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// What a pod was seen as. Only one that is Ready serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Ready,
    NotReady,
    /// It has a deletion timestamp, whatever else it says of itself.
    Going,
    Gone,
}

/// Something that was seen.
#[derive(Clone, Debug)]
pub struct Event {
    pub at: Instant,
    pub pod: String,
    /// Tells a pod from the next one of its name.
    pub uid: String,
    pub seen: Seen,
}

/// An interval in which not every pod was Ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    pub began: Instant,
    /// The end, or the end of the watch.
    pub ended: Instant,
    /// Whether every pod was Ready at the end.
    pub is_over: bool,
    /// The pods that were down in it at any time.
    pub pods: BTreeSet<String>,
    /// How many were down at the same time, at most.
    pub most_down: usize,
}

impl Outage {
    /// How long it was.
    pub fn length(&self) -> Duration {
        self.ended - self.began
    }
}

/// A pod was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    pub at: Instant,
    pub pod: String,
    /// How long every pod had been Ready by then, since the last one of an outage became so. None: another one is down,
    /// or there was no outage yet.
    pub since_whole: Option<Duration>,
}

/// What a watch found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub outages: Vec<Outage>,
    pub deletions: Vec<Deletion>,
}

impl Report {
    /// Goes through what was seen of these pods, in order. What came up to `from` only tells how things stood then; an
    /// outage that is not over lasts until `until`.
    pub fn new(pods: &[String], events: &[Event], from: Instant, until: Instant) -> Self {
        let mut tally =
            Tally { pods: BTreeMap::new(), open: None, whole_since: None, report: Self::default() };
        for pod in pods {
            tally.pods.insert(pod, (String::new(), Seen::Gone));
        }
        let before = events.iter().take_while(|event| event.at <= from).count();
        for event in &events[..before] {
            if let Some(state) = tally.pods.get_mut(event.pod.as_str()) {
                *state = (event.uid.clone(), event.seen);
            }
        }
        tally.look(from);
        for event in &events[before..] {
            tally.add(event);
        }
        tally.end(until)
    }

    /// How long not every pod was Ready.
    pub fn total(&self) -> Duration {
        self.outages.iter().map(Outage::length).sum()
    }

    /// The longest outage.
    pub fn longest(&self) -> Duration {
        self.outages.iter().map(Outage::length).max().unwrap_or_default()
    }

    /// How many pods were down at the same time, at most.
    pub fn most_down(&self) -> usize {
        self.outages.iter().map(|outage| outage.most_down).max().unwrap_or_default()
    }

    /// The times between "every pod is Ready again" and the next deletion, shortest first.
    pub fn reactions(&self) -> Vec<Duration> {
        let mut reactions: Vec<Duration> =
            self.deletions.iter().filter_map(|deletion| deletion.since_whole).collect();
        reactions.sort();
        reactions
    }
}

struct Tally<'a> {
    /// Uid and state of the pod of each name.
    pods: BTreeMap<&'a str, (String, Seen)>,
    /// The outage that is not over.
    open: Option<Outage>,
    /// When the last outage ended.
    whole_since: Option<Instant>,
    report: Report,
}

impl Tally<'_> {
    fn add(&mut self, event: &Event) {
        let Some((uid, seen)) = self.pods.get(event.pod.as_str()).cloned() else { return };
        // The end of the one before was not seen: it is over now at the latest.
        if seen != Seen::Gone && uid != event.uid {
            self.add(&Event { uid, seen: Seen::Gone, ..event.clone() });
            return self.add(event);
        }
        let is_deleted = !is_deleted(seen) && is_deleted(event.seen);
        if is_deleted {
            let since_whole = match (&self.open, self.whole_since) {
                (None, Some(since)) => Some(event.at - since),
                _ => None,
            };
            let pod = event.pod.clone();
            self.report.deletions.push(Deletion { at: event.at, pod, since_whole });
        }
        if let Some(state) = self.pods.get_mut(event.pod.as_str()) {
            *state = (event.uid.clone(), event.seen);
        }
        self.look(event.at);
    }

    /// Whether every pod is Ready, and what follows.
    fn look(&mut self, at: Instant) {
        let down: BTreeSet<String> = self
            .pods
            .iter()
            .filter(|(_, (_, seen))| *seen != Seen::Ready)
            .map(|(pod, _)| (*pod).to_owned())
            .collect();
        if down.is_empty() {
            if let Some(outage) = self.open.take() {
                self.report.outages.push(Outage { ended: at, is_over: true, ..outage });
                self.whole_since = Some(at);
            }
            return;
        }
        let outage = self.open.get_or_insert_with(|| Outage {
            began: at,
            ended: at,
            is_over: false,
            pods: BTreeSet::new(),
            most_down: 0,
        });
        outage.most_down = outage.most_down.max(down.len());
        outage.pods.extend(down);
    }

    fn end(mut self, at: Instant) -> Report {
        if let Some(outage) = self.open.take() {
            self.report.outages.push(Outage { ended: at, ..outage });
        }
        self.report
    }
}

fn is_deleted(seen: Seen) -> bool {
    matches!(seen, Seen::Going | Seen::Gone)
}
