//! Names that do not resolve, or lead elsewhere.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::checks::{CURRENT, RESOLVES, SINGLE};
use super::{Asker, Diagnosis, Mark, Pairs};

impl<'a> Diagnosis<'a> {
    pub(super) fn names(&mut self) {
        // Its own name a shard has in /etc/hosts.
        let asked = self.asked();
        let unresolved: Pairs<'a> = self
            .with(Mark::Unresolved)
            .into_iter()
            .filter(|(from, to)| **from != Asker::Shard(*to))
            .collect();
        if !unresolved.is_empty() && unresolved == asked {
            self.no_name_resolves(&unresolved);
            return self.explain(&self.with(Mark::Unresolved));
        }
        self.resolvers(&unresolved, &asked);
        let (unresolved, asked) = (self.with(Mark::Unresolved), self.asked());
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

    fn no_name_resolves(&mut self, pairs: &Pairs<'a>) {
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
        let who = self.who_asks();
        let evidence = match is_silent {
            true => format!("no name resolves, from any {who}; the name server does not answer: {words}"),
            false => format!("no name resolves, from any {who}: {words}"),
        };
        self.find(
            RESOLVES,
            "cluster DNS".to_owned(),
            evidence,
            "See whether the cluster's DNS runs: `kubectl get pods -n kube-system -l k8s-app=kube-dns`",
        );
    }

    fn why_it_has_no_name(&self, shard: u32) -> (String, String) {
        let headless = &self.survey.headless;
        let nobody = format!("no {} can resolve its name", self.who_asks());
        match self.survey.places.get(&shard) {
            None => (format!("{nobody}: there is no pod"), "See why: `shardctl status`".to_owned()),
            Some(place) if !place.is_ready && headless.exists && !headless.publishes_not_ready => (
                format!("{nobody}: it is not Ready, and the headless service names Ready pods only"),
                format!(
                    "Set spec.publishNotReadyAddresses of service/{} to true, so that shards find each other while they start",
                    headless.name
                ),
            ),
            Some(_) => (
                nobody,
                format!(
                    "See whether it is an endpoint: `kubectl get endpointslices -l kubernetes.io/service-name={}`",
                    headless.name
                ),
            ),
        }
    }

    pub(super) fn old_names(&mut self) {
        let stale = self.with(Mark::Stale);
        let targets: BTreeSet<u32> = stale.iter().map(|pair| pair.1).collect();
        for shard in targets {
            let mine: Pairs<'a> = stale.iter().filter(|pair| pair.1 == shard).copied().collect();
            let askers = self.all_asked().iter().filter(|pair| pair.1 == shard).count();
            let mut old: BTreeSet<IpAddr> = BTreeSet::new();
            for pair in &mine {
                let row = &self.survey.rows[pair.0];
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
}
