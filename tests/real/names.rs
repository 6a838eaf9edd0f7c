//! Names that shards do not find, or that lead astray, for reasons of their own: exactly the right finding each time.

use serde_json::{Value, json};

use crate::Test;
use crate::lab::{Lab, Ring, eventually};
use crate::routing::{evidence, finds};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("names::a_second_address_of_a_name_is_told_with_whose_it_is", second_address),
    ("names::a_second_address_that_dns_itself_adds_is_told", added_by_dns),
    ("names::a_short_name_that_nothing_completes_is_told", no_search),
    ("names::a_short_name_of_another_namespace_is_told", other_namespace),
    ("names::a_pod_that_asks_the_name_server_of_its_node_is_told", node_policy),
    ("names::a_pod_on_the_network_of_its_node_is_told_how_to_find_names", host_network),
];

/// A slice by hand that gives shard 3 one more address.
fn second_record(family: &str, address: &str) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "by-hand", "labels": {"kubernetes.io/service-name": "ring"}},
        "addressType": family,
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [address], "hostname": "ring-3", "conditions": {"ready": true}}],
    })
}

/// Whether a shard's short name resolved there, by what it says of itself in the report.
fn short_names(report: &Value, shard: usize) -> &Value {
    &report["shards"][shard]["resolver"]["shortNames"]
}

/// As the ring of the lab, with another way to look names up.
fn ring_with<'a>(lab: &'a Lab, purpose: &str, dns: &str) -> Ring<'a> {
    lab.ring_with(purpose, |manifest| {
        let at = "      enableServiceLinks: false\n";
        assert!(manifest.contains(at), "{manifest}");
        *manifest = manifest.replace(at, &format!("{at}      {dns}\n"));
    })
}

fn second_address(lab: &Lab) {
    let ring = lab.ring("second");
    let other = ring.shard(5).ip;
    let own = ring.shard(3).ip;
    for (family, address, whose, remedy) in [
        ("IPv4", other.as_str(), "of ring-5, ", "A part of all connections goes astray"),
        ("IPv6", "fd00::99", "", "Clients that prefer IPv6 go astray"),
    ] {
        ring.apply(&second_record(family, address));
        let report = finds(&ring, &[], family, &["error name-single pod/ring-3"]);
        let said = format!(
            "its name leads to {own}, the pod's own, and to {address} ({whose}EndpointSlice by-hand, kept by nobody), which is \
             not"
        );
        assert!(evidence(&report).starts_with(&said), "{report:#}");
        let told = report["findings"][0]["remedy"].as_str().unwrap_or_default();
        assert!(told.starts_with(remedy), "{report:#}");
        ring.kubectl(&["delete", "endpointslice/by-hand"]);
        finds(&ring, &[], "mended", &[]);
    }
}

/// The configuration of the cluster's DNS as a test changes it, until the value goes.
struct Corefile<'a> {
    lab: &'a Lab,
    before: Value,
}

impl<'a> Corefile<'a> {
    /// Puts these lines before those that know the names of the cluster.
    #[track_caller]
    fn with(lab: &'a Lab, lines: &str) -> Self {
        let map = lab.get(&["configmap/coredns", "-n", "kube-system"]);
        let before = json!({"data": map["data"]});
        let text = map["data"]["Corefile"].as_str().expect("a Corefile");
        let corefile = Self { lab, before };
        corefile.set(&json!({"data": {"Corefile": text.replace("kubernetes cluster.local", &format!("{lines}kubernetes cluster.local"))}}));
        corefile
    }

    fn set(&self, change: &Value) {
        let patch = change.to_string();
        let args = ["patch", "configmap/coredns", "-n", "kube-system", "-p", &patch];
        self.lab.kubectl_with_input(&args, "");
        // A kubelet takes a minute to bring it to those that run.
        let restart = ["rollout", "restart", "deployment/coredns", "-n", "kube-system"];
        self.lab.kubectl_with_input(&restart, "");
        let done = ["rollout", "status", "deployment/coredns", "-n", "kube-system", "--timeout", "2m"];
        self.lab.kubectl_with_input(&done, "");
    }
}

impl Drop for Corefile<'_> {
    fn drop(&mut self) {
        self.set(&self.before);
    }
}

fn added_by_dns(lab: &Lab) {
    let ring = lab.ring("added");
    let name = ring.address("ring-3").replace('.', r"\.");
    let corefile = Corefile::with(
        lab,
        &format!(
            "template IN AAAA {}.svc.cluster.local {{\n            match \"^{name}\\.$\"\n            answer \"{{{{ .Name }}}} 1 IN \
             AAAA fd00::99\"\n            fallthrough\n        }}\n        ",
            ring.namespace
        ),
    );
    let report = finds(&ring, &[], "an address of another family", &["error name-single pod/ring-3"]);
    let said = "and to fd00::99, which is not";
    assert!(evidence(&report).contains(said), "{report:#}");
    drop(corefile);
    finds(&ring, &[], "mended", &[]);
}

fn no_search(lab: &Lab) {
    let well = lab.standing_ring();
    let report = finds(&well, &[], "all is well", &[]);
    assert_eq!(report["clusterDomainFrom"], "search");
    assert!((0..6).all(|shard| *short_names(&report, shard) == json!(true)), "{report:#}");
    let dns = "dnsPolicy: None\n      dnsConfig: {nameservers: [10.96.0.10]}";
    let ring = ring_with(lab, "unsearched", dns);
    let report = finds(&ring, &[], "nothing is searched", &["warning name-short pod/ring-{0..5}"]);
    // The name of the API server's address tells the domain.
    assert_eq!(
        (&report["clusterDomain"], &report["clusterDomainFrom"]),
        (&json!("cluster.local"), &json!("reverse"))
    );
    assert!(evidence(&report).contains("asks 10.96.0.10 and searches nothing"), "{report:#}");
    assert_eq!(*short_names(&report, 0), json!(false), "{report:#}");
    assert_eq!(report["counts"]["answered"], 36);
}

fn other_namespace(lab: &Lab) {
    // There is a service of the same name.
    let other = lab.standing_ring();
    let dns = format!(
        "dnsPolicy: None\n      dnsConfig: {{nameservers: [10.96.0.10], searches: [{}.svc.cluster.local], options: [{{name: \
         ndots, value: \"5\"}}]}}",
        other.namespace
    );
    let ring = ring_with(lab, "astray", &dns);
    let report = finds(&ring, &[], "the names of another namespace", &["warning name-short pod/ring-{0..5}"]);
    assert!(evidence(&report).contains("leads elsewhere than the full one"), "{report:#}");
}

/// On the network of its node a pod asks the node's name server too, unless it says that it does not want to.
fn host_network(lab: &Lab) {
    let ring = lab.applied("on-the-node", |manifest| {
        let at = "      enableServiceLinks: false\n";
        // A port of a node is there once.
        *manifest = manifest
            .replace(at, &format!("{at}      hostNetwork: true\n"))
            .replace("replicas: 6", "replicas: 3")
            .replace("minAvailable: 6", "minAvailable: 3");
    });
    let is_whole = || {
        let ready = ring.shards().iter().filter(|shard| shard.is_ready).count();
        if ready == 3 { Ok(()) } else { Err(format!("{ready} of 3 are ready")) }
    };
    eventually(is_whole);
    let report = finds(&ring, &[], "on the node's network", &["error name-resolves pod/ring-{0..2}"]);
    let remedy = report["findings"][0]["remedy"].as_str().unwrap_or_default();
    assert!(remedy.starts_with("Set dnsPolicy of the template to ClusterFirstWithHostNet"), "{report:#}");
    let right = r#"{"spec":{"template":{"spec":{"dnsPolicy":"ClusterFirstWithHostNet"}}}}"#;
    ring.kubectl(&["patch", "statefulset/ring", "-p", right]);
    ring.kubectl(&["delete", "pods", "-l", "app=ring"]);
    eventually(is_whole);
    finds(&ring, &[], "mended", &[]);
}

fn node_policy(lab: &Lab) {
    let ring = ring_with(lab, "of-the-node", "dnsPolicy: Default");
    let report = finds(&ring, &[], "dnsPolicy Default", &["error name-resolves pod/ring-{0..5}"]);
    assert_eq!(report["clusterDomainFrom"], "assumed");
    assert!(
        evidence(&report).contains("ring-{0..5} resolve no name: /etc/resolv.conf there asks"),
        "{report:#}"
    );
    let remedy = report["findings"][0]["remedy"].as_str().unwrap_or_default();
    assert!(remedy.starts_with("Set dnsPolicy of the template to ClusterFirst: under Default"), "{report:#}");
}
