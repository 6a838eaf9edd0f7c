use super::*;
use crate::domain::packing::Load;
use crate::domain::sizing::{Demand, Live, Market, Prefer, Rule};
use crate::domain::testing::{market, resources, tutorial_demand};
use crate::render::style::Stylesheet;

fn plain(width: Option<usize>) -> Look {
    Look { style: Stylesheet::new(false), width, ascii: false }
}

fn plan(demand: Demand, market: Market) -> Plan {
    let assumptions = vec!["nodes are made in 3 zones (--zones)".to_owned()];
    let pinned = Some("Standard_E16s_v5".to_owned());
    Plan::new("biometric-shard".to_owned(), demand, market, Prefer::Price, pinned, assumptions)
}

fn intel() -> Market {
    Market { families: vec!["Es_v5".to_owned()], ..market() }
}

fn spread() -> Demand {
    let field = "topologySpreadConstraints[0].maxSkew".to_owned();
    let rule = Rule { field, kind: RuleKind::PerNode(2), is_required: false };
    Demand { rules: vec![rule], ..tutorial_demand() }
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for demand in [tutorial_demand(), spread()] {
        let text = table(&plan(demand, market()), plain(Some(80)), 10);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn the_answer_comes_first_and_what_saves_comes_last() {
    let text = table(&plan(tutorial_demand(), intel()), plain(None), 3);
    assert!(
        text.starts_with(
            "1 Standard_E48s_v5 holds the 10 shards of biometric-shard, for $2,208 a month ($3.02 an hour) in eastus, \
             with 0.6 outages to expect in a year.\n"
        ),
        "{text}"
    );
    assert!(text.contains("Standard_E48s_v5     10 (11)    1       3.02     2,208     0.6\n"), "{text}");
    assert!(
        text.contains(
            "26.8Gi instead of 32Gi and 3.81 CPU instead of 4 fits 4 on Standard_E16s_v5: 3 nodes instead of 4, \
             saves $736 a month.\n"
        ),
        "{text}"
    );
    assert!(text.contains("Standard_E16s_v5 *"), "the pinned size is shown: {text}");
}

#[test]
fn the_field_that_takes_more_nodes_is_named() {
    let market = Market { families: vec!["Es_v5".to_owned()], max_nodes: Some(5), ..market() };
    let text = table(&plan(spread(), market), plain(None), 3);
    assert!(
        text.contains(
            "topologySpreadConstraints[0].maxSkew lets Karpenter put no more than 2 shards on a node, though it says \
             ScheduleAnyway: Standard_E16s_v5 would do with 4 nodes, $736 a month less.\n"
        ),
        "{text}"
    );
    assert!(text.contains("Standard_E16s_v5 *   3          5 (4)   5.04     3,679     2.8\n"), "{text}");
}

#[test]
fn what_is_live_is_marked() {
    let live = Live { allocatable: resources("31580m", "245Gi"), pods: 250, nodes: 2 };
    let market = Market { live: [("Standard_E32s_v5".to_owned(), live)].into(), ..intel() };
    let text = table(&plan(tutorial_demand(), market), plain(None), 10);
    assert!(text.contains("7 live"), "{text}");
}

#[test]
fn json_and_yaml_are_exact() {
    let market = Market {
        families: vec!["Es_v5".to_owned()],
        max_nodes: Some(5),
        overhead: Overhead::Given(Load { pods: 8, requests: resources("500m", "800Mi") }),
        ..market()
    };
    let plan = plan(spread(), market);
    let json = serde_json::to_string_pretty(&report(&plan, 1)).unwrap() + "\n";
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write("src/render/report/plan/golden.json", &json).unwrap();
    }
    assert_eq!(json, std::fs::read_to_string("src/render/report/plan/golden.json").unwrap());
    let back: serde_json::Value = serde_saphyr::from_str(&yaml(&report(&plan, 1))).unwrap();
    assert_eq!(back, serde_json::from_str::<serde_json::Value>(&json).unwrap());
}
