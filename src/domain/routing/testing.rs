//! Surveys for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use super::{Answer, Asker, Askers, Clients, Headless, Outcome, Place, Resolver, Row, Survey, Times, Via};
use crate::domain::names::{NodeName, PodName, WorkloadRef};
use crate::domain::snapshot::DnsPolicy;

/// Two shards on each of three nodes, all well.
pub fn well() -> Survey {
    let place = |ordinal: u32| Place {
        pod: PodName::new(format!("ring-{ordinal}")),
        node: Some(NodeName::new(["a", "b", "c"][(ordinal / 2) as usize])),
        zone: None,
        ips: vec![ip(ordinal)],
        dns_policy: DnsPolicy::Cluster,
        is_ready: true,
    };
    Survey {
        workload: WorkloadRef { namespace: "rt".to_owned(), name: "ring".to_owned() },
        taken_at: Timestamp::UNIX_EPOCH,
        askers: Askers::Shards,
        port: 8080,
        path: "/api/status".to_owned(),
        places: (0..6).map(|ordinal| (ordinal, place(ordinal))).collect(),
        replicas: 6,
        rows: (0..6)
            .map(|from| {
                let peer = (from + 1) % 6;
                (Asker::Shard(from), Row { short: Some((peer, good(peer))), ..row() })
            })
            .collect(),
        inside: BTreeMap::new(),
        mute: BTreeMap::new(),
        stand_ins: BTreeMap::new(),
        no_probe: BTreeMap::new(),
        headless: Headless { name: "ring".to_owned(), exists: true, ..Headless::default() },
        wants_identity: true,
        clients: Clients::default(),
    }
}

/// Everybody answers.
pub fn row() -> Row {
    Row {
        via: Via::Inside { tool: "nc".to_owned() },
        answers: (0..6).map(|to| (to, good(to))).collect(),
        resolver: Some(resolver("rt.svc.cluster.local svc.cluster.local cluster.local", "10.96.0.10")),
        short: Some((1, good(1))),
        own: BTreeMap::new(),
        unanswered: 0,
    }
}

/// One with these domains to search and this name server.
pub fn resolver(search: &str, server: &str) -> Resolver {
    let from = if search.is_empty() { "assumed" } else { "search" };
    Resolver::from_fields("cluster.local", [from, search, "5", server]).expect("a resolver")
}

pub fn ip(ordinal: u32) -> IpAddr {
    format!("10.0.0.{ordinal}").parse().expect("an address")
}

pub fn good(to: u32) -> Answer {
    Answer {
        addresses: Some([ip(to)].into()),
        asked_at: None,
        outcome: Outcome::Answered { status: 200, identity: Some(format!("ring-{to}")) },
        times: Times { total: Some(Duration::from_millis(3)), ..Times::default() },
    }
}

pub fn unresolved(reason: &str) -> Answer {
    let outcome = Outcome::Unresolved { reason: reason.to_owned() };
    Answer { addresses: Some(BTreeSet::new()), asked_at: None, outcome, times: Times::default() }
}

pub fn timed_out() -> Outcome {
    Outcome::Unreachable { reason: "timed out".to_owned() }
}

impl Survey {
    /// Changes the answers to shards of the pairs that `which` chooses.
    #[must_use]
    pub fn with(self, which: impl Fn(u32, u32) -> bool, change: impl Fn(&mut Answer)) -> Self {
        self.with_any(|from, to| matches!(from, Asker::Shard(from) if which(*from, to)), change)
    }

    /// As [`Self::with`], of whoever asked.
    #[must_use]
    pub fn with_any(mut self, which: impl Fn(&Asker, u32) -> bool, change: impl Fn(&mut Answer)) -> Self {
        for (from, row) in &mut self.rows {
            for (to, answer) in &mut row.answers {
                if which(from, *to) {
                    change(answer);
                }
            }
        }
        self
    }

    /// Puts another outcome in the place of those that `which` chooses.
    #[must_use]
    pub fn says(self, which: impl Fn(u32, u32) -> bool, outcome: Outcome) -> Self {
        self.with(which, |answer| answer.outcome = outcome.clone())
    }
}

/// A probe beside the shards of each node, and all is well.
pub fn with_probes() -> Survey {
    let mut survey = well();
    for node in ["a", "b", "c"] {
        survey.rows.insert(Asker::Probe(NodeName::new(node)), row());
    }
    survey
}

/// As [`with_probes`], and no shard asks.
pub fn probes_alone() -> Survey {
    let mut survey = with_probes();
    survey.rows.retain(|asker, _| matches!(asker, Asker::Probe(_)));
    survey
}
