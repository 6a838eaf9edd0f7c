//! How long answers took.

use std::time::Duration;

/// Percentiles of durations, each a value that occurred (nearest rank).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    pub count: usize,
    pub median: Duration,
    pub p99: Duration,
    pub longest: Duration,
}

impl Percentiles {
    /// None where there is nothing to take them of.
    #[must_use]
    pub fn of(durations: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut sorted: Vec<Duration> = durations.into_iter().collect();
        sorted.sort_unstable();
        // The nearest rank of p in n values is ceil(p * n / 100), counted from one.
        let rank =
            |percent: usize| sorted.get((percent * sorted.len()).div_ceil(100).checked_sub(1)?).copied();
        Some(Self { count: sorted.len(), median: rank(50)?, p99: rank(99)?, longest: *sorted.last()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_occurred() {
        assert_eq!(Percentiles::of([]), None);
        let of = |millis: &[u64]| {
            let found = Percentiles::of(millis.iter().copied().map(Duration::from_millis)).expect("values");
            (found.median.as_millis(), found.p99.as_millis(), found.longest.as_millis())
        };
        assert_eq!(of(&[7]), (7, 7, 7));
        assert_eq!(of(&[4, 1, 3, 2]), (2, 4, 4));
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(of(&hundred), (50, 99, 100));
    }
}
