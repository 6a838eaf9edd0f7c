//! What `shardctl explain` prints.

use crate::domain::verify::CHECKS;
use crate::error::ExitCode;
use crate::render::style::Stylesheet;
use crate::render::table::Columns;

/// One section of the documentation.
#[must_use]
pub fn section((heading, text): &(&str, &str), style: Stylesheet) -> String {
    format!("{}\n\n{text}\n", style.value(heading))
}

/// Every exit code and every check, with its meaning.
#[must_use]
pub fn list(style: Stylesheet, width: Option<usize>) -> String {
    let mut codes = Columns::new(&["exit code", "meaning"], width);
    for code in ExitCode::ALL {
        codes.row([(code as u8).to_string(), code.meaning().to_owned()]);
    }
    let mut checks = Columns::new(&["check", "severity", "what holds when it passes"], width);
    for check in CHECKS {
        checks.row([check.id.to_owned(), check.severity.to_string(), check.meaning.to_owned()]);
    }
    format!("{codes}\n{checks}\n{}\n", style.note("See `shardctl explain EXIT-CODE|CHECK` for one of them"))
}
