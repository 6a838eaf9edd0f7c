//! `shardctl costs`: picture, tables, what it comes to, and JSON.

mod json;
mod notes;
mod picture;
#[cfg(test)]
mod tests;
mod wide;

pub use json::{CostReportJson, report};

use super::Look;
use super::amounts::{self, count};
use crate::domain::cost::{CostReport, DoubleRun, Lasts, NodeCost, Subject};
use crate::domain::money::{Total, Usd};
use crate::render::table::Columns;
use crate::render::text::wrap;

/// Leaks of one kind that a table names; `-o wide` names all.
const LEAKS_OF_A_KIND: usize = 3;

/// `-o table`: the answer, the picture unless it is not wanted, tables that fit, and what it comes to.
#[must_use]
pub fn table(report: &CostReport, look: Look, with_picture: bool) -> String {
    let mut text = answer(report, look);
    if with_picture && !report.nodes.is_empty() {
        text.push('\n');
        text.push_str(&picture::picture(report, look));
    }
    if !report.nodes.is_empty() {
        text.push('\n');
        text.push_str(&nodes(report, look, !with_picture));
    }
    if !report.tiers.is_empty() {
        text.push('\n');
        text.push_str(&tiers(report));
    }
    text.push('\n');
    text + &notes::notes(report, look, LEAKS_OF_A_KIND)
}

/// `--watch` at a terminal: what changes, and no more than a screen of it.
#[must_use]
pub fn live(report: &CostReport, look: Look) -> String {
    let mut text = answer(report, look);
    if !report.nodes.is_empty() {
        text.push('\n');
        text.push_str(&picture::picture(report, look));
        text.push('\n');
        text.push_str(&nodes(report, look, false));
    }
    let mut lines = notes::money(report);
    lines.extend(report.unknown.iter().map(|unknown| format!("Could not {unknown}")));
    let open = |run: &&DoubleRun| matches!(run.lasts, Lasts::Measured { is_open: true, .. });
    lines.extend(report.double_run.as_ref().filter(open).map(notes::double_run));
    if !report.leaks.is_empty() {
        lines.push(format!(
            "{} {}; without --watch they are named",
            notes::leaks_head(report),
            report.leaks.len()
        ));
    }
    if !lines.is_empty() {
        text.push('\n');
    }
    for line in lines.iter().flat_map(|line| wrap(line, look.width)) {
        text.push_str(&format!("{line}\n"));
    }
    text
}

/// `-o wide`: every node and every disk with everything known of it. Never wrapped, as in kubectl.
#[must_use]
pub fn wide(report: &CostReport, look: Look) -> String {
    let look = Look { width: None, ..look };
    let mut text = answer(report, look);
    if !report.nodes.is_empty() {
        text.push('\n');
        text.push_str(&wide::nodes(report));
    }
    if !report.disks.is_empty() {
        text.push('\n');
        text.push_str(&wide::disks(report));
    }
    text.push('\n');
    text + &notes::notes(report, look, usize::MAX)
}

/// What it comes to, in a sentence.
fn answer(report: &CostReport, look: Look) -> String {
    if !report.are_nodes_known {
        return format!("{}: its nodes are not known\n", subject(report));
    }
    let totals = &report.totals;
    let sum = totals.per_month();
    let price = match sum.at_least() {
        None => "an unknown amount".to_owned(),
        Some(_) => sum.to_string(),
    };
    let nodes = match totals.nodes_per_hour.at_least() {
        Some(_) => format!(" for {} an hour", rate(totals.nodes_per_hour)),
        None => String::new(),
    };
    let mut line = format!(
        "{} costs {price} a month: {}{nodes}",
        subject(report),
        count(u32::try_from(report.nodes.len()).unwrap_or(u32::MAX), "node")
    );
    match (report.disks.len(), totals.disks_per_month.at_least()) {
        (0, _) => {}
        (disks, None) => line.push_str(&format!(", {} at unknown prices", count_of(disks, "disk"))),
        (disks, Some(_)) => {
            line.push_str(&format!(", {} for {} a month", count_of(disks, "disk"), totals.disks_per_month));
        }
    }
    let text = wrap(&line, look.width).join("\n");
    text.replacen(&price, &look.style.value(&price), 1) + "\n"
}

fn subject(report: &CostReport) -> String {
    match &report.subject {
        Subject::Service(service) => service.reference.to_string(),
        Subject::NodePool(name) => format!("nodepool/{name}"),
        Subject::Cluster => "the cluster".to_owned(),
    }
}

/// A price per hour with as many decimals as it needs: `$4.032`, `at least $1.008`.
fn rate(total: Total) -> String {
    match (total.whole(), total.at_least()) {
        (Some(whole), _) => format!("${}", hourly(Some(whole))),
        (None, Some(least)) => format!("at least ${}", hourly(Some(least))),
        (None, None) => "-".to_owned(),
    }
}

/// A price per hour without the sign of the currency; tenths of a cent matter.
fn hourly(price: Option<Usd>) -> String {
    bare(price.map(|price| format!("{price:.3}")))
}

/// A price per month without the sign of the currency.
fn monthly(price: Option<Usd>) -> String {
    bare(price.map(|price| price.to_string()))
}

fn bare(price: Option<String>) -> String {
    price.map_or_else(|| "-".to_owned(), |price| price.replacen('$', "", 1))
}

fn text(known: Option<&str>) -> String {
    known.unwrap_or("-").to_owned()
}

fn count_of(number: usize, one: &str) -> String {
    count(u32::try_from(number).unwrap_or(u32::MAX), one)
}

/// What is the matter with a node.
fn conditions(node: &NodeCost) -> Vec<&'static str> {
    [(node.is_deleting, "deleting"), (!node.is_ready, "not ready"), (node.is_cordoned, "cordoned")]
        .into_iter()
        .filter_map(|(is, word)| is.then_some(word))
        .collect()
}

/// `87% memory`, or what is not known.
fn used(node: &NodeCost) -> String {
    match &node.usage {
        None => "?".to_owned(),
        Some(usage) if usage.shard_pods == 0 && usage.other_pods == 0 => "empty".to_owned(),
        Some(usage) => {
            format!("{:.0}% {}", usage.share(usage.parts.shards) * 100.0, usage.scarce.as_str())
        }
    }
}

/// What the part of a node that is not requested costs: what is stranded of a service's, all of it elsewhere.
fn unused(report: &CostReport, node: &NodeCost) -> Option<Usd> {
    let shares = node.shares()?;
    let hour = match report.subject {
        Subject::Service(_) => shares.stranded,
        Subject::NodePool(_) | Subject::Cluster => shares.free,
    };
    Some(hour.hourly_to_monthly())
}

fn unused_heading(report: &CostReport) -> &'static str {
    match report.subject {
        Subject::Service(_) => "stranded",
        Subject::NodePool(_) | Subject::Cluster => "idle",
    }
}

/// Nodes with what they cost; without a picture their sizes, too. A column that does not fit is left out.
fn nodes(report: &CostReport, look: Look, with_type: bool) -> String {
    let rows = picture::rows(report);
    // A row that stands for several nodes has the price of one.
    let each = if rows.iter().any(|row| row.alike > 0) { " each" } else { "" };
    let named = |heading: &str| format!("{heading}{each}");
    let (hour, month, unused_each) = (named("$/hour"), named("$/month"), named(unused_heading(report)));
    let build = |with_type: bool, with_hour: bool| {
        let mut headings = vec!["node"];
        headings.extend(with_type.then_some("type"));
        headings.push("shards use");
        headings.extend(with_hour.then_some(hour.as_str()));
        headings.extend([month.as_str(), unused_each.as_str()]);
        let mut columns = Columns::new(&headings, None);
        for row in &rows {
            let node = row.node;
            let mut cells = vec![row.label(look)];
            if with_type {
                cells.push(text(node.instance_type.as_deref()));
            }
            cells.push(used(node));
            if with_hour {
                cells.push(hourly(node.per_hour()));
            }
            cells.extend([monthly(node.per_month()), monthly(unused(report, node))]);
            columns.row(cells);
        }
        columns.to_string()
    };
    let fits = |table: &String| {
        look.width.is_none_or(|width| table.lines().all(|line| line.chars().count() <= width))
    };
    let tries = [(with_type, true), (with_type, false), (false, true)];
    let found = tries.into_iter().map(|(with_type, with_hour)| build(with_type, with_hour)).find(fits);
    found.unwrap_or_else(|| build(false, false))
}

/// Disks by tier.
fn tiers(report: &CostReport) -> String {
    let mut columns = Columns::new(&["disks", "count", "size", "$/month each", "$/month"], None);
    for tier in &report.tiers {
        let each = report.disks.iter().find(|disk| disk.tier == tier.tier).and_then(|disk| disk.per_month);
        let is_alike =
            report.disks.iter().filter(|disk| disk.tier == tier.tier).all(|disk| disk.per_month == each);
        columns.row([
            tier.tier.as_ref().map_or_else(|| "of no known tier".to_owned(), ToString::to_string),
            tier.disks.to_string(),
            amounts::memory(tier.size),
            monthly(each.filter(|_| is_alike)),
            match tier.per_month.whole() {
                Some(whole) => monthly(Some(whole)),
                None => tier.per_month.to_string().replacen('$', "", 1),
            },
        ]);
    }
    columns.to_string()
}
