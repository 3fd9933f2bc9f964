//! Has Stripe collect an invoice once more, at most once for each order.

use chrono::TimeDelta;

use super::{
    Task,
    admission::admit,
    asked,
    collected::{Collected, Try, collected},
    declines::Decline,
    done, headers, in_its_words, not_sent, of_this_mode, overtaken, refused, was_done,
};
use crate::{
    checks::{
        Applied, NotApplied,
        payments::{
            client::{Change, is_missing},
            invoice::Invoice,
            money::{Currency, Money},
            permission,
        },
    },
    report::{Cause, Unknown},
    text::{Untrusted, count},
    upstream::{Failure, Hindrance, Unwritten},
};

/// A server error that Stripe gives again so long after the order is all that it will ever say to it.
const SETTLED: TimeDelta = TimeDelta::minutes(4);

/// Stripe keeps an idempotency key for at least a day; with an older one, a second request could charge a second time.
const KEY_LASTS: TimeDelta = TimeDelta::hours(20);

/// Of an invoice that nobody has tried to collect, for [`super::before`].
const NONE: &str = "none";

pub(super) const GONE: &str = "gone from Stripe: no such invoice; nothing was charged";

/// What a remedy carries, so that nothing else is charged than what was confirmed: "4900 eur".
pub(super) fn argument(amount: Money) -> String {
    format!("{} {}", amount.minor, amount.currency.as_str())
}

fn confirmed(task: &Task<'_>) -> Result<Money, NotApplied> {
    let argument = task.order.argument.as_deref().unwrap_or_default();
    let money = argument.split_once(' ').and_then(|(minor, currency)| {
        let minor: i128 = minor.parse().ok()?;
        let currency: Currency = currency.parse().ok()?;
        Some(Money::new(minor, currency))
    });
    money.ok_or_else(|| {
        refused("it is not known which amount was confirmed; nothing was charged: run the check and decide again")
    })
}

/// The newest try.
pub(super) async fn before(task: &Task<'_>, id: &str) -> Result<Option<Untrusted>, NotApplied> {
    confirmed(task)?;
    let now = collected(&task.stripe, id).await.map_err(not_sent)?;
    Ok(now.map(|now| newest(&now).into()))
}

fn newest(now: &Collected) -> &str {
    now.tries
        .first()
        .map_or(NONE, |newest| newest.charge.as_str())
}

pub(super) async fn apply(task: &Task<'_>, id: &str) -> Result<Applied, NotApplied> {
    let amount = confirmed(task)?;
    let Some(now) = collected(&task.stripe, id).await.map_err(not_sent)? else {
        return Ok(overtaken(GONE));
    };
    if let Some(settled) = settled(task, &now, false) {
        return settled;
    }
    in_time(task)?;
    admit(task, &now, amount).await?;
    of_this_mode(task)?;
    let path = ["invoices", id, "pay"];
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
                "Stripe took the order, but does not show the invoice as paid; it is looked at again",
            );
            seen_after(task, id, doubt.into(), true).await
        }
        Err(Unwritten::NotSent(failure)) => Err(NotApplied::NotSent(failure.into())),
        Err(Unwritten::OutcomeUnknown(failure)) => in_doubt(task, id, failure).await,
        Err(Unwritten::Refused(failure)) => turned_down(task, id, failure).await,
    }
}

/// The lines of a dry run.
pub(super) async fn rehearse(task: &Task<'_>, id: &str) -> Result<Vec<String>, NotApplied> {
    let amount = confirmed(task)?;
    let Some(now) = collected(&task.stripe, id).await.map_err(not_sent)? else {
        return Err(refused(GONE));
    };
    if let Some(settled) = settled(task, &now, false) {
        let said = match settled? {
            Applied::Done { said, .. }
            | Applied::Asked { said }
            | Applied::Overtaken { said }
            | Applied::Ticketed { said, .. } => said,
        };
        return Ok(vec![format!("nothing would be sent: {}", said.as_str())]);
    }
    admit(task, &now, amount).await?;
    of_this_mode(task)?;
    let mut lines = vec![format!("POST /v1/invoices/{id}/pay")];
    lines.extend(headers(task));
    lines.push(format!(
        "charges {amount}, after {}",
        count(now.tries.len(), "earlier charge")
    ));
    Ok(lines)
}

/// Whether the order's key still keeps Stripe from doing it twice.
fn in_time(task: &Task<'_>) -> Result<(), NotApplied> {
    let age = (task.looking.clock)() - task.order.at;
    if age <= KEY_LASTS {
        return Ok(());
    }
    Err(refused(&format!(
        "it was decided {} h ago, and Stripe may have forgotten the order by now, so that it could be charged twice; Stripe shows no charge by it: decide again",
        age.num_hours()
    )))
}

/// What has become of it, if that is decided: it is paid, or no invoice to be paid, or was tried since the order began.
/// `is_asked`: Stripe got this order, and didn't turn it down.
fn settled(
    task: &Task<'_>,
    now: &Collected,
    is_asked: bool,
) -> Option<Result<Applied, NotApplied>> {
    let since = tried_since(task, now);
    let invoice = &now.invoice;
    match invoice.status.as_str() {
        "paid" => {
            let owed = said_amount(invoice);
            return Some(Ok(match since.filter(|it| it.status == "succeeded") {
                Some(it) => done(format!("paid: {owed} ({})", it.charge)),
                None if is_asked => done(format!("paid: {owed}")),
                None => was_done(format!("was already paid: {owed}")),
            }));
        }
        "open" => {}
        "uncollectible" => {
            return Some(Ok(overtaken(
                "marked uncollectible in Stripe meanwhile; nothing was charged",
            )));
        }
        "void" => {
            return Some(Ok(overtaken(
                "void in Stripe meanwhile; nothing was charged",
            )));
        }
        "draft" => {
            return Some(Ok(overtaken(
                "a draft in Stripe, which nobody can pay yet; nothing was charged",
            )));
        }
        other => {
            let why = format!(
                "the invoice is `{}` in Stripe, which this program doesn't know; nothing was charged",
                Untrusted::from(other).as_str()
            );
            return Some(Err(refused(&why)));
        }
    }
    let since = since?;
    Some(match since.status.as_str() {
        "failed" => Err(refused(&since.decline.said())),
        "pending" => Ok(asked(format!(
            "asked for: {} ({}); the bank has not answered yet, which can take days, and the invoice stays open until then",
            said_amount(invoice),
            since.charge
        ))),
        _ => {
            let reason = format!(
                "Stripe shows the charge {} and not yet that the invoice is paid; it is looked at again",
                since.charge
            );
            let why = Unknown::new(Cause::Upstream, reason);
            Err(NotApplied::OutcomeUnknown(why.into()))
        }
    })
}

/// The newest try, if the order's first change found another one.
fn tried_since<'a>(task: &Task<'_>, now: &'a Collected) -> Option<&'a Try> {
    let before = task.order.before.as_ref()?;
    let newest = now.tries.first()?;
    (newest.charge != before.as_str()).then_some(newest)
}

/// What was asked for; what is left where Stripe doesn't say.
fn said_amount(invoice: &Invoice) -> String {
    let money = invoice.due.or(invoice.remaining);
    money.map_or_else(|| "an unknown amount".to_owned(), |money| money.to_string())
}

/// Believes only what Stripe shows now.
async fn seen_after(
    task: &Task<'_>,
    id: &str,
    doubt: Hindrance,
    is_asked: bool,
) -> Result<Applied, NotApplied> {
    let unknown = || NotApplied::OutcomeUnknown(doubt.clone());
    let Ok(Some(now)) = collected(&task.stripe, id).await else {
        return Err(unknown());
    };
    if let Some(settled) = settled(task, &now, is_asked) {
        return settled;
    }
    if now.payment.as_deref() == Some("processing") {
        return Ok(asked(format!(
            "asked for: {}; the bank has not answered yet, which can take days, and the invoice stays open until then",
            said_amount(&now.invoice)
        )));
    }
    Err(unknown())
}

/// It may have been done.
async fn in_doubt(task: &Task<'_>, id: &str, failure: Failure) -> Result<Applied, NotApplied> {
    let is_last_word = failure.is_replay
        && failure.status().is_some_and(|status| status >= 500)
        && (task.looking.clock)() - task.order.at >= SETTLED;
    let doubt = failure.to_string();
    match seen_after(task, id, failure.into(), true).await {
        Err(NotApplied::OutcomeUnknown(_)) if is_last_word => Err(refused(&format!(
            "Stripe failed at it, and gives that answer again: {doubt}. It shows no charge by it; look at the invoice there, then decide again"
        ))),
        other => other,
    }
}

/// Stripe said no.
async fn turned_down(task: &Task<'_>, id: &str, failure: Failure) -> Result<Applied, NotApplied> {
    let error = failure
        .refusal
        .as_ref()
        .map(|refusal| refusal["error"].clone())
        .unwrap_or_default();
    match failure.status() {
        Some(402) => Err(declined(task, id, &error).await),
        // The same order is being carried out, by an attempt that was given up here.
        Some(409) => in_doubt(task, id, failure).await,
        Some(404) if is_missing(&failure) => Ok(overtaken(GONE)),
        Some(400) if error["type"] == "idempotency_error" => Err(refused(&format!(
            "this is a defect: {failure}; look at the invoice in Stripe before anything else"
        ))),
        Some(400) => match seen_after(task, id, failure.clone().into(), false).await {
            Err(NotApplied::OutcomeUnknown(_)) => Err(refused(&format!(
                "nothing was charged: {}",
                in_its_words(&failure)
            ))),
            other => other,
        },
        // With Stripe's word that a second try is of no use; without it, this is no refusal.
        Some(429) => Err(refused(&format!(
            "nothing was charged: {}",
            in_its_words(&failure)
        ))),
        // A key, an address or a permission can be mended, and then the order can be carried out.
        _ => Err(NotApplied::NotSent(failure.into())),
    }
}

async fn declined(task: &Task<'_>, id: &str, error: &serde_json::Value) -> NotApplied {
    let decline = Decline::of_error(error);
    if decline.code.is_some() {
        return refused(&decline.said());
    }
    let now = collected(&task.stripe, id).await.ok().flatten();
    match now.as_ref().and_then(|now| tried_since(task, now)) {
        Some(newest) => refused(&newest.decline.said()),
        None => refused(&decline.said()),
    }
}
