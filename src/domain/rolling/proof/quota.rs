//! Whether the namespace may use what the operation requests.
//!
//! A shard that comes back counts where it counted before, so that moving takes nothing more of a quota unless the new
//! template requests more. Placeholders count beside the shards, all of them at once; they are of a priority class of
//! their own and have a deadline, which keeps some quotas from counting them.

use super::Request;
use super::moves::Move;
use super::refusal::QuotaShort;
use crate::domain::prerequisites::Quota;
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::snapshot::{PodTemplate, Snapshot};

/// The name stands for whatever class placeholders have: no quota names it.
const PLACEHOLDERS: &str = "shardctl-placeholder";

/// What a pod takes of a quota's resource; none when the resource is not about pods.
fn amount(resource: &str, pods: u32, requests: Resources, limits: Resources) -> Option<Quantity> {
    Some(match resource {
        "pods" | "count/pods" => Quantity::whole(i64::from(pods)),
        "cpu" | "requests.cpu" => requests.cpu,
        "memory" | "requests.memory" => requests.memory,
        "limits.cpu" => limits.cpu,
        "limits.memory" => limits.memory,
        _ => return None,
    })
}

fn limits(template: &PodTemplate) -> Resources {
    let sum = |name: &str| {
        template.containers.iter().filter_map(|container| container.limits.get(name)).copied().sum()
    };
    Resources { cpu: sum("cpu"), memory: sum("memory") }
}

/// What a quota leaves of each resource that pods take.
fn resources(quota: &Quota) -> impl Iterator<Item = (&String, Quantity, Quantity)> {
    quota.hard.iter().map(|(resource, hard)| {
        (resource, *hard, *hard - quota.used.get(resource).copied().unwrap_or_default())
    })
}

/// The first quota that does not hold placeholders for all shards beside everything that is there.
pub(super) fn short_for_room(quotas: &[Quota], request: &Request<'_>, shards: u32) -> Option<QuotaShort> {
    let all = request.template.requests * shards;
    let counting = quotas.iter().filter(|quota| quota.counts(Some(PLACEHOLDERS), true));
    counting.flat_map(|quota| resources(quota).map(move |one| (quota, one))).find_map(
        |(quota, (resource, hard, left))| {
            // A placeholder is limited to what it requests.
            let needed = amount(resource, shards, all, all)?;
            (needed > left).then(|| short(quota, resource, hard, left, needed))
        },
    )
}

/// The first step after which shards of the new template request more than a quota holds. The pods of its wave that
/// have gone down count no more by then.
pub(super) fn first_short_step(
    quotas: &[Quota],
    snapshot: &Snapshot,
    request: &Request<'_>,
    moves: &[Move],
) -> Option<(usize, QuotaShort)> {
    let class = request.template.priority_class.as_deref();
    let counting: Vec<&Quota> = quotas.iter().filter(|quota| quota.counts(class, false)).collect();
    let new_limits = limits(request.template);
    let old_limits = limits(&snapshot.workload.template);
    let mut shorts = Vec::new();
    for quota in counting {
        for (resource, hard, mut left) in resources(quota) {
            let Some(new) = amount(resource, 1, request.template.requests, new_limits) else { continue };
            let mut wave = None;
            for (step, one) in moves.iter().enumerate() {
                if wave != Some(one.wave) {
                    wave = Some(one.wave);
                    let gone = moves[step..].iter().take_while(|other| other.wave == one.wave);
                    left = gone.filter_map(|gone| gone.requested).fold(left, |left, old| {
                        left + amount(resource, 1, old, old_limits).unwrap_or_default()
                    });
                }
                if new > left {
                    shorts.push((step, short(quota, resource, hard, left, new)));
                    break;
                }
                left = left - new;
            }
        }
    }
    shorts.into_iter().min_by_key(|(step, _)| *step)
}

fn short(quota: &Quota, resource: &str, hard: Quantity, left: Quantity, needed: Quantity) -> QuotaShort {
    QuotaShort { quota: quota.name.clone(), resource: resource.to_owned(), hard, left, needed }
}
