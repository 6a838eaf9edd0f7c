//! The proxy that breaks requests and kills programs: what passes through it is unchanged, and what it breaks is broken.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Test;
use crate::fault_proxy::{Asked, Exchange, Fault, Moment, Proxy};
use crate::lab::{Lab, Service, eventually};
use crate::status::Watching;
use crate::support::Run;

/// The tests of this file.
pub const TESTS: &[Test] = &[
    ("proxy::commands_work_through_it_as_without_it", unchanged),
    ("proxy::upgraded_connections_pass", upgraded),
    ("proxy::a_dry_run_is_no_write", dry_run),
    ("proxy::a_watch_tells_each_event_at_once", at_once),
    ("proxy::what_passes_by_itself_is_asked_again", passing),
    ("proxy::a_refusal_reaches_the_client", refused),
    ("proxy::a_reset_comes_in_the_middle_of_the_answer", reset),
    ("proxy::what_comes_too_late_is_still_done", late),
    ("proxy::a_watch_can_end_fall_silent_and_expire", watches),
    ("proxy::a_program_is_killed_before_a_write", before),
    ("proxy::a_program_is_killed_after_a_write", after),
    ("proxy::a_deploy_killed_after_every_write_comes_to_its_end", every),
    ("proxy::what_a_dead_program_had_sent_is_lost_with_it", lost),
    ("proxy::renewals_of_a_lease_need_not_count", renewals),
];

const FOREVER: usize = usize::MAX;

/// Deploys the explore phase through the proxy.
fn deploy(proxy: &Proxy, service: &Service<'_>, more: &[&str]) -> Run {
    let args = ["deploy", "-f", service.path(), "--phase", "explore", "--yes"];
    proxy.shardctl.run(args.iter().chain(more))
}

/// A deploy to be killed: it does not wait for the shards.
fn short_deploy(proxy: &Proxy, service: &Service<'_>) -> Command {
    let mut command = proxy.shardctl.command();
    command.args(["deploy", "-f", service.path(), "--phase", "explore", "--yes", "--no-wait"]);
    command
}

/// Runs kubectl through the proxy.
fn kubectl(lab: &Lab, proxy: &Proxy, args: &[&str], input: &str) -> Run {
    let kubeconfig = proxy.shardctl.kubeconfig.as_ref().and_then(|path| path.to_str()).expect("a path");
    let args: Vec<&str> = ["--kubeconfig", kubeconfig].iter().chain(args).copied().collect();
    lab.kubectl_with_input(&args, input)
}

/// Whether the object that a request was about is on the server, as the server itself says.
fn is_there(lab: &Lab, exchange: &Exchange) -> bool {
    lab.kubectl_with_input(&["get", "--raw", exchange.asked.path_alone()], "").code == 0
}

fn unchanged(lab: &Lab) {
    let service = lab.service("unchanged");
    let proxy = Proxy::start(&lab.shardctl);
    let run = deploy(&proxy, &service, &[]).ended(0).said("is up: 3 of 3 shards ready and healthy");
    let writes = proxy.writes();
    assert_eq!(writes.len(), run.stdout.matches(" created\n").count(), "{}", proxy.story());
    assert!(writes.len() >= 6 && writes.iter().all(|write| is_there(lab, write)), "{}", proxy.story());
    assert!(writes.iter().any(|write| write.asked.is_about("statefulsets")), "{}", proxy.story());
    for exchange in proxy.record() {
        assert!(exchange.status.is_some() && exchange.answered >= Some(exchange.arrived), "{exchange:?}");
        assert!(exchange.fault.is_none(), "{exchange:?}");
    }
    // The shards were asked for their health.
    let reads = proxy.reads();
    let is_forward = |read: &&Exchange| read.asked.is_about("pods/portforward") && read.status == Some(101);
    assert!(reads.iter().filter(is_forward).count() >= 3, "{}", proxy.story());
    assert!(reads.iter().any(|read| read.asked.is_watch()), "{}", proxy.story());
    assert!(proxy.record().is_sorted_by_key(|exchange| exchange.arrived));

    deploy(&proxy, &service, &[]).ended(0).said("nothing was changed");
    let name = service.name.as_str();
    for command in [&["status", "-n", name][..], &["verify", "-n", name], &["packing", "-n", name]] {
        let through = proxy.shardctl.run(command);
        let direct = lab.shardctl.run(command);
        // What is told of times and differs by now is in the last words of a line.
        let facts = |run: &Run| -> Vec<String> {
            run.stdout.lines().map(|line| line.split_whitespace().take(3).collect()).collect()
        };
        assert_eq!((through.code, facts(&through)), (direct.code, facts(&direct)), "{command:?}");
    }
    assert_eq!(proxy.writes().len(), writes.len(), "{}", proxy.story());

    let arguments = ["--watch", "-o", "json"];
    let watching = Watching::start_with(&proxy.shardctl, name, &[&["status"], &arguments[..]].concat());
    watching.prints(r#""isUp": true"#, 1);
    service.k("annotate pod/NAME-1 lab.shardctl.dev/fail=never-ready");
    watching.prints(r#""isUp": false"#, 1);
    assert_eq!(watching.interrupt(), 5);
}

fn upgraded(lab: &Lab) {
    let service = lab.service("upgraded");
    let name = &service.name;
    let proxy = Proxy::start(&lab.shardctl);
    service.deploy("explore");
    let status = ["status", "-n", name];
    eventually(|| {
        let run = proxy.shardctl.run(status);
        if run.code == 0 { Ok(()) } else { Err(format!("{run:?}")) }
    });
    // The lab has no exec; its refusal comes over the connection that was upgraded for it.
    let exec = ["exec", &format!("{name}-0"), "-n", name, "--", "true"];
    let (through, direct) = (kubectl(lab, &proxy, &exec, ""), lab.kubectl_with_input(&exec, ""));
    assert_eq!((through.code, &through.stderr), (direct.code, &direct.stderr), "{}", proxy.story());
    let asked = proxy.record().into_iter().find(|exchange| exchange.asked.is_about("pods/exec"));
    assert_eq!(asked.expect("exec was asked for").status, Some(101), "{}", proxy.story());
}

fn dry_run(lab: &Lab) {
    let mut service = lab.service("no-write");
    let proxy = Proxy::start(&lab.shardctl);
    deploy(&proxy, &service, &["--dry-run=server"]).ended(0);
    service.deploy("explore");
    service.edit("demo:1.0.0", "demo:1.0.1");
    deploy(&proxy, &service, &["--dry-run=server"]).ended(0).said("demo:1.0.0 -> ");
    proxy.shardctl.run(["delete", "-f", service.path(), "--dry-run=server"]).ended(0);
    let name = &service.name;
    let pod = format!("{name}-0");
    let eviction = format!(
        r#"{{"apiVersion":"policy/v1","kind":"Eviction","metadata":{{"name":"{pod}","namespace":"{name}"}},
        "deleteOptions":{{"dryRun":["All"]}}}}"#
    );
    let path = format!("/api/v1/namespaces/{name}/pods/{pod}/eviction");
    kubectl(lab, &proxy, &["create", "--raw", &path, "-f", "-"], &eviction);
    let delete = ["delete", "pod", &pod, "-n", name, "--dry-run=server"];
    kubectl(lab, &proxy, &delete, "").ended(0);
    kubectl(lab, &proxy, &["auth", "can-i", "--list"], "").ended(0);
    for what in ["statefulsets", "selfsubjectaccessreviews", "selfsubjectrulesreviews", "pods/eviction"] {
        let is_asked = |read: &Exchange| read.asked.method != http::Method::GET && read.asked.is_about(what);
        assert!(proxy.reads().iter().any(is_asked), "{what}\n{}", proxy.story());
    }
    assert!(proxy.writes().is_empty(), "{}", proxy.story());
    kubectl(lab, &proxy, &["label", "pod", &pod, "-n", name, "a=b"], "").ended(0);
    assert_eq!(proxy.writes().len(), 1, "{}", proxy.story());
}

/// An answer that is read as it comes.
struct Raw {
    reader: BufReader<TcpStream>,
    status: String,
}

impl Raw {
    /// Asks for a path. A read ends with an error when nothing has come for `patience`.
    fn get(proxy: &Proxy, path: &str, patience: Duration) -> Self {
        let mut stream = TcpStream::connect(proxy.address).expect("a connection");
        stream.set_read_timeout(Some(patience)).expect("a timeout");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("it is sent");
        let mut reader = BufReader::new(stream);
        let mut status = String::new();
        reader.read_line(&mut status).expect("a status");
        Self { reader, status }
    }

    /// The next event of a watch. None: the answer has ended.
    fn event(&mut self) -> std::io::Result<Option<String>> {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            if line.starts_with('{') {
                return Ok(Some(line));
            }
        }
    }
}

/// Watches the ConfigMaps of a namespace by name, from before the first of the test.
fn watch_of(service: &Service<'_>) -> String {
    format!("/api/v1/namespaces/{}/configmaps?watch=true&labelSelector=test", service.name)
}

fn make(service: &Service<'_>, name: &str) {
    service.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: NAME, labels: {{test: a}}}}\n"
    ));
}

/// Longer than anything takes that works.
const PATIENT: Duration = Duration::from_secs(20);
/// How long a silent watch is listened to.
const SHORT: Duration = Duration::from_millis(700);

fn at_once(lab: &Lab) {
    let service = lab.service("at-once");
    let proxy = Proxy::start(&lab.shardctl);
    service.make_namespace();
    let mut watch = Raw::get(&proxy, &watch_of(&service), PATIENT);
    assert_eq!(watch.status, "HTTP/1.1 200 OK\r\n");
    // Each comes before the next one is made.
    for name in ["one", "two", "three"] {
        make(&service, name);
        let event = watch.event().expect("it comes").expect("the watch goes on");
        assert!(event.contains(&format!(r#""name":"{name}""#)), "{event}");
    }
}

fn passing(lab: &Lab) {
    let service = lab.service("passing");
    let proxy = Proxy::start(&lab.shardctl);
    service.deploy("explore");
    let faults = [Fault::Answer(500), Fault::Answer(503), Fault::TooMany { retry_after: 1 }, Fault::Reset];
    for fault in faults {
        let before = proxy.record().len();
        proxy.fault(fault, 2, |asked| asked.is_about("statefulsets"));
        proxy.shardctl.run(["status", "-n", &service.name]).ended(0).said("is whole");
        let asked: Vec<(Option<Fault>, bool)> = proxy.record()[before..]
            .iter()
            .filter(|exchange| exchange.asked.is_about("statefulsets"))
            .map(|exchange| (exchange.fault, exchange.status == Some(200)))
            .collect();
        let is_passed_on = fault == Fault::Reset;
        let expected = [(Some(fault), is_passed_on), (Some(fault), is_passed_on), (None, true)];
        assert!(asked.starts_with(&expected), "{asked:?}\n{}", proxy.story());
    }
    // One more than it tries.
    proxy.fault(Fault::Answer(503), FOREVER, |asked| asked.is_about("statefulsets"));
    let run = proxy.shardctl.run(["status", "-n", &service.name]).ended(1);
    run.complained("the server is currently unable to handle the request");
    proxy.no_more_faults();
    proxy.shardctl.run(["status", "-n", &service.name]).ended(0);
}

fn refused(lab: &Lab) {
    let service = lab.service("refused");
    let proxy = Proxy::start(&lab.shardctl);
    proxy.fault(Fault::Answer(401), 1, |_| true);
    let run = proxy.shardctl.run(["status", "-n", "default"]).ended(1);
    run.complained("Unauthorized").complained("hint: the credentials of this context are not accepted");
    // A write is not sent twice.
    proxy.fault(Fault::Answer(409), 1, |asked| asked.is_write() && asked.is_about("nodepools"));
    let run = deploy(&proxy, &service, &["--no-wait"]).ended(4);
    run.complained("the object has been modified").complained("applied before it: ");
    let writes = proxy.writes();
    let last = writes.last().expect("a write");
    assert_eq!((last.status, last.fault), (Some(409), Some(Fault::Answer(409))), "{}", proxy.story());
    assert!(!is_there(lab, last), "the server was not asked");
    deploy(&proxy, &service, &["--no-wait"]).ended(0);
    assert!(is_there(lab, last));

    let raw = |fault: Fault| {
        proxy.fault(fault, 1, |_| true);
        let mut raw = Raw::get(&proxy, "/version", PATIENT);
        let mut rest = String::new();
        raw.reader.read_to_string(&mut rest).expect("an answer");
        (raw.status, rest)
    };
    let (status, rest) = raw(Fault::TooMany { retry_after: 7 });
    assert_eq!(status, "HTTP/1.1 429 Too Many Requests\r\n");
    assert!(rest.contains("retry-after: 7\r\n"), "{rest}");
    let (status, rest) = raw(Fault::Answer(410));
    assert_eq!(status, "HTTP/1.1 410 Gone\r\n");
    assert!(rest.contains(r#""reason":"Expired""#), "{rest}");
}

fn reset(lab: &Lab) {
    let service = lab.service("reset");
    let proxy = Proxy::start(&lab.shardctl);
    service.make_namespace();
    make(&service, "one");
    let path = watch_of(&service);
    for path in ["/version", &path] {
        proxy.fault(Fault::Reset, 1, |_| true);
        let mut raw = Raw::get(&proxy, path, PATIENT);
        let mut got = Vec::new();
        let error = raw.reader.read_to_end(&mut got).expect_err("no good end");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{path}");
        let got = String::from_utf8_lossy(&got);
        assert!(got.contains('{') && !got.trim_end().ends_with('}'), "{path}: {got}");
    }
    // What was asked for is done; only the answer is lost.
    proxy.fault(Fault::Reset, 1, Asked::is_write);
    deploy(&proxy, &service, &["--no-wait"]).ended(1).complained("connection");
    let writes = proxy.writes();
    assert!(writes.len() == 1 && is_there(lab, &writes[0]), "{}", proxy.story());
}

fn late(lab: &Lab) {
    let service = lab.service("late");
    let proxy = Proxy::start(&lab.shardctl);
    proxy.fault(Fault::Delay(Duration::from_secs(2)), 1, Asked::is_write);
    deploy(&proxy, &service, &["--no-wait", "--request-timeout", "1s"])
        .ended(1)
        .complained("no answer within 1s");
    let writes = proxy.writes();
    assert!(writes.len() == 1 && writes[0].answered.is_none(), "{}", proxy.story());
    eventually(|| match is_there(lab, &writes[0]) {
        true => Ok(()),
        false => Err(proxy.story()),
    });
    // Who waits longer gets the answer.
    let start = Instant::now();
    proxy.fault(Fault::Delay(Duration::from_secs(1)), 1, |asked| asked.path.starts_with("/version"));
    proxy.shardctl.run(["version"]).ended(0);
    assert!(start.elapsed() >= Duration::from_secs(1));
}

fn watches(lab: &Lab) {
    let service = lab.service("watches");
    let proxy = Proxy::start(&lab.shardctl);
    service.make_namespace();
    let path = watch_of(&service);
    make(&service, "one");
    make(&service, "two");
    let watch = |fault: Fault, patience: Duration| {
        proxy.fault(fault, 1, |_| true);
        Raw::get(&proxy, &path, patience)
    };
    let mut cut = watch(Fault::WatchCut { after: 1 }, PATIENT);
    assert!(cut.event().expect("an event").is_some());
    assert!(cut.event().expect("a good end").is_none());

    let mut silent = watch(Fault::WatchSilent { after: 1 }, SHORT);
    assert!(silent.event().expect("an event").is_some());
    make(&service, "three");
    let error = silent.event().expect_err("neither an event nor an end");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);

    let mut expired = watch(Fault::WatchExpired { after: 2 }, PATIENT);
    assert!(expired.event().expect("an event").is_some());
    assert!(expired.event().expect("an event").is_some());
    let error = expired.event().expect("an event").expect("no end yet");
    assert!(error.starts_with(r#"{"type":"ERROR","object":{"#) && error.contains(r#""code":410"#), "{error}");
    assert!(expired.event().expect("a good end").is_none());

    // Other requests are left to the next fault.
    proxy.fault(Fault::WatchCut { after: 0 }, 1, |_| true);
    proxy.shardctl.run(["version"]).ended(0);
    assert!(Raw::get(&proxy, &path, PATIENT).event().expect("a good end").is_none());

    // A command that watches goes on with a new watch, whatever became of the old one.
    service.deploy("explore");
    for fault in [
        Fault::WatchCut { after: 0 },
        Fault::WatchExpired { after: 0 },
        Fault::Answer(410),
        Fault::WatchSilent { after: 0 },
    ] {
        let before = proxy.record().len();
        proxy.fault(fault, 1, Asked::is_watch);
        let watching =
            Watching::start_with(&proxy.shardctl, &service.name, &["status", "--watch", "-o", "json"]);
        watching.prints(r#""isUp": true"#, 1);
        eventually(|| {
            let asked = proxy.record();
            let watches = asked[before..].iter().filter(|exchange| exchange.asked.is_watch());
            let faults: Vec<Option<Fault>> = watches.map(|exchange| exchange.fault).collect();
            let is_silent = matches!(fault, Fault::WatchSilent { .. });
            let is_seen = faults.first() == Some(&Some(fault)) && (is_silent || faults.get(1) == Some(&None));
            if is_seen { Ok(()) } else { Err(format!("{faults:?}\n{}", proxy.story())) }
        });
        service.k("annotate pod/NAME-1 lab.shardctl.dev/fail=never-ready");
        watching.prints(r#""isUp": false"#, 1);
        service.k("annotate pod/NAME-1 lab.shardctl.dev/fail-");
        watching.prints(r#""isUp": true"#, 2);
        assert_eq!(watching.interrupt(), 0);
    }
}

fn before(lab: &Lab) {
    let service = lab.service("before");
    let proxy = Proxy::start(&lab.shardctl);
    let ended = proxy.run_until(Moment::before(3), short_deploy(&proxy, &service));
    let killed_at = ended.killed_at.expect("it was killed");
    assert_eq!(ended.run.stdout.matches(" created\n").count(), 2, "{:?}", ended.run);
    let writes = proxy.writes();
    assert_eq!(writes.len(), 3, "{}", proxy.story());
    assert_eq!(writes[2].asked.path, killed_at.asked.path);
    assert_eq!((killed_at.status, killed_at.answered), (None, None));
    let there: Vec<bool> = writes.iter().map(|write| is_there(lab, write)).collect();
    assert_eq!(there, [true, true, false], "{}", proxy.story());
    // The next one passes, and goes on where the dead one stopped.
    let run = deploy(&proxy, &service, &["--no-wait"]).ended(0);
    assert_eq!(run.stdout.matches(" unchanged\n").count(), 2, "{}", run.stdout);
    assert!(is_there(lab, &killed_at));
}

fn after(lab: &Lab) {
    let service = lab.service("after");
    let proxy = Proxy::start(&lab.shardctl);
    let ended = proxy.run_until(Moment::after(3), short_deploy(&proxy, &service));
    let killed_at = ended.killed_at.expect("it was killed");
    // The third is done, and it does not know.
    assert_eq!(ended.run.stdout.matches(" created\n").count(), 2, "{:?}", ended.run);
    assert!(matches!(killed_at.status, Some(200 | 201)) && killed_at.answered.is_none(), "{killed_at:?}");
    let writes = proxy.writes();
    assert!(writes.len() == 3 && writes.iter().all(|write| is_there(lab, write)), "{}", proxy.story());
    // A moment that does not come.
    let ended = proxy.run_until(Moment::after(99), short_deploy(&proxy, &service));
    assert!(ended.killed_at.is_none());
    let run = ended.run.ended(0);
    assert_eq!(run.stdout.matches(" unchanged\n").count(), 3, "{}", run.stdout);
}

fn every(lab: &Lab) {
    let service = lab.service("every");
    let proxy = Proxy::start(&lab.shardctl);
    let mut made: Vec<String> = Vec::new();
    loop {
        let ended = proxy.run_until(Moment::after(1), short_deploy(&proxy, &service));
        let Some(killed_at) = ended.killed_at else {
            ended.run.ended(0).said("nothing was changed");
            break;
        };
        assert!(made.len() < 20, "{}", proxy.story());
        made.push(killed_at.asked.path_alone().to_owned());
    }
    // Each was made once, and by another one.
    assert_eq!(made.len(), proxy.writes().len(), "{}", proxy.story());
    let mut once = made.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), made.len(), "{made:?}");
    assert!(made.iter().any(|path| path.contains("/statefulsets/")), "{made:?}");
}

/// Sends six writes and waits for no answer: three on connections that were open before, three on new ones.
const MANY_WRITES: &str = r#"
connect() { exec {line}<>"/dev/tcp/127.0.0.1/$PORT"; lines[$1]=$line; }
send() {
  body="{\"metadata\":{\"name\":\"sent-$1\"}}"
  head="POST /api/v1/namespaces/$NAMESPACE/configmaps HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
  printf "$head\r\nContent-Length: ${#body}\r\n\r\n$body" >&"${lines[$1]}"
}
for i in 1 2 3; do connect $i; done
for i in 1 2 3; do send $i; done
for i in 4 5 6; do connect $i; send $i; done
read -r answer <&"${lines[1]}"
"#;

fn lost(lab: &Lab) {
    let service = lab.service("lost");
    let proxy = Proxy::start(&lab.shardctl);
    service.make_namespace();
    let mut program = Command::new("bash");
    program
        .args(["-c", MANY_WRITES])
        .env("PORT", proxy.address.port().to_string())
        .env("NAMESPACE", &service.name);
    // While this looks at the first, the others arrive.
    let ended = proxy.run_until(
        Moment::before(1).counting(|_| {
            #[expect(clippy::disallowed_methods, reason = "it is to hold everything up")]
            std::thread::sleep(Duration::from_millis(500));
            true
        }),
        program,
    );
    assert!(ended.killed_at.is_some_and(|killed_at| killed_at.asked.is_about("configmaps")));
    // Who comes later is let in; nothing of the dead one is left to pass with it.
    proxy.shardctl.run(["version"]).ended(0);
    assert_eq!(proxy.writes().len(), 1, "{}", proxy.story());
    assert!(!service.k("get configmaps -o name").contains("sent-"));
}

fn renewals(lab: &Lab) {
    let service = lab.service("renewals");
    let proxy = Proxy::start(&lab.shardctl);
    service.make_namespace();
    service.apply(
        "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: lock, namespace: NAME}\n\
         spec: {holderIdentity: me}\n",
    );
    let kubeconfig = proxy.shardctl.kubeconfig.as_ref().expect("a kubeconfig");
    let script = "renew() { \"$0\" patch lease lock --type=merge -p \"{\\\"spec\\\":{\\\"holderIdentity\\\":\\\"$1\\\"}}\"; }\n\
         renew one && renew two && \"$0\" create configmap made";
    let mut command = Command::new("sh");
    command
        .args(["-c", &script.replace("\"$0\"", "\"$0\" -n \"$NAMESPACE\"")])
        .arg(&lab.kubectl)
        .env("KUBECONFIG", kubeconfig)
        .env("HOME", &proxy.shardctl.home)
        .env("NAMESPACE", &service.name);
    let ended = proxy.run_until(Moment::before(1).not_counting_renewals(), command);
    let killed_at = ended.killed_at.expect("it was killed");
    assert!(killed_at.asked.is_about("configmaps"), "{}", proxy.story());
    assert_eq!(service.get("lease/lock")["spec"]["holderIdentity"], "two");
    assert!(!service.exists("configmap/made"));
}
