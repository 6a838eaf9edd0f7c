//! Availability as clients see it, from questions that are asked all the time.
//!
//! A shard is down from the first question that it does not answer well until the first one that it does, of those asked
//! after the last bad one: whoever asks counts, and a question counts when it was asked, however long it hung. It is up
//! again only when everybody who asks gets good answers; so a way that is cut keeps it down, and does not flap.

mod target;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use self::target::Target;
use super::Mark;

/// Who asks all the time, and sees whether shards answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Observer {
    /// A shard, over its network.
    Shard(u32),
    /// shardctl itself, through port-forward, for a shard that cannot ask: this tests the shard it names, and no network.
    Here,
}

impl Serialize for Observer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Shard(ordinal) => serializer.serialize_u32(*ordinal),
            Self::Here => serializer.serialize_str("port-forward"),
        }
    }
}

/// A time in which a shard did not answer everybody who asked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    pub from: Timestamp,
    /// None while it goes on.
    pub to: Option<Timestamp>,
    /// What was met with, and by whom.
    pub met: BTreeMap<Mark, BTreeSet<Observer>>,
}

impl Outage {
    /// How long it was, or is until now.
    #[must_use]
    pub fn duration(&self, now: Timestamp) -> Duration {
        between(self.from, self.to.unwrap_or(now))
    }
}

/// A time in which not every shard answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceOutage {
    pub from: Timestamp,
    /// None while it goes on.
    pub to: Option<Timestamp>,
    pub shards: BTreeSet<u32>,
}

/// What has just changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A shard does not answer somebody.
    Down { shard: u32, from: Timestamp, mark: Mark, observer: Observer },
    /// It answers everybody who asks.
    Up { shard: u32, outage: Outage },
}

/// All that was asked and answered since then.
#[derive(Clone, Debug)]
pub struct Availability {
    since: Timestamp,
    targets: Vec<Target>,
    observers: BTreeSet<Observer>,
    /// Times in which nobody asked.
    blind: Vec<(Timestamp, Option<Timestamp>)>,
}

/// What it comes to, for one shard or for the service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    pub outages: usize,
    pub down: Duration,
    pub longest: Duration,
    /// The part of the time that somebody asked in which it was up, from 0 to 1; none where nobody asked.
    pub availability: Option<f64>,
}

impl Availability {
    /// Nobody has asked so many shards yet.
    #[must_use]
    pub fn new(replicas: u32, since: Timestamp) -> Self {
        let targets = (0..replicas).map(|_| Target::default()).collect();
        Self { since, targets, observers: BTreeSet::new(), blind: vec![(since, None)] }
    }

    /// Takes in that somebody asks from now on.
    pub fn asks(&mut self, observer: Observer, now: Timestamp) {
        self.observers.insert(observer);
        if let Some((_, to @ None)) = self.blind.last_mut() {
            *to = Some(now);
        }
    }

    /// Takes in that somebody asks no more: what is wrong between it and others is no news of them any more.
    pub fn leaves(&mut self, observer: Observer, now: Timestamp) -> Vec<Change> {
        if self.observers.remove(&observer) && self.observers.is_empty() {
            self.blind.push((now, None));
        }
        let targets = (0..).zip(&mut self.targets);
        targets.filter_map(|(shard, target)| target.forget(shard, observer)).collect()
    }

    /// Takes in how a shard answered a question that was asked then.
    pub fn answered(
        &mut self,
        observer: Observer,
        shard: u32,
        asked_at: Timestamp,
        mark: Mark,
    ) -> Option<Change> {
        let target = self.targets.get_mut(usize::try_from(shard).ok()?)?;
        // One who was taken for gone may have had a question under way.
        if !self.observers.contains(&observer) {
            return None;
        }
        target.asked += 1;
        match mark {
            Mark::Good => target.good(shard, observer, asked_at),
            mark => target.bad(shard, observer, asked_at, mark),
        }
    }

    /// Who asks now.
    #[must_use]
    pub fn observers(&self) -> &BTreeSet<Observer> {
        &self.observers
    }

    /// The shards, with the outage of each that is down.
    pub fn shards(&self) -> impl Iterator<Item = (u32, Option<&Outage>)> {
        (0..).zip(self.targets.iter().map(Target::open))
    }

    /// What somebody has met with at a shard and has not had a good answer since.
    #[must_use]
    pub fn met_now(&self, shard: u32) -> BTreeMap<Mark, BTreeSet<Observer>> {
        let mut met: BTreeMap<Mark, BTreeSet<Observer>> = BTreeMap::new();
        let target = usize::try_from(shard).ok().and_then(|index| self.targets.get(index));
        for (observer, mark) in target.iter().flat_map(|target| &target.bad) {
            met.entry(*mark).or_default().insert(*observer);
        }
        met
    }

    /// Questions to a shard, and those that it answered badly.
    #[must_use]
    pub fn questions(&self, shard: u32) -> (u64, u64) {
        let target = usize::try_from(shard).ok().and_then(|index| self.targets.get(index));
        target.map_or((0, 0), |target| (target.asked, target.failed))
    }

    /// The outages of a shard.
    #[must_use]
    pub fn outages(&self, shard: u32) -> &[Outage] {
        let target = usize::try_from(shard).ok().and_then(|index| self.targets.get(index));
        target.map_or(&[], |target| &target.outages)
    }

    /// The outages of the service: times in which at least one shard was down, in order.
    #[must_use]
    pub fn service_outages(&self) -> Vec<ServiceOutage> {
        let spans =
            self.shards().flat_map(|(shard, _)| self.outages(shard).iter().map(move |one| (shard, one)));
        let mut spans: Vec<(u32, &Outage)> = spans.collect();
        spans.sort_by_key(|(shard, outage)| (outage.from, *shard));
        let mut merged: Vec<ServiceOutage> = Vec::new();
        for (shard, outage) in spans {
            match merged.last_mut().filter(|last| last.to.is_none_or(|to| outage.from <= to)) {
                Some(last) => {
                    last.to = last.to.zip(outage.to).map(|(one, other)| one.max(other));
                    last.shards.insert(shard);
                }
                None => merged.push(ServiceOutage {
                    from: outage.from,
                    to: outage.to,
                    shards: BTreeSet::from([shard]),
                }),
            }
        }
        merged
    }

    /// How long somebody asked until now.
    #[must_use]
    pub fn watched(&self, now: Timestamp) -> Duration {
        between(self.since, now).saturating_sub(self.blind(now))
    }

    /// How long nobody asked until now.
    #[must_use]
    pub fn blind(&self, now: Timestamp) -> Duration {
        self.blind.iter().map(|(from, to)| between(*from, to.unwrap_or(now))).sum()
    }

    /// What one shard comes to.
    #[must_use]
    pub fn figures(&self, shard: u32, now: Timestamp) -> Figures {
        self.figures_of(self.outages(shard).iter().map(|outage| (outage.from, outage.to)), now)
    }

    /// What the service comes to.
    #[must_use]
    pub fn service_figures(&self, now: Timestamp) -> Figures {
        let outages = self.service_outages();
        self.figures_of(outages.iter().map(|outage| (outage.from, outage.to)), now)
    }

    fn figures_of(
        &self,
        outages: impl Iterator<Item = (Timestamp, Option<Timestamp>)>,
        now: Timestamp,
    ) -> Figures {
        // Of what happened while nobody asked nothing is known, and nothing is counted.
        let unseen = |from: Timestamp, to: Timestamp| -> Duration {
            let blind = self.blind.iter().map(|(since, until)| (*since, until.unwrap_or(now)));
            blind.map(|(since, until)| between(from.max(since), to.min(until))).sum()
        };
        let spans: Vec<Duration> = outages
            .map(|(from, to)| (from, to.unwrap_or(now)))
            .map(|(from, to)| between(from, to).saturating_sub(unseen(from, to)))
            .collect();
        let (watched, down): (Duration, Duration) = (self.watched(now), spans.iter().sum());
        Figures {
            outages: spans.len(),
            down,
            longest: spans.iter().max().copied().unwrap_or_default(),
            availability: (!watched.is_zero())
                .then(|| 1.0 - (down.as_secs_f64() / watched.as_secs_f64()).min(1.0)),
        }
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
