//! The question before anything is changed.

use crate::context::Context;
use crate::error::CommandError;

/// Asks `question` unless `--yes` was said. `verb` is what is about to be done.
///
/// # Errors
/// When the answer is not yes, or there is nobody to ask.
pub fn confirm(context: &Context, yes: bool, question: &str, verb: &str) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    match context.ui.confirm(question) {
        Some(true) => Ok(()),
        Some(false) => Err(CommandError::refused("not confirmed; nothing was changed")),
        None => Err(CommandError::refused("there is nobody to ask; nothing was changed")
            .hint(format!("say --yes to {verb} without asking"))),
    }
}
