//! From an approved plan to its end.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::options::{DryRun, RollingArgs, RunOutput};
use super::surroundings::Found;
use crate::commands::confirm::confirm;
use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::rolling::{Run, State, StopReason};
use crate::error::{CommandError, ExitCode};
use crate::k8s::{Holder, Journalled, LiveCluster, Taken};
use crate::ops::{Approved, Ended, Event, Interrupt, drive};
use crate::render::report::rolling as report;

/// Refuses to begin while another run is open.
///
/// # Errors
/// With what to do about that one.
pub fn open_run(found: &Found) -> Result<(), CommandError> {
    let Some(open) = found.open_run() else { return Ok(()) };
    let state = match &open.state {
        State::Stopped { why } => format!("stopped part-way: {why}"),
        _ => format!("is not done; {} works on it, or did", open.by),
    };
    Err(CommandError::refused(format!("run {} {state}; nothing was changed", open.id))
        .hint("`shardctl rollout status` tells where it stands")
        .hint("`shardctl rollout resume` goes on with it, `shardctl rollout abort` takes it back"))
}

/// Shows a new run, asks, takes the lock, and carries the run out.
///
/// # Errors
/// When it is not approved, or somebody else holds the lock; then nothing was changed.
pub async fn carry_out(
    context: &Context,
    target: &Target,
    args: &RollingArgs,
    found: &Found,
    run: Run,
) -> Result<ExitCode, CommandError> {
    let ui = &context.ui;
    let plan = report::plan(&run, &found.snapshot, &destination(target), ui.look());
    if args.dry_run != DryRun::None {
        ui.print(&plan);
        ui.print("dry run: nothing was changed\n");
        return Ok(ExitCode::Done);
    }
    ui.say_block(&plan);
    let question = match target.cluster.context() {
        Some(name) => format!("Go on in context {name}?"),
        None => "Go on?".to_owned(),
    };
    let approved = Approved::by(&run, |run| confirm(context, args.yes, &question, run.operation.verb()))?;
    perform(context, target, args.output, found, run, None, &approved).await
}

/// Takes the lock and goes on with a run that was stopped.
///
/// # Errors
/// When it is not approved, or somebody else holds the lock.
pub async fn go_on(
    context: &Context,
    target: &Target,
    output: RunOutput,
    found: &Found,
    journalled: &Journalled,
    approved: &Approved,
) -> Result<ExitCode, CommandError> {
    let mut run = journalled.run.clone();
    run.attempt += 1;
    run.by = found.by.clone();
    perform(context, target, output, found, run, Some(journalled), approved).await
}

async fn perform(
    context: &Context,
    target: &Target,
    output: RunOutput,
    found: &Found,
    run: Run,
    journalled: Option<&Journalled>,
    approved: &Approved,
) -> Result<ExitCode, CommandError> {
    let lock = match target.cluster.take_lock(&target.reference, &run.id, &run.by.to_string()).await? {
        Taken::Ours(lock) => lock,
        Taken::HeldBy(holder) => return Err(held(&holder, found)),
    };
    let live = LiveCluster::new(&target.cluster, &run, &found.snapshot, lock, journalled);
    let interrupt = Interrupt::default();
    let ui = &context.ui;
    let mut display = report::Display::new(ui, output == RunOutput::Json, &run);
    let mut tell = |event: &Event| display.tell(event);
    let ended = tokio::select! {
        ended = drive(&live, approved, run, &interrupt, &mut tell) => ended,
        () = listen(&interrupt) => unreachable!("signals are listened to for ever"),
    };
    display.finish();
    let _ = target.cluster.prune_runs(&target.reference).await;
    if let Err(error) = live.close().await {
        ui.say(format!(
            "{} {error}; the lock ends by itself in half a minute",
            ui.err_style().warning("warning:")
        ));
    }
    conclude(context, output, &ended)
}

/// Hands signals on: the first asks to stop after the step, the second at once. A terminal that goes away stops nothing.
async fn listen(interrupt: &Interrupt) {
    let stream = |kind| signal(kind).ok();
    let (mut int, mut term, mut hangup) =
        (stream(SignalKind::interrupt()), stream(SignalKind::terminate()), stream(SignalKind::hangup()));
    let next = async |stream: &mut Option<tokio::signal::unix::Signal>| match stream {
        Some(stream) => drop(stream.recv().await),
        None => std::future::pending().await,
    };
    loop {
        tokio::select! {
            () = next(&mut int) => interrupt.again(),
            () = next(&mut term) => interrupt.again(),
            () = next(&mut hangup) => {}
        }
    }
}

/// Where the run takes place, so that nobody moves the shards of another cluster than they think.
fn destination(target: &Target) -> String {
    let namespace = &target.reference.namespace;
    match target.cluster.context() {
        Some(context) => format!("context {context}, namespace {namespace}"),
        None => format!("this cluster, namespace {namespace}"),
    }
}

/// Somebody else has the lock.
pub(super) fn held(holder: &Holder, found: &Found) -> CommandError {
    let run = holder.run.as_deref().map(|run| format!(" for run {run}")).unwrap_or_default();
    let since = holder
        .since
        .map(|since| format!(" since {}", crate::domain::age::age(since, found.now)))
        .unwrap_or_default();
    let ends = humantime::format_duration(Duration::from_secs(holder.ends_in.as_secs() + 1));
    CommandError::refused(format!("{} holds the lock{run}{since}; nothing was changed", holder.who))
        .hint("wait for it to end; `shardctl rollout status --watch` shows it")
        .hint(format!("if that process is dead, its lock ends in {ends}"))
}

fn conclude(context: &Context, output: RunOutput, ended: &Ended) -> Result<ExitCode, CommandError> {
    let run = &ended.run;
    let ui = &context.ui;
    if output == RunOutput::Table {
        ui.print(&report::ledger(run, ui.look()));
    }
    let resume = "`shardctl rollout resume` goes on when that is mended, `shardctl rollout undo` goes back to the \
                  template before, `shardctl rollout abort` takes the run back";
    match &run.state {
        State::Done => Ok(ExitCode::Done),
        State::Aborted { why } => {
            Err(CommandError::refused(format!("{why}; no shard was touched, and everything is as it was")))
        }
        State::Stopped { why: StopReason::Interrupted } => {
            Err(CommandError::incomplete(format!("run {} was interrupted", run.id))
                .hint("`shardctl rollout resume` goes on, `shardctl rollout abort` takes it back"))
        }
        State::Stopped { why: StopReason::LockLost } => Err(CommandError::incomplete(format!(
            "run {}: the lock was lost, so nothing more was changed",
            run.id
        ))
        .hint("`shardctl rollout status` tells who has it, and what is left")),
        State::Stopped { why } => {
            Err(CommandError::incomplete(format!("run {} stopped: {why}", run.id)).hint(resume))
        }
        State::Running => {
            Err(CommandError::new(ExitCode::Bug, anyhow::anyhow!("the run ended while it ran")))
        }
    }
}
