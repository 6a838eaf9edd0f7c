//! Outages as the ledger tells them, look by look.

use jiff::ToSpan as _;

use super::*;
use crate::domain::snapshot::{ContainerStatus, Snapshot};
use crate::domain::testing::healthy;

fn at(millis: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + millis.milliseconds()
}

/// A service of which shard 1 is moved, as it is seen and as it stands.
struct Scene {
    ledger: Ledger,
    seen: Observed,
    deleted: BTreeMap<u32, String>,
    standing: Standing,
}

impl Scene {
    /// Shard 1 was asked to go at 1,000 ms.
    fn new() -> Self {
        let snapshot: Snapshot = healthy();
        let seen = Observed::of(&snapshot, at(0));
        let deleted = BTreeMap::from([(1, seen.pods[&1].uid.clone())]);
        let mut scene = Self { ledger: Ledger::default(), seen, deleted, standing: Standing::Away };
        assert_eq!(scene.look(0), []);
        scene.ledger.ask(1, 0, None, at(1000));
        scene
    }

    fn look(&mut self, millis: i64) -> Vec<Turn> {
        self.ledger.observe(&self.seen, &self.deleted, |_| self.standing, at(millis))
    }

    fn pod(&mut self) -> &mut Pod {
        self.seen.pods.get_mut(&1).expect("the shard")
    }

    /// Its pod is seen to end at 1,200 ms; the new one runs at 3,000 ms, and is not Ready.
    fn restarts() -> Self {
        let mut scene = Self::new();
        scene.pod().deleted_at = Some(at(1000));
        assert_eq!(scene.look(1200), [Turn::OutageStarted { shards: [1].into() }]);
        let pod = scene.pod();
        (pod.uid, pod.deleted_at, pod.is_ready) = ("new".to_owned(), None, false);
        pod.containers = vec![ContainerStatus::default()];
        scene.look(3000);
        scene
    }

    /// From when to when each outage was.
    fn outages(&self) -> Vec<(Timestamp, Option<Timestamp>)> {
        self.ledger.outages.iter().map(|outage| (outage.started_at, outage.ended_at)).collect()
    }
}

#[test]
fn an_outage_begins_when_we_asked_for_it() {
    let scene = Scene::restarts();
    assert_eq!(scene.outages(), [(at(1000), None)]);
}

#[test]
fn a_shard_that_serves_on_is_not_down_yet() {
    let mut scene = Scene::new();
    scene.pod().deleted_at = Some(at(1000));
    scene.look(1200);
    let uid = scene.deleted[&1].clone();
    for until in [1300, 6000] {
        scene.seen.answered_until.insert(uid.clone(), at(until));
        scene.look(until + 50);
        assert_eq!(scene.outages(), [(at(until), None)]);
    }
    // What others do meanwhile is another matter: with them it began when it was seen.
    scene.seen.pods.get_mut(&2).expect("another").is_ready = false;
    scene.look(6200);
    scene.seen.answered_until.insert(uid, at(6300));
    scene.look(6400);
    assert_eq!(scene.outages(), [(at(6000), None)]);
}

#[test]
fn one_that_nobody_asked_for_begins_when_it_is_seen() {
    let mut scene = Scene::new();
    // The deletion was sent and did not happen; the shard fails by itself.
    scene.pod().is_ready = false;
    scene.look(9000);
    assert_eq!(scene.outages(), [(at(9000), None)]);
    // And so it is with one that fails together with ours.
    let mut scene = Scene::new();
    scene.pod().deleted_at = Some(at(1000));
    scene.seen.pods.get_mut(&2).expect("another").is_ready = false;
    scene.look(1200);
    assert_eq!(scene.outages(), [(at(1200), None)]);
}

#[test]
fn it_ends_when_the_shard_answers_and_the_service_is_whole_when_it_is_back() {
    let mut scene = Scene::restarts();
    scene.standing = Standing::Answers(at(3400));
    let turns = scene.look(3500);
    assert_eq!(turns[0], Turn::Shard { ordinal: 1, mark: Mark::Answered });
    assert!(
        matches!(&turns[1], Turn::OutageEnded { outage } if outage.ended_at == Some(at(3400))),
        "{turns:?}"
    );
    assert_eq!((scene.outages(), scene.ledger.whole_since), (vec![(at(1000), Some(at(3400)))], None));
    scene.pod().is_ready = true;
    scene.look(4100);
    assert_eq!(scene.ledger.whole_since, None, "it has not passed the gate");
    scene.standing = Standing::Back;
    scene.look(4200);
    assert_eq!(scene.ledger.whole_since, Some(at(4200)));
    assert_eq!(scene.outages().len(), 1);
    let spent = scene.ledger.restarts[0].marks.seconds();
    assert_eq!([spent.answer, spent.ready, spent.gate], [Some(0.4), Some(0.7), Some(0.1)]);
    assert_eq!(scene.ledger.restarts[0].marks.total(), Some(Duration::from_millis(3200)));
}

#[test]
fn it_ends_with_the_gate_where_nobody_asked_before() {
    let mut scene = Scene::restarts();
    scene.pod().is_ready = true;
    scene.look(4100);
    assert_eq!(scene.outages(), [(at(1000), None)]);
    scene.standing = Standing::Back;
    scene.look(4200);
    assert_eq!(scene.outages(), [(at(1000), Some(at(4200)))]);
    assert_eq!(scene.ledger.restarts[0].marks.seconds().answer, None);
}

#[test]
fn a_shard_that_answers_no_more_is_another_outage() {
    let mut scene = Scene::restarts();
    scene.standing = Standing::Answers(at(3400));
    scene.look(3500);
    scene.standing = Standing::Away;
    scene.look(5000);
    assert_eq!(scene.outages(), [(at(1000), Some(at(3400))), (at(5000), None)]);
    scene.standing = Standing::Answers(at(6000));
    scene.look(6100);
    assert_eq!(scene.outages()[1], (at(5000), Some(at(6000))));
}

#[test]
fn a_run_that_goes_on_does_not_count_an_outage_twice() {
    let mut scene = Scene::restarts();
    scene.standing = Standing::Answers(at(3400));
    scene.look(3500);
    let (seen, deleted) = (scene.seen.clone(), scene.deleted.clone());
    scene.ledger.resume(&seen, &deleted, at(9000));
    assert_eq!(scene.outages(), [(at(1000), Some(at(3400)))]);
}

#[test]
fn one_that_fails_again_after_it_was_back_is_down_until_it_is_up() {
    let mut scene = Scene::restarts();
    (scene.standing, scene.pod().is_ready) = (Standing::Back, true);
    scene.look(4000);
    scene.pod().is_ready = false;
    scene.look(6000);
    scene.pod().is_ready = true;
    scene.look(9000);
    assert_eq!(scene.outages()[1], (at(6000), Some(at(9000))));
}

#[test]
fn an_outage_ends_with_the_last_that_was_away() {
    let mut scene = Scene::restarts();
    // Another went and is back since long; it counts no more.
    scene.seen.pods.get_mut(&2).expect("another").is_ready = false;
    scene.look(3100);
    scene.seen.pods.get_mut(&2).expect("another").is_ready = true;
    scene.look(3200);
    scene.standing = Standing::Answers(at(3400));
    scene.look(3500);
    assert_eq!(scene.outages(), [(at(1000), Some(at(3400)))]);
    // The other way round nobody knows better than now.
    let mut scene = Scene::restarts();
    scene.seen.pods.get_mut(&2).expect("another").is_ready = false;
    scene.standing = Standing::Answers(at(3400));
    scene.look(3500);
    scene.seen.pods.get_mut(&2).expect("another").is_ready = true;
    scene.look(8000);
    assert_eq!(scene.outages(), [(at(1000), Some(at(8000)))]);
}

#[test]
fn what_broke_by_itself_is_down_since_then_also_when_it_is_mended() {
    let mut scene = Scene::new();
    (scene.ledger, scene.pod().is_ready) = (Ledger::default(), false);
    scene.look(500);
    scene.ledger.ask(1, 0, None, at(1000));
    scene.pod().deleted_at = Some(at(1000));
    scene.look(1200);
    scene.seen.pods.remove(&1);
    scene.look(1300);
    assert_eq!(scene.outages(), [(at(500), None)]);
}
