//! Rules over plain values: no I/O, no clock, no Kubernetes client types.

pub mod age;
pub mod catalogue;
pub mod cost;
pub mod diff;
pub mod finding;
pub mod money;
pub mod names;
pub mod nap;
pub mod packing;
pub mod prerequisites;
pub mod quantity;
pub mod rolling;
pub mod routing;
pub mod shard_state;
pub mod shardset;
pub mod sizing;
pub mod snapshot;
pub mod status;
#[cfg(test)]
pub mod testing;
pub mod verify;
pub mod vpa;
pub mod yaml;
