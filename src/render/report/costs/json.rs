//! `-o json` and `-o yaml`: the same facts, exact.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::catalogue::Quote;
use crate::domain::cost::{CostReport, Lasts, LeakKind, NodeCost, Parts, SavingKind, Subject, Use};
use crate::domain::money::{Total, Usd};
use crate::domain::names::{NodeName, NodePoolName, WorkloadRef};
use crate::domain::quantity::{Quantity, Resources};
use crate::render::json::UnknownReport;

/// The report as programs read it. Money is in US dollars, exact to a millionth, months have 730 hours; what is not known is
/// null, never 0. A sum has what is known of it, and how many parts are not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CostReportJson<'a> {
    api_version: &'static str,
    kind: &'static str,
    workload: Option<&'a WorkloadRef>,
    node_pool: Option<&'a NodePoolName>,
    taken_at: String,
    regions: Vec<&'static str>,
    nodes: Vec<NodeJson<'a>>,
    disks: Vec<DiskJson<'a>>,
    disk_tiers: Vec<TierJson>,
    snapshots: Vec<SnapshotJson<'a>>,
    totals: TotalsJson,
    leaks: Vec<LeakJson<'a>>,
    double_run: Option<DoubleRunJson<'a>>,
    savings: Vec<SavingJson<'a>>,
    prices: Vec<SourceJson>,
    assumptions: &'a [String],
    /// What could not be read.
    unknown: Vec<UnknownReport<'a>>,
}

/// A sum of which parts may not be known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SumJson {
    /// The whole sum; null when a part of it is not known.
    usd: Option<Usd>,
    /// What its known parts come to; null when none is known.
    at_least_usd: Option<Usd>,
    unknown_parts: u32,
}

impl From<Total> for SumJson {
    fn from(total: Total) -> Self {
        let cents = |amount: Option<Usd>| amount.map(|amount| amount.rounded(2));
        Self {
            usd: cents(total.whole()),
            at_least_usd: cents(total.at_least()),
            unknown_parts: total.unknown,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PriceJson {
    term: &'static str,
    per_hour_usd: Usd,
    per_month_usd: Usd,
    source: String,
    listed: Option<String>,
    /// Azure's meter, where the price was fetched.
    meter: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeJson<'a> {
    name: &'a NodeName,
    instance_type: Option<&'a str>,
    zone: Option<&'a str>,
    region: Option<&'static str>,
    node_pool: Option<&'a NodePoolName>,
    capacity_type: Option<&'a str>,
    ready: bool,
    cordoned: bool,
    deleting: bool,
    price: Option<PriceJson>,
    usage: Option<UseJson<'a>>,
    /// What each part of the node costs a month.
    shares_per_month_usd: Option<PartsJson<Usd>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UseJson<'a> {
    shards: &'a [u32],
    shard_pods: u32,
    other_pods: u32,
    /// The resource that shares are taken of.
    scarce: &'static str,
    allocatable: Quantity,
    parts: PartsJson<Quantity>,
    /// Parts of the whole, to a ten-thousandth.
    shares: PartsJson<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PartsJson<T> {
    shards: T,
    others: T,
    daemons: T,
    free: T,
    stranded: T,
}

fn parts<T, U>(parts: Parts<T>, of: impl Fn(T) -> U) -> PartsJson<U> {
    PartsJson {
        shards: of(parts.shards),
        others: of(parts.others),
        daemons: of(parts.daemons),
        free: of(parts.free),
        stranded: of(parts.stranded),
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DiskJson<'a> {
    name: &'a str,
    claim: Option<String>,
    used_by: Option<&'a str>,
    state: &'static str,
    size: Quantity,
    storage_class: Option<&'a str>,
    sku: Option<&'a str>,
    tier: Option<String>,
    reclaim_policy: &'a str,
    per_month_usd: Option<Usd>,
    source: Option<String>,
    listed: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TierJson {
    tier: Option<String>,
    disks: u32,
    size: Quantity,
    per_month: SumJson,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotJson<'a> {
    namespace: &'a str,
    name: &'a str,
    source_claim: Option<&'a str>,
    has_source: bool,
    size: Option<Quantity>,
    /// Azure bills what a snapshot holds, which Kubernetes does not tell.
    at_most_per_month_usd: Option<Usd>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TotalsJson {
    nodes: usize,
    disks: usize,
    nodes_per_hour: SumJson,
    nodes_per_month: SumJson,
    shards_per_month: SumJson,
    idle_per_month: SumJson,
    /// Part of what is idle; where the costs are of no workload nothing is known to be stranded.
    stranded_per_month: Option<SumJson>,
    disks_per_month: SumJson,
    leaks_per_month: SumJson,
    per_month: SumJson,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LeakJson<'a> {
    kind: &'static str,
    object: String,
    node_pool: Option<&'a NodePoolName>,
    per_month_usd: Option<Usd>,
    at_most_per_month_usd: Option<Usd>,
    why: &'a str,
    remedy: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DoubleRunJson<'a> {
    /// `measured`, `forecast`, or `unknown` when nobody knows how long it lasts.
    kind: &'static str,
    run: Option<&'a str>,
    open: Option<bool>,
    nodes: u32,
    node_pool: Option<&'a NodePoolName>,
    instance_type: Option<&'a str>,
    per_hour: SumJson,
    /// Seconds and money, by strategy in a forecast.
    lasts: BTreeMap<&'static str, LastsJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LastsJson {
    seconds: f64,
    cost: SumJson,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SavingJson<'a> {
    kind: &'static str,
    instance_type: Option<&'a str>,
    nodes: Option<u32>,
    requests: Option<Resources>,
    per_month: SumJson,
    advised: bool,
    assumption: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceJson {
    source: String,
    listed: Option<String>,
}

/// The report of costs.
#[must_use]
pub fn report(report: &CostReport) -> CostReportJson<'_> {
    let (workload, node_pool) = match &report.subject {
        Subject::Service(service) => (Some(&service.reference), None),
        Subject::NodePool(name) => (None, Some(name)),
        Subject::Cluster => (None, None),
    };
    CostReportJson {
        api_version: "shardctl.dev/v1alpha1",
        kind: "CostReport",
        workload,
        node_pool,
        taken_at: report.taken_at.to_string(),
        regions: report.regions.iter().map(|region| region.name()).collect(),
        nodes: report.nodes.iter().map(node).collect(),
        disks: disks(report),
        disk_tiers: report
            .tiers
            .iter()
            .map(|tier| TierJson {
                tier: tier.tier.as_ref().map(ToString::to_string),
                disks: tier.disks,
                size: tier.size,
                per_month: tier.per_month.into(),
            })
            .collect(),
        snapshots: report
            .snapshots
            .iter()
            .map(|one| SnapshotJson {
                namespace: &one.snapshot.namespace,
                name: &one.snapshot.name,
                source_claim: one.snapshot.source.as_ref().map(|claim| claim.as_str()),
                has_source: one.snapshot.has_source,
                size: one.snapshot.size,
                at_most_per_month_usd: one.at_most_per_month,
            })
            .collect(),
        totals: totals(report, workload.is_some()),
        leaks: leaks(report),
        double_run: double_run(report),
        savings: savings(report),
        prices: report
            .sources
            .iter()
            .map(|(origin, date)| SourceJson {
                source: origin.to_string(),
                listed: date.map(|date| date.to_string()),
            })
            .collect(),
        assumptions: &report.assumptions,
        unknown: report.unknown.iter().map(UnknownReport::from).collect(),
    }
}

fn node(node: &NodeCost) -> NodeJson<'_> {
    NodeJson {
        name: &node.name,
        instance_type: node.instance_type.as_deref(),
        zone: node.zone.as_deref(),
        region: node.region.map(|region| region.name()),
        node_pool: node.node_pool.as_ref(),
        capacity_type: node.capacity_type.as_deref(),
        ready: node.is_ready,
        cordoned: node.is_cordoned,
        deleting: node.is_deleting,
        price: node.price.as_ref().map(|price| PriceJson {
            term: price.term.as_str(),
            per_hour_usd: price.per_hour,
            per_month_usd: price.per_hour.hourly_to_monthly(),
            source: price.quote.origin.to_string(),
            listed: listed(&price.quote),
            meter: price.quote.meter.clone(),
        }),
        usage: node.usage.as_ref().map(usage),
        shares_per_month_usd: node
            .shares()
            .map(|shares| parts(shares, |share| share.hourly_to_monthly().rounded(2))),
    }
}

fn listed(quote: &Quote) -> Option<String> {
    quote.listed.map(|date| date.to_string())
}

fn usage(usage: &Use) -> UseJson<'_> {
    UseJson {
        shards: &usage.shards,
        shard_pods: usage.shard_pods,
        other_pods: usage.other_pods,
        scarce: match usage.scarce {
            crate::domain::cost::Scarce::Cpu => "cpu",
            crate::domain::cost::Scarce::Memory => "memory",
        },
        allocatable: usage.allocatable,
        parts: parts(usage.parts, |part| part),
        shares: parts(usage.parts, |part| (usage.share(part) * 10_000.0).round() / 10_000.0),
    }
}

fn disks(report: &CostReport) -> Vec<DiskJson<'_>> {
    let disk = report.disks.iter().map(|one| DiskJson {
        name: one.disk.name.as_str(),
        claim: one.disk.claim.as_ref().map(|(namespace, name)| format!("{namespace}/{name}")),
        used_by: one.disk.used_by.as_ref().map(|pod| pod.as_str()),
        state: one.state.as_str(),
        size: one.disk.size,
        storage_class: one.disk.storage_class.as_deref(),
        sku: one.disk.sku.as_deref(),
        tier: one.tier.as_ref().map(ToString::to_string),
        reclaim_policy: &one.disk.reclaim_policy,
        per_month_usd: one.per_month,
        source: one.quote.as_ref().map(|quote| quote.origin.to_string()),
        listed: one.quote.as_ref().and_then(listed),
    });
    disk.collect()
}

fn totals(report: &CostReport, is_workload: bool) -> TotalsJson {
    let totals = &report.totals;
    let month = |total: Total| SumJson::from(total.map(Usd::hourly_to_monthly));
    TotalsJson {
        nodes: report.nodes.len(),
        disks: report.disks.len(),
        nodes_per_hour: {
            let total = totals.nodes_per_hour;
            SumJson { usd: total.whole(), at_least_usd: total.at_least(), unknown_parts: total.unknown }
        },
        nodes_per_month: month(totals.nodes_per_hour),
        shards_per_month: month(totals.shards_per_hour),
        idle_per_month: month(totals.idle_per_hour),
        stranded_per_month: is_workload.then(|| month(totals.stranded_per_hour)),
        disks_per_month: totals.disks_per_month.into(),
        leaks_per_month: totals.leaks_per_month.into(),
        per_month: totals.per_month().into(),
    }
}

fn leaks(report: &CostReport) -> Vec<LeakJson<'_>> {
    let leaks = report.leaks.iter().map(|leak| LeakJson {
        kind: leak.kind.as_str(),
        object: leak.kind.to_string(),
        node_pool: match &leak.kind {
            LeakKind::EmptyNode { pool, .. } => pool.as_ref(),
            LeakKind::LeftNode { pool, .. } => Some(pool),
            LeakKind::Disk { .. } | LeakKind::Snapshot { .. } => None,
        },
        per_month_usd: leak.per_month,
        at_most_per_month_usd: match &leak.kind {
            LeakKind::Snapshot { at_most_per_month, .. } => *at_most_per_month,
            _ => leak.per_month,
        },
        why: &leak.why,
        remedy: &leak.remedy,
    });
    leaks.collect()
}

fn double_run(report: &CostReport) -> Option<DoubleRunJson<'_>> {
    let run = report.double_run.as_ref()?;
    let lasts = |seconds: std::time::Duration, cost: Total| LastsJson {
        seconds: (seconds.as_secs_f64() * 10.0).round() / 10.0,
        cost: cost.into(),
    };
    let (kind, id, open, lasts) = match &run.lasts {
        Lasts::Measured { run, is_open, took, cost } => {
            ("measured", Some(run.as_str()), Some(*is_open), [("run", lasts(*took, *cost))].into())
        }
        Lasts::Forecast { canary, canary_cost, one_by_one, one_by_one_cost, .. } => {
            let strategies = [
                ("canary", lasts(*canary, *canary_cost)),
                ("one-by-one", lasts(*one_by_one, *one_by_one_cost)),
            ];
            ("forecast", None, None, strategies.into())
        }
        Lasts::Unknown => ("unknown", None, None, BTreeMap::new()),
    };
    Some(DoubleRunJson {
        kind,
        run: id,
        open,
        nodes: run.nodes,
        node_pool: run.pool.as_ref(),
        instance_type: run.size.as_deref(),
        per_hour: SumJson {
            usd: run.per_hour.whole(),
            at_least_usd: run.per_hour.at_least(),
            unknown_parts: run.per_hour.unknown,
        },
        lasts,
    })
}

fn savings(report: &CostReport) -> Vec<SavingJson<'_>> {
    let savings = report.savings.iter().map(|saving| {
        let (instance_type, nodes, requests) = match &saving.kind {
            SavingKind::Size { name, nodes } => (Some(name.as_str()), Some(*nodes), None),
            SavingKind::RightSized { name, nodes, requests } => {
                (Some(name.as_str()), Some(*nodes), Some(*requests))
            }
            SavingKind::Reserved(_) | SavingKind::Spot => (None, None, None),
        };
        SavingJson {
            kind: saving.kind.as_str(),
            instance_type,
            nodes,
            requests,
            per_month: saving.per_month.into(),
            advised: saving.is_advised,
            assumption: &saving.assumption,
        }
    });
    savings.collect()
}
