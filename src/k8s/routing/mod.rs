//! Lets every shard ask every other by its name: one exec session a shard, in which a small script of ours asks with a
//! tool that the image has; and where that cannot be, a probe beside it.

mod asides;
mod hearing;
mod probe;
mod service;
mod session;
mod shell;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use super::client::Cluster;
use super::error::RequestError;
use super::health::until_end;
use crate::domain::names::NodeName;
use crate::domain::routing::{
    Answer, Asker, Askers, Clients, Headless, Identity, Mark, Outcome, Place, Row, Survey, Times, Via,
};
use crate::domain::snapshot::{HttpProbe, Pod, Snapshot};
use crate::ops::{Interrupt, Urgency};
use asides::Asides;
use hearing::Hearing;
use probe::Probes;
pub use service::ClientServices;
use session::{Session, evenly};
use shell::{container, why_no_shell};
pub use watch::Heard;

/// How the API server says that it does not reach a node's kubelet.
const NO_KUBELET: &str = "error dialing backend";

/// What every shard is to ask every other.
#[derive(Clone, Debug)]
pub struct RoutingQuestion {
    pub port: u16,
    /// It begins with a slash, and has no white space.
    pub path: String,
    /// Where an answer says who it is from; none when nobody needs to know.
    pub identity: Option<Identity>,
    /// How long an answer may take, in whole seconds.
    pub timeout: Duration,
    /// Sessions at the same time.
    pub concurrency: usize,
    /// Questions at the same time in each session.
    pub workers: usize,
    /// Questions a second, of all sessions together.
    pub qps: u32,
    /// The domain of the cluster, where the shards are not to find it themselves.
    pub domain: Option<String>,
    /// The client services to ask in the same sessions, and how often.
    pub clients: Clients,
    /// Who is to ask.
    pub askers: Askers,
    /// The image of probes; none where no pod may be made.
    pub probe_image: Option<String>,
}

/// What became of a survey.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// None when it was stopped.
    pub survey: Option<Survey>,
    /// Probes that could not be removed, and why.
    pub left_behind: Vec<String>,
}

/// Why a shard cannot ask.
struct Cannot {
    because: String,
    /// Whether it began, and did not come to an end.
    is_stuck: bool,
}

impl Cluster {
    /// Lets every shard that runs ask every other, and itself, by name, and then the client services; or probes on their
    /// nodes, or both. A shard that cannot ask is replaced by the probe on its node, and where there is none it is asked
    /// itself, through port-forward; why is part of the survey. When it is told to stop, it removes what it has made and
    /// returns; when it is told to stop at once while probes are there, it returns at once and tells which.
    ///
    /// # Errors
    /// When the pods cannot be read again at the end.
    pub async fn survey(
        &self,
        snapshot: &Snapshot,
        question: &RoutingQuestion,
        stop: &Interrupt,
    ) -> Result<Surveyed, RequestError> {
        let mut survey = blank(snapshot, question);
        let shards: Vec<u32> = survey.places.keys().copied().collect();
        let nodes: BTreeSet<NodeName> =
            survey.places.values().filter_map(|place| place.node.clone()).collect();
        let (shards, nodes) = match question.askers {
            Askers::Shards => (shards, BTreeSet::new()),
            Askers::Probes => (Vec::new(), nodes),
            Askers::Both => (shards, nodes),
        };
        let at_once = evenly(shards.len(), question.concurrency) + nodes.len().min(question.concurrency);
        let session = Session::new(&survey, question, at_once, container(snapshot, question.port));
        let probes =
            question.probe_image.as_ref().map(|image| Probes::new(self, snapshot, question, image, stop));
        let is_stopped = || stop.urgency() > Urgency::None;
        let by_probes = async {
            match &probes {
                Some(probes) => futures::join!(probes.ask(&nodes, &session), probes.remove_left_over()).0,
                None => BTreeMap::new(),
            }
        };
        let asked = async {
            let (by_shards, by_probes) =
                futures::join!(self.rows(&survey, question, &session, &shards, stop), by_probes);
            let mut cannot = BTreeMap::new();
            for (ordinal, told) in by_shards {
                match told {
                    Ok(told) => enter(&mut survey, Asker::Shard(ordinal), told),
                    Err(because) => drop(cannot.insert(ordinal, because)),
                }
            }
            for (node, told) in by_probes {
                enter_probe(&mut survey, node, told);
            }
            if let (Askers::Shards, Some(probes), false) = (question.askers, &probes, is_stopped()) {
                let nodes: BTreeSet<NodeName> =
                    cannot.keys().filter_map(|ordinal| survey.node(*ordinal).cloned()).collect();
                let session = Session::new(&survey, question, nodes.len().min(question.concurrency), None);
                for (node, told) in probes.ask(&nodes, &session).await {
                    enter_probe(&mut survey, node, told);
                }
            }
            cannot
        };
        let cannot = tokio::select! {
            cannot = asked => cannot,
            () = stop.beyond(Urgency::AfterStep) => BTreeMap::new(),
        };
        let left_behind = probes.map(Probes::left_behind).unwrap_or_default();
        if is_stopped() {
            return Ok(Surveyed { survey: None, left_behind });
        }
        self.replace(&mut survey, question, cannot).await;
        self.look_inside(&mut survey, question).await;
        let pods = self.forget_moved(&mut survey).await?;
        self.settle(&mut survey, snapshot, &pods).await;
        self.look_behind_names(&mut survey).await;
        Ok(Surveyed { survey: Some(survey), left_behind })
    }

    /// What the shards were answered, or why they could not ask.
    async fn rows(
        &self,
        survey: &Survey,
        question: &RoutingQuestion,
        session: &Session,
        shards: &[u32],
        stop: &Interrupt,
    ) -> Vec<(u32, Result<Row, Cannot>)> {
        let rows = stream::iter(shards).map(|ordinal| async move {
            let row = self.row(survey, question, session, *ordinal);
            let told = tokio::select! {
                told = row => told,
                () = stop.beyond(Urgency::None) => {
                    Err(Cannot { because: "interrupted".to_owned(), is_stuck: false })
                }
            };
            (*ordinal, told)
        });
        rows.buffer_unordered(evenly(shards.len(), question.concurrency)).collect().await
    }

    /// What one shard was answered.
    async fn row(
        &self,
        survey: &Survey,
        question: &RoutingQuestion,
        session: &Session,
        ordinal: u32,
    ) -> Result<Row, Cannot> {
        let asked = self.ask_from(survey, question, session, ordinal);
        match tokio::time::timeout(session.limit, asked).await {
            Ok(told) => told.map_err(|because| Cannot { because, is_stuck: false }),
            Err(_) => {
                let limit = humantime::format_duration(session.limit);
                Err(Cannot { because: format!("its session did not end within {limit}"), is_stuck: true })
            }
        }
    }

    /// For the shards that did not ask the probe on their node did; or else they are asked through port-forward.
    async fn replace(
        &self,
        survey: &mut Survey,
        question: &RoutingQuestion,
        mut cannot: BTreeMap<u32, Cannot>,
    ) {
        let mut alone = Vec::new();
        for (ordinal, place) in &survey.places {
            if survey.rows.contains_key(&Asker::Shard(*ordinal)) {
                continue;
            }
            let cannot = cannot.remove(ordinal);
            let probe = place.node.clone().map(Asker::Probe);
            let no_probe = place.node.as_ref().and_then(|node| survey.no_probe.get(node));
            let no_probe = no_probe.map(|reason| format!("no probe beside it: {reason}"));
            match (probe.is_some_and(|probe| survey.rows.contains_key(&probe)), cannot) {
                (true, Some(cannot)) => drop(survey.stand_ins.insert(*ordinal, cannot.because)),
                (true, None) => {}
                (false, cannot) => {
                    let is_stuck = cannot.as_ref().is_some_and(|cannot| cannot.is_stuck);
                    let reasons = cannot.map(|cannot| cannot.because).into_iter().chain(no_probe);
                    let because = reasons.collect::<Vec<_>>().join("; ");
                    match is_stuck {
                        true => drop(survey.mute.insert(*ordinal, because)),
                        false => alone.push((*ordinal, because)),
                    }
                }
            }
        }
        let rows: Vec<(u32, Result<Row, String>)> = {
            let survey = &*survey;
            stream::iter(alone)
                .map(|(ordinal, because)| async move {
                    let row = match self.ask_directly(survey, question, ordinal).await {
                        Ok(answer) => Ok(row_of_itself(because, ordinal, answer)),
                        Err(why) => Err(format!("{because}; no port-forward: {why}")),
                    };
                    (ordinal, row)
                })
                .buffer_unordered(question.concurrency)
                .collect()
                .await
        };
        for (ordinal, row) in rows {
            match row {
                Ok(row) => drop(survey.rows.insert(Asker::Shard(ordinal), row)),
                Err(because) => drop(survey.mute.insert(ordinal, because)),
            }
        }
    }

    /// Asks from inside a shard.
    async fn ask_from(
        &self,
        survey: &Survey,
        question: &RoutingQuestion,
        session: &Session,
        ordinal: u32,
    ) -> Result<Row, String> {
        let pod = &survey.places[&ordinal].pod;
        let began = self.begin_shell(&survey.workload.namespace, pod, session.container.as_deref()).await;
        let mut process = began.map_err(|error| error.message)?;
        let status = process.take_status();
        let mut stdin = process.stdin().ok_or("exec gave no standard input")?;
        let stdout = process.stdout().ok_or("exec gave no output")?;
        let script = session.script(Some(ordinal));
        // A process that has not begun takes nothing; what it says of that comes below.
        let written = async {
            let _ = stdin.write_all(script.as_bytes()).await;
            let _ = stdin.shutdown().await;
        };
        let mut hearing = Hearing::new(question);
        let read = async {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                hearing.hear(&line);
            }
        };
        let (status, _) = until_end(status, futures::future::join(written, read)).await;
        if hearing.has_begun() {
            return hearing.told(session.questions(Some(ordinal)));
        }
        // The same reason of several shards is told once.
        let said = status.and_then(|status| status.message).unwrap_or_else(|| hearing.noise().to_owned());
        Err(why_no_shell(&said.replace(pod.as_str(), "POD")))
    }

    /// Asks a shard through port-forward, which leads to its loopback address; or why there is no way to it.
    async fn ask_directly(
        &self,
        survey: &Survey,
        question: &RoutingQuestion,
        ordinal: u32,
    ) -> Result<Answer, String> {
        let place = &survey.places[&ordinal];
        let probe = HttpProbe { port: question.port, path: question.path.clone() };
        let answer = self.http_get(&mut None, &survey.workload.namespace, &place.pod, &probe).await;
        let (outcome, total) = match answer {
            Ok(answer) => {
                let headers = answer.response.headers().iter();
                let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
                let body = String::from_utf8_lossy(answer.response.body());
                let identity =
                    question.identity.as_ref().and_then(|identity| identity.in_answer(headers, &body));
                let status = answer.response.status().as_u16();
                (Outcome::Answered { status, identity }, Some(answer.took))
            }
            // It is the kubelet that refuses, or does not answer: of the shard that says nothing.
            Err(reason) if reason.contains(NO_KUBELET) => return Err(reason),
            Err(reason) if reason.contains("refused") => (Outcome::Refused, None),
            Err(reason) if reason.starts_with("no answer within") => (Outcome::Hangs, None),
            Err(reason) => (Outcome::Broken { reason }, None),
        };
        Ok(Answer { addresses: None, asked_at: None, outcome, times: Times { total, ..Times::default() } })
    }

    /// A shard that refuses everybody may listen to itself.
    async fn look_inside(&self, survey: &mut Survey, question: &RoutingQuestion) {
        let mut marks: BTreeMap<u32, BTreeSet<Mark>> = BTreeMap::new();
        for (_, to, mark) in survey.marks() {
            marks.entry(to).or_default().insert(mark);
        }
        let refuses = |(to, marks): (u32, BTreeSet<Mark>)| (marks == [Mark::Refused].into()).then_some(to);
        let refusing: Vec<u32> = marks.into_iter().filter_map(refuses).collect();
        let refusing = refusing.into_iter().filter(|to| survey.places.contains_key(to));
        let inside: Vec<(u32, Option<Outcome>)> = {
            let survey = &*survey;
            stream::iter(refusing)
                .map(|to| async move {
                    let answer = self.ask_directly(survey, question, to).await;
                    (to, answer.ok().map(|answer| answer.outcome))
                })
                .buffer_unordered(question.concurrency)
                .collect()
                .await
        };
        survey.inside = inside.into_iter().filter_map(|(to, outcome)| Some((to, outcome?))).collect();
    }

    /// A pod that was made anew meanwhile has another address than the names that were looked up: nothing is said of them.
    /// Returns the pods as they are now.
    async fn forget_moved(&self, survey: &mut Survey) -> Result<BTreeMap<u32, Pod>, RequestError> {
        let (_, pods) = self.workload_and_pods(&survey.workload).await?;
        let now: BTreeMap<u32, Pod> = pods.into_iter().collect();
        for (ordinal, place) in &mut survey.places {
            if now.get(ordinal).map(addresses).as_ref() != Some(&place.ips) {
                place.ips.clear();
            }
        }
        Ok(now)
    }
}

/// Puts down what was told.
fn enter(survey: &mut Survey, asker: Asker, mut row: Row) {
    let ordinal = match asker {
        Asker::Shard(ordinal) => Some(ordinal),
        Asker::Probe(_) => None,
    };
    Asides::new(survey, ordinal).take(&mut row);
    let first = survey.replicas;
    let source = service::source(survey, asker.clone());
    service::hand_out(&mut survey.clients, &source, first, row.answers.split_off(&first));
    survey.rows.insert(asker, row);
}

fn enter_probe(survey: &mut Survey, node: NodeName, told: Result<Row, String>) {
    match told {
        Ok(told) => enter(survey, Asker::Probe(node), told),
        Err(because) => drop(survey.no_probe.insert(node, because)),
    }
}

/// The answer of a shard that was asked through port-forward.
fn row_of_itself(because: String, ordinal: u32, answer: Answer) -> Row {
    Row {
        via: Via::PortForward { because },
        answers: [(ordinal, answer)].into(),
        resolver: None,
        short: None,
        own: BTreeMap::new(),
        unanswered: 0,
    }
}

fn addresses(pod: &Pod) -> Vec<IpAddr> {
    pod.ips.iter().filter_map(|ip| ip.parse().ok()).collect()
}

/// A survey in which nobody has been asked yet.
fn blank(snapshot: &Snapshot, question: &RoutingQuestion) -> Survey {
    let workload = &snapshot.workload;
    let nodes = snapshot.nodes.as_ref().ok();
    let place = |shard: &crate::domain::snapshot::Shard| {
        let pod = shard.pod.as_ref().filter(|pod| pod.deleted_at.is_none() && pod.phase == "Running")?;
        let zone = pod.node.as_ref().and_then(|node| nodes?.get(node)?.zone().map(str::to_owned));
        let place = Place {
            pod: shard.pod_name.clone(),
            node: pod.node.clone(),
            zone,
            ips: addresses(pod),
            dns_policy: pod.dns_policy,
            is_ready: pod.is_ready,
        };
        Some((shard.ordinal, place))
    };
    let mut headless = Headless { name: workload.service_name.clone(), ..Headless::default() };
    match &snapshot.services {
        Ok(services) => {
            let service =
                services.iter().find(|service| service.name == workload.service_name && service.is_headless);
            headless.exists = service.is_some();
            headless.publishes_not_ready = service.is_some_and(|service| service.publishes_not_ready);
            let labels = &workload.template.labels;
            let selector = service.iter().flat_map(|service| &service.selector);
            let unmatched = selector.filter(|(key, value)| labels.get(*key) != Some(*value));
            headless.unmatched = unmatched.map(|(key, value)| (key.clone(), value.clone())).collect();
        }
        // One that may not be read is not to blame.
        Err(_) => (headless.exists, headless.publishes_not_ready) = (true, true),
    }
    Survey {
        workload: workload.reference.clone(),
        taken_at: Timestamp::now(),
        askers: question.askers,
        port: question.port,
        path: question.path.clone(),
        places: snapshot.expected_shards().filter_map(place).collect(),
        replicas: workload.replicas,
        rows: BTreeMap::new(),
        inside: BTreeMap::new(),
        mute: BTreeMap::new(),
        stand_ins: BTreeMap::new(),
        no_probe: BTreeMap::new(),
        headless,
        wants_identity: question.identity.is_some(),
        clients: question.clients.clone(),
    }
}
