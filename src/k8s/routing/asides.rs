//! Questions beside those about every shard and to the client services: whether the short name of a shard leads there, too;
//! and whether an asker with several addresses listens at each.

use std::net::IpAddr;

use super::RoutingQuestion;
use crate::domain::routing::{Row, Survey};

/// Those of one asker.
pub(super) struct Asides {
    /// The number of the first.
    first: u32,
    /// The shard whose short name is asked for: the next one that runs, so that no shard is asked by all.
    peer: Option<u32>,
    own: Vec<IpAddr>,
}

impl Asides {
    /// Those of a shard, or of any probe.
    pub fn new(survey: &Survey, asker: Option<u32>) -> Self {
        let first = survey.replicas + survey.clients.requests();
        let after = asker.map_or(0, |asker| asker + 1);
        let mut peers = survey.places.range(after..).chain(survey.places.range(..after));
        let place = asker.and_then(|asker| survey.places.get(&asker));
        let own = place.map(|place| place.ips.clone()).filter(|ips| ips.len() > 1);
        Self { first, peer: peers.next().map(|(peer, _)| *peer), own: own.unwrap_or_default() }
    }

    /// As the script takes them.
    pub fn lines(&self, survey: &Survey, question: &RoutingQuestion) -> Vec<String> {
        let short = |peer: u32| format!("{}.{}", survey.pod_name(peer), survey.headless.name);
        let hosts = self.peer.map(short).into_iter().chain(self.own.iter().map(IpAddr::to_string));
        (self.first..)
            .zip(hosts)
            .map(|(number, host)| format!("{number} {host} {} {}", question.port, question.path))
            .collect()
    }

    /// Puts their answers where they belong.
    pub fn take(&self, row: &mut Row) {
        let mut answers = row.answers.split_off(&self.first);
        let mut number = self.first;
        if let Some(peer) = self.peer {
            row.short = answers.remove(&number).map(|answer| (peer, answer));
            number += 1;
        }
        for (number, address) in (number..).zip(&self.own) {
            row.own.extend(answers.remove(&number).map(|answer| (*address, answer.outcome)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::routing::testing::{good, row, well};
    use crate::domain::routing::{Asker, Outcome};

    #[test]
    fn each_shard_asks_for_the_next_one_that_runs_and_at_its_own_addresses() {
        let mut survey = well();
        let six: IpAddr = "fd00::4".parse().expect("an address");
        survey.places.get_mut(&4).expect("a place").ips.push(six);
        survey.places.remove(&5);
        survey.rows.remove(&Asker::Shard(5));
        let peer = |asker| Asides::new(&survey, asker).peer;
        assert_eq!([Some(0), Some(3), Some(4), Some(5), None].map(peer), [1, 4, 0, 0, 0].map(Some));
        let own = |asker| Asides::new(&survey, Some(asker)).own;
        assert_eq!(own(3), Vec::<IpAddr>::new(), "it has one address, at which all ask it");
        assert_eq!(own(4), ["10.0.0.4".parse().expect("an address"), six]);
        // Six questions about shards come first.
        let mut row = row();
        row.answers.extend([(6, good(0)), (7, good(4)), (8, good(4))]);
        row.answers.get_mut(&8).expect("an answer").outcome = Outcome::Refused;
        Asides::new(&survey, Some(4)).take(&mut row);
        assert_eq!(row.answers.len(), 6);
        assert_eq!(row.short, Some((0, good(0))));
        assert_eq!(row.own.get(&six), Some(&Outcome::Refused));
        assert_eq!(row.own.len(), 2);
    }
}
