//! From API objects to domain types, once, at the edge. Chains of `Option` live here and nowhere else.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{self as apps, StatefulSet};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1 as storage;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::domain::names::{ClaimName, NodeName, PodName, VolumeName, WorkloadRef};
use crate::domain::prerequisites::{Quota, QuotaScope};
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::rolling::{ExactPod, OtherPod, Placeholder, PlaceholderState, RUN_LABEL, Warning};
use crate::domain::routing::{PROBE_CONTAINER, Probe, ProbeState};
use crate::domain::snapshot::{
    AntiAffinity, Claim, ClaimTemplate, Container, ContainerPort, ContainerStatus, DaemonSet,
    DisruptionBudget, DnsPolicy, Endpoint, HttpProbe, Node, NodeExpression, NodeTerm, Occupant, OutOfMemory,
    Pod, PodTemplate, Service, SpreadConstraint, StorageClass, Taint, Toleration, Volume, Workload,
};

type Quantities = BTreeMap<String, ApiQuantity>;

pub(super) fn time(time: Option<&Time>) -> Option<Timestamp> {
    time.map(|time| time.0)
}

/// The server has checked its quantities; one that we cannot read counts as nothing.
fn quantity(quantity: &ApiQuantity) -> Quantity {
    quantity.0.parse().unwrap_or_default()
}

fn named(quantities: Option<&Quantities>, name: &str) -> Quantity {
    quantities.and_then(|quantities| quantities.get(name)).map(quantity).unwrap_or_default()
}

/// How large a volume is.
pub(super) fn storage(capacity: Option<&Quantities>) -> Quantity {
    named(capacity, "storage")
}

pub(super) fn resources(quantities: Option<&Quantities>) -> Resources {
    Resources { cpu: named(quantities, "cpu"), memory: named(quantities, "memory") }
}

fn all(quantities: Option<&Quantities>) -> BTreeMap<String, Quantity> {
    quantities.into_iter().flatten().map(|(name, amount)| (name.clone(), quantity(amount))).collect()
}

/// Field managers of an object's spec; writers of status, labels or annotations alone are left out.
pub(super) fn managers(meta: &ObjectMeta) -> Vec<String> {
    let mut managers: Vec<String> = meta
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| entry.fields_v1.as_ref().is_some_and(|fields| fields.0.get("f:spec").is_some()))
        .filter_map(|entry| entry.manager.clone())
        .collect();
    managers.sort();
    managers.dedup();
    managers
}

/// When an object was asked to end: its deletion timestamp is that plus the grace period.
fn asked_to_end(meta: &ObjectMeta) -> Option<Timestamp> {
    let ends_by = time(meta.deletion_timestamp.as_ref())?;
    let grace = meta.deletion_grace_period_seconds.unwrap_or(0);
    Some(ends_by.checked_sub(jiff::SignedDuration::from_secs(grace)).unwrap_or(ends_by))
}

pub(super) fn workload(set: &StatefulSet, namespace: &str) -> Workload {
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

pub(super) fn template(template: &core::PodTemplateSpec) -> PodTemplate {
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

fn grace_period(spec: &core::PodSpec) -> i64 {
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

pub(super) fn daemon_set(set: &apps::DaemonSet) -> DaemonSet {
    let spec = set.spec.as_ref().and_then(|spec| spec.template.spec.clone()).unwrap_or_default();
    DaemonSet {
        namespace: set.metadata.namespace.clone().unwrap_or_default(),
        name: set.metadata.name.clone().unwrap_or_default(),
        requests: pod_requests(&spec),
        tolerations: spec.tolerations.iter().flatten().map(toleration).collect(),
        node_terms: node_terms(&spec),
    }
}

/// How many volumes of each driver a node can attach; a driver that sets no limit is left out.
pub(super) fn attach_limits(node: &storage::CSINode) -> BTreeMap<String, u32> {
    node.spec
        .drivers
        .iter()
        .filter_map(|driver| {
            let count = driver.allocatable.as_ref()?.count?;
            Some((driver.name.clone(), u32::try_from(count).unwrap_or(0)))
        })
        .collect()
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

fn selector_terms(selector: &core::NodeSelector) -> Vec<NodeTerm> {
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
pub(super) fn ordinal(set: &str, pod: &str) -> Option<u32> {
    let digits = pod.strip_prefix(set)?.strip_prefix('-')?;
    let ordinal: u32 = digits.parse().ok()?;
    (ordinal.to_string() == digits).then_some(ordinal)
}

fn owner<'a>(meta: &'a ObjectMeta, kind: &str) -> Option<&'a str> {
    let owner = meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    (owner.kind == kind).then_some(owner.name.as_str())
}

pub(super) fn pod(pod: &core::Pod) -> Pod {
    let meta = &pod.metadata;
    let spec = pod.spec.clone().unwrap_or_default();
    let status = pod.status.clone().unwrap_or_default();
    let condition = |name: &str| status.conditions.iter().flatten().find(|condition| condition.type_ == name);
    let ready = condition("Ready");
    let scheduled = condition("PodScheduled");
    Pod {
        uid: meta.uid.clone().unwrap_or_default(),
        resource_version: meta.resource_version.clone().unwrap_or_default(),
        created_at: time(meta.creation_timestamp.as_ref()),
        deleted_at: asked_to_end(meta),
        node: spec.node_name.clone().filter(|name| !name.is_empty()).map(NodeName::new),
        scheduled_at: scheduled
            .filter(|scheduled| scheduled.status == "True")
            .and_then(|scheduled| time(scheduled.last_transition_time.as_ref())),
        is_prepared: condition("PodReadyToStartContainers").is_some_and(|prepared| prepared.status == "True"),
        phase: status.phase.clone().unwrap_or_else(|| "Unknown".to_owned()),
        qos_class: status.qos_class.clone().unwrap_or_default(),
        revision: meta.labels.as_ref().and_then(|labels| labels.get("controller-revision-hash")).cloned(),
        ips: addresses(&status),
        dns_policy: dns_policy(&spec),
        is_ready: ready.is_some_and(|ready| ready.status == "True"),
        ready_changed_at: time(ready.and_then(|ready| ready.last_transition_time.as_ref())),
        unschedulable: scheduled
            .filter(|scheduled| scheduled.status == "False")
            .map(|scheduled| scheduled.message.clone().unwrap_or_default()),
        annotations: meta.annotations.clone().unwrap_or_default(),
        containers: status
            .container_statuses
            .iter()
            .flatten()
            .map(|one| container_status(one, &spec))
            .collect(),
        requests: pod_requests(&spec),
        termination_grace_period_seconds: grace_period(&spec),
        claims: spec
            .volumes
            .iter()
            .flatten()
            .filter_map(|volume| volume.persistent_volume_claim.as_ref())
            .map(|source| ClaimName::new(&source.claim_name))
            .collect(),
    }
}

fn addresses(status: &core::PodStatus) -> Vec<String> {
    let all = status.pod_ips.iter().flatten().map(|one| one.ip.clone());
    let mut all: Vec<String> = all.filter(|ip| !ip.is_empty()).collect();
    // The first of them once more, and of an older server the only one.
    if let (true, Some(ip)) = (all.is_empty(), &status.pod_ip) {
        all.push(ip.clone());
    }
    all
}

fn dns_policy(spec: &core::PodSpec) -> DnsPolicy {
    match (spec.dns_policy.as_deref(), spec.host_network.unwrap_or(false)) {
        (Some("Default"), _) => DnsPolicy::Node,
        (Some("None"), _) => DnsPolicy::Own,
        (Some("ClusterFirst") | None, true) => DnsPolicy::NodeByNetwork,
        _ => DnsPolicy::Cluster,
    }
}

fn container_status(status: &core::ContainerStatus, spec: &core::PodSpec) -> ContainerStatus {
    let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
    let ended = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    ContainerStatus {
        name: status.name.clone(),
        image: status.image.clone(),
        image_id: status.image_id.clone(),
        restarts: status.restart_count,
        waiting: waiting.map(|waiting| {
            (waiting.reason.clone().unwrap_or_default(), waiting.message.clone().unwrap_or_default())
        }),
        last_terminated: ended.and_then(|ended| ended.reason.clone()),
        out_of_memory: out_of_memory(status, spec),
    }
}

/// Whether it lies dead for want of memory, or did so the last time.
fn out_of_memory(status: &core::ContainerStatus, spec: &core::PodSpec) -> Option<OutOfMemory> {
    let ends = [&status.state, &status.last_state].into_iter().flatten();
    let killed = ends.filter_map(|state| state.terminated.as_ref());
    let killed = killed.into_iter().find(|end| end.reason.as_deref() == Some("OOMKilled"))?;
    // A resize in place shows in the status first.
    let actual = status.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let container = spec.containers.iter().find(|container| container.name == status.name);
    let wanted = container.and_then(|container| container.resources.as_ref()?.limits.as_ref());
    let limit = [actual, wanted].into_iter().flatten().find_map(|limits| limits.get("memory"));
    Some(OutOfMemory {
        at: time(killed.finished_at.as_ref()),
        limit: limit.and_then(|limit| limit.0.parse().ok()),
    })
}

/// A pod as far as it takes room on its node; none when it has ended.
pub(super) fn occupant(pod: &core::Pod, workload: &WorkloadRef) -> Option<Occupant> {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    if matches!(phase, Some("Succeeded" | "Failed")) {
        return None;
    }
    let meta = &pod.metadata;
    let name = meta.name.clone().unwrap_or_default();
    let namespace = meta.namespace.clone().unwrap_or_default();
    let stateful_set = owner(meta, "StatefulSet").map(str::to_owned);
    let is_shard = namespace == workload.namespace && stateful_set.as_deref() == Some(workload.name.as_str());
    Some(Occupant {
        requests: pod.spec.as_ref().map(pod_requests).unwrap_or_default(),
        is_daemon: owner(meta, "DaemonSet").is_some(),
        ordinal: if is_shard { ordinal(&workload.name, &name) } else { None },
        stateful_set,
        claims: pod.spec.as_ref().map(claims_of).unwrap_or_default(),
        name: PodName::new(name),
        namespace,
    })
}

/// How many claims a pod mounts, those made for it alone included.
fn claims_of(spec: &core::PodSpec) -> u32 {
    let volumes = spec.volumes.iter().flatten();
    let claims =
        volumes.filter(|volume| volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some());
    u32::try_from(claims.count()).unwrap_or(u32::MAX)
}

/// Whether a pod belongs to the workload by its owner, not merely by its labels.
pub(super) fn is_owned_by(pod: &core::Pod, workload_uid: &str) -> bool {
    pod.metadata.owner_references.iter().flatten().any(|owner| owner.uid == workload_uid)
}

/// A placeholder and how far it is.
pub(super) fn placeholder(pod: &core::Pod) -> Placeholder {
    let meta = &pod.metadata;
    let status = pod.status.clone().unwrap_or_default();
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).filter(|name| !name.is_empty());
    let phase = status.phase.as_deref().unwrap_or_default();
    let spec = pod.spec.clone().unwrap_or_default();
    let of = |one: &core::ContainerStatus| container_status(one, &spec);
    let pulls: Vec<ContainerStatus> = status.init_container_statuses.iter().flatten().map(of).collect();
    let containers = status.container_statuses.iter().flatten().map(of);
    let waiting = pulls.iter().cloned().chain(containers).find_map(|container| container.waiting);
    // What an init container runs may fail: that it was tried tells that the image is there.
    let is_pulled = |pull: &ContainerStatus| !pull.image_id.is_empty() || pull.restarts > 0;
    let state = if meta.deletion_timestamp.is_some() || matches!(phase, "Succeeded" | "Failed") {
        PlaceholderState::Ending
    } else if node.is_none() {
        let conditions = status.conditions.iter().flatten();
        let refused = conditions.filter(|one| one.type_ == "PodScheduled" && one.status == "False");
        PlaceholderState::Pending(refused.into_iter().find_map(|one| one.message.clone()))
    } else if phase == "Running" || (!pulls.is_empty() && pulls.iter().all(is_pulled)) {
        PlaceholderState::Warm
    } else {
        match waiting {
            Some((reason, message)) if reason == "ImagePullBackOff" || reason == "InvalidImageName" => {
                PlaceholderState::Stuck(format!("{reason}: {message}"))
            }
            Some((reason, _)) => PlaceholderState::Pulling(Some(reason)),
            None => PlaceholderState::Pulling(None),
        }
    };
    Placeholder {
        pod: exact(pod),
        node: node.map(NodeName::new),
        state,
        created_at: time(meta.creation_timestamp.as_ref()),
    }
}

/// A probe and how far it is.
pub(super) fn probe(pod: &core::Pod) -> Probe {
    let meta = &pod.metadata;
    let spec = pod.spec.clone().unwrap_or_default();
    let status = pod.status.clone().unwrap_or_default();
    let container = status.container_statuses.iter().flatten().find(|one| one.name == PROBE_CONTAINER);
    let state = container.and_then(|container| container.state.clone()).unwrap_or_default();
    let phase = status.phase.unwrap_or_default();
    let state = if let Some(end) = state.terminated {
        let at = time(end.finished_at.as_ref());
        match end.reason.as_deref() {
            // It ran, whatever its shell thought of the last question.
            Some("Completed" | "Error") => ProbeState::Done { at },
            _ => ProbeState::Failed {
                at,
                reason: end.reason.unwrap_or_default(),
                message: end.message.unwrap_or_default(),
            },
        }
    } else if matches!(phase.as_str(), "Failed" | "Succeeded") || meta.deletion_timestamp.is_some() {
        ProbeState::Failed {
            at: time(meta.deletion_timestamp.as_ref()),
            reason: status.reason.unwrap_or_default(),
            message: status.message.unwrap_or_default(),
        }
    } else if state.running.is_some() {
        ProbeState::Running
    } else if status.start_time.is_none() {
        ProbeState::Made
    } else {
        let waiting = state
            .waiting
            .map(|waiting| (waiting.reason.unwrap_or_default(), waiting.message.unwrap_or_default()));
        ProbeState::Starting { waiting }
    };
    Probe {
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        image: spec.containers.into_iter().find_map(|container| container.image).unwrap_or_default(),
        created_at: time(meta.creation_timestamp.as_ref()),
        deadline: spec.active_deadline_seconds.map(SignedDuration::from_secs),
        state,
    }
}

fn exact(pod: &core::Pod) -> ExactPod {
    let meta = &pod.metadata;
    ExactPod {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: PodName::new(meta.name.clone().unwrap_or_default()),
        uid: meta.uid.clone().unwrap_or_default(),
        resource_version: meta.resource_version.clone().unwrap_or_default(),
    }
}

/// A pod that must leave a node which is emptied; none when it may stay (DaemonSets, static pods), has ended, or is a
/// shard or a placeholder of ours.
pub(super) fn other_pod(pod: &core::Pod, node: &NodeName, workload: &WorkloadRef) -> Option<OtherPod> {
    let meta = &pod.metadata;
    let has = |labels: &Option<BTreeMap<String, String>>, key: &str| {
        labels.as_ref().is_some_and(|labels| labels.contains_key(key))
    };
    let is_static = has(&meta.annotations, "kubernetes.io/config.mirror");
    let occupant = occupant(pod, workload)?;
    let stays = occupant.is_daemon || is_static || occupant.ordinal.is_some() || has(&meta.labels, RUN_LABEL);
    (!stays).then(|| OtherPod {
        pod: exact(pod),
        node: node.clone(),
        is_ending: meta.deletion_timestamp.is_some(),
    })
}

/// What an event warns of.
pub(super) fn warning(event: &core::Event) -> Warning {
    let source = event.source.as_ref().and_then(|source| source.component.clone());
    Warning {
        reason: event.reason.clone().unwrap_or_default(),
        message: event.message.clone().unwrap_or_default(),
        component: event
            .reporting_component
            .clone()
            .filter(|name| !name.is_empty())
            .or(source)
            .unwrap_or_default(),
        at: event_time(event).unwrap_or_default(),
    }
}

/// How long a pull of an image took, waiting for other pulls included, as an event of reason `Pulled` tells it: `Successfully
/// pulled image "db:2" in 1.5s (2.25s including waiting). Image size: 96 bytes.` An image that was there took no time.
pub(super) fn pulled(event: &core::Event) -> Option<Duration> {
    let message = event.message.as_deref()?;
    if message.contains("already present") {
        return Some(Duration::ZERO);
    }
    let (_, times) = message.rsplit_once("\" in ")?;
    let took = match times.split_once(" including waiting)") {
        Some((before, _)) => before.rsplit_once('(')?.1,
        None => times.split(' ').next()?,
    };
    Duration::try_from(took.parse::<SignedDuration>().ok()?).ok()
}

pub(super) fn node(node: &core::Node) -> Node {
    let meta = &node.metadata;
    let spec = node.spec.clone().unwrap_or_default();
    let status = node.status.clone().unwrap_or_default();
    let conditions = || status.conditions.iter().flatten();
    Node {
        name: NodeName::new(meta.name.clone().unwrap_or_default()),
        labels: meta.labels.clone().unwrap_or_default(),
        taints: spec.taints.iter().flatten().map(taint).collect(),
        is_cordoned: spec.unschedulable == Some(true),
        deleted_at: asked_to_end(meta),
        created_at: time(meta.creation_timestamp.as_ref()),
        is_ready: conditions().any(|condition| condition.type_ == "Ready" && condition.status == "True"),
        pressures: conditions()
            .filter(|condition| condition.type_ != "Ready" && condition.status == "True")
            .map(|condition| condition.type_.clone())
            .collect(),
        allocatable: resources(status.allocatable.as_ref()),
        allocatable_pods: u32::try_from(named(status.allocatable.as_ref(), "pods").as_units()).unwrap_or(0),
        capacity: resources(status.capacity.as_ref()),
        kubelet_version: status.node_info.map(|info| info.kubelet_version).unwrap_or_default(),
    }
}

fn taint(taint: &core::Taint) -> Taint {
    Taint {
        key: taint.key.clone(),
        value: taint.value.clone().unwrap_or_default(),
        effect: taint.effect.clone(),
    }
}

pub(super) fn disruption_budget(budget: &PodDisruptionBudget) -> DisruptionBudget {
    let meta = &budget.metadata;
    let spec = budget.spec.clone().unwrap_or_default();
    let status = budget.status.clone().unwrap_or_default();
    let selector = spec.selector.unwrap_or_default();
    let text = |amount: Option<IntOrString>| {
        amount.map(|amount| match amount {
            IntOrString::Int(number) => number.to_string(),
            IntOrString::String(percentage) => percentage,
        })
    };
    DisruptionBudget {
        name: meta.name.clone().unwrap_or_default(),
        has_expressions: selector.match_expressions.is_some_and(|expressions| !expressions.is_empty()),
        selector: selector.match_labels.unwrap_or_default(),
        min_available: text(spec.min_available),
        max_unavailable: text(spec.max_unavailable),
        unhealthy_pod_eviction_policy: spec
            .unhealthy_pod_eviction_policy
            .unwrap_or_else(|| "IfHealthyBudget".to_owned()),
        disruptions_allowed: status.disruptions_allowed.unwrap_or(0),
        current_healthy: status.current_healthy.unwrap_or(0),
        desired_healthy: status.desired_healthy.unwrap_or(0),
        expected_pods: status.expected_pods.unwrap_or(0),
        is_status_current: status.observed_generation >= meta.generation,
    }
}

/// A service with the endpoints that its slices tell of.
pub(super) fn service(service: &core::Service, slices: &[EndpointSlice]) -> Service {
    let name = service.metadata.name.clone().unwrap_or_default();
    let spec = service.spec.clone().unwrap_or_default();
    let mut endpoints = BTreeMap::new();
    let own = slices.iter().filter(|slice| {
        let labels = slice.metadata.labels.as_ref();
        labels.and_then(|labels| labels.get("kubernetes.io/service-name")) == Some(&name)
    });
    for endpoint in own.flat_map(|slice| slice.endpoints.iter().flatten()) {
        let Some(pod) = endpoint.target_ref.as_ref().and_then(|target| target.name.clone()) else {
            continue;
        };
        let ready = endpoint.conditions.as_ref().and_then(|conditions| conditions.ready);
        let address = endpoint.addresses.first().cloned().unwrap_or_default();
        endpoints.insert(PodName::new(pod), Endpoint { address, is_ready: ready.unwrap_or(true) });
    }
    Service {
        is_headless: spec.cluster_ip.as_deref() == Some("None"),
        selector: spec.selector.unwrap_or_default(),
        publishes_not_ready: spec.publish_not_ready_addresses.unwrap_or(false),
        session_affinity: spec.session_affinity.unwrap_or_else(|| "None".to_owned()),
        ports: spec.ports.iter().flatten().filter_map(|port| u16::try_from(port.port).ok()).collect(),
        endpoints,
        name,
    }
}

pub(super) fn claim(claim: &core::PersistentVolumeClaim) -> Claim {
    let meta = &claim.metadata;
    let spec = claim.spec.clone().unwrap_or_default();
    let status = claim.status.clone().unwrap_or_default();
    Claim {
        name: ClaimName::new(meta.name.clone().unwrap_or_default()),
        phase: status.phase.unwrap_or_else(|| "Pending".to_owned()),
        requested: named(
            spec.resources.as_ref().and_then(|resources| resources.requests.as_ref()),
            "storage",
        ),
        capacity: status.capacity.as_ref().map(|capacity| named(Some(capacity), "storage")),
        storage_class: spec.storage_class_name,
        volume: spec.volume_name.filter(|name| !name.is_empty()).map(VolumeName::new),
        deleted_at: asked_to_end(meta),
    }
}

pub(super) fn volume(volume: &core::PersistentVolume) -> Volume {
    let spec = volume.spec.clone().unwrap_or_default();
    let required = spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
    Volume {
        name: VolumeName::new(volume.metadata.name.clone().unwrap_or_default()),
        node_terms: required.map(selector_terms).unwrap_or_default(),
        reclaim_policy: spec.persistent_volume_reclaim_policy.unwrap_or_else(|| "Retain".to_owned()),
    }
}

pub(super) fn storage_class(class: &storage::StorageClass) -> StorageClass {
    StorageClass {
        name: class.metadata.name.clone().unwrap_or_default(),
        provisioner: class.provisioner.clone(),
        waits_for_first_consumer: class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"),
        // What the API server fills in when it is left out.
        reclaim_policy: class.reclaim_policy.clone().unwrap_or_else(|| "Delete".to_owned()),
        parameters: class.parameters.clone().unwrap_or_default(),
    }
}

pub(super) fn quota(quota: &core::ResourceQuota) -> Quota {
    let status = quota.status.clone().unwrap_or_default();
    let spec = quota.spec.clone().unwrap_or_default();
    let plain =
        spec.scopes.unwrap_or_default().into_iter().map(|name| quota_scope(&name, "Exists", Vec::new()));
    let selected = spec.scope_selector.and_then(|selector| selector.match_expressions).unwrap_or_default();
    let selected = selected
        .into_iter()
        .map(|scope| quota_scope(&scope.scope_name, &scope.operator, scope.values.unwrap_or_default()));
    Quota {
        name: quota.metadata.name.clone().unwrap_or_default(),
        scopes: plain.chain(selected).collect(),
        hard: all(status.hard.as_ref().or(quota.spec.as_ref().and_then(|spec| spec.hard.as_ref()))),
        used: all(status.used.as_ref()),
    }
}

fn quota_scope(name: &str, operator: &str, names: Vec<String>) -> QuotaScope {
    match (name, operator) {
        ("PriorityClass", "DoesNotExist") => QuotaScope::NeverShards,
        ("PriorityClass", operator) => {
            QuotaScope::PriorityClasses { names, are_excluded: operator == "NotIn" }
        }
        ("NotBestEffort", _) => QuotaScope::AlwaysShards,
        ("NotTerminating", _) => QuotaScope::Deadline { has_one: false },
        ("Terminating", _) => QuotaScope::Deadline { has_one: true },
        _ => QuotaScope::NeverShards,
    }
}

/// When an event last happened: series, new and old API each have their own field.
pub(super) fn event_time(event: &core::Event) -> Option<Timestamp> {
    let series =
        event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let last = time(event.last_timestamp.as_ref());
    let once = event.event_time.as_ref().map(|time| time.0);
    series.max(last).max(once)
}

pub(super) fn event_text(event: &core::Event) -> String {
    let reason = event.reason.as_deref().unwrap_or("Warning");
    format!("{reason}: {}", event.message.as_deref().unwrap_or_default())
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

    #[test]
    fn an_event_tells_how_long_a_pull_took() {
        let took = |message: &str| {
            pulled(&core::Event { message: Some(message.to_owned()), ..core::Event::default() })
        };
        let full = "Successfully pulled image \"db (x) in 3s\" in 1.5s (1m2.25s including waiting). Image size: 96 bytes.";
        assert_eq!(took(full), Some(Duration::from_millis(62_250)));
        assert_eq!(took("Successfully pulled image \"db:2\" in 350ms"), Some(Duration::from_millis(350)));
        let there = "Container image \"db:2\" already present on machine";
        assert_eq!(took(there), Some(Duration::ZERO));
        for other in
            ["", "Pulled", "Successfully pulled image \"db:2\" in no time", "\" in (s including waiting)"]
        {
            assert_eq!(took(other), None, "{other}");
        }
    }

    #[test]
    fn a_pod_tells_its_addresses_and_who_tells_it_of_names() {
        let read = |spec: serde_json::Value, status: serde_json::Value| {
            let mut spec = spec;
            spec["containers"] = serde_json::json!([]);
            pod(&serde_json::from_value(serde_json::json!({"spec": spec, "status": status})).unwrap())
        };
        let both =
            serde_json::json!({"podIP": "10.0.0.3", "podIPs": [{"ip": "10.0.0.3"}, {"ip": "fd00::3"}]});
        assert_eq!(read(serde_json::json!({}), both).ips, ["10.0.0.3", "fd00::3"]);
        let one = serde_json::json!({"podIP": "10.0.0.3"});
        assert_eq!(read(serde_json::json!({}), one).ips, ["10.0.0.3"]);
        for (spec, policy) in [
            (serde_json::json!({}), DnsPolicy::Cluster),
            (serde_json::json!({"dnsPolicy": "ClusterFirst"}), DnsPolicy::Cluster),
            (serde_json::json!({"dnsPolicy": "ClusterFirst", "hostNetwork": true}), DnsPolicy::NodeByNetwork),
            (
                serde_json::json!({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": true}),
                DnsPolicy::Cluster,
            ),
            (serde_json::json!({"dnsPolicy": "Default"}), DnsPolicy::Node),
            (serde_json::json!({"dnsPolicy": "None"}), DnsPolicy::Own),
        ] {
            assert_eq!(read(spec.clone(), serde_json::json!({})).dns_policy, policy, "{spec}");
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
    fn every_volume_that_is_a_claim_is_counted() {
        let spec: core::PodSpec = serde_json::from_value(serde_json::json!({"containers": [], "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "data-0"}},
            {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
            {"name": "cache", "emptyDir": {}},
        ]}))
        .unwrap();
        assert_eq!(claims_of(&spec), 2);
    }

    #[test]
    fn a_probe_is_as_far_as_its_container_is() {
        let state = |status: serde_json::Value| {
            let pod = serde_json::json!({"metadata": {"name": "p"}, "status": status});
            probe(&serde_json::from_value(pod).expect("a pod")).state
        };
        let of_container = |state: serde_json::Value| {
            let container = serde_json::json!({
                "name": "probe", "state": state, "image": "", "imageID": "", "ready": false, "restartCount": 0,
            });
            serde_json::json!({"startTime": "2026-11-22T12:00:00Z", "containerStatuses": [container]})
        };
        assert_eq!(state(serde_json::json!({"phase": "Pending"})), ProbeState::Made);
        let seen = serde_json::json!({"phase": "Pending", "startTime": "2026-11-22T12:00:00Z"});
        assert_eq!(state(seen), ProbeState::Starting { waiting: None });
        let waiting =
            of_container(serde_json::json!({"waiting": {"reason": "ErrImagePull", "message": "no"}}));
        let reason = Some(("ErrImagePull".to_owned(), "no".to_owned()));
        assert_eq!(state(waiting), ProbeState::Starting { waiting: reason });
        assert_eq!(state(of_container(serde_json::json!({"running": {}}))), ProbeState::Running);
        let ended = |reason: &str, code: i32| {
            state(of_container(serde_json::json!({"terminated": {"reason": reason, "exitCode": code}})))
        };
        for (reason, code) in [("Completed", 0), ("Error", 1)] {
            assert_eq!(ended(reason, code), ProbeState::Done { at: None }, "it has asked");
        }
        assert!(
            matches!(ended("StartError", 128), ProbeState::Failed { reason, .. } if reason == "StartError")
        );
        let rejected = serde_json::json!({"phase": "Failed", "reason": "OutOfcpu", "message": "no"});
        assert!(matches!(state(rejected), ProbeState::Failed { reason, .. } if reason == "OutOfcpu"));
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
