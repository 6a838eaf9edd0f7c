//! The lock on a workload, as commands take it.

use std::time::Duration;

use super::surroundings::Found;
use crate::commands::target::Target;
use crate::context::Context;
use crate::domain::age::age;
use crate::domain::rolling::Run;
use crate::error::CommandError;
use crate::k8s::{Holder, Journalled, Lock, Taken};

/// A lock that is about to end is asked for again after so long.
const LOCK_AGAIN: Duration = Duration::from_secs(1);

/// Takes the lock. One that the process held which works on `journalled` no more is waited for: it ends by itself.
pub(super) async fn take_lock(
    context: &Context,
    target: &Target,
    found: &Found,
    run: &Run,
    journalled: Option<&Journalled>,
) -> Result<Lock, CommandError> {
    let who = found.by.to_string();
    let holder = match target.cluster.take_lock(&target.reference, &run.id, &who).await? {
        Taken::Ours(lock) => return Ok(lock),
        Taken::HeldBy(holder) => holder,
    };
    let was_its = journalled.is_some_and(|journalled| journalled.run.by.to_string() == holder.who);
    if !was_its {
        return Err(held(&holder, found));
    }
    context.ui.say(format!(
        "{} may still work on run {}; its lock ends in {} unless it does",
        holder.who,
        run.id,
        humantime::format_duration(Duration::from_secs(holder.ends_in.as_secs() + 1))
    ));
    let deadline = tokio::time::Instant::now() + holder.ends_in;
    loop {
        tokio::time::sleep(LOCK_AGAIN.min(deadline.saturating_duration_since(tokio::time::Instant::now())))
            .await;
        match target.cluster.take_lock(&target.reference, &run.id, &who).await? {
            Taken::Ours(lock) => return Ok(lock),
            // It was renewed: its holder is alive.
            Taken::HeldBy(now) if now.ends > holder.ends || now.who != holder.who => {
                return Err(held(&now, found));
            }
            Taken::HeldBy(_) => tokio::time::sleep(LOCK_AGAIN).await,
        }
    }
}

/// Somebody else has the lock.
pub(super) fn held(holder: &Holder, found: &Found) -> CommandError {
    let run = holder.run.as_deref().map(|run| format!(" for run {run}")).unwrap_or_default();
    let since = holder.since.map(|since| format!(" since {}", age(since, found.now))).unwrap_or_default();
    let ends = humantime::format_duration(Duration::from_secs(holder.ends_in.as_secs() + 1));
    CommandError::refused(format!("{} holds the lock{run}{since}; nothing was changed", holder.who))
        .hint("wait for it to end; `shardctl rollout status --watch` shows it")
        .hint(format!("if that process is dead, its lock ends in {ends}"))
}
