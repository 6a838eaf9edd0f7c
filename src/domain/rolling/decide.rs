//! The one rule of every rolling operation: what to do next.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::ledger::Standing;
use super::observed::{Answers, ExactPod, Observed, PlaceholderState};
use super::placeholder::{Room, placeholder_name};
use super::policy::Gate;
use super::run::{Miss, Run, Stage};
use super::trouble::{Trouble, karpenters_complaint, trouble};
use crate::domain::names::{NodeName, PodName, pods_in_short};
use crate::domain::snapshot::{Pod, Shard, Workload};

/// Between two questions to the same shard at least so long passes.
const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_millis(250);
/// A place that Karpenter says it cannot make is waited for so long: it tries again when something changes.
const ROOM_COMPLAINT: SignedDuration = SignedDuration::from_secs(10);

/// A deletion without an answer may take effect so much later.
const MAY_STILL_GO: SignedDuration = SignedDuration::from_secs(60);

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// One step.
    Act(Action),
    /// Nothing yet. Something must change first, or the time come.
    Wait { why: Waiting, until: Option<Timestamp> },
    /// Nothing will change by waiting.
    Blocked(Blocker),
    /// Everything is as it should be.
    Done,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make every change of [`Run::holds`].
    Hold,
    /// Make placeholders for these shards.
    MakeRoom(BTreeSet<u32>),
    /// Give the StatefulSet its template.
    Arm,
    /// Go on to the next stage.
    Enter(Stage),
    /// The controller has named the revision of the wanted template.
    Armed { revision: String },
    /// Ask these shards whether they are well.
    Ask(Vec<(u32, ExactPod)>),
    /// Make each of these shards a wave of its own, the next ones: they are down as they are, and to be moved is what
    /// mends them.
    PutFirst { wave: u32, shards: BTreeSet<u32> },
    /// Delete these pods of a wave, each right after its placeholder.
    TakeDown { wave: u32, pods: Vec<(u32, ExactPod)> },
    /// Evict these pods, which are no shards.
    Evict(Vec<ExactPod>),
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Waiting {
    /// Places are being made.
    Room { missing: BTreeSet<u32>, of: u32, why: Option<String> },
    /// The controller has not taken note of the template yet.
    Controller,
    /// Shards that are down, though not by our hand.
    Whole { down: BTreeSet<u32> },
    /// A shard is up and says that it is not well.
    Healthy { pod: PodName, answer: String },
    /// The service must have been up for a while.
    Settled { until: Timestamp },
    /// The shards of a wave are on their way back.
    Back { wave: u32, shards: BTreeSet<u32> },
    /// Other pods of a node are on their way out.
    Evicted { pods: usize },
}

/// Why the run cannot go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Blocker {
    #[error("{0} is gone")]
    WorkloadGone(String),
    #[error("{0} was made anew: it is not the one that the run was planned for")]
    WorkloadReplaced(String),
    #[error("it has {found} shards now, the run was planned when it had {planned}")]
    ReplicasChanged { planned: u32, found: u32 },
    #[error("somebody else has changed its template: new pods are made from {found}, the run wants {wanted}")]
    TemplateChanged { wanted: String, found: String },
    #[error("its update strategy is {0} now, so that it restarts shards by itself")]
    NotOnDelete(String),
    #[error("the StatefulSet controller has not taken note of the template within {}",
        humantime::format_duration(*.patience))]
    ControllerSilent { patience: Duration },
    #[error("no room within {}: {why}", humantime::format_duration(*.patience))]
    NoRoom { patience: Duration, why: String },
    #[error("{0}")]
    Trouble(Trouble),
    #[error("pod/{pod} came back on node/{node}, which is not where it belongs")]
    WrongNode { pod: PodName, node: NodeName },
    #[error("pod/{pod} came back from revision {found}, the run wants {wanted}")]
    WrongRevision { pod: PodName, found: String, wanted: String },
    #[error("{pods} not back within {}", humantime::format_duration(*.timeout))]
    NotBack { pods: String, timeout: Duration },
    #[error("{pods} down, not by our hand, and not up within {}", humantime::format_duration(*.patience))]
    NotWhole { pods: String, patience: Duration },
    #[error("{pods} went down again and again: the service was not up for long enough within {}",
        humantime::format_duration(*.patience))]
    NotSettled { pods: String, patience: Duration },
    #[error("pod/{pod} is Ready and says that it is not well: {answer}")]
    Unhealthy { pod: PodName, answer: String },
    #[error("an outage of {} is forecast for the next wave, more than the {} of --max-outage",
        secs(*.forecast), secs(*.budget))]
    OverMaxOutage { forecast: Duration, budget: Duration },
    #[error("with the next wave the outages would be {} together, more than the {} of --max-total-outage",
        secs(*.forecast), secs(*.budget))]
    OverTotalOutage { forecast: Duration, budget: Duration },
    #[error("{0} other pods are still on the node")]
    NotEmptied(usize),
}

/// Whole seconds and a tenth.
fn secs(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}

/// What to do next for `run`, as things were last `seen` and by what shards `said`.
///
/// It may be called with what is old by now: nothing that it says is dangerous then, because pods are named exactly,
/// and the caller looks once more before a pod is deleted.
#[must_use]
pub fn decide(run: &Run, seen: &Observed, said: &Answers, now: Timestamp) -> Decision {
    let workload = match intact(run, seen) {
        Ok(workload) => workload,
        Err(blocker) => return Decision::Blocked(blocker),
    };
    let look = Look { run, seen, said, now };
    match run.stage {
        Stage::Holding => Decision::Act(Action::Hold),
        Stage::MakingRoom => look.make_room(),
        Stage::Arming if run.arming.is_some() => Decision::Act(Action::Arm),
        Stage::Arming => enter(Stage::Armed),
        Stage::Armed => look.await_controller(workload),
        Stage::Rolling => look.roll(),
        Stage::Emptying => look.empty(),
        Stage::LettingGo => look.finish(),
    }
}

/// What is left of the step that is under way, when no other is to be begun; none when nothing is under way.
#[must_use]
pub fn finish_step(run: &Run, seen: &Observed, said: &Answers, now: Timestamp) -> Option<Decision> {
    let look = Look { run, seen, said, now };
    let under_way: Vec<u32> =
        run.deleted.keys().copied().filter(|ordinal| look.is_under_way(*ordinal)).collect();
    let first = under_way.first()?;
    if let Err(blocker) = intact(run, seen) {
        return Some(Decision::Blocked(blocker));
    }
    if let Some(blocker) = look.trouble(&seen.down()) {
        return Some(Decision::Blocked(blocker));
    }
    let wave = run.waves.iter().position(|wave| wave.contains(first)).unwrap_or(0);
    Some(look.bring_back(wave, &under_way))
}

/// The workload, unless it is no longer the one that the run was planned for.
fn intact<'a>(run: &Run, seen: &'a Observed) -> Result<&'a Workload, Blocker> {
    let name = run.workload.to_string();
    let Some(workload) = &seen.workload else { return Err(Blocker::WorkloadGone(name)) };
    if workload.uid != run.workload_uid {
        return Err(Blocker::WorkloadReplaced(name));
    }
    if workload.replicas != run.replicas {
        return Err(Blocker::ReplicasChanged { planned: run.replicas, found: workload.replicas });
    }
    if run.arming.is_some() && workload.update_strategy != "OnDelete" {
        return Err(Blocker::NotOnDelete(workload.update_strategy.clone()));
    }
    if run.stage > Stage::Armed
        && workload.is_status_current
        && let Some(wanted) = run.goal.revision.as_ref().filter(|wanted| **wanted != workload.update_revision)
    {
        let (wanted, found) = (wanted.clone(), workload.update_revision.clone());
        return Err(Blocker::TemplateChanged { wanted, found });
    }
    Ok(workload)
}

/// What a decision is made from.
struct Look<'a> {
    run: &'a Run,
    seen: &'a Observed,
    said: &'a Answers,
    now: Timestamp,
}

impl Look<'_> {
    fn make_room(&self) -> Decision {
        let Some(room) = &self.run.room else { return enter(Stage::Arming) };
        // A shard that is where it should be needs no other place, and one that is on its way takes its own.
        let wanted: BTreeSet<u32> =
            room.shards().into_iter().filter(|ordinal| self.needs_room(room, *ordinal)).collect();
        let state = |ordinal: &u32| self.seen.placeholders.get(ordinal).map(|placeholder| &placeholder.state);
        let missing: BTreeSet<u32> = wanted
            .iter()
            .copied()
            .filter(|ordinal| state(ordinal) != Some(&PlaceholderState::Warm))
            .collect();
        let Some(first) = missing.first() else { return enter(Stage::Arming) };
        let complaint = missing.iter().find_map(|ordinal| self.hopeless(*ordinal));
        let deadline = later(self.run.entered_at, self.run.policy.patience);
        if self.now >= deadline || complaint.is_some() {
            let name = placeholder_name(&self.run.workload.name, *first, self.run.attempt);
            let why = complaint
                .or_else(|| self.seen.placeholders.get(first)?.state.why())
                .unwrap_or_else(|| format!("pod/{name} is not running"));
            return Decision::Blocked(Blocker::NoRoom { patience: self.run.policy.patience, why });
        }
        let absent: BTreeSet<u32> = missing
            .iter()
            .copied()
            .filter(|ordinal| matches!(state(ordinal), None | Some(PlaceholderState::Ending)))
            .collect();
        if !absent.is_empty() {
            return Decision::Act(Action::MakeRoom(absent));
        }
        let why = missing.iter().find_map(|ordinal| self.seen.placeholders.get(ordinal)?.state.why());
        let of = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
        Decision::Wait { why: Waiting::Room { missing, of, why }, until: Some(deadline) }
    }

    /// Whether a shard is to be moved, and needs a place for that. The image is wanted on the node that it is on, and no
    /// more where it is on another by now.
    fn needs_room(&self, room: &Room, ordinal: u32) -> bool {
        let node = || self.seen.pods.get(&ordinal).and_then(|pod| pod.node.as_ref());
        self.is_untouched(ordinal)
            && room.only_node(ordinal).is_none_or(|only| node().is_some_and(|node| node.as_str() == only))
    }

    /// Why a placeholder will not get a place by waiting.
    fn hopeless(&self, ordinal: u32) -> Option<String> {
        let placeholder = self.seen.placeholders.get(&ordinal)?;
        match &placeholder.state {
            PlaceholderState::Stuck(why) => Some(why.clone()),
            PlaceholderState::Pending(_) => {
                let warnings = self.seen.warnings.get(&placeholder.pod.uid)?;
                let complaint = karpenters_complaint(warnings, self.run.entered_at)?;
                let waits = self.now.duration_since(placeholder.created_at?);
                (waits >= ROOM_COMPLAINT).then(|| complaint.message.clone())
            }
            _ => None,
        }
    }

    fn await_controller(&self, workload: &Workload) -> Decision {
        if !workload.is_status_current {
            let deadline = later(self.run.entered_at, self.run.policy.patience);
            if self.now >= deadline {
                return Decision::Blocked(Blocker::ControllerSilent { patience: self.run.policy.patience });
            }
            return Decision::Wait { why: Waiting::Controller, until: Some(deadline) };
        }
        // Where the run changes no template, nobody else may have: shards would take theirs by accident.
        let wanted = self.run.goal.revision.as_ref().filter(|_| self.run.arming.is_none());
        if let Some(wanted) = wanted.filter(|wanted| **wanted != workload.update_revision) {
            let (wanted, found) = (wanted.clone(), workload.update_revision.clone());
            return Decision::Blocked(Blocker::TemplateChanged { wanted, found });
        }
        Decision::Act(Action::Armed { revision: workload.update_revision.clone() })
    }

    fn roll(&self) -> Decision {
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

    fn take_down(&self, index: usize, pods: Vec<(u32, &Pod)>) -> Decision {
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

    /// What must come before these shards go: the service was up for a while, the other shards say so themselves, and
    /// there is budget left.
    fn before_a_wave(&self, index: usize, leaving: &[(u32, &Pod)]) -> Option<Decision> {
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

    /// Since when every shard is up, and those that were moved have said that they are well.
    fn whole_since(&self) -> Option<Timestamp> {
        let moved = self.run.deleted.keys().filter_map(|ordinal| self.seen.pods.get(ordinal));
        let passed = moved.filter_map(|pod| self.said.of(&pod.uid)?.passed_at).max();
        self.run.ledger.whole_since.map(|since| passed.map_or(since, |passed| since.max(passed)))
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

    fn over_budget(&self, shards: usize) -> Option<Blocker> {
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

    fn wait_until_whole(&self, down: &BTreeSet<u32>) -> Decision {
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
    fn deadline(&self) -> Timestamp {
        let policy = &self.run.policy;
        let ready = self.seen.pods.values().filter(|pod| pod.is_up()).filter_map(|pod| pod.ready_changed_at);
        let in_turn = ready.max().filter(|_| self.run.forecast.is_serial);
        let since = self.last_back().into_iter().chain(in_turn).fold(self.run.entered_at, Timestamp::max);
        later(later(since, policy.settle), policy.patience)
    }

    fn last_back(&self) -> Option<Timestamp> {
        self.run.ledger.restarts.iter().filter_map(|record| record.marks.back).max()
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

    /// All of a wave are on their way: waits for them, and asks those that are Ready.
    fn bring_back(&self, index: usize, shards: &[u32]) -> Decision {
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

    fn not_back(&self, missing: &BTreeSet<u32>, timeout: Duration) -> Blocker {
        let refusal = missing.iter().find_map(|ordinal| {
            let pod = self.seen.pods.get(ordinal)?;
            let answer = self.said.of(&pod.uid)?.refusal.clone()?;
            Some(Blocker::Unhealthy { pod: self.name(*ordinal), answer })
        });
        refusal.unwrap_or_else(|| Blocker::NotBack { pods: self.names(missing), timeout })
    }

    /// Every wave is back: the last one settles, too, so that what falls over at once is seen.
    fn settle(&self, down: &BTreeSet<u32>) -> Decision {
        if !down.is_empty() {
            return self.wait_until_whole(down);
        }
        let Some(whole_since) = self.whole_since() else { return self.wait_until_whole(down) };
        let not_yet =
            (!self.run.ledger.restarts.is_empty()).then(|| self.wait_until_settled(whole_since)).flatten();
        not_yet.unwrap_or_else(|| enter(Stage::Emptying))
    }

    fn empty(&self) -> Decision {
        let staying: Vec<ExactPod> = self
            .seen
            .others
            .values()
            .filter(|other| !other.is_ending)
            .map(|other| other.pod.clone())
            .collect();
        let pods = self.seen.others.len();
        let deadline = later(self.run.entered_at, self.run.policy.patience);
        match (pods, staying.is_empty()) {
            (0, _) => enter(Stage::LettingGo),
            _ if self.now >= deadline => Decision::Blocked(Blocker::NotEmptied(pods)),
            (_, false) => Decision::Act(Action::Evict(staying)),
            (_, true) => Decision::Wait { why: Waiting::Evicted { pods }, until: Some(deadline) },
        }
    }

    /// Compares the shards with the goal once more. One that has failed meanwhile is waited for as before.
    fn finish(&self) -> Decision {
        match self.run.shards().all(|ordinal| self.is_back(ordinal)) {
            true => Decision::Done,
            false => enter(Stage::Rolling),
        }
    }

    /// A shard that we took down, or that came back meanwhile, and will not come up or came up wrong.
    fn trouble(&self, down: &BTreeSet<u32>) -> Option<Blocker> {
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

    /// Whether a shard is still to be moved: it has the pod that it had, and nobody has asked that one to end.
    fn is_untouched(&self, ordinal: u32) -> bool {
        self.seen.pods.get(&ordinal).is_some_and(|pod| {
            pod.deleted_at.is_none()
                && match self.run.deleted.get(&ordinal) {
                    // We were about to delete it, and did not come to it.
                    Some(uid) => *uid == pod.uid,
                    // Nothing can be of a revision that has no name yet.
                    None if self.run.arming.is_some() && self.run.goal.revision.is_none() => true,
                    // One that has no node is on its way.
                    None => !matches!(self.run.goal.misses(pod, self.seen), None | Some(Miss::NoNode)),
                }
        })
    }

    /// Whether a shard has gone by our hand and is not back.
    fn is_under_way(&self, ordinal: u32) -> bool {
        self.run.deleted.contains_key(&ordinal) && !self.is_untouched(ordinal) && !self.is_back(ordinal)
    }

    /// Whether a shard has a new pod that is where and what it should be, and Ready.
    fn is_home(&self, ordinal: u32, pod: &Pod) -> bool {
        !self.run.is_deleted(ordinal, pod) && pod.is_up() && self.run.goal.is_met(pod, self.seen)
    }

    /// Whether a shard is home and has passed the gate.
    fn is_back(&self, ordinal: u32) -> bool {
        self.seen
            .pods
            .get(&ordinal)
            .is_some_and(|pod| self.is_home(ordinal, pod) && self.run.has_passed(self.said, ordinal, pod))
    }

    fn name(&self, ordinal: u32) -> PodName {
        PodName::new(format!("{}-{ordinal}", self.run.workload.name))
    }

    fn names(&self, ordinals: &BTreeSet<u32>) -> String {
        let ordinals: Vec<u32> = ordinals.iter().copied().collect();
        pods_in_short(&self.run.workload.name, &ordinals)
    }

    fn exact(&self, ordinal: u32, pod: &Pod) -> ExactPod {
        ExactPod {
            namespace: self.run.workload.namespace.clone(),
            name: self.name(ordinal),
            uid: pod.uid.clone(),
            resource_version: pod.resource_version.clone(),
        }
    }
}

impl Run {
    /// Whether the pod of a shard that we moved has passed the gate. What we did not move need not.
    #[must_use]
    pub fn has_passed(&self, said: &Answers, ordinal: u32, pod: &Pod) -> bool {
        self.policy.gate == Gate::None
            || !self.deleted.contains_key(&ordinal)
            || said.of(&pod.uid).is_some_and(|answer| answer.passed_at.is_some())
    }

    /// How a shard that we took down stands with its clients. One that is up where or as it should not be serves them, too.
    #[must_use]
    pub fn standing(&self, seen: &Observed, said: &Answers, ordinal: u32) -> Standing {
        let Some(pod) = seen.pods.get(&ordinal) else { return Standing::Away };
        if self.is_back(seen, said, ordinal) || pod.is_up() && self.is_stray(ordinal, pod, seen) {
            return Standing::Back;
        }
        let is_refused = said.of(&pod.uid).is_some_and(|answer| answer.refusal.is_some());
        let is_new = pod.deleted_at.is_none() && !self.is_deleted(ordinal, pod);
        match seen.answering.get(&pod.uid).filter(|_| is_new && !is_refused) {
            Some(since) => Standing::Answers(*since),
            None => Standing::Away,
        }
    }

    /// Whether the shard is back: a new pod, as the run wants it, Ready, and through the gate.
    #[must_use]
    pub fn is_back(&self, seen: &Observed, said: &Answers, ordinal: u32) -> bool {
        Look { run: self, seen, said, now: seen.at }.is_back(ordinal)
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn enter(stage: Stage) -> Decision {
    Decision::Act(Action::Enter(stage))
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
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
