//! The objects that a lab is furnished with, and where each belongs in the API.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use super::components::{MANIFESTS, Manifest};
use super::kwokctl::fill;
use super::layout::BuildFolder;
use super::ports::Ports;
use crate::error::CommandError;
use crate::k8s::{Cluster, RequestError};

/// Name under which the lab's own objects are recorded.
const FIELD_MANAGER: &str = "shardctl-lab";

/// An object and its path in the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub path: String,
    pub yaml: String,
}

/// The kinds that a lab is furnished with: kind, plural, namespaced.
const KINDS: [(&str, &str, bool); 12] = [
    ("CustomResourceDefinition", "customresourcedefinitions", false),
    ("APIService", "apiservices", false),
    ("Service", "services", true),
    ("ServiceAccount", "serviceaccounts", true),
    ("ConfigMap", "configmaps", true),
    ("Deployment", "deployments", true),
    ("ClusterRole", "clusterroles", false),
    ("ClusterRoleBinding", "clusterrolebindings", false),
    ("StorageClass", "storageclasses", false),
    ("KWOKNodeClass", "kwoknodeclasses", false),
    ("Metric", "metrics", false),
    ("ClusterResourceUsage", "clusterresourceusages", false),
];

/// Splits a file into objects.
///
/// # Errors
/// When a document is no object of a kind that the lab knows.
pub fn parse(text: &str) -> anyhow::Result<Vec<Object>> {
    text.split("\n---")
        .map(|document| document.trim_start_matches("---"))
        .filter(|document| document.lines().any(|line| !line.trim().is_empty() && !line.starts_with('#')))
        .map(|document| {
            let value: Value =
                serde_saphyr::from_str(document).context("an object of the lab is not YAML")?;
            Ok(Object { path: path(&value)?, yaml: document.to_owned() })
        })
        .collect()
}

fn path(object: &Value) -> anyhow::Result<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let version = text(&object["apiVersion"]).context("an object of the lab has no apiVersion")?;
    let kind = text(&object["kind"]).context("an object of the lab has no kind")?;
    let name = text(&object["metadata"]["name"]).context("an object of the lab has no name")?;
    let (_, plural, namespaced) = KINDS
        .iter()
        .find(|(known, ..)| *known == kind)
        .with_context(|| format!("the lab does not know the kind {kind}"))?;
    let root = if version.contains('/') { "apis" } else { "api" };
    let namespace = match text(&object["metadata"]["namespace"]) {
        Some(namespace) if *namespaced => format!("namespaces/{namespace}/"),
        _ => String::new(),
    };
    Ok(format!("/{root}/{version}/{namespace}{plural}/{name}"))
}

/// The kinds that Karpenter and the VPA recommender need before they start.
///
/// # Errors
/// When a file of the build is missing or unreadable.
pub fn definitions(build: &BuildFolder) -> Result<Vec<Object>, CommandError> {
    from_manifests(build, |manifest| !is_metric(manifest))
}

/// What to measure of simulated pods, and how much they seem to use.
///
/// # Errors
/// When a file of the build is missing or unreadable.
pub fn metrics(build: &BuildFolder) -> Result<Vec<Object>, CommandError> {
    from_manifests(build, is_metric)
}

fn is_metric(manifest: &Manifest) -> bool {
    manifest.path.starts_with("kustomize/metrics/")
}

fn from_manifests(
    build: &BuildFolder,
    wanted: impl Fn(&Manifest) -> bool,
) -> Result<Vec<Object>, CommandError> {
    let mut objects = Vec::new();
    for manifest in MANIFESTS.iter().filter(|manifest| wanted(manifest)) {
        let path = build.manifests().join(manifest.name());
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        objects.extend(parse(&text)?);
    }
    Ok(objects)
}

/// Storage classes, the node class, and the way to metrics-server.
///
/// # Errors
/// Never in practice: the templates are part of shardctl.
pub fn furniture(ports: &Ports, node_launch: Duration) -> Result<Vec<Object>, CommandError> {
    let words = [
        ("@METRICS_SERVER_PORT@", ports.metrics_server.to_string()),
        ("@NODE_LAUNCH@", format!("{}s", node_launch.as_secs())),
    ];
    let mut objects = Vec::new();
    for template in [
        include_str!("../../lab/objects/storage.yaml"),
        include_str!("../../lab/objects/metrics.yaml"),
        include_str!("../../lab/objects/karpenter.yaml"),
    ] {
        objects.extend(parse(&fill(template, &words))?);
    }
    Ok(objects)
}

/// Applies objects, all at once. One whose kind or namespace is still in the making is tried again until `deadline`.
///
/// # Errors
/// What the server said last.
pub async fn apply(client: &Cluster, objects: &[Object], deadline: Instant) -> Result<(), RequestError> {
    let work = objects.iter().map(|object| async move {
        loop {
            match client.apply_path(&object.path, &object.yaml, FIELD_MANAGER).await {
                Ok(()) => return Ok(()),
                Err(error) if error.may_pass_while_starting() && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error) => return Err(error),
            }
        }
    });
    futures::future::try_join_all(work).await.map(drop)
}

/// Waits until the server offers every kind that `definitions` define. A client that starts earlier may go without some
/// for ever: Karpenter then never finds the machine that belongs to a node.
///
/// # Errors
/// What is still missing at the `deadline`, or what the server said last.
pub async fn wait_until_served(
    client: &Cluster,
    definitions: &[Object],
    deadline: Instant,
) -> Result<(), CommandError> {
    let mut kinds = Vec::new();
    for object in definitions {
        let definition: Value =
            serde_saphyr::from_str(&object.yaml).context("an object of the lab is not YAML")?;
        kinds.extend(kinds_of(&definition));
    }
    loop {
        let answer = client.discovery().await;
        let mut missing = Vec::new();
        for kind in &kinds {
            // Clients ask one of two places, and these do not change at the same moment.
            let listed = matches!(&answer, Ok(discovery) if kind.is_offered(discovery));
            if !listed || !kind.is_listed(client).await {
                missing.push(kind);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            answer.context("ask what the API server offers")?;
            let names: Vec<_> = missing.iter().map(|kind| kind.resource.as_str()).collect();
            return Err(CommandError::failed(format!("the API server does not offer {}", names.join(", "))));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A kind as discovery lists it.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    group: String,
    version: String,
    resource: String,
}

/// The kinds of a custom resource definition: one for each version that it serves.
fn kinds_of(definition: &Value) -> Vec<Kind> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spec = &definition["spec"];
    spec["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["served"] == true)
        .map(|version| Kind {
            group: text(&spec["group"]),
            version: text(&version["name"]),
            resource: text(&spec["names"]["plural"]),
        })
        .collect()
}

impl Kind {
    /// Whether the list of its group and version has it.
    async fn is_listed(&self, client: &Cluster) -> bool {
        let path = format!("/apis/{}/{}", self.group, self.version);
        client.get_path(&path).await.is_ok_and(|list| {
            list["resources"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|resource| resource["name"] == self.resource.as_str())
        })
    }

    /// Whether the document of all groups has it.
    fn is_offered(&self, discovery: &Value) -> bool {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        list(&discovery["items"])
            .iter()
            .filter(|group| group["metadata"]["name"] == self.group.as_str())
            .flat_map(|group| list(&group["versions"]))
            .filter(|version| version["version"] == self.version.as_str())
            .flat_map(|version| list(&version["resources"]))
            .any(|resource| resource["resource"] == self.resource.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_of_the_lab_has_a_path() {
        let objects = furniture(&Ports::fixed(), Duration::from_secs(12)).unwrap();
        let paths: Vec<_> = objects.iter().map(|object| object.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/apis/storage.k8s.io/v1/storageclasses/standard",
                "/apis/storage.k8s.io/v1/storageclasses/managed-csi",
                "/apis/storage.k8s.io/v1/storageclasses/managed-csi-premium",
                "/apis/storage.k8s.io/v1/storageclasses/managed-csi-premium-retain",
                "/api/v1/namespaces/kube-system/services/metrics-server",
                "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io",
                "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses/default",
            ]
        );
        assert!(objects[6].yaml.contains("nodeRegistrationDelay: 12s"));
        assert!(objects.iter().all(|object| !object.yaml.contains('@')));
    }

    #[test]
    fn comments_and_empty_documents_are_no_objects() {
        assert!(parse("---\n# nothing\n---\n\n").unwrap().is_empty());
        assert!(parse("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n").is_err());
    }

    #[test]
    fn a_kind_is_looked_for_in_every_version_that_is_served() {
        let definition = serde_json::json!({ "spec": {
            "group": "karpenter.sh",
            "names": { "plural": "nodeclaims" },
            "versions": [{ "name": "v1", "served": true }, { "name": "v1beta1", "served": false }],
        }});
        let kinds = kinds_of(&definition);
        assert_eq!(kinds.len(), 1);
        let discovery = |resource: &str| {
            serde_json::json!({ "items": [{
                "metadata": { "name": "karpenter.sh" },
                "versions": [{ "version": "v1", "resources": [{ "resource": resource }] }],
            }]})
        };
        assert!(kinds[0].is_offered(&discovery("nodeclaims")));
        assert!(!kinds[0].is_offered(&discovery("nodepools")));
        assert!(!kinds[0].is_offered(&Value::Null));
    }
}
