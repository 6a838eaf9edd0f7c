//! Asks new pods from the moment their containers run until the kubelet calls them Ready.
//!
//! A kubelet probes every so many seconds and a shard serves whoever finds it as soon as it answers, so Ready is late by up
//! to a period of its probes. Where the headless service publishes addresses that are not ready, that is no outage.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::view::Shared;
use crate::domain::names::PodName;
use crate::domain::rolling::Gate;
use crate::domain::snapshot::{Pod, Snapshot};

/// What a question may take. Kubelets give a probe one second.
const PATIENCE: Duration = Duration::from_secs(1);
/// The pause after a question: a tenth of the time that the pod has been asked for, and no less and no more than these.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// One that answers is asked again after so long, lest it has ended to.
const WHILE_IT_ANSWERS: Duration = Duration::from_millis(250);

/// What new pods are asked; nothing where clients find a shard only when it is Ready, or where Ready is all there is.
pub(super) fn early_gate(gate: &Gate, snapshot: &Snapshot) -> Option<Gate> {
    let name = &snapshot.workload.service_name;
    let headless = snapshot.services.iter().flatten().find(|service| service.name == *name)?;
    matches!(gate, Gate::Http(_)).then(|| gate.clone()).filter(|_| headless.publishes_not_ready)
}

/// A pod that is asked.
#[derive(Clone, Debug)]
pub(super) struct Starting {
    name: PodName,
    pub uid: String,
    ordinal: u32,
}

impl Shared {
    /// The pods that run and are not Ready, but for these.
    pub(super) fn starting(&self, known: &BTreeSet<String>) -> Vec<Starting> {
        if self.subject.early.is_none() {
            return Vec::new();
        }
        let seen = self.seen();
        let starting = seen.pods.iter().filter(|(_, pod)| is_starting(pod) && !known.contains(&pod.uid));
        let workload = &self.subject.workload.name;
        starting
            .map(|(ordinal, pod)| Starting {
                name: PodName::new(format!("{workload}-{ordinal}")),
                uid: pod.uid.clone(),
                ordinal: *ordinal,
            })
            .collect()
    }

    /// Asks a pod until it is Ready or gone, and keeps account of whether it answers.
    pub(super) async fn ask_early(&self, pod: Starting) {
        let Some(gate) = &self.subject.early else { return };
        let began = Timestamp::now();
        let mut line = None;
        loop {
            let Ok(turn) = self.questions.acquire().await else { return };
            let namespace = &self.subject.workload.namespace;
            let question = self.cluster.ask_gate_on(&mut line, gate, namespace, &pod.name);
            let is_good = match tokio::time::timeout(PATIENCE, question).await {
                Ok(answer) => answer.is_ok(),
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
            let asked_for = Duration::try_from(Timestamp::now().duration_since(began)).unwrap_or_default();
            let pause = match is_good {
                true => WHILE_IT_ANSWERS,
                false => (asked_for / 10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE),
            };
            tokio::time::sleep(pause).await;
        }
    }
}

fn is_starting(pod: &Pod) -> bool {
    let runs = !pod.containers.is_empty() && pod.containers.iter().all(|one| one.waiting.is_none());
    runs && !pod.is_ready && pod.deleted_at.is_none() && !pod.has_ended()
}
