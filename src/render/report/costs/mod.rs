//! `shardctl costs`: picture, tables, what it comes to, and JSON.

mod json;
mod picture;
#[cfg(test)]
mod tests;

pub use json::{CostReportJson, report};

use super::Look;
use super::amounts::{self, count};
use super::rolling::seconds;
use crate::domain::cost::{
    CostReport, DoubleRun, Lasts, Leak, LeakKind, NodeCost, Saving, SavingKind, Subject,
};
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
    text + &notes(report, look, LEAKS_OF_A_KIND)
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
    let mut lines = money(report);
    lines.extend(report.unknown.iter().map(|unknown| format!("Could not {unknown}")));
    let open = |run: &&DoubleRun| matches!(run.lasts, Lasts::Measured { is_open: true, .. });
    lines.extend(report.double_run.as_ref().filter(open).map(double_run));
    if !report.leaks.is_empty() {
        lines.push(format!("{} {}; without --watch they are named", leaks_head(report), report.leaks.len()));
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
        text.push_str(&wide_nodes(report));
    }
    if !report.disks.is_empty() {
        text.push('\n');
        text.push_str(&wide_disks(report));
    }
    text.push('\n');
    text + &notes(report, look, usize::MAX)
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
    let build = |with_type: bool, with_hour: bool| {
        let mut headings = vec!["node"];
        headings.extend(with_type.then_some("type"));
        headings.push("used by shards");
        headings.extend(with_hour.then_some("$/hour"));
        headings.extend(["$/month", unused_heading(report)]);
        let mut columns = Columns::new(&headings, None);
        for row in picture::rows(report) {
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

fn wide_nodes(report: &CostReport) -> String {
    let mut columns = Columns::new(
        &[
            "node",
            "type",
            "zone",
            "pool",
            "paid",
            "state",
            "shards",
            "scarce",
            "shards %",
            "daemons %",
            "others %",
            "free %",
            "stranded %",
            "$/hour",
            "$/month",
            "shards $/month",
            "free $/month",
            "stranded $/month",
            "price of",
        ],
        None,
    );
    for node in &report.nodes {
        let usage = node.usage.as_ref();
        let percent = |part: &dyn Fn(&crate::domain::cost::Use) -> crate::domain::quantity::Quantity| {
            usage.map_or_else(|| "?".to_owned(), |usage| format!("{:.1}", usage.share(part(usage)) * 100.0))
        };
        let shares = node.shares();
        let part = |part: Option<Usd>| monthly(part.map(Usd::hourly_to_monthly));
        let shards = usage.map(|usage| match usage.shards.as_slice() {
            [] => usage.shard_pods.to_string(),
            ordinals => amounts::ordinals(ordinals.iter().copied()),
        });
        columns.row([
            node.name.to_string(),
            text(node.instance_type.as_deref()),
            text(node.zone.as_deref()),
            text(node.node_pool.as_ref().map(|pool| pool.as_str())),
            node.price
                .as_ref()
                .map_or_else(|| text(node.capacity_type.as_deref()), |price| price.term.to_string()),
            text(Some(conditions(node).join(", ").as_str()).filter(|words| !words.is_empty())),
            shards.unwrap_or_else(|| "?".to_owned()),
            usage.map_or_else(|| "?".to_owned(), |usage| usage.scarce.as_str().to_owned()),
            percent(&|usage| usage.parts.shards),
            percent(&|usage| usage.parts.daemons),
            percent(&|usage| usage.parts.others),
            percent(&|usage| usage.parts.free),
            percent(&|usage| usage.parts.stranded),
            hourly(node.per_hour()),
            monthly(node.per_month()),
            part(shares.map(|shares| shares.shards)),
            part(shares.map(|shares| shares.free)),
            part(shares.map(|shares| shares.stranded)),
            node.price.as_ref().map_or_else(
                || "-".to_owned(),
                |price| match price.quote.listed {
                    Some(date) => format!("{}, {date}", price.quote.origin),
                    None => price.quote.origin.to_string(),
                },
            ),
        ]);
    }
    columns.to_string()
}

fn wide_disks(report: &CostReport) -> String {
    let headings = ["disk", "claim", "state", "size", "class", "sku", "tier", "$/month"];
    let mut columns = Columns::new(&headings, None);
    for disk in &report.disks {
        let claim = disk.disk.claim.as_ref().map(|(namespace, name)| format!("{namespace}/{name}"));
        columns.row([
            disk.disk.name.to_string(),
            text(claim.as_deref()),
            disk.state.as_str().to_owned(),
            amounts::memory(disk.disk.size),
            text(disk.disk.storage_class.as_deref()),
            text(disk.disk.sku.as_deref()),
            disk.tier.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
            monthly(disk.per_month),
        ]);
    }
    columns.to_string()
}

/// Everything under the tables: where the money goes, leaks, the double run, what it could be, and what it rests on.
fn notes(report: &CostReport, look: Look, most_leaks: usize) -> String {
    let mut text = String::new();
    let mut say = |line: &str, paint: &dyn Fn(&str) -> String| {
        for line in wrap(line, look.width) {
            text.push_str(&paint(&line));
            text.push('\n');
        }
    };
    let plain = |line: &str| line.to_owned();
    for line in money(report) {
        say(&line, &plain);
    }
    for unknown in &report.unknown {
        say(&format!("Could not {unknown}"), &|line| look.style.danger(line));
    }
    if let Some(run) = &report.double_run {
        say(&double_run(run), &plain);
    }
    text.push_str(&leaks(report, look, most_leaks));
    text.push_str(&savings(report, look));
    let mut text_after = String::new();
    for line in sources(report) {
        for line in wrap(&line, look.width) {
            text_after.push_str(&format!("{}\n", look.style.note(line)));
        }
    }
    if !text_after.is_empty() {
        text.push('\n');
        text.push_str(&text_after);
    }
    text
}

/// Where the money of the nodes goes, and what snapshots cost.
fn money(report: &CostReport) -> Vec<String> {
    let totals = &report.totals;
    let mut lines = Vec::new();
    if totals.nodes_per_hour.at_least().is_some() && !report.nodes.is_empty() {
        let month = |total: Total| total.map(Usd::hourly_to_monthly).to_string();
        let mut line = format!(
            "Of {} a month for nodes, shards use {}",
            totals.nodes_per_month(),
            month(totals.shards_per_hour)
        );
        line.push_str(&match report.subject {
            Subject::Service(_) => format!(
                "; {} is stranded: paid, requested by nobody, and too little for one more shard",
                month(totals.stranded_per_hour)
            ),
            Subject::NodePool(_) | Subject::Cluster => {
                format!(
                    " (pods of StatefulSets); {} is idle: paid, and requested by nobody",
                    month(totals.idle_per_hour)
                )
            }
        });
        lines.push(line);
    }
    if !report.snapshots.is_empty() {
        let most: Total = report.snapshots.iter().map(|one| one.at_most_per_month).collect();
        let snapshots = count_of(report.snapshots.len(), "snapshot");
        lines.push(match most.whole() {
            Some(most) => format!(
                "{snapshots} cost at most {most} a month: Azure bills what they hold, which Kubernetes does not tell; \
                 they are in no sum"
            ),
            None => format!("{snapshots} at an unknown price, which are in no sum"),
        });
    }
    lines
}

fn double_run(run: &DoubleRun) -> String {
    let nodes = count(run.nodes, "node");
    match &run.lasts {
        Lasts::Measured { run: id, is_open, took, cost } => {
            let pool = run.pool.as_ref().map(|pool| format!(" of nodepool/{pool}")).unwrap_or_default();
            let verb = if *is_open { "has cost" } else { "cost" };
            format!(
                "{id} {verb} {cost} for {nodes}{pool} beside the old ones, {} an hour for {}",
                rate(run.per_hour),
                seconds(*took)
            )
        }
        Lasts::Forecast { restart, canary, canary_cost, one_by_one, one_by_one_cost } => {
            let said = if restart.is_measured { "as earlier runs measured" } else { "as the pods tell" };
            format!(
                "A migration to {nodes} of {} would pay {} an hour beside the old ones: {canary_cost} for the {} of canary, \
                 {one_by_one_cost} for the {} of one-by-one ({said}, without the time that machines take to come)",
                text(run.size.as_deref()),
                rate(run.per_hour),
                seconds(*canary),
                seconds(*one_by_one)
            )
        }
        Lasts::Unknown => format!(
            "A migration to {nodes} of {} would pay {} an hour beside the old ones while it goes on",
            text(run.size.as_deref()),
            rate(run.per_hour)
        ),
    }
}

/// What all leaks cost together.
fn leaks_head(report: &CostReport) -> String {
    let counted = report.leaks.iter().any(Leak::is_counted);
    match report.totals.leaks_per_month.at_least().filter(|_| counted) {
        Some(_) => format!("Leaks, {} a month:", report.totals.leaks_per_month),
        None => "Leaks, at unknown prices:".to_owned(),
    }
}

fn leaks(report: &CostReport, look: Look, most: usize) -> String {
    if report.leaks.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", look.style.warning(leaks_head(report)));
    let mut rest: &[Leak] = &report.leaks;
    while let Some(first) = rest.first() {
        let kind = first.kind.as_str();
        let of_kind = rest.iter().take_while(|leak| leak.kind.as_str() == kind).count();
        let (leaks, others) = rest.split_at(of_kind);
        for leak in leaks.iter().take(most) {
            let price = match (&leak.kind, leak.per_month) {
                (LeakKind::Snapshot { at_most_per_month: Some(most), .. }, _) => format!(", at most {most}"),
                (_, Some(price)) => format!(", {price}"),
                (_, None) => String::new(),
            };
            text.extend(indented(&format!("{}{price}: {}", leak.kind, leak.why), 2, look));
            text.extend(indented(&format!("-> {}", leak.remedy), 4, look));
        }
        if let Some(more) = leaks.get(most..).filter(|more| !more.is_empty()) {
            let price: Total = more.iter().map(|leak| leak.per_month).collect();
            let price = price.at_least().map_or_else(String::new, |_| format!(", {price}"));
            text.push_str(&format!("  and {} more like these{price}: -o wide names them\n", more.len()));
        }
        rest = others;
    }
    text
}

fn savings(report: &CostReport, look: Look) -> String {
    if report.savings.is_empty() {
        return String::new();
    }
    let amount = |saving: &Saving| match saving.per_month.at_least() {
        Some(_) => saving.per_month.to_string(),
        None => "unknown".to_owned(),
    };
    let column = report.savings.iter().map(|saving| amount(saving).chars().count()).max().unwrap_or(0);
    let mut text = "\nIt could be less a month:\n".to_owned();
    for saving in &report.savings {
        let amount = format!("{:<column$}", amount(saving));
        let amount = if saving.is_advised { look.style.success(amount) } else { amount };
        let width = look.width.map(|width| width.saturating_sub(column + 5));
        for (index, line) in
            wrap(&format!("{}: {}", way(saving), saving.assumption), width).iter().enumerate()
        {
            let start = if index == 0 { amount.clone() } else { " ".repeat(column) };
            text.push_str(&format!("  {start}   {line}\n"));
        }
    }
    if report.savings.iter().any(|saving| saving.per_month.unknown > 0) {
        let hint =
            "What is unknown has no price: `--refresh` asks Azure for it, `--prices FILE` gives your own.";
        for line in indented(hint, 2, look) {
            text.push_str(&look.style.note(line));
        }
    }
    text
}

fn way(saving: &Saving) -> String {
    match &saving.kind {
        SavingKind::Reserved(crate::domain::catalogue::Term::ReservedOneYear) => {
            "reserved for 1 year".to_owned()
        }
        SavingKind::Reserved(_) => "reserved for 3 years".to_owned(),
        SavingKind::Spot => "as spot".to_owned(),
        SavingKind::Size { name, nodes } => format!("on {nodes} {name}"),
        SavingKind::RightSized { name, nodes, requests } => format!(
            "with {} CPU and {} a shard, on {nodes} {name}",
            amounts::cpu(requests.cpu),
            amounts::memory(requests.memory)
        ),
    }
}

/// Where prices come from, and what is assumed.
fn sources(report: &CostReport) -> Vec<String> {
    let mut lines = Vec::new();
    let regions: Vec<&str> = report.regions.iter().map(|region| region.name()).collect();
    if !report.sources.is_empty() {
        lines.push(format!(
            "Prices: Linux, {}: {}.",
            regions.join(", "),
            amounts::price_sources(&report.sources)
        ));
    }
    if report.nodes.iter().any(|node| node.price.is_none()) {
        let unpriced = report.nodes.iter().filter(|node| node.price.is_none()).count();
        lines.push(format!("No price is known of {}.", count_of(unpriced, "node")));
    }
    let foreign: Vec<&str> = report.foreign_regions.iter().map(String::as_str).collect();
    if !foreign.is_empty() {
        lines.push(format!(
            "Azure has no region {}: --region takes the prices of another.",
            foreign.join(", ")
        ));
    } else if report.regions.is_empty() && !report.nodes.is_empty() {
        lines.push(
            "No node says which region it is in: name the region of the prices with --region.".to_owned(),
        );
    }
    if !report.assumptions.is_empty() {
        lines.push(format!("Assumed: {}.", report.assumptions.join("; ")));
    }
    lines
}

/// A sentence on lines that are indented, the second and later ones by two more.
fn indented(line: &str, by: usize, look: Look) -> Vec<String> {
    let width = look.width.map(|width| width.saturating_sub(by + 2));
    wrap(line, width)
        .into_iter()
        .enumerate()
        .map(|(index, line)| format!("{}{line}\n", " ".repeat(if index == 0 { by } else { by + 2 })))
        .collect()
}
