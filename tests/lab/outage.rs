//! The outage watcher on a real service.

use std::collections::BTreeSet;

use crate::Test;
use crate::lab::{Lab, Service, eventually};
use crate::outage_watcher::{Report, Watcher};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("outage::one_deleted_pod_is_one_outage", one),
    ("outage::deletes_at_once_are_one_outage_and_in_turn_two", several),
    ("outage::a_set_that_is_not_there_is_an_error", missing),
];

/// What was seen while this was done, and until the service was whole again.
fn watch(service: &Service<'_>, act: impl FnOnce()) -> Report {
    watched(service, act).0
}

/// The same, with what became of what was done.
pub fn watched<T>(service: &Service<'_>, act: impl FnOnce() -> T) -> (Report, T) {
    let kubeconfig = service.lab.shardctl.kubeconfig.as_ref().expect("a kubeconfig");
    let watcher = Watcher::start(kubeconfig, &service.name, &service.name).expect("it watches");
    let done = act();
    (watcher.stop().expect("a report"), done)
}

/// Deletes pods by their ordinals, and waits until others are Ready in their place.
fn replace(service: &Service<'_>, ordinals: &[u32]) {
    let before = service.pod_uids();
    let pods: Vec<String> = ordinals.iter().map(|ordinal| format!("pod/NAME-{ordinal}")).collect();
    service.k(&format!("delete --wait=false {}", pods.join(" ")));
    let ready = "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}";
    eventually(|| {
        let uids = service.pod_uids();
        let kept = uids.iter().filter(|uid| before.contains(uid)).count();
        let ready = service.k(&format!("get pods -o {ready}"));
        match (uids.len(), kept, ready.as_str()) {
            (3, kept, "True True True") if kept == 3 - ordinals.len() => Ok(()),
            _ => Err(format!("{uids:?} {ready}")),
        }
    });
}

/// The pods that were deleted. kwok ends a pod by its name alone, and now and then takes the next one of that name with
/// it, so how often says nothing here.
fn deleted(report: &Report) -> BTreeSet<&str> {
    report.deletions.iter().map(|deletion| deletion.pod.as_str()).collect()
}

fn one(lab: &Lab) {
    let service = lab.service("outage");
    service.deploy("explore");
    let report = watch(&service, || replace(&service, &[1]));
    let [outage] = report.outages.as_slice() else { panic!("{report:#?}") };
    assert!(outage.is_over && outage.most_down == 1, "{report:#?}");
    assert!(outage.pods.iter().eq([&format!("{}-1", service.name)]), "{report:#?}");
    assert!(!report.total().is_zero() && report.total() == report.longest(), "{report:#?}");
    assert!(deleted(&report).into_iter().eq([format!("{}-1", service.name)]), "{report:#?}");
    // Nothing happens, nothing is seen.
    assert_eq!(watch(&service, || ()), Report::default());
}

fn several(lab: &Lab) {
    let service = lab.service("outages");
    service.deploy("explore");
    let report = watch(&service, || replace(&service, &[0, 1, 2]));
    assert_eq!((report.outages.len(), deleted(&report).len()), (1, 3), "{report:#?}");
    assert!(report.reactions().is_empty(), "{report:#?}");
    let report = watch(&service, || {
        replace(&service, &[0]);
        replace(&service, &[2]);
    });
    assert_eq!((report.outages.len(), report.most_down()), (2, 1), "{report:#?}");
    assert_eq!(report.reactions().len(), 1, "{report:#?}");
}

fn missing(lab: &Lab) {
    let kubeconfig = lab.shardctl.kubeconfig.as_ref().expect("a kubeconfig");
    let error = Watcher::start(kubeconfig, "default", "nobody").err().expect("there is none");
    assert!(error.to_string().contains("not found"), "{error:?}");
}
