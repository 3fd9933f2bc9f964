//! What can be read.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Account, Payment,
    books::Books,
    course::happenings,
    event::KEPT,
    expand::expanded,
    lists::page,
    refusal::{Answered, Refusal},
    routes::Call,
    shapes,
};

/// The books that are asked, and when.
fn opened<'a>(account: &'a Account, call: &Call<'_>) -> (&'a Books, DateTime<Utc>) {
    (account.books(call), account.time.now())
}

pub(super) fn events(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let request = call.request;
    let (kind, kinds) = (request.param("type"), request.list("types"));
    if kind.is_some() && !kinds.is_empty() {
        let message = "You may only specify one of these parameters: type, types.";
        return Err(Refusal::invalid(message).of_param("type"));
    }
    if kinds.len() > 20 {
        let message = "Array types exceeded maximum 20 allowed elements.";
        return Err(Refusal::invalid(message).of_param("types"));
    }
    let is_meant = |found: &str| match (kind, kinds.as_slice()) {
        (Some(kind), _) => is_of_type(kind, found),
        (None, []) => true,
        (None, kinds) => kinds.contains(&found),
    };
    let delivered = request.boolean("delivery_success")?;
    let created = request.range("created")?;
    let all = happenings(books, now);
    let answer = page(
        request,
        "event",
        &all,
        |event| &event.id,
        |event| {
            let pending = || books.pending(event.parcel(), event.told(), now);
            event.at > now - KEPT
                && created.has(event.at)
                && is_meant(&event.kind)
                && delivered.is_none_or(|delivered| delivered == (pending() == 0))
        },
        |event| shapes::event(books, event, now),
    )?;
    expanded(books, answer, call, now)
}

/// `invoice.*` is a pattern.
fn is_of_type(pattern: &str, kind: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => kind.starts_with(begin),
        None => kind == pattern,
    }
}

pub(super) fn event(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let mut all = happenings(books, now).into_iter();
    let found = all.find(|event| event.id == call.id && event.at > now - KEPT);
    let event = found.ok_or_else(|| Refusal::missing(404, "event", &call.id, "id"))?;
    Ok(shapes::event(books, &event, now))
}

pub(super) fn endpoints(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let rows = newest(&books.endpoints, |endpoint| endpoint.created, now);
    page(
        call.request,
        "webhook endpoint",
        &rows,
        |endpoint| &endpoint.id,
        |_| true,
        |endpoint| shapes::endpoint(books, endpoint, now),
    )
}

pub(super) fn endpoint(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let found = books.endpoints.iter().find(|it| it.id == call.id);
    let missing = || Refusal::missing(404, "webhook endpoint", &call.id, "webhook_endpoint");
    Ok(shapes::endpoint(books, found.ok_or_else(missing)?, now))
}

/// Those that there are, newest first.
pub(super) fn newest<T>(
    all: &[T],
    created: impl Fn(&T) -> DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<&T> {
    let mut there: Vec<&T> = all.iter().filter(|row| created(row) <= now).collect();
    there.sort_by_key(|row| created(row).timestamp());
    there.reverse();
    there
}

pub(super) fn payment_intents(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let request = call.request;
    let (created, customer) = (request.range("created")?, request.param("customer"));
    let payments = books.payments_at(now);
    let rows = newest(&payments, |payment| payment.created, now);
    let answer = page(
        request,
        "payment_intent",
        &rows,
        |payment| &payment.id,
        |payment| {
            let is_theirs = customer.is_none_or(|it| payment.customer.as_deref() == Some(it));
            is_theirs && created.has(payment.created)
        },
        |payment| shapes::payment_intent(books, payment, now),
    )?;
    expanded(books, answer, call, now)
}

pub(super) fn payment_intent(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let found = find_payment(books, &call.id, now);
    let missing = || Refusal::missing(404, "payment_intent", &call.id, "intent");
    let shown = shapes::payment_intent(books, &found.ok_or_else(missing)?, now);
    expanded(books, shown, call, now)
}

pub(super) fn find_payment(books: &Books, id: &str, now: DateTime<Utc>) -> Option<Payment> {
    let mut all = books.payments_at(now).into_iter();
    all.find(|payment| payment.id == id)
}

pub(super) fn charges(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let request = call.request;
    let created = request.range("created")?;
    let (customer, payment) = (request.param("customer"), request.param("payment_intent"));
    let charges = books.charges_at(now);
    let rows = newest(&charges, |charge| charge.at, now);
    let answer = page(
        request,
        "charge",
        &rows,
        |charge| &charge.id,
        |charge| {
            let of = charge.payment.customer.as_deref();
            customer.is_none_or(|it| of == Some(it))
                && payment.is_none_or(|it| charge.payment.id == it)
                && created.has(charge.at)
        },
        |charge| shapes::charge(books, charge),
    )?;
    expanded(books, answer, call, now)
}

pub(super) fn charge(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let mut all = books.charges_at(now).into_iter();
    let found = all.find(|charge| charge.id == call.id);
    let missing = || Refusal::missing(404, "charge", &call.id, "id");
    let shown = shapes::charge(books, &found.ok_or_else(missing)?);
    expanded(books, shown, call, now)
}

pub(super) fn customers(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let request = call.request;
    let (created, email) = (request.range("created")?, request.param("email"));
    let rows = newest(&books.customers, |customer| customer.created, now);
    page(
        request,
        "customer",
        &rows,
        |customer| &customer.id,
        |customer| {
            let is_theirs = email.is_none_or(|it| customer.email.as_deref() == Some(it));
            is_theirs && !customer.is_deleted && created.has(customer.created)
        },
        |customer| shapes::customer(books, customer),
    )
}

pub(super) fn customer(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, _) = opened(account, call);
    let missing = || Refusal::missing(404, "customer", &call.id, "id");
    let customer = books.customer_of(&call.id).ok_or_else(missing)?;
    Ok(shapes::customer(books, customer))
}

pub(super) fn disputes(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let request = call.request;
    let created = request.range("created")?;
    let (charge, payment) = (request.param("charge"), request.param("payment_intent"));
    let rows = newest(&books.disputes, |dispute| dispute.created, now);
    let answer = page(
        request,
        "dispute",
        &rows,
        |dispute| &dispute.id,
        |dispute| {
            charge.is_none_or(|it| dispute.charge == it)
                && payment.is_none_or(|it| dispute.payment.as_deref() == Some(it))
                && created.has(dispute.created)
        },
        |dispute| shapes::dispute(books, dispute, now),
    )?;
    expanded(books, answer, call, now)
}

pub(super) fn dispute(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let found = books.disputes.iter().find(|it| it.id == call.id);
    let missing = || Refusal::missing(404, "dispute", &call.id, "dispute");
    let shown = shapes::dispute(books, found.ok_or_else(missing)?, now);
    expanded(books, shown, call, now)
}

pub(super) fn payouts(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let request = call.request;
    let known = ["pending", "paid", "failed", "canceled", "in_transit"];
    let status = request.one_of("status", &known)?;
    let (created, arrival) = (request.range("created")?, request.range("arrival_date")?);
    let rows = newest(&books.payouts, |payout| payout.created, now);
    page(
        request,
        "payout",
        &rows,
        |payout| &payout.id,
        |payout| {
            status.is_none_or(|it| payout.status(now) == it)
                && created.has(payout.created)
                && arrival.has(payout.arrival)
        },
        |payout| shapes::payout(books, payout, now),
    )
}

pub(super) fn payout(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = opened(account, call);
    let found = books.payouts.iter().find(|it| it.id == call.id);
    let missing = || Refusal::missing(404, "payout", &call.id, "payout");
    Ok(shapes::payout(books, found.ok_or_else(missing)?, now))
}

pub(super) fn balance(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, _) = opened(account, call);
    Ok(shapes::balance(books))
}

pub(super) use super::read_invoices::{find_invoice, invoice, invoice_payments, invoices};

/// An object by its id, as it is in an answer; None: there is none, or it can't be expanded.
pub(super) fn by_id(books: &Books, id: &str, now: DateTime<Utc>) -> Option<Value> {
    match id.split_once('_')?.0 {
        "cus" => Some(shapes::customer(books, books.customer_of(id)?)),
        "pi" => Some(shapes::payment_intent(
            books,
            &find_payment(books, id, now)?,
            now,
        )),
        "ch" => {
            let mut all = books.charges_at(now).into_iter();
            Some(shapes::charge(books, &all.find(|it| it.id == id)?))
        }
        "in" => Some(shapes::invoice(books, find_invoice(books, id, now)?, now)),
        "sub" => Some(json!({"id": id, "object": "subscription", "livemode": books.livemode})),
        _ => None,
    }
}
