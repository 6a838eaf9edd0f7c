//! Breaks each guarantee on purpose, from outside the engine, to see the checker catch it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shardctl::domain::rolling::{ExactPod, Gate, ObjectRef, Observed, PatchOperation, Run};
use shardctl::ops::{Approved, CallError, Cluster, Ended};

use crate::cluster::SimCluster;
use crate::world::Request;
use crate::world::objects::timestamp;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sabotage {
    None,
    /// Shards that are down for other reasons look as if they were up.
    HidesTheDown,
    /// The waves are made one.
    MergesWaves,
    /// Pods are deleted by name.
    DeletesByName,
    /// Shards are taken for well without being asked.
    AsksNobody,
    /// The service is not given time to settle.
    DoesNotSettle,
    /// The lock is believed in, come what may.
    IgnoresTheLock,
    /// Placeholders are not removed.
    KeepsPlaceholders,
    /// Budgets of pools are not given back.
    KeepsPoolsFrozen,
    /// The budgets that the operator gave are not known.
    ForgetsBudgets,
    /// Nothing is written down once the first shard is to go.
    SkipsTheJournal,
    /// The template is not given back.
    KeepsTheTemplate,
    /// The ledger says what was not.
    MeasuresWrongly,
    /// Shards that are back are not seen.
    SeesNobodyBack,
}

impl Sabotage {
    /// The run as the saboteur has it carried out.
    pub fn tamper(self, mut run: Run) -> Run {
        match self {
            Self::MergesWaves => (run.waves, run.largest_wave) = (vec![run.waves.concat()], u32::MAX),
            Self::DoesNotSettle => run.policy.settle = Duration::ZERO,
            Self::ForgetsBudgets => {
                (run.policy.max_outage, run.policy.max_total_outage) = (None, None);
            }
            _ => {}
        }
        run
    }

    /// How the run ended, as the saboteur tells it.
    pub fn misreport(self, mut ended: Ended) -> Ended {
        if let (Self::MeasuresWrongly, Some(outage)) = (self, ended.run.ledger.outages.first_mut()) {
            outage.started_at -= SignedDuration::from_secs(60);
        }
        ended
    }
}

/// A cluster between the engine and the simulation.
pub struct Saboteur {
    pub cluster: SimCluster,
    pub sabotage: Sabotage,
    /// How often what it keeps was patched, by all processes.
    pub patched: Rc<Cell<u32>>,
}

impl Cluster for Saboteur {
    fn now(&self) -> Timestamp {
        self.cluster.now()
    }

    fn seen(&self) -> Arc<Observed> {
        let seen = self.cluster.seen();
        let is_up = match self.sabotage {
            Sabotage::HidesTheDown => true,
            Sabotage::SeesNobodyBack => false,
            _ => return seen,
        };
        let mut seen = (*seen).clone();
        for pod in seen.pods.values_mut() {
            let is_new = pod.created_at.is_some_and(|created| created > timestamp(0));
            if is_up || is_new {
                pod.is_ready = is_up;
            }
        }
        Arc::new(seen)
    }

    async fn look(&self) -> Result<(), CallError> {
        self.cluster.look().await
    }

    async fn changed(&self, until: Option<Timestamp>) {
        self.cluster.changed(until).await;
    }

    async fn pause(&self, duration: Duration) {
        self.cluster.pause(duration).await;
    }

    fn holds_lock(&self) -> bool {
        self.sabotage == Sabotage::IgnoresTheLock || self.cluster.holds_lock()
    }

    async fn save(&self, run: &Run) -> Result<(), CallError> {
        let skips = self.sabotage == Sabotage::SkipsTheJournal && !run.deleted.is_empty();
        if skips { Ok(()) } else { self.cluster.save(run).await }
    }

    async fn ask(&self, gate: &Gate, pods: &[(u32, ExactPod)]) -> Vec<Result<(), String>> {
        match self.sabotage {
            Sabotage::AsksNobody => vec![Ok(()); pods.len()],
            _ => self.cluster.ask(gate, pods).await,
        }
    }

    async fn read(&self, object: &ObjectRef) -> Result<Option<Value>, CallError> {
        self.cluster.read(object).await
    }

    async fn patch(
        &self,
        approved: &Approved,
        object: &ObjectRef,
        operations: &[PatchOperation],
    ) -> Result<(), CallError> {
        let skips = match self.sabotage {
            Sabotage::KeepsTheTemplate => object.kind == "StatefulSet",
            Sabotage::KeepsPoolsFrozen => object.kind == "NodePool",
            _ => false,
        };
        // The first change is made, the second would take it back.
        if skips && self.patched.replace(self.patched.get() + 1) > 0 {
            return Ok(());
        }
        self.cluster.patch(approved, object, operations).await
    }

    async fn create(&self, approved: &Approved, object: &Value) -> Result<(), CallError> {
        self.cluster.create(approved, object).await
    }

    async fn remove(&self, approved: &Approved, object: &ObjectRef) -> Result<(), CallError> {
        match self.sabotage {
            Sabotage::KeepsPlaceholders => Ok(()),
            _ => self.cluster.remove(approved, object).await,
        }
    }

    async fn delete_pod(&self, approved: &Approved, pod: &ExactPod) -> Result<(), CallError> {
        match self.sabotage {
            Sabotage::DeletesByName => self.cluster.call(Request::Delete(pod.clone(), false)).await.map(drop),
            _ => self.cluster.delete_pod(approved, pod).await,
        }
    }

    async fn evict(&self, approved: &Approved, pod: &ExactPod) -> Result<(), CallError> {
        self.cluster.evict(approved, pod).await
    }

    async fn placeholders(&self, run: &Run) -> Result<Vec<ObjectRef>, CallError> {
        self.cluster.placeholders(run).await
    }
}
