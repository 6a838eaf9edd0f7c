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
//! 3. For each machine that a pool can make: how many it holds, and what it takes of the limits (`machines`).
//! 4. The quotas of the namespace are held against what is requested (`quota`).
//! 5. Steps are matched with places (`placement`), making machines as Karpenter would, and where that ends at a limit,
//!    in every other way (`search`).
//! 6. Where the template spreads its pods or keeps them apart, the steps are played under these rules (`apart`).

mod apart;
mod doubt;
mod hosts;
mod machines;
mod moves;
mod placement;
#[cfg(test)]
mod properties;
mod quota;
mod refusal;
mod search;
mod terrain;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use apart::{Apart, Played};
use hosts::{Ground, count};
use machines::{Foundry, LIMITED};
use moves::Moves;
use placement::{Placement, Problem};
use search::{Batch, Found, Stuck};

use super::super::names::{NodeName, NodePoolName, PodName, nearest};
use super::super::quantity::Quantity;
use super::super::snapshot::{NODE_POOL_LABEL, NodeTerm, PodTemplate, Snapshot};
pub use doubt::{Doubt, Unread};
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
        left: foundry.books.iter().map(machines::Book::left).collect(),
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

/// Puts what was found into words and figures.
struct Writer<'a> {
    request: &'a Request<'a>,
    moves: &'a Moves<'a>,
    ground: &'a Ground<'a>,
    foundry: &'a Foundry<'a>,
    apart: &'a Apart,
}

impl Writer<'_> {
    fn at(&self, step: usize) -> At {
        let shard = self.moves.list.get(step).map(|one| one.pod_name.clone()).unwrap_or_default();
        At { step: count(step) + 1, of: count(self.moves.list.len()), shard }
    }

    /// Whether there may be zones that nothing told of, in which the template's rules over zones could be kept.
    fn may_have_other_zones(&self) -> bool {
        let makes = |index: usize| self.foundry.kinds.iter().any(|kind| kind.pool == index);
        self.apart.is_about_zones()
            && self.foundry.books.iter().enumerate().any(|(index, book)| makes(index) && !book.says_zones)
    }

    fn proof(
        &self,
        placement: &Placement<'_>,
        unproved_from: Option<usize>,
        lucky: Option<usize>,
        mut doubts: Vec<Doubt>,
    ) -> Proof {
        let is_proved = |step: usize| unproved_from.is_none_or(|from| step < from);
        let hosts = self.ground.hosts.len();
        // Machines of which something is known get a number.
        let mut new_nodes: Vec<NewNode> = Vec::new();
        let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
        for (index, kind) in placement.opened.iter().map(|kind| &self.foundry.kinds[*kind]).enumerate() {
            let place = hosts + index;
            let shards = placement.steps_on(place).iter().filter(|step| is_proved(**step)).count();
            if let Some(instance_type) = kind.instance_type.as_ref().filter(|_| shards > 0) {
                let number = count(new_nodes.len()) + 1;
                numbers.insert(place, number);
                new_nodes.push(NewNode {
                    number,
                    pool: self.foundry.books[kind.pool].pool.name.clone(),
                    instance_type: instance_type.clone(),
                    zone: kind.zone.clone(),
                    shards: count(shards),
                });
            }
        }
        let destination = |step: usize| {
            let Some(place) = placement.place_of[step].filter(|_| is_proved(step)) else {
                return Destination::Unproved;
            };
            let Some(kind) = placement.kind_of(place) else {
                let name = self.ground.hosts[place].node.name.clone();
                let is_own = self.moves.list[step].old.as_ref().is_some_and(|(old, _)| *old == name);
                return Destination::Node { name, is_own };
            };
            match (numbers.get(&place), &kind.instance_type) {
                (Some(number), Some(instance_type)) => {
                    Destination::NewNode { number: *number, instance_type: instance_type.clone() }
                }
                _ => Destination::Unknown { pool: self.foundry.books[kind.pool].pool.name.clone() },
            }
        };
        let steps = self.moves.list.iter().enumerate().map(|(step, one)| Step {
            number: count(step) + 1,
            wave: one.wave + 1,
            ordinal: one.ordinal,
            shard: one.pod_name.clone(),
            destination: destination(step),
        });
        let steps = steps.collect();
        self.judge(placement, unproved_from, lucky, &mut doubts);
        Proof { steps, new_nodes, limits: self.limits(placement), doubts }
    }

    /// The limits of the pools that make machines, before and after.
    fn limits(&self, placement: &Placement<'_>) -> Vec<LimitUse> {
        let used: BTreeSet<usize> =
            placement.opened.iter().map(|kind| self.foundry.kinds[*kind].pool).collect();
        let mut limits = Vec::new();
        for index in used {
            let book = &self.foundry.books[index];
            for (place, resource) in LIMITED.into_iter().enumerate() {
                if let (Some(limit), Some(left)) = (book.limits[place], placement.left[index][place]) {
                    limits.push(LimitUse {
                        pool: book.pool.name.clone(),
                        resource,
                        limit,
                        before: book.used[place],
                        after: limit - left,
                    });
                }
            }
        }
        limits
    }

    /// Adds what depends on how the shards were placed, and leaves out doubts about what was not counted on.
    fn judge(
        &self,
        placement: &Placement<'_>,
        unproved_from: Option<usize>,
        lucky: Option<usize>,
        doubts: &mut Vec<Doubt>,
    ) {
        let opened = || placement.opened.iter().map(|kind| &self.foundry.kinds[*kind]);
        let used: BTreeSet<usize> = opened().map(|kind| kind.pool).collect();
        if used.is_empty() && unproved_from.is_none() {
            doubts.retain(|doubt| match doubt {
                Doubt::Unread { what, .. } => !matches!(
                    what,
                    Unread::PoolNodes | Unread::NodePools | Unread::NodeClasses | Unread::DaemonSets
                ),
                _ => true,
            });
        }
        for (index, doubt) in &self.foundry.doubts {
            if used.contains(index) {
                doubts.push(doubt.clone());
            }
        }
        let name = |index: usize| self.foundry.books[index].pool.name.clone();
        let counted_on = |index: usize| -> BTreeSet<&String> {
            opened()
                .filter(|kind| kind.pool == index)
                .filter_map(|kind| kind.instance_type.as_ref())
                .collect()
        };
        let start = Placement::new(placement.problem);
        let makers = self.foundry.kinds.iter().filter(|kind| start.can_open(kind)).map(|kind| kind.pool);
        let makers: BTreeSet<usize> = makers.collect();
        if !used.is_empty() && makers.len() > 1 {
            doubts.push(Doubt::SeveralPools { pools: makers.into_iter().map(name).collect() });
        }
        for index in used.iter().copied() {
            let own: BTreeSet<&String> = counted_on(index);
            let kinds = || self.foundry.kinds.iter().filter(move |kind| kind.pool == index);
            let others: BTreeSet<&String> = kinds()
                .filter_map(|kind| kind.instance_type.as_ref())
                .filter(|name| !own.contains(name))
                .collect();
            // Types that hold as much and take as much are as good as one.
            let first = opened().find(|kind| kind.pool == index);
            let is_alike = kinds().all(|kind| {
                first.is_some_and(|first| {
                    first.held == kind.held && first.takes == kind.takes && first.counts == kind.counts
                })
            });
            if !is_alike && !own.is_empty() && !others.is_empty() {
                let counted_on = own.into_iter().cloned().collect();
                doubts.push(Doubt::Choice { pool: name(index), counted_on, others: others.len() });
            }
            if let Some(instance_type) = self.foundry.not_premium.get(&index) {
                doubts.push(Doubt::PremiumDisks { pool: name(index), instance_type: instance_type.clone() });
            }
            if self.apart.is_about_zones() && !self.foundry.books[index].says_zones {
                doubts.push(Doubt::Zones { pool: name(index) });
            }
        }
        let hosts = self.ground.hosts.len();
        for (place, kind) in opened().enumerate() {
            let pods = count(placement.steps_on(hosts + place).len()) + kind.daemons;
            let pool = name(kind.pool);
            let is_said = doubts
                .iter()
                .any(|doubt| matches!(doubt, Doubt::PodsPerNode { pool: one, .. } if *one == pool));
            if kind.assumes_pods && pods > machines::PODS_ANYWHERE && !is_said {
                doubts.push(Doubt::PodsPerNode { pool, assumed: machines::PODS });
            }
        }
        if let Some(step) = lucky {
            let types: BTreeSet<&String> = used.iter().flat_map(|index| counted_on(*index)).collect();
            let counted_on = types.into_iter().cloned().collect();
            doubts.push(Doubt::LuckyChoice { counted_on, stops_at: count(step) + 1 });
        }
    }

    /// The refusal of a step that finds no room.
    fn no_room(&self, stuck: &Stuck<'_>) -> Refusal {
        let one = &self.moves.list[stuck.step];
        let requests = self.request.template.requests;
        let class = &self.moves.classes[one.class];
        let open = self.ground.hosts.iter().enumerate().filter(|(_, host)| host.fits[one.class]);
        let full = open.map(|(place, host)| {
            let placed = count(stuck.placement.steps_on(place).len());
            let left = host.free_at(one.wave, placed);
            FullNode { node: host.node.name.clone(), left, lack: host.lack(one.wave, placed) }
        });
        let full: Vec<FullNode> = full.collect();
        let mut shut: BTreeMap<String, u32> = BTreeMap::new();
        for (_, why) in &self.ground.shut {
            *shut.entry(why.to_string()).or_default() += 1;
        }
        let books = self.foundry.books.iter().enumerate();
        let reasons = books.map(|(index, book)| {
            let reason = match &book.cannot {
                Some(reason) => Some(reason.clone()),
                None => self.foundry.at_limit(index, stuck, batch(self.request)),
            };
            (book.pool.name.clone(), reason)
        });
        let pools: Vec<(NodePoolName, NoNode)> =
            reasons.filter_map(|(name, reason)| Some((name, reason?))).collect();
        // Pools that are not meant for the shards are nobody's business, unless there is no other.
        let is_meant = |reason: &NoNode| !matches!(reason, NoNode::Taint(_) | NoNode::Contradiction { .. });
        let meant: Vec<(NodePoolName, NoNode)> =
            pools.iter().filter(|(_, reason)| is_meant(reason)).cloned().collect();
        Refusal::NoRoom(Box::new(NoRoom {
            at: self.at(stuck.step),
            needs: requests,
            zones: class.zones().into_iter().map(str::to_owned).collect(),
            full: count(full.len()),
            // A node with room that something else keeps closed says more than a full one.
            nearest: full.into_iter().max_by_key(|full| (full.left.memory, full.left.cpu)),
            shut: shut.into_iter().collect(),
            pools: if meant.is_empty() { pools } else { meant },
        }))
    }
}
