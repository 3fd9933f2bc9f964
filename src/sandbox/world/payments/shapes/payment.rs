//! A payment, its charges, and how a declined one is told.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{explained, merged, method_of, minted, no_address};
use crate::sandbox::world::payments::{
    Charge, Outcome, Payment, attempt::Decline, books::Books, payment::own_part,
};

pub(in crate::sandbox::world::payments) fn payment_intent(
    books: &Books,
    payment: &Payment,
    now: DateTime<Utc>,
) -> Value {
    let course = books.course(&payment.attempts, now);
    let last = course.last().map(|attempt| &attempt.outcome);
    let latest = course
        .made
        .iter()
        .rposition(|it| it.outcome != Outcome::NeedsAction);
    let latest = latest.map(|place| payment.charge_id(place));
    let (status, error) = match last {
        Some(Outcome::Succeeds) => ("succeeded", None),
        Some(Outcome::NeedsAction) => ("requires_action", None),
        Some(Outcome::Debited { .. }) => ("processing", None),
        Some(Outcome::Declined(code)) => {
            let error = decline_error(books, payment, code, latest.as_deref());
            ("requires_payment_method", Some(error))
        }
        None => ("requires_confirmation", None),
    };
    let received = if status == "succeeded" {
        payment.amount
    } else {
        0
    };
    let next = (status == "requires_action")
        .then(|| json!({"type": "use_stripe_sdk", "use_stripe_sdk": {}}));
    let method = payment
        .customer
        .as_deref()
        .filter(|_| error.is_none())
        .map(method_of);
    let identity = json!({
        "id": payment.id,
        "object": "payment_intent",
        "amount": payment.amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": received,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": null,
        "canceled_at": null,
        "cancellation_reason": null,
        "capture_method": "automatic",
        "client_secret": format!("{}_secret_{}", payment.id, minted("", &payment.id)),
        "confirmation_method": "automatic",
        "created": payment.created.timestamp(),
        "currency": payment.currency,
        "customer": payment.customer,
        "customer_account": null,
        "description": payment.description,
        "excluded_payment_method_types": null,
    });
    let rest = json!({
        "last_payment_error": error,
        "latest_charge": latest,
        "livemode": books.livemode,
        "metadata": {},
        "next_action": next,
        "on_behalf_of": null,
        "payment_method": method,
        "payment_method_configuration_details": null,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": null,
        "receipt_email": null,
        "review": null,
        "setup_future_usage": null,
        "shipping": null,
        "source": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": status,
        "transfer_data": null,
        "transfer_group": null,
    });
    merged([identity, rest])
}

/// As in `last_payment_error` and in the answer 402.
pub(in crate::sandbox::world::payments) fn decline_error(
    books: &Books,
    payment: &Payment,
    code: &str,
    charge: Option<&str>,
) -> Value {
    let decline = Decline::of(code);
    let error = json!({
        "advice_code": decline.advice,
        "charge": charge,
        "code": decline.code,
        "doc_url": explained(&decline),
        "message": decline.message,
        "payment_method": payment.customer.as_deref().map(|customer| method(books, customer)),
        "type": "card_error",
    });
    match decline.decline_code {
        Some(decline_code) => merged([error, json!({"decline_code": decline_code})]),
        None => error,
    }
}

fn method(books: &Books, customer: &str) -> Value {
    json!({
        "id": method_of(customer),
        "object": "payment_method",
        "card": card(books, Some(customer)),
        "customer": customer,
        "livemode": books.livemode,
        "type": "card",
    })
}

fn card(books: &Books, customer: Option<&str>) -> Value {
    let card = customer.and_then(|id| books.customer_of(id)?.card.as_ref());
    let (brand, last4) = card.map_or(("visa", "4242"), |card| (card.brand, card.last4.as_str()));
    json!({
        "brand": brand,
        "checks": {"address_line1_check": null, "address_postal_code_check": null, "cvc_check": null},
        "country": "DE",
        "exp_month": 8,
        "exp_year": 2030,
        "fingerprint": minted("", customer.unwrap_or_default()).get(..16),
        "funding": "credit",
        "last4": last4,
        "network": brand,
        "wallet": null,
    })
}

pub(in crate::sandbox::world::payments) fn charge(books: &Books, charge: &Charge) -> Value {
    let payment = &charge.payment;
    let code = match &charge.outcome {
        Outcome::Declined(code) => Some(code.as_str()),
        _ => None,
    };
    let customer = payment.customer.as_deref();
    let known = customer.and_then(|id| books.customer_of(id));
    let captured = if code.is_none() { payment.amount } else { 0 };
    let (status, is_paid) = match (code, charge.outcome.is_pending()) {
        (Some(_), _) => ("failed", false),
        (None, true) => ("pending", false),
        (None, false) => ("succeeded", true),
    };
    let identity = json!({
        "id": charge.id,
        "object": "charge",
        "amount": payment.amount,
        "amount_captured": captured,
        "amount_refunded": 0,
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": is_paid.then(|| minted("txn_3", &charge.id)),
        "billing_details": {
            "address": no_address(),
            "email": known.and_then(|it| it.email.as_ref()),
            "name": known.and_then(|it| it.name.as_ref()),
            "phone": null,
            "tax_id": null,
        },
        "calculated_statement_descriptor": "ACME",
        "captured": code.is_none(),
        "created": charge.at.timestamp(),
        "currency": payment.currency,
        "customer": customer,
        "description": payment.description,
        "disputed": books.disputes.iter().any(|dispute| dispute.charge == charge.id),
        "failure_balance_transaction": null,
    });
    let rest = json!({
        "fraud_details": {},
        "livemode": books.livemode,
        "metadata": {},
        "on_behalf_of": null,
        "paid": is_paid,
        "payment_intent": payment.id,
        "payment_method": customer.map(method_of),
        "payment_method_details": {"card": card(books, customer), "type": "card"},
        "receipt_email": null,
        "receipt_number": null,
        "receipt_url": is_paid.then(|| format!("https://pay.stripe.com/receipts/payment/{}", own_part(&charge.id))),
        "refunded": false,
        "review": null,
        "shipping": null,
        "source": null,
        "source_transfer": null,
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": status,
        "transfer_data": null,
        "transfer_group": null,
    });
    merged([identity, outcome(code), rest])
}

/// What the bank said of a charge.
fn outcome(code: Option<&str>) -> Value {
    let Some(code) = code else {
        let outcome = json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
            "seller_message": "Payment complete.", "type": "authorized",
        });
        return json!({"failure_code": null, "failure_message": null, "outcome": outcome});
    };
    let decline = Decline::of(code);
    let outcome = json!({
        "advice_code": decline.advice,
        "network_advice_code": null,
        "network_decline_code": if code == "insufficient_funds" { "51" } else { "05" },
        "network_status": "declined_by_network",
        "reason": code,
        "risk_level": "normal",
        "seller_message": format!("The bank returned the decline code `{code}`."),
        "type": "issuer_declined",
    });
    json!({"failure_code": decline.code, "failure_message": decline.message, "outcome": outcome})
}
