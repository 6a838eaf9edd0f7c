//! The report as people see it.

use super::*;
use crate::domain::names::NodeName;
use crate::domain::routing::testing::{good, probes_alone, row, timed_out, well, with_probes};
use crate::domain::routing::{Asker, Outcome, diagnose};
use crate::render::style::Stylesheet;

pub fn look(width: usize) -> Look {
    Look { style: Stylesheet::new(false), width: Some(width), ascii: false }
}

pub fn shown(survey: &Survey, draw: fn(&RoutingReport<'_>, Look) -> String) -> String {
    draw(&RoutingReport { survey, findings: &diagnose(survey) }, look(80))
}

#[test]
fn a_service_that_is_well_is_a_matrix_and_a_line() {
    let text = shown(&well(), table);
    assert_eq!(
        text,
        "\
statefulset/ring in rt: each shard asks each for /api/status at
POD.ring.rt.svc.cluster.local:8080, with nc

FROM, TO 0 1 2 3 4 5
ring-0   · · · · · ·   a
ring-1   · · · · · ·   a
ring-2   · · · · · ·   b
ring-3   · · · · · ·   b
ring-4   · · · · · ·   c
ring-5   · · · · · ·   c
· answers

all 36 questions were answered; median 3.0 ms, 99% 3.0 ms, longest 3.0 ms
"
    );
}

#[test]
fn what_is_wrong_has_a_letter_and_a_cause() {
    let survey = well()
        .says(|_, to| to == 5, Outcome::Refused)
        .says(|from, to| from / 2 == 0 && to / 2 == 1, timed_out());
    assert_eq!(
        shown(&survey, table),
        "\
statefulset/ring in rt: each shard asks each for /api/status at
POD.ring.rt.svc.cluster.local:8080, with nc

FROM, TO 0 1 2 3 4 5
ring-0   · · T T · R   a
ring-1   · · T T · R   a
ring-2   · · · · · R   b
ring-3   · · · · · R   b
ring-4   · · · · · R   c
ring-5   · · · · · R   c
· answers, R nobody listens, T no connection

SEVERITY   CHECK, OBJECT              EVIDENCE
error      shard-listens (expected: every shard takes connections)
           pod/ring-5                 nobody listens on its port 8080
           -> See what the process says: `kubectl logs`; or name the right port
              with --port

error      network-reaches
           (expected: the network carries every shard to every other)
           node/a                     no shard on a reaches one on b, in this
                                      direction only (4 pairs)
           -> See the network policies, and whether the nodes reach each other:
              the network plugin's pods, routes, security groups

26 of 36 questions were answered; median 3.0 ms, 99% 3.0 ms, longest 3.0 ms
"
    );
}

#[test]
fn probes_have_rows_of_their_own() {
    let survey = with_probes().with_any(
        |from, to| *from == Asker::Probe(NodeName::new("b")) && to == 0,
        |answer| answer.outcome = Outcome::Hangs,
    );
    assert_eq!(
        shown(&survey, table),
        "\
statefulset/ring in rt: shards and probes ask each shard for /api/status at
POD.ring.rt.svc.cluster.local:8080, with nc

FROM, TO 0 1 2 3 4 5
ring-0   · · · · · ·   a
ring-1   · · · · · ·   a
ring-2   · · · · · ·   b
ring-3   · · · · · ·   b
ring-4   · · · · · ·   c
ring-5   · · · · · ·   c
probe    · · · · · ·   a
probe    H · · · · ·   b
probe    · · · · · ·   c
· answers, H connects, no answer

SEVERITY   CHECK, OBJECT              EVIDENCE
error      shard-answers (expected: every shard answers with success, in time)
           node/b                     the probe there, asking ring-0: connects,
                                      no answer
           -> See what the process waits for: `kubectl logs`, a thread dump; or
              give it longer with --timeout

53 of 54 questions were answered; median 3.0 ms, 99% 3.0 ms, longest 3.0 ms
"
    );
    let text = shown(&probes_alone(), table);
    assert!(text.starts_with("statefulset/ring in rt: a probe on each node asks each shard for"), "{text}");
    assert!(text.contains("FROM, TO 0 1 2 3 4 5\nprobe    · · · · · ·   a\nprobe "), "{text}");
    assert!(shown(&survey, wide).contains("probe on b   ring-0   connects, no answer   10.0.0.0"));
}

#[test]
fn who_could_not_ask_has_no_row_where_a_probe_asked() {
    let mut survey = with_probes();
    for shard in [2, 3] {
        survey.rows.remove(&Asker::Shard(shard));
        survey.stand_ins.insert(shard, "its image has no shell".to_owned());
    }
    for node in ["a", "c"] {
        survey.rows.remove(&Asker::Probe(NodeName::new(node)));
    }
    // It has no pod, and nobody asks for it.
    survey.places.remove(&5);
    survey.rows.remove(&Asker::Shard(5));
    let text = shown(&survey, table);
    let matrix = "\
FROM, TO 0 1 2 3 4 5
ring-0   · · · · · ·   a
ring-1   · · · · · ·   a
ring-4   · · · · · ·   c
ring-5
probe    · · · · · ·   b
";
    assert!(text.contains(matrix), "{text}");
    assert!(text.contains("its image has no shell; a probe on b"), "{text}");
}

/// Names of nodes differ at their end.
#[test]
fn the_node_of_a_probe_is_told_where_there_is_little_room() {
    let mut survey = probes_alone();
    survey.replicas = 20;
    survey.rows = ["aks-shard-12345678-vmss000000", "aks-shard-12345678-vmss00000a"]
        .map(|node| (Asker::Probe(NodeName::new(node)), row()))
        .into();
    let text = shown(&survey, table);
    assert!(text.contains("…s000000\n") && text.contains("…s00000a\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

/// A hundred shards on twenty nodes, one way of which is cut.
#[test]
fn of_many_shards_the_nodes_are_shown() {
    let mut survey = well();
    survey.replicas = 100;
    for ordinal in 0..100 {
        let mut place = survey.places[&0].clone();
        place.node = Some(crate::domain::names::NodeName::new(format!("node-{:02}", ordinal / 5)));
        survey.places.insert(ordinal, place);
        let mut row = row();
        row.answers = (0..100)
            .map(|to| {
                let mut answer = good(0);
                answer.addresses = None;
                answer.outcome = match (ordinal / 5, to / 5) {
                    (3, 4) => timed_out(),
                    _ => Outcome::Answered { status: 200, identity: Some(format!("ring-{to}")) },
                };
                (to, answer)
            })
            .collect();
        survey.rows.insert(Asker::Shard(ordinal), row);
    }
    let text = shown(&survey, table);
    assert!(
        text.contains(
            "FROM NODE   TO NODE   ANSWERED   OTHERWISE\nnode-03     node-04   0 of 25    25 T\nand 399 ways between \
             20 nodes on which all is well\n"
        ),
        "{text}"
    );
    assert!(text.contains("node/node-03               no shard on node-03 reaches one on\n"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn programs_get_every_question() {
    let survey = well().says(|from, to| (from, to) == (0, 5), Outcome::Hangs);
    let findings = diagnose(&survey);
    let report = RoutingReport { survey: &survey, findings: &findings };
    let json = serde_json::to_value(super::report(&report)).expect("JSON");
    assert_eq!(
        (&json["apiVersion"], &json["kind"]),
        (&"shardctl.dev/v1alpha1".into(), &"RoutingReport".into())
    );
    assert_eq!(json["counts"], serde_json::json!({"asked": 36, "answered": 35, "findings": 1}));
    assert_eq!(json["pairs"].as_array().map(Vec::len), Some(36));
    assert_eq!(json["pairs"][5]["result"], "hangs");
    assert_eq!(json["pairs"][5]["status"], serde_json::Value::Null);
    assert_eq!(json["pairs"][0]["identity"], "ring-0");
    assert_eq!(json["pairs"][0]["total"], 3.0);
    let survey = with_probes();
    let findings = diagnose(&survey);
    let json = super::report(&RoutingReport { survey: &survey, findings: &findings });
    let json = serde_json::to_value(json).expect("JSON");
    assert_eq!(
        json["probes"][1],
        serde_json::json!({"node": "b", "zone": null, "tool": "nc", "because": null})
    );
    assert_eq!(
        (&json["pairs"][0]["from"], &json["pairs"][0]["fromProbeOn"]),
        (&0.into(), &serde_json::Value::Null)
    );
    assert_eq!(
        (&json["pairs"][53]["from"], &json["pairs"][53]["fromProbeOn"]),
        (&serde_json::Value::Null, &"c".into())
    );
    let junit = quick_junit::Report::deserialize_from_str(&junit(&report)).expect("JUnit XML");
    assert_eq!((junit.test_suites[0].tests, junit.test_suites[0].failures), (CHECKS.len(), 1));
    assert!(wide(&report, look(80)).contains("ring-0   ring-5   connects, no answer   10.0.0.5"));
}
