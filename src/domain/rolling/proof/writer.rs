//! What was found, in words and figures.

use std::collections::{BTreeMap, BTreeSet};

use super::apart::Apart;
use super::doubt::{Doubt, Unread};
use super::hosts::{Ground, count};
use super::machines::{self, Foundry};
use super::moves::Moves;
use super::placement::Placement;
use super::pools::LIMITED;
use super::refusal::{At, FullNode, NoNode, NoRoom, Refusal};
use super::search::Stuck;
use super::{Destination, LimitUse, NewNode, Proof, Request, Step, batch};
use crate::domain::names::NodePoolName;

/// Puts what was found into words and figures.
pub(super) struct Writer<'a> {
    pub request: &'a Request<'a>,
    pub moves: &'a Moves<'a>,
    pub ground: &'a Ground<'a>,
    pub foundry: &'a Foundry<'a>,
    pub apart: &'a Apart,
}

impl Writer<'_> {
    pub fn at(&self, step: usize) -> At {
        let shard = self.moves.list.get(step).map(|one| one.pod_name.clone()).unwrap_or_default();
        At { step: count(step) + 1, of: count(self.moves.list.len()), shard }
    }

    /// Whether there may be zones that nothing told of, in which the template's rules over zones could be kept.
    pub fn may_have_other_zones(&self) -> bool {
        let makes = |index: usize| self.foundry.kinds.iter().any(|kind| kind.pool == index);
        self.apart.is_about_zones()
            && self.foundry.books.iter().enumerate().any(|(index, book)| makes(index) && !book.says_zones)
    }

    pub fn proof(
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
    pub fn no_room(&self, stuck: &Stuck<'_>) -> Refusal {
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
