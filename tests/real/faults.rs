//! Nodes without power, and networks that do not carry everything.

use crate::Test;
use crate::lab::{Lab, Ring, Shard, eventually, http, lab_command};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("faults::packets_between_two_nodes_are_dropped_and_nothing_else", between),
    ("faults::a_node_without_dns_still_has_a_network", no_dns),
    ("faults::one_port_of_a_node_is_closed", port),
    ("faults::a_stopped_daemon_is_known_and_starts_again", daemon),
    ("faults::a_node_without_power_is_lost_and_comes_back", power),
];

fn on<'a>(shards: &'a [Shard], node: &str) -> &'a Shard {
    shards.iter().find(|shard| shard.node == node).unwrap_or_else(|| panic!("nothing runs on {node}"))
}

/// Whether one shard reaches another by its address. busybox' wget cannot be told how long to wait, `timeout` can.
fn reaches(ring: &Ring<'_>, from: &Shard, to: &Shard) -> bool {
    let url = format!("http://{}:8080/api/status", to.ip);
    ring.exec(&from.name, &["timeout", "2", "wget", "-qO-", &url]).code == 0
}

fn resolves(ring: &Ring<'_>, from: &Shard) -> bool {
    let name = ring.address("ring-0");
    ring.exec(&from.name, &["timeout", "2", "nslookup", &name]).code == 0
}

fn between(lab: &Lab) {
    let ring = lab.standing_ring();
    let shards = ring.shards();
    let (one, two, three) = (on(&shards, "node-1"), on(&shards, "node-2"), on(&shards, "node-3"));
    assert!(reaches(&ring, one, two) && reaches(&ring, two, one));
    lab.lab_command(&["node", "cut", "node-1", "node-2"]).ended(0);
    assert!(!reaches(&ring, one, two) && !reaches(&ring, two, one));
    assert!(reaches(&ring, one, three) && reaches(&ring, three, two));
    assert!(ring.shards().iter().all(|shard| shard.is_ready), "a kubelet asks its own pods only");
    lab.lab_command(&["node", "mend"]).ended(0);
    assert!(reaches(&ring, one, two) && reaches(&ring, two, one));
}

fn no_dns(lab: &Lab) {
    let ring = lab.standing_ring();
    let shards = ring.shards();
    let (one, two) = (on(&shards, "node-1"), on(&shards, "node-2"));
    assert!(resolves(&ring, one));
    lab.lab_command(&["node", "cut", "node-1", "--dns"]).ended(0);
    assert!(!resolves(&ring, one));
    assert!(resolves(&ring, two) && reaches(&ring, one, two));
    lab.lab_command(&["node", "mend", "node-1"]).ended(0);
    assert!(resolves(&ring, one));
}

fn port(lab: &Lab) {
    let ring = lab.standing_ring();
    let shards = ring.shards();
    let (one, two) = (on(&shards, "node-1"), on(&shards, "node-2"));
    lab.lab_command(&["node", "cut", "node-1", "--port", "8080"]).ended(0);
    assert!(!reaches(&ring, two, one) && reaches(&ring, one, two));
    assert!(http(&one.ip, 8079, "GET", "/behaviour", "").is_ok(), "another port");
    lab.lab_command(&["node", "mend", "node-1"]).ended(0);
    assert!(reaches(&ring, two, one));
}

fn daemon(lab: &Lab) {
    lab.lab_command(&["node", "stop", "node-2", "--only", "kube-proxy"]).ended(0);
    let status = ["status", "--name", lab.name.as_str()];
    let run = lab_command(&status).ended(1);
    let run = run.complained("node-2/kube-proxy").complained("the last words of node-2/kube-proxy");
    assert_eq!(run.stdout.matches("Stopped").count(), 1, "{run:?}");
    // A second start of the lab starts what is stopped, and only that.
    let up = ["up", "--name", lab.name.as_str()];
    lab_command(&up).ended(0).complained("starting again").complained("node-2/kube-proxy");
    eventually(|| {
        let run = lab_command(&status);
        if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
    });
    lab_command(&up).ended(0).complained("is up already");
}

fn power(lab: &Lab) {
    let ring = lab.ring("power");
    let before = ring.shards();
    lab.lab_command(&["node", "stop", "node-3"]).ended(0);
    eventually(|| {
        let lost: Vec<_> = ring.shards().into_iter().filter(|shard| !shard.is_ready).collect();
        let are_there = lost.iter().all(|shard| shard.node == "node-3");
        if lost.len() == 2 && are_there { Ok(()) } else { Err(format!("{lost:#?}")) }
    });
    ring.shardctl(&["status"]).ended(5).said("is DOWN: 4 of 6 shards ready");
    lab.lab_command(&["node", "start", "node-3"]).ended(0);
    ring.is_whole();
    // The same pods: nobody has thrown them out.
    let uids = |shards: Vec<Shard>| shards.into_iter().map(|shard| shard.uid).collect::<Vec<_>>();
    assert_eq!(uids(before), uids(ring.shards()));
    let shards = ring.shards();
    assert!(reaches(&ring, on(&shards, "node-1"), on(&shards, "node-3")));
}
