//! The Karpenter node pools that the shards belong on.

use super::super::snapshot::{NodeExpression, NodePool, NodePoolBudget};
use super::facts::{few, known, violation};
use super::{Check, Facts, Outcome, not_applicable};

pub(super) const CHECKS: &[Check] = &[
    Check::error("node-pool-exists", "there is a node pool, or a node, for new pods", node_pool_exists),
    Check::error("node-pool-ready", "the node pool is Ready", node_pool_ready),
    Check::warning(
        "node-pool-registration",
        "nodes that the pool makes join the cluster",
        node_pool_registration,
    ),
    Check::error("node-pool-deleting", "no node pool under a shard was asked to go", node_pool_deleting),
    Check::error("node-class-ready", "the pool's node class is there and Ready", node_class_ready),
    Check::error("node-pool-expiry", "no node under a shard has a last day", node_pool_expiry),
    Check::warning("node-pool-ambiguous", "new pods fit one node pool only", node_pool_ambiguous),
    Check::warning("node-pool-spot", "the pool makes no spot machines", node_pool_spot),
    Check::warning("node-pool-pinned", "the stable pool makes one instance type", node_pool_pinned),
    Check::warning("node-pool-tainted", "the stable pool keeps other pods away", node_pool_tainted),
    Check::warning(
        "node-pool-consolidation",
        "the pool does not move shards to save money",
        node_pool_consolidation,
    ),
    Check::warning("node-pool-budget", "the pool does not replace nodes by itself", node_pool_budget),
];

fn object(pool: &NodePool) -> String {
    format!("nodepool/{}", pool.name)
}

fn node_pool_exists(facts: &Facts<'_>) -> Outcome {
    let pools = known(&facts.snapshot.node_pools)?;
    if let (Some(shardset), Some(phase)) = (facts.shardset, facts.phase()?) {
        let name = shardset.pool(phase).name.as_str();
        if pools.iter().any(|pool| pool.name.as_str() == name) {
            return Ok(Vec::new());
        }
        return Ok(vec![violation(
            format!("nodepool/{name}"),
            format!("phase {phase} needs it, and it is not there"),
            format!("Make it: `shardctl deploy -f FILE --phase {phase}`"),
        )]);
    }
    facts.pools()?;
    if !facts.snapshot.target_pools()?.is_empty() {
        return Ok(Vec::new());
    }
    let nodes = known(&facts.snapshot.nodes)?;
    if nodes.values().any(|node| facts.misfit(node).is_none()) {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
    Ok(vec![violation(
        facts.workload(),
        format!(
            "its affinity and tolerations fit none of the node pools {} and no node of its shards: a shard that ends \
             stays Pending",
            few(&names)
        ),
        "Compare spec.template.spec.affinity and tolerations with the pools' requirements and taints",
    )])
}

fn node_pool_ready(facts: &Facts<'_>) -> Outcome {
    let mut violations = Vec::new();
    for pool in facts.intended_pools()? {
        let mut failed: Vec<String> = ["ValidationSucceeded", "NodeClassReady", "Ready"]
            .iter()
            .filter_map(|condition| match pool.conditions.get(*condition) {
                Some((false, message)) if message.is_empty() => Some(format!("{condition} is false")),
                Some((false, message)) => Some(format!("{condition} is false: {message}")),
                _ => None,
            })
            .collect();
        if !pool.conditions.contains_key("Ready") {
            failed.push("Karpenter has not said whether it is Ready".to_owned());
        }
        if !failed.is_empty() {
            violations.push(violation(
                object(pool),
                failed.join("; "),
                "Mend what the condition names: `kubectl describe nodepool`; until then the pool makes no node",
            ));
        }
    }
    Ok(violations)
}

fn node_pool_registration(facts: &Facts<'_>) -> Outcome {
    Ok(facts
        .intended_pools()?
        .into_iter()
        .filter_map(|pool| match pool.conditions.get("NodeRegistrationHealthy") {
            Some((false, message)) => Some(violation(
                object(pool),
                format!("NodeRegistrationHealthy is false: {message}"),
                "Find out why nodes do not join: `kubectl get nodeclaims`, `kubectl describe nodeclaim`",
            )),
            _ => None,
        })
        .collect())
}

fn node_pool_deleting(facts: &Facts<'_>) -> Outcome {
    let pools = facts.pools()?;
    let nodes = known(&facts.snapshot.nodes)?;
    let intended = facts.intended_pools().unwrap_or_default();
    let carries = |pool: &NodePool| {
        facts
            .shard_nodes()
            .into_keys()
            .any(|name| nodes.get(name).and_then(|node| node.node_pool()).as_ref() == Some(&pool.name))
    };
    Ok(pools
        .iter()
        .filter(|pool| intended.iter().any(|intended| intended.name == pool.name) || carries(pool))
        .filter_map(|pool| {
            let deleted_at = pool.deleted_at?;
            Some(violation(
                object(pool),
                format!(
                    "asked to go {} ago: all its nodes are drained at once, and its budgets do not count",
                    facts.age(deleted_at)
                ),
                "Make another pool and move the shards in your own order: `shardctl migrate --to stable`",
            ))
        })
        .collect())
}

fn node_class_ready(facts: &Facts<'_>) -> Outcome {
    let classes = known(&facts.snapshot.node_classes)?;
    let mut violations = Vec::new();
    for pool in facts.intended_pools()? {
        let reference = &pool.node_class;
        let evidence = match classes.get(&pool.name) {
            // Not asked for: the API group is unknown to us.
            None => continue,
            Some(class) if !class.exists => format!("nodepool/{} names it, and it is not there", pool.name),
            Some(class) => match &class.ready {
                Some((false, message)) => format!("it is not Ready: {message}"),
                _ => continue,
            },
        };
        violations.push(violation(
            format!("{}/{}", reference.kind.to_lowercase(), reference.name),
            evidence,
            "Mend spec.template.spec.nodeClassRef of the pool, or the class itself: `kubectl describe` it",
        ));
    }
    Ok(violations)
}

const NEVER: &str = "Never";

fn node_pool_expiry(facts: &Facts<'_>) -> Outcome {
    let pools = facts.intended_pools()?;
    if facts.spare() > 0 {
        return not_applicable(format!(
            "{} shards may be down, and the PodDisruptionBudget paces replacement",
            facts.spare()
        ));
    }
    Ok(pools
        .into_iter()
        .filter(|pool| pool.expire_after != NEVER)
        .map(|pool| {
            violation(
                object(pool),
                format!(
                    "expireAfter is {}: at that age a node is drained at an hour that nobody chose, whatever budgets \
                     and do-not-disrupt say",
                    pool.expire_after
                ),
                "Set spec.template.spec.expireAfter to Never; it drifts the nodes there are, so block drift first \
                 (node-pool-budget)",
            )
        })
        .collect())
}

fn node_pool_ambiguous(facts: &Facts<'_>) -> Outcome {
    facts.pools()?;
    let pools = facts.snapshot.target_pools()?;
    if pools.len() < 2 {
        return Ok(Vec::new());
    }
    let described: Vec<String> = pools
        .iter()
        .map(|pool| match (pool.pinned_instance_type(), pool.taints.is_empty()) {
            (Some(only), _) => format!("{} (only {only})", pool.name),
            (None, true) => format!("{} (no taint)", pool.name),
            (None, false) => pool.name.to_string(),
        })
        .collect();
    Ok(vec![violation(
        facts.workload(),
        format!(
            "new pods fit {} node pools: {}; weight and price decide which",
            pools.len(),
            few(&described)
        ),
        "Require the pool in spec.template.spec.affinity: karpenter.sh/nodepool In [NAME]",
    )])
}

fn node_pool_spot(facts: &Facts<'_>) -> Outcome {
    let spot = NodeExpression {
        key: "karpenter.sh/capacity-type".to_owned(),
        operator: "In".to_owned(),
        values: vec!["spot".to_owned()],
    };
    let terms = &facts.snapshot.workload.template.node_terms;
    let is_refused_by_template = !terms.is_empty()
        && terms.iter().all(|term| {
            term.iter().any(|expression| expression.key == spot.key && !expression.matches(Some("spot")))
        });
    // A pool that says nothing of the capacity type may make either.
    Ok(facts
        .intended_pools()?
        .into_iter()
        .filter(|pool| !is_refused_by_template && pool.can_satisfy(&spot))
        .map(|pool| {
            violation(
                object(pool),
                "its requirements allow karpenter.sh/capacity-type spot: the next node may go at 30 seconds' notice",
                "Add the requirement karpenter.sh/capacity-type In [on-demand]",
            )
        })
        .collect())
}

fn node_pool_pinned(facts: &Facts<'_>) -> Outcome {
    Ok(facts
        .stable_pools()?
        .into_iter()
        .filter(|pool| pool.pinned_instance_type().is_none())
        .map(|pool| {
            let keys: Vec<&str> =
                pool.requirements.iter().map(|requirement| requirement.key.as_str()).collect();
            let has = if keys.is_empty() {
                "it has no requirements".to_owned()
            } else {
                format!("it requires {}", few(&keys))
            };
            violation(
                object(pool),
                format!(
                    "{has}, and no single instance type: nodes may differ, and reservations may not apply"
                ),
                "Require node.kubernetes.io/instance-type In [ONE]; `shardctl plan` ranks them",
            )
        })
        .collect())
}

fn node_pool_tainted(facts: &Facts<'_>) -> Outcome {
    Ok(facts
        .stable_pools()?
        .into_iter()
        .filter(|pool| {
            pool.taints
                .iter()
                .all(|taint| taint.effect == "PreferNoSchedule")
        })
        .map(|pool| {
            violation(
                object(pool),
                "it has no taint: any pod may take the room that a shard needs",
                "Add a taint to spec.template.spec.taints that only the shards tolerate; it drifts the nodes there \
                 are, so block drift first (node-pool-budget)",
            )
        })
        .collect())
}

/// Whether Karpenter may take a node that still carries pods, to save money.
fn consolidates_underutilized(pool: &NodePool) -> bool {
    pool.consolidation_policy != "WhenEmpty" && pool.consolidate_after != NEVER
}

fn node_pool_consolidation(facts: &Facts<'_>) -> Outcome {
    Ok(facts
        .quiet_pools()?
        .into_iter()
        .filter(|pool| consolidates_underutilized(pool))
        .map(|pool| {
            violation(
                object(pool),
                format!(
                    "consolidationPolicy is {} after {}: only PodDisruptionBudget and do-not-disrupt keep the shards \
                     where they are",
                    pool.consolidation_policy, pool.consolidate_after
                ),
                "Set spec.disruption.consolidationPolicy to WhenEmpty, or consolidateAfter to Never",
            )
        })
        .collect())
}

/// Whether a budget keeps every node from being disrupted for `reason`, at all times.
fn is_blocking(budget: &NodePoolBudget, reason: &str) -> bool {
    budget.schedule.is_none()
        && matches!(budget.nodes.as_str(), "0" | "0%")
        && (budget.reasons.is_empty() || budget.reasons.iter().any(|one| one == reason))
}

fn node_pool_budget(facts: &Facts<'_>) -> Outcome {
    let mut violations = Vec::new();
    for pool in facts.quiet_pools()? {
        let mut open = Vec::new();
        for reason in ["Drifted", "Underutilized"] {
            let can_happen = reason == "Drifted" || consolidates_underutilized(pool);
            if can_happen && !pool.budgets.iter().any(|budget| is_blocking(budget, reason)) {
                open.push(reason);
            }
        }
        if open.is_empty() {
            continue;
        }
        let budgets: Vec<String> = pool
            .budgets
            .iter()
            .map(|budget| {
                let reasons = match budget.reasons.is_empty() {
                    true => String::new(),
                    false => format!(" for {}", budget.reasons.join(", ")),
                };
                let schedule = budget
                    .schedule
                    .as_ref()
                    .map(|schedule| format!(" on schedule `{schedule}`"))
                    .unwrap_or_default();
                format!("nodes {}{reasons}{schedule}", budget.nodes)
            })
            .collect();
        let has = if budgets.is_empty() {
            "it has no budget, which means 10%".to_owned()
        } else {
            format!("its budgets are: {}", budgets.join("; "))
        };
        violations.push(violation(
            object(pool),
            format!("{has}; nothing blocks {} at all times", open.join(" and ")),
            "Add the budget `nodes: \"0\"` without schedule or reasons to spec.disruption.budgets; drift has no other \
             off switch",
        ));
    }
    Ok(violations)
}
