//! From API objects to domain types, once, at the edge. Chains of `Option` live here and nowhere else.

mod event;
mod limits;
mod node;
mod pod;
mod service;
mod volume;
mod workload;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use crate::domain::quantity::{Quantity, Resources};
pub use event::{event_text, event_time, pulled, warning};
pub use limits::{disruption_budget, quota};
pub use node::{attach_limits, node};
pub use pod::{is_owned_by, occupant, other_pod, placeholder, pod, probe};
pub use service::service;
pub use volume::{claim, storage_class, volume};
pub use workload::{daemon_set, ordinal, template, workload};

type Quantities = BTreeMap<String, ApiQuantity>;

pub fn time(time: Option<&Time>) -> Option<Timestamp> {
    time.map(|time| time.0)
}

/// The server has checked its quantities; one that we cannot read counts as nothing.
fn quantity(quantity: &ApiQuantity) -> Quantity {
    quantity.0.parse().unwrap_or_default()
}

fn named(quantities: Option<&Quantities>, name: &str) -> Quantity {
    quantities.and_then(|quantities| quantities.get(name)).map(quantity).unwrap_or_default()
}

/// How large a volume is.
pub fn storage(capacity: Option<&Quantities>) -> Quantity {
    named(capacity, "storage")
}

pub fn resources(quantities: Option<&Quantities>) -> Resources {
    Resources { cpu: named(quantities, "cpu"), memory: named(quantities, "memory") }
}

fn all(quantities: Option<&Quantities>) -> BTreeMap<String, Quantity> {
    quantities.into_iter().flatten().map(|(name, amount)| (name.clone(), quantity(amount))).collect()
}

/// Field managers of an object's spec; writers of status, labels or annotations alone are left out.
pub fn managers(meta: &ObjectMeta) -> Vec<String> {
    let mut managers: Vec<String> = meta
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| entry.fields_v1.as_ref().is_some_and(|fields| fields.0.get("f:spec").is_some()))
        .filter_map(|entry| entry.manager.clone())
        .collect();
    managers.sort();
    managers.dedup();
    managers
}

/// When an object was asked to end: its deletion timestamp is that plus the grace period.
fn asked_to_end(meta: &ObjectMeta) -> Option<Timestamp> {
    let ends_by = time(meta.deletion_timestamp.as_ref())?;
    let grace = meta.deletion_grace_period_seconds.unwrap_or(0);
    Some(ends_by.checked_sub(jiff::SignedDuration::from_secs(grace)).unwrap_or(ends_by))
}
