//! What was seen of Stripe, without judgement.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Mode, audit,
    client::Notices,
    endpoint::Endpoint,
    event::Event,
    invoice::Invoice,
    standing::{Balance, Dispute, Payout},
    walk::Walk,
};
use crate::{baseline::Baselines, report::Unknown};

/// What was seen of Stripe.
#[derive(Debug, Default)]
pub struct Observation {
    /// The world that the key's own prefix tells.
    pub key: Option<Mode>,
    /// The key's own account first.
    pub accounts: Vec<Seen>,
    pub notices: Notices,
    /// What was counted on earlier days.
    pub baselines: Arc<Baselines>,
    /// The user's own records compared with the invoices of the key's own account; none if that was not asked for.
    pub audit: Option<audit::Seen>,
    /// If only that was looked at which happened since then.
    pub since: Option<DateTime<Utc>>,
}

/// What was seen of one account.
#[derive(Debug, Default)]
pub struct Seen {
    /// `acct_..`; none for the key's own.
    pub account: Option<String>,
    /// Why nothing else was asked.
    pub barred: Option<Unknown>,
    pub balance: Option<Result<Balance, Unknown>>,
    pub undelivered: Walk<Event>,
    /// The newest page of delivered events, since the oldest that should have been; none if nothing is overdue.
    pub delivered: Option<Result<Vec<Event>, Unknown>>,
    pub endpoints: Walk<Endpoint>,
    pub failures: Failures,
    pub invoices: Invoices,
    pub disputes: Walk<Dispute>,
    pub payouts: Walk<Payout>,
    /// What was read instead of all that, where only the time since something was asked for.
    pub news: News,
}

/// Events that tell of failures.
#[derive(Debug, Default)]
pub struct Failures {
    /// Of the time that is judged.
    pub walk: Walk<Event>,
    /// Of the days before, from which is learned what is normal.
    pub earlier: Vec<Event>,
    /// From here on, all of them were read.
    pub complete_since: Option<DateTime<Utc>>,
}

/// What failed since a time, as events tell it.
#[derive(Debug, Default)]
pub struct News {
    pub events: Walk<Event>,
    pub invoices: Vec<Invoice>,
    pub disputes: Vec<Dispute>,
    pub payouts: Vec<Payout>,
}

/// Invoices by what Stripe holds them for.
#[derive(Debug, Default)]
pub struct Invoices {
    pub open: Walk<Invoice>,
    pub uncollectible: Walk<Invoice>,
    pub drafts: Walk<Invoice>,
    /// Events that tell of invoices sent by mail, since the oldest that may not have been; none if there is no such one.
    pub sent: Option<Walk<Event>>,
}
