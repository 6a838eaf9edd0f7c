//! `shardctl delete`

use crate::Test;
use crate::lab::{Lab, eventually};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("delete::it_goes_in_the_safe_order_and_keeps_the_data", safe_order),
    ("delete::volumes_go_when_they_are_named", volumes),
    ("delete::a_namespace_with_something_else_in_it_stays", shared_namespace),
    ("delete::a_right_that_is_missing_is_known_before_the_first_object_goes", rights),
];

fn safe_order(lab: &Lab) {
    let service = lab.service("delete");
    let name = &service.name;
    service.deploy("explore");
    let before = service.versions();
    for mode in ["--dry-run", "--dry-run=client", "--dry-run=server"] {
        service.delete_with(&[mode, "--yes"]).ended(0).said(&format!("- statefulset/{name}"));
        assert_eq!(before, service.versions(), "{mode}");
    }
    let run = service.delete_with(&[]).ended(3);
    run.complained("there is nobody to ask; nothing was changed").complained("hint: say --yes");
    assert_eq!(before, service.versions());

    let run = service.delete_with(&["--yes"]).ended(0).complained("3 claims with the data stay");
    let gone: Vec<&str> = run.stdout.lines().filter_map(|line| line.strip_suffix(" deleted")).collect();
    let expected = ["statefulset/", "service/", "service/", "poddisruptionbudget/", "nodepool/"];
    assert_eq!(gone.len(), expected.len(), "{gone:?}");
    for (gone, kind) in gone.iter().zip(expected) {
        assert!(gone.starts_with(kind), "{gone} is not a {kind}: {gone:?}");
    }
    assert!(service.pod_uids().is_empty());
    let claims = service.get("pvc");
    assert_eq!(claims["items"].as_array().map(Vec::len), Some(3));
    assert!(service.exists(&format!("namespace/{name}")));

    service.delete_with(&["--yes"]).ended(0).said(&format!("there is nothing of {name} to delete"));
    // The data is found again by the same file.
    service.deploy("explore").said("is up: 3 of 3 shards");
    let again = service.get("pvc");
    let uids = |claims: &serde_json::Value| -> Vec<serde_json::Value> {
        claims["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|claim| claim["metadata"]["uid"].clone())
            .collect()
    };
    assert_eq!(uids(&claims), uids(&again));
}

fn volumes(lab: &Lab) {
    let service = lab.service("volumes");
    let name = &service.name;
    service.deploy("explore");
    let before = service.versions();
    service
        .delete_with(&["--yes", "--delete-volumes", "other"])
        .ended(2)
        .complained(&format!("say --delete-volumes {name}"));
    assert_eq!(before, service.versions());
    // Claims belong to a service by their names; one that only looks alike does not.
    service.kubectl(&["label", "pvc", "--all", "app.kubernetes.io/name=other", "--overwrite"]);
    let claim = format!("{name}-data-{name}-0");
    service.kubectl(&["label", "pvc", &claim, "app.kubernetes.io/component-"]);
    lab.apply(&format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}-data-{name}-old, namespace: {name}}}\n\
         spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}\n"
    ));
    let run = service.delete_with(&["--yes", "--delete-volumes", name]).ended(0);
    let run = run.said(&format!("persistentvolumeclaim/{claim} deleted"));
    let run = run.complained("3 persistent volumes with the data kept by reclaim policy Retain");
    let stays = format!("namespace/{name} stays: it holds persistentvolumeclaim/{name}-data-{name}-old");
    run.complained(&stays);
    let left = eventually(|| {
        let claims = service.kubectl(&["get", "pvc", "-o", "name"]);
        if claims.lines().count() == 1 { Ok(claims) } else { Err(claims) }
    });
    assert_eq!(left.trim(), format!("persistentvolumeclaim/{name}-data-{name}-old"));
}

fn shared_namespace(lab: &Lab) {
    let service = lab.service("shared");
    let name = &service.name;
    service.deploy_with(&["--phase", "explore", "--yes", "--no-wait"]).ended(0);
    lab.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: tool, namespace: {name}}}\n\
         spec: {{nodeName: nowhere, containers: [{{name: c, image: 'c:1'}}]}}\n"
    ));
    service
        .delete_with(&["--yes", "--delete-volumes", name])
        .ended(0)
        .complained(&format!("namespace/{name} stays: it holds pod/tool"));
    assert!(service.exists("pod/tool"));
    service.kubectl(&["delete", "pod", "tool", "--force", "--grace-period=0"]);
    service
        .delete_with(&["--yes", "--delete-volumes", name])
        .ended(0)
        .said(&format!("namespace/{name} deleted"));
}

fn rights(lab: &Lab) {
    let service = lab.service("delete-rights");
    let name = &service.name;
    service.deploy_with(&["--phase", "explore", "--yes", "--no-wait"]).ended(0);
    lab.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\nrules:\n\
         - {{apiGroups: ['*'], resources: ['*'], verbs: [get, list, watch]}}\n\
         - {{apiGroups: [apps], resources: [statefulsets], verbs: [delete]}}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {name}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {name}}}\n\
         subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {name}}}]\n"
    ));
    eventually(|| {
        let run =
            lab.kubectl_with_input(&["auth", "can-i", "delete", "statefulsets", "-A", "--as", name], "");
        if run.stdout.trim() == "yes" { Ok(()) } else { Err(format!("{run:?}")) }
    });
    for mode in [&["--dry-run=server"][..], &["--yes"]] {
        service
            .delete_with(&[mode, &["--as", name]].concat())
            .ended(3)
            .complained("cannot delete resource \"nodepools\"")
            .complained("cannot delete resource \"services\"")
            .complained("nothing was changed");
    }
    assert!(service.exists(&format!("statefulset/{name}")));
}
