//! The few verbs that an operation needs of a cluster.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::gate::Approved;
use crate::domain::rolling::{ExactPod, Gate, ObjectRef, Observed, PatchOperation, Run};

/// A cluster as an operation sees it. What changes something takes the operator's approval.
///
/// Calls are made once: whether one that failed is made again is decided in `ops`, where it becomes an event.
#[expect(async_fn_in_trait, reason = "the driver runs on one thread, so that no future need be Send")]
pub trait Cluster {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The service as it was last seen, by watching.
    fn seen(&self) -> Arc<Observed>;

    /// Looks anew, instead of waiting to be told.
    async fn look(&self) -> Result<(), CallError>;

    /// Returns when something has changed, or at `until`.
    async fn changed(&self, until: Option<Timestamp>);

    /// Lets time pass before a call is made again.
    async fn pause(&self, duration: Duration);

    /// Whether the lock on the workload is surely still ours.
    fn holds_lock(&self) -> bool;

    /// Writes the journal. It is refused when another process has written it since: then that one has taken over.
    async fn save(&self, run: &Run) -> Result<(), CallError>;

    /// Asks shards whether they are well, all at the same time: nothing, or what is wrong with each.
    async fn ask(&self, gate: &Gate, pods: &[(u32, ExactPod)]) -> Vec<Result<(), String>>;

    /// An object as it is now; none when there is none.
    async fn read(&self, object: &ObjectRef) -> Result<Option<Value>, CallError>;

    /// Changes fields of an object.
    async fn patch(
        &self,
        approved: &Approved,
        object: &ObjectRef,
        operations: &[PatchOperation],
    ) -> Result<(), CallError>;

    /// Makes an object.
    async fn create(&self, approved: &Approved, object: &Value) -> Result<(), CallError>;

    /// Deletes an object that the run made. One that is gone already is no error.
    async fn remove(&self, approved: &Approved, object: &ObjectRef) -> Result<(), CallError>;

    /// Deletes exactly this pod, in its own time; refused when it is another or has changed.
    async fn delete_pod(&self, approved: &Approved, pod: &ExactPod) -> Result<(), CallError>;

    /// Evicts exactly this pod, as far as disruption budgets let it.
    async fn evict(&self, approved: &Approved, pod: &ExactPod) -> Result<(), CallError>;

    /// The placeholders that there are for a run, whoever made them.
    async fn placeholders(&self, run: &Run) -> Result<Vec<ObjectRef>, CallError>;
}

/// Why a call failed, as far as it matters for what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFailure {
    /// The object is not what the call was made for.
    Conflict,
    NotFound,
    AlreadyExists,
    /// The server is busy, or a disruption budget forbids it for now; after so long it may be tried again.
    Busy(Option<Duration>),
    /// No answer, or a broken one: it may have happened or not.
    Unclear,
    /// The server will not do it.
    Refused,
    /// The lock is not surely ours any more: nothing was sent.
    LockLost,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct CallError {
    /// "delete pod shard-3".
    pub operation: String,
    pub failure: CallFailure,
    /// The server's or the network's words.
    pub message: String,
}

impl CallError {
    /// An error of ours about an operation.
    #[must_use]
    pub fn new(operation: impl Into<String>, failure: CallFailure, message: impl Into<String>) -> Self {
        Self { operation: operation.into(), failure, message: message.into() }
    }

    /// Whether the same call may succeed in a moment.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self.failure, CallFailure::Busy(_) | CallFailure::Unclear)
    }
}
