use super::*;
use crate::domain::quantity::Quantity;
use crate::domain::snapshot::{NodePool, Occupant, SpreadConstraint};
use crate::domain::testing::{healthy, resources};

pub(super) fn pack(snapshot: &Snapshot) -> Packing {
    packing(snapshot, |_| None)
}

pub(super) fn nodes_of(snapshot: &mut Snapshot) -> &mut std::collections::BTreeMap<NodeName, Node> {
    snapshot.nodes.as_mut().unwrap()
}

fn node<'a>(packing: &'a Packing, name: &str) -> &'a NodePacking {
    packing.nodes.iter().find(|node| node.name.as_str() == name).unwrap()
}

pub(super) fn other(name: &str, cpu: &str, memory: &str) -> Occupant {
    Occupant {
        namespace: "tools".to_owned(),
        name: PodName::new(name),
        requests: resources(cpu, memory),
        is_daemon: false,
        ordinal: None,
        stateful_set: None,
        claims: 0,
    }
}

pub(super) fn add_other(snapshot: &mut Snapshot, node: &str, occupant: Occupant) {
    let occupants = snapshot.occupants.as_mut().unwrap();
    occupants.get_mut(&NodeName::new(node)).unwrap().push(occupant);
}

fn spread(max_skew: i32, when_unsatisfiable: &str) -> SpreadConstraint {
    SpreadConstraint {
        topology_key: "kubernetes.io/hostname".to_owned(),
        max_skew,
        when_unsatisfiable: when_unsatisfiable.to_owned(),
        selects_own: true,
        has_options: false,
    }
}

#[test]
fn a_full_node_has_no_slot_and_all_its_room_is_stranded() {
    let packing = pack(&healthy());
    let full = node(&packing, "stable-0");
    let room = full.room.unwrap();
    // 15740m - 3 x 4 - 500m; 113609Mi - 3 x 32Gi - 800Mi.
    assert_eq!(room.free, resources("3240m", "14505Mi"));
    assert_eq!(room.shards.requests, resources("12", "96Gi"));
    assert_eq!(room.daemons.requests, resources("500m", "800Mi"));
    assert_eq!(room.others, Load::default());
    assert_eq!((room.free_slots, room.free_pods), (Some(0), 246));
    assert_eq!(room.stranded, Some(room.free));
    assert_eq!(full.usage.unwrap().total, resources("6", "72Gi"));
    assert_eq!(full.usage.unwrap().measured, 3);
}

#[test]
fn what_is_left_after_filling_the_slots_is_stranded() {
    let packing = pack(&healthy());
    let room = node(&packing, "stable-3").room.unwrap();
    // 11240m and 80041Mi are free: two shards by both.
    assert_eq!(room.free, resources("11240m", "80041Mi"));
    assert_eq!(room.free_slots, Some(2));
    assert_eq!(room.stranded, Some(resources("3240m", "14505Mi")));
    assert_eq!(packing.totals.open_slots, Some(2));
    let total = packing.totals.room.unwrap();
    assert_eq!(total.stranded, Some(resources("12960m", "58020Mi")));
    assert_eq!(total.requested().requests, resources("42", "323Gi") + resources("0", "128Mi"));
}

#[test]
fn the_fewest_nodes_of_the_type_that_is_there() {
    let packing = pack(&healthy());
    let [fewest] = &packing.fewest[..] else { panic!("one type") };
    assert_eq!(fewest.instance_type.as_deref(), Some("Standard_E16s_v5"));
    assert_eq!(fewest.daemons.requests, resources("500m", "800Mi"));
    assert_eq!(fewest.answer, Ok(FewestNodes { nodes: 4, per_node: 3, at_least: 4 }));
    assert_eq!(fewest.with_spread, None);
    assert_eq!(packing.present, Some(PresentNodes { capacity: 12, nodes: Some(4) }));
    assert_eq!(
        packing.failure_domains,
        FailureDomains { nodes: 4, zones: 1, shared_nodes: 3, most_on_one_node: 3 }
    );
}

#[test]
fn each_type_is_answered_for_itself_with_the_most_daemons_seen_on_it() {
    let mut snapshot = healthy();
    let large = nodes_of(&mut snapshot).get_mut(&NodeName::new("stable-3")).unwrap();
    large.labels.insert("node.kubernetes.io/instance-type".to_owned(), "Standard_E32s_v5".to_owned());
    large.allocatable = resources("31580m", "224.19Gi");
    let mut daemon = other("csi", "1", "14Gi");
    daemon.is_daemon = true;
    add_other(&mut snapshot, "stable-1", daemon);
    let packing = pack(&snapshot);
    let answers: Vec<_> = packing
        .fewest
        .iter()
        .map(|fewest| (fewest.daemons.requests, fewest.answer.as_ref().unwrap().nodes))
        .collect();
    // 113609Mi - 15136Mi holds 3 still; 15740m - 1500m does as well.
    assert_eq!(answers, [(resources("1500m", "15136Mi"), 4), (resources("500m", "800Mi"), 2),]);
    // 6 + 3 + 3 + 3, of which three nodes are enough for ten.
    assert_eq!(packing.present, Some(PresentNodes { capacity: 15, nodes: Some(3) }));
}

#[test]
fn the_pods_limit_counts_like_cpu_and_memory() {
    let mut snapshot = healthy();
    for node in nodes_of(&mut snapshot).values_mut() {
        node.allocatable_pods = 3;
    }
    let packing = pack(&snapshot);
    // One daemon and two shards.
    let answer = packing.fewest[0].answer.clone().unwrap();
    assert_eq!((answer.per_node, answer.nodes), (2, 5));
    assert_eq!(node(&packing, "stable-3").room.unwrap().free_slots, Some(1));
    assert_eq!(packing.present.unwrap().nodes, None);
}

#[test]
fn what_fits_on_no_empty_node_has_no_answer() {
    let mut snapshot = healthy();
    snapshot.workload.template.requests = resources("16", "32Gi");
    let packing = pack(&snapshot);
    assert_eq!(packing.fewest[0].answer, Err(NoPacking::ShardTooLarge));
    assert_eq!(packing.differing.len(), 10);
    assert_eq!(node(&packing, "stable-0").room.unwrap().free_slots, Some(0));

    let mut snapshot = healthy();
    // The node that it runs on has fewer daemons than another of its type.
    add_other(&mut snapshot, "stable-0", other("giant", "15500m", "1Gi"));
    let error = pack(&snapshot).fewest[0].answer.clone().unwrap_err();
    assert_eq!(error.to_string(), "pod tools/giant does not fit on an empty node");
    let room = node(&pack(&snapshot), "stable-0").room.unwrap();
    assert_eq!(room.overcommit, resources("12260m", "0"));
    assert_eq!(room.free.cpu, Quantity::ZERO);
}

#[test]
fn karpenter_plans_for_no_more_shards_on_a_node_than_max_skew() {
    let mut snapshot = healthy();
    let mut zonal = spread(1, "DoNotSchedule");
    zonal.topology_key = "topology.kubernetes.io/zone".to_owned();
    snapshot.workload.template.spread = vec![zonal, spread(2, "ScheduleAnyway")];
    let packing = pack(&snapshot);
    let constraint = packing.hostname_spread.unwrap();
    assert_eq!(constraint.field, "topologySpreadConstraints[1].maxSkew");
    assert!(constraint.has_karpenter);
    assert_eq!(packing.fewest[0].answer.as_ref().unwrap().nodes, 4);
    assert_eq!(packing.fewest[0].with_spread, Some(Ok(FewestNodes { nodes: 5, per_node: 2, at_least: 5 })));

    // Without Karpenter an even distribution is within any skew.
    snapshot.node_pools = Ok(Vec::<NodePool>::new());
    for node in nodes_of(&mut snapshot).values_mut() {
        node.labels.remove("karpenter.sh/nodepool");
    }
    assert_eq!(pack(&snapshot).fewest[0].with_spread, None);
}

#[test]
fn shards_on_no_node_tell_why() {
    let mut snapshot = healthy();
    let pod = |snapshot: &mut Snapshot, ordinal: usize, change: fn(&mut Pod)| {
        change(snapshot.shards[ordinal].pod.as_mut().unwrap());
    };
    pod(&mut snapshot, 0, |pod| pod.node = None);
    pod(&mut snapshot, 1, |pod| {
        pod.node = None;
        pod.unschedulable = Some("0/4 nodes are available".to_owned());
    });
    pod(&mut snapshot, 2, |pod| pod.phase = "Failed".to_owned());
    snapshot.shards[3].pod = None;
    pod(&mut snapshot, 4, |pod| pod.is_ready = false);
    pod(&mut snapshot, 5, |pod| pod.deleted_at = Some(Timestamp::UNIX_EPOCH));
    let packing = pack(&snapshot);
    let reasons: Vec<_> =
        packing.unplaced.iter().map(|shard| (shard.ordinal, shard.reason.to_string())).collect();
    assert_eq!(
        reasons,
        [
            (0, "the scheduler has not placed it yet".to_owned()),
            (1, "0/4 nodes are available".to_owned()),
            (2, "its pod has ended: Failed".to_owned()),
            (3, "it has no pod".to_owned()),
        ]
    );
    let states: Vec<_> = node(&packing, "stable-1").shards.iter().map(|shard| shard.state).collect();
    assert_eq!(states, [ShardState::NotReady, ShardState::Terminating]);
    assert_eq!(packing.totals.placed, 6);
}

#[test]
fn a_part_that_could_not_be_read_is_unknown_and_not_nothing() {
    let unknown =
        Unknown { asked: "list nodes".to_owned(), answer: "forbidden".to_owned(), is_forbidden: true };
    let mut snapshot = healthy();
    snapshot.occupants = Err(unknown.clone());
    snapshot.usage = Err(unknown.clone());
    let packing = pack(&snapshot);
    assert!(packing.nodes.iter().all(|node| node.room.is_none() && node.usage.is_none()));
    assert_eq!((packing.totals.room, packing.totals.open_slots), (None, None));
    assert!(packing.fewest.is_empty() && packing.present.is_none());
    assert_eq!(packing.failure_domains.nodes, 4);

    snapshot.nodes = Err(unknown);
    let packing = pack(&snapshot);
    assert_eq!(packing.unread.len(), 10);
    assert_eq!(packing.unread[9].reason, "list nodes: forbidden");
    assert!(packing.totals.room.is_none() && packing.unplaced.is_empty());

    let mut snapshot = healthy();
    nodes_of(&mut snapshot).remove(&NodeName::new("stable-3"));
    let packing = pack(&snapshot);
    assert_eq!(packing.unread.len(), 1);
    assert_eq!(packing.unread[0].reason, "there is no node of that name");
}

#[test]
fn without_requests_slots_are_unknown() {
    let mut snapshot = healthy();
    snapshot.workload.template.requests = Resources::default();
    let packing = pack(&snapshot);
    let room = node(&packing, "stable-0").room.unwrap();
    assert_eq!((room.free_slots, room.stranded), (None, None));
    assert_eq!(packing.totals.open_slots, None);
    assert_eq!(packing.fewest[0].answer, Err(NoPacking::RequestsMissing));
    assert_eq!(packing.present, None);

    // Memory alone is enough to count by.
    snapshot.workload.template.requests = resources("0", "32Gi");
    let packing = pack(&snapshot);
    assert_eq!(packing.fewest[0].answer.as_ref().unwrap().per_node, 3);
}

#[test]
fn a_closed_node_has_slots_that_nobody_can_take() {
    let mut snapshot = healthy();
    let last = nodes_of(&mut snapshot).get_mut(&NodeName::new("stable-3")).unwrap();
    last.is_cordoned = true;
    last.taints.push(crate::domain::snapshot::Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        value: String::new(),
        effect: "NoSchedule".to_owned(),
    });
    let packing = pack(&snapshot);
    let last = node(&packing, "stable-3");
    assert_eq!(last.closed, [Closed::Cordoned]);
    assert_eq!(last.room.unwrap().free_slots, Some(2));
    assert_eq!(last.open_slots(), Some(0));
    assert_eq!(packing.totals.open_slots, Some(0));
    assert_eq!(packing.present.unwrap().capacity, 9);

    snapshot.workload.template.tolerations.clear();
    snapshot.workload.template.node_terms[0][0].values = vec!["explore".to_owned()];
    let packing = pack(&snapshot);
    let texts: Vec<_> = node(&packing, "stable-0").closed.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["taint biometric:NoSchedule", "not selected"]);
}

#[test]
fn prices_add_up_and_the_unknown_ones_are_counted() {
    let price = |node: &Node| match node.name.as_str() {
        "stable-0" | "stable-1" => Some(1.008),
        "stable-2" => Some(0.0),
        _ => None,
    };
    let packing = packing(&healthy(), price);
    assert_eq!(packing.totals.price_per_hour, Some(2.016));
    assert_eq!(packing.totals.nodes_without_price, 2);
    assert_eq!(pack(&healthy()).totals.price_per_hour, None);
}
