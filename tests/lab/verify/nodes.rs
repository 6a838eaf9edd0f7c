//! What can be wrong with the machines, and who else is on them.

use super::{Case, each_is_found_and_mended};
use crate::Test;
use crate::lab::{Lab, Service};

pub const TESTS: &[Test] = &[
    ("verify::nodes::faults_of_a_node_are_found", faults),
    ("verify::nodes::neighbours_are_found", neighbours),
    ("verify::nodes::a_node_that_leaves_is_found", leaving),
];

/// Runs kubectl with the node of shard 0 after the verb.
fn on_node(service: &Service<'_>, verb: &str, rest: &str) {
    // Not every verb takes node/NAME.
    let node = service.node_of(0).replace('/', " ");
    service.k(&format!("{verb} {node} {rest}"));
}

/// Overwrites a condition, which has its place in the list.
fn set_pressure(service: &Service<'_>, status: &str) {
    let node = service.node_of(0);
    let conditions = service.get(&node)["status"]["conditions"].clone();
    let place = conditions.as_array().into_iter().flatten().position(|one| one["type"] == "MemoryPressure");
    let operation = match place {
        Some(place) => format!(r#""replace","path":"/status/conditions/{place}""#),
        None => r#""add","path":"/status/conditions/-""#.to_owned(),
    };
    service.patch_status(
        &node,
        &format!(
            r#"[{{"op":{operation},"value":{{"type":"MemoryPressure","status":"{status}","reason":"Test","message":"test",
                "lastHeartbeatTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:00:00Z"}}}}]"#
        ),
    );
}

fn set_cpu(service: &Service<'_>, cpu: &str) {
    service
        .patch_status(&service.node_of(0), &format!(r#"{{"status":{{"allocatable":{{"cpu":"{cpu}"}}}}}}"#));
}

#[rustfmt::skip]
const FAULTS: &[Case] = &[
    ("cordoned", |s| { s.k(&format!("cordon {}", s.node_of(0))); }, &["node-cordoned"],
        |s| { s.k(&format!("uncordon {}", s.node_of(0))); }),
    ("a new taint", |s| on_node(s, "taint", "team=a:NoSchedule"), &["shard-node-fits"],
        |s| on_node(s, "taint", "team=a:NoSchedule-")),
    ("memory pressure", |s| set_pressure(s, "True"), &["node-pressure"], |s| set_pressure(s, "False")),
    ("less room than the pods request", |s| set_cpu(s, "8"), &["node-overcommitted"], |s| set_cpu(s, "15740m")),
    ("spot", |s| on_node(s, "label", "kubernetes.azure.com/scalesetpriority=spot"), &["shard-on-spot"],
        |s| on_node(s, "label", "kubernetes.azure.com/scalesetpriority-")),
    ("not ready", |s| on_node(s, "annotate", "lab.shardctl.dev/not-ready=test"), &["node-ready"],
        |s| on_node(s, "annotate", "lab.shardctl.dev/not-ready-")),
];

fn faults(lab: &Lab) {
    each_is_found_and_mended(lab, "node", FAULTS);
}

/// A pod in the pool of the shards.
fn guest(service: &Service<'_>, name: &str, cpu: &str) {
    service.apply(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: NAME}},
           spec: {{nodeSelector: {{karpenter.sh/nodepool: NAME-stable}}, tolerations: [{{operator: Exists}}],
             containers: [{{name: main, image: registry.example/guest:1.0.0, resources: {{requests: {{cpu: {cpu}}}}}}}]}}}}"
    ));
    service.k(&format!("wait --for=condition=Ready pod/{name} --timeout=60s"));
}

#[rustfmt::skip]
const NEIGHBOURS: &[Case] = &[
    ("a pod", |s| guest(s, "guest", "1"), &["node-shared"], |s| { s.k("delete pod/guest"); }),
    ("a daemon is no guest", |s| s.apply(DAEMON), &[], |s| { s.k("delete daemonset/daemon"); }),
    ("a shard of another set", |s| s.apply(OTHER_SET), &["node-shared-stateful"],
        |s| { s.k("delete statefulset/other"); }),
    ("an empty node", |s| {
        // Too large for the node of the shards: it gets one of its own, which stays.
        guest(s, "guest", "14");
        s.k("delete pod/guest");
    }, &["node-empty"], |s| {
        let nodes = s.k("get nodes -l karpenter.sh/nodepool=NAME-stable -o name");
        let shards = s.node_of(0);
        let empty = nodes.lines().find(|node| **node != shards).expect("a second node");
        let claims = s.k("get nodeclaims -o jsonpath={range.items[*]}{.metadata.name}={.status.nodeName}{\"\\n\"}{end}");
        let name = empty.trim_start_matches("node/");
        let claim = claims.lines().find_map(|line| line.strip_suffix(&format!("={name}"))).expect("its claim");
        s.k(&format!("delete nodeclaim/{claim}"));
    }),
];

const DAEMON: &str = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: daemon, namespace: NAME},
  spec: {selector: {matchLabels: {app: daemon}}, template: {metadata: {labels: {app: daemon}},
    spec: {nodeSelector: {karpenter.sh/nodepool: NAME-stable}, tolerations: [{operator: Exists}],
      containers: [{name: main, image: registry.example/daemon:1.0.0}]}}}}";

const OTHER_SET: &str = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: other, namespace: NAME},
  spec: {selector: {matchLabels: {app: other}}, template: {metadata: {labels: {app: other}},
    spec: {nodeSelector: {karpenter.sh/nodepool: NAME-stable}, tolerations: [{operator: Exists}],
      containers: [{name: main, image: registry.example/other:1.0.0}]}}}}";

fn neighbours(lab: &Lab) {
    each_is_found_and_mended(lab, "guests", NEIGHBOURS);
}

fn leaving(lab: &Lab) {
    let service = lab.service("leaving");
    service.deploy("stable");
    service.expect("a healthy service", &[]);
    // Karpenter's finalizer holds it, and do-not-disrupt keeps its drain from ending.
    on_node(&service, "delete", "--wait=false");
    service.expect("a node asked to go", &["node-leaving"]);
}
