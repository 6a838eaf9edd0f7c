//! The lab that the tests share, and the services they make on it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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
        let lab = Self {
            shardctl: Shardctl { kubeconfig: Some(root.join("kubeconfig")), home: folder.path().to_owned() },
            kubectl: layout.build().binary("kubectl"),
            name,
            folder,
            services: AtomicUsize::new(0),
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

    fn kubectl_with_input(&self, args: &[&str], input: &str) -> Run {
        use std::io::Write as _;
        use std::process::Stdio;
        let kubeconfig = self.shardctl.kubeconfig.as_ref().expect("a kubeconfig");
        let mut child = Command::new(&self.kubectl)
            .env("HOME", self.folder.path())
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl starts");
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        Run::from(child.wait_with_output().expect("kubectl ends"))
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

    /// The file's path as text.
    pub fn path(&self) -> &str {
        self.file.to_str().expect("a path")
    }

    /// Deploys a phase and waits until it is up.
    #[track_caller]
    pub fn deploy(&self, phase: &str) -> Run {
        self.lab
            .shardctl
            .run(["deploy", "-f", self.path(), "--phase", phase, "--yes", "--timeout", "2m"])
            .ended(0)
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
        serde_json::from_str(&self.kubectl(&["get", object, "-o", "json"])).expect("JSON")
    }
}

/// Tries again until `check` passes; then, or after 30 seconds, its last answer counts.
pub fn eventually<T>(mut check: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match check() {
            Ok(found) => return found,
            Err(problem) => assert!(started.elapsed() < Duration::from_secs(30), "{problem}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
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
