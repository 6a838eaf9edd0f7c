//! A VerticalPodAutoscaler for a workload that has none.

use serde_json::json;

use super::{VpaReportArgs, VpaReportOutput};
use crate::commands::confirm::confirm;
use crate::commands::deploy::DryRun;
use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::shardset::manifests::{MANAGED_BY_LABEL, Manifest};
use crate::domain::snapshot::{Snapshot, Workload};
use crate::domain::vpa::{Autoscalers, Judged};
use crate::error::{CommandError, ExitCode};
use crate::k8s::ApplyOptions;
use crate::render::json::yaml;

/// Whether one is to be made: there is none, and somebody asked for it, or is there to be asked.
pub(super) fn is_wanted(args: &VpaReportArgs, judged: &Judged) -> bool {
    let is_missing = matches!(&judged.observed.autoscalers, Autoscalers::Found(found) if found.is_empty());
    let can_be_offered = matches!(args.output, VpaReportOutput::Table | VpaReportOutput::Wide);
    is_missing && (args.create_vpa || can_be_offered)
}

/// Makes it by server-side apply, after a question.
pub(super) async fn create(
    context: &Context,
    args: &VpaReportArgs,
    target: &Target,
    snapshot: &Snapshot,
) -> Result<ExitCode, CommandError> {
    let autoscaler = autoscaler(&snapshot.workload);
    let place = target.cluster.context().unwrap_or("this cluster");
    let namespace = &target.reference.namespace;
    let question = format!("Create vpa/{} in mode Off in {namespace}, {place}?", autoscaler.name());
    if !args.create_vpa {
        // Only an offer: nobody there, or no, is no failure.
        return match context.ui.confirm(&question) {
            Some(true) => apply(context, target, &autoscaler, false).await,
            Some(false) | None => Ok(ExitCode::Findings),
        };
    }
    match args.dry_run {
        DryRun::Client => {
            context.ui.say(format!("{autoscaler} would be created (dry run):"));
            context.ui.say_block(&yaml(&autoscaler.object));
            Ok(ExitCode::Done)
        }
        DryRun::Server => apply(context, target, &autoscaler, true).await,
        DryRun::None => {
            confirm(context, args.yes, &question, "create it")?;
            apply(context, target, &autoscaler, false).await
        }
    }
}

async fn apply(
    context: &Context,
    target: &Target,
    autoscaler: &Manifest,
    dry_run: bool,
) -> Result<ExitCode, CommandError> {
    target.cluster.apply(autoscaler, ApplyOptions { dry_run, force: false }).await?;
    if dry_run {
        context.ui.say(format!("{autoscaler} would be created (server dry run)"));
    } else {
        context.ui.say(format!(
            "{autoscaler} created\nit recommends within minutes, and is believed after a day: run this again then"
        ));
    }
    Ok(ExitCode::Done)
}

/// It watches all containers and bounds nothing: what shards really use is what is asked. It goes with the StatefulSet.
fn autoscaler(workload: &Workload) -> Manifest {
    let name = &workload.reference.name;
    Manifest {
        object: json!({
            "apiVersion": "autoscaling.k8s.io/v1",
            "kind": "VerticalPodAutoscaler",
            "metadata": {
                "name": name,
                "namespace": workload.reference.namespace,
                "labels": {MANAGED_BY_LABEL: "shardctl"},
                "ownerReferences": [
                    {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name, "uid": workload.uid},
                ],
            },
            "spec": {
                "targetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name},
                // Any other mode evicts or resizes shards.
                "updatePolicy": {"updateMode": "Off"},
            },
        }),
    }
}
