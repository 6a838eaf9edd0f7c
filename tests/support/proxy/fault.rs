//! What can be broken, and how.

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Bytes;
use kube::client::Body;
use serde_json::json;

use super::server::{Answer, Line, Parts, full};

/// Longer than a connection takes to pass on what was written to it.
const PASSED_ON: Duration = Duration::from_millis(20);

/// Something that goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this status and says so as the API server does (a Status); the server is not asked.
    Answer(u16),
    /// Answers 429 as an API server does that has too much to do, in plain text; the server is not asked.
    TooMany {
        /// Seconds, in the header Retry-After.
        retry_after: u32,
    },
    /// The server does what it is asked for, and the connection is reset in the middle of its answer.
    Reset,
    /// Waits so long before the server is asked; it is, even when nobody waits for its answer any more.
    Delay(Duration),
    /// Asks the server at once, and keeps its answer back for so long: it is old when it comes.
    Late(Duration),
    /// A watch ends after so many events, as when its time is up.
    WatchCut { after: usize },
    /// A watch stays open and tells nothing more after so many events.
    WatchSilent { after: usize },
    /// After so many events, a watch tells that its resource version is too old (410), and ends. A watch that is refused
    /// as such from the start is [`Fault::Answer`] with 410.
    WatchExpired { after: usize },
}

impl Fault {
    pub(super) fn is_for_watches(self) -> bool {
        matches!(self, Self::WatchCut { .. } | Self::WatchSilent { .. } | Self::WatchExpired { .. })
    }

    /// The answer in place of the server's, if there is one.
    pub(super) fn answer(self) -> Option<Answer> {
        match self {
            Self::Answer(code) => {
                let status = StatusCode::from_u16(code).expect("a status that exists");
                let mut answer = Response::new(full(Bytes::from(status_object(status))));
                *answer.status_mut() = status;
                answer
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Some(answer)
            }
            Self::TooMany { retry_after } => {
                let words = Bytes::from_static(b"Too many requests, please try again later.\n");
                let mut answer = Response::new(full(words));
                *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                let headers = answer.headers_mut();
                headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
                Some(answer)
            }
            _ => None,
        }
    }
}

/// What the API server says with a status, in its own words.
fn status_object(status: StatusCode) -> String {
    let (reason, message) = match status.as_u16() {
        401 => ("Unauthorized", "Unauthorized"),
        409 => (
            "Conflict",
            "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest \
             version and try again",
        ),
        410 => ("Expired", "too old resource version: 1 (2)"),
        500 => ("InternalError", "Internal error occurred: etcdserver: request timed out"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        _ => ("Unknown", status.canonical_reason().unwrap_or("Unknown")),
    };
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": status.as_u16(),
    })
    .to_string()
}

/// Passes the first half of an answer on, and then resets the connection.
pub(super) async fn break_in_the_middle(whole: Bytes, to: Parts, line: &Line) {
    to.send(whole.slice(..whole.len() / 2)).await;
    tokio::time::sleep(PASSED_ON).await;
    line.reset();
    to.break_off().await;
}

/// Passes a stream on as it comes, until its fault is due or nobody listens.
pub(super) async fn stream(mut from: Body, to: Parts, fault: Option<Fault>, line: &Line) {
    let last = match fault {
        Some(Fault::WatchCut { after } | Fault::WatchSilent { after } | Fault::WatchExpired { after }) => {
            Some(after)
        }
        _ => None,
    };
    let mut events = 0;
    let mut begun = Vec::new();
    while last.is_none_or(|last| events < last) {
        let frame = tokio::select! {
            frame = from.frame() => frame,
            () = to.closed() => return,
        };
        let chunk = match frame {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(_)) => return to.break_off().await,
            None => return,
        };
        if fault == Some(Fault::Reset) {
            return break_in_the_middle(chunk, to, line).await;
        }
        let Some(last) = last else {
            to.send(chunk).await;
            continue;
        };
        // An event is a line. Only whole ones are passed on, so that it is known where one ends.
        begun.extend_from_slice(&chunk);
        while events < last
            && let Some(end) = begun.iter().position(|byte| *byte == b'\n')
        {
            to.send(begun.drain(..=end).collect()).await;
            events += 1;
        }
    }
    match fault {
        Some(Fault::WatchSilent { .. }) => to.closed().await,
        Some(Fault::WatchExpired { .. }) => {
            let event = format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", status_object(StatusCode::GONE));
            to.send(Bytes::from(event)).await;
        }
        _ => {}
    }
}
