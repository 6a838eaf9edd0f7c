//! Signals, as a run hears them.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ops::Interrupt;

/// Hands signals on: the first asks to stop after the step, the second at once. A terminal that goes away stops nothing.
pub async fn listen(interrupt: &Interrupt) {
    let stream = |kind| signal(kind).ok();
    let (mut int, mut term, mut hangup) =
        (stream(SignalKind::interrupt()), stream(SignalKind::terminate()), stream(SignalKind::hangup()));
    let next = async |stream: &mut Option<Signal>| match stream {
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
