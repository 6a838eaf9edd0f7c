//! Free ports of this machine, so that labs live side by side.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use serde::{Deserialize, Serialize};

/// The ports of one lab, all on 127.0.0.1 of this machine or of a network of its own.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ports {
    pub etcd: u16,
    pub etcd_peer: u16,
    pub kube_apiserver: u16,
    pub kube_controller_manager: u16,
    pub kube_scheduler: u16,
    pub kwok: u16,
    pub karpenter_metrics: u16,
    pub karpenter_health: u16,
    pub metrics_server: u16,
    pub vpa_recommender: u16,
}

/// Below the range that Linux takes the ports of outgoing connections from, so that none of those gets in the way between
/// now and the moment when a component listens.
const FIRST: u16 = 12_000;
const LAST: u16 = 32_000;

impl Ports {
    /// Finds free ports. All are held until the last one is found. `seed` makes labs that start at once look in
    /// different places.
    ///
    /// # Errors
    /// When there are not enough of them.
    pub fn find(seed: u32) -> io::Result<Self> {
        let mut held = Vec::new();
        let mut taken = BTreeSet::new();
        let span = u32::from(LAST - FIRST);
        let mut at = seed.wrapping_mul(2_654_435_761) % span;
        let mut next = || -> io::Result<u16> {
            for _ in 0..span {
                at = (at + 1) % span;
                let port = FIRST + u16::try_from(at).unwrap_or_default();
                if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
                    && taken.insert(port)
                {
                    held.push(listener);
                    return Ok(port);
                }
            }
            Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port left"))
        };
        Ok(Self {
            etcd: next()?,
            etcd_peer: next()?,
            kube_apiserver: next()?,
            kube_controller_manager: next()?,
            kube_scheduler: next()?,
            kwok: next()?,
            karpenter_metrics: next()?,
            karpenter_health: next()?,
            metrics_server: next()?,
            vpa_recommender: next()?,
        })
    }

    /// The ports of a control plane that shares its network with nobody: the usual ones. What does not run there has none.
    #[must_use]
    pub fn in_own_network() -> Self {
        Self {
            etcd: 2379,
            etcd_peer: 2380,
            kube_apiserver: 6443,
            kube_controller_manager: 10257,
            kube_scheduler: 10259,
            kwok: 10247,
            karpenter_metrics: 0,
            karpenter_health: 0,
            metrics_server: 0,
            vpa_recommender: 0,
        }
    }

    #[cfg(test)]
    pub fn fixed() -> Self {
        Self {
            etcd: 1,
            etcd_peer: 2,
            kube_apiserver: 3,
            kube_controller_manager: 4,
            kube_scheduler: 5,
            kwok: 6,
            karpenter_metrics: 7,
            karpenter_health: 8,
            metrics_server: 9,
            vpa_recommender: 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_below_the_range_of_outgoing_connections() {
        let ports = serde_json::to_value(Ports::find(7).unwrap()).unwrap();
        let all: BTreeSet<_> =
            ports.as_object().unwrap().values().map(|port| port.as_u64().unwrap()).collect();
        assert_eq!(all.len(), 10);
        assert!(all.iter().all(|port| (12_000..32_768).contains(port)));
    }

    #[test]
    fn a_port_in_use_is_passed_over() {
        let first = Ports::find(11).unwrap();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, first.etcd)).unwrap();
        assert_ne!(Ports::find(11).unwrap().etcd, first.etcd);
    }
}
