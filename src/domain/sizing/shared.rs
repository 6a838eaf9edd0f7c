//! Several services on one pool: which size holds all their shards for the least money.
//!
//! Shards of different services fill what the others leave, which one service by itself cannot. Machines are filled as
//! Karpenter fills them when all shards wait together: pods with most CPU first, then those with most memory, each to the
//! machine with the fewest pods that it fits on, else to a new one (`pkg/controllers/provisioning/scheduling`, `queue.go` and
//! `scheduler.go`). Bounds on shards per node are kept, each for its own service; a spread over zones is not looked at.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::catalogue::Size;
use super::super::quantity::Resources;
use super::fit::{self, Out};
use super::rules::RuleKind;
use super::{Choice, Demand, HOURS_PER_MONTH, Market, Plan, cheaper};

/// One size for the shards of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared {
    pub size: &'static Size,
    pub nodes: u32,
    /// The most shards on one machine.
    pub most_on_one_node: u32,
    /// US dollars per hour, all machines on demand; none when the price is not known.
    pub price_per_hour: Option<f64>,
}

impl Shared {
    /// US dollars per month of 730 hours.
    #[must_use]
    pub fn price_per_month(&self) -> Option<f64> {
        Some(self.price_per_hour? * HOURS_PER_MONTH)
    }
}

/// What one service costs on a pool of its own: its cheapest size.
#[derive(Clone, Debug, PartialEq)]
pub struct Alone {
    pub name: String,
    pub shards: u32,
    /// None when no size holds a shard.
    pub best: Option<Shared>,
}

/// The sizes for several services together, the cheapest first, and each by itself.
#[derive(Clone, Debug)]
pub struct Sharing {
    pub choices: Vec<Shared>,
    pub alone: Vec<Alone>,
    /// Sizes that some service cannot use: the first that cannot, and why. Of all together, the name is empty.
    pub out: Vec<(&'static Size, String, Out)>,
}

impl Sharing {
    /// US dollars per month when each service has the cheapest pool of its own; none when one has none, or no price.
    #[must_use]
    pub fn alone_per_month(&self) -> Option<f64> {
        self.alone.iter().map(|alone| alone.best.as_ref()?.price_per_month()).sum()
    }
}

/// Ranks the sizes for the shards of all plans together, on the market of the first: its pool is the one that they share.
#[must_use]
pub fn share(plans: &[Plan]) -> Sharing {
    let mut sharing = Sharing { choices: Vec::new(), alone: Vec::new(), out: Vec::new() };
    let Some(market) = plans.first().map(|plan| &plan.market) else { return sharing };
    for plan in plans {
        let price = |choice: &&Choice| (choice.price_per_hour(), choice.nodes);
        let best = plan.sizing.choices.iter().min_by(|a, b| {
            let (a, b) = (price(a), price(b));
            cheaper(a.0, b.0).then(a.1.cmp(&b.1))
        });
        sharing.alone.push(Alone {
            name: plan.name.clone(),
            shards: plan.demand.replicas,
            best: best.map(|best| Shared {
                size: best.size,
                nodes: best.nodes,
                most_on_one_node: best.most_on_one_node,
                price_per_hour: best.price_per_hour(),
            }),
        });
    }
    let tenants: Vec<(&str, &Demand)> = plans.iter().map(|plan| (plan.name.as_str(), &plan.demand)).collect();
    for size in market.sizes {
        match on_size(&tenants, market, size) {
            Ok(shared) => sharing.choices.push(shared),
            Err((name, out)) => sharing.out.push((size, name, out)),
        }
    }
    sharing.choices.sort_by(|a, b| {
        cheaper(a.price_per_hour, b.price_per_hour)
            .then_with(|| a.nodes.cmp(&b.nodes))
            .then_with(|| b.size.version.cmp(&a.size.version))
            .then_with(|| a.size.name.cmp(b.size.name))
    });
    sharing
}

/// A machine that is being filled.
struct Machine {
    free: Resources,
    pods: u32,
    disks: u32,
    /// Shards on it, of all services and of the one that is being placed.
    shards: u32,
    own: u32,
}

impl Machine {
    fn takes(&self, demand: &Demand, bound: u32) -> bool {
        self.free.holds(demand.requests) && self.pods > 0 && self.disks >= demand.disks && self.own < bound
    }

    fn take(&mut self, demand: &Demand) {
        self.free = self.free.saturating_sub(demand.requests);
        self.pods = self.pods.saturating_sub(1);
        self.disks = self.disks.saturating_sub(demand.disks);
        self.shards += 1;
        self.own += 1;
    }
}

fn on_size(
    tenants: &[(&str, &Demand)],
    market: &Market,
    size: &'static Size,
) -> Result<Shared, (String, Out)> {
    let mut fits = Vec::new();
    for (name, demand) in tenants {
        fits.push(fit::fit(demand, market, size).map_err(|out| ((*name).to_owned(), out))?);
    }
    // Machines are alike for all: the pool is one.
    let fit = &fits[0];
    let figure = fit.live.as_ref().unwrap_or(&fit.planned);
    let empty = Machine {
        free: figure.allocatable.saturating_sub(fit.daemons.requests),
        pods: market.max_pods.saturating_sub(fit.daemons.pods),
        disks: size.max_data_disks.unwrap_or(u32::MAX),
        shards: 0,
        own: 0,
    };
    let mut order: Vec<&Demand> = tenants.iter().map(|(_, demand)| *demand).collect();
    order.sort_by(|a, b| {
        let (a, b) = (a.requests, b.requests);
        b.cpu.cmp(&a.cpu).then(b.memory.cmp(&a.memory))
    });
    let mut machines: Vec<Machine> = Vec::new();
    for demand in order {
        let bound = bound(demand);
        // Those that take one more, the one with the fewest shards on top; of equals, the one that was made first.
        let mut open: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::new();
        for (index, machine) in machines.iter_mut().enumerate() {
            machine.own = 0;
            if machine.takes(demand, bound) {
                open.push(Reverse((machine.shards, index)));
            }
        }
        for _ in 0..demand.replicas {
            let index = match open.pop() {
                Some(Reverse((_, index))) => index,
                None => {
                    machines.push(Machine { ..empty });
                    machines.len() - 1
                }
            };
            let machine = &mut machines[index];
            machine.take(demand);
            if machine.takes(demand, bound) {
                open.push(Reverse((machine.shards, index)));
            }
        }
    }
    let nodes = u32::try_from(machines.len()).unwrap_or(u32::MAX);
    if let Some(max_nodes) = market.max_nodes
        && nodes > max_nodes
    {
        return Err((String::new(), Out::TooManyNodes { nodes }));
    }
    Ok(Shared {
        size,
        nodes,
        most_on_one_node: machines.iter().map(|machine| machine.shards).max().unwrap_or(0),
        price_per_hour: fit.prices.on_demand.map(|price| price.0 * f64::from(nodes)),
    })
}

/// Shards of one service on a machine at most.
fn bound(demand: &Demand) -> u32 {
    let bounds = demand.rules.iter().filter_map(|rule| match rule.kind {
        RuleKind::PerNode(most) => Some(most),
        RuleKind::ZoneSkew(_) => None,
    });
    bounds.min().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Prefer, Rule};
    use super::*;
    use crate::domain::quantity::Quantity;
    use crate::domain::testing::{market, resources, tutorial_demand};

    fn plan(name: &str, demand: Demand) -> Plan {
        Plan::new(name.to_owned(), demand, market(), Prefer::Price, None, Vec::new())
    }

    fn small(replicas: u32) -> Demand {
        Demand { replicas, required: replicas, requests: resources("1", "4Gi"), ..tutorial_demand() }
    }

    fn on<'a>(sharing: &'a Sharing, name: &str) -> &'a Shared {
        sharing.choices.iter().find(|choice| choice.size.name == name).unwrap()
    }

    #[test]
    fn small_shards_go_where_large_ones_leave_room() {
        // Four E16s_v5 hold ten of 4 CPU and 32Gi: 3, 3, 3 and 1. 3.24 CPU and 11.5Gi are left beside three, room for two
        // of 1 CPU and 4Gi; beside the one there is room for eleven.
        for (replicas, nodes) in [(1, 4), (17, 4), (18, 5)] {
            let sharing = share(&[plan("large", tutorial_demand()), plan("small", small(replicas))]);
            assert_eq!(on(&sharing, "Standard_E16s_v5").nodes, nodes, "{replicas}");
        }
        let sharing = share(&[plan("small", small(8)), plan("large", tutorial_demand())]);
        let shared = on(&sharing, "Standard_E16s_v5");
        assert_eq!(shared.nodes, 4, "in whatever order they are named");
        assert!((shared.price_per_month().unwrap() - 4.0 * 1.008 * 730.0).abs() < 0.005);
        let names: Vec<(&str, u32)> =
            sharing.alone.iter().map(|alone| (alone.name.as_str(), alone.shards)).collect();
        assert_eq!(names, [("small", 8), ("large", 10)]);
        // Each cheapest by itself is what plan says of it by itself.
        let best = plan("large", tutorial_demand()).best().unwrap().price_per_month();
        assert_eq!(sharing.alone[1].best.as_ref().unwrap().price_per_month(), best);
        assert!(sharing.choices[0].price_per_month() <= sharing.alone_per_month());
    }

    #[test]
    fn bounds_hold_for_each_service_by_itself() {
        let rule = Rule { field: "maxSkew".to_owned(), kind: RuleKind::PerNode(2), is_required: true };
        let apart = Demand { rules: vec![rule], ..small(6) };
        let sharing = share(&[plan("one", apart.clone()), plan("two", apart)]);
        let shared = on(&sharing, "Standard_E16s_v5");
        assert_eq!((shared.nodes, shared.most_on_one_node), (3, 4), "two of each on a machine");
    }

    #[test]
    fn a_size_is_out_when_one_of_them_cannot_use_it() {
        let sharing = share(&[plan("small", small(2)), plan("large", tutorial_demand())]);
        let out = sharing.out.iter().find(|(size, ..)| size.name == "Standard_D4s_v5").unwrap();
        assert_eq!((out.1.as_str(), out.2.sort()), ("large", "too little CPU and memory"));
        assert!(share(&[]).choices.is_empty());
    }

    proptest! {
        #[test]
        fn machines_hold_what_is_on_them(
            services in prop::collection::vec((1_u32..30, 100_i64..8_000, 256_i64..40_000), 1..5),
        ) {
            let plans: Vec<Plan> = services
                .iter()
                .map(|(replicas, milli, mebi)| {
                    let requests =
                        Resources { cpu: Quantity::milli(*milli), memory: Quantity::bytes(mebi << 20) };
                    plan("one", Demand { requests, ..small(*replicas) })
                })
                .collect();
            let total: Resources = plans.iter().map(|plan| plan.demand.requests * plan.demand.replicas).sum();
            let sharing = share(&plans);
            for shared in &sharing.choices {
                let of = |plan: &Plan| plan.choice(shared.size.name).cloned();
                let Some(fits) = plans.iter().map(of).collect::<Option<Vec<Choice>>>() else { continue };
                let room = fits[0].planned.allocatable.saturating_sub(fits[0].daemons.requests);
                prop_assert!((room * shared.nodes).holds(total), "{}", shared.size.name);
                let alone: u32 = fits.iter().map(|fit| fit.nodes).sum();
                let most = fits.iter().map(|fit| fit.nodes).max().unwrap_or(0);
                prop_assert!(shared.nodes >= most && shared.nodes <= alone, "{}: {most}, {}, {alone}", shared.size.name, shared.nodes);
            }
        }
    }
}
