//! Command lines that are wrong: exit code 2, nothing on standard output, and a word on what to write.

use crate::support::Folder;
use crate::{says_what_next, shardctl};

#[test]
fn a_wrong_command_line_says_what_to_write() {
    let home = Folder::new("usage");
    let shardctl = shardctl(&home);
    let cases: [(&[&str], &str); 22] = [
        (&["deplyo"], "a similar subcommand exists: 'deploy'"),
        (&["lab", "upp"], "a similar subcommand exists: 'up'"),
        (&["deploy", "--phse", "explore"], "a similar argument exists: '--phase'"),
        (&["status", "--namespaces", "x"], "a similar argument exists: '--namespace'"),
        (&["deploy"], "--file <FILE>"),
        (&["deploy", "-f", "x", "--phase", "stabel"], "a similar value exists: 'stable'"),
        (&["deploy", "-f", "x", "--phase", "stable", "--dry-run=sever"], "a similar value exists: 'server'"),
        (&["deploy", "-f", "x", "--phase", "stable", "--timeout", "soon"], "write for example 90s or 2m"),
        (&["-n", "a", "-n", "b", "status"], "'--namespace <NAME>' cannot be used multiple times"),
        (&["status", "-n", "a", "-n", "b"], "'--namespace <NAME>' cannot be used multiple times"),
        (&["status", "--request-timeout", "5 parsecs"], "write for example 90s or 2m"),
        (&["status", "--as-group", "ops"], "--as <USER>"),
        (&["status", "--color", "blue"], "[possible values: auto, always, never]"),
        (&["status", "-v", "high"], "invalid value 'high'"),
        (&["status", "deployment/kafka"], "write statefulset/kafka"),
        (&["status", "kafka", "-f", "x"], "cannot be used with"),
        (&["completion", "bsh"], "a similar value exists: 'bash'"),
        (&["init", "--name", "Foo"], "it has capital letters"),
        (&["init", "-n", "Foo"], "it has capital letters"),
        (&["init", "--node-class", "default"], "write KIND.GROUP/NAME"),
        (&["init", "--schema", "--name", "x"], "cannot be used with"),
        (&["explain", "6"], "`6` is neither an exit code nor a check"),
    ];
    for (args, expected) in cases {
        let run = shardctl.run(args).ended(2).complained(expected);
        assert_eq!(run.stdout, "", "{args:?}");
        says_what_next(&run);
    }
}

#[test]
fn no_command_at_all_shows_the_commands() {
    let home = Folder::new("usage");
    shardctl(&home).run::<&str>([]).ended(2).complained("Commands:\n  init ");
}

#[test]
fn the_data_of_another_service_is_never_deleted() {
    let home = Folder::new("usage");
    let shardctl = shardctl(&home);
    let path = home.write("shardset.yaml", shardctl.run(["init"]).ended(0).stdout);
    let path = path.to_str().expect("a path");
    let run = shardctl.run(["delete", "-f", path, "--yes", "--delete-volumes", "another"]);
    run.ended(2).complained("say --delete-volumes biometric-shard");
}
