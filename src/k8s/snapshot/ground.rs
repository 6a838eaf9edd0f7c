//! What a plan for machines that are not there yet takes from a cluster.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1 as core;
use kube::api::{Api, ListParams};

use super::part;
use crate::domain::snapshot::{DaemonSet, Node, NodeClass, NodeClassRef, Part, StorageClass};
use crate::k8s::client::Cluster;
use crate::k8s::convert;

/// Who takes room on every machine, and what is known of machines that are there.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The DaemonSets of all namespaces.
    pub daemon_sets: Part<Vec<DaemonSet>>,
    /// The nodes of the pools that were asked for.
    pub nodes: Part<Vec<Node>>,
    /// Some node of the cluster, for its region.
    pub any_node: Part<Option<Node>>,
    /// The classes that were asked for and are there, by name.
    pub storage_classes: Part<BTreeMap<String, StorageClass>>,
    pub node_class: Part<NodeClass>,
}

impl Cluster {
    /// Reads what a plan needs, in as many requests as there are storage classes and a handful more. A part that cannot be
    /// read is an error in its place.
    pub async fn ground(
        &self,
        pools: &[&str],
        storage_classes: &BTreeSet<&str>,
        node_class: &NodeClassRef,
    ) -> Ground {
        let api: Api<core::Node> = Api::all(self.client.clone());
        let one = ListParams::default().limit(1);
        let any_node = async {
            let nodes = self.read("list nodes", || api.list(&one)).await?;
            Ok(nodes.items.first().map(convert::node))
        };
        let classes = async {
            let names = storage_classes.iter().copied();
            let classes = self.get_each("storage class", names, convert::storage_class).await?;
            Ok(classes.into_iter().map(|class| (class.name.clone(), class)).collect())
        };
        let (daemon_sets, nodes, any_node, classes, node_class) = futures::join!(
            self.daemon_sets(),
            self.nodes_of_pools(pools),
            any_node,
            classes,
            self.node_class(&node_class.group, &node_class.kind, &node_class.name),
        );
        Ground {
            daemon_sets: part(daemon_sets),
            nodes: part(nodes),
            any_node: part(any_node),
            storage_classes: part(classes),
            node_class: part(node_class),
        }
    }
}
