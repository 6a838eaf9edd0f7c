//! Where a real lab is on this machine: all that it makes has names and addresses that follow from one number.
//!
//! A file in `/run` holds each number for one lab. It is written before anything is made and removed after everything is
//! gone, so that an interrupted start or end is found again.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::cgroup::Cgroup;
use super::network;

/// The files that hold numbers. Like all that a lab makes outside of its folder, they go when the machine starts anew.
const CLAIMS: &str = "/run/shardctl";

/// Labs that fit side by side, and nodes in each: both are half of a byte of an address.
pub const MOST_LABS: u8 = 16;
pub const MOST_NODES: u8 = 15;

/// Addresses of services. They exist in the nodes only, so all labs have the same.
pub const SERVICES: &str = "10.96.0.0/16";
/// The service of the API server.
pub const KUBERNETES_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 1);
/// The service of CoreDNS.
pub const DNS_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
/// All addresses of pods, of all labs.
pub const ALL_PODS: &str = "10.201.0.0/16";

/// One lab's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    index: u8,
}

impl Place {
    /// The place of the lab in this folder, when it has one.
    #[must_use]
    pub fn of(lab: &Path) -> Option<Self> {
        Self::in_folder(Path::new(CLAIMS), lab)
    }

    fn in_folder(claims: &Path, lab: &Path) -> Option<Self> {
        (0..MOST_LABS).map(|index| Self { index }).find(|place| {
            fs::read(place.claim(claims)).is_ok_and(|owner| owner == lab.as_os_str().as_encoded_bytes())
        })
    }

    /// Takes a place for the lab in this folder, or finds the one it has. A place whose addresses this machine reaches
    /// already is passed over, and so is one where something still is although nobody claims it: whoever's it is, a new lab
    /// would get in its way.
    ///
    /// # Errors
    /// When no place is left.
    pub fn take(lab: &Path) -> anyhow::Result<Self> {
        let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
        Self::take_in(Path::new(CLAIMS), lab, |place| place.is_routed(&routes) || place.is_occupied())
    }

    /// As [`Self::take`], with claims in another folder and another idea of what is in use.
    ///
    /// # Errors
    /// When no place is left.
    pub fn take_in(claims: &Path, lab: &Path, is_in_use: impl Fn(&Self) -> bool) -> anyhow::Result<Self> {
        if let Some(place) = Self::in_folder(claims, lab) {
            return Ok(place);
        }
        fs::create_dir_all(claims).with_context(|| format!("create {}", claims.display()))?;
        // Written beside its place and then linked: whoever sees the claim sees its owner too.
        let written = claims.join(format!(".{}", std::process::id()));
        fs::write(&written, lab.as_os_str().as_encoded_bytes())
            .with_context(|| format!("write {}", written.display()))?;
        let mut free = (0..MOST_LABS).map(|index| Self { index }).filter(|place| !is_in_use(place));
        let taken = free.find_map(|place| match fs::hard_link(&written, place.claim(claims)) {
            Ok(()) => Some(Ok(place)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
            Err(error) => Some(Err(error)),
        });
        let _ = fs::remove_file(&written);
        taken.transpose().with_context(|| format!("take a place in {}", claims.display()))?.with_context(
            || format!("all {MOST_LABS} places for real labs are taken, see {}", claims.display()),
        )
    }

    /// Whether anything of a lab is in this place.
    #[must_use]
    pub fn is_occupied(&self) -> bool {
        let id = self.id();
        Path::new("/sys/class/net").join(&id).exists()
            || !network::namespaces(&id).is_empty()
            || !Cgroup::with_prefix(&format!("{id}-")).is_empty()
    }

    /// Gives the place back. Nothing of the lab may be left.
    ///
    /// # Errors
    /// When the claim cannot be removed.
    pub fn release(self) -> io::Result<()> {
        fs::remove_file(self.claim(Path::new(CLAIMS)))
    }

    #[cfg(test)]
    #[must_use]
    pub fn first() -> Self {
        Self { index: 0 }
    }

    fn claim(self, claims: &Path) -> PathBuf {
        claims.join(format!("real-{}", self.index))
    }

    /// The name of what exists once in a lab: the control plane's network, and the link to it.
    #[must_use]
    pub fn id(self) -> String {
        format!("shardctl-r{}", self.index)
    }

    /// The control plane's address in the nodes' network.
    #[must_use]
    pub fn control_plane(self) -> Ipv4Addr {
        self.address(1)
    }

    /// That of its link, always the same: nobody has an old one in mind when a node goes or comes.
    #[must_use]
    pub fn hardware_address(self) -> String {
        self.hardware_address_of(1)
    }

    fn hardware_address_of(self, host: u8) -> String {
        format!("02:5a:0a:c8:{:02x}:{host:02x}", self.index)
    }

    /// The address of this machine in the nodes' network.
    #[must_use]
    pub fn machine(self) -> Ipv4Addr {
        self.address(254)
    }

    fn address(self, host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 200, self.index, host)
    }

    /// The nodes of a lab that has so many.
    pub fn nodes(self, count: u8) -> impl Iterator<Item = NodePlace> + Clone {
        (1..=count.min(MOST_NODES)).map(move |number| NodePlace { lab: self, number })
    }

    /// Whether this machine reaches one of the lab's addresses already, other than by a default route.
    fn is_routed(self, routes: &str) -> bool {
        let ours = [(self.address(0), 24), (self.pods(0), 20)];
        routes.lines().skip(1).any(|line| {
            let mut words = line.split_whitespace().skip(1);
            let mut number = |nth| u32::from_str_radix(words.nth(nth)?, 16).ok();
            let (Some(target), Some(mask)) = (number(0), number(5)) else { return false };
            // The kernel prints addresses as they are in memory.
            let (target, mask) = (u32::from_be(target), u32::from_be(mask));
            mask != 0
                && ours.iter().any(|(address, length)| {
                    let both = mask & (u32::MAX << (32 - length));
                    target & both == u32::from(*address) & both
                })
        })
    }

    fn pods(self, node: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 201, self.index * 16 + node, 0)
    }
}

/// One node's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodePlace {
    lab: Place,
    /// From 1.
    number: u8,
}

impl NodePlace {
    /// The name of the Node.
    #[must_use]
    pub fn name(self) -> String {
        format!("node-{}", self.number)
    }

    /// The name of its network and cgroups, unlike that of any other lab's.
    #[must_use]
    pub fn id(self) -> String {
        format!("{}-{}", self.lab.id(), self.name())
    }

    #[must_use]
    pub fn address(self) -> Ipv4Addr {
        self.lab.address(10 + self.number)
    }

    /// The addresses of its pods.
    #[must_use]
    pub fn pods(self) -> String {
        format!("{}/24", self.lab.pods(self.number))
    }

    /// A zone for each node, so that zones can be told apart.
    #[must_use]
    pub fn zone(self) -> String {
        format!("lab-{}", self.number)
    }

    /// Always the same, so that nobody has an old one in mind when the node starts again.
    #[must_use]
    pub fn hardware_address(self) -> String {
        self.lab.hardware_address_of(10 + self.number)
    }

    #[must_use]
    pub fn lab(self) -> Place {
        self.lab
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nothing_of_two_labs_has_the_same_name_or_address() {
        let mut seen = BTreeSet::new();
        for index in 0..MOST_LABS {
            let place = Place { index };
            let mut ours = vec![place.id(), place.control_plane().to_string(), place.machine().to_string()];
            ours.push(place.hardware_address());
            for node in place.nodes(MOST_NODES) {
                ours.extend([node.id(), node.address().to_string(), node.pods(), node.hardware_address()]);
                assert!(place.id().len() < 16 && node.name().len() < 16, "the name of a link has 15 bytes");
            }
            for one in ours {
                assert!(seen.insert(one.clone()), "{one} twice");
            }
        }
    }

    #[test]
    fn a_place_belongs_to_one_lab_until_it_is_given_back() {
        let claims = std::env::temp_dir().join(format!("shardctl-places-{}", std::process::id()));
        let take = |lab: &str| Place::take_in(&claims, Path::new(lab), |_| false).unwrap().index;
        assert_eq!(take("/labs/a"), 0);
        assert_eq!(take("/labs/b"), 1);
        assert_eq!(take("/labs/a"), 0);
        fs::remove_file(Place { index: 0 }.claim(&claims)).unwrap();
        assert_eq!(Place::in_folder(&claims, Path::new("/labs/a")), None);
        assert_eq!(take("/labs/c"), 0);
        // Where something still is, although nobody claims it, no other lab goes.
        let is_in_use = |place: &Place| place.index == 2;
        assert_eq!(Place::take_in(&claims, Path::new("/labs/d"), is_in_use).unwrap().index, 3);
        fs::remove_dir_all(claims).unwrap();
    }

    #[test]
    fn a_place_whose_addresses_are_in_use_is_passed_over() {
        let header = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n";
        let route =
            |target: &str, mask: &str| format!("{header}eth0 {target} 00000000 0001 0 0 0 {mask} 0 0 0\n");
        let is_routed = |index, target, mask| Place { index }.is_routed(&route(target, mask));
        // 10.200.3.0/24
        assert!(is_routed(3, "0003C80A", "00FFFFFF"));
        assert!(!is_routed(2, "0003C80A", "00FFFFFF"));
        // 10.201.32.0/20, the pods of the third lab; 10.0.0.0/8, of all.
        assert!(is_routed(2, "0020C90A", "00F0FFFF"));
        assert!(!is_routed(3, "0020C90A", "00F0FFFF"));
        assert!(is_routed(15, "0000000A", "000000FF"));
        // The default route is that of everybody.
        assert!(!is_routed(0, "00000000", "00000000"));
        assert!(!is_routed(0, "0000A8C0", "0000FFFF"));
    }
}
