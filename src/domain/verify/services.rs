//! How shards and clients find the shards.

use std::time::Duration;

use super::super::names::PodName;
use super::super::snapshot::{Pod, Service};
use super::facts::{few, known, violation};
use super::{Check, Facts, NotRun, Outcome, Violation, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error(
        "headless-service",
        "the workload's own service gives each shard its name",
        headless_service,
    ),
    Check::warning(
        "headless-publishes-not-ready",
        "shards find each other before they are Ready",
        headless_publishes_not_ready,
    ),
    Check::error("headless-endpoints", "every Ready shard is found by its name", headless_endpoints),
    Check::warning("client-service", "clients have a service that reaches the shards", client_service),
    Check::error("client-endpoints", "clients reach every Ready shard", client_endpoints),
    Check::error(
        "service-selects-shards-only",
        "requests go to shards and to no other pods",
        service_selects_shards_only,
    ),
    Check::info("session-affinity", "a client's requests spread over the shards", session_affinity),
];

/// How far endpoints may be behind the pods. The EndpointSlice controller gathers changes for a second before it
/// writes a slice, and is one of many in its process.
const ENDPOINT_DELAY: Duration = Duration::from_secs(10);

fn object(service: &Service) -> String {
    format!("service/{}", service.name)
}

/// The service that the workload names as its own; not applicable when headless-service finds fault with it.
fn headless<'a>(facts: &Facts<'a>) -> Result<&'a Service, NotRun> {
    let name = &facts.snapshot.workload.service_name;
    known(&facts.snapshot.services)?
        .iter()
        .find(|service| service.name == *name && service.is_headless && is_selecting(facts, service))
        .map_or_else(
            || not_applicable("the headless service is not as it should be, see headless-service"),
            Ok,
        )
}

fn is_selecting(facts: &Facts<'_>, service: &Service) -> bool {
    !service.selector.is_empty() && facts.is_selected_by(&service.selector)
}

fn headless_service(facts: &Facts<'_>) -> Outcome {
    let name = &facts.snapshot.workload.service_name;
    let services = known(&facts.snapshot.services)?;
    let remedy = "Make the service that spec.serviceName names, with clusterIP None and the StatefulSet's selector: \
                  `shardctl deploy -f FILE`";
    let evidence = match services.iter().find(|service| service.name == *name) {
        _ if name.is_empty() => "the StatefulSet names no service".to_owned(),
        None => "there is no such service: no shard has a name in DNS".to_owned(),
        Some(service) if !service.is_headless => {
            "it has a cluster IP: the names of single shards do not resolve".to_owned()
        }
        Some(service) if !is_selecting(facts, service) => format!(
            "its selector {} does not choose the shards",
            service
                .selector
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join(",")
        ),
        Some(_) => return Ok(Vec::new()),
    };
    let object = if name.is_empty() { facts.workload() } else { format!("service/{name}") };
    Ok(vec![violation(object, evidence, remedy)])
}

fn headless_publishes_not_ready(facts: &Facts<'_>) -> Outcome {
    let service = headless(facts)?;
    if service.publishes_not_ready {
        return Ok(Vec::new());
    }
    Ok(vec![violation(
        object(service),
        "publishNotReadyAddresses is false: a shard that needs its peers to become Ready waits for them, and they \
         for it",
        "Set spec.publishNotReadyAddresses to true",
    )])
}

/// A violation for each shard that has been up for long enough and that `service` does not lead to.
fn missing(facts: &Facts<'_>, service: &Service) -> Vec<Violation> {
    let mut violations = Vec::new();
    let expected_since = facts.snapshot.taken_at - ENDPOINT_DELAY;
    let is_expected = |pod: &Pod| pod.is_up() && pod.ready_changed_at.is_none_or(|at| at <= expected_since);
    for (shard, pod) in facts.pods().filter(|(_, pod)| is_expected(pod)) {
        let evidence = match service.endpoints.get(&shard.pod_name) {
            None => format!("it is Ready, and {} has no endpoint for it", object(service)),
            Some(endpoint) if !endpoint.is_ready => {
                format!("it is Ready, and its endpoint of {} is not", object(service))
            }
            Some(endpoint) if !pod.ips.is_empty() && !pod.ips.contains(&endpoint.address) => format!(
                "{} leads to {}, its address is {}",
                object(service),
                endpoint.address,
                pod.ips.join(" and ")
            ),
            Some(_) => continue,
        };
        violations.push(violation(
            format!("pod/{}", shard.pod_name),
            evidence,
            "Compare the pod's labels with the service's selector, and look at `kubectl get endpointslices`; a slice \
             that stays behind means that the kube-controller-manager does not work",
        ));
    }
    violations
}

fn headless_endpoints(facts: &Facts<'_>) -> Outcome {
    Ok(missing(facts, headless(facts)?))
}

fn client_services<'a>(facts: &Facts<'a>) -> Result<Vec<&'a Service>, NotRun> {
    let services = facts.services(false)?;
    if services.is_empty() {
        return not_applicable("no client service selects the shards, see client-service");
    }
    Ok(services)
}

fn client_service(facts: &Facts<'_>) -> Outcome {
    let services = facts.services(false)?;
    let wanted = facts.shardset.map(|shardset| shardset.spec.services.client.as_str());
    let is_there = match wanted {
        Some(name) => services.iter().any(|service| service.name == name),
        None => !services.is_empty(),
    };
    if is_there {
        return Ok(Vec::new());
    }
    let (object, evidence) = match wanted {
        Some(name) => (
            format!("service/{name}"),
            "the file names it, and no such service selects the shards".to_owned(),
        ),
        None => (facts.workload(), "no service with a cluster IP selects the shards".to_owned()),
    };
    Ok(vec![violation(
        object,
        evidence,
        "Make a service with the StatefulSet's selector: `shardctl deploy -f FILE`",
    )])
}

fn client_endpoints(facts: &Facts<'_>) -> Outcome {
    Ok(client_services(facts)?.into_iter().flat_map(|service| missing(facts, service)).collect())
}

fn service_selects_shards_only(facts: &Facts<'_>) -> Outcome {
    let mut violations = Vec::new();
    for is_headless in [true, false] {
        for service in facts.services(is_headless)? {
            let strangers: Vec<&PodName> = service
                .endpoints
                .keys()
                .filter(|pod| facts.snapshot.shards.iter().all(|shard| shard.pod_name != **pod))
                .collect();
            if !strangers.is_empty() {
                violations.push(violation(
                    object(service),
                    format!("it also leads to {}, no shards of this workload", few(&strangers)),
                    "Give the service a selector that only the shards match: the StatefulSet's \
                     spec.selector.matchLabels",
                ));
            }
        }
    }
    Ok(violations)
}

fn session_affinity(facts: &Facts<'_>) -> Outcome {
    Ok(client_services(facts)?
        .into_iter()
        .filter(|service| service.session_affinity == "ClientIP")
        .map(|service| {
            violation(
                object(service),
                "sessionAffinity is ClientIP: all requests from one address go to one shard, so one client's tests \
                 say nothing about the others",
                "Set spec.sessionAffinity to None unless clients rely on it; test each shard with \
                 `shardctl routing-test`",
            )
        })
        .collect())
}
