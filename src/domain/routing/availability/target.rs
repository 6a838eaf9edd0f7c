//! How one shard answered: when it is down, and when it is up again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Change, Mark, Observer, Outage};

/// How one shard answered so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    pub(super) asked: u64,
    pub(super) failed: u64,
    /// The last one may go on.
    pub(super) outages: Vec<Outage>,
    /// Of whom the last answer was bad.
    pub(super) bad: BTreeMap<Observer, Mark>,
    /// When the last question was asked that it answered badly.
    last_bad: Option<Timestamp>,
    /// When the first question after that was asked that it answered well.
    good_since: Option<Timestamp>,
}

impl Target {
    /// The outage that goes on.
    pub(super) fn open(&self) -> Option<&Outage> {
        self.outages.last().filter(|outage| outage.to.is_none())
    }

    /// Takes in a good answer to a question that was asked then.
    pub(super) fn good(&mut self, shard: u32, observer: Observer, asked_at: Timestamp) -> Option<Change> {
        self.bad.remove(&observer);
        if self.last_bad.is_none_or(|last| asked_at > last) {
            self.good_since = Some(self.good_since.map_or(asked_at, |since| since.min(asked_at)));
        }
        self.close(shard)
    }

    /// Takes in a bad answer to a question that was asked then.
    pub(super) fn bad(
        &mut self,
        shard: u32,
        observer: Observer,
        asked_at: Timestamp,
        mark: Mark,
    ) -> Option<Change> {
        self.failed += 1;
        // A question that hung tells of the past.
        if let Some(over) = self.outages.last_mut().filter(|last| last.to.is_some_and(|to| asked_at <= to)) {
            over.met.entry(mark).or_default().insert(observer);
            return None;
        }
        self.bad.insert(observer, mark);
        self.last_bad = Some(self.last_bad.map_or(asked_at, |last| last.max(asked_at)));
        self.good_since = self.good_since.filter(|since| Some(*since) > self.last_bad);
        match self.outages.last_mut().filter(|outage| outage.to.is_none()) {
            Some(outage) => {
                outage.from = outage.from.min(asked_at);
                outage.met.entry(mark).or_default().insert(observer);
                None
            }
            None => {
                let met = BTreeMap::from([(mark, BTreeSet::from([observer]))]);
                self.outages.push(Outage { from: asked_at, to: None, met });
                Some(Change::Down { shard, from: asked_at, mark, observer })
            }
        }
    }

    /// What somebody met with last is no news any more.
    pub(super) fn forget(&mut self, shard: u32, observer: Observer) -> Option<Change> {
        self.bad.remove(&observer)?;
        self.close(shard)
    }

    /// Ends the outage when nobody has met with anything bad last, and somebody had a good answer.
    fn close(&mut self, shard: u32) -> Option<Change> {
        let to = self.good_since.filter(|_| self.bad.is_empty())?;
        let outage = self.outages.last_mut().filter(|outage| outage.to.is_none())?;
        outage.to = Some(to.max(outage.from));
        Some(Change::Up { shard, outage: outage.clone() })
    }
}
