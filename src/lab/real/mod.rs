//! The second tier of the lab: real kubelets, containers, network and DNS on this machine.
//!
//! The control plane is that of the first tier, in a network namespace of its own. Each node is a set of namespaces with
//! containerd, kube-proxy and a kubelet ([`node`]); images are made of local programs ([`image`]); all names and addresses
//! follow from one number ([`place`]). `docs/lab.md` tells what it can and cannot do.

pub mod cgroup;
pub mod cli;
mod command;
pub mod faults;
pub mod image;
pub mod network;
pub mod node;
pub mod place;
pub mod requirements;
mod up;

use std::path::PathBuf;

use anyhow::Context as _;

use self::cgroup::Cgroup;
pub use self::command::in_network;
use self::node::Node;
use self::place::{DNS_SERVICE, KUBERNETES_SERVICE, NodePlace, Place, SERVICES};
pub use self::up::{Waiting, furnish};
use super::kwokctl::fill;
use super::layout::{BuildFolder, LabFolder, LabName, Layout};
use super::ports::Ports;
use super::record::{Record, Tier};
use crate::error::CommandError;

/// Nodes of a lab whose number nobody named: two shards on each are six, and any one node can go.
pub const NODES: u8 = 3;

/// A real lab that was started.
#[derive(Clone, Debug)]
pub struct RealLab {
    lab: LabFolder,
    build: BuildFolder,
    place: Place,
    count: u8,
}

impl RealLab {
    #[must_use]
    pub fn new(lab: &LabFolder, build: &BuildFolder, place: Place, count: u8) -> Self {
        Self { lab: lab.clone(), build: build.clone(), place, count }
    }

    /// The real lab of this name; none when there is no such lab, or it is of the other tier.
    #[must_use]
    pub fn find(layout: &Layout, lab: &LabFolder) -> Option<Self> {
        let record = Record::read(lab).filter(|record| record.options.tier == Tier::Real)?;
        let place = Place::of(lab.root())?;
        Some(Self::new(lab, &layout.build_of(&record.build), place, record.options.nodes.unwrap_or(NODES)))
    }

    /// As [`Self::find`], with an error that tells what to do.
    ///
    /// # Errors
    /// When there is no such lab, or its nodes are simulated.
    pub fn open(layout: &Layout, name: &LabName) -> Result<Self, CommandError> {
        let lab = super::existing(layout, name)?;
        Self::find(layout, &lab).ok_or_else(|| {
            CommandError::usage(format!("the nodes of lab {name} are simulated"))
                .hint(format!("start one with real nodes: shardctl lab up --tier real --name {name}-real"))
        })
    }

    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    #[must_use]
    pub fn build(&self) -> &BuildFolder {
        &self.build
    }

    /// How many nodes it has.
    #[must_use]
    pub fn count(&self) -> u8 {
        self.count
    }

    /// The places of its nodes, in order.
    pub fn places(&self) -> impl Iterator<Item = NodePlace> + Clone + use<> {
        self.place.nodes(self.count)
    }

    /// Its nodes, in order.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        self.places().map(|place| Node::new(self, place))
    }

    /// A node by its name.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn node(&self, name: &str) -> Result<Node<'_>, CommandError> {
        self.nodes().find(|node| node.name() == name).ok_or_else(|| {
            let names: Vec<_> = self.nodes().map(|node| node.name()).collect();
            CommandError::usage(format!("there is no node {name} in lab {}", self.lab.name()))
                .hint(format!("it has {}", names.join(", ")))
        })
    }

    fn nodes_folder(&self) -> PathBuf {
        self.lab.root().join("nodes")
    }

    fn pki(&self) -> PathBuf {
        self.lab.cluster().join("pki")
    }

    /// The archives of images that every node takes in.
    fn archives(&self) -> [PathBuf; 2] {
        [self.build.coredns_archive(), self.shard_archive()]
    }

    fn shard_archive(&self) -> PathBuf {
        self.lab.root().join("shards.tar")
    }

    /// Makes what the control plane needs before it starts: images, a network, what it is told, and the kubeconfig.
    ///
    /// # Errors
    /// When a file cannot be written, or what `ip` says.
    pub fn prepare(&self, ports: &Ports, shard_server: &std::path::Path) -> anyhow::Result<()> {
        image::write_shards(&self.shard_archive(), shard_server).context("make the images of the shards")?;
        network::create(self.place).context("make the lab's network")?;
        let files = [
            (self.lab.kwokctl_configuration(), self.configuration(ports)),
            (self.lab.kubeconfig(), kubeconfig(self, None)),
        ];
        for (path, text) in files {
            std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }

    /// What kwokctl is told.
    fn configuration(&self, ports: &Ports) -> String {
        let words = [
            ("@NAME@", self.lab.name().to_string()),
            ("@BIN@", self.build.binaries().display().to_string()),
            ("@PKI@", self.pki().display().to_string()),
            ("@ADDRESS@", self.place.control_plane().to_string()),
            ("@KUBERNETES_SERVICE@", KUBERNETES_SERVICE.to_string()),
            ("@SERVICES@", SERVICES.to_owned()),
            ("@ETCD_PORT@", ports.etcd.to_string()),
            ("@ETCD_PEER_PORT@", ports.etcd_peer.to_string()),
            ("@KUBE_APISERVER_PORT@", ports.kube_apiserver.to_string()),
            ("@KUBE_CONTROLLER_MANAGER_PORT@", ports.kube_controller_manager.to_string()),
            ("@KUBE_SCHEDULER_PORT@", ports.kube_scheduler.to_string()),
            ("@KWOK_PORT@", ports.kwok.to_string()),
        ];
        fill(include_str!("../../../lab/real/kwokctl.yaml"), &words)
    }

    /// Objects that the lab is furnished with at once, as YAML.
    #[must_use]
    pub fn first_objects() -> [&'static str; 2] {
        [include_str!("../../../lab/objects/storage.yaml"), include_str!("../../../lab/real/access.yaml")]
    }

    /// CoreDNS, once there are nodes for it: before that, all of it would come to the first.
    #[must_use]
    pub fn dns_objects() -> String {
        let words = [("@COREDNS_IMAGE@", image::coredns_image()), ("@DNS@", DNS_SERVICE.to_string())];
        fill(include_str!("../../../lab/real/coredns.yaml"), &words)
    }
}

/// A kubeconfig of the lab: that of its administrator, or of one that acts as somebody else, with the rights of that one.
fn kubeconfig(lab: &RealLab, acts_as: Option<(&str, &str)>) -> String {
    let acts_as =
        acts_as.map(|(user, groups)| format!(", as: \"{user}\", as-groups: {groups}")).unwrap_or_default();
    let words = [
        (
            "@SERVER@",
            format!("https://{}:{}", lab.place.control_plane(), Ports::in_own_network().kube_apiserver),
        ),
        ("@PKI@", lab.pki().display().to_string()),
        ("@CONTEXT@", format!("kwok-{}", lab.lab.name())),
        ("@AS@", acts_as),
    ];
    fill(include_str!("../../../lab/real/kubeconfig.yaml"), &words)
}

/// Whether the network of a lab's control plane is there.
#[must_use]
pub fn has_network(place: Place) -> bool {
    self::command::network_file(&place.id()).exists()
}

/// Ends every process of a lab's nodes at once. The rest of the lab still stands.
///
/// # Errors
/// When a process does not end, or for want of rights.
pub fn power_off(place: Place) -> Result<(), CommandError> {
    if !rustix::process::geteuid().is_root() {
        return Err(
            CommandError::refused("only root can remove a lab with real nodes").hint("run it as root")
        );
    }
    for cgroup in cgroups(place) {
        cgroup.kill()?;
    }
    Ok(())
}

/// Removes what a lab has made outside of its folder, with every process that is still in its network.
///
/// # Errors
/// When something cannot be removed; everything else was.
pub fn remove(place: Place) -> anyhow::Result<()> {
    // Of the control plane too: when the lab's folder is gone, nobody knows these processes by their pids.
    network::end_processes(&place.id())?;
    let groups: Vec<_> = cgroups(place).iter().map(Cgroup::remove).collect();
    network::remove(place).context("remove the lab's network")?;
    groups.into_iter().collect()
}

fn cgroups(place: Place) -> Vec<Cgroup> {
    // With the dash: the first lab's name begins like that of the eleventh.
    Cgroup::with_prefix(&format!("{}-", place.id()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn lab() -> RealLab {
        let layout = Layout::in_folder(Path::new("/h"));
        let lab = layout.lab(&"two".parse().unwrap());
        RealLab::new(&lab, &layout.build(), Place::first(), 3)
    }

    fn leaves_no_word(text: &str) {
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            assert!(!line.contains('@'), "{line}");
        }
    }

    #[test]
    fn no_word_of_a_template_is_left_and_all_is_yaml() {
        let lab = lab();
        let dns = RealLab::dns_objects();
        let whole = [
            lab.configuration(&Ports::in_own_network()),
            kubeconfig(&lab, None),
            kubeconfig(&lab, Some(("a", "[b]"))),
        ];
        for text in whole.iter().map(String::as_str).chain(dns.split("\n---\n")) {
            leaves_no_word(text);
            let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
            assert!(value["kind"].is_string(), "{text}");
        }
    }

    #[test]
    fn nothing_of_the_control_plane_listens_in_this_machines_network() {
        // The one component that listens on all addresses does so in a namespace of its own.
        let text = lab().configuration(&Ports::in_own_network());
        assert!(text.contains("bindAddress: 127.0.0.1\n"));
        assert_eq!(text.matches("0.0.0.0").count(), 1);
    }

    #[test]
    fn a_kubelet_has_the_rights_of_its_node_only() {
        let text = kubeconfig(&lab(), Some(("system:node:node-1", "[system:nodes]")));
        let value: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(value["users"][0]["user"]["as"], "system:node:node-1");
        assert_eq!(value["users"][0]["user"]["as-groups"][0], "system:nodes");
    }
}
