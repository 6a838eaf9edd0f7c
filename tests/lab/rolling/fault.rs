//! What goes wrong between shardctl and the API server: the run completes all the same, or stops and can be resumed.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Held, Told, deployed, down, on_one_node};
use crate::Test;
use crate::fault_proxy::{Asked, Fault, Proxy};
use crate::lab::Lab;
use crate::outage::watched;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("fault::an_old_list_of_shards_is_not_believed", old_list_of_shards),
    ("fault::an_old_list_of_other_pods_is_not_believed", old_list_of_others),
    ("fault::a_busy_server_is_asked_again_when_it_said", busy),
    ("fault::each_write_may_fail_once_with_500", internal_error),
    ("fault::each_write_may_fail_once_with_503", unavailable),
    ("fault::each_answer_may_be_lost_once", reset),
    ("fault::a_slow_server_is_waited_for", slow),
    ("fault::watches_that_end_or_expire_begin_anew", watches),
    ("fault::watches_that_fall_silent_are_not_relied_on", silent),
    ("fault::credentials_that_expire_stop_the_run_and_it_is_resumed", expired),
];

/// Longer than a pod of these tests takes to end and to come back.
const LONG: Duration = Duration::from_secs(3);

/// A list of pods by this selector that is no watch.
fn lists(selector: &'static str) -> impl Fn(&Asked) -> bool + Send + 'static {
    move |asked| asked.is_about("pods") && !asked.is_watch() && asked.path.contains(selector)
}

/// What `then` chooses, once there was such a write.
fn after(write: &'static str, then: impl Fn(&Asked) -> bool + Send) -> impl Fn(&Asked) -> bool + Send {
    let is_written = AtomicBool::new(false);
    move |asked| {
        is_written.fetch_or(asked.in_short() == write, Ordering::Relaxed);
        is_written.load(Ordering::Relaxed) && then(asked)
    }
}

/// How often the engine looked anew, by lists with this selector, from the last of these writes until the run ended.
fn looks_since(proxy: &Proxy, write: &str, selector: &'static str) -> usize {
    let record = proxy.record();
    let last = |write: &str| record.iter().rposition(|exchange| exchange.asked.in_short() == write);
    let (from, to) = (last(write).expect("it was written"), last("DELETE leases").expect("it ended"));
    let is_list = lists(selector);
    record[from..to].iter().filter(|exchange| is_list(&exchange.asked)).count()
}

fn old_list_of_shards(lab: &Lab) {
    let service = deployed(lab, "old-shards");
    let before = Held::of(&service);
    let proxy = Proxy::start(&lab.shardctl);
    let args = [
        "upgrade",
        "--image",
        "registry.example/demo:2.0.0",
        "--no-prewarm",
        "--gate",
        "none",
        "--wave-size",
        "2",
    ];
    // What the look after the first wave finds is told when the shard is long back.
    proxy.fault(Fault::Late(LONG), 1, after("DELETE pods", lists("component%3Dshard")));
    service.roll_with(&proxy.shardctl, &args).ended(0);
    service.is_whole_on("explore");
    Held::of(&service).nothing_left_since(&before);
    // When it was armed, and before and after each wave; once more before a wave on a machine that is busy. No other look
    // was needed, so nothing was missed.
    let looks = looks_since(&proxy, "PATCH statefulsets", "component%3Dshard");
    assert!((5..=7).contains(&looks), "{looks} looks\n{}", proxy.story());
}

fn old_list_of_others(lab: &Lab) {
    let service = on_one_node(lab, "old-others");
    let node = service.companion();
    let before = Held::of(&service);
    let proxy = Proxy::start(&lab.shardctl);
    proxy.fault(Fault::Late(LONG), 1, after("POST pods/eviction", lists("spec.nodeName")));
    service.roll_with(&proxy.shardctl, &["drain", &node, "--wave-size", "3"]).ended(0);
    Held::of(&service).nothing_left_since(&before);
    assert_eq!(looks_since(&proxy, "POST pods/eviction", "spec.nodeName"), 1, "{}", proxy.story());
}

const FOREVER: usize = usize::MAX;
const UPGRADE: [&str; 5] = ["upgrade", "--image", "registry.example/demo:2.0.0", "--strategy", "canary"];

/// Upgrades while each kind of write fails the first time, and asserts that nobody would have known.
fn upgrade_with(lab: &Lab, purpose: &str, fault: Fault) -> (Proxy, Told) {
    let service = deployed(lab, purpose);
    let before = Held::of(&service);
    let proxy = Proxy::start(&lab.shardctl);
    let failed = Mutex::new(BTreeSet::new());
    // A lock that cannot be taken ends the command before there is a run, and one that cannot be given back after it.
    proxy.fault(fault, FOREVER, move |asked| {
        asked.is_write()
            && !asked.is_about("leases")
            && failed.lock().expect("no panic holds it").insert(asked.in_short())
    });
    let (report, told) = watched(&service, || service.roll_with(&proxy.shardctl, &UPGRADE));
    let told = told.ended(0);
    assert_eq!(down(&report), [[2].into(), [0, 1].into()], "{report:#?}\n{}", proxy.story());
    service.is_whole_on("explore");
    Held::of(&service).nothing_left_since(&before);
    let broken = proxy.record().into_iter().filter(|exchange| exchange.fault.is_some());
    let broken: BTreeSet<String> = broken.map(|exchange| exchange.asked.in_short()).collect();
    for write in [
        "POST configmaps",
        "PUT configmaps",
        "PATCH statefulsets",
        "PATCH nodepools",
        "POST pods",
        "DELETE pods",
    ] {
        assert!(broken.contains(write), "{write}\n{}", proxy.story());
    }
    (proxy, told)
}

fn busy(lab: &Lab) {
    let (_, told) = upgrade_with(lab, "busy", Fault::TooMany { retry_after: 2 });
    let retries = told.all("retrying");
    assert!(!retries.is_empty());
    for retry in retries {
        assert_eq!(retry["after"]["secs"], 2, "{retry}");
    }
}

fn internal_error(lab: &Lab) {
    let (_, told) = upgrade_with(lab, "error", Fault::Answer(500));
    assert!(!told.all("retrying").is_empty());
}

fn unavailable(lab: &Lab) {
    upgrade_with(lab, "unavailable", Fault::Answer(503));
}

fn reset(lab: &Lab) {
    let (proxy, _) = upgrade_with(lab, "reset-run", Fault::Reset);
    // The server did it all the same, and nothing was done twice.
    let writes = proxy.writes();
    let done = |what: &str| {
        writes
            .iter()
            .filter(|one| one.asked.in_short() == what && one.status.is_some_and(|status| status < 300))
            .count()
    };
    assert_eq!((done("POST configmaps"), done("PATCH statefulsets")), (1, 1), "{}", proxy.story());
}

fn slow(lab: &Lab) {
    let service = deployed(lab, "slow");
    let before = Held::of(&service);
    let proxy = Proxy::start(&lab.shardctl);
    let five = Fault::Delay(Duration::from_secs(5));
    for write in ["PATCH statefulsets", "DELETE pods", "PUT configmaps"] {
        proxy.fault(five, 1, after("POST priorityclasses", move |asked| asked.in_short() == write));
    }
    // The second of these is no longer waited for, and done all the same.
    proxy.fault(five, 1, after("PATCH statefulsets", |asked| asked.in_short() == "PUT configmaps"));
    let (report, told) = watched(&service, || {
        service.roll_with(&proxy.shardctl, &[&UPGRADE[..], &["--request-timeout", "6s"]].concat())
    });
    told.ended(0);
    assert!(report.most_down() <= 2, "{report:#?}");
    service.is_whole_on("explore");
    Held::of(&service).nothing_left_since(&before);
}

fn watches(lab: &Lab) {
    let service = deployed(lab, "cut");
    let before = Held::of(&service);
    for fault in [Fault::WatchCut { after: 2 }, Fault::WatchExpired { after: 1 }, Fault::Answer(410)] {
        let proxy = Proxy::start(&lab.shardctl);
        // Each of the watches, twice.
        proxy.fault(fault, 10, Asked::is_watch);
        let image = format!("registry.example/demo:2.0.{}", proxy.address.port());
        let (report, told) = watched(&service, || {
            service.roll_with(&proxy.shardctl, &["upgrade", "--image", &image, "--strategy", "canary"])
        });
        told.ended(0);
        assert_eq!(down(&report).len(), 2, "{report:#?}");
        let broken = proxy.record().iter().filter(|exchange| exchange.fault.is_some()).count();
        assert!(broken >= 4, "{}", proxy.story());
        service.is_whole_on("explore");
        Held::of(&service).nothing_left_since(&before);
    }
}

fn silent(lab: &Lab) {
    let service = on_one_node(lab, "silent");
    let before = Held::of(&service);
    let proxy = Proxy::start(&lab.shardctl);
    proxy.fault(Fault::WatchSilent { after: 0 }, FOREVER, Asked::is_watch);
    let node = service.shards().nodes.into_iter().next().expect("a node");
    let args = ["drain", &node, "--wave-size", "3", "--no-prewarm"];
    service.roll_with(&proxy.shardctl, &args).ended(0);
    assert!(!service.shards().nodes.contains(&node));
    Held::of(&service).nothing_left_since(&before);
}

fn expired(lab: &Lab) {
    let service = deployed(lab, "login");
    let before = Held::of(&service);
    let proxy = Proxy::start(&lab.shardctl);
    proxy.fault(Fault::Answer(401), FOREVER, after("DELETE pods", |asked| asked.in_short() != "DELETE pods"));
    let told = service.roll_with(&proxy.shardctl, &UPGRADE).ended(4);
    assert_eq!(told.state(), "stopped");
    told.run.complained("Unauthorized");
    // It could not say so in the journal: that one is still open, and so is the lock of a process that is gone.
    service.rollout(&["status"]).ended(5);
    service.free_the_lock();
    service.rollout(&["status"]).ended(4);
    service.rollout(&["resume", "--yes"]).ended(0);
    service.is_whole_on("explore");
    Held::of(&service).nothing_left_since(&before);
}
