//! How the same objects looked before API version 2025-03-31, which is what a caller gets who asks for no version.

use serde_json::{Value, json};

/// Whether invoices of that version still have the fields that were taken away.
pub(in crate::sandbox::world::payments) fn is_older(version: &str) -> bool {
    version.get(..10).is_some_and(|date| date < "2025-03-31")
}

/// An answer in its older form.
pub(in crate::sandbox::world::payments) fn older(mut answer: Value) -> Value {
    rewrite(&mut answer);
    answer
}

fn rewrite(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(rewrite),
        Value::Object(fields) => {
            fields.values_mut().for_each(rewrite);
            if fields.get("object").is_some_and(|it| it == "invoice") {
                let own = fields["id"]
                    .as_str()
                    .unwrap_or_default()
                    .replacen("in_", "", 1);
                let is_finalized = fields["status"] != "draft";
                let parent = fields.remove("parent").unwrap_or_default();
                let subscription = parent["subscription_details"]["subscription"].clone();
                let is_paid = fields["status"] == "paid";
                fields.remove("payments");
                fields.insert("subscription".to_owned(), subscription);
                fields.insert("paid".to_owned(), json!(is_paid));
                fields.insert(
                    "payment_intent".to_owned(),
                    json!(is_finalized.then(|| format!("pi_{own}"))),
                );
                fields.insert("charge".to_owned(), Value::Null);
            }
        }
        _ => {}
    }
}
