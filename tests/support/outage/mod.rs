//! Watches the pods of a StatefulSet from outside and measures when not all of them are Ready.
//!
//! It shares no code with shardctl, since it is to tell whether what shardctl says of itself is true. Times are those of
//! the arrival of watch events here.

mod tally;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::watcher;
use kube::{Api, Client, Config};
use tokio::sync::oneshot;

pub use tally::Report;
use tally::{Event, Seen};

/// After the end so long is listened for what has happened already.
const ON_THE_WAY: Duration = Duration::from_millis(250);

/// A watch that is under way.
pub struct Watcher {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<Report>>,
}

impl Watcher {
    /// Starts to watch, and returns when it knows how every pod stands.
    pub fn start(kubeconfig: &Path, namespace: &str, set: &str) -> anyhow::Result<Self> {
        let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
        let (namespace, set) = (namespace.to_owned(), set.to_owned());
        let (stop, stopped) = oneshot::channel();
        let (started, has_started) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let shards = Shards::find(kubeconfig, &namespace, &set).await?;
                shards.watch(started, stopped).await
            })
        });
        let watcher = Self { stop, thread };
        match has_started.recv() {
            Ok(()) => Ok(watcher),
            // It ended before it began.
            Err(_) => Err(watcher.stop().err().unwrap_or_else(|| anyhow!("the watch did not start"))),
        }
    }

    /// Ends the watch and tells what it found.
    ///
    /// A watch that broke has missed something, or was told of it late: that is an error, not a report.
    pub fn stop(self) -> anyhow::Result<Report> {
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| anyhow!("the watch panicked"))?
    }
}

/// The pods that are watched.
struct Shards {
    api: Api<Pod>,
    selector: String,
    names: Vec<String>,
}

impl Shards {
    async fn find(kubeconfig: Kubeconfig, namespace: &str, name: &str) -> anyhow::Result<Self> {
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config)?;
        let sets: Api<StatefulSet> = Api::namespaced(client.clone(), namespace);
        let set = sets.get(name).await?.spec.context("a StatefulSet without a spec")?;
        let labels: BTreeMap<String, String> = set.selector.match_labels.unwrap_or_default();
        let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let first = set.ordinals.and_then(|ordinals| ordinals.start).unwrap_or(0);
        let replicas = set.replicas.unwrap_or(1);
        Ok(Self {
            api: Api::namespaced(client, namespace),
            selector: pairs.join(","),
            names: (first..first + replicas).map(|ordinal| format!("{name}-{ordinal}")).collect(),
        })
    }

    async fn watch(
        self,
        started: mpsc::Sender<()>,
        mut stopped: oneshot::Receiver<()>,
    ) -> anyhow::Result<Report> {
        let config = watcher::Config::default().labels(&self.selector);
        let mut changes = watcher(self.api.clone(), config).boxed();
        let mut events = Vec::new();
        let mut from = None;
        loop {
            let change = tokio::select! {
                change = changes.try_next() => change?.context("the watch ended")?,
                _ = &mut stopped => break,
            };
            events.extend(self.event(&change));
            match change {
                watcher::Event::Init if from.is_some() => bail!("the watch lost its place"),
                watcher::Event::InitDone => {
                    from = Some(Instant::now());
                    let _ = started.send(());
                }
                _ => {}
            }
        }
        let until = tokio::time::Instant::now() + ON_THE_WAY;
        while let Ok(change) = tokio::time::timeout_at(until, changes.try_next()).await {
            events.extend(self.event(&change?.context("the watch ended")?));
        }
        let from = from.context("the watch was stopped before it began")?;
        Ok(Report::new(&self.names, &events, from, Instant::now()))
    }

    /// What a change says of a shard; none, if it is about another pod.
    fn event(&self, change: &watcher::Event<Pod>) -> Option<Event> {
        let at = Instant::now();
        let (pod, is_gone) = match change {
            watcher::Event::Apply(pod) | watcher::Event::InitApply(pod) => (pod, false),
            watcher::Event::Delete(pod) => (pod, true),
            watcher::Event::Init | watcher::Event::InitDone => return None,
        };
        let name = pod.metadata.name.clone().filter(|name| self.names.contains(name))?;
        let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let is_ready =
            conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
        let seen = match (is_gone, pod.metadata.deletion_timestamp.is_some(), is_ready) {
            (true, _, _) => Seen::Gone,
            (false, true, _) => Seen::Going,
            (false, false, true) => Seen::Ready,
            (false, false, false) => Seen::NotReady,
        };
        Some(Event { at, pod: name, uid: pod.metadata.uid.clone().unwrap_or_default(), seen })
    }
}
