//! Who may see what.

use reqwest::Method;

use super::{Said, get, request};
use crate::world::stripe::{Permission, Stripe, TEST_KEY, Wording, balance, invoice, stripe};

async fn with_header(stripe: &Stripe, target: &str, name: &'static str, value: &str) -> Said {
    let mut asked = request(stripe, Method::GET, target)
        .build()
        .expect("it is a request");
    match value {
        "" => asked.headers_mut().remove(name),
        value => asked
            .headers_mut()
            .insert(name, value.parse().expect("it is a value")),
    };
    Said::of(super::CLIENT.execute(asked).await.expect("it answers")).await
}

#[tokio::test]
async fn each_missing_permission_is_named() {
    let routes = [
        (Permission::EventRead, "/v1/events"),
        (Permission::WebhookRead, "/v1/webhook_endpoints"),
        (Permission::InvoiceRead, "/v1/invoices"),
        (Permission::InvoiceRead, "/v1/invoice_payments"),
        (Permission::PaymentIntentRead, "/v1/payment_intents"),
        (Permission::ChargeRead, "/v1/charges"),
        (Permission::CustomerRead, "/v1/customers/cus_1"),
        (Permission::DisputeRead, "/v1/disputes"),
        (Permission::PayoutRead, "/v1/payouts"),
        (Permission::BalanceRead, "/v1/balance"),
    ];
    for (permission, target) in routes {
        let stripe = stripe()
            .with(invoice("in_1"))
            .open()
            .await
            .expect("it opens");
        assert_eq!(get(&stripe, target).await.status, 200, "{target}");
        let secret = crate::world::stripe::KEY;
        stripe.world().key(secret).lose(permission);
        let refused = get(&stripe, target).await;
        let name = permission.name();
        let expected = format!(
            "account 'acct_1AcmeDailyOps'. Having the 'rak_{name}' permission would allow this request to continue."
        );
        assert_eq!(refused.status, 403);
        assert!(
            refused.message().ends_with(&expected),
            "{}",
            refused.message()
        );
        assert!(
            !refused.message().contains(&secret[8..20]),
            "{}",
            refused.message()
        );
        stripe.world().words = Wording::Enabling;
        let refused = get(&stripe, target).await;
        assert!(
            refused
                .message()
                .contains(&format!("('{name}') permissions on this key"))
        );
    }
}

#[tokio::test]
async fn a_permission_to_write_includes_the_one_to_read() {
    let stripe = stripe()
        .with(invoice("in_1"))
        .open()
        .await
        .expect("it opens");
    {
        let mut world = stripe.world();
        let key = world.key(crate::world::stripe::KEY);
        key.permissions = Some([Permission::InvoiceWrite].into());
    }
    assert_eq!(get(&stripe, "/v1/invoices").await.status, 200);
    assert_eq!(get(&stripe, "/v1/events").await.status, 403);
}

#[tokio::test]
async fn without_a_key_or_with_a_wrong_one_nothing_is_seen() {
    let stripe = stripe().open().await.expect("it opens");
    let none = with_header(&stripe, "/v1/balance", "authorization", "").await;
    assert!(
        none.message()
            .starts_with("You did not provide an API key.")
    );
    assert_eq!(none.status, 401);
    let wrong = with_header(
        &stripe,
        "/v1/balance",
        "authorization",
        "Bearer rk_live_nobodys",
    )
    .await;
    assert_eq!(
        (wrong.status, wrong.message()),
        (401, "Invalid API Key provided: rk_live_***odys")
    );
    stripe.world().key(TEST_KEY).is_expired = true;
    let old = with_header(
        &stripe,
        "/v1/balance",
        "authorization",
        &format!("Bearer {TEST_KEY}"),
    )
    .await;
    assert_eq!(
        (old.status, old.body["error"]["code"].as_str()),
        (401, Some("api_key_expired"))
    );
}

#[tokio::test]
async fn a_key_for_tests_sees_the_books_of_the_tests() {
    let stripe = stripe()
        .with(invoice("in_1"))
        .with(balance("eur", 5, 0))
        .open()
        .await
        .expect("it opens");
    let bearer = format!("Bearer {TEST_KEY}");
    let seen = with_header(&stripe, "/v1/invoices", "authorization", &bearer).await;
    assert_eq!((seen.status, seen.ids().len()), (200, 0));
    let balance = with_header(&stripe, "/v1/balance", "authorization", &bearer).await;
    assert_eq!(
        (&balance.body["livemode"], &balance.body["available"]),
        (&false.into(), &serde_json::json!([]))
    );
}

#[tokio::test]
async fn a_connected_account_has_books_of_its_own() {
    let mut described = stripe().with(invoice("in_1"));
    described.connect("acct_1Shop", invoice("in_9"));
    let stripe = described.open().await.expect("it opens");
    let theirs = with_header(&stripe, "/v1/invoices", "stripe-account", "acct_1Shop").await;
    assert_eq!(theirs.ids(), ["in_9"]);
    assert_eq!(get(&stripe, "/v1/invoices").await.ids(), ["in_1"]);
    let nobody = with_header(&stripe, "/v1/invoices", "stripe-account", "acct_1Gone").await;
    assert_eq!(
        (nobody.status, nobody.body["error"]["code"].as_str()),
        (403, Some("account_invalid"))
    );
    assert!(
        nobody
            .message()
            .contains("does not have access to account 'acct_1Gone'")
    );
}

#[tokio::test]
async fn whoever_asks_for_no_version_gets_the_accounts_own_older_shapes() {
    let stripe = stripe()
        .with(invoice("in_1").paid())
        .open()
        .await
        .expect("it opens");
    let new = get(&stripe, "/v1/invoices/in_1").await.body;
    assert!(
        new.get("payment_intent").is_none()
            && new.get("paid").is_none()
            && new.get("parent").is_some()
    );
    let old = with_header(&stripe, "/v1/invoices/in_1", "stripe-version", "").await;
    assert_eq!(old.header("stripe-version"), Some("2023-10-16"));
    assert_eq!(
        (&old.body["payment_intent"], &old.body["paid"]),
        (&"pi_1".into(), &true.into())
    );
    assert!(old.body.get("parent").is_none());
    let wrong = with_header(&stripe, "/v1/balance", "stripe-version", "latest").await;
    assert_eq!(
        (wrong.status, wrong.message()),
        (400, "Invalid Stripe API version: latest")
    );
}

#[tokio::test]
async fn every_answer_has_an_id_a_date_and_the_version_that_was_asked_for() {
    let stripe = stripe().open().await.expect("it opens");
    for target in ["/v1/balance", "/v1/nothing"] {
        let said = get(&stripe, target).await;
        assert!(
            said.header("request-id")
                .is_some_and(|id| id.starts_with("req_"))
        );
        assert_eq!(
            said.header("stripe-version"),
            Some(crate::world::stripe::VERSION)
        );
        assert!(
            said.header("date")
                .is_some_and(|date| date.ends_with(" GMT"))
        );
    }
}
