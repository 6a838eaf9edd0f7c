//! What the checks say when a run is done.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::snapshot::Snapshot;
use crate::domain::verify::{Facts, Finding, Selection, Severity, verify};
use crate::error::{CommandError, ExitCode};
use crate::k8s::Scope;

/// Controllers speak of what was changed a moment ago only after a while: Karpenter does not know whether a pool is ready
/// that was just given its budgets back.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Runs the checks over the service as it is now, and tells of errors that were not there `before` and stay.
///
/// # Errors
/// When the service cannot be read.
pub async fn verify_after(
    context: &Context,
    target: &Target,
    before: &Snapshot,
) -> Result<ExitCode, CommandError> {
    let scope = Scope { nodes: true, surroundings: true, health: true, ..Scope::default() };
    let old = errors(before);
    let known: BTreeSet<(&str, &str)> = old.iter().map(|one| (one.check, one.object.as_str())).collect();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let new = loop {
        let mut new = errors(&target.snapshot(scope).await?);
        new.retain(|one| !known.contains(&(one.check, one.object.as_str())));
        if new.is_empty() || tokio::time::Instant::now() >= deadline {
            break new;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    let style = context.ui.err_style();
    if new.is_empty() {
        context.ui.say("verified: no check finds an error that was not there before");
        return Ok(ExitCode::Done);
    }
    for finding in &new {
        let Finding { check, object, evidence, .. } = finding;
        context.ui.say(format!("{} {check}: {object} {evidence}", style.danger("error:")));
    }
    context.ui.say("every shard is where it should be, and `shardctl verify` tells what to do about these");
    Ok(ExitCode::Findings)
}

fn errors(snapshot: &Snapshot) -> Vec<Finding> {
    let report = verify(&Facts::new(snapshot), &Selection::default());
    report.findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect()
}
