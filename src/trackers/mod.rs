//! Where tickets are kept: GitHub, Linear, Jira, or our own database.
//!
//! Every ticket carries a marker. To have a ticket means to look for its marker first, and to make one only where none
//! is found; a write is sent once, and what became of a lost one is told by the next look.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::{
    report::{Cause, Unknown},
    text::Untrusted,
    ticket::{Ticket, TicketOrder},
    upstream::{Hindrance, Unwritten},
};

/// What a tracker's token is called, and what it is for.
pub type Secret = (&'static str, &'static str);

/// The tokens of all trackers.
pub const SECRETS: &[Secret] = &[];

/// The tracker that is configured. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub enum Tracker {
    /// Our own database: its tickets are rows of the store, and it is never asked over the network.
    #[default]
    Local,
}

/// What became of a ticket that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensured {
    pub ticket: Ticket,
    /// What did not go as asked: labels that the tracker dropped.
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

    fn not_sent(why: impl Into<Hindrance>) -> Self {
        Self::NotSent(why.into())
    }
}

impl From<Unwritten> for NotEnsured {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            // A token can be mended, a limit passes, and then the ticket can be made.
            Unwritten::Refused(failure)
                if matches!(
                    failure.cause,
                    Cause::Auth | Cause::Forbidden | Cause::RateLimited
                ) =>
            {
                Self::NotSent(failure.into())
            }
            Unwritten::Refused(failure) => Self::refused(failure.to_string()),
            Unwritten::NotSent(failure) => Self::NotSent(failure.into()),
            Unwritten::OutcomeUnknown(failure) => Self::OutcomeUnknown(failure.into()),
        }
    }
}

impl Tracker {
    /// As messages say it.
    pub fn name(&self) -> &'static str {
        "local"
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
        }
    }

    /// Proves what can be proved without making a ticket: "GitHub: acme/web takes issues".
    pub async fn probe(&self, deadline: Instant) -> Result<String, Unknown> {
        match self {
            Self::Local => Ok("tickets are kept in the database".to_owned()),
        }
    }
}

/// `[tickets]`.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tickets {
    /// What becomes of a closed ticket whose finding comes back.
    pub returned: Returned,
}

/// What becomes of a closed ticket whose finding comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Returned {
    /// It gets a comment, and is opened again.
    #[default]
    Reopen,
    /// It stays closed, and there is a new one.
    New,
}

impl Tickets {
    pub fn validate(&self) -> anyhow::Result<()> {
        Ok(())
    }

    pub fn secret(&self) -> Option<Secret> {
        None
    }

    pub fn tracker(&self, _: Option<secrecy::SecretString>) -> Tracker {
        Tracker::Local
    }
}
