//! What a test can let go wrong, and what it can count.

use std::time::Duration;

use reqwest::Method;

use super::{get, post, request};
use crate::world::stripe::{event, fault, invoice, stripe};

#[tokio::test]
async fn single_requests_are_refused_as_stripe_refuses_them() {
    let stripe = stripe().open().await.expect("it opens");
    let faults = [
        (
            fault("/balance").limited("endpoint-rate"),
            429,
            "Request rate limit exceeded.",
        ),
        (
            fault("/balance").locked(),
            429,
            "This object cannot be accessed right now",
        ),
        (fault("/balance").fails(), 500, "An unknown error occurred."),
        (
            fault("/balance").unavailable(),
            503,
            "Stripe is being maintained.",
        ),
        (
            fault("/balance").unauthorized(),
            401,
            "Invalid API Key provided: rk_live_****",
        ),
        (
            fault("/balance").forbidden(crate::world::stripe::Permission::EventRead),
            403,
            "The provided key",
        ),
    ];
    for (fault, status, said) in faults {
        stripe.world().faults = vec![fault.times(1).should_retry(false)];
        let refused = get(&stripe, "/v1/balance").await;
        assert_eq!(refused.status, status);
        assert!(refused.message().starts_with(said), "{}", refused.message());
        assert_eq!(refused.header("stripe-should-retry"), Some("false"));
        assert_eq!(refused.header("retry-after"), None);
        assert_eq!(
            refused.header("stripe-rate-limited-reason"),
            (said.starts_with("Request")).then_some("endpoint-rate")
        );
        assert_eq!(get(&stripe, "/v1/balance").await.status, 200);
        assert_eq!(stripe.world().faults[0].struck, 1);
    }
}

#[tokio::test]
async fn a_later_page_can_fail_and_a_list_can_grow_while_it_is_read() {
    let described =
        stripe().with_all((1..=4).map(|it| event(&format!("evt_{it}"), "invoice.paid")));
    let mut described = described.failing(fault("GET /v1/events").after(2).fails());
    described.after("GET /v1/events", 0, |account| {
        account.add(event("evt_5", "invoice.paid"))
    });
    let stripe = described.open().await.expect("it opens");
    assert_eq!(
        get(&stripe, "/v1/events?limit=2").await.ids(),
        ["evt_4", "evt_3"]
    );
    assert_eq!(
        get(&stripe, "/v1/events?limit=2").await.ids(),
        ["evt_5", "evt_4"]
    );
    assert_eq!(
        get(&stripe, "/v1/events?limit=2&starting_after=evt_4")
            .await
            .status,
        500
    );
}

#[tokio::test]
async fn an_answer_can_be_garbage_a_page_or_never_come() {
    let stripe = stripe()
        .failing(fault("/balance").garbage())
        .open()
        .await
        .expect("it opens");
    let text = async || {
        let asked =
            request(&stripe, Method::GET, "/v1/balance").timeout(Duration::from_millis(300));
        asked.send().await?.text().await
    };
    assert!(text().await.is_ok_and(|text| text.contains("]]{")));
    stripe.world().faults = vec![fault("/balance").html(200)];
    assert!(text().await.is_ok_and(|text| text.starts_with("<html>")));
    stripe.world().faults = vec![fault("/balance").hangs()];
    assert!(text().await.is_err_and(|error| error.is_timeout()));
    stripe.world().faults = vec![fault("/balance").hangs_up()];
    assert!(text().await.is_err_and(|error| !error.is_timeout()));
}

#[tokio::test]
async fn a_500_after_the_effect_is_kept_under_its_key_and_a_503_before_it_is_not() {
    let described = stripe()
        .with(invoice("in_1"))
        .failing(fault("/pay").fails().done_all_the_same().times(1));
    let stripe = described.open().await.expect("it opens");
    for replayed in [None, Some("true")] {
        let failed = post(&stripe, "/v1/invoices/in_1/pay", "key-1", "").await;
        assert_eq!(
            (failed.status, failed.header("idempotent-replayed")),
            (500, replayed)
        );
    }
    assert_eq!(stripe.world().ledger.taken("in_1"), 1_000);
    assert_eq!(
        get(&stripe, "/v1/invoices/in_1").await.body["status"],
        "paid"
    );
    stripe.world().add(invoice("in_2"));
    stripe.world().faults = vec![fault("/pay").unavailable().times(1)];
    assert_eq!(
        post(&stripe, "/v1/invoices/in_2/pay", "key-2", "")
            .await
            .status,
        503
    );
    assert_eq!(stripe.world().ledger.taken("in_2"), 0);
    assert_eq!(
        post(&stripe, "/v1/invoices/in_2/pay", "key-2", "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn two_at_once_under_one_key_are_one_payment_and_a_409() {
    let described = stripe()
        .with(invoice("in_1"))
        .failing(fault("/pay").slow(Duration::from_millis(200)).times(1));
    let stripe = described.open().await.expect("it opens");
    let pay = || post(&stripe, "/v1/invoices/in_1/pay", "key-1", "");
    let (one, other) = tokio::join!(pay(), pay());
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let busy = if one.status == 409 { one } else { other };
    assert_eq!(busy.body["error"]["code"], "idempotency_key_in_use");
    let world = stripe.world();
    assert_eq!(
        (world.ledger.charged.len(), world.ledger.most_at_once),
        (1, 2)
    );
    assert_eq!(world.ledger.at_once, 0);
}

#[tokio::test]
async fn whoever_goes_away_before_the_effect_has_paid_nothing_and_can_ask_again() {
    let described = stripe()
        .with(invoice("in_1"))
        .failing(fault("/pay").hangs().times(1));
    let stripe = described.open().await.expect("it opens");
    let asked = request(&stripe, Method::POST, "/v1/invoices/in_1/pay")
        .header("idempotency-key", "key-1")
        .timeout(Duration::from_millis(100));
    assert!(asked.send().await.is_err_and(|error| error.is_timeout()));
    assert_eq!(stripe.world().ledger.charged.len(), 0);
    while stripe.world().ledger.at_once > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        post(&stripe, "/v1/invoices/in_1/pay", "key-1", "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_was_asked_can_be_counted() {
    let stripe = stripe()
        .with(invoice("in_1"))
        .open()
        .await
        .expect("it opens");
    get(&stripe, "/v1/events?delivery_success=false&limit=100").await;
    post(
        &stripe,
        "/v1/invoices/in_1/pay",
        "key-1",
        "off_session=true",
    )
    .await;
    let world = stripe.world();
    assert_eq!(world.ledger.asked(&["GET /v1/events", "limit=100"]), 1);
    assert_eq!(
        world.ledger.lines()[1],
        "POST /v1/invoices/in_1/pay?off_session=true"
    );
    let asked = &world.ledger.requests[1];
    assert_eq!(
        (asked.idempotency_key.as_deref(), asked.status),
        (Some("key-1"), Some(200))
    );
}
