//! What applying each object would do, found out by letting the server try.

use crate::domain::diff::{Change, changes, changes_at};
use crate::domain::shardset::manifests::{MANAGED_BY_LABEL, Manifest};
use crate::domain::snapshot::Snapshot;
use crate::error::CommandError;
use crate::k8s::{ApplyOptions, Cluster, FIELD_MANAGER, Failure, RequestError};
use crate::render::report::deploy::{self as report, ObjectSummary};
use crate::render::style::Stylesheet;
use serde_json::{Value, json};

/// What applying an object would do.
#[derive(Debug)]
pub enum ObjectPlan {
    /// It is not there yet.
    Create {
        /// Whether the server has checked it; it cannot when the namespace is not there yet.
        is_checked: bool,
    },
    /// Some fields change.
    Change {
        changes: Vec<Change>,
        /// Whether fields become ours: because we were told to take them, or because they stay as they are.
        force: bool,
        /// Fields of other managers that become ours without a change.
        taken: Vec<String>,
    },
    /// Nothing changes.
    Same,
    /// Somebody else made it, and it will do as it is.
    LeftAlone { managers: Vec<String> },
    /// It cannot be applied: another manager owns it or some of its fields, or the server refuses.
    Blocked { reasons: Vec<String>, hint: String },
}

/// An object and what applying it would do.
#[derive(Debug)]
pub struct Planned {
    pub manifest: Manifest,
    pub plan: ObjectPlan,
    /// What is patched before the object is applied.
    pub first: Option<Value>,
}

/// What applying a ShardSet would do.
#[derive(Debug)]
pub struct Plan {
    objects: Vec<Planned>,
}

impl Plan {
    /// Lets the server try each object.
    ///
    /// # Errors
    /// When an object cannot be read; a refused one is part of the plan.
    pub async fn make(cluster: &Cluster, manifests: &[Manifest], force: bool) -> Result<Self, CommandError> {
        let mut objects = Vec::with_capacity(manifests.len());
        let mut has_namespace = true;
        for manifest in manifests {
            let live = cluster.live(manifest).await?;
            if manifest.kind() == "Namespace" {
                has_namespace = live.is_some();
            }
            let first = live.as_ref().and_then(|live| patch_before(manifest, live));
            let plan = match live {
                None if manifest.namespace().is_some() && !has_namespace => {
                    ObjectPlan::Create { is_checked: false }
                }
                live => plan_of(cluster, manifest, live.as_ref(), force).await,
            };
            objects.push(Planned { manifest: manifest.clone(), plan, first });
        }
        Ok(Self { objects })
    }

    /// The objects in the order in which they are applied.
    pub fn objects(&self) -> impl Iterator<Item = &Planned> {
        self.objects.iter()
    }

    /// Whether everything is as it should be already.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.objects
            .iter()
            .all(|object| matches!(object.plan, ObjectPlan::Same | ObjectPlan::LeftAlone { .. }))
    }

    /// Whether the plan gives a running workload another template: how many shards then wait for a restart.
    #[must_use]
    pub fn arms(&self, live: Option<&Snapshot>) -> usize {
        let changes_template = self.objects.iter().any(|object| {
            object.manifest.kind() == "StatefulSet"
                && matches!(&object.plan, ObjectPlan::Change { changes, .. }
                    if changes.iter().any(|change| change.path.starts_with("spec.template")))
        });
        match live {
            Some(live) if changes_template => live.shards.iter().filter(|shard| shard.pod.is_some()).count(),
            _ => 0,
        }
    }

    /// For the report.
    #[must_use]
    pub fn summary(&self) -> Vec<ObjectSummary<'_>> {
        self.objects
            .iter()
            .map(|object| {
                let name = object.manifest.to_string();
                match &object.plan {
                    ObjectPlan::Create { is_checked } => {
                        ObjectSummary::Create { name, is_checked: *is_checked }
                    }
                    ObjectPlan::Change { changes, taken, .. } => {
                        ObjectSummary::Change { name, changes, taken }
                    }
                    ObjectPlan::Same => ObjectSummary::Same { name },
                    ObjectPlan::LeftAlone { managers } => ObjectSummary::LeftAlone { name, managers },
                    ObjectPlan::Blocked { reasons, .. } => ObjectSummary::Blocked { name, reasons },
                }
            })
            .collect()
    }

    /// Refuses a plan of which an object cannot be applied.
    ///
    /// # Errors
    /// With the first hint on how to go on.
    pub fn refuse_blocked(&self) -> Result<(), CommandError> {
        let mut blocked = self.objects.iter().filter_map(|object| match &object.plan {
            ObjectPlan::Blocked { hint, .. } => Some((&object.manifest, hint)),
            _ => None,
        });
        let Some((first, hint)) = blocked.next() else { return Ok(()) };
        let message = match blocked.count() {
            0 => format!("{first} cannot be applied; nothing was changed"),
            more => format!("{first} and {more} more cannot be applied; nothing was changed"),
        };
        Err(CommandError::refused(message).hint(hint))
    }
}

async fn plan_of(cluster: &Cluster, manifest: &Manifest, live: Option<&Value>, force: bool) -> ObjectPlan {
    let managers = live.map(managers).unwrap_or_default();
    let is_foreign = live.is_some() && !managers.iter().any(|manager| manager == FIELD_MANAGER);
    if is_foreign {
        match manifest.kind() {
            // What others made will do: the namespace is there, and the priority has its value. They are shared, so
            // not even --force-conflicts takes them: our labels could keep other services' pods out.
            "Namespace" => return ObjectPlan::LeftAlone { managers },
            "PriorityClass" if live.and_then(|live| live.get("value")) == manifest.object.get("value") => {
                return ObjectPlan::LeftAlone { managers };
            }
            "PriorityClass" => {
                let value = live.and_then(|live| live.get("value")).cloned().unwrap_or_default();
                return ObjectPlan::Blocked {
                    reasons: vec![format!("it has value {value}, which cannot change")],
                    hint: "name another class in spec.priority.className, or give it that value".to_owned(),
                };
            }
            _ if !force => {
                return ObjectPlan::Blocked {
                    reasons: vec![format!("it was made by {}, not by shardctl", managers.join(", "))],
                    hint: "say --force-conflicts to take it over, or give it another name in the file"
                        .to_owned(),
                };
            }
            _ => {}
        }
    }
    let mut taken = Vec::new();
    let (after, force) = match attempt(cluster, manifest, live, force).await {
        Ok(after) => (after, force),
        // What migrate and upgrade changed is ours under the name of another kind of write.
        Err(error) if error.failure == Failure::Conflict && is_with_ourselves(&error) => {
            match attempt(cluster, manifest, live, true).await {
                Ok(after) => (after, true),
                Err(error) => return blocked(&error, manifest, live),
            }
        }
        Err(error) if error.failure == Failure::Conflict && !force => {
            match harmless(cluster, manifest, live, &error).await {
                Some(after) => {
                    taken = conflicts(&error);
                    (after, true)
                }
                None => return blocked(&error, manifest, live),
            }
        }
        Err(error) => return blocked(&error, manifest, live),
    };
    match live {
        None => ObjectPlan::Create { is_checked: true },
        Some(before) => match changes(before, &after) {
            changes if changes.is_empty() => ObjectPlan::Same,
            changes => ObjectPlan::Change { changes, force, taken },
        },
    }
}

/// Lets the server try: what the object would be.
async fn attempt(
    cluster: &Cluster,
    manifest: &Manifest,
    live: Option<&Value>,
    force: bool,
) -> Result<Value, RequestError> {
    let options = ApplyOptions { dry_run: true, force };
    let Some(first) = live.and_then(|live| patch_before(manifest, live)) else {
        return cluster.apply(manifest, options).await;
    };
    // The apply comes after the patch, so it is tried without what the patch does.
    cluster.merge(manifest, &first, options).await?;
    let mut rest = manifest.clone();
    if let Some(spec) = rest.object.pointer_mut("/spec").and_then(Value::as_object_mut) {
        spec.remove("updateStrategy");
    }
    let mut after = cluster.apply(&rest, options).await?;
    json_patch::merge(&mut after, &first);
    Ok(after)
}

/// What must be patched before an object is applied: the settings of a rolling update are not allowed beside OnDelete,
/// and an apply cannot take them away from the manager that set them. It comes first for another reason, too: while the
/// strategy is a rolling update, a new template would restart every shard at once.
fn patch_before(manifest: &Manifest, live: &Value) -> Option<Value> {
    let wants_on_delete =
        manifest.object.pointer("/spec/updateStrategy/type").and_then(Value::as_str) == Some("OnDelete");
    live.pointer("/spec/updateStrategy/rollingUpdate").filter(|_| wants_on_delete)?;
    Some(json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}}))
}

/// Whether another manager owns fields that would stay as they are: the server takes what it added by default for a
/// difference. Returns what the object would be, then.
async fn harmless(
    cluster: &Cluster,
    manifest: &Manifest,
    live: Option<&Value>,
    conflict: &RequestError,
) -> Option<Value> {
    let before = live?;
    let after = attempt(cluster, manifest, live, true).await.ok()?;
    let changing = changes(before, &after);
    let is_touched = |field: &str| {
        let field = field.trim_start_matches('.').replace("[name=\"", "[").replace("\"]", "]");
        changing.iter().any(|change| change.path.starts_with(&field) || field.starts_with(&change.path))
    };
    let fields = &conflict.causes;
    (!fields.is_empty() && !fields.iter().any(|(field, _)| is_touched(field))).then_some(after)
}

/// Whether every field in conflict belongs to shardctl itself.
fn is_with_ourselves(conflict: &RequestError) -> bool {
    let own = format!("conflict with \"{FIELD_MANAGER}\"");
    !conflict.causes.is_empty() && conflict.causes.iter().all(|(_, message)| message.starts_with(&own))
}

fn managers(live: &Value) -> Vec<String> {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let text =
        |entry: &Value, field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut managers: Vec<String> = entries
        .into_iter()
        .flatten()
        .filter(|entry| text(entry, "subresource").is_empty())
        .map(|entry| text(entry, "manager"))
        .collect();
    let is_ours = live.pointer("/metadata/labels").and_then(|labels| labels.get(MANAGED_BY_LABEL));
    // Rendered by us and applied by another tool: ours in all but the manager's name.
    if is_ours.and_then(Value::as_str) == Some("shardctl") {
        managers.push(FIELD_MANAGER.to_owned());
    }
    managers.sort();
    managers.dedup();
    managers
}

/// Fields of a StatefulSet that never change, and whether a new StatefulSet over the same pods may have another value.
const FIXED_FIELDS: [(&str, bool); 4] = [
    ("/spec/volumeClaimTemplates", true),
    ("/spec/serviceName", true),
    ("/spec/podManagementPolicy", true),
    ("/spec/selector", false),
];

/// What the server means by "fields other than" those that may change.
fn fixed_fields(manifest: &Manifest, live: &Value) -> Option<ObjectPlan> {
    if manifest.kind() != "StatefulSet" {
        return None;
    }
    let mut reasons = Vec::new();
    let mut can_be_made_anew = true;
    for (pointer, keeps_pods) in FIXED_FIELDS {
        let (before, after) = (live.pointer(pointer), manifest.object.pointer(pointer));
        let (Some(before), Some(after)) = (before, after) else { continue };
        let path = pointer.trim_start_matches('/').replace('/', ".");
        // What the server added by default is no difference.
        let differing = changes_at(&path, before, after).into_iter().filter(|change| change.after.is_some());
        for change in differing {
            can_be_made_anew &= keeps_pods;
            reasons.push(format!("{} cannot change", report::field(&change, Stylesheet::new(false))));
        }
    }
    let (name, namespace) = (manifest.name(), manifest.namespace().unwrap_or_default());
    let hint = if can_be_made_anew {
        format!(
            "take the change back; or make the StatefulSet anew over its running pods: kubectl delete statefulset -n \
             {namespace} {name} --cascade=orphan, then deploy again"
        )
    } else {
        "take the change back: a StatefulSet keeps its selector for life".to_owned()
    };
    (!reasons.is_empty()).then_some(ObjectPlan::Blocked { reasons, hint })
}

/// The fields that other managers own, and which.
fn conflicts(error: &RequestError) -> Vec<String> {
    let causes = error.causes.iter();
    causes.map(|(field, message)| format!("{}: {message}", field.trim_start_matches('.'))).collect()
}

fn blocked(error: &RequestError, manifest: &Manifest, live: Option<&Value>) -> ObjectPlan {
    // The server says so with code 500: a list has two entries of the same name.
    let is_malformed = error.message.starts_with("failed to create typed patch object");
    match error.failure {
        Failure::Conflict => ObjectPlan::Blocked {
            reasons: conflicts(error),
            hint: "say --force-conflicts to take these fields over, or take them out of the file".to_owned(),
        },
        Failure::Invalid if let Some(plan) = live.and_then(|live| fixed_fields(manifest, live)) => plan,
        Failure::Invalid => ObjectPlan::Blocked {
            reasons: vec![error.message.clone()],
            hint: "correct the file; a field that cannot change needs the object to be made anew".to_owned(),
        },
        _ if is_malformed => ObjectPlan::Blocked {
            reasons: vec![error.message.clone()],
            hint: "correct the file: most likely its overlay names something twice".to_owned(),
        },
        _ => ObjectPlan::Blocked {
            reasons: vec![error.message.clone()],
            hint: error
                .hints()
                .first()
                .map_or_else(|| "see what the server says".to_owned(), ToString::to_string),
        },
    }
}
