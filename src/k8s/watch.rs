//! Tells that something about a workload changed, so that a waiting command looks again at once.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt as _, watcher};
use tokio::time::{Instant, timeout_at};

use super::client::Cluster;
use super::snapshot::label_selector;
use crate::domain::snapshot::Workload;

/// Looks again after so long even when nothing was heard: not all that matters is a pod.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Changes that come together are looked at together.
const GATHER: Duration = Duration::from_millis(100);

/// Changes of a workload's pods.
pub struct Changes {
    pods: BoxStream<'static, ()>,
}

impl Cluster {
    /// Watches the pods of a workload.
    #[must_use]
    pub fn changes(&self, workload: &Workload) -> Changes {
        let api: Api<PartialObjectMeta<Pod>> =
            Api::namespaced(self.client.clone(), &workload.reference.namespace);
        let selector = watcher::Config::default().labels(&label_selector(&workload.selector));
        Changes { pods: watcher(api, selector).default_backoff().map(|_| ()).boxed() }
    }
}

impl Changes {
    /// Returns when something changed, or after two seconds.
    pub async fn next(&mut self) {
        let started = Instant::now();
        if timeout_at(started + LOOK_AGAIN, self.pods.next()).await.is_ok() {
            let gathered = Instant::now() + GATHER;
            while timeout_at(gathered, self.pods.next()).await.is_ok_and(|event| event.is_some()) {}
        }
    }
}
