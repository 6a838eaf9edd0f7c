//! `shardctl rollout`: the runs of a workload.

mod abort;
mod history;
mod resume;
mod status;
mod undo;

use clap::Subcommand;

use super::rolling::Found;
use crate::context::Context;
use crate::domain::rolling::{RunId, State};
use crate::error::{CommandError, ExitCode};
use crate::k8s::Journalled;

/// See, resume, abort and undo what migrate, upgrade and drain do
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:\n  \
    shardctl rollout status kafka -n shop\n  \
    shardctl rollout history kafka -n shop\n  \
    shardctl rollout resume kafka -n shop\n  \
    shardctl rollout undo kafka -n shop --strategy canary")]
pub enum RolloutCommand {
    Status(status::StatusArgs),
    History(history::HistoryArgs),
    Resume(resume::ResumeArgs),
    Abort(abort::AbortArgs),
    Undo(undo::UndoArgs),
}

/// Runs `shardctl rollout`.
///
/// # Errors
/// As the command below it.
pub fn run(context: &Context, command: &RolloutCommand) -> Result<ExitCode, CommandError> {
    context.block_on(async {
        match command {
            RolloutCommand::Status(args) => status::run(context, args).await,
            RolloutCommand::History(args) => history::run(context, args).await,
            RolloutCommand::Resume(args) => resume::run(context, args).await,
            RolloutCommand::Abort(args) => abort::run(context, args).await,
            RolloutCommand::Undo(args) => undo::run(context, args).await,
        }
    })
}

/// The run that is meant: the one named, or the one that is open.
fn open<'a>(found: &'a Found, id: Option<&RunId>, verb: &str) -> Result<&'a Journalled, CommandError> {
    let reference = &found.snapshot.workload.reference;
    let mut runs = found.runs.iter();
    let journalled = match id {
        Some(id) => runs.find(|one| one.run.id == *id).ok_or_else(|| {
            CommandError::refused(format!("{reference} has no run {id}; nothing was changed"))
                .hint("`shardctl rollout history` lists the runs")
        })?,
        None => runs.find(|one| one.run.is_open()).ok_or_else(|| {
            CommandError::refused(format!("{reference} has no run to {verb}; nothing was changed"))
                .hint("`shardctl rollout history` lists the runs")
        })?,
    };
    match &journalled.run.state {
        State::Running | State::Stopped { .. } => Ok(journalled),
        State::Done => Err(CommandError::refused(format!(
            "run {} is done; there is nothing to {verb}",
            journalled.run.id
        ))
        .hint("`shardctl rollout undo` goes back to the template before")),
        State::Aborted { .. } => Err(CommandError::refused(format!(
            "run {} was aborted; there is nothing to {verb}",
            journalled.run.id
        ))
        .hint("start it anew with its own command")),
    }
}
