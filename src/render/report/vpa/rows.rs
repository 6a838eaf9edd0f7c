//! The tables of `shardctl vpa-report`.

use super::{amount_cell, in_units, nothing, proposed, times};
use crate::domain::vpa::{Amount, Judged, OfContainer, OfResource, Resource, believable};
use crate::render::table::Columns;

/// Request, recommendation, use and proposal, a line for each resource.
pub(super) fn table(judged: &Judged) -> String {
    let mut headings = vec!["", "request", "lower", "target", "upper", "median", "worst (shard)", "proposed"];
    let is_named = judged.containers.len() > 1;
    if is_named {
        headings.insert(0, "container");
    }
    let mut columns = Columns::new(&headings, None);
    for (container, of) in lines(judged) {
        let mut cells = vec![
            of.resource.word().to_owned(),
            amount_cell(of.resource, of.request),
            advised(of, of.lower.as_ref()),
            advised(of, of.target.as_ref()),
            advised(of, of.upper.as_ref()),
            amount_cell(of.resource, of.spread.as_ref().map(|spread| spread.median())),
            worst(of),
            proposal(of),
        ];
        if is_named {
            cells.insert(0, container.name.clone());
        }
        columns.row(cells);
    }
    columns.to_string()
}

/// Every column.
pub(super) fn wide(judged: &Judged) -> String {
    let mut columns = Columns::new(
        &[
            "container",
            "",
            "request",
            "limit",
            "lower",
            "target",
            "uncapped",
            "upper",
            "least",
            "median",
            "worst (shard)",
            "worst/median",
            "peak",
            "proposed",
            "data",
        ],
        None,
    );
    for (container, of) in lines(judged) {
        let spread = of.spread.as_ref();
        columns.row([
            container.name.clone(),
            of.resource.word().to_owned(),
            amount_cell(of.resource, of.request),
            amount_cell(of.resource, of.limit),
            advised(of, of.lower.as_ref()),
            advised(of, of.target.as_ref()),
            advised(of, of.uncapped.as_ref()),
            advised(of, of.upper.as_ref()),
            amount_cell(of.resource, spread.map(|spread| spread.least())),
            amount_cell(of.resource, spread.map(|spread| spread.median())),
            worst(of),
            spread.and_then(|spread| spread.factor()).map_or_else(nothing, times),
            amount_cell(of.resource, of.peak),
            proposal(of),
            container.coverage.as_ref().map_or_else(nothing, ToString::to_string),
        ]);
    }
    columns.to_string()
}

/// What each shard uses, those with most memory first; empty when nothing is known.
pub(super) fn shards(judged: &Judged) -> String {
    let headings = ["shard", "container", "CPU", "x median", "memory", "x median", "restarts", "killed at"];
    let mut columns = Columns::new(&headings, None);
    let mut is_empty = true;
    for container in &judged.containers {
        let Some(by_memory) = &container.of(Resource::Memory).spread else { continue };
        for (ordinal, memory) in &by_memory.by_use {
            is_empty = false;
            let of = |resource: Resource| {
                let spread = container.of(resource).spread.as_ref();
                let used = spread.and_then(|spread| spread.by_use.iter().find(|(one, _)| one == ordinal));
                let median = spread.map(|spread| spread.median()).filter(|median| median.is_positive());
                let factor = used.zip(median).map(|((_, used), median)| used.as_f64() / median.as_f64());
                (used.map(|(_, used)| *used), factor.map_or_else(nothing, times))
            };
            let (cpu, cpu_factor) = of(Resource::Cpu);
            let killed = container.killed.iter().find(|(one, _)| one == ordinal).map(|(_, kill)| kill);
            columns.row([
                judged.observed.pod(*ordinal).to_string(),
                container.name.clone(),
                amount_cell(Resource::Cpu, cpu),
                cpu_factor,
                in_units(Resource::Memory, *memory),
                of(Resource::Memory).1,
                killed.map_or_else(nothing, |kill| kill.restarts.to_string()),
                amount_cell(Resource::Memory, killed.and_then(|kill| kill.limit)),
            ]);
        }
    }
    if is_empty { String::new() } else { columns.to_string() }
}

fn lines(judged: &Judged) -> impl Iterator<Item = (&OfContainer, &OfResource)> {
    judged.containers.iter().flat_map(|container| container.resources.iter().map(move |of| (container, of)))
}

/// An amount of the recommendation; what is not believed is a question mark, and said below.
fn advised(of: &OfResource, amount: Option<&Amount>) -> String {
    match amount {
        None => nothing(),
        Some(amount) => believable(of.resource, amount)
            .map_or_else(|_| "?".to_owned(), |quantity| in_units(of.resource, quantity)),
    }
}

fn worst(of: &OfResource) -> String {
    of.spread.as_ref().map_or_else(nothing, |spread| {
        let (ordinal, used) = spread.worst();
        format!("{} ({ordinal})", in_units(of.resource, used))
    })
}

fn proposal(of: &OfResource) -> String {
    proposed(of).map_or_else(nothing, |text| text.trim_end_matches(" CPU").to_owned())
}
