//! The server side: takes requests in, passes them on, keeps the record.

use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::asked::{Asked, Exchange};
use super::fault::{self, Fault};
use super::kill::{Trap, Victim};

/// What goes back to who asked.
pub(super) type Answer = Response<UnsyncBoxBody<Bytes, Broken>>;

/// A connection that ends before its answer does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off")
    }
}

impl std::error::Error for Broken {}

/// What all connections share.
pub(super) struct Shared {
    client: Client,
    state: Mutex<State>,
}

/// What was planned, and what happened.
pub(super) struct State {
    start: Instant,
    record: Vec<Exchange>,
    faults: Vec<Planned>,
    trap: Option<Trap>,
    /// The request that sprang the trap.
    killed_at: Option<usize>,
    /// Counts the kills. A connection of an earlier generation may be a dead program's.
    generation: usize,
    /// A program is being killed: nobody is let in.
    is_closed: bool,
}

struct Planned {
    fault: Fault,
    left: usize,
    when: Box<dyn Fn(&Asked) -> bool + Send>,
}

/// What is to be done with a request.
struct Arrival {
    number: usize,
    fault: Option<Fault>,
    kill_before: Option<Victim>,
    kill_after: Option<Victim>,
}

impl Shared {
    pub fn new(client: Client) -> Self {
        let state = State {
            start: Instant::now(),
            record: Vec::new(),
            faults: Vec::new(),
            trap: None,
            killed_at: None,
            generation: 0,
            is_closed: false,
        };
        Self { client, state: Mutex::new(state) }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        // A predicate of a test may have panicked, which that test is told.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub fn plan(&mut self, fault: Fault, times: usize, when: Box<dyn Fn(&Asked) -> bool + Send>) {
        self.faults.push(Planned { fault, left: times, when });
    }

    pub fn no_more_faults(&mut self) {
        self.faults.clear();
    }

    pub fn record(&self) -> Vec<Exchange> {
        self.record.clone()
    }

    pub fn story(&self) -> String {
        self.record.iter().map(|exchange| exchange.line(self.start) + "\n").collect()
    }

    pub fn set(&mut self, trap: Trap) {
        self.trap = Some(trap);
    }

    /// Ends the trap, and tells what sprang it.
    pub fn take_killed(&mut self) -> Option<Exchange> {
        self.trap = None;
        self.killed_at.take().map(|number| self.record[number].clone())
    }

    /// The program that is to be killed is dead.
    pub fn let_in_again(&mut self) {
        self.is_closed = false;
    }

    /// Lets nothing pass that is not there yet, from anybody who is.
    fn cut_off(&mut self, number: usize) {
        self.killed_at = Some(number);
        self.generation += 1;
        self.is_closed = true;
    }

    /// Writes a request down. None: it is of a program that is dead by now.
    fn arrived(&mut self, asked: &Asked, generation: usize) -> Option<Arrival> {
        if generation != self.generation {
            return None;
        }
        let number = self.record.len();
        let planned = self.faults.iter_mut().find(|planned| {
            let is_fit = asked.is_watch() || !planned.fault.is_for_watches();
            planned.left > 0 && is_fit && (planned.when)(asked)
        });
        let fault = planned.map(|planned| {
            planned.left -= 1;
            planned.fault
        });
        self.record.push(Exchange {
            asked: asked.clone(),
            arrived: Instant::now(),
            status: None,
            answered: None,
            fault,
        });
        let (mut kill_before, mut kill_after) = (None, None);
        if self.trap.as_mut().is_some_and(|trap| trap.is_sprung_by(asked))
            && let Some(trap) = self.trap.take()
        {
            match trap.moment.is_before {
                true => {
                    self.cut_off(number);
                    kill_before = Some(trap.victim);
                }
                false => kill_after = Some(trap.victim),
            }
        }
        Some(Arrival { number, fault, kill_before, kill_after })
    }
}

/// One connection of a client.
pub(super) struct Line {
    generation: usize,
    is_reset: AtomicBool,
}

impl Line {
    /// From now on the connection ends with a reset, and says no word more.
    pub fn reset(&self) {
        self.is_reset.store(true, Ordering::Relaxed);
    }
}

/// Takes connections in for as long as it is polled.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let generation = {
            let state = shared.state();
            if state.is_closed {
                continue;
            }
            state.generation
        };
        // An event goes out when it is there, not when the next one is.
        let _ = stream.set_nodelay(true);
        let line = Arc::new(Line { generation, is_reset: AtomicBool::new(false) });
        let wire = Wire { stream, line: Arc::clone(&line) };
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| serve(Arc::clone(&shared), Arc::clone(&line), request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(wire), service).with_upgrades();
        tokio::spawn(connection);
    }
}

/// One request, from its arrival until its answer is on its way.
async fn serve(
    shared: Arc<Shared>,
    line: Arc<Line>,
    mut request: Request<Incoming>,
) -> Result<Answer, Broken> {
    let upgrade = request.headers().contains_key(header::UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let asked = Asked {
        method: parts.method,
        path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        body: body.collect().await.map_err(|_| Broken)?.to_bytes(),
    };
    let arrival = shared.state().arrived(&asked, line.generation).ok_or(Broken)?;
    if let Some(victim) = arrival.kill_before {
        return kill(victim, shared).await;
    }
    let answer = match arrival.fault.and_then(Fault::answer) {
        Some(answer) => {
            shared.state().record[arrival.number].status = Some(answer.status().as_u16());
            answer
        }
        None => {
            let pass = Pass {
                asked,
                headers: parts.headers,
                upgrade,
                number: arrival.number,
                fault: arrival.fault,
                line,
                shared: Arc::clone(&shared),
            };
            // A task of its own: what was sent reaches the server, even if who sent it has left.
            tokio::spawn(pass.on()).await.map_err(|_| Broken)??
        }
    };
    if let Some(victim) = arrival.kill_after {
        shared.state().cut_off(arrival.number);
        return kill(victim, shared).await;
    }
    shared.state().record[arrival.number].answered = Some(Instant::now());
    Ok(answer)
}

/// In a task of its own: with the program goes the connection, and with that the one who waits here.
async fn kill(victim: Victim, shared: Arc<Shared>) -> Result<Answer, Broken> {
    let _ = tokio::spawn(victim.kill(shared)).await;
    Err(Broken)
}

/// A request on its way to the server.
struct Pass {
    asked: Asked,
    headers: HeaderMap,
    upgrade: Option<OnUpgrade>,
    number: usize,
    fault: Option<Fault>,
    line: Arc<Line>,
    shared: Arc<Shared>,
}

impl Pass {
    async fn on(mut self) -> Result<Answer, Broken> {
        if let Some(Fault::Delay(time)) = self.fault {
            sleep(time).await;
        }
        let mut request = Request::new(Body::from(self.asked.body.clone()));
        *request.method_mut() = self.asked.method.clone();
        *request.uri_mut() = self.asked.path.parse().map_err(|_| Broken)?;
        *request.headers_mut() = self.headers;
        // The client fills in the server's own.
        request.headers_mut().remove(header::HOST);
        let mut response = self.shared.client.send(request).await.map_err(|_| Broken)?;
        self.shared.state().record[self.number].status = Some(response.status().as_u16());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && let Some(near) = self.upgrade.take()
        {
            let far = hyper::upgrade::on(&mut response);
            tokio::spawn(join(near, far));
            return Ok(response.map(|_| full(Bytes::new())));
        }
        let (mut parts, body) = response.into_parts();
        for of_one_connection in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE] {
            parts.headers.remove(of_one_connection);
        }
        let (fault, line) = (self.fault, self.line);
        let body = if self.asked.is_stream() {
            let (to, answer) = Parts::new();
            tokio::spawn(async move { fault::stream(body, to, fault, &line).await });
            answer
        } else {
            let whole = body.collect_bytes().await.map_err(|_| Broken)?;
            if let Some(Fault::Late(time)) = fault {
                sleep(time).await;
            }
            if fault == Some(Fault::Reset) {
                let (to, answer) = Parts::new();
                tokio::spawn(async move { fault::break_in_the_middle(whole, to, &line).await });
                answer
            } else {
                full(whole)
            }
        };
        Ok(Response::from_parts(parts, body))
    }
}

/// Moves bytes between two upgraded connections until one of them ends.
async fn join(near: OnUpgrade, far: OnUpgrade) {
    let (Ok(near), Ok(far)) = tokio::join!(near, far) else { return };
    let _ = copy_bidirectional(&mut TokioIo::new(near), &mut TokioIo::new(far)).await;
}

pub(super) fn full(bytes: Bytes) -> UnsyncBoxBody<Bytes, Broken> {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// The parts of an answer that goes out as they come.
pub(super) struct Parts(mpsc::Sender<Result<Frame<Bytes>, Broken>>);

impl Parts {
    fn new() -> (Self, UnsyncBoxBody<Bytes, Broken>) {
        let (sender, mut parts) = mpsc::channel(1);
        let parts = futures::stream::poll_fn(move |context| parts.poll_recv(context));
        (Self(sender), StreamBody::new(parts).boxed_unsync())
    }

    pub async fn send(&self, bytes: Bytes) {
        let _ = self.0.send(Ok(Frame::data(bytes))).await;
    }

    /// Ends the connection without an end of the answer.
    pub async fn break_off(self) {
        let _ = self.0.send(Err(Broken)).await;
    }

    /// Returns when nobody takes the parts any more.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// A connection that can end with a reset.
struct Wire {
    stream: TcpStream,
    line: Arc<Line>,
}

impl Wire {
    fn is_reset(&self) -> bool {
        self.line.is_reset.load(Ordering::Relaxed)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.is_reset() {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An end in good order would come before the reset.
        if self.is_reset() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
