//! What was seen of Stripe, without judgement.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};

use super::{
    Mode, Reach, audit,
    client::Notices,
    endpoint::Endpoint,
    event::Event,
    invoice::Invoice,
    standing::{Balance, Dispute, Payout},
    walk::Walk,
    why::Why,
};
use crate::{baseline::Baselines, checks::Earlier, report::Unknown};

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
    pub audit: Option<audit::Compared>,
    /// What the last looks left open.
    pub earlier: Arc<Vec<Earlier>>,
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
    /// How far back it was looked at; none if it was not.
    pub reach: Option<Reach>,
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
    /// Of the time before: what nobody has dealt with yet, and from which is learned what is normal.
    pub earlier: Vec<Event>,
    /// Why not all was read of the time before that somebody still has to deal with.
    pub gaps: Vec<Unknown>,
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
    /// Since when those were asked for.
    pub sent_since: Option<DateTime<Utc>>,
    pub again: Again,
    /// Why some of them failed, by id, where that was asked.
    pub why: BTreeMap<String, Why>,
}

impl Invoices {
    /// Those of the lists.
    pub fn listed(&self) -> impl Iterator<Item = &Invoice> {
        let lists = [&self.open, &self.uncollectible, &self.drafts];
        lists.into_iter().flat_map(|list| &list.items)
    }

    /// Those of the lists, and those that were read one by one.
    pub fn all(&self) -> impl Iterator<Item = &Invoice> {
        self.listed().chain(&self.again.invoices)
    }

    /// What was finalised from then on is known to have been sent or not; none where not all was read.
    pub fn sent_known_since(&self) -> Option<DateTime<Utc>> {
        let sent = self.sent.as_ref().filter(|walk| walk.is_whole());
        sent.and(self.sent_since)
    }

    /// Whether that one waits for its customer, and nobody can tell any more whether it was ever sent.
    pub fn may_be_unsent(&self, id: &str) -> bool {
        let told = self.sent.iter().flat_map(|walk| &walk.items);
        let mut told = told.filter_map(|event| event.object.as_deref());
        let known = self.sent_known_since();
        let is_known = |at: DateTime<Utc>| known.is_some_and(|known| at >= known);
        let mut open = self.all().filter(|it| it.id == id && it.status == "open");
        open.any(|it| it.is_sent_by_mail() && !it.finalized_at.is_some_and(is_known))
            && !told.any(|sent| sent == id)
    }
}

/// Invoices that earlier looks left open and that no list holds any more, read one by one.
#[derive(Debug, Default)]
pub struct Again {
    pub invoices: Vec<Invoice>,
    /// Ids of those that Stripe doesn't have any more.
    pub gone: Vec<String>,
    pub unread: BTreeMap<String, Unknown>,
}

impl Again {
    /// Whether Stripe has told how that one stands.
    pub fn answers(&self, id: &str) -> bool {
        self.gone.iter().any(|gone| gone == id) || self.invoices.iter().any(|it| it.id == id)
    }
}
