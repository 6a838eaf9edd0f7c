//! `shardctl migrate`

use serde_json::json;

use super::{Held, deployed, down};
use crate::Test;
use crate::lab::{Lab, eventually};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("migrate::canary_is_two_outages_and_leaves_nothing_behind", canary),
    ("migrate::one_by_one_is_an_outage_for_each_shard", one_by_one),
    ("migrate::a_wave_has_the_size_that_was_asked_for", wave_size),
    ("migrate::without_prewarm_no_placeholder_is_made", no_prewarm),
    ("migrate::the_source_pool_is_deleted_when_told", source_pool),
    ("migrate::there_and_back_again", back),
];

fn canary(lab: &Lab) {
    let service = deployed(lab, "canary");
    let name = &service.name;
    let before = Held::of(&service);
    let (report, told) =
        service.roll_watched(&["migrate", "-f", service.path(), "--to", "stable", "--strategy", "canary"]);
    let told = told.ended(0);
    assert_eq!((told.waves(), told.state()), (vec![vec![0], vec![1, 2]], "done"));
    // Seen from outside, and told by the run itself.
    assert_eq!(down(&report), [[0].into(), [1, 2].into()], "{report:#?}");
    assert_eq!(report.most_down(), 2, "{report:#?}");
    assert_eq!(report.deletions.len(), 3, "{report:#?}");
    assert_eq!(told.last["ledger"]["outages"].as_array().map(Vec::len), Some(2), "{}", told.last["ledger"]);
    assert_eq!(told.all("outageStarted").len(), 2);
    assert_eq!(told.all("waveStarted").len(), 2);
    assert_eq!(told.all("roomMade").len(), 1);
    service.is_whole_on("stable");
    let set = service.get(&format!("statefulset/{name}"));
    assert_eq!(set["metadata"]["annotations"]["shardctl.dev/phase"], "stable");
    let pool =
        json!({"key": "karpenter.sh/nodepool", "operator": "In", "values": [format!("{name}-stable")]});
    let spec = &set["spec"]["template"]["spec"];
    let terms = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    assert_eq!(terms["nodeSelectorTerms"], json!([{"matchExpressions": [pool]}]));
    let taint = json!({"key": name, "operator": "Equal", "value": "reserved", "effect": "NoSchedule"});
    assert!(spec["tolerations"].as_array().is_some_and(|all| all.contains(&taint)), "{spec:#}");
    let after = Held::of(&service);
    after.nothing_left_since(&before);
    // Made by the run, as the file has it.
    assert_eq!(after.meanwhile[&format!("nodepool/{name}-stable")], json!([{"nodes": "0"}]));
    assert!(service.exists(&format!("nodepool/{name}-explore")), "it is deleted only when told");
    let reasons = service
        .k("get events --field-selector involvedObject.kind=StatefulSet -o jsonpath={.items[*].reason}");
    for reason in ["RunStarted", "RunDone"] {
        assert!(reasons.contains(reason), "{reasons}");
    }
    service.rollout(&["status"]).ended(0);
}

fn one_by_one(lab: &Lab) {
    let service = deployed(lab, "singly");
    let before = Held::of(&service);
    let (report, told) = service.roll_watched(&["migrate", "-f", service.path(), "--to", "stable"]);
    let told = told.ended(0);
    assert_eq!(told.waves(), [[0], [1], [2]]);
    assert_eq!(down(&report), [[0].into(), [1].into(), [2].into()], "{report:#?}");
    assert_eq!(report.most_down(), 1, "{report:#?}");
    service.is_whole_on("stable");
    Held::of(&service).nothing_left_since(&before);
}

fn wave_size(lab: &Lab) {
    let mut service = lab.service("waves");
    service.edit("replicas: 3", "replicas: 4");
    service.deploy("explore");
    let (report, told) = service.roll_watched(&[
        "migrate",
        "-f",
        service.path(),
        "--to",
        "stable",
        "--wave-size",
        "2",
        "--order",
        "descending",
    ]);
    assert_eq!(told.ended(0).waves(), [vec![3], vec![2, 1], vec![0]]);
    assert_eq!(down(&report), [[3].into(), [1, 2].into(), [0].into()], "{report:#?}");
    assert_eq!(report.most_down(), 2, "{report:#?}");
}

fn no_prewarm(lab: &Lab) {
    let service = deployed(lab, "cold");
    let before = Held::of(&service);
    let told = service
        .roll(&["migrate", "-f", service.path(), "--to", "stable", "--strategy", "canary", "--no-prewarm"])
        .ended(0);
    assert!(told.all("roomMade").is_empty() && told.all("roomAsked").is_empty());
    assert!(told.last["room"].is_null(), "{}", told.last["room"]);
    service.is_whole_on("stable");
    Held::of(&service).nothing_left_since(&before);
}

fn source_pool(lab: &Lab) {
    let service = deployed(lab, "source");
    let pool = format!("nodepool/{}-explore", service.name);
    // Events and a pool that goes: the last line of the answer is no event.
    let args = ["migrate", "-f", service.path(), "--to", "stable", "--strategy", "canary", "--settle", "0s"];
    let run = lab.shardctl.run(args.iter().chain(&["--yes", "--delete-source-pool"])).ended(0);
    run.said(&format!("{pool} is deleted; Karpenter takes its 1 node away"));
    eventually(|| match service.exists(&pool) {
        true => Err(format!("{pool} is still there")),
        false => Ok(()),
    });
    service.is_whole_on("stable");
}

fn back(lab: &Lab) {
    let service = deployed(lab, "back");
    let before = Held::of(&service);
    let args = ["migrate", "-f", service.path(), "--strategy", "canary", "--to"];
    service.roll(&[&args[..], &["stable"]].concat()).ended(0);
    service.is_whole_on("stable");
    service.roll(&[&args[..], &["explore"]].concat()).ended(0);
    service.is_whole_on("explore");
    Held::of(&service).nothing_left_since(&before);
    // By the name of the pool, without the file.
    let pool = format!("{}-stable", service.name);
    service.roll(&["migrate", &service.name, "--to-nodepool", &pool, "--strategy", "canary"]).ended(0);
    service.is_whole_on("stable");
}
