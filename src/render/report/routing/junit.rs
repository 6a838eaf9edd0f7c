//! The report for a CI server.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::RoutingReport;
use crate::domain::finding::{Finding, Severity};
use crate::domain::routing::CHECKS;

/// One suite, one case for each check. A check with a finding that is worse than an info is a failure.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn junit(report: &RoutingReport<'_>) -> String {
    let workload = &report.survey.workload;
    let mut suite = TestSuite::new(format!("shardctl routing-test {}/{}", workload.namespace, workload.name));
    suite.add_property(("takenAt", report.survey.taken_at.to_string().as_str()));
    for check in CHECKS {
        let findings: Vec<&Finding> =
            report.findings.iter().filter(|finding| finding.check == check.id).collect();
        let lines: Vec<String> = findings
            .iter()
            .map(|finding| format!("{}: {}\n  -> {}", finding.object, finding.evidence, finding.remedy))
            .collect();
        let status = match findings.first() {
            Some(first) if first.severity > Severity::Info => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                let message = format!("{}: {}", first.object, first.evidence);
                status
                    .set_message(message)
                    .set_type(first.severity.as_str())
                    .set_description(lines.join("\n"));
                status
            }
            _ => TestCaseStatus::success(),
        };
        let mut case = TestCase::new(format!("{}: {}", check.id, check.meaning), status);
        case.set_classname(format!("shardctl.routing-test.{}", check.id));
        suite.add_test_case(case);
    }
    let mut junit = Report::new("shardctl routing-test");
    junit.add_test_suite(suite);
    junit.to_string().unwrap_or_else(|error| unreachable!("XML is written to memory: {error}"))
}
