//! What planning a run asks of the server: objects as they are, changes tried without being made, revisions, who we are.

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::{Node, Pod, PodTemplateSpec};
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::Value;

use super::apply::ApplyOptions;
use super::client::{Cluster, FIELD_MANAGER};
use super::error::{Failure, RequestError};
use super::{convert, karpenter};
use crate::domain::names::{NodeName, NodePoolName, WorkloadRef};
use crate::domain::rolling::{Change, ObjectRef, PatchOperation};
use crate::domain::shardset::manifests::Manifest;
use crate::domain::snapshot::{NODE_POOL_LABEL, NodePool, PodTemplate};

/// A revision of a StatefulSet's template.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// The name that pods carry: `biometric-shard-5d4f8c7b9`.
    pub name: String,
    /// Higher is newer; an old template that is used again gets a new number.
    pub number: i64,
    /// `spec.template`.
    pub template: Value,
    pub created_at: Option<jiff::Timestamp>,
}

/// What is on the nodes of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolStanding {
    pub nodes: usize,
    /// The pods that are neither of DaemonSets nor static, each `namespace/name`.
    pub pods: Vec<String>,
    /// Whether shardctl manages it.
    pub is_ours: bool,
}

/// A template from its object; none when it is no template.
#[must_use]
pub fn pod_template(object: &Value) -> Option<PodTemplate> {
    let template: PodTemplateSpec = serde_json::from_value(object.clone()).ok()?;
    Some(convert::template(&template))
}

pub(super) fn manifest(object: &ObjectRef) -> Manifest {
    Manifest::reference(&object.api_version, &object.kind, object.namespace.as_deref(), &object.name)
}

impl Cluster {
    /// An object as it is; none when there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn object(&self, object: &ObjectRef) -> Result<Option<Value>, RequestError> {
        self.live(&manifest(object)).await
    }

    /// What a patch would make of an object. Nothing is changed.
    ///
    /// # Errors
    /// When the server would refuse it.
    pub async fn try_patch(
        &self,
        object: &ObjectRef,
        operations: &[PatchOperation],
    ) -> Result<Value, RequestError> {
        let api = self.api(&manifest(object));
        let operation = format!("try to patch {object}");
        let patch = serde_json::to_value(operations)
            .and_then(serde_json::from_value)
            .map_err(|error| RequestError::new(&operation, Failure::Other, error.to_string()))?;
        let parameters = PatchParams {
            dry_run: true,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::<()>::Json(patch);
        let after = self.read(&operation, || api.patch(&object.name, &parameters, &patch)).await?;
        serde_json::to_value(after)
            .map_err(|error| RequestError::new(&operation, Failure::Other, error.to_string()))
    }

    /// The node pool that an apply would make. Nothing is made.
    ///
    /// # Errors
    /// When the server would refuse it.
    pub async fn try_node_pool(&self, manifest: &Manifest) -> Result<NodePool, RequestError> {
        let made = self.apply(manifest, ApplyOptions { dry_run: true, force: false }).await?;
        let object = serde_json::from_value(made);
        object.and_then(|object| karpenter::node_pool(&object)).map_err(|error| {
            RequestError::new(format!("try to apply {manifest}"), Failure::Other, error.to_string())
        })
    }

    /// What is on the nodes of a pool; none when there is no such pool.
    ///
    /// # Errors
    /// When the pool, its nodes or their pods cannot be read.
    pub async fn pool_standing(&self, pool: &NodePoolName) -> Result<Option<PoolStanding>, RequestError> {
        let object = Manifest::reference("karpenter.sh/v1", "NodePool", None, pool.as_str());
        let Some(live) = self.live(&object).await? else { return Ok(None) };
        let managers = serde_json::from_value(live.pointer("/metadata").cloned().unwrap_or_default())
            .map(|meta| convert::managers(&meta))
            .unwrap_or_default();
        let nodes: Api<Node> = Api::all(self.client.clone());
        let of_pool = ListParams::default().labels(&format!("{NODE_POOL_LABEL}={pool}"));
        let operation = format!("list the nodes of node pool {pool}");
        let names: Vec<String> = self.list_as(&operation, &nodes, of_pool, |node| node.metadata.name).await?;
        let pods: Api<Pod> = Api::all(self.client.clone());
        // A workload without a name: no pod is a shard of it, so that shards are told, too.
        let nobody = WorkloadRef { namespace: String::new(), name: String::new() };
        let mut standing = PoolStanding {
            nodes: names.len(),
            pods: Vec::new(),
            is_ours: managers.iter().any(|manager| manager == FIELD_MANAGER),
        };
        for name in names {
            let on_it = ListParams::default().fields(&format!("spec.nodeName={name}"));
            let found = self.list(&format!("list the pods of node {name}"), &pods, on_it).await?;
            let node = NodeName::new(name);
            let others = found.iter().filter_map(|pod| convert::other_pod(pod, &node, &nobody));
            standing.pods.extend(others.map(|other| format!("{}/{}", other.pod.namespace, other.pod.name)));
        }
        Ok(Some(standing))
    }

    /// Whether an object could be made. Nothing is.
    ///
    /// # Errors
    /// When the server would refuse it.
    pub async fn try_create(&self, object: &Value) -> Result<(), RequestError> {
        let manifest = Manifest { object: object.clone() };
        let operation = format!("try to create {manifest}");
        let data = serde_json::from_value(object.clone())
            .map_err(|error| RequestError::new(&operation, Failure::Other, error.to_string()))?;
        let parameters = PostParams { dry_run: true, field_manager: Some(FIELD_MANAGER.to_owned()) };
        let api = self.api(&manifest);
        self.read(&operation, || api.create(&parameters, &data)).await?;
        Ok(())
    }

    /// The name that the server knows us by.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn user_name(&self) -> Result<String, RequestError> {
        let api: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let (parameters, review) = (PostParams::default(), SelfSubjectReview::default());
        let answer = self.read("ask who we are", || api.create(&parameters, &review)).await?;
        let user = answer.status.and_then(|status| status.user_info).and_then(|user| user.username);
        Ok(user.unwrap_or_else(|| "unknown".to_owned()))
    }

    /// The revisions of a workload's template, the newest first.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn revisions(&self, workload: &WorkloadRef) -> Result<Vec<Revision>, RequestError> {
        let set = self.stateful_set(workload).await?;
        let workload = convert::workload(&set, &workload.namespace);
        let api: Api<ControllerRevision> =
            Api::namespaced(self.client.clone(), &workload.reference.namespace);
        let operation = format!("list the revisions of {}", workload.reference);
        let selector = super::snapshot::label_selector(&workload.selector);
        let found = self.list(&operation, &api, ListParams::default().labels(&selector)).await?;
        let mut revisions: Vec<Revision> = found
            .into_iter()
            .filter(|one| {
                let owners = one.metadata.owner_references.iter().flatten();
                owners.into_iter().any(|owner| owner.uid == workload.uid)
            })
            .map(|one| Revision {
                name: one.metadata.name.unwrap_or_default(),
                number: one.revision,
                template: one
                    .data
                    .and_then(|data| data.0.pointer("/spec/template").cloned())
                    .unwrap_or_default(),
                created_at: one.metadata.creation_timestamp.map(|time| time.0),
            })
            .collect();
        revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
        Ok(revisions)
    }

    /// The revision that a change of the template leads to, if the controller has one for it already.
    ///
    /// # Errors
    /// When the revisions cannot be listed.
    pub async fn revision_of(
        &self,
        workload: &WorkloadRef,
        arming: &Change,
    ) -> Result<Option<String>, RequestError> {
        let Some(template) = arming.template() else { return Ok(None) };
        let revisions = self.revisions(workload).await?;
        Ok(revisions.into_iter().find(|revision| is_same(&revision.template, template)).map(|one| one.name))
    }
}

/// Whether a revision holds this template. The controller adds a directive, and leaves out what is empty.
fn is_same(revision: &Value, template: &Value) -> bool {
    let meant = |template: &Value| {
        let mut template = template.clone();
        if let Some(fields) = template.as_object_mut() {
            fields.remove("$patch");
            if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.retain(|key, value| key != "creationTimestamp" && !value.is_null());
            }
        }
        template
    };
    meant(revision) == meant(template)
}
