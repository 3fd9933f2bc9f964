//! What went wrong on the way: what was tried, what came back, what to do now.

use std::{error::Error, fmt, io, time::Duration};

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::Value;
use url::Url;

use super::{Service, guard::Barred};
use crate::{
    report::{Cause, Unknown},
    text::Untrusted,
};

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing of it left this machine, or no connection came about.
    Nothing,
    /// It may have arrived.
    Perhaps,
    /// There is an answer with this status.
    Answer(StatusCode),
}

/// A request that brought no usable answer.
#[derive(Clone, Debug)]
pub struct Failure {
    pub cause: Cause,
    /// "GET /api/0/projects/", with the name that the other side gave to the request.
    tried: Box<str>,
    came_back: Box<str>,
    /// What to do now.
    pub advice: String,
    /// The refusal in the other side's own words.
    pub detail: Option<Untrusted>,
    /// The refusal as JSON, to be looked into and never shown.
    pub refusal: Option<Box<Value>>,
    /// Whether it is an earlier answer, given again to the same idempotency key.
    pub is_replay: bool,
    pub(super) should_retry: Option<bool>,
    pub(super) asked_wait: Option<Duration>,
    pub(super) reached: Reached,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.tried, self.came_back, self.advice)
    }
}

impl Error for Failure {}

impl From<Failure> for Unknown {
    fn from(failure: Failure) -> Self {
        Self::new(failure.cause, failure.to_string())
    }
}

/// What stands in the way of a change for now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Hindrance {
    pub why: Unknown,
    /// The least wait that the other side asked for.
    pub asked_wait: Option<Duration>,
}

impl From<Unknown> for Hindrance {
    fn from(why: Unknown) -> Self {
        Self {
            why,
            asked_wait: None,
        }
    }
}

impl From<Failure> for Hindrance {
    fn from(failure: Failure) -> Self {
        Self {
            asked_wait: failure.asked_wait(),
            why: failure.into(),
        }
    }
}

/// Why a write brought no usable answer.
#[derive(Clone, Debug)]
pub enum Unwritten {
    /// The other side said no; nothing was changed.
    Refused(Failure),
    /// It never arrived, or was turned away for now; nothing was changed.
    NotSent(Failure),
    /// It may have been carried out.
    OutcomeUnknown(Failure),
}

impl From<Failure> for Unwritten {
    fn from(failure: Failure) -> Self {
        match (failure.reached, failure.should_retry) {
            // Another attempt under the same name is under way: what becomes of it is to be seen.
            (Reached::Answer(StatusCode::CONFLICT), Some(true)) => {
                return Self::OutcomeUnknown(failure);
            }
            // What was decided with a decline is decided, and stays so.
            (Reached::Answer(status), Some(true))
                if status.is_client_error()
                    && !matches!(
                        status,
                        StatusCode::PAYMENT_REQUIRED | StatusCode::REQUEST_TIMEOUT
                    ) =>
            {
                return Self::NotSent(failure);
            }
            (Reached::Answer(StatusCode::TOO_MANY_REQUESTS), Some(false)) => {
                return Self::Refused(failure);
            }
            // That a second try is of no use doesn't say what a first one did that ended in a server error.
            _ => {}
        }
        match failure.reached {
            Reached::Nothing => Self::NotSent(failure),
            Reached::Answer(StatusCode::TOO_MANY_REQUESTS) => Self::NotSent(failure),
            Reached::Answer(StatusCode::REQUEST_TIMEOUT) => Self::OutcomeUnknown(failure),
            Reached::Answer(status) if status.is_client_error() || status.is_redirection() => {
                Self::Refused(failure)
            }
            Reached::Answer(_) | Reached::Perhaps => Self::OutcomeUnknown(failure),
        }
    }
}

impl Failure {
    /// A failure before anything was asked.
    pub(super) fn before(cause: Cause, name: &str, why: &anyhow::Error) -> Self {
        Self {
            cause,
            tried: format!("{name} was not asked").into(),
            came_back: format!("{why:#}").into(),
            advice: "then try again".to_owned(),
            detail: None,
            refusal: None,
            is_replay: false,
            should_retry: None,
            asked_wait: None,
            reached: Reached::Nothing,
        }
    }

    /// A failure of this request, still to be told.
    pub(super) fn of(service: &Service, method: &Method, url: &Url) -> Self {
        Self {
            cause: Cause::Network,
            tried: format!("{} {method} {}", service.name, url.path()).into(),
            came_back: Box::default(),
            advice: format!(
                "check that {} can be reached from here",
                url.host_str().unwrap_or("it")
            ),
            detail: None,
            refusal: None,
            is_replay: false,
            should_retry: None,
            asked_wait: None,
            reached: Reached::Perhaps,
        }
    }

    pub fn status(&self) -> Option<u16> {
        match self.reached {
            Reached::Answer(status) => Some(status.as_u16()),
            Reached::Nothing | Reached::Perhaps => None,
        }
    }

    /// How long the other side asked to be left alone.
    pub fn asked_wait(&self) -> Option<Duration> {
        self.asked_wait
    }

    /// Whether a second try could bring another answer.
    pub fn is_transient(&self) -> bool {
        if let Some(word) = self.should_retry {
            return word;
        }
        matches!(
            self.cause,
            Cause::Network | Cause::Timeout | Cause::Upstream | Cause::RateLimited
        ) && self
            .status()
            .is_none_or(|status| status >= 500 || matches!(status, 408 | 409 | 429))
    }

    pub(super) fn told(mut self, cause: Cause, came_back: impl Into<Box<str>>) -> Self {
        self.cause = cause;
        self.came_back = came_back.into();
        self
    }

    pub(super) fn advised(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// Leaves out the other side's own words, where the advice says what they say.
    #[must_use]
    pub fn unquoted(mut self) -> Self {
        if let Reached::Answer(status) = self.reached {
            self.came_back = format!("answered {}", status.as_u16()).into();
        }
        self
    }

    /// Says how the answer's headers name the request, for whoever asks the other side about it.
    pub(super) fn named(mut self, headers: &HeaderMap) -> Self {
        let id = ["request-id", "x-request-id", "x-github-request-id"]
            .into_iter()
            .find_map(|name| headers.get(name)?.to_str().ok());
        let is_name = |id: &&str| {
            (1..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_-:".contains(&b))
        };
        if let Some(id) = id.filter(is_name) {
            self.tried = format!("{} (request {id})", self.tried).into();
        }
        self.is_replay = headers
            .get("idempotent-replayed")
            .is_some_and(|value| value == "true");
        self
    }

    pub(super) fn out_of_time(mut self) -> Self {
        self.reached = Reached::Nothing;
        self.told(Cause::Timeout, "no time was left to ask")
            .advised("raise `time_limit` of the check")
    }

    pub(super) fn transport(mut self, error: &reqwest::Error, limit: Duration) -> Self {
        if error.is_connect() || error.is_builder() {
            self.reached = Reached::Nothing;
        }
        if let Some(barred) = find::<Barred>(error) {
            let cause = barred.cause();
            let told = self.told(cause, barred.to_string());
            return if cause == Cause::Refused {
                told.advised("set `url` to an address that may be asked")
            } else {
                told
            };
        }
        if let Some(tls) = find::<rustls::Error>(error) {
            return self
                .told(Cause::Tls, format!("TLS failed: {tls}"))
                .advised("check its certificate, and the CA certificates of this machine");
        }
        self.broken_off(error, limit)
    }

    pub(super) fn broken_off(self, error: &reqwest::Error, limit: Duration) -> Self {
        if error.is_timeout() && error.is_connect() {
            return self.told(Cause::Timeout, "no connection came about in time");
        }
        if error.is_timeout() {
            return self.told(
                Cause::Timeout,
                format!("no whole answer within {} ms", limit.as_millis()),
            );
        }
        let http = find::<hyper::Error>(error);
        if http.is_some_and(hyper::Error::is_parse) {
            return self
                .told(Cause::Decode, "what came back is no HTTP")
                .advised("check that `url` leads to the API itself");
        }
        let why =
            find::<io::Error>(error).map_or_else(|| innermost(error), |io| io.kind().to_string());
        self.told(Cause::Network, format!("the connection failed ({why})"))
    }

    pub(super) fn too_long(self, limit: usize) -> Self {
        self.told(
            Cause::Truncated,
            format!(
                "the answer is longer than {} MiB, which is the most that is read",
                limit >> 20
            ),
        )
        .advised("check that `url` leads to the API itself")
    }

    pub(super) fn garbled(self, error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            serde_json::error::Category::Data => "JSON of another shape than documented",
            serde_json::error::Category::Eof => "JSON that ends too early",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "no JSON",
        };
        self.told(
            Cause::Decode,
            format!(
                "the answer is {what} (line {}, column {})",
                error.line(),
                error.column()
            ),
        )
        .advised("check that `url` leads to the API itself and not to a proxy in between")
    }
}

/// The first error of that type on the way down, also inside `io::Error`, whose `source` skips its own content.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let inside = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if let Some(inner) = inside {
            let inner: &(dyn Error + 'static) = inner;
            if let Some(found) = find::<E>(inner) {
                return Some(found);
            }
        }
        next = error.source();
    }
    None
}

/// The last word of a chain of errors; the first ones repeat the address.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
