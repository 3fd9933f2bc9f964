//! Disputes and payouts that grow old.

use super::{DAY, Days};
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
