use std::time::Duration;

use super::*;
use crate::domain::catalogue::{Origin, PriceBook, price_file};
use crate::domain::cost::{self, Beside, Inventory, Machine, Restart};
use crate::domain::names::NodeName;
use crate::domain::sizing::{Plan, Prefer};
use crate::domain::testing::{cost_inventory, market, tutorial_demand};
use crate::render::json::{json, yaml};
use crate::render::report::committed::is_as_committed;
use crate::render::style::Stylesheet;

fn plain(width: Option<usize>) -> Look {
    Look { style: Stylesheet::new(false), width, ascii: false }
}

fn own() -> PriceBook {
    let text = "region,name,term,usd,unit,listed\n\
                eastus,Standard_E16s_v5,reserved-1y,434,month,2026-11-01\n\
                eastus,Standard_E16s_v5,spot,0.194,hour,2026-11-01\n\
                eastus,P10 LRS,on-demand,19.71,month,2026-11-01\n";
    let file = price_file::parse(text, &Origin::File("negotiated.csv".to_owned())).unwrap();
    PriceBook::new(Some(file.sheet), None)
}

/// The tutorial's service with an empty node that is kept and a disk that nobody mounts.
fn leaking() -> Inventory {
    let mut inventory = cost_inventory();
    let machines = inventory.machines.as_mut().unwrap();
    let mut empty: Machine = machines[0].clone();
    empty.node.name = NodeName::new("stable-4");
    empty.node.is_cordoned = true;
    empty.pods.as_mut().unwrap().retain(|pod| pod.is_daemon);
    machines.push(empty);
    let disk = &mut inventory.disks.as_mut().unwrap()[9];
    disk.phase = "Released".to_owned();
    disk.used_by = None;
    inventory
}

fn costs(inventory: &Inventory, prices: &PriceBook) -> CostReport {
    let plan = Plan::new("x".to_owned(), tutorial_demand(), market(), Prefer::Price, None, Vec::new());
    cost::report(inventory, prices, Beside { plan: Some(&plan), ..Beside::default() })
}

#[test]
fn tables_and_json() {
    let report = costs(&leaking(), &own());
    is_as_committed("costs/expected/table.txt", &table(&report, plain(Some(80)), true));
    is_as_committed("costs/expected/wide.txt", &wide(&report, plain(None)));
    is_as_committed("costs/expected/report.json", &json(&super::report(&report)));
    let unpriced = costs(&cost_inventory(), &PriceBook::default());
    is_as_committed(
        "costs/expected/table-without-disk-prices.txt",
        &table(&unpriced, plain(Some(80)), false),
    );
    let back: serde_json::Value = serde_saphyr::from_str(&yaml(&super::report(&report))).unwrap();
    assert_eq!(back, serde_json::to_value(super::report(&report)).unwrap());
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let mut many = cost_inventory();
    let machines = many.machines.as_mut().unwrap();
    for number in 0..200 {
        let mut machine = machines[number % 4].clone();
        machine.node.name = NodeName::new(format!("aks-biometric-stable-38291047-vmss{number:06}"));
        machines.push(machine);
    }
    for inventory in [leaking(), many] {
        for (prices, width) in [(own(), 80), (PriceBook::default(), 80), (own(), 120)] {
            for with_picture in [true, false] {
                let text = table(&costs(&inventory, &prices), plain(Some(width)), with_picture);
                for line in text.lines() {
                    assert!(line.chars().count() <= width, "{line}\n{text}");
                }
                assert!(text.lines().count() < 110, "many nodes share rows:\n{text}");
                assert_eq!(text.contains("$/MONTH EACH   STRANDED EACH"), text.contains(" like "), "{text}");
            }
        }
    }
}

#[test]
fn colour_carries_no_meaning_alone() {
    let report = costs(&leaking(), &own());
    let coloured = Look { style: Stylesheet::new(true), ..plain(Some(80)) };
    let text = table(&report, coloured, true);
    assert!(text.contains("\u{1b}["));
    let mut bare = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        bare.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    bare.push_str(rest);
    assert_eq!(bare, table(&report, plain(Some(80)), true));
    let ascii = table(&report, Look { ascii: true, ..plain(Some(80)) }, true);
    assert!(ascii.is_ascii(), "{ascii}");
}

#[test]
fn a_bar_is_as_long_as_its_node_is_dear() {
    let mut inventory = cost_inventory();
    let machines = inventory.machines.as_mut().unwrap();
    machines[3]
        .node
        .labels
        .insert("node.kubernetes.io/instance-type".to_owned(), "Standard_E8s_v5".to_owned());
    machines[2]
        .node
        .labels
        .insert("node.kubernetes.io/instance-type".to_owned(), "Standard_Unheard".to_owned());
    let report = costs(&inventory, &PriceBook::default());
    let text = picture::picture(&report, plain(Some(80)));
    let cells = |name: &str| {
        let line = text.lines().find(|line| line.contains(name)).unwrap();
        line.chars().filter(|c| "■□░▒▓".contains(*c)).count()
    };
    assert_eq!(cells("stable-0"), 40, "{text}");
    // 0.504 of 1.008.
    assert_eq!(cells("stable-3"), 20, "{text}");
    assert!(text.lines().any(|line| line.contains("stable-2  ???")), "{text}");
}

#[test]
fn many_leaks_of_a_kind_are_counted_and_named_where_there_is_room() {
    let mut inventory = leaking();
    for disk in inventory.disks.as_mut().unwrap() {
        disk.used_by = None;
    }
    let report = costs(&inventory, &own());
    let text = table(&report, plain(Some(80)), true);
    // Ten disks of 19.71, three of them by name.
    assert_eq!(text.matches("persistentvolume/").count(), 3, "{text}");
    assert!(text.contains("  and 7 more like these, $137.97: -o wide names them\n"), "{text}");
    assert_eq!(wide(&report, plain(None)).matches("persistentvolume/").count(), 10);
    let live = live(&report, plain(Some(80)));
    assert!(live.contains("Leaks, $932.94 a month: 11; without --watch they are named"), "{live}");
    assert!(live.lines().count() < 24 && live.lines().all(|line| line.chars().count() <= 80), "{live}");
}

#[test]
fn a_report_without_nodes_says_so() {
    let mut inventory = cost_inventory();
    inventory.machines = Err(crate::domain::snapshot::Unknown {
        asked: "list nodes".to_owned(),
        answer: "forbidden".to_owned(),
        is_forbidden: true,
    });
    let text = table(&costs(&inventory, &PriceBook::default()), plain(Some(80)), true);
    assert!(text.starts_with("statefulset/biometric-shard: its nodes are not known\n"), "{text}");
    assert!(text.contains("Could not list nodes: forbidden"), "{text}");
    let none = Inventory { machines: Ok(Vec::new()), disks: Ok(Vec::new()), ..inventory };
    let text = table(&costs(&none, &PriceBook::default()), plain(Some(80)), true);
    assert!(text.starts_with("statefulset/biometric-shard costs $0.00 a month: 0 nodes"), "{text}");
}

#[test]
fn a_restart_that_was_measured_is_said_to_be() {
    let mut inventory = cost_inventory();
    let Subject::Service(service) = &mut inventory.subject else { panic!("a service") };
    service.restart = Some(Restart { each: Duration::from_secs(9), is_measured: true });
    let text = table(&costs(&inventory, &PriceBook::default()), plain(None), true);
    assert!(text.contains("as earlier runs measured"), "{text}");
    let Subject::Service(service) = &mut inventory.subject else { panic!("a service") };
    service.restart = None;
    let text = table(&costs(&inventory, &PriceBook::default()), plain(None), true);
    assert!(text.contains("would pay $2.712 an hour beside the old ones"), "{text}");
}
