//! The operator's wish to stop.

use std::cell::Cell;

use tokio::sync::Notify;

/// How urgent it is to stop. A graver wish takes the place of a lighter one, never the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nobody wants to stop.
    #[default]
    None,
    /// Finish the step, start no other, take back what was held.
    AfterStep,
    /// Stop waiting at once.
    Now,
}

/// Where a signal handler says that it is time to stop, and the driver hears it.
#[derive(Debug, Default)]
pub struct Interrupt {
    urgency: Cell<Urgency>,
    changed: Notify,
}

impl Interrupt {
    /// How urgent it is.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        self.urgency.get()
    }

    /// Says so once more: the first time after the step, the second time at once.
    pub fn again(&self) {
        self.at_least(match self.urgency.get() {
            Urgency::None => Urgency::AfterStep,
            _ => Urgency::Now,
        });
    }

    /// Makes it at least so urgent.
    pub fn at_least(&self, urgency: Urgency) {
        if urgency > self.urgency.get() {
            self.urgency.set(urgency);
            self.changed.notify_waiters();
        }
    }

    /// Returns when it is more urgent than `known`.
    pub async fn beyond(&self, known: Urgency) {
        loop {
            let changed = self.changed.notified();
            if self.urgency.get() > known {
                return;
            }
            changed.await;
        }
    }
}
