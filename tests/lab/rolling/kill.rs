//! shardctl is killed right before and right after each of its writes, and what it leaves is put right by another
//! process: `rollout resume` from another folder completes the run, `rollout abort` leaves no trace. Seen from outside,
//! never more shards are down than the approved wave.
//!
//! What the server has right after a write and right before the next is the same. So that both ends meet every state
//! and every write both moments, runs that are resumed are killed before each write and those that are aborted after.

use std::cell::Cell;
use std::process::Command;

use serde_json::Value;

use super::Held;
use crate::Test;
use crate::fault_proxy::{Exchange, Moment, Proxy};
use crate::lab::{Lab, Service, eventually};
use crate::outage::watched;
use crate::support::{Folder, Run, Shardctl};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("kill::an_upgrade_killed_at_any_write_is_resumed", upgrade_resumed),
    ("kill::an_upgrade_killed_at_any_write_is_aborted", upgrade_aborted),
    ("kill::a_migration_killed_at_any_write_is_resumed", migrate_resumed),
    ("kill::a_migration_killed_at_any_write_is_aborted", migrate_aborted),
    ("kill::a_drain_killed_at_any_write_is_resumed", drain_resumed),
    ("kill::a_drain_killed_at_any_write_is_aborted", drain_aborted),
];

/// An operation that is killed again and again.
struct Sweep<'a> {
    service: Service<'a>,
    proxy: Proxy,
    /// Another folder, with nothing in it.
    elsewhere: Folder,
    replicas: usize,
}

/// How what was left is put right.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Resume,
    Abort,
}

impl<'a> Sweep<'a> {
    /// A service of so many shards, which start quickly and all fit on one node.
    fn new(lab: &'a Lab, purpose: &str, replicas: usize) -> Self {
        let mut service = lab.service(purpose);
        service.make_small();
        service.edit("replicas: 3", &format!("replicas: {replicas}"));
        service.overlay("annotations: {lab.shardctl.dev/pod-start: 50ms, lab.shardctl.dev/pod-stop: 20ms}");
        service.deploy("explore");
        let proxy = Proxy::start(&lab.shardctl);
        Self { service, proxy, elsewhere: Folder::new("elsewhere"), replicas }
    }

    /// Runs what `command` says to its end, and then again and again, killed at each of the writes that the first one
    /// made. `again` makes a new start after each.
    fn run(
        &self,
        then: Then,
        writes: &[&str],
        command: impl Fn(&Service<'_>, usize) -> Vec<String>,
        again: impl Fn(&Service<'_>),
    ) {
        self.proxy.shardctl.run(command(&self.service, 0)).ended(0);
        again(&self.service);
        let mut moments: Vec<(String, usize)> = Vec::new();
        let is_done = |write: &&Exchange| write.status.is_some_and(|status| status < 300);
        for write in self.proxy.writes().iter().filter(is_done) {
            if write.asked.is_lease_renewal() {
                continue;
            }
            let what = write.asked.in_short();
            let before = moments.iter().filter(|(known, _)| *known == what).count();
            moments.push((what, before + 1));
        }
        for write in writes {
            assert!(moments.iter().any(|(what, _)| what == write), "{write}\n{}", self.proxy.story());
        }
        for (number, (what, occurrence)) in moments.iter().enumerate() {
            let args = command(&self.service, number + 1);
            let before = Held::of(&self.service);
            let (report, killed_at) = watched(&self.service, || self.once(then, (what, *occurrence), &args));
            assert!(report.most_down() < self.replicas, "{report:#?}\n{}", self.proxy.story());
            let after = Held::of(&self.service);
            after.nothing_left_since(&before);
            let at = format!("killed at {what}, number {occurrence}");
            // Calls that are made again, and those made at the same time, are not as many in every run.
            assert!(killed_at.is_some() || *occurrence > 1, "not {at}\n{}", self.proxy.story());
            if then == Then::Abort && !self.is_done() {
                assert_eq!(after.purpose, before.purpose, "{at}");
            }
            again(&self.service);
        }
    }

    /// Runs and kills, and puts right what is left. None: it came to its end.
    fn once(&self, then: Then, at: (&str, usize), args: &[String]) -> Option<Exchange> {
        let mut command = self.proxy.shardctl.command();
        command.args(args);
        let moment = match then {
            Then::Resume => Moment::before(at.1),
            Then::Abort => Moment::after(at.1),
        };
        let what = at.0.to_owned();
        let moment = moment.not_counting_renewals().counting(move |asked| asked.in_short() == what);
        let ended = self.proxy.run_until(moment, command);
        if ended.killed_at.is_none() {
            ended.run.ended(0);
            return None;
        }
        self.service.free_the_lock();
        let is_open = Held::of(&self.service).meanwhile.keys().any(|name| name.starts_with("open journal/"));
        match (then, is_open) {
            (Then::Resume, true) => drop(self.elsewhere(&["rollout", "resume", "--yes"]).ended(0)),
            // Nothing was journalled, or everything is done: there is nothing to resume, and the command itself is run
            // again.
            (Then::Resume, false) => {
                drop(self.elsewhere(&args.iter().map(String::as_str).collect::<Vec<_>>()).ended(0));
            }
            (Then::Abort, true) => drop(self.elsewhere(&["rollout", "abort", "--yes"]).ended(0)),
            (Then::Abort, false) => {}
        }
        ended.killed_at
    }

    /// Whether the newest run is done: then it is not aborted any more, and what it was for stays.
    fn is_done(&self) -> bool {
        let path =
            format!("/api/v1/namespaces/{}/configmaps?labelSelector=shardctl.dev/run", self.service.name);
        let runs = self.service.lab.list(&path).into_iter().map(|journal| -> Value {
            serde_json::from_str(journal["data"]["run.json"].as_str().unwrap_or_default()).expect("a run")
        });
        let newest = runs.max_by_key(|run| run["startedAt"].as_str().map(str::to_owned));
        newest.is_some_and(|run| run["state"]["kind"] == "done")
    }

    /// Runs shardctl in another folder, without the proxy.
    fn elsewhere(&self, args: &[&str]) -> Run {
        let direct = &self.service.lab.shardctl;
        let shardctl = Shardctl { home: self.elsewhere.path().to_owned(), ..direct.clone() };
        let mut command: Command = shardctl.command();
        command.args(args).current_dir(self.elsewhere.path());
        if !args.contains(&"-n") && !args.contains(&"-f") {
            command.args(["-n", &self.service.name]);
        }
        Run::from(command.output().expect("shardctl starts"))
    }
}

/// Deletes the shards that are not of the newest revision, as somebody would who takes what was aborted back, and waits.
fn renew_the_others(service: &Service<'_>) {
    let name = &service.name;
    let set = || {
        service
            .lab
            .ask("GET", &format!("/apis/apps/v1/namespaces/{name}/statefulsets/{name}"))
            .expect("the set")
    };
    let newest = eventually(|| {
        let set = set();
        match set["status"]["observedGeneration"] == set["metadata"]["generation"] {
            true => Ok(set["status"]["updateRevision"].clone()),
            false => Err("the controller has not seen the template".to_owned()),
        }
    });
    let pods = service.lab.list(&format!("/api/v1/namespaces/{name}/pods"));
    for pod in &pods {
        let revision = &pod["metadata"]["labels"]["controller-revision-hash"];
        if pod["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet" && *revision != newest {
            let pod = pod["metadata"]["name"].as_str().expect("a name");
            let _ = service.lab.ask("DELETE", &format!("/api/v1/namespaces/{name}/pods/{pod}"));
        }
    }
    is_whole(service, &newest);
}

/// Waits until every shard is up from this revision.
fn is_whole(service: &Service<'_>, revision: &Value) {
    eventually(|| {
        let shards = service.shards();
        match shards.is_whole() && shards.revisions.iter().eq([revision.as_str().unwrap_or_default()]) {
            true => Ok(()),
            false => Err(format!("{shards:?}, not {revision}")),
        }
    });
}

/// What every run writes.
const EVERY: [&str; 10] = [
    "POST leases",
    "POST events",
    "POST configmaps",
    "PATCH nodepools",
    "PUT configmaps",
    "POST priorityclasses",
    "POST pods",
    "DELETE pods",
    "DELETE priorityclasses",
    "DELETE leases",
];

fn upgrade(service: &Service<'_>, number: usize) -> Vec<String> {
    let image = format!("registry.example/demo:2.0.{number}");
    service.rolling(&["upgrade", "--image", &image, "--strategy", "canary"])
}

fn upgrade_resumed(lab: &Lab) {
    let sweep = Sweep::new(lab, "kill-up", 3);
    let wanted = Cell::new(0);
    sweep.run(
        Then::Resume,
        &[&EVERY[..], &["PATCH statefulsets"]].concat(),
        |service, number| {
            wanted.set(number);
            upgrade(service, number)
        },
        |service| {
            let shards = service.shards();
            assert!(shards.is_whole(), "{shards:?}");
            let image = format!("registry.example/demo:2.0.{}", wanted.get());
            assert!(shards.images.iter().eq([&image]), "{shards:?}, not {image}");
        },
    );
}

fn upgrade_aborted(lab: &Lab) {
    let sweep = Sweep::new(lab, "kill-up-abort", 3);
    sweep.run(Then::Abort, &[&EVERY[..], &["PATCH statefulsets"]].concat(), upgrade, renew_the_others);
}

/// To the pool where the shards are not.
fn migrate(service: &Service<'_>) -> Vec<String> {
    let is_on = |phase: &str| service.shards().pools.iter().eq([&format!("{}-{phase}", service.name)]);
    let to = if is_on("stable") { "explore" } else { "stable" };
    service.rolling(&["migrate", "-f", service.path(), "--to", to, "--strategy", "canary"])
}

fn migrate_resumed(lab: &Lab) {
    let sweep = Sweep::new(lab, "kill-move", 2);
    sweep.run(
        Then::Resume,
        &[&EVERY[..], &["PATCH statefulsets"]].concat(),
        |service, _| migrate(service),
        |service| {
            let shards = service.shards();
            assert!(
                shards.is_whole() && (shards.pools.len(), shards.revisions.len()) == (1, 1),
                "{shards:?}"
            );
        },
    );
}

fn migrate_aborted(lab: &Lab) {
    let sweep = Sweep::new(lab, "kill-move-abort", 2);
    let writes = [&EVERY[..], &["PATCH statefulsets"]].concat();
    sweep.run(Then::Abort, &writes, |service, _| migrate(service), renew_the_others);
}

/// The node that has all shards, once it has the companion, too.
fn drain(service: &Service<'_>) -> Vec<String> {
    service.rolling(&["drain", &service.companion(), "--strategy", "canary"])
}

/// Lets pods on all nodes again.
fn uncordon(service: &Service<'_>) {
    service.k("uncordon -l karpenter.sh/nodepool=NAME-explore");
}

const DRAINS: [&str; 2] = ["PATCH nodes", "POST pods/eviction"];

fn drain_resumed(lab: &Lab) {
    let sweep = Sweep::new(lab, "kill-drain", 2);
    sweep.run(
        Then::Resume,
        &[&EVERY[..], &DRAINS].concat(),
        |service, _| drain(service),
        |service| {
            let shards = service.shards();
            assert!(shards.is_whole(), "{shards:?}");
            let cordons = Held::of(service).purpose;
            let cordons: Vec<&String> = cordons.keys().filter(|name| name.starts_with("cordon/")).collect();
            let [cordoned] = cordons.as_slice() else { panic!("{cordons:?}") };
            assert!(!shards.nodes.contains(&cordoned.replace("cordon/", "")), "{shards:?} {cordoned}");
            uncordon(service);
        },
    );
}

fn drain_aborted(lab: &Lab) {
    let sweep = Sweep::new(lab, "kill-drain-abort", 2);
    sweep.run(Then::Abort, &[&EVERY[..], &DRAINS].concat(), |service, _| drain(service), gather);
}

/// Brings all shards together on one node, whichever were moved.
fn gather(service: &Service<'_>) {
    uncordon(service);
    let nodes: Vec<String> = service.shards().nodes.into_iter().collect();
    if let [first, _, ..] = nodes.as_slice() {
        service.k(&format!("cordon {first}"));
        service.k(&format!("delete pod --field-selector spec.nodeName={first} --wait=false"));
        eventually(|| {
            let shards = service.shards();
            if shards.is_whole() && shards.nodes.len() == 1 { Ok(()) } else { Err(format!("{shards:?}")) }
        });
        uncordon(service);
    }
    // One that is elsewhere comes to them.
    service.k("delete pod -l app=companion --wait=false --grace-period=0 --force");
}
