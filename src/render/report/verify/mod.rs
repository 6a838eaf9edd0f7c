//! The report of `shardctl verify`, in every form there is.

mod junit;
mod object;
mod prometheus;
mod table;
#[cfg(test)]
mod tests;

pub use junit::junit;
pub use object::{json, yaml};
pub use prometheus::prometheus;
pub use table::{table, wide};

use super::findings::groups;
use crate::domain::verify::{CHECKS, Check, Counts, Report};

/// "1 error", "2 errors".
fn plural(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    }
}

/// "41 checks: 38 passed, 2 findings (1 error, 1 warning), 1 skipped".
fn summary(report: &Report) -> String {
    let counts = report.counts();
    let mut parts = vec![format!("{} passed", counts.passed)];
    if counts.findings > 0 {
        let failed = groups(&report.findings).len();
        let findings = plural(counts.findings, "finding");
        parts.push(match failed == counts.findings {
            true => format!("{findings} ({})", severities(counts)),
            false => format!("{failed} with {findings} ({})", severities(counts)),
        });
    }
    if counts.could_not_run > 0 {
        parts.push(format!("{} could not run", counts.could_not_run));
    }
    if counts.skipped > 0 {
        parts.push(format!("{} skipped", counts.skipped));
    }
    format!("{}: {}", plural(counts.checks, "check"), parts.join(", "))
}

fn severities(counts: Counts) -> String {
    [(counts.errors, "error"), (counts.warnings, "warning"), (counts.infos, "info")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| plural(count, severity))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A check by its id.
fn check(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

/// What a check means, by its id.
fn meaning(id: &str) -> &'static str {
    check(id).map_or("", |check| check.meaning)
}
