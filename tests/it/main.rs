//! Commands without a cluster: what they say, and how they end.

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod support;

mod init;
