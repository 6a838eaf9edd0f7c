//! One node: what its pods request, what is left, and who may still come.

use std::collections::{BTreeMap, BTreeSet};

use super::{Closed, Load, NodePacking, PlacedShard, Room, ShardState, ShardUsage};
use super::{UnplacedReason, UnplacedShard, UnreadShard};
use crate::domain::names::NodeName;
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::snapshot::{Node, Occupant, Pod, PodTemplate, Shard, Snapshot, any_term_matches};

/// The node that a pod takes room on: none before it is placed and after it has ended.
fn node_held(pod: &Pod) -> Option<&NodeName> {
    let has_ended = matches!(pod.phase.as_str(), "Succeeded" | "Failed");
    pod.node.as_ref().filter(|_| !has_ended)
}

pub(super) fn unplaced(shard: &Shard) -> Option<UnplacedShard> {
    let reason = match &shard.pod {
        None => UnplacedReason::NoPod,
        Some(pod) if node_held(pod).is_some() => return None,
        Some(pod) if pod.node.is_some() => UnplacedReason::Ended { phase: pod.phase.clone() },
        Some(pod) => match &pod.unschedulable {
            Some(message) => UnplacedReason::Unschedulable(message.clone()),
            None => UnplacedReason::NotScheduled,
        },
    };
    Some(UnplacedShard { ordinal: shard.ordinal, pod_name: shard.pod_name.clone(), reason })
}

pub(super) fn unread(snapshot: &Snapshot, shard: &Shard) -> Option<UnreadShard> {
    let node = node_held(shard.pod.as_ref()?)?;
    let reason = match &snapshot.nodes {
        Ok(nodes) if nodes.contains_key(node) => return None,
        Ok(_) => "there is no node of that name".to_owned(),
        Err(unknown) => unknown.to_string(),
    };
    Some(UnreadShard { ordinal: shard.ordinal, node: node.clone(), reason })
}

/// The shards that take room, by the node they are on.
pub(super) fn shards_by_node(snapshot: &Snapshot) -> BTreeMap<&NodeName, Vec<(&Shard, &Pod)>> {
    let mut by_node: BTreeMap<&NodeName, Vec<(&Shard, &Pod)>> = BTreeMap::new();
    for shard in &snapshot.shards {
        if let Some((pod, node)) = shard.pod.as_ref().and_then(|pod| Some((pod, node_held(pod)?))) {
            by_node.entry(node).or_default().push((shard, pod));
        }
    }
    by_node
}

pub(super) fn node_packing(
    snapshot: &Snapshot,
    node: &Node,
    on_it: &[(&Shard, &Pod)],
    prices: impl Fn(&Node) -> Option<f64>,
) -> NodePacking {
    let shards = on_it
        .iter()
        .map(|(shard, pod)| PlacedShard {
            ordinal: shard.ordinal,
            state: ShardState::of(pod),
            is_expected: shard.ordinal < snapshot.workload.replicas,
            requests: pod.requests,
        })
        .collect();
    let occupants = match &snapshot.occupants {
        // A node without an entry is empty.
        Ok(occupants) => Some(occupants.get(&node.name).map_or(&[][..], Vec::as_slice)),
        Err(_) => None,
    };
    let template = &snapshot.workload.template;
    NodePacking {
        name: node.name.clone(),
        instance_type: node.instance_type().map(str::to_owned),
        zone: node.zone().map(str::to_owned),
        node_pool: node.node_pool(),
        capacity_type: node.capacity_type().map(str::to_owned),
        is_ready: node.is_ready,
        is_cordoned: node.is_cordoned,
        is_deleting: node.deleted_at.is_some(),
        closed: closed(node, template),
        allocatable: node.allocatable,
        allocatable_pods: node.allocatable_pods,
        shards,
        usage: usage(snapshot, on_it),
        room: occupants.map(|occupants| room(node, occupants, on_it, template.requests)),
        price_per_hour: prices(node).filter(|price| price.is_finite() && *price > 0.0),
    }
}

/// Why a node takes no new pod of a template; empty when it takes one.
pub(in crate::domain) fn closed(node: &Node, template: &PodTemplate) -> Vec<Closed> {
    let mut closed = Vec::new();
    if node.is_cordoned {
        closed.push(Closed::Cordoned);
    }
    if !node.is_ready {
        closed.push(Closed::NotReady);
    }
    if node.deleted_at.is_some() {
        closed.push(Closed::Deleting);
    }
    for taint in &node.taints {
        // Cordoning and losing readiness taint a node as well: that is said above.
        let is_said = match taint.key.as_str() {
            "node.kubernetes.io/unschedulable" => node.is_cordoned,
            "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable" => !node.is_ready,
            "karpenter.sh/disrupted" => node.deleted_at.is_some(),
            _ => false,
        };
        if !is_said && taint.effect != "PreferNoSchedule" && !template.tolerates(taint) {
            closed.push(Closed::Taint { key: taint.key.clone(), effect: taint.effect.clone() });
        }
    }
    if !any_term_matches(&template.node_terms, &node.labels) {
        closed.push(Closed::NotSelected);
    }
    closed
}

fn usage(snapshot: &Snapshot, on_it: &[(&Shard, &Pod)]) -> Option<ShardUsage> {
    let known = snapshot.usage.as_ref().ok()?;
    let mut usage = ShardUsage::default();
    for used in on_it.iter().filter_map(|(shard, _)| known.get(&shard.pod_name)) {
        usage.total += *used;
        usage.measured += 1;
    }
    // A node without shards uses nothing for shards; a node of unmeasured shards is unknown.
    (usage.measured > 0 || on_it.is_empty()).then_some(usage)
}

fn room(node: &Node, occupants: &[Occupant], on_it: &[(&Shard, &Pod)], shard: Resources) -> Room {
    let mut room = Room::default();
    for occupant in occupants {
        let load = match occupant {
            Occupant { ordinal: Some(_), .. } => &mut room.shards,
            Occupant { is_daemon: true, .. } => &mut room.daemons,
            _ => &mut room.others,
        };
        load.add(occupant.requests);
    }
    // Shards and occupants are two lists: a shard that came between them counts all the same.
    let listed: BTreeSet<u32> = occupants.iter().filter_map(|occupant| occupant.ordinal).collect();
    for (shard, pod) in on_it {
        if !listed.contains(&shard.ordinal) {
            room.shards.add(pod.requests);
        }
    }
    let requested = room.requested();
    room.free = node.allocatable.saturating_sub(requested.requests);
    room.overcommit = requested.requests.saturating_sub(node.allocatable);
    room.free_pods = node.allocatable_pods.saturating_sub(requested.pods);
    room.free_slots = slots(room.free, room.free_pods, shard);
    room.stranded = room.free_slots.map(|slots| room.free.saturating_sub(shard * slots));
    room
}

/// How many pods that request `shard` each fit into `free` and `free_pods`: the least over CPU, memory
/// and pods. None when they request nothing, for then room says nothing about how many there may be.
pub(in crate::domain) fn slots(free: Resources, free_pods: u32, shard: Resources) -> Option<u32> {
    let times =
        |free: Quantity, one: Quantity| one.is_positive().then(|| free.times(one).unwrap_or(u32::MAX));
    let fit = [times(free.cpu, shard.cpu), times(free.memory, shard.memory)];
    let least = fit.into_iter().flatten().min()?;
    Some(least.min(free_pods))
}

/// The load of the pods on a node that are neither shards nor daemons, one by one.
pub(super) fn others<'a>(snapshot: &'a Snapshot, node: &NodeName) -> impl Iterator<Item = &'a Occupant> {
    snapshot
        .occupants
        .iter()
        .filter_map(|occupants| occupants.get(node))
        .flatten()
        .filter(|occupant| occupant.ordinal.is_none() && !occupant.is_daemon)
}

/// What DaemonSets take on a node.
pub(super) fn daemons(node: &NodePacking) -> Load {
    node.room.map(|room| room.daemons).unwrap_or_default()
}
