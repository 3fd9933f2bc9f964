//! Messages and views as Slack's Block Kit.

mod again;
mod block;
mod buttons;
mod details;
mod inspection;
pub mod limits;
mod message;
mod outcome;
mod reply;
mod rest;
mod rich;
mod row;
mod sections;
mod text;
mod unfinished;
pub mod view;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use slack_morphism::prelude::SlackBlock;
use url::Url;

use crate::{
    ops_log::Head,
    report::FindingKey,
    text::Untrusted,
    ticket::Tickets,
    triage::{Decision, Person, Triaged},
};

pub use again::{repeated, running};
pub use block::MENU;
pub use details::{Subject, details};
pub use message::{message, shown, status};
pub use reply::{help, log, reply, tickets};
pub use rest::rest;

/// What is posted: blocks, and beside them always a text for notifications and screen readers.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    pub text: String,
    pub blocks: Vec<SlackBlock>,
}

/// The message of a round, as the database knows it.
pub struct Picture<'a> {
    /// The message's id in the store, which its buttons carry.
    pub message: &'a str,
    /// None: the schedule.
    pub asked_by: Option<&'a Person>,
    pub started_at: DateTime<Utc>,
    /// When the schedule wanted it, if it came late.
    pub late: Option<DateTime<Utc>>,
    /// Days whose summary was missed before this one.
    pub missed: &'a [NaiveDate],
    pub zone: Tz,
    /// When the schedule wants the next one.
    pub next: Option<DateTime<Utc>>,
    pub stage: Stage<'a>,
}

pub enum Stage<'a> {
    /// The checks that run, in the order of the report: nothing while one has not finished, then how it came out.
    Running(&'a [(String, Option<Finished>)]),
    Done(Done<'a>),
    /// It could not be carried out.
    Failed(&'a Untrusted),
}

/// How a check came out, while others still run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Finished {
    /// False if it is unknown.
    pub looked: bool,
    pub findings: usize,
    pub took_ms: u64,
}

pub struct Done<'a> {
    pub triaged: &'a Triaged,
    /// The ops log's head, with the round's entry.
    pub head: Option<&'a Head>,
    /// The newest decision's version of each finding that has any.
    pub versions: &'a BTreeMap<FindingKey, i64>,
    /// What the newest decision of a finding asked of the other side.
    pub deliveries: &'a BTreeMap<FindingKey, Delivery>,
    /// The tickets that each finding has had.
    pub tickets: &'a Tickets,
    /// The newest note about each finding that has one.
    pub notes: &'a BTreeMap<FindingKey, Decision>,
    /// The checks that were asked for, if not all of them were.
    pub only: &'a [String],
    /// A newer round's message in the same channel: this one has no buttons any more.
    pub newer: Option<&'a Url>,
}

/// How far a decision has come on the other side.
#[derive(Clone, Debug, PartialEq)]
pub enum Delivery {
    /// Under way: `resolve`, `assign` ...
    Pending {
        verb: String,
    },
    Done(Untrusted),
    /// A ticket was opened. The remark says what did not go as asked.
    Ticketed {
        said: Untrusted,
        remark: Option<Untrusted>,
    },
    /// The other side has taken it, and what comes of it is not known yet.
    Asked(Untrusted),
    /// It was not done and never will be: `resolve`, `undo` ... The decision was taken back.
    TakenBack {
        verb: String,
        why: Untrusted,
    },
    /// It failed so far, and will be tried again then; what was sent may have been done all the same.
    Retrying {
        sent: bool,
        why: Untrusted,
        at: DateTime<Utc>,
    },
    NeedsHuman(Untrusted),
}
