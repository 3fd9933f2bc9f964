//! What changes money, and how often.

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
