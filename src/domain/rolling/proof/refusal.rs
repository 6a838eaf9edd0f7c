//! Why an operation is not started: the first step that cannot be carried out, with the arithmetic.

use std::fmt;

use super::hosts::Shut;
use super::words::{has, leaves, needs, takes};
use crate::domain::names::{NodeName, NodePoolName, PodName};
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::snapshot::{NodeExpression, Taint};

/// Why an operation is not started. Nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The pool that the shards are to go to is not there.
    NoSuchPool {
        pool: NodePoolName,
        /// The one that most likely was meant.
        nearest: Option<NodePoolName>,
    },
    /// A shard has no place to go to.
    NoRoom(Box<NoRoom>),
    /// A shard has places that are large enough, and the template keeps it off them.
    KeptApart {
        at: At,
        /// The template's rule: "spread over kubernetes.io/hostname (maxSkew 1)".
        rule: String,
    },
    /// The namespace may not use as much as a shard of the new template requests.
    Quota { at: At, short: Box<QuotaShort> },
    /// The namespace may not use as much as placeholders for all shards request beside the shards.
    QuotaForRoom { shards: u32, short: Box<QuotaShort> },
}

/// A step of the operation. Displays as `step 6 of 10: biometric-shard-5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// 1 for the first.
    pub step: u32,
    pub of: u32,
    pub shard: PodName,
}

/// What a quota leaves, and what is needed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaShort {
    /// The name of the ResourceQuota.
    pub quota: String,
    /// The resource as the quota names it: `requests.memory`.
    pub resource: String,
    pub hard: Quantity,
    pub left: Quantity,
    pub needed: Quantity,
}

/// A shard without a place.
#[derive(Clone, Debug, PartialEq)]
pub struct NoRoom {
    pub at: At,
    /// What the shard requests.
    pub needs: Resources,
    /// The zones of its volumes; empty when it may go anywhere.
    pub zones: Vec<String>,
    /// Nodes that are there and open to it, and have no room.
    pub full: u32,
    /// The one of them that is nearest to having room.
    pub nearest: Option<FullNode>,
    /// Nodes that are there and not open to it: how many for each reason.
    pub shut: Vec<(String, u32)>,
    /// Why each pool makes no node for it.
    pub pools: Vec<(NodePoolName, NoNode)>,
}

/// A node without room for one more shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullNode {
    pub node: NodeName,
    /// What it has left.
    pub left: Resources,
    pub lack: Lack,
}

/// What a node lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// CPU or memory.
    Room,
    /// It runs as many pods as it may.
    Pods,
    /// It attaches as many disks as it can.
    Disks,
    /// It has a shard, and the template keeps shards apart.
    Distance,
}

/// Why a node pool makes no node.
#[derive(Clone, Debug, PartialEq)]
pub enum NoNode {
    /// It was asked to go.
    Deleting,
    /// A condition of it is false.
    NotReady { condition: String, message: String },
    /// Its node class is not there.
    ClassMissing { class: String },
    /// Its node class is not ready.
    ClassNotReady { class: String, message: String },
    /// It keeps a number of nodes, whether or not a pod waits.
    Static,
    /// The template does not tolerate its taint.
    Taint(Taint),
    /// The template asks of a node what the pool's nodes are not.
    Contradiction { expression: Option<NodeExpression> },
    /// Its largest machine leaves too little.
    TooSmall { instance_type: String, leaves: Resources },
    /// Its machine attaches too few disks for one shard.
    TooFewDisks { instance_type: String, disks: u32, needs: u32 },
    /// Its machines take no premium disks, and the shard has one.
    NoPremiumDisks { instance_type: String },
    /// It makes no nodes where the volumes are.
    Zone { volumes: Vec<String>, zones: Vec<String> },
    /// A limit leaves less than a machine takes.
    Limit(Box<ShortLimit>),
}

/// A limit of a pool that leaves less than its next machine takes.
#[derive(Clone, Debug, PartialEq)]
pub struct ShortLimit {
    /// `cpu`, `memory` or `nodes`.
    pub resource: &'static str,
    pub limit: Quantity,
    /// What the machines that are there and those of the steps before leave.
    pub left: Quantity,
    /// None when nothing is known of the machine but what the shard requests.
    pub instance_type: Option<String>,
    pub takes: Quantity,
    /// Limits that would do for every step.
    pub enough: Vec<(&'static str, Quantity)>,
}

impl NoNode {
    /// Whether it tells more about what is missing than another reason for the same pool.
    pub(super) fn is_nearer_than(&self, other: &Self) -> bool {
        let rank = |reason: &Self| match reason {
            Self::TooSmall { .. } => 0,
            Self::TooFewDisks { .. } => 1,
            Self::NoPremiumDisks { .. } => 2,
            Self::Zone { .. } => 3,
            _ => 4,
        };
        match (self, other) {
            (Self::TooSmall { leaves, .. }, Self::TooSmall { leaves: other, .. }) => {
                (leaves.memory, leaves.cpu) > (other.memory, other.cpu)
            }
            _ => rank(self) < rank(other),
        }
    }

    fn remedy(&self, pool: &NodePoolName) -> String {
        match self {
            Self::Limit(short) => {
                let enough: Vec<String> =
                    short.enough.iter().map(|(resource, amount)| format!("{resource} {amount}")).collect();
                format!(
                    "Raise spec.limits of nodepool/{pool} to {} or more; it does not drift any node",
                    enough.join(", ")
                )
            }
            Self::TooSmall { .. } | Self::TooFewDisks { .. } => {
                format!("Allow a larger instance type in nodepool/{pool}, or make the shards smaller")
            }
            Self::NoPremiumDisks { .. } => format!(
                "Require karpenter.azure.com/sku-storage-premium-capable In [true] in nodepool/{pool}, and allow types \
                 that have it"
            ),
            Self::Zone { volumes, .. } => format!(
                "Allow {} in the requirement of nodepool/{pool} on topology.kubernetes.io/zone",
                volumes.join(", ")
            ),
            Self::Taint(taint) => {
                format!("Add a toleration for {}={}:{} to the template", taint.key, taint.value, taint.effect)
            }
            Self::Contradiction { .. } => format!(
                "Compare the template's nodeSelector and node affinity with the requirements and labels of nodepool/{pool}"
            ),
            Self::Deleting => "Make another node pool: one that was asked to go cannot be kept".to_owned(),
            Self::NotReady { .. } => {
                format!("Mend what the condition names: `kubectl describe nodepool {pool}`")
            }
            Self::ClassMissing { .. } | Self::ClassNotReady { .. } => {
                format!("Mend spec.template.spec.nodeClassRef of nodepool/{pool}, or the class itself")
            }
            Self::Static => {
                format!("Raise spec.replicas of nodepool/{pool}: a static pool makes no node for a pod")
            }
        }
    }
}

impl Refusal {
    /// What to do about it, in one line.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoSuchPool { nearest: Some(nearest), .. } => format!("Did you mean {nearest}?"),
            Self::NoSuchPool { nearest: None, .. } => {
                "See `kubectl get nodepools`, or make the pool first".to_owned()
            }
            Self::NoRoom(room) => room.remedy(),
            Self::KeptApart { .. } => {
                "Loosen the rule in the template, or let the node pool make one node more".to_owned()
            }
            Self::Quota { short, .. } => {
                format!("Raise {} of resourcequota/{}, or ask for less", short.resource, short.quota)
            }
            Self::QuotaForRoom { short, .. } => format!(
                "Raise {} of resourcequota/{} for the time of the run, or do without making room first: --no-prewarm",
                short.resource, short.quota
            ),
        }
    }

    /// The step that cannot be carried out; none when nothing at all can be.
    #[must_use]
    pub fn at(&self) -> Option<&At> {
        match self {
            Self::NoRoom(room) => Some(&room.at),
            Self::KeptApart { at, .. } | Self::Quota { at, .. } => Some(at),
            Self::NoSuchPool { .. } | Self::QuotaForRoom { .. } => None,
        }
    }
}

impl NoRoom {
    fn remedy(&self) -> String {
        // A limit is the easiest to mend, and what a pool is not is the hardest.
        let limit = self.pools.iter().find(|(_, reason)| matches!(reason, NoNode::Limit(_)));
        match limit.or(self.pools.first()) {
            Some((pool, reason)) => reason.remedy(pool),
            None if self.full == 0 && !self.shut.is_empty() => {
                "Open a node to the shards: uncordon it, or mend what keeps it from being ready".to_owned()
            }
            None => "Make room: add a node that the template allows, or make the shards smaller".to_owned(),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} of {}: {}", self.step, self.of, self.shard)
    }
}

impl fmt::Display for Refusal {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPool { pool, .. } => write!(f, "there is no nodepool/{pool}"),
            Self::NoRoom(room) => room.fmt(f),
            Self::KeptApart { at, rule } => {
                write!(f, "{at} has no place that the template's rule allows: {rule}")
            }
            Self::Quota { at, short } => write!(f, "{at} needs {short}"),
            Self::QuotaForRoom { shards, short } => {
                write!(f, "making room for {shards} shards first needs {short}")
            }
        }
    }
}

impl fmt::Display for QuotaShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `requests.memory` is an amount of memory.
        let kind = self.resource.rsplit('.').next().unwrap_or_default();
        write!(
            f,
            "{} more of {}; resourcequota/{} has {} left of {}",
            takes(kind, self.needed),
            self.resource,
            self.quota,
            has(kind, self.left),
            self.hard
        )
    }
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} needs {}", self.at, needs(self.needs))?;
        if !self.zones.is_empty() {
            write!(f, " in {}", self.zones.join(" or "))?;
        }
        let mut parts = Vec::new();
        match &self.nearest {
            Some(nearest) if self.full == 1 => parts.push(format!("node {nearest}")),
            Some(nearest) => parts.push(format!("none of {} nodes takes it: {nearest}", self.full)),
            None => {}
        }
        if !self.shut.is_empty() {
            let shut: Vec<String> = self.shut.iter().map(|(why, nodes)| format!("{nodes} {why}")).collect();
            parts.push(format!("nodes that take no shard: {}", shut.join(", ")));
        }
        if self.pools.is_empty() {
            parts.push("there is no node pool that could make another node".to_owned());
        }
        parts.extend(self.pools.iter().map(|(pool, reason)| format!("nodepool/{pool} {reason}")));
        write!(f, "; {}", parts.join("; "))
    }
}

impl fmt::Display for FullNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lack {
            Lack::Room => write!(f, "{} has {} left", self.node, leaves(self.left)),
            Lack::Pods => write!(f, "{} runs as many pods as it may", self.node),
            Lack::Disks => write!(f, "{} attaches as many disks as it can", self.node),
            Lack::Distance => write!(f, "{} has a shard, and the template keeps shards apart", self.node),
        }
    }
}

impl fmt::Display for NoNode {
    /// What is said of the pool after its name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deleting => f.write_str("was asked to go"),
            Self::NotReady { condition, message } if message.is_empty() => {
                write!(f, "is not ready: {condition} is false")
            }
            Self::NotReady { condition, message } => {
                write!(f, "is not ready: {condition} is false: {message}")
            }
            Self::ClassMissing { class } => write!(f, "names {class}, which is not there"),
            Self::ClassNotReady { class, message } => {
                write!(f, "names {class}, which is not ready: {message}")
            }
            Self::Static => f.write_str("is static and makes no node for a pod that waits"),
            Self::Taint(taint) => {
                write!(
                    f,
                    "has the taint {}={}:{}, which the template does not tolerate",
                    taint.key, taint.value, taint.effect
                )
            }
            Self::Contradiction { expression: Some(one) } => {
                write!(
                    f,
                    "makes no node that is {} {} [{}], as the template requires",
                    one.key,
                    one.operator,
                    one.values.join(", ")
                )
            }
            Self::Contradiction { expression: None } => f.write_str("makes no node that the template allows"),
            Self::TooSmall { instance_type, leaves: room } => {
                write!(
                    f,
                    "makes nothing larger than {instance_type}, which leaves {} for shards",
                    leaves(*room)
                )
            }
            Self::TooFewDisks { instance_type, disks, needs } => {
                write!(f, "makes {instance_type}, which attaches {disks} disks, and a shard has {needs}")
            }
            Self::NoPremiumDisks { instance_type } => {
                write!(f, "makes {instance_type}, which takes no premium disk, and the shard has one")
            }
            Self::Zone { zones, .. } if zones.is_empty() => f.write_str("makes no node where its volume is"),
            Self::Zone { zones, .. } => write!(f, "makes nodes in {} only", zones.join(", ")),
            Self::Limit(short) => short.fmt(f),
        }
    }
}

impl fmt::Display for ShortLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (resource, limit) = (self.resource, self.limit);
        let (left, taken) = (has(resource, self.left), takes(resource, self.takes));
        write!(f, "has limit {resource} {limit} and {left} left, and ")?;
        match &self.instance_type {
            Some(name) => write!(f, "a {name} takes {taken}"),
            None => write!(f, "a node for it takes at least {taken}"),
        }
    }
}

impl fmt::Display for Shut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(closed) => closed.fmt(f),
            Self::Avoided => f.write_str("being emptied"),
            Self::PoolDeleting => f.write_str("of a pool that was asked to go"),
        }
    }
}
