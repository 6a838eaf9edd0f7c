//! Looking again and again: `--watch` until interrupted, `--wait` until it is good.

use std::time::Duration;

use super::target::Target;
use crate::context::Context;
use crate::error::{CommandError, ExitCode};
use crate::k8s::Scope;

/// Between two looks at least so long passes: a report costs requests.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Between two looks at many nodes, of which no change is heard.
const LOOK_AT_ALL_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Shows what `look` finds whenever it is something else, until interrupted; ends with the last verdict. `facts` is
/// what is found without the passing of time: only a terminal, where one answer takes the place of the other, shows how
/// long something has been so.
///
/// # Errors
/// When the first look fails. A later one that fails is told, and tried again.
pub async fn watch<T, F: PartialEq>(
    context: &Context,
    target: &Target,
    look: impl AsyncFn() -> Result<T, CommandError>,
    show: impl Fn(&T) -> String,
    facts: impl Fn(&T) -> F,
    exit: impl Fn(&T) -> ExitCode,
) -> Result<ExitCode, CommandError> {
    let first = look().await?;
    let mut changes = target.cluster.changes(&target.snapshot(Scope::default()).await?.workload);
    let next = async || {
        tokio::join!(changes.next(), tokio::time::sleep(LOOK_AGAIN_AFTER));
    };
    again_and_again(context, first, look, next, show, facts, exit).await
}

/// The same for what is more than one workload: looks again every few seconds.
///
/// # Errors
/// When the first look fails.
pub async fn watch_every<T, F: PartialEq>(
    context: &Context,
    look: impl AsyncFn() -> Result<T, CommandError>,
    show: impl Fn(&T) -> String,
    facts: impl Fn(&T) -> F,
    exit: impl Fn(&T) -> ExitCode,
) -> Result<ExitCode, CommandError> {
    let first = look().await?;
    let next = async || tokio::time::sleep(LOOK_AT_ALL_AGAIN_AFTER).await;
    again_and_again(context, first, look, next, show, facts, exit).await
}

async fn again_and_again<T, F: PartialEq>(
    context: &Context,
    first: T,
    look: impl AsyncFn() -> Result<T, CommandError>,
    mut next: impl AsyncFnMut(),
    show: impl Fn(&T) -> String,
    facts: impl Fn(&T) -> F,
    exit: impl Fn(&T) -> ExitCode,
) -> Result<ExitCode, CommandError> {
    let mut found = first;
    let mut known = None;
    let mut shown = String::new();
    loop {
        let (text, now) = (show(&found), Some(facts(&found)));
        if now != known || (context.ui.is_redrawing() && text != shown) {
            context.ui.print_again(&text);
            (shown, known) = (text, now);
        }
        tokio::select! {
            () = next() => {}
            _ = tokio::signal::ctrl_c() => return Ok(exit(&found)),
        }
        if context.ui.is_closed() {
            return Ok(exit(&found));
        }
        match look().await {
            Ok(again) => found = again,
            Err(error) => context.ui.say(format!("{} {error}", context.ui.err_style().warning("warning:"))),
        }
    }
}

/// Looks until what is found is good, at most so long, and returns what was found last.
///
/// # Errors
/// When the last look failed.
pub async fn until<T>(
    target: &Target,
    longest: Duration,
    look: impl AsyncFn() -> Result<T, CommandError>,
    is_good: impl Fn(&T) -> bool,
) -> Result<T, CommandError> {
    let deadline = tokio::time::Instant::now() + longest;
    let mut changes = None;
    loop {
        let found = look().await;
        if found.as_ref().is_ok_and(&is_good) || tokio::time::Instant::now() >= deadline {
            return found;
        }
        if changes.is_none()
            && let Ok(snapshot) = target.snapshot(Scope::default()).await
        {
            changes = Some(target.cluster.changes(&snapshot.workload));
        }
        let next = async {
            let wait = tokio::time::sleep(LOOK_AGAIN_AFTER);
            match &mut changes {
                Some(changes) => drop(tokio::join!(changes.next(), wait)),
                None => wait.await,
            }
        };
        let _ = tokio::time::timeout_at(deadline, next).await;
    }
}
