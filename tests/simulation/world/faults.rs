//! What goes wrong at a moment of the schedule, and what others do.

use std::rc::Rc;

use serde_json::json;
use shardctl::domain::names::NodeName;

use super::objects::{BUDGETS_PATH, EXPLORE, PodKey, STABLE, node_ref, pool_ref, set_ref, template};
use super::{Cause, Event, FOREIGN_IMAGE, Step, World};
use crate::schedule::{Fault, Ms};
use crate::story::Who;

/// When a fault begins, if it begins at a time.
pub fn begins(fault: &Fault) -> Option<Ms> {
    match fault {
        Fault::WatchLags { from, .. } | Fault::WatchIsLost { from, .. } => Some(*from),
        Fault::Unready { at, .. }
        | Fault::PodEnds { at, .. }
        | Fault::NodeVanishes { at, .. }
        | Fault::NodeDrifts { at, .. }
        | Fault::PlaceholderDeleted { at, .. }
        | Fault::PlaceholderEnds { at, .. }
        | Fault::PlaceVanishes { at, .. }
        | Fault::Deletes { at, .. }
        | Fault::ChangesTemplate { at }
        | Fault::Scales { at, .. }
        | Fault::ChangesBudgets { at, .. }
        | Fault::Uncordons { at }
        | Fault::SetsRollingUpdate { at }
        | Fault::Replaces { at }
        | Fault::LosesLock { at, .. }
        | Fault::Interrupt { at } => Some(*at),
        Fault::Call { .. }
        | Fault::Crash { .. }
        | Fault::Freeze { .. }
        | Fault::PodFails { .. }
        | Fault::ControllerStalls { .. }
        | Fault::NoNewNodes { .. }
        | Fault::GateRefuses { .. }
        | Fault::BudgetIsFull { .. } => None,
    }
}

/// When a fault ends, if somebody must take note of it.
pub fn ends(fault: &Fault) -> Option<Ms> {
    match fault {
        Fault::WatchLags { to, .. } | Fault::WatchIsLost { to, .. } => Some(*to),
        _ => None,
    }
}

impl World {
    pub(super) fn fault_ends(&mut self, _: usize) {
        self.refresh();
    }

    pub(super) fn fault_begins(&mut self, index: usize) {
        if self.is_mended {
            return;
        }
        let schedule = Rc::clone(&self.schedule);
        let fault = &schedule.faults[index];
        match fault {
            Fault::WatchLags { .. } | Fault::WatchIsLost { .. } => {
                self.say(Who::Server, || format!("{fault:?}"));
                self.causes.insert(Cause::Watch);
                self.refresh();
            }
            Fault::Unready { ordinal, lasts, .. } => self.unready(*ordinal, *lasts),
            Fault::PodEnds { ordinal, .. } => {
                let key = PodKey::Shard(*ordinal);
                if let Some(pod) = self.pods.get_mut(&key).filter(|pod| pod.ending.is_none()) {
                    (pod.has_ended, pod.is_ready) = (true, false);
                    self.causes.insert(Cause::ShardDown);
                    self.say(Who::Kubelet, || format!("pod/{} has failed", key.name()));
                    self.pod_changed(key);
                    self.wake_controller();
                }
            }
            Fault::NodeVanishes { ordinal, .. } => {
                if let Some(node) = self.node_of(*ordinal) {
                    self.causes.insert(Cause::NodeVanished);
                    self.say(Who::Somebody, || format!("node/{node} vanishes"));
                    self.remove_node(&node);
                }
            }
            Fault::PlaceVanishes { ordinal, .. } => {
                let key = self.placeholder_of(*ordinal);
                if let Some(node) = key.and_then(|key| self.pods.get(&key)?.node.clone()) {
                    self.causes.insert(Cause::NodeVanished);
                    self.say(Who::Somebody, || format!("node/{node} vanishes"));
                    self.remove_node(&node);
                }
            }
            Fault::NodeDrifts { ordinal, .. } => self.drift(*ordinal),
            Fault::PlaceholderDeleted { ordinal, .. } => {
                if let Some(key) = self.placeholder_of(*ordinal) {
                    self.causes.insert(Cause::PlaceholderGone);
                    self.say(Who::Somebody, || format!("deletes pod/{}", key.name()));
                    self.end_pod(key);
                }
            }
            Fault::PlaceholderEnds { ordinal, .. } => {
                if let Some(key) = self.placeholder_of(*ordinal)
                    && let Some(pod) = self.pods.get_mut(&key)
                {
                    pod.has_ended = true;
                    self.causes.insert(Cause::PlaceholderGone);
                    self.say(Who::Kubelet, || format!("pod/{} has failed", key.name()));
                    self.pod_changed(key);
                }
            }
            Fault::Deletes { ordinal, .. } => {
                let key = PodKey::Shard(*ordinal);
                if self.pods.get(&key).is_some_and(|pod| pod.ending.is_none()) {
                    self.causes.insert(Cause::ShardDown);
                    self.say(Who::Somebody, || format!("deletes pod/{}", key.name()));
                    self.end_pod(key);
                }
            }
            Fault::ChangesTemplate { .. } => {
                self.causes.insert(Cause::TemplateChanged);
                self.say(Who::Somebody, || format!("changes the template to {FOREIGN_IMAGE}"));
                let foreign = template(FOREIGN_IMAGE, Some(EXPLORE));
                self.rewrite(&set_ref(), |set| set["spec"]["template"] = foreign);
            }
            Fault::Scales { to, .. } => {
                self.causes.insert(Cause::Scaled);
                self.say(Who::Somebody, || format!("scales to {to}"));
                self.rewrite(&set_ref(), |set| set["spec"]["replicas"] = json!(to));
            }
            Fault::ChangesBudgets { nodes, .. } => {
                self.causes.insert(Cause::BudgetsChanged);
                for pool in [EXPLORE, STABLE] {
                    self.say(Who::Somebody, || format!("changes the budgets of nodepool/{pool}"));
                    let theirs = json!([{"nodes": nodes.to_string()}]);
                    self.rewrite(&pool_ref(pool), |object| {
                        if let Some(budgets) = object.pointer_mut(BUDGETS_PATH) {
                            budgets.clone_from(&theirs);
                        }
                    });
                    self.checker.somebody_changed(&pool_ref(pool), theirs);
                }
            }
            Fault::Uncordons { .. } => {
                let cordoned: Vec<NodeName> =
                    self.nodes.keys().filter(|node| self.is_cordoned(node)).cloned().collect();
                for node in cordoned {
                    self.causes.insert(Cause::Uncordoned);
                    self.say(Who::Somebody, || format!("uncordons node/{node}"));
                    self.rewrite(&node_ref(&node), |object| object["spec"] = json!({}));
                }
            }
            Fault::SetsRollingUpdate { .. } => {
                self.causes.insert(Cause::StrategyChanged);
                self.say(Who::Somebody, || "sets RollingUpdate".to_owned());
                let rolling = json!({"type": "RollingUpdate"});
                self.rewrite(&set_ref(), |set| set["spec"]["updateStrategy"] = rolling);
            }
            Fault::Replaces { .. } => self.replace(),
            Fault::LosesLock { taken_after, .. } => {
                if let Some(process) = self.current {
                    self.causes.insert(Cause::LockLost);
                    self.say(Who::Process(process), || "cannot renew its lock".to_owned());
                    self.processes[process].has_lost_lock = true;
                    self.after(*taken_after, Event::TakeOver);
                }
            }
            Fault::Interrupt { .. } => {
                if let Some(interrupt) = self.interrupt.clone() {
                    self.causes.insert(Cause::Interrupted);
                    self.say(Who::Somebody, || "presses Ctrl-C".to_owned());
                    interrupt.again();
                }
            }
            Fault::Call { .. }
            | Fault::Crash { .. }
            | Fault::Freeze { .. }
            | Fault::PodFails { .. }
            | Fault::ControllerStalls { .. }
            | Fault::NoNewNodes { .. }
            | Fault::GateRefuses { .. }
            | Fault::BudgetIsFull { .. } => {}
        }
    }

    fn node_of(&self, ordinal: u32) -> Option<NodeName> {
        self.pods.get(&PodKey::Shard(ordinal))?.node.clone()
    }

    fn placeholder_of(&self, ordinal: u32) -> Option<PodKey> {
        let is_its = |key: &&PodKey| matches!(key, PodKey::Place { shard, .. } if *shard == ordinal);
        self.pods.keys().find(is_its).copied()
    }

    fn unready(&mut self, ordinal: u32, lasts: Ms) {
        let Some(pod) = self.pods.get(&PodKey::Shard(ordinal)).filter(|pod| pod.is_up()) else { return };
        let serial = pod.serial;
        self.causes.insert(Cause::ShardDown);
        self.after(0, Event::Pod(serial, Step::Unready));
        self.after(lasts, Event::Pod(serial, Step::Ready));
    }

    /// Karpenter replaces a node that has drifted, as far as the budgets of its pool let it.
    fn drift(&mut self, ordinal: u32) {
        let Some(node) = self.node_of(ordinal) else { return };
        let Some(pool) = self.nodes.get(&node).map(|node| node.pool) else { return };
        let budgets = self.objects.get(&pool_ref(pool)).and_then(|pool| pool.pointer(BUDGETS_PATH));
        if budgets == Some(&json!([{"nodes": "0"}])) {
            self.say(Who::Karpenter, || format!("leaves node/{node} alone: its pool is frozen"));
            return;
        }
        self.causes.insert(Cause::ShardDown);
        self.say(Who::Karpenter, || format!("disrupts node/{node}, which has drifted"));
        self.rewrite(&node_ref(&node), |object| object["spec"]["unschedulable"] = json!(true));
        self.checker.somebody_changed(&node_ref(&node), json!(true));
        let on_it: Vec<PodKey> =
            self.pods.values().filter(|pod| pod.node.as_ref() == Some(&node)).map(|pod| pod.key).collect();
        for key in on_it {
            self.end_pod(key);
        }
    }

    /// The StatefulSet is deleted and made anew.
    fn replace(&mut self) {
        self.causes.insert(Cause::Replaced);
        self.say(Who::Somebody, || "deletes the StatefulSet and makes it anew".to_owned());
        "set-2".clone_into(&mut self.set.uid);
        let shards: Vec<PodKey> =
            self.pods.keys().copied().filter(|key| matches!(key, PodKey::Shard(_))).collect();
        for key in shards {
            self.end_pod(key);
        }
        self.rewrite(&set_ref(), |_| ());
    }

    /// Ends all faults for good: what is broken works again, whatever is asked for is answered.
    pub fn mend(&mut self) {
        if self.is_mended {
            return;
        }
        self.say(Who::Somebody, || "mends everything".to_owned());
        self.is_mended = true;
        self.refresh();
        let stuck: Vec<(PodKey, u64)> = self
            .pods
            .values()
            .filter(|pod| matches!(pod.key, PodKey::Shard(_)) && pod.is_prepared && !pod.is_up())
            .map(|pod| (pod.key, pod.serial))
            .collect();
        for (_, serial) in stuck {
            self.after(10, Event::Pod(serial, Step::Ready));
        }
        // One that stalls wakes up.
        self.controller_due = false;
        self.wake_controller();
        self.wake_scheduler();
    }
}
