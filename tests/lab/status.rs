//! `shardctl status`

use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::Test;
use crate::lab::{Lab, Service, eventually};
use crate::support::{Run, Shardctl};

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("status::a_service_is_whole_until_a_shard_is_down", verdicts),
    ("status::a_service_that_can_spare_a_shard_is_up_without_it", spare),
    ("status::a_workload_that_is_not_there_is_explained", missing),
    ("status::each_change_is_told_once_until_interrupted", watched),
];

fn status(service: &Service<'_>) -> Value {
    let run = service.shardctl(&["status", "-o", "json"]);
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}

fn verdicts(lab: &Lab) {
    let service = lab.service("status");
    service.deploy("explore");
    let name = &service.name;
    let whole = format!("{name}/{name} is whole: 3 of 3 shards ready for ");
    service.shardctl(&["status"]).ended(0).said(&whole);
    let json = status(&service);
    assert_eq!(json["kind"], "Status", "{json:#}");
    assert_eq!((&json["isWhole"], &json["isUp"]), (&true.into(), &true.into()), "{json:#}");
    // Ready, and it says itself that it does not serve.
    service.k("annotate pod/NAME-1 lab.shardctl.dev/health=503");
    let down = format!(
        "{name}/{name} is DOWN: 2 of 3 shards ready; {name}-1: ready, but /health/startup answers 503"
    );
    let run = eventually(|| ended(service.shardctl(&["status"]), 5));
    assert_eq!(run.stdout.trim_end(), down);
    service.shardctl(&["status", "--no-health"]).ended(0).said(&whole);
    service.k("annotate pod/NAME-1 lab.shardctl.dev/health-");
    eventually(|| ended(service.shardctl(&["status"]), 0));
    service.k("annotate pod/NAME-1 lab.shardctl.dev/fail=never-ready");
    let run = eventually(|| ended(service.shardctl(&["status"]), 5));
    let down = format!("{name}/{name} is DOWN: 2 of 3 shards ready; {name}-1: not ready for ");
    assert!(run.stdout.starts_with(&down), "{run:?}");
    let json = status(&service);
    assert_eq!((&json["isWhole"], &json["isUp"]), (&false.into(), &false.into()), "{json:#}");
    assert_eq!(json["down"][0]["pod"], format!("{name}-1"), "{json:#}");
    service.shardctl(&["status", "-o", "yaml"]).ended(5).said("kind: Status\n");
}

/// The run when it ended so, or what it said.
fn ended(run: Run, code: i32) -> Result<Run, String> {
    if run.code == code { Ok(run) } else { Err(format!("{run:?}")) }
}

fn spare(lab: &Lab) {
    let mut service = lab.service("spare");
    service.edit("availability: all", "availability: 2");
    service.deploy("explore");
    service.k("annotate pod/NAME-1 lab.shardctl.dev/fail=never-ready");
    let name = &service.name;
    let up = format!("{name}/{name} is up: 2 of 3 shards ready, 2 needed for ");
    eventually(|| {
        let run = ended(service.shardctl(&["status"]), 0)?;
        if run.stdout.starts_with(&up) { Ok(()) } else { Err(format!("{run:?}")) }
    });
    service.k("annotate pod/NAME-2 lab.shardctl.dev/fail=never-ready");
    eventually(|| ended(service.shardctl(&["status"]), 5));
}

const SMALL_SET: &str = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: SET, namespace: NAME},
  spec: {replicas: 0, selector: {matchLabels: {app: SET}}, template: {metadata: {labels: {app: SET}},
    spec: {containers: [{name: main, image: registry.example/other:1.0.0}]}}}}";

fn missing(lab: &Lab) {
    let service = lab.service("choice");
    let name = &service.name;
    lab.kubectl(&["create", "namespace", name]);
    service.shardctl(&["status"]).ended(2).complained(&format!("namespace {name} has no StatefulSet"));
    service.apply(&SMALL_SET.replace("SET", "kafka"));
    // The only one needs no name.
    service.shardctl(&["status"]).ended(0).said(&format!("{name}/kafka is "));
    service.apply(&SMALL_SET.replace("SET", "postgres"));
    let run = service.shardctl(&["status"]).ended(2);
    run.complained("has 2 StatefulSets: which one?").complained("name one of kafka, postgres");
    let run = service.shardctl(&["status", "statefulset/kafak"]).ended(1);
    run.complained(&format!("there is no statefulset/kafak in namespace {name}"))
        .complained("did you mean statefulset/kafka?");
    service.shardctl(&["status", "mysql-main"]).ended(1).complained("has kafka, postgres");
}

/// A command that runs until it is interrupted, and what it has printed so far.
pub struct Watching {
    child: Child,
    printed: Arc<Mutex<String>>,
}

impl Watching {
    /// Starts shardctl in the service's namespace.
    pub fn start(service: &Service<'_>, args: &[&str]) -> Self {
        Self::start_with(&service.lab.shardctl, &service.name, args)
    }

    /// Starts this shardctl in a namespace.
    pub fn start_with(shardctl: &Shardctl, namespace: &str, args: &[&str]) -> Self {
        use std::io::BufRead as _;
        let mut command = shardctl.command();
        command.args(args).args(["-n", namespace]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("shardctl starts");
        let printed = Arc::new(Mutex::new(String::new()));
        let (stdout, collected) = (child.stdout.take().expect("a pipe"), Arc::clone(&printed));
        std::thread::spawn(move || {
            for line in std::io::BufReader::new(stdout).lines().map_while(Result::ok) {
                let mut text = collected.lock().expect("no panic holds it");
                text.push_str(&line);
                text.push('\n');
            }
        });
        Self { child, printed }
    }

    pub fn printed(&self) -> String {
        self.printed.lock().expect("no panic holds it").clone()
    }

    /// Waits until the text was printed so often.
    #[track_caller]
    pub fn prints(&self, text: &str, times: usize) {
        eventually(|| {
            let printed = self.printed();
            let found = printed.matches(text).count();
            if found == times {
                Ok(())
            } else {
                Err(format!("`{text}` {found} times, not {times}:\n{printed}"))
            }
        });
    }

    /// Waits until it ends by itself, and returns what it printed and how it ended.
    pub fn end(mut self) -> (String, i32) {
        let code = self.child.wait().expect("it ends").code().unwrap_or(-1);
        (self.printed(), code)
    }

    /// Kills it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Interrupts it as Ctrl-C does, and returns how it ended.
    pub fn interrupt(mut self) -> i32 {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::INT).expect("it runs");
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn watched(lab: &Lab) {
    let service = lab.service("watch");
    service.deploy("explore");
    let watching = Watching::start(&service, &["status", "--watch", "-o", "json"]);
    watching.prints(r#""isUp": true"#, 1);
    service.k("annotate pod/NAME-1 lab.shardctl.dev/fail=never-ready");
    watching.prints(r#""isUp": false"#, 1);
    assert_eq!(watching.interrupt(), 5, "the last verdict counts");
}
