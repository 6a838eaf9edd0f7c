//! A bar for each node, a cell for each shard.
//!
//! All bars have one scale: a column stands for the same amount of the resource that runs out first. From
//! left to right a bar shows the shards, the room for more of them, what is stranded, and what other pods
//! and daemons take.

use super::rows::{Row, groups, shared_domain};
use crate::domain::packing::{NodePacking, Packing, ShardState};
use crate::domain::quantity::{Quantity, Resources};
use crate::render::report::{Look, amounts};

/// The columns to aim at where there is no terminal.
const WIDTH_OF_A_PIPE: usize = 100;
/// The widest cell that is still easy on the eye.
const WIDEST_CELL: usize = 8;
/// A bar that is shorter than this says nothing.
const LEAST_BAR: usize = 16;
/// More cells than fit on any terminal.
const MOST_CELLS: usize = 400;
/// The longest name that is shown whole on a terminal.
const LONGEST_NAME: usize = 26;

/// What a stretch of a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Ready,
    NotReady,
    Terminating,
    Unread,
    Free,
    Closed,
    Stranded,
    Others,
    Daemons,
    Unknown,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Ready,
        Self::NotReady,
        Self::Terminating,
        Self::Unread,
        Self::Free,
        Self::Closed,
        Self::Stranded,
        Self::Others,
        Self::Daemons,
        Self::Unknown,
    ];

    fn meaning(self) -> &'static str {
        match self {
            Self::Ready => "shard",
            Self::NotReady => "shard that is not ready",
            Self::Terminating => "shard that is terminating",
            Self::Unread => "shard on a node that was not read",
            Self::Free => "room for one more",
            Self::Closed => "room on a closed node",
            Self::Stranded => "stranded",
            Self::Others => "other pods",
            Self::Daemons => "DaemonSets",
            Self::Unknown => "not known",
        }
    }

    fn glyph(self, ascii: bool) -> char {
        match (self, ascii) {
            (Self::Ready, false) => '■',
            (Self::Ready, true) => '#',
            (Self::NotReady, _) => '!',
            (Self::Terminating, _) => '~',
            (Self::Unread | Self::Unknown, _) => '?',
            (Self::Free, false) => '□',
            (Self::Free, true) => '_',
            (Self::Closed, false) => '×',
            (Self::Closed, true) => 'x',
            (Self::Stranded, false) => '░',
            (Self::Stranded, true) => '.',
            (Self::Others, false) => '▓',
            (Self::Others, true) => 'o',
            (Self::Daemons, false) => '▒',
            (Self::Daemons, true) => 'd',
        }
    }

    /// A cell with a label inside.
    fn cell(self, label: &str, width: usize) -> String {
        let [open, close] = match self {
            Self::NotReady => ['!', '!'],
            Self::Terminating => ['~', '~'],
            Self::Unread => ['?', '?'],
            _ => ['[', ']'],
        };
        format!("{open}{label:^width$}{close}", width = width.saturating_sub(2))
    }

    fn paint(self, text: &str, look: Look) -> String {
        match self {
            Self::Ready => look.style.value(text),
            Self::NotReady | Self::Unread | Self::Unknown => look.style.danger(text),
            Self::Terminating | Self::Closed => look.style.warning(text),
            Self::Free => look.style.success(text),
            Self::Stranded | Self::Others | Self::Daemons => look.style.note(text),
        }
    }

    fn of(state: ShardState) -> Self {
        match state {
            ShardState::Ready => Self::Ready,
            ShardState::NotReady => Self::NotReady,
            ShardState::Terminating => Self::Terminating,
        }
    }
}

/// A bar: stretches of text and what each stands for.
type Bar = Vec<(Part, String)>;

fn width_of(bar: &Bar) -> usize {
    bar.iter().map(|(_, text)| text.chars().count()).sum()
}

/// How bars are drawn.
#[derive(Clone, Copy)]
struct Scale {
    /// Columns of a shard of the template.
    cell: usize,
    /// Columns that a cell needs for its ordinal; none when cells are a single glyph.
    label: Option<usize>,
    /// Shards that one glyph stands for; more than one only when they are too many for the width.
    per_glyph: usize,
    /// Which resource the scale follows.
    is_memory: bool,
    /// What a shard of the template requests of it.
    shard: Quantity,
    ascii: bool,
}

impl Scale {
    fn amount(self, resources: Resources) -> Quantity {
        if self.is_memory {
            resources.memory
        } else {
            resources.cpu
        }
    }

    /// Columns for an amount; something is never drawn as nothing. None without a scale.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "columns are few, and casts of floats saturate"
    )]
    fn columns(self, resources: Resources) -> Option<usize> {
        let amount = self.amount(resources);
        if !self.shard.is_positive() {
            return None;
        }
        let shards = amount.as_f64() / self.shard.as_f64();
        let columns = (shards * self.cell as f64 / self.per_glyph as f64).round();
        Some((columns as usize).max(usize::from(amount.is_positive())))
    }

    fn shard(self, part: Part, label: &str, requests: Resources) -> String {
        match self.label {
            None => part.glyph(self.ascii).to_string(),
            Some(least) => part.cell(label, self.columns(requests).unwrap_or(least).max(least)),
        }
    }

    fn fill(self, part: Part, columns: usize) -> (Part, String) {
        (part, part.glyph(self.ascii).to_string().repeat(columns))
    }

    fn bar(self, row: &Row) -> Bar {
        let node = row.node;
        let mut bar: Bar = Vec::new();
        for shards in node.shards.chunks(self.per_glyph) {
            // The worst of those that share a glyph is the one to see.
            let Some(shard) = shards.iter().max_by_key(|shard| rank(shard.state)) else {
                continue;
            };
            let part = Part::of(shard.state);
            let label = match row.alike {
                0 => shard.ordinal.to_string(),
                // A row that stands for several nodes has no one ordinal to show.
                _ => part.glyph(self.ascii).to_string(),
            };
            bar.push((part, self.shard(part, &label, shard.requests)));
        }
        let whole = self.columns(node.allocatable).unwrap_or_default();
        let Some(room) = node.room else {
            bar.push(self.fill(Part::Unknown, whole.saturating_sub(width_of(&bar))));
            return bar;
        };
        let slots = usize::try_from(room.free_slots.unwrap_or_default()).unwrap_or(usize::MAX);
        match (node.is_open(), self.label) {
            // As many as no terminal is wide enough for say that this scale is too large.
            (true, Some(_)) => {
                bar.extend((0..slots.min(MOST_CELLS)).map(|_| (Part::Free, Part::Free.cell("", self.cell))))
            }
            (true, None) => bar.push(self.fill(Part::Free, slots.div_ceil(self.per_glyph))),
            (false, Some(_)) => bar.push(self.fill(Part::Closed, slots.min(MOST_CELLS) * self.cell)),
            (false, None) => bar.push(self.fill(Part::Closed, slots.div_ceil(self.per_glyph))),
        }
        let end = [(Part::Others, room.others), (Part::Daemons, room.daemons)]
            .map(|(part, load)| self.fill(part, self.columns(load.requests).unwrap_or_default()));
        let taken = width_of(&bar) + width_of(&end.to_vec());
        bar.push(self.fill(Part::Stranded, whole.saturating_sub(taken)));
        bar.extend(end);
        bar
    }
}

/// How much a shard's state calls for attention.
fn rank(state: ShardState) -> u8 {
    match state {
        ShardState::Ready => 0,
        ShardState::Terminating => 1,
        ShardState::NotReady => 2,
    }
}

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
        .map(|group| {
            group
                .rows
                .iter()
                .map(|row| shortened(&row.label(domain), look))
                .collect()
        })
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
        let width = |row: &Row| tail(row.node, numbers).chars().count();
        rows().map(width).max().unwrap_or(0)
    };
    let width = look.width.unwrap_or(WIDTH_OF_A_PIPE);
    let room = |numbers: bool| width.saturating_sub(name_width + 4 + tail_width(numbers) + 2);
    let widest = |scale: Scale| rows().map(|row| width_of(&scale.bar(row))).max().unwrap_or(0);
    let label = label_width(packing);
    let is_memory = is_memory_scarcer(packing);
    let scale = |cell, label| Scale {
        cell,
        label,
        per_glyph: 1,
        is_memory,
        shard: if is_memory {
            packing.shard_requests.memory
        } else {
            packing.shard_requests.cpu
        },
        ascii: look.ascii,
    };
    // Labels matter more than numbers, which the table has as well.
    let choices = [numbers, false].into_iter().flat_map(|numbers| {
        (label..=label.max(WIDEST_CELL))
            .rev()
            .map(move |cell| (numbers, scale(cell, Some(label))))
    });
    let (numbers, scale) = choices
        .into_iter()
        .find(|(numbers, scale)| widest(*scale) <= room(*numbers))
        .unwrap_or_else(|| {
            // Without labels there is room for numbers again, and for more shards than columns.
            let compact = scale(1, None);
            let list = rows().map(|row| row.shards().chars().count()).max().unwrap_or(0);
            let left = room(numbers).saturating_sub(list + 2).max(LEAST_BAR);
            let per_glyph = widest(compact).div_ceil(left).max(1);
            (numbers, Scale { per_glyph, ..compact })
        });
    let bar_width = widest(scale);

    let mut text = String::new();
    let mut seen: Vec<Part> = Vec::new();
    let mut line = |start: String, bar: &Bar, end: &str| {
        seen.extend(
            bar.iter()
                .filter(|(_, text)| !text.is_empty())
                .map(|(part, _)| *part),
        );
        let painted: String = bar.iter().map(|(part, text)| part.paint(text, look)).collect();
        let padding = " ".repeat(bar_width.saturating_sub(width_of(bar)));
        text.push_str(format!("{start}{painted}{padding}  {end}").trim_end());
        text.push('\n');
    };
    for (group, names) in groups.iter().zip(&names) {
        line(look.style.note(group.title()), &Vec::new(), "");
        for (row, name) in group.rows.iter().zip(names) {
            let bar = scale.bar(row);
            let mut end = tail(row.node, numbers);
            if scale.label.is_none() && !row.node.shards.is_empty() {
                end = format!("{end}  {}", row.shards()).trim_start().to_owned();
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
    [
        (Part::NotReady, "on no node", unplaced),
        (Part::Unread, "not read", unread),
    ]
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

/// What stands behind a bar: numbers, and why the node is closed.
fn tail(node: &NodePacking, numbers: bool) -> String {
    let mut words = Vec::new();
    if numbers {
        words.push(match node.room {
            None => "requests unknown".to_owned(),
            Some(room) => {
                let requested = room.requested().requests;
                format!(
                    "{}/{} CPU  {}/{}",
                    amounts::cpu(requested.cpu),
                    amounts::cpu(node.allocatable.cpu),
                    amounts::memory(requested.memory).trim_end_matches("Gi"),
                    amounts::memory(node.allocatable.memory)
                )
            }
        });
    }
    let closed: Vec<String> = node.closed.iter().map(ToString::to_string).collect();
    if !closed.is_empty() {
        words.push(closed.join(", "));
    }
    words.join("  ")
}

/// A name with its middle left out when it is long and there is a terminal to fit.
fn shortened(name: &str, look: Look) -> String {
    let length = name.chars().count();
    if look.width.is_none() || length <= LONGEST_NAME {
        return name.to_owned();
    }
    let dots = if look.ascii { ".." } else { "…" };
    // Nodes of a pool differ in how their names end.
    let end: String = name.chars().skip(length - LONGEST_NAME / 2).collect();
    let start: String = name.chars().take(LONGEST_NAME / 2 - 2).collect();
    format!("{start}{dots}{end}")
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
    let mut lines = vec![String::new()];
    for item in items {
        let Some(last) = lines.last_mut() else { continue };
        let is_full = look
            .width
            .is_some_and(|width| last.chars().count() + item.chars().count() + 4 > width);
        match (last.is_empty(), is_full) {
            (true, _) => last.push_str(&item),
            (false, false) => last.push_str(&format!("   {item}")),
            (false, true) => lines.push(item),
        }
    }
    lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| format!("  {}\n", look.style.note(line)))
        .collect()
}
