//! Pods: shards, those beside them, and our own.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::workload::{grace_period, ordinal, pod_requests};
use super::{asked_to_end, time};
use crate::domain::names::{ClaimName, NodeName, PodName, WorkloadRef};
use crate::domain::rolling::{ExactPod, OtherPod, Placeholder, PlaceholderState, RUN_LABEL};
use crate::domain::routing::{PROBE_CONTAINER, Probe, ProbeState};
use crate::domain::snapshot::{ContainerStatus, DnsPolicy, Occupant, OutOfMemory, Pod};

pub fn pod(pod: &core::Pod) -> Pod {
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

fn owner<'a>(meta: &'a ObjectMeta, kind: &str) -> Option<&'a str> {
    let owner = meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    (owner.kind == kind).then_some(owner.name.as_str())
}

/// Whether a pod belongs to the workload by its owner, not merely by its labels.
pub fn is_owned_by(pod: &core::Pod, workload_uid: &str) -> bool {
    pod.metadata.owner_references.iter().flatten().any(|owner| owner.uid == workload_uid)
}

/// A pod as far as it takes room on its node; none when it has ended.
pub fn occupant(pod: &core::Pod, workload: &WorkloadRef) -> Option<Occupant> {
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

fn exact(pod: &core::Pod) -> ExactPod {
    let meta = &pod.metadata;
    ExactPod {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: PodName::new(meta.name.clone().unwrap_or_default()),
        uid: meta.uid.clone().unwrap_or_default(),
        resource_version: meta.resource_version.clone().unwrap_or_default(),
    }
}

/// A placeholder and how far it is.
pub fn placeholder(pod: &core::Pod) -> Placeholder {
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
pub fn probe(pod: &core::Pod) -> Probe {
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

/// A pod that must leave a node which is emptied; none when it may stay (DaemonSets, static pods), has ended, or is a
/// shard or a placeholder of ours.
pub fn other_pod(pod: &core::Pod, node: &NodeName, workload: &WorkloadRef) -> Option<OtherPod> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
