//! What the checks say when a run is done.

use std::collections::BTreeSet;

use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::snapshot::Snapshot;
use crate::domain::verify::{Facts, Finding, Selection, Severity, verify};
use crate::error::{CommandError, ExitCode};
use crate::k8s::Scope;

/// Runs the checks over the service as it is now, and tells of errors that were not there `before`.
///
/// # Errors
/// When the service cannot be read.
pub async fn verify_after(
    context: &Context,
    target: &Target,
    before: &Snapshot,
) -> Result<ExitCode, CommandError> {
    let scope = Scope { nodes: true, surroundings: true, health: true, usage: false };
    let after = target.snapshot(scope).await?;
    let old = errors(before);
    let known: BTreeSet<(&str, &str)> = old.iter().map(|one| (one.check, one.object.as_str())).collect();
    let found = errors(&after);
    let new: Vec<&Finding> =
        found.iter().filter(|one| !known.contains(&(one.check, one.object.as_str()))).collect();
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
