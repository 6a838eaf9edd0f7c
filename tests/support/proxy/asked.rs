//! A request as it came, and what became of it.

use std::fmt;
use std::time::{Duration, Instant};

use http::Method;
use hyper::body::Bytes;
use serde_json::Value;

use super::fault::Fault;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    /// The path with its query.
    pub path: String,
    pub body: Bytes,
}

impl Asked {
    /// Whether it is to change something: not a dry run, and not a question that is asked by POST.
    pub fn is_write(&self) -> bool {
        let is_changing = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&self.method);
        let is_question = ["selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"]
            .iter()
            .any(|question| self.is_about(question));
        is_changing && !is_question && !self.is_dry_run()
    }

    /// Whether the answer is a stream of events.
    pub fn is_watch(&self) -> bool {
        self.has_parameter("watch", &["true", "1"])
    }

    /// Whether the answer has no end that could be waited for.
    pub(super) fn is_stream(&self) -> bool {
        self.is_watch() || self.has_parameter("follow", &["true", "1"])
    }

    /// Whether it is about objects of this kind, as paths name it ("pods"), or about a part of them ("pods/eviction").
    pub fn is_about(&self, resource: &str) -> bool {
        let (wanted, part) = match resource.split_once('/') {
            Some((resource, part)) => (resource, Some(part)),
            None => (resource, None),
        };
        let target = self.target();
        target.first() == Some(&wanted) && part.is_none_or(|part| target.get(2) == Some(&part))
    }

    /// What is done, without names: `DELETE pods`, `POST pods/eviction`.
    pub fn in_short(&self) -> String {
        let target = self.target();
        let part = target.get(2).map(|part| format!("/{part}")).unwrap_or_default();
        format!("{} {}{part}", self.method, target.first().copied().unwrap_or_default())
    }

    /// The path after the version and the namespace: the kind, the name, the part.
    fn target(&self) -> Vec<&str> {
        let segments: Vec<&str> = self.path_alone().split('/').skip(1).collect();
        let (["api", _, after_version @ ..] | ["apis", _, _, after_version @ ..]) = segments.as_slice()
        else {
            return Vec::new();
        };
        match after_version {
            ["namespaces", _, rest @ ..] if !rest.is_empty() => rest.to_vec(),
            rest => rest.to_vec(),
        }
    }

    /// Whether it keeps a Lease that somebody holds. A Lease is made by POST and given back by DELETE.
    pub fn is_lease_renewal(&self) -> bool {
        self.is_about("leases") && [Method::PUT, Method::PATCH].contains(&self.method)
    }

    /// The path without its query.
    pub fn path_alone(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    fn has_parameter(&self, name: &str, values: &[&str]) -> bool {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .any(|(key, value)| key == name && values.contains(&value))
    }

    /// A delete says so in its body, and so does an eviction, one level down.
    fn is_dry_run(&self) -> bool {
        if self.has_parameter("dryRun", &["All"]) {
            return true;
        }
        let options = match serde_json::from_slice::<Value>(&self.body) {
            Ok(body) if self.method == Method::DELETE => body,
            Ok(body) if self.is_about("pods/eviction") => body["deleteOptions"].clone(),
            _ => return false,
        };
        options["dryRun"].as_array().is_some_and(|modes| modes.iter().any(|mode| mode == "All"))
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// A request and what became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub asked: Asked,
    pub arrived: Instant,
    /// The status of the answer, whether or not it reached who asked. None: there is no answer.
    pub status: Option<u16>,
    /// When the answer was sent; of a stream its head. None: who asked never saw one.
    pub answered: Option<Instant>,
    /// What was broken.
    pub fault: Option<Fault>,
}

impl Exchange {
    /// As one line: when it came, counted from `start`; what it was; how it was answered, and after how long.
    pub(super) fn line(&self, start: Instant) -> String {
        let kind = if self.asked.is_write() { "write" } else { "read " };
        let mut line = format!("{} {kind} {}", milliseconds(self.arrived - start), self.asked);
        match (self.status, self.answered) {
            (Some(status), Some(answered)) => {
                line += &format!(" {status} after {}", milliseconds(answered - self.arrived));
            }
            (Some(status), None) => line += &format!(" {status}, which nobody saw"),
            (None, _) => line += " without an answer",
        }
        if let Some(fault) = &self.fault {
            line += &format!(" [{fault:?}]");
        }
        line
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3}s", time.as_secs_f64())
}
