//! The arithmetic of the outage watcher, from scripted events: what it measures is what benchmarks and lab tests believe.

#[path = "../support/outage/tally.rs"]
mod tally;

use std::time::{Duration, Instant};

use tally::{Event, Report, Seen};

use Seen::{Going, Gone, NotReady, Ready};

/// The report on three pods from events `(milliseconds, pod, uid, seen)`. All three were Ready before.
fn report_until(until: u64, events: &[(u64, &str, &str, Seen)]) -> (Instant, Report) {
    let start = Instant::now();
    let pods = ["a-0", "a-1", "a-2"].map(str::to_owned);
    let event = |at: u64, pod: &str, uid: &str, seen: Seen| Event {
        at: start + Duration::from_millis(at),
        pod: pod.to_owned(),
        uid: uid.to_owned(),
        seen,
    };
    let before = pods.iter().map(|pod| event(0, pod, "old", Ready));
    let events: Vec<Event> =
        before.chain(events.iter().map(|(at, pod, uid, seen)| event(*at, pod, uid, *seen))).collect();
    (start, Report::new(&pods, &events, start, start + Duration::from_millis(until)))
}

fn report(events: &[(u64, &str, &str, Seen)]) -> Report {
    report_until(100_000, events).1
}

/// Began, ended, most down, pods; in milliseconds since the start.
fn outages(start: Instant, report: &Report) -> Vec<(u128, u128, usize, String)> {
    report
        .outages
        .iter()
        .map(|outage| {
            let pods: Vec<&str> = outage.pods.iter().map(String::as_str).collect();
            let since = |at: Instant| (at - start).as_millis();
            (since(outage.began), since(outage.ended), outage.most_down, pods.join(" "))
        })
        .collect()
}

fn millis(times: &[Duration]) -> Vec<u128> {
    times.iter().map(Duration::as_millis).collect()
}

#[test]
fn a_service_that_stays_whole_has_no_outage() {
    let report = report(&[(10, "a-0", "old", Ready), (20, "a-1", "old", Ready)]);
    assert_eq!(report, Report::default());
    assert_eq!((report.total(), report.longest(), report.most_down()), (Duration::ZERO, Duration::ZERO, 0));
}

#[test]
fn an_outage_lasts_from_the_delete_until_the_next_pod_is_ready() {
    let (start, report) = report_until(
        9_000,
        &[
            (1_000, "a-1", "old", Going),
            (1_100, "a-1", "old", Gone),
            (1_150, "a-1", "new", NotReady),
            (3_600, "a-1", "new", Ready),
        ],
    );
    assert_eq!(outages(start, &report), [(1_000, 3_600, 1, "a-1".to_owned())]);
    assert!(report.outages[0].is_over);
    assert_eq!(report.total().as_millis(), 2_600);
    assert_eq!(report.deletions.len(), 1, "a pod that is going and then gone was deleted once");
    assert_eq!(report.deletions[0].since_whole, None, "there was no outage before it");
}

#[test]
fn one_by_one_is_many_outages_and_a_wave_is_one() {
    let one_by_one: Vec<_> = [("a-0", 1_000), ("a-1", 4_000), ("a-2", 7_000)]
        .into_iter()
        .flat_map(|(pod, at)| {
            [(at, pod, "old", Going), (at + 100, pod, "old", Gone), (at + 2_500, pod, "new", Ready)]
        })
        .collect();
    let report_of_many = report(&one_by_one);
    assert_eq!(report_of_many.outages.len(), 3);
    assert_eq!((report_of_many.total().as_millis(), report_of_many.longest().as_millis()), (7_500, 2_500));
    assert_eq!(report_of_many.most_down(), 1);
    assert_eq!(millis(&report_of_many.reactions()), [500, 500]);

    let (start, report_of_one) = report_until(
        9_000,
        &[
            (1_000, "a-0", "old", Going),
            (1_010, "a-1", "old", Going),
            (1_020, "a-2", "old", Going),
            (1_100, "a-1", "old", Gone),
            (1_110, "a-0", "old", Gone),
            (1_120, "a-2", "old", Gone),
            (3_500, "a-1", "new", Ready),
            (3_600, "a-2", "new", Ready),
            (3_800, "a-0", "new", Ready),
        ],
    );
    assert_eq!(outages(start, &report_of_one), [(1_000, 3_800, 3, "a-0 a-1 a-2".to_owned())]);
    assert_eq!(report_of_one.deletions.len(), 3);
    assert!(report_of_one.reactions().is_empty());
}

#[test]
fn a_wave_after_a_canary_reacts_once() {
    let report = report(&[
        (1_000, "a-0", "old", Going),
        (3_000, "a-0", "new", Ready),
        (3_020, "a-1", "old", Going),
        (3_021, "a-2", "old", Going),
        (5_000, "a-1", "new", Ready),
        (5_900, "a-2", "new", Ready),
    ]);
    assert_eq!(millis(&report.reactions()), [20], "only the first delete of the wave reacts to anything");
    assert_eq!((report.outages.len(), report.most_down()), (2, 2));
    assert_eq!(report.longest().as_millis(), 2_880);
}

#[test]
fn outages_that_touch_are_one() {
    let (start, report) = report_until(
        9_000,
        &[
            (1_000, "a-0", "old", Going),
            (2_000, "a-1", "old", Going),
            (3_000, "a-0", "new", Ready),
            (4_000, "a-1", "new", Ready),
        ],
    );
    assert_eq!(outages(start, &report), [(1_000, 4_000, 2, "a-0 a-1".to_owned())]);
    assert!(report.reactions().is_empty(), "the second went while the first was down");
}

#[test]
fn a_pod_that_is_not_ready_is_an_outage_without_a_deletion() {
    let (start, report) =
        report_until(9_000, &[(1_000, "a-2", "old", NotReady), (1_700, "a-2", "old", Ready)]);
    assert_eq!(outages(start, &report), [(1_000, 1_700, 1, "a-2".to_owned())]);
    assert!(report.deletions.is_empty());
    // And the next delete reacts to its end.
    let report = self::report(&[
        (1_000, "a-2", "old", NotReady),
        (1_700, "a-2", "old", Ready),
        (1_950, "a-0", "old", Going),
    ]);
    assert_eq!(millis(&report.reactions()), [250]);
}

#[test]
fn an_outage_that_does_not_end_lasts_until_the_watch_does() {
    let (start, report) = report_until(9_000, &[(1_000, "a-0", "old", Gone)]);
    assert_eq!(outages(start, &report), [(1_000, 9_000, 1, "a-0".to_owned())]);
    assert!(!report.outages[0].is_over);
    assert_eq!(report.deletions.len(), 1, "gone at once is deleted, too");
}

#[test]
fn a_service_that_is_down_at_the_start_is_down_from_the_start() {
    let start = Instant::now();
    let pods = ["a-0", "a-1"].map(str::to_owned);
    let event = |at: u64, pod: &str, seen: Seen| Event {
        at: start + Duration::from_millis(at),
        pod: pod.to_owned(),
        uid: "one".to_owned(),
        seen,
    };
    let events = [event(5, "a-0", Ready), event(800, "a-1", NotReady), event(2_000, "a-1", Ready)];
    let from = start + Duration::from_millis(10);
    let report = Report::new(&pods, &events, from, start + Duration::from_secs(9));
    assert_eq!(outages(start, &report), [(10, 2_000, 1, "a-1".to_owned())]);
    assert!(report.deletions.is_empty(), "a pod that was never there was not deleted");
}

#[test]
fn a_new_pod_tells_that_the_old_one_is_gone() {
    let (start, report) =
        report_until(9_000, &[(1_000, "a-0", "new", Ready), (2_000, "a-1", "new", NotReady)]);
    let expected = [(1_000, 1_000, 1, "a-0".to_owned()), (2_000, 9_000, 1, "a-1".to_owned())];
    assert_eq!(outages(start, &report), expected);
    assert_eq!(report.deletions.len(), 2);
    assert_eq!(millis(&report.reactions()), [1_000]);
}

#[test]
fn other_pods_do_not_count() {
    let report = report(&[(1_000, "placeholder-0", "x", NotReady), (2_000, "placeholder-0", "x", Gone)]);
    assert_eq!(report, Report::default());
}
