//! What each step does.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{CONCURRENT_WRITES, Driver, Halt, pod_ref};
use crate::domain::rolling::{Action, Change, Decision, ExactPod, PlaceholderState, Stage};
use crate::ops::cluster::{CallError, CallFailure, Cluster};
use crate::ops::event::Happened;
use crate::ops::let_go::{COLLISIONS, in_words};

/// A budget that forbids an eviction is asked again after so long, as kubectl drain does.
const EVICT_AGAIN: Duration = Duration::from_secs(5);

impl<C: Cluster> Driver<'_, C> {
    pub(super) async fn act(&mut self, action: Action) -> Result<(), Halt> {
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
}
