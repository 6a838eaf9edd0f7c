//! The ledger: each outage, what its seconds went into, and a timeline.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::{pods, seconds};
use crate::domain::rolling::{Run, Seconds, State};
use crate::render::report::Look;
use crate::render::table::Columns;

/// Outages and restarts shown one by one; the longest ones of more.
const SHOWN: usize = 20;
/// Columns of the timeline.
const TIMELINE: usize = 56;

/// What the run came to.
#[must_use]
pub fn ledger(run: &Run, look: Look) -> String {
    let style = look.style;
    let ended_at = run.ended_at.unwrap_or(run.started_at);
    let took = Duration::try_from(ended_at.duration_since(run.started_at)).unwrap_or_default();
    let state = match &run.state {
        State::Done => style.success("done"),
        State::Running => style.warning("running"),
        State::Stopped { .. } => style.warning("stopped"),
        State::Aborted { .. } => style.warning("aborted"),
    };
    let back = run.ledger.restarts.iter().filter(|restart| restart.marks.back.is_some()).count();
    let total = run.ledger.total(ended_at);
    let longest = run.ledger.outages.iter().map(|outage| outage.duration(ended_at)).max().unwrap_or_default();
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let mut text = format!("{} {} is {state} after {}\n", style.value("Run"), run.id, seconds(took));
    let _ = writeln!(
        text,
        "{} moved, {}, {} together, the longest {}",
        count(back, "shard"),
        count(run.ledger.outages.len(), "outage"),
        style.value(seconds(total)),
        seconds(longest),
    );
    for left in &run.left_behind {
        let _ = writeln!(text, "{} {left}", style.warning("left:"));
    }
    if run.ledger.outages.is_empty() {
        return text;
    }
    text.push('\n');
    text.push_str(&outages(run, ended_at));
    text.push('\n');
    text.push_str(&restarts(run));
    text.push('\n');
    text.push_str(&timeline(run, look));
    text
}

fn outages(run: &Run, now: Timestamp) -> String {
    let mut table = Columns::new(&["outage", "at", "lasted", "wave", "shards"], None);
    let start = run.started_at;
    for (index, outage) in run.ledger.outages.iter().take(SHOWN).enumerate() {
        let at = Duration::try_from(outage.started_at.duration_since(start)).unwrap_or_default();
        let wave = outage.wave.map_or_else(|| "not ours".to_owned(), |wave| (wave + 1).to_string());
        table.row([
            (index + 1).to_string(),
            format!("+{}", seconds(at)),
            seconds(outage.duration(now)),
            wave,
            pods(run, &outage.shards),
        ]);
    }
    let mut text = table.to_string();
    if run.ledger.outages.len() > SHOWN {
        let _ = writeln!(text, "and {} more", run.ledger.outages.len() - SHOWN);
    }
    text
}

/// What the seconds of each restart went into. Columns that nobody has a figure for are left out.
fn restarts(run: &Run) -> String {
    type Column = (&'static str, fn(&Seconds) -> Option<f64>);
    const COLUMNS: [Column; 10] = [
        ("terminate", |one| one.terminate),
        ("create", |one| one.create),
        ("schedule", |one| one.schedule),
        ("node", |one| one.node_launch),
        ("attach", |one| one.attach),
        ("pull", |one| one.pull),
        ("start", |one| one.start),
        ("answer", |one| one.answer),
        ("ready", |one| one.ready),
        ("gate", |one| one.gate),
    ];
    let mut longest: Vec<_> = run.ledger.restarts.iter().collect();
    if longest.len() > SHOWN {
        longest.sort_by_key(|one| std::cmp::Reverse(one.marks.total()));
        longest.truncate(SHOWN);
    }
    let all: Vec<Seconds> = run.ledger.restarts.iter().map(|one| one.marks.seconds()).collect();
    let columns: Vec<&Column> =
        COLUMNS.iter().filter(|(_, value)| all.iter().any(|one| value(one).is_some())).collect();
    let headings: Vec<&str> =
        ["shard"].into_iter().chain(columns.iter().map(|(name, _)| *name)).chain(["total"]).collect();
    let mut table = Columns::new(&headings, None);
    for restart in longest {
        let spent = restart.marks.seconds();
        let cell = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        let mut row = vec![restart.ordinal.to_string()];
        row.extend(columns.iter().map(|(_, value)| cell(value(&spent))));
        row.push(cell(restart.marks.total().map(|total| total.as_secs_f64())));
        table.row(row);
    }
    let mut text = table.to_string();
    if run.ledger.restarts.len() > SHOWN {
        let _ = writeln!(text, "the longest {SHOWN} of {}, in seconds", run.ledger.restarts.len());
    }
    text
}

/// When the service was whole and when it was not, from the first outage to the last.
#[must_use]
pub fn timeline(run: &Run, look: Look) -> String {
    let now = run.ended_at.unwrap_or(run.started_at);
    let Some(first) = run.ledger.outages.first() else { return String::new() };
    let end = run.ledger.outages.iter().map(|outage| outage.ended_at.unwrap_or(now)).max().unwrap_or(now);
    let span = end.duration_since(first.started_at).as_secs_f64().max(0.001);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among sixty"
    )]
    let column = |at: Timestamp| {
        let share = at.duration_since(first.started_at).as_secs_f64() / span;
        ((share * TIMELINE as f64) as usize).min(TIMELINE - 1)
    };
    let (up, down) = if look.ascii { ('.', '#') } else { ('·', '█') };
    let mut cells = vec![up; TIMELINE];
    for outage in &run.ledger.outages {
        let (from, to) = (column(outage.started_at), column(outage.ended_at.unwrap_or(now)));
        cells[from..=to].fill(down);
    }
    let line: String = cells.into_iter().collect();
    let zero = Duration::try_from(first.started_at.duration_since(run.started_at)).unwrap_or_default();
    let last = Duration::try_from(end.duration_since(run.started_at)).unwrap_or_default();
    format!("+{} {line} +{}\n", seconds(zero), seconds(last))
}
