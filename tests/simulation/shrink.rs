//! A failing schedule, cut down to what matters and told as a story.

use crate::checker::Guarantee;
use crate::play::{Failure, play};
use crate::schedule::Schedule;

/// A simpler schedule that breaks the same guarantee: as simple as can be found by leaving out one thing at a time.
pub fn shrink(schedule: Schedule, guarantee: Guarantee) -> Schedule {
    let mut simplest = schedule;
    // Each step leaves something out, so that this comes to an end; a bound keeps a slow schedule from taking all day.
    for _ in 0..200 {
        let fails =
            |other: &Schedule| play(other).is_err_and(|failure| failure.violation.guarantee == guarantee);
        match simplest.simpler().into_iter().find(fails) {
            Some(simpler) => simplest = simpler,
            None => break,
        }
    }
    simplest
}

/// A failing schedule in words: what was planned, what went wrong, and what happened.
pub fn in_words(schedule: &Schedule, failure: &Failure) -> String {
    format!(
        "{} is broken: {}\n\n{schedule}\n\n{}\n",
        failure.violation.guarantee,
        failure.violation.what,
        failure.story.join("\n")
    )
}
