//! Builders for tests of the domain: a healthy service, to be broken one thing at a time.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::too_many_lines,
    reason = "literals of tests"
)]

use std::collections::BTreeMap;

use super::catalogue::{Architecture, PriceBook, Region, sizes};
use super::cost::{Disk, Inventory, Machine, Restart, Service as Payer, Subject};
use super::names::{ClaimName, NodeName, NodePoolName, PodName, VolumeName, WorkloadRef};
use super::packing::Load;
use super::quantity::{Quantity, Resources};
use super::sizing::{Demand, Market, OutageModel, Overhead};
use super::snapshot::*;

/// A quantity from its text.
pub fn quantity(text: &str) -> Quantity {
    text.parse().expect("a quantity")
}

/// CPU and memory from their texts.
pub fn resources(cpu: &str, memory: &str) -> Resources {
    Resources { cpu: quantity(cpu), memory: quantity(memory) }
}

/// Labels from pairs.
pub fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A ready node of the stable pool with NAP's planned allocatable of a Standard_E16s_v5.
pub fn node(name: &str) -> Node {
    Node {
        name: NodeName::new(name),
        labels: labels(&[
            (NODE_POOL_LABEL, "biometric-stable"),
            ("node.kubernetes.io/instance-type", "Standard_E16s_v5"),
            ("topology.kubernetes.io/region", "eastus"),
            ("topology.kubernetes.io/zone", "eastus-1"),
            ("karpenter.sh/capacity-type", "on-demand"),
        ]),
        taints: vec![stable_taint()],
        is_cordoned: false,
        deleted_at: None,
        created_at: Some("2026-11-22T09:00:00Z".parse().expect("a time")),
        is_ready: true,
        pressures: Vec::new(),
        allocatable: resources("15740m", "113609Mi"),
        allocatable_pods: 250,
        capacity: resources("16", "121241Mi"),
        kubelet_version: "v1.36.3".to_owned(),
    }
}

fn stable_taint() -> Taint {
    Taint { key: "biometric".to_owned(), value: "reserved".to_owned(), effect: "NoSchedule".to_owned() }
}

fn pool() -> NodePool {
    NodePool {
        name: NodePoolName::new("biometric-stable"),
        requirements: vec![
            NodeExpression {
                key: "node.kubernetes.io/instance-type".to_owned(),
                operator: "In".to_owned(),
                values: vec!["Standard_E16s_v5".to_owned()],
            },
            NodeExpression {
                key: "karpenter.sh/capacity-type".to_owned(),
                operator: "In".to_owned(),
                values: vec!["on-demand".to_owned()],
            },
        ],
        taints: vec![stable_taint()],
        limits: BTreeMap::from([
            ("cpu".to_owned(), quantity("80")),
            ("memory".to_owned(), quantity("640Gi")),
        ]),
        usage: BTreeMap::from([
            ("cpu".to_owned(), quantity("64")),
            ("memory".to_owned(), quantity("484964Mi")),
        ]),
        node_class: node_class_ref(),
        consolidation_policy: "WhenEmpty".to_owned(),
        consolidate_after: "Never".to_owned(),
        expire_after: "Never".to_owned(),
        budgets: vec![NodePoolBudget { nodes: "0".to_owned(), schedule: None, reasons: Vec::new() }],
        conditions: BTreeMap::from([
            ("Ready".to_owned(), (true, String::new())),
            ("NodeClassReady".to_owned(), (true, String::new())),
            ("ValidationSucceeded".to_owned(), (true, String::new())),
        ]),
        managers: vec!["shardctl".to_owned()],
        ..NodePool::default()
    }
}

fn node_class_ref() -> NodeClassRef {
    NodeClassRef {
        group: "karpenter.azure.com".to_owned(),
        kind: "AKSNodeClass".to_owned(),
        name: "default".to_owned(),
    }
}

fn selector() -> BTreeMap<String, String> {
    labels(&[("app.kubernetes.io/name", "biometric-shard")])
}

fn template() -> PodTemplate {
    let shard = BTreeMap::from([("cpu".to_owned(), quantity("4")), ("memory".to_owned(), quantity("32Gi"))]);
    PodTemplate {
        labels: selector(),
        annotations: labels(&[(DO_NOT_DISRUPT, "true")]),
        termination_grace_period_seconds: 120,
        priority_class: Some("biometric-critical".to_owned()),
        tolerations: vec![Toleration {
            key: Some("biometric".to_owned()),
            operator: "Equal".to_owned(),
            value: Some("reserved".to_owned()),
            effect: Some("NoSchedule".to_owned()),
        }],
        node_terms: vec![vec![NodeExpression {
            key: NODE_POOL_LABEL.to_owned(),
            operator: "In".to_owned(),
            values: vec!["biometric-stable".to_owned()],
        }]],
        spread: Vec::new(),
        anti_affinity: Vec::new(),
        needs_company: false,
        containers: vec![Container {
            name: "biometric-shard".to_owned(),
            image: "registry.example/k8s-demo-app:1.0.0".to_owned(),
            requests: shard.clone(),
            limits: shard,
            ports: vec![ContainerPort { name: Some("http".to_owned()), port: 8080 }],
            startup: Some(HttpProbe { port: 8080, path: "/health/startup".to_owned() }),
            readiness: Some(HttpProbe { port: 8080, path: "/health/readiness".to_owned() }),
            has_startup_probe: true,
            has_readiness_probe: true,
            has_liveness_probe: false,
            pre_stop_sleep_seconds: Some(30),
        }],
        requests: resources("4", "32Gi"),
        object: serde_json::Value::Null,
    }
}

/// The tutorial's service in phase stable, whole: ten shards on four Standard_E16s_v5 (3, 3, 3 and 1).
pub fn healthy() -> Snapshot {
    let shards: Vec<Shard> = (0..10).map(shard).collect();
    let mut occupants: BTreeMap<NodeName, Vec<Occupant>> = BTreeMap::new();
    for shard in &shards {
        let node = shard.pod.as_ref().and_then(|pod| pod.node.clone()).expect("a node");
        occupants.entry(node).or_default().push(Occupant {
            namespace: "biometric-shards".to_owned(),
            name: shard.pod_name.clone(),
            requests: resources("4", "32Gi"),
            is_daemon: false,
            ordinal: Some(shard.ordinal),
            stateful_set: Some("biometric-shard".to_owned()),
            claims: 1,
        });
    }
    for (node, pods) in &mut occupants {
        pods.push(Occupant {
            namespace: "kube-system".to_owned(),
            name: PodName::new(format!("csi-azuredisk-{node}")),
            requests: resources("500m", "800Mi"),
            is_daemon: true,
            ordinal: None,
            stateful_set: None,
            claims: 0,
        });
    }
    let endpoints: BTreeMap<PodName, Endpoint> = shards
        .iter()
        .map(|shard| {
            let address = format!("10.0.0.{}", shard.ordinal);
            (shard.pod_name.clone(), Endpoint { address, is_ready: true })
        })
        .collect();
    Snapshot {
        taken_at: "2026-11-22T12:00:00Z".parse().expect("a time"),
        server_version: Ok("v1.36.3".to_owned()),
        workload: Workload {
            reference: WorkloadRef {
                namespace: "biometric-shards".to_owned(),
                name: "biometric-shard".to_owned(),
            },
            uid: "uid".to_owned(),
            resource_version: "1".to_owned(),
            replicas: 10,
            is_status_current: true,
            ready_replicas: 10,
            current_revision: "biometric-shard-5d4f".to_owned(),
            update_revision: "biometric-shard-5d4f".to_owned(),
            update_strategy: "OnDelete".to_owned(),
            pod_management_policy: "Parallel".to_owned(),
            service_name: "biometric-shard-headless".to_owned(),
            claim_templates: vec![ClaimTemplate {
                name: "biometric-data".to_owned(),
                size: quantity("100Gi"),
                storage_class: Some("managed-csi-premium".to_owned()),
            }],
            labels: selector(),
            annotations: labels(&[("shardctl.dev/phase", "stable")]),
            selector: selector(),
            managers: vec!["shardctl".to_owned()],
            template: template(),
        },
        nodes: Ok(occupants.keys().map(|name| (name.clone(), node(name.as_str()))).collect()),
        occupants: Ok(occupants),
        node_pools: Ok(vec![pool()]),
        node_classes: Ok(BTreeMap::from([(
            NodePoolName::new("biometric-stable"),
            NodeClass {
                reference: node_class_ref(),
                exists: true,
                ready: Some((true, String::new())),
                max_pods: None,
                has_static_cpus: false,
            },
        )])),
        disruption_budgets: Ok(vec![DisruptionBudget {
            name: "biometric-shard".to_owned(),
            selector: selector(),
            has_expressions: false,
            min_available: Some("10".to_owned()),
            max_unavailable: None,
            unhealthy_pod_eviction_policy: "AlwaysAllow".to_owned(),
            disruptions_allowed: 0,
            current_healthy: 10,
            desired_healthy: 10,
            expected_pods: 10,
            is_status_current: true,
        }]),
        services: Ok(vec![
            Service {
                name: "biometric-shard-headless".to_owned(),
                is_headless: true,
                selector: selector(),
                publishes_not_ready: true,
                session_affinity: "None".to_owned(),
                ports: vec![8080],
                endpoints: endpoints.clone(),
            },
            Service {
                name: "biometric-shard".to_owned(),
                is_headless: false,
                selector: selector(),
                publishes_not_ready: false,
                session_affinity: "None".to_owned(),
                ports: vec![80],
                endpoints,
            },
        ]),
        claims: Ok((0..10)
            .map(|ordinal| {
                let name = claim_name(ordinal);
                let claim = Claim {
                    name: name.clone(),
                    phase: "Bound".to_owned(),
                    requested: quantity("100Gi"),
                    capacity: Some(quantity("100Gi")),
                    storage_class: Some("managed-csi-premium".to_owned()),
                    volume: Some(VolumeName::new(format!("pvc-{ordinal}"))),
                    deleted_at: None,
                };
                (name, claim)
            })
            .collect()),
        volumes: Ok((0..10)
            .map(|ordinal| {
                let name = VolumeName::new(format!("pvc-{ordinal}"));
                let zone = NodeExpression {
                    key: "topology.kubernetes.io/zone".to_owned(),
                    operator: "In".to_owned(),
                    values: vec!["eastus-1".to_owned()],
                };
                let volume = Volume {
                    name: name.clone(),
                    node_terms: vec![vec![zone]],
                    reclaim_policy: "Retain".to_owned(),
                };
                (name, volume)
            })
            .collect()),
        storage_classes: Ok(BTreeMap::from([(
            "managed-csi-premium".to_owned(),
            StorageClass {
                name: "managed-csi-premium".to_owned(),
                provisioner: "disk.csi.azure.com".to_owned(),
                waits_for_first_consumer: true,
                reclaim_policy: "Retain".to_owned(),
                parameters: labels(&[("skuName", "Premium_LRS")]),
            },
        )])),
        autoscalers: Ok(Vec::new()),
        health: (0..10).map(|ordinal| (ordinal, Health::Healthy { millis: 3 })).collect(),
        health_unknown: None,
        usage: Ok(shards.iter().map(|shard| (shard.pod_name.clone(), resources("2", "24Gi"))).collect()),
        shards,
    }
}

fn claim_name(ordinal: u32) -> ClaimName {
    ClaimName::new(format!("biometric-data-biometric-shard-{ordinal}"))
}

fn shard(ordinal: u32) -> Shard {
    let image = "registry.example/k8s-demo-app:1.0.0".to_owned();
    Shard {
        ordinal,
        pod_name: PodName::new(format!("biometric-shard-{ordinal}")),
        pod: Some(Pod {
            uid: format!("uid-{ordinal}"),
            resource_version: format!("{}", 100 + ordinal),
            created_at: Some("2026-11-22T10:00:00Z".parse().expect("a time")),
            deleted_at: None,
            node: Some(NodeName::new(format!("stable-{}", ordinal / 3))),
            phase: "Running".to_owned(),
            qos_class: "Guaranteed".to_owned(),
            revision: Some("biometric-shard-5d4f".to_owned()),
            ips: vec![format!("10.0.0.{ordinal}")],
            dns_policy: DnsPolicy::Cluster,
            is_ready: true,
            scheduled_at: Some("2026-11-22T10:00:50Z".parse().expect("a time")),
            is_prepared: true,
            ready_changed_at: Some("2026-11-22T10:01:00Z".parse().expect("a time")),
            unschedulable: None,
            annotations: labels(&[(DO_NOT_DISRUPT, "true")]),
            containers: vec![ContainerStatus {
                name: "biometric-shard".to_owned(),
                image_id: format!("{image}@sha256:0000"),
                image,
                ..ContainerStatus::default()
            }],
            requests: resources("4", "32Gi"),
            termination_grace_period_seconds: 120,
            claims: vec![claim_name(ordinal)],
        }),
    }
}

/// The tutorial's service as the sizing sees it, without its spread: ten shards of 4 CPU and 32Gi, a premium disk each.
pub fn tutorial_demand() -> Demand {
    Demand {
        replicas: 10,
        required: 10,
        requests: resources("4", "32Gi"),
        disks: 1,
        wants_premium: true,
        rules: Vec::new(),
    }
}

/// All sizes for amd64 in East US, with DaemonSets of 0.5 CPU and 0.8Gi.
pub fn market() -> Market {
    Market {
        sizes: sizes(),
        region: Region::find("eastus").expect("a region"),
        prices: PriceBook::default(),
        architecture: Some(Architecture::Amd64),
        families: Vec::new(),
        pool: NodePool::default(),
        zones: 3,
        max_pods: 250,
        overhead: Overhead::Given(Load { pods: 0, requests: resources("500m", "0.8Gi") }),
        live: BTreeMap::new(),
        surge: 1,
        max_nodes: None,
        outages: OutageModel::default(),
    }
}

/// The tutorial's ten shards on four E16s_v5 (3, 3, 3 and 1), each with a premium disk of 100Gi.
pub fn cost_inventory() -> Inventory {
    let snapshot = healthy();
    let occupants = snapshot.occupants.expect("known");
    let machines = snapshot.nodes.expect("known").into_values();
    let machines = machines.map(|node| Machine { pods: occupants.get(&node.name).cloned(), node });
    let disk = |ordinal: u32| Disk {
        name: VolumeName::new(format!("pvc-{ordinal}")),
        phase: "Bound".to_owned(),
        claim: Some((
            "biometric-shards".to_owned(),
            ClaimName::new(format!("biometric-data-biometric-shard-{ordinal}")),
        )),
        used_by: Some(PodName::new(format!("biometric-shard-{ordinal}"))),
        is_use_known: true,
        size: quantity("100Gi"),
        storage_class: Some("managed-csi-premium".to_owned()),
        sku: Some("Premium_LRS".to_owned()),
        reclaim_policy: "Retain".to_owned(),
        node_terms: Vec::new(),
        created_at: None,
    };
    Inventory {
        subject: Subject::Service(Box::new(Payer {
            reference: snapshot.workload.reference.clone(),
            replicas: 10,
            required: 10,
            template: snapshot.workload.template.clone(),
            restart: Some(Restart { each: std::time::Duration::from_secs(45), is_measured: false }),
        })),
        taken_at: snapshot.taken_at,
        machines: Ok(machines.collect()),
        pods_unknown: None,
        node_pools: snapshot.node_pools,
        disks: Ok((0..10).map(disk).collect()),
        snapshots: Ok(Some(Vec::new())),
        runs: Ok(Vec::new()),
    }
}
