//! What runs in a real container: one shard, or the process that holds a pod's namespaces.
//!
//! The shard listens on port 8080. Port 8079 is its control port, which answers whatever the shard was told:
//!
//! - `GET /behaviour` the words that are set, as a JSON object
//! - `POST /behaviour` with such an object sets them, and takes back those that are null
//! - `POST /exit` ends the process with code 1, `POST /exit?3` with code 3

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustix::process::{Pid, WaitOptions, waitpid};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::http::json;
use crate::shard::{Behaviour, Identity, Listen, Shard};

/// Where the shard listens.
const PORT: u16 = 8080;
/// Where it is told how to behave.
const CONTROL_PORT: u16 = 8079;

/// The words that are set.
type Words = BTreeMap<String, String>;

/// Serves one shard until it is asked to end.
///
/// # Errors
/// When a port is taken.
pub async fn serve() -> anyhow::Result<ExitCode> {
    let words = words_of_environment();
    let behaviour = behaviour_of(&words);
    let shard = Arc::new(Shard::new(identity(), behaviour.clone()));
    let (listen, listening) = watch::channel(behaviour.listen);
    let (exit, mut exiting) = mpsc::channel(1);
    let control = Arc::new(Control { shard: Arc::clone(&shard), words: Mutex::new(words), listen, exit });
    let port = TcpListener::bind((Ipv4Addr::UNSPECIFIED, CONTROL_PORT)).await.context("control port")?;
    tokio::spawn(control.serve(port));
    let (mut terminate, mut interrupt) = ending()?;
    tokio::spawn(collect(signal(SignalKind::child())?));
    tokio::select! {
        result = listen_where_told(Arc::clone(&shard), listening) => result.map(|()| ExitCode::SUCCESS),
        Some(code) = exiting.recv() => Ok(ExitCode::from(code)),
        _ = terminate.recv() => {
            tokio::time::sleep(shard.behaviour().stop_delay).await;
            Ok(ExitCode::SUCCESS)
        }
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
    }
}

/// Holds a pod's namespaces: does nothing until it is asked to end, and collects processes that nobody waits for.
///
/// # Errors
/// When signals cannot be listened to.
pub async fn pause() -> anyhow::Result<ExitCode> {
    let (mut terminate, mut interrupt) = ending()?;
    tokio::spawn(collect(signal(SignalKind::child())?));
    tokio::select! {
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
    }
}

/// Collects processes that nobody waits for, as the first one of a container should: what is run in it leaves them behind.
async fn collect(mut child: Signal) {
    while child.recv().await.is_some() {
        while let Ok(Some(_)) = waitpid(None::<Pid>, WaitOptions::NOHANG) {}
    }
}

fn ending() -> anyhow::Result<(Signal, Signal)> {
    Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
}

/// Who the shard is: the downward API and the image tell by the environment.
fn identity() -> Identity {
    let text = |name: &str| std::env::var(name).unwrap_or_default();
    let pod = match text("POD_NAME") {
        // What every container has.
        name if name.is_empty() => text("HOSTNAME"),
        name => name,
    };
    Identity {
        pod,
        namespace: text("POD_NAMESPACE"),
        uid: text("POD_UID"),
        node: text("NODE_NAME"),
        version: text("SHARD_VERSION"),
        image: text("SHARD_IMAGE"),
        started_at: Timestamp::now().to_string(),
    }
}

fn words_of_environment() -> Words {
    let variable = |word: &str| std::env::var(format!("SHARD_{}", word.replace('-', "_").to_uppercase()));
    Behaviour::WORDS.into_iter().filter_map(|word| Some((word.to_owned(), variable(word).ok()?))).collect()
}

fn behaviour_of(words: &Words) -> Behaviour {
    Behaviour::of(|word| words.get(word).map(String::as_str))
}

/// Serves the shard, each time where it is told to listen. Its connections end when that changes.
async fn listen_where_told(shard: Arc<Shard>, mut listen: watch::Receiver<Listen>) -> anyhow::Result<()> {
    loop {
        let place = *listen.borrow_and_update();
        let address = match place {
            Listen::Everywhere => Some(Ipv4Addr::UNSPECIFIED),
            Listen::Loopback => Some(Ipv4Addr::LOCALHOST),
            Listen::Nowhere => None,
        };
        let serving = async {
            let Some(address) = address else { return std::future::pending().await };
            let listener = TcpListener::bind((address, PORT)).await.context("listen")?;
            crate::http::serve(listener, Arc::clone(&shard)).await;
            anyhow::Ok(())
        };
        let moved = listen.wait_for(|told| *told != place);
        tokio::select! {
            result = serving => return result,
            told = moved => drop(told?),
        }
    }
}

/// The control port.
struct Control {
    shard: Arc<Shard>,
    words: Mutex<Words>,
    listen: watch::Sender<Listen>,
    exit: mpsc::Sender<u8>,
}

impl Control {
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let control = Arc::clone(&self);
            tokio::spawn(async move {
                let service = service_fn(|request| {
                    let control = Arc::clone(&control);
                    async move { Ok::<_, Infallible>(control.answer(request).await) }
                });
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/behaviour") => self.told(),
            (&Method::POST, "/behaviour") => match body(request).await {
                Ok(changes) => self.change(changes),
                Err(problem) => refuse(&problem),
            },
            (&Method::POST, "/exit") => {
                let code = request.uri().query().and_then(|code| code.parse().ok()).unwrap_or(1);
                // The answer goes out first.
                let exit = self.exit.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let _ = exit.send(code).await;
                });
                json(StatusCode::OK, "{}".to_owned())
            }
            _ => json(StatusCode::NOT_FOUND, r#"{"error":"not found"}"#.to_owned()),
        }
    }

    fn told(&self) -> Response<Full<Bytes>> {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        json(StatusCode::OK, serde_json::to_string(&*words).unwrap_or_default())
    }

    fn change(&self, changes: BTreeMap<String, Option<String>>) -> Response<Full<Bytes>> {
        if let Some(word) = changes.keys().find(|word| !Behaviour::WORDS.contains(&word.as_str())) {
            return refuse(&format!("no such word: {word}"));
        }
        {
            let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
            for (word, value) in changes {
                match value {
                    Some(value) => words.insert(word, value),
                    None => words.remove(&word),
                };
            }
            let behaviour = behaviour_of(&words);
            let listen = behaviour.listen;
            self.shard.change(behaviour);
            self.listen.send_replace(listen);
        }
        self.told()
    }
}

async fn body(request: Request<Incoming>) -> Result<BTreeMap<String, Option<String>>, String> {
    let bytes = request.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

fn refuse(problem: &str) -> Response<Full<Bytes>> {
    json(StatusCode::BAD_REQUEST, serde_json::json!({ "error": problem }).to_string())
}
