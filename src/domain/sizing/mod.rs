//! Which size of machine for a sharded service: how many shards one holds, how many are needed, what they cost and how
//! often they take the service down.
//!
//! 1. Sizes that cannot be used are put aside, each with its reason (`fit`).
//! 2. For each other size: how many shards one machine holds by what Node Auto Provisioning plans, by what a real node is
//!    expected to report, and by what live nodes do report, which wins (`fit`).
//! 3. The machines that Karpenter makes for all shards when they wait together, under the rules that spread them or keep
//!    them apart (`place`), and without these rules.
//! 4. Price, stranded room, and outages to expect in a year (`outage`).
//! 5. The request with which one more shard would fit on each machine (`smaller`).
//! 6. The order by what the operator prefers.
//! 7. If asked for: the machines that are reserved already (`reserved`), and several services on one pool (`shared`).

mod fit;
mod outage;
mod place;
mod plan;
mod reserved;
mod rules;
mod shared;
mod smaller;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::catalogue::{Architecture, PriceBook, Prices, Region, Size};
use super::packing::Load;
use super::quantity::{Quantity, Resources};
use super::snapshot::{DaemonSet, NodePool};
pub use fit::{Figure, Live, Out};
pub use outage::OutageModel;
pub use plan::Plan;
pub use reserved::{Mixed, Part, mixed};
pub use rules::{Rule, RuleKind, rules};
pub use shared::{Alone, Shared, Sharing, share};
pub use smaller::OneMore;

/// Hours in a month, as cloud price lists count them.
pub const HOURS_PER_MONTH: f64 = 730.0;

/// A service that is to be placed.
#[derive(Clone, Debug)]
pub struct Demand {
    pub replicas: u32,
    /// Shards that must be up for the service to be up.
    pub required: u32,
    /// What one shard requests.
    pub requests: Resources,
    /// Data disks of one shard.
    pub disks: u32,
    /// Whether a disk of theirs needs a size that takes premium disks.
    pub wants_premium: bool,
    /// What spreads shards or keeps them apart.
    pub rules: Vec<Rule>,
}

/// The machines that there are to choose from.
#[derive(Clone, Debug)]
pub struct Market {
    pub sizes: &'static [Size],
    pub region: Region,
    /// What machines cost.
    pub prices: PriceBook,
    /// None takes any.
    pub architecture: Option<Architecture>,
    /// Families (`E`) and series (`Es_v5`) that are wanted; empty takes any.
    pub families: Vec<String>,
    /// The pool that makes the machines: its taints keep DaemonSets away, its requirements rule sizes out.
    pub pool: NodePool,
    /// Zones that the pool makes machines in.
    pub zones: u32,
    /// Pods that a machine runs.
    pub max_pods: u32,
    pub overhead: Overhead,
    /// What live nodes report, by size.
    pub live: BTreeMap<String, Live>,
    /// Machines that are wanted beyond those that shards need, to replace one.
    pub surge: u32,
    /// Sizes that need more machines than this are put aside.
    pub max_nodes: Option<u32>,
    pub outages: OutageModel,
}

/// What DaemonSets take on every machine.
#[derive(Clone, Debug)]
pub enum Overhead {
    /// As somebody said.
    Given(Load),
    /// As these DaemonSets request, where they run.
    DaemonSets(Vec<DaemonSet>),
}

/// What the best size is best at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prefer {
    #[default]
    Price,
    Outage,
    FewestNodes,
}

/// One size that can be used, and what comes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub size: &'static Size,
    /// What DaemonSets take on each machine.
    pub daemons: Load,
    /// What Karpenter plans with.
    pub planned: Figure,
    /// What a real node is expected to report.
    pub expected: Figure,
    /// What live nodes of the size report; where it is known, it counts.
    pub live: Option<Figure>,
    /// Machines that Karpenter makes for all shards.
    pub nodes: u32,
    /// Machines that would do if nothing spread the shards or kept them apart.
    pub nodes_without_rules: u32,
    /// The rule that takes more machines, by its place in [`Demand::rules`].
    pub costly_rule: Option<usize>,
    /// The most shards on one machine.
    pub most_on_one_node: u32,
    /// More shards that the machines would hold if nothing kept them apart.
    pub free_slots: u32,
    /// What is paid for, and neither shards nor daemons nor one more shard can use.
    pub stranded: Resources,
    /// Of one machine.
    pub prices: Prices,
    pub outages_per_year: f64,
    /// Limits of a pool of this size alone, with room for the surge.
    pub limits: Resources,
    /// The request that would save machines.
    pub one_more: Option<OneMore>,
}

impl Choice {
    /// The figure that counts: that of live nodes, else the plan.
    #[must_use]
    pub fn figure(&self) -> &Figure {
        self.live.as_ref().unwrap_or(&self.planned)
    }

    /// All machines on demand, in US dollars per hour; none when the price is not known.
    #[must_use]
    pub fn price_per_hour(&self) -> Option<f64> {
        self.prices.on_demand.map(|price| price.0 * f64::from(self.nodes))
    }

    /// All machines on demand, in US dollars per month of 730 hours.
    #[must_use]
    pub fn price_per_month(&self) -> Option<f64> {
        self.price_per_hour().map(|price| price * HOURS_PER_MONTH)
    }
}

/// The sizes for a service, best first, and those that cannot be used.
#[derive(Clone, Debug)]
pub struct Sizing {
    pub choices: Vec<Choice>,
    /// By name.
    pub out: Vec<(&'static Size, Out)>,
}

/// Ranks the sizes of the market for a service.
#[must_use]
pub fn size_up(demand: &Demand, market: &Market, prefer: Prefer) -> Sizing {
    let mut sizing = Sizing { choices: Vec::new(), out: Vec::new() };
    for size in market.sizes {
        match choice(demand, market, size) {
            Ok(choice) => sizing.choices.push(choice),
            Err(out) => sizing.out.push((size, out)),
        }
    }
    sizing.choices.sort_by(|a, b| order(prefer, a, b));
    sizing.out.sort_by_key(|(size, _)| size.name);
    sizing
}

fn choice(demand: &Demand, market: &Market, size: &'static Size) -> Result<Choice, Out> {
    let fit = fit::fit(demand, market, size)?;
    let figure = fit.live.as_ref().unwrap_or(&fit.planned);
    let placement = place::place(demand.replicas, figure.per_node, &demand.rules, market.zones);
    let nodes = placement.nodes();
    if let Some(max_nodes) = market.max_nodes
        && nodes > max_nodes
    {
        return Err(Out::TooManyNodes { nodes });
    }
    let per_node = figure.per_node;
    let room = figure.allocatable.saturating_sub(fit.daemons.requests) * nodes;
    let free_slots = (per_node * nodes).saturating_sub(demand.replicas);
    let stranded = room.saturating_sub(demand.requests * (demand.replicas + free_slots));
    let machines = nodes + market.surge;
    let gib = i64::from(size.memory_gib) << 30;
    Ok(Choice {
        size,
        nodes,
        nodes_without_rules: demand.replicas.div_ceil(per_node),
        costly_rule: place::costly_rule(demand.replicas, per_node, &demand.rules, market.zones),
        most_on_one_node: placement.most(),
        free_slots,
        stranded,
        prices: fit.prices,
        outages_per_year: market
            .outages
            .per_year(&placement, demand.replicas.saturating_sub(demand.required)),
        limits: Resources { cpu: Quantity::whole(size.vcpus.into()), memory: Quantity::bytes(gib) }
            * machines,
        one_more: smaller::one_more(demand, market, size, figure, &fit.daemons, nodes, fit.prices),
        daemons: fit.daemons,
        planned: fit.planned,
        expected: fit.expected,
        live: fit.live,
    })
}

/// The better one first; ties are broken by what else matters, in the end by the name.
fn order(prefer: Prefer, a: &Choice, b: &Choice) -> Ordering {
    let price = || cheaper(a.price_per_hour(), b.price_per_hour());
    let outages = || a.outages_per_year.total_cmp(&b.outages_per_year);
    let nodes = || a.nodes.cmp(&b.nodes);
    let best = match prefer {
        Prefer::Price => price().then_with(outages).then_with(nodes),
        Prefer::Outage => outages().then_with(price).then_with(nodes),
        Prefer::FewestNodes => nodes().then_with(price).then_with(outages),
    };
    // The newer of two that are equal otherwise.
    best.then_with(|| b.size.version.cmp(&a.size.version)).then_with(|| a.size.name.cmp(b.size.name))
}

/// A price that is not known is dearer than any. Prices that are equal to a millionth are equal.
fn cheaper(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if (a - b).abs() < 1e-6 => Ordering::Equal,
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}
