//! Claims, volumes and storage classes.

use std::collections::BTreeSet;

use super::super::names::PodName;
use super::super::snapshot::{Claim, ClaimTemplate, Volume};
use super::facts::{known, violation};
use super::{Check, Facts, NotRun, Outcome, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error("claim-exists", "every shard has its claims", claim_exists),
    Check::error("claim-bound", "every claim is bound to a volume", claim_bound),
    Check::error("claim-deleting", "no claim was asked to go", claim_deleting),
    Check::warning("claim-size", "every volume is as large as the template says", claim_size),
    Check::warning(
        "claim-storage-class",
        "every claim is of the class that the template names",
        claim_storage_class,
    ),
    Check::error("volume-reachable", "every shard's node can reach its volume", volume_reachable),
    Check::error("volume-zone", "the node pool can make a node where each volume is", volume_zone),
    Check::warning("volume-reclaim-policy", "a volume outlives its claim", volume_reclaim_policy),
    Check::warning("storage-class-exists", "the storage class of the claims is there", storage_class_exists),
    Check::warning(
        "storage-class-binding",
        "a new volume is made where its shard is placed",
        storage_class_binding,
    ),
    Check::info(
        "storage-class-reclaim-policy",
        "new volumes will outlive their claims",
        storage_class_reclaim_policy,
    ),
];

/// A claim that there should be, and the live one if it is there.
struct Wanted<'a> {
    pod: &'a PodName,
    name: String,
    template: &'a ClaimTemplate,
    claim: Option<&'a Claim>,
}

impl Wanted<'_> {
    fn object(&self) -> String {
        format!("pvc/{}", self.name)
    }
}

/// The claims that there should be: one per shard and template, by Kubernetes' naming rule.
fn wanted<'a>(facts: &Facts<'a>) -> Result<Vec<Wanted<'a>>, NotRun> {
    let claims = known(&facts.snapshot.claims)?;
    let templates = &facts.snapshot.workload.claim_templates;
    if templates.is_empty() {
        return not_applicable("the workload has no claim templates");
    }
    let mut wanted = Vec::new();
    for shard in facts.snapshot.expected_shards() {
        for template in templates {
            let name = format!("{}-{}", template.name, shard.pod_name);
            let claim = claims.values().find(|claim| claim.name.as_str() == name);
            wanted.push(Wanted { pod: &shard.pod_name, name, template, claim });
        }
    }
    Ok(wanted)
}

fn claim_exists(facts: &Facts<'_>) -> Outcome {
    Ok(wanted(facts)?
        .into_iter()
        .filter(|wanted| wanted.claim.is_none())
        .map(|wanted| {
            violation(
                wanted.object(),
                "there is no such claim: its shard would start without its data",
                "Find the volume that held the data (`kubectl get pv`), and bind a claim of this name to it before \
                 the pod restarts",
            )
        })
        .collect())
}

fn claim_bound(facts: &Facts<'_>) -> Outcome {
    Ok(wanted(facts)?
        .into_iter()
        .filter_map(|wanted| {
            let phase = &wanted.claim?.phase;
            (phase != "Bound").then(|| {
                violation(
                    wanted.object(),
                    format!("its phase is {phase}"),
                    "Read its events: `kubectl describe pvc`; Lost means that its volume is gone",
                )
            })
        })
        .collect())
}

fn claim_deleting(facts: &Facts<'_>) -> Outcome {
    Ok(wanted(facts)?
        .into_iter()
        .filter_map(|wanted| {
            let deleted_at = wanted.claim?.deleted_at?;
            Some(violation(
                wanted.object(),
                format!(
                    "asked to go {} ago; it goes as soon as {} ends",
                    facts.age(deleted_at),
                    wanted.pod
                ),
                "Do not restart the shard: set the volume's reclaim policy to Retain, back the data up, then plan \
                 the restart; a deletion cannot be taken back",
            ))
        })
        .collect())
}

fn claim_size(facts: &Facts<'_>) -> Outcome {
    Ok(wanted(facts)?
        .into_iter()
        .filter_map(|wanted| {
            let claim = wanted.claim?;
            let has = claim.capacity.unwrap_or(claim.requested);
            (has < wanted.template.size).then(|| {
                violation(
                    wanted.object(),
                    format!("it has {has}, the template says {}", wanted.template.size),
                    "Set spec.resources.requests.storage of the claim; the storage class must allow expansion",
                )
            })
        })
        .collect())
}

fn claim_storage_class(facts: &Facts<'_>) -> Outcome {
    Ok(wanted(facts)?
        .into_iter()
        .filter_map(|wanted| {
            let class = wanted.template.storage_class.as_ref()?;
            let claim = wanted.claim?;
            (claim.storage_class.as_ref() != Some(class)).then(|| {
                violation(
                    wanted.object(),
                    format!(
                        "its storage class is {}, the template says {class}",
                        claim.storage_class.as_deref().unwrap_or("not set")
                    ),
                    "Copy the data to a claim of the right class; the class of a claim cannot be changed",
                )
            })
        })
        .collect())
}

/// The volumes of the shards that there should be, with their pods.
fn volumes<'a>(facts: &Facts<'a>) -> Result<Vec<(&'a PodName, &'a Volume)>, NotRun> {
    let volumes = known(&facts.snapshot.volumes)?;
    Ok(wanted(facts)?
        .into_iter()
        .filter_map(|wanted| {
            let name = wanted.claim?.volume.as_ref()?;
            Some((wanted.pod, volumes.get(name)?))
        })
        .collect())
}

/// "zone In [eastus-1]", for each alternative.
fn place(volume: &Volume) -> String {
    volume
        .node_terms
        .iter()
        .map(|term| {
            term.iter()
                .map(|expression| format!("{} {:?}", expression.key, expression.values))
                .collect::<Vec<_>>()
                .join(" and ")
        })
        .collect::<Vec<_>>()
        .join(" or ")
}

fn volume_reachable(facts: &Facts<'_>) -> Outcome {
    let nodes = known(&facts.snapshot.nodes)?;
    let volumes = volumes(facts)?;
    let mut violations = Vec::new();
    for (shard, pod) in facts.pods() {
        let Some(node) = pod.node.as_ref().and_then(|name| nodes.get(name)) else {
            continue;
        };
        for (_, volume) in volumes.iter().filter(|(name, _)| **name == shard.pod_name) {
            let is_reachable = volume.node_terms.is_empty()
                || volume.node_terms.iter().any(|term| {
                    term.iter().all(|expression| expression.matches(node.label(&expression.key)))
                });
            if !is_reachable {
                violations.push(violation(
                    format!("pv/{}", volume.name),
                    format!(
                        "it is at {}, and {} is on node {} in zone {}",
                        place(volume),
                        shard.pod_name,
                        node.name,
                        node.zone().unwrap_or("unknown")
                    ),
                    "Move the shard to a node in the volume's zone: `shardctl drain NODE`",
                ));
            }
        }
    }
    Ok(violations)
}

/// Azure's disk driver has a zone label of its own; node pools know the common one.
fn common_key(key: &str) -> &str {
    match key {
        "topology.disk.csi.azure.com/zone" | "topology.ebs.csi.aws.com/zone" => "topology.kubernetes.io/zone",
        key => key,
    }
}

fn volume_zone(facts: &Facts<'_>) -> Outcome {
    let pools = facts.intended_pools()?;
    let mut violations = Vec::new();
    for (pod, volume) in volumes(facts)? {
        let can_reach = volume.node_terms.is_empty()
            || volume.node_terms.iter().any(|term| {
                pools.iter().any(|pool| {
                    term.iter().all(|expression| {
                        let mut expression = expression.clone();
                        expression.key = common_key(&expression.key).to_owned();
                        pool.can_satisfy(&expression)
                    })
                })
            });
        if !can_reach {
            let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
            violations.push(violation(
                format!("pv/{}", volume.name),
                format!(
                    "it is at {}, where nodepool/{} makes no nodes: once {pod} ends it stays Pending",
                    place(volume),
                    names.join(", nodepool/")
                ),
                "Allow the zone in the pool's requirement on topology.kubernetes.io/zone",
            ));
        }
    }
    Ok(violations)
}

const KEEPS_DATA: &str = "Retain";

fn volume_reclaim_policy(facts: &Facts<'_>) -> Outcome {
    Ok(volumes(facts)?
        .into_iter()
        .filter(|(_, volume)| volume.reclaim_policy != KEEPS_DATA)
        .map(|(pod, volume)| {
            violation(
                format!("pv/{}", volume.name),
                format!(
                    "its reclaim policy is {}: with its claim goes the data of {pod}",
                    volume.reclaim_policy
                ),
                "Keep it: `kubectl patch pv NAME -p '{\"spec\":{\"persistentVolumeReclaimPolicy\":\"Retain\"}}'`",
            )
        })
        .collect())
}

/// The classes that the claims name.
fn classes<'a>(facts: &Facts<'a>) -> Result<BTreeSet<&'a String>, NotRun> {
    Ok(wanted(facts)?
        .into_iter()
        .filter_map(|wanted| wanted.claim?.storage_class.as_ref())
        // A claim that names the empty class asks for no class at all.
        .filter(|class| !class.is_empty())
        .collect())
}

fn storage_class_exists(facts: &Facts<'_>) -> Outcome {
    let live = known(&facts.snapshot.storage_classes)?;
    Ok(classes(facts)?
        .into_iter()
        .filter(|class| !live.contains_key(*class))
        .map(|class| {
            violation(
                format!("storageclass/{class}"),
                "claims name it and it is not there: no claim can be made or grown",
                "Make the class anew: `kubectl get storageclass` shows what there is",
            )
        })
        .collect())
}

fn storage_class_binding(facts: &Facts<'_>) -> Outcome {
    let live = known(&facts.snapshot.storage_classes)?;
    Ok(classes(facts)?
        .into_iter()
        .filter_map(|class| live.get(class))
        .filter(|class| !class.waits_for_first_consumer)
        .map(|class| {
            violation(
                format!("storageclass/{}", class.name),
                "its volumeBindingMode is Immediate: a volume may be made in a zone where its shard cannot go, and \
                 Karpenter makes no node for a pod whose claim waits",
                "Use a class with volumeBindingMode WaitForFirstConsumer for new claims",
            )
        })
        .collect())
}

fn storage_class_reclaim_policy(facts: &Facts<'_>) -> Outcome {
    let live = known(&facts.snapshot.storage_classes)?;
    Ok(classes(facts)?
        .into_iter()
        .filter_map(|class| live.get(class))
        .filter(|class| class.reclaim_policy != KEEPS_DATA)
        .map(|class| {
            violation(
                format!("storageclass/{}", class.name),
                format!("its reclaim policy is {}, which new volumes inherit", class.reclaim_policy),
                "Use a class with reclaimPolicy Retain for new claims",
            )
        })
        .collect())
}
