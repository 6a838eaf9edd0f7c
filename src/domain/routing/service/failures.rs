//! Requests of clients that fail, and answers from where none should come. What a shard, the network or DNS is known to do
//! wrong by the questions that shards ask each other is not told again.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{ANSWERS, READY_ONLY};
use super::{FALSE_ALARMS, Judge, Mark, ServiceEndpoint, Source, Tally, confined, fit, part};
use crate::domain::names::NodeName;

/// Failures that nothing else explains, by who asked and what became of it.
type Failures<'a> = BTreeMap<&'a Source, BTreeMap<Mark, u64>>;

fn proxy_remedy(node: &NodeName) -> String {
    format!(
        "See whether kube-proxy runs and what it says: `kubectl get pods -n kube-system -o wide --field-selector \
         spec.nodeName={node}`; what that node leads to is as old as its rules"
    )
}

impl<'a> Judge<'a> {
    /// Failed requests, each told once, by the widest cause.
    pub(super) fn failures(&mut self) {
        let mut left: Failures<'a> = BTreeMap::new();
        for (source, tally) in &self.tallies {
            if tally.failures() > 0 {
                left.insert(source, tally.failed.clone());
            }
        }
        self.names(&mut left);
        self.known(&mut left);
        self.without_neighbours(&mut left);
        if left.is_empty() || self.of_nodes(&left) {
            return;
        }
        self.has_lost = true;
        if !self.itself(&left) {
            self.of_the_service(&left);
        }
    }

    /// The name of the service does not resolve, or leads elsewhere.
    fn names(&mut self, left: &mut Failures<'a>) {
        let is_blind = |source: &Source| {
            let Some(row) = self.survey.rows.get(&source.asker) else { return false };
            let mut others = row.answers.keys().filter(|to| Some(**to) != source.shard()).peekable();
            let is_unresolved = |to: &u32| self.survey.mark(&source.asker, *to) == Some(Mark::Unresolved);
            others.peek().is_some() && others.all(is_unresolved)
        };
        let told: BTreeSet<&Source> = left.keys().copied().filter(|source| is_blind(source)).collect();
        for (mark, what, remedy) in [
            (
                Mark::Unresolved,
                "its name does not resolve",
                "Ask again in a moment; if it stays, see what cluster DNS says of it: `kubectl logs -n kube-system -l k8s-app=kube-dns`",
            ),
            (
                Mark::Stale,
                "its name leads to another address than its own",
                "Ask again in a moment; if it stays, DNS serves an old record: see its cache, and whether it watches the API",
            ),
        ] {
            let mut sources = BTreeMap::new();
            for (source, marks) in &mut *left {
                if let Some(count) = marks.remove(&mark).filter(|_| !told.contains(source)) {
                    sources.insert(*source, count);
                }
            }
            if !sources.is_empty() {
                let count = part(sources.values().sum(), self.total.asked);
                let evidence = format!("{what}: {count} fail{}", self.from(sources.keys().copied()));
                self.find(ANSWERS, self.object(), evidence, remedy);
            }
        }
        left.retain(|_, marks| !marks.is_empty());
    }

    /// What the endpoints, and the questions of the shards to each other, explain already.
    fn known(&self, left: &mut Failures<'a>) {
        let shares: BTreeMap<&Source, f64> =
            left.keys().map(|source| (*source, self.share_of_wrong(source))).collect();
        let touched = left.iter().filter(|(source, _)| shares[*source] > 0.0);
        let failed: u64 = touched.clone().flat_map(|(_, marks)| marks.values()).sum();
        let asked = touched.clone().map(|(source, _)| self.tallies[source].asked);
        let requests: u64 = asked.clone().sum();
        let expected: f64 =
            touched.zip(asked).map(|((source, _), asked)| shares[source] * fit::real(asked)).sum();
        // Of sums of such events the binomial distribution with their mean is the widest.
        let is_enough = self.service.affinity.is_some()
            || fit::at_least(failed, requests, expected / fit::real(requests.max(1))) >= FALSE_ALARMS;
        left.retain(|source, _| shares[source] == 0.0 || !is_enough);
    }

    /// The part of what a source may be led to of which it is known that it fails it.
    fn share_of_wrong(&self, source: &Source) -> f64 {
        let (wrong, all) = match &self.service.endpoints {
            // It was told that the service leads nowhere.
            Ok(_) if self.served().next().is_none() => (1, 1),
            Ok(_) => {
                let endpoints = self.reachable(source);
                let is_wrong = |endpoint: &&&ServiceEndpoint| self.is_known_wrong(source, endpoint);
                (endpoints.iter().filter(is_wrong).count(), endpoints.len())
            }
            Err(_) => {
                let ready = self.ready();
                (ready.iter().filter(|shard| self.is_wrong(source, **shard)).count(), ready.len())
            }
        };
        fit::ratio(wrong as u64, all as u64)
    }

    /// The endpoints that requests of this source may be sent to.
    pub(super) fn reachable(&self, source: &Source) -> Vec<&'a ServiceEndpoint> {
        let is_near = |endpoint: &&ServiceEndpoint| {
            let place = self.shard_of(endpoint).and_then(|shard| self.survey.places.get(&shard));
            !self.service.is_local || place.is_some_and(|place| place.node == source.node)
        };
        self.served().filter(is_near).collect()
    }

    /// Whether it is known of an endpoint that requests of this source to it fail.
    pub(super) fn is_known_wrong(&self, source: &Source, endpoint: &ServiceEndpoint) -> bool {
        let Some(shard) = self.shard_of(endpoint) else { return true };
        // At another port there may be one that answers as well.
        let is_elsewhere = endpoint.port != Some(self.survey.port) && self.total.failures() > 0;
        is_elsewhere || self.is_wrong(source, shard)
    }

    /// Whether a shard fails this source when it is asked by its own name.
    pub(super) fn is_wrong(&self, source: &Source, shard: u32) -> bool {
        let is_bad = |mark: Mark| {
            matches!(mark, Mark::Refused | Mark::Unreachable | Mark::Hangs | Mark::Broken | Mark::BadStatus)
        };
        self.survey.mark(&source.asker, shard).is_some_and(is_bad)
    }

    /// Sources on nodes without an endpoint, of a service that stays on the node.
    fn without_neighbours(&mut self, left: &mut Failures<'a>) {
        if !self.service.is_local {
            return;
        }
        let alone: BTreeSet<&Source> =
            left.keys().copied().filter(|source| self.reachable(source).is_empty()).collect();
        if alone.is_empty() {
            return;
        }
        let nodes: BTreeSet<String> =
            alone.iter().filter_map(|source| Some(source.node.as_ref()?.to_string())).collect();
        let failed: u64 = alone.iter().flat_map(|source| left[source].values()).sum();
        let evidence = format!(
            "internalTrafficPolicy is Local, and no Ready shard is on {}: {} fail",
            nodes.into_iter().collect::<Vec<_>>().join(", "),
            part(failed, self.total.asked)
        );
        self.find(
            ANSWERS,
            self.object(),
            evidence,
            "Set spec.internalTrafficPolicy to Cluster, or run a shard on every node that clients are on",
        );
        left.retain(|source, _| !alone.contains(source));
    }

    /// No shard reaches itself through the service: the network does not send a packet back to where it comes from.
    fn itself(&mut self, left: &Failures<'a>) -> bool {
        let own = |source: &Source| {
            let tally = &self.tallies[source];
            source.shard().is_some_and(|shard| tally.shards.get(&shard).copied().unwrap_or_default() == 0)
        };
        let shards = self.served().count() as u64;
        let is_connection = |marks: &BTreeMap<Mark, u64>| {
            marks.keys().all(|mark| matches!(mark, Mark::Unreachable | Mark::Refused))
        };
        let asked: u64 = left.keys().map(|source| self.tallies[source].asked).sum();
        let failed: u64 = left.values().flat_map(BTreeMap::values).sum();
        // Of fewer than three shards each misses itself as often as it misses the other.
        let is_it = shards > 2
            && !self.service.is_local
            && self.service.affinity.is_none()
            && left.len() > 1
            && left.iter().all(|(source, marks)| own(source) && is_connection(marks))
            && fit::at_least(asked, asked, 1.0 - fit::ratio(1, shards)) < FALSE_ALARMS
            && fit::at_least(failed, asked, fit::ratio(1, shards)) >= FALSE_ALARMS;
        if is_it {
            let evidence = format!(
                "no shard reaches itself through {}: {} fail",
                self.service.name,
                part(failed, self.total.asked)
            );
            self.find(
                ANSWERS,
                "network".to_owned(),
                evidence,
                "Turn on hairpin mode in the network plugin, so that a pod that the service leads to itself gets its packets back",
            );
        }
        is_it
    }

    /// Failures that sources on some nodes have, and those on others do not.
    fn of_nodes(&mut self, left: &Failures<'a>) -> bool {
        let failed_of = |source: &Source| left.get(source).map_or(0, |marks| marks.values().sum());
        let mut nodes: BTreeMap<NodeName, (u64, u64)> = BTreeMap::new();
        let mut sources: BTreeMap<NodeName, BTreeMap<&Source, (u64, u64)>> = BTreeMap::new();
        for (source, tally) in &self.tallies {
            let Some(node) = &source.node else { return false };
            let (failed, asked) = nodes.entry(node.clone()).or_default();
            *failed += failed_of(source);
            *asked += tally.asked;
            let each = sources.entry(node.clone()).or_default();
            each.insert(source, (failed_of(source), tally.asked));
        }
        let blamed = confined(&nodes);
        // What only one of several sources on a node meets is not the node's.
        if blamed.is_empty() || blamed.iter().any(|node| !confined(&sources[node]).is_empty()) {
            return false;
        }
        for node in &blamed {
            let (failed, asked) = nodes[node];
            let marks = left.iter().filter(|(source, _)| source.node.as_ref() == Some(node));
            let marks = marks.flat_map(|(_, marks)| marks.keys().copied()).collect();
            let evidence = format!(
                "{} from there to {} fail ({}), none from elsewhere; its shards reach every shard by its own name{}",
                part(failed, asked),
                self.service.name,
                words(&marks),
                self.silent(node)
            );
            self.find(ANSWERS, format!("node/{node}"), evidence, proxy_remedy(node));
        }
        self.blamed.extend(blamed);
        true
    }

    /// Endpoints that answer elsewhere, and never on this node.
    fn silent(&self, node: &NodeName) -> String {
        let heard = |is_there: bool| -> BTreeSet<u32> {
            let tallies =
                self.tallies.iter().filter(|(source, _)| (source.node.as_ref() == Some(node)) == is_there);
            tallies.flat_map(|(_, tally)| tally.shards.keys().copied()).collect()
        };
        let there = heard(true);
        let silent: BTreeSet<u32> = heard(false).difference(&there).copied().collect();
        match silent.is_empty() || there.is_empty() {
            true => String::new(),
            false => format!("; through the service never {}", self.pods(&silent)),
        }
    }

    /// What is left: no node's, so the service's.
    fn of_the_service(&mut self, left: &Failures<'a>) {
        let failed: u64 = left.values().flat_map(BTreeMap::values).sum();
        let mut marks: BTreeMap<Mark, u64> = BTreeMap::new();
        for (mark, count) in left.values().flatten() {
            *marks.entry(*mark).or_default() += count;
        }
        let causes: Vec<String> = match marks.len() {
            1 => marks.keys().map(|mark| mark.meaning().to_owned()).collect(),
            _ => marks.iter().map(|(mark, count)| format!("{} {count}", mark.meaning())).collect(),
        };
        let evidence = format!(
            "{} fail: {}{}",
            part(failed, self.total.asked),
            causes.join(", "),
            self.from(left.keys().copied())
        );
        self.find(
            ANSWERS,
            self.object(),
            evidence,
            "See whether kube-proxy runs on every node and follows the endpoints, and whether something else answers at \
             the address of the service",
        );
    }

    /// ", from ring-{0,2}", where it is not all of them.
    fn from<'b>(&self, sources: impl Iterator<Item = &'b Source>) -> String {
        let sources: Vec<&Source> = sources.collect();
        if sources.len() == self.tallies.len() {
            return String::new();
        }
        let shards: Option<BTreeSet<u32>> = sources.iter().map(|source| source.shard()).collect();
        match shards {
            Some(shards) => format!(", from {}", self.pods(&shards)),
            None => {
                let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
                format!(", from {}", names.join(", "))
            }
        }
    }

    /// Whether shards say that they are others, so that answers cannot be counted.
    pub(super) fn is_confused(&self) -> bool {
        self.survey.marks().any(|(.., mark)| mark == Mark::Stranger)
    }

    /// Answers from shards that are not Ready, and from who is no shard.
    pub(super) fn unready(&mut self) {
        if !self.survey.wants_identity || self.is_confused() {
            return;
        }
        self.published();
        let endpoints: BTreeSet<u32> = self.served().filter_map(|endpoint| self.shard_of(endpoint)).collect();
        let wrong: Vec<u32> =
            self.not_ready().into_iter().filter(|shard| !endpoints.contains(shard)).collect();
        for shard in wrong {
            let of = |tally: &Tally| tally.shards.get(&shard).copied().unwrap_or_default();
            let count = of(&self.total);
            if count == 0 {
                continue;
            }
            let pod = self.survey.pod_name(shard);
            let nodes = self.by_node(of);
            let blamed = confined(&nodes);
            for node in &blamed {
                let (count, asked) = nodes[node];
                let evidence = format!(
                    "{pod} is not Ready, and answers {} from there to {}, none from elsewhere",
                    part(count, asked),
                    self.service.name
                );
                self.find(READY_ONLY, format!("node/{node}"), evidence, proxy_remedy(node));
            }
            if blamed.is_empty() {
                let evidence = format!("{pod} is not Ready, and answers {}", part(count, self.total.asked));
                self.find(
                    READY_ONLY,
                    self.object(),
                    evidence,
                    "See whether kube-proxy runs on every node and follows the endpoints; a proxy in between may keep \
                     connections to it",
                );
            }
            self.blamed.extend(blamed);
        }
        let has_strangers = self.served().any(|endpoint| self.shard_of(endpoint).is_none());
        if !self.total.strangers.is_empty() && !has_strangers {
            let names: Vec<&str> = self.total.strangers.keys().map(String::as_str).take(3).collect();
            let count = part(self.total.strangers.values().sum(), self.total.asked);
            let evidence =
                format!("{}, no shard of {}, answers {count}", names.join(", "), self.survey.workload);
            self.find(
                READY_ONLY,
                self.object(),
                evidence,
                "See who answers at the address of the service: another service's external address, a proxy",
            );
        }
    }

    /// A service that leads to shards that are not Ready because it was told to.
    fn published(&mut self) {
        if !self.service.publishes_not_ready {
            return;
        }
        let led = self.led_to(&self.not_ready());
        if led.is_empty() {
            return;
        }
        let count: u64 = led.iter().filter_map(|shard| self.total.shards.get(shard)).sum();
        let share = match (count, self.total.asked) {
            (_, 0) => String::new(),
            (0, _) => match self.total.failures() {
                0 => String::new(),
                failed => format!("; {} fail", part(failed, self.total.asked)),
            },
            (count, asked) => format!(", and {} go there", part(count, asked)),
        };
        let evidence =
            format!("publishNotReadyAddresses leads clients to {}, not Ready{share}", self.pods(&led));
        self.find(
            READY_ONLY,
            self.object(),
            evidence,
            "Set spec.publishNotReadyAddresses of the client service to false; shards find each other through the \
             headless service",
        );
    }
}

fn words(marks: &BTreeSet<Mark>) -> String {
    marks.iter().map(|mark| mark.meaning()).collect::<Vec<_>>().join(", ")
}
