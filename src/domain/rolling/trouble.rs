//! What waiting will not mend: told at once, with its reason, instead of at the timeout.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::observed::Warning;
use crate::domain::names::PodName;
use crate::domain::shard_state::ShardState;
use crate::domain::snapshot::{Pod, Shard};

/// A pod that will not come up by itself, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub pod: PodName,
    pub reason: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pod/{} will not come up: {}", self.pod, self.reason)
    }
}

/// A warning must be so old before it counts, and be repeated: controllers complain of what the next try mends.
const FIRST_COMPLAINT: SignedDuration = SignedDuration::from_secs(5);

/// Why a new pod will not come up by itself; none when it may. What was complained of before `since` may be mended.
#[must_use]
pub fn trouble(shard: &Shard, warnings: &[Warning], since: Timestamp, now: Timestamp) -> Option<Trouble> {
    let pod = shard.pod.as_ref()?;
    let state = ShardState::of(shard, None);
    // The first failed pull is often mended by the second; the kubelet says ImagePullBackOff when it was not.
    let is_first_try = matches!(&state, ShardState::Waiting { reason, .. } if reason == "ErrImagePull");
    // The StatefulSet controller makes a pod that has ended anew.
    let is_made_anew = matches!(&state, ShardState::Ended { .. });
    let reason = match (state.is_stuck() && !is_first_try && !is_made_anew, &state) {
        (true, _) => state.to_string(),
        (false, ShardState::Unscheduled | ShardState::Unschedulable { .. }) => {
            no_node(pod, warnings, since, now)?
        }
        (false, ShardState::Waiting { .. } | ShardState::Scheduled) => no_volume(pod, warnings, since)?,
        (false, _) => return None,
    };
    Some(Trouble { pod: shard.pod_name.clone(), reason })
}

/// A disk may be attached somewhere else for a while, and clouds refuse what they do a moment later: what is still said
/// so long after the pod got its node stays.
const ATTACH_PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Why a volume of a pod does not come to its node. That it is still attached to another one passes by itself.
fn no_volume(pod: &Pod, warnings: &[Warning], since: Timestamp) -> Option<String> {
    let waits_since = pod.scheduled_at?;
    let is_about_volume =
        |one: &&Warning| matches!(one.reason.as_str(), "FailedAttachVolume" | "FailedMount");
    let complaint = warnings
        .iter()
        .filter(is_about_volume)
        .filter(|one| one.at >= since && !one.message.contains("Multi-Attach"))
        .max_by_key(|one| one.at)?;
    let is_lasting = complaint.at.duration_since(waits_since) >= ATTACH_PATIENCE;
    is_lasting.then(|| format!("{}: {}", complaint.reason, complaint.message))
}

/// Why Karpenter makes no node for a pod. The scheduler alone says only that there is none now.
fn no_node(pod: &Pod, warnings: &[Warning], since: Timestamp, now: Timestamp) -> Option<String> {
    let waits_since = pod.created_at?;
    let complaint = karpenters_complaint(warnings, since)?;
    (now.duration_since(waits_since) >= FIRST_COMPLAINT).then(|| complaint.message.clone())
}

/// The last that Karpenter has said about a pod for which it makes no node.
pub(super) fn karpenters_complaint(warnings: &[Warning], since: Timestamp) -> Option<&Warning> {
    warnings
        .iter()
        .filter(|one| one.component == "karpenter" && one.reason == "FailedScheduling" && one.at >= since)
        .max_by_key(|one| one.at)
}
