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
    /// Whether only the image is wanted, on nodes where there is room already.
    pub is_for_images: bool,
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
    /// Whether only the image is wanted: it requests nothing then, else what the shard does.
    pub is_for_images: bool,
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
        let priority_class = spec.priority_class.map(str::to_owned);
        Self { pod: pod(spec), places, is_for_images: spec.is_for_images, priority_class }
    }

    /// Whether it is room for whole shards, and not only for their image.
    #[must_use]
    pub fn is_for_shards(&self) -> bool {
        !self.is_for_images
    }

    /// The shards that a place is kept for.
    #[must_use]
    pub fn shards(&self) -> BTreeSet<u32> {
        self.places.iter().flat_map(|place| place.shards.iter().copied()).collect()
    }

    /// The one node that the placeholder of a shard may be on, if there is only one.
    #[must_use]
    pub fn only_node(&self, ordinal: u32) -> Option<&str> {
        let place = self.places.iter().find(|place| place.shards.contains(&ordinal))?;
        match place.terms.as_slice() {
            [term] => match term.as_slice() {
                [one] if one.key == NODE_NAME_FIELD => one.values.first().map(String::as_str),
                _ => None,
            },
            _ => None,
        }
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
    let requests = if spec.is_for_images { Resources::default() } else { spec.template.requests };
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
        "containers": [container("place", spec.image, requests)],
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
            for (list, is_field) in [("matchExpressions", false), ("matchFields", true)] {
                let present = one.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
                let more = term.iter().filter(|one| (one.key == NODE_NAME_FIELD) == is_field).map(expression);
                let all: Vec<Value> = present.into_iter().chain(more).collect();
                if !all.is_empty() {
                    one[list] = Value::Array(all);
                }
            }
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

/// The field of a node that is its name. A label may not be as long as a name.
const NODE_NAME_FIELD: &str = "metadata.name";

/// The one node of this name.
#[must_use]
pub fn only_node(name: &NodeName) -> Vec<NodeTerm> {
    vec![vec![NodeExpression {
        key: NODE_NAME_FIELD.to_owned(),
        operator: "In".to_owned(),
        values: vec![name.to_string()],
    }]]
}

/// The labels by which the placeholders of a run are found.
#[must_use]
pub fn placeholder_labels(run: &RunId) -> BTreeMap<String, String> {
    BTreeMap::from([(RUN_LABEL.to_owned(), run.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rolling::Operation;
    use crate::domain::testing::healthy;

    fn room(object: Value, places: Vec<(u32, Vec<NodeTerm>)>) -> Room {
        let snapshot = healthy();
        let mut template = snapshot.workload.template.clone();
        template.object = object;
        let run = RunId::new(&Operation::Upgrade { what: String::new() }, snapshot.taken_at);
        let spec = PlaceholderSpec {
            run: &run,
            workload: &snapshot.workload.reference,
            template: &template,
            is_for_images: false,
            image: PAUSE_IMAGE,
            pull: ImagePull::Volume,
            priority_class: None,
            deadline_seconds: 60,
        };
        Room::new(&spec, places)
    }

    fn zone(name: &str) -> Vec<NodeTerm> {
        let key = "topology.kubernetes.io/zone".to_owned();
        vec![vec![NodeExpression { key, operator: "In".to_owned(), values: vec![name.to_owned()] }]]
    }

    const TERMS: &str =
        "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";

    #[test]
    fn a_placeholder_asks_for_what_its_shard_asks_for() {
        let pod = room(json!({}), vec![(3, zone("eastus-1"))]).placeholder("shard", 3, 1);
        assert_eq!(pod.pointer("/metadata/name"), Some(&json!("shard-place-3-1")));
        let requests = pod.pointer("/spec/containers/0/resources/requests");
        assert_eq!(requests, Some(&json!({"cpu": "4", "memory": "32Gi"})));
        let zones = json!([{"matchExpressions": [
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["eastus-1"]}
        ]}]);
        assert_eq!(pod.pointer(TERMS), Some(&zones));
        let image = pod.pointer("/spec/volumes/0/image/reference");
        assert_eq!(image, Some(&json!("registry.example/k8s-demo-app:1.0.0")));
    }

    #[test]
    fn nobody_takes_a_placeholder_for_a_shard() {
        let own = json!({"matchLabels": {"app.kubernetes.io/name": "biometric-shard"}});
        let object = json!({"spec": {
            "tolerations": [{"operator": "Exists"}],
            "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": own}
            ]}},
            "topologySpreadConstraints": [{"maxSkew": 1, "labelSelector": own}],
        }});
        let pod = room(object, vec![(0, Vec::new())]).placeholder("shard", 0, 1);
        let text = pod.to_string();
        assert!(!text.contains("app.kubernetes.io/name"), "{text}");
        assert_eq!(text.matches("\"labelSelector\":{\"matchLabels\":{\"shardctl.dev/workload\"").count(), 2);
        assert_eq!(pod.pointer("/spec/tolerations/0/operator"), Some(&json!("Exists")));
    }

    #[test]
    fn each_alternative_is_combined_with_each() {
        let pools = json!([{"matchExpressions": [{"key": "a", "operator": "Exists"}]},
            {"matchExpressions": [{"key": "b", "operator": "Exists"}]}]);
        let object = json!({"spec": {"affinity": {"nodeAffinity":
            {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": pools}}}}});
        let terms = [zone("1"), zone("2")].concat();
        let pod = room(object, vec![(0, terms)]).placeholder("shard", 0, 1);
        let combined = pod.pointer(TERMS).and_then(Value::as_array).unwrap();
        assert_eq!(combined.len(), 4);
        assert!(combined.iter().all(|term| term["matchExpressions"].as_array().unwrap().len() == 2));
    }

    #[test]
    fn a_node_is_named_by_its_field_and_not_by_a_label() {
        let only = only_node(&NodeName::new("n".repeat(70)));
        let pod = room(json!({}), vec![(0, only)]).placeholder("shard", 0, 1);
        let terms = pod.pointer(TERMS).unwrap();
        assert_eq!(terms[0]["matchFields"][0]["key"], json!("metadata.name"));
        assert!(terms[0].get("matchExpressions").is_none());
    }

    #[test]
    fn shards_that_need_alike_nodes_are_kept_together() {
        let room = room(json!({}), vec![(0, zone("1")), (1, zone("2")), (2, zone("1"))]);
        assert_eq!(room.places.len(), 2);
        assert_eq!(room.shards(), BTreeSet::from([0, 1, 2]));
    }
}
