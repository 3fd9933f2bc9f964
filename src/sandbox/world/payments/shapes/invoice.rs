//! An invoice, and what ties it to its payment.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{epoch, merged, minted, no_address};
use crate::sandbox::world::payments::{
    Invoice, Payment,
    books::Books,
    invoice::{Collection, End, Standing},
    payment::own_part,
};

/// Without `payments`, which is there only when it is asked for.
pub(in crate::sandbox::world::payments) fn invoice(
    books: &Books,
    invoice: &Invoice,
    now: DateTime<Utc>,
) -> Value {
    let standing = invoice.standing(books, now);
    merged([
        amounts(invoice, &standing),
        collecting(invoice, &standing, now),
        of_customer(books, invoice),
        of_document(books, invoice, &standing),
        lines(books, invoice),
    ])
}

fn amounts(invoice: &Invoice, standing: &Standing) -> Value {
    let paid = match standing.status {
        "paid" => invoice.amount,
        _ => invoice.paid_before,
    };
    json!({
        "amount_due": invoice.amount,
        "amount_overpaid": 0,
        "amount_paid": paid,
        "amount_remaining": invoice.amount - paid,
        "amount_shipping": 0,
        "currency": invoice.currency,
        "discounts": [],
        "ending_balance": standing.finalized.map(|_| 0),
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "shipping_cost": null,
        "starting_balance": 0,
        "subtotal": invoice.amount,
        "subtotal_excluding_tax": invoice.amount,
        "total": invoice.amount,
        "total_discount_amounts": [],
        "total_excluding_tax": invoice.amount,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    })
}

fn collecting(invoice: &Invoice, standing: &Standing, now: DateTime<Utc>) -> Value {
    let (method, due) = match &invoice.collection {
        Collection::Automatic => ("charge_automatically", None),
        Collection::Mail { due, .. } => ("send_invoice", Some(*due)),
    };
    let ended_as = |end| {
        standing
            .ended
            .filter(|(_, it)| *it == end)
            .map(|(at, _)| at)
    };
    let next = standing.course.next.filter(|_| standing.status == "open");
    let error = invoice.finalization_error.as_ref();
    let error = error.filter(|_| now >= invoice.created + chrono::TimeDelta::hours(1));
    let is_to_come = invoice.auto_advance && error.is_none() && standing.finalized.is_none();
    json!({
        "attempt_count": standing.attempt_count(),
        "attempted": !standing.course.made.is_empty(),
        "auto_advance": invoice.auto_advance && matches!(standing.status, "draft" | "open"),
        "automatically_finalizes_at": is_to_come.then(|| (invoice.created + chrono::TimeDelta::hours(1)).timestamp()),
        "billing_reason": invoice.billing_reason,
        "collection_method": method,
        "due_date": epoch(due),
        "effective_at": epoch(standing.finalized),
        "last_finalization_error": error.map(|code| json!({
            "code": code,
            "doc_url": super::doc_url(code),
            "message": "The invoice could not be finalized automatically.",
            "type": "invalid_request_error",
        })),
        "next_payment_attempt": epoch(next),
        "payment_settings": {"default_mandate": null, "payment_method_options": null, "payment_method_types": null},
        "status": standing.status,
        "status_transitions": {
            "finalized_at": epoch(standing.finalized),
            "marked_uncollectible_at": epoch(ended_as(End::Uncollectible)),
            "paid_at": epoch(invoice.paid_at(standing)),
            "voided_at": epoch(ended_as(End::Void)),
        },
        "webhooks_delivered_at": invoice.created.timestamp(),
    })
}

fn of_customer(books: &Books, invoice: &Invoice) -> Value {
    let customer = books.customer_of(&invoice.customer);
    json!({
        "customer": invoice.customer,
        "customer_account": null,
        "customer_address": no_address(),
        "customer_email": customer.and_then(|it| it.email.as_ref()),
        "customer_name": customer.and_then(|it| it.name.as_ref()),
        "customer_phone": null,
        "customer_shipping": null,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
    })
}

fn of_document(books: &Books, invoice: &Invoice, standing: &Standing) -> Value {
    let own = own_part(&invoice.id);
    let page = standing.finalized.map(|_| {
        let mode = if books.livemode { "live" } else { "test" };
        format!("https://invoice.stripe.com/i/acct_1Acme/{mode}_{own}?s=ap")
    });
    let number = invoice
        .number
        .clone()
        .or_else(|| Some(minted("", own).get(..8)?.to_uppercase() + "-0001"));
    let parent = invoice.subscription.as_ref().map(|subscription| {
        json!({
            "quote_details": null,
            "subscription_details": {"metadata": {}, "subscription": subscription},
            "type": "subscription_details",
        })
    });
    json!({
        "id": invoice.id,
        "object": "invoice",
        "account_country": "DE",
        "account_name": "Acme",
        "account_tax_ids": null,
        "application": null,
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null, "provider": null, "status": null},
        "created": invoice.created.timestamp(),
        "custom_fields": null,
        "default_payment_method": invoice.means,
        "default_source": null,
        "default_tax_rates": [],
        "description": null,
        "footer": null,
        "from_invoice": null,
        "hosted_invoice_url": page,
        "invoice_pdf": page.as_ref().map(|page| page.replace("?s=ap", "/pdf?s=ap")),
        "issuer": {"type": "self"},
        "latest_revision": null,
        "livemode": books.livemode,
        "metadata": {},
        "number": number.filter(|_| standing.finalized.is_some()),
        "on_behalf_of": null,
        "parent": parent,
        "period_end": invoice.created.timestamp(),
        "period_start": (invoice.created - chrono::TimeDelta::days(30)).timestamp(),
        "receipt_number": null,
        "rendering": null,
        "shipping_details": null,
        "statement_descriptor": null,
        "test_clock": null,
    })
}

fn lines(books: &Books, invoice: &Invoice) -> Value {
    let line = json!({
        "id": minted("il_1", &invoice.id),
        "object": "line_item",
        "amount": invoice.amount,
        "currency": invoice.currency,
        "description": "1 × Team plan",
        "discountable": true,
        "discounts": [],
        "invoice": invoice.id,
        "livemode": books.livemode,
        "metadata": {},
        "quantity": 1,
        "subscription": invoice.subscription,
    });
    let url = format!("/v1/invoices/{}/lines", invoice.id);
    json!({"lines": {"object": "list", "data": [line], "has_more": false, "total_count": 1, "url": url}})
}

/// None: there is nothing to pay, or not yet.
pub(in crate::sandbox::world::payments) fn invoice_payment(
    books: &Books,
    invoice: &Invoice,
    now: DateTime<Utc>,
) -> Option<Value> {
    let payment = Payment::of_invoice(invoice).filter(|payment| payment.created <= now)?;
    let standing = invoice.standing(books, now);
    let paid = standing.course.paid_at();
    let status = match standing.status {
        _ if paid.is_some() => "paid",
        "open" | "uncollectible" => "open",
        _ => "canceled",
    };
    let canceled = standing.ended.filter(|_| status == "canceled");
    Some(json!({
        "id": format!("inpay_{}", own_part(&invoice.id)),
        "object": "invoice_payment",
        "amount_paid": paid.map(|_| payment.amount),
        "amount_requested": payment.amount,
        "created": payment.created.timestamp(),
        "currency": payment.currency,
        "invoice": invoice.id,
        "is_default": true,
        "livemode": books.livemode,
        "payment": {"payment_intent": payment.id, "type": "payment_intent"},
        "status": status,
        "status_transitions": {"canceled_at": epoch(canceled.map(|(at, _)| at)), "paid_at": epoch(paid)},
    }))
}
