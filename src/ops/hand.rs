//! The hand that changes things: what is approved, and only while the lock is surely ours.

use serde_json::Value;

use super::cluster::{CallError, CallFailure, Cluster};
use super::gate::Approved;
use crate::domain::rolling::{ExactPod, ObjectRef, PatchOperation};

/// Makes the calls that change something. Each looks at the lock before it is sent: a process that stood still for a
/// while, in the middle of a step, must not go on where it was.
pub(super) struct Hand<'a, C> {
    cluster: &'a C,
    approved: &'a Approved,
}

impl<C> Clone for Hand<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Hand<'_, C> {}

impl<'a, C: Cluster> Hand<'a, C> {
    pub fn new(cluster: &'a C, approved: &'a Approved) -> Self {
        Self { cluster, approved }
    }

    fn check(&self, operation: impl FnOnce() -> String) -> Result<(), CallError> {
        match self.cluster.holds_lock() {
            true => Ok(()),
            false => Err(CallError::new(operation(), CallFailure::LockLost, "the lock was lost")),
        }
    }

    pub async fn patch(self, object: &ObjectRef, operations: &[PatchOperation]) -> Result<(), CallError> {
        self.check(|| format!("patch {object}"))?;
        self.cluster.patch(self.approved, object, operations).await
    }

    pub async fn create(self, object: &Value) -> Result<(), CallError> {
        self.check(|| "create an object".to_owned())?;
        self.cluster.create(self.approved, object).await
    }

    pub async fn remove(self, object: &ObjectRef) -> Result<(), CallError> {
        self.check(|| format!("delete {object}"))?;
        self.cluster.remove(self.approved, object).await
    }

    pub async fn delete_pod(self, pod: &ExactPod) -> Result<(), CallError> {
        self.check(|| format!("delete pod {}", pod.name))?;
        self.cluster.delete_pod(self.approved, pod).await
    }

    pub async fn evict(self, pod: &ExactPod) -> Result<(), CallError> {
        self.check(|| format!("evict pod {}", pod.name))?;
        self.cluster.evict(self.approved, pod).await
    }
}
