//! A service for tests of rules and of reports.

#![allow(clippy::missing_panics_doc, clippy::must_use_candidate, reason = "literals of tests")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::domain::names::WorkloadRef;
use crate::domain::snapshot::Container;
use crate::domain::testing::{quantity, resources};

pub const HOUR: i64 = 3600;
pub const DAY: i64 = 24 * HOUR;

pub fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

pub fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub fn amounts(cpu: &str, memory: &str) -> Amounts {
    BTreeMap::from([(Resource::Cpu, Amount::read(cpu)), (Resource::Memory, Amount::read(memory))])
}

/// A recommendation of 2.4 CPU and 20.3Gi that has settled.
pub fn advice() -> Advice {
    Advice {
        target: amounts("2400m", "20.3Gi"),
        uncapped: amounts("2400m", "20.3Gi"),
        lower: amounts("2", "18Gi"),
        upper: amounts("3200m", "27Gi"),
    }
}

/// So many seconds of data until just now, with so many samples.
pub fn history(seconds: i64, samples: u64) -> History {
    History {
        first_sample: Some(ago(seconds + 30)),
        last_sample: Some(ago(30)),
        updated_at: Some(ago(20)),
        samples,
        peak: BTreeMap::new(),
    }
}

pub fn autoscaler(name: &str, advice: Advice, history: History) -> Autoscaler {
    Autoscaler {
        name: name.to_owned(),
        update_mode: "Off".to_owned(),
        created_at: Some(ago(4 * DAY)),
        recommender: None,
        policies: BTreeMap::new(),
        conditions: Vec::new(),
        advice: BTreeMap::from([("shard".to_owned(), advice)]),
        history: Ok(BTreeMap::from([("shard".to_owned(), history)])),
    }
}

/// Ten shards of 4 CPU and 32Gi; shard 3 uses most.
pub fn observed(autoscalers: Vec<Autoscaler>) -> Observed {
    let shard = |ordinal: u32| ShardUse {
        ordinal,
        used: BTreeMap::from([(
            "shard".to_owned(),
            match ordinal {
                3 => resources("2100m", "19.2Gi"),
                _ => resources("1800m", "15Gi"),
            },
        )]),
        killed: BTreeMap::new(),
    };
    let size = BTreeMap::from([("cpu".to_owned(), quantity("4")), ("memory".to_owned(), quantity("32Gi"))]);
    Observed {
        taken_at: now(),
        workload: WorkloadRef { namespace: "shop".to_owned(), name: "kafka".to_owned() },
        containers: vec![Container {
            name: "shard".to_owned(),
            requests: size.clone(),
            limits: size,
            ..Container::default()
        }],
        requests: resources("4", "32Gi"),
        autoscalers: Autoscalers::Found(autoscalers),
        shards: (0..10).map(shard).collect(),
        usage_unknown: None,
    }
}

pub fn settled() -> Autoscaler {
    autoscaler("kafka", advice(), history(3 * DAY, 43_200))
}
