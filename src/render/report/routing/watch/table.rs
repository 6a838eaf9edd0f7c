//! How things stand, and what it came to, as tables.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{Met, Watched, beginning, between, seconds};
use crate::domain::routing::availability::{Figures, Outage};
use crate::render::report::Look;
use crate::render::table::Columns;
use crate::render::text::wrap;

/// Shards shown one by one in the summary; of more, those that are or were down.
const SHOWN: usize = 24;
/// Outages of the service shown one by one at the end, the first ones of more.
const OUTAGES_SHOWN: usize = 20;
/// Lines of a terminal that does not say how many it has.
const LINES: usize = 24;
/// Shards that are shown in any case, however low the terminal is.
const AT_LEAST: usize = 3;

/// How things stand, for a terminal of so many lines: the service, then the shards.
#[must_use]
pub fn view(watched: &Watched, now: Timestamp, look: Look, lines: Option<usize>) -> String {
    let down: Vec<u32> = watched
        .availability
        .shards()
        .filter(|(_, outage)| outage.is_some())
        .map(|(shard, _)| shard)
        .collect();
    let verdict = match (watched.availability.observers().len(), &down[..]) {
        (0, _) => look.style.warning("nobody asks"),
        (_, []) => look.style.success("every shard answers"),
        (_, [one]) => look.style.danger(format!("{} does not answer", watched.pod(*one))),
        (_, many) => look.style.danger(format!("{} do not answer", watched.pods(many))),
    };
    let mut above = wrap(beginning(watched).trim_end(), look.width);
    above.push(String::new());
    above.extend(wrap(&verdict, look.width));
    above.extend(figures(watched, now, look));
    above.push(String::new());
    let mut below = Vec::new();
    below.extend(block(&met_with(watched, look, |shard, _| watched.availability.met_now(shard))));
    below.extend(block(&silent(watched, look)));
    below.extend([String::new(), "Ctrl-C ends it and sums up".to_owned()]);
    // The heading of the table, and what is left out.
    let taken = above.len() + below.len() + 2;
    let room = lines.unwrap_or(LINES).saturating_sub(taken).max(AT_LEAST);
    above.extend(shards(watched, now, look, room));
    above.extend(below);
    above.truncate(lines.unwrap_or(usize::MAX));
    above.join("\n")
}

/// What it came to.
#[must_use]
pub fn summary(watched: &Watched, now: Timestamp, look: Look) -> String {
    let availability = &watched.availability;
    let mut lines = Vec::new();
    if look.width.is_some() {
        lines.extend(wrap(beginning(watched).trim_end(), look.width));
    }
    lines.push(String::new());
    let count = availability.shards().count();
    let concerned =
        availability.shards().filter(|(shard, _)| !availability.outages(*shard).is_empty()).count();
    lines.extend(shards(watched, now, look, if count > SHOWN { concerned } else { count }));
    let last = |shard: u32, open: Option<&Outage>| match open {
        Some(_) => availability.met_now(shard),
        None => availability.outages(shard).last().map(|outage| outage.met.clone()).unwrap_or_default(),
    };
    lines.extend(block(&met_with(watched, look, last)));
    lines.extend(block(&outages(watched, now, look)));
    lines.extend(block(&silent(watched, look)));
    lines.push(String::new());
    lines.extend(figures(watched, now, look));
    lines.join("\n") + "\n"
}

/// The lines of a part that may be empty, apart from what is before it.
fn block(text: &str) -> Vec<String> {
    let space = (!text.is_empty()).then(String::new);
    space.into_iter().chain(text.lines().map(str::to_owned)).collect()
}

/// The service in a line or two.
fn figures(watched: &Watched, now: Timestamp, look: Look) -> Vec<String> {
    let availability = &watched.availability;
    let service = availability.service_figures(now);
    let Some(share) = service.availability else {
        return vec![format!("nobody has asked for {}", seconds(between(watched.since, now)))];
    };
    let share = match service.outages {
        0 => look.style.success(percent(share)),
        _ => look.style.danger(percent(share)),
    };
    let outages = match service.outages {
        0 => "no outage".to_owned(),
        1 => format!("1 outage of {}", seconds(service.down)),
        count => {
            format!(
                "{count} outages, {} together, the longest {}",
                seconds(service.down),
                seconds(service.longest)
            )
        }
    };
    let mut lines = wrap(
        &format!(
            "the service was available for {share} of {}: {outages}",
            seconds(availability.watched(now))
        ),
        look.width,
    );
    let blind = availability.blind(now);
    // The first session takes a moment to begin.
    if blind >= Duration::from_secs(3) {
        lines.push(format!("nobody asked for {}, of which nothing is known", seconds(blind)));
    }
    lines
}

/// So many shards: where not all can be shown, those that are down, and then those that were.
fn shards(watched: &Watched, now: Timestamp, look: Look, room: usize) -> Vec<String> {
    let availability = &watched.availability;
    let mut all: Vec<(u32, Option<&Outage>)> = availability.shards().collect();
    if all.len() > room {
        all.sort_by_key(|(shard, open)| {
            (Reverse(open.is_some()), availability.outages(*shard).is_empty(), *shard)
        });
    }
    let (shown, rest) = all.split_at(room.min(all.len()));
    let mut table =
        Columns::new(&["shard", "state", "available", "outages", "down", "longest", "asked"], look.width);
    for (shard, open) in shown {
        let Figures { outages, down, longest, availability: share } = availability.figures(*shard, now);
        let (asked, _) = availability.questions(*shard);
        let state = match open {
            Some(outage) => look.style.danger(format!("DOWN {}", seconds(outage.duration(now)))),
            None if asked == 0 => look.style.note("-"),
            None => look.style.success("up"),
        };
        let time = |time: Duration| if outages == 0 { "-".to_owned() } else { seconds(time) };
        table.row([
            watched.pod(*shard),
            state,
            share.map_or_else(|| "-".to_owned(), percent),
            outages.to_string(),
            time(down),
            time(longest),
            asked.to_string(),
        ]);
    }
    let mut lines = Vec::new();
    if !shown.is_empty() {
        lines.extend(table.to_string().lines().map(str::to_owned));
    }
    let with_outages = rest.iter().filter(|(shard, _)| !availability.outages(*shard).is_empty()).count();
    match (shown.len(), rest.len(), with_outages) {
        (_, 0, _) => {}
        (0, count, 0) => lines.push(format!("all {count} shards: no outage")),
        (_, count, 0) => lines.push(format!("and {count} shards without an outage")),
        (_, count, some) => lines.push(format!("and {count} shards, {some} of them with outages")),
    }
    lines
}

/// What was met with at which shards, and by whom.
fn met_with(watched: &Watched, look: Look, met: impl Fn(u32, Option<&Outage>) -> Met) -> String {
    let mut alike: BTreeMap<Met, Vec<u32>> = BTreeMap::new();
    for (shard, open) in watched.availability.shards() {
        alike.entry(met(shard, open)).or_default().push(shard);
    }
    alike.remove(&Met::new());
    let mut rows: Vec<(Vec<u32>, Met)> = alike.into_iter().map(|(met, shards)| (shards, met)).collect();
    rows.sort();
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Columns::new(&["shard", "last met with"], look.width);
    for (shards, met) in rows {
        table.row([watched.pods(&shards), watched.met(&met)]);
    }
    table.to_string()
}

/// Who does not ask, and why.
fn silent(watched: &Watched, look: Look) -> String {
    let mut alike: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (shard, why) in &watched.silent {
        alike.entry(why).or_default().push(*shard);
    }
    let lines = alike.into_iter().map(|(why, shards)| {
        let verb = if shards.len() == 1 { "does" } else { "do" };
        wrap(&format!("{} {verb} not ask: {why}", watched.pods(&shards)), look.width).join("\n")
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// The outages of the service, one after the other.
fn outages(watched: &Watched, now: Timestamp, look: Look) -> String {
    let outages = watched.availability.service_outages();
    if outages.is_empty() {
        return String::new();
    }
    let mut table = Columns::new(&["outage", "at", "lasted", "shards"], look.width);
    for (index, outage) in outages.iter().take(OUTAGES_SHOWN).enumerate() {
        let at = between(watched.since, outage.from);
        let lasted = seconds(between(outage.from, outage.to.unwrap_or(now)));
        let shards: Vec<u32> = outage.shards.iter().copied().collect();
        table.row([
            (index + 1).to_string(),
            format!("+{}", seconds(at)),
            if outage.to.is_some() { lasted } else { format!("{lasted}, goes on") },
            watched.pods(&shards),
        ]);
    }
    match outages.len().saturating_sub(OUTAGES_SHOWN) {
        0 => table.to_string(),
        more => format!("{table}and {more} more\n"),
    }
}

/// With as many digits as tell it from all of the time.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        percent if percent >= 100.0 => "100 %".to_owned(),
        // Rounded, it would claim what was not.
        percent => format!("{:.3} %", (percent * 1e3).floor() / 1e3),
    }
}
