//! The client service: one address before all shards. Whether it leads to them, what its clients get, and how it spreads
//! their requests.

pub(super) mod checks;
mod endpoints;
mod failures;
mod fit;
mod ports;
mod spread;
mod sticking;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::{Answer, Asker, Mark, Outcome, RoutingCheck, Survey};
use crate::domain::finding::Finding;
use crate::domain::names::{NodeName, pods_in_short};
use crate::domain::snapshot::{Part, Unknown};
pub use fit::{Fit, Pearson};
pub use ports::{Door, ServicePort, Target, door};
pub use spread::{FALSE_ALARMS, Spread, Unjudged};
pub use sticking::Sticking;

/// How far endpoints, and the rules of the nodes, may be behind the pods. The EndpointSlice controller gathers changes
/// for a second before it writes a slice, kube-proxy for another before it writes its rules.
pub const ENDPOINT_DELAY: Duration = Duration::from_secs(10);

/// A client service, as its object and its EndpointSlices have it.
#[derive(Clone, Debug)]
pub struct ClientService {
    pub name: String,
    pub selector: BTreeMap<String, String>,
    /// Its own addresses, one of a kind.
    pub addresses: BTreeSet<IpAddr>,
    /// The port that clients ask at, and where it leads.
    pub port: ServicePort,
    /// How long a source sticks to a shard under ClientIP affinity.
    pub affinity: Option<Duration>,
    pub publishes_not_ready: bool,
    /// Whether requests never leave the node of the source (`internalTrafficPolicy: Local`).
    pub is_local: bool,
    /// What keeps requests near their source where that can be: `trafficDistribution: PreferSameZone`.
    pub prefers: Option<String>,
    pub endpoints: Part<BTreeSet<ServiceEndpoint>>,
}

/// An address that a service leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceEndpoint {
    pub address: IpAddr,
    /// None where the slice has no port of the service's name.
    pub port: Option<u16>,
    /// The pod that it is said to be of.
    pub pod: Option<String>,
    pub is_ready: bool,
    /// The EndpointSlice it is in, and who keeps that, where it is not Kubernetes' own controller.
    pub slice: String,
    pub kept_by: Option<String>,
}

/// Who asked, and where it runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub asker: Asker,
    pub name: String,
    pub node: Option<NodeName>,
}

impl Source {
    /// Its number, where it is a shard.
    #[must_use]
    pub fn shard(&self) -> Option<u32> {
        match self.asker {
            Asker::Shard(ordinal) => Some(ordinal),
            Asker::Probe(_) => None,
        }
    }

    /// What it is called as an object.
    fn object(&self) -> String {
        match &self.asker {
            Asker::Shard(_) => format!("pod/{}", self.name),
            Asker::Probe(_) => self.name.clone(),
        }
    }
}

/// What many sources were answered by one client service.
#[derive(Clone, Debug)]
pub struct ServiceSurvey {
    pub service: ClientService,
    /// Requests of each source.
    pub requests: u32,
    /// In the order in which they were asked, as far as a source asks one after the other.
    pub answers: BTreeMap<Source, Vec<Answer>>,
    /// Shards of which nothing is said: their readiness or their endpoints have changed lately.
    pub unsettled: BTreeSet<u32>,
}

/// The client services, and what could not be asked.
#[derive(Clone, Debug, Default)]
pub struct Clients {
    pub surveys: Vec<ServiceSurvey>,
    /// Services of the shards none of whose ports leads to the one that is asked.
    pub elsewhere: Vec<String>,
    /// Why nothing is known of them.
    pub unknown: Option<Unknown>,
}

impl Clients {
    /// How many requests each source makes.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.surveys.iter().map(|client| client.requests).sum()
    }

    /// What is found in them.
    #[must_use]
    pub fn findings(&self, survey: &Survey) -> Vec<Finding> {
        let info = |object: String, evidence: String, remedy: String| Finding {
            check: checks::JUDGED.id,
            severity: checks::JUDGED.severity,
            object,
            evidence,
            remedy,
        };
        let mut findings: Vec<Finding> =
            self.surveys.iter().flat_map(|client| client.judge(survey).findings).collect();
        findings.extend(self.elsewhere.iter().map(|name| {
            info(
                format!("service/{name}"),
                format!("not asked: none of its ports leads to port {} of the shards", survey.port),
                "Name the port that it leads to with --port, and what to ask there for with --path"
                    .to_owned(),
            )
        }));
        findings.extend(self.unknown.iter().map(|unknown| {
            info(
                "client services".to_owned(),
                format!("not known: {unknown}"),
                "Allow `list services`, or do without: --requests 0".to_owned(),
            )
        }));
        findings
    }
}

/// What became of some requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub asked: u64,
    /// Answered with success, by the number of the shard that says it is its own.
    pub shards: BTreeMap<u32, u64>,
    /// Answered with success by others, by the name they give.
    pub strangers: BTreeMap<String, u64>,
    /// Answered with success by one that does not say who it is.
    pub nameless: u64,
    pub failed: BTreeMap<Mark, u64>,
}

impl Tally {
    /// Requests that were answered with success.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.asked - self.failures()
    }

    /// Requests that were not.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    fn add(&mut self, other: &Self) {
        self.asked += other.asked;
        self.nameless += other.nameless;
        other.shards.iter().for_each(|(shard, count)| *self.shards.entry(*shard).or_default() += count);
        other.failed.iter().for_each(|(mark, count)| *self.failed.entry(*mark).or_default() += count);
        for (name, count) in &other.strangers {
            *self.strangers.entry(name.clone()).or_default() += count;
        }
    }
}

/// What one client service comes to.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub tally: Tally,
    pub sources: BTreeMap<Source, Tally>,
    pub spread: Spread,
    /// Nodes whose requests are left out of the spread: their rules are wrong.
    pub blamed: BTreeSet<NodeName>,
    pub findings: Vec<Finding>,
}

impl ServiceSurvey {
    /// What the answers of this service come to, beside those that the shards gave each other.
    #[must_use]
    pub fn judge(&self, survey: &Survey) -> Verdict {
        let mut judge = Judge::new(survey, self);
        judge.endpoints();
        judge.failures();
        judge.unready();
        let spread = judge.spread();
        let Judge { total, tallies, blamed, findings, .. } = judge;
        let sources = tallies.into_iter().map(|(source, tally)| (source.clone(), tally)).collect();
        Verdict { tally: total, sources, spread, blamed, findings }
    }

    /// What one answer comes to, whoever gave it.
    fn mark(&self, answer: &Answer) -> Mark {
        let is_elsewhere = answer
            .addresses
            .as_ref()
            .is_some_and(|addresses| !addresses.is_empty() && addresses.is_disjoint(&self.service.addresses));
        match &answer.outcome {
            Outcome::Unresolved { .. } => Mark::Unresolved,
            _ if is_elsewhere => Mark::Stale,
            Outcome::Refused => Mark::Refused,
            Outcome::Unreachable { .. } => Mark::Unreachable,
            Outcome::Hangs => Mark::Hangs,
            Outcome::Broken { .. } => Mark::Broken,
            Outcome::Answered { status: 200..=399, .. } => Mark::Good,
            Outcome::Answered { .. } => Mark::BadStatus,
        }
    }
}

/// A verdict in the making.
struct Judge<'a> {
    survey: &'a Survey,
    client: &'a ServiceSurvey,
    service: &'a ClientService,
    tallies: BTreeMap<&'a Source, Tally>,
    total: Tally,
    /// Nodes whose own rules are wrong: what comes from there says nothing of the others.
    blamed: BTreeSet<NodeName>,
    /// Whether requests fail of which nobody knows where they were led.
    has_lost: bool,
    findings: Vec<Finding>,
}

impl<'a> Judge<'a> {
    fn new(survey: &'a Survey, client: &'a ServiceSurvey) -> Self {
        let prefix = format!("{}-", survey.workload.name);
        let ordinal = |name: &str| {
            let ordinal: u32 = name.strip_prefix(&prefix)?.parse().ok()?;
            (ordinal < survey.replicas && survey.pod_name(ordinal) == name).then_some(ordinal)
        };
        let tally = |answers: &'a Vec<Answer>| {
            let mut tally = Tally { asked: answers.len() as u64, ..Tally::default() };
            for answer in answers {
                let mark = client.mark(answer);
                let count = match &answer.outcome {
                    _ if mark != Mark::Good => tally.failed.entry(mark).or_default(),
                    Outcome::Answered { identity: Some(name), .. } if survey.wants_identity => {
                        match ordinal(name) {
                            Some(ordinal) => tally.shards.entry(ordinal).or_default(),
                            None => tally.strangers.entry(name.clone()).or_default(),
                        }
                    }
                    _ => &mut tally.nameless,
                };
                *count += 1;
            }
            tally
        };
        let tallies: BTreeMap<&Source, Tally> =
            client.answers.iter().map(|(source, answers)| (source, tally(answers))).collect();
        let mut total = Tally::default();
        for tally in tallies.values() {
            total.add(tally);
        }
        let service = &client.service;
        let (blamed, findings) = (BTreeSet::new(), Vec::new());
        Self { survey, client, service, tallies, total, blamed, has_lost: false, findings }
    }

    fn find(&mut self, check: RoutingCheck, object: String, evidence: String, remedy: impl Into<String>) {
        let remedy = remedy.into();
        self.findings.push(Finding { check: check.id, severity: check.severity, object, evidence, remedy });
    }

    /// The service as an object of a finding.
    fn object(&self) -> String {
        format!("service/{}", self.service.name)
    }

    fn pods(&self, ordinals: &BTreeSet<u32>) -> String {
        let ordinals: Vec<u32> = ordinals.iter().copied().collect();
        pods_in_short(&self.survey.workload.name, &ordinals)
    }

    /// Shards that are Ready, and have been for long enough.
    fn ready(&self) -> BTreeSet<u32> {
        self.settled(|place| place.is_ready)
    }

    /// Shards that run and are not Ready, and have been so for long enough.
    fn not_ready(&self) -> BTreeSet<u32> {
        self.settled(|place| !place.is_ready)
    }

    fn settled(&self, which: fn(&super::Place) -> bool) -> BTreeSet<u32> {
        let places = self.survey.places.iter().filter(|(_, place)| which(place));
        places.map(|(ordinal, _)| *ordinal).filter(|shard| !self.client.unsettled.contains(shard)).collect()
    }

    /// The shard that an endpoint is of: that with its address, and in another family of addresses that of its pod's name.
    fn shard_of(&self, endpoint: &ServiceEndpoint) -> Option<u32> {
        let family = |address: &std::net::IpAddr| address.is_ipv4() == endpoint.address.is_ipv4();
        let is_its = |(ordinal, place): &(&u32, &super::Place)| match place.ips.iter().find(|ip| family(ip)) {
            Some(ip) => *ip == endpoint.address,
            // One that moves, or whose other address is not known.
            None => endpoint.pod.as_deref() == Some(self.survey.pod_name(**ordinal).as_str()),
        };
        self.survey.places.iter().find(is_its).map(|(ordinal, _)| *ordinal)
    }

    /// The endpoints that requests are sent to.
    fn served(&self) -> impl Iterator<Item = &'a ServiceEndpoint> {
        let service = self.service;
        service.endpoints.iter().flatten().filter(|endpoint| endpoint.is_ready)
    }

    /// By node of the source: how much `count` counts there, and all requests from there.
    fn by_node(&self, count: impl Fn(&Tally) -> u64) -> BTreeMap<NodeName, (u64, u64)> {
        let mut nodes: BTreeMap<NodeName, (u64, u64)> = BTreeMap::new();
        for (source, tally) in &self.tallies {
            if let Some(node) = &source.node {
                let (counted, asked) = nodes.entry(node.clone()).or_default();
                *counted += count(tally);
                *asked += tally.asked;
            }
        }
        nodes
    }
}

/// How likely chance may be to have kept something to some nodes, or sources, for it to be theirs. That it happened is certain; this
/// is about whom to blame.
const BLAMED_WRONGLY: f64 = 0.05;

/// Those of some nodes, or sources, to which something is confined that happened so often, out of so many requests, on each:
/// none where it happened on all, or so seldom that chance may have left the others out.
fn confined<K: Ord + Clone>(places: &BTreeMap<K, (u64, u64)>) -> BTreeSet<K> {
    let within: BTreeSet<K> =
        places.iter().filter(|(_, (count, _))| *count > 0).map(|(place, _)| place.clone()).collect();
    if within.is_empty() || within.len() == places.len() {
        return BTreeSet::new();
    }
    let total: u64 = places.values().map(|(_, asked)| asked).sum();
    let inside: u64 = within.iter().map(|place| places[place].1).sum();
    let count: u64 = places.values().map(|(count, _)| count).sum();
    // Each lies within those by chance with their share of all requests; as many other sets of them might have been.
    let sets = fit::at_least(count, count, fit::ratio(inside, total)) * fit::ways(places.len(), within.len());
    if sets < BLAMED_WRONGLY { within } else { BTreeSet::new() }
}

/// "20 of 120 requests (16.7 %)".
fn part(count: u64, asked: u64) -> String {
    match count == asked {
        true => format!("all {asked} requests"),
        false => format!("{count} of {asked} requests ({:.1} %)", 100.0 * fit::ratio(count, asked)),
    }
}
