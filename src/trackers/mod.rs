//! Where tickets are kept: GitHub, Linear, Jira, or our own database.
//!
//! Every ticket carries a marker. To have a ticket means to look for its marker first, and to make one only where none
//! is found; a write is sent once, and what became of a lost one is told by the next look.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::{
    report::{Cause, Unknown},
    text::Untrusted,
    ticket::{Draft, Marker, Ticket, TicketOrder},
    upstream::Hindrance,
};

pub mod github;
pub mod jira;
pub mod linear;
mod section;

pub use section::{Kind, Returned, Tickets};

/// What a tracker's token is called, and what it is for.
pub type Secret = (&'static str, &'static str);

/// The tokens of all trackers.
pub const SECRETS: &[Secret] = &[github::TOKEN, linear::TOKEN, jira::TOKEN];

/// After an answer was lost, what was asked for may still be on its way into the tracker's lists.
const SETTLING: Duration = Duration::from_secs(15);

/// The tracker that is configured. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub enum Tracker {
    /// Our own database: its tickets are rows of the store, and it is never asked over the network.
    #[default]
    Local,
    GitHub(Arc<github::GitHub>),
    Linear(Arc<linear::Linear>),
    Jira(Arc<jira::Jira>),
}

/// What became of a ticket that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensured {
    pub ticket: Ticket,
    /// What did not go as asked: labels that the tracker dropped, a severity that it has no field for.
    pub remark: Option<Untrusted>,
}

/// A ticket that was read again.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    Ticket(Ticket),
    /// Deleted, moved elsewhere, or no longer to be seen.
    Gone,
}

/// Why there is no ticket, or none that is known of.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotEnsured {
    /// There never will be: the tracker refuses what it was asked for.
    #[error("{}", .0.as_str())]
    Refused(Untrusted),
    /// The ticket that was to be opened again is not there any more; only a new one can be had.
    #[error("{}", .0.as_str())]
    Gone(Untrusted),
    /// Nothing was changed; it can be tried again.
    #[error("{0}")]
    NotSent(Hindrance),
    /// It may have been done; the next try looks first.
    #[error("{0}")]
    OutcomeUnknown(Hindrance),
}

impl NotEnsured {
    fn refused(why: impl Into<Untrusted>) -> Self {
        Self::Refused(why.into())
    }

    fn gone(why: impl Into<Untrusted>) -> Self {
        Self::Gone(why.into())
    }

    fn not_sent(why: impl Into<Hindrance>) -> Self {
        Self::NotSent(why.into())
    }

    /// Looks again only when the tracker has had time to carry out what it was asked.
    fn in_doubt(why: impl Into<Hindrance>) -> Self {
        let mut why = why.into();
        why.asked_wait = Some(why.asked_wait.unwrap_or_default().max(SETTLING));
        Self::OutcomeUnknown(why)
    }

    /// Of the next step, once an earlier one has changed something there.
    fn after_a_write(self) -> Self {
        match self {
            Self::NotSent(why) => Self::OutcomeUnknown(why),
            other => other,
        }
    }
}

impl Tracker {
    /// As messages say it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Local => Kind::Local,
            Self::GitHub(_) => Kind::GitHub,
            Self::Linear(_) => Kind::Linear,
            Self::Jira(_) => Kind::Jira,
        }
        .name()
    }

    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local)
    }

    /// Has what is ordered once: found by its marker, or made. `wanted_at` is when it was decided, and the same in every
    /// try; nothing that carries the marker is older.
    pub async fn ensure(
        &self,
        order: &TicketOrder,
        wanted_at: DateTime<Utc>,
        deadline: Instant,
    ) -> Result<Ensured, NotEnsured> {
        match self {
            Self::Local => Err(NotEnsured::refused(
                "a local ticket is written by the store together with its decision, and not sent; this is a defect",
            )),
            Self::GitHub(github) => github.ensure(order, wanted_at, deadline).await,
            Self::Linear(linear) => linear.ensure(order, wanted_at, deadline).await,
            Self::Jira(jira) => jira.ensure(order, wanted_at, deadline).await,
        }
    }

    /// Where these tickets stand, by `Ticket::id`; each of the ids has an entry. The local tracker knows none.
    pub async fn read(
        &self,
        ids: &[String],
        deadline: Instant,
    ) -> Result<BTreeMap<String, Read>, Unknown> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        match self {
            Self::Local => Ok(BTreeMap::new()),
            Self::GitHub(github) => github.read(ids, deadline).await,
            Self::Linear(linear) => linear.read(ids, deadline).await,
            Self::Jira(jira) => jira.read(ids, deadline).await,
        }
    }

    /// Proves what can be proved without making a ticket: "GitHub: acme/web takes issues".
    pub async fn probe(&self, deadline: Instant) -> Result<String, Unknown> {
        match self {
            Self::Local => Ok("tickets are kept in the database".to_owned()),
            Self::GitHub(github) => github.probe(deadline).await,
            Self::Linear(linear) => linear.probe(deadline).await,
            Self::Jira(jira) => jira.probe(deadline).await,
        }
    }
}

/// The token, or why nothing can be asked without it.
fn token(
    secret: Option<&secrecy::SecretString>,
    (name, purpose): Secret,
) -> Result<&secrecy::SecretString, Unknown> {
    secret.ok_or_else(|| {
        let reason = format!(
            "{name} is not set; it {purpose}. Set {name}, or {name}_FILE to a file that holds it"
        );
        Unknown::new(Cause::NotConfigured, reason)
    })
}

/// Those of every ticket and those of this one, each once.
fn labels(always: &[String], draft: &Draft) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for label in always.iter().chain(&draft.labels) {
        let label = label.trim();
        let is_there = |have: &String| have.to_lowercase() == label.to_lowercase();
        if !label.is_empty() && !labels.iter().any(is_there) {
            labels.push(label.to_owned());
        }
    }
    labels
}

/// 32 bytes that name one write for ever: the ticket `what`, or the comment of one reopening.
fn digest(what: &str, marker: &Marker, parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [&["daily-ops", what, marker.as_str()], parts].concat() {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Names the comment of one reopening: a ticket may come back more than once, each time by another decision.
fn comment_digest(marker: &Marker, wanted_at: DateTime<Utc>) -> [u8; 32] {
    digest(
        "comment",
        marker,
        &[&wanted_at.timestamp_micros().to_string()],
    )
}

/// The same as words that a search finds in a text.
fn comment_words(marker: &Marker, wanted_at: DateTime<Utc>) -> String {
    let digest = hex::encode(&comment_digest(marker, wanted_at)[..12]);
    format!("daily-ops:comment={digest}")
}
