//! The run that planning makes of a task, with the parts of the domain that planning itself uses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use shardctl::domain::names::{NodeName, NodePoolName};
use shardctl::domain::quantity::{Quantity, Resources};
use shardctl::domain::rolling::{
    Actor, Change, Forecast, Gate, Goal, Hold, ImagePull, Ledger, ObjectRef, OnFailure, Operation, Order,
    PlaceholderSpec, Policy, Room, Run, RunId, Source, Stage, State, only_node, retarget, waves,
};
use shardctl::domain::snapshot::{
    Container, HttpProbe, NodeExpression, NodePool, NodeTerm, Pod, PodTemplate,
};

use crate::schedule::{Kind, Ms, Service, Task};
use crate::world::objects::{
    BUDGETS_PATH, CORDON_PATH, EXPLORE, PodKey, SHARD_CPU, STABLE, ZONE_LABEL, budget_ref, node_ref,
    pool_ref, set_ref, taints_of, timestamp, workload_ref,
};
use crate::world::{NEW_IMAGE, OLD_IMAGE, World};

/// Longest time for a shard to be back, and for the service to be whole.
pub const SHARD_TIMEOUT: Duration = Duration::from_mins(1);
pub const PATIENCE: Duration = Duration::from_secs(90);

fn after(ms: Ms) -> Duration {
    Duration::from_millis(ms)
}

/// Plans the task of the schedule, as things are now.
pub fn plan(world: &mut World) -> Run {
    let schedule = world.schedule.clone();
    let (task, service) = (&schedule.task, &schedule.service);
    let seen = world.truth();
    let operation = operation(world, &task.kind);
    let goal = Goal {
        revision: None,
        node_pool: match task.kind {
            Kind::Migrate => Some(NodePoolName::new(STABLE)),
            _ => None,
        },
        avoid_nodes: match &operation {
            Operation::Drain { nodes } => nodes.clone(),
            _ => BTreeSet::new(),
        },
    };
    let template = wanted_template(world, &task.kind);
    let wanted = template.as_ref().map(|template| {
        let index = world.revision(template);
        world.set.revisions[index].name.clone()
    });
    let is_moved = |pod: &Pod| match (&task.kind, &wanted) {
        // The newer template of an upgrade has no name yet: no shard can be of it.
        (Kind::Migrate | Kind::Upgrade, _) | (_, None) => !goal.is_met(pod, &seen) || wanted.is_some(),
        (_, wanted) => pod.revision != *wanted,
    };
    let shards: BTreeSet<u32> =
        seen.pods.range(..seen.replicas()).filter(|(_, pod)| is_moved(pod)).map(|(one, _)| *one).collect();
    let order = if task.is_descending { Order::Descending } else { Order::Ascending };
    let is_proven = operation.changes_nothing_but_the_node();
    let waves = waves(&shards, &seen.down(), order, task.strategy, is_proven);
    let started = timestamp(world.now);
    let id = RunId::new(&operation, started);
    let set = world.objects[&set_ref()].clone();
    let arming = template
        .clone()
        .and_then(|template| Change::of(set_ref(), Hold::Template, &set, "/spec/template", Some(template)));
    let mut template_of_shards = set.pointer("/spec/template").cloned().unwrap_or_default();
    if let Some(template) = &template {
        template_of_shards.clone_from(template);
    }
    let room = task.prewarm.then(|| room(world, service, &task.kind, &id, &waves, template_of_shards));
    Run {
        goal: Goal {
            // Where the controller knows the template already, the revision has its name.
            revision: match task.kind {
                Kind::Undo { .. } => wanted,
                _ => None,
            },
            ..goal
        },
        id,
        workload: workload_ref(),
        workload_uid: world.set.uid.clone(),
        replicas: world.replicas(),
        by: actor(0),
        started_at: started,
        ended_at: None,
        attempt: 1,
        policy: policy(task),
        largest_wave: waves
            .iter()
            .map(|wave| u32::try_from(wave.len()).unwrap_or(u32::MAX))
            .max()
            .unwrap_or(0),
        waves,
        forecast: Forecast {
            restart: task.restart_forecast.map(after),
            source: Source::Given,
            is_serial: service.is_ordered_ready,
        },
        holds: holds(world, &task.kind, &operation),
        is_holding: false,
        arming,
        room: room.filter(|room| !room.places.is_empty()),
        stage: Stage::Holding,
        entered_at: started,
        state: State::Running,
        deleted: BTreeMap::new(),
        ledger: Ledger::default(),
        left_behind: Vec::new(),
        operation,
    }
}

/// The n-th process.
pub fn actor(process: usize) -> Actor {
    Actor { user: "operator".to_owned(), host: "desk".to_owned(), pid: u32::try_from(process).unwrap_or(0) }
}

/// The template that the task gives to the StatefulSet, if it gives it one.
pub fn wanted_template(world: &World, kind: &Kind) -> Option<Value> {
    let live = world.live_template()?;
    let with_image = |image: &str| {
        let mut template = live.clone();
        template["spec"]["containers"][0]["image"] = json!(image);
        template
    };
    match kind {
        Kind::Migrate => {
            let pool = NodePool {
                name: NodePoolName::new(STABLE),
                taints: taints_of(STABLE),
                ..NodePool::default()
            };
            Some(retarget(live, &pool))
        }
        Kind::Upgrade => Some(with_image(NEW_IMAGE)),
        Kind::Undo { .. } => Some(with_image(OLD_IMAGE)),
        Kind::Drain { .. } => None,
    }
}

fn operation(world: &World, kind: &Kind) -> Operation {
    match kind {
        Kind::Migrate => Operation::Migrate {
            to: NodePoolName::new(STABLE),
            from: BTreeSet::from([NodePoolName::new(EXPLORE)]),
        },
        Kind::Upgrade => Operation::Upgrade { what: NEW_IMAGE.to_owned() },
        Kind::Undo { .. } => Operation::Undo { revision: OLD_IMAGE.to_owned() },
        Kind::Drain { of, .. } => {
            let node = |ordinal: &u32| world.pods.get(&PodKey::Shard(*ordinal))?.node.clone();
            Operation::Drain { nodes: of.iter().filter_map(node).collect() }
        }
    }
}

fn policy(task: &Task) -> Policy {
    let probe = HttpProbe { port: 8080, path: "/health".to_owned() };
    Policy {
        strategy: task.strategy,
        settle: after(task.settle),
        shard_timeout: SHARD_TIMEOUT,
        patience: PATIENCE,
        max_outage: task.max_outage.map(after),
        max_total_outage: task.max_total_outage.map(after),
        gate: task.gate.map_or(Gate::None, |_| Gate::Http(vec![probe])),
        gate_successes: task.gate.unwrap_or(1),
        prewarm: task.prewarm,
        on_failure: OnFailure::Stop,
    }
}

fn holds(world: &World, kind: &Kind, operation: &Operation) -> Vec<Change> {
    let hold = |object: ObjectRef, hold, path: &str, during: Value| {
        Change::of(object.clone(), hold, &world.objects[&object], path, Some(during))
    };
    let frozen = json!([{"nodes": "0"}]);
    let mut holds: Vec<Change> = [EXPLORE, STABLE]
        .iter()
        .filter_map(|pool| hold(pool_ref(pool), Hold::FrozenPool, BUDGETS_PATH, frozen.clone()))
        .collect();
    if let Operation::Drain { nodes } = operation {
        let cordon = |node: &NodeName| hold(node_ref(node), Hold::Cordon, CORDON_PATH, json!(true));
        holds.extend(nodes.iter().filter_map(cordon));
    }
    if let Kind::Drain { relax: true, .. } = kind {
        holds.extend(hold(budget_ref(), Hold::RelaxedBudget, "/spec/maxUnavailable", json!("100%")));
    }
    holds
}

fn room(
    world: &World,
    service: &Service,
    kind: &Kind,
    id: &RunId,
    waves: &[Vec<u32>],
    template: Value,
) -> Room {
    let is_for_images = matches!(kind, Kind::Upgrade | Kind::Undo { .. });
    let class = format!("shardctl-{id}");
    let workload = workload_ref();
    let image =
        template.pointer("/spec/containers/0/image").and_then(Value::as_str).unwrap_or_default().to_owned();
    let template = PodTemplate {
        containers: vec![Container { image, ..Container::default() }],
        requests: Resources { cpu: Quantity::milli(SHARD_CPU), memory: Quantity::ZERO },
        object: template,
        ..PodTemplate::default()
    };
    let spec = PlaceholderSpec {
        run: id,
        workload: &workload,
        template: &template,
        is_for_images,
        image: "pause",
        pull: ImagePull::Volume,
        priority_class: Some(&class),
        deadline_seconds: 3600,
    };
    let mut served = BTreeSet::new();
    let mut places: Vec<(u32, Vec<NodeTerm>)> = Vec::new();
    for ordinal in waves.iter().flatten().copied() {
        if is_for_images {
            let node = world.pods.get(&PodKey::Shard(ordinal)).and_then(|pod| pod.node.clone());
            if let Some(node) = node.filter(|node| served.insert(node.clone())) {
                places.push((ordinal, only_node(&node)));
            }
        } else {
            let zone = NodeExpression {
                key: ZONE_LABEL.to_owned(),
                operator: "In".to_owned(),
                values: vec![format!("zone-{}", ordinal % service.zones)],
            };
            places.push((ordinal, vec![vec![zone]]));
        }
    }
    Room::new(&spec, places)
}
