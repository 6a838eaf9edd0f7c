//! What `shardctl routing-test --watch` tells: changes as they come, how things stand, and what it came to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::json::name;
use crate::domain::age::age;
use crate::domain::names::{WorkloadRef, pods_in_short};
use crate::domain::routing::Mark;
use crate::domain::routing::availability::{Asker, Availability, Change, Figures, Outage};
use crate::render::report::Look;
use crate::render::table::Columns;
use crate::render::text::wrap;

/// Shards shown one by one; of more, those that are or were down.
const SHOWN: usize = 24;
/// Outages of the service shown one by one at the end, the first ones of more.
const OUTAGES_SHOWN: usize = 20;

/// A service that is watched.
#[derive(Clone, Debug)]
pub struct Watched {
    pub workload: WorkloadRef,
    pub headless: String,
    pub port: u16,
    pub path: String,
    /// Every shard asks every other about once in so long.
    pub interval: Duration,
    pub since: Timestamp,
    pub availability: Availability,
}

/// Something worth to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Somebody asks from now on, and with what.
    Asks {
        at: Timestamp,
        asker: Asker,
        with: String,
    },
    /// Somebody asks no more; why, unless its pod is gone.
    Leaves {
        at: Timestamp,
        asker: Asker,
        why: Option<String>,
    },
    /// A shard cannot ask over its network, and is asked through port-forward.
    Mute {
        at: Timestamp,
        shard: u32,
        why: String,
    },
    Change {
        at: Timestamp,
        change: Change,
    },
}

impl Watched {
    fn pod(&self, shard: u32) -> String {
        format!("{}-{shard}", self.workload.name)
    }

    fn asker(&self, asker: Asker) -> String {
        match asker {
            Asker::Shard(shard) => self.pod(shard),
            Asker::Here => "shardctl, through port-forward".to_owned(),
        }
    }

    /// "ring-{0,2..4}".
    fn askers(&self, askers: &BTreeSet<Asker>) -> String {
        let shard = |asker: &Asker| match asker {
            Asker::Shard(shard) => Some(*shard),
            Asker::Here => None,
        };
        let shards: Vec<u32> = askers.iter().filter_map(shard).collect();
        let mut names = Vec::new();
        if !shards.is_empty() {
            names.push(pods_in_short(&self.workload.name, &shards));
        }
        if askers.contains(&Asker::Here) {
            names.push(self.asker(Asker::Here));
        }
        names.join(" and ")
    }

    /// "nobody listens (ring-{1..4}); no connection (ring-5)": what was met with, and by whom.
    fn met(&self, met: &BTreeMap<Mark, BTreeSet<Asker>>) -> String {
        let parts = met.iter().map(|(mark, by)| format!("{} ({})", mark.meaning(), self.askers(by)));
        parts.collect::<Vec<String>>().join("; ")
    }
}

/// What is asked, before anything is heard.
#[must_use]
pub fn beginning(watched: &Watched) -> String {
    let WorkloadRef { namespace, .. } = &watched.workload;
    format!(
        "{} in {namespace}: every shard asks every other for {} at POD.{}.{namespace}:{}, about once in {}\n",
        watched.workload,
        watched.path,
        watched.headless,
        watched.port,
        humantime::format_duration(watched.interval),
    )
}

/// A line for what has happened, with the time since the beginning; none where it is no news for people.
#[must_use]
pub fn line(watched: &Watched, told: &Told, look: Look) -> Option<String> {
    let style = look.style;
    let (at, text) = match told {
        Told::Asks { .. } | Told::Leaves { why: None, .. } => return None,
        Told::Leaves { at, asker, why: Some(why) } => {
            (*at, format!("{} does not ask any more: {why}", watched.asker(*asker)))
        }
        Told::Mute { at, shard, why } => {
            (*at, format!("{} cannot ask, and is asked through port-forward: {why}", watched.pod(*shard)))
        }
        Told::Change { at: _, change: Change::Down { shard, from, mark, asker } } => {
            let (down, what) = (style.danger("DOWN"), mark.meaning());
            (*from, format!("{down} {}: {what} ({})", watched.pod(*shard), watched.asker(*asker)))
        }
        Told::Change { at, change: Change::Up { shard, outage } } => {
            let to = outage.to.unwrap_or(*at);
            let (up, took) = (style.success("up"), seconds(outage.duration(to)));
            (to, format!("{up}   {} after {took}: {}", watched.pod(*shard), watched.met(&outage.met)))
        }
    };
    Some(format!("{:8.1}s  {text}\n", at.duration_since(watched.since).as_secs_f64().max(0.0)))
}

/// The same as a line of JSON.
#[must_use]
pub fn event(watched: &Watched, told: &Told) -> String {
    let head = |at: &Timestamp, kind: &str| json!({"apiVersion": "shardctl.dev/v1alpha1", "kind": "RoutingEvent", "at": at, "type": kind});
    let (mut event, rest) = match told {
        Told::Asks { at, asker, with } => (head(at, "asks"), json!({"asker": asker, "with": with})),
        Told::Leaves { at, asker, why } => (head(at, "leaves"), json!({"asker": asker, "reason": why})),
        Told::Mute { at, shard, why } => {
            (head(at, "mute"), json!({"shard": shard, "pod": watched.pod(*shard), "reason": why}))
        }
        Told::Change { at, change: Change::Down { shard, from, mark, asker } } => (
            head(at, "down"),
            json!({
                "shard": shard, "pod": watched.pod(*shard), "from": from, "result": name(*mark), "asker": asker,
            }),
        ),
        Told::Change { at, change: Change::Up { shard, outage } } => {
            let mut rest = json!({"shard": shard, "pod": watched.pod(*shard)});
            json_patch::merge(&mut rest, &outage_json(outage, *at));
            (head(at, "up"), rest)
        }
    };
    json_patch::merge(&mut event, &rest);
    format!("{event}\n")
}

fn outage_json(outage: &Outage, now: Timestamp) -> Value {
    let met: Vec<Value> =
        outage.met.iter().map(|(mark, by)| json!({"result": name(*mark), "askers": by})).collect();
    let mut value = json!({"from": outage.from, "seconds": outage.duration(now).as_secs_f64(), "met": met});
    if let Some(to) = outage.to {
        value["to"] = json!(to);
    }
    value
}

/// How things stand, for a terminal: the service, then the shards.
#[must_use]
pub fn view(watched: &Watched, now: Timestamp, look: Look) -> String {
    let mut text = heading(watched, look);
    let down: Vec<u32> =
        watched.availability.shards().filter(|(_, open)| open.is_some()).map(|(shard, _)| shard).collect();
    let asking = watched.availability.askers().len();
    let verdict = match (asking, &down[..]) {
        (0, _) => look.style.warning("nobody asks"),
        (_, []) => look.style.success("every shard answers"),
        (_, down) => {
            let (verb, pods) = (if down.len() == 1 { "does" } else { "do" }, watched.workload.name.as_str());
            look.style.danger(format!("{} {verb} not answer", pods_in_short(pods, down)))
        }
    };
    let _ = writeln!(text, "{verdict}; watched for {}\n", age(watched.since, now));
    text.push_str(&figures(watched, now, look));
    text.push('\n');
    text.push_str(&shards(watched, now, look));
    text.push_str("\nCtrl-C ends it and sums up\n");
    text
}

/// What it came to.
#[must_use]
pub fn summary(watched: &Watched, now: Timestamp, look: Look) -> String {
    let mut text = String::new();
    if look.width.is_some() {
        text.push_str(&heading(watched, look));
    }
    text.push('\n');
    text.push_str(&shards(watched, now, look));
    let outages = watched.availability.service_outages();
    if !outages.is_empty() {
        let mut table = Columns::new(&["outage", "at", "lasted", "shards"], look.width);
        for (index, outage) in outages.iter().take(OUTAGES_SHOWN).enumerate() {
            let at = between(watched.since, outage.from);
            let lasted = seconds(between(outage.from, outage.to.unwrap_or(now)));
            let shards: Vec<u32> = outage.shards.iter().copied().collect();
            table.row([
                (index + 1).to_string(),
                format!("+{}", seconds(at)),
                if outage.to.is_some() { lasted } else { format!("{lasted}, goes on") },
                pods_in_short(&watched.workload.name, &shards),
            ]);
        }
        let _ = write!(text, "\n{table}");
        if outages.len() > OUTAGES_SHOWN {
            let _ = writeln!(text, "and {} more", outages.len() - OUTAGES_SHOWN);
        }
    }
    text.push('\n');
    text.push_str(&figures(watched, now, look));
    text
}

fn heading(watched: &Watched, look: Look) -> String {
    format!("{}\n\n", wrap(beginning(watched).trim_end(), look.width).join("\n"))
}

/// The service in a line or two.
fn figures(watched: &Watched, now: Timestamp, look: Look) -> String {
    let availability = &watched.availability;
    let service = availability.service_figures(now);
    let Some(share) = service.availability else { return "nobody has asked yet\n".to_owned() };
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
    let mut text = format!(
        "the service was available for {share} of {}: {outages}\n",
        seconds(availability.watched(now))
    );
    let blind = availability.blind(now);
    // The first session takes a moment to begin.
    if blind >= Duration::from_secs(3) {
        let _ = writeln!(text, "nobody asked for {}, of which nothing is known", seconds(blind));
    }
    text
}

fn shards(watched: &Watched, now: Timestamp, look: Look) -> String {
    let availability = &watched.availability;
    let mut table = Columns::new(
        &["shard", "state", "available", "outages", "down", "longest", "asked", "met with"],
        look.width,
    );
    let count = availability.shards().count();
    let mut rest = 0;
    for (shard, open) in availability.shards() {
        if count > SHOWN && availability.outages(shard).is_empty() {
            rest += 1;
            continue;
        }
        let Figures { outages, down, longest, availability: share } = availability.figures(shard, now);
        let (asked, _) = availability.questions(shard);
        let state = match open {
            Some(outage) => look.style.danger(format!("DOWN {}", seconds(outage.duration(now)))),
            None if asked == 0 => look.style.note("-"),
            None => look.style.success("up"),
        };
        let met = match open {
            Some(_) => availability.met_now(shard),
            None => availability.outages(shard).last().map(|outage| outage.met.clone()).unwrap_or_default(),
        };
        let time = |time: Duration| if outages == 0 { "-".to_owned() } else { seconds(time) };
        table.row([
            watched.pod(shard),
            state,
            share.map_or_else(|| "-".to_owned(), percent),
            outages.to_string(),
            time(down),
            time(longest),
            asked.to_string(),
            watched.met(&met),
        ]);
    }
    match (rest, rest == count) {
        (0, _) => table.to_string(),
        (_, true) => format!("all {count} shards: no outage\n"),
        (_, false) => format!("{table}and {rest} shards without an outage\n"),
    }
}

/// The summary for programs.
#[must_use]
pub fn summary_json(watched: &Watched, now: Timestamp) -> String {
    let availability = &watched.availability;
    let figures = |figures: Figures| {
        json!({
            "availability": figures.availability,
            "outageCount": figures.outages,
            "downSeconds": figures.down.as_secs_f64(),
            "longestSeconds": figures.longest.as_secs_f64(),
        })
    };
    let shards: Vec<Value> = availability
        .shards()
        .map(|(shard, _)| {
            let (asked, failed) = availability.questions(shard);
            let outages: Vec<Value> =
                availability.outages(shard).iter().map(|outage| outage_json(outage, now)).collect();
            let mut value = json!({
                "shard": shard, "pod": watched.pod(shard), "asked": asked, "failed": failed, "outages": outages,
            });
            json_patch::merge(&mut value, &figures(availability.figures(shard, now)));
            value
        })
        .collect();
    let outages: Vec<Value> = availability
        .service_outages()
        .iter()
        .map(|outage| {
            let to = outage.to.unwrap_or(now);
            let mut value = json!({
                "from": outage.from, "seconds": between(outage.from, to).as_secs_f64(), "shards": outage.shards,
            });
            if let Some(to) = outage.to {
                value["to"] = json!(to);
            }
            value
        })
        .collect();
    let mut report = json!({
        "apiVersion": "shardctl.dev/v1alpha1",
        "kind": "RoutingAvailability",
        "workload": watched.workload,
        "from": watched.since,
        "to": now,
        "watchedSeconds": availability.watched(now).as_secs_f64(),
        "blindSeconds": availability.blind(now).as_secs_f64(),
        "outages": outages,
        "shards": shards,
    });
    json_patch::merge(&mut report, &figures(availability.service_figures(now)));
    format!("{report}\n")
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

fn seconds(duration: Duration) -> String {
    super::super::rolling::seconds(duration)
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
