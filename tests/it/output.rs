//! Streams: closed pipes, colour, and the name that the program is called by.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::shardctl;
use crate::support::{Folder, Run};

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let home = Folder::new("output");
    for args in [
        &["completion", "bash"][..],
        &["completion", "zsh"],
        &["init", "--schema"],
        &["init"],
        &["explain"],
        &["options"],
        &["deploy", "--help"],
    ] {
        let mut command = shardctl(&home).command();
        let mut child = command
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("shardctl starts");
        let mut out = BufReader::with_capacity(16, child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        drop(out);
        let mut said = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        let ended = child.wait().expect("shardctl ends");
        assert_eq!((ended.code(), said.as_str()), (Some(0), ""), "{args:?}");
        assert!(!line.is_empty(), "{args:?}");
    }
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let home = Folder::new("output");
    let path = home.write("config", "hello");
    let run = |no_color: Option<&str>, color: &[&str]| {
        let mut command = shardctl(&home).command();
        command.env("KUBECONFIG", &path).env_remove("NO_COLOR").args(["status"]).args(color);
        if let Some(value) = no_color {
            command.env("NO_COLOR", value);
        }
        Run::from(command.output().expect("shardctl starts")).ended(2).stderr
    };
    for (no_color, color, is_coloured) in [
        (None, &[][..], false),
        (Some("1"), &[], false),
        (None, &["--color", "never"], false),
        (None, &["--color", "always"], true),
        (Some("1"), &["--color", "always"], true),
    ] {
        let said = run(no_color, color);
        assert_eq!(said.contains('\u{1b}'), is_coloured, "NO_COLOR {no_color:?} {color:?}: {said}");
    }
}

#[test]
fn a_wrong_command_line_is_coloured_by_the_same_rule() {
    let home = Folder::new("output");
    for (color, is_coloured) in [("always", true), ("never", false)] {
        let said = shardctl(&home).run(["--color", color, "deplyo"]).ended(2).stderr;
        assert_eq!(said.contains('\u{1b}'), is_coloured, "{color}: {said}");
    }
}

#[test]
fn as_a_plugin_it_is_called_kubectl_shard() {
    let home = Folder::new("output");
    let plugin = home.path().join("kubectl-shard");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_shardctl"), &plugin).expect("a link");
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(&plugin);
        Run::from(command.env("HOME", home.path()).args(args).output().expect("the plugin starts"))
    };
    run(&["deploy"]).ended(2).complained("Usage: kubectl shard deploy");
    run(&["--help"]).ended(0).said("Usage: kubectl shard <COMMAND>");
    run(&["status", "-h"]).ended(0).said("Usage: kubectl shard status").said("see `kubectl shard options`");
    run(&["options"]).ended(0).said("--namespace");
}
