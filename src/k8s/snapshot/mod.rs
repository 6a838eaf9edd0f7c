//! Reads a snapshot. What it costs grows with the shards and their nodes, not with the cluster: pods by the
//! workload's selector, nodes by name, the pods of a node by a field selector that the server indexes.

mod ground;
mod inventory;
mod nodes;
mod surroundings;
mod terrain;
mod vpa;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kube::api::{Api, GetParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde::de::DeserializeOwned;

use super::client::Cluster;
use super::error::RequestError;
use super::health;
use crate::domain::names::{NodeName, WorkloadRef};
use crate::domain::snapshot::{Part, Snapshot, Unknown};
pub use ground::Ground;
use surroundings::StorageParts;
use workload::shards;

/// Reads under way at the same time. More would queue in the API server's fair share of this user.
const CONCURRENT_READS: usize = 32;

/// What a snapshot should hold beyond the workload and its pods.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// The nodes of the shards, and the services: how shards are reached.
    pub routes: bool,
    /// Nodes, also idle ones, their occupants, and node pools.
    pub nodes: bool,
    /// What pods use, from the metrics API.
    pub usage: bool,
    /// Services, budgets, claims, classes of storage and of nodes, autoscalers.
    pub surroundings: bool,
    /// Each shard's own HTTP endpoint.
    pub health: bool,
}

fn not_asked<T>(what: &str) -> Part<T> {
    Err(Unknown {
        asked: what.to_owned(),
        answer: "not needed by this command".to_owned(),
        is_forbidden: false,
    })
}

impl Cluster {
    /// Version of the API server.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn server_version(&self) -> Result<String, RequestError> {
        let info = self.read("get the API server's version", || self.client.apiserver_version()).await?;
        Ok(info.git_version)
    }

    /// Reads the workload and what `scope` asks for. A part that cannot be read is an error in its place.
    ///
    /// # Errors
    /// When the workload or its pods cannot be read.
    pub async fn snapshot(&self, reference: &WorkloadRef, scope: Scope) -> Result<Snapshot, RequestError> {
        let (workload, pods) = self.workload_and_pods(reference).await?;
        let shards = shards(&workload, pods);
        let node_names: BTreeSet<NodeName> =
            shards.iter().filter_map(|shard| shard.pod.as_ref()?.node.clone()).collect();

        let nodes_and_pools = async {
            if !scope.nodes {
                let nodes = match scope.routes {
                    true => part(self.nodes_by_name(&node_names).await),
                    false => not_asked("nodes"),
                };
                return (
                    nodes,
                    not_asked("pods of the nodes"),
                    not_asked("node pools"),
                    not_asked("node classes"),
                );
            }
            let (node_pools, nodes) = futures::join!(self.node_pools(), self.nodes_by_name(&node_names));
            let nodes_and_occupants = async {
                let nodes = match (nodes, &node_pools) {
                    (Ok(nodes), Ok(pools)) => self.with_idle_nodes(nodes, &workload, pools).await,
                    (nodes, _) => nodes,
                };
                let all_names: BTreeSet<NodeName> = match &nodes {
                    Ok(nodes) => nodes.keys().cloned().collect(),
                    Err(_) => node_names.clone(),
                };
                (nodes, self.occupants(&all_names, reference).await)
            };
            let node_classes = async {
                if scope.surroundings {
                    self.node_classes(&workload, &node_pools).await
                } else {
                    not_asked("node classes")
                }
            };
            let ((nodes, occupants), node_classes) = futures::join!(nodes_and_occupants, node_classes);
            (part(nodes), part(occupants), node_pools, node_classes)
        };
        let services = async {
            match scope.surroundings || scope.routes {
                true => part(self.services(&workload).await),
                false => not_asked("services"),
            }
        };
        let surroundings = async {
            if !scope.surroundings {
                return None;
            }
            Some(futures::join!(
                self.server_version(),
                self.disruption_budgets(),
                self.storage(&workload, &shards),
                self.autoscalers(&workload),
            ))
        };
        let usage = async {
            if scope.usage { part(self.usage(&workload).await) } else { not_asked("usage of pods") }
        };
        let health = async {
            if scope.health { health::ask(self, &workload, &shards).await } else { Ok(BTreeMap::new()) }
        };
        let ((nodes, occupants, node_pools, node_classes), services, surroundings, usage, health) =
            futures::join!(nodes_and_pools, services, surroundings, usage, health);
        let (health, health_unknown) = match health {
            Ok(health) => (health, None),
            Err(error) => (BTreeMap::new(), Some(Unknown::from(error))),
        };
        let (server_version, disruption_budgets, storage, autoscalers) = match surroundings {
            Some((version, budgets, storage, autoscalers)) => {
                (part(version), part(budgets), storage, part(autoscalers))
            }
            None => (
                not_asked("the API server's version"),
                not_asked("disruption budgets"),
                StorageParts::not_asked(),
                not_asked("vertical autoscalers"),
            ),
        };
        Ok(Snapshot {
            taken_at: Timestamp::now(),
            server_version,
            nodes,
            occupants,
            node_pools,
            node_classes,
            disruption_budgets,
            services,
            claims: storage.claims,
            volumes: storage.volumes,
            storage_classes: storage.classes,
            autoscalers,
            health,
            health_unknown,
            usage,
            workload,
            shards,
        })
    }

    /// Gets objects by name, many at a time; those that do not exist are left out.
    async fn get_each<'a, K, T>(
        &self,
        kind: &str,
        names: impl Iterator<Item = &'a str>,
        convert: impl Fn(&K) -> T,
    ) -> Result<Vec<T>, RequestError>
    where
        K: kube::Resource<DynamicType = (), Scope = k8s_openapi::ClusterResourceScope>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let api: Api<K> = Api::all(self.client.clone());
        let api = &api;
        let parameters = &GetParams::any();
        let convert = &convert;
        stream::iter(names)
            .map(|name| async move {
                let operation = format!("get {kind} {name}");
                let found = self.find(&operation, || api.get_with(name, parameters)).await?;
                Ok(found.as_ref().map(convert))
            })
            .buffer_unordered(CONCURRENT_READS)
            .try_filter_map(|found| async move { Ok(found) })
            .try_collect()
            .await
    }
}

fn part<T>(result: Result<T, RequestError>) -> Part<T> {
    result.map_err(Unknown::from)
}

pub(super) fn label_selector(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}

pub(super) fn api_resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}
