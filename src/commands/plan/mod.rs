//! `shardctl plan`

pub(super) mod question;
pub(super) mod values;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::commands::prices::PricesArgs;
use crate::commands::target::{TargetArgs, describe};
use crate::commands::write::replace_file;
use crate::context::Context;
use crate::domain::catalogue::{self, Architecture, Size};
use crate::domain::names::nearest;
use crate::domain::shardset::{ShardSet, repinned};
use crate::domain::sizing::{Choice, OutageModel, Plan, Prefer, share};
use crate::error::{CommandError, ExitCode};
use crate::render::json;
use crate::render::report::Look;
use crate::render::report::plan as render;
use question::{Asked, question, sharers};
use values::{GivenOverhead, parse_overhead, parse_rate, parse_reserved};

/// Nodes that a pool may make beyond those that shards need, unless the command line says otherwise.
const SURGE: u32 = 1;
/// Sizes that are shown, unless the command line says otherwise.
const TOP: usize = 10;

/// Rank the sizes of machine for a service by fit, price and expected outages
///
/// For every size that Node Auto Provisioning may choose: how many shards one machine holds, how many machines Karpenter
/// makes for all of them, what they cost on demand, and how often they take the service down. With a ShardSet file, a
/// region and the overhead of DaemonSets, no cluster is asked. Nothing is changed, except the file with --write.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  shardctl plan -f shardset.yaml
  shardctl plan -f shardset.yaml --region westeurope --daemonset-overhead cpu=500m,memory=800Mi
  shardctl plan kafka -n shop --families E,Das_v5 --prefer outage -o wide
  shardctl plan -f orders.yaml --with search.yaml --with carts.yaml
  shardctl plan -f shardset.yaml --pin=Standard_E16s_v5 --write")]
pub struct PlanArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Azure region of the prices; left out, that of the cluster's nodes
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Architecture of the machines; left out, what the node pool requires, else amd64
    #[arg(long, value_enum)]
    pub arch: Option<Arch>,
    /// Families or series to choose from, E or Eas_v5; left out, what the explore pool allows
    #[arg(long, value_name = "FAMILY,...", value_delimiter = ',')]
    pub families: Vec<String>,
    /// Zones that machines are made in, 1 or eastus-1; left out, those that the node pool names, else three
    #[arg(long, value_name = "ZONE,...", value_delimiter = ',')]
    pub zones: Vec<String>,
    /// Leave out sizes that need more nodes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_nodes: Option<u32>,
    /// What the best size is best at
    #[arg(long, value_enum, default_value_t)]
    pub prefer: PreferArg,
    /// What DaemonSets take on each node: from-cluster, or cpu=500m,memory=800Mi
    #[arg(long, value_name = "OVERHEAD", value_parser = parse_overhead)]
    pub daemonset_overhead: Option<GivenOverhead>,
    /// Pods that a node runs; left out, what the node class says, else 250
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=250))]
    pub max_pods: Option<u32>,
    /// Nodes that the pool may make beyond those that shards need, to replace one
    #[arg(long, value_name = "N", default_value_t = SURGE)]
    pub surge: u32,
    /// Unplanned losses of one node in a year
    #[arg(long, value_name = "RATE", value_parser = parse_rate, default_value_t = OutageModel::default().node_failures_per_year,
        allow_negative_numbers = true)]
    pub node_failures_per_year: f64,
    /// Outages of one zone in a year
    #[arg(long, value_name = "RATE", value_parser = parse_rate, default_value_t = OutageModel::default().zone_outages_per_year,
        allow_negative_numbers = true)]
    pub zone_outages_per_year: f64,
    /// Machines that are reserved already and cost nothing more, as Standard_E16s_v5=4; may be said again
    #[arg(long, value_name = "SIZE=N", value_parser = parse_reserved)]
    pub reserved: Vec<(String, u32)>,
    /// The ShardSet file of another service that shares the pool; may be said again
    #[arg(long, value_name = "FILE", requires = "file", conflicts_with_all = ["pin", "reserved"])]
    pub with: Vec<PathBuf>,
    /// How many sizes to show
    #[arg(long, value_name = "N", default_value_t = TOP)]
    pub top: usize,
    /// Print the stable pool of the ShardSet file pinned to SIZE, or to the best one
    #[arg(long, value_name = "SIZE", num_args = 0..=1, require_equals = true, default_missing_value = "", requires = "file")]
    pub pin: Option<String>,
    /// Write the pinned pool into the ShardSet file, and change nothing else in it
    #[arg(long, requires = "pin")]
    pub write: bool,
    #[command(flatten)]
    pub prices: PricesArgs,
    /// How to print it
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: PlanOutput,
}

impl Default for PlanArgs {
    /// What the command line says when nothing is said on it.
    fn default() -> Self {
        let outages = OutageModel::default();
        Self {
            target: TargetArgs::default(),
            region: None,
            arch: None,
            families: Vec::new(),
            zones: Vec::new(),
            max_nodes: None,
            prefer: PreferArg::default(),
            daemonset_overhead: None,
            max_pods: None,
            surge: SURGE,
            node_failures_per_year: outages.node_failures_per_year,
            zone_outages_per_year: outages.zone_outages_per_year,
            reserved: Vec::new(),
            with: Vec::new(),
            top: TOP,
            pin: None,
            write: false,
            prices: PricesArgs::default(),
            output: PlanOutput::default(),
        }
    }
}

/// An architecture on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arch {
    Amd64,
    Arm64,
}

impl From<Arch> for Architecture {
    fn from(arch: Arch) -> Self {
        match arch {
            Arch::Amd64 => Self::Amd64,
            Arch::Arm64 => Self::Arm64,
        }
    }
}

/// A preference on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PreferArg {
    /// The lowest price
    #[default]
    Price,
    /// The fewest outages in a year
    Outage,
    /// The fewest nodes
    FewestNodes,
}

impl From<PreferArg> for Prefer {
    fn from(prefer: PreferArg) -> Self {
        match prefer {
            PreferArg::Price => Self::Price,
            PreferArg::Outage => Self::Outage,
            PreferArg::FewestNodes => Self::FewestNodes,
        }
    }
}

/// The formats of `shardctl plan`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanOutput {
    /// The answer in a sentence, the best sizes, and what would save nodes
    #[default]
    Table,
    /// Every column: the plan's figure, the real one, stranded room, limits of a pool
    Wide,
    /// The exact facts as one PlanReport, with every size that is out and why
    Json,
    /// The same as YAML
    Yaml,
}

/// Runs `shardctl plan`.
///
/// # Errors
/// When the service cannot be read, something is not known and not given, or no size holds a shard.
pub fn run(context: &Context, args: &PlanArgs) -> Result<ExitCode, CommandError> {
    context.block_on(async {
        let Asked { plan, shardset } = question(context, args).await?;
        if !args.with.is_empty() {
            return show_shared(context, args, &sharers(context, args, plan).await?);
        }
        let zones = zones(plan.market.region.name(), &args.zones)?;
        let reserved = reserved(&plan, &args.reserved)?;
        let plan = if reserved.is_empty() { plan } else { plan.with_reserved(&reserved) };
        match (&args.pin, &shardset) {
            (Some(size), Some(shardset)) => pin(context, args, shardset, pinned(&plan, size)?, &zones),
            _ => show(context, args, &plan),
        }
    })
}

fn show(context: &Context, args: &PlanArgs, plan: &Plan) -> Result<ExitCode, CommandError> {
    let look = context.ui.look();
    let text = match args.output {
        PlanOutput::Table => render::table(plan, look, args.top),
        PlanOutput::Wide => render::wide(plan, look, args.top),
        PlanOutput::Json => json::json(&render::report(plan, args.top)),
        PlanOutput::Yaml => json::yaml(&render::report(plan, args.top)),
    };
    if plan.best().is_none() && matches!(args.output, PlanOutput::Table | PlanOutput::Wide) {
        return Err(nothing_fits(plan));
    }
    context.ui.print(&text);
    Ok(if plan.best().is_some() { ExitCode::Done } else { ExitCode::Failed })
}

/// Several services on one pool.
fn show_shared(context: &Context, args: &PlanArgs, plans: &[Plan]) -> Result<ExitCode, CommandError> {
    let sharing = share(plans);
    let look = context.ui.look();
    let text = match args.output {
        PlanOutput::Table => render::shared_table(plans, &sharing, look, args.top),
        PlanOutput::Wide => render::shared_table(plans, &sharing, Look { width: None, ..look }, args.top),
        PlanOutput::Json => json::json(&render::shared_report(plans, &sharing, args.top)),
        PlanOutput::Yaml => json::yaml(&render::shared_report(plans, &sharing, args.top)),
    };
    if sharing.choices.is_empty() && matches!(args.output, PlanOutput::Table | PlanOutput::Wide) {
        let alone = plans.iter().find(|plan| plan.best().is_none());
        return Err(match alone {
            Some(plan) => nothing_fits(plan),
            None => CommandError::failed("no size fits all of them")
                .hint("plan them on pools of their own; `-o json` says which of them rules a size out"),
        });
    }
    context.ui.print(&text);
    Ok(if sharing.choices.is_empty() { ExitCode::Failed } else { ExitCode::Done })
}

/// Why there is no answer, and what to change.
fn nothing_fits(plan: &Plan) -> CommandError {
    let reasons: Vec<String> =
        plan.left_out().into_iter().map(|(sort, count)| format!("{count} {sort}")).collect();
    let requests = plan.demand.requests;
    let error = CommandError::failed(format!(
        "no size fits a shard of {} CPU and {}: {}",
        requests.cpu,
        requests.memory,
        reasons.join(", ")
    ));
    match plan.largest_too_small() {
        Some(size) => error.hint(format!(
            "the largest of those that are too small, {}, has {} CPU and {}Gi: request less, or widen --families, --arch, --max-nodes",
            size.name, size.vcpus, size.memory_gib
        )),
        None => error.hint("widen --families, --arch or --max-nodes; `-o json` says why each size is out"),
    }
}

/// The zones as their label on nodes names them: `eastus-1`, which may be written as 1.
fn zones(region: &str, given: &[String]) -> Result<Vec<String>, CommandError> {
    let is_number = |zone: &str| !zone.is_empty() && zone.bytes().all(|byte| byte.is_ascii_digit());
    let mut zones = Vec::new();
    for zone in given {
        let number = zone.strip_prefix(region).and_then(|rest| rest.strip_prefix('-')).unwrap_or(zone);
        if !is_number(number) {
            return Err(CommandError::usage(format!("{region} has no zone `{zone}`"))
                .hint(format!("write 1 or {region}-1")));
        }
        let zone = format!("{region}-{number}");
        if zones.contains(&zone) {
            return Err(
                CommandError::usage(format!("zone {zone} is named twice")).hint("name each zone once")
            );
        }
        zones.push(zone);
    }
    Ok(zones)
}

/// The sizes of the reserved machines; each must be one that can be used.
fn reserved(plan: &Plan, given: &[(String, u32)]) -> Result<Vec<(&'static Size, u32)>, CommandError> {
    let of = |(size, nodes): &(String, u32)| Ok((usable(plan, size)?.size, *nodes));
    given.iter().map(of).collect()
}

/// The size to pin the pool to.
fn pinned<'a>(plan: &'a Plan, size: &str) -> Result<&'a Choice, CommandError> {
    if size.is_empty() {
        return plan.best().ok_or_else(|| nothing_fits(plan));
    }
    usable(plan, size)
}

/// What was found of a size that somebody named.
fn usable<'a>(plan: &'a Plan, size: &str) -> Result<&'a Choice, CommandError> {
    if let Some(choice) = plan.choice(size) {
        return Ok(choice);
    }
    if let Some((_, out)) = plan.sizing.out.iter().find(|(known, _)| known.name == size) {
        return Err(CommandError::refused(format!("{size} cannot be used: {out}"))
            .hint("`shardctl plan -f FILE` shows sizes that can, `-o json` why others cannot"));
    }
    let error = CommandError::usage(format!("there is no size `{size}` that Node Auto Provisioning chooses"));
    Err(match nearest(size, catalogue::sizes().iter().map(|size| size.name)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint("write a size as Azure does: Standard_E16s_v5"),
    })
}

/// Prints the pinned pool as it stands in a ShardSet file, or writes it there.
fn pin(
    context: &Context,
    args: &PlanArgs,
    shardset: &ShardSet,
    choice: &Choice,
    zones: &[String],
) -> Result<ExitCode, CommandError> {
    let stable = &shardset.spec.nodes.stable;
    let pool = stable.pinned_to(choice.size.name, choice.limits).in_zones(zones);
    let snippet = render::pool(&pool);
    let path = args.target.file.as_deref().filter(|path| *path != Path::new("-"));
    let (true, Some(path)) = (args.write, path) else {
        if args.write {
            return Err(CommandError::usage("standard input cannot be written to")
                .hint("name the file with -f, or paste what --pin prints without --write"));
        }
        context.ui.print(&snippet);
        return Ok(ExitCode::Done);
    };
    let shown = path.display();
    let failed = |what: &str, error: &std::io::Error| {
        CommandError::failed(format!("{what} {shown}: {}", describe(error)))
            .hint("paste what --pin prints without --write")
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed("read", &error))?;
    let Some(written) = repinned(&text, shardset, &pool) else {
        return Err(CommandError::refused(format!(
            "{shown} is written in a form that cannot be changed with certainty; it was not touched"
        ))
        .hint(format!("put this in its place under spec.nodes by hand:\n{snippet}")));
    };
    if written == text {
        context.ui.print(&format!("{shown} is pinned to {} already\n", choice.size.name));
        return Ok(ExitCode::Done);
    }
    replace_file(path, &written).map_err(|error| failed("write", &error))?;
    context.ui.print(&format!(
        "{shown}: the stable pool is pinned to {}, limits {} CPU and {}\n",
        choice.size.name, choice.limits.cpu, choice.limits.memory
    ));
    Ok(ExitCode::Done)
}
