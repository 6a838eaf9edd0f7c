//! What scripted tests share.

use std::collections::BTreeSet;

use shardctl::domain::rolling::State;

use crate::checker::{Guarantee, Violation};
use crate::play::{Played, play_with};
use crate::sabotage::Sabotage;
use crate::schedule::{CallFault, Fault, Kind, Schedule};
use crate::shrink::in_words;
use crate::story::Story;

/// Plays a schedule that keeps every guarantee.
#[track_caller]
pub fn plays(schedule: &Schedule) -> Played {
    let played = play_with(schedule, Sabotage::None, Story::told())
        .unwrap_or_else(|failure| panic!("{}", in_words(schedule, &failure)));
    if std::env::var_os("SIMULATION_SHOW").is_some() {
        println!("{schedule}\n\n{}\n", played.story.join("\n"));
    }
    played
}

/// Plays a schedule that ends with everything done, at the first attempt.
#[track_caller]
pub fn is_done(schedule: &Schedule) -> Played {
    let played = plays(schedule);
    assert_eq!(played.run.state, State::Done, "{}", played.story.join("\n"));
    assert_eq!(played.stops, Vec::<String>::new(), "{}", played.story.join("\n"));
    played
}

/// Plays a schedule that stops for a reason with this in it.
#[track_caller]
pub fn stops(schedule: &Schedule, why: &str) -> Played {
    let played = plays(schedule);
    assert!(
        played.stops.iter().any(|stop| stop.contains(why)),
        "{:?}\n{}",
        played.stops,
        played.story.join("\n")
    );
    played
}

/// What the checker has against a schedule that is sabotaged.
#[track_caller]
pub fn breaks(schedule: &Schedule, sabotage: Sabotage) -> Guarantee {
    match play_with(schedule, sabotage, Story::told()) {
        Err(failure) => {
            let Violation { guarantee, .. } = failure.violation;
            guarantee
        }
        Ok(played) => panic!("nobody noticed {sabotage:?}:\n{}", played.story.join("\n")),
    }
}

/// The number of the n-th call that has this in it, as long as nothing goes wrong.
#[track_caller]
pub fn call(schedule: &Schedule, what: &str, nth: usize) -> u32 {
    let played = play_with(schedule, Sabotage::None, Story::told());
    let story = played.map_or_else(|failure| failure.story, |played| played.story);
    let numbers = story.iter().filter_map(|line| {
        let (_, rest) = line.split_once("  [").or_else(|| line.split_once(" ["))?;
        let (number, words) = rest.split_once("] ")?;
        (words.contains(what) && line.contains("shardctl")).then(|| number.parse().ok())?
    });
    numbers.into_iter().nth(nth).unwrap_or_else(|| panic!("no call {what:?}:\n{}", story.join("\n")))
}

/// The schedule with a call that goes wrong.
pub fn with_call(schedule: &Schedule, what: &str, nth: usize, how: CallFault) -> Schedule {
    with(schedule, [Fault::Call { call: call(schedule, what, nth), how }])
}

/// The schedule with more faults.
pub fn with(schedule: &Schedule, faults: impl IntoIterator<Item = Fault>) -> Schedule {
    let mut schedule = schedule.clone();
    schedule.faults.extend(faults);
    schedule
}

pub fn set(ordinals: &[u32]) -> BTreeSet<u32> {
    ordinals.iter().copied().collect()
}

/// Three shards, one by one.
pub fn migrate() -> Schedule {
    Schedule::quiet(Kind::Migrate, 3)
}

pub fn upgrade() -> Schedule {
    Schedule::quiet(Kind::Upgrade, 3)
}

/// Two shards on the same node, and two other pods.
pub fn drain() -> Schedule {
    Schedule::quiet(Kind::Drain { of: set(&[0]), others: 2, relax: false }, 3)
}
