//! Names, addresses and services between real containers.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::Test;
use crate::lab::{Lab, Ring, eventually};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("network::every_shard_reaches_every_other_by_its_name", all_pairs),
    ("network::a_pod_has_one_neighbour_however_many_it_talks_to", one_neighbour),
    ("network::a_source_address_is_kept_between_nodes", source_address),
    ("network::the_client_service_reaches_every_shard", client_service),
    ("network::no_node_changes_the_address_of_the_control_plane", hardware_address),
];

/// What the shards' own endpoint answers at these addresses, asked from inside one of them, one line each. A name may take
/// a moment to be known after its pod is Ready.
#[track_caller]
fn ask_from(ring: &Ring<'_>, shard: &str, urls: &[String]) -> Vec<Value> {
    let script: Vec<_> = urls.iter().map(|url| format!("wget -qO- {url} && echo")).collect();
    let script = script.join(" && ");
    let run = eventually(|| {
        let run = ring.exec(shard, &["sh", "-c", &script]);
        if run.code == 0 { Ok(run) } else { Err(format!("{run:?}")) }
    });
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn all_pairs(lab: &Lab) {
    let ring = lab.standing_ring();
    let shards = ring.shards();
    let on = |node: &str| shards.iter().filter(|shard| shard.node == node).count();
    assert_eq!(["node-1", "node-2", "node-3"].map(on), [2, 2, 2], "two on each node: {shards:#?}");
    let urls: Vec<_> =
        shards.iter().map(|shard| format!("http://{}:8080/api/status", ring.address(&shard.name))).collect();
    for from in &shards {
        let answers = ask_from(&ring, &from.name, &urls);
        for (to, answer) in shards.iter().zip(&answers) {
            assert_eq!(answer["pod"], to.name.as_str(), "from {}", from.name);
            assert_eq!(answer["uid"], to.uid.as_str(), "from {}", from.name);
            assert_eq!(answer["node"], to.node.as_str(), "from {}", from.name);
            assert_eq!(answer["version"], "1.0.0", "from {}", from.name);
        }
    }
}

/// All network namespaces of a machine share the room for neighbours: a hundred pods that remember each other fill it.
fn one_neighbour(lab: &Lab) {
    let ring = lab.standing_ring();
    let shards = ring.shards();
    let urls: Vec<_> =
        shards.iter().map(|shard| format!("http://{}:8080/api/status", ring.address(&shard.name))).collect();
    for from in &shards {
        ask_from(&ring, &from.name, &urls);
        let neighbours = ring.exec(&from.name, &["cat", "/proc/net/arp"]).ended(0).stdout;
        assert_eq!(neighbours.lines().skip(1).count(), 1, "{}: {neighbours}", from.name);
    }
}

fn source_address(lab: &Lab) {
    let ring = lab.standing_ring();
    let shards = ring.shards();
    let from = &shards[0];
    for to in &shards {
        let answer =
            ask_from(&ring, &from.name, &[format!("http://{}:8080/api/client", ring.address(&to.name))]);
        assert_eq!(answer[0]["address"], from.ip.as_str(), "from {} to {}", from.node, to.node);
    }
    assert!(shards.iter().any(|to| to.node != from.node));
}

fn client_service(lab: &Lab) {
    let ring = lab.standing_ring();
    let url = "http://ring-client/api/status".to_owned();
    // Each of six is missed by 100 requests once in 14 million times, so in practice never.
    let answers = ask_from(&ring, "ring-0", &vec![url; 100]);
    let seen: BTreeSet<_> = answers.iter().map(|answer| answer["pod"].to_string()).collect();
    assert_eq!(seen.len(), 6, "{seen:?}");
    // From now on a source sticks to one.
    let set_affinity = |affinity: &str| {
        let patch = format!(r#"{{"spec": {{"sessionAffinity": "{affinity}"}}}}"#);
        ring.kubectl(&["patch", "service", "ring-client", "-p", &patch]);
    };
    set_affinity("ClientIP");
    let url = "http://ring-client/api/status".to_owned();
    eventually(|| {
        let answers = ask_from(&ring, "ring-0", &vec![url.clone(); 20]);
        let seen: BTreeSet<_> = answers.iter().map(|answer| answer["pod"].to_string()).collect();
        if seen.len() == 1 { Ok(()) } else { Err(format!("{seen:?}")) }
    });
    set_affinity("None");
}

/// A bridge without an address of its own takes the lowest of its ports', and another one whenever that port goes: whoever
/// has talked to it before sends into the void for up to a minute.
fn hardware_address(lab: &Lab) {
    let id = lab.real.place().id();
    let ip = |args: &[&str]| {
        let output = Command::new("ip").args(["-n", &id]).args(args).output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let address = || {
        let line = ip(&["-o", "link", "show", "lan"]);
        line.split_once("link/ether ").and_then(|(_, rest)| rest.split(' ').next()).expect("one").to_owned()
    };
    let before = address();
    ip(&["link", "add", "lowest", "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "other"]);
    ip(&["link", "set", "lowest", "master", "lan"]);
    let meanwhile = address();
    ip(&["link", "delete", "lowest"]);
    assert_eq!([meanwhile, address()], [before.clone(), before]);
}
