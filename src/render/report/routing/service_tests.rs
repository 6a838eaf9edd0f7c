//! What people and programs see of the client service.

use std::time::Duration;

use super::tests::{look, shown};
use super::*;
use crate::domain::routing::service::ServiceSurvey;
use crate::domain::routing::service::testing::Chance;
use crate::domain::routing::testing::{timed_out, well};
use crate::domain::routing::{Asker, Outcome, diagnose};

/// The part of a text from this line on.
fn from<'a>(text: &'a str, line: &str) -> &'a str {
    &text[text.find(line).unwrap_or_else(|| panic!("{text}"))..]
}

/// As a real proxy gave them.
fn by_chance() -> ServiceSurvey {
    let counts = [20, 22, 21, 17, 14, 26];
    let mut order: Vec<u32> = (0..).zip(counts).flat_map(|(shard, count)| vec![shard; count]).collect();
    let mut chance = Chance::new();
    (1..order.len()).rev().for_each(|at| order.swap(at, chance.below(at + 1)));
    well().client().fill(20, |shard, at| order.get((shard * 20 + at) as usize).copied())
}

#[test]
fn a_client_service_is_a_bar_for_each_shard() {
    let text = shown(&well().with_client(by_chance()), table);
    assert_eq!(
        from(&text, "service/"),
        "\
service/ring-client: 20 requests from each of 6 shards to
ring-client.rt.svc.cluster.local:80, each on a connection of its own

SHARD    ANSWERED   20 expected of each
ring-0         20   ■■■■■■■■■■■■■■■■■■■■
ring-1         22   ■■■■■■■■■■■■■■■■■■■■■■
ring-2         21   ■■■■■■■■■■■■■■■■■■■■■
ring-3         17   ■■■■■■■■■■■■■■■■■
ring-4         14   ■■■■■■■■■■■■■■
ring-5         26   ■■■■■■■■■■■■■■■■■■■■■■■■■■
all 120 requests were answered
spread over 6 shards as by chance (chi-squared 4.3, df 5, p = 0.51)

all 36 questions were answered; median 3.0 ms, 99% 3.0 ms, longest 3.0 ms
"
    );
}

#[test]
fn what_is_wrong_with_a_client_service_is_beside_its_counts() {
    let mut survey = well();
    survey.places.get_mut(&4).expect("a place").is_ready = false;
    let client =
        survey.client().fill(30, |shard, at| Some([0, 1, 2, 3, 5][((shard + at) % 5) as usize])).changed(
            |shard, at| shard / 2 == 1 && (shard + at).is_multiple_of(5),
            |answer| answer.outcome = timed_out(),
        );
    let text = shown(&survey.with_client(client), table);
    assert_eq!(
        from(&text, "SHARD"),
        "\
SHARD    ANSWERED   24 expected of each
ring-0         24   ■■■■■■■■■■■■■■■■■■■■■■■■
ring-1         36   ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
ring-2         36   ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
ring-3         36   ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
ring-4          0      not Ready
ring-5         36   ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
12 of 180 requests failed (6.7 %): no connection 12
spread over 5 shards as by chance, but for what comes from b (chi-squared 0.0,
df 4, p = 1.00)

SEVERITY   CHECK, OBJECT              EVIDENCE
error      service-answers
           (expected: every request of a client is answered with success)
           node/b                     12 of 60 requests (20.0 %) from there to
                                      ring-client fail (no connection), none
                                      from elsewhere; its shards reach every
                                      shard by its own name; through the service
                                      never ring-0
           -> See whether kube-proxy runs and what it says: `kubectl get pods -n
              kube-system -o wide --field-selector spec.nodeName=b`; what that
              node leads to is as old as its rules

all 36 questions were answered; median 3.0 ms, 99% 3.0 ms, longest 3.0 ms
"
    );
}

#[test]
fn under_affinity_it_says_who_stays() {
    let mut client = well().client().fill(20, |shard, _| Some([0, 0, 1, 2, 2, 5][shard as usize]));
    client.service.affinity = Some(Duration::from_hours(3));
    let text = shown(&well().with_client(client), table);
    assert_eq!(
        from(&text, "service/"),
        "\
service/ring-client, with ClientIP affinity: 20 requests from each of 6 shards
to ring-client.rt.svc.cluster.local:80, each on a connection of its own

SHARD    ANSWERED
ring-0         40   ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
ring-1         20   ■■■■■■■■■■■■■■■■■■■■
ring-2         40   ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
ring-3          0
ring-4          0
ring-5         20   ■■■■■■■■■■■■■■■■■■■■
all 120 requests were answered
6 of 6 sources stay with one shard each, with 4 in all; chance gives 4.0

SEVERITY   CHECK, OBJECT              EVIDENCE
info       service-judged
           (expected: a client service can be judged in every respect)
           service/ring-client        under ClientIP affinity the spread of
                                      requests cannot be judged from one source;
                                      6 sources stay with 4 of 6 shards, and
                                      chance gives them 4.0
           -> Set sessionAffinity to None unless clients rely on it; what real
              clients get depends on how many addresses they have

all 36 questions were answered; median 3.0 ms, 99% 3.0 ms, longest 3.0 ms
"
    );
}

/// A hundred shards, one of which gets nothing.
#[test]
fn of_many_shards_there_is_one_line() {
    let mut survey = well();
    survey.replicas = 100;
    let (place, row) = (survey.places[&0].clone(), survey.rows[&Asker::Shard(0)].clone());
    for shard in 0..100 {
        let mut place = place.clone();
        place.pod = crate::domain::names::PodName::new(survey.pod_name(shard));
        place.ips = vec![format!("10.0.0.{shard}").parse().expect("an address")];
        place.node = Some(crate::domain::names::NodeName::new(format!("node-{:02}", shard / 5)));
        survey.places.insert(shard, place);
        let mut row = row.clone();
        row.answers = (0..100).map(|to| (to, crate::domain::routing::testing::good(to))).collect();
        survey.rows.insert(Asker::Shard(shard), row);
    }
    let mut chance = Chance::new();
    let picks: Vec<u32> = (0..2_000).map(|_| chance.shard(99)).collect();
    let client = survey.client().fill(20, |shard, at| picks.get((shard * 20 + at) as usize).copied());
    let text = shown(&survey.with_client(client), table);
    assert_eq!(
        from(&text, "service/"),
        "\
service/ring-client: 20 requests from each of 100 shards to
ring-client.rt.svc.cluster.local:80, each on a connection of its own

99 of 100 shards answered, each 0 to 31 times, 20.0 expected
all 2000 requests were answered
not spread as by chance

SEVERITY   CHECK, OBJECT              EVIDENCE
error      service-reaches
           (expected: every Ready shard gets requests of clients)
           pod/ring-99                it is Ready and an endpoint, and gets none
                                      of 2000 requests to ring-client, where 20
                                      are expected
           -> See what chooses the shard: a proxy or a service mesh with weights
              or connections of its own, the rules of kube-proxy on the nodes

all 10000 questions were answered; median 3.0 ms, 99% 3.0 ms, longest 3.0 ms
"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn ascii_and_nothing_to_count() {
    let mut survey = well().with_client(by_chance());
    let draw = |survey: &Survey| {
        let findings = diagnose(survey);
        table(&RoutingReport { survey, findings: &findings }, Look { ascii: true, ..look(80) })
    };
    assert!(draw(&survey).contains("ring-4         14   ##############\n"));
    survey.wants_identity = false;
    let text = draw(&survey);
    assert!(!text.contains("ANSWERED") && text.contains("\nall 120 requests were answered\n"), "{text}");
    survey.clients.surveys[0].answers.clear();
    assert!(draw(&survey).contains("\nservice/ring-client: no shard could ask it from inside\n"));
}

#[test]
fn programs_get_every_source() {
    let client =
        by_chance().changed(|shard, at| shard == 3 && at == 0, |answer| answer.outcome = Outcome::Hangs);
    let survey = well().with_client(client);
    let findings = diagnose(&survey);
    let report = RoutingReport { survey: &survey, findings: &findings };
    let json = serde_json::to_value(super::report(&report)).expect("JSON");
    let service = &json["clientServices"][0];
    assert_eq!(
        service["counts"],
        serde_json::json!({"asked": 120, "answered": 119, "nameless": 0, "failed": {"hangs": 1}})
    );
    assert_eq!((&service["port"], &service["target"]), (&80.into(), &"http".into()));
    assert_eq!(service["sources"].as_array().map(Vec::len), Some(6));
    assert_eq!(service["sources"][3]["failed"], serde_json::json!({"hangs": 1}));
    assert_eq!(service["spread"]["verdict"], "unjudged");
    assert_eq!(service["spread"]["because"], "where the requests were led that fail is not known");
    let wide = wide(&report, look(80));
    assert!(wide.contains("ring-client   ring-3   b      20      19"), "{wide}");
    let junit = quick_junit::Report::deserialize_from_str(&junit(&report)).expect("JUnit XML");
    assert_eq!((junit.test_suites[0].tests, junit.test_suites[0].failures), (CHECKS.len(), 1));
}
