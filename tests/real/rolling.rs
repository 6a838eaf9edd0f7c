//! migrate, upgrade and drain of a service that really runs, while a client asks every shard all the time.

use std::net::Ipv4Addr;

use serde_json::Value;

use crate::Test;
use crate::client::{Client, Report, Shard};
use crate::lab::{Lab, Ring};

/// The tests of this file.
pub const TESTS: &[Test] = &[("rolling::upgrade", upgraded)];

impl Ring<'_> {
    fn client(&self) -> Client {
        let names = (0..6).map(|number| format!("ring-{number}"));
        let shards = names.map(|pod| Shard { host: self.address(&pod), pod }).collect();
        let network = format!("/run/netns/{}-node-1", self.lab.real.place().id());
        Client::start(&network, Ipv4Addr::new(10, 96, 0, 10), shards)
    }
}

fn upgraded(lab: &Lab) {
    let ring = lab.ring("upgraded");
    for (image, strategy) in [("1.1.0", "canary"), ("1.0.0", "one-by-one")] {
        let client = ring.client();
        std::thread::sleep(std::time::Duration::from_secs(1));
        let run = ring
            .shardctl(&[
                "upgrade",
                "--image",
                &format!("shardctl.lab/shard:{image}"),
                "--strategy",
                strategy,
                "--settle",
                "1s",
                "--yes",
                "--timeout",
                "5m",
                "-o",
                "json",
            ])
            .ended(0);
        std::thread::sleep(std::time::Duration::from_secs(1));
        let report = client.stop();
        let last: Value = serde_json::from_str(run.stdout.lines().last().expect("a line")).expect("JSON");
        compare(&report, &last);
        ring.shardctl(&["rollout", "history", "--run", last["id"].as_str().expect("an id")]).ended(0);
        let run =
            ring.shardctl(&["rollout", "history", "--run", last["id"].as_str().expect("an id")]).ended(0);
        eprintln!("{}", run.stdout);
    }
}

fn compare(report: &Report, run: &Value) {
    eprintln!("{} requests, {} failed", report.requests, report.failed);
    for o in &report.outages {
        eprintln!("client {} {} {:?} {:?} {}", o.began, o.ended, o.length(), o.shards, o.problem);
    }
    let outages = run["ledger"]["outages"].as_array().expect("outages");
    for o in outages {
        let b: jiff::Timestamp = o["startedAt"].as_str().unwrap().parse().unwrap();
        let e: jiff::Timestamp = o["endedAt"].as_str().unwrap().parse().unwrap();
        eprintln!("ledger {b} {e} {:?} {}", e.duration_since(b), o["shards"]);
    }
}
