//! `shardctl explain`

use clap::Args;

use crate::context::Context;
use crate::domain::names::nearest;
use crate::domain::verify::CHECKS;
use crate::error::{CommandError, ExitCode};
use crate::render::report::explain;

/// Explain an exit code, or a check of verify
///
/// Without an argument, list both.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  shardctl explain 4\n  shardctl explain pdb-allowance\n  shardctl explain"
)]
pub struct ExplainArgs {
    /// The exit code or the check
    #[arg(value_name = "EXIT-CODE|CHECK")]
    topic: Option<String>,
}

/// What is known of the checks, as published.
const CHECKS_PAGE: &str = include_str!("../../docs/checks.md");
/// What is known of the exit codes, as published.
const EXIT_CODES_PAGE: &str = include_str!("../../docs/exit-codes.md");

/// Runs `shardctl explain`.
///
/// # Errors
/// When there is no such exit code or check.
pub fn run(context: &Context, args: &ExplainArgs) -> Result<ExitCode, CommandError> {
    let ui = &context.ui;
    match &args.topic {
        None => ui.print(&explain::list(ui.style(), ui.width())),
        Some(topic) => {
            let section = section(topic).ok_or_else(|| unknown(topic))?;
            ui.print(&explain::section(&section, ui.style()));
        }
    }
    Ok(ExitCode::Done)
}

/// A heading and the text under it.
fn section(topic: &str) -> Option<(&'static str, &'static str)> {
    [CHECKS_PAGE, EXIT_CODES_PAGE].into_iter().flat_map(sections).find(|(heading, _)| *heading == topic)
}

/// The sections of a page.
fn sections(page: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    page.split("\n## ").skip(1).filter_map(|section| {
        let (heading, text) = section.split_once('\n')?;
        Some((heading.trim(), text.trim()))
    })
}

fn unknown(topic: &str) -> CommandError {
    let error = CommandError::usage(format!("`{topic}` is neither an exit code nor a check"));
    match nearest(topic, CHECKS.iter().map(|check| check.id)) {
        Some(near) => error.hint(format!("did you mean `shardctl explain {near}`?")),
        None => error.hint("`shardctl explain` lists both"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_section_with_severity_subject_and_meaning_in_order() {
        let documented: Vec<_> = sections(CHECKS_PAGE)
            .map(|(id, text)| (id.to_owned(), text.lines().next().unwrap_or_default().to_owned()))
            .collect();
        let checks: Vec<_> = CHECKS
            .iter()
            .map(|check| {
                let line = format!("{} · {} · {}", check.severity, check.subject(), check.meaning);
                (check.id.to_owned(), line)
            })
            .collect();
        assert_eq!(documented, checks);
    }

    #[test]
    fn every_section_says_why_and_what_to_do() {
        for (id, text) in sections(CHECKS_PAGE) {
            assert!(text.contains("\nWhy: ") && text.contains("\nWhat to do: "), "{id}");
        }
    }

    #[test]
    fn the_page_of_exit_codes_is_that_of_the_code() {
        let codes: Vec<_> =
            ExitCode::ALL.iter().map(|code| ((*code as u8).to_string(), format!("{code:?}"))).collect();
        let meant: Vec<_> = ExitCode::ALL
            .iter()
            .map(|code| ((*code as u8).to_string(), format!("{code:?}"), code.meaning().to_owned()))
            .collect();
        let rows: Vec<_> = EXIT_CODES_PAGE
            .lines()
            .filter_map(|line| {
                let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
                let is_row = cells.len() == 3 && cells[0].parse::<u8>().is_ok();
                is_row.then(|| (cells[0].to_owned(), cells[1].to_owned(), cells[2].to_owned()))
            })
            .collect();
        assert_eq!(rows, meant);
        let sections: Vec<_> = sections(EXIT_CODES_PAGE)
            .map(|(code, text)| (code.to_owned(), text.split(':').next().unwrap_or_default().to_owned()))
            .collect();
        assert_eq!(sections, codes);
    }

    #[test]
    fn a_topic_is_found_or_the_nearest_is_named() {
        assert!(section("5").is_some_and(|(_, text)| text.starts_with("Findings")));
        assert!(section("pdb-allowance").is_some());
        assert!(section("pdb").is_none());
        let error = unknown("pdb-allowence");
        assert_eq!(error.exit, ExitCode::Usage);
        assert_eq!(error.hints, ["did you mean `shardctl explain pdb-allowance`?"]);
        assert_eq!(unknown("99").hints, ["`shardctl explain` lists both"]);
    }
}
