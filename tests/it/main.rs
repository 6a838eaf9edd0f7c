//! Commands without a cluster: what they say, and how they end.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

#[path = "../support/prices.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod price_service;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod support;

mod generated;
mod help;
mod init;
mod kubeconfig;
mod outage;
mod output;
mod plan;
mod prices;
mod routing_script;
mod server;
mod shardset_file;
mod usage;

use support::{Folder, Run, Shardctl};

/// shardctl with nothing in its home and no kubeconfig.
fn shardctl(home: &Folder) -> Shardctl {
    Shardctl { kubeconfig: None, home: home.path().to_owned() }
}

/// Asserts that the last line on standard error says what to do next.
#[track_caller]
fn says_what_next(run: &Run) {
    let last = run.stderr.lines().last().unwrap_or_default();
    let is_hint = last.starts_with("hint: ") || last == "For more information, try '--help'.";
    assert!(is_hint, "no word on what to do next:\n{}", run.stderr);
}
