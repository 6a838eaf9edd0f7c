//! The pods that must leave a node which is emptied, as `kubectl drain` sorts them.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Api;
use kube::api::ListParams;

use super::client::Cluster;
use super::convert;
use super::error::RequestError;
use crate::domain::names::{NodeName, WorkloadRef};
use crate::domain::rolling::ObjectRef;

/// The pods of a node that are no shards of the workload; each `namespace/name`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodsToEvict {
    /// Those that are to be evicted.
    pub pods: Vec<String>,
    /// Those of DaemonSets, which would come back at once.
    pub daemons: Vec<String>,
    /// Of those to be evicted: without a controller.
    pub unmanaged: Vec<String>,
    /// Of those to be evicted: with data in an emptyDir volume.
    pub with_local_data: Vec<String>,
    /// The disruption budgets that select some of them.
    pub budgets: BTreeSet<ObjectRef>,
}

impl Cluster {
    /// Sorts the pods of a node; static pods, ended ones and shards of the workload are left out.
    ///
    /// # Errors
    /// When pods or budgets cannot be listed.
    pub async fn pods_to_evict(
        &self,
        node: &NodeName,
        workload: &WorkloadRef,
    ) -> Result<PodsToEvict, RequestError> {
        let api: Api<Pod> = Api::all(self.client.clone());
        let on_it = ListParams::default().fields(&format!("spec.nodeName={node}"));
        let pods = self.list(&format!("list the pods of node {node}"), &api, on_it).await?;
        let mut sorted = PodsToEvict::default();
        let mut evicted = Vec::new();
        for pod in &pods {
            let meta = &pod.metadata;
            let name = format!(
                "{}/{}",
                meta.namespace.as_deref().unwrap_or_default(),
                meta.name.as_deref().unwrap_or_default()
            );
            let Some(occupant) = convert::occupant(pod, workload) else { continue };
            if occupant.is_daemon {
                sorted.daemons.push(name);
                continue;
            }
            if convert::other_pod(pod, node, workload).is_none() {
                continue;
            }
            let owners = meta.owner_references.iter().flatten();
            if !owners.into_iter().any(|owner| owner.controller == Some(true)) {
                sorted.unmanaged.push(name.clone());
            }
            let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
            if volumes.into_iter().any(|volume| volume.empty_dir.is_some()) {
                sorted.with_local_data.push(name.clone());
            }
            sorted.pods.push(name);
            evicted.push(pod);
        }
        sorted.budgets = self.budgets_of(&evicted).await?;
        Ok(sorted)
    }

    async fn budgets_of(&self, pods: &[&Pod]) -> Result<BTreeSet<ObjectRef>, RequestError> {
        let namespaces: BTreeSet<&str> =
            pods.iter().filter_map(|pod| pod.metadata.namespace.as_deref()).collect();
        let mut found = BTreeSet::new();
        for namespace in namespaces {
            let api: Api<PodDisruptionBudget> = Api::namespaced(self.client.clone(), namespace);
            let operation = format!("list pod disruption budgets in namespace {namespace}");
            for budget in self.list(&operation, &api, ListParams::default()).await? {
                let budget = convert::disruption_budget(&budget);
                let selects = |pod: &&&Pod| {
                    let labels = pod.metadata.labels.clone().unwrap_or_default();
                    pod.metadata.namespace.as_deref() == Some(namespace)
                        && budget.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
                };
                if pods.iter().any(|pod| selects(&pod)) {
                    let name = &budget.name;
                    found.insert(ObjectRef::new("policy/v1", "PodDisruptionBudget", Some(namespace), name));
                }
            }
        }
        Ok(found)
    }
}
