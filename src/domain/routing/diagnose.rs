//! From wrong answers to their causes: the widest cause that explains an answer takes it, and what is left is told pair by
//! pair.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Mark, Outcome, Survey, Via};
use crate::domain::finding::{Finding, Severity};
use crate::domain::names::{NodeName, pods_in_short};

/// One thing that a routing test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutingCheck {
    /// Its name, in kebab-case: a section of `docs/routing.md`.
    pub id: &'static str,
    pub severity: Severity,
    /// What holds when nothing is found.
    pub meaning: &'static str,
}

const RESOLVES: RoutingCheck =
    RoutingCheck { id: "name-resolves", severity: Severity::Error, meaning: "every shard's name resolves" };
const CURRENT: RoutingCheck = RoutingCheck {
    id: "name-current",
    severity: Severity::Error,
    meaning: "every name leads to its shard's own address",
};
const SINGLE: RoutingCheck = RoutingCheck {
    id: "name-single",
    severity: Severity::Warning,
    meaning: "every name leads to one address of a kind",
};
const LISTENS: RoutingCheck =
    RoutingCheck { id: "shard-listens", severity: Severity::Error, meaning: "every shard takes connections" };
const REACHES: RoutingCheck = RoutingCheck {
    id: "network-reaches",
    severity: Severity::Error,
    meaning: "the network carries every shard to every other",
};
const ANSWERS: RoutingCheck = RoutingCheck {
    id: "shard-answers",
    severity: Severity::Error,
    meaning: "every shard answers with success, in time",
};
const ITSELF: RoutingCheck = RoutingCheck {
    id: "shard-identity",
    severity: Severity::Error,
    meaning: "the shard that was asked is the one that answers",
};
const IDENTIFIED: RoutingCheck = RoutingCheck {
    id: "identity-told",
    severity: Severity::Info,
    meaning: "every answer says which shard it is from",
};
const ASKED_FROM: RoutingCheck = RoutingCheck {
    id: "shard-asks",
    severity: Severity::Warning,
    meaning: "every shard can be asked from, over its own network",
};

/// All of them, in the order in which a question runs into them.
pub const CHECKS: [RoutingCheck; 9] =
    [RESOLVES, CURRENT, SINGLE, LISTENS, REACHES, ANSWERS, ITSELF, IDENTIFIED, ASKED_FROM];

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
    let mut findings = diagnosis.findings;
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

const NETWORK_REMEDY: &str = "See the network policies, and whether the nodes reach each other: the network plugin's pods, \
                              routes, security groups";

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
        let rows = self.survey.rows.iter().filter(|(_, row)| !matches!(row.via, Via::PortForward { .. }));
        rows.flat_map(|(from, row)| row.answers.keys().map(move |to| (*from, *to)))
            .filter(|(from, to)| from != to)
            .collect()
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

    fn names(&mut self) {
        // Its own name a shard has in /etc/hosts.
        let asked = self.asked();
        let unresolved: Pairs =
            self.with(Mark::Unresolved).into_iter().filter(|(from, to)| from != to).collect();
        if unresolved.is_empty() {
            return;
        }
        if unresolved == asked {
            self.no_name_resolves(&unresolved);
            return self.explain(&unresolved);
        }
        // A shard that resolves no name has a resolver that does not work; its node, where it is so for all shards there.
        let blind = Self::wholly(&unresolved, &asked, |pair| pair.0);
        for (node, shards) in self.by_node(&blind) {
            let mine: Pairs = unresolved.iter().filter(|pair| shards.contains(&pair.0)).copied().collect();
            let on_node: BTreeSet<u32> = self
                .survey
                .rows
                .keys()
                .filter(|shard| self.survey.node(**shard) == node.as_ref())
                .copied()
                .collect();
            let evidence = format!(
                "{} {} no name, and shards elsewhere do: {}",
                self.pods(&shards),
                if shards.len() == 1 { "resolves" } else { "resolve" },
                self.words(&mine)
            );
            let object = match &node {
                Some(node) if on_node == shards => format!("node/{node}"),
                _ => format!("pod/{}", self.pods(&shards)),
            };
            self.find(
                RESOLVES,
                object,
                evidence,
                "See which name server /etc/resolv.conf names there, and whether that node reaches it: the DNS pods, \
                 kube-proxy, a DNS cache of the node",
            );
            self.explain(&mine);
        }
        let unresolved = self.with(Mark::Unresolved);
        let asked: Pairs = asked.into_iter().filter(|pair| !blind.contains(&pair.0)).collect();
        for shard in Self::wholly(&unresolved, &asked, |pair| pair.1) {
            let (evidence, remedy) = self.why_it_has_no_name(shard);
            self.find(RESOLVES, self.pod(shard), evidence, remedy);
            self.explain(&unresolved.iter().filter(|pair| pair.1 == shard).copied().collect());
        }
        self.pairs(
            Mark::Unresolved,
            RESOLVES,
            "resolved by some shards only: ask again in a moment; a name that has just changed is not known everywhere",
        );
    }

    /// All pairs, a shard and itself included.
    fn all_asked(&self) -> Pairs {
        let rows = self.survey.rows.iter().filter(|(_, row)| !matches!(row.via, Via::PortForward { .. }));
        rows.flat_map(|(from, row)| row.answers.keys().map(move |to| (*from, *to))).collect()
    }

    fn no_name_resolves(&mut self, pairs: &Pairs) {
        let words = self.words(pairs);
        let headless = self.survey.headless.clone();
        let service = format!("service/{}", headless.name);
        if !headless.exists {
            let evidence = "no name resolves: there is no such headless service".to_owned();
            return self.find(
                RESOLVES,
                service,
                evidence,
                "Make the headless service that spec.serviceName of the StatefulSet names",
            );
        }
        if !headless.unmatched.is_empty() {
            let labels: Vec<String> =
                headless.unmatched.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let evidence =
                format!("no name resolves: its selector wants {}, which no shard has", labels.join(","));
            return self.find(
                RESOLVES,
                service,
                evidence,
                "Set spec.selector of the service to labels that the shards have",
            );
        }
        let is_silent = ["temporary failure", "try again", "timed out", "no servers"]
            .iter()
            .any(|word| words.to_lowercase().contains(word));
        let evidence = match is_silent {
            true => format!("no name resolves, from any shard; the name server does not answer: {words}"),
            false => format!("no name resolves, from any shard: {words}"),
        };
        self.find(
            RESOLVES,
            "cluster DNS".to_owned(),
            evidence,
            "See whether the cluster's DNS runs: `kubectl get pods -n kube-system -l k8s-app=kube-dns`",
        );
    }

    fn why_it_has_no_name(&self, shard: u32) -> (String, String) {
        let headless = self.survey.headless.clone();
        match self.survey.places.get(&shard) {
            None => ("no shard can resolve its name: there is no pod".to_owned(), "See why: `shardctl status`".to_owned()),
            Some(place) if !place.is_ready && headless.exists && !headless.publishes_not_ready => (
                "no shard can resolve its name: it is not Ready, and the headless service names Ready pods only".to_owned(),
                format!(
                    "Set spec.publishNotReadyAddresses of service/{} to true, so that shards find each other while they start",
                    headless.name
                ),
            ),
            Some(_) => (
                "no shard can resolve its name".to_owned(),
                format!(
                    "See whether it is an endpoint: `kubectl get endpointslices -l kubernetes.io/service-name={}`",
                    headless.name
                ),
            ),
        }
    }

    fn by_node(&self, shards: &BTreeSet<u32>) -> BTreeMap<Option<NodeName>, BTreeSet<u32>> {
        let mut nodes: BTreeMap<Option<NodeName>, BTreeSet<u32>> = BTreeMap::new();
        for shard in shards {
            nodes.entry(self.survey.node(*shard).cloned()).or_default().insert(*shard);
        }
        nodes
    }

    fn old_names(&mut self) {
        let stale = self.with(Mark::Stale);
        let targets: BTreeSet<u32> = stale.iter().map(|pair| pair.1).collect();
        for shard in targets {
            let mine: Pairs = stale.iter().filter(|pair| pair.1 == shard).copied().collect();
            let askers = self.all_asked().iter().filter(|pair| pair.1 == shard).count();
            let mut old: BTreeSet<IpAddr> = BTreeSet::new();
            for pair in &mine {
                let row = &self.survey.rows[&pair.0];
                old.extend(row.answers[&pair.1].addresses.iter().flatten());
            }
            let ip = self.survey.places.get(&shard).and_then(|place| place.ip);
            let evidence = format!(
                "its name leads to {}, and the pod has {} (seen by {} of {askers})",
                old.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                ip.map_or_else(|| "none".to_owned(), |ip| ip.to_string()),
                mine.len(),
            );
            self.find(
                CURRENT,
                self.pod(shard),
                evidence,
                "Ask again in a moment; if it stays, DNS serves an old record: see its cache, and whether it watches the API",
            );
            self.explain(&mine);
        }
        for (shard, place) in &self.survey.places {
            let addresses: BTreeSet<IpAddr> = self
                .survey
                .rows
                .values()
                .filter_map(|row| row.answers.get(shard)?.addresses.as_ref())
                .filter(|addresses| place.ip.is_some_and(|ip| addresses.contains(&ip)))
                .flatten()
                .filter(|address| place.ip.is_some_and(|ip| ip.is_ipv4() == address.is_ipv4()))
                .copied()
                .collect();
            if addresses.len() > 1 {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                let evidence =
                    format!("its name has {} addresses: {}", addresses.len(), addresses.join(", "));
                self.find(
                    SINGLE,
                    self.pod(*shard),
                    evidence,
                    "See which endpoints carry its hostname: `kubectl get endpointslices -o yaml`",
                );
            }
        }
    }

    fn listening(&mut self) {
        let refused = self.with(Mark::Refused);
        for shard in Self::wholly(&refused, &self.all_asked(), |pair| pair.1) {
            let port = self.survey.port;
            let (evidence, remedy) = match self.survey.inside.get(&shard) {
                Some(Outcome::Answered { .. }) => (
                    format!("it listens on port {port} of its loopback address only"),
                    "Let the process listen on all addresses, 0.0.0.0 or [::]",
                ),
                _ => (
                    format!("nobody listens on its port {port}"),
                    "See what the process says: `kubectl logs`; or name the right port with --port",
                ),
            };
            self.find(LISTENS, self.pod(shard), evidence, remedy);
            self.explain(&refused.iter().filter(|pair| pair.1 == shard).copied().collect());
        }
        self.pairs(
            Mark::Refused,
            LISTENS,
            "refused by some shards only: ask again; a proxy may stand in between",
        );
    }

    fn network(&mut self) {
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

    fn answers(&mut self) {
        for (mark, remedy) in [
            (
                Mark::BadStatus,
                "See what the shard says of it: `kubectl logs`; or name another path with --path",
            ),
            (
                Mark::Hangs,
                "See what the process waits for: `kubectl logs`, a thread dump; or give it longer with --timeout",
            ),
            (
                Mark::Broken,
                "See why the process ends the connection: `kubectl logs`; or name the right port with --port",
            ),
        ] {
            let wrong = self.with(mark);
            for shard in Self::wholly(&wrong, &self.everybody(), |pair| pair.1) {
                let mine: Pairs = wrong.iter().filter(|pair| pair.1 == shard).copied().collect();
                let evidence = match mark {
                    Mark::BadStatus => {
                        let statuses: BTreeSet<String> = mine
                            .iter()
                            .filter_map(|pair| match self.outcome(*pair)? {
                                Outcome::Answered { status, .. } => Some(status.to_string()),
                                _ => None,
                            })
                            .collect();
                        let statuses: Vec<String> = statuses.into_iter().collect();
                        format!("{} answers {}", self.survey.path, statuses.join(" and "))
                    }
                    Mark::Hangs => format!("it takes connections, and {} never answers", self.survey.path),
                    _ => format!("{} breaks off: {}", self.survey.path, self.words(&mine)),
                };
                self.find(ANSWERS, self.pod(shard), evidence, remedy);
                self.explain(&mine);
            }
            self.pairs(mark, ANSWERS, remedy);
        }
    }

    /// All pairs, through port-forward too.
    fn everybody(&self) -> Pairs {
        self.survey.marks().map(|(from, to, _)| (from, to)).collect()
    }

    fn strangers(&mut self) {
        let wrong = self.with(Mark::Stranger);
        let mut said: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
        for pair in &wrong {
            if let Some(Outcome::Answered { identity: Some(identity), .. }) = self.outcome(*pair) {
                said.entry(pair.1).or_default().insert(identity.clone());
            }
        }
        for (shard, names) in &said {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let askers = wrong.iter().filter(|pair| pair.1 == *shard).count();
            let evidence =
                format!("it answers as {} (to {askers} of {})", names.join(", "), self.survey.rows.len());
            self.find(
                ITSELF,
                self.pod(*shard),
                evidence,
                "See where the process takes its name from, and whether it holds another shard's data",
            );
        }
        self.explain(&wrong);
        if !self.survey.wants_identity {
            return;
        }
        let nameless: BTreeSet<u32> = self
            .survey
            .rows
            .values()
            .flat_map(|row| &row.answers)
            .filter(|(_, answer)| {
                matches!(answer.outcome, Outcome::Answered { identity: None, status: 200..=399 })
            })
            .map(|(to, _)| *to)
            .collect();
        if !nameless.is_empty() {
            let object = format!("pod/{}", self.pods(&nameless));
            let evidence = format!("the answer to {} does not say which shard it is from", self.survey.path);
            self.find(
                IDENTIFIED,
                object,
                evidence,
                "Name where it stands with --identity json:FIELD or header:NAME, or do without: --no-identity",
            );
        }
    }

    fn askers(&mut self) {
        let mut reasons: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for (shard, row) in &self.survey.rows {
            if let Via::PortForward { because } = &row.via {
                let because = format!("asked through port-forward, so the network was not tested: {because}");
                reasons.entry(because).or_default().insert(*shard);
            }
        }
        for (shard, reason) in &self.survey.mute {
            reasons.entry(format!("nobody could ask from it: {reason}")).or_default().insert(*shard);
        }
        for (reason, shards) in reasons {
            let object = format!("pod/{}", self.pods(&shards));
            self.find(ASKED_FROM, object, reason, "Allow exec into the shards: `create pods/exec`; the image needs a shell and one of python3, curl, bash, wget, nc");
        }
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
