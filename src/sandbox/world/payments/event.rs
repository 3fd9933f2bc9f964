//! An event that was told by itself, beside those that follow from other objects.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    books::{ADDED, Books, Described, shift},
    endpoint::Parcel,
};

#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    /// `invoice.paid`.
    pub kind: String,
    pub created: DateTime<Utc>,
    /// `data.object`.
    pub object: Value,
    /// Endpoints that never got it, whatever else they got.
    pub missed_by: Vec<String>,
    /// How many endpoints have not got it, whatever there is; None: it follows from the endpoints.
    pub pending: Option<u64>,
    /// The connected account of which a Connect endpoint is told.
    pub account: Option<String>,
}

/// For how long events can be read.
pub(super) const KEPT: TimeDelta = TimeDelta::days(30);

/// Of an hour ago, about an object of which only the id is known; whether it was delivered follows from the endpoints.
pub fn event(id: &str, kind: &str) -> Event {
    Event {
        id: id.to_owned(),
        kind: kind.to_owned(),
        created: ADDED - TimeDelta::hours(1),
        object: subject(id, kind),
        missed_by: Vec::new(),
        pending: None,
        account: None,
    }
}

/// The least that an event of that type is about.
fn subject(id: &str, kind: &str) -> Value {
    let object = kind.rsplit_once('.').map_or(kind, |(object, _)| object);
    let object = object.rsplit('.').next().unwrap_or(object);
    let prefix = match object {
        "invoice" => "in",
        "payment_intent" => "pi",
        "charge" => "ch",
        "customer" => "cus",
        "subscription" => "sub",
        "payout" => "po",
        "dispute" => "du",
        other => other,
    };
    let own = super::payment::own_part(id);
    json!({"id": format!("{prefix}_{own}"), "object": object})
}

impl Event {
    /// So long before it is added.
    #[must_use]
    pub fn ago(self, age: TimeDelta) -> Self {
        let created = ADDED - age;
        Self { created, ..self }
    }

    /// That many endpoints have not got it.
    #[must_use]
    pub fn pending(self, endpoints: u64) -> Self {
        let pending = Some(endpoints);
        Self { pending, ..self }
    }

    #[must_use]
    pub fn missed_by(mut self, endpoint: &str) -> Self {
        self.missed_by.push(endpoint.to_owned());
        self
    }

    /// About this object.
    #[must_use]
    pub fn about(self, object: Value) -> Self {
        Self { object, ..self }
    }
}

/// That many events that this endpoint never got, one each minute, the last one an hour before they are added.
pub fn undelivered(number: usize, kind: &str, endpoint: &str) -> Vec<Event> {
    let one = |place: usize| {
        let age = TimeDelta::minutes(60 + i64::try_from(place).unwrap_or(i64::MAX));
        let id = format!("evt_{}{place:06}", kind.replace(['.', '_'], ""));
        event(&id, kind).ago(age).missed_by(endpoint)
    };
    (0..number).map(one).collect()
}

impl Described for Event {
    fn enter(mut self, books: &mut Books, now: DateTime<Utc>) {
        shift(&mut self.created, now - ADDED);
        books.events.push(self);
    }
}

impl Books {
    /// How many endpoints have not got it, and should have.
    pub(super) fn pending(
        &self,
        parcel: Parcel<'_>,
        told: Option<&Event>,
        now: DateTime<Utc>,
    ) -> u64 {
        if let Some(pending) = told.and_then(|event| event.pending) {
            return pending;
        }
        let missed = |endpoint: &&super::Endpoint| {
            let is_missed = told.is_some_and(|event| event.missed_by.contains(&endpoint.id));
            let resent = endpoint.resent.get(parcel.event);
            let got = match is_missed {
                true => resent.copied(),
                false => endpoint.got(parcel),
            };
            (is_missed || endpoint.is_sent(parcel)) && got.is_none_or(|at| now < at)
        };
        self.endpoints.iter().filter(missed).count() as u64
    }
}
