//! The part of `shardctl lab up` that is about nodes.
//!
//! 1. Start every node once the API server is ready. Earlier it would refuse them their rights, and they would wait long
//!    before they ask again.
//! 2. Apply what the lab is furnished with.
//! 3. Wait until every node is Ready and has the way to the API server's service, for the same reason: then start CoreDNS.
//! 4. Wait for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use super::RealLab;
use super::node::Node;
use crate::error::CommandError;
use crate::k8s::Cluster;
use crate::lab::objects;
use crate::lab::process::Part;
use crate::lab::starting::{POLL, Starting};

/// A process that is started does not run its program yet: on a busy machine this takes a moment.
const BIRTH: Duration = Duration::from_secs(2);

/// What a lab that is being started waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    ApiServer,
    Nodes,
    Dns,
}

/// Starts nodes and DNS, and waits until both serve.
///
/// # Errors
/// When something dies, or takes too long.
pub async fn furnish(starting: &Starting<'_>, client: &Cluster, lab: &RealLab) -> Result<(), CommandError> {
    wait(starting, client, lab, Waiting::ApiServer).await?;
    for node in lab.nodes() {
        node.start_stopped()?;
    }
    let mut first = objects::definitions(lab.build())?;
    for text in RealLab::first_objects() {
        first.extend(objects::parse(text)?);
    }
    starting.apply(client, &first).await?;
    wait(starting, client, lab, Waiting::Nodes).await?;
    starting.apply(client, &objects::parse(&RealLab::dns_objects())?).await?;
    wait(starting, client, lab, Waiting::Dns).await
}

async fn wait(
    starting: &Starting<'_>,
    client: &Cluster,
    lab: &RealLab,
    what: Waiting,
) -> Result<(), CommandError> {
    let mut missed: BTreeMap<String, Instant> = BTreeMap::new();
    loop {
        let problem = match what {
            Waiting::ApiServer => client.probe("/readyz").await.err().map(|error| error.to_string()),
            Waiting::Nodes => nodes_not_ready(client, lab).await,
            Waiting::Dns => dns_not_ready(client).await,
        };
        let Some(problem) = problem else { return Ok(()) };
        let gone = if what == Waiting::ApiServer { Vec::new() } else { stopped(lab) };
        missed.retain(|name, _| gone.iter().any(|part| part.name == *name));
        let mut dead = Vec::new();
        for part in gone {
            if missed.entry(part.name.clone()).or_insert_with(Instant::now).elapsed() > BIRTH {
                dead.push(part);
            }
        }
        starting.check_parts(&dead)?;
        starting.check_time(&problem)?;
        sleep(POLL * 4).await;
    }
}

/// What of the nodes should run and does not.
fn stopped(lab: &RealLab) -> Vec<Part> {
    let parts = lab
        .nodes()
        .flat_map(|node| if node.has_started() { node.parts() } else { vec![node.starting_part()] });
    parts.filter(|part| part.pid.is_none()).collect()
}

async fn nodes_not_ready(client: &Cluster, lab: &RealLab) -> Option<String> {
    let list = match client.get_path("/api/v1/nodes").await {
        Ok(list) => list,
        Err(error) => return Some(error.to_string()),
    };
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let is_ready = |name: &str| {
        items.iter().any(|node| node["metadata"]["name"] == name && has_condition(node, "Ready"))
    };
    let names = |wanted: &dyn Fn(&Node<'_>) -> bool| -> Vec<_> {
        lab.nodes().filter(wanted).map(|node| node.name()).collect()
    };
    let waiting = names(&|node| !is_ready(&node.name()));
    if !waiting.is_empty() {
        return Some(format!("not ready: {}", waiting.join(", ")));
    }
    let without = names(&|node| !node.has_services());
    (!without.is_empty()).then(|| format!("kube-proxy has done nothing on {}", without.join(", ")))
}

async fn dns_not_ready(client: &Cluster) -> Option<String> {
    let path = "/apis/apps/v1/namespaces/kube-system/deployments/coredns";
    let deployment = match client.get_path(path).await {
        Ok(deployment) => deployment,
        Err(error) => return Some(error.to_string()),
    };
    let (wanted, ready) = (&deployment["spec"]["replicas"], &deployment["status"]["readyReplicas"]);
    let is_current = deployment["metadata"]["generation"] == deployment["status"]["observedGeneration"];
    (!is_current || wanted != ready).then(|| "not ready: coredns".to_owned())
}

fn has_condition(object: &Value, wanted: &str) -> bool {
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == wanted && condition["status"] == "True")
}
