//! The network of a real lab.
//!
//! ```text
//!   this machine                control plane's namespace            namespace of each node
//!   shardctl-rN .254 ── host ──┬── lan .1 (bridge)
//!                              ├── node-1 ───────────────────────── eth0 .11 ── pods
//!                              └── node-2 ───────────────────────── eth0 .12 ── pods
//! ```
//!
//! This machine gets one link, an address and a route for the pods of each node: no bridge, no rule, no setting. What the
//! control plane listens on, etcd too, is in its own namespace. Traffic between pods is routed, without encapsulation and
//! without translation, on the same node too: were a node's pods neighbours on a bridge, each would remember the hardware
//! address of every other, and all network namespaces of a machine share one table for that, of 1,024 entries by default.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use super::command::{command, in_network, network_file, output, run};
use super::place::{NodePlace, Place};

/// Makes the control plane's namespace with the bridge, and the link to this machine. What is there stays.
///
/// # Errors
/// What `ip` says.
pub fn create(place: Place) -> anyhow::Result<()> {
    let id = place.id();
    if network_file(&id).exists() {
        return Ok(());
    }
    run("ip", ["netns", "add", &id])?;
    ip(&id, &["link", "set", "lo", "up"])?;
    // Without an address of its own a bridge takes that of one of its ports, and another one when that port goes.
    ip(&id, &["link", "add", "lan", "address", &place.hardware_address(), "type", "bridge"])?;
    ip(&id, &["address", "add", &format!("{}/24", place.control_plane()), "dev", "lan"])?;
    ip(&id, &["link", "set", "lan", "up"])?;
    run("ip", ["link", "add", &id, "type", "veth", "peer", "name", "host", "netns", &id])?;
    ip(&id, &["link", "set", "host", "master", "lan", "up"])?;
    run("ip", ["address", "add", &format!("{}/24", place.machine()), "dev", &id])?;
    run("ip", ["link", "set", &id, "up"])?;
    Ok(())
}

/// Connects a node, new: as at its start, it has no rules, no routes to pods and no connections.
///
/// # Errors
/// What `ip` says.
pub fn attach(node: NodePlace, others: impl Iterator<Item = NodePlace>) -> anyhow::Result<()> {
    detach(node)?;
    let (id, name, lan) = (node.id(), node.name(), node.lab().id());
    run("ip", ["netns", "add", &id])?;
    ip(&id, &["link", "set", "lo", "up"])?;
    ip(&lan, &["link", "add", &name, "type", "veth", "peer", "name", "eth0", "netns", &id])?;
    ip(&id, &["link", "set", "eth0", "address", &node.hardware_address()])?;
    ip(&id, &["address", "add", &format!("{}/24", node.address()), "dev", "eth0"])?;
    ip(&id, &["link", "set", "eth0", "up"])?;
    ip(&lan, &["link", "set", &name, "master", "lan", "up"])?;
    // Who asks for an address outside of the lab is told at once that there is no way.
    ip(&id, &["route", "add", "default", "via", &node.lab().control_plane().to_string()])?;
    for other in others.filter(|other| *other != node) {
        ip(&id, &route_to(other))?;
    }
    ip(&lan, &route_to(node))?;
    let mut machine = command("ip");
    machine.args(route_to(node));
    output(&mut machine)?;
    Ok(())
}

fn route_to(node: NodePlace) -> [String; 5] {
    ["route", "replace", &node.pods(), "via", &node.address().to_string()].map(str::to_owned)
}

/// Takes a node off the network, with its whole namespace.
///
/// # Errors
/// What `ip` says.
pub fn detach(node: NodePlace) -> anyhow::Result<()> {
    delete_namespace(&node.id())?;
    // The namespace lives on while a process is in it; the link goes at once.
    let (lan, name) = (node.lab().id(), node.name());
    let is_there = || network_file(&lan).exists() && ip(&lan, &["link", "show", &name]).is_ok();
    unless_gone(is_there, || ip(&lan, &["link", "delete", &name]))
}

/// Pulls a node's cable, or plugs it in.
///
/// # Errors
/// What `ip` says.
pub fn set_connected(node: NodePlace, connected: bool) -> anyhow::Result<()> {
    ip(&node.lab().id(), &["link", "set", &node.name(), if connected { "up" } else { "down" }])
}

/// Removes all of a lab's network.
///
/// # Errors
/// What `ip` says.
pub fn remove(place: Place) -> anyhow::Result<()> {
    let id = place.id();
    for namespace in namespaces(&id) {
        delete_namespace(&namespace)?;
    }
    // Its address and routes go with it.
    let is_there = || Path::new("/sys/class/net").join(&id).exists();
    unless_gone(is_there, || run("ip", ["link", "delete", &id]).map(drop))?;
    forget_namespaces();
    Ok(())
}

fn delete_namespace(name: &str) -> anyhow::Result<()> {
    unless_gone(|| network_file(name).exists(), || run("ip", ["netns", "delete", name]).map(drop))
}

/// Removes what may go by itself meanwhile: a link goes when the namespace of its other end does, which lives for as long
/// as a process in it.
fn unless_gone(
    is_there: impl Fn() -> bool,
    remove: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if !is_there() {
        return Ok(());
    }
    remove().or_else(|error| if is_there() { Err(error) } else { Ok(()) })
}

/// `ip` mounts the folder of namespaces onto itself when it makes the first. When none is left, neither is that: it is
/// made again whenever it is needed.
fn forget_namespaces() {
    let folder = network_file("");
    if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none()) {
        let _ = run("umount", [&folder]);
        let _ = fs::remove_dir(&folder);
    }
}

/// Kills every process in a network namespace, when there is one.
///
/// # Errors
/// What `ip` says.
pub fn end_processes(namespace: &str) -> anyhow::Result<()> {
    if !network_file(namespace).exists() {
        return Ok(());
    }
    let pids = run("ip", ["netns", "pids", namespace])?;
    for pid in pids.lines().filter_map(|line| Pid::from_raw(line.trim().parse().ok()?)) {
        let _ = kill_process(pid, Signal::KILL);
    }
    Ok(())
}

/// The network namespaces of a lab that are there.
#[must_use]
pub fn namespaces(id: &str) -> Vec<String> {
    let of_nodes = format!("{id}-");
    fs::read_dir("/run/netns")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name == id || name.starts_with(&of_nodes))
        .collect()
}

/// Runs `ip` in a namespace.
fn ip<S: AsRef<std::ffi::OsStr>>(namespace: &str, arguments: &[S]) -> anyhow::Result<()> {
    run("ip", ["-n".as_ref(), namespace.as_ref()].into_iter().chain(arguments.iter().map(AsRef::as_ref)))?;
    Ok(())
}

/// Runs `iptables` in a node's namespace.
///
/// # Errors
/// What `iptables` says.
pub fn iptables(node: NodePlace, arguments: &[&str]) -> anyhow::Result<String> {
    let mut inner = command("iptables");
    // kube-proxy may hold the lock.
    inner.args(["-w", "5"]).args(arguments);
    output(&mut in_network(&node.id(), &inner))
}
