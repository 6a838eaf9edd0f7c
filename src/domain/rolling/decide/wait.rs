//! What must be so before shards go, and after: how long it is waited for, and who is asked.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Action, Blocker, Decision, Look, Waiting, enter, later, number};
use crate::domain::names::PodName;
use crate::domain::rolling::policy::Gate;
use crate::domain::rolling::run::{Miss, Stage};
use crate::domain::rolling::trouble::trouble;
use crate::domain::snapshot::{Pod, Shard};

/// Between two questions to the same shard at least so long passes.
const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_millis(250);

impl Look<'_> {
    /// What must come before these shards go: the service was up for a while, the other shards say so themselves, and
    /// there is budget left.
    pub(super) fn before_a_wave(&self, index: usize, leaving: &[(u32, &Pod)]) -> Option<Decision> {
        let Some(whole_since) = self.whole_since() else {
            return Some(self.wait_until_whole(&self.seen.down()));
        };
        let is_first = index == 0 && self.run.ledger.restarts.is_empty();
        if !is_first && let Some(not_yet) = self.wait_until_settled(whole_since) {
            return Some(not_yet);
        }
        self.ask_others(whole_since, leaving)
            .or_else(|| self.over_budget(leaving.len()).map(Decision::Blocked))
    }

    /// Why these many shards may not go: what was allowed to be down does not suffice.
    pub(super) fn over_budget(&self, shards: usize) -> Option<Blocker> {
        let run = self.run;
        let restart = run.ledger.longest_restart().or(run.forecast.restart)?;
        let outage = run.forecast.outage(shards, restart);
        if let Some(budget) = run.policy.max_outage.filter(|budget| outage > *budget) {
            return Some(Blocker::OverMaxOutage { forecast: outage, budget });
        }
        let forecast = run.ledger.total(self.now) + outage;
        let budget = run.policy.max_total_outage.filter(|budget| forecast > *budget)?;
        Some(Blocker::OverTotalOutage { forecast, budget })
    }

    /// Asks every shard that has not said that it is well since the service was last whole. Those that are about to go
    /// need not be well: the run may be what mends them.
    fn ask_others(&self, since: Timestamp, leaving: &[(u32, &Pod)]) -> Option<Decision> {
        if self.run.policy.gate == Gate::None {
            return None;
        }
        let mut ask = Vec::new();
        let mut refused: Option<(PodName, String, Timestamp)> = None;
        let is_leaving = |ordinal: &u32| leaving.iter().any(|(one, _)| one == ordinal);
        for (ordinal, pod) in self.seen.pods.iter().filter(|(ordinal, _)| !is_leaving(ordinal)) {
            match self.said.of(&pod.uid) {
                Some(answer) if answer.at >= since && answer.refusal.is_none() => {}
                Some(answer) if answer.at >= since && self.now < answer.at + ASK_AGAIN_AFTER => {
                    let said = answer.refusal.clone().unwrap_or_default();
                    refused.get_or_insert((self.name(*ordinal), said, answer.at + ASK_AGAIN_AFTER));
                }
                _ => ask.push((*ordinal, self.exact(*ordinal, pod))),
            }
        }
        if let Some((pod, answer, again)) = refused {
            if self.now >= self.deadline() {
                return Some(Decision::Blocked(Blocker::Unhealthy { pod, answer }));
            }
            if ask.is_empty() {
                let why = Waiting::Healthy { pod, answer };
                return Some(Decision::Wait { why, until: Some(again) });
            }
        }
        (!ask.is_empty()).then_some(Decision::Act(Action::Ask(ask)))
    }

    /// Since when every shard is up, and those that were moved have said that they are well.
    fn whole_since(&self) -> Option<Timestamp> {
        let moved = self.run.deleted.keys().filter_map(|ordinal| self.seen.pods.get(ordinal));
        let passed = moved.filter_map(|pod| self.said.of(&pod.uid)?.passed_at).max();
        self.run.ledger.whole_since.map(|since| passed.map_or(since, |passed| since.max(passed)))
    }

    pub(super) fn wait_until_whole(&self, down: &BTreeSet<u32>) -> Decision {
        let (patience, deadline) = (self.run.policy.patience, self.deadline());
        if self.now >= deadline {
            return Decision::Blocked(Blocker::NotWhole { pods: self.names(down), patience });
        }
        Decision::Wait { why: Waiting::Whole { down: down.clone() }, until: Some(deadline) }
    }

    /// Waits until the service has been up for so long; none when it has.
    fn wait_until_settled(&self, whole_since: Timestamp) -> Option<Decision> {
        let (settled_at, deadline) = (later(whole_since, self.run.policy.settle), self.deadline());
        if self.now >= settled_at {
            return None;
        }
        if self.now >= deadline {
            let pods = self.run.ledger.outages.last().map(|outage| self.names(&outage.shards));
            let (pods, patience) = (pods.unwrap_or_default(), self.run.policy.patience);
            return Some(Decision::Blocked(Blocker::NotSettled { pods, patience }));
        }
        let why = Waiting::Settled { until: settled_at };
        Some(Decision::Wait { why, until: Some(settled_at.min(deadline)) })
    }

    /// Until when the next wave is waited for, from when the run came to it: the last shard was back then, or, where they
    /// come up one after the other, the last was Ready.
    pub(super) fn deadline(&self) -> Timestamp {
        let policy = &self.run.policy;
        let ready = self.seen.pods.values().filter(|pod| pod.is_up()).filter_map(|pod| pod.ready_changed_at);
        let in_turn = ready.max().filter(|_| self.run.forecast.is_serial);
        let since = self.last_back().into_iter().chain(in_turn).fold(self.run.entered_at, Timestamp::max);
        later(later(since, policy.settle), policy.patience)
    }

    fn last_back(&self) -> Option<Timestamp> {
        self.run.ledger.restarts.iter().filter_map(|record| record.marks.back).max()
    }

    /// All of a wave are on their way: waits for them, and asks those that are Ready.
    pub(super) fn bring_back(&self, index: usize, shards: &[u32]) -> Decision {
        let missing: BTreeSet<u32> =
            shards.iter().copied().filter(|ordinal| !self.is_back(*ordinal)).collect();
        let mut next_question: Option<Timestamp> = None;
        let mut ask = Vec::new();
        for ordinal in &missing {
            let Some(pod) = self.seen.pods.get(ordinal).filter(|pod| self.is_home(*ordinal, pod)) else {
                continue;
            };
            let again = self.said.of(&pod.uid).map(|answer| answer.at + ASK_AGAIN_AFTER);
            match again {
                Some(again) if self.now < again => {
                    next_question = Some(next_question.map_or(again, |earliest| earliest.min(again)));
                }
                _ => ask.push((*ordinal, self.exact(*ordinal, pod))),
            }
        }
        if !ask.is_empty() {
            return Decision::Act(Action::Ask(ask));
        }
        let timeout = self.run.policy.shard_timeout;
        let deadline = self.due(&missing);
        if self.now >= deadline {
            return Decision::Blocked(self.not_back(&missing, timeout));
        }
        let until = next_question.map_or(deadline, |question| question.min(deadline));
        Decision::Wait { why: Waiting::Back { wave: number(index), shards: missing }, until: Some(until) }
    }

    /// Until when shards that are on their way may take, from when they were asked to go. One that was back and failed
    /// again has its time from then, and where they come back in turn, each from the one before it.
    fn due(&self, shards: &BTreeSet<u32>) -> Timestamp {
        let ledger = &self.run.ledger;
        let outage = ledger.outages.last().filter(|outage| outage.ended_at.is_none());
        // Shards may answer their clients before they are Ready: no outage, and not whole either.
        let over = || ledger.outages.last()?.ended_at;
        let down_since = outage.map(|outage| outage.started_at).or(ledger.whole_since).or_else(over);
        let down_since = down_since.unwrap_or(self.run.entered_at);
        let begun = shards.iter().map(|ordinal| {
            let record = ledger.restarts.iter().rfind(|record| record.ordinal == *ordinal);
            let record = record.filter(|record| record.marks.back.is_none());
            record.map_or(down_since, |record| record.marks.asked)
        });
        let in_turn = self.last_back().filter(|_| self.run.forecast.is_serial);
        let since = begun.chain(in_turn).fold(self.run.entered_at, Timestamp::max);
        later(since, self.run.policy.shard_timeout)
    }

    fn not_back(&self, missing: &BTreeSet<u32>, timeout: Duration) -> Blocker {
        let refusal = missing.iter().find_map(|ordinal| {
            let pod = self.seen.pods.get(ordinal)?;
            let answer = self.said.of(&pod.uid)?.refusal.clone()?;
            Some(Blocker::Unhealthy { pod: self.name(*ordinal), answer })
        });
        refusal.unwrap_or_else(|| Blocker::NotBack { pods: self.names(missing), timeout })
    }

    /// Every wave is back: the last one settles, too, so that what falls over at once is seen.
    pub(super) fn settle(&self, down: &BTreeSet<u32>) -> Decision {
        if !down.is_empty() {
            return self.wait_until_whole(down);
        }
        let Some(whole_since) = self.whole_since() else { return self.wait_until_whole(down) };
        let not_yet =
            (!self.run.ledger.restarts.is_empty()).then(|| self.wait_until_settled(whole_since)).flatten();
        not_yet.unwrap_or_else(|| enter(Stage::Emptying))
    }

    /// A shard that we took down, or that came back meanwhile, and will not come up or came up wrong.
    pub(super) fn trouble(&self, down: &BTreeSet<u32>) -> Option<Blocker> {
        for (ordinal, uid) in &self.run.deleted {
            let new = |pod: &&Pod| pod.uid != *uid && pod.deleted_at.is_none();
            let Some(pod) = self.seen.pods.get(ordinal).filter(new) else { continue };
            match self.run.goal.misses(pod, self.seen) {
                None | Some(Miss::NoNode) => {}
                Some(Miss::Revision(found)) => {
                    let wanted = self.run.goal.revision.clone().unwrap_or_default();
                    return Some(Blocker::WrongRevision { pod: self.name(*ordinal), found, wanted });
                }
                Some(Miss::Node(node) | Miss::Pool(node)) => {
                    return Some(Blocker::WrongNode { pod: self.name(*ordinal), node });
                }
            }
        }
        down.iter().find_map(|ordinal| {
            // A pod that the run is still to delete is broken already: that is why it is deleted.
            if self.run.shards().any(|moved| moved == *ordinal) && self.is_untouched(*ordinal) {
                return None;
            }
            let pod = self.seen.pods.get(ordinal)?;
            let shard = Shard { ordinal: *ordinal, pod_name: self.name(*ordinal), pod: Some(pod.clone()) };
            let warnings = self.seen.warnings.get(&pod.uid).map_or(&[][..], Vec::as_slice);
            trouble(&shard, warnings, self.run.entered_at, self.now).map(Blocker::Trouble)
        })
    }
}
