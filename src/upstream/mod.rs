//! The one thin HTTP layer under every API client: limits, retries of reads, and failures that say what to do now.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{
    Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use url::Url;

use crate::report::Cause;

mod failure;
mod guard;
mod measured;
mod pace;
mod refusal;

pub use failure::{Failure, Unwritten};
pub use guard::admit;
pub use pace::epoch_seconds;

use measured::Measured;

/// What one answer may hold, in bytes.
pub const BODY_LIMIT: usize = 2 << 20;

/// What a page of a list may hold, in bytes.
pub const LIST_LIMIT: usize = 8 << 20;

/// The other side as messages name it.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// "Sentry".
    pub name: &'static str,
    /// The variable that holds its token: `SENTRY_AUTH_TOKEN`.
    pub credential: &'static str,
    /// When a refused caller may come again, read from headers of its own; `Retry-After` is known without it.
    pub reset: fn(&HeaderMap) -> Option<DateTime<Utc>>,
}

/// How long things may take.
#[derive(Clone, Debug)]
pub struct Settings {
    pub connect: Duration,
    /// One request with its whole answer.
    pub request: Duration,
    /// How often a read is tried again.
    pub retries: usize,
    /// The wait before the first retry; later ones double it. Jitter comes on top.
    pub first_wait: Duration,
    /// The longest wait that a rate limit may ask for.
    pub longest_wait: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            request: Duration::from_secs(10),
            retries: 2,
            first_wait: Duration::from_millis(300),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// One request, and what to say when it is refused.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Segments below the base; they are percent-encoded, and an empty last one gives a trailing slash.
    pub path: &'a [&'a str],
    pub query: &'a [(&'a str, &'a str)],
    /// Bytes that the answer may hold.
    pub limit: usize,
    /// What a 403 lacks: "the scope `event:read`".
    pub needs: &'a str,
    /// What a 404 calls in question: "`organization` in [checks.errors]".
    pub place: &'a str,
}

/// A decoded answer with its headers.
#[derive(Debug)]
pub struct Answer<T> {
    pub body: T,
    pub headers: HeaderMap,
    /// By our own clock.
    pub received_at: DateTime<Utc>,
}

impl<T> Answer<T> {
    /// The other side's clock as its `Date` header says.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        pace::http_date(self.headers.get(DATE)?)
    }

    /// How far the other side's clock is ahead of ours.
    pub fn skew(&self) -> Option<TimeDelta> {
        Some(self.date()? - self.received_at)
    }

    fn map<U>(self, body: impl FnOnce(T) -> Result<U, Failure>) -> Result<Answer<U>, Failure> {
        Ok(Answer {
            body: body(self.body)?,
            headers: self.headers,
            received_at: self.received_at,
        })
    }
}

/// A client for one other side. It follows no redirect, uses no proxy, and sends its token to nobody else.
pub struct Upstream {
    service: Service,
    base: Url,
    http: reqwest::Client,
    authorization: Option<HeaderValue>,
    settings: Settings,
}

impl Upstream {
    pub fn new(
        service: Service,
        base: &Url,
        token: Option<&SecretString>,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        guard::admit(base).map_err(|no| Failure::before(Cause::Refused, service.name, &no))?;
        let authorization = token.map(bearer).transpose().map_err(|_| {
            let no = anyhow::anyhow!(
                "{} holds what no HTTP header can carry; set it to the token alone",
                service.credential
            );
            Failure::before(Cause::NotConfigured, service.name, &no)
        })?;
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the place that sets the limits"
        )]
        let mut builder = reqwest::Client::builder();
        if base.scheme() == "http" {
            // A machine without CA certificates can still ask its own network.
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(settings.connect)
            .user_agent(concat!("daily-ops/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(guard::Guard::of(base))
            .build()
            .map_err(|error| {
                Failure::before(
                    Cause::Tls,
                    service.name,
                    &anyhow::anyhow!(
                        "no TLS client could be set up ({}); install the system's CA certificates",
                        failure::innermost(&error)
                    ),
                )
            })?;
        Ok(Self {
            service,
            base: base.clone(),
            http,
            authorization,
            settings: settings.clone(),
        })
    }

    /// Reads JSON, and tries again where that can help and the deadline allows it.
    pub async fn get<T: DeserializeOwned>(
        &self,
        ask: &Ask<'_>,
        deadline: Instant,
    ) -> Result<Answer<T>, Failure> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(self.settings.first_wait)
            .with_max_times(self.settings.retries)
            .with_jitter();
        let answer = (|| self.attempt(Method::GET, ask, None, deadline))
            .retry(backoff)
            .when(Failure::is_transient)
            .adjust(|failure: &Failure, wait| {
                let left = deadline.saturating_duration_since(Instant::now());
                pace::wait(failure.asked_wait, wait?, self.settings.longest_wait, left)
            })
            .notify(|failure: &Failure, wait| tracing::debug!(%failure, wait_ms = wait.as_millis(), "trying again"))
            .await?;
        self.decode(&Method::GET, ask, answer)
    }

    /// Writes JSON, once.
    pub async fn write<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        ask: &Ask<'_>,
        body: &B,
        deadline: Instant,
    ) -> Result<Answer<T>, Unwritten> {
        let bytes = serde_json::to_vec(body).map_err(|error| {
            Unwritten::NotSent(Failure::before(
                Cause::Decode,
                self.service.name,
                &anyhow::anyhow!("the request is no JSON ({error}); this is a defect"),
            ))
        })?;
        let answer = self
            .attempt(method.clone(), ask, Some(bytes), deadline)
            .await
            .map_err(Unwritten::from)?;
        self.decode(&method, ask, answer)
            .map_err(Unwritten::OutcomeUnknown)
    }

    /// The address that a request goes to.
    fn address(&self, ask: &Ask<'_>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(ask.path);
        }
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query);
        }
        url
    }

    async fn attempt(
        &self,
        method: Method,
        ask: &Ask<'_>,
        body: Option<Vec<u8>>,
        deadline: Instant,
    ) -> Result<Answer<Vec<u8>>, Failure> {
        let measured = Measured::begin(self.service.name, &method);
        let answer = self.attempt_once(method, ask, body, deadline).await;
        if let Err(failure) = &answer {
            measured.failed(failure.cause);
        }
        answer
    }

    async fn attempt_once(
        &self,
        method: Method,
        ask: &Ask<'_>,
        body: Option<Vec<u8>>,
        deadline: Instant,
    ) -> Result<Answer<Vec<u8>>, Failure> {
        let url = self.address(ask);
        let failure = Failure::of(&self.service, &method, &url);
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(failure.out_of_time());
        }
        let limit = left.min(self.settings.request);
        let mut request = self
            .http
            .request(method, url)
            .header(ACCEPT, "application/json")
            .timeout(limit);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| failure.clone().transport(&error, limit))?;
        let (status, headers) = (response.status(), response.headers().clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "the time of an answer is read where it arrives"
        )]
        let received_at = Utc::now();
        if !status.is_success() {
            let body = read(response, refusal::DETAIL_LIMIT)
                .await
                .unwrap_or_default();
            let asked = pace::asked(&headers, self.service.reset, received_at);
            return Err(failure.answered(&self.service, ask, status, &headers, &body, asked));
        }
        refusal::json_only(&failure, &headers)?;
        let body = read(response, ask.limit)
            .await
            .map_err(|error| match error {
                Unread::TooLong => failure.clone().too_long(ask.limit),
                Unread::Broken(error) => failure.clone().broken_off(&error, limit),
            })?;
        Ok(Answer {
            body,
            headers,
            received_at,
        })
    }

    fn decode<T: DeserializeOwned>(
        &self,
        method: &Method,
        ask: &Ask<'_>,
        answer: Answer<Vec<u8>>,
    ) -> Result<Answer<T>, Failure> {
        answer.map(|bytes| {
            serde_json::from_slice(&bytes).map_err(|error| {
                Failure::of(&self.service, method, &self.address(ask)).garbled(&error)
            })
        })
    }
}

fn bearer(token: &SecretString) -> Result<HeaderValue, reqwest::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))?;
    value.set_sensitive(true);
    Ok(value)
}

enum Unread {
    TooLong,
    Broken(reqwest::Error),
}

/// Reads a body as it streams in, and stops at the limit.
async fn read(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, Unread> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(Unread::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
