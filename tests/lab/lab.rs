//! The lab that the tests share, and the services they make on it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use shardctl::lab::layout::Layout;

use crate::support::{Folder, Run, Shardctl};

/// Prefix of the labs that tests start; the rest is the number of the process that started it.
const PREFIX: &str = "test-";

/// A running lab.
pub struct Lab {
    name: String,
    pub shardctl: Shardctl,
    pub kubectl: PathBuf,
    folder: Folder,
    services: AtomicUsize,
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Lab {
    /// Starts a lab whose machines appear at once and whose pods start in a blink.
    pub fn start() -> Self {
        remove_left_over();
        let name = format!("{PREFIX}{}", std::process::id());
        let layout = Layout::from_environment().expect("folders for the lab");
        let up = lab_command(&["up", "--name", &name, "--node-launch", "0s", "--pod-start", "300ms"]);
        up.ended(0);
        let folder = Folder::new("lab");
        let root = layout.labs().join(&name);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = runtime.block_on(connect(&root.join("kubeconfig")));
        let lab = Self {
            shardctl: Shardctl { kubeconfig: Some(root.join("kubeconfig")), home: folder.path().to_owned() },
            kubectl: layout.build().binary("kubectl"),
            name,
            folder,
            services: AtomicUsize::new(0),
            runtime,
            client,
        };
        assert!(
            lab.shardctl.kubeconfig.as_ref().is_some_and(|path| path.is_file()),
            "the lab has a kubeconfig"
        );
        lab
    }

    /// Takes the lab down, and asserts that nothing of it is left.
    pub fn stop(&self) {
        lab_command(&["down", "--name", &self.name]).ended(0);
        let layout = Layout::from_environment().expect("folders for the lab");
        assert!(!layout.labs().join(&self.name).exists(), "the lab left files");
    }

    /// Runs kubectl and returns what it printed.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> String {
        let run = self.kubectl_with_input(args, "");
        assert_eq!(run.code, 0, "kubectl {args:?}: {}", run.stderr);
        run.stdout
    }

    /// Asks the API server itself, which is quicker than kubectl: the answer, or the status that it failed with.
    pub fn ask(&self, method: &str, path: &str) -> Result<Value, u16> {
        let request = http::Request::builder().method(method).uri(path).body(Vec::new()).expect("a request");
        self.runtime.block_on(self.client.request(request)).map_err(|error| match error {
            kube::Error::Api(status) => status.code,
            other => panic!("{method} {path}: {other}"),
        })
    }

    /// The objects of a list.
    #[track_caller]
    pub fn list(&self, path: &str) -> Vec<Value> {
        let mut list = self.ask("GET", path).unwrap_or_else(|status| panic!("GET {path}: {status}"));
        serde_json::from_value(list["items"].take()).expect("a list")
    }

    /// Applies a manifest with kubectl.
    #[track_caller]
    pub fn apply(&self, manifest: &str) {
        self.kubectl_with(&["apply", "-f", "-"], manifest);
    }

    /// Runs kubectl with a manifest on standard input.
    #[track_caller]
    pub fn kubectl_with(&self, args: &[&str], manifest: &str) {
        let run = self.kubectl_with_input(args, manifest);
        assert_eq!(run.code, 0, "kubectl {args:?}: {}\n{manifest}", run.stderr);
    }

    /// Runs kubectl with something on its standard input, however it ends.
    pub fn kubectl_with_input(&self, args: &[&str], input: &str) -> Run {
        let mut kubectl = Command::new(&self.kubectl);
        kubectl.env("HOME", self.folder.path()).arg("--kubeconfig");
        kubectl.arg(self.shardctl.kubeconfig.as_ref().expect("a kubeconfig")).args(args);
        Run::with_input(&mut kubectl, input)
    }

    /// A service of three shards in a namespace of its own, not yet deployed. The name tells what it is for.
    pub fn service(&self, purpose: &str) -> Service<'_> {
        let number = self.services.fetch_add(1, Ordering::Relaxed);
        let name = format!("{purpose}-{number}");
        let yaml = self
            .shardctl
            .run([
                "init",
                "--name",
                &name,
                "--image",
                "registry.example/demo:1.0.0",
                "--node-class",
                "KWOKNodeClass.karpenter.kwok.sh/default",
                "--storage-class",
                "managed-csi-premium-retain",
            ])
            .ended(0)
            .stdout
            .replace("replicas: 10", "replicas: 3")
            .replace("terminationGracePeriod: 2m", "terminationGracePeriod: 31s");
        let file = self.folder.write(&format!("{name}.yaml"), &yaml);
        Service { lab: self, name, yaml, file }
    }
}

/// A service of a test.
pub struct Service<'a> {
    pub lab: &'a Lab,
    /// Its name, and its namespace's.
    pub name: String,
    /// The ShardSet as it was written last.
    pub yaml: String,
    pub file: PathBuf,
}

impl Service<'_> {
    /// Changes the ShardSet file; the text to replace must be there.
    #[track_caller]
    pub fn edit(&mut self, from: &str, to: &str) {
        assert!(self.yaml.contains(from), "`{from}` is not in the file");
        self.yaml = self.yaml.replace(from, to);
        std::fs::write(&self.file, &self.yaml).expect("a file");
    }

    /// Gives the ShardSet an overlay.
    pub fn overlay(&mut self, fields: &str) {
        self.yaml.push_str(&format!("  overlay:\n    {fields}\n"));
        std::fs::write(&self.file, &self.yaml).expect("a file");
    }

    /// The file's path as text.
    pub fn path(&self) -> &str {
        self.file.to_str().expect("a path")
    }

    /// Deploys a phase and waits until it is up.
    #[track_caller]
    pub fn deploy(&self, phase: &str) -> Run {
        self.lab
            .shardctl
            .run(["deploy", "-f", self.path(), "--phase", phase, "--yes", "--timeout", "5m"])
            .ended(0)
    }

    /// Deploys with these arguments and nobody to ask, however it ends.
    pub fn deploy_with(&self, args: &[&str]) -> Run {
        self.lab.shardctl.run(["deploy", "-f", self.path()].iter().chain(args))
    }

    /// Deletes the service with these arguments, however it ends.
    pub fn delete_with(&self, args: &[&str]) -> Run {
        self.lab.shardctl.run(["delete", "-f", self.path()].iter().chain(args))
    }

    /// Makes the service's namespace as somebody else would.
    pub fn make_namespace(&self) {
        self.lab.kubectl(&["create", "namespace", &self.name]);
    }

    /// Whether an object of the namespace, or of the cluster, is there.
    pub fn exists(&self, object: &str) -> bool {
        let args = ["get", object, "-n", &self.name, "--ignore-not-found", "-o", "name"];
        !self.lab.kubectl(&args).is_empty()
    }

    /// The versions of all that a deployment touches: equal means that nothing was written, by anybody.
    pub fn versions(&self) -> Vec<String> {
        let of = |kind: &str| -> Vec<String> {
            let list = self.get(kind);
            let items = list["items"].as_array().cloned().unwrap_or_default();
            let wanted = items.iter().filter(|item| {
                let name = item["metadata"]["name"].as_str().unwrap_or_default();
                name.starts_with(&self.name)
            });
            // The controllers write the status; the generation counts what was asked for.
            wanted
                .map(|item| {
                    let meta = &item["metadata"];
                    let managers: Vec<String> = meta["managedFields"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter(|entry| entry["subresource"].is_null())
                        .map(|entry| format!("{} {}", entry["manager"], entry["time"]))
                        .collect();
                    format!("{kind}/{} {} {} {managers:?}", meta["name"], meta["uid"], meta["generation"])
                })
                .collect()
        };
        ["namespaces", "priorityclasses", "nodepools", "services", "pdb", "statefulsets", "pods"]
            .into_iter()
            .flat_map(of)
            .collect()
    }

    /// The uids of the service's pods, by name.
    pub fn pod_uids(&self) -> Vec<String> {
        let pods = self.get("pods");
        let pods = pods["items"].as_array().cloned().unwrap_or_default();
        pods.iter().map(|pod| format!("{} {}", pod["metadata"]["name"], pod["metadata"]["uid"])).collect()
    }

    /// Runs shardctl in the service's namespace.
    pub fn shardctl(&self, args: &[&str]) -> Run {
        self.lab.shardctl.run(args.iter().copied().chain(["-n", &self.name]))
    }

    /// Runs kubectl in the service's namespace.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> String {
        let args: Vec<&str> = args.iter().copied().chain(["-n", &self.name]).collect();
        self.lab.kubectl(&args)
    }

    /// An object of the namespace, or of the cluster, as JSON.
    #[track_caller]
    pub fn get(&self, object: &str) -> Value {
        let object = self.kubectl(&["get", object, "-o", "json", "--show-managed-fields"]);
        serde_json::from_str(&object).expect("JSON")
    }
}

/// Tries again until `check` passes; or until two minutes are over, then its last answer counts. A machine with all tests
/// on it may take most of a minute to make a node: waiting costs nothing where all is well.
pub fn eventually<T>(mut check: impl FnMut() -> Result<T, String>) -> T {
    let limit = Duration::from_mins(2);
    let started = Instant::now();
    loop {
        match check() {
            Ok(found) => return found,
            Err(problem) => assert!(started.elapsed() < limit, "{problem}"),
        }
        #[expect(clippy::disallowed_methods, reason = "a test has no runtime to wait on")]
        std::thread::sleep(Duration::from_millis(200));
    }
}

async fn connect(kubeconfig: &std::path::Path) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    Client::try_from(config.expect("a kubeconfig that can be used")).expect("a client")
}

/// Labs belong to the user's own folders, unlike everything else the tests do.
fn lab_command(args: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_shardctl")).arg("lab").args(args).output();
    Run::from(output.expect("shardctl starts"))
}

/// Takes down labs of test processes that were killed.
fn remove_left_over() {
    let Ok(layout) = Layout::from_environment() else { return };
    for name in layout.names() {
        let process = name.as_str().strip_prefix(PREFIX).and_then(|process| process.parse::<u32>().ok());
        if process.is_some_and(|process| !PathBuf::from(format!("/proc/{process}")).exists()) {
            lab_command(&["down", "--name", name.as_str()]);
        }
    }
}
