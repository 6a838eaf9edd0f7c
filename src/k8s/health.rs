//! Asks shards for their health: an HTTP request to the pod itself through the API server's port-forward, so
//! the image needs no curl and the pod's network need not be reachable from here.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::{AttachParams, Portforwarder};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::JoinHandle;

use super::apply::Permission;
use super::client::Cluster;
use super::error::{Failure, RequestError};
use crate::domain::names::PodName;
use crate::domain::rolling::Gate;
use crate::domain::snapshot::{Health, HttpProbe, Shard, Workload};

/// Shards asked at the same time. Each takes a connection of its own to the API server, and one on to the kubelet.
const CONCURRENT_REQUESTS: usize = 32;
/// How long a shard may take to answer. Kubelets give a probe one second; the way through the API server is longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer's body is read so far and no further.
const BODY_LIMIT: usize = 64 * 1024;

/// An answer of a shard.
pub(super) struct Answer {
    pub response: Response<Bytes>,
    pub took: Duration,
}

/// Asks every shard that is up for what its own probes ask: startup, then readiness.
///
/// # Errors
/// When we may not ask, which says nothing about the shards.
pub(super) async fn ask(
    cluster: &Cluster,
    workload: &Workload,
    shards: &[Shard],
) -> Result<BTreeMap<u32, Health>, RequestError> {
    let probes: Vec<HttpProbe> = workload
        .template
        .containers
        .iter()
        .flat_map(|container| container.startup.iter().chain(&container.readiness))
        .cloned()
        .collect();
    if probes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let probes = &probes;
    let health: BTreeMap<u32, Health> = stream::iter(shards.iter().filter(|shard| shard.is_up()))
        .map(|shard| async move {
            let namespace = &workload.reference.namespace;
            (shard.ordinal, health_of(cluster, &mut None, namespace, &shard.pod_name, probes).await)
        })
        .buffer_unordered(CONCURRENT_REQUESTS)
        .collect()
        .await;
    // A refusal looks like silence, so where there is silence the API server is asked whether it refused.
    if health.values().any(|health| matches!(health, Health::Silent { .. })) {
        may_ask(cluster, &workload.reference.namespace).await?;
    }
    Ok(health)
}

/// Whether we may reach the pods of a namespace, as far as the API server tells.
async fn may_ask(cluster: &Cluster, namespace: &str) -> Result<(), RequestError> {
    let permission = Permission {
        verb: "create",
        group: String::new(),
        resource: "pods".to_owned(),
        subresource: Some("portforward"),
        namespace: Some(namespace.to_owned()),
    };
    match cluster.is_allowed(&permission).await {
        Ok(false) => Err(RequestError::new(
            format!("port-forward to the pods in namespace {namespace}"),
            Failure::Forbidden,
            format!("forbidden: you may not {permission}"),
        )),
        _ => Ok(()),
    }
}

/// The first bad answer of a shard, or the slowest good one.
async fn health_of(
    cluster: &Cluster,
    line: &mut Option<Line>,
    namespace: &str,
    pod: &PodName,
    probes: &[HttpProbe],
) -> Health {
    let mut slowest = Duration::ZERO;
    for probe in probes {
        match cluster.http_get(line, namespace, pod, probe).await {
            Ok(Answer { response, took }) => match response.status().as_u16() {
                200..=399 => slowest = slowest.max(took),
                status => return Health::Unhealthy { status, path: probe.path.clone() },
            },
            Err(reason) => {
                return Health::Silent { reason, path: probe.path.clone() };
            }
        }
    }
    Health::Healthy { millis: u64::try_from(slowest.as_millis()).unwrap_or(u64::MAX) }
}

/// What an answer is cut to in messages.
const SAID_LIMIT: usize = 200;

/// What a stream says, up to a limit.
async fn read_some(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        let _ = stream.take(BODY_LIMIT as u64).read_to_end(&mut text).await;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Of a process in a container its output and its status end at the same time; how long the later one is waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Waits for the end of a process and of the talk with it. One that never began takes no input, and may never close its
/// output: then its status is all there is.
pub(super) async fn until_end<T>(
    status: Option<impl Future<Output = Option<Status>>>,
    talk: impl Future<Output = T>,
) -> (Option<Status>, Option<T>) {
    let mut ended = pin!(async {
        match status {
            Some(status) => status.await,
            None => None,
        }
    });
    let mut talk = pin!(talk);
    tokio::select! {
        status = &mut ended => (status, tokio::time::timeout(LAST_WORDS, talk).await.ok()),
        said = &mut talk => (tokio::time::timeout(LAST_WORDS, ended).await.ok().flatten(), Some(said)),
    }
}

impl Cluster {
    /// Asks a pod whether it passes a gate: nothing, or what is wrong.
    ///
    /// # Errors
    /// What the pod answered, or why it did not answer.
    pub(super) async fn ask_gate(&self, gate: &Gate, namespace: &str, pod: &PodName) -> Result<(), String> {
        self.ask_gate_on(&mut None, gate, namespace, pod).await
    }

    /// The same on a line that is left open for the next question.
    ///
    /// # Errors
    /// What the pod answered, or why it did not answer.
    pub(super) async fn ask_gate_on(
        &self,
        line: &mut Option<Line>,
        gate: &Gate,
        namespace: &str,
        pod: &PodName,
    ) -> Result<(), String> {
        match gate {
            Gate::None => Ok(()),
            Gate::Http(probes) => match health_of(self, line, namespace, pod, probes).await {
                Health::Healthy { .. } => Ok(()),
                Health::Unhealthy { status, path } => Err(format!("{path} answers {status}")),
                Health::Silent { reason, path } => Err(format!("{path} does not answer: {reason}")),
            },
            Gate::Exec { container, command } => {
                let run = self.exec(namespace, pod, container, command);
                match tokio::time::timeout(self.request_timeout(), run).await {
                    Ok(result) => result,
                    Err(_) => Err(format!("`{}` does not end", command.join(" "))),
                }
            }
        }
    }

    /// Runs a command in a container: nothing when it ends with 0, else what it wrote.
    async fn exec(
        &self,
        namespace: &str,
        pod: &PodName,
        container: &str,
        command: &[String],
    ) -> Result<(), String> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let parameters = AttachParams::default().container(container).stdout(true).stderr(true);
        let mut process = api
            .exec(pod.as_str(), command, &parameters)
            .await
            .map_err(|error| super::RequestError::from_kube("exec", &error).to_string())?;
        let status = process.take_status();
        let talk = futures::future::join(read_some(process.stdout()), read_some(process.stderr()));
        let (status, said) = until_end(status, talk).await;
        let said = said.map(|(out, err)| out + &err).unwrap_or_default();
        match status {
            Some(status) if status.status.as_deref() == Some("Success") => Ok(()),
            status => {
                let why = status.and_then(|status| status.message).unwrap_or_default();
                let said: String = said.trim().chars().take(SAID_LIMIT).collect();
                Err(format!("`{}`: {why} {said}", command.join(" ")).trim_end().to_owned())
            }
        }
    }

    /// Asks a pod for a path on one of its ports, through port-forward: on a line that was left open, if it leads
    /// there; leaves the line open for the next question. To open one costs the API server and the kubelet a
    /// connection each, far more than the question.
    ///
    /// # Errors
    /// Why there was no answer: the port is closed, the pod is gone, it took too long.
    pub(super) async fn http_get(
        &self,
        line: &mut Option<Line>,
        namespace: &str,
        pod: &PodName,
        probe: &HttpProbe,
    ) -> Result<Answer, String> {
        let started = Instant::now();
        let exchange = async {
            if let Some(open) =
                line.as_mut().filter(|line| line.port == probe.port && !line.sender.is_closed())
                && let Ok(answer) = open.get(pod, &probe.path).await
            {
                return Ok(answer);
            }
            // The shard may close the line whenever it likes: only what a fresh one says counts.
            line.insert(Line::open(self, namespace, pod, probe.port).await?).get(pod, &probe.path).await
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, exchange).await {
            Ok(answer) => answer.map(|response| Answer { response, took: started.elapsed() }),
            Err(_) => Err(format!("no answer within {}", humantime::format_duration(ANSWER_TIMEOUT))),
        }
    }
}

/// An HTTP connection to a port of a pod through the API server. It ends with the value.
pub(super) struct Line {
    port: u16,
    sender: SendRequest<Empty<Bytes>>,
    /// Says why the port is closed, if it is.
    refused: Pin<Box<dyn Future<Output = Option<String>> + Send>>,
    forward: Portforwarder,
    /// Moves the bytes.
    connection: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.connection.abort();
        self.forward.abort();
    }
}

impl Line {
    async fn open(cluster: &Cluster, namespace: &str, pod: &PodName, port: u16) -> Result<Self, String> {
        let pods: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
        let mut forward = pods
            .portforward(pod.as_str(), &[port])
            .await
            .map_err(|error| super::RequestError::from_kube("port-forward", &error).to_string())?;
        let stream = forward.take_stream(port).ok_or("port-forward gave no stream")?;
        let refused = forward.take_error(port).ok_or("port-forward gave no error stream")?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        // How it ended is told to whoever waits for an answer.
        let connection = tokio::spawn(async { drop(connection.await) });
        Ok(Self { port, sender, refused: Box::pin(refused), forward, connection })
    }

    async fn get(&mut self, pod: &PodName, path: &str) -> Result<Response<Bytes>, String> {
        let request = Request::get(path)
            .header(http::header::HOST, format!("{pod}:{}", self.port))
            .header(http::header::USER_AGENT, concat!("shardctl/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())
            .map_err(|error| format!("the path `{path}` cannot be asked for: {error}"))?;
        let response = match self.sender.send_request(request).await {
            Ok(response) => response,
            // The server's word on why the port is closed says more than that the stream ended.
            Err(broken) => {
                let said = tokio::time::timeout(Duration::from_millis(200), &mut self.refused).await;
                return Err(said.ok().flatten().unwrap_or_else(|| broken.to_string()));
            }
        };
        let (head, body) = response.into_parts();
        // Whether somebody looks at the body or not, it is read so that the line is free for the next question.
        let body = Limited::new(body, BODY_LIMIT).collect().await;
        Ok(Response::from_parts(head, body.map(|body| body.to_bytes()).unwrap_or_default()))
    }
}
