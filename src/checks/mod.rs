//! The checklist's items. A new check is one folder here, its `mod` line and its line in `registry`.

use std::{future::Future, sync::Arc};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use crate::{
    baseline::{Baselines, Measure},
    report::{Cause, Finding, FindingKey, Unknown, Verb},
    schedule::Clock,
    text::Untrusted,
    ticket::{Ticket, TicketOrder},
    triage::Person,
};

mod checklist;
pub mod errors;
pub mod health;
pub mod payments;
mod registry;

pub use checklist::{Around, Checklist, Listed, Progress};
pub use registry::Registry;

pub use crate::upstream::Hindrance;

/// Every check, in the order of the report.
pub fn registry() -> Registry {
    Registry::default()
        .with::<health::Health>()
        .with::<errors::Errors>()
        .with::<payments::Payments>()
}

/// One item of the checklist: it looks at a service, then judges what it saw. The type is its section of the
/// configuration.
pub trait Check: DeserializeOwned + Send + Sync + 'static {
    /// As in `[checks.NAME]`, `check NAME` and the keys of its findings.
    const NAME: &'static str;
    /// Secrets from the environment, each with what it is for.
    const SECRETS: &'static [Secret] = &[];
    /// Whether its findings can be resolved. False: they end on the other side alone, which hears nothing of that; who has
    /// dealt with one says so by `handle`.
    const CAN_RESOLVE: bool = true;
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

    /// Whether this look would have found that again if it were there still: false of what is too old for it. Pure.
    fn reaches(&self, finding: &Finding, seen: &Self::Observation, now: DateTime<Utc>) -> bool {
        let _ = (finding, seen, now);
        true
    }

    /// Whether that is of something which is not configured any more, so that no look finds it again. Pure.
    fn leaves_out(&self, finding: &Finding) -> bool {
        let _ = finding;
        false
    }

    /// What it counted on whole days in the zone of its baselines: the names are kept, and those of a day are replaced
    /// when it is counted anew. Pure.
    fn measure(&self, seen: &Self::Observation, now: DateTime<Utc>) -> Vec<Measure> {
        let _ = (seen, now);
        Vec::new()
    }

    /// Reads what an order is about to change, so that an undo can put it back.
    fn before(
        &self,
        order: &Order,
        looking: &Looking,
    ) -> impl Future<Output = Result<Option<Untrusted>, NotApplied>> + Send {
        let _ = (order, looking);
        async { Ok(None) }
    }

    /// Whether it needs this one of its secrets, as its section stands.
    fn wants(&self, secret: &Secret) -> bool {
        let _ = secret;
        true
    }

    /// The requests that an order would send now, a line each; nothing is sent but reads.
    fn rehearse(
        &self,
        order: &Order,
        looking: &Looking,
    ) -> impl Future<Output = Result<Vec<Untrusted>, NotApplied>> + Send {
        let _ = looking;
        let refusal = format!(
            "`{}` can't tell beforehand what it would send to {} something",
            Self::NAME,
            order.verb
        );
        async { Err(NotApplied::Refused(refusal.into())) }
    }

    /// Whether its remedies could be carried out, as far as that shows without carrying one out.
    fn prove(&self, looking: &Looking) -> impl Future<Output = Vec<Proof>> + Send {
        let _ = looking;
        async { Vec::new() }
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
    /// What it counted on earlier days.
    pub baselines: Arc<Baselines>,
    /// Looks only for what has happened since then, cheaply; the evaluation says what else was not looked at.
    pub since: Option<DateTime<Utc>>,
    /// What its last looks left open.
    pub earlier: Arc<Vec<Earlier>>,
}

/// A finding that was open before this look.
#[derive(Clone, Debug, PartialEq)]
pub struct Earlier {
    pub finding: Finding,
    /// Whether it needs nobody: it is low, or somebody has it, or has decided about it in a way that holds.
    pub is_settled: bool,
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
    /// `resolve`, `assign`, `archive`, a [`Verb`], `ticket`, or `undo` of one of them.
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
    /// When it was decided.
    #[serde(default)]
    pub at: DateTime<Utc>,
    /// Names it for ever, to sides that do nothing twice under one name. At most 255 bytes.
    #[serde(default)]
    pub idempotency_key: String,
    /// What a tracker is asked to do, if this is not for the check.
    #[serde(default)]
    pub ticket: Option<TicketOrder>,
}

impl Order {
    /// What a decision asks for, as far as the decision alone says it.
    pub fn new(key: &FindingKey, verb: &str, by: &Person) -> Self {
        Self {
            key: key.clone(),
            verb: verb.to_owned(),
            by: by.clone(),
            argument: None,
            reason: None,
            before: None,
            after: None,
            at: DateTime::default(),
            idempotency_key: String::new(),
            ticket: None,
        }
    }
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
    /// The other side has taken it, and what comes of it is not known yet: "the bank has not answered".
    Asked { said: Untrusted },
    /// The ticket is there, and open: "opened as ENG-12 in Linear".
    Ticketed {
        said: Untrusted,
        ticket: Ticket,
        /// What did not go as asked: labels that were dropped.
        #[serde(default)]
        remark: Option<Untrusted>,
    },
    /// The other side has moved on meanwhile; nothing was changed.
    Overtaken { said: Untrusted },
}

/// Whether a remedy could be carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    pub remedy: Verb,
    pub able: Able,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Able {
    /// As far as was seen.
    Yes(Untrusted),
    /// It isn't permitted, and nothing says that it is wanted.
    Off(Untrusted),
    No(Unknown),
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
