//! Writes of whole objects: server-side apply under our own field manager, and deletes.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, PropagationPolicy};
use kube::core::{ApiResource, GroupVersionKind, PartialObjectMeta};
use serde_json::Value;

use super::client::{Cluster, FIELD_MANAGER};
use super::error::RequestError;
use crate::domain::shardset::manifests::Manifest;

/// How an apply is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApplyOptions {
    /// Let the server check and default the object, and change nothing.
    pub dry_run: bool,
    /// Take over fields that another manager owns.
    pub force: bool,
}

/// The kinds that shardctl names, and their names in paths.
const PLURALS: [(&str, &str); 12] = [
    ("Node", "nodes"),
    ("PersistentVolume", "persistentvolumes"),
    ("Pod", "pods"),
    ("Namespace", "namespaces"),
    ("PriorityClass", "priorityclasses"),
    ("NodePool", "nodepools"),
    ("NodeClaim", "nodeclaims"),
    ("Service", "services"),
    ("PodDisruptionBudget", "poddisruptionbudgets"),
    ("StatefulSet", "statefulsets"),
    ("PersistentVolumeClaim", "persistentvolumeclaims"),
    ("VerticalPodAutoscaler", "verticalpodautoscalers"),
];

/// An action that the current user should be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    pub verb: &'static str,
    pub group: String,
    pub resource: String,
    /// `portforward` of `pods/portforward`.
    pub subresource: Option<&'static str>,
    /// None for the whole cluster.
    pub namespace: Option<String>,
}

impl std::fmt::Display for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if let Some(subresource) = self.subresource {
            write!(f, "/{subresource}")?;
        }
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => f.write_str(" in the whole cluster"),
        }
    }
}

fn resource_of(manifest: &Manifest) -> ApiResource {
    let (group, version) = manifest.api_version().rsplit_once('/').unwrap_or(("", manifest.api_version()));
    let kind = manifest.kind();
    let plural = PLURALS.iter().find(|(known, _)| *known == kind).map_or("", |(_, plural)| plural);
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

impl Cluster {
    pub(super) fn api(&self, manifest: &Manifest) -> Api<DynamicObject> {
        let resource = resource_of(manifest);
        match manifest.namespace() {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }

    /// The object as it is on the server; none when it is not there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn live(&self, manifest: &Manifest) -> Result<Option<Value>, RequestError> {
        let api = self.api(manifest);
        let found = self.find(&format!("get {manifest}"), || api.get(manifest.name())).await?;
        Ok(found.and_then(|object| serde_json::to_value(object).ok()))
    }

    /// Applies an object and returns what the server made of it.
    ///
    /// # Errors
    /// When the server refuses: another manager owns a field, a field cannot change, a right is missing.
    pub async fn apply(&self, manifest: &Manifest, options: ApplyOptions) -> Result<Value, RequestError> {
        let api = self.api(manifest);
        let mut parameters = PatchParams::apply(FIELD_MANAGER).validation_strict();
        parameters.force = options.force;
        parameters.dry_run = options.dry_run;
        let patch = Patch::Apply(&manifest.object);
        let applied =
            self.write(&format!("apply {manifest}"), api.patch(manifest.name(), &parameters, &patch)).await?;
        serde_json::to_value(applied).map_err(|error| {
            RequestError::new(format!("apply {manifest}"), super::error::Failure::Other, error.to_string())
        })
    }

    /// Merges some fields into an object, as JSON merge patch, which unlike an apply can take a field away that
    /// somebody else set.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn merge(
        &self,
        manifest: &Manifest,
        patch: &Value,
        options: ApplyOptions,
    ) -> Result<(), RequestError> {
        let api = self.api(manifest);
        let parameters = PatchParams {
            dry_run: options.dry_run,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(patch);
        self.write(&format!("patch {manifest}"), api.patch(manifest.name(), &parameters, &patch)).await?;
        Ok(())
    }

    /// Deletes an object, and what it owns in the background. Returns whether it was there.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn delete(&self, manifest: &Manifest, dry_run: bool) -> Result<bool, RequestError> {
        let api = self.api(manifest);
        let parameters = DeleteParams {
            dry_run,
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        match self.write(&format!("delete {manifest}"), api.delete(manifest.name(), &parameters)).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Names of the objects of a kind in a namespace, or in the whole cluster, that carry the labels of `selector`;
    /// an empty selector means all.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub async fn names(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<Vec<String>, RequestError> {
        let api: Api<PartialObjectMeta<DynamicObject>> = {
            let resource = resource_of(&Manifest::reference(api_version, kind, namespace, ""));
            match namespace {
                Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
                None => Api::all_with(self.client.clone(), &resource),
            }
        };
        let operation = format!("list {}", kind.to_lowercase());
        let found = self.list(&operation, &api, ListParams::default().labels(selector)).await?;
        Ok(found.into_iter().filter_map(|object| object.metadata.name).collect())
    }

    /// What it takes to apply an object.
    #[must_use]
    pub fn permission_to_apply(manifest: &Manifest, verb: &'static str) -> Permission {
        let resource = resource_of(manifest);
        Permission {
            verb,
            group: resource.group,
            resource: resource.plural,
            subresource: None,
            namespace: manifest.namespace().map(str::to_owned),
        }
    }

    /// Whether the current user may do something.
    ///
    /// # Errors
    /// When the server does not say.
    pub async fn is_allowed(&self, permission: &Permission) -> Result<bool, RequestError> {
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    verb: Some(permission.verb.to_owned()),
                    group: Some(permission.group.clone()),
                    resource: Some(permission.resource.clone()),
                    subresource: permission.subresource.map(str::to_owned),
                    namespace: permission.namespace.clone(),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        // Creating a review changes nothing, so it may be tried again like a read.
        let parameters = PostParams::default();
        let answer = self
            .read(&format!("ask whether we may {permission}"), || api.create(&parameters, &review))
            .await?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }
}
