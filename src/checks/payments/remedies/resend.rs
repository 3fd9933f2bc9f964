//! Has Stripe deliver events once more, by the route that its own command line takes and its documentation leaves out.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Task, done,
    group::{Group, Missed, no_endpoint},
    in_its_words, refused, was_done,
};
use crate::{
    checks::{
        Applied, NotApplied,
        payments::{client::Change, permission},
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
    if missed.events.is_empty() {
        return Ok(was_done("Stripe shows all of them as delivered"));
    }
    let until = task.stripe.deadline - LAST_LOOK;
    let mut asked = 0;
    for event in &missed.events {
        if Instant::now() >= until {
            break;
        }
        match ask(task, endpoint, &event.id).await {
            Ok(()) => asked += 1,
            Err(Unwritten::Refused(failure)) if is_gone(&failure) => {}
            Err(Unwritten::Refused(failure)) => return Err(turned_down(failure)),
            Err(Unwritten::NotSent(failure)) if asked == 0 => {
                return Err(NotApplied::NotSent(failure.into()));
            }
            Err(Unwritten::NotSent(_)) => break,
            Err(Unwritten::OutcomeUnknown(failure)) => {
                return Err(NotApplied::OutcomeUnknown(failure.into()));
            }
        }
    }
    confirmed(task, group, &missed, asked).await
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
    let missed = group.missed(task, endpoint).await?;
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
fn is_gone(failure: &Failure) -> bool {
    let error = failure.refusal.as_ref().map(|refusal| &refusal["error"]);
    failure.status() == Some(404) && error.is_some_and(|error| error["param"] == "id")
}

fn turned_down(failure: Failure) -> NotApplied {
    match failure.status() {
        Some(403 | 404) => refused(&format!(
            "resending is not available for this account: take the link or the commands in the finding. {}",
            in_its_words(&failure)
        )),
        Some(400) => refused(&in_its_words(&failure)),
        _ => NotApplied::NotSent(failure.into()),
    }
}

/// What can't be read after something was sent leaves the outcome unknown.
fn since_it_was_sent(not: NotApplied) -> NotApplied {
    match not {
        NotApplied::NotSent(why) => NotApplied::OutcomeUnknown(why),
        other => other,
    }
}

/// Only what Stripe no longer shows as undelivered has arrived.
async fn confirmed(
    task: &Task<'_>,
    group: &Group,
    missed: &Missed,
    asked: usize,
) -> Result<Applied, NotApplied> {
    let all = missed.events.len();
    let read = group.missed(task, &missed.endpoint.id).await;
    let left = match read.map_err(since_it_was_sent)? {
        Some(now) => {
            let still = |id: &String| now.events.iter().any(|event| event.id == *id);
            missed
                .events
                .iter()
                .filter(|event| still(&event.id))
                .count()
        }
        None => all,
    };
    if left == 0 {
        let more = if missed.is_cut {
            "; there are older ones"
        } else {
            ""
        };
        return Ok(done(format!(
            "resent, and delivered: {}{more}",
            count(all, "event")
        )));
    }
    let reason = format!(
        "{asked} of {} sent to {}; Stripe shows {} as delivered, and {left} not yet. It is looked at again in a minute",
        count(all, "event"),
        missed.endpoint.url.as_str(),
        all - left
    );
    Err(NotApplied::OutcomeUnknown(Hindrance {
        why: Unknown::new(Cause::Upstream, reason),
        asked_wait: Some(DELIVERY),
    }))
}
