//! What the packing comes to, in sentences.

use std::collections::BTreeMap;

use super::rows::{bare_memory, both};
use crate::domain::packing::{Fewest, FewestNodes, HostnameSpread, NoPacking, Packing};
use crate::render::report::Look;
use crate::render::report::amounts::{self, count};

/// The lines under the table: shards, fewest nodes, room, requests and use, price, and what is unknown.
#[must_use]
pub fn summary(packing: &Packing, look: Look, with_assumptions: bool) -> String {
    let mut lines = vec![(Role::Value, shards(packing))];
    lines.extend(loose(packing).into_iter().map(|line| (Role::Danger, line)));
    for unknown in [&packing.nodes_unknown, &packing.occupants_unknown].into_iter().flatten() {
        lines.push((Role::Danger, format!("Could not {unknown}")));
    }
    let plain = [
        packing.fewest.iter().filter(|_| with_assumptions).filter_map(assumptions).collect(),
        present(packing).into_iter().collect(),
        spread(packing),
        room(packing),
        price(packing).into_iter().collect(),
        failure_domains(packing).into_iter().collect::<Vec<String>>(),
    ];
    lines.extend(plain.into_iter().flatten().map(|line| (Role::Plain, line)));
    lines.extend(surplus(packing).map(|line| (Role::Warning, line)));
    lines.extend(differing(packing).map(|line| (Role::Warning, line)));
    if let Some(unknown) = &packing.usage_unknown {
        lines.push((Role::Note, format!("What shards use is unknown: {unknown}")));
    }
    let mut text = String::new();
    for (role, line) in lines {
        for part in wrapped(&line, look.width) {
            text.push_str(&role.paint(&part, look));
            text.push('\n');
        }
    }
    text
}

#[derive(Clone, Copy)]
enum Role {
    Plain,
    Value,
    Danger,
    Warning,
    Note,
}

impl Role {
    fn paint(self, text: &str, look: Look) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Value => look.style.value(text),
            Self::Danger => look.style.danger(text),
            Self::Warning => look.style.warning(text),
            Self::Note => look.style.note(text),
        }
    }
}

/// A sentence on lines of at most `width` columns, the second and later ones indented.
fn wrapped(line: &str, width: Option<usize>) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let is_full = lines.last().zip(width).is_some_and(|(last, width)| {
            !last.trim().is_empty() && last.chars().count() + 1 + word.chars().count() > width
        });
        if is_full {
            lines.push(" ".to_owned());
        }
        if let Some(last) = lines.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    lines
}

/// Shards beyond `replicas`, which take room all the same.
fn surplus(packing: &Packing) -> Option<String> {
    let mut ordinals: Vec<u32> = packing
        .nodes
        .iter()
        .flat_map(|node| &node.shards)
        .filter(|shard| !shard.is_expected)
        .map(|shard| shard.ordinal)
        .collect();
    ordinals.sort_unstable();
    let who = match ordinals[..] {
        [] => return None,
        [only] => format!("Shard {only} is"),
        _ => format!("Shards {} are", amounts::ordinals(ordinals)),
    };
    Some(format!("{who} beyond the {} that there should be", count(packing.replicas, "shard")))
}

fn differing(packing: &Packing) -> Option<String> {
    let ordinals = amounts::ordinals(packing.differing.iter().copied());
    let who = match packing.differing.len() {
        0 => return None,
        1 => format!("Shard {ordinals} does"),
        _ => format!("Shards {ordinals} do"),
    };
    Some(format!(
        "{who} not request what the template does; slots and fewest count the template's {}",
        both(packing.shard_requests)
    ))
}

/// `10 shards on 4 nodes; fewest for Standard_E16s_v5: 4 (3 per node)`
fn shards(packing: &Packing) -> String {
    let placed = packing.totals.placed;
    if packing.nodes_unknown.is_some() {
        return format!("{}; their nodes are not known", count(packing.replicas, "shard"));
    }
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
    fewest.instance_type.as_deref().unwrap_or("nodes of no known type")
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

/// What the number of nodes rests on; nothing where there is no number for want of requests.
fn assumptions(fewest: &Fewest) -> Option<String> {
    if fewest.answer == Err(NoPacking::RequestsMissing) {
        return None;
    }
    let mut line = format!(
        "A {} is taken to have {} allocatable and {} of DaemonSets, the least and the most seen on {}",
        fewest.instance_type.as_deref().unwrap_or("node of no known type"),
        both(fewest.allocatable),
        both(fewest.daemons.requests),
        count(fewest.present, "such node"),
    );
    if fewest.others.pods > 0 {
        line.push_str(&format!(
            "; {} there, {} in all, {} a place as well",
            count(fewest.others.pods, "other pod"),
            both(fewest.others.requests),
            if fewest.others.pods == 1 { "needs" } else { "need" }
        ));
    }
    Some(line)
}

/// Worth a line only where types are mixed, or where fewer of the nodes that are there would do.
fn present(packing: &Packing) -> Option<String> {
    let fewest = packing.present?.nodes?;
    (fewest < packing.failure_domains.nodes).then(|| {
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
    let HostnameSpread { field, max_skew, when_unsatisfiable, has_karpenter } = spread;
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
        Some(format!("{} {}, {} without it", nodes(with), type_name(fewest), nodes(without)))
    });
    let per_type: Vec<String> = per_type.collect();
    let mut line = format!("{says}: {planned} at most {} on a node", count(*max_skew, "shard"));
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
            line.push_str(&format!(" ({} on nodes that are closed)", count(all - open, "slot")));
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
        "Requested {}/{} CPU, {}/{} memory",
        amounts::cpu(requested.cpu),
        amounts::cpu(totals.allocatable.cpu),
        bare_memory(requested.memory),
        amounts::memory(totals.allocatable.memory)
    );
    if room.overcommit.cpu.is_positive() || room.overcommit.memory.is_positive() {
        line.push_str(&format!(", {} beyond allocatable", both(room.overcommit)));
    }
    if let Some(usage) = totals.usage.filter(|usage| usage.measured > 0) {
        line.push_str(&format!("; shards use {}", both(usage.total)));
        if usage.measured < room.shards.pods {
            line.push_str(&format!(" ({} of {} measured)", usage.measured, room.shards.pods));
        }
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
            "Failure domains: {}{zones}, at most {} on one; losing any one stops a service that needs \
             every shard, and fewer nodes are fewer such losses",
            count(domains.nodes, "node"),
            count(domains.most_on_one_node, "shard")
        )
    })
}
