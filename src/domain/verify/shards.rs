//! The pods of the shards.

use std::collections::BTreeMap;

use super::super::names::PodName;
use super::super::shard_state::ShardState;
use super::super::snapshot::{DO_NOT_DISRUPT, Health, Snapshot};
use super::facts::{few, known, violation};
use super::{Check, Facts, Outcome, Violation, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error("shard-exists", "every shard has a pod", shard_exists),
    Check::error("shard-ready", "every shard that has a pod is Ready", shard_ready),
    Check::error("shard-terminating", "no shard was asked to end", shard_terminating),
    Check::error("shard-health", "every shard answers 200 on its own health path", shard_health),
    Check::error("shard-image-mix", "all shards run the same image, by digest", shard_image_mix),
    Check::warning(
        "shard-revision-mix",
        "all shards were made from the same revision of the template",
        shard_revision_mix,
    ),
    Check::warning("shard-armed", "a shard that restarts comes back as it is", shard_armed),
    Check::error("shard-out-of-memory", "no shard was ended for want of memory", shard_out_of_memory),
    Check::warning("shard-restarts", "no container has restarted", shard_restarts),
    Check::error("shard-grace-period", "every pod is given time to end", shard_grace_period),
    Check::warning("shard-guaranteed", "every pod has the QoS class Guaranteed", shard_guaranteed),
    Check::warning(
        "shard-do-not-disrupt",
        "Karpenter is told to leave every pod alone",
        shard_do_not_disrupt,
    ),
    Check::warning("shard-leftover", "no pod is left over from a larger set", shard_leftover),
];

fn object(name: &PodName) -> String {
    format!("pod/{name}")
}

fn shard_exists(facts: &Facts<'_>) -> Outcome {
    Ok(facts
        .snapshot
        .expected_shards()
        .filter(|shard| shard.pod.is_none())
        .map(|shard| {
            violation(
                object(&shard.pod_name),
                "there is no such pod",
                format!(
                    "Look for why it cannot be made: quota, admission, a missing priority class: \
                     `kubectl -n {} describe {}`",
                    facts.snapshot.workload.reference.namespace,
                    facts.workload()
                ),
            )
        })
        .collect())
}

fn shard_ready(facts: &Facts<'_>) -> Outcome {
    let mut violations = Vec::new();
    for shard in facts.snapshot.expected_shards() {
        let Some(pod) = &shard.pod else { continue };
        // What the shard says of itself has a check of its own, and so has a shard that ends.
        let state = ShardState::of(shard, None);
        let remedy = match state {
            ShardState::Up | ShardState::Missing | ShardState::Terminating { .. } => continue,
            ShardState::Unschedulable { .. } => {
                "Make room, or mend what the scheduler names: see node-pool-limits and `kubectl get nodeclaims`"
            }
            ShardState::Unscheduled => {
                "See that the scheduler which spec.schedulerName of the pod names runs: `kubectl describe pod`"
            }
            ShardState::Ended { .. } => "Delete the pod, so that the StatefulSet makes it anew",
            ShardState::Starting { .. } => {
                "Ask the readiness path why it says no: `shardctl routing-test`, then `kubectl logs` of the pod"
            }
            _ => "Read its events and its last log: `kubectl describe pod`, `kubectl logs --previous`",
        };
        let since = pod.ready_changed_at.or(pod.created_at);
        let since = since.map(|since| format!(" (for {})", facts.age(since))).unwrap_or_default();
        violations.push(violation(object(&shard.pod_name), format!("{state}{since}"), remedy));
    }
    Ok(violations)
}

fn shard_terminating(facts: &Facts<'_>) -> Outcome {
    let mut violations = Vec::new();
    for (shard, pod) in facts.pods() {
        let Some(deleted_at) = pod.deleted_at else {
            continue;
        };
        let grace = pod.termination_grace_period_seconds;
        let asked = facts.snapshot.taken_at.duration_since(deleted_at).as_secs();
        let (late, remedy) = if asked > grace {
            (
                ", and it is overdue",
                "Find out whether its node still runs (node-ready) before you force anything: two copies \
                 may write one volume",
            )
        } else {
            ("", "Wait for it to end and come back: `shardctl status --watch`")
        };
        violations.push(violation(
            object(&shard.pod_name),
            format!("asked to end {} ago, has {grace}s to do so{late}", facts.age(deleted_at)),
            remedy,
        ));
    }
    Ok(violations)
}

fn shard_health(facts: &Facts<'_>) -> Outcome {
    let health = &facts.snapshot.health;
    if let Some(unknown) = &facts.snapshot.health_unknown {
        return Err(unknown.into());
    }
    if health.is_empty() {
        return not_applicable("health was not asked");
    }
    let mut violations = Vec::new();
    for shard in facts.snapshot.expected_shards() {
        let evidence = match health.get(&shard.ordinal) {
            None | Some(Health::Healthy { .. }) => continue,
            Some(Health::Unhealthy { status, path }) => format!("GET {path} answers {status}"),
            Some(Health::Silent { reason, path }) => format!("GET {path} gets no answer: {reason}"),
        };
        violations.push(violation(
            object(&shard.pod_name),
            evidence,
            "Read the log of the shard: `kubectl logs` of the pod; Ready alone does not mean that it serves",
        ));
    }
    Ok(violations)
}

/// The shards by what `of` says of them; more than one key is a mix.
fn groups<'a, K: Ord>(
    snapshot: &'a Snapshot,
    of: impl Fn(&'a super::super::snapshot::Pod) -> Option<K>,
) -> BTreeMap<K, Vec<&'a PodName>> {
    let mut groups: BTreeMap<K, Vec<&PodName>> = BTreeMap::new();
    for shard in snapshot.expected_shards() {
        if let Some(key) = shard.pod.as_ref().and_then(&of) {
            groups.entry(key).or_default().push(&shard.pod_name);
        }
    }
    groups
}

/// "7 run A, 3 run B (biometric-shard-0, ...)": the largest group first, the others by name.
fn mix(groups: BTreeMap<&str, Vec<&PodName>>) -> Option<String> {
    if groups.len() < 2 {
        return None;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, pods)| std::cmp::Reverse(pods.len()));
    let text: Vec<String> = groups
        .iter()
        .enumerate()
        .map(|(index, (key, pods))| match index {
            0 => format!("{} of {key}", pods.len()),
            _ => format!("{} of {key} ({})", pods.len(), few(pods)),
        })
        .collect();
    Some(text.join(", "))
}

fn shard_image_mix(facts: &Facts<'_>) -> Outcome {
    let mut violations = Vec::new();
    for container in &facts.snapshot.workload.template.containers {
        let images = groups(facts.snapshot, |pod| {
            pod.containers
                .iter()
                .find(|status| status.name == container.name && !status.image_id.is_empty())
                .map(|status| status.image_id.as_str())
        });
        violations.extend(mix(images).map(|evidence| {
            violation(
                facts.workload(),
                format!("container {}: {evidence}", container.name),
                "Finish or undo the upgrade: `shardctl rollout status`; when the tag has moved, give the image \
                 by digest and run `shardctl upgrade --image`",
            )
        }));
    }
    Ok(violations)
}

fn shard_revision_mix(facts: &Facts<'_>) -> Outcome {
    let revisions = groups(facts.snapshot, |pod| pod.revision.as_deref());
    Ok(mix(revisions)
        .map(|evidence| {
            violation(facts.workload(), evidence, "Finish or undo what was begun: `shardctl rollout status`")
        })
        .into_iter()
        .collect())
}

fn shard_armed(facts: &Facts<'_>) -> Outcome {
    let update = &facts.snapshot.workload.update_revision;
    if update.is_empty() {
        return not_applicable("the StatefulSet controller has not written a revision");
    }
    Ok(facts
        .pods()
        .filter_map(|(shard, pod)| {
            let revision = pod.revision.as_ref().filter(|revision| *revision != update)?;
            Some(violation(
                object(&shard.pod_name),
                format!("made from {revision}, its next pod will be made from {update}"),
                "Roll the new template out with `shardctl upgrade`, or take it back with `shardctl rollout undo`, \
                 before a crash does it",
            ))
        })
        .collect())
}

/// The containers of the shards that have restarted: pod, container, how often, and why the last time.
fn restarts<'a>(
    facts: &'a Facts<'a>,
) -> impl Iterator<Item = (&'a PodName, &'a super::super::snapshot::ContainerStatus)> {
    facts.pods().flat_map(|(shard, pod)| pod.containers.iter().map(|status| (&shard.pod_name, status)))
}

const OUT_OF_MEMORY: &str = "OOMKilled";

fn shard_out_of_memory(facts: &Facts<'_>) -> Outcome {
    // An error, because the limit does not move by itself: what needed more memory once will again, and
    // each time the service is down.
    Ok(restarts(facts)
        .filter(|(_, status)| status.last_terminated.as_deref() == Some(OUT_OF_MEMORY))
        .map(|(pod, status)| {
            let limit = facts
                .snapshot
                .workload
                .template
                .containers
                .iter()
                .find(|container| container.name == status.name)
                .and_then(|container| container.limits.get("memory"))
                .map(|limit| format!(", its limit is {limit}"))
                .unwrap_or_default();
            violation(
                object(pod),
                format!(
                    "container {} last ended {OUT_OF_MEMORY} (restarts {}){limit}",
                    status.name, status.restarts
                ),
                "Give the shards more memory: see `shardctl vpa-report` and `shardctl plan`, then \
                 `shardctl upgrade -f FILE`",
            )
        })
        .collect())
}

fn shard_restarts(facts: &Facts<'_>) -> Outcome {
    Ok(restarts(facts)
        .filter(|(_, status)| status.restarts > 0 && status.last_terminated.as_deref() != Some(OUT_OF_MEMORY))
        .map(|(pod, status)| {
            let why = status.last_terminated.as_deref().unwrap_or("unknown");
            violation(
                object(pod),
                format!(
                    "container {} has restarted {} times, the last time: {why}",
                    status.name, status.restarts
                ),
                "Read the log of the last try: `kubectl logs --previous` of the pod",
            )
        })
        .collect())
}

fn shard_grace_period(facts: &Facts<'_>) -> Outcome {
    Ok(facts
        .pods()
        .filter(|(_, pod)| pod.termination_grace_period_seconds <= 0)
        .map(|(shard, _)| {
            violation(
                object(&shard.pod_name),
                "its own terminationGracePeriodSeconds is 0: a delete frees its name at once, while its \
                 containers may still write the volume",
                "Set spec.template.spec.terminationGracePeriodSeconds, then stop this pod by its node only: \
                 cordon the node and end the container before the pod is deleted",
            )
        })
        .collect())
}

fn shard_guaranteed(facts: &Facts<'_>) -> Outcome {
    Ok(facts
        .pods()
        .filter(|(_, pod)| pod.qos_class != "Guaranteed")
        .map(|(shard, pod)| {
            violation(
                object(&shard.pod_name),
                format!("its QoS class is {}", pod.qos_class),
                "Set requests equal to limits, CPU and memory, on every container of the template",
            )
        })
        .collect())
}

fn shard_do_not_disrupt(facts: &Facts<'_>) -> Outcome {
    if known(&facts.snapshot.node_pools)?.is_empty() {
        return not_applicable("the cluster has no Karpenter node pools");
    }
    let remedy = format!(
        "Annotate it: `kubectl -n {} annotate pod POD {DO_NOT_DISRUPT}=true --overwrite`; and the template, \
         for the pods to come",
        facts.snapshot.workload.reference.namespace
    );
    let verdict = |value: Option<&String>| match value.map(String::as_str) {
        Some("true") => None,
        Some(value) => Some(format!("{DO_NOT_DISRUPT} is `{value}`, which ends or is ignored")),
        None => Some(format!("{DO_NOT_DISRUPT} is not set")),
    };
    let mut violations: Vec<Violation> = facts
        .pods()
        .filter_map(|(shard, pod)| {
            let evidence = verdict(pod.annotations.get(DO_NOT_DISRUPT))?;
            Some(violation(object(&shard.pod_name), evidence, remedy.clone()))
        })
        .collect();
    let template = &facts.snapshot.workload.template;
    violations.extend(
        verdict(template.annotations.get(DO_NOT_DISRUPT))
            .map(|evidence| violation(facts.workload(), format!("in its template, {evidence}"), remedy)),
    );
    Ok(violations)
}

fn shard_leftover(facts: &Facts<'_>) -> Outcome {
    let replicas = facts.snapshot.workload.replicas;
    Ok(facts
        .snapshot
        .shards
        .iter()
        .filter(|shard| shard.ordinal >= replicas && shard.pod.is_some())
        .map(|shard| {
            violation(
                object(&shard.pod_name),
                format!("its ordinal is {}, the set has {replicas} shards", shard.ordinal),
                "Find out why the StatefulSet does not remove it: `kubectl get events`; its data stays in its claim",
            )
        })
        .collect())
}
