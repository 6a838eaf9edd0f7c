mod changes;
mod leaks;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::catalogue::price_file;
use crate::domain::names::{ClaimName, NodeName};
use crate::domain::quantity::{Quantity, Resources};
use crate::domain::rolling::{self, Actor, Goal, Ledger, Operation, Run, RunId, Stage, State};
use crate::domain::sizing::Prefer;
use crate::domain::snapshot::{Node, NodeExpression, Occupant};
use crate::domain::testing::{cost_inventory, healthy, market, quantity, resources, tutorial_demand};

fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}

fn own(lines: &str) -> PriceBook {
    let text = format!("region,name,term,usd,unit\n{lines}");
    let file = price_file::parse(&text, &Origin::File("own.csv".to_owned())).unwrap();
    PriceBook::new(Some(file.sheet), None)
}

fn inventory() -> Inventory {
    cost_inventory()
}

fn built_in(inventory: &Inventory) -> CostReport {
    report(inventory, &PriceBook::default(), Beside::default())
}

fn machines(inventory: &mut Inventory) -> &mut Vec<Machine> {
    inventory.machines.as_mut().unwrap()
}

/// A node with nothing but its DaemonSet.
fn empty(name: &str) -> Machine {
    let mut machine = inventory().machines.unwrap().remove(0);
    machine.node.name = NodeName::new(name);
    machine.pods.as_mut().unwrap().retain(|pod| pod.is_daemon);
    machine
}

fn node<'a>(report: &'a CostReport, name: &str) -> &'a NodeCost {
    report.nodes.iter().find(|node| node.name.as_str() == name).unwrap()
}

fn saving<'a>(report: &'a CostReport, kind: &str) -> &'a Saving {
    let found = report.savings.iter().find(|saving| saving.kind.as_str() == kind);
    found.unwrap_or_else(|| panic!("{kind} is not among {:?}", report.savings))
}

#[test]
fn four_machines_cost_what_four_machines_cost() {
    let report = built_in(&inventory());
    // 4 x 1.008 = 4.032 an hour; 4.032 x 730 = 2,943.36 a month.
    assert_eq!(report.totals.nodes_per_hour.whole(), Some(usd("4.032")));
    assert_eq!(report.totals.nodes_per_month().whole(), Some(usd("2943.36")));
    assert_eq!(node(&report, "stable-0").per_month(), Some(usd("735.84")));
    // The built-in list has no disks: their price is not known, and neither is the sum.
    assert_eq!(report.totals.disks_per_month.at_least(), None);
    assert_eq!(report.totals.disks_per_month.unknown, 10);
    assert_eq!(report.totals.per_month().to_string(), "at least $2,943.36");
    let sources: Vec<String> =
        report.sources.iter().map(|(origin, date)| format!("{origin} {date:?}")).collect();
    assert_eq!(sources, ["karpenter-provider-azure 352646f5 Some(2026-06-18)"]);
    assert_eq!((report.leaks.len(), report.unknown.len()), (0, 0));
}

#[test]
fn a_node_is_shared_by_what_is_scarce() {
    let report = built_in(&inventory());
    // Three shards of 4 CPU and 32Gi on 15.74 CPU and 113,609Mi: 76.2% of CPU, 86.5% of memory.
    let full = node(&report, "stable-0");
    let usage = full.usage.as_ref().unwrap();
    assert_eq!((usage.scarce, usage.shards.as_slice()), (Scarce::Memory, &[0, 1, 2][..]));
    assert!((usage.share(usage.parts.shards) - 98_304.0 / 113_609.0).abs() < 1e-12);
    let cents = |part: Usd| part.hourly_to_monthly().rounded(2);
    let shares = full.shares().unwrap();
    // 735.84 x 98,304 / 113,609; x 800 / 113,609; x (113,609 - 98,304 - 800) / 113,609.
    assert_eq!(cents(shares.shards), usd("636.71"));
    assert_eq!(cents(shares.daemons), usd("5.18"));
    assert_eq!(cents(shares.stranded), usd("93.95"));
    assert_eq!((shares.free, shares.others), (Usd::ZERO, Usd::ZERO));
    // The one with one shard has room for two more: 735.84 x 65,536 / 113,609.
    let last = node(&report, "stable-3").shares().unwrap();
    assert_eq!(cents(last.free), usd("424.47"));
    assert_eq!(cents(last.stranded), usd("93.95"));
    for node in &report.nodes {
        let shares = node.shares().unwrap();
        let all = shares.shards + shares.others + shares.daemons + shares.free + shares.stranded;
        assert_eq!(all.rounded(12), node.per_hour().unwrap(), "{}", node.name);
    }
    // Ten shards of 32Gi: 2,943.36 x 327,680 / (4 x 113,609).
    assert_eq!(cents(report.totals.shards_per_hour.whole().unwrap()), usd("2122.37"));
    assert_eq!(cents(report.totals.stranded_per_hour.whole().unwrap()), usd("375.79"));
}

proptest! {
    #[test]
    fn who_uses_a_node_pays_all_of_it(
        cpu in 1_i64..200_000, mebi in 1_i64..2_000_000, pods in 1_u32..250,
        occupants in proptest::collection::vec((0_i64..20_000, 0_i64..200_000, 0_u32..3), 0..30),
        is_service in proptest::bool::ANY,
    ) {
        let mut inventory = inventory();
        if !is_service {
            inventory.subject = Subject::Cluster;
        }
        let mut machine = empty("n");
        let amount = |cpu, mebi| Resources { cpu: Quantity::milli(cpu), memory: Quantity::bytes(mebi << 20) };
        machine.node.allocatable = amount(cpu, mebi);
        machine.node.allocatable_pods = pods;
        let daemon = machine.pods.as_ref().unwrap()[0].clone();
        let occupant = |(index, (cpu, mebi, sort)): (usize, &(i64, i64, u32))| Occupant {
            requests: amount(*cpu, *mebi),
            is_daemon: *sort == 0,
            ordinal: (*sort == 1).then(|| u32::try_from(index).unwrap()),
            stateful_set: (*sort == 1).then(|| "set".to_owned()),
            ..daemon.clone()
        };
        machine.pods = Some(occupants.iter().enumerate().map(occupant).collect());
        *machines(&mut inventory) = vec![machine];
        let report = built_in(&inventory);
        let node = &report.nodes[0];
        let (usage, shares) = (node.usage.as_ref().unwrap(), node.shares().unwrap());
        let parts = usage.parts;
        let requested = parts.shards + parts.others + parts.daemons;
        if requested <= usage.allocatable {
            prop_assert_eq!(requested + parts.free + parts.stranded, usage.allocatable);
        } else {
            prop_assert!(!parts.free.is_positive() && !parts.stranded.is_positive());
        }
        let all = shares.shards + shares.others + shares.daemons + shares.free + shares.stranded;
        prop_assert_eq!(all.rounded(12), node.per_hour().unwrap());
        prop_assert!([shares.shards, shares.others, shares.daemons, shares.free, shares.stranded]
            .into_iter().all(|share| share >= Usd::ZERO));
    }
}

#[test]
fn cpu_is_scarce_where_shards_want_more_of_it() {
    let mut inventory = inventory();
    let Subject::Service(service) = &mut inventory.subject else { panic!("a service") };
    service.template.requests = resources("4", "1Gi");
    for pod in machines(&mut inventory).iter_mut().flat_map(|machine| machine.pods.as_mut().unwrap()) {
        if pod.ordinal.is_some() {
            pod.requests = resources("4", "1Gi");
        }
    }
    let report = built_in(&inventory);
    let usage = node(&report, "stable-0").usage.clone().unwrap();
    assert_eq!((usage.scarce, usage.parts.shards), (Scarce::Cpu, quantity("12")));
    assert_eq!(usage.allocatable, quantity("15740m"));
    // 15.74 - 12 - 0.5 of a DaemonSet is less than 4.
    assert_eq!((usage.parts.free, usage.parts.stranded), (quantity("0"), quantity("3240m")));
}

#[test]
fn prices_that_are_not_known_stay_unknown() {
    let mut inventory = inventory();
    let all = machines(&mut inventory);
    let label = |machine: &mut Machine, key: &str, value: &str| {
        machine.node.labels.insert(key.to_owned(), value.to_owned());
    };
    // A spot machine without a price of spot; one of an unheard-of size; capacity that was paid already.
    label(&mut all[0], "karpenter.sh/capacity-type", "spot");
    label(&mut all[1], "node.kubernetes.io/instance-type", "Standard_Unheard");
    label(&mut all[2], "karpenter.sh/capacity-type", "reserved");
    let report = built_in(&inventory);
    assert_eq!(report.totals.nodes_per_hour.to_string(), "at least $1.01");
    assert_eq!(report.totals.nodes_per_hour.unknown, 3);
    assert!(node(&report, "stable-0").price.is_none() && node(&report, "stable-0").shares().is_none());
    // With a price of spot it is that, and not the one on demand.
    let spot = own("eastus,Standard_E16s_v5,spot,0.2,hour\n");
    let report = super::report(&inventory, &spot, Beside::default());
    assert_eq!(node(&report, "stable-0").per_month(), Some(usd("146")));
    assert_eq!(node(&report, "stable-0").price.as_ref().unwrap().term, Term::Spot);
}

#[test]
fn the_region_is_that_of_the_nodes_unless_another_is_given() {
    let mut inventory = inventory();
    for machine in machines(&mut inventory) {
        machine.node.labels.remove("topology.kubernetes.io/region");
    }
    // The zone eastus-1 says it as well.
    assert_eq!(built_in(&inventory).totals.nodes_per_hour.whole(), Some(usd("4.032")));
    let west = Region::find("westeurope").ok();
    let report =
        super::report(&inventory, &PriceBook::default(), Beside { region: west, ..Beside::default() });
    assert_ne!(report.totals.nodes_per_hour.whole(), Some(usd("4.032")));
    assert_eq!(report.regions.iter().map(|region| region.name()).collect::<Vec<_>>(), ["westeurope"]);
    for machine in machines(&mut inventory) {
        machine.node.labels.remove("topology.kubernetes.io/zone");
    }
    let report = built_in(&inventory);
    assert_eq!(report.totals.nodes_per_hour.at_least(), None);
    assert!(report.regions.is_empty() && report.foreign_regions.is_empty());
    for machine in machines(&mut inventory) {
        machine.node.labels.insert("topology.kubernetes.io/region".to_owned(), "us-east-1".to_owned());
    }
    assert_eq!(built_in(&inventory).foreign_regions.iter().collect::<Vec<_>>(), ["us-east-1"]);
}

#[test]
fn a_node_without_labels_is_shown_and_not_priced() {
    let mut inventory = inventory();
    let machine = &mut machines(&mut inventory)[0];
    machine.node = Node { labels: BTreeMap::new(), ..machine.node.clone() };
    let report = built_in(&inventory);
    assert_eq!(report.totals.nodes_per_hour.unknown, 1);
    assert_eq!(report.totals.nodes_per_month().to_string(), "at least $2,207.52");
    // How it is paid is assumed only where that matters.
    assert_eq!(report.assumptions.len(), 1, "{:?}", report.assumptions);
}

#[test]
fn disks_are_priced_by_tier() {
    let mut inventory = inventory();
    let disks = inventory.disks.as_mut().unwrap();
    disks[0].size = quantity("129Gi");
    disks[1].sku = Some("PremiumV2_LRS".to_owned());
    disks[2].sku = None;
    let report = super::report(
        &inventory,
        &own("eastus,P10 LRS,on-demand,19.71,month\neastus,P15 LRS,on-demand,0.052,hour\n"),
        Beside::default(),
    );
    // Seven of P10: 137.97. One of P15 at 0.052 an hour: 37.96. A v2 and one of nobody knows what: unknown.
    let totals = report.totals.disks_per_month;
    assert_eq!((totals.at_least(), totals.unknown), (Some(usd("175.93")), 2));
    let tiers: Vec<(Option<String>, u32, String)> = report
        .tiers
        .iter()
        .map(|tier| (tier.tier.as_ref().map(ToString::to_string), tier.disks, tier.per_month.to_string()))
        .collect();
    let tier = |name: Option<&str>, disks, money: &str| (name.map(str::to_owned), disks, money.to_owned());
    assert_eq!(
        tiers,
        [
            tier(Some("P10 LRS"), 7, "$137.97"),
            tier(Some("P15 LRS"), 1, "$37.96"),
            tier(Some("PremiumV2_LRS"), 1, "-"),
            tier(None, 1, "-"),
        ]
    );
    // 2,943.36 + 175.93, and what is not known.
    assert_eq!(report.totals.per_month().to_string(), "at least $3,119.29");
}

#[test]
fn a_pool_or_a_cluster_counts_pods_of_any_stateful_set() {
    let mut inventory = inventory();
    inventory.subject = Subject::Cluster;
    for machine in machines(&mut inventory) {
        for pod in machine.pods.as_mut().unwrap() {
            pod.ordinal = None;
        }
    }
    let mut system = empty("aks-system-0");
    system.node.labels.remove("karpenter.sh/nodepool");
    system.node.labels.remove("karpenter.sh/capacity-type");
    machines(&mut inventory).push(system);
    let report = built_in(&inventory);
    let usage = node(&report, "stable-0").usage.clone().unwrap();
    assert_eq!((usage.shard_pods, usage.shards.len(), usage.other_pods), (3, 0, 0));
    // Nobody knows what one more would need: what is left is idle, and none of it stranded.
    assert_eq!(usage.parts.stranded, quantity("0"));
    assert_eq!(report.totals.stranded_per_hour.whole(), Some(Usd::ZERO));
    // (4 x (113,609 - 800) - 327,680) / 113,609 of 1.008, and the system node's (113,609 - 800) / 113,609.
    let idle = report.totals.idle_per_hour.whole().unwrap().hourly_to_monthly().rounded(2);
    assert_eq!(idle, usd("1530.92"));
    assert_eq!(report.leaks, [], "what Karpenter did not make is not ours to judge");
    assert_eq!(report.assumptions, ["nodes that do not say how they are paid are paid on demand"]);
}

#[test]
fn what_could_not_be_read_is_told_and_the_rest_is_shown() {
    let unknown =
        |asked: &str| Unknown { asked: asked.to_owned(), answer: "forbidden".to_owned(), is_forbidden: true };
    let mut inventory = inventory();
    inventory.disks = Err(unknown("list persistent volumes"));
    inventory.pods_unknown = Some(unknown("list pods"));
    for machine in machines(&mut inventory) {
        machine.pods = None;
    }
    let report = built_in(&inventory);
    assert_eq!(report.totals.nodes_per_hour.whole(), Some(usd("4.032")));
    assert_eq!(report.totals.shards_per_hour.at_least(), None);
    assert_eq!((report.unknown.len(), report.disks.len(), report.leaks.len()), (2, 0, 0));
    inventory.machines = Err(unknown("list nodes"));
    let report = built_in(&inventory);
    assert!(!report.are_nodes_known && report.nodes.is_empty());
}

#[test]
fn a_disk_says_its_region_by_its_zone() {
    let mut disk = inventory().disks.unwrap().remove(0);
    assert_eq!(disk.region(), None);
    disk.node_terms = vec![vec![NodeExpression {
        key: "topology.disk.csi.azure.com/zone".to_owned(),
        operator: "In".to_owned(),
        values: vec!["westeurope-2".to_owned()],
    }]];
    assert_eq!(disk.region(), Some("westeurope"));
}
