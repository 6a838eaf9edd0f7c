//! `shardctl plan` against the real Karpenter: what was foretold is what is made.
//!
//! Every case has a namespace, a pool pinned to one size and DaemonSets of its own. The pools are closed by a limit until
//! the plan was asked; then they open, and Karpenter decides for all shards of a case at once.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::Test;
use crate::lab::{Lab, eventually};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("plan::karpenter_makes_the_nodes_that_were_foretold", foretold),
    ("plan::karpenter_fills_a_shared_pool_as_foretold", shared),
];

/// What keeps shards apart in a case.
#[derive(Clone, Copy)]
enum Apart {
    No,
    /// `maxSkew` over hostnames, and whether it is required.
    Hosts(u32, bool),
    /// `maxSkew` over zones, and whether it is required.
    Zones(u32, bool),
    /// `maxSkew` over zones and over hostnames.
    Both(u32, u32),
    AntiAffinity,
}
use Apart::{AntiAffinity, Both, Hosts, No, Zones};

/// Size, CPU and memory of a shard, shards, what keeps them apart, CPU and memory of the DaemonSet, and the nodes where
/// they were counted by hand; 0 nodes where not even one shard fits.
type Case =
    (&'static str, &'static str, &'static str, u32, Apart, (&'static str, &'static str), Option<usize>);

const TUTORIAL: (&str, &str) = ("500m", "820Mi");
const NONE: (&str, &str) = ("1m", "1Mi");

const CASES: &[Case] = &[
    // The tutorial's shard, by size, without and with its spread.
    ("Standard_E8s_v5", "4", "32Gi", 10, No, TUTORIAL, Some(10)),
    ("Standard_E16s_v5", "4", "32Gi", 10, No, TUTORIAL, Some(4)),
    ("Standard_E20s_v5", "4", "32Gi", 10, No, TUTORIAL, Some(3)),
    ("Standard_E32s_v5", "4", "32Gi", 10, No, TUTORIAL, Some(2)),
    ("Standard_E48s_v5", "4", "32Gi", 10, No, TUTORIAL, Some(1)),
    ("Standard_E16s_v5", "4", "32Gi", 10, Hosts(2, false), TUTORIAL, Some(5)),
    ("Standard_E48s_v5", "4", "32Gi", 5, Hosts(2, false), TUTORIAL, Some(3)),
    ("Standard_E32s_v5", "4", "32Gi", 10, Hosts(3, true), TUTORIAL, Some(4)),
    // Just enough and just too little: what DaemonSets take decides.
    ("Standard_E32s_v5", "4", "32Gi", 7, No, NONE, Some(1)),
    ("Standard_E32s_v5", "4", "32Gi", 7, No, ("1m", "200Mi"), Some(2)),
    ("Standard_E16s_v5", "3810m", "27531Mi", 8, No, TUTORIAL, Some(2)),
    ("Standard_E16s_v5", "3811m", "27531Mi", 8, No, TUTORIAL, Some(3)),
    ("Standard_E8s_v5", "3660m", "26Gi", 4, No, TUTORIAL, Some(2)),
    ("Standard_E8s_v5", "3910m", "26Gi", 4, No, TUTORIAL, Some(4)),
    // Not even one: Karpenter makes nothing.
    ("Standard_E8s_v5", "4", "53Gi", 2, No, NONE, Some(0)),
    ("Standard_D8s_v5", "4", "32Gi", 2, No, TUTORIAL, Some(0)),
    ("Standard_E8s_v5", "7500m", "8Gi", 2, No, TUTORIAL, Some(0)),
    // Other families and shapes.
    ("Standard_D16s_v5", "4", "32Gi", 3, No, TUTORIAL, None),
    ("Standard_D32s_v5", "2", "12Gi", 10, No, TUTORIAL, None),
    ("Standard_D64s_v5", "4", "32Gi", 10, No, TUTORIAL, None),
    ("Standard_E64s_v5", "4", "32Gi", 15, No, TUTORIAL, None),
    ("Standard_E96as_v5", "4", "32Gi", 19, No, TUTORIAL, None),
    ("Standard_E16as_v5", "4", "32Gi", 10, No, ("2", "4Gi"), None),
    ("Standard_L16s_v3", "4", "32Gi", 7, No, TUTORIAL, None),
    ("Standard_M64s", "8", "200Gi", 9, No, TUTORIAL, None),
    ("Standard_E16ps_v5", "4", "30Gi", 6, No, TUTORIAL, None),
    ("Standard_D4s_v5", "250m", "1Gi", 13, No, ("300m", "600Mi"), None),
    ("Standard_D2s_v5", "300m", "500Mi", 9, No, ("100m", "200Mi"), None),
    // Kept apart.
    ("Standard_D8s_v5", "1", "2Gi", 3, AntiAffinity, TUTORIAL, Some(3)),
    ("Standard_D8s_v5", "1", "2Gi", 3, Hosts(1, true), TUTORIAL, Some(3)),
    ("Standard_E48s_v5", "4", "32Gi", 10, Zones(1, true), TUTORIAL, Some(3)),
    ("Standard_E16s_v5", "4", "32Gi", 10, Zones(1, true), TUTORIAL, Some(4)),
    ("Standard_E16s_v5", "4", "32Gi", 10, Zones(1, false), TUTORIAL, Some(4)),
    ("Standard_E20s_v5", "4", "32Gi", 11, Zones(1, true), TUTORIAL, None),
    ("Standard_E20s_v5", "4", "32Gi", 10, Zones(2, true), TUTORIAL, None),
    ("Standard_E48s_v5", "4", "32Gi", 4, Zones(3, true), TUTORIAL, None),
    ("Standard_D8s_v5", "1", "2Gi", 4, Both(1, 1), TUTORIAL, Some(4)),
    ("Standard_E16s_v5", "4", "32Gi", 10, Both(1, 2), TUTORIAL, Some(6)),
];

/// The pool of a case, which makes no more CPU than this.
fn pool(name: &str, size: &str, limit: u32) -> String {
    format!(
        "---
{{apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {{name: {name}}}, spec: {{
  limits: {{cpu: {limit}}}, disruption: {{consolidationPolicy: WhenEmpty, consolidateAfter: Never}},
  template: {{spec: {{
    nodeClassRef: {{group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}},
    taints: [{{key: {name}, value: reserved, effect: NoSchedule}}],
    requirements: [{{key: node.kubernetes.io/instance-type, operator: In, values: [{size}]}}]}}}}}}}}
"
    )
}

/// What a case is made of: a pool that is closed, a DaemonSet that runs there, one that does not, and the shards.
fn manifest(name: &str, case: &Case) -> String {
    let (size, cpu, memory, replicas, apart, (daemon_cpu, daemon_memory), _) = case;
    let spread = |key: &str, skew: u32, is_required: bool| {
        let when = if is_required { "DoNotSchedule" } else { "ScheduleAnyway" };
        format!(
            "{{maxSkew: {skew}, topologyKey: {key}, whenUnsatisfiable: {when}, \
             labelSelector: {{matchLabels: {{app: {name}}}}}}}"
        )
    };
    let (host, zone) = ("kubernetes.io/hostname", "topology.kubernetes.io/zone");
    let apart = match *apart {
        No => String::new(),
        Hosts(skew, is_required) => {
            format!("topologySpreadConstraints: [{}],", spread(host, skew, is_required))
        }
        Zones(skew, is_required) => {
            format!("topologySpreadConstraints: [{}],", spread(zone, skew, is_required))
        }
        Both(zones, hosts) => {
            let both = [spread(zone, zones, true), spread(host, hosts, true)].join(", ");
            format!("topologySpreadConstraints: [{both}],")
        }
        AntiAffinity => format!(
            "affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [\
             {{topologyKey: {host}, labelSelector: {{matchLabels: {{app: {name}}}}}}}]}}}},"
        ),
    };
    let daemon = |daemon: &str, cpu: &str, memory: &str, tolerations: &str| {
        format!(
            "---
{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: {daemon}, namespace: {name}}}, spec: {{
  selector: {{matchLabels: {{app: {daemon}}}}}, template: {{metadata: {{labels: {{app: {daemon}}}}}, spec: {{
    nodeSelector: {{karpenter.sh/nodepool: {name}}}, tolerations: [{tolerations}],
    containers: [{{name: main, image: 'registry.example/daemon:1.0.0',
      resources: {{requests: {{cpu: {cpu}, memory: {memory}}}}}}}]}}}}}}}}
"
        )
    };
    format!(
        "---
{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}
{}{}{}---
{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: {name}, namespace: {name}}}, spec: {{
  replicas: {replicas}, podManagementPolicy: Parallel, selector: {{matchLabels: {{app: {name}}}}},
  template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{
    terminationGracePeriodSeconds: 1, nodeSelector: {{karpenter.sh/nodepool: {name}}}, {apart}
    tolerations: [{{key: {name}, operator: Equal, value: reserved, effect: NoSchedule}}],
    containers: [{{name: main, image: 'registry.example/shard:1.0.0',
      resources: {{requests: {{cpu: '{cpu}', memory: {memory}}}}}}}]}}}}}}}}
",
        pool(name, size, 0),
        daemon("runs", daemon_cpu, daemon_memory, "{operator: Exists}"),
        // It does not tolerate the pool's taint, so it takes nothing.
        daemon("stays-away", "1", "4Gi", ""),
    )
}

/// How many nodes the plan foretells; 0 when it says that the size cannot be used.
fn plan(lab: &Lab, name: &str, size: &str) -> usize {
    let arch = if size.contains("ps_") { "arm64" } else { "amd64" };
    let args =
        ["plan", name, "-n", name, "--region", "eastus", "--arch", arch, "-o", "json", "--top", "1000"];
    let run = lab.shardctl.run(args).ended(0);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(report["pinnedInstanceType"], size, "{name}");
    let sizes = report["sizes"].as_array().expect("a list");
    match sizes.iter().find(|one| one["instanceType"] == size) {
        Some(choice) => {
            assert!(choice["live"].is_null(), "{name}: no node is there yet");
            usize::try_from(choice["nodes"].as_u64().expect("a number")).expect("a small number")
        }
        None => {
            let out = report["leftOut"].as_array().expect("a list");
            assert!(out.iter().any(|one| one["instanceType"] == size), "{name}: {report:#}");
            0
        }
    }
}

fn pause(seconds: u64) {
    #[expect(clippy::disallowed_methods, reason = "a test has no runtime to wait on")]
    thread::sleep(Duration::from_secs(seconds));
}

fn foretold(lab: &Lab) {
    let cases: Vec<(String, &Case)> =
        CASES.iter().enumerate().map(|(index, case)| (format!("plan-case-{index}"), case)).collect();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let all: String = cases.iter().map(|(name, case)| manifest(name, case)).collect();
    lab.kubectl_with(&["create", "-f", "-"], &all);

    // Two at a time: that is as many cores as there are.
    let halves = cases.split_at(cases.len() / 2);
    let foretold: Vec<usize> = thread::scope(|scope| {
        let of = |cases: &[(String, &Case)]| -> Vec<usize> {
            cases.iter().map(|(name, case)| plan(lab, name, case.0)).collect()
        };
        let second = scope.spawn(move || of(halves.1));
        [of(halves.0), second.join().expect("plans")].concat()
    });
    let wrong =
        cases.iter().zip(&foretold).filter(|((_, case), nodes)| case.6.is_some_and(|own| own != **nodes));
    let wrong: Vec<String> =
        wrong.map(|((name, case), nodes)| format!("{name} {}: {nodes} by the plan", case.0)).collect();
    assert_eq!(wrong, [""; 0], "counted by hand");

    // All shards wait now; the pools open.
    let pods = || {
        let mut pods: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for pod in lab.list("/api/v1/pods") {
            let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
            let is_shard = pod["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet";
            if is_shard && namespace.starts_with("plan-case-") {
                pods.entry(namespace).or_default().push(pod);
            }
        }
        pods
    };
    let wanted: usize = cases.iter().map(|(_, case)| case.3 as usize).sum();
    eventually(|| {
        let found: usize = pods().values().map(Vec::len).sum();
        if found == wanted { Ok(()) } else { Err(format!("{found} of {wanted} shards are there")) }
    });
    let opened: String = cases.iter().map(|(name, case)| pool(name, case.0, 100_000)).collect();
    lab.kubectl_with(&["replace", "-f", "-"], &opened);

    let made = || {
        let mut made: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for claim in lab.list("/apis/karpenter.sh/v1/nodeclaims") {
            let labels = &claim["metadata"]["labels"];
            let pool = labels["karpenter.sh/nodepool"].as_str().unwrap_or_default().to_owned();
            let size = labels["node.kubernetes.io/instance-type"].as_str().unwrap_or_default().to_owned();
            made.entry(pool).or_default().push(size);
        }
        made
    };
    let differences = || {
        let (made, pods) = (made(), pods());
        let mut differences = Vec::new();
        for ((name, case), nodes) in cases.iter().zip(&foretold) {
            let sizes = made.get(name).cloned().unwrap_or_default();
            let placed = pods[name].iter().filter(|pod| pod["spec"]["nodeName"].is_string()).count();
            let is_placed = placed == if *nodes == 0 { 0 } else { case.3 as usize };
            if sizes.len() != *nodes || sizes.iter().any(|size| size != case.0) || !is_placed {
                differences.push(format!(
                    "{name}: {} shards of {} CPU and {}: {nodes} {} foretold; {} shards placed on {sizes:?}",
                    case.3, case.1, case.2, case.0, placed
                ));
            }
        }
        differences
    };
    let is_as_foretold = || {
        let differences = differences();
        if differences.is_empty() {
            return Ok(());
        }
        // Looking at all pods is work for the API server, which has enough to do.
        pause(1);
        Err(differences.join("\n"))
    };
    // Some 100 machines and 300 pods start at once, on two cores.
    eventually(is_as_foretold);
    // And nothing more comes of it.
    pause(3);
    assert_eq!(is_as_foretold(), Ok(()));

    // With nodes there, their own figures are taken, which on the lab are the plan's.
    let (name, case) = &cases[1];
    let run = lab.shardctl.run(["plan", name, "-n", name, "-o", "json", "--top", "1000"]).ended(0);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(report["region"], "eastus", "by the label of the nodes");
    let sizes = report["sizes"].as_array().expect("a list");
    let choice = sizes.iter().find(|one| one["instanceType"] == case.0).expect("the size");
    assert_eq!(choice["live"]["allocatable"]["cpu"], choice["planned"]["allocatable"]["cpu"]);
    assert_eq!((&choice["live"]["shardsPerNode"], &choice["nodes"]), (&3.into(), &4.into()));

    let names: Vec<&str> = cases.iter().map(|(name, _)| name.as_str()).collect();
    for kind in ["namespace", "nodepool"] {
        lab.kubectl(&[&["delete", kind, "--wait=false"][..], &names].concat());
    }
}

/// Two services on one pool: the small shards of one go where the large ones of the other leave room.
fn shared(lab: &Lab) {
    let (mut large, mut small) = (lab.service("large"), lab.service("small"));
    large.edit("replicas: 3", "replicas: 4");
    small.edit("replicas: 3", "replicas: 15");
    small.edit("cpu: \"4\"\n", "cpu: \"1\"\n");
    small.edit("memory: 32Gi\n", "memory: 4Gi\n");
    // The pool and the taint of the large one.
    small.edit(&format!("name: {}-stable", small.name), &format!("name: {}-stable", large.name));
    small.edit(&format!("key: {}\n", small.name), &format!("key: {}\n", large.name));

    let none =
        ["--region", "eastus", "--daemonset-overhead", "cpu=0,memory=0", "-o", "json", "--top", "1000"];
    let files = ["plan", "-f", large.path(), "--with", small.path()];
    let run = lab.shardctl.run(files.iter().chain(&none)).ended(0);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let sizes = report["sizes"].as_array().expect("a list");
    let choice = sizes.iter().find(|one| one["instanceType"] == "Standard_E16s_v5").expect("the size");
    // Counted by hand: 3 and 1 large ones leave room for 3 and 11 small ones; the fifteenth needs a third machine.
    assert_eq!(choice["nodes"], 3, "{choice}");

    for service in [&large, &small] {
        service.deploy_with(&["--phase", "stable", "--yes", "--no-wait"]).ended(0);
    }
    let made = || {
        let is_ours = |claim: &&Value| {
            claim["metadata"]["labels"]["karpenter.sh/nodepool"] == format!("{}-stable", large.name)
        };
        lab.list("/apis/karpenter.sh/v1/nodeclaims").iter().filter(is_ours).count()
    };
    eventually(|| {
        let of = |service: &crate::lab::Service<'_>| {
            let pods = lab.list(&format!("/api/v1/namespaces/{}/pods", service.name));
            pods.iter().filter(|pod| pod["spec"]["nodeName"].is_string()).count()
        };
        match (of(&large), of(&small)) {
            (4, 15) => Ok(()),
            placed => Err(format!("{placed:?} are placed, on {} machines", made())),
        }
    });
    pause(3);
    assert_eq!(made(), 3);
}
