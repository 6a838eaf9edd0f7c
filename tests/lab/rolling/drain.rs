//! `shardctl drain`

use std::collections::BTreeSet;

use super::{Held, down, on_one_node};
use crate::Test;
use crate::fault_proxy::Proxy;
use crate::lab::{Lab, Service, eventually};
use crate::status::Watching;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("drain::shards_and_other_pods_leave_and_the_node_stays_cordoned", everything),
    ("drain::what_kubectl_refuses_is_refused_with_the_flag", refused),
    ("drain::a_budget_is_obeyed_or_relaxed_and_restored", budget),
    ("drain::an_empty_node_is_only_cordoned", empty),
];

/// The pods on a node, without those of DaemonSets.
fn pods_on(service: &Service<'_>, node: &str) -> BTreeSet<String> {
    let pods = service.lab.list(&format!("/api/v1/pods?fieldSelector=spec.nodeName={node}"));
    let names = pods.iter().filter(|pod| pod["metadata"]["ownerReferences"][0]["kind"] != "DaemonSet");
    names.map(|pod| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect()
}

fn cordons(service: &Service<'_>) -> Vec<String> {
    let held = Held::of(service).purpose.into_keys();
    held.filter_map(|name| name.strip_prefix("cordon/").map(str::to_owned)).collect()
}

fn everything(lab: &Lab) {
    let service = on_one_node(lab, "emptied");
    let node = service.companion();
    let before = Held::of(&service);
    let (report, told) = service.roll_watched(&["drain", &node, "--wave-size", "3"]);
    let told = told.ended(0);
    // Nothing is new about the shards, so no first one need prove anything.
    assert_eq!(told.waves(), [[0, 1, 2]]);
    assert_eq!(down(&report), [[0, 1, 2].into()], "{report:#?}");
    assert_eq!(told.all("evicted").len(), 1, "{}", told.run.stdout);
    assert_eq!(pods_on(&service, &node), BTreeSet::new());
    assert_eq!(cordons(&service), [node.as_str()]);
    service.is_whole_on("explore");
    Held::of(&service).nothing_left_since(&before);
    // Again there is nothing to do.
    let proxy = Proxy::start(&lab.shardctl);
    let run = proxy.shardctl.run(["drain", &node, "--yes", "-n", &service.name]).ended(0);
    run.said("is empty and cordoned already; nothing was changed");
    assert!(proxy.writes().is_empty(), "{}", proxy.story());
}

const OTHERS: &str = "
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: daemon, namespace: NAME}
spec:
  selector: {matchLabels: {app: daemon}}
  template:
    metadata: {labels: {app: daemon}}
    spec:
      nodeSelector: {karpenter.sh/nodepool: NAME-explore}
      containers: [{name: main, image: 'registry.example/daemon:1.0.0'}]
---
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: NAME}
spec:
  nodeName: NODE
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: 'registry.example/alone:1.0.0'}]
---
apiVersion: v1
kind: Pod
metadata:
  name: scratch
  namespace: NAME
spec:
  nodeName: NODE
  terminationGracePeriodSeconds: 1
  volumes: [{name: scratch, emptyDir: {}}]
  containers: [{name: main, image: 'registry.example/scratch:1.0.0'}]
";

fn refused(lab: &Lab) {
    let service = on_one_node(lab, "kubectl");
    let node = service.shards().nodes.into_iter().next().expect("a node");
    service.apply(&OTHERS.replace("NODE", &node));
    let path = format!("/api/v1/pods?fieldSelector=spec.nodeName={node}");
    eventually(|| match lab.list(&path).iter().filter(|pod| pod["status"]["phase"] == "Running").count() {
        6 => Ok(()),
        count => Err(format!("{count} pods run")),
    });
    let before = Held::of(&service);
    let proxy = Proxy::start(&lab.shardctl);
    let drain = |flags: &[&str]| {
        let args = service.rolling(&["drain", &node, "--wave-size", "3"]);
        proxy.shardctl.run(args.iter().map(String::as_str).chain(flags.iter().copied()))
    };
    let run = drain(&[]).ended(3);
    let run = run
        .complained("say --ignore-daemonsets")
        .complained("say --force")
        .complained("say --delete-emptydir-data");
    run.complained("nothing was changed").complained(&format!("{}/alone", service.name));
    let run = drain(&["--ignore-daemonsets", "--force"]).ended(3);
    assert!(!run.stderr.contains("--force") && !run.stderr.contains("--ignore-daemonsets"), "{}", run.stderr);
    run.complained("--delete-emptydir-data");
    assert!(proxy.writes().is_empty(), "{}", proxy.story());
    assert_eq!(Held::of(&service), before);
    drain(&["--ignore-daemonsets", "--force", "--delete-emptydir-data"]).ended(0);
    assert_eq!(pods_on(&service, &node), BTreeSet::new());
    assert!(
        lab.list(&path)
            .iter()
            .any(|pod| pod["metadata"]["name"].as_str().unwrap_or_default().starts_with("daemon"))
    );
    service.is_whole_on("explore");
}

fn budget(lab: &Lab) {
    let service = on_one_node(lab, "pdb");
    let node = service.companion();
    service.apply(
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: companion, namespace: NAME},
          spec: {minAvailable: 1, selector: {matchLabels: {app: companion}}}}",
    );
    eventually(|| {
        let budget = service.get("pdb/companion");
        if budget["status"]["currentHealthy"] == 1 { Ok(()) } else { Err(format!("{budget:#}")) }
    });
    let before = Held::of(&service);
    let args = ["drain", node.as_str(), "--wave-size", "3", "--yes", "-o", "json", "--settle", "0s"];
    let run = Watching::start(&service, &args);
    run.prints(r#""type":"evictionRefused""#, 1);
    assert_eq!(run.interrupt(), 4);
    // It stays cordoned until it is aborted.
    assert_eq!(cordons(&service), [node.as_str()]);
    service.rollout(&["status"]).ended(4);
    service.rollout(&["abort", "--yes"]).ended(0);
    let after = Held::of(&service);
    after.nothing_left_since(&before);
    assert_eq!(after.purpose, before.purpose);
    assert!(pods_on(&service, &node).iter().any(|pod| pod.starts_with("companion")));
    let told = service.roll(&["drain", &node, "--relax-pdb"]).ended(0);
    let held = told.all("held").into_iter().filter(|event| {
        event["what"].as_str().is_some_and(|what| what.contains("poddisruptionbudget/companion"))
    });
    assert_eq!(held.count(), 1, "{}", told.run.stdout);
    assert_eq!(pods_on(&service, &node), BTreeSet::new());
    assert_eq!(cordons(&service), [node.as_str()]);
    // The budget is what it was.
    Held::of(&service).nothing_left_since(&before);
}

fn empty(lab: &Lab) {
    let service = on_one_node(lab, "empty");
    let node = service.shards().nodes.into_iter().next().expect("a node");
    service.roll(&["drain", &node, "--wave-size", "3"]).ended(0);
    service.k(&format!("uncordon {node}"));
    let uids = service.pod_uids();
    let told = service.roll(&["drain", &node]).ended(0);
    assert_eq!(told.waves(), Vec::<Vec<u64>>::new());
    assert_eq!(cordons(&service), [node.as_str()]);
    assert_eq!(service.pod_uids(), uids);
    let run = service.shardctl(&["drain", &format!("{}x", &node), "--yes"]).ended(3);
    run.complained("nothing was changed").complained(&format!("did you mean node/{node}?"));
}
