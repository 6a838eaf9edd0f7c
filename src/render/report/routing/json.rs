//! `-o json` and `-o yaml`: every question and its answer, exact.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use super::RoutingReport;
use super::json_service::{ClientService, client_services};
use crate::domain::finding::Finding;
use crate::domain::names::{NodeName, WorkloadRef};
use crate::domain::routing::{Answer, Asker, Mark, Outcome, Percentiles, Row, Survey, Via};

/// The report as programs read it. Times are in milliseconds; what is unknown is null, never 0.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    api_version: &'static str,
    kind: &'static str,
    workload: &'a WorkloadRef,
    taken_at: String,
    replicas: u32,
    port: u16,
    path: &'a str,
    cluster_domain: Option<&'a str>,
    /// How that is known: `given`, from the `search` list in the shards, by a `reverse` lookup, or `assumed`.
    cluster_domain_from: Option<&'static str>,
    /// Whether questions went over the network of the shards.
    network_tested: bool,
    counts: Counts,
    times: Option<Times>,
    shards: Vec<Shard<'a>>,
    probes: Vec<Probe<'a>>,
    findings: &'a [Finding],
    client_services: Vec<ClientService<'a>>,
    pairs: Vec<Pair<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    asked: usize,
    answered: usize,
    findings: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Times {
    median: f64,
    p99: f64,
    longest: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shard<'a> {
    ordinal: u32,
    node: Option<&'a NodeName>,
    zone: Option<&'a str>,
    /// The pod's own addresses, of each family.
    ips: &'a [IpAddr],
    ready: Option<bool>,
    /// How it asked: `exec`, `probe` (the one on its node asked in its stead) or `port-forward`; null when nobody asked
    /// from it.
    asks_through: Option<&'static str>,
    tool: Option<&'a str>,
    /// Why it could not ask from inside.
    because: Option<&'a str>,
    /// How it looks names up; null where it did not say.
    resolver: Option<Resolver<'a>>,
}

/// What /etc/resolv.conf says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resolver<'a> {
    name_servers: &'a [String],
    search: &'a [String],
    ndots: u32,
    /// Whether a short name, POD.SERVICE, resolved; null where that was not asked.
    short_names: Option<bool>,
}

/// A pod of ours that asked, or was to ask, from a node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Probe<'a> {
    node: &'a NodeName,
    zone: Option<&'a str>,
    /// What it asked with; null where there was none.
    tool: Option<&'a str>,
    /// Why there was none.
    because: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pair<'a> {
    /// The ordinal of the shard that asked; null when a probe did.
    from: Option<u32>,
    /// The node of the probe that asked; null when a shard did.
    from_probe_on: Option<&'a NodeName>,
    to: u32,
    /// `good`, `unresolved`, `stale`, `several`, `refused`, `unreachable`, `hangs`, `broken`, `bad-status`, `stranger`.
    result: &'static str,
    addresses: Option<Vec<IpAddr>>,
    /// The one of them that was asked; null where the tool does not tell.
    asked_at: Option<IpAddr>,
    status: Option<u16>,
    identity: Option<&'a str>,
    reason: Option<&'a str>,
    resolved: Option<f64>,
    connected: Option<f64>,
    first_byte: Option<f64>,
    total: Option<f64>,
}

/// The facts of a report.
#[must_use]
pub fn report<'a>(report: &RoutingReport<'a>) -> Report<'a> {
    let survey = report.survey;
    let pairs: Vec<Pair<'a>> = survey.marks().map(|(from, to, mark)| pair(survey, from, to, mark)).collect();
    let totals =
        survey.rows.values().flat_map(|row| row.answers.values()).filter_map(|answer| answer.times.total);
    Report {
        api_version: "shardctl.dev/v1alpha1",
        kind: "RoutingReport",
        workload: &survey.workload,
        taken_at: survey.taken_at.to_string(),
        replicas: survey.replicas,
        port: survey.port,
        path: &survey.path,
        cluster_domain: survey.domain().map(|domain| domain.name.as_str()),
        cluster_domain_from: survey.domain().map(|domain| domain.from.as_str()),
        network_tested: survey.asks_the_network(),
        counts: Counts {
            asked: pairs.len(),
            answered: pairs.iter().filter(|pair| pair.result == name(Mark::Good)).count(),
            findings: report.findings.len(),
        },
        times: Percentiles::of(totals).map(|times| Times {
            median: millis(times.median),
            p99: millis(times.p99),
            longest: millis(times.longest),
        }),
        shards: shards(survey),
        probes: probes(survey),
        findings: report.findings,
        client_services: client_services(survey),
        pairs,
    }
}

/// Milliseconds, to the microsecond.
fn millis(duration: Duration) -> f64 {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(micros) / 1e3
}

pub(super) fn name(mark: Mark) -> &'static str {
    match mark {
        Mark::Good => "good",
        Mark::Unresolved => "unresolved",
        Mark::Stale => "stale",
        Mark::Several => "several",
        Mark::Refused => "refused",
        Mark::Unreachable => "unreachable",
        Mark::Hangs => "hangs",
        Mark::Broken => "broken",
        Mark::BadStatus => "bad-status",
        Mark::Stranger => "stranger",
    }
}

fn pair<'a>(survey: &'a Survey, from: &'a Asker, to: u32, mark: Mark) -> Pair<'a> {
    let Answer { addresses, asked_at, outcome, times } = &survey.rows[from].answers[&to];
    let (from, from_probe_on) = match from {
        Asker::Shard(ordinal) => (Some(*ordinal), None),
        Asker::Probe(node) => (None, Some(node)),
    };
    let (status, identity) = match outcome {
        Outcome::Answered { status, identity } => (Some(*status), identity.as_deref()),
        _ => (None, None),
    };
    let reason = match outcome {
        Outcome::Unresolved { reason } | Outcome::Unreachable { reason } | Outcome::Broken { reason } => {
            Some(reason.as_str())
        }
        _ => None,
    };
    Pair {
        from,
        from_probe_on,
        to,
        result: name(mark),
        addresses: addresses.as_ref().map(|addresses| addresses.iter().copied().collect()),
        asked_at: *asked_at,
        status,
        identity,
        reason,
        resolved: times.resolved.map(millis),
        connected: times.connected.map(millis),
        first_byte: times.first_byte.map(millis),
        total: times.total.map(millis),
    }
}

fn shards(survey: &Survey) -> Vec<Shard<'_>> {
    let mute: &BTreeMap<u32, String> = &survey.mute;
    (0..survey.replicas)
        .map(|ordinal| {
            let place = survey.places.get(&ordinal);
            let row = survey.rows.get(&Asker::Shard(ordinal));
            let via = row.map(|row| &row.via);
            let (asks_through, tool, because) = match (via, survey.stand_ins.get(&ordinal)) {
                (Some(Via::Inside { tool }), _) => (Some("exec"), Some(tool.as_str()), None),
                (Some(Via::PortForward { because }), _) => {
                    (Some("port-forward"), None, Some(because.as_str()))
                }
                (None, Some(because)) => (Some("probe"), None, Some(because.as_str())),
                (None, None) => (None, None, mute.get(&ordinal).map(String::as_str)),
            };
            Shard {
                ordinal,
                node: place.and_then(|place| place.node.as_ref()),
                zone: place.and_then(|place| place.zone.as_deref()),
                ips: place.map_or(&[], |place| &place.ips),
                ready: place.map(|place| place.is_ready),
                asks_through,
                tool,
                because,
                resolver: row.and_then(resolver),
            }
        })
        .collect()
}

fn resolver(row: &Row) -> Option<Resolver<'_>> {
    let resolver = row.resolver.as_ref()?;
    let is_resolved = |answer: &Answer| !matches!(answer.outcome, Outcome::Unresolved { .. });
    Some(Resolver {
        name_servers: &resolver.servers,
        search: &resolver.search,
        ndots: resolver.ndots,
        short_names: row.short.as_ref().map(|(_, answer)| is_resolved(answer)),
    })
}

fn probes(survey: &Survey) -> Vec<Probe<'_>> {
    let mut probes: Vec<Probe<'_>> = survey
        .rows
        .iter()
        .filter_map(|(asker, row)| match (asker, &row.via) {
            (Asker::Probe(node), Via::Inside { tool }) => Some((node, Some(tool.as_str()), None)),
            _ => None,
        })
        .chain(survey.no_probe.iter().map(|(node, because)| (node, None, Some(because.as_str()))))
        .map(|(node, tool, because)| Probe { node, zone: survey.zone_of_node(node), tool, because })
        .collect();
    probes.sort_by_key(|probe| probe.node);
    probes
}
