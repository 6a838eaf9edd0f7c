//! How the StatefulSet treats its pods.

use super::facts::violation;
use super::{Check, Facts, Outcome, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error("update-strategy", "a new template restarts no shard by itself", update_strategy),
    Check::warning(
        "pod-management-policy",
        "one broken shard does not hold up the others",
        pod_management_policy,
    ),
    Check::warning("workload-status", "the StatefulSet's status speaks of its current spec", workload_status),
    Check::error("replica-count", "the set has as many shards as the file says", replica_count),
];

fn update_strategy(facts: &Facts<'_>) -> Outcome {
    let workload = &facts.snapshot.workload;
    if workload.update_strategy == "OnDelete" {
        return Ok(Vec::new());
    }
    if facts.spare() > 0 {
        return not_applicable(format!(
            "{} of {} shards may be down, and {} takes one at a time",
            facts.spare(),
            workload.replicas,
            workload.update_strategy
        ));
    }
    Ok(vec![violation(
        facts.workload(),
        format!(
            "its update strategy is {}: the next change of the template takes {} shards down, one after the other",
            workload.update_strategy, workload.replicas
        ),
        "Set spec.updateStrategy.type to OnDelete",
    )])
}

fn pod_management_policy(facts: &Facts<'_>) -> Outcome {
    let policy = &facts.snapshot.workload.pod_management_policy;
    if policy == "Parallel" {
        return Ok(Vec::new());
    }
    Ok(vec![violation(
        facts.workload(),
        format!("its podManagementPolicy is {policy}: a shard is made only once all before it are Ready"),
        "Make the StatefulSet anew with podManagementPolicy Parallel: `kubectl delete --cascade=orphan`, then \
         `shardctl deploy -f FILE`; the field cannot be changed",
    )])
}

fn workload_status(facts: &Facts<'_>) -> Outcome {
    if facts.snapshot.workload.is_status_current {
        return Ok(Vec::new());
    }
    Ok(vec![violation(
        facts.workload(),
        "status.observedGeneration is behind metadata.generation: revisions and counts are those of an older spec",
        "Run `shardctl verify` again; if it stays, the kube-controller-manager does not work",
    )])
}

fn replica_count(facts: &Facts<'_>) -> Outcome {
    let Some(shardset) = facts.shardset else {
        return not_applicable("no ShardSet file was given");
    };
    let (live, wanted) = (facts.snapshot.workload.replicas, shardset.spec.replicas);
    if live == wanted {
        return Ok(Vec::new());
    }
    Ok(vec![violation(
        facts.workload(),
        format!("it has {live} shards, the file says {wanted}"),
        "Set spec.replicas of the file to what holds the data, then run `shardctl deploy -f FILE`",
    )])
}
