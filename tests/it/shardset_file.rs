//! Files that are no ShardSet: the line is named, and what was most likely meant.

use crate::support::{Folder, Run, Shardctl};
use crate::{says_what_next, shardctl};

const DEPLOY: [&str; 5] = ["deploy", "--phase", "explore", "-o", "yaml"];

/// The file that `shardctl init` writes.
fn valid(shardctl: &Shardctl) -> String {
    shardctl.run(["init"]).ended(0).stdout
}

/// What deploy says to a file.
fn deploy(home: &Folder, content: impl AsRef<[u8]>) -> Run {
    let path = home.write("shardset.yaml", content);
    let path = path.to_str().expect("a path");
    shardctl(home).run(DEPLOY.into_iter().chain(["-f", path]))
}

#[test]
fn a_wrong_value_is_named_with_its_line() {
    let home = Folder::new("file");
    let valid = valid(&shardctl(&home));
    let long = format!("  name: {}", "x".repeat(64));
    for (from, to, expected) in [
        ("  replicas: 10", "  replica: 10", "there is no field `replica` here"),
        ("  replicas: 10", "  replicas: [", "a single value is expected here"),
        ("  replicas: 10", "  replicas: ten", "a whole number is expected here"),
        ("  replicas: 10", "  replicas: 1.5", "a whole number is expected here"),
        ("  replicas: 10", "  replicas: 0", "0 shards are no service, write a number from 1 to 10000"),
        ("  replicas: 10", "  replicas: -1", "-1 shards are no service"),
        ("  replicas: 10", "  replicas: 10001", "10001 shards are no service"),
        ("  replicas: 10", "  replicas: 99999999999999999999", "a whole number is expected here"),
        ("  availability: all", "  availability: most", "write all, or the number of shards"),
        ("    cpu: \"4\"", "    cpu: 0", "0 is too little, it must be above 0"),
        ("    cpu: \"4\"", "    cpu: four", "`four` is not a quantity"),
        ("    memory: 32Gi", "    memory: 32GB", "write for example 32Gi or 32G"),
        ("    memory: 32Gi", "    memory: -1Gi", "-1Gi is too little"),
        ("    memory: 32Gi", "    memory: 99999999999Ei", "more than Kubernetes can count"),
        ("    size: 100Gi", "    size: 1.2.3Gi", "it has two decimal points"),
        ("    port: 8080", "    port: 65536", "65536 is no port"),
        ("    runAsUser: 10001", "    runAsUser: 0", "0 is no user a shard may run as"),
        ("    preStopSleep: 30s", "    preStopSleep: half a minute", "is not a duration"),
        ("  name: biometric-shard", "  name: Biometric", "it has capital letters"),
        ("  name: biometric-shard", "  name: a.b", "it has other characters"),
        ("  name: biometric-shard", "  name: -a", "it starts or ends with -"),
        ("  name: biometric-shard", &long, "it is too long"),
        ("  name: biometric-shard", "  name:", "a text is expected here, there is nothing"),
        ("    sessionAffinity: None", "    sessionAffinity: Cookie", "it can be None, ClientIP"),
        ("        operator: Gt", "        operator: gt", "`gt` is not known here"),
        ("kind: ShardSet", "kind: StatefulSet", "it can be ShardSet"),
        (
            "apiVersion: shardctl.dev/v1alpha1",
            "apiVersion: shardctl.dev/v1",
            "it can be shardctl.dev/v1alpha1",
        ),
    ] {
        let at = valid.find(&format!("\n{from}\n")).unwrap_or_else(|| panic!("`{from}` is not in the file"));
        let line = 2 + valid[..at].matches('\n').count();
        let run = deploy(&home, valid.replacen(&format!("{from}\n"), &format!("{to}\n"), 1));
        let run = run.ended(2).complained(&format!("shardset.yaml: line {line}: ")).complained(expected);
        assert_eq!(run.stdout, "", "{to}");
        says_what_next(&run);
    }
}

#[test]
fn the_nearest_name_is_suggested() {
    let home = Folder::new("file");
    let valid = valid(&shardctl(&home));
    for (from, to, meant) in [
        ("replicas:", "replica:", "replicas"),
        ("storage:", "stroage:", "storage"),
        ("preStopSleep:", "prestopsleep:", "preStopSleep"),
        ("instanceTypes:", "instanceType:", "instanceTypes"),
        ("operator: In", "operator: in", "In"),
        ("kind: ShardSet", "kind: Shardset", "ShardSet"),
    ] {
        deploy(&home, valid.replacen(from, to, 1))
            .ended(2)
            .complained(&format!("hint: did you mean `{meant}`?"));
    }
}

#[test]
fn contradictions_are_all_named() {
    let home = Folder::new("file");
    let broken = valid(&shardctl(&home))
        .replace("availability: all", "availability: 11")
        .replace("k8s-demo-app:1.0.0", "k8s-demo-app:latest")
        .replace("mountPath: /data", "mountPath: data");
    let run = deploy(&home, broken).ended(2);
    for field in ["spec.availability", "spec.shard.image", "spec.storage.mountPath"] {
        assert!(run.stderr.contains(field), "{field}: {}", run.stderr);
    }
    says_what_next(&run);
}

#[test]
fn what_is_no_shardset_at_all_is_told_apart() {
    let home = Folder::new("file");
    let valid = valid(&shardctl(&home));
    let mut binary = valid.clone().into_bytes();
    let line = 1 + valid[..200].matches('\n').count();
    binary[200] = 0xff;
    let two = format!("{valid}---\n{valid}");
    let not_text = format!("line {line}: the file is not UTF-8 text");
    let cases: [(&[u8], &str); 9] = [
        (b"", "shardset.yaml: the file is empty"),
        (b"# nothing but a comment\n", "shardset.yaml: the file is empty"),
        (b"hello\n", "line 1: a field with its value"),
        (b"- a\n- b\n", "line 1: a field with its value"),
        (b"{a: [\n", "line 1: unclosed bracket"),
        (b"kind: \"ShardSet\n", "line 1: "),
        (b"apiVersion: v1\nkind: Pod\n", "line 1: `v1` is not known here"),
        (&binary, &not_text),
        (two.as_bytes(), "a file holds one ShardSet, this one holds more"),
    ];
    for (content, expected) in cases {
        let run = deploy(&home, content).ended(2).complained(expected);
        says_what_next(&run);
    }
    let twice = valid.replacen("  replicas: 10\n", "  replicas: 10\n  replicas: 10\n", 1);
    deploy(&home, twice).ended(2).complained("the field `replicas` is there twice");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let home = Folder::new("file");
    let missing = home.path().join("missing.yaml");
    for (path, expected) in
        [(missing.as_path(), "no such file or directory"), (home.path(), "is a directory")]
    {
        let shown = path.to_str().expect("a path");
        let run = shardctl(&home).run(DEPLOY.into_iter().chain(["-f", shown]));
        let run = run.ended(2).complained(&format!("read {shown}: {expected}"));
        says_what_next(&run);
    }
}

#[test]
fn standard_input_is_a_file_too() {
    let home = Folder::new("file");
    let shardctl = shardctl(&home);
    let valid = valid(&shardctl);
    let args: Vec<&str> = DEPLOY.into_iter().chain(["-f", "-"]).collect();
    shardctl.run_with_input(&args, &valid).ended(0).said("kind: StatefulSet");
    let run = shardctl.run_with_input(&args, &valid.replace("replicas: 10", "replicas: 0"));
    run.ended(2).complained("standard input: line 12: 0 shards");
    shardctl.run_with_input(&args, "").ended(2).complained("standard input: the file is empty");
}

#[test]
fn a_namespace_that_contradicts_the_file_is_refused_before_anything_is_sent() {
    let home = Folder::new("file");
    let path = home.write("shardset.yaml", valid(&shardctl(&home)));
    let path = path.to_str().expect("a path");
    for command in
        [&["deploy", "--phase", "explore"][..], &["delete"], &["status"], &["verify"], &["packing"]]
    {
        let run = shardctl(&home).run(command.iter().chain(&["-f", path, "-n", "other"]));
        let run = run.ended(2).complained("--namespace other contradicts");
        says_what_next(&run);
    }
    shardctl(&home).run(DEPLOY.into_iter().chain(["-f", path, "-n", "biometric-shards"])).ended(0);
}
