//! What shardctl's commands cost, side by side with what people use today, next to what was asked.
//!
//! `make bench` runs it. Two labs stand side by side: one of 10 nodes and 100 pods, one of 1,000 nodes and 10,000 pods,
//! with the same service of ten shards. Every program is run on both in turns. Nothing here fails because of a figure. Say
//! `many` for the last part only, a set of 1,000 shards, and `plan` for the ranking of sizes, which takes no lab.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, waits and divides"
)]

#[path = "crowd.rs"]
mod crowd;
#[path = "lab.rs"]
mod lab;
#[path = "measure.rs"]
mod measure;
#[path = "table.rs"]
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use lab::{Home, Lab, kubectl, run_shardctl, shardctl};
use measure::{Program, Requests, Series, in_turns};
use shardctl::domain::catalogue::{PriceBook, Region, sizes};
use shardctl::domain::packing::Load;
use shardctl::domain::quantity::{Quantity, Resources};
use shardctl::domain::sizing::{
    Demand, Market, OutageModel, Overhead, Plan, Prefer, Rule, RuleKind, share, size_up,
};
use shardctl::domain::snapshot::NodePool;
use table::{Table, milliseconds, seconds, verdict};

/// Nodes and pods of the two clusters, those of the service included.
const SMALL: (usize, usize) = (10, 100);
const LARGE: (usize, usize) = (1_000, 10_000);
/// Shards of the big set.
const MANY: usize = 1_000;

/// The tool that people look at allocations with.
const VIEW_ALLOCATIONS: &str = "kubectl-view-allocations";
const VIEW_ALLOCATIONS_VERSION: &str = "3.1.0";

const SHARDCTL_REQUESTS: Requests = Requests { args: &["-v", "6"], variable: None, mark: " milliseconds" };
const KUBECTL_REQUESTS: Requests = Requests { args: &["-v=6"], variable: None, mark: "milliseconds=" };
const VIEW_ALLOCATIONS_REQUESTS: Requests =
    Requests { args: &[], variable: Some(("RUST_LOG", "kube_client=debug")), mark: "requesting" };

fn main() -> ExitCode {
    measure::or_measure(|| {
        lab::remove_labs_when_interrupted();
        bench()
    })
}

fn bench() -> anyhow::Result<()> {
    print_planning();
    if std::env::args().any(|argument| argument == "plan") {
        return Ok(());
    }
    ensure!(
        shardctl().is_file(),
        "build it first: cargo build --release --bin shardctl --example shard-server"
    );
    lab::remove_labs(false)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let home = Home::new()?;
    if std::env::args().any(|argument| argument == "many") {
        return many(&runtime, &start("many")?, &home.0);
    }
    let view_allocations = match install_view_allocations() {
        Ok(path) => Some(path),
        Err(error) => {
            println!("{VIEW_ALLOCATIONS} is left out: {error:#}\n");
            None
        }
    };
    start_up(&home.0)?;
    run_shardctl(&["lab", "build"])?;

    // Separate files may still be cold for the first one.
    drop(start("warm-up")?);
    let small = start("small")?;
    let idle = small.memory()?;
    let large = start("large")?;
    print_lab(&[&small, &large], idle);
    for (lab, (nodes, pods)) in [(&small, SMALL), (&large, LARGE)] {
        let start = Instant::now();
        runtime.block_on(lab.deploy(&home.0))?;
        runtime.block_on(lab.fill_up_to(nodes, pods))?;
        eprintln!("{nodes} nodes, {pods} pods after {}", seconds(start.elapsed()));
    }
    let full = large.memory()?;
    // The controllers still work on what just came.
    std::thread::sleep(Duration::from_secs(20));

    let programs = programs(view_allocations)?;
    let all = in_turns(&programs, [&small.kubeconfig, &large.kubeconfig], &home.0)?;
    print_growth(&programs, &all);
    print_against(&programs, &all);
    println!("The large lab had {} of memory in all its processes.\n", megabytes(full));
    drop(large);

    many(&runtime, &small, &home.0)
}

/// A set of very many shards: what it costs to look at it, and to roll it.
fn many(runtime: &tokio::runtime::Runtime, lab: &Lab, home: &Path) -> anyhow::Result<()> {
    let start = Instant::now();
    runtime.block_on(lab.run_shards("many", MANY))?;
    eprintln!("{MANY} shards are up after {}", seconds(start.elapsed()));
    std::thread::sleep(Duration::from_secs(10));
    let programs = programs_of_many_shards();
    let all = in_turns(&programs, [&lab.kubeconfig], home)?;
    print_many(&programs, &all);
    roll_many(lab, home)
}

/// Rolls the big set in waves, once: what a run of that size takes.
fn roll_many(lab: &Lab, home: &Path) -> anyhow::Result<()> {
    let wave = (MANY / 10).to_string();
    let image = ["--image", "registry.example/demo:2.0.0"];
    let how = ["--wave-size", &wave, "--settle", "0s", "--gate", "none", "--no-prewarm", "--yes"];
    let args = [&["upgrade", "many", "-n", "many"], &image[..], &how].concat();
    let upgrade = of_shardctl("upgrade", &args, 1).measure(Some(&lab.kubeconfig), home)?;
    let heading = format!("{MANY} shards take a new template");
    let mut table = Table::new([heading.as_str(), "time", "peak memory", "asked", ""]);
    table.row([
        format!("`upgrade --wave-size {wave}`"),
        seconds(upgrade.time),
        megabytes(upgrade.memory),
        "under 100 MB".to_owned(),
        verdict(upgrade.memory < 100_000_000),
    ]);
    println!("{table}");
    Ok(())
}

/// Ranking all sizes, in this process and without a cluster.
fn print_planning() {
    const RUNS: usize = 21;
    let service = |replicas| Demand {
        replicas,
        required: replicas,
        requests: Resources { cpu: Quantity::whole(4), memory: Quantity::bytes(32 << 30) },
        disks: 1,
        wants_premium: true,
        rules: vec![Rule {
            field: "spec.overlay.pod.topologySpreadConstraints[0].maxSkew".to_owned(),
            kind: RuleKind::ZoneSkew(1),
            is_required: true,
        }],
    };
    let Ok(region) = Region::find("eastus") else { return };
    let market = Market {
        sizes: sizes(),
        region,
        prices: PriceBook::default(),
        architecture: None,
        families: Vec::new(),
        pool: NodePool::default(),
        zones: 3,
        max_pods: 250,
        overhead: Overhead::Given(Load::default()),
        live: BTreeMap::new(),
        surge: 1,
        max_nodes: None,
        outages: OutageModel::default(),
    };
    let median = |sets: usize, replicas: u32| {
        let mut times: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                for _ in 0..sets {
                    std::hint::black_box(size_up(&service(replicas), &market, Prefer::Price));
                }
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        times[RUNS / 2]
    };
    let mut table = Table::new(["ranking all sizes", "measured", "asked", ""]);
    for (what, sets, replicas, asked) in [
        ("one ShardSet of 10 shards", 1, 10, Duration::from_millis(10)),
        ("one ShardSet of 1,000 shards", 1, 1_000, Duration::from_secs(1)),
        ("50 ShardSets of 20 shards", 50, 20, Duration::from_secs(1)),
    ] {
        let time = median(sets, replicas);
        let asked_text = if asked < Duration::from_secs(1) { "10 ms" } else { "1 s" };
        table.row([what.to_owned(), milliseconds(time), asked_text.to_owned(), verdict(time <= asked)]);
    }
    // Of as many sizes as the services differ.
    let plans: Vec<Plan> = (1..=50)
        .map(|index| {
            let requests =
                Resources { cpu: Quantity::milli(100 * index), memory: Quantity::bytes(index << 29) };
            let demand = Demand { requests, ..service(20) };
            Plan::new(format!("service-{index}"), demand, market.clone(), Prefer::Price, None, Vec::new())
        })
        .collect();
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(share(&plans));
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let time = times[RUNS / 2];
    table.row([
        "50 ShardSets of 20 shards on one pool".to_owned(),
        milliseconds(time),
        "1 s".to_owned(),
        verdict(time <= Duration::from_secs(1)),
    ]);
    println!("{table}");
}

/// Starts a lab whose machines appear at once and whose pods start in a blink.
fn start(purpose: &str) -> anyhow::Result<Lab> {
    Lab::start(purpose, &["--node-launch", "0s", "--pod-start", "300ms"])
}

/// What is measured on both clusters.
fn programs(view_allocations: Option<PathBuf>) -> anyhow::Result<Vec<Program>> {
    let mut programs = vec![
        of_shardctl("packing", &["packing", "demo", "-n", "demo"], 21),
        of_shardctl("verify", &["verify", "demo", "-n", "demo"], 21),
        Program {
            name: "kubectl get pods,nodes -A -o json",
            path: kubectl()?,
            args: words(&["get", "pods,nodes", "-A", "-o", "json"]),
            requests: KUBECTL_REQUESTS,
            runs: 5,
        },
    ];
    programs.extend(view_allocations.map(|path| Program {
        name: VIEW_ALLOCATIONS,
        path,
        args: words(&["-g", "resource", "-g", "node"]),
        requests: VIEW_ALLOCATIONS_REQUESTS,
        runs: 7,
    }));
    Ok(programs)
}

/// What is measured on a set of very many shards.
fn programs_of_many_shards() -> Vec<Program> {
    vec![
        of_shardctl("status --no-health", &["status", "many", "-n", "many", "--no-health"], 5),
        of_shardctl("status", &["status", "many", "-n", "many"], 5),
        of_shardctl("packing", &["packing", "many", "-n", "many"], 5),
        of_shardctl("verify --no-health", &["verify", "many", "-n", "many", "--no-health"], 5),
        of_shardctl("verify", &["verify", "many", "-n", "many"], 5),
        of_shardctl(
            "upgrade --dry-run=server, asked: 1 s",
            &["upgrade", "many", "-n", "many", "--image", "registry.example/demo:2.0.0", "--dry-run=server"],
            5,
        ),
    ]
}

fn of_shardctl(name: &'static str, args: &[&str], runs: usize) -> Program {
    Program { name, path: shardctl(), args: words(args), requests: SHARDCTL_REQUESTS, runs }
}

fn words(args: &[&str]) -> Vec<String> {
    args.iter().copied().map(str::to_owned).collect()
}

/// Start-up, against a program that does nothing at all.
fn start_up(home: &Path) -> anyhow::Result<()> {
    const RUNS: usize = 201;
    let version = of_shardctl("version --client", &["version", "--client"], RUNS);
    let nothing = Program { name: "true", path: "/bin/true".into(), args: Vec::new(), ..version.clone() };
    let (mut ours, mut floor) = (Series::default(), Series::default());
    for _ in 0..RUNS {
        ours.add(version.measure(None, home)?);
        floor.add(nothing.measure(None, home)?);
    }
    let size = std::fs::metadata(shardctl())?.len();
    let time = ours.time();
    let mut table = Table::new(["start-up", "measured", "asked", ""]);
    table.row([
        "`shardctl version --client`".to_owned(),
        milliseconds(time),
        "5 ms".to_owned(),
        verdict(time <= Duration::from_millis(5)),
    ]);
    table.row([
        "`/bin/true`, the floor".to_owned(),
        milliseconds(floor.time()),
        String::new(),
        String::new(),
    ]);
    table.row([
        "size of the binary".to_owned(),
        megabytes(size),
        "under 20 MB".to_owned(),
        verdict(size < 20_000_000),
    ]);
    println!("{table}");
    Ok(())
}

fn print_lab(labs: &[&Lab], idle: u64) {
    let slowest = labs.iter().map(|lab| lab.up_took).max().unwrap_or_default();
    let times: Vec<String> = labs.iter().map(|lab| seconds(lab.up_took)).collect();
    let mut table = Table::new(["the lab, warm", "measured", "asked", ""]);
    table.row([
        "`shardctl lab up`, each time".to_owned(),
        times.join(", "),
        "8 s".to_owned(),
        verdict(slowest <= Duration::from_secs(8)),
    ]);
    table.row([
        "memory of all processes".to_owned(),
        megabytes(idle),
        "1 GiB".to_owned(),
        verdict(idle <= 1 << 30),
    ]);
    println!("{table}");
}

fn print_growth(programs: &[Program], all: &[[Series; 2]]) {
    let clusters = [SMALL, LARGE].map(|(nodes, pods)| format!("{nodes} nodes, {pods} pods"));
    let mut table = Table::new([
        "",
        &clusters[0],
        &clusters[1],
        "time grows",
        "memory grows",
        "asked: 1.5x, under 30 MB",
    ]);
    for (program, [small, large]) in programs.iter().zip(all) {
        let time = ratio(large.time().as_secs_f64(), small.time().as_secs_f64());
        let memory = ratio(large.memory() as f64, small.memory() as f64);
        let is_ours = program.path == shardctl();
        let is_met =
            time <= 1.5 && memory <= 1.5 && large.memory() < 30_000_000 && large.requests == small.requests;
        table.row([
            format!("`{}`", program.name),
            cost(small),
            cost(large),
            format!("{time:.2}x"),
            format!("{memory:.2}x"),
            if is_ours { verdict(is_met) } else { String::new() },
        ]);
    }
    println!("{table}");
}

fn print_against(programs: &[Program], all: &[[Series; 2]]) {
    let find = |name| programs.iter().position(|program| program.name == name).map(|at| &all[at][1]);
    let Some(packing) = find("packing") else { return };
    let (nodes, pods) = LARGE;
    let heading = format!("`packing` at {nodes} nodes, {pods} pods, against");
    let mut table = Table::new([heading.as_str(), "faster", "less memory", "asked", ""]);
    for program in programs.iter().filter(|program| program.path != shardctl()) {
        let Some(other) = find(program.name) else { continue };
        let time = ratio(other.time().as_secs_f64(), packing.time().as_secs_f64());
        let memory = ratio(other.memory() as f64, packing.memory() as f64);
        let is_asked = program.name == VIEW_ALLOCATIONS;
        table.row([
            format!("`{}`", program.name),
            format!("{time:.0}x"),
            format!("{memory:.1}x"),
            if is_asked { "20x, 10x".to_owned() } else { String::new() },
            if is_asked { verdict(time >= 20.0 && memory >= 10.0) } else { String::new() },
        ]);
    }
    println!("{table}");
}

fn print_many(programs: &[Program], all: &[[Series; 1]]) {
    let heading = format!("{MANY} shards in one set");
    let mut table = Table::new([heading.as_str(), "time, peak memory, requests"]);
    for (program, [series]) in programs.iter().zip(all) {
        table.row([format!("`{}`", program.name), cost(series)]);
    }
    println!("{table}");
}

fn cost(series: &Series) -> String {
    format!("{}, {}, {}", milliseconds(series.time()), megabytes(series.memory()), series.requests)
}

fn ratio(a: f64, b: f64) -> f64 {
    a / b.max(f64::MIN_POSITIVE)
}

fn megabytes(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes < 100.0 { format!("{megabytes:.1} MB") } else { format!("{megabytes:.0} MB") }
}

/// Installs the program to compare with from its registry into the user's cache folder, once.
fn install_view_allocations() -> anyhow::Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache =
        cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache"))).context("no cache folder")?;
    let root = cache.join("shardctl/bench");
    let binary = root.join("bin").join(VIEW_ALLOCATIONS);
    if !binary.is_file() {
        eprintln!("installing {VIEW_ALLOCATIONS} {VIEW_ALLOCATIONS_VERSION} into {}", root.display());
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["install", "--quiet", "--locked", VIEW_ALLOCATIONS, "--version", VIEW_ALLOCATIONS_VERSION])
            .arg("--root")
            .arg(&root)
            .status()?;
        ensure!(status.success(), "cargo install ended with {status}");
    }
    Ok(binary)
}
