//! The client service, well and broken on purpose: exactly the right finding each time.

use serde_json::{Value, json};

use crate::Test;
use crate::lab::{Lab, Ring, eventually};
use crate::routing::finds;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("service::a_client_service_that_is_well_spreads_requests_by_chance", well),
    ("service::under_affinity_each_source_stays_with_one_shard", affinity),
    ("service::a_node_whose_proxy_has_stopped_is_told_by_what_it_misses", stopped_proxy),
    ("service::a_node_that_spreads_requests_otherwise_is_told", skew),
    ("service::a_service_that_misses_shards_or_leads_elsewhere_is_told", endpoints),
    ("service::a_shard_that_is_not_ready_gets_no_requests_unless_the_service_says_so", not_ready),
    ("service::what_stays_on_its_node_is_judged_there", local),
    ("service::what_cannot_be_asked_or_judged_is_said", unjudged),
];

/// The report's part about a client service.
fn service<'a>(report: &'a Value, name: &str) -> &'a Value {
    let services = report["clientServices"].as_array().expect("services");
    services.iter().find(|service| service["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

fn evidence(report: &Value, number: usize) -> &str {
    report["findings"][number]["evidence"].as_str().unwrap_or_default()
}

fn patch(ring: &Ring<'_>, service: &str, spec: &Value) {
    ring.kubectl(&["patch", "service", service, "--type=merge", "-p", &json!({ "spec": spec }).to_string()]);
}

fn well(lab: &Lab) {
    let ring = lab.standing_ring();
    let report = finds(&ring, &[], "all is well", &[]);
    let service = service(&report, "ring-client");
    assert_eq!(service["counts"], json!({"asked": 120, "answered": 120, "nameless": 0, "failed": {}}));
    assert_eq!(service["spread"]["verdict"], "even", "{service:#}");
    assert_eq!(service["endpoints"].as_array().map(Vec::len), Some(6), "{service:#}");
    let shards = service["answeredBy"].as_object().expect("shards");
    assert!(shards.len() == 6 && shards.values().all(|count| count.as_u64() > Some(0)), "{service:#}");
    // As many sessions as shards: the questions to the service travel with the others.
    let run = ring.shardctl(&["routing-test", "-v", "6"]).ended(0);
    assert_eq!(run.stderr.matches("/exec?").count(), 6, "{run:?}");
    let run = run.said(
        "service/ring-client: 20 requests from each of 6 shards to ring-client.standing.svc.cluster.local:80",
    );
    run.said("all 120 requests were answered").said("spread over 6 shards as by chance (chi-squared");
    // Probes are sources, too.
    let report = finds(
        &ring,
        &["--from", "probe", "--probe-image", "shardctl.lab/shard:1.0.0", "--requests", "40"],
        "asked by probes",
        &[],
    );
    let service = &report["clientServices"][0];
    assert_eq!(service["counts"]["answered"], 120, "{service:#}");
    assert_eq!(service["sources"][0]["name"], "probe on node-1", "{service:#}");
}

fn affinity(lab: &Lab) {
    let ring = lab.ring("affinity");
    finds(&ring, &[], "well", &[]);
    patch(&ring, "ring-client", &json!({"sessionAffinity": "ClientIP"}));
    let info = "info service-judged service/ring-client";
    let report = finds(&ring, &[], "affinity", &[info]);
    let said = evidence(&report, 0);
    assert!(said.contains("cannot be judged from one source; 6 sources stay with"), "{report:#}");
    for source in service(&report, "ring-client")["sources"].as_array().expect("sources") {
        assert_eq!(source["answeredBy"].as_object().map(serde_json::Map::len), Some(1), "{source:#}");
    }
    // Who may exec into one shard only has one source.
    ring.kubectl(&["create", "rolebinding", "looks", "--clusterrole=view", "--user=keeper"]);
    ring.kubectl(&["create", "role", "forwards", "--verb=create,get", "--resource=pods/portforward"]);
    ring.kubectl(&["create", "rolebinding", "forwards", "--role=forwards", "--user=keeper"]);
    ring.kubectl(&[
        "create",
        "role",
        "one",
        "--verb=create,get",
        "--resource=pods/exec",
        "--resource-name=ring-2",
    ]);
    ring.kubectl(&["create", "rolebinding", "one", "--role=one", "--user=keeper"]);
    let expected = ["warning shard-asks pod/ring-{0..1,3..5}", info];
    let report = finds(&ring, &["--as", "keeper", "--no-probe"], "one source", &expected);
    assert!(evidence(&report, 1).contains("cannot be judged from one source"), "{report:#}");
    assert_eq!(service(&report, "ring-client")["counts"]["asked"], 20);
}

/// A service of the pods with a label that only some have.
fn part_service(ring: &Ring<'_>, shards: &[&str]) {
    let manifest = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "part"},
        "spec": {"selector": {"app": "ring", "part": "a"}, "ports": [{"port": 80, "targetPort": "http"}]},
    });
    ring.apply(&manifest);
    for shard in shards {
        ring.kubectl(&["label", "pod", shard, "part=a"]);
    }
}

fn stopped_proxy(lab: &Lab) {
    let ring = lab.ring("proxy");
    finds(&ring, &[], "well", &[]);
    let shards = ring.shards();
    let away: Vec<&str> =
        shards.iter().filter(|shard| shard.node == "node-1").map(|shard| shard.name.as_str()).collect();
    let &[added, other] = &away[..] else { panic!("two on each node: {shards:#?}") };
    let rest: Vec<&str> =
        shards.iter().map(|shard| shard.name.as_str()).filter(|name| *name != added).collect();
    part_service(&ring, &rest);
    let part = ["--service", "part", "--requests", "60"];
    finds(&ring, &part, "one shard is no endpoint yet", &["error service-endpoints service/part"]);
    lab.lab_command(&["node", "stop", "node-2", "--only", "kube-proxy"]).ended(0);
    // An endpoint more: that node never leads to it.
    ring.kubectl(&["label", "pod", added, "part=a"]);
    let report = finds(&ring, &part, "an endpoint more", &["error service-reaches node/node-2"]);
    assert!(
        evidence(&report, 0).starts_with(&format!("{added} gets none of 120 requests from there to part")),
        "{report:#}"
    );
    // One that is not Ready any more: that node still leads to it.
    ring.tell(other, &json!({"health-readiness": "503"}));
    let client = ["--service", "ring-client", "--requests", "60"];
    let report = finds(&ring, &client, "one that is not Ready", &["error service-ready-only node/node-2"]);
    assert!(evidence(&report, 0).starts_with(&format!("{other} is not Ready, and answers ")), "{report:#}");
    ring.tell(other, &json!({"health-readiness": null}));
    ring.is_whole();
    finds(&ring, &client, "Ready again, at its old address", &[]);
    // One that was made anew: that node leads to the address it had.
    ring.kubectl(&["delete", "pod", other]);
    ring.is_whole();
    let report = finds(&ring, &client, "an old address", &["error service-answers node/node-2"]);
    let said = evidence(&report, 0);
    assert!(
        said.contains(" of 120 requests (") && said.ends_with(&format!("through the service never {other}")),
        "{report:#}"
    );
    assert!(
        report["findings"][0]["remedy"].as_str().unwrap_or_default().contains("kube-proxy"),
        "{report:#}"
    );
    ring.shardctl(&["routing-test"]).ended(5).said("requests failed (");
    lab.lab_command(&["node", "start", "node-2"]).ended(0);
    finds(&ring, &client, "mended", &[]);
}

/// The rules of a node are changed by hand: half of all requests go to one shard before chance is asked.
fn skew(lab: &Lab) {
    let ring = lab.ring("skew");
    // All nodes have heard of all shards.
    finds(&ring, &[], "well", &[]);
    lab.lab_command(&["node", "stop", "node-1", "--only", "kube-proxy"]).ended(0);
    let on_node = |command: &str| {
        lab.lab_command(&["node", "exec", "node-1", "--", "sh", "-c", command]).ended(0).stdout
    };
    let rules = eventually(|| {
        let rules = on_node("iptables -t nat -S");
        let comment = format!("{}/ring-client:http -> ", ring.namespace);
        let rules: Vec<String> =
            rules.lines().filter(|rule| rule.contains(&comment)).map(str::to_owned).collect();
        if rules.len() > 5 { Ok(rules) } else { Err(format!("{rules:#?}")) }
    });
    let words: Vec<&str> = rules
        .iter()
        .find(|rule| rule.starts_with("-A KUBE-SVC-"))
        .expect("a rule of the service")
        .split_whitespace()
        .collect();
    let (chain, shard) = (words[1], words[words.len() - 1]);
    on_node(&format!("iptables -t nat -I {chain} -m statistic --mode random --probability 0.5 -j {shard}"));
    let report = finds(&ring, &["--requests", "60"], "skewed", &["warning service-spread node/node-1"]);
    assert!(
        evidence(&report, 0).starts_with("of 120 requests from there to ring-client ring-"),
        "{report:#}"
    );
    lab.lab_command(&["node", "start", "node-1"]).ended(0);
    finds(&ring, &["--requests", "60"], "mended", &[]);
}

/// As [`finds`], until the first finding says this, too: the rules of the nodes follow one after the other.
#[track_caller]
fn finds_saying(ring: &Ring<'_>, args: &[&str], expected: &str, said: &str) {
    eventually(|| {
        let report = finds(ring, args, said, &[expected]);
        if evidence(&report, 0).contains(said) { Ok(()) } else { Err(format!("{said}: {report:#}")) }
    });
}

fn endpoints(lab: &Lab) {
    let ring = lab.ring("endpoints");
    let part = ["--service", "part"];
    part_service(&ring, &["ring-0", "ring-1", "ring-2", "ring-4", "ring-5"]);
    let report = finds(&ring, &part, "a selector that misses one", &["error service-endpoints service/part"]);
    assert!(
        evidence(&report, 0).starts_with("part does not lead to ring-3: it is Ready, and no endpoint"),
        "{report:#}"
    );
    // Its selector is not that of the shards, so nobody but who names it means it.
    let report = finds(&ring, &[], "not asked unless it is named", &[]);
    assert_eq!(report["clientServices"].as_array().map(Vec::len), Some(1));
    for shard in ring.shards() {
        ring.kubectl(&["label", "pod", &shard.name, "part-"]);
    }
    let said = "it leads nowhere: its selector app=ring,part=a chooses no Ready pod, or its port is no port of theirs; \
                all 120 requests fail";
    finds_saying(&ring, &part, "error service-endpoints service/part", said);

    for (target, said) in [
        (
            json!(9999),
            "its port 80 leads to port 9999, and the shards are asked at 8080; all 120 requests fail",
        ),
        (json!("web"), "its port 80 leads to the port named web, which no container has"),
    ] {
        patch(&ring, "ring-client", &json!({"ports": [{"name": "http", "port": 80, "targetPort": target}]}));
        finds_saying(&ring, &[], "error service-endpoints service/ring-client", said);
    }
    patch(&ring, "ring-client", &json!({"ports": [{"name": "http", "port": 80, "targetPort": "http"}]}));
    finds(&ring, &[], "mended", &[]);

    // Endpoints by hand: one shard is missing, one is there twice, and one address is nobody's.
    let shards = ring.shards();
    let (network, _) = shards[0].ip.rsplit_once('.').expect("an address");
    let nobody = format!("{network}.250");
    let mut addresses: Vec<&str> = shards[..5].iter().map(|shard| shard.ip.as_str()).collect();
    addresses.push(&nobody);
    ring.apply(&json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "hand"},
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    }));
    for (slice, addresses) in [("hand-1", &addresses[..]), ("hand-2", &addresses[..1])] {
        let endpoints: Vec<Value> = addresses.iter().map(|address| json!({"addresses": [address]})).collect();
        ring.apply(&json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": slice, "labels": {"kubernetes.io/service-name": "hand"}},
            "addressType": "IPv4", "endpoints": endpoints, "ports": [{"name": "http", "port": 8080}],
        }));
    }
    let expected = [
        "error service-endpoints service/hand",
        "error service-endpoints service/hand",
        "warning service-single service/hand",
    ];
    let report = finds(&ring, &["--service", "hand"], "endpoints by hand", &expected);
    assert!(
        evidence(&report, 0).starts_with("hand does not lead to ring-5: it is Ready, and no endpoint"),
        "{report:#}"
    );
    let said = evidence(&report, 1);
    assert!(
        said.starts_with(&format!("it leads to {nobody}, which is no shard's address"))
            && said.contains("requests ("),
        "{report:#}"
    );
    assert!(
        evidence(&report, 2)
            .contains(&format!("{} is in several EndpointSlices, hand-1 and hand-2", shards[0].ip)),
        "{report:#}"
    );
}

fn not_ready(lab: &Lab) {
    let ring = lab.ring("unready");
    ring.tell("ring-3", &json!({"health-readiness": "503"}));
    // Once it is long enough ago, it counts that it gets nothing.
    let report = eventually(|| {
        let report = finds(&ring, &[], "it gets nothing", &[]);
        let pod = lab.get(&["pod", "ring-3", "-n", &ring.namespace]);
        let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let is_ready = conditions.iter().any(|one| one["type"] == "Ready" && one["status"] == "True");
        let got = &service(&report, "ring-client")["answeredBy"]["ring-3"];
        if !is_ready && *got == 0 { Ok(report) } else { Err(format!("{report:#}")) }
    });
    assert_eq!(service(&report, "ring-client")["counts"]["answered"], 120);
    patch(&ring, "ring-client", &json!({"publishNotReadyAddresses": true}));
    let report = finds(&ring, &[], "told to", &["error service-ready-only service/ring-client"]);
    assert!(
        evidence(&report, 0).starts_with("publishNotReadyAddresses leads clients to ring-3, not Ready"),
        "{report:#}"
    );
}

fn local(lab: &Lab) {
    let ring = lab.ring("local");
    patch(&ring, "ring-client", &json!({"internalTrafficPolicy": "Local"}));
    let nodes: std::collections::BTreeMap<String, String> =
        ring.shards().into_iter().map(|shard| (shard.name, shard.node)).collect();
    eventually(|| {
        let report = finds(&ring, &[], "each its own node", &[]);
        let sources = service(&report, "ring-client")["sources"].as_array().cloned().unwrap_or_default();
        let is_near = |source: &Value| {
            let shards = source["answeredBy"].as_object().expect("shards");
            shards.keys().all(|shard| source["node"] == nodes[shard].as_str())
        };
        if sources.iter().all(is_near) { Ok(()) } else { Err(format!("{report:#}")) }
    });
    for (shard, _) in nodes.iter().filter(|(_, node)| *node == "node-3") {
        ring.tell(shard, &json!({"health-readiness": "503"}));
    }
    let report =
        finds(&ring, &[], "a node without a Ready shard", &["error service-answers service/ring-client"]);
    let said =
        "internalTrafficPolicy is Local, and no Ready shard is on node-3: 40 of 120 requests (33.3 %) fail";
    assert_eq!(evidence(&report, 0), said);
}

fn unjudged(lab: &Lab) {
    let ring = lab.standing_ring();
    let info = "info service-judged service/ring-client";
    let report = finds(&ring, &["--no-identity"], "nobody looks", &[info]);
    assert!(evidence(&report, 0).contains("(--no-identity)"), "{report:#}");
    assert_eq!(service(&report, "ring-client")["counts"]["nameless"], 120);
    let report = finds(&ring, &["--requests", "2"], "too few", &[info]);
    assert!(evidence(&report, 0).ends_with("10 of each source are enough"), "{report:#}");
    finds(&ring, &["--requests", "10"], "enough", &[]);
    let report = finds(&ring, &["--requests", "0"], "not asked", &[]);
    assert_eq!(report["clientServices"], json!([]));
    // Who may not read services.
    let verbs = "--verb=get,list,create";
    let resources = "--resource=statefulsets.apps,pods,pods/exec";
    ring.kubectl(&["create", "role", "asks", verbs, resources]);
    ring.kubectl(&["create", "rolebinding", "asks", "--role=asks", "--user=asker"]);
    let report = finds(&ring, &["--as", "asker"], "forbidden", &["info service-judged client services"]);
    assert!(evidence(&report, 0).contains("forbidden"), "{report:#}");
    for (service, complaint) in [
        ("ring", "service/ring has no address of its own"),
        ("ring-clint", "did you mean service/ring-client?"),
    ] {
        ring.shardctl(&["routing-test", "--service", service]).ended(1).complained(complaint);
    }
    let args = ["routing-test", "--service", "ring-client", "--port", "8079"];
    ring.shardctl(&args).ended(1).complained("no port of service/ring-client leads to port 8079");
}
