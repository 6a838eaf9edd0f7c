//! What one shard is doing, in one phrase: the reason why it is not up, or that it is.

use std::fmt;

use jiff::Timestamp;

use super::snapshot::{Health, Pod, Shard, Snapshot};

/// What one shard is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShardState {
    /// There is no pod.
    Missing,
    /// The pod is asked to end and has not yet.
    Terminating { since: Timestamp },
    /// The pod has no node, and no scheduler has said why.
    Unscheduled,
    /// No node takes the pod, in the scheduler's words.
    Unschedulable { message: String },
    /// A container waits: an image that cannot be pulled, a crash loop, a volume.
    Waiting { reason: String, message: String, restarts: i32 },
    /// The containers run, the pod is not Ready.
    Starting { restarts: i32 },
    /// The pod is on a node, and nothing is known of its containers yet.
    Scheduled,
    /// The pod ended and is not made anew.
    Ended { phase: String },
    /// The pod is Ready, but its own endpoint says otherwise.
    Unhealthy(Health),
    /// The pod is Ready, and its endpoint, if it was asked, agrees.
    Up,
}

/// Shards that are in the same state, by ordinal.
pub type InState = (ShardState, Vec<u32>);

/// The shards that there should be, those in the same state together, the lowest ordinal first.
#[must_use]
pub fn by_state(snapshot: &Snapshot) -> Vec<InState> {
    let mut groups: Vec<InState> = Vec::new();
    for shard in snapshot.expected_shards() {
        let state = ShardState::of(shard, snapshot.health.get(&shard.ordinal));
        match groups.iter_mut().find(|(known, _)| known.is_alike(&state)) {
            Some((_, ordinals)) => ordinals.push(shard.ordinal),
            None => groups.push((state, vec![shard.ordinal])),
        }
    }
    groups
}

impl ShardState {
    /// Whether two states read the same but for times.
    fn is_alike(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Terminating { .. }, Self::Terminating { .. }) => true,
            (one, other) => one == other,
        }
    }

    /// The state of a shard, with what it said of itself if it was asked.
    #[must_use]
    pub fn of(shard: &Shard, health: Option<&Health>) -> Self {
        let Some(pod) = &shard.pod else { return Self::Missing };
        if let Some(since) = pod.deleted_at {
            return Self::Terminating { since };
        }
        if pod.is_ready {
            return match health {
                Some(health) if !health.is_healthy() => Self::Unhealthy(health.clone()),
                _ => Self::Up,
            };
        }
        if pod.has_ended() {
            return Self::Ended { phase: pod.phase.clone() };
        }
        if let Some(message) = &pod.unschedulable {
            return Self::Unschedulable { message: message.clone() };
        }
        let restarts = pod.containers.iter().map(|container| container.restarts).sum();
        match pod.containers.iter().find_map(|container| container.waiting.clone()) {
            Some((reason, message)) => Self::Waiting { reason, message, restarts },
            None if pod.containers.is_empty() => {
                if pod.node.is_some() {
                    Self::Scheduled
                } else {
                    Self::Unscheduled
                }
            }
            None => Self::Starting { restarts },
        }
    }

    /// Whether the shard serves.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Up)
    }

    /// Whether waiting longer will not help: someone must change something first.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        match self {
            Self::Waiting { reason, .. } => matches!(
                reason.as_str(),
                "ImagePullBackOff"
                    | "ErrImagePull"
                    | "InvalidImageName"
                    | "ErrImageNeverPull"
                    | "CreateContainerConfigError"
                    | "CreateContainerError"
                    | "RunContainerError"
                    | "CrashLoopBackOff"
            ),
            Self::Ended { .. } => true,
            _ => false,
        }
    }
}

impl fmt::Display for ShardState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let restarted = |f: &mut fmt::Formatter<'_>, restarts: i32| match restarts {
            0 => Ok(()),
            1 => f.write_str(", 1 restart"),
            many => write!(f, ", {many} restarts"),
        };
        match self {
            Self::Missing => f.write_str("has no pod"),
            Self::Terminating { .. } => f.write_str("terminating"),
            Self::Unscheduled => f.write_str("pending: no scheduler has looked at it yet"),
            Self::Unschedulable { message } => write!(f, "pending: {}", first_sentence(message)),
            Self::Waiting { reason, message, restarts } => {
                f.write_str(reason)?;
                if !message.is_empty() {
                    write!(f, ": {message}")?;
                }
                restarted(f, *restarts)
            }
            Self::Starting { restarts } => {
                f.write_str("not ready")?;
                restarted(f, *restarts)
            }
            Self::Scheduled => f.write_str("starting"),
            Self::Ended { phase } => write!(f, "ended ({phase})"),
            Self::Unhealthy(health) => health.fmt(f),
            Self::Up => f.write_str("ready"),
        }
    }
}

/// The scheduler's first sentence; what follows is about preemption and dynamic resources.
fn first_sentence(message: &str) -> &str {
    message.split(". ").next().unwrap_or(message).trim_end_matches('.')
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy { millis } => write!(f, "healthy in {millis} ms"),
            Self::Unhealthy { status, path } => write!(f, "ready, but {path} answers {status}"),
            Self::Silent { reason, path } => write!(f, "ready, but {path} does not answer: {reason}"),
        }
    }
}

impl Pod {
    /// Restarts of all containers together.
    #[must_use]
    pub fn restarts(&self) -> i32 {
        self.containers.iter().map(|container| container.restarts).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::healthy;

    #[test]
    fn the_reason_that_matters_most_is_told() {
        let base = healthy().shards.remove(3);
        let state = |change: &dyn Fn(&mut Pod), health: Option<Health>| {
            let mut shard = base.clone();
            change(shard.pod.as_mut().unwrap());
            ShardState::of(&shard, health.as_ref()).to_string()
        };
        let crash = Some(("CrashLoopBackOff".to_owned(), "back-off 10s".to_owned()));
        assert_eq!(state(&|_| (), None), "ready");
        assert_eq!(
            state(&|_| (), Some(Health::Unhealthy { status: 503, path: "/h".to_owned() })),
            "ready, but /h answers 503"
        );
        assert_eq!(state(&|pod| pod.deleted_at = pod.created_at, None), "terminating");
        let crashing = state(
            &|pod| {
                pod.is_ready = false;
                pod.containers[0].restarts = 7;
                pod.containers[0].waiting.clone_from(&crash);
            },
            None,
        );
        assert_eq!(crashing, "CrashLoopBackOff: back-off 10s, 7 restarts");
        let pending = state(
            &|pod| {
                pod.is_ready = false;
                pod.node = None;
                pod.containers.clear();
                pod.unschedulable = Some(
                    "0/4 nodes are available: 4 too small. no new claims to deallocate, preemption"
                        .to_owned(),
                );
            },
            None,
        );
        assert_eq!(pending, "pending: 0/4 nodes are available: 4 too small");
        let unseen = state(
            &|pod| {
                (pod.is_ready, pod.node) = (false, None);
                pod.containers.clear();
            },
            None,
        );
        assert_eq!(unseen, "pending: no scheduler has looked at it yet");
        let gone = Shard { pod: None, ..base.clone() };
        assert_eq!(ShardState::of(&gone, None), ShardState::Missing);
    }

    #[test]
    fn only_what_time_does_not_mend_is_stuck() {
        let waiting = |reason: &str| ShardState::Waiting {
            reason: reason.to_owned(),
            message: String::new(),
            restarts: 0,
        };
        assert!(waiting("ImagePullBackOff").is_stuck());
        assert!(!waiting("ContainerCreating").is_stuck());
        assert!(!ShardState::Unschedulable { message: String::new() }.is_stuck());
    }
}
