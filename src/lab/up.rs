//! `shardctl lab up`.
//!
//! 1. Build what is missing.
//! 2. Choose ports, write what kwokctl and Karpenter are told, and let kwokctl start the control plane.
//! 3. As soon as the API server answers, while kwokctl still works: define Karpenter's, kwok's and the VPA's kinds, and
//!    start metrics-server, which needs none of them.
//! 4. Start the rest of the add-ons once these kinds are offered: Karpenter exits without them, or limps without some.
//! 5. Wait until every component lives and listens.
//!
//! A lab with real nodes starts these instead of add-ons, with all of the control plane in a network of its own: see
//! `real/up.rs`.
//!
//! A lab that is up is left alone, save for components that have stopped: those are started again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::addons::find_shard_server;
use super::components::{kubernetes_version, version_of};
use super::layout::{BuildFolder, LabFolder, Layout};
use super::lock::lock;
use super::ports::Ports;
use super::real::place::Place;
use super::real::requirements::Missing;
use super::real::{self, RealLab};
use super::record::{Options, Record, Tier};
use super::starting::Starting;
use super::{UpArgs, build, down, env_lines, kwokctl, sizes};
use crate::context::Context;
use crate::domain::catalogue;
use crate::error::{CommandError, ExitCode};

/// How long a machine takes to appear: of the order of what Azure needs at its best, and short enough to wait for.
const NODE_LAUNCH: Duration = Duration::from_secs(12);
/// How long a pod takes to become ready.
const POD_START: Duration = Duration::from_millis(2500);

/// Runs `shardctl lab up`.
pub async fn up(context: &Context, layout: &Layout, args: &UpArgs) -> Result<ExitCode, CommandError> {
    let name = &args.lab.name;
    let ui = &context.ui;
    let lab = layout.lab(name);
    let earlier = Record::read(&lab).map(|record| record.options);
    let options = options(args, earlier.as_ref())?;
    check_arguments(args, options.tier)?;
    if options.tier == Tier::Real {
        let missing = Missing::on_this_machine(layout);
        if !missing.is_empty() {
            return Err(missing.refusal());
        }
    }
    let _lock = lock(&context.ui, layout, name)?;
    match Record::read(&lab) {
        Some(record) if record.complete && has_network(&lab, &record) => {
            resume(context, layout, &lab, &options, record).await?;
        }
        record => {
            if record.is_some_and(|record| record.complete) {
                ui.say(format_args!(
                    "lab {name} has lost its network, as when the machine restarts: it starts anew"
                ));
            }
            if lab.root().exists() || Place::of(lab.root()).is_some() {
                // An earlier start was interrupted.
                down::remove(layout, &lab)?;
            }
            match options.tier {
                Tier::Kwok => {
                    let build = build::build(ui, layout, options.tier)?;
                    create(context, layout, &lab, &build, options).await?;
                }
                Tier::Real => {
                    // Asked for before minutes are spent on a build.
                    let shard_server = shard_server_of_nodes(layout)?;
                    let build = build::build(ui, layout, options.tier)?;
                    create_real(context, &lab, &build, options, shard_server).await?;
                }
            }
        }
    }
    ui.print(&env_lines(&lab));
    Ok(ExitCode::Done)
}

/// Whether the network that a lab was started with is still there. Networks go when the machine restarts.
fn has_network(lab: &LabFolder, record: &Record) -> bool {
    record.options.tier == Tier::Kwok || Place::of(lab.root()).is_some_and(real::has_network)
}

/// Refuses what means nothing in this tier.
fn check_arguments(args: &UpArgs, tier: Tier) -> Result<(), CommandError> {
    let refuse = |flag: &str, other: &str| {
        Err(CommandError::usage(format!("{flag} is for labs whose nodes are {other}")))
    };
    match tier {
        Tier::Kwok if args.nodes.is_some() => refuse("--nodes", "real: --tier real"),
        Tier::Real if args.node_launch.is_some() => refuse("--node-launch", "simulated: --tier kwok"),
        Tier::Real if args.pod_start.is_some() => refuse("--pod-start", "simulated: --tier kwok"),
        Tier::Real if args.sizes.is_some() => refuse("--sizes", "simulated: --tier kwok"),
        _ => Ok(()),
    }
}

/// The program that the containers of a real lab run.
fn shard_server_of_nodes(layout: &Layout) -> Result<PathBuf, CommandError> {
    find_shard_server(layout).ok_or_else(|| {
        CommandError::refused("a real lab runs the shard server in its containers, and none was found")
            .hint("build it: `make lab` or `cargo build --example shard-server`")
    })
}

async fn create(
    context: &Context,
    layout: &Layout,
    lab: &LabFolder,
    build: &BuildFolder,
    options: Options,
) -> Result<(), CommandError> {
    let ui = &context.ui;
    let start = Instant::now();
    let shard_server = find_shard_server(layout);
    ui.say(format_args!(
        "starting lab {} with Kubernetes {} and Karpenter {}",
        lab.name(),
        kubernetes_version(),
        version_of("sigs.k8s.io/karpenter").unwrap_or_default()
    ));
    if shard_server.is_none() {
        ui.say("no shard server was found, so pods have no HTTP interface: `make lab` or `cargo build --example shard-server` builds it");
    }
    let mut record = Record {
        created: context.now(),
        build: super::components::key(),
        options,
        ports: Ports::find(std::process::id())?,
        shard_server,
        complete: false,
    };
    fs::create_dir_all(lab.root()).with_context(|| format!("create {}", lab.root().display()))?;
    record.write(lab)?;
    write_sizes(lab, record.options.sizes.as_deref())?;
    let configuration = kwokctl::configuration(lab, build, &record.ports, record.options.pod_start());
    write(&lab.kwokctl_configuration(), &configuration)?;

    let mut starting = Starting::new(lab, build, &record);
    let command = kwokctl::create(lab, build, &lab.kubeconfig());
    starting.run(command, &record).await?;
    record.complete = true;
    record.write(lab)?;
    ui.say(format_args!("lab {} is up after {:.1}s", lab.name(), start.elapsed().as_secs_f64()));
    Ok(())
}

async fn create_real(
    context: &Context,
    lab: &LabFolder,
    build: &BuildFolder,
    options: Options,
    shard_server: PathBuf,
) -> Result<(), CommandError> {
    let ui = &context.ui;
    let start = Instant::now();
    let nodes = options.nodes.unwrap_or(real::NODES);
    ui.say(format_args!(
        "starting lab {} with Kubernetes {} on {nodes} real {}",
        lab.name(),
        kubernetes_version(),
        if nodes == 1 { "node" } else { "nodes" },
    ));
    // Before anything is made, so that `lab down` finds it.
    let place = Place::take(lab.root())?;
    let mut record = Record {
        created: context.now(),
        build: super::components::key(),
        options,
        ports: Ports::in_own_network(),
        shard_server: Some(shard_server.clone()),
        complete: false,
    };
    fs::create_dir_all(lab.root()).with_context(|| format!("create {}", lab.root().display()))?;
    record.write(lab)?;
    RealLab::new(lab, build, place, nodes).prepare(&record.ports, &shard_server)?;
    let mut starting = Starting::new(lab, build, &record);
    let command = real::in_network(&place.id(), &kwokctl::create(lab, build, &lab.inner_kubeconfig()));
    starting.run(command, &record).await?;
    record.complete = true;
    record.write(lab)?;
    ui.say(format_args!("lab {} is up after {:.1}s", lab.name(), start.elapsed().as_secs_f64()));
    Ok(())
}

async fn resume(
    context: &Context,
    layout: &Layout,
    lab: &LabFolder,
    options: &Options,
    record: Record,
) -> Result<(), CommandError> {
    let ui = &context.ui;
    refuse_other_options(lab, options, &record.options)?;
    let build = layout.build_of(&record.build);
    let mut starting = Starting::new(lab, &build, &record);
    let real = RealLab::find(layout, lab);
    let parts = down::parts(layout, lab);
    let stopped: Vec<_> =
        parts.iter().filter(|part| part.pid.is_none()).map(|part| part.name.as_str()).collect();
    if stopped.is_empty() {
        ui.say(format_args!("lab {} is up already", lab.name()));
        return Ok(());
    }
    ui.say(format_args!("starting again in lab {}: {}", lab.name(), stopped.join(", ")));
    for process in starting.processes().filter(|process| process.pid().is_none()) {
        // kwokctl would take any process with this pid for it.
        process.forget();
    }
    let mut command = kwokctl::start(lab, &build);
    if let Some(real) = real {
        command = real::in_network(&real.place().id(), &command);
    }
    starting.run(command, &record).await?;
    ui.say(format_args!("lab {} is up", lab.name()));
    Ok(())
}

/// A lab keeps the options that it was started with.
fn refuse_other_options(lab: &LabFolder, asked: &Options, is: &Options) -> Result<(), CommandError> {
    let mut differences = Vec::new();
    if asked.tier != is.tier {
        let tier = match is.tier {
            Tier::Kwok => "kwok",
            Tier::Real => "real",
        };
        differences.push(format!("--tier {tier}"));
    } else if asked.nodes != is.nodes {
        differences.push(format!("--nodes {}", is.nodes.unwrap_or_default()));
    }
    if asked.tier == is.tier && asked.node_launch_seconds != is.node_launch_seconds {
        differences.push(format!("--node-launch {}s", is.node_launch_seconds));
    }
    if asked.tier == is.tier && asked.pod_start_milliseconds != is.pod_start_milliseconds {
        differences.push(format!("--pod-start {}ms", is.pod_start_milliseconds));
    }
    if asked.tier == is.tier && asked.sizes != is.sizes {
        differences.push(match &is.sizes {
            Some(file) => format!("--sizes {}", file.display()),
            None => "the sizes of Azure".to_owned(),
        });
    }
    if differences.is_empty() {
        return Ok(());
    }
    Err(
        CommandError::refused(format!("lab {} is up with {}", lab.name(), differences.join(" and "))).hint(format!(
            "remove it first: shardctl lab down --name {0}, or start another: shardctl lab up --name {0}-2 ...",
            lab.name()
        )),
    )
}

/// What is asked for. What is left open is as it was, when the lab was started before.
fn options(args: &UpArgs, earlier: Option<&Options>) -> Result<Options, CommandError> {
    let tier = args.tier.or(earlier.map(|options| options.tier)).unwrap_or_default();
    let earlier = earlier.filter(|options| options.tier == tier);
    if tier == Tier::Real {
        let nodes = args.nodes.or(earlier.and_then(|options| options.nodes)).unwrap_or(real::NODES);
        let none = 0;
        return Ok(Options {
            tier,
            nodes: Some(nodes),
            node_launch_seconds: none,
            pod_start_milliseconds: none,
            sizes: None,
        });
    }
    let sizes = match &args.sizes {
        Some(file) => Some(
            file.canonicalize()
                .map_err(|error| CommandError::usage(format!("cannot read {}: {error}", file.display())))?,
        ),
        None => earlier.and_then(|options| options.sizes.clone()),
    };
    let node_launch = args.node_launch.or(earlier.map(Options::node_launch)).unwrap_or(NODE_LAUNCH);
    let pod_start = args.pod_start.or(earlier.map(Options::pod_start)).unwrap_or(POD_START);
    Ok(Options {
        tier,
        nodes: None,
        node_launch_seconds: node_launch.as_secs(),
        pod_start_milliseconds: u64::try_from(pod_start.as_millis()).map_err(CommandError::usage)?,
        sizes,
    })
}

fn write_sizes(lab: &LabFolder, file: Option<&Path>) -> Result<(), CommandError> {
    let text = match file {
        None => sizes::instance_types(catalogue::sizes()).context("encode the sizes")?,
        Some(file) => {
            let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
            // Karpenter would start all the same, and then find no machine for any pod.
            serde_json::from_str::<Vec<serde_json::Value>>(&text).map_err(|error| {
                CommandError::usage(format!("{} is no JSON list: {error}", file.display())).hint(
                    "its form is that of Karpenter's KWOK provider: kwok/examples/instance_types.json there",
                )
            })?;
            text
        }
    };
    write(&lab.sizes(), &text)
}

fn write(path: &Path, text: &str) -> Result<(), CommandError> {
    Ok(fs::write(path, text).with_context(|| format!("write {}", path.display()))?)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: UpArgs,
    }

    fn asked(line: &str, earlier: Option<&Options>) -> Options {
        let args = Line::parse_from(["up"].into_iter().chain(line.split_whitespace())).args;
        options(&args, earlier).unwrap()
    }

    #[test]
    fn what_is_left_open_is_as_it_was() {
        let real = asked("--tier real --nodes 2", None);
        assert_eq!((real.tier, real.nodes), (Tier::Real, Some(2)));
        assert_eq!(asked("", Some(&real)), real);
        assert_eq!(asked("--tier real", None).nodes, Some(real::NODES));
        let simulated = asked("--node-launch 3s", None);
        assert_eq!((simulated.tier, simulated.node_launch_seconds), (Tier::Kwok, 3));
        assert_eq!(asked("--pod-start 1s", Some(&simulated)).node_launch_seconds, 3);
        // Nothing of one tier means anything in the other.
        assert_eq!(asked("--tier kwok", Some(&real)), asked("", None));
    }
}
