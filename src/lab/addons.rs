//! The programs of a lab beside the control plane: how each is started, and how it shows that it is ready.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::kwokctl::{CORE, clean_environment};
use super::layout::{BuildFolder, LabFolder, Layout};
use super::ports::Ports;
use super::process::Process;
use super::record::{Record, Tier};

/// The name of the program that stands in for the containers of all pods.
pub const SHARD_SERVER: &str = "shard-server";

/// A program of a lab that shardctl starts itself.
#[derive(Clone, Debug)]
pub struct Addon {
    pub process: Process,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    /// The port that answers once it is ready.
    pub port: Option<u16>,
}

impl Addon {
    /// The command that starts it, in the lab's folder.
    #[must_use]
    pub fn command(&self, lab: &LabFolder) -> Command {
        let mut command = Command::new(&self.process.binary);
        clean_environment(&mut command);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(lab.cluster());
        command
    }

    /// Whether it listens. Without a port, being alive is all that can be asked.
    #[must_use]
    pub fn listens(&self) -> bool {
        let Some(port) = self.port else { return true };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
    }
}

/// The add-ons of a lab whose nodes are simulated; one with real nodes has none.
#[must_use]
pub fn addons_of(lab: &LabFolder, build: &BuildFolder, record: &Record) -> Vec<Addon> {
    match record.options.tier {
        Tier::Kwok => addons(lab, build, &record.ports, record.shard_server.as_deref()),
        Tier::Real => Vec::new(),
    }
}

/// All add-ons that there are. The shard server is among them when it was found.
#[must_use]
pub fn addons(
    lab: &LabFolder,
    build: &BuildFolder,
    ports: &Ports,
    shard_server: Option<&Path>,
) -> Vec<Addon> {
    let kubeconfig = lab.kubeconfig().display().to_string();
    let kubeconfig_flag = format!("--kubeconfig={kubeconfig}");
    let mut addons = vec![
        Addon {
            process: process(lab, "karpenter", "karpenter", &build.binary("karpenter")),
            arguments: Vec::new(),
            environment: vec![
                ("KUBECONFIG", kubeconfig.clone()),
                ("SYSTEM_NAMESPACE", "kube-system".into()),
                ("DISABLE_LEADER_ELECTION", "true".into()),
                ("METRICS_PORT", ports.karpenter_metrics.to_string()),
                ("HEALTH_PROBE_PORT", ports.karpenter_health.to_string()),
                // Pending pods are grouped for a moment; in a lab nobody wants to wait for that.
                ("BATCH_IDLE_DURATION", "200ms".into()),
                ("BATCH_MAX_DURATION", "1s".into()),
                ("INSTANCE_TYPES_FILE_PATH", lab.sizes().display().to_string()),
            ],
            port: Some(ports.karpenter_health),
        },
        Addon {
            process: process(lab, "metrics-server", "metrics-server", &build.binary("metrics-server")),
            arguments: vec![
                "--bind-address=127.0.0.1".into(),
                format!("--secure-port={}", ports.metrics_server),
                kubeconfig_flag.clone(),
                format!("--authentication-kubeconfig={kubeconfig}"),
                format!("--authorization-kubeconfig={kubeconfig}"),
                format!("--cert-dir={}", lab.cluster().join("metrics-server").display()),
                "--kubelet-insecure-tls".into(),
                "--kubelet-use-node-status-port".into(),
                "--kubelet-preferred-address-types=Hostname,InternalIP".into(),
                "--metric-resolution=15s".into(),
            ],
            environment: Vec::new(),
            port: Some(ports.metrics_server),
        },
        Addon {
            process: process(lab, "vpa-recommender", "vpa-recommender", &build.binary("vpa-recommender")),
            arguments: vec![
                kubeconfig_flag.clone(),
                format!("--address=127.0.0.1:{}", ports.vpa_recommender),
                "--recommender-interval=5s".into(),
                "--leader-elect=false".into(),
            ],
            environment: Vec::new(),
            port: Some(ports.vpa_recommender),
        },
    ];
    if let Some(binary) = shard_server {
        addons.push(Addon {
            process: process(lab, SHARD_SERVER, SHARD_SERVER, binary),
            arguments: vec![kubeconfig_flag],
            environment: Vec::new(),
            port: None,
        });
    }
    addons
}

/// The processes of the control plane, in start order. Real nodes need no kwok.
#[must_use]
pub fn core(lab: &LabFolder, build: &BuildFolder, tier: Tier) -> Vec<Process> {
    let wanted = CORE.iter().filter(|(name, ..)| tier == Tier::Kwok || *name != "kwok");
    wanted.map(|&(name, file, binary)| process(lab, name, file, &build.binary(binary))).collect()
}

/// kwokctl itself, which only runs while a lab is started.
#[must_use]
pub fn starter(lab: &LabFolder, build: &BuildFolder) -> Process {
    Process {
        pid_file: lab.root().join("kwokctl.pid"),
        log: lab.kwokctl_log(),
        ..process(lab, "kwokctl", "kwokctl", &build.binary("kwokctl"))
    }
}

fn process(lab: &LabFolder, name: &'static str, file: &str, binary: &Path) -> Process {
    Process {
        name,
        // A running process is known by its file, links resolved.
        binary: binary.canonicalize().unwrap_or_else(|_| binary.to_owned()),
        pid_file: lab.pids().join(format!("{file}.pid")),
        log: lab.logs().join(format!("{file}.log")),
    }
}

/// Finds the shard server: beside this program, on the PATH, or where `make lab` leaves it.
#[must_use]
pub fn find_shard_server(layout: &Layout) -> Option<PathBuf> {
    let mut places = Vec::new();
    if let Some(folder) = std::env::current_exe()
        .ok()
        .and_then(|program| program.canonicalize().ok())
        .and_then(|program| program.parent().map(Path::to_owned))
    {
        places.push(folder.join("examples").join(SHARD_SERVER));
        places.push(folder.join(SHARD_SERVER));
        // Tests run from target/debug/deps.
        places.push(folder.join("../examples").join(SHARD_SERVER));
    }
    if let Some(path) = std::env::var_os("PATH") {
        places.extend(std::env::split_paths(&path).map(|folder| folder.join(SHARD_SERVER)));
    }
    places.push(layout.cached_shard_server());
    places.into_iter().find(|place| place.is_file())?.canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_addon_listens_beyond_this_machine_or_meets_another_kubeconfig() {
        let layout = Layout::in_folder(Path::new("/h"));
        let lab = layout.lab(&"two".parse().unwrap());
        let kubeconfig = lab.kubeconfig().display().to_string();
        for addon in addons(&lab, &layout.build(), &Ports::fixed(), Some(Path::new("/bin/shard-server"))) {
            let mut texts = addon.arguments.clone();
            texts.extend(addon.environment.iter().map(|(name, value)| format!("{name}={value}")));
            assert!(texts.iter().any(|text| text.ends_with(&kubeconfig)), "{}", addon.process.name);
            let command = addon.command(&lab);
            let set: Vec<_> = command.get_envs().filter(|(name, _)| *name == "KUBECONFIG").collect();
            assert!(
                set.iter().all(|(_, value)| value.is_none_or(|value| value == kubeconfig.as_str())),
                "{}",
                addon.process.name
            );
        }
    }

    #[test]
    fn pid_files_are_named_after_what_kwokctl_calls_them() {
        let layout = Layout::in_folder(Path::new("/h"));
        let lab = layout.lab(&"two".parse().unwrap());
        let kwok = core(&lab, &layout.build(), Tier::Kwok).pop().unwrap();
        assert_eq!(kwok.name, "kwok");
        assert!(kwok.pid_file.ends_with("pids/kwok-controller.pid"));
    }
}
