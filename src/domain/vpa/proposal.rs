//! The request to give a shard, from the recommendation and from what the worst shard is known to have used.
//!
//! For memory, the largest of
//!
//! - the target of the recommender by usage alone, before the policy cuts it; its own margin of 15% is in it,
//! - what the worst shard uses now, and the highest peak of its history, each with the headroom,
//! - what a killed shard would have needed: 20% and at least 100 MiB above the limit that it was killed at. That is what the
//!   recommender itself adds (`OOMBumpUpRatio`, `OOMMinBumpUp` in vertical-pod-autoscaler 1.7.3).
//!
//! For CPU, the larger of the target and what the worst shard uses now: too little CPU slows a shard, and does not kill it.
//! Requests and limits are alike (QoS class Guaranteed), so that a shard is not the one that is killed when its node runs out.

use super::Judged;
use super::observed::{Kill, Resource};
use crate::domain::quantity::{Quantity, Resources};

/// Memory from which it is rounded up to a quarter of a GiB, in bytes.
const GIB: i64 = 1 << 30;
/// What smaller amounts are rounded up to: 16 MiB.
const SMALL_MEMORY_STEP: i64 = 16 << 20;
/// CPU is rounded up to this many thousandths.
const CPU_STEP_MILLI: i64 = 50;
/// What a killed shard needs beyond its limit, in percent and at least in bytes.
const KILLED_PERCENT: u32 = 20;
const KILLED_LEAST: i64 = 100 << 20;

/// How a proposal is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Added to the peak of the worst shard's memory, in percent.
    pub headroom_percent: u32,
    /// Whether CPU is rounded up to whole cores, which a static CPU manager gives to one shard alone.
    pub whole_cores: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self { headroom_percent: 15, whole_cores: false }
    }
}

/// What decided an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The recommender's target.
    Target,
    /// What this shard uses now.
    Shard(u32),
    /// The highest peak of the history.
    History,
    /// This shard was killed for want of memory.
    Killed(u32),
}

/// What to request and to limit of one resource, and why as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposed {
    pub amount: Quantity,
    pub basis: Basis,
}

/// None without a target that can be believed: what shards use at one moment is no basis by itself.
pub(super) fn propose(
    resource: Resource,
    target: Option<Quantity>,
    worst: Option<(u32, Quantity)>,
    history: Option<Quantity>,
    killed: &[(u32, Kill)],
    terms: Terms,
) -> Option<Proposed> {
    let headroom = match resource {
        Resource::Cpu => 0,
        Resource::Memory => terms.headroom_percent,
    };
    let mut wishes = vec![(target?, Basis::Target)];
    wishes.extend(worst.map(|(ordinal, used)| (with_percent(used, headroom), Basis::Shard(ordinal))));
    if resource == Resource::Memory {
        wishes.extend(history.map(|peak| (with_percent(peak, headroom), Basis::History)));
        let of_kill =
            |(ordinal, kill): &(u32, Kill)| Some((after_kill(kill.limit?), Basis::Killed(*ordinal)));
        wishes.extend(killed.iter().filter_map(of_kill));
    }
    // The first of equals.
    let (needed, basis) = wishes.into_iter().rev().max_by_key(|(amount, _)| *amount)?;
    Some(Proposed { amount: rounded(resource, needed, terms), basis })
}

/// The least that a shard needs which was killed at this limit.
fn after_kill(limit: Quantity) -> Quantity {
    with_percent(limit, KILLED_PERCENT).max(limit + Quantity::bytes(KILLED_LEAST))
}

/// `amount` and so many percent more, rounded up to thousandths.
fn with_percent(amount: Quantity, percent: u32) -> Quantity {
    if percent == 0 {
        return amount;
    }
    let millis = i128::from(amount.as_milli()) * i128::from(100 + percent);
    Quantity::milli(i64::try_from((millis + 99) / 100).unwrap_or(i64::MAX))
}

/// Rounded up to what a person would write.
fn rounded(resource: Resource, amount: Quantity, terms: Terms) -> Quantity {
    let up = |amount: i64, step: i64| amount.saturating_add(step - 1) / step * step;
    match resource {
        Resource::Cpu => {
            let step = if terms.whole_cores { 1000 } else { CPU_STEP_MILLI };
            Quantity::milli(up(amount.as_milli(), step))
        }
        Resource::Memory => {
            let bytes = amount.as_units();
            let step = if bytes > GIB { GIB / 4 } else { SMALL_MEMORY_STEP };
            Quantity::bytes(up(bytes, step))
        }
    }
}

/// What a shard should request in all, when every container with a recommendation gets what is proposed for it and the
/// others keep what they have; the same as now where nothing is proposed. None when there is no proposal at all.
///
/// This is the figure that other commands count with: `sizing` with these requests in place of today's shows what
/// right-sized shards would cost. Whether to believe it is in [`Judged::is_believed`].
#[must_use]
pub fn right_sized(judged: &Judged) -> Option<Resources> {
    let mut requests = judged.observed.requests;
    let mut is_changed = false;
    for container in &judged.containers {
        for of in &container.resources {
            let Some(proposed) = of.proposed else { continue };
            is_changed = true;
            let now = of.request.unwrap_or_default();
            let total = match of.resource {
                Resource::Cpu => &mut requests.cpu,
                Resource::Memory => &mut requests.memory,
            };
            *total = total.saturating_sub(now) + proposed.amount;
        }
    }
    is_changed.then_some(requests)
}
