//! What stands around the shards: budgets, services, storage, autoscalers, usage.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, DynamicObject, ListParams};

use super::{api_resource, label_selector, not_asked, part};
use crate::domain::names::{ClaimName, PodName, VolumeName};
use crate::domain::quantity::Resources;
use crate::domain::snapshot::{
    Claim, DisruptionBudget, Part, Service, Shard, StorageClass, Unknown, VerticalAutoscaler, Volume,
    Workload,
};
use crate::k8s::client::Cluster;
use crate::k8s::convert;
use crate::k8s::error::RequestError;

impl Cluster {
    pub(super) async fn disruption_budgets(&self) -> Result<Vec<DisruptionBudget>, RequestError> {
        let api: Api<PodDisruptionBudget> = Api::namespaced(self.client.clone(), self.namespace());
        let operation = format!("list pod disruption budgets in namespace {}", self.namespace());
        let list = self.list(&operation, &api, ListParams::default()).await?;
        Ok(list.iter().map(convert::disruption_budget).collect())
    }

    /// The services that select the shards, or that the workload names as its own.
    pub(super) async fn services(&self, workload: &Workload) -> Result<Vec<Service>, RequestError> {
        let namespace = self.namespace();
        let api: Api<core::Service> = Api::namespaced(self.client.clone(), namespace);
        let operation = format!("list services in namespace {namespace}");
        let services = self.list(&operation, &api, ListParams::default()).await?;
        let labels = &workload.template.labels;
        let ours: Vec<&core::Service> = services
            .iter()
            .filter(|service| {
                let is_named = service.metadata.name.as_deref() == Some(workload.service_name.as_str());
                let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
                let selects = selector.is_some_and(|selector| {
                    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
                });
                is_named || selects
            })
            .collect();
        if ours.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<&str> = ours.iter().filter_map(|service| service.metadata.name.as_deref()).collect();
        let api: Api<EndpointSlice> = Api::namespaced(self.client.clone(), namespace);
        let operation = format!("list the endpoints of services {}", names.join(", "));
        let parameters =
            ListParams::default().labels(&format!("kubernetes.io/service-name in ({})", names.join(",")));
        let slices = self.list(&operation, &api, parameters).await?;
        Ok(ours.into_iter().map(|service| convert::service(service, &slices)).collect())
    }

    pub(super) async fn storage(&self, workload: &Workload, shards: &[Shard]) -> StorageParts {
        if workload.claim_templates.is_empty() {
            return StorageParts {
                claims: Ok(BTreeMap::new()),
                volumes: Ok(BTreeMap::new()),
                classes: Ok(BTreeMap::new()),
            };
        }
        let claims = match self.claims(workload, shards).await {
            Ok(claims) => claims,
            Err(error) => {
                let unknown = Unknown::from(error);
                return StorageParts {
                    claims: Err(unknown.clone()),
                    volumes: Err(unknown.clone()),
                    classes: Err(unknown),
                };
            }
        };
        let volumes = async {
            let names = claims.values().filter_map(|claim| claim.volume.as_ref()).map(VolumeName::as_str);
            let volumes = self.get_each("persistent volume", names, convert::volume).await?;
            Ok(volumes.into_iter().map(|volume| (volume.name.clone(), volume)).collect())
        };
        let classes = async {
            let names: BTreeSet<&str> =
                claims.values().filter_map(|claim| claim.storage_class.as_deref()).collect();
            let classes = self.get_each("storage class", names.into_iter(), convert::storage_class).await?;
            Ok(classes.into_iter().map(|class| (class.name.clone(), class)).collect())
        };
        let (volumes, classes) = futures::join!(volumes, classes);
        StorageParts { volumes: part(volumes), classes: part(classes), claims: Ok(claims) }
    }

    /// The claims of the shards, found by their names: the controller overwrites their labels.
    async fn claims(
        &self,
        workload: &Workload,
        shards: &[Shard],
    ) -> Result<BTreeMap<ClaimName, Claim>, RequestError> {
        let wanted: BTreeSet<String> = shards
            .iter()
            .flat_map(|shard| {
                workload
                    .claim_templates
                    .iter()
                    .map(move |template| format!("{}-{}", template.name, shard.pod_name))
            })
            .collect();
        let api: Api<core::PersistentVolumeClaim> = Api::namespaced(self.client.clone(), self.namespace());
        let operation = format!("list persistent volume claims in namespace {}", self.namespace());
        let convert = |claim: core::PersistentVolumeClaim| {
            wanted.contains(claim.metadata.name.as_deref()?).then(|| convert::claim(&claim))
        };
        let claims = self.list_as(&operation, &api, ListParams::default(), convert).await?;
        Ok(claims.into_iter().map(|claim| (claim.name.clone(), claim)).collect())
    }

    pub(super) async fn autoscalers(
        &self,
        workload: &Workload,
    ) -> Result<Vec<VerticalAutoscaler>, RequestError> {
        let resource =
            api_resource("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler", "verticalpodautoscalers");
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), self.namespace(), &resource);
        let operation = format!("list vertical pod autoscalers in namespace {}", self.namespace());
        let list = match self.list(&operation, &api, ListParams::default()).await {
            Ok(list) => list,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let text = |object: &DynamicObject, pointer: &str| {
            object.data.pointer(pointer).and_then(|value| value.as_str()).map(str::to_owned)
        };
        Ok(list
            .iter()
            .filter(|object| {
                text(object, "/spec/targetRef/kind").as_deref() == Some("StatefulSet")
                    && text(object, "/spec/targetRef/name").as_deref()
                        == Some(workload.reference.name.as_str())
            })
            .map(|object| VerticalAutoscaler {
                name: object.metadata.name.clone().unwrap_or_default(),
                // The API's default.
                update_mode: text(object, "/spec/updatePolicy/updateMode")
                    .unwrap_or_else(|| "Recreate".to_owned()),
            })
            .collect())
    }

    pub(super) async fn usage(
        &self,
        workload: &Workload,
    ) -> Result<BTreeMap<PodName, Resources>, RequestError> {
        let used = self.container_usage(workload).await?;
        Ok(used.into_iter().map(|(pod, used)| (pod, used.into_values().sum())).collect())
    }

    /// What each container of each pod uses now.
    pub(super) async fn container_usage(
        &self,
        workload: &Workload,
    ) -> Result<BTreeMap<PodName, BTreeMap<String, Resources>>, RequestError> {
        let resource = api_resource("metrics.k8s.io", "v1beta1", "PodMetrics", "pods");
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), self.namespace(), &resource);
        let operation = format!("get the usage of pods in namespace {}", self.namespace());
        let parameters = ListParams::default().labels(&label_selector(&workload.selector));
        let list = self.list(&operation, &api, parameters).await?;
        let of_container = |container: &serde_json::Value| {
            let used = serde_json::from_value::<Resources>(container.get("usage")?.clone()).ok()?;
            Some((container.get("name")?.as_str()?.to_owned(), used))
        };
        Ok(list
            .iter()
            .map(|object| {
                let containers = object.data.get("containers").and_then(|value| value.as_array());
                let used = containers.into_iter().flatten().filter_map(of_container).collect();
                (PodName::new(object.metadata.name.clone().unwrap_or_default()), used)
            })
            .collect())
    }
}

/// What is known of claims, volumes and classes.
pub(super) struct StorageParts {
    pub claims: Part<BTreeMap<ClaimName, Claim>>,
    pub volumes: Part<BTreeMap<VolumeName, Volume>>,
    pub classes: Part<BTreeMap<String, StorageClass>>,
}

impl StorageParts {
    pub fn not_asked() -> Self {
        Self {
            claims: not_asked("claims"),
            volumes: not_asked("volumes"),
            classes: not_asked("storage classes"),
        }
    }
}
