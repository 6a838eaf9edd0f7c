//! The checker can fail: each guarantee is broken on purpose once, and the checker names it.
//!
//! The engine is broken from outside: between it and the cluster stands somebody who hides what is down, deletes by name,
//! skips the journal. What remains is an engine with one thought too few.

use shardctl::domain::rolling::Strategy;

use crate::checker::Guarantee;
use crate::sabotage::Sabotage;
use crate::schedule::{Answer, CallFault, Fault, Schedule};
use crate::scripted::{breaks, drain, migrate, plays, upgrade, with, with_call};

/// The schedule is well without the sabotage, and breaks this with it.
#[track_caller]
fn catches(schedule: &Schedule, sabotage: Sabotage, guarantee: Guarantee) {
    plays(schedule);
    assert_eq!(breaks(schedule, sabotage), guarantee);
}

#[test]
fn a_shard_that_is_down_is_overlooked() {
    let mut schedule = with(&migrate(), [Fault::Unready { at: 1100, ordinal: 2, lasts: 30_000 }]);
    schedule.task.gate = None;
    catches(&schedule, Sabotage::HidesTheDown, Guarantee::WholeBeforeStart);
}

#[test]
fn all_waves_are_taken_down_at_once() {
    catches(&migrate(), Sabotage::MergesWaves, Guarantee::NeverMoreThanWave);
}

#[test]
fn pods_are_deleted_by_name() {
    let schedule = with_call(&migrate(), "delete pod/shard-1", 0, CallFault::Collision);
    catches(&schedule, Sabotage::DeletesByName, Guarantee::ExactPod);
}

#[test]
fn the_gate_is_not_asked() {
    let schedule = with(&upgrade(), [Fault::GateRefuses { ordinal: 0, from: 2000, to: 30_000 }]);
    catches(&schedule, Sabotage::AsksNobody, Guarantee::BackBeforeNext);
}

#[test]
fn the_service_is_not_given_time_to_settle() {
    catches(&upgrade(), Sabotage::DoesNotSettle, Guarantee::BackBeforeNext);
}

#[test]
fn the_lock_is_not_looked_at() {
    let mut schedule = with(&migrate(), [Fault::LosesLock { at: 14_000, taken_after: 10_000 }]);
    schedule.task.gate = None;
    catches(&schedule, Sabotage::IgnoresTheLock, Guarantee::OneRun);
}

#[test]
fn placeholders_are_not_removed() {
    catches(&migrate(), Sabotage::KeepsPlaceholders, Guarantee::LeavesNothing);
}

#[test]
fn pools_stay_frozen() {
    catches(&drain(), Sabotage::KeepsPoolsFrozen, Guarantee::LeavesNothing);
}

#[test]
fn budgets_are_not_kept() {
    let mut schedule = upgrade();
    schedule.task.strategy = Strategy::OneByOne;
    schedule.task.restart_forecast = Some(4000);
    schedule.task.max_total_outage = Some(6000);
    catches(&schedule, Sabotage::ForgetsBudgets, Guarantee::WithinBudget);
}

#[test]
fn the_journal_is_not_written() {
    catches(&upgrade(), Sabotage::SkipsTheJournal, Guarantee::Resumable);
}

#[test]
fn the_template_is_not_given_back() {
    let mut schedule = with(&upgrade(), [Fault::Interrupt { at: 6000 }]);
    schedule.answers = vec![Answer::Abort { after: 1000 }];
    catches(&schedule, Sabotage::KeepsTheTemplate, Guarantee::Disarmed);
}

#[test]
fn the_ledger_is_wrong() {
    catches(&upgrade(), Sabotage::MeasuresWrongly, Guarantee::Ledger);
}

#[test]
fn a_run_stops_for_no_reason() {
    catches(&upgrade(), Sabotage::SeesNobodyBack, Guarantee::Ends);
}
