//! How far a template has reached the shards: what `kubectl rollout status` does not tell of an OnDelete set.

use serde::Serialize;

use crate::domain::names::{NodeName, NodePoolName, PodName, WorkloadRef};
use crate::domain::shard_state::ShardState;
use crate::domain::snapshot::{Health, Snapshot};

/// Where the rollout of a workload stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    pub workload: WorkloadRef,
    /// The revision that new pods are made from.
    pub revision: String,
    pub update_strategy: String,
    /// Whether the controller has taken note of the newest template.
    pub is_status_current: bool,
    pub shards: Vec<ShardRollout>,
}

/// How far one shard is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardRollout {
    pub pod: PodName,
    pub ordinal: u32,
    /// The revision that its pod was made from; none without a pod.
    pub revision: Option<String>,
    pub is_updated: bool,
    pub node: Option<NodeName>,
    pub node_pool: Option<NodePoolName>,
    /// The digest of the image that runs, of the first container.
    pub digest: Option<String>,
    pub is_ready: bool,
    /// What the shard says of itself; none when it was not asked.
    #[serde(skip)]
    pub health: Option<Health>,
    /// What it is doing, in words.
    pub state: String,
}

impl ShardRollout {
    /// Whether the shard is up from the wanted revision, and does not say otherwise.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_updated && self.is_ready && self.health.as_ref().is_none_or(Health::is_healthy)
    }
}

impl Rollout {
    /// The rollout in a snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let workload = &snapshot.workload;
        let shards = snapshot.expected_shards().map(|shard| {
            let pod = shard.pod.as_ref();
            let health = snapshot.health.get(&shard.ordinal);
            let revision = pod.and_then(|pod| pod.revision.clone());
            ShardRollout {
                pod: shard.pod_name.clone(),
                ordinal: shard.ordinal,
                is_updated: revision.as_ref() == Some(&workload.update_revision),
                revision,
                node: pod.and_then(|pod| pod.node.clone()),
                node_pool: snapshot.node_of(shard).and_then(|node| node.node_pool()),
                digest: pod.and_then(|pod| digest(&pod.containers.first()?.image_id)),
                is_ready: shard.is_up(),
                health: health.cloned(),
                state: ShardState::of(shard, health).to_string(),
            }
        });
        Self {
            workload: workload.reference.clone(),
            revision: workload.update_revision.clone(),
            update_strategy: workload.update_strategy.clone(),
            is_status_current: workload.is_status_current,
            shards: shards.collect(),
        }
    }

    /// The shards that are not up from the wanted revision.
    pub fn left(&self) -> impl Iterator<Item = &ShardRollout> {
        self.shards.iter().filter(|shard| !shard.is_done())
    }

    /// Whether every shard is up from the wanted revision.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_status_current && self.left().next().is_none()
    }

    /// The digests that run, each with the shards that run it. More than one is a mix of versions.
    #[must_use]
    pub fn digests(&self) -> Vec<(&str, Vec<u32>)> {
        let mut digests: Vec<(&str, Vec<u32>)> = Vec::new();
        for shard in &self.shards {
            let Some(digest) = shard.digest.as_deref() else { continue };
            match digests.iter_mut().find(|(known, _)| *known == digest) {
                Some((_, ordinals)) => ordinals.push(shard.ordinal),
                None => digests.push((digest, vec![shard.ordinal])),
            }
        }
        digests
    }
}

/// The digest of an image id: `sha256:0123` of `docker.io/app@sha256:0123`; what has none is taken as it is.
fn digest(image_id: &str) -> Option<String> {
    let digest = image_id.rsplit_once('@').map_or(image_id, |(_, digest)| digest);
    (!digest.is_empty()).then(|| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::healthy;

    #[test]
    fn a_rollout_is_complete_when_every_shard_is_up_from_the_newest_revision() {
        let rollout = Rollout::of(&healthy());
        assert!(rollout.is_complete());
        assert_eq!(rollout.digests().len(), 1);
    }

    #[test]
    fn what_is_left_is_told() {
        let mut snapshot = healthy();
        snapshot.workload.update_revision = "biometric-shard-new".to_owned();
        let updated = snapshot.shards[2].pod.as_mut().unwrap();
        updated.revision = Some("biometric-shard-new".to_owned());
        updated.containers[0].image_id = "app@sha256:1111".to_owned();
        let rollout = Rollout::of(&snapshot);
        assert_eq!(rollout.left().count(), 9);
        assert!(!rollout.is_complete());
        assert_eq!(rollout.digests()[1], ("sha256:1111", vec![2]));
    }

    #[test]
    fn a_controller_that_lags_completes_nothing() {
        let mut snapshot = healthy();
        snapshot.workload.is_status_current = false;
        assert!(!Rollout::of(&snapshot).is_complete());
    }
}
