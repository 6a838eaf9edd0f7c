//! Whether the live objects are what the file makes them, and who else writes them.

use super::facts::{few, known, violation};
use super::{Check, Drift, Facts, Outcome, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::warning("drift", "the live objects are what the file makes them", drift),
    Check::info("field-managers", "nobody but shardctl writes the specs", field_managers),
];

fn drift(facts: &Facts<'_>) -> Outcome {
    let Some(drift) = &facts.drift else {
        return not_applicable("no ShardSet file was given");
    };
    Ok(known(drift)?
        .iter()
        .map(|drift| {
            let evidence = match drift {
                Drift::Missing { .. } => "it is not there, and the file makes it".to_owned(),
                Drift::Field { path, live, wanted, .. } => {
                    format!("{path} is {live}, the file makes it {wanted}")
                }
            };
            violation(
                drift.object(),
                evidence,
                "Take the change into the file, or undo it: `shardctl deploy -f FILE` shows the diff before it writes",
            )
        })
        .collect())
}

/// The field manager that shardctl writes as.
const FIELD_MANAGER: &str = "shardctl";

fn field_managers(facts: &Facts<'_>) -> Outcome {
    let workload = &facts.snapshot.workload;
    let pools = known(&facts.snapshot.node_pools)?
        .iter()
        .map(|pool| (format!("nodepool/{}", pool.name), &pool.managers));
    let ours: Vec<_> = std::iter::once((facts.workload(), &workload.managers))
        .chain(pools)
        .filter(|(_, managers)| managers.iter().any(|manager| manager == FIELD_MANAGER))
        .collect();
    if ours.is_empty() {
        return not_applicable("shardctl writes none of these objects");
    }
    Ok(ours
        .into_iter()
        .filter_map(|(object, managers)| {
            let others: Vec<&String> = managers
                .iter()
                .filter(|manager| *manager != FIELD_MANAGER)
                .collect();
            (!others.is_empty()).then(|| {
                violation(
                    object,
                    format!("{} also writes its spec", few(&others)),
                    "Let one side own it: `kubectl get -o yaml --show-managed-fields` shows who wrote which field",
                )
            })
        })
        .collect())
}
