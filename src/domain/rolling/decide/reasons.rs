//! Why nothing is done: what is waited for, and what waiting does not mend.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::names::{NodeName, PodName};
use crate::domain::rolling::trouble::Trouble;

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Waiting {
    /// Places are being made.
    Room { missing: BTreeSet<u32>, of: u32, why: Option<String> },
    /// The controller has not taken note of the template yet.
    Controller,
    /// Shards that are down, though not by our hand.
    Whole { down: BTreeSet<u32> },
    /// A shard is up and says that it is not well.
    Healthy { pod: PodName, answer: String },
    /// The service must have been up for a while.
    Settled { until: Timestamp },
    /// The shards of a wave are on their way back.
    Back { wave: u32, shards: BTreeSet<u32> },
    /// Other pods of a node are on their way out.
    Evicted { pods: usize },
}

/// Why the run cannot go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Blocker {
    #[error("{0} is gone")]
    WorkloadGone(String),
    #[error("{0} was made anew: it is not the one that the run was planned for")]
    WorkloadReplaced(String),
    #[error("it has {found} shards now, the run was planned when it had {planned}")]
    ReplicasChanged { planned: u32, found: u32 },
    #[error("somebody else has changed its template: new pods are made from {found}, the run wants {wanted}")]
    TemplateChanged { wanted: String, found: String },
    #[error("its update strategy is {0} now, so that it restarts shards by itself")]
    NotOnDelete(String),
    #[error("the StatefulSet controller has not taken note of the template within {}",
        humantime::format_duration(*.patience))]
    ControllerSilent { patience: Duration },
    #[error("no room within {}: {why}", humantime::format_duration(*.patience))]
    NoRoom { patience: Duration, why: String },
    #[error("{0}")]
    Trouble(Trouble),
    #[error("pod/{pod} came back on node/{node}, which is not where it belongs")]
    WrongNode { pod: PodName, node: NodeName },
    #[error("pod/{pod} came back from revision {found}, the run wants {wanted}")]
    WrongRevision { pod: PodName, found: String, wanted: String },
    #[error("{pods} not back within {}", humantime::format_duration(*.timeout))]
    NotBack { pods: String, timeout: Duration },
    #[error("{pods} down, not by our hand, and not up within {}", humantime::format_duration(*.patience))]
    NotWhole { pods: String, patience: Duration },
    #[error("{pods} went down again and again: the service was not up for long enough within {}",
        humantime::format_duration(*.patience))]
    NotSettled { pods: String, patience: Duration },
    #[error("pod/{pod} is Ready and says that it is not well: {answer}")]
    Unhealthy { pod: PodName, answer: String },
    #[error("an outage of {} is forecast for the next wave, more than the {} of --max-outage",
        secs(*.forecast), secs(*.budget))]
    OverMaxOutage { forecast: Duration, budget: Duration },
    #[error("with the next wave the outages would be {} together, more than the {} of --max-total-outage",
        secs(*.forecast), secs(*.budget))]
    OverTotalOutage { forecast: Duration, budget: Duration },
    #[error("{0} other pods are still on the node")]
    NotEmptied(usize),
}

/// Whole seconds and a tenth.
fn secs(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}
