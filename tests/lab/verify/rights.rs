//! What verify says to a user who may not read everything.

use serde_json::Value;

use crate::Test;
use crate::breaking::{findings, texts};
use crate::lab::{Lab, Service};

pub const TESTS: &[Test] = &[
    ("verify::rights::what_may_not_be_read_is_told_and_nothing_else_changes", partial),
    ("verify::rights::a_user_who_may_not_see_the_workload_is_told_so", none),
];

/// The namespace's own objects but no claims, and the right to reach pods; of the cluster, nothing.
const ROLE: &str = "
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: looker, namespace: NAME}, rules: [
  {apiGroups: ['', apps, policy, discovery.k8s.io, autoscaling.k8s.io], verbs: [get, list, watch],
   resources: [pods, services, statefulsets, poddisruptionbudgets, endpointslices, verticalpodautoscalers]},
  {apiGroups: [''], verbs: [create, get], resources: [RESOURCE]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: looker, namespace: NAME},
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: looker},
  subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: NAME-looker}]}
";

/// The report as the looker gets it, and how the command ended.
fn looked(service: &Service<'_>, args: &[&str]) -> (Value, i32) {
    let user = format!("{}-looker", service.name);
    let run = service.shardctl(&[&["verify", "-o", "json", "--as", &user], args].concat());
    let report = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    (report, run.code)
}

fn partial(lab: &Lab) {
    let service = lab.service("rights");
    service.deploy("stable");
    service.expect("a healthy service", &[]);
    service.apply(&ROLE.replace("RESOURCE", "pods/portforward"));
    let (report, code) = looked(&service, &[]);
    let all = service.verified(&[]);
    assert_eq!(code, 1, "nobody knows whether it is healthy: {report:#}");
    assert!(findings(&report).is_empty(), "{report:#}");
    // Of the rest, all is as the administrator sees it.
    let blind = texts(&report["couldNotRun"], "check");
    let expected = [
        "claim-exists",
        "volume-reclaim-policy",
        "storage-class-exists",
        "shard-node-pool",
        "node-ready",
        "node-pool-ready",
        "node-pool-limits",
        "node-class-ready",
        "field-managers",
        "shard-do-not-disrupt",
    ];
    for check in expected {
        assert!(blind.contains(check), "{check} could run: {report:#}");
    }
    let passed = |report: &Value| report["passed"].as_array().expect("a list").clone();
    for check in passed(&all) {
        let is_blind = blind.contains(check.as_str().expect("text"));
        assert!(passed(&report).contains(&check) != is_blind, "{check}: {report:#}");
    }
    for one in report["couldNotRun"].as_array().expect("a list") {
        assert_eq!(one["isForbidden"], true, "{one:#}");
        assert!(one["asked"].as_str().is_some_and(|text| !text.is_empty()), "{one:#}");
    }
    // What can be known is known, and what is found weighs more.
    let (report, code) = looked(&service, &["--only", "shards", "--skip", "shard-do-not-disrupt"]);
    assert_eq!((code, &report["couldNotRun"]), (0, &Value::Array(Vec::new())), "{report:#}");
    service.k("delete pdb/NAME");
    let (report, code) = looked(&service, &[]);
    assert_eq!((code, findings(&report)), (5, ["pdb-exists"].into()), "{report:#}");
    let user = format!("{}-looker", service.name);
    let table = service.shardctl(&["verify", "--as", &user]).ended(5);
    table.said("checks could not run").said("Ask for the right to read it");
    // A shard that we may not ask is not a shard that does not answer.
    service.apply(&ROLE.replace("RESOURCE", "pods/attach"));
    let (report, code) = looked(&service, &["--only", "shard-health"]);
    assert_eq!((code, findings(&report)), (1, [].into()), "{report:#}");
    let refused = &report["couldNotRun"][0];
    assert_eq!(
        (&refused["check"], &refused["isForbidden"]),
        (&"shard-health".into(), &true.into()),
        "{report:#}"
    );
    service.shardctl(&["status", "--as", &user]).ended(0).said("is whole");
}

fn none(lab: &Lab) {
    let service = lab.service("stranger");
    service.deploy("stable");
    let name = &service.name;
    let run = service.shardctl(&["verify", name, "--as", "nobody"]).ended(1);
    run.complained(&format!("get statefulset/{name} in namespace {name}")).complained("forbidden");
}
