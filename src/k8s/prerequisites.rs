//! Finds out what `domain::prerequisites` judges.

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::{Event, ResourceQuota};
use k8s_openapi::api::storage::v1 as storage;
use kube::Api;
use kube::api::{DynamicObject, ListParams};

use super::apply::Permission;
use super::client::Cluster;
use super::convert;
use super::error::RequestError;
use super::snapshot::api_resource;
use crate::domain::prerequisites::{Facts, Quota};
use crate::domain::shardset::ShardSet;
use crate::domain::shardset::manifests::Manifest;

/// What following a deployment needs beyond applying it, by resource and subresource.
const NEEDED_TO_FOLLOW: [(&str, &str, Option<&str>); 4] = [
    ("list", "pods", None),
    ("watch", "pods", None),
    ("get", "pods", None),
    ("create", "pods", Some("portforward")),
];

impl Cluster {
    /// Asks for everything that must hold before `manifests` are applied.
    pub async fn prerequisites(&self, shardset: &ShardSet, manifests: &[Manifest]) -> Facts {
        let class = &shardset.spec.nodes.node_class_ref;
        let (server_version, has_node_pools, node_class, storage_class, missing_rights, quotas) = futures::join!(
            self.server_version(),
            self.has_node_pools(),
            self.node_class(&class.group, &class.kind, &class.name),
            self.storage_class(&shardset.spec.storage.storage_class_name),
            self.missing_rights(manifests),
            self.quotas(),
        );
        Facts {
            server_version: server_version.map_err(Into::into),
            has_node_pools: has_node_pools.map_err(Into::into),
            node_class: node_class.map_err(Into::into),
            storage_class: storage_class.map_err(Into::into),
            missing_rights: missing_rights.map_err(Into::into),
            quotas: quotas.map_err(Into::into),
            existing_shards: 0,
        }
    }

    async fn has_node_pools(&self) -> Result<bool, RequestError> {
        let resource = api_resource("karpenter.sh", "v1", "NodePool", "nodepools");
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        let parameters = ListParams::default().limit(1);
        Ok(self.find("list node pools", || api.list_metadata(&parameters)).await?.is_some())
    }

    async fn storage_class(
        &self,
        name: &str,
    ) -> Result<Option<crate::domain::snapshot::StorageClass>, RequestError> {
        let api: Api<storage::StorageClass> = Api::all(self.client.clone());
        let found = self.find(&format!("get storage class {name}"), || api.get(name)).await?;
        Ok(found.as_ref().map(convert::storage_class))
    }

    async fn missing_rights(&self, manifests: &[Manifest]) -> Result<Vec<String>, RequestError> {
        let mut needed: Vec<Permission> = Vec::new();
        for manifest in manifests {
            for verb in ["get", "patch", "create"] {
                let permission = Self::permission_to_apply(manifest, verb);
                if !needed.contains(&permission) {
                    needed.push(permission);
                }
            }
        }
        needed.extend(NEEDED_TO_FOLLOW.map(|(verb, resource, subresource)| Permission {
            verb,
            group: String::new(),
            resource: resource.to_owned(),
            subresource,
            namespace: Some(self.namespace().to_owned()),
        }));
        let answers: Vec<Option<String>> = stream::iter(needed)
            .map(|permission| async move {
                let allowed = self.is_allowed(&permission).await?;
                Ok::<_, RequestError>((!allowed).then(|| permission.to_string()))
            })
            .buffered(8)
            .try_collect()
            .await?;
        Ok(answers.into_iter().flatten().collect())
    }

    pub(super) async fn quotas(&self) -> Result<Vec<Quota>, RequestError> {
        let api: Api<ResourceQuota> = Api::namespaced(self.client.clone(), self.namespace());
        let operation = format!("list resource quotas in namespace {}", self.namespace());
        let quotas = self.list(&operation, &api, ListParams::default()).await?;
        Ok(quotas.iter().map(convert::quota).collect())
    }

    /// What the cluster last said of an object: the newest warning event of each component that said something. The
    /// scheduler and Karpenter each have their own reason why a pod has no node.
    ///
    /// # Errors
    /// When events cannot be listed.
    pub async fn last_warnings(
        &self,
        namespace: &str,
        kind: &str,
        name: &str,
    ) -> Result<Vec<String>, RequestError> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let selector = format!("involvedObject.kind={kind},involvedObject.name={name},type=Warning");
        let operation = format!("list the events of {} {name}", kind.to_lowercase());
        let mut events = self.list(&operation, &api, ListParams::default().fields(&selector)).await?;
        events.sort_by_key(convert::event_time);
        let newest: BTreeMap<Option<String>, String> = events
            .iter()
            .map(|event| (event.reporting_component.clone(), convert::event_text(event)))
            .collect();
        Ok(newest.into_values().collect())
    }
}
