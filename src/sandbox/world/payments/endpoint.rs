//! An endpoint to which events are sent, and whether one got there.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::books::{ADDED, Books, Described, shift};

#[derive(Clone, Debug)]
pub struct Endpoint {
    pub id: String,
    pub url: String,
    pub created: DateTime<Utc>,
    /// `*`, or exact types.
    pub types: Vec<String>,
    pub api_version: Option<String>,
    pub description: Option<String>,
    /// Events since then were never sent to it.
    pub disabled: Option<DateTime<Utc>>,
    pub outages: Vec<Outage>,
    /// What a delivery takes.
    pub takes: TimeDelta,
    /// Events that arrived because somebody had them sent again, with the time.
    pub resent: BTreeMap<String, DateTime<Utc>>,
}

/// A time in which it answered no event with 200.
#[derive(Clone, Debug)]
pub struct Outage {
    pub from: DateTime<Utc>,
    /// None: it lasts.
    pub until: Option<DateTime<Utc>>,
    /// Only of these types; empty: any.
    pub types: Vec<String>,
}

/// What is to be delivered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parcel<'a> {
    pub event: &'a str,
    pub kind: &'a str,
    pub created: DateTime<Utc>,
}

/// Hours after the event at which a failed delivery is tried again, for three days.
const RETRIES: [i64; 11] = [1, 3, 7, 13, 21, 30, 39, 48, 57, 66, 72];

/// It gets every event within a second.
pub fn endpoint(id: &str, url: &str) -> Endpoint {
    Endpoint {
        id: id.to_owned(),
        url: url.to_owned(),
        created: ADDED - TimeDelta::days(400),
        types: vec!["*".to_owned()],
        api_version: None,
        description: None,
        disabled: None,
        outages: Vec::new(),
        takes: TimeDelta::seconds(1),
        resent: BTreeMap::new(),
    }
}

impl Endpoint {
    /// It is sent these types of events alone.
    #[must_use]
    pub fn of_types(self, types: &[&str]) -> Self {
        let types = types.iter().map(|&it| it.to_owned()).collect();
        Self { types, ..self }
    }

    /// Since so long before it is added; events that were sent before keep their deliveries.
    #[must_use]
    pub fn disabled(self, ago: TimeDelta) -> Self {
        let disabled = Some(ADDED - ago);
        Self { disabled, ..self }
    }

    /// It has failed since so long before it is added, and still does.
    #[must_use]
    pub fn failing(self, ago: TimeDelta) -> Self {
        self.out(ago, None, &[])
    }

    /// As [`Endpoint::failing`], but only for these types.
    #[must_use]
    pub fn failing_for(self, ago: TimeDelta, types: &[&str]) -> Self {
        self.out(ago, None, types)
    }

    /// From and until so long before it is added.
    #[must_use]
    pub fn failed(self, from: TimeDelta, until: TimeDelta) -> Self {
        self.out(from, Some(ADDED - until), &[])
    }

    fn out(mut self, ago: TimeDelta, until: Option<DateTime<Utc>>, types: &[&str]) -> Self {
        self.outages.push(Outage {
            from: ADDED - ago,
            until,
            types: types.iter().map(|&it| it.to_owned()).collect(),
        });
        self
    }

    /// Whether it answers an event of that type with 200 at that time.
    pub(super) fn takes_in(&self, kind: &str, at: DateTime<Utc>) -> bool {
        self.outage(kind, at).is_none() && self.disabled.is_none_or(|since| at < since)
    }

    fn outage(&self, kind: &str, at: DateTime<Utc>) -> Option<&Outage> {
        self.outages.iter().find(|outage| {
            let is_meant = outage.types.is_empty() || outage.types.iter().any(|it| it == kind);
            is_meant && outage.from <= at && outage.until.is_none_or(|until| at < until)
        })
    }

    /// Whether that event is for it at all.
    pub(super) fn is_sent(&self, parcel: Parcel<'_>) -> bool {
        let is_wanted = self.types.iter().any(|it| it == "*" || it == parcel.kind);
        let was_on = self.disabled.is_none_or(|since| parcel.created < since);
        is_wanted && was_on && self.created <= parcel.created
    }

    /// When it got that event by the first try or a retry; None: it did not, or never will.
    pub(super) fn got(&self, parcel: Parcel<'_>) -> Option<DateTime<Utc>> {
        let resent = self.resent.get(parcel.event).copied();
        let first = parcel.created + self.takes;
        let retries = RETRIES
            .iter()
            .map(|hours| parcel.created + TimeDelta::hours(*hours));
        let mut tries = std::iter::once(first).chain(retries);
        let by_itself = tries.find(|at| {
            let tried = if *at == first { parcel.created } else { *at };
            self.takes_in(parcel.kind, tried)
        });
        match (resent, by_itself) {
            (Some(resent), Some(own)) => Some(resent.min(own)),
            (resent, own) => resent.or(own),
        }
    }
}

impl Described for Endpoint {
    fn enter(mut self, books: &mut Books, now: DateTime<Utc>) {
        let by = now - ADDED;
        shift(&mut self.created, by);
        self.disabled.iter_mut().for_each(|at| shift(at, by));
        for outage in &mut self.outages {
            shift(&mut outage.from, by);
            outage.until.iter_mut().for_each(|at| shift(at, by));
        }
        books.endpoints.push(self);
    }
}
