//! Room for the shards to come.

use super::options::{DryRun, RollingArgs};
use crate::commands::target::Target;
use crate::domain::rolling::{Change, ImagePull, PlaceholderSpec, Room, Run, only_node};
use crate::domain::snapshot::{NodeTerm, PodTemplate, Snapshot};
use crate::error::CommandError;
use crate::k8s::{Permission, pod_template};

/// What room is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RoomFor {
    /// Whole shards, somewhere else.
    Shards,
    /// The image only, on the nodes where the shards are.
    Images,
}

/// The run with room for its shards: places elsewhere where shards cannot come back to their nodes, else the image on
/// the nodes where they are.
///
/// # Errors
/// When the server does not say what it allows.
pub async fn room_for(
    target: &Target,
    args: &RollingArgs,
    snapshot: &Snapshot,
    run: Run,
) -> Result<Run, CommandError> {
    if !run.policy.prewarm || args.dry_run == DryRun::Client || run.waves.is_empty() {
        return Ok(run);
    }
    let current = &snapshot.workload.template;
    let armed = run.arming.as_ref().and_then(Change::template).and_then(pod_template);
    let template = armed.as_ref().unwrap_or(current);
    let must_leave = |ordinal: u32| {
        let shard = snapshot.shards.iter().find(|shard| shard.ordinal == ordinal);
        shard.and_then(|shard| snapshot.node_of(shard)).is_none_or(|node| {
            run.goal.avoid_nodes.contains(&node.name) || !template.can_be_placed_on_node(node)
        })
    };
    let what = match run.shards().any(must_leave) || run.goal.node_pool.is_some() {
        true => RoomFor::Shards,
        // What is there already need not be pulled.
        false if images(template) == images(current) => return Ok(run),
        false => RoomFor::Images,
    };
    let room = make_room(target, args, snapshot, &run, template, what).await?;
    Ok(run.with_room(room))
}

fn images(template: &PodTemplate) -> Vec<&str> {
    template.containers.iter().map(|container| container.image.as_str()).collect()
}

/// Placeholders end by themselves after the longest that a run may take, and a little more.
const MARGIN_SECONDS: u64 = 900;

async fn make_room(
    target: &Target,
    args: &RollingArgs,
    snapshot: &Snapshot,
    run: &Run,
    template: &PodTemplate,
    what: RoomFor,
) -> Result<Room, CommandError> {
    let priority_class = Permission {
        verb: "create",
        group: "scheduling.k8s.io".to_owned(),
        resource: "priorityclasses".to_owned(),
        subresource: None,
        namespace: None,
    };
    let class_name = format!("shardctl-{}-{}", run.workload.name, run.id);
    let may_rank = target.cluster.is_allowed(&priority_class).await?;
    let shards = u64::from(u32::try_from(run.shards().count()).unwrap_or(u32::MAX));
    let policy = &run.policy;
    let mut spec = PlaceholderSpec {
        run: &run.id,
        workload: &run.workload,
        template,
        is_for_images: what == RoomFor::Images,
        image: &args.placeholder_image,
        pull: ImagePull::Volume,
        priority_class: may_rank.then_some(class_name.as_str()),
        deadline_seconds: policy.patience.as_secs()
            + shards * (policy.shard_timeout + policy.settle).as_secs()
            + MARGIN_SECONDS,
    };
    let places = places(snapshot, run, what);
    let room = Room::new(&spec, places.clone());
    // A server that does not know image volumes says so.
    let Some((first, _)) = places.first() else { return Ok(room) };
    let mut attempt = room.placeholder(&run.workload.name, *first, run.attempt);
    if let Some(spec) = attempt.get_mut("spec").and_then(|spec| spec.as_object_mut()) {
        // The class is not there yet.
        spec.remove("priorityClassName");
    }
    if target.cluster.try_create(&attempt).await.is_ok() {
        return Ok(room);
    }
    spec.pull = ImagePull::InitContainer;
    Ok(Room::new(&spec, places))
}

/// The shards that need a place, and what its node must be.
fn places(snapshot: &Snapshot, run: &Run, what: RoomFor) -> Vec<(u32, Vec<NodeTerm>)> {
    let mut places = Vec::new();
    let mut served = std::collections::BTreeSet::new();
    for ordinal in run.shards() {
        let Some(shard) = snapshot.shards.iter().find(|shard| shard.ordinal == ordinal) else { continue };
        match what {
            RoomFor::Shards => places.push((ordinal, volume_terms(snapshot, shard))),
            RoomFor::Images => {
                let node = shard.pod.as_ref().and_then(|pod| pod.node.clone());
                if let Some(node) = node.filter(|node| served.insert(node.clone())) {
                    places.push((ordinal, only_node(&node)));
                }
            }
        }
    }
    places
}

/// What a node must be to reach the volumes of a shard: all of them.
fn volume_terms(snapshot: &Snapshot, shard: &crate::domain::snapshot::Shard) -> Vec<NodeTerm> {
    let (Some(pod), Ok(claims), Ok(volumes)) = (&shard.pod, &snapshot.claims, &snapshot.volumes) else {
        return Vec::new();
    };
    let bound = pod.claims.iter().filter_map(|claim| volumes.get(claims.get(claim)?.volume.as_ref()?));
    let mut all: Vec<NodeTerm> = Vec::new();
    for terms in bound.map(|volume| &volume.node_terms).filter(|terms| !terms.is_empty()) {
        all = match all.is_empty() {
            true => terms.clone(),
            false => all
                .iter()
                .flat_map(|one| terms.iter().map(move |other| one.iter().chain(other).cloned().collect()))
                .collect(),
        };
    }
    all
}
