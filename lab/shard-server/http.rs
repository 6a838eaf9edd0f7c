//! The HTTP interface of a shard.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::shard::{Answer, Shard};

/// Serves until it is aborted; connections end with it, as they do when a container is stopped.
pub async fn serve(listener: TcpListener, shard: Arc<Shard>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, client)) = accepted else { continue };
                let shard = Arc::clone(&shard);
                connections.spawn(async move {
                    let service = service_fn(|request| {
                        let shard = Arc::clone(&shard);
                        async move { Ok::<_, Infallible>(answer(&shard, &request, client.ip()).await) }
                    });
                    // A client that goes away is no error.
                    let _ = http1::Builder::new()
                        .max_buf_size(8 * 1024)
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
            // Collects what has ended.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Closes every connection at once, as a port does that nobody listens on.
pub async fn turn_away(listener: TcpListener) {
    loop {
        drop(listener.accept().await);
    }
}

async fn answer(shard: &Shard, request: &Request<Incoming>, client: IpAddr) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (
            &Method::GET | &Method::HEAD,
            path @ ("/health/startup" | "/health/readiness" | "/health/liveness"),
        ) => health(shard, path).await,
        (&Method::GET | &Method::HEAD, "/api/status") => status(shard).await,
        // Who the shard takes its client for: what a network in between has made of it.
        (&Method::GET | &Method::HEAD, "/api/client") => {
            json(StatusCode::OK, format!(r#"{{"address":"{client}"}}"#))
        }
        // What a service's own preStop hooks call.
        (&Method::POST, "/api/shard/deregister" | "/api/shard/flush") => {
            json(StatusCode::OK, "{}".to_owned())
        }
        _ => json(StatusCode::NOT_FOUND, r#"{"error":"not found"}"#.to_owned()),
    }
}

async fn health(shard: &Shard, path: &str) -> Response<Full<Bytes>> {
    let delay = shard.behaviour().health_delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    // Asked again after the delay: it may have been told otherwise meanwhile.
    let behaviour = shard.behaviour();
    let answer = match path {
        "/health/startup" => behaviour.startup,
        "/health/readiness" => behaviour.readiness,
        _ => behaviour.liveness,
    };
    let status = match answer {
        Answer::Normal if path == "/health/startup" && !shard.has_started() => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        answer => status_of(answer).await,
    };
    let word = if status.is_success() { "ok" } else { "unhealthy" };
    json(status, format!(r#"{{"status":"{word}"}}"#))
}

async fn status(shard: &Shard) -> Response<Full<Bytes>> {
    let delay = shard.behaviour().answer_delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let status = status_of(shard.behaviour().answer).await;
    json(status, serde_json::to_string(&shard.identity()).unwrap_or_default())
}

/// The status to answer with; never, when the endpoint hangs.
async fn status_of(answer: Answer) -> StatusCode {
    match answer {
        Answer::Hang => std::future::pending().await,
        Answer::Status(status) => StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        Answer::Normal => StatusCode::OK,
    }
}

pub fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
}
