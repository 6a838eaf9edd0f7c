//! The way back to an earlier template.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::carry_out::{Before, carry_out};
use super::options::RollingArgs;
use super::room::room_for;
use super::surroundings::{arming, find_and_ask, freeze_all};
use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::rolling::{Goal, Operation, Order, Wish, prepare};
use crate::error::{CommandError, ExitCode};
use crate::k8s::{Journalled, Revision};

/// How long the service must have been up before the next shard goes back.
const SETTLE: Duration = Duration::from_secs(30);

/// Plans and carries out the way back to an earlier template: the one of this number, or the one before the last run.
///
/// # Errors
/// When it is refused (nothing was changed) or stops part-way.
pub async fn undo(
    context: &Context,
    target: &Target,
    to_revision: Option<i64>,
    args: &RollingArgs,
) -> Result<ExitCode, CommandError> {
    let found = find_and_ask(target, context.now()).await?;
    let snapshot = &found.snapshot;
    let before = found.runs.iter().find(|one| one.run.is_open()).map_or(Before::Nothing, Before::Close);
    let revisions = target.cluster.revisions(&target.reference).await?;
    let (template, annotations) = earlier(target, to_revision, &revisions, &found.runs, snapshot)?;
    let annotations: Vec<(&str, Option<&str>)> =
        annotations.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    let arming = arming(target, template, &annotations, args.dry_run).await?;
    let revision = match &arming {
        Some(arming) => target.cluster.revision_of(&target.reference, arming).await?,
        None => Some(snapshot.workload.update_revision.clone()),
    };
    let name = revision.clone().unwrap_or_else(|| "the one before".to_owned());
    let holds = freeze_all(context, target, snapshot, None, args.force_conflicts).await?;
    let wish = Wish {
        operation: Operation::Undo { revision: name },
        snapshot,
        by: found.by.clone(),
        policy: args.policy(snapshot, target.shardset.as_ref(), SETTLE)?,
        order: args.order(Order::Descending),
        goal: Goal { revision, node_pool: None, avoid_nodes: BTreeSet::new() },
        arming,
        holds,
        forecast: found.forecast(args),
        empties_nodes: false,
        allows_zero_grace_period: args.allow_zero_grace_period,
    };
    let Some(run) = prepare(wish, found.now)? else {
        context.ui.print(&format!("{} is on that revision already; nothing was changed\n", target.reference));
        return Ok(ExitCode::Done);
    };
    let run = room_for(target, args, snapshot, run).await?;
    carry_out(context, target, args, &found, run, before).await
}

type Annotations = Vec<(String, Option<String>)>;

/// The template to go back to, and the annotations that went with it.
fn earlier(
    target: &Target,
    number: Option<i64>,
    revisions: &[Revision],
    runs: &[Journalled],
    snapshot: &crate::domain::snapshot::Snapshot,
) -> Result<(Value, Annotations), CommandError> {
    if let Some(number) = number {
        let revision = revisions.iter().find(|revision| revision.number == number).ok_or_else(|| {
            let known: Vec<String> = revisions.iter().map(|revision| revision.number.to_string()).collect();
            CommandError::refused(format!(
                "{} has no revision {number}; nothing was changed",
                target.reference
            ))
            .hint(format!("there are {}", known.join(", ")))
        })?;
        return Ok((without_directive(&revision.template), Vec::new()));
    }
    let armed = runs.iter().find_map(|one| one.run.arming.as_ref());
    if let Some(armed) = armed {
        let mut template = None;
        let mut annotations = Vec::new();
        for field in &armed.fields {
            match field.path.strip_prefix("/metadata/annotations/") {
                None => template.clone_from(&field.before),
                Some(key) => {
                    let value = field.before.as_ref().and_then(Value::as_str).map(str::to_owned);
                    annotations.push((key.replace("~1", "/").replace("~0", "~"), value));
                }
            }
        }
        if let Some(template) = template {
            return Ok((template, annotations));
        }
    }
    let current = &snapshot.workload.update_revision;
    let before = revisions.iter().skip_while(|revision| revision.name != *current).nth(1);
    let before = before.ok_or_else(|| {
        CommandError::refused(format!(
            "{} has no revision before the one it has; nothing was changed",
            target.reference
        ))
        .hint("`shardctl rollout history` lists the revisions")
    })?;
    Ok((without_directive(&before.template), Vec::new()))
}

/// The template of a revision without what the controller wrote into it for itself.
fn without_directive(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(fields) = template.as_object_mut() {
        fields.remove("$patch");
    }
    template
}
