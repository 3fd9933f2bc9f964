//! Looks at Stripe: is the key of the right world, what was not delivered, what was not paid, what waits.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    Payments,
    asked::Asked,
    audit,
    client::{Stripe, mode_of_key},
    news, permission,
    seen::{Observation, Seen},
    standing::Balance,
};
use crate::{
    baseline::Baselines,
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
    let baselines = Arc::clone(&looking.baselines);
    let stripe = Stripe::connect(section, looking)?;
    let now = (looking.clock)();
    let mut accounts = Vec::new();
    for account in section.all_accounts() {
        let stripe = stripe.of(account)?;
        let seen = match looking.since {
            Some(since) => news::look(&stripe, since, now).await,
            None => look(section, &stripe, now, &baselines).await,
        };
        let all_are_barred = account.is_none() && seen.barred.is_some();
        accounts.push(seen);
        if all_are_barred
            || stripe
                .notices()
                .modes
                .iter()
                .any(|mode| *mode != section.mode)
        {
            break;
        }
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
        baselines,
        audit,
        since: looking.since,
    })
}

/// Whether the key opens its own account, and nothing says that it is of the other world.
fn is_the_world(section: &Payments, stripe: &Stripe<'_>, accounts: &[Seen]) -> bool {
    let modes = stripe.notices().modes;
    let opens = accounts.first().is_some_and(|own| own.barred.is_none());
    opens && modes.iter().all(|mode| *mode == section.mode)
}

/// One account. Its balance first: that proves the key, the world and the clock.
async fn look(
    section: &Payments,
    stripe: &Stripe<'_>,
    now: DateTime<Utc>,
    baselines: &Baselines,
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
    if stripe
        .notices()
        .modes
        .iter()
        .any(|mode| *mode != section.mode)
    {
        return seen;
    }
    let asked = Asked {
        stripe,
        now,
        most_pages: section.max_pages,
    };
    (
        (seen.undelivered, seen.delivered),
        seen.endpoints,
        seen.failures,
        seen.invoices,
        seen.disputes,
        seen.payouts,
    ) = tokio::join!(
        asked.deliveries(section),
        asked.endpoints(),
        asked.failures(section.payments_lookback, baselines),
        asked.invoices(section.invoices_lookback),
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
