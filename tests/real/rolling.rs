//! migrate, upgrade and drain of a service that really runs, while a client asks every shard all the time: what the ledger
//! says of outages is what the client met with.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shardctl::lab::real::place::DNS_SERVICE;

use crate::Test;
use crate::client::{self, Client, Report};
use crate::lab::{Lab, Ring, eventually};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("rolling::upgrade_tells_the_outages_that_a_client_meets_with", upgraded),
    ("rolling::what_shards_serve_before_they_are_ready_and_while_they_end_is_no_outage", slow),
    ("rolling::one_that_is_found_only_when_it_is_ready_is_down_until_then", ready_only),
    ("rolling::migrate_tells_the_outages_that_a_client_meets_with", migrated),
    ("rolling::drain_tells_the_outages_that_a_client_meets_with", drained),
];

/// So far the ledger and the client may be apart, in each outage.
const AGREEMENT: SignedDuration = SignedDuration::from_millis(300);

/// What a run left where it worked: nothing, but for what it was for.
#[derive(Debug, PartialEq)]
struct Left {
    placeholders: String,
    classes: Vec<String>,
    held_leases: Vec<Value>,
    budgets: Vec<Value>,
    pools: Vec<Value>,
    cordons: BTreeSet<String>,
    open_journals: String,
}

impl Ring<'_> {
    /// A client of it, in the network of the first node.
    pub fn client(&self) -> Client {
        let pods = (0..6).map(|number| format!("ring-{number}"));
        let shards = pods.map(|pod| client::Shard { host: self.address(&pod), pod }).collect();
        let network = format!("/run/netns/{}-node-1", self.lab.real.place().id());
        Client::start(&network, DNS_SERVICE, shards)
    }

    /// Runs a rolling command with a client at work: what the client met with, and the run as it ended.
    #[track_caller]
    fn roll(&self, args: &[&str]) -> (Report, Value) {
        let common = ["--settle", "1s", "--yes", "--timeout", "5m", "-o", "json"];
        let client = self.client();
        let run = self.shardctl(&[args, &common].concat());
        let report = client.stop();
        let run = run.ended(0);
        let last = run.stdout.lines().last().expect("a line");
        let last: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"));
        assert_eq!((&last["kind"], &last["state"]["kind"]), (&"Run".into(), &"done".into()), "{last:#}");
        (report, last)
    }

    fn left(&self) -> Left {
        let list = |what: &[&str]| self.lab.get(what)["items"].as_array().cloned().unwrap_or_default();
        let ours = |what: &str| list(&[what, "-n", &self.namespace]);
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let by_label = |what: &str, label: &str| self.kubectl(&["get", what, "-l", label, "-o", "name"]);
        let is_cordoned = |node: &&Value| node["spec"]["unschedulable"] == true;
        Left {
            placeholders: by_label("pods", "shardctl.dev/run"),
            classes: list(&["priorityclasses"]).iter().map(name).collect(),
            held_leases: ours("leases").iter().map(|lease| lease["spec"]["holderIdentity"].clone()).collect(),
            budgets: ours("pdb").iter().map(|budget| budget["spec"].clone()).collect(),
            pools: list(&["nodepools"]).iter().map(|pool| pool["spec"].clone()).collect(),
            cordons: list(&["nodes"]).iter().filter(is_cordoned).map(name).collect(),
            open_journals: by_label("configmaps", "shardctl.dev/run-state=open"),
        }
    }

    /// Asserts that the run has left nothing but this.
    #[track_caller]
    fn nothing_is_left(&self, before: Left, cordons: &[&str]) {
        // A lock that was given back is a lease without a holder.
        let mut after = self.left();
        after.held_leases.retain(|holder| !holder.is_null() && holder != "");
        let cordons = cordons.iter().map(|node| (*node).to_owned()).collect();
        assert_eq!(after, Left { held_leases: Vec::new(), cordons, ..before });
        self.shardctl(&["status"]).ended(0).said("is whole: 6 of 6 shards ready");
    }
}

/// Asserts that each outage of the ledger is one that the client met with, of the same shards and as long.
#[track_caller]
fn agree(what: &str, report: &Report, run: &Value) {
    let mut story = vec![format!(
        "{what}: {} requests, {} of them failed; outages of the client, of the ledger, apart, in ms:",
        report.requests, report.failed
    )];
    let mut is_agreed = true;
    let mut met: BTreeSet<usize> = BTreeSet::new();
    for outage in run["ledger"]["outages"].as_array().expect("outages") {
        let (began, ended) = (time(&outage["startedAt"]), time(&outage["endedAt"]));
        let shards: BTreeSet<usize> = serde_json::from_value(outage["shards"].clone()).expect("shards");
        let near = |one: &client::Outage| one.began <= ended + AGREEMENT && began - AGREEMENT <= one.ended;
        let found: Vec<usize> =
            (0..report.outages.len()).filter(|index| near(&report.outages[*index])).collect();
        met.extend(&found);
        // A shard that is asked to end may answer once more after it did not: that is one outage.
        let (Some(first), Some(last)) = (found.first(), found.last()) else {
            story.push(format!("the client did not meet with {outage}"));
            is_agreed = false;
            continue;
        };
        let (first, last) = (&report.outages[*first], &report.outages[*last]);
        let its = found.iter().flat_map(|index| report.outages[*index].shards.iter().copied()).collect();
        let client = last.ended.duration_since(first.began);
        let ledger = ended.duration_since(began);
        // A client that was held up itself knows no better.
        let allowed = AGREEMENT + first.doubt + last.doubt;
        let is_near = (client - ledger).abs() <= allowed && shards == its;
        is_agreed &= is_near;
        story.push(format!(
            "{:6} {:6} {:5} (its beginning {:+}, its end {:+}) {its:?}{}",
            client.as_millis(),
            ledger.as_millis(),
            (client - ledger).as_millis(),
            first.began.duration_since(began).as_millis(),
            last.ended.duration_since(ended).as_millis(),
            if is_near {
                String::new()
            } else {
                format!(" NOT {shards:?} within {allowed:?}: {}", first.problem)
            }
        ));
    }
    for (index, outage) in report.outages.iter().enumerate().filter(|(index, _)| !met.contains(index)) {
        story.push(format!("the ledger does not know of {index}: {outage:?}"));
        is_agreed = false;
    }
    let story = story.join("\n");
    assert!(is_agreed, "{story}\n{:#}", run["ledger"]);
    crate::complain(&story);
}

#[track_caller]
fn time(value: &Value) -> Timestamp {
    value.as_str().expect("a time").parse().expect("a time")
}

fn waves(run: &Value) -> Vec<Vec<usize>> {
    serde_json::from_value(run["waves"].clone()).expect("waves")
}

fn upgraded(lab: &Lab) {
    let ring = lab.ring("traffic");
    let (before, pods) = (ring.left(), ring.shards());
    for (tag, strategy, outages) in [("1.1.0", "canary", 2), ("1.0.0", "one-by-one", 6)] {
        let image = format!("shardctl.lab/shard:{tag}");
        let (report, run) = ring.roll(&["upgrade", "--image", &image, "--strategy", strategy]);
        assert_eq!(waves(&run).len(), outages);
        agree(&format!("upgrade --strategy {strategy}"), &report, &run);
        for (old, new) in pods.iter().zip(ring.shards()) {
            assert!(new.uid != old.uid && new.is_ready, "{old:?} {new:?}");
        }
    }
    ring.nothing_is_left(before, &[]);
}

/// With probes every five seconds, as people write them, and shards that serve on for three seconds when they are asked to
/// end: the kubelet knows late, and the API server early, what clients know at once.
fn slow(lab: &Lab) {
    let ring = lab.ring_with("slow", |manifest| {
        *manifest = manifest
            .replace("periodSeconds: 1,", "periodSeconds: 5,")
            .replace("        env:\n", "        lifecycle: {preStop: {sleep: {seconds: 3}}}\n        env:\n");
    });
    let (report, run) =
        ring.roll(&["upgrade", "--image", "shardctl.lab/shard:1.1.0", "--strategy", "canary"]);
    agree("upgrade of shards that serve on, with probes every 5 s", &report, &run);
    for restart in run["ledger"]["restarts"].as_array().expect("restarts") {
        let shard = restart["ordinal"].as_u64().expect("a number");
        let of_shard = |outage: &&Value| {
            outage["shards"].as_array().is_some_and(|shards| shards.contains(&shard.into()))
        };
        let outage =
            run["ledger"]["outages"].as_array().expect("outages").iter().find(of_shard).expect("one");
        assert!(time(&outage["startedAt"]) > time(&restart["marks"]["asked"]), "{restart:#} {outage:#}");
        assert!(time(&restart["marks"]["answered"]) <= time(&restart["marks"]["ready"]), "{restart:#}");
    }
}

fn ready_only(lab: &Lab) {
    let ring = lab.ring_with("ready", |manifest| {
        *manifest = manifest.replace("publishNotReadyAddresses: true", "publishNotReadyAddresses: false");
    });
    let (report, run) = ring.roll(&["upgrade", "--image", "shardctl.lab/shard:1.1.0"]);
    agree("upgrade of shards that are found when they are Ready", &report, &run);
    // Nobody finds it before, so nobody asks it.
    for restart in run["ledger"]["restarts"].as_array().expect("restarts") {
        assert_eq!(restart["marks"]["answered"], Value::Null);
    }
}

/// Node pools of this lab: which node is of which. Nobody makes nodes for them, and all of it goes with the value.
struct Pools<'a> {
    lab: &'a Lab,
    names: Vec<String>,
}

impl<'a> Pools<'a> {
    fn new(lab: &'a Lab, pools: &[(&str, &[&str])]) -> Self {
        let mut made = Self { lab, names: Vec::new() };
        for (name, nodes) in pools {
            let pool = json!({
                "apiVersion": "karpenter.sh/v1",
                "kind": "NodePool",
                "metadata": {"name": name},
                "spec": {"template": {"spec": {
                    "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "default"},
                    "requirements": [{"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}],
                    "taints": [{"key": "pool", "value": name, "effect": "NoSchedule"}],
                    "expireAfter": "Never",
                }}},
            });
            let run = lab.kubectl_with_input(&["create", "-f", "-"], &pool.to_string());
            assert_eq!(run.code, 0, "{run:?}");
            made.names.push((*name).to_owned());
            // What Karpenter says of a pool that it takes care of.
            let now = Timestamp::now();
            let ready = json!({"status": {"conditions": [{
                "type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": now,
            }]}});
            lab.kubectl(&[
                "patch",
                "nodepool",
                name,
                "--subresource=status",
                "--type=merge",
                "-p",
                &ready.to_string(),
            ]);
            for node in *nodes {
                lab.kubectl(&["label", "node", node, &format!("karpenter.sh/nodepool={name}")]);
                lab.kubectl(&["taint", "node", node, &format!("pool={name}:NoSchedule")]);
            }
        }
        made
    }
}

impl Drop for Pools<'_> {
    fn drop(&mut self) {
        let remove = |args: &[&str]| drop(self.lab.kubectl_with_input(args, ""));
        remove(&["label", "nodes", "--all", "karpenter.sh/nodepool-"]);
        remove(&["taint", "nodes", "--all", "pool-"]);
        for name in &self.names {
            remove(&["delete", "nodepool", name]);
        }
    }
}

fn migrated(lab: &Lab) {
    let _pools = Pools::new(lab, &[("old", &["node-1"]), ("new", &["node-2", "node-3"])]);
    let ring = lab.ring_with("moved", |manifest| {
        // One node is to hold what three did, beside the shards of other tests.
        *manifest = manifest.replace("requests: {cpu: 250m,", "requests: {cpu: 50m,").replace(
            "      tolerations:\n",
            "      nodeSelector: {karpenter.sh/nodepool: old}\n      tolerations:\n      \
             - {key: pool, operator: Equal, value: old, effect: NoSchedule}\n",
        );
    });
    assert!(ring.shards().iter().all(|shard| shard.node == "node-1"));
    let before = ring.left();
    let (report, run) = ring.roll(&["migrate", "--to-nodepool", "new", "--strategy", "canary"]);
    assert_eq!(waves(&run), [vec![0], vec![1, 2, 3, 4, 5]]);
    agree("migrate --strategy canary", &report, &run);
    assert!(ring.shards().iter().all(|shard| shard.is_ready && shard.node != "node-1"));
    ring.nothing_is_left(before, &[]);
    ring.shardctl(&["migrate", "--to-nodepool", "new", "--yes"]).ended(0).said("nothing was changed");
    let before = ring.left();
    let (report, run) = ring.roll(&["migrate", "--to-nodepool", "old", "--wave-size", "3"]);
    assert_eq!(waves(&run), [vec![0], vec![1, 2, 3], vec![4, 5]]);
    agree("migrate --wave-size 3", &report, &run);
    assert!(ring.shards().iter().all(|shard| shard.is_ready && shard.node == "node-1"));
    ring.nothing_is_left(before, &[]);
}

/// Another service on the node, which a budget keeps there.
const NEIGHBOUR: &str = "
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: neighbour}
spec: {maxUnavailable: 0, selector: {matchLabels: {app: neighbour}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: neighbour}
spec:
  selector: {matchLabels: {app: neighbour}}
  template:
    metadata: {labels: {app: neighbour}}
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            preference: {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node-3]}]}
      containers: [{name: main, image: 'shardctl.lab/shard:1.0.0'}]
";

fn drained(lab: &Lab) {
    let ring = lab.ring_with("emptied", |manifest| {
        // Two nodes are to hold what three did.
        *manifest = manifest.replace("DoNotSchedule", "ScheduleAnyway");
    });
    let run = lab.kubectl_with_input(&["apply", "-n", &ring.namespace, "-f", "-"], NEIGHBOUR);
    assert_eq!(run.code, 0, "{run:?}");
    ring.kubectl(&["rollout", "status", "deployment/neighbour", "--timeout", "2m"]);
    let leaving: Vec<usize> = ring
        .shards()
        .iter()
        .enumerate()
        .filter(|(_, shard)| shard.node == "node-3")
        .map(|(index, _)| index)
        .collect();
    assert!(!leaving.is_empty(), "{:#?}", ring.shards());
    let before = ring.left();
    let args = ["drain", "node-3", "--wave-size", "6", "--relax-pdb", "--delete-emptydir-data"];
    let (report, run) = ring.roll(&args);
    let uncordon = || lab.kubectl(&["uncordon", "node-3"]);
    assert_eq!(waves(&run), [leaving]);
    agree("drain", &report, &run);
    assert!(ring.shards().iter().all(|shard| shard.is_ready && shard.node != "node-3"));
    let on_it =
        || lab.kubectl(&["get", "pods", "-A", "--field-selector", "spec.nodeName=node-3", "-o", "name"]);
    eventually(|| if on_it().is_empty() { Ok(()) } else { Err(on_it()) });
    ring.nothing_is_left(before, &["node-3"]);
    uncordon();
}
