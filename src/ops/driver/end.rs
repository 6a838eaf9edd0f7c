//! How a run ends: what it held is given back, and the journal says so.

use super::{Driver, End, Ended, FIRST_PAUSE, KEEP_TRYING};
use crate::domain::rolling::{Stage, State, StopReason};
use crate::ops::cluster::{CallError, CallFailure, Cluster};
use crate::ops::event::{Event, Happened};
use crate::ops::interrupt::Urgency;
use crate::ops::let_go::let_go;

impl<C: Cluster> Driver<'_, C> {
    /// Gives back what was held, closes the journal, and tells how it ended.
    pub(super) async fn end(mut self, end: End) -> Ended {
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
    pub(super) async fn close(mut self, state: State, purpose: bool) -> Ended {
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
