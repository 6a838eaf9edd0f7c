//! Each fault has its finding, and no other.

use super::testing::{ip, timed_out, unresolved, well};
use super::*;

impl Survey {
    /// What is found: check, object, evidence.
    fn found(&self) -> Vec<String> {
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
fn names_that_nobody_resolves_are_the_headless_service_or_dns() {
    let nobody = |reason| well().with(|from, to| from != to, move |answer| *answer = unresolved(reason));
    assert_eq!(
        nobody("nc: bad address").found(),
        ["name-resolves cluster DNS: no name resolves, from any shard: nc: bad address"]
    );
    assert_eq!(
        nobody("Temporary failure in name resolution").found(),
        [
            "name-resolves cluster DNS: no name resolves, from any shard; the name server does not answer: Temporary \
          failure in name resolution"
        ]
    );
    let mut survey = nobody("nc: bad address");
    survey.headless.unmatched = [("app".to_owned(), "other".to_owned())].into();
    assert_eq!(
        survey.found(),
        ["name-resolves service/ring: no name resolves: its selector wants app=other, which no shard has"]
    );
    survey.headless = Headless { name: "ring".to_owned(), ..Headless::default() };
    assert_eq!(
        survey.found(),
        ["name-resolves service/ring: no name resolves: there is no such headless service"]
    );
}

#[test]
fn a_resolver_that_does_not_work_is_its_nodes_or_its_pods() {
    let some = |shards: &'static [u32]| {
        well().with(
            move |from, to| from != to && shards.contains(&from),
            |answer| *answer = unresolved("timed out"),
        )
    };
    assert_eq!(
        some(&[2, 3]).found(),
        ["name-resolves node/b: ring-{2..3} resolve no name, and shards elsewhere do: timed out"]
    );
    assert_eq!(
        some(&[4]).found(),
        ["name-resolves pod/ring-4: ring-4 resolves no name, and shards elsewhere do: timed out"]
    );
}

#[test]
fn a_shard_without_a_name_is_told_with_the_reason() {
    let unnamed = || well().with(|_, to| to == 1, |answer| *answer = unresolved("bad address"));
    assert_eq!(unnamed().found(), ["name-resolves pod/ring-1: no shard can resolve its name"]);
    let mut starting = unnamed();
    starting.places.get_mut(&1).expect("a place").is_ready = false;
    assert_eq!(
        starting.found(),
        [
            "name-resolves pod/ring-1: no shard can resolve its name: it is not Ready, and the headless service names \
          Ready pods only"
        ]
    );
    let mut gone = unnamed();
    gone.places.remove(&1);
    gone.rows.remove(&1);
    assert_eq!(gone.found(), ["name-resolves pod/ring-1: no shard can resolve its name: there is no pod"]);
    let once = well().with(|from, to| (from, to) == (0, 1), |answer| *answer = unresolved("bad address"));
    assert_eq!(once.found(), ["name-resolves pod/ring-0: asking ring-1: bad address"]);
}

#[test]
fn an_old_record_and_a_second_one_are_told_with_the_addresses() {
    let old = well().with(
        |from, to| to == 3 && from < 4,
        |answer| {
            answer.addresses = Some([ip(99)].into());
            answer.outcome = timed_out();
        },
    );
    assert_eq!(
        old.found(),
        ["name-current pod/ring-3: its name leads to 10.0.0.99, and the pod has 10.0.0.3 (seen by 4 of 6)"]
    );
    let two = well().with(|_, to| to == 3, |answer| answer.addresses = Some([ip(3), ip(99)].into()));
    assert_eq!(two.found(), ["name-single pod/ring-3: its name has 2 addresses: 10.0.0.3, 10.0.0.99"]);
    let both = |answer: &mut Answer| {
        answer.addresses.get_or_insert_default().insert("fd00::3".parse().expect("an address"));
    };
    assert!(well().with(|_, _| true, both).found().is_empty(), "one of each kind");
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
    survey.rows.remove(&3);
    survey.mute.insert(3, "forbidden".to_owned());
    assert_eq!(survey.found(), ["shard-asks pod/ring-3: nobody could ask from it: forbidden"]);
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
    // Of all six shards, or of one alone.
    let all = (prop::collection::vec(one, 36), any::<bool>());
    proptest!(|((answers, is_alone) in all)| {
        let mut survey = well();
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
            survey.rows.retain(|from, _| *from == 0);
            survey.rows.values_mut().for_each(|row| row.answers.retain(|to, _| *to == 0));
        }
        let is_well = survey.marks().all(|(.., mark)| mark == Mark::Good);
        prop_assert_eq!(diagnose(&survey).is_empty(), is_well);
    });
}
