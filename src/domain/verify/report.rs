//! What a verification comes to.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::Serialize;

use super::super::names::WorkloadRef;
use super::super::shardset::Phase;
use super::super::snapshot::Unknown;
use super::super::status::Verdict;
use super::{Check, Facts, Finding, Severity, Violation};

/// A check that says nothing here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Id of the check.
    pub check: &'static str,
    pub reason: String,
}

/// A check whose facts could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CouldNotRun {
    /// Id of the check.
    pub check: &'static str,
    pub severity: Severity,
    pub cause: Unknown,
}

/// How many checks came to what, and how many findings there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub checks: usize,
    pub passed: usize,
    pub skipped: usize,
    pub could_not_run: usize,
    pub findings: usize,
    pub errors: usize,
    pub warnings: usize,
    pub infos: usize,
}

/// The result of `shardctl verify`.
#[derive(Clone, Debug)]
pub struct Report {
    pub workload: WorkloadRef,
    pub taken_at: Timestamp,
    /// The phase that the checks went by, when it is known.
    pub phase: Option<Phase>,
    pub verdict: Verdict,
    /// By severity, gravest first, then in the order of the checks, then in the order of the objects.
    pub findings: Vec<Finding>,
    /// Ids of the checks that found nothing.
    pub passed: Vec<&'static str>,
    pub skipped: Vec<Skipped>,
    pub could_not_run: Vec<CouldNotRun>,
    /// Ids of all checks that were to run, in order.
    pub selected: Vec<&'static str>,
}

impl Report {
    pub(super) fn new(facts: &Facts<'_>) -> Self {
        Self {
            workload: facts.snapshot.workload.reference.clone(),
            taken_at: facts.snapshot.taken_at,
            phase: facts.phase().unwrap_or_default(),
            verdict: Verdict::of(facts.snapshot, facts.availability()),
            findings: Vec::new(),
            passed: Vec::new(),
            skipped: Vec::new(),
            could_not_run: Vec::new(),
            selected: Vec::new(),
        }
    }

    /// What was found, without how long it has been so: two reports with equal ones say the same. The evidence is left
    /// out, because it tells of times.
    #[must_use]
    pub fn timeless(&self) -> (Verdict, Vec<(&'static str, String)>, Vec<&'static str>) {
        let findings = self.findings.iter().map(|finding| (finding.check, finding.object.clone()));
        let blind = self.could_not_run.iter().map(|blind| blind.check);
        (self.verdict.timeless(), findings.collect(), blind.collect())
    }

    pub(super) fn record(&mut self, check: &Check, violations: Vec<Violation>) {
        self.selected.push(check.id);
        if violations.is_empty() {
            self.passed.push(check.id);
        }
        self.findings.extend(violations.into_iter().map(|violation| Finding {
            check: check.id,
            severity: check.severity,
            object: violation.object,
            evidence: violation.evidence,
            remedy: violation.remedy,
        }));
    }

    pub(super) fn skip(&mut self, check: &Check, reason: String) {
        self.selected.push(check.id);
        self.skipped.push(Skipped { check: check.id, reason });
    }

    pub(super) fn could_not_run(&mut self, check: &Check, cause: Unknown) {
        self.selected.push(check.id);
        self.could_not_run.push(CouldNotRun { check: check.id, severity: check.severity, cause });
    }

    pub(super) fn sort(&mut self) {
        // Stable: within a severity the order of the checks stays.
        self.findings.sort_by_key(|finding| Reverse(finding.severity));
    }

    /// How many checks came to what, and how many findings there are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let of = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        Counts {
            checks: self.selected.len(),
            passed: self.passed.len(),
            skipped: self.skipped.len(),
            could_not_run: self.could_not_run.len(),
            findings: self.findings.len(),
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            infos: of(Severity::Info),
        }
    }

    /// Whether there is a finding of at least this severity.
    #[must_use]
    pub fn has_finding(&self, at_least: Severity) -> bool {
        self.findings.iter().any(|finding| finding.severity >= at_least)
    }

    /// Whether a check that could have made such a finding could not run, so that nobody knows.
    #[must_use]
    pub fn is_blind(&self, at_least: Severity) -> bool {
        self.could_not_run.iter().any(|could_not_run| could_not_run.severity >= at_least)
    }
}
