//! What a checkpoint's histogram tells: the most that was ever used.
//!
//! The recommender keeps samples in buckets, each 5% wider than the one before (vertical-pod-autoscaler 1.7.3,
//! `pkg/recommender/util/histogram_options.go` and `model/aggregate_container_state.go`):
//!
//! ```text
//! start of bucket b = first x (1.05^b - 1) / 0.05        first: 10^7 bytes, 0.01 cores
//! ```
//!
//! A checkpoint holds the weight of each bucket that is not empty. The version of the format is v3; another one is not
//! understood, and says nothing.

use super::observed::Resource;
use crate::domain::quantity::Quantity;

/// The version of checkpoints that is understood.
pub const CHECKPOINT_VERSION: &str = "v3";

/// Each bucket is wider than the one before by this share.
const GROWTH: f64 = 0.05;

/// The last bucket, which has no end: it starts above 1,000 cores, or 10^12 bytes.
const LAST_BUCKET: u32 = 175;

/// The upper end of the highest bucket that has weight; none when none has, or when it is the last one, which has no end.
#[must_use]
pub fn peak(resource: Resource, buckets: impl IntoIterator<Item = (u32, u64)>) -> Option<Quantity> {
    let highest = buckets.into_iter().filter(|(_, weight)| *weight > 0).map(|(bucket, _)| bucket).max()?;
    if highest >= LAST_BUCKET {
        return None;
    }
    let first = match resource {
        Resource::Cpu => 0.01,
        Resource::Memory => 1e7,
    };
    let end = first * ((1.0 + GROWTH).powf(f64::from(highest) + 1.0) - 1.0) / GROWTH;
    #[expect(clippy::cast_possible_truncation, reason = "no more than a thousand cores or a terabyte")]
    Some(match resource {
        Resource::Cpu => Quantity::milli((end * 1000.0).ceil() as i64),
        Resource::Memory => Quantity::bytes(end.ceil() as i64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_end_of_the_highest_bucket() {
        // The first bucket ends at 10^7 bytes, the second at 10^7 x (1 + 1.05), the third at 10^7 x 3.1525.
        for (bucket, bytes) in [(0, 10_000_000), (1, 20_500_000), (2, 31_525_000)] {
            let found = peak(Resource::Memory, [(0, 1), (bucket, 10_000)]).unwrap();
            // Floating point may be off by a byte.
            assert!((found.as_units() - bytes).abs() <= 1, "{bucket}: {found}");
        }
        assert_eq!(peak(Resource::Cpu, [(1, 3)]).unwrap().as_milli(), 21, "20.5 thousandths, rounded up");
    }

    #[test]
    fn what_has_no_weight_or_no_end_is_no_peak() {
        assert_eq!(peak(Resource::Memory, []), None);
        assert_eq!(peak(Resource::Memory, [(100, 0)]), None);
        assert_eq!(peak(Resource::Memory, [(175, 1)]), None, "the last of 176 buckets is open");
        assert_eq!(peak(Resource::Memory, [(u32::MAX, 1)]), None);
        assert!(peak(Resource::Memory, [(174, 1)]).is_some());
    }
}
