//! How many shards a machine of a size holds, or why the size cannot be used.

use std::fmt;

use super::super::catalogue::{Architecture, Prices, Size};
use super::super::nap;
use super::super::packing::{Load, slots};
use super::super::quantity::{Quantity, Resources};
use super::super::rolling::proof;
use super::{Demand, Market, Overhead};

/// What a machine offers, and how many shards that holds beside its daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    pub allocatable: Resources,
    pub per_node: u32,
}

/// What live nodes of a size report: the least of each that any of them offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    pub allocatable: Resources,
    pub pods: u32,
    /// How many there are.
    pub nodes: u32,
}

/// Why a size cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    Architecture(Architecture),
    Family,
    /// The pool requires something else.
    Requirement {
        key: String,
    },
    NoPremiumDisks,
    TooFewDisks {
        most: u32,
        needs: u32,
    },
    /// One shard does not fit beside the daemons.
    TooSmall {
        /// What the plan leaves for shards.
        leaves: Resources,
        cpu: bool,
        memory: bool,
    },
    NoPrice {
        region: &'static str,
    },
    TooManyNodes {
        nodes: u32,
    },
}

impl Out {
    /// The sort of reason, in a few words; equal for all sizes that are out for the same sort of reason.
    #[must_use]
    pub fn sort(&self) -> &'static str {
        match self {
            Self::Architecture(_) => "another architecture",
            Self::Family => "another family",
            Self::Requirement { .. } => "ruled out by the node pool",
            Self::NoPremiumDisks => "no premium disks",
            Self::TooFewDisks { .. } => "too few data disks",
            Self::TooSmall { cpu: true, memory: true, .. } => "too little CPU and memory",
            Self::TooSmall { memory: true, .. } => "too little memory",
            Self::TooSmall { .. } => "too little CPU",
            Self::NoPrice { .. } => "no price in the region",
            Self::TooManyNodes { .. } => "too many nodes",
        }
    }
}

impl fmt::Display for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Architecture(architecture) => write!(f, "its architecture is {}", architecture.as_str()),
            Self::Family => f.write_str("its family is not wanted"),
            Self::Requirement { key } => write!(f, "the node pool's requirement {key} rules it out"),
            Self::NoPremiumDisks => f.write_str("it takes no premium disks"),
            Self::TooFewDisks { most, needs } => {
                write!(f, "it takes {most} data disks, a shard needs {needs}")
            }
            Self::TooSmall { leaves, .. } => {
                write!(f, "{}: it leaves {} CPU and {} for shards", self.sort(), leaves.cpu, leaves.memory)
            }
            Self::NoPrice { region } => write!(f, "its price in {region} is not known"),
            Self::TooManyNodes { nodes } => write!(f, "it takes {nodes} nodes"),
        }
    }
}

/// What a size offers to a service.
pub(super) struct Fit {
    pub daemons: Load,
    pub planned: Figure,
    pub expected: Figure,
    pub live: Option<Figure>,
    pub prices: Prices,
}

/// The reasons are looked for in the order in which an operator would mend them: what was asked for first, then what the
/// machine is, then what it holds.
pub(super) fn fit(demand: &Demand, market: &Market, size: &'static Size) -> Result<Fit, Out> {
    if market.architecture.is_some_and(|wanted| wanted != size.architecture) {
        return Err(Out::Architecture(size.architecture));
    }
    let is_wanted = |family: &String| family == size.family || family == size.series;
    if !market.families.is_empty() && !market.families.iter().any(is_wanted) {
        return Err(Out::Family);
    }
    if let Some(unmet) = proof::unmet(&market.pool, size) {
        return Err(Out::Requirement { key: unmet.key.clone() });
    }
    if demand.wants_premium && size.premium == Some(false) {
        return Err(Out::NoPremiumDisks);
    }
    let daemons = match &market.overhead {
        Overhead::Given(load) => *load,
        Overhead::DaemonSets(sets) => proof::daemons_on(sets, &market.pool, size),
    };
    let by_disks = match (demand.disks, size.max_data_disks) {
        (0, _) | (_, None) => u32::MAX,
        (needs, Some(most)) if most < needs => return Err(Out::TooFewDisks { most, needs }),
        (needs, Some(most)) => most / needs,
    };
    let figure = |allocatable: Resources, pods: u32| {
        let free = allocatable.saturating_sub(daemons.requests);
        let by_room = slots(free, pods.saturating_sub(daemons.pods), demand.requests);
        Figure { allocatable, per_node: by_room.unwrap_or(0).min(by_disks) }
    };
    let planned = figure(nap::planned_allocatable(size).into(), market.max_pods);
    let too_small = |figure: &Figure| {
        let leaves = figure.allocatable.saturating_sub(daemons.requests);
        let lacks = |has: Quantity, needs: Quantity| has < needs;
        Out::TooSmall {
            leaves,
            cpu: lacks(leaves.cpu, demand.requests.cpu),
            memory: lacks(leaves.memory, demand.requests.memory),
        }
    };
    // Karpenter makes a machine only if its plan holds a shard, whatever live nodes report.
    if planned.per_node == 0 {
        return Err(too_small(&planned));
    }
    let live = market.live.get(size.name).map(|live| figure(live.allocatable, live.pods));
    if let Some(live) = live.filter(|live| live.per_node == 0) {
        return Err(too_small(&live));
    }
    let prices = market.prices.prices(market.region, size.name);
    if prices.on_demand.is_none() {
        return Err(Out::NoPrice { region: market.region.name() });
    }
    let expected = figure(nap::expected_allocatable(size, market.max_pods).into(), market.max_pods);
    Ok(Fit { daemons, planned, expected, live, prices })
}
