//! Disputes and payouts that grow old.

use daily_ops::{render, report::Beyond};

use super::{DAY, Days, HOUR};
use crate::world::stripe::{dispute, payout};

#[tokio::test]
async fn a_failed_payout_and_a_dispute_stay_until_somebody_handles_them() {
    let days = Days::of(|stripe| {
        stripe
            .with(payout("po_1").ago(DAY * 28).failed("account_closed"))
            .with(dispute("dp_1").ago(DAY * 118).due_in(DAY * 20))
    })
    .await;
    let keys = ["payments:dispute/dp_1", "payments:payout/po_1"];
    for _ in 0..5 {
        let morning = days.after(DAY).await;
        let mut found = morning.needs_you();
        found.sort();
        assert_eq!(found, keys);
        assert!(morning.gone().is_empty());
    }
    for key in keys {
        days.somebody(&format!("handle {key} the bank knows")).await;
    }
    let morning = days.after(DAY).await;
    assert_eq!((morning.shown(), morning.gone()), (vec![], vec![]));
}

#[tokio::test]
async fn what_was_found_in_an_account_that_is_not_listed_any_more_says_so() {
    let key = "payments:acct_1/payout/po_1";
    let days = Days::with("accounts = ['acct_1']\n", |mut stripe| {
        stripe.connect("acct_1", payout("po_1").ago(DAY).failed("account_closed"));
        stripe
    })
    .await;
    assert_eq!(days.now().await.needs_you(), [key]);
    let days = days.reconfigured("accounts", "").await;
    let morning = days.after(HOUR).await;
    assert_eq!(
        (morning.needs_you(), morning.gone()),
        (vec![key.to_owned()], vec![])
    );
    assert!(morning.is_beyond(key, Beyond::LeftOut));
    let said = render::age(morning.row(key), days.company.now());
    assert!(
        said.ends_with("not looked at any more, as configured, so it stays until it is handled"),
        "{said}"
    );
}
