//! Which shards go down when, and what that costs.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::policy::{Strategy, seconds};

/// In which order shards are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Order {
    /// 0 first
    Ascending,
    /// The last one first, as the StatefulSet controller itself rolls
    Descending,
}

/// The waves in which `shards` are moved; where nothing is new about them there is `nothing_to_prove`. Those that are down already go first and together: what is broken breaks
/// no more, and the run may be what mends it.
#[must_use]
pub fn waves(
    shards: &BTreeSet<u32>,
    down: &BTreeSet<u32>,
    order: Order,
    strategy: Strategy,
    nothing_to_prove: bool,
) -> Vec<Vec<u32>> {
    let broken: Vec<u32> = shards.intersection(down).copied().collect();
    let mut rest: Vec<u32> = shards.difference(down).copied().collect();
    if order == Order::Descending {
        rest.reverse();
    }
    let mut waves = Vec::new();
    // Broken shards that come back prove the new place and template as well as a canary would.
    let mut is_proven = !broken.is_empty() || (nothing_to_prove && matches!(strategy, Strategy::Waves(_)));
    if !broken.is_empty() {
        waves.push(broken);
    }
    while !rest.is_empty() {
        let size = match strategy {
            Strategy::OneByOne => 1,
            _ if !is_proven => 1,
            Strategy::Canary => rest.len(),
            Strategy::Waves(size) => usize::try_from(size.max(1)).unwrap_or(usize::MAX),
        };
        is_proven = true;
        let later = rest.split_off(size.min(rest.len()));
        waves.push(std::mem::replace(&mut rest, later));
    }
    waves
}

/// How long a shard is expected to be down when it is moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// None when nobody knows.
    #[serde(with = "seconds::optional")]
    pub restart: Option<Duration>,
    pub source: Source,
    /// Whether the StatefulSet brings the shards of a wave back one after the other (OrderedReady).
    pub is_serial: bool,
}

/// Where a forecast comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The operator said so.
    Given,
    /// Earlier runs measured it.
    History,
    /// The pods tell how long they took from their node to Ready, and how long they may take to end.
    Pods,
    #[default]
    Unknown,
}

/// What a strategy costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub outages: u32,
    pub longest: Option<Duration>,
    pub total: Option<Duration>,
}

impl Forecast {
    /// How long the service is down for a wave of so many shards, when a shard takes `restart`.
    #[must_use]
    pub fn outage(&self, shards: usize, restart: Duration) -> Duration {
        match self.is_serial {
            true => restart.saturating_mul(u32::try_from(shards).unwrap_or(u32::MAX)),
            false => restart,
        }
    }

    /// What these waves cost.
    #[must_use]
    pub fn cost(&self, waves: &[Vec<u32>]) -> Cost {
        let outages: Option<Vec<Duration>> =
            self.restart.map(|restart| waves.iter().map(|wave| self.outage(wave.len(), restart)).collect());
        Cost {
            outages: u32::try_from(waves.len()).unwrap_or(u32::MAX),
            longest: outages.as_ref().map(|outages| outages.iter().max().copied().unwrap_or_default()),
            total: outages.map(|outages| outages.iter().sum()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ordinals: &[u32]) -> BTreeSet<u32> {
        ordinals.iter().copied().collect()
    }

    #[test]
    fn waves_are_as_the_strategy_says() {
        let ten: BTreeSet<u32> = (0..10).collect();
        let sizes = |strategy, down: &[u32]| -> Vec<usize> {
            waves(&ten, &set(down), Order::Ascending, strategy, false).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(Strategy::OneByOne, &[]), [1; 10]);
        assert_eq!(sizes(Strategy::Canary, &[]), [1, 9]);
        assert_eq!(sizes(Strategy::Waves(4), &[]), [1, 4, 4, 1]);
        assert_eq!(sizes(Strategy::Waves(0), &[]), [1; 10]);
        assert_eq!(sizes(Strategy::Canary, &[3, 4]), [2, 8]);
        assert_eq!(
            waves(&set(&[]), &set(&[3]), Order::Ascending, Strategy::Canary, false),
            Vec::<Vec<u32>>::new()
        );
    }

    #[test]
    fn a_place_that_is_proven_needs_no_first_shard() {
        let wave = |strategy| waves(&set(&[6, 9]), &set(&[]), Order::Ascending, strategy, true);
        assert_eq!(wave(Strategy::Waves(3)), [vec![6, 9]]);
        assert_eq!(wave(Strategy::Canary), [vec![6], vec![9]]);
    }

    #[test]
    fn unready_shards_go_first_then_in_order() {
        let shards = set(&[0, 1, 2, 3]);
        let order = |order| waves(&shards, &set(&[2, 9]), order, Strategy::OneByOne, false);
        assert_eq!(order(Order::Ascending), [[2], [0], [1], [3]]);
        assert_eq!(order(Order::Descending), [[2], [3], [1], [0]]);
    }

    #[test]
    fn a_wave_costs_one_restart_unless_the_set_brings_shards_back_in_turn() {
        let forecast =
            |is_serial| Forecast { restart: Some(Duration::from_secs(5)), source: Source::Given, is_serial };
        let canary = [vec![0], (1..10).collect()];
        let cost = forecast(false).cost(&canary);
        assert_eq!((cost.outages, cost.total), (2, Some(Duration::from_secs(10))));
        let cost = forecast(true).cost(&canary);
        assert_eq!(
            (cost.longest, cost.total),
            (Some(Duration::from_secs(45)), Some(Duration::from_secs(50)))
        );
        assert_eq!(Forecast::default().cost(&canary).total, None);
    }
}
