//! Programs of this machine, run with a clear error when they fail.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// Where system programs are, whatever PATH the caller has.
const SYSTEM_FOLDERS: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/bin"];

/// The caller's PATH with the folders of the system's administration behind it.
#[must_use]
pub fn search_path() -> String {
    let mut path = std::env::var("PATH").unwrap_or_default();
    for folder in SYSTEM_FOLDERS {
        if !path.split(':').any(|one| one == folder) {
            path.push(':');
            path.push_str(folder);
        }
    }
    path
}

/// Finds a program on the search path.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&search_path()).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// A program, found on the search path.
#[must_use]
pub fn command(program: &str) -> Command {
    let mut command = Command::new(find(program).unwrap_or_else(|| program.into()));
    command.env("PATH", search_path()).stdin(Stdio::null());
    command
}

/// Runs a program to its end and returns what it printed.
///
/// # Errors
/// When it does not start or fails, with its own words.
pub fn run<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> anyhow::Result<String> {
    let mut command = command(program);
    command.args(arguments);
    output(&mut command)
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// When it does not start or fails, with its own words.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("run {}", line(command)))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{}: {}", line(command), words.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A command as one would type it.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The same command in a network namespace. (`ip netns exec` would also replace /sys, and with it hide the cgroups.)
#[must_use]
pub fn in_network(namespace: &str, inner: &Command) -> Command {
    let mut outer = command("nsenter");
    outer.arg(format!("--net={}", network_file(namespace).display())).arg("--");
    outer.arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(folder) = inner.get_current_dir() {
        outer.current_dir(folder);
    }
    outer
}

/// The file that stands for a network namespace.
#[must_use]
pub fn network_file(namespace: &str) -> PathBuf {
    Path::new("/run/netns").join(namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_the_command_and_its_words() {
        let error = run("sh", ["-c", "echo no luck >&2; exit 3"]).unwrap_err().to_string();
        assert!(error.starts_with("sh -c ") && error.ends_with(": no luck"), "{error}");
        assert_eq!(run("echo", ["a"]).unwrap(), "a\n");
    }

    #[test]
    fn a_command_keeps_its_environment_in_a_network() {
        let mut inner = Command::new("/bin/x");
        inner.arg("y").env("A", "1").env_remove("B");
        let outer = in_network("shardctl-r0", &inner);
        let words: Vec<_> = outer.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(words, ["--net=/run/netns/shardctl-r0", "--", "/bin/x", "y"]);
        assert!(outer.get_envs().any(|(name, value)| name == "A" && value.is_some()));
        assert!(outer.get_envs().any(|(name, value)| name == "B" && value.is_none()));
    }
}
