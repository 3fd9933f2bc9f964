//! Failed payments of yesterday, of which nobody has said that they are handled.

use daily_ops::report::Severity;

use super::{DAY, Days, HOUR};
use crate::world::stripe::{Attempt, Outcome, Payment, payment};

const KEY: &str = "payments:declines/do_not_honor";

fn declined(id: &str) -> Payment {
    let payment = payment(id).of("cus_1").amount(1_000, "eur").ago(HOUR);
    payment.declined("do_not_honor")
}

/// As many as are high where nothing is known of what is normal.
async fn flooded() -> Days {
    let many = (0..20).map(|i| declined(&format!("pi_{i}")));
    Days::of(|stripe| stripe.with_all(many)).await
}

#[tokio::test]
async fn what_failed_yesterday_stays_until_somebody_handles_it() {
    let days = flooded().await;
    assert_eq!(days.now().await.row(KEY).finding.severity, Severity::High);
    for _ in 0..3 {
        let morning = days.after(DAY).await;
        let row = morning.row(KEY);
        assert_eq!(morning.needs_you(), [KEY]);
        assert_eq!(
            (row.finding.magnitude, row.finding.severity),
            (20, Severity::High)
        );
        let rule = row.finding.rule.as_str();
        assert!(rule.starts_with("0 in 24 h"), "{rule}");
        assert!(rule.contains("before that 20 since"), "{rule}");
    }
    days.somebody(&format!("handle {KEY} the bank was down"))
        .await;
    let morning = days.after(DAY).await;
    assert_eq!((morning.shown(), morning.gone()), (vec![], vec![]));
}

#[tokio::test]
async fn a_new_days_failures_join_those_that_nobody_has_handled() {
    let days = flooded().await;
    days.now().await;
    days.company.later(DAY);
    days.stripe
        .world()
        .add_all([declined("pi_new1"), declined("pi_new2")]);
    let morning = days.now().await;
    let finding = &morning.row(KEY).finding;
    assert_eq!((finding.magnitude, finding.severity), (22, Severity::High));
    assert!(
        finding.title.as_str().starts_with("22 failed payments"),
        "{finding:?}"
    );
    assert!(
        finding.rule.as_str().starts_with("2 in 24 h"),
        "{finding:?}"
    );
    days.somebody(&format!("handle {KEY} the bank was down"))
        .await;
    let morning = days.after(HOUR).await;
    assert_eq!(
        morning.row(KEY).finding.magnitude,
        2,
        "the others are dealt with"
    );
    assert!(morning.needs_you().is_empty());
}

#[tokio::test]
async fn a_few_failures_are_let_go_with_their_day() {
    let days = Days::of(|stripe| stripe.with(declined("pi_1"))).await;
    assert_eq!(days.now().await.shown(), [KEY]);
    let morning = days.after(DAY).await;
    assert_eq!((morning.shown(), morning.gone()), (vec![], vec![]));
}

#[tokio::test]
async fn failures_that_stripe_has_forgotten_stay_as_they_stood() {
    let days = flooded().await;
    days.now().await;
    let morning = days.after(DAY * 40).await;
    assert_eq!(morning.needs_you(), [KEY]);
    assert!(morning.is_aged(KEY) && morning.gone().is_empty());
}

#[tokio::test]
async fn what_could_not_be_read_again_does_not_make_a_finding_milder() {
    let many = (0..25).map(|i| declined(&format!("pi_{i}")));
    let days = Days::with("max_requests = 11\n", |stripe| stripe.with_all(many)).await;
    let began = days.now().await.row(KEY).finding.began_at;
    days.company.later(DAY * 5);
    days.stripe
        .world()
        .add_all([declined("pi_new1"), declined("pi_new2")]);
    for _ in 0..3 {
        let morning = days.after(HOUR).await;
        let finding = &morning.row(KEY).finding;
        assert_eq!((finding.magnitude, finding.severity), (25, Severity::High));
        assert_eq!(finding.began_at, began);
        let (title, rule) = (finding.title.as_str(), finding.rule.as_str());
        assert!(
            title.starts_with("2+ failed payments")
                && title.ends_with("; an earlier look counted 25"),
            "{title}"
        );
        assert!(rule.contains("; an earlier look counted 25"), "{rule}");
        let reasons = morning.reasons();
        assert!(
            reasons.iter().any(|why| why.contains("`max_requests`")),
            "{reasons:?}"
        );
    }
}

#[tokio::test]
async fn what_there_is_no_request_left_for_is_unknown_and_not_too_old() {
    let many = (0..25).map(|i| declined(&format!("pi_{i}")));
    let days = Days::with("max_requests = 11\n", |stripe| stripe.with_all(many)).await;
    days.now().await;
    let morning = days.after(DAY * 5).await;
    assert!(morning.gone().is_empty());
    let reasons = morning.reasons();
    assert!(
        reasons.iter().any(|why| why.contains("`max_requests`")),
        "{reasons:?}"
    );
    let days = days.reconfigured("max_requests", "").await;
    assert_eq!(days.now().await.needs_you(), [KEY]);
}

#[tokio::test]
async fn a_glance_at_the_news_does_not_take_the_rest_away() {
    let days = flooded().await;
    let began = days.now().await.row(KEY).finding.began_at;
    let since = days.company.now() + DAY;
    days.company.later(DAY * 2);
    let many = (20..42).map(|i| declined(&format!("pi_{i}")));
    days.stripe.world().add_all(many);
    let morning = days.glance(since).await;
    let finding = &morning.row(KEY).finding;
    assert_eq!((finding.magnitude, finding.began_at), (22, began));
    assert_eq!(days.now().await.row(KEY).finding.magnitude, 42);
}

#[tokio::test]
async fn a_suspicion_of_fraud_is_not_taken_away_by_a_retry_with_another_code() {
    let stolen = |i| {
        let payment = payment(&format!("pi_{i}")).of("cus_1");
        payment.ago(HOUR).declined("stolen_card")
    };
    let days = Days::of(|stripe| stripe.with_all((0..6).map(stolen))).await;
    let key = "payments:declines/stolen_card";
    assert_eq!(days.now().await.needs_you(), [key]);
    days.company.later(HOUR * 2);
    let at = days.company.now();
    let outcome = Outcome::Declined("generic_decline".to_owned());
    let again = Attempt {
        at,
        outcome,
        is_manual: true,
    };
    for payment in &mut days.stripe.world().live.payments {
        payment.attempts.push(again.clone());
    }
    for _ in 0..3 {
        let morning = days.after(DAY).await;
        assert_eq!(morning.needs_you(), [key]);
        assert_eq!(morning.row(key).finding.magnitude, 6);
        assert!(morning.gone().is_empty());
    }
}
