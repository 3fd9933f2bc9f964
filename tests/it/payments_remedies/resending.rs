//! Events that Stripe is asked to deliver once more.

use std::time::Duration;

use chrono::TimeDelta;
use daily_ops::checks::NotApplied;

use super::{Click, Desk, done, not_sent, refused, unknown};
use crate::world::stripe::{Account, endpoint, event, fault, stripe, undelivered};

const ALLOWED: &str = "allow_event_retry = true";

/// Three events that `we_1` never got; the route by which they can be sent again is there.
fn missed() -> Account {
    let mut account = stripe().with(endpoint("we_1", "https://ops.example.com/hooks"));
    account.live.tells_only_its_own_events = true;
    account.add_all(undelivered(3, "invoice.paid", "we_1"));
    account.allows_retry = true;
    account.keys[0].permissions = None;
    account
}

fn resend(desk: &Desk) -> Click<'_> {
    desk.click("resend", "payments:webhooks/we_1/invoice.paid", None)
}

fn resent(desk: &Desk) -> usize {
    desk.stripe.world().ledger.resent.len()
}

#[tokio::test]
async fn only_the_configuration_allows_what_is_not_documented() {
    let desk = Desk::before(missed()).await;
    let why = refused(resend(&desk).attempt().await);
    assert!(why.contains("`allow_event_retry = true`"), "{why}");
    assert_eq!(desk.stripe.world().ledger.requests.len(), 0);
}

#[tokio::test]
async fn success_is_claimed_only_after_the_events_were_read_again() {
    let desk = Desk::with(ALLOWED, missed()).await;
    let mut click = resend(&desk);
    let first = click.attempt().await;
    assert!(
        matches!(&first, Err(NotApplied::OutcomeUnknown(why)) if why.asked_wait == Some(Duration::from_secs(60))),
        "{first:?}"
    );
    assert!(unknown(first).starts_with("3 of 3 events sent to https://ops.example.com/hooks; Stripe shows 0 as delivered, and 3 not yet"));
    assert_eq!(resent(&desk), 3);
    unknown(click.attempt().await);
    assert_eq!(
        resent(&desk),
        3,
        "under the same keys, nothing is sent anew"
    );
    desk.time.advance(TimeDelta::seconds(60));
    assert_eq!(
        done(click.attempt().await),
        "resent, and delivered: 3 events"
    );
}

#[tokio::test]
async fn a_dry_run_tells_the_exact_requests_and_sends_none() {
    let desk = Desk::with(ALLOWED, missed()).await;
    let click = resend(&desk);
    let lines = click.rehearse().await;
    let key = format!("idempotency-key: {}", click.order.idempotency_key);
    assert_eq!(lines[5], key, "it is no secret");
    assert_eq!(
        [&lines[..3], &lines[6..]].concat(),
        [
            "POST /v1/events/evt_invoicepaid000002/retry webhook_endpoint=we_1",
            "POST /v1/events/evt_invoicepaid000001/retry webhook_endpoint=we_1",
            "POST /v1/events/evt_invoicepaid000000/retry webhook_endpoint=we_1",
            "each with `-` and the event's id after that idempotency key",
            "3 events to https://ops.example.com/hooks"
        ]
    );
    assert_eq!(desk.asked(&["POST"]), 0);
}

#[tokio::test]
async fn where_the_route_is_missing_or_forbidden_the_link_remains() {
    for is_there in [false, true] {
        let mut account = missed();
        account.allows_retry = is_there;
        if is_there {
            account.keys[0] = crate::world::stripe::Key::restricted(crate::world::stripe::KEY);
        }
        let desk = Desk::with(ALLOWED, account).await;
        let why = refused(resend(&desk).attempt().await);
        assert!(
            why.starts_with("resending is not available for this account: take the link"),
            "{why}"
        );
        assert_eq!((resent(&desk), desk.asked(&["POST"])), (0, 1));
    }
}

#[tokio::test]
async fn only_the_findings_own_events_are_sent_and_a_hundred_at_most() {
    let mut account = missed();
    account.add_all(undelivered(120, "charge.failed", "we_1"));
    account.add(endpoint("we_2", "https://other.example.com").of_types(&["invoice.paid"]));
    account.add(
        event("evt_half", "invoice.paid")
            .pending(1)
            .ago(TimeDelta::hours(2)),
    );
    account.add(
        event("evt_young", "charge.failed")
            .ago(TimeDelta::minutes(5))
            .missed_by("we_1"),
    );
    let desk = Desk::with(ALLOWED, account).await;
    let lines = desk
        .click("resend", "payments:webhooks/we_1/charge.failed", None)
        .rehearse()
        .await;
    assert_eq!(lines.len(), 105);
    assert_eq!(
        lines[104],
        "100 events to https://ops.example.com/hooks, the newest of more"
    );
    assert!(
        lines[99].contains("evt_chargefailed000000"),
        "{}",
        lines[99]
    );
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("young") || line.contains("invoicepaid"))
    );
    let both = desk
        .click("resend", "payments:webhooks/we_1/invoice.paid", None)
        .rehearse()
        .await;
    assert_eq!(
        both.len(),
        5,
        "Stripe doesn't say which of the two endpoints missed them: {both:?}"
    );
}

#[tokio::test]
async fn a_broken_answer_is_no_success() {
    let account = missed().failing(fault("POST /v1/events retry").hangs_up().times(1));
    let desk = Desk::with(ALLOWED, account).await;
    let mut click = resend(&desk);
    unknown(click.attempt().await);
    unknown(click.attempt().await);
    assert_eq!(resent(&desk), 3);
    desk.time.advance(TimeDelta::seconds(60));
    done(click.attempt().await);
}

#[tokio::test]
async fn what_was_sent_in_part_is_not_called_unsent() {
    let account = missed().failing(fault("POST /v1/events retry").after(1).unauthorized());
    let desk = Desk::with(ALLOWED, account).await;
    unknown(resend(&desk).attempt().await);
    assert_eq!(resent(&desk), 1);
    let account = missed().failing(fault("POST /v1/events retry").unauthorized());
    let desk = Desk::with(ALLOWED, account).await;
    not_sent(resend(&desk).attempt().await);
}

#[tokio::test]
async fn a_disabled_endpoint_is_enabled_first() {
    let mut account = missed();
    account.live.endpoint("we_1").disabled = Some(account.now());
    let desk = Desk::with(ALLOWED, account).await;
    let why = refused(resend(&desk).attempt().await);
    assert!(
        why.contains("is disabled in Stripe") && why.ends_with("enable it first"),
        "{why}"
    );
}
