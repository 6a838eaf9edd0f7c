//! What it could cost instead, each with what it assumes.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::inventory::{Inventory, Service};
use super::leaks::{Leak, LeakKind};
use super::node::NodeCost;
use super::{Beside, Pricing, Region, Total, Usd};
use crate::domain::catalogue::{Origin, Term};
use crate::domain::names::NodeName;
use crate::domain::quantity::Resources;
use crate::domain::sizing::Plan;

/// One way to pay less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saving {
    pub kind: SavingKind,
    /// What is saved per month of 730 hours. A negative amount is what it would cost more.
    pub per_month: Total,
    /// Whether it is one for this service; why not is part of the assumption.
    pub is_advised: bool,
    /// What must be so.
    pub assumption: String,
}

/// How less would be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavingKind {
    /// The same nodes, reserved.
    Reserved(Term),
    /// The same nodes as spot machines.
    Spot,
    /// The best size of `plan`.
    Size { name: String, nodes: u32 },
    /// The best size for what shards use, by `vpa-report`.
    RightSized { name: String, nodes: u32, requests: Resources },
}

impl SavingKind {
    /// The kind in reports.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reserved(term) => term.as_str(),
            Self::Spot => "spot",
            Self::Size { .. } => "best-size",
            Self::RightSized { .. } => "right-sized",
        }
    }
}

/// What usage says that shards should request, and what holds them then. `vpa-report` finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct RightSized {
    pub requests: Resources,
    /// The best size for these requests.
    pub size: String,
    pub nodes: u32,
    /// What the requests rest on: how long usage was seen, and with how much headroom.
    pub assumption: String,
}

pub(super) fn savings(
    inventory: &Inventory,
    nodes: &[NodeCost],
    leaks: &[Leak],
    pricing: &Pricing<'_>,
    beside: Beside<'_>,
) -> Vec<Saving> {
    let leaking: Vec<&NodeName> = leaks
        .iter()
        .filter_map(|leak| match &leak.kind {
            LeakKind::EmptyNode { node, .. } | LeakKind::LeftNode { node, .. } => Some(node),
            LeakKind::Disk { .. } | LeakKind::Snapshot { .. } => None,
        })
        .collect();
    // Nobody reserves a node that is to go.
    let staying: Vec<&NodeCost> = nodes
        .iter()
        .filter(|node| !leaking.contains(&&node.name) && !node.is_deleting)
        .filter(|node| node.price.as_ref().is_some_and(|price| price.term == Term::OnDemand))
        .collect();
    let mut savings = Vec::new();
    if !staying.is_empty() {
        savings.push(reserved(&staying, pricing, Term::ReservedOneYear));
        savings.push(reserved(&staying, pricing, Term::ReservedThreeYears));
        savings.push(spot(inventory.service(), &staying, pricing));
    }
    if let Some(plan) = beside.plan {
        savings.extend(best_size(nodes, pricing, plan));
        savings.extend(beside.right_sized.and_then(|right| right_sized(nodes, pricing, plan, right)));
    }
    savings
}

/// Sizes with how many nodes have them.
fn sizes<'a>(nodes: &[&'a NodeCost]) -> Vec<(Region, &'a str, u32, Usd)> {
    let mut sizes: BTreeMap<(Region, &str, Usd), u32> = BTreeMap::new();
    for node in nodes {
        if let (Some(region), Some(size), Some(price)) =
            (node.region, node.instance_type.as_deref(), node.per_hour())
        {
            *sizes.entry((region, size, price)).or_default() += 1;
        }
    }
    sizes.into_iter().map(|((region, size, price), count)| (region, size, count, price)).collect()
}

/// What these nodes would save if they were paid in another way.
fn paid_as(nodes: &[&NodeCost], pricing: &Pricing<'_>, term: Term) -> Total {
    let saved = sizes(nodes).into_iter().map(|(region, size, count, now)| {
        let then = pricing.monthly(region, size, term, count)?;
        Some(now.times(count).hourly_to_monthly() - then)
    });
    saved.collect()
}

fn described(nodes: &[&NodeCost]) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, size, count, _) in sizes(nodes) {
        *counts.entry(size).or_default() += count;
    }
    let parts: Vec<String> = counts.into_iter().map(|(size, count)| format!("{count} {size}")).collect();
    parts.join(", ")
}

fn reserved(nodes: &[&NodeCost], pricing: &Pricing<'_>, term: Term) -> Saving {
    Saving {
        kind: SavingKind::Reserved(term),
        per_month: paid_as(nodes, pricing, term),
        is_advised: true,
        assumption: format!(
            "if {} {} that long; a reservation is of one series and region, and is paid whether or not they run",
            described(nodes),
            if nodes.len() == 1 { "stays" } else { "stay" }
        ),
    }
}

fn spot(service: Option<&Service>, nodes: &[&NodeCost], pricing: &Pricing<'_>) -> Saving {
    let assumption = match service {
        Some(service) if service.required >= service.replicas => {
            "not for this service, Azure takes a spot machine back with 30 seconds' notice, and one eviction is an outage \
             of all shards"
                .to_owned()
        }
        Some(service) => format!(
            "not for this service, Azure takes spot machines back with 30 seconds' notice, several at once, and {} of {} \
             shards must be up",
            service.required, service.replicas
        ),
        None => "only for what may be evicted with 30 seconds' notice; a service that needs every shard may not".to_owned(),
    };
    Saving {
        kind: SavingKind::Spot,
        per_month: paid_as(nodes, pricing, Term::Spot),
        is_advised: false,
        assumption,
    }
}

/// Where the prices come from that nodes would have if they were paid in another way.
pub(super) fn sources(nodes: &[NodeCost], pricing: &Pricing<'_>) -> Vec<(Origin, Option<Date>)> {
    let on_demand =
        nodes.iter().filter(|node| node.price.as_ref().is_some_and(|one| one.term == Term::OnDemand));
    let on_demand: Vec<&NodeCost> = on_demand.collect();
    let others = [Term::ReservedOneYear, Term::ReservedThreeYears, Term::Spot];
    let quotes = sizes(&on_demand).into_iter().flat_map(|(region, size, ..)| {
        others.into_iter().filter_map(move |term| pricing.prices.quote(region, size, term))
    });
    quotes.map(|quote| (quote.origin, quote.listed)).collect()
}

/// What the nodes that carry shards cost in a month.
fn carriers(nodes: &[NodeCost]) -> Total {
    let carriers = nodes.iter().filter(|node| node.has_shards());
    carriers.map(NodeCost::per_month).collect()
}

fn difference(now: Total, then: Option<Usd>) -> Total {
    // What is not known of either side is not known of the difference.
    Total::from_iter([now.whole().zip(then).map(|(now, then)| now - then)])
}

fn best_size(nodes: &[NodeCost], pricing: &Pricing<'_>, plan: &Plan) -> Option<Saving> {
    let best = plan.best()?;
    let now = carriers(nodes);
    let then = pricing.monthly(plan.market.region, best.size.name, Term::OnDemand, best.nodes);
    let per_month = difference(now, then);
    if per_month.whole().is_some_and(|saved| !saved.is_positive()) {
        return None;
    }
    let carriers: Vec<&NodeCost> = nodes.iter().filter(|node| node.has_shards()).collect();
    let now_on = u32::try_from(carriers.len()).unwrap_or(u32::MAX);
    let is_same = carriers.iter().all(|node| node.instance_type.as_deref() == Some(best.size.name));
    let how = match is_same {
        true => "`shardctl drain` empties the others, with outages of its own",
        false => "the move is a migration with outages of its own",
    };
    let is_shared = carriers.iter().any(|node| node.usage.as_ref().is_some_and(|usage| usage.other_pods > 0));
    let others = if is_shared { "; what else runs on them needs a place, too" } else { "" };
    let count = |count: u32| format!("{count} {}", if count == 1 { "node" } else { "nodes" });
    Some(Saving {
        kind: SavingKind::Size { name: best.size.name.to_owned(), nodes: best.nodes },
        per_month,
        is_advised: true,
        assumption: format!(
            "{} would do as `shardctl plan` counts, instead of {}; {how}, and {} are to expect in a year after it{others}",
            count(best.nodes),
            count(now_on),
            outages(best.outages_per_year)
        ),
    })
}

fn outages(per_year: f64) -> String {
    let text = format!("{per_year:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "1" { "1 outage".to_owned() } else { format!("{text} outages") }
}

fn right_sized(nodes: &[NodeCost], pricing: &Pricing<'_>, plan: &Plan, right: &RightSized) -> Option<Saving> {
    let then = pricing.monthly(plan.market.region, &right.size, Term::OnDemand, right.nodes);
    let per_month = difference(carriers(nodes), then);
    if per_month.whole().is_some_and(|saved| !saved.is_positive()) {
        return None;
    }
    Some(Saving {
        kind: SavingKind::RightSized {
            name: right.size.clone(),
            nodes: right.nodes,
            requests: right.requests,
        },
        per_month,
        is_advised: true,
        assumption: right.assumption.clone(),
    })
}
