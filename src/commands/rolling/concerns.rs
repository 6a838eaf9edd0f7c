//! What may keep a run from its end, found before its first step: other actors, and rights that are missing.

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::options::RollingArgs;
use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::rolling::{Gate, Hold, Run, concerns};
use crate::domain::snapshot::Snapshot;
use crate::error::CommandError;
use crate::k8s::{Permission, RequestError};

/// Rights asked for at the same time.
const CONCURRENT_QUESTIONS: usize = 8;

/// Refuses a run that somebody else would disturb, or that we may not finish.
///
/// # Errors
/// With each of them, and what to do about it.
pub async fn refuse_concerns(
    context: &Context,
    target: &Target,
    args: &RollingArgs,
    snapshot: &Snapshot,
    run: &Run,
) -> Result<(), CommandError> {
    let style = context.ui.err_style();
    let mut refusal: Option<CommandError> = None;
    for concern in concerns(run, snapshot) {
        if concern.is_grave() && !args.force_conflicts {
            let refused = refusal.take().unwrap_or_else(|| {
                CommandError::refused(format!("{concern}; nothing was changed"))
                    .hint("say --force-conflicts to go on all the same")
            });
            refusal = Some(refused.hint(concern.remedy()));
        } else {
            context.ui.say(format!("{} {concern}; {}", style.warning("note:"), concern.remedy()));
        }
    }
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    let missing = missing_rights(target, run).await?;
    let Some(first) = missing.first() else { return Ok(()) };
    let error = match missing.len() {
        1 => CommandError::refused(format!(
            "you may not {first}, which a step of the run needs; nothing was changed"
        )),
        many => CommandError::refused(format!(
            "you may not {first}, and {} more that steps of the run need; nothing was changed",
            many - 1
        )),
    };
    let error = missing.iter().skip(1).fold(error, |error, right| error.hint(format!("you may not {right}")));
    Err(error.hint("ask for these rights; `kubectl auth can-i --list` shows those that you have"))
}

/// What the run needs and we may not.
async fn missing_rights(target: &Target, run: &Run) -> Result<Vec<String>, RequestError> {
    let namespace = Some(run.workload.namespace.clone());
    let right = |verb, group: &str, resource: &str, subresource, namespace: &Option<String>| Permission {
        verb,
        group: group.to_owned(),
        resource: resource.to_owned(),
        subresource,
        namespace: namespace.clone(),
    };
    let mut needed = vec![
        right("watch", "apps", "statefulsets", None, &namespace),
        right("watch", "", "pods", None, &namespace),
        right("watch", "", "events", None, &namespace),
    ];
    for verb in ["get", "create", "update", "delete"] {
        needed.push(right(verb, "", "configmaps", None, &namespace));
        needed.push(right(verb, "coordination.k8s.io", "leases", None, &namespace));
    }
    if !run.waves.is_empty() {
        needed.push(right("delete", "", "pods", None, &namespace));
    }
    if run.policy.prewarm {
        needed.push(right("create", "", "pods", None, &namespace));
    }
    if run.arming.is_some() {
        needed.push(right("patch", "apps", "statefulsets", None, &namespace));
    }
    match run.policy.gate {
        Gate::None => {}
        Gate::Http(_) => needed.push(right("create", "", "pods", Some("portforward"), &namespace)),
        Gate::Exec { .. } => needed.push(right("create", "", "pods", Some("exec"), &namespace)),
    }
    for change in &run.holds {
        let (group, resource) = match change.hold {
            Hold::FrozenPool => ("karpenter.sh", "nodepools"),
            Hold::Cordon => ("", "nodes"),
            Hold::RelaxedBudget => ("policy", "poddisruptionbudgets"),
            Hold::Template => ("apps", "statefulsets"),
        };
        needed.push(right("patch", group, resource, None, &change.object.namespace));
    }
    if !run.goal.avoid_nodes.is_empty() {
        needed.push(right("create", "", "pods", Some("eviction"), &None));
        needed.push(right("list", "", "pods", None, &None));
    }
    needed.sort_by_key(ToString::to_string);
    needed.dedup();
    let answers: Vec<Option<String>> = stream::iter(needed)
        .map(|permission| async move {
            let allowed = target.cluster.is_allowed(&permission).await?;
            Ok::<_, RequestError>((!allowed).then(|| permission.to_string()))
        })
        .buffered(CONCURRENT_QUESTIONS)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}
