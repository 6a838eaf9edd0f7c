//! `shardctl init`

use crate::shardctl;
use crate::support::Folder;

#[test]
fn the_file_is_written_once_and_never_over_another() {
    let home = Folder::new("init");
    let path = home.path().join("shardset.yaml");
    let file = path.to_str().expect("a path");
    let shardctl = shardctl(&home);
    shardctl.run(["init", "--file", file]).ended(0).complained("wrote");
    shardctl.run(["deploy", "-f", file, "--phase", "explore", "-o", "json"]).ended(0).said("\"StatefulSet\"");
    std::fs::write(&path, "mine").expect("a file");
    shardctl.run(["init", "--file", file]).ended(3).complained("exists already and was left as it is");
    assert_eq!(std::fs::read_to_string(&path).expect("a file"), "mine");
}

#[test]
fn a_name_changes_everything_named_after_it() {
    let home = Folder::new("init");
    let run = shardctl(&home).run(["init", "--name", "kafka", "--image", "kafka:4.1"]).ended(0);
    assert!(!run.stdout.contains("biometric"), "{}", run.stdout);
    for name in ["kafka-explore", "kafka-stable", "kafka-headless", "kafka-data", "kafka:4.1"] {
        assert!(run.stdout.contains(name), "{name}");
    }
}
