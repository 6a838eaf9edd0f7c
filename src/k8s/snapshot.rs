//! Reads a snapshot. What it costs grows with the shards and their nodes, not with the cluster: pods by the
//! workload's selector, nodes by name, the pods of a node by a field selector that the server indexes.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{Api, DynamicObject, GetParams, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde::de::DeserializeOwned;

use super::client::Cluster;
use super::error::{Failure, RequestError};
use super::{convert, health, karpenter};
use crate::domain::names::{ClaimName, NodeName, NodePoolName, PodName, VolumeName, WorkloadRef};
use crate::domain::quantity::Resources;
use crate::domain::shardset::Adoptable;
use crate::domain::snapshot::{
    Claim, NODE_POOL_LABEL, Node, NodeClass, NodePool, Occupant, Part, Pod, Service, Shard, Snapshot,
    StorageClass, Unknown, VerticalAutoscaler, Volume, Workload,
};

/// Reads under way at the same time. More would queue in the API server's fair share of this user.
const CONCURRENT_READS: usize = 32;

/// What a snapshot should hold beyond the workload and its pods.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// Nodes, their occupants, and node pools.
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
                return (
                    not_asked("nodes"),
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
        let surroundings = async {
            if !scope.surroundings {
                return None;
            }
            Some(futures::join!(
                self.server_version(),
                self.disruption_budgets(),
                self.services(&workload),
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
        let ((nodes, occupants, node_pools, node_classes), surroundings, usage, health) =
            futures::join!(nodes_and_pools, surroundings, usage, health);
        let (health, health_unknown) = match health {
            Ok(health) => (health, None),
            Err(error) => (BTreeMap::new(), Some(Unknown::from(error))),
        };
        let (server_version, disruption_budgets, services, storage, autoscalers) = match surroundings {
            Some((version, budgets, services, storage, autoscalers)) => {
                (part(version), part(budgets), part(services), storage, part(autoscalers))
            }
            None => (
                not_asked("the API server's version"),
                not_asked("disruption budgets"),
                not_asked("services"),
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

    async fn stateful_set(&self, reference: &WorkloadRef) -> Result<StatefulSet, RequestError> {
        let api: Api<StatefulSet> = Api::namespaced(self.client.clone(), &reference.namespace);
        let operation = format!("get {reference} in namespace {}", reference.namespace);
        self.read(&operation, || api.get(&reference.name)).await
    }

    async fn workload_and_pods(
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

    async fn nodes_by_name(
        &self,
        names: &BTreeSet<NodeName>,
    ) -> Result<BTreeMap<NodeName, Node>, RequestError> {
        let nodes = self.get_each("node", names.iter().map(NodeName::as_str), convert::node).await?;
        Ok(nodes.into_iter().map(|node| (node.name.clone(), node)).collect())
    }

    /// Adds the nodes of the pools that the shards belong on, so that empty ones are seen.
    async fn with_idle_nodes(
        &self,
        mut nodes: BTreeMap<NodeName, Node>,
        workload: &Workload,
        pools: &[NodePool],
    ) -> Result<BTreeMap<NodeName, Node>, RequestError> {
        let own: BTreeSet<NodePoolName> = nodes.values().filter_map(Node::node_pool).collect();
        // A pool that merely could carry the shards may be huge and is somebody else's.
        let named = pools.iter().filter(|pool| {
            own.contains(&pool.name)
                || workload.template.node_terms.iter().flatten().any(|one| {
                    one.key == NODE_POOL_LABEL && one.values.iter().any(|name| name == pool.name.as_str())
                })
        });
        let names: Vec<&str> = named.map(|pool| pool.name.as_str()).collect();
        if names.is_empty() {
            return Ok(nodes);
        }
        let api: Api<core::Node> = Api::all(self.client.clone());
        let selector = format!("{NODE_POOL_LABEL} in ({})", names.join(","));
        let parameters = ListParams::default().labels(&selector).match_any();
        let operation = format!("list the nodes of node pool {}", names.join(", "));
        for node in self.list_as(&operation, &api, parameters, |node| Some(convert::node(&node))).await? {
            nodes.entry(node.name.clone()).or_insert(node);
        }
        Ok(nodes)
    }

    async fn occupants(
        &self,
        nodes: &BTreeSet<NodeName>,
        reference: &WorkloadRef,
    ) -> Result<BTreeMap<NodeName, Vec<Occupant>>, RequestError> {
        let api: Api<core::Pod> = Api::all(self.client.clone());
        let api = &api;
        stream::iter(nodes)
            .map(|node| async move {
                let operation = format!("list the pods of node {node}");
                let parameters = ListParams::default().fields(&format!("spec.nodeName={node}")).match_any();
                let convert = |pod: core::Pod| convert::occupant(&pod, reference);
                let mut occupants: Vec<Occupant> = self.list_as(&operation, api, parameters, convert).await?;
                occupants.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
                Ok((node.clone(), occupants))
            })
            .buffer_unordered(CONCURRENT_READS)
            .try_collect()
            .await
    }

    async fn node_pools(&self) -> Part<Vec<NodePool>> {
        let resource = api_resource("karpenter.sh", "v1", "NodePool", "nodepools");
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        let parameters = ListParams::default().match_any();
        let pools = match self.list("list node pools", &api, parameters).await {
            Ok(pools) => pools,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut pools = pools
            .iter()
            .map(karpenter::node_pool)
            .collect::<Result<Vec<NodePool>, _>>()
            .map_err(|error| RequestError::new("read node pools", Failure::Other, error.to_string()))?;
        pools.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(pools)
    }

    /// The node classes of the pools that the template can be placed on.
    async fn node_classes(
        &self,
        workload: &Workload,
        pools: &Part<Vec<NodePool>>,
    ) -> Part<BTreeMap<NodePoolName, NodeClass>> {
        let mut classes = BTreeMap::new();
        let pools = pools.as_ref().map_err(Clone::clone)?;
        for pool in pools.iter().filter(|pool| workload.template.can_be_placed_on(pool)) {
            let reference = &pool.node_class;
            let class = self.node_class(&reference.group, &reference.kind, &reference.name).await?;
            classes.insert(pool.name.clone(), class);
        }
        Ok(classes)
    }

    /// Reads a node class of whichever provider.
    ///
    /// # Errors
    /// When the read fails for another reason than that the class or its API does not exist.
    pub async fn node_class(&self, group: &str, kind: &str, name: &str) -> Result<NodeClass, RequestError> {
        let reference = crate::domain::snapshot::NodeClassRef {
            group: group.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        };
        let operation = format!("get node class {kind} {name}");
        let discovered = self.find(&operation, || kube::discovery::group(&self.client, group)).await;
        let resource = match discovered {
            Ok(Some(group)) => group.recommended_kind(kind),
            Ok(None) => None,
            // kube tells of a missing group by an error of its own.
            Err(error) if error.failure == Failure::Other => None,
            Err(error) => return Err(error),
        };
        let Some((resource, _)) = resource else {
            return Ok(NodeClass { reference, exists: false, ready: None });
        };
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        let found = self.find(&operation, || api.get(name)).await?;
        Ok(NodeClass {
            reference,
            exists: found.is_some(),
            ready: found.and_then(|object| karpenter::conditions(&object).remove("Ready")),
        })
    }

    async fn disruption_budgets(
        &self,
    ) -> Result<Vec<crate::domain::snapshot::DisruptionBudget>, RequestError> {
        let api: Api<PodDisruptionBudget> = Api::namespaced(self.client.clone(), self.namespace());
        let operation = format!("list pod disruption budgets in namespace {}", self.namespace());
        let list = self.list(&operation, &api, ListParams::default()).await?;
        Ok(list.iter().map(convert::disruption_budget).collect())
    }

    /// The services that select the shards, or that the workload names as its own.
    async fn services(&self, workload: &Workload) -> Result<Vec<Service>, RequestError> {
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

    async fn storage(&self, workload: &Workload, shards: &[Shard]) -> StorageParts {
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

    async fn autoscalers(&self, workload: &Workload) -> Result<Vec<VerticalAutoscaler>, RequestError> {
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

    async fn usage(&self, workload: &Workload) -> Result<BTreeMap<PodName, Resources>, RequestError> {
        let resource = api_resource("metrics.k8s.io", "v1beta1", "PodMetrics", "pods");
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), self.namespace(), &resource);
        let operation = format!("get the usage of pods in namespace {}", self.namespace());
        let parameters = ListParams::default().labels(&label_selector(&workload.selector));
        let list = self.list(&operation, &api, parameters).await?;
        Ok(list
            .iter()
            .map(|object| {
                let containers = object.data.get("containers").and_then(|value| value.as_array());
                let used = containers
                    .into_iter()
                    .flatten()
                    .filter_map(|container| {
                        serde_json::from_value::<Resources>(container.get("usage")?.clone()).ok()
                    })
                    .sum();
                (PodName::new(object.metadata.name.clone().unwrap_or_default()), used)
            })
            .collect())
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

/// What is known of claims, volumes and classes.
struct StorageParts {
    claims: Part<BTreeMap<ClaimName, Claim>>,
    volumes: Part<BTreeMap<VolumeName, Volume>>,
    classes: Part<BTreeMap<String, StorageClass>>,
}

impl StorageParts {
    fn not_asked() -> Self {
        Self {
            claims: not_asked("claims"),
            volumes: not_asked("volumes"),
            classes: not_asked("storage classes"),
        }
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

/// One entry per ordinal below `replicas`, and one for each pod that is left over.
fn shards(workload: &Workload, pods: Vec<(u32, Pod)>) -> Vec<Shard> {
    let set = &workload.reference.name;
    let mut by_ordinal: BTreeMap<u32, Option<Pod>> =
        (0..workload.replicas).map(|ordinal| (ordinal, None)).collect();
    by_ordinal.extend(pods.into_iter().map(|(ordinal, pod)| (ordinal, Some(pod))));
    by_ordinal
        .into_iter()
        .map(|(ordinal, pod)| Shard { ordinal, pod_name: PodName::new(format!("{set}-{ordinal}")), pod })
        .collect()
}
