//! Keeps one kwok `PortForward` object per served pod, so that the API server's port-forward finds its listener.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::sync::Notify;

/// Marks the objects that this program made.
const LABEL: &str = "app.kubernetes.io/managed-by";
const OWNER: &str = "shard-server";
/// How many objects are written at once.
const AT_ONCE: usize = 8;

/// The namespace and name of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodKey {
    pub namespace: String,
    pub name: String,
}

impl PodKey {
    pub fn of(pod: &Pod) -> Option<Self> {
        Some(Self { namespace: pod.metadata.namespace.clone()?, name: pod.metadata.name.clone()? })
    }
}

impl fmt::Display for PodKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The ports of a pod, and where they lead.
#[derive(Clone)]
struct Forward {
    ports: Vec<u16>,
    to: u16,
}

#[derive(Default)]
struct Wanted {
    forwards: HashMap<PodKey, Forward>,
    /// Pods whose object is not yet what it should be.
    changed: HashSet<PodKey>,
    /// Whether all pods were seen once, so that what is left of an earlier run can be told apart.
    complete: bool,
}

/// What should be, and the work that makes it so.
pub struct Forwards {
    wanted: Mutex<Wanted>,
    wake: Arc<Notify>,
}

impl Forwards {
    pub fn new(wake: Arc<Notify>) -> Self {
        Self { wanted: Mutex::default(), wake }
    }

    pub fn open(&self, key: PodKey, ports: Vec<u16>, to: u16) {
        let mut wanted = self.wanted();
        wanted.forwards.insert(key.clone(), Forward { ports, to });
        wanted.changed.insert(key);
        self.wake.notify_one();
    }

    pub fn close(&self, key: PodKey) {
        let mut wanted = self.wanted();
        wanted.forwards.remove(&key);
        wanted.changed.insert(key);
        self.wake.notify_one();
    }

    /// Every pod was seen.
    pub fn all_known(&self) {
        self.wanted().complete = true;
        self.wake.notify_one();
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what changed, for ever. What could not be written is tried again.
    pub async fn keep(self: Arc<Self>, client: Client) {
        let mut cleaned = false;
        loop {
            let (changed, complete) = {
                let mut wanted = self.wanted();
                (std::mem::take(&mut wanted.changed), wanted.complete)
            };
            if !cleaned && complete {
                cleaned = self.remove_leftovers(&client).await;
            }
            if changed.is_empty() {
                self.wake.notified().await;
                continue;
            }
            let failed: Vec<PodKey> = futures::stream::iter(changed)
                .map(|key| async { (self.write(&client, &key).await, key) })
                .buffer_unordered(AT_ONCE)
                .filter_map(|(result, key)| async move {
                    let error = result.err()?;
                    crate::log(&format!("write the port forward of pod {key}: {error}"));
                    Some(key)
                })
                .collect()
                .await;
            if !failed.is_empty() {
                self.wanted().changed.extend(failed);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }

    async fn write(&self, client: &Client, key: &PodKey) -> kube::Result<()> {
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &key.namespace, &resource());
        let forward = self.wanted().forwards.get(key).cloned();
        let Some(forward) = forward else {
            return match api.delete(&key.name, &DeleteParams::default()).await {
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
                other => other.map(drop),
            };
        };
        let object = json!({
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "PortForward",
            "metadata": { "name": key.name, "namespace": key.namespace, "labels": { LABEL: OWNER } },
            "spec": { "forwards": [{
                "ports": forward.ports,
                "target": { "address": "127.0.0.1", "port": forward.to },
            }] },
        });
        api.patch(&key.name, &PatchParams::apply(OWNER).force(), &Patch::Apply(&object))
            .await
            .map(drop)
            .or_else(|error| match error {
                // A namespace that is being deleted takes no objects, and its pods are about to go.
                kube::Error::Api(status) if status.code == 403 => Ok(()),
                other => Err(other),
            })
    }

    /// Marks for removal what an earlier run left for pods that are gone. Returns whether it could look.
    async fn remove_leftovers(&self, client: &Client) -> bool {
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource());
        let of_ours = ListParams::default().labels(&format!("{LABEL}={OWNER}"));
        match api.list(&of_ours).await {
            Ok(list) => {
                let mut wanted = self.wanted();
                for object in list {
                    let key =
                        PodKey { namespace: object.namespace().unwrap_or_default(), name: object.name_any() };
                    if !wanted.forwards.contains_key(&key) {
                        wanted.changed.insert(key);
                        self.wake.notify_one();
                    }
                }
                true
            }
            Err(error) => {
                crate::log(&format!("list port forwards: {error}"));
                // kwok's kinds are made while the lab starts; before that there is nothing to clean.
                matches!(error, kube::Error::Api(status) if status.code == 404)
            }
        }
    }
}

fn resource() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("kwok.x-k8s.io", "v1alpha1", "PortForward"))
}
