//! Availability as clients see it, from questions that are asked all the time.
//!
//! A shard is down from the first question that it does not answer well until the first one that it does, of those asked
//! after the last bad one: whoever asks counts, and a question counts when it was asked, however long it hung. It is up
//! again only when everybody who asks gets good answers; so a way that is cut keeps it down, and does not flap.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::Mark;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asker {
    /// A shard, over its network.
    Shard(u32),
    /// shardctl itself, through port-forward, for a shard that cannot ask: this tests the shard it names, and no network.
    Here,
}

impl Serialize for Asker {
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
    pub met: BTreeMap<Mark, BTreeSet<Asker>>,
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
    Down { shard: u32, from: Timestamp, mark: Mark, asker: Asker },
    /// It answers everybody who asks.
    Up { shard: u32, outage: Outage },
}

/// How one shard answered so far.
#[derive(Clone, Debug, Default)]
struct Target {
    asked: u64,
    failed: u64,
    /// The last one may go on.
    outages: Vec<Outage>,
    /// Of whom the last answer was bad.
    bad: BTreeMap<Asker, Mark>,
    /// When the last question was asked that it answered badly.
    last_bad: Option<Timestamp>,
    /// When the first question after that was asked that it answered well.
    good_since: Option<Timestamp>,
}

/// All that was asked and answered since then.
#[derive(Clone, Debug)]
pub struct Availability {
    since: Timestamp,
    targets: Vec<Target>,
    askers: BTreeSet<Asker>,
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
        Self { since, targets, askers: BTreeSet::new(), blind: vec![(since, None)] }
    }

    /// Takes in that somebody asks from now on.
    pub fn asks(&mut self, asker: Asker, now: Timestamp) {
        self.askers.insert(asker);
        if let Some((_, to @ None)) = self.blind.last_mut() {
            *to = Some(now);
        }
    }

    /// Takes in that somebody asks no more: what is wrong between it and others is no news of them any more.
    pub fn leaves(&mut self, asker: Asker, now: Timestamp) -> Vec<Change> {
        if self.askers.remove(&asker) && self.askers.is_empty() {
            self.blind.push((now, None));
        }
        let mut changes = Vec::new();
        for (shard, target) in (0..).zip(&mut self.targets) {
            if target.bad.remove(&asker).is_some() {
                changes.extend(target.close(shard));
            }
        }
        changes
    }

    /// Takes in how a shard answered a question that was asked then.
    pub fn answered(&mut self, asker: Asker, shard: u32, asked_at: Timestamp, mark: Mark) -> Option<Change> {
        let target = self.targets.get_mut(usize::try_from(shard).ok()?)?;
        // One who was taken for gone may have had a question under way.
        if !self.askers.contains(&asker) {
            return None;
        }
        target.asked += 1;
        match mark {
            Mark::Good => target.good(shard, asker, asked_at),
            mark => target.bad(shard, asker, asked_at, mark),
        }
    }

    /// Who asks now.
    #[must_use]
    pub fn askers(&self) -> &BTreeSet<Asker> {
        &self.askers
    }

    /// The shards, with the outage of each that is down.
    pub fn shards(&self) -> impl Iterator<Item = (u32, Option<&Outage>)> {
        (0..).zip(self.targets.iter().map(Target::open))
    }

    /// What somebody has met with at a shard and has not had a good answer since.
    #[must_use]
    pub fn met_now(&self, shard: u32) -> BTreeMap<Mark, BTreeSet<Asker>> {
        let mut met: BTreeMap<Mark, BTreeSet<Asker>> = BTreeMap::new();
        let target = usize::try_from(shard).ok().and_then(|index| self.targets.get(index));
        for (asker, mark) in target.iter().flat_map(|target| &target.bad) {
            met.entry(*mark).or_default().insert(*asker);
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

impl Target {
    fn open(&self) -> Option<&Outage> {
        self.outages.last().filter(|outage| outage.to.is_none())
    }

    fn good(&mut self, shard: u32, asker: Asker, asked_at: Timestamp) -> Option<Change> {
        self.bad.remove(&asker);
        if self.last_bad.is_none_or(|last| asked_at > last) {
            self.good_since = Some(self.good_since.map_or(asked_at, |since| since.min(asked_at)));
        }
        self.close(shard)
    }

    fn bad(&mut self, shard: u32, asker: Asker, asked_at: Timestamp, mark: Mark) -> Option<Change> {
        self.failed += 1;
        // A question that hung tells of the past.
        if let Some(over) = self.outages.last_mut().filter(|last| last.to.is_some_and(|to| asked_at <= to)) {
            over.met.entry(mark).or_default().insert(asker);
            return None;
        }
        self.bad.insert(asker, mark);
        self.last_bad = Some(self.last_bad.map_or(asked_at, |last| last.max(asked_at)));
        self.good_since = self.good_since.filter(|since| Some(*since) > self.last_bad);
        match self.outages.last_mut().filter(|outage| outage.to.is_none()) {
            Some(outage) => {
                outage.from = outage.from.min(asked_at);
                outage.met.entry(mark).or_default().insert(asker);
                None
            }
            None => {
                let met = BTreeMap::from([(mark, BTreeSet::from([asker]))]);
                self.outages.push(Outage { from: asked_at, to: None, met });
                Some(Change::Down { shard, from: asked_at, mark, asker })
            }
        }
    }

    /// Ends the outage when nobody has met with anything bad last, and somebody had a good answer.
    fn close(&mut self, shard: u32) -> Option<Change> {
        let to = self.good_since.filter(|_| self.bad.is_empty())?;
        let outage = self.outages.last_mut().filter(|outage| outage.to.is_none())?;
        outage.to = Some(to.max(outage.from));
        Some(Change::Up { shard, outage: outage.clone() })
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + millis.milliseconds()
    }

    fn millis(outages: &[Outage]) -> Vec<(i64, Option<i64>)> {
        let time = |at: Timestamp| at.as_millisecond();
        outages.iter().map(|outage| (time(outage.from), outage.to.map(time))).collect()
    }

    /// Three shards, each of which asks, since 0 ms.
    fn three() -> Availability {
        let mut watch = Availability::new(3, at(0));
        (0..3).for_each(|shard| watch.asks(Asker::Shard(shard), at(0)));
        watch
    }

    const ONE: Asker = Asker::Shard(1);
    const TWO: Asker = Asker::Shard(2);

    #[test]
    fn a_shard_is_down_from_the_first_bad_question_to_the_first_good_one_after_the_last_bad_one() {
        let mut watch = three();
        assert_eq!(watch.answered(ONE, 0, at(100), Mark::Good), None);
        let down = Change::Down { shard: 0, from: at(1000), mark: Mark::Refused, asker: ONE };
        assert_eq!(watch.answered(ONE, 0, at(1000), Mark::Refused), Some(down));
        assert_eq!(watch.answered(TWO, 0, at(1400), Mark::Unresolved), None);
        // Not all have a good answer yet; who has had one first is remembered.
        assert_eq!(watch.answered(ONE, 0, at(2000), Mark::Good), None);
        let up = watch.answered(TWO, 0, at(2400), Mark::Good);
        assert!(matches!(up, Some(Change::Up { shard: 0, .. })), "{up:?}");
        assert_eq!(millis(watch.outages(0)), [(1000, Some(2000))]);
        assert_eq!(watch.questions(0), (5, 2));
        let met = &watch.outages(0)[0].met;
        assert_eq!(*met, BTreeMap::from([(Mark::Unresolved, [TWO].into()), (Mark::Refused, [ONE].into())]));
    }

    #[test]
    fn a_question_that_hung_counts_when_it_was_asked() {
        let mut watch = three();
        watch.answered(TWO, 0, at(1500), Mark::Refused);
        watch.answered(ONE, 0, at(1000), Mark::Hangs);
        watch.answered(TWO, 0, at(2500), Mark::Good);
        watch.answered(ONE, 0, at(3000), Mark::Good);
        // Of the time before the end it is no other outage.
        assert_eq!(watch.answered(ONE, 0, at(2400), Mark::Hangs), None);
        assert_eq!(millis(watch.outages(0)), [(1000, Some(2500))]);
    }

    #[test]
    fn a_way_that_is_cut_keeps_a_shard_down_and_does_not_flap() {
        let mut watch = three();
        for second in 1..10 {
            watch.answered(ONE, 0, at(second * 1000), Mark::Unreachable);
            watch.answered(TWO, 0, at(second * 1000 + 500), Mark::Good);
        }
        assert_eq!(millis(watch.outages(0)), [(1000, None)]);
        assert_eq!(watch.met_now(0), BTreeMap::from([(Mark::Unreachable, [ONE].into())]));
        // Whoever could not reach it is gone: since the last time that it could not, others did.
        let changes = watch.leaves(ONE, at(9900));
        assert_eq!(changes.len(), 1);
        assert_eq!(millis(watch.outages(0)), [(1000, Some(9500))]);
        // What it had under way is not heard any more.
        assert_eq!(watch.answered(ONE, 0, at(9800), Mark::Unreachable), None);
    }

    #[test]
    fn whoever_leaves_takes_no_outage_with_it_that_nobody_saw_the_end_of() {
        let mut watch = three();
        watch.answered(ONE, 0, at(1000), Mark::Refused);
        assert_eq!(watch.leaves(ONE, at(1500)), []);
        assert_eq!(millis(watch.outages(0)), [(1000, None)]);
        watch.answered(TWO, 0, at(3000), Mark::Good);
        assert_eq!(millis(watch.outages(0)), [(1000, Some(3000))]);
    }

    #[test]
    fn the_service_is_down_while_any_shard_is() {
        let mut watch = three();
        for (shard, from, to) in [(0, 1000, 3000), (1, 2000, 4000), (2, 8000, 9000)] {
            let asker = Asker::Shard((shard + 1) % 3);
            watch.answered(asker, shard, at(from), Mark::Refused);
            watch.answered(asker, shard, at(to), Mark::Good);
        }
        let outage = |from, to, shards: &[u32]| ServiceOutage {
            from: at(from),
            to: Some(at(to)),
            shards: shards.iter().copied().collect(),
        };
        assert_eq!(watch.service_outages(), [outage(1000, 4000, &[0, 1]), outage(8000, 9000, &[2])]);
        let figures = watch.service_figures(at(16_000));
        assert_eq!((figures.outages, figures.down.as_secs(), figures.longest.as_secs()), (2, 4, 3));
        assert_eq!(figures.availability, Some(0.75));
        assert_eq!(watch.figures(2, at(16_000)).availability, Some(0.9375));
    }

    #[test]
    fn of_what_nobody_saw_nothing_is_said() {
        let mut watch = Availability::new(2, at(0));
        assert_eq!(watch.service_figures(at(5000)).availability, None);
        watch.asks(Asker::Here, at(1000));
        watch.answered(Asker::Here, 0, at(4000), Mark::Refused);
        watch.leaves(Asker::Here, at(5000));
        watch.asks(ONE, at(9000));
        watch.answered(ONE, 0, at(10_000), Mark::Good);
        assert_eq!((watch.watched(at(11_000)).as_secs(), watch.blind(at(11_000)).as_secs()), (6, 5));
        // Down from 4 s to 10 s, of which nobody saw 5 s to 9 s.
        assert_eq!(watch.figures(0, at(11_000)).down.as_secs(), 2);
    }
}
