//! Pods: how they come, start, fail and go.

use std::rc::Rc;

use super::objects::{PodKey, SimPod, Wants};
use super::{Cause, Event, Step, World};
use crate::schedule::{Fault, Ms, PodFault};
use crate::story::Who;

impl World {
    pub(super) fn insert_pod(&mut self, key: PodKey, wants: Rc<Wants>, fill: impl FnOnce(&mut SimPod)) {
        self.serials += 1;
        let remake = match key {
            PodKey::Shard(ordinal) => {
                let remakes = self.remakes.entry(ordinal).or_default();
                *remakes += 1;
                *remakes - 1
            }
            _ => 0,
        };
        let mut pod = SimPod {
            key,
            serial: self.serials,
            uid: format!("uid-{}", self.serials),
            version: self.next_version(),
            created: self.now,
            ending: None,
            node: None,
            scheduled: None,
            is_prepared: false,
            is_started: false,
            is_ready: false,
            ready_changed: None,
            waiting: None,
            has_ended: false,
            revision: None,
            wants,
            zone: None,
            unschedulable: None,
            remake,
            is_broken: false,
        };
        fill(&mut pod);
        self.pods.insert(key, pod);
        self.view.pod_changed(key);
    }

    /// A pod was changed: it has a new version, and the watch tells of it.
    pub(super) fn pod_changed(&mut self, key: PodKey) {
        let version = self.next_version();
        if let Some(pod) = self.pods.get_mut(&key) {
            pod.version = version;
        }
        self.view.pod_changed(key);
    }

    pub(super) fn remove_pod(&mut self, key: PodKey) {
        if let Some(pod) = self.pods.remove(&key) {
            self.say(Who::Kubelet, || format!("pod/{} is gone ({})", key.name(), pod.uid));
            self.view.pod_changed(key);
            self.wake_controller();
            self.wake_scheduler();
        }
    }

    /// Asks a pod to end, as a delete does.
    pub fn end_pod(&mut self, key: PodKey) {
        let now = self.now;
        let Some(pod) = self.pods.get_mut(&key).filter(|pod| pod.ending.is_none()) else { return };
        pod.ending = Some(now);
        let serial = pod.serial;
        // A pod that runs nowhere has nothing to wait for.
        let delay = match (key, &pod.node) {
            (_, None) | (PodKey::Place { .. }, _) => 0,
            _ => self.schedule.service.end,
        };
        if delay == 0 {
            self.remove_pod(key);
            return;
        }
        self.pod_changed(key);
        self.after(delay, Event::Pod(serial, Step::Gone));
    }

    pub fn find_pod(&self, serial: u64) -> Option<PodKey> {
        self.pods.values().find(|pod| pod.serial == serial).map(|pod| pod.key)
    }

    pub(super) fn pod_steps(&mut self, serial: u64, step: Step) {
        let Some(key) = self.find_pod(serial) else { return };
        let Some(pod) = self.pods.get(&key) else { return };
        if step != Step::Gone && pod.has_ended {
            return;
        }
        match step {
            Step::Prepared => self.prepared(key),
            Step::Started => self.started(key),
            Step::Ready => self.readiness(key, true),
            Step::Unready => self.readiness(key, false),
            Step::PullFails => {
                self.waits(key, "ErrImagePull");
                self.after(1500, Event::Pod(serial, Step::PullBackOff));
            }
            Step::PullBackOff => self.waits(key, "ImagePullBackOff"),
            Step::Crash => self.waits(key, "CrashLoopBackOff"),
            Step::Gone => self.remove_pod(key),
        }
    }

    fn waits(&mut self, key: PodKey, reason: &'static str) {
        let Some(pod) = self.pods.get_mut(&key).filter(|pod| !pod.is_ready) else { return };
        pod.waiting = Some(reason);
        self.say(Who::Kubelet, || format!("pod/{} waits: {reason}", key.name()));
        self.pod_changed(key);
    }

    fn prepared(&mut self, key: PodKey) {
        let Some(pod) = self.pods.get_mut(&key) else { return };
        pod.is_prepared = true;
        pod.waiting = Some("ContainerCreating");
        let serial = pod.serial;
        let (images, node) = (pod.wants.images.clone(), pod.node.clone());
        let node = node.and_then(|node| self.nodes.get_mut(&node));
        let is_pulled = node.is_none_or(|node| {
            let is_pulled = images.is_subset(&node.images);
            node.images.extend(images);
            is_pulled
        });
        let pull = if is_pulled { 0 } else { self.schedule.service.pull };
        self.pod_changed(key);
        let create = self.draw(10, 100);
        match self.fault_of(key) {
            Some((PodFault::ImagePull, heals)) => {
                self.after(create, Event::Pod(serial, Step::PullFails));
                if let Some(heals) = heals {
                    self.after(heals, Event::Pod(serial, Step::Started));
                }
            }
            _ => self.after(pull + create, Event::Pod(serial, Step::Started)),
        }
    }

    fn started(&mut self, key: PodKey) {
        let Some(pod) = self.pods.get_mut(&key) else { return };
        let serial = pod.serial;
        pod.is_started = true;
        pod.waiting = None;
        self.pod_changed(key);
        if !matches!(key, PodKey::Shard(_)) {
            return;
        }
        let start = self.schedule.service.start;
        match self.fault_of(key) {
            Some((PodFault::NeverReady, heals)) => {
                if let Some(heals) = heals {
                    self.after(heals + start, Event::Pod(serial, Step::Ready));
                }
            }
            Some((PodFault::CrashLoop, heals)) => {
                self.after(start / 2 + 1, Event::Pod(serial, Step::Crash));
                if let Some(heals) = heals {
                    self.after(heals + start, Event::Pod(serial, Step::Ready));
                }
            }
            _ => self.after(start, Event::Pod(serial, Step::Ready)),
        }
    }

    fn readiness(&mut self, key: PodKey, is_ready: bool) {
        let now = self.now;
        let Some(pod) = self.pods.get_mut(&key) else { return };
        // A pod that ends is not Ready any more, and a broken one never is.
        if pod.is_ready == is_ready || (is_ready && (pod.ending.is_some() || pod.is_broken)) {
            return;
        }
        pod.is_ready = is_ready;
        pod.ready_changed = Some(now);
        if is_ready {
            (pod.is_started, pod.waiting) = (true, None);
        }
        let word = if is_ready { "Ready" } else { "not Ready" };
        self.say(Who::Kubelet, || format!("pod/{} is {word}", key.name()));
        self.pod_changed(key);
        self.wake_controller();
    }

    /// Why this pod does not come up, and when it does.
    fn fault_of(&mut self, key: PodKey) -> Option<(PodFault, Option<Ms>)> {
        let PodKey::Shard(shard) = key else { return None };
        if self.is_mended {
            return None;
        }
        let number = self.pods.get(&key)?.remake;
        let fault = self.schedule.faults.iter().find_map(|fault| match fault {
            Fault::PodFails { ordinal, remake, how, lasts } if (*ordinal, *remake) == (shard, number) => {
                Some((*how, *lasts))
            }
            _ => None,
        })?;
        self.causes.insert(Cause::PodFails);
        Some(fault)
    }

    /// Whether a shard says that it is well, if it is asked now.
    pub fn is_well(&mut self, ordinal: u32, uid: &str) -> Result<(), String> {
        let Some(pod) = self.pods.get(&PodKey::Shard(ordinal)).filter(|pod| pod.uid == uid) else {
            return Err("no such pod".to_owned());
        };
        if !pod.is_started {
            return Err("connection refused".to_owned());
        }
        if !pod.is_ready {
            return Err("503".to_owned());
        }
        let refuses = |fault: &Fault| match fault {
            Fault::GateRefuses { ordinal: its, from, to } => {
                *its == ordinal && (*from..*to).contains(&self.now)
            }
            _ => false,
        };
        if !self.is_mended && self.schedule.has(refuses) {
            self.causes.insert(Cause::GateRefuses);
            return Err("503".to_owned());
        }
        Ok(())
    }
}
