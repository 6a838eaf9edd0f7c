//! From what the operator wants to a run that can be shown, approved and carried out; or why not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::change::Change;
use super::ledger::Ledger;
use super::observed::Observed;
use super::placeholder::Room;
use super::plan::{Forecast, Order, Source, waves};
use super::policy::Policy;
use super::run::{Actor, Goal, Operation, Run, RunId, Stage, State};
use crate::domain::names::pods_in_short;
use crate::domain::snapshot::{Pod, Snapshot};

/// What the operator wants, with everything that was found out about it.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub operation: Operation,
    pub snapshot: &'a Snapshot,
    pub by: Actor,
    pub policy: Policy,
    pub order: Order,
    pub goal: Goal,
    /// The change of the template, if it is another.
    pub arming: Option<Change>,
    pub holds: Vec<Change>,
    pub forecast: Forecast,
    /// Whether other pods must leave the nodes that are avoided.
    pub empties_nodes: bool,
    /// Whether pods with a grace period of zero may be deleted.
    pub allows_zero_grace_period: bool,
}

/// Why a run is refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("{0} has no shards: spec.replicas is 0")]
    NoShards(String),
    #[error(
        "{name} has update strategy {strategy}: a new template would restart its shards at once, without a gate"
    )]
    NotOnDelete { name: String, strategy: String, namespace: String },
    #[error("{pods} down, and this run does not move {them}")]
    AnotherShardDown { pods: String, them: &'static str },
    #[error(
        "{pods} has a grace period of 0 seconds: its successor may start while it still writes to the same volume"
    )]
    ZeroGracePeriod { pods: String },
    #[error("the nodes are not known: {0}")]
    NodesUnknown(String),
    #[error("a budget was given, and nobody knows how long a restart takes")]
    NoForecast,
    #[error("{flag} {} cannot be met: {} is forecast with {strategy}", humantime::format_duration(*.budget),
        secs(*.forecast))]
    OverBudget { flag: &'static str, budget: Duration, forecast: Duration, strategy: String },
}

fn secs(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}

impl Refusal {
    /// What to do instead.
    #[must_use]
    pub fn remedies(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            Self::NoShards(_) => one("there is nothing to move; set spec.replicas first"),
            Self::NotOnDelete { name, namespace, .. } => vec![
                "with a ShardSet file: `shardctl deploy -f FILE` sets OnDelete and restarts nothing"
                    .to_owned(),
                format!(
                    "without one: kubectl patch -n {namespace} {name} --type=merge -p \
                     '{{\"spec\":{{\"updateStrategy\":{{\"type\":\"OnDelete\",\"rollingUpdate\":null}}}}}}'"
                ),
            ],
            Self::AnotherShardDown { .. } => {
                one("see why with `shardctl status` and `shardctl verify`, and mend it first")
            }
            Self::ZeroGracePeriod { .. } => one(
                "give the template a grace period and let the shards take it; or say --allow-zero-grace-period if the \
                 volume cannot be written to twice",
            ),
            Self::NodesUnknown(_) => one("ask for the right to read nodes"),
            Self::NoForecast => one("say how long a shard takes to come back with --restart-seconds"),
            Self::OverBudget { flag: "--max-outage", .. } => {
                one("allow more, or move fewer shards at a time if the set brings them back one by one")
            }
            Self::OverBudget { .. } => {
                one("allow more, or choose --strategy canary: two outages instead of many")
            }
        }
    }
}

/// Makes a run of a wish; none when there is nothing to do.
///
/// # Errors
/// When it cannot work, or should not.
pub fn prepare(wish: Wish<'_>, now: Timestamp) -> Result<Option<Run>, Refusal> {
    let snapshot = wish.snapshot;
    let workload = &snapshot.workload;
    let name = workload.reference.to_string();
    if workload.replicas == 0 {
        return Err(Refusal::NoShards(name));
    }
    if wish.arming.is_some() && workload.update_strategy != "OnDelete" {
        return Err(Refusal::NotOnDelete {
            name,
            strategy: workload.update_strategy.clone(),
            namespace: workload.reference.namespace.clone(),
        });
    }
    if let (Err(unknown), true) =
        (&snapshot.nodes, wish.goal.node_pool.is_some() || !wish.goal.avoid_nodes.is_empty())
    {
        return Err(Refusal::NodesUnknown(unknown.to_string()));
    }
    let seen = Observed::of(snapshot, now);
    let moved = moves(&wish, &seen);
    let has_purpose = wish.holds.iter().any(|change| change.hold.is_purpose());
    if moved.is_empty() && wish.arming.is_none() && !has_purpose && !wish.empties_nodes {
        return Ok(None);
    }
    let down = seen.down();
    let in_short = |ordinals: &BTreeSet<u32>| {
        let ordinals: Vec<u32> = ordinals.iter().copied().collect();
        pods_in_short(&workload.reference.name, &ordinals)
    };
    // What comes up when a broken shard is mended is no stranger.
    let held_up = seen.held_up_by(&moved.intersection(&down).copied().collect());
    let strangers: BTreeSet<u32> =
        down.iter().copied().filter(|one| !moved.contains(one) && !held_up.contains(one)).collect();
    if !strangers.is_empty() && !moved.is_empty() {
        let (is, them) = if strangers.len() == 1 { ("is", "it") } else { ("are", "them") };
        return Err(Refusal::AnotherShardDown { pods: format!("{} {is}", in_short(&strangers)), them });
    }
    let hasty: BTreeSet<u32> = moved
        .iter()
        .copied()
        .filter(|ordinal| seen.pods.get(ordinal).is_some_and(|pod| pod.termination_grace_period_seconds == 0))
        .collect();
    if !hasty.is_empty() && !wish.allows_zero_grace_period {
        return Err(Refusal::ZeroGracePeriod { pods: in_short(&hasty) });
    }
    let is_proven = wish.operation.changes_nothing_but_the_node();
    // Where they were asked, those that are not well are broken, too.
    let unwell =
        snapshot.health.iter().filter(|(_, health)| !health.is_healthy()).map(|(ordinal, _)| *ordinal);
    let broken: BTreeSet<u32> = down.iter().copied().chain(unwell).collect();
    let waves = waves(&moved, &broken, wish.order, wish.policy.strategy, is_proven);
    within_budgets(&wish.policy, &wish.forecast, &waves)?;
    Ok(Some(Run {
        id: RunId::new(&wish.operation, now),
        operation: wish.operation,
        workload: workload.reference.clone(),
        workload_uid: workload.uid.clone(),
        replicas: workload.replicas,
        by: wish.by,
        started_at: now,
        ended_at: None,
        attempt: 1,
        policy: wish.policy,
        goal: wish.goal,
        largest_wave: waves
            .iter()
            .map(|wave| u32::try_from(wave.len()).unwrap_or(u32::MAX))
            .max()
            .unwrap_or(0),
        waves,
        forecast: wish.forecast,
        holds: wish.holds,
        is_holding: false,
        arming: wish.arming,
        room: None,
        stage: Stage::Holding,
        entered_at: now,
        state: State::Running,
        deleted: BTreeMap::new(),
        ledger: Ledger::default(),
        left_behind: Vec::new(),
    }))
}

/// The shards that are not as the goal wants them. While the wanted revision has no name, no shard can be of it.
fn moves(wish: &Wish<'_>, seen: &Observed) -> BTreeSet<u32> {
    let is_unnamed = wish.arming.is_some() && wish.goal.revision.is_none();
    let expected = (0..seen.replicas()).filter_map(|ordinal| Some((ordinal, seen.pods.get(&ordinal)?)));
    expected
        .filter(|(_, pod)| is_unnamed || !wish.goal.is_met(pod, seen))
        .map(|(ordinal, _)| ordinal)
        .collect()
}

fn within_budgets(policy: &Policy, forecast: &Forecast, waves: &[Vec<u32>]) -> Result<(), Refusal> {
    let cost = forecast.cost(waves);
    let strategy = policy.strategy.to_string();
    let budgets = [
        ("--max-outage", policy.max_outage, cost.longest),
        ("--max-total-outage", policy.max_total_outage, cost.total),
    ];
    for (flag, budget, forecast) in budgets {
        let Some(budget) = budget.filter(|_| !waves.is_empty()) else { continue };
        let forecast = forecast.ok_or(Refusal::NoForecast)?;
        if forecast > budget {
            return Err(Refusal::OverBudget { flag, budget, forecast, strategy });
        }
    }
    Ok(())
}

impl Forecast {
    /// What the pods that are there tell: how long they took from their node to Ready, and how long their template makes
    /// them wait before they end. A pod that was not Ready for a while since says too much; the middle one is taken.
    #[must_use]
    pub fn of_pods(snapshot: &Snapshot) -> Self {
        let took = |pod: &Pod| {
            let took = pod.ready_changed_at?.duration_since(pod.scheduled_at?);
            Duration::try_from(took).ok().filter(|_| pod.is_up())
        };
        let mut starts: Vec<Duration> =
            snapshot.shards.iter().filter_map(|shard| took(shard.pod.as_ref()?)).collect();
        starts.sort_unstable();
        let sleeps =
            snapshot.workload.template.containers.iter().filter_map(|one| one.pre_stop_sleep_seconds);
        let sleep =
            Duration::from_secs(sleeps.max().and_then(|sleep| u64::try_from(sleep).ok()).unwrap_or(0));
        let restart = starts.get(starts.len() / 2).map(|start| *start + sleep);
        let source = if restart.is_some() { Source::Pods } else { Source::Unknown };
        Self { restart, source, is_serial: is_serial(snapshot) }
    }

    /// What earlier runs measured: the middle of the restarts of the newest run that has any.
    #[must_use]
    pub fn of_history<'a>(
        snapshot: &Snapshot,
        newest_first: impl IntoIterator<Item = &'a Run>,
    ) -> Option<Self> {
        let mut restarts = newest_first.into_iter().map(|run| {
            let restarts = run.ledger.restarts.iter().filter_map(|restart| restart.marks.total());
            restarts.collect::<Vec<Duration>>()
        });
        let mut newest = restarts.find(|restarts| !restarts.is_empty())?;
        newest.sort_unstable();
        let restart = newest.get(newest.len() / 2).copied();
        Some(Self { restart, source: Source::History, is_serial: is_serial(snapshot) })
    }

    /// What the operator said.
    #[must_use]
    pub fn given(snapshot: &Snapshot, restart: Duration) -> Self {
        Self { restart: Some(restart), source: Source::Given, is_serial: is_serial(snapshot) }
    }
}

/// OrderedReady brings pods back one after the other, the lowest first.
fn is_serial(snapshot: &Snapshot) -> bool {
    snapshot.workload.pod_management_policy == "OrderedReady"
}

impl Run {
    /// The run with room made for its shards.
    #[must_use]
    pub fn with_room(mut self, room: Room) -> Self {
        self.room = Some(room);
        self
    }
}

impl From<Refusal> for crate::error::CommandError {
    fn from(refusal: Refusal) -> Self {
        let error = Self::refused(format!("{refusal}; nothing was changed"));
        refusal.remedies().into_iter().fold(error, Self::hint)
    }
}
