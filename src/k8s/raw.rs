//! Plain requests by path, for objects that shardctl has no types for: what a lab is furnished with.

use std::path::Path;
use std::time::Duration;

use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;

/// What can go wrong with a plain request.
#[derive(Debug, thiserror::Error)]
pub enum RawError {
    #[error("read the kubeconfig {path}")]
    Kubeconfig {
        path: String,
        #[source]
        source: kube::config::KubeconfigError,
    },
    #[error("prepare a connection to the API server: {0}")]
    Client(String),
    #[error("{method} {path}: {reason}")]
    Request {
        method: Method,
        path: String,
        reason: String,
        /// The HTTP status, when the server answered.
        status: Option<u16>,
    },
}

impl RawError {
    /// Whether the same request may succeed in a moment: the server is still starting, or the kind or the namespace is
    /// still in the making.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Request { status: Some(status), .. } => matches!(status, 403 | 404 | 409 | 429 | 500..=599),
            Self::Request { status: None, .. } => true,
            Self::Kubeconfig { .. } | Self::Client(_) => false,
        }
    }
}

/// A connection to the API server of one kubeconfig file, and to no other.
#[derive(Clone)]
pub struct RawClient {
    client: Client,
}

impl RawClient {
    /// Prepares a connection; nothing is sent yet. Neither KUBECONFIG nor a proxy of the environment counts.
    ///
    /// # Errors
    /// When the file cannot be read or does not make sense.
    pub async fn from_file(kubeconfig: &Path) -> Result<Self, RawError> {
        let problem = |source| RawError::Kubeconfig { path: kubeconfig.display().to_string(), source };
        let file = Kubeconfig::read_from(kubeconfig).map_err(problem)?;
        let mut config =
            Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.map_err(problem)?;
        config.proxy_url = None;
        config.read_timeout = Some(Duration::from_secs(10));
        // The caller decides what to try again.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|error| RawError::Client(error.to_string()))?;
        Ok(Self { client })
    }

    /// Reads an object or a list.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn get(&self, path: &str) -> Result<Value, RawError> {
        let text = self.send(Method::GET, path, None).await?;
        serde_json::from_str(&text).map_err(|error| RawError::Request {
            method: Method::GET,
            path: path.to_owned(),
            reason: error.to_string(),
            status: None,
        })
    }

    /// Every group, version and resource that the server offers, as one document: what clients go by when they start.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn discovery(&self) -> Result<Value, RawError> {
        const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let request = Request::get("/apis").header(http::header::ACCEPT, AGGREGATED);
        let problem = |reason: String| RawError::Request {
            method: Method::GET,
            path: "/apis".to_owned(),
            reason,
            status: None,
        };
        let request = request.body(Vec::new()).map_err(|error| problem(error.to_string()))?;
        self.client.request(request).await.map_err(|error| problem(error.to_string()))
    }

    /// Asks for a path whose content does not matter, such as `/readyz`.
    ///
    /// # Errors
    /// When the server says that it is not well, or does not answer.
    pub async fn probe(&self, path: &str) -> Result<(), RawError> {
        self.send(Method::GET, path, None).await.map(drop)
    }

    /// Creates or changes an object by server-side apply.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn apply(&self, path: &str, yaml: &str) -> Result<(), RawError> {
        let query = format!("{path}?fieldManager=shardctl-lab&force=true");
        self.send(Method::PATCH, &query, Some(yaml)).await.map(drop)
    }

    async fn send(&self, method: Method, path: &str, body: Option<&str>) -> Result<String, RawError> {
        let problem = |reason: String, status| RawError::Request {
            method: method.clone(),
            path: path.to_owned(),
            reason,
            status,
        };
        let mut request = Request::builder().method(method.clone()).uri(path);
        if body.is_some() {
            request = request.header(http::header::CONTENT_TYPE, "application/apply-patch+yaml");
        }
        let request = request
            .body(body.unwrap_or_default().as_bytes().to_vec())
            .map_err(|error| problem(error.to_string(), None))?;
        self.client.request_text(request).await.map_err(|error| match error {
            kube::Error::Api(status) => problem(status.message.clone(), Some(status.code)),
            other => problem(other.to_string(), None),
        })
    }
}
