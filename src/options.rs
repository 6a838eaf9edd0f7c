//! The options that every command understands, and what their values may be.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::render::style::ColorChoice;

/// Help is not wider than this, however wide the terminal is.
pub const HELP_WIDTH: usize = 100;

/// Options that every command understands, with kubectl's names and meaning.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// Path of the kubeconfig file, instead of KUBECONFIG and ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Name of the kubeconfig context to use
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// Name of the kubeconfig cluster to use
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,
    /// Name of the kubeconfig user to use
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// Namespace of the workload, instead of the context's
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,
    /// User to impersonate
    #[arg(long = "as", global = true, value_name = "USER")]
    pub impersonate: Option<String>,
    /// Group to impersonate, can be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP", requires = "impersonate")]
    pub impersonate_groups: Vec<String>,
    /// Longest wait for one answer of the API server
    #[arg(long, global = true, value_name = "DURATION", default_value = "15s", value_parser = parse_duration)]
    pub request_timeout: Duration,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// Verbosity of the log on standard error: 6 shows each request with its time
    #[arg(short, long = "v", global = true, value_name = "LEVEL", default_value_t = 0)]
    pub verbosity: u8,
}

/// The global options, as help shows options.
#[must_use]
pub fn global_options() -> clap::Command {
    let listing = clap::Command::new("shardctl").disable_help_flag(true).max_term_width(HELP_WIDTH);
    GlobalOptions::augment_args(listing).help_template("{all-args}\n")
}

/// Parses a duration as people write it: `90s`, `1m30s`, `250ms`, or a plain number of seconds.
///
/// # Errors
/// When the text is not a duration; the message names an example.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    humantime::parse_duration(text).map_err(|_| "that is no duration, write for example 90s or 2m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_and_without_a_unit() {
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1m30s"), Ok(Duration::from_secs(90)));
        assert!(parse_duration("soon").is_err());
    }
}
