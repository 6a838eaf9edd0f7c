//! Who resolves no name where others do: a node, or a pod's own resolver.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::RESOLVES;
use super::{Asker, Diagnosis, Mark, Pairs, Resolver};
use crate::domain::names::NodeName;
use crate::domain::snapshot::DnsPolicy;

const NODE_REMEDY: &str = "See which name server /etc/resolv.conf names there, and whether that node reaches it: the DNS \
                           pods, kube-proxy, a DNS cache of the node";
const POD_REMEDY: &str = "See the pod's own resolver: /etc/resolv.conf in it, dnsPolicy and dnsConfig of the template, what \
                          the image resolves names with; and network policies that select it";

impl<'a> Diagnosis<'a> {
    /// Those who resolve no name because their /etc/resolv.conf is not as a pod's is that is to know the cluster's names.
    pub(super) fn resolvers_of_pods(&mut self, unresolved: &Pairs<'a>, asked: &Pairs<'a>) {
        let blind = Self::wholly(unresolved, asked, |pair| pair.0);
        let mut alike: BTreeMap<(&Resolver, DnsPolicy), BTreeSet<&Asker>> = BTreeMap::new();
        for asker in &blind {
            if let Some(resolver) = self.resolver(asker).filter(|resolver| !self.is_of_cluster(resolver)) {
                alike.entry((resolver, self.dns_policy(asker))).or_default().insert(*asker);
            }
        }
        for ((resolver, policy), askers) in alike {
            let mine: Pairs<'a> = unresolved.iter().filter(|pair| askers.contains(pair.0)).copied().collect();
            let beside = |other: &&Asker| {
                matches!(other, Asker::Probe(_)) && askers.iter().any(|asker| self.is_beside(asker, other))
            };
            let mut others =
                asked.iter().map(|pair| pair.0).filter(|asker| !blind.contains(asker)).peekable();
            let who_does = match (others.peek().is_some(), others.any(|other| beside(&other))) {
                (false, _) => String::new(),
                (true, true) => ", and the probe on the same node does".to_owned(),
                (true, false) => format!(", and {}s elsewhere do", self.who_asks()),
            };
            let resolve = if askers.len() == 1 { "resolves" } else { "resolve" };
            let evidence = format!(
                "{} {resolve} no name{who_does}: /etc/resolv.conf there {}: {}",
                self.names_of(&askers),
                resolver.in_words(),
                self.words(&mine)
            );
            self.find(RESOLVES, self.objects(&askers), evidence, self.set_up(policy));
            self.explain_blind(&askers);
            self.discount(askers);
        }
    }

    fn is_beside(&self, one: &Asker, other: &Asker) -> bool {
        self.survey.node_of(one).is_some_and(|node| self.survey.node_of(other) == Some(node))
    }

    pub(super) fn resolver(&self, asker: &Asker) -> Option<&'a Resolver> {
        self.survey.rows.get(asker)?.resolver.as_ref()
    }

    /// Whether it is such as the kubelet gives a pod that is to know the names of the cluster.
    pub(super) fn is_of_cluster(&self, resolver: &Resolver) -> bool {
        resolver.searches(&self.survey.workload.namespace)
    }

    /// Of a probe that of the shards, whose it is.
    pub(super) fn dns_policy(&self, asker: &Asker) -> DnsPolicy {
        let place = match asker {
            Asker::Shard(ordinal) => self.survey.places.get(ordinal),
            Asker::Probe(_) => self.survey.places.values().next(),
        };
        place.map(|place| place.dns_policy).unwrap_or_default()
    }

    /// How to set up the resolver of a pod.
    pub(super) fn set_up(&self, policy: DnsPolicy) -> String {
        let namespace = &self.survey.workload.namespace;
        let domain = self.survey.domain().map_or("DOMAIN", |domain| &domain.name);
        match policy {
            DnsPolicy::Node => "Set dnsPolicy of the template to ClusterFirst: under Default a pod asks the name server of its \
                                node, which does not know the names of the cluster"
                .to_owned(),
            DnsPolicy::NodeByNetwork => "Set dnsPolicy of the template to ClusterFirstWithHostNet: on its node's network a pod \
                                         asks the name server of the node otherwise"
                .to_owned(),
            DnsPolicy::Own => format!(
                "Set dnsPolicy of the template to ClusterFirst; or name the cluster's name server in dnsConfig.nameservers, and \
                 {namespace}.svc.{domain}, svc.{domain} and {domain} in dnsConfig.searches"
            ),
            DnsPolicy::Cluster => "The kubelet wrote it: see clusterDNS and clusterDomain of its configuration, and dnsConfig of \
                                   the template"
                .to_owned(),
        }
    }

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
            self.explain_blind(&askers);
        }
        self.discount(blind);
    }

    /// Their own names, too: on its node's network a pod has none in /etc/hosts.
    fn explain_blind(&mut self, askers: &BTreeSet<&'a Asker>) {
        let unresolved = self.with(Mark::Unresolved).into_iter();
        self.explain(&unresolved.filter(|pair| askers.contains(pair.0)).collect());
    }

    fn by_node(&self, askers: &BTreeSet<&'a Asker>) -> BTreeMap<Option<&'a NodeName>, BTreeSet<&'a Asker>> {
        let mut nodes: BTreeMap<Option<&NodeName>, BTreeSet<&Asker>> = BTreeMap::new();
        for asker in askers {
            nodes.entry(self.survey.node_of(asker)).or_default().insert(asker);
        }
        nodes
    }
}
