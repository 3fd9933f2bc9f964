//! Endpoints that are switched off, and events that did not arrive. Pure.

use chrono::TimeDelta;

use super::{
    At,
    causes::{self, Missed, To},
    lasted, lines,
    missing::{ends, evidence, numbers, taken},
};
use crate::{
    checks::payments::{Endpoint, Event, remedies::for_webhooks, walk::at_least},
    report::{Finding, Remedy, Severity},
    text::count,
};

pub(super) fn find(at: &At<'_>) -> Vec<Finding> {
    let due: Vec<&Event> = due(at).collect();
    let causes = causes::group(at, &due);
    let mut findings: Vec<Finding> = at
        .seen
        .endpoints
        .items
        .iter()
        .filter(|endpoint| !endpoint.is_enabled() && !causes::may_be_off(at, endpoint))
        .map(|endpoint| switched_off(at, endpoint, missed(&causes, endpoint)))
        .collect();
    let rest = causes.iter().filter(|cause| !is_off(at, cause));
    findings.extend(rest.map(|cause| undelivered(at, cause)));
    findings
}

/// Events that should have arrived by now; younger ones are on their way.
pub(super) fn due<'a>(at: &At<'a>) -> impl Iterator<Item = &'a Event> {
    let pending = at.section.pending_after;
    let now = at.now;
    at.seen.undelivered.items.iter().filter(move |event| {
        event
            .created
            .is_none_or(|created| (now - created).to_std().is_ok_and(|age| age >= pending))
    })
}

/// Whether Stripe has given up on it.
fn is_exhausted(at: &At<'_>, event: &Event) -> bool {
    let after = at.section.exhausted_after;
    event
        .created
        .is_some_and(|created| at.age(created).to_std().is_ok_and(|age| age >= after))
}

/// An endpoint that is off has a finding of its own, or may be off: what it misses is part of that.
fn is_off(at: &At<'_>, cause: &Missed<'_>) -> bool {
    let is_own = |id: &str| at.seen.endpoints.items.iter().any(|own| own.id == id);
    matches!(cause.to, To::Endpoint { endpoint, .. }
        if !endpoint.is_enabled() && (is_own(&endpoint.id) || causes::may_be_off(at, endpoint)))
}

fn missed<'a, 'b>(causes: &'b [Missed<'a>], endpoint: &Endpoint) -> Option<&'b Missed<'a>> {
    causes
        .iter()
        .find(|cause| matches!(cause.to, To::Endpoint { endpoint: of, .. } if of.id == endpoint.id))
}

fn switched_off(at: &At<'_>, endpoint: &Endpoint, missed: Option<&Missed<'_>>) -> Finding {
    let status = if endpoint.status.is_empty() {
        "of an unknown status"
    } else {
        &endpoint.status
    };
    let mut evidence = vec![
        format!("endpoint: {} ({})", endpoint.id, endpoint.url.as_str()),
        format!("takes: {}", taken(endpoint)),
        "events that are created meanwhile are never sent to it, not even when it is enabled again"
            .to_owned(),
        format!(
            "if it may be off, name it in `endpoints_off` of [checks.payments]: \"{}\"",
            endpoint.id
        ),
    ];
    evidence.extend(missed.map(|cause| format!("undelivered: {}", numbers(at, cause))));
    evidence.extend(missed.into_iter().flat_map(|cause| ends(at, cause)));
    Finding {
        magnitude: missed.map_or(1, |cause| cause.events.len().max(1) as u64),
        began_at: missed
            .and_then(|cause| cause.events.first())
            .and_then(|event| event.created),
        last_at: missed
            .and_then(|cause| cause.events.last())
            .and_then(|event| event.created),
        link: at.link(&format!("webhooks/{}", endpoint.id)),
        evidence: lines(evidence),
        ..Finding::new(
            at.key("endpoint", &endpoint.id),
            Severity::Critical,
            format!("the endpoint is {status}, and not in `endpoints_off`"),
            format!("the webhook endpoint {} is {status}", endpoint.url.as_str()),
        )
    }
}

fn undelivered(at: &At<'_>, cause: &Missed<'_>) -> Finding {
    let (severity, rule) = judge(at, cause);
    // Which types fail changes from day to day, and the finding is to stay the same one.
    let whom = match cause.to {
        To::Endpoint { endpoint, .. } => endpoint.id.as_str(),
        To::OneOf => "all",
        To::Nobody => "none",
    };
    let link = match (cause.to, cause.events.as_slice()) {
        (_, [only]) => at.link(&format!("events/{}", only.id)),
        (To::Endpoint { endpoint, .. }, _) => at.link(&format!("webhooks/{}", endpoint.id)),
        _ => at.link("events?delivery_success=false"),
    };
    Finding {
        magnitude: cause.events.len() as u64,
        began_at: cause.events.first().and_then(|event| event.created),
        last_at: cause.events.last().and_then(|event| event.created),
        link,
        evidence: lines(evidence(at, cause)),
        remedies: remedies(at, cause),
        ..Finding::new(
            at.key("webhooks", &format!("{whom}/all")),
            severity,
            rule,
            title(at, cause),
        )
    }
}

fn remedies(at: &At<'_>, cause: &Missed<'_>) -> Vec<Remedy> {
    match cause.to {
        // A remedy looks for the endpoint in the account itself, where a platform's isn't listed.
        To::Endpoint { endpoint, .. }
            if at.seen.account.is_some() && endpoint.application.is_some() =>
        {
            Vec::new()
        }
        To::Endpoint { endpoint, .. } => for_webhooks(at.section, Some(endpoint), &cause.events),
        To::OneOf => for_webhooks(at.section, None, &cause.events),
        To::Nobody => Vec::new(),
    }
}

fn title(at: &At<'_>, cause: &Missed<'_>) -> String {
    let number = at_least(cause.events.len(), at.seen.undelivered.is_whole());
    let types = cause.types();
    let what = match types.as_slice() {
        [(kind, 1)] => format!("{number} event {kind}"),
        [(kind, _)] => format!("{number} events {kind}"),
        many => format!("{number} events of {} types", many.len()),
    };
    match cause.to {
        To::Endpoint { endpoint, .. } if cause.is_total() => {
            format!(
                "nothing reaches {}: {what} not delivered",
                endpoint.url.as_str()
            )
        }
        To::Endpoint { endpoint, .. } => {
            format!("{what} not delivered to {}", endpoint.url.as_str())
        }
        To::OneOf => format!("{what} not delivered to one of their endpoints"),
        To::Nobody if at.knows_endpoints() => {
            format!("{what} not delivered, and no endpoint takes them any more")
        }
        To::Nobody => format!("{what} not delivered"),
    }
}

/// What is lost for good is worse than what Stripe still tries, unless that is much.
fn judge(at: &At<'_>, cause: &Missed<'_>) -> (Severity, String) {
    let limits = &at.section.limits;
    let (retrying, exhausted) = split(at, cause);
    let whole = at.seen.undelivered.is_whole();
    let days = lasted(TimeDelta::from_std(at.section.exhausted_after).unwrap_or_default());
    if exhausted > 0 {
        let rule = format!(
            "{} not delivered for {days}: Stripe won't try again",
            number(exhausted, whole)
        );
        return (Severity::High, rule);
    }
    let rule = format!(
        "{} undelivered, which Stripe tries for {days}, limit {}",
        number(retrying, whole),
        limits.retrying
    );
    let severity = if retrying >= limits.retrying {
        Severity::High
    } else {
        Severity::Medium
    };
    (severity, rule)
}

/// The events that Stripe still tries to deliver, and those that it has given up on.
pub(super) fn split(at: &At<'_>, cause: &Missed<'_>) -> (usize, usize) {
    let exhausted = cause
        .events
        .iter()
        .filter(|event| is_exhausted(at, event))
        .count();
    (cause.events.len() - exhausted, exhausted)
}

fn number(number: usize, whole: bool) -> String {
    if whole {
        count(number, "event")
    } else {
        format!("{} events", at_least(number, false))
    }
}
