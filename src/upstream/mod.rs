//! The one thin HTTP layer under every API client: limits, retries of reads, and failures that say what to do now.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use base64::prelude::{BASE64_STANDARD, Engine};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use url::Url;

use crate::report::Cause;

mod failure;
mod gate;
mod guard;
mod measured;
mod pace;
mod refusal;

pub use failure::{Failure, Hindrance, Unwritten};
pub use gate::Gate;
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
    /// Whether a second try can help, where the other side says so itself.
    pub should_retry: fn(&HeaderMap) -> Option<bool>,
}

/// How a token is sent in `Authorization`.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    None,
    Bearer(&'a SecretString),
    /// As it is.
    Plain(&'a SecretString),
    Basic {
        user: &'a str,
        password: &'a SecretString,
    },
}

/// What a request carries.
#[derive(Clone, Debug)]
pub enum Body {
    Json(Vec<u8>),
    /// `application/x-www-form-urlencoded`.
    Form(String),
}

impl Body {
    /// Of these fields, in their order; a name may hold brackets and come more than once.
    pub fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        Self::Form(form.finish())
    }

    fn json<B: Serialize>(name: &str, body: &B) -> Result<Self, Failure> {
        serde_json::to_vec(body).map(Self::Json).map_err(|error| {
            let no = anyhow::anyhow!("the request is no JSON ({error}); this is a defect");
            Failure::before(Cause::Decode, name, &no)
        })
    }
}

/// A change that is asked for, once.
#[derive(Clone, Debug)]
pub struct Write<'a> {
    pub method: Method,
    pub ask: Ask<'a>,
    pub body: Body,
    /// Of this request alone: an idempotency key.
    pub headers: &'a [(&'static str, &'a str)],
}

/// For those who never say whether a second try can help.
pub fn says_nothing<T>(_: &HeaderMap) -> Option<T> {
    None
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
#[derive(Clone)]
pub struct Upstream {
    service: Service,
    base: Url,
    http: reqwest::Client,
    /// Of every request, the token among them.
    headers: HeaderMap,
    gate: Option<Gate>,
    settings: Settings,
}

impl Upstream {
    pub fn new(
        service: Service,
        base: &Url,
        credential: Credential<'_>,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        guard::admit(base).map_err(|no| Failure::before(Cause::Refused, service.name, &no))?;
        let mut headers = HeaderMap::new();
        let authorization = authorization(credential).map_err(|_| {
            let no = anyhow::anyhow!(
                "{} holds what no HTTP header can carry; set it to the token alone",
                service.credential
            );
            Failure::before(Cause::NotConfigured, service.name, &no)
        })?;
        headers.extend(authorization.map(|value| (AUTHORIZATION, value)));
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
            headers,
            gate: None,
            settings: settings.clone(),
        })
    }

    /// Sends this header with every request.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Result<Self, Failure> {
        let value = HeaderValue::from_str(value).map_err(|_| {
            let no = anyhow::anyhow!("`{name}` can't be set to what no HTTP header can carry");
            Failure::before(Cause::NotConfigured, self.service.name, &no)
        })?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// Lets every request pass through that gate, each try of it anew.
    pub fn through(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Reads JSON, and tries again where that can help and the deadline allows it.
    pub async fn get<T: DeserializeOwned>(
        &self,
        ask: &Ask<'_>,
        deadline: Instant,
    ) -> Result<Answer<T>, Failure> {
        self.read(Method::GET, ask, None, deadline).await
    }

    /// Asks a question that has to be posted; nothing is changed by it, so it is tried again as [`Upstream::get`] is.
    pub async fn query<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        ask: &Ask<'_>,
        body: &B,
        deadline: Instant,
    ) -> Result<Answer<T>, Failure> {
        let body = Body::json(self.service.name, body)?;
        self.read(Method::POST, ask, Some(&body), deadline).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        method: Method,
        ask: &Ask<'_>,
        body: Option<&Body>,
        deadline: Instant,
    ) -> Result<Answer<T>, Failure> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(self.settings.first_wait)
            .with_max_times(self.settings.retries)
            .with_jitter();
        let answer = (|| self.attempt(method.clone(), ask, body, &[], deadline))
            .retry(backoff)
            .when(Failure::is_transient)
            .adjust(|failure: &Failure, wait| {
                let left = deadline.saturating_duration_since(Instant::now());
                pace::wait(failure.asked_wait, wait?, self.settings.longest_wait, left)
            })
            .notify(|failure: &Failure, wait| tracing::debug!(%failure, wait_ms = wait.as_millis(), "trying again"))
            .await?;
        self.decode(&method, ask, answer)
    }

    /// Writes JSON, once.
    pub async fn write<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        ask: &Ask<'_>,
        body: &B,
        deadline: Instant,
    ) -> Result<Answer<T>, Unwritten> {
        let body = Body::json(self.service.name, body).map_err(Unwritten::NotSent)?;
        let write = Write {
            method,
            ask: *ask,
            body,
            headers: &[],
        };
        self.send(&write, deadline).await
    }

    /// Asks for a change, once.
    pub async fn send<T: DeserializeOwned>(
        &self,
        write: &Write<'_>,
        deadline: Instant,
    ) -> Result<Answer<T>, Unwritten> {
        let Write {
            method,
            ask,
            body,
            headers,
        } = write;
        let answer = self
            .attempt(method.clone(), ask, Some(body), headers, deadline)
            .await
            .map_err(Unwritten::from)?;
        self.decode(method, ask, answer)
            .map_err(Unwritten::OutcomeUnknown)
    }

    /// Hands something over, once. Whatever an answer of success holds is not read.
    pub async fn deliver(&self, write: &Write<'_>, deadline: Instant) -> Result<(), Unwritten> {
        let Write {
            method,
            ask,
            body,
            headers,
        } = write;
        let exchange = self.exchange(method, ask, Some(body), headers, deadline);
        let handed = self.passed(method, ask, deadline, exchange).await;
        handed.map(drop).map_err(Unwritten::from)
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
        body: Option<&Body>,
        headers: &[(&'static str, &str)],
        deadline: Instant,
    ) -> Result<Answer<Vec<u8>>, Failure> {
        let answer = async {
            let Exchanged {
                response,
                received_at,
                failure,
                limit,
            } = self.exchange(&method, ask, body, headers, deadline).await?;
            let headers = response.headers().clone();
            if response.status() == StatusCode::NO_CONTENT {
                return Ok(Answer {
                    body: b"null".to_vec(),
                    headers,
                    received_at,
                });
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
        };
        self.passed(&method, ask, deadline, answer).await
    }

    /// Waits at the gate, and counts what comes of it.
    async fn passed<T>(
        &self,
        method: &Method,
        ask: &Ask<'_>,
        deadline: Instant,
        attempt: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let _place = match &self.gate {
            None => None,
            Some(gate) => match gate.pass(deadline).await {
                None => {
                    let failure = Failure::of(&self.service, method, &self.address(ask));
                    return Err(failure.out_of_time());
                }
                place => place,
            },
        };
        let measured = Measured::begin(self.service.name, method);
        let answer = attempt.await;
        if let Err(failure) = &answer {
            measured.failed(failure.cause);
        }
        answer
    }

    async fn exchange(
        &self,
        method: &Method,
        ask: &Ask<'_>,
        body: Option<&Body>,
        headers: &[(&'static str, &str)],
        deadline: Instant,
    ) -> Result<Exchanged, Failure> {
        let url = self.address(ask);
        let failure = Failure::of(&self.service, method, &url);
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(failure.out_of_time());
        }
        let limit = left.min(self.settings.request);
        let mut request = self
            .http
            .request(method.clone(), url)
            .header(ACCEPT, "application/json")
            .timeout(limit);
        request = request.headers(self.headers.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = match body {
            None => request,
            Some(Body::Json(bytes)) => request
                .header(CONTENT_TYPE, "application/json")
                .body(bytes.clone()),
            Some(Body::Form(form)) => request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone()),
        };
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
            let mut failure = failure.named(&headers).answered(
                &self.service,
                ask,
                status,
                &headers,
                &body,
                asked,
            );
            failure.should_retry = (self.service.should_retry)(&headers);
            return Err(failure);
        }
        let failure = failure.named(&headers);
        Ok(Exchanged {
            response,
            received_at,
            failure,
            limit,
        })
    }

    fn decode<T: DeserializeOwned>(
        &self,
        method: &Method,
        ask: &Ask<'_>,
        answer: Answer<Vec<u8>>,
    ) -> Result<Answer<T>, Failure> {
        let headers = answer.headers.clone();
        answer.map(|bytes| {
            serde_json::from_slice(&bytes).map_err(|error| {
                Failure::of(&self.service, method, &self.address(ask))
                    .named(&headers)
                    .garbled(&error)
            })
        })
    }
}

fn authorization(
    credential: Credential<'_>,
) -> Result<Option<HeaderValue>, reqwest::header::InvalidHeaderValue> {
    let text = match credential {
        Credential::None => return Ok(None),
        Credential::Bearer(token) => format!("Bearer {}", token.expose_secret()),
        Credential::Plain(token) => token.expose_secret().to_owned(),
        Credential::Basic { user, password } => {
            let pair = format!("{user}:{}", password.expose_secret());
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        }
    };
    let mut value = HeaderValue::from_str(&text)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// An answer of success that is still to be read.
struct Exchanged {
    response: reqwest::Response,
    received_at: DateTime<Utc>,
    /// What it would fail with.
    failure: Failure,
    limit: Duration,
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
