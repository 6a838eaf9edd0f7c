//! The proof that every step of a run can be carried out, before the first one.

use crate::commands::target::Target;
use crate::domain::rolling::proof::{Doubt, Proof, Request, prove};
use crate::domain::rolling::{Change, Room, Run};
use crate::domain::snapshot::Snapshot;
use crate::error::CommandError;
use crate::k8s::pod_template;

/// Proves that every shard of `run` finds a place.
///
/// # Errors
/// With the first step that cannot be carried out, and the arithmetic.
pub async fn prove_run(target: &Target, snapshot: &Snapshot, run: &Run) -> Result<Proof, CommandError> {
    let mut snapshot = snapshot.clone();
    let armed = run.arming.as_ref().and_then(Change::template).and_then(pod_template);
    let template = armed.unwrap_or_else(|| snapshot.workload.template.clone());
    let target_pool = run.goal.node_pool.as_ref();
    let terrain = target.cluster.terrain(&mut snapshot, &template, target_pool).await;
    let request = Request {
        template: &template,
        waves: &run.waves,
        target_pool,
        avoid_nodes: &run.goal.avoid_nodes,
        makes_room_first: run.room.as_ref().is_some_and(Room::is_for_shards),
    };
    let proof = prove(&snapshot, &terrain, &request).map_err(|refusal| {
        CommandError::refused(format!("{refusal}; nothing was changed")).hint(refusal.remedy())
    })?;
    // Room that cannot be made is found out before the first shard goes; without room it is found out too late.
    let lucky = proof.doubts.iter().find(|doubt| matches!(doubt, Doubt::LuckyChoice { .. }));
    match lucky {
        Some(doubt) if !request.makes_room_first => {
            Err(CommandError::refused(format!("{doubt}; nothing was changed"))
                .hint("pin the instance type of the pool, or let room be made first: leave out --no-prewarm"))
        }
        _ => Ok(proof),
    }
}
