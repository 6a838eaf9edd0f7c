//! The only importer of the `kube` crate: connections, reads into domain types, writes.

pub mod raw;
