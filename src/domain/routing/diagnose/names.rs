//! Names that do not resolve, or lead elsewhere.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::checks::{CURRENT, RESOLVES, SINGLE};
use super::{Asker, Diagnosis, DomainFrom, Mark, Pairs};

impl<'a> Diagnosis<'a> {
    pub(super) fn names(&mut self) {
        // Its own name a shard has in /etc/hosts.
        let (unresolved, asked) = (self.unresolved(), self.asked());
        let is_nowhere =
            |unresolved: &Pairs<'a>, asked: &Pairs<'a>| !unresolved.is_empty() && unresolved == asked;
        if is_nowhere(&unresolved, &asked) && self.no_service() {
            return self.explain(&self.with(Mark::Unresolved));
        }
        self.resolvers_of_pods(&unresolved, &asked);
        let (unresolved, asked) = (self.unresolved(), self.asked());
        if is_nowhere(&unresolved, &asked) {
            self.no_dns(&unresolved);
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

    fn unresolved(&self) -> Pairs<'a> {
        self.with(Mark::Unresolved).into_iter().filter(|(from, to)| **from != Asker::Shard(*to)).collect()
    }

    /// Whether no name can resolve, and why.
    fn no_service(&mut self) -> bool {
        let headless = self.survey.headless.clone();
        let service = format!("service/{}", headless.name);
        if !headless.exists {
            let evidence = "no name resolves: there is no such headless service".to_owned();
            self.find(
                RESOLVES,
                service,
                evidence,
                "Make the headless service that spec.serviceName of the StatefulSet names",
            );
            return true;
        }
        if !headless.unmatched.is_empty() {
            let labels: Vec<String> =
                headless.unmatched.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let evidence =
                format!("no name resolves: its selector wants {}, which no shard has", labels.join(","));
            self.find(
                RESOLVES,
                service,
                evidence,
                "Set spec.selector of the service to labels that the shards have",
            );
            return true;
        }
        false
    }

    fn no_dns(&mut self, pairs: &Pairs<'a>) {
        let words = self.words(pairs);
        let who = self.who_asks();
        let evidence = match is_silent(&words) {
            true => format!("no name resolves, from any {who}; the name server does not answer: {words}"),
            false => format!("no name resolves, from any {who}: {words}"),
        };
        let (doubt, first) = self.doubt_about_domain();
        let mut servers: Vec<&str> = pairs
            .iter()
            .filter_map(|pair| self.resolver(pair.0))
            .flat_map(|resolver| &resolver.servers)
            .map(String::as_str)
            .collect();
        servers.sort_unstable();
        servers.dedup();
        let place = match servers[..] {
            [] => String::new(),
            _ => format!(", and is at {}, which was asked", servers.join(" and ")),
        };
        self.find(
            RESOLVES,
            "cluster DNS".to_owned(),
            evidence + &doubt,
            format!(
                "{first}See whether the cluster's DNS runs{place}: `kubectl get pods,services -n kube-system -l \
                 k8s-app=kube-dns`"
            ),
        );
    }

    /// Whether the names that were asked may be wrong, and what to do then.
    fn doubt_about_domain(&self) -> (String, &'static str) {
        let Some(domain) = self.survey.domain() else { return (String::new(), "") };
        let mut searched =
            self.survey.rows.values().filter_map(|row| row.resolver.as_ref()?.searched_domain());
        match (domain.from, searched.next()) {
            (DomainFrom::Given, Some(searched)) if searched != domain.name => (
                format!("; --cluster-domain says {}, and /etc/resolv.conf there {searched}", domain.name),
                "Leave out --cluster-domain. ",
            ),
            (DomainFrom::Assumed, _) => (
                format!("; the domain {} is assumed, nothing there tells the cluster's", domain.name),
                "If the cluster has another domain, name it with --cluster-domain. ",
            ),
            _ => (String::new(), ""),
        }
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

    pub(super) fn names_astray(&mut self) {
        for (mark, check) in [(Mark::Stale, CURRENT), (Mark::Several, SINGLE)] {
            let wrong = self.with(mark);
            let targets: BTreeSet<u32> = wrong.iter().map(|pair| pair.1).collect();
            for shard in targets {
                let mine: Pairs<'a> = wrong.iter().filter(|pair| pair.1 == shard).copied().collect();
                let askers = self.all_asked().iter().filter(|pair| pair.1 == shard).count();
                let (leads, remedy) = match mark {
                    Mark::Stale => self.old_record(shard, &mine),
                    _ => self.more_records(shard, &mine),
                };
                let evidence = format!("{leads} (seen by {} of {askers})", mine.len());
                self.find(check, self.pod(shard), evidence, remedy);
                self.explain(&mine);
            }
        }
    }

    fn old_record(&self, shard: u32, pairs: &Pairs<'a>) -> (String, String) {
        let leads = format!(
            "its name leads to {}, and the pod has {}",
            in_words(&self.strays(shard, pairs)),
            in_words(&self.own(shard))
        );
        let remedy = "Ask again in a moment; if it stays, DNS serves an old record: see its cache, and whether it watches the \
                      API";
        (leads, remedy.to_owned())
    }

    fn more_records(&self, shard: u32, pairs: &Pairs<'a>) -> (String, String) {
        let (own, strays) = (self.own(shard), self.strays(shard, pairs));
        let which = if strays.len() == 1 { "which is not" } else { "which are not" };
        // Who prefers a family takes its address each time, and others one or the other.
        let who = match strays.iter().all(IpAddr::is_ipv6) && own.iter().all(IpAddr::is_ipv4) {
            true => "Clients that prefer IPv6 go astray",
            false => "A part of all connections goes astray",
        };
        let leads = format!(
            "its name leads to {}, the pod's own, and to {}, {which}",
            in_words(&own),
            in_short(strays.iter().map(|address| self.with_source(shard, *address)).collect())
        );
        let remedy = format!(
            "{who}. See who else has its hostname, another pod or an EndpointSlice kept by hand: `kubectl get endpointslices \
             -l kubernetes.io/service-name={} -o yaml`; if nobody has, what DNS adds",
            self.survey.headless.name
        );
        (leads, remedy)
    }

    /// "10.0.0.5 (of ring-5, EndpointSlice by-hand)", as far as it is known whose an address is, and what gives it that name.
    fn with_source(&self, shard: u32, address: IpAddr) -> String {
        let mut places = self.survey.places.iter();
        let owner = places.find(|(_, place)| place.ips.contains(&address));
        let owner = owner.map(|(ordinal, _)| format!("of {}", self.survey.pod_name(*ordinal)));
        let slices = &self.survey.headless.slices;
        let slice = slices.get(&(self.survey.pod_name(shard), address)).cloned();
        match owner.into_iter().chain(slice).collect::<Vec<_>>()[..] {
            [] => address.to_string(),
            ref known => format!("{address} ({})", known.join(", ")),
        }
    }

    fn own(&self, shard: u32) -> BTreeSet<IpAddr> {
        self.survey.places.get(&shard).map(|place| place.ips.iter().copied().collect()).unwrap_or_default()
    }

    /// The addresses that the name of a shard leads to, as these were told, and that are not the shard's.
    fn strays(&self, shard: u32, pairs: &Pairs<'a>) -> BTreeSet<IpAddr> {
        let answers = pairs.iter().map(|pair| &self.survey.rows[pair.0].answers[&pair.1]);
        answers.flat_map(|answer| self.survey.strays(shard, answer)).copied().collect()
    }
}

/// Whether no name server answered, by what a tool says of a name.
pub(super) fn is_silent(words: &str) -> bool {
    let words = words.to_lowercase();
    ["temporary failure", "try again", "timed out", "no servers"].iter().any(|silent| words.contains(silent))
}

/// Addresses that are named; of more, how many.
const MOST_ADDRESSES: usize = 4;

/// "10.0.0.3 and fd00::3".
pub(super) fn in_words(addresses: &BTreeSet<IpAddr>) -> String {
    in_short(addresses.iter().map(ToString::to_string).collect())
}

fn in_short(words: Vec<String>) -> String {
    match words.len() {
        0 => "none".to_owned(),
        many if many > MOST_ADDRESSES => {
            format!("{} and {} more", words[..MOST_ADDRESSES].join(", "), many - MOST_ADDRESSES)
        }
        _ => words.join(" and "),
    }
}
