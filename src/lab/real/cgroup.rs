//! A node's cgroups: what bounds its containers, and what tells which processes are the node's.
//!
//! Every process of a node is in one of them from its first moment, so that they can be found and ended whatever happened
//! to the process that started them. Version 1 only: a hierarchy for each controller.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

/// The controllers that a kubelet insists on.
pub const CONTROLLERS: [&str; 7] = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids"];

/// A killed process is gone in milliseconds; one that waits for a disk may take a while.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

/// The version 1 hierarchies of this machine: controllers, and where each is mounted.
#[must_use]
pub fn hierarchies() -> Vec<(Vec<String>, PathBuf)> {
    parse_mounts(&fs::read_to_string("/proc/self/mounts").unwrap_or_default())
}

/// The version 2 hierarchy beside them, without controllers. A container runtime makes groups there too.
fn unified() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let place = words.next()?;
        (words.next()? == "cgroup2").then(|| place.into())
    })
}

/// Every hierarchy.
fn roots() -> impl Iterator<Item = PathBuf> {
    hierarchies().into_iter().map(|(_, root)| root).chain(unified())
}

fn parse_mounts(mounts: &str) -> Vec<(Vec<String>, PathBuf)> {
    let mut found: Vec<(Vec<String>, PathBuf)> = Vec::new();
    for line in mounts.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [_, place, "cgroup", options, ..] = words[..] else { continue };
        let known =
            |option: &&str| CONTROLLERS.contains(option) || *option == "blkio" || option.starts_with("name=");
        let controllers: Vec<String> = options.split(',').filter(known).map(str::to_owned).collect();
        // Some hierarchies are mounted twice.
        if !controllers.is_empty() && found.iter().all(|(others, _)| *others != controllers) {
            found.push((controllers, place.into()));
        }
    }
    found
}

/// A group of this name in every hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    name: String,
}

impl Cgroup {
    #[must_use]
    pub fn new(name: String) -> Self {
        Self { name }
    }

    /// The groups whose names begin so.
    #[must_use]
    pub fn with_prefix(prefix: &str) -> Vec<Self> {
        let mut names: Vec<String> = roots()
            .flat_map(|root| folders(&root))
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .filter(|name| name.starts_with(prefix))
            .collect();
        names.sort();
        names.dedup();
        names.into_iter().map(Self::new).collect()
    }

    fn folders(&self) -> impl Iterator<Item = PathBuf> {
        roots().map(|root| root.join(&self.name))
    }

    /// Makes the group, and in it one for the node's own processes.
    ///
    /// # Errors
    /// When a hierarchy does not allow it.
    pub fn create(&self) -> anyhow::Result<()> {
        for (_, root) in hierarchies() {
            let folder = root.join(&self.name);
            let system = folder.join("system");
            fs::create_dir_all(&system).with_context(|| format!("create {}", system.display()))?;
            // A new group of cpuset has neither processors nor memory.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                let Ok(value) = fs::read_to_string(root.join(file)) else { continue };
                for folder in [&folder, &system] {
                    fs::write(folder.join(file), value.trim())
                        .with_context(|| format!("write {}", folder.join(file).display()))?;
                }
            }
        }
        Ok(())
    }

    /// Everything that runs in the group or below it, containers too.
    #[must_use]
    pub fn processes(&self) -> Vec<Pid> {
        self.folders().next().map(|folder| processes_below(&folder)).unwrap_or_default()
    }

    /// The node's own processes: its daemons and what started them.
    #[must_use]
    pub fn system_processes(&self) -> Vec<Pid> {
        self.folders().next().map(|folder| processes_in(&folder.join("system"))).unwrap_or_default()
    }

    /// Kills everything in the group, as a power cut does.
    ///
    /// # Errors
    /// When something cannot be killed.
    pub fn kill(&self) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() {
                return Ok(());
            }
            for pid in &left {
                let _ = kill_process(*pid, Signal::KILL);
            }
            anyhow::ensure!(
                start.elapsed() < PATIENCE,
                "{} processes of {} do not end",
                left.len(),
                self.name
            );
            pause();
        }
    }

    /// Removes the groups of containers, which a kubelet would spend seconds on when it starts again.
    ///
    /// # Errors
    /// When something still runs in one.
    pub fn remove_containers(&self) -> anyhow::Result<()> {
        self.folders().try_for_each(|folder| remove(&folder.join("kubepods")))
    }

    /// Removes the group. Nothing may run in it.
    ///
    /// # Errors
    /// When something does.
    pub fn remove(&self) -> anyhow::Result<()> {
        self.folders().try_for_each(|folder| remove(&folder))
    }
}

fn processes_in(folder: &Path) -> Vec<Pid> {
    let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect()
}

fn processes_below(folder: &Path) -> Vec<Pid> {
    let mut found = processes_in(folder);
    for inner in folders(folder) {
        found.extend(processes_below(&inner));
    }
    found
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// Removes a group and those in it. Files in it are the kernel's and go with it.
fn remove(folder: &Path) -> anyhow::Result<()> {
    for inner in folders(folder) {
        remove(&inner)?;
    }
    let start = Instant::now();
    loop {
        match fs::remove_dir(folder) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // The kernel lets go of a group a moment after its last process.
            Err(error) if start.elapsed() > PATIENCE => {
                return Err(error).with_context(|| format!("remove {}", folder.display()));
            }
            Err(_) => pause(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "killing and removing are not done on the runtime")]
fn pause() {
    thread::sleep(POLL);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_are_read_from_the_mounts() {
        let mounts = "proc /proc proc rw 0 0\n\
            cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n\
            cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0\n\
            cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0\n\
            cgroup /elsewhere cgroup rw,cpu,cpuacct 0 0\n\
            cgroup /sys/fs/cgroup/net_cls cgroup rw,net_cls 0 0\n";
        let found = parse_mounts(mounts);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], (vec!["cpu".into(), "cpuacct".into()], "/sys/fs/cgroup/cpu,cpuacct".into()));
        assert_eq!(found[1].1, Path::new("/sys/fs/cgroup/systemd"));
    }

    #[test]
    fn a_group_that_is_not_there_has_nothing_and_is_removed_already() {
        let group = Cgroup::new("shardctl-no-such-group".to_owned());
        assert!(group.processes().is_empty());
        group.kill().unwrap();
        group.remove_containers().unwrap();
        group.remove().unwrap();
    }
}
