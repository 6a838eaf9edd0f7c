//! What can be wrong with budgets, services, claims and autoscalers.

use super::{Case, all, each_is_found_and_mended};
use crate::Test;
use crate::lab::{Lab, Service};

pub const TESTS: &[Test] = &[
    ("verify::surroundings::faults_of_budgets_and_services_are_found", budgets_and_services),
    ("verify::surroundings::faults_of_autoscalers_are_found", autoscalers),
    ("verify::surroundings::faults_of_storage_are_found", storage),
    ("verify::surroundings::claims_made_before_the_service_are_found", claims_made_before),
];

/// Puts everything back that the file describes.
fn deploy(service: &Service<'_>) {
    service.deploy("stable");
}

fn patch_budget(service: &Service<'_>, patch: &str) {
    service.patch("pdb/NAME", patch);
}

#[rustfmt::skip]
const BUDGETS_AND_SERVICES: &[Case] = &[
    ("no budget", |s| { s.k("delete pdb/NAME"); }, &["pdb-exists"], deploy),
    ("a budget of nothing", |s| patch_budget(s, r#"{"spec":{"minAvailable":0}}"#), &["pdb-allowance"],
        |s| patch_budget(s, r#"{"spec":{"minAvailable":3}}"#)),
    ("a budget of one away", |s| patch_budget(s, r#"{"spec":{"minAvailable":null,"maxUnavailable":1}}"#),
        &["pdb-allowance"], |s| patch_budget(s, r#"{"spec":{"minAvailable":3,"maxUnavailable":null}}"#)),
    ("unhealthy pods stay", |s| patch_budget(s, r#"{"spec":{"unhealthyPodEvictionPolicy":"IfHealthyBudget"}}"#),
        &["pdb-unhealthy-eviction"], |s| patch_budget(s, r#"{"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}}"#)),
    ("a budget for others", |s| patch_budget(s, r#"{"spec":{"selector":{"matchLabels":{"app.kubernetes.io/component":"other"}}}}"#),
        &["pdb-exists"],
        |s| patch_budget(s, r#"{"spec":{"selector":{"matchLabels":{"app.kubernetes.io/component":"shard"}}}}"#)),
    ("two budgets", |s| s.apply(SECOND_BUDGET), &["pdb-single"], |s| { s.k("delete pdb/second"); }),
    ("no client service", |s| { s.k("delete service/NAME"); }, &["client-service"], deploy),
    ("sticky clients", |s| s.patch("service/NAME", r#"{"spec":{"sessionAffinity":"ClientIP"}}"#), &["session-affinity"],
        |s| s.patch("service/NAME", r#"{"spec":{"sessionAffinity":"None"}}"#)),
    ("no headless service", |s| { s.k("delete service/NAME-headless"); }, &["headless-service"], deploy),
    ("a headless service for others",
        |s| s.patch("service/NAME-headless", r#"{"spec":{"selector":{"app.kubernetes.io/component":"other"}}}"#),
        &["headless-service"],
        |s| s.patch("service/NAME-headless", r#"{"spec":{"selector":{"app.kubernetes.io/component":"shard"}}}"#)),
    ("ready names only", |s| s.patch("service/NAME-headless", r#"{"spec":{"publishNotReadyAddresses":false}}"#),
        &["headless-publishes-not-ready"],
        |s| s.patch("service/NAME-headless", r#"{"spec":{"publishNotReadyAddresses":true}}"#)),
    // It is on a shard's node, behind both services, and counted by the budget, which lets a shard go in its stead.
    ("a stranger with the shards' labels", |s| s.apply(STRANGER),
        &["service-selects-shards-only", "pdb-covers-shards-only", "pdb-allowance", "node-shared"],
        |s| { s.k("delete pod/stranger"); }),
];

const SECOND_BUDGET: &str = "{apiVersion: policy/v1, kind: PodDisruptionBudget,
  metadata: {name: second, namespace: NAME},
  spec: {minAvailable: 3, unhealthyPodEvictionPolicy: AlwaysAllow,
    selector: {matchLabels: {app.kubernetes.io/name: NAME}}}}";

const STRANGER: &str = "{apiVersion: v1, kind: Pod,
  metadata: {name: stranger, namespace: NAME,
    labels: {app.kubernetes.io/name: NAME, app.kubernetes.io/component: shard}},
  spec: {nodeSelector: {karpenter.sh/nodepool: NAME-stable}, tolerations: [{operator: Exists}],
    containers: [{name: main, image: registry.example/stranger:1.0.0}]}}";

fn budgets_and_services(lab: &Lab) {
    each_is_found_and_mended(lab, "around", BUDGETS_AND_SERVICES);
}

/// A VerticalPodAutoscaler of the shards in this mode; without one, in the API's default.
fn autoscale(service: &Service<'_>, policy: &str) {
    service.apply(&format!(
        "{{apiVersion: autoscaling.k8s.io/v1, kind: VerticalPodAutoscaler,
           metadata: {{name: advice, namespace: NAME}},
           spec: {{targetRef: {{apiVersion: apps/v1, kind: StatefulSet, name: NAME}}{policy}}}}}"
    ));
}

fn no_autoscaler(service: &Service<'_>) {
    service.k("delete vpa/advice");
}

#[rustfmt::skip]
const AUTOSCALERS: &[Case] = &[
    ("Auto", |s| autoscale(s, ", updatePolicy: {updateMode: Auto}"), &["vpa-evicts"], no_autoscaler),
    ("Recreate", |s| autoscale(s, ", updatePolicy: {updateMode: Recreate}"), &["vpa-evicts"], no_autoscaler),
    ("in place", |s| autoscale(s, ", updatePolicy: {updateMode: InPlaceOrRecreate}"), &["vpa-evicts"], no_autoscaler),
    ("nothing said", |s| autoscale(s, ""), &["vpa-evicts"], no_autoscaler),
    ("Initial", |s| autoscale(s, ", updatePolicy: {updateMode: Initial}"), &["vpa-initial"], no_autoscaler),
    ("advice only", |s| autoscale(s, ", updatePolicy: {updateMode: \"Off\"}"), &[], no_autoscaler),
];

fn autoscalers(lab: &Lab) {
    each_is_found_and_mended(lab, "vpa", AUTOSCALERS);
}

/// A storage class of the service's own, so that other services do not see what becomes of it.
fn make_class(service: &Service<'_>, binding: &str, reclaim: &str) {
    service.apply(&format!(
        "{{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {{name: NAME-class}},
           provisioner: kubernetes.io/host-path, allowVolumeExpansion: true,
           volumeBindingMode: {binding}, reclaimPolicy: {reclaim}}}"
    ));
}

fn delete_class(service: &Service<'_>) {
    service.k("delete storageclass/NAME-class");
}

fn remake_class(service: &Service<'_>, binding: &str, reclaim: &str) {
    delete_class(service);
    make_class(service, binding, reclaim);
}

const LATE: &str = "WaitForFirstConsumer";

/// The volume of a shard, as kubectl names it.
fn volume_of(service: &Service<'_>, ordinal: u32) -> String {
    let name = &service.name;
    let claim = service.get(&format!("pvc/{name}-data-{name}-{ordinal}"));
    format!("pv/{}", claim["spec"]["volumeName"].as_str().expect("a bound claim"))
}

fn set_reclaim(service: &Service<'_>, policy: &str) {
    let volume = volume_of(service, 1);
    service.patch(&volume, &format!(r#"{{"spec":{{"persistentVolumeReclaimPolicy":"{policy}"}}}}"#));
}

/// Says that a shard's volume is in a zone. It can be said once.
fn place_volume(service: &Service<'_>, ordinal: u32, zone: &str) {
    service.patch(
        &volume_of(service, ordinal),
        &format!(
            r#"{{"spec":{{"nodeAffinity":{{"required":{{"nodeSelectorTerms":[{{"matchExpressions":[
               {{"key":"topology.kubernetes.io/zone","operator":"In","values":["{zone}"]}}]}}]}}}}}}}}"#
        ),
    );
}

#[rustfmt::skip]
const STORAGE: &[Case] = &[
    ("volumes go with their claims", |s| set_reclaim(s, "Delete"), &["volume-reclaim-policy"], |s| set_reclaim(s, "Retain")),
    ("no class", delete_class, &["storage-class-exists"], |s| make_class(s, LATE, "Retain")),
    ("immediate", |s| remake_class(s, "Immediate", "Retain"), &["storage-class-binding"],
        |s| remake_class(s, LATE, "Retain")),
    ("new volumes go with their claims", |s| remake_class(s, LATE, "Delete"), &["storage-class-reclaim-policy"],
        |s| remake_class(s, LATE, "Retain")),
    ("the pool is in other zones than a volume", |s| {
        let node = s.get(&s.node_of(0));
        let zone = node["metadata"]["labels"]["topology.kubernetes.io/zone"].as_str().expect("a zone");
        place_volume(s, 0, zone);
        s.patch("nodepool/NAME-stable", &format!(r#"[{{"op":"add","path":"/spec/template/spec/requirements/-",
            "value":{{"key":"topology.kubernetes.io/zone","operator":"NotIn","values":["{zone}"]}}}}]"#));
    }, &["volume-zone"], |s| s.patch("nodepool/NAME-stable", r#"[{"op":"remove","path":"/spec/template/spec/requirements/4"}]"#)),
];

fn storage(lab: &Lab) {
    let mut service = lab.service("storage");
    service.edit(
        "storageClassName: managed-csi-premium-retain",
        &format!("storageClassName: {}-class", service.name),
    );
    make_class(&service, LATE, "Retain");
    service.deploy("stable");
    all(&service, STORAGE);
    // What cannot be mended comes last, one fault on top of the other.
    service.k("delete pvc/NAME-data-NAME-2 --wait=false");
    service.expect("a claim asked to go", &["claim-deleting"]);
    place_volume(&service, 1, "nowhere-1");
    service.expect("a volume elsewhere", &["claim-deleting", "volume-reachable"]);
    service.let_go("pvc/NAME-data-NAME-2");
    service.expect("a claim that is gone", &["claim-exists", "volume-reachable"]);
}

fn claims_made_before(lab: &Lab) {
    let service = lab.service("claims");
    service.lab.kubectl(&["create", "namespace", &service.name]);
    for (ordinal, class, size) in
        [(0, "managed-csi-premium-retain", "50Gi"), (1, "managed-csi-premium", "100Gi")]
    {
        service.apply(&format!(
            "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: NAME-data-NAME-{ordinal}, namespace: NAME}},
               spec: {{accessModes: [ReadWriteOnce], storageClassName: {class},
                 resources: {{requests: {{storage: {size}}}}}}}}}"
        ));
    }
    service.deploy("stable");
    let report = service.expect(
        "claims of another size and class",
        &["claim-size", "claim-storage-class", "volume-reclaim-policy", "storage-class-reclaim-policy"],
    );
    let object = |check: &str| {
        let findings = report["findings"].as_array().expect("a list");
        let found: Vec<&str> = findings
            .iter()
            .filter(|one| one["check"] == check)
            .filter_map(|one| one["object"].as_str())
            .collect();
        found.join(" ")
    };
    let name = &service.name;
    assert_eq!(object("claim-size"), format!("pvc/{name}-data-{name}-0"));
    assert_eq!(object("claim-storage-class"), format!("pvc/{name}-data-{name}-1"));
}
