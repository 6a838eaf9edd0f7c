//! The guarantees of the rolling engine, a test for each by its name.

use std::time::Duration;

use serde_json::Value;

use super::{Held, Told, deployed, down, on_one_node};
use crate::Test;
use crate::fault_proxy::{Exchange, Fault, Proxy};
use crate::lab::{Lab, eventually};
use crate::outage::watched;
use crate::outage_watcher::Watcher;
use crate::status::Watching;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("guarantee::whole_before_start", whole_before_start),
    ("guarantee::whole_before_start_and_before_each_wave", whole_before_each_wave),
    ("guarantee::never_more_than_wave", never_more_than_wave),
    ("guarantee::exact_pod", exact_pod),
    ("guarantee::back_before_next", back_before_next),
    ("guarantee::one_run", one_run),
    ("guarantee::one_run_waits_for_the_lock_of_a_dead_one", dead_lock),
    ("guarantee::leaves_nothing", leaves_nothing),
    ("guarantee::within_budget", within_budget),
    ("guarantee::resumable", resumable),
    ("guarantee::disarmed", disarmed),
    ("guarantee::dry_run_writes_nothing", dry_run),
];

const UPGRADE: [&str; 3] = ["upgrade", "--image", "registry.example/demo:2.0.0"];

/// The place of the first event that is so.
#[track_caller]
fn place(told: &Told, what: &str, is_it: impl Fn(&Value) -> bool) -> usize {
    let found = told.events.iter().position(is_it);
    found.unwrap_or_else(|| panic!("no {what}:\n{}", told.run.stdout))
}

fn begins_wave(number: u64) -> impl Fn(&Value) -> bool {
    move |event| event["type"] == "waveStarted" && event["wave"] == number
}

fn is_back(ordinal: u64) -> impl Fn(&Value) -> bool {
    move |event| event["type"] == "shard" && event["ordinal"] == ordinal && event["mark"] == "back"
}

/// The shards that shardctl deleted, in order.
fn deletes(proxy: &Proxy) -> Vec<Exchange> {
    let is_shard = |path: &str| !path.contains("-place-");
    let writes = proxy.writes().into_iter();
    writes.filter(|one| one.asked.in_short() == "DELETE pods" && is_shard(one.asked.path_alone())).collect()
}

fn whole_before_start(lab: &Lab) {
    let service = on_one_node(lab, "broken");
    service.k("annotate pod/NAME-1 lab.shardctl.dev/fail=never-ready");
    eventually(|| if service.shards().up == 2 { Ok(()) } else { Err("it is still up".to_owned()) });
    // The broken shard goes first, and comes back well: the annotation was its own.
    let (report, told) = service.roll_watched(&UPGRADE);
    let told = told.ended(0);
    assert_eq!(told.waves(), [[1], [2], [0]]);
    assert_eq!(down(&report), [[1].into(), [2].into(), [0].into()], "{report:#?}");
    assert_eq!(report.most_down(), 1, "{report:#?}");
    service.is_whole_on("explore");
}

fn whole_before_each_wave(lab: &Lab) {
    let service = on_one_node(lab, "breaking");
    let proxy = Proxy::start(&lab.shardctl);
    let args = [&UPGRADE[..], &["--yes", "-o", "json", "--settle", "3s"]].concat();
    let run = Watching::start_with(&proxy.shardctl, &service.name, &args);
    run.prints(r#""kind":"settled""#, 1);
    // Not the one that was moved, and not the next one.
    service.k("annotate pod/NAME-0 lab.shardctl.dev/fail=never-ready");
    run.prints(r#""kind":"whole""#, 1);
    assert_eq!(deletes(&proxy).len(), 1, "{}", proxy.story());
    service.k("annotate pod/NAME-0 lab.shardctl.dev/fail-");
    let (printed, code) = run.end();
    assert_eq!(code, 0, "{printed}");
    assert_eq!(deletes(&proxy).len(), 3, "{}", proxy.story());
    service.is_whole_on("explore");
}

fn never_more_than_wave(lab: &Lab) {
    let mut service = lab.service("at-most");
    service.make_small();
    service.edit("replicas: 3", "replicas: 5");
    service.deploy("explore");
    let proxy = Proxy::start(&lab.shardctl);
    let (report, told) = watched(&service, || {
        service.roll_with(&proxy.shardctl, &[&UPGRADE[..], &["--wave-size", "2"]].concat())
    });
    assert_eq!(told.ended(0).waves(), [vec![4], vec![3, 2], vec![1, 0]]);
    assert_eq!(report.most_down(), 2, "{report:#?}");
    assert_eq!(down(&report), [[4].into(), [2, 3].into(), [0, 1].into()], "{report:#?}");
    assert_eq!(deletes(&proxy).len(), 5, "{}", proxy.story());
}

fn exact_pod(lab: &Lab) {
    let service = on_one_node(lab, "exactly");
    let proxy = Proxy::start(&lab.shardctl);
    // While the first delete is on its way, somebody else restarts that shard.
    proxy.fault(Fault::Delay(Duration::from_secs(3)), 1, |asked| {
        asked.in_short() == "DELETE pods" && !asked.path.contains("-place-")
    });
    let args = [&UPGRADE[..], &["--yes", "-o", "json", "--settle", "0s"]].concat();
    let run = Watching::start_with(&proxy.shardctl, &service.name, &args);
    eventually(|| if deletes(&proxy).is_empty() { Err(proxy.story()) } else { Ok(()) });
    service.k("delete pod NAME-2 --wait=false");
    let (printed, code) = run.end();
    assert_eq!(code, 0, "{printed}");
    let deletes = deletes(&proxy);
    assert_eq!(deletes[0].status, Some(409), "{}", proxy.story());
    for delete in &deletes {
        let body: Value = serde_json::from_slice(&delete.asked.body).expect("JSON");
        for precondition in ["uid", "resourceVersion"] {
            assert!(body["preconditions"][precondition].is_string(), "{body}");
        }
    }
    // The new one had the new template already: it is not restarted for it again.
    let of_it = deletes.iter().filter(|one| one.asked.path_alone().ends_with("-2"));
    assert_eq!(of_it.filter(|one| one.status == Some(200)).count(), 0, "{}", proxy.story());
    service.is_whole_on("explore");
}

fn back_before_next(lab: &Lab) {
    let mut service = lab.service("in-turn");
    service.make_small();
    service.deploy("explore");
    // Ready long before it serves.
    service.edit("demo:1.0.0", "demo:2.0.0");
    service.overlay("annotations: {lab.shardctl.dev/startup-hold: 2s}");
    let told = service.roll(&["upgrade", "-f", service.path()]).ended(0);
    assert_eq!(told.waves(), [[2], [1], [0]]);
    for (wave, ordinal) in [(1, 2), (2, 1)] {
        let refused =
            place(&told, "refusal", |event| event["type"] == "gateRefused" && event["ordinal"] == ordinal);
        let back = place(&told, "return", is_back(ordinal));
        let next = place(&told, "wave", begins_wave(wave));
        assert!(refused < back && back < next, "{}", told.run.stdout);
    }
    let restarts = told.last["ledger"]["restarts"].as_array().expect("restarts");
    assert_eq!(restarts.len(), 3, "{restarts:#?}");
    service.is_whole_on("explore");
}

fn one_run(lab: &Lab) {
    let service = on_one_node(lab, "one-run");
    let first =
        Watching::start(&service, &[&UPGRADE[..], &["--yes", "-o", "json", "--settle", "1m"]].concat());
    first.prints(r#""kind":"settled""#, 1);
    let before = Held::of(&service);
    let proxy = Proxy::start(&lab.shardctl);
    let again = [&["upgrade", "--image", "registry.example/demo:3.0.0", "--yes"][..], &["-n", &service.name]]
        .concat();
    for command in [
        &again[..],
        &["rollout", "resume", "--yes", "-n", &service.name],
        &["rollout", "abort", "--yes", "-n", &service.name],
    ] {
        let run = proxy.shardctl.run(command).ended(3);
        assert!(run.stderr.contains("nothing was changed"), "{run:?}");
    }
    // Whoever would go on with it is told who does, and since when.
    let run = proxy.shardctl.run(["rollout", "resume", "--yes", "-n", &service.name]).ended(3);
    let run = run.complained("holds the lock for run upgrade-").complained(" since ");
    run.complained(&format!("kwok-admin@{}", rustix::system::uname().nodename().to_string_lossy()));
    assert!(proxy.writes().is_empty(), "{}", proxy.story());
    assert_eq!(Held::of(&service), before);
    service.rollout(&["status"]).ended(5).said("kwok-admin@");
    assert_eq!(first.interrupt(), 4);
}

fn dead_lock(lab: &Lab) {
    let service = on_one_node(lab, "dead");
    let mut first =
        Watching::start(&service, &[&UPGRADE[..], &["--yes", "-o", "json", "--settle", "1m"]].concat());
    first.prints(r#""kind":"settled""#, 1);
    first.kill();
    // Nobody takes the lock away: it ends by itself, and that is waited for.
    let run = service.rollout(&["resume", "--yes"]).ended(0);
    run.complained("its lock ends in ");
    service.is_whole_on("explore");
}

fn leaves_nothing(lab: &Lab) {
    let service = deployed(lab, "tidy");
    let before = Held::of(&service);
    let args = ["migrate", "-f", service.path(), "--to", "stable", "--yes", "-o", "json", "--settle", "1m"];
    for _ in 0..2 {
        // The file names the namespace.
        let run = Watching::start_with(&lab.shardctl, &service.name, &args);
        run.prints(r#""kind":"settled""#, 1);
        let during = Held::of(&service);
        for held in ["priorityclass/", "lease/", "placeholder/", "open journal/"] {
            assert!(during.meanwhile.keys().any(|name| name.starts_with(held)), "{held} {during:#?}");
        }
        let budgets = |held: &Held| held.meanwhile[&format!("nodepool/{}-explore", service.name)].clone();
        assert_ne!(budgets(&during), budgets(&before));
        assert_eq!(run.interrupt(), 4);
        // It stopped part-way: its journal is open, and nothing else is held.
        let mut after = Held::of(&service);
        after.meanwhile.retain(|name, _| !name.starts_with("open journal/"));
        after.nothing_left_since(&before);
        service.rollout(&["status"]).ended(4);
    }
    service.rollout(&["abort", "--yes"]).ended(0);
    let after = Held::of(&service);
    after.nothing_left_since(&before);
    assert_eq!(after.purpose, before.purpose);
}

fn within_budget(lab: &Lab) {
    let mut service = lab.service("budget");
    service.make_small();
    service.deploy("explore");
    service.edit("demo:1.0.0", "demo:2.0.0");
    // It takes longer than anybody thought.
    service.overlay("annotations: {lab.shardctl.dev/pod-start: 3s}");
    let proxy = Proxy::start(&lab.shardctl);
    let upgrade = ["upgrade", "-f", service.path(), "--restart-seconds", "1s"];
    let told =
        service.roll_with(&proxy.shardctl, &[&upgrade[..], &["--max-total-outage", "5s"]].concat()).ended(4);
    told.run.complained("more than the 5.0s of --max-total-outage");
    assert_eq!(deletes(&proxy).len(), 1, "{}", proxy.story());
    service.rollout(&["undo", "--yes", "--settle", "0s"]).ended(0);
    let told = service.roll(&[&upgrade[..], &["--max-outage", "2s"]].concat()).ended(4);
    told.run.complained("more than the 2.0s of --max-outage");
    // What cannot be met is refused before anything is changed.
    service.rollout(&["abort", "--yes"]).ended(0);
    let before = Held::of(&service);
    let writes = proxy.writes().len();
    for budget in [["--max-outage", "500ms"], ["--max-total-outage", "1s"]] {
        let told = service.roll_with(&proxy.shardctl, &[&upgrade[..], &budget].concat()).ended(3);
        told.run.complained(&format!("{} {} cannot be met", budget[0], budget[1])).complained("is forecast");
    }
    assert_eq!(proxy.writes().len(), writes, "{}", proxy.story());
    assert_eq!(Held::of(&service), before);
}

fn resumable(lab: &Lab) {
    let service = on_one_node(lab, "again-run");
    let run = Watching::start(&service, &[&UPGRADE[..], &["--yes", "-o", "json", "--settle", "1m"]].concat());
    run.prints(r#""kind":"settled""#, 1);
    assert_eq!(run.interrupt(), 4);
    // The same command goes on, too; only what is left is moved.
    let kubeconfig = lab.shardctl.kubeconfig.as_ref().expect("a kubeconfig");
    let watcher = Watcher::start(kubeconfig, &service.name, &service.name).expect("it watches");
    let told = service.roll(&UPGRADE);
    let report = watcher.stop().expect("a report");
    assert_eq!(told.run.code, 0, "{told:?}");
    assert_eq!(told.last["attempt"], 2, "{}", told.last);
    assert_eq!(down(&report), [[1].into(), [0].into()], "{report:#?}");
    service.is_whole_on("explore");
    // Done again it changes nothing, and says so.
    let before = (Held::of(&service), service.pod_uids());
    let proxy = Proxy::start(&lab.shardctl);
    let args: Vec<&str> = [&UPGRADE[..], &["--yes", "-n", &service.name]].concat();
    proxy.shardctl.run(&args).ended(0).said("has that template already; nothing was changed");
    proxy
        .shardctl
        .run(["rollout", "resume", "--yes", "-n", &service.name])
        .ended(3)
        .complained("no run to resume");
    assert!(proxy.writes().is_empty(), "{}", proxy.story());
    assert_eq!((Held::of(&service), service.pod_uids()), before);
}

fn disarmed(lab: &Lab) {
    let service = on_one_node(lab, "disarmed");
    let old = service.shards().revisions;
    let run = Watching::start(&service, &[&UPGRADE[..], &["--yes", "-o", "json", "--settle", "1m"]].concat());
    run.prints(r#""kind":"settled""#, 1);
    assert_eq!(run.interrupt(), 4);
    service.rollout(&["abort", "--yes"]).ended(0);
    // Whatever restarts now comes back as it was, the one that had been moved, too.
    service.k("delete pod NAME-0 NAME-1 NAME-2 --wait=false");
    eventually(|| {
        let shards = service.shards();
        if shards.is_whole() && shards.revisions == old {
            Ok(())
        } else {
            Err(format!("{shards:?}, not {old:?}"))
        }
    });
}

fn dry_run(lab: &Lab) {
    let service = on_one_node(lab, "dry");
    let node = service.companion();
    service.roll(&UPGRADE).ended(0);
    let versions = || (service.versions(), service.pod_uids(), Held::of(&service));
    let before = versions();
    let proxy = Proxy::start(&lab.shardctl);
    for mode in ["--dry-run", "--dry-run=client", "--dry-run=server"] {
        for command in [
            &["migrate", "-f", service.path(), "--to", "stable"][..],
            &["upgrade", "--image", "registry.example/demo:3.0.0", "-n", &service.name],
            &["upgrade", "--set-resources", "cpu=2,memory=8Gi", "-n", &service.name],
            &["drain", &node, "-n", &service.name],
            &["rollout", "undo", "-n", &service.name],
        ] {
            let run = proxy.shardctl.run(command.iter().chain(&[mode])).ended(0);
            run.said("Plan: ").said("dry run: nothing was changed");
        }
    }
    assert!(proxy.writes().is_empty(), "{}", proxy.story());
    assert!(!proxy.reads().is_empty());
    assert_eq!(versions(), before);
}
