//! The StatefulSet controller.

use std::rc::Rc;

use serde_json::Value;

use super::objects::{PodKey, set_ref};
use super::{Cause, Event, World};
use crate::schedule::Fault;
use crate::story::Who;

impl World {
    pub(super) fn wake_controller(&mut self) {
        if !self.controller_due {
            self.controller_due = true;
            let most = self.schedule.service.controller;
            let lag = self.draw(most / 2, most);
            self.after(lag, Event::Controller);
        }
    }

    pub(super) fn control(&mut self) {
        self.controller_due = false;
        let stalls_until = self.schedule.faults.iter().filter_map(|fault| match fault {
            Fault::ControllerStalls { from, to } if (*from..*to).contains(&self.now) => Some(*to),
            _ => None,
        });
        if let Some(until) = stalls_until.max().filter(|_| !self.is_mended) {
            self.causes.insert(Cause::ControllerStalls);
            self.controller_due = true;
            self.after(until - self.now, Event::Controller);
            return;
        }
        let Some(set) = self.objects.get(&set_ref()) else { return };
        let is_rolling =
            set.pointer("/spec/updateStrategy/type").and_then(Value::as_str) == Some("RollingUpdate");
        if self.set.observed != self.set.generation {
            let template = set.pointer("/spec/template").cloned().unwrap_or_default();
            self.set.known = self.revision(&template);
            self.set.known_replicas = self.replicas();
            self.set.observed = self.set.generation;
            self.view.workload_changed();
            let name = self.set.revisions[self.set.known].name.clone();
            self.say(Who::Controller, || format!("has taken note: new pods are of revision {name}"));
        }
        self.make_pods();
        if is_rolling {
            self.roll_by_itself();
        }
    }

    fn make_pods(&mut self) {
        let is_ordered = self.schedule.service.is_ordered_ready;
        for ordinal in 0..self.set.known_replicas {
            let key = PodKey::Shard(ordinal);
            match self.pods.get(&key) {
                Some(pod) if pod.has_ended && pod.ending.is_none() => {
                    self.remove_pod(key);
                    self.make_pod(ordinal);
                }
                None => self.make_pod(ordinal),
                Some(_) => {}
            }
            // OrderedReady makes no pod before those below it are Ready.
            let is_up = self.pods.get(&key).is_some_and(|pod| pod.is_up());
            if is_ordered && !is_up {
                return;
            }
        }
        let surplus: Vec<PodKey> = self
            .pods
            .keys()
            .copied()
            .filter(|key| matches!(key, PodKey::Shard(ordinal) if *ordinal >= self.set.known_replicas))
            .collect();
        for key in surplus {
            self.end_pod(key);
        }
    }

    fn make_pod(&mut self, ordinal: u32) {
        let revision = &self.set.revisions[self.set.known];
        let (wants, name) = (Rc::clone(&revision.wants), revision.name.clone());
        let zone = self.zone_of(ordinal);
        let key = PodKey::Shard(ordinal);
        self.say(Who::Controller, || format!("makes pod/{} of revision {name}", key.name()));
        self.insert_pod(key, wants, |pod| {
            pod.revision = Some(name);
            pod.zone = Some(zone);
        });
        self.wake_scheduler();
    }

    /// RollingUpdate: one pod after the other, the last one first.
    fn roll_by_itself(&mut self) {
        if !self.down().is_empty() {
            return;
        }
        let wanted = Some(self.set.revisions[self.set.known].name.clone());
        let old = self.pods.values().rfind(|pod| {
            matches!(pod.key, PodKey::Shard(_)) && pod.revision != wanted && pod.ending.is_none()
        });
        if let Some(key) = old.map(|pod| pod.key) {
            self.say(Who::Controller, || format!("deletes pod/{} by itself", key.name()));
            self.end_pod(key);
        }
    }
}
