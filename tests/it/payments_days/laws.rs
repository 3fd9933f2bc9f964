//! What nobody settled, and the world has not mended, is in every later report.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{DAY, Days, HOUR};
use crate::world::stripe::{Account, dispute, endpoint, event, invoice, payment, payout};

/// Something that is wrong, and so many hours old.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Invoice,
    Overdue,
    Draft,
    Event,
    Payout,
    Dispute,
    Fraud,
}

fn wrong() -> impl Strategy<Value = (Wrong, i32)> {
    prop_oneof![
        (Just(Wrong::Invoice), 30..89 * 24),
        (Just(Wrong::Overdue), 30..89 * 24),
        (Just(Wrong::Draft), 30..89 * 24),
        (Just(Wrong::Event), 1..7 * 24),
        (Just(Wrong::Payout), 1..29 * 24),
        (Just(Wrong::Dispute), 1..100 * 24),
        (Just(Wrong::Fraud), 1..23),
    ]
}

fn add(stripe: &mut Account, place: usize, what: Wrong, hours: i32) {
    let age = HOUR * hours;
    let owed = |id: String| invoice(&id).of("cus_1").eur(4_900).ago(age);
    let id = |prefix: &str| format!("{prefix}_{place}");
    match what {
        Wrong::Invoice => stripe.add(owed(id("in")).declined("do_not_honor").attempts(3)),
        Wrong::Overdue => stripe.add(owed(id("in")).mailed(-HOUR)),
        Wrong::Draft => stripe.add(owed(id("in")).not_finalized("customer_tax_location_invalid")),
        Wrong::Event => {
            stripe.add(
                event(&id("evt"), "customer.updated")
                    .ago(age)
                    .missed_by("we_1"),
            );
        }
        Wrong::Payout => stripe.add(payout(&id("po")).ago(age).failed("account_closed")),
        Wrong::Dispute => stripe.add(dispute(&id("dp")).ago(age).due_in(DAY * 400)),
        Wrong::Fraud => stripe.add(payment(&id("pi")).ago(age).declined("stolen_card")),
    }
}

async fn nothing_is_lost(wrongs: Vec<(Wrong, i32)>, steps: Vec<i32>) -> Result<(), TestCaseError> {
    let days = Days::of(|mut stripe| {
        stripe.add(endpoint("we_1", "https://acme.example/stripe"));
        for (place, (what, hours)) in wrongs.into_iter().enumerate() {
            add(&mut stripe, place, what, hours);
        }
        stripe
    })
    .await;
    let mut open: BTreeSet<String> = days.now().await.needs_you().into_iter().collect();
    for step in steps {
        let morning = days.after(TimeDelta::hours(step.into())).await;
        let now: BTreeSet<String> = morning.needs_you().into_iter().collect();
        prop_assert!(now.is_superset(&open), "{open:?} became {now:?}");
        prop_assert!(morning.gone().is_empty(), "{:?}", morning.gone());
        open = now;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn what_nobody_settled_and_nothing_mended_is_in_every_later_report(
        wrongs in prop::collection::vec(wrong(), 1..8),
        steps in prop::collection::vec(1..20 * 24, 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be built");
        runtime.block_on(nothing_is_lost(wrongs, steps))?;
    }
}
