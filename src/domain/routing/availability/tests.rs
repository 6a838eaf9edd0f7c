//! Who sees what, and what it comes to.

use jiff::ToSpan as _;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + millis.milliseconds()
}

fn millis(outages: &[Outage]) -> Vec<(i64, Option<i64>)> {
    let time = |at: Timestamp| at.as_millisecond();
    outages.iter().map(|outage| (time(outage.from), outage.to.map(time))).collect()
}

/// Three shards, each of which asks, since 0 ms.
fn three() -> Availability {
    let mut watch = Availability::new(3, at(0));
    (0..3).for_each(|shard| watch.asks(Observer::Shard(shard), at(0)));
    watch
}

const ONE: Observer = Observer::Shard(1);
const TWO: Observer = Observer::Shard(2);

#[test]
fn a_shard_is_down_from_the_first_bad_question_to_the_first_good_one_after_the_last_bad_one() {
    let mut watch = three();
    assert_eq!(watch.answered(ONE, 0, at(100), Mark::Good), None);
    let down = Change::Down { shard: 0, from: at(1000), mark: Mark::Refused, observer: ONE };
    assert_eq!(watch.answered(ONE, 0, at(1000), Mark::Refused), Some(down));
    assert_eq!(watch.answered(TWO, 0, at(1400), Mark::Unresolved), None);
    // Not all have a good answer yet; who has had one first is remembered.
    assert_eq!(watch.answered(ONE, 0, at(2000), Mark::Good), None);
    let up = watch.answered(TWO, 0, at(2400), Mark::Good);
    assert!(matches!(up, Some(Change::Up { shard: 0, .. })), "{up:?}");
    assert_eq!(millis(watch.outages(0)), [(1000, Some(2000))]);
    assert_eq!(watch.questions(0), (5, 2));
    let met = &watch.outages(0)[0].met;
    assert_eq!(*met, BTreeMap::from([(Mark::Unresolved, [TWO].into()), (Mark::Refused, [ONE].into())]));
}

#[test]
fn a_question_that_hung_counts_when_it_was_asked() {
    let mut watch = three();
    watch.answered(TWO, 0, at(1500), Mark::Refused);
    watch.answered(ONE, 0, at(1000), Mark::Hangs);
    watch.answered(TWO, 0, at(2500), Mark::Good);
    watch.answered(ONE, 0, at(3000), Mark::Good);
    // Of the time before the end it is no other outage.
    assert_eq!(watch.answered(ONE, 0, at(2400), Mark::Hangs), None);
    assert_eq!(millis(watch.outages(0)), [(1000, Some(2500))]);
}

#[test]
fn a_way_that_is_cut_keeps_a_shard_down_and_does_not_flap() {
    let mut watch = three();
    for second in 1..10 {
        watch.answered(ONE, 0, at(second * 1000), Mark::Unreachable);
        watch.answered(TWO, 0, at(second * 1000 + 500), Mark::Good);
    }
    assert_eq!(millis(watch.outages(0)), [(1000, None)]);
    assert_eq!(watch.met_now(0), BTreeMap::from([(Mark::Unreachable, [ONE].into())]));
    // Whoever could not reach it is gone: since the last time that it could not, others did.
    let changes = watch.leaves(ONE, at(9900));
    assert_eq!(changes.len(), 1);
    assert_eq!(millis(watch.outages(0)), [(1000, Some(9500))]);
    // What it had under way is not heard any more.
    assert_eq!(watch.answered(ONE, 0, at(9800), Mark::Unreachable), None);
}

#[test]
fn whoever_leaves_takes_no_outage_with_it_that_nobody_saw_the_end_of() {
    let mut watch = three();
    watch.answered(ONE, 0, at(1000), Mark::Refused);
    assert_eq!(watch.leaves(ONE, at(1500)), []);
    assert_eq!(millis(watch.outages(0)), [(1000, None)]);
    watch.answered(TWO, 0, at(3000), Mark::Good);
    assert_eq!(millis(watch.outages(0)), [(1000, Some(3000))]);
}

#[test]
fn the_service_is_down_while_any_shard_is() {
    let mut watch = three();
    for (shard, from, to) in [(0, 1000, 3000), (1, 2000, 4000), (2, 8000, 9000)] {
        let observer = Observer::Shard((shard + 1) % 3);
        watch.answered(observer, shard, at(from), Mark::Refused);
        watch.answered(observer, shard, at(to), Mark::Good);
    }
    let outage = |from, to, shards: &[u32]| ServiceOutage {
        from: at(from),
        to: Some(at(to)),
        shards: shards.iter().copied().collect(),
    };
    assert_eq!(watch.service_outages(), [outage(1000, 4000, &[0, 1]), outage(8000, 9000, &[2])]);
    let figures = watch.service_figures(at(16_000));
    assert_eq!((figures.outages, figures.down.as_secs(), figures.longest.as_secs()), (2, 4, 3));
    assert_eq!(figures.availability, Some(0.75));
    assert_eq!(watch.figures(2, at(16_000)).availability, Some(0.9375));
}

#[test]
fn of_what_nobody_saw_nothing_is_said() {
    let mut watch = Availability::new(2, at(0));
    assert_eq!(watch.service_figures(at(5000)).availability, None);
    watch.asks(Observer::Here, at(1000));
    watch.answered(Observer::Here, 0, at(4000), Mark::Refused);
    watch.leaves(Observer::Here, at(5000));
    watch.asks(ONE, at(9000));
    watch.answered(ONE, 0, at(10_000), Mark::Good);
    assert_eq!((watch.watched(at(11_000)).as_secs(), watch.blind(at(11_000)).as_secs()), (6, 5));
    // Down from 4 s to 10 s, of which nobody saw 5 s to 9 s.
    assert_eq!(watch.figures(0, at(11_000)).down.as_secs(), 2);
}
