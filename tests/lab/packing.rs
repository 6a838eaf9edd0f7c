//! `shardctl packing`

use serde_json::Value;

use crate::Test;
use crate::lab::{Lab, Service, eventually};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("packing::three_shards_fill_a_machine_of_sixteen_cores", full),
    ("packing::daemons_and_guests_take_room", guests),
    ("packing::a_shard_without_a_node_is_shown", pending),
    ("packing::a_stateful_set_of_anybody_is_packed", foreign),
];

/// A quantity in the smallest unit that occurs: millicores of CPU, bytes of memory.
fn amount(value: &Value) -> i128 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no quantity"));
    let (number, factor) = match text.find(|c: char| !c.is_ascii_digit()).map(|at| text.split_at(at)) {
        None => (text, None),
        Some((number, "m")) => (number, Some(1)),
        Some((number, "Ki")) => (number, Some(1 << 10)),
        Some((number, "Mi")) => (number, Some(1 << 20)),
        Some((number, "Gi")) => (number, Some(1 << 30)),
        Some((_, suffix)) => panic!("{text} has the suffix {suffix}"),
    };
    number.parse::<i128>().expect("a number") * factor.unwrap_or(1)
}

fn cpu(resources: &Value) -> i128 {
    let whole = !resources["cpu"].as_str().is_some_and(|text| text.ends_with('m'));
    amount(&resources["cpu"]) * if whole { 1000 } else { 1 }
}

fn memory(resources: &Value) -> i128 {
    amount(&resources["memory"])
}

/// The report, once `is_there` holds of it, and the arithmetic of every node in it.
fn packed(service: &Service<'_>, is_there: impl Fn(&Value) -> bool) -> Value {
    eventually(|| {
        let run = service.shardctl(&["packing", &service.name, "-o", "json"]).ended(0);
        let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
        for node in report["nodes"].as_array().expect("a list") {
            adds_up(node);
        }
        if is_there(&report) { Ok(report) } else { Err(format!("{report:#}")) }
    })
}

/// Requested and free make up what is allocatable, and who requests makes up what is requested.
fn adds_up(node: &Value) {
    let room = &node["room"];
    for (name, of) in [("cpu", cpu as fn(&Value) -> i128), ("memory", memory)] {
        let [allocatable, requested, free] =
            [&node["allocatable"], &room["requested"], &room["free"]].map(of);
        assert_eq!(requested + free, allocatable + of(&room["overcommit"]), "{name}: {node:#}");
        assert!(of(&room["overcommit"]) == 0 && requested <= allocatable, "{name}: {node:#}");
        assert!(of(&room["stranded"]) <= free, "{name}: {node:#}");
        let by = ["requestedByShards", "requestedByDaemons", "requestedByOthers"].map(|who| of(&room[who]));
        assert_eq!(by.iter().sum::<i128>(), requested, "{name}: {node:#}");
    }
}

const GI: i128 = 1 << 30;
/// What Node Auto Provisioning plans of an E16s_v5: 16 cores less 260m; 128Gi less 7.5 % for the machine, less 9.32Gi
/// for the kubelet (a quarter of the first 4Gi, a fifth of the next 4, a tenth of the next 8, 6 % of the other 112),
/// less 750Mi from where it evicts.
const CPU: i128 = 15_740;
const MEMORY: i128 = 128 * GI * 925 / 1000 - 932 * GI / 100 - 750 * (1 << 20);

fn full(lab: &Lab) {
    let service = lab.service("full");
    service.deploy("stable");
    let report = packed(&service, |report| report["totals"]["placedShards"] == 3);
    let nodes = report["nodes"].as_array().expect("a list");
    assert_eq!(nodes.len(), 1, "{report:#}");
    let node = &nodes[0];
    assert_eq!(node["instanceType"], "Standard_E16s_v5");
    assert_eq!(cpu(&node["allocatable"]), CPU);
    let memory_off = memory(&node["allocatable"]) - MEMORY;
    assert!(memory_off.abs() < 1 << 20, "{memory_off} bytes off");
    assert_eq!(cpu(&node["room"]["requested"]), 3 * 4000);
    assert_eq!(memory(&node["room"]["requested"]), 3 * 32 * GI);
    assert_eq!(cpu(&node["room"]["free"]), CPU - 12_000);
    // Too little for a fourth shard, so all that is free is stranded.
    assert_eq!(node["room"]["freeSlots"], 0);
    assert_eq!(node["room"]["stranded"]["cpu"], node["room"]["free"]["cpu"]);
    assert_eq!(node["room"]["stranded"]["memory"], node["room"]["free"]["memory"]);
    let fewest = &report["fewestNodes"][0];
    assert_eq!((&fewest["answer"]["nodes"], &fewest["answer"]["shardsPerNode"]), (&1.into(), &3.into()));
    assert_eq!(node["pricePerHourUsd"], 1.008);

    let table = service.shardctl(&["packing"]).ended(0);
    let table =
        table.said("[  0   ][  1   ][  2   ]").said("12/15.74   96/108.3Gi   0       3.74 CPU, 12.3Gi");
    assert!(
        table.stdout.contains("3 shards on 1 node; fewest for Standard_E16s_v5: 1 (3 per node)"),
        "{table:?}"
    );
    let bare = service.shardctl(&["packing", "--no-picture"]).ended(0).said("12/15.74   96/108.3Gi");
    let summary = |text: &str| text.rsplit_once("\n\n").map(|(_, summary)| summary.to_owned());
    assert!(!bare.stdout.contains("[  0   ]"), "{bare:?}");
    assert_eq!(summary(&bare.stdout), summary(&table.stdout));
    let wide = service.shardctl(&["packing", "-o", "wide"]).ended(0);
    wide.said("MEM STRANDED").said("eastus-").said("on-demand").said("3/250").said("$1.01");
    let yaml = service.shardctl(&["packing", "-o", "yaml"]).ended(0);
    let yaml: Value = serde_saphyr::from_str(&yaml.stdout).expect("YAML");
    assert_eq!((&yaml["kind"], &yaml["nodes"]), (&report["kind"], &report["nodes"]));
}

const DAEMON: &str = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: daemon, namespace: NAME},
  spec: {selector: {matchLabels: {app: daemon}}, template: {metadata: {labels: {app: daemon}},
    spec: {nodeSelector: {karpenter.sh/nodepool: NAME-stable}, tolerations: [{operator: Exists}],
      containers: [{name: main, image: registry.example/daemon:1.0.0,
        resources: {requests: {cpu: 500m, memory: 1Gi}}}]}}}}";

const GUEST: &str = "{apiVersion: v1, kind: Pod, metadata: {name: guest, namespace: NAME},
  spec: {nodeSelector: {karpenter.sh/nodepool: NAME-stable}, tolerations: [{operator: Exists}],
    containers: [{name: main, image: registry.example/guest:1.0.0,
      resources: {requests: {cpu: 250m, memory: 2Gi}}}]}}";

fn guests(lab: &Lab) {
    let mut service = lab.service("room");
    // Two shards leave one slot open until others take it.
    service.edit("replicas: 3", "replicas: 2");
    service.deploy("stable");
    let report = packed(&service, |report| report["totals"]["placedShards"] == 2);
    assert_eq!(report["nodes"][0]["room"]["freeSlots"], 1, "{report:#}");
    service.apply(DAEMON);
    service.apply(GUEST);
    let report = packed(&service, |report| report["nodes"][0]["room"]["requested"]["pods"] == 4);
    let room = &report["nodes"][0]["room"];
    let of = |who: &str| (room[who]["pods"].as_i64(), cpu(&room[who]), memory(&room[who]));
    assert_eq!(of("requestedByShards"), (Some(2), 8000, 64 * GI));
    assert_eq!(of("requestedByDaemons"), (Some(1), 500, GI));
    assert_eq!(of("requestedByOthers"), (Some(1), 250, 2 * GI));
    assert_eq!(room["freeSlots"], 1, "6.99 CPU and 41Gi are left");
    let daemons = &report["fewestNodes"][0]["assumedDaemonsPerNode"];
    assert_eq!((cpu(daemons), memory(daemons)), (500, GI));
    // Somebody large takes the slot.
    service.apply(&GUEST.replace("name: guest", "name: large").replace("250m", "3500m"));
    let report = packed(&service, |report| report["nodes"][0]["room"]["requested"]["pods"] == 5);
    assert_eq!(report["nodes"][0]["room"]["freeSlots"], 0, "{report:#}");
}

fn pending(lab: &Lab) {
    let service = lab.service("pending");
    service.deploy("stable");
    packed(&service, |report| report["totals"]["placedShards"] == 3);
    // A pool without room and a node that is closed: where else should it go?
    service.patch("nodepool/NAME-stable", r#"{"spec":{"limits":{"cpu":"1"}}}"#);
    service.k(&format!("cordon {}", service.node_of(0)));
    service.k("delete pod/NAME-1");
    let report =
        packed(&service, |report| report["unplacedShards"].as_array().is_some_and(|list| list.len() == 1));
    assert_eq!(report["unplacedShards"][0]["ordinal"], 1, "{report:#}");
    assert_eq!(report["totals"]["placedShards"], 2, "{report:#}");
    assert_eq!(report["nodes"][0]["cordoned"], true, "{report:#}");
    assert_eq!(report["nodes"][0]["openSlots"], 0, "a cordoned node takes no shard: {report:#}");
    let table = service.shardctl(&["packing"]).ended(0);
    table.said("cordoned").said("no node");
    // Nor does a set without any pod break the report.
    service.patch("statefulset/NAME", r#"{"spec":{"replicas":0}}"#);
    packed(&service, |report| report["replicas"] == 0 && report["totals"]["placedShards"] == 0);
    service.shardctl(&["packing", "-o", "wide"]).ended(0);
}

/// A set of two, and a pool of its owner's own making without any mark of ours.
const FOREIGN: &str = r"
{apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: NAME-theirs}, spec: {template: {spec: {
  nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default},
  requirements: [{key: node.kubernetes.io/instance-type, operator: In, values: [Standard_E8s_v5]}]}}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: NAME, namespace: NAME}, spec: {
  replicas: 2, podManagementPolicy: Parallel, selector: {matchLabels: {app: theirs}},
  template: {metadata: {labels: {app: theirs}}, spec: {
    nodeSelector: {karpenter.sh/nodepool: NAME-theirs},
    containers: [{name: main, image: 'registry.example/theirs:1.0.0',
      resources: {requests: {cpu: '3', memory: 20Gi}}}]}}}}
";

fn foreign(lab: &Lab) {
    let service = lab.service("theirs");
    lab.kubectl(&["create", "namespace", &service.name]);
    service.apply(FOREIGN);
    let report = packed(&service, |report| report["totals"]["placedShards"] == 2);
    // 7.82 cores and about 51Gi hold two of 3 cores and 20Gi.
    assert_eq!(report["totals"]["nodes"], 1, "{report:#}");
    assert_eq!(report["nodes"][0]["instanceType"], "Standard_E8s_v5", "{report:#}");
    assert_eq!(report["nodes"][0]["nodePool"], format!("{}-theirs", service.name), "{report:#}");
    assert_eq!(report["fewestNodes"][0]["answer"]["shardsPerNode"], 2, "{report:#}");
    service.shardctl(&["packing"]).ended(0).said("2 shards on 1 node");
}
