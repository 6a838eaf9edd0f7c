//! What one run of a program costs: wall time, peak memory, requests.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use wait4::Wait4 as _;

/// First argument of the benchmark when it is to run one program and tell what that cost.
const MEASURE: &str = "measure";

/// A program as people would type it, and how to count the requests that it sends.
#[derive(Clone)]
pub struct Program {
    pub name: &'static str,
    pub path: PathBuf,
    pub args: Vec<String>,
    pub requests: Requests,
    /// How often it is measured: slow ones less often.
    pub runs: usize,
}

/// Where a program tells of its requests.
#[derive(Clone, Copy)]
pub struct Requests {
    /// Arguments that make it tell.
    pub args: &'static [&'static str],
    /// A variable that makes it tell.
    pub variable: Option<(&'static str, &'static str)>,
    /// What each line that tells of a request has.
    pub mark: &'static str,
}

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub time: Duration,
    /// Peak resident memory in bytes.
    pub memory: u64,
}

/// All runs of one program on one cluster.
#[derive(Clone, Debug, Default)]
pub struct Series {
    costs: Vec<Cost>,
    pub requests: usize,
}

impl Series {
    pub fn add(&mut self, cost: Cost) {
        self.costs.push(cost);
    }

    /// Median wall time.
    pub fn time(&self) -> Duration {
        median(self.costs.iter().map(|cost| cost.time))
    }

    /// Median of the peaks.
    pub fn memory(&self) -> u64 {
        median(self.costs.iter().map(|cost| cost.memory))
    }
}

fn median<T: Ord + Default>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort();
    let middle = values.len() / 2;
    values.into_iter().nth(middle).unwrap_or_default()
}

impl Program {
    fn command(&self, kubeconfig: Option<&Path>, home: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.args);
        in_environment(&mut command, kubeconfig, home);
        command
    }

    /// Runs it once and tells what that cost.
    ///
    /// The kernel counts what the parent used until the program began as the program's own, and this process has
    /// held ten thousand pods: so the benchmark starts itself anew, and that small process is the parent.
    pub fn measure(&self, kubeconfig: Option<&Path>, home: &Path) -> anyhow::Result<Cost> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(MEASURE).arg(&self.path).args(&self.args).stderr(Stdio::inherit());
        in_environment(&mut command, kubeconfig, home);
        let output = command.output().with_context(|| format!("run {}", self.name))?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{} failed: run {self}", self.name);
        let mut numbers = text.split_whitespace().map(str::parse::<u64>);
        let mut number = || numbers.next().context("no measurement").and_then(|number| Ok(number?));
        Ok(Cost { time: Duration::from_nanos(number()?), memory: number()? })
    }

    /// Runs it once and counts the requests that it tells of.
    pub fn count_requests(&self, kubeconfig: &Path, home: &Path) -> anyhow::Result<usize> {
        let mut command = self.command(Some(kubeconfig), home);
        command.args(self.requests.args);
        if let Some((name, value)) = self.requests.variable {
            command.env(name, value);
        }
        let output = command.output().with_context(|| format!("run {}", self.name))?;
        let texts = [output.stdout, output.stderr];
        let lines = texts.iter().flat_map(|text| text.split(|byte| *byte == b'\n'));
        Ok(lines.filter(|line| String::from_utf8_lossy(line).contains(self.requests.mark)).count())
    }
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.path.display(), self.args.join(" "))
    }
}

/// Leads a program to this cluster and to no other.
fn in_environment(command: &mut Command, kubeconfig: Option<&Path>, home: &Path) {
    command.env_remove("KUBECONFIG").env("HOME", home).stdin(Stdio::null());
    if let Some(kubeconfig) = kubeconfig {
        command.env("KUBECONFIG", kubeconfig);
    }
}

/// Runs a benchmark, or in the process that it starts anew for a measurement, that.
pub fn or_measure(bench: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    let mut args = std::env::args().skip(1);
    let outcome = match args.next().as_deref() {
        Some(MEASURE) => measure_here(args).map(|numbers| println!("{numbers}")),
        _ => bench(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

/// The other end of [`Program::measure`]: runs the program, and returns nanoseconds and bytes as text.
fn measure_here(mut args: impl Iterator<Item = String>) -> anyhow::Result<String> {
    /// shardctl's word for findings: the command did what it was asked for.
    const FINDINGS: i32 = 5;
    let program = args.next().context("measure what?")?;
    let start = Instant::now();
    let mut child = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let end = child.wait4()?;
    let time = start.elapsed();
    if !matches!(end.status.code(), Some(0 | FINDINGS)) {
        return Err(io::Error::other(end.status.to_string()).into());
    }
    Ok(format!("{} {}", time.as_nanos(), end.rusage.maxrss))
}

/// Measures programs on clusters: in turns, so that a machine that gets slower favours nobody.
///
/// Returns one series for each program and cluster.
pub fn in_turns<const CLUSTERS: usize>(
    programs: &[Program],
    kubeconfigs: [&Path; CLUSTERS],
    home: &Path,
) -> anyhow::Result<Vec<[Series; CLUSTERS]>> {
    let mut all: Vec<[Series; CLUSTERS]> =
        programs.iter().map(|_| std::array::from_fn(|_| Series::default())).collect();
    for (program, series) in programs.iter().zip(&mut all) {
        for (kubeconfig, series) in kubeconfigs.iter().zip(series) {
            // Warms it up, too.
            series.requests = program.count_requests(kubeconfig, home)?;
        }
    }
    let most = programs.iter().map(|program| program.runs).max().unwrap_or_default();
    for run in 0..most {
        for (program, series) in programs.iter().zip(&mut all).filter(|(program, _)| run < program.runs) {
            for turn in 0..CLUSTERS {
                let cluster = (turn + run) % CLUSTERS;
                series[cluster].add(program.measure(Some(kubeconfigs[cluster]), home)?);
            }
        }
    }
    Ok(all)
}
