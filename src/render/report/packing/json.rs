//! `-o json` and `-o yaml`: the same facts, exact.

use serde::Serialize;

use super::super::amounts::HOURS_PER_MONTH;
use crate::domain::names::{NodeName, NodePoolName, PodName, WorkloadRef};
use crate::domain::packing::{
    Fewest, FewestNodes, NoPacking, NodePacking, Packing, Room, ShardState, ShardUsage,
};
use crate::domain::quantity::Resources;
use crate::render::json::{LoadReport, UnknownReport};

/// The report as programs read it. Amounts are quantities as Kubernetes writes them; what is unknown is
/// null, never 0; nodes are in the order of their names, shards in that of their ordinals.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackingReport<'a> {
    api_version: &'static str,
    kind: &'static str,
    workload: &'a WorkloadRef,
    taken_at: String,
    replicas: u32,
    shard_requests: Resources,
    nodes: Vec<NodeReport<'a>>,
    unplaced_shards: Vec<UnplacedReport<'a>>,
    unread_shards: Vec<UnreadReport<'a>>,
    /// Ordinals of shards whose pods request something else than the template.
    differing_shards: &'a [u32],
    totals: TotalsReport,
    failure_domains: FailureDomainsReport,
    fewest_nodes: Vec<FewestReport<'a>>,
    present_nodes: Option<PresentReport>,
    hostname_spread: Option<SpreadReport<'a>>,
    /// What could not be read.
    unknown: Vec<UnknownReport<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeReport<'a> {
    name: &'a NodeName,
    instance_type: Option<&'a str>,
    zone: Option<&'a str>,
    node_pool: Option<&'a NodePoolName>,
    capacity_type: Option<&'a str>,
    ready: bool,
    cordoned: bool,
    deleting: bool,
    /// Why no new shard would be placed here.
    closed: Vec<String>,
    allocatable: Resources,
    allocatable_pods: u32,
    shards: Vec<ShardReport>,
    shard_usage: Option<UsageReport>,
    room: Option<RoomReport>,
    /// Free slots if the node is open to new shards, else 0.
    open_slots: Option<u32>,
    price_per_hour_usd: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShardReport {
    ordinal: u32,
    state: ShardState,
    expected: bool,
    requests: Resources,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UsageReport {
    #[serde(flatten)]
    total: Resources,
    measured_shards: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RoomReport {
    requested: LoadReport,
    requested_by_shards: LoadReport,
    requested_by_daemons: LoadReport,
    requested_by_others: LoadReport,
    free: LoadReport,
    overcommit: Resources,
    free_slots: Option<u32>,
    stranded: Option<Resources>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UnplacedReport<'a> {
    ordinal: u32,
    pod: &'a PodName,
    reason: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UnreadReport<'a> {
    ordinal: u32,
    node: &'a NodeName,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TotalsReport {
    nodes: u32,
    placed_shards: u32,
    allocatable: Resources,
    allocatable_pods: u32,
    room: Option<RoomReport>,
    open_slots: Option<u32>,
    shard_usage: Option<UsageReport>,
    /// Of the nodes whose price is known.
    price_per_hour_usd: Option<f64>,
    price_per_month_usd: Option<f64>,
    nodes_without_price: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureDomainsReport {
    nodes: u32,
    zones: u32,
    shared_nodes: u32,
    most_shards_on_one_node: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FewestReport<'a> {
    instance_type: Option<&'a str>,
    present_nodes: u32,
    allocatable: Resources,
    allocatable_pods: u32,
    assumed_daemons_per_node: LoadReport,
    other_pods: LoadReport,
    answer: AnswerReport,
    /// When no node gets more shards than maxSkew.
    answer_with_spread: Option<AnswerReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerReport {
    nodes: Option<u32>,
    at_least: Option<u32>,
    shards_per_node: Option<u32>,
    /// Why there is no answer.
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PresentReport {
    capacity_shards: u32,
    nodes: Option<u32>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SpreadReport<'a> {
    field: &'a str,
    max_skew: u32,
    when_unsatisfiable: &'a str,
    karpenter: bool,
}

/// The report of a packing.
#[must_use]
pub fn report(packing: &Packing) -> PackingReport<'_> {
    let totals = &packing.totals;
    let unknown = [&packing.nodes_unknown, &packing.occupants_unknown, &packing.usage_unknown];
    PackingReport {
        api_version: "shardctl.dev/v1alpha1",
        kind: "PackingReport",
        workload: &packing.workload,
        taken_at: packing.taken_at.to_string(),
        replicas: packing.replicas,
        shard_requests: packing.shard_requests,
        nodes: packing.nodes.iter().map(node).collect(),
        unplaced_shards: packing
            .unplaced
            .iter()
            .map(|shard| UnplacedReport {
                ordinal: shard.ordinal,
                pod: &shard.pod_name,
                reason: shard.reason.to_string(),
            })
            .collect(),
        unread_shards: packing
            .unread
            .iter()
            .map(|shard| UnreadReport { ordinal: shard.ordinal, node: &shard.node, reason: &shard.reason })
            .collect(),
        differing_shards: &packing.differing,
        totals: TotalsReport {
            nodes: totals.nodes,
            placed_shards: totals.placed,
            allocatable: totals.allocatable,
            allocatable_pods: totals.allocatable_pods,
            room: totals.room.as_ref().map(room),
            open_slots: totals.open_slots,
            shard_usage: totals.usage.map(usage),
            price_per_hour_usd: totals.price_per_hour.map(rounded),
            price_per_month_usd: totals.price_per_hour.map(|hour| rounded(hour * HOURS_PER_MONTH)),
            nodes_without_price: totals.nodes_without_price,
        },
        failure_domains: FailureDomainsReport {
            nodes: packing.failure_domains.nodes,
            zones: packing.failure_domains.zones,
            shared_nodes: packing.failure_domains.shared_nodes,
            most_shards_on_one_node: packing.failure_domains.most_on_one_node,
        },
        fewest_nodes: packing.fewest.iter().map(fewest).collect(),
        present_nodes: packing
            .present
            .map(|present| PresentReport { capacity_shards: present.capacity, nodes: present.nodes }),
        hostname_spread: packing.hostname_spread.as_ref().map(|spread| SpreadReport {
            field: &spread.field,
            max_skew: spread.max_skew,
            when_unsatisfiable: &spread.when_unsatisfiable,
            karpenter: spread.has_karpenter,
        }),
        unknown: unknown.into_iter().flatten().map(UnknownReport::from).collect(),
    }
}

fn node(node: &NodePacking) -> NodeReport<'_> {
    NodeReport {
        name: &node.name,
        instance_type: node.instance_type.as_deref(),
        zone: node.zone.as_deref(),
        node_pool: node.node_pool.as_ref(),
        capacity_type: node.capacity_type.as_deref(),
        ready: node.is_ready,
        cordoned: node.is_cordoned,
        deleting: node.is_deleting,
        closed: node.closed.iter().map(ToString::to_string).collect(),
        allocatable: node.allocatable,
        allocatable_pods: node.allocatable_pods,
        shards: node
            .shards
            .iter()
            .map(|shard| ShardReport {
                ordinal: shard.ordinal,
                state: shard.state,
                expected: shard.is_expected,
                requests: shard.requests,
            })
            .collect(),
        shard_usage: node.usage.map(usage),
        room: node.room.as_ref().map(room),
        open_slots: node.open_slots(),
        price_per_hour_usd: node.price_per_hour.map(rounded),
    }
}

fn room(room: &Room) -> RoomReport {
    RoomReport {
        requested: LoadReport::from(room.requested()),
        requested_by_shards: LoadReport::from(room.shards),
        requested_by_daemons: LoadReport::from(room.daemons),
        requested_by_others: LoadReport::from(room.others),
        free: LoadReport { pods: room.free_pods, requests: room.free },
        overcommit: room.overcommit,
        free_slots: room.free_slots,
        stranded: room.stranded,
    }
}

fn usage(usage: ShardUsage) -> UsageReport {
    UsageReport { total: usage.total, measured_shards: usage.measured }
}

fn fewest(fewest: &Fewest) -> FewestReport<'_> {
    FewestReport {
        instance_type: fewest.instance_type.as_deref(),
        present_nodes: fewest.present,
        allocatable: fewest.allocatable,
        allocatable_pods: fewest.allocatable_pods,
        assumed_daemons_per_node: LoadReport::from(fewest.daemons),
        other_pods: LoadReport::from(fewest.others),
        answer: answer(&fewest.answer),
        answer_with_spread: fewest.with_spread.as_ref().map(answer),
    }
}

fn answer(answer: &Result<FewestNodes, NoPacking>) -> AnswerReport {
    let known = answer.as_ref().ok();
    AnswerReport {
        nodes: known.map(|known| known.nodes),
        at_least: known.map(|known| known.at_least),
        shards_per_node: known.map(|known| known.per_node),
        reason: answer.as_ref().err().map(ToString::to_string),
    }
}

/// To a millionth of a dollar, so that sums do not end in the dust of binary fractions.
fn rounded(dollars: f64) -> f64 {
    (dollars * 1e6).round() / 1e6
}
