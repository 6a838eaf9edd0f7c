//! Runs the built binary and keeps all that it says.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run of shardctl said, and how it ended.
#[derive(Debug)]
pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
}

/// shardctl in an environment of its own: no kubeconfig of the user, no colour, an empty home.
#[derive(Clone, Debug)]
pub struct Shardctl {
    pub kubeconfig: Option<PathBuf>,
    pub home: PathBuf,
}

impl Shardctl {
    /// A command with the environment set.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardctl"));
        command.env("HOME", &self.home).env_remove("KUBECONFIG").env_remove("COLUMNS").env("NO_COLOR", "1");
        command.env_remove("XDG_CACHE_HOME");
        for variable in ["LC_ALL", "LC_CTYPE", "LANG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] {
            command.env_remove(variable);
        }
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        let output = self.command().args(args).output().expect("shardctl starts");
        Run::from(output)
    }

    /// Runs to the end with `input` on standard input.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Run {
        Run::with_input(self.command().args(args), input)
    }
}

impl From<std::process::Output> for Run {
    fn from(output: std::process::Output) -> Self {
        Self {
            stdout: String::from_utf8(output.stdout).expect("standard output is text"),
            stderr: String::from_utf8(output.stderr).expect("standard error is text"),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

impl Run {
    /// Runs a command with something on its standard input, however it ends.
    pub fn with_input(command: &mut Command, input: &str) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        // A program that ends without reading closes the pipe, which is its right.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        Self::from(child.wait_with_output().expect("the program ends"))
    }

    /// Asserts how it ended, and shows everything when it ended otherwise.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that standard error has this text.
    #[track_caller]
    pub fn complained(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "expected `{text}` in stderr:\n{}\nstdout:\n{}",
            self.stderr,
            self.stdout
        );
        self
    }

    /// Asserts that standard output has this text.
    #[track_caller]
    pub fn said(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "expected `{text}` in stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

/// A folder that goes with the value.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new empty folder whose name tells what it is for.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("shardctl-{purpose}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("a file for the test");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
