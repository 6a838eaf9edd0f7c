//! Fills a lab with nodes and pods of other people, beside the service that is looked at.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{DaemonSet, StatefulSet};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod, Service};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::lab::{Lab, shardctl};

/// Namespaces that the filling pods are spread over.
const NAMESPACES: usize = 20;
/// Requests under way while a cluster is filled.
const AT_ONCE: usize = 48;
/// How long pods may take to run before the benchmark gives up.
const PATIENCE: Duration = Duration::from_mins(5);

impl Lab {
    /// Resident memory of all its processes in bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        let output = Command::new(shardctl()).args(["lab", "status", "-o", "json"]).output()?;
        let labs: Value = serde_json::from_slice(&output.stdout)?;
        let lab =
            labs["items"].as_array().into_iter().flatten().find(|lab| lab["name"] == self.name.as_str());
        let components = lab.and_then(|lab| lab["components"].as_array()).context("the lab is not listed")?;
        Ok(components.iter().filter_map(|component| component["residentMemoryBytes"].as_u64()).sum())
    }

    /// Deploys a service of ten shards with three DaemonSets beside it, as clusters have.
    pub async fn deploy(&self, home: &Path) -> anyhow::Result<()> {
        let client = self.client().await?;
        for name in ["network", "storage", "logs"] {
            create_in::<DaemonSet>(&client, "kube-system", daemon_set(name)).await?;
        }
        let init = Command::new(shardctl())
            .args(["init", "--name", "demo", "--image", "registry.example/demo:1.0.0"])
            .args(["--node-class", "KWOKNodeClass.karpenter.kwok.sh/default"])
            .output()?;
        let file = home.join("demo.yaml");
        std::fs::write(&file, init.stdout)?;
        let deploy = Command::new(shardctl())
            .env("HOME", home)
            .args(["deploy", "--phase", "explore", "--yes", "--timeout", "3m", "--kubeconfig"])
            .arg(&self.kubeconfig)
            .arg("-f")
            .arg(&file)
            .stdin(Stdio::null())
            .output()?;
        ensure!(deploy.status.success(), "deploy failed:\n{}", String::from_utf8_lossy(&deploy.stderr));
        self.wait_until_healthy("demo").await
    }

    /// Fills the cluster up with nodes and pods of others, until it has so many in all and every pod runs.
    pub async fn fill_up_to(&self, nodes: usize, pods: usize) -> anyhow::Result<()> {
        let client = self.client().await?;
        wait_until_running(&client, "kube-system").await?;
        let all_nodes: Api<Node> = Api::all(client.clone());
        let all_pods: Api<Pod> = Api::all(client.clone());
        let everything = ListParams::default();
        let more_nodes = nodes - all_nodes.list_metadata(&everything).await?.items.len();
        let more_pods = pods - all_pods.list_metadata(&everything).await?.items.len();
        for number in 0..NAMESPACES.min(more_pods) {
            create_namespace(&client, &format!("team-{number}")).await?;
        }
        stream::iter(0..more_nodes)
            .map(|node| fill_node(&client, node, (node..more_pods).step_by(more_nodes)))
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        wait_until_running(&client, "").await
    }

    /// Runs a StatefulSet of so many shards in a namespace of its own, on big nodes.
    pub async fn run_shards(&self, namespace: &str, shards: usize) -> anyhow::Result<()> {
        /// What a big node holds.
        const SHARDS_OF_A_NODE: usize = 25;
        let client = self.client().await?;
        let nodes: Api<Node> = Api::all(client.clone());
        for number in 0..shards.div_ceil(SHARDS_OF_A_NODE) {
            create(&nodes, big_node(number)).await?;
        }
        create_namespace(&client, namespace).await?;
        create_in::<Service>(&client, namespace, headless_service()).await?;
        create_in::<StatefulSet>(&client, namespace, stateful_set(shards)).await?;
        self.wait_until_healthy(namespace).await
    }

    /// Waits until every shard of the only set in the namespace is ready and answers.
    async fn wait_until_healthy(&self, namespace: &str) -> anyhow::Result<()> {
        let start = Instant::now();
        loop {
            let mut status = Command::new(shardctl());
            status
                .args(["status", "-n", namespace, "--kubeconfig"])
                .arg(&self.kubeconfig)
                .stdin(Stdio::null());
            let status = status.output()?;
            if status.status.success() {
                return Ok(());
            }
            let answer = String::from_utf8_lossy(&status.stdout).into_owned();
            ensure!(start.elapsed() < PATIENCE, "the shards do not start: {answer}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn client(&self) -> anyhow::Result<Client> {
        let file = Kubeconfig::read_from(&self.kubeconfig)?;
        Ok(Client::try_from(Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?)?)
    }
}

async fn create<K>(api: &Api<K>, object: Value) -> anyhow::Result<()>
where
    K: Clone + DeserializeOwned + serde::Serialize + std::fmt::Debug,
{
    let object: K = serde_json::from_value(object)?;
    let start = Instant::now();
    loop {
        match api.create(&PostParams::default(), &object).await {
            Ok(_) => return Ok(()),
            // The service account of a new namespace is not there yet.
            Err(kube::Error::Api(status)) if status.code == 403 && start.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn create_in<K>(client: &Client, namespace: impl AsRef<str>, object: Value) -> anyhow::Result<()>
where
    K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    K: Clone + DeserializeOwned + serde::Serialize + std::fmt::Debug,
{
    create::<K>(&Api::namespaced(client.clone(), namespace.as_ref()), object).await
}

async fn create_namespace(client: &Client, name: &str) -> anyhow::Result<()> {
    create::<Namespace>(&Api::all(client.clone()), json!({ "metadata": { "name": name } })).await
}

/// Waits until every pod of the namespace runs; the empty name means all namespaces.
async fn wait_until_running(client: &Client, namespace: &str) -> anyhow::Result<()> {
    let api: Api<Pod> = match namespace {
        "" => Api::all(client.clone()),
        namespace => Api::namespaced(client.clone(), namespace),
    };
    let waiting = ListParams::default().fields("status.phase!=Running").limit(1);
    let start = Instant::now();
    loop {
        let page = api.list_metadata(&waiting).await?;
        let Some(pod) = page.items.first() else { return Ok(()) };
        ensure!(start.elapsed() < PATIENCE, "pod {:?} does not start", pod.metadata.name);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Makes pods that run, and then their node. In this order and with their status set, kwok has nothing left to do for
/// them: it would need a quarter of an hour for ten thousand.
async fn fill_node(client: &Client, node: usize, pods: impl Iterator<Item = usize>) -> anyhow::Result<()> {
    for number in pods {
        let namespace = format!("team-{}", number % NAMESPACES);
        let pod = filling_pod(number, node);
        let name = pod["metadata"]["name"].as_str().context("a pod has a name")?.to_owned();
        create_in::<Pod>(client, &namespace, pod).await?;
        let api: Api<Pod> = Api::namespaced(client.clone(), &namespace);
        let status = Patch::Merge(json!({ "status": running(number) }));
        api.patch_status(&name, &PatchParams::default(), &status).await?;
    }
    create::<Node>(&Api::all(client.clone()), filling_node(node)).await
}

/// The status of a pod that runs.
fn running(number: usize) -> Value {
    const SINCE: &str = "2026-06-01T08:00:00Z";
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"]
        .map(|kind| json!({ "type": kind, "status": "True", "lastTransitionTime": SINCE }));
    let address = format!("10.64.{}.{}", number / 250, number % 250 + 1);
    json!({
        "phase": "Running",
        "startTime": SINCE,
        "podIP": address,
        "podIPs": [{ "ip": address }],
        "conditions": conditions,
        "containerStatuses": [{
            "name": "web",
            "image": format!("registry.example/team/web-{}:2.14.1", number % 100),
            "imageID": format!("registry.example/team/web@sha256:{number:064x}"),
            "containerID": format!("containerd://{number:064x}"),
            "restartCount": 0,
            "ready": true,
            "started": true,
            "state": { "running": { "startedAt": SINCE } },
        }],
    })
}

fn filling_node(number: usize) -> Value {
    let name = format!("filling-{number}");
    let room = json!({ "cpu": "7820m", "memory": "28Gi", "pods": "110", "ephemeral-storage": "119Gi" });
    json!({
        "metadata": {
            "name": name,
            "annotations": { "kwok.x-k8s.io/node": "fake" },
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": "Standard_D8s_v5",
                "topology.kubernetes.io/region": "eastus",
                "topology.kubernetes.io/zone": format!("eastus-{}", number % 3 + 1),
            },
        },
        "spec": { "taints": [{ "key": "team", "value": "others", "effect": "NoSchedule" }] },
        "status": {
            "allocatable": room,
            "capacity": room,
            "conditions": [{ "type": "Ready", "status": "True", "reason": "KubeletReady" }],
        },
    })
}

fn filling_pod(number: usize, node: usize) -> Value {
    let labels = json!({
        "app.kubernetes.io/name": format!("web-{}", number % 100),
        "app.kubernetes.io/instance": "production",
        "pod-template-hash": format!("{:09x}", number % 100),
    });
    json!({
        "metadata": { "name": format!("web-{number}"), "labels": labels },
        "spec": {
            "nodeName": format!("filling-{node}"),
            "containers": [{
                "name": "web",
                "image": format!("registry.example/team/web-{}:2.14.1", number % 100),
                "env": [{ "name": "LOG_LEVEL", "value": "info" }, { "name": "REGION", "value": "eastus" }],
                "resources": {
                    "requests": { "cpu": "250m", "memory": "512Mi" },
                    "limits": { "memory": "1Gi" },
                },
            }],
        },
    })
}

fn daemon_set(name: &str) -> Value {
    let labels = json!({ "app": name });
    let on_machines =
        json!([{ "matchExpressions": [{ "key": "karpenter.sh/nodepool", "operator": "Exists" }] }]);
    let node_affinity =
        json!({ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": on_machines } });
    json!({
        "metadata": { "name": name },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": {
                    "affinity": { "nodeAffinity": node_affinity },
                    "tolerations": [{ "operator": "Exists" }],
                    "containers": [{
                        "name": name,
                        "image": format!("registry.example/{name}:1.0.0"),
                        "resources": { "requests": { "cpu": "50m", "memory": "64Mi" } },
                    }],
                },
            },
        },
    })
}

fn big_node(number: usize) -> Value {
    let mut node = filling_node(number);
    node["metadata"]["name"] = json!(format!("big-{number}"));
    node["metadata"]["labels"]["kubernetes.io/hostname"] = json!(format!("big-{number}"));
    node["metadata"]["labels"]["bench"] = json!("many");
    let room = json!({ "cpu": "95", "memory": "640Gi", "pods": "250", "ephemeral-storage": "119Gi" });
    // kwok adds the rest, with the address that port-forwards go to.
    node["status"] = json!({ "allocatable": room, "capacity": room });
    node
}

fn headless_service() -> Value {
    json!({
        "metadata": { "name": "many" },
        "spec": { "clusterIP": "None", "selector": { "app": "many" }, "ports": [{ "port": 8080 }] },
    })
}

fn stateful_set(shards: usize) -> Value {
    let probe = |path: &str| json!({ "httpGet": { "path": path, "port": 8080 } });
    let amount = json!({ "cpu": "2", "memory": "16Gi" });
    json!({
        "metadata": { "name": "many" },
        "spec": {
            "replicas": shards,
            "serviceName": "many",
            "podManagementPolicy": "Parallel",
            "updateStrategy": { "type": "OnDelete" },
            "selector": { "matchLabels": { "app": "many" } },
            "template": {
                "metadata": { "labels": { "app": "many" } },
                "spec": {
                    "nodeSelector": { "bench": "many" },
                    "tolerations": [{ "key": "team", "operator": "Exists" }],
                    "containers": [{
                        "name": "shard",
                        "image": "registry.example/many:1.0.0",
                        "ports": [{ "containerPort": 8080 }],
                        "startupProbe": probe("/health/startup"),
                        "readinessProbe": probe("/health/readiness"),
                        "resources": { "requests": amount, "limits": amount },
                    }],
                },
            },
        },
    })
}
