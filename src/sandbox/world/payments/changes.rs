//! What can be asked to be done.

use serde_json::{Value, json};

use super::{
    Account, Attempt, Charged, Invoice, Mailed, Outcome, Resent,
    books::Books,
    course::happenings,
    expand::expanded,
    invoice::{Collection, End},
    payment::Payment,
    read_invoices::find_invoice,
    refusal::{Answered, Refusal},
    routes::Call,
    shapes,
};

fn no_invoice(id: &str) -> Refusal {
    Refusal::missing(404, "invoice", id, "invoice")
}

/// Asks the customer's card for what is open.
pub(super) fn pay(account: &mut Account, call: &Call<'_>) -> Answered {
    let now = account.time.now();
    let is_elsewhere = call.request.boolean("paid_out_of_band")? == Some(true);
    call.request.boolean("off_session")?;
    let books = account.books(call);
    let invoice = find_invoice(books, &call.id, now).ok_or_else(|| no_invoice(&call.id))?;
    payable(books, invoice, account)?;
    let standing = invoice.standing(books, now);
    let outcome = match books.customer_of(&invoice.customer) {
        _ if is_elsewhere => None,
        Some(customer) => Some(charged(books, customer)?),
        None => {
            return Err(Refusal::missing(
                400,
                "customer",
                &invoice.customer,
                "customer",
            ));
        }
    };
    let charge = outcome.as_ref().map(|outcome| Charged {
        invoice: invoice.id.clone(),
        customer: invoice.customer.clone(),
        amount: invoice.amount - invoice.paid_before,
        currency: invoice.currency.clone(),
        outcome: outcome.clone(),
        idempotency_key: call.request.idempotency_key.clone(),
        at: now,
    });
    let number = standing.course.made.len();
    account.ledger.charged.extend(charge);
    let told = account.books_mut(call).invoice(&call.id);
    told.finalized.get_or_insert(now);
    match &outcome {
        Some(outcome) => told.attempts.push(Attempt {
            at: now,
            outcome: outcome.clone(),
            is_manual: true,
        }),
        None => told.end = Some((now, End::PaidElsewhere)),
    }
    let books = account.books(call);
    let invoice = find_invoice(books, &call.id, now).ok_or_else(|| no_invoice(&call.id))?;
    match outcome {
        Some(Outcome::Declined(code)) => Err(declined(books, invoice, &code, number)),
        Some(Outcome::NeedsAction) => Err(wants_action(invoice)),
        _ => expanded(books, shapes::invoice(books, invoice, now), call, now),
    }
}

/// What the card does now.
fn charged(books: &Books, customer: &super::Customer) -> Result<Outcome, Refusal> {
    let Some(card) = &customer.card else {
        let message = "This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.";
        return Err(Refusal::invalid(message).coded("resource_missing"));
    };
    Ok(match (&card.outcome, &books.declining) {
        (Outcome::Succeeds, Some(trouble)) => Outcome::Declined(trouble.code.clone()),
        (outcome, _) => outcome.clone(),
    })
}

fn payable(books: &Books, invoice: &Invoice, account: &Account) -> Result<(), Refusal> {
    let message = match invoice.standing(books, account.time.now()).status {
        "paid" => "Invoice is already paid",
        "void" => "Invoice is void and can no longer be paid",
        _ => return Ok(()),
    };
    Err(Refusal::invalid(message))
}

fn declined(books: &Books, invoice: &Invoice, code: &str, place: usize) -> Refusal {
    let Some(payment) = Payment::of_invoice(invoice) else {
        return Refusal::failed();
    };
    let charge = payment.charge_id(place);
    let mut refusal = Refusal::new(402, "card_error", "").kept();
    refusal.error = shapes::decline_error(books, &payment, code, Some(&charge));
    refusal
}

fn wants_action(invoice: &Invoice) -> Refusal {
    let message = "This payment requires additional user action before it can be completed successfully. Payment can be completed using the PaymentIntent associated with the invoice. For more details see: https://stripe.com/docs/billing/subscriptions/overview#requires-action";
    let payment = Payment::of_invoice(invoice).map(|payment| payment.id);
    Refusal::new(402, "card_error", message)
        .coded("invoice_payment_intent_requires_action")
        .with(
            "payment_intent",
            json!({"id": payment, "object": "payment_intent", "status": "requires_action"}),
        )
        .kept()
}

/// Sends the e-mail with the link once more.
pub(super) fn send(account: &mut Account, call: &Call<'_>) -> Answered {
    let now = account.time.now();
    let books = account.books(call);
    let invoice = find_invoice(books, &call.id, now).ok_or_else(|| no_invoice(&call.id))?;
    let status = invoice.standing(books, now).status;
    if !matches!(status, "draft" | "open" | "uncollectible") {
        let message = format!("You can't send an invoice that is {status}.");
        return Err(Refusal::invalid(&message));
    }
    let to = books
        .customer_of(&invoice.customer)
        .and_then(|it| it.email.clone());
    if to.is_none() {
        let message =
            "The customer of this invoice has no email address, so the invoice can't be sent.";
        return Err(Refusal::invalid(message));
    }
    let told = account.books_mut(call).invoice(&call.id);
    let Collection::Mail { sent, .. } = &mut told.collection else {
        let message =
            "You can only manually send an invoice if its collection method is 'send_invoice'.";
        return Err(Refusal::invalid(message));
    };
    sent.push(now);
    told.finalized.get_or_insert(now);
    account.ledger.mailed.push(Mailed {
        invoice: call.id.clone(),
        to,
        at: now,
    });
    let books = account.books(call);
    let invoice = find_invoice(books, &call.id, now).ok_or_else(|| no_invoice(&call.id))?;
    expanded(books, shapes::invoice(books, invoice, now), call, now)
}

/// The undocumented one: sends an event to an endpoint once more.
pub(super) fn retry(account: &mut Account, call: &Call<'_>) -> Answered {
    let now = account.time.now();
    if !account.allows_retry {
        return Err(Refusal::unrecognized(
            &call.request.method,
            &call.request.path,
        ));
    }
    let books = account.books(call);
    let mut all = happenings(books, now).into_iter();
    let found = all.find(|event| event.id == call.id);
    let event = found.ok_or_else(|| Refusal::missing(404, "event", &call.id, "id"))?;
    let shown: Value = shapes::event(books, &event, now);
    let kind = event.kind.clone();
    let named = call.request.param("webhook_endpoint").unwrap_or_default();
    let endpoint = books.endpoints.iter().find(|it| it.id == named);
    let missing = || Refusal::missing(400, "webhook endpoint", named, "webhook_endpoint");
    let is_taken = endpoint.ok_or_else(missing)?.takes_in(&kind, now);
    let endpoint = account.books_mut(call).endpoint(named);
    if is_taken {
        let arrives = now + endpoint.takes;
        endpoint.resent.insert(call.id.clone(), arrives);
    }
    account.ledger.resent.push(Resent {
        event: call.id.clone(),
        endpoint: named.to_owned(),
        is_taken,
        at: now,
    });
    Ok(shown)
}
