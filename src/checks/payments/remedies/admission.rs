//! Which open invoices may be tried now, and which not.

use chrono::TimeDelta;

use super::{
    Task,
    collected::{Collected, means},
    declines::CUSTOMER_CONFIRMS,
    not_sent, refused,
};
use crate::checks::{NotApplied, payments::money::Money};

/// By hand, an invoice is tried once in this time.
const BY_HAND: TimeDelta = TimeDelta::days(1);

/// So soon after an invoice is final, Stripe has tried it for the first time, if it does so by itself.
const FIRST_TRY: TimeDelta = TimeDelta::hours(2);

/// Whether an open invoice may be tried now.
pub(super) async fn admit(
    task: &Task<'_>,
    now: &Collected,
    amount: Money,
) -> Result<(), NotApplied> {
    let invoice = &now.invoice;
    if invoice.is_sent_by_mail() {
        return Err(refused(
            "the customer pays it by the link in an e-mail, and no card is charged for it: send it again instead",
        ));
    }
    match invoice.owed() {
        Some(left) if left == amount => {}
        Some(left) => {
            return Err(refused(&format!(
                "{left} are to be paid now, and {amount} were confirmed; nothing was charged: run the check and decide again"
            )));
        }
        None => {
            return Err(refused(
                "Stripe doesn't say how much is left to pay; nothing was charged: look at the invoice there",
            ));
        }
    }
    if !now.are_tries_seen {
        return Err(refused(
            "what was tried before can't be seen: Stripe says that it was tried, and doesn't show each charge; nothing was charged: look at the invoice there",
        ));
    }
    if now.payment.as_deref() == Some("processing")
        || now
            .tries
            .first()
            .is_some_and(|newest| newest.status == "pending")
    {
        return Err(refused(
            "a payment of it is under way, and the bank has not answered yet; nothing more was charged",
        ));
    }
    not_hard(task, now).await?;
    not_today(task, now)
}

/// A hard decline is not tried again with the same means of payment.
async fn not_hard(task: &Task<'_>, now: &Collected) -> Result<(), NotApplied> {
    let newest = now.tries.first();
    let hard = newest.and_then(|newest| {
        let why = newest.decline.hard()?;
        Some((newest, why))
    });
    if let Some((newest, why)) = hard {
        let means = means(&task.stripe, &now.invoice.id)
            .await
            .map_err(not_sent)?;
        if means.is_some() && newest.method.is_some() && means != newest.method {
            return Ok(());
        }
        let code = newest.decline.code.as_deref().unwrap_or_default();
        let ask = if newest.decline.wants_customer() {
            CUSTOMER_CONFIRMS
        } else {
            "ask the customer for another means of payment"
        };
        return Err(refused(&format!(
            "{why} ({code}): {ask}; nothing was charged"
        )));
    }
    if now.payment.as_deref() == Some("requires_action") {
        return Err(refused(&format!(
            "{CUSTOMER_CONFIRMS}; nothing was charged"
        )));
    }
    Ok(())
}

/// By hand, once a day. Stripe counts its own tries, and any first one; what goes beyond them was by hand, and so was a
/// first one long after the invoice was final.
fn not_today(task: &Task<'_>, now: &Collected) -> Result<(), NotApplied> {
    let Some((newest, at)) = now
        .tries
        .first()
        .and_then(|newest| Some((newest, newest.at?)))
    else {
        return Ok(());
    };
    let invoice = &now.invoice;
    let counted = usize::try_from(invoice.attempt_count).unwrap_or(usize::MAX);
    let by_hand = now.tries.len() > counted.saturating_sub(usize::from(began_by_hand(now)));
    let ago = (task.looking.clock)() - at;
    if !by_hand || ago >= BY_HAND {
        return Ok(());
    }
    let tried = if ago < TimeDelta::hours(1) {
        format!("{} min", ago.num_minutes().max(0))
    } else {
        format!("{} h", ago.num_hours())
    };
    Err(refused(&format!(
        "it was tried by hand {tried} ago ({}), and once a day is the most; nothing was charged",
        newest.charge
    )))
}

fn began_by_hand(now: &Collected) -> bool {
    let first = now.tries.last().and_then(|first| first.at);
    let of = &now.invoice;
    let begin = of.finalized_at.or(of.created);
    first
        .zip(begin)
        .is_some_and(|(first, begin)| first - begin > FIRST_TRY)
}
