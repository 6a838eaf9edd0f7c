//! The report for a CI server.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::meaning;
use crate::domain::verify::{Finding, Report, Severity};

/// The report as JUnit XML: one suite, one case for each check. Findings of at least `fail_on` are failures, lesser
/// ones are said and pass, and a check that could not run is an error.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn junit(report: &Report, fail_on: Severity) -> String {
    let name = format!("{}/{}", report.workload.namespace, report.workload.name);
    let mut suite = TestSuite::new(format!("shardctl verify {name}"));
    suite.add_property(("takenAt", report.taken_at.to_string().as_str()));
    for id in &report.selected {
        let findings: Vec<&Finding> = report.findings.iter().filter(|finding| finding.check == *id).collect();
        let (status, said) = status(report, id, &findings, fail_on);
        let mut case = TestCase::new(format!("{id}: {}", meaning(id)), status);
        case.set_classname(format!("shardctl.verify.{id}"));
        if let Some(said) = said {
            case.set_system_out(said);
        }
        suite.add_test_case(case);
    }
    let mut junit = quick_junit::Report::new("shardctl verify");
    junit.add_test_suite(suite);
    junit.to_string().unwrap_or_else(|error| unreachable!("XML is written to memory: {error}"))
}

fn status(
    report: &Report,
    id: &str,
    findings: &[&Finding],
    fail_on: Severity,
) -> (TestCaseStatus, Option<String>) {
    if let Some(skipped) = report.skipped.iter().find(|skipped| skipped.check == id) {
        let mut status = TestCaseStatus::skipped();
        status.set_message(skipped.reason.as_str());
        return (status, None);
    }
    if let Some(blind) = report.could_not_run.iter().find(|blind| blind.check == id) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(format!("could not run: {}", blind.cause)).set_type("could-not-run");
        return (status, None);
    }
    let Some(first) = findings.first() else {
        return (TestCaseStatus::success(), None);
    };
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| format!("{}: {}\n  -> {}", finding.object, finding.evidence, finding.remedy))
        .collect();
    let text = lines.join("\n");
    if first.severity < fail_on {
        return (TestCaseStatus::success(), Some(format!("{}\n{text}", first.severity)));
    }
    let message = match findings.len() {
        1 => format!("{}: {}", first.object, first.evidence),
        many => format!("{}: {} (and {} more)", first.object, first.evidence, many - 1),
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(message).set_type(first.severity.as_str()).set_description(text);
    (status, None)
}
