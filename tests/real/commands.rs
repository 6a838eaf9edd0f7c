//! shardctl on a service that really runs.

use serde_json::Value;

use crate::Test;
use crate::lab::{Lab, http};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("commands::a_service_on_real_nodes_is_seen_as_it_is", seen),
    ("commands::upgrade_rolls_real_containers_one_outage_after_the_other", upgraded),
];

fn seen(lab: &Lab) {
    let ring = lab.standing_ring();
    let name = format!("{}/ring", ring.namespace);
    ring.shardctl(&["status"]).ended(0).said(&format!("{name} is whole: 6 of 6 shards ready"));
    let run = ring.shardctl(&["verify", "-o", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    assert!([0, 5].contains(&run.code), "{run:?}");
    assert!(!report.to_string().contains("could not"), "{report:#}");
    let run = ring.shardctl(&["packing", "-o", "json"]).ended(0);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    for node in ["node-1", "node-2", "node-3"] {
        assert!(report.to_string().contains(node), "{report:#}");
    }
    // Nodes can be labelled as if they belonged to a pool.
    lab.kubectl(&["label", "nodes", "--all", "karpenter.sh/nodepool=stable"]);
    ring.shardctl(&["packing"]).ended(0).said("stable");
    lab.kubectl(&["label", "nodes", "--all", "karpenter.sh/nodepool-"]);
}

fn upgraded(lab: &Lab) {
    let ring = lab.ring("upgraded");
    let before = ring.shards();
    let run = ring.shardctl(&[
        "upgrade",
        "--image",
        "shardctl.lab/shard:1.1.0",
        "--strategy",
        "canary",
        "--settle",
        "1s",
        "--yes",
        "--timeout",
        "5m",
    ]);
    run.ended(0);
    let after = ring.shards();
    assert_eq!(after.len(), 6);
    for (old, new) in before.iter().zip(&after) {
        assert_ne!(old.uid, new.uid);
        assert!(new.is_ready, "{new:?}");
        let (_, body) = http(&new.ip, 8080, "GET", "/api/status", "").expect("an answer");
        assert!(body.contains(r#""version":"1.1.0""#), "{body}");
    }
    ring.shardctl(&["status"]).ended(0).said("is whole: 6 of 6 shards ready");
    let left = ring.kubectl(&["get", "pods", "-l", "shardctl.dev/run", "-o", "name"]);
    assert_eq!(left, "", "placeholders");
    ring.shardctl(&["rollout", "status"]).ended(0);
}
