//! Nodes, kube-scheduler and Karpenter.

use std::collections::BTreeMap;

use shardctl::domain::names::NodeName;
use shardctl::domain::rolling::Warning;
use shardctl::domain::snapshot::any_term_matches;

use super::objects::{
    EXPLORE, PodKey, SHARD_CPU, STABLE, SimNode, SimPod, Wants, ZONE_LABEL, node_labels, node_ref, taints_of,
    timestamp,
};
use super::{Cause, Event, Step, World};
use crate::schedule::{Fault, Ms};
use crate::story::Who;

/// Karpenter gathers pending pods for so long, and looks at those that stay pending again after so long.
const BATCH: Ms = 1000;
const LOOKS_AGAIN: Ms = 5000;

impl World {
    pub(super) fn new_node(&mut self, pool: &'static str, zone: &str) -> SimNode {
        self.nodes_made += 1;
        let cpu = i64::from(self.schedule.service.per_node) * SHARD_CPU;
        SimNode::new(&format!("{pool}-{}", self.nodes_made), pool, zone, cpu, self.now)
    }

    pub(super) fn add_node(&mut self, node: SimNode) {
        let version = self.next_version();
        self.objects.insert(node_ref(&node.name), node.object(version));
        self.view.node_changed(&node.name);
        self.nodes.insert(node.name.clone(), node);
    }

    pub(super) fn node_is_ready(&mut self, mut node: SimNode) {
        self.launching.retain(|other| other.name != node.name);
        self.say(Who::Karpenter, || format!("node/{} is ready", node.name));
        node.created = self.now;
        self.add_node(node);
        self.wake_scheduler();
    }

    /// Takes a node away with everything on it.
    pub(super) fn remove_node(&mut self, name: &NodeName) {
        if self.nodes.remove(name).is_none() {
            return;
        }
        self.objects.remove(&node_ref(name));
        self.view.node_changed(name);
        let on_it: Vec<PodKey> =
            self.pods.values().filter(|pod| pod.node.as_ref() == Some(name)).map(|pod| pod.key).collect();
        for key in on_it {
            self.remove_pod(key);
        }
    }

    fn free(&self) -> BTreeMap<&NodeName, i64> {
        let mut free: BTreeMap<&NodeName, i64> =
            self.nodes.iter().map(|(name, node)| (name, node.cpu)).collect();
        for pod in self.pods.values().filter(|pod| !pod.has_ended) {
            if let Some(left) = pod.node.as_ref().and_then(|node| free.get_mut(node)) {
                *left -= pod.wants.cpu;
            }
        }
        free
    }

    /// Whether a node with these labels would do for a pod.
    fn suits(wants: &Wants, zone: Option<&str>, node: &SimNode) -> bool {
        zone.is_none_or(|zone| node.labels.get(ZONE_LABEL).is_some_and(|its| its == zone))
            && any_term_matches(&wants.terms, &node.labels)
            && node.taints.iter().all(|taint| wants.tolerations.iter().any(|one| one.tolerates(taint)))
    }

    /// The node that a pod would be put on: the fullest that has room.
    pub(super) fn room_for(&self, wants: &Wants, zone: Option<&str>) -> Option<NodeName> {
        let free = self.free();
        let nodes = self.nodes.values().filter(|node| {
            Self::suits(wants, zone, node)
                && free.get(&node.name).is_some_and(|free| *free >= wants.cpu)
                && !self.is_cordoned(&node.name)
        });
        let fullest =
            nodes.min_by_key(|node| (free.get(&node.name).copied().unwrap_or(0), node.name.clone()));
        fullest.map(|node| node.name.clone())
    }

    pub(super) fn wake_scheduler(&mut self) {
        if !self.scheduler_due {
            self.scheduler_due = true;
            let lag = self.draw(2, 30);
            self.after(lag, Event::Scheduler);
        }
    }

    pub(super) fn schedule_pods(&mut self) {
        self.scheduler_due = false;
        let is_pending = |pod: &&SimPod| pod.node.is_none() && pod.ending.is_none() && !pod.has_ended;
        // Shards are of higher priority than placeholders; their key comes first, too.
        let pending: Vec<PodKey> = self.pods.values().filter(is_pending).map(|pod| pod.key).collect();
        for key in pending {
            let Some(pod) = self.pods.get(&key) else { continue };
            let (wants, zone) = (pod.wants.clone(), pod.zone.clone());
            let place =
                self.room_for(&wants, zone.as_deref()).or_else(|| self.preempt(key, &wants, zone.as_deref()));
            match place {
                Some(node) => self.bind(key, node),
                None => self.refuse(key),
            }
        }
    }

    /// Placeholders give way to shards.
    fn preempt(&mut self, key: PodKey, wants: &Wants, zone: Option<&str>) -> Option<NodeName> {
        if !matches!(key, PodKey::Shard(_)) {
            return None;
        }
        let victim = self.pods.values().find(|pod| {
            matches!(pod.key, PodKey::Place { .. })
                && pod.wants.cpu >= wants.cpu
                && pod
                    .node
                    .as_ref()
                    .and_then(|node| self.nodes.get(node))
                    .is_some_and(|node| Self::suits(wants, zone, node) && !self.is_cordoned(&node.name))
        })?;
        let (victim, node) = (victim.key, victim.node.clone()?);
        self.say(Who::Scheduler, || format!("pod/{} gives way to pod/{}", victim.name(), key.name()));
        self.causes.insert(Cause::PlaceholderGone);
        self.remove_pod(victim);
        Some(node)
    }

    fn bind(&mut self, key: PodKey, node: NodeName) {
        let now = self.now;
        self.say(Who::Scheduler, || format!("pod/{} goes to node/{node}", key.name()));
        let Some(mut pod) = self.pods.remove(&key) else { return };
        pod.node = Some(node);
        pod.scheduled = Some(now);
        pod.unschedulable = None;
        let serial = pod.serial;
        self.pods.insert(key, pod);
        self.pod_changed(key);
        let attach = self.draw(50, 300);
        self.after(attach, Event::Pod(serial, Step::Prepared));
    }

    fn refuse(&mut self, key: PodKey) {
        let Some(pod) = self.pods.get_mut(&key) else { return };
        if pod.unschedulable.is_none() {
            pod.unschedulable = Some("0 nodes are available".to_owned());
            self.pod_changed(key);
        }
        self.wake_karpenter(BATCH);
    }

    fn wake_karpenter(&mut self, delay: Ms) {
        if !self.karpenter_due {
            self.karpenter_due = true;
            self.after(delay, Event::Karpenter);
        }
    }

    /// Karpenter makes nodes for pods that no node has room for.
    pub(super) fn provision(&mut self) {
        self.karpenter_due = false;
        let pending: Vec<PodKey> = self
            .pods
            .values()
            .filter(|pod| pod.unschedulable.is_some() && pod.ending.is_none() && !pod.has_ended)
            .map(|pod| pod.key)
            .collect();
        if pending.is_empty() {
            return;
        }
        // What is on its way has room, too.
        let mut coming: Vec<(SimNode, i64)> =
            self.launching.iter().map(|node| (node.clone(), node.cpu)).collect();
        for key in pending {
            let Some(pod) = self.pods.get(&key) else { continue };
            let (wants, zone, uid) = (pod.wants.clone(), pod.zone.clone(), pod.uid.clone());
            let fits = |(node, free): &&mut (SimNode, i64)| {
                *free >= wants.cpu && Self::suits(&wants, zone.as_deref(), node)
            };
            if let Some((_, free)) = coming.iter_mut().find(fits) {
                *free -= wants.cpu;
                continue;
            }
            match self.launch(&wants, zone.as_deref()) {
                Ok(node) => {
                    self.say(Who::Karpenter, || format!("makes node/{} for pod/{}", node.name, key.name()));
                    coming.push((node.clone(), node.cpu - wants.cpu));
                    self.launching.push(node.clone());
                    let launch = self.schedule.service.launch;
                    self.after(launch, Event::NodeReady(node));
                }
                Err(message) => self.warn(&uid, message),
            }
        }
        self.wake_karpenter(LOOKS_AGAIN);
    }

    fn launch(&mut self, wants: &Wants, zone: Option<&str>) -> Result<SimNode, &'static str> {
        let is_forbidden = |fault: &Fault| match fault {
            Fault::NoNewNodes { from, to } => (*from..*to).contains(&self.now),
            _ => false,
        };
        if !self.is_mended && self.schedule.has(is_forbidden) {
            self.causes.insert(Cause::NoNewNodes);
            return Err("all available instance types exceed limits for nodepool");
        }
        let zones = self.schedule.service.zones;
        let zones = (0..zones).map(|index| format!("zone-{index}"));
        let zones: Vec<String> = zones.filter(|one| zone.is_none_or(|zone| zone == one)).collect();
        for pool in [EXPLORE, STABLE] {
            for zone in &zones {
                let is_tolerated = taints_of(pool)
                    .iter()
                    .all(|taint| wants.tolerations.iter().any(|one| one.tolerates(taint)));
                if is_tolerated && any_term_matches(&wants.terms, &node_labels("", pool, zone)) {
                    return Ok(self.new_node(pool, zone));
                }
            }
        }
        Err("no nodepool matched the pod's requirements")
    }

    fn warn(&mut self, uid: &str, message: &str) {
        let warning = Warning {
            reason: "FailedScheduling".to_owned(),
            message: message.to_owned(),
            component: "karpenter".to_owned(),
            at: timestamp(self.now),
        };
        self.say(Who::Karpenter, || format!("makes no node for {uid}: {message}"));
        self.warnings.insert(uid.to_owned(), vec![warning]);
        self.view.warnings_changed();
    }
}
