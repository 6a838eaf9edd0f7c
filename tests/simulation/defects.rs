//! Defects that the simulation found, or that were found by reading: each as the case that showed it.

use shardctl::domain::rolling::{State, Strategy};

use crate::schedule::{Answer, CallFault, Fault, Kind, Schedule};
use crate::scripted::{call, drain, plays, set, stops, upgrade, with, with_call};
use crate::world::objects::timestamp;

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

/// A disruption budget that lets no pod go was asked every five seconds for ever.
#[test]
fn a_node_that_cannot_be_emptied_is_given_up() {
    let quiet = Schedule::quiet(Kind::Drain { of: set(&[0]), others: 2, relax: false }, 3);
    let mut schedule = with(&quiet, [Fault::BudgetIsFull { to: 86_400_000 }]);
    schedule.answers = vec![Answer::Abort { after: 1000 }];
    let played = stops(&schedule, "2 other pods are still on the node");
    assert!(played.run.ended_at.is_some_and(|ended| ended < timestamp(130_000)));
    // What waits for it does not wait longer than it must.
    let mut schedule = with(&schedule, [Fault::Interrupt { at: 30_000 }]);
    schedule.answers = vec![Answer::Abort { after: 0 }];
    assert!(plays(&schedule).run.ended_at.is_some_and(|ended| ended < timestamp(32_000)));
}

/// A placeholder that had ended keeps its name: the next one of that name was made again and again, in vain.
#[test]
fn a_placeholder_that_has_ended_is_made_anew() {
    for at in [3000, 9000, 10_000] {
        let schedule = with(&Schedule::quiet(Kind::Migrate, 3), [Fault::PlaceholderEnds { at, ordinal: 1 }]);
        assert_eq!(plays(&schedule).stops, Vec::<String>::new());
    }
}

/// Karpenter's complaint was looked for at the first of the placeholders only.
#[test]
fn room_that_cannot_be_made_is_told_at_once() {
    let quiet = Schedule::quiet(Kind::Drain { of: set(&[0]), others: 0, relax: false }, 3);
    let mut schedule = with(&quiet, [Fault::NoNewNodes { from: 0, to: 3_600_000 }]);
    schedule.service.pull = 60_000;
    let played = plays(&schedule);
    let is_told = matches!(&played.run.state, State::Aborted { why } if why.contains("exceed limits"));
    assert!(is_told && played.run.ended_at.is_some_and(|ended| ended < timestamp(30_000)));
}

/// What Karpenter had complained of before the run was resumed stopped it again at once.
#[test]
fn an_old_complaint_does_not_stop_a_resumed_run() {
    let mut schedule = with(&Schedule::quiet(Kind::Migrate, 3), [Fault::NoNewNodes { from: 0, to: 70_000 }]);
    schedule.task.prewarm = false;
    schedule.answers = vec![Answer::Resume { after: 61_500 }];
    let played = plays(&schedule);
    assert_eq!((played.run.state, played.stops.len()), (State::Done, 1));
}

/// A shard of the next wave was down by itself: the others of the wave were taken down beside it.
#[test]
fn nothing_healthy_goes_while_a_shard_of_its_wave_is_down() {
    let unready = |lasts| Fault::Unready { at: 8500, ordinal: 2, lasts };
    // It stays down: it is mended first, alone, and then the others go.
    let played = plays(&with(&canary(Kind::Upgrade), [unready(3_600_000)]));
    assert_eq!((played.run.state, &played.deleted[..2]), (State::Done, &[0, 2][..]));
    // It comes back by itself within the time that the service is given to settle.
    let played = plays(&with(&canary(Kind::Upgrade), [unready(1000)]));
    assert_eq!((played.run.state, played.run.waves.len()), (State::Done, 2));
}

/// A shard of a later wave broke before its turn: the run waited in vain for it to come up, and could never be resumed,
/// though to be moved was what would have mended it.
#[test]
fn a_shard_that_breaks_before_its_turn_goes_first() {
    let breaks = Fault::Unready { at: 1100, ordinal: 2, lasts: 3_600_000 };
    let played = plays(&with(&Schedule::quiet(Kind::Upgrade, 3), [breaks]));
    assert_eq!((played.run.state, played.deleted), (State::Done, vec![2, 0, 1]));
    // More of them than may be down together are not touched.
    let many = (0..2).map(|ordinal| Fault::Unready { at: 1100, ordinal, lasts: 3_600_000 });
    let mut schedule = with(&Schedule::quiet(Kind::Upgrade, 3), many);
    schedule.answers = vec![Answer::Abort { after: 1000 }];
    assert_eq!(stops(&schedule, "not by our hand").deleted, Vec::<u32>::new());
}

/// A moved shard that failed again later was given up at once: its time was counted from when it was moved.
#[test]
fn a_shard_that_fails_again_gets_its_time_again() {
    let mut schedule = with(&Schedule::quiet(Kind::Upgrade, 2), [Fault::Deletes { at: 70_000, ordinal: 0 }]);
    schedule.task.settle = 75_000;
    let played = plays(&schedule);
    assert_eq!((played.run.state, played.stops), (State::Done, Vec::new()));
}

/// A set that brings its pods back one after the other was given the time of one shard for all of a wave.
#[test]
fn a_wave_that_comes_back_in_turn_gets_time_for_each() {
    let mut schedule = Schedule::quiet(Kind::Upgrade, 30);
    schedule.service.is_ordered_ready = true;
    schedule.task.strategy = Strategy::Canary;
    assert_eq!(plays(&schedule).stops, Vec::<String>::new());
}

/// A shard that went down again and again, never for long, kept the run waiting for ever.
#[test]
fn a_service_that_does_not_settle_is_given_up() {
    let flaps = (0..400).map(|index| Fault::Unready { at: 1100 + 2500 * index, ordinal: 2, lasts: 500 });
    let mut schedule =
        with(&Schedule::quiet(Kind::Drain { of: set(&[0]), others: 0, relax: false }, 3), flaps);
    schedule.task.gate = None;
    schedule.answers = vec![Answer::Abort { after: 1000 }];
    let played = stops(&schedule, "shard-2 went down again");
    assert!(played.run.ended_at.is_some_and(|ended| ended < timestamp(130_000)));
}

/// While the controller had not taken note of a foreign template, shards were deleted, and came back from it.
#[test]
fn nothing_goes_before_the_controller_knows_the_template() {
    let schedule = with(
        &upgrade(),
        [Fault::ControllerStalls { from: 6000, to: 60_000 }, Fault::ChangesTemplate { at: 6500 }],
    );
    assert_eq!(stops(&schedule, "changed its template").deleted, [0]);
    // A controller that is silent for good is no reason to wait for ever.
    let mut schedule = with(
        &upgrade(),
        [Fault::ControllerStalls { from: 6000, to: 3_600_000 }, Fault::ChangesTemplate { at: 6500 }],
    );
    schedule.answers = vec![Answer::Abort { after: 1000 }];
    assert_eq!(stops(&schedule, "has not taken note").deleted, [0]);
}

/// A template that somebody else had changed between ours and the controller's note was taken for ours.
#[test]
fn a_foreign_template_is_not_taken_for_ours() {
    let mut quiet = upgrade();
    quiet.service.controller = 500;
    for at in (1800..2500).step_by(10) {
        let played = plays(&with(&quiet, [Fault::ChangesTemplate { at }]));
        assert!(played.run.state != State::Done && played.deleted.len() < 2, "{}", played.story.join("\n"));
    }
}

/// A drain that was resumed took over whatever template there was by then.
#[test]
fn a_drain_is_not_resumed_into_another_template() {
    let quiet = drain();
    let number = call(&quiet, "delete pod/shard-1", 0);
    let mut schedule = with(
        &quiet,
        [Fault::Crash { call: number, is_after_effect: false }, Fault::ChangesTemplate { at: 40_000 }],
    );
    schedule.answers = vec![Answer::Resume { after: 31_000 }];
    assert_eq!(stops(&schedule, "changed its template").deleted, [0]);
}

/// A pod that failed as a whole, evicted by the kubelet, was taken for one that will not come up; the controller makes it
/// anew.
#[test]
fn a_pod_that_is_made_anew_is_no_trouble() {
    for at in [4000, 9000] {
        let schedule = with(&upgrade(), [Fault::PodEnds { at, ordinal: 0 }]);
        assert_eq!(plays(&schedule).stops, Vec::<String>::new());
    }
}

/// A shard came back where it does not belong. When that was mended and the run resumed, it stopped again at once.
#[test]
fn what_came_back_wrong_is_moved_again_when_the_run_is_resumed() {
    let mut schedule = with(&drain(), [Fault::Uncordons { at: 11_500 }]);
    schedule.task.gate = None;
    schedule.answers = vec![Answer::Resume { after: 10_000 }];
    let played = stops(&schedule, "came back on node/explore-1");
    assert_eq!((played.run.state, played.deleted), (State::Done, vec![0, 0, 1]));
}

/// A moved shard was deleted by somebody while the rest of the node was emptied: the run was done, and the shard down.
#[test]
fn a_run_is_done_when_its_shards_are_up() {
    let mut schedule =
        with(&drain(), [Fault::BudgetIsFull { to: 40_000 }, Fault::Deletes { at: 39_000, ordinal: 0 }]);
    schedule.service.start = 6000;
    let played = plays(&schedule);
    assert!(played.run.ledger.outages.iter().all(|outage| outage.ended_at.is_some()), "{:?}", played.run);
}

/// The node that is emptied was gone by the time the run was resumed: there was nothing to cordon, and it stopped.
#[test]
fn what_is_gone_need_not_be_held() {
    let mut schedule =
        with(&drain(), [Fault::Interrupt { at: 12_000 }, Fault::NodeVanishes { at: 20_000, ordinal: 1 }]);
    schedule.answers = vec![Answer::Resume { after: 30_000 }];
    let played = stops(&schedule, "interrupted");
    assert_eq!((played.run.state, played.stops.len()), (State::Done, 1));
}

/// What somebody made of the budgets while the run was stopped kept it from being resumed.
#[test]
fn what_changed_while_the_run_was_stopped_is_what_is_given_back() {
    let mut schedule =
        with(&drain(), [Fault::Interrupt { at: 12_000 }, Fault::ChangesBudgets { at: 25_000, nodes: 3 }]);
    schedule.answers = vec![Answer::Resume { after: 30_000 }];
    let played = stops(&schedule, "interrupted");
    assert_eq!((played.run.state, played.stops.len()), (State::Done, 1));
}

/// A run was interrupted before it had made anything, and took away the cordon that Karpenter had set meanwhile.
#[test]
fn what_was_not_made_is_not_given_back() {
    let busy = Fault::Call { call: 0, how: CallFault::Busy(30_000) };
    let faults = [busy, Fault::NodeDrifts { at: 1200, ordinal: 0 }, Fault::Interrupt { at: 17_500 }];
    let played = plays(&with(&drain(), faults));
    assert!(matches!(played.run.state, State::Aborted { .. }), "{:?}", played.run.state);
}

/// Somebody froze the pools by hand while the run was stopped, just as the run had before: to abort it thawed them.
#[test]
fn what_is_not_held_any_more_is_not_given_back_again() {
    let mut schedule =
        with(&drain(), [Fault::Interrupt { at: 12_000 }, Fault::ChangesBudgets { at: 25_000, nodes: 0 }]);
    schedule.answers = vec![Answer::Abort { after: 30_000 }];
    stops(&schedule, "interrupted");
}

/// A process died while a shard was down, and another one went on an hour later: the hour was taken for the time of the
/// restart, and for outage, and no budget allowed that.
#[test]
fn the_time_in_which_nobody_looked_is_no_outage() {
    let mut quiet = upgrade();
    quiet.task.restart_forecast = Some(4500);
    quiet.task.max_outage = Some(10_000);
    quiet.task.max_total_outage = Some(20_000);
    for what in ["look", "ask [1]"] {
        let number = call(&quiet, what, if what == "look" { 5 } else { 0 });
        let mut schedule = with(&quiet, [Fault::Crash { call: number, is_after_effect: true }]);
        schedule.answers = vec![Answer::Resume { after: 3_600_000 }];
        let played = plays(&schedule);
        assert_eq!((played.run.state, played.stops.len()), (State::Done, 1));
        // The shard that was down meanwhile is in the ledger all the same.
        assert_eq!(played.run.ledger.outages.len(), 3, "{:?}", played.run.ledger);
    }
}

/// Two shards broke before their turn, in another order than they would have gone in.
#[test]
fn broken_shards_are_mended_together_in_whatever_order() {
    for kind in [Kind::Upgrade, Kind::Migrate] {
        let mut schedule = Schedule::quiet(kind, 5);
        (schedule.task.strategy, schedule.task.is_descending) = (Strategy::Waves(2), true);
        for (one, other) in [(0, 3), (0, 1), (2, 3)] {
            let unready = |ordinal| Fault::Unready { at: 1100, ordinal, lasts: 3_600_000 };
            let played = plays(&with(&schedule, [unready(one), unready(other)]));
            assert_eq!((played.run.state, set(&played.deleted[..2])), (State::Done, set(&[one, other])));
        }
    }
}

/// While a call took long, a shard went down and came up again, and nobody noticed.
#[test]
fn what_happens_during_a_long_call_is_seen() {
    let mut quiet = Schedule::quiet(Kind::Upgrade, 2);
    quiet.task.gate = None;
    let number = call(&quiet, "1: \"uid-2\"}", 0);
    let slow = Fault::Call { call: number, how: CallFault::Slow(25_000) };
    let played = plays(&with(&quiet, [slow, Fault::Unready { at: 12_000, ordinal: 1, lasts: 20_000 }]));
    assert_eq!(played.run.ledger.outages.len(), 3);
    // It stood still right there: how long, it does not know.
    plays(&with(&quiet, [Fault::Freeze { call: number + 1, lasts: 2000 }]));
}

/// The lock was lost right before the last entry: the process called the run done, and the journal did not.
#[test]
fn a_run_is_done_when_the_journal_says_so() {
    let quiet = drain();
    let number = call(&quiet, "remove priorityclass", 0);
    let played = plays(&with(&quiet, [Fault::Freeze { call: number, lasts: 25_000 }]));
    assert_eq!((played.run.state, played.stops), (State::Done, vec!["the lock was lost".to_owned()]));
}

/// The last entry of the journal was written once: where that failed in passing, a run that was done was open for ever.
#[test]
fn the_last_entry_is_written_again_when_it_fails_in_passing() {
    for how in [CallFault::LostBefore, CallFault::LostAfter, CallFault::Busy(1000)] {
        let quiet = upgrade();
        let played = plays(&with_call(&quiet, "save: Done", 0, how));
        assert_eq!((played.run.state, played.processes), (State::Done, 1));
        let mut stopped = with(&quiet, [Fault::Interrupt { at: 6000 }]);
        stopped.answers = vec![Answer::Abort { after: 1000 }];
        let played = plays(&with_call(&stopped, "save: Aborted", 0, how));
        assert_eq!(played.processes, 2);
    }
}

/// A process died while it held the pools, and somebody changed them before another went on: that one stopped.
#[test]
fn what_changed_after_a_crash_is_what_is_given_back() {
    let quiet = drain();
    let number = call(&quiet, "delete pod/shard-1", 0);
    let mut schedule = with(
        &quiet,
        [
            Fault::Crash { call: number, is_after_effect: true },
            Fault::ChangesBudgets { at: 40_000, nodes: 3 },
        ],
    );
    schedule.answers = vec![Answer::Resume { after: 31_000 }];
    let played = plays(&schedule);
    assert_eq!((played.run.state, played.stops.len()), (State::Done, 1));
}

/// An outage that had ended while nobody looked, and another that had begun, were taken for one.
#[test]
fn two_outages_are_not_one() {
    let mut schedule = with(
        &Schedule::quiet(Kind::Upgrade, 2),
        [
            Fault::Interrupt { at: 3000 },
            Fault::Interrupt { at: 3100 },
            Fault::Unready { at: 60_000, ordinal: 1, lasts: 5000 },
        ],
    );
    schedule.answers = vec![Answer::Resume { after: 58_000 }];
    plays(&schedule);
}

/// An OrderedReady set makes no pod while one below it is broken: the run waited for the missing ones, and they for the
/// broken one, which nobody mended.
#[test]
fn what_a_broken_shard_holds_up_does_not_hold_up_the_run() {
    let mut schedule = Schedule::quiet(Kind::Undo { newer: set(&[1, 2, 3]) }, 5);
    (schedule.service.is_ordered_ready, schedule.service.per_node) = (true, 1);
    schedule.service.broken = set(&[1]);
    let gone = [2, 3, 4].map(|ordinal| Fault::NodeVanishes { at: 500, ordinal });
    let played = plays(&with(&schedule, gone));
    assert_eq!((played.run.state, played.stops, played.deleted), (State::Done, Vec::new(), vec![1]));
}

/// A shard went and came back while its process stood still: no outage was measured, and no time given to settle.
#[test]
fn a_restart_that_nobody_saw_is_a_restart() {
    let mut quiet = upgrade();
    (quiet.service.start, quiet.service.end, quiet.task.gate) = (200, 0, None);
    let number = call(&quiet, "delete pod/shard-1", 0);
    let played = plays(&with(&quiet, [Fault::Freeze { call: number, lasts: 4000 }]));
    assert_eq!(played.run.ledger.outages.len(), 3, "{:?}", played.run.ledger);
}

/// The place of a shard was lost after room had been made: its outage had the making of a node in it.
#[test]
fn room_that_was_lost_is_made_again() {
    let mut schedule = Schedule::quiet(Kind::Migrate, 3);
    schedule.service.per_node = 1;
    let quiet = plays(&schedule);
    let longest = |ledger: &shardctl::domain::rolling::Ledger| ledger.longest_restart().expect("a restart");
    let played = plays(&with(&schedule, [Fault::PlaceVanishes { at: 13_000, ordinal: 2 }]));
    let (is, was) = (longest(&played.run.ledger), longest(&quiet.run.ledger));
    assert!(is < was + std::time::Duration::from_secs(1), "{is:?}, undisturbed {was:?}");
}

/// A shard had come back wrong. When the run was resumed, another one went before it was moved again.
#[test]
fn what_came_back_wrong_goes_before_the_next_wave() {
    let quiet = Schedule::quiet(Kind::Drain { of: set(&[0, 1]), others: 0, relax: false }, 2);
    let wrong = [Fault::Uncordons { at: 5000 }, Fault::Deletes { at: 9500, ordinal: 0 }];
    let mut schedule = with(&quiet, wrong);
    (schedule.service.per_node, schedule.task.is_descending) = (1, true);
    (schedule.task.gate, schedule.task.settle) = (None, 0);
    schedule.answers = vec![Answer::Resume { after: 10_000 }];
    let played = stops(&schedule, "came back on node/explore-1");
    assert_eq!((played.run.state, played.deleted), (State::Done, vec![0, 0, 1]));
}

/// The first wave had come back wrong. When it went again it was taken for the first, and the service did not settle.
#[test]
fn the_service_settles_before_a_shard_is_moved_again() {
    let mut schedule =
        with(&drain(), [Fault::Uncordons { at: 11_500 }, Fault::Deletes { at: 12_000, ordinal: 2 }]);
    (schedule.task.gate, schedule.task.settle) = (None, 10_000);
    let played = stops(&schedule, "came back on node/explore-1");
    assert_eq!((played.run.state, played.deleted), (State::Done, vec![0, 0, 1]));
}

/// A pod that has failed is not made anew while one below it is broken: it was taken for one that will come up by itself,
/// or for one more to be mended at the same time.
#[test]
fn a_failed_pod_above_a_broken_one_does_not_hold_up_the_run() {
    let mut upgrade = Schedule::quiet(Kind::Upgrade, 4);
    upgrade.service.broken = set(&[2]);
    let mut drain = drain();
    drain.service.broken = set(&[0]);
    for (mut schedule, fails, deleted) in [(upgrade, 3, vec![2, 0, 1]), (drain, 2, vec![0, 1])] {
        schedule.service.is_ordered_ready = true;
        let played = plays(&with(&schedule, [Fault::PodEnds { at: 1100, ordinal: fails }]));
        assert_eq!((played.run.state, played.stops), (State::Done, Vec::new()));
        assert_eq!(played.deleted, deleted);
    }
}

/// One of two broken shards could not be deleted, and the other one was not made before that one was mended: the run
/// waited for it for ever.
#[test]
fn what_holds_up_a_shard_that_was_taken_is_mended() {
    let mut quiet = Schedule::quiet(Kind::Upgrade, 5);
    (quiet.service.is_ordered_ready, quiet.task.strategy) = (true, Strategy::Waves(3));
    quiet.service.broken = set(&[1]);
    let schedule = with(&quiet, [Fault::Unready { at: 1100, ordinal: 4, lasts: 3_600_000 }]);
    let played = plays(&with_call(&schedule, "delete pod/shard-1", 0, CallFault::Busy(5000)));
    assert_eq!((played.run.state, played.stops), (State::Done, Vec::new()));
    assert_eq!(set(&played.deleted[..2]), set(&[1, 4]));
}

/// Three shards were broken when the run was planned, and one of them came up before it began: the other two were more
/// than the waves that were left, and could never be mended.
#[test]
fn as_many_as_were_approved_go_together_when_waves_are_split() {
    let mut schedule = Schedule::quiet(Kind::Migrate, 4);
    schedule.service.broken = set(&[0, 1]);
    let played = plays(&with(&schedule, [Fault::PodEnds { at: 700, ordinal: 3 }]));
    assert_eq!((played.run.state, played.stops), (State::Done, Vec::new()));
    assert_eq!(set(&played.deleted[..2]), set(&[0, 1]));
}

/// A process stood still while it looked, and deleted a shard on the strength of that look.
#[test]
fn a_look_that_took_long_is_taken_again() {
    let quiet = upgrade();
    let number = call(&quiet, "1: \"uid-2\"}", 0);
    let slow = with(&quiet, [Fault::Call { call: number + 1, how: CallFault::Slow(3000) }]);
    for call in number + 2..number + 5 {
        plays(&with(&slow, [Fault::Freeze { call, lasts: 2000 }]));
    }
}

/// While a shard was on its way that an OrderedReady set makes only when those below it are Ready, one below it failed for
/// a moment: that one is no part of the wave, and is not deleted beside it.
#[test]
fn what_fails_below_a_shard_that_was_taken_is_given_its_time() {
    let mut quiet = Schedule::quiet(Kind::Migrate, 4);
    (quiet.service.is_ordered_ready, quiet.task.is_descending) = (true, true);
    quiet.task.strategy = Strategy::Canary;
    for at in (11_000..13_000).step_by(100) {
        let played = plays(&with(&quiet, [Fault::Unready { at, ordinal: 1, lasts: 3000 }]));
        assert_eq!(played.run.state, State::Done);
    }
}

/// A deletion had no answer, and room was made once more: it was forgotten that the shard may go yet, and another one was
/// taken down beside it.
#[test]
fn a_deletion_without_an_answer_is_not_forgotten() {
    let mut quiet = drain();
    (quiet.service.per_node, quiet.task.gate, quiet.task.settle) = (3, None, 0);
    let schedule = with_call(&quiet, "delete pod/shard-1", 0, CallFault::LostBefore);
    for at in (10_000..20_000).step_by(50) {
        plays(&with(&schedule, [Fault::Unready { at, ordinal: 2, lasts: 20_000 }]));
    }
}
