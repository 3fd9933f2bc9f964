//! What a person has to know of undelivered events: which, since when, and what sends them again. Pure.

use super::{
    At,
    causes::{self, Missed, To},
    stamp,
    webhooks::split,
};
use crate::checks::payments::{Endpoint, Event, Mode, walk::at_least};

/// Commands to copy that one finding shows.
const MOST_COMMANDS: usize = 5;

/// Types that one finding names.
const MOST_TYPES: usize = 6;

/// "37 (12 are tried again, 25 are not)".
pub(super) fn numbers(at: &At<'_>, cause: &Missed<'_>) -> String {
    let (retrying, exhausted) = split(at, cause);
    let whole = at.seen.undelivered.is_whole();
    format!(
        "{} ({} still tried by Stripe, {} given up)",
        at_least(cause.events.len(), whole),
        at_least(retrying, whole),
        at_least(exhausted, whole)
    )
}

pub(super) fn evidence(at: &At<'_>, cause: &Missed<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    match cause.to {
        To::Endpoint { endpoint, reached } => {
            lines.push(format!(
                "endpoint: {} ({})",
                endpoint.id,
                endpoint.url.as_str()
            ));
            lines.push(match reached {
                Some(time) => format!("other events reached it meanwhile, the newest at {}", stamp(time)),
                None => "none of the events that Stripe delivered lately, as far as was read, reached it".to_owned(),
            });
        }
        To::OneOf => {
            let takers = takers(at, cause);
            lines.push(format!(
                "Stripe doesn't say which of these missed them: {}",
                takers.join(", ")
            ));
        }
        To::Nobody => {}
    }
    lines.push(format!("undelivered: {}", numbers(at, cause)));
    let types = cause.types();
    let more = types.len().saturating_sub(MOST_TYPES);
    let mut shown: Vec<String> = types
        .iter()
        .take(MOST_TYPES)
        .map(|(kind, number)| format!("{kind} {number}"))
        .collect();
    shown.extend((more > 0).then(|| format!("{more} more")));
    lines.push(format!("types: {}", shown.join(", ")));
    lines.extend(ends(at, cause));
    lines.push("why is only in Stripe's dashboard (the event, Deliveries)".to_owned());
    lines.extend(commands(at, cause));
    lines
}

/// The oldest and the newest event, with their links.
pub(super) fn ends(at: &At<'_>, cause: &Missed<'_>) -> Vec<String> {
    let named = |name: &str, event: &Event| {
        let created = event
            .created
            .map_or_else(|| "at an unknown time".to_owned(), stamp);
        let link = at
            .link(&format!("events/{}", event.id))
            .map_or_else(String::new, |link| format!(" {link}"));
        format!("{name}: {} {created}{link}", event.id)
    };
    match cause.events.as_slice() {
        [] => Vec::new(),
        [only] => vec![named("event", only)],
        [oldest, .., newest] => vec![named("oldest", oldest), named("newest", newest)],
    }
}

/// What sends events again, from Stripe's own command line; the newest first, as those are still missed most. Where
/// Stripe doesn't say who missed an event, a line for each that may have.
fn commands(at: &At<'_>, cause: &Missed<'_>) -> Vec<String> {
    let account = at
        .seen
        .account
        .as_ref()
        .map_or_else(String::new, |account| {
            format!(" --stripe-account={account}")
        });
    let live = match at.section.mode {
        Mode::Live => " --live",
        Mode::Test => "",
    };
    let newest = cause.events.iter().rev();
    newest
        .flat_map(|event| {
            let takers = match cause.to {
                To::Endpoint { endpoint, .. } => vec![endpoint],
                To::OneOf => causes::takers(at, event),
                To::Nobody => Vec::new(),
            };
            let wanted = takers.into_iter().filter(|taker| taker.is_enabled());
            wanted.map(move |taker| (&event.id, &taker.id))
        })
        .take(MOST_COMMANDS)
        .map(|(event, taker)| {
            format!("stripe events resend {event} --webhook-endpoint={taker}{account}{live}")
        })
        .collect()
}

/// The ids of the endpoints that take events of these types.
fn takers(at: &At<'_>, cause: &Missed<'_>) -> Vec<String> {
    let takes = |endpoint: &&Endpoint| {
        let mut kinds = cause.events.iter();
        kinds.any(|event| endpoint.takes(&event.kind))
    };
    let endpoints = at.endpoints().filter(takes);
    endpoints.map(|endpoint| endpoint.id.clone()).collect()
}

pub(super) fn taken(endpoint: &Endpoint) -> String {
    let more = endpoint.enabled_events.len().saturating_sub(MOST_TYPES);
    let mut shown: Vec<String> = endpoint
        .enabled_events
        .iter()
        .take(MOST_TYPES)
        .cloned()
        .collect();
    shown.extend((more > 0).then(|| format!("{more} more")));
    shown.join(", ")
}
