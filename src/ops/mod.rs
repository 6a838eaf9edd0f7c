//! Runs a rolling operation: looks, decides, acts, journals; until it is done, blocked, interrupted or locked out.
//!
//! It knows no Kubernetes client and prints nothing. The cluster is behind the narrow [`Cluster`], which `k8s` implements
//! for real clusters and the simulation of the tests for cases that no real cluster shows on demand; what happens goes
//! out as [`Event`]s.

mod cluster;
mod driver;
mod event;
mod gate;
mod hand;
mod interrupt;
mod let_go;

pub use cluster::{CallError, CallFailure, Cluster};
pub use driver::{Ended, drive, take_back};
pub use event::{Event, Happened};
pub use gate::Approved;
pub use interrupt::{Interrupt, Urgency};
pub use let_go::let_go;
