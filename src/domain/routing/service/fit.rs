//! Whether counts can be those of a proxy that gives each request to one of some shards by chance, all of them alike.
//!
//! Two tests share a bound on false alarms. Pearson's chi-squared test sees many small deviations; it is used where each
//! shard is expected to get at least five requests (Cochran's rule), below which its distribution does not hold. The
//! exact binomial test of each shard, its bound divided by their number (Bonferroni), sees a single shard that stands
//! out, and holds for any number of requests.

use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF as _, DiscreteCDF as _};

/// The fewest requests to expect of each shard for the chi-squared test.
const FEWEST_EXPECTED: f64 = 5.0;

/// Counts beside what is expected of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Requests that each shard is expected to get.
    pub expected: f64,
    /// Pearson's test; none where too few requests are expected.
    pub chi_squared: Option<Pearson>,
    /// Positions of the counts that no chance explains.
    pub outliers: Vec<usize>,
    /// Whether the counts deviate from what is expected more than chance explains.
    pub is_rejected: bool,
}

/// A chi-squared test of goodness of fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pearson {
    pub statistic: f64,
    pub degrees: u32,
    /// How often chance alone deviates so much.
    pub p: f64,
}

impl Pearson {
    /// None without a degree of freedom.
    #[must_use]
    pub fn new(statistic: f64, degrees: u32) -> Option<Self> {
        let p = ChiSquared::new(f64::from(degrees)).ok()?.sf(statistic);
        Some(Self { statistic, degrees, p })
    }
}

impl std::fmt::Display for Pearson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let p =
            if self.p < 0.0001 { "p < 0.0001".to_owned() } else { format!("p = {}", significant(self.p)) };
        write!(f, "chi-squared {:.1}, df {}, {p}", self.statistic, self.degrees)
    }
}

/// Holds counts against equal shares. Of counts that are well it alarms at most with the probability `alpha`.
#[must_use]
pub fn fit(counts: &[u64], alpha: f64) -> Fit {
    let requests: u64 = counts.iter().sum();
    let share = share(counts.len());
    let expected = real(requests) * share;
    let chi_squared = pearson(counts, expected);
    let bound = alpha / 2.0;
    let each = bound * share;
    let is_outlier = |(at, count): (usize, &u64)| (two_sided(*count, requests, share) < each).then_some(at);
    let outliers: Vec<usize> = match counts.len() {
        0 | 1 => Vec::new(),
        _ => counts.iter().enumerate().filter_map(is_outlier).collect(),
    };
    let is_rejected = !outliers.is_empty() || chi_squared.is_some_and(|test| test.p < bound);
    Fit { expected, chi_squared, outliers, is_rejected }
}

/// So many requests are needed before [`fit`] sees that one of so many shards gets none.
#[must_use]
pub fn needed(shards: usize, alpha: f64) -> u64 {
    if shards < 2 {
        return 1;
    }
    let share = share(shards);
    // 2 (1 - share)^n < alpha / 2 * share, with the count of a shard that gets none.
    whole(((alpha * share / 4.0).ln() / (1.0 - share).ln()).floor() + 1.0)
}

/// How likely at least so many of these requests meet something that each meets with this probability.
#[must_use]
pub fn at_least(count: u64, requests: u64, probability: f64) -> f64 {
    match (count.checked_sub(1), Binomial::new(probability.clamp(0.0, 1.0), requests)) {
        (Some(below), Ok(binomial)) => binomial.sf(below),
        _ => 1.0,
    }
}

/// How likely so many sources, each of which sticks to a shard by chance, meet at most `distinct` of the shards; and how
/// many they meet in the mean.
#[must_use]
pub fn distinct(distinct: usize, sources: usize, shards: usize) -> (f64, f64) {
    let share = share(shards);
    // By the number of shards that were met, source by source.
    let mut met = vec![0.0; shards + 1];
    met[0] = 1.0;
    for _ in 0..sources {
        for count in (0..=shards).rev() {
            let stays = met[count] * real(count as u64) * share;
            let comes = match count.checked_sub(1) {
                Some(one_less) => met[one_less] * (1.0 - real(one_less as u64) * share),
                None => 0.0,
            };
            met[count] = stays + comes;
        }
    }
    let mean = met.iter().enumerate().map(|(count, p)| real(count as u64) * p).sum();
    (met.iter().take(distinct + 1).sum(), mean)
}

fn pearson(counts: &[u64], expected: f64) -> Option<Pearson> {
    let degrees = u32::try_from(counts.len()).ok()?.checked_sub(1).filter(|degrees| *degrees > 0)?;
    if expected < FEWEST_EXPECTED {
        return None;
    }
    Pearson::new(counts.iter().map(|count| (real(*count) - expected).powi(2) / expected).sum(), degrees)
}

/// The probability of a count as far out as this one, on either side.
fn two_sided(count: u64, requests: u64, share: f64) -> f64 {
    let Ok(binomial) = Binomial::new(share, requests) else { return 1.0 };
    let above = at_least(count, requests, share);
    (2.0 * binomial.cdf(count).min(above)).min(1.0)
}

/// Two digits that count, from a ten-thousandth on: 0.64, 0.012, 0.0003.
fn significant(p: f64) -> String {
    match p {
        p if p >= 0.095 => format!("{p:.2}"),
        p if p >= 0.0095 => format!("{p:.3}"),
        p => format!("{p:.4}"),
    }
}

/// What part of all `count` is; nothing of nothing.
#[must_use]
pub fn ratio(count: u64, all: u64) -> f64 {
    real(count) / real(all.max(1))
}

/// In how many ways `some` of `all` can be chosen.
#[must_use]
pub fn ways(all: usize, some: usize) -> f64 {
    (0..some).map(|at| real((all - at) as u64) / real((some - at) as u64)).product()
}

fn share(shards: usize) -> f64 {
    1.0 / real(shards.max(1) as u64)
}

/// A count among real numbers.
#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
#[must_use]
pub fn real(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is positive, and casts saturate"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::super::testing::Chance;
    use super::*;

    /// The bound that a service is judged with, of one group of sources.
    const ALPHA: f64 = 0.001;

    #[test]
    fn tails_are_those_of_the_tables() {
        // NIST/SEMATECH e-Handbook, 1.3.6.7.4: upper critical values of chi-squared.
        for (degrees, statistic, p) in [(5, 11.070, 0.05), (5, 20.515, 0.001), (99, 123.225, 0.05)] {
            let found = ChiSquared::new(f64::from(degrees)).expect("a distribution").sf(statistic);
            assert!((found / p - 1.0_f64).abs() < 0.001, "{degrees} {statistic}: {found}");
        }
        let close = |found: f64, wanted: f64| (found / wanted - 1.0).abs() < 1e-9;
        assert!(close(at_least(10, 10, 0.5), 1.0 / 1024.0));
        assert!(close(at_least(1, 3, 0.5), 0.875));
        assert!(close(at_least(0, 3, 0.5), 1.0));
        assert!(close(two_sided(0, 40, 0.25), 2.0 * 0.75_f64.powi(40)));
        assert!(close(two_sided(1, 2, 0.5), 1.0));
        assert!(close(at_least(3, 5, 0.0), f64::MIN_POSITIVE) || at_least(3, 5, 0.0) == 0.0);
    }

    #[test]
    fn sets_are_counted() {
        for (all, some, expected) in [(3, 1, 3.0), (3, 2, 3.0), (5, 2, 10.0), (20, 10, 184_756.0)] {
            assert!((ways(all, some) - expected).abs() < 1e-6, "{some} of {all}");
        }
        assert!(ratio(0, 0) == 0.0 && (ratio(1, 6) - 1.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn the_test_is_pearsons() {
        // 60 throws of a die: (25 + 4 + 1 + 4 + 0 + 100) / 10.
        let fit = fit(&[5, 8, 9, 8, 10, 20], ALPHA);
        let test = fit.chi_squared.expect("ten expected of each");
        assert!((test.statistic - 13.4).abs() < 1e-9 && test.degrees == 5, "{test:?}");
        // By the table, between 0.025 (12.833) and 0.01 (15.086).
        assert!((0.01..0.025).contains(&test.p), "{test:?}");
        assert!(!fit.is_rejected);
    }

    /// What the docs promise: a proxy that is well alarms in one of a thousand runs at most.
    #[test]
    fn chance_alarms_no_more_often_than_is_said() {
        let mut chance = Chance::new();
        for (shards, requests, trials) in [
            (2, 40, 10_000),
            (3, 60, 10_000),
            (6, 30, 10_000),
            (6, 120, 10_000),
            (10, 60, 10_000),
            (100, 600, 1_000),
            (100, 2_000, 1_000),
        ] {
            // A wider bound as well, of which many more trials come near.
            for bound in [ALPHA, 0.05] {
                let counts = (0..trials).map(|_| chance.counts(shards, requests));
                let alarms = counts.filter(|counts| fit(counts, bound).is_rejected).count();
                // So many or more come once in a million when the rate is the bound itself.
                let is_kept = at_least(alarms as u64, trials, bound) > 1e-6;
                assert!(
                    is_kept,
                    "{alarms} alarms in {trials} trials of {requests} requests to {shards} shards"
                );
            }
        }
    }

    /// Of twenty trials each, none is passed over.
    #[test]
    fn a_clear_skew_alarms() {
        let mut chance = Chance::new();
        for _ in 0..20 {
            // One of six gets none.
            let mut starved = chance.counts(5, 120);
            starved.push(0);
            let found = fit(&starved, ALPHA);
            assert!(found.is_rejected && found.outliers.contains(&5), "{found:?}");
            // One of a hundred gets none: no chi-squared sees that, the shard's own test does.
            let mut starved = chance.counts(99, 2_000);
            starved.push(0);
            assert!(fit(&starved, ALPHA).outliers.contains(&99));
            // Half of all requests go to one shard.
            let mut hot = chance.counts(6, 60);
            hot[2] += 60;
            assert!(fit(&hot, ALPHA).outliers.contains(&2));
            // Half of a hundred shards get twice what the others get: no single one stands out.
            let mut halves = chance.counts(50, 1_333);
            halves.extend(chance.counts(50, 667));
            assert!(fit(&halves, ALPHA).is_rejected);
        }
    }

    #[test]
    fn as_many_requests_as_are_needed_show_a_shard_that_gets_none() {
        for shards in [2, 3, 6, 10, 100, 1_000] {
            let needed = needed(shards, ALPHA);
            let without_one = |requests: u64| {
                let others = shards as u64 - 1;
                let mut counts: Vec<u64> =
                    (0..others).map(|at| requests / others + u64::from(at < requests % others)).collect();
                counts.push(0);
                fit(&counts, ALPHA)
            };
            assert!(without_one(needed).outliers.contains(&(shards - 1)), "{needed} for {shards}");
            assert!(!without_one(needed - 1).outliers.contains(&(shards - 1)), "{needed} for {shards}");
        }
        assert_eq!([2, 6, 10, 100].map(|shards| needed(shards, ALPHA)), [13, 56, 101, 1_284]);
        assert_eq!(needed(1, ALPHA), 1);
        assert!(!fit(&[7], ALPHA).is_rejected && !fit(&[], ALPHA).is_rejected);
    }

    #[test]
    fn sources_meet_as_many_shards_as_chance_gives_them() {
        // Six sources, six shards: 6 (1 - (5/6)^6) = 3.99 in the mean; all to one in 6 of 6^6 cases.
        let (p, mean) = distinct(1, 6, 6);
        assert!((p - 6.0 / 46_656.0).abs() < 1e-12, "{p}");
        assert!((mean - 6.0 * (1.0 - (5.0_f64 / 6.0).powi(6))).abs() < 1e-9, "{mean}");
        assert!((distinct(6, 6, 6).0 - 1.0).abs() < 1e-12);
        assert_eq!(distinct(1, 1, 6), (1.0, 1.0));
    }
}
