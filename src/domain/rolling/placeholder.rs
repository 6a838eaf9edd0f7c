//! Placeholders: pods that take the place of shards to come, so that the machines are there before a shard goes.
//!
//! A placeholder asks for what its shard asks for and is placed by the same rules, but carries none of its labels: no
//! service leads to it, no budget counts it, no controller adopts it. It ends by itself if nobody ends it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::run::RunId;
use crate::domain::names::{NodeName, WorkloadRef};
use crate::domain::quantity::Resources;
use crate::domain::snapshot::{DO_NOT_DISRUPT, NodeExpression, NodeTerm, PodTemplate};

/// The label that tells which run a placeholder belongs to.
pub const RUN_LABEL: &str = "shardctl.dev/run";
/// The label that tells which workload an object of ours belongs to.
pub const WORKLOAD_LABEL: &str = "shardctl.dev/workload";
/// The label that tells which shard a placeholder keeps a place for.
pub const SHARD_LABEL: &str = "shardctl.dev/shard";

/// The image that a placeholder runs, which does nothing: every node has one like it already.
pub const PAUSE_IMAGE: &str = "registry.k8s.io/pause:3.10";

/// How the image of the shards comes to a node ahead of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ImagePull {
    /// As a volume that is the image (KEP-4639): nothing of it is run.
    Volume,
    /// As an init container. What it runs may fail: the image is there all the same.
    InitContainer,
    /// Not at all.
    None,
}

/// How room is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// The placeholder without a name.
    pub pod: Value,
    /// What a node must be beyond what the template says, for these shards.
    pub places: Vec<Place>,
    /// The priority class of the placeholders, made for the run; none where we may not make one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_class: Option<String>,
}

/// Shards that need the same kind of node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    pub shards: BTreeSet<u32>,
    /// Alternatives; none means that any node does.
    pub terms: Vec<NodeTerm>,
}

/// What a placeholder is made from.
#[derive(Clone, Debug)]
pub struct PlaceholderSpec<'a> {
    pub run: &'a RunId,
    pub workload: &'a WorkloadRef,
    pub template: &'a PodTemplate,
    /// What it requests: what the shard does, or next to nothing when only the image is wanted.
    pub requests: Resources,
    pub image: &'a str,
    pub pull: ImagePull,
    pub priority_class: Option<&'a str>,
    /// Seconds after which the kubelet ends it, if nobody has.
    pub deadline_seconds: u64,
}

impl Room {
    /// Room for shards, each with what its node must be; those alike are kept together.
    #[must_use]
    pub fn new(spec: &PlaceholderSpec<'_>, shards: impl IntoIterator<Item = (u32, Vec<NodeTerm>)>) -> Self {
        let mut places: Vec<Place> = Vec::new();
        for (ordinal, terms) in shards {
            match places.iter_mut().find(|place| place.terms == terms) {
                Some(place) => drop(place.shards.insert(ordinal)),
                None => places.push(Place { shards: BTreeSet::from([ordinal]), terms }),
            }
        }
        Self { pod: pod(spec), places, priority_class: spec.priority_class.map(str::to_owned) }
    }

    /// The shards that a place is kept for.
    #[must_use]
    pub fn shards(&self) -> BTreeSet<u32> {
        self.places.iter().flat_map(|place| place.shards.iter().copied()).collect()
    }

    /// The placeholder of a shard, as the `attempt`-th process makes it.
    #[must_use]
    pub fn placeholder(&self, workload: &str, ordinal: u32, attempt: u32) -> Value {
        let mut pod = self.pod.clone();
        let terms =
            self.places.iter().find(|place| place.shards.contains(&ordinal)).map(|place| &place.terms);
        if let Some(metadata) = pod.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("name".to_owned(), json!(placeholder_name(workload, ordinal, attempt)));
            if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
                labels.insert(SHARD_LABEL.to_owned(), json!(ordinal.to_string()));
            }
        }
        if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
            require(spec, terms.map_or(&[][..], Vec::as_slice));
        }
        pod
    }
}

/// The name of a placeholder.
#[must_use]
pub fn placeholder_name(workload: &str, ordinal: u32, attempt: u32) -> String {
    format!("{workload}-place-{ordinal}-{attempt}")
}

fn pod(spec: &PlaceholderSpec<'_>) -> Value {
    let labels = json!({
        "app.kubernetes.io/managed-by": "shardctl",
        RUN_LABEL: spec.run,
        WORKLOAD_LABEL: spec.workload.name,
    });
    let own = json!({"matchLabels": {WORKLOAD_LABEL: spec.workload.name}});
    let template = spec.template.object.get("spec");
    let field = |name: &str| template.and_then(|template| template.get(name)).cloned();
    let mut pod = json!({
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": spec.deadline_seconds,
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "restartPolicy": "Always",
        "securityContext": {
            "runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container("place", spec.image, spec.requests)],
    });
    let map = pod.as_object_mut();
    let Some(map) = map else { return pod };
    for name in ["schedulerName", "tolerations", "nodeSelector", "imagePullSecrets", "runtimeClassName"] {
        if let Some(value) = field(name) {
            map.insert(name.to_owned(), value);
        }
    }
    if let Some(name) = spec.priority_class {
        map.insert("priorityClassName".to_owned(), json!(name));
    }
    let mut affinity = Map::new();
    if let Some(nodes) = field("affinity").and_then(|affinity| affinity.get("nodeAffinity").cloned()) {
        affinity.insert("nodeAffinity".to_owned(), nodes);
    }
    let apart = field("affinity").and_then(|affinity| affinity.get("podAntiAffinity").cloned());
    if let Some(mut apart) = apart {
        // Shards keep apart from shards; placeholders from placeholders.
        select(&mut apart, &own);
        affinity.insert("podAntiAffinity".to_owned(), apart);
    }
    if !affinity.is_empty() {
        map.insert("affinity".to_owned(), Value::Object(affinity));
    }
    if let Some(mut spread) = field("topologySpreadConstraints") {
        select(&mut spread, &own);
        map.insert("topologySpreadConstraints".to_owned(), spread);
    }
    let images: BTreeSet<&str> =
        spec.template.containers.iter().map(|container| container.image.as_str()).collect();
    match spec.pull {
        ImagePull::None => {}
        ImagePull::Volume => {
            let volumes = images.iter().enumerate().map(|(index, image)| {
                json!({"name": format!("image-{index}"), "image": {"reference": image, "pullPolicy": "IfNotPresent"}})
            });
            map.insert("volumes".to_owned(), volumes.collect());
        }
        ImagePull::InitContainer => {
            let pulls = images.iter().enumerate().map(|(index, image)| {
                let mut pull = container(&format!("image-{index}"), image, Resources::default());
                pull["imagePullPolicy"] = json!("IfNotPresent");
                pull["command"] = json!(["true"]);
                pull
            });
            map.insert("initContainers".to_owned(), pulls.collect());
        }
    }
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": spec.workload.namespace,
            "labels": labels,
            "annotations": {DO_NOT_DISRUPT: "true"},
        },
        "spec": pod,
    })
}

fn container(name: &str, image: &str, requests: Resources) -> Value {
    let amounts = json!({"cpu": requests.cpu.to_string(), "memory": requests.memory.to_string()});
    json!({
        "name": name,
        "image": image,
        "resources": {"requests": amounts, "limits": amounts},
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        },
    })
}

/// Puts `selector` in place of every label selector in `value`.
fn select(value: &mut Value, selector: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| select(item, selector)),
        Value::Object(map) => {
            for (key, item) in map {
                if key == "labelSelector" {
                    item.clone_from(selector);
                } else {
                    select(item, selector);
                }
            }
        }
        _ => {}
    }
}

/// Requires one of `terms` of the node beside what is required of it already: each alternative with each.
fn require(spec: &mut Map<String, Value>, terms: &[NodeTerm]) {
    if terms.is_empty() {
        return;
    }
    let affinity = spec.entry("affinity").or_insert_with(|| json!({}));
    let present = affinity
        .pointer("/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_else(|| vec![json!({})]);
    let mut combined = Vec::new();
    for one in &present {
        for term in terms {
            let mut one = one.clone();
            let expressions =
                one.get("matchExpressions").and_then(Value::as_array).cloned().unwrap_or_default();
            let more = term.iter().map(expression);
            one["matchExpressions"] = expressions.into_iter().chain(more).collect();
            combined.push(one);
        }
    }
    let required = json!({"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": combined}
    }});
    json_patch::merge(affinity, &required);
}

fn expression(one: &NodeExpression) -> Value {
    match one.values.is_empty() {
        true => json!({"key": one.key, "operator": one.operator}),
        false => json!({"key": one.key, "operator": one.operator, "values": one.values}),
    }
}

/// The one node of this name.
#[must_use]
pub fn only_node(name: &NodeName) -> Vec<NodeTerm> {
    vec![vec![NodeExpression {
        key: "kubernetes.io/hostname".to_owned(),
        operator: "In".to_owned(),
        values: vec![name.to_string()],
    }]]
}

/// The labels by which the placeholders of a run are found.
#[must_use]
pub fn placeholder_labels(run: &RunId) -> BTreeMap<String, String> {
    BTreeMap::from([(RUN_LABEL.to_owned(), run.to_string())])
}
