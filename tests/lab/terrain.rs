//! What a proof of a rolling operation reads, and what it makes of it.

use std::collections::BTreeSet;
use std::time::Duration;

use shardctl::domain::names::{NodeName, NodePoolName, WorkloadRef};
use shardctl::domain::quantity::Quantity;
use shardctl::domain::rolling::proof::{Proof, Refusal, Request, Terrain, prove};
use shardctl::domain::snapshot::{
    AntiAffinity, NODE_POOL_LABEL, NodeExpression, PodTemplate, Snapshot, Toleration,
};
use shardctl::k8s::{Cluster, ConnectOptions, Scope};

use crate::Test;
use crate::lab::{Lab, Service, eventually};

/// The tests of this file.
pub const TESTS: &[Test] = &[("terrain::a_move_is_proved_from_what_the_server_says", proved)];

/// What stands around: a pool to go to with a cordoned node, daemons, a quota and a limit on disks.
const AROUND: &str = "
{apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: NAME-target}, spec: {
  limits: {nodes: 2}, disruption: {consolidateAfter: Never}, template: {spec: {
    nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}, expireAfter: Never,
    taints: [{key: moving, value: day, effect: NoSchedule}],
    requirements: [{key: node.kubernetes.io/instance-type, operator: In, values: [Standard_E20s_v5]}]}}}}
---
{apiVersion: v1, kind: Node, metadata: {name: NAME-idle, labels: {karpenter.sh/nodepool: NAME-target}}, spec: {unschedulable: true}}
---
{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: NAME-idle}, spec: {drivers: [
  {name: disk.csi.azure.com, nodeID: NAME-idle, allocatable: {count: 7}}, {name: file.csi.azure.com, nodeID: NAME-idle}]}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: NAME},
  spec: {selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}},
    spec: {nodeSelector: {karpenter.sh/nodepool: NAME-target}, tolerations: [{key: moving, operator: Exists}],
      containers: [{name: main, image: registry.example/agent:1.0.0,
        resources: {requests: {cpu: 500m, memory: 6Gi}}}]}}}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: most, namespace: NAME}, spec: {hard: {pods: 20}}}";

/// The snapshot and terrain of moving the service to pool NAME-target, read with the lab's rights.
fn read(service: &Service<'_>) -> (Snapshot, Terrain, PodTemplate) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let options = ConnectOptions {
        kubeconfig: service.lab.shardctl.kubeconfig.clone(),
        namespace: Some(service.name.clone()),
        request_timeout: Duration::from_secs(20),
        is_local: true,
        ..ConnectOptions::default()
    };
    let target = target(service);
    runtime.block_on(async {
        let cluster = Cluster::connect(&options, None).await.expect("a connection");
        let workload = WorkloadRef { namespace: service.name.clone(), name: service.name.clone() };
        let scope = Scope { nodes: true, surroundings: true, ..Scope::default() };
        let mut snapshot = cluster.snapshot(&workload, scope).await.expect("a snapshot");
        let mut template = snapshot.workload.template.clone();
        template.node_terms = vec![vec![NodeExpression {
            key: NODE_POOL_LABEL.to_owned(),
            operator: "In".to_owned(),
            values: vec![target.to_string()],
        }]];
        template.tolerations.push(Toleration {
            key: Some("moving".to_owned()),
            operator: "Exists".to_owned(),
            ..Toleration::default()
        });
        let terrain = cluster.terrain(&mut snapshot, &template, Some(&target)).await;
        (snapshot, terrain, template)
    })
}

fn target(service: &Service<'_>) -> NodePoolName {
    NodePoolName::new(format!("{}-target", service.name))
}

fn proof(
    service: &Service<'_>,
    snapshot: &Snapshot,
    terrain: &Terrain,
    template: &PodTemplate,
) -> Result<Proof, Box<Refusal>> {
    let request = Request {
        template,
        waves: &[vec![0], vec![1, 2]],
        target_pool: Some(&target(service)),
        avoid_nodes: &BTreeSet::new(),
        makes_room_first: true,
    };
    prove(snapshot, terrain, &request).map_err(Box::new)
}

fn proved(lab: &Lab) {
    let service = lab.service("terrain");
    service.deploy("explore");
    lab.apply(&AROUND.replace("NAME", &service.name));
    // Karpenter says of a new pool that it is ready after a moment.
    let (snapshot, terrain, template) = eventually(|| {
        let read = read(&service);
        let pools = read.0.node_pools.as_ref().expect("node pools");
        let pool = pools.iter().find(|pool| pool.name == target(&service)).expect("the target");
        let is_ready = pool.conditions.get("Ready").is_some_and(|(holds, _)| *holds);
        if is_ready { Ok(read) } else { Err(format!("{:?}", pool.conditions)) }
    });
    let agents =
        terrain.daemon_sets.as_ref().expect("daemonsets").iter().filter(|set| set.namespace == service.name);
    let [agent] = agents.collect::<Vec<_>>()[..] else { panic!("{:?}", terrain.daemon_sets) };
    assert_eq!((agent.name.as_str(), agent.requests.memory.to_string()), ("agent", "6Gi".to_owned()));
    assert_eq!((agent.tolerations.len(), agent.node_terms.len()), (1, 1));
    let quotas = terrain.quotas.as_ref().expect("quotas");
    assert_eq!(quotas[0].hard["pods"], Quantity::whole(20));
    let idle = NodeName::new(format!("{}-idle", service.name));
    let limits = &terrain.attach_limits.as_ref().expect("attach limits")[&idle];
    assert_eq!(
        limits.iter().map(|(driver, most)| (driver.as_str(), *most)).collect::<Vec<_>>(),
        [("disk.csi.azure.com", 7)]
    );
    assert!(snapshot.node(&idle).is_some_and(|node| node.is_cordoned));
    assert!(snapshot.node_classes.as_ref().expect("node classes").contains_key(&target(&service)));
    assert_eq!(terrain.pool_nodes, Ok(()));

    // 137.3Gi less 6Gi holds four shards; the idle node takes one of the two nodes that the limit allows.
    let proof_of = |template: &PodTemplate| proof(&service, &snapshot, &terrain, template);
    let proof = proof_of(&template).expect("a proof");
    let ends: Vec<String> = proof.steps.iter().map(|step| step.destination.to_string()).collect();
    assert_eq!(ends, ["new node 1, a Standard_E20s_v5"; 3]);
    let mut apart = template.clone();
    apart.anti_affinity =
        vec![AntiAffinity { topology_key: "kubernetes.io/hostname".to_owned(), selects_own: true }];
    let refusal = proof_of(&apart).expect_err("a refusal").to_string();
    assert!(
        refusal.starts_with(&format!("step 2 of 3: {}-1 needs 4 CPU and 32Gi of memory", service.name)),
        "{refusal}"
    );
    assert!(refusal.contains("has limit nodes 2 and 0 left"), "{refusal}");
    lab.kubectl_with_input(&["delete", "--wait=false", "-f", "-"], &AROUND.replace("NAME", &service.name));
}
