//! Karpenter's NodePool as far as shardctl reads it. It is read by hand because the provider, not we, decides
//! which version and which fields there are: what is missing counts as Karpenter's default.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::core::DynamicObject;
use serde::Deserialize;

use super::convert;
use crate::domain::names::NodePoolName;
use crate::domain::quantity::Quantity;
use crate::domain::snapshot::{NodeClassRef, NodeExpression, NodePool, NodePoolBudget, Taint};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Object {
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    template: Template,
    limits: BTreeMap<String, Quantity>,
    disruption: Disruption,
    replicas: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Template {
    metadata: Metadata,
    spec: TemplateSpec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TemplateSpec {
    requirements: Vec<Requirement>,
    taints: Vec<PoolTaint>,
    node_class_ref: ClassRef,
    expire_after: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Requirement {
    key: String,
    operator: String,
    values: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PoolTaint {
    key: String,
    value: String,
    effect: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClassRef {
    group: String,
    kind: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Disruption {
    consolidation_policy: Option<String>,
    consolidate_after: Option<String>,
    budgets: Option<Vec<Budget>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Budget {
    nodes: String,
    schedule: Option<String>,
    reasons: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    resources: BTreeMap<String, Quantity>,
    conditions: Vec<Condition>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    message: String,
}

/// Conditions by type: whether each holds, and the message. One that is Unknown says neither and is left out: a
/// pool that was made or changed a moment ago waits for its controller.
pub(super) fn conditions(object: &DynamicObject) -> BTreeMap<String, (bool, String)> {
    let status = object.data.get("status").cloned().unwrap_or_default();
    let status: Status = serde_json::from_value(status).unwrap_or_default();
    by_type(status.conditions)
}

fn by_type(conditions: Vec<Condition>) -> BTreeMap<String, (bool, String)> {
    conditions
        .into_iter()
        .filter(|condition| condition.status != "Unknown")
        .map(|condition| (condition.type_, (condition.status == "True", condition.message)))
        .collect()
}

/// The most pods that a node of the class runs: `spec.maxPods` on Azure, `spec.kubelet.maxPods` on AWS.
pub(super) fn max_pods(class: &DynamicObject) -> Option<u32> {
    let number = |pointer: &str| class.data.pointer(pointer)?.as_u64();
    number("/spec/maxPods")
        .or_else(|| number("/spec/kubelet/maxPods"))
        .and_then(|most| u32::try_from(most).ok())
}

/// Whether the kubelets of the class run the static CPU manager: `spec.kubelet.cpuManagerPolicy` on Azure.
pub(super) fn has_static_cpus(class: &DynamicObject) -> bool {
    class.data.pointer("/spec/kubelet/cpuManagerPolicy").and_then(|policy| policy.as_str()) == Some("static")
}

pub(super) fn node_pool(object: &DynamicObject) -> Result<NodePool, serde_json::Error> {
    let Object { spec, status } = serde_json::from_value(object.data.clone())?;
    let template = spec.template.spec;
    let deleted_at: Option<Timestamp> = object.metadata.deletion_timestamp.as_ref().map(|time| time.0);
    Ok(NodePool {
        name: NodePoolName::new(object.metadata.name.clone().unwrap_or_default()),
        labels: spec.template.metadata.labels,
        requirements: template
            .requirements
            .into_iter()
            .map(|one| NodeExpression { key: one.key, operator: one.operator, values: one.values })
            .collect(),
        taints: template
            .taints
            .into_iter()
            .map(|taint| Taint { key: taint.key, value: taint.value, effect: taint.effect })
            .collect(),
        limits: spec.limits,
        usage: status.resources,
        node_class: NodeClassRef {
            group: template.node_class_ref.group,
            kind: template.node_class_ref.kind,
            name: template.node_class_ref.name,
        },
        consolidation_policy: spec
            .disruption
            .consolidation_policy
            .unwrap_or_else(|| "WhenEmptyOrUnderutilized".to_owned()),
        consolidate_after: spec.disruption.consolidate_after.unwrap_or_else(|| "0s".to_owned()),
        expire_after: template.expire_after.unwrap_or_else(|| "720h".to_owned()),
        budgets: spec.disruption.budgets.map_or_else(
            || vec![NodePoolBudget { nodes: "10%".to_owned(), schedule: None, reasons: Vec::new() }],
            |budgets| {
                budgets
                    .into_iter()
                    .map(|budget| NodePoolBudget {
                        nodes: budget.nodes,
                        schedule: budget.schedule,
                        reasons: budget.reasons,
                    })
                    .collect()
            },
        ),
        replicas: spec.replicas,
        conditions: by_type(status.conditions),
        deleted_at,
        managers: convert::managers(&object.metadata),
    })
}
