//! The report for programs: JSON and YAML.

use serde::Serialize;

use crate::domain::names::WorkloadRef;
use crate::domain::shardset::API_VERSION;
use crate::domain::verify::{Counts, Finding, Report, Severity, Skipped};
use crate::render::json;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifyReport<'a> {
    api_version: &'static str,
    kind: &'static str,
    service: &'a WorkloadRef,
    taken_at: String,
    /// `explore`, `stable`, or null when nothing tells.
    phase: Option<&'static str>,
    /// Whether as many shards are up as the service needs.
    is_up: bool,
    shards: Shards,
    counts: Counts,
    findings: &'a [Finding],
    could_not_run: Vec<CouldNotRun<'a>>,
    skipped: &'a [Skipped],
    passed: &'a [&'static str],
}

#[derive(Serialize)]
struct Shards {
    ready: u32,
    wanted: u32,
    required: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CouldNotRun<'a> {
    check: &'static str,
    severity: Severity,
    asked: &'a str,
    answer: &'a str,
    is_forbidden: bool,
}

fn object(report: &Report) -> VerifyReport<'_> {
    VerifyReport {
        api_version: API_VERSION,
        kind: "VerifyReport",
        service: &report.workload,
        taken_at: report.taken_at.to_string(),
        phase: report.phase.map(|phase| phase.as_str()),
        is_up: report.verdict.is_up,
        shards: Shards {
            ready: report.verdict.up,
            wanted: report.verdict.wanted,
            required: report.verdict.required,
        },
        counts: report.counts(),
        findings: &report.findings,
        could_not_run: report
            .could_not_run
            .iter()
            .map(|blind| CouldNotRun {
                check: blind.check,
                severity: blind.severity,
                asked: &blind.cause.asked,
                answer: &blind.cause.answer,
                is_forbidden: blind.cause.is_forbidden,
            })
            .collect(),
        skipped: &report.skipped,
        passed: &report.passed,
    }
}

/// The report as a `VerifyReport` object.
#[must_use]
pub fn json(report: &Report) -> String {
    json::json(&object(report))
}

/// The report as a `VerifyReport` object, in YAML.
#[must_use]
pub fn yaml(report: &Report) -> String {
    json::yaml(&object(report))
}
