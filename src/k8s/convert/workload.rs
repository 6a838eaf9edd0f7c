//! The StatefulSet and what its pods are made from.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{self as apps, StatefulSet};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{all, managers, named, quantity, resources};
use crate::domain::names::WorkloadRef;
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::snapshot::{
    AntiAffinity, ClaimTemplate, Container, ContainerPort, DaemonSet, HttpProbe, NodeExpression, NodeTerm,
    PodTemplate, SpreadConstraint, Toleration, Workload,
};

pub fn workload(set: &StatefulSet, namespace: &str) -> Workload {
    let meta = &set.metadata;
    let spec = set.spec.clone().unwrap_or_default();
    let status = set.status.clone().unwrap_or_default();
    let claim_templates = spec.volume_claim_templates.iter().flatten().map(|template| {
        let claim = template.spec.as_ref();
        ClaimTemplate {
            name: template.metadata.name.clone().unwrap_or_default(),
            size: named(
                claim
                    .and_then(|claim| claim.resources.as_ref())
                    .and_then(|resources| resources.requests.as_ref()),
                "storage",
            ),
            storage_class: claim.and_then(|claim| claim.storage_class_name.clone()),
        }
    });
    Workload {
        reference: WorkloadRef {
            namespace: namespace.to_owned(),
            name: meta.name.clone().unwrap_or_default(),
        },
        uid: meta.uid.clone().unwrap_or_default(),
        resource_version: meta.resource_version.clone().unwrap_or_default(),
        replicas: u32::try_from(spec.replicas.unwrap_or(1)).unwrap_or(0),
        is_status_current: status.observed_generation >= meta.generation,
        ready_replicas: u32::try_from(status.ready_replicas.unwrap_or(0)).unwrap_or(0),
        current_revision: status.current_revision.unwrap_or_default(),
        update_revision: status.update_revision.unwrap_or_default(),
        update_strategy: spec
            .update_strategy
            .and_then(|strategy| strategy.type_)
            .unwrap_or_else(|| "RollingUpdate".to_owned()),
        pod_management_policy: spec.pod_management_policy.unwrap_or_else(|| "OrderedReady".to_owned()),
        service_name: spec.service_name.unwrap_or_default(),
        claim_templates: claim_templates.collect(),
        labels: meta.labels.clone().unwrap_or_default(),
        annotations: meta.annotations.clone().unwrap_or_default(),
        selector: spec.selector.match_labels.unwrap_or_default(),
        managers: managers(meta),
        template: template(&spec.template),
    }
}

pub fn template(template: &core::PodTemplateSpec) -> PodTemplate {
    let meta = template.metadata.clone().unwrap_or_default();
    let spec = template.spec.clone().unwrap_or_default();
    let labels = meta.labels.unwrap_or_default();
    let affinity = spec.affinity.as_ref();
    let apart = affinity
        .and_then(|affinity| affinity.pod_anti_affinity.as_ref())
        .and_then(|apart| apart.required_during_scheduling_ignored_during_execution.as_ref());
    let together = affinity
        .and_then(|affinity| affinity.pod_affinity.as_ref())
        .and_then(|together| together.required_during_scheduling_ignored_during_execution.as_ref());
    PodTemplate {
        annotations: meta.annotations.unwrap_or_default(),
        termination_grace_period_seconds: grace_period(&spec),
        priority_class: spec.priority_class_name.clone(),
        tolerations: spec.tolerations.iter().flatten().map(toleration).collect(),
        node_terms: node_terms(&spec),
        spread: spec
            .topology_spread_constraints
            .iter()
            .flatten()
            .map(|constraint| spread(constraint, &labels))
            .collect(),
        anti_affinity: apart.into_iter().flatten().map(|term| anti_affinity(term, &labels)).collect(),
        needs_company: together.is_some_and(|terms| !terms.is_empty()),
        containers: spec.containers.iter().map(container).collect(),
        requests: pod_requests(&spec),
        object: serde_json::to_value(template).unwrap_or_default(),
        labels,
    }
}

pub(super) fn grace_period(spec: &core::PodSpec) -> i64 {
    // The API server fills in 30 seconds when it is left out.
    spec.termination_grace_period_seconds.unwrap_or(30)
}

fn toleration(toleration: &core::Toleration) -> Toleration {
    Toleration {
        key: toleration.key.clone(),
        operator: toleration.operator.clone().unwrap_or_else(|| "Equal".to_owned()),
        value: toleration.value.clone(),
        effect: toleration.effect.clone(),
    }
}

fn spread(
    constraint: &core::TopologySpreadConstraint,
    labels: &BTreeMap<String, String>,
) -> SpreadConstraint {
    let is_default =
        |policy: Option<&String>, default: &str| policy.is_none_or(|policy| policy.as_str() == default);
    SpreadConstraint {
        topology_key: constraint.topology_key.clone(),
        max_skew: constraint.max_skew,
        when_unsatisfiable: constraint.when_unsatisfiable.clone(),
        selects_own: selects(constraint.label_selector.as_ref(), labels),
        has_options: constraint.min_domains.is_some_and(|least| least > 1)
            || constraint.match_label_keys.as_ref().is_some_and(|keys| !keys.is_empty())
            || !is_default(constraint.node_affinity_policy.as_ref(), "Honor")
            || !is_default(constraint.node_taints_policy.as_ref(), "Ignore"),
    }
}

fn anti_affinity(term: &core::PodAffinityTerm, labels: &BTreeMap<String, String>) -> AntiAffinity {
    let is_empty = |names: Option<&Vec<String>>| names.is_none_or(|names| names.is_empty());
    // Without namespaces it is about the pod's own.
    let is_plain = is_empty(term.namespaces.as_ref())
        && term.namespace_selector.is_none()
        && is_empty(term.match_label_keys.as_ref())
        && is_empty(term.mismatch_label_keys.as_ref());
    AntiAffinity {
        topology_key: term.topology_key.clone(),
        selects_own: is_plain && selects(term.label_selector.as_ref(), labels),
    }
}

/// Whether a selector chooses a pod with these labels. One that is left out chooses none, an empty one all.
fn selects(selector: Option<&LabelSelector>, labels: &BTreeMap<String, String>) -> bool {
    selector.is_some_and(|selector| {
        let label = |key: &str| labels.get(key).map(String::as_str);
        selector.match_labels.iter().flatten().all(|(key, value)| label(key) == Some(value))
            && selector
                .match_expressions
                .iter()
                .flatten()
                .all(|one| expression(&one.key, &one.operator, one.values.as_ref()).matches(label(&one.key)))
    })
}

fn expression(key: &str, operator: &str, values: Option<&Vec<String>>) -> NodeExpression {
    NodeExpression {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: values.cloned().unwrap_or_default(),
    }
}

/// `nodeSelector` and the required node affinity, combined into alternatives.
fn node_terms(spec: &core::PodSpec) -> Vec<NodeTerm> {
    let selector: NodeTerm = spec
        .node_selector
        .iter()
        .flatten()
        .map(|(key, value)| expression(key, "In", Some(&vec![value.clone()])))
        .collect();
    let required = spec
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.node_affinity.as_ref())
        .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
    match required {
        Some(required) => selector_terms(required)
            .into_iter()
            .map(|term| selector.iter().cloned().chain(term).collect())
            .collect(),
        None if selector.is_empty() => Vec::new(),
        None => vec![selector],
    }
}

pub(super) fn selector_terms(selector: &core::NodeSelector) -> Vec<NodeTerm> {
    selector
        .node_selector_terms
        .iter()
        .map(|term| {
            term.match_expressions
                .iter()
                .flatten()
                .map(|one| expression(&one.key, &one.operator, one.values.as_ref()))
                .collect()
        })
        .collect()
}

fn container(container: &core::Container) -> Container {
    let resources = container.resources.as_ref();
    let ports: Vec<ContainerPort> = container
        .ports
        .iter()
        .flatten()
        .filter_map(|port| {
            Some(ContainerPort { name: port.name.clone(), port: u16::try_from(port.container_port).ok()? })
        })
        .collect();
    let http = |probe: Option<&core::Probe>| http_probe(probe?.http_get.as_ref()?, &ports);
    Container {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        requests: all(resources.and_then(|resources| resources.requests.as_ref())),
        limits: all(resources.and_then(|resources| resources.limits.as_ref())),
        startup: http(container.startup_probe.as_ref()),
        readiness: http(container.readiness_probe.as_ref()),
        has_startup_probe: container.startup_probe.is_some(),
        has_readiness_probe: container.readiness_probe.is_some(),
        has_liveness_probe: container.liveness_probe.is_some(),
        pre_stop_sleep_seconds: container
            .lifecycle
            .as_ref()
            .and_then(|lifecycle| lifecycle.pre_stop.as_ref())
            .and_then(|handler| handler.sleep.as_ref())
            .map(|sleep| sleep.seconds),
        ports,
    }
}

fn http_probe(get: &core::HTTPGetAction, ports: &[ContainerPort]) -> Option<HttpProbe> {
    let port = match &get.port {
        IntOrString::Int(port) => u16::try_from(*port).ok()?,
        IntOrString::String(name) => ports.iter().find(|port| port.name.as_deref() == Some(name))?.port,
    };
    Some(HttpProbe { port, path: get.path.clone().unwrap_or_else(|| "/".to_owned()) })
}

/// What the scheduler counts for a pod: the larger of its containers together (sidecars included) and its
/// largest init container, plus overhead; a request at pod level takes the place of the containers'.
/// Source: `k8s.io/component-helpers/resource/helpers.go`, `PodRequests`.
pub(super) fn pod_requests(spec: &core::PodSpec) -> Resources {
    let requests = |container: &core::Container| {
        resources(container.resources.as_ref().and_then(|resources| resources.requests.as_ref()))
    };
    let mut sidecars = Resources::default();
    let mut starting = Resources::default();
    for container in spec.init_containers.iter().flatten() {
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars += requests(container);
            starting = starting.max(sidecars);
        } else {
            starting = starting.max(sidecars + requests(container));
        }
    }
    let running = sidecars + spec.containers.iter().map(requests).sum();
    let containers = running.max(starting);
    let at_pod_level = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let own = |name: &str, otherwise: Quantity| match at_pod_level.and_then(|requests| requests.get(name)) {
        Some(amount) => quantity(amount),
        None => otherwise,
    };
    Resources { cpu: own("cpu", containers.cpu), memory: own("memory", containers.memory) }
        + resources(spec.overhead.as_ref())
}

/// The ordinal in a pod's name: 3 in `shard-3` of the set `shard`.
pub fn ordinal(set: &str, pod: &str) -> Option<u32> {
    let digits = pod.strip_prefix(set)?.strip_prefix('-')?;
    let ordinal: u32 = digits.parse().ok()?;
    (ordinal.to_string() == digits).then_some(ordinal)
}

pub fn daemon_set(set: &apps::DaemonSet) -> DaemonSet {
    let spec = set.spec.as_ref().and_then(|spec| spec.template.spec.clone()).unwrap_or_default();
    DaemonSet {
        namespace: set.metadata.namespace.clone().unwrap_or_default(),
        name: set.metadata.name.clone().unwrap_or_default(),
        requests: pod_requests(&spec),
        tolerations: spec.tolerations.iter().flatten().map(toleration).collect(),
        node_terms: node_terms(&spec),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinal_is_the_canonical_number_after_the_sets_name() {
        assert_eq!(ordinal("shard", "shard-3"), Some(3));
        assert_eq!(ordinal("shard", "shard-10"), Some(10));
        for other in ["shard-03", "shard-", "shard-x", "shard", "other-3", "shard-a-3", "shard-+3"] {
            assert_eq!(ordinal("shard", other), None, "{other}");
        }
    }

    fn template_of(spec: serde_json::Value) -> PodTemplate {
        let mut spec = spec;
        spec["containers"] = serde_json::json!([]);
        let object =
            serde_json::json!({"metadata": {"labels": {"app": "shard", "tier": "data"}}, "spec": spec});
        template(&serde_json::from_value(object).unwrap())
    }

    #[test]
    fn spread_and_anti_affinity_tell_whether_they_are_about_the_shards_themselves() {
        let own = serde_json::json!({"matchLabels": {"app": "shard"}});
        let expressions = serde_json::json!({"matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["data", "cache"]},
            {"key": "legacy", "operator": "DoesNotExist"},
        ]});
        let other = serde_json::json!({"matchLabels": {"app": "proxy"}});
        for (selector, expected) in [
            (Some(own.clone()), true),
            (Some(expressions), true),
            (Some(serde_json::json!({})), true),
            (Some(other), false),
            (None, false),
        ] {
            let template = template_of(serde_json::json!({
                "topologySpreadConstraints": [{"topologyKey": "kubernetes.io/hostname", "maxSkew": 2,
                    "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}],
                "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                    {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}]}},
            }));
            assert_eq!(template.spread[0].selects_own, expected, "{selector:?}");
            assert!(!template.spread[0].has_options);
            assert_eq!(template.anti_affinity[0].selects_own, expected, "{selector:?}");
            assert!(!template.needs_company);
        }
        for (key, value, has_options) in [
            ("minDomains", serde_json::json!(1), false),
            ("minDomains", serde_json::json!(3), true),
            ("matchLabelKeys", serde_json::json!(["pod-template-hash"]), true),
            ("nodeAffinityPolicy", serde_json::json!("Honor"), false),
            ("nodeAffinityPolicy", serde_json::json!("Ignore"), true),
            ("nodeTaintsPolicy", serde_json::json!("Honor"), true),
        ] {
            let mut constraint = serde_json::json!({"topologyKey": "zone", "maxSkew": 1,
                "whenUnsatisfiable": "DoNotSchedule", "labelSelector": own});
            constraint[key] = value;
            let template = template_of(serde_json::json!({"topologySpreadConstraints": [constraint]}));
            assert_eq!(template.spread[0].has_options, has_options, "{key}");
        }
        for (key, value) in [
            ("namespaces", serde_json::json!(["elsewhere"])),
            ("namespaceSelector", serde_json::json!({})),
            ("matchLabelKeys", serde_json::json!(["app"])),
        ] {
            let mut term = serde_json::json!({"topologyKey": "zone", "labelSelector": own});
            term[key] = value;
            let terms = serde_json::json!({"requiredDuringSchedulingIgnoredDuringExecution": [term]});
            let template = template_of(
                serde_json::json!({"affinity": {"podAntiAffinity": terms, "podAffinity": terms}}),
            );
            assert!(!template.anti_affinity[0].selects_own, "{key}");
            assert!(template.needs_company);
        }
    }

    #[test]
    fn requests_are_counted_as_the_scheduler_does() {
        let spec: core::PodSpec = serde_json::from_value(serde_json::json!({
            "containers": [
                {"name": "a", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}},
                {"name": "b", "resources": {"requests": {"cpu": "500m"}}},
            ],
            "initContainers": [
                {"name": "sidecar", "restartPolicy": "Always", "resources": {"requests": {"cpu": "250m", "memory": "128Mi"}}},
                {"name": "init", "resources": {"requests": {"cpu": "100m", "memory": "4Gi"}}},
            ],
            "overhead": {"cpu": "10m"},
        }))
        .unwrap();
        let requests = pod_requests(&spec);
        assert_eq!(
            (requests.cpu.to_string(), requests.memory.to_string()),
            ("1760m".into(), "4224Mi".into())
        );
    }
}
