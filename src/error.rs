//! What a command may end with: the exit codes, and the one error type that reaches `main`.

use std::fmt;

/// How a shardctl process ends. The table in `docs/exit-codes.md` is compared with this by a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything asked for was done.
    Done = 0,
    /// The command could not do its work, or could not find out.
    Failed = 1,
    /// The command line or a file given to it is wrong.
    Usage = 2,
    /// shardctl declined, and nothing was changed.
    Refused = 3,
    /// Stopped part-way: some changes were made, the rest was not.
    Incomplete = 4,
    /// The command did its work and found something wrong with the service.
    Findings = 5,
    /// A defect of shardctl itself.
    Bug = 70,
}

impl ExitCode {
    /// Every exit code, in ascending order.
    pub const ALL: [Self; 7] =
        [Self::Done, Self::Failed, Self::Usage, Self::Refused, Self::Incomplete, Self::Findings, Self::Bug];

    /// What it means, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "everything asked for was done",
            Self::Failed => "the work could not be done, or could not be found out",
            Self::Usage => "the command line, or a file named on it, is wrong",
            Self::Refused => "shardctl declined, and nothing was changed",
            Self::Incomplete => "stopped part-way: some changes were made, the rest was not",
            Self::Findings => "the command did its work and found something wrong with the service",
            Self::Bug => "a defect of shardctl itself",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// An error as the operator meets it: what failed, why, and what to do next.
#[derive(Debug)]
pub struct CommandError {
    /// The exit code that the process ends with.
    pub exit: ExitCode,
    /// The error with its chain of sources.
    pub source: anyhow::Error,
    /// What to do next: a flag, a command, a place to look. Printed one per line.
    pub hints: Vec<String>,
}

impl CommandError {
    /// An error that ends the process with `exit`.
    pub fn new(exit: ExitCode, source: impl Into<anyhow::Error>) -> Self {
        Self { exit, source: source.into(), hints: Vec::new() }
    }

    /// The command line, or a file named on it, is wrong.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(ExitCode::Usage, anyhow::anyhow!("{message}"))
    }

    /// shardctl declines to go on; nothing was changed.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(ExitCode::Refused, anyhow::anyhow!("{message}"))
    }

    /// The work could not be done.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new(ExitCode::Failed, anyhow::anyhow!("{message}"))
    }

    /// Some changes were made and the rest could not be.
    pub fn incomplete(message: impl fmt::Display) -> Self {
        Self::new(ExitCode::Incomplete, anyhow::anyhow!("{message}"))
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }
}

impl From<anyhow::Error> for CommandError {
    fn from(source: anyhow::Error) -> Self {
        match source.downcast::<Self>() {
            Ok(error) => error,
            Err(source) => Self::new(ExitCode::Failed, source),
        }
    }
}

impl From<std::io::Error> for CommandError {
    fn from(source: std::io::Error) -> Self {
        Self::new(ExitCode::Failed, source)
    }
}

impl fmt::Display for CommandError {
    /// One line for the error and its causes, outermost first, without repeating a cause that the
    /// outer message already contains.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = String::new();
        for cause in self.source.chain() {
            let text = cause.to_string();
            if said.contains(&text) {
                continue;
            }
            if !said.is_empty() {
                f.write_str(": ")?;
                said.push_str(": ");
            }
            f.write_str(&text)?;
            said.push_str(&text);
        }
        Ok(())
    }
}

impl std::error::Error for CommandError {}

/// The last cause of a chain, which says what really happened, without the number of the operating system.
#[must_use]
pub fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn causes_are_joined_and_never_repeated() {
        let inner = anyhow::anyhow!("connection refused");
        let outer = Err::<(), _>(inner).context("list pods: connection refused").context("read the service");
        let error = CommandError::from(outer.unwrap_err());
        assert_eq!(error.to_string(), "read the service: list pods: connection refused");
        assert_eq!(error.exit, ExitCode::Failed);
    }

    #[test]
    fn a_command_error_keeps_its_exit_code_through_anyhow() {
        let wrapped: anyhow::Error = CommandError::refused("no").hint("try yes").into();
        let back = CommandError::from(wrapped);
        assert_eq!(back.exit, ExitCode::Refused);
        assert_eq!(back.hints, ["try yes"]);
    }
}
