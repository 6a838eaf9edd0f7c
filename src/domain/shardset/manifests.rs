//! The Kubernetes objects that a ShardSet stands for. What each field guards against is said where it is set.

use serde_json::{Value, json};

use super::{Availability, Phase, Pool, SessionAffinity, ShardSet};
use crate::domain::snapshot::{DO_NOT_DISRUPT, NODE_POOL_LABEL};

/// Annotation of the StatefulSet: the phase that its template belongs to.
pub const PHASE_ANNOTATION: &str = "shardctl.dev/phase";
/// Annotation of the StatefulSet: how many shards must be up, `all` or a number.
pub const AVAILABILITY_ANNOTATION: &str = "shardctl.dev/availability";
/// Label of the nodes that a ShardSet's pools make: the ShardSet's name.
pub const SHARDSET_LABEL: &str = "shardctl.dev/shardset";
/// Label of everything that shardctl makes.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Name of the container that is the shard.
pub const CONTAINER_NAME: &str = "shard";
/// Variables that every shard gets.
pub const OWN_VARIABLES: [&str; 3] = ["POD_NAME", "POD_NAMESPACE", "SERVICE_NAME"];
/// Name of the container port that the shard serves on.
const PORT_NAME: &str = "http";
/// Seconds between two probes. A startup probe may fail as often as fits into the startup timeout.
const PROBE_PERIOD_SECONDS: u64 = 5;
/// A label's value has at most this many characters.
const LABEL_VALUE_MAX: usize = 63;

/// One Kubernetes object, as it is sent to the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub object: Value,
}

impl Manifest {
    fn new(object: Value) -> Self {
        Self { object }
    }

    /// A reference to an object of which only the name matters.
    #[must_use]
    pub fn reference(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
        if let Some(namespace) = namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        Self { object }
    }

    fn text(&self, pointer: &str) -> &str {
        self.object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    #[must_use]
    pub fn api_version(&self) -> &str {
        self.text("/apiVersion")
    }

    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// None for an object of the whole cluster.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.object.pointer("/metadata/namespace").and_then(Value::as_str)
    }
}

impl std::fmt::Display for Manifest {
    /// As kubectl names objects: `statefulset/biometric-shard`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind().to_lowercase(), self.name())
    }
}

impl ShardSet {
    /// The objects of a phase in the order in which they are applied: the StatefulSet last, so that no shard
    /// is made before its budget, its services and its node pool are there.
    #[must_use]
    pub fn manifests(&self, phase: Phase) -> Vec<Manifest> {
        [
            self.namespace(),
            self.priority_class(),
            self.node_pool(phase),
            self.headless_service(),
            self.client_service(),
            self.disruption_budget(),
            self.stateful_set(phase),
        ]
        .map(Manifest::new)
        .into()
    }

    fn labels(&self) -> Value {
        let mut labels = json!({MANAGED_BY_LABEL: "shardctl"});
        json_patch::merge(&mut labels, &self.selector());
        labels
    }

    fn selector(&self) -> Value {
        match &self.spec.selector {
            Some(selector) => json!(selector),
            None => {
                json!({"app.kubernetes.io/name": self.metadata.name, "app.kubernetes.io/component": "shard"})
            }
        }
    }

    /// The selector of the shards' pods, as a list call takes it.
    #[must_use]
    pub fn pod_selector(&self) -> String {
        let selector = self.selector();
        let pairs = selector.as_object().into_iter().flatten();
        let pairs: Vec<String> =
            pairs.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
        pairs.join(",")
    }

    fn meta(&self, name: &str) -> Value {
        json!({"name": name, "namespace": self.metadata.namespace, "labels": self.labels()})
    }

    fn namespace(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": self.metadata.namespace,
                "labels": {
                    MANAGED_BY_LABEL: "shardctl",
                    "pod-security.kubernetes.io/enforce": "baseline",
                    "pod-security.kubernetes.io/warn": "restricted",
                },
            },
        })
    }

    fn priority_class(&self) -> Value {
        let priority = &self.spec.priority;
        json!({
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": priority.class_name, "labels": {MANAGED_BY_LABEL: "shardctl"}},
            "value": priority.value,
            "globalDefault": false,
            "description": "Shards of services of which every shard must be up",
        })
    }

    fn node_pool(&self, phase: Phase) -> Value {
        let pool = self.pool(phase);
        let mut requirements = Vec::new();
        if !pool.instance_types.is_empty() {
            // Only the exact type is a pin: family, CPU and memory together match several.
            requirements.push(json!({
                "key": "node.kubernetes.io/instance-type", "operator": "In", "values": pool.instance_types,
            }));
        }
        for requirement in &pool.requirements {
            let mut one = json!({"key": requirement.key, "operator": requirement.operator});
            if !requirement.values.is_empty() {
                one["values"] = json!(requirement.values);
            }
            requirements.push(one);
        }
        let class = &self.spec.nodes.node_class_ref;
        let mut node = json!({
            "requirements": requirements,
            "nodeClassRef": {"group": class.group, "kind": class.kind, "name": class.name},
            "expireAfter": pool.expire_after,
        });
        if !pool.taints.is_empty() {
            node["taints"] = json!(pool.taints);
        }
        let mut spec = json!({
            "template": {
                "metadata": {"labels": {SHARDSET_LABEL: self.metadata.name}},
                "spec": node,
            },
            "disruption": {
                "consolidationPolicy": "WhenEmpty",
                "consolidateAfter": pool.consolidate_after,
                "budgets": budgets(phase),
            },
        });
        if let Some(limits) = pool.limits {
            spec["limits"] = json!({"cpu": limits.cpu, "memory": limits.memory});
        }
        json!({
            "apiVersion": "karpenter.sh/v1",
            "kind": "NodePool",
            "metadata": {"name": pool.name, "labels": {MANAGED_BY_LABEL: "shardctl"}},
            "spec": spec,
        })
    }

    fn headless_service(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self.meta(self.spec.services.headless.as_str()),
            "spec": {
                "clusterIP": "None",
                // Shards find each other while they start, so a name must resolve before its shard is ready.
                "publishNotReadyAddresses": true,
                "selector": self.selector(),
                "ports": [{"name": PORT_NAME, "port": self.spec.shard.port, "targetPort": PORT_NAME, "protocol": "TCP"}],
            },
        })
    }

    fn client_service(&self) -> Value {
        let services = &self.spec.services;
        let affinity = match services.session_affinity {
            SessionAffinity::None => "None",
            SessionAffinity::ClientIp => "ClientIP",
        };
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self.meta(services.client.as_str()),
            "spec": {
                "type": "ClusterIP",
                "sessionAffinity": affinity,
                "selector": self.selector(),
                "ports": [{"name": PORT_NAME, "port": services.client_port, "targetPort": PORT_NAME, "protocol": "TCP"}],
            },
        })
    }

    fn disruption_budget(&self) -> Value {
        json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": self.meta(self.metadata.name.as_str()),
            "spec": {
                // A number, not maxUnavailable 0: Karpenter makes no room in advance for a budget that can
                // never allow anything.
                "minAvailable": self.spec.availability.required(self.spec.replicas),
                "selector": {"matchLabels": self.selector()},
                // A shard that is down already may always be evicted, else a broken node can never be emptied.
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            },
        })
    }

    fn stateful_set(&self, phase: Phase) -> Value {
        let spec = &self.spec;
        let mut meta = self.meta(self.metadata.name.as_str());
        let availability = match spec.availability {
            Availability::All(_) => "all".to_owned(),
            Availability::AtLeast(shards) => shards.to_string(),
        };
        meta["annotations"] = json!({PHASE_ANNOTATION: phase, AVAILABILITY_ANNOTATION: availability});
        json!({
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": meta,
            "spec": {
                "replicas": spec.replicas,
                "serviceName": spec.services.headless,
                // All at once: the service is down until the last one is up anyway.
                "podManagementPolicy": "Parallel",
                // A new template reaches a shard when its pod is deleted, which is `shardctl`'s to do.
                "updateStrategy": {"type": "OnDelete"},
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "selector": {"matchLabels": self.selector()},
                "template": self.pod_template(phase),
                "volumeClaimTemplates": [{
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": {"name": spec.storage.claim_name},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "storageClassName": spec.storage.storage_class_name,
                        "resources": {"requests": {"storage": spec.storage.size}},
                    },
                }],
            },
        })
    }

    fn pod_template(&self, phase: Phase) -> Value {
        let spec = &self.spec;
        let mut labels = self.labels();
        if let Some(version) = version_label(&spec.shard.image) {
            labels["app.kubernetes.io/version"] = json!(version);
        }
        let mut annotations = json!({DO_NOT_DISRUPT: "true"});
        for (key, value) in &spec.overlay.annotations {
            annotations[key] = json!(value);
        }
        let user = spec.shard.run_as_user;
        let pool = self.pool(phase);
        let mut pod = json!({
            "terminationGracePeriodSeconds": spec.shard.termination_grace_period.as_seconds(),
            "priorityClassName": spec.priority.class_name,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": user,
                "runAsGroup": user,
                "fsGroup": user,
                // Changing the owner of every file would add minutes to each start.
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [
                    {"key": NODE_POOL_LABEL, "operator": "In", "values": [pool.name]},
                ]}],
            }}},
            "containers": [self.container()],
        });
        let tolerations = tolerations(pool);
        if !tolerations.is_empty() {
            pod["tolerations"] = json!(tolerations);
        }
        json_patch::merge(&mut pod, &Value::Object(spec.overlay.pod.clone()));
        json!({"metadata": {"labels": labels, "annotations": annotations}, "spec": pod})
    }

    fn container(&self) -> Value {
        let shard = &self.spec.shard;
        let storage = &self.spec.storage;
        let field =
            |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}});
        let mut env = vec![
            field("POD_NAME", "metadata.name"),
            field("POD_NAMESPACE", "metadata.namespace"),
            json!({"name": "SERVICE_NAME", "value": self.spec.services.headless}),
        ];
        env.extend(shard.env.iter().map(|(name, value)| json!({"name": name, "value": value})));
        // Requests equal limits: QoS class Guaranteed, the last to be evicted.
        let resources = json!({"cpu": shard.cpu, "memory": shard.memory});
        let probe = |path: &str, failures: u64| {
            json!({
                "httpGet": {"path": path, "port": PORT_NAME},
                "periodSeconds": PROBE_PERIOD_SECONDS,
                "timeoutSeconds": 3,
                "failureThreshold": failures,
            })
        };
        let startup_failures =
            shard.health.startup_timeout.as_seconds().div_ceil(PROBE_PERIOD_SECONDS).max(1);
        let mut container = json!({
            "name": shard.container_name.as_deref().unwrap_or(CONTAINER_NAME),
            "image": shard.image,
            "imagePullPolicy": "IfNotPresent",
            "ports": [{"name": PORT_NAME, "containerPort": shard.port, "protocol": "TCP"}],
            "env": env,
            "resources": {"requests": resources.clone(), "limits": resources},
            "startupProbe": probe(&shard.health.startup_path, startup_failures),
            "readinessProbe": probe(&shard.health.readiness_path, 3),
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [{"name": storage.claim_name, "mountPath": storage.mount_path}],
        });
        let sleep = shard.pre_stop_sleep.as_seconds();
        if sleep > 0 {
            container["lifecycle"] = json!({"preStop": {"sleep": {"seconds": sleep}}});
        }
        json_patch::merge(&mut container, &Value::Object(self.spec.overlay.container.clone()));
        container
    }
}

/// What Karpenter may do to nodes of its own will. The pool with the data on it: nothing. The explore pool: take
/// away empty nodes; a reason that no budget names is not bounded.
fn budgets(phase: Phase) -> Value {
    match phase {
        Phase::Stable => json!([{"nodes": "0"}]),
        Phase::Explore => json!([{"nodes": "0", "reasons": ["Underutilized", "Drifted"]}]),
    }
}

fn tolerations(pool: &Pool) -> Vec<Value> {
    pool.taints
        .iter()
        .map(|taint| {
            if taint.value.is_empty() {
                json!({"key": taint.key, "operator": "Exists", "effect": taint.effect})
            } else {
                json!({"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect})
            }
        })
        .collect()
}

/// The image's tag as a label's value, where it can be one.
fn version_label(image: &str) -> Option<&str> {
    let reference = image.split('@').next().unwrap_or(image);
    let (_, tag) = reference.rsplit('/').next()?.split_once(':')?;
    let is_valid = tag.len() <= LABEL_VALUE_MAX
        && tag.starts_with(|c: char| c.is_ascii_alphanumeric())
        && tag.ends_with(|c: char| c.is_ascii_alphanumeric());
    is_valid.then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(phase: Phase, kind: &str) -> Value {
        let manifests = ShardSet::tutorial().manifests(phase);
        manifests.into_iter().find(|manifest| manifest.kind() == kind).unwrap().object
    }

    #[test]
    fn shards_come_after_all_that_protects_them() {
        let manifests = ShardSet::tutorial().manifests(Phase::Explore);
        let kinds: Vec<&str> = manifests.iter().map(Manifest::kind).collect();
        assert_eq!(
            kinds,
            [
                "Namespace",
                "PriorityClass",
                "NodePool",
                "Service",
                "Service",
                "PodDisruptionBudget",
                "StatefulSet"
            ]
        );
    }

    /// The defects of the tutorial's files (numbers as in its review) that must not come back.
    #[test]
    fn none_of_the_tutorials_defects_is_rendered() {
        let set = object(Phase::Stable, "StatefulSet");
        let pod = &set["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        let pool = object(Phase::Stable, "NodePool");
        // D4: a budget that protects nothing.
        assert_eq!(object(Phase::Stable, "PodDisruptionBudget")["spec"]["minAvailable"], 10);
        // D5: grace period 0. D6: a liveness probe. D15: a moving image.
        assert_eq!(pod["terminationGracePeriodSeconds"], 120);
        assert!(container.get("livenessProbe").is_none());
        assert_eq!(container["imagePullPolicy"], "IfNotPresent");
        // D7: pods made before their affinity. D42: unhealthy pods that can never be evicted.
        assert_eq!(
            pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
                [0]["matchExpressions"][0]["values"],
            json!(["biometric-stable"])
        );
        assert_eq!(
            object(Phase::Stable, "PodDisruptionBudget")["spec"]["unhealthyPodEvictionPolicy"],
            "AlwaysAllow"
        );
        // D33: a pool that is no pin. D11: limits without surge (4 nodes are needed, 5 may be).
        assert_eq!(
            pool["spec"]["template"]["spec"]["requirements"][0],
            json!({"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["Standard_E16s_v5"]})
        );
        assert_eq!(pool["spec"]["limits"], json!({"cpu": "80", "memory": "640Gi"}));
        // D34: voluntary disruption of the stable pool.
        assert_eq!(pool["spec"]["disruption"]["budgets"], json!([{"nodes": "0"}]));
        assert_eq!(pool["spec"]["disruption"]["consolidateAfter"], "Never");
        // D48: no pod security, root, a version label that never changes.
        assert_eq!(
            object(Phase::Stable, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"],
            "baseline"
        );
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(set["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"], "1.0.0");
        // D14: claims are kept, and are found by name, not by a label that the controller overwrites.
        assert_eq!(set["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"], "Retain");
    }

    #[test]
    fn a_phase_changes_the_pool_the_affinity_and_the_tolerations_only() {
        let explore = object(Phase::Explore, "StatefulSet");
        let mut stable = object(Phase::Stable, "StatefulSet");
        assert!(explore["spec"]["template"]["spec"].get("tolerations").is_none());
        let pod = stable["spec"]["template"]["spec"].as_object_mut().unwrap();
        assert_eq!(
            pod.remove("tolerations"),
            Some(
                json!([{"key": "biometric", "operator": "Equal", "value": "reserved", "effect": "NoSchedule"}])
            )
        );
        pod["affinity"] = explore["spec"]["template"]["spec"]["affinity"].clone();
        stable["metadata"]["annotations"][PHASE_ANNOTATION] = json!("explore");
        assert_eq!(stable, explore);
    }

    #[test]
    fn the_overlay_has_the_last_word_and_null_removes() {
        let mut shardset = ShardSet::tutorial();
        let overlay = json!({
            "pod": {"securityContext": {"fsGroupChangePolicy": null}, "nodeSelector": {"a": "b"}},
            "container": {"imagePullPolicy": "Always"},
            "annotations": {"team": "id"},
        });
        shardset.spec.overlay = serde_json::from_value(overlay).unwrap();
        let set = shardset.stateful_set(Phase::Explore);
        let pod = &set["spec"]["template"]["spec"];
        assert!(pod["securityContext"].get("fsGroupChangePolicy").is_none());
        assert_eq!(pod["nodeSelector"], json!({"a": "b"}));
        assert_eq!(pod["containers"][0]["imagePullPolicy"], "Always");
        assert_eq!(set["spec"]["template"]["metadata"]["annotations"][DO_NOT_DISRUPT], "true");
        assert_eq!(set["spec"]["template"]["metadata"]["annotations"]["team"], "id");
    }

    #[test]
    fn the_version_label_is_the_tag_when_it_can_be_one() {
        assert_eq!(version_label("r.io:5000/app:1.2"), Some("1.2"));
        assert_eq!(version_label("r.io/app:1.2@sha256:00"), Some("1.2"));
        assert_eq!(version_label("r.io:5000/app"), None);
        assert_eq!(version_label(&format!("app:{}", "x".repeat(64))), None);
    }
}
