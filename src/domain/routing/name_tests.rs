//! Each fault of names has its finding, and no other.

use super::testing::{good, ip, resolver, timed_out, unresolved, well};
use super::*;
use crate::domain::finding::Severity;

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
    // On its node's network a pod does not find its own name either.
    let wholly = one.with(|from, to| (from, to) == (2, 2), |answer| *answer = unresolved("bad address"));
    assert_eq!(wholly.found().len(), 1, "{:?}", wholly.found());
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
    assert!(diagnose(&dns)[0].remedy.contains("is at 192.0.2.1, which was asked"));
    let mut says = |from, name: &str| {
        for row in dns.rows.values_mut() {
            row.resolver.as_mut().expect("a resolver").domain = ClusterDomain { from, name: name.to_owned() };
        }
        dns.found()
    };
    assert_eq!(
        says(DomainFrom::Given, "corp.example"),
        [
            "name-resolves cluster DNS: no name resolves, from any shard: bad address; --cluster-domain says corp.example, and \
             /etc/resolv.conf there cluster.local"
        ]
    );
    assert!(says(DomainFrom::Given, "cluster.local")[0].ends_with("from any shard: bad address"));
    assert!(says(DomainFrom::Assumed, "cluster.local")[0].ends_with("nothing there tells the cluster's"));
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
    let by_chance =
        shards(|shard| shard == 3, &|row: &mut Row| row.short = Some((4, unresolved("timed out"))));
    assert!(by_chance.found().is_empty(), "{:?}", by_chance.found());
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
