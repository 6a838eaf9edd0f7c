//! The report for a metrics collector, in the Prometheus text format.

use super::check;
use crate::domain::verify::Report;

/// The report as metrics: one sample for each check that ran, and the shards.
#[must_use]
pub fn prometheus(report: &Report) -> String {
    let mut text = String::new();
    let service = format!(
        "namespace=\"{}\",workload=\"{}\"",
        escaped(&report.workload.namespace),
        escaped(&report.workload.name)
    );
    let of = |id: &str| {
        let severity = check(id).map_or("", |check| check.severity.as_str());
        format!("{{{service},check=\"{}\",severity=\"{severity}\"}}", escaped(id))
    };
    let is_skipped = |id: &str| report.skipped.iter().any(|skipped| skipped.check == id);
    let is_blind = |id: &str| report.could_not_run.iter().any(|blind| blind.check == id);

    family(&mut text, "shardctl_check_findings", "Findings of a check that ran.");
    for id in report.selected.iter().filter(|id| !is_skipped(id) && !is_blind(id)) {
        let findings = report.findings.iter().filter(|finding| finding.check == *id).count();
        text.push_str(&format!("shardctl_check_findings{} {findings}\n", of(id)));
    }
    family(&mut text, "shardctl_check_could_not_run", "Whether what a check looks at could not be read.");
    for id in report.selected.iter().filter(|id| !is_skipped(id)) {
        let could_not_run = u8::from(is_blind(id));
        text.push_str(&format!("shardctl_check_could_not_run{} {could_not_run}\n", of(id)));
    }
    let verdict = &report.verdict;
    for (name, help, value) in [
        ("shardctl_shards_ready", "Shards that are up.", verdict.up),
        ("shardctl_shards_wanted", "Shards that there should be.", verdict.wanted),
        ("shardctl_up", "Whether as many shards are up as the service needs.", u32::from(verdict.is_up)),
    ] {
        family(&mut text, name, help);
        text.push_str(&format!("{name}{{{service}}} {value}\n"));
    }
    text
}

fn family(text: &mut String, name: &str, help: &str) {
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
}

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn label_values_are_escaped() {
        assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
    }
}
