//! Asserts the guarantees of a run on the truth of the simulation.
//!
//! A pod is judged at the moment its deletion is *sent*, by what anybody who watches could know then, and the verdict
//! counts if the deletion takes effect. What happens between that moment and the effect no client can know: another
//! shard may fail, or be deleted by somebody else, while one request is on its way. That window is one call; that what
//! was known is no older than [`WINDOW`] is asserted, too. Everything else is judged when it takes effect.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shardctl::domain::names::{NodeName, NodePoolName};
use shardctl::domain::rolling::{ExactPod, ObjectRef, Observed, Run};
use shardctl::domain::snapshot::Pod;

use crate::schedule::{Ms, seconds};
use crate::world::objects::PodKey;

/// A deletion rests on a look that was answered no longer ago than this.
const WINDOW: Ms = 100;
/// A deletion without an answer may still take effect for so long.
const UNCLEAR_FOR: Ms = 60_000;
/// Whoever measures sees the beginning and the end of an outage a little late.
const MEASURED: Ms = 1500;

/// What is asserted, by its name in the documentation; and what must be true of every run beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guarantee {
    WholeBeforeStart,
    NeverMoreThanWave,
    ExactPod,
    BackBeforeNext,
    OneRun,
    LeavesNothing,
    WithinBudget,
    Resumable,
    Disarmed,
    /// The ledger says what was.
    Ledger,
    /// The run comes to an end, and stops for a reason that there is.
    Ends,
}

impl std::fmt::Display for Guarantee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::WholeBeforeStart => "whole-before-start",
            Self::NeverMoreThanWave => "never-more-than-wave",
            Self::ExactPod => "exact-pod",
            Self::BackBeforeNext => "back-before-next",
            Self::OneRun => "one-run",
            Self::LeavesNothing => "leaves-nothing",
            Self::WithinBudget => "within-budget",
            Self::Resumable => "resumable",
            Self::Disarmed => "disarmed",
            Self::Ledger => "the ledger",
            Self::Ends => "every run ends",
        })
    }
}

/// A guarantee that was broken.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    pub guarantee: Guarantee,
    pub what: String,
}

/// A shard that the run has deleted.
#[derive(Clone, Debug)]
struct Taken {
    uid: String,
    at: Ms,
    /// When its shard was first up again.
    up_at: Option<Ms>,
}

/// An outage, from when to when.
#[derive(Clone, Debug, PartialEq)]
pub struct TrueOutage {
    pub from: Ms,
    pub to: Option<Ms>,
}

/// How long the service was down, as far as the run can know.
#[derive(Default)]
struct Downtime {
    /// By our hand.
    ours: Ms,
    /// By others', while a process that watches knew of it.
    others: Ms,
    /// Until when it is counted, and what is so since.
    until: Ms,
    is_ours: bool,
    is_known: bool,
}

impl Downtime {
    fn count(&mut self, now: Ms) {
        let passed = now - self.until.min(now);
        match (self.is_ours, self.is_known) {
            (true, _) => self.ours += passed,
            (false, true) => self.others += passed,
            (false, false) => {}
        }
        self.until = now;
    }
}

/// What the operator approved.
struct Plan {
    waves: Vec<Vec<u32>>,
    revision: Option<String>,
    pool: Option<NodePoolName>,
    avoid: BTreeSet<NodeName>,
    gate: u32,
    settle: Ms,
    max_outage: Option<Ms>,
    max_total_outage: Option<Ms>,
    forecast: Option<Ms>,
    is_serial: bool,
}

/// The checker.
#[derive(Default)]
pub struct Checker {
    plan: Option<Plan>,
    taken: BTreeMap<u32, Taken>,
    /// Deletions under way, or without an answer.
    sent: BTreeMap<u32, (String, Ms)>,
    /// Whether the shards that are on their way were broken, and taken for that.
    is_mending: bool,
    /// Good answers in a row, by uid, and when they were enough.
    passes: BTreeMap<String, (u32, Option<Ms>)>,
    /// Since when the service is seen to be whole.
    whole_since: Option<Ms>,
    pub outages: Vec<TrueOutage>,
    downtime: Downtime,
    /// What a process that ended without a word was about to delete: whether it did, nobody knows.
    presumed: BTreeMap<u32, String>,
    /// What somebody else has made of objects.
    pub foreign: BTreeMap<ObjectRef, Value>,
    pub violation: Option<Violation>,
    /// The shards that were deleted by our hand, in order.
    pub deleted: Vec<u32>,
}

impl Checker {
    /// The plan that the operator approved, and the revision that its template has in truth.
    pub fn approve(&mut self, run: &Run, revision: Option<String>, now: Ms) {
        let ms = |duration: std::time::Duration| Ms::try_from(duration.as_millis()).unwrap_or(Ms::MAX);
        let policy = &run.policy;
        self.plan = Some(Plan {
            waves: run.waves.clone(),
            revision,
            pool: run.goal.node_pool.clone(),
            avoid: run.goal.avoid_nodes.clone(),
            gate: match policy.gate {
                shardctl::domain::rolling::Gate::None => 0,
                _ => policy.gate_successes.max(1),
            },
            settle: ms(policy.settle),
            max_outage: policy.max_outage.map(ms),
            max_total_outage: policy.max_total_outage.map(ms),
            forecast: run.forecast.restart.map(ms),
            is_serial: run.forecast.is_serial,
        });
        self.downtime.count(now);
        (self.downtime.ours, self.downtime.others) = (0, 0);
    }

    pub fn violate(&mut self, guarantee: Guarantee, what: impl Into<String>) {
        self.violation.get_or_insert(Violation { guarantee, what: what.into() });
    }

    /// The shards that are down, in truth.
    pub fn truth_is(&mut self, now: Ms, down: &BTreeSet<u32>) {
        self.downtime.count(now);
        self.downtime.is_ours =
            self.taken.iter().any(|(ordinal, taken)| taken.up_at.is_none() && down.contains(ordinal));
        let open = self.outages.last_mut().filter(|outage| outage.to.is_none());
        match (open, down.is_empty()) {
            (None, false) => self.outages.push(TrueOutage { from: now, to: None }),
            (Some(outage), true) => outage.to = Some(now),
            _ => {}
        }
        for (ordinal, taken) in &mut self.taken {
            if taken.up_at.is_none() && !down.contains(ordinal) {
                taken.up_at = Some(now);
            }
        }
    }

    /// The shards that are down, as far as those who watch can know, and whether a process does.
    pub fn view_is(&mut self, now: Ms, down: &BTreeSet<u32>, is_attended: bool) {
        self.downtime.count(now);
        self.downtime.is_known = is_attended && !down.is_empty();
        match down.is_empty() {
            true => drop(self.whole_since.get_or_insert(now)),
            false => self.whole_since = None,
        }
    }

    /// A shard was asked whether it is well.
    pub fn answered(&mut self, now: Ms, _: u32, uid: &str, is_well: bool) {
        let gate = self.plan.as_ref().map_or(0, |plan| plan.gate);
        let (passes, passed_at) = self.passes.entry(uid.to_owned()).or_default();
        *passes = if is_well { *passes + 1 } else { 0 };
        match *passes >= gate {
            true => drop(passed_at.get_or_insert(now)),
            false => *passed_at = None,
        }
    }

    /// Whether a shard that was taken is back, by what is known.
    fn is_back(&self, plan: &Plan, seen: &Observed, ordinal: u32) -> Result<(), String> {
        let Some(pod) = seen.pods.get(&ordinal) else { return Err("has no pod".to_owned()) };
        if let Some(taken) = self.taken.get(&ordinal) {
            if taken.uid == pod.uid {
                return Err("is still seen".to_owned());
            }
            let passes = self.passes.get(&pod.uid).map_or(0, |(passes, _)| *passes);
            if passes < plan.gate {
                return Err(format!("has passed the gate {passes} times of {}", plan.gate));
            }
        }
        if !pod.is_up() {
            return Err("is not up".to_owned());
        }
        plan.misses(pod, seen).map_or(Ok(()), Err)
    }

    /// Judges a deletion as it is sent.
    pub fn may_delete(
        &mut self,
        now: Ms,
        ordinal: u32,
        pod: &ExactPod,
        seen: &Observed,
        journal: Option<&Run>,
        looked_at: Ms,
    ) -> Option<Violation> {
        let plan = self.plan.take()?;
        self.presume(now, seen, journal);
        let verdict = self.judge(&plan, now, ordinal, pod, seen, journal, looked_at);
        self.plan = Some(plan);
        self.sent.insert(ordinal, (pod.uid.clone(), now));
        verdict.err().map(|(guarantee, what)| Violation {
            guarantee,
            what: format!("{} is deleted; {what}", PodKey::Shard(ordinal).name()),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "everything that a deletion is judged by")]
    fn judge(
        &mut self,
        plan: &Plan,
        now: Ms,
        ordinal: u32,
        pod: &ExactPod,
        seen: &Observed,
        journal: Option<&Run>,
        looked_at: Ms,
    ) -> Result<(), (Guarantee, String)> {
        if journal.is_none_or(|run| run.deleted.get(&ordinal) != Some(&pod.uid)) {
            return Err((Guarantee::Resumable, "the journal does not say so".to_owned()));
        }
        let age = now - looked_at.min(now);
        if age > WINDOW {
            let what = format!("the last look was answered {} ago", seconds(age));
            return Err((Guarantee::WholeBeforeStart, what));
        }
        let known = seen.pods.get(&ordinal);
        let is_up = known.is_some_and(Pod::is_up);
        let down = seen.down();
        // A shard that came back wrong is up, and to be moved again. Others like it may go before it, one wave after the
        // other, and what is down, which goes before everything; what was not moved yet may not.
        let is_astray = |other: &u32| {
            self.taken.get(other).is_some_and(|taken| {
                let new = seen.pods.get(other).filter(|pod| pod.is_up() && pod.uid != taken.uid);
                new.is_some_and(|pod| plan.misses(pod, seen).is_some())
            })
        };
        let is_before_astray = !is_up || is_astray(&ordinal);
        // Shards that we took and that are not back, and those that may go any moment by our hand.
        let is_ours = |other: &u32| *other != ordinal;
        let not_back: BTreeMap<u32, String> = self
            .taken
            .keys()
            .filter(|other| is_ours(other) && !(is_before_astray && is_astray(other)))
            .filter_map(|other| Some((*other, self.is_back(plan, seen, *other).err()?)))
            .collect();
        let going = self.sent.iter().filter(|(other, (uid, at))| {
            is_ours(other)
                && now - at < UNCLEAR_FOR
                && seen.pods.get(other).is_some_and(|pod| pod.uid == *uid)
        });
        let ours: BTreeSet<u32> = not_back.keys().copied().chain(going.map(|(other, _)| *other)).collect();
        let is_to_be_mended = |other: &u32| {
            plan.waves.iter().flatten().any(|moved| moved == other)
                && seen
                    .pods
                    .get(other)
                    .is_some_and(|pod| pod.deleted_at.is_none() && plan.misses(pod, seen).is_some())
        };
        // An OrderedReady set makes no pod before those below it are Ready: what has none, or one that has failed, comes up
        // when they are mended.
        let mended = down.iter().copied().filter(|other| ours.contains(other) || is_to_be_mended(other));
        let lowest = mended.chain([ordinal]).min();
        let is_held_up = |other: &u32| {
            let is_unmade = || seen.pods.get(other).is_none_or(Pod::has_ended);
            !is_up && plan.is_serial && Some(*other) > lowest && is_unmade()
        };
        let down: BTreeSet<u32> = down.into_iter().filter(|other| !is_held_up(other)).collect();
        let strangers: BTreeSet<u32> =
            down.iter().copied().filter(|other| *other != ordinal && !ours.contains(other)).collect();
        if !strangers.is_empty() && (is_up || !strangers.iter().all(is_to_be_mended)) {
            let what = format!("shards that are down for other reasons: {strangers:?}");
            return Err((Guarantee::WholeBeforeStart, what));
        }
        let is_gone = |other: &&u32| {
            let up = seen.pods.get(other).filter(|pod| pod.is_up());
            up.is_none_or(|up| self.taken.get(other).is_some_and(|taken| taken.uid == up.uid))
                || self.sent.get(other).is_some_and(|(uid, _)| up.is_some_and(|up| up.uid == *uid))
        };
        let mut all: BTreeSet<u32> = ours.iter().filter(is_gone).copied().chain(down).collect();
        all.insert(ordinal);
        let largest = plan.waves.iter().map(Vec::len).max().unwrap_or(0);
        if all.len() > largest {
            let what = format!("{all:?} would be down together, and {largest} were approved");
            return Err((Guarantee::NeverMoreThanWave, what));
        }
        let wave_of = |ordinal: u32| plan.waves.iter().position(|wave| wave.contains(&ordinal));
        let wave = wave_of(ordinal);
        for other in &ours {
            let is_mending = self.is_mending && !is_up;
            if wave_of(*other) != wave && !is_mending {
                let why = not_back.get(other).map_or("is about to go", String::as_str);
                let what = format!("{} of another wave {why}", PodKey::Shard(*other).name());
                return Err((Guarantee::BackBeforeNext, what));
            }
        }
        // One shard goes before its turn where it was down by itself, and has come up meanwhile. More do not.
        if is_up && !ours.is_empty() {
            for other in plan.waves.iter().take(wave.unwrap_or(0)).flatten() {
                if let Err(why) = self.is_back(plan, seen, *other) {
                    let what = format!("{} of an earlier wave {why}", PodKey::Shard(*other).name());
                    return Err((Guarantee::BackBeforeNext, what));
                }
            }
        }
        if !ours.is_empty() {
            return Ok(());
        }
        self.is_mending = !is_up;
        if is_up && !self.taken.is_empty() {
            // It is not whole before the last shard has passed the gate.
            let passed = self
                .taken
                .keys()
                .filter(|taken| !(is_before_astray && is_astray(taken)))
                .filter_map(|taken| self.passes.get(&seen.pods.get(taken)?.uid)?.1)
                .max()
                .filter(|_| plan.gate > 0);
            let whole = self.whole_since.map_or(0, |since| now - since.max(passed.unwrap_or(0)));
            if whole < plan.settle {
                let what = format!("the service was up for {} of {}", seconds(whole), seconds(plan.settle));
                return Err((Guarantee::BackBeforeNext, what));
            }
        }
        self.judge_budget(plan, now, wave, is_up, seen, &strangers)
    }

    fn judge_budget(
        &mut self,
        plan: &Plan,
        now: Ms,
        wave: Option<usize>,
        is_up: bool,
        seen: &Observed,
        strangers: &BTreeSet<u32>,
    ) -> Result<(), (Guarantee, String)> {
        let restarts = self.taken.values().filter_map(|taken| Some(taken.up_at? - taken.at));
        let Some(restart) = restarts.max().or(plan.forecast) else { return Ok(()) };
        let shards = match is_up {
            false => strangers.len() + 1,
            true => wave.map_or(1, |wave| {
                let left = plan.waves[wave].iter().filter(|ordinal| {
                    seen.pods.get(ordinal).is_some_and(|pod| plan.misses(pod, seen).is_some())
                });
                left.count().max(1)
            }),
        };
        let outage = if plan.is_serial { restart * Ms::try_from(shards).unwrap_or(Ms::MAX) } else { restart };
        let over = |what: &str, forecast: Ms, budget: Ms| {
            let what =
                format!("an outage of {} {what} is forecast, {} allowed", seconds(forecast), seconds(budget));
            Err((Guarantee::WithinBudget, what))
        };
        if let Some(budget) = plan.max_outage.filter(|budget| outage > budget + MEASURED) {
            return over("at once", outage, budget);
        }
        self.downtime.count(now);
        let before = self.downtime.ours + self.downtime.others;
        // What was missed is not counted: blips while the watch was late.
        let missed = MEASURED * Ms::try_from(self.outages.len()).unwrap_or(0);
        match plan.max_total_outage.filter(|budget| before + outage > budget + missed) {
            Some(budget) => over("in all", before + outage, budget),
            None => Ok(()),
        }
    }

    /// A process ended without a word. What it saw of others and did not write down, nobody knows, nor whether it has
    /// deleted what it had written down.
    pub fn forget(&mut self, now: Ms, journal: Option<&Run>) {
        self.downtime.count(now);
        self.downtime.others = 0;
        self.presumed = journal.map(|run| run.deleted.clone()).unwrap_or_default();
    }

    /// What the journal calls deleted, since a process that may have done it, and is gone or going: it counts as ours.
    fn presume(&mut self, now: Ms, seen: &Observed, journal: Option<&Run>) {
        for (ordinal, uid) in &self.presumed {
            let is_journalled = journal.is_some_and(|run| run.deleted.get(ordinal) == Some(uid));
            let is_there = |pod: &Pod| pod.uid == *uid && pod.deleted_at.is_none();
            let is_gone = !seen.pods.get(ordinal).is_some_and(is_there);
            let is_known = self.taken.get(ordinal).is_some_and(|taken| taken.uid == *uid);
            if is_journalled && is_gone && !is_known {
                let taken = Taken { uid: uid.clone(), at: now, up_at: None };
                self.taken.insert(*ordinal, taken);
            }
        }
    }

    /// A deletion was answered, and nothing was deleted for sure.
    pub fn not_deleted(&mut self, ordinal: u32, uid: &str) {
        if self.sent.get(&ordinal).is_some_and(|(sent, _)| sent == uid) {
            self.sent.remove(&ordinal);
        }
    }

    /// A shard is deleted by our hand.
    pub fn takes_down(
        &mut self,
        now: Ms,
        ordinal: u32,
        meant: &ExactPod,
        live: &ExactPod,
        objection: Option<Violation>,
    ) {
        if meant != live {
            let what = format!(
                "{} was meant as {} at {}, and is {} at {}",
                live.name, meant.uid, meant.resource_version, live.uid, live.resource_version
            );
            self.violate(Guarantee::ExactPod, what);
        }
        if let Some(objection) = objection {
            self.violation.get_or_insert(objection);
        }
        self.deleted.push(ordinal);
        self.sent.remove(&ordinal);
        self.taken.insert(ordinal, Taken { uid: live.uid.clone(), at: now, up_at: None });
    }

    /// An object is changed by our hand.
    pub fn patched(&mut self, _: Ms, _: usize, object: &ObjectRef, journal: Option<&Run>) {
        let is_journalled = journal.is_some_and(|run| run.changes().any(|change| change.object == *object));
        if !is_journalled {
            self.violate(
                Guarantee::LeavesNothing,
                format!("{object} is changed, and the journal does not say so"),
            );
        }
    }

    /// An object is made by our hand.
    pub fn created(&mut self, _: Ms, _: usize, object: &Value, journal: Option<&Run>) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        if journal.is_none_or(|run| run.room.is_none()) {
            self.violate(
                Guarantee::LeavesNothing,
                format!("{name} is made, and the journal does not say so"),
            );
        }
        if object["kind"] == "Pod" && object["spec"]["activeDeadlineSeconds"].as_u64().unwrap_or(0) == 0 {
            self.violate(Guarantee::LeavesNothing, format!("{name} would not end by itself"));
        }
    }

    /// Something was sent by a process that knows that its lock may be another's.
    pub fn wrote_without_lock(&mut self, _: Ms, what: &str) {
        self.violate(Guarantee::OneRun, format!("{what} was sent without the lock"));
    }

    /// Somebody else has changed an object.
    pub fn somebody_changed(&mut self, object: &ObjectRef, theirs: Value) {
        self.foreign.insert(object.clone(), theirs);
    }
}

impl Plan {
    /// What is not as wanted about a pod.
    fn misses(&self, pod: &Pod, seen: &Observed) -> Option<String> {
        if self.revision.is_some() && pod.revision != self.revision {
            return Some(format!("is of revision {:?}", pod.revision));
        }
        let Some(node) = &pod.node else { return Some("is on no node".to_owned()) };
        if self.avoid.contains(node) {
            return Some(format!("is on node/{node}, which is emptied"));
        }
        let wanted = self.pool.as_ref()?;
        match crate::world::pool_of(seen, node) {
            Some(pool) if pool == *wanted => None,
            pool => Some(format!("is on node/{node} of pool {pool:?}")),
        }
    }
}
