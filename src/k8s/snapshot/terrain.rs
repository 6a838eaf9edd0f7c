//! What proving a rolling operation takes beyond a snapshot.
//!
//! The requests are few however large the cluster is: one list of DaemonSets, of which a cluster has tens, one of the
//! namespace's quotas, one of the target pools' nodes, and for each node of the snapshot its CSINode by name.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::apps::v1::DaemonSet as ApiDaemonSet;
use k8s_openapi::api::storage::v1 as storage;
use kube::api::{Api, ListParams};

use super::part;
use crate::domain::names::{NodeName, NodePoolName};
use crate::domain::rolling::proof::Terrain;
use crate::domain::snapshot::{DaemonSet, NODE_POOL_LABEL, NodePool, PodTemplate, Snapshot};
use crate::k8s::client::Cluster;
use crate::k8s::convert;
use crate::k8s::error::RequestError;

impl Cluster {
    /// Reads the terrain of an operation after which shards look like `template`. A snapshot holds the pools that the
    /// shards are on; the nodes and classes of those that they are to go to are added to it: of `target_pool`, and of
    /// every pool that the template names.
    pub async fn terrain(
        &self,
        snapshot: &mut Snapshot,
        template: &PodTemplate,
        target_pool: Option<&NodePoolName>,
    ) -> Terrain {
        let targets: Vec<NodePool> = snapshot
            .node_pools
            .iter()
            .flatten()
            .filter(|pool| Some(&pool.name) == target_pool || is_named(template, &pool.name))
            .cloned()
            .collect();
        let pool_nodes = part(self.add_nodes(snapshot, &targets).await);
        let names: BTreeSet<NodeName> =
            snapshot.nodes.iter().flatten().map(|(name, _)| name.clone()).collect();
        let (daemon_sets, attach_limits, quotas, ()) = futures::join!(
            self.daemon_sets(),
            self.attach_limits(&names),
            self.quotas(),
            self.add_node_classes(snapshot, &targets),
        );
        Terrain {
            daemon_sets: part(daemon_sets),
            attach_limits: part(attach_limits),
            quotas: part(quotas),
            pool_nodes,
        }
    }

    async fn add_nodes(&self, snapshot: &mut Snapshot, pools: &[NodePool]) -> Result<(), RequestError> {
        let Ok(nodes) = &mut snapshot.nodes else { return Ok(()) };
        let pools: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
        let mut added = BTreeSet::new();
        for node in self.nodes_of_pools(&pools).await? {
            if !nodes.contains_key(&node.name) {
                added.insert(node.name.clone());
                nodes.insert(node.name.clone(), node);
            }
        }
        if let Ok(occupants) = &mut snapshot.occupants {
            match self.occupants(&added, &snapshot.workload.reference).await {
                Ok(more) => occupants.extend(more),
                Err(error) => snapshot.occupants = Err(error.into()),
            }
        }
        Ok(())
    }

    /// A class that cannot be read is left out: whether it is ready is said by its pool as well.
    async fn add_node_classes(&self, snapshot: &mut Snapshot, pools: &[NodePool]) {
        let Ok(classes) = &mut snapshot.node_classes else { return };
        for pool in pools {
            if classes.contains_key(&pool.name) {
                continue;
            }
            let reference = &pool.node_class;
            if let Ok(class) = self.node_class(&reference.group, &reference.kind, &reference.name).await {
                classes.insert(pool.name.clone(), class);
            }
        }
    }

    pub(super) async fn daemon_sets(&self) -> Result<Vec<DaemonSet>, RequestError> {
        let api: Api<ApiDaemonSet> = Api::all(self.client.clone());
        let parameters = ListParams::default().match_any();
        self.list_as("list daemonsets in all namespaces", &api, parameters, |set| {
            Some(convert::daemon_set(&set))
        })
        .await
    }

    async fn attach_limits(
        &self,
        nodes: &BTreeSet<NodeName>,
    ) -> Result<BTreeMap<NodeName, BTreeMap<String, u32>>, RequestError> {
        let convert = |node: &storage::CSINode| {
            (NodeName::new(node.metadata.name.clone().unwrap_or_default()), convert::attach_limits(node))
        };
        let limits = self.get_each("CSI node", nodes.iter().map(NodeName::as_str), convert).await?;
        Ok(limits.into_iter().collect())
    }
}

fn is_named(template: &PodTemplate, pool: &NodePoolName) -> bool {
    template
        .node_terms
        .iter()
        .flatten()
        .any(|one| one.key == NODE_POOL_LABEL && one.values.iter().any(|name| name == pool.as_str()))
}
