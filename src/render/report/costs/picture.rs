//! A bar for each node: as long as it is dear, and filled with who uses it.

use super::super::packing::bar::{Bar, Part, width_of};
use super::super::packing::shortened;
use super::{conditions, hourly};
use crate::domain::cost::{CostReport, NodeCost, Subject};
use crate::render::report::Look;
use crate::render::text::side_by_side;

/// The columns to aim at where there is no terminal.
const WIDTH_OF_A_PIPE: usize = 100;
/// The longest bar that is still easy on the eye.
const LONGEST_BAR: usize = 40;
/// A bar that is shorter than this says nothing.
const SHORTEST_BAR: usize = 12;
/// Above this many nodes, nodes that look alike share a bar: a screen holds no more.
const MOST_ROWS: usize = 40;

/// A bar, and how many more nodes look just like its own.
pub(super) struct Row<'a> {
    pub node: &'a NodeCost,
    pub alike: usize,
}

impl Row<'_> {
    /// `stable-0`, or `300 like stable-1`.
    pub fn label(&self, look: Look) -> String {
        let name = shortened(self.node.name.as_str(), look);
        if self.alike == 0 { name } else { format!("{} like {name}", self.alike + 1) }
    }
}

/// The nodes as rows, in their order; where they are many, those that look alike share one.
pub(super) fn rows(report: &CostReport) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for node in &report.nodes {
        let alike = |row: &&mut Row<'_>| report.nodes.len() > MOST_ROWS && looks(row.node) == looks(node);
        match rows.iter_mut().find(alike) {
            Some(row) => row.alike += 1,
            None => rows.push(Row { node, alike: 0 }),
        }
    }
    rows
}

/// What is to be seen of a node besides its name. Zones of a region have one price.
fn looks(node: &NodeCost) -> String {
    let usage = node.usage.as_ref().map(|usage| {
        let percent = |part| format!("{:.0}", usage.share(part) * 100.0);
        let parts = usage.parts;
        (usage.scarce, [parts.shards, parts.others, parts.daemons, parts.free].map(percent), usage.shard_pods)
    });
    format!("{:?} {:?} {usage:?} {:?}", heading(node), node.per_hour(), conditions(node))
}

fn heading(node: &NodeCost) -> [Option<&str>; 3] {
    [
        node.node_pool.as_ref().map(|pool| pool.as_str()),
        node.instance_type.as_deref(),
        node.capacity_type.as_deref(),
    ]
}

/// Draws the nodes by pool, size and how they are paid.
pub(super) fn picture(report: &CostReport, look: Look) -> String {
    let rows = rows(report);
    let labels: Vec<String> = rows.iter().map(|row| row.label(look)).collect();
    let label_width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let tails: Vec<String> = rows.iter().map(|row| tail(row.node)).collect();
    let tail_width = tails.iter().map(|tail| tail.chars().count()).max().unwrap_or(0);
    let width = look.width.unwrap_or(WIDTH_OF_A_PIPE);
    let longest = width.saturating_sub(label_width + tail_width + 6).clamp(SHORTEST_BAR, LONGEST_BAR);
    let dearest = rows.iter().filter_map(|row| row.node.per_hour()).max();
    let mut text = String::new();
    let mut seen: Vec<Part> = Vec::new();
    let mut last = None;
    for ((row, label), tail) in rows.iter().zip(&labels).zip(&tails) {
        let heading = heading(row.node);
        if last != Some(heading) {
            let words: Vec<&str> = heading.into_iter().flatten().collect();
            let words = if words.is_empty() {
                "nodes of no known pool and size".to_owned()
            } else {
                words.join("  ")
            };
            text.push_str(&format!("{}\n", look.style.note(words)));
            last = Some(heading);
        }
        let share = match (row.node.per_hour(), dearest) {
            (Some(price), Some(dearest)) => price.as_f64() / dearest.as_f64(),
            // Its length would say a price.
            _ => 0.0,
        };
        let bar = bar(row.node, columns(share, longest), look.ascii);
        seen.extend(bar.iter().filter(|(_, text)| !text.is_empty()).map(|(part, _)| *part));
        let painted: String = bar.iter().map(|(part, text)| part.paint(text, look)).collect();
        let padding = " ".repeat(longest.saturating_sub(width_of(&bar)));
        text.push_str(format!("  {label:label_width$}  {painted}{padding}  {tail}").trim_end());
        text.push('\n');
    }
    seen.sort_unstable();
    seen.dedup();
    let is_service = matches!(report.subject, Subject::Service(_));
    text + &legend(&seen, look, dearest.map(|price| hourly(Some(price))), is_service)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "columns are few, and casts of floats saturate"
)]
fn columns(share: f64, of: usize) -> usize {
    (share * of as f64).round() as usize
}

/// The parts of a node, together as many columns as its price is worth.
fn bar(node: &NodeCost, length: usize, ascii: bool) -> Bar {
    let fill = |part: Part, columns: usize| (part, part.glyph(ascii).to_string().repeat(columns));
    if node.per_hour().is_none() {
        return vec![fill(Part::Unknown, 3)];
    }
    // Something is never drawn as nothing.
    let length = length.max(1);
    let Some(usage) = &node.usage else { return vec![fill(Part::Unknown, length)] };
    let parts = usage.parts;
    let mut until = 0.0;
    let mut drawn = 0;
    let mut bar: Bar = Vec::new();
    for (part, amount) in [
        (Part::Ready, parts.shards),
        (Part::Free, parts.free),
        (Part::Stranded, parts.stranded),
        (Part::Others, parts.others),
        (Part::Daemons, parts.daemons),
    ] {
        until += usage.share(amount);
        let end = columns(until, length).min(length);
        bar.push(fill(part, end - drawn.min(end)));
        drawn = drawn.max(end);
    }
    bar
}

/// How much of a node is used, and what is the matter with it.
fn tail(node: &NodeCost) -> String {
    let used = match &node.usage {
        None => "use unknown".to_owned(),
        Some(_) if node.is_empty() => "empty".to_owned(),
        Some(usage) => {
            format!("{:>3.0}% of {}", usage.share(usage.parts.shards) * 100.0, usage.scarce.as_str())
        }
    };
    let conditions = conditions(node);
    if conditions.is_empty() { used } else { format!("{used}  {}", conditions.join(", ")) }
}

fn legend(seen: &[Part], look: Look, dearest: Option<String>, is_service: bool) -> String {
    let mut items: Vec<String> = Part::ALL
        .into_iter()
        .filter(|part| seen.contains(part))
        .map(|part| {
            // Only of a service it is known how much one more takes.
            let meaning = if part == Part::Free && !is_service { "idle" } else { part.meaning() };
            format!("{} {meaning}", part.glyph(look.ascii))
        })
        .collect();
    items.extend(dearest.map(|price| format!("the longest bar is ${price} an hour")));
    // Two columns stand before each line.
    let lines = side_by_side(&items, look.width.map(|width| width.saturating_sub(2)));
    lines.iter().map(|line| format!("  {}\n", look.style.note(line))).collect()
}
