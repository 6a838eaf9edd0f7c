//! Rules over plain values: no I/O, no clock, no Kubernetes client types.

pub mod names;
pub mod packing;
pub mod quantity;
pub mod shardset;
pub mod snapshot;
#[cfg(test)]
pub mod testing;
