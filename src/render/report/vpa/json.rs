//! `-o json` and `-o yaml`: the same facts, exact.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{NoEffect, Report};
use crate::domain::catalogue::{PRICES_LISTED, PRICES_SOURCE, Size};
use crate::domain::finding::Finding;
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::vpa::{Amount, Basis, Change, Effect, OfContainer, OfResource, Outcome, right_sized};

/// The report as programs read it. Amounts are quantities as Kubernetes writes them, those of the recommendation as they
/// were found; money is in US dollars; what is not known is null, never 0.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VpaReport<'a> {
    api_version: &'static str,
    kind: &'static str,
    namespace: &'a str,
    name: &'a str,
    taken_at: Timestamp,
    autoscaler: Option<AutoscalerReport<'a>>,
    /// Whether there is a recommendation, and nothing speaks against it.
    believed: bool,
    headroom_percent: u32,
    whole_cores: bool,
    containers: Vec<ContainerReport<'a>>,
    /// What one pod requests, and what it would with all proposals.
    pod_requests: Resources,
    proposed_pod_requests: Option<Resources>,
    effect: Option<EffectReport<'a>>,
    /// Why the effect is not known.
    effect_unknown: Option<&'a str>,
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AutoscalerReport<'a> {
    name: &'a str,
    update_mode: &'a str,
    created_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContainerReport<'a> {
    name: &'a str,
    recommended: bool,
    data: Option<DataReport>,
    doubts: Vec<String>,
    cpu: ResourceReport<'a>,
    memory: ResourceReport<'a>,
    killed: Vec<KillReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DataReport {
    seconds: i64,
    samples: Option<u64>,
    last_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceReport<'a> {
    request: Option<Quantity>,
    limit: Option<Quantity>,
    lower_bound: Option<&'a Amount>,
    target: Option<&'a Amount>,
    uncapped_target: Option<&'a Amount>,
    upper_bound: Option<&'a Amount>,
    cut: Option<CutReport<'a>>,
    /// The most that any shard has used, as far as a checkpoint tells.
    peak: Option<Quantity>,
    use_now: Option<UseReport>,
    proposed: Option<Quantity>,
    proposed_by: Option<BasisReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CutReport<'a> {
    /// The field of the policy; null when none explains it.
    by: Option<&'a str>,
    from: Quantity,
    to: Quantity,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UseReport {
    least: Quantity,
    median: Quantity,
    worst: Quantity,
    worst_shard: u32,
    worst_by_median: Option<f64>,
    /// By ordinal.
    shards: BTreeMap<u32, Quantity>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BasisReport {
    /// `target`, `shard`, `history` or `killed`.
    kind: &'static str,
    shard: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KillReport {
    shard: u32,
    at: Option<Timestamp>,
    restarts: u32,
    limit: Option<Quantity>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EffectReport<'a> {
    region: &'static str,
    prices_listed: &'static str,
    prices_source: &'static str,
    current: Option<ChangeReport>,
    cheapest_now: Option<OutcomeReport>,
    cheapest_then: Option<OutcomeReport>,
    assumptions: &'a [String],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeReport {
    instance_type: &'static str,
    now: Option<OutcomeReport>,
    then: Option<OutcomeReport>,
    saves_per_month_usd: Option<f64>,
    /// The field without which fewer nodes would do.
    costly_rule: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutcomeReport {
    instance_type: &'static str,
    shards_per_node: u32,
    nodes: u32,
    price_per_month_usd: Option<f64>,
}

/// The report as a value.
#[must_use]
pub fn report<'a>(report: &'a Report<'_>) -> VpaReport<'a> {
    let judged = report.judged;
    let observed = &judged.observed;
    let (effect, effect_unknown) = match report.effect {
        Some(Ok(effect)) => (Some(of_effect(effect)), None),
        Some(Err(NoEffect { why, .. })) => (None, Some(why.as_str())),
        None => (None, None),
    };
    VpaReport {
        api_version: "shardctl.dev/v1alpha1",
        kind: "VpaReport",
        namespace: &observed.workload.namespace,
        name: &observed.workload.name,
        taken_at: observed.taken_at,
        autoscaler: judged.autoscaler.as_ref().map(|one| AutoscalerReport {
            name: &one.name,
            update_mode: &one.update_mode,
            created_at: one.created_at,
        }),
        believed: judged.is_believed(),
        headroom_percent: judged.terms.headroom_percent,
        whole_cores: judged.terms.whole_cores,
        containers: judged.containers.iter().map(container).collect(),
        pod_requests: observed.requests,
        proposed_pod_requests: right_sized(judged),
        effect,
        effect_unknown,
        findings: judged.findings.iter().map(|one| one.report(&observed.workload.name)).collect(),
    }
}

fn container(container: &OfContainer) -> ContainerReport<'_> {
    let [cpu, memory] = &container.resources;
    ContainerReport {
        name: &container.name,
        recommended: container.is_advised,
        data: container.coverage.as_ref().map(|coverage| DataReport {
            seconds: coverage.seconds,
            samples: coverage.samples,
            last_at: coverage.last,
        }),
        doubts: container.doubts.iter().map(ToString::to_string).collect(),
        cpu: resource(cpu),
        memory: resource(memory),
        killed: container
            .killed
            .iter()
            .map(|(shard, kill)| KillReport {
                shard: *shard,
                at: kill.at,
                restarts: kill.restarts,
                limit: kill.limit,
            })
            .collect(),
    }
}

fn resource(of: &OfResource) -> ResourceReport<'_> {
    ResourceReport {
        request: of.request,
        limit: of.limit,
        lower_bound: of.lower.as_ref(),
        target: of.target.as_ref(),
        uncapped_target: of.uncapped.as_ref(),
        upper_bound: of.upper.as_ref(),
        cut: of.cut.as_ref().map(|cut| CutReport { by: cut.by, from: cut.from, to: cut.to }),
        peak: of.peak,
        use_now: of.spread.as_ref().map(|spread| UseReport {
            least: spread.least(),
            median: spread.median(),
            worst: spread.worst().1,
            worst_shard: spread.worst().0,
            worst_by_median: spread.factor().map(rounded),
            shards: spread.by_use.iter().copied().collect(),
        }),
        proposed: of.proposed.map(|proposed| proposed.amount),
        proposed_by: of.proposed.map(|proposed| match proposed.basis {
            Basis::Target => BasisReport { kind: "target", shard: None },
            Basis::Shard(shard) => BasisReport { kind: "shard", shard: Some(shard) },
            Basis::History => BasisReport { kind: "history", shard: None },
            Basis::Killed(shard) => BasisReport { kind: "killed", shard: Some(shard) },
        }),
    }
}

fn of_effect(effect: &Effect) -> EffectReport<'_> {
    EffectReport {
        region: effect.region,
        prices_listed: PRICES_LISTED,
        prices_source: PRICES_SOURCE,
        current: effect.current.as_ref().map(change),
        cheapest_now: effect.best_now.map(|(size, outcome)| self::outcome(size, outcome)),
        cheapest_then: effect.best_then.map(|(size, outcome)| self::outcome(size, outcome)),
        assumptions: &effect.assumptions,
    }
}

fn change(change: &Change) -> ChangeReport {
    ChangeReport {
        instance_type: change.size.name,
        now: change.now.map(|now| outcome(change.size, now)),
        then: change.then.map(|then| outcome(change.size, then)),
        saves_per_month_usd: change.saves_per_month().map(rounded),
        costly_rule: change.held_by.clone(),
    }
}

fn outcome(size: &Size, outcome: Outcome) -> OutcomeReport {
    OutcomeReport {
        instance_type: size.name,
        shards_per_node: outcome.per_node,
        nodes: outcome.nodes,
        price_per_month_usd: outcome.per_month.map(rounded),
    }
}

/// To a ten-thousandth, so that sums of floating-point numbers read as they are meant.
fn rounded(amount: f64) -> f64 {
    (amount * 10_000.0).round() / 10_000.0
}
