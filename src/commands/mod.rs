//! One file per command: read the arguments, fetch a snapshot, ask the domain, hand the result to render.

pub mod completion;
pub mod explain;
pub mod status;
pub mod target;
pub mod verify;
pub mod version;
