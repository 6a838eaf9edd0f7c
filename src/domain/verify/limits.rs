//! Whether a node pool may grow as far as the shards need.
//!
//! Karpenter skips an instance type whose capacity exceeds what the limits leave, and then a pod stays
//! Pending without an error anywhere but in its events.

use super::super::quantity::{Quantity, Resources};
use super::super::snapshot::NodePool;
use super::super::{catalogue, nap};
use super::facts::{known, violation};
use super::{Check, Facts, NotRun, Outcome, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error("instance-type-fits", "a node of the pinned type holds a shard", instance_type_fits),
    Check::error("node-pool-limits", "the pool's limits hold all shards", node_pool_limits),
    Check::warning("node-pool-surge", "the pool's limits leave room to replace a node", node_pool_surge),
];

/// The pool that the shards belong on; limits of several can not be told apart.
fn pool<'a>(facts: &Facts<'a>) -> Result<&'a NodePool, NotRun> {
    match facts.intended_pools()?.as_slice() {
        [pool] => Ok(pool),
        pools => not_applicable(format!(
            "the shards may go to {} node pools, see node-pool-ambiguous",
            pools.len()
        )),
    }
}

/// What one node of the pool is, as far as it can be told.
struct Machine {
    /// `Standard_E16s_v5`.
    instance_type: String,
    capacity: Resources,
    /// What it leaves for shards.
    room: Resources,
    /// Shards that it holds.
    shards: u32,
}

/// The machine of a pinned pool: a live node of that type, else what Node Auto Provisioning plans of it; none
/// when the pool is not pinned, or the type is neither seen nor known.
fn machine(facts: &Facts<'_>, pool: &NodePool) -> Result<Option<Machine>, NotRun> {
    let Some(instance_type) = pool.pinned_instance_type() else {
        return Ok(None);
    };
    let nodes = known(&facts.snapshot.nodes)?;
    let occupants = known(&facts.snapshot.occupants)?;
    let live = nodes.values().find(|node| node.instance_type() == Some(instance_type));
    let (capacity, room, pods) = if let Some(node) = live {
        let pods = occupants.get(&node.name).map(Vec::as_slice).unwrap_or_default();
        let daemons = pods.iter().filter(|pod| pod.is_daemon).map(|pod| pod.requests);
        // A new machine is held against the limits as it is planned, and one that runs as it is: the larger counts.
        let capacity =
            planned(instance_type).map_or(node.capacity, |(capacity, _)| node.capacity.max(capacity));
        (capacity, less(node.allocatable, daemons), node.allocatable_pods)
    } else if let Some((capacity, allocatable)) = planned(instance_type) {
        (capacity, allocatable, u32::MAX)
    } else {
        return Ok(None);
    };
    let shard = facts.snapshot.workload.template.requests;
    let fits = |room: Quantity, shard: Quantity| room.times(shard).unwrap_or(u32::MAX);
    Ok(Some(Machine {
        instance_type: instance_type.to_owned(),
        capacity,
        room,
        shards: fits(room.cpu, shard.cpu).min(fits(room.memory, shard.memory)).min(pods),
    }))
}

/// Capacity and allocatable that are planned of an instance type that has not been seen.
fn planned(instance_type: &str) -> Option<(Resources, Resources)> {
    let size = catalogue::size(instance_type)?;
    let bytes = |bytes: u64| Quantity::bytes(i64::try_from(bytes).unwrap_or(i64::MAX));
    let allocatable = nap::planned_allocatable(size);
    let millicores = i64::try_from(allocatable.cpu_millicores).unwrap_or(i64::MAX);
    Some((
        Resources {
            cpu: Quantity::whole(i64::from(size.vcpus)),
            memory: bytes(nap::planned_capacity(size.memory_gib)),
        },
        Resources { cpu: Quantity::milli(millicores), memory: bytes(allocatable.memory_bytes) },
    ))
}

fn less(allocatable: Resources, daemons: impl Iterator<Item = Resources>) -> Resources {
    daemons.fold(allocatable, |room, daemon| Resources {
        cpu: room.cpu.saturating_sub(daemon.cpu),
        memory: room.memory.saturating_sub(daemon.memory),
    })
}

/// One resource of a pool, and what the shards need of it.
struct Need {
    resource: &'static str,
    limit: Quantity,
    /// What all shards need.
    all: Quantity,
    /// What one node more needs.
    one_more: Quantity,
    /// What the pool's nodes add up to now.
    usage: Quantity,
}

/// What the shards need of each limited resource, and in words how that comes about.
fn needs(facts: &Facts<'_>, pool: &NodePool) -> Result<(Vec<Need>, String, String), NotRun> {
    let replicas = facts.snapshot.workload.replicas;
    let shard = facts.snapshot.workload.template.requests;
    let mut amounts = Vec::new();
    let (how, node) = match machine(facts, pool)? {
        Some(machine) if machine.shards == 0 => {
            return not_applicable(format!(
                "a {} holds no shard, see instance-type-fits",
                machine.instance_type
            ));
        }
        Some(machine) => {
            let nodes = replicas.div_ceil(machine.shards);
            amounts.push(("cpu", machine.capacity.cpu * nodes, machine.capacity.cpu));
            amounts.push(("memory", machine.capacity.memory * nodes, machine.capacity.memory));
            amounts.push(("nodes", Quantity::whole(i64::from(nodes)), Quantity::whole(1)));
            let how =
                format!("{replicas} shards need {nodes} {} ({} each)", machine.instance_type, machine.shards);
            (how, format!("one more {}", machine.instance_type))
        }
        None => {
            // The least that any machine must have.
            amounts.push(("cpu", shard.cpu * replicas, shard.cpu));
            amounts.push(("memory", shard.memory * replicas, shard.memory));
            (format!("{replicas} shards request at least"), "a node for one shard".to_owned())
        }
    };
    let needs = amounts
        .into_iter()
        .filter_map(|(resource, all, one_more)| {
            Some(Need {
                resource,
                limit: *pool.limits.get(resource)?,
                all,
                one_more,
                usage: pool.usage.get(resource).copied().unwrap_or_default(),
            })
        })
        .collect();
    Ok((needs, how, node))
}

/// A quantity for people: memory in Gi with one decimal place, anything else as it is.
fn amount(resource: &str, quantity: Quantity) -> String {
    const GIBI: f64 = 1_073_741_824.0;
    if resource == "memory" { format!("{:.1}Gi", quantity.as_f64() / GIBI) } else { quantity.to_string() }
}

fn instance_type_fits(facts: &Facts<'_>) -> Outcome {
    let pool = pool(facts)?;
    let Some(machine) = machine(facts, pool)? else {
        return not_applicable(match pool.pinned_instance_type() {
            None => format!("nodepool/{} is not pinned to one instance type", pool.name),
            Some(only) => format!("{only} is not in the catalogue, and none has been seen"),
        });
    };
    if machine.shards > 0 {
        return Ok(Vec::new());
    }
    let shard = facts.snapshot.workload.template.requests;
    Ok(vec![violation(
        format!("nodepool/{}", pool.name),
        format!(
            "a {} leaves {} CPU and {} for shards, one requests {} and {}",
            machine.instance_type,
            machine.room.cpu,
            amount("memory", machine.room.memory),
            shard.cpu,
            amount("memory", shard.memory)
        ),
        "Pin a larger instance type, or make the shard smaller: `shardctl plan` ranks the types that fit",
    )])
}

fn node_pool_limits(facts: &Facts<'_>) -> Outcome {
    let pool = pool(facts)?;
    let (needs, how, _) = needs(facts, pool)?;
    Ok(needs
        .iter()
        .filter(|need| need.all > need.limit)
        .map(|need| {
            violation(
                format!("nodepool/{}", pool.name),
                format!(
                    "{how}: {} {}, its limit is {}",
                    need.resource,
                    amount(need.resource, need.all),
                    amount(need.resource, need.limit)
                ),
                "Raise spec.limits of the pool to all its nodes and one more; it does not drift any node",
            )
        })
        .collect())
}

fn node_pool_surge(facts: &Facts<'_>) -> Outcome {
    let pool = pool(facts)?;
    let (needs, _, node) = needs(facts, pool)?;
    Ok(needs
        .iter()
        // When the limit does not even hold the shards, node-pool-limits says so.
        .filter(|need| need.all <= need.limit)
        .filter_map(|need| {
            let taken = need.all.max(need.usage);
            let left = need.limit.saturating_sub(taken);
            let show = |quantity| amount(need.resource, quantity);
            (need.one_more > left).then(|| {
                violation(
                    format!("nodepool/{}", pool.name),
                    format!(
                        "{}: limit {} less {} {} leaves {}, {node} needs {}; Karpenter makes no node that exceeds \
                         what is left",
                        need.resource,
                        show(need.limit),
                        show(taken),
                        if need.usage >= need.all { "in use" } else { "for all shards" },
                        show(left),
                        show(need.one_more)
                    ),
                    "Raise spec.limits of the pool to all its nodes and one more; it does not drift any node",
                )
            })
        })
        .collect())
}
