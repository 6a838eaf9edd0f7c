//! What shards that are reached do wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::checks::{ANSWERS, IDENTIFIED, ITSELF, LISTENS};
use super::names::in_words;
use super::{Asker, Diagnosis, Mark, Outcome, Pair, Pairs};

impl<'a> Diagnosis<'a> {
    /// Shards that listen at one of their addresses, and not at another to which their name leads.
    pub(super) fn half_listening(&mut self) {
        for (asker, row) in &self.survey.rows {
            let Asker::Shard(shard) = asker else { continue };
            let (closed, open): (BTreeSet<IpAddr>, BTreeSet<IpAddr>) =
                row.own.keys().copied().partition(|address| row.own[address] == Outcome::Refused);
            let named = self.survey.addresses_of(*shard);
            let closed: BTreeSet<IpAddr> = closed.intersection(&named).copied().collect();
            if closed.is_empty() || open.is_empty() {
                continue;
            }
            let (headless, port) = (&self.survey.headless.name, self.survey.port);
            let (where_to, remedy) = match open.is_disjoint(&named) {
                true => (
                    "where alone its name leads",
                    format!(
                        "Let the process listen on all addresses of both families; or name the family that it listens at in \
                         spec.ipFamilies of service/{headless}"
                    ),
                ),
                false => (
                    "where its name leads, too",
                    format!(
                        "Clients that prefer that family are refused. Let the process listen on all addresses of both \
                         families; or leave the family out of spec.ipFamilies of service/{headless}"
                    ),
                ),
            };
            let (closed_at, open_at) = (in_words(&closed), in_words(&open));
            let evidence =
                format!("it listens on port {port} at {open_at}, and not at {closed_at}, {where_to}");
            self.find(LISTENS, self.pod(*shard), evidence, remedy);
            let is_led = |(from, to): &Pair<'a>| {
                let asked_at = self.survey.rows[*from].answers[to].asked_at;
                to == shard && asked_at.is_none_or(|address| closed.contains(&address))
            };
            let mine: Pairs<'a> = self.with(Mark::Refused).into_iter().filter(is_led).collect();
            self.explain(&mine);
        }
    }

    pub(super) fn listening(&mut self) {
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

    pub(super) fn answers(&mut self) {
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
                let mine: Pairs<'a> = wrong.iter().filter(|pair| pair.1 == shard).copied().collect();
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
    fn everybody(&self) -> Pairs<'a> {
        self.survey.marks().map(|(from, to, _)| (from, to)).collect()
    }

    pub(super) fn strangers(&mut self) {
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
}
