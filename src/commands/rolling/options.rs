//! The options that migrate, upgrade, drain and undo have in common.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::domain::rolling::{Gate, OnFailure, Order, PAUSE_IMAGE, Policy, Strategy};
use crate::domain::shardset::{Rolling, RollingStrategy, ShardSet, Span};
use crate::domain::snapshot::{HttpProbe, Snapshot};
use crate::error::CommandError;
use crate::options::parse_duration;

/// How shards are moved.
#[derive(Args, Clone, Debug)]
pub struct RollingArgs {
    /// How many shards go down together; left out: as the ShardSet file says, or one by one
    #[arg(long, value_enum)]
    strategy: Option<RollingStrategy>,
    /// One shard first, then so many at a time
    #[arg(long, value_name = "SHARDS", conflicts_with = "strategy", value_parser = clap::value_parser!(u32).range(1..))]
    wave_size: Option<u32>,
    /// In which order; shards that are down go first in any case
    #[arg(long, value_enum)]
    order: Option<Order>,
    /// How long the whole service must have been up before the next wave
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    settle: Option<Duration>,
    /// Longest time for a shard to come back
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    timeout: Duration,
    /// Start no wave whose outage is forecast to be longer
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_outage: Option<Duration>,
    /// Start no wave with which all outages together are forecast to be longer
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_total_outage: Option<Duration>,
    /// How long a shard takes to come back, for the forecast; left out: what earlier runs or the pods tell
    #[arg(long, value_name = "SECONDS", value_parser = parse_duration)]
    pub restart_seconds: Option<Duration>,
    /// What a shard must pass beyond Ready: http (its own startup and readiness paths), none, or exec=COMMAND
    #[arg(long, value_name = "GATE", default_value = "http", value_parser = parse_gate)]
    gate: GateChoice,
    /// Good answers in a row that the gate takes
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    gate_successes: u32,
    /// Make no room before the first shard goes: each outage then includes what it takes to make a node
    #[arg(long)]
    no_prewarm: bool,
    /// Image of the pods that keep places for shards; it does nothing and needs no shell
    #[arg(long, value_name = "IMAGE", default_value = PAUSE_IMAGE)]
    pub placeholder_image: String,
    /// What to do when a shard does not come back
    #[arg(long, value_enum, default_value_t)]
    on_failure: OnFailure,
    /// Go on although other controllers own what is changed, or change it themselves
    #[arg(long)]
    pub force_conflicts: bool,
    /// Delete pods whose grace period is 0: two of them may write to one volume
    #[arg(long)]
    pub allow_zero_grace_period: bool,
    /// Show the plan and change nothing; server lets the API server check the template too
    #[arg(long, value_enum, value_name = "MODE", default_value_t = DryRun::None, default_missing_value = "client",
        num_args = 0..=1, require_equals = true)]
    pub dry_run: DryRun,
    /// Go on without asking
    #[arg(short, long)]
    pub yes: bool,
    /// json: one event per line, and a summary at the end
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: RunOutput,
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    None,
    Client,
    Server,
}

/// How a run tells what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RunOutput {
    /// A live view at a terminal, a line for each event elsewhere, and the ledger
    #[default]
    Table,
    /// One JSON object for each event, and a last one for the run
    Json,
}

/// A gate as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateChoice {
    None,
    Http,
    Exec(String),
}

fn parse_gate(text: &str) -> Result<GateChoice, String> {
    match text.split_once('=') {
        None if text == "none" => Ok(GateChoice::None),
        None if text == "http" => Ok(GateChoice::Http),
        Some(("exec", command)) if !command.trim().is_empty() => Ok(GateChoice::Exec(command.to_owned())),
        _ => Err("write http, none, or exec=COMMAND".to_owned()),
    }
}

/// More than any outage.
const UNBOUNDED: Duration = Duration::from_hours(24 * 365);

/// Room must be there within so long, and the service whole: a node takes two minutes on a bad day.
const PATIENCE: Duration = Duration::from_mins(15);

impl RollingArgs {
    /// The same options for the way back after a failure, which the operator approved with the way there.
    #[must_use]
    pub fn for_the_way_back(&self) -> Self {
        Self {
            on_failure: OnFailure::Stop,
            yes: true,
            // What is broken is down already: no budget keeps it from being mended.
            max_outage: Some(UNBOUNDED),
            max_total_outage: Some(UNBOUNDED),
            ..self.clone()
        }
    }

    fn strategy(&self, file: &Rolling) -> Strategy {
        match (self.wave_size, self.strategy.or(file.strategy)) {
            (Some(size), _) => Strategy::Waves(size),
            (None, Some(RollingStrategy::Canary)) => Strategy::Canary,
            (None, Some(RollingStrategy::OneByOne) | None) => Strategy::OneByOne,
        }
    }

    /// The order that was chosen, or the operation's own.
    pub fn order(&self, own: Order) -> Order {
        self.order.unwrap_or(own)
    }

    /// The policy: as the command line says, else as the file says, else the operation's own settle time.
    ///
    /// # Errors
    /// When the gate asks for what the template does not have.
    pub fn policy(
        &self,
        snapshot: &Snapshot,
        shardset: Option<&ShardSet>,
        settle: Duration,
    ) -> Result<Policy, CommandError> {
        let file = shardset.map(|shardset| shardset.spec.rolling.clone()).unwrap_or_default();
        let span = |span: Option<Span>| span.map(Duration::from);
        Ok(Policy {
            strategy: self.strategy(&file),
            settle: self.settle.or(span(file.settle)).unwrap_or(settle),
            shard_timeout: self.timeout,
            patience: PATIENCE.max(self.timeout),
            max_outage: self.max_outage.or(span(file.max_outage)),
            max_total_outage: self.max_total_outage.or(span(file.max_total_outage)),
            gate: self.gate(snapshot)?,
            gate_successes: self.gate_successes,
            prewarm: !self.no_prewarm,
            on_failure: self.on_failure,
        })
    }

    fn gate(&self, snapshot: &Snapshot) -> Result<Gate, CommandError> {
        let containers = &snapshot.workload.template.containers;
        match &self.gate {
            GateChoice::None => Ok(Gate::None),
            GateChoice::Http => {
                let probes: Vec<HttpProbe> = containers
                    .iter()
                    .flat_map(|container| container.startup.iter().chain(&container.readiness))
                    .cloned()
                    .collect();
                Ok(if probes.is_empty() { Gate::None } else { Gate::Http(probes) })
            }
            GateChoice::Exec(command) => {
                let container = containers.first().map(|container| container.name.clone());
                let container =
                    container.ok_or_else(|| CommandError::usage("the template has no container"))?;
                let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
                Ok(Gate::Exec { container, command: words })
            }
        }
    }
}
