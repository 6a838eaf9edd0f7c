//! Whether a service leads to the shards that it should lead to, and to nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::{ENDPOINTS, JUDGED, ONCE};
use super::{ENDPOINT_DELAY, Judge, ServiceEndpoint, Target, part};

const LABELS_REMEDY: &str = "Compare the labels of the pods with the service's selector: `kubectl get pods --show-labels`; where \
                             they agree, see `kubectl get endpointslices`";
const SLICE_REMEDY: &str = "See who writes its EndpointSlices, `kubectl get endpointslices -o yaml`, and mend or remove what is \
                            not right";

impl Judge<'_> {
    pub(super) fn endpoints(&mut self) {
        self.changing();
        if let Err(unknown) = &self.service.endpoints {
            let evidence = format!("its endpoints are not known: {unknown}");
            return self.find(
                JUDGED,
                self.object(),
                evidence,
                "Allow `list endpointslices.discovery.k8s.io`",
            );
        }
        if self.served().next().is_none() {
            return self.leads_nowhere();
        }
        self.wrong_port();
        self.missing();
        self.stale();
        self.strangers();
        self.doubles();
    }

    /// Shards of which nothing is said yet.
    fn changing(&mut self) {
        if self.client.unsettled.is_empty() {
            return;
        }
        let evidence = format!(
            "what it does with {} is not judged: Ready, endpoint or address has changed within {} s",
            self.pods(&self.client.unsettled),
            ENDPOINT_DELAY.as_secs()
        );
        self.find(JUDGED, self.object(), evidence, "Ask again in a moment");
    }

    /// What became of all requests, where they were asked.
    fn share_of_failures(&self) -> String {
        match self.total.failures() {
            0 => String::new(),
            failed => format!("; {} fail", part(failed, self.total.asked)),
        }
    }

    /// No endpoint takes requests.
    fn leads_nowhere(&mut self) {
        let labels = |pairs: &BTreeMap<String, String>| {
            pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
        };
        let selector = &self.service.selector;
        let ready = self.ready();
        let (reason, remedy) = if ready.is_empty() && self.client.unsettled.is_empty() {
            ("no shard is Ready".to_owned(), "See why: `shardctl status`".to_owned())
        } else if ready.is_empty() {
            return;
        } else if selector.is_empty() {
            ("it has no selector, and nobody has given it endpoints".to_owned(), SLICE_REMEDY.to_owned())
        } else {
            (
                format!(
                    "its selector {} chooses no Ready pod, or its port is no port of theirs",
                    labels(selector)
                ),
                LABELS_REMEDY.to_owned(),
            )
        };
        let evidence = format!("it leads nowhere: {reason}{}", self.share_of_failures());
        self.find(ENDPOINTS, self.object(), evidence, remedy);
    }

    /// Endpoints at another port than the one that shards are asked at.
    fn wrong_port(&mut self) {
        let asked = self.survey.port;
        let mut ports: BTreeMap<Option<u16>, usize> = BTreeMap::new();
        let wrong = self.served().filter(|endpoint| endpoint.port != Some(asked));
        wrong.for_each(|endpoint| *ports.entry(endpoint.port).or_default() += 1);
        // What answers well at another port is none of our business.
        if ports.is_empty() || self.total.failures() == 0 {
            return;
        }
        let all = self.served().count();
        for (port, count) in ports {
            let port = match (port, &self.service.port.target) {
                (Some(port), _) => format!("port {port}"),
                (None, target @ Target::Name(_)) => format!("{target}, which no container has"),
                (None, Target::Number(_)) => "no port".to_owned(),
            };
            let of = if count == all { String::new() } else { format!(" of {count} of {all} endpoints") };
            let evidence = format!(
                "its port {} leads to {port}{of}, and the shards are asked at {asked}{}",
                self.service.port.number,
                self.share_of_failures()
            );
            self.find(
                ENDPOINTS,
                self.object(),
                evidence,
                format!(
                    "Set targetPort of the service to {asked}, or name the port that it leads to with --port"
                ),
            );
        }
    }

    /// Ready shards that it does not lead to.
    fn missing(&mut self) {
        let (mut absent, mut closed) = (self.ready(), BTreeSet::new());
        for endpoint in self.service.endpoints.iter().flatten() {
            if let Some(shard) = self.shard_of(endpoint).filter(|shard| absent.remove(shard)) {
                closed.insert(shard);
            }
        }
        closed.retain(|shard| !self.served().any(|endpoint| self.shard_of(endpoint) == Some(*shard)));
        let selector: Vec<String> =
            self.service.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        if !absent.is_empty() {
            let evidence = match selector.is_empty() {
                true => "it is Ready, and no endpoint of it was given to the service, which has no selector"
                    .to_owned(),
                false => format!(
                    "it is Ready, and no endpoint: clients never reach it (selector {})",
                    selector.join(",")
                ),
            };
            let remedy = if selector.is_empty() { SLICE_REMEDY } else { LABELS_REMEDY };
            self.of_shards(&absent, &evidence, remedy);
        }
        if !closed.is_empty() {
            let evidence = "it is Ready, and its endpoint is not: clients never reach it";
            self.of_shards(&closed, evidence, SLICE_REMEDY);
        }
    }

    /// One finding for all of these shards.
    fn of_shards(&mut self, shards: &BTreeSet<u32>, evidence: &str, remedy: &str) {
        let evidence = format!("{} does not lead to {}: {evidence}", self.service.name, self.pods(shards));
        self.find(ENDPOINTS, self.object(), evidence, remedy);
    }

    /// Shards that are not Ready, and that it leads to without having been told to.
    fn stale(&mut self) {
        if self.service.publishes_not_ready {
            return;
        }
        let not_ready = self.not_ready();
        let led = self.led_to(&not_ready);
        if !led.is_empty() {
            let evidence = format!("it leads to {}, not Ready{}", self.pods(&led), self.kept_by(&not_ready));
            self.find(ENDPOINTS, self.object(), evidence, SLICE_REMEDY);
        }
    }

    /// Those of these shards that it leads to.
    pub(super) fn led_to(&self, shards: &BTreeSet<u32>) -> BTreeSet<u32> {
        let led = self.served().filter_map(|endpoint| self.shard_of(endpoint));
        led.filter(|shard| shards.contains(shard)).collect()
    }

    /// Who keeps the slices of these shards' endpoints, where it is not Kubernetes.
    fn kept_by(&self, shards: &BTreeSet<u32>) -> String {
        let is_theirs = |endpoint: &&ServiceEndpoint| {
            self.shard_of(endpoint).is_some_and(|shard| shards.contains(&shard))
        };
        keeper(self.served().filter(is_theirs))
    }

    /// Addresses that are no shard's.
    fn strangers(&mut self) {
        let strangers: Vec<&ServiceEndpoint> =
            self.served().filter(|endpoint| self.shard_of(endpoint).is_none()).collect();
        // A shard's old address, while its new one is not in yet.
        let is_unsettled = |endpoint: &&&ServiceEndpoint| {
            let unsettled = self.client.unsettled.iter().map(|shard| self.survey.pod_name(*shard));
            endpoint.pod.as_ref().is_some_and(|pod| unsettled.into_iter().any(|name| name == *pod))
        };
        let strangers: Vec<&ServiceEndpoint> =
            strangers.iter().filter(|endpoint| !is_unsettled(endpoint)).copied().collect();
        if strangers.is_empty() {
            return;
        }
        let (pods, none): (Vec<_>, Vec<_>) = strangers.iter().partition(|endpoint| endpoint.pod.is_some());
        let names = |endpoints: &[&&ServiceEndpoint]| {
            let mut names: Vec<String> = endpoints
                .iter()
                .map(|endpoint| match &endpoint.pod {
                    Some(pod) => format!("{pod} ({})", endpoint.address),
                    None => endpoint.address.to_string(),
                })
                .collect();
            let more = names.len().saturating_sub(SHOWN);
            names.truncate(SHOWN);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{}{more}", names.join(", "))
        };
        if !none.is_empty() {
            let evidence = format!(
                "it leads to {}, which is no shard's address{}{}",
                names(&none),
                keeper(none.iter().map(|endpoint| **endpoint)),
                self.share_of_failures()
            );
            self.find(ENDPOINTS, self.object(), evidence, SLICE_REMEDY);
        }
        if !pods.is_empty() {
            let evidence =
                format!("it also leads to {}, which is no shard of {}", names(&pods), self.survey.workload);
            self.find(
                ENDPOINTS,
                self.object(),
                evidence,
                "Give the service a selector that only the shards match: the StatefulSet's spec.selector.matchLabels",
            );
        }
    }

    /// Shards that it leads to more than once.
    fn doubles(&mut self) {
        let mut slices: BTreeMap<(std::net::IpAddr, Option<u16>), BTreeSet<&str>> = BTreeMap::new();
        for endpoint in self.served() {
            slices.entry((endpoint.address, endpoint.port)).or_default().insert(&endpoint.slice);
        }
        let double: Vec<_> = slices.into_iter().filter(|(_, slices)| slices.len() > 1).collect();
        let unsettled = |address| {
            let places = self.survey.places.iter();
            places
                .filter(|(_, place)| place.ips.contains(&address))
                .any(|(shard, _)| self.client.unsettled.contains(shard))
        };
        // One that moves from slice to slice may be in both for a moment.
        let double: Vec<_> = double.into_iter().filter(|((address, _), _)| !unsettled(*address)).collect();
        let Some(((address, _), slices)) = double.first() else { return };
        let slices: Vec<&str> = slices.iter().copied().collect();
        let more = match double.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more addresses"),
        };
        let evidence = format!("{address} is in several EndpointSlices, {}{more}", slices.join(" and "));
        self.find(
            ONCE,
            self.object(),
            evidence,
            "Remove the slice that is not Kubernetes' own: proxies other than kube-proxy may send its shards twice the requests",
        );
    }
}

/// Addresses that are named; of more, how many.
const SHOWN: usize = 3;

fn keeper<'a>(mut endpoints: impl Iterator<Item = &'a ServiceEndpoint>) -> String {
    let kept = endpoints.find_map(|endpoint| Some((&endpoint.slice, endpoint.kept_by.as_ref()?)));
    kept.map_or_else(String::new, |(slice, by)| format!(" (EndpointSlice {slice}, kept by {by})"))
}
