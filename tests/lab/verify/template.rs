//! What can be wrong with the StatefulSet. Whatever changes its template also arms the shards.

use super::{Case, each_is_found_and_mended};
use crate::Test;
use crate::lab::{Lab, Service};

pub const TESTS: &[Test] = &[("verify::template::faults_of_the_stateful_set_are_found", faults)];

fn undo(service: &Service<'_>) {
    service.undo();
}

fn patch_set(service: &Service<'_>, patch: &str) {
    service.patch("statefulset/NAME", patch);
}

/// Makes the set anew around its pods, with another policy.
fn recreate(service: &Service<'_>, policy: &str) {
    let mut set = service.get(&format!("statefulset/{}", service.name));
    set["spec"]["podManagementPolicy"] = policy.into();
    for member in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"] {
        set["metadata"].as_object_mut().expect("metadata").remove(member);
    }
    set.as_object_mut().expect("an object").remove("status");
    service.k("delete statefulset/NAME --cascade=orphan");
    let manifest = serde_json::to_string(&set).expect("JSON");
    service.lab.kubectl_with(&["create", "--field-manager=shardctl", "-f", "-"], &manifest);
}

#[rustfmt::skip]
const FAULTS: &[Case] = &[
    ("rolling update", |s| patch_set(s, r#"{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}"#),
        &["update-strategy"], |s| patch_set(s, r#"{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}"#)),
    ("ordered", |s| recreate(s, "OrderedReady"), &["pod-management-policy"], |s| recreate(s, "Parallel")),
    ("an image that waits", |s| patch_set(s, r#"[
        {"op":"replace","path":"/spec/template/spec/containers/0/image","value":"registry.example/demo:1.0.1"}]"#),
        &["shard-armed"], undo),
    ("latest", |s| patch_set(s, r#"[
        {"op":"replace","path":"/spec/template/spec/containers/0/image","value":"registry.example/demo:latest"}]"#),
        &["image-pinned", "shard-armed"], undo),
    ("no tag", |s| patch_set(s, r#"[
        {"op":"replace","path":"/spec/template/spec/containers/0/image","value":"registry.example:5000/demo"}]"#),
        &["image-pinned", "shard-armed"], undo),
    ("no grace", |s| patch_set(s, r#"[
        {"op":"remove","path":"/spec/template/spec/containers/0/lifecycle"},
        {"op":"replace","path":"/spec/template/spec/terminationGracePeriodSeconds","value":0}]"#),
        &["termination-grace-period", "shard-armed"], undo),
    ("preStop takes it all", |s| patch_set(s, r#"{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":30}}}}"#),
        &["pre-stop-margin", "shard-armed"], undo),
    ("liveness probe", |s| patch_set(s, r#"[
        {"op":"add","path":"/spec/template/spec/containers/0/livenessProbe",
         "value":{"httpGet":{"path":"/health/liveness","port":8080}}}]"#),
        &["liveness-probe", "shard-armed"], undo),
    ("no readiness probe", |s| patch_set(s, r#"[
        {"op":"remove","path":"/spec/template/spec/containers/0/readinessProbe"}]"#),
        &["readiness-probe", "shard-armed"], undo),
    ("no startup probe", |s| patch_set(s, r#"[
        {"op":"remove","path":"/spec/template/spec/containers/0/startupProbe"}]"#),
        &["startup-probe", "shard-armed"], undo),
    ("no priority", |s| patch_set(s, r#"{"spec":{"template":{"spec":{"priorityClassName":null}}}}"#),
        &["priority-class", "shard-armed"], undo),
    ("limit above request", |s| patch_set(s, r#"[
        {"op":"replace","path":"/spec/template/spec/containers/0/resources/limits/cpu","value":"5"}]"#),
        &["template-guaranteed", "shard-armed"], undo),
    ("disruptable template", |s| patch_set(s, r#"{"spec":{"template":{"metadata":{"annotations":
        {"karpenter.sh/do-not-disrupt":null}}}}}"#), &["shard-do-not-disrupt", "shard-armed"], undo),
    ("another pool", |s| patch_set(s, r#"[
        {"op":"replace","path":"/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/0/values","value":["nowhere"]}]"#),
        &["node-pool-exists", "shard-node-fits", "shard-armed"], undo),
    ("too large a shard", |s| patch_set(s, r#"[
        {"op":"replace","path":"/spec/template/spec/containers/0/resources/requests/memory","value":"120Gi"},
        {"op":"replace","path":"/spec/template/spec/containers/0/resources/limits/memory","value":"120Gi"}]"#),
        &["instance-type-fits", "shard-armed"], undo),
];

fn faults(lab: &Lab) {
    each_is_found_and_mended(lab, "template", FAULTS);
}
