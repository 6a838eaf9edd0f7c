//! The script that asks from inside a shard, with each tool of this machine, at servers that answer, refuse and hang.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use shardctl::domain::routing::{Answer, Identity, Outcome, Reading, read_line};

const SCRIPT: &str = include_str!("../../src/k8s/routing/row.sh");
const PYTHON: &str = include_str!("../../src/k8s/routing/row.py");

/// Whether a tool is here; nc is that of busybox, which images have.
fn has(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok()
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

/// What the script says with a tool to these questions.
fn ask(tool: &str, questions: &[(&str, u16)]) -> Vec<Answer> {
    let ask: Vec<String> = questions
        .iter()
        .enumerate()
        .map(|(number, (name, port))| format!("{number} {name} {port} /"))
        .collect();
    let settings = format!(
        "TIMEOUT=1\nWORKERS=2\nPAUSE=0\nTOOL={tool}\nDOMAIN=invalid\nASK='{}'\nPYTHON='{PYTHON}'\n",
        ask.join("\n")
    );
    let mut sh = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut stdin = sh.stdin.take().expect("its input");
    stdin.write_all((settings + SCRIPT).as_bytes()).expect("a script");
    drop(stdin);
    let out = sh.wait_with_output().expect("an end");
    let out = String::from_utf8(out.stdout).expect("text");
    let mut lines = out.lines();
    let first = read_line(lines.next().unwrap_or_default(), None);
    assert_eq!(first, Reading::Tool { name: tool.to_owned(), domain: "invalid".to_owned() }, "{out}");
    let mut answers: Vec<(usize, Answer)> = lines
        .map(|line| match read_line(line, Some(&Identity::Json("pod".to_owned()))) {
            Reading::Answer { number, answer } => (number, answer),
            other => panic!("{tool}: {other:?}"),
        })
        .collect();
    answers.sort_by_key(|(number, _)| *number);
    assert_eq!(answers.len(), questions.len(), "{tool}: {out}");
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[test]
fn every_tool_tells_an_answer_from_a_refusal_from_silence() {
    let good = answering("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{\"pod\":\"ring-3\"}");
    let sick = answering("HTTP/1.0 503 Service Unavailable\r\n\r\n");
    let (refusing, _listener, hanging) = silent();
    let tools: Vec<&str> = ["python3", "curl", "bash", "wget"].into_iter().filter(|tool| has(tool)).collect();
    assert!(tools.contains(&"bash"), "the shell that CI itself runs in");
    for tool in tools {
        let here = "localhost";
        let questions = [(here, good), (here, sick), (here, refusing), (here, hanging), ("shardctl.@", good)];
        let answers = ask(tool, &questions);
        let outcomes: Vec<&Outcome> = answers.iter().map(|answer| &answer.outcome).collect();
        let answered = |status, identity: Option<&str>| Outcome::Answered {
            status,
            identity: identity.map(str::to_owned),
        };
        assert_eq!(*outcomes[0], answered(200, Some("ring-3")), "{tool}");
        assert_eq!(*outcomes[1], answered(503, None), "{tool}");
        assert_eq!(*outcomes[2], Outcome::Refused, "{tool}");
        assert_eq!(*outcomes[3], Outcome::Hangs, "{tool}");
        assert!(matches!(outcomes[4], Outcome::Unresolved { .. }), "{tool}: {:?}", outcomes[4]);
        let addresses = answers[0].addresses.as_ref().expect("getent, or Python");
        assert!(addresses.iter().all(|address| address.is_loopback()) && !addresses.is_empty(), "{tool}");
        assert!(answers[0].times.total.is_some(), "{tool}");
    }
}
