//! An invoice as Stripe tells it. Pure.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{money::Money, read};
use crate::text::Untrusted;

/// One invoice; what Stripe left out or wrote in new words is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invoice {
    /// `in_..`.
    pub id: String,
    /// As the customer knows it: `7FE1103-0007`.
    pub number: Option<Untrusted>,
    /// `draft`, `open`, `paid`, `uncollectible`, `void`; empty if Stripe said none.
    pub status: String,
    /// `charge_automatically` or `send_invoice`.
    pub collection_method: Option<String>,
    /// `cus_..`.
    pub customer: Option<String>,
    /// Without an e-mail address.
    pub customer_name: Option<Untrusted>,
    pub due: Option<Money>,
    pub remaining: Option<Money>,
    pub attempt_count: u64,
    pub attempted: bool,
    pub auto_advance: bool,
    pub next_payment_attempt: Option<DateTime<Utc>>,
    pub created: Option<DateTime<Utc>>,
    pub due_date: Option<DateTime<Utc>>,
    pub finalized_at: Option<DateTime<Utc>>,
    pub marked_uncollectible_at: Option<DateTime<Utc>>,
    /// When Stripe means to finalise a draft by itself.
    pub automatically_finalizes_at: Option<DateTime<Utc>>,
    /// Why it could not be finalised.
    pub last_finalization_error: Option<Untrusted>,
    /// `subscription_cycle`, `manual` ...
    pub billing_reason: Option<String>,
    /// `sub_..`.
    pub subscription: Option<String>,
}

impl Invoice {
    /// Reads an item; none if it has no id.
    pub fn read(item: &Value) -> Option<Self> {
        let currency = &item["currency"];
        let transitions = &item["status_transitions"];
        let parent = &item["parent"]["subscription_details"];
        let subscription =
            read::id(&parent["subscription"]).or_else(|| read::id(&item["subscription"]));
        Some(Self {
            id: read::id(&item["id"])?,
            number: read::line(&item["number"]),
            status: read::word(&item["status"]).unwrap_or_default(),
            collection_method: read::word(&item["collection_method"]),
            customer: read::id(&item["customer"]).or_else(|| read::id(&item["customer_account"])),
            customer_name: read::line(&item["customer_name"]),
            due: read::money(&item["amount_due"], currency),
            remaining: read::money(&item["amount_remaining"], currency),
            attempt_count: item["attempt_count"].as_u64().unwrap_or(0),
            attempted: item["attempted"].as_bool().unwrap_or(false),
            auto_advance: item["auto_advance"].as_bool().unwrap_or(false),
            next_payment_attempt: read::time(&item["next_payment_attempt"]),
            created: read::time(&item["created"]),
            due_date: read::time(&item["due_date"]),
            finalized_at: read::time(&transitions["finalized_at"]),
            marked_uncollectible_at: read::time(&transitions["marked_uncollectible_at"]),
            automatically_finalizes_at: read::time(&item["automatically_finalizes_at"]),
            last_finalization_error: finalization_error(&item["last_finalization_error"]),
            billing_reason: read::word(&item["billing_reason"]),
            subscription,
        })
    }

    /// What is still to be paid; all of it where Stripe doesn't say how much is left.
    pub fn owed(&self) -> Option<Money> {
        self.remaining.or(self.due)
    }

    /// The customer's name, else the id; the name is somebody else's words.
    pub fn payer(&self) -> Untrusted {
        let id = self.customer.as_deref();
        match (&self.customer_name, id) {
            (Some(name), _) => name.clone(),
            (None, Some(id)) => id.into(),
            (None, None) => "a customer without a name".into(),
        }
    }

    pub fn is_sent_by_mail(&self) -> bool {
        self.collection_method.as_deref() == Some("send_invoice")
    }
}

fn finalization_error(error: &Value) -> Option<Untrusted> {
    if !error.is_object() {
        return None;
    }
    let said = read::line(&error["message"]).or_else(|| {
        let word = read::word(&error["code"]).or_else(|| read::word(&error["type"]))?;
        Some(Untrusted::from(word))
    });
    Some(said.unwrap_or_else(|| Untrusted::from("Stripe doesn't say why")))
}
