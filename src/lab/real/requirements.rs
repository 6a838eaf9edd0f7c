//! What a real lab needs of this machine. Nothing is changed before all of it is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::cgroup::{CONTROLLERS, hierarchies};
use super::command::{find, run};
use crate::error::CommandError;
use crate::lab::layout::Layout;

/// Programs, and the Debian packages that they come in.
const PROGRAMS: [(&str, &str); 14] = [
    ("containerd", "containerd"),
    ("containerd-shim-runc-v2", "containerd"),
    ("ctr", "containerd"),
    ("runc", "runc"),
    ("iptables", "iptables"),
    ("iptables-restore", "iptables"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("mount", "mount"),
    ("umount", "mount"),
    ("hostname", "hostname"),
    ("busybox", "busybox-static"),
    ("ldd", "libc-bin"),
];

/// The CNI plugins that the nodes use.
const PLUGINS: [&str; 4] = ["host-local", "loopback", "portmap", "ptp"];
/// Where distributions and projects put them.
const PLUGIN_FOLDERS: [&str; 3] = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];
const PLUGIN_PACKAGE: &str = "containernetworking-plugins";

/// Capabilities beyond those that a root without any restriction loses in a container: name, bit, what for.
const CAPABILITIES: [(&str, u32, &str); 3] = [
    ("CAP_NET_ADMIN", 12, "to make networks"),
    ("CAP_SYS_ADMIN", 21, "to make namespaces and mounts"),
    ("CAP_SYSLOG", 34, "a kubelet reads the kernel's log"),
];

/// Folders that a node has its own of.
const HIDDEN: [&str; 3] = ["/run", "/var/lib", "/var/log"];

/// What is missing on a machine, and what to do about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Each in a few words.
    pub what: Vec<String>,
    /// Debian packages to install.
    pub packages: BTreeSet<&'static str>,
    hints: Vec<String>,
}

impl Missing {
    /// Looks at this machine.
    #[must_use]
    pub fn on_this_machine(layout: &Layout) -> Self {
        let mut missing = Self::default();
        missing.check_rights();
        missing.check_programs();
        missing.check_kernel();
        missing.check_folders(layout);
        missing
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.what.is_empty()
    }

    fn add(&mut self, what: impl Into<String>, hint: impl Into<String>) {
        self.what.push(what.into());
        self.hints.push(hint.into());
    }

    fn check_rights(&mut self) {
        if !geteuid().is_root() {
            self.add(
                "you are not root",
                "run it as root, or use a lab of the kwok tier, which needs no rights",
            );
            return;
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        for (name, what_for) in capabilities_without(&status) {
            self.add(
                format!("root lacks {name} ({what_for})"),
                format!("in a container, start that with --cap-add {}", name.trim_start_matches("CAP_")),
            );
        }
    }

    fn check_programs(&mut self) {
        let mut absent = Vec::new();
        for (program, package) in PROGRAMS {
            if find(program).is_none() {
                absent.push(program.to_owned());
                self.packages.insert(package);
            }
        }
        if plugins().is_none() {
            absent.push(format!("the CNI plugins {}", PLUGINS.join(", ")));
            self.packages.insert(PLUGIN_PACKAGE);
        }
        if let Some(busybox) = find("busybox")
            && run("ldd", [&busybox]).is_ok()
        {
            absent.push("a busybox that is linked statically".to_owned());
            self.packages.insert("busybox-static");
        }
        if !absent.is_empty() {
            self.what.push(format!(
                "{} not installed: {}",
                if absent.len() == 1 { "is" } else { "are" },
                absent.join(", ")
            ));
        }
    }

    fn check_kernel(&mut self) {
        if !cfg!(target_os = "linux") {
            self.add("this is not Linux", "a lab of the kwok tier runs here");
            return;
        }
        let filesystems = fs::read_to_string("/proc/filesystems").unwrap_or_default();
        if !filesystems.split_whitespace().any(|one| one == "overlay") {
            self.add("the kernel lacks overlayfs", "load it: modprobe overlay");
        }
        let present: Vec<String> =
            hierarchies().into_iter().flat_map(|(controllers, _)| controllers).collect();
        let absent: Vec<_> =
            CONTROLLERS.into_iter().filter(|wanted| present.iter().all(|one| one != wanted)).collect();
        if !absent.is_empty() {
            self.add(
                format!("there is no cgroup v1 hierarchy of {}", absent.join(", ")),
                "cgroup v2 alone is not supported yet; boot with systemd.unified_cgroup_hierarchy=0",
            );
        }
    }

    fn check_folders(&mut self, layout: &Layout) {
        let folders = [("XDG_STATE_HOME", layout.labs()), ("XDG_CACHE_HOME", layout.cache())];
        for (variable, folder) in folders {
            if let Some(hidden) = HIDDEN.iter().find(|hidden| folder.starts_with(hidden)) {
                self.add(
                    format!("{} is below {hidden}, and a node has its own {hidden}", folder.display()),
                    format!("set {variable} to another folder"),
                );
            }
        }
        let existing = layout.labs().ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
        let kind = run("stat", ["-f", "-c", "%T", &existing.display().to_string()]).unwrap_or_default();
        if kind.trim() == "overlayfs" {
            self.add(
                format!("{} is on overlayfs, and containers cannot be unpacked on that", existing.display()),
                "set XDG_STATE_HOME to a folder on another filesystem, in a container a volume",
            );
        }
    }

    /// The refusal.
    #[must_use]
    pub fn refusal(self) -> CommandError {
        let mut error =
            CommandError::refused(format!("this machine cannot run a real lab: {}", self.what.join("; ")));
        if !self.packages.is_empty() {
            let packages: Vec<_> = self.packages.into_iter().collect();
            error = error.hint(format!(
                "install them; on Debian: apt-get install --no-install-recommends {}",
                packages.join(" ")
            ));
        }
        self.hints.into_iter().fold(error, CommandError::hint)
    }
}

/// The folder with the CNI plugins.
#[must_use]
pub fn plugins() -> Option<PathBuf> {
    PLUGIN_FOLDERS
        .into_iter()
        .map(PathBuf::from)
        .find(|folder| PLUGINS.iter().all(|plugin| folder.join(plugin).is_file()))
}

/// The capabilities that a process with this status does not have.
fn capabilities_without(status: &str) -> Vec<(&'static str, &'static str)> {
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        // A system that does not tell gets the benefit of the doubt.
        .unwrap_or(u64::MAX);
    CAPABILITIES
        .into_iter()
        .filter(|(_, bit, _)| effective & (1 << bit) == 0)
        .map(|(name, _, what_for)| (name, what_for))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_what_to_install() {
        let missing = Missing {
            what: vec!["are not installed: runc, ctr".to_owned()],
            packages: ["runc", "containerd"].into(),
            hints: Vec::new(),
        };
        let error = missing.refusal();
        assert_eq!(error.exit, crate::error::ExitCode::Refused);
        assert!(error.hints[0].ends_with("--no-install-recommends containerd runc"), "{:?}", error.hints);
    }

    #[test]
    fn capabilities_are_read_from_the_status() {
        let names = |mask: &str| -> Vec<_> {
            capabilities_without(&format!("Name:\tx\nCapEff:\t{mask}\n"))
                .iter()
                .map(|(name, _)| *name)
                .collect()
        };
        assert!(names("000001fffeffffff").is_empty());
        // What Docker leaves to root.
        assert_eq!(names("00000000a80425fb"), ["CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYSLOG"]);
    }
}
