//! `shardctl routing-test --watch` while something goes on.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::Test;
use crate::lab::{Lab, Ring, eventually};
use crate::routing::dns_pods;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("watch::a_service_that_is_well_is_available_all_the_time", well),
    ("watch::an_upgrade_is_seen_as_the_outages_that_it_is", upgrade),
    ("watch::a_way_that_is_cut_is_told_with_those_who_need_it", cut),
    ("watch::shards_without_a_shell_are_watched_through_port_forward", no_shell),
];

/// A shardctl that watches.
struct Watching {
    child: Child,
    lines: Receiver<Value>,
    heard: Vec<Value>,
}

impl Watching {
    fn start(ring: &Ring<'_>, args: &[&str]) -> Self {
        let watch = ["routing-test", "--watch", "-o", "json", "-n", &ring.namespace];
        let mut command = ring.lab.shardctl.command();
        command.args(watch).args(args).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("shardctl starts");
        let stdout = child.stdout.take().expect("its output");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender
                    .send(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")));
            }
        });
        Self { child, lines, heard: Vec::new() }
    }

    /// Waits until so much has been heard that this holds of it.
    #[track_caller]
    fn until(&mut self, what: &str, is_enough: impl Fn(&[Value]) -> bool) {
        while !is_enough(&self.heard) {
            match self.lines.recv_timeout(Duration::from_mins(1)) {
                Ok(line) => self.heard.push(line),
                Err(error) => panic!("{what}: {error}; heard {:#?}", self.heard),
            }
        }
    }

    /// Waits until so many ask.
    #[track_caller]
    fn asked_by(&mut self, count: usize) {
        self.until(&format!("{count} ask"), |heard| {
            let asks = heard.iter().filter(|event| event["type"] == "asks");
            asks.map(|event| event["asker"].to_string()).collect::<BTreeSet<String>>().len() == count
        });
    }

    /// Interrupts it, and returns the code that it ended with and its summary.
    fn interrupt(mut self) -> (i32, Value, Vec<Value>) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).expect("an id")).expect("an id");
        // It ends with the first; a second changes nothing.
        for _ in 0..2 {
            kill_process(id, Signal::INT).expect("it runs");
        }
        let code = self.child.wait().expect("it ends").code().expect("by itself");
        self.heard.extend(self.lines.iter());
        let last = self.heard.pop().expect("a summary");
        assert_eq!(last["kind"], "RoutingAvailability", "{last:#}");
        assert!(self.heard.iter().all(|event| event["kind"] == "RoutingEvent"), "{:#?}", self.heard);
        (code, last, self.heard)
    }
}

fn numbers(list: &Value) -> BTreeSet<u64> {
    list.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

/// Asserts that no process of ours is left in a shard that has a shell.
#[track_caller]
fn nothing_is_left(ring: &Ring<'_>) {
    eventually(|| {
        let processes = ring.exec("ring-0", &["ps", "-o", "pid,args"]).stdout;
        // Its own, and that which lists them.
        if processes.lines().count() <= 3 { Ok(()) } else { Err(processes) }
    });
}

fn well(lab: &Lab) {
    let ring = lab.standing_ring();
    let run = ring.shardctl(&["routing-test", "--watch", "--for", "8s", "--timeout", "10s"]).ended(0);
    let run = run.said("the service was available for 100 % of").said("no outage");
    assert!(run.stdout.lines().filter(|line| line.starts_with("ring-")).count() == 6, "{}", run.stdout);
    nothing_is_left(&ring);
    ring.shardctl(&["routing-test", "--watch", "-o", "junit"]).ended(2).complained("table or json");
    ring.shardctl(&["routing-test", "--for", "1s"]).ended(2).complained("--watch");
    ring.shardctl(&["routing-test", "--watch", "--for", "1ms"]).ended(2).complained("at least 1s");
}

fn upgrade(lab: &Lab) {
    let ring = lab.ring("watched");
    let mut watching = Watching::start(&ring, &["--timeout", "5s"]);
    watching.asked_by(6);
    let args = ["upgrade", "--image", "shardctl.lab/shard:1.1.0", "--strategy", "canary", "--settle", "5s"];
    let run = ring.shardctl(&[&args[..], &["--yes", "-o", "json"]].concat()).ended(0);
    let run: Value = serde_json::from_str(run.stdout.lines().last().expect("a line")).expect("JSON");
    // Each shard was down, and is up.
    watching.until("all are up", |heard| {
        let count = |kind: &str| heard.iter().filter(|event| event["type"] == kind).count();
        count("up") >= 6 && count("up") == count("down")
    });
    let (code, summary, heard) = watching.interrupt();
    assert_eq!(code, 5, "{summary:#}");
    assert!(heard.iter().any(|event| event["type"] == "leaves"), "pods were replaced: {heard:#?}");
    let time = |value: &Value| -> Timestamp { value.as_str().expect("a time").parse().expect("a time") };
    let ledger = run["ledger"]["outages"].as_array().expect("outages");
    assert_eq!(ledger.len(), 2);
    let outages = summary["outages"].as_array().expect("outages");
    let second = SignedDuration::from_secs(1);
    let near = |one: &Value, its: &Value| {
        time(&one["from"]) <= time(&its["endedAt"]) + second
            && time(&its["startedAt"]) - second <= time(&one["to"])
    };
    for its in ledger {
        let shards: BTreeSet<u64> =
            outages.iter().filter(|one| near(one, its)).flat_map(|one| numbers(&one["shards"])).collect();
        assert_eq!(shards, numbers(&its["shards"]), "{its} {outages:#?}");
    }
    assert!(outages.iter().all(|one| ledger.iter().any(|its| near(one, its))), "{outages:#?} {ledger:#?}");
    let share = summary["availability"].as_f64().expect("a share");
    assert!(share > 0.0 && share < 1.0, "{summary:#}");
    nothing_is_left(&ring);
}

fn cut(lab: &Lab) {
    let ring = lab.ring("cut");
    let on = |node: &str| -> BTreeSet<u64> {
        let shards = ring.shards();
        let numbers = shards.iter().zip(0..).filter(|(shard, _)| shard.node == node);
        numbers.map(|(_, number)| number).collect()
    };
    // Who asks the DNS pods of the other node would be told with them.
    let dns = dns_pods(lab, "1");
    let nodes: Vec<&str> = ["node-1", "node-2", "node-3"].into_iter().filter(|node| *node != dns).collect();
    let (one, other) = (on(nodes[0]), on(nodes[1]));
    let mut watching = Watching::start(&ring, &[]);
    watching.asked_by(6);
    lab.lab_command(&["node", "cut", nodes[0], nodes[1]]).ended(0);
    let is_down = |heard: &[Value]| -> BTreeSet<u64> {
        heard
            .iter()
            .filter(|event| event["type"] == "down")
            .filter_map(|event| event["shard"].as_u64())
            .collect()
    };
    let all: BTreeSet<u64> = one.union(&other).copied().collect();
    watching.until("all of both nodes are down", |heard| is_down(heard).is_superset(&all));
    lab.lab_command(&["node", "mend"]).ended(0);
    watching.until("all are up", |heard| {
        let count = |kind: &str| heard.iter().filter(|event| event["type"] == kind).count();
        count("up") == count("down")
    });
    let (code, summary, _) = watching.interrupt();
    dns_pods(lab, "2");
    assert_eq!(code, 5, "{summary:#}");
    for shard in summary["shards"].as_array().expect("shards") {
        let number = shard["shard"].as_u64().expect("a number");
        let beyond = if one.contains(&number) { &other } else { &one };
        let outages = shard["outages"].as_array().expect("outages").iter();
        let met = outages.flat_map(|outage| outage["met"].as_array().cloned().unwrap_or_default());
        let of_network = met.filter(|met| met["result"] == "unreachable");
        let askers: BTreeSet<u64> = of_network.flat_map(|met| numbers(&met["askers"])).collect();
        // Who is on neither node reaches all, and is reached by all.
        let expected = if all.contains(&number) { beyond.clone() } else { BTreeSet::new() };
        assert_eq!(askers, expected, "{shard:#}");
    }
}

fn no_shell(lab: &Lab) {
    let ring = lab.ring_with("bare", |manifest| {
        *manifest = manifest.replace("shardctl.lab/shard:", "shardctl.lab/shard-bare:");
    });
    let mut watching = Watching::start(&ring, &["--min-availability", "0"]);
    watching
        .until("all are asked", |heard| heard.iter().filter(|event| event["type"] == "mute").count() == 6);
    ring.kubectl(&["delete", "pod", "ring-4"]);
    watching.until("it is up again", |heard| heard.iter().any(|event| event["type"] == "up"));
    let (code, summary, heard) = watching.interrupt();
    assert_eq!(code, 0, "less is asked for: {summary:#}");
    let mute = heard.iter().find(|event| event["type"] == "mute").expect("one");
    assert_eq!(mute["reason"], "its image has no shell");
    let down = heard.iter().find(|event| event["type"] == "down").expect("one");
    assert_eq!((&down["shard"], &down["asker"]), (&4.into(), &"port-forward".into()));
    assert_eq!(summary["outages"].as_array().map(Vec::len), Some(1), "{summary:#}");
}
