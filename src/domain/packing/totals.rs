//! All nodes together.

use std::collections::BTreeSet;

use super::{FailureDomains, NodePacking, Room, Totals, count};
use crate::domain::quantity::Resources;

pub(super) fn totals(nodes: &[NodePacking]) -> Totals {
    let mut totals = Totals {
        nodes: count(nodes.len()),
        // Sums start at nothing and stay known as long as every node's part is.
        room: (!nodes.is_empty()).then(|| Room {
            free_slots: Some(0),
            stranded: Some(Resources::default()),
            ..Room::default()
        }),
        open_slots: (!nodes.is_empty()).then_some(0),
        ..Totals::default()
    };
    for node in nodes {
        totals.placed += count(node.shards.iter().filter(|shard| shard.is_expected).count());
        totals.allocatable += node.allocatable;
        totals.allocatable_pods = totals.allocatable_pods.saturating_add(node.allocatable_pods);
        totals.room = totals.room.zip(node.room).map(|(sum, room)| sum_of(&sum, &room));
        totals.open_slots =
            totals.open_slots.zip(node.open_slots()).map(|(sum, slots)| sum.saturating_add(slots));
        if let Some(usage) = node.usage {
            let sum = totals.usage.get_or_insert_default();
            sum.total += usage.total;
            sum.measured += usage.measured;
        }
        match node.price_per_hour {
            Some(price) => *totals.price_per_hour.get_or_insert_default() += price,
            None => totals.nodes_without_price += 1,
        }
    }
    totals
}

fn sum_of(sum: &Room, room: &Room) -> Room {
    Room {
        shards: sum.shards.plus(room.shards),
        daemons: sum.daemons.plus(room.daemons),
        others: sum.others.plus(room.others),
        free: sum.free + room.free,
        free_pods: sum.free_pods.saturating_add(room.free_pods),
        overcommit: sum.overcommit + room.overcommit,
        free_slots: sum.free_slots.zip(room.free_slots).map(|(sum, slots)| sum.saturating_add(slots)),
        stranded: sum.stranded.zip(room.stranded).map(|(sum, stranded)| sum + stranded),
    }
}

pub(super) fn failure_domains(nodes: &[NodePacking]) -> FailureDomains {
    let carriers = || nodes.iter().filter(|node| !node.shards.is_empty());
    let zones: BTreeSet<&str> = carriers().filter_map(|node| node.zone.as_deref()).collect();
    FailureDomains {
        nodes: count(carriers().count()),
        zones: count(zones.len()),
        shared_nodes: count(carriers().filter(|node| node.shards.len() > 1).count()),
        most_on_one_node: count(carriers().map(|node| node.shards.len()).max().unwrap_or(0)),
    }
}
