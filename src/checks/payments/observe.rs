//! Looks at Stripe: is the key of the right world, what was not delivered, what was not paid, what waits.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Payments,
    asked::Asked,
    audit,
    client::{Stripe, mode_of_key},
    earlier::Unsettled,
    news, permission,
    reach::Reach,
    seen::{Observation, Seen},
    standing::Balance,
};
use crate::{
    checks::Looking,
    report::{Cause, Unknown},
    upstream::Failure,
};

/// Requests for one account if no list has a second page.
const LEAST_REQUESTS: u64 = 9;

pub(super) async fn observe(section: &Payments, looking: &Looking) -> Result<Observation, Unknown> {
    let key = mode_of_key(looking)?;
    if key.is_some_and(|mode| mode != section.mode) {
        // What it would show is another world's.
        return Ok(Observation {
            key,
            ..Observation::default()
        });
    }
    let stripe = Stripe::connect(section, looking)?.within(section.budget());
    let now = (looking.clock)();
    let mut accounts = Vec::new();
    for account in section.all_accounts() {
        let stripe = stripe.of(account)?;
        let seen = match looking.since {
            Some(since) => news::look(&stripe, since, now).await,
            None => {
                let unsettled = Unsettled::of(&looking.earlier, account);
                look(section, &stripe, now, &unsettled).await
            }
        };
        let all_are_barred = account.is_none() && seen.barred.is_some();
        accounts.push(seen);
        if all_are_barred || is_another_world(section, &stripe) {
            break;
        }
    }
    if !is_another_world(section, &stripe) {
        look_closer(section, looking, &stripe, now, &mut accounts).await?;
    }
    let audit = match &section.audit {
        Some(audit) if looking.since.is_none() && is_the_world(section, &stripe, &accounts) => {
            let list = |period| audit::list::invoices(&stripe, period);
            Some(audit.observe(looking, now, list).await)
        }
        _ => None,
    };
    Ok(Observation {
        key,
        accounts,
        notices: stripe.notices(),
        baselines: Arc::clone(&looking.baselines),
        earlier: Arc::clone(&looking.earlier),
        audit,
        since: looking.since,
    })
}

/// Whether the key opens its own account, and nothing says that it is of the other world.
fn is_the_world(section: &Payments, stripe: &Stripe<'_>, accounts: &[Seen]) -> bool {
    let opens = accounts.first().is_some_and(|own| own.barred.is_none());
    opens && !is_another_world(section, stripe)
}

fn is_another_world(section: &Payments, stripe: &Stripe<'_>) -> bool {
    let modes = stripe.notices().modes;
    modes.iter().any(|mode| *mode != section.mode)
}

/// With the requests that all lists have left over: first what may be lost otherwise, at last what is only learned.
async fn look_closer(
    section: &Payments,
    looking: &Looking,
    stripe: &Stripe<'_>,
    now: DateTime<Utc>,
    accounts: &mut [Seen],
) -> Result<(), Unknown> {
    for step in Closer::ALL {
        for seen in accounts.iter_mut() {
            let Some(reach) = seen.reach else {
                continue;
            };
            let account = seen.account.clone();
            let stripe = stripe.of(account.as_deref())?;
            let unsettled = Unsettled::of(&looking.earlier, account.as_deref());
            let asked = Asked::new(section, &stripe, reach, now);
            match step {
                Closer::Again => asked.again(&unsettled, &mut seen.invoices).await,
                Closer::Sent => asked.sent(&unsettled, &mut seen.invoices).await,
                Closer::Declines => asked.declines(&unsettled, &mut seen.failures).await,
                Closer::Why => asked.why(&seen.failures, &mut seen.invoices).await,
                Closer::Learn => asked.learn(&looking.baselines, &mut seen.failures).await,
            }
        }
    }
    Ok(())
}

/// What is read when all lists have been, in this order.
#[derive(Clone, Copy)]
enum Closer {
    Again,
    Sent,
    Declines,
    Why,
    Learn,
}

impl Closer {
    const ALL: [Self; 5] = [
        Self::Again,
        Self::Sent,
        Self::Declines,
        Self::Why,
        Self::Learn,
    ];
}

/// One account. Its balance first: that proves the key, the world and the clock.
async fn look(
    section: &Payments,
    stripe: &Stripe<'_>,
    now: DateTime<Utc>,
    unsettled: &Unsettled<'_>,
) -> Seen {
    stripe.expect(LEAST_REQUESTS);
    let mut seen = Seen {
        account: stripe.account.map(str::to_owned),
        ..Seen::default()
    };
    match balance(stripe).await {
        Ok(balance) => seen.balance = Some(balance),
        Err(failure) if bars_the_rest(&failure) => {
            seen.barred = Some(failure.into());
            return seen;
        }
        Err(failure) => seen.balance = Some(Err(failure.into())),
    }
    if is_another_world(section, stripe) {
        return seen;
    }
    let reach = Reach::of(section, unsettled, now);
    seen.reach = Some(reach);
    let asked = Asked::new(section, stripe, reach, now);
    (
        (seen.undelivered, seen.delivered),
        seen.endpoints,
        seen.failures,
        seen.invoices,
        seen.disputes,
        seen.payouts,
    ) = tokio::join!(
        asked.deliveries(),
        asked.endpoints(),
        asked.failures(),
        asked.invoices(),
        asked.disputes(),
        asked.payouts(),
    );
    seen
}

async fn balance(stripe: &Stripe<'_>) -> Result<Result<Balance, Unknown>, Failure> {
    let answer = stripe.one(&["balance"], &[], permission::BALANCE).await?;
    Ok(Balance::read(&answer).ok_or_else(|| {
        let reason = "Stripe GET /v1/balance: the answer is no balance as Stripe documents it; check that `url` in [checks.payments] leads to Stripe itself";
        Unknown::new(Cause::Decode, reason)
    }))
}

/// Whether every other request would fail alike.
fn bars_the_rest(failure: &Failure) -> bool {
    matches!(
        failure.cause,
        Cause::Auth
            | Cause::Tls
            | Cause::Redirect
            | Cause::Refused
            | Cause::NotConfigured
            | Cause::Network
    ) || permission::is_no_access(failure)
}
