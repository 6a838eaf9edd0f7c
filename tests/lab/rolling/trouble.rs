//! What waiting will not mend is told at once, in one line; then `rollout resume` goes on after a fix, and `rollout undo`
//! goes back.

use super::{Held, Told, on_one_node};
use crate::Test;
use crate::fault_proxy::Proxy;
use crate::lab::{Lab, Service, eventually};
use crate::status::Watching;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("trouble::an_image_that_cannot_be_pulled_stops_the_run", image),
    ("trouble::a_crash_loop_stops_the_run", crash),
    ("trouble::a_gate_that_never_passes_stops_the_run", gate),
    ("trouble::a_volume_that_cannot_be_attached_stops_the_run", volume),
    ("trouble::a_pool_too_small_is_refused_before_the_first_shard", small_pool),
    ("trouble::no_room_is_told_before_the_first_shard", no_room),
    ("trouble::on_failure_undo_goes_back_by_itself", on_failure),
    ("trouble::an_undo_begins_with_the_shard_that_is_not_well", unwell_first),
];

/// A service with a new template in its file whose pods have this annotation; up with the old one.
fn poisoned<'a>(lab: &'a Lab, purpose: &str, annotation: &str) -> Service<'a> {
    let mut service = on_one_node(lab, purpose);
    service.edit("demo:1.0.0", "demo:2.0.0");
    service.overlay(&format!("annotations: {{lab.shardctl.dev/{annotation}}}"));
    service
}

/// Upgrades into trouble: the run stops at the first shard, and says this.
#[track_caller]
fn stopped(service: &Service<'_>, more: &[&str], reason: &str) -> Told {
    let told = service.roll(&[&["upgrade", "-f", service.path()], more].concat()).ended(4);
    assert_eq!(told.state(), "stopped");
    assert_eq!(told.all("waveStarted").len(), 1, "{}", told.run.stdout);
    let error = told.run.stderr.lines().find(|line| line.starts_with("error: ")).expect("an error");
    assert!(error.contains(&format!("{}-2", service.name)) && error.contains(reason), "{error}");
    assert!(
        told.run.stderr.contains("rollout resume") && told.run.stderr.contains("rollout undo"),
        "{}",
        told.run.stderr
    );
    service.rollout(&["status"]).ended(4);
    told
}

/// Goes back from trouble.
#[track_caller]
fn back(service: &Service<'_>, before: &Held) {
    let told = service.roll(&["rollout", "undo"]).ended(0);
    assert_eq!(told.waves(), [[2]]);
    service.is_whole_on("explore");
    let after = Held::of(service);
    after.nothing_left_since(before);
    assert!(service.shards().images.iter().eq(["registry.example/demo:1.0.0"]));
}

/// Goes on after the shard that is in trouble and the template were mended. The others take the template as it is, so
/// it is mended before each.
#[track_caller]
fn mended(service: &Service<'_>, annotation: &str) {
    let args = ["rollout", "resume", "--yes", "-o", "json"];
    for ordinal in [2, 1, 0] {
        service.k(&format!("annotate pod/NAME-{ordinal} lab.shardctl.dev/{annotation}-"));
        eventually(|| if service.shards().is_whole() { Ok(()) } else { Err("it is not mended".to_owned()) });
        let told = Told::of(service.shardctl(&args));
        assert_eq!(told.run.code, if ordinal == 0 { 0 } else { 4 }, "{told:?}");
    }
    service.is_whole_on("explore");
    assert!(service.shards().images.iter().eq(["registry.example/demo:2.0.0"]));
}

fn image(lab: &Lab) {
    let service = poisoned(lab, "no-image", "fail: ImagePullBackOff");
    let before = Held::of(&service);
    stopped(&service, &[], "ImagePullBackOff");
    back(&service, &before);
    stopped(&service, &[], "ImagePullBackOff");
    mended(&service, "fail");
    Held::of(&service).nothing_left_since(&before);
}

fn crash(lab: &Lab) {
    let service = poisoned(lab, "crash", "fail: CrashLoopBackOff");
    let before = Held::of(&service);
    stopped(&service, &["--strategy", "canary"], "CrashLoopBackOff");
    back(&service, &before);
}

fn gate(lab: &Lab) {
    let service = poisoned(lab, "gate", "health: '503'");
    let before = Held::of(&service);
    // A gate is given time: a shard that answers 503 may be loading its data.
    stopped(&service, &["--timeout", "3s"], "/health/startup answers 503");
    back(&service, &before);
    stopped(&service, &["--timeout", "3s"], "/health/startup answers 503");
    mended(&service, "health");
    Held::of(&service).nothing_left_since(&before);
}

fn volume(lab: &Lab) {
    let service = poisoned(lab, "attach", "pod-start: 10m");
    let before = Held::of(&service);
    let args = service.rolling(&["upgrade", "-f", service.path()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let run = Watching::start_with(&lab.shardctl, &service.name, &args);
    run.prints(r#""mark":"scheduled""#, 1);
    let pod = service.get(&format!("pod/{}-2", service.name));
    let complain = |name: &str, seconds: i64, message: &str| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        service.apply(&format!(
            "{{apiVersion: v1, kind: Event, metadata: {{name: {name}, namespace: NAME}}, type: Warning,
               reason: FailedAttachVolume, message: '{message}', lastTimestamp: '{at:.0}', count: 3,
               source: {{component: attachdetach-controller}},
               involvedObject: {{kind: Pod, namespace: NAME, name: NAME-2, uid: {}}}}}",
            pod["metadata"]["uid"]
        ));
    };
    // The first complaints are often mended by the next try.
    complain("first", 0, "AttachVolume.Attach failed: try again");
    complain("last", 90, "AttachVolume.Attach failed: disk not found");
    let (printed, code) = run.end();
    assert_eq!(code, 4, "{printed}");
    let told = printed.lines().last().expect("the run");
    assert!(told.contains("FailedAttachVolume: AttachVolume.Attach failed: disk not found"), "{told}");
    service.roll(&["rollout", "undo"]).ended(0);
    service.is_whole_on("explore");
    Held::of(&service).nothing_left_since(&before);
}

fn small_pool(lab: &Lab) {
    let mut service = on_one_node(lab, "small");
    // A machine of 16 CPUs has room for three shards, and the pool may have none.
    service.edit("cpu: \"80\"", "cpu: \"4\"");
    let before = (Held::of(&service), service.pod_uids());
    let proxy = Proxy::start(&lab.shardctl);
    let run = proxy.shardctl.run(["migrate", "-f", service.path(), "--to", "stable", "--yes"]).ended(3);
    let run = run.complained("step 1 of 3").complained("limit").complained("nothing was changed");
    assert_eq!(run.stdout, "");
    assert!(proxy.writes().is_empty(), "{}", proxy.story());
    assert_eq!((Held::of(&service), service.pod_uids()), before);
}

fn no_room(lab: &Lab) {
    let mut service = on_one_node(lab, "no-room");
    // What only Karpenter can know: it is not offered such a machine.
    service.edit("- Standard_E16s_v5", "- Standard_E16s_v9");
    let before = (Held::of(&service), service.pod_uids());
    let told = service.roll(&["migrate", "-f", service.path(), "--to", "stable"]).ended(3);
    assert!(told.all("waveStarted").is_empty(), "{}", told.run.stdout);
    let after = Held::of(&service);
    after.nothing_left_since(&before.0);
    assert_eq!(after.purpose, before.0.purpose);
    assert_eq!(service.pod_uids(), before.1);
}

fn on_failure(lab: &Lab) {
    let service = poisoned(lab, "self-undo", "fail: ImagePullBackOff");
    let before = Held::of(&service);
    let args = ["upgrade", "-f", service.path(), "--yes", "--settle", "0s", "--on-failure", "undo"];
    let run = lab.shardctl.run(args);
    assert_ne!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("ImagePullBackOff"), "{run:?}");
    service.is_whole_on("explore");
    assert!(service.shards().images.iter().eq(["registry.example/demo:1.0.0"]));
    Held::of(&service).nothing_left_since(&before);
}

fn unwell_first(lab: &Lab) {
    let service = on_one_node(lab, "unwell");
    service.roll(&["upgrade", "--image", "registry.example/demo:2.0.0", "--strategy", "canary"]).ended(0);
    // Ready, and it says itself that it does not serve.
    service.k("annotate pod/NAME-1 lab.shardctl.dev/health=503");
    eventually(|| match service.rollout(&["status"]).code {
        5 => Ok(()),
        code => Err(format!("it ends with {code}")),
    });
    let told = service.roll(&["rollout", "undo"]).ended(0);
    assert_eq!(told.waves(), [[1], [2], [0]]);
    service.is_whole_on("explore");
}
