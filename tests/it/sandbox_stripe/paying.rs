//! What changes money, and how often.

use chrono::TimeDelta;

use super::{get, post};
use crate::world::stripe::{Outcome, customer, fault, invoice, stripe};

#[tokio::test]
async fn a_card_that_works_pays_once_however_often_it_is_asked_under_one_key() {
    let told = invoice("in_1")
        .eur(4_900)
        .declined("insufficient_funds")
        .attempts(3);
    let stripe = stripe().with(told).open().await.expect("it opens");
    let before = get(&stripe, "/v1/invoices/in_1").await.body;
    assert_eq!(
        (&before["status"], &before["attempt_count"]),
        (&"open".into(), &3.into())
    );
    assert_eq!(before["next_payment_attempt"], serde_json::Value::Null);
    let paid = post(
        &stripe,
        "/v1/invoices/in_1/pay",
        "key-1",
        "off_session=true",
    )
    .await;
    assert_eq!(
        (paid.status, paid.header("idempotent-replayed")),
        (200, None)
    );
    assert_eq!(
        (&paid.body["status"], &paid.body["amount_remaining"]),
        (&"paid".into(), &0.into())
    );
    let again = post(
        &stripe,
        "/v1/invoices/in_1/pay",
        "key-1",
        "off_session=true",
    )
    .await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (200, Some("true"))
    );
    assert_eq!(again.body, paid.body);
    let other = post(
        &stripe,
        "/v1/invoices/in_1/pay",
        "key-1",
        "off_session=false",
    )
    .await;
    assert_eq!(
        (other.status, &other.body["error"]["type"]),
        (400, &"idempotency_error".into())
    );
    let late = post(&stripe, "/v1/invoices/in_1/pay", "key-2", "").await;
    assert_eq!(
        (late.status, late.message()),
        (400, "Invoice is already paid")
    );
    assert_eq!(stripe.world().ledger.taken("in_1"), 4_900);
    let charges = get(&stripe, "/v1/charges").await;
    assert_eq!(charges.ids(), ["ch_1a4", "ch_1a3", "ch_1a2", "ch_1a1"]);
    let paid = get(&stripe, "/v1/events?type=invoice.paid").await;
    assert_eq!(paid.ids().len(), 1);
}

#[tokio::test]
async fn a_decline_is_a_402_that_is_kept_and_counted() {
    let described = stripe()
        .with(customer("cus_1").declines("lost_card"))
        .with(invoice("in_1").declined("lost_card"));
    let stripe = described.open().await.expect("it opens");
    for _ in 0..3 {
        let declined = post(&stripe, "/v1/invoices/in_1/pay", "key-1", "").await;
        let error = &declined.body["error"];
        assert_eq!(
            (declined.status, &error["code"], &error["decline_code"]),
            (402, &"card_declined".into(), &"lost_card".into())
        );
    }
    {
        let world = stripe.world();
        let outcomes: Vec<&Outcome> = world.ledger.charged.iter().map(|it| &it.outcome).collect();
        assert_eq!(outcomes, [&Outcome::Declined("lost_card".to_owned())]);
    }
    let invoice = get(&stripe, "/v1/invoices/in_1").await.body;
    assert_eq!(invoice["status"], "open");
    let payments = get(&stripe, "/v1/invoice_payments?invoice=in_1").await.body;
    let payment = payments["data"][0]["payment"]["payment_intent"]
        .as_str()
        .expect("it is there");
    let payment = get(&stripe, &format!("/v1/payment_intents/{payment}"))
        .await
        .body;
    assert_eq!(payment["last_payment_error"]["decline_code"], "lost_card");
    assert_eq!(payment["latest_charge"], "ch_1a2");
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_effect_can_be_asked_for_again() {
    let lost = [
        fault("POST /pay").hangs_up().times(1),
        fault("POST /pay").cuts_off().after(1).times(1),
    ];
    for fault in lost {
        let described = stripe().with(invoice("in_1")).failing(fault);
        let stripe = described.open().await.expect("it opens");
        let mut lost = 0;
        for _ in 0..3 {
            let asked = super::request(&stripe, reqwest::Method::POST, "/v1/invoices/in_1/pay")
                .header("idempotency-key", "key-1");
            let answer = match asked.send().await {
                Ok(answer) => answer.bytes().await.map(drop),
                Err(error) => Err(error),
            };
            lost += u32::from(answer.is_err());
        }
        assert_eq!(lost, 1);
        assert_eq!(stripe.world().ledger.taken("in_1"), 1_000);
        assert_eq!(stripe.world().ledger.charged.len(), 1);
    }
}

#[tokio::test]
async fn an_invoice_is_sent_again_only_if_it_is_paid_after_an_e_mail() {
    let described = stripe()
        .with(invoice("in_1").mailed(TimeDelta::days(-2)))
        .with(invoice("in_2"))
        .with(invoice("in_3").mailed(TimeDelta::days(-2)).void());
    let stripe = described.open().await.expect("it opens");
    let overdue = get(
        &stripe,
        "/v1/invoices?collection_method=send_invoice&status=open",
    )
    .await;
    assert_eq!(overdue.ids(), ["in_1"]);
    let sent = post(&stripe, "/v1/invoices/in_1/send", "key-1", "").await;
    assert_eq!((sent.status, &sent.body["status"]), (200, &"open".into()));
    post(&stripe, "/v1/invoices/in_1/send", "key-1", "").await;
    for (id, said) in [
        ("in_2", "You can only manually send an invoice if"),
        ("in_3", "You can't send an invoice that is void."),
    ] {
        let refused = post(&stripe, &format!("/v1/invoices/{id}/send"), id, "").await;
        assert!(
            refused.status == 400 && refused.message().starts_with(said),
            "{}",
            refused.message()
        );
    }
    let events = get(&stripe, "/v1/events?type=invoice.sent").await;
    // When it was finalised, and now.
    assert_eq!(events.ids().len(), 3);
    assert_eq!(stripe.world().ledger.mailed.len(), 1);
    assert_eq!(
        stripe.world().ledger.mailed[0].to.as_deref(),
        Some("1@example.com")
    );
}

#[tokio::test]
async fn a_bank_that_wants_to_see_the_customer_and_a_missing_card_are_told_apart() {
    let described = stripe()
        .with(customer("cus_2").needs_action())
        .with(customer("cus_3").without_card())
        .with(invoice("in_2").of("cus_2").needs_action())
        .with(invoice("in_3").of("cus_3"))
        .with(invoice("in_4").void());
    let stripe = described.open().await.expect("it opens");
    for (id, status, code) in [
        ("in_2", 402, "invoice_payment_intent_requires_action"),
        ("in_3", 400, "resource_missing"),
        ("in_4", 400, ""),
    ] {
        let said = post(&stripe, &format!("/v1/invoices/{id}/pay"), id, "").await;
        assert_eq!(
            (
                said.status,
                said.body["error"]["code"].as_str().unwrap_or_default()
            ),
            (status, code),
            "{id}"
        );
    }
    let payment = get(&stripe, "/v1/payment_intents/pi_2").await.body;
    assert_eq!(payment["status"], "requires_action");
}

#[tokio::test]
async fn manual_attempts_after_the_first_are_not_counted() {
    let described = stripe()
        .with(customer("cus_1").declines("insufficient_funds"))
        .with(
            invoice("in_1")
                .declined("insufficient_funds")
                .attempts(2)
                .retried_in(TimeDelta::days(2), Outcome::Succeeds),
        );
    let stripe = described.open().await.expect("it opens");
    let count = async || get(&stripe, "/v1/invoices/in_1").await.body["attempt_count"].clone();
    assert_eq!(count().await, 2);
    assert_eq!(
        post(&stripe, "/v1/invoices/in_1/pay", "key-1", "")
            .await
            .status,
        402
    );
    assert_eq!(count().await, 2);
    let seen = get(&stripe, "/v1/invoices/in_1").await.body;
    assert!(seen["next_payment_attempt"].is_i64());
    stripe.world().time.advance(TimeDelta::days(3));
    let seen = get(&stripe, "/v1/invoices/in_1").await.body;
    assert_eq!(
        (
            &seen["status"],
            &seen["attempt_count"],
            &seen["next_payment_attempt"]
        ),
        (&"paid".into(), &3.into(), &serde_json::Value::Null)
    );
}
