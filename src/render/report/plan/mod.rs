//! `shardctl plan`: the answer in a sentence, the table, what would save nodes, and JSON.

mod json;
mod shared;
#[cfg(test)]
mod tests;

pub use json::{PlanReport, report};
pub use shared::{SharedPlanReport, shared_report, shared_table};

use super::amounts::{HOURS_PER_MONTH, count, cpu, dollars, memory};
use super::{Look, amounts};
use crate::domain::catalogue::UsdPerHour;
use crate::domain::shardset::Pool;
use crate::domain::sizing::{Choice, Mixed, OneMore, Overhead, Part, Plan, RuleKind};
use crate::render::json::yaml;
use crate::render::table::Columns;
use crate::render::text::wrap;

/// `-o table`: the answer, the first sizes, what would save nodes, and what it rests on.
#[must_use]
pub fn table(plan: &Plan, look: Look, top: usize) -> String {
    let shown = plan.shown(top);
    let mut columns = Columns::new(&["size", "per node", "nodes", "$/hour", "$/month", "outages/year"], None);
    for choice in &shown {
        columns.row([
            name(plan, choice),
            per_node(choice),
            nodes(choice),
            choice.price_per_hour().map_or_else(unknown, money),
            choice.price_per_month().map_or_else(unknown, money),
            rate(choice.outages_per_year),
        ]);
    }
    format!("{}\n{columns}\n{}", answer(plan, look), notes(plan, look, &shown))
}

/// `-o wide`: every column; never wrapped, as in kubectl.
#[must_use]
pub fn wide(plan: &Plan, look: Look, top: usize) -> String {
    let shown = plan.shown(top);
    let mut columns = Columns::new(
        &[
            "size",
            "CPU",
            "memory",
            "arch",
            "plan CPU",
            "plan mem",
            "plan fit",
            "real mem",
            "real fit",
            "live mem",
            "live fit",
            "daemons",
            "nodes",
            "free slots",
            "CPU stranded",
            "mem stranded",
            "$/h each",
            "$/hour",
            "$/month",
            "1 year $/h",
            "3 years $/h",
            "spot $/h",
            "outages/year",
            "limits",
            "one more with",
        ],
        None,
    );
    for choice in &shown {
        let price = |price: Option<UsdPerHour>| price.map_or_else(unknown, |price| money(price.0));
        let live = choice.live.as_ref();
        let daemons = choice.daemons.requests;
        columns.row([
            name(plan, choice),
            choice.size.vcpus.to_string(),
            format!("{}Gi", choice.size.memory_gib),
            choice.size.architecture.as_str().to_owned(),
            cpu(choice.planned.allocatable.cpu),
            memory(choice.planned.allocatable.memory),
            choice.planned.per_node.to_string(),
            memory(choice.expected.allocatable.memory),
            choice.expected.per_node.to_string(),
            live.map_or_else(unknown, |live| memory(live.allocatable.memory)),
            live.map_or_else(unknown, |live| live.per_node.to_string()),
            format!("{} CPU, {}", cpu(daemons.cpu), memory(daemons.memory)),
            nodes(choice),
            choice.free_slots.to_string(),
            cpu(choice.stranded.cpu),
            memory(choice.stranded.memory),
            price(choice.prices.on_demand),
            choice.price_per_hour().map_or_else(unknown, money),
            choice.price_per_month().map_or_else(unknown, money),
            price(choice.prices.reserved_1y),
            price(choice.prices.reserved_3y),
            price(choice.prices.spot),
            rate(choice.outages_per_year),
            format!("{} CPU, {}", cpu(choice.limits.cpu), memory(choice.limits.memory)),
            choice.one_more.as_ref().map_or_else(unknown, |more| request(more, plan)),
        ]);
    }
    let unwrapped = Look { width: None, ..look };
    format!("{}\n{columns}\n{}", answer(plan, unwrapped), notes(plan, unwrapped, &shown))
}

/// The stable pool as it stands in a ShardSet file under `spec.nodes`.
#[must_use]
pub fn pool(pool: &Pool) -> String {
    let stable = serde_json::json!({ "stable": pool });
    let text = yaml(&stable);
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// The best size in a sentence.
fn answer(plan: &Plan, look: Look) -> String {
    let Some(best) = plan.best() else { return String::new() };
    let shards = count(plan.demand.replicas, "shard");
    let price = match (best.price_per_hour(), best.price_per_month()) {
        (Some(hour), Some(month)) => {
            format!("{} a month ({} an hour) in {}", dollars(month), dollars(hour), plan.market.region.name())
        }
        _ => "an unknown price".to_owned(),
    };
    let size = format!("{} {}", best.nodes, best.size.name);
    let verb = if best.nodes == 1 { "holds" } else { "hold" };
    let each = match best.nodes {
        1 => String::new(),
        _ => format!(", up to {} on each", best.most_on_one_node),
    };
    let rest = format!(
        " {verb} the {shards} of {}{each}, for {price}, with {} to expect in a year.",
        plan.name,
        outages(best.outages_per_year)
    );
    // Wrapped without the style, which is not as wide as it is long.
    let text = wrap(&format!("{size}{rest}"), look.width).join("\n");
    text.replacen(&size, &look.style.value(&size), 1) + "\n"
}

fn notes(plan: &Plan, look: Look, shown: &[&Choice]) -> String {
    let mut notes: Vec<String> = Vec::new();
    notes.extend(plan.mixed.as_ref().map(with_reserved));
    if let Some(note) = plan.best().and_then(|best| spread(plan, best)) {
        notes.push(note);
    }
    notes.extend(one_more(plan, shown));
    if shown.iter().any(|choice| is_pinned(plan, choice)) {
        notes.push("* is what the stable pool is pinned to now.".to_owned());
    }
    if shown.iter().any(|choice| choice.live.is_some()) {
        notes.push("PER NODE with \"live\" is by what nodes of that size report.".to_owned());
    }
    if shown.iter().any(|choice| shows_expected(choice)) {
        notes.push(
            "PER NODE (n): Karpenter plans with the first number; n may fit once the node is there."
                .to_owned(),
        );
    }
    let left_out: Vec<String> =
        plan.left_out().into_iter().map(|(sort, count)| format!("{count} {sort}")).collect();
    if !left_out.is_empty() {
        notes.push(format!(
            "{} sizes fit, {} do not: {}.",
            plan.sizing.choices.len(),
            plan.sizing.out.len(),
            left_out.join(", ")
        ));
    }
    let sizes = shown.iter().map(|choice| choice.size.name);
    let sources = plan.market.prices.sources(plan.market.region, sizes);
    notes.push(format!(
        "Prices: on demand, Linux, {}: {}.",
        plan.market.region.name(),
        amounts::price_sources(&sources)
    ));
    if let Overhead::Given(load) = &plan.market.overhead {
        notes.push(format!(
            "DaemonSets: {} CPU and {} on each node, as given.",
            cpu(load.requests.cpu),
            memory(load.requests.memory)
        ));
    }
    notes.push(format!("Assumed: {}.", plan.assumptions.join("; ")));
    notes.into_iter().flat_map(|note| wrap(&note, look.width)).map(|line| line + "\n").collect()
}

/// What is paid beside the machines that are reserved.
fn with_reserved(mixed: &Mixed) -> String {
    let part =
        |part: &Part| format!("{} {} with {}", part.nodes, part.size.name, count(part.shards, "shard"));
    let used: Vec<String> = mixed.reserved.iter().map(part).collect();
    let used = used.join(", ");
    match &mixed.more {
        None => format!("With what is reserved: {used}; nothing more is paid."),
        Some(more) => format!(
            "With what is reserved: {used}; and {} for {} a month.",
            part(more),
            dollars(mixed.more_per_month())
        ),
    }
}

/// What the rule costs that makes Karpenter take more nodes.
fn spread(plan: &Plan, choice: &Choice) -> Option<String> {
    let rule = &plan.demand.rules[choice.costly_rule?];
    let what = match rule.kind {
        RuleKind::PerNode(1) => "keeps shards on nodes of their own".to_owned(),
        RuleKind::PerNode(most) => format!("lets Karpenter put no more than {most} shards on a node"),
        RuleKind::ZoneSkew(_) => format!("spreads shards over {} zones", plan.market.zones),
    };
    let saved = choice.nodes - choice.nodes_without_rules;
    let price = choice.prices.on_demand.map_or_else(String::new, |price| {
        format!(", {} a month less", dollars(f64::from(saved) * price.0 * HOURS_PER_MONTH))
    });
    let softly = if rule.is_required { "" } else { ", though it says ScheduleAnyway" };
    Some(format!(
        "{} {what}{softly}: {} would do with {}{price}.",
        rule.field,
        choice.size.name,
        count(choice.nodes_without_rules, "node")
    ))
}

/// What a smaller request would save: on the best size, on the one that is pinned now, and on the one that would then be
/// the cheapest, if it were cheaper than the best is now.
fn one_more(plan: &Plan, shown: &[&Choice]) -> Vec<String> {
    let then = |choice: &Choice| Some(choice.price_per_month()? - choice.one_more.as_ref()?.saves_per_month?);
    let now = plan.best().and_then(Choice::price_per_month).unwrap_or(0.0);
    let cheaper = shown.iter().filter_map(|choice| Some((then(choice)?, *choice)));
    let cheapest = cheaper.filter(|(price, _)| *price < now).min_by(|a, b| a.0.total_cmp(&b.0));
    let pinned = shown.iter().copied().find(|choice| is_pinned(plan, choice));
    let mut wanted: Vec<&Choice> = Vec::new();
    for choice in [plan.best(), pinned, cheapest.map(|(_, choice)| choice)].into_iter().flatten() {
        if choice.one_more.is_some() && !wanted.iter().any(|known| known.size.name == choice.size.name) {
            wanted.push(choice);
        }
    }
    wanted.truncate(2);
    wanted
        .into_iter()
        .filter_map(|choice| {
            let more = choice.one_more.as_ref()?;
            let saves = more
                .saves_per_month
                .map_or_else(String::new, |saved| format!(", saves {} a month", dollars(saved)));
            Some(format!(
                "{} fits {} on {}: {} instead of {}{saves}.",
                request(more, plan),
                more.per_node,
                choice.size.name,
                count(more.nodes, "node"),
                choice.nodes
            ))
        })
        .collect()
}

/// What is to be requested, and what is now, of that which changes; rounded down, so that it fits.
fn request(more: &OneMore, plan: &Plan) -> String {
    let now = plan.demand.requests;
    let mut parts = Vec::new();
    if more.requests.memory < now.memory {
        let tenths = more.requests.memory.as_nanos() / (1_000_000_000 * (1 << 30) / 10);
        let gib = if tenths % 10 == 0 {
            format!("{}", tenths / 10)
        } else {
            format!("{}.{}", tenths / 10, tenths % 10)
        };
        parts.push(format!("{gib}Gi instead of {}", memory(now.memory)));
    }
    if more.requests.cpu < now.cpu {
        parts.push(format!("{} CPU instead of {}", cpu(more.requests.cpu), cpu(now.cpu)));
    }
    parts.join(" and ")
}

fn is_pinned(plan: &Plan, choice: &Choice) -> bool {
    plan.pinned.as_deref() == Some(choice.size.name)
}

fn name(plan: &Plan, choice: &Choice) -> String {
    format!("{}{}", choice.size.name, if is_pinned(plan, choice) { " *" } else { "" })
}

fn shows_expected(choice: &Choice) -> bool {
    choice.live.is_none() && choice.expected.per_node != choice.planned.per_node
}

fn per_node(choice: &Choice) -> String {
    match &choice.live {
        Some(live) => format!("{} live", live.per_node),
        None if shows_expected(choice) => {
            format!("{} ({})", choice.planned.per_node, choice.expected.per_node)
        }
        None => choice.planned.per_node.to_string(),
    }
}

/// Nodes, and how many would do without what spreads shards.
fn nodes(choice: &Choice) -> String {
    match choice.nodes == choice.nodes_without_rules {
        true => choice.nodes.to_string(),
        false => format!("{} ({})", choice.nodes, choice.nodes_without_rules),
    }
}

fn outages(per_year: f64) -> String {
    match rate(per_year).as_str() {
        "1" => "1 outage".to_owned(),
        rate => format!("{rate} outages"),
    }
}

fn rate(per_year: f64) -> String {
    let text = format!("{per_year:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Dollars in a column that says so.
fn money(amount: f64) -> String {
    amounts::dollars(amount).trim_start_matches('$').to_owned()
}

fn unknown() -> String {
    "-".to_owned()
}
