//! `shardctl init`

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::target::{connect, describe, named};
use crate::context::Context;
use crate::domain::names::{DnsLabel, parse_workload};
use crate::domain::shardset::manifests::PHASE_ANNOTATION;
use crate::domain::shardset::{NodeClassRef, Phase, ShardSet, adopt, json_schema, to_commented_yaml};
use crate::error::{CommandError, ExitCode};

/// Write a ShardSet file with comments
///
/// Without options it describes the tutorial's system: ten shards of 4 CPU and 32Gi, a 100Gi volume each.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    shardctl init > shardset.yaml\n  \
    shardctl init --from statefulset/kafka -n shop --file kafka.yaml\n  \
    shardctl init --node-class KWOKNodeClass.karpenter.kwok.sh/default > demo.yaml")]
pub struct InitArgs {
    /// Describe this StatefulSet of the cluster
    #[arg(long, value_name = "STATEFULSET", value_parser = parse_workload)]
    from: Option<String>,
    /// Name of the service
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    name: Option<DnsLabel>,
    /// Image of the shard
    #[arg(long, value_name = "IMAGE", conflicts_with = "from")]
    image: Option<String>,
    /// Storage class of the volumes
    #[arg(long, value_name = "NAME")]
    storage_class: Option<String>,
    /// Node class of the node pools, as KIND.GROUP/NAME
    #[arg(long, value_name = "CLASS", value_parser = parse_node_class)]
    node_class: Option<NodeClassRef>,
    /// Write to this file, which must not exist, instead of standard output
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print the JSON Schema of the ShardSet file instead, for editors
    #[arg(long, exclusive = true)]
    schema: bool,
}

/// Reads `KIND.GROUP/NAME`, as in `AKSNodeClass.karpenter.azure.com/default`.
fn parse_node_class(text: &str) -> Result<NodeClassRef, String> {
    let parts = text.split_once('/').and_then(|(kind, name)| Some((kind.split_once('.')?, name)));
    match parts {
        Some(((kind, group), name)) if !kind.is_empty() && !group.is_empty() && !name.is_empty() => {
            Ok(NodeClassRef { group: group.to_owned(), kind: kind.to_owned(), name: name.to_owned() })
        }
        _ => Err("write KIND.GROUP/NAME, for example AKSNodeClass.karpenter.azure.com/default".to_owned()),
    }
}

/// Runs `shardctl init`.
///
/// # Errors
/// When the StatefulSet to describe cannot be read, or the file exists already.
pub fn run(context: &Context, args: &InitArgs) -> Result<ExitCode, CommandError> {
    if args.schema {
        let schema = serde_json::to_string_pretty(&json_schema()).context("write the schema")?;
        context.ui.print(&format!("{schema}\n"));
        return Ok(ExitCode::Done);
    }
    context.block_on(async {
        let (mut shardset, phase) = match &args.from {
            Some(name) => described(context, name).await?,
            None => (template(context, args)?, Phase::Explore),
        };
        if let Some(class) = &args.storage_class {
            shardset.spec.storage.storage_class_name.clone_from(class);
        }
        if let Some(class) = &args.node_class {
            shardset.spec.nodes.node_class_ref.clone_from(class);
        }
        let yaml = to_commented_yaml(&shardset).context("write the ShardSet")?;
        write(context, args, &yaml, phase)
    })
}

fn template(context: &Context, args: &InitArgs) -> Result<ShardSet, CommandError> {
    let mut shardset = ShardSet::tutorial();
    if let Some(name) = &args.name {
        shardset.rename(name);
    }
    if let Some(namespace) = &context.global.namespace {
        shardset.metadata.namespace = namespace
            .parse()
            .map_err(|error| CommandError::usage(error).hint("choose another with --namespace NAME"))?;
    }
    if let Some(image) = &args.image {
        shardset.spec.shard.image.clone_from(image);
    }
    Ok(shardset)
}

/// A ShardSet for what runs, and the phase that it is in.
async fn described(context: &Context, name: &str) -> Result<(ShardSet, Phase), CommandError> {
    let cluster = connect(context).await?;
    let target = named(&cluster, name);
    let found = match cluster.adoptable(&target.reference).await {
        Ok(found) => found,
        Err(error) => return Err(target.explain_missing(error).await),
    };
    let (shardset, notes) = adopt(&found).map_err(|problem| {
        CommandError::refused(format!("{} cannot be described: {problem}", target.reference))
            .hint("start from the file that `shardctl init` writes, and fill in what this one has")
    })?;
    for note in notes {
        context.ui.say(format!("{} {note}", context.ui.err_style().warning("note:")));
    }
    let phase = match found.workload.annotations.get(PHASE_ANNOTATION).map(String::as_str) {
        Some("explore") => Phase::Explore,
        // What somebody else made on a pool of its own is nearest to the pinned pool.
        _ => Phase::Stable,
    };
    Ok((shardset, phase))
}

fn write(context: &Context, args: &InitArgs, yaml: &str, phase: Phase) -> Result<ExitCode, CommandError> {
    let Some(path) = &args.file else {
        context.ui.print(yaml);
        return Ok(ExitCode::Done);
    };
    let shown = path.display();
    let created = std::fs::File::create_new(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, yaml.as_bytes()));
    match created {
        Ok(()) => {
            let dry_run = if args.from.is_some() { " --dry-run=server" } else { "" };
            context.ui.say(format!(
                "wrote {shown}; look it over, then run `shardctl deploy -f {shown} --phase {phase}{dry_run}`"
            ));
            Ok(ExitCode::Done)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(CommandError::refused(format!("{shown} exists already and was left as it is"))
                .hint("name another with --file, or remove it first"))
        }
        Err(error) => Err(CommandError::failed(format!("write {shown}: {}", describe(&error)))
            .hint("name another with --file, or leave it out to print the file")),
    }
}
