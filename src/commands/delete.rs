//! `shardctl delete`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;

use super::confirm::confirm;
use super::deploy::DryRun;
use super::target::{connect, read_shardset};
use crate::context::Context;
use crate::domain::shardset::manifests::{MANAGED_BY_LABEL, Manifest};
use crate::domain::shardset::{Phase, ShardSet};
use crate::domain::snapshot::NODE_POOL_LABEL;
use crate::error::{CommandError, ExitCode};
use crate::k8s::{Cluster, Failure, RequestError};
use crate::options::parse_duration;

/// Reads under way at the same time.
const CONCURRENT_READS: usize = 16;
/// How often what is being deleted is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Delete a service in the safe order, and keep its volumes
///
/// The StatefulSet goes first and its pods end in their own time; then the services, the budget and the node pools,
/// whose nodes go once they are empty. Volumes and the namespace stay, unless --delete-volumes repeats the service's
/// name.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    shardctl delete -f shardset.yaml\n  \
    shardctl delete -f shardset.yaml --delete-volumes biometric-shard")]
pub struct DeleteArgs {
    /// The ShardSet file; - reads standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Delete the data as well; the value must be the service's name
    #[arg(long, value_name = "NAME")]
    delete_volumes: Option<String>,
    /// Delete nothing; client: name what would go; server: let it check that it may go, too
    #[arg(long, value_enum, value_name = "MODE", default_value_t = DryRun::None, default_missing_value = "client",
        num_args = 0..=1, require_equals = true)]
    dry_run: DryRun,
    /// Delete without asking
    #[arg(short, long)]
    yes: bool,
    /// Longest wait for pods to end and nodes to go
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_duration)]
    timeout: Duration,
}

/// Runs `shardctl delete`.
///
/// # Errors
/// When it is not confirmed (nothing was changed), or stops part-way.
pub fn run(context: &Context, args: &DeleteArgs) -> Result<ExitCode, CommandError> {
    let shardset = read_shardset(&args.file, context)?;
    let name = shardset.metadata.name.as_str();
    if args.delete_volumes.as_deref().is_some_and(|given| given != name) {
        return Err(CommandError::usage("--delete-volumes does not name the service of the file")
            .hint(format!("to delete the data of {name} for good, say --delete-volumes {name}")));
    }
    context.block_on(async {
        let cluster = connect(context).await?.in_namespace(shardset.metadata.namespace.as_str());
        let deletion = Deletion::find(&cluster, &shardset, args.delete_volumes.is_some()).await?;
        if deletion.is_empty() {
            context.ui.print(&format!("there is nothing of {name} to delete\n"));
            deletion.lines().into_iter().for_each(|line| context.ui.say(line));
            return Ok(ExitCode::Done);
        }
        for line in deletion.lines() {
            match args.dry_run {
                DryRun::None => context.ui.say(line),
                DryRun::Client | DryRun::Server => context.ui.print(&format!("{line}\n")),
            }
        }
        if args.dry_run == DryRun::Client {
            return Ok(ExitCode::Done);
        }
        deletion.check(&cluster).await?;
        if args.dry_run == DryRun::Server {
            return Ok(ExitCode::Done);
        }
        let place = cluster.context().unwrap_or("this cluster");
        let question = format!("Delete {name} from {place}? The service goes down.");
        confirm(context, args.yes, &question, "delete")?;
        deletion.carry_out(context, &cluster, args.timeout).await
    })
}

/// What is there of a service, in the order in which it goes.
struct Deletion {
    namespace: String,
    selector: String,
    /// The StatefulSet, services, budget, pools and priority class that are there and ours.
    objects: Vec<Manifest>,
    /// The claims, when the data goes too.
    claims: Vec<Manifest>,
    /// What stays, and why.
    kept: Vec<String>,
    /// The namespace, when it goes too once it is empty.
    home: Option<Manifest>,
}

impl Deletion {
    async fn find(cluster: &Cluster, shardset: &ShardSet, with_volumes: bool) -> Result<Self, CommandError> {
        let namespace = shardset.metadata.namespace.to_string();
        let mut manifests = shardset.manifests(Phase::Explore);
        let stable =
            shardset.manifests(Phase::Stable).into_iter().filter(|manifest| manifest.kind() == "NodePool");
        manifests.extend(stable);
        let order = ["StatefulSet", "Service", "PodDisruptionBudget", "NodePool", "PriorityClass"];
        let place = |kind: &str| order.iter().position(|known| *known == kind);
        manifests.sort_by_key(|manifest| place(manifest.kind()));
        let mut deletion = Self {
            namespace: namespace.clone(),
            selector: shardset.pod_selector(),
            objects: Vec::new(),
            claims: Vec::new(),
            kept: Vec::new(),
            home: None,
        };
        for manifest in manifests {
            let Some(live) = cluster.live(&manifest).await? else { continue };
            let manager = live.pointer("/metadata/labels").and_then(|labels| labels.get(MANAGED_BY_LABEL));
            let is_ours = manager.and_then(|manager| manager.as_str()) == Some("shardctl");
            match manifest.kind() {
                _ if !is_ours => deletion.kept.push(format!("{manifest} stays: it was not made by shardctl")),
                "Namespace" if with_volumes => deletion.home = Some(manifest),
                "Namespace" => deletion.kept.push(format!("{manifest} stays")),
                "PriorityClass" if is_used_by_others(cluster, shardset).await => {
                    deletion.kept.push(format!("{manifest} stays: other services may use it"));
                }
                _ => deletion.objects.push(manifest),
            }
        }
        let claims = claims(cluster, shardset).await?;
        if with_volumes {
            deletion.kept.extend(retained(cluster, &claims).await?);
            deletion.claims = claims;
        } else if !claims.is_empty() {
            let claims = match claims.as_slice() {
                [claim] => format!("{claim} with the data stays"),
                claims => format!("{} claims with the data stay", claims.len()),
            };
            deletion.kept.push(format!("{claims}: --delete-volumes {} deletes them", shardset.metadata.name));
        }
        Ok(deletion)
    }

    fn is_empty(&self) -> bool {
        self.goes().next().is_none()
    }

    /// What is deleted, in order.
    fn goes(&self) -> impl Iterator<Item = &Manifest> {
        self.objects.iter().chain(&self.claims).chain(&self.home)
    }

    /// Lets the server say whether each object may go, before the first one does.
    async fn check(&self, cluster: &Cluster) -> Result<(), CommandError> {
        let mut refusals = Vec::new();
        for manifest in self.goes() {
            match cluster.delete(manifest, true).await {
                Ok(_) => {}
                Err(error) if error.failure == Failure::Forbidden => refusals.push(error.message),
                Err(error) => return Err(error.into()),
            }
        }
        if refusals.is_empty() {
            return Ok(());
        }
        Err(CommandError::refused(format!("{}; nothing was changed", refusals.join("; ")))
            .hint("ask for these rights, or see what you have with `kubectl auth can-i --list`"))
    }

    /// What goes and what stays, a line each.
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.goes().map(|manifest| format!("- {manifest}")).collect();
        lines.extend(self.kept.iter().map(|kept| format!("= {kept}")));
        lines
    }

    async fn carry_out(
        &self,
        context: &Context,
        cluster: &Cluster,
        timeout: Duration,
    ) -> Result<ExitCode, CommandError> {
        let deadline = tokio::time::Instant::now() + timeout;
        let stopped = |error: CommandError| {
            let error = CommandError { exit: ExitCode::Incomplete, ..error };
            error.hint("run the same command again: it goes on where this one stopped")
        };
        for manifest in &self.objects {
            self.remove(context, cluster, manifest).await.map_err(|error| stopped(error.into()))?;
            match manifest.kind() {
                "StatefulSet" => {
                    // Nodes, volumes and budget outlive the pods: a pod may need minutes to put its data down.
                    let pods =
                        async || cluster.names("v1", "Pod", Some(&self.namespace), &self.selector).await;
                    gone(context, "pod", deadline, pods).await.map_err(stopped)?;
                }
                "NodePool" => {
                    // A claim stays until its machine is gone; a node may never have joined.
                    let selector = format!("{NODE_POOL_LABEL}={}", manifest.name());
                    let claims =
                        async || cluster.names("karpenter.sh/v1", "NodeClaim", None, &selector).await;
                    gone(context, "node", deadline, claims).await.map_err(stopped)?;
                }
                _ => {}
            }
        }
        for claim in &self.claims {
            self.remove(context, cluster, claim).await.map_err(|error| stopped(error.into()))?;
        }
        if let Some(home) = &self.home {
            let left = self.others(cluster).await.map_err(|error| stopped(error.into()))?;
            if left.is_empty() {
                self.remove(context, cluster, home).await.map_err(|error| stopped(error.into()))?;
            } else {
                context.ui.say(format!("{home} stays: it holds {}", left.join(", ")));
            }
        }
        Ok(ExitCode::Done)
    }

    async fn remove(
        &self,
        context: &Context,
        cluster: &Cluster,
        manifest: &Manifest,
    ) -> Result<(), RequestError> {
        if cluster.delete(manifest, false).await? {
            context.ui.print(&format!("{manifest} deleted\n"));
        }
        Ok(())
    }

    /// Pods and claims of somebody else in the namespace.
    async fn others(&self, cluster: &Cluster) -> Result<Vec<String>, RequestError> {
        let mut left = Vec::new();
        for kind in ["Pod", "PersistentVolumeClaim"] {
            for name in cluster.names("v1", kind, Some(&self.namespace), "").await? {
                if !self.claims.iter().any(|claim| claim.name() == name) {
                    left.push(format!("{}/{name}", kind.to_lowercase()));
                }
            }
        }
        Ok(left)
    }
}

/// The claims of the service's shards, of any ordinal there ever was, by name.
async fn claims(cluster: &Cluster, shardset: &ShardSet) -> Result<Vec<Manifest>, RequestError> {
    let namespace = shardset.metadata.namespace.as_str();
    let stem = format!("{}-{}-", shardset.spec.storage.claim_name, shardset.metadata.name);
    let names = cluster.names("v1", "PersistentVolumeClaim", Some(namespace), "").await?;
    Ok(names
        .into_iter()
        .filter(|name| name.strip_prefix(&stem).is_some_and(|ordinal| ordinal.parse::<u32>().is_ok()))
        .map(|name| Manifest::reference("v1", "PersistentVolumeClaim", Some(namespace), &name))
        .collect())
}

/// The volumes that outlive their claims, as a line; who may not read volumes is not told.
async fn retained(cluster: &Cluster, claims: &[Manifest]) -> Result<Option<String>, RequestError> {
    let volumes: Vec<Option<String>> = stream::iter(claims)
        .map(|claim| async move {
            let text = |object: Option<Value>, pointer: &str| {
                object.and_then(|object| object.pointer(pointer)?.as_str().map(str::to_owned))
            };
            let Some(name) = text(cluster.live(claim).await?, "/spec/volumeName") else { return Ok(None) };
            let volume = Manifest::reference("v1", "PersistentVolume", None, &name);
            match cluster.live(&volume).await {
                Ok(live) => {
                    let policy = text(live, "/spec/persistentVolumeReclaimPolicy");
                    Ok((policy.as_deref() == Some("Retain")).then_some(name))
                }
                Err(error) if error.failure == Failure::Forbidden => Ok(None),
                Err(error) => Err(error),
            }
        })
        .buffered(CONCURRENT_READS)
        .try_collect()
        .await?;
    let names: Vec<String> = volumes.into_iter().flatten().collect();
    Ok((!names.is_empty()).then(|| {
        format!(
            "{} with the data kept by reclaim policy Retain; after this: `kubectl delete pv {}`, then the disks",
            count(names.len(), "persistent volume"),
            names.join(" ")
        )
    }))
}

/// Whether another service made by shardctl exists; when nobody can tell, it does.
async fn is_used_by_others(cluster: &Cluster, shardset: &ShardSet) -> bool {
    let selector = format!("{MANAGED_BY_LABEL}=shardctl");
    match cluster.names("apps/v1", "StatefulSet", None, &selector).await {
        Ok(names) => names.iter().any(|name| name != shardset.metadata.name.as_str()),
        Err(_) => true,
    }
}

/// `node/a, node/b`.
fn named(what: &str, names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{what}/{name}")).collect();
    names.join(", ")
}

/// `1 pod`, `2 pods`.
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Waits until a list is empty.
async fn gone(
    context: &Context,
    what: &str,
    deadline: tokio::time::Instant,
    list: impl AsyncFn() -> Result<Vec<String>, RequestError>,
) -> Result<(), CommandError> {
    let mut said = 0;
    loop {
        let left = list().await?;
        if left.is_empty() {
            return Ok(());
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(CommandError::incomplete(format!("still there: {}", named(what, &left))));
        }
        if left.len() != said {
            said = left.len();
            context.ui.say(format!("waiting for {} to go", count(said, what)));
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = tokio::signal::ctrl_c() => {
                return Err(CommandError::incomplete(format!("stopped waiting for {} to go", count(said, what))));
            }
        }
    }
}
