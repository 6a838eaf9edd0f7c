//! The client services in `-o json` and `-o yaml`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use super::json::name;
use crate::domain::names::NodeName;
use crate::domain::routing::Survey;
use crate::domain::routing::service::{ServiceEndpoint, ServiceSurvey, Source, Spread, Tally, Target};

/// A client service: what it leads to, what it answered, and how requests were spread.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientService<'a> {
    name: &'a str,
    addresses: Vec<IpAddr>,
    port: u16,
    /// A number, or the name of a container port.
    target: String,
    session_affinity: &'static str,
    internal_traffic_policy: &'static str,
    publish_not_ready_addresses: bool,
    /// Null when they could not be read.
    endpoints: Option<Vec<Endpoint<'a>>>,
    requests_per_source: u32,
    counts: Counts,
    /// Requests that shards answered with success, by the name of the pod, those that got none included.
    answered_by: BTreeMap<String, u64>,
    spread: SpreadReport,
    sources: Vec<SourceReport<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    address: IpAddr,
    port: Option<u16>,
    pod: Option<&'a str>,
    ready: bool,
    slice: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    asked: u64,
    answered: u64,
    /// Answered by one that does not say who it is.
    nameless: u64,
    /// By what became of them: the same words as `result` of a pair.
    failed: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SpreadReport {
    /// `even`, `uneven`, `sticking` or `unjudged`.
    verdict: &'static str,
    /// Why it cannot be judged.
    because: Option<String>,
    /// What is expected, by the name of the pod.
    expected: Option<BTreeMap<String, f64>>,
    chi_squared: Option<f64>,
    degrees_of_freedom: Option<u32>,
    p: Option<f64>,
    /// Under ClientIP affinity: sources that stay with one shard, and with how many shards.
    sticking_sources: Option<usize>,
    sticking_shards: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceReport<'a> {
    name: &'a str,
    node: Option<&'a NodeName>,
    asked: u64,
    answered_by: BTreeMap<String, u64>,
    failed: BTreeMap<&'static str, u64>,
}

/// All client services of a survey.
pub fn client_services(survey: &Survey) -> Vec<ClientService<'_>> {
    survey.clients.surveys.iter().map(|client| client_service(survey, client)).collect()
}

fn client_service<'a>(survey: &Survey, client: &'a ServiceSurvey) -> ClientService<'a> {
    let verdict = client.judge(survey);
    let service = &client.service;
    let mut answered: BTreeMap<String, u64> =
        survey.places.keys().map(|shard| (survey.pod_name(*shard), 0)).collect();
    answered.extend(answered_by(survey, &verdict.tally));
    let endpoints = service.endpoints.as_ref().ok();
    ClientService {
        name: &service.name,
        addresses: service.addresses.iter().copied().collect(),
        port: service.port.number,
        target: match &service.port.target {
            Target::Number(number) => number.to_string(),
            Target::Name(name) => name.clone(),
        },
        session_affinity: if service.affinity.is_some() { "ClientIP" } else { "None" },
        internal_traffic_policy: if service.is_local { "Local" } else { "Cluster" },
        publish_not_ready_addresses: service.publishes_not_ready,
        endpoints: endpoints.map(|endpoints| endpoints.iter().map(endpoint).collect()),
        requests_per_source: client.requests,
        counts: Counts {
            asked: verdict.tally.asked,
            answered: verdict.tally.answered(),
            nameless: verdict.tally.nameless,
            failed: failed(&verdict.tally),
        },
        answered_by: answered,
        spread: spread(survey, &verdict.spread),
        sources: client
            .answers
            .keys()
            .filter_map(|source| Some(source_report(survey, source, verdict.sources.get(source)?)))
            .collect(),
    }
}

fn endpoint(endpoint: &ServiceEndpoint) -> Endpoint<'_> {
    Endpoint {
        address: endpoint.address,
        port: endpoint.port,
        pod: endpoint.pod.as_deref(),
        ready: endpoint.is_ready,
        slice: &endpoint.slice,
    }
}

fn source_report<'a>(survey: &Survey, source: &'a Source, tally: &Tally) -> SourceReport<'a> {
    SourceReport {
        name: &source.name,
        node: source.node.as_ref(),
        asked: tally.asked,
        answered_by: answered_by(survey, tally),
        failed: failed(tally),
    }
}

fn answered_by(survey: &Survey, tally: &Tally) -> BTreeMap<String, u64> {
    let shards = tally.shards.iter().map(|(shard, count)| (survey.pod_name(*shard), *count));
    shards.chain(tally.strangers.clone()).collect()
}

fn failed(tally: &Tally) -> BTreeMap<&'static str, u64> {
    tally.failed.iter().map(|(mark, count)| (name(*mark), *count)).collect()
}

fn spread(survey: &Survey, spread: &Spread) -> SpreadReport {
    let mut report = SpreadReport {
        verdict: "unjudged",
        because: None,
        expected: None,
        chi_squared: None,
        degrees_of_freedom: None,
        p: None,
        sticking_sources: None,
        sticking_shards: None,
    };
    match spread {
        Spread::Judged { expected, test, is_even } => {
            report.verdict = if *is_even { "even" } else { "uneven" };
            let expected = expected.iter().map(|(shard, mean)| (survey.pod_name(*shard), *mean));
            report.expected = Some(expected.collect());
            report.chi_squared = test.map(|test| test.statistic);
            report.degrees_of_freedom = test.map(|test| test.degrees);
            report.p = test.map(|test| test.p);
        }
        Spread::Sticking(sticking) => {
            report.verdict = "sticking";
            report.because = Some("under ClientIP affinity each source stays with one shard".to_owned());
            report.sticking_sources = Some(sticking.sticking);
            report.sticking_shards = Some(sticking.shards);
        }
        Spread::Unjudged(reason) => report.because = Some(reason.to_string()),
    }
    report
}
