//! How a run is carried out: what the operator chose.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::snapshot::HttpProbe;

/// How many shards go down together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// One after the other: n outages for n shards.
    OneByOne,
    /// One shard proves the new place and template, then all others in one wave: two outages.
    Canary,
    /// One shard, then so many at a time.
    Waves(u32),
}

impl Strategy {
    /// The most shards that one wave takes down, of `shards` that are moved.
    #[must_use]
    pub fn largest_wave(self, shards: u32) -> u32 {
        match self {
            Self::OneByOne => 1,
            Self::Canary => shards.saturating_sub(1).max(1),
            Self::Waves(size) => size.min(shards.saturating_sub(1)).max(1),
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneByOne => f.pad("one-by-one"),
            Self::Canary => f.pad("canary"),
            Self::Waves(size) => f.pad(&format!("waves of {size}")),
        }
    }
}

/// How a shard itself says that it is back, beyond Ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Gate {
    /// Ready is enough.
    None,
    /// Each of these answers 200 to 399, asked through port-forward.
    Http(Vec<HttpProbe>),
    /// A command in the container ends with 0.
    Exec { container: String, command: Vec<String> },
}

/// What is done when a shard does not come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// Stop, and let the operator resume or undo
    #[default]
    Stop,
    /// Roll the moved shards back to where they were
    Undo,
}

/// How a run is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    pub strategy: Strategy,
    /// How long the whole service must have been up before the next wave.
    #[serde(with = "seconds")]
    pub settle: Duration,
    /// Longest time for a shard to be back, from the moment it is asked to go.
    #[serde(with = "seconds")]
    pub shard_timeout: Duration,
    /// Longest time for room to be made, and for the service to be whole before a wave.
    #[serde(with = "seconds")]
    pub patience: Duration,
    /// No wave starts whose outage is forecast to be longer.
    #[serde(with = "seconds::optional")]
    pub max_outage: Option<Duration>,
    /// No wave starts with which the outages of the run are forecast to be longer together.
    #[serde(with = "seconds::optional")]
    pub max_total_outage: Option<Duration>,
    pub gate: Gate,
    /// Good answers in a row that the gate takes; at least 1.
    pub gate_successes: u32,
    /// Whether room is made before the first shard goes.
    pub prewarm: bool,
    pub on_failure: OnFailure,
}

/// Durations as seconds, with fractions.
pub(super) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }

    pub mod optional {
        use std::time::Duration;

        use serde::{Deserialize as _, Deserializer, Serializer, de};

        #[expect(clippy::ref_option, reason = "serde's signature")]
        pub fn serialize<S: Serializer>(
            duration: &Option<Duration>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match duration {
                Some(duration) => serializer.serialize_some(&duration.as_secs_f64()),
                None => serializer.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
            let seconds = Option::<f64>::deserialize(deserializer)?;
            seconds.map(|seconds| Duration::try_from_secs_f64(seconds).map_err(de::Error::custom)).transpose()
        }
    }
}
