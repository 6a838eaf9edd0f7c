//! Stands in for the containers of all pods of a lab: one process that speaks HTTP as every shard.
//!
//! It watches pods. For each that declares a container port it opens a listener on this machine, and tells kwok by a
//! `PortForward` object of the pod's name, so that a port-forward through the real API server ends here. While no container
//! runs the listener turns everybody away. It is kept for a while when the pod goes: the next pod of that name is reached
//! from its first moment, as a real one is. Annotations on a pod make it misbehave, at once: see `shard.rs` and docs/lab.md.
//!
//! In a lab with real containers it is one of them: `serve` is a single shard, `pause` holds a pod's namespaces.

mod container;
mod forwards;
mod http;
mod shard;

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Config};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::forwards::{Forwards, PodKey};
use crate::shard::{Container, Shard};

/// Stand in for the containers of all pods of a lab, or be one of them
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Args {
    /// Path of the lab's kubeconfig file
    #[arg(long, value_name = "FILE", required = true)]
    kubeconfig: Option<PathBuf>,
    #[command(subcommand)]
    container: Option<ContainerCommand>,
}

/// What to be in a container.
#[derive(Subcommand)]
enum ContainerCommand {
    /// Be one shard, as the environment says
    Serve,
    /// Hold a pod's namespaces until it ends
    Pause,
}

/// A place that is kept after its pod went for so long.
const KEPT_FOR: Duration = Duration::from_mins(1);

/// Where a pod is reached, whether its container runs or not.
struct Place {
    listener: std::net::TcpListener,
    ports: Vec<u16>,
    /// The shard that is served, and which run of its container it is.
    serving: Option<(Arc<Shard>, String)>,
    task: JoinHandle<()>,
    /// When its pod went.
    left_at: Option<Instant>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Place {
    /// Takes a port. Nobody is served yet.
    fn open(ports: Vec<u16>) -> std::io::Result<(Self, u16)> {
        let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(http::turn_away(again(&listener)?));
        Ok((Self { listener, ports, serving: None, task, left_at: None }, port))
    }

    /// Serves as the shard, or turns everybody away.
    fn serve(&mut self, shard: Option<(Arc<Shard>, String)>) -> std::io::Result<()> {
        let listener = again(&self.listener)?;
        self.task.abort();
        self.task = match &shard {
            Some((shard, _)) => tokio::spawn(http::serve(listener, Arc::clone(shard))),
            None => tokio::spawn(http::turn_away(listener)),
        };
        self.serving = shard;
        Ok(())
    }
}

/// The same port for another task.
fn again(listener: &std::net::TcpListener) -> std::io::Result<TcpListener> {
    TcpListener::from_std(listener.try_clone()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    match (args.container, args.kubeconfig) {
        (Some(ContainerCommand::Serve), _) => container::serve().await,
        (Some(ContainerCommand::Pause), _) => container::pause().await,
        (None, kubeconfig) => stand_in(&kubeconfig.unwrap_or_default()).await.map(|()| ExitCode::SUCCESS),
    }
}

/// Stands in for all containers, for ever.
async fn stand_in(kubeconfig: &std::path::Path) -> anyhow::Result<()> {
    let client = connect(kubeconfig).await?;
    let changed = Arc::new(Notify::new());
    let forwards = Arc::new(Forwards::new(changed));
    tokio::spawn(Arc::clone(&forwards).keep(client.clone()));

    let mut places: HashMap<PodKey, Place> = HashMap::new();
    // Pods seen since the watch began anew; places of others are left.
    let mut seen: Option<Vec<PodKey>> = None;
    let pods: Api<Pod> = Api::all(client);
    let mut events = pin!(watcher::watcher(pods, watcher::Config::default()).default_backoff());
    let mut clean = tokio::time::interval(KEPT_FOR / 2);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = clean.tick() => {
                let is_over = |place: &mut Place| place.left_at.is_some_and(|left| left.elapsed() > KEPT_FOR);
                for (key, _) in places.extract_if(|_, place| is_over(place)) {
                    forwards.close(key);
                }
                continue;
            }
        };
        match event {
            None => return Ok(()),
            Some(Ok(Event::Init)) => seen = Some(Vec::new()),
            Some(Ok(Event::InitApply(pod))) => {
                if let (Some(seen), Some(key)) = (&mut seen, PodKey::of(&pod)) {
                    seen.push(key);
                }
                observe(&pod, &mut places, &forwards);
            }
            Some(Ok(Event::Apply(pod))) => observe(&pod, &mut places, &forwards),
            Some(Ok(Event::Delete(pod))) => {
                if let Some(place) = PodKey::of(&pod).and_then(|key| places.get_mut(&key)) {
                    leave(place);
                }
            }
            Some(Ok(Event::InitDone)) => {
                let seen = seen.take().unwrap_or_default();
                for (_, place) in places.iter_mut().filter(|(key, _)| !seen.contains(key)) {
                    leave(place);
                }
                forwards.all_known();
            }
            Some(Err(error)) => log(&format!("watch pods: {error}")),
        }
    }
}

async fn connect(kubeconfig: &std::path::Path) -> anyhow::Result<Client> {
    let file = Kubeconfig::read_from(kubeconfig).with_context(|| format!("read {}", kubeconfig.display()))?;
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    // The API server is on this machine, whatever the environment says about proxies.
    config.proxy_url = None;
    Ok(Client::try_from(config)?)
}

/// Takes a place for a pod, and serves there as its container does.
fn observe(pod: &Pod, places: &mut HashMap<PodKey, Place>, forwards: &Forwards) {
    let Some(key) = PodKey::of(pod) else { return };
    let ports = Container::ports_of(pod);
    if ports.is_empty() {
        return;
    }
    if places.get(&key).is_none_or(|place| place.ports != ports) {
        match Place::open(ports.clone()) {
            Ok((place, port)) => {
                forwards.open(key.clone(), ports, port);
                places.insert(key.clone(), place);
            }
            Err(error) => log(&format!("listen for pod {key}: {error}")),
        }
    }
    let Some(place) = places.get_mut(&key) else { return };
    place.left_at = None;
    let container = Container::running_in(pod);
    let changed = match (&place.serving, container) {
        (Some((shard, run)), Some(container)) if *run == container.id => {
            shard.change_to_annotations(pod);
            Ok(())
        }
        (_, Some(container)) => place.serve(Some((Arc::new(Shard::of_pod(pod, &container)), container.id))),
        (Some(_), None) => place.serve(None),
        (None, None) => Ok(()),
    };
    if let Err(error) = changed {
        log(&format!("listen for pod {key}: {error}"));
    }
}

/// The pod went; the next of its name may come any moment.
fn leave(place: &mut Place) {
    place.left_at.get_or_insert_with(Instant::now);
    if place.serving.is_some()
        && let Err(error) = place.serve(None)
    {
        log(&format!("turn away: {error}"));
    }
}

/// Standard error is this program's log file.
#[expect(clippy::print_stderr, reason = "the lab keeps it as the log")]
fn log(line: &str) {
    eprintln!("{} {line}", jiff::Timestamp::now());
}
