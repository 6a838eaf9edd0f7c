//! Random schedules: every one must end, and keep every guarantee.
//!
//! `SIMULATION_SEED` is the first seed, `SIMULATION_COUNT` how many there are.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use shardctl::domain::rolling::State;

use crate::play::{Failure, Played, play, play_with};
use crate::sabotage::Sabotage;
use crate::schedule::Schedule;
use crate::shrink::{in_words, shrink};
use crate::story::Story;

const SCHEDULES: u64 = 20_000;

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn report(seed: u64, schedule: Schedule, failure: &Failure) -> String {
    let simplest = shrink(schedule, failure.violation.guarantee);
    let told = play_with(&simplest, Sabotage::None, Story::told());
    let failure = told.err().unwrap_or_else(|| failure.clone());
    format!("SIMULATION_SEED={seed} SIMULATION_COUNT=1\n{}", in_words(&simplest, &failure))
}

/// What the schedules were like, so that it is seen when they miss something.
#[derive(Default)]
struct Seen {
    /// How runs ended and stopped, how often.
    ends: BTreeMap<String, u64>,
    processes: usize,
    calls: usize,
    deletions: usize,
    /// Guarantees that were broken, how often, and the first seed of each.
    broken: BTreeMap<String, (u64, u64)>,
}

impl Seen {
    fn note(&mut self, seed: u64, played: Result<Played, Failure>) {
        let mut count = |what: &str| {
            let without_numbers: String = what.chars().filter(|c| !c.is_ascii_digit()).take(70).collect();
            *self.ends.entry(without_numbers).or_default() += 1;
        };
        match played {
            Ok(played) => {
                count(match played.run.state {
                    State::Done => "done",
                    State::Aborted { .. } => "aborted",
                    _ => "open",
                });
                played.stops.iter().for_each(|stop| count(&format!("  stop: {stop}")));
                self.processes += played.processes;
                self.calls += played.calls;
                self.deletions += played.deleted.len();
            }
            Err(Failure { violation, .. }) => {
                let what: String = violation.what.chars().filter(|c| !c.is_ascii_digit()).take(100).collect();
                let broken = self.broken.entry(format!("{}: {what}", violation.guarantee)).or_default();
                broken.0 += 1;
                broken.1 = if broken.1 == 0 { seed } else { broken.1.min(seed) };
            }
        }
    }

    fn add(&mut self, other: Self) {
        other.ends.into_iter().for_each(|(end, times)| *self.ends.entry(end).or_default() += times);
        self.processes += other.processes;
        self.calls += other.calls;
        self.deletions += other.deletions;
        for (what, (times, seed)) in other.broken {
            let broken = self.broken.entry(what).or_insert((0, seed));
            *broken = (broken.0 + times, broken.1.min(seed));
        }
    }
}

#[test]
fn every_random_schedule_keeps_every_guarantee() {
    let first = from_environment("SIMULATION_SEED", 1);
    let count = from_environment("SIMULATION_COUNT", SCHEDULES);
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let play_some = || {
        let mut seen = Seen::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return seen;
            }
            seen.note(seed, play(&Schedule::random(seed)));
        }
    };
    let mut seen = Seen::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(play_some)).collect();
        for thread in threads {
            seen.add(thread.join().expect("a thread that plays schedules"));
        }
    });
    println!(
        "{count} schedules from seed {first}: {} processes, {} calls, {} shards deleted",
        seen.processes, seen.calls, seen.deletions
    );
    for (end, times) in &seen.ends {
        println!("{times:>7}  {end}");
    }
    for (what, (times, seed)) in &seen.broken {
        println!("{times:>7}  BROKEN {what} (first with seed {seed})");
    }
    if let Some(seed) = seen.broken.values().map(|(_, seed)| *seed).min() {
        let schedule = Schedule::random(seed);
        if let Err(failure) = play(&schedule) {
            panic!("{}", report(seed, schedule, &failure));
        }
    }
}
