//! Rolling operations: moving the shards of a service with the least outage, and leaving nothing behind.
//!
//! One engine runs migrate, upgrade, drain and undo. They differ in what a moved shard looks like ([`Goal`]), in which
//! shards are moved and in which order ([`Run::waves`]), and in what must be held still meanwhile ([`Run::holds`]).
//!
//! The algorithm, which [`decide`] takes one step of at a time:
//!
//! 1. **Hold.** What others might do meanwhile is frozen: disruption budgets of the node pools; for a drain, the node is
//!    cordoned. Every such change was journalled with what it replaces before it is made.
//! 2. **Make room.** For each shard that needs a new place a placeholder pod takes that place first. Nothing has
//!    happened to the service if this fails.
//! 3. **Arm.** The StatefulSet gets the new template. Being OnDelete, it makes new pods of it and leaves old ones alone.
//! 4. **Roll.** Wave by wave: the whole service is up, has been for the settle time, and says so itself; the forecast is
//!    within the budgets; then the wave's placeholders and pods are deleted, each by uid and resourceVersion. The next
//!    wave waits until every shard of this one has a new pod of the wanted revision on the wanted pool, Ready, and
//!    through the gate.
//! 5. **Empty.** A drain evicts what else is on its nodes.
//! 6. **Let go.** What was held is given back, placeholders are gone, and the ledger is closed.
//!
//! The guarantees, each with tests of its name: `whole-before-start`, `never-more-than-wave`, `exact-pod`,
//! `back-before-next`, `one-run`, `leaves-nothing`, `within-budget`, `resumable`, `disarmed`, `dry-run-writes-nothing`.
//! `docs/rolling.md` says what each means.

mod change;
mod concern;
mod decide;
mod ledger;
mod observed;
mod placeholder;
mod plan;
mod policy;
mod prepare;
pub mod proof;
mod retarget;
mod run;
mod status;
mod trouble;

pub use change::{Change, FieldChange, Foreign, Hold, ObjectRef, PatchOperation, TEMPLATE_PATH};
pub use concern::{Concern, concerns};
pub use decide::{Action, Blocker, Decision, Waiting, decide, finish_step};
pub use ledger::{Ledger, Mark, Marks, Outage, Seconds, ShardRecord, Standing, Turn};
pub use observed::{Answer, Answers, ExactPod, Observed, OtherPod, Placeholder, PlaceholderState, Warning};
pub use placeholder::{
    ImagePull, PAUSE_IMAGE, Place, PlaceholderSpec, RUN_LABEL, Room, SHARD_LABEL, WORKLOAD_LABEL, only_node,
    placeholder_labels, placeholder_name,
};
pub use plan::{Cost, Forecast, Order, Source, waves};
pub use policy::{Gate, OnFailure, Policy, Strategy};
pub use prepare::{Refusal, Wish, prepare};
pub use retarget::retarget;
pub use run::{Actor, Goal, Miss, Operation, Run, RunId, Stage, State, StopReason};
pub use status::{Rollout, ShardRollout};
pub use trouble::{Trouble, trouble};
