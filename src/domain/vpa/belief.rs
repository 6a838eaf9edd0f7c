//! Whether to believe a recommendation, and why not.
//!
//! The recommender measures its own confidence in days: the smaller of the time between its first and its last sample and
//! the number of samples at one a minute (`getConfidence` in vertical-pod-autoscaler 1.7.3, `pkg/recommender/logic/
//! estimator.go`). It stretches the upper bound by 1 + 1/confidence, so that with no history the bound is without end.
//! Memory has one sample in 24 hours for each shard, the peak. Before one day there is nothing to go by.

use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;

use super::finding::in_words;
use super::observed::{Advice, Amount, Amounts, Autoscaler, History, Resource};
use crate::domain::age::age;
use crate::domain::catalogue;
use crate::domain::quantity::Quantity;
use crate::domain::snapshot::Unknown;

/// How much data a recommendation needs: the peak of memory is taken over 24 hours.
pub const ENOUGH_SECONDS: i64 = 24 * 3600;
/// Samples that a shard gives in that time, at one a minute.
const ENOUGH_SAMPLES: u64 = 24 * 60;
/// The recommender writes its checkpoints every minute. What is older than this is left from a recommender that stopped, or
/// that gets no metrics.
pub const STALE_SECONDS: i64 = 3600;
/// After a day of steady use the upper bound is twice the lower one. What is wider than this has hardly settled.
const WIDE: f64 = 4.0;
/// The largest amount that the recommender writes, in bytes or thousandths of a core (`MaxResourceAmount`, `model/types.go`).
const RECOMMENDERS_LARGEST: i64 = 100_000_000_000_000;

/// The most that any machine of the catalogue has: vCPUs and GiB.
static LARGEST_MACHINE: LazyLock<(u32, u32)> = LazyLock::new(|| {
    let sizes = catalogue::sizes();
    let most = |of: fn(&catalogue::Size) -> u32| sizes.iter().map(of).max().unwrap_or(0);
    (most(|size| size.vcpus), most(|size| size.memory_gib))
});

/// Why an amount is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disbelief {
    NotAQuantity,
    /// Nothing, or less.
    Nothing,
    /// The largest amount that the recommender can write.
    WithoutHistory,
    /// More than any machine has.
    NoSuchMachine {
        resource: Resource,
        most: Quantity,
    },
}

impl fmt::Display for Disbelief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAQuantity => f.write_str("it is no quantity"),
            Self::Nothing => f.write_str("no shard runs on nothing"),
            Self::WithoutHistory => f.write_str("it is the largest number that the recommender writes"),
            Self::NoSuchMachine { resource, most } => {
                write!(f, "no machine has more than {}", in_words(*resource, *most))
            }
        }
    }
}

/// The quantity, when a machine could have that much.
///
/// # Errors
/// Why it is not believed.
pub fn believable(resource: Resource, amount: &Amount) -> Result<Quantity, Disbelief> {
    let quantity = amount.known().ok_or(Disbelief::NotAQuantity)?;
    if !quantity.is_positive() {
        return Err(Disbelief::Nothing);
    }
    let (vcpus, gib) = *LARGEST_MACHINE;
    let (largest, most) = match resource {
        Resource::Cpu => (Quantity::milli(RECOMMENDERS_LARGEST), Quantity::whole(vcpus.into())),
        Resource::Memory => (Quantity::bytes(RECOMMENDERS_LARGEST), Quantity::bytes(i64::from(gib) << 30)),
    };
    if quantity == largest {
        return Err(Disbelief::WithoutHistory);
    }
    if quantity > most {
        return Err(Disbelief::NoSuchMachine { resource, most });
    }
    Ok(quantity)
}

/// How much data a recommendation rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Seconds between the first and the last sample; without a checkpoint, since the first recommendation.
    pub seconds: i64,
    /// Of all shards; none without a checkpoint.
    pub samples: Option<u64>,
    /// When the last sample was taken, or the checkpoint was written if that is older.
    pub last: Option<Timestamp>,
}

impl Coverage {
    fn of(autoscaler: &Autoscaler, history: Option<&History>, now: Timestamp) -> Option<Self> {
        if let Some(history) = history
            && let (Some(first), Some(last)) = (history.first_sample, history.last_sample)
        {
            return Some(Self {
                seconds: last.duration_since(first).as_secs().max(0),
                samples: Some(history.samples),
                last: Some(history.updated_at.map_or(last, |updated| updated.min(last))),
            });
        }
        // A recommender that reads Prometheus keeps no checkpoints.
        let since = autoscaler.condition("RecommendationProvided")?.since?;
        Some(Self { seconds: now.duration_since(since).as_secs().max(0), samples: None, last: None })
    }

    /// Whether it is a day of data, by the recommender's own measure.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.seconds >= ENOUGH_SECONDS && self.samples.is_none_or(|samples| samples >= ENOUGH_SAMPLES)
    }
}

/// Seconds as an operator says them: `6h12m`.
#[must_use]
pub fn period(seconds: i64) -> String {
    let start = Timestamp::UNIX_EPOCH;
    age(start, start.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX))
}

impl fmt::Display for Coverage {
    /// `6h12m of 24h, 372 samples`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of 24h", period(self.seconds))?;
        match self.samples {
            Some(1) => f.write_str(", 1 sample"),
            Some(samples) => write!(f, ", {samples} samples"),
            None => f.write_str(" since the first recommendation, and no checkpoint"),
        }
    }
}

/// A reason not to believe a recommendation.
#[derive(Clone, Debug, PartialEq)]
pub enum Doubt {
    /// Nobody knows how much data there is.
    NoHistory,
    Unknown(Unknown),
    TooLittleData(Coverage),
    /// The last sample, or checkpoint, is this many seconds old.
    Stale {
        seconds: i64,
    },
    /// The upper bound is this many times the lower one.
    WideBounds {
        resource: Resource,
        times: f64,
    },
    /// An amount that no machine has; `which` is `target` or `upper bound`.
    Amount {
        resource: Resource,
        which: &'static str,
        amount: Amount,
        why: Disbelief,
    },
    /// There is no target for a resource.
    NoTarget {
        resource: Resource,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHistory => f.write_str("no checkpoint says how much data it rests on"),
            Self::Unknown(unknown) => write!(f, "how much data it rests on is not known: {unknown}"),
            Self::TooLittleData(coverage) if coverage.seconds >= ENOUGH_SECONDS => {
                write!(
                    f,
                    "too few samples: {coverage}, where one shard alone gives {ENOUGH_SAMPLES} in a day"
                )
            }
            Self::TooLittleData(coverage) => {
                let left = period(ENOUGH_SECONDS - coverage.seconds);
                write!(f, "too little data: {coverage}; look again in {left}")
            }
            Self::Stale { seconds } => write!(
                f,
                "the last sample is {} old: the recommender has stopped, or gets no metrics",
                period(*seconds)
            ),
            Self::WideBounds { resource, times } => write!(
                f,
                "its upper bound of {} is {times:.1} times the lower one: use has not settled",
                resource.word()
            ),
            Self::Amount { resource, which, amount, why } => {
                // As kubectl shows it, but for what nobody could read: 53716540735984.
                let is_long = matches!(why, Disbelief::NoSuchMachine { .. });
                let known = amount.known().filter(|_| is_long);
                let found = known.map_or_else(|| amount.to_string(), |known| in_words(*resource, known));
                write!(f, "its {which} of {} is {found}: {why}", resource.word())
            }
            Self::NoTarget { resource } => write!(f, "it has no target of {}", resource.word()),
        }
    }
}

/// Everything that speaks against a recommendation; empty when it is believed.
#[must_use]
pub fn doubts(
    autoscaler: &Autoscaler,
    container: &str,
    advice: &Advice,
    now: Timestamp,
) -> (Option<Coverage>, Vec<Doubt>) {
    let mut doubts = Vec::new();
    let history = match &autoscaler.history {
        Ok(history) => history.get(container),
        Err(unknown) => {
            doubts.push(Doubt::Unknown(unknown.clone()));
            None
        }
    };
    let coverage = Coverage::of(autoscaler, history, now);
    match &coverage {
        None if doubts.is_empty() => doubts.push(Doubt::NoHistory),
        Some(coverage) if !coverage.is_enough() => doubts.push(Doubt::TooLittleData(coverage.clone())),
        _ => {}
    }
    if let Some(last) = coverage.as_ref().and_then(|coverage| coverage.last) {
        let seconds = now.duration_since(last).as_secs();
        if seconds > STALE_SECONDS {
            doubts.push(Doubt::Stale { seconds });
        }
    }
    for resource in Resource::BOTH {
        doubts.extend(of_amounts(resource, advice));
    }
    (coverage, doubts)
}

fn of_amounts(resource: Resource, advice: &Advice) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let mut check = |which: &'static str, amounts: &Amounts| {
        let amount = amounts.get(&resource)?;
        match believable(resource, amount) {
            Ok(quantity) => Some(quantity),
            Err(why) => {
                doubts.push(Doubt::Amount { resource, which, amount: amount.clone(), why });
                None
            }
        }
    };
    let has_target = advice.target.contains_key(&resource) || advice.uncapped.contains_key(&resource);
    check("target", &advice.target);
    check("uncapped target", &advice.uncapped);
    let bounds = (check("lower bound", &advice.lower), check("upper bound", &advice.upper));
    if let (Some(lower), Some(upper)) = bounds {
        let times = upper.as_f64() / lower.as_f64();
        if times > WIDE {
            doubts.push(Doubt::WideBounds { resource, times });
        }
    }
    if !has_target {
        doubts.push(Doubt::NoTarget { resource });
    }
    doubts
}
