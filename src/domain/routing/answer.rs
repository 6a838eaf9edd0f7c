//! Reads what the tool in a shard wrote.
//!
//! Tools differ in what they say and how they end; here is what is known of each. Words are those of curl 8, busybox
//! 1.35, bash 5, GNU wget 1.21, Python 3, glibc and musl.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use super::{Answer, Outcome, Times};

/// Where an answer says who it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A field of the JSON object in the body, its name, dots between names of nested ones.
    Json(String),
    /// A header.
    Header(String),
}

impl FromStr for Identity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("json", field)) if !field.is_empty() => Ok(Self::Json(field.to_owned())),
            Some(("header", name)) if !name.is_empty() => Ok(Self::Header(name.to_owned())),
            _ => Err("write json:FIELD or header:NAME, for instance json:pod".to_owned()),
        }
    }
}

/// A line that came from a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// What asks, and the domain of the cluster as the shard has it.
    Tool { name: String, domain: String },
    /// How it looks names up: where the domain is from, search list, ndots, name servers.
    Resolver([String; 4]),
    /// The answer to the question with this number.
    Answer { number: usize, answer: Answer },
    /// Something else, which the image's shell may have written.
    Noise(String),
}

/// Separates what a tool says about a question from the answer to it.
const MARK: char = '\u{4}';

/// Reads one line of what `row.sh` or `row.py` wrote.
#[must_use]
pub fn read_line(line: &str, identity: Option<&Identity>) -> Reading {
    let fields: Vec<&str> = line.splitn(5, '\t').collect();
    match fields[..] {
        ["tool", name, domain] => Reading::Tool { name: name.to_owned(), domain: domain.to_owned() },
        ["resolver", from, search, ndots, servers] => {
            Reading::Resolver([from, search, ndots, servers].map(str::to_owned))
        }
        ["answer", number, addresses, took, said] => match number.parse() {
            Ok(number) => Reading::Answer { number, answer: answer(addresses, took, said, identity) },
            Err(_) => Reading::Noise(line.to_owned()),
        },
        _ => Reading::Noise(line.to_owned()),
    }
}

fn answer(addresses: &str, took: &str, said: &str, identity: Option<&Identity>) -> Answer {
    let addresses = (addresses != "-").then(|| {
        addresses.split(',').filter_map(|address| address.parse().ok()).collect::<BTreeSet<IpAddr>>()
    });
    let mut told = Told { times: Times { total: micros(took), ..Times::default() }, ..Told::default() };
    // Every other part, counted from the second, is what the tool says.
    let parts: Vec<&str> = said.split(MARK).collect();
    let text: String = parts.iter().step_by(2).copied().collect();
    for part in parts.iter().skip(1).step_by(2) {
        told.take(part);
    }
    let text: String = text
        .chars()
        .map(|char| match char {
            '\u{1}' => '\r',
            '\u{2}' => '\n',
            '\u{3}' => '\t',
            other => other,
        })
        .collect();
    let outcome = match text.find("HTTP/1.").or_else(|| text.find("HTTP/2")) {
        Some(start) => read_http(&text[start..], identity),
        // Tools give up before a name server that does not answer has been given up.
        None => match (told.explain(text.trim()), &addresses) {
            (unresolved @ Outcome::Unresolved { .. }, _) => unresolved,
            (_, Some(none)) if none.is_empty() => {
                Outcome::Unresolved { reason: "timed out: no name server answers".to_owned() }
            }
            (outcome, _) => outcome,
        },
    };
    // A tool may name the address that it asks at though nothing in the image tells all of them.
    let addresses = addresses.or_else(|| Some([told.asked_at?].into()));
    // Of a single one nobody needs to tell.
    let only =
        addresses.as_ref().filter(|addresses| addresses.len() == 1).and_then(|one| one.first().copied());
    Answer { asked_at: told.asked_at.or(only), addresses, outcome, times: told.times }
}

fn micros(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_micros)
}

/// Seconds as curl writes them; a stage that was not reached is 0.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// What a tool tells beside the answer.
#[derive(Default)]
struct Told {
    exit: Option<i32>,
    is_connected: bool,
    asked_at: Option<IpAddr>,
    times: Times,
}

impl Told {
    fn take(&mut self, part: &str) {
        let words: Vec<&str> = part.split(' ').collect();
        match words[..] {
            ["exit", code] => self.exit = code.parse().ok(),
            ["connected"] => self.is_connected = true,
            ["curl", resolved, connected, first_byte, total, ref rest @ ..] => {
                self.asked_at = rest.first().and_then(|address| address.parse().ok());
                self.times = Times {
                    resolved: seconds(resolved),
                    connected: seconds(connected),
                    first_byte: seconds(first_byte),
                    total: seconds(total),
                };
                self.is_connected = self.times.connected.is_some();
            }
            ["micros", resolved, connected, first_byte, total, ref rest @ ..] => {
                self.asked_at = rest.first().and_then(|address| address.parse().ok());
                self.times = Times {
                    resolved: micros(resolved),
                    connected: micros(connected),
                    first_byte: micros(first_byte),
                    total: micros(total),
                };
                self.is_connected = self.times.connected.is_some();
            }
            _ => {}
        }
    }

    /// Why there is no HTTP in what a tool wrote.
    fn explain(&self, text: &str) -> Outcome {
        let lower = text.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let reason = || in_one_line(text);
        if self.exit == Some(6) || says(UNRESOLVED) {
            return Outcome::Unresolved { reason: reason() };
        }
        if says(&["refused"]) {
            return Outcome::Refused;
        }
        if says(&["no route to host", "network is unreachable", "host is unreachable"]) {
            return Outcome::Unreachable { reason: reason() };
        }
        let is_over = matches!(self.exit, Some(28 | 124 | 137 | 143)) || says(&["timed out", "timeout"]);
        match (is_over, self.is_connected) {
            (true, true) => Outcome::Hangs,
            (true, false) if says(&["headers"]) => Outcome::Hangs,
            (true, false) => Outcome::Unreachable { reason: "timed out".to_owned() },
            // curl has one number for all ways in which a connection is refused at once.
            (false, false) if self.exit == Some(7) => Outcome::Refused,
            (false, _) if text.is_empty() => {
                Outcome::Broken { reason: "closed without an answer".to_owned() }
            }
            (false, _) => Outcome::Broken { reason: reason() },
        }
    }
}

/// How tools say that a name has no address.
const UNRESOLVED: &[&str] = &[
    "could not resolve",
    "unable to resolve",
    "bad address",
    "name or service not known",
    "name does not resolve",
    "no address associated",
    "temporary failure in name resolution",
    "try again",
    "nodename nor servname",
    "resolve: ",
];

/// What a reason is cut to.
const REASON_LIMIT: usize = 160;

fn in_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(REASON_LIMIT).collect()
}

impl Identity {
    /// Who an answer says it is from.
    #[must_use]
    pub fn in_answer<'a>(
        &self,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: &str,
    ) -> Option<String> {
        match self {
            Self::Header(wanted) => headers
                .into_iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.to_owned()),
            Self::Json(field) => {
                // What comes after the object is the tool's.
                let body = &body[body.find('{')?..];
                let mut values = serde_json::Deserializer::from_str(body).into_iter::<serde_json::Value>();
                let body = values.next()?.ok()?;
                let value = field.split('.').try_fold(&body, |value, name| value.get(name))?;
                value.as_str().map(str::to_owned)
            }
        }
    }
}

/// An answer from its status line on; headers may be indented, as wget shows them.
fn read_http(text: &str, identity: Option<&Identity>) -> Outcome {
    let status = text.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    let Some(status) = status else {
        return Outcome::Broken { reason: in_one_line(text) };
    };
    let lines = text.lines().skip(1).take_while(|line| !line.trim().is_empty());
    let headers =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim()));
    let identity = identity.and_then(|identity| identity.in_answer(headers, text));
    Outcome::Answered { status, identity }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(took: &str, said: &str) -> Answer {
        let line = format!("answer\t3\t10.0.0.7,10.0.0.8,\t{took}\t{said}");
        match read_line(&line, Some(&Identity::Json("pod".to_owned()))) {
            Reading::Answer { number: 3, answer } => answer,
            other => panic!("{other:?}"),
        }
    }

    fn outcome(text: &str) -> Outcome {
        said("-", text).outcome
    }

    /// What the tools really wrote.
    #[test]
    fn each_tool_is_understood() {
        let unresolved = |text| matches!(outcome(text), Outcome::Unresolved { .. });
        assert!(unresolved("\u{4}exit 6\u{4}curl: (6) Could not resolve host: nowhere.invalid\u{2}"));
        assert!(unresolved("\u{4}exit 1\u{4}nc: bad address 'nowhere.invalid'\u{2}"));
        assert!(unresolved(
            "\u{4}exit 7\u{4}nowhere.invalid: line 1: nowhere.invalid: Name or service not known\u{2}"
        ));
        assert!(unresolved("\u{4}exit 4\u{4}wget: unable to resolve host address ‘nowhere.invalid’\u{2}"));
        assert!(unresolved("\u{4}micros - - - 816 -\u{4}resolve: [Errno -2] Name or service not known"));
        for refused in [
            "\u{4}exit 7\u{4}curl: (7) Failed to connect to localhost port 18081 after 0 ms: Couldn't connect to server\
             \u{2}\u{4}curl 0.000019 0.000000 0.000000 0.000200 \u{4}",
            "\u{4}exit 1\u{4}nc: can't connect to remote host (127.0.0.1): Connection refused\u{2}",
            "\u{4}exit 7\u{4}localhost: connect: Connection refused\u{2}",
            "\u{4}exit 4\u{4}failed: Connection refused.\u{2}",
            "\u{4}exit 1\u{4}wget: can't connect to remote host (10.0.0.7): Connection refused\u{2}",
            "\u{4}micros 34 - - 142 -\u{4}connect: [Errno 111] Connection refused",
        ] {
            assert_eq!(outcome(refused), Outcome::Refused, "{refused}");
        }
        for hangs in [
            "\u{4}exit 28\u{4}curl: (28) Operation timed out after 2001 milliseconds with 0 bytes received\u{2}\
             \u{4}curl 0.000030 0.000155 0.000000 2.001147 127.0.0.1\u{4}",
            "\u{4}connected\u{4}\u{4}exit 143\u{4}Terminated\u{2}",
            "\u{4}connected\u{4}\u{4}exit 124\u{4}",
            "\u{4}micros 39 96 - 2001534 127.0.0.1\u{4}answer: timed out",
        ] {
            assert_eq!(outcome(hangs), Outcome::Hangs, "{hangs}");
        }
        let timed_out = Outcome::Unreachable { reason: "timed out".to_owned() };
        for text in [
            "\u{4}exit 28\u{4}curl: (28) Connection timed out after 2001 milliseconds\u{2}\
             \u{4}curl 0.000030 0.000000 0.000000 2.001147 \u{4}",
            "\u{4}exit 143\u{4}Terminated\u{2}",
            "\u{4}exit 1\u{4}nc: timed out\u{2}",
            "\u{4}micros 39 - - 2001534 -\u{4}connect: timed out",
        ] {
            assert_eq!(outcome(text), timed_out, "{text}");
        }
        assert!(matches!(
            outcome("\u{4}exit 1\u{4}nc: can't connect to remote host (10.0.0.7): No route to host\u{2}"),
            Outcome::Unreachable { .. }
        ));
        assert_eq!(
            outcome("\u{4}exit 0\u{4}"),
            Outcome::Broken { reason: "closed without an answer".to_owned() }
        );
    }

    #[test]
    fn a_name_server_that_does_not_answer_is_no_shard_that_does_not() {
        let line = "answer\t3\t\t-\t\u{4}exit 1\u{4}nc: timed out\u{2}";
        let Reading::Answer { answer, .. } = read_line(line, None) else { panic!("{line}") };
        let reason = "timed out: no name server answers".to_owned();
        assert_eq!(answer.outcome, Outcome::Unresolved { reason });
    }

    #[test]
    fn an_answer_says_who_it_is_from() {
        let http = "HTTP/1.0 200 OK\u{1}\u{2}X-Shard: b\u{1}\u{2}\u{1}\u{2}{\"pod\": \"ring-3\", \"is\": {\"it\": \"a\"}} rest";
        let line = format!("answer\t0\t-\t-\t\u{4}exit 0\u{4}{http}");
        for (identity, expected) in [
            (Some("json:pod"), Some("ring-3")),
            (Some("json:is.it"), Some("a")),
            (Some("json:nothing"), None),
            (Some("header:x-shard"), Some("b")),
            (Some("header:other"), None),
            (None, None),
        ] {
            let identity = identity.map(|text| text.parse::<Identity>().expect("an identity"));
            let Reading::Answer { answer, .. } = read_line(&line, identity.as_ref()) else {
                panic!("{line}")
            };
            let expected = expected.map(str::to_owned);
            assert_eq!(answer.outcome, Outcome::Answered { status: 200, identity: expected });
            assert_eq!(answer.addresses, None, "it has no tool for that");
        }
        assert!("pod".parse::<Identity>().is_err());
        assert_eq!(
            outcome("\u{4}exit 1\u{4}wget: server returned error: HTTP/1.1 503 Service Unavailable\u{2}"),
            Outcome::Answered { status: 503, identity: None }
        );
        let wget = "\u{4}exit 8\u{4}  HTTP/1.1 404 Not Found\u{2}  server: x\u{2}http://a/:\u{2}ERROR 404: Not Found.\u{2}";
        assert_eq!(outcome(wget), Outcome::Answered { status: 404, identity: None });
    }

    #[test]
    fn times_and_addresses_are_read() {
        let http = "HTTP/1.0 200 OK\u{1}\u{2}\u{1}\u{2}";
        let curl = said(
            "9999",
            &format!("\u{4}exit 0\u{4}{http}\u{4}curl 0.000034 0.000132 0.009266 0.009316 127.0.0.1\u{4}"),
        );
        let micros = |answer: &Answer| {
            let Times { resolved, connected, first_byte, total } = answer.times;
            [resolved, connected, first_byte, total].map(|time| time.map(|time| time.as_micros()))
        };
        assert_eq!(micros(&curl), [Some(34), Some(132), Some(9266), Some(9316)]);
        assert_eq!(micros(&said("9999", http)), [None, None, None, Some(9999)]);
        let python = said("812", &format!("\u{4}micros 1843 3276 8137 8298 127.0.0.1\u{4}{http}"));
        assert_eq!(micros(&python), [Some(1843), Some(3276), Some(8137), Some(8298)]);
        let addresses: Vec<String> = curl.addresses.iter().flatten().map(IpAddr::to_string).collect();
        assert_eq!(addresses, ["10.0.0.7", "10.0.0.8"]);
        assert_eq!(read_line("bash: warning", None), Reading::Noise("bash: warning".to_owned()));
        assert_eq!(
            read_line("tool\tnc\tcluster.local", None),
            Reading::Tool { name: "nc".to_owned(), domain: "cluster.local".to_owned() }
        );
    }
}
