use super::FewestNodes;
use super::fewest::EmptyNode;
use crate::domain::quantity::Resources;
use crate::domain::testing::resources;

#[test]
fn the_fit_table_of_azure_sizes() {
    // Planned allocatable and fits of 4 CPU / 32Gi with and without DaemonSets of 0.5 CPU / 0.8Gi.
    let daemons = resources("500m", "0.8Gi");
    for (size, cpu, memory, with, without, for_ten) in [
        ("E8s_v5", "7820m", "52.99Gi", 1, 1, 10),
        ("E16s_v5", "15740m", "108.35Gi", 3, 3, 4),
        ("E20s_v5", "19700m", "137.31Gi", 4, 4, 3),
        ("E32s_v5", "31580m", "224.19Gi", 6, 7, 2),
        ("E48s_v5", "47420m", "340.03Gi", 10, 10, 1),
    ] {
        let empty = |taken: Resources| EmptyNode {
            free: resources(cpu, memory).saturating_sub(taken),
            pods: 250,
            shard: resources("4", "32Gi"),
            most_shards: u32::MAX,
        };
        let fewest = empty(daemons).fewest(10, &[]).unwrap();
        assert_eq!((fewest.per_node, fewest.nodes), (with, for_ten), "{size}");
        let bare = empty(Resources::default()).fewest(10, &[]).unwrap();
        assert_eq!(bare.per_node, without, "{size}");
    }
}

#[test]
fn other_pods_go_where_they_cost_no_shard_its_place() {
    let empty = EmptyNode {
        free: resources("15240m", "107Gi"),
        pods: 250,
        shard: resources("4", "32Gi"),
        most_shards: u32::MAX,
    };
    // Four nodes strand 3.24 CPU and 11Gi each: room for one such pod on each, and not for two.
    let others = [resources("2", "8Gi"); 4];
    assert_eq!(empty.fewest(12, &others).unwrap(), FewestNodes { nodes: 4, per_node: 3, at_least: 4 });
    assert_eq!(empty.fewest(13, &others).unwrap().nodes, 5);
    assert_eq!(empty.fewest(12, &[resources("2", "8Gi"); 5]).unwrap().nodes, 5);
    assert_eq!(empty.fewest(0, &others).unwrap().nodes, 1);
    assert_eq!(empty.fewest(0, &[]).unwrap().nodes, 0);
}

#[test]
fn a_thousand_shards_are_counted_in_no_time() {
    let empty = EmptyNode {
        free: resources("15240m", "110Gi"),
        pods: 250,
        shard: resources("4", "32Gi"),
        most_shards: u32::MAX,
    };
    let others = vec![resources("100m", "128Mi"); 1000];
    let fewest = empty.fewest(1000, &others).unwrap();
    assert_eq!((fewest.nodes, fewest.at_least), (334, 334));
}

#[test]
fn an_other_pod_without_requests_takes_a_pod_and_nothing_else() {
    let empty = EmptyNode {
        free: resources("4", "32Gi"),
        pods: 1,
        shard: resources("4", "32Gi"),
        most_shards: u32::MAX,
    };
    assert_eq!(empty.fewest(1, &[Resources::default()]).unwrap().nodes, 2);
}
