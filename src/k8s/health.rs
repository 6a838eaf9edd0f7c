//! Asks shards for their health: an HTTP request to the pod itself through the API server's port-forward, so
//! the image needs no curl and the pod's network need not be reachable from here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use http::Request;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::PostParams;

use super::client::Cluster;
use super::error::{Failure, RequestError};
use crate::domain::names::PodName;
use crate::domain::snapshot::{Health, HttpProbe, Shard, Workload};

/// Shards asked at the same time.
const CONCURRENT_REQUESTS: usize = 16;
/// How long a shard may take to answer. Kubelets give a probe one second; the way through the API server is longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer's body is read so far and no further.
const BODY_LIMIT: usize = 64 * 1024;

/// An answer of a shard.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
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
            (shard.ordinal, health_of(cluster, &workload.reference.namespace, &shard.pod_name, probes).await)
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
    let access = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(namespace.to_owned()),
                verb: Some("create".to_owned()),
                resource: Some("pods".to_owned()),
                subresource: Some("portforward".to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let answer = api.create(&PostParams::default(), &access).await.ok().and_then(|review| review.status);
    match answer {
        Some(status) if !status.allowed => Err(RequestError::new(
            format!("port-forward to the pods in namespace {namespace}"),
            Failure::Forbidden,
            status
                .reason
                .filter(|reason| !reason.is_empty())
                .unwrap_or_else(|| "forbidden: you may not create pods/portforward".to_owned()),
        )),
        _ => Ok(()),
    }
}

/// The first bad answer of a shard, or the slowest good one.
async fn health_of(cluster: &Cluster, namespace: &str, pod: &PodName, probes: &[HttpProbe]) -> Health {
    let mut slowest = Duration::ZERO;
    for probe in probes {
        match cluster.http_get(namespace, pod, probe).await {
            Ok(answer) if (200..400).contains(&answer.status) => slowest = slowest.max(answer.took),
            Ok(answer) => {
                return Health::Unhealthy { status: answer.status, path: probe.path.clone() };
            }
            Err(reason) => {
                return Health::Silent { reason, path: probe.path.clone() };
            }
        }
    }
    Health::Healthy { millis: u64::try_from(slowest.as_millis()).unwrap_or(u64::MAX) }
}

impl Cluster {
    /// Asks a pod for a path on one of its ports, through port-forward.
    ///
    /// # Errors
    /// Why there was no answer: the port is closed, the pod is gone, it took too long.
    pub async fn http_get(
        &self,
        namespace: &str,
        pod: &PodName,
        probe: &HttpProbe,
    ) -> Result<Answer, String> {
        let started = Instant::now();
        match tokio::time::timeout(ANSWER_TIMEOUT, self.http_get_unbounded(namespace, pod, probe)).await {
            Ok(answer) => answer.map(|(status, body)| Answer { status, body, took: started.elapsed() }),
            Err(_) => Err(format!("no answer within {}", humantime::format_duration(ANSWER_TIMEOUT))),
        }
    }

    async fn http_get_unbounded(
        &self,
        namespace: &str,
        pod: &PodName,
        probe: &HttpProbe,
    ) -> Result<(u16, Vec<u8>), String> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let mut forward = pods
            .portforward(pod.as_str(), &[probe.port])
            .await
            .map_err(|error| super::RequestError::from_kube("port-forward", &error).to_string())?;
        let stream = forward.take_stream(probe.port).ok_or("port-forward gave no stream")?;
        let refused = forward.take_error(probe.port);
        let exchange = async {
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|error| error.to_string())?;
            let request = Request::get(&probe.path)
                .header(http::header::HOST, format!("{pod}:{}", probe.port))
                .header(http::header::USER_AGENT, concat!("shardctl/", env!("CARGO_PKG_VERSION")))
                .header(http::header::CONNECTION, "close")
                .body(Empty::<Bytes>::new())
                .map_err(|error| format!("the path `{}` cannot be asked for: {error}", probe.path))?;
            let answer = async {
                let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
                let status = response.status().as_u16();
                let body = Limited::new(response.into_body(), BODY_LIMIT).collect().await;
                Ok((status, body.map(|body| body.to_bytes().to_vec()).unwrap_or_default()))
            };
            // The connection must be driven for the answer to come; it ends by itself afterwards.
            let (_, answer) = futures::join!(connection, answer);
            answer
        };
        let answer: Result<(u16, Vec<u8>), String> = exchange.await;
        let answer = match (answer, refused) {
            // The server's word on why the port is closed says more than that the stream ended.
            (Err(broken), Some(refused)) => {
                let said = tokio::time::timeout(Duration::from_millis(200), refused).await;
                Err(said.ok().flatten().unwrap_or(broken))
            }
            (answer, _) => answer,
        };
        forward.abort();
        answer
    }
}
