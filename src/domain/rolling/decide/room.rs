//! Places for shards that move.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{Action, Blocker, Decision, Look, Waiting, enter, later};
use crate::domain::rolling::observed::PlaceholderState;
use crate::domain::rolling::placeholder::{Room, placeholder_name};
use crate::domain::rolling::run::Stage;
use crate::domain::rolling::trouble::karpenters_complaint;

/// A place that Karpenter says it cannot make is waited for so long: it tries again when something changes.
const ROOM_COMPLAINT: SignedDuration = SignedDuration::from_secs(10);

impl Look<'_> {
    pub(super) fn make_room(&self) -> Decision {
        let Some(room) = &self.run.room else { return enter(Stage::Arming) };
        // A shard that is where it should be needs no other place, and one that is on its way takes its own.
        let wanted: BTreeSet<u32> =
            room.shards().into_iter().filter(|ordinal| self.needs_room(room, *ordinal)).collect();
        let state = |ordinal: &u32| self.seen.placeholders.get(ordinal).map(|placeholder| &placeholder.state);
        let missing: BTreeSet<u32> = wanted
            .iter()
            .copied()
            .filter(|ordinal| state(ordinal) != Some(&PlaceholderState::Warm))
            .collect();
        let Some(first) = missing.first() else { return enter(Stage::Arming) };
        let complaint = missing.iter().find_map(|ordinal| self.hopeless(*ordinal));
        let deadline = later(self.run.entered_at, self.run.policy.patience);
        if self.now >= deadline || complaint.is_some() {
            let name = placeholder_name(&self.run.workload.name, *first, self.run.attempt);
            let why = complaint
                .or_else(|| self.seen.placeholders.get(first)?.state.why())
                .unwrap_or_else(|| format!("pod/{name} is not running"));
            return Decision::Blocked(Blocker::NoRoom { patience: self.run.policy.patience, why });
        }
        let absent: BTreeSet<u32> = missing
            .iter()
            .copied()
            .filter(|ordinal| matches!(state(ordinal), None | Some(PlaceholderState::Ending)))
            .collect();
        if !absent.is_empty() {
            return Decision::Act(Action::MakeRoom(absent));
        }
        let why = missing.iter().find_map(|ordinal| self.seen.placeholders.get(ordinal)?.state.why());
        let of = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
        Decision::Wait { why: Waiting::Room { missing, of, why }, until: Some(deadline) }
    }

    /// Whether a shard is to be moved, and needs a place for that. The image is wanted on the node that it is on, and no
    /// more where it is on another by now.
    fn needs_room(&self, room: &Room, ordinal: u32) -> bool {
        let node = || self.seen.pods.get(&ordinal).and_then(|pod| pod.node.as_ref());
        self.is_untouched(ordinal)
            && room.only_node(ordinal).is_none_or(|only| node().is_some_and(|node| node.as_str() == only))
    }

    /// Why a placeholder will not get a place by waiting.
    fn hopeless(&self, ordinal: u32) -> Option<String> {
        let placeholder = self.seen.placeholders.get(&ordinal)?;
        match &placeholder.state {
            PlaceholderState::Stuck(why) => Some(why.clone()),
            PlaceholderState::Pending(_) => {
                let warnings = self.seen.warnings.get(&placeholder.pod.uid)?;
                let complaint = karpenters_complaint(warnings, self.run.entered_at)?;
                let waits = self.now.duration_since(placeholder.created_at?);
                (waits >= ROOM_COMPLAINT).then(|| complaint.message.clone())
            }
            _ => None,
        }
    }
}
