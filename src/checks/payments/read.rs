//! Reads what Stripe sends, leniently: null may stand anywhere, and words may be new. Pure.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::money::{Currency, Money};
use crate::text::Untrusted;

/// Whether a text can be one of Stripe's ids, which go into addresses, keys and commands.
pub(super) fn is_id(id: &str) -> bool {
    (1..=255).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// An id, or that of an object that stands in its place.
pub(super) fn id(value: &Value) -> Option<String> {
    let id = value.as_str().or_else(|| value["id"].as_str())?;
    is_id(id).then(|| id.to_owned())
}

/// A word of an enumeration, such as `past_due`.
pub(super) fn word(value: &Value) -> Option<String> {
    let word = value.as_str()?;
    let fits = (1..=100).contains(&word.len())
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-*:".contains(&b));
    fits.then(|| word.to_owned())
}

/// A text for people; none if there is nothing in it.
pub(super) fn line(value: &Value) -> Option<Untrusted> {
    let line = Untrusted::from(value.as_str()?);
    (!line.is_empty()).then_some(line)
}

/// Seconds since 1970.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(value.as_i64()?, 0)
}

/// An amount in minor units with its currency.
pub(super) fn money(amount: &Value, currency: &Value) -> Option<Money> {
    Some(Money::new(
        amount.as_i64()?,
        currency.as_str()?.parse::<Currency>().ok()?,
    ))
}
