//! What people and programs see of a service that is watched; `UPDATE_EXPECT=1` writes the files of `expected` again.

use jiff::ToSpan as _;

use super::*;
use crate::render::report::committed;
use crate::render::style::Stylesheet;

/// A terminal of 80 columns, and a pipe.
const TERMINAL: Option<usize> = Some(80);
const PIPE: Option<usize> = None;

fn look(width: Option<usize>) -> Look {
    Look { style: Stylesheet::new(false), width, ascii: false }
}

/// Compares with a committed file, which has to fit the terminal when it is for one.
#[track_caller]
fn is_as_committed(name: &str, found: &str) {
    committed::is_as_committed(&format!("routing/watch/expected/{name}"), found);
    if name.ends_with("terminal.txt") {
        let widest = found.lines().max_by_key(|line| line.chars().count()).unwrap_or_default();
        assert!(widest.chars().count() <= 80, "{name}: {widest}");
        assert!(!name.contains("view") || found.lines().count() <= 24, "{name}: {found}");
    }
}

fn at(millis: i64) -> Timestamp {
    "2026-11-02T03:00:00Z".parse::<Timestamp>().unwrap() + millis.milliseconds()
}

/// What happens, in order.
struct Story {
    watched: Watched,
    told: Vec<Told>,
}

impl Story {
    /// So many shards, each of which asks from the first tenth of a second on, and all is well.
    fn of(shards: u32) -> Self {
        let watched = Watched {
            workload: WorkloadRef { namespace: "rt".to_owned(), name: "ring".to_owned() },
            headless: "ring".to_owned(),
            port: 8080,
            path: "/api/status".to_owned(),
            interval: Duration::from_secs(1),
            since: at(0),
            availability: Availability::new(shards, at(0)),
            silent: BTreeMap::new(),
        };
        let mut story = Self { watched, told: Vec::new() };
        for shard in 0..shards {
            story.asks(Observer::Shard(shard), 100, "wget");
            story.answered(shard, (shard + 1) % shards, 200, Mark::Good);
        }
        story
    }

    fn tell(&mut self, told: impl IntoIterator<Item = Told>) {
        for told in told {
            self.watched.remember(&told);
            self.told.push(told);
        }
    }

    fn asks(&mut self, observer: Observer, millis: i64, with: &str) {
        self.watched.availability.asks(observer, at(millis));
        self.tell([Told::Asks { at: at(millis), observer, with: with.to_owned() }]);
    }

    fn leaves(&mut self, observer: Observer, millis: i64, why: Option<&str>) {
        let changes = self.watched.availability.leaves(observer, at(millis));
        self.tell([Told::Leaves { at: at(millis), observer, why: why.map(str::to_owned) }]);
        self.tell(changes.into_iter().map(|change| Told::Change { at: at(millis), change }));
    }

    fn answered(&mut self, observer: u32, shard: u32, millis: i64, mark: Mark) {
        self.heard(Observer::Shard(observer), shard, millis, mark);
    }

    fn heard(&mut self, observer: Observer, shard: u32, millis: i64, mark: Mark) {
        let change = self.watched.availability.answered(observer, shard, at(millis), mark);
        self.tell(change.map(|change| Told::Change { at: at(millis), change }));
    }

    /// A shard is down, for those who ask it; each of them meets with its own.
    fn outage(&mut self, shard: u32, from: i64, to: i64, met: &[(u32, Mark)]) {
        for (observer, mark) in met {
            self.answered(*observer, shard, from + i64::from(*observer) * 10, *mark);
        }
        for (observer, _) in met {
            self.answered(*observer, shard, to + i64::from(*observer) * 10, Mark::Good);
        }
    }

    /// All that is told of it after so long, at a terminal, in a pipe and to programs.
    #[track_caller]
    fn is_as_committed(&self, name: &str, millis: i64) {
        self.is_shown_as_committed(name, millis);
        let (now, watched) = (at(millis), &self.watched);
        let lines: String = self.told.iter().filter_map(|told| line(watched, told, look(PIPE))).collect();
        let pipe = beginning(watched) + &lines + &summary(watched, now, look(PIPE));
        is_as_committed(&format!("{name}-pipe.txt"), &pipe);
        let events: String = self.told.iter().map(|told| event(watched, told)).collect();
        is_as_committed(&format!("{name}.jsonl"), &(events + &summary_json(watched, now)));
    }

    /// What is shown of it at a terminal.
    #[track_caller]
    fn is_shown_as_committed(&self, name: &str, millis: i64) {
        let (now, watched) = (at(millis), &self.watched);
        is_as_committed(&format!("{name}-view-terminal.txt"), &view(watched, now, look(TERMINAL), Some(24)));
        is_as_committed(&format!("{name}-summary-terminal.txt"), &summary(watched, now, look(TERMINAL)));
    }
}

#[test]
fn a_service_that_is_well() {
    Story::of(3).is_as_committed("well", 754_321);
}

/// A rolling restart of which two shards overlap, one that cannot ask, and one that is down at the end.
#[test]
fn outages_of_several_shards() {
    let mut story = Story::of(6);
    story.leaves(Observer::Shard(3), 300, None);
    story.tell([Told::Mute { at: at(400), shard: 3, why: "its image has no shell".to_owned() }]);
    story.asks(Observer::Here, 500, "port-forward");
    story.leaves(Observer::Shard(5), 9_900, None);
    let unresolved = [(0, Mark::Unresolved), (1, Mark::Refused), (2, Mark::Refused), (4, Mark::Refused)];
    story.outage(5, 10_000, 12_140, &unresolved);
    story.asks(Observer::Shard(5), 12_900, "wget");
    story.outage(4, 60_000, 95_000, &[(0, Mark::Unreachable), (2, Mark::Hangs), (5, Mark::Unreachable)]);
    story.outage(1, 90_000, 205_500, &[(0, Mark::BadStatus), (5, Mark::BadStatus)]);
    story.leaves(Observer::Shard(2), 250_000, Some("the session ended"));
    story.heard(Observer::Here, 3, 299_000, Mark::Broken);
    story.answered(0, 3, 299_500, Mark::Stranger);
    story.is_as_committed("several", 312_000);
}

/// A hundred shards, thirty of which are restarted one after the other, and three at the end at once.
#[test]
fn a_hundred_shards() {
    let mut story = Story::of(100);
    for (turn, shard) in (0..).zip((1..61).step_by(2)) {
        let from = 10_000 + turn * 20_000;
        story.outage(shard, from, from + 4_000, &[(0, Mark::Refused), (64, Mark::Unresolved)]);
    }
    for observer in (0..90).filter(|observer| observer % 7 != 3) {
        for shard in [95, 97, 98] {
            story.answered(observer, shard, 700_000, Mark::Unreachable);
        }
    }
    story.is_shown_as_committed("hundred", 725_000);
}

#[test]
fn nobody_asks() {
    let mut story = Story::of(3);
    (0..3).for_each(|shard| story.leaves(Observer::Shard(shard), 60_000, Some(WAS_KILLED)));
    story.is_as_committed("nobody", 90_000);
    let nobody =
        Watched { availability: Availability::new(3, at(0)), silent: BTreeMap::new(), ..story.watched };
    Story { watched: nobody, told: Vec::new() }.is_shown_as_committed("never", 4_000);
}

const WAS_KILLED: &str = "the session was killed, as happens when the pod ends";
