//! A proof agrees with trying everything, and what it says can be carried out step by step.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::tests::{Scene, expression};
use super::*;
use crate::domain::catalogue;
use crate::domain::nap;
use crate::domain::quantity::Resources;
use crate::domain::snapshot::{AntiAffinity, Node, Occupant, Pod, SpreadConstraint};
use crate::domain::testing::{healthy, node, quantity};

const GIB: u32 = 1 << 30;
const ZONES: [&str; 2] = ["eastus-1", "eastus-2"];
const TYPES: [&str; 3] = ["Standard_E2s_v5", "Standard_E4s_v5", "Standard_E8s_v5"];
const ZONE: &str = "topology.kubernetes.io/zone";
/// What a shard of the old template requests, in GiB.
const OLD: u32 = 8;

/// A small service: everything that a proof of it depends on, and nothing else.
#[derive(Clone, Debug)]
struct World {
    /// Of each node of the stable pool: its zone, its GiB, and the GiB that other pods take.
    nodes: Vec<(usize, u32, u32)>,
    /// Of each shard: its node, of the stable pool, or somewhere else; and the zones of its volume.
    shards: Vec<(Option<usize>, Vec<usize>)>,
    /// How many shards are moved with each wave; those beyond are not moved.
    waves: Vec<usize>,
    /// What a shard of the new template requests, in GiB.
    new: u32,
    types: Vec<usize>,
    zones: Vec<usize>,
    /// Limits on CPU and nodes.
    limits: (Option<u32>, Option<u32>),
    makes_room_first: bool,
    rule: Option<Keep>,
}

/// A rule of how shards keep apart.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Keep {
    Apart { by_zone: bool },
    Skew { by_zone: bool, most: u32 },
}

/// A machine that was made.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Machine {
    zone: usize,
    /// Shards that it holds.
    slots: u32,
    cpu: u32,
}

/// Who is where while steps are taken.
#[derive(Clone, Debug)]
struct Play<'w> {
    world: &'w World,
    /// Steps that were taken, each with its place: nodes first, then machines.
    taken: Vec<usize>,
    machines: Vec<Machine>,
}

impl World {
    fn moved(&self) -> usize {
        self.waves.iter().sum::<usize>().min(self.shards.len())
    }

    fn wave_of(&self, step: usize) -> usize {
        let mut last = 0;
        self.waves
            .iter()
            .position(|size| {
                last += size;
                step < last
            })
            .unwrap()
    }

    fn kinds(&self) -> Vec<Machine> {
        let kinds = self.types.iter().flat_map(|kind| {
            let size = catalogue::size(TYPES[*kind]).unwrap();
            let memory = nap::planned_allocatable(size).memory_bytes;
            let slots = u32::try_from(memory / u64::from(GIB) / u64::from(self.new)).unwrap();
            self.zones.iter().map(move |zone| Machine { zone: *zone, slots, cpu: size.vcpus })
        });
        kinds.filter(|kind| kind.slots > 0).collect()
    }

    fn scene(&self) -> Scene {
        let mut snapshot = healthy();
        let shard = snapshot.shards[0].clone();
        let claim = snapshot.claims.as_ref().unwrap().values().next().unwrap().clone();
        let volume = snapshot.volumes.as_ref().unwrap().values().next().unwrap().clone();
        let gib = |amount: u32| Resources { cpu: quantity("100m"), memory: quantity(&format!("{amount}Gi")) };
        let mut nodes: BTreeMap<NodeName, Node> = BTreeMap::new();
        let mut occupants: BTreeMap<NodeName, Vec<Occupant>> = BTreeMap::new();
        let pod = |name: &str, requests: Resources, ordinal: Option<u32>| Occupant {
            namespace: "biometric-shards".to_owned(),
            name: PodName::new(name),
            requests,
            is_daemon: false,
            ordinal,
            stateful_set: None,
            claims: 0,
        };
        for (index, (zone, size, others)) in self.nodes.iter().enumerate() {
            let mut one = node(&format!("node-{index}"));
            one.labels.insert(ZONE.to_owned(), ZONES[*zone].to_owned());
            one.labels.insert("node.kubernetes.io/instance-type".to_owned(), "Standard_D2s_v5".to_owned());
            one.allocatable = Resources { cpu: quantity("100"), ..gib(*size) };
            one.capacity = Resources { cpu: quantity("2"), ..gib(*size) };
            occupants.entry(one.name.clone()).or_default().push(pod("other", gib(*others), None));
            nodes.insert(one.name.clone(), one);
        }
        let mut elsewhere = node("elsewhere");
        elsewhere.labels.insert(NODE_POOL.to_owned(), "biometric-explore".to_owned());
        elsewhere.labels.insert(ZONE.to_owned(), "eastus-3".to_owned());
        nodes.insert(elsewhere.name.clone(), elsewhere);
        snapshot.shards.clear();
        let mut claims = BTreeMap::new();
        let mut volumes = BTreeMap::new();
        for (ordinal, (at, zones)) in (0..).zip(&self.shards) {
            let mut shard = shard.clone();
            shard.ordinal = ordinal;
            shard.pod_name = PodName::new(format!("biometric-shard-{ordinal}"));
            let name = at.map_or_else(|| "elsewhere".to_owned(), |at| format!("node-{at}"));
            let moved: &mut Pod = shard.pod.as_mut().unwrap();
            moved.node = Some(NodeName::new(&name));
            moved.requests = gib(OLD);
            let occupant = pod(shard.pod_name.as_str(), gib(OLD), Some(ordinal));
            occupants.entry(NodeName::new(name)).or_default().push(occupant);
            let mut claim = claim.clone();
            claim.name = crate::domain::names::ClaimName::new(format!("biometric-data-{}", shard.pod_name));
            let mut volume = volume.clone();
            volume.name = crate::domain::names::VolumeName::new(format!("pv-{ordinal}"));
            claim.volume = Some(volume.name.clone());
            let zones: Vec<&str> = zones.iter().map(|zone| ZONES[*zone]).collect();
            volume.node_terms = vec![vec![expression(ZONE, "In", &zones)]];
            claims.insert(claim.name.clone(), claim);
            volumes.insert(volume.name.clone(), volume);
            snapshot.shards.push(shard);
        }
        snapshot.claims = Ok(claims);
        snapshot.volumes = Ok(volumes);
        snapshot.nodes = Ok(nodes);
        snapshot.occupants = Ok(occupants);
        let pool = &mut snapshot.node_pools.as_mut().unwrap()[0];
        let types: Vec<&str> = self.types.iter().map(|kind| TYPES[*kind]).collect();
        let zones: Vec<&str> = self.zones.iter().map(|zone| ZONES[*zone]).collect();
        pool.requirements = vec![
            expression("node.kubernetes.io/instance-type", "In", &types),
            expression(ZONE, "In", &zones),
        ];
        pool.usage.clear();
        pool.limits.clear();
        let limits = [("cpu", self.limits.0), ("nodes", self.limits.1)];
        let limits = limits.into_iter().filter_map(|(name, limit)| Some((name.to_owned(), limit?)));
        pool.limits.extend(limits.map(|(name, limit)| (name, quantity(&limit.to_string()))));
        let mut scene = Scene::of(snapshot);
        scene.terrain.daemon_sets = Ok(Vec::new());
        scene.template.requests = gib(self.new);
        scene.makes_room_first = self.makes_room_first;
        let mut ordinals = 0..u32::try_from(self.shards.len()).unwrap();
        scene.waves = self.waves.iter().map(|size| ordinals.by_ref().take(*size).collect()).collect();
        let key = |by_zone| if by_zone { ZONE.to_owned() } else { HOSTNAME.to_owned() };
        match self.rule {
            Some(Keep::Apart { by_zone }) => {
                scene.template.anti_affinity =
                    vec![AntiAffinity { topology_key: key(by_zone), selects_own: true }];
            }
            Some(Keep::Skew { by_zone, most }) => {
                scene.template.spread = vec![SpreadConstraint {
                    topology_key: key(by_zone),
                    max_skew: i32::try_from(most).unwrap(),
                    when_unsatisfiable: "DoNotSchedule".to_owned(),
                    selects_own: true,
                    has_options: false,
                }];
            }
            None => {}
        }
        scene
    }
}

const NODE_POOL: &str = crate::domain::snapshot::NODE_POOL_LABEL;

impl<'w> Play<'w> {
    fn new(world: &'w World) -> Self {
        Self { world, taken: Vec::new(), machines: Vec::new() }
    }

    fn step(&self) -> usize {
        self.taken.len()
    }

    /// The old shards that are still there during the step that is next.
    fn old(&self) -> impl Iterator<Item = Option<usize>> {
        let wave = self.world.wave_of(self.step());
        let is_there = move |shard: &usize| *shard >= self.world.moved() || self.world.wave_of(*shard) > wave;
        (0..self.world.shards.len()).filter(is_there).map(|shard| self.world.shards[shard].0)
    }

    fn zone(&self, place: usize) -> usize {
        let nodes = self.world.nodes.len();
        if place < nodes { self.world.nodes[place].0 } else { self.machines[place - nodes].zone }
    }

    fn places(&self) -> usize {
        self.world.nodes.len() + self.machines.len()
    }

    fn new_on(&self, place: usize) -> u32 {
        count(self.taken.iter().filter(|taken| **taken == place).count())
    }

    /// All shards on a place.
    fn shards_on(&self, place: usize) -> u32 {
        self.new_on(place) + count(self.old().filter(|old| *old == Some(place)).count())
    }

    fn has_room(&self, place: usize) -> bool {
        if let Some(machine) = place.checked_sub(self.world.nodes.len()) {
            return self.new_on(place) < self.machines[machine].slots;
        }
        let (_, size, others) = self.world.nodes[place];
        let old = match self.world.makes_room_first {
            true => self.world.shards.iter().filter(|(at, _)| *at == Some(place)).count(),
            false => self.old().filter(|old| *old == Some(place)).count(),
        };
        others + count(old) * OLD + (self.new_on(place) + 1) * self.world.new <= size
    }

    /// Shards by zone: on the nodes of the pool, or everywhere, where those elsewhere are in a zone of their own.
    fn in_zone(&self, zone: usize) -> u32 {
        (0..self.places()).filter(|place| self.zone(*place) == zone).map(|place| self.shards_on(place)).sum()
    }

    fn keeps_rule(&self, place: usize) -> bool {
        let zone = self.zone(place);
        match self.world.rule {
            None => true,
            Some(Keep::Apart { by_zone: false }) => self.shards_on(place) == 0,
            Some(Keep::Apart { by_zone: true }) => self.in_zone(zone) == 0,
            Some(Keep::Skew { by_zone: false, most }) => {
                let least = (0..self.places()).map(|place| self.shards_on(place)).min().unwrap();
                self.shards_on(place) < most + least
            }
            Some(Keep::Skew { by_zone: true, most }) => {
                let zones: BTreeSet<usize> = (0..self.places()).map(|place| self.zone(place)).collect();
                let least = zones.iter().map(|zone| self.in_zone(*zone)).min().unwrap();
                self.in_zone(zone) < most + least
            }
        }
    }

    fn may_go(&self, place: usize) -> bool {
        let reaches = self.world.shards[self.step()].1.contains(&self.zone(place));
        reaches && self.has_room(place) && self.keeps_rule(place)
    }

    fn may_make(&self, kind: Machine) -> bool {
        let zones = &self.world.shards[self.step()].1;
        let made = count(self.machines.len() + self.world.nodes.len());
        let cpu =
            self.machines.iter().map(|machine| machine.cpu).sum::<u32>() + 2 * count(self.world.nodes.len());
        let karpenter = match self.world.rule {
            Some(Keep::Skew { by_zone: true, most }) => {
                let could = self.world.zones.iter().filter(|zone| zones.contains(zone));
                let least = could.map(|zone| self.in_zone(*zone)).min().unwrap_or(0);
                self.in_zone(kind.zone) < most + least
            }
            _ => true,
        };
        self.world.limits.0.is_none_or(|limit| cpu + kind.cpu <= limit)
            && self.world.limits.1.is_none_or(|limit| made < limit)
            && karpenter
    }

    /// Tries everything; the most steps that can be taken.
    fn most_steps(&mut self, kinds: &[Machine]) -> usize {
        let step = self.step();
        let end = self.world.moved();
        if step == end {
            return step;
        }
        let mut most = step;
        for place in 0..self.places() {
            if self.may_go(place) {
                self.taken.push(place);
                most = most.max(self.most_steps(kinds));
                self.taken.pop();
            }
            if most == end {
                return most;
            }
        }
        for kind in kinds {
            if self.may_make(*kind) {
                self.machines.push(*kind);
                let place = self.places() - 1;
                if self.may_go(place) {
                    self.taken.push(place);
                    most = most.max(self.most_steps(kinds));
                    self.taken.pop();
                }
                self.machines.pop();
            }
            if most == end {
                return most;
            }
        }
        most
    }

    /// Takes the steps of a proof; where one cannot be taken, says which.
    fn follow(&mut self, proof: &Proof) -> Result<(), String> {
        let mut machines: BTreeMap<u32, usize> = BTreeMap::new();
        for step in &proof.steps {
            let place = match &step.destination {
                Destination::Node { name, .. } => {
                    name.as_str().strip_prefix("node-").unwrap().parse::<usize>().unwrap()
                }
                Destination::NewNode { number, .. } => {
                    let made = &proof.new_nodes[*number as usize - 1];
                    if !machines.contains_key(number) {
                        let zone = ZONES.iter().position(|zone| Some(*zone) == made.zone.as_deref()).unwrap();
                        let cpu = catalogue::size(&made.instance_type).unwrap().vcpus;
                        let kinds = self.world.kinds();
                        let kind = kinds.iter().find(|kind| kind.zone == zone && kind.cpu == cpu).unwrap();
                        if !self.may_make(*kind) {
                            return Err(format!("step {} cannot make {}", step.number, step.destination));
                        }
                        self.machines.push(*kind);
                        machines.insert(*number, self.places() - 1);
                    }
                    machines[number]
                }
                other => return Err(format!("{other}")),
            };
            if !self.may_go(place) {
                return Err(format!("step {} cannot go to {}", step.number, step.destination));
            }
            self.taken.push(place);
        }
        Ok(())
    }
}

fn zones() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![Just(vec![0]), Just(vec![1]), Just(vec![0, 1])]
}

fn rule() -> impl Strategy<Value = Option<Keep>> {
    let apart = any::<bool>().prop_map(|by_zone| Some(Keep::Apart { by_zone }));
    let skew = (any::<bool>(), 1_u32..3).prop_map(|(by_zone, most)| Some(Keep::Skew { by_zone, most }));
    prop_oneof![3 => Just(None), 1 => apart, 2 => skew]
}

fn world(most_nodes: usize, most_shards: usize) -> impl Strategy<Value = World> {
    let nodes = prop::collection::vec((0_usize..2, 0_u32..48, 0_u32..16), 0..=most_nodes);
    let shards = prop::collection::vec((prop::option::of(0..most_nodes), zones()), 1..=most_shards);
    let limits = (prop::option::of(0_u32..24), prop::option::of(0_u32..6));
    (
        (nodes, shards),
        prop::collection::vec(1_usize..3, 1..=most_shards),
        prop_oneof![Just(8_u32), Just(12)],
        prop::sample::subsequence(vec![0, 1, 2], 1..=2),
        zones(),
        limits,
        any::<bool>(),
        rule(),
    )
        .prop_map(|((nodes, shards), waves, new, types, zones, limits, makes_room_first, rule)| {
            let there = nodes.len();
            let mut left = shards.len();
            // As many waves as there are shards for.
            let waves = waves.into_iter().map_while(|size| {
                let size = size.min(left);
                left -= size;
                (size > 0).then_some(size)
            });
            World {
                waves: waves.collect(),
                // Shards are where there is a node.
                shards: shards.into_iter().map(|(at, zones)| (at.filter(|at| *at < there), zones)).collect(),
                nodes,
                new,
                types,
                zones,
                limits,
                makes_room_first,
                rule,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_proof_agrees_with_trying_everything(world in world(2, 4)) {
        let proved = world.scene().prove();
        let most = Play::new(&world).most_steps(&world.kinds());
        match proved {
            Ok(proof) => {
                prop_assert!(proof.is_complete(), "{:?}", proof.doubts);
                prop_assert_eq!(most, world.moved());
                prop_assert_eq!(Play::new(&world).follow(&proof), Ok(()));
            }
            Err(refusal) => {
                let at = refusal.at().map(|at| at.step as usize);
                prop_assert_eq!(at, Some(most + 1), "{}", refusal);
            }
        }
    }

    #[test]
    fn a_proof_can_be_carried_out(world in world(6, 30)) {
        if let Ok(proof) = world.scene().prove() {
            if proof.is_complete() {
                prop_assert_eq!(Play::new(&world).follow(&proof), Ok(()));
            } else {
                let is_undecided = |doubt: &Doubt| matches!(doubt, Doubt::Undecided { .. });
                prop_assert!(proof.doubts.iter().any(is_undecided));
            }
        }
    }
}
