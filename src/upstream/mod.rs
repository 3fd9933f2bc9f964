//! The one thin HTTP layer under every API client: limits, retries of reads, and failures that say what to do now.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use chrono::{DateTime, Utc};
use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;
use url::Url;

use crate::report::Cause;

mod ask;
mod credential;
mod exchange;
mod failure;
mod gate;
mod guard;
mod measured;
mod pace;
mod refusal;

pub use ask::{Answer, Ask, Body, Write};
pub use credential::Credential;
pub use failure::{Failure, Hindrance, Unwritten};
pub use gate::Gate;
pub use guard::admit;
pub use pace::epoch_seconds;

use credential::authorization;

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
}
