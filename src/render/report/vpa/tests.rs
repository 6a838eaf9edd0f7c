use std::collections::BTreeMap;

use super::*;
use crate::domain::quantity::Resources;
use crate::domain::sizing::{Plan, Prefer};
use crate::domain::testing::{market, quantity, resources, tutorial_demand};
use crate::domain::vpa::sample::{DAY, advice, ago, amounts, autoscaler, history, observed, settled};
use crate::domain::vpa::{Advice, Autoscalers, Kill, Observed, Policy, Terms, effect, judge, right_sized};
use crate::render::json::{json, yaml};
use crate::render::report::committed::is_as_committed;
use crate::render::style::Stylesheet;

fn plain(width: Option<usize>) -> Look {
    Look { style: Stylesheet::new(false), width, ascii: false }
}

fn effect_of(proposed: Resources) -> Effect {
    let assumed = vec!["nodes are made in 3 zones (--zones)".to_owned()];
    let plan = Plan::new("kafka".to_owned(), tutorial_demand(), market(), Prefer::Price, None, assumed);
    effect(&plan, resources("4", "32Gi"), proposed, Some("Standard_E16s_v5"))
}

/// A report of what was seen, with the effect that it has.
fn with<T>(seen: Observed, show: impl Fn(&Report<'_>) -> T) -> T {
    let judged = judge(seen, Terms::default());
    let effect = right_sized(&judged).map(|proposed| Ok(effect_of(proposed)));
    show(&Report { judged: &judged, effect: effect.as_ref(), file: Some("shardset.yaml") })
}

/// Everything that can be wrong at once.
fn troubled() -> Observed {
    let advice = Advice { target: amounts("2400m", "16Gi"), upper: amounts("100G", "100T"), ..advice() };
    let mut one = autoscaler("kafka", advice, history(DAY / 4, 372));
    one.update_mode = "Auto".to_owned();
    let max_allowed = amounts("8", "16Gi");
    one.policies.insert("*".to_owned(), Policy { max_allowed, ..Policy::default() });
    let mut seen = observed(vec![one, settled()]);
    seen.shards[3].used.insert("shard".to_owned(), resources("3900m", "28Gi"));
    seen.shards[9].used.clear();
    let kill = Kill { at: Some(ago(3 * 3600)), restarts: 2, limit: Some(quantity("32Gi")) };
    for ordinal in [3, 5] {
        seen.shards[ordinal].killed.insert("shard".to_owned(), kill.clone());
    }
    seen
}

#[test]
fn tables_are_as_committed() {
    for (name, seen) in [
        ("believed.txt", observed(vec![settled()])),
        ("troubled.txt", troubled()),
        ("none.txt", observed(Vec::new())),
        ("no-api.txt", Observed { autoscalers: Autoscalers::NoApi, ..observed(Vec::new()) }),
    ] {
        is_as_committed(&format!("vpa/{name}"), &with(seen, |report| table(report, plain(Some(80)))));
    }
    is_as_committed("vpa/wide.txt", &with(troubled(), |report| wide(report, plain(Some(80)))));
}

#[test]
fn json_and_yaml_are_exact() {
    let text = with(troubled(), |report| json(&super::report(report)));
    is_as_committed("vpa/golden.json", &text);
    let back = with(troubled(), |report| yaml(&super::report(report)));
    let back: serde_json::Value = serde_saphyr::from_str(&back).unwrap();
    assert_eq!(back, serde_json::from_str::<serde_json::Value>(&text).unwrap());
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut many = troubled();
    let shard = many.shards[0].clone();
    many.shards.extend((10..100).map(|ordinal| {
        let mut shard = shard.clone();
        shard.ordinal = ordinal;
        if ordinal % 3 == 0 {
            shard.used.insert("shard".to_owned(), resources("3", "31.5Gi"));
        }
        shard
    }));
    for seen in [observed(vec![settled()]), troubled(), many] {
        let text = with(seen, |report| table(report, plain(Some(80))));
        let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        // What one copies is not wrapped.
        assert!(long.iter().all(|line| line.starts_with("  kubectl ")), "{long:#?}");
        assert!(text.lines().count() < 50, "{text}");
    }
}

#[test]
fn colour_changes_no_word() {
    let plain_text = with(troubled(), |report| table(report, plain(None)));
    let coloured = with(troubled(), |report| {
        table(report, Look { style: Stylesheet::new(true), width: None, ascii: false })
    });
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some(at) = rest.find('\u{1b}') {
        stripped.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[rest.find('m').unwrap() + 1..];
    }
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(stripped + rest, plain_text);
}

#[test]
fn the_effect_is_said_in_a_sentence() {
    let said = |cpu: &str, memory: &str| on_current(&effect_of(resources(cpu, memory)).current.unwrap());
    for (cpu, memory, expected) in [
        ("3800m", "26.75Gi", "saves $736 a month, 4 per node instead of 3, 3 nodes instead of 4."),
        ("4", "30Gi", "saves nothing, still 3 per node, still 4 nodes."),
        ("4", "40Gi", "costs $736 a month more, 2 per node instead of 3, 5 nodes instead of 4."),
        ("2", "21.5Gi", "saves $1,472 a month, 5 per node instead of 3, 2 nodes instead of 4."),
    ] {
        assert_eq!(said(cpu, memory), format!("On Standard_E16s_v5, where the shards are: {expected}"));
    }
    assert_eq!(said("4", "110Gi"), "On Standard_E16s_v5, where the shards are, such a shard does not fit.");
}

#[test]
fn what_it_changes_may_be_unknown() {
    let judged = judge(observed(vec![settled()]), Terms::default());
    let unknown = Err(NoEffect {
        why: "no node says which region it is in".to_owned(),
        hint: Some("name the region of the prices: --region eastus".to_owned()),
    });
    let report = Report { judged: &judged, effect: Some(&unknown), file: None };
    let text = table(&report, plain(None));
    assert!(
        text.contains(
            "What it changes is not known: no node says which region it is in.\n  name the region of the prices: --region eastus\n"
        ),
        "{text}"
    );
    let value = serde_json::to_value(super::report(&report)).unwrap();
    assert_eq!(value["effectUnknown"], "no node says which region it is in");
    assert_eq!(BTreeMap::from([("effect", &value["effect"])])["effect"], &serde_json::Value::Null);
}

#[test]
fn proposals_are_shown_exactly() {
    for (memory, expected) in [
        ("22.25Gi", "22.25Gi"),
        ("22.5Gi", "22.5Gi"),
        ("30Gi", "30Gi"),
        ("304Mi", "304Mi"),
        ("1100Mi", "1100Mi"),
    ] {
        assert_eq!(exact(quantity(memory)), expected);
    }
}
