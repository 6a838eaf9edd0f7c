//! The report as people see it.

use super::*;
use crate::domain::routing::testing::{good, row, timed_out, well};
use crate::domain::routing::{Asker, Outcome, diagnose};
use crate::render::style::Stylesheet;

fn look(width: usize) -> Look {
    Look { style: Stylesheet::new(false), width: Some(width), ascii: false }
}

fn shown(survey: &Survey, draw: fn(&RoutingReport<'_>, Look) -> String) -> String {
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
    let junit = quick_junit::Report::deserialize_from_str(&junit(&report)).expect("JUnit XML");
    assert_eq!((junit.test_suites[0].tests, junit.test_suites[0].failures), (CHECKS.len(), 1));
    assert!(wide(&report, look(80)).contains("ring-0   ring-5   connects, no answer   10.0.0.5"));
}
