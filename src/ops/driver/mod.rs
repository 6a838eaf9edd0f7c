//! The loop: look, decide, act, journal.
//!
//! One step is taken at a time, and then things are looked at again. A call that fails in passing is not repeated by
//! itself: the loop comes to it again, if it is still what should be done.

mod act;
mod end;
mod take_down;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::rolling::{
    Answers, Decision, ExactPod, ObjectRef, Run, Stage, State, StopReason, Turn, Waiting, decide, finish_step,
};
use crate::ops::cluster::{CallError, CallFailure, Cluster};
use crate::ops::event::{Event, Happened};
use crate::ops::gate::Approved;
use crate::ops::hand::Hand;
use crate::ops::interrupt::{Interrupt, Urgency};

/// Looks again after so long without news: a watch may have died without a word.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// Calls that fail in passing are made again for so long.
const KEEP_TRYING: SignedDuration = SignedDuration::from_secs(60);
/// The first pause before a call is made again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Pods deleted, made or evicted at the same time. More would queue in the API server's fair share of this user.
const CONCURRENT_WRITES: usize = 32;

/// How a run ended, for now or for good.
#[derive(Debug)]
pub struct Ended {
    /// The run with its state, as the journal has it.
    pub run: Run,
    /// What could not be given back or journalled, and why.
    pub left: Option<CallError>,
}

/// Why the loop ends.
enum End {
    Done,
    Stop(StopReason),
}

/// Carries a run out until it is done, blocked, interrupted or locked out. What was held is given back in every case
/// but the last: there, whoever has the lock does it.
pub async fn drive<C: Cluster>(
    cluster: &C,
    approved: &Approved,
    run: Run,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&Event),
) -> Ended {
    let mut driver = Driver::new(cluster, approved, run, interrupt, tell);
    let end = driver.go().await;
    driver.end(end).await
}

/// Closes a run that stopped, or whose process died: gives back what it holds; with `purpose` also what it was for. No pod
/// is deleted. It is aborted then, for this reason.
pub async fn take_back<C: Cluster>(
    cluster: &C,
    approved: &Approved,
    run: Run,
    purpose: bool,
    why: &str,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&Event),
) -> Ended {
    let mut driver = Driver::new(cluster, approved, run, interrupt, tell);
    driver.catch_up();
    // Whoever worked on it finds out at its next write.
    loop {
        let end = match driver.save().await {
            Ok(()) => break,
            Err(Halt::End(end)) => Some(end),
            Err(Halt::Call(error)) => driver.failed(error).await,
        };
        if let Some(end) = end {
            return driver.end(end).await;
        }
    }
    driver.close(State::Aborted { why: why.to_owned() }, purpose).await
}

struct Driver<'a, C> {
    cluster: &'a C,
    hand: Hand<'a, C>,
    approved: &'a Approved,
    run: Run,
    interrupt: &'a Interrupt,
    tell: &'a mut dyn FnMut(&Event),
    said: Answers,
    /// What was last told to be waited for.
    waiting: Option<Waiting>,
    /// Since when calls fail in passing.
    failing_since: Option<Timestamp>,
    pause: Duration,
}

impl<'a, C: Cluster> Driver<'a, C> {
    fn new(
        cluster: &'a C,
        approved: &'a Approved,
        run: Run,
        interrupt: &'a Interrupt,
        tell: &'a mut dyn FnMut(&Event),
    ) -> Self {
        Self {
            cluster,
            hand: Hand::new(cluster, approved),
            approved,
            run,
            interrupt,
            tell,
            said: Answers::default(),
            waiting: None,
            failing_since: None,
            pause: FIRST_PAUSE,
        }
    }

    fn tell(&mut self, what: Happened) {
        (self.tell)(&Event { at: self.cluster.now(), what });
    }

    async fn go(&mut self) -> End {
        // A resumed run starts from the top: what it held was given back when it stopped.
        let is_resumed = self.run.attempt > 1;
        self.run.stage = Stage::Holding;
        self.run.entered_at = self.cluster.now();
        self.run.state = State::Running;
        if is_resumed {
            self.catch_up();
        }
        self.tell(Happened::Started { run: Box::new(self.run.clone()), is_resumed });
        loop {
            if !self.cluster.holds_lock() {
                return End::Stop(StopReason::LockLost);
            }
            self.take_in();
            let decision = match self.next() {
                Ok(decision) => decision,
                Err(end) => return end,
            };
            let result = match decision {
                Decision::Act(action) => self.act(action).await,
                Decision::Wait { why, until } => self.wait_for(why, until).await,
                Decision::Blocked(blocker) => return End::Stop(StopReason::Blocked(blocker.to_string())),
                Decision::Done => return End::Done,
            };
            match result {
                Ok(()) => (self.failing_since, self.pause) = (None, FIRST_PAUSE),
                Err(Halt::End(end)) => return end,
                Err(Halt::Call(error)) => {
                    if let Some(end) = self.failed(error).await {
                        return end;
                    }
                }
            }
        }
    }

    /// Takes in what happened since another process worked on the run.
    fn catch_up(&mut self) {
        let (seen, now) = (self.cluster.seen(), self.cluster.now());
        self.run.ledger.resume(&seen, &self.run.deleted, now);
    }

    fn decide(&self) -> Decision {
        decide(&self.run, &self.cluster.seen(), &self.said, self.cluster.now())
    }

    /// Takes what is seen into the ledger, and tells what is new.
    fn take_in(&mut self) {
        let (seen, now) = (self.cluster.seen(), self.cluster.now());
        let mut ledger = std::mem::take(&mut self.run.ledger);
        let standing = |ordinal| self.run.standing(&seen, &self.said, ordinal);
        let turns = ledger.observe(&seen, &self.run.deleted, standing, now);
        self.run.ledger = ledger;
        for turn in turns {
            self.tell(match turn {
                Turn::OutageStarted { shards } => Happened::OutageStarted { shards },
                Turn::OutageEnded { outage } => Happened::OutageEnded { outage },
                Turn::Shard { ordinal, mark } => Happened::Shard { ordinal, mark },
            });
        }
    }

    /// Waits for a call. It may take long; what is seen meanwhile is timed all the same.
    async fn attend<T>(&mut self, call: impl Future<Output = T>) -> T {
        let cluster = self.cluster;
        let mut call = std::pin::pin!(call);
        loop {
            tokio::select! {
                biased;
                result = &mut call => return result,
                () = cluster.changed(None) => self.take_in(),
            }
        }
    }

    /// Looks anew.
    async fn look(&mut self) -> Result<(), CallError> {
        let cluster = self.cluster;
        self.attend(cluster.look()).await?;
        self.take_in();
        Ok(())
    }

    async fn read(&mut self, object: &ObjectRef) -> Result<Option<Value>, CallError> {
        let cluster = self.cluster;
        self.attend(cluster.read(object)).await
    }

    /// What to do next, or the end where the operator wants one and now is the time.
    fn next(&self) -> Result<Decision, End> {
        let urgency = self.interrupt.urgency();
        if urgency == Urgency::AfterStep
            && let Some(rest) = finish_step(&self.run, &self.cluster.seen(), &self.said, self.cluster.now())
        {
            return Ok(rest);
        }
        let decision = self.decide();
        // What is done is not interrupted any more, and what is blocked says more than that it was.
        let is_over = matches!(decision, Decision::Done | Decision::Blocked(_));
        match urgency > Urgency::None && !is_over {
            true => Err(End::Stop(StopReason::Interrupted)),
            false => Ok(decision),
        }
    }

    async fn wait_for(&mut self, why: Waiting, until: Option<Timestamp>) -> Result<(), Halt> {
        if self.waiting.as_ref() != Some(&why) {
            // What was measured is kept now, where nobody waits for it: also that an outage of others began.
            let is_calm = matches!(why, Waiting::Settled { .. } | Waiting::Whole { .. });
            self.waiting = Some(why.clone());
            self.tell(Happened::Waiting { why });
            if is_calm {
                self.save().await?;
            }
        }
        self.wait(until).await
    }

    async fn wait(&mut self, until: Option<Timestamp>) -> Result<(), Halt> {
        let known = self.interrupt.urgency();
        let look_again = self.cluster.now() + LOOK_AGAIN;
        let until = until.map_or(look_again, |until| until.min(look_again));
        tokio::select! {
            // The operator is heard first, and the same things lead to the same each time.
            biased;
            () = self.interrupt.beyond(known) => {
                let at_once = self.interrupt.urgency() == Urgency::Now;
                self.tell(Happened::Interrupted { at_once });
            }
            () = self.cluster.changed(Some(until)) => {}
        }
        if self.cluster.now() >= look_again {
            self.look().await?;
        }
        Ok(())
    }

    /// Lets time pass, unless the operator wants to stop. What is seen meanwhile is timed all the same.
    async fn rest(&mut self, duration: Duration) {
        let (cluster, interrupt) = (self.cluster, self.interrupt);
        let known = interrupt.urgency();
        let mut pause = std::pin::pin!(cluster.pause(duration));
        loop {
            tokio::select! {
                biased;
                () = interrupt.beyond(known) => {
                    let at_once = interrupt.urgency() == Urgency::Now;
                    return self.tell(Happened::Interrupted { at_once });
                }
                () = &mut pause => return,
                () = cluster.changed(None) => self.take_in(),
            }
        }
    }

    /// A call failed: waits if it may pass, or ends the run.
    async fn failed(&mut self, error: CallError) -> Option<End> {
        let now = self.cluster.now();
        let since = *self.failing_since.get_or_insert(now);
        let is_passing = error.is_passing() || error.failure == CallFailure::Conflict;
        if !is_passing || now.duration_since(since) >= KEEP_TRYING {
            return Some(End::Stop(StopReason::Blocked(error.to_string())));
        }
        let after = self.pause_after(&error, since);
        if error.failure != CallFailure::Conflict {
            self.tell(Happened::Retrying { error: error.to_string(), after });
        }
        self.rest(after).await;
        // What the call was decided on may be old, or the call may have happened after all.
        let _ = self.look().await;
        None
    }

    /// How long to wait before a call is made again that has failed since then: as long as the server asked for, and
    /// longer each time.
    fn pause_after(&mut self, error: &CallError, since: Timestamp) -> Duration {
        let asked = match error.failure {
            CallFailure::Busy(after) => after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        // Whoever asks for an hour is asked once more when it is time to give up.
        let trying = self.cluster.now().duration_since(since);
        let left = Duration::try_from(KEEP_TRYING - trying).unwrap_or_default();
        let after = asked.max(self.pause).min(left);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        after
    }

    async fn enter(&mut self, stage: Stage) -> Result<(), Halt> {
        if stage > Stage::MakingRoom && self.run.stage == Stage::MakingRoom && self.run.room.is_some() {
            self.tell(Happened::RoomMade);
        }
        self.run.stage = stage;
        self.run.entered_at = self.cluster.now();
        self.waiting = None;
        self.save().await?;
        self.tell(Happened::Entered { stage });
        Ok(())
    }

    async fn save(&mut self) -> Result<(), Halt> {
        let (cluster, run) = (self.cluster, self.run.clone());
        self.attend(write(cluster, &run)).await
    }
}

fn pod_ref(pod: &ExactPod) -> ObjectRef {
    ObjectRef::new("v1", "Pod", Some(&pod.namespace), pod.name.as_str())
}

/// Writes the journal. Nobody but the holder of the lock writes it, so a conflict tells that the lock is another's.
async fn write<C: Cluster>(cluster: &C, run: &Run) -> Result<(), Halt> {
    if !cluster.holds_lock() {
        return Err(Halt::End(End::Stop(StopReason::LockLost)));
    }
    match cluster.save(run).await {
        Err(error) if error.failure == CallFailure::Conflict => {
            Err(Halt::End(End::Stop(StopReason::LockLost)))
        }
        result => Ok(result?),
    }
}

/// Why a step was not carried out.
enum Halt {
    Call(CallError),
    End(End),
}

impl Halt {
    fn stop(why: String) -> Self {
        Self::End(End::Stop(StopReason::Blocked(why)))
    }
}

impl From<CallError> for Halt {
    fn from(error: CallError) -> Self {
        match error.failure {
            CallFailure::LockLost => Self::End(End::Stop(StopReason::LockLost)),
            _ => Self::Call(error),
        }
    }
}
