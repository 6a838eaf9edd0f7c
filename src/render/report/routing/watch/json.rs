//! The same for programs: an object a line.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::json::name;
use super::{Told, Watched, between};
use crate::domain::routing::availability::{Change, Figures, Outage};

/// What has happened.
#[must_use]
pub fn event(watched: &Watched, told: &Told) -> String {
    let head = |at: &Timestamp, kind: &str| json!({"apiVersion": "shardctl.dev/v1alpha1", "kind": "RoutingEvent", "at": at, "type": kind});
    let (mut event, rest) = match told {
        Told::Asks { at, observer, with } => (head(at, "asks"), json!({"asker": observer, "with": with})),
        Told::Leaves { at, observer, why } => (head(at, "leaves"), json!({"asker": observer, "reason": why})),
        Told::Mute { at, shard, why } => {
            (head(at, "mute"), json!({"shard": shard, "pod": watched.pod(*shard), "reason": why}))
        }
        Told::Change { at, change: Change::Down { shard, from, mark, observer } } => (
            head(at, "down"),
            json!({
                "shard": shard, "pod": watched.pod(*shard), "from": from, "result": name(*mark), "asker": observer,
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

/// What it came to.
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
