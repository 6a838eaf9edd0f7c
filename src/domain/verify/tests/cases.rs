//! What can be wrong with a healthy service, one thing at a time.

use super::super::super::names::{NodeName, NodePoolName, PodName};
use super::super::super::shardset::{Availability, ShardSet};
use super::super::super::snapshot::*;
use super::super::super::testing::{labels, quantity, resources};

pub(super) fn pod(snapshot: &mut Snapshot, ordinal: usize) -> &mut Pod {
    snapshot.shards[ordinal].pod.as_mut().unwrap()
}

pub(super) fn container(snapshot: &mut Snapshot, ordinal: usize) -> &mut ContainerStatus {
    &mut pod(snapshot, ordinal).containers[0]
}

pub(super) fn template(snapshot: &mut Snapshot) -> &mut PodTemplate {
    &mut snapshot.workload.template
}

pub(super) fn pool(snapshot: &mut Snapshot) -> &mut NodePool {
    &mut snapshot.node_pools.as_mut().unwrap()[0]
}

/// The node that carries shard 9 alone.
pub(super) fn last_node(snapshot: &mut Snapshot) -> &mut Node {
    let nodes = snapshot.nodes.as_mut().unwrap();
    nodes.get_mut(&NodeName::new("stable-3")).unwrap()
}

pub(super) fn budget(snapshot: &mut Snapshot) -> &mut DisruptionBudget {
    &mut snapshot.disruption_budgets.as_mut().unwrap()[0]
}

pub(super) fn service(snapshot: &mut Snapshot, index: usize) -> &mut Service {
    &mut snapshot.services.as_mut().unwrap()[index]
}

pub(super) fn claim(snapshot: &mut Snapshot) -> &mut Claim {
    let claims = snapshot.claims.as_mut().unwrap();
    claims.values_mut().next().unwrap()
}

pub(super) fn volume(snapshot: &mut Snapshot) -> &mut Volume {
    let volumes = snapshot.volumes.as_mut().unwrap();
    volumes.values_mut().next().unwrap()
}

pub(super) fn storage_class(snapshot: &mut Snapshot) -> &mut StorageClass {
    let classes = snapshot.storage_classes.as_mut().unwrap();
    classes.values_mut().next().unwrap()
}

pub(super) fn neighbour(snapshot: &mut Snapshot, stateful_set: Option<&str>) {
    let occupants = snapshot.occupants.as_mut().unwrap();
    occupants.get_mut(&NodeName::new("stable-3")).unwrap().push(Occupant {
        namespace: "shop".to_owned(),
        name: PodName::new("kafka-0"),
        requests: resources("1", "1Gi"),
        is_daemon: false,
        ordinal: None,
        stateful_set: stateful_set.map(str::to_owned),
        claims: 1,
    });
}

pub(super) fn autoscaler(snapshot: &mut Snapshot, update_mode: &str) {
    snapshot.autoscalers = Ok(vec![VerticalAutoscaler {
        name: "biometric-shard".to_owned(),
        update_mode: update_mode.to_owned(),
    }]);
}

pub(super) fn expression(key: &str, values: &[&str]) -> NodeExpression {
    NodeExpression {
        key: key.to_owned(),
        operator: "In".to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

pub(super) fn time(text: &str) -> Option<jiff::Timestamp> {
    Some(text.parse().unwrap())
}

pub(super) type Break = fn(&mut Snapshot);

/// One thing broken, and the checks that must say so, by name of the case.
#[rustfmt::skip]
pub(super) const CASES: &[(&str, Break, &[&str])] = &[
    ("old control plane", |s| s.server_version = Ok("v1.27.9".to_owned()), &["kubernetes-version"]),
    ("no pod", |s| s.shards[3].pod = None, &["shard-exists"]),
    ("no pod, and a budget that counts pods", |s| {
        s.shards[3].pod = None;
        budget(s).expected_pods = 9;
    }, &["shard-exists"]),
    ("not ready", |s| pod(s, 3).is_ready = false, &["shard-ready"]),
    ("no node takes it", |s| {
        let pod = pod(s, 3);
        (pod.is_ready, pod.node, pod.ips) = (false, None, Vec::new());
        pod.phase = "Pending".to_owned();
        pod.unschedulable = Some("0/4 nodes are available: 4 Insufficient memory".to_owned());
    }, &["shard-ready"]),
    ("no scheduler", |s| {
        let pod = pod(s, 3);
        (pod.is_ready, pod.node, pod.ips) = (false, None, Vec::new());
        pod.phase = "Pending".to_owned();
        pod.containers.clear();
    }, &["shard-ready"]),
    ("asked to end", |s| pod(s, 3).deleted_at = time("2026-11-22T11:59:00Z"), &["shard-terminating"]),
    ("answers 503", |s| {
        s.health.insert(3, Health::Unhealthy { status: 503, path: "/health/readiness".to_owned() });
    }, &["shard-health"]),
    ("does not answer", |s| {
        s.health.insert(3, Health::Silent { reason: "timeout".to_owned(), path: "/".to_owned() });
    }, &["shard-health"]),
    ("another digest", |s| container(s, 3).image_id = "app@sha256:1111".to_owned(), &["shard-image-mix"]),
    ("one shard is behind", |s| pod(s, 3).revision = Some("biometric-shard-old".to_owned()),
        &["shard-revision-mix", "shard-armed"]),
    ("a template that waits", |s| s.workload.update_revision = "biometric-shard-new".to_owned(), &["shard-armed"]),
    ("out of memory", |s| {
        let container = container(s, 3);
        (container.restarts, container.last_terminated) = (1, Some("OOMKilled".to_owned()));
    }, &["shard-out-of-memory"]),
    ("restarted", |s| {
        let container = container(s, 3);
        (container.restarts, container.last_terminated) = (1, Some("Error".to_owned()));
    }, &["shard-restarts"]),
    ("a pod without grace", |s| pod(s, 3).termination_grace_period_seconds = 0, &["shard-grace-period"]),
    ("burstable", |s| pod(s, 3).qos_class = "Burstable".to_owned(), &["shard-guaranteed"]),
    ("disruptable", |s| pod(s, 3).annotations.clear(), &["shard-do-not-disrupt"]),
    ("protected for a while", |s| {
        pod(s, 3).annotations.insert(DO_NOT_DISRUPT.to_owned(), "4h".to_owned());
    }, &["shard-do-not-disrupt"]),
    ("disruptable template", |s| template(s).annotations.clear(), &["shard-do-not-disrupt"]),
    ("leftover", |s| {
        let mut left = s.shards[9].clone();
        left.ordinal = 10;
        left.pod_name = PodName::new("biometric-shard-10");
        s.shards.push(left);
    }, &["shard-leftover"]),
    ("rolling update", |s| s.workload.update_strategy = "RollingUpdate".to_owned(), &["update-strategy"]),
    ("ordered", |s| s.workload.pod_management_policy = "OrderedReady".to_owned(), &["pod-management-policy"]),
    ("stale status", |s| s.workload.is_status_current = false, &["workload-status"]),
    ("no grace", |s| template(s).termination_grace_period_seconds = 0, &["termination-grace-period"]),
    ("preStop takes it all", |s| template(s).containers[0].pre_stop_sleep_seconds = Some(120), &["pre-stop-margin"]),
    ("latest", |s| template(s).containers[0].image = "registry.example/app:latest".to_owned(), &["image-pinned"]),
    ("no priority", |s| template(s).priority_class = None, &["priority-class"]),
    ("no readiness probe", |s| template(s).containers[0].has_readiness_probe = false, &["readiness-probe"]),
    ("liveness probe", |s| template(s).containers[0].has_liveness_probe = true, &["liveness-probe"]),
    ("no startup probe", |s| template(s).containers[0].has_startup_probe = false, &["startup-probe"]),
    ("limit above request", |s| {
        template(s).containers[0].limits.insert("memory".to_owned(), quantity("40Gi"));
    }, &["template-guaranteed"]),
    ("no budget", |s| s.disruption_budgets = Ok(Vec::new()), &["pdb-exists"]),
    ("a budget for others", |s| budget(s).selector = labels(&[("app", "other")]), &["pdb-exists"]),
    ("a budget of nothing", |s| budget(s).min_available = Some("0".to_owned()), &["pdb-allowance"]),
    ("a budget of most", |s| budget(s).min_available = Some("90%".to_owned()), &["pdb-allowance"]),
    ("a budget of one away", |s| {
        (budget(s).min_available, budget(s).max_unavailable) = (None, Some("1".to_owned()));
    }, &["pdb-allowance"]),
    ("a budget of a percent away", |s| {
        (budget(s).min_available, budget(s).max_unavailable) = (None, Some("1%".to_owned()));
    }, &["pdb-allowance"]),
    ("two budgets", |s| {
        let mut second = budget(s).clone();
        second.name = "another".to_owned();
        s.disruption_budgets.as_mut().unwrap().push(second);
    }, &["pdb-single"]),
    ("a budget that counts others", |s| {
        let budget = budget(s);
        (budget.expected_pods, budget.min_available) = (12, Some("100%".to_owned()));
    }, &["pdb-covers-shards-only"]),
    ("unhealthy pods stay", |s| {
        budget(s).unhealthy_pod_eviction_policy = "IfHealthyBudget".to_owned();
    }, &["pdb-unhealthy-eviction"]),
    ("stale budget", |s| budget(s).is_status_current = false, &["pdb-status"]),
    ("no claim", |s| {
        let name = claim(s).name.clone();
        s.claims.as_mut().unwrap().remove(&name);
    }, &["claim-exists"]),
    ("unbound claim", |s| claim(s).phase = "Lost".to_owned(), &["claim-bound"]),
    ("claim to go", |s| claim(s).deleted_at = time("2026-11-22T11:59:00Z"), &["claim-deleting"]),
    ("small volume", |s| claim(s).capacity = Some(quantity("50Gi")), &["claim-size"]),
    ("another class", |s| {
        s.workload.claim_templates[0].storage_class = Some("managed-csi".to_owned());
    }, &["claim-storage-class"]),
    ("a node in another zone", |s| {
        last_node(s).labels.insert("topology.kubernetes.io/zone".to_owned(), "eastus-2".to_owned());
    }, &["volume-reachable"]),
    ("a pool in another zone", |s| {
        pool(s).requirements.push(expression("topology.kubernetes.io/zone", &["eastus-2"]));
    }, &["volume-zone"]),
    ("deleted volumes", |s| volume(s).reclaim_policy = "Delete".to_owned(), &["volume-reclaim-policy"]),
    ("no class", |s| s.storage_classes.as_mut().unwrap().clear(), &["storage-class-exists"]),
    ("immediate", |s| storage_class(s).waits_for_first_consumer = false, &["storage-class-binding"]),
    ("deleting class", |s| storage_class(s).reclaim_policy = "Delete".to_owned(), &["storage-class-reclaim-policy"]),
    ("no headless service", |s| { s.services.as_mut().unwrap().remove(0); }, &["headless-service"]),
    ("a headless service for others", |s| {
        service(s, 0).selector = labels(&[("app", "other")]);
    }, &["headless-service"]),
    ("a cluster IP", |s| service(s, 0).is_headless = false, &["headless-service"]),
    ("ready names only", |s| service(s, 0).publishes_not_ready = false, &["headless-publishes-not-ready"]),
    ("no name", |s| { service(s, 0).endpoints.remove(&PodName::new("biometric-shard-3")); }, &["headless-endpoints"]),
    ("a stale name", |s| {
        let endpoints = &mut service(s, 0).endpoints;
        endpoints.get_mut(&PodName::new("biometric-shard-3")).unwrap().address = "10.0.0.99".to_owned();
    }, &["headless-endpoints"]),
    ("no client service", |s| { s.services.as_mut().unwrap().remove(1); }, &["client-service"]),
    ("not served", |s| {
        let endpoints = &mut service(s, 1).endpoints;
        endpoints.get_mut(&PodName::new("biometric-shard-3")).unwrap().is_ready = false;
    }, &["client-endpoints"]),
    ("not served yet", |s| {
        pod(s, 3).ready_changed_at = Some(s.taken_at - std::time::Duration::from_secs(2));
        service(s, 1).endpoints.get_mut(&PodName::new("biometric-shard-3")).unwrap().is_ready = false;
    }, &[]),
    ("strangers", |s| {
        let endpoint = Endpoint { address: "10.0.0.77".to_owned(), is_ready: true };
        service(s, 1).endpoints.insert(PodName::new("stranger"), endpoint);
    }, &["service-selects-shards-only"]),
    ("sticky clients", |s| service(s, 1).session_affinity = "ClientIP".to_owned(), &["session-affinity"]),
    ("a node of another pool", |s| {
        last_node(s).labels.insert(NODE_POOL_LABEL.to_owned(), "default".to_owned());
    }, &["shard-node-pool"]),
    ("a node with a new taint", |s| {
        let taint = Taint { key: "team".to_owned(), value: "a".to_owned(), effect: "NoSchedule".to_owned() };
        last_node(s).taints.push(taint);
    }, &["shard-node-fits"]),
    ("spot", |s| {
        last_node(s).labels.insert("karpenter.sh/capacity-type".to_owned(), "spot".to_owned());
    }, &["shard-on-spot"]),
    ("too much on a node", |s| {
        let node = NodeName::new("stable-0");
        s.occupants.as_mut().unwrap().get_mut(&node).unwrap()[0].requests = resources("8", "32Gi");
    }, &["node-overcommitted"]),
    ("a stateful neighbour", |s| neighbour(s, Some("kafka")), &["node-shared-stateful"]),
    ("a neighbour", |s| neighbour(s, None), &["node-shared"]),
    ("node not ready", |s| last_node(s).is_ready = false, &["node-ready"]),
    ("node gone", |s| { s.nodes.as_mut().unwrap().remove(&NodeName::new("stable-3")); }, &["node-ready"]),
    ("node to go", |s| last_node(s).deleted_at = time("2026-11-22T11:59:00Z"), &["node-leaving"]),
    ("node disrupted", |s| {
        let key = "karpenter.sh/disrupted".to_owned();
        last_node(s).taints.push(Taint { key, value: String::new(), effect: "NoSchedule".to_owned() });
    }, &["node-leaving"]),
    ("memory pressure", |s| last_node(s).pressures = vec!["MemoryPressure".to_owned()], &["node-pressure"]),
    ("cordoned", |s| {
        last_node(s).is_cordoned = true;
        let key = "node.kubernetes.io/unschedulable".to_owned();
        last_node(s).taints.push(Taint { key, value: String::new(), effect: "NoSchedule".to_owned() });
    }, &["node-cordoned"]),
    ("older kubelet", |s| last_node(s).kubelet_version = "v1.35.0".to_owned(), &["kubelet-skew"]),
    ("empty node", |s| {
        let mut node = last_node(s).clone();
        node.name = NodeName::new("stable-4");
        s.nodes.as_mut().unwrap().insert(node.name.clone(), node);
    }, &["node-empty"]),
    ("no pool fits", |s| {
        template(s).node_terms = vec![vec![expression(NODE_POOL_LABEL, &["explore"])]];
    }, &["node-pool-exists", "shard-node-fits"]),
    ("pool not ready", |s| {
        pool(s).conditions.insert("Ready".to_owned(), (false, "no such node class".to_owned()));
    }, &["node-pool-ready"]),
    ("pool nobody looked at", |s| pool(s).conditions.clear(), &["node-pool-ready"]),
    ("nodes do not join", |s| {
        pool(s).conditions.insert("NodeRegistrationHealthy".to_owned(), (false, String::new()));
    }, &["node-pool-registration"]),
    ("pool to go", |s| pool(s).deleted_at = time("2026-11-22T11:59:00Z"), &["node-pool-deleting"]),
    ("no node class", |s| {
        s.node_classes.as_mut().unwrap().values_mut().for_each(|class| class.exists = false);
    }, &["node-class-ready"]),
    ("nodes expire", |s| pool(s).expire_after = "720h".to_owned(), &["node-pool-expiry"]),
    ("a second pool", |s| {
        let mut second = pool(s).clone();
        second.name = NodePoolName::new("default");
        second.taints.clear();
        template(s).node_terms.clear();
        s.node_pools.as_mut().unwrap().push(second);
    }, &["node-pool-ambiguous", "node-pool-tainted"]),
    ("spot allowed", |s| {
        pool(s).requirements[1].values.push("spot".to_owned());
    }, &["node-pool-spot"]),
    ("not pinned", |s| { pool(s).requirements.remove(0); }, &["node-pool-pinned"]),
    ("no taint", |s| pool(s).taints.clear(), &["node-pool-tainted"]),
    ("saves money", |s| {
        pool(s).consolidation_policy = "WhenEmptyOrUnderutilized".to_owned();
        pool(s).consolidate_after = "1m".to_owned();
    }, &["node-pool-consolidation"]),
    ("drifts", |s| pool(s).budgets.clear(), &["node-pool-budget"]),
    ("drifts at times", |s| pool(s).budgets[0].schedule = Some("@daily".to_owned()), &["node-pool-budget"]),
    ("drifts, blocks others", |s| {
        pool(s).budgets[0].reasons = vec!["Empty".to_owned(), "Underutilized".to_owned()];
    }, &["node-pool-budget"]),
    ("too large a shard", |s| template(s).requests = resources("4", "128Gi"), &["instance-type-fits"]),
    ("tight limits", |s| {
        pool(s).limits.insert("memory".to_owned(), quantity("320Gi"));
    }, &["node-pool-limits"]),
    ("few nodes", |s| { pool(s).limits.insert("nodes".to_owned(), quantity("3")); }, &["node-pool-limits"]),
    ("no surge", |s| { pool(s).limits.insert("cpu".to_owned(), quantity("79")); }, &["node-pool-surge"]),
    ("no surge left", |s| { pool(s).usage.insert("cpu".to_owned(), quantity("80")); }, &["node-pool-surge"]),
    ("VPA evicts", |s| autoscaler(s, "Recreate"), &["vpa-evicts"]),
    ("VPA sizes new pods", |s| autoscaler(s, "Initial"), &["vpa-initial"]),
    ("another manager", |s| s.workload.managers.push("kubectl-patch".to_owned()), &["field-managers"]),
    // What is no fault.
    ("VPA advises", |s| autoscaler(s, "Off"), &[]),
    ("nobody asked for health", |s| s.health.clear(), &[]),
    ("a cluster without Karpenter", |s| s.node_pools = Ok(Vec::new()), &[]),
    ("a set made by others", |s| s.workload.managers = vec!["helm".to_owned()], &[]),
    ("empty nodes go", |s| pool(s).consolidate_after = "5m".to_owned(), &[]),
    ("a digest instead of a tag", |s| template(s).containers[0].image = "app@sha256:00".to_owned(), &[]),
    ("requests from limits", |s| template(s).containers[0].requests.clear(), &[]),
    ("no limits at all", |s| pool(s).limits.clear(), &[]),
];

/// A case of what only a file, a phase or the drift can tell.
pub(super) type FileCase = (&'static str, fn(&mut Snapshot, &mut ShardSet), &'static [&'static str]);

#[rustfmt::skip]
pub(super) const FILE_CASES: &[FileCase] = &[
    ("as the file says", |_, _| (), &[]),
    ("fewer shards", |_, file| file.spec.replicas = 12, &["replica-count"]),
    ("the pool is not there", |snapshot, _| {
        pool(snapshot).name = NodePoolName::new("old");
        let nodes = snapshot.nodes.as_mut().unwrap();
        for node in nodes.values_mut() {
            node.labels.insert(NODE_POOL_LABEL.to_owned(), "old".to_owned());
        }
        template(snapshot).node_terms = vec![vec![expression(NODE_POOL_LABEL, &["old"])]];
    }, &["node-pool-exists"]),
    ("the template of another phase", |snapshot, _| {
        let mut explore = pool(snapshot).clone();
        explore.name = NodePoolName::new("biometric-explore");
        snapshot.node_pools.as_mut().unwrap().push(explore);
        template(snapshot).node_terms = vec![vec![expression(NODE_POOL_LABEL, &["biometric-explore"])]];
    }, &["template-phase", "shard-node-fits"]),
    ("another client service", |snapshot, _| {
        service(snapshot, 1).name = "shards".to_owned();
    }, &["client-service"]),
    ("a spare shard", |snapshot, file| {
        file.spec.availability = Availability::AtLeast(9);
        budget(snapshot).min_available = Some("9".to_owned());
        snapshot.workload.update_strategy = "RollingUpdate".to_owned();
        pool(snapshot).expire_after = "720h".to_owned();
    }, &[]),
    ("more than the spare shard", |snapshot, file| {
        file.spec.availability = Availability::AtLeast(9);
        budget(snapshot).min_available = Some("8".to_owned());
    }, &["pdb-allowance"]),
];

pub(super) type Hide = fn(&mut Snapshot, Unknown);

/// Every part that can be unknown, made so, by name.
#[rustfmt::skip]
pub(super) const PARTS: &[(&str, Hide)] = &[
    ("server_version", |s, unknown| s.server_version = Err(unknown)),
    ("nodes", |s, unknown| s.nodes = Err(unknown)),
    ("occupants", |s, unknown| s.occupants = Err(unknown)),
    ("node_pools", |s, unknown| s.node_pools = Err(unknown)),
    ("node_classes", |s, unknown| s.node_classes = Err(unknown)),
    ("disruption_budgets", |s, unknown| s.disruption_budgets = Err(unknown)),
    ("services", |s, unknown| s.services = Err(unknown)),
    ("claims", |s, unknown| s.claims = Err(unknown)),
    ("volumes", |s, unknown| s.volumes = Err(unknown)),
    ("storage_classes", |s, unknown| s.storage_classes = Err(unknown)),
    ("autoscalers", |s, unknown| s.autoscalers = Err(unknown)),
    ("health", |s, unknown| {
        s.health.clear();
        s.health_unknown = Some(unknown);
    }),
];
