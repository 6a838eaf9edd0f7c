//! One node of a real lab: a network, a file system view and a process tree of its own, with containerd, kube-proxy and a
//! kubelet in it.
//!
//! A stopped node is as one whose power was cut: every process ends at once, its network is gone, its disk stays.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};

use super::cgroup::{Cgroup, hierarchies};
use super::command::{command, find, network_file, search_path};
use super::network;
use super::place::{ALL_PODS, DNS_SERVICE, KUBERNETES_SERVICE, NodePlace};
use super::requirements::plugins;
use super::{RealLab, kubeconfig};
use crate::domain::rolling::PAUSE_IMAGE;
use crate::lab::kwokctl::fill;
use crate::lab::process::{Part, is_running};

/// A program that makes a machine a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Daemon {
    Containerd,
    KubeProxy,
    Kubelet,
}

impl Daemon {
    pub const ALL: [Self; 3] = [Self::Containerd, Self::KubeProxy, Self::Kubelet];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::KubeProxy => "kube-proxy",
            Self::Kubelet => "kubelet",
        }
    }
}

/// A node, running or not.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    lab: &'a RealLab,
    place: NodePlace,
}

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place.name())
    }
}

impl<'a> Node<'a> {
    #[must_use]
    pub fn new(lab: &'a RealLab, place: NodePlace) -> Self {
        Self { lab, place }
    }

    #[must_use]
    pub fn place(&self) -> NodePlace {
        self.place
    }

    #[must_use]
    pub fn name(&self) -> String {
        self.place.name()
    }

    fn folder(&self) -> PathBuf {
        self.lab.nodes_folder().join(self.name())
    }

    fn script(&self) -> PathBuf {
        self.lab.nodes_folder().join("node.sh")
    }

    fn cgroup(&self) -> Cgroup {
        Cgroup::new(self.place.id())
    }

    /// Process 1 of the node, by its number on this machine.
    #[must_use]
    pub fn init(&self) -> Option<Pid> {
        self.cgroup().system_processes().into_iter().find(|pid| {
            let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()));
            status.is_ok_and(|status| is_first_of_its_namespace(&status))
        })
    }

    /// The process of a daemon.
    #[must_use]
    pub fn daemon(&self, daemon: Daemon) -> Option<Pid> {
        let binary = match daemon {
            Daemon::Containerd => find("containerd")?,
            Daemon::KubeProxy | Daemon::Kubelet => self.lab.build().binary(daemon.name()),
        };
        let binary = binary.canonicalize().unwrap_or(binary);
        self.cgroup().system_processes().into_iter().find(|pid| is_running(*pid, &binary))
    }

    /// What runs in the node, or should.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let part = |daemon: Daemon| Part {
            name: format!("{self}/{}", daemon.name()),
            log: self.log(daemon),
            pid: self.daemon(daemon),
        };
        Daemon::ALL.map(part).into()
    }

    /// Whether all daemons were started.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.folder().join("started").exists()
    }

    /// Whether kube-proxy has made the way to the API server's service.
    #[must_use]
    pub fn has_services(&self) -> bool {
        network::iptables(self.place, &["-t", "nat", "-S", "KUBE-SERVICES"])
            .is_ok_and(|rules| rules.contains(&format!("{KUBERNETES_SERVICE}/32")))
    }

    /// The node itself, while its daemons are started: what it said is in its own log, or in that of containerd.
    #[must_use]
    pub fn starting_part(&self) -> Part {
        let own = self.folder().join("node.log");
        let is_silent = fs::metadata(&own).map_or(true, |file| file.len() == 0);
        let log = if is_silent { self.log(Daemon::Containerd) } else { own };
        // Any process of it will do: the first ones only become its process 1.
        Part { name: self.name(), log, pid: self.cgroup().system_processes().first().copied() }
    }

    fn log(&self, daemon: Daemon) -> PathBuf {
        self.folder().join(format!("{}.log", daemon.name()))
    }

    /// Starts the node, as its power switch does.
    ///
    /// # Errors
    /// When its network, cgroups or files cannot be made.
    pub fn start(&self) -> anyhow::Result<()> {
        self.write_files()?;
        network::attach(self.place, self.lab.places()).with_context(|| format!("connect {self}"))?;
        self.cgroup().create()?;
        let _ = fs::remove_file(self.folder().join("started"));
        let network = format!("--net={}", network_file(&self.place.id()).display());
        let script = self.script().display().to_string();
        let unshare =
            ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"];
        let mut words = vec!["nsenter", &network];
        words.extend(unshare);
        words.extend(["/bin/sh", &script, "init"]);
        self.spawn(self.joined(&words)).with_context(|| format!("start {self}"))
    }

    /// Cuts the node's power.
    ///
    /// # Errors
    /// When a process does not end.
    pub fn stop(&self) -> anyhow::Result<()> {
        let cgroup = self.cgroup();
        cgroup.kill()?;
        cgroup.remove_containers()?;
        network::detach(self.place)
    }

    /// Starts what does not run of a node that does, or the whole node.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_stopped(&self) -> anyhow::Result<()> {
        if self.init().is_none() {
            return self.start();
        }
        Daemon::ALL.into_iter().try_for_each(|daemon| self.start_daemon(daemon))
    }

    /// Starts a daemon of a running node; one that runs is left alone.
    ///
    /// # Errors
    /// When the node does not run.
    pub fn start_daemon(&self, daemon: Daemon) -> anyhow::Result<()> {
        if self.daemon(daemon).is_some() {
            return Ok(());
        }
        let script = self.script().display().to_string();
        self.spawn(self.inside(&["/bin/sh", &script, "run", daemon.name()])?)
            .with_context(|| format!("start {} of {self}", daemon.name()))
    }

    /// Kills a daemon. What it has made stays: containers run on, rules hold.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn stop_daemon(&self, daemon: Daemon) -> anyhow::Result<()> {
        if let Some(pid) = self.daemon(daemon) {
            kill_process(pid, Signal::KILL).with_context(|| format!("kill {} of {self}", daemon.name()))?;
        }
        Ok(())
    }

    /// A command that runs as if it was typed on the node, and ends with it.
    ///
    /// # Errors
    /// When the node does not run.
    pub fn inside(&self, words: &[&str]) -> anyhow::Result<Command> {
        let init = self.init().with_context(|| format!("{self} does not run"))?;
        let target = format!("--target={}", init.as_raw_nonzero());
        let mut all = vec!["nsenter", &target, "--mount", "--uts", "--ipc", "--net", "--pid", "--"];
        all.extend(words);
        Ok(self.joined(&all))
    }

    /// A command in the node's cgroups, so that it is known for the node's.
    fn joined(&self, words: &[&str]) -> Command {
        let mut command = command("/bin/sh");
        command.env_clear().env("PATH", search_path()).envs(self.environment());
        // For those who run a program that draws.
        command.envs(std::env::var_os("TERM").map(|terminal| ("TERM", terminal)));
        command.arg(self.script()).arg("join").args(words);
        command
    }

    fn environment(&self) -> [(&'static str, String); 8] {
        let hierarchies: Vec<_> =
            hierarchies().into_iter().map(|(_, folder)| folder.display().to_string()).collect();
        let images: Vec<_> = self.lab.archives().iter().map(|path| path.display().to_string()).collect();
        [
            ("NODE", self.name()),
            ("ID", self.place.id()),
            ("DIR", self.folder().display().to_string()),
            ("BIN", self.lab.build().binaries().display().to_string()),
            ("ADDRESS", self.place.address().to_string()),
            (
                "LABELS",
                format!(
                    "topology.kubernetes.io/region=lab,topology.kubernetes.io/zone={},node.kubernetes.io/instance-type=lab",
                    self.place.zone()
                ),
            ),
            ("HIERARCHIES", hierarchies.join(" ")),
            ("IMAGES", images.join(" ")),
        ]
    }

    /// Starts a command apart from this process: a Ctrl-C at the terminal does not reach it.
    fn spawn(&self, mut command: Command) -> anyhow::Result<()> {
        use std::os::unix::process::CommandExt as _;
        let log = fs::File::options().create(true).append(true).open(self.folder().join("node.log"))?;
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(())
    }

    fn write_files(&self) -> anyhow::Result<()> {
        let folder = self.folder();
        let inner = [
            "cni",
            "var-lib/kubelet",
            "var-lib/containerd",
            "var-lib/cni",
            "var-log/pods",
            "var-log/containers",
        ];
        for inner in inner {
            let path = folder.join(inner);
            fs::create_dir_all(&path).with_context(|| format!("create {}", path.display()))?;
        }
        // Shells of nodes that were started a moment ago still read it: it is not written under their eyes.
        let script = include_str!("../../../lab/real/node.sh");
        if fs::read(self.script()).ok().as_deref() != Some(script.as_bytes()) {
            write(&self.script(), script)?;
        }
        let cni = plugins().context("the CNI plugins are gone")?;
        let name = self.name();
        let words = [
            ("@NODE@", name.clone()),
            ("@ID@", self.place.id()),
            ("@DIR@", folder.display().to_string()),
            ("@CA@", self.lab.pki().join("ca.crt").display().to_string()),
            ("@CNI@", cni.display().to_string()),
            ("@PODS@", self.place.pods()),
            ("@ALL_PODS@", ALL_PODS.to_owned()),
            ("@DNS@", DNS_SERVICE.to_string()),
            ("@PAUSE_IMAGE@", PAUSE_IMAGE.to_owned()),
            ("@RESERVED_MEMORY@", format!("{}Ki", reserved_memory(self.lab.count()))),
        ];
        let node = (format!("system:node:{name}"), "[system:nodes]");
        let files = [
            ("containerd.toml", fill(include_str!("../../../lab/real/containerd.toml"), &words)),
            ("cni/10-lab.conflist", fill(include_str!("../../../lab/real/cni.conflist"), &words)),
            ("kubelet.yaml", fill(include_str!("../../../lab/real/kubelet.yaml"), &words)),
            ("kube-proxy.yaml", fill(include_str!("../../../lab/real/kube-proxy.yaml"), &words)),
            ("kubelet.kubeconfig", kubeconfig(self.lab, Some((&node.0, node.1)))),
            ("kube-proxy.kubeconfig", kubeconfig(self.lab, Some(("system:kube-proxy", "[]")))),
        ];
        files.iter().try_for_each(|(file, text)| write(&folder.join(file), text))
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

/// Whether the status of a process says that it is process 1 of a namespace that is not this machine's.
fn is_first_of_its_namespace(status: &str) -> bool {
    // One number for each namespace, the outermost first.
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
    let numbers: Vec<_> = numbers.split_whitespace().collect();
    numbers.len() > 1 && numbers.last() == Some(&"1")
}

/// What of this machine's memory is not for the pods of one node, in KiB. Each node sees all of it; so many nodes get so
/// much that as much again as one has is left for the control plane and everybody else.
fn reserved_memory(nodes: u8) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0);
    total - total / (u64::from(nodes) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_process_of_a_node_is_known_by_its_numbers() {
        assert!(is_first_of_its_namespace("Name:\tsh\nNSpid:\t4711\t1\n"));
        assert!(!is_first_of_its_namespace("Name:\tsh\nNSpid:\t4711\t12\n"));
        assert!(!is_first_of_its_namespace("Name:\tinit\nNSpid:\t1\n"));
        assert!(!is_first_of_its_namespace("Name:\told\n"));
    }

    #[test]
    fn nodes_never_share_more_than_the_machine_has() {
        let one = reserved_memory(1);
        assert!(reserved_memory(3) >= one, "more nodes, less for each");
    }
}
