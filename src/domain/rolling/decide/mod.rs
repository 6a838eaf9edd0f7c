//! The one rule of every rolling operation: what to do next.

mod look;
mod reasons;
mod room;
mod wait;
mod wave;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::observed::{Answers, ExactPod, Observed};
use super::run::{Run, Stage};
use crate::domain::snapshot::Workload;
pub use reasons::{Blocker, Waiting};

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
