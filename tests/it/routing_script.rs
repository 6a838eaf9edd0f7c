//! The script that asks from inside a shard, with each tool of this machine, at servers that answer, refuse and hang.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::{IpAddr, TcpListener};
use std::os::unix::fs::symlink;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid, kill_process_group, set_child_subreaper};
use shardctl::domain::routing::{Answer, Identity, Outcome, Reading, read_line};

use crate::support::Folder;

const ROW_SH: &str = include_str!("../../src/k8s/routing/row.sh");
const ROW_PY: &str = include_str!("../../src/k8s/routing/row.py");
const WATCH_SH: &str = include_str!("../../src/k8s/routing/watch.sh");
const WATCH_PY: &str = include_str!("../../src/k8s/routing/watch.py");
/// Askers at work at the same time: of more, an answer may take longer than it may.
const AT_ONCE: usize = 5;
/// The same where no answer matters.
const MANY_AT_ONCE: usize = 8;
/// An answer that is not as it should be may be so because the machine is busy; one that never is, is wrong.
const ATTEMPTS: usize = 5;
/// After so long a script that should have ended is ended.
const PATIENCE: Duration = Duration::from_mins(2);

/// What asks: a shell and a tool, and the programs around them.
#[derive(Clone, Debug)]
struct Asker {
    shell: PathBuf,
    tool: &'static str,
    path: OsString,
}

impl Asker {
    /// Every shell of this machine with every tool, and busybox alone, as in its images, which `busybox` is a folder of.
    fn all(busybox: Option<&Folder>) -> Vec<Self> {
        let machine = std::env::var_os("PATH").unwrap_or_default();
        let busybox = busybox.map(Folder::path);
        // Programs that the machine has not are those of busybox.
        let folders = std::env::split_paths(&machine).chain(busybox.map(PathBuf::from));
        let path = std::env::join_paths(folders).expect("folders");
        let shells = ["dash", "bash"].into_iter().filter(|shell| has(shell)).map(PathBuf::from);
        let shells: Vec<PathBuf> = shells.chain(busybox.map(|folder| folder.join("sh"))).collect();
        let mut tools: Vec<&str> =
            ["python3", "curl", "bash", "wget"].into_iter().filter(|tool| has(tool)).collect();
        assert!(tools.contains(&"bash"), "the shell that CI itself runs in");
        tools.extend(busybox.map(|_| "nc"));
        let asker =
            |shell: &PathBuf, tool, path: &OsString| Self { shell: shell.clone(), tool, path: path.clone() };
        let mut all: Vec<Self> =
            shells.iter().flat_map(|shell| tools.iter().map(|tool| asker(shell, tool, &path))).collect();
        all.extend(busybox.map(|folder| asker(&folder.join("sh"), "wget", &folder.into())));
        all
    }

    /// Lets it read settings and a script, and keeps its input open. A question may take so many seconds.
    fn begin(&self, timeout: u32, settings: &str, script: &str) -> Script {
        let mut shell = Command::new(&self.shell);
        shell.env("PATH", &self.path).process_group(0);
        let mut shell = shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut input = shell.stdin.take().expect("its input");
        let text = format!("TIMEOUT={timeout}\nTOOL={}\nDOMAIN=invalid\n{settings}{script}", self.tool);
        input.write_all(text.as_bytes()).expect("a script");
        let lines = BufReader::new(shell.stdout.take().expect("its output")).lines();
        let group = Pid::from_child(&shell);
        let (is_over, over) = mpsc::channel();
        thread::spawn(move || {
            if over.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = kill_process_group(group, Signal::KILL);
            }
        });
        Script { asker: self.clone(), shell, input: Some(input), lines: Some(lines), is_over }
    }
}

/// One that is at work.
struct Script {
    asker: Asker,
    shell: Child,
    input: Option<ChildStdin>,
    lines: Option<Lines<BufReader<ChildStdout>>>,
    is_over: mpsc::Sender<()>,
}

impl Script {
    fn line(&mut self) -> Option<String> {
        self.lines.as_mut()?.next()?.ok()
    }

    /// Its first line has to tell its tool and its domain.
    fn tells_its_tool(&mut self) {
        let tool = Reading::Tool { name: self.asker.tool.to_owned(), domain: "invalid".to_owned() };
        assert_eq!(read_line(&self.line().unwrap_or_default(), None), tool, "{:?}", self.asker);
    }

    /// The next answer of which it tells.
    fn answer(&mut self) -> Option<(usize, Answer)> {
        loop {
            let line = self.line()?;
            match read_line(&line, Some(&Identity::Json("pod".to_owned()))) {
                Reading::Answer { number, answer } => return Some((number, answer)),
                Reading::Noise(line) if line.starts_with("ask\t") => {}
                Reading::Resolver(_) => {}
                other => panic!("{:?}: {other:?}", self.asker),
            }
        }
    }

    /// Listens to so many lines, and goes.
    fn cut_after(mut self, lines: usize) {
        (0..lines).for_each(|_| drop(self.line()));
        drop(self.input.take());
        drop(self.lines.take());
        self.ends();
    }

    /// Waits until it has ended, which it has to do by itself, and with it all that it began.
    fn ends(mut self) {
        let status = self.shell.wait().expect("an end");
        let left = left_of(self.shell.id());
        let _ = kill_process_group(Pid::from_child(&self.shell), Signal::KILL);
        let _ = self.is_over.send(());
        assert_ne!(
            status.signal(),
            Some(Signal::KILL.as_raw()),
            "{:?}: it did not end by itself",
            self.asker
        );
        assert_eq!(left, Vec::<String>::new(), "{:?}: processes that nobody waits for", self.asker);
    }
}

fn has(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok()
}

/// The programs of busybox that the script may use, as an image has them.
fn busybox() -> Option<Folder> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let binary =
        std::env::split_paths(&paths).map(|folder| folder.join("busybox")).find(|file| file.exists())?;
    let folder = Folder::new("busybox");
    for program in ["sh", "wget", "nc", "nslookup", "timeout", "date", "dd", "head", "tr", "sleep"] {
        symlink(&binary, folder.path().join(program)).expect("a link");
    }
    Some(folder)
}

/// Does the same with every asker, so many at a time.
fn with_all(at_once: usize, test: impl Fn(&Asker) + Sync) {
    // Like process 1 of a container this process gets whatever nobody waits for.
    set_child_subreaper(Some(getpid())).expect("orphans");
    let busybox = busybox();
    let askers = Mutex::new(Asker::all(busybox.as_ref()).into_iter());
    let next = || askers.lock().expect("askers").next();
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| std::iter::from_fn(next).for_each(|asker| test(&asker)));
        }
    });
}

/// A port at which every request has this answer.
fn answering(answer: &'static str) -> u16 {
    answering_at("127.0.0.1:0", answer)
}

fn answering_at(address: &str, answer: &'static str) -> u16 {
    let listener = TcpListener::bind(address).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for line in listener.incoming() {
            let Ok(mut line) = line else { return };
            // All of the request: what is not read when the line is closed takes the answer with it.
            let lines = BufReader::new(&line).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let _ = line.write_all(answer.as_bytes());
        }
    });
    port
}

/// A port that nobody listens on, and one that takes connections and says nothing.
fn silent() -> (u16, u16) {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let refusing = closed.local_addr().expect("an address").port();
    drop(closed);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let hanging = listener.local_addr().expect("an address").port();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    (refusing, hanging)
}

/// What is left of a group of processes, and be it that nobody has asked how it ended.
fn left_of(group: u32) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    let lines = processes.filter_map(|one| std::fs::read_to_string(one.path().join("stat")).ok());
    // PID (COMMAND) STATE PARENT GROUP
    let is_of_group = |line: &String| {
        line.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(2))
            == Some(group.to_string().as_str())
    };
    lines.filter(is_of_group).collect()
}

/// What is asked, and what is to be heard: the name, the port, and whether the outcome is as it should be.
struct Question {
    name: &'static str,
    port: u16,
    expected: fn(&Outcome) -> bool,
}

impl Question {
    /// One for each end that a question can have, at servers that answer for as long as the test lives.
    fn all() -> [Self; 5] {
        let good = answering("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"pod\":\"ring-3\"}");
        let sick = answering("HTTP/1.0 503 Service Unavailable\r\n\r\n");
        let (refusing, hanging) = silent();
        let here = |port, expected| Self { name: "localhost", port, expected };
        [
            here(good, |outcome| {
                *outcome == Outcome::Answered { status: 200, identity: Some("ring-3".to_owned()) }
            }),
            here(sick, |outcome| *outcome == Outcome::Answered { status: 503, identity: None }),
            here(refusing, |outcome| *outcome == Outcome::Refused),
            here(hanging, |outcome| *outcome == Outcome::Hangs),
            Self {
                name: "shardctl.@",
                port: good,
                expected: |outcome| matches!(outcome, Outcome::Unresolved { .. }),
            },
        ]
    }

    /// As the script takes them.
    fn lines<'a>(all: impl IntoIterator<Item = &'a Self>) -> String {
        let lines = all.into_iter().enumerate();
        let lines = lines.map(|(number, Self { name, port, .. })| format!("{number} {name} {port} /"));
        lines.collect::<Vec<String>>().join("\n")
    }
}

/// What `row.sh` needs to ask these, so many at a time and so many milliseconds from one to the next.
fn row<'a>(questions: impl IntoIterator<Item = &'a Question>, workers: u32, pause: u32) -> String {
    format!("WORKERS={workers}\nPAUSE={pause}\nASK='{}'\nPYTHON='{ROW_PY}'\n", Question::lines(questions))
}

/// What `watch.sh` needs to ask these for ever, and the script.
fn watch<'a>(questions: impl IntoIterator<Item = &'a Question>) -> (String, String) {
    let head = |script: &'static str, last: &str| script.rsplit_once(last).expect("last words").0;
    let settings = format!(
        "WORKERS=3\nOFFSETS='0.000 0.050 0.100'\nROUNDS=100000\nPAUSE=20\nASK='{}'\nPYTHON='{}\n{}'\n",
        Question::lines(questions),
        head(ROW_PY, "\nwith "),
        WATCH_PY.replace('\'', r"'\''"),
    );
    (settings, format!("{}\n{WATCH_SH}", head(ROW_SH, "\nmain ")))
}

/// What `row.sh` says to these questions, in their order.
fn asked<'a>(
    asker: &Asker,
    questions: impl IntoIterator<Item = &'a Question>,
    workers: u32,
    pause: u32,
) -> Vec<(usize, Answer)> {
    let questions: Vec<&Question> = questions.into_iter().collect();
    let mut script = asker.begin(2, &row(questions.iter().copied(), workers, pause), ROW_SH);
    drop(script.input.take());
    script.tells_its_tool();
    let mut answers: Vec<(usize, Answer)> = std::iter::from_fn(|| script.answer()).collect();
    script.ends();
    answers.sort_by_key(|(number, _)| *number);
    assert_eq!(answers.len(), questions.len(), "{asker:?}: {answers:?}");
    answers
}

#[test]
fn every_tool_tells_an_answer_from_a_refusal_from_silence() {
    let questions = Question::all();
    with_all(AT_ONCE, |asker| {
        let ask = || asked(asker, &questions, 2, 0);
        let is_right = |(number, answer): &(usize, Answer)| (questions[*number].expected)(&answer.outcome);
        let mut answers = std::iter::repeat_with(ask).take(ATTEMPTS);
        let last = answers.find(|answers| answers.iter().all(is_right));
        let answers = last.unwrap_or_else(|| panic!("{asker:?}: {:?}", ask()));
        let (_, good) = &answers[0];
        let addresses = good.addresses.as_ref().expect("getent, wget or Python");
        assert!(addresses.iter().all(IpAddr::is_loopback) && !addresses.is_empty(), "{asker:?}");
        assert!(good.times.total.is_some(), "{asker:?}");
    });
}

#[test]
fn every_tool_asks_again_and_again_until_nobody_listens() {
    let questions = Question::all();
    let (settings, script) = watch(&questions);
    with_all(AT_ONCE, |asker| {
        let mut script = asker.begin(2, &settings, &script);
        script.tells_its_tool();
        let (mut right, mut wrong) = ([0; 5], [0; 5]);
        while right[0] < 2 || right.contains(&0) {
            let (number, answer) = script.answer().unwrap_or_else(|| panic!("{asker:?}: it ended"));
            let is_right = (questions[number].expected)(&answer.outcome);
            let times = if is_right { &mut right } else { &mut wrong };
            times[number] += 1;
            assert!(wrong[number] < ATTEMPTS, "{asker:?}: {number}: {answer:?}");
        }
        drop(script.input.take());
        script.ends();
    });
}

/// A session that is cut takes the script's input and its output away at once, whatever it is at.
#[test]
fn a_session_that_is_cut_leaves_no_process() {
    let [good, sick, refusing, hanging, unknown] = Question::all();
    with_all(MANY_AT_ONCE, |asker| {
        let orders = [(vec![&good, &hanging], vec![0, 1, 3]), (vec![&unknown, &refusing, &sick], vec![2, 7])];
        for (questions, moments) in orders {
            let (settings, script) = watch(questions.iter().copied());
            for heard in moments {
                asker.begin(1, &settings, &script).cut_after(heard);
            }
            for heard in [0, 1] {
                asker.begin(1, &row(questions.iter().copied(), 1, 0), ROW_SH).cut_after(heard);
            }
        }
    });
}

#[test]
fn no_tool_asks_faster_than_it_may() {
    let [good, ..] = Question::all();
    with_all(AT_ONCE, |asker| {
        let start = Instant::now();
        asked(asker, std::iter::repeat_n(&good, 5), 1, 400);
        // Some ask as many in one go as they may ask in a second or a bit more: three.
        assert!(start.elapsed() >= Duration::from_millis(3 * 400), "{asker:?}: {:?}", start.elapsed());
    });
}

#[test]
fn every_tool_asks_an_address_of_either_family() {
    // A machine may have none of the newer one.
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let port = answering_at("[::1]:0", "HTTP/1.0 200 OK\r\n\r\n{\"pod\":\"six\"}");
    let expected =
        |outcome: &Outcome| *outcome == Outcome::Answered { status: 200, identity: Some("six".to_owned()) };
    let question = Question { name: "::1", port, expected };
    with_all(AT_ONCE, |asker| {
        let ask = || asked(asker, [&question], 1, 0).remove(0).1;
        let mut answers = std::iter::repeat_with(ask).take(ATTEMPTS);
        assert!(answers.any(|answer| expected(&answer.outcome)), "{asker:?}: {:?}", ask());
    });
}

#[test]
fn the_domain_of_the_cluster_is_found_and_never_assumed_without_a_word() {
    let folder = Folder::new("resolv");
    // What this says of names, and what of the address of the API server, as `getent` or `nslookup` tell it.
    let nobody = "getent() { return 2; }\nnslookup() { return 1; }\n";
    let reverse = "getent() { echo 10.96.0.1 kubernetes.default.svc.corp.example; }\n\
                   nslookup() { echo '1.0.96.10.in-addr.arpa name = kubernetes.default.svc.corp.example.'; }\n\
                   KUBERNETES_SERVICE_HOST=10.96.0.1\n";
    let kubelet =
        "search rt.svc.corp.example svc.corp.example corp.example\nnameserver 10.96.0.10\noptions ndots:5\n";
    // A namespace that ends in svc, a dot at the end, a last line without an end, two servers.
    let odd = "nameserver 10.0.0.1\nnameserver 10.0.0.2\noptions timeout:1 ndots:2\nsearch\tmysvc.svc.corp.example.";
    let searched = "rt.svc.corp.example svc.corp.example corp.example";
    let cases = [
        ("", nobody, kubelet, "corp.example", ["search", searched, "5", "10.96.0.10"]),
        ("", nobody, odd, "corp.example", ["search", "mysvc.svc.corp.example.", "2", "10.0.0.1 10.0.0.2"]),
        ("", nobody, "", "cluster.local", ["assumed", "", "1", ""]),
        ("", nobody, "search corp.example *\n", "cluster.local", ["assumed", "corp.example *", "1", ""]),
        ("", reverse, "nameserver 10.96.0.10\n", "corp.example", ["reverse", "", "1", "10.96.0.10"]),
        (
            "given.example",
            nobody,
            "search svc.a.example\n",
            "given.example",
            ["given", "svc.a.example", "1", ""],
        ),
    ];
    let cases: Vec<_> = cases
        .into_iter()
        .enumerate()
        .map(|(number, (given, says, conf, domain, fields))| {
            let file = folder.write(&format!("resolv-{number}.conf"), conf);
            let script = ROW_SH.replace("/etc/resolv.conf", &file.display().to_string());
            let settings = format!("TOOL=none\nDOMAIN={given}\nWORKERS=1\nPAUSE=0\nASK=\nPYTHON=\n{says}");
            (settings, script, domain, fields.map(str::to_owned))
        })
        .collect();
    with_all(AT_ONCE, |asker| {
        for (settings, script, domain, fields) in &cases {
            let mut script = asker.begin(1, settings, script);
            drop(script.input.take());
            let mut said = || read_line(&script.line().unwrap_or_default(), None);
            let tool = Reading::Tool { name: "none".to_owned(), domain: (*domain).to_owned() };
            assert_eq!((said(), said()), (tool, Reading::Resolver(fields.clone())), "{asker:?}: {settings}");
            script.ends();
        }
    });
}
