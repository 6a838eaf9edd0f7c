//! What is moved: one shard a step, and what the volumes of each ask of a node.

use std::collections::{BTreeMap, BTreeSet};

use super::doubt::{Doubt, Unread};
use super::{Request, Terms};
use crate::domain::names::{ClaimName, NodeName, PodName};
use crate::domain::quantity::Resources;
use crate::domain::snapshot::{Claim, Node, Shard, Snapshot, StorageClass};

pub(super) use crate::domain::snapshot::AZURE_DISK;

/// The labels under which zones are known; drivers of disks have one each beside the common one.
const ZONE_KEYS: [&str; 3] =
    ["topology.kubernetes.io/zone", "topology.disk.csi.azure.com/zone", "topology.ebs.csi.aws.com/zone"];

/// Whether a label says in which zone a node is.
pub(super) fn is_zone(key: &str) -> bool {
    ZONE_KEYS.contains(&key)
}

/// One step: a shard goes down with its wave and needs a place.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub ordinal: u32,
    pub pod_name: PodName,
    /// 0 for the first wave.
    pub wave: u32,
    /// Which of the classes it is of.
    pub class: usize,
    /// Where its pod takes room now, and how much.
    pub old: Option<(NodeName, Resources)>,
    /// What its pod requests now, on a node or not; none when there is none, or it has ended.
    pub requested: Option<Resources>,
}

/// Shards whose volumes ask the same of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Class<'a> {
    /// The terms of each volume that has any.
    pub volumes: Vec<&'a Terms>,
    /// Whether a disk of theirs needs a size that takes premium disks.
    pub wants_premium: bool,
}

impl Class<'_> {
    /// The zones that the volumes name.
    pub fn zones(&self) -> BTreeSet<&str> {
        let expressions = self.volumes.iter().copied().flatten().flatten();
        expressions
            .filter(|one| is_zone(&one.key))
            .flat_map(|one| one.values.iter().map(String::as_str))
            .filter(|zone| !zone.is_empty())
            .collect()
    }

    /// Whether the volumes can be reached from a node that is there.
    pub fn reaches(&self, node: &Node) -> bool {
        self.volumes
            .iter()
            .all(|terms| terms.iter().any(|term| term.iter().all(|one| one.matches(node.label(&one.key)))))
    }
}

/// All steps, the classes they are of, and the disks of one shard by driver.
#[derive(Debug)]
pub(super) struct Moves<'a> {
    pub list: Vec<Move>,
    pub classes: Vec<Class<'a>>,
    /// How many volumes of each driver a shard has; the empty name is a driver that is not known.
    pub disks: BTreeMap<&'a str, u32>,
}

impl<'a> Moves<'a> {
    pub fn new(snapshot: &'a Snapshot, request: &Request<'_>, doubts: &mut Vec<Doubt>) -> Self {
        if !snapshot.workload.claim_templates.is_empty() {
            let storage = [
                (snapshot.claims.as_ref().err(), Unread::Volumes),
                (snapshot.volumes.as_ref().err(), Unread::Volumes),
                (snapshot.storage_classes.as_ref().err(), Unread::StorageClasses),
            ];
            for (unknown, what) in storage {
                doubts.extend(unknown.map(|unknown| Doubt::unread(what, unknown)));
            }
        }
        let shards: BTreeMap<u32, &Shard> =
            snapshot.shards.iter().map(|shard| (shard.ordinal, shard)).collect();
        let mut moves = Self { list: Vec::new(), classes: Vec::new(), disks: disks(snapshot) };
        for (wave, ordinals) in (0_u32..).zip(request.waves) {
            for ordinal in ordinals {
                let shard = shards.get(ordinal).copied();
                let set = &snapshot.workload.reference.name;
                let pod_name = PodName::new(format!("{set}-{ordinal}"));
                let class = class(snapshot, &pod_name);
                let index = moves.classes.iter().position(|known| *known == class).unwrap_or_else(|| {
                    moves.classes.push(class);
                    moves.classes.len() - 1
                });
                moves.list.push(Move {
                    ordinal: *ordinal,
                    pod_name,
                    wave,
                    class: index,
                    old: shard.and_then(room_held),
                    requested: shard.and_then(requested),
                });
            }
        }
        moves
    }
}

fn requested(shard: &Shard) -> Option<Resources> {
    let pod = shard.pod.as_ref()?;
    (!matches!(pod.phase.as_str(), "Succeeded" | "Failed")).then_some(pod.requests)
}

/// Where a shard takes room: nowhere before it is placed and after it has ended.
pub(super) fn room_held(shard: &Shard) -> Option<(NodeName, Resources)> {
    let requests = requested(shard)?;
    Some((shard.pod.as_ref()?.node.clone()?, requests))
}

/// The claims that a shard has or will have, with the name of the class of each.
fn claims<'a>(
    snapshot: &'a Snapshot,
    pod: &PodName,
) -> impl Iterator<Item = (Option<&'a Claim>, Option<&'a StorageClass>)> {
    let known = snapshot.claims.as_ref().ok();
    let classes = snapshot.storage_classes.as_ref().ok();
    snapshot.workload.claim_templates.iter().map(move |template| {
        let name = ClaimName::new(format!("{}-{pod}", template.name));
        let claim = known.and_then(|claims| claims.get(&name));
        let class = claim.map_or(template.storage_class.as_ref(), |claim| claim.storage_class.as_ref());
        (claim, class.and_then(|class| classes?.get(class)))
    })
}

fn class<'a>(snapshot: &'a Snapshot, pod: &PodName) -> Class<'a> {
    let volumes = snapshot.volumes.as_ref().ok();
    let mut class = Class { volumes: Vec::new(), wants_premium: false };
    for (claim, storage_class) in claims(snapshot, pod) {
        let volume = claim.and_then(|claim| volumes?.get(claim.volume.as_ref()?));
        // A claim that waits for its first consumer goes where its shard goes.
        class.volumes.extend(volume.map(|volume| &volume.node_terms).filter(|terms| !terms.is_empty()));
        class.wants_premium |= storage_class.is_some_and(StorageClass::is_premium);
    }
    class
}

/// The volumes of one shard by driver: every shard has those of the claim templates.
fn disks(snapshot: &Snapshot) -> BTreeMap<&str, u32> {
    let mut disks = BTreeMap::new();
    let pod = PodName::new(format!("{}-0", snapshot.workload.reference.name));
    for (_, class) in claims(snapshot, &pod) {
        *disks.entry(class.map_or("", |class| class.provisioner.as_str())).or_default() += 1;
    }
    disks
}
