//! An invoice as it is now, with every try to collect it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::declines::Decline;
use crate::{
    checks::payments::{
        Invoice,
        client::{Stripe, is_missing},
        permission, read,
        why::intent,
    },
    report::{Cause, Unknown},
};

/// What was tried, and what of it is still under way.
#[derive(Clone, Debug)]
pub(super) struct Collected {
    pub invoice: Invoice,
    /// Newest first, at most a hundred.
    pub tries: Vec<Try>,
    /// Of the payment behind it: `requires_action`, `processing` ...
    pub payment: Option<String>,
    /// Whether the tries are all that there were, as far as Stripe's answers agree on it.
    pub are_tries_seen: bool,
}

/// One time that a card or a bank was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Try {
    /// `ch_..`.
    pub charge: String,
    pub at: Option<DateTime<Utc>>,
    /// `succeeded`, `pending` or `failed`.
    pub status: String,
    /// `pm_..`.
    pub method: Option<String>,
    pub decline: Decline,
}

impl Try {
    fn read(charge: &Value) -> Option<Self> {
        Some(Self {
            charge: read::id(&charge["id"])?,
            at: read::time(&charge["created"]),
            status: read::word(&charge["status"]).unwrap_or_default(),
            method: read::id(&charge["payment_method"]),
            decline: Decline::of_charge(charge),
        })
    }
}

/// None: Stripe has no such invoice.
pub(super) async fn collected(stripe: &Stripe<'_>, id: &str) -> Result<Option<Collected>, Unknown> {
    let expand = [("expand[]", "payments.data.payment.payment_intent")];
    let path = ["invoices", id];
    let answer = match stripe.one(&path, &expand, permission::INVOICES).await {
        // Before version 2025-03-31, an invoice names its payment itself, and there is nothing to expand.
        Err(failure) if failure.status() == Some(400) => {
            stripe.one(&path, &[], permission::INVOICES).await
        }
        other => other,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) if is_missing(&failure) => return Ok(None),
        Err(failure) => return Err(failure.into()),
    };
    let invoice = Invoice::read(&answer)
        .filter(|invoice| invoice.id == id)
        .ok_or_else(no_invoice)?;
    let intent = whole(stripe, intent(&answer)).await?;
    let (tries, are_all) = match read::id(&intent) {
        Some(intent) => tries(stripe, &intent).await?,
        None => (Vec::new(), true),
    };
    let is_tried = invoice.attempted || invoice.attempt_count > 0;
    let is_never_charged = intent.get("latest_charge").is_some_and(Value::is_null);
    Ok(Some(Collected {
        are_tries_seen: are_all && (!tries.is_empty() || !is_tried || is_never_charged),
        invoice,
        tries,
        payment: read::word(&intent["status"]),
    }))
}

/// Reads a payment of which only the id is told.
async fn whole(stripe: &Stripe<'_>, intent: &Value) -> Result<Value, Unknown> {
    match read::id(intent).filter(|_| intent.is_string()) {
        None => Ok(intent.clone()),
        Some(id) => {
            let path = ["payment_intents", &id];
            let answer = stripe.one(&path, &[], permission::PAYMENTS).await;
            Ok(answer?)
        }
    }
}

/// Newest first, and whether each of them could be read.
async fn tries(stripe: &Stripe<'_>, intent: &str) -> Result<(Vec<Try>, bool), Unknown> {
    let query = [("payment_intent", intent), ("limit", "100")];
    let page = stripe
        .page(&["charges"], &query, permission::CHARGES)
        .await?;
    let mut tries: Vec<Try> = page.items.iter().filter_map(Try::read).collect();
    tries.sort_by_key(|it| std::cmp::Reverse(it.at));
    let are_all = tries.len() == page.items.len();
    Ok((tries, are_all))
}

/// What would be charged now, by the order in which Stripe chooses
/// (docs.stripe.com/billing/revenue-recovery/smart-retries).
pub(super) async fn means(stripe: &Stripe<'_>, id: &str) -> Result<Option<String>, Unknown> {
    let expand = [
        ("expand[]", "customer"),
        ("expand[]", "parent.subscription_details.subscription"),
    ];
    let path = ["invoices", id];
    let invoice = stripe.one(&path, &expand, permission::CUSTOMERS).await?;
    let subscription = &invoice["parent"]["subscription_details"]["subscription"];
    let customer = &invoice["customer"];
    Ok([
        &invoice["default_payment_method"],
        &invoice["default_source"],
        &subscription["default_payment_method"],
        &subscription["default_source"],
        &customer["invoice_settings"]["default_payment_method"],
        &customer["default_source"],
    ]
    .into_iter()
    .find_map(read::id))
}

pub(super) fn no_invoice() -> Unknown {
    let reason = "Stripe's answer is not the invoice that was asked for; see whether `url` in [checks.payments] leads to Stripe itself";
    Unknown::new(Cause::Decode, reason)
}
