//! `shardctl upgrade`, and `rollout` about it

use serde_json::{Value, json};

use super::{Held, deployed, down, on_one_node};
use crate::Test;
use crate::fault_proxy::Proxy;
use crate::lab::{Lab, eventually};
use crate::support::Run;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("upgrade::an_image_rolls_from_the_last_shard_to_the_first", image),
    ("upgrade::resources_are_changed_in_place", resources),
    ("upgrade::a_file_is_rolled_out", file),
    ("upgrade::a_wish_that_makes_no_sense_is_refused", nonsense),
    ("rollout::status_tells_by_its_exit_code", status),
    ("rollout::history_names_runs_and_revisions", history),
    ("rollout::undo_goes_back_and_to_any_revision", undo),
    ("rollout::ten_runs_are_kept", kept),
    ("rollout::the_ledger_tells_the_pull_as_the_kubelet_does", pull),
];

fn image(lab: &Lab) {
    let service = deployed(lab, "image");
    let before = Held::of(&service);
    let (report, told) = service.roll_watched(&["upgrade", "--image", "registry.example/demo:2.0.0"]);
    let told = told.ended(0);
    assert_eq!((told.waves(), told.state()), (vec![vec![2], vec![1], vec![0]], "done"));
    assert_eq!(down(&report), [[2].into(), [1].into(), [0].into()], "{report:#?}");
    // The image was on the nodes before the first shard went; places were not needed.
    assert_eq!((told.all("roomMade").len(), &told.last["room"]["isForImages"]), (1, &json!(true)));
    service.is_whole_on("explore");
    assert!(service.shards().images.iter().eq(["registry.example/demo:2.0.0"]));
    Held::of(&service).nothing_left_since(&before);
    // Told for people: one digest runs.
    let run =
        service.shardctl(&["upgrade", "--image", "registry.example/demo:3.0.0", "--yes", "--settle", "0s"]);
    run.ended(0).complained("all 3 shards run sha256:").said("3 shards moved, 3 outages");
}

fn resources(lab: &Lab) {
    let service = on_one_node(lab, "amounts");
    let told =
        service.roll(&["upgrade", "--set-resources", "cpu=2,memory=5Gi", "--strategy", "canary"]).ended(0);
    assert_eq!(told.waves(), [vec![2], vec![1, 0]]);
    let set = service.get(&format!("statefulset/{}", service.name));
    let resources = &set["spec"]["template"]["spec"]["containers"][0]["resources"];
    let amounts = json!({"cpu": "2", "memory": "5Gi"});
    assert_eq!((&resources["requests"], &resources["limits"]), (&amounts, &amounts));
    service.is_whole_on("explore");
}

fn file(lab: &Lab) {
    let mut service = on_one_node(lab, "file");
    service.edit("demo:1.0.0", "demo:2.0.0");
    service.roll(&["upgrade", "-f", service.path(), "--wave-size", "5"]).ended(0);
    assert!(service.shards().images.iter().eq(["registry.example/demo:2.0.0"]));
    // The same file again changes nothing.
    let uids = service.pod_uids();
    let proxy = Proxy::start(&lab.shardctl);
    let run = proxy.shardctl.run(["upgrade", "-f", service.path(), "--yes"]).ended(0);
    run.said("has that template already; nothing was changed");
    assert!(proxy.writes().is_empty(), "{}", proxy.story());
    assert_eq!(service.pod_uids(), uids);
}

fn nonsense(lab: &Lab) {
    let service = on_one_node(lab, "nonsense");
    let proxy = Proxy::start(&lab.shardctl);
    let upgrade = |args: &[&str]| -> Run {
        proxy.shardctl.run([&["upgrade", "--yes", "-n", &service.name], args].concat())
    };
    upgrade(&[]).ended(2);
    upgrade(&["--set-resources", "cpu=0"]).ended(2).complained("not more than nothing");
    upgrade(&["--set-resources", "disk=1"]).ended(2).complained("neither cpu nor memory");
    let run = upgrade(&["--image", "shrad=registry.example/demo:2.0.0"]);
    assert!([2, 3].contains(&run.code), "{run:?}");
    run.complained("shard");
    assert!(proxy.writes().is_empty(), "{}", proxy.story());
}

fn status(lab: &Lab) {
    let service = on_one_node(lab, "standing");
    service.rollout(&["status"]).ended(0);
    // A template that no shard has yet.
    service.patch(
        "statefulset/NAME",
        r#"[{"op":"add","path":"/spec/template/metadata/labels/new","value":"a"}]"#,
    );
    // Until the controller has seen it, nobody knows the revision; it is not taken for rolled out meanwhile.
    eventually(|| {
        let run = service.rollout(&["status", "-o", "json"]).ended(5);
        let status: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let shards = status["shards"].as_array().expect("shards");
        let is_old = shards.len() == 3 && shards.iter().all(|shard| shard["isUpdated"] == false);
        if is_old { Ok(()) } else { Err(format!("{status:#}")) }
    });
    service.undo();
    eventually(|| match service.rollout(&["status"]).code {
        0 => Ok(()),
        code => Err(format!("it ends with {code}")),
    });
    service.k("annotate pod/NAME-1 lab.shardctl.dev/health=503");
    eventually(|| match service.rollout(&["status"]).code {
        5 => Ok(()),
        code => Err(format!("it ends with {code}")),
    });
    service.rollout(&["status", "--no-health"]).ended(0);
}

fn history(lab: &Lab) {
    let service = on_one_node(lab, "history");
    let upgrade = |image: &str| service.roll(&["upgrade", "--image", image, "--strategy", "canary"]).ended(0);
    let told = upgrade("registry.example/demo:2.0.0");
    upgrade("registry.example/demo:3.0.0");
    let run = service.rollout(&["history", "-o", "json"]).ended(0);
    let history: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(history["runs"].as_array().map(Vec::len), Some(2), "{history:#}");
    assert_eq!(history["revisions"].as_array().map(Vec::len), Some(3), "{history:#}");
    let id = told.last["id"].as_str().expect("an id");
    service.rollout(&["history"]).ended(0).said(id);
    service.rollout(&["history", "--run", id]).ended(0).said("3 shards moved, 2 outages");
    service.rollout(&["history", "--revision", "2"]).ended(0).said("demo:1.0.0").said("demo:2.0.0");
    service.rollout(&["history", "--revision", "9"]).ended(1).complained("there is no revision 9");
    service.rollout(&["history", "--run", "upgrade-1"]).ended(1).complained("has no run upgrade-1");
}

fn undo(lab: &Lab) {
    let service = on_one_node(lab, "undo");
    let first = service.shards();
    let upgrade = |image: &str| service.roll(&["upgrade", "--image", image, "--strategy", "canary"]).ended(0);
    let undo = |args: &[&str]| service.roll(&[&["rollout", "undo", "--strategy", "canary"], args].concat());
    upgrade("registry.example/demo:2.0.0");
    upgrade("registry.example/demo:3.0.0");
    let before = Held::of(&service);
    // A shard that is broken goes back first.
    service.k("annotate pod/NAME-0 lab.shardctl.dev/fail=never-ready");
    eventually(|| if service.shards().up == 2 { Ok(()) } else { Err("it is still up".to_owned()) });
    let told = undo(&[]).ended(0);
    assert_eq!(told.waves(), [vec![0], vec![2, 1]]);
    assert!(service.shards().images.iter().eq(["registry.example/demo:2.0.0"]));
    Held::of(&service).nothing_left_since(&before);
    undo(&["--to-revision", "99"]).ended(3).run.complained("has no revision 99; nothing was changed");
    let numbers = || -> Vec<i64> {
        let history = service.rollout(&["history", "-o", "json"]).ended(0);
        let history: Value = serde_json::from_str(&history.stdout).expect("JSON");
        let revisions = history["revisions"].as_array().expect("revisions");
        revisions.iter().filter_map(|revision| revision["number"].as_i64()).collect()
    };
    let oldest = numbers().into_iter().min().expect("a revision").to_string();
    undo(&["--to-revision", &oldest]).ended(0);
    let last = service.shards();
    assert_eq!((last.images, last.revisions), (first.images, first.revisions));
    // It is the newest now, and there is nothing to go back to.
    let newest = numbers().into_iter().max().expect("a revision").to_string();
    let uids = service.pod_uids();
    service
        .shardctl(&["rollout", "undo", "--to-revision", &newest, "--yes"])
        .ended(0)
        .said("is on that revision already; nothing was changed");
    assert_eq!(service.pod_uids(), uids);
}

fn kept(lab: &Lab) {
    let mut service = lab.service("kept");
    service.make_small();
    service.edit("replicas: 3", "replicas: 1");
    service.overlay("annotations: {lab.shardctl.dev/pod-start: 50ms, lab.shardctl.dev/pod-stop: 20ms}");
    service.deploy("explore");
    for number in 0..12 {
        let image = format!("registry.example/demo:2.0.{number}");
        service.roll(&["upgrade", "--image", &image, "--no-prewarm", "--gate", "none"]).ended(0);
    }
    let journals = service.k("get configmaps -l shardctl.dev/run -o name");
    assert_eq!(journals.lines().count(), 10, "{journals}");
}

fn pull(lab: &Lab) {
    let mut service = lab.service("pull");
    service.make_small();
    service.edit("replicas: 3", "replicas: 1");
    service.overlay("annotations: {lab.shardctl.dev/pod-start: 2s, lab.shardctl.dev/pod-stop: 20ms}");
    service.deploy("explore");
    let old = service.pod_uids();
    let upgrade = ["upgrade", "--image", "registry.example/demo:2.0.0", "--no-prewarm", "--gate", "none"];
    let told = std::thread::scope(|scope| {
        let run = scope.spawn(|| service.roll(&upgrade));
        // The lab has no kubelet: its words are said here.
        let pod = eventually(|| {
            let pod = service.get("pods")["items"][0]["metadata"].clone();
            let is_new = pod["uid"].as_str().is_some_and(|uid| !old.iter().any(|old| old.contains(uid)));
            if is_new { Ok(pod) } else { Err("there is no new pod yet".to_owned()) }
        });
        let event = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "pulled", "namespace": service.name},
            "type": "Normal",
            "reason": "Pulled",
            "message": "Successfully pulled image \"demo:2\" in 700ms (1.25s including waiting). Image size: 9 bytes.",
            "involvedObject": {
                "kind": "Pod", "namespace": service.name, "name": pod["name"], "uid": pod["uid"],
                "fieldPath": "spec.containers{shard}",
            },
        });
        lab.apply(&event.to_string());
        run.join().expect("the run ends")
    });
    let run = told.ended(0).last;
    let restart = &run["ledger"]["restarts"][0];
    assert_eq!(restart["marks"]["pull"], json!({"secs": 1, "nanos": 250_000_000}), "{restart}");
    let id = run["id"].as_str().expect("an id");
    service.rollout(&["history", "--run", id]).ended(0).said("PULL");
}
