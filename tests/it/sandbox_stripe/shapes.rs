//! The described objects have the fields of the official ones.

use std::path::Path;

use chrono::TimeDelta;
use serde_json::Value;

use super::get;
use crate::world::stripe::{Stripe, balance, dispute, endpoint, invoice, payment, payout, stripe};

/// Fields of the official example that hold what this world has nothing of.
const LEFT_OUT: [(&str, &[&str]); 5] = [
    ("invoice", &["subscription"]),
    ("charge", &["refunds"]),
    ("payment_intent", &["managed_payments"]),
    ("customer", &["discount"]),
    ("balance", &["connect_reserved"]),
];

async fn described() -> Stripe {
    let described = stripe()
        .with(endpoint("we_1", "https://acme.example/stripe"))
        .with(invoice("in_1").declined("insufficient_funds"))
        .with(invoice("in_2").mailed(TimeDelta::days(3)))
        .with(payment("pi_9"))
        .with(dispute("du_1"))
        .with(payout("po_1").failed("account_closed"))
        .with(balance("eur", 1, 2));
    described.open().await.expect("it opens")
}

/// One of each, as the answer to a read.
async fn shown(stripe: &Stripe) -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    for (name, target) in [
        ("event", "/v1/events?limit=1"),
        ("webhook_endpoint", "/v1/webhook_endpoints"),
        ("invoice", "/v1/invoices/in_1"),
        ("invoice_payment", "/v1/invoice_payments?invoice=in_1"),
        ("payment_intent", "/v1/payment_intents/pi_1"),
        ("charge", "/v1/charges/ch_1a1"),
        ("customer", "/v1/customers/cus_1"),
        ("dispute", "/v1/disputes"),
        ("payout", "/v1/payouts?status=failed"),
        ("balance", "/v1/balance"),
    ] {
        let body = get(stripe, target).await.body;
        let is_list = body["object"] == "list";
        all.push((
            name,
            if is_list {
                body["data"][0].clone()
            } else {
                body
            },
        ));
    }
    all
}

#[tokio::test]
async fn each_object_says_what_it_is_and_of_which_mode() {
    let stripe = described().await;
    for (name, object) in shown(&stripe).await {
        assert_eq!(
            (&object["object"], &object["livemode"]),
            (&name.into(), &true.into())
        );
    }
}

#[tokio::test]
async fn each_object_has_the_fields_of_the_official_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../shared/samples/stripe/fixtures3.2026-08-21.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        return;
    };
    let official: Value = serde_json::from_str(&text).expect("it is JSON");
    let stripe = described().await;
    for (name, object) in shown(&stripe).await {
        let left_out = LEFT_OUT.iter().find(|(of, _)| *of == name);
        let left_out = left_out.map_or(&[][..], |(_, fields)| fields);
        let official = official["resources"][name]
            .as_object()
            .expect("there is one");
        let own = object.as_object().expect("it is an object");
        let missing = official.keys().filter(|field| !own.contains_key(*field));
        let missing: Vec<&String> = missing
            .filter(|field| !left_out.contains(&field.as_str()))
            .collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
        let more = own.keys().filter(|field| !official.contains_key(*field));
        assert_eq!(more.collect::<Vec<_>>(), Vec::<&String>::new(), "{name}");
        for (field, value) in official {
            let both = value.as_object().zip(object[field].as_object());
            let Some((value, own)) = both.filter(|(value, _)| !value.is_empty()) else {
                continue;
            };
            let is_known = own.keys().any(|inner| value.contains_key(inner));
            let is_free = matches!(
                field.as_str(),
                "metadata" | "data" | "evidence" | "last_payment_error" | "payment"
            );
            assert!(is_known || is_free, "{name}.{field}: {own:?}");
        }
    }
}

#[tokio::test]
async fn amounts_are_whole_minor_units_in_every_currency() {
    for (amount, currency) in [
        (4_900, "eur"),
        (9_800, "jpy"),
        (24_500, "kwd"),
        (500, "ugx"),
    ] {
        let stripe = stripe()
            .with(invoice("in_1").amount(amount, currency))
            .open()
            .await
            .expect("it opens");
        let seen = get(&stripe, "/v1/invoices/in_1").await.body;
        assert_eq!(
            (&seen["amount_remaining"], &seen["currency"]),
            (&amount.into(), &currency.into())
        );
    }
}

#[tokio::test]
async fn an_invoice_tells_its_payment_only_when_it_is_asked_to() {
    let stripe = described().await;
    let plain = get(&stripe, "/v1/invoices/in_1").await.body;
    assert!(plain.get("payments").is_none());
    let wide = get(
        &stripe,
        "/v1/invoices/in_1?expand[]=payments.data.payment.payment_intent&expand[]=customer",
    )
    .await
    .body;
    let payment = &wide["payments"]["data"][0]["payment"]["payment_intent"];
    assert_eq!(
        payment["last_payment_error"]["decline_code"],
        "insufficient_funds"
    );
    assert_eq!(wide["customer"]["object"], "customer");
    let list = get(&stripe, "/v1/invoices?expand[]=data.payments")
        .await
        .body;
    assert_eq!(
        list["data"][1]["payments"]["data"][0]["object"],
        "invoice_payment"
    );
}
