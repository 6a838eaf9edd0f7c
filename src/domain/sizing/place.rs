//! The machines that Karpenter makes when all shards wait together.
//!
//! Shards are alike and machines are alike, so what Karpenter does is short: a shard goes to the open machine with the
//! fewest shards that its rules allow, else to a new one; a new one is made in the zone with the fewest shards
//! (`pkg/controllers/provisioning/scheduling`, `scheduler.go` and `topologygroup.go`). Without a rule over zones the zone
//! is Karpenter's free choice; then machines are taken to go round the zones.

use super::rules::{Rule, RuleKind};

/// Machines with their zone (0 for the first) and the shards on each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Placement {
    machines: Vec<(u32, u32)>,
}

impl Placement {
    pub fn nodes(&self) -> u32 {
        u32::try_from(self.machines.len()).unwrap_or(u32::MAX)
    }

    /// The most shards on one machine.
    pub fn most(&self) -> u32 {
        self.per_node().max().unwrap_or(0)
    }

    /// Shards on each machine.
    pub fn per_node(&self) -> impl Iterator<Item = u32> {
        self.machines.iter().map(|(_, shards)| *shards)
    }

    /// Shards in each zone that has a machine.
    pub fn per_zone(&self) -> Vec<u32> {
        let mut zones = std::collections::BTreeMap::new();
        for (zone, shards) in &self.machines {
            *zones.entry(*zone).or_insert(0) += shards;
        }
        zones.into_values().collect()
    }
}

/// Places all shards on machines that hold `per_node` each, in up to `zones` zones.
pub(super) fn place(replicas: u32, per_node: u32, rules: &[Rule], zones: u32) -> Placement {
    let per_node = rules.iter().fold(per_node, |most, rule| match rule.kind {
        RuleKind::PerNode(bound) => most.min(bound),
        RuleKind::ZoneSkew(_) => most,
    });
    if per_node == 0 {
        return Placement::default();
    }
    let zones = zones.max(1);
    let skew = rules.iter().filter_map(|rule| match rule.kind {
        RuleKind::ZoneSkew(skew) => Some(skew),
        RuleKind::PerNode(_) => None,
    });
    match skew.min() {
        Some(skew) => over_zones(replicas, per_node, skew, zones),
        None => {
            let machines = (0..replicas.div_ceil(per_node))
                .map(|index| (index % zones, per_node.min(replicas - index * per_node)));
            Placement { machines: machines.collect() }
        }
    }
}

fn over_zones(replicas: u32, per_node: u32, skew: u32, zones: u32) -> Placement {
    let mut machines: Vec<(u32, u32)> = Vec::new();
    // Those that hold one more, by their place in `machines`; few, for a full one leaves the list.
    let mut open: Vec<usize> = Vec::new();
    let mut shards = vec![0_u32; zones as usize];
    for _ in 0..replicas {
        let least = shards.iter().copied().min().unwrap_or(0);
        let may_take = |zone: u32| shards[zone as usize] < least + skew;
        let candidate = open
            .iter()
            .copied()
            .filter(|index| may_take(machines[*index].0))
            .min_by_key(|index| machines[*index].1);
        let index = candidate.unwrap_or_else(|| {
            let zone = (0..zones).min_by_key(|zone| shards[*zone as usize]).unwrap_or(0);
            machines.push((zone, 0));
            open.push(machines.len() - 1);
            machines.len() - 1
        });
        let (zone, on) = &mut machines[index];
        *on += 1;
        shards[*zone as usize] += 1;
        if *on == per_node {
            open.retain(|one| *one != index);
        }
    }
    Placement { machines }
}

/// The rule without which fewer machines would do; of several the one that saves most.
pub(super) fn costly_rule(replicas: u32, per_node: u32, rules: &[Rule], zones: u32) -> Option<usize> {
    let all = place(replicas, per_node, rules, zones).nodes();
    let without = |index: usize| {
        let others: Vec<Rule> =
            rules.iter().enumerate().filter(|(at, _)| *at != index).map(|(_, rule)| rule.clone()).collect();
        place(replicas, per_node, &others, zones).nodes()
    };
    let fewest = (0..rules.len()).map(|index| (without(index), index)).min()?;
    if fewest.0 < all {
        return Some(fewest.1);
    }
    // Two rules may each be as strict as the other.
    (all > replicas.div_ceil(per_node)).then_some(fewest.1)
}
