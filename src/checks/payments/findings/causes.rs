//! Groups undelivered events into causes, as far as Stripe tells: it never says which endpoint failed, or why.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::At;
use crate::{
    checks::payments::{Endpoint, Event},
    text::Untrusted,
};

/// Undelivered events that seem to have one reason.
#[derive(Debug)]
pub(super) struct Missed<'a> {
    pub to: To<'a>,
    /// Oldest first.
    pub events: Vec<&'a Event>,
}

/// Whom the events did not reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum To<'a> {
    /// This endpoint, and it is known to.
    Endpoint {
        endpoint: &'a Endpoint,
        /// The newest event that reached it after the oldest of these was created; none if none did, as far as was read.
        reached: Option<DateTime<Utc>>,
    },
    /// One of several; Stripe doesn't say which.
    OneOf,
    /// No endpoint takes events of that type now, or none is known.
    Nobody,
}

impl<'a> Missed<'a> {
    /// Whether nothing at all reaches the endpoint, as far as was read: more than one of the types that it takes fails.
    pub(super) fn is_total(&self) -> bool {
        let To::Endpoint { endpoint, reached } = self.to else {
            return false;
        };
        reached.is_none() && (self.types().len() > 1 || !endpoint.takes_several())
    }

    /// The types of its events with their numbers, most first.
    pub(super) fn types(&self) -> Vec<(&'a str, usize)> {
        let mut types: BTreeMap<&str, usize> = BTreeMap::new();
        for event in &self.events {
            *types.entry(event.kind.as_str()).or_default() += 1;
        }
        let mut types: Vec<_> = types.into_iter().collect();
        types.sort_by_key(|(kind, number)| (std::cmp::Reverse(*number), *kind));
        types
    }
}

/// The causes of these events, which are old enough to count. An event that several endpoints miss is in several.
pub(super) fn group<'a>(at: &At<'a>, events: &[&'a Event]) -> Vec<Missed<'a>> {
    let mut by_endpoint: BTreeMap<&str, (&Endpoint, Vec<&Event>)> = BTreeMap::new();
    let (mut one_of, mut nobody) = (Vec::new(), Vec::new());
    for event in events {
        let takers = takers(at, event);
        let missing = event.pending_webhooks.unwrap_or(1).max(1);
        match takers.len() {
            0 => nobody.push(*event),
            number if at.knows_endpoints() && (missing >= number as u64) => {
                for endpoint in takers {
                    let entry = by_endpoint.entry(&endpoint.id);
                    entry.or_insert((endpoint, Vec::new())).1.push(event);
                }
            }
            _ => one_of.push(*event),
        }
    }
    let mut causes: Vec<Missed<'a>> = by_endpoint
        .into_values()
        .filter_map(|(endpoint, events)| of_endpoint(at, endpoint, events))
        .collect();
    causes.extend(cause(To::OneOf, one_of));
    causes.extend(cause(To::Nobody, nobody));
    causes
}

/// The endpoints that should have got it. One that may be off counts only where there is no other.
pub(super) fn takers<'a>(at: &At<'a>, event: &Event) -> Vec<&'a Endpoint> {
    let takers: Vec<&Endpoint> = at
        .endpoints()
        .filter(|endpoint| endpoint.takes(&event.kind))
        .collect();
    let wanted = takers.iter().filter(|endpoint| !may_be_off(at, endpoint));
    let wanted: Vec<&Endpoint> = wanted.copied().collect();
    if wanted.is_empty() { takers } else { wanted }
}

/// Whether it is switched off, and the configuration lets it be.
pub(super) fn may_be_off(at: &At<'_>, endpoint: &Endpoint) -> bool {
    let off = &at.section.endpoints_off;
    !endpoint.is_enabled()
        && off
            .iter()
            .any(|off| *off == endpoint.id || Untrusted::from(off.as_str()) == endpoint.url)
}

fn of_endpoint<'a>(
    at: &At<'a>,
    endpoint: &'a Endpoint,
    events: Vec<&'a Event>,
) -> Option<Missed<'a>> {
    let oldest = events.iter().filter_map(|event| event.created).min();
    let delivered = at.seen.delivered.as_ref();
    let reached = delivered
        .and_then(|read| read.as_ref().ok())
        .into_iter()
        .flatten()
        .filter(|event| endpoint.takes(&event.kind) && event.created > oldest)
        .filter_map(|event| event.created)
        .max();
    cause(To::Endpoint { endpoint, reached }, events)
}

fn cause<'a>(to: To<'a>, mut events: Vec<&'a Event>) -> Option<Missed<'a>> {
    events.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    (!events.is_empty()).then_some(Missed { to, events })
}
