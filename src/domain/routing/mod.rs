//! What shards say when each asks every other by its name, and what it means.
//!
//! A [`Survey`] holds the answers; [`diagnose`] finds the causes behind those that are wrong.

mod answer;
pub mod availability;
mod diagnose;
#[cfg(test)]
mod name_tests;
mod probe;
mod resolver;
pub mod service;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod times;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;

use super::names::{NodeName, PodName, WorkloadRef};
use super::snapshot::DnsPolicy;
pub use answer::{Identity, Reading, read_line};
pub use diagnose::{CHECKS, RoutingCheck, diagnose};
pub use probe::{
    PROBE_CONTAINER, PROBE_IMAGE, PROBE_LABEL, Probe, ProbeSpec, ProbeState, SEEN_LIMIT, START_LIMIT,
};
pub use resolver::{ClusterDomain, DomainFrom, Resolver};
pub use service::Clients;
pub use times::Percentiles;

/// What became of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An HTTP answer.
    Answered {
        status: u16,
        /// Who the answer says it comes from, where it says so.
        identity: Option<String>,
    },
    /// The name has no address, in the resolver's words.
    Unresolved { reason: String },
    /// Nobody listens there.
    Refused,
    /// No connection came about in time, or there is no way there.
    Unreachable { reason: String },
    /// The connection stood, and no answer came in time.
    Hangs,
    /// The connection broke, or what came was no HTTP.
    Broken { reason: String },
}

/// How long the parts of a question took, from its start. What the tool could not tell is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Until the name was resolved.
    pub resolved: Option<Duration>,
    /// Until the connection stood.
    pub connected: Option<Duration>,
    /// Until the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// Until the last byte.
    pub total: Option<Duration>,
}

/// One question and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The addresses of the name, as the asker's resolver gave them; none where it has no tool to ask with.
    pub addresses: Option<BTreeSet<IpAddr>>,
    /// The one of them that was asked, where the tool tells.
    pub asked_at: Option<IpAddr>,
    pub outcome: Outcome,
    pub times: Times,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asker {
    /// The shard of this ordinal.
    Shard(u32),
    /// The probe, a pod of ours, on this node.
    Probe(NodeName),
}

/// Who is to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Askers {
    /// The shards, and a probe in the stead of one that cannot.
    #[default]
    Shards,
    /// A probe on each node that carries shards.
    Probes,
    Both,
}

/// How the questions of a row were asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// From inside the asker's own container, with a tool of its image.
    Inside { tool: String },
    /// Through the API server's port-forward, which asks the shard and not the network; and why.
    PortForward { because: String },
}

/// The answers to one asker.
#[derive(Clone, Debug)]
pub struct Row {
    pub via: Via,
    /// By the ordinal of the shard that was asked.
    pub answers: BTreeMap<u32, Answer>,
    /// How the asker looks names up; none where it did not say.
    pub resolver: Option<Resolver>,
    /// What the short name of a shard, POD.SERVICE, led to, and the ordinal of that shard.
    pub short: Option<(u32, Answer)>,
    /// What the asker said to itself at each of its own addresses, where it has several.
    pub own: BTreeMap<IpAddr, Outcome>,
    /// Questions without an answer, because the session ended before.
    pub unanswered: u32,
}

/// A shard as it was when the survey began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub pod: PodName,
    pub node: Option<NodeName>,
    pub zone: Option<String>,
    /// The pod's own addresses, one of each family at most; none while they change.
    pub ips: Vec<IpAddr>,
    pub dns_policy: DnsPolicy,
    pub is_ready: bool,
}

/// The headless service, as far as it explains what is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headless {
    pub name: String,
    /// Whether there is such a service, without an address of its own.
    pub exists: bool,
    /// Labels of its selector that the shards do not have.
    pub unmatched: BTreeMap<String, String>,
    pub publishes_not_ready: bool,
    /// Which EndpointSlice gives a hostname an address, "EndpointSlice NAME, kept by SOMEBODY"; looked up only where names lead
    /// astray.
    pub slices: BTreeMap<(String, IpAddr), String>,
}

/// All questions and their answers.
#[derive(Clone, Debug)]
pub struct Survey {
    pub workload: WorkloadRef,
    pub taken_at: Timestamp,
    /// Who was to ask.
    pub askers: Askers,
    /// The question: port and path.
    pub port: u16,
    pub path: String,
    /// The shards that there should be, by ordinal; one without a pod has no entry.
    pub places: BTreeMap<u32, Place>,
    pub replicas: u32,
    /// By who asked.
    pub rows: BTreeMap<Asker, Row>,
    /// What shards that refuse connections say on their loopback address, through port-forward.
    pub inside: BTreeMap<u32, Outcome>,
    /// Shards that could not ask at all, and why.
    pub mute: BTreeMap<u32, String>,
    /// Shards that could not ask, and why, in whose stead the probe on their node asked.
    pub stand_ins: BTreeMap<u32, String>,
    /// Nodes where a probe was to ask and there is none, and why.
    pub no_probe: BTreeMap<NodeName, String>,
    pub headless: Headless,
    /// Whether answers must say who they are from.
    pub wants_identity: bool,
    /// What the client services answer.
    pub clients: Clients,
}

/// What one answer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    Good,
    /// The name does not resolve.
    Unresolved,
    /// The name leads to an address that is not the shard's.
    Stale,
    /// The name leads to the shard, and to an address that is not the shard's, too.
    Several,
    Refused,
    Unreachable,
    Hangs,
    Broken,
    /// It answers with a status that is no success.
    BadStatus,
    /// Another shard answered.
    Stranger,
}

/// Where a name leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    /// To its shard, as far as is known.
    Home,
    /// To its shard, and elsewhere too.
    Both,
    /// Elsewhere only.
    Astray,
}

impl Outcome {
    /// What it comes to, where the name leads to the right address.
    #[must_use]
    pub fn mark(&self, is_stranger: impl Fn(&str) -> bool) -> Mark {
        match self {
            Self::Unresolved { .. } => Mark::Unresolved,
            Self::Refused => Mark::Refused,
            Self::Unreachable { .. } => Mark::Unreachable,
            Self::Hangs => Mark::Hangs,
            Self::Broken { .. } => Mark::Broken,
            Self::Answered { status, .. } if !(200..400).contains(status) => Mark::BadStatus,
            Self::Answered { identity: Some(identity), .. } if is_stranger(identity) => Mark::Stranger,
            Self::Answered { .. } => Mark::Good,
        }
    }
}

impl Mark {
    /// The letter for it in a matrix.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Good => '·',
            Self::Unresolved => 'D',
            Self::Stale => 'S',
            Self::Several => 'M',
            Self::Refused => 'R',
            Self::Unreachable => 'T',
            Self::Hangs => 'H',
            Self::Broken => 'B',
            Self::BadStatus => '5',
            Self::Stranger => 'I',
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Good => "answers",
            Self::Unresolved => "the name does not resolve",
            Self::Stale => "the name leads to an old address",
            Self::Several => "the name leads elsewhere, too",
            Self::Refused => "nobody listens",
            Self::Unreachable => "no connection",
            Self::Hangs => "connects, no answer",
            Self::Broken => "the connection breaks",
            Self::BadStatus => "answers with an error",
            Self::Stranger => "another shard answers",
        }
    }
}

impl Survey {
    /// What the answer of a shard comes to; none where it was not asked.
    #[must_use]
    pub fn mark(&self, from: &Asker, to: u32) -> Option<Mark> {
        let answer = self.rows.get(from)?.answers.get(&to)?;
        let mark = answer.outcome.mark(|identity| self.is_stranger(to, identity));
        Some(match self.leads(to, answer) {
            _ if mark == Mark::Unresolved => mark,
            Leads::Home => mark,
            Leads::Astray => Mark::Stale,
            // What is wrong with an answer that came from the shard itself is the shard's.
            Leads::Both if mark != Mark::Good && self.is_own(to, answer.asked_at) => mark,
            Leads::Both => Mark::Several,
        })
    }

    /// Where the name of a shard led, as this answer tells it, and others where it tells a part: some tools name only the
    /// address that they ask at.
    fn leads(&self, to: u32, answer: &Answer) -> Leads {
        match (self.leads_home(to, answer), self.strays(to, answer).next().is_some()) {
            (_, false) => Leads::Home,
            (true, true) => Leads::Both,
            (false, true) => {
                let mut answers = self.rows.values().filter_map(|row| row.answers.get(&to));
                let leads_both =
                    |other: &Answer| self.leads_home(to, other) && self.strays(to, other).next().is_some();
                if answers.any(leads_both) { Leads::Both } else { Leads::Astray }
            }
        }
    }

    /// All addresses that anybody was told the name of a shard leads to.
    fn addresses_of(&self, to: u32) -> BTreeSet<IpAddr> {
        let answers = self.rows.values().filter_map(|row| row.answers.get(&to)?.addresses.as_ref());
        answers.flatten().copied().collect()
    }

    fn leads_home(&self, to: u32, answer: &Answer) -> bool {
        answer.addresses.iter().flatten().any(|address| self.is_own(to, Some(*address)))
    }

    /// The addresses of a shard's name that are not the shard's; none where its own are not known.
    fn strays<'a>(&self, to: u32, answer: &'a Answer) -> impl Iterator<Item = &'a IpAddr> {
        let own = self.places.get(&to).map_or(&[][..], |place| &place.ips);
        answer.addresses.iter().flatten().filter(move |address| !own.is_empty() && !own.contains(address))
    }

    fn is_own(&self, shard: u32, address: Option<IpAddr>) -> bool {
        address
            .is_some_and(|address| self.places.get(&shard).is_some_and(|place| place.ips.contains(&address)))
    }

    fn is_stranger(&self, to: u32, identity: &str) -> bool {
        self.wants_identity && identity != self.pod_name(to)
    }

    /// The domain of the cluster, as those who ask have it; the surest where they differ.
    #[must_use]
    pub fn domain(&self) -> Option<&ClusterDomain> {
        self.rows.values().filter_map(|row| Some(&row.resolver.as_ref()?.domain)).min()
    }

    /// The name of a shard's pod.
    #[must_use]
    pub fn pod_name(&self, ordinal: u32) -> String {
        format!("{}-{ordinal}", self.workload.name)
    }

    /// The name of who asks, as people read it.
    #[must_use]
    pub fn name(&self, asker: &Asker) -> String {
        match asker {
            Asker::Shard(ordinal) => self.pod_name(*ordinal),
            Asker::Probe(node) => format!("probe on {node}"),
        }
    }

    /// All questions, by who asked and who was asked, with what their answers come to.
    pub fn marks(&self) -> impl Iterator<Item = (&Asker, u32, Mark)> {
        self.rows.iter().flat_map(move |(from, row)| {
            row.answers.keys().filter_map(move |to| Some((from, *to, self.mark(from, *to)?)))
        })
    }

    /// Whether questions went over the network of the shards.
    #[must_use]
    pub fn asks_the_network(&self) -> bool {
        self.rows.values().any(|row| !matches!(row.via, Via::PortForward { .. }))
    }

    /// The node that a shard is on.
    #[must_use]
    pub fn node(&self, ordinal: u32) -> Option<&NodeName> {
        self.places.get(&ordinal)?.node.as_ref()
    }

    /// The node that is asked from.
    #[must_use]
    pub fn node_of<'a>(&'a self, asker: &'a Asker) -> Option<&'a NodeName> {
        match asker {
            Asker::Shard(ordinal) => self.node(*ordinal),
            Asker::Probe(node) => Some(node),
        }
    }

    /// The zone that is asked from.
    #[must_use]
    pub fn zone_of(&self, asker: &Asker) -> Option<&str> {
        match asker {
            Asker::Shard(ordinal) => self.places.get(ordinal)?.zone.as_deref(),
            Asker::Probe(node) => self.zone_of_node(node),
        }
    }

    /// The zone of a node that carries shards.
    #[must_use]
    pub fn zone_of_node(&self, node: &NodeName) -> Option<&str> {
        self.places.values().find(|place| place.node.as_ref() == Some(node))?.zone.as_deref()
    }
}
