//! A client of a service that needs every shard: it asks each of them all the time, and tells when one did not answer.
//!
//! It shares no code with shardctl, since it is to tell whether what shardctl says of itself is true. It is where clients
//! are, in the network of a node: names are asked of the cluster's DNS through the service proxy, each request is one of
//! name, connection and answer anew, and one begins every [`PERIOD`] whether those before it are answered or not. So what
//! counts is when a request was made, and not how long it hung.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use jiff::{SignedDuration, Timestamp};
use rustix::fd::AsFd as _;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// A request to each shard begins so often: how exactly an outage is measured.
pub const PERIOD: Duration = Duration::from_millis(25);
/// What a request may take. A machine that is busy with something else for a second is no outage.
const PATIENCE: Duration = Duration::from_secs(2);
/// A question to DNS that is lost is asked again after so long.
const ASK_DNS_AGAIN: Duration = Duration::from_millis(300);

/// A shard as its clients know it.
#[derive(Clone, Debug)]
pub struct Shard {
    pub pod: String,
    pub host: String,
}

/// A client that is at work.
pub struct Client {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<Vec<Request>>>,
    shards: usize,
}

/// A request that was made.
#[derive(Clone, Debug)]
struct Request {
    shard: usize,
    at: Timestamp,
    /// Why it was not answered, or not well.
    problem: Option<String>,
}

/// A time in which not every shard answered: from the first request that was not answered to the next one that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    pub began: Timestamp,
    /// The end, or the end of all.
    pub ended: Timestamp,
    pub shards: BTreeSet<usize>,
    /// What the first request met with.
    pub problem: String,
    /// How much longer than a period the client itself let pass between requests when it began and when it ended.
    pub doubt: SignedDuration,
}

/// What a client has met with.
#[derive(Debug)]
pub struct Report {
    /// Times in which at least one shard did not answer, in order.
    pub outages: Vec<Outage>,
    pub requests: usize,
    pub failed: usize,
}

impl Client {
    /// Begins to ask these shards, from within a network namespace.
    pub fn start(network: &str, dns: Ipv4Addr, shards: Vec<Shard>) -> Self {
        let network = File::open(network).expect("the network of a node");
        let (stop, stopped) = oneshot::channel();
        let count = shards.len();
        let thread = std::thread::spawn(move || {
            // This thread alone, and with it every socket that it makes.
            move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            Ok(runtime.block_on(ask_all(dns, shards, stopped)))
        });
        Self { stop, thread, shards: count }
    }

    /// Ends, and tells what it met with.
    pub fn stop(self) -> Report {
        let _ = self.stop.send(());
        let requests = self.thread.join().expect("the client ends").expect("the client works");
        report(requests, self.shards)
    }
}

async fn ask_all(dns: Ipv4Addr, shards: Vec<Shard>, mut stopped: oneshot::Receiver<()>) -> Vec<Request> {
    let mut tick = tokio::time::interval(PERIOD);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut asking = JoinSet::new();
    let mut done = Vec::new();
    loop {
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            _ = tick.tick() => for (index, shard) in shards.iter().enumerate() {
                asking.spawn(request(dns, index, shard.clone()));
            },
            Some(request) = asking.join_next() => done.push(request.expect("a request ends")),
        }
    }
    done.extend(asking.join_all().await);
    done
}

async fn request(dns: Ipv4Addr, index: usize, shard: Shard) -> Request {
    let at = Timestamp::now();
    let result = match tokio::time::timeout(PATIENCE, ask(dns, &shard)).await {
        Ok(result) => result,
        Err(_) => Err(anyhow!("no answer in time")),
    };
    Request { shard: index, at, problem: result.err().map(|error| format!("{error:#}")) }
}

/// One request: the shard answers with success, and says that it is the one that was asked.
async fn ask(dns: Ipv4Addr, shard: &Shard) -> anyhow::Result<()> {
    let address = resolve(dns, &shard.host).await.context("DNS")?;
    let mut stream = TcpStream::connect(SocketAddrV4::new(address, 8080)).await.context("connect")?;
    let request = format!("GET /api/status HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", shard.host);
    stream.write_all(request.as_bytes()).await.context("ask")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.context("answer")?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "{}", answer.lines().next().unwrap_or("no answer"));
    ensure!(answer.contains(&format!("\"pod\":\"{}\"", shard.pod)), "another answers: {answer}");
    Ok(())
}

/// The address of a name.
async fn resolve(dns: Ipv4Addr, name: &str) -> anyhow::Result<Ipv4Addr> {
    let question = question(name);
    loop {
        // Anew each time: the proxy sends what comes from one port to one DNS pod, which may be gone.
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        socket.connect((dns, 53)).await?;
        let mut answer = [0; 512];
        let exchange = async {
            socket.send(&question).await?;
            socket.recv(&mut answer).await
        };
        match tokio::time::timeout(ASK_DNS_AGAIN, exchange).await {
            Ok(Ok(length)) => return address(&answer[..length], question.len()),
            // A DNS pod that has just gone is told as a port that is closed.
            Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(_) => {}
        }
    }
}

/// The question for a name's IPv4 address (RFC 1035, 4.1).
fn question(name: &str) -> Vec<u8> {
    let mut question = vec![0x53, 0x48, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).expect("a label"));
        question.extend(label.as_bytes());
    }
    question.extend([0, 0, 1, 0, 1]);
    question
}

/// The first address in an answer, which repeats the question.
fn address(answer: &[u8], question: usize) -> anyhow::Result<Ipv4Addr> {
    let code = answer.get(3).context("cut off")? & 0xf;
    ensure!(code == 0, "response code {code}");
    ensure!(answer.get(7).is_some_and(|count| *count > 0), "no address");
    // A pointer to the name, the type, the class, the time to live, the length, the address.
    let record = answer.get(question..).context("cut off")?;
    let after_name = if record.first().is_some_and(|byte| byte & 0xc0 == 0xc0) {
        2
    } else {
        record.iter().position(|byte| *byte == 0).context("cut off")? + 1
    };
    let address: [u8; 4] = record.get(after_name + 10..after_name + 14).context("cut off")?.try_into()?;
    Ok(Ipv4Addr::from(address))
}

fn report(mut requests: Vec<Request>, shards: usize) -> Report {
    requests.sort_by_key(|request| request.at);
    let mut down = vec![false; shards];
    let mut last: Vec<Option<Timestamp>> = vec![None; shards];
    let mut outages: Vec<Outage> = Vec::new();
    let mut open: Option<Outage> = None;
    for Request { shard, at, problem } in &requests {
        let gap = last[*shard].replace(*at).map_or(SignedDuration::ZERO, |last| at.duration_since(last));
        let doubt = (gap - SignedDuration::try_from(PERIOD).unwrap_or_default()).max(SignedDuration::ZERO);
        match problem {
            Some(problem) if !down[*shard] => {
                down[*shard] = true;
                let outage = open.get_or_insert_with(|| Outage {
                    began: *at,
                    ended: *at,
                    shards: BTreeSet::new(),
                    problem: problem.clone(),
                    doubt,
                });
                outage.shards.insert(*shard);
            }
            Some(_) => {}
            None => {
                down[*shard] = false;
                if let Some(outage) = open.take_if(|_| !down.contains(&true)) {
                    outages.push(Outage { ended: *at, doubt: outage.doubt + doubt, ..outage });
                }
            }
        }
    }
    let last = requests.last().map(|request| request.at);
    outages.extend(open.zip(last).map(|(outage, ended)| Outage { ended, ..outage }));
    let failed = requests.iter().filter(|request| request.problem.is_some()).count();
    Report { outages, requests: requests.len(), failed }
}
