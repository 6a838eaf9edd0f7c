//! What is committed and written by the program itself is current. `UPDATE_EXPECT=1` writes it again.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;
use shardctl::cli::Cli;
use shardctl::commands::completion;

use crate::shardctl;
use crate::support::Folder;

fn script(shell: Shell) -> String {
    completion::script(shell, Cli::command())
}

/// Compares a committed file with what it should be, or writes it.
#[track_caller]
fn is_current(path: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, expected).expect("the file is written");
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
    let line = differs.unwrap_or(found.lines().count().min(expected.lines().count())) + 1;
    assert!(
        found == expected,
        "{path} is stale from line {line}; `UPDATE_EXPECT=1 cargo test --test it generated` writes it again"
    );
}

#[test]
fn completions() {
    for (shell, name) in [
        (Shell::Bash, "shardctl.bash"),
        (Shell::Fish, "shardctl.fish"),
        (Shell::PowerShell, "shardctl.ps1"),
        (Shell::Zsh, "_shardctl"),
    ] {
        let script = script(shell);
        // A shell completes the global options after a command, though help does not repeat them.
        assert!(script.contains("request-timeout"), "{name}");
        is_current(&format!("completions/{name}"), &script);
    }
}

#[test]
fn completions_are_what_the_command_prints() {
    let home = Folder::new("generated");
    for (shell, name) in [("bash", Shell::Bash), ("zsh", Shell::Zsh), ("fish", Shell::Fish)] {
        assert_eq!(shardctl(&home).run(["completion", shell]).ended(0).stdout, script(name), "{shell}");
    }
}

#[test]
fn command_line_page() {
    is_current("docs/cli.md", &shardctl::cli::page());
}

#[test]
fn json_schema() {
    let home = Folder::new("generated");
    is_current("docs/shardset.schema.json", &shardctl(&home).run(["init", "--schema"]).ended(0).stdout);
}
