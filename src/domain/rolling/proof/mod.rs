//! The proof of a rolling operation: before anything is changed, that every step can be carried out.
//!
//! [`prove`] looks for one way to place every shard, step by step: on nodes that are there, and on machines that
//! Karpenter can make within the limits of its pools. What it finds is a proof that a way exists, and no prophecy that
//! kube-scheduler and Karpenter go that way; where the way depends on a choice of theirs, a [`Doubt`] says so. What it
//! does not find does not exist: it refuses with the first step that no assignment carries out, and the arithmetic. A
//! part of the cluster that could not be read is a doubt and no reason to refuse.
//!
//! 1. The shards are put in steps, and in classes by what their volumes ask of a node (`moves`).
//! 2. For each node that is open to them: how many it holds after which wave (`hosts`).
//! 3. For each machine that a pool can make: how many it holds, and what it takes of the limits (`pools`,
//!    `machines`, `labels`).
//! 4. The quotas of the namespace are held against what is requested (`quota`).
//! 5. Steps are matched with places (`placement`), making machines as Karpenter would, and where that ends at a limit,
//!    in every other way (`search`).
//! 6. Where the template spreads its pods or keeps them apart, the steps are played under these rules (`apart`).

mod apart;
mod doubt;
mod hosts;
mod labels;
mod machines;
mod moves;
mod placement;
mod pools;
#[cfg(test)]
mod properties;
mod quota;
mod refusal;
mod search;
mod terrain;
#[cfg(test)]
mod tests;
mod words;
mod writer;

use std::collections::BTreeSet;
use std::fmt;

use apart::{Apart, Played};
use hosts::count;
use moves::Moves;
use placement::{Placement, Problem};
use search::{Batch, Found, Stuck};
use writer::Writer;

use super::super::names::{NodeName, NodePoolName, PodName, nearest};
use super::super::quantity::Quantity;
use super::super::snapshot::{NODE_POOL_LABEL, NodeTerm, PodTemplate, Snapshot};
pub use doubt::{Doubt, Unread};
pub use labels::{daemons_on, unmet};
pub use refusal::{At, FullNode, Lack, NoNode, NoRoom, QuotaShort, Refusal, ShortLimit};
pub use terrain::Terrain;

/// Alternatives of what a node must be.
type Terms = Vec<NodeTerm>;

/// The label that tells nodes apart.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// What is to be proved.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What moved shards will look like.
    pub template: &'a PodTemplate,
    /// The shards that go down together, in order. Each shard is in one wave only.
    pub waves: &'a [Vec<u32>],
    /// The pool that moved shards are to go to; none leaves it to the template.
    pub target_pool: Option<&'a NodePoolName>,
    /// Nodes that take no moved shard although they look open: those that are being emptied.
    pub avoid_nodes: &'a BTreeSet<NodeName>,
    /// Whether the places of all shards are made before the first goes down; else a shard's own place is free again
    /// when it comes back.
    pub makes_room_first: bool,
}

/// That every step can be carried out, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proof {
    /// One for each shard, in order.
    pub steps: Vec<Step>,
    /// The machines that are made, in the order in which they are needed. Machines of which nothing is known are not
    /// among them, for neither is their number.
    pub new_nodes: Vec<NewNode>,
    /// The limits of the pools that make machines.
    pub limits: Vec<LimitUse>,
    /// What could not be proved.
    pub doubts: Vec<Doubt>,
}

/// A shard that goes down, and the place that it finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// 1 for the first of the operation.
    pub number: u32,
    /// 1 for the first wave.
    pub wave: u32,
    pub ordinal: u32,
    pub shard: PodName,
    pub destination: Destination,
}

/// Where a shard finds a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A node that is there.
    Node {
        name: NodeName,
        /// Whether it is the node that the shard leaves.
        is_own: bool,
    },
    /// A new machine: the n-th of [`Proof::new_nodes`], 1 for the first.
    NewNode { number: u32, instance_type: String },
    /// Some machine that this pool makes, of which nothing is known.
    Unknown { pool: NodePoolName },
    /// Nothing is proved of this step.
    Unproved,
}

/// A machine that is made for the operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNode {
    /// 1 for the first.
    pub number: u32,
    pub pool: NodePoolName,
    /// The type that is counted on: `Standard_E16s_v5`.
    pub instance_type: String,
    /// The zone, where it matters or is known.
    pub zone: Option<String>,
    /// Moved shards on it in the end.
    pub shards: u32,
}

/// What an operation takes of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitUse {
    pub pool: NodePoolName,
    /// `cpu`, `memory` or `nodes`.
    pub resource: &'static str,
    pub limit: Quantity,
    /// What the pool's nodes take of it now.
    pub before: Quantity,
    /// What they take of it once every machine is made; the old nodes are still there.
    pub after: Quantity,
}

impl Proof {
    /// Whether every step has a place.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.steps.iter().all(|step| step.destination != Destination::Unproved)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node { name, is_own: true } => write!(f, "back on node {name}"),
            Self::Node { name, is_own: false } => write!(f, "node {name}"),
            Self::NewNode { number, instance_type } => write!(f, "new node {number}, a {instance_type}"),
            Self::Unknown { pool } => write!(f, "a new node of nodepool/{pool}"),
            Self::Unproved => f.write_str("not proved"),
        }
    }
}

/// Whether pods of the template never share a node.
fn is_apart_by_hostname(template: &PodTemplate) -> bool {
    template.anti_affinity.iter().any(|term| term.selects_own && term.topology_key == HOSTNAME)
}

/// The most pods of the template that Karpenter plans on one node: `maxSkew` over hostnames, required or not.
fn hostname_skew(template: &PodTemplate) -> Option<u32> {
    let own = template.spread.iter().filter(|one| one.selects_own && one.topology_key == HOSTNAME);
    own.map(|one| u32::try_from(one.max_skew).unwrap_or(1).max(1)).min()
}

/// Proves that every step can be carried out.
///
/// # Errors
/// With the first step that cannot, or with what keeps the operation from starting at all.
pub fn prove(snapshot: &Snapshot, terrain: &Terrain, request: &Request<'_>) -> Result<Proof, Refusal> {
    check_target(snapshot, request)?;
    if request.waves.iter().all(Vec::is_empty) {
        return Ok(Proof::default());
    }
    let mut doubts = unread(snapshot, terrain);
    let moves = Moves::new(snapshot, request, &mut doubts);
    let ground = hosts::ground(snapshot, terrain, request, &moves);
    let foundry = machines::foundry(snapshot, terrain, request, &moves);
    let apart = Apart::new(snapshot, request, &foundry.books, &foundry.kinds, &mut doubts);
    let shards = count(moves.list.len());
    let quotas = terrain.quotas.as_deref().unwrap_or_default();
    if request.makes_room_first
        && let Some(short) = quota::short_for_room(quotas, request, shards)
    {
        return Err(Refusal::QuotaForRoom { shards, short: Box::new(short) });
    }
    let short = quota::first_short_step(quotas, snapshot, request, &moves.list);

    let problem = |as_planned| Problem {
        moves: &moves.list,
        classes: &moves.classes,
        hosts: &ground.hosts,
        kinds: &foundry.kinds,
        left: foundry.books.iter().map(pools::Book::left).collect(),
        as_planned,
    };
    let (planned, problem) = (problem(true), problem(false));
    let writer = Writer { request, moves: &moves, ground: &ground, foundry: &foundry, apart: &apart };
    let outcome = look(&planned, &problem, &apart, request);
    let stuck_at = outcome.stuck_at();
    if let Some((step, short)) = short
        && stuck_at.is_none_or(|stuck| step <= stuck)
    {
        return Err(Refusal::Quota { at: writer.at(step), short: Box::new(short) });
    }
    let sees_all = request.target_pool.is_some() || names_its_pools(request.template);
    let is_blind = !sees_all
        || snapshot.nodes.is_err()
        || terrain.pool_nodes.is_err()
        || snapshot.node_pools.is_err()
        || (snapshot.occupants.is_err() && !ground.hosts.is_empty());
    if stuck_at.is_some() && !sees_all {
        doubts.push(Doubt::OtherNodes);
    }
    match outcome {
        Outcome::Placed { placement, lucky } => Ok(writer.proof(&placement, None, lucky, doubts)),
        Outcome::Stuck(stuck) if !is_blind => Err(writer.no_room(&stuck)),
        Outcome::KeptApart { step, .. } if !is_blind && !writer.may_have_other_zones() => {
            Err(Refusal::KeptApart { at: writer.at(step), rule: apart.text() })
        }
        Outcome::Stuck(Stuck { step, placement }) | Outcome::KeptApart { step, placement } => {
            Ok(writer.proof(&placement, Some(step), None, doubts))
        }
        Outcome::Undecided { step, placement } => {
            doubts.push(Doubt::Undecided { step: count(step) + 1 });
            Ok(writer.proof(&placement, Some(step), None, doubts))
        }
    }
}

/// Whether the template goes to pools that it names and nowhere else. All nodes of these are in the snapshot; of any
/// other template nobody looks at all nodes that it might go to.
fn names_its_pools(template: &PodTemplate) -> bool {
    let names_pool =
        |term: &NodeTerm| term.iter().any(|one| one.key == NODE_POOL_LABEL && one.operator == "In");
    !template.node_terms.is_empty() && template.node_terms.iter().all(names_pool)
}

fn check_target(snapshot: &Snapshot, request: &Request<'_>) -> Result<(), Refusal> {
    let (Some(target), Ok(pools)) = (request.target_pool, &snapshot.node_pools) else { return Ok(()) };
    if pools.iter().any(|pool| pool.name == *target) {
        return Ok(());
    }
    let nearest = nearest(target.as_str(), pools.iter().map(|pool| pool.name.as_str()));
    Err(Refusal::NoSuchPool { pool: target.clone(), nearest: nearest.map(NodePoolName::new) })
}

fn unread(snapshot: &Snapshot, terrain: &Terrain) -> Vec<Doubt> {
    let parts = [
        (snapshot.nodes.as_ref().err(), Unread::Nodes),
        (terrain.pool_nodes.as_ref().err(), Unread::PoolNodes),
        (snapshot.occupants.as_ref().err(), Unread::Occupants),
        (snapshot.node_pools.as_ref().err(), Unread::NodePools),
        (snapshot.node_classes.as_ref().err(), Unread::NodeClasses),
        (terrain.daemon_sets.as_ref().err(), Unread::DaemonSets),
        (terrain.attach_limits.as_ref().err(), Unread::AttachLimits),
        (terrain.quotas.as_ref().err(), Unread::Quotas),
    ];
    parts.into_iter().filter_map(|(unknown, what)| Some(Doubt::unread(what, unknown?))).collect()
}

/// What became of the search.
enum Outcome<'p> {
    Placed {
        placement: Placement<'p>,
        /// The step at which Karpenter's own choice of machines ends, when only another one works.
        lucky: Option<usize>,
    },
    Stuck(Stuck<'p>),
    KeptApart {
        step: usize,
        placement: Placement<'p>,
    },
    Undecided {
        step: usize,
        placement: Placement<'p>,
    },
}

impl Outcome<'_> {
    fn stuck_at(&self) -> Option<usize> {
        match self {
            Self::Placed { .. } => None,
            Self::Stuck(stuck) => Some(stuck.step),
            Self::KeptApart { step, .. } | Self::Undecided { step, .. } => Some(*step),
        }
    }
}

/// Which shards wait for machines at the same time.
fn batch(request: &Request<'_>) -> Batch {
    if request.makes_room_first { Batch::All } else { Batch::Wave }
}

fn look<'p>(
    planned: &'p Problem<'p>,
    problem: &'p Problem<'p>,
    apart: &Apart,
    request: &Request<'_>,
) -> Outcome<'p> {
    let batch = batch(request);
    let steps = problem.moves.len();
    // Shards that wait one at a time are put by kube-scheduler wherever they fit; only together Karpenter plans them.
    if (batch == Batch::All || request.waves.iter().any(|wave| wave.len() > 1))
        && let Ok(placement) = search::as_karpenter(planned, batch)
        && apart.allows(&placement, steps)
    {
        return Outcome::Placed { placement, lucky: None };
    }
    let (placement, lucky, stuck_at) = match search::as_karpenter(problem, batch) {
        Ok(placement) => (placement, None, None),
        Err((stuck, true)) => (stuck.placement, None, Some(stuck.step)),
        Err((stuck, false)) => {
            let step = stuck.step;
            match search::exhaustive(problem, stuck) {
                Found::All(placement) => (placement, Some(step), None),
                Found::Stuck(stuck) => (stuck.placement, None, Some(stuck.step)),
                Found::GaveUp(stuck) => {
                    return Outcome::Undecided { step: stuck.step, placement: stuck.placement };
                }
            }
        }
    };
    // Where room ends, the rules may have ended earlier.
    let until = stuck_at.unwrap_or(steps);
    let placement = if apart.allows(&placement, until) {
        placement
    } else {
        match apart.clone().play(Placement::new(problem), until, batch) {
            Played::Through(placement) => *placement,
            Played::Stuck(step) => return Outcome::KeptApart { step, placement },
            Played::GaveUp(step) => return Outcome::Undecided { step, placement },
        }
    };
    match stuck_at {
        None => Outcome::Placed { placement, lucky },
        Some(step) => Outcome::Stuck(Stuck { step, placement }),
    }
}
