//! The real lab that the tests share, and the rings of shards they make on it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use shardctl::lab::layout::{LabName, Layout};
use shardctl::lab::real::RealLab;
use shardctl::lab::real::network::namespaces;
use shardctl::lab::real::place::Place;
use shardctl::lab::real::requirements::Missing;

use crate::support::{Folder, Run, Shardctl};

/// Prefix of the labs that these tests start; the rest is the number of the process that started it.
const PREFIX: &str = "real-test-";

/// Why the tests cannot run on this machine; an error where they must.
pub fn why_not() -> Result<Option<String>, String> {
    let missing = Missing::on_this_machine(&layout());
    if missing.is_empty() {
        return Ok(None);
    }
    let reason = missing.what.join("; ");
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    // Set by .ci/run when there is nowhere to install packages from.
    let is_impossible = set("SHARDCTL_NO_PACKAGES");
    let must = set("CI") && rustix::process::geteuid().is_root() && !missing.packages.is_empty();
    if must && !is_impossible { Err(reason) } else { Ok(Some(reason)) }
}

pub fn layout() -> Layout {
    Layout::from_environment().expect("folders for the lab")
}

/// A running lab with three nodes.
pub struct Lab {
    pub name: LabName,
    pub shardctl: Shardctl,
    pub real: RealLab,
    root: PathBuf,
    kubectl: PathBuf,
    folder: Folder,
    rings: AtomicUsize,
    /// Whether the standing ring was applied.
    standing: OnceLock<()>,
}

impl Lab {
    /// Starts it.
    pub fn start() -> Self {
        remove_left_over();
        let name = format!("{PREFIX}{}", std::process::id());
        lab_command(&["up", "--tier", "real", "--nodes", "3", "--name", &name]).ended(0);
        let (layout, folder) = (layout(), Folder::new("real"));
        let name: LabName = name.parse().expect("a name");
        let lab = layout.lab(&name);
        Self {
            shardctl: Shardctl { kubeconfig: Some(lab.kubeconfig()), home: folder.path().to_owned() },
            real: RealLab::open(&layout, &name).unwrap_or_else(|error| panic!("{error}")),
            root: lab.root().to_owned(),
            kubectl: layout.build().binary("kubectl"),
            name,
            folder,
            rings: AtomicUsize::new(0),
            standing: OnceLock::new(),
        }
    }

    /// Takes the lab down, and asserts that nothing of it is left.
    pub fn stop(&self) {
        let list = self.get(&["pv"]);
        let volumes = list["items"].as_array().cloned().unwrap_or_default();
        let folders: Vec<_> =
            volumes.iter().map(|one| one["spec"]["hostPath"]["path"].as_str().expect("a path")).collect();
        assert!(folders.iter().all(|folder| Path::new(folder).is_dir()), "{folders:?}");
        lab_command(&["down", "--name", self.name.as_str()]).ended(0);
        assert_nothing_left(&self.root, self.real.place());
        assert!(!folders.iter().any(|folder| Path::new(folder).exists()), "{folders:?}");
    }

    /// Ends what a test that failed has left broken.
    pub fn mend(&self) {
        for node in self.real.nodes() {
            self.lab_command(&["node", "start", &node.name()]);
        }
        self.lab_command(&["node", "mend"]);
    }

    /// What runs, for whoever looks into a failure.
    pub fn state(&self) -> String {
        let pods = self.kubectl_with_input(&["get", "pods,nodes", "-A", "-o", "wide"], "").stdout;
        let events = self.kubectl_with_input(&["get", "events", "-A", "--sort-by=.lastTimestamp"], "").stdout;
        let last: Vec<_> = events.lines().rev().take(30).collect();
        format!("{pods}\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    /// Runs `shardctl lab` on this lab.
    pub fn lab_command(&self, args: &[&str]) -> Run {
        lab_command(&[&args[..2], &["--name", self.name.as_str()], &args[2..]].concat())
    }

    /// Runs kubectl and returns what it printed.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> String {
        let run = self.kubectl_with_input(args, "");
        assert_eq!(run.code, 0, "kubectl {args:?}: {}", run.stderr);
        run.stdout
    }

    /// Runs kubectl with something on its standard input, however it ends.
    pub fn kubectl_with_input(&self, args: &[&str], input: &str) -> Run {
        let mut kubectl = Command::new(&self.kubectl);
        kubectl.env("HOME", self.folder.path()).arg("--kubeconfig");
        kubectl.arg(self.shardctl.kubeconfig.as_ref().expect("a kubeconfig")).args(args);
        Run::with_input(&mut kubectl, input)
    }

    /// An object or a list as JSON.
    #[track_caller]
    pub fn get(&self, args: &[&str]) -> Value {
        let text = self.kubectl(&[&["get", "-o", "json"], args].concat());
        serde_json::from_str(&text).expect("JSON")
    }

    /// Six shards in a namespace of their own, each Ready. The name tells what they are for.
    #[track_caller]
    pub fn ring(&self, purpose: &str) -> Ring<'_> {
        self.ring_with(purpose, |_| {})
    }

    /// As [`Self::ring`], with a manifest that is changed first.
    #[track_caller]
    pub fn ring_with(&self, purpose: &str, change: impl FnOnce(&mut String)) -> Ring<'_> {
        let ring = self.applied(purpose, change);
        ring.is_whole();
        ring
    }

    /// A ring that nobody waits for.
    #[track_caller]
    pub fn applied(&self, purpose: &str, change: impl FnOnce(&mut String)) -> Ring<'_> {
        let namespace = format!("{purpose}-{}", self.rings.fetch_add(1, Ordering::Relaxed));
        let mut manifest = include_str!("../../lab/real/ring.yaml").to_owned();
        change(&mut manifest);
        self.apply(&namespace, &manifest);
        Ring { lab: self, namespace, stays: false }
    }

    /// The ring of those tests that leave it as it was.
    #[track_caller]
    pub fn standing_ring(&self) -> Ring<'_> {
        let ring = Ring { lab: self, namespace: "standing".to_owned(), stays: true };
        self.standing.get_or_init(|| self.apply(&ring.namespace, include_str!("../../lab/real/ring.yaml")));
        ring.is_whole();
        ring
    }

    #[track_caller]
    fn apply(&self, namespace: &str, manifest: &str) {
        self.kubectl(&["create", "namespace", namespace]);
        let file = self.folder.write(&format!("{namespace}.yaml"), manifest);
        self.kubectl(&["apply", "-n", namespace, "-f", &file.display().to_string()]);
    }
}

/// A service of six shards of a test. It goes with the value, unless others use it too.
pub struct Ring<'a> {
    pub lab: &'a Lab,
    pub namespace: String,
    stays: bool,
}

/// One of its pods.
#[derive(Clone, Debug)]
pub struct Shard {
    pub name: String,
    pub uid: String,
    pub ip: String,
    pub node: String,
    pub is_ready: bool,
    pub restarts: u64,
    pub container: String,
}

impl Ring<'_> {
    /// Runs kubectl in its namespace.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> String {
        self.lab.kubectl(&[&["-n", &self.namespace], args].concat())
    }

    /// Makes an object in its namespace.
    #[track_caller]
    pub fn apply(&self, manifest: &Value) {
        let args = ["apply", "-n", &self.namespace, "-f", "-"];
        let run = self.lab.kubectl_with_input(&args, &manifest.to_string());
        assert_eq!(run.code, 0, "{manifest:#}: {}", run.stderr);
    }

    /// Runs shardctl in its namespace.
    pub fn shardctl(&self, args: &[&str]) -> Run {
        self.lab.shardctl.run(args.iter().copied().chain(["-n", &self.namespace]))
    }

    /// Its pods, by number.
    #[track_caller]
    pub fn shards(&self) -> Vec<Shard> {
        let list = self.lab.get(&["pods", "-n", &self.namespace, "-l", "app=ring"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut shards: Vec<Shard> = list["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|pod| {
                let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
                let container = &pod["status"]["containerStatuses"][0];
                Shard {
                    name: text(&pod["metadata"]["name"]),
                    uid: text(&pod["metadata"]["uid"]),
                    ip: text(&pod["status"]["podIP"]),
                    node: text(&pod["spec"]["nodeName"]),
                    is_ready: pod["metadata"]["deletionTimestamp"].is_null()
                        && conditions.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"),
                    restarts: container["restartCount"].as_u64().unwrap_or_default(),
                    container: text(&container["containerID"]).trim_start_matches("containerd://").to_owned(),
                }
            })
            .collect();
        shards.sort_by(|one, other| one.name.cmp(&other.name));
        shards
    }

    /// One of its pods.
    #[track_caller]
    pub fn shard(&self, number: usize) -> Shard {
        let name = format!("ring-{number}");
        self.shards()
            .into_iter()
            .find(|shard| shard.name == name)
            .unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// Waits until all six shards are Ready.
    #[track_caller]
    pub fn is_whole(&self) {
        eventually(|| {
            let shards = self.shards();
            let ready = shards.iter().filter(|shard| shard.is_ready).count();
            if ready == 6 { Ok(()) } else { Err(format!("{ready} of 6 are ready: {shards:#?}")) }
        });
    }

    /// Runs a command in a shard's container, however it ends.
    pub fn exec(&self, shard: &str, command: &[&str]) -> Run {
        let args = [&["exec", "-n", &self.namespace, shard, "--"], command].concat();
        self.lab.kubectl_with_input(&args, "")
    }

    /// The stable name of a shard, in full.
    pub fn address(&self, shard: &str) -> String {
        format!("{shard}.ring.{}.svc.cluster.local", self.namespace)
    }

    /// Tells a shard how to behave from now on.
    #[track_caller]
    pub fn tell(&self, shard: &str, behaviour: &Value) {
        let ip = self.shards().into_iter().find(|one| one.name == shard).expect("the shard").ip;
        let (status, body) =
            http(&ip, 8079, "POST", "/behaviour", &behaviour.to_string()).expect("an answer");
        assert_eq!(status, 200, "{body}");
    }
}

impl Drop for Ring<'_> {
    fn drop(&mut self) {
        if !self.stays {
            self.lab.kubectl_with_input(&["delete", "namespace", &self.namespace, "--wait=false"], "");
        }
    }
}

/// Asks a pod by its address, from this machine: status and body.
pub fn http(ip: &str, port: u16, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
    let address = SocketAddr::new(ip.parse().map_err(std::io::Error::other)?, port);
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {ip}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    status.zip(body).ok_or_else(|| std::io::Error::other(answer))
}

/// Asserts that a lab has left nothing on this machine.
#[track_caller]
pub fn assert_nothing_left(root: &Path, place: Place) {
    assert!(!root.exists(), "the lab left files");
    assert_eq!(Place::of(root), None, "the lab left its claim");
    let id = place.id();
    assert_eq!(namespaces(&id), Vec::<String>::new(), "network namespaces");
    let output = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let groups = output("find", &["/sys/fs/cgroup", "-maxdepth", "2", "-name", &format!("{id}-*")]);
    assert_eq!(groups, "", "cgroups");
    assert!(!output("ip", &["link"]).contains(&id), "links");
    assert!(!output("ip", &["route"]).contains(&id), "routes");
    assert!(!output("ip", &["address"]).contains(&place.machine().to_string()), "addresses");
    let root = root.display().to_string();
    let mounts = output("cat", &["/proc/self/mounts"]);
    assert!(!mounts.contains(&root) && !mounts.contains(&id), "{mounts}");
    let ours: Vec<_> = command_lines().filter(|line| line.contains(&root) || line.contains(&id)).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

/// The command line of every process.
fn command_lines() -> impl Iterator<Item = String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    })
}

/// Tries again until `check` passes; then, or after two minutes, its last answer counts.
#[track_caller]
pub fn eventually<T>(mut check: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match check() {
            Ok(found) => return found,
            Err(problem) => assert!(started.elapsed() < Duration::from_mins(2), "{problem}"),
        }
        #[expect(clippy::disallowed_methods, reason = "a test has no runtime to wait on")]
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Labs belong to the user's own folders, unlike everything else the tests do.
pub fn lab_command(args: &[&str]) -> Run {
    Run::from(start_lab_command(args).wait_with_output().expect("shardctl ends"))
}

/// As [`lab_command`], while it still runs.
pub fn start_lab_command(args: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_shardctl"))
        .arg("lab")
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("shardctl starts")
}

/// Takes down labs of test processes that were killed.
fn remove_left_over() {
    for name in layout().names() {
        let rest = name.as_str().strip_prefix(PREFIX).map(|rest| rest.trim_end_matches("-b"));
        let process = rest.and_then(|process| process.parse::<u32>().ok());
        if process.is_some_and(|process| !PathBuf::from(format!("/proc/{process}")).exists()) {
            lab_command(&["down", "--name", name.as_str()]);
        }
    }
}
