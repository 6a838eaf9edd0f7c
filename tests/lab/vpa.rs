//! `shardctl vpa-report` with the real recommender and the real metrics-server. What shards seem to use is set by annotations;
//! what is asserted is what the recommender said of it.

use serde_json::{Value, json};

use crate::Test;
use crate::fault_proxy::{Fault, Proxy};
use crate::lab::{Lab, Service, eventually};
use crate::support::Run;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("vpa::what_the_recommender_says_is_reported", reported),
    ("vpa::a_settled_recommendation_is_believed_and_patched", settled),
    ("vpa::what_is_missing_is_said", missing),
    ("vpa::several_containers_and_whole_cores", containers),
];

const GI: f64 = 1_073_741_824.0;

/// Runs the report of a service with these arguments, however it ends.
fn vpa_report(service: &Service<'_>, args: &[&str]) -> Run {
    service.shardctl(&[&["vpa-report", &service.name], args].concat())
}

fn json(service: &Service<'_>, exit: i32) -> Value {
    let run = vpa_report(service, &["-o", "json"]).ended(exit);
    serde_json::from_str(&run.stdout).expect("JSON")
}

fn ids(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("a list");
    findings.iter().map(|finding| finding["check"].as_str().expect("a text")).collect()
}

/// Bytes, or cores.
fn amount(value: &Value) -> f64 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no quantity"));
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let factor = match &text[end..] {
        "" => 1.0,
        "m" => 0.001,
        "n" => 1e-9,
        "k" => 1e3,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => GI,
        "Ti" => GI * 1024.0,
        suffix => panic!("{text} has the suffix {suffix}"),
    };
    text[..end].parse::<f64>().expect("a number") * factor
}

/// Asserts that two amounts are the same but for the last digits of floating-point numbers.
#[track_caller]
fn equal(found: f64, expected: f64) {
    assert!((found - expected).abs() <= expected.abs() * 1e-9, "{found} is not {expected}");
}

fn uses(service: &Service<'_>, ordinal: u32, cpu: &str, memory: &str) {
    service.k(&format!(
        "annotate pod/NAME-{ordinal} --overwrite kwok.x-k8s.io/usage-cpu={cpu} kwok.x-k8s.io/usage-memory={memory}"
    ));
}

/// The report and the recommendation that it is about, as kubectl reads it: the same before and after.
fn beside_kubectl(service: &Service<'_>, exit: i32) -> (Value, Value) {
    let autoscaler = format!("vpa/{}", service.name);
    eventually(|| {
        let read =
            || service.get(&autoscaler)["status"]["recommendation"]["containerRecommendations"][0].clone();
        let before = read();
        if before.is_null() {
            return Err("no recommendation yet".to_owned());
        }
        let report = json(service, exit);
        let after = read();
        if before == after { Ok((report, before)) } else { Err(format!("{before} became {after}")) }
    })
}

fn reported(lab: &Lab) {
    let service = lab.service("advised");
    service.deploy("stable");
    for (ordinal, cpu, memory) in [(0, "1800m", "15Gi"), (1, "1800m", "15Gi"), (2, "2500m", "28Gi")] {
        uses(&service, ordinal, cpu, memory);
    }

    // There is none, and nobody is there to be asked whether to make one.
    let run = vpa_report(&service, &[]).ended(5);
    run.said("There is no recommendation")
        .said("no VerticalPodAutoscaler targets the workload")
        .said("--create-vpa");
    let none = || service.kubectl(&["get", "vpa", "-o", "name"]).is_empty();
    assert!(none());
    vpa_report(&service, &["--create-vpa"]).ended(3).complained("say --yes");
    vpa_report(&service, &["--create-vpa", "--dry-run"]).ended(0).complained("updateMode: \"Off\"");
    vpa_report(&service, &["--create-vpa", "--dry-run=server"]).ended(0).complained("would be created");
    vpa_report(&service, &["--patch"]).ended(3).complained("no recommendation to go by");
    assert!(none(), "asked, tried and refused, and nothing was made");
    vpa_report(&service, &["--create-vpa", "--yes"]).ended(0).complained("created");
    let made = service.get(&format!("vpa/{}", service.name));
    assert_eq!(made["spec"]["updatePolicy"]["updateMode"], "Off");
    assert_eq!(made["metadata"]["ownerReferences"][0]["kind"], "StatefulSet");
    vpa_report(&service, &["--create-vpa", "--yes"]);
    assert_eq!(service.get("vpa")["items"].as_array().map(Vec::len), Some(1));

    // The recommender's word, as kubectl reads it.
    let (report, advised) = eventually(|| {
        let (report, advised) = beside_kubectl(&service, 0);
        // All three are measured, the hot one too.
        let worst = &report["containers"][0]["memory"]["useNow"];
        let shards = worst["shards"].as_object().map_or(0, serde_json::Map::len);
        let is_hot = !worst["worst"].is_null() && amount(&worst["worst"]) >= 28.0 * GI;
        let cpu = &report["containers"][0]["cpu"]["useNow"];
        let is_steady =
            !cpu["median"].is_null() && amount(&cpu["median"]) > 1.7 && amount(&cpu["worst"]) < 2.6;
        let is_known = amount(&advised["uncappedTarget"]["memory"]) >= 28.0 * GI;
        if shards == 3 && is_hot && is_steady && is_known {
            Ok((report, advised))
        } else {
            Err(format!("{report:#}"))
        }
    });
    let container = &report["containers"][0];
    assert_eq!(container["name"], advised["containerName"]);
    for resource in ["cpu", "memory"] {
        for (ours, theirs) in [
            ("target", "target"),
            ("uncappedTarget", "uncappedTarget"),
            ("lowerBound", "lowerBound"),
            ("upperBound", "upperBound"),
        ] {
            assert_eq!(container[resource][ours], advised[theirs][resource], "{resource} {ours}");
        }
    }
    // It has minutes of data, as its checkpoint says, and stretches the upper bound beyond any machine.
    let doubts = container["doubts"].to_string();
    assert!(report["believed"] == false && doubts.contains("too little data"), "{report:#}");
    assert!(doubts.contains("upper bound of memory is"), "{report:#}");
    let checkpoint = service.get(&format!("vpacheckpoint/{}-shard", service.name));
    let samples = |value: &Value| value.as_u64().expect("a number");
    let count = samples(&container["data"]["samples"]);
    assert!(count > 0 && count <= samples(&checkpoint["status"]["totalSamplesCount"]), "{container:#}");
    assert!(samples(&container["data"]["seconds"]) < 3600, "{container:#}");
    // The hot shard, which two others hide.
    assert_eq!(ids(&report), ["hot-shard"], "{report:#}");
    let memory = &container["memory"];
    assert_eq!((&memory["useNow"]["worstShard"], amount(&memory["useNow"]["worst"])), (&json!(2), 28.0 * GI));
    equal(amount(&memory["useNow"]["median"]), 15.0 * GI);
    vpa_report(&service, &[])
        .ended(0)
        .said(&format!("{}-2 is hot: it uses 28Gi of memory, 1.9 times", service.name));
    // 28Gi and 15 percent are 32.2Gi; the recommender may want more.
    let wanted = amount(&advised["uncappedTarget"]["memory"]).max(28.0 * GI * 1.15);
    let proposed = amount(&memory["proposed"]);
    assert!(proposed >= wanted && proposed < wanted + GI / 4.0, "{proposed} for {wanted}");
    equal((proposed / (GI / 4.0)).round() * GI / 4.0, proposed);
    let cpu = &container["cpu"];
    let wanted = amount(&advised["uncappedTarget"]["cpu"]).max(amount(&cpu["useNow"]["worst"]));
    let proposed = amount(&cpu["proposed"]);
    assert!(proposed >= wanted && proposed < wanted + 0.0501, "{proposed} CPU for {wanted}");
    let whole = vpa_report(&service, &["--whole-cores", "-o", "yaml"]).ended(0);
    let whole: Value = serde_saphyr::from_str(&whole.stdout).expect("YAML");
    equal(amount(&whole["containers"][0]["cpu"]["proposed"]), wanted.ceil());
    assert!(
        vpa_report(&service, &["-o", "wide"])
            .ended(0)
            .stdout
            .lines()
            .any(|line| line.starts_with(&format!("{}-2 ", service.name)))
    );

    // A recommendation of minutes is not written, unless somebody insists; and a dry run writes nothing.
    let patch =
        |args: &[&str]| lab.shardctl.run([&["vpa-report", "-f", service.path(), "--patch"], args].concat());
    let file = || std::fs::read_to_string(&service.file).expect("the file");
    patch(&[]).ended(3).complained("not believed").complained("--despite-doubts");
    patch(&["--despite-doubts", "--dry-run"]).ended(0).said("+     memory: ");
    assert_eq!(file(), service.yaml);
    patch(&["--despite-doubts"]).ended(0).said("-     memory: 32Gi").complained("shardctl upgrade -f");
    let written = file();
    assert!(!written.contains("memory: 32Gi\n") && written.lines().count() == service.yaml.lines().count());
    patch(&["--despite-doubts"]).ended(0);
    lab.shardctl
        .run(["upgrade", "-f", service.path(), "--dry-run"])
        .ended(0)
        .said("dry run: nothing was changed");
    let set = service.get(&format!("statefulset/{}", service.name));
    let limits = &set["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"];
    assert_eq!(limits["memory"], "32Gi", "the report changes no shard");

    // A bound of the policy, and a mode that would evict shards.
    let policy = json!({"spec": {
        "updatePolicy": {"updateMode": "Auto"},
        "resourcePolicy": {"containerPolicies": [{"containerName": "shard", "maxAllowed": {"memory": "16Gi"}}]},
    }});
    service.patch("vpa/NAME", &policy.to_string());
    let (report, _) = eventually(|| {
        let (report, advised) = beside_kubectl(&service, 5);
        if advised["target"]["memory"] == "16Gi" { Ok((report, advised)) } else { Err(advised.to_string()) }
    });
    let cut = &report["containers"][0]["memory"]["cut"];
    assert_eq!((&cut["by"], &cut["to"]), (&json!("maxAllowed"), &json!("16Gi")), "{report:#}");
    assert!(amount(&report["containers"][0]["memory"]["proposed"]) >= 28.0 * GI * 1.15);
    assert!(ids(&report).contains(&"vpa-evicts"), "{report:#}");
    let run = vpa_report(&service, &[]).ended(5);
    run.said("is in mode Auto: it evicts shards that run").said("maxAllowed cuts the target of memory");
}

/// A VerticalPodAutoscaler that the lab's recommender leaves alone: its status is written by the test.
const LEFT_ALONE: &str = "{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler,
  metadata: {name: ADVICE, namespace: NAME}, spec: {targetRef: {apiVersion: apps/v1, kind: StatefulSet, name: NAME},
    recommenders: [{name: nobody}], updatePolicy: {updateMode: 'Off'}}}";

fn days_ago(days: i64) -> String {
    (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days)).to_string()
}

/// Writes what a recommender and its checkpoint would say after three days.
fn settle(service: &Service<'_>, memory: &str) {
    let amounts = |cpu: &str, memory: &str| json!({"cpu": cpu, "memory": memory});
    let status = json!({"status": {"recommendation": {"containerRecommendations": [{
        "containerName": "shard",
        "target": amounts("2400m", memory),
        "uncappedTarget": amounts("2400m", memory),
        "lowerBound": amounts("2", "18Gi"),
        "upperBound": amounts("3200m", "27Gi"),
    }]}}});
    service.patch_status("vpa/advice", &status.to_string());
    let checkpoint = json!({
        "apiVersion": "autoscaling.k8s.io/v1",
        "kind": "VerticalPodAutoscalerCheckpoint",
        "metadata": {"name": "advice-shard", "namespace": service.name},
        "spec": {"vpaObjectName": "advice", "containerName": "shard"},
        "status": {
            "version": "v3",
            "firstSampleStart": days_ago(3),
            "lastSampleStart": days_ago(0),
            "lastUpdateTime": days_ago(0),
            "totalSamplesCount": 12_960,
            "cpuHistogram": {"totalWeight": 1.0, "bucketWeights": {"50": 10_000}},
            // Bucket 95 ends at 10^7 x (1.05^96 - 1) / 0.05 bytes: 20.0Gi.
            "memoryHistogram": {"totalWeight": 1.0, "bucketWeights": {"90": 10_000, "95": 12}},
        },
    });
    service.apply(&checkpoint.to_string());
}

fn settled(lab: &Lab) {
    let mut service = lab.service("settled");
    service.edit("replicas: 3", "replicas: 4");
    service.deploy("stable");
    service.apply(&LEFT_ALONE.replace("ADVICE", "advice"));
    settle(&service, "20.3Gi");
    for ordinal in 0..4 {
        uses(&service, ordinal, "1500m", "14Gi");
    }
    let report = eventually(|| {
        let report = json(&service, 0);
        let use_now = &report["containers"][0]["memory"]["useNow"];
        let is_measured = !use_now["least"].is_null()
            && amount(&use_now["least"]) >= 14.0 * GI
            && use_now["shards"].as_object().is_some_and(|shards| shards.len() == 4);
        if is_measured { Ok(report) } else { Err(format!("{use_now}")) }
    });
    assert_eq!((&report["believed"], ids(&report).len()), (&json!(true), 0), "{report:#}");
    let container = &report["containers"][0];
    let peak = 1e7 * (1.05_f64.powi(96) - 1.0) / 0.05;
    assert!((amount(&container["memory"]["peak"]) - peak).abs() < 2.0, "{container:#}");
    // 20.0Gi and 15 percent.
    let wanted = peak * 1.15;
    let proposed = amount(&container["memory"]["proposed"]);
    assert!(proposed >= wanted && proposed < wanted + GI / 4.0, "{proposed} for {wanted}");
    assert_eq!(container["memory"]["proposedBy"]["kind"], "history");
    assert_eq!(container["cpu"]["proposed"], "2400m");
    // Four shards of 32Gi take two E16s_v5; four of 23Gi take one, which costs 1.008 an hour.
    let current = &report["effect"]["current"];
    assert_eq!(current["instanceType"], "Standard_E16s_v5", "{report:#}");
    assert_eq!((&current["now"]["nodes"], &current["then"]["nodes"]), (&json!(2), &json!(1)));
    assert_eq!(current["savesPerMonthUsd"], 735.84);
    let table = vpa_report(&service, &[]).ended(0);
    let table = table.said("it can be believed").said("saves $736 a month, 4 per node instead of 3");
    assert!(table.stdout.contains("--patch"), "{}", table.stdout);
    vpa_report(&service, &["--patch"])
        .ended(0)
        .said("shardctl upgrade settled-")
        .said("--set-resources cpu=2400m,memory=");

    // A shard that was killed needs more than it had.
    let killed = json!([
        {"op": "replace", "path": "/status/containerStatuses/0/restartCount", "value": 2},
        {"op": "add", "path": "/status/containerStatuses/0/lastState",
            "value": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": days_ago(1)}}},
    ]);
    service.patch_status("pod/NAME-3", &killed.to_string());
    let report = json(&service, 0);
    assert_eq!(ids(&report), ["oom-killed"]);
    assert_eq!(report["containers"][0]["memory"]["proposedBy"], json!({"kind": "killed", "shard": 3}));
    equal(amount(&report["containers"][0]["memory"]["proposed"]), 38.5 * GI);
    let killed = vpa_report(&service, &[]).ended(0);
    killed.said("-3 was killed for want of memory 1d ago at its limit of 32Gi (shard, 2 restarts in all)");
    service.k("delete pod/NAME-3");

    // What is written is what upgrade then applies.
    eventually(|| {
        let run = lab.shardctl.run(["vpa-report", "-f", service.path(), "--patch"]);
        let is_mended = run.code == 0 && run.stdout.contains("+     memory: 23");
        if is_mended { Ok(()) } else { Err(format!("{run:?}")) }
    });
    let written = std::fs::read_to_string(&service.file).expect("the file");
    assert!(written.contains("cpu: \"2400m\"\n"), "{written}");
    let args = [
        "upgrade",
        "-f",
        service.path(),
        "--strategy",
        "canary",
        "--settle",
        "0s",
        "--yes",
        "--timeout",
        "3m",
    ];
    lab.shardctl.run(args).ended(0);
    let report = json(&service, 0);
    let memory = &report["containers"][0]["memory"];
    assert_eq!(
        (&memory["request"], &memory["limit"]),
        (&memory["proposed"], &memory["proposed"]),
        "{report:#}"
    );
    assert_eq!(report["containers"][0]["cpu"]["request"], "2400m");
    vpa_report(&service, &["--patch"]).ended(0).said("requests what is proposed already");

    // A second one, and amounts that no machine has.
    service.apply(&LEFT_ALONE.replace("ADVICE", "zweiter"));
    settle(&service, "60Ti");
    let report = json(&service, 0);
    // The shards were made anew: some may not be measured yet.
    assert_eq!(ids(&report)[0], "several-vpas", "{report:#}");
    let container = &report["containers"][0];
    assert!(container["memory"]["proposed"].is_null() && report["believed"] == false, "{report:#}");
    assert!(container["doubts"].to_string().contains("no machine has more than"), "{report:#}");
}

fn missing(lab: &Lab) {
    let service = lab.service("missing");
    service.deploy("explore");
    // Nobody recommends anything, and why.
    service.apply(&LEFT_ALONE.replace("ADVICE", "advice"));
    let report = json(&service, 5);
    assert_eq!(ids(&report)[0], "no-recommendation", "{report:#}");
    let run = vpa_report(&service, &[]).ended(5);
    run.said("without a recommendation: it wants a recommender of the name nobody");
    vpa_report(&service, &["--create-vpa", "--yes"]).ended(5);
    assert!(!service.exists(&format!("vpa/{}", service.name)), "one is enough");

    // A cluster without the API answers so; the server itself says which status that is.
    assert_eq!(lab.ask("GET", "/apis/autoscaling.example/v1/verticalpodautoscalers"), Err(404));
    let proxy = Proxy::start(&lab.shardctl);
    proxy.fault(Fault::Answer(404), usize::MAX, |asked| asked.path_alone().contains("autoscaling.k8s.io"));
    let args = |more: &[&'static str]| -> Vec<String> {
        let args = ["vpa-report", &service.name, "-n", &service.name];
        args.iter().chain(more).map(ToString::to_string).collect()
    };
    proxy
        .shardctl
        .run(args(&[]))
        .ended(5)
        .said("this cluster has no VerticalPodAutoscaler API")
        .said("--enable-vpa");
    let run = proxy.shardctl.run(args(&["--create-vpa", "--yes"])).ended(1);
    run.complained("no VerticalPodAutoscaler API");
    proxy.no_more_faults();
    // Without metrics the rest is told.
    proxy.fault(Fault::Answer(503), usize::MAX, |asked| asked.path_alone().contains("metrics.k8s.io"));
    proxy.shardctl.run(args(&[])).ended(5).said("what shards use now is not known");
    proxy.no_more_faults();
    // Without the right to read checkpoints nobody knows how old the data is.
    settle(&service, "20Gi");
    proxy.fault(Fault::Answer(403), usize::MAX, |asked| asked.is_about("verticalpodautoscalercheckpoints"));
    let run = proxy.shardctl.run(args(&[])).ended(0);
    run.said("do not go by it yet").said("how much data it rests on is not known");
    proxy
        .shardctl
        .run(["vpa-report", "nobody", "-n", &service.name])
        .ended(1)
        .complained("there is no statefulset/nobody");
    lab.shardctl.run(["vpa-report", "--region", "westeurop"]).ended(2).complained("did you mean westeurope?");
}

/// A set of two containers whose pool has a node class with the static CPU manager; as on AKS, the field is the provider's.
const TWO_CONTAINERS: &str = r"
{apiVersion: shardctl.test/v1, kind: KubeletClass, metadata: {name: NAME}, spec: {kubelet: {cpuManagerPolicy: static}}}
---
{apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: NAME-static}, spec: {limits: {cpu: 0}, template: {spec: {
  nodeClassRef: {group: shardctl.test, kind: KubeletClass, name: NAME},
  taints: [{key: NAME, value: reserved, effect: NoSchedule}],
  requirements: [{key: node.kubernetes.io/instance-type, operator: In, values: [Standard_E16s_v5]}]}}}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: NAME, namespace: NAME}, spec: {
  replicas: 3, podManagementPolicy: Parallel, selector: {matchLabels: {app: two}},
  template: {metadata: {labels: {app: two}}, spec: {
    nodeSelector: {karpenter.sh/nodepool: NAME-static},
    tolerations: [{key: NAME, operator: Exists}],
    containers: [
      {name: main, image: 'registry.example/main:1.0.0', resources: {requests: {cpu: '4', memory: 32Gi}}},
      {name: proxy, image: 'registry.example/proxy:1.0.0',
        resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 500m, memory: 1Gi}}}]}}}}
---
{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler, metadata: {name: NAME, namespace: NAME},
  spec: {targetRef: {apiVersion: apps/v1, kind: StatefulSet, name: NAME}, recommenders: [{name: nobody}],
    updatePolicy: {updateMode: 'Off'}}}
";

const KUBELET_CLASS: &str = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition,
  metadata: {name: kubeletclasses.shardctl.test}, spec: {group: shardctl.test, scope: Cluster,
    names: {plural: kubeletclasses, singular: kubeletclass, kind: KubeletClass},
    versions: [{name: v1, served: true, storage: true,
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}";

fn containers(lab: &Lab) {
    let service = lab.service("two");
    service.make_namespace();
    lab.apply(KUBELET_CLASS);
    lab.kubectl(&[
        "wait",
        "--for=condition=Established",
        "crd/kubeletclasses.shardctl.test",
        "--timeout=30s",
    ]);
    eventually(|| {
        lab.ask("GET", "/apis/shardctl.test/v1/kubeletclasses").map_err(|status| status.to_string())
    });
    service.apply(TWO_CONTAINERS);
    let advice = |name: &str, cpu: &str, memory: &str| {
        let amounts = json!({"cpu": cpu, "memory": memory});
        json!({"containerName": name, "target": amounts, "uncappedTarget": amounts, "lowerBound": amounts, "upperBound": amounts})
    };
    let provided = json!({"type": "RecommendationProvided", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let status = json!({"status": {
        "conditions": [provided],
        "recommendation": {"containerRecommendations":
            [advice("main", "2400m", "20Gi"), advice("proxy", "110m", "300Mi")]},
    }});
    service.patch_status("vpa/NAME", &status.to_string());

    let report = json(&service, 0);
    assert_eq!((&report["believed"], &report["wholeCores"]), (&json!(true), &json!(true)), "{report:#}");
    assert_eq!(report["podRequests"], json!({"cpu": "4500m", "memory": "33Gi"}));
    assert_eq!(
        report["proposedPodRequests"],
        json!({"cpu": "4", "memory": "20784Mi"}),
        "3 + 1 cores, 20Gi + 304Mi"
    );
    assert_eq!(ids(&report), ["shards-unmeasured", "not-guaranteed"], "{report:#}");
    // No node says which region it is in, for there is none.
    let table =
        vpa_report(&service, &[]).ended(0).said("CONTAINER").said("CPU by the target, in whole cores");
    assert!(table.stdout.contains("main") && table.stdout.contains("proxy"), "{}", table.stdout);
    let run = vpa_report(&service, &["--patch"]).ended(0).complained("the pod has several containers");
    let patch: Value = serde_saphyr::from_str(&run.stdout).expect("YAML");
    let alike = |cpu: &str, memory: &str| {
        let amounts = json!({"cpu": cpu, "memory": memory});
        json!({"requests": amounts, "limits": amounts})
    };
    let expected = json!([
        {"name": "main", "resources": alike("3", "20Gi")},
        {"name": "proxy", "resources": alike("1", "304Mi")},
    ]);
    assert_eq!(patch, expected);
    service.k("delete statefulset/NAME nodepool/NAME-static kubeletclass/NAME --wait=false");
}
