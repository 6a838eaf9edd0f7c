//! Each guarantee, by its name, in cases made for it. The random schedules assert all of them after every step.

use std::time::Duration;

use shardctl::domain::rolling::{State, Strategy};

use crate::schedule::{Answer, CallFault, Fault, Kind, PodFault, Schedule};
use crate::scripted::{call, drain, is_done, migrate, plays, set, stops, upgrade, with, with_call};

#[test]
fn whole_before_start() {
    // Not down when it was planned, down when the first is to go, and up again later.
    let late = with(&migrate(), [Fault::Unready { at: 9000, ordinal: 2, lasts: 20_000 }]);
    let played = plays(&late);
    assert_eq!(played.run.state, State::Done);
    // Never up again, and no shard of the run.
    let for_good = with(&drain(), [Fault::Unready { at: 1100, ordinal: 2, lasts: 1_000_000 }]);
    stops(&for_good, "shard-2 down, not by our hand, and not up within 1m 30s");
}

#[test]
fn the_broken_shard_goes_first() {
    let mut schedule = Schedule::quiet(Kind::Upgrade, 4);
    schedule.service.broken = set(&[2]);
    assert_eq!(is_done(&schedule).deleted, [2, 0, 1, 3]);
    schedule.service.broken = set(&[1, 3]);
    let deleted = is_done(&schedule).deleted;
    assert_eq!((set(&deleted[..2]), &deleted[2..]), (set(&[1, 3]), &[0, 2][..]));
    // A shard that never came up on a bad template is what undo is for.
    let mut undo = Schedule::quiet(Kind::Undo { newer: set(&[1, 3]) }, 4);
    undo.service.broken = set(&[3]);
    assert_eq!(is_done(&undo).deleted, [3, 1]);
}

#[test]
fn never_more_than_wave() {
    for size in [1, 2, 3] {
        let mut schedule = Schedule::quiet(Kind::Upgrade, 6);
        schedule.task.strategy = Strategy::Waves(size);
        let most = is_done(&schedule).run.ledger.outages.iter().map(|outage| outage.most_down).max();
        assert_eq!(most, Some(size));
    }
}

#[test]
fn exact_pod() {
    // Somebody else deletes the shard right before us: ours must not hit the new one.
    let quiet = upgrade();
    let number = call(&quiet, "delete pod/shard-1", 0);
    for at in (4000..13_000).step_by(100) {
        let schedule = with(
            &quiet,
            [Fault::Deletes { at, ordinal: 1 }, Fault::Call { call: number, how: CallFault::Slow(900) }],
        );
        plays(&schedule);
    }
    // The pod has changed since: it is looked at once more, and deleted as it is now.
    let played = plays(&with_call(&quiet, "delete pod/shard-1", 0, CallFault::Collision));
    assert_eq!(played.deleted, [0, 1, 2]);
}

#[test]
fn back_before_next() {
    // Ready is not enough where there is a gate.
    let schedule = with(&upgrade(), [Fault::GateRefuses { ordinal: 0, from: 2000, to: 30_000 }]);
    let played = plays(&schedule);
    assert_eq!(played.run.state, State::Done);
    let first = &played.run.ledger.outages[0];
    assert!(first.duration(first.started_at) > Duration::from_secs(20), "{first:?}");
    // A shard that does not come back is the last one that was touched.
    let fails = Fault::PodFails { ordinal: 1, remake: 1, how: PodFault::NeverReady, lasts: None };
    let mut schedule = with(&upgrade(), [fails]);
    schedule.answers = vec![Answer::Abort { after: 1000 }];
    let played = stops(&schedule, "shard-1 not back within 1m");
    assert_eq!(played.deleted, [0, 1]);
}

#[test]
fn one_run() {
    for at in (1000..30_000).step_by(250) {
        let schedule = with(&upgrade(), [Fault::LosesLock { at, taken_after: 12_000 }]);
        plays(&schedule);
    }
}

#[test]
fn leaves_nothing() {
    for kind in [migrate(), drain()] {
        for at in (1000..30_000).step_by(500) {
            let mut schedule = with(&kind, [Fault::Interrupt { at }, Fault::Interrupt { at: at + 300 }]);
            schedule.answers = vec![Answer::Abort { after: 1000 }];
            plays(&schedule);
        }
    }
}

#[test]
fn a_foreign_change_of_a_frozen_budget_is_left_alone_and_told() {
    let played = plays(&with(&drain(), [Fault::ChangesBudgets { at: 5000, nodes: 7 }]));
    assert_eq!(
        played.run.left_behind,
        ["somebody else has changed spec.disruption.budgets of nodepool/explore; it is left as it is"]
    );
}

#[test]
fn within_budget() {
    let mut schedule = Schedule::quiet(Kind::Upgrade, 5);
    schedule.task.restart_forecast = Some(4500);
    schedule.task.max_total_outage = Some(10_000);
    schedule.answers = vec![Answer::Abort { after: 1000 }];
    assert_eq!(stops(&schedule, "--max-total-outage").deleted, [0, 1]);
    // The first restart took longer than was forecast.
    schedule.task.max_total_outage = None;
    schedule.task.restart_forecast = Some(2000);
    schedule.task.max_outage = Some(3000);
    assert_eq!(stops(&schedule, "--max-outage").deleted, [0]);
}

#[test]
fn disarmed() {
    for at in (3000..20_000).step_by(500) {
        let mut schedule = with(&upgrade(), [Fault::Interrupt { at }]);
        schedule.answers = vec![Answer::Abort { after: 1000 }];
        plays(&schedule);
    }
}

/// The process dies at each of its calls, before and after its effect, and another one goes on, or takes it back.
#[test]
fn resumable() {
    let mut wave = Schedule::quiet(Kind::Migrate, 4);
    wave.task.strategy = Strategy::Canary;
    let mut undo = Schedule::quiet(Kind::Undo { newer: set(&[0, 2]) }, 3);
    undo.service.broken = set(&[2]);
    for quiet in [migrate(), wave, upgrade(), drain(), undo] {
        let calls = u32::try_from(is_done(&quiet).calls).expect("a number of calls");
        for call in 0..calls {
            for is_after_effect in [false, true] {
                for answer in [Answer::Resume { after: 31_000 }, Answer::Abort { after: 31_000 }] {
                    let mut schedule = with(&quiet, [Fault::Crash { call, is_after_effect }]);
                    schedule.answers = vec![answer];
                    let played = plays(&schedule);
                    let is_done = matches!(played.run.state, State::Done);
                    assert_eq!(is_done, matches!(answer, Answer::Resume { .. }), "{schedule}");
                }
            }
        }
    }
}
