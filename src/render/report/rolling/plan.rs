//! The plan of a run, before anything is changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::domain::diff::changes_at;
use crate::domain::names::pods_in_short;
use crate::domain::quantity::Quantity;
use crate::domain::rolling::proof::{Destination, LimitUse, Proof};
use crate::domain::rolling::{Change, Forecast, Gate, Hold, Order, Run, Source, State, Strategy, waves};
use crate::domain::snapshot::Snapshot;
use crate::domain::verify::Facts;
use crate::render::report::rolling::seconds;
use crate::render::report::{Look, amounts, deploy};
use crate::render::table::Columns;
use crate::render::text::wrap;

/// Waves named one by one; the others are counted.
const WAVES_SHOWN: usize = 12;
/// Parts of a path that are all shown.
const LONGEST_PATH: usize = 4;
/// Ordinals named of a run that moves one shard at a time.
const ORDINALS_SHOWN: usize = 20;

/// The plan: what changes, what is held, what each strategy costs, and the waves.
#[must_use]
pub fn plan(run: &Run, proof: &Proof, snapshot: &Snapshot, destination: &str, look: Look) -> String {
    let style = look.style;
    let mut text = format!("{} {}\n", style.value("Plan:"), run.operation);
    let mut line = |label: &str, said: &str| text.push_str(&labelled(label, said, look));
    line("for", &format!("{} in {destination}", run.workload));
    if let Some(arming) = &run.arming {
        line("template", "a new one, which a shard takes when it is moved:");
        for change in template_changes(arming) {
            let value =
                |value: &Option<Value>| value.as_ref().map_or_else(|| "(none)".to_owned(), deploy::short);
            line("", &short_path(&change.path));
            line("", &format!("  {} -> {}", value(&change.before), style.value(value(&change.after))));
        }
    }
    let held: Vec<String> = run.holds.iter().map(held).collect();
    if !held.is_empty() {
        line("meanwhile", &held.join("; "));
    }
    line("room", &room(run));
    line("gate", &gate(run));
    if run.waves.is_empty() {
        line("shards", "all are where they should be");
        return text;
    }
    for (index, said) in proved(proof).iter().enumerate() {
        line(if index == 0 { "proof" } else { "" }, said);
    }
    text.push('\n');
    text.push_str(&strategies(run, snapshot, look));
    text.push('\n');
    if run.waves.iter().all(|wave| wave.len() == 1) {
        text.push_str(&labelled("waves", &format!("of one shard: {}", in_order(run)), look));
        return text;
    }
    for (index, wave) in run.waves.iter().take(WAVES_SHOWN).enumerate() {
        let pods = pods_in_short(&run.workload.name, &sorted(wave));
        text.push_str(&labelled(&format!("wave {}", index + 1), &pods, look));
    }
    if run.waves.len() > WAVES_SHOWN {
        text.push_str(&labelled("", &format!("and {} more", run.waves.len() - WAVES_SHOWN), look));
    }
    text
}

/// The column at which what is said begins.
const INDENT: usize = 14;

/// A label and what is said under it, in lines that fit.
fn labelled(label: &str, said: &str, look: Look) -> String {
    let width = look.width.map(|width| width.saturating_sub(INDENT).max(INDENT));
    let mut text = String::new();
    for (index, line) in wrap(said, width).iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        let indented = if said.starts_with("  ") { "  " } else { "" };
        let _ = writeln!(text, "  {label:<12}{indented}{line}");
    }
    text
}

/// The fields of the StatefulSet that change.
fn template_changes(arming: &Change) -> Vec<crate::domain::diff::Change> {
    let changes = arming.fields.iter().flat_map(|field| {
        let path = field.path.trim_start_matches('/').replace('/', ".").replace("~1", "/");
        changes_at(
            &path,
            &field.before.clone().unwrap_or_default(),
            &field.during.clone().unwrap_or_default(),
        )
    });
    changes.collect()
}

/// A path that is too long for a line, without its middle.
fn short_path(path: &str) -> String {
    let mut depth = 0_usize;
    let mut parts = vec![String::new()];
    for character in path.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (character, parts.last_mut()) {
            ('.', _) if depth == 0 => parts.push(String::new()),
            (character, Some(part)) => part.push(character),
            (_, None) => {}
        }
    }
    let path = parts.iter().skip_while(|part| *part == "spec" || *part == "template").cloned();
    let parts: Vec<String> = path.collect();
    match parts.as_slice() {
        [first, .., before, last] if parts.len() > LONGEST_PATH => format!("{first} ... {before}.{last}"),
        parts => parts.join("."),
    }
}

fn held(change: &Change) -> String {
    match change.hold {
        Hold::FrozenPool => format!("{} disrupts no node", change.object),
        Hold::Cordon => format!("{} takes no new pods", change.object),
        Hold::RelaxedBudget => format!("{} lets pods be evicted", change.object),
        Hold::Template => change.object.to_string(),
    }
}

/// That every step can be carried out, what that takes, and what could not be proved.
fn proved(proof: &Proof) -> Vec<String> {
    let places = proof.steps.len();
    let mut said = vec![match proof.steps.iter().find(|step| step.destination == Destination::Unproved) {
        None => format!("every one of {places} shards has a place{}", new_nodes(proof)),
        Some(step) => format!("the first {} of {places} shards have a place", step.number - 1),
    }];
    for limit in proof.limits.iter().filter(|limit| limit.after > limit.before) {
        let LimitUse { pool, resource, limit, after, .. } = limit;
        let amount = |amount: Quantity| match *resource {
            "memory" => amounts::memory(amount),
            _ => amount.to_string(),
        };
        said.push(format!("nodepool/{pool} then uses {} of {} {resource}", amount(*after), amount(*limit)));
    }
    said.extend(proof.doubts.iter().map(|doubt| format!("not proved: {doubt}")));
    said
}

fn new_nodes(proof: &Proof) -> String {
    let mut types: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &proof.new_nodes {
        *types.entry(node.instance_type.as_str()).or_default() += 1;
    }
    if types.is_empty() {
        return String::new();
    }
    let types: Vec<String> = types.iter().map(|(name, count)| format!("{count} {name}")).collect();
    format!(", on new nodes: {}", types.join(", "))
}

fn room(run: &Run) -> String {
    match &run.room {
        Some(room) if room.is_for_images => format!(
            "the new image first, on {} nodes, so that no outage includes a pull",
            room.shards().len()
        ),
        Some(room) => format!(
            "{} placeholders first, so that no outage includes the making of a node or a pull",
            room.shards().len()
        ),
        None if run.policy.prewarm => "none is needed".to_owned(),
        None => "none is made: an outage includes what a node takes to come".to_owned(),
    }
}

/// The ordinals in the order in which they are moved.
fn in_order(run: &Run) -> String {
    let mut ordinals: Vec<String> =
        run.shards().take(ORDINALS_SHOWN).map(|ordinal| ordinal.to_string()).collect();
    if run.waves.len() > ORDINALS_SHOWN {
        ordinals.push(format!("and {} more", run.waves.len() - ORDINALS_SHOWN));
    }
    ordinals.join(", ")
}

fn sorted(wave: &[u32]) -> Vec<u32> {
    let mut wave = wave.to_vec();
    wave.sort_unstable();
    wave
}

fn gate(run: &Run) -> String {
    let settle = humantime::format_duration(run.policy.settle);
    let passes = match &run.policy.gate {
        Gate::None => "Ready is enough".to_owned(),
        Gate::Http(probes) => {
            let paths: Vec<&str> = probes.iter().map(|probe| probe.path.as_str()).collect();
            format!("a shard is back when Ready, and {} answer", paths.join(" and "))
        }
        Gate::Exec { command, .. } => {
            format!("a shard is back when it is Ready and `{}` ends with 0", command.join(" "))
        }
    };
    format!("{passes}; {settle} of peace between waves")
}

/// What each strategy costs, side by side.
fn strategies(run: &Run, snapshot: &Snapshot, look: Look) -> String {
    let style = look.style;
    let shards = run.shards().collect();
    let down = snapshot.expected_shards().filter(|shard| !shard.is_up()).map(|shard| shard.ordinal).collect();
    let mut candidates = vec![Strategy::OneByOne, Strategy::Canary];
    if !candidates.contains(&run.policy.strategy) {
        candidates.push(run.policy.strategy);
    }
    let mut table = Columns::new(&["  strategy", "outages", "longest", "together", ""], None);
    let recommended = recommended(run, snapshot);
    for strategy in candidates {
        let cost = run.forecast.cost(&waves(
            &shards,
            &down,
            Order::Ascending,
            strategy,
            run.operation.changes_nothing_but_the_node(),
        ));
        let known = |duration: Option<std::time::Duration>| duration.map_or_else(|| "?".to_owned(), seconds);
        let mut remarks = Vec::new();
        if strategy == run.policy.strategy {
            remarks.push(style.value("chosen"));
        }
        if strategy == recommended.0 {
            remarks.push(style.success("recommended"));
        }
        table.row([
            format!("  {strategy}"),
            cost.outages.to_string(),
            known(cost.longest),
            known(cost.total),
            remarks.join(", "),
        ]);
    }
    let why = format!("{} is recommended: {}", recommended.0, recommended.1);
    let mut text = table.to_string();
    for said in [why, basis(&run.forecast)] {
        for line in wrap(&said, look.width.map(|width| width.saturating_sub(2).max(INDENT))) {
            let _ = writeln!(text, "  {}", style.note(line));
        }
    }
    text
}

/// The strategy with the least outage, and why.
fn recommended(run: &Run, snapshot: &Snapshot) -> (Strategy, &'static str) {
    let replicas = snapshot.workload.replicas;
    let required = Facts::new(snapshot).availability().required(replicas);
    if required < replicas {
        return (Strategy::OneByOne, "the service is up while one shard is down");
    }
    match run.forecast.is_serial {
        true => (Strategy::OneByOne, "the set brings its shards back one after the other"),
        false => (Strategy::Canary, "while one shard is down, the service is down"),
    }
}

fn basis(forecast: &Forecast) -> String {
    let Some(restart) = forecast.restart else {
        return "how long a restart takes is not known: say it with --restart-seconds".to_owned();
    };
    let source = match forecast.source {
        Source::Given => "as given",
        Source::History => "as the last run measured",
        Source::Pods => "as the pods tell: from their node to Ready, and preStop",
        Source::Unknown => "as guessed",
    };
    format!("a restart is taken to last {}, {source}", seconds(restart))
}

/// Where an open run stands, before it is gone on with or taken back.
#[must_use]
pub fn standing(run: &Run, snapshot: &Snapshot, look: Look) -> String {
    let style = look.style;
    let state = match &run.state {
        State::Stopped { why } => format!("stopped part-way: {why}"),
        _ => format!("was not ended by {}", run.by),
    };
    let mut text = format!("{} {} ({}) {state}\n", style.value("Run"), run.id, run.operation);
    let is_moved = |ordinal: &u32| {
        let pod = snapshot
            .shards
            .iter()
            .find(|shard| shard.ordinal == *ordinal)
            .and_then(|shard| shard.pod.as_ref());
        let uid = run.deleted.get(ordinal);
        uid.is_some() && pod.is_none_or(|pod| Some(&pod.uid) != uid)
    };
    let (moved, left): (Vec<u32>, Vec<u32>) = run.shards().partition(is_moved);
    let pods = |ordinals: &[u32]| match ordinals.is_empty() {
        true => "none".to_owned(),
        false => pods_in_short(&run.workload.name, &sorted(ordinals)),
    };
    let _ = writeln!(text, "  moved       {}", pods(&moved));
    let _ = writeln!(text, "  left        {}", pods(&left));
    text
}
