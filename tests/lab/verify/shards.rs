//! What can be wrong with shards.

use super::{Case, each_is_found_and_mended};
use crate::Test;
use crate::lab::{Lab, Service};

pub const TESTS: &[Test] = &[
    ("verify::shards::faults_of_a_live_pod_are_found", live),
    ("verify::shards::faults_of_a_new_pod_are_found", new),
    ("verify::shards::pods_too_few_and_too_many_are_found", count),
];

/// Sets an annotation of the lab on shard 1.
fn annotate(service: &Service<'_>, annotation: &str) {
    service.k(&format!("annotate pod/NAME-1 lab.shardctl.dev/{annotation}"));
}

/// Makes shard 1 anew.
fn restart(service: &Service<'_>) {
    service.k("delete pod/NAME-1");
}

#[rustfmt::skip]
const LIVE: &[Case] = &[
    ("not ready", |s| annotate(s, "fail=never-ready"), &["shard-ready"], |s| annotate(s, "fail-")),
    ("answers 503", |s| annotate(s, "health=503"), &["shard-health"], |s| annotate(s, "health-")),
    ("hangs", |s| annotate(s, "health=hang"), &["shard-health"], |s| annotate(s, "health-")),
    ("another digest",
        |s| annotate(s, "image-digest=sha256:1111111111111111111111111111111111111111111111111111111111111111"),
        &["shard-image-mix"], restart),
    ("disruptable", |s| { s.k("annotate pod/NAME-1 karpenter.sh/do-not-disrupt-"); }, &["shard-do-not-disrupt"],
        |s| { s.k("annotate pod/NAME-1 karpenter.sh/do-not-disrupt=true"); }),
    ("protected for a while", |s| { s.k("annotate pod/NAME-1 karpenter.sh/do-not-disrupt=4h --overwrite"); },
        &["shard-do-not-disrupt"],
        |s| { s.k("annotate pod/NAME-1 karpenter.sh/do-not-disrupt=true --overwrite"); }),
    ("asked to end", |s| s.delete_held("pod/NAME-1"), &["shard-terminating"], |s| s.let_go("pod/NAME-1")),
    ("crash loop", |s| annotate(s, "fail=CrashLoopBackOff"), &["shard-ready", "shard-restarts"], restart),
    ("restarted", |s| patch_restart(s, "Error"), &["shard-restarts"], restart),
    ("out of memory", |s| patch_restart(s, "OOMKilled"), &["shard-out-of-memory"], restart),
    // The StatefulSet lets a pod go that its selector no longer chooses, and cannot make another of its name.
    ("a label taken away", |s| { s.k("label pod/NAME-1 app.kubernetes.io/component-"); },
        &["shard-exists", "node-shared"],
        |s| { s.k("label pod/NAME-1 app.kubernetes.io/component=shard"); }),
];

/// Writes what a kubelet writes of a container that ended once and runs again.
fn patch_restart(service: &Service<'_>, reason: &str) {
    service.patch_status(
        "pod/NAME-1",
        &format!(
            r#"[{{"op":"replace","path":"/status/containerStatuses/0/restartCount","value":1}},
                {{"op":"add","path":"/status/containerStatuses/0/lastState",
                  "value":{{"terminated":{{"reason":"{reason}","exitCode":137}}}}}}]"#
        ),
    );
}

fn live(lab: &Lab) {
    each_is_found_and_mended(lab, "live", LIVE);
}

/// Changes the template and makes shard 1 from it. The other shards are armed, and the revisions mixed.
fn restart_with(service: &Service<'_>, patch: &str) {
    service.patch("statefulset/NAME", patch);
    restart(service);
}

/// Takes the template back to what it was, and makes shard 1 from that.
fn restart_as_deployed(service: &Service<'_>) {
    service.undo();
    restart(service);
}

#[rustfmt::skip]
const NEW: &[Case] = &[
    ("no image", |s| restart_with(s, r#"{"spec":{"template":{"metadata":{"annotations":
        {"lab.shardctl.dev/fail":"ImagePullBackOff"}}}}}"#),
        &["shard-ready", "shard-armed", "shard-revision-mix"], restart_as_deployed),
    ("no grace", |s| restart_with(s, r#"[
        {"op":"remove","path":"/spec/template/spec/containers/0/lifecycle"},
        {"op":"replace","path":"/spec/template/spec/terminationGracePeriodSeconds","value":0}]"#),
        &["termination-grace-period", "shard-grace-period", "shard-armed", "shard-revision-mix"],
        restart_as_deployed),
    ("burstable", |s| restart_with(s, r#"[
        {"op":"replace","path":"/spec/template/spec/containers/0/resources/limits/memory","value":"33Gi"}]"#),
        &["template-guaranteed", "shard-guaranteed", "shard-armed", "shard-revision-mix"], restart_as_deployed),
    ("another image", |s| restart_with(s, r#"[
        {"op":"replace","path":"/spec/template/spec/containers/0/image","value":"registry.example/demo:2.0.0"}]"#),
        &["shard-image-mix", "shard-armed", "shard-revision-mix"], restart_as_deployed),
    ("nobody schedules it", |s| restart_with(s, r#"{"spec":{"template":{"spec":{"schedulerName":"nobody"}}}}"#),
        &["shard-ready", "shard-armed", "shard-revision-mix"], restart_as_deployed),
    ("no pool fits", |s| restart_with(s, r#"[{"op":"replace","path":"/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/0/matchExpressions/0/values","value":["nowhere"]}]"#),
        &["shard-ready", "node-pool-exists", "shard-node-fits", "shard-armed", "shard-revision-mix"],
        restart_as_deployed),
];

fn new(lab: &Lab) {
    each_is_found_and_mended(lab, "new", NEW);
}

#[rustfmt::skip]
const COUNT: &[Case] = &[
    ("no room in the quota", |s| {
        s.k("create quota two --hard=pods=2");
        restart(s);
    }, &["shard-exists"], |s| { s.k("delete quota two"); }),
    ("left over", |s| {
        s.patch("pod/NAME-2", r#"{"metadata":{"finalizers":["shardctl.dev/test"]}}"#);
        s.patch("statefulset/NAME", r#"{"spec":{"replicas":2}}"#);
    }, &["shard-leftover"], |s| {
        s.patch("statefulset/NAME", r#"{"spec":{"replicas":3}}"#);
        s.let_go("pod/NAME-2");
    }),
];

fn count(lab: &Lab) {
    each_is_found_and_mended(lab, "count", COUNT);
}
