//! `-o json` and `-o yaml`: the same facts, exact.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::catalogue::{Origin, UsdPerHour};
use crate::domain::quantity::Resources;
use crate::domain::sizing::{Choice, Figure, HOURS_PER_MONTH, Out, Overhead, Part, Plan, Prefer, RuleKind};
use crate::render::json::LoadReport;

/// The plan as programs read it. Amounts are quantities as Kubernetes writes them, money is in US dollars; what is not
/// known is null, never 0; sizes are in the order of the preference.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanReport<'a> {
    api_version: &'static str,
    kind: &'static str,
    name: &'a str,
    replicas: u32,
    required_replicas: u32,
    shard_requests: Resources,
    disks_per_shard: u32,
    premium_disks: bool,
    rules: Vec<RuleReport<'a>>,
    region: &'static str,
    prices: PricesReport,
    prefer: &'static str,
    zones: u32,
    max_pods: u32,
    surge_nodes: u32,
    node_failures_per_year: f64,
    zone_outages_per_year: f64,
    /// What DaemonSets take, as given; null when the cluster's were counted for each size.
    given_daemon_overhead: Option<LoadReport>,
    assumptions: &'a [String],
    pinned_instance_type: Option<&'a str>,
    /// The best size.
    recommended: Option<&'static str>,
    sizes: Vec<SizeReport<'a>>,
    /// How many sizes fit, shown or not.
    fitting_sizes: usize,
    /// With the machines that are reserved already; null when none was named.
    with_reserved: Option<MixedReport>,
    /// How many sizes are out for each sort of reason.
    left_out_counts: BTreeMap<&'static str, usize>,
    /// The sizes that are out, by name, but for those of another architecture or family than was wanted.
    left_out: Vec<OutReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleReport<'a> {
    field: &'a str,
    required: bool,
    most_per_node: Option<u32>,
    zone_skew: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PricesReport {
    /// Where the prices on demand of the sizes shown come from.
    sources: Vec<SourceReport>,
    hours_per_month: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceReport {
    source: String,
    listed: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SizeReport<'a> {
    instance_type: &'static str,
    family: &'static str,
    series: &'static str,
    architecture: &'static str,
    vcpus: u32,
    memory_gib: u32,
    daemons_per_node: LoadReport,
    planned: FigureReport,
    expected: FigureReport,
    /// What live nodes report; it counts where it is known.
    live: Option<FigureReport>,
    nodes: u32,
    nodes_without_rules: u32,
    /// The field without which fewer nodes would do.
    costly_rule: Option<&'a str>,
    most_shards_on_one_node: u32,
    free_slots: u32,
    stranded: Resources,
    price_per_node_hour_usd: NodePriceReport,
    price_per_hour_usd: Option<f64>,
    price_per_month_usd: Option<f64>,
    outages_per_year: f64,
    pool_limits: Resources,
    one_more_per_node: Option<OneMoreReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FigureReport {
    allocatable: Resources,
    shards_per_node: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodePriceReport {
    on_demand: Option<f64>,
    reserved_one_year: Option<f64>,
    reserved_three_years: Option<f64>,
    spot: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OneMoreReport {
    requests: Resources,
    shards_per_node: u32,
    nodes: u32,
    saves_per_month_usd: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MixedReport {
    reserved: Vec<PartReport>,
    more: Option<PartReport>,
    more_per_hour_usd: f64,
    more_per_month_usd: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PartReport {
    instance_type: &'static str,
    nodes: u32,
    shards: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutReport {
    instance_type: &'static str,
    reason: String,
}

/// The report of a plan with its first `top` sizes.
#[must_use]
pub fn report(plan: &Plan, top: usize) -> PlanReport<'_> {
    let (demand, market) = (&plan.demand, &plan.market);
    PlanReport {
        api_version: "shardctl.dev/v1alpha1",
        kind: "PlanReport",
        name: &plan.name,
        replicas: demand.replicas,
        required_replicas: demand.required,
        shard_requests: demand.requests,
        disks_per_shard: demand.disks,
        premium_disks: demand.wants_premium,
        rules: demand
            .rules
            .iter()
            .map(|rule| RuleReport {
                field: &rule.field,
                required: rule.is_required,
                most_per_node: match rule.kind {
                    RuleKind::PerNode(most) => Some(most),
                    RuleKind::ZoneSkew(_) => None,
                },
                zone_skew: match rule.kind {
                    RuleKind::ZoneSkew(skew) => Some(skew),
                    RuleKind::PerNode(_) => None,
                },
            })
            .collect(),
        region: market.region.name(),
        prices: PricesReport { sources: sources(plan, top), hours_per_month: HOURS_PER_MONTH },
        prefer: match plan.prefer {
            Prefer::Price => "price",
            Prefer::Outage => "outage",
            Prefer::FewestNodes => "fewest-nodes",
        },
        zones: market.zones,
        max_pods: market.max_pods,
        surge_nodes: market.surge,
        node_failures_per_year: market.outages.node_failures_per_year,
        zone_outages_per_year: market.outages.zone_outages_per_year,
        given_daemon_overhead: match &market.overhead {
            Overhead::Given(load) => Some(LoadReport::from(*load)),
            Overhead::DaemonSets(_) => None,
        },
        assumptions: &plan.assumptions,
        pinned_instance_type: plan.pinned.as_deref(),
        recommended: plan.best().map(|best| best.size.name),
        sizes: plan.shown(top).into_iter().map(|choice| size(plan, choice)).collect(),
        fitting_sizes: plan.sizing.choices.len(),
        with_reserved: plan.mixed.as_ref().map(|mixed| MixedReport {
            reserved: mixed.reserved.iter().map(part).collect(),
            more: mixed.more.as_ref().map(part),
            more_per_hour_usd: rounded(mixed.more_per_hour),
            more_per_month_usd: rounded(mixed.more_per_month()),
        }),
        left_out_counts: plan.left_out().into_iter().collect(),
        left_out: plan
            .sizing
            .out
            .iter()
            .filter(|(_, out)| !matches!(out, Out::Architecture(_) | Out::Family))
            .map(|(size, out)| OutReport { instance_type: size.name, reason: out.to_string() })
            .collect(),
    }
}

fn sources(plan: &Plan, top: usize) -> Vec<SourceReport> {
    let sizes = plan.shown(top).into_iter().map(|choice| choice.size.name);
    let sources = plan.market.prices.sources(plan.market.region, sizes);
    let report = |(origin, listed): (Origin, Option<Date>)| SourceReport {
        source: origin.to_string(),
        listed: listed.map(|date| date.to_string()),
    };
    sources.into_iter().map(report).collect()
}

fn size<'a>(plan: &'a Plan, choice: &Choice) -> SizeReport<'a> {
    let size = choice.size;
    let price = |price: Option<UsdPerHour>| price.map(|price| price.0);
    SizeReport {
        instance_type: size.name,
        family: size.family,
        series: size.series,
        architecture: size.architecture.as_str(),
        vcpus: size.vcpus,
        memory_gib: size.memory_gib,
        daemons_per_node: LoadReport::from(choice.daemons),
        planned: figure(&choice.planned),
        expected: figure(&choice.expected),
        live: choice.live.as_ref().map(figure),
        nodes: choice.nodes,
        nodes_without_rules: choice.nodes_without_rules,
        costly_rule: choice.costly_rule.map(|index| plan.demand.rules[index].field.as_str()),
        most_shards_on_one_node: choice.most_on_one_node,
        free_slots: choice.free_slots,
        stranded: choice.stranded,
        price_per_node_hour_usd: NodePriceReport {
            on_demand: price(choice.prices.on_demand),
            reserved_one_year: price(choice.prices.reserved_1y),
            reserved_three_years: price(choice.prices.reserved_3y),
            spot: price(choice.prices.spot),
        },
        price_per_hour_usd: choice.price_per_hour().map(rounded),
        price_per_month_usd: choice.price_per_month().map(rounded),
        outages_per_year: rounded(choice.outages_per_year),
        pool_limits: choice.limits,
        one_more_per_node: choice.one_more.as_ref().map(|more| OneMoreReport {
            requests: more.requests,
            shards_per_node: more.per_node,
            nodes: more.nodes,
            saves_per_month_usd: more.saves_per_month.map(rounded),
        }),
    }
}

fn part(part: &Part) -> PartReport {
    PartReport { instance_type: part.size.name, nodes: part.nodes, shards: part.shards }
}

fn figure(figure: &Figure) -> FigureReport {
    FigureReport { allocatable: figure.allocatable, shards_per_node: figure.per_node }
}

/// To a ten-thousandth, so that sums of floating-point numbers read as they are meant.
fn rounded(amount: f64) -> f64 {
    (amount * 10_000.0).round() / 10_000.0
}
