//! One file per report.

pub mod explain;
pub mod status;
pub mod verify;
