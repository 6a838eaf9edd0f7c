//! The loop: look, decide, act, journal.
//!
//! One step is taken at a time, and then things are looked at again. A call that fails in passing is not repeated by
//! itself: the loop comes to it again, if it is still what should be done.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::cluster::{CallError, CallFailure, Cluster};
use super::event::{Event, Happened};
use super::gate::Approved;
use super::hand::Hand;
use super::interrupt::{Interrupt, Urgency};
use super::let_go::{COLLISIONS, in_words, let_go};
use crate::domain::rolling::{
    Action, Answers, Change, Decision, ExactPod, ObjectRef, Observed, PlaceholderState, Run, Stage, State,
    StopReason, Turn, Waiting, decide, finish_step,
};

/// Looks again after so long without news: a watch may have died without a word.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// Calls that fail in passing are made again for so long.
const KEEP_TRYING: SignedDuration = SignedDuration::from_secs(60);
/// The first pause before a call is made again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Where a look takes longer itself, that may have been this process, which stood still: it is taken again so many times.
const FRESH_LOOKS: usize = 2;
/// Pods deleted, made or evicted at the same time. More would queue in the API server's fair share of this user.
const CONCURRENT_WRITES: usize = 32;
/// A pod is deleted on the strength of a look that was begun no longer ago. Where that look, or what came after it, took
/// longer, things are looked at once more.
const FRESH: SignedDuration = SignedDuration::from_millis(100);
/// A budget that forbids an eviction is asked again after so long, as kubectl drain does.
const EVICT_AGAIN: Duration = Duration::from_secs(5);

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

    async fn act(&mut self, action: Action) -> Result<(), Halt> {
        match action {
            Action::Hold => {
                self.rebase().await?;
                // Everything that is about to be changed is in the journal before the first change.
                self.run.is_holding = true;
                self.save().await?;
                for change in self.run.holds.clone() {
                    if self.make(&change).await? {
                        self.tell(Happened::Held { what: in_words(&change, "held") });
                    }
                }
                self.enter(Stage::MakingRoom).await
            }
            Action::MakeRoom(shards) => self.make_room(shards).await,
            Action::Arm => {
                if let Some(arming) = self.run.arming.clone() {
                    self.make(&arming).await?;
                }
                // From now on what is seen of the StatefulSet is what was made of it.
                self.look().await?;
                self.enter(Stage::Armed).await
            }
            Action::Enter(stage) => self.enter(stage).await,
            Action::Armed { revision } => {
                if !self.is_ours(&revision).await? {
                    return Ok(self.look().await?);
                }
                if self.run.arming.is_some() && self.run.goal.revision.as_ref() != Some(&revision) {
                    self.tell(Happened::Armed { revision: revision.clone() });
                }
                self.run.goal.revision = Some(revision);
                self.run.forget_unmoved(&self.cluster.seen());
                self.enter(Stage::Rolling).await
            }
            Action::Ask(pods) => {
                let (cluster, gate) = (self.cluster, self.run.policy.gate.clone());
                let answers = self.attend(cluster.ask(&gate, &pods)).await;
                let now = self.cluster.now();
                for ((ordinal, pod), answer) in pods.iter().zip(answers) {
                    if let Err(answer) = &answer
                        && self.said.of(&pod.uid).is_none_or(|before| before.refusal.as_ref() != Some(answer))
                    {
                        self.tell(Happened::GateRefused { ordinal: *ordinal, answer: answer.clone() });
                    }
                    self.said.note(&pod.uid, now, answer, self.run.policy.gate_successes);
                }
                Ok(())
            }
            Action::PutFirst { wave, shards } => {
                // They may be up by now.
                self.look().await?;
                if self.decide() != Decision::Act(Action::PutFirst { wave, shards: shards.clone() }) {
                    return Ok(());
                }
                self.run.put_first(wave, &shards);
                self.save().await?;
                self.tell(Happened::PutFirst { wave, shards });
                Ok(())
            }
            Action::TakeDown { wave, pods } => self.take_down(wave, pods).await,
            Action::Evict(pods) => self.evict(pods).await,
        }
    }

    /// Whether the controller calls our template so, and not one that somebody else has made of it meanwhile.
    async fn is_ours(&mut self, revision: &str) -> Result<bool, Halt> {
        let Some(arming) = self.run.arming.clone() else { return Ok(true) };
        let Some(live) = self.read(&arming.object).await? else { return Ok(false) };
        if !arming.is_made(&live) {
            return Err(Halt::stop(format!("somebody else has changed spec.template of {}", arming.object)));
        }
        let field = |path: &str| live.pointer(path);
        let is_noted = field("/status/observedGeneration") == field("/metadata/generation");
        let is_named = field("/status/updateRevision").and_then(Value::as_str) == Some(revision);
        Ok(is_noted && is_named)
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

    /// What is given back is what is there now, unless that is what we made of it: since it was planned, or since the run
    /// stopped, somebody may have changed it.
    async fn rebase(&mut self) -> Result<(), Halt> {
        let mut holds = self.run.holds.clone();
        for change in holds.iter_mut().filter(|change| !change.hold.is_purpose()) {
            if let Some(live) = self.read(&change.object).await?
                && !(self.run.is_holding && change.is_made(&live))
            {
                change.rebase(&live);
            }
        }
        self.run.holds = holds;
        Ok(())
    }

    /// Makes a change, and says whether there was anything to do.
    async fn make(&mut self, change: &Change) -> Result<bool, Halt> {
        let mut collisions = 0;
        loop {
            // What is gone need not be changed; that the StatefulSet is gone is seen anyway.
            let Some(live) = self.read(&change.object).await? else { return Ok(false) };
            let operations = change.make(&live).map_err(|foreign| Halt::stop(foreign.to_string()))?;
            if operations.is_empty() {
                return Ok(false);
            }
            let hand = self.hand;
            match self.attend(hand.patch(&change.object, &operations)).await {
                Err(error) if error.failure == CallFailure::Conflict && collisions < COLLISIONS => {
                    collisions += 1;
                }
                result => return Ok(result.map(|()| true)?),
            }
        }
    }

    async fn make_room(&mut self, shards: BTreeSet<u32>) -> Result<(), Halt> {
        let Some(room) = self.run.room.clone() else { return Ok(()) };
        let hand = self.hand;
        let create = async |object| match hand.create(&object).await {
            // Made by a call that seemed to have failed.
            Err(error) if error.failure == CallFailure::AlreadyExists => Ok(()),
            result => result,
        };
        // One that has ended keeps its name until it is removed.
        let seen = self.cluster.seen();
        let ended = seen.placeholders.iter().filter(|(ordinal, placeholder)| {
            shards.contains(ordinal) && placeholder.state == PlaceholderState::Ending
        });
        for (_, placeholder) in ended {
            self.attend(hand.remove(&pod_ref(&placeholder.pod))).await?;
        }
        if let Some(name) = &room.priority_class {
            let class = create(json!({
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "shardctl"}},
                "description": "Placeholders of a run of shardctl: they give way to everybody",
                "value": -1,
                "preemptionPolicy": "Never",
            }));
            self.attend(class).await?;
        }
        let (workload, attempt) = (self.run.workload.name.clone(), self.run.attempt);
        let pods = shards.iter().map(|ordinal| room.placeholder(&workload, *ordinal, attempt));
        let making = stream::iter(pods).map(create).buffer_unordered(CONCURRENT_WRITES).collect();
        let made: Vec<Result<(), CallError>> = self.attend(making).await;
        made.into_iter().collect::<Result<(), CallError>>()?;
        self.tell(Happened::RoomAsked { shards });
        Ok(self.look().await?)
    }

    /// Deletes the pods of a wave, after one more look.
    async fn take_down(&mut self, wave: u32, pods: Vec<(u32, ExactPod)>) -> Result<(), Halt> {
        if !self.approved.covers(&pods) {
            let too_many = format!("{} shards at once were not approved", pods.len());
            return Err(Halt::stop(too_many));
        }
        if self.run.lacks_room(&self.cluster.seen(), pods.iter().map(|(ordinal, _)| *ordinal)) {
            return self.enter(Stage::MakingRoom).await;
        }
        // The journal first: it also tells whether another process has taken over. Looking takes no longer meanwhile.
        let mut intended = self.run.clone();
        note_taken(&mut intended, wave, &pods, &self.cluster.seen(), self.cluster.now());
        let (cluster, hand) = (self.cluster, self.hand);
        let mut looked_at = cluster.now();
        let (saved, looked) =
            self.attend(async { futures::join!(write(cluster, &intended), cluster.look()) }).await;
        saved?;
        looked?;
        // However long the journal took, what is deleted rests on what was so a moment ago.
        for _ in 0..FRESH_LOOKS {
            if cluster.now().duration_since(looked_at) > FRESH {
                looked_at = cluster.now();
                self.look().await?;
            }
        }
        self.take_in();
        let Some(pods) = self.still_to_go(wave, &pods) else { return Ok(()) };
        note_taken(&mut self.run, wave, &pods, &self.cluster.seen(), self.cluster.now());
        let of = u32::try_from(self.run.waves.len()).unwrap_or(u32::MAX);
        let restart = self.run.ledger.longest_restart().or(self.run.forecast.restart);
        let forecast = restart.map(|restart| self.run.forecast.outage(pods.len(), restart));
        let shards = pods.iter().map(|(ordinal, _)| *ordinal).collect();
        self.tell(Happened::WaveStarted { wave, of, shards, forecast });
        // The places are free long before the new pods need them.
        let places = self.places_of(&pods);
        let freeing = stream::iter(&places)
            .map(async |place| hand.remove(place).await)
            .buffered(CONCURRENT_WRITES)
            .collect::<Vec<Result<(), CallError>>>();
        let (freed, deleted) = futures::join!(freeing, self.delete(wave, &pods, looked_at));
        deleted?;
        freed.into_iter().collect::<Result<(), CallError>>()?;
        Ok(self.look().await?)
    }

    /// The pods of a wave as they are now, if it is still these that are to go.
    fn still_to_go(&self, wave: u32, pods: &[(u32, ExactPod)]) -> Option<Vec<(u32, ExactPod)>> {
        let Decision::Act(Action::TakeDown { wave: again, pods: fresh }) = self.decide() else { return None };
        let uids = |pods: &[(u32, ExactPod)]| pods.iter().map(|(_, pod)| pod.uid.clone()).collect::<Vec<_>>();
        (again == wave && uids(&fresh) == uids(pods)).then_some(fresh)
    }

    /// The placeholders that keep the places of these shards.
    fn places_of(&self, pods: &[(u32, ExactPod)]) -> Vec<ObjectRef> {
        let seen = self.cluster.seen();
        let place = |(ordinal, _): &(u32, ExactPod)| Some(pod_ref(&seen.placeholders.get(ordinal)?.pod));
        pods.iter().filter_map(place).collect()
    }

    /// Deletes pods, so many at a time. One that must wait for its turn goes only if it still may; else the loop comes to
    /// it again.
    async fn delete(
        &mut self,
        wave: u32,
        pods: &[(u32, ExactPod)],
        looked_at: Timestamp,
    ) -> Result<(), Halt> {
        let (cluster, hand) = (self.cluster, self.hand);
        let delete = async |ordinal: u32, pod| (ordinal, hand.delete_pod(pod).await);
        let mut waiting = pods.iter();
        let mut deleting = FuturesUnordered::new();
        for (ordinal, pod) in waiting.by_ref().take(CONCURRENT_WRITES) {
            deleting.push(delete(*ordinal, pod));
        }
        let mut failed = None;
        while !deleting.is_empty() {
            tokio::select! {
                biased;
                Some((ordinal, result)) = deleting.next() => {
                    if result.as_ref().is_err_and(|error| error.failure == CallFailure::Conflict) {
                        self.run.ledger.refuse(ordinal);
                    }
                    // One that is another pod by now, or has changed: the next look tells what to do.
                    if let Err(error) = result
                        && !matches!(error.failure, CallFailure::Conflict | CallFailure::NotFound)
                    {
                        failed.get_or_insert(error);
                    }
                    let is_fresh = cluster.now().duration_since(looked_at) <= FRESH;
                    if let Some((ordinal, pod)) =
                        waiting.next().filter(|(_, pod)| is_fresh && self.may_go(wave, pod))
                    {
                        deleting.push(delete(*ordinal, pod));
                    }
                }
                // The first shard may be back before the last one has gone: what is seen meanwhile is timed, too.
                () = cluster.changed(None) => self.take_in(),
            }
        }
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    fn may_go(&self, wave: u32, pod: &ExactPod) -> bool {
        match self.decide() {
            Decision::Act(Action::TakeDown { wave: its, pods }) => {
                its == wave && pods.iter().any(|(_, other)| other == pod)
            }
            _ => false,
        }
    }

    async fn evict(&mut self, pods: Vec<ExactPod>) -> Result<(), Halt> {
        let hand = self.hand;
        let evicting = stream::iter(&pods).map(|pod| hand.evict(pod)).buffered(CONCURRENT_WRITES).collect();
        let results: Vec<Result<(), CallError>> = self.attend(evicting).await;
        let mut evicted = Vec::new();
        let mut is_refused = false;
        for (pod, result) in pods.iter().zip(results) {
            let name = format!("{}/{}", pod.namespace, pod.name);
            match result {
                Ok(()) => evicted.push(name),
                Err(error) if matches!(error.failure, CallFailure::NotFound | CallFailure::Conflict) => {}
                Err(CallError { failure: CallFailure::Busy(_), message, .. }) => {
                    is_refused = true;
                    self.tell(Happened::EvictionRefused { pod: name, message });
                }
                Err(error) => return Err(error.into()),
            }
        }
        if !evicted.is_empty() {
            self.tell(Happened::Evicted { pods: evicted });
        }
        if is_refused {
            self.rest(EVICT_AGAIN).await;
        }
        Ok(self.look().await?)
    }

    /// Gives back what was held, closes the journal, and tells how it ended.
    async fn end(mut self, end: End) -> Ended {
        let is_untouched = self.run.stage <= Stage::MakingRoom && self.run.deleted.is_empty();
        match end {
            End::Done => self.close(State::Done, false).await,
            // Whoever has the lock gives it back.
            End::Stop(StopReason::LockLost) => {
                self.run.state = State::Stopped { why: StopReason::LockLost };
                self.run.ended_at = Some(self.cluster.now());
                self.ended(None)
            }
            // Nothing has happened to the service: there is nothing to resume, and nothing stays changed. What looks like
            // ours before anything was made is somebody else's.
            End::Stop(why) if is_untouched => {
                let is_made = self.run.is_holding || self.run.attempt > 1;
                self.close(State::Aborted { why: why.to_string() }, is_made).await
            }
            End::Stop(why) => self.close(State::Stopped { why }, false).await,
        }
    }

    /// Gives back what was held and writes the last entry, again and again while that fails in passing.
    async fn close(mut self, state: State, purpose: bool) -> Ended {
        let since = self.cluster.now();
        self.run.ended_at = Some(since);
        self.pause = FIRST_PAUSE;
        loop {
            let Err(error) = self.try_to_close(&state, purpose).await else { return self.ended(None) };
            let is_lost = error.failure == CallFailure::LockLost;
            let is_over = !error.is_passing()
                || self.cluster.now().duration_since(since) >= KEEP_TRYING
                || self.interrupt.urgency() == Urgency::Now;
            if is_lost || is_over {
                let why = if is_lost { StopReason::LockLost } else { StopReason::Blocked(error.to_string()) };
                self.run.state = State::Stopped { why };
                if !is_lost {
                    // What is left is in the journal for the next one, if it can be written.
                    let _ = self.cluster.save(&self.run).await;
                }
                return self.ended(Some(error));
            }
            let after = self.pause_after(&error, since);
            self.tell(Happened::Retrying { error: error.to_string(), after });
            self.rest(after).await;
        }
    }

    async fn try_to_close(&mut self, state: &State, purpose: bool) -> Result<(), CallError> {
        let (cluster, tell) = (self.cluster, &mut self.tell);
        let mut say = |what| tell(&Event { at: cluster.now(), what });
        let_go(cluster, self.approved, &mut self.run, purpose, &mut say).await?;
        self.run.state = state.clone();
        let lost = |message: &str| Err(CallError::new("close the run", CallFailure::LockLost, message));
        if !cluster.holds_lock() {
            return lost("the lock was lost");
        }
        match cluster.save(&self.run).await {
            Err(error) if error.failure == CallFailure::Conflict => lost("another process has taken over"),
            result => result,
        }
    }

    fn ended(mut self, left: Option<CallError>) -> Ended {
        self.tell(Happened::Ended { run: Box::new(self.run.clone()) });
        Ended { run: self.run, left }
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

/// Notes in a run that these pods are deleted, or about to be.
fn note_taken(run: &mut Run, wave: u32, pods: &[(u32, ExactPod)], seen: &Observed, now: Timestamp) {
    for (ordinal, pod) in pods {
        run.deleted.insert(*ordinal, pod.uid.clone());
        let from = seen.pods.get(ordinal).filter(|seen| seen.uid == pod.uid);
        run.ledger.ask(*ordinal, wave, from.and_then(|pod| pod.node.clone()), now);
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
