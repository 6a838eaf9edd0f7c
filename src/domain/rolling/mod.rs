//! Rolling operations: moving the shards of a service with the least outage.

pub mod proof;
