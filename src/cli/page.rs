//! The reference page `docs/cli.md`, written from the clap tree so that it never says anything else than `--help`.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::Cli;
use crate::options::global_options;

/// The first lines of the page.
const HEADER: &str = "\
# The command line

Written from the program itself: `UPDATE_EXPECT=1 cargo test --test it generated` writes it again. Exit codes are explained in
[exit-codes.md](exit-codes.md), the checks of `verify` in [checks.md](checks.md).
";

/// The page: every command in the order of `shardctl --help`, then the global options.
#[must_use]
pub fn page() -> String {
    let mut page = HEADER.to_owned();
    let mut root = Cli::command().bin_name("shardctl");
    root.build();
    for command in root.get_subcommands() {
        section(&mut page, command);
    }
    let _ = write!(page, "\n## Global options\n\nEvery command understands them.\n");
    options(&mut page, global_options().get_arguments());
    page
}

fn section(page: &mut String, command: &Command) {
    if command.get_name() == "help" {
        return;
    }
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let _ = write!(page, "\n## {name}\n");
    let about = command.get_long_about().or_else(|| command.get_about());
    if let Some(about) = about {
        let _ = write!(page, "\n{about}\n");
    }
    let usage = command.clone().render_usage().to_string();
    let _ = write!(page, "\n```text\n{}\n```\n", usage.trim_start_matches("Usage: "));
    options(page, command.get_arguments().filter(|arg| !arg.is_global_set()));
    if let Some(after) = command.get_after_help() {
        let _ = write!(page, "\n```text\n{after}\n```\n");
    }
    for below in command.get_subcommands() {
        section(page, below);
    }
}

fn options<'a>(page: &mut String, args: impl Iterator<Item = &'a Arg>) {
    let rows: Vec<String> = args.filter(|arg| arg.get_id() != "help").map(row).collect();
    if !rows.is_empty() {
        let _ = write!(page, "\n| option | meaning |\n|---|---|\n{}", rows.concat());
    }
}

fn row(arg: &Arg) -> String {
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let value = arg.get_value_names().and_then(|names| names.first()).filter(|_| takes_value);
    let mut names: Vec<String> = Vec::new();
    names.extend(arg.get_short().map(|short| format!("-{short}")));
    names.extend(arg.get_long().map(|long| format!("--{long}")));
    let mut name = names.join(", ");
    if let Some(value) = value {
        let separator = match (name.is_empty(), arg.is_require_equals_set()) {
            (true, _) => "",
            (false, true) => "=",
            (false, false) => " ",
        };
        name = format!("{name}{separator}{value}");
    }
    let mut meaning =
        arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let values = arg.get_possible_values();
    if takes_value && !values.is_empty() {
        let values: Vec<String> = values
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| match value.get_help() {
                Some(help) => format!("`{}` ({help})", value.get_name()),
                None => format!("`{}`", value.get_name()),
            })
            .collect();
        let _ = write!(meaning, ": {}", values.join(", "));
    }
    if takes_value && let [default] = arg.get_default_values() {
        let _ = write!(meaning, "; by default {}", default.to_string_lossy());
    }
    format!("| `{}` | {} |\n", cell(&name), cell(&meaning))
}

/// Text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
