//! The template's rules of how pods keep apart: spread constraints that must hold, and required anti-affinity.
//!
//! kube-scheduler compares what is there: a pod may go where its domain then has no more than `maxSkew` pods over the
//! emptiest domain, counting nodes that the template's node terms allow, full and cordoned ones too
//! (`pkg/scheduler/framework/plugins/podtopologyspread/filtering.go`). Karpenter, which must make the machine first,
//! compares the zones in which it could make one (`domainMinCount` in
//! `pkg/controllers/provisioning/scheduling/topologygroup.go`); over hostnames it always takes the emptiest to have
//! none. Both must agree before a new machine counts.
//!
//! These rules depend on who is where at each step, so the steps are played one after the other, with a way back. A
//! constraint with `ScheduleAnyway` keeps no pod from being placed: Karpenter plans as if it were required as long as
//! it can, which only makes more machines.

use std::collections::BTreeMap;

use super::doubt::Doubt;
use super::machines::Kind;
use super::moves::is_zone;
use super::placement::Placement;
use super::pools::Book;
use super::search::{Batch, candidates, choice};
use super::{HOSTNAME, Request};
use crate::domain::names::NodeName;
use crate::domain::snapshot::{NODE_POOL_LABEL, PodTemplate, Snapshot, any_term_matches};

/// Places that are tried before the search gives up.
const MOST_TRIES: u32 = 20_000;

/// A rule that keeps shards apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    key: String,
    bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    /// At most so many more in a domain than in the emptiest.
    Skew(u32),
    /// At most one in a domain.
    One,
}

impl Rule {
    fn text(&self) -> String {
        match self.bound {
            Bound::Skew(most) => format!("spread over {} with maxSkew {most}, DoNotSchedule", self.key),
            Bound::One => format!("pod anti-affinity over {}", self.key),
        }
    }
}

/// The rules over domains of one sort, and who is where.
#[derive(Clone, Debug)]
struct Tally {
    rule: Rule,
    /// The domain of each node of the snapshot that counts.
    of_node: BTreeMap<NodeName, usize>,
    /// The domain of each kind of machine; none where it is not known, or where each machine is one of its own.
    of_kind: Vec<Option<usize>>,
    /// The domain of each new machine that was made.
    of_new: BTreeMap<usize, Option<usize>>,
    /// Shards in each domain.
    shards: Vec<u32>,
    /// Nodes in each domain.
    nodes: Vec<u32>,
}

/// Plays the steps under the rules.
#[derive(Clone, Debug)]
pub(super) struct Apart {
    tallies: Vec<Tally>,
    tries: u32,
    /// The furthest step that was reached.
    deepest: usize,
    /// The step to stop before.
    until: usize,
}

/// How playing ended.
#[derive(Debug)]
pub(super) enum Played<'p> {
    Through(Box<Placement<'p>>),
    /// At this step no place is left, whatever is done before it.
    Stuck(usize),
    GaveUp(usize),
}

impl Apart {
    /// The rules of the template, except what is told by the number of slots alone.
    pub fn new(
        snapshot: &Snapshot,
        request: &Request<'_>,
        books: &[Book<'_>],
        kinds: &[Kind],
        doubts: &mut Vec<Doubt>,
    ) -> Self {
        let mut tallies = Vec::new();
        for rule in rules(request.template, doubts) {
            let tally = Tally::new(rule, snapshot, request, books, kinds);
            let is_named = |kind: &Kind| tally.of_kind_label(kind, books).is_some();
            if tally.rule.key != HOSTNAME && !kinds.iter().all(is_named) {
                let rule = format!("{}, for machines of which the label is not known,", tally.rule.text());
                doubts.push(Doubt::Company { rule });
            }
            tallies.push(tally);
        }
        Self { tallies, tries: 0, deepest: 0, until: 0 }
    }

    /// Whether a rule is about zones.
    pub fn is_about_zones(&self) -> bool {
        self.tallies.iter().any(|tally| is_zone(&tally.rule.key))
    }

    /// The rules, for a sentence.
    pub fn text(&self) -> String {
        let texts: Vec<String> = self.tallies.iter().map(|tally| tally.rule.text()).collect();
        texts.join(", ")
    }

    /// Whether the places of the steps before `until` keep the rules, taken one after the other.
    pub fn allows(&self, placement: &Placement<'_>, until: usize) -> bool {
        if self.tallies.is_empty() {
            return true;
        }
        let mut played = self.clone();
        (0..until).all(|step| {
            played.begin(placement, step);
            let Some(place) = placement.place_of[step] else { return false };
            let new = place.checked_sub(placement.problem.hosts.len());
            if let Some(new) = new.filter(|new| !played.is_open(*new)) {
                let kind = placement.opened[new];
                if !played.may_open(placement, kind, placement.problem.moves[step].class) {
                    return false;
                }
                played.open(new, kind);
            }
            let is_allowed = played.may_go(placement, place);
            played.put(placement, place, 1);
            is_allowed
        })
    }

    /// Finds places for the steps before `until` under the rules.
    pub fn play<'p>(&mut self, mut placement: Placement<'p>, until: usize, batch: Batch) -> Played<'p> {
        self.until = until;
        match self.from(&mut placement, 0, batch) {
            Some(true) => Played::Through(Box::new(placement)),
            Some(false) => Played::Stuck(self.deepest),
            None => Played::GaveUp(self.deepest),
        }
    }

    /// Whether the steps from `step` on can be played; none when the search gave up.
    fn from(&mut self, placement: &mut Placement<'_>, step: usize, batch: Batch) -> Option<bool> {
        let problem = placement.problem;
        if step == self.until {
            return Some(true);
        }
        let one = &problem.moves[step];
        self.deepest = self.deepest.max(step);
        self.begin(placement, step);
        for place in self.places(placement, step) {
            self.tries += 1;
            if self.tries > MOST_TRIES {
                return None;
            }
            placement.put(step, place);
            self.put(placement, place, 1);
            if self.from(placement, step + 1, batch)? {
                return Some(true);
            }
            self.put(placement, place, -1);
            placement.take(step);
        }
        let mut reached = vec![false; problem.classes.len()];
        reached[one.class] = true;
        let mut kinds = candidates(placement, &reached);
        let preferred = choice(placement, step, batch, &kinds);
        kinds.sort_by_key(|kind| Some(*kind) != preferred);
        for kind in kinds {
            if !self.may_open(placement, kind, one.class) {
                continue;
            }
            self.tries += 1;
            if self.tries > MOST_TRIES {
                return None;
            }
            let place = placement.open(kind);
            let new = place - problem.hosts.len();
            self.open(new, kind);
            if self.may_go(placement, place) {
                placement.put(step, place);
                self.put(placement, place, 1);
                if self.from(placement, step + 1, batch)? {
                    return Some(true);
                }
                self.put(placement, place, -1);
                placement.take(step);
            }
            self.close(new);
            placement.close();
        }
        self.undo(placement, step);
        Some(false)
    }

    /// The places that a step may go to: where it was, then the emptiest. Of new machines that are alike one is enough.
    fn places(&self, placement: &Placement<'_>, step: usize) -> Vec<usize> {
        let problem = placement.problem;
        let one = &problem.moves[step];
        let mut alike: Vec<(&Kind, usize)> = Vec::new();
        let mut places: Vec<(bool, u32, usize)> = Vec::new();
        let emptiest: Vec<u32> = self.tallies.iter().map(Tally::emptiest).collect();
        for place in 0..placement.places() {
            if !placement.fits(place, one.class) || !placement.has_room(place, one.wave) {
                continue;
            }
            if !self.may_go_given(placement, place, &emptiest) {
                continue;
            }
            if let Some(kind) = placement.kind_of(place) {
                let taken = placement.steps_on(place).len();
                if alike.iter().any(|(known, steps)| std::ptr::eq(*known, kind) && *steps == taken) {
                    continue;
                }
                alike.push((kind, taken));
            }
            let host = problem.hosts.get(place);
            let is_home =
                host.is_some_and(|host| one.old.as_ref().is_some_and(|(node, _)| *node == host.node.name));
            let shards = self
                .tallies
                .iter()
                .filter_map(|tally| tally.domain(placement, place).map(|domain| tally.shards[domain]));
            places.push((!is_home, shards.sum(), place));
        }
        places.sort_unstable();
        places.into_iter().map(|(_, _, place)| place).collect()
    }

    /// When a step is the first of its wave, the shards of the wave go down.
    fn begin(&mut self, placement: &Placement<'_>, step: usize) {
        self.count_old(placement, step, -1);
    }

    fn undo(&mut self, placement: &Placement<'_>, step: usize) {
        self.count_old(placement, step, 1);
    }

    fn count_old(&mut self, placement: &Placement<'_>, step: usize, by: i32) {
        let moves = placement.problem.moves;
        let wave = moves[step].wave;
        if step > 0 && moves[step - 1].wave == wave {
            return;
        }
        for one in moves[step..].iter().take_while(|one| one.wave == wave) {
            let Some((node, _)) = &one.old else { continue };
            for tally in &mut self.tallies {
                if let Some(domain) = tally.of_node.get(node) {
                    tally.shards[*domain] = tally.shards[*domain].saturating_add_signed(by);
                }
            }
        }
    }

    fn put(&mut self, placement: &Placement<'_>, place: usize, by: i32) {
        for tally in &mut self.tallies {
            if let Some(domain) = tally.domain(placement, place) {
                tally.shards[domain] = tally.shards[domain].saturating_add_signed(by);
            }
        }
    }

    fn is_open(&self, new: usize) -> bool {
        self.tallies.iter().all(|tally| tally.of_new.contains_key(&new))
    }

    fn open(&mut self, new: usize, kind: usize) {
        for tally in &mut self.tallies {
            let domain = tally.of_kind[kind].or_else(|| {
                (tally.rule.key == HOSTNAME).then(|| {
                    tally.shards.push(0);
                    tally.nodes.push(0);
                    tally.shards.len() - 1
                })
            });
            if let Some(domain) = domain {
                tally.nodes[domain] += 1;
            }
            tally.of_new.insert(new, domain);
        }
    }

    /// Takes back the machine that was made last.
    fn close(&mut self, new: usize) {
        for tally in &mut self.tallies {
            if let Some(domain) = tally.of_new.remove(&new).flatten() {
                tally.nodes[domain] -= 1;
                if tally.rule.key == HOSTNAME {
                    tally.shards.pop();
                    tally.nodes.pop();
                }
            }
        }
    }

    fn may_go(&self, placement: &Placement<'_>, place: usize) -> bool {
        let emptiest: Vec<u32> = self.tallies.iter().map(Tally::emptiest).collect();
        self.may_go_given(placement, place, &emptiest)
    }

    fn may_go_given(&self, placement: &Placement<'_>, place: usize, emptiest: &[u32]) -> bool {
        self.tallies.iter().zip(emptiest).all(|(tally, emptiest)| {
            match (tally.domain(placement, place), tally.rule.bound) {
                (Some(domain), Bound::One) => tally.shards[domain] == 0,
                (Some(domain), Bound::Skew(most)) => tally.shards[domain] < most + emptiest,
                (None, Bound::One) => true,
                // kube-scheduler puts nothing on a node without the label; what a new one will have is not known.
                (None, Bound::Skew(_)) => placement.kind_of(place).is_some(),
            }
        })
    }

    /// Whether Karpenter, comparing the domains in which it could make a machine for the shard, would make this one.
    fn may_open(&self, placement: &Placement<'_>, kind: usize, class: usize) -> bool {
        let kinds = placement.problem.kinds;
        self.tallies.iter().all(|tally| match (tally.of_kind[kind], tally.rule.bound) {
            (Some(domain), Bound::Skew(most)) => {
                let own = kinds.iter().zip(&tally.of_kind).filter(|(one, _)| one.fits[class]);
                let emptiest = own.filter_map(|(_, domain)| *domain).map(|domain| tally.shards[domain]).min();
                tally.shards[domain] < most + emptiest.unwrap_or(0)
            }
            _ => true,
        })
    }
}

impl Tally {
    fn new(
        rule: Rule,
        snapshot: &Snapshot,
        request: &Request<'_>,
        books: &[Book<'_>],
        kinds: &[Kind],
    ) -> Self {
        let mut tally = Self {
            rule,
            of_node: BTreeMap::new(),
            of_kind: Vec::new(),
            of_new: BTreeMap::new(),
            shards: Vec::new(),
            nodes: Vec::new(),
        };
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for node in snapshot.nodes.iter().flat_map(|nodes| nodes.values()) {
            let is_counted = tally.rule.bound == Bound::One
                || any_term_matches(&request.template.node_terms, &node.labels);
            let label = match tally.rule.key.as_str() {
                // Its value is the node's name on every provider, and some leave it out of what they make by hand.
                HOSTNAME => Some(node.name.as_str()),
                key => node.label(key),
            };
            if let Some(label) = label.filter(|_| is_counted) {
                let domain = tally.intern(&mut names, label);
                tally.of_node.insert(node.name.clone(), domain);
                tally.nodes[domain] += 1;
            }
        }
        for kind in kinds {
            let domain = match tally.rule.key.as_str() {
                HOSTNAME => None,
                _ => tally.of_kind_label(kind, books).map(|label| tally.intern(&mut names, &label)),
            };
            tally.of_kind.push(domain);
        }
        for (node, _) in snapshot.shards.iter().filter_map(super::moves::room_held) {
            if let Some(domain) = tally.of_node.get(&node) {
                tally.shards[*domain] += 1;
            }
        }
        tally
    }

    fn intern(&mut self, names: &mut BTreeMap<String, usize>, label: &str) -> usize {
        *names.entry(label.to_owned()).or_insert_with(|| {
            self.shards.push(0);
            self.nodes.push(0);
            self.shards.len() - 1
        })
    }

    /// What the label of the rule will say on a machine.
    fn of_kind_label(&self, kind: &Kind, books: &[Book<'_>]) -> Option<String> {
        let pool = books[kind.pool].pool;
        let key = self.rule.key.as_str();
        match key {
            _ if is_zone(key) => kind.zone.clone(),
            NODE_POOL_LABEL => Some(pool.name.to_string()),
            "node.kubernetes.io/instance-type" => kind.instance_type.clone(),
            _ => pool.labels.get(key).cloned().or_else(|| {
                let own = pool.requirements.iter().find(|one| one.key == key && one.operator == "In")?;
                match own.values.as_slice() {
                    [only] => Some(only.clone()),
                    _ => None,
                }
            }),
        }
    }

    /// The domain of a place, when it is known.
    fn domain(&self, placement: &Placement<'_>, place: usize) -> Option<usize> {
        match placement.problem.hosts.get(place) {
            Some(host) => self.of_node.get(&host.node.name).copied(),
            None => self.of_new.get(&(place - placement.problem.hosts.len())).copied().flatten(),
        }
    }

    /// Shards in the emptiest domain that has a node.
    fn emptiest(&self) -> u32 {
        let there = self.shards.iter().zip(&self.nodes).filter(|(_, nodes)| **nodes > 0);
        there.map(|(shards, _)| *shards).min().unwrap_or(0)
    }
}

/// The rules that can be judged from the shards alone; a doubt for each that cannot.
fn rules(template: &PodTemplate, doubts: &mut Vec<Doubt>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for spread in template.spread.iter().filter(|spread| spread.when_unsatisfiable == "DoNotSchedule") {
        let key = spread.topology_key.clone();
        if spread.selects_own && !spread.has_options {
            // The API server accepts nothing below 1.
            let most = u32::try_from(spread.max_skew).unwrap_or(1).max(1);
            rules.push(Rule { key, bound: Bound::Skew(most) });
        } else {
            doubts.push(Doubt::Company { rule: format!("the topology spread constraint over {key}") });
        }
    }
    for term in &template.anti_affinity {
        let key = term.topology_key.clone();
        if !term.selects_own {
            doubts.push(Doubt::Company { rule: format!("the pod anti-affinity over {key}") });
        } else if key != HOSTNAME {
            rules.push(Rule { key, bound: Bound::One });
        }
    }
    if template.needs_company {
        doubts.push(Doubt::Company { rule: "the required pod affinity".to_owned() });
    }
    rules
}
