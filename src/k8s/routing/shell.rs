//! A shell in a shard: where it begins, and why it may not.

use k8s_openapi::api::core::v1::Pod as CorePod;
use kube::Api;
use kube::api::{AttachParams, AttachedProcess};

use crate::domain::names::PodName;
use crate::domain::snapshot::Snapshot;
use crate::k8s::client::Cluster;
use crate::k8s::error::{Failure, RequestError};

impl Cluster {
    /// Begins a shell in a container of a pod.
    pub(super) async fn begin_shell(
        &self,
        namespace: &str,
        pod: &PodName,
        container: Option<&str>,
    ) -> Result<AttachedProcess, RequestError> {
        let api: Api<CorePod> = Api::namespaced(self.client.clone(), namespace);
        let parameters = AttachParams::default().stdin(true).stdout(true).stderr(true);
        let parameters = match container {
            Some(container) => parameters.container(container),
            None => parameters,
        };
        api.exec(pod.as_str(), ["sh"], &parameters).await.map_err(|error| {
            let mut error = RequestError::from_kube("exec", &error);
            if error.failure == Failure::Forbidden {
                "you may not exec into it (create pods/exec)".clone_into(&mut error.message);
            }
            error
        })
    }
}

/// Why no shell began, in short.
pub(super) fn why_no_shell(said: &str) -> String {
    let lower = said.to_lowercase();
    if lower.contains("not found") || lower.contains("no such file") {
        "its image has no shell".to_owned()
    } else {
        // Each server on the way puts its own words before those of the next.
        let said = said.trim().rsplit(": ").next().unwrap_or_default();
        format!("exec failed: {said}")
    }
}

/// The container to ask from: what the pods name as theirs, or the one with the port; else the first.
pub(super) fn container(snapshot: &Snapshot, port: u16) -> Option<String> {
    let template = &snapshot.workload.template;
    let named = template.annotations.get("kubectl.kubernetes.io/default-container").cloned();
    let with_port = || template.containers.iter().find(|one| one.ports.iter().any(|its| its.port == port));
    named.or_else(|| Some(with_port().or_else(|| template.containers.first())?.name.clone()))
}
