//! shardctl operates a sharded stateful service: one StatefulSet, of which every shard must be up.
//!
//! The layers, and which may use which:
//!
//! ```text
//! main -> cli -> commands -> ops, k8s, lab, retail, render -> domain
//! ```
//!
//! `domain` is pure: no I/O, no clock, no Kubernetes client types. `k8s` is the only importer of the
//! `kube` crate, `render` the only writer to a stream. `docs/architecture.md` tells why.

pub mod cli;
pub mod commands;
pub mod context;
pub mod domain;
pub mod error;
pub mod k8s;
pub mod lab;
pub mod ops;
pub mod options;
pub mod render;
pub mod retail;

use std::ffi::OsString;

pub use error::{CommandError, ExitCode};

/// Parses `args`, runs the command, shows what went wrong, and says how the process should end.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::run(args)
}
