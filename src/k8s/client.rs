//! Connections: kubeconfig and context as in kubectl, a timeout on every request, a log of every request.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::task;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable as _};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::api::{Api, ListParams};
use kube::client::{Body, ClientBuilder};
use serde::de::DeserializeOwned;
use tower::{Layer, Service};

use super::error::{Failure, RequestError};
use super::kubeconfig::{self, ConnectOptions, unusable};
use crate::error::CommandError;

/// Name under which our writes are recorded.
pub const FIELD_MANAGER: &str = "shardctl";

/// How often a read is tried again after a passing fault. Writes are never tried again without a word.
const READ_RETRIES: usize = 2;

/// Objects in one page of a list: half of kubectl's, since memory peaks while one page is read.
const PAGE: u32 = 250;

tokio::task_local! {
    /// How long the answer to the request that is under way asks to wait. A busy API server says so in a header, which
    /// kube's errors do not carry.
    static RETRY_AFTER: Cell<Option<Duration>>;
}

/// Receives one line for each request that was answered or failed.
pub type RequestLog = Arc<dyn Fn(&str) + Send + Sync>;

/// A connection to one API server.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: Client,
    /// The namespace that is meant when none is named.
    namespace: String,
    request_timeout: Duration,
    requests: Arc<AtomicUsize>,
    /// How far the API server's clock is ahead of ours, in milliseconds.
    clock_ahead: Arc<AtomicI64>,
    /// Name of the context, for messages; none in a pod.
    context: Option<String>,
    /// Address of the API server, for messages.
    server: String,
}

impl Cluster {
    /// Reads the kubeconfig and prepares a connection. Nothing is sent yet.
    ///
    /// # Errors
    /// When there is no kubeconfig, or it does not hold what was asked for.
    pub async fn connect(options: &ConnectOptions, log: Option<RequestLog>) -> Result<Self, CommandError> {
        let (mut config, context) = kubeconfig::load(options).await?;
        let request_timeout = match options.request_timeout {
            Duration::ZERO => Duration::MAX,
            limit => limit,
        };
        config.default_retry = false;
        config.connect_timeout = Some(request_timeout);
        config.read_timeout = None;
        if options.is_local {
            config.proxy_url = None;
        }
        config.auth_info.impersonate.clone_from(&options.impersonate);
        if !options.impersonate_groups.is_empty() {
            config.auth_info.impersonate_groups = Some(options.impersonate_groups.clone());
        }
        let namespace = options.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let requests = Arc::new(AtomicUsize::new(0));
        let clock_ahead = Arc::new(AtomicI64::new(0));
        let observe = Observe { log, requests: Arc::clone(&requests), clock_ahead: Arc::clone(&clock_ahead) };
        let login = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
        let client = ClientBuilder::try_from(config)
            .map_err(|error| unusable(&error, login.as_deref()))?
            .with_layer(&observe)
            .build();
        Ok(Self { client, namespace, request_timeout, requests, clock_ahead, context, server })
    }

    /// The namespace that is meant when none is named.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The same connection with another namespace as the default.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// Name of the kubeconfig context; none inside a cluster.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// How many requests were sent so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// The time by the API server's clock, to the second, as its last answer told; ours before the first.
    #[must_use]
    pub fn server_now(&self) -> Timestamp {
        let ahead = SignedDuration::from_millis(self.clock_ahead.load(Ordering::Relaxed));
        Timestamp::now().saturating_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// How long one answer may take.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// Runs a read: with the request timeout, and again after a passing fault.
    pub(super) async fn read<T, F>(&self, operation: &str, request: impl Fn() -> F) -> Result<T, RequestError>
    where
        F: Future<Output = kube::Result<T>>,
    {
        let once = || self.within_timeout(operation, request());
        once.retry(
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(100))
                .with_max_times(READ_RETRIES)
                .with_jitter(),
        )
        .when(RequestError::is_transient)
        .adjust(|error, wait| match error.retry_after {
            Some(asked) => wait.map(|wait| wait.max(asked)),
            None => wait,
        })
        .await
    }

    /// Runs a read of something that may not be there.
    pub(super) async fn find<T, F>(
        &self,
        operation: &str,
        request: impl Fn() -> F,
    ) -> Result<Option<T>, RequestError>
    where
        F: Future<Output = kube::Result<T>>,
    {
        match self.read(operation, request).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists all that `parameters` select.
    pub(super) async fn list<K>(
        &self,
        operation: &str,
        api: &Api<K>,
        parameters: ListParams,
    ) -> Result<Vec<K>, RequestError>
    where
        K: Clone + DeserializeOwned + std::fmt::Debug,
    {
        self.list_as(operation, api, parameters, Some).await
    }

    /// Lists all that `parameters` select, and keeps what `convert` makes of each object: a page of objects is gone
    /// before the next one comes.
    ///
    /// A list that may be as old as the server's cache comes in one piece. With a limit the server would leave out the
    /// cache and its index, and read the whole cluster to find the pods of one node.
    pub(super) async fn list_as<K, T>(
        &self,
        operation: &str,
        api: &Api<K>,
        mut parameters: ListParams,
        convert: impl Fn(K) -> Option<T>,
    ) -> Result<Vec<T>, RequestError>
    where
        K: Clone + DeserializeOwned + std::fmt::Debug,
    {
        if parameters.version_match.is_none() {
            parameters.limit = Some(PAGE);
        }
        let mut items = Vec::new();
        loop {
            let page = self.read(operation, || api.list(&parameters)).await?;
            items.extend(page.items.into_iter().filter_map(&convert));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters.continue_token = Some(token),
                None => return Ok(items),
            }
        }
    }

    /// Sends once, with the request timeout: what changes something is never tried again without a word.
    pub(super) async fn write<T>(
        &self,
        operation: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, RequestError> {
        self.within_timeout(operation, request).await
    }

    async fn within_timeout<T>(
        &self,
        operation: &str,
        request: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, RequestError> {
        let answered = RETRY_AFTER.scope(Cell::new(None), async {
            (tokio::time::timeout(self.request_timeout, request).await, RETRY_AFTER.with(Cell::get))
        });
        let (answer, retry_after) = answered.await;
        let failed = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => {
                let error = RequestError::from_kube(operation, &error);
                RequestError { retry_after: error.retry_after.or(retry_after), ..error }
            }
            Err(_) => {
                let limit = humantime::format_duration(self.request_timeout);
                RequestError::new(operation, Failure::TimedOut, format!("no answer within {limit}"))
            }
        };
        match failed.failure {
            // Nobody answered, so only the address tells whom we asked.
            Failure::Unreachable | Failure::TimedOut => Err(RequestError {
                message: format!("{} (server {})", failed.message, self.server),
                ..failed
            }),
            _ => Err(failed),
        }
    }
}

/// How far the clock of whoever answered is ahead of ours, in milliseconds. The header has whole seconds: half of one is
/// added.
fn clock_ahead_of<B>(answer: &Response<B>) -> Option<i64> {
    let date = answer.headers().get(http::header::DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    i64::try_from(date.duration_since(Timestamp::now()).as_millis() + 500).ok()
}

/// How long an answer asks to wait; a date instead of seconds is not what API servers write.
fn retry_after_of<B>(answer: &Response<B>) -> Option<Duration> {
    let seconds = answer.headers().get(http::header::RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// Counts requests and logs each with its time, as `kubectl -v 6` does.
#[derive(Clone)]
struct Observe {
    log: Option<RequestLog>,
    requests: Arc<AtomicUsize>,
    clock_ahead: Arc<AtomicI64>,
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, observe: self.clone() }
    }
}

struct Observed<S> {
    inner: S,
    observe: Observe,
}

impl<S, B> Service<Request<Body>> for Observed<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: std::fmt::Display + 'static,
    B: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> task::Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.observe.requests.fetch_add(1, Ordering::Relaxed);
        let log = self.observe.log.clone();
        let clock_ahead = Arc::clone(&self.observe.clock_ahead);
        let what = log.as_ref().map(|_| format!("{} {}", request.method(), request.uri()));
        let started = Instant::now();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            if let Some(ahead) = answer.as_ref().ok().and_then(clock_ahead_of) {
                clock_ahead.store(ahead, Ordering::Relaxed);
            }
            if let Some(after) = answer.as_ref().ok().and_then(retry_after_of) {
                // Whoever waits for the answer polls this, so that it is its own task; a watch has nobody to tell.
                let _ = RETRY_AFTER.try_with(|told| told.set(Some(after)));
            }
            let (Some(log), Some(what)) = (log, what) else { return answer };
            let outcome = match &answer {
                Ok(response) => response.status().to_string(),
                Err(error) => error.to_string(),
            };
            log(&format!("{what} {outcome} in {} milliseconds", started.elapsed().as_millis()));
            answer
        })
    }
}
