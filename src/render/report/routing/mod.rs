//! The report of `shardctl routing-test`: a matrix of who reaches whom, what is behind it, how long it took.

mod json;
mod json_service;
mod junit;
mod matrix;
mod service;
#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod tests;
pub mod watch;

use std::time::Duration;

use super::Look;
use super::findings::Lines;
use crate::domain::finding::Finding;
use crate::domain::names::pods_in_short;
use crate::domain::routing::{Asker, CHECKS, DomainFrom, Mark, Percentiles, Survey, Via};
use crate::render::text::wrap;
pub use json::report;
pub use junit::junit;

/// A survey and what was found in it.
#[derive(Clone, Debug)]
pub struct RoutingReport<'a> {
    pub survey: &'a Survey,
    pub findings: &'a [Finding],
}

/// What a check expects, by its id.
fn meaning(id: &str) -> &'static str {
    CHECKS.iter().find(|check| check.id == id).map_or("", |check| check.meaning)
}

/// The picture, the findings, and a summary.
#[must_use]
pub fn table(report: &RoutingReport<'_>, look: Look) -> String {
    let survey = report.survey;
    let mut text = format!("{}\n\n", wrap(&question(survey), look.width).join("\n"));
    text.push_str(&matrix::matrix(survey, look));
    text.push('\n');
    text.push_str(&service::services(survey, look));
    if !report.findings.is_empty() {
        let mut lines = Lines::new(report.findings, look.style, look.width);
        lines.findings(report.findings, meaning);
        text.push_str(&lines.text);
    }
    text.push_str(&summary(report, look));
    text
}

/// Every pair on a line of its own, then the findings.
#[must_use]
pub fn wide(report: &RoutingReport<'_>, look: Look) -> String {
    let mut text = format!("{}\n\n", question(report.survey));
    text.push_str(&matrix::pairs(report.survey, look));
    text.push('\n');
    text.push_str(&service::services(report.survey, look));
    text.push_str(&service::sources(report.survey, look));
    if !report.findings.is_empty() {
        let mut lines = Lines::new(report.findings, look.style, None);
        lines.findings(report.findings, meaning);
        text.push_str(&lines.text);
    }
    text.push_str(&summary(report, look));
    text
}

/// What was asked, and how.
fn question(survey: &Survey) -> String {
    let mut ways: Vec<(String, Vec<&Asker>)> = Vec::new();
    for (asker, row) in &survey.rows {
        let way = match &row.via {
            Via::Inside { tool } => format!("with {tool}"),
            Via::PortForward { .. } => "through port-forward".to_owned(),
        };
        match ways.iter_mut().find(|(known, _)| *known == way) {
            Some((_, askers)) => askers.push(asker),
            None => ways.push((way, vec![asker])),
        }
    }
    let is_probe = |asker: &Asker| matches!(asker, Asker::Probe(_));
    let asks = match (survey.rows.keys().any(is_probe), survey.rows.keys().all(is_probe)) {
        (true, true) => "a probe on each node asks each shard",
        (true, false) => "shards and probes ask each shard",
        (false, _) => "each shard asks each",
    };
    let ways: Vec<String> = match &ways[..] {
        [(way, _)] => vec![way.clone()],
        ways => ways.iter().map(|(way, askers)| format!("{} {way}", in_short(survey, askers))).collect(),
    };
    let name = match survey.domain() {
        Some(domain) => {
            format!("POD.{}.{}.svc.{}", survey.headless.name, survey.workload.namespace, domain.name)
        }
        None => "its pod".to_owned(),
    };
    let is_assumed = survey.domain().is_some_and(|domain| domain.from == DomainFrom::Assumed);
    format!(
        "{} in {}: {asks} for {} at {name}:{}{}{}{}",
        survey.workload,
        survey.workload.namespace,
        survey.path,
        survey.port,
        if is_assumed { " (nothing there tells the cluster's domain: this one is assumed)" } else { "" },
        if ways.is_empty() { "" } else { ", " },
        ways.join("; ")
    )
}

/// "ring-{0..3}", "2 probes", "ring-{0..3} and 2 probes".
fn in_short(survey: &Survey, askers: &[&Asker]) -> String {
    let shard = |asker: &&Asker| match asker {
        Asker::Shard(ordinal) => Some(*ordinal),
        Asker::Probe(_) => None,
    };
    let shards: Vec<u32> = askers.iter().filter_map(shard).collect();
    let probes = match askers.len() - shards.len() {
        0 => None,
        1 => Some("1 probe".to_owned()),
        many => Some(format!("{many} probes")),
    };
    let shards = (!shards.is_empty()).then(|| pods_in_short(&survey.workload.name, &shards));
    shards.into_iter().chain(probes).collect::<Vec<_>>().join(" and ")
}

/// "1.2 ms", "34 ms", "2.1 s".
fn short(duration: Duration) -> String {
    let millis = duration.as_secs_f64() * 1e3;
    match millis {
        millis if millis < 10.0 => format!("{millis:.1} ms"),
        millis if millis < 1000.0 => format!("{millis:.0} ms"),
        millis => format!("{:.1} s", millis / 1e3),
    }
}

fn summary(report: &RoutingReport<'_>, look: Look) -> String {
    let survey = report.survey;
    let (mut asked, mut good) = (0_usize, 0_usize);
    for (.., mark) in survey.marks() {
        asked += 1;
        good += usize::from(mark == Mark::Good);
    }
    let answers = match good == asked && asked > 0 {
        true => look.style.success(format!("all {asked} questions were answered")),
        false => look.style.danger(format!("{good} of {asked} questions were answered")),
    };
    let totals =
        survey.rows.values().flat_map(|row| row.answers.values()).filter_map(|answer| answer.times.total);
    let times = Percentiles::of(totals).map_or_else(String::new, |times| {
        format!(
            "; median {}, 99% {}, longest {}",
            short(times.median),
            short(times.p99),
            short(times.longest)
        )
    });
    let network = match survey.asks_the_network() {
        true => "",
        false => "\nThe network between the shards was not tested.",
    };
    format!("{answers}{times}{network}\n")
}
