//! The nodes that are there: who may go to which, and how many moved shards each holds after which wave.
//!
//! A shard that has gone down leaves its room, so what a node holds only grows from wave to wave. When room is made
//! first, the placeholders stand beside shards that have not gone yet: then nothing that a shard leaves counts, except
//! its disks and its being apart from the others, for a placeholder has no disk and keeps apart from placeholders only.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add as _;

use super::moves::{AZURE_DISK, Move, Moves, room_held};
use super::refusal::Lack;
use super::{Request, Terrain};
use crate::domain::catalogue;
use crate::domain::names::NodeName;
use crate::domain::packing::{Closed, closed};
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::snapshot::{Node, NodePool, Snapshot};

/// From a wave on, how many moved shards a place holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// 0 for the first wave.
    pub from: u32,
    pub slots: u32,
}

/// A node that is there and open to moved shards.
#[derive(Clone, Debug)]
pub(super) struct Host<'a> {
    pub node: &'a Node,
    /// By wave, the first from wave 0; slots never become fewer.
    pub levels: Vec<Level>,
    /// Whether the shards of each class may go there.
    pub fits: Vec<bool>,
    room: Room,
}

/// What a node has for moved shards.
#[derive(Clone, Debug)]
struct Room {
    /// What one moved shard requests.
    requests: Resources,
    /// Allocatable less everything that requests room now, moved shards included; less than nothing where pods
    /// request more than there is.
    free: Resources,
    free_pods: i64,
    /// For each driver with a limit: disks of one shard, and how many more can be attached now.
    free_disks: Vec<(u32, i64)>,
    /// Shards that are there now.
    shards: u32,
    /// Whether no two shards may share a node.
    is_apart: bool,
    /// Moved shards that are there now: with which wave each goes, and what it leaves.
    leaving: Vec<(u32, Resources)>,
    /// Whether what they leave counts, or placeholders have been put beside them.
    is_freed: bool,
}

impl Room {
    fn gone(&self, wave: u32) -> u32 {
        count(self.leaving.iter().filter(|(with, _)| *with <= wave).count())
    }

    /// What is free once a wave has gone down.
    fn free_at(&self, wave: u32) -> Resources {
        let left = self.leaving.iter().filter(|(with, _)| self.is_freed && *with <= wave);
        left.map(|(_, requests)| *requests).fold(self.free, Resources::add)
    }

    fn by_pods(&self, wave: u32) -> u32 {
        let freed = if self.is_freed { self.gone(wave) } else { 0 };
        u32::try_from(self.free_pods + i64::from(freed)).unwrap_or(0)
    }

    fn by_disks(&self, wave: u32) -> u32 {
        let slots = self.free_disks.iter().map(|(disks, free)| {
            u32::try_from(free + i64::from(self.gone(wave) * disks)).unwrap_or(0) / disks
        });
        slots.min().unwrap_or(u32::MAX)
    }

    fn by_distance(&self, wave: u32) -> u32 {
        if self.is_apart { u32::from(self.shards <= self.gone(wave)) } else { u32::MAX }
    }

    /// How many moved shards there can be.
    fn slots(&self, wave: u32) -> u32 {
        slots(self.free_at(wave), self.by_pods(wave), self.requests)
            .min(self.by_disks(wave))
            .min(self.by_distance(wave))
    }
}

impl Host<'_> {
    /// What is left after a wave has gone down and so many moved shards have come.
    pub fn free_at(&self, wave: u32, placed: u32) -> Resources {
        minus(self.room.free_at(wave), self.room.requests * placed)
    }

    /// What keeps one more shard out then.
    pub fn lack(&self, wave: u32, placed: u32) -> Lack {
        if !self.free_at(wave, placed).holds(self.room.requests) {
            Lack::Room
        } else if self.room.by_pods(wave) <= placed {
            Lack::Pods
        } else if self.room.by_disks(wave) <= placed {
            Lack::Disks
        } else {
            Lack::Distance
        }
    }
}

/// A node that moved shards would be looked for on, and why it takes none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shut {
    Closed(Closed),
    /// It is being emptied.
    Avoided,
    /// Its node pool was asked to go, and every node of the pool goes with it.
    PoolDeleting,
}

/// The nodes of the snapshot as moved shards see them.
#[derive(Debug, Default)]
pub(super) struct Ground<'a> {
    pub hosts: Vec<Host<'a>>,
    pub shut: Vec<(&'a NodeName, Shut)>,
}

/// What takes room on one node.
#[derive(Default)]
struct Load<'a> {
    /// Everything, moved shards included.
    requests: Resources,
    pods: u32,
    claims: u32,
    shards: u32,
    /// The moved shards among them.
    leaving: Vec<&'a Move>,
}

pub(super) fn ground<'a>(
    snapshot: &'a Snapshot,
    terrain: &Terrain,
    request: &Request<'_>,
    moves: &Moves<'_>,
) -> Ground<'a> {
    let mut ground = Ground::default();
    let Ok(nodes) = &snapshot.nodes else { return ground };
    let loads = loads(snapshot, moves);
    let nothing = Load::default();
    for node in nodes.values() {
        let pool = node.node_pool();
        if request.target_pool.is_some_and(|target| pool.as_ref() != Some(target)) {
            continue;
        }
        let pool = snapshot.node_pools.iter().flatten().find(|one| Some(&one.name) == pool.as_ref());
        if let Some(shut) = shut(node, pool, request) {
            ground.shut.push((&node.name, shut));
            continue;
        }
        let load = loads.get(&node.name).unwrap_or(&nothing);
        ground.hosts.push(host(snapshot, terrain, request, moves, node, load));
    }
    ground
}

fn shut(node: &Node, pool: Option<&NodePool>, request: &Request<'_>) -> Option<Shut> {
    if request.avoid_nodes.contains(&node.name) {
        return Some(Shut::Avoided);
    }
    if let Some(closed) = closed(node, request.template).into_iter().next() {
        return Some(Shut::Closed(closed));
    }
    pool.and_then(|pool| pool.deleted_at).map(|_| Shut::PoolDeleting)
}

fn loads<'a>(snapshot: &'a Snapshot, moves: &'a Moves<'_>) -> BTreeMap<&'a NodeName, Load<'a>> {
    let mut loads: BTreeMap<&NodeName, Load<'_>> = BTreeMap::new();
    let shard_disks: u32 = moves.disks.values().sum();
    let held: BTreeMap<u32, NodeName> =
        snapshot.shards.iter().filter_map(|shard| Some((shard.ordinal, room_held(shard)?.0))).collect();
    let mut listed = BTreeSet::new();
    for (node, occupants) in snapshot.occupants.iter().flatten() {
        let load = loads.entry(node).or_default();
        for occupant in occupants {
            load.requests += occupant.requests;
            load.pods += 1;
            load.claims += occupant.claims;
            if let Some(ordinal) = occupant.ordinal {
                load.shards += 1;
                if held.get(&ordinal) == Some(node) {
                    listed.insert(ordinal);
                }
            }
        }
    }
    // Shards and occupants are two lists: a shard that came between them counts all the same.
    for shard in snapshot.shards.iter().filter(|shard| !listed.contains(&shard.ordinal)) {
        let Some(pod) = &shard.pod else { continue };
        if let (Some((_, requests)), Some(node)) = (room_held(shard), pod.node.as_ref()) {
            let load = loads.entry(node).or_default();
            load.requests += requests;
            load.pods += 1;
            load.claims += shard_disks;
            load.shards += 1;
        }
    }
    for one in &moves.list {
        if let Some(load) = one.old.as_ref().and_then(|(node, _)| loads.get_mut(node)) {
            load.leaving.push(one);
        }
    }
    loads
}

fn host<'a>(
    snapshot: &Snapshot,
    terrain: &Terrain,
    request: &Request<'_>,
    moves: &Moves<'_>,
    node: &'a Node,
    load: &Load<'_>,
) -> Host<'a> {
    // Pods that were not read may take everything that the moved shards do not leave.
    let is_blind = snapshot.occupants.is_err();
    let free_pods = i64::from(node.allocatable_pods) - i64::from(load.pods);
    let room = Room {
        requests: request.template.requests,
        free: if is_blind { Resources::default() } else { minus(node.allocatable, load.requests) },
        free_pods: if is_blind { 0 } else { free_pods },
        free_disks: free_disks(terrain, moves, node, load, is_blind),
        shards: load.shards,
        is_apart: super::is_apart_by_hostname(request.template),
        leaving: load.leaving.iter().filter_map(|one| Some((one.wave, one.old.as_ref()?.1))).collect(),
        is_freed: !request.makes_room_first,
    };
    let mut waves: Vec<u32> = room.leaving.iter().map(|(wave, _)| *wave).collect();
    waves.push(0);
    waves.sort_unstable();
    waves.dedup();
    let mut levels: Vec<Level> = Vec::new();
    for wave in waves {
        let slots = room.slots(wave);
        if levels.last().is_none_or(|level| level.slots != slots) {
            levels.push(Level { from: wave, slots });
        }
    }
    Host { node, levels, fits: fits(moves, node, load), room }
}

/// How many pods fit into what is free; all that the pods' number allows when they request nothing.
pub(super) fn slots(free: Resources, pods: u32, requests: Resources) -> u32 {
    let times = |free: Quantity, one: Quantity| {
        if one.is_positive() { free.times(one).unwrap_or(u32::MAX) } else { u32::MAX }
    };
    times(free.cpu, requests.cpu).min(times(free.memory, requests.memory)).min(pods)
}

/// For each driver with a limit on this node: disks of one shard, and how many more can be attached now.
fn free_disks(
    terrain: &Terrain,
    moves: &Moves<'_>,
    node: &Node,
    load: &Load<'_>,
    is_blind: bool,
) -> Vec<(u32, i64)> {
    let told = terrain.attach_limits.as_ref().ok().and_then(|limits| limits.get(&node.name));
    let by_size = || catalogue::size(node.instance_type()?)?.max_data_disks;
    moves
        .disks
        .iter()
        .filter_map(|(driver, disks)| {
            let limit = match (told, *driver) {
                (Some(limits), "") => limits.values().min().copied(),
                (Some(limits), driver) => limits.get(driver).copied(),
                (None, "" | AZURE_DISK) => by_size(),
                (None, _) => None,
            }?;
            // Which drivers other pods' claims are of is not known: all of them count.
            let free = if is_blind { 0 } else { i64::from(limit) - i64::from(load.claims) };
            Some((*disks, free))
        })
        .collect()
}

fn fits(moves: &Moves<'_>, node: &Node, load: &Load<'_>) -> Vec<bool> {
    let said = node.label("karpenter.azure.com/sku-storage-premium-capable");
    let known = node.instance_type().and_then(catalogue::size).and_then(|size| size.premium);
    let takes_premium = said.map_or(known, |said| Some(said == "true")).unwrap_or(true);
    moves
        .classes
        .iter()
        .enumerate()
        .map(|(index, class)| {
            // Where such a disk is attached now, it can be attached.
            let is_proven = || load.leaving.iter().any(|one| one.class == index);
            class.reaches(node) && (!class.wants_premium || takes_premium || is_proven())
        })
        .collect()
}

pub(super) fn minus(a: Resources, b: Resources) -> Resources {
    Resources { cpu: a.cpu - b.cpu, memory: a.memory - b.memory }
}

pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
