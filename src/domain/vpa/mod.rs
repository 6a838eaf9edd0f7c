//! What a VerticalPodAutoscaler recommends for a sharded service, whether to believe it, and what to request instead.
//!
//! 1. What was read is laid side by side for each container and resource: request, bounds, target, use (`observed`).
//! 2. Each recommendation is doubted: too little data, stale, unsettled, impossible amounts (`belief`).
//! 3. The worst shard is looked for: in live use, in the history, among the killed (`spread`, `history`).
//! 4. From the target and the worst shard comes the request to give (`proposal`), and what it changes (`effect`).

mod belief;
mod effect;
mod finding;
mod found;
pub mod history;
mod observed;
mod proposal;
#[cfg(test)]
pub mod sample;
mod spread;
#[cfg(test)]
mod tests;

pub use belief::{Coverage, Disbelief, Doubt, ENOUGH_SECONDS, believable, doubts, period};
pub use effect::{Change, Effect, Outcome, effect};
pub use finding::Finding;
pub use history::CHECKPOINT_VERSION;
pub use observed::{
    ANY_CONTAINER, Advice, Amount, Amounts, Autoscaler, Autoscalers, Condition, History, Kill, Observed,
    Policy, Resource, ShardUse,
};
pub use proposal::{Basis, Proposed, Terms, right_sized};
pub use spread::Spread;

use super::finding::Severity;
use super::quantity::Quantity;

/// What the policy of the autoscaler cut off a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// `minAllowed` or `maxAllowed`; none when the policy names neither, and the recommender itself has a limit.
    pub by: Option<&'static str>,
    pub from: Quantity,
    pub to: Quantity,
}

/// One resource of a container.
#[derive(Clone, Debug, PartialEq)]
pub struct OfResource {
    pub resource: Resource,
    pub request: Option<Quantity>,
    pub limit: Option<Quantity>,
    pub lower: Option<Amount>,
    pub target: Option<Amount>,
    pub uncapped: Option<Amount>,
    pub upper: Option<Amount>,
    pub cut: Option<Cut>,
    /// What shards use now.
    pub spread: Option<Spread>,
    /// The most that any shard has used, as far as a checkpoint tells.
    pub peak: Option<Quantity>,
    pub proposed: Option<Proposed>,
}

/// One container.
#[derive(Clone, Debug, PartialEq)]
pub struct OfContainer {
    pub name: String,
    /// How much data the recommendation rests on; none when there is none, or nobody knows.
    pub coverage: Option<Coverage>,
    /// Why not to believe the recommendation; empty, too, when there is none.
    pub doubts: Vec<Doubt>,
    pub is_advised: bool,
    /// Ordinals of shards that were killed for want of memory.
    pub killed: Vec<(u32, Kill)>,
    /// CPU first.
    pub resources: [OfResource; 2],
}

impl OfContainer {
    /// One of the two resources.
    #[must_use]
    pub fn of(&self, resource: Resource) -> &OfResource {
        match resource {
            Resource::Cpu => &self.resources[0],
            Resource::Memory => &self.resources[1],
        }
    }
}

/// Everything that is known and concluded of a workload's size.
#[derive(Clone, Debug)]
pub struct Judged {
    pub observed: Observed,
    pub terms: Terms,
    /// The autoscaler that is reported; of several, the first that recommends something.
    pub autoscaler: Option<Autoscaler>,
    pub containers: Vec<OfContainer>,
    pub findings: Vec<Finding>,
}

impl Judged {
    /// Whether there is a recommendation, and nothing speaks against any of it.
    #[must_use]
    pub fn is_believed(&self) -> bool {
        self.is_advised() && self.containers.iter().all(|container| container.doubts.is_empty())
    }

    /// Whether there is a recommendation for any container.
    #[must_use]
    pub fn is_advised(&self) -> bool {
        self.containers.iter().any(|container| container.is_advised)
    }

    /// Whether something is found that an operator must see to.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity() == Severity::Error)
    }
}

/// Judges what was read.
#[must_use]
pub fn judge(observed: Observed, terms: Terms) -> Judged {
    let found: &[Autoscaler] = match &observed.autoscalers {
        Autoscalers::Found(found) => found,
        Autoscalers::NoApi | Autoscalers::Unknown(_) => &[],
    };
    let autoscaler = found.iter().find(|one| !one.advice.is_empty()).or(found.first()).cloned();
    let containers: Vec<OfContainer> = observed
        .containers
        .iter()
        .map(|container| of_container(&observed, autoscaler.as_ref(), &container.name, terms))
        .collect();
    let findings = found::findings(&observed, autoscaler.as_ref(), &containers);
    Judged { observed, terms, autoscaler, containers, findings }
}

fn of_container(
    observed: &Observed,
    autoscaler: Option<&Autoscaler>,
    name: &str,
    terms: Terms,
) -> OfContainer {
    let advice = autoscaler.and_then(|one| one.advice.get(name));
    let (coverage, doubts) = match (autoscaler, advice) {
        (Some(autoscaler), Some(advice)) => doubts(autoscaler, name, advice, observed.taken_at),
        _ => (None, Vec::new()),
    };
    let killed: Vec<(u32, Kill)> = observed
        .shards
        .iter()
        .filter_map(|shard| Some((shard.ordinal, shard.killed.get(name)?.clone())))
        .collect();
    let resources =
        Resource::BOTH.map(|resource| of_resource(observed, autoscaler, name, resource, &killed, terms));
    OfContainer { name: name.to_owned(), coverage, doubts, is_advised: advice.is_some(), killed, resources }
}

fn of_resource(
    observed: &Observed,
    autoscaler: Option<&Autoscaler>,
    container: &str,
    resource: Resource,
    killed: &[(u32, Kill)],
    terms: Terms,
) -> OfResource {
    let template = observed.containers.iter().find(|one| one.name == container);
    let advice = autoscaler.and_then(|one| one.advice.get(container));
    let amount = |of: fn(&Advice) -> &Amounts| advice.and_then(|advice| of(advice).get(&resource)).cloned();
    let (target, uncapped) = (amount(|advice| &advice.target), amount(|advice| &advice.uncapped));
    let believed = |amount: &Option<Amount>| believable(resource, amount.as_ref()?).ok();
    // What shards need, whatever the policy allows.
    let wanted = believed(&uncapped).or_else(|| believed(&target));
    let spread = Spread::of(&observed.shards, container, resource);
    let history = autoscaler.and_then(|one| one.history.as_ref().ok()?.get(container));
    let peak = history.and_then(|history| history.peak.get(&resource).copied());
    let worst = spread.as_ref().map(Spread::worst);
    OfResource {
        resource,
        request: template.and_then(|one| one.requests.get(resource.as_str()).copied()),
        limit: template.and_then(|one| one.limits.get(resource.as_str()).copied()),
        cut: cut(autoscaler, container, resource, believed(&uncapped), believed(&target)),
        proposed: proposal::propose(resource, wanted, worst, peak, killed, terms),
        lower: amount(|advice| &advice.lower),
        upper: amount(|advice| &advice.upper),
        target,
        uncapped,
        spread,
        peak,
    }
}

fn cut(
    autoscaler: Option<&Autoscaler>,
    container: &str,
    resource: Resource,
    uncapped: Option<Quantity>,
    target: Option<Quantity>,
) -> Option<Cut> {
    let (from, to) = (uncapped?, target?);
    if from == to {
        return None;
    }
    let policy = autoscaler?.policy(container);
    let (name, bound) = match to > from {
        true => ("minAllowed", policy.map(|policy| &policy.min_allowed)),
        false => ("maxAllowed", policy.map(|policy| &policy.max_allowed)),
    };
    let is_named = bound.is_some_and(|bound| bound.contains_key(&resource));
    Some(Cut { by: is_named.then_some(name), from, to })
}
