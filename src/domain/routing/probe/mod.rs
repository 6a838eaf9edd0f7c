//! The probe: a pod of ours that asks from a node, beside the shards there.
//!
//! It is placed by the name of the node, past the scheduler: a cordon does not keep it away, nobody is preempted for it, no
//! autoscaler makes a node for it, and a node without room says so at once. It carries none of the labels of the shards,
//! so no service leads to it, no budget counts it and no controller adopts it; it ends by itself, and it goes with its
//! StatefulSet.

mod standing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::domain::names::NodeName;
use crate::domain::rolling::RUN_LABEL;
use crate::domain::shardset::manifests::MANAGED_BY_LABEL;
use crate::domain::snapshot::{Taint, Workload};
pub use standing::{Probe, ProbeState};

/// The image of a probe: busybox, which has a shell, wget, nc and nslookup in a few MB, for every architecture, from
/// the registry that Kubernetes' own images come from. It is what Kubernetes 1.36 tests itself with
/// (`test/utils/image/manifest.go`).
pub const PROBE_IMAGE: &str = "registry.k8s.io/e2e-test-images/busybox:1.37.0-1";

/// The label that tells which workload a probe stands beside.
pub const PROBE_LABEL: &str = "shardctl.dev/probe-of";

/// The container of a probe.
pub const PROBE_CONTAINER: &str = "probe";

/// How long a probe may take to start: its image may have to be pulled.
pub const START_LIMIT: Duration = Duration::from_mins(1);

/// A node that lives says within a second or two that it has seen a probe.
pub const SEEN_LIMIT: Duration = Duration::from_secs(15);

/// So much of a script is one argument: Linux takes no string of more than 128 KiB (`MAX_ARG_STRLEN`).
const ARGUMENT: usize = 100_000;

/// What the probes of a run are made from.
#[derive(Clone, Debug)]
pub struct ProbeSpec<'a> {
    /// Tells the probes of this run from those of any other.
    pub run: &'a str,
    pub workload: &'a Workload,
    /// The selectors of the services of the namespace, as far as they are known.
    pub selectors: Vec<&'a BTreeMap<String, String>>,
    pub image: &'a str,
    /// What its shell runs.
    pub script: &'a str,
    /// How long the script may take.
    pub limit: Duration,
}

impl ProbeSpec<'_> {
    /// The name of the probe with this number.
    #[must_use]
    pub fn name(&self, number: usize) -> String {
        format!("{}-probe-{}-{number}", self.workload.reference.name, self.run)
    }

    /// The probe of a node that has these taints.
    #[must_use]
    pub fn pod(&self, number: usize, node: &NodeName, taints: &[Taint]) -> Value {
        let template = self.workload.template.object.get("spec");
        let field = |name: &str| template.and_then(|template| template.get(name)).cloned();
        let mut spec = json!({
            "nodeName": node.as_str(),
            "restartPolicy": "Never",
            // From the moment that the node knows of it.
            "activeDeadlineSeconds": (START_LIMIT + self.limit).as_secs(),
            // A shell that is the first process of a container does not hear that it is to end.
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65534, "runAsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{
                "name": PROBE_CONTAINER,
                "image": self.image,
                "imagePullPolicy": "IfNotPresent",
                "command": command(self.script),
                "resources": {
                    "requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "64Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": {"drop": ["ALL"]},
                },
            }],
        });
        if let Some(map) = spec.as_object_mut() {
            for name in ["dnsPolicy", "dnsConfig", "imagePullSecrets", "runtimeClassName"] {
                map.extend(field(name).map(|value| (name.to_owned(), value)));
            }
            map.insert("tolerations".to_owned(), tolerations(field("tolerations"), taints));
        }
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": self.name(number),
                "namespace": self.workload.reference.namespace,
                "labels": self.labels(),
                // A pod without a controller keeps the cluster autoscaler from removing its node.
                "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"},
                "ownerReferences": [{
                    "apiVersion": "apps/v1",
                    "kind": "StatefulSet",
                    "name": self.workload.reference.name,
                    "uid": self.workload.uid,
                }],
            },
            "spec": spec,
        })
    }

    /// Labels that nobody who looks for shards is looking for.
    fn labels(&self) -> Map<String, Value> {
        let mut labels = BTreeMap::from([
            (RUN_LABEL.to_owned(), self.run.to_owned()),
            (PROBE_LABEL.to_owned(), self.workload.reference.name.clone()),
        ]);
        let managed = (MANAGED_BY_LABEL.to_owned(), "shardctl".to_owned());
        let selectors = self.selectors.iter().copied().chain([&self.workload.selector]);
        let is_wanted = |selector: &BTreeMap<String, String>| {
            !selector.is_empty()
                && selector.iter().all(|(key, value)| (key, value) == (&managed.0, &managed.1))
        };
        if !selectors.into_iter().any(is_wanted) {
            labels.extend([managed]);
        }
        labels.into_iter().map(|(key, value)| (key, json!(value))).collect()
    }
}

/// A shell that runs a script of any length. Of its arguments Kubernetes replaces `$(NAME)`, and makes one of two dollars.
fn command(script: &str) -> Vec<String> {
    let mut command =
        ["sh", "-c", r#"IFS=; script="$*"; unset IFS; eval "$script""#, "sh"].map(str::to_owned).to_vec();
    let mut rest = script;
    while !rest.is_empty() {
        let mut end = rest.len().min(ARGUMENT);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (part, left) = rest.split_at(end);
        command.push(part.to_owned());
        rest = left;
    }
    command.iter().map(|argument| argument.replace('$', "$$")).collect()
}

/// What the shards tolerate, and what their node has: where a shard may be, its probe may be.
fn tolerations(of_template: Option<Value>, taints: &[Taint]) -> Value {
    let mut tolerations = match of_template {
        Some(Value::Array(tolerations)) => tolerations,
        _ => Vec::new(),
    };
    for taint in taints {
        let toleration = match taint.value.is_empty() {
            false => {
                json!({"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect})
            }
            true => json!({"key": taint.key, "operator": "Exists", "effect": taint.effect}),
        };
        if !tolerations.contains(&toleration) {
            tolerations.push(toleration);
        }
    }
    Value::Array(tolerations)
}
