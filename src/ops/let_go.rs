//! Gives back what a run holds: placeholders, frozen pools, relaxed budgets; and, when it is aborted, cordons and the
//! template. What is done already is not done twice, so that any process can finish it.

use super::cluster::{CallError, CallFailure, Cluster};
use super::event::Happened;
use super::gate::Approved;
use super::hand::Hand;
use crate::domain::rolling::{Change, Hold, ObjectRef, Run};

/// Times that a change is read again because somebody wrote the object at the same moment.
pub(super) const COLLISIONS: usize = 5;

/// Gives back what `run` holds; with `purpose`, also what it was for. Tells `say` of each thing given back or left.
///
/// # Errors
/// The first call that failed; everything else was tried all the same.
pub async fn let_go<C: Cluster>(
    cluster: &C,
    approved: &Approved,
    run: &mut Run,
    purpose: bool,
    say: &mut dyn FnMut(Happened),
) -> Result<(), CallError> {
    let hand = Hand::new(cluster, approved);
    let mut failed = None;
    let mut left_behind = Vec::new();
    // The template first: while it is armed, a crash would still change a shard.
    let is_held = |change: &&Change| if change.hold.is_purpose() { purpose } else { run.is_holding };
    for change in run.changes().rev().filter(is_held) {
        match undo(cluster, hand, change).await {
            Ok(Undone::Nothing) => {}
            Ok(Undone::Restored) => say(Happened::Released { what: in_words(change, "given back") }),
            Ok(Undone::LeftAlone(why)) => {
                say(Happened::LeftBehind { why: why.clone() });
                left_behind.push(why);
            }
            Err(error) => keep_first(&mut failed, error),
        }
    }
    match cluster.placeholders(run).await {
        Ok(placeholders) => {
            let count = placeholders.len();
            for placeholder in placeholders {
                if let Err(error) = hand.remove(&placeholder).await {
                    keep_first(&mut failed, error);
                }
            }
            if count > 0 {
                say(Happened::Released { what: format!("{count} placeholders removed") });
            }
        }
        Err(error) => keep_first(&mut failed, error),
    }
    if let Some(name) = run.room.as_ref().and_then(|room| room.priority_class.as_ref()) {
        let class = ObjectRef::new("scheduling.k8s.io/v1", "PriorityClass", None, name);
        if let Err(error) = hand.remove(&class).await {
            keep_first(&mut failed, error);
        }
    }
    left_behind.retain(|why| !run.left_behind.contains(why));
    run.left_behind.extend(left_behind);
    match failed {
        Some(error) => Err(error),
        None => {
            // What somebody makes of it from now on is theirs, even if it is what we had made of it.
            run.is_holding = false;
            Ok(())
        }
    }
}

fn keep_first(failed: &mut Option<CallError>, error: CallError) {
    failed.get_or_insert(error);
}

/// What became of a change that was to be undone.
enum Undone {
    /// There was nothing to undo.
    Nothing,
    Restored,
    LeftAlone(String),
}

async fn undo<C: Cluster>(cluster: &C, hand: Hand<'_, C>, change: &Change) -> Result<Undone, CallError> {
    let mut collision = None;
    for _ in 0..COLLISIONS {
        let Some(live) = cluster.read(&change.object).await? else { return Ok(Undone::Nothing) };
        let operations = match change.undo(&live) {
            Ok(operations) if operations.is_empty() => return Ok(Undone::Nothing),
            Ok(operations) => operations,
            Err(foreign) => return Ok(Undone::LeftAlone(foreign.to_string())),
        };
        match hand.patch(&change.object, &operations).await {
            Ok(()) => return Ok(Undone::Restored),
            Err(error) if error.failure == CallFailure::NotFound => return Ok(Undone::Nothing),
            Err(error) if error.failure == CallFailure::Conflict => collision = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(collision.unwrap_or_else(|| {
        CallError::new(format!("patch {}", change.object), CallFailure::Conflict, "it changes all the time")
    }))
}

/// A change as people name it.
pub(super) fn in_words(change: &Change, verb: &str) -> String {
    let what = match change.hold {
        Hold::FrozenPool => "disruption budgets",
        Hold::Cordon => "cordon",
        Hold::RelaxedBudget => "disruption budget",
        Hold::Template => "template",
    };
    format!("{}: {what} {verb}", change.object)
}
