//! Processes that outlive shardctl: started on their own, found again by their pid file, stopped only when the pid still
//! belongs to the program that was started.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A program that runs in a lab, and where its traces are.
#[derive(Clone, Debug)]
pub struct Process {
    /// What people call it.
    pub name: &'static str,
    /// The binary that it runs, links resolved.
    pub binary: PathBuf,
    pub pid_file: PathBuf,
    pub log: PathBuf,
}

impl Process {
    /// The pid, when the process lives.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        let text = fs::read_to_string(&self.pid_file).ok()?;
        let pid = Pid::from_raw(text.trim().parse().ok()?)?;
        is_running(pid, &self.binary).then_some(pid)
    }

    /// Starts the program apart from this process: a Ctrl-C at the terminal does not reach it. Its output goes to its log.
    ///
    /// # Errors
    /// When the program or its files cannot be opened.
    pub fn start(&self, command: &mut Command) -> io::Result<Child> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child =
            command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        fs::write(&self.pid_file, child.id().to_string())?;
        Ok(child)
    }

    /// Forgets the pid of a process that is gone, so that nobody takes a later process for it.
    pub fn forget(&self) {
        let _ = fs::remove_file(&self.pid_file);
    }

    /// How it is at this moment.
    #[must_use]
    pub fn part(&self) -> Part {
        Part { name: self.name.to_owned(), log: self.log.clone(), pid: self.pid() }
    }
}

/// Something that runs in a lab, or should, at one moment.
#[derive(Clone, Debug)]
pub struct Part {
    /// What people call it.
    pub name: String,
    pub log: PathBuf,
    /// Its process, when it runs.
    pub pid: Option<Pid>,
}

impl Part {
    /// Resident memory in bytes, where the system tells.
    #[must_use]
    pub fn resident_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid?.as_raw_nonzero())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// The last lines of the log that say something.
    #[must_use]
    pub fn last_words(&self, lines: usize) -> Vec<String> {
        let text = fs::read(&self.log).unwrap_or_default();
        // A log can be long, its end is enough.
        let tail = &text[text.len().saturating_sub(64 * 1024)..];
        let tail = String::from_utf8_lossy(tail);
        let mut last: Vec<String> =
            tail.lines().rev().filter(|line| !line.trim().is_empty()).take(lines).map(shorten).collect();
        last.reverse();
        last
    }
}

fn shorten(line: &str) -> String {
    const MOST: usize = 400;
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

/// Whether this pid is a living process of this binary. A process that ended and was not yet collected does not count.
#[must_use]
pub fn is_running(pid: Pid, binary: &Path) -> bool {
    let link = format!("/proc/{}/exe", pid.as_raw_nonzero());
    match fs::read_link(link) {
        Ok(running) => {
            // The file may have been replaced by a newer build since.
            let running = running.to_string_lossy();
            Path::new(running.trim_end_matches(" (deleted)")) == binary
        }
        Err(_) if Path::new("/proc/self/exe").exists() => false,
        Err(_) => runs_by_ps(pid, binary),
    }
}

/// For systems without /proc.
fn runs_by_ps(pid: Pid, binary: &Path) -> bool {
    let output = Command::new("ps").args(["-o", "comm=", "-p", &pid.as_raw_nonzero().to_string()]).output();
    output.is_ok_and(|output| {
        let running = String::from_utf8_lossy(&output.stdout);
        !running.trim().is_empty() && Path::new(running.trim()).file_name() == binary.file_name()
    })
}

/// Stops processes: asks all, waits up to `grace`, and kills those that stay. Returns those that nothing could stop.
#[must_use]
pub fn stop(processes: &[Process], grace: Duration) -> Vec<&'static str> {
    let signal = |signal| {
        for process in processes {
            if let Some(pid) = process.pid() {
                let _ = kill_process(pid, signal);
            }
        }
    };
    signal(Signal::TERM);
    if !all_gone(processes, grace) {
        signal(Signal::KILL);
        all_gone(processes, Duration::from_secs(5));
    }
    let left: Vec<_> = processes.iter().filter(|process| process.pid().is_some()).collect();
    for process in processes {
        if process.pid().is_none() {
            process.forget();
        }
    }
    left.iter().map(|process| process.name).collect()
}

fn all_gone(processes: &[Process], patience: Duration) -> bool {
    let start = Instant::now();
    loop {
        if processes.iter().all(|process| process.pid().is_none()) {
            return true;
        }
        if start.elapsed() >= patience {
            return false;
        }
        #[expect(clippy::disallowed_methods, reason = "lab down has no runtime to wait on")]
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path) -> Process {
        let binary =
            ["/bin/sleep", "/usr/bin/sleep"].iter().find_map(|path| fs::canonicalize(path).ok()).unwrap();
        Process { name: "sleep", binary, pid_file: folder.join("sleep.pid"), log: folder.join("sleep.log") }
    }

    fn folder(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("shardctl-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_process_is_found_again_and_stopped() {
        let folder = folder("stop");
        let process = sleeper(&folder);
        assert!(process.pid().is_none());
        let mut child = process.start(Command::new(&process.binary).arg("60")).unwrap();
        assert_eq!(process.pid().map(|pid| pid.as_raw_nonzero().get().cast_unsigned()), Some(child.id()));
        // Waiting in another thread collects the child, as init would.
        let waiter = thread::spawn(move || child.wait().unwrap());
        assert!(stop(std::slice::from_ref(&process), Duration::from_secs(5)).is_empty());
        waiter.join().unwrap();
        assert!(!process.pid_file.exists());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_pid_that_belongs_to_another_program_is_left_alone() {
        let folder = folder("recycled");
        let process = sleeper(&folder);
        // This very process: alive, and not a sleep.
        fs::write(&process.pid_file, std::process::id().to_string()).unwrap();
        assert!(process.pid().is_none());
        assert!(stop(std::slice::from_ref(&process), Duration::from_millis(10)).is_empty());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn last_words_are_the_end_of_the_log() {
        let folder = folder("words");
        let process = sleeper(&folder);
        fs::write(&process.log, format!("one\ntwo\n\n{}\n", "x".repeat(500))).unwrap();
        let words = process.part().last_words(2);
        assert_eq!(words[0], "two");
        assert_eq!(words[1].len(), 403);
        fs::remove_dir_all(folder).unwrap();
    }
}
