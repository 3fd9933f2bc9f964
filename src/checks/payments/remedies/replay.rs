//! Delivers to our own endpoint what it missed: each event as Stripe's API tells it, signed as Stripe signs.
//!
//! What differs from Stripe's own delivery: the text of the JSON, as the API writes it and not as the webhook would; for
//! an endpoint that was made for another API version, the shape of the object, which is that of the account's version at
//! the time of the event; and Stripe goes on to show the event as undelivered, as it knows nothing of this.

use std::{collections::BTreeMap, time::Duration};

use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{
    Task, done,
    endpoint::{Handler, Target},
    group::{Group, Missed, no_endpoint},
    not_sent, of_this_mode, overtaken, refused,
};
use crate::{
    checks::{
        Applied, NotApplied,
        payments::{Event, client::is_missing, permission},
    },
    report::{Cause, Unknown},
    text::count,
    upstream::{Failure, Unwritten},
};

/// Time that one event may need; with less left, the rest waits for the next attempt.
const LEAST: Duration = Duration::from_secs(2);

/// So many refusals show that it is the handler, and not the event.
const ENOUGH: usize = 3;

/// What came of an attempt.
#[derive(Default)]
struct Tally {
    delivered: usize,
    /// By what our endpoint answered: "500".
    answered: BTreeMap<String, usize>,
    /// No longer to be read from Stripe.
    gone: usize,
    left: usize,
    last: Option<Failure>,
}

pub(super) async fn apply(task: &Task<'_>, group: &Group) -> Result<Applied, NotApplied> {
    let target = target(task, group)?;
    let handler = Handler::of(target, &task.section.settings, task.looking).map_err(not_sent)?;
    let missed = missed(task, group, target).await?;
    of_this_mode(task)?;
    if missed.events.is_empty() {
        return missed.nothing();
    }
    let order = &task.order.idempotency_key;
    let earlier = task.section.replayed.of(order);
    let mut tally = Tally::default();
    let mut events = missed.events.iter();
    for event in events.by_ref() {
        if earlier.contains(&event.id) {
            tally.delivered += 1;
            continue;
        }
        if task
            .stripe
            .deadline
            .saturating_duration_since(Instant::now())
            < LEAST
        {
            tally.left = 1;
            break;
        }
        if !hand_over(task, &handler, event, &mut tally).await? {
            break;
        }
    }
    tally.left += events.len();
    judge(task, target, &missed, tally)
}

/// The lines of a dry run.
pub(super) async fn rehearse(task: &Task<'_>, group: &Group) -> Result<Vec<String>, NotApplied> {
    let target = target(task, group)?;
    Handler::of(target, &task.section.settings, task.looking).map_err(not_sent)?;
    let missed = missed(task, group, target).await?;
    let mut lines: Vec<String> = missed
        .events
        .iter()
        .map(|event| format!("POST {} {} {}", target.url, event.id, event.kind))
        .collect();
    let more = if missed.is_cut {
        ", the newest of more"
    } else {
        ""
    };
    of_this_mode(task)?;
    lines.push("content-type: application/json".to_owned());
    lines.push("stripe-signature: t=(that moment),v1=(of the body, by the secret)".to_owned());
    lines.push(format!(
        "{} as Stripe tells them, signed with STRIPE_WEBHOOK_SECRET, oldest first{more}",
        count(missed.events.len(), "event")
    ));
    Ok(lines)
}

fn target<'a>(task: &Task<'a>, group: &Group) -> Result<&'a Target, NotApplied> {
    let target = task.section.replay.target(group.endpoint.as_deref());
    target.ok_or_else(|| {
        let whom = group.endpoint.as_deref().unwrap_or("these events");
        refused(&format!(
            "it is not configured where to replay {whom} to; name the endpoint and our address in `endpoints` of [checks.payments.replay]"
        ))
    })
}

async fn missed(task: &Task<'_>, group: &Group, target: &Target) -> Result<Missed, NotApplied> {
    let left_out = task.section.replayed.of(&handed(task));
    let missed = group.missed(task, &target.id, &left_out).await?;
    missed.ok_or_else(|| no_endpoint(&target.id))
}

/// Under which name it is kept what earlier orders about the same finding have handed over, while there are more.
fn handed(task: &Task<'_>) -> String {
    format!("{} handed over", task.order.key)
}

/// One event. False if there is no use in going on now.
async fn hand_over(
    task: &Task<'_>,
    handler: &Handler,
    event: &Event,
    tally: &mut Tally,
) -> Result<bool, NotApplied> {
    let path = ["events", event.id.as_str()];
    let whole: Result<Box<RawValue>, Failure> = task.stripe.whole(&path, permission::EVENTS).await;
    let whole = match whole {
        Ok(whole) => whole,
        Err(failure) if is_missing(&failure) => {
            tally.gone += 1;
            return Ok(true);
        }
        Err(failure) if tally.delivered == 0 && tally.answered.is_empty() => {
            return Err(NotApplied::NotSent(failure.into()));
        }
        Err(failure) => {
            tally.left = 1;
            tally.last = Some(failure);
            return Ok(false);
        }
    };
    match handler
        .take(&whole, task.looking, task.stripe.deadline)
        .await
    {
        Ok(()) => {
            let order = &task.order.idempotency_key;
            task.section.replayed.note(order, &event.id);
            tally.delivered += 1;
            Ok(true)
        }
        Err(
            Unwritten::Refused(failure)
            | Unwritten::NotSent(failure)
            | Unwritten::OutcomeUnknown(failure),
        ) => {
            let mut failure = failure;
            let status = failure.status();
            if status.is_some_and(|status| status >= 500) {
                failure.advice = "see the handler's own log".to_owned();
            }
            let said = status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
            // An endpoint that can't be reached, turns away what we sign, or wants to be left alone takes no other either.
            let goes_on = !matches!(status, None | Some(300..=499));
            *tally.answered.entry(said).or_default() += 1;
            tally.last = Some(failure);
            Ok(goes_on && tally.answered.values().sum::<usize>() < ENOUGH)
        }
    }
}

fn judge(
    task: &Task<'_>,
    target: &Target,
    missed: &Missed,
    tally: Tally,
) -> Result<Applied, NotApplied> {
    let said = said(&tally, target, missed);
    if tally.answered.is_empty() && tally.left == 0 {
        let replayed = &task.section.replayed;
        let order = &task.order.idempotency_key;
        if tally.delivered == 0 {
            return Ok(overtaken(
                "gone from Stripe, which keeps events for 30 days; none was replayed",
            ));
        }
        if missed.is_cut {
            for event in replayed.of(order) {
                replayed.note(&handed(task), &event);
            }
            replayed.forget(order);
            return Err(refused(&format!("{said}: decide again for those")));
        }
        replayed.forget(&handed(task));
        replayed.forget(order);
        return Ok(done(format!(
            "{said}; Stripe, which knows nothing of it, still shows them as undelivered"
        )));
    }
    let last = tally.last.as_ref();
    let status = last.and_then(Failure::status);
    if let (Some(failure), Some(400..=499)) = (last, status) {
        // What our own handler turns away, it turns away again.
        if !matches!(status, Some(401 | 403 | 404 | 408 | 429)) {
            return Err(refused(&format!("{said}. {failure}")));
        }
    }
    let (cause, why) = match last {
        Some(failure) => (failure.cause, failure.to_string()),
        None => (
            Cause::Truncated,
            "the time of this attempt is over, the next one goes on".to_owned(),
        ),
    };
    let unknown = Unknown::new(cause, format!("{said}. {why}"));
    Err(NotApplied::OutcomeUnknown(unknown.into()))
}

/// `38 events delivered to https://ops.example.com/hooks, 2 answered 500, 5 left`.
fn said(tally: &Tally, target: &Target, missed: &Missed) -> String {
    let mut said = vec![format!(
        "{} delivered to {}",
        count(tally.delivered, "event"),
        target.url
    )];
    for (answer, number) in &tally.answered {
        said.push(format!("{number} answered {answer}"));
    }
    if tally.gone > 0 {
        said.push(format!(
            "{} gone from Stripe, which keeps events for 30 days",
            tally.gone
        ));
    }
    if tally.left > 0 {
        said.push(format!("{} left", tally.left));
    }
    if missed.is_cut {
        said.push("older ones not taken".to_owned());
    }
    said.join(", ")
}
