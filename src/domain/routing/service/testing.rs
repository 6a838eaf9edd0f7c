//! Client services for tests.

use super::{ClientService, ServiceEndpoint, ServicePort, ServiceSurvey, Source, Target};
use crate::domain::names::NodeName;
use crate::domain::routing::testing::{good, ip};
use crate::domain::routing::{Answer, Asker, Outcome, Survey};

impl Survey {
    /// A client service that leads to each shard, which each shard has asked in vain; `fill` says what it was answered.
    #[must_use]
    pub fn client(&self) -> ServiceSurvey {
        let endpoint = |shard: u32| ServiceEndpoint {
            address: self.places[&shard].ips.first().copied().unwrap_or(ip(0)),
            port: Some(self.port),
            pod: Some(self.pod_name(shard)),
            is_ready: self.places[&shard].is_ready,
            slice: "ring-client-x7k2p".to_owned(),
            kept_by: None,
        };
        ServiceSurvey {
            service: ClientService {
                name: "ring-client".to_owned(),
                selector: [("app".to_owned(), "ring".to_owned())].into(),
                addresses: [ip(200)].into(),
                port: ServicePort {
                    name: "http".to_owned(),
                    number: 80,
                    target: Target::Name("http".to_owned()),
                },
                affinity: None,
                publishes_not_ready: false,
                is_local: false,
                prefers: None,
                endpoints: Ok(self.places.keys().map(|shard| endpoint(*shard)).collect()),
            },
            requests: 20,
            answers: self
                .rows
                .keys()
                .filter_map(|asker| match asker {
                    Asker::Shard(shard) => Some((source(*shard, self.node(*shard).cloned()), Vec::new())),
                    Asker::Probe(_) => None,
                })
                .collect(),
            unsettled: [].into(),
        }
    }

    /// With this client service.
    #[must_use]
    pub fn with_client(mut self, client: ServiceSurvey) -> Self {
        self.clients.surveys.push(client);
        self
    }
}

impl ServiceSurvey {
    /// Each source is answered so often, by the shard that `who` names for it and the number of its request.
    #[must_use]
    pub fn fill(mut self, requests: u32, who: impl Fn(u32, u32) -> Option<u32>) -> Self {
        self.requests = requests;
        for (source, answers) in &mut self.answers {
            let shard = source.shard().unwrap_or_default();
            *answers = (0..requests).filter_map(|at| who(shard, at)).map(answer_of).collect();
        }
        self
    }

    /// Changes those answers of a source that `which` chooses by their number.
    #[must_use]
    pub fn changed(mut self, which: impl Fn(u32, u32) -> bool, change: impl Fn(&mut Answer)) -> Self {
        for (source, answers) in &mut self.answers {
            let shard = source.shard().unwrap_or_default();
            for (_, answer) in (0..).zip(answers).filter(|(at, _)| which(shard, *at)) {
                change(answer);
            }
        }
        self
    }
}

pub fn source(shard: u32, node: Option<NodeName>) -> Source {
    Source { asker: Asker::Shard(shard), name: format!("ring-{shard}"), node }
}

/// A good answer of a shard at the address of the service.
pub fn answer_of(shard: u32) -> Answer {
    answer_by(&format!("ring-{shard}"))
}

/// A good answer at the address of the service.
pub fn answer_by(pod: &str) -> Answer {
    let outcome = Outcome::Answered { status: 200, identity: Some(pod.to_owned()) };
    Answer { addresses: Some([ip(200)].into()), outcome, ..good(0) }
}

/// Numbers by chance, the same in each run: xorshift64* by Vigna, "An experimental exploration of Marsaglia's xorshift
/// generators, scrambled", 2016.
pub struct Chance(u64);

impl Chance {
    pub fn new() -> Self {
        Self(0x5EED)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D);
        usize::try_from((u128::from(number) * bound as u128) >> 64).expect("below the bound")
    }

    pub fn shard(&mut self, shards: u32) -> u32 {
        (0..shards).nth(self.below(shards as usize)).unwrap_or_default()
    }

    /// So many requests, each to one of the shards.
    pub fn counts(&mut self, shards: usize, requests: usize) -> Vec<u64> {
        let mut counts = vec![0; shards];
        (0..requests).for_each(|_| counts[self.below(shards)] += 1);
        counts
    }
}
