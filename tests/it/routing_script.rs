//! The script that asks from inside a shard, with each tool of this machine, at servers that answer, refuse and hang.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use shardctl::domain::routing::{Answer, Identity, Outcome, Reading, read_line};

use crate::support::Folder;

const SCRIPT: &str = include_str!("../../src/k8s/routing/row.sh");
const PYTHON: &str = include_str!("../../src/k8s/routing/row.py");

/// What asks: a tool, and the shell and programs around it.
#[derive(Clone, Copy, Debug)]
struct Asker<'a> {
    tool: &'a str,
    /// A folder with no programs but those of busybox, as in its images; none for those of this machine.
    busybox: Option<&'a Path>,
}

impl Asker<'_> {
    fn shell(self) -> Command {
        match self.busybox {
            None => Command::new("sh"),
            Some(folder) => {
                let mut shell = Command::new(folder.join("sh"));
                shell.env("PATH", folder);
                shell
            }
        }
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

/// With every tool of this machine, and those of busybox.
fn askers(busybox: Option<&Folder>) -> Vec<Asker<'_>> {
    let tools: Vec<&str> = ["python3", "curl", "bash", "wget"].into_iter().filter(|tool| has(tool)).collect();
    assert!(tools.contains(&"bash"), "the shell that CI itself runs in");
    let of_this_machine = tools.into_iter().map(|tool| Asker { tool, busybox: None });
    of_this_machine
        .chain(busybox.map(|folder| Asker { tool: "wget", busybox: Some(folder.path()) }))
        .collect()
}

/// A port at which every request has this answer.
fn answering(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
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
fn silent() -> (u16, TcpListener, u16) {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let refusing = closed.local_addr().expect("an address").port();
    drop(closed);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let hanging = listener.local_addr().expect("an address").port();
    (refusing, listener, hanging)
}

/// What the script says with a tool to these questions, two at a time and without rest.
fn ask(asker: Asker<'_>, questions: &[(&str, u16)]) -> Vec<Answer> {
    ask_at_pace(asker, questions, 2, 0)
}

/// As [`ask`], with so many questions at a time, and so many milliseconds from one to the next.
fn ask_at_pace(asker: Asker<'_>, questions: &[(&str, u16)], workers: u32, pause: u32) -> Vec<Answer> {
    let tool = asker.tool;
    let ask: Vec<String> = questions
        .iter()
        .enumerate()
        .map(|(number, (name, port))| format!("{number} {name} {port} /"))
        .collect();
    let settings = format!(
        "TIMEOUT=1\nWORKERS={workers}\nPAUSE={pause}\nTOOL={tool}\nDOMAIN=invalid\nASK='{}'\nPYTHON='{PYTHON}'\n",
        ask.join("\n")
    );
    let mut shell = asker.shell();
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut sh = shell.spawn().expect("a shell");
    let group = sh.id();
    let mut stdin = sh.stdin.take().expect("its input");
    stdin.write_all((settings + SCRIPT).as_bytes()).expect("a script");
    drop(stdin);
    let out = sh.wait_with_output().expect("an end");
    assert_eq!(left_of(group), Vec::<String>::new(), "{asker:?}: processes that nobody waits for");
    let out = String::from_utf8(out.stdout).expect("text");
    let mut lines = out.lines();
    let first = read_line(lines.next().unwrap_or_default(), None);
    assert_eq!(first, Reading::Tool { name: tool.to_owned(), domain: "invalid".to_owned() }, "{out}");
    let mut answers: Vec<(usize, Answer)> = lines
        .map(|line| match read_line(line, Some(&Identity::Json("pod".to_owned()))) {
            Reading::Answer { number, answer } => (number, answer),
            other => panic!("{asker:?}: {other:?}"),
        })
        .collect();
    answers.sort_by_key(|(number, _)| *number);
    assert_eq!(answers.len(), questions.len(), "{asker:?}: {out}");
    answers.into_iter().map(|(_, answer)| answer).collect()
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

#[test]
fn every_tool_tells_an_answer_from_a_refusal_from_silence() {
    let good = answering("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"pod\":\"ring-3\"}");
    let sick = answering("HTTP/1.0 503 Service Unavailable\r\n\r\n");
    let (refusing, _listener, hanging) = silent();
    let busybox = busybox();
    // Like process 1 of a container this process gets whatever nobody waits for.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).expect("orphans");
    for asker in askers(busybox.as_ref()) {
        let here = "localhost";
        let questions = [(here, good), (here, sick), (here, refusing), (here, hanging), ("shardctl.@", good)];
        let answers = ask(asker, &questions);
        let outcomes: Vec<&Outcome> = answers.iter().map(|answer| &answer.outcome).collect();
        let answered = |status, identity: Option<&str>| Outcome::Answered {
            status,
            identity: identity.map(str::to_owned),
        };
        assert_eq!(*outcomes[0], answered(200, Some("ring-3")), "{asker:?}");
        assert_eq!(*outcomes[1], answered(503, None), "{asker:?}");
        assert_eq!(*outcomes[2], Outcome::Refused, "{asker:?}");
        assert_eq!(*outcomes[3], Outcome::Hangs, "{asker:?}");
        assert!(matches!(outcomes[4], Outcome::Unresolved { .. }), "{asker:?}: {:?}", outcomes[4]);
        let addresses = answers[0].addresses.as_ref().expect("getent, or Python");
        assert!(addresses.iter().all(|address| address.is_loopback()) && !addresses.is_empty(), "{asker:?}");
        assert!(answers[0].times.total.is_some(), "{asker:?}");
    }
}

#[test]
fn no_tool_asks_faster_than_it_may() {
    let good = answering("HTTP/1.0 200 OK\r\n\r\n");
    let busybox = busybox();
    for asker in askers(busybox.as_ref()) {
        let start = Instant::now();
        let answers = ask_at_pace(asker, &[("localhost", good); 5], 1, 400);
        assert_eq!(answers.len(), 5, "{asker:?}");
        // Some ask as many in one go as they may ask in a second or a bit more: three.
        assert!(start.elapsed() >= Duration::from_millis(3 * 400), "{asker:?}: {:?}", start.elapsed());
    }
}
