//! Where labs live: builds in the cache folder, running labs in the state folder, never the user's kubeconfig.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::components;
use crate::error::CommandError;

/// The name of a lab: a DNS label, since it names a cluster and a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabName(String);

impl LabName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LabName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid = (1..=63).contains(&text.len())
            && text.chars().all(allowed)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err("a lab's name has 1 to 63 lower-case letters, digits and inner dashes, for example lab-2"
                .to_owned())
        }
    }
}

impl fmt::Display for LabName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The two folders that everything lies in.
#[derive(Clone, Debug)]
pub struct Layout {
    cache: PathBuf,
    state: PathBuf,
}

impl Layout {
    /// The folders that the environment asks for, by the XDG rules.
    ///
    /// # Errors
    /// When the environment names neither them nor a home folder.
    pub fn from_environment() -> Result<Self, CommandError> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, CommandError> {
        // The XDG rules say that a relative path is to be ignored.
        let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = |xdg: &str, below_home: &str| {
            absolute(xdg)
                .or_else(|| absolute("HOME").map(|home| home.join(below_home)))
                .map(|folder| folder.join("shardctl"))
                .ok_or_else(|| {
                    CommandError::failed(format!("neither {xdg} nor HOME names a folder to keep the lab in"))
                        .hint(format!("set {xdg} to an absolute path"))
                })
        };
        Ok(Self {
            cache: folder("XDG_CACHE_HOME", ".cache")?.join("lab"),
            state: folder("XDG_STATE_HOME", ".local/state")?.join("labs"),
        })
    }

    /// Everything below one folder, for tests.
    #[cfg(test)]
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { cache: folder.join("cache"), state: folder.join("state") }
    }

    /// Where this version's components are built into.
    #[must_use]
    pub fn build(&self) -> BuildFolder {
        self.build_of(&components::key())
    }

    /// Where the components of this key were built into: a lab may run those of another version.
    #[must_use]
    pub fn build_of(&self, key: &str) -> BuildFolder {
        BuildFolder { root: self.cache.join(key) }
    }

    /// Where `make lab` leaves the shard server.
    #[must_use]
    pub fn cached_shard_server(&self) -> PathBuf {
        self.cache.join("shard-server")
    }

    /// The folder of everything that is built.
    #[must_use]
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The folder of the labs.
    #[must_use]
    pub fn labs(&self) -> &Path {
        &self.state
    }

    /// The folder of one lab.
    #[must_use]
    pub fn lab(&self, name: &LabName) -> LabFolder {
        LabFolder { root: self.state.join(name.as_str()), name: name.clone() }
    }

    /// The file whose lock says that somebody is starting or stopping this lab.
    #[must_use]
    pub fn lock(&self, name: &LabName) -> PathBuf {
        // No lab can have this name: a dot is not allowed in one.
        self.state.join(format!(".{name}.lock"))
    }

    /// The names of all labs that have a folder, in order.
    #[must_use]
    pub fn names(&self) -> Vec<LabName> {
        let mut names: Vec<LabName> = std::fs::read_dir(&self.state)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        names.sort();
        names
    }
}

/// The components of one version.
#[derive(Clone, Debug)]
pub struct BuildFolder {
    root: PathBuf,
}

impl BuildFolder {
    #[must_use]
    pub fn binaries(&self) -> PathBuf {
        self.root.join("bin")
    }

    #[must_use]
    pub fn binary(&self, name: &str) -> PathBuf {
        self.binaries().join(name)
    }

    #[must_use]
    pub fn manifests(&self) -> PathBuf {
        self.root.join("manifests")
    }

    /// The image of CoreDNS, which real nodes take in.
    #[must_use]
    pub fn coredns_archive(&self) -> PathBuf {
        self.root.join("coredns.tar")
    }

    /// Where `go.mod` and `go.sum` are written for `go build`.
    #[must_use]
    pub fn module(&self) -> PathBuf {
        self.root.join("module")
    }

    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join(".lock")
    }
}

/// One lab's folder.
#[derive(Clone, Debug)]
pub struct LabFolder {
    name: LabName,
    root: PathBuf,
}

impl LabFolder {
    #[must_use]
    pub fn name(&self) -> &LabName {
        &self.name
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is known about the lab: its options and ports.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.root.join("lab.json")
    }

    /// The only kubeconfig that a lab writes.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.root.join("kubeconfig")
    }

    /// Where kwokctl writes one that is of no use outside of the control plane's own network.
    #[must_use]
    pub fn inner_kubeconfig(&self) -> PathBuf {
        self.root.join("kubeconfig-inner")
    }

    /// What kwokctl is told.
    #[must_use]
    pub fn kwokctl_configuration(&self) -> PathBuf {
        self.root.join("kwokctl.yaml")
    }

    /// The instance types that Karpenter chooses from.
    #[must_use]
    pub fn sizes(&self) -> PathBuf {
        self.root.join("sizes.json")
    }

    /// kwokctl's `KWOK_WORKDIR`.
    #[must_use]
    pub fn kwok(&self) -> PathBuf {
        self.root.join("kwok")
    }

    /// The folder that kwokctl keeps this cluster in.
    #[must_use]
    pub fn cluster(&self) -> PathBuf {
        self.kwok().join("clusters").join(self.name.as_str())
    }

    #[must_use]
    pub fn pids(&self) -> PathBuf {
        self.cluster().join("pids")
    }

    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.cluster().join("logs")
    }

    /// What kwokctl itself said, before it had a folder for logs.
    #[must_use]
    pub fn kwokctl_log(&self) -> PathBuf {
        self.root.join("kwokctl.log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(variables: &[(&str, &str)]) -> Result<Layout, CommandError> {
        Layout::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn a_name_is_a_dns_label() {
        for name in ["lab", "a", "lab-2", "0", &"a".repeat(63)] {
            assert!(name.parse::<LabName>().is_ok(), "{name}");
        }
        for name in ["", "-lab", "lab-", "Lab", "a.b", "a_b", "../x", "läb", &"a".repeat(64)] {
            assert!(name.parse::<LabName>().is_err(), "{name}");
        }
    }

    #[test]
    fn folders_follow_the_xdg_rules() {
        let home = layout(&[("HOME", "/home/me")]).unwrap();
        assert_eq!(home.labs(), Path::new("/home/me/.local/state/shardctl/labs"));
        assert!(home.build().binaries().starts_with("/home/me/.cache/shardctl/lab"));
        let xdg = layout(&[("HOME", "/home/me"), ("XDG_STATE_HOME", "/s"), ("XDG_CACHE_HOME", "relative")])
            .unwrap();
        assert_eq!(xdg.labs(), Path::new("/s/shardctl/labs"));
        assert!(xdg.build().binaries().starts_with("/home/me/.cache"));
        assert_eq!(layout(&[]).unwrap_err().hints.len(), 1);
    }

    #[test]
    fn a_lab_keeps_everything_in_its_own_folder() {
        let layout = layout(&[("HOME", "/h")]).unwrap();
        let lab = layout.lab(&"two".parse().unwrap());
        for path in [lab.kubeconfig(), lab.kwok(), lab.pids(), lab.logs(), lab.record(), lab.sizes()] {
            assert!(path.starts_with("/h/.local/state/shardctl/labs/two"), "{}", path.display());
        }
    }
}
