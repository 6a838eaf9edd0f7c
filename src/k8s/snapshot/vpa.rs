//! What tells how large a shard should be: vertical autoscalers with their checkpoints, and what each container uses.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::api::{Api, DynamicObject, ListParams};
use serde::Deserialize;
use serde_json::Value;

use super::api_resource;
use crate::domain::snapshot::{Part, Snapshot, Unknown, Workload};
use crate::domain::vpa::{
    Advice, Amount, Amounts, Autoscaler, Autoscalers, CHECKPOINT_VERSION, Condition, History, Kill, Observed,
    Policy, Resource, ShardUse, history,
};
use crate::k8s::client::Cluster;
use crate::k8s::error::RequestError;

const GROUP: &str = "autoscaling.k8s.io";

impl Cluster {
    /// Reads what tells how large the shards of `snapshot` should be, in three requests. A part that cannot be read is an
    /// error in its place.
    pub async fn vertical_scaling(&self, snapshot: &Snapshot) -> Observed {
        let workload = &snapshot.workload;
        let (autoscalers, checkpoints, usage) = futures::join!(
            self.autoscalers_in_full(workload),
            self.checkpoints(),
            self.container_usage(workload)
        );
        let (mut usage, usage_unknown) = match usage {
            Ok(usage) => (usage, None),
            Err(error) => (BTreeMap::new(), Some(Unknown::from(error))),
        };
        let shards = snapshot.expected_shards().map(|shard| {
            let containers = shard.pod.iter().flat_map(|pod| &pod.containers);
            let killed = containers.filter_map(|container| {
                let killed = container.out_of_memory.as_ref()?;
                let restarts = u32::try_from(container.restarts).unwrap_or(0);
                let kill = Kill { at: killed.at, restarts, limit: killed.limit };
                Some((container.name.clone(), kill))
            });
            ShardUse {
                ordinal: shard.ordinal,
                used: usage.remove(&shard.pod_name).unwrap_or_default(),
                killed: killed.collect(),
            }
        });
        Observed {
            taken_at: snapshot.taken_at,
            workload: workload.reference.clone(),
            containers: workload.template.containers.clone(),
            requests: workload.template.requests,
            shards: shards.collect(),
            usage_unknown,
            autoscalers: match autoscalers {
                Ok(found) => Autoscalers::Found(
                    found
                        .into_iter()
                        .map(|one| Autoscaler { history: of_autoscaler(&checkpoints, &one.name), ..one })
                        .collect(),
                ),
                Err(error) if error.is_not_found() => Autoscalers::NoApi,
                Err(error) => Autoscalers::Unknown(error.into()),
            },
        }
    }

    async fn autoscalers_in_full(&self, workload: &Workload) -> Result<Vec<Autoscaler>, RequestError> {
        let name = &workload.reference.name;
        let convert = |object: DynamicObject| {
            let text = |pointer: &str| object.data.pointer(pointer).and_then(Value::as_str);
            let is_ours = text("/spec/targetRef/kind") == Some("StatefulSet")
                && text("/spec/targetRef/name") == Some(name.as_str());
            is_ours.then(|| autoscaler(&object))
        };
        let operation = format!("list vertical pod autoscalers in namespace {}", self.namespace());
        let api = self.vpa_api("VerticalPodAutoscaler", "verticalpodautoscalers");
        let mut found = self.list_as(&operation, &api, ListParams::default(), convert).await?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The checkpoints of the namespace: autoscaler, container, history. The API without the kind has none.
    async fn checkpoints(&self) -> Part<Vec<(String, String, History)>> {
        let operation = format!("list the checkpoints of autoscalers in namespace {}", self.namespace());
        let api = self.vpa_api("VerticalPodAutoscalerCheckpoint", "verticalpodautoscalercheckpoints");
        match self.list_as(&operation, &api, ListParams::default(), |object| checkpoint(&object)).await {
            Ok(found) => Ok(found),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn vpa_api(&self, kind: &str, plural: &str) -> Api<DynamicObject> {
        let resource = api_resource(GROUP, "v1", kind, plural);
        Api::namespaced_with(self.client.clone(), self.namespace(), &resource)
    }
}

fn of_autoscaler(
    checkpoints: &Part<Vec<(String, String, History)>>,
    autoscaler: &str,
) -> Part<BTreeMap<String, History>> {
    let found = checkpoints.as_ref().map_err(Clone::clone)?.iter();
    let own = found.filter(|(of, ..)| of == autoscaler);
    Ok(own.map(|(_, container, history)| (container.clone(), history.clone())).collect())
}

/// The fields that are read of a VerticalPodAutoscaler.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Object {
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    update_policy: UpdatePolicy,
    resource_policy: ResourcePolicy,
    recommenders: Vec<Recommender>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UpdatePolicy {
    update_mode: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Recommender {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ResourcePolicy {
    container_policies: Vec<ContainerPolicy>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerPolicy {
    container_name: String,
    mode: Option<String>,
    min_allowed: Quantities,
    max_allowed: Quantities,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    recommendation: Recommendation,
    conditions: Vec<StatusCondition>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Recommendation {
    container_recommendations: Vec<ContainerRecommendation>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerRecommendation {
    container_name: String,
    target: Quantities,
    uncapped_target: Quantities,
    lower_bound: Quantities,
    upper_bound: Quantities,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StatusCondition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    last_transition_time: Option<Timestamp>,
    message: String,
}

/// Quantities as they were written: a text, or a number.
type Quantities = BTreeMap<String, Value>;

fn amounts(quantities: &Quantities) -> Amounts {
    let of = |resource: Resource| {
        let amount = match quantities.get(resource.as_str())? {
            Value::String(text) => Amount::read(text),
            other => Amount::read(&other.to_string()),
        };
        Some((resource, amount))
    };
    Resource::BOTH.into_iter().filter_map(of).collect()
}

fn autoscaler(object: &DynamicObject) -> Autoscaler {
    // One that is written in a form of another version is still known by its name.
    let read: Object = serde_json::from_value(object.data.clone()).unwrap_or_default();
    let policies = read.spec.resource_policy.container_policies.into_iter().map(|policy| {
        let is_off = policy.mode.as_deref() == Some("Off");
        let (min_allowed, max_allowed) = (amounts(&policy.min_allowed), amounts(&policy.max_allowed));
        (policy.container_name, Policy { is_off, min_allowed, max_allowed })
    });
    let advice = read.status.recommendation.container_recommendations.into_iter().map(|one| {
        let advice = Advice {
            target: amounts(&one.target),
            uncapped: amounts(&one.uncapped_target),
            lower: amounts(&one.lower_bound),
            upper: amounts(&one.upper_bound),
        };
        (one.container_name, advice)
    });
    let conditions = read.status.conditions.into_iter().map(|condition| Condition {
        kind: condition.type_,
        holds: condition.status == "True",
        since: condition.last_transition_time,
        message: condition.message,
    });
    Autoscaler {
        name: object.metadata.name.clone().unwrap_or_default(),
        // The API's default.
        update_mode: read.spec.update_policy.update_mode.unwrap_or_else(|| "Recreate".to_owned()),
        created_at: object.metadata.creation_timestamp.as_ref().map(|time| time.0),
        recommender: read.spec.recommenders.into_iter().map(|one| one.name).find(|name| name != "default"),
        policies: policies.collect(),
        conditions: conditions.collect(),
        advice: advice.collect(),
        history: Ok(BTreeMap::new()),
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CheckpointStatus {
    version: String,
    first_sample_start: Option<Timestamp>,
    last_sample_start: Option<Timestamp>,
    last_update_time: Option<Timestamp>,
    total_samples_count: u64,
    cpu_histogram: Histogram,
    memory_histogram: Histogram,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Histogram {
    /// Weight by the number of the bucket.
    bucket_weights: BTreeMap<String, u64>,
}

impl Histogram {
    fn buckets(&self) -> impl Iterator<Item = (u32, u64)> {
        self.bucket_weights.iter().filter_map(|(bucket, weight)| Some((bucket.parse().ok()?, *weight)))
    }
}

fn checkpoint(object: &DynamicObject) -> Option<(String, String, History)> {
    let text = |pointer: &str| object.data.pointer(pointer)?.as_str().map(str::to_owned);
    let status = object.data.get("status").cloned().unwrap_or_default();
    let status: CheckpointStatus = serde_json::from_value(status).ok()?;
    let is_understood = status.version == CHECKPOINT_VERSION;
    let peak = [(Resource::Cpu, &status.cpu_histogram), (Resource::Memory, &status.memory_histogram)]
        .into_iter()
        .filter(|_| is_understood)
        .filter_map(|(resource, histogram)| Some((resource, history::peak(resource, histogram.buckets())?)));
    let history = History {
        first_sample: status.first_sample_start,
        last_sample: status.last_sample_start,
        updated_at: status.last_update_time,
        samples: status.total_samples_count,
        peak: peak.collect(),
    };
    Some((text("/spec/vpaObjectName")?, text("/spec/containerName")?, history))
}
