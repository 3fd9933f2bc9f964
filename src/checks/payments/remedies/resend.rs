//! Has Stripe deliver events once more, by the route that its own command line takes and its documentation leaves out.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;

use super::{
    Task, done,
    group::{Group, Missed, no_endpoint},
    headers, in_its_words, of_this_mode, overtaken, refused,
};
use crate::{
    checks::{
        Applied, NotApplied,
        payments::{
            Event,
            client::{Change, is_missing},
            permission,
        },
    },
    report::{Cause, Unknown},
    text::{Untrusted, count},
    upstream::{Failure, Hindrance, Unwritten},
};

/// What is kept of an attempt's time to read the events again.
const LAST_LOOK: Duration = Duration::from_secs(4);

/// How long Stripe may take to deliver what it was asked to.
const DELIVERY: Duration = Duration::from_secs(60);

pub(super) async fn apply(task: &Task<'_>, group: &Group) -> Result<Applied, NotApplied> {
    let endpoint = admit(task, group)?;
    let missed = missed(task, group, endpoint).await?;
    of_this_mode(task)?;
    let order = &task.order.idempotency_key;
    let earlier = task.section.replayed.of(order);
    if missed.events.is_empty() && earlier.is_empty() {
        return missed.nothing();
    }
    let until = task.stripe.deadline - LAST_LOOK;
    for event in &missed.events {
        if earlier.contains(&event.id) {
            continue;
        }
        if Instant::now() >= until {
            break;
        }
        match ask(task, endpoint, &event.id).await {
            Ok(()) => task.section.replayed.note(order, &event.id),
            Err(Unwritten::Refused(failure)) if is_gone(&failure) => {}
            Err(Unwritten::Refused(failure)) => {
                return Err(turned_down(failure, task.section.replayed.of(order).len()));
            }
            Err(Unwritten::NotSent(failure)) if task.section.replayed.of(order).is_empty() => {
                return Err(NotApplied::NotSent(failure.into()));
            }
            Err(Unwritten::NotSent(_)) => break,
            Err(Unwritten::OutcomeUnknown(failure)) => {
                return Err(NotApplied::OutcomeUnknown(failure.into()));
            }
        }
    }
    confirmed(task, &missed).await
}

/// The lines of a dry run.
pub(super) async fn rehearse(task: &Task<'_>, group: &Group) -> Result<Vec<String>, NotApplied> {
    let endpoint = admit(task, group)?;
    let missed = missed(task, group, endpoint).await?;
    let mut lines: Vec<String> = missed
        .events
        .iter()
        .map(|event| {
            format!(
                "POST /v1/events/{}/retry webhook_endpoint={endpoint}",
                event.id
            )
        })
        .collect();
    let more = if missed.is_cut {
        ", the newest of more"
    } else {
        ""
    };
    of_this_mode(task)?;
    lines.extend(headers(task));
    lines.push("each with `-` and the event's id after that idempotency key".to_owned());
    lines.push(format!(
        "{} to {}{more}",
        count(missed.events.len(), "event"),
        missed.endpoint.url.as_str()
    ));
    Ok(lines)
}

fn admit<'a>(task: &Task<'_>, group: &'a Group) -> Result<&'a str, NotApplied> {
    if !task.section.allow_event_retry {
        return Err(refused(
            "Stripe documents no way to resend events; `allow_event_retry = true` in [checks.payments] allows the one that its command line takes. Until then, take the link or the commands in the finding",
        ));
    }
    let endpoint = group.endpoint.as_deref();
    endpoint.ok_or_else(|| {
        refused("Stripe doesn't say which endpoint missed them: take the link or the commands in the finding")
    })
}

async fn missed(task: &Task<'_>, group: &Group, endpoint: &str) -> Result<Missed, NotApplied> {
    let missed = group.missed(task, endpoint, &BTreeSet::new()).await?;
    let missed = missed.ok_or_else(|| no_endpoint(endpoint))?;
    if !missed.endpoint.is_enabled() {
        return Err(refused(&format!(
            "the endpoint {endpoint} is {} in Stripe, so nothing can be delivered there; enable it first",
            Untrusted::from(missed.endpoint.status.as_str()).as_str()
        )));
    }
    Ok(missed)
}

/// One event, under a key of its own: a later attempt of the same order does nothing anew.
async fn ask(task: &Task<'_>, endpoint: &str, event: &str) -> Result<(), Unwritten> {
    let key = format!("{}-{event}", task.order.idempotency_key);
    let path = ["events", event, "retry"];
    let change = Change {
        path: &path,
        form: &[("webhook_endpoint", endpoint)],
        idempotency_key: Some(&key),
        needs: permission::EVENTS_CHANGE,
    };
    task.stripe.change(&change).await.map(drop)
}

/// Whether the event alone is missing, and not the route.
pub(super) fn is_gone(failure: &Failure) -> bool {
    let error = failure.refusal.as_ref().map(|refusal| &refusal["error"]);
    failure.status() == Some(404) && error.is_some_and(|error| error["param"] == "id")
}

/// `asked`: events of this order that Stripe has taken before.
fn turned_down(failure: Failure, asked: usize) -> NotApplied {
    let so_far = match asked {
        0 => String::new(),
        asked => format!("{} sent before that. ", count(asked, "event")),
    };
    match failure.status() {
        Some(403 | 404) => refused(&format!(
            "{so_far}resending is not available for this account: take the link or the commands in the finding. {}",
            in_its_words(&failure)
        )),
        Some(400 | 429) => refused(&format!("{so_far}{}", in_its_words(&failure))),
        _ if asked > 0 => NotApplied::OutcomeUnknown(failure.into()),
        _ => NotApplied::NotSent(failure.into()),
    }
}

/// Only what Stripe shows as delivered, event by event, has arrived.
async fn confirmed(task: &Task<'_>, missed: &Missed) -> Result<Applied, NotApplied> {
    let order = &task.order.idempotency_key;
    let asked = task.section.replayed.of(order);
    let seen = format!("{order} seen");
    let mut gone = 0;
    for id in asked.difference(&task.section.replayed.of(&seen)) {
        match standing(task, missed, id).await {
            Ok(Standing::Arrived) => task.section.replayed.note(&seen, id),
            Ok(Standing::Missing) => {}
            Err(failure) if is_missing(&failure) => gone += 1,
            Err(failure) => return Err(NotApplied::OutcomeUnknown(failure.into())),
        }
    }
    let arrived = task.section.replayed.of(&seen).len();
    let not_asked = missed.events.iter().filter(|it| !asked.contains(&it.id));
    let left = asked.len() - arrived - gone + not_asked.count();
    if left > 0 {
        let reason = format!(
            "{} of {} sent to {}; Stripe shows {arrived} as delivered, and {left} not yet. It is looked at again in a minute",
            asked.len(),
            count(arrived + left, "event"),
            missed.endpoint.url.as_str(),
        );
        return Err(NotApplied::OutcomeUnknown(Hindrance {
            why: Unknown::new(Cause::Upstream, reason),
            asked_wait: Some(DELIVERY),
        }));
    }
    for name in [order, &seen] {
        task.section.replayed.forget(name);
    }
    let said = count(arrived, "event");
    if arrived == 0 {
        return Ok(overtaken(
            "gone from Stripe, which keeps events for 30 days; none was delivered",
        ));
    }
    if missed.is_cut {
        return Err(refused(&format!(
            "resent, and delivered: {said}, the newest; older ones are still missing: decide again for those"
        )));
    }
    Ok(done(format!("resent, and delivered: {said}")))
}

enum Standing {
    Arrived,
    Missing,
}

/// Stripe tells how many endpoints still miss an event. Where several take it, all of them missed it before.
async fn standing(task: &Task<'_>, missed: &Missed, id: &str) -> Result<Standing, Failure> {
    let answer = task
        .stripe
        .one(&["events", id], &[], permission::EVENTS)
        .await?;
    let event = Event::read(&answer).filter(|event| event.id == id);
    let has_arrived = event.is_some_and(|event| {
        let before = missed.takers(&event.kind).max(1);
        event.pending_webhooks.is_some_and(|now| now < before)
    });
    Ok(match has_arrived {
        true => Standing::Arrived,
        false => Standing::Missing,
    })
}
