//! What happens in Stripe.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    super::{Scenario, World},
    Attempt, Dispute, Invoice, Outage, Outcome,
    background::PRODUCTION,
    dispute, invoice,
    shapes::minted,
};

pub(super) const ALL: [Scenario; 4] = [
    Scenario {
        name: "webhooks-failing",
        title: "Webhooks fail since the weekend",
        story: "Since a release on Friday the shop's handler answered Stripe with 500. It works again since a quarter of an hour, but Stripe has given up on the first events.",
        change: |world| {
            fail_over_the_weekend(world);
            Ok(())
        },
    },
    Scenario {
        name: "payday-declines",
        title: "The day before payday",
        story: "Last night's subscriptions met empty accounts and a lost card. No automatic retry is left for two of them; one customer's account is filled again by now.",
        change: |world| {
            decline_before_payday(world);
            Ok(())
        },
    },
    Scenario {
        name: "dispute-due",
        title: "A dispute is due tomorrow",
        story: "A customer took a payment back five days ago, and nobody has sent evidence. Tomorrow afternoon it is lost. A bank asks about another one.",
        change: |world| {
            let mut account = world.stripe().world();
            account.add_all(disputes());
            Ok(())
        },
    },
    Scenario {
        name: "stripe-test-key",
        title: "Stripe's key is one for tests",
        story: "Somebody put the key of Stripe's test mode into production: nothing fails there, because nothing happens there.",
        change: |world| {
            world.stripe().world().shows_only_tests = true;
            Ok(())
        },
    },
];

/// Three days and a few hours ago, so that the first events are exhausted by now.
fn fail_over_the_weekend(world: &World) {
    let now = world.time.now();
    let mut account = world.stripe().world();
    account.live.endpoint(PRODUCTION).outages.push(Outage {
        from: now - TimeDelta::hours(75),
        until: Some(now - TimeDelta::minutes(15)),
        types: Vec::new(),
    });
}

/// Who could not pay, how much, why, what comes next, and what their card does by now.
struct Unpaid {
    customer: &'static str,
    /// In minor units.
    amount: i64,
    currency: &'static str,
    code: &'static str,
    /// Days before last night on which it failed as well.
    earlier: &'static [i64],
    /// Days after last night on which the account's own plan tries again.
    later: &'static [i64],
    now: Outcome,
}

fn decline_before_payday(world: &World) {
    let now = world.time.now();
    let funds = "insufficient_funds";
    let still = Outcome::Declined(funds.to_owned());
    let lost = Outcome::Declined("lost_card".to_owned());
    let unpaid = |customer, amount, currency, code| Unpaid {
        customer,
        amount,
        currency,
        code,
        earlier: &[],
        later: &[],
        now: Outcome::Succeeds,
    };
    let all = [
        Unpaid {
            earlier: &[12, 7, 4],
            ..unpaid("cus_Morgenrot", 4_900, "eur", funds)
        },
        Unpaid {
            now: lost,
            ..unpaid("cus_Velowerk", 7_900, "chf", "lost_card")
        },
        Unpaid {
            later: &[3, 5],
            now: still,
            ..unpaid("cus_Tanuki", 9_800, "jpy", funds)
        },
        Unpaid {
            earlier: &[3],
            later: &[2],
            ..unpaid("cus_Brightside", 12_900, "usd", "expired_card")
        },
    ];
    let mut account = world.stripe().world();
    for told in all {
        account.live.invoices.push(failed(&told, now));
        let customer = account.live.customer(told.customer);
        if let Some(card) = &mut customer.card {
            card.outcome = told.now;
        }
    }
}

fn failed(told: &Unpaid, now: DateTime<Utc>) -> Invoice {
    let last_night = now - TimeDelta::hours(6);
    let days = TimeDelta::days;
    let attempt = |at, outcome| Attempt {
        at,
        outcome,
        is_manual: false,
    };
    let declined = || Outcome::Declined(told.code.to_owned());
    let earlier = told.earlier.iter().map(|ago| last_night - days(*ago));
    let made = earlier
        .chain([last_night])
        .map(|at| attempt(at, declined()));
    let mut attempts: Vec<Attempt> = made.collect();
    let planned = told.later.iter().enumerate().map(|(place, ahead)| {
        let is_last = place + 1 == told.later.len();
        let outcome = if is_last {
            Outcome::Succeeds
        } else {
            declined()
        };
        attempt(last_night + days(*ahead), outcome)
    });
    attempts.extend(planned);
    let finalized = attempts[0].at;
    Invoice {
        id: minted("in_1", &format!("{} before payday", told.customer)),
        subscription: Some(minted("sub_1", told.customer)),
        created: finalized - TimeDelta::hours(1),
        finalized: Some(finalized),
        attempts,
        ..invoice("")
            .of(told.customer)
            .amount(told.amount, told.currency)
    }
}

fn disputes() -> [Dispute; 2] {
    let (days, hours) = (TimeDelta::days, TimeDelta::hours);
    let told = |name: &str| Dispute {
        charge: minted("ch_3", name),
        payment: Some(minted("pi_3", name)),
        ..dispute(&minted("du_1", name))
    };
    [
        Dispute {
            reason: "product_not_received",
            ..told("due tomorrow")
                .amount(24_900, "eur")
                .ago(days(5))
                .due_in(hours(30))
        },
        told("an inquiry")
            .amount(6_400, "eur")
            .ago(days(1))
            .due_in(days(9))
            .inquiry(),
    ]
}
