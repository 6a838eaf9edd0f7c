//! Plain requests by path, for objects that shardctl has no types for: what a lab is furnished with.

use http::{Method, Request};
use serde_json::Value;

use super::client::Cluster;
use super::error::{Failure, RequestError};

/// Asks for every group, version and resource as one document: what clients go by when they start.
const AGGREGATED_DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

impl Cluster {
    /// Gets a path that answers JSON, once.
    ///
    /// # Errors
    /// When the server refuses, does not answer, or answers something else.
    pub async fn get_path(&self, path: &str) -> Result<Value, RequestError> {
        let text = self.send(Method::GET, path, None, None).await?;
        serde_json::from_str(&text)
            .map_err(|error| RequestError::new(format!("GET {path}"), Failure::Other, error.to_string()))
    }

    /// Every group, version and resource that the server offers.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn discovery(&self) -> Result<Value, RequestError> {
        let accept = Some((http::header::ACCEPT, AGGREGATED_DISCOVERY));
        let text = self.send(Method::GET, "/apis", accept, None).await?;
        serde_json::from_str(&text)
            .map_err(|error| RequestError::new("GET /apis", Failure::Other, error.to_string()))
    }

    /// Asks for a path whose content does not matter, such as `/readyz`.
    ///
    /// # Errors
    /// When the server says that it is not well, or does not answer.
    pub async fn probe(&self, path: &str) -> Result<(), RequestError> {
        self.send(Method::GET, path, None, None).await.map(drop)
    }

    /// Creates or changes the object at a path by server-side apply, in the name of `manager`.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn apply_path(&self, path: &str, yaml: &str, manager: &str) -> Result<(), RequestError> {
        let path = format!("{path}?fieldManager={manager}&force=true");
        let content = Some((http::header::CONTENT_TYPE, "application/apply-patch+yaml"));
        self.send(Method::PATCH, &path, content, Some(yaml)).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        header: Option<(http::HeaderName, &str)>,
        body: Option<&str>,
    ) -> Result<String, RequestError> {
        let operation = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let request = request
            .body(body.unwrap_or_default().as_bytes().to_vec())
            .map_err(|error| RequestError::new(&operation, Failure::Other, error.to_string()))?;
        self.write(&operation, self.client.request_text(request)).await
    }
}
