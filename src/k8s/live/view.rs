//! What is seen of a service by watching it: pods, placeholders, nodes, warnings, the StatefulSet.
//!
//! Watches tell of changes as they happen and keep one [`Observed`] up to date. A look reads everything anew and takes
//! what is newer: a watch that lags, or died without a word, is corrected by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{BoxStream, FuturesUnordered};
use futures::{FutureExt as _, StreamExt as _, stream};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Event as CoreEvent, Node as CoreNode, Pod as CorePod};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use kube::api::ListParams;
use kube::runtime::watcher::Event as WatchEvent;
use kube::runtime::{WatchStreamExt as _, watcher};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::early::{Early, Published, Turns};
use crate::domain::names::{NodeName, NodePoolName, WorkloadRef};
use crate::domain::rolling::{Observed, RunId, SHARD_LABEL, placeholder_labels};
use crate::domain::snapshot::{NODE_POOL_LABEL, Node, Snapshot};
use crate::k8s::client::Cluster;
use crate::k8s::convert;
use crate::k8s::error::RequestError;
use crate::k8s::snapshot::label_selector;

/// What is watched, and for whom.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub workload: WorkloadRef,
    pub selector: String,
    pub run: RunId,
    /// The pools whose nodes matter.
    pub pools: BTreeSet<NodePoolName>,
    /// The nodes that are emptied, of which the other pods matter.
    pub emptied: BTreeSet<NodeName>,
    /// Where clients find shards that are not Ready.
    pub early: Option<Early>,
}

/// The service as it was last seen, kept up to date in the background. Watching ends with the value.
pub(super) struct View {
    shared: Arc<Shared>,
    news: watch::Receiver<u64>,
    watching: JoinHandle<()>,
}

impl Drop for View {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

pub(super) struct Shared {
    pub(super) cluster: Cluster,
    pub(super) subject: Subject,
    seen: Mutex<Arc<Observed>>,
    /// The uids of pods that are gone: an older list does not bring them back.
    gone: Mutex<BTreeSet<String>>,
    news: watch::Sender<u64>,
    pub(super) turns: Turns,
    pub(super) published: Published,
}

/// Something that a watch or a read told.
enum News {
    StatefulSet(WatchEvent<StatefulSet>),
    Shard(WatchEvent<CorePod>),
    Placeholder(WatchEvent<CorePod>),
    Other(NodeName, WatchEvent<CorePod>),
    Node(WatchEvent<CoreNode>),
    Warning(WatchEvent<CoreEvent>),
    Pulled(WatchEvent<CoreEvent>),
    Slice(WatchEvent<EndpointSlice>),
}

impl View {
    /// Starts to watch, from what `snapshot` holds.
    pub fn open(cluster: &Cluster, subject: Subject, snapshot: &Snapshot) -> Self {
        let seen = Observed::of(snapshot, Timestamp::now());
        let (sender, news) = watch::channel(0);
        let shared = Arc::new(Shared {
            cluster: cluster.clone(),
            subject,
            seen: Mutex::new(Arc::new(seen)),
            gone: Mutex::default(),
            news: sender,
            turns: Turns::default(),
            published: Published::default(),
        });
        let watching = tokio::spawn(Arc::clone(&shared).watch());
        Self { shared, news, watching }
    }

    /// The service as it was last seen.
    pub fn seen(&self) -> Arc<Observed> {
        self.shared.seen()
    }

    /// Where news is told, to be awaited without missing any.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.clone()
    }

    /// Reads everything anew, as the server has it now.
    pub async fn look(&self) -> Result<(), RequestError> {
        self.shared.look().await
    }
}

/// For each watch that begins anew: the pods that were known before it did, by uid. Those that it does not name are gone.
type Init = BTreeMap<&'static str, BTreeSet<String>>;

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Arc<Observed>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seen(&self) -> Arc<Observed> {
        Arc::clone(&self.lock())
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Observed)) {
        {
            let mut seen = self.lock();
            let seen = Arc::make_mut(&mut seen);
            change(seen);
            seen.at = Timestamp::now();
        }
        self.news.send_modify(|version| *version += 1);
    }

    async fn watch(self: Arc<Self>) {
        let mut feeds = stream::select_all(self.feeds());
        let mut init = Init::new();
        let mut fetching = FuturesUnordered::new();
        let mut asking = FuturesUnordered::new();
        // Pods that were there before are no news of ours, Ready or not.
        let mut asked: BTreeSet<String> = self.seen().pods.values().map(|pod| pod.uid.clone()).collect();
        let mut asked_to_end = BTreeSet::new();
        loop {
            tokio::select! {
                Some(news) = feeds.next() => self.take(news, &mut init),
                Some(()) = fetching.next() => {}
                Some(()) = asking.next() => {}
                else => return,
            }
            for pod in self.starting(&asked) {
                asked.insert(pod.uid.clone());
                let shared = Arc::clone(&self);
                asking.push(async move { shared.ask_early(pod).await }.boxed());
            }
            for pod in self.ending(&asked_to_end) {
                asked_to_end.insert(pod.uid.clone());
                let shared = Arc::clone(&self);
                asking.push(async move { shared.ask_late(pod).await }.boxed());
            }
            for node in self.unknown_nodes() {
                let shared = Arc::clone(&self);
                fetching.push(async move { shared.fetch(&node).await });
            }
        }
    }

    /// The watches. Each begins anew by itself after a fault, with growing pauses.
    fn feeds(&self) -> Vec<BoxStream<'static, News>> {
        let Subject { workload, selector, run, pools, emptied, early } = &self.subject;
        let client = || self.cluster.client.clone();
        let namespace = &workload.namespace;
        let pods = || Api::<CorePod>::namespaced(client(), namespace);
        let config = watcher::Config::default;
        let mut feeds = vec![
            feed(
                Api::<StatefulSet>::namespaced(client(), namespace),
                config().fields(&format!("metadata.name={}", workload.name)),
                News::StatefulSet,
            ),
            feed(pods(), config().labels(selector), News::Shard),
            feed(pods(), config().labels(&label_selector(&placeholder_labels(run))), News::Placeholder),
            feed(
                Api::<CoreEvent>::namespaced(client(), namespace),
                config().fields("involvedObject.kind=Pod,type=Warning"),
                News::Warning,
            ),
            feed(
                Api::<CoreEvent>::namespaced(client(), namespace),
                config().fields("involvedObject.kind=Pod,reason=Pulled"),
                News::Pulled,
            ),
        ];
        if let Some(early) = early {
            let of_service = config().labels(&format!("kubernetes.io/service-name={}", early.service));
            feeds.push(feed(Api::<EndpointSlice>::namespaced(client(), namespace), of_service, News::Slice));
        }
        if !pools.is_empty() {
            let names: Vec<&str> = pools.iter().map(NodePoolName::as_str).collect();
            let selector = format!("{NODE_POOL_LABEL} in ({})", names.join(","));
            feeds.push(feed(Api::<CoreNode>::all(client()), config().labels(&selector), News::Node));
        }
        for node in emptied {
            let on_it = config().fields(&format!("spec.nodeName={node}"));
            let node = node.clone();
            feeds.push(feed(Api::<CorePod>::all(client()), on_it, move |event| {
                News::Other(node.clone(), event)
            }));
        }
        feeds
    }

    /// Nodes that carry a shard or a placeholder and are not known: they are of none of the pools that are watched.
    fn unknown_nodes(&self) -> Vec<NodeName> {
        let seen = Arc::clone(&self.lock());
        let carrying = seen
            .pods
            .values()
            .filter_map(|pod| pod.node.as_ref())
            .chain(seen.placeholders.values().filter_map(|placeholder| placeholder.node.as_ref()));
        let unknown: BTreeSet<&NodeName> = carrying.filter(|node| !seen.nodes.contains_key(node)).collect();
        unknown.into_iter().cloned().collect()
    }

    async fn fetch(&self, name: &NodeName) {
        let api: Api<CoreNode> = Api::all(self.cluster.client.clone());
        if let Ok(Some(node)) =
            self.cluster.find(&format!("get node {name}"), || api.get(name.as_str())).await
        {
            let node = convert::node(&node);
            self.update(|seen| drop(seen.nodes.insert(node.name.clone(), node)));
        } else {
            // It may be a moment before the node is there; asking in a loop would help nobody.
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }

    fn take(&self, news: News, init: &mut Init) {
        match news {
            News::StatefulSet(event) => match event {
                WatchEvent::Apply(set) | WatchEvent::InitApply(set) => {
                    self.update(|seen| self.set(seen, &set));
                }
                WatchEvent::Delete(set) => self.update(|seen| {
                    let is_it = |known: &crate::domain::snapshot::Workload| {
                        Some(&known.uid) == set.metadata.uid.as_ref()
                    };
                    if seen.workload.as_ref().is_some_and(is_it) {
                        seen.workload = None;
                    }
                }),
                WatchEvent::Init | WatchEvent::InitDone => {}
            },
            News::Shard(event) => self.pods("shard", event, init, Self::shard, Self::forget_shard),
            News::Placeholder(event) => {
                self.pods("placeholder", event, init, Self::placeholder, Self::forget_placeholder);
            }
            News::Other(node, event) => {
                let take = |this: &Self, seen: &mut Observed, pod: &CorePod| this.other(seen, &node, pod);
                self.pods("other", event, init, take, Self::forget_other);
            }
            News::Node(event) => match event {
                WatchEvent::Apply(node) | WatchEvent::InitApply(node) => {
                    let node = convert::node(&node);
                    self.update(|seen| drop(seen.nodes.insert(node.name.clone(), node)));
                }
                WatchEvent::Delete(node) => self.update(|seen| {
                    seen.nodes.remove(&NodeName::new(node.metadata.name.unwrap_or_default()));
                }),
                WatchEvent::Init | WatchEvent::InitDone => {}
            },
            News::Slice(event) => self.published.take(event),
            News::Warning(event) => {
                if let WatchEvent::Apply(event) | WatchEvent::InitApply(event) = event {
                    self.warning(&event);
                }
            }
            News::Pulled(event) => {
                if let WatchEvent::Apply(event) | WatchEvent::InitApply(event) = event {
                    self.pulled(&event);
                }
            }
        }
    }

    /// One event of a watch on pods. When a watch begins anew it names every pod there is: those that it does not name
    /// are gone.
    fn pods(
        &self,
        kind: &'static str,
        event: WatchEvent<CorePod>,
        init: &mut Init,
        take: impl Fn(&Self, &mut Observed, &CorePod),
        forget: impl Fn(&mut Observed, &dyn Fn(&str) -> bool),
    ) {
        match event {
            WatchEvent::Init => drop(init.insert(kind, self.known())),
            WatchEvent::InitApply(pod) => {
                if let (Some(unnamed), Some(uid)) = (init.get_mut(kind), &pod.metadata.uid) {
                    unnamed.remove(uid);
                }
                self.update(|seen| take(self, seen, &pod));
            }
            WatchEvent::InitDone => {
                if let Some(unnamed) = init.remove(kind) {
                    // Pods of several watches are kept together where nodes are emptied.
                    if kind != "other" {
                        self.update(|seen| forget(seen, &|uid| unnamed.contains(uid)));
                    }
                }
            }
            WatchEvent::Apply(pod) => self.update(|seen| take(self, seen, &pod)),
            WatchEvent::Delete(pod) => {
                let gone = pod.metadata.uid.unwrap_or_default();
                self.graves().insert(gone.clone());
                self.update(|seen| forget(seen, &|uid| uid == gone));
            }
        }
    }

    /// The uids of all pods that are known.
    fn known(&self) -> BTreeSet<String> {
        let seen = self.lock();
        let shards = seen.pods.values().map(|pod| pod.uid.clone());
        let placeholders = seen.placeholders.values().map(|placeholder| placeholder.pod.uid.clone());
        shards.chain(placeholders).chain(seen.others.keys().cloned()).collect()
    }

    /// The uids of pods that are gone.
    fn graves(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a pod is known to be gone, whatever an older list says.
    fn is_gone(&self, pod: &CorePod) -> bool {
        pod.metadata.uid.as_ref().is_some_and(|uid| self.graves().contains(uid))
    }

    fn set(&self, seen: &mut Observed, set: &StatefulSet) {
        let workload = convert::workload(set, &self.subject.workload.namespace);
        let is_newer = seen.workload.as_ref().is_none_or(|known| {
            known.uid != workload.uid || is_newer(&workload.resource_version, &known.resource_version)
        });
        if is_newer {
            seen.workload = Some(workload);
        }
    }

    fn shard(&self, seen: &mut Observed, pod: &CorePod) {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let Some(ordinal) = convert::ordinal(&self.subject.workload.name, name) else { return };
        let uid = seen.workload.as_ref().map(|workload| workload.uid.clone());
        if self.is_gone(pod) || !uid.is_some_and(|uid| convert::is_owned_by(pod, &uid)) {
            return;
        }
        let pod = convert::pod(pod);
        let is_newer = seen
            .pods
            .get(&ordinal)
            .is_none_or(|known| is_newer(&pod.resource_version, &known.resource_version));
        if is_newer {
            seen.pods.insert(ordinal, pod);
        }
    }

    fn forget_shard(seen: &mut Observed, is_gone: &dyn Fn(&str) -> bool) {
        seen.pods.retain(|_, pod| !is_gone(&pod.uid));
    }

    fn placeholder(&self, seen: &mut Observed, pod: &CorePod) {
        let label = pod.metadata.labels.as_ref().and_then(|labels| labels.get(SHARD_LABEL));
        let Some(ordinal) = label.and_then(|label| label.parse().ok()).filter(|_| !self.is_gone(pod)) else {
            return;
        };
        let placeholder = convert::placeholder(pod);
        let is_newer = seen
            .placeholders
            .get(&ordinal)
            .is_none_or(|known| is_newer(&placeholder.pod.resource_version, &known.pod.resource_version));
        if is_newer {
            seen.placeholders.insert(ordinal, placeholder);
        }
    }

    fn forget_placeholder(seen: &mut Observed, is_gone: &dyn Fn(&str) -> bool) {
        seen.placeholders.retain(|_, placeholder| !is_gone(&placeholder.pod.uid));
    }

    fn other(&self, seen: &mut Observed, node: &NodeName, pod: &CorePod) {
        match convert::other_pod(pod, node, &self.subject.workload).filter(|_| !self.is_gone(pod)) {
            Some(other) => drop(seen.others.insert(other.pod.uid.clone(), other)),
            None => drop(seen.others.remove(pod.metadata.uid.as_deref().unwrap_or_default())),
        }
    }

    fn forget_other(seen: &mut Observed, is_gone: &dyn Fn(&str) -> bool) {
        seen.others.retain(|uid, _| !is_gone(uid));
    }

    /// The uid of the pod that an event is about, if it is one of the workload's.
    fn subject_of(&self, event: &CoreEvent) -> Option<String> {
        let name = event.involved_object.name.as_deref()?;
        let is_ours =
            name.strip_prefix(self.subject.workload.name.as_str()).is_some_and(|rest| rest.starts_with('-'));
        event.involved_object.uid.clone().filter(|_| is_ours)
    }

    fn pulled(&self, event: &CoreEvent) {
        let (Some(uid), Some(took)) = (self.subject_of(event), convert::pulled(event)) else { return };
        let container = event.involved_object.field_path.clone().unwrap_or_default();
        self.update(|seen| {
            seen.pulls.entry(uid).or_default().insert(container, took);
        });
    }

    fn warning(&self, event: &CoreEvent) {
        let Some(uid) = self.subject_of(event) else { return };
        let warning = convert::warning(event);
        self.update(|seen| {
            let known = seen.warnings.entry(uid).or_default();
            known.retain(|known| (&known.reason, &known.component) != (&warning.reason, &warning.component));
            known.push(warning);
        });
    }

    /// A list that comes late is older than what the watches have told meanwhile: pods that came after it was asked for
    /// are not forgotten because it lacks them, and those that have gone since are not brought back.
    async fn look(&self) -> Result<(), RequestError> {
        let (known, buried) = (self.known(), self.graves().clone());
        let Subject { workload, selector, run, emptied, .. } = &self.subject;
        let cluster = &self.cluster;
        let namespace = &workload.namespace;
        let api: Api<CorePod> = Api::namespaced(cluster.client.clone(), namespace);
        let everywhere: Api<CorePod> = Api::all(cluster.client.clone());
        let shards = ListParams::default().labels(selector);
        let placeholders = ListParams::default().labels(&label_selector(&placeholder_labels(run)));
        let operation = format!("list the pods of {workload} in namespace {namespace}");
        let set = async {
            match cluster.stateful_set(workload).await {
                Ok(set) => Ok(Some(set)),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            }
        };
        let others = async {
            let mut others = Vec::new();
            for node in emptied {
                let on_it = ListParams::default().fields(&format!("spec.nodeName={node}"));
                let operation = format!("list the pods of node {node}");
                let pods = cluster.list(&operation, &everywhere, on_it).await?;
                others.extend(pods.into_iter().map(|pod| (node.clone(), pod)));
            }
            Ok(others)
        };
        let (set, shards, placeholders, others) = futures::try_join!(
            set,
            cluster.list(&operation, &api, shards),
            cluster.list("list the placeholders", &api, placeholders),
            others,
        )?;
        let named = shards.iter().chain(&placeholders).chain(others.iter().map(|(_, pod)| pod));
        let named: BTreeSet<&String> = named.filter_map(|pod| pod.metadata.uid.as_ref()).collect();
        let missing: BTreeSet<String> = known.into_iter().filter(|uid| !named.contains(uid)).collect();
        // One that had lost its labels for a while was not gone.
        self.graves().retain(|uid| !(buried.contains(uid) && named.contains(uid)));
        self.update(|seen| {
            match &set {
                Some(set) => self.set(seen, set),
                None => seen.workload = None,
            }
            let is_missing = |uid: &str| missing.contains(uid);
            Self::forget_shard(seen, &is_missing);
            Self::forget_placeholder(seen, &is_missing);
            Self::forget_other(seen, &is_missing);
            for pod in &shards {
                self.shard(seen, pod);
            }
            for pod in &placeholders {
                self.placeholder(seen, pod);
            }
            for (node, pod) in &others {
                self.other(seen, node, pod);
            }
        });
        self.graves().extend(missing);
        let unknown = self.unknown_nodes();
        if !unknown.is_empty() {
            let known: Vec<Node> =
                cluster.nodes_by_name(&unknown.into_iter().collect()).await?.into_values().collect();
            self.update(|seen| seen.nodes.extend(known.into_iter().map(|node| (node.name.clone(), node))));
        }
        Ok(())
    }
}

fn feed<K>(
    api: Api<K>,
    config: watcher::Config,
    news: impl Fn(WatchEvent<K>) -> News + Send + 'static,
) -> BoxStream<'static, News>
where
    K: kube::Resource + Clone + serde::de::DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    watcher(api, config)
        .default_backoff()
        .filter_map(|event| futures::future::ready(event.ok()))
        .map(news)
        .boxed()
}

/// Whether an object is at least as new as another state of it. Versions are numbers since Kubernetes 1.35 says so, and
/// were before; what is no number is taken as it comes.
fn is_newer(version: &str, known: &str) -> bool {
    match (version.parse::<u64>(), known.parse::<u64>()) {
        (Ok(version), Ok(known)) => version >= known,
        _ => true,
    }
}
