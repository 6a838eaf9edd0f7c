//! Runs: the plan before, what happens meanwhile, the ledger after.

mod display;
mod ledger;
mod lines;
mod plan;
mod view;

use std::collections::BTreeSet;
use std::time::Duration;

pub use display::Display;
pub use ledger::{ledger, timeline};
pub use lines::line;
pub use plan::{plan, standing};

use crate::domain::names::pods_in_short;
use crate::domain::rolling::{Run, Waiting};

/// Seconds as people read them: `2.6s`, `45s`, `3m12s`.
#[must_use]
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 100.0 {
        return format!("{seconds:.1}s");
    }
    let whole = duration.as_secs();
    format!("{}m{:02}s", whole / 60, whole % 60)
}

fn pods(run: &Run, ordinals: &BTreeSet<u32>) -> String {
    let ordinals: Vec<u32> = ordinals.iter().copied().collect();
    pods_in_short(&run.workload.name, &ordinals)
}

/// What is waited for.
fn waiting(run: &Run, why: &Waiting) -> String {
    match why {
        Waiting::Room { missing, of, why } => {
            let why = why.as_deref().map(|why| format!(": {}", first_sentence(why))).unwrap_or_default();
            format!("room for {} of {of} shards{why}", missing.len())
        }
        Waiting::Controller => "the StatefulSet controller to take note of the template".to_owned(),
        Waiting::Whole { down } => format!("{} to be up again, down not by our hand", pods(run, down)),
        Waiting::Healthy { pod, answer } => format!("pod/{pod} to be well: {answer}"),
        Waiting::Settled { .. } => {
            format!("the service to have been up for {}", humantime::format_duration(run.policy.settle))
        }
        Waiting::Back { shards, .. } => format!("{} to be back", pods(run, shards)),
        Waiting::Evicted { pods } => format!("{pods} other pods to leave"),
    }
}

/// The first sentence; what follows is about preemption and dynamic resources.
fn first_sentence(message: &str) -> &str {
    message.split(". ").next().unwrap_or(message).trim_end_matches('.')
}
