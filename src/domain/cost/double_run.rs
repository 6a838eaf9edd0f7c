//! What a migration costs twice: while it goes on, the new nodes are paid beside the old ones.
//!
//! Of a run in the journal it is measured: each node of the target pool, from when it was made, or from the start of the run
//! if it was there already, until the run ended. Old nodes that stay after that are no part of a migration but a leak.
//! Before a run it is a forecast: the nodes of the size that the stable pool is pinned to, else of the best one, for as long
//! as the shards take, in two waves and one by one.

use std::time::Duration;

use jiff::Timestamp;

use super::inventory::{Inventory, Restart};
use super::node::NodeCost;
use super::{Pricing, Total, Usd};
use crate::domain::catalogue::Term;
use crate::domain::names::NodePoolName;
use crate::domain::rolling::{Operation, Run, RunId, State};
use crate::domain::sizing::{Choice, Plan};

/// Nodes that are paid beside those that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoubleRun {
    /// What is paid per hour while both run.
    pub per_hour: Total,
    pub lasts: Lasts,
    /// How many new nodes.
    pub nodes: u32,
    /// The pool that they are of; none in a forecast.
    pub pool: Option<NodePoolName>,
    /// The size that the forecast is for.
    pub size: Option<String>,
}

/// For how long both are paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// As the journal and the nodes tell.
    Measured {
        run: RunId,
        /// Whether it goes on.
        is_open: bool,
        /// From the start of the run to its end, or until now.
        took: Duration,
        cost: Total,
    },
    /// As restarts of shards tell; without the time that machines take to come.
    Forecast {
        restart: Restart,
        /// One shard, then all others: two restarts.
        canary: Duration,
        canary_cost: Total,
        /// One after the other.
        one_by_one: Duration,
        one_by_one_cost: Total,
    },
    /// Nobody knows how long a restart takes.
    Unknown,
}

pub(super) fn double_run(
    inventory: &Inventory,
    nodes: &[NodeCost],
    pricing: &Pricing<'_>,
    plan: Option<&Plan>,
) -> Option<DoubleRun> {
    let run = inventory.runs.iter().flatten().find(|run| matches!(run.operation, Operation::Migrate { .. }));
    match run.filter(|run| is_worth_telling(run)) {
        Some(run) => measured(inventory, nodes, run),
        None => forecast(inventory, nodes, pricing, plan?),
    }
}

/// A run that was taken back before it moved anything tells nothing.
fn is_worth_telling(run: &Run) -> bool {
    run.is_open() || (matches!(run.state, State::Done) && run.ended_at.is_some())
}

fn measured(inventory: &Inventory, nodes: &[NodeCost], run: &Run) -> Option<DoubleRun> {
    let pool = run.goal.node_pool.clone()?;
    let end = run.ended_at.filter(|_| !run.is_open()).unwrap_or(inventory.taken_at);
    let created = |name: &str| -> Option<Timestamp> {
        let machines = inventory.machines.iter().flatten();
        machines.map(|machine| &machine.node).find(|node| node.name.as_str() == name)?.created_at
    };
    let (mut per_hour, mut cost, mut count) = (Total::default(), Total::default(), 0);
    for node in nodes.iter().filter(|node| node.node_pool.as_ref() == Some(&pool)) {
        let from = created(node.name.as_str()).unwrap_or(run.started_at).max(run.started_at);
        if from >= end {
            // Made after the run: it is no part of it.
            continue;
        }
        count += 1;
        per_hour.include(node.per_hour());
        cost.include(node.per_hour().map(|price| price.for_seconds(between(from, end).as_secs())));
    }
    let took = between(run.started_at, end);
    let lasts = Lasts::Measured { run: run.id.clone(), is_open: run.is_open(), took, cost };
    Some(DoubleRun { per_hour, lasts, nodes: count, pool: Some(pool), size: None })
}

fn forecast(
    inventory: &Inventory,
    nodes: &[NodeCost],
    pricing: &Pricing<'_>,
    plan: &Plan,
) -> Option<DoubleRun> {
    let service = inventory.service()?;
    let carriers: Vec<&NodeCost> = nodes.iter().filter(|node| node.has_shards()).collect();
    // Fewer nodes of the same size take no migration.
    let is_there = |choice: &&Choice| {
        let is_of = |node: &&NodeCost| node.instance_type.as_deref() == Some(choice.size.name);
        carriers.iter().all(is_of)
    };
    // Where it is meant to go comes before where it might.
    let pinned = plan.pinned.as_deref().and_then(|name| plan.choice(name));
    let to = [pinned, plan.best()].into_iter().flatten().find(|choice| !is_there(choice))?;
    if carriers.is_empty() {
        return None;
    }
    let hour = pricing.hourly(plan.market.region, to.size.name, Term::OnDemand, to.nodes);
    let per_hour = Total::from_iter([hour]);
    let lasts = service.restart.map_or(Lasts::Unknown, |restart| {
        let times = |count: u32| restart.each.saturating_mul(count);
        let (canary, one_by_one) = (times(service.replicas.min(2)), times(service.replicas));
        let cost = |lasts: Duration| per_hour.map(|hour: Usd| hour.for_seconds(lasts.as_secs()));
        Lasts::Forecast {
            restart,
            canary,
            canary_cost: cost(canary),
            one_by_one,
            one_by_one_cost: cost(one_by_one),
        }
    });
    Some(DoubleRun { per_hour, lasts, nodes: to.nodes, pool: None, size: Some(to.size.name.to_owned()) })
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
