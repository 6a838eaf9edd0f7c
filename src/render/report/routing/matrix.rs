//! Who reaches whom: a matrix of shards, or of nodes where there are too many.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Look;
use super::short;
use crate::domain::names::NodeName;
use crate::domain::routing::{Asker, Mark, Percentiles, Survey};
use crate::render::style::Stylesheet;
use crate::render::table::Columns;

/// Shards that fit a matrix beside their names.
const MOST_SHARDS: u32 = 32;
/// Above the names of who asks.
const HEADING: &str = "FROM, TO";
/// Columns of a terminal that is not known.
const WIDTH: usize = 80;

/// The matrix of a survey, and what its letters mean.
pub fn matrix(survey: &Survey, look: Look) -> String {
    let cell = if survey.replicas > 10 { 3 } else { 2 };
    let name = survey.pod_name(survey.replicas.saturating_sub(1)).chars().count() + 2;
    let label = name.max(HEADING.len());
    let rows = askers(survey);
    // Whose probe it is stands behind its row.
    let has_probes = rows.iter().any(|asker| matches!(asker, Asker::Probe(_)));
    let behind = if has_probes { 3 + LEAST_OF_A_NODE } else { 0 };
    let width = label + cell * survey.replicas as usize + behind;
    let text = match survey.replicas <= MOST_SHARDS && width <= look.width.unwrap_or(WIDTH).max(WIDTH) {
        true => shards(survey, &rows, look, label, cell),
        false => nodes(survey, look),
    };
    let marks: BTreeSet<Mark> = survey.marks().map(|(.., mark)| mark).collect();
    let legend: Vec<String> =
        marks.iter().map(|mark| format!("{} {}", letter(*mark, look), mark.meaning())).collect();
    format!("{text}{}\n", look.style.note(legend.join(", ")))
}

fn letter(mark: Mark, look: Look) -> char {
    match mark {
        Mark::Good if look.ascii => '.',
        mark => mark.letter(),
    }
}

fn paint(mark: Mark, text: String, style: Stylesheet) -> String {
    match mark {
        Mark::Good => style.success(text),
        _ => style.danger(text),
    }
}

fn shards(survey: &Survey, rows: &[Asker], look: Look, label: usize, cell: usize) -> String {
    let mut text = format!("{HEADING:label$}");
    for to in 0..survey.replicas {
        text.push_str(&format!("{to:>cell$}"));
    }
    text.push('\n');
    let left = look.width.map(|width| width.saturating_sub(label + cell * survey.replicas as usize + 3));
    for from in rows {
        let name = match from {
            Asker::Shard(ordinal) => survey.pod_name(*ordinal),
            Asker::Probe(_) => PROBE.to_owned(),
        };
        text.push_str(&format!("{name:label$}"));
        for to in 0..survey.replicas {
            text.push_str(&match survey.mark(from, to) {
                Some(mark) => paint(mark, format!("{:>cell$}", letter(mark, look)), look.style),
                None => format!("{:>cell$}", ""),
            });
        }
        let node = survey.node_of(from).map(|node| clipped(node, left, look)).unwrap_or_default();
        if !node.is_empty() {
            text.push_str(&format!("   {}", look.style.note(node)));
        }
        let kept = text.trim_end().len();
        text.truncate(kept);
        text.push('\n');
    }
    text
}

/// Who has a row: the shards, and then the probes. A shard that did not ask has an empty one, unless a probe stands for it.
fn askers(survey: &Survey) -> Vec<Asker> {
    let probes: Vec<Asker> =
        survey.rows.keys().filter(|asker| matches!(asker, Asker::Probe(_))).cloned().collect();
    let is_all_probes = survey.rows.len() == probes.len() && !probes.is_empty();
    let is_shown = |asker: &Asker| {
        let probe = survey.node_of(asker).cloned().map(Asker::Probe);
        let has_probe = probe.is_some_and(|probe| survey.rows.contains_key(&probe));
        survey.rows.contains_key(asker) || !(is_all_probes || has_probe)
    };
    let shards = (0..survey.replicas).map(Asker::Shard).filter(is_shown);
    shards.chain(probes.iter().cloned()).collect()
}

/// What a probe is called in a matrix; its node stands behind its row.
const PROBE: &str = "probe";
/// So much of a node's name tells it from others.
const LEAST_OF_A_NODE: usize = 8;

/// The end of a node's name, which is where names differ, as far as there is room for it.
fn clipped(node: &NodeName, room: Option<usize>, look: Look) -> String {
    let name = node.as_str();
    let length = name.chars().count();
    match room {
        Some(room) if room < length.min(LEAST_OF_A_NODE) => String::new(),
        Some(room) if room < length => {
            let dots = if look.ascii { ".." } else { "…" };
            let kept: String = name.chars().skip(length + dots.chars().count() - room).collect();
            format!("{dots}{kept}")
        }
        _ => name.to_owned(),
    }
}

/// How often the shards of one node reach those of another.
fn nodes(survey: &Survey, look: Look) -> String {
    let mut between: BTreeMap<(&NodeName, &NodeName), (usize, BTreeMap<Mark, usize>)> = BTreeMap::new();
    for (from, to, mark) in survey.marks() {
        let (Some(from), Some(to)) = (survey.node_of(from), survey.node(to)) else { continue };
        let (asked, marks) = between.entry((from, to)).or_default();
        *asked += 1;
        *marks.entry(mark).or_default() += 1;
    }
    let wrong: Vec<_> =
        between.iter().filter(|(_, (asked, marks))| marks.get(&Mark::Good) != Some(asked)).collect();
    let good = between.len() - wrong.len();
    let mut columns = Columns::new(&["from node", "to node", "answered", "otherwise"], look.width);
    for ((from, to), (asked, marks)) in &wrong {
        let others: Vec<String> = marks
            .iter()
            .filter(|(mark, _)| **mark != Mark::Good)
            .map(|(mark, count)| format!("{count} {}", letter(*mark, look)))
            .collect();
        let answered = marks.get(&Mark::Good).copied().unwrap_or_default();
        columns.row([from.to_string(), to.to_string(), format!("{answered} of {asked}"), others.join(", ")]);
    }
    let nodes: BTreeSet<&NodeName> = between.keys().map(|(from, _)| *from).collect();
    match wrong.is_empty() {
        true => format!("{} nodes, each reaches each: {good} ways\n", nodes.len()),
        false => format!("{columns}and {good} ways between {} nodes on which all is well\n", nodes.len()),
    }
}

/// Every pair on a line of its own.
pub fn pairs(survey: &Survey, look: Look) -> String {
    let headings = ["from", "to", "result", "addresses", "resolved", "connected", "first byte", "total"];
    let mut columns = Columns::new(&headings, None);
    for (from, to, mark) in survey.marks() {
        let answer = &survey.rows[from].answers[&to];
        let time = |time: Option<std::time::Duration>| time.map_or_else(|| "-".to_owned(), short);
        let addresses = answer.addresses.as_ref().map_or_else(
            || "-".to_owned(),
            |addresses| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        );
        let times = answer.times;
        columns.row([
            survey.name(from),
            survey.pod_name(to),
            paint(mark, mark.meaning().to_owned(), look.style),
            addresses,
            time(times.resolved),
            time(times.connected),
            time(times.first_byte),
            time(times.total),
        ]);
    }
    format!("{columns}\n{}", ways(survey))
}

/// How long answers took, from node to node and from zone to zone.
fn ways(survey: &Survey) -> String {
    let mut by_node: BTreeMap<(String, String), Vec<std::time::Duration>> = BTreeMap::new();
    let mut by_zone = by_node.clone();
    for (from, row) in &survey.rows {
        for (to, answer) in &row.answers {
            let Some(total) = answer.times.total else { continue };
            let to = Asker::Shard(*to);
            if let (Some(from), Some(to)) = (survey.node_of(from), survey.node_of(&to)) {
                by_node.entry((from.to_string(), to.to_string())).or_default().push(total);
            }
            if let (Some(from), Some(to)) = (survey.zone_of(from), survey.zone_of(&to)) {
                by_zone.entry((from.to_owned(), to.to_owned())).or_default().push(total);
            }
        }
    }
    let mut columns = Columns::new(&["from", "to", "questions", "median", "99%", "longest"], None);
    let mut is_empty = true;
    for ((from, to), totals) in by_node.into_iter().chain(by_zone) {
        if let Some(times) = Percentiles::of(totals) {
            is_empty = false;
            let times =
                [times.count.to_string(), short(times.median), short(times.p99), short(times.longest)];
            columns.row([from, to].into_iter().chain(times));
        }
    }
    if is_empty { String::new() } else { format!("{columns}\n") }
}
