use super::*;

pub(super) fn run(state: State, ended_at: Option<&str>) -> Run {
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
    assert!(!size.assumption.contains("what else runs"));
    let mut shared = inventory();
    let pods = machines(&mut shared)[0].pods.as_mut().unwrap();
    pods.push(Occupant { ordinal: None, is_daemon: false, ..pods[0].clone() });
    let crowded = super::super::report(&shared, &PriceBook::default(), beside);
    assert!(saving(&crowded, "best-size").assumption.ends_with("what else runs on them needs a place, too"));
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
