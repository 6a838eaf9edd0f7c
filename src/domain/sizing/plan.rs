//! A plan as it is shown: the question with what was assumed, and the answer.

use super::super::catalogue::Size;
use super::{Choice, Demand, Market, Mixed, Prefer, Sizing, mixed, size_up};

/// Sizes ranked for one service, and everything that the ranking rests on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The service's name.
    pub name: String,
    pub demand: Demand,
    pub market: Market,
    pub prefer: Prefer,
    /// The one instance type of its stable pool now.
    pub pinned: Option<String>,
    /// What was not known and is assumed, one sentence each with the option that says otherwise.
    pub assumptions: Vec<String>,
    pub sizing: Sizing,
    /// With the machines that are reserved already, where any was named.
    pub mixed: Option<Mixed>,
}

impl Plan {
    /// Ranks the sizes.
    #[must_use]
    pub fn new(
        name: String,
        demand: Demand,
        market: Market,
        prefer: Prefer,
        pinned: Option<String>,
        assumptions: Vec<String>,
    ) -> Self {
        let sizing = size_up(&demand, &market, prefer);
        Self { name, demand, market, prefer, pinned, assumptions, sizing, mixed: None }
    }

    /// Looks for the best use of machines that are reserved already.
    #[must_use]
    pub fn with_reserved(mut self, reserved: &[(&'static Size, u32)]) -> Self {
        self.mixed = mixed(&self.demand, &self.sizing, reserved);
        self
    }

    /// The size that comes first.
    #[must_use]
    pub fn best(&self) -> Option<&Choice> {
        self.sizing.choices.first()
    }

    /// What was found of a size, when it can be used.
    #[must_use]
    pub fn choice(&self, name: &str) -> Option<&Choice> {
        self.sizing.choices.iter().find(|choice| choice.size.name == name)
    }

    /// The sizes to show: the first `top`, and the one that the pool is pinned to now.
    #[must_use]
    pub fn shown(&self, top: usize) -> Vec<&Choice> {
        let (first, rest) = self.sizing.choices.split_at(top.min(self.sizing.choices.len()));
        let pinned = rest.iter().filter(|choice| Some(choice.size.name) == self.pinned.as_deref());
        first.iter().chain(pinned).collect()
    }

    /// How many sizes are out for each sort of reason, the most frequent first.
    #[must_use]
    pub fn left_out(&self) -> Vec<(&'static str, usize)> {
        let mut sorts: Vec<(&'static str, usize)> = Vec::new();
        for (_, out) in &self.sizing.out {
            match sorts.iter_mut().find(|(sort, _)| *sort == out.sort()) {
                Some((_, count)) => *count += 1,
                None => sorts.push((out.sort(), 1)),
            }
        }
        sorts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        sorts
    }

    /// The largest machine that is out only because one shard does not fit.
    #[must_use]
    pub fn largest_too_small(&self) -> Option<&'static Size> {
        let small = self.sizing.out.iter().filter(|(_, out)| matches!(out, super::Out::TooSmall { .. }));
        small.map(|(size, _)| *size).max_by_key(|size| (size.memory_gib, size.vcpus))
    }
}
