//! `shardctl vpa-report`

mod create;
mod patch;

use clap::{Args, ValueEnum};

use super::deploy::DryRun;
use super::plan::PlanArgs;
use super::plan::question::Matter;
use super::plan::values::{GivenOverhead, parse_overhead};
use super::prices::{PriceSources, find_region};
use super::target::TargetArgs;
use crate::context::Context;
use crate::domain::snapshot::Snapshot;
use crate::domain::vpa::{Autoscalers, Effect, Terms, effect, judge, right_sized};
use crate::error::{CommandError, ExitCode};
use crate::k8s::Scope;
use crate::render::json;
use crate::render::report::vpa::{self as render, NoEffect};

/// Show what the VPA recommends, whether to believe it, and what it would change
///
/// For each container: request, recommendation and its bounds, how much data it rests on, and the worst shard, which one
/// recommendation for all hides. From them comes a proposal with requests and limits alike, and what it changes in shards per
/// node, nodes and money. Nothing is changed without --patch or --create-vpa, and a running shard by neither.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  shardctl vpa-report kafka -n shop
  shardctl vpa-report kafka -n shop --create-vpa
  shardctl vpa-report -f shardset.yaml --headroom 25
  shardctl vpa-report -f shardset.yaml --patch && shardctl upgrade -f shardset.yaml --dry-run")]
pub struct VpaReportArgs {
    #[command(flatten)]
    pub target: TargetArgs,
    /// Percent that memory is above the peak of the worst shard
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, allow_negative_numbers = true,
        default_value_t = Terms::default().headroom_percent)]
    pub headroom: u32,
    /// Round CPU up to whole cores, as if the nodes ran the static CPU manager; left out, as the node class says
    #[arg(long)]
    pub whole_cores: bool,
    /// Azure region of the prices; left out, that of the cluster's nodes
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// What DaemonSets take on each node: from-cluster, or cpu=500m,memory=800Mi
    #[arg(long, value_name = "OVERHEAD", value_parser = parse_overhead)]
    pub daemonset_overhead: Option<GivenOverhead>,
    /// Write the proposal into the ShardSet file; without -f, print the command that applies it
    #[arg(long)]
    pub patch: bool,
    /// With --patch: take the proposal although the recommendation is doubted
    #[arg(long, requires = "patch")]
    pub despite_doubts: bool,
    /// Create a VerticalPodAutoscaler in mode Off when there is none: it watches, and changes nothing
    #[arg(long, conflicts_with = "patch")]
    pub create_vpa: bool,
    /// With --patch or --create-vpa: change nothing; client: show what would change; server: let it check that, too
    #[arg(long, value_enum, value_name = "MODE", default_value_t = DryRun::None, default_missing_value = "client",
        num_args = 0..=1, require_equals = true)]
    pub dry_run: DryRun,
    /// Create the VerticalPodAutoscaler without asking
    #[arg(short, long)]
    pub yes: bool,
    /// How to print it
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: VpaReportOutput,
}

/// The formats of `shardctl vpa-report`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum VpaReportOutput {
    /// The answer in a sentence, request and recommendation side by side, what to know, and the proposal
    #[default]
    Table,
    /// Every column, and what each shard uses
    Wide,
    /// The exact facts as one VpaReport
    Json,
    /// The same as YAML
    Yaml,
}

/// Reads `15` or `15%`.
fn parse_percent(text: &str) -> Result<u32, String> {
    match text.strip_suffix('%').unwrap_or(text).parse() {
        Ok(percent) if percent <= 400 => Ok(percent),
        _ => Err("write a percentage from 0 to 400, for example 15".to_owned()),
    }
}

/// Runs `shardctl vpa-report`.
///
/// # Errors
/// When the workload or its pods cannot be read, or what was asked for beyond the report cannot be done.
pub fn run(context: &Context, args: &VpaReportArgs) -> Result<ExitCode, CommandError> {
    context.block_on(report(context, args))
}

async fn report(context: &Context, args: &VpaReportArgs) -> Result<ExitCode, CommandError> {
    if let Some(region) = &args.region {
        find_region(region)?;
    }
    let target = args.target.resolve(context).await?;
    let snapshot = target.snapshot(Scope { nodes: true, ..Scope::default() }).await?;
    let observed = target.cluster.vertical_scaling(&snapshot).await;
    let matter = Matter::of_running(&target, &snapshot).await;
    let whole_cores = args.whole_cores || matter.as_ref().is_ok_and(Matter::has_static_cpus);
    let judged = judge(observed, Terms { headroom_percent: args.headroom, whole_cores });
    if args.patch {
        return patch::patch(context, args, &target, &judged);
    }
    let plan_args = PlanArgs {
        region: args.region.clone(),
        daemonset_overhead: args.daemonset_overhead,
        ..PlanArgs::default()
    };
    let prices = PriceSources::read(context, &plan_args.prices)?.book();
    let effect = right_sized(&judged).map(|proposed| {
        let plan = matter.and_then(|matter| matter.plan(&plan_args, prices))?;
        let current = plan.pinned.clone().or_else(|| size_now(&snapshot));
        Ok::<Effect, CommandError>(effect(&plan, judged.observed.requests, proposed, current.as_deref()))
    });
    // What the cluster does not tell is a part of the report that is not known.
    let effect = effect.map(|effect| effect.map_err(|error| NoEffect::of(&error)));
    let file = args.target.file.as_ref().map(|path| path.display().to_string());
    let report = render::Report { judged: &judged, effect: effect.as_ref(), file: file.as_deref() };
    let look = context.ui.look();
    context.ui.print(&match args.output {
        VpaReportOutput::Table => render::table(&report, look),
        VpaReportOutput::Wide => render::wide(&report, look),
        VpaReportOutput::Json => json::json(&render::report(&report)),
        VpaReportOutput::Yaml => json::yaml(&render::report(&report)),
    });
    if create::is_wanted(args, &judged) {
        return create::create(context, args, &target, &snapshot).await;
    }
    match (&judged.observed.autoscalers, &judged.autoscaler) {
        (Autoscalers::NoApi, _) if args.create_vpa => {
            return Err(CommandError::failed(
                "this cluster has no VerticalPodAutoscaler API; nothing was created",
            )
            .hint("install the VPA's recommender and its definitions first"));
        }
        (_, Some(autoscaler)) if args.create_vpa => {
            context.ui.say(format!("vpa/{} is there already; nothing was created", autoscaler.name));
        }
        _ => {}
    }
    Ok(if judged.has_errors() { ExitCode::Findings } else { ExitCode::Done })
}

/// The size that most shards are on; of equals, the first by name.
fn size_now(snapshot: &Snapshot) -> Option<String> {
    let sizes = snapshot.expected_shards().filter_map(|shard| snapshot.node_of(shard)?.instance_type());
    let mut count: std::collections::BTreeMap<&str, u32> = std::collections::BTreeMap::new();
    for size in sizes {
        *count.entry(size).or_default() += 1;
    }
    count.into_iter().rev().max_by_key(|(_, shards)| *shards).map(|(size, _)| size.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Probe {
        #[command(flatten)]
        args: VpaReportArgs,
    }

    fn parse(line: &str) -> Result<VpaReportArgs, clap::Error> {
        Probe::try_parse_from(line.split(' ')).map(|probe| probe.args)
    }

    #[test]
    fn the_command_line_is_read() {
        let args = parse("vpa-report kafka --headroom 25% --whole-cores -o wide").unwrap();
        assert_eq!((args.headroom, args.whole_cores, args.output), (25, true, VpaReportOutput::Wide));
        let args = parse("vpa-report").unwrap();
        assert_eq!((args.headroom, args.dry_run), (15, DryRun::None));
        assert_eq!(parse("vpa-report --patch --dry-run").unwrap().dry_run, DryRun::Client);
        for wrong in
            ["--headroom 401", "--headroom -1", "--headroom much", "--despite-doubts", "--patch --create-vpa"]
        {
            assert!(parse(&format!("vpa-report {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn plan_is_asked_as_by_its_own_command_line() {
        #[derive(Debug, clap::Parser)]
        struct Plan {
            #[command(flatten)]
            args: PlanArgs,
        }
        let parsed = Plan::try_parse_from(["plan"]).unwrap().args;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", PlanArgs::default()));
    }
}
