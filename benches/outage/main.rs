//! How long a service is down while all its shards move to other nodes, seen from outside.
//!
//! `make bench` runs it. Every way to move them starts from the same state, on a lab of its own: the tutorial's ten shards
//! in the explore phase, a machine 12 s away, a pod 2.5 s. Say `--no-sleep` to leave out what the tutorial sleeps after
//! each shard, while nothing is down, and `reaction` to measure that alone. Nothing here fails because of a figure.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a benchmark prints and waits"
)]

#[path = "../lab.rs"]
mod lab;
#[path = "../table.rs"]
mod table;
#[path = "../../tests/support/outage/mod.rs"]
mod watcher;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use lab::{Home, Lab, kubectl, run_shardctl, shardctl};
use table::{Table, milliseconds, seconds, verdict};
use watcher::{Report, Watcher};

const NODE_LAUNCH: &str = "12s";
const POD_START: Duration = Duration::from_millis(2500);
/// What the tutorial sleeps after each shard.
const SLEEP: Duration = Duration::from_secs(10);

/// The tutorial's service, and the pool that its shards move to.
const NAMESPACE: &str = "biometric-shards";
const SET: &str = "biometric-shard";
const STABLE_POOL: &str = "biometric-stable";
const SHARDS: usize = 10;

/// A way to move all shards.
struct Way {
    name: &'static str,
    /// What is run. When it ends, every shard is where it belongs and Ready.
    command: fn(&Scene) -> Command,
    /// What all its outages may take: so many pod starts, times so much.
    asked: Option<(u32, f64)>,
}

impl Way {
    /// What all its outages may take.
    fn most(&self) -> Option<Duration> {
        self.asked.map(|(starts, times)| (POD_START * starts).mul_f64(times))
    }
}

/// The ways that are compared.
///
/// Asked is what ten pod starts and two come to, and a little more.
const WAYS: [Way; 3] = [
    Way { name: "the tutorial's loop", command: tutorial, asked: None },
    Way {
        name: "migrate, one-by-one",
        command: |scene| migrate(scene, &["--strategy", "one-by-one"]),
        asked: Some((10, 1.10)),
    },
    Way {
        name: "migrate, canary",
        command: |scene| migrate(scene, &["--strategy", "canary"]),
        asked: Some((2, 1.15)),
    },
];

/// What reaction is asked for: median and worst.
const REACTION: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(100));
/// Upgrades that the reaction is measured over; each has one step fewer than shards.
const UPGRADES: usize = 12;

fn main() -> ExitCode {
    lab::remove_labs_when_interrupted();
    let is_said = |word: &str| std::env::args().any(|argument| argument == word);
    let ways: &[Way] = if is_said("reaction") { &[] } else { &WAYS };
    match bench(ways, if is_said("--no-sleep") { Duration::ZERO } else { SLEEP }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn bench(ways: &[Way], sleep: Duration) -> anyhow::Result<()> {
    ensure!(
        shardctl().is_file(),
        "build it first: cargo build --release --bin shardctl --example shard-server"
    );
    lab::remove_labs(false)?;
    run_shardctl(&["lab", "build"])?;
    let home = Home::new()?;
    let mut found = Vec::new();
    for (number, way) in ways.iter().enumerate() {
        let start = Instant::now();
        let scene = Scene::start(&number.to_string(), &home.0, sleep, NODE_LAUNCH, POD_START)?;
        let report = scene.measure(way).context(way.name)?;
        let each: Vec<String> = report.outages.iter().map(|outage| seconds(outage.length())).collect();
        let (took, deletions) = (seconds(start.elapsed()), report.deletions.len());
        eprintln!("{} took {took}; {deletions} deletions; outages of {}", way.name, each.join(", "));
        if deletions > SHARDS {
            eprintln!("a pod was deleted twice, which may have been kwok: it ends a pod by its name alone");
        }
        found.push((way, report));
    }
    let start = Instant::now();
    let reactions = Scene::start("reaction", &home.0, sleep, "1s", Duration::from_millis(200))?.react()?;
    eprintln!("{UPGRADES} upgrades took {}", seconds(start.elapsed()));
    if !found.is_empty() {
        print_outages(&found);
    }
    print_reactions(&found, &reactions);
    Ok(())
}

/// A lab on which the service is up in the explore phase.
struct Scene {
    lab: Lab,
    home: PathBuf,
    shardset: PathBuf,
    kubectl: PathBuf,
    sleep: Duration,
}

impl Scene {
    fn start(
        purpose: &str,
        home: &Path,
        sleep: Duration,
        node_launch: &str,
        pod_start: Duration,
    ) -> anyhow::Result<Self> {
        let pod_start = format!("{}ms", pod_start.as_millis());
        let lab = Lab::start(
            &format!("outage-{purpose}"),
            &["--node-launch", node_launch, "--pod-start", &pod_start],
        )?;
        let shardset = home.join("shardset.yaml");
        let scene = Self { lab, home: home.to_owned(), shardset, kubectl: kubectl()?, sleep };
        let mut init = scene.command(shardctl());
        init.args(["init", "--image", "registry.example/demo:1.0.0"])
            .args(["--node-class", "KWOKNodeClass.karpenter.kwok.sh/default"])
            .args(["--storage-class", "managed-csi-premium-retain"]);
        std::fs::write(&scene.shardset, run(init)?)?;
        let mut deploy = scene.command(shardctl());
        deploy.args(["deploy", "--phase", "explore", "--yes", "--timeout", "5m", "-f"]).arg(&scene.shardset);
        run(deploy)?;
        Ok(scene)
    }

    /// A program that finds this lab, kubectl and shardctl, and no other cluster.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let own = [self.kubectl.clone(), shardctl()];
        let own = own.iter().filter_map(|program| program.parent()).map(Path::to_owned);
        let others = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(own.chain(std::env::split_paths(&others)));
        let mut command = Command::new(program);
        command
            .env("PATH", path.unwrap_or(others))
            .env("KUBECONFIG", &self.lab.kubeconfig)
            .env("HOME", &self.home)
            .stdin(Stdio::null());
        command
    }

    /// Moves all shards this way, and tells what was seen meanwhile.
    fn measure(self, way: &Way) -> anyhow::Result<Report> {
        let watcher = Watcher::start(&self.lab.kubeconfig, NAMESPACE, SET)?;
        run((way.command)(&self))?;
        let report = watcher.stop()?;
        ensure!(report.outages.iter().all(|outage| outage.is_over), "a shard is down");
        // A way that leaves a shard where it was has saved its outage.
        let on_the_pool =
            self.ask(&["get", "nodes", "-l"], &format!("karpenter.sh/nodepool={STABLE_POOL}"))?;
        let of_the_shards = self.ask(&["get", "pods", "-n"], NAMESPACE)?;
        ensure!(
            of_the_shards.len() == SHARDS && of_the_shards.iter().all(|node| on_the_pool.contains(node)),
            "shards are on {of_the_shards:?}, and the stable pool has {on_the_pool:?}"
        );
        Ok(report)
    }

    /// The reaction of the engine alone, shortest first: upgrades without a gate and without peace between the waves.
    fn react(self) -> anyhow::Result<Vec<Duration>> {
        let mut reactions = Vec::new();
        for number in 1..=UPGRADES {
            let mut upgrade = self.command(shardctl());
            upgrade
                .args(["upgrade", "-n", NAMESPACE, "--image", &format!("registry.example/demo:2.0.{number}")])
                .args(["--strategy", "one-by-one", "--settle", "0s", "--gate", "none", "--yes"]);
            let watcher = Watcher::start(&self.lab.kubeconfig, NAMESPACE, SET)?;
            run(upgrade)?;
            reactions.extend(watcher.stop()?.reactions());
        }
        reactions.sort();
        Ok(reactions)
    }

    /// The nodes that kubectl lists: by their names, or where pods are.
    fn ask(&self, question: &[&str], of: &str) -> anyhow::Result<Vec<String>> {
        let field = if question.contains(&"pods") { "{.spec.nodeName}" } else { "{.metadata.name}" };
        let each = format!("jsonpath={{range .items[*]}}{field}{{\"\\n\"}}{{end}}");
        let mut command = self.command(&self.kubectl);
        command.args(question).args([of, "-o", &each]);
        Ok(run(command)?.lines().map(str::to_owned).collect())
    }
}

fn tutorial(scene: &Scene) -> Command {
    let mut command = scene.command("bash");
    command
        .args(["-c", include_str!("tutorial.sh"), "tutorial"])
        .arg(&scene.shardset)
        .arg(scene.sleep.as_secs().to_string());
    command
}

fn migrate(scene: &Scene, how: &[&str]) -> Command {
    let mut command = scene.command(shardctl());
    command
        .args(["migrate", "--to", "stable", "--settle", "0s", "--yes", "-f"])
        .arg(&scene.shardset)
        .args(how);
    command
}

/// Runs a program to its end and returns what it said.
fn run(mut command: Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("run {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} ended with {}:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn print_outages(found: &[(&Way, Report)]) {
    let heading = format!(
        "{SHARDS} shards move, node launch {NODE_LAUNCH}, pod start {:.1} s",
        POD_START.as_secs_f64()
    );
    let mut table =
        Table::new([heading.as_str(), "outages", "down at once", "in all", "longest", "asked in all", ""]);
    for (way, report) in found {
        table.row([
            way.name.to_owned(),
            report.outages.len().to_string(),
            report.most_down().to_string(),
            seconds(report.total()),
            seconds(report.longest()),
            way.most().map(seconds).unwrap_or_default(),
            way.most().map(|most| verdict(report.total() <= most)).unwrap_or_default(),
        ]);
    }
    println!("{table}");
}

fn print_reactions(found: &[(&Way, Report)], engine: &[Duration]) {
    let mut table =
        Table::new(["from all Ready to the next delete", "times", "median", "worst", "asked", ""]);
    let mut row = |name: &str, reactions: &[Duration], asked: Option<(Duration, Duration)>| {
        let (Some(median), Some(worst)) = (reactions.get(reactions.len() / 2), reactions.last()) else {
            return;
        };
        let asked_for = |(median, worst)| format!("{}, {}", milliseconds(median), milliseconds(worst));
        table.row([
            name.to_owned(),
            reactions.len().to_string(),
            milliseconds(*median),
            milliseconds(*worst),
            asked.map(asked_for).unwrap_or_default(),
            asked.map(|asked| verdict(*median <= asked.0 && *worst <= asked.1)).unwrap_or_default(),
        ]);
    };
    for (way, report) in found {
        row(way.name, &report.reactions(), None);
    }
    row("upgrade, one-by-one, no gate", engine, Some(REACTION));
    println!("{table}");
}
