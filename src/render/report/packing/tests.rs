use super::*;
use crate::domain::names::{NodeName, PodName};
use crate::domain::packing::packing;
use crate::domain::snapshot::{Occupant, Snapshot, SpreadConstraint, Unknown};
use crate::domain::testing::{healthy, labels, node, resources};
use crate::render::style::Stylesheet;

fn plain(width: Option<usize>, ascii: bool) -> Look {
    Look { style: Stylesheet::new(false), width, ascii }
}

fn broken() -> Snapshot {
    let mut snapshot = healthy();
    let nodes = snapshot.nodes.as_mut().unwrap();
    nodes.get_mut(&NodeName::new("stable-3")).unwrap().is_cordoned = true;
    let pod = snapshot.shards[8].pod.as_mut().unwrap();
    pod.node = None;
    pod.unschedulable =
        Some("0/4 nodes are available: 1 node(s) were unschedulable, 3 Insufficient cpu".to_owned());
    let occupants = snapshot.occupants.as_mut().unwrap();
    for pods in occupants.values_mut() {
        pods.retain(|pod| pod.ordinal != Some(8));
    }
    snapshot.shards[4].pod.as_mut().unwrap().is_ready = false;
    snapshot
}

/// The healthy service with more shards, `per_node` on each of the nodes.
fn fleet(shards: u32, per_node: u32, name: impl Fn(u32) -> String) -> Snapshot {
    let mut snapshot = healthy();
    let shard = snapshot.shards[0].clone();
    let daemon = snapshot.occupants.as_ref().unwrap()[&NodeName::new("stable-0")]
        .iter()
        .find(|pod| pod.is_daemon)
        .unwrap()
        .clone();
    snapshot.workload.replicas = shards;
    snapshot.shards.clear();
    let mut nodes = std::collections::BTreeMap::new();
    let mut occupants = std::collections::BTreeMap::new();
    for ordinal in 0..shards {
        let name = name(ordinal / per_node);
        let mut shard = shard.clone();
        shard.ordinal = ordinal;
        shard.pod_name = PodName::new(format!("biometric-shard-{ordinal}"));
        shard.pod.as_mut().unwrap().node = Some(NodeName::new(&name));
        nodes.insert(NodeName::new(&name), node(&name));
        let on_node: &mut Vec<Occupant> =
            occupants.entry(NodeName::new(&name)).or_insert_with(|| vec![daemon.clone()]);
        on_node.push(Occupant {
            namespace: "biometric-shards".to_owned(),
            name: shard.pod_name.clone(),
            requests: resources("4", "32Gi"),
            is_daemon: false,
            ordinal: Some(ordinal),
            stateful_set: Some("biometric-shard".to_owned()),
            claims: 1,
        });
        snapshot.shards.push(shard);
    }
    snapshot.nodes = Ok(nodes);
    snapshot.occupants = Ok(occupants);
    snapshot
}

fn unknown(asked: &str) -> Unknown {
    Unknown { asked: asked.to_owned(), answer: "forbidden".to_owned(), is_forbidden: true }
}

/// A thousand shards of which one is not ready, thirty are pending and their ten nodes are empty.
fn thousand() -> Snapshot {
    let mut snapshot =
        fleet(1000, 3, |index| format!("ip-10-0-{}-{}.eu-west-1.compute.internal", index / 256, index % 256));
    snapshot.shards[500].pod.as_mut().unwrap().is_ready = false;
    for shard in &mut snapshot.shards[900..930] {
        shard.pod.as_mut().unwrap().node = None;
    }
    for pods in snapshot.occupants.as_mut().unwrap().values_mut() {
        pods.retain(|pod| !matches!(pod.ordinal, Some(900..930)));
    }
    snapshot.workload.template.spread = vec![SpreadConstraint {
        topology_key: "kubernetes.io/hostname".to_owned(),
        max_skew: 2,
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        selects_own: true,
        has_options: false,
    }];
    snapshot
}

/// Two pools of different types, another workload's pods, a shard that ends, and one beyond `replicas`.
fn mixed() -> Snapshot {
    let mut snapshot = healthy();
    let nodes = snapshot.nodes.as_mut().unwrap();
    let large = nodes.get_mut(&NodeName::new("stable-0")).unwrap();
    large.labels.extend(labels(&[
        ("karpenter.sh/nodepool", "explore"),
        ("node.kubernetes.io/instance-type", "Standard_E20s_v5"),
    ]));
    large.allocatable = resources("19700m", "137.31Gi");
    let tool = Occupant {
        namespace: "tools".to_owned(),
        name: PodName::new("registry-0"),
        requests: resources("2", "8Gi"),
        is_daemon: false,
        ordinal: None,
        stateful_set: Some("registry".to_owned()),
        claims: 1,
    };
    let occupants = snapshot.occupants.as_mut().unwrap();
    occupants.get_mut(&NodeName::new("stable-3")).unwrap().push(tool);
    snapshot.shards[2].pod.as_mut().unwrap().deleted_at = Some(snapshot.taken_at);
    snapshot.workload.replicas = 9;
    snapshot.usage = Err(unknown("list pod metrics"));
    snapshot
}

fn price(node: &crate::domain::snapshot::Node) -> Option<f64> {
    (node.instance_type() == Some("Standard_E16s_v5")).then_some(1.008)
}

#[test]
fn a_healthy_service_at_a_terminal() {
    let packing = packing(&healthy(), price);
    assert_eq!(table(&packing, plain(Some(80), false), true), HEALTHY);
}

#[test]
fn a_pending_shard_and_a_cordoned_node() {
    let packing = packing(&broken(), |_| None);
    assert_eq!(table(&packing, plain(Some(80), false), true), BROKEN);
    assert_eq!(picture(&packing, plain(None, true)), BROKEN_ASCII);
    assert!(table(&packing, plain(None, false), false).contains("STRANDED           CLOSED"));
}

#[test]
fn mixed_types_other_pods_and_left_over_shards() {
    let packing = packing(&mixed(), price);
    assert_eq!(table(&packing, plain(Some(80), false), true), MIXED);
}

#[test]
fn a_thousand_shards_fit_on_a_screen() {
    let packing = packing(&thousand(), price);
    assert_eq!(table(&packing, plain(Some(80), false), true), THOUSAND);
}

#[test]
fn wide_has_every_column() {
    let packing = packing(&fleet(4, 3, |index| format!("stable-{index}")), price);
    let text = wide(&packing, plain(Some(80), false));
    assert_eq!(text.lines().take(3).map(|line| format!("{line}\n")).collect::<String>(), WIDE);
}

#[test]
fn json_and_yaml_are_exact() {
    let packing = packing(&fleet(2, 2, |index| format!("stable-{index}")), price);
    let json = serde_json::to_string_pretty(&report(&packing)).unwrap() + "\n";
    assert_eq!(json, include_str!("golden.json"));
    let yaml = serde_saphyr::to_string(&report(&packing)).unwrap();
    let back: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(back, serde_json::from_str::<serde_json::Value>(&json).unwrap());
}

#[test]
fn what_is_unknown_reads_as_unknown() {
    let mut snapshot = healthy();
    snapshot.occupants = Err(unknown("list pods"));
    let without_pods = table(&packing(&snapshot, |_| None), plain(Some(80), true), true);
    assert!(without_pods.contains("  stable-3  [  9   ]????????????????????\n"), "{without_pods}");
    assert!(without_pods.contains("Could not list pods: forbidden\nPrice unknown for 4 nodes\n"));

    snapshot.nodes = Err(unknown("list nodes"));
    let without_nodes = table(&packing(&snapshot, |_| None), plain(Some(80), true), true);
    assert!(without_nodes.starts_with("10 shards; their nodes are not known\n"), "{without_nodes}");

    let mut snapshot = healthy();
    snapshot.workload.template.requests = Resources::default();
    let without_requests = table(&packing(&snapshot, |_| None), plain(Some(80), true), true);
    assert!(without_requests.contains("  stable-0  [0][1][2]\n"), "{without_requests}");
}

#[test]
fn pictures_keep_within_the_terminal() {
    let mut tiny = healthy();
    tiny.workload.template.requests = resources("10m", "64Mi");
    let mut endless = tiny.clone();
    for node in endless.nodes.as_mut().unwrap().values_mut() {
        node.allocatable_pods = 1_000_000;
        node.allocatable = resources("100k", "1Pi");
    }
    let vast = fleet(100, 20, |index| format!("aks-biometric-stable-{index:05}-vm"));
    for snapshot in [healthy(), broken(), mixed(), thousand(), tiny, endless, vast] {
        let packing = packing(&snapshot, price);
        for width in (60..160).step_by(7) {
            for ascii in [false, true] {
                let picture = picture(&packing, plain(Some(width), ascii));
                let widest = picture.lines().map(|line| line.chars().count()).max();
                assert!(widest <= Some(width), "{width}:\n{picture}");
                assert!(!ascii || picture.is_ascii(), "{picture}");
            }
        }
    }
}

#[test]
fn colour_changes_no_character() {
    let packing = packing(&broken(), price);
    let coloured = Look { style: Stylesheet::new(true), ..plain(Some(80), false) };
    let mut text = table(&packing, coloured, true);
    assert!(text.contains('\u{1b}'));
    while let Some(start) = text.find('\u{1b}') {
        let end = text[start..].find('m').unwrap();
        text.replace_range(start..=start + end, "");
    }
    assert_eq!(text, table(&packing, plain(Some(80), false), true));
}

const HEALTHY: &str = "\
biometric-stable  Standard_E16s_v5  eastus-1  on-demand  15.74 CPU, 110.9Gi each
  stable-0  [  0   ][  1   ][  2   ]░░░▒
  stable-1  [  3   ][  4   ][  5   ]░░░▒
  stable-2  [  6   ][  7   ][  8   ]░░░▒
  stable-3  [  9   ][      ][      ]░░░▒
  [n] shard   [ ] room for one more   ░ stranded   ▒ DaemonSets
  drawn to memory, 32Gi a shard

NODE       SHARDS   CPU REQ      MEM REQ        SLOTS   STRANDED
stable-0   0-2      12.5/15.74   96.8/110.9Gi   0       3.24 CPU, 14.2Gi
stable-1   3-5      12.5/15.74   96.8/110.9Gi   0       3.24 CPU, 14.2Gi
stable-2   6-8      12.5/15.74   96.8/110.9Gi   0       3.24 CPU, 14.2Gi
stable-3   9        4.5/15.74    32.8/110.9Gi   2       3.24 CPU, 14.2Gi

10 shards on 4 nodes; fewest for Standard_E16s_v5: 4 (3 per node)
2 more shards fit; 12.96 CPU, 56.7Gi are stranded: free, but too little on each
  node for a shard
Requested 42/62.96 CPU, 323.1/443.8Gi memory; shards use 20 CPU, 240Gi
Nodes cost $4.03 per hour, $2,943 per month of 730 hours
Failure domains: 4 nodes in 1 zone, at most 3 shards on one; losing any one
  stops a service that needs every shard, and fewer nodes are fewer such losses
";

const BROKEN: &str = "\
biometric-stable  Standard_E16s_v5  eastus-1  on-demand  15.74 CPU, 110.9Gi each
  stable-0    [  0   ][  1   ][  2   ]░░░▒
  stable-1    [  3   ]!  4   ![  5   ]░░░▒
  stable-2    [  6   ][  7   ][      ]░░░▒
  stable-3    [  9   ][××××××][××××××]░░░▒  cordoned
  on no node  !  8   !
  [n] shard   !n! shard that is not ready   [ ] room for one more
  [×] room on a closed node   ░ stranded   ▒ DaemonSets
  drawn to memory, 32Gi a shard

NODE       SHARDS   CPU REQ      MEM REQ        SLOTS   STRANDED
stable-0   0-2      12.5/15.74   96.8/110.9Gi   0       3.24 CPU, 14.2Gi
stable-1   3-5      12.5/15.74   96.8/110.9Gi   0       3.24 CPU, 14.2Gi
stable-2   6, 7     8.5/15.74    64.8/110.9Gi   1       3.24 CPU, 14.2Gi
stable-3   9        4.5/15.74    32.8/110.9Gi   0       3.24 CPU, 14.2Gi

9 of 10 shards on 4 nodes; fewest for Standard_E16s_v5: 4 (3 per node)
Shard 8 is on no node: 0/4 nodes are available: 1 node(s) were unschedulable, 3
  Insufficient cpu
1 more shard fits (2 slots on nodes that are closed); 12.96 CPU, 56.7Gi are
  stranded: free, but too little on each node for a shard
Requested 38/62.96 CPU, 291.1/443.8Gi memory; shards use 18 CPU, 216Gi
Price unknown for 4 nodes
Failure domains: 4 nodes in 1 zone, at most 3 shards on one; losing any one
  stops a service that needs every shard, and fewer nodes are fewer such losses
";

const BROKEN_ASCII: &str = "\
biometric-stable  Standard_E16s_v5  eastus-1  on-demand  15.74 CPU, 110.9Gi each
  stable-0    [  0   ][  1   ][  2   ]...d  12.5/15.74 CPU  96.8/110.9Gi
  stable-1    [  3   ]!  4   ![  5   ]...d  12.5/15.74 CPU  96.8/110.9Gi
  stable-2    [  6   ][  7   ][      ]...d   8.5/15.74 CPU  64.8/110.9Gi
  stable-3    [  9   ][xxxxxx][xxxxxx]...d   4.5/15.74 CPU  32.8/110.9Gi  cordoned
  on no node  !  8   !
  [n] shard   !n! shard that is not ready   [ ] room for one more   [x] room on a closed node   . stranded   d DaemonSets   drawn to memory, 32Gi a shard
";

const MIXED: &str = "\
biometric-stable  Standard_E16s_v5  eastus-1  on-demand  15.74 CPU, 110.9Gi each
  stable-1  [  3   ][  4   ][  5   ]░░░▒
  stable-2  [  6   ][  7   ][  8   ]░░░▒
  stable-3  [  9   ][      ][      ]░▓▓▒
explore  Standard_E20s_v5  eastus-1  on-demand  19.7 CPU, 137.3Gi each
  stable-0  [  0   ][  1   ]~  2   ~[××××××]░▒  not selected
  [n] shard   ~n~ shard that is terminating   [ ] room for one more
  [×] room on a closed node   ░ stranded   ▓ other pods   ▒ DaemonSets
  drawn to memory, 32Gi a shard

NODE       SHARDS   CPU REQ      MEM REQ        SLOTS   STRANDED
stable-1   3-5      12.5/15.74   96.8/110.9Gi   0       3.24 CPU, 14.2Gi
stable-2   6-8      12.5/15.74   96.8/110.9Gi   0       3.24 CPU, 14.2Gi
stable-3   9        6.5/15.74    40.8/110.9Gi   2       1.24 CPU, 6.2Gi
stable-0   0-2      12.5/19.7    96.8/137.3Gi   0       3.2 CPU, 8.5Gi

9 shards on 4 nodes; fewest for Standard_E16s_v5: 3 (3 per node); fewest for
  Standard_E20s_v5: 3 (4 per node)
Of the 4 nodes that are there 3 would hold all shards
2 more shards fit (1 slot on nodes that are closed); 10.92 CPU, 43Gi are
  stranded: free, but too little on each node for a shard
Requested 44/66.92 CPU, 331.1/470.1Gi memory
Nodes cost $3.02 per hour, $2,208 per month of 730 hours, price unknown for 1
  node
Failure domains: 4 nodes in 1 zone, at most 3 shards on one; losing any one
  stops a service that needs every shard, and fewer nodes are fewer such losses
Shard 9 is beyond the 9 shards that there should be
What shards use is unknown: list pod metrics: forbidden
";

const THOUSAND: &str = "\
biometric-stable  Standard_E16s_v5  eastus-1  on-demand  15.74 CPU, 110.9Gi each
  322 like ip-10-0-0-0  [  ■   ][  ■   ][  ■   ]░░░▒
  ip-10-0-0-166         [ 498  ][ 499  ]! 500  !░░░▒
  10 like ip-10-0-1-44  [      ][      ][      ]░░░▒
  ip-10-0-1-77          [ 999  ][      ][      ]░░░▒
  on no node            ! 900-929 !
  [n] shard   !n! shard that is not ready   [ ] room for one more   ░ stranded
  ▒ DaemonSets   drawn to memory, 32Gi a shard

NODE                   SHARDS    CPU REQ      MEM REQ        SLOTS
322 like ip-10-0-0-0   322 x 3   12.5/15.74   96.8/110.9Gi   0
ip-10-0-0-166          498-500   12.5/15.74   96.8/110.9Gi   0
10 like ip-10-0-1-44   -         0.5/15.74    0.8/110.9Gi    3
ip-10-0-1-77           999       4.5/15.74    32.8/110.9Gi   2

970 of 1000 shards on 324 nodes, 10 nodes without shards; fewest for
  Standard_E16s_v5: 334 (3 per node)
Shards 900-929 are on no node: the scheduler has not placed it yet
topologySpreadConstraints[0].maxSkew is 2 by hostname, ScheduleAnyway: Karpenter
  takes it as required at first and plans at most 2 shards on a node, so 500
  Standard_E16s_v5, 334 without it
32 more shards fit; 1082.16 CPU, 4731.1Gi are stranded: free, but too little on
  each node for a shard
Requested 4047/5257.16 CPU, 31300.9/37056.1Gi memory; shards use 20 CPU, 240Gi
  (10 of 970 measured)
Nodes cost $337 per hour, $245,771 per month of 730 hours
Failure domains: 324 nodes in 1 zone, at most 3 shards on one; losing any one
  stops a service that needs every shard, and fewer nodes are fewer such losses
";

const WIDE: &str = "\
NODE       TYPE               ZONE       POOL               CAPACITY    CLOSED   SHARDS   PODS    CPU ALLOC   CPU REQ   CPU FREE   CPU STRANDED   MEM ALLOC   MEM REQ   MEM FREE   MEM STRANDED   REQ BY SHARDS   REQ BY DAEMONS   REQ BY OTHERS   USED BY SHARDS   SLOTS   PRICE/H
stable-0   Standard_E16s_v5   eastus-1   biometric-stable   on-demand   -        0-2      4/250   15.74       12.5      3.24       3.24           110.9Gi     96.8Gi    14.2Gi     14.2Gi         12 CPU, 96Gi    0.5 CPU, 0.8Gi   0 CPU, 0Gi      6 CPU, 72Gi      0       $1.01
stable-1   Standard_E16s_v5   eastus-1   biometric-stable   on-demand   -        3        2/250   15.74       4.5       11.24      3.24           110.9Gi     32.8Gi    78.2Gi     14.2Gi         4 CPU, 32Gi     0.5 CPU, 0.8Gi   0 CPU, 0Gi      2 CPU, 24Gi      2       $1.01
";
