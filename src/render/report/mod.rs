//! One file or folder per report: its table and its JSON.

pub mod amounts;
#[cfg(test)]
mod committed;
pub mod costs;
pub mod deploy;
pub mod explain;
mod findings;
pub mod packing;
pub mod plan;
pub mod rolling;
pub mod rollout;
pub mod routing;
pub mod status;
pub mod verify;
pub mod vpa;

use super::style::Stylesheet;

/// Where a report is shown.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub style: Stylesheet,
    /// Columns of the terminal; none for a pipe or a file, where nothing is cut.
    pub width: Option<usize>,
    /// Whether only ASCII may be drawn.
    pub ascii: bool,
}
