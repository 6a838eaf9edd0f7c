//! How verify is asked, and how it answers.

use serde_json::Value;

use crate::Test;
use crate::lab::{Lab, Service};
use crate::status::Watching;

pub const TESTS: &[Test] = &[
    ("verify::command::the_exit_code_tells_how_bad_it_is", exit_codes),
    ("verify::command::each_format_says_the_same", formats),
    ("verify::command::it_waits_until_all_is_well_and_gives_up_in_the_end", waiting),
    ("verify::command::each_change_is_told_once_until_interrupted", watched),
    ("verify::command::what_differs_from_the_file_is_found", drift),
];

fn code(service: &Service<'_>, args: &[&str]) -> i32 {
    service.shardctl(&[&["verify"], args].concat()).code
}

/// A finding of severity warning: clients of one address stick to a shard is an info, a missing service a warning.
const INFO: &str = r#"{"spec":{"sessionAffinity":"ClientIP"}}"#;
const WARNING: &str = r#"{"spec":{"unhealthyPodEvictionPolicy":"IfHealthyBudget"}}"#;

fn exit_codes(lab: &Lab) {
    let service = lab.service("codes");
    service.deploy("stable");
    service.expect("a healthy service", &[]);
    for severity in ["error", "warning", "info"] {
        assert_eq!(code(&service, &["--fail-on", severity]), 0, "{severity}");
    }
    service
        .shardctl(&["verify"])
        .ended(0)
        .said(&format!("statefulset/{} is as it should be (", service.name));
    service.patch("service/NAME", INFO);
    service.expect("an info", &["session-affinity"]);
    for (severity, expected) in [("error", 0), ("warning", 0), ("info", 5)] {
        assert_eq!(code(&service, &["--fail-on", severity]), expected, "{severity}");
    }
    service.patch("pdb/NAME", WARNING);
    service.expect("a warning too", &["session-affinity", "pdb-unhealthy-eviction"]);
    for (severity, expected) in [("error", 0), ("warning", 5), ("info", 5)] {
        assert_eq!(code(&service, &["--fail-on", severity]), expected, "{severity}");
    }
    for (args, expected) in [
        (["--only", "disruption"], 5),
        (["--only", "services"], 0),
        (["--skip", "pdb-unhealthy-eviction"], 0),
        (["--skip", "services,disruption"], 0),
    ] {
        assert_eq!(code(&service, &[&["--fail-on", "warning"], &args[..]].concat()), expected, "{args:?}");
    }
    service.k("delete pdb/NAME");
    service.expect("an error", &["session-affinity", "pdb-exists"]);
    assert_eq!(code(&service, &[]), 5);
    let table = service.shardctl(&["verify"]).ended(5).said("error      pdb-exists (expected: ");
    table.said("2 findings (1 error, 1 info)").said("-> Make a PodDisruptionBudget");
}

fn formats(lab: &Lab) {
    let service = lab.service("formats");
    service.deploy("stable");
    for ordinal in 0..3 {
        service.k(&format!("annotate pod/NAME-{ordinal} karpenter.sh/do-not-disrupt-"));
    }
    service.patch("pdb/NAME", WARNING);
    let json = service.expect("two warnings", &["shard-do-not-disrupt", "pdb-unhealthy-eviction"]);
    let name = &service.name;
    assert_eq!((&json["kind"], &json["phase"]), (&"VerifyReport".into(), &"stable".into()), "{json:#}");
    assert_eq!(
        (&json["counts"]["findings"], &json["counts"]["warnings"]),
        (&4.into(), &4.into()),
        "{json:#}"
    );

    let yaml = service.shardctl(&["verify", "-o", "yaml"]).ended(0);
    let yaml: Value = serde_saphyr::from_str(&yaml.stdout).expect("YAML");
    assert_eq!((&yaml["findings"], &yaml["passed"]), (&json["findings"], &json["passed"]));

    // The three pods with the same evidence are one line.
    let table = service.shardctl(&["verify"]).ended(0).said(&format!(" pod/{name}-{{0..2}} "));
    assert_eq!(table.stdout.matches("karpenter.sh/do-not-disrupt is not set").count(), 1, "{table:?}");
    let wide = service.shardctl(&["verify", "-o", "wide"]).ended(0);
    assert_eq!(wide.stdout.matches("karpenter.sh/do-not-disrupt is not set").count(), 3, "{wide:?}");
    assert_eq!(
        wide.stdout.lines().filter(|line| line.starts_with("passed ")).count(),
        json["passed"].as_array().map_or(0, Vec::len)
    );

    for (fail_on, ends, failures) in [("error", 0, 0), ("warning", 5, 2)] {
        let junit = service.shardctl(&["verify", "-o", "junit", "--fail-on", fail_on]).ended(ends).stdout;
        let junit = quick_junit::Report::deserialize_from_str(&junit).expect("JUnit XML");
        let suite = junit.test_suites.first().expect("a suite");
        assert_eq!(
            (suite.tests, suite.failures),
            (json["counts"]["checks"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0), failures)
        );
    }

    let prometheus = service.shardctl(&["verify", "-o", "prometheus"]).ended(0);
    let labels = format!("namespace=\"{name}\",workload=\"{name}\"");
    let prometheus = prometheus
        .said(&format!(
            "shardctl_check_findings{{{labels},check=\"shard-do-not-disrupt\",severity=\"warning\"}} 3\n"
        ))
        .said(&format!("shardctl_check_findings{{{labels},check=\"shard-ready\",severity=\"error\"}} 0\n"))
        .said(&format!("shardctl_shards_ready{{{labels}}} 3\n"))
        .said(&format!("shardctl_up{{{labels}}} 1\n"));
    for line in prometheus.stdout.lines().filter(|line| !line.starts_with("# ")) {
        let (_, value) = line.rsplit_once("} ").unwrap_or_else(|| panic!("{line}"));
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

fn waiting(lab: &Lab) {
    let service = lab.service("waits");
    service.deploy("stable");
    service.k("annotate pod/NAME-1 lab.shardctl.dev/fail=never-ready");
    service.expect("not ready", &["shard-ready"]);
    assert_eq!(code(&service, &["--wait", "2s"]), 5, "it gives up");
    let mut wait = lab.shardctl.command();
    wait.args(["verify", "--wait", "1m", "-n", &service.name]).stdout(std::process::Stdio::null());
    let mut wait = wait.spawn().expect("shardctl starts");
    service.k("annotate pod/NAME-1 lab.shardctl.dev/fail-");
    assert_eq!(wait.wait().expect("it ends").code(), Some(0), "it is whole");
}

fn watched(lab: &Lab) {
    let service = lab.service("verify-watch");
    service.deploy("stable");
    service.expect("a healthy service", &[]);
    let watching = Watching::start(&service, &["verify", "--watch"]);
    watching.prints("is as it should be", 1);
    service.k("annotate pod/NAME-1 lab.shardctl.dev/fail=never-ready");
    watching.prints("shard-ready (expected", 1);
    service.k("annotate pod/NAME-1 lab.shardctl.dev/fail-");
    watching.prints("is as it should be", 2);
    service.k("annotate pod/NAME-1 lab.shardctl.dev/health=503");
    watching.prints("shard-health (expected", 1);
    assert_eq!(watching.interrupt(), 5, "the last verdict counts");
}

fn drift(lab: &Lab) {
    let mut service = lab.service("drift");
    service.deploy("stable");
    // The phase is the one that was deployed, as long as no other is asked for.
    let file = service.path().to_owned();
    service.expect_with(&["-f", &file], "as the file says", &[]);
    service.edit("demo:1.0.0", "demo:1.0.1");
    let report = service.expect_with(&["-f", &file], "another image", &["drift"]);
    let evidence: Vec<&str> = report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["evidence"].as_str())
        .collect();
    assert_eq!(
        evidence,
        [
            "spec.template.metadata.labels.app.kubernetes.io/version is 1.0.0, the file makes it 1.0.1",
            "spec.template.spec.containers[shard].image is registry.example/demo:1.0.0, the file makes it \
             registry.example/demo:1.0.1",
        ]
    );
    service.edit("demo:1.0.1", "demo:1.0.0");
    service.k("delete service/NAME-headless");
    let report =
        service.expect_with(&["-f", &file], "an object that is gone", &["drift", "headless-service"]);
    let gone = report["findings"].as_array().into_iter().flatten().find(|one| one["check"] == "drift");
    assert_eq!(
        gone.map(|one| &one["evidence"]),
        Some(&"it is not there, and the file makes it".into()),
        "{report:#}"
    );
    service.deploy("stable");
    service.patch("statefulset/NAME", r#"{"spec":{"replicas":4}}"#);
    // The fourth shard does not fit the machine of the first three, and the budget is of three.
    let all = ["drift", "replica-count", "pdb-allowance"];
    service.expect_with(&["-f", &file], "a shard too many", &all);
    service.patch("statefulset/NAME", r#"{"spec":{"replicas":3}}"#);
    let explore = ["-f", &file, "--phase", "explore"];
    service.expect_with(&explore, "the other phase", &["drift", "node-pool-exists"]);
}
