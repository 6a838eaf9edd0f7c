//! `shardctl init --from`

use crate::Test;
use crate::lab::{Lab, eventually};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("init::what_shardctl_made_is_described_as_it_is", own),
    ("init::what_others_made_is_described_so_that_it_can_be_deployed", foreign),
    ("init::a_statefulset_that_is_not_there_is_told_with_the_nearest", missing),
];

fn own(lab: &Lab) {
    let service = lab.service("described");
    service.deploy("stable");
    let path = service.file.with_extension("described.yaml");
    let path = path.to_str().expect("a path");
    let from = format!("statefulset/{}", service.name);
    service
        .shardctl(&["init", "--from", &from, "--file", path])
        .ended(0)
        .complained(&format!("shardctl deploy -f {path} --phase stable --dry-run=server"));
    lab.shardctl
        .run(["deploy", "-f", path, "--phase", "stable", "--yes"])
        .ended(0)
        .said("nothing was changed");
}

fn foreign(lab: &Lab) {
    let service = lab.service("adopted");
    let name = &service.name;
    service.make_namespace();
    lab.apply(&format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}-peers, namespace: {name}}}\n\
         spec: {{clusterIP: None, selector: {{app: kafka}}, ports: [{{port: 9000}}]}}\n---\n\
         apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: {name}, namespace: {name}}}\n\
         spec:\n  replicas: 2\n  serviceName: {name}-peers\n  podManagementPolicy: Parallel\n  \
         selector: {{matchLabels: {{app: kafka}}}}\n  template:\n    metadata: {{labels: {{app: kafka}}}}\n    spec:\n      \
         securityContext: {{runAsUser: 1654}}\n      containers:\n      - name: broker\n        image: registry.example/kafka:4.1\n        \
         ports: [{{name: http, containerPort: 9000}}]\n        \
         env: [{{name: HEAP, value: 1g}}, {{name: SERVICE_NAME, value: {name}-peers}}]\n        \
         resources: {{requests: {{cpu: '2', memory: 8Gi}}, limits: {{cpu: '2', memory: 8Gi}}}}\n        \
         volumeMounts: [{{name: log, mountPath: /var/log/kafka}}]\n  volumeClaimTemplates:\n  - metadata: {{name: log}}\n    \
         spec: {{accessModes: [ReadWriteOnce], storageClassName: managed-csi-premium-retain, resources: {{requests: {{storage: 10Gi}}}}}}\n"
    ));
    let yaml = service.shardctl(&["init", "--from", name]).ended(0).complained("note: ").stdout;
    assert!(!yaml.contains("biometric"), "{yaml}");
    let file = service.file.with_extension("adopted.yaml");
    // No pool carries it yet, so the file has the tutorial's node class, and says so.
    let yaml = yaml.replace(
        "karpenter.azure.com\n      kind: AKSNodeClass",
        "karpenter.kwok.sh\n      kind: KWOKNodeClass",
    );
    std::fs::write(&file, yaml).expect("a file");
    let path = file.to_str().expect("a path");
    let before = service.get(&format!("statefulset/{name}"));
    let uids = eventually(|| {
        let uids = service.pod_uids();
        if uids.len() == 2 { Ok(uids) } else { Err(format!("{uids:?}")) }
    });
    let run = lab
        .shardctl
        .run(["deploy", "-f", path, "--phase", "explore", "--dry-run=server", "--force-conflicts"])
        .ended(0);
    let plan = &run.stdout;
    assert!(plan.contains("updateStrategy.type: RollingUpdate -> OnDelete"), "{plan}");
    for fixed in
        ["spec.selector", "containers[shard]", "volumeClaimTemplates", "spec.serviceName", "spec.replicas"]
    {
        assert!(!plan.contains(fixed), "{fixed} changes:\n{plan}");
    }
    for kept in ["image:", "env[HEAP]", "mountPath"] {
        assert!(!plan.contains(kept), "{kept} changes:\n{plan}");
    }
    assert_eq!(
        before["metadata"]["generation"],
        service.get(&format!("statefulset/{name}"))["metadata"]["generation"]
    );
    // It is somebody else's: not without being told.
    let run = lab.shardctl.run(["deploy", "-f", path, "--phase", "explore", "--yes"]).ended(3);
    run.complained("not by shardctl").complained("hint: say --force-conflicts");
    // Told so, it takes it over: no pod restarts, and the same file changes nothing any more.
    let deploy = ["deploy", "-f", path, "--phase", "explore", "--yes", "--no-wait"];
    lab.shardctl
        .run(deploy.iter().chain(&["--force-conflicts"]))
        .ended(0)
        .complained("This arms the template");
    let after = service.get(&format!("statefulset/{name}"));
    assert_eq!(after["spec"]["updateStrategy"], serde_json::json!({"type": "OnDelete"}));
    assert_eq!(after["spec"]["selector"], before["spec"]["selector"]);
    assert_eq!(uids, service.pod_uids());
    // The namespace may hold other services: it is not taken.
    let home = service.get(&format!("namespace/{name}"));
    assert!(home["metadata"]["labels"]["pod-security.kubernetes.io/enforce"].is_null(), "{home}");
    lab.shardctl.run(deploy).ended(0).said("nothing was changed");
}

fn missing(lab: &Lab) {
    let service = lab.service("nearest");
    service.deploy_with(&["--phase", "explore", "--yes", "--no-wait"]).ended(0);
    let from = format!("{}x", service.name);
    service
        .shardctl(&["init", "--from", &from])
        .ended(1)
        .complained(&format!("did you mean statefulset/{}?", service.name));
    service.shardctl(&["init", "--from", "zebra"]).ended(1).complained(&format!("has {}", service.name));
}
