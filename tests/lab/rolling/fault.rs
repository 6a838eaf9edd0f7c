//! What goes wrong between shardctl and the API server: the run completes all the same, or stops and can be resumed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Held, deployed, on_one_node};
use crate::Test;
use crate::fault_proxy::{Asked, Fault, Proxy};
use crate::lab::Lab;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("fault::an_old_list_of_shards_is_not_believed", old_list_of_shards),
    ("fault::an_old_list_of_other_pods_is_not_believed", old_list_of_others),
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
    // When it was armed, and before and after each wave. No other look was needed, so nothing was missed.
    let looks = looks_since(&proxy, "PATCH statefulsets", "component%3Dshard");
    assert_eq!(looks, 5, "{}", proxy.story());
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
