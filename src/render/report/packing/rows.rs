//! Nodes in the order in which they are shown, and the ones that look alike as one row.

use crate::domain::packing::{NodePacking, Packing, ShardState};
use crate::domain::quantity::{Quantity, Resources};
use crate::render::report::{Look, amounts};

/// The longest name that is shown whole on a terminal.
const LONGEST_NAME: usize = 26;

/// Above this many nodes, nodes that look alike share a row: a screen holds no more.
const MOST_ROWS: usize = 40;

/// A node, and how many more look just like it.
pub(super) struct Row<'a> {
    pub node: &'a NodePacking,
    pub alike: usize,
}

/// Nodes that share a heading: pool, instance type, zone and capacity type.
pub(super) struct Group<'a> {
    pub rows: Vec<Row<'a>>,
}

/// The nodes by pool, instance type, zone, capacity type and name.
pub(super) fn groups(packing: &Packing) -> Vec<Group<'_>> {
    let mut nodes: Vec<&NodePacking> = packing.nodes.iter().collect();
    nodes.sort_by_key(|node| heading(node));
    let summarise = nodes.len() > MOST_ROWS;
    let mut groups: Vec<Group> = Vec::new();
    for node in nodes {
        let is_new = groups.last().is_none_or(|group| heading(group.rows[0].node) != heading(node));
        if is_new {
            groups.push(Group { rows: Vec::new() });
        }
        let Some(group) = groups.last_mut() else { continue };
        let alike = group.rows.iter_mut().find(|row| summarise && look(row.node) == look(node));
        match alike {
            Some(row) => row.alike += 1,
            None => group.rows.push(Row { node, alike: 0 }),
        }
    }
    groups
}

type Heading<'a> = [Option<&'a str>; 4];

fn heading(node: &NodePacking) -> Heading<'_> {
    [
        node.node_pool.as_ref().map(|pool| pool.as_str()),
        node.instance_type.as_deref(),
        node.zone.as_deref(),
        node.capacity_type.as_deref(),
    ]
}

impl Group<'_> {
    /// What the nodes have in common, on as many lines as it takes.
    pub fn title(&self, width: Option<usize>) -> Vec<String> {
        let Some(first) = self.rows.first() else {
            return Vec::new();
        };
        let mut words: Vec<String> = heading(first.node).into_iter().flatten().map(str::to_owned).collect();
        let size = |row: &Row| both(row.node.allocatable);
        if self.rows.iter().all(|row| size(row) == size(first)) {
            words.push(format!("{} each", size(first)));
        }
        let mut lines: Vec<String> = Vec::new();
        for word in words {
            let fits = |line: &&mut String| {
                width.is_none_or(|width| line.chars().count() + 2 + word.chars().count() <= width)
            };
            match lines.last_mut().filter(fits) {
                Some(line) => {
                    line.push_str("  ");
                    line.push_str(&word);
                }
                None => lines.push(word),
            }
        }
        lines
    }
}

/// `15.74 CPU, 110.9Gi`
pub(super) fn both(amount: Resources) -> String {
    format!("{} CPU, {}", amounts::cpu(amount.cpu), amounts::memory(amount.memory))
}

/// What is to be seen of a node besides its name and its shards' ordinals.
fn look(node: &NodePacking) -> (Vec<(ShardState, String)>, String) {
    let shards = node.shards.iter().map(|shard| (shard.state, both(shard.requests))).collect();
    let room = node.room.map(|room| {
        let loads = [room.daemons, room.others].map(|load| both(load.requests));
        (loads, both(room.requested().requests), room.free_slots)
    });
    // Two nodes of a type rarely report the same bytes: what counts is what would be written.
    let rest = format!("{room:?} {} {:?} {:?}", both(node.allocatable), node.closed, node.price_per_hour);
    (shards, rest)
}

/// Names without what they all end in from their first dot on, as in `ip-10-0-0-1.eu-west-1.compute.internal`.
pub(super) fn shared_domain(packing: &Packing) -> &str {
    let mut domains =
        packing.nodes.iter().map(|node| node.name.as_str().find('.').map(|dot| &node.name.as_str()[dot..]));
    match domains.next() {
        Some(Some(first)) if domains.all(|domain| domain == Some(first)) => first,
        _ => "",
    }
}

impl Row<'_> {
    /// `stable-0`, or `299 like stable-1`... as the first column shows it.
    pub fn label(&self, domain: &str) -> String {
        let name = self.node.name.as_str();
        let name = name.strip_suffix(domain).unwrap_or(name);
        match self.alike {
            0 => name.to_owned(),
            alike => format!("{} like {name}", alike + 1),
        }
    }

    /// The ordinals of its shards; how many shards when the row stands for several nodes.
    pub fn shards(&self) -> String {
        let ordinals = || self.node.shards.iter().map(|shard| shard.ordinal);
        match (self.node.shards.len(), self.alike) {
            (0, _) => "-".to_owned(),
            (_, 0) => amounts::ordinals(ordinals()),
            (each, alike) => format!("{} x {each}", alike + 1),
        }
    }
}

/// A name with its middle left out when it is long and there is a terminal to fit.
pub(in crate::render::report) fn shortened(name: &str, look: Look) -> String {
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

/// Memory in front of a `/` and an amount that says its unit.
pub(super) fn bare_memory(amount: Quantity) -> String {
    let text = amounts::memory(amount);
    text.strip_suffix("Gi").map_or(text.clone(), str::to_owned)
}
