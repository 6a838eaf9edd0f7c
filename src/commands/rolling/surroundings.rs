//! What a plan is made from: the service, its earlier runs, who works on it, and what would be changed.

use std::collections::BTreeSet;

use futures::try_join;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::options::{DryRun, RollingArgs};
use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::names::NodePoolName;
use crate::domain::rolling::{Actor, Change, FieldChange, Forecast, Hold, ObjectRef, State};
use crate::domain::snapshot::{Node, NodePool, Snapshot};
use crate::error::CommandError;
use crate::k8s::{FIELD_MANAGER, Holder, Journalled, Scope};

/// What was found.
pub struct Found {
    pub snapshot: Snapshot,
    /// The runs of the workload, the newest first.
    pub runs: Vec<Journalled>,
    /// Who holds the lock on it.
    pub holder: Option<Holder>,
    pub by: Actor,
    pub now: Timestamp,
}

/// Looks at the workload and everything around it.
///
/// # Errors
/// When the workload, its pods or its runs cannot be read.
pub async fn find(target: &Target, now: Timestamp) -> Result<Found, CommandError> {
    look(target, now, false).await
}

/// The same, and asks the shards for their health: one that is Ready and not well may be what is to be mended.
///
/// # Errors
/// When the workload, its pods or its runs cannot be read.
pub async fn find_and_ask(target: &Target, now: Timestamp) -> Result<Found, CommandError> {
    look(target, now, true).await
}

async fn look(target: &Target, now: Timestamp, health: bool) -> Result<Found, CommandError> {
    let scope = Scope { nodes: true, surroundings: true, health, ..Scope::default() };
    let snapshot = target.snapshot(scope).await?;
    let (runs, holder, user) = try_join!(
        target.cluster.runs(&target.reference),
        target.cluster.lock_holder(&target.reference),
        target.cluster.user_name()
    )?;
    let by = Actor { user, host: host(), pid: std::process::id() };
    Ok(Found { snapshot, runs, holder, by, now })
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

impl Found {
    /// How long a restart is expected to take: as given, as measured by earlier runs, or as the pods tell.
    #[must_use]
    pub fn forecast(&self, args: &RollingArgs) -> Forecast {
        if let Some(restart) = args.restart_seconds {
            return Forecast::given(&self.snapshot, restart);
        }
        let done = self.runs.iter().map(|journalled| &journalled.run).filter(|run| run.state == State::Done);
        Forecast::of_history(&self.snapshot, done).unwrap_or_else(|| Forecast::of_pods(&self.snapshot))
    }
}

/// The change of the StatefulSet that gives it `template`, as the server makes it; none when that is what it has.
/// `annotations` change with it.
///
/// # Errors
/// When the server refuses the template.
pub async fn arming(
    target: &Target,
    template: Value,
    annotations: &[(&str, Option<&str>)],
    dry_run: DryRun,
) -> Result<Option<Change>, CommandError> {
    let reference = &target.reference;
    let object = ObjectRef::new("apps/v1", "StatefulSet", Some(&reference.namespace), &reference.name);
    let live = target.cluster.object(&object).await?.unwrap_or_default();
    let field = |path: String, during: Option<Value>| FieldChange {
        before: live.pointer(&path).cloned(),
        path,
        during,
    };
    let mut fields = vec![field("/spec/template".to_owned(), Some(template))];
    for (key, value) in annotations {
        let path = format!("/metadata/annotations/{}", key.replace('~', "~0").replace('/', "~1"));
        fields.push(field(path, value.map(|value| json!(value))));
    }
    let mut change = Change { object, hold: Hold::Template, fields };
    if dry_run != DryRun::Client {
        let operations = change.make(&live).map_err(CommandError::refused)?;
        if operations.is_empty() {
            return Ok(None);
        }
        // The server fills in defaults: what it would make of the template is what is compared with later.
        let after = target.cluster.try_patch(&change.object, &operations).await.map_err(|error| {
            CommandError::refused(format!("the template is refused; nothing was changed: {}", error.message))
        })?;
        for field in &mut change.fields {
            field.during = after.pointer(&field.path).cloned();
        }
    }
    change.fields.retain(|field| field.before != field.during);
    Ok((!change.fields.is_empty()).then_some(change))
}

/// The changes that keep Karpenter from disrupting the nodes of `pools`, and the pools that are left alone because others
/// own them.
///
/// # Errors
/// When a pool cannot be read.
async fn freeze<'a>(
    target: &Target,
    pools: impl IntoIterator<Item = &'a NodePool>,
    force: bool,
) -> Result<(Vec<Change>, Vec<String>), CommandError> {
    let (mut changes, mut foreign) = (Vec::new(), Vec::new());
    for pool in pools {
        if !force && !pool.managers.iter().any(|manager| manager == FIELD_MANAGER) {
            foreign.push(format!(
                "nodepool/{} is {}'s: what it does to its nodes meanwhile is not frozen; say --force-conflicts to \
                 freeze it",
                pool.name,
                pool.managers.join(", ")
            ));
            continue;
        }
        let object = ObjectRef::new("karpenter.sh/v1", "NodePool", None, pool.name.as_str());
        let Some(live) = target.cluster.object(&object).await? else { continue };
        let nothing = Some(json!([{"nodes": "0"}]));
        changes.extend(Change::of(object, Hold::FrozenPool, &live, "/spec/disruption/budgets", nothing));
    }
    Ok((changes, foreign))
}

/// The changes that keep Karpenter from disrupting the nodes of the shards, and of the pools that they may move to; tells
/// of pools that are left alone.
///
/// # Errors
/// When a pool cannot be read.
pub async fn freeze_all(
    context: &Context,
    target: &Target,
    snapshot: &Snapshot,
    to: Option<&NodePoolName>,
    force: bool,
) -> Result<Vec<Change>, CommandError> {
    let own: BTreeSet<NodePoolName> =
        snapshot.nodes.iter().flat_map(|nodes| nodes.values()).filter_map(Node::node_pool).collect();
    let pools = snapshot.node_pools.iter().flatten();
    let involved = pools.filter(|pool| own.contains(&pool.name) || to == Some(&pool.name));
    let (changes, foreign) = freeze(target, involved, force).await?;
    for note in foreign {
        context.ui.say(format!("{} {note}", context.ui.err_style().warning("note:")));
    }
    Ok(changes)
}
