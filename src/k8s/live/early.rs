//! Asks pods while clients may find them although they are not Ready: new ones from the moment their containers run until
//! the kubelet calls them Ready, and those that are asked to end until they answer no more.
//!
//! A kubelet probes every so many seconds, and Ready is late by up to that. A pod that is asked to end may serve on for as
//! long as its preStop hook takes, and for as long as its kubelet needs to hear of it. Where the headless service publishes
//! addresses that are not ready, none of that is outage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::watcher::Event as WatchEvent;
use tokio::sync::Semaphore;

use super::CONCURRENT_QUESTIONS;
use super::view::Shared;
use crate::domain::names::PodName;
use crate::domain::rolling::Gate;
use crate::domain::snapshot::{Pod, Snapshot};

/// What a question may take. Kubelets give a probe one second.
const PATIENCE: Duration = Duration::from_secs(1);
/// The pause after a question to a new pod: a tenth of the time that the pod has been asked for, and no less and no more than these.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// The pause for one that was asked to end: it is soon gone.
const PAUSE_AT_THE_END: Duration = Duration::from_millis(25);
/// Pods that end are asked on a fresh connection each: what is open already may be served longer than what comes new.
const CONCURRENT_LAST_QUESTIONS: usize = 8;
/// One that ends is asked no more after so many bad answers in a row: one may be the way's fault.
const MISSES: u32 = 3;
/// One that answers is asked again after so long, lest it has ended to.
const WHILE_IT_ANSWERS: Duration = Duration::from_millis(250);

/// Where clients find shards that are not Ready, and what these are asked.
#[derive(Clone, Debug)]
pub(super) struct Early {
    gate: Gate,
    /// The headless service.
    pub service: String,
}

impl Early {
    /// None where clients find a shard only when it is Ready, or where Ready is all there is.
    pub fn of(gate: &Gate, snapshot: &Snapshot) -> Option<Self> {
        let name = &snapshot.workload.service_name;
        let headless = snapshot.services.iter().flatten().find(|service| service.name == *name)?;
        let is_asked = headless.publishes_not_ready && matches!(gate, Gate::Http(_));
        is_asked.then(|| Self { gate: gate.clone(), service: name.clone() })
    }
}

/// The uids of the pods in each slice of the service: those that its names lead to.
#[derive(Default)]
pub(super) struct Published(Mutex<Option<BTreeMap<String, BTreeSet<String>>>>);

impl Published {
    /// Takes in what a watch told of a slice.
    pub fn take(&self, event: WatchEvent<EndpointSlice>) {
        let mut slices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            WatchEvent::Apply(slice) | WatchEvent::InitApply(slice) => {
                let uids =
                    slice.endpoints.into_iter().flatten().filter_map(|endpoint| endpoint.target_ref?.uid);
                let name = slice.metadata.name.unwrap_or_default();
                slices.get_or_insert_default().insert(name, uids.collect());
            }
            WatchEvent::Delete(slice) => {
                if let (Some(slices), Some(name)) = (slices.as_mut(), &slice.metadata.name) {
                    slices.remove(name);
                }
            }
            WatchEvent::Init | WatchEvent::InitDone => {}
        }
    }

    /// Whether names lead to this pod. Where nobody told, they are taken to.
    fn has(&self, uid: &str) -> bool {
        let slices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slices.as_ref().is_none_or(|slices| slices.values().any(|uids| uids.contains(uid)))
    }
}

/// Pods that are being asked, at the same time.
pub(super) struct Turns {
    starting: Semaphore,
    ending: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            starting: Semaphore::new(CONCURRENT_QUESTIONS),
            ending: Semaphore::new(CONCURRENT_LAST_QUESTIONS),
        }
    }
}

/// A pod that is asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    name: PodName,
    pub uid: String,
    ordinal: u32,
}

impl Shared {
    /// The pods that run and are not Ready, but for these.
    pub(super) fn starting(&self, known: &BTreeSet<String>) -> Vec<Asked> {
        self.those(|pod| is_starting(pod) && !known.contains(&pod.uid))
    }

    /// The pods that were asked to end, but for these.
    pub(super) fn ending(&self, known: &BTreeSet<String>) -> Vec<Asked> {
        self.those(|pod| pod.deleted_at.is_some() && !pod.has_ended() && !known.contains(&pod.uid))
    }

    fn those(&self, is_it: impl Fn(&Pod) -> bool) -> Vec<Asked> {
        if self.subject.early.is_none() {
            return Vec::new();
        }
        let seen = self.seen();
        let those = seen.pods.iter().filter(|(_, pod)| is_it(pod));
        let workload = &self.subject.workload.name;
        those
            .map(|(ordinal, pod)| Asked {
                name: PodName::new(format!("{workload}-{ordinal}")),
                uid: pod.uid.clone(),
                ordinal: *ordinal,
            })
            .collect()
    }

    /// Asks a pod until it is Ready or gone, and keeps account of whether it answers.
    pub(super) async fn ask_early(&self, pod: Asked) {
        let Some(Early { gate, .. }) = &self.subject.early else { return };
        let began = Timestamp::now();
        let mut line = None;
        loop {
            let Ok(turn) = self.turns.starting.acquire().await else { return };
            let namespace = &self.subject.workload.namespace;
            let question = self.cluster.ask_gate_on(&mut line, gate, namespace, &pod.name);
            let is_good = match tokio::time::timeout(PATIENCE, question).await {
                // An endpoint may take a second to follow its pod, and until then nobody finds it.
                Ok(answer) => answer.is_ok() && self.published.has(&pod.uid),
                Err(_) => {
                    // The answer may come yet, to nobody.
                    line = None;
                    false
                }
            };
            drop(turn);
            let seen = self.seen();
            // What a pod says that is asked to end, or another by now, is nothing about this one.
            let known = seen.pods.get(&pod.ordinal).filter(|known| known.uid == pod.uid);
            let Some(known) = known.filter(|known| known.deleted_at.is_none()) else {
                return self.update(|seen| {
                    seen.answering.remove(&pod.uid);
                });
            };
            let is_known_to_answer = seen.answering.contains_key(&pod.uid);
            if is_good && !is_known_to_answer {
                let now = Timestamp::now();
                self.update(|seen| {
                    seen.answering.insert(pod.uid.clone(), now);
                });
            } else if is_known_to_answer && !is_good {
                self.update(|seen| {
                    seen.answering.remove(&pod.uid);
                });
            }
            if known.is_ready {
                return;
            }
            let pause = if is_good { WHILE_IT_ANSWERS } else { pause_after(began) };
            tokio::time::sleep(pause).await;
        }
    }
}

impl Shared {
    /// Asks a pod that was asked to end until it does not answer, and keeps account of when it did last.
    pub(super) async fn ask_late(&self, pod: Asked) {
        let Some(Early { gate, .. }) = &self.subject.early else { return };
        let mut misses = 0;
        while misses < MISSES {
            let Ok(turn) = self.turns.ending.acquire().await else { return };
            let question = self.cluster.ask_gate(gate, &self.subject.workload.namespace, &pod.name);
            let answer = tokio::time::timeout(PATIENCE, question).await;
            drop(turn);
            // What answers may be another pod of that name by now.
            if self.seen().pods.get(&pod.ordinal).is_none_or(|known| known.uid != pod.uid) {
                return;
            }
            if matches!(answer, Ok(Ok(()))) {
                misses = 0;
                // Most of the time of a question goes into its connection: what answers now served a moment ago.
                let now = Timestamp::now();
                self.update(|seen| {
                    seen.answered_until.insert(pod.uid.clone(), now);
                });
            } else {
                misses += 1;
            }
            tokio::time::sleep(PAUSE_AT_THE_END).await;
        }
    }
}

fn pause_after(began: Timestamp) -> Duration {
    let asked_for = Duration::try_from(Timestamp::now().duration_since(began)).unwrap_or_default();
    (asked_for / 10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

fn is_starting(pod: &Pod) -> bool {
    let runs = !pod.containers.is_empty() && pod.containers.iter().all(|one| one.waiting.is_none());
    runs && !pod.is_ready && pod.deleted_at.is_none() && !pod.has_ended()
}
