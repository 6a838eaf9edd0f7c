//! The report for people.

use super::{meaning, summary};
use crate::domain::snapshot::Unknown;
use crate::domain::verify::{CouldNotRun, Report};
use crate::render::report::findings::{INDENT, Lines, paint};
use crate::render::style::Stylesheet;
use crate::render::table::Columns;

/// The findings by severity and check, each check with what to do about it, and a summary.
#[must_use]
pub fn table(report: &Report, style: Stylesheet, width: Option<usize>) -> String {
    let counts = report.counts();
    if counts.findings == 0 && counts.could_not_run == 0 {
        let good = style.success(format!("{} is as it should be", report.workload));
        return format!("{good} ({})\n", summary(report));
    }
    let mut lines = Lines::new(&report.findings, style, width);
    lines.findings(&report.findings, meaning);
    for (cause, checks) in by_cause(&report.could_not_run) {
        unknown(&mut lines, style, cause, &checks);
    }
    lines.run("", 0, &summary(report));
    lines.text
}

fn unknown(lines: &mut Lines, style: Stylesheet, cause: &Unknown, checks: &[&str]) {
    let count = match checks.len() {
        1 => "1 check could not run".to_owned(),
        many => format!("{many} checks could not run"),
    };
    lines.check("unknown", |text| style.warning(text), &style.value(count));
    lines.run(&" ".repeat(INDENT), INDENT, &cause.to_string());
    lines.run(&" ".repeat(INDENT), INDENT, &checks.join(", "));
    lines.remedy(if cause.is_forbidden {
        "Ask for the right to read it, or leave these checks out with --skip"
    } else {
        "Run `shardctl verify` again; with -v 6 it shows each request"
    });
    lines.text.push('\n');
}

/// The checks that could not run, by what stood in their way.
fn by_cause(could_not_run: &[CouldNotRun]) -> Vec<(&Unknown, Vec<&'static str>)> {
    let mut causes: Vec<(&Unknown, Vec<&'static str>)> = Vec::new();
    for CouldNotRun { check, cause, .. } in could_not_run {
        match causes.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, checks)) => checks.push(check),
            None => causes.push((cause, vec![check])),
        }
    }
    causes
}

/// Every finding and every check on a line of its own, never cut: for grep, and for the whole picture.
#[must_use]
pub fn wide(report: &Report, style: Stylesheet) -> String {
    let mut columns = Columns::new(&["result", "check", "object", "evidence", "remedy"], None);
    let mut row = |result: String, check: &str, rest: [&str; 3]| {
        let rest = rest.iter().map(|text| (*text).to_owned());
        columns.row([result, check.to_owned()].into_iter().chain(rest));
    };
    for finding in &report.findings {
        row(
            paint(style, finding.severity, finding.severity),
            finding.check,
            [&finding.object, &finding.evidence, &finding.remedy],
        );
    }
    for blind in &report.could_not_run {
        row(style.warning("unknown"), blind.check, ["", &blind.cause.to_string(), ""]);
    }
    for id in &report.passed {
        row(style.success("passed"), id, ["", meaning(id), ""]);
    }
    for skipped in &report.skipped {
        row(style.note("skipped"), skipped.check, ["", &skipped.reason, ""]);
    }
    format!("{columns}\n{}\n", summary(report))
}
