//! The two streams of a command: standard output for the answer, standard error for everything else.

use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::report::Look;
use super::style::{ColorChoice, Stylesheet};

/// A stream and what is known about it.
struct Stream {
    writer: Mutex<Box<dyn Write + Send>>,
    style: Stylesheet,
    is_terminal: bool,
}

/// The streams of a command.
pub struct Ui {
    out: Stream,
    err: Stream,
    stdin_is_terminal: bool,
    is_closed: AtomicBool,
}

impl Ui {
    /// The streams of this process.
    #[must_use]
    pub fn stdio(color: ColorChoice) -> Self {
        let stream = |writer: Box<dyn Write + Send>, is_terminal| Stream {
            writer: Mutex::new(writer),
            style: Stylesheet::new(color.enabled(is_terminal)),
            is_terminal,
        };
        Self {
            out: stream(Box::new(io::stdout()), io::stdout().is_terminal()),
            err: stream(Box::new(io::stderr()), io::stderr().is_terminal()),
            stdin_is_terminal: io::stdin().is_terminal(),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Writes the answer. A reader that has gone away is no error: the exit code still tells the verdict.
    pub fn print(&self, text: &str) {
        let mut out = lock(&self.out.writer);
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            self.is_closed.store(true, Ordering::Relaxed);
        }
    }

    /// Writes an answer that replaces the one before it: over it at a terminal, after it elsewhere.
    pub fn print_again(&self, text: &str) {
        if self.out.is_terminal {
            // Home, clear to the end: no flicker and nothing left of a longer answer.
            self.print(&format!("\x1b[H\x1b[2J{text}"));
        } else {
            self.print(text);
        }
    }

    /// Whether [`Self::print_again`] takes the place of what was printed before.
    #[must_use]
    pub fn is_redrawing(&self) -> bool {
        self.out.is_terminal
    }

    /// Whether the reader of the answer has gone away.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Where a report is shown.
    #[must_use]
    pub fn look(&self) -> Look {
        Look { style: self.out.style, width: self.width(), ascii: !is_utf8() }
    }

    /// Writes one line about what is going on.
    pub fn say(&self, line: impl std::fmt::Display) {
        let _ = writeln!(self.err(), "{line}");
    }

    /// Writes lines about what is going on, each ended already.
    pub fn say_block(&self, lines: &str) {
        let _ = self.err().write_all(lines.as_bytes());
    }

    /// Standard error, for progress displays.
    pub fn err(&self) -> MutexGuard<'_, Box<dyn Write + Send>> {
        lock(&self.err.writer)
    }

    /// How the answer is styled.
    #[must_use]
    pub fn style(&self) -> Stylesheet {
        self.out.style
    }

    /// How messages are styled.
    #[must_use]
    pub fn err_style(&self) -> Stylesheet {
        self.err.style
    }

    /// Whether a person reads the answer as it is written.
    #[must_use]
    pub fn out_is_terminal(&self) -> bool {
        self.out.is_terminal
    }

    /// Whether a person sees messages as they are written.
    #[must_use]
    pub fn err_is_terminal(&self) -> bool {
        self.err.is_terminal
    }

    /// Columns of the terminal that the answer goes to; none when it goes elsewhere and must not be cut.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.out
            .is_terminal
            .then(|| terminal_size::terminal_size_of(io::stdout()))
            .flatten()
            .map(|(width, _)| usize::from(width.0))
    }

    /// Lines of the terminal that the answer goes to; none when it goes elsewhere.
    #[must_use]
    pub fn height(&self) -> Option<usize> {
        self.out
            .is_terminal
            .then(|| terminal_size::terminal_size_of(io::stdout()))
            .flatten()
            .map(|(_, height)| usize::from(height.0))
    }

    /// Asks a yes-or-no question; the default is no. None when there is nobody to ask.
    pub fn confirm(&self, question: &str) -> Option<bool> {
        let answer = self.ask(&format!("{question} [y/N] "))?;
        Some(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for a line of text. None when there is nobody to ask.
    pub fn ask(&self, prompt: &str) -> Option<String> {
        if !(self.stdin_is_terminal && self.err.is_terminal) {
            return None;
        }
        {
            let mut err = self.err();
            let _ = err.write_all(prompt.as_bytes()).and_then(|()| err.flush());
        }
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }
}

fn lock(writer: &Mutex<Box<dyn Write + Send>>) -> MutexGuard<'_, Box<dyn Write + Send>> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the locale says that text is UTF-8, by POSIX' order of precedence. No locale at all is taken for UTF-8: pipes
/// in containers have none, and read it.
fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    set.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
