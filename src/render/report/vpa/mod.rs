//! `shardctl vpa-report`: the answer in a sentence, the figures, what to know, the proposal and what it changes; and JSON.

mod json;
mod rows;
#[cfg(test)]
mod tests;

pub use json::{VpaReport, report};

use super::Look;
use super::amounts::{count, cpu, dollars, memory};
use super::findings::paint;
use crate::domain::catalogue::{PRICES_LISTED, PRICES_SOURCE, Size};
use crate::domain::quantity::Quantity;
use crate::domain::vpa::{
    Basis, Change, Effect, Finding, Judged, OfContainer, OfResource, Outcome, Resource,
};
use crate::error::CommandError;
use crate::render::text::wrap;

/// What is shown.
pub struct Report<'a> {
    pub judged: &'a Judged,
    /// What the proposal changes; none without a proposal.
    pub effect: Option<&'a Result<Effect, NoEffect>>,
    /// The ShardSet file that was named.
    pub file: Option<&'a str>,
}

/// Why nobody knows what the proposal changes, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoEffect {
    pub why: String,
    pub hint: Option<String>,
}

impl NoEffect {
    #[must_use]
    pub fn of(error: &CommandError) -> Self {
        Self { why: error.to_string(), hint: error.hints.last().cloned() }
    }
}

/// `-o table`.
#[must_use]
pub fn table(report: &Report<'_>, look: Look) -> String {
    let judged = report.judged;
    format!("{}\n{}\n{}", answer(judged, look), rows::table(judged), notes(report, look))
}

/// `-o wide`: every column, and each shard; never wrapped, as in kubectl.
#[must_use]
pub fn wide(report: &Report<'_>, look: Look) -> String {
    let look = Look { width: None, ..look };
    let judged = report.judged;
    let shards = rows::shards(judged);
    let gap = if shards.is_empty() { "" } else { "\n" };
    format!("{}\n{}\n{shards}{gap}{}", answer(judged, look), rows::wide(judged), notes(report, look))
}

/// What is recommended and whether to believe it.
fn answer(judged: &Judged, look: Look) -> String {
    let name = &judged.observed.workload.name;
    let Some(autoscaler) = judged.autoscaler.as_ref().filter(|_| judged.is_advised()) else {
        return paragraph(
            &format!("There is no recommendation for {name}."),
            look,
            Some("no recommendation"),
        );
    };
    let advised: Vec<&OfContainer> = judged.containers.iter().filter(|one| one.is_advised).collect();
    let parts: Vec<String> =
        advised.iter().map(|one| recommended(one, judged.containers.len() > 1)).collect();
    let verdict = if judged.is_believed() { "it can be believed" } else { "do not go by it yet" };
    let data = match advised.as_slice() {
        [one] => one.coverage.as_ref().filter(|_| judged.is_believed()),
        _ => None,
    };
    let data = data.map_or_else(String::new, |coverage| {
        let samples = coverage.samples.map_or_else(String::new, |samples| format!(" and {samples} samples"));
        format!(", with {} of data{samples}", crate::domain::vpa::period(coverage.seconds))
    });
    let text = format!("vpa/{} recommends {}: {verdict}{data}.", autoscaler.name, parts.join(" and "));
    let mut lines = paragraph(&text, look, Some(verdict));
    for container in advised {
        let of = if judged.containers.len() > 1 { format!("{}: ", container.name) } else { String::new() };
        for doubt in &container.doubts {
            lines.push_str(&item(&format!("{of}{doubt}"), look));
        }
    }
    lines
}

fn recommended(container: &OfContainer, is_named: bool) -> String {
    let amount = |resource: Resource| match &container.of(resource).target {
        Some(target) => target.known().map_or_else(|| target.to_string(), |known| in_units(resource, known)),
        None => "no".to_owned(),
    };
    let of = if is_named { format!(" for {}", container.name) } else { String::new() };
    format!("{} CPU and {}{of}", amount(Resource::Cpu), amount(Resource::Memory))
}

fn notes(report: &Report<'_>, look: Look) -> String {
    let judged = report.judged;
    let mut text = String::new();
    for finding in &judged.findings {
        text.push_str(&self::finding(finding, look));
    }
    for container in &judged.containers {
        for of in &container.resources {
            text.push_str(
                &cut(container, of, judged.containers.len() > 1)
                    .map_or_else(String::new, |note| paragraph(&note, look, None)),
            );
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let proposal = proposal(report, look);
    if proposal.is_empty() {
        // No empty line at the end.
        return text.trim_end().to_owned() + "\n";
    }
    text + &proposal
}

/// A finding with its severity in front, and what to do below.
fn finding(finding: &Finding, look: Look) -> String {
    let word = finding.severity().as_str();
    let styled = paint(look.style, finding.severity(), format!("{word}:"));
    let text = wrap(&format!("{word}: {finding}."), look.width).join("\n");
    let mut text = text.replacen(&format!("{word}:"), &styled, 1) + "\n";
    text.push_str(&indented(finding.advice(), look));
    if let Some(command) = finding.command() {
        // One line, to be copied as it is.
        text.push_str(&format!("  {}\n", look.style.value(command)));
    }
    text
}

fn cut(container: &OfContainer, of: &OfResource, is_named: bool) -> Option<String> {
    let cut = of.cut.as_ref()?;
    let (from, to) = (in_units(of.resource, cut.from), in_units(of.resource, cut.to));
    let name = if is_named { format!(" of {}", container.name) } else { String::new() };
    let word = of.resource.word();
    let what = match (cut.by, cut.to > cut.from) {
        (Some(policy), true) => format!("{policy} lifts"),
        (Some(policy), false) => format!("{policy} cuts"),
        (None, true) => "a bound of the recommender lifts".to_owned(),
        (None, false) => "a bound of the recommender cuts".to_owned(),
    };
    Some(format!("{what} the target of {word}{name} from {from} to {to}; the proposal goes by {from}."))
}

/// What to request, why as much, what it changes, and how it gets there.
fn proposal(report: &Report<'_>, look: Look) -> String {
    let judged = report.judged;
    let mut text = String::new();
    for container in &judged.containers {
        let parts: Vec<String> = container.resources.iter().filter_map(proposed).collect();
        if parts.is_empty() {
            continue;
        }
        let of = if judged.containers.len() > 1 { format!(" for {}", container.name) } else { String::new() };
        let reasons: Vec<String> = container.resources.iter().filter_map(|of| because(judged, of)).collect();
        let verb = if judged.is_believed() { "Proposed" } else { "By what is known so far" };
        let sentence = format!(
            "{verb}{of}: {}, requests and limits alike; {}.",
            parts.join(" and "),
            reasons.join(", ")
        );
        text.push_str(&paragraph(&sentence, look, Some(&parts.join(" and "))));
    }
    if text.is_empty() {
        return text;
    }
    match report.effect {
        Some(Ok(effect)) => text.push_str(&changes(effect, look)),
        Some(Err(unknown)) => {
            text.push_str(&paragraph(&format!("What it changes is not known: {}.", unknown.why), look, None));
            text.push_str(&unknown.hint.as_ref().map_or_else(String::new, |hint| indented(hint, look)));
        }
        None => {}
    }
    if judged.is_believed() {
        let next = match report.file {
            Some(file) => format!("`shardctl vpa-report -f {file} --patch` writes it into the file."),
            None => "`--patch` prints the command that applies it; with -f FILE it is written into the file."
                .to_owned(),
        };
        text.push_str(&paragraph(&next, look, None));
    }
    text
}

fn proposed(of: &OfResource) -> Option<String> {
    let amount = of.proposed?.amount;
    Some(match of.resource {
        Resource::Cpu => format!("{} CPU", cpu(amount)),
        Resource::Memory => exact(amount),
    })
}

fn because(judged: &Judged, of: &OfResource) -> Option<String> {
    let basis = of.proposed?.basis;
    let headroom = match of.resource {
        Resource::Memory if judged.terms.headroom_percent > 0 => {
            format!(" and {}% headroom", judged.terms.headroom_percent)
        }
        _ => String::new(),
    };
    let word = of.resource.word();
    let reason = match basis {
        Basis::Target => format!("{word} by the target"),
        Basis::Shard(ordinal) => {
            let used = of.spread.as_ref().map_or(Quantity::ZERO, |spread| spread.worst().1);
            format!(
                "{word} by the {} that {} uses{headroom}",
                in_units(of.resource, used),
                judged.observed.pod(ordinal)
            )
        }
        Basis::History => {
            let peak = of.peak.unwrap_or_default();
            format!("{word} by the peak of {} that some shard had{headroom}", in_units(of.resource, peak))
        }
        Basis::Killed(ordinal) => {
            let pod = judged.observed.pod(ordinal);
            format!("{word} by {pod}, which needs 20% more than the limit that it was killed at")
        }
    };
    let rounding = match of.resource {
        Resource::Cpu if judged.terms.whole_cores => ", in whole cores",
        _ => "",
    };
    Some(format!("{reason}{rounding}"))
}

fn changes(effect: &Effect, look: Look) -> String {
    let mut text = String::new();
    if let Some(change) = &effect.current {
        text.push_str(&paragraph(&on_current(change), look, None));
    }
    if let Some(note) = best(effect) {
        text.push_str(&paragraph(&note, look, None));
    }
    let prices = format!(
        "Prices: list, on demand, Linux, {}, {PRICES_LISTED} ({PRICES_SOURCE}); assumed as `shardctl plan` does.",
        effect.region
    );
    text + &paragraph(&prices, look, None)
}

fn on_current(change: &Change) -> String {
    let name = change.size.name;
    let (now, then) = match (change.now, change.then) {
        (Some(now), Some(then)) => (now, then),
        (_, None) => return format!("On {name}, where the shards are, such a shard does not fit."),
        (None, Some(then)) => {
            return format!(
                "On {name}, where the shards are: {} per node, {}.",
                then.per_node,
                count(then.nodes, "node")
            );
        }
    };
    let instead = |then: u32, now: u32, what: &str| match then == now {
        true => format!("still {what}"),
        false => format!("{what} instead of {now}"),
    };
    let per_node = instead(then.per_node, now.per_node, &format!("{} per node", then.per_node));
    let nodes = instead(then.nodes, now.nodes, &count(then.nodes, "node"));
    let verdict = match change.saves_per_month() {
        _ if then.nodes == now.nodes => "saves nothing".to_owned(),
        Some(saved) if saved >= 0.0 => format!("saves {} a month", dollars(saved)),
        Some(more) => format!("costs {} a month more", dollars(-more)),
        None => "the price is not known".to_owned(),
    };
    let held = change.held_by.as_ref().map_or_else(String::new, |field| {
        format!(" {field} keeps shards apart; without it fewer nodes would do.")
    });
    format!("On {name}, where the shards are: {verdict}, {per_node}, {nodes}.{held}")
}

/// The cheapest size for the proposal, and for today's requests where that is another answer.
fn best(effect: &Effect) -> Option<String> {
    let said = |(size, outcome): (&Size, Outcome)| {
        let price =
            outcome.per_month.map_or_else(String::new, |price| format!(" for {} a month", dollars(price)));
        format!("{} {}{price}", outcome.nodes, size.name)
    };
    let then = said(effect.best_then?);
    let Some(now) = effect.best_now.map(said) else {
        return Some(format!("The cheapest for it: {then}."));
    };
    Some(match now == then {
        true => format!("The cheapest, with it as without: {then}."),
        false => format!("The cheapest for it: {then}; for today's requests: {now}."),
    })
}

/// An amount as a person reads it.
fn in_units(resource: Resource, amount: Quantity) -> String {
    match resource {
        Resource::Cpu => cpu(amount),
        Resource::Memory => memory(amount),
    }
}

/// Memory to the quarter of a Gi, which is what is proposed; less than a Gi in Mi.
fn exact(amount: Quantity) -> String {
    let bytes = amount.as_units();
    if bytes < 1 << 30 || bytes % (1 << 28) != 0 {
        return amount.to_string();
    }
    let hundredths = bytes / (1 << 28) * 25;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    format!("{}Gi", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Wrapped without the style, which is not as wide as it is long.
fn paragraph(text: &str, look: Look, value: Option<&str>) -> String {
    let text = wrap(text, look.width).join("\n") + "\n";
    match value {
        Some(value) => text.replacen(value, &look.style.value(value), 1),
        None => text,
    }
}

fn item(text: &str, look: Look) -> String {
    let width = look.width.map(|width| width.saturating_sub(2));
    let lines = wrap(text, width);
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| format!("{} {line}\n", if at == 0 { "-" } else { " " }))
        .collect()
}

fn indented(text: &str, look: Look) -> String {
    let width = look.width.map(|width| width.saturating_sub(2));
    wrap(text, width).iter().map(|line| format!("  {}\n", look.style.note(line))).collect()
}

/// A column's word for what is not there.
fn nothing() -> String {
    "-".to_owned()
}

fn amount_cell(resource: Resource, amount: Option<Quantity>) -> String {
    amount.map_or_else(nothing, |amount| in_units(resource, amount))
}

fn times(factor: f64) -> String {
    let text = format!("{factor:.1}");
    format!("{}x", text.trim_end_matches('0').trim_end_matches('.'))
}
