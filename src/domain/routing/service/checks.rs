//! What a routing test looks at in a client service.

use super::super::RoutingCheck;
use crate::domain::finding::Severity::{Error, Info, Warning};

pub(in super::super) const ENDPOINTS: RoutingCheck = RoutingCheck::new(
    "service-endpoints",
    Error,
    "a client service leads to every Ready shard, at its port, and to nothing else",
);
pub(in super::super) const ONCE: RoutingCheck =
    RoutingCheck::new("service-single", Warning, "every shard is one endpoint of a client service");
pub(in super::super) const ANSWERS: RoutingCheck =
    RoutingCheck::new("service-answers", Error, "every request of a client is answered with success");
pub(in super::super) const READY_ONLY: RoutingCheck =
    RoutingCheck::new("service-ready-only", Error, "clients get their answers from Ready shards only");
pub(in super::super) const REACHES: RoutingCheck =
    RoutingCheck::new("service-reaches", Error, "every Ready shard gets requests of clients");
pub(in super::super) const SPREAD: RoutingCheck = RoutingCheck::new(
    "service-spread",
    Warning,
    "requests of clients are spread over the shards, to each alike",
);
pub(in super::super) const STICKS: RoutingCheck =
    RoutingCheck::new("service-sticks", Warning, "under ClientIP affinity each source stays with one shard");
pub(in super::super) const JUDGED: RoutingCheck =
    RoutingCheck::new("service-judged", Info, "a client service can be judged in every respect");
