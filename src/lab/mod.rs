//! `shardctl lab`: a real control plane on this machine.

use clap::Subcommand;

use crate::context::Context;
use crate::error::{CommandError, ExitCode};

/// Run a real Kubernetes control plane with Karpenter on this machine
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// List the labs on this machine and the state of their components
    Status,
}

/// Runs `shardctl lab`.
///
/// # Errors
/// What the subcommand returns.
pub fn run(_context: &Context, command: LabCommand) -> Result<ExitCode, CommandError> {
    match command {
        LabCommand::Status => Ok(ExitCode::Done),
    }
}
