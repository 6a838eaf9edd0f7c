//! The one step that deletes pods of shards.

use futures::stream::FuturesUnordered;
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::{CONCURRENT_WRITES, Driver, Halt, pod_ref, write};
use crate::domain::rolling::{Action, Decision, ExactPod, ObjectRef, Observed, Run, Stage};
use crate::ops::cluster::{CallError, CallFailure, Cluster};
use crate::ops::event::Happened;

/// A pod is deleted on the strength of a look that was begun no longer ago. Where that look, or what came after it, took
/// longer, things are looked at once more.
const FRESH: SignedDuration = SignedDuration::from_millis(100);
/// Where a look takes longer itself, that may have been this process, which stood still: it is taken again so many times.
const FRESH_LOOKS: usize = 2;

impl<C: Cluster> Driver<'_, C> {
    /// Deletes the pods of a wave, after one more look.
    pub(super) async fn take_down(&mut self, wave: u32, pods: Vec<(u32, ExactPod)>) -> Result<(), Halt> {
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
}

/// Notes in a run that these pods are deleted, or about to be.
fn note_taken(run: &mut Run, wave: u32, pods: &[(u32, ExactPod)], seen: &Observed, now: Timestamp) {
    for (ordinal, pod) in pods {
        run.deleted.insert(*ordinal, pod.uid.clone());
        let from = seen.pods.get(ordinal).filter(|seen| seen.uid == pod.uid);
        run.ledger.ask(*ordinal, wave, from.and_then(|pod| pod.node.clone()), now);
    }
}
