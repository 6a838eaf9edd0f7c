//! Each check finds the one thing that it is for, and nothing else does.

mod cases;

use std::collections::BTreeSet;

use super::super::shardset::manifests::AVAILABILITY_ANNOTATION;
use super::super::shardset::{All, Availability, Phase, ShardSet};
use super::super::testing::{healthy, quantity, resources};
use super::*;
use cases::*;

fn ids(report: &Report) -> BTreeSet<&'static str> {
    report.findings.iter().map(|finding| finding.check).collect()
}

#[test]
fn a_healthy_service_has_no_findings_and_no_check_stays_blind() {
    let snapshot = healthy();
    let report = verify(&Facts::new(&snapshot), &Selection::default());
    assert_eq!(report.findings, []);
    assert_eq!(report.could_not_run, []);
    let skipped: Vec<_> = report.skipped.iter().map(|skipped| skipped.check).collect();
    assert_eq!(skipped, ["replica-count", "template-phase", "vpa-evicts", "vpa-initial", "drift"]);
}

#[test]
fn each_fault_is_found_by_its_checks_and_by_no_other() {
    for (name, break_it, expected) in CASES {
        let mut snapshot = healthy();
        break_it(&mut snapshot);
        let report = verify(&Facts::new(&snapshot), &Selection::default());
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        assert_eq!(ids(&report), expected, "{name}: {:#?}", report.findings);
    }
}

#[test]
fn what_the_file_says_is_compared_with_what_is() {
    for (name, break_it, expected) in FILE_CASES {
        let (mut snapshot, mut shardset) = (healthy(), ShardSet::tutorial());
        break_it(&mut snapshot, &mut shardset);
        let mut facts = Facts::new(&snapshot);
        facts.shardset = Some(&shardset);
        facts.drift = Some(Ok(Vec::new()));
        let report = verify(&facts, &Selection::default());
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        assert_eq!(ids(&report), expected, "{name}: {:#?}", report.findings);
    }
}

#[test]
fn drift_is_one_finding_for_each_field() {
    let snapshot = healthy();
    let mut facts = Facts::new(&snapshot);
    let drift = |path: &str| Drift::Field {
        object: "statefulset/biometric-shard".to_owned(),
        path: path.to_owned(),
        live: "a".to_owned(),
        wanted: "b".to_owned(),
    };
    let missing = Drift::Missing { object: "nodepool/biometric-stable".to_owned() };
    facts.drift = Some(Ok(vec![drift("spec.x"), drift("spec.y"), missing]));
    let report = verify(&facts, &Selection::default());
    let evidence: Vec<_> =
        report.findings.iter().map(|finding| (finding.check, finding.evidence.as_str())).collect();
    assert_eq!(
        evidence,
        [
            ("drift", "spec.x is a, the file makes it b"),
            ("drift", "spec.y is a, the file makes it b"),
            ("drift", "it is not there, and the file makes it"),
        ]
    );
}

#[test]
fn every_check_has_a_case_that_it_fails() {
    let mut covered: BTreeSet<&str> = BTreeSet::from(["drift"]);
    covered.extend(CASES.iter().flat_map(|(_, _, ids)| ids.iter().copied()));
    covered.extend(FILE_CASES.iter().flat_map(|(_, _, ids)| ids.iter().copied()));
    let all: BTreeSet<&str> = CHECKS.iter().map(|check| check.id).collect();
    assert_eq!(all, covered);
}

#[test]
fn ids_are_unique_kebab_case_and_meanings_are_one_line() {
    let mut seen = BTreeSet::new();
    for check in CHECKS {
        assert!(seen.insert(check.id), "{} is there twice", check.id);
        assert!(check.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", check.id);
        assert!(check.meaning.len() <= 72 && !check.meaning.ends_with('.'), "{}", check.meaning);
        assert!(!check.subject().is_empty());
    }
    for (subject, _) in SUBJECTS {
        assert!(!seen.contains(subject), "{subject} is a subject and a check");
    }
}

fn unknown(part: &str) -> Unknown {
    Unknown { asked: format!("list {part}"), answer: "forbidden".to_owned(), is_forbidden: true }
}

#[test]
fn a_part_that_is_unknown_only_keeps_checks_from_running() {
    let whole = healthy();
    let passed = verify(&Facts::new(&whole), &Selection::default()).passed;
    for (part, hide) in PARTS {
        let mut snapshot = healthy();
        hide(&mut snapshot, unknown(part));
        let report = verify(&Facts::new(&snapshot), &Selection::default());
        assert_eq!(report.findings, [], "{part}");
        assert!(!report.could_not_run.is_empty(), "{part}");
        for blind in &report.could_not_run {
            assert_eq!(blind.cause.asked, format!("list {part}"), "{}", blind.check);
        }
        // What passed before passes still, or could not run: nothing is passed over in silence.
        for id in &passed {
            let is_blind = report.could_not_run.iter().any(|blind| blind.check == *id);
            assert!(report.passed.contains(id) || is_blind, "{part}: {id}");
        }
    }
}

#[test]
fn a_fault_is_found_or_unknown_whatever_else_is_hidden() {
    for (name, break_it, expected) in CASES {
        for (part, hide) in PARTS {
            let mut snapshot = healthy();
            break_it(&mut snapshot);
            hide(&mut snapshot, unknown(part));
            let report = verify(&Facts::new(&snapshot), &Selection::default());
            for id in *expected {
                let is_found = report.findings.iter().any(|finding| finding.check == *id);
                let is_blind = report.could_not_run.iter().any(|blind| blind.check == *id);
                assert!(is_found != is_blind, "{name} without {part}: {id}");
            }
            for finding in &report.findings {
                assert!(expected.contains(&finding.check), "{name} without {part}: {finding:?}");
            }
        }
    }
}

#[test]
fn the_phase_is_given_annotated_or_inferred() {
    let mut snapshot = healthy();
    let mut facts = Facts::new(&snapshot);
    assert_eq!(facts.phase(), Ok(Some(Phase::Stable)), "annotated");
    facts.phase = Some(Phase::Explore);
    assert_eq!(facts.phase(), Ok(Some(Phase::Explore)), "given");
    snapshot.workload.annotations.clear();
    assert_eq!(Facts::new(&snapshot).phase(), Ok(Some(Phase::Stable)), "inferred");
    pool(&mut snapshot).requirements.clear();
    assert_eq!(Facts::new(&snapshot).phase(), Ok(None), "nothing tells");
    snapshot.node_pools = Err(unknown("node_pools"));
    assert!(Facts::new(&snapshot).phase().is_err());
}

#[test]
fn the_availability_is_that_of_the_file_or_the_annotation_or_all() {
    let mut snapshot = healthy();
    let all = Availability::All(All::All);
    assert_eq!(Facts::new(&snapshot).availability(), all);
    for (text, expected) in [("8", Availability::AtLeast(8)), ("all", all), ("most", all)] {
        snapshot.workload.annotations.insert(AVAILABILITY_ANNOTATION.to_owned(), text.to_owned());
        assert_eq!(Facts::new(&snapshot).availability(), expected, "{text}");
    }
    let shardset = ShardSet::tutorial();
    let mut facts = Facts::new(&snapshot);
    facts.shardset = Some(&shardset);
    assert_eq!(facts.availability(), all);
}

#[test]
fn checks_are_selected_by_id_or_subject() {
    let snapshot = healthy();
    let run = |only: &[&str], skip: &[&str]| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        verify(&Facts::new(&snapshot), &Selection::new(names(only), names(skip)).unwrap())
    };
    assert_eq!(run(&["shard-ready"], &[]).selected, ["shard-ready"]);
    assert_eq!(run(&["autoscaling"], &[]).selected, ["vpa-evicts", "vpa-initial"]);
    let skipped = run(&["autoscaling", "shard-ready"], &["autoscaling"]);
    assert_eq!(skipped.passed, ["shard-ready"]);
    assert_eq!(skipped.skipped[0].reason, "left out by --skip");
    assert_eq!(run(&[], &[]).selected.len(), CHECKS.len());
}

#[test]
fn an_unknown_check_is_refused_with_the_nearest() {
    let error = Selection::new(["shard-redy".to_owned()], []).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no check `shard-redy`, did you mean `shard-ready`?, see `shardctl explain`"
    );
    assert_eq!(Selection::new([], ["xyz".to_owned()]).unwrap_err().nearest, None);
}

#[test]
fn findings_come_gravest_first_and_twice_the_same() {
    let mut snapshot = healthy();
    snapshot.server_version = Ok("v1.20.0".to_owned());
    service(&mut snapshot, 1).session_affinity = "ClientIP".to_owned();
    for ordinal in [5, 3] {
        pod(&mut snapshot, ordinal).is_ready = false;
    }
    let report = verify(&Facts::new(&snapshot), &Selection::default());
    let order: Vec<_> =
        report.findings.iter().map(|finding| (finding.severity, finding.object.as_str())).collect();
    assert_eq!(
        order,
        [
            (Severity::Error, "pod/biometric-shard-3"),
            (Severity::Error, "pod/biometric-shard-5"),
            (Severity::Warning, "cluster"),
            (Severity::Info, "service/biometric-shard"),
        ]
    );
    let again = verify(&Facts::new(&snapshot), &Selection::default());
    assert_eq!(format!("{report:?}"), format!("{again:?}"));
    assert!(report.has_finding(Severity::Error) && !report.is_blind(Severity::Info));
}

#[test]
fn the_arithmetic_of_limits_is_in_the_evidence() {
    let evidence = |break_it: Break| {
        let mut snapshot = healthy();
        break_it(&mut snapshot);
        let report = verify(&Facts::new(&snapshot), &Selection::new(["limits".to_owned()], []).unwrap());
        report.findings[0].evidence.clone()
    };
    assert_eq!(
        evidence(|s| {
            pool(s).limits.insert("memory".to_owned(), quantity("320Gi"));
        }),
        "10 shards need 4 Standard_E16s_v5 (3 each): memory 473.6Gi, its limit is 320.0Gi"
    );
    assert_eq!(
        evidence(|s| {
            pool(s).limits.insert("cpu".to_owned(), quantity("79"));
        }),
        "cpu: limit 79 less 64 in use leaves 15, one more Standard_E16s_v5 needs 16; Karpenter makes no node \
         that exceeds what is left"
    );
    assert_eq!(
        evidence(|s| template(s).requests = resources("4", "128Gi")),
        "a Standard_E16s_v5 leaves 15240m CPU and 110.2Gi for shards, one requests 4 and 128.0Gi"
    );
    assert_eq!(
        evidence(|s| {
            // Never seen, but known: planned as Node Auto Provisioning plans it.
            pool(s).requirements[0] = expression("node.kubernetes.io/instance-type", &["Standard_E8s_v5"]);
            pool(s).usage.clear();
        }),
        "cpu: limit 80 less 80 for all shards leaves 0, one more Standard_E8s_v5 needs 8; Karpenter makes no node \
         that exceeds what is left"
    );
    assert_eq!(
        evidence(|s| {
            pool(s).requirements.remove(0);
            pool(s).limits.insert("cpu".to_owned(), quantity("39"));
        }),
        "10 shards request at least: cpu 40, its limit is 39"
    );
}
