//! Nodes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1 as storage;

use super::{asked_to_end, named, resources, time};
use crate::domain::names::NodeName;
use crate::domain::snapshot::{Node, Taint};

pub fn node(node: &core::Node) -> Node {
    let meta = &node.metadata;
    let spec = node.spec.clone().unwrap_or_default();
    let status = node.status.clone().unwrap_or_default();
    let conditions = || status.conditions.iter().flatten();
    Node {
        name: NodeName::new(meta.name.clone().unwrap_or_default()),
        labels: meta.labels.clone().unwrap_or_default(),
        taints: spec.taints.iter().flatten().map(taint).collect(),
        is_cordoned: spec.unschedulable == Some(true),
        deleted_at: asked_to_end(meta),
        created_at: time(meta.creation_timestamp.as_ref()),
        is_ready: conditions().any(|condition| condition.type_ == "Ready" && condition.status == "True"),
        pressures: conditions()
            .filter(|condition| condition.type_ != "Ready" && condition.status == "True")
            .map(|condition| condition.type_.clone())
            .collect(),
        allocatable: resources(status.allocatable.as_ref()),
        allocatable_pods: u32::try_from(named(status.allocatable.as_ref(), "pods").as_units()).unwrap_or(0),
        capacity: resources(status.capacity.as_ref()),
        kubelet_version: status.node_info.map(|info| info.kubelet_version).unwrap_or_default(),
    }
}

fn taint(taint: &core::Taint) -> Taint {
    Taint {
        key: taint.key.clone(),
        value: taint.value.clone().unwrap_or_default(),
        effect: taint.effect.clone(),
    }
}

/// How many volumes of each driver a node can attach; a driver that sets no limit is left out.
pub fn attach_limits(node: &storage::CSINode) -> BTreeMap<String, u32> {
    node.spec
        .drivers
        .iter()
        .filter_map(|driver| {
            let count = driver.allocatable.as_ref()?.count?;
            Some((driver.name.clone(), u32::try_from(count).unwrap_or(0)))
        })
        .collect()
}
