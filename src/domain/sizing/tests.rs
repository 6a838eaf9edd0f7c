use proptest::prelude::*;

use super::*;
use crate::domain::catalogue::{self, Architecture, sizes};
use crate::domain::testing::{market, quantity, resources, tutorial_demand as tutorial};

fn per_host(skew: u32) -> Rule {
    let field = "topologySpreadConstraints[0].maxSkew".to_owned();
    Rule { field, kind: RuleKind::PerNode(skew), is_required: false }
}

fn of<'a>(sizing: &'a Sizing, name: &str) -> &'a Choice {
    sizing.choices.iter().find(|choice| choice.size.name == name).unwrap()
}

fn why<'a>(sizing: &'a Sizing, name: &str) -> &'a Out {
    &sizing.out.iter().find(|(size, _)| size.name == name).unwrap().1
}

fn cents(amount: Option<f64>) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a few thousand dollars")]
    let cents = (amount.unwrap() * 100.0).round() as i64;
    cents
}

#[test]
fn the_tutorials_shard_without_its_spread() {
    let sizing = size_up(&tutorial(), &market(), Prefer::Price);
    // Size, shards per node by the plan and by a real node, nodes, cents per month on demand.
    for (name, planned, expected, nodes, monthly) in [
        ("Standard_E8s_v5", 1, 1, 10, 367_920),
        ("Standard_E16s_v5", 3, 3, 4, 294_336),
        ("Standard_E20s_v5", 4, 4, 3, 275_940),
        ("Standard_E32s_v5", 6, 7, 2, 294_336),
        ("Standard_E48s_v5", 10, 11, 1, 220_752),
    ] {
        let choice = of(&sizing, name);
        let found = (choice.planned.per_node, choice.expected.per_node, choice.nodes);
        assert_eq!(found, (planned, expected, nodes), "{name}");
        assert_eq!(cents(choice.price_per_month()), monthly, "{name}");
        assert_eq!(choice.nodes_without_rules, nodes, "{name}");
        assert_eq!(choice.costly_rule, None, "{name}");
    }
    // Half an outage a year for each node, a tenth for each of at most three zones.
    for (name, outages) in [("Standard_E8s_v5", 5.3), ("Standard_E32s_v5", 1.2), ("Standard_E48s_v5", 0.6)] {
        assert!((of(&sizing, name).outages_per_year - outages).abs() < 1e-9, "{name}");
    }
    // One machine for all ten shards is the cheapest of those that NAP can make, and has the fewest outages.
    let best = &sizing.choices[0];
    assert_eq!(best.nodes, 1, "{}", best.size.name);
    assert!(cents(best.price_per_hour()) <= 271, "E48as_v5 costs 2.71 an hour");
}

#[test]
fn the_tutorials_spread_makes_five_nodes_of_two() {
    let demand = Demand { rules: vec![per_host(2)], ..tutorial() };
    let sizing = size_up(&demand, &market(), Prefer::Price);
    let choice = of(&sizing, "Standard_E16s_v5");
    assert_eq!((choice.planned.per_node, choice.nodes, choice.most_on_one_node), (3, 5, 2));
    assert_eq!((choice.nodes_without_rules, choice.costly_rule), (4, Some(0)));
    // Five more shards would fit, were it not for the spread; 5 x 3.24 CPU (15.74 - 0.5 - 12) cannot be used.
    assert_eq!(choice.free_slots, 5);
    assert_eq!(choice.stranded.cpu, quantity("16200m"));
    // A smaller request would save nothing.
    assert_eq!(choice.one_more, None);
}

#[test]
fn one_more_would_fit_with_a_smaller_request() {
    let sizing = size_up(&tutorial(), &market(), Prefer::Price);
    let one_more = of(&sizing, "Standard_E16s_v5").one_more.as_ref().unwrap();
    // (15.74 - 0.5) / 4 = 3.81 CPU; (108.35 - 0.8) / 4 = 26.88Gi.
    assert_eq!((one_more.per_node, one_more.nodes), (4, 3));
    assert_eq!(one_more.requests.cpu, quantity("3810m"));
    let gib = one_more.requests.memory.as_f64() / f64::from(1 << 30);
    assert!((26.88..26.89).contains(&gib), "{gib}");
    // One E16s_v5: 1.008 x 730.
    assert_eq!(cents(one_more.saves_per_month), 73_584);
    let fits = Demand { requests: one_more.requests, ..tutorial() };
    assert_eq!(of(&size_up(&fits, &market(), Prefer::Price), "Standard_E16s_v5").nodes, 3);
    // With one node for all, there is nothing to save.
    assert_eq!(of(&sizing, "Standard_E48s_v5").one_more, None);
}

#[test]
fn limits_leave_room_for_the_surge() {
    let sizing = size_up(&tutorial(), &market(), Prefer::Price);
    assert_eq!(of(&sizing, "Standard_E16s_v5").limits, resources("80", "640Gi"));
    let none = Market { surge: 0, ..market() };
    let sizing = size_up(&tutorial(), &none, Prefer::Price);
    assert_eq!(of(&sizing, "Standard_E16s_v5").limits, resources("64", "512Gi"));
}

#[test]
fn a_live_figure_wins_over_the_plan() {
    let live = Live { allocatable: resources("31580m", "245Gi"), pods: 250, nodes: 2 };
    let market = Market { live: BTreeMap::from([("Standard_E32s_v5".to_owned(), live)]), ..market() };
    let sizing = size_up(&tutorial(), &market, Prefer::Price);
    let choice = of(&sizing, "Standard_E32s_v5");
    assert_eq!((choice.planned.per_node, choice.live.unwrap().per_node, choice.figure().per_node), (6, 7, 7));
    assert_eq!(of(&sizing, "Standard_E16s_v5").live, None);
}

#[test]
fn every_size_is_ranked_or_out_with_its_reason() {
    let market =
        Market { families: vec!["E".to_owned(), "Ds_v5".to_owned()], max_nodes: Some(8), ..market() };
    let sizing = size_up(&tutorial(), &market, Prefer::Price);
    assert_eq!(sizing.choices.len() + sizing.out.len(), sizes().len());
    for (name, expected) in [
        ("Standard_E32ps_v5", Out::Architecture(Architecture::Arm64)),
        ("Standard_D16as_v5", Out::Family),
        ("Standard_E16_v5", Out::NoPremiumDisks),
        ("Standard_E8s_v5", Out::TooManyNodes { nodes: 10 }),
    ] {
        assert_eq!(*why(&sizing, name), expected, "{name}");
    }
    assert_eq!(why(&sizing, "Standard_D8s_v5").sort(), "too little memory");
    assert_eq!(why(&sizing, "Standard_E2s_v5").sort(), "too little CPU and memory");
    assert!(sizing.choices.iter().any(|choice| choice.size.series == "Ds_v5"));

    let disks = Demand { disks: 20, ..tutorial() };
    let sizing = size_up(&disks, &market, Prefer::Price);
    assert_eq!(*why(&sizing, "Standard_E8s_v5"), Out::TooFewDisks { most: 16, needs: 20 });
    let two_each = Demand { disks: 10, ..tutorial() };
    let sizing = size_up(&two_each, &market, Prefer::Price);
    assert_eq!(of(&sizing, "Standard_E48s_v5").planned.per_node, 3, "32 disks");

    let expression = |key: &str, values: &[&str]| crate::domain::snapshot::NodeExpression {
        key: key.to_owned(),
        operator: "In".to_owned(),
        values: values.iter().map(ToString::to_string).collect(),
    };
    let pool = NodePool {
        requirements: vec![expression("karpenter.azure.com/sku-version", &["5"])],
        ..NodePool::default()
    };
    let sizing = size_up(&tutorial(), &Market { pool, ..market }, Prefer::Price);
    let key = "karpenter.azure.com/sku-version".to_owned();
    assert_eq!(*why(&sizing, "Standard_E16s_v4"), Out::Requirement { key });
}

#[test]
fn a_size_without_a_price_is_out_and_never_free() {
    let unpriced = sizes().iter().find(|size| {
        size.architecture == Architecture::Amd64
            && size.memory_gib > 256
            && catalogue::on_demand(size.name, "eastus").is_none()
    });
    let market = Market { ..market() };
    let demand = Demand { wants_premium: false, ..tutorial() };
    let sizing = size_up(&demand, &market, Prefer::Price);
    assert!(sizing.choices.iter().all(|choice| choice.price_per_hour().unwrap() > 0.0));
    if let Some(size) = unpriced {
        assert_eq!(*why(&sizing, size.name), Out::NoPrice { region: "eastus" });
    }
}

#[test]
fn the_order_is_what_the_operator_prefers() {
    let by = |prefer| size_up(&tutorial(), &market(), prefer).choices;
    let price: Vec<f64> = by(Prefer::Price).iter().filter_map(Choice::price_per_hour).collect();
    assert!(price.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6));
    let outages = by(Prefer::Outage);
    assert!(outages.windows(2).all(|pair| pair[0].outages_per_year <= pair[1].outages_per_year));
    let nodes = by(Prefer::FewestNodes);
    assert!(nodes.windows(2).all(|pair| pair[0].nodes <= pair[1].nodes));
}

#[test]
fn a_service_that_can_do_without_some_shards_has_fewer_outages() {
    // Nodes of three: one that is lost takes three of the two that may be down; with two a node it does not.
    for (required, rules, outages) in [
        (10, vec![], 4.0 * 0.5 + 3.0 * 0.1),
        // 3 + 3 + 3 + 1: the fourth may be lost. Zones hold 4, 3 and 3.
        (8, vec![], 3.0 * 0.5 + 3.0 * 0.1),
        // 2 on each of five, 4 in two zones and 2 in the third.
        (8, vec![per_host(2)], 2.0 * 0.1),
        (5, vec![], 0.0),
    ] {
        let demand = Demand { required, rules, ..tutorial() };
        let sizing = size_up(&demand, &market(), Prefer::Price);
        let found = of(&sizing, "Standard_E16s_v5").outages_per_year;
        assert!((found - outages).abs() < 1e-9, "{required} required: {found}");
    }
}

#[test]
fn a_spread_over_zones_takes_a_node_in_each() {
    let zones = |skew| Rule {
        field: "topologySpreadConstraints[0].maxSkew".to_owned(),
        kind: RuleKind::ZoneSkew(skew),
        is_required: true,
    };
    for (rules, name, nodes) in [
        (vec![zones(1)], "Standard_E48s_v5", 3),
        (vec![zones(1)], "Standard_E16s_v5", 4),
        (vec![zones(1)], "Standard_E20s_v5", 3),
        (vec![zones(1), per_host(1)], "Standard_E16s_v5", 10),
        (vec![zones(1), per_host(2)], "Standard_E16s_v5", 6),
    ] {
        let demand = Demand { rules: rules.clone(), ..tutorial() };
        let sizing = size_up(&demand, &market(), Prefer::Price);
        assert_eq!(of(&sizing, name).nodes, nodes, "{name} {rules:?}");
    }
}

#[test]
fn reserved_machines_are_filled_first_and_the_rest_is_bought() {
    let e16 = catalogue::size("Standard_E16s_v5").unwrap();
    let e8 = catalogue::size("Standard_E8s_v5").unwrap();
    let market = Market { families: vec!["Es_v5".to_owned()], ..market() };
    let sizing = size_up(&tutorial(), &market, Prefer::Price);
    // Three of three shards each are reserved; the tenth shard goes on an E8s_v5 for 0.504 x 730 = 367.92 a month.
    let mix = mixed(&tutorial(), &sizing, &[(e16, 3)]).unwrap();
    assert_eq!(mix.reserved, [Part { size: e16, nodes: 3, shards: 9 }]);
    assert_eq!(mix.more, Some(Part { size: e8, nodes: 1, shards: 1 }));
    assert_eq!(cents(Some(mix.more_per_month())), 36_792);
    // More than enough: no more of them is used than it takes, the larger first.
    let mix = mixed(&tutorial(), &sizing, &[(e8, 20), (e16, 3)]).unwrap();
    assert_eq!(
        mix.reserved,
        [Part { size: e16, nodes: 3, shards: 9 }, Part { size: e8, nodes: 1, shards: 1 }]
    );
    assert_eq!((mix.more, cents(Some(mix.more_per_hour))), (None, 0));
    // The spread holds for them, too: two on each of three, and four shards more on two E8s_v5 at a time.
    let spread = Demand { rules: vec![per_host(2)], ..tutorial() };
    let sizing = size_up(&spread, &market, Prefer::Price);
    let mix = mixed(&spread, &sizing, &[(e16, 3)]).unwrap();
    assert_eq!(mix.reserved[0].shards, 6);
    assert_eq!(cents(Some(mix.more_per_hour)), 202, "four shards: 4 E8s_v5 or 2 E16s_v5, 2.016 either way");
    assert_eq!(mixed(&tutorial(), &sizing, &[]), None);
}

proptest! {
    #[test]
    fn never_more_fit_than_is_allocatable(
        cpu in 50_i64..40_000, mebi in 64_i64..600_000, replicas in 1_u32..60, required in 1_u32..60,
        disks in 0_u32..5, skew in proptest::option::of(1_u32..5), zone_skew in proptest::option::of(1_u32..3),
        daemon_cpu in 0_i64..2_000, daemon_mebi in 0_i64..8_000, daemon_pods in 0_u32..12, zones in 1_u32..4,
    ) {
        let mut rules: Vec<Rule> = skew.map(per_host).into_iter().collect();
        rules.extend(zone_skew.map(|skew| Rule { kind: RuleKind::ZoneSkew(skew), ..per_host(1) }));
        let requests = Resources { cpu: Quantity::milli(cpu), memory: Quantity::bytes(mebi << 20) };
        let demand = Demand {
            replicas, required: required.min(replicas), requests, disks, wants_premium: disks > 0, rules,
        };
        let daemons = Load {
            pods: daemon_pods,
            requests: Resources { cpu: Quantity::milli(daemon_cpu), memory: Quantity::bytes(daemon_mebi << 20) },
        };
        let market = Market { zones, overhead: Overhead::Given(daemons), ..market() };
        let sizing = size_up(&demand, &market, Prefer::Price);
        prop_assert_eq!(sizing.choices.len() + sizing.out.len(), sizes().len());
        for choice in &sizing.choices {
            let name = choice.size.name;
            let full = requests * choice.planned.per_node + daemons.requests;
            prop_assert!(choice.planned.allocatable.holds(full), "{name}");
            prop_assert!(choice.planned.per_node + daemons.pods <= 250, "{name}");
            prop_assert!(choice.most_on_one_node <= choice.planned.per_node, "{name}");
            prop_assert!(choice.most_on_one_node <= skew.unwrap_or(u32::MAX), "{name}");
            prop_assert!(choice.nodes * choice.most_on_one_node >= replicas, "{name}");
            prop_assert!(choice.nodes >= choice.nodes_without_rules, "{name}");
            prop_assert!(choice.nodes_without_rules * choice.planned.per_node >= replicas, "{name}");
            if disks > 0 && let Some(most) = choice.size.max_data_disks {
                prop_assert!(choice.planned.per_node * disks <= most, "{name}");
            }
            if let Some(one_more) = &choice.one_more {
                let full = one_more.requests * one_more.per_node + daemons.requests;
                prop_assert!(choice.planned.allocatable.holds(full), "{name}");
                prop_assert!(one_more.nodes < choice.nodes && requests.holds(one_more.requests), "{name}");
            }
        }
    }
}
