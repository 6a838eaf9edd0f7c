//! The gates of rolling operations and the health checks of verify, on containers that are not what their Ready says.

use std::fs::{File, read_to_string};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::Test;
use crate::lab::{Lab, Ring, eventually, http};
use crate::support::Folder;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("health::a_shard_that_is_ready_and_not_well_is_found_and_holds_the_gate", ready_and_not_well),
    ("health::a_slow_start_is_waited_for", slow_start),
    ("health::the_gate_needs_no_shell_in_the_image", no_shell),
];

/// An upgrade of all shards, a canary first.
const UPGRADE: [&str; 6] = ["upgrade", "--strategy", "canary", "--settle", "1s", "--yes"];

fn uids(ring: &Ring<'_>) -> Vec<String> {
    ring.shards().into_iter().map(|shard| shard.uid).collect()
}

#[track_caller]
fn is_of_version(ring: &Ring<'_>, version: &str) {
    for shard in ring.shards() {
        assert!(shard.is_ready, "{shard:?}");
        let (_, body) = http(&shard.ip, 8080, "GET", "/api/status", "").expect("an answer");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(answer["version"], version, "{}", shard.name);
    }
}

fn ready_and_not_well(lab: &Lab) {
    // The kubelet lets it be Ready for five minutes.
    let ring = lab.ring_with("unwell", |manifest| {
        let from = "path: /health/readiness, port: http}, periodSeconds: 1, failureThreshold: 1}";
        assert!(manifest.contains(from));
        *manifest = manifest.replace(from, &from.replace("failureThreshold: 1}", "failureThreshold: 300}"));
    });
    for (says, evidence) in
        [("503", "GET /health/readiness answers 503"), ("hang", "gets no answer: no answer within")]
    {
        ring.tell("ring-2", &json!({ "health-readiness": says }));
        let run = ring.shardctl(&["verify", "-o", "json"]).ended(5);
        let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let findings = report["findings"].as_array().expect("findings").iter();
        let errors: Vec<_> = findings.filter(|finding| finding["severity"] == "error").collect();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert_eq!(
            [&errors[0]["check"], &errors[0]["object"]],
            ["shard-health", "pod/ring-2"],
            "{errors:#?}"
        );
        assert!(errors[0]["evidence"].as_str().is_some_and(|text| text.contains(evidence)), "{errors:#?}");
        assert!(ring.shard(2).is_ready);
    }
    // An upgrade takes no shard down while one is not well, and goes on once it is.
    let before = uids(&ring);
    let mut upgrade =
        Background::start(&ring, &[&UPGRADE[..], &["--image", "shardctl.lab/shard:1.1.0"]].concat());
    upgrade.says("waiting for pod/ring-2 to be well: /health/readiness does not answer");
    assert_eq!(before, uids(&ring));
    ring.tell("ring-2", &json!({ "health-readiness": null }));
    let status = upgrade.child.wait().expect("it ends");
    assert!(status.success(), "{}", upgrade.said());
    is_of_version(&ring, "1.1.0");
}

/// A shardctl that runs beside the test.
struct Background {
    child: Child,
    folder: Folder,
}

impl Background {
    fn start(ring: &Ring<'_>, args: &[&str]) -> Self {
        let folder = Folder::new("background");
        let mut command = ring.lab.shardctl.command();
        command.args(args).args(["-n", &ring.namespace]).stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(File::create(folder.path().join("said")).expect("a file"));
        Self { child: command.spawn().expect("it starts"), folder }
    }

    fn said(&self) -> String {
        read_to_string(self.folder.path().join("said")).expect("what it said")
    }

    /// Waits until it has said this on standard error.
    #[track_caller]
    fn says(&self, text: &str) {
        eventually(|| {
            let said = self.said();
            if said.contains(text) { Ok(()) } else { Err(said) }
        });
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn slow_start(lab: &Lab) {
    let ring = lab.ring_with("slow", |manifest| {
        let from = "        env:\n";
        *manifest = manifest.replace(from, "        env:\n        - {name: SHARD_STARTUP_HOLD, value: 4s}\n");
    });
    ring.shardctl(&[&UPGRADE[..], &["--image", "shardctl.lab/shard:1.1.0"]].concat()).ended(0);
    is_of_version(&ring, "1.1.0");
}

fn no_shell(lab: &Lab) {
    let ring = lab.ring_with("shell-less", |manifest| {
        *manifest = manifest.replace("shardctl.lab/shard:", "shardctl.lab/shard-bare:");
    });
    let before = uids(&ring);
    let image = ["--image", "shardctl.lab/shard-bare:1.1.0"];
    // A gate that cannot be passed takes no shard down, and says why.
    let upgrade = Background::start(&ring, &[&UPGRADE[..], &image, &["--gate", "exec=true"]].concat());
    upgrade.says("executable file not found");
    assert_eq!(before, uids(&ring));
    drop(upgrade);
    ring.shardctl(&["rollout", "abort", "--yes"]).ended(0);
    ring.shardctl(&[&UPGRADE[..], &image].concat()).ended(0);
    is_of_version(&ring, "1.1.0");
}
