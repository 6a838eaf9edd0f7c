//! Stands in for the containers of all pods of a lab: one process that speaks HTTP as every shard.
//!
//! It watches pods. For each that runs and declares a container port it opens a listener on this machine, and tells kwok
//! by a `PortForward` object of the pod's name, so that a port-forward through the real API server ends here. The
//! listener closes when the pod goes. Annotations on a pod make it misbehave, at once: see `shard.rs` and docs/lab.md.

mod forwards;
mod http;
mod shard;

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser;
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

/// Stand in for the containers of all pods of a lab
#[derive(Parser)]
struct Args {
    /// Path of the lab's kubeconfig file
    #[arg(long, value_name = "FILE")]
    kubeconfig: PathBuf,
}

/// A shard that is being served.
struct Served {
    shard: Arc<Shard>,
    /// Which run of the container this is.
    container_id: String,
    listener: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let client = connect(&args.kubeconfig).await?;
    let changed = Arc::new(Notify::new());
    let forwards = Arc::new(Forwards::new(changed));
    tokio::spawn(Arc::clone(&forwards).keep(client.clone()));

    let mut served: HashMap<PodKey, Served> = HashMap::new();
    // Pods seen since the watch began anew; those that are served and not among them are gone.
    let mut seen: Option<Vec<PodKey>> = None;
    let pods: Api<Pod> = Api::all(client);
    let mut events = pin!(watcher::watcher(pods, watcher::Config::default()).default_backoff());
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => seen = Some(Vec::new()),
            Ok(Event::InitApply(pod)) => {
                if let (Some(seen), Some(key)) = (&mut seen, PodKey::of(&pod)) {
                    seen.push(key);
                }
                observe(&pod, &mut served, &forwards).await;
            }
            Ok(Event::Apply(pod)) => observe(&pod, &mut served, &forwards).await,
            Ok(Event::Delete(pod)) => {
                if let Some(key) = PodKey::of(&pod) {
                    close(&key, &mut served, &forwards);
                }
            }
            Ok(Event::InitDone) => {
                let seen = seen.take().unwrap_or_default();
                let gone: Vec<_> = served.keys().filter(|key| !seen.contains(key)).cloned().collect();
                for key in gone {
                    close(&key, &mut served, &forwards);
                }
                forwards.all_known();
            }
            Err(error) => log(&format!("watch pods: {error}")),
        }
    }
    Ok(())
}

async fn connect(kubeconfig: &std::path::Path) -> anyhow::Result<Client> {
    let file = Kubeconfig::read_from(kubeconfig).with_context(|| format!("read {}", kubeconfig.display()))?;
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    // The API server is on this machine, whatever the environment says about proxies.
    config.proxy_url = None;
    Ok(Client::try_from(config)?)
}

/// Opens, changes or closes the listener of a pod.
async fn observe(pod: &Pod, served: &mut HashMap<PodKey, Served>, forwards: &Forwards) {
    let Some(key) = PodKey::of(pod) else { return };
    let Some(container) = Container::running_in(pod) else {
        close(&key, served, forwards);
        return;
    };
    if let Some(served) = served.get(&key)
        && served.container_id == container.id
    {
        served.shard.change(pod);
        return;
    }
    close(&key, served, forwards);
    let listener = match TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await {
        Ok(listener) => listener,
        Err(error) => {
            log(&format!("listen for pod {key}: {error}"));
            return;
        }
    };
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let shard = Arc::new(Shard::new(pod, &container));
    forwards.open(key.clone(), container.ports, address.port());
    served.insert(
        key,
        Served {
            shard: Arc::clone(&shard),
            container_id: container.id,
            listener: tokio::spawn(http::serve(listener, shard)),
        },
    );
}

fn close(key: &PodKey, served: &mut HashMap<PodKey, Served>, forwards: &Forwards) {
    if served.remove(key).is_some() {
        forwards.close(key.clone());
    }
}

/// Standard error is this program's log file.
#[expect(clippy::print_stderr, reason = "the lab keeps it as the log")]
fn log(line: &str) {
    eprintln!("{} {line}", jiff::Timestamp::now());
}
