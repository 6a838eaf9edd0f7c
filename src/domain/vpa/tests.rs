use std::collections::BTreeMap;

use proptest::prelude::*;

use super::sample::{DAY, HOUR, advice, ago, amounts, autoscaler, history, observed, settled};
use super::*;
use crate::domain::finding::Severity;
use crate::domain::quantity::Resources;
use crate::domain::sizing::{Demand, Plan, Prefer, Rule, RuleKind};
use crate::domain::snapshot::{Container, Unknown};
use crate::domain::testing::{market, quantity, resources, tutorial_demand};

fn judged(autoscaler: Autoscaler) -> Judged {
    judge(observed(vec![autoscaler]), Terms::default())
}

fn proposed(judged: &Judged, resource: Resource) -> (String, Basis) {
    let proposed = judged.containers[0].of(resource).proposed.unwrap();
    (proposed.amount.to_string(), proposed.basis)
}

fn killed_at(observed: &mut Observed, ordinal: usize, limit: &str) {
    let kill = Kill { at: Some(ago(3 * HOUR)), restarts: 2, limit: Some(quantity(limit)) };
    observed.shards[ordinal].killed.insert("shard".to_owned(), kill);
}

#[test]
fn memory_goes_by_the_worst_shard_and_cpu_by_the_target() {
    let judged = judged(settled());
    assert!(judged.is_believed());
    assert_eq!(judged.findings, []);
    // 19.2Gi and 15% are 22.08Gi, rounded up to a quarter.
    assert_eq!(proposed(&judged, Resource::Memory), ("22784Mi".to_owned(), Basis::Shard(3)));
    assert_eq!(quantity("22.25Gi"), quantity("22784Mi"));
    assert_eq!(proposed(&judged, Resource::Cpu), ("2400m".to_owned(), Basis::Target));
    assert_eq!(right_sized(&judged), Some(resources("2400m", "22.25Gi")));
}

#[test]
fn the_terms_count() {
    for (headroom_percent, whole_cores, cpu, memory, basis) in [
        // 20.3Gi of the target are more than the 19.2Gi that shard 3 uses.
        (0, false, "2400m", "20.5Gi", Basis::Target),
        (6, false, "2400m", "20.5Gi", Basis::Shard(3)),
        (50, true, "3", "29Gi", Basis::Shard(3)),
    ] {
        let judged = judge(observed(vec![settled()]), Terms { headroom_percent, whole_cores });
        assert_eq!(proposed(&judged, Resource::Cpu).0, cpu);
        let (found, by) = proposed(&judged, Resource::Memory);
        assert_eq!((quantity(&found), by), (quantity(memory), basis), "{headroom_percent}%");
    }
}

#[test]
fn a_killed_shard_needs_a_fifth_more_than_its_limit() {
    let mut seen = observed(vec![settled()]);
    killed_at(&mut seen, 7, "32Gi");
    let judged = judge(seen, Terms::default());
    // 38.4Gi.
    assert_eq!(
        proposed(&judged, Resource::Memory),
        ("38.5Gi".parse::<Quantity>().unwrap().to_string(), Basis::Killed(7))
    );
    assert_eq!(
        judged.findings[0].to_string(),
        "kafka-7 was killed for want of memory 3h ago at its limit of 32Gi (shard, 2 restarts in all)"
    );
    // At least 100Mi more: 200Mi become 300Mi, rounded up to 16Mi.
    let small = Autoscaler {
        advice: BTreeMap::from([(
            "shard".to_owned(),
            Advice { target: amounts("1", "150Mi"), uncapped: amounts("1", "150Mi"), ..Advice::default() },
        )]),
        ..settled()
    };
    let mut seen = observed(vec![small]);
    seen.shards.iter_mut().for_each(|shard| shard.used.clear());
    killed_at(&mut seen, 0, "200Mi");
    assert_eq!(proposed(&judge(seen, Terms::default()), Resource::Memory).0, "304Mi");
}

#[test]
fn the_peak_of_the_history_counts_like_a_shard_now() {
    let mut history = history(3 * DAY, 43_200);
    history.peak.insert(Resource::Memory, quantity("26Gi"));
    history.peak.insert(Resource::Cpu, quantity("3900m"));
    let judged = judged(autoscaler("kafka", advice(), history));
    // 29.9Gi.
    assert_eq!(proposed(&judged, Resource::Memory), ("30Gi".to_owned(), Basis::History));
    assert_eq!(proposed(&judged, Resource::Cpu).1, Basis::Target, "CPU that is short only slows");
    assert_eq!(
        judged.findings[0].to_string(),
        "CPU of shard has been at 3.9, at the start perhaps: with 2.4 it takes longer"
    );
}

#[test]
fn what_the_policy_cuts_is_said_and_not_followed() {
    let policy = |min: Option<&str>, max: Option<&str>| {
        let of = |memory: Option<&str>| {
            memory.map(|memory| (Resource::Memory, Amount::read(memory))).into_iter().collect()
        };
        Policy { is_off: false, min_allowed: of(min), max_allowed: of(max) }
    };
    let with = |name: &str, policy: Policy, target: &str| {
        let advice = Advice { target: amounts("2400m", target), ..advice() };
        let one = Autoscaler {
            policies: BTreeMap::from([(name.to_owned(), policy)]),
            ..autoscaler("kafka", advice, history(3 * DAY, 43_200))
        };
        judged(one).containers[0].of(Resource::Memory).clone()
    };
    let cut = |by, from: &str, to: &str| Some(Cut { by, from: quantity(from), to: quantity(to) });
    let lower = with("shard", policy(None, Some("16Gi")), "16Gi");
    assert_eq!(lower.cut, cut(Some("maxAllowed"), "20.3Gi", "16Gi"));
    assert_eq!(lower.proposed.unwrap().amount, quantity("22.25Gi"), "by what shards need");
    assert_eq!(with("*", policy(Some("24Gi"), None), "24Gi").cut, cut(Some("minAllowed"), "20.3Gi", "24Gi"));
    assert_eq!(with("other", policy(None, Some("16Gi")), "16Gi").cut, cut(None, "20.3Gi", "16Gi"));
    assert_eq!(with("shard", policy(None, Some("64Gi")), "20.3Gi").cut, None);
}

#[test]
fn doubts_are_named() {
    let with = |advice: Advice, history: History| judged(autoscaler("kafka", advice, history));
    let said = |judged: &Judged| -> Vec<String> {
        assert!(!judged.is_believed());
        judged.containers[0].doubts.iter().map(ToString::to_string).collect()
    };
    let days = || history(3 * DAY, 43_200);
    assert_eq!(
        said(&with(advice(), history(6 * HOUR + 12 * 60, 372))),
        ["too little data: 6h12m of 24h, 372 samples; look again in 17h48m"]
    );
    assert_eq!(
        said(&with(advice(), history(2 * DAY, 100))),
        ["too few samples: 2d of 24h, 100 samples, where one shard alone gives 1440 in a day"]
    );
    let stopped = History { last_sample: Some(ago(2 * HOUR)), ..days() };
    assert_eq!(
        said(&with(advice(), stopped)),
        ["the last sample is 2h old: the recommender has stopped, or gets no metrics"]
    );
    let unsettled = Advice { lower: amounts("2", "5Gi"), ..advice() };
    assert_eq!(
        said(&with(unsettled, days())),
        ["its upper bound of memory is 5.4 times the lower one: use has not settled"]
    );
    let endless = Advice { upper: amounts("100G", "100T"), ..advice() };
    assert_eq!(
        said(&with(endless, days())),
        [
            "its upper bound of CPU is 100G: it is the largest number that the recommender writes",
            "its upper bound of memory is 100T: it is the largest number that the recommender writes",
        ]
    );
    let absurd = Advice { target: amounts("NaN", "-3"), uncapped: amounts("0", "60Ti"), ..advice() };
    let absurd = with(absurd, days());
    let found = said(&absurd);
    assert_eq!(found[0], "its target of CPU is NaN: it is no quantity");
    assert_eq!(found[1], "its uncapped target of CPU is 0: no shard runs on nothing");
    assert_eq!(found[2], "its target of memory is -3: no shard runs on nothing");
    assert!(
        found[3].starts_with("its uncapped target of memory is 61440Gi: no machine has more than "),
        "{found:?}"
    );
    assert!(absurd.containers[0].resources.iter().all(|of| of.proposed.is_none()), "no basis, no proposal");
    assert_eq!(right_sized(&absurd), None);
    let memory_only =
        Advice { target: BTreeMap::from([(Resource::Memory, Amount::read("20Gi"))]), ..Advice::default() };
    let memory_only = with(memory_only, days());
    assert_eq!(said(&memory_only), ["it has no target of CPU"]);
    assert_eq!(right_sized(&memory_only), Some(resources("4", "22.25Gi")), "CPU stays");
}

#[test]
fn without_a_checkpoint_the_first_recommendation_tells_the_age() {
    let since = |seconds: i64| {
        let provided = Condition {
            kind: "RecommendationProvided".to_owned(),
            holds: true,
            since: Some(ago(seconds)),
            message: String::new(),
        };
        judged(Autoscaler { history: Ok(BTreeMap::new()), conditions: vec![provided], ..settled() })
    };
    assert!(since(DAY).is_believed());
    let young = since(HOUR);
    assert_eq!(
        young.containers[0].doubts[0].to_string(),
        "too little data: 1h of 24h since the first recommendation, and no checkpoint; look again in 23h"
    );
    let none = judged(Autoscaler { history: Ok(BTreeMap::new()), ..settled() });
    assert_eq!(none.containers[0].doubts, [Doubt::NoHistory]);
    let unknown = Unknown { asked: "list".to_owned(), answer: "no".to_owned(), is_forbidden: true };
    let forbidden = judged(Autoscaler { history: Err(unknown.clone()), ..settled() });
    assert_eq!(forbidden.containers[0].doubts, [Doubt::Unknown(unknown)]);
}

#[test]
fn a_hot_shard_is_named_with_how_hot_it_is() {
    let mut seen = observed(vec![settled()]);
    for (ordinal, memory) in [(4, "28Gi"), (8, "24Gi")] {
        seen.shards[ordinal].used.insert("shard".to_owned(), resources("1800m", memory));
    }
    let judged = judge(seen, Terms::default());
    let found: Vec<String> = judged.findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "kafka-4 is hot: it uses 28Gi of memory, 1.9 times the median of 15Gi, and more than the target of 20.3Gi; so is \
          kafka-8"
        ]
    );
    let spread = judged.containers[0].of(Resource::Memory).spread.clone().unwrap();
    assert_eq!(
        (spread.worst(), spread.median(), spread.least()),
        ((4, quantity("28Gi")), quantity("15Gi"), quantity("15Gi"))
    );
}

#[test]
fn noise_is_not_heat() {
    let of = |used: &[&str]| {
        let shards: Vec<ShardUse> = (0..)
            .zip(used)
            .map(|(ordinal, cpu)| ShardUse {
                ordinal,
                used: BTreeMap::from([("shard".to_owned(), resources(cpu, "1Gi"))]),
                ..ShardUse::default()
            })
            .collect();
        Spread::of(&shards, "shard", Resource::Cpu).unwrap()
    };
    let request = Some(quantity("4"));
    assert_eq!(of(&["1m", "2m", "5m"]).hot(request), [], "less than a tenth of the request");
    assert_eq!(of(&["1", "1", "1400m"]).hot(request), []);
    assert_eq!(of(&["1", "1", "1500m"]).hot(request), [(2, quantity("1500m"), 1.5)]);
    assert_eq!(of(&["0", "0", "3"]).hot(request), [], "no median to compare with");
    assert_eq!(of(&["0", "0", "3"]).factor(), None);
    assert_eq!(of(&["1", "3"]).factor(), Some(3.0), "of two, the median is the lower");
    assert_eq!(Spread::of(&[ShardUse::default()], "shard", Resource::Cpu), None);
}

#[test]
fn modes_that_disturb_shards_are_found() {
    for (mode, expected) in [
        ("Off", None),
        ("Initial", Some(("vpa-initial", Severity::Warning))),
        ("Auto", Some(("vpa-evicts", Severity::Error))),
        ("Recreate", Some(("vpa-evicts", Severity::Error))),
        ("InPlaceOrRecreate", Some(("vpa-evicts", Severity::Error))),
        ("InPlace", Some(("vpa-evicts", Severity::Error))),
        ("Unheard", Some(("vpa-evicts", Severity::Error))),
    ] {
        let judged = judged(Autoscaler { update_mode: mode.to_owned(), ..settled() });
        let found = judged.findings.first().map(|finding| (finding.id(), finding.severity()));
        assert_eq!(found, expected, "{mode}");
    }
}

#[test]
fn of_several_autoscalers_the_one_that_recommends_is_reported() {
    let silent = Autoscaler { advice: BTreeMap::new(), ..autoscaler("a", advice(), history(DAY, 0)) };
    let judged = judge(observed(vec![silent, settled()]), Terms::default());
    assert_eq!(judged.autoscaler.as_ref().unwrap().name, "kafka");
    assert_eq!(
        judged.findings[0].to_string(),
        "2 VerticalPodAutoscalers target the workload: a, kafka; this is the word of kafka"
    );
}

#[test]
fn why_there_is_no_recommendation() {
    let silent = || Autoscaler { advice: BTreeMap::new(), created_at: Some(ago(120)), ..settled() };
    let condition = |kind: &str| Condition {
        kind: kind.to_owned(),
        holds: true,
        since: None,
        message: "the target has no selector".to_owned(),
    };
    let off = || Policy { is_off: true, ..Policy::default() };
    let why = |autoscaler: Autoscaler| {
        let judged = judged(autoscaler);
        assert!(!judged.is_advised() && judged.has_errors() && right_sized(&judged).is_none());
        assert!(!judged.findings[0].advice().is_empty());
        judged.findings[0].to_string()
    };
    let start = "vpa/kafka has been there for 2m without a recommendation: ";
    for (autoscaler, expected) in [
        (silent(), "the recommender has not written one"),
        (
            Autoscaler { recommender: Some("other".to_owned()), ..silent() },
            "it wants a recommender of the name other",
        ),
        (Autoscaler { conditions: vec![condition("NoPodsMatched")], ..silent() }, "it matches no pods"),
        (
            Autoscaler { conditions: vec![condition("FetchingHistory")], ..silent() },
            "the recommender is still reading the history",
        ),
        (
            Autoscaler { conditions: vec![condition("ConfigUnsupported")], ..silent() },
            "it is not supported: the target has no selector",
        ),
        (
            Autoscaler { policies: BTreeMap::from([("*".to_owned(), off())]), ..silent() },
            "its policy turns recommendations off for every container",
        ),
    ] {
        assert_eq!(why(autoscaler), format!("{start}{expected}"));
    }
    let unknown =
        Unknown { asked: "get usage".to_owned(), answer: "not found".to_owned(), is_forbidden: false };
    let mut seen = observed(vec![silent()]);
    seen.usage_unknown = Some(unknown);
    let judged = judge(seen, Terms::default());
    assert_eq!(
        judged.findings[0].to_string(),
        format!("{start}nobody measures what shards use: get usage: not found")
    );
    for (autoscalers, id) in [(Autoscalers::NoApi, "no-vpa-api"), (Autoscalers::Found(Vec::new()), "no-vpa")]
    {
        let judged = judge(Observed { autoscalers, ..observed(Vec::new()) }, Terms::default());
        assert_eq!((judged.findings[0].id(), judged.findings.len()), (id, 1));
        assert!(
            judged.containers[0].of(Resource::Memory).spread.is_some(),
            "what shards use is shown all the same"
        );
    }
}

#[test]
fn a_pod_of_several_containers_gets_the_sum() {
    let mut seen = observed(vec![settled()]);
    let proxy =
        BTreeMap::from([("cpu".to_owned(), quantity("500m")), ("memory".to_owned(), quantity("1Gi"))]);
    seen.containers.push(Container { name: "proxy".to_owned(), requests: proxy, ..Container::default() });
    seen.requests = resources("4500m", "33Gi");
    let judged = judge(seen, Terms::default());
    assert_eq!(right_sized(&judged), Some(resources("2900m", "23.25Gi")), "the proxy keeps what it has");
    let ids: Vec<&str> = judged.findings.iter().map(Finding::id).collect();
    assert_eq!(ids, ["container-not-advised", "not-guaranteed"]);
    assert!(judged.is_believed(), "one container without a recommendation does not spoil the other's");
}

#[test]
fn the_effect_is_that_of_the_sizing() {
    let plan = || Plan::new("kafka".to_owned(), tutorial_demand(), market(), Prefer::Price, None, Vec::new());
    let on = |proposed: Resources| {
        let effect = effect(&plan(), resources("4", "32Gi"), proposed, Some("Standard_E16s_v5"));
        let change = effect.current.unwrap();
        let of = |outcome: Option<Outcome>| outcome.map(|outcome| (outcome.per_node, outcome.nodes));
        #[expect(clippy::cast_possible_truncation, reason = "a few thousand dollars")]
        let cents = change.saves_per_month().map(|saved| (saved * 100.0).round() as i64);
        (of(change.now), of(change.then), cents)
    };
    // Four of 26.75Gi and 3.8 CPU fit beside the daemons; a machine costs 1.008 an hour, 735.84 a month.
    assert_eq!(on(resources("3800m", "26.75Gi")), (Some((3, 4)), Some((4, 3)), Some(73_584)));
    assert_eq!(on(resources("4", "30Gi")), (Some((3, 4)), Some((3, 4)), Some(0)), "saves nothing");
    assert_eq!(on(resources("4", "40Gi")), (Some((3, 4)), Some((2, 5)), Some(-73_584)), "costs more");
    assert_eq!(on(resources("4", "110Gi")), (Some((3, 4)), None, None), "does not fit any more");
    let effect = effect(&plan(), resources("4", "32Gi"), resources("2", "16Gi"), None);
    assert_eq!(effect.current, None);
    assert!(effect.best_then.unwrap().1.per_month.unwrap() < effect.best_now.unwrap().1.per_month.unwrap());
}

#[test]
fn a_rule_that_keeps_shards_apart_eats_the_saving() {
    let field = "spec.overlay.pod.topologySpreadConstraints[0].maxSkew".to_owned();
    let rule = Rule { field: field.clone(), kind: RuleKind::PerNode(2), is_required: false };
    let demand = Demand { rules: vec![rule], ..tutorial_demand() };
    // What the plan is for does not matter: the file may be ahead of what runs.
    let demand = Demand { requests: resources("1", "1Gi"), ..demand };
    let plan = Plan::new("kafka".to_owned(), demand, market(), Prefer::Price, None, Vec::new());
    let now = resources("4", "32Gi");
    let change = effect(&plan, now, resources("2", "20Gi"), Some("Standard_E16s_v5")).current.unwrap();
    let nodes = |outcome: &Option<Outcome>| outcome.map(|outcome| (outcome.per_node, outcome.nodes));
    assert_eq!(
        (nodes(&change.now), nodes(&change.then)),
        (Some((3, 5)), Some((5, 5))),
        "two on a node either way"
    );
    assert_eq!((change.saves_per_month(), change.held_by), (Some(0.0), Some(field)));
}

prop_compose! {
    fn any_shard()(ordinal in 0_u32..1000, millis in 0_i64..200_000, mebi in 0_i64..2_000_000, limit in prop::option::of(1_i64..2_000_000)) -> ShardUse {
        let used = Resources { cpu: Quantity::milli(millis), memory: Quantity::bytes(mebi << 20) };
        let kill = limit.map(|mebi| Kill { at: None, restarts: 1, limit: Some(Quantity::bytes(mebi << 20)) });
        ShardUse {
            ordinal,
            used: BTreeMap::from([("shard".to_owned(), used)]),
            killed: kill.map(|kill| ("shard".to_owned(), kill)).into_iter().collect(),
        }
    }
}

proptest! {
    #[test]
    fn a_proposal_is_never_below_the_worst_shard(
        shards in prop::collection::vec(any_shard(), 1..40),
        headroom_percent in 0_u32..=400,
        whole_cores: bool,
        cpu in 1_i64..400_000,
        memory in 1_i64..4_000_000,
    ) {
        let target = BTreeMap::from([
            (Resource::Cpu, Amount::Known(Quantity::milli(cpu))),
            (Resource::Memory, Amount::Known(Quantity::bytes(memory << 20))),
        ]);
        let advice = Advice { target: target.clone(), uncapped: target.clone(), lower: target.clone(), upper: target };
        let seen = Observed { shards, ..observed(vec![autoscaler("kafka", advice, history(DAY, 1440))]) };
        let judged = judge(seen, Terms { headroom_percent, whole_cores });
        let container = &judged.containers[0];
        let believed = container.of(Resource::Memory).proposed.is_some();
        prop_assume!(believed && container.of(Resource::Cpu).proposed.is_some());
        let total = right_sized(&judged).unwrap();
        for shard in &judged.observed.shards {
            prop_assert!(total.holds(shard.used["shard"]), "{total:?} for {shard:?}");
            if let Some(limit) = shard.killed.get("shard").and_then(|kill| kill.limit) {
                prop_assert!(total.memory.as_f64() >= limit.as_f64() * 1.2 - 1.0);
            }
        }
        prop_assert!(total.cpu >= Quantity::milli(cpu) && total.memory >= Quantity::bytes(memory << 20));
        prop_assert!(!whole_cores || total.cpu.as_milli() % 1000 == 0);
    }
}
