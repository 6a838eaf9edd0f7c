//! Describes a StatefulSet that somebody else made as a ShardSet, and says what the description leaves out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::manifests::{CONTAINER_NAME, OWN_VARIABLES};
use super::{
    Availability, Health, NodeClassRef, Pool, Services, SessionAffinity, Shard, ShardSet, Span, Storage,
    Taint, TaintEffect,
};
use crate::domain::quantity::Quantity;
use crate::domain::snapshot::{NodePool, Workload};

/// What is known of the StatefulSet and of what belongs to it.
#[derive(Clone, Debug)]
pub struct Adoptable {
    pub workload: Workload,
    /// The object itself, for fields that the snapshot has no need of.
    pub object: Value,
    /// Value of its priority class, where it has one.
    pub priority: Option<i32>,
    /// A service that selects its pods and is not headless.
    pub client_service: Option<crate::domain::snapshot::Service>,
    /// `minAvailable` of the budget that covers it, where that is a number.
    pub min_available: Option<u32>,
    /// The pools that its template can be placed on.
    pub node_pools: Vec<NodePool>,
}

/// A ShardSet for what is there, and notes on what it leaves out or had to guess.
///
/// # Errors
/// When there is something that a ShardSet cannot say: no volume, several containers that request CPU.
pub fn adopt(found: &Adoptable) -> Result<(ShardSet, Vec<String>), String> {
    let workload = &found.workload;
    let mut notes = Vec::new();
    let mut shardset = ShardSet::tutorial();
    let pod = found.object.pointer("/spec/template/spec").cloned().unwrap_or_default();

    shardset.metadata.name = workload.reference.name.parse().map_err(|error| format!("{error}"))?;
    shardset.metadata.namespace = workload.reference.namespace.parse().map_err(|error| format!("{error}"))?;
    shardset.spec.replicas = workload.replicas.max(1);
    shardset.spec.availability = availability(found, &mut notes);
    shardset.spec.selector = Some(workload.selector.clone());
    shardset.spec.shard = shard(found, &pod, &mut notes)?;
    shardset.spec.storage = storage(found, &pod)?;
    shardset.spec.services = services(found, &mut notes)?;
    if let Some(class) = &workload.template.priority_class {
        shardset.spec.priority.class_name = class.parse().map_err(|error| format!("{error}"))?;
        shardset.spec.priority.value = found.priority.unwrap_or(shardset.spec.priority.value);
    } else {
        if let Ok(class) = format!("{}-critical", workload.reference.name).parse() {
            shardset.spec.priority.class_name = class;
        }
        notes.push(format!(
            "it has no priority class: deploying the file makes {}",
            shardset.spec.priority.class_name
        ));
    }
    describe_nodes(found, &mut shardset, &mut notes);
    if workload.update_strategy != "OnDelete" {
        notes.push(format!(
            "its update strategy is {}: deploying the file changes it to OnDelete",
            workload.update_strategy
        ));
    }
    Ok((shardset, notes))
}

fn availability(found: &Adoptable, notes: &mut Vec<String>) -> Availability {
    match found.min_available {
        Some(minimum) if (1..found.workload.replicas).contains(&minimum) => {
            notes.push(format!(
                "availability is {minimum} after its disruption budget: is that what the service needs?"
            ));
            Availability::AtLeast(minimum)
        }
        _ => Availability::default(),
    }
}

fn shard(found: &Adoptable, pod: &Value, notes: &mut Vec<String>) -> Result<Shard, String> {
    let workload = &found.workload;
    let template = &workload.template;
    let container = template.containers.first().ok_or("it has no container")?;
    if template.containers.len() > 1 {
        notes.push(format!(
            "it has {} containers: `{}` became the shard, the others are left out of the file and as they are",
            template.containers.len(),
            container.name
        ));
    }
    let amount = |name: &str| {
        let requested = container.requests.get(name).or_else(|| container.limits.get(name)).copied();
        requested.filter(|amount| amount.is_positive()).ok_or(format!(
            "its container `{}` requests no {name}, so nothing can be planned with it",
            container.name
        ))
    };
    let limited = |name: &str, requested: Quantity| container.limits.get(name) == Some(&requested);
    let (cpu, memory) = (amount("cpu")?, amount("memory")?);
    if !(limited("cpu", cpu) && limited("memory", memory)) {
        notes.push(
            "its limits differ from its requests: in the file they are alike (QoS class Guaranteed)"
                .to_owned(),
        );
    }
    let probe = container.startup.as_ref().or(container.readiness.as_ref());
    let port = probe.map(|probe| probe.port).or_else(|| container.ports.first().map(|port| port.port));
    let port = port.ok_or("its container declares no port")?;
    let health = match (&container.startup, &container.readiness) {
        (None, None) => {
            notes.push("it has no HTTP probes: correct the health paths in the file".to_owned());
            Health::default()
        }
        (startup, readiness) => {
            let path = |probe: &Option<_>, other: &Option<crate::domain::snapshot::HttpProbe>| {
                let probe: &Option<crate::domain::snapshot::HttpProbe> = probe;
                probe.as_ref().or(other.as_ref()).map(|probe| probe.path.clone()).unwrap_or_default()
            };
            Health {
                startup_path: path(startup, readiness),
                readiness_path: path(readiness, startup),
                startup_timeout: Health::default().startup_timeout,
            }
        }
    };
    if container.has_liveness_probe {
        notes.push("its liveness probe is left out: it restarts slow shards".to_owned());
    }
    let grace = u64::try_from(template.termination_grace_period_seconds).unwrap_or(0);
    if grace == 0 {
        notes.push(
            "its grace period is 0: the file says 2m, so that no two containers write one disk".to_owned(),
        );
    }
    let user = pod.pointer("/securityContext/runAsUser").and_then(Value::as_u64).filter(|user| *user > 0);
    if user.is_none() {
        notes.push("it does not say which user it runs as: correct runAsUser in the file".to_owned());
    }
    let env = pod.pointer("/containers/0/env").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut plain = BTreeMap::new();
    for entry in &env {
        let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
        match entry.get("value").and_then(Value::as_str) {
            Some(value) if OWN_VARIABLES.contains(&name) => {
                if value != workload.service_name {
                    notes.push(format!("the variable {name} is `{value}`: deploying the file sets it anew"));
                }
            }
            Some(value) => {
                plain.insert(name.to_owned(), value.to_owned());
            }
            None if OWN_VARIABLES.contains(&name) => {}
            None => notes
                .push(format!("the variable {name} comes from elsewhere: add it under overlay.container")),
        }
    }
    let defaults = ShardSet::tutorial().spec.shard;
    Ok(Shard {
        container_name: (container.name != CONTAINER_NAME).then(|| container.name.clone()),
        image: container.image.clone(),
        cpu,
        memory,
        port,
        run_as_user: user.and_then(|user| u32::try_from(user).ok()).unwrap_or(defaults.run_as_user),
        health,
        env: plain,
        pre_stop_sleep: container
            .pre_stop_sleep_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map_or(Span::seconds(0), Span::seconds),
        termination_grace_period: if grace == 0 {
            defaults.termination_grace_period
        } else {
            Span::seconds(grace)
        },
    })
}

fn storage(found: &Adoptable, pod: &Value) -> Result<Storage, String> {
    let [template] = found.workload.claim_templates.as_slice() else {
        return Err(format!(
            "it has {} claim templates, a ShardSet has one",
            found.workload.claim_templates.len()
        ));
    };
    let mounts = pod.pointer("/containers/0/volumeMounts").and_then(Value::as_array);
    let mount = mounts
        .into_iter()
        .flatten()
        .find(|mount| mount.get("name").and_then(Value::as_str) == Some(template.name.as_str()))
        .and_then(|mount| mount.get("mountPath").and_then(Value::as_str));
    Ok(Storage {
        claim_name: template.name.parse().map_err(|error| format!("{error}"))?,
        size: template.size,
        storage_class_name: template.storage_class.clone().unwrap_or_default(),
        mount_path: mount.unwrap_or("/data").to_owned(),
    })
}

fn services(found: &Adoptable, notes: &mut Vec<String>) -> Result<Services, String> {
    let name = &found.workload.reference.name;
    let headless = &found.workload.service_name;
    let mut services = ShardSet::tutorial().spec.services;
    services.headless = headless.parse().map_err(|error| format!("its service name: {error}"))?;
    match &found.client_service {
        Some(service) => {
            services.client = service.name.parse().map_err(|error| format!("{error}"))?;
            services.client_port = service.ports.first().copied().unwrap_or(services.client_port);
            if service.session_affinity == "ClientIP" {
                services.session_affinity = SessionAffinity::ClientIp;
            }
        }
        None => {
            let client = if name == headless { format!("{name}-client") } else { name.clone() };
            services.client = client.parse().map_err(|error| format!("{error}"))?;
            notes.push(format!("it has no client service: deploying the file makes {client}"));
        }
    }
    Ok(services)
}

fn describe_nodes(found: &Adoptable, shardset: &mut ShardSet, notes: &mut Vec<String>) {
    let name = found.workload.reference.name.clone();
    let nodes = &mut shardset.spec.nodes;
    for (pool, suffix) in [(&mut nodes.explore, "explore"), (&mut nodes.stable, "stable")] {
        if let Ok(label) = format!("{name}-{suffix}").parse() {
            pool.name = label;
        }
        for taint in &mut pool.taints {
            taint.key.clone_from(&name);
        }
    }
    let Some(pool) = found.node_pools.first() else {
        notes.push(
            "no node pool carries it: the pools in the file are the tutorial's, correct them".to_owned(),
        );
        return;
    };
    let class = &pool.node_class;
    nodes.node_class_ref =
        NodeClassRef { group: class.group.clone(), kind: class.kind.clone(), name: class.name.clone() };
    let Some(instance_type) = pool.pinned_instance_type() else {
        notes.push(format!(
            "node pool {} is not pinned: the stable pool in the file is the tutorial's",
            pool.name
        ));
        return;
    };
    let described: &mut Pool = &mut nodes.stable;
    described.instance_types = vec![instance_type.to_owned()];
    if let Ok(label) = pool.name.as_str().parse() {
        described.name = label;
    }
    described.taints = pool
        .taints
        .iter()
        .map(|taint| Taint {
            key: taint.key.clone(),
            value: taint.value.clone(),
            effect: match taint.effect.as_str() {
                "NoExecute" => TaintEffect::NoExecute,
                "PreferNoSchedule" => TaintEffect::PreferNoSchedule,
                _ => TaintEffect::NoSchedule,
            },
        })
        .collect();
    if let (Some(cpu), Some(memory)) = (pool.limits.get("cpu"), pool.limits.get("memory")) {
        described.limits = Some(super::Limits { cpu: *cpu, memory: *memory });
    } else {
        described.limits = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shardset::{parse, to_commented_yaml};
    use crate::domain::testing::healthy;
    use serde_json::json;

    fn found() -> Adoptable {
        let snapshot = healthy();
        let service_name = snapshot.workload.service_name.clone();
        Adoptable {
            client_service: snapshot.services.unwrap().into_iter().find(|service| !service.is_headless),
            node_pools: snapshot.node_pools.unwrap(),
            workload: snapshot.workload,
            object: json!({"spec": {"template": {"spec": {
                "securityContext": {"runAsUser": 1654},
                "containers": [{
                    "env": [
                        {"name": "A", "value": "b"},
                        {"name": "SECRET", "valueFrom": {}},
                        {"name": "POD_NAME", "valueFrom": {}},
                        {"name": "SERVICE_NAME", "value": service_name},
                    ],
                    "volumeMounts": [{"name": "biometric-data", "mountPath": "/index"}],
                }],
            }}}}),
            priority: Some(7),
            min_available: Some(10),
        }
    }

    #[test]
    fn what_is_there_is_described_and_the_file_is_valid() {
        let (shardset, notes) = adopt(&found()).unwrap();
        assert_eq!(shardset.spec.shard.container_name.as_deref(), Some("biometric-shard"));
        assert_eq!(shardset.spec.shard.run_as_user, 1654);
        assert_eq!(shardset.spec.shard.env, BTreeMap::from([("A".to_owned(), "b".to_owned())]));
        assert_eq!(shardset.spec.storage.mount_path, "/index");
        assert_eq!(shardset.spec.priority.value, 7);
        assert_eq!(shardset.spec.nodes.stable.instance_types, ["Standard_E16s_v5"]);
        assert_eq!(notes, ["the variable SECRET comes from elsewhere: add it under overlay.container"]);
        assert_eq!(parse(&to_commented_yaml(&shardset).unwrap()).unwrap(), shardset);
    }

    #[test]
    fn what_a_shardset_cannot_say_is_refused() {
        let mut found = found();
        found.workload.template.containers[0].requests.clear();
        found.workload.template.containers[0].limits.clear();
        assert!(adopt(&found).unwrap_err().contains("requests no cpu"));
        found.workload.claim_templates.clear();
        assert!(adopt(&found).is_err());
    }
}
