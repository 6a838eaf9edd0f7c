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
fn an_empty_node_that_is_kept_leaks() {
    let mut inventory = inventory();
    machines(&mut inventory).push(empty("stable-9"));
    let report = built_in(&inventory);
    assert_eq!(report.leaks.len(), 1);
    let leak = &report.leaks[0];
    assert_eq!((leak.kind.as_str(), leak.kind.to_string()), ("empty-node", "node/stable-9".to_owned()));
    assert_eq!(leak.per_month, Some(usd("735.84")));
    assert!(leak.why.ends_with("keeps it: consolidateAfter is Never"), "{}", leak.why);
    assert_eq!(report.totals.leaks_per_month.whole(), Some(usd("735.84")));

    let change = |change: &dyn Fn(&mut crate::domain::snapshot::NodePool)| {
        let mut inventory = inventory.clone();
        change(&mut inventory.node_pools.as_mut().unwrap()[0]);
        built_in(&inventory).leaks.first().map(|leak| leak.why.clone())
    };
    let consolidating = |pool: &mut crate::domain::snapshot::NodePool| {
        pool.consolidate_after = "30s".to_owned();
        pool.budgets.clear();
    };
    assert_eq!(change(&consolidating), None, "Karpenter takes it away");
    let budget = |reasons: &[&str]| crate::domain::snapshot::NodePoolBudget {
        nodes: "0".to_owned(),
        schedule: None,
        reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
    };
    let kept = change(&|pool| {
        consolidating(pool);
        pool.budgets = vec![budget(&[])];
    });
    assert!(kept.unwrap().contains("a budget of 0 nodes"));
    let drifted = change(&|pool| {
        consolidating(pool);
        pool.budgets = vec![budget(&["Drifted", "Underutilized"])];
    });
    assert_eq!(drifted, None, "empty nodes are taken away");
    let fixed = change(&|pool| {
        consolidating(pool);
        pool.replicas = Some(5);
    });
    assert!(fixed.unwrap().contains("fixed number"));

    // Nobody reserves what is to go, and what is being deleted leaks no more.
    assert!(saving(&report, "reserved-1y").assumption.starts_with("if 4 Standard_E16s_v5 stay"));
    let mut deleting = inventory.clone();
    machines(&mut deleting).last_mut().unwrap().node.deleted_at = Some(inventory.taken_at);
    assert_eq!(built_in(&deleting).leaks, []);
    // A node that carries somebody is no leak.
    let mut guest = inventory.clone();
    let pods = machines(&mut guest).last_mut().unwrap().pods.as_mut().unwrap();
    pods.push(Occupant { is_daemon: false, ..pods[0].clone() });
    assert_eq!(built_in(&guest).leaks, []);
}

#[test]
fn what_is_left_of_the_explore_pool_leaks() {
    let mut inventory = inventory();
    let mut left = empty("explore-0");
    left.node.labels.insert("karpenter.sh/nodepool".to_owned(), "biometric-explore".to_owned());
    left.node.labels.insert("node.kubernetes.io/instance-type".to_owned(), "Standard_E32as_v5".to_owned());
    machines(&mut inventory).push(left);
    let pools = inventory.node_pools.as_mut().unwrap();
    let mut explore = pools[0].clone();
    explore.name = NodePoolName::new("biometric-explore");
    pools.push(explore);
    let report = built_in(&inventory);
    let leak = &report.leaks[0];
    assert_eq!(leak.kind.as_str(), "left-node");
    // 1.808 an hour.
    assert_eq!(leak.per_month, Some(usd("1319.84")));
    assert_eq!(leak.remedy, "if nobody else uses the pool: kubectl delete nodepool biometric-explore");
    // While a run goes on, its nodes are its own.
    inventory.runs = Ok(vec![run(State::Running, None)]);
    assert_eq!(built_in(&inventory).leaks, []);
}

#[test]
fn disks_that_nobody_mounts_leak() {
    let mut inventory = inventory();
    let disks = inventory.disks.as_mut().unwrap();
    disks[7].used_by = None;
    disks[8].phase = "Released".to_owned();
    disks[9].phase = "Available".to_owned();
    disks[9].claim = None;
    let report = super::report(&inventory, &own("eastus,P10 LRS,on-demand,19.71,month\n"), Beside::default());
    let leaks: Vec<(String, Option<Usd>)> =
        report.leaks.iter().map(|leak| (leak.kind.to_string(), leak.per_month)).collect();
    let price = Some(usd("19.71"));
    let name = |ordinal: u32| format!("persistentvolume/pvc-{ordinal}");
    assert_eq!(leaks, [(name(9), price), (name(7), price), (name(8), price)]);
    assert_eq!(report.totals.leaks_per_month.whole(), Some(usd("59.13")));
    let why =
        |ordinal: u32| &report.leaks.iter().find(|leak| leak.kind.to_string() == name(ordinal)).unwrap().why;
    assert!(why(7).contains("no pod mounts it") && why(8).contains("reclaim policy Retain"));
    // Without a price they leak all the same.
    assert_eq!(built_in(&inventory).totals.leaks_per_month.to_string(), "-");
}

#[test]
fn snapshots_cost_at_most_and_are_in_no_sum() {
    let mut inventory = inventory();
    let snapshot = |name: &str, has_source| DiskSnapshot {
        namespace: "biometric-shards".to_owned(),
        name: name.to_owned(),
        source: Some(ClaimName::new("biometric-data-biometric-shard-0")),
        has_source,
        size: Some(quantity("100Gi")),
        created_at: None,
    };
    inventory.snapshots = Ok(Some(vec![snapshot("old", false), snapshot("new", true)]));
    let book = own("eastus,Snapshots LRS,on-demand,0.05,gib-month\neastus,P10 LRS,on-demand,19.71,month\n");
    let report = super::report(&inventory, &book, Beside::default());
    assert_eq!(report.snapshots[0].at_most_per_month, Some(usd("5")));
    // 2,943.36 + 197.10
    assert_eq!(report.totals.per_month().whole(), Some(usd("3140.46")));
    let leaks: Vec<&str> = report.leaks.iter().map(|leak| leak.kind.as_str()).collect();
    assert_eq!(leaks, ["snapshot-without-source"]);
    assert_eq!(report.totals.leaks_per_month, Total::default());
    assert_eq!(built_in(&inventory).snapshots[0].at_most_per_month, None);
}

fn run(state: State, ended_at: Option<&str>) -> Run {
    let to = NodePoolName::new("biometric-stable");
    Run {
        id: RunId::named("migrate-20261122-113000-000"),
        operation: Operation::Migrate {
            to: to.clone(),
            from: [NodePoolName::new("biometric-explore")].into(),
        },
        workload: healthy().workload.reference,
        workload_uid: "uid".to_owned(),
        replicas: 10,
        by: Actor::default(),
        started_at: "2026-11-22T11:30:00Z".parse().unwrap(),
        ended_at: ended_at.map(|time| time.parse().unwrap()),
        attempt: 1,
        policy: rolling::Policy {
            strategy: rolling::Strategy::Canary,
            settle: Duration::ZERO,
            shard_timeout: Duration::from_mins(10),
            patience: Duration::from_mins(10),
            max_outage: None,
            max_total_outage: None,
            gate: rolling::Gate::None,
            gate_successes: 1,
            prewarm: true,
            on_failure: rolling::OnFailure::Stop,
        },
        goal: Goal { node_pool: Some(to), ..Goal::default() },
        waves: Vec::new(),
        largest_wave: 1,
        forecast: rolling::Forecast::default(),
        holds: Vec::new(),
        is_holding: false,
        arming: None,
        room: None,
        stage: Stage::Rolling,
        entered_at: "2026-11-22T11:30:00Z".parse().unwrap(),
        state,
        deleted: BTreeMap::new(),
        ledger: Ledger::default(),
        left_behind: Vec::new(),
    }
}

#[test]
fn a_migration_is_paid_twice_from_the_first_new_node_to_its_end() {
    let mut inventory = inventory();
    for (machine, minute) in machines(&mut inventory).iter_mut().zip([31, 31, 40, 20]) {
        machine.node.created_at = Some(format!("2026-11-22T11:{minute}:00Z").parse().unwrap());
    }
    // From 11:30 to 11:50: 19, 19 and 10 minutes, and one that was there before, 20: 68 minutes at 1.008 an hour.
    inventory.runs = Ok(vec![run(State::Done, Some("2026-11-22T11:50:00Z"))]);
    let double = built_in(&inventory).double_run.unwrap();
    let Lasts::Measured { took, cost, is_open, .. } = double.lasts else { panic!("it is measured") };
    assert_eq!((took, is_open, double.nodes), (Duration::from_mins(20), false, 4));
    assert_eq!(cost.whole().map(|cost| cost.rounded(6)), Some(usd("1.1424")));
    assert_eq!(double.per_hour.whole(), Some(usd("4.032")));
    // One that goes on, until noon: 29, 29, 20 and 30 minutes.
    inventory.runs = Ok(vec![run(State::Running, None)]);
    let Lasts::Measured { cost, is_open: true, .. } = built_in(&inventory).double_run.unwrap().lasts else {
        panic!("it goes on")
    };
    assert_eq!(cost.whole().map(|cost| cost.rounded(6)), Some(usd("1.8144")));
    // A node that was made after the run has no part in it.
    machines(&mut inventory)[0].node.created_at = Some("2026-11-22T11:55:00Z".parse().unwrap());
    inventory.runs = Ok(vec![run(State::Done, Some("2026-11-22T11:50:00Z"))]);
    assert_eq!(built_in(&inventory).double_run.unwrap().nodes, 3);
    inventory.runs = Ok(vec![run(State::Aborted { why: "no".to_owned() }, None)]);
    assert_eq!(built_in(&inventory).double_run, None, "an aborted run tells nothing, and there is no plan");
}

#[test]
fn the_best_size_is_what_plan_says() {
    let plan = Plan::new("x".to_owned(), tutorial_demand(), market(), Prefer::Price, None, Vec::new());
    let best = plan.best().unwrap();
    assert_eq!((best.size.name, best.nodes), ("Standard_E48as_v5", 1));
    let beside = Beside { plan: Some(&plan), ..Beside::default() };
    let report = super::report(&inventory(), &PriceBook::default(), beside);
    // 2,943.36 - 2.712 x 730.
    let size = saving(&report, "best-size");
    assert_eq!(size.per_month.whole(), Some(usd("963.6")));
    assert!(
        size.assumption.starts_with("1 node would do as `shardctl plan` counts, instead of 4 nodes")
            && size.assumption.contains("0.6 outages")
    );
    // Forecast: 45 s a restart; 2.712 an hour for 90 s and for 450 s.
    let double = report.double_run.unwrap();
    assert_eq!(
        (double.per_hour.whole(), double.size.as_deref()),
        (Some(usd("2.712")), Some("Standard_E48as_v5"))
    );
    let Lasts::Forecast { canary_cost, one_by_one_cost, one_by_one, .. } = double.lasts else {
        panic!("a forecast")
    };
    assert_eq!(one_by_one, Duration::from_secs(450));
    assert_eq!(canary_cost.whole().map(|cost| cost.rounded(6)), Some(usd("0.0678")));
    assert_eq!(one_by_one_cost.whole().map(|cost| cost.rounded(6)), Some(usd("0.339")));
}

#[test]
fn a_migration_goes_where_the_pool_is_pinned_to() {
    let pinned = |name: &str| {
        let pinned = Some(name.to_owned());
        let plan = Plan::new("x".to_owned(), tutorial_demand(), market(), Prefer::Price, pinned, Vec::new());
        let beside = Beside { plan: Some(&plan), ..Beside::default() };
        super::report(&inventory(), &PriceBook::default(), beside).double_run.unwrap()
    };
    let to = |run: DoubleRun| (run.size.unwrap(), run.nodes, run.per_hour.whole());
    // Three of 1.26.
    assert_eq!(to(pinned("Standard_E20s_v5")), ("Standard_E20s_v5".to_owned(), 3, Some(usd("3.78"))));
    // It is there already: the best size is what might come next.
    assert_eq!(to(pinned("Standard_E16s_v5")).0, "Standard_E48as_v5");
}

#[test]
fn where_the_service_is_best_off_nothing_is_proposed() {
    let intel = crate::domain::sizing::Market { families: vec!["Es_v5".to_owned()], ..market() };
    let intel = crate::domain::sizing::Market { max_nodes: None, ..intel };
    let plan = Plan::new("x".to_owned(), tutorial_demand(), intel, Prefer::Price, None, Vec::new());
    assert_eq!(plan.best().unwrap().size.name, "Standard_E48s_v5");
    let mut inventory = inventory();
    let mut one = machines(&mut inventory).remove(0);
    one.node.labels.insert("node.kubernetes.io/instance-type".to_owned(), "Standard_E48s_v5".to_owned());
    *machines(&mut inventory) = vec![one];
    let beside = Beside { plan: Some(&plan), ..Beside::default() };
    let report = super::report(&inventory, &PriceBook::default(), beside);
    assert!(report.savings.iter().all(|saving| saving.kind.as_str() != "best-size"));
    assert_eq!(report.double_run, None);
}

#[test]
fn reservations_and_spot_save_what_their_prices_say() {
    let report = built_in(&inventory());
    for kind in ["reserved-1y", "reserved-3y", "spot"] {
        assert_eq!(saving(&report, kind).per_month.at_least(), None, "{kind}: the list has no such price");
    }
    let book = own(
        "eastus,Standard_E16s_v5,reserved-1y,434,month\neastus,Standard_E16s_v5,reserved-3y,278.03,month\n\
         eastus,Standard_E16s_v5,spot,0.194,hour\n",
    );
    let report = super::report(&inventory(), &book, Beside::default());
    // 4 x (735.84 - 434), 4 x (735.84 - 278.03), 4 x (1.008 - 0.194) x 730.
    assert_eq!(saving(&report, "reserved-1y").per_month.whole(), Some(usd("1207.36")));
    assert_eq!(saving(&report, "reserved-3y").per_month.whole(), Some(usd("1831.24")));
    let spot = saving(&report, "spot");
    assert_eq!(spot.per_month.whole(), Some(usd("2376.88")));
    assert!(!spot.is_advised && spot.assumption.contains("one eviction is an outage"), "{spot:?}");
    assert!(saving(&report, "reserved-1y").is_advised);
    // Of two sizes of which one has a price, the saving is at least that of the one.
    let mut mixed = inventory();
    let machine = &mut machines(&mut mixed)[0];
    machine.node.labels.insert("node.kubernetes.io/instance-type".to_owned(), "Standard_E8s_v5".to_owned());
    let report = super::report(&mixed, &book, Beside::default());
    assert_eq!(saving(&report, "reserved-1y").per_month.to_string(), "at least $905.52");
}

#[test]
fn right_sized_requests_are_a_saving_of_their_own() {
    let plan = Plan::new("x".to_owned(), tutorial_demand(), market(), Prefer::Price, None, Vec::new());
    let right = RightSized {
        requests: resources("2", "20Gi"),
        size: "Standard_E32as_v5".to_owned(),
        nodes: 1,
        assumption: "seven days of usage, 20% of headroom".to_owned(),
    };
    let beside = Beside { plan: Some(&plan), right_sized: Some(&right), ..Beside::default() };
    let report = super::report(&inventory(), &PriceBook::default(), beside);
    // 2,943.36 - 1.808 x 730.
    assert_eq!(saving(&report, "right-sized").per_month.whole(), Some(usd("1623.52")));
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
