//! What the network does not carry: as widely as it is so.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::REACHES;
use super::{Diagnosis, Mark, Pairs};
use crate::domain::names::NodeName;

const NETWORK_REMEDY: &str = "See the network policies, and whether the nodes reach each other: the network plugin's pods, \
                              routes, security groups";
impl Diagnosis<'_> {
    pub(super) fn network(&mut self) {
        let asked = self.asked();
        let unreachable = self.with(Mark::Unreachable);
        if unreachable.is_empty() {
            return;
        }
        let across: Pairs = asked.iter().filter(|pair| self.nodes(**pair).is_some()).copied().collect();
        let port = self.survey.port;
        let words = self.words(&unreachable);
        for (pairs, what) in
            [(&asked, "no shard reaches another"), (&across, "no shard reaches one on another node,")]
        {
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
    fn nodes(&self, (from, to): (u32, u32)) -> Option<(NodeName, NodeName)> {
        let nodes = (self.survey.node(from)?.clone(), self.survey.node(to)?.clone());
        (nodes.0 != nodes.1).then_some(nodes)
    }

    /// A shard that nobody reaches, where others on its node are reached, is alone to blame.
    fn lonely_shards(&mut self, asked: &Pairs, unreachable: &Pairs) {
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
            let mine: Pairs =
                unreachable.iter().filter(|pair| pair.1 == *shard || pair.0 == *shard).copied().collect();
            let evidence =
                format!("no other shard reaches it on port {}: {}", self.survey.port, self.words(&mine));
            self.find(REACHES, self.pod(*shard), evidence, NETWORK_REMEDY);
            self.explain(&mine);
        }
    }

    /// A node from or to which nothing comes through.
    fn lonely_nodes(&mut self, across: &Pairs) {
        let nodes: BTreeSet<NodeName> =
            across.iter().filter_map(|pair| self.nodes(*pair)).flat_map(|(from, to)| [from, to]).collect();
        if nodes.len() < 3 {
            return;
        }
        for node in nodes {
            let cut = |touches: &dyn Fn(&NodeName, &NodeName) -> bool| -> Option<Pairs> {
                let is_of_it =
                    |pair: &&(u32, u32)| self.nodes(**pair).is_some_and(|(from, to)| touches(&from, &to));
                let mine: Pairs = across.iter().filter(is_of_it).copied().collect();
                let is_cut = |pair: &(u32, u32)| self.left.get(pair) == Some(&Mark::Unreachable);
                (!mine.is_empty() && mine.iter().all(is_cut)).then_some(mine)
            };
            let found = [
                (cut(&|from, to| *from == node || *to == node), "nothing comes from it or to it"),
                (cut(&|_, to| *to == node), "nothing comes to it, and what it sends arrives"),
                (cut(&|from, _| *from == node), "nothing that it sends arrives, and others reach it"),
            ];
            if let Some((pairs, way)) = found.into_iter().find_map(|(pairs, way)| Some((pairs?, way))) {
                let evidence =
                    format!("of other nodes, on port {}: {way} ({} pairs)", self.survey.port, pairs.len());
                self.find(REACHES, format!("node/{node}"), evidence, NETWORK_REMEDY);
                // What keeps others out may keep its own shards apart, too.
                let is_within = |(from, to): (u32, u32)| {
                    self.survey.node(from) == Some(&node) && self.survey.node(to) == Some(&node)
                };
                let within = self.with(Mark::Unreachable).into_iter().filter(|pair| is_within(*pair));
                let pairs: Pairs = pairs.into_iter().chain(within).collect();
                self.explain(&pairs);
            }
        }
    }

    /// Two nodes, where no shard of the one reaches any of the other.
    fn cuts(&mut self, across: &Pairs) {
        let mut cut: BTreeMap<(NodeName, NodeName), Pairs> = BTreeMap::new();
        for pair in across {
            if let Some(nodes) = self.nodes(*pair) {
                cut.entry(nodes).or_default().insert(*pair);
            }
        }
        cut.retain(|_, pairs| pairs.iter().all(|pair| self.left.get(pair) == Some(&Mark::Unreachable)));
        for ((from, to), pairs) in &cut {
            let back = cut.get(&(to.clone(), from.clone()));
            // Told once for both directions.
            if back.is_some() && to < from {
                continue;
            }
            let (object, way) = match back {
                Some(_) => (format!("node/{from}, node/{to}"), "in both directions"),
                None => (format!("node/{from}"), "in this direction only"),
            };
            let count = pairs.len() + back.map_or(0, BTreeSet::len);
            let evidence = format!("no shard on {from} reaches one on {to}, {way} ({count} pairs)");
            self.find(REACHES, object, evidence, NETWORK_REMEDY);
            self.explain(pairs);
            if let Some(back) = back {
                self.explain(back);
            }
        }
    }
}
