//! Where a rollout stands, and what was before.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rolling::seconds;
use super::{Look, deploy};
use crate::domain::age::age;
use crate::domain::diff::Change;
use crate::domain::names::{WorkloadRef, pods_in_short};
use crate::domain::rolling::{Rollout, Run, State};
use crate::domain::snapshot::Health;
use crate::render::style::Stylesheet;
use crate::render::table::Columns;

/// Characters of a digest that tell it from others.
const DIGEST_SHOWN: usize = 19;
/// Shards of which each has a row; of more, only those that are left.
const SHARDS_SHOWN: usize = 30;

/// Where a rollout stands.
pub struct Status<'a> {
    pub rollout: &'a Rollout,
    /// The run that is open.
    pub run: Option<&'a Run>,
    /// Who holds the lock.
    pub holder: Option<&'a str>,
}

/// A row for each shard, and what is left.
#[must_use]
pub fn table(status: &Status<'_>, look: Look, now: Timestamp) -> String {
    let style = look.style;
    let rollout = status.rollout;
    let mut table =
        Columns::new(&["shard", "revision", "pool", "digest", "ready", "gate", "node"], look.width);
    let is_short = rollout.shards.len() <= SHARDS_SHOWN;
    let prefix = format!("{}-", rollout.workload.name);
    for shard in rollout.shards.iter().filter(|shard| is_short || !shard.is_done()) {
        let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
        let revision = text(shard.revision.as_deref().map(|name| name.strip_prefix(&prefix).unwrap_or(name)));
        let digest = shard.digest.as_deref().map(|digest| digest.get(..DIGEST_SHOWN).unwrap_or(digest));
        table.row([
            shard.ordinal.to_string(),
            if shard.is_updated { revision } else { style.warning(format!("{revision} (old)")) },
            text(shard.node_pool.as_ref().map(|pool| pool.as_str())),
            text(digest),
            if shard.is_ready { "yes".to_owned() } else { style.danger(&shard.state) },
            match &shard.health {
                None => "-".to_owned(),
                Some(Health::Healthy { .. }) => "passes".to_owned(),
                Some(_) => style.danger("refuses"),
            },
            text(shard.node.as_ref().map(|node| node.as_str())),
        ]);
    }
    let mut text = String::new();
    let left: Vec<u32> = rollout.left().map(|shard| shard.ordinal).collect();
    if is_short || !left.is_empty() {
        let _ = writeln!(text, "{table}");
    }
    if let Some(run) = status.run {
        let _ = writeln!(text, "{}", open_run(run, status.holder, now, style));
    }
    let name = &rollout.workload;
    let verdict = if !rollout.is_status_current {
        format!("{name}: the controller has not taken note of the newest template yet")
    } else if left.is_empty() {
        format!("{name}: all {} shards are up from revision {}", rollout.shards.len(), rollout.revision)
    } else {
        let pods = pods_in_short(&name.name, &left);
        format!("{name}: {} of {} shards are left: {pods}", left.len(), rollout.shards.len())
    };
    let _ = writeln!(text, "{verdict}");
    let digests = rollout.digests();
    if digests.len() > 1 {
        let _ = writeln!(text, "{} {} different images run", style.warning("mixed:"), digests.len());
    }
    text
}

fn open_run(run: &Run, holder: Option<&str>, now: Timestamp, style: Stylesheet) -> String {
    let started = age(run.started_at, now);
    match (&run.state, holder) {
        (State::Stopped { why }, _) => format!(
            "{} run {} stopped part-way: {why}; `shardctl rollout resume` goes on, `abort` takes it back",
            style.warning("stopped:"),
            run.id
        ),
        (_, Some(holder)) => format!("run {} is under way for {started}, by {holder}", run.id),
        (_, None) => format!(
            "{} nobody works on run {} any more, started {started} ago by {}; `shardctl rollout resume` goes on, \
             `abort` takes it back",
            style.warning("left:"),
            run.id,
            run.by
        ),
    }
}

/// The same for machines.
#[must_use]
pub fn json(status: &Status<'_>) -> Value {
    let rollout = status.rollout;
    let shards: Vec<Value> = rollout
        .shards
        .iter()
        .map(|shard| {
            let mut value = json!(shard);
            value["gate"] = match &shard.health {
                None => Value::Null,
                Some(health) => json!({"passes": health.is_healthy(), "answer": health.to_string()}),
            };
            value
        })
        .collect();
    json!({
        "apiVersion": "shardctl.dev/v1alpha1",
        "kind": "RolloutStatus",
        "workload": rollout.workload,
        "revision": rollout.revision,
        "updateStrategy": rollout.update_strategy,
        "isComplete": rollout.is_complete(),
        "left": rollout.left().map(|shard| shard.ordinal).collect::<Vec<u32>>(),
        "shards": shards,
        "openRun": status.run.map(|run| json!({"id": run.id, "operation": run.operation, "state": run.state, "by": run.by})),
        "lockHolder": status.holder,
    })
}

/// The runs and the revisions of a workload.
pub struct History<'a> {
    pub workload: &'a WorkloadRef,
    /// The newest first.
    pub runs: &'a [Run],
    /// The newest first.
    pub revisions: &'a [RevisionRow],
}

/// A revision of the template.
pub struct RevisionRow {
    pub number: i64,
    pub name: String,
    pub created_at: Option<Timestamp>,
    /// Fields that it changed against the one before.
    pub changes: usize,
}

fn state(run: &Run) -> &'static str {
    match run.state {
        State::Running => "running",
        State::Stopped { .. } => "stopped",
        State::Done => "done",
        State::Aborted { .. } => "aborted",
    }
}

/// Runs and revisions, the newest first.
#[must_use]
pub fn history(history: &History<'_>, look: Look, now: Timestamp) -> String {
    let mut text = String::new();
    if history.runs.is_empty() {
        let _ = writeln!(text, "{} has no runs", history.workload);
    } else {
        let mut table =
            Columns::new(&["run", "state", "age", "shards", "outages", "together", "longest"], None);
        for run in history.runs {
            let end = run.ended_at.unwrap_or(now);
            let moved = run.ledger.restarts.iter().filter(|one| one.marks.back.is_some()).count();
            let longest = run.ledger.outages.iter().map(|outage| outage.duration(end)).max();
            table.row([
                run.id.to_string(),
                state(run).to_owned(),
                age(run.started_at, now),
                format!("{moved} of {}", run.shards().count()),
                run.ledger.outages.len().to_string(),
                seconds(run.ledger.total(end)),
                longest.map_or_else(|| "-".to_owned(), seconds),
            ]);
        }
        let _ = writeln!(text, "{table}");
    }
    let mut table = Columns::new(&["revision", "name", "age", "changed"], look.width);
    for revision in history.revisions {
        let changed = match revision.changes {
            0 => "-".to_owned(),
            1 => "1 field".to_owned(),
            many => format!("{many} fields"),
        };
        table.row([
            revision.number.to_string(),
            revision.name.clone(),
            revision.created_at.map_or_else(|| "-".to_owned(), |at| age(at, now)),
            changed,
        ]);
    }
    text.push_str(&table.to_string());
    text
}

/// The same for machines.
#[must_use]
pub fn history_json(history: &History<'_>) -> Value {
    let revisions: Vec<Value> = history
        .revisions
        .iter()
        .map(|one| json!({"number": one.number, "name": one.name, "createdAt": one.created_at, "changes": one.changes}))
        .collect();
    json!({
        "apiVersion": "shardctl.dev/v1alpha1",
        "kind": "RolloutHistory",
        "workload": history.workload,
        "runs": history.runs,
        "revisions": revisions,
    })
}

/// What a revision changed.
#[must_use]
pub fn changes(number: i64, changes: &[Change], style: Stylesheet) -> String {
    if changes.is_empty() {
        return format!("revision {number} is the oldest that is kept, or changed nothing\n");
    }
    let mut text = format!("revision {number} changed\n");
    for change in changes {
        let _ = writeln!(text, "  {}", deploy::field_in_plan(change, style));
    }
    text
}
