//! Groups undelivered events into causes, as far as Stripe tells: it never says which endpoint failed, or why.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::At;
use crate::{
    checks::payments::{Endpoint, Event, Seen},
    text::Untrusted,
};

/// More types than this at one endpoint that takes others are one cause, and not one each.
const MOST_TYPES_APART: usize = 5;

/// Undelivered events that seem to have one reason.
#[derive(Debug)]
pub(super) struct Cause<'a> {
    pub to: To<'a>,
    /// Every type that is undelivered there has this cause.
    pub all_types: bool,
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

impl<'a> Cause<'a> {
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
pub(super) fn group<'a>(at: &At<'a>, events: &[&'a Event]) -> Vec<Cause<'a>> {
    let seen = at.seen;
    let mut by_endpoint: BTreeMap<&str, (&Endpoint, Vec<&Event>)> = BTreeMap::new();
    let (mut one_of, mut nobody) = (Vec::new(), Vec::new());
    for event in events {
        let takers = takers(at, event);
        let missing = event.pending_webhooks.unwrap_or(1).max(1);
        let whole = seen.endpoints.is_whole();
        match takers.len() {
            0 => nobody.push(*event),
            number if whole && (missing >= number as u64) => {
                for endpoint in takers {
                    let entry = by_endpoint.entry(&endpoint.id);
                    entry.or_insert((endpoint, Vec::new())).1.push(event);
                }
            }
            _ => one_of.push(*event),
        }
    }
    let mut causes: Vec<Cause<'a>> = by_endpoint
        .into_values()
        .flat_map(|(endpoint, events)| of_endpoint(seen, endpoint, events))
        .collect();
    causes.extend(together(To::OneOf, one_of));
    causes.extend(together(To::Nobody, nobody));
    causes
}

/// The endpoints that should have got it. One that may be off counts only where there is no other.
fn takers<'a>(at: &At<'a>, event: &Event) -> Vec<&'a Endpoint> {
    let all = at.seen.endpoints.items.iter();
    let takers: Vec<&Endpoint> = all.filter(|endpoint| endpoint.takes(&event.kind)).collect();
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
    seen: &'a Seen,
    endpoint: &'a Endpoint,
    events: Vec<&'a Event>,
) -> Vec<Cause<'a>> {
    let oldest = events.iter().filter_map(|event| event.created).min();
    let delivered = seen.delivered.as_ref().and_then(|read| read.as_ref().ok());
    let reached = delivered
        .into_iter()
        .flatten()
        .filter(|event| endpoint.takes(&event.kind) && event.created > oldest)
        .filter_map(|event| event.created)
        .max();
    let to = To::Endpoint { endpoint, reached };
    let types: BTreeSet<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    if endpoint.is_enabled() && reached.is_some() && types.len() <= MOST_TYPES_APART {
        return types
            .into_iter()
            .filter_map(|kind| {
                let of_it = events.iter().filter(|event| event.kind == kind);
                cause(to, false, of_it.copied().collect())
            })
            .collect();
    }
    let one_of_many = types.len() == 1 && endpoint.takes_several();
    cause(to, !one_of_many, events).into_iter().collect()
}

fn together<'a>(to: To<'a>, events: Vec<&'a Event>) -> Option<Cause<'a>> {
    let types: BTreeSet<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    cause(to, types.len() > 1, events)
}

fn cause<'a>(to: To<'a>, all_types: bool, mut events: Vec<&'a Event>) -> Option<Cause<'a>> {
    events.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    (!events.is_empty()).then_some(Cause {
        to,
        all_types,
        events,
    })
}
