//! How an account stands: its disputes, payouts and balance, as Stripe tells them. Pure.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    money::{Currency, Money},
    read,
};
use crate::text::Untrusted;

/// A customer's objection to a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// `dp_..`, or `du_..`.
    pub id: String,
    /// `needs_response`, `warning_needs_response`, `under_review`, `won` ...; empty if Stripe said none.
    pub status: String,
    pub reason: Option<String>,
    pub amount: Option<Money>,
    pub created: Option<DateTime<Utc>>,
    pub due_by: Option<DateTime<Utc>>,
    pub has_evidence: bool,
    /// Stripe says that the time to answer is over.
    pub past_due: bool,
    pub charge: Option<String>,
}

impl Dispute {
    /// Reads an item; none if it has no id.
    pub fn read(item: &Value) -> Option<Self> {
        let details = &item["evidence_details"];
        Some(Self {
            id: read::id(&item["id"])?,
            status: read::word(&item["status"]).unwrap_or_default(),
            reason: read::word(&item["reason"]),
            amount: read::money(&item["amount"], &item["currency"]),
            created: read::time(&item["created"]),
            due_by: read::time(&details["due_by"]),
            has_evidence: details["has_evidence"].as_bool().unwrap_or(false),
            past_due: details["past_due"].as_bool().unwrap_or(false),
            charge: read::id(&item["charge"]),
        })
    }

    /// Whether the account has something to do; what has none that is known may have.
    pub fn needs_response(&self) -> bool {
        !matches!(
            self.status.as_str(),
            "under_review"
                | "warning_under_review"
                | "warning_closed"
                | "won"
                | "lost"
                | "prevented"
                | "charge_refunded"
        )
    }
}

/// Money on its way to the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// `po_..`.
    pub id: String,
    pub amount: Option<Money>,
    pub created: Option<DateTime<Utc>>,
    pub status: String,
    /// `account_closed`, `could_not_process` ...
    pub failure_code: Option<String>,
    pub failure_message: Option<Untrusted>,
    pub automatic: bool,
}

impl Payout {
    /// Reads an item; none if it has no id.
    pub fn read(item: &Value) -> Option<Self> {
        Some(Self {
            id: read::id(&item["id"])?,
            amount: read::money(&item["amount"], &item["currency"]),
            created: read::time(&item["created"]),
            status: read::word(&item["status"]).unwrap_or_default(),
            failure_code: read::word(&item["failure_code"]),
            failure_message: read::line(&item["failure_message"]),
            automatic: item["automatic"].as_bool().unwrap_or(false),
        })
    }
}

/// What an account could pay out now, and what is on its way to it; by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    pub available: Vec<Money>,
    pub pending: Vec<Money>,
}

impl Balance {
    /// None if it is not what Stripe documents, or an amount in it can't be read.
    pub fn read(answer: &Value) -> Option<Self> {
        if answer["object"] != "balance" {
            return None;
        }
        let part = |name: &str| -> Option<Vec<Money>> {
            let amounts = answer[name].as_array()?;
            amounts
                .iter()
                .map(|item| read::money(&item["amount"], &item["currency"]))
                .collect()
        };
        Some(Self {
            available: part("available")?,
            pending: part("pending")?,
        })
    }

    pub fn pending_in(&self, currency: Currency) -> Option<Money> {
        self.pending
            .iter()
            .find(|money| money.currency == currency)
            .copied()
    }
}
