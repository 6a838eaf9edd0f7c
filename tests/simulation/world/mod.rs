//! The simulated cluster: what there is, and what happens next.
//!
//! Everything happens at a moment of virtual time. Between two moments nothing happens, so that a day takes no longer
//! than what is done in it.

mod controllers;
mod faults;
mod nodes;
pub mod objects;
mod pods;
mod server;
mod view;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use serde_json::{Value, json};
use shardctl::domain::names::NodeName;
use shardctl::domain::rolling::{ObjectRef, Observed, Run, Warning};
use shardctl::ops::Interrupt;

use self::objects::{
    EXPLORE, NAMESPACE, PodKey, Revision, STABLE, SimNode, SimPod, SimSet, WORKLOAD, Wants, budget_ref,
    node_ref, pool_object, pool_ref, set_ref, template,
};
use self::server::Call;
pub use self::server::{Reply, Request};
use self::view::View;
pub use self::view::pool_of;
use crate::checker::Checker;
use crate::dice::Dice;
use crate::schedule::{Kind, Ms, Schedule};
use crate::story::{Story, Who};

/// The image before, and the one that it is upgraded to.
pub const OLD_IMAGE: &str = "app:1";
pub const NEW_IMAGE: &str = "app:2";
/// The image that somebody else gives it.
const FOREIGN_IMAGE: &str = "app:666";

/// What can happen by itself.
pub enum Event {
    /// A call reaches the server.
    Arrive(usize),
    /// Its answer reaches the client.
    Answer(usize),
    Wake(Waker),
    /// What was so a while ago is told by the watch.
    Publish(Arc<Observed>, u64),
    Controller,
    Scheduler,
    Karpenter,
    NodeReady(SimNode),
    /// The n-th step of a pod, by its serial number.
    Pod(u64, Step),
    /// The n-th fault of the schedule begins, or ends.
    Fault(usize),
    FaultEnds(usize),
    /// Another process takes the lock.
    TakeOver,
    /// A process that stood still goes on.
    Thaw,
}

/// A step of a pod.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Prepared,
    Started,
    Ready,
    PullFails,
    PullBackOff,
    Crash,
    Unready,
    Gone,
}

struct Due {
    at: Ms,
    order: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// A process that works on the run.
#[derive(Default)]
pub struct Process {
    pub is_dead: bool,
    pub has_lost_lock: bool,
    pub frozen_until: Ms,
    /// The version of the view that it last saw.
    pub seen: u64,
    /// When it saw it for the n-th time without time having passed: it may run in circles.
    pub seen_at: Ms,
    pub seen_times: u32,
    /// When its last look was answered.
    pub looked_at: Ms,
    /// The last of its journal entries that was written.
    pub saved: usize,
    /// Calls that are under way.
    pub under_way: u32,
    /// When its calls were under way: how long it could not see to anything else.
    pub busy: Vec<(Ms, Ms)>,
}

/// The run as it was last written down.
pub struct Journal {
    pub run: Rc<Run>,
    pub by: usize,
}

/// Something that happened and may be the reason why a run stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    Call,
    SlowCall,
    Watch,
    PodFails,
    ShardDown,
    NodeVanished,
    ControllerStalls,
    NoNewNodes,
    PlaceholderGone,
    GateRefuses,
    BudgetIsFull,
    TemplateChanged,
    Scaled,
    BudgetsChanged,
    Uncordoned,
    StrategyChanged,
    Replaced,
    LockLost,
    Interrupted,
    Crashed,
    Frozen,
}

/// The simulated cluster.
pub struct World {
    pub now: Ms,
    pub schedule: Rc<Schedule>,
    queue: BinaryHeap<Reverse<Due>>,
    order: u64,
    serials: u64,
    versions: u64,
    dice: Dice,
    pub set: SimSet,
    pub pods: BTreeMap<PodKey, SimPod>,
    /// How many pods each shard had.
    remakes: BTreeMap<u32, u32>,
    pub nodes: BTreeMap<NodeName, SimNode>,
    nodes_made: u32,
    launching: Vec<SimNode>,
    /// Objects as they were before the run.
    pub original: BTreeMap<ObjectRef, Value>,
    /// Objects that are read and patched.
    pub objects: BTreeMap<ObjectRef, Value>,
    warnings: BTreeMap<String, Vec<Warning>>,
    /// Events that are due and need not be asked for twice.
    controller_due: bool,
    scheduler_due: bool,
    karpenter_due: bool,
    pub view: View,
    pub calls: Vec<Call>,
    pub processes: Vec<Process>,
    pub journal: Option<Journal>,
    /// The process that has the lock, while it runs.
    pub current: Option<usize>,
    pub interrupt: Option<Rc<Interrupt>>,
    /// Times at which another process wants to take over.
    pub takeovers: u32,
    /// The faults are over for good.
    pub is_mended: bool,
    pub causes: BTreeSet<Cause>,
    pub checker: Checker,
    pub story: Story,
}

impl World {
    /// The cluster of a schedule, before anything happens.
    pub fn new(schedule: Rc<Schedule>, story: Story) -> Self {
        let mut world = Self {
            now: 0,
            queue: BinaryHeap::new(),
            order: 0,
            serials: 0,
            versions: 100,
            dice: Dice::new(schedule.seed),
            set: SimSet {
                uid: "set-1".to_owned(),
                generation: 1,
                observed: 1,
                known: 0,
                known_replicas: schedule.service.shards,
                revisions: Vec::new(),
            },
            pods: BTreeMap::new(),
            remakes: BTreeMap::new(),
            nodes: BTreeMap::new(),
            nodes_made: 0,
            launching: Vec::new(),
            original: BTreeMap::new(),
            objects: BTreeMap::new(),
            warnings: BTreeMap::new(),
            controller_due: false,
            scheduler_due: false,
            karpenter_due: false,
            view: View::default(),
            calls: Vec::new(),
            processes: Vec::new(),
            journal: None,
            current: None,
            interrupt: None,
            takeovers: 0,
            is_mended: false,
            causes: BTreeSet::new(),
            checker: Checker::default(),
            story,
            schedule,
        };
        world.furnish();
        world
    }

    fn furnish(&mut self) {
        let schedule = Rc::clone(&self.schedule);
        let service = &schedule.service;
        let old = template(OLD_IMAGE, Some(EXPLORE));
        self.set.known = self.revision(&old);
        if let Kind::Undo { .. } = schedule.task.kind {
            self.set.known = self.revision(&template(NEW_IMAGE, Some(EXPLORE)));
        }
        let version = self.next_version();
        let current = self.set.revisions[self.set.known].object.clone();
        self.objects.insert(
            set_ref(),
            json!({
                "apiVersion": "apps/v1", "kind": "StatefulSet",
                "metadata": {"name": WORKLOAD, "namespace": NAMESPACE, "resourceVersion": version.to_string()},
                "spec": {"replicas": service.shards, "updateStrategy": {"type": "OnDelete"}, "template": current},
            }),
        );
        for (pool, nodes) in [(EXPLORE, "100%"), (STABLE, "0")] {
            let version = self.next_version();
            self.objects.insert(pool_ref(pool), pool_object(pool, nodes, version));
        }
        let version = self.next_version();
        self.objects.insert(
            budget_ref(),
            json!({
                "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                "metadata": {"name": "others", "namespace": NAMESPACE, "resourceVersion": version.to_string()},
                "spec": {"maxUnavailable": 1},
            }),
        );
        for ordinal in 0..service.shards {
            self.furnish_shard(ordinal);
        }
        if let Kind::Drain { of, others, .. } = &schedule.task.kind {
            let node = of.first().and_then(|ordinal| self.pods[&PodKey::Shard(*ordinal)].node.clone());
            for index in 0..*others {
                self.insert_pod(PodKey::Other(index), Rc::new(Wants::default()), |pod| {
                    (pod.node, pod.is_ready) = (node.clone(), true);
                });
            }
        }
        self.original.clone_from(&self.objects);
        for (index, fault) in schedule.faults.iter().enumerate() {
            if let Some(at) = faults::begins(fault) {
                self.after(at, Event::Fault(index));
            }
            if let Some(at) = faults::ends(fault) {
                self.after(at, Event::FaultEnds(index));
            }
        }
    }

    /// A shard as it was before the run, on the first node of its zone that has room.
    fn furnish_shard(&mut self, ordinal: u32) {
        let service = self.schedule.service.clone();
        let revision = match &self.schedule.task.kind {
            Kind::Undo { newer } if newer.contains(&ordinal) => 1,
            _ => 0,
        };
        let zone = self.zone_of(ordinal);
        let wants = Rc::clone(&self.set.revisions[revision].wants);
        let name = self.set.revisions[revision].name.clone();
        let node = match self.room_for(&wants, Some(&zone)) {
            Some(node) => node,
            None => {
                let node = self.new_node(EXPLORE, &zone);
                let name = node.name.clone();
                self.add_node(node);
                name
            }
        };
        let is_broken = service.broken.contains(&ordinal);
        self.insert_pod(PodKey::Shard(ordinal), wants, |pod| {
            pod.node = Some(node);
            pod.scheduled = Some(0);
            (pod.is_prepared, pod.is_started, pod.is_ready) = (true, true, !is_broken);
            pod.ready_changed = Some(0);
            pod.waiting = is_broken.then_some("CrashLoopBackOff");
            pod.revision = Some(name);
            pod.zone = Some(zone);
            pod.is_broken = is_broken;
        });
        if is_broken {
            self.causes.insert(Cause::ShardDown);
        }
    }

    /// The zone of the volume of a shard.
    pub fn zone_of(&self, ordinal: u32) -> String {
        format!("zone-{}", ordinal % self.schedule.service.zones)
    }

    pub fn next_version(&mut self) -> u64 {
        self.versions += 1;
        self.versions
    }

    /// A number from `low` to `high`, for what the schedule leaves open.
    pub fn draw(&mut self, low: u64, high: u64) -> u64 {
        self.dice.between(low, high)
    }

    pub fn after(&mut self, delay: Ms, event: Event) {
        self.order += 1;
        self.queue.push(Reverse(Due { at: self.now + delay, order: self.order, event }));
    }

    /// Lets the next thing happen, and everything that happens at the same moment. False when nothing is left.
    pub fn step(&mut self) -> bool {
        let Some(Reverse(first)) = self.queue.pop() else { return false };
        self.now = first.at;
        self.happen(first.event);
        while let Some(Reverse(next)) = self.queue.peek()
            && next.at == self.now
            && let Some(Reverse(next)) = self.queue.pop()
        {
            self.happen(next.event);
        }
        self.tell_news();
        true
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<Ms> {
        self.queue.peek().map(|Reverse(due)| due.at)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(call) => self.arrive(call),
            Event::Answer(call) => self.answer(call),
            Event::Wake(waker) => waker.wake(),
            Event::Publish(seen, version) => self.publish(seen, version),
            Event::Controller => self.control(),
            Event::Scheduler => self.schedule_pods(),
            Event::Karpenter => self.provision(),
            Event::NodeReady(node) => self.node_is_ready(node),
            Event::Pod(serial, step) => self.pod_steps(serial, step),
            Event::Fault(index) => self.fault_begins(index),
            Event::FaultEnds(index) => self.fault_ends(index),
            Event::TakeOver => self.takeovers += 1,
            Event::Thaw => {}
        }
    }

    /// The revision of a template: the one that it has, or a new one.
    pub fn revision(&mut self, template: &Value) -> usize {
        if let Some(known) = self.set.revisions.iter().position(|known| known.object == *template) {
            return known;
        }
        let hash = template.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let spec = template.get("spec").cloned().unwrap_or_default();
        self.set.revisions.push(Revision {
            name: format!("{WORKLOAD}-{:08x}", hash & 0xffff_ffff),
            object: template.clone(),
            wants: Rc::new(Wants::of(&spec)),
        });
        self.set.revisions.len() - 1
    }

    /// The template that the StatefulSet has now.
    pub fn live_template(&self) -> Option<&Value> {
        self.objects.get(&set_ref())?.pointer("/spec/template")
    }

    /// How many shards there should be.
    pub fn replicas(&self) -> u32 {
        let replicas = self.objects.get(&set_ref()).and_then(|set| set.pointer("/spec/replicas")?.as_u64());
        replicas.and_then(|replicas| u32::try_from(replicas).ok()).unwrap_or(0)
    }

    /// The shards that are not up, in truth.
    pub fn down(&self) -> BTreeSet<u32> {
        let is_up = |ordinal: &u32| self.pods.get(&PodKey::Shard(*ordinal)).is_some_and(SimPod::is_up);
        (0..self.replicas()).filter(|ordinal| !is_up(ordinal)).collect()
    }

    /// Changes an object as somebody else does.
    pub fn rewrite(&mut self, object: &ObjectRef, change: impl FnOnce(&mut Value)) {
        let version = self.next_version();
        let Some(live) = self.objects.get_mut(object) else { return };
        change(live);
        live["metadata"]["resourceVersion"] = json!(version.to_string());
        self.object_changed(object);
    }

    /// What follows from a change of an object.
    pub fn object_changed(&mut self, object: &ObjectRef) {
        match object.kind.as_str() {
            "StatefulSet" => {
                self.set.generation += 1;
                self.view.workload_changed();
                self.wake_controller();
            }
            "Node" => {
                self.view.node_changed(&NodeName::new(&object.name));
                self.wake_scheduler();
            }
            _ => {}
        }
    }

    pub fn is_cordoned(&self, node: &NodeName) -> bool {
        let object = self.objects.get(&node_ref(node));
        object.and_then(|object| object.pointer(objects::CORDON_PATH)) == Some(&json!(true))
    }

    pub fn say(&mut self, who: Who, what: impl FnOnce() -> String) {
        let now = self.now;
        self.story.tell(now, who, what);
    }
}
