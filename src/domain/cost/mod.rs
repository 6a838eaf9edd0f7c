//! What runs, what it costs, what of that is paid for nothing, and what it could be.
//!
//! Money is exact and unknown prices stay unknown: a sum in which one is missing says "at least". What is counted is what a
//! cluster shows, at the prices of the book: machines by the hour, disks by their tier. Not counted are operating systems'
//! licences, traffic, load balancers, public addresses, system disks of machines, and what the control plane costs.

mod double_run;
mod inventory;
mod leaks;
mod node;
mod savings;
mod storage;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::catalogue::{Origin, PriceBook, Region, Term};
use super::money::{Total, Usd};
use super::names::NodePoolName;
use super::sizing::Plan;
use super::snapshot::Unknown;
pub use double_run::{DoubleRun, Lasts};
pub use inventory::{Disk, DiskSnapshot, Inventory, Machine, Restart, Service, Subject};
pub use leaks::{Leak, LeakKind};
pub use node::{NodeCost, NodePrice, Parts, Scarce, Use};
pub use savings::{RightSized, Saving, SavingKind};
pub use storage::{DiskCost, DiskState, SnapshotCost, TierCost};

/// What things cost.
#[derive(Clone, Debug)]
pub struct CostReport {
    pub subject: Subject,
    pub taken_at: Timestamp,
    /// The regions of the nodes, or the one that was given.
    pub regions: BTreeSet<Region>,
    /// What nodes say of their region that no prices are known of.
    pub foreign_regions: BTreeSet<String>,
    /// By pool, type and name.
    pub nodes: Vec<NodeCost>,
    pub disks: Vec<DiskCost>,
    /// Disks by tier; those of an unknown tier are last.
    pub tiers: Vec<TierCost>,
    pub snapshots: Vec<SnapshotCost>,
    pub totals: Totals,
    pub leaks: Vec<Leak>,
    pub double_run: Option<DoubleRun>,
    pub savings: Vec<Saving>,
    /// Where the prices come from that were used, each with its date.
    pub sources: BTreeSet<(Origin, Option<Date>)>,
    /// Whether the nodes could be read.
    pub are_nodes_known: bool,
    /// What could not be read.
    pub unknown: Vec<Unknown>,
    /// What was not known and is assumed, one sentence each.
    pub assumptions: Vec<String>,
}

/// All of it together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Nodes, per hour.
    pub nodes_per_hour: Total,
    /// Of that, what shards use.
    pub shards_per_hour: Total,
    /// Of that, what nobody has requested and one more shard cannot use.
    pub stranded_per_hour: Total,
    /// Of that, what nobody has requested.
    pub idle_per_hour: Total,
    /// Disks, per month.
    pub disks_per_month: Total,
    /// What leaks, per month.
    pub leaks_per_month: Total,
}

impl Totals {
    /// Nodes, per month of 730 hours.
    #[must_use]
    pub fn nodes_per_month(&self) -> Total {
        self.nodes_per_hour.map(Usd::hourly_to_monthly)
    }

    /// Nodes and disks, per month. Snapshots are not in it: what they take is not known.
    #[must_use]
    pub fn per_month(&self) -> Total {
        self.nodes_per_month() + self.disks_per_month
    }
}

/// What is known beside the cluster.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// Takes the place of what nodes say.
    pub region: Option<Region>,
    /// Sizes ranked for the service.
    pub plan: Option<&'a Plan>,
    /// Requests as usage has them.
    pub right_sized: Option<&'a RightSized>,
}

/// The report of an inventory.
#[must_use]
pub fn report(inventory: &Inventory, prices: &PriceBook, beside: Beside<'_>) -> CostReport {
    let pricing = Pricing { prices, given: beside.region };
    let machines = inventory.machines.as_deref().unwrap_or_default();
    let mut nodes: Vec<NodeCost> =
        machines.iter().map(|machine| node::node_cost(&inventory.subject, machine, &pricing)).collect();
    nodes.sort_by(|a, b| key(a).cmp(&key(b)));
    let regions: BTreeSet<Region> = match beside.region {
        Some(given) => [given].into(),
        None => nodes.iter().filter_map(|node| node.region).collect(),
    };
    let foreign_regions = match beside.region {
        Some(_) => BTreeSet::new(),
        None => machines
            .iter()
            .filter_map(|machine| machine.node.region())
            .filter(|name| Region::find(name).is_err())
            .map(str::to_owned)
            .collect(),
    };
    let mut assumptions = Vec::new();
    // Volumes say their zone, if anything; a service is in one region.
    let home = regions.first().copied().filter(|_| regions.len() == 1);
    if regions.len() > 1 {
        assumptions
            .push("disks are priced where their zone says, for nodes are in several regions".to_owned());
    }
    let disks = storage::disk_costs(inventory, &pricing, home);
    let snapshots = storage::snapshot_costs(inventory, &pricing, home);
    let leaks = leaks::leaks(inventory, &nodes, &disks, &snapshots);
    let mut totals = Totals {
        disks_per_month: disks.iter().map(|disk| disk.per_month).collect(),
        leaks_per_month: leaks.iter().filter(|leak| leak.is_counted()).map(|leak| leak.per_month).collect(),
        ..Totals::default()
    };
    for node in &nodes {
        let hour = node.per_hour();
        totals.nodes_per_hour.include(hour);
        totals.shards_per_hour.include(node.part(|parts| parts.shards));
        totals.idle_per_hour.include(node.part(|parts| parts.free + parts.stranded));
        totals.stranded_per_hour.include(node.part(|parts| parts.stranded));
    }
    let mut sources: BTreeSet<(Origin, Option<Date>)> = nodes
        .iter()
        .filter_map(|node| node.price.as_ref())
        .map(|price| (price.quote.origin.clone(), price.quote.listed))
        .collect();
    sources.extend(
        disks.iter().filter_map(|disk| disk.quote.as_ref()).map(|one| (one.origin.clone(), one.listed)),
    );
    sources.extend(savings::sources(&nodes, &pricing));
    if nodes.iter().any(|node| node.is_term_assumed) {
        assumptions.push("nodes that do not say how they are paid are paid on demand".to_owned());
    }
    let double_run = double_run::double_run(inventory, &nodes, &pricing, beside.plan);
    let savings = savings::savings(inventory, &nodes, &leaks, &pricing, beside);
    CostReport {
        subject: inventory.subject.clone(),
        taken_at: inventory.taken_at,
        regions,
        foreign_regions,
        tiers: storage::tiers(&disks),
        totals,
        leaks,
        double_run,
        savings,
        sources,
        are_nodes_known: inventory.machines.is_ok(),
        unknown: inventory.unknown(),
        assumptions,
        nodes,
        disks,
        snapshots,
    }
}

fn key(node: &NodeCost) -> (Option<&NodePoolName>, Option<&str>, &str) {
    (node.node_pool.as_ref(), node.instance_type.as_deref(), node.name.as_str())
}

/// Prices, and where they are looked up.
struct Pricing<'a> {
    prices: &'a PriceBook,
    given: Option<Region>,
}

impl Pricing<'_> {
    /// The region that counts for something that says it is in `said`.
    fn region(&self, said: Option<&str>) -> Option<Region> {
        self.given.or_else(|| Region::find(said?).ok())
    }

    /// What so many machines of a size cost in an hour.
    fn hourly(&self, region: Region, size: &str, term: Term, count: u32) -> Option<Usd> {
        Some(self.prices.quote(region, size, term)?.per_hour()?.times(count))
    }

    /// The same for a month. A price by the month is taken as it is: an hour of it is no round number.
    fn monthly(&self, region: Region, size: &str, term: Term, count: u32) -> Option<Usd> {
        Some(self.prices.quote(region, size, term)?.per_month()?.times(count))
    }
}
