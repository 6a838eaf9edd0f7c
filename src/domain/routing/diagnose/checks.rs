//! What a routing test looks at.

use super::super::service::checks as service;
use crate::domain::finding::Severity::{self, Error, Info, Warning};

/// One thing that a routing test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutingCheck {
    /// Its name, in kebab-case, as in `docs/routing.md`.
    pub id: &'static str,
    pub severity: Severity,
    /// What holds when nothing is found.
    pub meaning: &'static str,
}

impl RoutingCheck {
    pub(in super::super) const fn new(id: &'static str, severity: Severity, meaning: &'static str) -> Self {
        Self { id, severity, meaning }
    }
}

pub(super) const RESOLVES: RoutingCheck =
    RoutingCheck::new("name-resolves", Error, "every shard's name resolves");
pub(super) const CURRENT: RoutingCheck =
    RoutingCheck::new("name-current", Error, "every name leads to its shard's own address");
pub(super) const SINGLE: RoutingCheck =
    RoutingCheck::new("name-single", Error, "every name leads to its shard, and nowhere else");
pub(super) const SHORT: RoutingCheck = RoutingCheck::new(
    "name-short",
    Warning,
    "the short name of a shard, POD.SERVICE, leads where its full one does",
);
pub(super) const COMPARED: RoutingCheck =
    RoutingCheck::new("name-compared", Info, "whoever asks can tell what a name leads to");
pub(super) const LISTENS: RoutingCheck =
    RoutingCheck::new("shard-listens", Error, "every shard takes connections");
pub(super) const REACHES: RoutingCheck =
    RoutingCheck::new("network-reaches", Error, "the network carries every shard to every other");
pub(super) const ANSWERS: RoutingCheck =
    RoutingCheck::new("shard-answers", Error, "every shard answers with success, in time");
pub(super) const ITSELF: RoutingCheck =
    RoutingCheck::new("shard-identity", Error, "the shard that was asked is the one that answers");
pub(super) const IDENTIFIED: RoutingCheck =
    RoutingCheck::new("identity-told", Info, "every answer says which shard it is from");
pub(super) const ASKED_FROM: RoutingCheck =
    RoutingCheck::new("shard-asks", Warning, "every shard can be asked from, over its own network");

pub(super) const BESIDE: RoutingCheck =
    RoutingCheck::new("shard-asks-itself", Info, "every shard asks from inside its own container");
pub(super) const AGREES: RoutingCheck =
    RoutingCheck::new("probe-agrees", Info, "a probe gets what the shards beside it get");

/// All of them, in the order in which a question runs into them.
pub const CHECKS: [RoutingCheck; 21] = [
    RESOLVES,
    CURRENT,
    SINGLE,
    SHORT,
    COMPARED,
    LISTENS,
    REACHES,
    ANSWERS,
    ITSELF,
    IDENTIFIED,
    ASKED_FROM,
    BESIDE,
    AGREES,
    service::ENDPOINTS,
    service::ONCE,
    service::ANSWERS,
    service::READY_ONLY,
    service::REACHES,
    service::SPREAD,
    service::STICKS,
    service::JUDGED,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_in_the_documents() {
        let document = include_str!("../../../../docs/routing.md");
        let missing: Vec<&str> = CHECKS
            .iter()
            .map(|check| check.id)
            .filter(|id| !document.contains(&format!("| `{id}` |")))
            .collect();
        assert_eq!(missing, Vec::<&str>::new());
    }
}
