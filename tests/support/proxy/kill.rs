//! Kills a program right before or right after one of its writes.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::asked::{Asked, Exchange};
use super::server::Shared;
use crate::support::Run;

/// When a program is killed, counted in its writes from 1.
pub struct Moment {
    pub(super) is_before: bool,
    write: usize,
    counts: Box<dyn Fn(&Asked) -> bool + Send>,
}

impl Moment {
    /// Right before this write: the server never sees it.
    pub fn before(write: usize) -> Self {
        Self { is_before: true, write, counts: Box::new(Asked::is_write) }
    }

    /// Right after this write: the server has answered it, and the program never sees the answer.
    pub fn after(write: usize) -> Self {
        Self { is_before: false, ..Self::before(write) }
    }

    /// Leaves the renewals of Leases out: they come with the clock.
    #[must_use]
    pub fn not_counting_renewals(self) -> Self {
        self.counting(|asked| !asked.is_lease_renewal())
    }

    /// Counts only the writes that `counts` chooses.
    #[must_use]
    pub fn counting(self, counts: impl Fn(&Asked) -> bool + Send + 'static) -> Self {
        let before = self.counts;
        Self { counts: Box::new(move |asked| before(asked) && counts(asked)), ..self }
    }
}

/// How a program ended that was to be killed.
#[derive(Debug)]
pub struct Ended {
    /// What it had said, and the code it ended with; -1 when it was killed.
    pub run: Run,
    /// The write that it was killed at. None: it ended by itself, and before that moment.
    pub killed_at: Option<Exchange>,
}

/// A program that will be killed.
pub(super) struct Trap {
    pub moment: Moment,
    pub victim: Victim,
    seen: usize,
}

/// The process to kill, and the socket that it may still have knocked at.
pub(super) struct Victim {
    process: Pid,
    listener: TcpListener,
}

impl Trap {
    pub fn new(moment: Moment, process: Pid, listener: TcpListener) -> Self {
        Self { moment, victim: Victim { process, listener }, seen: 0 }
    }

    /// Counts a request, and tells whether it is the one.
    pub fn is_sprung_by(&mut self, asked: &Asked) -> bool {
        let is_counted = (self.moment.counts)(asked);
        self.seen += usize::from(is_counted);
        is_counted && self.seen == self.moment.write
    }
}

impl Victim {
    /// Kills it, and returns when it is dead and nothing of it is left to be read. Nobody is let in meanwhile.
    pub async fn kill(self, shared: Arc<Shared>) {
        let _ = kill_process(self.process, Signal::KILL);
        while is_alive(self.process) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        while self.listener.accept().is_ok() {}
        shared.state().let_in_again();
    }
}

/// A process that was not waited for yet is still listed, as a zombie.
fn is_alive(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

/// A program that was to be killed did not end in another way.
pub(super) fn check(output: &Output, killed_at: Option<&Exchange>) {
    let is_killed = output.status.signal() == Some(Signal::KILL.as_raw());
    assert_eq!(is_killed, killed_at.is_some(), "it ended with {}: {output:?}", output.status);
}
