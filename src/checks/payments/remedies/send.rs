//! Has Stripe send an invoice's e-mail once more.

use chrono::TimeDelta;

use super::{
    Task, collected::no_invoice, done, headers, in_its_words, not_sent, of_this_mode, overtaken,
    refused, was_done,
};
use crate::{
    checks::{
        Applied, NotApplied,
        payments::{
            Event, Mode,
            client::{Change, is_missing},
            invoice::Invoice,
            permission,
            walk::List,
        },
    },
    report::{Cause, Unknown},
    text::Untrusted,
    upstream::{Failure, Hindrance, Unwritten},
};

/// An e-mail goes out once in this time.
const PAUSE: TimeDelta = TimeDelta::hours(1);

/// Where none was sent lately, for [`super::before`].
const NONE: &str = "none";

/// Pages of events that are read; more than a hundred e-mails an hour are many.
const PAGES: usize = 5;

const GONE: &str = "gone from Stripe: no such invoice; nothing was sent";

/// The newest e-mail.
pub(super) async fn before(task: &Task<'_>, id: &str) -> Result<Option<Untrusted>, NotApplied> {
    let last = last_sent(task, id).await?;
    let last = last.map_or_else(|| NONE.to_owned(), |event| event.id);
    Ok(Some(last.into()))
}

pub(super) async fn apply(task: &Task<'_>, id: &str) -> Result<Applied, NotApplied> {
    let Some(invoice) = read(task, id).await? else {
        return Ok(overtaken(GONE));
    };
    if let Some(overtaken) = overtaken_by(&invoice) {
        return Ok(overtaken);
    }
    let last = last_sent(task, id).await?;
    if is_by_us(task, last.as_ref()) {
        return Ok(done(sent(task, &invoice)));
    }
    admit(task, &invoice, last.as_ref())?;
    of_this_mode(task)?;
    let path = ["invoices", id, "send"];
    let change = Change {
        path: &path,
        form: &[],
        idempotency_key: Some(&task.order.idempotency_key),
        needs: permission::INVOICES_CHANGE,
    };
    match task.stripe.change(&change).await {
        Ok(_) => {
            let doubt = Unknown::new(
                Cause::Decode,
                "Stripe took the order, but shows no e-mail of the invoice yet; it is looked at again",
            );
            seen_after(task, &invoice, doubt.into()).await
        }
        Err(Unwritten::NotSent(failure)) => Err(NotApplied::NotSent(failure.into())),
        Err(Unwritten::OutcomeUnknown(failure)) => seen_after(task, &invoice, failure.into()).await,
        Err(Unwritten::Refused(failure)) => turned_down(task, &invoice, failure).await,
    }
}

/// The lines of a dry run.
pub(super) async fn rehearse(task: &Task<'_>, id: &str) -> Result<Vec<String>, NotApplied> {
    let invoice = read(task, id).await?.ok_or_else(|| refused(GONE))?;
    if let Some(Applied::Overtaken { said }) = overtaken_by(&invoice) {
        return Ok(vec![format!("nothing would be sent: {}", said.as_str())]);
    }
    admit(task, &invoice, last_sent(task, id).await?.as_ref())?;
    of_this_mode(task)?;
    let mut lines = vec![format!("POST /v1/invoices/{id}/send")];
    lines.extend(headers(task));
    lines.push(format!("sends an e-mail to {}", invoice.payer().as_str()));
    Ok(lines)
}

/// None: Stripe has no such invoice.
async fn read(task: &Task<'_>, id: &str) -> Result<Option<Invoice>, NotApplied> {
    let path = ["invoices", id];
    match task.stripe.one(&path, &[], permission::INVOICES).await {
        Ok(answer) => {
            let invoice = Invoice::read(&answer).filter(|invoice| invoice.id == id);
            invoice.map(Some).ok_or_else(|| not_sent(no_invoice()))
        }
        Err(failure) if is_missing(&failure) => Ok(None),
        Err(failure) => Err(NotApplied::NotSent(failure.into())),
    }
}

fn overtaken_by(invoice: &Invoice) -> Option<Applied> {
    match invoice.status.as_str() {
        "open" => None,
        "paid" => Some(was_done("paid meanwhile; nothing was sent")),
        other => {
            let status = Untrusted::from(other);
            Some(overtaken(format!(
                "{} in Stripe meanwhile; nothing was sent",
                status.as_str()
            )))
        }
    }
}

/// The newest e-mail within the pause. Stripe keeps no mark on the invoice; its event tells.
async fn last_sent(task: &Task<'_>, id: &str) -> Result<Option<Event>, NotApplied> {
    let since = (task.looking.clock)() - PAUSE;
    let since = since.min(task.order.at - PAUSE).timestamp().to_string();
    let query = [("type", "invoice.sent"), ("created[gte]", since.as_str())];
    let list = List {
        route: "events",
        query: &query,
        needs: permission::EVENTS,
        noun: "events of invoices sent",
        most_pages: PAGES,
    };
    let walk = task.stripe.walk(&list, Event::read).await;
    let found = walk
        .items
        .into_iter()
        .filter(|event| event.object.as_deref() == Some(id))
        .max_by_key(|event| event.created);
    match (found, walk.gaps.into_iter().next()) {
        (Some(found), _) => Ok(Some(found)),
        (None, None) => Ok(None),
        (None, Some(why)) => Err(not_sent(why)),
    }
}

/// Whether it went out since the order's first change.
fn is_by_us(task: &Task<'_>, last: Option<&Event>) -> bool {
    let before = task.order.before.as_ref().map(Untrusted::as_str);
    match (before, last) {
        (Some(before), Some(last)) => last.id != before,
        _ => false,
    }
}

fn admit(task: &Task<'_>, invoice: &Invoice, last: Option<&Event>) -> Result<(), NotApplied> {
    if !invoice.is_sent_by_mail() {
        return Err(refused(
            "Stripe charges a card for this invoice, and sends e-mails only of those that are to be paid by a link: pay it again instead",
        ));
    }
    let ago = last
        .and_then(|last| last.created)
        .map(|created| (task.looking.clock)() - created);
    match ago.filter(|ago| *ago < PAUSE) {
        Some(ago) => Err(refused(&format!(
            "it was sent {} min ago, and once an hour is the most; nothing was sent",
            ago.num_minutes().max(0)
        ))),
        None => Ok(()),
    }
}

fn sent(task: &Task<'_>, invoice: &Invoice) -> String {
    let remark = match task.section.mode {
        Mode::Live => "",
        Mode::Test => "; in test mode, Stripe sends no e-mail in truth",
    };
    format!("sent again to {}{remark}", invoice.payer().as_str())
}

/// Believes only what Stripe shows now.
async fn seen_after(
    task: &Task<'_>,
    invoice: &Invoice,
    doubt: Hindrance,
) -> Result<Applied, NotApplied> {
    match last_sent(task, &invoice.id).await {
        Ok(last) if is_by_us(task, last.as_ref()) => Ok(done(sent(task, invoice))),
        _ => Err(NotApplied::OutcomeUnknown(doubt)),
    }
}

async fn turned_down(
    task: &Task<'_>,
    invoice: &Invoice,
    failure: Failure,
) -> Result<Applied, NotApplied> {
    match failure.status() {
        Some(409) => seen_after(task, invoice, failure.into()).await,
        Some(404) if is_missing(&failure) => Ok(overtaken(GONE)),
        Some(400 | 402 | 429) => Err(refused(&format!(
            "nothing was sent: {}",
            in_its_words(&failure)
        ))),
        _ => Err(NotApplied::NotSent(failure.into())),
    }
}
