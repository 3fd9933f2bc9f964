//! Asks the health addresses of the services, each in its environment.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use rustls::ClientConfig;
use serde::{Deserialize, Deserializer, de};
use url::Url;

use super::{Check, Evaluation, Looking};
use crate::report::{FindingKey, Severity, Unknown};

mod dial;
mod evaluate;
mod exchange;
mod judge;
mod miss;
mod names;
mod own_network;
mod page;
mod passes;
mod probe;
mod redirect;
mod seen;
mod tally;
mod tls;
mod trace;
mod unseen;
mod validate;

pub use seen::{Answer, Attempt, Control, Failure, Fault, Observation, Seen};

/// What of an endpoint has findings of its own, as its key ends.
const LATENCY: &str = "/latency";
const CERTIFICATE: &str = "/certificate";

/// `[checks.health]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// For one request, from the DNS look-up to the end of the body.
    #[serde(default = "five_seconds", with = "humantime_serde")]
    pub timeout: Duration,
    /// The pause before what looked bad is asked a second time.
    #[serde(default = "one_second", with = "humantime_serde")]
    pub confirm_after: Duration,
    /// Requests at the same time.
    #[serde(default = "concurrency")]
    pub concurrency: usize,
    /// An address outside of what is checked, asked only when every endpoint fails.
    pub control: Option<Url>,
    /// PEM roots to trust beside the machine's own.
    pub ca_file: Option<PathBuf>,
    #[serde(deserialize_with = "shared")]
    pub endpoints: Arc<[Endpoint]>,
    #[serde(skip)]
    tls: OnceLock<Arc<ClientConfig>>,
}

/// One address that must answer well.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    pub name: String,
    pub environment: String,
    pub url: Url,
    #[serde(default)]
    pub status: Statuses,
    /// The limit for the time to the full headers.
    #[serde(default, with = "humantime_serde")]
    pub within: Option<Duration>,
    /// A text that the first 64 KiB of the body must hold.
    pub contains: Option<String>,
    /// A certificate with fewer days left is a finding.
    #[serde(default = "two_weeks")]
    pub certificate_days: u16,
    #[serde(default)]
    pub redirects: Redirects,
    /// Of the finding when it is down.
    pub severity: Option<Severity>,
    pub runbook: Option<Url>,
}

impl Endpoint {
    /// "production/api".
    fn subject(&self) -> String {
        format!("{}/{}", self.environment, self.name)
    }

    /// Of the endpoint, or of an aspect of it.
    fn key(&self, aspect: &str) -> FindingKey {
        FindingKey::new(Health::NAME, &format!("{}{aspect}", self.subject()))
    }

    /// "production api".
    fn title(&self) -> String {
        format!("{} {}", self.environment, self.name)
    }

    fn severity(&self) -> Severity {
        let by_environment = if self.environment == "production" {
            Severity::Critical
        } else {
            Severity::High
        };
        self.severity.unwrap_or(by_environment)
    }
}

/// What a redirect means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Redirects {
    #[default]
    Finding,
    Follow,
}

/// The expected statuses: written as an integer or as a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Box<[u16]>);

impl Statuses {
    pub fn contains(&self, status: u16) -> bool {
        self.0.contains(&status)
    }
}

impl Default for Statuses {
    fn default() -> Self {
        Self(Box::new([200]))
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, status) in self.0.iter().enumerate() {
            let gap = if i == 0 { "" } else { " or " };
            write!(f, "{gap}{status}")?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Statuses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status such as 200, or a list of them")
            }

            fn visit_i64<E: de::Error>(self, status: i64) -> Result<Statuses, E> {
                let invalid = || E::invalid_value(de::Unexpected::Signed(status), &self);
                let status = u16::try_from(status).map_err(|_| invalid())?;
                Ok(Statuses(Box::new([status])))
            }

            fn visit_u64<E: de::Error>(self, status: u64) -> Result<Statuses, E> {
                match i64::try_from(status) {
                    Ok(status) => self.visit_i64(status),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Unsigned(status), &self)),
                }
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Statuses, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(list))
                    .map(|list| Statuses(list.into()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl Check for Health {
    const NAME: &'static str = "health";
    type Observation = Observation;

    fn validate(&self) -> anyhow::Result<()> {
        validate::section(self)
    }

    async fn observe(&self, looking: &Looking) -> Result<Observation, Unknown> {
        let tls = if self.may_need_tls() {
            Some(self.tls().await)
        } else {
            None
        };
        Ok(passes::walk(self, tls, looking).await)
    }

    fn evaluate(&self, seen: &Observation, now: DateTime<Utc>) -> Evaluation {
        evaluate::evaluate(self, seen, now)
    }
}

impl Health {
    fn may_need_tls(&self) -> bool {
        let https = |url: &Url| url.scheme() == "https";
        self.control.as_ref().is_some_and(https)
            || self
                .endpoints
                .iter()
                .any(|e| https(&e.url) || e.redirects == Redirects::Follow)
    }

    /// Reads the roots off the runtime's threads, and not again once they were read.
    async fn tls(&self) -> Result<Arc<ClientConfig>, Unknown> {
        if let Some(known) = self.tls.get() {
            return Ok(Arc::clone(known));
        }
        let ca_file = self.ca_file.clone();
        let loaded = tokio::task::spawn_blocking(move || tls::client(ca_file.as_deref())).await;
        let loaded =
            loaded.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()));
        loaded.map(|client| Arc::clone(self.tls.get_or_init(|| client)))
    }
}

fn shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[Endpoint]>, D::Error> {
    Vec::deserialize(deserializer).map(Arc::from)
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn one_second() -> Duration {
    Duration::from_secs(1)
}

fn concurrency() -> usize {
    256
}

fn two_weeks() -> u16 {
    14
}
