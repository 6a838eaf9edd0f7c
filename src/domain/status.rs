//! Whether the service is up: which shards are down, why, and since when.

use std::fmt;

use jiff::Timestamp;

use super::age::age;
use super::names::{PodName, WorkloadRef};
use super::shard_state::ShardState;
use super::shardset::Availability;
use super::snapshot::{Pod, Snapshot};

/// Down shards that a line names before it says "+ n more".
const NAMED_DOWN_SHARDS: usize = 3;

/// A shard that is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    pub pod: PodName,
    pub state: ShardState,
    /// Since when, as far as the pod tells; a pod that is not there tells nothing.
    pub since: Option<Timestamp>,
}

/// Whether the service is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub workload: WorkloadRef,
    pub taken_at: Timestamp,
    /// Whether every shard is up.
    pub is_whole: bool,
    /// Whether as many shards are up as the service needs.
    pub is_up: bool,
    /// When `is_up` last changed, as far as the pods that are there tell.
    pub since: Option<Timestamp>,
    /// Shards that are up.
    pub up: u32,
    /// Shards that there should be.
    pub wanted: u32,
    /// Shards that must be up.
    pub required: u32,
    /// The shards that are down, by ordinal.
    pub down: Vec<Down>,
}

impl Verdict {
    /// The verdict as if taken at any time: two that are equal so say the same.
    #[must_use]
    pub fn timeless(&self) -> Self {
        Self { taken_at: Timestamp::UNIX_EPOCH, ..self.clone() }
    }

    /// The verdict on `snapshot`.
    #[must_use]
    pub fn of(snapshot: &Snapshot, availability: Availability) -> Self {
        let wanted = snapshot.workload.replicas;
        let required = availability.required(wanted).min(wanted);
        let mut risen = Vec::new();
        let mut down = Vec::new();
        for shard in snapshot.expected_shards() {
            match ShardState::of(shard, snapshot.health.get(&shard.ordinal)) {
                ShardState::Up => risen.push(shard.pod.as_ref().and_then(|pod| pod.ready_changed_at)),
                state => down.push(Down {
                    pod: shard.pod_name.clone(),
                    state,
                    since: shard.pod.as_ref().and_then(down_since),
                }),
            }
        }
        let up = u32::try_from(risen.len()).unwrap_or(u32::MAX);
        let is_up = up >= required;
        // The service came up when the last shard it needs became Ready, and went down when one more was
        // lost than it can spare.
        let since = if is_up {
            nth(risen, required.checked_sub(1))
        } else {
            nth(down.iter().map(|down| down.since).collect(), Some(wanted - required))
        };
        Self {
            workload: snapshot.workload.reference.clone(),
            taken_at: snapshot.taken_at,
            is_whole: up == wanted,
            is_up,
            since,
            up,
            wanted,
            required,
            down,
        }
    }
}

/// The entry at `index` of the known times in ascending order.
fn nth(times: Vec<Option<Timestamp>>, index: Option<u32>) -> Option<Timestamp> {
    let mut times: Vec<Timestamp> = times.into_iter().flatten().collect();
    times.sort_unstable();
    times.get(usize::try_from(index?).ok()?).copied()
}

/// Since when a pod that is not up has not been. A pod that is Ready and unhealthy does not tell.
fn down_since(pod: &Pod) -> Option<Timestamp> {
    if pod.is_ready {
        return pod.deleted_at;
    }
    pod.ready_changed_at.or(pod.created_at)
}

/// The state in the few words that one line has room for.
#[must_use]
pub fn brief(state: &ShardState) -> String {
    let restarted = |what: &str, restarts: i32| match restarts {
        0 => what.to_owned(),
        restarts => format!("{what} (restarts {restarts})"),
    };
    match state {
        ShardState::Missing => "no pod".to_owned(),
        ShardState::Unschedulable { .. } => "no node takes it".to_owned(),
        ShardState::Waiting { reason, restarts, .. } => restarted(reason, *restarts),
        ShardState::Starting { restarts } => restarted("not ready", *restarts),
        state => state.to_string(),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WorkloadRef { namespace, name } = &self.workload;
        let verdict = match (self.is_whole, self.is_up) {
            (true, _) => "whole",
            (false, true) => "up",
            (false, false) => "DOWN",
        };
        let Self { up, wanted, required, .. } = self;
        write!(f, "{namespace}/{name} is {verdict}: {up} of {wanted} shards ready")?;
        if required != wanted {
            write!(f, ", {required} needed")?;
        }
        if let Some(since) = self.since.filter(|_| self.is_up) {
            write!(f, " for {}", age(since, self.taken_at))?;
        }
        for down in self.down.iter().take(NAMED_DOWN_SHARDS) {
            write!(f, "; {}: {}", down.pod, brief(&down.state))?;
            if let Some(since) = down.since {
                write!(f, " for {}", age(since, self.taken_at))?;
            }
        }
        match self.down.len().saturating_sub(NAMED_DOWN_SHARDS) {
            0 => Ok(()),
            more => write!(f, "; + {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::shardset::All;
    use crate::domain::snapshot::{Health, Shard};
    use crate::domain::testing::healthy;

    const ALL: Availability = Availability::All(All::All);

    fn pod(snapshot: &mut Snapshot, ordinal: usize) -> &mut Pod {
        snapshot.shards[ordinal].pod.as_mut().unwrap()
    }

    fn crash(snapshot: &mut Snapshot, ordinal: usize, at: &str) {
        let pod = pod(snapshot, ordinal);
        pod.is_ready = false;
        pod.ready_changed_at = Some(at.parse().unwrap());
        pod.containers[0].restarts = 7;
        pod.containers[0].waiting = Some(("CrashLoopBackOff".to_owned(), "back-off 5m0s".to_owned()));
    }

    #[test]
    fn a_whole_service_tells_since_when() {
        let mut snapshot = healthy();
        pod(&mut snapshot, 4).ready_changed_at = Some("2026-11-22T08:48:00Z".parse().unwrap());
        assert_eq!(
            Verdict::of(&snapshot, ALL).to_string(),
            "biometric-shards/biometric-shard is whole: 10 of 10 shards ready for 1h59m"
        );
    }

    #[test]
    fn a_service_that_is_down_names_the_shard_and_the_reason() {
        let mut snapshot = healthy();
        crash(&mut snapshot, 3, "2026-11-22T11:58:00Z");
        let verdict = Verdict::of(&snapshot, ALL);
        assert_eq!(
            verdict.to_string(),
            "biometric-shards/biometric-shard is DOWN: 9 of 10 shards ready; \
             biometric-shard-3: CrashLoopBackOff (restarts 7) for 2m"
        );
        assert_eq!(verdict.since, Some("2026-11-22T11:58:00Z".parse().unwrap()));
        assert!(!verdict.is_whole && !verdict.is_up);
    }

    #[test]
    fn a_service_that_can_spare_shards_is_up_without_them() {
        let mut snapshot = healthy();
        crash(&mut snapshot, 3, "2026-11-22T11:58:00Z");
        let verdict = Verdict::of(&snapshot, Availability::AtLeast(8));
        assert_eq!(
            verdict.to_string(),
            "biometric-shards/biometric-shard is up: 9 of 10 shards ready, 8 needed for 1h59m; \
             biometric-shard-3: CrashLoopBackOff (restarts 7) for 2m"
        );
        assert!(!verdict.is_whole && verdict.is_up);
    }

    #[test]
    fn it_is_down_since_one_shard_more_was_lost_than_it_can_spare() {
        let mut snapshot = healthy();
        crash(&mut snapshot, 5, "2026-11-22T11:00:00Z");
        crash(&mut snapshot, 3, "2026-11-22T11:50:00Z");
        crash(&mut snapshot, 4, "2026-11-22T11:58:00Z");
        let verdict = Verdict::of(&snapshot, Availability::AtLeast(9));
        assert_eq!(verdict.since, Some("2026-11-22T11:50:00Z".parse().unwrap()));
    }

    #[test]
    fn each_way_to_be_down_has_its_words() {
        type Break = fn(&mut Shard);
        let cases: [(Break, &str); 6] = [
            (|shard| shard.pod = None, "no pod"),
            (
                |shard| {
                    shard.pod.as_mut().unwrap().deleted_at = Some("2026-11-22T11:59:00Z".parse().unwrap());
                },
                "terminating for 1m",
            ),
            (
                |shard| {
                    let pod = shard.pod.as_mut().unwrap();
                    (pod.is_ready, pod.unschedulable) = (false, Some("0/4 nodes".to_owned()));
                },
                "no node takes it for 1h59m",
            ),
            (
                |shard| {
                    let pod = shard.pod.as_mut().unwrap();
                    (pod.is_ready, pod.phase) = (false, "Failed".to_owned());
                },
                "ended (Failed) for 1h59m",
            ),
            (
                |shard| {
                    let pod = shard.pod.as_mut().unwrap();
                    (pod.is_ready, pod.phase, pod.ready_changed_at) = (false, "Pending".to_owned(), None);
                    pod.containers.clear();
                },
                "starting for 2h",
            ),
            (|shard| shard.pod.as_mut().unwrap().is_ready = false, "not ready for 1h59m"),
        ];
        for (break_it, expected) in cases {
            let mut snapshot = healthy();
            break_it(&mut snapshot.shards[3]);
            assert_eq!(
                Verdict::of(&snapshot, ALL).to_string(),
                format!(
                    "biometric-shards/biometric-shard is DOWN: 9 of 10 shards ready; \
                     biometric-shard-3: {expected}"
                )
            );
        }
    }

    #[test]
    fn a_shard_that_is_ready_and_says_no_is_down() {
        let mut snapshot = healthy();
        snapshot.health.insert(3, Health::Unhealthy { status: 503, path: "/health/readiness".to_owned() });
        assert_eq!(
            Verdict::of(&snapshot, ALL).to_string(),
            "biometric-shards/biometric-shard is DOWN: 9 of 10 shards ready; \
             biometric-shard-3: ready, but /health/readiness answers 503"
        );
    }

    #[test]
    fn many_down_shards_are_counted_after_the_first_three() {
        let mut snapshot = healthy();
        for shard in &mut snapshot.shards {
            shard.pod = None;
        }
        assert_eq!(
            Verdict::of(&snapshot, ALL).to_string(),
            "biometric-shards/biometric-shard is DOWN: 0 of 10 shards ready; biometric-shard-0: no pod; \
             biometric-shard-1: no pod; biometric-shard-2: no pod; + 7 more"
        );
    }
}
