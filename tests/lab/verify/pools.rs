//! What can be wrong with node pools, and who else writes them.

use super::{Case, each_is_found_and_mended};
use crate::Test;
use crate::lab::{Lab, Service};

pub const TESTS: &[Test] = &[
    ("verify::pools::faults_of_a_pool_are_found", faults),
    ("verify::pools::a_second_pool_is_found", second),
    ("verify::pools::a_pool_that_goes_and_another_writer_are_found", last),
];

fn patch_pool(service: &Service<'_>, patch: &str) {
    service.patch("nodepool/NAME-stable", patch);
}

fn set_limits(service: &Service<'_>, limits: &str) {
    patch_pool(service, &format!(r#"{{"spec":{{"limits":{limits}}}}}"#));
}

/// Sets the value of a requirement; 0 is the instance type, 1 the capacity type.
fn require(service: &Service<'_>, place: usize, values: &str) {
    patch_pool(
        service,
        &format!(
            r#"[{{"op":"replace","path":"/spec/template/spec/requirements/{place}/values","value":{values}}}]"#
        ),
    );
}

const LIMITS: &str = r#"{"cpu":"80","memory":"640Gi"}"#;

#[rustfmt::skip]
const FAULTS: &[Case] = &[
    // Three shards are one machine of 16 cores, and one more is another 16.
    ("limits below one machine", |s| set_limits(s, r#"{"cpu":"15"}"#), &["node-pool-limits"], |s| set_limits(s, LIMITS)),
    ("limits below two machines", |s| set_limits(s, r#"{"cpu":"31"}"#), &["node-pool-surge"], |s| set_limits(s, LIMITS)),
    ("limits of two machines", |s| set_limits(s, r#"{"cpu":"32"}"#), &[], |s| set_limits(s, LIMITS)),
    ("memory for one machine", |s| set_limits(s, r#"{"memory":"200Gi"}"#), &["node-pool-surge"], |s| set_limits(s, LIMITS)),
    ("one node", |s| set_limits(s, r#"{"nodes":"1"}"#), &["node-pool-surge"], |s| set_limits(s, r#"{"nodes":null}"#)),
    ("saves money",
        |s| patch_pool(s, r#"{"spec":{"disruption":{"consolidationPolicy":"WhenEmptyOrUnderutilized","consolidateAfter":"1h"}}}"#),
        &["node-pool-consolidation"],
        |s| patch_pool(s, r#"{"spec":{"disruption":{"consolidationPolicy":"WhenEmpty","consolidateAfter":"Never"}}}"#)),
    ("empty nodes go", |s| patch_pool(s, r#"{"spec":{"disruption":{"consolidateAfter":"5m"}}}"#), &[],
        |s| patch_pool(s, r#"{"spec":{"disruption":{"consolidateAfter":"Never"}}}"#)),
    ("no budgets", |s| patch_pool(s, r#"{"spec":{"disruption":{"budgets":null}}}"#), &["node-pool-budget"],
        |s| patch_pool(s, r#"{"spec":{"disruption":{"budgets":[{"nodes":"0"}]}}}"#)),
    ("a budget at times",
        |s| patch_pool(s, r#"{"spec":{"disruption":{"budgets":[{"nodes":"0","schedule":"@daily","duration":"10h"}]}}}"#),
        &["node-pool-budget"],
        |s| patch_pool(s, r#"{"spec":{"disruption":{"budgets":[{"nodes":"0"}]}}}"#)),
    ("nodes expire", |s| patch_pool(s, r#"{"spec":{"template":{"spec":{"expireAfter":"720h"}}}}"#), &["node-pool-expiry"],
        |s| patch_pool(s, r#"{"spec":{"template":{"spec":{"expireAfter":"Never"}}}}"#)),
    ("two instance types", |s| require(s, 0, r#"["Standard_E16s_v5","Standard_E16as_v5"]"#), &["node-pool-pinned"],
        |s| require(s, 0, r#"["Standard_E16s_v5"]"#)),
    ("spot allowed", |s| require(s, 1, r#"["on-demand","spot"]"#), &["node-pool-spot"],
        |s| require(s, 1, r#"["on-demand"]"#)),
    ("no taint", |s| patch_pool(s, r#"{"spec":{"template":{"spec":{"taints":null}}}}"#), &["node-pool-tainted"],
        |s| patch_pool(s, r#"{"spec":{"template":{"spec":{"taints":[{"key":"NAME","value":"reserved","effect":"NoSchedule"}]}}}}"#)),
    ("no node class", |s| patch_pool(s, r#"{"spec":{"template":{"spec":{"nodeClassRef":{"name":"nowhere"}}}}}"#),
        &["node-class-ready", "node-pool-ready"],
        |s| patch_pool(s, r#"{"spec":{"template":{"spec":{"nodeClassRef":{"name":"default"}}}}}"#)),
];

fn faults(lab: &Lab) {
    each_is_found_and_mended(lab, "pool", FAULTS);
}

/// Makes a pool like the stable one, and lets new pods go to `pools`.
fn second_pool(service: &Service<'_>, pools: &str) {
    let mut pool = service.get(&format!("nodepool/{}-stable", service.name));
    pool["metadata"] = serde_json::json!({"name": format!("{}-second", service.name)});
    pool.as_object_mut().expect("an object").remove("status");
    service.lab.apply(&pool.to_string());
    service.patch(
        "statefulset/NAME",
        &format!(
            r#"[{{"op":"replace","path":"/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/0/values","value":{pools}}}]"#
        ),
    );
}

fn one_pool(service: &Service<'_>) {
    service.k("delete nodepool/NAME-second");
    service.undo();
}

#[rustfmt::skip]
const SECOND: &[Case] = &[
    ("new pods fit two pools", |s| second_pool(s, r#"["NAME-stable","NAME-second"]"#),
        &["node-pool-ambiguous", "shard-armed"], one_pool),
    ("new pods go to the other pool", |s| second_pool(s, r#"["NAME-second"]"#),
        &["shard-node-pool", "shard-armed"], one_pool),
];

fn second(lab: &Lab) {
    each_is_found_and_mended(lab, "second", SECOND);
}

fn last(lab: &Lab) {
    let service = lab.service("writer");
    service.deploy("stable");
    service.expect("a healthy service", &[]);
    let set = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: NAME, namespace: NAME}, spec: {replicas: 3}}";
    let argocd = ["apply", "--server-side", "--force-conflicts", "--field-manager=argocd", "-f", "-"];
    service.lab.kubectl_with(&argocd, &set.replace("NAME", &service.name));
    let report = service.expect("another writer", &["field-managers"]);
    assert!(
        report["findings"][0]["evidence"].as_str().is_some_and(|text| text.contains("argocd")),
        "{report:#}"
    );
    service.delete_held("nodepool/NAME-stable");
    service.expect("a pool asked to go", &["field-managers", "node-pool-deleting"]);
    service.let_go("nodepool/NAME-stable");
}
