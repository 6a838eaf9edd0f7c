//! What it costs to let every shard ask every other, beside a throw-away pod for each request, on real nodes.
//!
//! `make bench` runs it. Nothing here fails because of a figure. Where real nodes cannot run it says so, and is left out.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, waits and divides"
)]

#[path = "lab.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod lab;
#[path = "measure.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod measure;
#[path = "table.rs"]
#[allow(dead_code, reason = "shared with other benchmarks")]
mod table;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, ensure};
use lab::{Home, Lab, kubectl, shardctl};
use measure::{Program, Requests, in_turns};
use shardctl::lab::layout::Layout;
use shardctl::lab::real::requirements::Missing;
use table::{Table, seconds, verdict};

/// Shards, runs, and how long the questions of all to all may take, in seconds.
const SETS: [(u32, usize, f64); 2] = [(10, 7, 2.0), (100, 3, 30.0)];
/// What a session is counted by: requests for one, as `-v 6` tells them.
const SESSIONS: Requests = Requests { args: &["-v", "6"], variable: None, mark: "/exec?" };

fn main() -> ExitCode {
    measure::or_measure(|| {
        lab::remove_labs_when_interrupted();
        bench()
    })
}

fn bench() -> anyhow::Result<()> {
    ensure!(
        shardctl().is_file(),
        "build it first: cargo build --release --bin shardctl --example shard-server"
    );
    let missing = Missing::on_this_machine(&Layout::from_environment()?);
    if !missing.is_empty() {
        println!("routing-test is left out: {}\n", missing.what.join("; "));
        return Ok(());
    }
    lab::remove_labs(false)?;
    let home = Home::new()?;
    let lab = Lab::start("routing", &["--tier", "real", "--nodes", "3"])?;
    let mut table = Table::new(["all to all", "time", "sessions", "requests", "asked", ""]);
    for (shards, runs, asked) in SETS {
        let namespace = format!("ring-{shards}");
        deploy(&lab, &namespace, shards)?;
        let program = Program {
            name: "routing-test",
            path: shardctl(),
            // The shards only, as the other way asks them.
            args: ["routing-test", "--requests", "0", "-n", &namespace].map(str::to_owned).to_vec(),
            requests: SESSIONS,
            runs,
        };
        let [series] = in_turns(&[program], [&lab.kubeconfig], &home.0)?.remove(0);
        table.row([
            format!("`routing-test`, {shards} shards"),
            seconds(series.time()),
            series.requests.to_string(),
            (shards * shards).to_string(),
            format!("{asked:.0} s"),
            verdict(series.time().as_secs_f64() <= asked),
        ]);
        if shards == SETS[0].0 {
            one_pod_a_request(&lab, &namespace, shards, &mut table)?;
        }
        run_kubectl(&lab, &["delete", "namespace", &namespace], "")?;
    }
    println!("{table}");
    Ok(())
}

/// The tutorial's way, of one row: shard by shard, each from a pod of its own that is removed again.
fn one_pod_a_request(lab: &Lab, namespace: &str, shards: u32, table: &mut Table) -> anyhow::Result<()> {
    let start = std::time::Instant::now();
    for shard in 0..shards {
        let (name, url) = (format!("test-{shard}"), format!("http://ring-{shard}.ring:8080/api/status"));
        let run = ["run", &name, "-n", namespace, "--rm", "-i", "--restart=Never", "--quiet"];
        let what = ["--image=shardctl.lab/shard:1.0.0", "--command", "--", "wget", "-qO-", &url];
        let said = run_kubectl(lab, &[&run[..], &what].concat(), "")?;
        ensure!(said.contains(&format!("\"ring-{shard}\"")), "ring-{shard} answers {said}");
    }
    let took = start.elapsed();
    table.row([
        "a throw-away pod for each request, one row".to_owned(),
        seconds(took),
        format!("{shards} pods"),
        shards.to_string(),
        String::new(),
        String::new(),
    ]);
    table.row([
        "the same for all rows, computed".to_owned(),
        seconds(took * shards),
        format!("{} pods", shards * shards),
        (shards * shards).to_string(),
        String::new(),
        String::new(),
    ]);
    Ok(())
}

/// The ring of the lab, with more shards, and small enough that all of them find room.
fn deploy(lab: &Lab, namespace: &str, shards: u32) -> anyhow::Result<()> {
    let manifest = include_str!("../lab/real/ring.yaml")
        .replace("replicas: 6", &format!("replicas: {shards}"))
        .replace("requests: {cpu: 250m, memory: 32Mi}", "requests: {cpu: 5m, memory: 8Mi}");
    run_kubectl(lab, &["create", "namespace", namespace], "")?;
    run_kubectl(lab, &["apply", "-n", namespace, "-f", "-"], &manifest)?;
    let ready = format!("--for=jsonpath={{.status.readyReplicas}}={shards}");
    run_kubectl(lab, &["wait", "-n", namespace, "statefulset/ring", &ready, "--timeout=10m"], "")?;
    // The controllers still work on what just came.
    std::thread::sleep(std::time::Duration::from_secs(10));
    Ok(())
}

fn run_kubectl(lab: &Lab, args: &[&str], input: &str) -> anyhow::Result<String> {
    let mut command = Command::new(kubectl()?);
    command.arg("--kubeconfig").arg(Path::new(&lab.kubeconfig)).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut kubectl = command.spawn().context("start kubectl")?;
    kubectl.stdin.take().context("its input")?.write_all(input.as_bytes())?;
    let output = kubectl.wait_with_output()?;
    ensure!(output.status.success(), "kubectl {} failed", args.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
