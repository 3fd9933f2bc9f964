//! Events that we deliver to our own handler.

use chrono::TimeDelta;

use super::{Click, Desk, done, not_sent, refused, unknown};
use crate::world::stripe::{Account, KEY, Permission, endpoint, event, fault, stripe, undelivered};

/// Four events that `we_1` never got, one of another type, and one that it got.
fn missed() -> Account {
    let mut account = stripe().with(endpoint("we_1", "https://ops.example.com/hooks"));
    account.live.tells_only_its_own_events = true;
    account.add_all(undelivered(4, "invoice.paid", "we_1"));
    account.add(event("evt_other", "charge.failed").missed_by("we_1"));
    account.add(event("evt_got", "invoice.paid"));
    account
}

fn replay(desk: &Desk) -> Click<'_> {
    desk.click("replay", "payments:webhooks/we_1/invoice.paid", None)
}

/// The numbers of the events, as they arrived.
fn arrived(receiver: &crate::world::stripe::Receiver) -> Vec<String> {
    let handler = receiver.handler();
    let arrived = handler.arrived.iter();
    arrived
        .map(|it| {
            it.event
                .trim_start_matches("evt_invoicepaid00000")
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn our_handler_gets_what_it_missed_signed_and_oldest_first() {
    let (desk, receiver) = Desk::with_handler(missed()).await;
    let said = done(replay(&desk).attempt().await);
    assert_eq!(
        said,
        format!(
            "4 events delivered to {}; Stripe, which knows nothing of it, still shows them as undelivered",
            receiver.url()
        )
    );
    assert_eq!(arrived(&receiver), ["3", "2", "1", "0"]);
    let handler = receiver.handler();
    assert!(handler.refused.is_empty() && handler.arrived.iter().all(|it| !it.is_known));
    let body: serde_json::Value = serde_json::from_str(&handler.arrived[0].body).unwrap();
    assert_eq!(
        (&body["object"], &body["type"]),
        (&"event".into(), &"invoice.paid".into())
    );
    assert_eq!(desk.asked(&["POST"]), 0, "Stripe is only read");
}

#[tokio::test]
async fn a_dry_run_tells_what_would_go_where() {
    let (desk, receiver) = Desk::with_handler(missed()).await;
    let lines = replay(&desk).rehearse().await;
    let first = format!("POST {} evt_invoicepaid000003 invoice.paid", receiver.url());
    assert_eq!((lines.len(), &lines[0]), (7, &first));
    assert!(arrived(&receiver).is_empty());
}

#[tokio::test]
async fn an_attempt_goes_on_where_the_one_before_stopped() {
    let broken = fault("GET /v1/events/evt_invoicepaid000001").unavailable();
    let (desk, receiver) = Desk::with_handler(missed().failing(broken)).await;
    let mut click = replay(&desk);
    let why = unknown(click.attempt().await);
    assert!(
        why.starts_with(&format!(
            "2 events delivered to {}, 2 left. ",
            receiver.url()
        )),
        "{why}"
    );
    desk.stripe.world().faults.clear();
    assert!(done(click.attempt().await).starts_with("4 events delivered"));
    assert_eq!(arrived(&receiver), ["3", "2", "1", "0"], "none came twice");
}

#[tokio::test]
async fn a_handler_that_fails_is_not_called_delivered() {
    let (desk, receiver) = Desk::with_handler(missed()).await;
    receiver.fail(true);
    let mut click = replay(&desk);
    let why = unknown(click.attempt().await);
    assert!(
        why.starts_with(&format!(
            "0 events delivered to {}, 3 answered 500, 1 left. ",
            receiver.url()
        )),
        "{why}"
    );
    receiver.fail(false);
    receiver.handler().forgets_to_answer = true;
    let why = unknown(click.attempt().await);
    assert!(why.contains("3 answered 502"), "{why}");
    receiver.handler().forgets_to_answer = false;
    assert!(done(click.attempt().await).starts_with("4 events delivered"));
    let handler = receiver.handler();
    let known = handler.arrived.iter().filter(|it| it.is_known).count();
    assert_eq!(
        known, 3,
        "what was done without an answer comes again, as from Stripe"
    );
}

#[tokio::test]
async fn what_a_failing_handler_has_had_is_not_called_unsent() {
    let broken = fault("GET /v1/events/evt_invoicepaid000002").unavailable();
    let (desk, receiver) = Desk::with_handler(missed().failing(broken)).await;
    receiver.fail(true);
    let why = unknown(replay(&desk).attempt().await);
    assert!(
        why.starts_with(&format!(
            "0 events delivered to {}, 1 answered 500, 3 left. ",
            receiver.url()
        )),
        "{why}"
    );
}

#[tokio::test]
async fn a_signature_that_is_turned_away_is_said_with_what_to_do() {
    let (mut desk, receiver) = Desk::with_handler(missed()).await;
    desk.signing_secret = concat!("whsec_", "another0123456789").to_owned();
    let why = refused(replay(&desk).attempt().await);
    assert!(
        why.contains("1 answered 400, 3 left") && why.contains("STRIPE_WEBHOOK_SECRET"),
        "{why}"
    );
    assert_eq!(
        receiver.handler().refused.len(),
        1,
        "the others would fare alike"
    );
    desk.signing_secret = "we_2=whsec_x".to_owned();
    let why = not_sent(replay(&desk).attempt().await);
    assert!(
        why.starts_with("STRIPE_WEBHOOK_SECRET holds no signing secret for we_1"),
        "{why}"
    );
}

#[tokio::test]
async fn a_handler_that_is_down_gets_nothing_and_the_order_waits() {
    let (desk, receiver) = Desk::with_handler(missed()).await;
    drop(receiver);
    let why = unknown(replay(&desk).attempt().await);
    assert!(why.contains("1 answered nothing, 3 left"), "{why}");
}

#[tokio::test]
async fn events_go_only_where_the_configuration_says() {
    let desk = Desk::before(missed()).await;
    let why = refused(replay(&desk).attempt().await);
    assert!(why.contains("[checks.payments.replay]"), "{why}");
    let (desk, receiver) = Desk::with_handler(missed()).await;
    let mut other = desk.click("replay", "payments:webhooks/we_2/invoice.paid", None);
    assert!(refused(other.attempt().await).contains("we_2"));
    assert!(arrived(&receiver).is_empty());
    desk.stripe.world().live.endpoints.clear();
    let why = refused(replay(&desk).attempt().await);
    assert!(why.contains("no webhook endpoint we_1"), "{why}");
}

#[tokio::test]
async fn what_is_too_old_or_delivered_by_now_is_not_replayed() {
    let mut account = missed();
    account.add(
        event("evt_ancient", "invoice.paid")
            .ago(TimeDelta::days(29))
            .missed_by("we_1"),
    );
    let (desk, receiver) = Desk::with_handler(account).await;
    assert!(done(replay(&desk).attempt().await).starts_with("4 events"));
    assert!(
        !arrived(&receiver)
            .iter()
            .any(|event| event.contains("ancient"))
    );
    let account = stripe().with(endpoint("we_1", "https://ops.example.com/hooks"));
    let (desk, _receiver) = Desk::with_handler(account).await;
    assert_eq!(
        done(replay(&desk).attempt().await),
        "Stripe shows all of them as delivered; nothing was sent"
    );
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let mut account = missed();
    account.key(KEY).lose(Permission::WebhookRead);
    let (desk, receiver) = Desk::with_handler(account).await;
    let why = not_sent(replay(&desk).attempt().await);
    assert!(why.contains("`Webhook Endpoints: read`"), "{why}");
    assert!(arrived(&receiver).is_empty());
}

#[tokio::test]
async fn what_is_too_much_for_one_order_is_not_called_done() {
    let mut account = stripe().with(endpoint("we_1", "https://ops.example.com/hooks"));
    account.live.tells_only_its_own_events = true;
    account.add_all(undelivered(103, "invoice.paid", "we_1"));
    let (desk, receiver) = Desk::with_handler(account).await;
    let said = refused(replay(&desk).attempt().await);
    assert!(
        said.starts_with("100 events delivered") && said.ends_with("decide again for those"),
        "{said}"
    );
    assert!(done(replay(&desk).attempt().await).starts_with("3 events delivered"));
    let handler = receiver.handler();
    assert_eq!(handler.arrived.len(), 103);
    assert!(handler.arrived.iter().all(|it| !it.is_known));
}

#[tokio::test]
async fn what_another_endpoint_may_miss_is_not_called_delivered() {
    let mut account = stripe().with(endpoint("we_1", "https://ops.example.com/hooks"));
    account.live.tells_only_its_own_events = true;
    account.add(endpoint("we_2", "https://other.example.com"));
    account.add(
        event("evt_half", "invoice.paid")
            .pending(1)
            .ago(TimeDelta::hours(2)),
    );
    let (desk, _receiver) = Desk::with_handler(account).await;
    let said = refused(replay(&desk).attempt().await);
    assert!(
        said.starts_with("Stripe no longer says that this endpoint missed them"),
        "{said}"
    );
}
