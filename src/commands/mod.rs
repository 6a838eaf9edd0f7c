//! One file per command: read the arguments, fetch a snapshot, ask the domain, hand the result to render.

pub mod completion;
mod confirm;
pub mod costs;
pub mod delete;
pub mod deploy;
pub mod drain;
pub mod explain;
pub mod init;
pub mod migrate;
pub mod options;
pub mod packing;
pub mod plan;
pub mod prices;
mod rolling;
pub mod rollout;
pub mod routing_test;
pub mod status;
pub mod target;
pub mod upgrade;
pub mod verify;
pub mod version;
pub mod vpa_report;
pub mod watch;
mod write;
