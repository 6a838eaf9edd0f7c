use proptest::prelude::*;

use super::fewest::EmptyNode;
use super::tests::{add_other, nodes_of, other, pack};
use super::*;
use crate::domain::quantity::Quantity;
use crate::domain::testing::healthy;

fn amount(most_milli: i64, most_mebi: i64) -> impl Strategy<Value = Resources> {
    (0..=most_milli, 0..=most_mebi).prop_map(|(milli, mebi)| Resources {
        cpu: Quantity::milli(milli),
        memory: Quantity::bytes(mebi << 20),
    })
}

proptest! {
    #[test]
    fn requested_and_free_are_allocatable_and_overcommit(
        allocatable in amount(64_000, 512 << 10),
        shard in amount(16_000, 64 << 10),
        extra in amount(40_000, 256 << 10),
        pods in 0_u32..20,
    ) {
        let mut snapshot = healthy();
        snapshot.workload.template.requests = shard;
        for node in nodes_of(&mut snapshot).values_mut() {
            node.allocatable = allocatable;
            node.allocatable_pods = pods;
        }
        let mut tool = other("tool", "0", "0");
        tool.requests = extra;
        add_other(&mut snapshot, "stable-3", tool);
        for node in pack(&snapshot).nodes {
            let room = node.room.unwrap();
            prop_assert_eq!(
                room.requested().requests + room.free,
                node.allocatable + room.overcommit
            );
            if let Some(slots) = room.free_slots {
                prop_assert!(room.free.holds(shard * slots));
                prop_assert!(slots <= room.free_pods);
                prop_assert_eq!(room.stranded.unwrap() + shard * slots, room.free);
                let one_more = slots < room.free_pods && room.free.holds(shard * (slots + 1));
                prop_assert!(!one_more);
            }
        }
    }

    #[test]
    fn a_packing_with_the_fewest_nodes_exists_and_is_within_allocatable(
        free in amount(32_000, 256 << 10),
        shard in amount(8_000, 64 << 10),
        others in prop::collection::vec(amount(4_000, 16 << 10), 0..25),
        pods in 1_u32..30,
        most_shards in 1_u32..6,
        replicas in 0_u32..60,
    ) {
        let empty = EmptyNode { free, pods, shard, most_shards };
        prop_assume!(others.iter().all(|other| free.holds(*other)));
        let Ok(fewest) = empty.fewest(replicas, &others) else {
            let fits = pods > 0 && free.holds(shard) && shard != Resources::default();
            prop_assert!(!fits);
            return Ok(());
        };
        prop_assert!(fewest.nodes >= fewest.at_least);
        prop_assert!(fewest.nodes >= replicas.div_ceil(fewest.per_node));

        // Build it: the other pods as placed, then shards wherever there is room.
        let filled = empty.place(fewest.nodes, &others).unwrap();
        prop_assert!(filled.len() <= fewest.nodes as usize);
        let mut left = replicas;
        let mut seen = vec![false; others.len()];
        for index in 0..fewest.nodes as usize {
            let mut load = Load::default();
            for other in filled.get(index).map_or(&[][..], |node| &node.others) {
                prop_assert!(!std::mem::replace(&mut seen[*other], true));
                load.add(others[*other]);
            }
            let mut on_node = 0;
            while left > 0
                && on_node < most_shards
                && load.pods < pods
                && free.holds(load.requests + shard)
            {
                load.add(shard);
                on_node += 1;
                left -= 1;
            }
            prop_assert!(free.holds(load.requests) && load.pods <= pods);
        }
        prop_assert_eq!(left, 0);
        prop_assert!(seen.iter().all(|placed| *placed));

        // More shards never need fewer nodes.
        let more = empty.fewest(replicas + 1, &others).unwrap();
        prop_assert!(more.nodes >= fewest.nodes);
    }
}
