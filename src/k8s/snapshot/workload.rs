//! The StatefulSet, its pods, and what describing it takes.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{Api, ListParams};

use super::label_selector;
use crate::domain::names::{PodName, WorkloadRef};
use crate::domain::shardset::Adoptable;
use crate::domain::snapshot::{Pod, Shard, Workload};
use crate::k8s::client::Cluster;
use crate::k8s::convert;
use crate::k8s::error::{Failure, RequestError};

impl Cluster {
    /// The StatefulSets of the namespace, by name.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn workload_names(&self) -> Result<Vec<String>, RequestError> {
        let api: Api<StatefulSet> = Api::namespaced(self.client.clone(), self.namespace());
        let operation = format!("list statefulsets in namespace {}", self.namespace());
        let parameters = ListParams::default().match_any();
        let list = self.read(&operation, || api.list_metadata(&parameters)).await?;
        let mut names: Vec<String> = list.items.into_iter().filter_map(|set| set.metadata.name).collect();
        names.sort();
        Ok(names)
    }

    pub(in crate::k8s) async fn stateful_set(
        &self,
        reference: &WorkloadRef,
    ) -> Result<StatefulSet, RequestError> {
        let api: Api<StatefulSet> = Api::namespaced(self.client.clone(), &reference.namespace);
        let operation = format!("get {reference} in namespace {}", reference.namespace);
        self.read(&operation, || api.get(&reference.name)).await
    }

    pub(in crate::k8s) async fn workload_and_pods(
        &self,
        reference: &WorkloadRef,
    ) -> Result<(Workload, Vec<(u32, Pod)>), RequestError> {
        let set = self.stateful_set(reference).await?;
        let workload = convert::workload(&set, &reference.namespace);
        let api: Api<core::Pod> = Api::namespaced(self.client.clone(), &reference.namespace);
        let operation = format!("list the pods of {reference} in namespace {}", reference.namespace);
        let parameters = ListParams::default().labels(&label_selector(&workload.selector));
        let convert = |pod: core::Pod| {
            let name = pod.metadata.name.as_deref().unwrap_or_default();
            let ordinal = convert::ordinal(&reference.name, name)?;
            convert::is_owned_by(&pod, &workload.uid).then(|| (ordinal, convert::pod(&pod)))
        };
        let pods = self.list_as(&operation, &api, parameters, convert).await?;
        Ok((workload, pods))
    }

    /// Reads what describing a StatefulSet takes.
    ///
    /// # Errors
    /// When it, or something that belongs to it, cannot be read.
    pub async fn adoptable(&self, reference: &WorkloadRef) -> Result<Adoptable, RequestError> {
        let set = self.stateful_set(reference).await?;
        let workload = convert::workload(&set, &reference.namespace);
        let object = serde_json::to_value(&set).map_err(|error| {
            RequestError::new(format!("get {reference}"), Failure::Other, error.to_string())
        })?;
        let priority = async {
            let Some(name) = &workload.template.priority_class else { return Ok(None) };
            let api: Api<PriorityClass> = Api::all(self.client.clone());
            let class = self.find(&format!("get priority class {name}"), || api.get(name)).await?;
            Ok(class.and_then(|class| class.value))
        };
        let (priority, services, budgets, node_pools) =
            futures::join!(priority, self.services(&workload), self.disruption_budgets(), self.node_pools());
        let budget = budgets?.into_iter().find(|budget| budget.selector == workload.selector);
        let node_pools = node_pools.unwrap_or_default().into_iter();
        Ok(Adoptable {
            priority: priority?,
            client_service: services?.into_iter().find(|service| !service.is_headless),
            min_available: budget.and_then(|budget| budget.min_available?.parse().ok()),
            node_pools: node_pools.filter(|pool| workload.template.can_be_placed_on(pool)).collect(),
            workload,
            object,
        })
    }
}

/// One entry per ordinal below `replicas`, and one for each pod that is left over.
pub(super) fn shards(workload: &Workload, pods: Vec<(u32, Pod)>) -> Vec<Shard> {
    let set = &workload.reference.name;
    let mut by_ordinal: BTreeMap<u32, Option<Pod>> =
        (0..workload.replicas).map(|ordinal| (ordinal, None)).collect();
    by_ordinal.extend(pods.into_iter().map(|(ordinal, pod)| (ordinal, Some(pod))));
    by_ordinal
        .into_iter()
        .map(|(ordinal, pod)| Shard { ordinal, pod_name: PodName::new(format!("{set}-{ordinal}")), pod })
        .collect()
}
