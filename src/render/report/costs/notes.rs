//! What stands under the tables: where the money goes, leaks, the double run, what it could be, and what it rests on.

use super::{count_of, rate, text};
use crate::domain::catalogue::Term;
use crate::domain::cost::{CostReport, DoubleRun, Lasts, Leak, LeakKind, Saving, SavingKind, Subject};
use crate::domain::money::{Total, Usd};
use crate::render::report::Look;
use crate::render::report::amounts::{self, count};
use crate::render::report::rolling::seconds;
use crate::render::text::wrap;

/// Everything under the tables: where the money goes, leaks, the double run, what it could be, and what it rests on.
pub(super) fn notes(report: &CostReport, look: Look, most_leaks: usize) -> String {
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
pub(super) fn money(report: &CostReport) -> Vec<String> {
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

pub(super) fn double_run(run: &DoubleRun) -> String {
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
pub(super) fn leaks_head(report: &CostReport) -> String {
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
        SavingKind::Reserved(Term::ReservedOneYear) => "reserved for 1 year".to_owned(),
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
