//! `shardctl deploy`

use crate::Test;
use crate::lab::{Lab, Service, eventually};
use crate::support::Run;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("deploy::a_second_deploy_changes_nothing_and_says_so", again),
    ("deploy::a_field_of_another_manager_is_a_conflict", conflict),
    ("deploy::what_an_upgrade_changed_is_no_field_of_another_manager", own_change),
    ("deploy::objects_of_others_are_not_touched", foreign),
    ("deploy::a_namespace_and_a_priority_class_that_are_there_stay_as_they_are", left_alone),
    ("deploy::a_priority_class_of_another_value_is_refused", other_priority),
    ("deploy::a_quota_too_small_is_refused_with_the_arithmetic", quota),
    ("deploy::a_quota_that_blocks_at_run_time_is_told", quota_at_run_time),
    ("deploy::missing_classes_are_all_named_before_anything_is_made", missing_classes),
    ("deploy::the_tutorials_own_stable_pool_is_refused_with_the_arithmetic", tutorial),
    ("deploy::without_a_terminal_nothing_is_assumed", nobody_to_ask),
    ("deploy::a_dry_run_writes_nothing", dry_run),
    ("deploy::rendered_objects_can_be_applied_by_others_and_taken_over", rendered),
    ("deploy::from_explore_to_stable_the_template_is_armed_and_no_pod_touched", armed),
    ("deploy::an_image_that_cannot_be_pulled_ends_the_wait_early", image),
    ("deploy::a_pool_that_nothing_fits_is_explained_by_karpenter", nothing_fits),
    ("deploy::a_field_that_cannot_change_is_named", fixed_field),
    ("deploy::a_field_given_twice_is_a_fault_of_the_file", given_twice),
    ("deploy::stopped_part_way_it_goes_on_where_it_stopped", part_way),
    ("deploy::every_missing_right_is_listed", rights),
];

const EXPLORE: [&str; 3] = ["--phase", "explore", "--yes"];

/// Asserts that nothing of a service was made.
#[track_caller]
fn nothing_was_made(service: &Service<'_>) {
    for kind in ["nodepool", "priorityclass", "namespace"] {
        let suffix = match kind {
            "nodepool" => "-explore",
            "priorityclass" => "-critical",
            _ => "",
        };
        assert!(!service.exists(&format!("{kind}/{}{suffix}", service.name)), "{kind} was made");
    }
}

fn again(lab: &Lab) {
    let service = lab.service("again");
    service.deploy("explore").said("created").said("is up: 3 of 3 shards");
    let before = service.versions();
    service.deploy("explore").said("nothing was changed").said("is up: 3 of 3 shards");
    assert_eq!(before, service.versions());
}

fn own_change(lab: &Lab) {
    let service = lab.service("own-change");
    service.deploy("explore");
    let image = "registry.example/demo:9.9.9";
    service.shardctl(&["upgrade", &service.name, "--image", image, "--settle", "0s", "--yes"]).ended(0);
    service.deploy_with(&["--phase", "explore", "--dry-run=server"]).ended(0).said(image);
}

fn conflict(lab: &Lab) {
    let mut service = lab.service("conflict");
    service.deploy("explore");
    let budget = format!("pdb/{}", service.name);
    let patch = r#"{"spec":{"minAvailable":2}}"#;
    service.kubectl(&["patch", &budget, "--type=merge", "-p", patch, "--field-manager=ops"]);
    service.edit("availability: all", "availability: 1");
    let before = service.versions();
    for dry_run in [&["--dry-run=server"][..], &[]] {
        let args = [&EXPLORE[..], dry_run].concat();
        let run = service.deploy_with(&args).ended(3).complained("nothing was changed");
        let said = run.stdout + &run.stderr;
        assert!(said.contains("spec.minAvailable: conflict with \"ops\""), "{said}");
        assert!(said.contains("hint: say --force-conflicts"), "{said}");
        assert_eq!(before, service.versions());
    }
    service.deploy_with(&[&EXPLORE[..], &["--force-conflicts"]].concat()).ended(0).said("configured");
    assert_eq!(service.get(&budget)["spec"]["minAvailable"], 1);
    service.deploy("explore").said("nothing was changed");
}

fn foreign(lab: &Lab) {
    let service = lab.service("foreign");
    let name = &service.name;
    service.make_namespace();
    let pool = format!(
        "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {{name: {name}-explore}}\n\
         spec: {{template: {{spec: {{requirements: [], nodeClassRef: \
         {{group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}}}}}}, limits: {{cpu: 0}}}}\n"
    );
    let budget = format!(
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: {name}, namespace: {name}}}\n\
         spec: {{minAvailable: 1, selector: {{matchLabels: {{app: other}}}}}}\n"
    );
    let set = format!(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: {name}, namespace: {name}}}\n\
         spec: {{replicas: 0, serviceName: x, selector: {{matchLabels: {{app: other}}}}, \
         template: {{metadata: {{labels: {{app: other}}}}, spec: {{containers: [{{name: c, image: 'c:1'}}]}}}}}}\n"
    );
    for manifest in [pool, budget, set] {
        lab.apply(&manifest);
    }
    let before = service.versions();
    let run = service.deploy_with(&EXPLORE).ended(3).complained("nothing was changed");
    for object in [
        format!("nodepool/{name}-explore"),
        format!("poddisruptionbudget/{name}"),
        format!("statefulset/{name}"),
    ] {
        let (_, reason) = run.stderr.split_once(&format!("! {object}\n")).expect("the object is refused");
        let reason = reason.lines().next().unwrap_or_default();
        assert!(reason.contains("kubectl-client-side-apply, not by shardctl"), "{object}: {reason}");
    }
    assert_eq!(before, service.versions());
    // Nor does a delete take what shardctl did not make.
    let run = service.delete_with(&["--yes"]).ended(0).said("there is nothing of");
    assert!(run.stderr.contains("stays: it was not made by shardctl"), "{}", run.stderr);
    assert_eq!(before, service.versions());
}

fn left_alone(lab: &Lab) {
    let service = lab.service("left-alone");
    let class = format!("{}-critical", service.name);
    service.make_namespace();
    lab.kubectl(&["label", "namespace", &service.name, "team=search"]);
    lab.kubectl(&["create", "priorityclass", &class, "--value=1000000", "--description=ours"]);
    let (home, priority) =
        (service.get(&format!("namespace/{}", service.name)), service.get(&format!("priorityclass/{class}")));
    service.deploy("explore").complained("left as kubectl-create made it").said("is up");
    assert_eq!(home, service.get(&format!("namespace/{}", service.name)));
    assert_eq!(priority, service.get(&format!("priorityclass/{class}")));
    service.deploy("explore").said("nothing was changed");
}

fn other_priority(lab: &Lab) {
    let service = lab.service("other-priority");
    let class = format!("{}-critical", service.name);
    lab.kubectl(&["create", "priorityclass", &class, "--value=7"]);
    service
        .deploy_with(&EXPLORE)
        .ended(3)
        .complained("it has value 7, which cannot change")
        .complained("hint: name another class in spec.priority.className");
    assert!(!service.exists(&format!("namespace/{}", service.name)));
}

fn quota(lab: &Lab) {
    let service = lab.service("quota");
    service.make_namespace();
    let class = "managed-csi-premium-retain.storageclass.storage.k8s.io";
    let hard = format!("--hard=requests.memory=64Gi,pods=9,{class}/persistentvolumeclaims=2");
    service.kubectl(&["create", "quota", "small", &hard]);
    // A quota for pods that a shard never is does not count.
    service.kubectl(&["create", "quota", "batch", "--hard=pods=0", "--scopes=BestEffort"]);
    let run = eventually(|| {
        let run = service.deploy_with(&EXPLORE);
        // The quota's own status takes a moment.
        if run.stderr.contains("0 of 64Gi used") { Ok(run) } else { Err(run.stderr) }
    });
    let run = run
        .ended(3)
        .complained("quota small leaves 64Gi of requests.memory (0 of 64Gi used); 3 shards need 96Gi")
        .complained(&format!(
            "quota small leaves 2 of {class}/persistentvolumeclaims (0 of 2 used); 3 shards need 3"
        ))
        .complained("cannot work for 2 reasons; nothing was changed");
    assert!(!run.stderr.contains("quota batch"), "{}", run.stderr);
    assert!(!service.exists(&format!("nodepool/{}-explore", service.name)));
    assert!(!service.exists(&format!("statefulset/{}", service.name)));
}

fn quota_at_run_time(lab: &Lab) {
    let service = lab.service("quota-late");
    service.make_namespace();
    service.kubectl(&["create", "quota", "tight", "--hard=pods=2"]);
    // Who may not read quotas finds out when the pods are made.
    let user = allow(lab, &service, &[]);
    service
        .deploy_with(&[&EXPLORE[..], &["--as", &user, "--timeout", "3s"]].concat())
        .ended(1)
        .complained("quotas of the namespace could not be checked")
        .complained("is not up after 3s")
        .complained("has no pod")
        .complained("exceeded quota: tight");
}

fn missing_classes(lab: &Lab) {
    let mut service = lab.service("missing");
    service.edit("storageClassName: managed-csi-premium-retain", "storageClassName: fast");
    service.edit("kind: KWOKNodeClass", "kind: AKSNodeClass");
    service.edit("group: karpenter.kwok.sh", "group: karpenter.azure.com");
    for mode in [&["--dry-run=server"][..], &[]] {
        service
            .deploy_with(&[&EXPLORE[..], mode].concat())
            .ended(3)
            .complained("cannot work: there is no node class AKSNodeClass default (karpenter.azure.com)")
            .complained("cannot work: there is no storage class fast")
            .complained("2 reasons; nothing was changed");
    }
    nothing_was_made(&service);
    service.edit("kind: AKSNodeClass", "kind: KWOKNodeClass");
    service.edit("group: karpenter.azure.com", "group: karpenter.kwok.sh");
    service.edit("      name: default", "      name: other");
    service.deploy_with(&EXPLORE).ended(3).complained("there is no node class KWOKNodeClass other");
}

fn tutorial(lab: &Lab) {
    let mut service = lab.service("tutorial");
    service.edit("replicas: 3", "replicas: 10");
    service.edit("- Standard_E16s_v5", "- Standard_E8s_v5");
    service.edit("memory: 640Gi", "memory: 320Gi");
    service
        .deploy_with(&["--phase", "stable", "--yes"])
        .ended(3)
        .complained(
            "10 shards need 10 Standard_E8s_v5 (1 per node, which offers cpu 7820m and memory 52.9Gi)",
        )
        .complained(
            "spec.nodes.stable.limits (cpu 80, memory 320Gi) allows 5: shard 6 of 10 would stay Pending",
        )
        .complained("raise the limits to cpu 88, memory 704Gi: 10 nodes and one to replace one");
    nothing_was_made(&service);
}

fn nobody_to_ask(lab: &Lab) {
    let service = lab.service("nobody");
    service
        .deploy_with(&["--phase", "explore"])
        .ended(3)
        .complained(&format!("+ statefulset/{}", service.name))
        .complained("there is nobody to ask; nothing was changed")
        .complained("hint: say --yes");
    nothing_was_made(&service);
}

fn dry_run(lab: &Lab) {
    let mut service = lab.service("dry-run");
    for mode in ["--dry-run", "--dry-run=client", "--dry-run=server"] {
        let run = service.deploy_with(&[&EXPLORE[..], &[mode]].concat()).ended(0);
        assert!(run.stdout.contains(&format!("statefulset/{}", service.name)), "{mode}: {}", run.stdout);
        nothing_was_made(&service);
    }
    service.deploy("explore");
    service.edit("demo:1.0.0", "demo:1.0.1");
    let before = service.versions();
    for mode in ["--dry-run=client", "--dry-run=server"] {
        service.deploy_with(&["--phase", "stable", mode]).ended(0);
        assert_eq!(before, service.versions(), "{mode}");
    }
    service
        .deploy_with(&["--phase", "explore", "--dry-run=server"])
        .ended(0)
        .said("containers[shard].image:\n        registry.example/demo:1.0.0 -> registry.example/demo:1.0.1")
        .said("under 3 running shards");
}

fn rendered(lab: &Lab) {
    let mut service = lab.service("rendered");
    let yaml = service.deploy_with(&["--phase", "explore", "-o", "yaml"]).ended(0).stdout;
    nothing_was_made(&service);
    lab.kubectl_with_input(&["apply", "--server-side", "-f", "-"], &yaml).ended(0).said("serverside-applied");
    let uids = eventually(|| {
        let uids = service.pod_uids();
        if uids.len() == 3 { Ok(uids) } else { Err(format!("{uids:?}")) }
    });
    // Nothing differs, so nothing is written; the wait is the same.
    service.deploy("explore").said("nothing was changed").said("is up: 3 of 3 shards");
    assert_eq!(uids, service.pod_uids());
    // Fields that the server filled in differ from the file only on paper: they are no conflict, and taking them is told.
    let stem = "  overlay:\n    annotations:\n";
    service.yaml.push_str(&format!("{stem}      example.com/team: search\n"));
    service.edit("example.com/team: search", "example.com/team: index");
    service
        .deploy("explore")
        .complained("becomes shardctl's as it is: spec.volumeClaimTemplates: conflict with \"kubectl\"");
    // Another value of a field that kubectl owns has to be taken over.
    service.edit("preStopSleep: 30s", "preStopSleep: 20s");
    service.deploy_with(&EXPLORE).ended(3).complained("preStop.sleep.seconds: conflict with \"kubectl\"");
    service.deploy_with(&[&EXPLORE[..], &["--force-conflicts"]].concat()).ended(0);
    service.edit("preStopSleep: 20s", "preStopSleep: 10s");
    service.deploy("explore").said(&format!("statefulset/{} configured", service.name));
    assert_eq!(uids, service.pod_uids());
    let json = service.deploy_with(&["--phase", "explore", "-o", "json"]).ended(0).stdout;
    let list: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(7));
}

fn armed(lab: &Lab) {
    let service = lab.service("armed");
    service.deploy("explore");
    let uids = service.pod_uids();
    let run = service.deploy("stable");
    let shards = format!("{}-{{0..2}} run an older one", service.name);
    let run = run.said("is up: 3 of 3 shards").complained("This arms the template").complained(&shards);
    assert!(run.stderr.contains("shardctl migrate --to stable"), "{}", run.stderr);
    assert_eq!(uids, service.pod_uids());
    // Said again by whoever asks next, as long as it is so.
    service.deploy("stable").said("nothing was changed").complained(&shards);
    // And taken back by deploying the phase that runs.
    let run = service.deploy("explore");
    assert!(!run.stderr.contains("older template"), "{}", run.stderr);
    assert_eq!(uids, service.pod_uids());
}

fn image(lab: &Lab) {
    let mut service = lab.service("image");
    service.yaml.push_str("  overlay:\n    annotations:\n      lab.shardctl.dev/fail: ImagePullBackOff\n");
    service.edit("registry.example/demo:1.0.0", "registry.example/typo:1.0.0");
    let pods = format!("kubectl delete pod -n {0} {0}-{{0..2}}", service.name);
    service
        .deploy_with(&[&EXPLORE[..], &["--timeout", "10m"]].concat())
        .ended(1)
        .complained("will not come up by itself")
        .complained("ImagePullBackOff: Back-off pulling image \"registry.example/typo:1.0.0\"")
        .complained(&pods);
}

fn nothing_fits(lab: &Lab) {
    let mut service = lab.service("nothing-fits");
    service.edit("        - E\n        - D\n", "        - NoSuchFamily\n");
    let pool = format!("nodepool/{}-explore: NoCompatibleInstanceTypes", service.name);
    eventually(|| {
        let run = service.deploy_with(&[&EXPLORE[..], &["--timeout", "2s"]].concat()).ended(1);
        let run = run.complained("is not up after 2s").complained("pending: ");
        // Karpenter looks at pending pods in batches.
        if run.stderr.contains(&pool) { Ok(()) } else { Err(run.stderr) }
    });
}

fn fixed_field(lab: &Lab) {
    let mut service = lab.service("fixed");
    service.deploy("explore");
    let before = service.versions();
    service.edit("size: 100Gi", "size: 200Gi");
    service
        .deploy_with(&EXPLORE)
        .ended(3)
        .complained("resources.requests.storage: 100Gi -> 200Gi cannot change")
        .complained("--cascade=orphan")
        .complained("nothing was changed");
    assert_eq!(before, service.versions());
}

fn given_twice(lab: &Lab) {
    let mut service = lab.service("twice");
    service.make_namespace();
    service
        .yaml
        .push_str("  overlay:\n    container:\n      env: [{name: A, value: a}, {name: A, value: b}]\n");
    service.edit("replicas: 3", "replicas: 2");
    let run = service.deploy_with(&EXPLORE).ended(3).complained("duplicate entries for key [name=\"A\"]");
    run.complained("hint: correct the file");
}

fn part_way(lab: &Lab) {
    let service = lab.service("part-way");
    let name = &service.name;
    // Without its namespace the server cannot check the StatefulSet beforehand.
    lab.apply(&format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: {name}}}\n\
         spec:\n  failurePolicy: Fail\n  matchConstraints: {{resourceRules: [{{apiGroups: [apps], apiVersions: [v1], \
         operations: [CREATE], resources: [statefulsets]}}]}}\n  validations:\n  \
         - {{expression: \"object.metadata.name != '{name}'\", message: change freeze}}\n---\n\
         apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: {name}}}\n\
         spec: {{policyName: {name}, validationActions: [Deny]}}\n"
    ));
    let probe = format!(
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: {name}, namespace: default}}\n\
         spec: {{replicas: 0, serviceName: x, selector: {{matchLabels: {{app: x}}}}, \
         template: {{metadata: {{labels: {{app: x}}}}, spec: {{containers: [{{name: c, image: 'c:1'}}]}}}}}}\n"
    );
    eventually(|| {
        let run = lab.kubectl_with_input(&["create", "--dry-run=server", "-f", "-"], &probe);
        if run.stderr.contains("change freeze") { Ok(()) } else { Err(format!("no policy yet: {run:?}")) }
    });
    service
        .deploy_with(&EXPLORE)
        .ended(4)
        .said(&format!("poddisruptionbudget/{name} created"))
        .complained(&format!("apply statefulset/{name}: "))
        .complained("change freeze")
        .complained(&format!("applied before it: namespace/{name}, "))
        .complained("run the same command again");
    // Now that the namespace is there, it is known beforehand.
    service.deploy_with(&EXPLORE).ended(3).complained("change freeze").complained("nothing was changed");
    lab.kubectl(&["delete", "validatingadmissionpolicybinding", name]);
    lab.kubectl(&["delete", "validatingadmissionpolicy", name]);
    eventually(|| {
        let run = lab.kubectl_with_input(&["create", "--dry-run=server", "-f", "-"], &probe);
        if run.code == 0 { Ok(()) } else { Err(run.stderr) }
    });
    service
        .deploy("explore")
        .said(&format!("service/{name} unchanged"))
        .said(&format!("statefulset/{name} created"));
}

/// Lets a user deploy, without the right to read quotas and without the `except`ed resources; returns the name.
fn allow(lab: &Lab, service: &Service<'_>, except: &[&str]) -> String {
    let name = &service.name;
    let rules: String = [
        ("", "namespaces"),
        ("", "services"),
        ("", "pods"),
        ("", "pods/portforward"),
        ("", "events"),
        ("apps", "statefulsets"),
        ("policy", "poddisruptionbudgets"),
        ("scheduling.k8s.io", "priorityclasses"),
        ("storage.k8s.io", "storageclasses"),
        ("karpenter.sh", "nodepools"),
        ("karpenter.kwok.sh", "kwoknodeclasses"),
    ]
    .into_iter()
    .filter(|(_, resource)| !except.contains(resource))
    .map(|(group, resource)| {
        format!("- {{apiGroups: ['{group}'], resources: ['{resource}'], verbs: ['*']}}\n")
    })
    .collect();
    lab.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\nrules:\n{rules}---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {name}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {name}}}\n\
         subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {name}}}]\n"
    ));
    let user = name.clone();
    eventually(|| {
        let run = lab.kubectl_with_input(&["auth", "can-i", "create", "services", "-A", "--as", &user], "");
        if run.stdout.trim() == "yes" { Ok(()) } else { Err(format!("{run:?}")) }
    });
    user
}

fn rights(lab: &Lab) {
    let service = lab.service("rights");
    let namespace = &service.name;
    let every = [
        format!("you may not patch statefulsets.apps in namespace {namespace}"),
        format!("you may not create services in namespace {namespace}"),
        format!("you may not create pods/portforward in namespace {namespace}"),
        "you may not patch nodepools.karpenter.sh".to_owned(),
        "you may not create namespaces".to_owned(),
    ];
    let all = |run: Run| every.iter().fold(run, |run, right| run.complained(right));
    all(service.deploy_with(&[&EXPLORE[..], &["--as", "stranger"]].concat()).ended(3))
        .complained("nothing was changed");
    nothing_was_made(&service);
    // One right short is refused as well, and only that one is named.
    let user = allow(lab, &service, &["poddisruptionbudgets"]);
    let run = service.deploy_with(&[&EXPLORE[..], &["--as", &user]].concat()).ended(3);
    let missing: Vec<&str> = run.stderr.lines().filter(|line| line.contains("you may not")).collect();
    assert_eq!(missing.len(), 3, "{missing:?}");
    assert!(missing.iter().all(|line| line.contains("poddisruptionbudgets.policy")), "{missing:?}");
    nothing_was_made(&service);
}
