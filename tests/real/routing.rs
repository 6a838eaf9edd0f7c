//! `shardctl routing-test` on a network that is broken on purpose: exactly the right finding each time.

use serde_json::{Value, json};

use crate::Test;
use crate::lab::{Lab, Ring, eventually};
use crate::support::Run;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("routing::a_service_that_is_well_has_no_findings", well),
    ("routing::a_shard_that_does_not_answer_is_told_with_the_reason", sick_shards),
    ("routing::a_session_that_ends_early_is_told", cut_short),
    ("routing::what_the_network_drops_is_told_as_widely_as_it_is", network),
    ("routing::a_resolver_that_does_not_answer_is_its_nodes", resolver),
    ("routing::a_cluster_dns_that_is_gone_is_told_as_that", no_dns),
    ("routing::a_headless_service_of_other_pods_is_told_as_that", selector),
    ("routing::a_shard_that_starts_has_no_name_where_only_ready_ones_have", not_published),
    ("routing::a_dns_that_no_longer_watches_serves_old_addresses", old_records),
];

/// Severity, check and object of each finding, and what was seen.
fn found(ring: &Ring<'_>, args: &[&str]) -> (Vec<String>, Value) {
    let run = ring.shardctl(&[&["routing-test", "-o", "json"], args].concat());
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("findings").iter();
    let findings: Vec<String> = findings
        .map(|finding| ["severity", "check", "object"].map(|field| text(finding, field)).join(" "))
        .collect();
    let is_bad = findings.iter().any(|finding| !finding.starts_with("info"));
    assert_eq!(run.code, if is_bad { 5 } else { 0 }, "{run:?}");
    (findings, report)
}

/// Waits until these are the findings: names and rules need a moment to change.
#[track_caller]
pub fn finds(ring: &Ring<'_>, args: &[&str], what: &str, expected: &[&str]) -> Value {
    eventually(|| {
        let (findings, report) = found(ring, args);
        if findings == expected { Ok(report) } else { Err(format!("{what}: {report:#}")) }
    })
}

pub fn evidence(report: &Value) -> &str {
    report["findings"][0]["evidence"].as_str().unwrap_or_default()
}

fn well(lab: &Lab) {
    let ring = lab.standing_ring();
    let report = finds(&ring, &[], "all is well", &[]);
    assert_eq!(report["counts"], json!({"asked": 36, "answered": 36, "findings": 0}));
    assert_eq!(report["clusterDomain"], "cluster.local");
    assert_eq!(report["networkTested"], true);
    let pairs = report["pairs"].as_array().expect("pairs");
    for (pair, shard) in pairs.iter().zip(ring.shards().iter().cycle()) {
        assert_eq!(pair["addresses"], json!([shard.ip]), "{pair}");
        assert_eq!(pair["identity"], shard.name.as_str(), "{pair}");
    }
    ring.shardctl(&["routing-test"]).ended(0).said("all 36 questions were answered");
    ring.shardctl(&["routing-test", "-o", "junit"]).ended(0).said("failures=\"0\"");
}

fn sick_shards(lab: &Lab) {
    let ring = lab.ring("sick");
    for (behaviour, finding, said) in [
        (json!({"answer": "503"}), "error shard-answers pod/ring-2", "/api/status answers 503"),
        (json!({"answer": "hang"}), "error shard-answers pod/ring-2", "never answers"),
        (
            json!({"identity": "ring-1"}),
            "error shard-identity pod/ring-2",
            "it answers as ring-1 (to 6 of 6)",
        ),
        (json!({"listen": "nowhere"}), "error shard-listens pod/ring-2", "nobody listens on its port 8080"),
        (json!({"listen": "loopback"}), "error shard-listens pod/ring-2", "of its loopback address only"),
    ] {
        ring.tell("ring-2", &behaviour);
        let report = finds(&ring, &[], &behaviour.to_string(), &[finding]);
        assert!(evidence(&report).contains(said), "{report:#}");
        let words = behaviour.as_object().expect("an object").keys();
        let none: Value =
            words.map(|word| (word.clone(), Value::Null)).collect::<serde_json::Map<_, _>>().into();
        ring.tell("ring-2", &none);
    }
    ring.is_whole();
    finds(&ring, &[], "mended", &[]);
}

/// Runs so many DNS pods, and returns the node of the first.
pub fn dns_pods(lab: &Lab, count: &str) -> String {
    let dns = ["deployment/coredns", "-n", "kube-system"];
    lab.kubectl(&[&["scale"], &dns[..], &["--replicas", count]].concat());
    lab.kubectl(&[&["rollout", "status"], &dns[..], &["--timeout", "2m"]].concat());
    // One that is ending may still be there.
    let pods = ["get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns"];
    eventually(|| {
        let nodes = lab.kubectl(&[&pods[..], &["-o", "jsonpath={.items[*].spec.nodeName}"]].concat());
        let nodes: Vec<&str> = nodes.split_whitespace().collect();
        match nodes.len().to_string() == count {
            true => Ok(nodes[0].to_owned()),
            false => Err(format!("DNS runs on {nodes:?}")),
        }
    })
}

/// Kills the shells of a session that has been at work for a while.
const KILL: &str = r#"
while :; do
    for process in /proc/[0-9]*; do
        [ "$(tr '\0' ' ' <$process/cmdline)" != "sh " ] || shells="$shells ${process#/proc/}"
    done 2>/dev/null
    [ -z "$shells" ] || break
    sleep 0.1
done
sleep 3
kill -9 $shells
"#;

fn cut_short(lab: &Lab) {
    let ring = lab.ring("cut");
    // Whoever asks it is at work for as long as an answer may take.
    ring.tell("ring-5", &json!({"answer": "hang"}));
    let report = eventually(|| {
        let (killed, (findings, report)) = std::thread::scope(|scope| {
            let killed = scope.spawn(|| ring.exec("ring-0", &["timeout", "60", "sh", "-c", KILL]));
            let found = found(&ring, &["--requests", "0", "--timeout", "8s"]);
            (killed.join().expect("an end"), found)
        });
        let expected = ["warning shard-asks pod/ring-0", "error shard-answers pod/ring-5"];
        match killed.code == 0 && expected.iter().all(|one| findings.iter().any(|finding| finding == one)) {
            true => Ok(report),
            false => Err(format!("{killed:?} {report:#}")),
        }
    });
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 2, "{report:#}");
    let asks = findings.iter().find(|finding| finding["check"] == "shard-asks").expect("one");
    let evidence = asks["evidence"].as_str().unwrap_or_default();
    assert!(evidence.starts_with("its session ended before"), "{evidence}");
}

fn network(lab: &Lab) {
    let ring = lab.standing_ring();
    // A cut on the way to DNS would be a second fault: one DNS pod, and the other two nodes.
    let dns = dns_pods(lab, "1");
    let others: Vec<&str> = ["node-1", "node-2", "node-3"].into_iter().filter(|node| *node != dns).collect();
    let &[one, two] = &others[..] else { panic!("DNS runs on {dns}") };
    for (cut, object, said) in [
        (
            vec![one, two],
            format!("node/{one}, node/{two}"),
            format!("no shard on {one} reaches one on {two}, in both directions (8 pairs)"),
        ),
        (
            vec![one, "--port", "8080"],
            format!("node/{one}"),
            "nothing comes to it, and what it sends arrives (8 pairs)".to_owned(),
        ),
    ] {
        lab.lab_command(&[&["node", "cut"], &cut[..]].concat()).ended(0);
        let finding = format!("error network-reaches {object}");
        let report = finds(&ring, &[], &cut.join(" "), &[&finding]);
        assert!(evidence(&report).contains(&said), "{report:#}");
        lab.lab_command(&["node", "mend"]).ended(0);
    }
    dns_pods(lab, "2");
    finds(&ring, &[], "mended", &[]);
}

fn resolver(lab: &Lab) {
    let ring = lab.standing_ring();
    lab.lab_command(&["node", "cut", "node-1", "--dns"]).ended(0);
    let report = finds(&ring, &[], "no DNS on node-1", &["error name-resolves node/node-1"]);
    assert!(evidence(&report).contains("shards elsewhere do"), "{report:#}");
    lab.lab_command(&["node", "mend", "node-1"]).ended(0);
    finds(&ring, &[], "mended", &[]);
}

fn no_dns(lab: &Lab) {
    let ring = lab.standing_ring();
    lab.kubectl(&["scale", "deployment/coredns", "-n", "kube-system", "--replicas", "0"]);
    let report = finds(&ring, &[], "no CoreDNS", &["error name-resolves cluster DNS"]);
    assert!(evidence(&report).contains("the name server does not answer"), "{report:#}");
    dns_pods(lab, "2");
    finds(&ring, &[], "mended", &[]);
}

fn selector(lab: &Lab) {
    let ring = lab.ring("selector");
    ring.kubectl(&["patch", "service/ring", "-p", r#"{"spec":{"selector":{"app":"other"}}}"#]);
    let report = finds(&ring, &[], "another selector", &["error name-resolves service/ring"]);
    assert!(evidence(&report).contains("its selector wants app=other, which no shard has"), "{report:#}");
    ring.kubectl(&["delete", "service/ring"]);
    let report = finds(&ring, &[], "no service", &["error name-resolves service/ring"]);
    assert!(evidence(&report).contains("there is no such headless service"), "{report:#}");
}

fn not_published(lab: &Lab) {
    let ring = lab.ring("unpublished");
    ring.tell("ring-2", &json!({"health-readiness": "503"}));
    eventually(|| if ring.shard(2).is_ready { Err("still ready".to_owned()) } else { Ok(()) });
    finds(&ring, &[], "a shard that starts, with a name", &[]);
    ring.kubectl(&["patch", "service/ring", "-p", r#"{"spec":{"publishNotReadyAddresses":false}}"#]);
    let report = finds(&ring, &[], "without a name", &["error name-resolves pod/ring-2"]);
    let said = "it is not Ready, and the headless service names Ready pods only";
    assert!(evidence(&report).contains(said), "{report:#}");
    ring.tell("ring-2", &json!({"health-readiness": null}));
    ring.is_whole();
    finds(&ring, &[], "ready, with a name", &[]);
}

/// DNS pods that no longer hear from the API server, and serve what they know, as long as the value lives.
struct Deaf<'a> {
    lab: &'a Lab,
    /// Node and address of each.
    servers: Vec<(String, String)>,
}

impl<'a> Deaf<'a> {
    fn new(lab: &'a Lab) -> Self {
        let list = lab.get(&["pods", "-n", "kube-system", "-l", "k8s-app=kube-dns"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let servers = list["items"].as_array().expect("DNS pods").iter();
        let servers = servers.map(|pod| (text(&pod["spec"]["nodeName"]), text(&pod["status"]["podIP"])));
        let deaf = Self { lab, servers: servers.collect() };
        deaf.rules("-A").for_each(|rule| drop(rule.ended(0)));
        deaf
    }

    /// What a DNS pod asks the API server for is dropped: at its service, and at its own port.
    fn rules(&self, change: &'static str) -> impl Iterator<Item = Run> {
        let ways = self.servers.iter().flat_map(|server| [(server, "443"), (server, "6443")]);
        ways.map(move |((node, ip), port)| {
            let rule = ["iptables", "-w", "5", "-t", "raw", change, "PREROUTING", "-s", ip, "-p", "tcp"];
            let rest = ["--dport", port, "-j", "DROP"];
            self.lab.lab_command(&[&["node", "exec", node, "--"], &rule[..], &rest].concat())
        })
    }
}

impl Drop for Deaf<'_> {
    fn drop(&mut self) {
        self.rules("-D").for_each(drop);
        let restart = ["rollout", "restart", "deployment/coredns", "-n", "kube-system"];
        self.lab.kubectl_with_input(&restart, "");
    }
}

fn old_records(lab: &Lab) {
    let ring = lab.ring("old");
    let deaf = Deaf::new(lab);
    let before = ring.shard(3);
    ring.kubectl(&["delete", "pod", "ring-3"]);
    ring.is_whole();
    let after = ring.shard(3);
    assert_ne!(before.ip, after.ip);
    let report = finds(&ring, &[], "an old record", &["error name-current pod/ring-3"]);
    let said = format!("its name leads to {}, and the pod has {}", before.ip, after.ip);
    assert!(evidence(&report).contains(&said), "{report:#}");
    drop(deaf);
    dns_pods(lab, "2");
    finds(&ring, &[], "mended", &[]);
}
