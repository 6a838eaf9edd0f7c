//! `shardctl upgrade`

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::rolling::{RollingArgs, arming, carry_out, find, freeze_all, open_run, room_for};
use super::target::{Target, TargetArgs};
use crate::context::Context;
use crate::domain::names::nearest;
use crate::domain::quantity::Quantity;
use crate::domain::rolling::{Goal, Operation, Order, Rollout, Wish, prepare};
use crate::domain::shardset::Phase;
use crate::domain::snapshot::Snapshot;
use crate::domain::verify::Facts;
use crate::error::{CommandError, ExitCode};
use crate::k8s::Scope;

/// How long the service must have been up before the next shard takes the template, as in the tutorial.
const SETTLE: Duration = Duration::from_secs(30);

/// Roll a new template through the shards, gated and undoable
///
/// Pulls the image on the nodes first, then gives the StatefulSet its template and moves the shards wave by wave, each
/// wave only when every shard is up and says so itself. At the end the digests of all shards are compared.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    shardctl upgrade kafka -n shop --image registry.example/kafka:3.9.1 --strategy canary\n  \
    shardctl upgrade -f shardset.yaml\n  \
    shardctl upgrade kafka -n shop --set-resources cpu=4,memory=26Gi")]
pub struct UpgradeArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// The new image, with a tag that never moves or a digest; CONTAINER=REF where the pod has several containers
    #[arg(long, value_name = "REF")]
    image: Option<String>,
    /// New requests and limits of a shard, both alike: cpu=4,memory=26Gi
    #[arg(long, value_name = "AMOUNTS", value_parser = parse_resources)]
    set_resources: Option<Amounts>,
    #[command(flatten)]
    rolling: RollingArgs,
}

/// Amounts by resource name, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Amounts(Vec<(String, String)>);

fn parse_resources(text: &str) -> Result<Amounts, String> {
    let amounts = text.split(',').map(|part| {
        let (name, amount) =
            part.split_once('=').ok_or_else(|| format!("`{part}`: write cpu=4,memory=26Gi"))?;
        if !matches!(name, "cpu" | "memory") {
            return Err(format!("`{name}` is neither cpu nor memory"));
        }
        let quantity: Quantity = amount.parse().map_err(|error| format!("{name}: {error}"))?;
        match quantity.is_positive() {
            true => Ok((name.to_owned(), amount.to_owned())),
            false => Err(format!("{name}: {amount} is not more than nothing")),
        }
    });
    amounts.collect::<Result<Vec<_>, String>>().map(Amounts)
}

/// Runs `shardctl upgrade`.
///
/// # Errors
/// When it is refused (nothing was changed) or stops part-way.
pub fn run(context: &Context, args: &UpgradeArgs) -> Result<ExitCode, CommandError> {
    context.block_on(upgrade(context, args))
}

async fn upgrade(context: &Context, args: &UpgradeArgs) -> Result<ExitCode, CommandError> {
    if args.image.is_none() && args.set_resources.is_none() && args.target.file.is_none() {
        return Err(CommandError::usage("what is new is not said")
            .hint("say --image REF, --set-resources cpu=..,memory=.., or -f FILE"));
    }
    let target = args.target.resolve(context).await?;
    let found = find(&target, context.now()).await?;
    let snapshot = &found.snapshot;
    let (template, what) = template(args, &target, snapshot)?;
    let arming = arming(&target, template, &[], args.rolling.dry_run).await?;
    let revision = match &arming {
        Some(arming) => target.cluster.revision_of(&target.reference, arming).await?,
        None => Some(snapshot.workload.update_revision.clone()),
    };
    let holds = freeze_all(context, &target, snapshot, None, args.rolling.force_conflicts).await?;
    let wish = Wish {
        operation: Operation::Upgrade { what },
        snapshot,
        by: found.by.clone(),
        policy: args.rolling.policy(snapshot, target.shardset.as_ref(), SETTLE)?,
        order: args.rolling.order(Order::Descending),
        goal: Goal { revision, node_pool: None, avoid_nodes: BTreeSet::new() },
        arming,
        holds,
        forecast: found.forecast(&args.rolling),
        empties_nodes: false,
        allows_zero_grace_period: args.rolling.allow_zero_grace_period,
    };
    let Some(run) = prepare(wish, found.now)? else {
        context.ui.print(&format!("{} has that template already; nothing was changed\n", target.reference));
        return Ok(ExitCode::Done);
    };
    let before = open_run(&found, &run)?;
    let run = room_for(&target, &args.rolling, snapshot, run).await?;
    let exit = carry_out(context, &target, &args.rolling, &found, run, before).await?;
    if exit == ExitCode::Done && args.rolling.dry_run == super::rolling::DryRun::None {
        return compare_digests(context, &target).await;
    }
    Ok(exit)
}

/// One tag may stand for several images: what really runs is the digest.
async fn compare_digests(context: &Context, target: &Target) -> Result<ExitCode, CommandError> {
    let rollout = Rollout::of(&target.snapshot(Scope::default()).await?);
    let digests = rollout.digests();
    match digests.as_slice() {
        [] => Ok(ExitCode::Done),
        [(digest, shards)] => {
            context.ui.say(format!("all {} shards run {digest}", shards.len()));
            Ok(ExitCode::Done)
        }
        mixed => {
            for (digest, shards) in mixed {
                let pods = crate::domain::names::pods_in_short(&target.reference.name, shards);
                context.ui.say(format!("{} {pods} run {digest}", context.ui.err_style().danger("mixed:")));
            }
            Ok(ExitCode::Findings)
        }
    }
}

/// The template that the shards shall have, and what is new about it, in words.
fn template(
    args: &UpgradeArgs,
    target: &Target,
    snapshot: &Snapshot,
) -> Result<(Value, String), CommandError> {
    let mut what = Vec::new();
    let mut template = match &target.shardset {
        Some(shardset) => {
            what.push("as the file says".to_owned());
            let facts = Facts { shardset: Some(shardset), ..Facts::new(snapshot) };
            let phase = facts.phase().ok().flatten().unwrap_or(Phase::Explore);
            let manifests = shardset.manifests(phase);
            let set = manifests.iter().find(|manifest| manifest.kind() == "StatefulSet");
            set.and_then(|set| set.object.pointer("/spec/template").cloned()).unwrap_or_default()
        }
        None => snapshot.workload.template.object.clone(),
    };
    if let Some(image) = &args.image {
        let (container, image) = match image.split_once('=') {
            Some((container, image)) => (Some(container), image),
            None => (None, image.as_str()),
        };
        let container = container_of(&mut template, container)?;
        container["image"] = json!(image);
        what.push(format!("image {image}"));
    }
    if let Some(Amounts(amounts)) = &args.set_resources {
        let container = container_of(&mut template, None)?;
        for (name, amount) in amounts {
            for kind in ["requests", "limits"] {
                container["resources"][kind][name] = json!(amount);
            }
            what.push(format!("{name} {amount}"));
        }
    }
    Ok((template, what.join(", ")))
}

/// The container that is meant: the one named, or the only one.
fn container_of<'a>(template: &'a mut Value, name: Option<&str>) -> Result<&'a mut Value, CommandError> {
    let containers = template.pointer_mut("/spec/containers").and_then(Value::as_array_mut);
    let Some(containers) = containers else {
        return Err(CommandError::refused("the template has no containers"));
    };
    let text = |container: &Value| container["name"].as_str().unwrap_or_default().to_owned();
    let names: Vec<String> = containers.iter().map(text).collect();
    let index = match name {
        None if names.len() == 1 => 0,
        None => {
            return Err(CommandError::usage(format!("the pod has {} containers: which one?", names.len()))
                .hint(format!("write CONTAINER=REF with one of {}", names.join(", "))));
        }
        Some(name) => names.iter().position(|known| known == name).ok_or_else(|| {
            let error = CommandError::usage(format!("the template has no container {name}"));
            match nearest(name, names.iter().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error.hint(format!("it has {}", names.join(", "))),
            }
        })?,
    };
    containers.get_mut(index).ok_or_else(|| CommandError::refused("the template has no containers"))
}
