//! Asking over HTTP: a timeout for each answer, and again after a while when the service is busy.

use std::fmt;
use std::time::Duration;

use ::http::header::{ACCEPT, HeaderMap, RETRY_AFTER, USER_AGENT};
use ::http::{Request, Response, StatusCode, Uri};
use backon::{ExponentialBuilder, Retryable as _};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{CommandError, innermost};

/// How often a question is asked again.
const RETRIES: usize = 3;
/// The first pause, which doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A service that wants a longer pause than this is told that nobody waits.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// A page of a thousand prices has about 700 KB.
const LARGEST_PAGE: usize = 16 << 20;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FetchError {
    /// No connection, or it broke.
    Unreachable(String),
    TimedOut(Duration),
    /// 429, or a server that is not well, and how long it asks to wait.
    Busy {
        status: u16,
        wait: Option<Duration>,
    },
    Refused {
        status: u16,
    },
    TooLarge,
    BrokenPage {
        number: usize,
        problem: String,
    },
    Loop {
        number: usize,
    },
    Endless,
}

impl FetchError {
    fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut(_) | Self::Busy { .. })
    }

    /// The error with what to do about it.
    pub fn explained(&self, service: &Uri) -> CommandError {
        let error = CommandError::failed(format!("ask {service} for prices: {self}"));
        match self {
            Self::BrokenPage { .. }
            | Self::Loop { .. }
            | Self::Endless
            | Self::TooLarge
            | Self::Refused { .. } => error
                .hint("is this Azure's price service or a mirror of it? --refresh-from URL names another")
                .hint("leave out --refresh to use the prices that are known already"),
            _ => error
                .hint("try again in a moment, or name a mirror with --refresh-from URL")
                .hint("leave out --refresh to use the prices that are known already"),
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => f.write_str(why),
            Self::TimedOut(limit) => write!(f, "no answer within {}", humantime::format_duration(*limit)),
            Self::Busy { status, wait: Some(wait) } if *wait > LONGEST_PAUSE => {
                write!(f, "it is busy ({status}) and asks to wait {}", humantime::format_duration(*wait))
            }
            Self::Busy { status, .. } => {
                write!(f, "it is busy ({status}), and still was after {RETRIES} more tries")
            }
            Self::Refused { status } => {
                let status = StatusCode::from_u16(*status)
                    .map_or_else(|_| status.to_string(), |status| status.to_string());
                write!(f, "it answers {status}")
            }
            Self::TooLarge => write!(f, "a page is larger than {} MiB", LARGEST_PAGE >> 20),
            Self::BrokenPage { number, problem } => {
                write!(f, "page {number} is no list of prices: {problem}")
            }
            Self::Loop { number } => write!(f, "page {number} leads back to a page that was read already"),
            Self::Endless => f.write_str("the list of pages does not end"),
        }
    }
}

/// A question for prices that pass this filter.
pub(super) fn filter(filter: &str) -> String {
    format!("$filter={}", utf8_percent_encode(filter, NON_ALPHANUMERIC))
}

/// A connection to one service.
pub(super) struct Http {
    client: Transport,
    service: Uri,
    timeout: Duration,
}

/// With TLS or without; with a proxy, as the environment names one, or without.
enum Transport {
    /// A mirror without TLS is near; proxies tunnel to TLS only.
    Plain(Client<HttpConnector, Empty<Bytes>>),
    Direct(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>),
    Tunnelled(Client<HttpsConnector<Tunnel<HttpConnector>>, Empty<Bytes>>),
}

impl Transport {
    fn secure(service: &Uri) -> Result<Self, CommandError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        let tls = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|error| {
                CommandError::failed(format!("read the certificates of this machine: {}", innermost(&error)))
                    .hint("install its CA certificates, or name their file in SSL_CERT_FILE")
            })?
            .https_only()
            .enable_http1();
        let builder = Client::builder(TokioExecutor::new());
        let Some(proxy) = Matcher::from_env().intercept(service) else {
            return Ok(Self::Direct(builder.build(tls.wrap_connector(connector))));
        };
        let tunnel = Tunnel::new(proxy.uri().clone(), connector);
        let tunnel = match proxy.basic_auth() {
            Some(auth) => tunnel.with_auth(auth.clone()),
            None => tunnel,
        };
        Ok(Self::Tunnelled(builder.build(tls.wrap_connector(tunnel))))
    }

    async fn send(&self, request: Request<Empty<Bytes>>) -> Result<Response<Incoming>, FetchError> {
        let answer = match self {
            Self::Plain(client) => client.request(request).await,
            Self::Direct(client) => client.request(request).await,
            Self::Tunnelled(client) => client.request(request).await,
        };
        answer.map_err(|error| FetchError::Unreachable(innermost(&error)))
    }
}

impl Http {
    pub fn new(service: &Uri, timeout: Duration) -> Result<Self, CommandError> {
        let timeout = if timeout.is_zero() { Duration::MAX } else { timeout };
        let client = match service.scheme_str() {
            Some("https") => Transport::secure(service)?,
            _ => Transport::Plain(Client::builder(TokioExecutor::new()).build_http()),
        };
        Ok(Self { client, service: service.clone(), timeout })
    }

    /// The answer to a question; asks again when it may help.
    pub async fn get(&self, query: &str, say: &dyn Fn(&str)) -> Result<Bytes, FetchError> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(RETRIES)
            .with_jitter();
        let once = || async {
            let answer = tokio::time::timeout(self.timeout, self.once(query)).await;
            answer.unwrap_or(Err(FetchError::TimedOut(self.timeout)))
        };
        once.retry(pauses)
            .when(FetchError::is_passing)
            .adjust(|error, pause| match error {
                FetchError::Busy { wait: Some(asked), .. } => {
                    pause.map(|pause| pause.max(*asked)).filter(|pause| *pause <= LONGEST_PAUSE)
                }
                _ => pause,
            })
            .notify(|error, pause| {
                let what = match error {
                    FetchError::Busy { status, .. } => format!("it is busy ({status})"),
                    other => other.to_string(),
                };
                let host = self.service.authority().map_or("the service", |authority| authority.as_str());
                say(&format!("{host}: {what}; asked again in {:.1}s", pause.as_secs_f64()));
            })
            .await
    }

    async fn once(&self, query: &str) -> Result<Bytes, FetchError> {
        let address = format!("{}?{query}", self.service.to_string().trim_end_matches('?'));
        let request = Request::get(address)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("shardctl/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(|error| FetchError::Unreachable(error.to_string()))?;
        let answer = self.client.send(request).await?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let wait = retry_after(answer.headers(), Timestamp::now());
            return Err(FetchError::Busy { status: status.as_u16(), wait });
        }
        if !status.is_success() {
            return Err(FetchError::Refused { status: status.as_u16() });
        }
        let body = Limited::new(answer.into_body(), LARGEST_PAGE).collect().await;
        body.map(|body| body.to_bytes()).map_err(|error| match error.is::<LengthLimitError>() {
            true => FetchError::TooLarge,
            false => FetchError::Unreachable(innermost(error.as_ref())),
        })
    }
}

/// How long an answer asks to wait: seconds, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_written_so_that_nothing_in_it_is_taken_for_more() {
        assert_eq!(filter("a eq 'P10 LRS' and b"), "$filter=a%20eq%20%27P10%20LRS%27%20and%20b");
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        let wait = |text: &str| {
            let headers: HeaderMap = [(RETRY_AFTER, text.parse().unwrap())].into_iter().collect();
            retry_after(&headers, now)
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Sun, 22 Nov 2026 12:01:30 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(wait("Sun, 22 Nov 2026 11:00:00 GMT"), Some(Duration::ZERO), "the date has passed");
        assert_eq!(wait("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
