//! Which shard goes where: a matching of steps with places, found one step at a time.
//!
//! A step that finds no free place may push others aside: along an augmenting path of the flow network in which each
//! step is one unit, and each place a chain of vertices, one for each of its levels, whose edges hold as many units as
//! the level has slots. So a step is refused only if no assignment of it and all steps before it exists.

use std::collections::VecDeque;

use super::hosts::{Host, Level};
use super::machines::Kind;
use super::moves::{Class, Move};
use super::pools::Amounts;
use crate::domain::quantity::Quantity;

/// Steps, places that are there, and machines that can be made.
#[derive(Clone, Debug)]
pub(super) struct Problem<'a> {
    pub moves: &'a [Move],
    pub classes: &'a [Class<'a>],
    pub hosts: &'a [Host<'a>],
    pub kinds: &'a [Kind],
    /// What the limits of each pool leave; none where there is no limit.
    pub left: Vec<[Option<Quantity>; 3]>,
    /// Whether a new machine takes as many shards as Karpenter plans for at once, and not as many as it holds.
    pub as_planned: bool,
}

/// Places of steps, and the machines that were made for them.
#[derive(Clone, Debug)]
pub(super) struct Placement<'p> {
    pub problem: &'p Problem<'p>,
    /// The kinds of the new machines, in the order in which they are needed.
    pub opened: Vec<usize>,
    /// The place of each step that has one: hosts first, then new machines.
    pub place_of: Vec<Option<usize>>,
    pub left: Vec<[Option<Quantity>; 3]>,
    places: Vec<Taken>,
}

/// What is placed somewhere.
#[derive(Clone, Debug, Default)]
struct Taken {
    steps: Vec<usize>,
    /// For each level, how many of the steps are of its waves or earlier ones.
    counts: Vec<u32>,
}

/// A vertex of the flow network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vertex {
    Step(usize),
    /// A place and one of its levels.
    Level(usize, usize),
}

/// Which classes a step that found no place could have made room for by pushing others aside, had there been any: only
/// a new place for one of these helps.
pub(super) type Reached = Vec<bool>;

impl<'p> Placement<'p> {
    pub fn new(problem: &'p Problem<'p>) -> Self {
        let places = problem.hosts.iter().map(|host| Taken::over(&host.levels)).collect();
        Self {
            problem,
            opened: Vec::new(),
            place_of: vec![None; problem.moves.len()],
            left: problem.left.clone(),
            places,
        }
    }

    /// The kind of a place, when it is a new machine.
    pub fn kind_of(&self, place: usize) -> Option<&'p Kind> {
        let new = place.checked_sub(self.problem.hosts.len())?;
        self.opened.get(new).map(|kind| &self.problem.kinds[*kind])
    }

    /// How many places there are, new ones included.
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// The steps that were put on a place.
    pub fn steps_on(&self, place: usize) -> &[usize] {
        &self.places[place].steps
    }

    fn levels(&self, place: usize) -> &'p [Level] {
        match self.kind_of(place) {
            Some(kind) if self.problem.as_planned => &kind.planned,
            Some(kind) => &kind.held,
            None => &self.problem.hosts[place].levels,
        }
    }

    /// Whether shards of a class may go to a place.
    pub fn fits(&self, place: usize, class: usize) -> bool {
        match self.kind_of(place) {
            Some(kind) => kind.fits[class],
            None => self.problem.hosts[place].fits[class],
        }
    }

    fn level_of(&self, place: usize, wave: u32) -> usize {
        self.levels(place).iter().rposition(|level| level.from <= wave).unwrap_or(0)
    }

    /// Whether a place holds one more step of a wave.
    pub fn has_room(&self, place: usize, wave: u32) -> bool {
        let levels = self.levels(place);
        let from = self.level_of(place, wave);
        levels.iter().zip(&self.places[place].counts).skip(from).all(|(level, count)| *count < level.slots)
    }

    /// Puts a step on a place that has room for it.
    pub fn put(&mut self, step: usize, place: usize) {
        self.place_of[step] = Some(place);
        self.places[place].steps.push(step);
        self.count(place, step, 1);
    }

    /// Takes a step off its place.
    pub fn take(&mut self, step: usize) {
        if let Some(place) = self.place_of[step].take() {
            self.places[place].steps.retain(|other| *other != step);
            self.count(place, step, -1);
        }
    }

    fn count(&mut self, place: usize, step: usize, by: i32) {
        let from = self.level_of(place, self.problem.moves[step].wave);
        for count in &mut self.places[place].counts[from..] {
            *count = count.saturating_add_signed(by);
        }
    }

    /// Makes a machine; its limits must have left what it takes.
    pub fn open(&mut self, kind: usize) -> usize {
        let made = &self.problem.kinds[kind];
        for (left, counts) in self.left[made.pool].iter_mut().zip(&made.counts) {
            *left = left.map(|left| left - *counts);
        }
        self.opened.push(kind);
        self.places.push(Taken::over(&made.held));
        self.places.len() - 1
    }

    /// Takes back the last machine that was made.
    pub fn close(&mut self) {
        let (Some(kind), Some(_)) = (self.opened.pop(), self.places.pop()) else { return };
        let made = &self.problem.kinds[kind];
        for (left, counts) in self.left[made.pool].iter_mut().zip(&made.counts) {
            *left = left.map(|left| left + *counts);
        }
    }

    /// Whether the limits leave room for one more machine of a kind.
    pub fn can_open(&self, kind: &Kind) -> bool {
        holds(&self.left[kind.pool], &kind.takes)
    }

    /// Finds a place for a step: where it was, else the first that has room, else by pushing others aside.
    pub fn place(&mut self, step: usize) -> Result<(), Reached> {
        let one = &self.problem.moves[step];
        let is_home = |place: &usize| {
            let host = self.problem.hosts.get(*place);
            host.is_some_and(|host| one.old.as_ref().is_some_and(|(node, _)| *node == host.node.name))
        };
        let home = (0..self.problem.hosts.len()).find(is_home);
        let takes = |place: &usize| self.fits(*place, one.class) && self.has_room(*place, one.wave);
        let free = home.into_iter().chain(0..self.places.len()).find(takes);
        match free {
            Some(place) => {
                self.put(step, place);
                Ok(())
            }
            None => self.push_aside(step),
        }
    }

    /// A breadth-first search of the residual network from a step without a place to a place with room.
    fn push_aside(&mut self, start: usize) -> Result<(), Reached> {
        let problem = self.problem;
        // The latest wave from which each class was looked at: from an earlier one nothing more is reached.
        let mut looked: Vec<Option<u32>> = vec![None; problem.classes.len()];
        let mut parent_of_step: Vec<Option<Vertex>> = vec![None; problem.moves.len()];
        let mut parent_of_level: Vec<Vec<Option<Vertex>>> =
            self.places.iter().map(|taken| vec![None; taken.counts.len()]).collect();
        let mut queue = VecDeque::from([Vertex::Step(start)]);
        let mut end = None;
        while let Some(vertex) = queue.pop_front() {
            let mut reach = |place: usize, level: usize, queue: &mut VecDeque<Vertex>| {
                let parent = &mut parent_of_level[place][level];
                if parent.is_none() {
                    *parent = Some(vertex);
                    queue.push_back(Vertex::Level(place, level));
                }
            };
            match vertex {
                Vertex::Step(step) => {
                    let one = &problem.moves[step];
                    if looked[one.class].is_some_and(|wave| wave >= one.wave) {
                        continue;
                    }
                    looked[one.class] = Some(one.wave);
                    for place in (0..self.places.len()).filter(|place| self.fits(*place, one.class)) {
                        reach(place, self.level_of(place, one.wave), &mut queue);
                    }
                }
                Vertex::Level(place, level) => {
                    let levels = self.levels(place);
                    let counts = &self.places[place].counts;
                    if counts[level] < levels[level].slots {
                        if level + 1 == levels.len() {
                            end = Some(vertex);
                            break;
                        }
                        reach(place, level + 1, &mut queue);
                    }
                    if level > 0 && counts[level - 1] > 0 {
                        reach(place, level - 1, &mut queue);
                    }
                    for step in &self.places[place].steps {
                        let is_there = self.level_of(place, problem.moves[*step].wave) == level;
                        if is_there && *step != start && parent_of_step[*step].is_none() {
                            parent_of_step[*step] = Some(vertex);
                            queue.push_back(Vertex::Step(*step));
                        }
                    }
                }
            }
        }
        let Some(mut vertex) = end else {
            return Err(looked.iter().map(Option::is_some).collect());
        };
        // Back along the path: each step on it goes to the place that was reached from it.
        let mut moved: Vec<(usize, usize)> = Vec::new();
        let mut place = None;
        loop {
            let before = match vertex {
                Vertex::Level(reached, level) => {
                    place = Some(reached);
                    parent_of_level[reached][level]
                }
                Vertex::Step(step) => {
                    moved.extend(place.map(|place| (step, place)));
                    parent_of_step[step]
                }
            };
            match before {
                Some(before) => vertex = before,
                None => break,
            }
        }
        for (step, _) in &moved {
            self.take(*step);
        }
        for (step, place) in moved {
            self.put(step, place);
        }
        Ok(())
    }
}

impl Taken {
    fn over(levels: &[Level]) -> Self {
        Self { steps: Vec::new(), counts: vec![0; levels.len()] }
    }
}

/// Whether what is left of the limits holds an amount of each.
pub(super) fn holds(left: &[Option<Quantity>; 3], amounts: &Amounts) -> bool {
    left.iter().zip(amounts).all(|(left, amount)| left.is_none_or(|left| left >= *amount))
}
