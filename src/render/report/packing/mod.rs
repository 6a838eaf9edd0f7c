//! `shardctl packing`: picture, table, summary and JSON.

pub(in crate::render::report) mod bar;
mod json;
mod picture;
mod rows;
mod summary;
#[cfg(test)]
mod tests;

pub use json::{PackingReport, report};
pub use picture::picture;
pub use summary::summary;

use super::{Look, amounts};
use crate::domain::packing::{NodePacking, Packing};
use crate::domain::quantity::{Quantity, Resources};
use crate::render::table::Columns;
pub(in crate::render::report) use rows::shortened;
use rows::{groups, shared_domain};

/// `-o table`: the picture unless it is not wanted, a compact table, and what it comes to.
#[must_use]
pub fn table(packing: &Packing, look: Look, with_picture: bool) -> String {
    let mut text = String::new();
    if with_picture && !(packing.nodes.is_empty() && packing.unplaced.is_empty()) {
        text.push_str(&picture::draw(packing, look, false));
        text.push('\n');
    }
    if !packing.nodes.is_empty() {
        text.push_str(&compact(packing, look, !with_picture));
        text.push('\n');
    }
    text + &summary(packing, look, false)
}

/// Columns of the compact table that are left out where they do not fit.
#[derive(Clone, Copy)]
struct Optional {
    instance_type: bool,
    closed: bool,
    stranded: bool,
}

/// Nodes with the columns that answer "where is room"; nodes that look alike share a row when there are many.
/// What the picture shows is not said again, and a column that does not fit is left out: half a quantity on
/// the next line is worse than none.
fn compact(packing: &Packing, look: Look, without_picture: bool) -> String {
    let all = Optional {
        instance_type: without_picture,
        closed: without_picture && packing.nodes.iter().any(|node| !node.is_open()),
        stranded: true,
    };
    let narrower = Optional { stranded: false, ..all };
    let narrowest = Optional { instance_type: false, ..narrower };
    let fits = |table: &String| {
        look.width.is_none_or(|width| table.lines().all(|line| line.chars().count() <= width))
    };
    [all, narrower]
        .into_iter()
        .map(|optional| columns(packing, look, optional))
        .find(fits)
        .unwrap_or_else(|| columns(packing, look, narrowest))
}

fn columns(packing: &Packing, look: Look, optional: Optional) -> String {
    let mut headings = vec!["node"];
    headings.extend(optional.instance_type.then_some("type"));
    headings.extend(["shards", "CPU req", "mem req", "slots"]);
    headings.extend(optional.stranded.then_some("stranded"));
    headings.extend(optional.closed.then_some("closed"));
    let mut columns = Columns::new(&headings, None);
    let domain = shared_domain(packing);
    for row in groups(packing).iter().flat_map(|group| &group.rows) {
        let node = row.node;
        let mut cells = vec![rows::shortened(&row.label(domain), look)];
        if optional.instance_type {
            cells.push(text(node.instance_type.as_deref()));
        }
        cells.push(row.shards());
        let requested = node.room.map(|room| room.requested().requests);
        let of = |requested: Option<String>, allocatable: String| {
            format!("{}/{allocatable}", requested.unwrap_or_else(|| "?".to_owned()))
        };
        cells.push(of(
            requested.map(|requested| amounts::cpu(requested.cpu)),
            amounts::cpu(node.allocatable.cpu),
        ));
        cells.push(of(
            requested.map(|requested| rows::bare_memory(requested.memory)),
            amounts::memory(node.allocatable.memory),
        ));
        cells.push(number(node.open_slots()));
        if optional.stranded {
            let stranded = node.room.and_then(|room| room.stranded);
            cells.push(stranded.map_or_else(|| "?".to_owned(), rows::both));
        }
        if optional.closed {
            cells.push(closed(node));
        }
        columns.row(cells);
    }
    columns.to_string()
}

/// `-o wide`: every node with everything known of it, then what it comes to. Never wrapped, as in kubectl.
#[must_use]
pub fn wide(packing: &Packing, look: Look) -> String {
    let mut columns = Columns::new(
        &[
            "node",
            "type",
            "zone",
            "pool",
            "capacity",
            "closed",
            "shards",
            "pods",
            "CPU alloc",
            "CPU req",
            "CPU free",
            "CPU stranded",
            "mem alloc",
            "mem req",
            "mem free",
            "mem stranded",
            "req by shards",
            "req by daemons",
            "req by others",
            "used by shards",
            "slots",
            "price/h",
        ],
        None,
    );
    for node in &packing.nodes {
        let room = node.room;
        let cpu = |amount: Option<Quantity>| amount.map_or_else(|| "?".to_owned(), amounts::cpu);
        let memory = |amount: Option<Quantity>| amount.map_or_else(|| "?".to_owned(), amounts::memory);
        let both = |amount: Option<Resources>| amount.map_or_else(|| "?".to_owned(), rows::both);
        let requested = room.map(|room| room.requested());
        let stranded = room.and_then(|room| room.stranded);
        let ordinals = amounts::ordinals(node.shards.iter().map(|shard| shard.ordinal));
        columns.row([
            node.name.to_string(),
            text(node.instance_type.as_deref()),
            text(node.zone.as_deref()),
            text(node.node_pool.as_ref().map(|pool| pool.as_str())),
            text(node.capacity_type.as_deref()),
            look.style.warning(closed(node)),
            text(Some(ordinals.as_str()).filter(|ordinals| !ordinals.is_empty())),
            format!("{}/{}", number(requested.map(|load| load.pods)), node.allocatable_pods),
            amounts::cpu(node.allocatable.cpu),
            cpu(requested.map(|load| load.requests.cpu)),
            cpu(room.map(|room| room.free.cpu)),
            cpu(stranded.map(|stranded| stranded.cpu)),
            amounts::memory(node.allocatable.memory),
            memory(requested.map(|load| load.requests.memory)),
            memory(room.map(|room| room.free.memory)),
            memory(stranded.map(|stranded| stranded.memory)),
            both(room.map(|room| room.shards.requests)),
            both(room.map(|room| room.daemons.requests)),
            both(room.map(|room| room.others.requests)),
            both(node.usage.map(|usage| usage.total)),
            number(node.open_slots()),
            node.price_per_hour.map_or_else(|| "unknown".to_owned(), amounts::dollars),
        ]);
    }
    let mut text = columns.to_string();
    text.push('\n');
    text + &summary(packing, look, true)
}

fn text(known: Option<&str>) -> String {
    known.unwrap_or("-").to_owned()
}

fn number(known: Option<u32>) -> String {
    known.map_or_else(|| "?".to_owned(), |known| known.to_string())
}

/// Why a node takes no new shard, or `-`.
fn closed(node: &NodePacking) -> String {
    let reasons: Vec<String> = node.closed.iter().map(ToString::to_string).collect();
    text(Some(reasons.join(", ").as_str()).filter(|reasons| !reasons.is_empty()))
}
