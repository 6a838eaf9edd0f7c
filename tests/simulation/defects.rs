//! Defects that the simulation found, or that were found by reading: each as the case that showed it.

use shardctl::domain::rolling::{State, Strategy};

use crate::schedule::{Answer, CallFault, Fault, Kind, Schedule};
use crate::scripted::{call, plays, set, stops, with, with_call};

/// Four shards: one, then three together.
fn canary(kind: Kind) -> Schedule {
    let mut schedule = Schedule::quiet(kind, 4);
    schedule.task.strategy = Strategy::Canary;
    schedule
}

/// One of a wave could not be deleted, and then the operator wanted to stop: it waited for ever for a shard that nobody
/// had touched.
#[test]
fn an_interrupted_wave_ends_though_one_of_it_was_not_deleted() {
    let schedule = with_call(&canary(Kind::Upgrade), "delete pod/shard-2", 0, CallFault::Busy(30_000));
    let mut schedule = with(&schedule, [Fault::Interrupt { at: 13_000 }]);
    schedule.answers = vec![Answer::Abort { after: 1000 }];
    let played = stops(&schedule, "interrupted");
    assert_eq!(played.run.deleted.len(), 4);
    assert_eq!(played.deleted.len(), 3);
}

/// A wave was written down and the process died before it deleted anything. The next one took it for begun, and did not
/// wait until the service had settled.
#[test]
fn a_wave_that_was_only_written_down_is_not_begun() {
    let quiet = canary(Kind::Upgrade);
    let number = call(&quiet, "delete pod/shard-", 1);
    let schedule = with(&quiet, [Fault::Crash { call: number, is_after_effect: false }]);
    let mut schedule = with(&schedule, [Fault::Unready { at: 9000, ordinal: 0, lasts: 1000 }]);
    schedule.answers = vec![Answer::Resume { after: 700 }];
    assert_eq!(plays(&schedule).run.state, State::Done);
}

/// A process stood still in the middle of a step, lost its lock meanwhile, and made the rest of the step's calls.
#[test]
fn a_process_that_stood_still_does_not_go_on_where_it_was() {
    for kind in [Kind::Migrate, Kind::Drain { of: set(&[0]), others: 2, relax: true }] {
        let mut quiet = canary(kind);
        quiet.task.gate = None;
        let calls = u32::try_from(plays(&quiet).calls).expect("a number of calls");
        for call in 0..calls {
            let played = plays(&with(&quiet, [Fault::Freeze { call, lasts: 50_000 }]));
            assert_eq!(played.run.state, State::Done);
        }
    }
}

/// A shard that had been moved failed again, or its process died before it had passed the gate: the time to settle was
/// counted from when it was Ready, not from when it said that it is well.
#[test]
fn the_service_settles_after_the_gate() {
    let again = with(&Schedule::quiet(Kind::Upgrade, 3), [Fault::Deletes { at: 13_500, ordinal: 1 }]);
    assert_eq!(plays(&again).run.state, State::Done);
    let quiet = canary(Kind::Upgrade);
    let number = call(&quiet, "ask [0]", 0);
    let mut died = with(&quiet, [Fault::Crash { call: number, is_after_effect: false }]);
    died.answers = vec![Answer::Resume { after: 1000 }];
    assert_eq!(plays(&died).run.state, State::Done);
}
