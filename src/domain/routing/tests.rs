//! Each fault has its finding, and no other.

use super::testing::{good, ip, probes_alone, resolver, timed_out, unresolved, well, with_probes};
use super::*;
use crate::domain::finding::Severity;

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
    gone.rows.remove(&Asker::Shard(1));
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
    assert_eq!(
        two.found(),
        [
            "name-single pod/ring-3: its name leads to 10.0.0.3, the pod's own, and to 10.0.0.99, which is not (seen by 6 \
             of 6)"
        ]
    );
}

#[test]
fn a_name_with_several_addresses_is_told_from_an_old_one() {
    // Some tools tell only the address that they ask at; of itself a shard tells all.
    let addresses = |from: u32| match from {
        3 => vec![ip(3), ip(5)],
        0 | 2 => vec![ip(5)],
        _ => vec![ip(3)],
    };
    let mut survey = well();
    for (asker, row) in &mut survey.rows {
        let Asker::Shard(from) = asker else { unreachable!("shards ask") };
        let answer = row.answers.get_mut(&3).expect("an answer");
        answer.addresses = Some(addresses(*from).into_iter().collect());
        if [0, 2].contains(from) {
            answer.outcome = Outcome::Answered { status: 200, identity: Some("ring-5".to_owned()) };
        }
    }
    assert_eq!(
        survey.found(),
        [
            "name-single pod/ring-3: its name leads to 10.0.0.3, the pod's own, and to 10.0.0.5 (of ring-5), which is not \
             (seen by 3 of 6)"
        ]
    );
    assert_eq!(survey.mark(&Asker::Shard(1), 3), Some(Mark::Good), "it was led to the shard");
    let what = "EndpointSlice by-hand, kept by nobody".to_owned();
    survey.headless.slices.insert(("ring-3".to_owned(), ip(5)), what);
    assert!(
        survey.found()[0]
            .contains("10.0.0.5 (of ring-5, EndpointSlice by-hand, kept by nobody), which is not")
    );
    // An answer that came from the shard itself tells of the shard, wherever else its name leads.
    let asked_at = |address, outcome: Outcome| {
        well().with(
            |_, to| to == 3,
            move |answer| {
                answer.addresses = Some([ip(3), ip(99)].into());
                answer.asked_at = Some(address);
                answer.outcome = outcome.clone();
            },
        )
    };
    assert_eq!(asked_at(ip(3), Outcome::Hangs).mark(&Asker::Shard(1), 3), Some(Mark::Hangs));
    assert_eq!(asked_at(ip(99), Outcome::Hangs).mark(&Asker::Shard(1), 3), Some(Mark::Several));
    let sick = asked_at(ip(3), Outcome::Answered { status: 503, identity: None });
    assert_eq!(sick.found(), ["shard-answers pod/ring-3: /api/status answers 503"]);
}

#[test]
fn an_address_of_each_family_is_no_second_one() {
    let six = |last: u32| format!("fd00::{last}").parse::<IpAddr>().expect("an address");
    let mut survey = well().with(
        |_, to| to == 3,
        |answer| {
            answer.addresses.get_or_insert_default().insert(six(3));
        },
    );
    assert_eq!(
        survey.found(),
        [
            "name-single pod/ring-3: its name leads to 10.0.0.3, the pod's own, and to fd00::3, which is not (seen by 6 of \
             6)"
        ]
    );
    assert!(diagnose(&survey)[0].remedy.starts_with("Clients that prefer IPv6 go astray."));
    survey.places.get_mut(&3).expect("a place").ips.push(six(3));
    assert!(survey.found().is_empty(), "a pod of two families: {:?}", survey.found());
    let old = survey.with(|_, to| to == 3, |answer| answer.addresses = Some([ip(3), six(9)].into()));
    assert_eq!(
        old.found(),
        [
            "name-single pod/ring-3: its name leads to 10.0.0.3 and fd00::3, the pod's own, and to fd00::9, which is not \
             (seen by 6 of 6)"
        ]
    );
    // A headless service of one family is no fault of its shards.
    let one = old.with(|_, to| to == 3, |answer| answer.addresses = Some([six(3)].into()));
    assert!(one.found().is_empty());
}

#[test]
fn a_shard_that_listens_at_one_of_its_addresses_is_told_where() {
    let six = |last: u32| format!("fd00::{last}").parse::<IpAddr>().expect("an address");
    // What each shard's name leads to, and where shard 4 does not listen.
    let ring = |named: fn(u32, IpAddr) -> Vec<IpAddr>, closed: IpAddr| {
        let mut survey = well().with_any(
            |_, _| true,
            |answer| {
                let four = answer.addresses.iter().flatten().next().copied().expect("an address");
                let to =
                    four.to_string().rsplit('.').next().and_then(|last| last.parse().ok()).expect("a number");
                answer.addresses = Some(named(to, four).into_iter().collect());
                answer.asked_at = answer.addresses.iter().flatten().last().copied();
            },
        );
        for (ordinal, place) in &mut survey.places {
            place.ips.push(six(*ordinal));
            let says = |address: &IpAddr| match *address == closed {
                true => Outcome::Refused,
                false => good(*ordinal).outcome,
            };
            let row = survey.rows.get_mut(&Asker::Shard(*ordinal)).expect("a row");
            row.own = place.ips.iter().map(|address| (*address, says(address))).collect();
        }
        survey.with(
            |_, to| to == 4,
            |answer| {
                if answer.asked_at == Some(closed) {
                    answer.outcome = Outcome::Refused;
                }
            },
        )
    };
    let both = |to: u32, four: IpAddr| vec![four, format!("fd00::{to}").parse().expect("an address")];
    let one = |_: u32, four: IpAddr| vec![four];
    assert!(ring(both, ip(99)).found().is_empty(), "it listens at both");
    assert_eq!(
        ring(both, six(4)).found(),
        [
            "shard-listens pod/ring-4: it listens on port 8080 at 10.0.0.4, and not at fd00::4, where its name leads, too"
        ]
    );
    assert!(ring(one, six(4)).found().is_empty(), "no name leads there");
    assert_eq!(
        ring(one, ip(4)).found(),
        [
            "shard-listens pod/ring-4: it listens on port 8080 at fd00::4, and not at 10.0.0.4, where alone its name leads"
        ]
    );
}

#[test]
fn a_pod_that_is_not_set_up_for_the_clusters_names_is_told_as_that() {
    let foreign = |who: fn(u32) -> bool, search: &'static str, policy| {
        let mut survey = well()
            .with(move |from, to| from != to && who(from), |answer| *answer = unresolved("bad address"));
        for ordinal in (0..6).filter(|ordinal| who(*ordinal)) {
            let row = survey.rows.get_mut(&Asker::Shard(ordinal)).expect("a row");
            row.resolver = Some(resolver(search, "192.0.2.1"));
            row.short = row.short.take().map(|(peer, _)| (peer, unresolved("bad address")));
            survey.places.get_mut(&ordinal).expect("a place").dns_policy = policy;
        }
        survey
    };
    let all = foreign(|_| true, "corp.example", DnsPolicy::Node);
    assert_eq!(
        all.found(),
        [
            "name-resolves pod/ring-{0..5}: ring-{0..5} resolve no name: /etc/resolv.conf there asks 192.0.2.1 and searches \
             corp.example: bad address"
        ]
    );
    assert!(diagnose(&all)[0].remedy.contains("Set dnsPolicy of the template to ClusterFirst:"));
    let one = foreign(|from| from == 2, "", DnsPolicy::NodeByNetwork);
    assert_eq!(
        one.found(),
        [
            "name-resolves pod/ring-2: ring-2 resolves no name, and shards elsewhere do: /etc/resolv.conf there asks \
             192.0.2.1 and searches nothing: bad address"
        ]
    );
    assert!(diagnose(&one)[0].remedy.contains("ClusterFirstWithHostNet"));
    // A service that nobody can find is its own fault.
    let mut no_service = all;
    no_service.headless.exists = false;
    assert_eq!(
        no_service.found(),
        ["name-resolves service/ring: no name resolves: there is no such headless service"]
    );
    // Where the kubelet has set it up, DNS does not answer; and the domain may be wrong.
    let mut dns = foreign(|_| true, "rt.svc.cluster.local svc.cluster.local", DnsPolicy::Cluster);
    assert_eq!(dns.found(), ["name-resolves cluster DNS: no name resolves, from any shard: bad address"]);
    for row in dns.rows.values_mut() {
        row.resolver.as_mut().expect("a resolver").domain.from = DomainFrom::Given;
    }
    assert_eq!(
        dns.found(),
        [
            "name-resolves cluster DNS: no name resolves, from any shard: bad address; the domain cluster.local is that of \
             --cluster-domain"
        ]
    );
}

#[test]
fn a_short_name_that_does_not_do_what_the_full_one_does_is_told() {
    let shards = |who: fn(u32) -> bool, change: &dyn Fn(&mut Row)| {
        let mut survey = well();
        for ordinal in (0..6).filter(|ordinal| who(*ordinal)) {
            change(survey.rows.get_mut(&Asker::Shard(ordinal)).expect("a row"));
            survey.places.get_mut(&ordinal).expect("a place").dns_policy = DnsPolicy::Own;
        }
        survey
    };
    let bare = shards(|_| true, &|row: &mut Row| {
        row.resolver = Some(resolver("", "10.96.0.10"));
        row.short = Some((1, unresolved("bad address")));
    });
    assert_eq!(
        bare.found(),
        [
            "name-short pod/ring-{0..5}: in ring-{0..5} a short name, POD.SERVICE, does not resolve, and the full one does; \
             /etc/resolv.conf there asks 10.96.0.10 and searches nothing, ndots 5"
        ]
    );
    let finding = &diagnose(&bare)[0];
    assert_eq!(finding.severity, Severity::Warning);
    assert!(
        finding
            .remedy
            .contains("rt.svc.cluster.local, svc.cluster.local and cluster.local in dnsConfig.searches")
    );
    let few = shards(|shard| shard == 3, &|row: &mut Row| {
        row.resolver.as_mut().expect("a resolver").ndots = 1;
        row.short = Some((1, unresolved("bad address")));
    });
    assert!(few.found()[0].starts_with("name-short pod/ring-3: in ring-3 a short name"), "{:?}", few.found());
    assert!(diagnose(&few)[0].remedy.contains("ndots"));
    // The names of another namespace.
    let other = shards(|shard| shard == 3, &|row: &mut Row| {
        row.resolver = Some(resolver("other.svc.cluster.local", "10.96.0.10"));
        row.short = Some((1, good(5)));
    });
    assert_eq!(
        other.found(),
        ["name-short pod/ring-3: in ring-3 a short name, POD.SERVICE, leads elsewhere than the full one; \
             /etc/resolv.conf there asks 10.96.0.10 and searches other.svc.cluster.local, ndots 5"]
    );
    // Of a shard whose full name does not resolve either the short one tells nothing.
    let down = bare.with(|_, to| to == 1, |answer| *answer = unresolved("bad address"));
    assert!(down.found().iter().all(|found| !found.starts_with("name-short")), "{:?}", down.found());
}

#[test]
fn who_cannot_tell_where_names_lead_says_so() {
    let blind = well().with(|from, _| from == 2, |answer| answer.addresses = None);
    assert_eq!(
        blind.found(),
        ["name-compared pod/ring-2: from ring-2 nobody can tell: the image has neither getent nor nslookup"]
    );
    assert_eq!(diagnose(&blind)[0].severity, Severity::Info);
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
