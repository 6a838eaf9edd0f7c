//! A proxy in front of an API server, for tests: it keeps a record of what was asked, breaks what it is told to, and
//! kills a program right before or right after one of its writes.
//!
//! ```text
//! shardctl ── plain HTTP ──► proxy ── TLS, the client certificate of the kubeconfig ──► API server
//! ```
//!
//! Whatever is not told to break passes unchanged: requests, watches event by event, upgraded connections byte by byte.
//!
//! ```ignore
//! let proxy = Proxy::start(&lab.shardctl);
//! proxy.fault(Fault::Answer(503), 1, |asked| asked.is_about("pods"));
//! proxy.shardctl.run(["status", "-n", "shop"]).ended(0);
//! let ended = proxy.run_until(Moment::before(3), deploy_command);
//! assert!(ended.killed_at.is_some(), "{}", proxy.story());
//! ```

mod asked;
mod fault;
mod kill;
mod server;

use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::support::{Folder, Run, Shardctl};
pub use asked::{Asked, Exchange};
pub use fault::Fault;
use kill::Trap;
pub use kill::{Ended, Moment};
use server::Shared;

/// A proxy that runs until the value goes.
pub struct Proxy {
    /// shardctl with a kubeconfig that leads here.
    pub shardctl: Shardctl,
    pub address: SocketAddr,
    /// Another handle of the socket that the server accepts from.
    listener: TcpListener,
    shared: Arc<Shared>,
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    _folder: Folder,
}

impl Proxy {
    /// Starts a proxy in front of the API server that this shardctl talks to.
    pub fn start(direct: &Shardctl) -> Self {
        let kubeconfig = direct.kubeconfig.as_ref().expect("a kubeconfig");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(connect(Kubeconfig::read_from(kubeconfig).expect("a kubeconfig")));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket that does not wait");
        let address = listener.local_addr().expect("an address");
        let folder = Folder::new("proxy");
        let kubeconfig = folder.write("kubeconfig", kubeconfig_for(address));
        let shared = Arc::new(Shared::new(client));
        let server = serve(runtime, listener.try_clone().expect("a handle"), Arc::clone(&shared));
        let shardctl = Shardctl { kubeconfig: Some(kubeconfig), home: direct.home.clone() };
        Self { shardctl, address, listener, shared, server: Some(server), _folder: folder }
    }

    /// From now on breaks the next so many requests that `when` chooses. The fault that was asked for first goes first;
    /// one for watches leaves other requests alone.
    pub fn fault(&self, fault: Fault, times: usize, when: impl Fn(&Asked) -> bool + Send + 'static) {
        self.shared.state().plan(fault, times, Box::new(when));
    }

    /// Breaks nothing any more.
    pub fn no_more_faults(&self) {
        self.shared.state().no_more_faults();
    }

    /// Every request since the start, in the order in which they came.
    pub fn record(&self) -> Vec<Exchange> {
        self.shared.state().record()
    }

    /// The requests that were to change something; those that a fault kept from the server, too.
    pub fn writes(&self) -> Vec<Exchange> {
        self.record().into_iter().filter(|exchange| exchange.asked.is_write()).collect()
    }

    /// The requests that could change nothing.
    pub fn reads(&self) -> Vec<Exchange> {
        self.record().into_iter().filter(|exchange| !exchange.asked.is_write()).collect()
    }

    /// The record as text, a request in each line, for a test that fails.
    pub fn story(&self) -> String {
        self.shared.state().story()
    }

    /// Runs a program to its end and kills it at the moment, if that comes.
    ///
    /// Every connection of that moment is cut with it: what the dead program had sent reaches the server no more. So
    /// nobody else should use this proxy meanwhile.
    pub fn run_until(&self, moment: Moment, mut command: Command) -> Ended {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let listener = self.listener.try_clone().expect("a handle");
        let child = {
            // Its first request waits at this lock until the trap is set.
            let mut state = self.shared.state();
            let child = command.spawn().expect("the program starts");
            state.set(Trap::new(moment, rustix::process::Pid::from_child(&child), listener));
            child
        };
        let output = child.wait_with_output().expect("the program ends");
        let killed_at = self.shared.state().take_killed();
        kill::check(&output, killed_at.as_ref());
        Ended { run: Run::from(output), killed_at }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.server.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

/// Serves on a thread of its own: tests wait for the programs they run.
fn serve(
    runtime: Runtime,
    listener: TcpListener,
    shared: Arc<Shared>,
) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                () = server::accept(listener, shared) => {}
                _ = stopped => {}
            }
        });
        // Connections and watches may be open; nobody waits for them.
        runtime.shutdown_background();
    });
    (stop, thread)
}

async fn connect(kubeconfig: Kubeconfig) -> Client {
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .expect("a kubeconfig that can be used");
    // Nothing may be tried again, given up on or led elsewhere without a word.
    config.default_retry = false;
    config.read_timeout = None;
    config.write_timeout = None;
    config.proxy_url = None;
    Client::try_from(config).expect("a client")
}

fn kubeconfig_for(address: SocketAddr) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: proxy\n\
         clusters: [{{name: proxy, cluster: {{server: 'http://{address}'}}}}]\n\
         users: [{{name: proxy, user: {{}}}}]\ncontexts: [{{name: proxy, context: {{cluster: proxy, user: proxy}}}}]\n"
    )
}
