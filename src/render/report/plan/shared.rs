//! Several services on one pool: the answer, the table, and JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::Look;
use super::super::amounts::{count, dollars};
use super::{money, unknown};
use crate::domain::catalogue::{PRICES_LISTED, PRICES_SOURCE};
use crate::domain::sizing::{HOURS_PER_MONTH, Plan, Shared, Sharing};
use crate::render::table::Columns;
use crate::render::text::wrap;

/// Services are counted rather than named when there are more others than this.
const MOST_NAMED: usize = 4;

/// `-o table`: the cheapest size for all, what each costs by itself, and what sharing means.
#[must_use]
pub fn shared_table(plans: &[Plan], sharing: &Sharing, look: Look, top: usize) -> String {
    let mut columns = Columns::new(&["size", "nodes", "most on one", "$/hour", "$/month"], None);
    for choice in sharing.choices.iter().take(top) {
        columns.row([
            choice.size.name.to_owned(),
            choice.nodes.to_string(),
            choice.most_on_one_node.to_string(),
            choice.price_per_hour.map_or_else(unknown, money),
            choice.price_per_month().map_or_else(unknown, money),
        ]);
    }
    let notes = notes(plans, sharing);
    let notes = notes.iter().flat_map(|note| wrap(note, look.width)).map(|line| line + "\n");
    format!("{}\n{columns}\n{}", answer(plans, sharing, look), notes.collect::<String>())
}

fn answer(plans: &[Plan], sharing: &Sharing, look: Look) -> String {
    let Some(best) = sharing.choices.first() else { return String::new() };
    let names: Vec<&str> = plans.iter().map(|plan| plan.name.as_str()).collect();
    let shards: u32 = plans.iter().map(|plan| plan.demand.replicas).sum();
    let size = format!("{} {}", best.nodes, best.size.name);
    let price = best.price_per_month().map_or_else(
        || "an unknown price".to_owned(),
        |price| format!("{} a month in {}", dollars(price), plans[0].market.region.name()),
    );
    let difference = best.price_per_month().zip(sharing.alone_per_month()).map(|(together, alone)| {
        let compared = match alone - together {
            saved if saved >= 0.5 => "they cost",
            more if more <= -0.5 => "they cost less:",
            _ => "they cost as much:",
        };
        format!("; on pools of their own {compared} {}", dollars(alone))
    });
    let names = match names.as_slice() {
        [first, rest @ ..] if rest.len() > MOST_NAMED => format!("{first} and {} others", rest.len()),
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.join(", "),
    };
    let text = format!(
        "{size} {} the {} of {} together, for {price}{}.",
        if best.nodes == 1 { "holds" } else { "hold" },
        count(shards, "shard"),
        names,
        difference.unwrap_or_default()
    );
    wrap(&text, look.width).join("\n").replacen(&size, &look.style.value(&size), 1) + "\n"
}

fn notes(plans: &[Plan], sharing: &Sharing) -> Vec<String> {
    let mut notes: Vec<String> = sharing
        .alone
        .iter()
        .map(|alone| match &alone.best {
            None => format!("{} by itself: no size fits.", alone.name),
            Some(best) => format!(
                "{} by itself: {} {} for {}, {} a month.",
                alone.name,
                best.nodes,
                best.size.name,
                count(alone.shards, "shard"),
                best.price_per_month().map_or_else(unknown, dollars)
            ),
        })
        .collect();
    notes.push(
        "To share a pool, give spec.nodes.stable of all of them the same name, taints and instance type, and limits for all. \
         A node that is lost takes every service down that has a shard on it."
            .to_owned(),
    );
    let spread = plans.iter().any(|plan| {
        plan.demand.rules.iter().any(|rule| matches!(rule.kind, crate::domain::sizing::RuleKind::ZoneSkew(_)))
    });
    if spread {
        notes.push("A spread over zones is not looked at here; it may take more nodes.".to_owned());
    }
    notes.push(format!(
        "Prices: list, on demand, Linux, {}, {PRICES_LISTED} ({PRICES_SOURCE}).",
        plans[0].market.region.name()
    ));
    let mut assumptions: Vec<&str> = Vec::new();
    for assumption in plans.iter().flat_map(|plan| &plan.assumptions) {
        // How often nodes fail plays no part here.
        if !assumptions.contains(&assumption.as_str()) && !assumption.contains("a year") {
            assumptions.push(assumption);
        }
    }
    if !assumptions.is_empty() {
        notes.push(format!("Assumed: {}.", assumptions.join("; ")));
    }
    notes
}

/// Several services on one pool, as programs read it. Money is in US dollars; what is not known is null, never 0.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedPlanReport<'a> {
    api_version: &'static str,
    kind: &'static str,
    region: &'static str,
    prices_listed: &'static str,
    prices_source: &'static str,
    hours_per_month: f64,
    services: Vec<ServiceReport<'a>>,
    alone_per_month_usd: Option<f64>,
    /// The cheapest size for all together.
    recommended: Option<&'static str>,
    sizes: Vec<SharedReport>,
    fitting_sizes: usize,
    /// How many sizes each service rules out, as the first that does.
    ruled_out_by: BTreeMap<&'a str, usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceReport<'a> {
    name: &'a str,
    replicas: u32,
    alone: Option<SharedReport>,
    assumptions: &'a [String],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SharedReport {
    instance_type: &'static str,
    nodes: u32,
    most_shards_on_one_node: u32,
    price_per_month_usd: Option<f64>,
}

/// The report with its first `top` sizes.
#[must_use]
pub fn shared_report<'a>(plans: &'a [Plan], sharing: &'a Sharing, top: usize) -> SharedPlanReport<'a> {
    let mut ruled_out_by: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, name, _) in &sharing.out {
        *ruled_out_by.entry(if name.is_empty() { "all" } else { name }).or_default() += 1;
    }
    SharedPlanReport {
        api_version: "shardctl.dev/v1alpha1",
        kind: "SharedPlanReport",
        region: plans.first().map_or("", |plan| plan.market.region.name()),
        prices_listed: PRICES_LISTED,
        prices_source: PRICES_SOURCE,
        hours_per_month: HOURS_PER_MONTH,
        services: plans
            .iter()
            .zip(&sharing.alone)
            .map(|(plan, alone)| ServiceReport {
                name: &plan.name,
                replicas: plan.demand.replicas,
                alone: alone.best.as_ref().map(shared),
                assumptions: &plan.assumptions,
            })
            .collect(),
        alone_per_month_usd: sharing.alone_per_month().map(rounded),
        recommended: sharing.choices.first().map(|best| best.size.name),
        sizes: sharing.choices.iter().take(top).map(shared).collect(),
        fitting_sizes: sharing.choices.len(),
        ruled_out_by,
    }
}

fn shared(shared: &Shared) -> SharedReport {
    SharedReport {
        instance_type: shared.size.name,
        nodes: shared.nodes,
        most_shards_on_one_node: shared.most_on_one_node,
        price_per_month_usd: shared.price_per_month().map(rounded),
    }
}

/// To a ten-thousandth, so that sums of floating-point numbers read as they are meant.
fn rounded(amount: f64) -> f64 {
    (amount * 10_000.0).round() / 10_000.0
}
