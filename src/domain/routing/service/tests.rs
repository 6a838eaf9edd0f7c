//! Each fault of a client service has its finding, and no other.

use super::testing::{answer_by, answer_of};
use super::*;
use crate::domain::routing::diagnose;
use crate::domain::routing::testing::{ip, timed_out, unresolved, well};

/// What is found: check, object, evidence.
fn found(survey: &Survey, client: ServiceSurvey) -> Vec<String> {
    let line = |finding: Finding| format!("{} {}: {}", finding.check, finding.object, finding.evidence);
    diagnose(&survey.clone().with_client(client)).into_iter().map(line).collect()
}

/// The shard that a proxy gives a request to that gives each as many as another.
fn even(shard: u32, at: u32) -> Option<u32> {
    Some((shard + at) % 6)
}

fn all_well() -> ServiceSurvey {
    well().client().fill(24, even)
}

fn node(shard: u32) -> u32 {
    shard / 2
}

#[test]
fn a_service_that_is_well_has_no_findings() {
    assert_eq!(found(&well(), all_well()), [""; 0]);
    let verdict = all_well().judge(&well());
    assert_eq!((verdict.tally.asked, verdict.tally.answered()), (144, 144));
    let Spread::Judged { expected, test, is_even: true } = verdict.spread else { panic!("{verdict:?}") };
    assert_eq!(expected, (0..6).map(|shard| (shard, 24.0)).collect());
    assert!(test.is_some_and(|test| test.statistic == 0.0 && test.degrees == 5));
}

#[test]
fn endpoints_are_those_of_the_ready_shards() {
    let with = |change: fn(&mut BTreeSet<ServiceEndpoint>)| {
        let mut client = all_well();
        change(client.service.endpoints.as_mut().expect("endpoints"));
        client
    };
    let missing = with(|endpoints| endpoints.retain(|endpoint| endpoint.address != ip(2)))
        .fill(24, |shard, at| [0, 1, 3, 4, 5].get(((shard + at) % 5) as usize).copied());
    assert_eq!(
        found(&well(), missing.clone()),
        [
            "service-endpoints service/ring-client: ring-client does not lead to ring-2: it is Ready, and no endpoint: \
             clients never reach it (selector app=ring)"
        ]
    );
    let mut young = missing;
    young.unsettled.insert(2);
    assert_eq!(
        found(&well(), young),
        [
            "service-judged service/ring-client: what it does with ring-2 is not judged: Ready, endpoint or address has \
             changed within 10 s"
        ],
        "endpoints follow pods within seconds"
    );
    let closed = with(|endpoints| {
        *endpoints = endpoints
            .iter()
            .cloned()
            .map(|endpoint| ServiceEndpoint { is_ready: endpoint.address != ip(2), ..endpoint })
            .collect();
    });
    assert_eq!(
        found(&well(), closed.fill(25, |shard, at| Some([0, 1, 3, 4, 5][((shard + at) % 5) as usize]))),
        [
            "service-endpoints service/ring-client: ring-client does not lead to ring-2: it is Ready, and its endpoint is \
             not: clients never reach it"
        ]
    );
    let double = with(|endpoints| {
        let mut second = endpoints.first().cloned().expect("one");
        second.slice = "by-hand".to_owned();
        second.kept_by = Some("nobody".to_owned());
        endpoints.insert(second);
    });
    assert_eq!(
        found(&well(), double),
        [
            "service-single service/ring-client: 10.0.0.0 is in several EndpointSlices, by-hand and ring-client-x7k2p"
        ]
    );
    let other = with(|endpoints| {
        endpoints.insert(ServiceEndpoint {
            address: ip(77),
            port: Some(8080),
            pod: Some("web-0".to_owned()),
            is_ready: true,
            slice: "ring-client-x7k2p".to_owned(),
            kept_by: None,
        });
    });
    assert_eq!(
        found(&well(), other),
        ["service-endpoints service/ring-client: it also leads to web-0 (10.0.0.77), which is no shard of \
             statefulset/ring"]
    );
    let unknown = crate::domain::snapshot::Unknown {
        asked: "list the endpoints of services ring-client".to_owned(),
        answer: "forbidden".to_owned(),
        is_forbidden: true,
    };
    let mut blind = all_well();
    blind.service.endpoints = Err(unknown.clone());
    assert_eq!(
        found(&well(), blind),
        [
            "service-judged service/ring-client: its endpoints are not known: list the endpoints of services ring-client: \
             forbidden"
        ]
    );
    let mut survey = well();
    survey.clients = Clients { unknown: Some(unknown), elsewhere: vec!["kafka".to_owned()], surveys: vec![] };
    assert_eq!(survey.clients.findings(&survey).len(), 2);
}

#[test]
fn both_addresses_of_a_shard_are_its_own() {
    let mut client = all_well();
    let second = |endpoint: &ServiceEndpoint| ServiceEndpoint {
        address: "fd00::1".parse().expect("an address"),
        ..endpoint.clone()
    };
    let endpoints = client.service.endpoints.as_mut().expect("endpoints");
    let second: Vec<ServiceEndpoint> = endpoints.iter().map(second).collect();
    endpoints.extend(second);
    assert_eq!(found(&well(), client), [""; 0]);
}

#[test]
fn a_dead_address_by_hand_explains_the_requests_that_fail() {
    let mut client = all_well();
    let endpoints = client.service.endpoints.as_mut().expect("endpoints");
    endpoints.retain(|endpoint| endpoint.address != ip(5));
    let mut dead = endpoints.first().cloned().expect("one");
    (dead.address, dead.pod, dead.kept_by) = (ip(99), None, Some("nobody".to_owned()));
    endpoints.insert(dead);
    let client = client.changed(|shard, at| (shard + at) % 6 == 5, |answer| answer.outcome = timed_out());
    assert_eq!(
        found(&well(), client),
        [
            "service-endpoints service/ring-client: ring-client does not lead to ring-5: it is Ready, and no endpoint: \
             clients never reach it (selector app=ring)",
            "service-endpoints service/ring-client: it leads to 10.0.0.99, which is no shard's address (EndpointSlice \
             ring-client-x7k2p, kept by nobody); 24 of 144 requests (16.7 %) fail"
        ]
    );
}

#[test]
fn a_service_that_leads_nowhere_says_why() {
    let refused = |mut client: ServiceSurvey| {
        client.service.endpoints = Ok([].into());
        client.changed(|_, _| true, |answer| answer.outcome = Outcome::Refused)
    };
    assert_eq!(
        found(&well(), refused(all_well())),
        [
            "service-endpoints service/ring-client: it leads nowhere: its selector app=ring chooses no Ready pod, or its \
             port is no port of theirs; all 144 requests fail"
        ]
    );
    let mut survey = well();
    survey.places.values_mut().for_each(|place| place.is_ready = false);
    assert_eq!(
        found(&survey, refused(survey.client().fill(24, even))),
        ["service-endpoints service/ring-client: it leads nowhere: no shard is Ready; all 144 requests fail"]
    );
}

#[test]
fn a_wrong_target_port_is_told_once() {
    let mut client = all_well();
    let at = |port| move |endpoint: ServiceEndpoint| ServiceEndpoint { port, ..endpoint };
    let endpoints = client.service.endpoints.clone().expect("endpoints");
    client.service.endpoints = Ok(endpoints.iter().cloned().map(at(Some(9999))).collect());
    let refused = client.clone().changed(|_, _| true, |answer| answer.outcome = Outcome::Refused);
    assert_eq!(
        found(&well(), refused),
        [
            "service-endpoints service/ring-client: its port 80 leads to port 9999, and the shards are asked at 8080; all \
             144 requests fail"
        ]
    );
    assert_eq!(found(&well(), client.clone()), [""; 0], "what answers there is none of our business");
    client.service.endpoints = Ok(endpoints.into_iter().map(at(None)).collect());
    let refused = client.changed(|_, _| true, |answer| answer.outcome = Outcome::Refused);
    assert_eq!(
        found(&well(), refused),
        [
            "service-endpoints service/ring-client: its port 80 leads to the port named http, which no container has, and the \
             shards are asked at 8080; all 144 requests fail"
        ]
    );
}

/// What the shards' questions to each other show is not told a second time.
#[test]
fn a_shard_that_fails_everybody_fails_its_clients() {
    let sick = well().says(|_, to| to == 2, Outcome::Hangs);
    let client =
        all_well().changed(|shard, at| (shard + at) % 6 == 2, |answer| answer.outcome = Outcome::Hangs);
    assert_eq!(
        found(&sick, client.clone()),
        ["shard-answers pod/ring-2: it takes connections, and /api/status never answers"]
    );
    // The same where nobody may read the endpoints.
    let mut blind = client.clone();
    blind.service.endpoints = Err(crate::domain::snapshot::Unknown {
        asked: "list".to_owned(),
        answer: "forbidden".to_owned(),
        is_forbidden: true,
    });
    assert_eq!(found(&sick, blind).len(), 2, "and that they are not known");
    // More than one of six explains.
    let worse =
        all_well().changed(|shard, at| (shard + at) % 6 > 1, |answer| answer.outcome = Outcome::Hangs);
    assert_eq!(
        found(&sick, worse),
        [
            "shard-answers pod/ring-2: it takes connections, and /api/status never answers",
            "service-answers service/ring-client: 96 of 144 requests (66.7 %) fail: connects, no answer"
        ]
    );
    // A cut between two nodes.
    let cut = well().says(|from, to| [(0, 1), (1, 0)].contains(&(node(from), node(to))), timed_out());
    let client = all_well().changed(
        |shard, at| [(0, 1), (1, 0)].contains(&(node(shard), node((shard + at) % 6))),
        |answer| answer.outcome = timed_out(),
    );
    assert_eq!(
        found(&cut, client),
        ["network-reaches node/a, node/b: no shard on a reaches one on b, in both directions (8 pairs)"]
    );
    // A resolver that does not work.
    let blind =
        well().with(|from, to| from != to && node(from) == 1, |answer| *answer = unresolved("timed out"));
    let client = all_well().changed(|shard, _| node(shard) == 1, |answer| *answer = unresolved("timed out"));
    assert_eq!(
        found(&blind, client),
        ["name-resolves node/b: ring-{2..3} resolve no name, and shards elsewhere do: timed out"]
    );
}

#[test]
fn a_name_of_the_service_that_leads_elsewhere_is_told() {
    let client = all_well().changed(|shard, _| shard == 1, |answer| *answer = unresolved("bad address"));
    assert_eq!(
        found(&well(), client),
        [
            "service-answers service/ring-client: its name does not resolve: 24 of 144 requests (16.7 %) fail, from ring-1"
        ]
    );
    let client = all_well().changed(|_, _| true, |answer| answer.addresses = Some([ip(201)].into()));
    assert_eq!(
        found(&well(), client),
        [
            "service-answers service/ring-client: its name leads to another address than its own: all 144 requests fail"
        ]
    );
}

/// kube-proxy stopped on b before ring-0 was made anew.
#[test]
fn a_node_with_old_rules_is_told() {
    let client = all_well().changed(
        |shard, at| node(shard) == 1 && (shard + at).is_multiple_of(6),
        |answer| answer.outcome = timed_out(),
    );
    assert_eq!(
        found(&well(), client),
        [
            "service-answers node/b: 8 of 48 requests (16.7 %) from there to ring-client fail (no connection), none from \
             elsewhere; its shards reach every shard by its own name; through the service never ring-0"
        ]
    );
    // So few may be anybody's, and what one of two on a node meets is not the node's.
    for which in [3, 12] {
        let client =
            all_well().changed(|shard, at| shard == 2 && at < which, |answer| answer.outcome = timed_out());
        let found = found(&well(), client);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("service-answers service/ring-client: ")
                && found[0].ends_with(", from ring-2"),
            "{found:?}"
        );
    }
}

/// kube-proxy stopped on b before ring-0 became Ready, or ceased to be.
#[test]
fn a_node_that_knows_no_new_shard_or_an_old_one_is_told() {
    let none = |shard: u32, at: u32| match node(shard) {
        1 => Some(1 + (shard + at) % 5),
        _ => even(shard, at),
    };
    assert_eq!(
        found(&well(), well().client().fill(60, none)),
        [
            "service-reaches node/b: ring-0 gets none of 120 requests from there to ring-client, and those of other nodes"
        ]
    );
    let mut survey = well();
    survey.places.get_mut(&0).expect("a place").is_ready = false;
    let old = |shard: u32, at: u32| match node(shard) {
        1 => even(shard, at),
        _ => Some(1 + (shard + at) % 5),
    };
    assert_eq!(
        found(&survey, survey.client().fill(60, old)),
        [
            "service-ready-only node/b: ring-0 is not Ready, and answers 20 of 120 requests (16.7 %) from there to \
             ring-client, none from elsewhere"
        ]
    );
    let everywhere = survey.client().fill(60, even);
    assert_eq!(
        found(&survey, everywhere),
        [
            "service-ready-only service/ring-client: ring-0 is not Ready, and answers 60 of 360 requests (16.7 %)"
        ]
    );
    let mut young = survey.client().fill(60, even);
    young.unsettled.insert(0);
    let found = found(&survey, young);
    assert!(found.len() == 1 && found[0].contains("what it does with ring-0 is not judged"), "{found:?}");
}

#[test]
fn a_service_that_publishes_shards_that_are_not_ready_is_told_when_one_is_not() {
    let publishing = |survey: &Survey| {
        let mut client = survey.client().fill(24, even);
        client.service.publishes_not_ready = true;
        let endpoints = client.service.endpoints.expect("endpoints");
        client.service.endpoints = Ok(endpoints
            .into_iter()
            .map(|endpoint| ServiceEndpoint { is_ready: true, ..endpoint })
            .collect());
        client
    };
    assert_eq!(found(&well(), publishing(&well())), [""; 0]);
    let mut survey = well();
    survey.places.get_mut(&3).expect("a place").is_ready = false;
    assert_eq!(
        found(&survey, publishing(&survey)),
        [
            "service-ready-only service/ring-client: publishNotReadyAddresses leads clients to ring-3, not Ready, and 24 of \
             144 requests (16.7 %) go there"
        ]
    );
    // Slices that lag behind lead there without being told to.
    let mut stale = publishing(&survey);
    stale.service.publishes_not_ready = false;
    assert_eq!(
        found(&survey, stale),
        ["service-endpoints service/ring-client: it leads to ring-3, not Ready"]
    );
}

#[test]
fn a_shard_that_gets_nothing_is_told_and_so_is_one_that_gets_too_much() {
    let starved = well().client().fill(24, |shard, at| Some((shard + at) % 5));
    assert_eq!(
        found(&well(), starved),
        [
            "service-reaches pod/ring-5: it is Ready and an endpoint, and gets none of 144 requests to ring-client, where 24 \
             are expected"
        ]
    );
    let hot = well().client().fill(24, |shard, at| if at % 2 == 0 { Some(0) } else { even(shard, at / 2) });
    assert_eq!(
        found(&well(), hot),
        [
            "service-spread service/ring-client: of 144 requests ring-0 gets 84, where 24 are expected of each (chi-squared \
             180.0, df 5, p < 0.0001)"
        ]
    );
    // From one node only.
    let hot = well().client().fill(60, |shard, at| match (node(shard), at % 2) {
        (1, 0) => Some(0),
        (1, _) => even(shard, at / 2),
        _ => even(shard, at),
    });
    let found = found(&well(), hot);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0]
            .starts_with("service-spread node/b: of 120 requests from there to ring-client ring-0 gets 70, "),
        "{found:?}"
    );
}

#[test]
fn who_stays_on_its_node_is_judged_there() {
    let local = |who: fn(u32, u32) -> Option<u32>| {
        let mut client = well().client().fill(24, who);
        client.service.is_local = true;
        client
    };
    assert_eq!(found(&well(), local(|shard, at| Some(node(shard) * 2 + at % 2))), [""; 0]);
    assert_eq!(
        found(&well(), local(|shard, at| Some(node(shard) * 2 + if node(shard) == 1 { 0 } else { at % 2 }))),
        [
            "service-reaches pod/ring-3: it is Ready and an endpoint, and gets none of 48 requests to ring-client, where 24 \
             are expected from b"
        ]
    );
    // Nobody is Ready on c: what is asked there is dropped.
    let mut survey = well();
    for shard in [4, 5] {
        survey.places.get_mut(&shard).expect("a place").is_ready = false;
    }
    let mut client = survey.client().fill(24, |shard, at| Some(node(shard) * 2 + at % 2));
    client.service.is_local = true;
    let client = client.changed(|shard, _| shard > 3, |answer| answer.outcome = timed_out());
    assert_eq!(
        found(&survey, client),
        [
            "service-answers service/ring-client: internalTrafficPolicy is Local, and no Ready shard is on c: 48 of 144 \
             requests (33.3 %) fail"
        ]
    );
}

#[test]
fn under_affinity_each_source_stays_with_one_shard() {
    let sticky = |client: ServiceSurvey| {
        let mut client = client;
        client.service.affinity = Some(Duration::from_hours(3));
        client
    };
    let stays = [0, 0, 1, 2, 2, 5];
    let well_stuck = sticky(well().client().fill(20, |shard, _| Some(stays[shard as usize])));
    assert_eq!(
        found(&well(), well_stuck.clone()),
        [
            "service-judged service/ring-client: under ClientIP affinity the spread of requests cannot be judged from one \
             source; 6 sources stay with 4 of 6 shards, and chance gives them 4.0"
        ]
    );
    let mut one = well_stuck;
    one.answers.retain(|source, _| source.shard() == Some(0));
    assert_eq!(
        found(&well(), one),
        [
            "service-judged service/ring-client: under ClientIP affinity one source stays with one shard: how requests are \
             spread cannot be judged from one source"
        ]
    );
    let moves = |shard: u32, at: u32| Some(if shard == 2 && at > 15 { 4 } else { stays[shard as usize] });
    let moving = sticky(well().client().fill(20, moves));
    let lines = found(&well(), moving.clone());
    assert_eq!(
        lines[0],
        "service-sticks pod/ring-2: it does not stay with one shard of ring-client: ring-1 (16), ring-4 (4) answer"
    );
    assert_eq!(lines.len(), 2, "and what cannot be judged: {lines:?}");
    let mut anew = moving;
    anew.unsettled.insert(1);
    let lines = found(&well(), anew);
    assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("service-judged")), "{lines:?}");
    let nobody = found(&well(), sticky(all_well()));
    assert_eq!(
        nobody[0],
        "service-sticks service/ring-client: 6 of 6 sources do not stay with one shard; ring-0 is answered by ring-0 (4), \
         ring-1 (4), ring-2 (4), ring-3 (4), ring-4 (4), ring-5 (4)"
    );
    let herd = found(&well(), sticky(well().client().fill(20, |_, _| Some(3))));
    assert_eq!(
        herd,
        [
            "service-spread service/ring-client: 6 sources stay with 1 of 6 shards, where chance gives them 4.0"
        ]
    );
}

#[test]
fn what_cannot_be_judged_is_said() {
    let few = well().client().fill(2, even);
    assert_eq!(
        found(&well(), few),
        [
            "service-judged service/ring-client: 12 answers are too few to tell whether one of 6 shards gets none: 10 of each \
             source are enough"
        ]
    );
    assert_eq!(found(&well(), well().client().fill(10, even)), [""; 0], "as it says");
    let mut near = all_well();
    near.service.prefers = Some("trafficDistribution PreferClose".to_owned());
    assert_eq!(
        found(&well(), near),
        [
            "service-judged service/ring-client: trafficDistribution PreferClose keeps requests near their source: their \
             spread cannot be judged"
        ]
    );
    let mut unlooked = well();
    unlooked.wants_identity = false;
    assert_eq!(
        found(&unlooked, all_well()),
        [
            "service-judged service/ring-client: which shard answers is not known (--no-identity): neither the spread of \
             requests nor answers from shards that are not Ready can be judged"
        ]
    );
    // These have findings of their own.
    let mut nobody = all_well();
    nobody.answers.clear();
    assert_eq!(found(&well(), nobody), [""; 0]);
    let nameless = all_well()
        .changed(|_, _| true, |answer| answer.outcome = Outcome::Answered { status: 200, identity: None });
    assert_eq!(nameless.judge(&well()).spread, Spread::Unjudged(Unjudged::Nameless));
    assert_eq!(found(&well(), nameless), [""; 0]);
    let stranger = Outcome::Answered { status: 200, identity: Some("ring-1".to_owned()) };
    let swapped = well().says(|_, to| to == 2, stranger);
    let client = well().client().fill(24, |shard, at| even(shard, at).map(|to| if to == 2 { 1 } else { to }));
    assert_eq!(found(&swapped, client), ["shard-identity pod/ring-2: it answers as ring-1 (to 6 of 6)"]);
}

#[test]
fn who_is_no_shard_and_answers_is_told() {
    let client = all_well().changed(|_, at| at % 6 == 0, |answer| *answer = answer_by("web-0"));
    let found = found(&well(), client);
    assert_eq!(
        found,
        [
            "service-ready-only service/ring-client: web-0, no shard of statefulset/ring, answers 24 of 144 requests (16.7 %)"
        ]
    );
}

#[test]
fn a_network_without_hairpins_is_told() {
    let client =
        all_well().changed(|shard, at| (shard + at) % 6 == shard, |answer| answer.outcome = timed_out());
    assert_eq!(
        found(&well(), client),
        [
            "service-answers network: no shard reaches itself through ring-client: 24 of 144 requests (16.7 %) fail"
        ]
    );
}

/// The share of false alarms is that of the whole judgement, not of one test: seeded, so each run is the same.
#[test]
fn a_service_that_is_well_alarms_no_more_often_than_is_said() {
    let mut chance = testing::Chance::new();
    let trials = 4_000;
    for requests in [10, 20] {
        let alarms = (0..trials)
            .filter(|_| {
                let mut client = well().client();
                for answers in client.answers.values_mut() {
                    *answers = (0..requests).map(|_| answer_of(chance.shard(6))).collect();
                }
                !client.judge(&well()).findings.is_empty()
            })
            .count();
        // So many or more come once in a million when the rate is what is allowed.
        assert!(
            fit::at_least(alarms as u64, trials, FALSE_ALARMS) > 1e-6,
            "{alarms} alarms in {trials} trials"
        );
    }
}

/// A thousand shards: what it takes does not matter to whoever waits.
#[test]
fn many_shards_are_judged() {
    let mut survey = well();
    survey.replicas = 400;
    let place = survey.places[&0].clone();
    let row = survey.rows[&Asker::Shard(0)].clone();
    for shard in 0..400 {
        let mut place = place.clone();
        place.pod = crate::domain::names::PodName::new(survey.pod_name(shard));
        place.ips = vec![format!("10.0.{}.{}", shard / 200, shard % 200).parse().expect("an address")];
        place.node = Some(NodeName::new(format!("node-{}", shard / 10)));
        survey.places.insert(shard, place);
        survey
            .rows
            .insert(Asker::Shard(shard), crate::domain::routing::Row { answers: [].into(), ..row.clone() });
    }
    let mut chance = testing::Chance::new();
    let mut client = survey.client();
    for answers in client.answers.values_mut() {
        // None to the last.
        *answers = (0..20).map(|_| answer_by(&format!("ring-{}", chance.shard(399)))).collect();
    }
    let found = client.judge(&survey).findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].check, found[0].object.as_str()), ("service-reaches", "pod/ring-399"));
}
