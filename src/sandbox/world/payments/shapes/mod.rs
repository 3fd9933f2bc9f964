//! The objects of the description in Stripe's JSON, as of API version 2026-10-28.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    Balance, Customer, Dispute, Endpoint, Payout, attempt::Decline, books::Books,
    course::Happening, payment::own_part,
};

mod invoice;
mod older;
mod payment;

pub(super) use invoice::{invoice, invoice_payment};
pub(super) use older::{is_older, older};
pub(super) use payment::{charge, decline_error, payment_intent};

/// The fields of all these objects in one.
fn merged<const N: usize>(parts: [Value; N]) -> Value {
    let mut all = Map::new();
    for part in parts {
        if let Value::Object(fields) = part {
            all.extend(fields);
        }
    }
    Value::Object(all)
}

/// An id that looks like one of Stripe's, always the same for the same seed.
pub(in crate::sandbox::world::payments) fn minted(prefix: &str, seed: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = Sha256::digest(seed.as_bytes());
    let digits = digest.iter().take(23);
    let own = digits.map(|byte| char::from(DIGITS[usize::from(*byte) % DIGITS.len()]));
    prefix.chars().chain(own).collect()
}

fn no_address() -> Value {
    json!({"city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null})
}

pub(super) fn epoch(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| at.timestamp().into())
}

pub(super) fn event(books: &Books, event: &Happening<'_>, now: DateTime<Utc>) -> Value {
    let told = event.told();
    let shown = json!({
        "id": event.id,
        "object": "event",
        "api_version": super::VERSION,
        "created": event.at.timestamp(),
        "data": {"object": event.object(books)},
        "livemode": books.livemode,
        "pending_webhooks": books.pending(event.parcel(), told, now),
        "request": {"id": null, "idempotency_key": null},
        "type": event.kind,
    });
    match told.and_then(|event| event.account.as_ref()) {
        Some(account) => merged([shown, json!({"account": account})]),
        None => shown,
    }
}

pub(super) fn customer(books: &Books, customer: &Customer) -> Value {
    if customer.is_deleted {
        return json!({"id": customer.id, "object": "customer", "deleted": true});
    }
    let method = customer.card.as_ref().map(|_| method_of(&customer.id));
    json!({
        "id": customer.id,
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": customer.created.timestamp(),
        "currency": customer.currency,
        "default_source": null,
        "delinquent": false,
        "description": null,
        "email": customer.email,
        "invoice_prefix": own_part(&customer.id).to_uppercase(),
        "invoice_settings": {
            "custom_fields": null,
            "default_payment_method": method,
            "footer": null,
            "rendering_options": null,
        },
        "livemode": books.livemode,
        "metadata": {},
        "name": customer.name,
        "next_invoice_sequence": 1,
        "phone": null,
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": null,
    })
}

/// The id of the card that is kept with a customer.
pub(super) fn method_of(customer: &str) -> String {
    minted("pm_1", customer)
}

pub(super) fn endpoint(books: &Books, endpoint: &Endpoint, now: DateTime<Utc>) -> Value {
    let is_disabled = endpoint.disabled.is_some_and(|since| since <= now);
    json!({
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "api_version": endpoint.api_version,
        "application": null,
        "created": endpoint.created.timestamp(),
        "description": endpoint.description,
        "enabled_events": endpoint.types,
        "livemode": books.livemode,
        "metadata": {},
        "status": if is_disabled { "disabled" } else { "enabled" },
        "url": endpoint.url,
    })
}

pub(super) fn dispute(books: &Books, dispute: &Dispute, now: DateTime<Utc>) -> Value {
    let is_answered = dispute.is_answered(now);
    let is_past_due = !is_answered && dispute.due.is_some_and(|due| due <= now);
    json!({
        "id": dispute.id,
        "object": "dispute",
        "amount": dispute.amount,
        "balance_transactions": [],
        "charge": dispute.charge,
        "created": dispute.created.timestamp(),
        "currency": dispute.currency,
        "enhanced_eligibility_types": [],
        "evidence": {"access_activity_log": null, "uncategorized_text": null},
        "evidence_details": {
            "due_by": epoch(dispute.due),
            "enhanced_eligibility": {},
            "has_evidence": is_answered,
            "past_due": is_past_due,
            "submission_count": u8::from(is_answered),
        },
        "is_charge_refundable": dispute.is_inquiry,
        "livemode": books.livemode,
        "metadata": {},
        "payment_intent": dispute.payment,
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": if dispute.is_inquiry { "inquiry" } else { "chargeback" },
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": dispute.reason,
        "status": dispute.status(now),
    })
}

pub(super) fn payout(books: &Books, payout: &Payout, now: DateTime<Utc>) -> Value {
    let status = payout.status(now);
    let failure = payout.failure.as_deref().filter(|_| status == "failed");
    let message = failure.map(|code| match code {
        "account_closed" => "The bank account has been closed.",
        "insufficient_funds" => "Your Stripe account has insufficient funds to cover the payout.",
        _ => "The bank could not process this transfer.",
    });
    json!({
        "id": payout.id,
        "object": "payout",
        "amount": payout.amount,
        "application_fee": null,
        "application_fee_amount": null,
        "arrival_date": payout.arrival.timestamp(),
        "automatic": true,
        "balance_transaction": minted("txn_1", &payout.id),
        "created": payout.created.timestamp(),
        "currency": payout.currency,
        "description": "STRIPE PAYOUT",
        "destination": minted("ba_1", "the account's bank"),
        "failure_balance_transaction": failure.map(|_| minted("txn_2", &payout.id)),
        "failure_code": failure,
        "failure_message": message,
        "livemode": books.livemode,
        "metadata": {},
        "method": "standard",
        "original_payout": null,
        "payout_method": null,
        "reconciliation_status": "in_progress",
        "reversed_by": null,
        "source_type": "card",
        "statement_descriptor": null,
        "status": status,
        "trace_id": null,
        "type": "bank_account",
    })
}

pub(super) fn balance(books: &Books) -> Value {
    let amounts = |amount: fn(&Balance) -> i64| -> Vec<Value> {
        let one = |it: &Balance| json!({"amount": amount(it), "currency": it.currency, "source_types": {"card": amount(it)}});
        books.balance.iter().map(one).collect()
    };
    json!({
        "object": "balance",
        "available": amounts(|it| it.available),
        "livemode": books.livemode,
        "pending": amounts(|it| it.pending),
    })
}

/// Where an error code is explained.
pub(super) fn doc_url(code: &str) -> String {
    format!(
        "https://docs.stripe.com/error-codes/{}",
        code.replace('_', "-")
    )
}

fn explained(decline: &Decline<'_>) -> String {
    doc_url(decline.code)
}
