//! Autoscalers that may change a shard's size.

use super::super::snapshot::VerticalAutoscaler;
use super::facts::{known, violation};
use super::{Check, Facts, Outcome, Violation, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error("vpa-evicts", "no autoscaler restarts or resizes a running shard", vpa_evicts),
    Check::warning("vpa-initial", "no autoscaler changes the size of new pods", vpa_initial),
];

fn with_mode(facts: &Facts<'_>, is_wrong: fn(&str) -> bool, what: &str) -> Outcome {
    let autoscalers = known(&facts.snapshot.autoscalers)?;
    if autoscalers.is_empty() {
        return not_applicable("no VerticalPodAutoscaler targets the workload");
    }
    let to_violation = |autoscaler: &VerticalAutoscaler| -> Violation {
        violation(
            format!("vpa/{}", autoscaler.name),
            format!("updateMode {} {what}", autoscaler.update_mode),
            "Set spec.updatePolicy.updateMode to Off, and read its advice with `shardctl vpa-report`",
        )
    };
    Ok(autoscalers.iter().filter(|autoscaler| is_wrong(&autoscaler.update_mode)).map(to_violation).collect())
}

fn vpa_evicts(facts: &Facts<'_>) -> Outcome {
    with_mode(
        facts,
        |mode| !matches!(mode, "Off" | "Initial"),
        "lets it evict or resize a running shard when its recommendation moves",
    )
}

fn vpa_initial(facts: &Facts<'_>) -> Outcome {
    with_mode(
        facts,
        |mode| mode == "Initial",
        "gives a shard that restarts another size than its node was chosen for",
    )
}
