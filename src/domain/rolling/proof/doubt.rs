//! What could not be proved, and why.

use std::fmt;

use crate::domain::names::NodePoolName;
use crate::domain::snapshot::Unknown;

/// Something that a proof takes for granted. It is no reason to refuse; the operator should know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A part of the cluster could not be read.
    Unread { what: Unread, unknown: Unknown },
    /// A pool makes machines of which neither the catalogue nor a node of the snapshot says how large they are.
    /// `instance_types` are the types that the pool names; empty when it names none.
    UnknownMachines { pool: NodePoolName, instance_types: Vec<String> },
    /// A pool may make machines of different sizes, and Karpenter chooses. `counted_on` are the types of the plan;
    /// `others` is how many other types hold a shard, too.
    Choice { pool: NodePoolName, counted_on: Vec<String>, others: usize },
    /// The operation works only if Karpenter makes larger machines than one waiting shard needs; if it takes the
    /// cheapest each time, the pool's limits are used up before step `stops_at` (1 is the first).
    LuckyChoice { counted_on: Vec<String>, stops_at: u32 },
    /// A pool may make a machine that takes no premium disk, and Karpenter does not look at disks.
    PremiumDisks { pool: NodePoolName, instance_type: String },
    /// A pool requires something of its machines that is not known of any.
    Requirement { pool: NodePoolName, key: String },
    /// A pool has a limit on something of which it is not known how much a machine takes.
    Limit { pool: NodePoolName, resource: String },
    /// Karpenter has not said whether a pool is ready.
    PoolNotSettled { pool: NodePoolName },
    /// Several pools may make the nodes, and Karpenter chooses.
    SeveralPools { pools: Vec<NodePoolName> },
    /// So many pods on a new node were taken for possible: the pool's node class does not say how many are.
    PodsPerNode { pool: NodePoolName, assumed: u32 },
    /// A rule of the template about which pods may be near each other that cannot be judged from the shards alone.
    Company { rule: String },
    /// The pool does not say in which zones it makes nodes, and the template spreads its pods over zones.
    Zones { pool: NodePoolName },
    /// The template does not name the pools that it goes to: there may be nodes for it that were not looked at.
    OtherNodes,
    /// Neither a way nor its absence was found in the time that a proof may take; `step` (1 is the first) and those
    /// after it are not proved.
    Undecided { step: u32 },
}

/// A part of the cluster that was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    Nodes,
    /// The nodes of the pools that the shards are to go to.
    PoolNodes,
    Occupants,
    NodePools,
    NodeClasses,
    DaemonSets,
    AttachLimits,
    Quotas,
    Volumes,
    StorageClasses,
}

impl Unread {
    /// What is assumed instead.
    fn instead(self) -> &'static str {
        match self {
            Self::Nodes => "no node that is there is counted on",
            Self::PoolNodes => "of the target pool's nodes only those that carry shards are counted on",
            Self::Occupants => "on a node that is there only the room that shards leave is counted on",
            Self::NodePools => "no new node is counted on",
            Self::NodeClasses => "the node classes are taken for ready",
            Self::DaemonSets => {
                "a new node is taken to carry the daemons that the nodes carry which are there"
            }
            Self::AttachLimits => "a node is taken to attach as many disks as its size can",
            Self::Quotas => "no quota is counted with",
            Self::Volumes => "volumes are taken to be reachable from every node",
            Self::StorageClasses => "disks are taken for attachable to every machine",
        }
    }
}

impl Doubt {
    pub(super) fn unread(what: Unread, unknown: &Unknown) -> Self {
        Self::Unread { what, unknown: unknown.clone() }
    }
}

impl fmt::Display for Doubt {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread { what, unknown } => write!(f, "{unknown}; {}", what.instead()),
            Self::UnknownMachines { pool, instance_types } if instance_types.is_empty() => write!(
                f,
                "nodepool/{pool} names no instance type and is not of a provider whose types are known here: whether \
                 its machines hold a shard, and how many, is not known"
            ),
            Self::UnknownMachines { pool, instance_types } => write!(
                f,
                "nodepool/{pool} makes {}, which the catalogue does not have and no node shows: whether it holds a \
                 shard, and how many, is not known",
                instance_types.join(", ")
            ),
            Self::Choice { pool, counted_on, others } => write!(
                f,
                "nodepool/{pool} is not pinned to one instance type: the plan counts on {}, and Karpenter may make \
                 one of {others} others",
                counted_on.join(", ")
            ),
            Self::LuckyChoice { counted_on, stops_at } => write!(
                f,
                "it works only if Karpenter makes {}; if it makes the cheapest machine for each shard that waits, the \
                 limits are used up before step {stops_at}: pin the instance type",
                counted_on.join(", ")
            ),
            Self::PremiumDisks { pool, instance_type } => write!(
                f,
                "nodepool/{pool} may make a {instance_type}, which takes no premium disk: require \
                 karpenter.azure.com/sku-storage-premium-capable In [true]"
            ),
            Self::Requirement { pool, key } => {
                write!(
                    f,
                    "nodepool/{pool} requires {key}, which is not known of any machine; it was passed over"
                )
            }
            Self::Limit { pool, resource } => {
                write!(f, "nodepool/{pool} has a limit on {resource}, which was passed over")
            }
            Self::PoolNotSettled { pool } => {
                write!(f, "Karpenter has not said whether nodepool/{pool} is ready")
            }
            Self::SeveralPools { pools } => {
                let names: Vec<String> = pools.iter().map(|pool| format!("nodepool/{pool}")).collect();
                write!(f, "Karpenter may make the nodes from any of {}", names.join(", "))
            }
            Self::PodsPerNode { pool, assumed } => write!(
                f,
                "a new node of nodepool/{pool} is taken to run {assumed} pods; its node class does not say how many"
            ),
            Self::Company { rule } => {
                write!(f, "{rule} cannot be judged from the shards alone; it was passed over")
            }
            Self::Zones { pool } => write!(
                f,
                "nodepool/{pool} does not say in which zones it makes nodes, and the template spreads its pods over zones"
            ),
            Self::OtherNodes => f.write_str(
                "the template names no node pool, so there may be room on nodes that carry no shard; those were not \
                 looked at",
            ),
            Self::Undecided { step } => write!(
                f,
                "neither a way to carry out step {step} nor its absence could be found; from there on nothing is proved"
            ),
        }
    }
}
