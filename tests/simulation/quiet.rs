//! Runs that nothing disturbs.

use std::time::Duration;

use shardctl::domain::rolling::Strategy;

use crate::schedule::{Kind, Schedule};
use crate::scripted::{is_done, set};

/// Every operation with every strategy, and nothing that goes wrong.
#[test]
fn what_nobody_disturbs_is_done_at_once() {
    let kinds = [
        Kind::Migrate,
        Kind::Upgrade,
        Kind::Drain { of: set(&[0, 4]), others: 3, relax: true },
        Kind::Undo { newer: set(&[1, 2, 5]) },
    ];
    for kind in kinds {
        for strategy in [Strategy::OneByOne, Strategy::Canary, Strategy::Waves(3)] {
            for is_ordered_ready in [false, true] {
                for gate in [None, Some(3)] {
                    let mut schedule = Schedule::quiet(kind.clone(), 7);
                    schedule.service.is_ordered_ready = is_ordered_ready;
                    schedule.service.zones = 2;
                    (schedule.task.strategy, schedule.task.gate) = (strategy, gate);
                    let played = is_done(&schedule);
                    assert_eq!(played.run.ledger.outages.len(), played.run.waves.len(), "{schedule}");
                    let mut deleted = played.deleted.as_slice();
                    for wave in &played.run.waves {
                        let (gone, later) = deleted.split_at(wave.len());
                        assert_eq!(set(gone), set(wave), "{schedule}");
                        deleted = later;
                    }
                }
            }
        }
    }
}

/// What waits for nothing but its shards costs nothing but them.
#[test]
fn an_outage_is_a_restart_and_no_more() {
    for (strategy, outages) in [(Strategy::OneByOne, 10), (Strategy::Canary, 2)] {
        let mut schedule = Schedule::quiet(Kind::Migrate, 10);
        schedule.task.strategy = strategy;
        schedule.task.gate = None;
        let restart = schedule.service.start + schedule.service.end;
        let ledger = is_done(&schedule).run.ledger;
        assert_eq!(ledger.outages.len(), outages);
        for outage in &ledger.outages {
            let took = outage.duration(outage.started_at);
            let most = Duration::from_millis(restart + 600);
            assert!(took <= most, "{strategy}: {took:?}, and a restart is {restart} ms");
        }
    }
}
