//! From an approved plan to its end.

use super::aftermath::verify_after;
use super::concerns::refuse_concerns;
use super::lock::{held, take_lock};
use super::options::{DryRun, RollingArgs, RunOutput};
use super::prove::prove_run;
use super::signals::listen;
use super::surroundings::Found;
use crate::commands::confirm::confirm;
use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::rolling::{OnFailure, Run, State, StopReason};
use crate::domain::shardset::manifests::Manifest;
use crate::error::{CommandError, ExitCode};
use crate::k8s::{ApplyOptions, Journalled, LiveCluster, Lock};
use crate::ops::{Approved, Ended, Event, Happened, Interrupt, drive, let_go};
use crate::render::report::rolling as report;

/// What comes before a new run.
pub enum Before<'a> {
    Nothing,
    /// The same was begun and not ended: it is gone on with.
    Resume(&'a Journalled),
    /// Another was begun and not ended, and ends now.
    Close(&'a Journalled),
}

/// What is done first, once the plan is approved.
pub struct First<'a> {
    pub before: Before<'a>,
    /// An object that the run needs and that is not there: the node pool to move to.
    pub apply: Option<Manifest>,
}

impl<'a> From<Before<'a>> for First<'a> {
    fn from(before: Before<'a>) -> Self {
        Self { before, apply: None }
    }
}

/// What to do about a run that is open when `new` is to begin.
///
/// # Errors
/// When it is another: what to do about that one.
pub fn open_run<'a>(found: &'a Found, new: &Run) -> Result<Before<'a>, CommandError> {
    let Some(journalled) = found.runs.iter().find(|one| one.run.is_open()) else {
        return Ok(Before::Nothing);
    };
    let open = &journalled.run;
    if open.is_same_as(new) {
        return Ok(Before::Resume(journalled));
    }
    let state = match &open.state {
        State::Stopped { why } => format!("stopped part-way: {why}"),
        _ => match &found.holder {
            Some(holder) => return Err(held(holder, found)),
            None => format!("was left by {}, which ended without a word", open.by),
        },
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
    first: impl Into<First<'_>>,
) -> Result<ExitCode, CommandError> {
    let First { before, apply } = first.into();
    let ui = &context.ui;
    refuse_concerns(context, target, args, &found.snapshot, &run).await?;
    let plan = match before {
        Before::Resume(journalled) => report::standing(&journalled.run, &found.snapshot, ui.look()),
        _ => {
            let proof = prove_run(target, &found.snapshot, &run).await?;
            report::plan(&run, &proof, &found.snapshot, &destination(target), ui.look())
        }
    };
    if let Some(manifest) = &apply {
        ui.say(format!("{manifest} is not there yet and will be made"));
    }
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
    if let Before::Resume(journalled) = before {
        let approved = Approved::by(&journalled.run, |_| Ok::<(), CommandError>(()))?;
        return go_on(context, target, args.output, found, journalled, &approved).await;
    }
    let mut lock = take_lock(context, target, found, &run, None).await?;
    if let Some(manifest) = &apply {
        target.cluster.apply(manifest, ApplyOptions::default()).await?;
    }
    if let Before::Close(journalled) = before {
        lock = close(
            context,
            target,
            found,
            journalled,
            lock,
            &approved,
            false,
            &format!("run {} took over", run.id),
        )
        .await?;
    }
    let ended = perform(context, target, args.output, found, run, None, lock, &approved).await?;
    let exit = conclude(context, target, args.output, found, &ended).await;
    let goes_back = ended.run.policy.on_failure == OnFailure::Undo && ended.run.arming.is_some();
    match (&ended.run.state, exit) {
        (State::Stopped { why: StopReason::Blocked(_) }, Err(error)) if goes_back => {
            ui.say(format!("{} {error}", ui.err_style().danger("failed:")));
            ui.say("going back to the template before, as --on-failure=undo says");
            Box::pin(super::undo::undo(context, target, None, &args.for_the_way_back())).await?;
            Err(CommandError::failed(format!("{error}; every shard is back on the template before")))
        }
        (_, exit) => exit,
    }
}

/// Takes the lock and goes on with a run that was stopped.
///
/// # Errors
/// When somebody else holds the lock.
pub async fn go_on(
    context: &Context,
    target: &Target,
    output: RunOutput,
    found: &Found,
    journalled: &Journalled,
    approved: &Approved,
) -> Result<ExitCode, CommandError> {
    let mut run = journalled.run.clone();
    let lock = take_lock(context, target, found, &run, Some(journalled)).await?;
    run.attempt += 1;
    run.by = found.by.clone();
    let ended = perform(context, target, output, found, run, Some(journalled), lock, approved).await?;
    conclude(context, target, output, found, &ended).await
}

/// Takes a run back that was stopped: everything but the shards that it moved.
///
/// # Errors
/// When somebody else holds the lock, or something could not be given back.
pub async fn take_back(
    context: &Context,
    target: &Target,
    found: &Found,
    journalled: &Journalled,
    approved: &Approved,
    why: &str,
) -> Result<ExitCode, CommandError> {
    let lock = take_lock(context, target, found, &journalled.run, Some(journalled)).await?;
    let lock = close(context, target, found, journalled, lock, approved, true, why).await?;
    let _ = lock.release().await;
    let run = &journalled.run;
    let reference = &target.reference;
    context.ui.print(&format!("run {} is aborted\n", run.id));
    if run.arming.is_some() && !run.deleted.is_empty() {
        let moved: Vec<u32> = run.deleted.keys().copied().collect();
        let pods = crate::domain::names::pods_in_short(&reference.name, &moved);
        context.ui.say(format!(
            "{} {pods} stay as they are until they restart; `shardctl rollout undo` takes them back at once",
            context.ui.err_style().warning("note:")
        ));
    }
    Ok(ExitCode::Done)
}

/// Gives back what an open run holds and closes its journal.
#[expect(clippy::too_many_arguments, reason = "one step of two commands")]
async fn close(
    context: &Context,
    target: &Target,
    found: &Found,
    journalled: &Journalled,
    lock: Lock,
    approved: &Approved,
    purpose: bool,
    why: &str,
) -> Result<Lock, CommandError> {
    use crate::ops::Cluster as _;
    let mut run = journalled.run.clone();
    run.attempt += 1;
    run.by = found.by.clone();
    let live = LiveCluster::new(&target.cluster, &run, &found.snapshot, lock, Some(journalled));
    let style = context.ui.err_style();
    let mut say = |what: Happened| {
        if let Some(line) = report::line(&journalled.run, &what, style) {
            context.ui.say(line);
        }
    };
    let closed = async {
        // Whoever worked on it finds out at its next write.
        live.save(&run).await?;
        let_go(&live, approved, &mut run, purpose, &mut say).await?;
        run.state = State::Aborted { why: why.to_owned() };
        run.ended_at = Some(context.now());
        live.save(&run).await
    };
    closed.await.map_err(|error| {
        CommandError::incomplete(format!("run {} is not taken back: {error}", journalled.run.id))
            .hint("run the same command again")
    })?;
    Ok(live.into_lock())
}

#[expect(clippy::too_many_arguments, reason = "the end of every command that rolls")]
async fn perform(
    context: &Context,
    target: &Target,
    output: RunOutput,
    found: &Found,
    run: Run,
    journalled: Option<&Journalled>,
    lock: Lock,
    approved: &Approved,
) -> Result<Ended, CommandError> {
    let live = LiveCluster::new(&target.cluster, &run, &found.snapshot, lock, journalled);
    let interrupt = Interrupt::default();
    let ui = &context.ui;
    let mut display = report::Display::new(ui, output == RunOutput::Json, &run);
    let mut tell = |event: &Event| display.tell(event);
    let begun = format!("run {}: {}", run.id, run.operation);
    // Nobody waits for an event, and a run that cannot tell of itself is a run all the same.
    let _ = target.cluster.announce(&run, "RunStarted", &begun, false).await;
    let ended = tokio::select! {
        ended = Box::pin(drive(&live, approved, run, &interrupt, &mut tell)) => ended,
        () = listen(&interrupt) => unreachable!("signals are listened to for ever"),
    };
    display.finish();
    let (reason, note, is_warning) = in_short(&ended.run);
    let _ = target.cluster.announce(&ended.run, reason, &note, is_warning).await;
    let _ = target.cluster.prune_runs(&target.reference).await;
    if let Err(error) = live.into_lock().release().await {
        ui.say(format!(
            "{} {error}; the lock ends by itself in half a minute",
            ui.err_style().warning("warning:")
        ));
    }
    Ok(ended)
}

/// How a run ended, as an event.
fn in_short(run: &Run) -> (&'static str, String, bool) {
    let ended = run.ended_at.unwrap_or(run.started_at);
    let total = report::seconds(run.ledger.total(ended));
    let measured = format!("{} outages, {total} together", run.ledger.outages.len());
    match &run.state {
        State::Done => ("RunDone", format!("run {}: {measured}", run.id), false),
        State::Aborted { why } => ("RunAborted", format!("run {}: {why}", run.id), true),
        State::Stopped { why } => ("RunStopped", format!("run {}: {why}; {measured}", run.id), true),
        State::Running => ("RunStopped", format!("run {}", run.id), true),
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

async fn conclude(
    context: &Context,
    target: &Target,
    output: RunOutput,
    found: &Found,
    ended: &Ended,
) -> Result<ExitCode, CommandError> {
    let run = &ended.run;
    let ui = &context.ui;
    if output == RunOutput::Table {
        ui.print(&report::ledger(run, ui.look()));
    }
    let resume = "`shardctl rollout resume` goes on when that is mended, `shardctl rollout undo` goes back to the \
                  template before, `shardctl rollout abort` takes the run back";
    match &run.state {
        State::Done => verify_after(context, target, &found.snapshot).await,
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
