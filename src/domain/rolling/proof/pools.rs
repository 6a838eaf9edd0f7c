//! Node pools: what their limits leave, why one makes no node, and which limit would be enough.

use std::collections::BTreeSet;

use super::Request;
use super::machines::Foundry;
use super::moves::is_zone;
use super::placement::Problem;
use super::refusal::{NoNode, ShortLimit};
use super::search::{Batch, Stuck, as_karpenter, by_preference};
use crate::domain::quantity::Quantity;
use crate::domain::snapshot::{NodeExpression, NodePool, PodTemplate, Snapshot};

/// The resources that limits of a pool are judged on.
pub(super) const LIMITED: [&str; 3] = ["cpu", "memory", "nodes"];

/// One amount for each of [`LIMITED`].
pub(super) type Amounts = [Quantity; 3];

/// A node pool: what its limits leave, and why it makes no node if it makes none.
#[derive(Debug)]
pub(super) struct Book<'a> {
    pub pool: &'a NodePool,
    pub limits: [Option<Quantity>; 3],
    /// What its nodes take of the limits now.
    pub used: Amounts,
    /// Why it makes no node for these shards, whatever its limits are.
    pub cannot: Option<NoNode>,
    /// Whether the zones are those that it says it makes nodes in.
    pub says_zones: bool,
}

impl Book<'_> {
    /// What the limits leave.
    pub fn left(&self) -> [Option<Quantity>; 3] {
        let mut left = self.limits;
        for (left, used) in left.iter_mut().zip(self.used) {
            *left = left.map(|limit| limit - used);
        }
        left
    }
}

/// The book of a pool, without a reason why it makes no node.
pub(super) fn book<'a>(snapshot: &Snapshot, pool: &'a NodePool) -> Book<'a> {
    let nodes = snapshot.nodes.iter().flat_map(|nodes| nodes.values());
    let own = nodes.filter(|node| node.deleted_at.is_none() && node.node_pool().as_ref() == Some(&pool.name));
    let mut seen = [Quantity::ZERO; 3];
    for node in own {
        seen[0] += node.capacity.cpu;
        seen[1] += node.capacity.memory;
        seen[2] += Quantity::whole(1);
    }
    let mut used = seen;
    for (used, resource) in used.iter_mut().zip(LIMITED) {
        // Karpenter adds up its nodes itself and writes the sum down seconds later: the larger is the safer.
        *used = pool.usage.get(resource).copied().unwrap_or_default().max(*used);
    }
    Book {
        pool,
        limits: LIMITED.map(|resource| pool.limits.get(resource).copied()),
        used,
        cannot: None,
        says_zones: pool.requirements.iter().any(|one| is_zone(&one.key) && one.operator == "In"),
    }
}

/// Why a pool makes no node for the template, whatever machines it has.
pub(super) fn not_at_all(snapshot: &Snapshot, request: &Request<'_>, pool: &NodePool) -> Option<NoNode> {
    let failed = |condition: &str| match pool.conditions.get(condition) {
        Some((false, message)) => Some(message.clone()),
        _ => None,
    };
    if pool.deleted_at.is_some() {
        return Some(NoNode::Deleting);
    }
    if let Some(class) = snapshot.node_classes.as_ref().ok().and_then(|classes| classes.get(&pool.name)) {
        let name = format!("{}/{}", class.reference.kind.to_lowercase(), class.reference.name);
        match &class.ready {
            _ if !class.exists => return Some(NoNode::ClassMissing { class: name }),
            Some((false, message)) => {
                return Some(NoNode::ClassNotReady { class: name, message: message.clone() });
            }
            _ => {}
        }
    }
    for condition in ["ValidationSucceeded", "NodeClassReady", "Ready"] {
        if let Some(message) = failed(condition) {
            return Some(NoNode::NotReady { condition: condition.to_owned(), message });
        }
    }
    if pool.replicas.is_some() {
        return Some(NoNode::Static);
    }
    let template = request.template;
    let hard = pool.taints.iter().filter(|taint| taint.effect != "PreferNoSchedule");
    if let Some(taint) = hard.into_iter().find(|taint| !template.tolerates(taint)) {
        return Some(NoNode::Taint(taint.clone()));
    }
    (!template.can_be_placed_on(pool)).then(|| contradiction(template, |one| pool.can_satisfy(one)))
}

/// The first thing that the template asks of a node and cannot have.
pub(super) fn contradiction(template: &PodTemplate, can_be: impl Fn(&NodeExpression) -> bool) -> NoNode {
    let unmet = template.node_terms.iter().flatten().find(|one| !can_be(one));
    NoNode::Contradiction { expression: unmet.cloned() }
}

impl Foundry<'_> {
    /// The limit that keeps a pool from making one more machine for a step, and what would be enough.
    pub fn at_limit(&self, index: usize, stuck: &Stuck<'_>, batch: Batch) -> Option<NoNode> {
        let book = &self.books[index];
        let left = &stuck.placement.left[index];
        let problem = stuck.placement.problem;
        let class = problem.moves[stuck.step].class;
        let own = self.kinds.iter().filter(|kind| kind.pool == index);
        let fitting = own.clone().filter(|kind| kind.fits[class]);
        let Some(kind) = fitting.min_by(|a, b| by_preference(a, b)) else {
            let is_made = own.clone().next().is_some();
            let zones: BTreeSet<String> = own.filter_map(|kind| kind.zone.clone()).collect();
            let volumes = problem.classes[class].zones().into_iter().map(str::to_owned).collect();
            return is_made.then(|| NoNode::Zone { volumes, zones: zones.into_iter().collect() });
        };
        let short =
            (0..LIMITED.len()).filter(|limit| left[*limit].is_some_and(|left| kind.takes[*limit] > left));
        // The resource that is furthest from enough says most.
        let share =
            |limit: &usize| left[*limit].map_or(0.0, |left| left.as_f64() / kind.takes[*limit].as_f64());
        let worst = short.min_by(|a, b| share(a).total_cmp(&share(b)))?;
        Some(NoNode::Limit(Box::new(ShortLimit {
            resource: LIMITED[worst],
            limit: book.limits[worst]?,
            left: left[worst]?,
            instance_type: kind.instance_type.clone(),
            takes: kind.takes[worst],
            enough: self.enough(index, problem, batch),
        })))
    }

    /// Limits of a pool that would do for every step: what it would make if it had none.
    fn enough(&self, index: usize, problem: &Problem<'_>, batch: Batch) -> Vec<(&'static str, Quantity)> {
        let mut without = problem.clone();
        without.left[index] = [None; 3];
        let opened = match as_karpenter(&without, batch) {
            Ok(placement) => placement.opened,
            Err((stuck, _)) => stuck.placement.opened,
        };
        let mut all = self.books[index].used;
        for kind in opened.iter().map(|kind| &self.kinds[*kind]).filter(|kind| kind.pool == index) {
            for (all, counts) in all.iter_mut().zip(kind.counts) {
                *all += counts;
            }
        }
        let limits = LIMITED.into_iter().zip(self.books[index].limits).zip(all);
        limits
            .filter(|((_, limit), all)| limit.is_some_and(|limit| *all > limit))
            .map(|((resource, _), all)| (resource, rounded_up(resource, all)))
            .collect()
    }
}

/// An amount that a person would write into a limit: whole gibibytes, whole cores.
fn rounded_up(resource: &str, amount: Quantity) -> Quantity {
    const GIB: i64 = 1 << 30;
    match resource {
        "memory" => Quantity::bytes((amount.as_units() + GIB - 1) / GIB * GIB),
        _ => Quantity::whole(amount.as_units()),
    }
}
