//! Colour by role, never by name. Everything must read the same without it.

use std::fmt::Display;

use owo_colors::{OwoColorize as _, Style};

/// The `--color` option.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// At a terminal, unless NO_COLOR is set or TERM is dumb
    #[default]
    Auto,
    Always,
    Never,
}

impl ColorChoice {
    /// Whether a stream gets colour.
    #[must_use]
    pub fn enabled(self, is_terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                is_terminal
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

impl From<ColorChoice> for clap::ColorChoice {
    fn from(choice: ColorChoice) -> Self {
        match choice {
            ColorChoice::Auto => Self::Auto,
            ColorChoice::Always => Self::Always,
            ColorChoice::Never => Self::Never,
        }
    }
}

/// How each role looks on one stream.
#[derive(Clone, Copy, Debug)]
pub struct Stylesheet {
    enabled: bool,
}

impl Stylesheet {
    #[must_use]
    pub fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    fn paint(self, text: impl Display, style: Style) -> String {
        if self.enabled { text.style(style).to_string() } else { text.to_string() }
    }

    /// Something is as it should be.
    #[must_use]
    pub fn success(self, text: impl Display) -> String {
        self.paint(text, Style::new().green())
    }

    /// Something deserves a look.
    #[must_use]
    pub fn warning(self, text: impl Display) -> String {
        self.paint(text, Style::new().yellow())
    }

    /// Something is wrong.
    #[must_use]
    pub fn danger(self, text: impl Display) -> String {
        self.paint(text, Style::new().red().bold())
    }

    /// The part of a line that the reader came for.
    #[must_use]
    pub fn value(self, text: impl Display) -> String {
        self.paint(text, Style::new().bold())
    }

    /// The part of a line that may be passed over.
    #[must_use]
    pub fn note(self, text: impl Display) -> String {
        self.paint(text, Style::new().dimmed())
    }
}
