//! What the watches tell: the truth at once, the truth of a while ago, or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;

use shardctl::domain::names::{NodeName, NodePoolName};
use shardctl::domain::quantity::{Quantity, Resources};
use shardctl::domain::rolling::{Observed, OtherPod, Placeholder, PlaceholderState};
use shardctl::domain::snapshot::{
    ContainerStatus, DnsPolicy, NODE_POOL_LABEL, Node, Pod, PodTemplate, Workload,
};

use super::objects::{PodKey, SimNode, SimPod, WORKLOAD, set_ref, timestamp, whole_second, workload_ref};
use super::{Event, World};
use crate::schedule::{Fault, Ms, Schedule};

/// How news comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    Live,
    Late(Ms),
    Lost,
}

impl Watch {
    fn at(schedule: &Schedule, now: Ms) -> Self {
        let mut watch = Self::Live;
        for fault in &schedule.faults {
            match fault {
                Fault::WatchIsLost { from, to } if (*from..*to).contains(&now) => return Self::Lost,
                Fault::WatchLags { from, to, by } if (*from..*to).contains(&now) => watch = Self::Late(*by),
                _ => {}
            }
        }
        watch
    }
}

/// What is known to whoever watches.
pub struct View {
    truth: Arc<Observed>,
    /// Counts the states of the truth.
    version: u64,
    pods: Vec<PodKey>,
    nodes: Vec<NodeName>,
    is_workload_changed: bool,
    is_warned: bool,
    is_changed: bool,
    watch: Watch,
    published: Arc<Observed>,
    published_version: u64,
    watchers: Vec<Waker>,
}

impl Default for View {
    fn default() -> Self {
        let nothing = Arc::new(Observed::nothing(timestamp(0)));
        Self {
            truth: Arc::clone(&nothing),
            version: 0,
            pods: Vec::new(),
            nodes: Vec::new(),
            is_workload_changed: true,
            is_warned: false,
            is_changed: true,
            watch: Watch::Live,
            published: nothing,
            published_version: 0,
            watchers: Vec::new(),
        }
    }
}

impl View {
    pub fn pod_changed(&mut self, key: PodKey) {
        self.is_changed = true;
        self.pods.push(key);
    }

    pub fn node_changed(&mut self, name: &NodeName) {
        self.is_changed = true;
        self.nodes.push(name.clone());
    }

    pub fn workload_changed(&mut self) {
        (self.is_changed, self.is_workload_changed) = (true, true);
    }

    pub fn warnings_changed(&mut self) {
        (self.is_changed, self.is_warned) = (true, true);
    }

    /// The version of what whoever watches knows.
    pub fn known_version(&self) -> u64 {
        if self.watch == Watch::Live { self.version } else { self.published_version }
    }

    pub fn watch_for_news(&mut self, waker: &Waker) {
        if !self.watchers.iter().any(|known| known.will_wake(waker)) {
            self.watchers.push(waker.clone());
        }
    }

    fn wake(&mut self) {
        self.watchers.drain(..).for_each(Waker::wake);
    }
}

impl World {
    /// The truth, as an operation would see it.
    pub fn truth(&mut self) -> Arc<Observed> {
        let view = &mut self.view;
        let pods = std::mem::take(&mut view.pods);
        let nodes = std::mem::take(&mut view.nodes);
        let is_workload_changed = std::mem::take(&mut view.is_workload_changed);
        let is_warned = std::mem::take(&mut view.is_warned);
        let mut truth = std::mem::replace(&mut view.truth, Arc::clone(&view.published));
        let at = timestamp(self.now);
        if truth.at != at || !pods.is_empty() || !nodes.is_empty() || is_workload_changed || is_warned {
            let seen = Arc::make_mut(&mut truth);
            seen.at = at;
            for key in pods {
                self.observe_pod(seen, key);
            }
            for name in nodes {
                match self.nodes.get(&name) {
                    Some(node) => drop(seen.nodes.insert(name.clone(), self.node(node))),
                    None => drop(seen.nodes.remove(&name)),
                }
            }
            if is_workload_changed {
                seen.workload = self.workload();
            }
            if is_warned {
                seen.warnings.clone_from(&self.warnings);
            }
        }
        self.view.truth = Arc::clone(&truth);
        truth
    }

    /// What whoever watches knows.
    pub fn seen(&mut self) -> Arc<Observed> {
        match self.view.watch {
            Watch::Live => self.truth(),
            _ => Arc::clone(&self.view.published),
        }
    }

    /// After each moment in which something changed: tells of it, now, later or never.
    pub(super) fn tell_news(&mut self) {
        if !std::mem::take(&mut self.view.is_changed) {
            return;
        }
        self.view.version += 1;
        let down = self.down();
        self.checker.truth_is(self.now, &down);
        match self.view.watch {
            Watch::Live => {
                self.view_is(&down);
                self.view.wake();
            }
            Watch::Late(by) => {
                let (truth, version) = (self.truth(), self.view.version);
                self.after(by, Event::Publish(truth, version));
            }
            Watch::Lost => {}
        }
    }

    pub(super) fn publish(&mut self, seen: Arc<Observed>, version: u64) {
        if self.view.watch != Watch::Live && version > self.view.published_version {
            self.view_is(&seen.down());
            (self.view.published, self.view.published_version) = (seen, version);
            self.view.wake();
        }
    }

    /// Somebody looked: what they saw is known now, unless something newer is.
    pub(super) fn looked(&mut self, seen: Arc<Observed>, version: u64) {
        if self.view.watch != Watch::Live && version >= self.view.published_version {
            self.view_is(&seen.down());
            (self.view.published, self.view.published_version) = (seen, version);
        }
    }

    fn view_is(&mut self, down: &BTreeSet<u32>) {
        let is_attended =
            self.current.is_some_and(|current| self.processes[current].frozen_until <= self.now);
        self.checker.view_is(self.now, down, is_attended);
    }

    pub(super) fn truth_version(&self) -> u64 {
        self.view.version
    }

    /// The watch changes for the better or the worse.
    pub(super) fn refresh(&mut self) {
        let watch = if self.is_mended { Watch::Live } else { Watch::at(&self.schedule, self.now) };
        if watch == self.view.watch {
            return;
        }
        let was_live = self.view.watch == Watch::Live;
        if was_live {
            (self.view.published, self.view.published_version) = (self.truth(), self.view.version);
        }
        self.view.watch = watch;
        if watch == Watch::Live {
            let down = self.down();
            self.view_is(&down);
            self.view.wake();
        }
    }

    fn observe_pod(&self, seen: &mut Observed, key: PodKey) {
        let pod = self.pods.get(&key);
        match (key, pod) {
            (PodKey::Shard(ordinal), Some(pod)) => drop(seen.pods.insert(ordinal, shard(pod))),
            (PodKey::Shard(ordinal), None) => drop(seen.pods.remove(&ordinal)),
            // There is one placeholder of a shard at a time, but for a moment after a resume: the newest counts.
            (PodKey::Place { shard, .. }, _) => {
                let all = self
                    .pods
                    .values()
                    .filter(|pod| matches!(pod.key, PodKey::Place { shard: its, .. } if its == shard));
                match all.max_by_key(|pod| pod.version) {
                    Some(pod) => drop(seen.placeholders.insert(shard, placeholder(pod))),
                    None => drop(seen.placeholders.remove(&shard)),
                }
            }
            (PodKey::Other(_), Some(pod)) => {
                if let Some(node) = pod.node.clone() {
                    let other = OtherPod { pod: pod.exact(), node, is_ending: pod.ending.is_some() };
                    seen.others.insert(key.name().to_string(), other);
                }
            }
            (PodKey::Other(_), None) => drop(seen.others.remove(key.name().as_str())),
        }
    }

    fn node(&self, node: &SimNode) -> Node {
        let whole = Resources { cpu: Quantity::milli(node.cpu), memory: Quantity::ZERO };
        Node {
            name: node.name.clone(),
            labels: node.labels.clone(),
            taints: node.taints.clone(),
            is_cordoned: self.is_cordoned(&node.name),
            deleted_at: None,
            created_at: Some(whole_second(node.created)),
            is_ready: true,
            pressures: Vec::new(),
            allocatable: whole,
            allocatable_pods: 100,
            capacity: whole,
            kubelet_version: String::new(),
        }
    }

    fn workload(&self) -> Option<Workload> {
        let set = self.objects.get(&set_ref())?;
        let text =
            |path: &str| set.pointer(path).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let revision = self.set.revisions[self.set.known].name.clone();
        let is_ordered = self.schedule.service.is_ordered_ready;
        Some(Workload {
            reference: workload_ref(),
            uid: self.set.uid.clone(),
            resource_version: text("/metadata/resourceVersion"),
            replicas: self.replicas(),
            is_status_current: self.set.observed == self.set.generation,
            ready_replicas: 0,
            current_revision: revision.clone(),
            update_revision: revision,
            update_strategy: text("/spec/updateStrategy/type"),
            pod_management_policy: if is_ordered { "OrderedReady" } else { "Parallel" }.to_owned(),
            service_name: WORKLOAD.to_owned(),
            claim_templates: Vec::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            selector: BTreeMap::new(),
            managers: Vec::new(),
            template: PodTemplate {
                object: set.pointer("/spec/template").cloned().unwrap_or_default(),
                ..PodTemplate::default()
            },
        })
    }
}

fn shard(pod: &SimPod) -> Pod {
    let waiting = pod.waiting.map(|reason| (reason.to_owned(), String::new()));
    let container = ContainerStatus { name: WORKLOAD.to_owned(), waiting, ..ContainerStatus::default() };
    Pod {
        uid: pod.uid.clone(),
        resource_version: pod.version.to_string(),
        created_at: Some(whole_second(pod.created)),
        deleted_at: pod.ending.map(whole_second),
        node: pod.node.clone(),
        scheduled_at: pod.scheduled.map(whole_second),
        is_prepared: pod.is_prepared,
        phase: match (pod.has_ended, pod.is_started) {
            (true, _) => "Failed",
            (false, true) => "Running",
            (false, false) => "Pending",
        }
        .to_owned(),
        qos_class: String::new(),
        revision: pod.revision.clone(),
        ips: Vec::new(),
        dns_policy: DnsPolicy::Cluster,
        is_ready: pod.is_ready,
        ready_changed_at: pod.ready_changed.map(whole_second),
        unschedulable: pod.unschedulable.clone(),
        annotations: BTreeMap::new(),
        containers: if pod.is_prepared { vec![container] } else { Vec::new() },
        requests: Resources::default(),
        termination_grace_period_seconds: 30,
        claims: Vec::new(),
    }
}

fn placeholder(pod: &SimPod) -> Placeholder {
    let state = match pod {
        _ if pod.ending.is_some() || pod.has_ended => PlaceholderState::Ending,
        _ if pod.node.is_none() => PlaceholderState::Pending(pod.unschedulable.clone()),
        _ if !pod.is_started => PlaceholderState::Pulling(None),
        _ => PlaceholderState::Warm,
    };
    Placeholder {
        pod: pod.exact(),
        node: pod.node.clone(),
        state,
        created_at: Some(whole_second(pod.created)),
    }
}

/// The pool that a node is of, by its label.
pub fn pool_of(seen: &Observed, node: &NodeName) -> Option<NodePoolName> {
    seen.nodes.get(node)?.labels.get(NODE_POOL_LABEL).map(NodePoolName::new)
}
