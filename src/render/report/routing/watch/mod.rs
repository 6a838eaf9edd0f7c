//! What `shardctl routing-test --watch` tells: changes as they come, how things stand, and what it came to.

mod json;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::names::{WorkloadRef, pods_in_short};
use crate::domain::routing::Mark;
use crate::domain::routing::availability::{Availability, Change, Observer};
use crate::render::report::Look;
pub use json::{event, summary_json};
pub use table::{summary, view};

/// The numbers of shards are told in so many characters; where they take more, how many shards they are.
const ORDINALS_SHOWN: usize = 24;

/// What was met with, and by whom.
type Met = BTreeMap<Mark, BTreeSet<Observer>>;

/// A service that is watched.
#[derive(Clone, Debug)]
pub struct Watched {
    pub workload: WorkloadRef,
    pub headless: String,
    pub port: u16,
    pub path: String,
    /// Every shard asks every other about once in so long.
    pub interval: Duration,
    pub since: Timestamp,
    pub availability: Availability,
    /// Shards that do not ask over their network, and why.
    pub silent: BTreeMap<u32, String>,
}

/// Something worth to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Somebody asks from now on, and with what.
    Asks {
        at: Timestamp,
        observer: Observer,
        with: String,
    },
    /// Somebody asks no more; why, unless its pod is gone.
    Leaves {
        at: Timestamp,
        observer: Observer,
        why: Option<String>,
    },
    /// A shard cannot ask over its network, and is asked through port-forward.
    Mute {
        at: Timestamp,
        shard: u32,
        why: String,
    },
    Change {
        at: Timestamp,
        change: Change,
    },
}

impl Watched {
    /// Keeps in mind who does not ask.
    pub fn remember(&mut self, told: &Told) {
        match told {
            Told::Asks { observer: Observer::Shard(shard), .. } => drop(self.silent.remove(shard)),
            // That its pod is gone is seen by others.
            Told::Leaves { observer: Observer::Shard(shard), why: None, .. } => {
                drop(self.silent.remove(shard));
            }
            Told::Leaves { observer: Observer::Shard(shard), why: Some(why), .. } => {
                self.silent.insert(*shard, why.clone());
            }
            Told::Mute { shard, why, .. } => {
                self.silent.insert(*shard, format!("{why}; asked through port-forward"));
            }
            _ => {}
        }
    }

    /// "ring-{0,2..4}", or how many where that is long.
    fn pods(&self, shards: &[u32]) -> String {
        let pods = pods_in_short(&self.workload.name, shards);
        let is_short = pods.chars().count() <= self.workload.name.chars().count() + ORDINALS_SHOWN;
        if is_short { pods } else { format!("{} shards", shards.len()) }
    }

    fn pod(&self, shard: u32) -> String {
        format!("{}-{shard}", self.workload.name)
    }

    fn observer(&self, observer: Observer) -> String {
        match observer {
            Observer::Shard(shard) => self.pod(shard),
            Observer::Here => "shardctl, through port-forward".to_owned(),
        }
    }

    /// "ring-{0,2..4} and shardctl, through port-forward".
    fn observers(&self, observers: &BTreeSet<Observer>) -> String {
        let shard = |observer: &Observer| match observer {
            Observer::Shard(shard) => Some(*shard),
            Observer::Here => None,
        };
        let shards: Vec<u32> = observers.iter().filter_map(shard).collect();
        let mut names = Vec::new();
        if !shards.is_empty() {
            names.push(self.pods(&shards));
        }
        if observers.contains(&Observer::Here) {
            names.push(self.observer(Observer::Here));
        }
        names.join(" and ")
    }

    /// "nobody listens (ring-{1..4}); no connection (ring-5)": what was met with, and by whom.
    fn met(&self, met: &Met) -> String {
        let parts = met.iter().map(|(mark, by)| format!("{} ({})", mark.meaning(), self.observers(by)));
        parts.collect::<Vec<String>>().join("; ")
    }
}

/// What is asked, before anything is heard.
#[must_use]
pub fn beginning(watched: &Watched) -> String {
    let WorkloadRef { namespace, .. } = &watched.workload;
    format!(
        "{} in {namespace}: every shard asks every other for {} at POD.{}.{namespace}:{}, about once in {}\n",
        watched.workload,
        watched.path,
        watched.headless,
        watched.port,
        humantime::format_duration(watched.interval),
    )
}

/// A line for what has happened, with the time since the beginning; none where it is no news for people.
#[must_use]
pub fn line(watched: &Watched, told: &Told, look: Look) -> Option<String> {
    let style = look.style;
    let (at, text) = match told {
        Told::Asks { .. } | Told::Leaves { why: None, .. } => return None,
        Told::Leaves { at, observer, why: Some(why) } => {
            (*at, format!("{} does not ask any more: {why}", watched.observer(*observer)))
        }
        Told::Mute { at, shard, why } => {
            (*at, format!("{} cannot ask, and is asked through port-forward: {why}", watched.pod(*shard)))
        }
        Told::Change { at: _, change: Change::Down { shard, from, mark, observer } } => {
            let (down, what) = (style.danger("DOWN"), mark.meaning());
            (*from, format!("{down} {}: {what} ({})", watched.pod(*shard), watched.observer(*observer)))
        }
        Told::Change { at, change: Change::Up { shard, outage } } => {
            let to = outage.to.unwrap_or(*at);
            let (up, took) = (style.success("up"), seconds(outage.duration(to)));
            (to, format!("{up}   {} after {took}: {}", watched.pod(*shard), watched.met(&outage.met)))
        }
    };
    Some(format!("{:8.1}s  {text}\n", at.duration_since(watched.since).as_secs_f64().max(0.0)))
}

fn seconds(duration: Duration) -> String {
    super::super::rolling::seconds(duration)
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
