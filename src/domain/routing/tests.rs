//! Each fault has its finding, and no other.

use super::testing::{ip, probes_alone, timed_out, unresolved, well, with_probes};
use super::*;
use crate::domain::finding::Severity;

impl Survey {
    /// What is found: check, object, evidence.
    pub(super) fn found(&self) -> Vec<String> {
        let line = |finding: crate::domain::finding::Finding| {
            format!("{} {}: {}", finding.check, finding.object, finding.evidence)
        };
        diagnose(self).into_iter().map(line).collect()
    }
}

#[test]
fn a_service_that_is_well_has_no_findings() {
    assert!(well().found().is_empty());
    assert!(well().marks().all(|(.., mark)| mark == Mark::Good));
    assert_eq!(well().marks().count(), 36);
}

#[test]
fn a_shard_that_does_not_listen_is_told_from_one_that_listens_to_itself() {
    let mut refused = well().says(|_, to| to == 5, Outcome::Refused);
    assert_eq!(refused.found(), ["shard-listens pod/ring-5: nobody listens on its port 8080"]);
    refused.inside.insert(5, Outcome::Answered { status: 200, identity: None });
    assert_eq!(
        refused.found(),
        ["shard-listens pod/ring-5: it listens on port 8080 of its loopback address only"]
    );
}

#[test]
fn the_network_is_told_as_widely_as_it_is_broken() {
    let node = |shard: u32| shard / 2;
    let blocked = well().says(|from, to| from != to, timed_out());
    assert_eq!(
        blocked.found(),
        ["network-reaches network: no shard reaches another on port 8080: timed out"]
    );
    let between = well().says(|from, to| node(from) != node(to), timed_out());
    assert_eq!(
        between.found(),
        ["network-reaches network: no shard reaches one on another node, on port 8080: timed out"]
    );
    let isolated =
        well().says(|from, to| node(from) != node(to) && (node(from) == 1 || node(to) == 1), timed_out());
    assert_eq!(
        isolated.found(),
        ["network-reaches node/b: of other nodes, on port 8080: nothing comes from it or to it (16 pairs)"]
    );
    let closed = well().says(|from, to| from != to && node(to) == 1, timed_out());
    assert_eq!(
        closed.found(),
        [
            "network-reaches node/b: of other nodes, on port 8080: nothing comes to it, and what it sends arrives (8 \
             pairs)"
        ]
    );
    let both = well().says(|from, to| [(0, 1), (1, 0)].contains(&(node(from), node(to))), timed_out());
    assert_eq!(
        both.found(),
        ["network-reaches node/a, node/b: no shard on a reaches one on b, in both directions (8 pairs)"]
    );
    let one_way = well().says(|from, to| (node(from), node(to)) == (1, 2), timed_out());
    assert_eq!(
        one_way.found(),
        ["network-reaches node/b: no shard on b reaches one on c, in this direction only (4 pairs)"]
    );
    let alone = well().says(|from, to| to == 4 && from != 4, timed_out());
    assert_eq!(
        alone.found(),
        ["network-reaches pod/ring-4: no other shard reaches it on port 8080: timed out"]
    );
    let pair = well().says(|from, to| (from, to) == (0, 4), timed_out());
    assert_eq!(pair.found(), ["network-reaches pod/ring-0: asking ring-4: timed out"]);
}

#[test]
fn an_answer_that_is_no_success_is_the_shards_own() {
    let sick = well().says(|_, to| to == 2, Outcome::Answered { status: 503, identity: None });
    assert_eq!(sick.found(), ["shard-answers pod/ring-2: /api/status answers 503"]);
    let hangs = well().says(|_, to| to == 2, Outcome::Hangs);
    assert_eq!(
        hangs.found(),
        ["shard-answers pod/ring-2: it takes connections, and /api/status never answers"]
    );
    let once = well().says(|from, to| (from, to) == (0, 2), Outcome::Hangs);
    assert_eq!(once.found(), ["shard-answers pod/ring-0: asking ring-2: connects, no answer"]);
}

#[test]
fn a_shard_that_answers_as_another_is_told() {
    let stranger = |name: &str| Outcome::Answered { status: 200, identity: Some(name.to_owned()) };
    let swapped = well().says(|_, to| to == 1, stranger("ring-2")).says(|_, to| to == 2, stranger("ring-1"));
    assert_eq!(
        swapped.found(),
        [
            "shard-identity pod/ring-1: it answers as ring-2 (to 6 of 6)",
            "shard-identity pod/ring-2: it answers as ring-1 (to 6 of 6)"
        ]
    );
    let mut unasked = swapped;
    unasked.wants_identity = false;
    assert!(unasked.found().is_empty());
    let nameless = well().says(|_, _| true, Outcome::Answered { status: 200, identity: None });
    assert_eq!(
        nameless.found(),
        ["identity-told pod/ring-{0..5}: the answer to /api/status does not say which shard it is from"]
    );
}

#[test]
fn who_could_not_ask_is_told() {
    let mut survey = well();
    for row in survey.rows.values_mut() {
        row.via = Via::PortForward { because: "the image has no shell".to_owned() };
    }
    assert!(!survey.asks_the_network());
    assert_eq!(
        survey.found(),
        [
            "shard-asks pod/ring-{0..5}: asked through port-forward, so the network was not tested: the image has no \
          shell"
        ]
    );
    let mut survey = well();
    survey.rows.remove(&Asker::Shard(3));
    survey.mute.insert(3, "forbidden".to_owned());
    assert_eq!(survey.found(), ["shard-asks pod/ring-3: nobody could ask from it: forbidden"]);
    survey.mute.clear();
    for (asker, unanswered) in [(0, 3), (2, 1)] {
        survey.rows.get_mut(&Asker::Shard(asker)).expect("its row").unanswered = unanswered;
    }
    let cut = "shard-asks pod/ring-{0,2}: their sessions ended before 4 questions were answered";
    assert_eq!(survey.found(), [cut]);
}

/// The node that is asked from, and that of whoever is asked, a to c.
fn node_of(asker: &Asker) -> u32 {
    match asker {
        Asker::Shard(shard) => shard / 2,
        Asker::Probe(node) => {
            (0..3).find(|at| ["a", "b", "c"][*at as usize] == node.as_str()).expect("a node")
        }
    }
}

fn is_probe(asker: &Asker) -> bool {
    matches!(asker, Asker::Probe(_))
}

#[test]
fn probes_see_what_shards_see() {
    assert!(with_probes().found().is_empty());
    assert_eq!(with_probes().marks().count(), 54);
    assert!(probes_alone().found().is_empty() && probes_alone().asks_the_network());
    let refused =
        |survey: Survey| survey.with_any(|_, to| to == 5, |answer| answer.outcome = Outcome::Refused);
    for survey in [with_probes(), probes_alone()] {
        assert_eq!(refused(survey).found(), ["shard-listens pod/ring-5: nobody listens on its port 8080"]);
    }
    let cut = |survey: Survey| {
        let is_cut = |from: &Asker, to: u32| [(0, 1), (1, 0)].contains(&(node_of(from), to / 2));
        survey.with_any(is_cut, |answer| answer.outcome = timed_out())
    };
    assert_eq!(
        cut(with_probes()).found(),
        ["network-reaches node/a, node/b: no shard on a reaches one on b, in both directions (12 pairs)"]
    );
    assert_eq!(
        cut(probes_alone()).found(),
        [
            "network-reaches node/a, node/b: the probe on a reaches no shard on b, in both directions (4 pairs)"
        ]
    );
    let all = probes_alone().with_any(|_, _| true, |answer| answer.outcome = timed_out());
    assert_eq!(all.found(), ["network-reaches network: no probe reaches a shard on port 8080: timed out"]);
    let one = with_probes().with_any(
        |from, to| is_probe(from) && node_of(from) == 1 && to == 0,
        |answer| answer.outcome = Outcome::Hangs,
    );
    assert_eq!(one.found(), ["shard-answers node/b: the probe there, asking ring-0: connects, no answer"]);
    let kept_in = with_probes().says(|from, to| from == 4 && to < 2, timed_out());
    assert_eq!(
        kept_in.found(),
        ["network-reaches pod/ring-4: asking ring-{0..1}: timed out; the probe on the same node is answered"]
    );
}

#[test]
fn a_probe_tells_the_resolver_of_a_node_from_that_of_a_shard() {
    let blind = |who: fn(&Asker) -> bool| {
        with_probes().with_any(
            move |from, to| *from != Asker::Shard(to) && who(from),
            |answer| *answer = unresolved("timed out"),
        )
    };
    assert_eq!(
        blind(|from| node_of(from) == 1).found(),
        [
            "name-resolves node/b: ring-{2..3} and the probe on b resolve no name, and shards elsewhere do: timed out"
        ]
    );
    assert_eq!(
        blind(|from| *from == Asker::Shard(2)).found(),
        ["name-resolves pod/ring-2: ring-2 resolves no name, and the probe on the same node does: timed out"]
    );
    assert_eq!(
        blind(|from| node_of(from) == 1 && !is_probe(from)).found(),
        [
            "name-resolves pod/ring-{2..3}: ring-{2..3} resolve no name, and the probe on the same node does: timed out"
        ]
    );
    let alone =
        probes_alone().with_any(|from, _| node_of(from) == 2, |answer| *answer = unresolved("timed out"));
    assert_eq!(
        alone.found(),
        ["name-resolves node/c: the probe on c resolves no name, and probes elsewhere do: timed out"]
    );
}

#[test]
fn what_only_probes_do_not_get_is_no_fault_of_the_service() {
    let kept_out = with_probes().with_any(|from, _| is_probe(from), |answer| answer.outcome = timed_out());
    let findings = diagnose(&kept_out);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Info), "{findings:?}");
    assert_eq!(
        kept_out.found(),
        [
            "probe-agrees node/a, node/b, node/c: the probes on a, b, c reach no shard, and the shards beside do: timed \
             out"
        ]
    );
    let blind = with_probes()
        .with_any(|from, _| is_probe(from) && node_of(from) == 0, |answer| *answer = unresolved("timed out"));
    assert_eq!(
        blind.found(),
        ["probe-agrees node/a: the probe on a resolves no name, and the shards beside do: timed out"]
    );
    // A fault of the service beside it is still told as what it is.
    let both = kept_out.says(|_, to| to == 5, Outcome::Refused);
    assert_eq!(both.found()[0], "shard-listens pod/ring-5: nobody listens on its port 8080");
    assert_eq!(both.found().len(), 2, "{:?}", both.found());
}

#[test]
fn who_asked_in_whose_stead_is_told() {
    let mut survey = with_probes();
    survey.rows.retain(|asker, _| {
        !matches!(asker, Asker::Shard(2..)) && node_of(asker) != 0 || node_of(asker) == 0 && !is_probe(asker)
    });
    for shard in 2..6 {
        survey.stand_ins.insert(shard, "you may not exec into it (create pods/exec)".to_owned());
    }
    assert_eq!(
        survey.found(),
        [
            "shard-asks-itself pod/ring-{2..5}: you may not exec into it (create pods/exec); probes on b, c asked in \
             their stead"
        ]
    );
    assert!(diagnose(&survey).iter().all(|finding| finding.severity == Severity::Info));
    survey.stand_ins.retain(|shard, _| *shard == 3);
    assert!(survey.found()[0].ends_with("; a probe on b asked in its stead"), "{:?}", survey.found());
    let mut refused = well();
    for node in ["a", "b"] {
        refused.no_probe.insert(NodeName::new(node), "refused: quota".to_owned());
    }
    assert_eq!(refused.found(), ["shard-asks node/a, node/b: no probe asks from there: refused: quota"]);
}

/// Two faults at once are two findings: the one does not hide the other.
#[test]
fn faults_do_not_hide_each_other() {
    let survey = well()
        .says(|_, to| to == 5, Outcome::Refused)
        .with(|_, to| to == 0, |answer| *answer = unresolved("bad address"))
        .says(|from, to| from / 2 == 1 && to / 2 == 2 && to != 5, timed_out());
    assert_eq!(
        survey.found(),
        [
            "name-resolves pod/ring-0: no shard can resolve its name",
            "shard-listens pod/ring-5: nobody listens on its port 8080",
            "network-reaches pod/ring-2: asking ring-4: timed out",
            "network-reaches pod/ring-3: asking ring-4: timed out",
        ]
    );
}

/// Whatever is wrong, something is found, and no wrong answer is left without a finding: `diagnose` asserts that.
#[test]
fn nothing_that_is_wrong_is_passed_over() {
    use proptest::prelude::*;

    let outcome = prop_oneof![
        8 => Just(None),
        1 => Just(Some(Outcome::Unresolved { reason: "bad address".to_owned() })),
        1 => Just(Some(Outcome::Refused)),
        2 => Just(Some(timed_out())),
        1 => Just(Some(Outcome::Hangs)),
        1 => Just(Some(Outcome::Broken { reason: "reset".to_owned() })),
        1 => Just(Some(Outcome::Answered { status: 503, identity: None })),
        1 => Just(Some(Outcome::Answered { status: 200, identity: Some("ring-9".to_owned()) })),
    ];
    let one = (outcome, prop::bool::weighted(0.1));
    // Of all six shards, or of one alone; with three probes beside them, or without.
    let all = (prop::collection::vec(one, 54), any::<bool>(), any::<bool>());
    proptest!(|((answers, is_alone, has_probes) in all)| {
        let mut survey = if has_probes { with_probes() } else { well() };
        let mut answers = answers.into_iter();
        for row in survey.rows.values_mut() {
            for (answer, (outcome, is_old)) in row.answers.values_mut().zip(&mut answers) {
                answer.outcome = outcome.unwrap_or_else(|| answer.outcome.clone());
                if is_old {
                    answer.addresses = Some([ip(99)].into());
                }
            }
        }
        if is_alone {
            survey.replicas = 1;
            survey.rows.retain(|from, _| *from == Asker::Shard(0));
            survey.rows.values_mut().for_each(|row| row.answers.retain(|to, _| *to == 0));
        }
        let is_well = survey.marks().all(|(.., mark)| mark == Mark::Good);
        prop_assert_eq!(diagnose(&survey).is_empty(), is_well);
    });
}
