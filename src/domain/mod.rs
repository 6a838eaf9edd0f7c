//! Rules over plain values: no I/O, no clock, no Kubernetes client types.

pub mod age;
pub mod names;
pub mod quantity;
pub mod shardset;
pub mod snapshot;
pub mod status;
#[cfg(test)]
pub mod testing;
pub mod verify;
