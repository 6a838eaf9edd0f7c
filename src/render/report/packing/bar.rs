//! One bar of the picture: its parts, how wide each is, and how it looks.

use super::rows::Row;
use crate::domain::packing::ShardState;
use crate::domain::quantity::{Quantity, Resources};
use crate::render::report::Look;

/// More cells than fit on any terminal.
const MOST_CELLS: usize = 400;

/// What a stretch of a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::render::report) enum Part {
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
    pub const ALL: [Self; 10] = [
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

    pub fn meaning(self) -> &'static str {
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

    pub fn glyph(self, ascii: bool) -> char {
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
    pub fn cell(self, label: &str, width: usize) -> String {
        let [open, close] = match self {
            Self::NotReady => ['!', '!'],
            Self::Terminating => ['~', '~'],
            Self::Unread => ['?', '?'],
            _ => ['[', ']'],
        };
        format!("{open}{label:^width$}{close}", width = width.saturating_sub(2))
    }

    pub fn paint(self, text: &str, look: Look) -> String {
        match self {
            Self::Ready => look.style.value(text),
            Self::NotReady | Self::Unread | Self::Unknown => look.style.danger(text),
            Self::Terminating | Self::Closed => look.style.warning(text),
            Self::Free => look.style.success(text),
            Self::Stranded | Self::Others | Self::Daemons => look.style.note(text),
        }
    }

    pub fn of(state: ShardState) -> Self {
        match state {
            ShardState::Ready => Self::Ready,
            ShardState::NotReady => Self::NotReady,
            ShardState::Terminating => Self::Terminating,
        }
    }
}

/// A bar: stretches of text and what each stands for.
pub(in crate::render::report) type Bar = Vec<(Part, String)>;

pub(in crate::render::report) fn width_of(bar: &Bar) -> usize {
    bar.iter().map(|(_, text)| text.chars().count()).sum()
}

/// How bars are drawn.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    /// Columns of a shard of the template.
    pub cell: usize,
    /// Columns that a cell needs for its ordinal; none when cells are a single glyph.
    pub label: Option<usize>,
    /// Shards that one glyph stands for; more than one only when they are too many for the width.
    pub per_glyph: usize,
    /// Which resource the scale follows.
    pub is_memory: bool,
    /// What a shard of the template requests of it.
    pub shard: Quantity,
    pub ascii: bool,
}

impl Scale {
    fn amount(self, resources: Resources) -> Quantity {
        if self.is_memory { resources.memory } else { resources.cpu }
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

    /// The least columns that a row can take.
    pub fn outline(self, row: &Row) -> usize {
        let shards = row.node.shards.len().div_ceil(self.per_glyph);
        let whole = self.columns(row.node.allocatable).unwrap_or_default();
        whole.max(shards.saturating_mul(self.label.unwrap_or(1)))
    }

    pub fn shard(self, part: Part, label: &str, requests: Resources) -> String {
        let least = self.label.unwrap_or(1);
        let columns = self.columns(requests).unwrap_or(least).max(least);
        match self.label {
            None => part.glyph(self.ascii).to_string().repeat(columns),
            Some(_) => part.cell(label, columns),
        }
    }

    fn fill(self, part: Part, columns: usize) -> (Part, String) {
        (part, part.glyph(self.ascii).to_string().repeat(columns))
    }

    pub fn bar(self, row: &Row) -> Bar {
        let node = row.node;
        let mut bar: Bar = Vec::new();
        for shards in node.shards.chunks(self.per_glyph) {
            // The worst of those that share a glyph is the one to see.
            let Some(shard) = shards.iter().max_by_key(|shard| rank(shard.state)) else {
                continue;
            };
            let part = Part::of(shard.state);
            let requests = shards.iter().map(|shard| shard.requests).sum();
            bar.push((
                part,
                match row.alike {
                    0 => self.shard(part, &shard.ordinal.to_string(), requests),
                    // A row that stands for several nodes has no one ordinal to show.
                    _ => self.shard(part, &part.glyph(self.ascii).to_string(), requests),
                },
            ));
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
                bar.extend((0..slots.min(MOST_CELLS)).map(|_| (Part::Free, Part::Free.cell("", self.cell))));
            }
            (true, None) => bar.push(self.fill(Part::Free, slots.div_ceil(self.per_glyph))),
            (false, Some(_)) => bar.extend((0..slots.min(MOST_CELLS)).map(|_| {
                let (part, fill) = self.fill(Part::Closed, self.cell.saturating_sub(2));
                (part, part.cell(&fill, self.cell))
            })),
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
