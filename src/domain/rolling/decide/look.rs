//! How a shard stands in a run.

use std::collections::BTreeSet;

use super::Look;
use crate::domain::names::{PodName, pods_in_short};
use crate::domain::rolling::ledger::Standing;
use crate::domain::rolling::observed::{Answers, ExactPod, Observed};
use crate::domain::rolling::policy::Gate;
use crate::domain::rolling::run::{Miss, Run};
use crate::domain::snapshot::Pod;

impl Look<'_> {
    /// Whether a shard is still to be moved: it has the pod that it had, and nobody has asked that one to end.
    pub(super) fn is_untouched(&self, ordinal: u32) -> bool {
        self.seen.pods.get(&ordinal).is_some_and(|pod| {
            pod.deleted_at.is_none()
                && match self.run.deleted.get(&ordinal) {
                    // We were about to delete it, and did not come to it.
                    Some(uid) => *uid == pod.uid,
                    // Nothing can be of a revision that has no name yet.
                    None if self.run.arming.is_some() && self.run.goal.revision.is_none() => true,
                    // One that has no node is on its way.
                    None => !matches!(self.run.goal.misses(pod, self.seen), None | Some(Miss::NoNode)),
                }
        })
    }

    /// Whether a shard has gone by our hand and is not back.
    pub(super) fn is_under_way(&self, ordinal: u32) -> bool {
        self.run.deleted.contains_key(&ordinal) && !self.is_untouched(ordinal) && !self.is_back(ordinal)
    }

    /// Whether a shard has a new pod that is where and what it should be, and Ready.
    pub(super) fn is_home(&self, ordinal: u32, pod: &Pod) -> bool {
        !self.run.is_deleted(ordinal, pod) && pod.is_up() && self.run.goal.is_met(pod, self.seen)
    }

    /// Whether a shard is home and has passed the gate.
    pub(super) fn is_back(&self, ordinal: u32) -> bool {
        self.seen
            .pods
            .get(&ordinal)
            .is_some_and(|pod| self.is_home(ordinal, pod) && self.run.has_passed(self.said, ordinal, pod))
    }

    pub(super) fn name(&self, ordinal: u32) -> PodName {
        PodName::new(format!("{}-{ordinal}", self.run.workload.name))
    }

    pub(super) fn names(&self, ordinals: &BTreeSet<u32>) -> String {
        let ordinals: Vec<u32> = ordinals.iter().copied().collect();
        pods_in_short(&self.run.workload.name, &ordinals)
    }

    pub(super) fn exact(&self, ordinal: u32, pod: &Pod) -> ExactPod {
        ExactPod {
            namespace: self.run.workload.namespace.clone(),
            name: self.name(ordinal),
            uid: pod.uid.clone(),
            resource_version: pod.resource_version.clone(),
        }
    }
}

impl Run {
    /// Whether the pod of a shard that we moved has passed the gate. What we did not move need not.
    #[must_use]
    pub fn has_passed(&self, said: &Answers, ordinal: u32, pod: &Pod) -> bool {
        self.policy.gate == Gate::None
            || !self.deleted.contains_key(&ordinal)
            || said.of(&pod.uid).is_some_and(|answer| answer.passed_at.is_some())
    }

    /// How a shard that we took down stands with its clients. One that is up where or as it should not be serves them, too.
    #[must_use]
    pub fn standing(&self, seen: &Observed, said: &Answers, ordinal: u32) -> Standing {
        let Some(pod) = seen.pods.get(&ordinal) else { return Standing::Away };
        if self.is_back(seen, said, ordinal) || pod.is_up() && self.is_stray(ordinal, pod, seen) {
            return Standing::Back;
        }
        let is_refused = said.of(&pod.uid).is_some_and(|answer| answer.refusal.is_some());
        let is_new = pod.deleted_at.is_none() && !self.is_deleted(ordinal, pod);
        match seen.answering.get(&pod.uid).filter(|_| is_new && !is_refused) {
            Some(since) => Standing::Answers(*since),
            None => Standing::Away,
        }
    }

    /// Whether the shard is back: a new pod, as the run wants it, Ready, and through the gate.
    #[must_use]
    pub fn is_back(&self, seen: &Observed, said: &Answers, ordinal: u32) -> bool {
        Look { run: self, seen, said, now: seen.at }.is_back(ordinal)
    }
}
