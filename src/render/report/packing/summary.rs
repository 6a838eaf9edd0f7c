//! What the packing comes to, in sentences.

use std::collections::BTreeMap;

use super::rows::both;
use crate::domain::packing::{Fewest, FewestNodes, HostnameSpread, Packing};
use crate::render::report::Look;
use crate::render::report::amounts::{self, count};

/// The lines under the table: shards, fewest nodes, room, requests and use, price, and what is unknown.
#[must_use]
pub fn summary(packing: &Packing, look: Look) -> String {
    let mut lines = vec![look.style.value(shards(packing))];
    lines.extend(loose(packing).into_iter().map(|line| look.style.danger(line)));
    lines.extend(packing.fewest.iter().map(assumptions));
    lines.extend(present(packing));
    lines.extend(spread(packing));
    lines.extend(room(packing));
    lines.extend(price(packing));
    lines.extend(failure_domains(packing));
    if !packing.differing.is_empty() {
        let ordinals = amounts::ordinals(packing.differing.iter().copied());
        lines.push(look.style.warning(format!(
            "{} {ordinals} {} not what the template requests; fewest and slots count the template's {}",
            if packing.differing.len() == 1 {
                "Shard"
            } else {
                "Shards"
            },
            if packing.differing.len() == 1 {
                "requests"
            } else {
                "request"
            },
            both(packing.shard_requests)
        )));
    }
    for unknown in [&packing.nodes_unknown, &packing.occupants_unknown]
        .into_iter()
        .flatten()
    {
        lines.push(look.style.danger(format!("Could not {unknown}")));
    }
    if let Some(unknown) = &packing.usage_unknown {
        lines.push(look.style.note(format!("What shards use is unknown: {unknown}")));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// `10 shards on 4 nodes; fewest for Standard_E16s_v5: 4 (3 per node)`
fn shards(packing: &Packing) -> String {
    let placed = packing.totals.placed;
    let mut line = match placed == packing.replicas {
        true => count(placed, "shard"),
        false => format!("{placed} of {}", count(packing.replicas, "shard")),
    };
    line.push_str(&format!(" on {}", count(packing.failure_domains.nodes, "node")));
    let empty = packing.totals.nodes - packing.failure_domains.nodes;
    if empty > 0 {
        line.push_str(&format!(", {} without shards", count(empty, "node")));
    }
    for fewest in &packing.fewest {
        line.push_str(&format!("; fewest for {}: ", type_name(fewest)));
        line.push_str(&match &fewest.answer {
            Ok(answer) => format!("{}{}", nodes(answer), per_node(answer)),
            Err(reason) => format!("none, {reason}"),
        });
    }
    line
}

fn type_name(fewest: &Fewest) -> &str {
    fewest
        .instance_type
        .as_deref()
        .unwrap_or("nodes of no known type")
}

fn nodes(answer: &FewestNodes) -> String {
    match answer.nodes == answer.at_least {
        true => answer.nodes.to_string(),
        false => format!("{} to {}", answer.at_least, answer.nodes),
    }
}

fn per_node(answer: &FewestNodes) -> String {
    format!(" ({} per node)", answer.per_node)
}

/// Shards that are nowhere, by reason; the reason is given in full.
fn loose(packing: &Packing) -> Vec<String> {
    let mut reasons: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for shard in &packing.unplaced {
        let reason = format!("on no node: {}", shard.reason);
        reasons.entry(reason).or_default().push(shard.ordinal);
    }
    // Nodes that all could not be read for one reason are not worth a line each.
    for shard in &packing.unread {
        let reason = match packing.nodes_unknown {
            Some(_) => "on nodes that could not be read".to_owned(),
            None => format!("on {}, which could not be read: {}", shard.node, shard.reason),
        };
        reasons.entry(reason).or_default().push(shard.ordinal);
    }
    let mut reasons: Vec<(String, Vec<u32>)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, ordinals)| ordinals.first().copied());
    reasons
        .into_iter()
        .map(|(reason, ordinals)| match ordinals[..] {
            [only] => format!("Shard {only} is {reason}"),
            _ => format!("Shards {} are {reason}", amounts::ordinals(ordinals)),
        })
        .collect()
}

fn assumptions(fewest: &Fewest) -> String {
    let mut line = format!(
        "Fewest for {} assumes {} allocatable and {} of DaemonSets on each node, the least and the most \
         seen on {}",
        type_name(fewest),
        both(fewest.allocatable),
        both(fewest.daemons.requests),
        count(fewest.present, "node"),
    );
    if fewest.others.pods > 0 {
        line.push_str(&format!(
            ", and places {} of {} as well",
            count(fewest.others.pods, "other pod"),
            both(fewest.others.requests)
        ));
    }
    line
}

/// Worth a line only where types are mixed, or where fewer of the nodes that are there would do.
fn present(packing: &Packing) -> Option<String> {
    let fewest = packing.present?.nodes?;
    (packing.fewest.len() > 1 || fewest < packing.failure_domains.nodes).then(|| {
        format!(
            "Of the {} that are there {fewest} would hold all shards",
            count(packing.totals.nodes, "node")
        )
    })
}

fn spread(packing: &Packing) -> Vec<String> {
    let Some(spread) = &packing.hostname_spread else {
        return Vec::new();
    };
    let HostnameSpread {
        field,
        max_skew,
        when_unsatisfiable,
        has_karpenter,
    } = spread;
    let says = format!("{field} is {max_skew} by hostname, {when_unsatisfiable}");
    if !has_karpenter {
        return vec![match when_unsatisfiable.as_str() {
            "DoNotSchedule" => format!(
                "{says}: no node gets more than {max_skew} above the emptiest one; an even distribution over \
                 the fewest nodes satisfies it"
            ),
            _ => format!("{says}: a preference, the fewest nodes are the same without it"),
        }];
    }
    let planned = match when_unsatisfiable.as_str() {
        "DoNotSchedule" => "Karpenter plans",
        _ => "Karpenter takes it as required at first and plans",
    };
    let per_type = packing.fewest.iter().filter_map(|fewest| {
        let with = fewest.with_spread.as_ref()?.as_ref().ok()?;
        let without = fewest.answer.as_ref().ok()?;
        Some(format!(
            "{} {}, {} without it",
            nodes(with),
            type_name(fewest),
            nodes(without)
        ))
    });
    let per_type: Vec<String> = per_type.collect();
    let mut line = format!(
        "{says}: {planned} at most {} on a node",
        count(*max_skew, "shard")
    );
    if !per_type.is_empty() {
        line.push_str(&format!(", so {}", per_type.join("; ")));
    }
    vec![line]
}

fn room(packing: &Packing) -> Vec<String> {
    let totals = &packing.totals;
    let Some(room) = totals.room else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if let (Some(open), Some(all), Some(stranded)) = (totals.open_slots, room.free_slots, room.stranded) {
        let mut line = match open {
            1 => "1 more shard fits".to_owned(),
            _ => format!("{open} more shards fit"),
        };
        if all > open {
            line.push_str(&format!(
                " ({} on nodes that are closed)",
                count(all - open, "slot")
            ));
        }
        line.push_str(&format!(
            "; {} are stranded: free, but too little on each node for a shard",
            both(stranded)
        ));
        lines.push(line);
    } else {
        lines.push(
            "How many more shards fit is unknown: the template requests no CPU and no memory".to_owned(),
        );
    }
    let requested = room.requested().requests;
    let mut line = format!(
        "Requested {}/{} CPU, {}/{} of memory",
        amounts::cpu(requested.cpu),
        amounts::cpu(totals.allocatable.cpu),
        amounts::memory(requested.memory),
        amounts::memory(totals.allocatable.memory)
    );
    if room.overcommit.cpu.is_positive() || room.overcommit.memory.is_positive() {
        line.push_str(&format!(", {} beyond allocatable", both(room.overcommit)));
    }
    if let Some(usage) = totals.usage.filter(|usage| usage.measured > 0) {
        line.push_str(&format!(
            "; {} measured use {}",
            count(usage.measured, "shard"),
            both(usage.total)
        ));
    }
    lines.push(line);
    lines
}

fn price(packing: &Packing) -> Option<String> {
    let totals = &packing.totals;
    if totals.nodes == 0 {
        return None;
    }
    let unknown = count(totals.nodes_without_price, "node");
    Some(match totals.price_per_hour {
        None => format!("Price unknown for {unknown}"),
        Some(hour) => {
            let month = hour * amounts::HOURS_PER_MONTH;
            let known = format!(
                "Nodes cost {} per hour, {} per month of 730 hours",
                amounts::dollars(hour),
                amounts::dollars(month)
            );
            match totals.nodes_without_price {
                0 => known,
                _ => format!("{known}, price unknown for {unknown}"),
            }
        }
    })
}

fn failure_domains(packing: &Packing) -> Option<String> {
    let domains = &packing.failure_domains;
    let zones = match domains.zones {
        0 => String::new(),
        zones => format!(" in {}", count(zones, "zone")),
    };
    (domains.nodes > 0).then(|| {
        format!(
            "Failure domains: {}{zones}, at most {} on one; losing any of them stops a service that needs \
             every shard",
            count(domains.nodes, "node"),
            count(domains.most_on_one_node, "shard")
        )
    })
}
