//! One file per command: read the arguments, fetch a snapshot, ask the domain, hand the result to render.

pub mod completion;
pub mod deploy;
pub mod init;
pub mod packing;
pub mod target;
pub mod version;
