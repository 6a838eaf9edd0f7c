//! Nodes, the pods that take their room, and the pools and classes that Karpenter makes them from.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1 as core;
use kube::api::{Api, DynamicObject, ListParams};

use super::{CONCURRENT_READS, api_resource};
use crate::domain::names::{NodeName, NodePoolName, WorkloadRef};
use crate::domain::snapshot::{
    NODE_POOL_LABEL, Node, NodeClass, NodeClassRef, NodePool, Occupant, Part, Workload,
};
use crate::k8s::client::Cluster;
use crate::k8s::error::{Failure, RequestError};
use crate::k8s::{convert, karpenter};

impl Cluster {
    pub(in crate::k8s) async fn nodes_by_name(
        &self,
        names: &BTreeSet<NodeName>,
    ) -> Result<BTreeMap<NodeName, Node>, RequestError> {
        let nodes = self.get_each("node", names.iter().map(NodeName::as_str), convert::node).await?;
        Ok(nodes.into_iter().map(|node| (node.name.clone(), node)).collect())
    }

    /// Adds the nodes of the pools that the shards belong on, so that empty ones are seen.
    pub(super) async fn with_idle_nodes(
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
        for node in self.nodes_of_pools(&names).await? {
            nodes.entry(node.name.clone()).or_insert(node);
        }
        Ok(nodes)
    }

    pub(super) async fn nodes_of_pools(&self, pools: &[&str]) -> Result<Vec<Node>, RequestError> {
        if pools.is_empty() {
            return Ok(Vec::new());
        }
        let api: Api<core::Node> = Api::all(self.client.clone());
        let selector = format!("{NODE_POOL_LABEL} in ({})", pools.join(","));
        let parameters = ListParams::default().labels(&selector).match_any();
        let operation = format!("list the nodes of node pool {}", pools.join(", "));
        self.list_as(&operation, &api, parameters, |node| Some(convert::node(&node))).await
    }

    pub(super) async fn occupants(
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

    pub(super) async fn node_pools(&self) -> Part<Vec<NodePool>> {
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
    pub(super) async fn node_classes(
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
        let reference =
            NodeClassRef { group: group.to_owned(), kind: kind.to_owned(), name: name.to_owned() };
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
            return Ok(NodeClass {
                reference,
                exists: false,
                ready: None,
                max_pods: None,
                has_static_cpus: false,
            });
        };
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
        let found = self.find(&operation, || api.get(name)).await?;
        Ok(NodeClass {
            reference,
            exists: found.is_some(),
            max_pods: found.as_ref().and_then(karpenter::max_pods),
            has_static_cpus: found.as_ref().is_some_and(karpenter::has_static_cpus),
            ready: found.and_then(|object| karpenter::conditions(&object).remove("Ready")),
        })
    }
}
