//! The rolling engine in a simulated cluster.
//!
//! The driver that is tested here is the one that runs against real clusters; what is simulated is everything behind
//! [`shardctl::ops::Cluster`]: the API server, the StatefulSet controller, the scheduler, Karpenter, kubelets, other
//! people, and time. One thread, virtual time, and a seed that everything is drawn from: what fails once fails again.
//!
//! It is a test binary of its own, outside the library, so that no line of it can be in what is released, and so that
//! it sees of the engine what every caller sees.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

mod checker;
mod cluster;
mod defects;
mod dice;
mod guarantees;
mod mutations;
mod plan;
mod play;
mod quiet;
mod random;
mod sabotage;
mod schedule;
mod scripted;
mod shrink;
mod story;
mod verdict;
mod world;
