//! The checklist's items. A new check is one folder here, its `mod` line and its line in `registry`.

use std::{future::Future, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::{
    report::{Cause, Finding, FindingKey, Unknown},
    schedule::Clock,
    text::Untrusted,
    triage::Person,
    upstream::Failure,
};

mod checklist;
pub mod errors;
pub mod health;
pub mod payments;
mod registry;

pub use checklist::{Checklist, Listed, Progress};
pub use registry::Registry;

/// Every check, in the order of the report.
pub fn registry() -> Registry {
    Registry::default()
        .with::<health::Health>()
        .with::<errors::Errors>()
}

/// One item of the checklist: it looks at a service, then judges what it saw. The type is its section of the
/// configuration.
pub trait Check: DeserializeOwned + Send + Sync + 'static {
    /// As in `[checks.NAME]`, `check NAME` and the keys of its findings.
    const NAME: &'static str;
    /// Secrets from the environment, each with what it is for.
    const SECRETS: &'static [Secret] = &[];
    /// What it saw, without judgement.
    type Observation: Send;

    /// What the types can't say: limits, pairs that exclude each other. The message names the field.
    fn validate(&self) -> anyhow::Result<()> {
        Ok(())
    }

    /// Looks. The only I/O; it ends before `looking.deadline`, with what it saw until then.
    fn observe(
        &self,
        looking: &Looking,
    ) -> impl Future<Output = Result<Self::Observation, Unknown>> + Send;

    /// Judges. Pure: equal observations at equal times are judged alike.
    fn evaluate(&self, seen: &Self::Observation, now: DateTime<Utc>) -> Evaluation;

    /// Reads what an order is about to change, so that an undo can put it back.
    fn before(
        &self,
        order: &Order,
        looking: &Looking,
    ) -> impl Future<Output = Result<Option<Untrusted>, NotApplied>> + Send {
        let _ = (order, looking);
        async { Ok(None) }
    }

    /// Carries a remedy out on the other side, which is read again first.
    fn apply(
        &self,
        order: &Order,
        looking: &Looking,
    ) -> impl Future<Output = Result<Applied, NotApplied>> + Send {
        let _ = looking;
        let refusal = format!("`{}` can't {} on the other side", Self::NAME, order.verb);
        async { Err(NotApplied::Refused(refusal.into())) }
    }
}

/// A secret's variable and what it is for: `("SENTRY_AUTH_TOKEN", "reads Sentry's issues")`.
pub type Secret = (&'static str, &'static str);

/// What a check judges of what it saw.
#[derive(Debug, Default)]
pub struct Evaluation {
    pub findings: Vec<Finding>,
    /// Why something could not be seen; one is enough to make the check unknown.
    pub unknown: Vec<Unknown>,
    /// What could not be seen, if that is all of it. None: nothing of a check that looked, anything of an unknown one.
    pub unseen: Option<Vec<FindingKey>>,
    /// What was looked at, in a few words for the ops log.
    pub summary: Untrusted,
}

/// What a check has at hand while it looks or acts.
#[derive(Clone)]
pub struct Looking {
    pub deadline: Instant,
    /// For the times of what is seen.
    pub clock: Clock,
    pub progress: Progress,
    pub secrets: Arc<Secrets>,
}

impl Looking {
    /// The secret of that name, or why the check is blind without it.
    pub fn secret(&self, (name, purpose): Secret) -> Result<SecretString, Unknown> {
        self.secrets.get(name).ok_or_else(|| {
            let reason = format!("{name} is not set; it {purpose}. Set {name}, or {name}_FILE to a file that holds it");
            Unknown::new(Cause::NotConfigured, reason)
        })
    }
}

/// The secrets that were found in the environment, by the name of their variable.
#[derive(Default)]
pub struct Secrets(std::collections::BTreeMap<String, SecretString>);

impl Secrets {
    pub fn get(&self, name: &str) -> Option<SecretString> {
        self.0.get(name).cloned()
    }
}

impl FromIterator<(String, SecretString)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, SecretString)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// What a person wants done on the other side. It is kept until it is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub key: FindingKey,
    /// `resolve`, `assign`, `archive`, or `undo` of one of them.
    pub verb: String,
    pub by: Person,
    /// Whom to assign it to, or which verb to undo. Verbatim, as an e-mail address must arrive whole; not for showing.
    pub argument: Option<String>,
    /// A reason, for a note on the other side.
    pub reason: Option<Untrusted>,
    /// What the other side held before its first change, as `Check::before` read it; for `undo`, what to put back.
    pub before: Option<Untrusted>,
    /// For `undo`: what the change left there. Anything else has been put there since, and stays.
    pub after: Option<Untrusted>,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Applied {
    /// Done, or found done: "resolved in Sentry"; and what stood there before.
    Done {
        said: Untrusted,
        /// False if it was found done.
        changed: bool,
        /// What stands there now, for an undo to recognise.
        after: Option<Untrusted>,
    },
    /// The other side has moved on meanwhile; nothing was changed.
    Overtaken { said: Untrusted },
}

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotApplied {
    /// It never will be: no permission, no such thing.
    #[error("{}", .0.as_str())]
    Refused(Untrusted),
    /// Nothing was sent; it can be tried again.
    #[error("{0}")]
    NotSent(Hindrance),
    /// It may have been done: look before the next try.
    #[error("{0}")]
    OutcomeUnknown(Hindrance),
}

/// What stands in an order's way for now.
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
