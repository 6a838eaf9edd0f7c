//! Machines that are paid for already: which of them to use, and what to add.

use super::super::catalogue::Size;
use super::rules::RuleKind;
use super::{Choice, Demand, HOURS_PER_MONTH, Sizing};

/// Machines of one size, and the shards on them.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub size: &'static Size,
    pub nodes: u32,
    pub shards: u32,
}

/// A mix of reserved machines, which cost nothing more, and the cheapest others for the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// Reserved machines in use.
    pub reserved: Vec<Part>,
    /// What is paid beside them; none when nothing is.
    pub more: Option<Part>,
    /// US dollars per hour for what is beside them.
    pub more_per_hour: f64,
}

impl Mixed {
    /// US dollars per month of 730 hours for what is beside the reserved machines.
    #[must_use]
    pub fn more_per_month(&self) -> f64 {
        self.more_per_hour * HOURS_PER_MONTH
    }
}

/// Fills the reserved machines, those that hold most first, and adds the cheapest others for the shards that are left.
/// Bounds on shards per node are kept; a spread over zones is not looked at. None when nothing that is reserved can be
/// used.
#[must_use]
pub fn mixed(demand: &Demand, sizing: &Sizing, reserved: &[(&'static Size, u32)]) -> Option<Mixed> {
    let bound = demand.rules.iter().filter_map(|rule| match rule.kind {
        RuleKind::PerNode(most) => Some(most),
        RuleKind::ZoneSkew(_) => None,
    });
    let bound = bound.min().unwrap_or(u32::MAX);
    let per_node = |choice: &Choice| choice.figure().per_node.min(bound);
    let mut usable: Vec<(&Choice, u32)> = reserved
        .iter()
        .filter_map(|(size, nodes)| {
            Some((sizing.choices.iter().find(|choice| choice.size.name == size.name)?, *nodes))
        })
        .collect();
    usable.sort_by(|a, b| per_node(b.0).cmp(&per_node(a.0)).then_with(|| a.0.size.name.cmp(b.0.size.name)));
    let mut left = demand.replicas;
    let mut parts = Vec::new();
    for (choice, nodes) in usable {
        let nodes = nodes.min(left.div_ceil(per_node(choice)));
        let shards = left.min(nodes * per_node(choice));
        if nodes > 0 {
            parts.push(Part { size: choice.size, nodes, shards });
            left -= shards;
        }
    }
    if parts.is_empty() {
        return None;
    }
    let added = sizing.choices.iter().filter_map(|choice| {
        let nodes = left.div_ceil(per_node(choice));
        Some((choice.prices.on_demand?.0 * f64::from(nodes), nodes, choice))
    });
    let cheapest = added.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let more = cheapest.filter(|_| left > 0);
    Some(Mixed {
        reserved: parts,
        more_per_hour: more.map_or(0.0, |(price, ..)| price),
        more: more.map(|(_, nodes, choice)| Part { size: choice.size, nodes, shards: left }),
    })
}
