//! One shard: who it says it is, and how it behaves. It is told so by words:
//!
//! - `health: "503"` all health endpoints answer this status; `hang`: they accept and never answer
//! - `health-startup`, `health-readiness`, `health-liveness`: one of them only
//! - `health-delay: 3s` health endpoints answer that late
//! - `startup-hold: 5s` /health/startup answers 503 for so long after the container started
//! - `answer: "503"` and `answer-delay: 3s` the same for /api/status, the shard's own endpoint
//! - `identity: NAME` it says that it is another shard
//!
//! In a simulated pod they are annotations, `lab.shardctl.dev/health`; in a container they are its environment,
//! `SHARD_HEALTH`, and what its control port is told (`container.rs`), with two more:
//!
//! - `listen: loopback` only the container itself reaches the shard; `nowhere`: nobody does
//! - `stop-delay: 3s` it ends that late when it is asked to

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;

const PREFIX: &str = "lab.shardctl.dev/";

/// The container that is the shard, while it runs.
pub struct Container {
    pub id: String,
    pub image: String,
    pub started_at: Timestamp,
}

impl Container {
    /// The ports that the first container with any declares.
    pub fn ports_of(pod: &Pod) -> Vec<u16> {
        declared(pod).map(|(_, ports)| ports).unwrap_or_default()
    }

    /// None when the pod has no such container, or not yet, or no longer.
    pub fn running_in(pod: &Pod) -> Option<Self> {
        let (name, _) = declared(pod)?;
        let status = pod.status.as_ref()?.container_statuses.as_ref()?.iter().find(|one| one.name == name)?;
        let started_at = status.state.as_ref()?.running.as_ref()?.started_at.as_ref()?.0;
        Some(Self { id: status.container_id.clone()?, image: status.image.clone(), started_at })
    }
}

/// The first container that declares ports, and they.
fn declared(pod: &Pod) -> Option<(&str, Vec<u16>)> {
    pod.spec.as_ref()?.containers.iter().find_map(|container| {
        let ports: Vec<u16> = container
            .ports
            .iter()
            .flatten()
            .filter_map(|port| u16::try_from(port.container_port).ok())
            .collect();
        (!ports.is_empty()).then_some((container.name.as_str(), ports))
    })
}

/// What /api/status answers.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    pub pod: String,
    pub namespace: String,
    pub uid: String,
    pub node: String,
    /// The tag of the image.
    pub version: String,
    pub image: String,
    pub started_at: String,
}

/// How an endpoint answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    #[default]
    Normal,
    Status(u16),
    Hang,
}

impl Answer {
    fn of(word: Option<&str>) -> Self {
        match word {
            Some("hang") => Self::Hang,
            Some(status) => status
                .parse()
                .ok()
                .filter(|status| (100..600).contains(status))
                .map_or(Self::Normal, Self::Status),
            None => Self::Normal,
        }
    }
}

/// Where a shard listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listen {
    #[default]
    Everywhere,
    Loopback,
    Nowhere,
}

/// How the shard was told to behave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    pub startup: Answer,
    pub readiness: Answer,
    pub liveness: Answer,
    pub health_delay: Duration,
    pub startup_hold: Duration,
    pub answer: Answer,
    pub answer_delay: Duration,
    pub identity: Option<String>,
    pub listen: Listen,
    pub stop_delay: Duration,
}

impl Behaviour {
    /// Every word that is understood.
    pub const WORDS: [&str; 11] = [
        "health",
        "health-startup",
        "health-readiness",
        "health-liveness",
        "health-delay",
        "startup-hold",
        "answer",
        "answer-delay",
        "identity",
        "listen",
        "stop-delay",
    ];

    /// `value` knows what each word was set to.
    pub fn of<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Self {
        let duration =
            |word| value(word).and_then(|text| humantime::parse_duration(text).ok()).unwrap_or_default();
        let health = |word| Answer::of(value(word).or_else(|| value("health")));
        Self {
            startup: health("health-startup"),
            readiness: health("health-readiness"),
            liveness: health("health-liveness"),
            health_delay: duration("health-delay"),
            startup_hold: duration("startup-hold"),
            answer: Answer::of(value("answer")),
            answer_delay: duration("answer-delay"),
            identity: value("identity").map(str::to_owned),
            listen: match value("listen") {
                Some("loopback") => Listen::Loopback,
                Some("nowhere") => Listen::Nowhere,
                _ => Listen::Everywhere,
            },
            stop_delay: duration("stop-delay"),
        }
    }

    fn of_annotations(annotations: Option<&BTreeMap<String, String>>) -> Self {
        Self::of(|word| annotations?.get(&format!("{PREFIX}{word}")).map(String::as_str))
    }
}

/// A shard that is being served.
pub struct Shard {
    identity: Identity,
    started: Instant,
    behaviour: RwLock<Behaviour>,
}

impl Shard {
    /// One that starts now.
    pub fn new(identity: Identity, behaviour: Behaviour) -> Self {
        Self { identity, started: Instant::now(), behaviour: RwLock::new(behaviour) }
    }

    /// The shard that a simulated container runs.
    pub fn of_pod(pod: &Pod, container: &Container) -> Self {
        let metadata = &pod.metadata;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Self {
            identity: Identity {
                pod: text(&metadata.name),
                namespace: text(&metadata.namespace),
                uid: text(&metadata.uid),
                node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
                version: tag(&container.image).to_owned(),
                image: container.image.clone(),
                started_at: container.started_at.to_string(),
            },
            started: since(container.started_at, Timestamp::now()),
            behaviour: RwLock::new(Behaviour::of_annotations(metadata.annotations.as_ref())),
        }
    }

    /// Takes over what the pod's annotations say now.
    pub fn change_to_annotations(&self, pod: &Pod) {
        self.change(Behaviour::of_annotations(pod.metadata.annotations.as_ref()));
    }

    pub fn change(&self, behaviour: Behaviour) {
        *self.behaviour.write().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    pub fn behaviour(&self) -> Behaviour {
        self.behaviour.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether its start is over.
    pub fn has_started(&self) -> bool {
        self.started.elapsed() >= self.behaviour().startup_hold
    }

    pub fn identity(&self) -> Identity {
        let mut identity = self.identity.clone();
        if let Some(name) = self.behaviour().identity {
            identity.pod = name;
        }
        identity
    }
}

/// When the container started, on this process' clock. The API knows whole seconds only, so one that started just now
/// counts from now.
fn since(started_at: Timestamp, now: Timestamp) -> Instant {
    let ago = now.duration_since(started_at);
    let instant = Instant::now();
    if ago < SignedDuration::from_secs(2) {
        return instant;
    }
    instant.checked_sub(ago.unsigned_abs()).unwrap_or(instant)
}

/// The tag of an image: `latest` without one, the digest of an image that is pinned by it.
fn tag(image: &str) -> &str {
    if let Some((_, digest)) = image.split_once('@') {
        return digest;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').map_or("latest", |(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_the_version() {
        assert_eq!(tag("registry:5000/a/shard:1.2.3"), "1.2.3");
        assert_eq!(tag("registry:5000/a/shard"), "latest");
        assert_eq!(tag("shard@sha256:abc"), "sha256:abc");
    }

    #[test]
    fn annotations_say_how_to_behave() {
        let behaviour = |pairs: &[(&str, &str)]| {
            let annotations =
                pairs.iter().map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned())).collect();
            Behaviour::of_annotations(Some(&annotations))
        };
        assert_eq!(Behaviour::of_annotations(None), behaviour(&[]));
        assert_eq!(behaviour(&[("health", "503")]).startup, Answer::Status(503));
        assert_eq!(behaviour(&[("health", "503")]).liveness, Answer::Status(503));
        assert_eq!(behaviour(&[("health", "hang")]).readiness, Answer::Hang);
        assert_eq!(behaviour(&[("health", "well")]).readiness, Answer::Normal);
        let startup = behaviour(&[("health-startup", "503")]);
        assert_eq!((startup.startup, startup.readiness), (Answer::Status(503), Answer::Normal));
        assert_eq!(behaviour(&[("answer", "503")]).answer, Answer::Status(503));
        assert_eq!(behaviour(&[("health-delay", "3s")]).health_delay, Duration::from_secs(3));
        assert_eq!(behaviour(&[("listen", "loopback")]).listen, Listen::Loopback);
        assert_eq!(behaviour(&[("identity", "b")]).identity.as_deref(), Some("b"));
    }
}
