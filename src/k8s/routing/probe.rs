//! Probes: makes them, waits until they ask, listens to their log, and removes them whatever happens.
//!
//! Who may not exec into a shard may not exec into a probe either, so its script comes in with its command, and its
//! answers go out by its log.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use futures::{AsyncBufReadExt as _, StreamExt as _, stream};
use k8s_openapi::api::core::v1::{Event as CoreEvent, Pod as CorePod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, LogParams, PostParams, Preconditions};
use kube::runtime::watcher::Event as WatchEvent;
use kube::runtime::{WatchStreamExt as _, watcher};
use serde_json::Value;
use tokio::sync::watch;

use super::RoutingQuestion;
use super::hearing::Hearing;
use super::session::Session;
use crate::domain::names::NodeName;
use crate::domain::rolling::RUN_LABEL;
use crate::domain::routing::{
    PROBE_CONTAINER, PROBE_LABEL, Probe, ProbeSpec, ProbeState, Row, SEEN_LIMIT, START_LIMIT,
};
use crate::domain::snapshot::Snapshot;
use crate::k8s::apply::Permission;
use crate::k8s::client::{Cluster, FIELD_MANAGER};
use crate::k8s::convert;
use crate::k8s::error::{Failure, RequestError};
use crate::ops::{Interrupt, Urgency};

/// The log of a container that has just begun may not be there yet.
const LOG_ATTEMPTS: u32 = 10;
const LOG_PAUSE: Duration = Duration::from_millis(200);

/// What it takes to make probes, to hear them, and to remove them.
const RIGHTS: [(&str, Option<&str>); 4] =
    [("create", None), ("watch", None), ("delete", None), ("get", Some("log"))];

/// The probes of one run.
pub(super) struct Probes<'a> {
    cluster: &'a Cluster,
    api: Api<CorePod>,
    snapshot: &'a Snapshot,
    question: &'a RoutingQuestion,
    stop: &'a Interrupt,
    run: String,
    image: &'a str,
    /// Those that may be there, by name.
    made: RefCell<BTreeSet<String>>,
    /// Those that could not be removed, and why.
    left_behind: RefCell<Vec<String>>,
}

/// What is known of the probes of a run, by name.
#[derive(Default)]
struct Seen {
    probes: BTreeMap<String, Probe>,
    /// Reason, message and count of the warnings about each.
    warnings: BTreeMap<String, Vec<(String, String, u32)>>,
}

impl Seen {
    fn standing(&self, name: &str) -> Option<Result<(), String>> {
        self.probes.get(name)?.standing(self.warnings.get(name).map_or(&[], Vec::as_slice))
    }

    /// What a probe that does not start waits for, as far as anybody says so.
    fn waits_for(&self, name: &str) -> Option<String> {
        let warned = self.warnings.get(name).and_then(|warnings| warnings.last());
        let warned = warned.map(|(reason, message, _)| format!("{reason}: {message}"));
        let waiting = || match &self.probes.get(name)?.state {
            ProbeState::Starting { waiting: Some((reason, _)) } => Some(reason.clone()),
            _ => None,
        };
        warned.or_else(waiting)
    }
}

impl<'a> Probes<'a> {
    pub fn new(
        cluster: &'a Cluster,
        snapshot: &'a Snapshot,
        question: &'a RoutingQuestion,
        image: &'a str,
        stop: &'a Interrupt,
    ) -> Self {
        let namespace = &snapshot.workload.reference.namespace;
        // The hasher of each map begins with another number.
        let random = RandomState::new().build_hasher().finish();
        Self {
            cluster,
            api: Api::namespaced(cluster.client.clone(), namespace),
            snapshot,
            question,
            stop,
            run: format!("{:08x}", random >> 32),
            image,
            made: RefCell::default(),
            left_behind: RefCell::default(),
        }
    }

    /// What the probes on these nodes were answered, or why there was none.
    pub async fn ask(
        &self,
        nodes: &BTreeSet<NodeName>,
        session: &Session,
    ) -> BTreeMap<NodeName, Result<Row, String>> {
        if nodes.is_empty() {
            return BTreeMap::new();
        }
        if let Some(reason) = self.missing_right().await {
            return nodes.iter().map(|node| (node.clone(), Err(reason.clone()))).collect();
        }
        // No question is about itself.
        let script = session.script(None);
        let spec = self.spec(&script, session);
        let (sender, seen) = watch::channel(Seen::default());
        let rows = stream::iter(nodes.iter().enumerate())
            .map(|(number, node)| {
                let (spec, seen) = (&spec, seen.clone());
                async move { (node.clone(), self.row(spec, session, number, node, seen).await) }
            })
            .buffer_unordered(self.question.concurrency)
            .collect();
        tokio::select! {
            rows = rows => rows,
            never = self.watch(&sender) => match never {},
        }
    }

    /// Removes what runs that are dead have left.
    pub async fn remove_left_over(&self) {
        let ours = format!("{PROBE_LABEL}={}", self.snapshot.workload.reference.name);
        let probes =
            self.cluster.list("list the probes", &self.api, ListParams::default().labels(&ours)).await;
        // Who may not list them has none to remove.
        let probes: Vec<Probe> = probes.unwrap_or_default().iter().map(convert::probe).collect();
        let now = self.cluster.server_now();
        for probe in probes.into_iter().filter(|probe| probe.is_left_over(now)) {
            self.remove(&probe.name, Some(probe.uid)).await;
        }
    }

    /// Probes that could not be removed, and why; those too that were not removed yet when all was dropped.
    pub fn left_behind(self) -> Vec<String> {
        let unfinished = self.made.into_inner().into_iter();
        let unfinished = unfinished.map(|name| format!("pod {name}: nobody waited until it was removed"));
        self.left_behind.into_inner().into_iter().chain(unfinished).collect()
    }

    fn spec<'b>(&'b self, script: &'b str, session: &Session) -> ProbeSpec<'b> {
        let services = self.snapshot.services.iter().flatten();
        ProbeSpec {
            run: &self.run,
            workload: &self.snapshot.workload,
            selectors: services.map(|service| &service.selector).collect(),
            image: self.image,
            script,
            limit: session.limit,
        }
    }

    /// Which rights are missing, asked for before anything is made: a probe that may not be removed is not made.
    async fn missing_right(&self) -> Option<String> {
        let namespace = &self.snapshot.workload.reference.namespace;
        let asked = RIGHTS.map(|(verb, subresource)| async move {
            let permission = Permission {
                verb,
                group: String::new(),
                resource: "pods".to_owned(),
                subresource,
                namespace: Some(namespace.clone()),
            };
            // Where the server does not say, it is tried.
            let is_missing = matches!(self.cluster.is_allowed(&permission).await, Ok(false));
            let what = subresource.map_or("pods".to_owned(), |subresource| format!("pods/{subresource}"));
            is_missing.then(|| format!("{verb} {what}"))
        });
        let missing: Vec<String> = futures::future::join_all(asked).await.into_iter().flatten().collect();
        (!missing.is_empty()).then(|| format!("you may not make and hear one ({})", missing.join(", ")))
    }

    /// The answers to one probe, which is gone afterwards.
    async fn row(
        &self,
        spec: &ProbeSpec<'_>,
        session: &Session,
        number: usize,
        node: &NodeName,
        seen: watch::Receiver<Seen>,
    ) -> Result<Row, String> {
        let node_now = self.snapshot.node(node);
        if node_now.is_some_and(|node| !node.is_ready) {
            return Err("the node is not Ready".to_owned());
        }
        if self.stop.urgency() > Urgency::None {
            return Err("interrupted".to_owned());
        }
        let taints = node_now.map_or(&[][..], |node| &node.taints);
        let name = spec.name(number);
        self.made.borrow_mut().insert(name.clone());
        // Waited for whatever happens: who does not know whether a pod was made cannot remove it.
        let told = match self.create(&spec.pod(number, node, taints)).await {
            Ok(()) => tokio::select! {
                told = self.listen(session, &name, seen) => told,
                () = self.stop.beyond(Urgency::None) => Err("interrupted".to_owned()),
            },
            Err(error) => match error.failure {
                Failure::Forbidden | Failure::Invalid | Failure::Unauthorized => {
                    self.made.borrow_mut().remove(&name);
                    return Err(why_refused(&error, &name));
                }
                // It may have been made all the same.
                _ => Err(error.message),
            },
        };
        self.remove(&name, None).await;
        self.made.borrow_mut().remove(&name);
        // The same reason of several nodes is told once.
        told.map_err(|reason| reason.replace(&name, "it").replace(node.as_str(), "its node"))
    }

    async fn create(&self, pod: &Value) -> Result<(), RequestError> {
        let operation = "create a probe";
        let pod = serde_json::from_value(pod.clone())
            .map_err(|error| RequestError::new(operation, Failure::Invalid, error.to_string()))?;
        let parameters =
            PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
        self.cluster.write(operation, self.api.create(&parameters, &pod)).await.map(drop)
    }

    async fn remove(&self, name: &str, uid: Option<String>) {
        let exactly = Preconditions { uid: uid.clone(), resource_version: None };
        let parameters = DeleteParams::default().grace_period(0).preconditions(exactly);
        let operation = format!("delete pod {name}");
        // Unlike other writes it may be tried again: what is gone stays gone.
        match self.cluster.find(&operation, || self.api.delete(name, &parameters)).await {
            Ok(_) => {}
            // What another run has left is not ours to tell of: another one may be there by now, or we may not remove it.
            Err(error)
                if uid.is_some() && matches!(error.failure, Failure::Conflict | Failure::Forbidden) => {}
            Err(error) => self.left_behind.borrow_mut().push(error.to_string()),
        }
    }

    /// Waits until a probe asks, and hears what it says.
    async fn listen(
        &self,
        session: &Session,
        name: &str,
        mut seen: watch::Receiver<Seen>,
    ) -> Result<Row, String> {
        let is_seen =
            |seen: &Seen| seen.probes.get(name).is_some_and(|probe| probe.state != ProbeState::Made);
        if tokio::time::timeout(SEEN_LIMIT, seen.wait_for(is_seen)).await.is_err() {
            let limit = humantime::format_duration(SEEN_LIMIT);
            return Err(format!(
                "its node has not said a word of it within {limit}: its kubelet may be dead"
            ));
        }
        let started = async {
            seen.wait_for(|seen| seen.standing(name).is_some()).await.map(|seen| seen.standing(name))
        };
        let started = tokio::time::timeout(START_LIMIT, started).await;
        match started {
            Ok(standing) => standing.ok().flatten().ok_or("nobody watches it")??,
            Err(_) => {
                let limit = humantime::format_duration(START_LIMIT);
                let why = seen.borrow().waits_for(name).map_or_else(String::new, |why| format!(": {why}"));
                return Err(format!("it had not started within {limit}{why}"));
            }
        }
        let mut hearing = Hearing::new(self.question);
        match tokio::time::timeout(session.limit, self.hear(session, name, &mut hearing)).await {
            Ok(heard) => heard?,
            Err(_) => {
                let limit = humantime::format_duration(session.limit);
                return Err(format!("it had not asked everybody within {limit}"));
            }
        }
        hearing.told(session.questions(None))
    }

    async fn hear(&self, session: &Session, name: &str, hearing: &mut Hearing<'_>) -> Result<(), String> {
        let parameters =
            LogParams { container: Some(PROBE_CONTAINER.to_owned()), follow: true, ..LogParams::default() };
        let mut attempt = 0;
        let log = loop {
            match self.api.log_stream(name, &parameters).await {
                Ok(log) => break log,
                Err(error) => {
                    let error = RequestError::from_kube("log", &error);
                    attempt += 1;
                    if attempt == LOG_ATTEMPTS || error.failure == Failure::Forbidden {
                        return Err(format!("its log cannot be read: {}", error.message));
                    }
                    tokio::time::sleep(LOG_PAUSE).await;
                }
            }
        };
        let mut lines = log.lines();
        // It is not waited for its end, which kubelets notice a second later.
        while !hearing.is_complete(session.questions(None)) {
            match lines.next().await {
                Some(Ok(line)) => hearing.hear(&line),
                Some(Err(_)) | None => break,
            }
        }
        Ok(())
    }

    /// Keeps what is seen up to date.
    async fn watch(&self, sender: &watch::Sender<Seen>) -> Infallible {
        let ours = watcher::Config::default().labels(&format!("{RUN_LABEL}={}", self.run));
        let mut pods = watcher(self.api.clone(), ours).default_backoff().boxed();
        let namespace = &self.snapshot.workload.reference.namespace;
        let events: Api<CoreEvent> = Api::namespaced(self.cluster.client.clone(), namespace);
        let warnings = watcher::Config::default().fields("involvedObject.kind=Pod,type=Warning");
        // Who may not see events does without.
        let mut events = watcher(events, warnings)
            .take_while(|event| std::future::ready(event.is_ok()))
            .chain(stream::pending())
            .boxed();
        loop {
            tokio::select! {
                Some(event) = pods.next() => match event {
                    Ok(WatchEvent::Apply(pod) | WatchEvent::InitApply(pod)) => {
                        let probe = convert::probe(&pod);
                        sender.send_modify(|seen| drop(seen.probes.insert(probe.name.clone(), probe)));
                    }
                    Ok(WatchEvent::Delete(pod)) => {
                        let state = ProbeState::Failed {
                            at: None,
                            reason: String::new(),
                            message: "somebody deleted it".to_owned(),
                        };
                        let probe = Probe { state, ..convert::probe(&pod) };
                        sender.send_modify(|seen| drop(seen.probes.insert(probe.name.clone(), probe)));
                    }
                    _ => {}
                },
                Some(event) = events.next() => {
                    if let Ok(WatchEvent::Apply(event) | WatchEvent::InitApply(event)) = event {
                        self.warned(sender, event);
                    }
                }
            }
        }
    }

    fn warned(&self, sender: &watch::Sender<Seen>, event: CoreEvent) {
        let count = event.count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
        let warning = convert::warning(&event);
        let Some(name) = event.involved_object.name.filter(|name| name.contains(&self.run)) else { return };
        sender.send_modify(|seen| {
            let known = seen.warnings.entry(name).or_default();
            known.retain(|(reason, ..)| *reason != warning.reason);
            known.push((warning.reason, warning.message, count));
        });
    }
}

/// Why the API server would not have a probe: the rule's own words.
fn why_refused(error: &RequestError, name: &str) -> String {
    let message = &error.message;
    let said = message.split_once(" is forbidden: ").map_or(message.as_str(), |(_, said)| said);
    format!("refused: {}", said.replace(name, "it"))
}
