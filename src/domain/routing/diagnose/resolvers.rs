//! Who resolves no name where others do: a node, or a pod's own resolver.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::RESOLVES;
use super::{Asker, Diagnosis, Pairs};
use crate::domain::names::NodeName;

const NODE_REMEDY: &str = "See which name server /etc/resolv.conf names there, and whether that node reaches it: the DNS \
                           pods, kube-proxy, a DNS cache of the node";
const POD_REMEDY: &str = "See the pod's own resolver: /etc/resolv.conf in it, dnsPolicy and dnsConfig of the template, what \
                          the image resolves names with; and network policies that select it";

impl<'a> Diagnosis<'a> {
    /// Those who resolve no name: their node is to blame where nobody on it does, else they are.
    pub(super) fn resolvers(&mut self, unresolved: &Pairs<'a>, asked: &Pairs<'a>) {
        let blind = Self::wholly(unresolved, asked, |pair| pair.0);
        let everybody: BTreeSet<&Asker> = asked.iter().map(|pair| pair.0).collect();
        for (node, askers) in self.by_node(&blind) {
            let mine: Pairs<'a> = unresolved.iter().filter(|pair| askers.contains(pair.0)).copied().collect();
            let is_there = |asker: &&&Asker| node.is_some() && self.survey.node_of(asker) == node;
            let others: BTreeSet<&Asker> =
                everybody.iter().filter(is_there).copied().filter(|asker| !askers.contains(asker)).collect();
            let is_probe = |asker: &&Asker| matches!(asker, Asker::Probe(_));
            let (object, who_does, remedy) = match node {
                Some(node) if others.is_empty() => {
                    (format!("node/{node}"), format!("{}s elsewhere do", self.who_asks()), NODE_REMEDY)
                }
                _ if others.iter().any(is_probe) => {
                    (self.objects(&askers), "the probe on the same node does".to_owned(), POD_REMEDY)
                }
                _ => (self.objects(&askers), format!("{}s elsewhere do", self.who_asks()), NODE_REMEDY),
            };
            let resolve = if askers.len() == 1 { "resolves" } else { "resolve" };
            let evidence = format!(
                "{} {resolve} no name, and {who_does}: {}",
                self.names_of(&askers),
                self.words(&mine)
            );
            self.find(RESOLVES, object, evidence, remedy);
            self.explain(&mine);
        }
        self.discount(blind);
    }

    fn by_node(&self, askers: &BTreeSet<&'a Asker>) -> BTreeMap<Option<&'a NodeName>, BTreeSet<&'a Asker>> {
        let mut nodes: BTreeMap<Option<&NodeName>, BTreeSet<&Asker>> = BTreeMap::new();
        for asker in askers {
            nodes.entry(self.survey.node_of(asker)).or_default().insert(asker);
        }
        nodes
    }
}
