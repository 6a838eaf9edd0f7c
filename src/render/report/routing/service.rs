//! What the client services answered: a bar a shard, or a summary where there are too many.

use std::collections::BTreeMap;

use super::super::Look;
use super::short;
use crate::domain::names::NodeName;
use crate::domain::routing::service::{ServiceSurvey, Spread, Sticking, Tally, Unjudged, Verdict};
use crate::domain::routing::{Mark, Percentiles, Survey};
use crate::render::table::Columns;
use crate::render::text::wrap;

/// Shards that have a line each.
const MOST_SHARDS: usize = 16;
/// Columns of the longest bar.
const BAR: u64 = 40;

/// All client services, each below the other; empty where there are none.
pub fn services(survey: &Survey, look: Look) -> String {
    survey.clients.surveys.iter().map(|client| format!("{}\n", service(survey, client, look))).collect()
}

fn service(survey: &Survey, client: &ServiceSurvey, look: Look) -> String {
    let verdict = client.judge(survey);
    let mut text = format!("{}\n", wrap(&question(survey, client, &verdict), look.width).join("\n"));
    if verdict.tally.asked == 0 {
        return text;
    }
    text.push('\n');
    let bars = bars(survey, client, &verdict, look);
    text.push_str(&bars);
    for (is_good, line) in [Some(result(&verdict.tally)), spread(&verdict)].into_iter().flatten() {
        for line in wrap(&line, look.width) {
            text.push_str(&if is_good { look.style.success(line) } else { look.style.danger(line) });
            text.push('\n');
        }
    }
    text
}

/// Who asked what.
fn question(survey: &Survey, client: &ServiceSurvey, verdict: &Verdict) -> String {
    let service = &client.service;
    let sources = match verdict.sources.len() {
        0 => return format!("service/{}: {}", service.name, Unjudged::NotAsked),
        1 => verdict.sources.keys().next().map_or_else(String::new, |source| source.name.clone()),
        sources => {
            let shards = verdict.sources.keys().filter(|source| source.shard().is_some()).count();
            match (shards, sources - shards) {
                (0, probes) => format!("each of {probes} probes"),
                (shards, 0) => format!("each of {shards} shards"),
                (shards, probes) => format!("each of {shards} shards and {probes} probes"),
            }
        }
    };
    let affinity = if service.affinity.is_some() { ", with ClientIP affinity" } else { "" };
    let local = if service.is_local { ", which stay on their node" } else { "" };
    let domain = survey.domain().map_or("DOMAIN", |domain| &domain.name);
    format!(
        "service/{}{affinity}: {} requests from {sources} to {}.{}.svc.{domain}:{}{local}, each on a connection of its own",
        service.name, client.requests, service.name, survey.workload.namespace, service.port.number
    )
}

/// How many requests each shard answered, as far as shards are told apart.
fn bars(survey: &Survey, client: &ServiceSurvey, verdict: &Verdict, look: Look) -> String {
    let tally = &verdict.tally;
    let expected = match &verdict.spread {
        Spread::Judged { expected, .. } => expected.clone(),
        _ => BTreeMap::new(),
    };
    let mut shards: BTreeMap<u32, u64> = survey.places.keys().map(|shard| (*shard, 0)).collect();
    shards.extend(&tally.shards);
    let (Some(most), Some(least)) = (shards.values().max().copied(), shards.values().min().copied()) else {
        return String::new();
    };
    if tally.shards.is_empty() && tally.strangers.is_empty() {
        return String::new();
    }
    if shards.len() > MOST_SHARDS {
        let answered = tally.shards.values().filter(|count| **count > 0).count();
        let mean = expected.values().next().map_or_else(String::new, |mean| format!(", {mean:.1} expected"));
        return format!(
            "{answered} of {} shards answered, each {least} to {most} times{mean}\n",
            shards.len()
        );
    }
    let label = survey.pod_name(survey.replicas.saturating_sub(1)).chars().count().max("SHARD".len());
    let uniform = uniform(&expected);
    let heading = uniform.map_or_else(String::new, |mean| format!("   {mean:.0} expected of each"));
    let mut text = format!("{:label$}   ANSWERED{heading}\n", "SHARD");
    for (shard, count) in &shards {
        let length = usize::try_from((count * BAR).div_ceil(most.max(BAR))).unwrap_or(usize::MAX);
        let bar = if look.ascii { "#" } else { "■" }.repeat(length);
        let place = survey.places.get(shard);
        let note = match place {
            None => "no pod".to_owned(),
            Some(place) if !place.is_ready => "not Ready".to_owned(),
            Some(_) if client.unsettled.contains(shard) => "has changed lately".to_owned(),
            Some(_) => match expected.get(shard).filter(|_| uniform.is_none()) {
                Some(mean) => format!("{mean:.0} expected"),
                None => String::new(),
            },
        };
        let line = format!("{:label$}   {count:>8}   {bar}", survey.pod_name(*shard));
        let line = if note.is_empty() { line } else { format!("{line}   {}", look.style.note(note)) };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for (name, count) in &tally.strangers {
        text.push_str(&format!("{:label$}   {count:>8}   {}\n", name, look.style.note("no shard of these")));
    }
    text
}

/// What is expected of every shard, where that is the same.
fn uniform(expected: &BTreeMap<u32, f64>) -> Option<f64> {
    let first = *expected.values().next()?;
    expected.values().all(|mean| (mean - first).abs() < 1e-9).then_some(first)
}

/// "all 120 requests were answered", and whether that is good.
fn result(tally: &Tally) -> (bool, String) {
    let (asked, failed) = (tally.asked, tally.failures());
    if failed == 0 {
        return (true, format!("all {asked} requests were answered"));
    }
    let causes: Vec<String> =
        tally.failed.iter().map(|(mark, count)| format!("{} {count}", mark.meaning())).collect();
    let share = percent(failed, asked);
    (false, format!("{failed} of {asked} requests failed ({share}): {}", causes.join(", ")))
}

fn percent(count: u64, all: u64) -> String {
    let (count, all) = (u32::try_from(count).unwrap_or(u32::MAX), u32::try_from(all).unwrap_or(u32::MAX));
    format!("{:.1} %", 100.0 * f64::from(count) / f64::from(all.max(1)))
}

/// What is said of the spread, and whether that is good.
fn spread(verdict: &Verdict) -> Option<(bool, String)> {
    match &verdict.spread {
        Spread::Judged { is_even: false, .. } => Some((false, "not spread as by chance".to_owned())),
        Spread::Judged { test, expected, .. } => {
            let test = test.map_or_else(String::new, |test| format!(" ({test})"));
            let blamed: Vec<&str> = verdict.blamed.iter().map(NodeName::as_str).collect();
            let but = match blamed.is_empty() {
                true => String::new(),
                false => format!(", but for what comes from {}", blamed.join(", ")),
            };
            Some((true, format!("spread over {} shards as by chance{but}{test}", expected.len())))
        }
        Spread::Sticking(Sticking { sources, sticking, shards, expected }) => {
            let stay = format!("{sticking} of {sources} sources stay with one shard each");
            let text = match sources {
                1 => stay,
                _ => format!("{stay}, with {shards} in all; chance gives {expected:.1}"),
            };
            Some((sticking == sources, text))
        }
        // It is among the findings, or they tell the reason.
        Spread::Unjudged(_) => None,
    }
}

/// Every source on a line of its own, service by service.
pub fn sources(survey: &Survey, look: Look) -> String {
    let headings = ["service", "from", "node", "asked", "answered", "by", "failed", "median"];
    let mut columns = Columns::new(&headings, None);
    let mut is_empty = true;
    for client in &survey.clients.surveys {
        for (source, tally) in client.judge(survey).sources {
            is_empty = false;
            let by: Vec<String> = tally
                .shards
                .iter()
                .map(|(shard, count)| format!("{shard}:{count}"))
                .chain(tally.strangers.iter().map(|(name, count)| format!("{name}:{count}")))
                .collect();
            let failed: Vec<String> =
                tally.failed.iter().map(|(mark, count)| format!("{count} {}", Mark::letter(*mark))).collect();
            let totals = client.answers.get(&source).into_iter().flatten();
            let median = Percentiles::of(totals.filter_map(|answer| answer.times.total));
            let text = |parts: Vec<String>| if parts.is_empty() { "-".to_owned() } else { parts.join(" ") };
            let failed = text(failed);
            columns.row([
                client.service.name.clone(),
                source.name.clone(),
                source.node.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
                tally.asked.to_string(),
                tally.answered().to_string(),
                text(by),
                if failed == "-" { failed } else { look.style.danger(failed) },
                median.map_or_else(|| "-".to_owned(), |times| short(times.median)),
            ]);
        }
    }
    if is_empty { String::new() } else { format!("{columns}\n") }
}
