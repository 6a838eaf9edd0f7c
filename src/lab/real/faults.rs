//! Faults of the network between nodes, and their end.
//!
//! Rules are in one chain of a node's `raw` table, before anything that Kubernetes does with a packet: so they hold for pods,
//! services and the node itself alike, and go when the node starts again.

use anyhow::Context as _;

use super::network::{iptables, set_connected};
use super::place::NodePlace;

const CHAIN: &str = "SHARDCTL-FAULTS";

/// Something that is wrong with the network of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The node's cable is pulled.
    Unplugged(NodePlace),
    /// No packet comes from one node to the other, either way. Both reach everybody else.
    Between(NodePlace, NodePlace),
    /// The node's pods get no answer from DNS.
    NoDns(NodePlace),
    /// Nothing comes in at this TCP port of the node's pods.
    Port(NodePlace, u16),
}

/// Makes a fault.
///
/// # Errors
/// When a node does not run, or what `iptables` says.
pub fn cut(fault: Fault) -> anyhow::Result<()> {
    match fault {
        Fault::Unplugged(node) => set_connected(node, false),
        Fault::Between(one, other) => {
            drop_from(one, other)?;
            drop_from(other, one)
        }
        Fault::NoDns(node) => ["udp", "tcp"]
            .into_iter()
            // From its pods, not those of others that come to a server here.
            .try_for_each(|protocol| {
                drop_packets(node, &["-s", &node.pods(), "-p", protocol, "--dport", "53"])
            }),
        Fault::Port(node, port) => {
            drop_packets(node, &["-d", &node.pods(), "-p", "tcp", "--dport", &port.to_string()])
        }
    }
}

fn drop_from(node: NodePlace, other: NodePlace) -> anyhow::Result<()> {
    drop_packets(node, &["-s", &other.address().to_string()])?;
    drop_packets(node, &["-s", &other.pods()])
}

fn drop_packets(node: NodePlace, what: &[&str]) -> anyhow::Result<()> {
    // Made again, it says that it is there already.
    if iptables(node, &["-t", "raw", "-N", CHAIN]).is_ok() {
        iptables(node, &["-t", "raw", "-I", "PREROUTING", "-j", CHAIN])?;
    }
    let rule = [&["-t", "raw", "-A", CHAIN], what, &["-j", "DROP"]].concat();
    iptables(node, &rule).with_context(|| format!("drop packets in {}", node.name()))?;
    Ok(())
}

/// Ends every fault of a node. One between two nodes is at an end when it ended for both.
///
/// # Errors
/// When the node does not run, or what `ip` says.
pub fn mend(node: NodePlace) -> anyhow::Result<()> {
    set_connected(node, true)?;
    if iptables(node, &["-t", "raw", "-S", CHAIN]).is_ok() {
        iptables(node, &["-t", "raw", "-F", CHAIN])?;
    }
    Ok(())
}
