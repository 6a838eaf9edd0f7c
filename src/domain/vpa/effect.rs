//! What another request changes in shards per node, nodes and money, by the sizing that `plan` uses.

use crate::domain::catalogue::Size;
use crate::domain::quantity::Resources;
use crate::domain::sizing::{Choice, Demand, Plan, Sizing, size_up};

/// What one size of machine makes of the shards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    pub per_node: u32,
    pub nodes: u32,
    /// US dollars per month of 730 hours, on demand; none when the price is not known.
    pub per_month: Option<f64>,
}

impl From<&Choice> for Outcome {
    fn from(choice: &Choice) -> Self {
        Self { per_node: choice.figure().per_node, nodes: choice.nodes, per_month: choice.price_per_month() }
    }
}

/// One size, with the requests of today and with those that are proposed; none where a shard does not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub size: &'static Size,
    pub now: Option<Outcome>,
    pub then: Option<Outcome>,
    /// The field that takes more nodes than the proposal would, because it keeps shards apart.
    pub held_by: Option<String>,
}

impl Change {
    /// US dollars saved in a month; less than nothing when it costs more.
    #[must_use]
    pub fn saves_per_month(&self) -> Option<f64> {
        Some(self.now?.per_month? - self.then?.per_month?)
    }
}

/// What the proposal changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    pub region: &'static str,
    pub replicas: u32,
    /// On the size that the shards are on now, where it is known.
    pub current: Option<Change>,
    /// The cheapest size for the requests of today, and for those that are proposed.
    pub best_now: Option<(&'static Size, Outcome)>,
    pub best_then: Option<(&'static Size, Outcome)>,
    /// What was not known and is assumed.
    pub assumptions: Vec<String>,
}

/// What `proposed` in place of `now` changes, on the market of `plan`; the requests of the plan do not matter, for a ShardSet
/// file may be ahead of what runs. `current` is the size that shards are on.
#[must_use]
pub fn effect(plan: &Plan, now: Resources, proposed: Resources, current: Option<&str>) -> Effect {
    let sized =
        |requests: Resources| size_up(&Demand { requests, ..plan.demand.clone() }, &plan.market, plan.prefer);
    let (today, then) = (sized(now), sized(proposed));
    let on =
        |sizing: &Sizing, name: &str| sizing.choices.iter().find(|choice| choice.size.name == name).cloned();
    let field = |choice: &Choice| Some(plan.demand.rules[choice.costly_rule?].field.clone());
    let known = current.and_then(crate::domain::catalogue::size);
    let best = |sizing: &Sizing| sizing.choices.first().map(|best| (best.size, Outcome::from(best)));
    Effect {
        region: plan.market.region.name(),
        replicas: plan.demand.replicas,
        current: known.map(|size| {
            let then = on(&then, size.name);
            Change {
                size,
                now: on(&today, size.name).as_ref().map(Outcome::from),
                held_by: then.as_ref().and_then(field),
                then: then.as_ref().map(Outcome::from),
            }
        }),
        best_now: best(&today),
        best_then: best(&then),
        assumptions: plan.assumptions.clone(),
    }
}
