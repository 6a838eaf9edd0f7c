//! From wrong answers to their causes: the widest cause that explains an answer takes it, and what is left is told pair by
//! pair.

mod answers;
mod askers;
mod checks;
mod names;
mod network;
mod probes;
mod resolvers;
mod short;

use std::collections::{BTreeMap, BTreeSet};

use super::{Answer, Asker, Askers, DomainFrom, Leads, Mark, Outcome, Resolver, Row, Survey, Via};
use crate::domain::finding::Finding;
use crate::domain::names::{NodeName, pods_in_short};
pub use checks::{CHECKS, RoutingCheck};

/// The causes behind the answers of a survey that are wrong; the gravest first, then in the order of [`CHECKS`].
#[must_use]
pub fn diagnose(survey: &Survey) -> Vec<Finding> {
    let left = survey.marks().filter(|(.., mark)| *mark != Mark::Good);
    let left = left.map(|(from, to, mark)| ((from, to), mark)).collect();
    let mut diagnosis = Diagnosis { survey, left, discounted: BTreeSet::new(), findings: Vec::new() };
    diagnosis.lonely_probes();
    diagnosis.names();
    diagnosis.names_astray();
    diagnosis.short_names();
    diagnosis.names_unknown();
    diagnosis.half_listening();
    diagnosis.listening();
    diagnosis.network();
    diagnosis.answers();
    diagnosis.strangers();
    diagnosis.askers();
    debug_assert!(diagnosis.left.is_empty(), "nothing is behind {:?}", diagnosis.left);
    let mut findings = diagnosis.findings;
    findings.extend(survey.clients.findings(survey));
    let order = |id: &str| CHECKS.iter().position(|check| check.id == id);
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), order(finding.check)));
    findings
}

/// Who asked, and who was asked.
type Pair<'a> = (&'a Asker, u32);
type Pairs<'a> = BTreeSet<Pair<'a>>;

/// Nodes that are named one by one.
const MOST_NODES: usize = 4;

struct Diagnosis<'a> {
    survey: &'a Survey,
    /// Wrong answers that no cause was found for yet, by who asked and who was asked.
    left: BTreeMap<Pair<'a>, Mark>,
    /// Those whose answers tell of themselves, and nothing of whom they asked.
    discounted: BTreeSet<&'a Asker>,
    findings: Vec<Finding>,
}

impl<'a> Diagnosis<'a> {
    fn find(&mut self, check: RoutingCheck, object: String, evidence: String, remedy: impl Into<String>) {
        let remedy = remedy.into();
        self.findings.push(Finding { check: check.id, severity: check.severity, object, evidence, remedy });
    }

    /// The pairs with this mark that are left.
    fn with(&self, mark: Mark) -> Pairs<'a> {
        self.left.iter().filter(|(_, its)| **its == mark).map(|(pair, _)| *pair).collect()
    }

    fn explain(&mut self, pairs: &Pairs<'a>) {
        self.left.retain(|pair, _| !pairs.contains(pair));
    }

    /// The pairs that were asked over the network, but for a shard and itself.
    fn asked(&self) -> Pairs<'a> {
        self.all_asked().into_iter().filter(|(from, to)| **from != Asker::Shard(*to)).collect()
    }

    /// All pairs, a shard and itself included.
    fn all_asked(&self) -> Pairs<'a> {
        let counts = |(asker, row): &(&Asker, &Row)| {
            !matches!(row.via, Via::PortForward { .. }) && !self.discounted.contains(*asker)
        };
        let rows = self.survey.rows.iter().filter(counts);
        rows.flat_map(|(from, row)| row.answers.keys().map(move |to| (from, *to))).collect()
    }

    fn pod(&self, ordinal: u32) -> String {
        format!("pod/{}", self.survey.pod_name(ordinal))
    }

    fn pods(&self, ordinals: &BTreeSet<u32>) -> String {
        let ordinals: Vec<u32> = ordinals.iter().copied().collect();
        pods_in_short(&self.survey.workload.name, &ordinals)
    }

    /// From now on the answers to these are not counted.
    fn discount(&mut self, askers: impl IntoIterator<Item = &'a Asker>) {
        self.discounted.extend(askers);
    }

    /// Who asks over the network, in one word: shards, or else probes.
    fn who_asks(&self) -> &'static str {
        let rows = self.survey.rows.iter().filter(|(_, row)| !matches!(row.via, Via::PortForward { .. }));
        let mut askers = rows.map(|(asker, _)| asker).peekable();
        match askers.peek().is_some() && askers.all(|asker| matches!(asker, Asker::Probe(_))) {
            true => "probe",
            false => "shard",
        }
    }

    /// "ring-{0..1} and the probe on node-1".
    fn names_of(&self, askers: &BTreeSet<&Asker>) -> String {
        let (shards, nodes) = split(askers);
        let shards = (!shards.is_empty()).then(|| self.pods(&shards));
        let probes = match nodes[..] {
            [] => None,
            [node] => Some(format!("the probe on {node}")),
            _ => Some(format!("the probes on {}", nodes_in_short(&nodes))),
        };
        shards.into_iter().chain(probes).collect::<Vec<_>>().join(" and ")
    }

    /// Who asked, as the object of a finding.
    fn objects(&self, askers: &BTreeSet<&Asker>) -> String {
        let (shards, nodes) = split(askers);
        let shards = (!shards.is_empty()).then(|| format!("pod/{}", self.pods(&shards)));
        shards
            .into_iter()
            .chain(nodes.iter().map(|node| format!("node/{node}")))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Those, on the one side of a question, for whom all questions that `asked` has of them are among `pairs`.
    fn wholly<T: Ord>(pairs: &Pairs<'a>, asked: &Pairs<'a>, side: fn(&Pair<'a>) -> T) -> BTreeSet<T> {
        let in_part: BTreeSet<T> = asked.difference(pairs).map(side).collect();
        pairs.iter().map(side).filter(|one| !in_part.contains(one)).collect()
    }

    fn outcome(&self, pair: Pair<'a>) -> Option<&'a Outcome> {
        self.survey.rows.get(pair.0)?.answers.get(&pair.1).map(|answer| &answer.outcome)
    }

    /// What most of these answers say, in the tool's words.
    fn words(&self, pairs: &Pairs<'a>) -> String {
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

    /// Whether the probe on a shard's node is answered by those that do not answer the shard.
    fn probe_beside_is_answered(&self, from: &Asker, pairs: &Pairs<'a>) -> bool {
        let Asker::Shard(shard) = from else { return false };
        let probe = self.survey.node(*shard).cloned().map(Asker::Probe);
        let is_answered =
            |probe: &Asker| pairs.iter().all(|pair| self.survey.mark(probe, pair.1) == Some(Mark::Good));
        probe.as_ref().is_some_and(is_answered)
    }

    /// What is left with this mark, pair by pair.
    fn pairs(&mut self, mark: Mark, check: RoutingCheck, remedy: &str) {
        let left = self.with(mark);
        let mut by_asker: BTreeMap<&Asker, Pairs<'a>> = BTreeMap::new();
        for pair in &left {
            by_asker.entry(pair.0).or_default().insert(*pair);
        }
        for (from, mine) in by_asker {
            let words = self.words(&mine);
            let words = if words.is_empty() { mark.meaning().to_owned() } else { words };
            let asked = self.pods(&mine.iter().map(|pair| pair.1).collect());
            let who = match from {
                Asker::Shard(_) => "asking",
                Asker::Probe(_) => "the probe there, asking",
            };
            let but = if self.probe_beside_is_answered(from, &mine) {
                "; the probe on the same node is answered"
            } else {
                ""
            };
            self.find(check, self.objects(&[from].into()), format!("{who} {asked}: {words}{but}"), remedy);
        }
        self.explain(&left);
    }
}

/// The shards, and the nodes of the probes.
fn split<'b>(askers: &BTreeSet<&'b Asker>) -> (BTreeSet<u32>, Vec<&'b NodeName>) {
    let (mut shards, mut nodes) = (BTreeSet::new(), Vec::new());
    for asker in askers {
        match asker {
            Asker::Shard(ordinal) => drop(shards.insert(*ordinal)),
            Asker::Probe(node) => nodes.push(node),
        }
    }
    (shards, nodes)
}

/// "node-1, node-2, node-3", and of more how many they are.
fn nodes_in_short(nodes: &[&NodeName]) -> String {
    match nodes.len() {
        ..=MOST_NODES => nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        many => format!("{many} nodes"),
    }
}
