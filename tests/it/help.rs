//! Help: of every command, short and long, and `explain`.

use clap::CommandFactory as _;
use shardctl::cli::Cli;
use shardctl::domain::verify::CHECKS;

use crate::shardctl;
use crate::support::Folder;

/// Every command as it is typed, the root first.
fn commands() -> Vec<Vec<String>> {
    fn walk(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
        found.push(path.to_vec());
        for below in command.get_subcommands() {
            walk(below, &[path, &[below.get_name().to_owned()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    walk(&Cli::command(), &[], &mut found);
    found
}

#[test]
fn help_fits_the_terminal_and_points_to_the_global_options() {
    let home = Folder::new("help");
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    for path in &commands {
        for (flag, columns) in [("-h", 80), ("--help", 80), ("-h", 250), ("--help", 250)] {
            let mut command = shardctl(&home).command();
            command.env("COLUMNS", columns.to_string()).args(path).arg(flag);
            let run = crate::support::Run::from(command.output().expect("shardctl starts")).ended(0);
            let help = run.stdout;
            assert!(help.ends_with("Global options: see `shardctl options`\n"), "{path:?} {flag}: {help}");
            assert!(!help.contains("--kubeconfig <"), "{path:?} {flag} repeats the global options");
            for line in help.lines() {
                // What one copies is not wrapped: it may be as long as 100 columns.
                let is_example = line.starts_with("  shardctl ");
                let limit = if is_example { 100 } else { columns.min(100) };
                assert!(line.chars().count() <= limit, "{path:?} {flag} at {columns}: {line}");
            }
        }
    }
}

#[test]
fn summaries_and_options_have_no_final_period() {
    fn walk(command: &clap::Command) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!about.is_empty() && !about.ends_with('.'), "{}: `{about}`", command.get_name());
        assert!(about.starts_with(char::is_uppercase), "{}: `{about}`", command.get_name());
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                !help.is_empty() && !help.ends_with('.'),
                "{} {}: `{help}`",
                command.get_name(),
                arg.get_id()
            );
        }
        command.get_subcommands().for_each(walk);
    }
    walk(&Cli::command());
}

#[test]
fn the_commands_that_people_type_by_hand_have_examples() {
    let root = Cli::command();
    for command in root.get_subcommands() {
        if ["options", "status", "version", "lab"].contains(&command.get_name()) {
            continue;
        }
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(
            after.contains(&format!("\n  shardctl {}", command.get_name())),
            "{}: {after}",
            command.get_name()
        );
    }
}

#[test]
fn the_options_command_lists_every_global_option() {
    let home = Folder::new("help");
    let mut run = shardctl(&home).run(["options"]).ended(0);
    let root = Cli::command();
    let global: Vec<_> = root.get_arguments().filter(|arg| arg.is_global_set()).collect();
    assert!(global.len() > 8);
    for arg in global {
        run = run.said(&format!("--{} ", arg.get_long().expect("a long name")));
    }
    assert!(!run.stdout.contains("--help"), "{}", run.stdout);
}

#[test]
fn everything_that_can_be_explained_is() {
    let home = Folder::new("help");
    let shardctl = shardctl(&home);
    let list = shardctl.run(["explain"]).ended(0).stdout;
    let codes = ["0", "1", "2", "3", "4", "5", "70"];
    for topic in CHECKS.iter().map(|check| check.id).chain(codes) {
        assert!(list.lines().any(|line| line.split_whitespace().next() == Some(topic)), "{topic}: {list}");
        let text = shardctl.run(["explain", topic]).ended(0).stdout;
        assert!(text.lines().count() >= 2, "{topic}: {text}");
    }
    shardctl
        .run(["explain", "pdb-alowance"])
        .ended(2)
        .complained("did you mean `shardctl explain pdb-allowance`?");
}
