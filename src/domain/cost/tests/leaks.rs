use super::changes::run;
use super::*;

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
        built_in(&inventory).leaks.first().map(|leak| format!("{}; {}", leak.why, leak.remedy))
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
    assert!(fixed.unwrap().contains("fixed number of nodes (spec.replicas); kubectl scale nodepool"));

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
    let mut shares = inventory.clone();
    shares.disks.as_mut().unwrap()[9].sku = None;
    assert_eq!(built_in(&shares).leaks.len(), 2, "what is offered to all and is no disk of Azure's");
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
