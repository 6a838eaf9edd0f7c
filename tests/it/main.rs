//! Commands without a cluster: what they say, and how they end.

#[path = "../support/mod.rs"]
mod support;

mod init;
