//! What request would fit one more shard on each machine.

use super::super::catalogue::{Prices, Size};
use super::super::packing::Load;
use super::super::quantity::{Quantity, Resources};
use super::fit::Figure;
use super::place::place;
use super::{Demand, HOURS_PER_MONTH, Market};

/// A smaller request is no answer when it is less than this share of what is requested now.
const LEAST_SHARE: f64 = 0.75;
/// CPU is rounded down to this many thousandths.
const CPU_STEP_MILLI: i64 = 10;
/// Memory is rounded down to this many bytes.
const MEMORY_STEP: i64 = 1 << 20;

/// The request with which a machine holds one more shard, and what that saves.
#[derive(Clone, Debug, PartialEq)]
pub struct OneMore {
    /// The most that a shard may request; no more than it requests now.
    pub requests: Resources,
    pub per_node: u32,
    pub nodes: u32,
    /// US dollars per month; none when the price is not known.
    pub saves_per_month: Option<f64>,
}

/// None when one more does not fit with at least three quarters of the request, or no machine is saved.
pub(super) fn one_more(
    demand: &Demand,
    market: &Market,
    size: &Size,
    figure: &Figure,
    daemons: &Load,
    nodes: u32,
    prices: Prices,
) -> Option<OneMore> {
    let per_node = figure.per_node + 1;
    let is_held = demand.disks == 0 || size.max_data_disks.is_none_or(|most| most / demand.disks >= per_node);
    let fewer = place(demand.replicas, per_node, &demand.rules, market.zones).nodes();
    if !is_held || per_node + daemons.pods > market.max_pods || fewer >= nodes {
        return None;
    }
    let free = figure.allocatable.saturating_sub(daemons.requests);
    let share = |free: i64, step: i64| free / i64::from(per_node) / step * step;
    let requests = Resources {
        cpu: demand.requests.cpu.min(Quantity::milli(share(floor_milli(free.cpu), CPU_STEP_MILLI))),
        memory: demand.requests.memory.min(Quantity::bytes(share(floor_units(free.memory), MEMORY_STEP))),
    };
    let is_enough = |now: Quantity, then: Quantity| then.as_f64() >= now.as_f64() * LEAST_SHARE;
    if !is_enough(demand.requests.cpu, requests.cpu) || !is_enough(demand.requests.memory, requests.memory) {
        return None;
    }
    let saved = f64::from(nodes - fewer);
    Some(OneMore {
        requests,
        per_node,
        nodes: fewer,
        saves_per_month: prices.on_demand.map(|price| saved * price.0 * HOURS_PER_MONTH),
    })
}

fn floor_milli(amount: Quantity) -> i64 {
    i64::try_from(amount.as_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn floor_units(amount: Quantity) -> i64 {
    i64::try_from(amount.as_nanos() / 1_000_000_000).unwrap_or(i64::MAX)
}
