//! What a proof looks at beyond the snapshot.

use std::collections::BTreeMap;

use crate::domain::names::NodeName;
use crate::domain::prerequisites::Quota;
use crate::domain::snapshot::{DaemonSet, Part};

/// Who else takes room on a node that does not exist yet, what the namespace may use, how many disks a node takes.
///
/// What could not be read is a doubt of the proof, and no reason to refuse.
#[derive(Clone, Debug)]
pub struct Terrain {
    /// The DaemonSets of all namespaces.
    pub daemon_sets: Part<Vec<DaemonSet>>,
    /// How many volumes each node of the snapshot can attach, by the name of the driver. A node or driver that sets
    /// no limit has no entry.
    pub attach_limits: Part<BTreeMap<NodeName, BTreeMap<String, u32>>>,
    /// The quotas of the namespace.
    pub quotas: Part<Vec<Quota>>,
    /// Whether the snapshot holds all nodes of the pools that the shards are to go to.
    pub pool_nodes: Part<()>,
}
