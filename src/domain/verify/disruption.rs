//! The PodDisruptionBudget: what keeps evictions from taking a shard.

use super::super::snapshot::DisruptionBudget;
use super::facts::{few, known, violation};
use super::{Check, Facts, NotRun, Outcome, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error("pdb-exists", "a PodDisruptionBudget covers the shards", pdb_exists),
    Check::error(
        "pdb-allowance",
        "evictions may not take more shards than the service can spare",
        pdb_allowance,
    ),
    Check::warning("pdb-single", "only one PodDisruptionBudget covers the shards", pdb_single),
    Check::warning(
        "pdb-covers-shards-only",
        "the budget counts the shards and no other pods",
        pdb_covers_shards_only,
    ),
    Check::warning(
        "pdb-unhealthy-eviction",
        "a shard that is down anyway can be evicted",
        pdb_unhealthy_eviction,
    ),
    Check::warning("pdb-status", "the budget's status speaks of its current spec", pdb_status),
];

/// The budgets whose selector chooses the shards. Of expressions only the API server knows what they
/// choose: they are taken to choose what their labels do.
fn covering<'a>(facts: &Facts<'a>) -> Result<Vec<&'a DisruptionBudget>, NotRun> {
    Ok(known(&facts.snapshot.disruption_budgets)?
        .iter()
        .filter(|budget| facts.is_selected_by(&budget.selector))
        .collect())
}

/// The budgets that cover the shards; not applicable when there is none, which is a finding of its own.
fn budgets<'a>(facts: &Facts<'a>) -> Result<Vec<&'a DisruptionBudget>, NotRun> {
    let budgets = covering(facts)?;
    if budgets.is_empty() {
        return not_applicable("no budget covers the shards, see pdb-exists");
    }
    Ok(budgets)
}

fn object(budget: &DisruptionBudget) -> String {
    format!("pdb/{}", budget.name)
}

fn pdb_exists(facts: &Facts<'_>) -> Outcome {
    if !covering(facts)?.is_empty() {
        return Ok(Vec::new());
    }
    let others = known(&facts.snapshot.disruption_budgets)?;
    let evidence = if others.is_empty() {
        "the namespace has no PodDisruptionBudget: any drain may evict every shard at once".to_owned()
    } else {
        let names: Vec<&str> = others.iter().map(|budget| budget.name.as_str()).collect();
        format!("no budget selects the shards, {} selects other pods", few(&names))
    };
    Ok(vec![violation(
        facts.workload(),
        evidence,
        "Make a PodDisruptionBudget with the StatefulSet's selector: `shardctl deploy -f FILE`",
    )])
}

/// How many of `pods` an IntOrString comes to; a percentage is rounded up, as Kubernetes does.
fn amount(text: &str, pods: u32) -> Option<u32> {
    match text.strip_suffix('%') {
        None => text.parse().ok(),
        Some(percent) => {
            let percent: u64 = percent.parse().ok()?;
            u32::try_from((percent * u64::from(pods)).div_ceil(100)).ok()
        }
    }
}

/// How many of `pods` the budget lets go when all are healthy, and the field that says so.
fn allowance(budget: &DisruptionBudget, pods: u32) -> Option<(u32, String)> {
    match (&budget.max_unavailable, &budget.min_available) {
        (Some(max), _) => Some((amount(max, pods)?.min(pods), format!("maxUnavailable {max}"))),
        (None, Some(min)) => Some((pods.saturating_sub(amount(min, pods)?), format!("minAvailable {min}"))),
        (None, None) => Some((pods, "neither minAvailable nor maxUnavailable".to_owned())),
    }
}

fn pdb_allowance(facts: &Facts<'_>) -> Outcome {
    let replicas = facts.snapshot.workload.replicas;
    let spare = facts.spare();
    let budgets = budgets(facts)?;
    // Each of several budgets must agree to an eviction, so the strictest one counts.
    let allowances: Option<Vec<_>> = budgets
        .iter()
        .map(|budget| {
            let counted = u32::try_from(budget.expected_pods).unwrap_or(0).max(replicas);
            let (allowed, field) = allowance(budget, counted)?;
            Some((*budget, allowed, field))
        })
        .collect();
    let Some(allowances) = allowances else {
        return not_applicable("minAvailable or maxUnavailable is neither a number nor a percentage");
    };
    let Some((budget, allowed, field)) = allowances.iter().min_by_key(|(_, allowed, _)| *allowed) else {
        return Ok(Vec::new());
    };
    if *allowed <= spare {
        return Ok(Vec::new());
    }
    let must = match facts.snapshot.workload.replicas - spare {
        all if all == replicas => "all must be up".to_owned(),
        required => format!("{required} must be up"),
    };
    let strict = format!("Set spec.minAvailable of the budget to {}", replicas - spare);
    let counted = u32::try_from(budget.expected_pods).unwrap_or(0).max(replicas);
    let (count, remedy) = match counted == replicas {
        true => (String::new(), strict),
        // The field may be right, and the count is not.
        false => (
            format!(" of the {counted} pods that it counts"),
            format!("{strict}, and let it count shards only: see pdb-covers-shards-only"),
        ),
    };
    Ok(vec![violation(
        object(budget),
        format!(
            "{field}{count} lets {} of {replicas} shards be evicted at once, and {must}",
            allowed.min(&replicas)
        ),
        remedy,
    )])
}

fn pdb_single(facts: &Facts<'_>) -> Outcome {
    let budgets = budgets(facts)?;
    if budgets.len() < 2 {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = budgets.iter().map(|budget| budget.name.as_str()).collect();
    Ok(vec![violation(
        facts.workload(),
        format!(
            "{} budgets select the shards ({}): the API server refuses every eviction of a pod with more than one",
            budgets.len(),
            few(&names)
        ),
        "Delete all but one of them: `kubectl delete pdb NAME`",
    )])
}

fn pdb_covers_shards_only(facts: &Facts<'_>) -> Outcome {
    let replicas = facts.snapshot.workload.replicas;
    // With a number as minAvailable the controller counts the pods that there are; else those that there
    // should be.
    let shards = &facts.snapshot.shards;
    let pods = shards.iter().filter(|shard| shard.pod.is_some()).count();
    Ok(budgets(facts)?
        .into_iter()
        .filter(|budget| budget.is_status_current)
        .filter(|budget| {
            u32::try_from(budget.expected_pods) != Ok(replicas)
                && usize::try_from(budget.expected_pods) != Ok(pods)
        })
        .map(|budget| {
            violation(
                object(budget),
                format!("it counts {} pods, there are {replicas} shards", budget.expected_pods),
                "Give the budget the StatefulSet's spec.selector.matchLabels, and no other pods those labels",
            )
        })
        .collect())
}

fn pdb_unhealthy_eviction(facts: &Facts<'_>) -> Outcome {
    Ok(budgets(facts)?
        .into_iter()
        .filter(|budget| budget.unhealthy_pod_eviction_policy != "AlwaysAllow")
        .map(|budget| {
            let policy = match budget.unhealthy_pod_eviction_policy.as_str() {
                "" => "IfHealthyBudget by default",
                policy => policy,
            };
            violation(
                object(budget),
                format!(
                    "unhealthyPodEvictionPolicy is {policy}: a shard that is down cannot be moved off a bad node, \
                     because the budget is not met"
                ),
                "Set spec.unhealthyPodEvictionPolicy to AlwaysAllow",
            )
        })
        .collect())
}

fn pdb_status(facts: &Facts<'_>) -> Outcome {
    Ok(budgets(facts)?
        .into_iter()
        .filter(|budget| !budget.is_status_current)
        .map(|budget| {
            violation(
                object(budget),
                "status.observedGeneration is behind metadata.generation: what it allows is that of an older spec",
                "Run `shardctl verify` again; if it stays, the kube-controller-manager does not work",
            )
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn percentages_round_up_as_in_kubernetes() {
        for (text, expected) in [
            ("0", Some(0)),
            ("10", Some(10)),
            ("100%", Some(10)),
            ("91%", Some(10)),
            ("1%", Some(1)),
            ("0%", Some(0)),
            ("some", None),
            ("x%", None),
        ] {
            assert_eq!(amount(text, 10), expected, "{text}");
        }
    }
}
