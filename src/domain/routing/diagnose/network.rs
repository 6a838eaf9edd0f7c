//! What the network does not carry: as widely as it is so.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::REACHES;
use super::{Asker, Diagnosis, Mark, Pair, Pairs};
use crate::domain::names::NodeName;

const NETWORK_REMEDY: &str = "See the network policies, and whether the nodes reach each other: the network plugin's pods, \
                              routes, security groups";
impl<'a> Diagnosis<'a> {
    pub(super) fn network(&mut self) {
        let asked = self.asked();
        let unreachable = self.with(Mark::Unreachable);
        if unreachable.is_empty() {
            return;
        }
        let across: Pairs<'a> = asked.iter().filter(|pair| self.nodes(**pair).is_some()).copied().collect();
        let port = self.survey.port;
        let words = self.words(&unreachable);
        let all = match self.who_asks() {
            "probe" => ["no probe reaches a shard", "no probe reaches a shard on another node,"],
            _ => ["no shard reaches another", "no shard reaches one on another node,"],
        };
        for (pairs, what) in [&asked, &across].into_iter().zip(all) {
            if !pairs.is_empty() && pairs.is_subset(&unreachable) {
                let evidence = format!("{what} on port {port}: {words}");
                self.find(REACHES, "network".to_owned(), evidence, NETWORK_REMEDY);
                return self.explain(&unreachable);
            }
        }
        self.lonely_shards(&asked, &unreachable);
        self.lonely_nodes(&across);
        self.cuts(&across);
        self.pairs(Mark::Unreachable, REACHES, NETWORK_REMEDY);
    }

    /// The nodes between which a question went, where they are two.
    fn nodes(&self, (from, to): Pair<'a>) -> Option<(&'a NodeName, &'a NodeName)> {
        let nodes = (self.survey.node_of(from)?, self.survey.node(to)?);
        (nodes.0 != nodes.1).then_some(nodes)
    }

    /// A shard that nobody reaches, where others on its node are reached, is alone to blame.
    fn lonely_shards(&mut self, asked: &Pairs<'a>, unreachable: &Pairs<'a>) {
        let lonely = Self::wholly(unreachable, asked, |pair| pair.1);
        for shard in &lonely {
            let node = self.survey.node(*shard);
            let mut company = self
                .survey
                .places
                .keys()
                .filter(|other| *other != shard && self.survey.node(**other) == node);
            let has_company = company.clone().next().is_some();
            if has_company && company.all(|other| lonely.contains(other)) {
                continue;
            }
            let touches = |pair: &&Pair<'a>| pair.1 == *shard || *pair.0 == Asker::Shard(*shard);
            let mine: Pairs<'a> = unreachable.iter().filter(touches).copied().collect();
            let nobody = match self.who_asks() {
                "probe" => "no probe",
                _ => "no other shard",
            };
            let evidence = format!("{nobody} reaches it on port {}: {}", self.survey.port, self.words(&mine));
            self.find(REACHES, self.pod(*shard), evidence, NETWORK_REMEDY);
            self.explain(&mine);
        }
    }

    /// A node from or to which nothing comes through.
    fn lonely_nodes(&mut self, across: &Pairs<'a>) {
        let nodes: BTreeSet<&NodeName> =
            across.iter().filter_map(|pair| self.nodes(*pair)).flat_map(|(from, to)| [from, to]).collect();
        if nodes.len() < 3 {
            return;
        }
        for node in nodes {
            let cut = |touches: &dyn Fn(&NodeName, &NodeName) -> bool| -> Option<Pairs<'a>> {
                let is_of_it =
                    |pair: &&Pair<'a>| self.nodes(**pair).is_some_and(|(from, to)| touches(from, to));
                let mine: Pairs<'a> = across.iter().filter(is_of_it).copied().collect();
                let is_cut = |pair: &Pair<'a>| self.left.get(pair) == Some(&Mark::Unreachable);
                (!mine.is_empty() && mine.iter().all(is_cut)).then_some(mine)
            };
            let found = [
                (cut(&|from, to| from == node || to == node), "nothing comes from it or to it"),
                (cut(&|_, to| to == node), "nothing comes to it, and what it sends arrives"),
                (cut(&|from, _| from == node), "nothing that it sends arrives, and others reach it"),
            ];
            if let Some((pairs, way)) = found.into_iter().find_map(|(pairs, way)| Some((pairs?, way))) {
                let evidence =
                    format!("of other nodes, on port {}: {way} ({} pairs)", self.survey.port, pairs.len());
                self.find(REACHES, format!("node/{node}"), evidence, NETWORK_REMEDY);
                // What keeps others out may keep its own shards apart, too.
                let is_within = |(from, to): Pair<'a>| {
                    self.survey.node_of(from) == Some(node) && self.survey.node(to) == Some(node)
                };
                let within = self.with(Mark::Unreachable).into_iter().filter(|pair| is_within(*pair));
                let pairs: Pairs<'a> = pairs.into_iter().chain(within).collect();
                self.explain(&pairs);
            }
        }
    }

    /// Two nodes, where no shard of the one reaches any of the other.
    fn cuts(&mut self, across: &Pairs<'a>) {
        let mut cut: BTreeMap<(&NodeName, &NodeName), Pairs<'a>> = BTreeMap::new();
        for pair in across {
            if let Some(nodes) = self.nodes(*pair) {
                cut.entry(nodes).or_default().insert(*pair);
            }
        }
        cut.retain(|_, pairs| pairs.iter().all(|pair| self.left.get(pair) == Some(&Mark::Unreachable)));
        for ((from, to), pairs) in &cut {
            let back = cut.get(&(*to, *from));
            // Told once for both directions.
            if back.is_some() && to < from {
                continue;
            }
            let (object, way) = match back {
                Some(_) => (format!("node/{from}, node/{to}"), "in both directions"),
                None => (format!("node/{from}"), "in this direction only"),
            };
            let count = pairs.len() + back.map_or(0, BTreeSet::len);
            let nobody = match self.who_asks() {
                "probe" => format!("the probe on {from} reaches no shard on {to}"),
                _ => format!("no shard on {from} reaches one on {to}"),
            };
            let evidence = format!("{nobody}, {way} ({count} pairs)");
            self.find(REACHES, object, evidence, NETWORK_REMEDY);
            self.explain(pairs);
            if let Some(back) = back {
                self.explain(back);
            }
        }
    }
}
