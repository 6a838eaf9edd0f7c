//! How often a service is down because a machine or a zone is.
//!
//! The model is simple on purpose. Machines fail one by one and so do zones, each at a rate that the operator gives; a
//! failure takes down the shards on that machine or in that zone. It is an outage when more shards are down than the
//! service can do without, which for a service that needs every shard is always. So for such a service
//!
//! ```text
//! outages per year = nodes x failures of a node per year + zones used x outages of a zone per year
//! ```
//!
//! and fewer, larger machines have fewer outages: the opposite of what holds for a service with replicas. Failures at the
//! same time, how long each lasts, and planned work (upgrades, which `shardctl` rolls with outages of its own counting)
//! are left out.

use super::place::Placement;

/// How often machines and zones fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutageModel {
    /// Unplanned losses of one machine in a year.
    pub node_failures_per_year: f64,
    /// Outages of one zone in a year.
    pub zone_outages_per_year: f64,
}

impl Default for OutageModel {
    /// Assumptions, not measurements, and no figures of Azure's: a machine is lost every other year, a zone every ten.
    fn default() -> Self {
        Self { node_failures_per_year: 0.5, zone_outages_per_year: 0.1 }
    }
}

impl OutageModel {
    /// Outages to expect in a year of a service that can do without `spare` shards.
    pub(super) fn per_year(&self, placement: &Placement, spare: u32) -> f64 {
        let nodes = placement.per_node().filter(|shards| *shards > spare).count();
        let zones = placement.per_zone().into_iter().filter(|shards| *shards > spare).count();
        let times = |count: usize, rate: f64| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) * rate;
        times(nodes, self.node_failures_per_year) + times(zones, self.zone_outages_per_year)
    }
}
