//! What happens to a shard: it starts, is deleted, is killed, is not well.

use serde_json::json;

use crate::Test;
use crate::lab::{Lab, eventually, http};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("life::a_shard_is_ready_when_its_probes_say_so", probes),
    ("life::a_deleted_shard_is_back_with_its_data", deleted),
    ("life::a_killed_container_starts_again", killed),
    ("life::a_shard_behaves_as_it_is_told", told),
    ("life::an_image_may_have_no_shell", bare),
];

fn probes(lab: &Lab) {
    let ring = lab.applied("probes", |manifest| {
        let from = "        env:\n";
        assert!(manifest.contains(from));
        *manifest =
            manifest.replace(from, "        env:\n        - {name: SHARD_HEALTH_STARTUP, value: \"503\"}\n");
    });
    eventually(|| {
        let running = ring.shards().iter().filter(|shard| !shard.container.is_empty()).count();
        if running == 6 { Ok(()) } else { Err(format!("{running} of 6 run")) }
    });
    // Each runs and answers, and none is Ready: the probe is asked, and it says no.
    let shards = ring.shards();
    assert!(shards.iter().all(|shard| !shard.is_ready), "{shards:#?}");
    for shard in &shards {
        eventually(|| http(&shard.ip, 8080, "GET", "/api/status", "").map_err(|error| error.to_string()));
        ring.tell(&shard.name, &json!({ "health-startup": null }));
    }
    ring.is_whole();
    // Ready follows the readiness probe, there and back.
    ring.tell("ring-2", &json!({ "health-readiness": "503" }));
    eventually(|| if ring.shard(2).is_ready { Err("still ready") } else { Ok(()) }.map_err(str::to_owned));
    ring.tell("ring-2", &json!({ "health-readiness": null }));
    ring.is_whole();
    assert!(ring.shards().iter().all(|shard| shard.restarts == 0));
}

fn deleted(lab: &Lab) {
    let ring = lab.ring("deleted");
    let before = ring.shard(3);
    let run = ring.exec("ring-3", &["sh", "-c", "echo kept > /data/file"]);
    assert_eq!(run.code, 0, "{run:?}");
    ring.kubectl(&["delete", "pod", "ring-3"]);
    ring.is_whole();
    let after = ring.shard(3);
    assert_ne!(before.uid, after.uid);
    assert_eq!(ring.exec("ring-3", &["cat", "/data/file"]).stdout, "kept\n");
    // The name follows.
    let url = format!("http://{}:8080/api/status", ring.address("ring-3"));
    eventually(|| {
        let run = ring.exec("ring-0", &["wget", "-qO-", &url]);
        if run.stdout.contains(&after.uid) { Ok(()) } else { Err(format!("{run:?}")) }
    });
}

fn killed(lab: &Lab) {
    let ring = lab.ring("killed");
    let before = ring.shard(1);
    let kill = ["ctr", "-n", "k8s.io", "task", "kill", "-s", "SIGKILL", &before.container];
    lab.lab_command(&[&["node", "exec", &before.node, "--"], &kill[..]].concat()).ended(0);
    eventually(|| {
        let after = ring.shard(1);
        if after.restarts == 1 && after.is_ready { Ok(()) } else { Err(format!("{after:?}")) }
    });
    let after = ring.shard(1);
    assert_eq!((&before.uid, &before.ip), (&after.uid, &after.ip), "the same pod");
    assert_ne!(before.container, after.container);
    let pod = lab.get(&["pod", "ring-1", "-n", &ring.namespace]);
    let last = &pod["status"]["containerStatuses"][0]["lastState"]["terminated"];
    assert_eq!(last["exitCode"], 137, "{last:#}");
}

fn told(lab: &Lab) {
    let ring = lab.ring("told");
    let ip = ring.shard(4).ip;
    let ask = |path: &str| http(&ip, 8080, "GET", path, "");
    let status = |path: &str| ask(path).map(|(status, _)| status).ok();
    assert_eq!(status("/api/status"), Some(200));
    // Ready, and its own endpoint says no.
    ring.tell("ring-4", &json!({ "answer": "503" }));
    assert_eq!((status("/api/status"), status("/health/readiness")), (Some(503), Some(200)));
    // It accepts, and never answers.
    ring.tell("ring-4", &json!({ "answer": "hang" }));
    assert_eq!((status("/api/status"), status("/health/readiness")), (None, Some(200)));
    ring.tell("ring-4", &json!({ "answer": null, "identity": "ring-5" }));
    assert!(ask("/api/status").expect("an answer").1.contains(r#""pod":"ring-5""#));
    // Only the container itself reaches it.
    ring.tell("ring-4", &json!({ "identity": null, "listen": "loopback" }));
    eventually(|| ask("/api/status").map_or(Ok(()), |answer| Err(format!("{answer:?}"))));
    let run = ring.exec("ring-4", &["wget", "-qO-", "http://127.0.0.1:8080/api/status"]);
    assert!(run.stdout.contains(r#""pod":"ring-4""#), "{run:?}");
    ring.tell("ring-4", &json!({ "listen": "nowhere" }));
    eventually(|| {
        let run = ring.exec("ring-4", &["wget", "-qO-", "http://127.0.0.1:8080/api/status"]);
        if run.stderr.contains("refused") { Ok(()) } else { Err(format!("{run:?}")) }
    });
    ring.tell("ring-4", &json!({ "listen": null }));
    eventually(|| ask("/api/status").map_err(|error| error.to_string()));
    let refused = http(&ip, 8079, "POST", "/behaviour", r#"{"helth": "503"}"#).expect("an answer");
    assert_eq!(refused, (400, r#"{"error":"no such word: helth"}"#.to_owned()));
    ring.is_whole();
}

fn bare(lab: &Lab) {
    let ring = lab.ring_with("bare", |manifest| {
        *manifest = manifest.replace("shardctl.lab/shard:", "shardctl.lab/shard-bare:");
    });
    let run = ring.exec("ring-0", &["sh", "-c", "true"]);
    assert_ne!(run.code, 0, "{run:?}");
    let (status, body) = http(&ring.shard(0).ip, 8080, "GET", "/api/status", "").expect("an answer");
    assert_eq!(status, 200);
    assert!(body.contains("shardctl.lab/shard-bare:1.0.0"), "{body}");
}
