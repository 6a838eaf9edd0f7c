//! Labs of a benchmark's own, and where the measured programs live.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use shardctl::lab::layout::Layout;

/// Prefix of the labs that the benchmark starts; the next part is the number of its process.
const PREFIX: &str = "bench-";

/// The shardctl that is measured: always the one as it is released, however this program was built.
pub fn shardctl() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_shardctl")).with_file_name("../release/shardctl")
}

/// kubectl as the lab is built with.
pub fn kubectl() -> anyhow::Result<PathBuf> {
    Ok(Layout::from_environment()?.build().binary("kubectl"))
}

/// A running lab, which goes with the value.
pub struct Lab {
    pub name: String,
    pub kubeconfig: PathBuf,
    /// How long `lab up` took.
    pub up_took: Duration,
}

impl Lab {
    /// Starts a lab, with these options of `lab up`.
    pub fn start(purpose: &str, how: &[&str]) -> anyhow::Result<Self> {
        let name = format!("{PREFIX}{}-{purpose}", std::process::id());
        let kubeconfig = Layout::from_environment()?.labs().join(&name).join("kubeconfig");
        let mut lab = Self { name, kubeconfig, up_took: Duration::ZERO };
        let start = Instant::now();
        lab_command(&[&["up", "--name", &lab.name], how].concat())?;
        lab.up_took = start.elapsed();
        Ok(lab)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = lab_command(&["down", "--name", &self.name]);
    }
}

/// Takes down the labs of benchmarks that are over, and with `own` those of this one.
pub fn remove_labs(own: bool) -> anyhow::Result<()> {
    for name in Layout::from_environment()?.names() {
        let rest = name.as_str().strip_prefix(PREFIX).unwrap_or_default();
        let Some(process) = rest.split('-').next().and_then(|number| number.parse::<u32>().ok()) else {
            continue;
        };
        let is_own = process == std::process::id();
        if (own && is_own) || !Path::new(&format!("/proc/{process}")).exists() {
            lab_command(&["down", "--name", name.as_str()])?;
        }
    }
    Ok(())
}

fn lab_command(args: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(shardctl()).arg("lab").args(args).stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("shardctl lab {}:\n{}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Runs a command of shardctl to its end, and shows what it says.
pub fn run_shardctl(args: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(shardctl()).args(args).status()?;
    ensure!(status.success(), "shardctl {} failed", args.join(" "));
    Ok(())
}

/// A home folder for the measured programs, which goes with the value.
pub struct Home(pub PathBuf);

impl Home {
    pub fn new() -> anyhow::Result<Self> {
        std::fs::create_dir_all(Self::path())?;
        Ok(Self(Self::path()))
    }

    fn path() -> PathBuf {
        std::env::temp_dir().join(format!("shardctl-bench-{}", std::process::id()))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// On Ctrl-C or termination, takes the labs of this process down before it ends.
pub fn remove_labs_when_interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    std::thread::spawn(|| -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            eprintln!("interrupted: taking the labs down");
            if let Err(error) = remove_labs(true) {
                eprintln!("error: {error:#}");
            }
            drop(Home(Home::path()));
            #[expect(clippy::exit, reason = "the main thread waits for a program that may not end")]
            std::process::exit(130)
        })
    });
}
