//! `shardctl version`

use clap::Args;

use crate::commands::target::connect;
use crate::context::Context;
use crate::error::{CommandError, ExitCode};

/// Print the version of shardctl, and of the API server
#[derive(Args, Debug)]
pub struct VersionArgs {
    /// Print the version of shardctl only, without asking the API server
    #[arg(long)]
    client: bool,
}

/// Runs `shardctl version`.
///
/// # Errors
/// When the API server does not answer; the client's version is printed all the same.
pub fn run(context: &Context, args: &VersionArgs) -> Result<ExitCode, CommandError> {
    context.ui.print(&format!("Client Version: v{}\n", env!("CARGO_PKG_VERSION")));
    if args.client {
        return Ok(ExitCode::Done);
    }
    context.block_on(async {
        let version = connect(context).await?.server_version().await?;
        context.ui.print(&format!("Server Version: {version}\n"));
        Ok(ExitCode::Done)
    })
}
