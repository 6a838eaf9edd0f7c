//! How requests are spread over the shards, held against what chance does.
//!
//! 1. Each source has shards that its requests may go to: those that are Ready and endpoints, on its own node under
//!    `internalTrafficPolicy: Local`, without those that fail it anyway. Each of them is to get as many as another.
//! 2. A shard that gets none of all requests is told, and left out of what follows.
//! 3. What comes from each node is judged on its own: a node with old rules spreads otherwise than its neighbours. Where
//!    some nodes do and the others, together, do not, those nodes are told.
//! 4. Else all requests are judged together.
//!
//! Steps 2 and 4 have one half of [`FALSE_ALARMS`], step 3 the other.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{JUDGED, REACHES, SPREAD};
use super::fit::{self, Fit, Pearson};
use super::{Judge, Source, Sticking, Tally};
use crate::domain::names::NodeName;

/// How often the spread of a service that is well may be told to be wrong, at most.
pub const FALSE_ALARMS: f64 = 0.001;

const SPREAD_REMEDY: &str = "See what chooses the shard: a proxy or a service mesh with weights or connections of its own, the \
                             rules of kube-proxy on the nodes";

/// How the requests of a client service are spread.
#[derive(Clone, Debug, PartialEq)]
pub enum Spread {
    /// What was expected of each shard, and the test of all together, where it could be made.
    Judged {
        expected: BTreeMap<u32, f64>,
        test: Option<Pearson>,
        is_even: bool,
    },
    Sticking(Sticking),
    Unjudged(Unjudged),
}

/// Why nothing can be said of the spread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unjudged {
    /// No source could ask.
    NotAsked,
    /// Nothing was answered with success.
    NotAnswered,
    /// Nobody was to look who answers.
    Unlooked,
    /// No answer says which shard it is from.
    Nameless,
    /// Shards answer as others.
    Confused,
    /// Requests stay near their source where they can.
    KeepsNear(String),
    /// Requests fail, and nobody knows where they were led.
    Lost,
    /// No source is led to several shards.
    OneShard,
    /// Each source would have to ask so often.
    TooFew { answered: u64, shards: usize, each: u64 },
}

impl std::fmt::Display for Unjudged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAsked => f.write_str("no shard could ask it from inside"),
            Self::NotAnswered => f.write_str("no request was answered"),
            Self::Unlooked => f.write_str(
                "which shard answers is not known (--no-identity): neither the spread of requests nor answers from \
                 shards that are not Ready can be judged",
            ),
            Self::Nameless => f.write_str("no answer says which shard it is from"),
            Self::Confused => f.write_str("shards answer as others"),
            Self::KeepsNear(what) => {
                write!(f, "{what} keeps requests near their source: their spread cannot be judged")
            }
            Self::Lost => f.write_str("where the requests were led that fail is not known"),
            Self::OneShard => f.write_str("there are no two shards to compare"),
            Self::TooFew { answered, shards, each } => write!(
                f,
                "{answered} answers are too few to tell whether one of {shards} shards gets none: {each} of each source \
                 are enough"
            ),
        }
    }
}

/// Sources that may be sent to the same shards.
struct Group<'a> {
    shards: BTreeSet<u32>,
    sources: Vec<&'a Source>,
}

impl<'a> Judge<'a> {
    /// Judges how requests are spread.
    pub(super) fn spread(&mut self) -> Spread {
        let spread = self.judged();
        let remedy = match &spread {
            Spread::Unjudged(Unjudged::Unlooked) => {
                "Say where an answer names its shard: --identity json:FIELD or header:NAME".to_owned()
            }
            Spread::Unjudged(Unjudged::KeepsNear(_)) => {
                "See in -o wide what each source was answered by".to_owned()
            }
            Spread::Unjudged(Unjudged::TooFew { each, .. }) => format!("Ask more often: --requests {each}"),
            // What else is behind it has a finding of its own.
            _ => return spread,
        };
        if let Spread::Unjudged(reason) = &spread {
            self.find(JUDGED, self.object(), reason.to_string(), remedy);
        }
        spread
    }

    fn judged(&mut self) -> Spread {
        let unjudged = |reason| Spread::Unjudged(reason);
        let named: u64 = self.total.shards.values().sum();
        if self.total.asked == 0 {
            return unjudged(Unjudged::NotAsked);
        }
        if !self.survey.wants_identity {
            return unjudged(Unjudged::Unlooked);
        }
        if self.is_confused() {
            return unjudged(Unjudged::Confused);
        }
        if named == 0 {
            let is_nameless = self.total.nameless > 0;
            return unjudged(if is_nameless { Unjudged::Nameless } else { Unjudged::NotAnswered });
        }
        if self.service.affinity.is_some() {
            return self.sticking();
        }
        if self.has_lost {
            return unjudged(Unjudged::Lost);
        }
        if let Some(what) = &self.service.prefers {
            return unjudged(Unjudged::KeepsNear(what.clone()));
        }
        let groups = self.groups();
        if groups.is_empty() {
            return unjudged(Unjudged::OneShard);
        }
        let fits: Vec<(&Group<'_>, Fit)> =
            groups.iter().map(|group| (group, self.fit(group, groups.len()))).collect();
        let mut expected: BTreeMap<u32, f64> = BTreeMap::new();
        for (group, fit) in &fits {
            for shard in &group.shards {
                *expected.entry(*shard).or_default() += fit.expected;
            }
        }
        let test = together(&fits);
        let before = self.findings.len();
        let groups = self.starved(groups);
        let nodes = self.uneven_nodes(&groups);
        let rest = without(&groups, &nodes);
        let is_even_elsewhere = rest.iter().all(|group| !self.fit(group, rest.len()).is_rejected);
        let is_even = groups.iter().all(|group| !self.fit(group, groups.len()).is_rejected);
        let is_of_nodes = !nodes.is_empty() && is_even_elsewhere && (!rest.is_empty() || is_even);
        if is_of_nodes {
            self.tell_nodes(&groups, &nodes);
        } else if !is_even {
            self.tell_all(&groups);
        }
        let is_even = self.findings.len() == before;
        if let Some(too_few) = self.too_few(&groups).filter(|_| is_even) {
            return unjudged(too_few);
        }
        Spread::Judged { expected, test, is_even }
    }

    /// The sources, by the shards that they may be sent to, where those are several.
    fn groups(&self) -> Vec<Group<'a>> {
        let ready = self.ready();
        let mut groups: BTreeMap<BTreeSet<u32>, Vec<&Source>> = BTreeMap::new();
        for source in self.tallies.keys() {
            if source.node.as_ref().is_some_and(|node| self.blamed.contains(node)) {
                continue;
            }
            let is_fit = |shard: &u32| ready.contains(shard) && !self.is_wrong(source, *shard);
            let shards: BTreeSet<u32> = match &self.service.endpoints {
                Ok(_) => {
                    let endpoints = self.reachable(source).into_iter();
                    let endpoints = endpoints.filter(|endpoint| !self.is_known_wrong(source, endpoint));
                    endpoints.filter_map(|endpoint| self.shard_of(endpoint)).filter(is_fit).collect()
                }
                Err(_) => ready.iter().copied().filter(is_fit).collect(),
            };
            groups.entry(shards).or_default().push(source);
        }
        let groups = groups.into_iter().filter(|(shards, _)| shards.len() > 1);
        groups.map(|(shards, sources)| Group { shards, sources }).collect()
    }

    fn counts(&self, group: &Group<'_>) -> Vec<u64> {
        let of = |tally: &Tally, shard: &u32| tally.shards.get(shard).copied().unwrap_or_default();
        let count = |shard: &u32| group.sources.iter().map(|source| of(&self.tallies[*source], shard)).sum();
        group.shards.iter().map(count).collect()
    }

    /// One of so many groups that are judged together, with its part of a half of what is allowed.
    fn fit(&self, group: &Group<'_>, groups: usize) -> Fit {
        fit::fit(&self.counts(group), allowed(groups))
    }

    /// Tells the shards that no source is led to; without them the others.
    fn starved(&mut self, mut groups: Vec<Group<'a>>) -> Vec<Group<'a>> {
        let count = groups.len();
        for group in &mut groups {
            let (counts, fit) = (self.counts(group), self.fit(group, count));
            let shards: Vec<u32> = group.shards.iter().copied().collect();
            let starved = fit.outliers.into_iter().filter(|at| counts[*at] == 0).map(|at| shards[at]);
            for shard in starved.collect::<Vec<_>>() {
                let requests: u64 = counts.iter().sum();
                let evidence = format!(
                    "it is Ready and an endpoint, and gets none of {requests} requests to {}, where {:.0} are expected{}",
                    self.service.name,
                    fit.expected,
                    self.where_from(group)
                );
                let pod = format!("pod/{}", self.survey.pod_name(shard));
                self.find(REACHES, pod, evidence, SPREAD_REMEDY);
                group.shards.remove(&shard);
            }
        }
        groups.retain(|group| group.shards.len() > 1);
        groups
    }

    /// Of a service that stays on the node, which.
    fn where_from(&self, group: &Group<'_>) -> String {
        let nodes: BTreeSet<&NodeName> =
            group.sources.iter().filter_map(|source| source.node.as_ref()).collect();
        match (self.service.is_local, nodes.first()) {
            (true, Some(node)) => format!(" from {node}"),
            _ => String::new(),
        }
    }

    /// The nodes whose requests are spread otherwise than by chance.
    fn uneven_nodes(&self, groups: &[Group<'a>]) -> BTreeMap<NodeName, (Fit, Vec<u32>, Vec<u64>)> {
        let parts: Vec<(NodeName, Group<'a>)> = match self.service.is_local {
            true => Vec::new(),
            false => groups.iter().flat_map(by_node).collect(),
        };
        // A single node is all there is.
        let nodes: BTreeSet<&NodeName> = parts.iter().map(|(node, _)| node).collect();
        let count = if nodes.len() > 1 { parts.len() } else { return BTreeMap::new() };
        let fits = parts.iter().map(|(node, part)| {
            let shards = part.shards.iter().copied().collect();
            (node.clone(), (self.fit(part, count), shards, self.counts(part)))
        });
        fits.filter(|(_, (fit, ..))| fit.is_rejected).collect()
    }

    fn tell_nodes(&mut self, groups: &[Group<'a>], nodes: &BTreeMap<NodeName, (Fit, Vec<u32>, Vec<u64>)>) {
        let all: BTreeSet<&NodeName> = groups
            .iter()
            .flat_map(|group| &group.sources)
            .filter_map(|source| source.node.as_ref())
            .collect();
        let elsewhere = if nodes.len() < all.len() { ", and those of other nodes" } else { "" };
        for (node, (fit, shards, counts)) in nodes {
            let requests: u64 = counts.iter().sum();
            let none: BTreeSet<u32> =
                fit.outliers.iter().filter(|at| counts[**at] == 0).map(|at| shards[*at]).collect();
            let remedy = format!(
                "See whether kube-proxy runs there and follows the endpoints: `kubectl get pods -n kube-system -o wide \
                 --field-selector spec.nodeName={node}`"
            );
            let object = format!("node/{node}");
            if none.is_empty() {
                let evidence = format!(
                    "of {requests} requests from there to {} {}",
                    self.service.name,
                    self.deviation(fit, shards, counts)
                );
                self.find(SPREAD, object, evidence, remedy);
            } else {
                let evidence = format!(
                    "{} {} none of {requests} requests from there to {}{elsewhere}",
                    self.pods(&none),
                    if none.len() == 1 { "gets" } else { "get" },
                    self.service.name
                );
                self.find(REACHES, object, evidence, remedy);
            }
        }
    }

    fn tell_all(&mut self, groups: &[Group<'a>]) {
        for group in groups {
            let fit = self.fit(group, groups.len());
            if fit.is_rejected {
                let (shards, counts): (Vec<u32>, _) =
                    (group.shards.iter().copied().collect(), self.counts(group));
                let evidence = format!(
                    "of {} requests{} {}",
                    counts.iter().sum::<u64>(),
                    self.where_from(group),
                    self.deviation(&fit, &shards, &counts)
                );
                self.find(SPREAD, self.object(), evidence, SPREAD_REMEDY);
            }
        }
    }

    /// "ring-0 gets 58, where 20 are expected (chi-squared 75.3, 5 degrees of freedom, p < 0.0001)".
    fn deviation(&self, fit: &Fit, shards: &[u32], counts: &[u64]) -> String {
        let mut outliers = fit.outliers.clone();
        let distance = |at: &usize| (fit::real(counts[*at]) - fit.expected).abs();
        if outliers.is_empty() {
            outliers = (0..counts.len()).collect();
        }
        outliers.sort_by(|one, other| distance(other).total_cmp(&distance(one)));
        let more = outliers.len().saturating_sub(SHOWN);
        outliers.truncate(SHOWN);
        let named: Vec<String> = outliers
            .iter()
            .map(|at| format!("{} gets {}", self.survey.pod_name(shards[*at]), counts[*at]))
            .collect();
        let more = if more > 0 { format!(" and {more} more deviate") } else { String::new() };
        let test = fit.chi_squared.map_or_else(String::new, |test| format!(" ({test})"));
        format!("{}{more}, where {:.0} are expected of each{test}", named.join(", "), fit.expected)
    }

    /// Whether there are too few answers to tell that a shard gets none. Sources that a fault elsewhere keeps from some shards
    /// are counted with the others.
    fn too_few(&self, groups: &[Group<'_>]) -> Option<Unjudged> {
        let size = |group: &Group<'_>| {
            (group.shards.len(), group.sources.len() as u64, self.counts(group).iter().sum())
        };
        let sizes: Vec<(usize, u64, u64)> = match self.service.is_local {
            true => groups.iter().map(size).collect(),
            false => {
                let shards: BTreeSet<u32> = groups.iter().flat_map(|group| &group.shards).copied().collect();
                let sizes = groups.iter().map(size);
                vec![sizes.fold((shards.len(), 0, 0), |all, one| (all.0, all.1 + one.1, all.2 + one.2))]
            }
        };
        let count = sizes.len();
        sizes.into_iter().find_map(|(shards, sources, answered)| {
            let needed = fit::needed(shards, allowed(count));
            (answered < needed).then(|| Unjudged::TooFew {
                answered,
                shards,
                each: needed.div_ceil(sources.max(1)),
            })
        })
    }
}

/// Shards that are named; of more, how many.
const SHOWN: usize = 3;

/// What one of so many groups may alarm wrongly: its part of one half of what is allowed.
fn allowed(groups: usize) -> f64 {
    FALSE_ALARMS / 2.0 / fit::real(groups.max(1) as u64)
}

/// A group, node by node.
fn by_node<'a>(group: &Group<'a>) -> Vec<(NodeName, Group<'a>)> {
    let mut nodes: BTreeMap<NodeName, Vec<&Source>> = BTreeMap::new();
    for source in &group.sources {
        if let Some(node) = &source.node {
            nodes.entry(node.clone()).or_default().push(source);
        }
    }
    nodes.into_iter().map(|(node, sources)| (node, Group { shards: group.shards.clone(), sources })).collect()
}

/// The groups without the sources on these nodes.
fn without<'a, T>(groups: &[Group<'a>], nodes: &BTreeMap<NodeName, T>) -> Vec<Group<'a>> {
    let is_elsewhere = |source: &&Source| source.node.as_ref().is_none_or(|node| !nodes.contains_key(node));
    let rest = groups.iter().map(|group| Group {
        shards: group.shards.clone(),
        sources: group.sources.iter().copied().filter(is_elsewhere).collect(),
    });
    rest.filter(|group| !group.sources.is_empty()).collect()
}

/// The tests of all groups in one: sums of chi-squared are chi-squared, with the sum of their degrees of freedom.
fn together(fits: &[(&Group<'_>, Fit)]) -> Option<Pearson> {
    let tests: Option<Vec<Pearson>> = fits.iter().map(|(_, fit)| fit.chi_squared).collect();
    let tests = tests.filter(|tests| !tests.is_empty())?;
    Pearson::new(tests.iter().map(|test| test.statistic).sum(), tests.iter().map(|test| test.degrees).sum())
}
