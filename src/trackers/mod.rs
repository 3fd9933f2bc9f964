//! Where tickets are kept: GitHub, Linear, Jira, or our own database.

use serde::Deserialize;

use crate::ticket::Ticket;

/// What a tracker's token is called, and what it is for.
pub type Secret = (&'static str, &'static str);

/// `[tickets]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tickets {
    /// What becomes of a closed ticket whose finding comes back.
    pub returned: Returned,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Returned {
    /// It gets a comment, and is opened again.
    #[default]
    Reopen,
    /// It stays closed, and there is a new one.
    New,
}

/// The tracker that is configured.
#[derive(Clone, Debug, Default)]
pub enum Tracker {
    /// Our own database.
    #[default]
    Local,
}

/// What became of a ticket that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensured {
    pub ticket: Ticket,
    /// What did not go as asked: labels that the tracker dropped.
    pub remark: Option<String>,
}
