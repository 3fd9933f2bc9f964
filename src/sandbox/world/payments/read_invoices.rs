//! What can be read of invoices.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Account, Invoice,
    books::Books,
    expand::expanded,
    invoice::Collection,
    lists::page,
    reads::newest,
    refusal::{Answered, Refusal},
    routes::Call,
    shapes,
};

pub(super) fn find_invoice<'a>(
    books: &'a Books,
    id: &str,
    now: DateTime<Utc>,
) -> Option<&'a Invoice> {
    let mut all = books.invoices.iter();
    all.find(|invoice| invoice.id == id && invoice.created <= now)
}

pub(super) fn invoices(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = (account.books(call), account.time.now());
    let request = call.request;
    let known = ["draft", "open", "paid", "uncollectible", "void"];
    let status = request.one_of("status", &known)?;
    let method = request.one_of(
        "collection_method",
        &["charge_automatically", "send_invoice"],
    )?;
    let (created, due) = (request.range("created")?, request.range("due_date")?);
    let (customer, subscription) = (request.param("customer"), request.param("subscription"));
    let passes = |invoice: &Invoice| {
        let (own, due_date) = match &invoice.collection {
            Collection::Automatic => ("charge_automatically", None),
            Collection::Mail { due, .. } => ("send_invoice", Some(*due)),
        };
        method.is_none_or(|it| it == own)
            && due.has_some(due_date)
            && created.has(invoice.created)
            && customer.is_none_or(|it| invoice.customer == it)
            && subscription.is_none_or(|it| invoice.subscription.as_deref() == Some(it))
            && status.is_none_or(|it| invoice.standing(books, now).status == it)
    };
    let rows = newest(&books.invoices, |invoice| invoice.created, now);
    let answer = page(
        request,
        "invoice",
        &rows,
        |invoice| &invoice.id,
        |invoice| passes(invoice),
        |invoice| shapes::invoice(books, invoice, now),
    )?;
    expanded(books, answer, call, now)
}

pub(super) fn invoice(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = (account.books(call), account.time.now());
    let missing = || Refusal::missing(404, "invoice", &call.id, "invoice");
    let invoice = find_invoice(books, &call.id, now).ok_or_else(missing)?;
    expanded(books, shapes::invoice(books, invoice, now), call, now)
}

pub(super) fn invoice_payments(account: &mut Account, call: &Call<'_>) -> Answered {
    let (books, now) = (account.books(call), account.time.now());
    let request = call.request;
    let of = request.param("invoice");
    if let Some(id) = of.filter(|id| find_invoice(books, id, now).is_none()) {
        return Err(Refusal::missing(400, "invoice", id, "invoice"));
    }
    let status = request.one_of("status", &["canceled", "open", "paid"])?;
    let created = request.range("created")?;
    let invoices = newest(&books.invoices, |invoice| invoice.created, now);
    let meant = invoices.iter().filter(|it| of.is_none_or(|id| it.id == id));
    let found = meant.filter_map(|invoice| shapes::invoice_payment(books, invoice, now));
    let rows: Vec<Value> = found.collect();
    let answer = page(
        request,
        "invoice_payment",
        &rows,
        |row| row["id"].as_str().unwrap_or_default(),
        |row| {
            let at = DateTime::from_timestamp(row["created"].as_i64().unwrap_or_default(), 0);
            status.is_none_or(|it| row["status"] == it) && created.has_some(at)
        },
        Value::clone,
    )?;
    expanded(books, answer, call, now)
}

/// The list within an invoice.
pub(super) fn payments_of(books: &Books, invoice: &Invoice, now: DateTime<Utc>) -> Value {
    let payment = shapes::invoice_payment(books, invoice, now);
    let url = format!("/v1/invoice_payments?invoice={}", invoice.id);
    let data: Vec<Value> = payment.into_iter().collect();
    json!({"object": "list", "data": data, "has_more": false, "url": url})
}
