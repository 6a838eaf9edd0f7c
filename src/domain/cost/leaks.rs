//! What is paid and serves nobody.

use std::fmt;

use super::Usd;
use super::inventory::{Inventory, Subject};
use super::node::NodeCost;
use super::storage::{DiskCost, DiskState, SnapshotCost};
use crate::domain::names::{NodeName, NodePoolName, VolumeName};
use crate::domain::snapshot::NodePool;

/// Something that is paid and serves nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    pub kind: LeakKind,
    /// US dollars per month; none where it is not known.
    pub per_month: Option<Usd>,
    /// Why it is there.
    pub why: String,
    /// What ends it.
    pub remedy: String,
}

/// What leaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeakKind {
    /// A node with nothing but DaemonSets on it that nothing takes away.
    EmptyNode { node: NodeName, pool: Option<NodePoolName> },
    /// A node of a pool that the service has left.
    LeftNode { node: NodeName, pool: NodePoolName },
    /// A disk that no pod mounts.
    Disk { volume: VolumeName, state: DiskState },
    /// A snapshot of a claim that is gone. What it costs is not known, only what it costs at most.
    Snapshot { namespace: String, name: String, at_most_per_month: Option<Usd> },
}

impl LeakKind {
    /// Kinds together, and what is dearest first as a rule.
    fn rank(&self) -> u8 {
        match self {
            Self::EmptyNode { .. } => 0,
            Self::LeftNode { .. } => 1,
            Self::Disk { .. } => 2,
            Self::Snapshot { .. } => 3,
        }
    }

    /// The kind in reports.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::EmptyNode { .. } => "empty-node",
            Self::LeftNode { .. } => "left-node",
            Self::Disk { .. } => "unattached-disk",
            Self::Snapshot { .. } => "snapshot-without-source",
        }
    }
}

impl fmt::Display for LeakKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyNode { node, .. } | Self::LeftNode { node, .. } => write!(f, "node/{node}"),
            Self::Disk { volume, .. } => write!(f, "persistentvolume/{volume}"),
            Self::Snapshot { namespace, name, .. } => {
                write!(f, "volumesnapshot/{name} in namespace {namespace}")
            }
        }
    }
}

impl Leak {
    /// Whether its money is part of the sum. That of a snapshot is not: it is known at most.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        !matches!(self.kind, LeakKind::Snapshot { .. })
    }
}

pub(super) fn leaks(
    inventory: &Inventory,
    nodes: &[NodeCost],
    disks: &[DiskCost],
    snapshots: &[SnapshotCost],
) -> Vec<Leak> {
    let nodes = nodes.iter().filter_map(|node| node_leak(inventory, node));
    let disks = disks.iter().filter_map(disk_leak);
    let snapshots = snapshots.iter().filter(|one| one.snapshot.source.is_some() && !one.snapshot.has_source);
    let snapshots = snapshots.map(|one| {
        let (namespace, name) = (one.snapshot.namespace.clone(), one.snapshot.name.clone());
        let claim = one.snapshot.source.as_ref().map(ToString::to_string).unwrap_or_default();
        Leak {
            why: format!("its claim {claim} is gone"),
            remedy: format!("if nobody needs it: kubectl delete volumesnapshot {name} -n {namespace}"),
            kind: LeakKind::Snapshot { namespace, name, at_most_per_month: one.at_most_per_month },
            per_month: None,
        }
    });
    let mut leaks: Vec<Leak> = nodes.chain(disks).chain(snapshots).collect();
    // Of one kind the dearest first; one whose price is not known comes last.
    leaks.sort_by_key(|leak| (leak.kind.rank(), std::cmp::Reverse(leak.per_month)));
    leaks
}

fn node_leak(inventory: &Inventory, node: &NodeCost) -> Option<Leak> {
    // A run makes and leaves nodes; what it leaves behind is told when it is over. What is being deleted leaks no more.
    if inventory.open_run().is_some() || node.is_deleting || !node.is_empty() {
        return None;
    }
    let leak =
        |kind, why: String, remedy: String| Some(Leak { kind, per_month: node.per_month(), why, remedy });
    let name = node.name.clone();
    let pool = node.node_pool.as_ref();
    let known = pool.and_then(|pool| inventory.pool(pool));
    if let (Subject::Service(service), Some(pool)) = (&inventory.subject, known)
        && !service.template.can_be_placed_on(pool)
    {
        let why = format!("the service has left nodepool/{}, which keeps it: {}", pool.name, kept_by(pool)?);
        // Pools delete their nodes with them; one that others use stays.
        let remedy = format!("if nobody else uses the pool: kubectl delete nodepool {}", pool.name);
        return leak(LeakKind::LeftNode { node: name, pool: pool.name.clone() }, why, remedy);
    }
    let why = match (pool, known) {
        (Some(_), Some(pool)) => {
            format!("it is empty, and nodepool/{} keeps it: {}", pool.name, kept_by(pool)?)
        }
        (Some(pool), None) if inventory.node_pools.is_ok() => {
            format!("it is empty, and its nodepool/{pool} is gone")
        }
        // Machines that Karpenter did not make are somebody else's to count, and system pools are never full.
        _ => return None,
    };
    let remedy = match known.filter(|pool| pool.replicas.is_some()) {
        Some(pool) => {
            format!("kubectl scale nodepool {} --replicas=N: a node that is deleted is made anew", pool.name)
        }
        None => format!("kubectl delete node {name}: Karpenter ends its machine"),
    };
    leak(LeakKind::EmptyNode { node: name, pool: pool.cloned() }, why, remedy)
}

/// Why Karpenter leaves an empty node of this pool alone; none when it takes it away.
fn kept_by(pool: &NodePool) -> Option<String> {
    if pool.replicas.is_some() {
        return Some("it keeps a fixed number of nodes (spec.replicas)".to_owned());
    }
    if pool.consolidate_after == "Never" {
        return Some("consolidateAfter is Never".to_owned());
    }
    let applies = |reasons: &[String]| reasons.is_empty() || reasons.iter().any(|reason| reason == "Empty");
    let closed = pool.budgets.iter().any(|budget| {
        matches!(budget.nodes.as_str(), "0" | "0%") && budget.schedule.is_none() && applies(&budget.reasons)
    });
    closed.then(|| "a budget of 0 nodes keeps every one".to_owned())
}

fn disk_leak(disk: &DiskCost) -> Option<Leak> {
    let volume = disk.disk.name.clone();
    let claim = disk.disk.claim.as_ref();
    let named = claim.map_or_else(|| "its claim".to_owned(), |(_, name)| format!("its claim {name}"));
    let why = match disk.state {
        DiskState::InUse | DiskState::Unknown => return None,
        DiskState::Unused => format!("{named} is there, and no pod mounts it"),
        DiskState::Released => {
            format!("{named} is gone, and the disk was kept (reclaim policy {})", disk.disk.reclaim_policy)
        }
        // Shares and folders that are offered to whoever comes are no disks that are paid for.
        DiskState::Available if disk.disk.sku.is_none() => return None,
        DiskState::Available => "nobody has claimed it".to_owned(),
        DiskState::Failed => format!("{named} is gone, and Kubernetes could not delete the disk"),
    };
    let remedy = match (disk.state, claim) {
        (DiskState::Unused, Some((namespace, name))) => {
            format!("if nobody needs its data: kubectl delete pvc {name} -n {namespace}")
        }
        // Deleting the object alone leaves the disk behind, and its price.
        (DiskState::Released, _) => format!(
            "if nobody needs its data: kubectl patch pv {volume} -p '{{\"spec\":{{\"persistentVolumeReclaimPolicy\":\"Delete\"}}}}'"
        ),
        _ => format!("kubectl describe pv {volume}; delete the disk at the provider, then the object"),
    };
    Some(Leak { kind: LeakKind::Disk { volume, state: disk.state }, per_month: disk.per_month, why, remedy })
}
