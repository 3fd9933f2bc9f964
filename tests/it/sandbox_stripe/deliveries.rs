//! Which events reached which endpoint, and the company's own handler.

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::sandbox::time::Time;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{CLIENT, get, post};
use crate::world::stripe::{Receiver, SIGNING_SECRET, Wording, account, endpoint, event, stripe};

fn hours(number: i64) -> TimeDelta {
    TimeDelta::hours(number)
}

#[tokio::test]
async fn as_many_are_pending_as_endpoints_have_missed_it() {
    let described = stripe()
        .with(endpoint("we_1", "https://a.example").failing(hours(3)))
        .with(endpoint("we_2", "https://b.example").failing_for(hours(3), &["invoice.paid"]))
        .with(
            endpoint("we_3", "https://c.example")
                .of_types(&["charge.failed"])
                .failing(hours(3)),
        )
        .with(endpoint("we_4", "https://d.example").disabled(hours(3)))
        .with(event("evt_1", "invoice.paid").ago(hours(2)))
        .with(event("evt_2", "charge.failed").ago(hours(2)))
        .with(event("evt_3", "invoice.paid").ago(hours(4)))
        .with(event("evt_4", "invoice.paid").ago(hours(4)).pending(7));
    let stripe = described.open().await.expect("it opens");
    for (id, pending) in [("evt_1", 2), ("evt_2", 2), ("evt_3", 0), ("evt_4", 7)] {
        let seen = get(&stripe, &format!("/v1/events/{id}")).await.body;
        assert_eq!(seen["pending_webhooks"], pending, "{id}");
    }
}

#[tokio::test]
async fn what_failed_is_tried_again_for_three_days_and_then_never() {
    let time = Time::standing(Time::real().now());
    let described = account(time.clone())
        .with(endpoint("we_1", "https://a.example").failed(hours(80), hours(0)))
        .with(event("evt_old", "invoice.paid").ago(hours(76)))
        .with(event("evt_new", "invoice.paid").ago(hours(10)));
    let stripe = described.open().await.expect("it opens");
    let failed = async || {
        let seen = get(&stripe, "/v1/events?delivery_success=false").await;
        seen.ids().join(" ")
    };
    assert_eq!(failed().await, "evt_new evt_old");
    time.advance(hours(24));
    assert_eq!(failed().await, "evt_old");
    time.advance(TimeDelta::days(4));
    assert_eq!(failed().await, "evt_old");
}

#[tokio::test]
async fn the_undocumented_route_is_there_only_when_the_world_has_it() {
    let described = stripe()
        .with(endpoint("we_1", "https://a.example").failed(hours(80), hours(1)))
        .with(event("evt_1", "invoice.paid").ago(hours(76)));
    let stripe = described.open().await.expect("it opens");
    let retry = || {
        post(
            &stripe,
            "/v1/events/evt_1/retry",
            "key-1",
            "webhook_endpoint=we_1",
        )
    };
    let secret = crate::world::stripe::KEY;
    assert_eq!(retry().await.status, 403);
    stripe.world().key(secret).permissions = None;
    let refused = retry().await;
    assert_eq!(refused.status, 404);
    assert!(
        refused
            .message()
            .starts_with("Unrecognized request URL (POST: /v1/events/evt_1/retry).")
    );
    stripe.world().allows_retry = true;
    assert_eq!(retry().await.status, 200);
    stripe.world().time.advance(TimeDelta::seconds(2));
    let seen = get(&stripe, "/v1/events/evt_1").await.body;
    assert_eq!(seen["pending_webhooks"], 0);
    let world = stripe.world();
    assert!(world.ledger.resent[0].is_taken && world.words == Wording::Having);
}

fn signed(secret: &str, at: DateTime<Utc>, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do");
    let time = at.timestamp();
    let mac = mac.chain_update(format!("{time}.{body}"));
    format!(
        "t={time},v0=00,v1={}",
        hex::encode(mac.finalize().into_bytes())
    )
}

#[tokio::test]
async fn the_own_handler_takes_what_is_signed_and_does_it_once() {
    let time = Time::standing(Time::real().now());
    let receiver = Receiver::open(time.clone()).await.expect("it opens");
    let body = r#"{"id": "evt_1", "type": "invoice.paid"}"#;
    let send = async |signature: String| {
        let sent = CLIENT
            .post(receiver.url())
            .header("stripe-signature", signature)
            .body(body);
        sent.send().await.expect("it answers").status().as_u16()
    };
    let now = time.now();
    assert_eq!(send(signed(SIGNING_SECRET, now, body)).await, 200);
    assert_eq!(send(signed(SIGNING_SECRET, now, body)).await, 200);
    assert_eq!(send(signed("whsec_other", now, body)).await, 400);
    assert_eq!(
        send(signed(SIGNING_SECRET, now - hours(1), body)).await,
        400
    );
    assert_eq!(send(signed(SIGNING_SECRET, now, "{}")).await, 400);
    assert_eq!(send(String::new()).await, 400);
    receiver.fail(true);
    assert_eq!(send(signed(SIGNING_SECRET, now, body)).await, 500);
    let handler = receiver.handler();
    let arrived: Vec<(&str, bool)> = handler
        .arrived
        .iter()
        .map(|it| (it.event.as_str(), it.is_known))
        .collect();
    assert_eq!(arrived, [("evt_1", false), ("evt_1", true)]);
    assert_eq!(handler.refused.len(), 4);
}
