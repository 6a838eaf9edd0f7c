//! Everything that happens in a run, typed.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::rolling::{Mark, Outage, Run, Stage, Waiting};

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: Timestamp,
    pub what: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Happened {
    /// The run begins, or goes on after a stop.
    Started { run: Box<Run>, is_resumed: bool },
    /// The next stage.
    Entered { stage: Stage },
    /// Something is held still, or taken back: `nodepool/stable: disruption frozen`.
    Held { what: String },
    /// Placeholders were made for these shards.
    RoomAsked { shards: BTreeSet<u32> },
    /// All places are taken.
    RoomMade,
    /// The StatefulSet has the template, and the controller calls it so.
    Armed { revision: String },
    /// These shards are down by themselves: they go before the others.
    PutFirst { wave: u32, shards: BTreeSet<u32> },
    /// These shards go down together.
    WaveStarted { wave: u32, of: u32, shards: Vec<u32>, forecast: Option<Duration> },
    /// A shard that we took down reached another mark.
    Shard { ordinal: u32, mark: Mark },
    /// A shard that is Ready said that it is not well.
    GateRefused { ordinal: u32, answer: String },
    /// The first shard went down.
    OutageStarted { shards: BTreeSet<u32> },
    /// The last one is back.
    OutageEnded { outage: Outage },
    /// What is waited for is something else now.
    Waiting { why: Waiting },
    /// A call failed and is made again after a while.
    Retrying { error: String, after: Duration },
    /// Pods that are no shards were asked to leave.
    Evicted { pods: Vec<String> },
    /// A disruption budget forbids an eviction for now.
    EvictionRefused { pod: String, message: String },
    /// What was held is given back.
    Released { what: String },
    /// What could not be given back, and why.
    LeftBehind { why: String },
    /// The operator wants to stop.
    Interrupted { at_once: bool },
    /// The run is over, for now or for good.
    Ended { run: Box<Run> },
}
