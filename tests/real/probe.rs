//! Probes of `shardctl routing-test`: beside the shards, in their stead, and gone afterwards.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::Test;
use crate::lab::{Lab, Ring, eventually, layout};
use crate::routing::{dns_pods, evidence, finds};
use crate::support::Run;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("probe::probes_find_a_service_well_that_is_well", well),
    ("probe::who_may_not_exec_is_replaced_by_a_probe", forbidden),
    ("probe::an_image_without_a_shell_is_replaced_by_a_probe", no_shell),
    ("probe::one_that_admission_refuses_is_told_in_its_words", refused),
    ("probe::one_without_an_image_is_told_by_the_kubelet", no_image),
    ("probe::one_without_room_is_told_by_the_kubelet", no_room),
    ("probe::one_is_let_in_where_only_restricted_pods_are", restricted),
    ("probe::a_resolver_is_told_to_be_that_of_a_node_or_of_a_shard", resolvers),
    ("probe::nothing_is_left_by_a_run_that_is_interrupted_or_killed", killed),
    ("probe::a_second_interrupt_tells_what_is_left", stopped_at_once),
    ("probe::lost_with_its_kubelet_it_is_told_and_removed", silent_kubelet),
    ("probe::lost_with_its_node_it_is_told_and_removed", power),
    ("probe::runs_side_by_side_do_not_disturb_each_other", side_by_side),
];

/// An image of the lab that has a shell: there is no registry to get another one from.
const IMAGE: &[&str] = &["--probe-image", "shardctl.lab/shard:1.0.0"];

fn with_image<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, IMAGE].concat()
}

/// The probes that are there, by name.
fn probes(ring: &Ring<'_>) -> Vec<String> {
    let list = ring.lab.get(&["pods", "-n", &ring.namespace, "-l", "shardctl.dev/probe-of=ring"]);
    let pods = list["items"].as_array().expect("a list").iter();
    pods.map(|pod| pod["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

#[track_caller]
fn nothing_is_left(ring: &Ring<'_>) {
    assert_eq!(probes(ring), Vec::<String>::new());
}

/// Starts a routing test, and returns when its probes ask.
#[track_caller]
fn start(ring: &Ring<'_>) -> (Child, Vec<String>) {
    let before = probes(ring);
    let args = with_image(&[
        "routing-test",
        "-n",
        &ring.namespace,
        "--from",
        "probe",
        "--timeout",
        "5s",
        "-o",
        "json",
    ]);
    let mut command = ring.lab.shardctl.command();
    let child =
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("shardctl starts");
    let mine = eventually(|| {
        let list = ring.lab.get(&["pods", "-n", &ring.namespace, "-l", "shardctl.dev/probe-of=ring"]);
        let running = list["items"].as_array().expect("a list").iter();
        let running = running.filter(|pod| pod["status"]["phase"] == "Running");
        let names = running.map(|pod| pod["metadata"]["name"].as_str().expect("a name").to_owned());
        let mine: Vec<String> = names.filter(|name| !before.contains(name)).collect();
        if mine.len() == 3 { Ok(mine) } else { Err(format!("{mine:?} run")) }
    });
    (child, mine)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it runs");
}

fn ended(child: Child) -> Run {
    Run::from(child.wait_with_output().expect("it ends"))
}

fn well(lab: &Lab) {
    let ring = lab.standing_ring();
    let report = finds(&ring, &with_image(&["--from", "probe"]), "probes", &[]);
    assert_eq!(report["counts"], json!({"asked": 18, "answered": 18, "findings": 0}));
    assert_eq!((&report["networkTested"], &report["clusterDomain"]), (&true.into(), &"cluster.local".into()));
    let probes: Vec<&Value> =
        report["probes"].as_array().expect("probes").iter().map(|one| &one["node"]).collect();
    assert_eq!(probes, ["node-1", "node-2", "node-3"]);
    assert!(report["shards"].as_array().expect("shards").iter().all(|shard| shard["asksThrough"].is_null()));
    for (pair, shard) in report["pairs"].as_array().expect("pairs").iter().zip(ring.shards().iter().cycle()) {
        assert_eq!((&pair["from"], &pair["identity"]), (&Value::Null, &shard.name.as_str().into()), "{pair}");
        assert_eq!(pair["addresses"], json!([shard.ip]), "{pair}");
    }
    nothing_is_left(&ring);
    let report = finds(&ring, &with_image(&["--from", "both"]), "shards and probes", &[]);
    assert_eq!(report["counts"], json!({"asked": 54, "answered": 54, "findings": 0}));
    let run = ring.shardctl(&with_image(&["routing-test", "--from", "both"])).ended(0);
    run.said("shards and probes ask each shard").said("probe    · · · · · ·   node-2");
    nothing_is_left(&ring);
}

/// Lets a user look at everything, and do no more than what is named.
fn allow(ring: &Ring<'_>, user: &str, name: &str, verbs: &str, resource: &str) {
    let (verbs, resource) = (format!("--verb={verbs}"), format!("--resource={resource}"));
    ring.kubectl(&["create", "role", name, &verbs, &resource]);
    ring.kubectl(&["create", "rolebinding", name, &format!("--role={name}"), &format!("--user={user}")]);
}

fn forbidden(lab: &Lab) {
    let ring = lab.ring("forbidden");
    ring.kubectl(&["create", "rolebinding", "looks", "--clusterrole=view", "--user=watcher"]);
    allow(&ring, "watcher", "forwards", "create,get", "pods/portforward");
    let alone = ["--as", "watcher", "--no-probe"];
    let report = finds(&ring, &alone, "neither exec nor probe", &["warning shard-asks pod/ring-{0..5}"]);
    assert!(evidence(&report).ends_with("you may not exec into it (create pods/exec)"), "{report:#}");
    assert_eq!((&report["networkTested"], &report["counts"]["answered"]), (&false.into(), &6.into()));
    // Who may make a probe and not remove it makes none.
    allow(&ring, "watcher", "makes", "create", "pods");
    let args = with_image(&["--as", "watcher"]);
    let report = finds(&ring, &args, "no right to remove", &["warning shard-asks pod/ring-{0..5}"]);
    let both = "you may not exec into it (create pods/exec); no probe beside it: you may not make and hear one (delete pods)";
    assert!(evidence(&report).ends_with(both), "{report:#}");
    ring.shardctl(&[&["routing-test"], &args[..]].concat())
        .ended(5)
        .said("The network between the shards was not tested.");
    allow(&ring, "watcher", "removes", "delete", "pods");
    let report = finds(&ring, &args, "no right to exec", &["info shard-asks-itself pod/ring-{0..5}"]);
    assert_eq!(
        evidence(&report),
        "you may not exec into it (create pods/exec); probes on node-1, node-2, node-3 asked in their stead"
    );
    assert_eq!((&report["networkTested"], &report["counts"]["answered"]), (&true.into(), &18.into()));
    assert_eq!(report["shards"][3]["asksThrough"], "probe");
    nothing_is_left(&ring);
}

fn no_shell(lab: &Lab) {
    let ring = lab.ring_with("bare", |manifest| {
        *manifest = manifest.replace("shardctl.lab/shard:", "shardctl.lab/shard-bare:");
    });
    let report = finds(&ring, IMAGE, "no shell", &["info shard-asks-itself pod/ring-{0..5}"]);
    let said = "its image has no shell; probes on node-1, node-2, node-3 asked in their stead";
    assert_eq!(evidence(&report), said);
    // A probe may have none, either.
    let args = ["--from", "probe", "--probe-image", "shardctl.lab/shard-bare:1.0.0"];
    let report = finds(&ring, &args, "no shell anywhere", &["warning shard-asks pod/ring-{0..5}"]);
    assert!(evidence(&report).ends_with("no probe beside it: its image has no shell"), "{report:#}");
    let report = finds(&ring, &["--no-probe"], "no probe", &["warning shard-asks pod/ring-{0..5}"]);
    assert!(evidence(&report).ends_with("the network was not tested: its image has no shell"), "{report:#}");
    nothing_is_left(&ring);
}

/// Refuses all pods of a namespace that carry the label of a probe.
const NO_PROBES: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-probes}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], resources: [pods], operations: [CREATE]}]
  validations:
  - expression: "!('shardctl.dev/probe-of' in object.metadata.?labels.orValue({}))"
    message: pods without a controller are not wanted here
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-probes}
spec:
  policyName: no-probes
  validationActions: [Deny]
  matchResources: {namespaceSelector: {matchLabels: {probes: unwanted}}}
"#;

fn refused(lab: &Lab) {
    let ring = lab.ring("refused");
    lab.kubectl(&["label", "namespace", &ring.namespace, "probes=unwanted"]);
    let run = lab.kubectl_with_input(&["apply", "-f", "-"], NO_PROBES);
    assert_eq!(run.code, 0, "{run:?}");
    let expected = ["warning shard-asks node/node-1, node/node-2, node/node-3"];
    let report = finds(&ring, &with_image(&["--from", "both"]), "refused", &expected);
    assert!(
        evidence(&report).contains("no probe asks from there: refused: ValidatingAdmissionPolicy"),
        "{report:#}"
    );
    assert!(evidence(&report).contains("pods without a controller are not wanted here"), "{report:#}");
    assert_eq!(report["counts"]["answered"], 36);
    let args = with_image(&["--from", "probe"]);
    let report = finds(&ring, &args, "refused everywhere", &["warning shard-asks pod/ring-{0..5}"]);
    assert!(evidence(&report).contains("no probe beside it: refused: "), "{report:#}");
    lab.kubectl(&["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "no-probes"]);
}

fn no_image(lab: &Lab) {
    let ring = lab.standing_ring();
    let args = ["--from", "both", "--probe-image", "shardctl.lab/nothing:1"];
    let expected = ["warning shard-asks node/node-1, node/node-2, node/node-3"];
    let report = finds(&ring, &args, "no such image", &expected);
    // The kubelet's own words: what is not known before a time is over would be told as that.
    assert!(
        evidence(&report)
            .starts_with("no probe asks from there: its image shardctl.lab/nothing:1 cannot be had: "),
        "{report:#}"
    );
    assert_eq!(report["counts"]["answered"], 36);
    nothing_is_left(&ring);
}

/// Thousandths of a CPU, as Kubernetes writes them.
fn millis(quantity: &Value) -> u64 {
    let text = quantity.as_str().unwrap_or("0");
    match text.strip_suffix('m') {
        Some(millis) => millis.parse().expect("a number"),
        None => 1000 * text.parse::<u64>().expect("a number"),
    }
}

fn no_room(lab: &Lab) {
    let ring = lab.ring("full");
    let on_it = lab.get(&["pods", "-A", "--field-selector", "spec.nodeName=node-2,status.phase=Running"]);
    let containers = on_it["items"].as_array().expect("a list").iter();
    let containers = containers.flat_map(|pod| pod["spec"]["containers"].as_array().expect("a list"));
    let taken: u64 = containers.map(|one| millis(&one["resources"]["requests"]["cpu"])).sum();
    let free = millis(&lab.get(&["node", "node-2"])["status"]["allocatable"]["cpu"]) - taken;
    let filler = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "filler"},
        "spec": {
            "nodeName": "node-2",
            "containers": [{
                "name": "filler", "image": "shardctl.lab/shard:1.0.0",
                "resources": {"requests": {"cpu": format!("{}m", free - 5)}},
            }],
        },
    });
    let run = lab.kubectl_with_input(&["apply", "-n", &ring.namespace, "-f", "-"], &filler.to_string());
    assert_eq!(run.code, 0, "{run:?}");
    ring.kubectl(&["wait", "--for=condition=Ready", "pod/filler", "--timeout=2m"]);
    let both = with_image(&["--from", "both"]);
    let report = finds(&ring, &both, "a full node", &["warning shard-asks node/node-2"]);
    assert!(
        evidence(&report).contains("its node has no room for it: Node didn't have enough resource: cpu"),
        "{report:#}"
    );
    assert_eq!(report["counts"]["answered"], 48);
    ring.kubectl(&["delete", "pod/filler", "--grace-period=0", "--force"]);
}

fn restricted(lab: &Lab) {
    let ring = lab.ring("restricted");
    lab.kubectl(&["label", "namespace", &ring.namespace, "pod-security.kubernetes.io/enforce=restricted"]);
    let bare = ["run", "plain", "-n", &ring.namespace, "--image=shardctl.lab/shard:1.0.0", "--restart=Never"];
    let run = lab.kubectl_with_input(&bare, "");
    assert!(run.code != 0 && run.stderr.contains("violates PodSecurity"), "{run:?}");
    let report = finds(&ring, &with_image(&["--from", "probe"]), "restricted pods only", &[]);
    assert_eq!(report["counts"]["answered"], 18);
}

fn resolvers(lab: &Lab) {
    let ring = lab.ring("resolvers");
    let both = with_image(&["--from", "both"]);
    lab.lab_command(&["node", "cut", "node-1", "--dns"]).ended(0);
    let report = finds(&ring, &both, "no DNS on node-1", &["error name-resolves node/node-1"]);
    let said = "and the probe on node-1 resolve no name, and shards elsewhere do";
    assert!(evidence(&report).contains(said), "{report:#}");
    lab.lab_command(&["node", "mend", "node-1"]).ended(0);
    finds(&ring, &both, "mended", &[]);
    // A shard of another template: it asks a name server that is not there.
    let wrong =
        r#"{"spec":{"template":{"spec":{"dnsPolicy":"None","dnsConfig":{"nameservers":["192.0.2.1"]}}}}}"#;
    let right = r#"{"spec":{"template":{"spec":{"dnsPolicy":"ClusterFirst","dnsConfig":null}}}}"#;
    let uid = ring.shard(2).uid;
    ring.kubectl(&["patch", "statefulset/ring", "-p", wrong]);
    ring.kubectl(&["delete", "pod/ring-2"]);
    eventually(|| {
        if ring.shards().iter().any(|shard| shard.name == "ring-2" && shard.uid != uid) {
            Ok(())
        } else {
            Err("ring-2 is old".to_owned())
        }
    });
    ring.kubectl(&["patch", "statefulset/ring", "-p", right]);
    ring.is_whole();
    let report = finds(&ring, &both, "no DNS in ring-2", &["error name-resolves pod/ring-2"]);
    let said = "ring-2 resolves no name, and the probe on the same node does";
    assert!(evidence(&report).starts_with(said), "{report:#}");
}

/// Answers that do not come keep probes asking.
fn slow(ring: &Ring<'_>) {
    for shard in ring.shards() {
        ring.tell(&shard.name, &json!({"answer": "hang"}));
    }
}

fn killed(lab: &Lab) {
    let ring = lab.ring("killed");
    slow(&ring);
    for by in [Signal::INT, Signal::TERM] {
        let (child, _) = start(&ring);
        signal(&child, by);
        let run = ended(child).ended(1).complained("error: interrupted");
        assert_eq!(run.stdout, "");
        nothing_is_left(&ring);
    }
    let (child, left) = start(&ring);
    signal(&child, Signal::KILL);
    ended(child);
    assert_eq!(probes(&ring), left);
    let pods = lab.get(&["pods", "-n", &ring.namespace, "-l", "shardctl.dev/probe-of=ring"]);
    for pod in pods["items"].as_array().expect("a list") {
        assert!(
            pod["spec"]["activeDeadlineSeconds"].as_u64().is_some_and(|seconds| seconds < 300),
            "{pod:#}"
        );
    }
    // They end by themselves; who comes then, even without probes of his own, removes them.
    for shard in ring.shards() {
        ring.tell(&shard.name, &json!({"answer": null}));
    }
    eventually(|| {
        ring.shardctl(&with_image(&["routing-test"])).ended(0);
        let left = probes(&ring);
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?} are left")) }
    });
}

/// A process that does nothing for as long as this lives.
struct Paused(Pid);

impl Paused {
    /// A component of the lab's control plane.
    fn new(lab: &Lab, component: &str) -> Self {
        let file = layout().lab(&lab.name).pids().join(format!("{component}.pid"));
        let id = std::fs::read_to_string(file).expect("a pid");
        let pid = Pid::from_raw(id.trim().parse().expect("a number")).expect("an id");
        kill_process(pid, Signal::STOP).expect("it runs");
        Self(pid)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::CONT);
    }
}

fn stopped_at_once(lab: &Lab) {
    let ring = lab.ring("at-once");
    slow(&ring);
    let (mut child, mine) = start(&ring);
    // It is asked to remove them, and does not come to it.
    let paused = Paused::new(lab, "kube-apiserver");
    signal(&child, Signal::INT);
    let mut said = BufReader::new(child.stderr.take().expect("standard error")).lines().map_while(Result::ok);
    let first = said.next().expect("a word");
    assert_eq!(first, "stopping, once the probes are removed; Ctrl-C again leaves them, and says which");
    signal(&child, Signal::INT);
    let said: Vec<String> = said.collect();
    let run = ended(child).ended(1);
    drop(paused);
    assert_eq!(run.stdout, "");
    for probe in &mine {
        let told = format!("a probe may be left, and ends by itself: pod {probe}");
        assert!(said.iter().any(|line| line.contains(&told)), "{said:#?}");
    }
    assert!(said.iter().any(|line| line == "error: interrupted"), "{said:#?}");
    // The request may have arrived.
    assert!(probes(&ring).iter().all(|left| mine.contains(left)), "{mine:?}");
    ring.kubectl(&["delete", "pods", "-l", "shardctl.dev/probe-of=ring", "--grace-period=0", "--force"]);
}

fn silent_kubelet(lab: &Lab) {
    let ring = lab.standing_ring();
    let report = eventually(|| {
        // After a while everybody knows that the node is not Ready, and nobody tries.
        lab.lab_command(&["node", "stop", "node-2", "--only", "kubelet"]).ended(0);
        let run = ring.shardctl(&with_image(&["routing-test", "--from", "both", "-o", "json"])).ended(5);
        nothing_is_left(&ring);
        lab.lab_command(&["node", "start", "node-2"]).ended(0);
        lab.kubectl(&["wait", "--for=condition=Ready", "node/node-2", "--timeout=2m"]);
        if run.stdout.contains("is not Ready") { Err(run.stdout) } else { Ok(run.stdout) }
    });
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    let worse: Vec<&Value> = findings.iter().filter(|one| one["severity"] != "info").collect();
    // The shards run on, and everybody reaches them: that no kubelet leads to them is no fault of theirs.
    assert!(worse.iter().all(|one| one["check"] == "shard-asks"), "{report:#}");
    let said = worse.iter().map(|one| one["evidence"].to_string()).collect::<Vec<_>>().join("\n");
    for expected in
        ["its node has not said a word of it within 15s: its kubelet may be dead", "no port-forward: "]
    {
        assert!(said.contains(expected), "{report:#}");
    }
    assert_eq!(report["probes"][1]["node"], "node-2");
    ring.is_whole();
}

fn power(lab: &Lab) {
    let ring = lab.ring("power");
    // Those who ask the DNS pods are to get answers.
    let node = if dns_pods(lab, "1") == "node-2" { "node-3" } else { "node-2" };
    slow(&ring);
    let (child, mine) = start(&ring);
    let containers = || {
        let of_probes = r#"labels."io.kubernetes.pod.name"~=-probe-"#;
        let list = ["ctr", "-n", "k8s.io", "containers", "list", "-q", of_probes];
        lab.lab_command(&[&["node", "exec", node, "--"], &list[..]].concat()).ended(0).stdout
    };
    assert_ne!(containers(), "", "one runs there");
    lab.lab_command(&["node", "stop", node]).ended(0);
    let run = ended(child).ended(5);
    let left = probes(&ring);
    assert!(left.iter().all(|one| mine.contains(one) && run.stderr.contains(one)), "{left:?}: {run:?}");
    lab.lab_command(&["node", "start", node]).ended(0);
    dns_pods(lab, "2");
    ring.is_whole();
    // A kubelet that comes back removes what it finds and nobody wants.
    eventually(|| {
        let left = (containers(), probes(&ring));
        if left.0.is_empty() && left.1.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
}

fn side_by_side(lab: &Lab) {
    let ring = lab.ring("two");
    slow(&ring);
    let (first, of_first) = start(&ring);
    let (second, of_second) = start(&ring);
    assert!(of_first.iter().all(|probe| !of_second.contains(probe)), "{of_first:?}, {of_second:?}");
    signal(&second, Signal::INT);
    ended(second).ended(1);
    assert_eq!(probes(&ring), of_first, "those of the other go on");
    let run = ended(first);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    assert_eq!(
        (&report["counts"]["asked"], &report["networkTested"]),
        (&18.into(), &true.into()),
        "{report:#}"
    );
    nothing_is_left(&ring);
}
