//! From wrong answers to their causes: the widest cause that explains an answer takes it, and what is left is told pair by
//! pair.

mod answers;
mod checks;
mod names;
mod network;

use std::collections::{BTreeMap, BTreeSet};

use super::{Mark, Outcome, Survey, Via};
use crate::domain::finding::Finding;
use crate::domain::names::pods_in_short;
pub use checks::{CHECKS, RoutingCheck};

/// The causes behind the answers of a survey that are wrong; the gravest first, then in the order of [`CHECKS`].
#[must_use]
pub fn diagnose(survey: &Survey) -> Vec<Finding> {
    let left = survey.marks().filter(|(.., mark)| *mark != Mark::Good);
    let left = left.map(|(from, to, mark)| ((from, to), mark)).collect();
    let mut diagnosis = Diagnosis { survey, left, findings: Vec::new() };
    diagnosis.names();
    diagnosis.old_names();
    diagnosis.listening();
    diagnosis.network();
    diagnosis.answers();
    diagnosis.strangers();
    diagnosis.askers();
    debug_assert!(diagnosis.left.is_empty(), "nothing is behind {:?}", diagnosis.left);
    let mut findings = diagnosis.findings;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

type Pairs = BTreeSet<(u32, u32)>;

struct Diagnosis<'a> {
    survey: &'a Survey,
    /// Wrong answers that no cause was found for yet, by who asked and who was asked.
    left: BTreeMap<(u32, u32), Mark>,
    findings: Vec<Finding>,
}

impl Diagnosis<'_> {
    fn find(&mut self, check: RoutingCheck, object: String, evidence: String, remedy: impl Into<String>) {
        let remedy = remedy.into();
        self.findings.push(Finding { check: check.id, severity: check.severity, object, evidence, remedy });
    }

    /// The pairs with this mark that are left.
    fn with(&self, mark: Mark) -> Pairs {
        self.left.iter().filter(|(_, its)| **its == mark).map(|(pair, _)| *pair).collect()
    }

    fn explain(&mut self, pairs: &Pairs) {
        self.left.retain(|pair, _| !pairs.contains(pair));
    }

    /// The pairs that were asked over the network, between two shards.
    fn asked(&self) -> Pairs {
        self.all_asked().into_iter().filter(|(from, to)| from != to).collect()
    }

    /// All pairs, a shard and itself included.
    fn all_asked(&self) -> Pairs {
        let rows = self.survey.rows.iter().filter(|(_, row)| !matches!(row.via, Via::PortForward { .. }));
        rows.flat_map(|(from, row)| row.answers.keys().map(move |to| (*from, *to))).collect()
    }

    fn pod(&self, ordinal: u32) -> String {
        format!("pod/{}", self.survey.pod_name(ordinal))
    }

    fn pods(&self, ordinals: &BTreeSet<u32>) -> String {
        let ordinals: Vec<u32> = ordinals.iter().copied().collect();
        pods_in_short(&self.survey.workload.name, &ordinals)
    }

    /// Shards for which all of the questions that `asked` has of them are among `pairs`.
    fn wholly(pairs: &Pairs, asked: &Pairs, side: fn(&(u32, u32)) -> u32) -> BTreeSet<u32> {
        let shards: BTreeSet<u32> = pairs.iter().map(side).collect();
        let is_whole =
            |shard: &u32| asked.iter().filter(|pair| side(pair) == *shard).all(|pair| pairs.contains(pair));
        shards.into_iter().filter(is_whole).collect()
    }

    fn outcome(&self, pair: (u32, u32)) -> Option<&Outcome> {
        self.survey.rows.get(&pair.0)?.answers.get(&pair.1).map(|answer| &answer.outcome)
    }

    /// What most of these answers say, in the tool's words.
    fn words(&self, pairs: &Pairs) -> String {
        let reasons = pairs.iter().filter_map(|pair| match self.outcome(*pair)? {
            Outcome::Unresolved { reason } | Outcome::Unreachable { reason } | Outcome::Broken { reason } => {
                Some(reason.as_str())
            }
            _ => None,
        });
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        reasons.for_each(|reason| *counts.entry(reason).or_default() += 1);
        counts
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map_or_else(String::new, |(reason, _)| reason.to_owned())
    }

    /// What is left with this mark, pair by pair.
    fn pairs(&mut self, mark: Mark, check: RoutingCheck, remedy: &str) {
        let left = self.with(mark);
        let mut by_asker: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for (from, to) in &left {
            by_asker.entry(*from).or_default().insert(*to);
        }
        for (from, to) in by_asker {
            let mine: Pairs = left.iter().filter(|pair| pair.0 == from).copied().collect();
            let words = self.words(&mine);
            let words = if words.is_empty() { mark.meaning().to_owned() } else { words };
            let evidence = format!("asking {}: {words}", self.pods(&to));
            self.find(check, self.pod(from), evidence, remedy);
        }
        self.explain(&left);
    }
}
