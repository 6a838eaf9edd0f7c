//! What new pods will look like.

use super::super::snapshot::{Container, NodePool};
use super::facts::violation;
use super::{Check, Facts, Outcome, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error("termination-grace-period", "new pods are given time to end", termination_grace_period),
    Check::warning("pre-stop-margin", "the preStop hook leaves time to end", pre_stop_margin),
    Check::error("image-pinned", "images have a tag that does not move", image_pinned),
    Check::error("template-phase", "new pods go to the node pool of the phase", template_phase),
    Check::warning("priority-class", "shards may preempt lesser pods", priority_class),
    Check::warning("readiness-probe", "the shard itself says when it can serve", readiness_probe),
    Check::warning("liveness-probe", "the kubelet does not restart a slow shard", liveness_probe),
    Check::info("startup-probe", "loading the data has a probe of its own", startup_probe),
    Check::warning("template-guaranteed", "new pods will have the QoS class Guaranteed", template_guaranteed),
];

fn containers<'a>(facts: &'a Facts<'_>) -> &'a [Container] {
    &facts.snapshot.workload.template.containers
}

fn termination_grace_period(facts: &Facts<'_>) -> Outcome {
    if facts.snapshot.workload.template.termination_grace_period_seconds > 0 {
        return Ok(Vec::new());
    }
    Ok(vec![violation(
        facts.workload(),
        "terminationGracePeriodSeconds is 0: preStop never runs, and a deleted pod's name is free while its \
         containers may still write the volume",
        "Set spec.template.spec.terminationGracePeriodSeconds to what a shard needs to end, 120 for example",
    )])
}

fn pre_stop_margin(facts: &Facts<'_>) -> Outcome {
    let grace = facts.snapshot.workload.template.termination_grace_period_seconds;
    if grace <= 0 {
        return not_applicable("there is no grace period, see termination-grace-period");
    }
    Ok(containers(facts)
        .iter()
        .filter_map(|container| {
            let sleep = container.pre_stop_sleep_seconds.filter(|sleep| *sleep >= grace)?;
            Some(violation(
                facts.workload(),
                format!(
                    "container {} sleeps {sleep}s in preStop and has {grace}s in all: it is killed without a \
                     signal to end",
                    container.name
                ),
                "Set spec.template.spec.terminationGracePeriodSeconds to more than the preStop sleep",
            ))
        })
        .collect())
}

/// Why an image may be another one tomorrow; none when it may not.
fn movable(image: &str) -> Option<&'static str> {
    if image.contains("@sha256:") {
        return None;
    }
    // A colon before the last slash belongs to the registry's port.
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once(':') {
        None => Some("has no tag, which means latest"),
        Some((_, "latest")) => Some("has the tag latest"),
        Some(_) => None,
    }
}

fn image_pinned(facts: &Facts<'_>) -> Outcome {
    Ok(containers(facts)
        .iter()
        .filter_map(|container| {
            let why = movable(&container.image)?;
            Some(violation(
                facts.workload(),
                format!(
                    "container {}: {} {why}: a shard that restarts may come back as another version",
                    container.name, container.image
                ),
                "Give the image with the tag of a release or with its digest: `shardctl upgrade --image REF`",
            ))
        })
        .collect())
}

fn template_phase(facts: &Facts<'_>) -> Outcome {
    let Some(shardset) = facts.shardset else {
        return not_applicable("no ShardSet file was given");
    };
    let Some(phase) = facts.phase()? else {
        return not_applicable("the phase is not known, give it with --phase");
    };
    let name = shardset.pool(phase).name.as_str();
    let pools = facts.pools()?;
    let template = &facts.snapshot.workload.template;
    let Some(pool) = pools.iter().find(|pool| pool.name.as_str() == name) else {
        return not_applicable(format!("nodepool/{name} is not there, see node-pool-exists"));
    };
    if template.can_be_placed_on(pool) {
        return Ok(Vec::new());
    }
    let others: Vec<&NodePool> = pools.iter().filter(|pool| template.can_be_placed_on(pool)).collect();
    let goes = match others.as_slice() {
        [] => "and fit no pool".to_owned(),
        others => format!(
            "and would go to {}",
            others.iter().map(|pool| pool.name.as_str()).collect::<Vec<_>>().join(", ")
        ),
    };
    Ok(vec![violation(
        facts.workload(),
        format!("phase {phase} is nodepool/{name}; new pods do not fit it, {goes}"),
        format!("Set affinity and tolerations of the phase: `shardctl deploy -f FILE --phase {phase}`"),
    )])
}

fn priority_class(facts: &Facts<'_>) -> Outcome {
    if facts.snapshot.workload.template.priority_class.is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![violation(
        facts.workload(),
        "no priorityClassName: a shard that needs room waits behind any other pod, and may be preempted",
        "Set spec.template.spec.priorityClassName",
    )])
}

/// The first container stands for the shard; sidecars may do without probes.
fn probe(facts: &Facts<'_>, is_right: fn(&Container) -> bool, evidence: &str, remedy: &str) -> Outcome {
    Ok(containers(facts)
        .first()
        .filter(|container| !is_right(container))
        .map(|container| {
            violation(facts.workload(), format!("container {} {evidence}", container.name), remedy)
        })
        .into_iter()
        .collect())
}

fn readiness_probe(facts: &Facts<'_>) -> Outcome {
    probe(
        facts,
        |container| container.has_readiness_probe,
        "has no readiness probe: it counts as Ready, and gets requests, as soon as it starts",
        "Add a readinessProbe that asks the shard whether it can serve",
    )
}

fn liveness_probe(facts: &Facts<'_>) -> Outcome {
    probe(
        facts,
        |container| !container.has_liveness_probe,
        "has a liveness probe: a shard that is slow under load is restarted, and the service is down",
        "Remove the livenessProbe; readiness takes a slow shard out of the service without a restart",
    )
}

fn startup_probe(facts: &Facts<'_>) -> Outcome {
    probe(
        facts,
        |container| container.has_startup_probe,
        "has no startup probe: a shard that never finishes loading looks like one that loads",
        "Add a startupProbe with the longest time that loading may take",
    )
}

fn template_guaranteed(facts: &Facts<'_>) -> Outcome {
    let mut violations = Vec::new();
    for container in containers(facts) {
        for resource in ["cpu", "memory"] {
            let request = container.requests.get(resource);
            let limit = container.limits.get(resource);
            // A request that is left out is taken from the limit.
            if limit.is_some() && (request.is_none() || request == limit) {
                continue;
            }
            let text = |quantity: Option<&super::super::quantity::Quantity>| {
                quantity.map_or_else(|| "none".to_owned(), ToString::to_string)
            };
            violations.push(violation(
                facts.workload(),
                format!(
                    "container {}: {resource} request {}, limit {}",
                    container.name,
                    text(request),
                    text(limit)
                ),
                "Set requests equal to limits, CPU and memory, on every container of the template",
            ));
        }
    }
    Ok(violations)
}

#[cfg(test)]
mod tests {
    use super::movable;

    #[test]
    fn an_image_without_a_release_tag_can_move() {
        for (image, expected) in [
            ("app", true),
            ("registry:5000/app", true),
            ("registry:5000/app:latest", true),
            ("app:1.0.0", false),
            ("registry:5000/app:1.0.0", false),
            ("app@sha256:00", false),
            ("app:latest@sha256:00", false),
        ] {
            assert_eq!(movable(image).is_some(), expected, "{image}");
        }
    }
}
