//! A bar for each node, a cell for each shard.
//!
//! All bars have one scale: a column stands for the same amount of the resource that runs out first. From
//! left to right a bar shows the shards, the room for more of them, what is stranded, and what other pods
//! and daemons take.

use super::bar::{Bar, Part, Scale, width_of};
use super::rows::{Row, bare_memory, groups, shared_domain, shortened};
use crate::domain::packing::{NodePacking, Packing};
use crate::domain::quantity::Quantity;
use crate::render::report::{Look, amounts};
use crate::render::text::side_by_side;

/// The columns to aim at where there is no terminal.
const WIDTH_OF_A_PIPE: usize = 100;
/// The widest cell that is still easy on the eye.
const WIDEST_CELL: usize = 8;
/// A bar that is shorter than this says nothing.
const LEAST_BAR: usize = 16;
/// Scales to try for shards that are too many for the width.
const MOST_TRIES: usize = 8;
/// The longest list of ordinals behind a bar at a terminal.
const LONGEST_LIST: usize = 20;

/// Whether memory runs out before CPU when shards are added.
fn is_memory_scarcer(packing: &Packing) -> bool {
    let share = |of: Quantity, amount: Quantity| amount.as_f64() / of.as_f64().max(f64::MIN_POSITIVE);
    let all = packing.totals.allocatable;
    let shard = packing.shard_requests;
    share(all.memory, shard.memory) >= share(all.cpu, shard.cpu)
}

/// Draws the nodes, and the shards that are on none.
#[must_use]
pub fn picture(packing: &Packing, look: Look) -> String {
    draw(packing, look, true)
}

/// As [`picture`]; the numbers behind the bars are left out where a table follows.
pub(super) fn draw(packing: &Packing, look: Look, numbers: bool) -> String {
    let groups = groups(packing);
    let domain = shared_domain(packing);
    let names: Vec<Vec<String>> = groups
        .iter()
        .map(|group| group.rows.iter().map(|row| shortened(&row.label(domain), look)).collect())
        .collect();
    let loose = loose_shards(packing);
    let name_width = names
        .iter()
        .flatten()
        .map(|name| name.chars().count())
        .chain(loose.iter().map(|(_, name, _)| name.len()))
        .max()
        .unwrap_or(0);
    let rows = || groups.iter().flat_map(|group| &group.rows);
    let tail_width = |numbers| {
        let tails = tails(rows(), numbers);
        tails.iter().map(|tail| tail.chars().count()).max().unwrap_or(0)
    };
    let width = look.width.unwrap_or(WIDTH_OF_A_PIPE);
    let room = |numbers: bool| width.saturating_sub(name_width + 4 + tail_width(numbers) + 2);
    let widest = |scale: Scale| rows().map(|row| width_of(&scale.bar(row))).max().unwrap_or(0);
    // A bar is drawn only when it can fit: millions of tiny shards would make a long one.
    let outline = |scale: Scale| rows().map(|row| scale.outline(row)).max().unwrap_or(0);
    let label = label_width(packing);
    let is_memory = is_memory_scarcer(packing);
    let scale = |cell, label| Scale {
        cell,
        label,
        per_glyph: 1,
        is_memory,
        shard: if is_memory { packing.shard_requests.memory } else { packing.shard_requests.cpu },
        ascii: look.ascii,
    };
    // Labels matter more than numbers, which the table has as well.
    let choices = [numbers, false].into_iter().flat_map(|numbers| {
        (label..=label.max(WIDEST_CELL)).rev().map(move |cell| (numbers, scale(cell, Some(label))))
    });
    let (numbers, scale) = choices
        .into_iter()
        .find(|(numbers, scale)| outline(*scale) <= room(*numbers) && widest(*scale) <= room(*numbers))
        .unwrap_or_else(|| {
            // Without labels there may be room for numbers again, and for more shards than columns.
            let compact = scale(1, None);
            let list = rows().map(|row| listed(row, look).chars().count()).max().unwrap_or(0);
            let left = |numbers| room(numbers).saturating_sub(list + 2);
            // A mark for each shard matters more than numbers, too.
            let needed = match outline(compact) {
                needed if needed <= left(false) => needed.max(LEAST_BAR),
                _ => LEAST_BAR,
            };
            let numbers = numbers && left(true) >= needed;
            let left = left(numbers).max(1);
            let mut scale = Scale { per_glyph: outline(compact).div_ceil(left).max(1), ..compact };
            // What is small is drawn larger than it is: make room for that as well.
            for _ in 0..MOST_TRIES {
                let excess = widest(scale).saturating_sub(left);
                if excess == 0 {
                    break;
                }
                scale.per_glyph += (scale.per_glyph * excess).div_ceil(left);
            }
            (numbers, scale)
        });
    let bar_width = widest(scale);

    let mut text = String::new();
    let mut seen: Vec<Part> = Vec::new();
    let mut line = |start: String, bar: &Bar, end: &str| {
        seen.extend(bar.iter().filter(|(_, text)| !text.is_empty()).map(|(part, _)| *part));
        let painted: String = bar.iter().map(|(part, text)| part.paint(text, look)).collect();
        let padding = " ".repeat(bar_width.saturating_sub(width_of(bar)));
        text.push_str(format!("{start}{painted}{padding}  {end}").trim_end());
        text.push('\n');
    };
    let mut tails = tails(rows(), numbers).into_iter();
    for (group, names) in groups.iter().zip(&names) {
        for title in group.title(look.width) {
            line(look.style.note(title), &Vec::new(), "");
        }
        for (row, name) in group.rows.iter().zip(names) {
            let bar = scale.bar(row);
            let mut end = tails.next().unwrap_or_default();
            if scale.label.is_none() && !row.node.shards.is_empty() {
                let gap = if end.is_empty() { "" } else { "  " };
                end = format!("{end}{gap}{}", listed(row, look));
            }
            line(format!("  {name:name_width$}  "), &bar, &end);
        }
    }
    for (part, name, ordinals) in &loose {
        let mut cells: Bar = ordinals
            .iter()
            .map(|ordinal| {
                let cell = scale.shard(*part, &ordinal.to_string(), packing.shard_requests);
                (*part, cell)
            })
            .collect();
        if scale.label.is_none() || width_of(&cells) > bar_width.max(LEAST_BAR) {
            let list = amounts::ordinals(ordinals.iter().copied());
            cells = vec![(*part, part.cell(&format!(" {list} "), 0))];
        }
        line(format!("  {name:name_width$}  "), &cells, "");
    }
    seen.sort_unstable();
    seen.dedup();
    text + &legend(&seen, scale, look)
}

/// Shards that no bar shows: on no node, and on nodes that were not read.
fn loose_shards(packing: &Packing) -> Vec<(Part, &'static str, Vec<u32>)> {
    let unplaced = packing.unplaced.iter().map(|shard| shard.ordinal).collect();
    let unread = packing.unread.iter().map(|shard| shard.ordinal).collect();
    [(Part::NotReady, "on no node", unplaced), (Part::Unread, "not read", unread)]
        .into_iter()
        .filter(|(_, _, ordinals): &(_, _, Vec<u32>)| !ordinals.is_empty())
        .collect()
}

/// Columns of a cell with the longest ordinal in it.
fn label_width(packing: &Packing) -> usize {
    let last = packing.replicas.saturating_sub(1);
    let surplus = packing.nodes.iter().flat_map(|node| &node.shards);
    let highest = surplus.map(|shard| shard.ordinal).fold(last, u32::max);
    highest.to_string().len() + 2
}

/// The ordinals of a row whose cells have none inside; at a terminal as many as there is room for.
fn listed(row: &Row, look: Look) -> String {
    let list = row.shards();
    if look.width.is_none() || list.chars().count() <= LONGEST_LIST {
        return list;
    }
    let cut: String = list.chars().take(LONGEST_LIST - 4).collect();
    format!("{}, ...", cut.trim_end_matches(|c: char| c != ',').trim_end_matches(','))
}

/// Requested of allocatable, to be shown behind a bar.
fn cpu_of(node: &NodePacking) -> String {
    let requested = node.room.map(|room| room.requested().requests.cpu);
    format!(
        "{}/{} CPU",
        requested.map_or_else(|| "?".to_owned(), amounts::cpu),
        amounts::cpu(node.allocatable.cpu)
    )
}

fn memory_of(node: &NodePacking) -> String {
    let requested = node.room.map(|room| room.requested().requests.memory);
    format!(
        "{}/{}",
        requested.map_or_else(|| "?".to_owned(), bare_memory),
        amounts::memory(node.allocatable.memory)
    )
}

/// What is written behind each bar: numbers in columns, and why a node is closed.
fn tails<'a>(rows: impl Iterator<Item = &'a Row<'a>> + Clone, numbers: bool) -> Vec<String> {
    let width =
        |of: fn(&NodePacking) -> String| rows.clone().map(|row| of(row.node).len()).max().unwrap_or(0);
    let (cpu_width, memory_width) = (width(cpu_of), width(memory_of));
    rows.clone()
        .map(|row| {
            let closed: Vec<String> = row.node.closed.iter().map(ToString::to_string).collect();
            let closed = closed.join(", ");
            let text = match numbers {
                false => closed,
                true => format!(
                    "{:>cpu_width$}  {:>memory_width$}  {closed}",
                    cpu_of(row.node),
                    memory_of(row.node)
                ),
            };
            text.trim_end().to_owned()
        })
        .collect()
}

fn legend(seen: &[Part], scale: Scale, look: Look) -> String {
    let mut items: Vec<String> = Part::ALL
        .into_iter()
        .filter(|part| seen.contains(part))
        .map(|part| {
            let is_cell = part < Part::Closed;
            let sample = match scale.label {
                Some(_) if part == Part::Free => part.cell("", 3),
                Some(_) if is_cell => part.cell("n", 3),
                Some(_) if part == Part::Closed => part.cell(&part.glyph(scale.ascii).to_string(), 3),
                _ => part.glyph(scale.ascii).to_string(),
            };
            format!("{sample} {}", part.meaning())
        })
        .collect();
    if scale.per_glyph > 1 {
        items.push(format!("one mark is {} shards", scale.per_glyph));
    }
    if scale.shard.is_positive() {
        items.push(if scale.is_memory {
            format!("drawn to memory, {} a shard", amounts::memory(scale.shard))
        } else {
            format!("drawn to CPU, {} a shard", amounts::cpu(scale.shard))
        });
    }
    // Two columns stand before each line.
    let lines = side_by_side(&items, look.width.map(|width| width.saturating_sub(2)));
    lines.iter().map(|line| format!("  {}\n", look.style.note(line))).collect()
}
