//! How differently shards use a resource. One recommendation is made for all of them, so that a shard that needs more than
//! the others does not show in it.

use super::observed::{Resource, ShardUse};
use crate::domain::quantity::Quantity;

/// A shard that uses this many times the median is hot.
const HOT: f64 = 1.5;
/// What is less than this share of the request is no sign of anything.
const NOISE: f64 = 0.1;

/// What shards use of one resource now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Ordinal and amount, the most first; of equals, the lower ordinal first.
    pub by_use: Vec<(u32, Quantity)>,
}

impl Spread {
    /// What all shards use of a resource in one container; none when nothing is known of any.
    #[must_use]
    pub fn of(shards: &[ShardUse], container: &str, resource: Resource) -> Option<Self> {
        let mut by_use: Vec<(u32, Quantity)> = shards
            .iter()
            .filter_map(|shard| Some((shard.ordinal, resource.of(*shard.used.get(container)?))))
            .collect();
        by_use.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        (!by_use.is_empty()).then_some(Self { by_use })
    }

    /// The shard that uses most.
    #[must_use]
    pub fn worst(&self) -> (u32, Quantity) {
        self.by_use[0]
    }

    /// What the shard in the middle uses; of two in the middle, the one that uses less.
    #[must_use]
    pub fn median(&self) -> Quantity {
        self.by_use[self.by_use.len() / 2].1
    }

    #[must_use]
    pub fn least(&self) -> Quantity {
        self.by_use[self.by_use.len() - 1].1
    }

    /// How many times the median the worst shard uses; none when the median is nothing.
    #[must_use]
    pub fn factor(&self) -> Option<f64> {
        let median = self.median();
        median.is_positive().then(|| self.worst().1.as_f64() / median.as_f64())
    }

    /// The shards that use much more than the median, with how many times as much; nothing that is small beside what they
    /// request.
    #[must_use]
    pub fn hot(&self, request: Option<Quantity>) -> Vec<(u32, Quantity, f64)> {
        let median = self.median();
        let least = request.map_or(0.0, |request| request.as_f64() * NOISE);
        self.by_use
            .iter()
            .filter(|(_, used)| median.is_positive() && used.as_f64() >= least)
            .map(|(ordinal, used)| (*ordinal, *used, used.as_f64() / median.as_f64()))
            .take_while(|(.., factor)| *factor >= HOT)
            .collect()
    }
}
