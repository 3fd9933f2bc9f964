//! `expand[]`: objects in the place of their ids.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    books::Books,
    read_invoices::{find_invoice, payments_of},
    reads::by_id,
    refusal::{Answered, Refusal},
    routes::Call,
};

/// The answer with all that was asked to be expanded.
pub(super) fn expanded(
    books: &Books,
    mut answer: Value,
    call: &Call<'_>,
    now: DateTime<Utc>,
) -> Answered {
    for path in call.request.list("expand") {
        let steps: Vec<&str> = path.split('.').collect();
        if steps.len() > 4 && steps[0] != "data" || steps.len() > 5 {
            let message = "You cannot expand more than 4 levels of a property.";
            return Err(Refusal::invalid(message).of_param("expand"));
        }
        let refuse = || {
            let message = format!("This property cannot be expanded ({path}).");
            Refusal::invalid(&message).of_param("expand")
        };
        walk(books, &mut answer, &steps, now).ok_or_else(refuse)?;
    }
    Ok(answer)
}

/// None: there is no such property.
fn walk(books: &Books, value: &mut Value, steps: &[&str], now: DateTime<Utc>) -> Option<()> {
    let Some((step, rest)) = steps.split_first() else {
        if let Some(id) = value.as_str() {
            *value = by_id(books, id, now)?;
        }
        return Some(());
    };
    if let Value::Array(rows) = value {
        let mut rows = rows.iter_mut();
        return rows.try_for_each(|row| walk(books, row, steps, now));
    }
    if let Some(id) = value.as_str() {
        *value = by_id(books, id, now)?;
    }
    if *step == "payments" && value["object"] == "invoice" && value.get("payments").is_none() {
        let invoice = find_invoice(books, value["id"].as_str()?, now)?;
        value["payments"] = payments_of(books, invoice, now);
    }
    if value.is_null() {
        return Some(());
    }
    walk(books, value.get_mut(*step)?, rest, now)
}
