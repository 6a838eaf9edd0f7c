use super::*;
use crate::domain::names::PodName;
use crate::domain::snapshot::{Snapshot, Unknown};
use crate::domain::testing::healthy;
use crate::domain::verify::{Facts, Selection, Severity, verify};
use crate::render::style::Stylesheet;

const PLAIN: fn() -> Stylesheet = || Stylesheet::new(false);

fn report(snapshot: &Snapshot, only: &[&str]) -> Report {
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    verify(&Facts::new(snapshot), &Selection::new(only, []).unwrap())
}

fn broken() -> Snapshot {
    let mut snapshot = healthy();
    let pod = snapshot.shards[3].pod.as_mut().unwrap();
    pod.is_ready = false;
    pod.ready_changed_at = Some("2026-11-22T11:58:00Z".parse().unwrap());
    pod.containers[0].restarts = 7;
    pod.containers[0].last_terminated = Some("Error".to_owned());
    pod.containers[0].waiting = Some((
        "CrashLoopBackOff".to_owned(),
        "back-off 5m0s restarting failed container=biometric-shard".to_owned(),
    ));
    for shard in &mut snapshot.shards {
        shard.pod.as_mut().unwrap().annotations.clear();
    }
    snapshot.workload.template.priority_class = None;
    let volumes = snapshot.volumes.as_mut().unwrap();
    volumes.values_mut().next().unwrap().reclaim_policy = "Delete".to_owned();
    snapshot.claims.as_mut().unwrap().values_mut().next().unwrap().phase = "Lost".to_owned();
    snapshot.services.as_mut().unwrap()[1].session_affinity = "ClientIP".to_owned();
    snapshot
}

fn forbidden() -> Unknown {
    Unknown {
        asked: "list nodes".to_owned(),
        answer: "forbidden: User \"system:serviceaccount:ci:verify\" cannot list resource \"nodes\""
            .to_owned(),
        is_forbidden: true,
    }
}

const FEW: [&str; 5] = ["autoscaling", "priority-class", "node-ready", "shard-ready", "pdb-exists"];

fn blind() -> Snapshot {
    let mut snapshot = broken();
    snapshot.nodes = Err(forbidden());
    snapshot
}

#[test]
fn findings_are_grouped_by_severity_and_check() {
    let expected = r##"
SEVERITY   CHECK, OBJECT              EVIDENCE
error      shard-ready (expected: every shard that has a pod is Ready)
           pod/biometric-shard-3      CrashLoopBackOff: back-off 5m0s restarting
                                      failed container=biometric-shard, 7
                                      restarts (for 2m)
           -> Read its events and its last log: `kubectl describe pod`, `kubectl
              logs --previous`

error      claim-bound (expected: every claim is bound to a volume)
           pvc/biometric-data-biometric-shard-0
                                      its phase is Lost
           -> Read its events: `kubectl describe pvc`; Lost means that its
              volume is gone

warning    shard-restarts (expected: no container has restarted)
           pod/biometric-shard-3      container biometric-shard has restarted 7
                                      times, the last time: Error
           -> Read the log of the last try: `kubectl logs --previous` of the pod

warning    shard-do-not-disrupt
           (expected: Karpenter is told to leave every pod alone)
           pod/biometric-shard-{0..9}
                                      karpenter.sh/do-not-disrupt is not set
           -> Annotate it: `kubectl -n biometric-shards annotate pod POD
              karpenter.sh/do-not-disrupt=true --overwrite`; and the template,
              for the pods to come

warning    volume-reclaim-policy (expected: a volume outlives its claim)
           pv/pvc-0                   its reclaim policy is Delete: with its
                                      claim goes the data of biometric-shard-0
           -> Keep it: `kubectl patch pv NAME -p
              '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`

info       session-affinity
           (expected: a client's requests spread over the shards)
           service/biometric-shard    sessionAffinity is ClientIP: all requests
                                      from one address go to one shard, so one
                                      client's tests say nothing about the
                                      others
           -> Set spec.sessionAffinity to None unless clients rely on it; test
              each shard with `shardctl routing-test`

31 checks: 25 passed, 6 with 15 findings (2 errors, 12 warnings, 1 info)
"##;
    assert_eq!(
        table(&report(&broken(), &["shards", "storage", "services"]), PLAIN(), Some(80)),
        expected.trim_start_matches('\n')
    );
}

#[test]
fn with_room_nothing_is_broken() {
    let expected = r##"
SEVERITY   CHECK, OBJECT                          EVIDENCE
error      shard-ready (expected: every shard that has a pod is Ready)
           pod/biometric-shard-3                  CrashLoopBackOff: back-off 5m0s restarting failed container=biometric-shard, 7 restarts (for 2m)
           -> Read its events and its last log: `kubectl describe pod`, `kubectl logs --previous`

error      claim-bound (expected: every claim is bound to a volume)
           pvc/biometric-data-biometric-shard-0   its phase is Lost
           -> Read its events: `kubectl describe pvc`; Lost means that its volume is gone

2 checks: 0 passed, 2 findings (2 errors)
"##;
    assert_eq!(
        table(&report(&broken(), &["shard-ready", "claim-bound"]), PLAIN(), None),
        expected.trim_start_matches('\n')
    );
}

#[test]
fn checks_that_could_not_run_are_told_by_their_cause() {
    let expected = r##"
SEVERITY   CHECK, OBJECT              EVIDENCE
warning    priority-class (expected: shards may preempt lesser pods)
           statefulset/biometric-shard
                                      no priorityClassName: a shard that needs
                                      room waits behind any other pod, and may
                                      be preempted
           -> Set spec.template.spec.priorityClassName

unknown    6 checks could not run
           list nodes: forbidden: User "system:serviceaccount:ci:verify" cannot
           list resource "nodes"
           node-ready, node-leaving, node-pressure, node-cordoned, kubelet-skew,
           node-empty
           -> Ask for the right to read it, or leave these checks out with
              --skip

7 checks: 0 passed, 1 finding (1 warning), 6 could not run
"##;
    assert_eq!(
        table(&report(&blind(), &["nodes", "priority-class"]), PLAIN(), Some(80)),
        expected.trim_start_matches('\n')
    );
}

#[test]
fn wide_has_a_line_for_each_finding_and_each_check() {
    let expected = r##"
RESULT    CHECK            OBJECT                        EVIDENCE                                                                                           REMEDY
error     shard-ready      pod/biometric-shard-3         CrashLoopBackOff: back-off 5m0s restarting failed container=biometric-shard, 7 restarts (for 2m)   Read its events and its last log: `kubectl describe pod`, `kubectl logs --previous`
warning   priority-class   statefulset/biometric-shard   no priorityClassName: a shard that needs room waits behind any other pod, and may be preempted     Set spec.template.spec.priorityClassName
unknown   node-ready                                     list nodes: forbidden: User "system:serviceaccount:ci:verify" cannot list resource "nodes"
passed    pdb-exists                                     a PodDisruptionBudget covers the shards
skipped   vpa-evicts                                     no VerticalPodAutoscaler targets the workload
skipped   vpa-initial                                    no VerticalPodAutoscaler targets the workload

6 checks: 1 passed, 2 findings (1 error, 1 warning), 1 could not run, 2 skipped
"##;
    assert_eq!(wide(&report(&blind(), &FEW), PLAIN()), expected.trim_start_matches('\n'));
}

#[test]
fn json_is_a_verify_report() {
    let expected = r##"
{
  "apiVersion": "shardctl.dev/v1alpha1",
  "kind": "VerifyReport",
  "service": {
    "namespace": "biometric-shards",
    "name": "biometric-shard"
  },
  "takenAt": "2026-11-22T12:00:00Z",
  "phase": "stable",
  "isUp": false,
  "shards": {
    "ready": 9,
    "wanted": 10,
    "required": 10
  },
  "counts": {
    "checks": 6,
    "passed": 1,
    "skipped": 2,
    "couldNotRun": 1,
    "findings": 2,
    "errors": 1,
    "warnings": 1,
    "infos": 0
  },
  "findings": [
    {
      "check": "shard-ready",
      "severity": "error",
      "object": "pod/biometric-shard-3",
      "evidence": "CrashLoopBackOff: back-off 5m0s restarting failed container=biometric-shard, 7 restarts (for 2m)",
      "remedy": "Read its events and its last log: `kubectl describe pod`, `kubectl logs --previous`"
    },
    {
      "check": "priority-class",
      "severity": "warning",
      "object": "statefulset/biometric-shard",
      "evidence": "no priorityClassName: a shard that needs room waits behind any other pod, and may be preempted",
      "remedy": "Set spec.template.spec.priorityClassName"
    }
  ],
  "couldNotRun": [
    {
      "check": "node-ready",
      "severity": "error",
      "asked": "list nodes",
      "answer": "forbidden: User \"system:serviceaccount:ci:verify\" cannot list resource \"nodes\"",
      "isForbidden": true
    }
  ],
  "skipped": [
    {
      "check": "vpa-evicts",
      "reason": "no VerticalPodAutoscaler targets the workload"
    },
    {
      "check": "vpa-initial",
      "reason": "no VerticalPodAutoscaler targets the workload"
    }
  ],
  "passed": [
    "pdb-exists"
  ]
}
"##;
    assert_eq!(json(&report(&blind(), &FEW)), expected.trim_start_matches('\n'));
}

#[test]
fn yaml_says_the_same() {
    let expected = r##"
apiVersion: shardctl.dev/v1alpha1
kind: VerifyReport
service:
  namespace: biometric-shards
  name: biometric-shard
takenAt: "2026-11-22T12:00:00Z"
phase: stable
isUp: false
shards:
  ready: 9
  wanted: 10
  required: 10
counts:
  checks: 3
  passed: 0
  skipped: 1
  couldNotRun: 1
  findings: 1
  errors: 1
  warnings: 0
  infos: 0
findings:
- check: shard-ready
  severity: error
  object: pod/biometric-shard-3
  evidence: "CrashLoopBackOff: back-off 5m0s restarting failed container=biometric-shard, 7 restarts (for 2m)"
  remedy: "Read its events and its last log: `kubectl describe pod`, `kubectl logs --previous`"
couldNotRun:
- check: node-ready
  severity: error
  asked: list nodes
  answer: "forbidden: User \"system:serviceaccount:ci:verify\" cannot list resource \"nodes\""
  isForbidden: true
skipped:
- check: vpa-evicts
  reason: no VerticalPodAutoscaler targets the workload
passed: []
"##;
    assert_eq!(
        yaml(&report(&blind(), &["node-ready", "vpa-evicts", "shard-ready"])),
        expected.trim_start_matches('\n')
    );
}

#[test]
fn junit_has_a_case_for_each_check() {
    let expected = r##"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="shardctl verify" tests="6" skipped="2" failures="1" errors="1">
    <testsuite name="shardctl verify biometric-shards/biometric-shard" tests="6" skipped="2" errors="1" failures="1">
        <properties>
            <property name="takenAt" value="2026-11-22T12:00:00Z"/>
        </properties>
        <testcase name="shard-ready: every shard that has a pod is Ready" classname="shardctl.verify.shard-ready">
            <failure message="pod/biometric-shard-3: CrashLoopBackOff: back-off 5m0s restarting failed container=biometric-shard, 7 restarts (for 2m)" type="error">pod/biometric-shard-3: CrashLoopBackOff: back-off 5m0s restarting failed container=biometric-shard, 7 restarts (for 2m)
  -&gt; Read its events and its last log: `kubectl describe pod`, `kubectl logs --previous`</failure>
        </testcase>
        <testcase name="priority-class: shards may preempt lesser pods" classname="shardctl.verify.priority-class">
            <system-out>warning
statefulset/biometric-shard: no priorityClassName: a shard that needs room waits behind any other pod, and may be preempted
  -&gt; Set spec.template.spec.priorityClassName</system-out>
        </testcase>
        <testcase name="pdb-exists: a PodDisruptionBudget covers the shards" classname="shardctl.verify.pdb-exists"/>
        <testcase name="node-ready: every shard&apos;s node is there and Ready" classname="shardctl.verify.node-ready">
            <error message="could not run: list nodes: forbidden: User &quot;system:serviceaccount:ci:verify&quot; cannot list resource &quot;nodes&quot;" type="could-not-run"/>
        </testcase>
        <testcase name="vpa-evicts: no autoscaler restarts or resizes a running shard" classname="shardctl.verify.vpa-evicts">
            <skipped message="no VerticalPodAutoscaler targets the workload"/>
        </testcase>
        <testcase name="vpa-initial: no autoscaler changes the size of new pods" classname="shardctl.verify.vpa-initial">
            <skipped message="no VerticalPodAutoscaler targets the workload"/>
        </testcase>
    </testsuite>
</testsuites>
"##;
    assert_eq!(junit(&report(&blind(), &FEW), Severity::Error), expected.trim_start_matches('\n'));
}

#[test]
fn prometheus_has_a_sample_for_each_check_that_ran() {
    let expected = r##"
# HELP shardctl_check_findings Findings of a check that ran.
# TYPE shardctl_check_findings gauge
shardctl_check_findings{namespace="biometric-shards",workload="biometric-shard",check="shard-ready",severity="error"} 1
shardctl_check_findings{namespace="biometric-shards",workload="biometric-shard",check="priority-class",severity="warning"} 1
shardctl_check_findings{namespace="biometric-shards",workload="biometric-shard",check="pdb-exists",severity="error"} 0
# HELP shardctl_check_could_not_run Whether what a check looks at could not be read.
# TYPE shardctl_check_could_not_run gauge
shardctl_check_could_not_run{namespace="biometric-shards",workload="biometric-shard",check="shard-ready",severity="error"} 0
shardctl_check_could_not_run{namespace="biometric-shards",workload="biometric-shard",check="priority-class",severity="warning"} 0
shardctl_check_could_not_run{namespace="biometric-shards",workload="biometric-shard",check="pdb-exists",severity="error"} 0
shardctl_check_could_not_run{namespace="biometric-shards",workload="biometric-shard",check="node-ready",severity="error"} 1
# HELP shardctl_shards_ready Shards that are up.
# TYPE shardctl_shards_ready gauge
shardctl_shards_ready{namespace="biometric-shards",workload="biometric-shard"} 9
# HELP shardctl_shards_wanted Shards that there should be.
# TYPE shardctl_shards_wanted gauge
shardctl_shards_wanted{namespace="biometric-shards",workload="biometric-shard"} 10
# HELP shardctl_up Whether as many shards are up as the service needs.
# TYPE shardctl_up gauge
shardctl_up{namespace="biometric-shards",workload="biometric-shard"} 0
"##;
    assert_eq!(prometheus(&report(&blind(), &FEW)), expected.trim_start_matches('\n'));
}

#[test]
fn a_healthy_service_is_one_good_line() {
    let (all, skipped) = (CHECKS.len(), 5);
    assert_eq!(
        table(&report(&healthy(), &[]), PLAIN(), Some(80)),
        format!(
            "statefulset/biometric-shard is as it should be ({all} checks: {} passed, {skipped} skipped)\n",
            all - skipped
        )
    );
    let healthy = junit(&report(&healthy(), &[]), Severity::Info);
    assert!(
        healthy.contains(&format!(r#"tests="{all}" skipped="{skipped}" failures="0" errors="0""#)),
        "{healthy}"
    );
}

#[test]
fn the_table_keeps_to_its_width_and_stays_short_with_a_hundred_shards() {
    let mut snapshot = broken();
    snapshot.workload.replicas = 100;
    let shard = snapshot.shards[3].clone();
    for ordinal in 10..100 {
        let mut shard = shard.clone();
        shard.ordinal = ordinal;
        shard.pod_name = PodName::new(format!("biometric-shard-{ordinal}"));
        snapshot.shards.push(shard);
    }
    for width in [80, 100, 140] {
        let text = table(&report(&snapshot, &[]), PLAIN(), Some(width));
        for line in text.lines() {
            assert!(line.chars().count() <= width, "{} columns: {line}", line.chars().count());
        }
        assert!(text.lines().count() < 150, "{} lines", text.lines().count());
        assert!(text.contains(" pod/biometric-shard-{3,10..99}"), "{text}");
    }
    let wide = wide(&report(&snapshot, &["shard-ready"]), PLAIN());
    assert_eq!(wide.lines().filter(|line| line.starts_with("error")).count(), 91);
}

#[test]
fn lines_that_differ_in_more_than_ordinals_are_counted_after_the_first_few() {
    let mut snapshot = healthy();
    for shard in &mut snapshot.shards {
        let pod = shard.pod.as_mut().unwrap();
        pod.annotations
            .insert(crate::domain::snapshot::DO_NOT_DISRUPT.to_owned(), format!("{}h", shard.ordinal));
    }
    let text = table(&report(&snapshot, &["shard-do-not-disrupt"]), PLAIN(), Some(100));
    assert!(text.contains("pod/biometric-shard-3 ") && !text.contains("pod/biometric-shard-4 "), "{text}");
    assert!(text.contains("+ 6 more, see -o wide"), "{text}");
}

#[test]
fn a_line_of_many_ordinals_is_not_wider_than_there_is_room() {
    let mut snapshot = broken();
    snapshot.workload.replicas = 100;
    let shard = snapshot.shards[4].clone();
    for ordinal in 10..100 {
        let mut shard = shard.clone();
        shard.ordinal = ordinal;
        shard.pod_name = PodName::new(format!("biometric-shard-{ordinal}"));
        snapshot.shards.push(shard);
    }
    for shard in snapshot.shards.iter_mut().step_by(2) {
        shard.pod.as_mut().unwrap().containers[0].restarts = 1;
    }
    let text = table(&report(&snapshot, &["shard-restarts"]), PLAIN(), Some(80));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(text.contains("more, see -o wide"), "{text}");
}

#[test]
fn colour_changes_no_word() {
    let coloured = table(&report(&blind(), &[]), Stylesheet::new(true), Some(80));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    assert_ne!(coloured, plain);
    assert_eq!(plain, table(&report(&blind(), &[]), PLAIN(), Some(80)));
}
