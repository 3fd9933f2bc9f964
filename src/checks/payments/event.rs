//! An event as Stripe tells it, and the failure that it may tell of. Pure.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{money::Money, read, why::intent};
use crate::text::Untrusted;

/// One event; its object has the shape of the API version of that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `evt_..`.
    pub id: String,
    /// `invoice.payment_failed`; empty if Stripe said none.
    pub kind: String,
    pub created: Option<DateTime<Utc>>,
    /// The endpoints that have not got it yet.
    pub pending_webhooks: Option<u64>,
    /// The id of what it is about.
    pub object: Option<String>,
    /// The payment behind an invoice, where the account's API version still names it.
    pub payment: Option<String>,
    /// For an event that tells of a failure.
    pub fault: Option<Fault>,
}

/// What failed, as an event tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The payment intent, the charge or the invoice: what is counted once, however often it failed.
    pub payment: String,
    /// The charge that failed, where one is named.
    pub charge: Option<String>,
    pub invoice: Option<String>,
    /// `cus_..`.
    pub customer: Option<String>,
    pub amount: Option<Money>,
    /// The issuer's reason, or Stripe's own code: `insufficient_funds`, `card_declined`.
    pub code: Option<String>,
    pub message: Option<Untrusted>,
}

impl Event {
    /// Reads an item; none if it has no id.
    pub fn read(item: &Value) -> Option<Self> {
        let kind = read::word(&item["type"]).unwrap_or_default();
        let object = &item["data"]["object"];
        Some(Self {
            id: read::id(&item["id"])?,
            created: read::time(&item["created"]),
            pending_webhooks: item["pending_webhooks"].as_u64(),
            object: read::id(&object["id"]),
            payment: read::id(intent(object)).filter(|_| kind.starts_with("invoice.")),
            fault: Fault::read(&kind, object),
            kind,
        })
    }
}

impl Fault {
    fn read(kind: &str, object: &Value) -> Option<Self> {
        match kind {
            "payment_intent.payment_failed" => Self::of_intent(object),
            "charge.failed" => Self::of_charge(object),
            _ => None,
        }
    }

    fn of_intent(intent: &Value) -> Option<Self> {
        let error = &intent["last_payment_error"];
        let charge = read::id(&intent["latest_charge"]).or_else(|| read::id(&error["charge"]));
        Some(Self {
            payment: read::id(&intent["id"])?,
            charge,
            invoice: read::id(&intent["invoice"]),
            customer: customer(intent),
            amount: read::money(&intent["amount"], &intent["currency"]),
            code: first_word([&error["decline_code"], &error["code"], &error["type"]]),
            message: read::line(&error["message"]),
        })
    }

    fn of_charge(charge: &Value) -> Option<Self> {
        let id = read::id(&charge["id"])?;
        let outcome = &charge["outcome"];
        Some(Self {
            payment: read::id(&charge["payment_intent"]).unwrap_or_else(|| id.clone()),
            charge: Some(id),
            invoice: read::id(&charge["invoice"]),
            customer: customer(charge),
            amount: read::money(&charge["amount"], &charge["currency"]),
            code: first_word([
                &outcome["reason"],
                &charge["failure_code"],
                &outcome["type"],
            ]),
            message: read::line(&charge["failure_message"])
                .or_else(|| read::line(&outcome["seller_message"])),
        })
    }
}

/// Newer accounts have customers under another name.
fn customer(object: &Value) -> Option<String> {
    read::id(&object["customer"]).or_else(|| read::id(&object["customer_account"]))
}

fn first_word<const N: usize>(values: [&Value; N]) -> Option<String> {
    values.into_iter().find_map(read::word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failed_payment_is_read_from_its_intent_and_from_its_charge() {
        let intent = Event::read(&json!({
            "id": "evt_1", "type": "payment_intent.payment_failed", "created": 1_795_338_000, "pending_webhooks": 1,
            "data": {"object": {"id": "pi_1", "amount": 490_000, "currency": "eur", "customer": "cus_1", "latest_charge": "ch_1",
                "last_payment_error": {"code": "card_declined", "decline_code": "insufficient_funds", "message": "Your card has insufficient funds.", "type": "card_error"}}}
        }))
        .unwrap();
        let charge = Event::read(&json!({
            "id": "evt_2", "type": "charge.failed", "created": 1_795_338_000,
            "data": {"object": {"id": "ch_1", "payment_intent": "pi_1", "amount": 490_000, "currency": "eur", "customer": {"id": "cus_1"},
                "failure_code": "card_declined", "failure_message": "Your card has insufficient funds.", "outcome": {"reason": "insufficient_funds", "type": "issuer_declined"}}}
        }))
        .unwrap();
        assert_eq!(intent.fault, charge.fault);
        let fault = intent.fault.unwrap();
        assert_eq!(fault.code.as_deref(), Some("insufficient_funds"));
        assert_eq!(fault.amount.unwrap().to_string(), "€4,900.00");
    }

    #[test]
    fn nulls_and_new_words_are_let_pass() {
        let bare = json!({"id": "evt_1", "type": null, "created": null, "pending_webhooks": null, "data": {"object": null}});
        assert!(Event::read(&bare).unwrap().fault.is_none());
        let odd = json!({"id": "evt_1", "type": "payment_intent.payment_failed", "data": {"object": {"id": "pi_1", "last_payment_error": null}}});
        let fault = Event::read(&odd).unwrap().fault.unwrap();
        assert_eq!((fault.code, fault.amount), (None, None));
        assert_eq!(Event::read(&json!({"type": "charge.failed"})), None);
        assert_eq!(Event::read(&json!({"id": "evt/../x"})), None);
    }
}
