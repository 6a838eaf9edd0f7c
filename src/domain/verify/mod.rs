//! The checks of `shardctl verify`, and what they find.
//!
//! What a severity means:
//!
//! - error: the service is down, or will go down or lose data although nobody does anything wrong.
//! - warning: a line of defence is missing, or the service is not what its owner thinks it is.
//! - info: worth knowing, and nothing to mend today.

mod autoscaling;
mod control_plane;
mod disruption;
mod drift;
mod facts;
mod limits;
mod node_pool;
mod nodes;
mod placement;
mod report;
mod services;
mod shards;
mod storage;
mod template;
#[cfg(test)]
mod tests;
mod workload;

pub use facts::{Drift, Facts};
pub use report::{CouldNotRun, Counts, Report, Skipped};

pub use super::finding::{Finding, Severity};

use super::names::nearest;
use super::snapshot::Unknown;

/// One way in which an object is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The object: `pod/biometric-shard-3`.
    pub object: String,
    /// What was seen, with names and numbers.
    pub evidence: String,
    /// What to do: one imperative sentence that names a command or a field. The violations of a check
    /// share it as far as they can, because the table shows it once.
    pub remedy: String,
}

/// Why a check has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRun {
    /// What it looks at could not be read.
    Unknown(Unknown),
    /// It says nothing about a service like this one, and why.
    NotApplicable(String),
}

impl From<Unknown> for NotRun {
    fn from(unknown: Unknown) -> Self {
        Self::Unknown(unknown)
    }
}

impl From<&Unknown> for NotRun {
    fn from(unknown: &Unknown) -> Self {
        Self::Unknown(unknown.clone())
    }
}

fn not_applicable<T>(reason: impl Into<String>) -> Result<T, NotRun> {
    Err(NotRun::NotApplicable(reason.into()))
}

/// What a check comes to: nothing found, or every violation.
pub type Outcome = Result<Vec<Violation>, NotRun>;

/// One rule about the service.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name, in kebab-case: a section of `docs/checks.md`.
    pub id: &'static str,
    pub severity: Severity,
    /// What holds when the check passes, in one line.
    pub meaning: &'static str,
    pub run: fn(&Facts<'_>) -> Outcome,
}

impl Check {
    const fn error(id: &'static str, meaning: &'static str, run: fn(&Facts<'_>) -> Outcome) -> Self {
        Self::new(id, Severity::Error, meaning, run)
    }

    const fn warning(id: &'static str, meaning: &'static str, run: fn(&Facts<'_>) -> Outcome) -> Self {
        Self::new(id, Severity::Warning, meaning, run)
    }

    const fn info(id: &'static str, meaning: &'static str, run: fn(&Facts<'_>) -> Outcome) -> Self {
        Self::new(id, Severity::Info, meaning, run)
    }

    const fn new(
        id: &'static str,
        severity: Severity,
        meaning: &'static str,
        run: fn(&Facts<'_>) -> Outcome,
    ) -> Self {
        Self { id, severity, meaning, run }
    }

    /// The subject that the check belongs to.
    #[must_use]
    pub fn subject(&self) -> &'static str {
        SUBJECTS
            .iter()
            .find(|(_, checks)| checks.iter().any(|check| check.id == self.id))
            .map_or("", |(subject, _)| subject)
    }
}

/// The checks by subject, in the order of reports.
pub const SUBJECTS: &[(&str, &[Check])] = &[
    ("control-plane", control_plane::CHECKS),
    ("shards", shards::CHECKS),
    ("workload", workload::CHECKS),
    ("template", template::CHECKS),
    ("disruption", disruption::CHECKS),
    ("storage", storage::CHECKS),
    ("services", services::CHECKS),
    ("placement", placement::CHECKS),
    ("nodes", nodes::CHECKS),
    ("node-pools", node_pool::CHECKS),
    ("limits", limits::CHECKS),
    ("autoscaling", autoscaling::CHECKS),
    ("ownership", drift::CHECKS),
];

/// Every check, in the order of reports.
pub const CHECKS: &[Check] = &all::<{ count() }>();

const fn count() -> usize {
    let (mut total, mut subject) = (0, 0);
    while subject < SUBJECTS.len() {
        total += SUBJECTS[subject].1.len();
        subject += 1;
    }
    total
}

const fn all<const N: usize>() -> [Check; N] {
    let mut all = [SUBJECTS[0].1[0]; N];
    let (mut next, mut subject) = (0, 0);
    while subject < SUBJECTS.len() {
        let checks = SUBJECTS[subject].1;
        let mut index = 0;
        while index < checks.len() {
            all[next] = checks[index];
            next += 1;
            index += 1;
        }
        subject += 1;
    }
    all
}

/// Which checks to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

/// A name that is neither a check nor a subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no check `{name}`{}, see `shardctl explain`", .nearest.map(|nearest| format!(", did you mean `{nearest}`?")).unwrap_or_default())]
pub struct UnknownCheck {
    pub name: String,
    pub nearest: Option<&'static str>,
}

impl Selection {
    /// The checks or subjects named in `only`, or all when it is empty, save those named in `skip`.
    ///
    /// # Errors
    /// When a name is neither a check nor a subject.
    pub fn new(
        only: impl IntoIterator<Item = String>,
        skip: impl IntoIterator<Item = String>,
    ) -> Result<Self, UnknownCheck> {
        let known = |names: Vec<String>| {
            names.into_iter().map(|name| check_name(&name)).collect::<Result<Vec<String>, UnknownCheck>>()
        };
        Ok(Self { only: known(only.into_iter().collect())?, skip: known(skip.into_iter().collect())? })
    }

    fn is_wanted(&self, check: &Check) -> bool {
        self.only.is_empty() || names(&self.only, check)
    }

    fn is_skipped(&self, check: &Check) -> bool {
        names(&self.skip, check)
    }
}

fn names(names: &[String], check: &Check) -> bool {
    names.iter().any(|name| name == check.id || name == check.subject())
}

/// `name` when it is a check or a subject.
///
/// # Errors
/// When it is neither; the error names the nearest.
pub fn check_name(name: &str) -> Result<String, UnknownCheck> {
    let known = || {
        let subjects = SUBJECTS.iter().map(|(subject, _)| *subject);
        CHECKS.iter().map(|check| check.id).chain(subjects)
    };
    if known().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    Err(UnknownCheck { name: name.to_owned(), nearest: nearest(name, known()) })
}

/// Runs the selected checks. The same facts give the same report.
#[must_use]
pub fn verify(facts: &Facts<'_>, selection: &Selection) -> Report {
    let mut report = Report::new(facts);
    for check in CHECKS.iter().filter(|check| selection.is_wanted(check)) {
        if selection.is_skipped(check) {
            report.skip(check, "left out by --skip".to_owned());
            continue;
        }
        match (check.run)(facts) {
            Ok(violations) => report.record(check, violations),
            Err(NotRun::NotApplicable(reason)) => report.skip(check, reason),
            Err(NotRun::Unknown(unknown)) => report.could_not_run(check, unknown),
        }
    }
    report.sort();
    report
}
