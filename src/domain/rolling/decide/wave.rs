//! Which shards go next.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{Action, Blocker, Decision, Look, Waiting, later, number};
use crate::domain::snapshot::Pod;

/// A deletion without an answer may take effect so much later.
const MAY_STILL_GO: SignedDuration = SignedDuration::from_secs(60);

impl Look<'_> {
    pub(super) fn roll(&self) -> Decision {
        let down = self.seen.down();
        if let Some(blocker) = self.trouble(&down) {
            return Decision::Blocked(blocker);
        }
        let mut waves = self.run.waves.iter().enumerate();
        // What is not made before a broken shard is mended, which was to go with it and did not, is not waited for.
        let mut left_over = self.broken(&down);
        left_over.retain(|ordinal| self.run.deleted.contains_key(ordinal));
        let held_up = self.seen.held_up_by(&left_over);
        let is_coming = |ordinal: &u32| self.is_under_way(*ordinal) && !held_up.contains(ordinal);
        let under_way = |wave: &&Vec<u32>| wave.iter().any(is_coming);
        if let Some((index, wave)) = waves.clone().find(|(_, wave)| under_way(wave)) {
            return self.go_on(index, wave, &down);
        }
        match waves.find(|(_, wave)| wave.iter().any(|ordinal| !self.is_back(*ordinal))) {
            Some((index, wave)) => self.begin(index, wave, &down),
            None => self.settle(&down),
        }
    }

    /// A wave that is under way: the rest of it goes, too, while the service is down for it anyway.
    fn go_on(&self, index: usize, wave: &[u32], down: &BTreeSet<u32>) -> Decision {
        let (broken, healthy): (Vec<_>, Vec<_>) =
            self.untouched(wave).into_iter().partition(|(ordinal, _)| down.contains(ordinal));
        let is_ours = |ordinal: &u32| wave.contains(ordinal) && self.is_under_way(*ordinal);
        let is_broken = |ordinal: &u32| broken.iter().any(|(other, _)| other == ordinal);
        let is_down = down.iter().any(is_ours);
        let has_others = down.iter().any(|ordinal| !is_ours(ordinal) && !is_broken(ordinal));
        // What is down by itself goes before what is up.
        let left = if broken.is_empty() { healthy } else { broken };
        if left.is_empty() || !is_down || has_others {
            let is_coming = |ordinal: &u32| wave.contains(ordinal) && !self.is_untouched(*ordinal);
            let all = self.run.shards().filter(|one| is_coming(one) || self.is_under_way(*one));
            return self.bring_back(index, &all.collect::<Vec<u32>>());
        }
        self.take_down(index, left)
    }

    /// The next wave. That one was written down does not mean that it was begun.
    fn begin(&self, index: usize, wave: &[u32], down: &BTreeSet<u32>) -> Decision {
        let left = self.untouched(wave);
        let mut broken = self.broken(down);
        let held_up = self.seen.held_up_by(&broken);
        if left.is_empty() && held_up.is_disjoint(&wave.iter().copied().collect()) {
            return self.bring_back(index, wave);
        }
        // Whatever else is down comes up, or it does not.
        broken.retain(|ordinal| !held_up.contains(ordinal));
        let others: BTreeSet<u32> =
            down.iter().copied().filter(|one| !broken.contains(one) && !held_up.contains(one)).collect();
        if !others.is_empty() {
            return self.wait_until_whole(&others);
        }
        if broken.is_empty() {
            return self.before_a_wave(index, &left).unwrap_or_else(|| self.take_down(index, left));
        }
        self.mend(index, &left, &broken)
    }

    /// Shards that are down as they are, and that the run moves.
    fn broken(&self, down: &BTreeSet<u32>) -> BTreeSet<u32> {
        let is_broken = |ordinal: &u32| down.contains(ordinal) && self.is_untouched(*ordinal);
        self.run.shards().filter(is_broken).collect()
    }

    /// Shards that are down as they are go before everything else, together, in waves of their own.
    fn mend(&self, index: usize, left: &[(u32, &Pod)], broken: &BTreeSet<u32>) -> Decision {
        let waves = &self.run.waves;
        // Those that went with them and that they hold up are down by our hand, too.
        let under_way = self.run.deleted.keys().filter(|ordinal| self.is_under_way(**ordinal)).count();
        if number(broken.len() + under_way) > self.run.largest_wave || self.may_another_go(broken) {
            return self.wait_until_whole(broken);
        }
        // Those that broke before their turn are given the time to come up by themselves that the service is given to
        // settle. Where it was their turn, every second of waiting would be a second of outage.
        let outage = self.run.ledger.outages.last().filter(|outage| outage.ended_at.is_none());
        let given_up_at = later(outage.map_or(self.now, |outage| outage.started_at), self.run.policy.settle);
        let is_their_turn = left.iter().all(|(ordinal, _)| broken.contains(ordinal));
        if !is_their_turn && self.now < given_up_at {
            return Decision::Wait { why: Waiting::Whole { down: broken.clone() }, until: Some(given_up_at) };
        }
        let has_healthy = |wave: &&Vec<u32>| {
            wave.iter().any(|ordinal| self.is_untouched(*ordinal) && !broken.contains(ordinal))
        };
        let among_healthy: BTreeSet<u32> = waves.iter().filter(has_healthy).flatten().copied().collect();
        let shards: BTreeSet<u32> = among_healthy.intersection(broken).copied().collect();
        if !shards.is_empty() {
            return Decision::Act(Action::PutFirst { wave: number(index), shards });
        }
        let first = waves.iter().position(|wave| wave.iter().any(|ordinal| broken.contains(ordinal)));
        let blocker = self.over_budget(broken.len()).map(Decision::Blocked);
        let broken: Vec<u32> = self.run.shards().filter(|ordinal| broken.contains(ordinal)).collect();
        blocker.unwrap_or_else(|| self.take_down(first.unwrap_or(index), self.untouched(&broken)))
    }

    /// Whether the deletion of another shard may be on its way yet: it was sent, and nobody knows what became of it.
    fn may_another_go(&self, than: &BTreeSet<u32>) -> bool {
        self.run.ledger.restarts.iter().any(|record| {
            !than.contains(&record.ordinal)
                && self.run.deleted.contains_key(&record.ordinal)
                && self.is_untouched(record.ordinal)
                && self.now < record.marks.asked + MAY_STILL_GO
        })
    }

    pub(super) fn take_down(&self, index: usize, pods: Vec<(u32, &Pod)>) -> Decision {
        // A change that the controller has not taken note of may be another template.
        if !self.seen.workload.as_ref().is_some_and(|workload| workload.is_status_current) {
            let patience = self.run.policy.patience;
            return match self.deadline() {
                deadline if self.now >= deadline => Decision::Blocked(Blocker::ControllerSilent { patience }),
                deadline => Decision::Wait { why: Waiting::Controller, until: Some(deadline) },
            };
        }
        let pods = pods.into_iter().map(|(ordinal, pod)| (ordinal, self.exact(ordinal, pod))).collect();
        Decision::Act(Action::TakeDown { wave: number(index), pods })
    }

    /// The shards of a wave that are still to be moved.
    fn untouched(&self, wave: &[u32]) -> Vec<(u32, &Pod)> {
        wave.iter()
            .filter(|ordinal| self.is_untouched(**ordinal))
            .filter_map(|ordinal| Some((*ordinal, self.seen.pods.get(ordinal)?)))
            .collect()
    }
}
