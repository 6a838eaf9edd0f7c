//! What is refused, with the reason and the way on; nothing is changed in any of it.

use super::{Held, on_one_node};
use crate::Test;
use crate::fault_proxy::Proxy;
use crate::lab::{Lab, Service, eventually};
use crate::support::Run;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("refusal::names_that_are_not_there_are_met_with_the_nearest", names),
    ("refusal::a_set_that_cannot_be_rolled_is_explained", sets),
    ("refusal::where_the_shards_are_already_there_is_nothing_to_do", already),
    ("refusal::without_a_terminal_the_plan_is_shown_and_nothing_assumed", nobody_to_ask),
    ("refusal::rights_for_a_later_step_are_missed_before_the_first", rights),
    ("refusal::other_actors_are_named", actors),
    ("refusal::a_shard_that_is_down_elsewhere_forbids_a_drain", another_down),
];

const IMAGE: [&str; 2] = ["--image", "registry.example/demo:2.0.0"];

/// A service, and a proxy through which nothing may be written.
struct Untouched<'a> {
    service: Service<'a>,
    proxy: Proxy,
}

impl<'a> Untouched<'a> {
    fn new(service: Service<'a>) -> Self {
        let proxy = Proxy::start(&service.lab.shardctl);
        Self { service, proxy }
    }

    /// Runs shardctl about the service, and asserts that it ends so and wrote nothing.
    #[track_caller]
    fn refused(&self, code: i32, args: &[&str]) -> Run {
        let before = (Held::of(&self.service), self.service.pod_uids());
        let namespace: &[&str] = if args.contains(&"-f") { &[] } else { &["-n", &self.service.name] };
        let run = self.proxy.shardctl.run([args, namespace].concat()).ended(code);
        assert!(self.proxy.writes().is_empty(), "{}", self.proxy.story());
        assert_eq!((Held::of(&self.service), self.service.pod_uids()), before);
        run
    }
}

fn names(lab: &Lab) {
    let service = on_one_node(lab, "names");
    let name = service.name.clone();
    let it = Untouched::new(service);
    let typo = format!("{name}x");
    let near = format!("did you mean statefulset/{name}?");
    let upgrade = [&["upgrade", &typo, "--yes"], &IMAGE[..]].concat();
    it.refused(1, &upgrade).complained(&near);
    it.refused(1, &["migrate", &typo, "--to-nodepool", "a", "--yes"]).complained(&near);
    it.refused(1, &["rollout", "resume", &typo, "--yes"]).complained(&near);
    it.refused(1, &["rollout", "undo", &typo, "--yes"]).complained(&near);
    let pool = format!("{name}-exploer");
    let run = it.refused(3, &["migrate", "--to-nodepool", &pool, "--yes"]);
    run.complained(&format!("there is no nodepool/{pool}; nothing was changed"))
        .complained(&format!("did you mean nodepool/{name}-explore?"));
    it.refused(2, &["migrate", "--to", "stable", "--yes"]).complained("--file");
    for verb in ["resume", "abort"] {
        it.refused(3, &["rollout", verb, "--yes"])
            .complained(&format!("has no run to {verb}; nothing was changed"));
        it.refused(3, &["rollout", verb, "--yes", "--run", "drain-1"]).complained("has no run drain-1");
    }
    // Two sets, and nobody said which.
    it.service.apply(OTHER_SET);
    for command in [&["upgrade", "--yes", IMAGE[0], IMAGE[1]][..], &["rollout", "abort", "--yes"]] {
        it.refused(2, command).complained("has 2 StatefulSets: which one?").complained("name one of");
    }
}

const OTHER_SET: &str = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: other, namespace: NAME},
  spec: {replicas: 0, updateStrategy: {type: OnDelete}, selector: {matchLabels: {app: other}},
    template: {metadata: {labels: {app: other}},
      spec: {containers: [{name: main, image: registry.example/other:1.0.0}]}}}}";

fn sets(lab: &Lab) {
    let it = Untouched::new(on_one_node(lab, "sets"));
    let upgrade = |name: &'static str| [&["upgrade", name, "--yes"], &IMAGE[..]].concat();
    it.service.apply(OTHER_SET);
    it.refused(3, &upgrade("other")).complained("statefulset/other has no shards: spec.replicas is 0");
    it.service.k("delete statefulset other");
    it.service.patch("statefulset/NAME", r#"{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}"#);
    let run = it.refused(3, &[&["upgrade", "--yes"], &IMAGE[..]].concat());
    run.complained("has update strategy RollingUpdate")
        .complained("`shardctl deploy -f FILE` sets OnDelete")
        .complained("kubectl patch -n ");
    it.service
        .patch("statefulset/NAME", r#"{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}}"#);
    // Two pods of a shard could write to one volume.
    it.service.patch(
        "statefulset/NAME",
        r#"[{"op":"remove","path":"/spec/template/spec/containers/0/lifecycle"},
            {"op":"replace","path":"/spec/template/spec/terminationGracePeriodSeconds","value":0}]"#,
    );
    it.service.k("delete pods -l app.kubernetes.io/component=shard --wait=false");
    eventually(|| {
        let pods = it.service.get("pods");
        let pods = pods["items"].as_array().cloned().unwrap_or_default();
        let is_new = |pod: &&serde_json::Value| {
            pod["spec"]["terminationGracePeriodSeconds"] == 0
                && pod["metadata"]["deletionTimestamp"].is_null()
        };
        let is_whole = pods.iter().filter(is_new).count() == 3 && it.service.shards().is_whole();
        if is_whole { Ok(()) } else { Err(format!("{pods:?}")) }
    });
    let run = it.refused(3, &[&["upgrade", "--yes"], &IMAGE[..]].concat());
    run.complained("has a grace period of 0 seconds").complained("--allow-zero-grace-period");
}

fn already(lab: &Lab) {
    let service = on_one_node(lab, "already");
    let pool = format!("{}-explore", service.name);
    let path = service.path().to_owned();
    let it = Untouched::new(service);
    for command in [
        &["migrate", "--to-nodepool", &pool][..],
        &["migrate", "-f", &path, "--to", "explore"],
        &["upgrade", "--image", "registry.example/demo:1.0.0"],
        &["upgrade", "-f", &path],
    ] {
        it.refused(0, command).said("nothing was changed");
    }
}

fn nobody_to_ask(lab: &Lab) {
    let service = on_one_node(lab, "nobody");
    let node = service.shards().nodes.into_iter().next().expect("a node");
    let path = service.path().to_owned();
    let it = Untouched::new(service);
    for command in
        [&["upgrade", IMAGE[0], IMAGE[1]][..], &["migrate", "-f", &path, "--to", "stable"], &["drain", &node]]
    {
        let run = it.refused(3, command).complained("there is nobody to ask; nothing was changed");
        run.complained("Plan: ").complained("say --yes to ");
    }
}

/// A user that may do all that a run needs, but for `except`.
fn allow(it: &Untouched<'_>, except: &str) -> String {
    let name = format!("{}-{}", it.service.name, except.replace('/', "-"));
    let rules: String = [
        ("", "nodes"),
        ("", "pods"),
        ("", "pods/portforward"),
        ("", "pods/eviction"),
        ("", "events"),
        ("events.k8s.io", "events"),
        ("", "configmaps"),
        ("", "services"),
        ("", "namespaces"),
        ("", "persistentvolumes"),
        ("", "persistentvolumeclaims"),
        ("", "resourcequotas"),
        ("apps", "statefulsets"),
        ("apps", "daemonsets"),
        ("apps", "controllerrevisions"),
        ("autoscaling.k8s.io", "verticalpodautoscalers"),
        ("coordination.k8s.io", "leases"),
        ("discovery.k8s.io", "endpointslices"),
        ("policy", "poddisruptionbudgets"),
        ("scheduling.k8s.io", "priorityclasses"),
        ("storage.k8s.io", "storageclasses"),
        ("storage.k8s.io", "csinodes"),
        ("karpenter.sh", "nodepools"),
        ("karpenter.sh", "nodeclaims"),
        ("karpenter.kwok.sh", "kwoknodeclasses"),
    ]
    .into_iter()
    .map(|(group, resource)| {
        let verbs = if resource == except { "get, list, watch" } else { "'*'" };
        format!("- {{apiGroups: ['{group}'], resources: ['{resource}'], verbs: [{verbs}]}}\n")
    })
    .collect();
    it.service.lab.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\nrules:\n{rules}---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {name}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {name}}}\n\
         subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {name}}}]\n"
    ));
    eventually(|| {
        let can = ["auth", "can-i", "list", "nodes", "--as", &name];
        let run = it.service.lab.kubectl_with_input(&can, "");
        if run.stdout.trim() == "yes" { Ok(()) } else { Err(format!("{run:?}")) }
    });
    name
}

fn rights(lab: &Lab) {
    let service = on_one_node(lab, "may-not");
    let node = service.companion();
    let path = service.path().to_owned();
    let it = Untouched::new(service);
    let namespace = it.service.name.clone();
    for (except, command, right) in [
        (
            "configmaps",
            &["upgrade", IMAGE[0], IMAGE[1]][..],
            format!("you may not create configmaps in namespace {namespace}"),
        ),
        (
            "leases",
            &["upgrade", IMAGE[0], IMAGE[1]],
            format!("you may not create leases.coordination.k8s.io in namespace {namespace}"),
        ),
        (
            "pods",
            &["upgrade", IMAGE[0], IMAGE[1]],
            format!("you may not delete pods in namespace {namespace}"),
        ),
        (
            "pods/portforward",
            &["upgrade", IMAGE[0], IMAGE[1]],
            format!("you may not create pods/portforward in namespace {namespace}"),
        ),
        (
            "statefulsets",
            &["migrate", "-f", &path, "--to", "stable"],
            "cannot patch resource \"statefulsets\"".to_owned(),
        ),
        (
            "nodepools",
            &["upgrade", IMAGE[0], IMAGE[1]],
            "you may not patch nodepools.karpenter.sh".to_owned(),
        ),
        ("nodes", &["drain", &node], "you may not patch nodes".to_owned()),
        ("pods/eviction", &["drain", &node], "you may not create pods/eviction".to_owned()),
    ] {
        let user = allow(&it, except);
        let run = it.refused(3, &[command, &["--yes", "--as", &user]].concat());
        run.complained(&right).complained("nothing was changed");
    }
}

fn actors(lab: &Lab) {
    let service = on_one_node(lab, "actors");
    let node = service.shards().nodes.into_iter().next().expect("a node");
    let it = Untouched::new(service);
    let upgrade = [&["upgrade", "--yes"], &IMAGE[..]].concat();
    it.service.k("annotate statefulset/NAME argocd.argoproj.io/tracking-id=shop");
    let run = it.refused(3, &upgrade).complained("Argo CD keeps the StatefulSet as shop has it");
    run.complained("--force-conflicts").complained("nothing was changed");
    it.service.k("annotate statefulset/NAME argocd.argoproj.io/tracking-id-");
    it.service.apply(
        "{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: NAME, namespace: NAME},
          spec: {targetRef: {apiVersion: apps/v1, kind: StatefulSet, name: NAME}, updatePolicy: {updateMode: Auto}}}",
    );
    it.refused(3, &upgrade).complained("has updateMode Auto").complained("set its updateMode to Off");
    it.service.k("delete verticalpodautoscaler NAME");
    it.service.k(&format!("cordon {node}"));
    it.refused(3, &upgrade)
        .complained(&format!("node/{node} carries shards and was cordoned by somebody else"));
}

fn another_down(lab: &Lab) {
    let mut service = lab.service("elsewhere");
    // Two of them fill a machine.
    service.edit("memory: 32Gi", "memory: 120Gi");
    service.deploy("explore");
    let nodes = service.shards().nodes;
    assert!(nodes.len() > 1, "{nodes:?}");
    let first = service.node_of(0).replace("node/", "");
    let other =
        (1..3).find(|ordinal| service.node_of(*ordinal) != format!("node/{first}")).expect("another node");
    service.k(&format!("annotate pod/NAME-{other} lab.shardctl.dev/fail=never-ready"));
    eventually(|| if service.shards().up == 2 { Ok(()) } else { Err("it is still up".to_owned()) });
    let it = Untouched::new(service);
    let run = it.refused(3, &["drain", &first, "--yes"]);
    run.complained(&format!("{}-{other} is down, and this run does not move it", it.service.name));
}
