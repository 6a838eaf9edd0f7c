//! What a probe is made of, and when nobody wants it any more.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::domain::snapshot::{Snapshot, Taint};
use crate::domain::testing::healthy;

fn spec<'a>(snapshot: &'a Snapshot, script: &'a str) -> ProbeSpec<'a> {
    ProbeSpec {
        run: "1a2b3c4d",
        workload: &snapshot.workload,
        selectors: Vec::new(),
        image: PROBE_IMAGE,
        script,
        limit: Duration::from_secs(30),
    }
}

fn made(snapshot: &Snapshot, script: &str) -> Value {
    spec(snapshot, script).pod(2, &NodeName::new("node-7"), &[])
}

#[test]
fn a_probe_may_run_where_only_restricted_pods_may() {
    let pod = made(&healthy(), "true");
    // The fields of the Pod Security Standard "restricted".
    assert_eq!(pod.pointer("/spec/securityContext/runAsNonRoot"), Some(&json!(true)));
    assert_eq!(pod.pointer("/spec/securityContext/seccompProfile/type"), Some(&json!("RuntimeDefault")));
    let container = pod.pointer("/spec/containers/0/securityContext").expect("a context");
    assert_eq!(container["allowPrivilegeEscalation"], false);
    assert_eq!(container["capabilities"], json!({"drop": ["ALL"]}));
    assert_eq!(container["readOnlyRootFilesystem"], true);
    assert_eq!(pod.pointer("/spec/automountServiceAccountToken"), Some(&json!(false)));
    // It ends by itself, and nobody makes it anew.
    assert_eq!(pod.pointer("/spec/restartPolicy"), Some(&json!("Never")));
    assert_eq!(pod.pointer("/spec/activeDeadlineSeconds"), Some(&json!(90)));
    assert_eq!(pod.pointer("/spec/nodeName"), Some(&json!("node-7")));
}

#[test]
fn nobody_takes_a_probe_for_a_shard() {
    let mut snapshot = healthy();
    let pod = made(&snapshot, "true");
    let labels = pod.pointer("/metadata/labels").and_then(Value::as_object).expect("labels");
    let labels: BTreeMap<&str, &str> =
        labels.iter().map(|(key, value)| (key.as_str(), value.as_str().expect("text"))).collect();
    assert_eq!(
        labels,
        BTreeMap::from([
            ("app.kubernetes.io/managed-by", "shardctl"),
            ("shardctl.dev/probe-of", "biometric-shard"),
            ("shardctl.dev/run", "1a2b3c4d"),
        ])
    );
    assert_eq!(
        pod.pointer("/metadata/ownerReferences/0/controller"),
        None,
        "a StatefulSet adopts only its own"
    );
    // A service of all that shardctl has made.
    let selector = BTreeMap::from([("app.kubernetes.io/managed-by".to_owned(), "shardctl".to_owned())]);
    let mut of_service = spec(&snapshot, "true");
    of_service.selectors = vec![&selector];
    let pod = of_service.pod(0, &NodeName::new("node-7"), &[]);
    assert_eq!(pod.pointer("/metadata/labels/app.kubernetes.io~1managed-by"), None);
    snapshot.workload.selector = selector.clone();
    let pod = made(&snapshot, "true");
    assert_eq!(pod.pointer("/metadata/labels/app.kubernetes.io~1managed-by"), None);
}

#[test]
fn a_probe_resolves_and_tolerates_as_its_shards_do() {
    let mut snapshot = healthy();
    snapshot.workload.template.object = json!({"spec": {
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["10.0.0.10"]},
        "imagePullSecrets": [{"name": "registry"}],
        "tolerations": [{"key": "shard", "operator": "Exists", "effect": "NoSchedule"}],
        "serviceAccountName": "shard",
        "hostNetwork": true,
    }});
    let taint = |key: &str, value: &str| Taint {
        key: key.to_owned(),
        value: value.to_owned(),
        effect: "NoSchedule".to_owned(),
    };
    let pod = spec(&snapshot, "true").pod(
        0,
        &NodeName::new("node-7"),
        &[taint("shard", ""), taint("pool", "stable")],
    );
    let spec = &pod["spec"];
    assert_eq!(spec["dnsConfig"]["nameservers"], json!(["10.0.0.10"]));
    assert_eq!(spec["imagePullSecrets"], json!([{"name": "registry"}]));
    assert_eq!(
        spec["tolerations"],
        json!([
            {"key": "shard", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "pool", "operator": "Equal", "value": "stable", "effect": "NoSchedule"},
        ])
    );
    assert!(spec.get("hostNetwork").is_none() && spec.get("serviceAccountName").is_none());
}

/// What Kubernetes makes of an argument, for those without known names in it: `third_party/forked/golang/expansion`.
fn expanded(argument: &str) -> String {
    argument.replace("$$", "$")
}

#[test]
fn a_script_of_any_length_arrives_as_it_is() {
    let long = "echo 'x$y' \"$(date)\" $$ ä\n".repeat(9000);
    for script in ["true", "A=$1; echo $$ $(HOME) $((1 + 2))", &long] {
        let pod = made(&healthy(), script);
        let command = pod.pointer("/spec/containers/0/command").and_then(Value::as_array).expect("a command");
        let command: Vec<String> =
            command.iter().map(|argument| expanded(argument.as_str().expect("text"))).collect();
        assert!(command.iter().all(|argument| argument.len() < 128 * 1024), "{}", command.len());
        assert_eq!(command[..2], ["sh", "-c"]);
        assert_eq!(command[4..].concat(), script);
    }
}

fn probe(state: ProbeState) -> Probe {
    Probe {
        name: "ring-probe-1a2b3c4d-0".to_owned(),
        uid: "u".to_owned(),
        image: "r.example/x:1".to_owned(),
        created_at: "2026-11-22T12:00:00Z".parse().ok(),
        deadline: Some(SignedDuration::from_secs(90)),
        state,
    }
}

#[test]
fn a_probe_is_left_over_when_whoever_lives_would_have_removed_it() {
    let at = |seconds: i64| {
        let start: jiff::Timestamp = "2026-11-22T12:00:00Z".parse().expect("a time");
        start + SignedDuration::from_secs(seconds)
    };
    let failed = ProbeState::Failed { at: None, reason: "OutOfcpu".to_owned(), message: String::new() };
    for (state, until, from) in [
        // Whoever made it may still ask.
        (ProbeState::Running, 105, 106),
        (ProbeState::Made, 105, 106),
        (ProbeState::Starting { waiting: None }, 105, 106),
        // It is removed as soon as it has ended.
        (ProbeState::Done { at: Some(at(20)) }, 35, 36),
        (failed, 15, 16),
    ] {
        let probe = probe(state);
        assert!(!probe.is_left_over(at(until)), "{probe:?}");
        assert!(probe.is_left_over(at(from)), "{probe:?}");
    }
}

#[test]
fn why_a_probe_does_not_start_is_known_before_any_deadline() {
    let starting = |reason: &str, message: &str| {
        let waiting = Some((reason.to_owned(), message.to_owned()));
        probe(ProbeState::Starting { waiting }).standing(&[])
    };
    assert_eq!(starting("ContainerCreating", ""), None);
    assert_eq!(probe(ProbeState::Starting { waiting: None }).standing(&[]), None);
    assert_eq!(probe(ProbeState::Made).standing(&[]), None);
    assert_eq!(probe(ProbeState::Running).standing(&[]), Some(Ok(())));
    assert_eq!(probe(ProbeState::Done { at: None }).standing(&[]), Some(Ok(())));
    let pulled = "failed to pull and unpack image \"r.example/x:1\": failed to resolve reference \"r.example/x:1\": failed \
                  to do request: Head \"https://r.example/v2/x/manifests/1\": dial tcp: lookup r.example: no such host";
    let reason = "its image r.example/x:1 cannot be had: dial tcp: lookup r.example: no such host".to_owned();
    assert_eq!(starting("ErrImagePull", pulled), Some(Err(reason)));
    let backing_off = format!("Back-off pulling image \"r.example/x:1\": ErrImagePull: {pulled}");
    let reason = "its image r.example/x:1 cannot be had: dial tcp: lookup r.example: no such host".to_owned();
    assert_eq!(starting("ImagePullBackOff", &backing_off), Some(Err(reason)));
    let timed_out =
        format!("{}read udp 10.0.0.4:5353->10.0.0.10:53: i/o timeout", &pulled[..pulled.len() - 12]);
    let reason = "its image r.example/x:1 cannot be had: dial tcp: lookup r.example: i/o timeout".to_owned();
    assert_eq!(starting("ErrImagePull", &timed_out), Some(Err(reason)));
    let failed = |reason: &str, message: &str| {
        let (reason, message) = (reason.to_owned(), message.to_owned());
        probe(ProbeState::Failed { at: None, reason, message }).standing(&[]).and_then(Result::err)
    };
    assert_eq!(
        failed("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 10, used: 3990, capacity: 4000"),
        Some("its node has no room for it: Node didn't have enough resource: cpu, requested: 10, used: 3990, capacity: 4000".to_owned())
    );
    assert_eq!(
        failed(
            "StartError",
            "failed to create containerd task: exec: \"sh\": executable file not found in $PATH"
        ),
        Some("its image has no shell".to_owned())
    );
    // A sandbox that cannot be made: once may be an accident.
    let warned = |count| {
        let message =
            "rpc error: code = Unknown desc = failed to setup network for sandbox: no addresses left";
        let warning = ("FailedCreatePodSandBox".to_owned(), message.to_owned(), count);
        probe(ProbeState::Starting { waiting: None }).standing(&[warning])
    };
    assert_eq!(warned(1), None);
    let reason = "its sandbox cannot be made: failed to setup network for sandbox: no addresses left";
    assert_eq!(warned(2), Some(Err(reason.to_owned())));
}
