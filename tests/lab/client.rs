//! How shardctl talks to the API server: its log, whom it is, how much it asks, and what it does without some rights.

use std::collections::BTreeMap;

use crate::Test;
use crate::lab::{Lab, eventually};
use crate::support::Shardctl;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("client::each_request_is_logged_with_its_time", log),
    ("client::impersonation_is_told_by_the_server", impersonation),
    ("client::requests_grow_with_shards_not_with_the_cluster", proportional),
    ("client::a_token_that_is_not_accepted_says_so", unauthorized),
    ("client::what_may_not_be_read_leaves_a_partial_answer", partial),
];

fn log(lab: &Lab) {
    let quiet = lab.shardctl.run(["version"]).ended(0).said("Server Version: v1.");
    assert_eq!(quiet.stderr, "");
    let loud = lab.shardctl.run(["version", "-v", "6"]).ended(0);
    let lines: Vec<&str> = loud.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("GET /version 200 OK in ") && lines[0].ends_with(" milliseconds"),
        "{lines:?}"
    );
    let failed = lab.shardctl.run(["status", "nobody", "-n", "default", "-v", "6"]).ended(1);
    failed.complained("GET /apis/apps/v1/namespaces/default/statefulsets/nobody 404 Not Found in ");
}

fn impersonation(lab: &Lab) {
    let who = |args: &[&str]| {
        let run = lab.shardctl.run(["status", "x", "-n", "default"].iter().chain(args)).ended(1);
        run.complained("hint: ").stderr
    };
    let said = who(&["--as", "jane"]);
    assert!(said.contains("User \"jane\" cannot get resource \"statefulsets\""), "{said}");
    // A group that may do everything.
    let said = who(&["--as", "jane", "--as-group", "ops", "--as-group", "system:masters"]);
    assert!(said.contains("there is no statefulset/x in namespace default"), "{said}");
}

/// How often `packing` asks for what, without the names.
fn requests(shardctl: &Shardctl, name: &str) -> BTreeMap<String, usize> {
    let run = shardctl.run(["packing", name, "-n", name, "-v", "6"]).ended(0);
    let mut requests = BTreeMap::new();
    for line in run.stderr.lines().filter(|line| line.starts_with("GET ")) {
        let path = line.split([' ', '?']).nth(1).unwrap_or_default();
        *requests.entry(path.to_owned()).or_default() += 1;
    }
    assert!(!requests.is_empty(), "{}", run.stderr);
    requests
}

fn proportional(lab: &Lab) {
    let service = lab.service("packing");
    service.deploy("explore");
    let alone = requests(&lab.shardctl, &service.name);
    let others: String = (0..50)
        .map(|number| {
            format!(
                "apiVersion: v1\nkind: Node\nmetadata: {{name: crowd-{number}}}\n\
                 spec: {{taints: [{{key: crowd, effect: NoSchedule}}]}}\n---\n\
                 apiVersion: v1\nkind: Pod\nmetadata: {{name: crowd-{number}, namespace: default}}\n\
                 spec: {{nodeName: crowd-{number}, containers: [{{name: c, image: 'c:1'}}]}}\n---\n"
            )
        })
        .collect();
    lab.apply(&others);
    let crowded = requests(&lab.shardctl, &service.name);
    lab.kubectl_with_input(&["delete", "--wait=false", "-f", "-"], &others);
    assert_eq!(alone, crowded);
}

fn unauthorized(lab: &Lab) {
    let server =
        lab.kubectl(&["config", "view", "--raw", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}"]);
    let service = lab.service("token");
    let kubeconfig = service.file.with_extension("kubeconfig");
    let content = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         clusters: [{{name: c, cluster: {{server: '{server}', insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: c, user: {{token: expired}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: c}}}}]\n"
    );
    std::fs::write(&kubeconfig, &content).expect("a file");
    let shardctl = Shardctl { kubeconfig: Some(kubeconfig.clone()), ..lab.shardctl.clone() };
    for command in [
        &["status", "x"][..],
        &["verify", "x"],
        &["packing", "x"],
        &["init", "--from", "x"],
        &["delete", "-f", service.path(), "--yes"],
        &["deploy", "-f", service.path(), "--phase", "explore", "--yes"],
    ] {
        let run = shardctl.run(command).ended(1);
        run.complained("Unauthorized").complained("hint: the credentials of this context are not accepted");
    }
    // A certificate that nobody vouches for is told as such.
    std::fs::write(&kubeconfig, content.replace(", insecure-skip-tls-verify: true", "")).expect("a file");
    shardctl.run(["status", "x"]).ended(1).complained("certificate").complained(&server);
}

fn partial(lab: &Lab) {
    let service = lab.service("partial");
    let name = &service.name;
    service.deploy("explore");
    lab.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: viewer, namespace: {name}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}}\n\
         subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {name}}}]\n"
    ));
    eventually(|| {
        let run = lab.kubectl_with_input(&["auth", "can-i", "list", "pods", "-n", name, "--as", name], "");
        if run.stdout.trim() == "yes" { Ok(()) } else { Err(format!("{run:?}")) }
    });
    service.shardctl(&["status", name, "--as", name]).ended(0).said("3");
    // Nodes and pools are beyond this user: what can be told is told, and the exit code says that it is not all.
    let packing = service.shardctl(&["packing", name, "--as", name]).ended(1);
    assert!((packing.stdout.clone() + &packing.stderr).contains("nodes"), "{packing:?}");
    let verify = service.shardctl(&["verify", name, "--as", name]);
    assert!([1, 5].contains(&verify.code), "{verify:?}");
    assert!(verify.stdout.contains("forbidden"), "{}", verify.stdout);
}
