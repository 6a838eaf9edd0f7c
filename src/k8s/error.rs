//! What can go wrong with a request, in our words: the operation, the cause once, and what to do next.

use std::fmt;
use std::time::Duration;

use crate::domain::snapshot::Unknown;
use crate::error::{CommandError, innermost};

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection, or it broke.
    Unreachable,
    /// No answer within the request timeout.
    TimedOut,
    /// 401: the server does not know who we are.
    Unauthorized,
    /// 403: it knows, and says no.
    Forbidden,
    /// 404: no such object, or no such API.
    NotFound,
    /// 409: another writer was there first.
    Conflict,
    /// 400 or 422: the object is wrong.
    Invalid,
    /// 429: too much at once, or a disruption budget.
    TooManyRequests,
    /// 5xx.
    Server,
    /// The answer was not understood.
    Other,
}

/// A request that failed: the operation with its object, and why.
#[derive(Clone, Debug)]
pub struct RequestError {
    /// "list pods in shop".
    pub operation: String,
    pub failure: Failure,
    /// The server's or the network's words.
    pub message: String,
    /// How long the server asked us to wait.
    pub retry_after: Option<Duration>,
    /// Field and message of each cause the server gave: for a conflict, the fields and their managers.
    pub causes: Vec<(String, String)>,
}

impl RequestError {
    /// An error of ours about an operation.
    pub fn new(operation: impl Into<String>, failure: Failure, message: impl Into<String>) -> Self {
        Self {
            operation: operation.into(),
            failure,
            message: message.into(),
            retry_after: None,
            causes: Vec::new(),
        }
    }

    /// Unwraps one of kube's errors, which repeat their sources.
    pub(super) fn from_kube(operation: &str, error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let details = status.details.as_ref();
                Self {
                    operation: operation.to_owned(),
                    failure: failure_of(status.code),
                    message: status.message.clone(),
                    retry_after: details
                        .map(|details| details.retry_after_seconds)
                        .filter(|seconds| *seconds > 0)
                        .map(|seconds| Duration::from_secs(seconds.into())),
                    causes: details
                        .into_iter()
                        .flat_map(|details| &details.causes)
                        .map(|cause| (cause.field.clone(), cause.message.clone()))
                        .collect(),
                }
            }
            kube::Error::Auth(error) => Self::new(operation, Failure::Unauthorized, innermost(error)),
            kube::Error::SerdeError(error) => Self::new(
                operation,
                Failure::Other,
                format!("the answer is not what an API server says: {error}"),
            ),
            kube::Error::Service(error) => Self::from_transport(operation, error.as_ref()),
            other => {
                let failure = match other {
                    kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => Failure::Unreachable,
                    _ => Failure::Other,
                };
                Self::new(operation, failure, innermost(other))
            }
        }
    }

    fn from_transport(operation: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(this) = cause {
            if let Some(kube) = this.downcast_ref::<kube::Error>() {
                return Self::from_kube(operation, kube);
            }
            if let Some(io) = this.downcast_ref::<std::io::Error>() {
                let failure = match io.kind() {
                    std::io::ErrorKind::TimedOut => Failure::TimedOut,
                    _ => Failure::Unreachable,
                };
                return Self::new(operation, failure, in_words(io));
            }
            cause = this.source();
        }
        Self::new(operation, Failure::Unreachable, in_words(error))
    }

    /// Whether the object or the API that was asked for does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.failure == Failure::NotFound
    }

    /// Whether a read may be tried again at once.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.failure, Failure::TooManyRequests | Failure::Server | Failure::Unreachable)
    }

    /// Whether the same request may succeed in a moment on a server that is still starting: a kind, a namespace or a
    /// role may be in the making.
    #[must_use]
    pub fn may_pass_while_starting(&self) -> bool {
        !matches!(self.failure, Failure::Unauthorized | Failure::Invalid)
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn hints(&self) -> Vec<&'static str> {
        match self.failure {
            Failure::Unreachable => vec![
                "is the cluster up, and is this the right one? `kubectl config get-contexts` lists the contexts; \
                 choose one with --context",
            ],
            Failure::TimedOut => {
                vec!["allow more time with --request-timeout 60s, or see what is slow with -v 6"]
            }
            Failure::Unauthorized => {
                vec!["the credentials of this context are not accepted or have expired: log in again"]
            }
            Failure::Forbidden => {
                vec!["see what you may do with `kubectl auth can-i --list`, or ask for this right"]
            }
            Failure::NotFound => vec!["check the name, the namespace (-n) and the context (--context)"],
            Failure::Conflict => vec!["somebody changed it at the same time: run the command again"],
            Failure::Invalid => vec!["correct what the server names"],
            Failure::TooManyRequests | Failure::Server => {
                vec!["the API server has trouble: try again in a moment, and see each request with -v 6"]
            }
            Failure::Other => {
                vec!["is this the address of an API server? see what was asked with -v 6"]
            }
        }
    }
}

fn failure_of(code: u16) -> Failure {
    match code {
        400 | 422 => Failure::Invalid,
        401 => Failure::Unauthorized,
        403 => Failure::Forbidden,
        404 | 410 => Failure::NotFound,
        408 | 504 => Failure::TimedOut,
        409 => Failure::Conflict,
        429 => Failure::TooManyRequests,
        500.. => Failure::Server,
        _ => Failure::Other,
    }
}

/// What HTTP and TLS say when something else answers.
const NOT_OUR_LANGUAGE: [&str; 3] =
    ["invalid http version", "received corrupt message", "received unexpected message"];

/// What happened on the network, in words that tell a broken connection from a wrong address.
fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let text = innermost(error);
    match NOT_OUR_LANGUAGE.iter().any(|start| text.starts_with(start)) {
        true => format!("what answers is no Kubernetes API server: {text}"),
        false => text,
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)
    }
}

impl std::error::Error for RequestError {}

impl From<RequestError> for CommandError {
    fn from(error: RequestError) -> Self {
        let hints = error.hints();
        hints.into_iter().fold(Self::failed(error), Self::hint)
    }
}

impl From<RequestError> for Unknown {
    fn from(error: RequestError) -> Self {
        Self {
            is_forbidden: error.failure == Failure::Forbidden,
            asked: error.operation,
            answer: error.message,
        }
    }
}
