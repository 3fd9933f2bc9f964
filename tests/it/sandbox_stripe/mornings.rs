//! What the sandbox's stories and switches about Stripe do to the report.

use crate::{sandbox_world::Morning, world::company::A_DAY};

/// The lines about payments, without their numbers of the day.
async fn lines(morning: &Morning) -> Vec<String> {
    let said = morning.report().await;
    let of_payments = |line: &&str| line.contains("payments:") || line.contains("Stripe");
    let lines = said.lines().filter(of_payments);
    lines.map(str::to_owned).collect()
}

#[track_caller]
fn begin(lines: &[String], expected: &[&str]) {
    let is_alike = lines.len() == expected.len()
        && lines
            .iter()
            .zip(expected)
            .all(|(line, begin)| line.starts_with(begin));
    assert!(is_alike, "{lines:#?} are not {expected:#?}");
}

#[tokio::test]
async fn a_handler_that_failed_over_the_weekend_leaves_events_that_stripe_has_given_up() {
    let morning = Morning::of("webhooks-failing").await;
    let missed = "payments:webhooks/we_1QkAcmeProduction/";
    let said = lines(&morning).await;
    assert!(
        said[0].starts_with(&format!("high {missed}all: ")),
        "{said:?}"
    );
    assert!(said.iter().all(|line| line.contains(missed)), "{said:?}");
    morning.world.time.advance(A_DAY);
    // What Stripe still tried has arrived by now.
    let said = lines(&morning).await;
    let left = said.iter().filter(|line| !line.starts_with("gone"));
    let left: Vec<&String> = left.collect();
    assert!(
        !left.is_empty()
            && left
                .iter()
                .all(|line| line.contains(": 6 events of 2 types")),
        "{said:?}"
    );
}

#[tokio::test]
async fn before_payday_some_can_pay_by_now_and_a_lost_card_never_will() {
    let morning = Morning::of("payday-declines").await;
    let said = lines(&morning).await;
    let invoices = said
        .iter()
        .filter(|line| line.contains(" payments:invoice/"));
    assert_eq!(invoices.count(), 3, "{said:?}");
    assert!(said[0].contains("Café Morgenrot: €49.00"), "{said:?}");
    assert!(said[1].contains("Velowerk Basel AG: CHF 79.00"), "{said:?}");
    assert!(said[2].contains("Brightside Dental: $129.00"), "{said:?}");
}

#[tokio::test]
async fn a_dispute_that_is_due_tomorrow_is_critical_and_lost_the_day_after() {
    let morning = Morning::of("dispute-due").await;
    begin(
        &lines(&morning).await,
        &[
            "critical payments:dispute/du_1",
            "high payments:dispute/du_1",
        ],
    );
    morning.world.time.advance(A_DAY * 2);
    let said = lines(&morning).await;
    begin(
        &said,
        &["high payments:dispute/du_1", "gone payments:dispute/du_1"],
    );
}

#[tokio::test]
async fn a_key_for_tests_is_never_quiet() {
    let morning = Morning::of("stripe-test-key").await;
    let said = morning.report().await;
    assert!(
        said.contains("critical payments:key: STRIPE_API_KEY is a test key"),
        "{said}"
    );
}

#[tokio::test]
async fn while_it_runs_the_key_can_be_exchanged_for_one_for_tests() {
    let morning = Morning::of("quiet").await;
    morning
        .world
        .play("stripe-test-key")
        .expect("it can be played");
    let said = morning.report().await;
    assert!(
        said.contains("critical payments:") && said.contains("unknown"),
        "{said}"
    );
}

#[tokio::test]
async fn each_state_of_stripe_but_a_slow_one_is_unknown_and_never_quiet() {
    let quiet = Morning::of("quiet").await;
    for (value, expected) in [
        ("403", "answered 403"),
        ("401", "answered 401"),
        ("429", "answered 429"),
        ("503", "answered 503"),
        ("hangs", "Stripe"),
        ("garbage", "an HTML page"),
        ("refuses", "connection refused"),
        ("slow", ""),
        ("well", ""),
    ] {
        quiet.switch("stripe", value);
        let said = quiet.report().await;
        assert_eq!(
            said.starts_with("1 unknown"),
            !expected.is_empty(),
            "{value}: {said}"
        );
        assert!(said.contains(expected), "{value}: {said}");
    }
}

#[tokio::test]
async fn the_production_endpoint_fails_or_is_disabled_since_last_night() {
    let quiet = Morning::of("quiet").await;
    for (value, expected) in [
        (
            "fails",
            "medium payments:webhooks/we_1QkAcmeProduction/all: nothing reaches https://api.acme.example/webhooks/stripe: ",
        ),
        (
            "disabled",
            "critical payments:endpoint/we_1QkAcmeProduction: ",
        ),
    ] {
        quiet.switch("stripe/endpoint", value);
        let said = lines(&quiet).await;
        assert!(said[0].starts_with(expected), "{value}: {said:?}");
    }
    quiet.switch("stripe/endpoint", "delivers");
    begin(
        &lines(&quiet).await,
        &["gone payments:endpoint/we_1QkAcmeProduction"],
    );
}

#[tokio::test]
async fn while_all_cards_are_declined_there_are_many_more_failed_payments_than_ever() {
    let quiet = Morning::of("quiet").await;
    let declined = |world: &daily_ops::sandbox::world::World| {
        let account = world.stripe().world();
        account.failed_since(account.now() - A_DAY)
    };
    assert_eq!(declined(&quiet.world), 2);
    quiet.switch("stripe/cards", "declined");
    assert!(declined(&quiet.world) > 10);
    quiet.switch("stripe/cards", "normal");
    assert_eq!(declined(&quiet.world), 2);
}
