//! `shardctl plan` without a cluster: from a ShardSet file, a region, and what DaemonSets take.

use serde_json::Value;

use crate::support::{Folder, Run};
use crate::{says_what_next, shardctl};

/// The tutorial's spread, and the overlay it stands in.
const SPREAD: &str = "  overlay:
    pod:
      topologySpreadConstraints:
        - maxSkew: 2
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: {matchLabels: {app.kubernetes.io/component: shard}}
";

/// What the operator says in place of a cluster.
const OFFLINE: [&str; 4] = ["--region", "eastus", "--daemonset-overhead", "cpu=500m,memory=0.8Gi"];

/// Plans for the file that `shardctl init` writes, with something added to it.
fn plan(home: &Folder, added: &str, args: &[&str]) -> Run {
    let shardctl = shardctl(home);
    let yaml = shardctl.run(["init"]).ended(0).stdout;
    let path = home.write("shardset.yaml", yaml + added);
    let path = path.to_str().expect("a path");
    shardctl.run(["plan", "-f", path].iter().chain(args))
}

fn offline(home: &Folder, added: &str, args: &[&str]) -> Run {
    plan(home, added, &[&OFFLINE[..], args].concat())
}

fn json(run: Run) -> Value {
    serde_json::from_str(&run.ended(0).stdout).expect("JSON")
}

fn size<'a>(report: &'a Value, name: &str) -> &'a Value {
    let sizes = report["sizes"].as_array().expect("a list");
    let found = sizes.iter().find(|size| size["instanceType"] == name);
    found.unwrap_or_else(|| panic!("{name} is not shown: {report:#}"))
}

/// Compares with a committed file, or writes it.
#[track_caller]
fn is_as_committed(name: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/expected").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, found).expect("the file is written");
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap_or_default(), "{name}");
}

#[test]
fn the_tutorials_table() {
    let home = Folder::new("plan");
    let run = offline(&home, "", &["--families", "Es_v5"]).ended(0);
    assert_eq!(run.stderr, "");
    is_as_committed("plan.txt", &run.stdout);
    let run = offline(&home, SPREAD, &["--families", "Es_v5", "--top", "5"]).ended(0);
    is_as_committed("plan-spread.txt", &run.stdout);
    let run = offline(&home, "", &["--families", "Es_v5", "-o", "wide", "--top", "5"]).ended(0);
    is_as_committed("plan-wide.txt", &run.stdout);
}

#[test]
fn the_tutorials_figures() {
    let home = Folder::new("plan");
    let report = json(offline(&home, "", &["-o", "json", "--top", "1000"]));
    for (name, per_node, nodes) in [
        ("Standard_E8s_v5", 1, 10),
        ("Standard_E16s_v5", 3, 4),
        ("Standard_E20s_v5", 4, 3),
        ("Standard_E32s_v5", 6, 2),
        ("Standard_E48s_v5", 10, 1),
    ] {
        let size = size(&report, name);
        assert_eq!(size["planned"]["shardsPerNode"], per_node, "{name}");
        assert_eq!(size["nodes"], nodes, "{name}");
    }
    assert_eq!(size(&report, "Standard_E16s_v5")["poolLimits"]["memory"], "640Gi");
    let more = &size(&report, "Standard_E16s_v5")["oneMorePerNode"];
    assert_eq!((&more["shardsPerNode"], &more["savesPerMonthUsd"]), (&4.into(), &735.84.into()));
    let spread = json(offline(&home, SPREAD, &["-o", "json", "--top", "1000"]));
    let size = size(&spread, "Standard_E16s_v5");
    assert_eq!((&size["nodes"], &size["nodesWithoutRules"]), (&5.into(), &4.into()));
    assert_eq!(size["costlyRule"], "spec.overlay.pod.topologySpreadConstraints[0].maxSkew");
    let yaml = offline(&home, SPREAD, &["-o", "yaml", "--top", "1000"]).ended(0).stdout;
    let yaml: Value = serde_saphyr::from_str(&yaml).expect("YAML");
    assert_eq!(yaml, spread);
}

#[test]
fn the_pool_is_pinned_in_the_file_and_nothing_else_changes() {
    let home = Folder::new("plan");
    let pin = offline(&home, "", &["--pin=Standard_E20s_v5"]).ended(0);
    is_as_committed("plan-pin.txt", &pin.stdout);
    let before = std::fs::read_to_string(home.path().join("shardset.yaml")).expect("the file");
    offline(&home, "", &["--pin=Standard_E20s_v5", "--write"]).ended(0).said("pinned to Standard_E20s_v5");
    let after = std::fs::read_to_string(home.path().join("shardset.yaml")).expect("the file");
    let comments = |text: &str| text.lines().filter(|line| line.contains('#')).count();
    assert_eq!(comments(&before), comments(&after));
    assert!(
        after.contains("instanceTypes: [Standard_E20s_v5]") && after.contains("memory: 640Gi"),
        "{after}"
    );
    let path = home.path().join("shardset.yaml");
    let path = path.to_str().expect("a path");
    let deploy = shardctl(&home).run(["deploy", "--phase", "stable", "-o", "yaml", "-f", path]).ended(0);
    deploy.said("- Standard_E20s_v5");
}

#[test]
fn several_services_share_a_pool() {
    let home = Folder::new("plan");
    let init = |name: &str, replicas: &str, cpu: &str, memory: &str| {
        let yaml = shardctl(&home).run(["init", "--name", name]).ended(0).stdout;
        let yaml = yaml.replace("replicas: 10", replicas).replace("memory: 32Gi", memory);
        let yaml = yaml.replace("cpu: \"4\"\n", &format!("cpu: {cpu}\n"));
        home.write(&format!("{name}.yaml"), yaml).to_str().expect("a path").to_owned()
    };
    let orders = init("orders", "replicas: 10", "4", "memory: 32Gi");
    let carts = init("carts", "replicas: 17", "1", "memory: 4Gi");
    let plan = |args: &[&str]| {
        let base = ["plan", "-f", &orders, "--with", &carts];
        shardctl(&home).run(base.iter().chain(&OFFLINE).chain(args))
    };
    let run = plan(&["--families", "Es_v5", "--top", "5"]).ended(0);
    is_as_committed("plan-shared.txt", &run.stdout);
    let report = json(plan(&["-o", "json", "--top", "1000"]));
    // Four hold ten of 4 CPU and 32Gi, and beside them seventeen of 1 CPU and 4Gi.
    assert_eq!(size(&report, "Standard_E16s_v5")["nodes"], 4);
    assert_eq!(size(&report, "Standard_E16s_v5")["pricePerMonthUsd"], 2943.36);
    let alone = report["services"][0]["alone"].clone();
    let by_itself = json(shardctl(&home).run(["plan", "-f", &orders, "-o", "json"].iter().chain(&OFFLINE)));
    assert_eq!(alone["instanceType"], by_itself["recommended"]);
    let yaml = plan(&["-o", "yaml", "--top", "1000"]).ended(0).stdout;
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).expect("YAML"), report);
    let twice = shardctl(&home).run(["plan", "-f", &orders, "--with", &orders].iter().chain(&OFFLINE));
    says_what_next(&twice.ended(2).complained("orders is named twice"));
    says_what_next(&plan(&["--pin"]).ended(2).complained("cannot be used with"));
    says_what_next(&plan(&["--with", "absent.yaml"]).ended(2).complained("read absent.yaml"));
    let arm = home.path().join("carts.yaml");
    let yaml = std::fs::read_to_string(&arm).expect("the file").replace("[amd64]", "[arm64]");
    let yaml = yaml.replace("name: carts\n", "name: arms\n").replace("- amd64\n", "- arm64\n");
    let arm = home.write("arms.yaml", yaml);
    let run = plan(&["--with", arm.to_str().expect("a path")]);
    says_what_next(
        &run.ended(2).complained("arms runs on arm64 and orders on amd64: they cannot share a pool"),
    );
    let large = init("large", "replicas: 1", "4", "memory: 100Ti");
    says_what_next(&plan(&["--with", &large]).ended(1).complained("no size fits a shard of 4 CPU and 100Ti"));
}

#[test]
fn zones_go_into_the_pinned_pool() {
    let home = Folder::new("plan");
    let zones = ["--pin=Standard_E20s_v5", "--zones", "1,eastus-3"];
    let pool = offline(&home, "", &zones).ended(0);
    let printed: Value = serde_saphyr::from_str(&pool.stdout).expect("YAML");
    let is_zone = |one: &&Value| one["key"] == "topology.kubernetes.io/zone";
    let requirements = printed["stable"]["requirements"].as_array().expect("a list");
    let zone = requirements.iter().find(is_zone).expect("a requirement");
    assert_eq!(zone["values"], serde_json::json!(["eastus-1", "eastus-3"]));
    offline(&home, "", &[&zones[..], &["--write"]].concat()).ended(0);
    let path = home.path().join("shardset.yaml");
    let after = std::fs::read_to_string(&path).expect("the file");
    assert!(
        after.contains("- {key: topology.kubernetes.io/zone, operator: In, values: [eastus-1, eastus-3]}\n"),
        "{after}"
    );
    let path = path.to_str().expect("a path");
    let deploy = shardctl(&home).run(["deploy", "--phase", "stable", "-o", "yaml", "-f", path]).ended(0);
    deploy.said("- eastus-3");
}

#[cfg(unix)]
#[test]
fn a_linked_file_is_written_through_its_link() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let home = Folder::new("plan");
    let yaml = shardctl(&home).run(["init"]).ended(0).stdout;
    let real = home.write("real.yaml", yaml);
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).expect("permissions");
    let link = home.path().join("link.yaml");
    symlink("real.yaml", &link).expect("a link");
    // Who has the file open goes on reading what it was: it is replaced as a whole, not written over.
    let mut open = std::fs::File::open(&real).expect("the file");
    let pin = ["--pin=Standard_E20s_v5", "--write"];
    let args = ["plan", "-f", link.to_str().expect("a path")].into_iter().chain(OFFLINE).chain(pin);
    shardctl(&home).run(args).ended(0);
    assert!(std::fs::symlink_metadata(&link).expect("the link").is_symlink());
    assert!(std::fs::read_to_string(&real).expect("the file").contains("[Standard_E20s_v5]"));
    assert!(std::io::read_to_string(&mut open).expect("the file").contains("- Standard_E16s_v5\n"));
    assert_eq!(std::fs::metadata(&real).expect("the file").permissions().mode() & 0o777, 0o640);
    let left = std::fs::read_dir(home.path()).expect("a folder").count();
    assert_eq!(left, 2, "the file and the link");
}

#[test]
fn what_is_wrong_is_named_with_what_to_write() {
    let home = Folder::new("plan");
    let cases: [(&[&str], i32, &str); 15] = [
        (&["--region", "westeurop"], 2, "did you mean westeurope?"),
        (&["--region", "mars"], 2, "prices are known of australiaeast"),
        (&["--families", "Eas_v55"], 2, "did you mean Eas_v5"),
        (&["--families", "Q"], 2, "write a family as Karpenter labels it"),
        (&["--daemonset-overhead", "cpu=1"], 2, "both cpu and memory are needed"),
        (&["--daemonset-overhead", "cpu=1,memory=1GB"], 2, "32Gi or 32G"),
        (&["--node-failures-per-year=-1"], 2, "write how often in a year"),
        (&["--node-failures-per-year", "-1"], 2, "write how often in a year"),
        (&["--zone-outages-per-year", "-0.5"], 2, "write how often in a year"),
        (&["--zones", "1,westeurope-2"], 2, "eastus has no zone `westeurope-2`"),
        (&["--zones", "1,eastus-1"], 2, "zone eastus-1 is named twice"),
        (&["--arch", "riscv"], 2, "[possible values: amd64, arm64]"),
        (&["--pin=Standard_E16_v55"], 2, "did you mean Standard_E16"),
        (&["--pin=Standard_E2s_v5"], 3, "Standard_E2s_v5 cannot be used: too little CPU and memory"),
        (&["--max-nodes", "1", "--families", "Fs_v2"], 1, "no size fits a shard of 4 CPU and 32Gi"),
    ];
    for (args, code, expected) in cases {
        let given = |name: &str| args.contains(&name);
        let rest: Vec<&str> = OFFLINE
            .chunks(2)
            .filter(|pair| !given(pair[0]))
            .flatten()
            .copied()
            .chain(args.iter().copied())
            .collect();
        let run = plan(&home, "", &rest).ended(code).complained(expected);
        assert_eq!(run.stdout, "", "{args:?}");
        says_what_next(&run);
    }
    let run = plan(&home, "", &["--region", "eastus"]);
    let run = run.ended(2).complained("without a cluster, say --region REGION --daemonset-overhead");
    says_what_next(&run);
}

#[test]
fn a_shard_that_no_machine_holds_is_said_to_be_too_large() {
    let home = Folder::new("plan");
    let yaml = shardctl(&home).run(["init"]).ended(0).stdout.replace("memory: 32Gi", "memory: 100Ti");
    let path = home.write("large.yaml", yaml);
    let path = path.to_str().expect("a path");
    let args = ["plan", "-f", path].into_iter().chain(OFFLINE);
    let run = shardctl(&home).run(args).ended(1).complained("no size fits a shard of 4 CPU and 100Ti");
    says_what_next(&run);
}
