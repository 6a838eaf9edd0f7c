//! `shardctl deploy`

mod follow;
mod plan;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};

use super::confirm::confirm;
use super::target::{connect, read_shardset};
use crate::context::Context;
use crate::domain::names::{WorkloadRef, pods_in_short};
use crate::domain::prerequisites::{Obstacle, obstacles};
use crate::domain::shardset::manifests::Manifest;
use crate::domain::shardset::{Phase, ShardSet};
use crate::domain::snapshot::Snapshot;
use crate::error::{CommandError, ExitCode};
use crate::k8s::{ApplyOptions, Cluster, RequestError, Scope};
use crate::options::parse_duration;
use crate::render::report::deploy as report;
use plan::{ObjectPlan, Plan};

/// Apply a ShardSet and wait until every shard is up
///
/// Checks what must hold, shows what will change, asks, applies by server-side apply, and waits for every shard to
/// be Ready and healthy by its own endpoint. Running shards are never touched: a changed template reaches a shard
/// when it restarts, which `shardctl migrate` and `shardctl upgrade` see to.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    shardctl deploy -f shardset.yaml --phase explore\n  \
    shardctl deploy -f shardset.yaml --phase stable --dry-run=server\n  \
    shardctl deploy -f shardset.yaml --phase explore -o yaml | kubectl apply --server-side -f -")]
pub struct DeployArgs {
    /// The ShardSet file; - reads standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Which node pool the shards belong on
    #[arg(long, value_enum)]
    phase: Phase,
    /// Print the objects for other tools, and do nothing else
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<ManifestFormat>,
    /// client: name the objects without asking the server; server: let it check them and show what would change
    #[arg(long, value_enum, value_name = "MODE", default_value_t = DryRun::None, default_missing_value = "client",
        num_args = 0..=1, require_equals = true)]
    dry_run: DryRun,
    /// Apply without asking
    #[arg(short, long)]
    yes: bool,
    /// Take over objects and fields that other managers own
    #[arg(long)]
    force_conflicts: bool,
    /// Return once the objects are applied
    #[arg(long)]
    no_wait: bool,
    /// Longest wait for all shards to be up
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_duration)]
    timeout: Duration,
}

/// Formats of rendered objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ManifestFormat {
    Yaml,
    Json,
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    None,
    Client,
    Server,
}

/// Runs `shardctl deploy`.
///
/// # Errors
/// When something stands in the way (nothing was changed), an object is refused part-way, or the shards do not come
/// up in time.
pub fn run(context: &Context, args: &DeployArgs) -> Result<ExitCode, CommandError> {
    let shardset = read_shardset(&args.file, context)?;
    let manifests = shardset.manifests(args.phase);
    if let Some(format) = args.output {
        context.ui.print(&render(&manifests, format)?);
        return Ok(ExitCode::Done);
    }
    if args.dry_run == DryRun::Client {
        for manifest in &manifests {
            context.ui.print(&format!("{manifest} applied (dry run)\n"));
        }
        return Ok(ExitCode::Done);
    }
    context.block_on(deploy(context, args, &shardset, &manifests))
}

async fn deploy(
    context: &Context,
    args: &DeployArgs,
    shardset: &ShardSet,
    manifests: &[Manifest],
) -> Result<ExitCode, CommandError> {
    let ui = &context.ui;
    let namespace = shardset.metadata.namespace.as_str();
    let cluster = connect(context).await?.in_namespace(namespace);
    let reference = WorkloadRef { namespace: namespace.to_owned(), name: shardset.metadata.name.to_string() };
    cluster.server_version().await?;

    let live = live_snapshot(&cluster, &reference).await;
    let mut facts = cluster.prerequisites(shardset, manifests).await;
    facts.existing_shards = live.as_ref().ok().and_then(Option::as_ref).map_or(0, |live| {
        u32::try_from(live.shards.iter().filter(|shard| shard.pod.is_some()).count()).unwrap_or(u32::MAX)
    });
    let found = obstacles(&facts, shardset, args.phase);
    let is_fatal = |obstacle: &&Obstacle| obstacle.is_fatal;
    ui.say_block(&report::obstacles(found.iter().filter(is_fatal), ui.err_style()));
    refuse_obstacles(&found)?;
    // Only now: who may not read the workload is told every right that is missing, not the first one.
    let live = live?;

    let plan = Plan::make(&cluster, manifests, args.force_conflicts).await?;
    let where_to = destination(&cluster, &reference);
    let armed = plan.arms(live.as_ref());
    if args.dry_run == DryRun::Server {
        ui.say_block(&report::obstacles(&found, ui.err_style()));
        ui.print(&report::plan(&plan.summary(), &where_to, armed, ui.style()));
        plan.refuse_blocked()?;
        return Ok(ExitCode::Done);
    }
    if plan.changes_nothing() {
        ui.print(&format!("{reference} is as {} says; nothing was changed\n", args.file.display()));
    } else {
        ui.say_block(&report::obstacles(&found, ui.err_style()));
        ui.say_block(&report::plan(&plan.summary(), &where_to, armed, ui.err_style()));
        plan.refuse_blocked()?;
        let question = match cluster.context() {
            Some(name) => format!("Apply to context {name}?"),
            None => "Apply?".to_owned(),
        };
        confirm(context, args.yes, &question, "apply")?;
        apply(context, &cluster, &plan, args.force_conflicts).await?;
    }
    if args.no_wait {
        return Ok(ExitCode::Done);
    }
    let pool = shardset.pool(args.phase).name.as_str();
    let exit = follow::until_up(context, &cluster, &reference, pool, args.timeout).await?;
    say_if_armed(context, &cluster, &reference, args.phase).await?;
    Ok(exit)
}

/// The workload as it runs now; none when it does not.
async fn live_snapshot(cluster: &Cluster, reference: &WorkloadRef) -> Result<Option<Snapshot>, RequestError> {
    match cluster.snapshot(reference, Scope::default()).await {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn refuse_obstacles(found: &[Obstacle]) -> Result<(), CommandError> {
    match found.iter().filter(|obstacle| obstacle.is_fatal).count() {
        0 => Ok(()),
        1 => Err(CommandError::refused("the deployment cannot work; nothing was changed")
            .hint("see to what is named above, and run the same command again")),
        many => Err(CommandError::refused(format!(
            "the deployment cannot work for {many} reasons; nothing was changed"
        ))
        .hint("see to each of them, and run the same command again")),
    }
}

/// Where the objects go, so that nobody deploys to another cluster than they think.
fn destination(cluster: &Cluster, reference: &WorkloadRef) -> String {
    match cluster.context() {
        Some(context) => format!("context {context}, namespace {}", reference.namespace),
        None => format!("this cluster, namespace {}", reference.namespace),
    }
}

async fn apply(context: &Context, cluster: &Cluster, plan: &Plan, force: bool) -> Result<(), CommandError> {
    let mut done = Vec::new();
    for object in plan.objects() {
        let (verb, force) = match &object.plan {
            ObjectPlan::Create { .. } => ("created", force),
            ObjectPlan::Change { force, .. } => ("configured", *force),
            ObjectPlan::Same => ("unchanged", false),
            ObjectPlan::LeftAlone { .. } | ObjectPlan::Blocked { .. } => continue,
        };
        if verb != "unchanged" {
            let options = ApplyOptions { dry_run: false, force };
            if let Some(first) = &object.first {
                cluster
                    .merge(&object.manifest, first, options)
                    .await
                    .map_err(|error| stopped(&done, error))?;
                done.push(format!("the update strategy of {}", object.manifest));
            }
            cluster.apply(&object.manifest, options).await.map_err(|error| stopped(&done, error))?;
            done.push(object.manifest.to_string());
        }
        context.ui.print(&format!("{} {verb}\n", object.manifest));
    }
    Ok(())
}

/// An apply that failed: nothing was changed, or some objects were.
fn stopped(done: &[String], error: RequestError) -> CommandError {
    if done.is_empty() {
        let error = CommandError::from(error);
        return CommandError { exit: ExitCode::Failed, ..error }.hint("nothing was changed");
    }
    CommandError::incomplete(format!("{error}; applied before it: {}", done.join(", ")))
        .hint("mend the cause and run the same command again: it goes on where this one stopped")
}

/// After an apply: whether shards still run another template, which is a restart away from them.
async fn say_if_armed(
    context: &Context,
    cluster: &Cluster,
    reference: &WorkloadRef,
    phase: Phase,
) -> Result<(), CommandError> {
    let snapshot = cluster.snapshot(reference, Scope::default()).await?;
    let armed = snapshot.armed_shards();
    if !armed.is_empty() {
        let shards = pods_in_short(&reference.name, &armed);
        context.ui.say_block(&report::armed(&shards, armed.len(), phase, context.ui.err_style()));
    }
    Ok(())
}

fn render(manifests: &[Manifest], format: ManifestFormat) -> Result<String, CommandError> {
    match format {
        ManifestFormat::Yaml => {
            let mut documents = Vec::new();
            for manifest in manifests {
                documents.push(serde_saphyr::to_string(&manifest.object).context("write YAML")?);
            }
            Ok(documents.join("---\n"))
        }
        ManifestFormat::Json => {
            let items: Vec<_> = manifests.iter().map(|manifest| &manifest.object).collect();
            let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
            Ok(serde_json::to_string_pretty(&list).context("write JSON")? + "\n")
        }
    }
}
