//! A real cluster behind `ops::Cluster`: watches, writes that are sent once, the journal, the lock, the gate.

mod early;
mod journal;
mod lock;
mod view;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::client::{Cluster, FIELD_MANAGER};
use super::error::{Failure, RequestError};
use super::plan::manifest;
use super::snapshot::label_selector;
use crate::domain::names::{NodeName, NodePoolName};
use crate::domain::rolling::{ExactPod, Gate, ObjectRef, Observed, PatchOperation, Run, placeholder_labels};
use crate::domain::shardset::manifests::Manifest;
use crate::domain::snapshot::Snapshot;
use crate::ops::{self, Approved, CallError, CallFailure};
pub use journal::{Journalled, KEPT_RUNS, journal_name};
pub use lock::{Holder, Lock, Taken, lease_name};
use view::{Subject, View};

/// Shards asked at the same time, as for health.
const CONCURRENT_QUESTIONS: usize = 32;

/// A real cluster, for one run.
pub struct LiveCluster {
    cluster: Cluster,
    view: View,
    news: tokio::sync::Mutex<watch::Receiver<u64>>,
    lock: Lock,
    journal: journal::Journal,
}

impl LiveCluster {
    /// Watches the workload of `run` from what `snapshot` holds; `journalled` is the run as it was read, unless it is new.
    #[must_use]
    pub fn new(
        cluster: &Cluster,
        run: &Run,
        snapshot: &Snapshot,
        lock: Lock,
        journalled: Option<&Journalled>,
    ) -> Self {
        let own = snapshot.nodes.iter().flat_map(|nodes| nodes.values());
        let mut pools: BTreeSet<NodePoolName> = own.filter_map(|node| node.node_pool()).collect();
        pools.extend(run.goal.node_pool.clone());
        let emptied: BTreeSet<NodeName> = run.goal.avoid_nodes.clone();
        let subject = Subject {
            workload: run.workload.clone(),
            selector: label_selector(&snapshot.workload.selector),
            run: run.id.clone(),
            pools,
            emptied,
            early: early::Early::of(&run.policy.gate, snapshot),
        };
        let view = View::open(cluster, subject, snapshot);
        let journal = journal::Journal::new(cluster, &run.workload, journalled);
        Self { cluster: cluster.clone(), news: tokio::sync::Mutex::new(view.news()), view, lock, journal }
    }

    /// Ends the watches and returns the lock.
    #[must_use]
    pub fn into_lock(self) -> Lock {
        self.lock
    }
}

impl ops::Cluster for LiveCluster {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn seen(&self) -> Arc<Observed> {
        self.view.seen()
    }

    async fn look(&self) -> Result<(), CallError> {
        Ok(self.view.look().await?)
    }

    async fn changed(&self, until: Option<Timestamp>) {
        let mut news = self.news.lock().await;
        match until {
            None => drop(news.changed().await),
            Some(until) => {
                let left = Duration::try_from(until.duration_since(self.now())).unwrap_or_default();
                let _ = tokio::time::timeout(left, news.changed()).await;
            }
        }
    }

    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn holds_lock(&self) -> bool {
        self.lock.is_held()
    }

    async fn save(&self, run: &Run) -> Result<(), CallError> {
        Ok(self.journal.save(run).await?)
    }

    async fn ask(&self, gate: &Gate, pods: &[(u32, ExactPod)]) -> Vec<Result<(), String>> {
        stream::iter(pods)
            .map(|(_, pod)| self.cluster.ask_gate(gate, &pod.namespace, &pod.name))
            .buffered(CONCURRENT_QUESTIONS)
            .collect()
            .await
    }

    async fn read(&self, object: &ObjectRef) -> Result<Option<Value>, CallError> {
        Ok(self.cluster.live(&manifest(object)).await?)
    }

    async fn patch(
        &self,
        _: &Approved,
        object: &ObjectRef,
        operations: &[PatchOperation],
    ) -> Result<(), CallError> {
        let api = self.cluster.api(&manifest(object));
        let operation = format!("patch {object}");
        let patch = serde_json::to_value(operations)
            .and_then(serde_json::from_value)
            .map_err(|error| CallError::new(&operation, CallFailure::Refused, error.to_string()))?;
        let parameters =
            PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let patch = Patch::<()>::Json(patch);
        self.cluster.write(&operation, api.patch(&object.name, &parameters, &patch)).await?;
        Ok(())
    }

    async fn create(&self, _: &Approved, object: &Value) -> Result<(), CallError> {
        let manifest = Manifest { object: object.clone() };
        let operation = format!("create {manifest}");
        let data = serde_json::from_value(object.clone())
            .map_err(|error| CallError::new(&operation, CallFailure::Refused, error.to_string()))?;
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let api = self.cluster.api(&manifest);
        match self.cluster.write(&operation, api.create(&parameters, &data)).await {
            Ok(_) => Ok(()),
            Err(error) if error.failure == Failure::Conflict => {
                Err(CallError::new(operation, CallFailure::AlreadyExists, error.message))
            }
            // Admission has not heard yet of the class that was made a moment ago.
            Err(error) if error.message.contains("no PriorityClass with name") => {
                Err(CallError::new(operation, CallFailure::Conflict, error.message))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(&self, _: &Approved, object: &ObjectRef) -> Result<(), CallError> {
        let api = self.cluster.api(&manifest(object));
        let parameters = DeleteParams::default().grace_period(0);
        match self.cluster.write(&format!("delete {object}"), api.delete(&object.name, &parameters)).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn delete_pod(&self, _: &Approved, pod: &ExactPod) -> Result<(), CallError> {
        let api: Api<Pod> = Api::namespaced(self.cluster.client.clone(), &pod.namespace);
        let parameters = DeleteParams::default().preconditions(exactly(pod));
        let delete = api.delete(pod.name.as_str(), &parameters);
        self.cluster.write(&format!("delete pod {}", pod.name), delete).await?;
        Ok(())
    }

    async fn evict(&self, _: &Approved, pod: &ExactPod) -> Result<(), CallError> {
        let api: Api<Pod> = Api::namespaced(self.cluster.client.clone(), &pod.namespace);
        let operation = format!("evict pod {}/{}", pod.namespace, pod.name);
        let eviction = json!({
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
            "deleteOptions": {"preconditions": {"uid": pod.uid}},
        });
        let parameters = PostParams::default();
        let create: BoxFuture<'_, kube::Result<Value>> =
            Box::pin(api.create_subresource("eviction", pod.name.as_str(), &parameters, &eviction));
        self.cluster.write(&operation, create).await?;
        Ok(())
    }

    async fn placeholders(&self, run: &Run) -> Result<Vec<ObjectRef>, CallError> {
        let api: Api<Pod> = Api::namespaced(self.cluster.client.clone(), &run.workload.namespace);
        let ours = ListParams::default().labels(&label_selector(&placeholder_labels(&run.id)));
        let pods = self.cluster.list("list the placeholders", &api, ours).await?;
        let names = pods.into_iter().filter_map(|pod| pod.metadata.name);
        Ok(names.map(|name| ObjectRef::new("v1", "Pod", Some(&run.workload.namespace), &name)).collect())
    }
}

fn exactly(pod: &ExactPod) -> Preconditions {
    Preconditions { uid: Some(pod.uid.clone()), resource_version: Some(pod.resource_version.clone()) }
}

impl From<RequestError> for CallError {
    fn from(error: RequestError) -> Self {
        let failure = match error.failure {
            Failure::Conflict => CallFailure::Conflict,
            Failure::NotFound => CallFailure::NotFound,
            Failure::TooManyRequests => CallFailure::Busy(error.retry_after),
            Failure::Unreachable | Failure::TimedOut | Failure::Server => CallFailure::Unclear,
            Failure::Unauthorized | Failure::Forbidden | Failure::Invalid | Failure::Other => {
                CallFailure::Refused
            }
        };
        Self::new(error.operation, failure, error.message)
    }
}
