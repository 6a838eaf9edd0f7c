//! One node: what it costs, and who uses what is paid.
//!
//! A node is paid as a whole, so a pod is taken to use of its price what it requests of what is scarce: of CPU and memory the
//! one of which shards request the larger share of allocatable. In that one resource what shards, DaemonSets and other pods
//! request, what is free for more shards and what is stranded add up to the whole price.

use super::inventory::{Machine, Subject};
use super::{Pricing, Usd};
use crate::domain::catalogue::{Quote, Region, Term};
use crate::domain::names::{NodeName, NodePoolName};
use crate::domain::packing::slots;
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::snapshot::Occupant;

/// The label of Azure's own pools of spot machines, which Karpenter did not make.
const PRIORITY_LABEL: &str = "kubernetes.azure.com/scalesetpriority";

/// A node and its price.
#[derive(Clone, Debug)]
pub struct NodeCost {
    pub name: NodeName,
    pub instance_type: Option<String>,
    pub zone: Option<String>,
    /// None where it says none, or one that no prices are known of.
    pub region: Option<Region>,
    pub node_pool: Option<NodePoolName>,
    pub capacity_type: Option<String>,
    /// None where it is not known, never 0.
    pub price: Option<NodePrice>,
    /// Whether how it is paid had to be assumed.
    pub is_term_assumed: bool,
    pub is_ready: bool,
    pub is_cordoned: bool,
    pub is_deleting: bool,
    /// None when its pods are not known.
    pub usage: Option<Use>,
}

/// What a node costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePrice {
    pub term: Term,
    pub per_hour: Usd,
    pub quote: Quote,
}

/// Who uses a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Ordinals of the service's shards; empty where the costs are of no service.
    pub shards: Vec<u32>,
    /// How many pods are shards: of the service, or of any StatefulSet where the costs are of no service.
    pub shard_pods: u32,
    /// How many pods are neither shards nor of DaemonSets.
    pub other_pods: u32,
    pub scarce: Scarce,
    /// What each part requests or leaves of the scarce resource.
    pub parts: Parts<Quantity>,
    /// All there is of it.
    pub allocatable: Quantity,
}

/// What the shares of a node are taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scarce {
    Cpu,
    Memory,
}

impl Scarce {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "memory",
        }
    }

    fn of(self, resources: Resources) -> Quantity {
        match self {
            Self::Cpu => resources.cpu,
            Self::Memory => resources.memory,
        }
    }
}

/// A whole and what it goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts<T> {
    pub shards: T,
    pub others: T,
    pub daemons: T,
    /// Room for more shards; all that is not requested, where the costs are of no service.
    pub free: T,
    /// Not requested, and too little for one more shard.
    pub stranded: T,
}

impl NodeCost {
    /// US dollars per hour.
    #[must_use]
    pub fn per_hour(&self) -> Option<Usd> {
        self.price.as_ref().map(|price| price.per_hour)
    }

    /// US dollars per month of 730 hours.
    #[must_use]
    pub fn per_month(&self) -> Option<Usd> {
        self.per_hour().map(Usd::hourly_to_monthly)
    }

    /// What of the price per hour goes to each part; none when the price or the pods are not known.
    #[must_use]
    pub fn shares(&self) -> Option<Parts<Usd>> {
        let (price, usage) = (self.per_hour()?, self.usage.as_ref()?);
        let parts = usage.parts;
        // The parts make up what is allocatable, or more where more is requested: the price is shared out all the same.
        let whole = parts.shards + parts.others + parts.daemons + parts.free + parts.stranded;
        let of = |part: Quantity| price.share(part, whole);
        Some(Parts {
            shards: of(parts.shards),
            others: of(parts.others),
            daemons: of(parts.daemons),
            free: of(parts.free),
            stranded: of(parts.stranded),
        })
    }

    pub(super) fn part(&self, part: impl Fn(Parts<Usd>) -> Usd) -> Option<Usd> {
        self.shares().map(part)
    }

    /// Whether nothing runs on it but what runs on every node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.usage.as_ref().is_some_and(|usage| usage.shard_pods == 0 && usage.other_pods == 0)
    }

    /// Whether it carries shards.
    #[must_use]
    pub fn has_shards(&self) -> bool {
        self.usage.as_ref().is_some_and(|usage| usage.shard_pods > 0)
    }
}

impl Use {
    /// A part as a share of the whole, 0 to 1 and more when too much is requested; for bars and percentages.
    #[must_use]
    pub fn share(&self, part: Quantity) -> f64 {
        if self.allocatable.is_positive() { part.as_f64() / self.allocatable.as_f64() } else { 0.0 }
    }
}

pub(super) fn node_cost(subject: &Subject, machine: &Machine, pricing: &Pricing<'_>) -> NodeCost {
    let node = &machine.node;
    let region = pricing.region(node.region());
    let (term, is_term_assumed) = term(node.capacity_type(), node.label(PRIORITY_LABEL));
    let price = region.zip(node.instance_type()).zip(term).and_then(|((region, size), term)| {
        let quote = pricing.prices.quote(region, size, term)?;
        Some(NodePrice { term, per_hour: quote.per_hour()?, quote })
    });
    NodeCost {
        name: node.name.clone(),
        instance_type: node.instance_type().map(str::to_owned),
        zone: node.zone().map(str::to_owned),
        region,
        node_pool: node.node_pool(),
        capacity_type: node.capacity_type().map(str::to_owned),
        price,
        is_term_assumed,
        is_ready: node.is_ready,
        is_cordoned: node.is_cordoned,
        is_deleting: node.deleted_at.is_some(),
        usage: machine
            .pods
            .as_deref()
            .map(|pods| usage(subject, node.allocatable, node.allocatable_pods, pods)),
    }
}

/// How a node is paid, and whether that is assumed; none where what it says is not priced here.
fn term(capacity: Option<&str>, priority: Option<&str>) -> (Option<Term>, bool) {
    match (capacity, priority) {
        (Some("on-demand"), _) => (Some(Term::OnDemand), false),
        (Some("spot"), _) | (None, Some("spot")) => (Some(Term::Spot), false),
        // Karpenter's "reserved" is capacity that somebody has paid already, at a price that nobody here knows.
        (Some(_), _) => (None, false),
        (None, priority) => (Some(Term::OnDemand), priority != Some("regular")),
    }
}

fn usage(subject: &Subject, allocatable: Resources, pods_allocatable: u32, pods: &[Occupant]) -> Use {
    let is_shard = |pod: &Occupant| match subject {
        Subject::Service(_) => pod.ordinal.is_some(),
        Subject::NodePool(_) | Subject::Cluster => pod.stateful_set.is_some() && !pod.is_daemon,
    };
    let requests = |wanted: &dyn Fn(&Occupant) -> bool| -> Resources {
        pods.iter().filter(|pod| wanted(pod)).map(|pod| pod.requests).sum()
    };
    let shards = requests(&is_shard);
    let daemons = requests(&|pod| !is_shard(pod) && pod.is_daemon);
    let others = requests(&|pod| !is_shard(pod) && !pod.is_daemon);
    let count = |wanted: &dyn Fn(&Occupant) -> bool| {
        u32::try_from(pods.iter().filter(|pod| wanted(pod)).count()).unwrap_or(u32::MAX)
    };
    let shard = match subject {
        Subject::Service(service) => Some(service.template.requests),
        Subject::NodePool(_) | Subject::Cluster => None,
    };
    let scarce = scarcer(allocatable, [shards, others, shard.unwrap_or_default()]);
    let requested = shards + daemons + others;
    let left = allocatable.saturating_sub(requested);
    let left_pods = pods_allocatable.saturating_sub(u32::try_from(pods.len()).unwrap_or(u32::MAX));
    let idle = scarce.of(left);
    let free = match shard {
        Some(shard) => {
            let more = slots(left, left_pods, shard).unwrap_or(0);
            let room = scarce.of(shard * more);
            if room < idle { room } else { idle }
        }
        None => idle,
    };
    let mut ordinals: Vec<u32> = pods.iter().filter_map(|pod| pod.ordinal).collect();
    ordinals.sort_unstable();
    Use {
        shards: ordinals,
        shard_pods: count(&is_shard),
        other_pods: count(&|pod| !is_shard(pod) && !pod.is_daemon),
        scarce,
        parts: Parts {
            shards: scarce.of(shards),
            others: scarce.of(others),
            daemons: scarce.of(daemons),
            free,
            stranded: idle.saturating_sub(free),
        },
        allocatable: scarce.of(allocatable),
    }
}

/// The resource of which the first that requests anything requests the larger share: shards, else other pods, else a shard
/// that might come.
fn scarcer(allocatable: Resources, by: [Resources; 3]) -> Scarce {
    let share = |of: Quantity, part: Quantity| part.as_f64() / of.as_f64().max(f64::MIN_POSITIVE);
    let asked =
        by.into_iter().find(|one| one.cpu.is_positive() || one.memory.is_positive()).unwrap_or_default();
    if share(allocatable.cpu, asked.cpu) > share(allocatable.memory, asked.memory) {
        Scarce::Cpu
    } else {
        Scarce::Memory
    }
}
