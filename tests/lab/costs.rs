//! `shardctl costs`: what Karpenter really made, at prices that are counted by hand.
//!
//! An E16s_v5 costs 1.008 an hour in East US, 735.84 a month. Three shards of 4 CPU and 32Gi fill one.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::Test;
use crate::lab::{Lab, Service, eventually};
use crate::price_service::{PriceService, Reply, disk, meters_of};
use crate::support::Run;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("costs::what_runs_is_priced_to_the_cent", priced),
    ("costs::what_nobody_uses_is_found", leaks),
    ("costs::of_a_pool_and_of_the_cluster", wider),
    ("costs::prices_are_fetched_when_asked_for_and_kept", fetched),
    ("costs::snapshots_are_found_where_there_is_an_api_for_them", snapshots),
    ("costs::what_may_not_be_read_is_told_and_the_rest_is_shown", partial),
    ("costs::a_migration_is_paid_twice_while_it_goes_on", migrated),
];

fn parse(run: Run) -> Value {
    serde_json::from_str(&run.ended(0).stdout).expect("JSON")
}

/// The report, once `is_there` holds of it.
fn costs(service: &Service<'_>, args: &[&str], is_there: impl Fn(&Value) -> bool) -> Value {
    eventually(|| {
        let report = parse(service.shardctl(&[&["costs", &service.name, "-o", "json"], args].concat()));
        if is_there(&report) { Ok(report) } else { Err(format!("{report:#}")) }
    })
}

fn nodes(report: &Value) -> usize {
    report["nodes"].as_array().map_or(0, Vec::len)
}

fn prices(service: &Service<'_>, lines: &str) -> PathBuf {
    let path = service.file.with_extension("csv");
    std::fs::write(&path, format!("region,name,term,usd,unit\n{lines}")).expect("a file");
    path
}

fn of_kind<'a>(list: &'a Value, kind: &str) -> Vec<&'a Value> {
    list.as_array().into_iter().flatten().filter(|one| one["kind"] == kind).collect()
}

fn saving<'a>(report: &'a Value, kind: &str) -> &'a Value {
    of_kind(&report["savings"], kind).first().copied().unwrap_or_else(|| panic!("no {kind}: {report:#}"))
}

fn priced(lab: &Lab) {
    let service = lab.service("cost");
    service.deploy("stable");
    let report = costs(&service, &[], |report| nodes(report) == 1);
    let node = &report["nodes"][0];
    assert_eq!(node["instanceType"], "Standard_E16s_v5", "{report:#}");
    assert_eq!((&node["region"], &node["capacityType"]), (&json!("eastus"), &json!("on-demand")));
    assert_eq!(node["price"]["perHourUsd"], 1.008);
    assert_eq!(node["price"]["perMonthUsd"], 735.84);
    assert_eq!(
        (&node["price"]["term"], &node["price"]["listed"]),
        (&json!("on-demand"), &json!("2026-06-18"))
    );
    assert_eq!(report["totals"]["nodesPerMonth"]["usd"], 735.84);
    assert_eq!(node["usage"]["shards"], json!([0, 1, 2]));
    assert_eq!(node["usage"]["scarce"], "memory");
    // 96Gi of what NAP plans of 128Gi: 118.4 less 9.32 for the kubelet less 750Mi, 108.3476Gi. 88.6%: 651.99.
    let shares = &node["sharesPerMonthUsd"];
    let (shards, stranded) = (cents(&shares["shards"]), cents(&shares["stranded"]));
    assert!((65_198..=65_200).contains(&shards), "{report:#}");
    let parts = ["shards", "others", "daemons", "free", "stranded"].map(|part| cents(&shares[part]));
    assert!((parts.iter().sum::<i64>() - 73_584).abs() <= 2, "{report:#}");
    assert_eq!(shards + stranded, parts.iter().sum::<i64>(), "nothing else is on it: {report:#}");
    // The lab's volumes are no disks of Azure's: their price is not known, and neither is the sum.
    assert_eq!(report["disks"].as_array().map(Vec::len), Some(3), "{report:#}");
    assert!(report["disks"][0]["perMonthUsd"].is_null() && report["disks"][0]["state"] == "in use");
    assert_eq!(report["totals"]["perMonth"], json!({"usd": null, "atLeastUsd": 735.84, "unknownParts": 3}));
    assert_eq!(report["leaks"], json!([]), "{report:#}");

    // One E16s_v5 reserved for a year at 434 a month saves 301.84.
    let own = prices(&service, "eastus,Standard_E16s_v5,reserved-1y,434,month\n");
    let own = own.to_str().expect("a path");
    let report = costs(&service, &["--prices", own], |_| true);
    assert_eq!(saving(&report, "reserved-1y")["perMonth"]["usd"], 301.84);
    assert!(saving(&report, "reserved-3y")["perMonth"]["usd"].is_null(), "{report:#}");
    let spot = saving(&report, "spot");
    assert_eq!((&spot["advised"], &spot["perMonth"]["usd"]), (&json!(false), &Value::Null));

    // In another region the same node has another price.
    let west = costs(&service, &["--region", "westeurope"], |_| true);
    assert_eq!(west["regions"], json!(["westeurope"]));
    assert_ne!(west["totals"]["nodesPerMonth"]["usd"], 735.84);

    // However large the cluster is, its pods and nodes are not listed for a service.
    let asked = service.shardctl(&["costs", &service.name, "-v", "6"]).ended(0).stderr;
    let asked: Vec<&str> = asked.lines().filter(|line| line.starts_with("GET /api/v1/")).collect();
    assert!(asked.iter().any(|line| line.contains("/pods?") && line.contains("spec.nodeName")), "{asked:#?}");
    for line in asked {
        let is_of_some = line.contains("Selector=") || line.contains("limit=1 ");
        assert!(is_of_some || !(line.contains("/v1/pods?") || line.contains("/v1/nodes?")), "{line}");
    }

    let table = service.shardctl(&["costs", &service.name]).ended(0);
    let name = node["name"].as_str().expect("a name");
    let table =
        table.said("costs at least $735.84 a month: 1 node for $1.008 an hour, 3 disks at unknown prices");
    let table = table.said("the longest bar is $1.008 an hour").said("89% memory").said("735.84");
    assert!(table.stdout.contains(&name[name.len() - 10..]), "{table:?}");
    let wide = service.shardctl(&["costs", &service.name, "-o", "wide"]).ended(0);
    wide.said("STRANDED $/MONTH").said("karpenter-provider-azure 352646f5, 2026-06-18").said("in use");
    let yaml = service.shardctl(&["costs", &service.name, "-o", "yaml"]).ended(0);
    let yaml: Value = serde_saphyr::from_str(&yaml.stdout).expect("YAML");
    assert_eq!((&yaml["kind"], &yaml["nodes"]), (&json!("CostReport"), &report["nodes"]));
}

fn cents(amount: &Value) -> i64 {
    let amount = amount.as_f64().unwrap_or_else(|| panic!("{amount} is no amount"));
    #[expect(clippy::cast_possible_truncation, reason = "a few thousand dollars")]
    let cents = (amount * 100.0).round() as i64;
    cents
}

/// A disk of Azure's that the service's fourth shard had, released and kept; and one that belongs to somebody else.
const DISKS: &str = "
{apiVersion: v1, kind: PersistentVolume, metadata: {name: NAME-kept}, spec: {
  capacity: {storage: 100Gi}, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Retain,
  storageClassName: by-hand, claimRef: {namespace: NAME, name: CLAIM-NAME-3, uid: 00000000-0000-0000-0000-000000000001},
  csi: {driver: disk.csi.azure.com, volumeHandle: NAME-kept, volumeAttributes: {skuName: Premium_LRS}}}}
---
{apiVersion: v1, kind: PersistentVolume, metadata: {name: NAME-theirs}, spec: {
  capacity: {storage: 100Gi}, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Retain,
  storageClassName: by-hand,
  csi: {driver: disk.csi.azure.com, volumeHandle: NAME-theirs, volumeAttributes: {skuname: premium_lrs}}}}
";

fn leaks(lab: &Lab) {
    let service = lab.service("leak");
    service.deploy("stable");
    costs(&service, &[], |report| nodes(report) == 1 && report["leaks"] == json!([]));
    // Everybody leaves; the pool never consolidates, so that its node stays.
    service.patch("statefulset/NAME", r#"{"spec":{"replicas":0}}"#);
    let claim =
        service.get("statefulset")["items"][0]["spec"]["volumeClaimTemplates"][0]["metadata"]["name"].clone();
    service.apply(&DISKS.replace("CLAIM", claim.as_str().expect("a name")));
    let own = prices(&service, "eastus,P10 LRS,on-demand,19.71,month\n");
    let own = own.to_str().expect("a path").to_owned();
    let is_there = |report: &Value| {
        of_kind(&report["leaks"], "empty-node").len() == 1
            // The last of the three shards may end a while after the first.
            && of_kind(&report["leaks"], "unattached-disk").len() >= 4
            && report["disks"]
                .as_array()
                .is_some_and(|disks| disks.iter().any(|disk| disk["state"] == "released"))
    };
    let report = costs(&service, &["--prices", &own], is_there);
    let empty = of_kind(&report["leaks"], "empty-node")[0];
    assert_eq!(empty["perMonthUsd"], 735.84, "{report:#}");
    assert_eq!(empty["nodePool"], format!("{}-stable", service.name));
    assert!(
        empty["why"].as_str().is_some_and(|why| why.ends_with("consolidateAfter is Never")),
        "{report:#}"
    );
    let disks = of_kind(&report["leaks"], "unattached-disk");
    let object = |disk: &Value| disk["object"].as_str().unwrap_or_default().to_owned();
    // The claims of three shards that should not be there any more, and the one that was kept.
    assert_eq!(disks.len(), 4, "{report:#}");
    let kept = format!("persistentvolume/{}-kept", service.name);
    let kept = disks.iter().find(|disk| object(disk) == kept).expect("the kept disk");
    assert_eq!(kept["perMonthUsd"], 19.71, "100Gi of premium are a P10: {report:#}");
    assert!(!disks.iter().any(|disk| object(disk).ends_with("-theirs")), "{report:#}");
    // 735.84 + 19.71, and three disks of no known price.
    let sum = &report["totals"]["leaksPerMonth"];
    assert_eq!(sum, &json!({"usd": null, "atLeastUsd": 755.55, "unknownParts": 3}), "{report:#}");
    let table = service.shardctl(&["costs", &service.name, "--prices", &own]).ended(0);
    table.said("Leaks, at least $755.55 a month:").said("persistentVolumeReclaimPolicy");
    lab.kubectl(&["delete", "pv", &format!("{}-kept", service.name), &format!("{}-theirs", service.name)]);
}

fn wider(lab: &Lab) {
    let service = lab.service("wider");
    service.deploy("stable");
    let pool = format!("{}-stable", service.name);
    let report = eventually(|| {
        let report = parse(lab.shardctl.run(["costs", "--nodepool", &pool, "-o", "json"]));
        if nodes(&report) == 1 { Ok(report) } else { Err(format!("{report:#}")) }
    });
    assert_eq!((&report["nodePool"], &report["workload"]), (&json!(pool), &Value::Null));
    assert_eq!(report["totals"]["nodesPerMonth"]["usd"], 735.84, "{report:#}");
    let usage = &report["nodes"][0]["usage"];
    assert_eq!((&usage["shardPods"], &usage["shards"]), (&json!(3), &json!([])), "{report:#}");
    assert_eq!(report["disks"].as_array().map(Vec::len), Some(3), "those that its pods mount: {report:#}");
    assert!(report["totals"]["strandedPerMonth"].is_null(), "{report:#}");
    // The cluster has this node and those of other tests.
    let all = parse(lab.shardctl.run(["costs", "--all", "-o", "json"]));
    let name = &report["nodes"][0]["name"];
    let found = all["nodes"].as_array().into_iter().flatten().find(|node| node["name"] == *name);
    assert_eq!(found.map(|node| &node["price"]["perMonthUsd"]), Some(&json!(735.84)), "{all:#}");
    lab.shardctl.run(["costs", "--all"]).ended(0).said("the cluster costs ");
    let missing = lab.shardctl.run(["costs", "--nodepool", &format!("{}-stabel", service.name)]).ended(1);
    missing.complained("there is no nodepool/").complained(&format!("did you mean {pool}?"));
}

fn fetched(lab: &Lab) {
    let service = lab.service("fetch");
    service.deploy("stable");
    let own = json!({"productName": "Premium SSD Managed Disks"});
    let items = [
        meters_of("Standard_E16s_v5", 1.2),
        meters_of("Standard_E48s_v5", 3.0),
        vec![disk("P10 LRS", 19.71, own)],
    ];
    let stub = PriceService::start(items.concat(), 4).says_first(&[Reply::Status(429, Some("1"))]);
    let name = service.name.as_str();
    // Each test has a cache of its own, for others price what they see, too.
    let home = service.file.with_extension("home");
    std::fs::create_dir_all(&home).expect("a folder");
    let mut shardctl = lab.shardctl.clone();
    shardctl.home.clone_from(&home);
    let run = |args: &[&str]| shardctl.run(["costs", name, "-n", name, "-o", "json"].iter().chain(args));
    eventually(|| {
        let report = parse(run(&[]));
        if nodes(&report) == 1 { Ok(()) } else { Err(format!("{report:#}")) }
    });
    assert_eq!(stub.asked(), [""; 0], "nobody is asked who was not named");
    let refreshed = run(&["--refresh", "--refresh-from", &stub.address]);
    let refreshed = refreshed.complained("Asking 127.0.0.1:").complained("it is busy (429); asked again in");
    // Sizes that the stub does not list are told, and stop nothing.
    let refreshed = refreshed.complained("warning: Azure lists no price of ");
    let report = parse(refreshed);
    assert_eq!(report["totals"]["nodesPerMonth"]["usd"], 876.0, "1.2 x 730: {report:#}");
    assert_eq!(report["nodes"][0]["price"]["meter"], "Virtual Machines Esv5 Series, E16s v5");
    assert_eq!(report["prices"][0]["source"], "Azure retail prices");
    // 6,000 for a year is 500 a month: 376 less. Spot is 0.3 an hour: 657 less.
    assert_eq!(saving(&report, "reserved-1y")["perMonth"]["usd"], 376.0, "{report:#}");
    assert_eq!(saving(&report, "spot")["perMonth"]["usd"], 657.0, "{report:#}");
    let asked = stub.asked();
    assert!(asked.iter().any(|question| question.contains("'Standard_E16s_v5'")), "{asked:?}");
    assert!(asked.iter().all(|question| question.contains("armRegionName eq 'eastus'")), "{asked:?}");
    // The next command knows, and asks nobody.
    let report = parse(run(&[]));
    assert_eq!(report["totals"]["nodesPerMonth"]["usd"], 876.0, "{report:#}");
    assert_eq!(stub.asked().len(), asked.len());
    let cache = home.join(".cache/shardctl/prices/azure-retail.csv");
    let text = std::fs::read_to_string(&cache).expect("the cache");
    assert!(text.starts_with("region,name,term,usd,unit,listed,meter\n"), "{text}");
    // A service that fails leaves what was known.
    let broken = PriceService::start(Vec::new(), 4).says_first(&[Reply::Text("<html>".to_owned())]);
    let failed = run(&["--refresh", "--refresh-from", &broken.address]).ended(1);
    failed.complained("page 1 is no list of prices").complained("leave out --refresh");
    assert_eq!(std::fs::read_to_string(&cache).expect("the cache"), text);
}

fn migrated(lab: &Lab) {
    let service = lab.service("twice");
    service.deploy("explore");
    // The file says where they are to go: to one E16s_v5.
    let before = eventually(|| {
        let report = parse(service.lab.shardctl.run(["costs", "-f", service.path(), "-o", "json"]));
        if nodes(&report) >= 1 { Ok(report) } else { Err(format!("{report:#}")) }
    });
    let forecast = &before["doubleRun"];
    assert_eq!(
        (&forecast["kind"], &forecast["instanceType"]),
        (&json!("forecast"), &json!("Standard_E16s_v5"))
    );
    assert_eq!((&forecast["nodes"], &forecast["perHour"]["usd"]), (&json!(1), &json!(1.008)), "{before:#}");
    assert!(forecast["lasts"]["canary"]["cost"]["usd"].is_number(), "{before:#}");
    let migrate = [
        "migrate",
        "-f",
        service.path(),
        "--to",
        "stable",
        "--strategy",
        "canary",
        "--settle",
        "0s",
        "--yes",
    ];
    service.lab.shardctl.run(migrate).ended(0);
    let report = costs(&service, &[], |report| report["doubleRun"]["kind"] == "measured");
    let double = &report["doubleRun"];
    assert_eq!(double["nodePool"], format!("{}-stable", service.name), "{report:#}");
    assert_eq!((&double["open"], &double["nodes"]), (&json!(false), &json!(1)), "{report:#}");
    assert_eq!(double["perHour"]["usd"], 1.008, "{report:#}");
    // At most as long as the run took: so many seconds of 1.008 an hour, to the cent.
    let (seconds, cost) =
        (double["lasts"]["run"]["seconds"].as_f64(), cents(&double["lasts"]["run"]["cost"]["usd"]));
    let most = 1.008 * seconds.expect("a number") / 36.0;
    #[expect(clippy::cast_precision_loss, reason = "a few cents")]
    let is_in = (cost as f64) <= most + 1.0;
    assert!(is_in && cost >= 0, "{report:#}");
    // The explore pool's nodes are left: empty, and nobody selects the pool any more. Karpenter may take them away.
    let explore = format!("{}-explore", service.name);
    let left = of_kind(&report["leaks"], "left-node");
    assert!(left.iter().all(|leak| leak["nodePool"] == explore), "{report:#}");
}

/// The API of CSI snapshots, as far as it is read.
const SNAPSHOT_API: &str = "
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition,
 metadata: {name: volumesnapshots.snapshot.storage.k8s.io,
   annotations: {api-approved.kubernetes.io: 'https://github.com/kubernetes-csi/external-snapshotter/pull/814'}},
 spec: {group: snapshot.storage.k8s.io, scope: Namespaced,
   names: {kind: VolumeSnapshot, plural: volumesnapshots, singular: volumesnapshot, listKind: VolumeSnapshotList},
   versions: [{name: v1, served: true, storage: true, subresources: {status: {}},
     schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}}
";

fn snapshots(lab: &Lab) {
    let service = lab.service("snap");
    service.deploy("stable");
    let before = costs(&service, &[], |report| nodes(report) == 1);
    assert_eq!(before["snapshots"], json!([]));
    lab.apply(SNAPSHOT_API);
    lab.kubectl(&[
        "wait",
        "--for=condition=Established",
        "crd/volumesnapshots.snapshot.storage.k8s.io",
        "--timeout=30s",
    ]);
    let claim =
        before["disks"][0]["claim"].as_str().and_then(|claim| claim.split_once('/')).expect("a claim").1;
    let stem = claim.rsplit_once('-').expect("an ordinal").0;
    // Of a shard that is there, of one that is gone, and of somebody else's claim.
    for (name, claim) in
        [("of-one", claim.to_owned()), ("of-none", format!("{stem}-7")), ("theirs", "data".to_owned())]
    {
        service.apply(&format!(
            "{{apiVersion: snapshot.storage.k8s.io/v1, kind: VolumeSnapshot, metadata: {{name: {name}, namespace: NAME}},
              spec: {{volumeSnapshotClassName: disks, source: {{persistentVolumeClaimName: {claim}}}}}}}"
        ));
        let snapshot = format!("volumesnapshots.snapshot.storage.k8s.io/{name}");
        service.patch_status(&snapshot, r#"{"status":{"readyToUse":true,"restoreSize":"100Gi"}}"#);
    }
    let own = prices(&service, "eastus,Snapshots LRS,on-demand,0.05,gib-month\n");
    let own = own.to_str().expect("a path");
    let report = costs(&service, &["--prices", own], |_| true);
    let found: Vec<(&str, bool)> = report["snapshots"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (one["name"].as_str().unwrap_or_default(), one["hasSource"] == true))
        .collect();
    assert_eq!(found, [("of-none", false), ("of-one", true)], "{report:#}");
    // 100 x 0.05, which is in no sum: what they hold is not known.
    assert_eq!(report["snapshots"][0]["atMostPerMonthUsd"], 5.0, "{report:#}");
    assert_eq!(report["totals"]["perMonth"]["atLeastUsd"], 735.84, "{report:#}");
    let leak = &report["leaks"][0];
    assert_eq!((&leak["kind"], &leak["atMostPerMonthUsd"]), (&json!("snapshot-without-source"), &json!(5.0)));
    let table = service.shardctl(&["costs", &service.name, "--prices", own]).ended(0);
    table.said("2 snapshots cost at most $10.00 a month").said("volumesnapshot/of-none");
}

/// Nodes, pods and the service's own objects; no volumes, no node pools, no journal.
const ROLE: &str = "
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: NAME-payer}, rules: [
  {apiGroups: ['', apps], verbs: [get, list], resources: [RESOURCES]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: NAME-payer},
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME-payer},
  subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: NAME-payer}]}
";

fn partial(lab: &Lab) {
    let service = lab.service("payer");
    service.deploy("stable");
    let user = format!("{}-payer", service.name);
    let asked = |args: &[&str]| {
        service.shardctl(&[&["costs", &service.name, "--as", &user, "-o", "json"], args].concat())
    };
    service.apply(&ROLE.replace("RESOURCES", "nodes, pods, statefulsets, daemonsets"));
    let report = eventually(|| {
        let run = asked(&[]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        if run.code == 0 && nodes(&report) == 1 { Ok(report) } else { Err(format!("{run:?}")) }
    });
    assert_eq!(report["totals"]["nodesPerMonth"]["usd"], 735.84, "{report:#}");
    let unknown: Vec<&str> = report["unknown"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|one| one["forbidden"] == true)
        .filter_map(|one| one["asked"].as_str())
        .collect();
    for part in ["list node pools", "list persistent volumes", "list the runs of"] {
        assert!(unknown.iter().any(|asked| asked.starts_with(part)), "{part}: {report:#}");
    }
    // Without nodes there is nothing to add up.
    service.apply(&ROLE.replace("RESOURCES", "pods, statefulsets"));
    let run = eventually(|| {
        let run = asked(&[]);
        if run.code == 1 && run.stdout.contains("CostReport") { Ok(run) } else { Err(format!("{run:?}")) }
    });
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(nodes(&report), 0, "{report:#}");
    let table = service.shardctl(&["costs", &service.name, "--as", &user]).ended(1);
    table.said("its nodes are not known").said("forbidden");
    service
        .shardctl(&["costs", "--all", "--as", "nobody"])
        .ended(1)
        .said("the cluster: its nodes are not known");
}
