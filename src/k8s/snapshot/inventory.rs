//! What there is to be paid: of a service, of a node pool, of a cluster.
//!
//! For a service the nodes are those of its snapshot, those that its own pools made, and those of pools that it has left. Volumes
//! and snapshots of volumes come in pages, and only what belongs to the service is kept: Kubernetes cannot be asked for released
//! volumes of a service, and those are what nobody thinks of. For a cluster, nodes and pods come in pages, too.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1::StorageClass as ApiStorageClass;
use kube::api::{Api, DynamicObject, ListParams};

use super::{api_resource, part};
use crate::domain::catalogue::DEFAULT_DISK_SKU;
use crate::domain::cost::{Disk, DiskSnapshot, Inventory, Machine, Service, Subject};
use crate::domain::names::{ClaimName, NodeName, NodePoolName, PodName, VolumeName, WorkloadRef};
use crate::domain::rolling::{Operation, Run};
use crate::domain::shardset::manifests::SHARDSET_LABEL;
use crate::domain::snapshot::{AZURE_DISK, NODE_POOL_LABEL, Node, Occupant, Part, Snapshot, StorageClass};
use crate::k8s::client::Cluster;
use crate::k8s::convert;
use crate::k8s::error::RequestError;

/// A claim: namespace and name.
type ClaimKey = (String, ClaimName);

/// A pod on a node, and the claims that it mounts.
struct Guest {
    node: NodeName,
    occupant: Occupant,
    claims: Vec<ClaimKey>,
}

impl Cluster {
    /// What a service costs: its snapshot with nodes is there already, and so are its runs.
    pub async fn service_inventory(
        &self,
        service: Service,
        snapshot: &Snapshot,
        runs: Part<Vec<Run>>,
    ) -> Inventory {
        let own = claims_of(snapshot, &service);
        let (left, disks, snapshots) = futures::join!(
            self.other_nodes(&service.reference, runs.as_deref().unwrap_or_default()),
            self.disks(|claim| own.wanted(claim), |claim| own.user(claim)),
            self.disk_snapshots(Some(&service.reference.namespace), |claim| own.wanted(claim)),
        );
        let (disks, snapshots) = with_sources(disks, snapshots);
        let mut nodes = snapshot.nodes.clone();
        let mut occupants = snapshot.occupants.clone();
        let mut left_unknown = None;
        if let Ok(nodes) = &mut nodes {
            match left {
                Ok(left) => {
                    let added: BTreeMap<NodeName, Node> =
                        left.into_iter().filter(|(name, _)| !nodes.contains_key(name)).collect();
                    let names = added.keys().cloned().collect();
                    nodes.extend(added);
                    let more = self.occupants(&names, &service.reference).await;
                    occupants = match (occupants, more) {
                        (Ok(mut known), Ok(more)) => {
                            known.extend(more);
                            Ok(known)
                        }
                        (Ok(_), Err(error)) => Err(error.into()),
                        (unknown, _) => unknown,
                    };
                }
                Err(error) => left_unknown = Some(error.into()),
            }
        }
        // What the service is on is known all the same.
        let pods_unknown = occupants.as_ref().err().cloned().or(left_unknown);
        let on =
            |node: &Node| occupants.as_ref().ok().map(|all| all.get(&node.name).cloned().unwrap_or_default());
        Inventory {
            machines: nodes
                .map(|nodes| nodes.into_values().map(|node| Machine { pods: on(&node), node }).collect()),
            pods_unknown,
            node_pools: snapshot.node_pools.clone(),
            disks: part(disks),
            snapshots: part(snapshots),
            runs,
            taken_at: snapshot.taken_at,
            subject: Subject::Service(Box::new(service)),
        }
    }

    /// What the nodes of a pool cost, and the disks of the pods on them.
    pub async fn pool_inventory(&self, pool: &NodePoolName) -> Inventory {
        let nodes = self.nodes_labelled(&format!("{NODE_POOL_LABEL}={pool}")).await;
        let pods = match &nodes {
            Ok(nodes) => self.guests_of(nodes.keys()).await,
            Err(error) => Err(error.clone()),
        };
        let users = users(pods.as_deref().unwrap_or_default());
        let wanted = |claim: &ClaimKey| users.contains_key(claim);
        let disks = self.disks(wanted, |claim| users.get(claim).cloned()).await;
        // Snapshots belong to no node.
        self.inventory(Subject::NodePool(pool.clone()), nodes, pods, disks, Ok(Some(Vec::new()))).await
    }

    /// What everything costs.
    pub async fn whole_inventory(&self) -> Inventory {
        let (nodes, pods) = futures::join!(self.nodes_labelled(""), self.all_guests());
        let users = users(pods.as_deref().unwrap_or_default());
        let user = |claim: &ClaimKey| users.get(claim).cloned();
        let (disks, snapshots) =
            futures::join!(self.disks(|_| true, user), self.disk_snapshots(None, |_| true));
        let (disks, snapshots) = with_sources(disks, snapshots);
        // Without the pods nobody knows which disks are used: none is called a leak.
        let is_use_known = pods.is_ok();
        let disks = disks.map(|disks| disks.into_iter().map(|disk| Disk { is_use_known, ..disk }).collect());
        self.inventory(Subject::Cluster, nodes, pods, disks, snapshots).await
    }

    async fn inventory(
        &self,
        subject: Subject,
        nodes: Result<BTreeMap<NodeName, Node>, RequestError>,
        pods: Result<Vec<Guest>, RequestError>,
        disks: Result<Vec<Disk>, RequestError>,
        snapshots: Result<Option<Vec<DiskSnapshot>>, RequestError>,
    ) -> Inventory {
        let mut on: BTreeMap<NodeName, Vec<Occupant>> = BTreeMap::new();
        let pods_unknown = match pods {
            Ok(pods) => {
                for guest in pods {
                    on.entry(guest.node).or_default().push(guest.occupant);
                }
                None
            }
            Err(error) => Some(error.into()),
        };
        let mut pods_of = |node: &Node| match pods_unknown {
            None => Some(on.remove(&node.name).unwrap_or_default()),
            Some(_) => None,
        };
        let machines = nodes
            .map(|nodes| nodes.into_values().map(|node| Machine { pods: pods_of(&node), node }).collect());
        Inventory {
            subject,
            taken_at: self.server_now(),
            machines: part(machines),
            pods_unknown,
            node_pools: self.node_pools().await,
            disks: part(disks),
            snapshots: part(snapshots),
            runs: Ok(Vec::new()),
        }
    }

    /// Nodes that the service's pools made, and those of pools that it has left.
    async fn other_nodes(
        &self,
        service: &WorkloadRef,
        runs: &[Run],
    ) -> Result<BTreeMap<NodeName, Node>, RequestError> {
        let left: BTreeSet<&str> = runs
            .iter()
            .filter_map(|run| match &run.operation {
                Operation::Migrate { from, .. } => Some(from),
                _ => None,
            })
            .flatten()
            .map(NodePoolName::as_str)
            .collect();
        let left: Vec<&str> = left.into_iter().collect();
        let selector = format!("{SHARDSET_LABEL}={}", service.name);
        let (own, left) = futures::try_join!(self.nodes_labelled(&selector), self.nodes_of_pools(&left))?;
        let mut nodes = own;
        nodes.extend(left.into_iter().map(|node| (node.name.clone(), node)));
        Ok(nodes)
    }

    async fn nodes_labelled(&self, selector: &str) -> Result<BTreeMap<NodeName, Node>, RequestError> {
        let api: Api<core::Node> = Api::all(self.client.clone());
        let parameters = ListParams::default().labels(selector);
        let nodes = self.list_as("list nodes", &api, parameters, |node| Some(convert::node(&node))).await?;
        Ok(nodes.into_iter().map(|node| (node.name.clone(), node)).collect())
    }

    async fn all_guests(&self) -> Result<Vec<Guest>, RequestError> {
        let api: Api<core::Pod> = Api::all(self.client.clone());
        self.list_as("list the pods of all namespaces", &api, ListParams::default(), |pod| guest(&pod)).await
    }

    /// The pods of some nodes: of as many as a pool has, each asked for by its index.
    async fn guests_of(&self, nodes: impl Iterator<Item = &NodeName>) -> Result<Vec<Guest>, RequestError> {
        use futures::{StreamExt as _, TryStreamExt as _, stream};
        let api: Api<core::Pod> = Api::all(self.client.clone());
        let api = &api;
        let each: Vec<Vec<Guest>> = stream::iter(nodes)
            .map(|node| async move {
                let operation = format!("list the pods of node {node}");
                let on_it = ListParams::default().fields(&format!("spec.nodeName={node}")).match_any();
                self.list_as(&operation, api, on_it, |pod| guest(&pod)).await
            })
            .buffer_unordered(super::CONCURRENT_READS)
            .try_collect()
            .await?;
        Ok(each.into_iter().flatten().collect())
    }

    /// Volumes whose claims are wanted; one that nobody has claimed is wanted where every claim is.
    async fn disks(
        &self,
        wanted: impl Fn(&ClaimKey) -> bool,
        user: impl Fn(&ClaimKey) -> Option<PodName>,
    ) -> Result<Vec<Disk>, RequestError> {
        let volumes: Api<core::PersistentVolume> = Api::all(self.client.clone());
        let classes: Api<ApiStorageClass> = Api::all(self.client.clone());
        let nobody = (String::new(), ClaimName::default());
        let keep = |volume: core::PersistentVolume| {
            let disk = disk(&volume);
            let claim = disk.claim.clone();
            wanted(claim.as_ref().unwrap_or(&nobody)).then_some((volume, disk))
        };
        let classes = async {
            let classes = self.list("list storage classes", &classes, ListParams::default()).await?;
            let classes = classes.iter().map(convert::storage_class);
            Ok::<_, RequestError>(
                classes.map(|class| (class.name.clone(), class)).collect::<BTreeMap<String, StorageClass>>(),
            )
        };
        let volumes = self.list_as("list persistent volumes", &volumes, ListParams::default(), keep);
        // Of two that may not be read the same one is named each time.
        let (volumes, classes) = futures::join!(volumes, classes);
        let (volumes, classes) = (volumes?, classes?);
        let disks = volumes.into_iter().map(|(volume, disk)| {
            let class = disk.storage_class.as_ref().and_then(|name| classes.get(name));
            Disk { sku: sku(&volume, class), used_by: disk.claim.as_ref().and_then(&user), ..disk }
        });
        Ok(disks.collect())
    }

    /// Snapshots of volumes whose claims are wanted; none when the cluster has no such API.
    async fn disk_snapshots(
        &self,
        namespace: Option<&str>,
        wanted: impl Fn(&ClaimKey) -> bool,
    ) -> Result<Option<Vec<DiskSnapshot>>, RequestError> {
        let resource = api_resource("snapshot.storage.k8s.io", "v1", "VolumeSnapshot", "volumesnapshots");
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        };
        let keep = |object: DynamicObject| {
            let snapshot = disk_snapshot(&object);
            let claim = snapshot.source.clone().map(|source| (snapshot.namespace.clone(), source));
            claim.as_ref().is_some_and(&wanted).then_some(snapshot)
        };
        match self.list_as("list volume snapshots", &api, ListParams::default(), keep).await {
            Ok(snapshots) => Ok(Some(snapshots)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Which claims are a service's, and which shard each belongs to.
struct OwnClaims<'a> {
    service: &'a Service,
    templates: Vec<&'a str>,
    /// What its pods mount beside.
    mounted: BTreeMap<ClaimName, PodName>,
}

fn claims_of<'a>(snapshot: &'a Snapshot, service: &'a Service) -> OwnClaims<'a> {
    let mut mounted = BTreeMap::new();
    for shard in &snapshot.shards {
        for claim in shard.pod.iter().flat_map(|pod| &pod.claims) {
            mounted.insert(claim.clone(), shard.pod_name.clone());
        }
    }
    let templates = snapshot.workload.claim_templates.iter().map(|template| template.name.as_str()).collect();
    OwnClaims { service, templates, mounted }
}

impl OwnClaims<'_> {
    fn ordinal(&self, (namespace, name): &ClaimKey) -> Option<u32> {
        let set = &self.service.reference;
        if *namespace != set.namespace {
            return None;
        }
        let of =
            |template: &&str| name.as_str().strip_prefix(*template)?.strip_prefix('-').map(str::to_owned);
        let pods = self.templates.iter().filter_map(of);
        pods.into_iter().find_map(|pod| convert::ordinal(&set.name, &pod))
    }

    fn wanted(&self, claim: &ClaimKey) -> bool {
        self.ordinal(claim).is_some()
            || (claim.0 == self.service.reference.namespace && self.mounted.contains_key(&claim.1))
    }

    /// The pod that mounts it, or that should be there and is not.
    fn user(&self, claim: &ClaimKey) -> Option<PodName> {
        let mounted = self.mounted.get(&claim.1).filter(|_| claim.0 == self.service.reference.namespace);
        mounted.cloned().or_else(|| {
            let ordinal = self.ordinal(claim).filter(|ordinal| *ordinal < self.service.replicas)?;
            Some(PodName::new(format!("{}-{ordinal}", self.service.reference.name)))
        })
    }
}

/// Who mounts each claim.
fn users(pods: &[Guest]) -> BTreeMap<ClaimKey, PodName> {
    let claims =
        pods.iter().flat_map(|pod| pod.claims.iter().map(|claim| (claim.clone(), pod.occupant.name.clone())));
    claims.collect()
}

type Disks = Result<Vec<Disk>, RequestError>;
type Snapshots = Result<Option<Vec<DiskSnapshot>>, RequestError>;

/// Tells which snapshots have their claim: one that a volume is bound to is there.
fn with_sources(disks: Disks, snapshots: Snapshots) -> (Disks, Snapshots) {
    let bound: BTreeSet<&ClaimKey> = disks
        .iter()
        .flatten()
        .filter(|disk| disk.phase == "Bound")
        .filter_map(|disk| disk.claim.as_ref())
        .collect();
    let is_known = disks.is_ok();
    let told = snapshots.map(|found| {
        found.map(|snapshots| {
            let with_source = |one: DiskSnapshot| {
                let claim = one.source.clone().map(|source| (one.namespace.clone(), source));
                DiskSnapshot {
                    has_source: !is_known || claim.is_some_and(|claim| bound.contains(&claim)),
                    ..one
                }
            };
            snapshots.into_iter().map(with_source).collect()
        })
    });
    (disks, told)
}

fn guest(pod: &core::Pod) -> Option<Guest> {
    // A workload without a name: no pod is a shard of it, and all are told by their StatefulSets.
    let nobody = WorkloadRef { namespace: String::new(), name: String::new() };
    let spec = pod.spec.as_ref()?;
    let node = spec.node_name.clone().filter(|name| !name.is_empty())?;
    let occupant = convert::occupant(pod, &nobody)?;
    let claims = spec.volumes.iter().flatten().filter_map(|volume| {
        let claim = match (&volume.persistent_volume_claim, &volume.ephemeral) {
            (Some(source), _) => source.claim_name.clone(),
            (None, Some(_)) => format!("{}-{}", occupant.name, volume.name),
            (None, None) => return None,
        };
        Some((occupant.namespace.clone(), ClaimName::new(claim)))
    });
    Some(Guest { node: NodeName::new(node), claims: claims.collect(), occupant })
}

fn disk(volume: &core::PersistentVolume) -> Disk {
    let spec = volume.spec.clone().unwrap_or_default();
    let status = volume.status.clone().unwrap_or_default();
    let plain = convert::volume(volume);
    Disk {
        name: VolumeName::new(volume.metadata.name.clone().unwrap_or_default()),
        phase: status.phase.unwrap_or_else(|| "Pending".to_owned()),
        claim: spec.claim_ref.map(|claim| {
            (claim.namespace.unwrap_or_default(), ClaimName::new(claim.name.unwrap_or_default()))
        }),
        used_by: None,
        is_use_known: true,
        size: convert::storage(spec.capacity.as_ref()),
        storage_class: spec.storage_class_name.filter(|name| !name.is_empty()),
        sku: None,
        reclaim_policy: plain.reclaim_policy,
        node_terms: plain.node_terms,
        created_at: convert::time(volume.metadata.creation_timestamp.as_ref()),
    }
}

/// The sort of an Azure disk: as the volume says it, else as its class does, else what the driver makes.
fn sku(volume: &core::PersistentVolume, class: Option<&StorageClass>) -> Option<String> {
    let csi = volume.spec.as_ref()?.csi.as_ref()?;
    if csi.driver != AZURE_DISK {
        return None;
    }
    let said = |parameters: &BTreeMap<String, String>| {
        // The driver reads both names, in any case.
        let is_sku =
            |key: &str| ["skuname", "storageaccounttype"].contains(&key.to_ascii_lowercase().as_str());
        parameters.iter().find(|(key, _)| is_sku(key)).map(|(_, value)| value.clone())
    };
    let own = csi.volume_attributes.as_ref().and_then(&said);
    let of_class = || class.and_then(|class| said(&class.parameters));
    Some(own.or_else(of_class).unwrap_or_else(|| DEFAULT_DISK_SKU.to_owned()))
}

fn disk_snapshot(object: &DynamicObject) -> DiskSnapshot {
    let text =
        |pointer: &str| object.data.pointer(pointer).and_then(|value| value.as_str()).map(str::to_owned);
    DiskSnapshot {
        namespace: object.metadata.namespace.clone().unwrap_or_default(),
        name: object.metadata.name.clone().unwrap_or_default(),
        source: text("/spec/source/persistentVolumeClaimName").map(ClaimName::new),
        has_source: true,
        size: text("/status/restoreSize").and_then(|size| size.parse().ok()),
        created_at: text("/status/creationTime").and_then(|time| time.parse().ok()),
    }
}
