//! The check against a described Stripe.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use daily_ops::{
    baseline::Baselines,
    checks::{
        Check, Evaluation, Looking, Progress,
        payments::{Mode, Payments},
    },
    report::{Cause, Severity},
    sandbox::time::Time,
};
use tokio::time::Instant;
use url::Url;

use super::{keys, only, section};
use crate::world::stripe::{
    Account, Fault, KEY, Permission, Stripe, TEST_KEY, Trouble, Wording, balance, customer,
    dispute, endpoint, event, fault, invoice, payment, payout, stripe, undelivered,
};

const HOUR: TimeDelta = TimeDelta::hours(1);
const DAY: TimeDelta = TimeDelta::days(1);
const HOOKS: &str = "https://acme.example/stripe";

/// The check on that Stripe, in a hurry.
pub(crate) fn check(url: &Url, toml: &str) -> Payments {
    let mut payments = section(toml);
    payments.url = url.clone();
    payments.settings.first_wait = Duration::from_millis(1);
    payments.settings.request = Duration::from_secs(5);
    payments
}

pub(crate) fn looking(key: &str, limit: Duration) -> Looking {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Looking {
        deadline: Instant::now() + limit,
        clock: Time::real().clock(),
        progress: Progress::default(),
        secrets: Arc::new(
            [("STRIPE_API_KEY".to_owned(), key.to_owned().into())]
                .into_iter()
                .collect(),
        ),
        baselines: Arc::new(Baselines::default()),
        since: None,
        earlier: Arc::default(),
    }
}

/// Observes and judges; a check that could not look at all is unknown and found nothing.
pub(crate) async fn look(payments: &Payments, world: &Stripe, looking: &Looking) -> Evaluation {
    let seen = payments.observe(looking).await;
    let now = world.world().now();
    match seen {
        Ok(seen) => payments.evaluate(&seen, now),
        Err(unknown) => Evaluation {
            unknown: vec![unknown],
            ..Evaluation::default()
        },
    }
}

pub(super) async fn look_with(toml: &str, key: &str, world: &Stripe) -> Evaluation {
    let payments = check(&world.url(), toml);
    look(&payments, world, &looking(key, Duration::from_secs(20))).await
}

async fn seen(described: Account) -> Evaluation {
    let world = described.open().await.expect("it opens");
    look_with("", KEY, &world).await
}

/// One of everything that can be wrong.
pub(crate) fn company() -> Account {
    stripe()
        .with(customer("cus_1").named("Acme GmbH"))
        .with(endpoint("we_1", HOOKS).failing(HOUR * 5))
        .with(
            endpoint("we_2", "https://acme.example/old")
                .disabled(DAY * 9)
                .of_types(&["charge.refunded"]),
        )
        .with_all(undelivered(3, "customer.updated", "we_1"))
        .with(
            invoice("in_1")
                .of("cus_1")
                .eur(490_000)
                .ago(DAY * 20)
                .declined("insufficient_funds"),
        )
        .with(
            invoice("in_2")
                .of("cus_1")
                .amount(12_000, "jpy")
                .ago(DAY * 60)
                .mailed(-DAY * 5),
        )
        .with(
            invoice("in_3")
                .of("cus_1")
                .amount(1_250, "kwd")
                .ago(DAY * 2)
                .not_finalized("customer_tax_location_invalid"),
        )
        .with(invoice("in_4").of("cus_1").ago(DAY * 40).uncollectible())
        .with(invoice("in_5").of("cus_1").ago(DAY * 2).unsent(DAY * 30))
        .with(invoice("in_6").of("cus_1").paid())
        .with(
            payment("pi_1")
                .of("cus_1")
                .amount(9_900, "usd")
                .ago(HOUR * 2)
                .declined("do_not_honor"),
        )
        .with(dispute("dp_1").due_in(DAY * 2))
        .with(payout("po_1").failed("account_closed"))
        .with(balance("eur", -5_000, 0))
}

#[tokio::test]
async fn everything_that_is_wrong_is_found_and_nothing_else() {
    let world = company().open().await.expect("it opens");
    let judged = look_with("", KEY, &world).await;
    assert_eq!(judged.unknown, [], "{:#?}", judged.unknown);
    let found = keys(&judged);
    for key in [
        "payments:balance/eur",
        "payments:declines/do_not_honor",
        "payments:dispute/dp_1",
        "payments:endpoint/we_2",
        "payments:invoice/in_1",
        "payments:invoice/in_2",
        "payments:invoice/in_3",
        "payments:invoice/in_4",
        "payments:invoice/in_5",
        "payments:payout/po_1",
        "payments:webhooks/we_1/all",
    ] {
        assert!(
            found.iter().any(|other| other == key),
            "no {key} in {found:?}"
        );
    }
    assert!(!found.contains(&"payments:invoice/in_6".to_owned()));
    assert_eq!(judged.unseen, Some(vec![]));
}

#[tokio::test]
async fn an_account_in_which_all_is_well_is_ok() {
    let described = stripe()
        .with(endpoint("we_1", HOOKS))
        .with(customer("cus_1"))
        .with(invoice("in_1").of("cus_1").ago(DAY * 3).paid())
        .with(event("evt_1", "customer.created").ago(HOUR));
    let judged = seen(described).await;
    assert_eq!((keys(&judged), judged.unknown.clone()), (vec![], vec![]));
    assert_eq!(judged.summary.as_str(), "nothing failed");
}

#[tokio::test]
async fn a_thousand_undelivered_events_cost_few_requests_two_at_a_time() {
    let world = stripe()
        .with(endpoint("we_1", HOOKS))
        .with_all(undelivered(1_000, "customer.updated", "we_1"))
        .open()
        .await
        .expect("it opens");
    let judged = look_with("", KEY, &world).await;
    let finding = only(&judged);
    assert_eq!(finding.magnitude, 1_000);
    assert!(
        finding.title.as_str().contains("1,000 events"),
        "{finding:?}"
    );
    assert_eq!(finding.severity, Severity::High);
    let world = world.world();
    let requests = world.ledger.requests.len();
    assert!(requests < 50, "{requests}: {:#?}", world.ledger.lines());
    assert!(
        world.ledger.most_at_once <= 2,
        "{}",
        world.ledger.most_at_once
    );
    assert!(
        world
            .ledger
            .requests
            .iter()
            .all(|request| request.version.as_deref() == Some("2026-10-28.endive"))
    );
}

#[tokio::test]
async fn a_number_beyond_the_budget_is_said_as_more() {
    let world = stripe()
        .with(endpoint("we_1", HOOKS))
        .with_all(undelivered(1_000, "customer.updated", "we_1"))
        .open()
        .await
        .expect("it opens");
    let judged = look_with("max_pages = 5", KEY, &world).await;
    assert!(
        only(&judged).title.as_str().contains("500+ events"),
        "{judged:?}"
    );
    assert_eq!(judged.unknown[0].cause, Cause::Truncated);
    assert!(judged.unknown[0].reason.as_str().contains("`max_pages`"));
}

#[tokio::test]
async fn a_page_of_exactly_a_hundred_is_the_end_if_stripe_says_so() {
    for number in [99, 100, 101] {
        let described = stripe().with(endpoint("we_1", HOOKS)).with_all(undelivered(
            number,
            "customer.updated",
            "we_1",
        ));
        assert_eq!(only(&seen(described).await).magnitude, number as u64);
    }
}

#[tokio::test]
async fn a_test_key_on_a_live_check_is_asked_nothing() {
    let world = company().open().await.expect("it opens");
    let judged = look_with("", TEST_KEY, &world).await;
    assert_eq!(keys(&judged), ["payments:key"]);
    assert_eq!(judged.unknown[0].cause, Cause::NotConfigured);
    assert_eq!(world.world().ledger.requests.len(), 0);
    let judged = look_with("mode = 'test'", KEY, &world).await;
    assert_eq!(keys(&judged), ["payments:key"]);
    let judged = look_with("mode = 'test'", TEST_KEY, &world).await;
    assert_eq!(
        (keys(&judged), judged.unknown),
        (vec![], vec![]),
        "test mode has books of its own"
    );
}

#[tokio::test]
async fn a_key_of_an_unknown_kind_is_judged_by_what_it_shows() {
    let odd = "stripe-proxy-key-of-a-new-kind";
    let mut described = company();
    described
        .keys
        .push(daily_ops::sandbox::world::payments::Key::restricted(odd));
    let world = described.open().await.expect("it opens");
    // A key without the word `live` shows the books of test mode.
    let judged = look_with("", odd, &world).await;
    assert_eq!(keys(&judged), ["payments:key"], "{judged:#?}");
    assert!(!judged.unknown.is_empty());
}

#[tokio::test]
async fn each_missing_permission_is_named_and_hides_only_its_own_part() {
    for words in [Wording::Having, Wording::Enabling] {
        for (permission, named, unseen) in [
            (Permission::EventRead, "`Events: read`", "payments:webhooks"),
            (
                Permission::WebhookRead,
                "`Webhook Endpoints: read`",
                "payments:endpoint",
            ),
            (
                Permission::InvoiceRead,
                "`Invoices: read`",
                "payments:invoice",
            ),
            (
                Permission::DisputeRead,
                "`Disputes: read`",
                "payments:dispute",
            ),
            (Permission::PayoutRead, "`Payouts: read`", "payments:payout"),
            (
                Permission::BalanceRead,
                "`Balance: read`",
                "payments:balance",
            ),
        ] {
            let mut described = company();
            described.words = words;
            described.key(KEY).lose(permission);
            let judged = seen(described).await;
            assert_eq!(
                judged.unknown.len(),
                1,
                "{permission:?}: {:#?}",
                judged.unknown
            );
            let why = &judged.unknown[0];
            assert_eq!(why.cause, Cause::Forbidden);
            assert!(
                why.reason.as_str().contains(named),
                "{}",
                why.reason.as_str()
            );
            assert!(
                why.reason.as_str().contains("STRIPE_API_KEY"),
                "{}",
                why.reason.as_str()
            );
            assert!(
                !why.reason.as_str().contains("51Acme"),
                "{}",
                why.reason.as_str()
            );
            let hidden: Vec<String> = judged
                .unseen
                .as_ref()
                .unwrap()
                .iter()
                .map(ToString::to_string)
                .collect();
            assert!(hidden.iter().any(|key| key == unseen), "{hidden:?}");
            assert!(
                judged.findings.len() >= 5,
                "the rest was looked at: {:?}",
                keys(&judged)
            );
        }
    }
}

#[tokio::test]
async fn a_dead_key_says_which_to_renew_and_asks_once() {
    let mut described = company();
    described.key(KEY).is_expired = true;
    let world = described.open().await.expect("it opens");
    let judged = look_with("", KEY, &world).await;
    assert!(judged.findings.is_empty());
    assert_eq!(
        (judged.unknown.len(), judged.unknown[0].cause),
        (1, Cause::Auth)
    );
    let reason = judged.unknown[0].reason.as_str();
    assert!(reason.contains("renew STRIPE_API_KEY"), "{reason}");
    assert!(reason.contains("(request req_"), "{reason}");
    assert_eq!(world.world().ledger.requests.len(), 1);
    assert_eq!(judged.unseen, None);
}

#[tokio::test]
async fn without_a_key_the_check_says_what_it_is_for() {
    let payments = section("");
    let mut looking = looking(KEY, Duration::from_secs(1));
    looking.secrets = Arc::default();
    let unknown = payments.observe(&looking).await.unwrap_err();
    assert_eq!(unknown.cause, Cause::NotConfigured);
    assert!(
        unknown
            .reason
            .as_str()
            .contains("STRIPE_API_KEY is not set")
    );
}

#[tokio::test]
async fn stripes_clock_that_is_ahead_makes_it_unknown() {
    let mut described = company();
    described.clock = TimeDelta::minutes(6);
    let judged = seen(described).await;
    assert!(
        judged
            .unknown
            .iter()
            .any(|unknown| unknown.cause == Cause::ClockSkew),
        "{:?}",
        judged.unknown
    );
    let mut described = company();
    described.clock = TimeDelta::minutes(4);
    assert_eq!(seen(described).await.unknown, []);
}

#[tokio::test]
async fn a_refusal_that_passes_is_tried_again() {
    let limited: [fn(Fault) -> Fault; 5] = [
        |fault| fault.limited("endpoint-rate"),
        Fault::locked,
        Fault::unavailable,
        Fault::hangs_up,
        |fault| fault.fails().should_retry(true),
    ];
    for spoil in limited {
        let described =
            company().failing(spoil(fault("GET /v1/events delivery_success=false")).times(1));
        assert_eq!(seen(described).await.unknown, []);
    }
    let described = company().failing(
        fault("GET /v1/events delivery_success=false")
            .unavailable()
            .should_retry(false)
            .times(1),
    );
    let judged = seen(described).await;
    assert_eq!(
        judged.unknown.len(),
        1,
        "Stripe said that trying again is of no use"
    );
}

#[tokio::test]
async fn connected_accounts_are_asked_by_their_name() {
    let mut described = stripe();
    described.connect("acct_1", customer("cus_9"));
    described.connect("acct_1", payout("po_9").failed("could_not_process"));
    let world = described.open().await.expect("it opens");
    let judged = look_with("accounts = ['acct_1', 'acct_gone']", KEY, &world).await;
    assert_eq!(keys(&judged), ["payments:acct_1/payout/po_9"]);
    assert_eq!(judged.unknown.len(), 1, "{:?}", judged.unknown);
    let reason = judged.unknown[0].reason.as_str();
    assert!(
        reason.starts_with("acct_gone: ") && reason.contains("`accounts` of [checks.payments]"),
        "{reason}"
    );
    assert_eq!(
        judged.unseen.unwrap(),
        ["payments:acct_gone".parse().unwrap()]
    );
}

#[tokio::test]
async fn what_is_normal_is_learned_on_the_first_look() {
    let failed = |day: i64, number: i64| {
        (0..number).map(move |i| {
            payment(&format!("pi_{day}_{i}"))
                .ago(DAY * i32::try_from(day).unwrap() + TimeDelta::minutes(i))
                .declined("do_not_honor")
        })
    };
    let world = stripe()
        .with_all((1..=28).flat_map(|day| failed(day, 4)))
        .with_all((0..30).map(|i| {
            payment(&format!("pi_{i}"))
                .ago(TimeDelta::minutes(i + 5))
                .declined("do_not_honor")
        }))
        .open()
        .await
        .expect("it opens");
    let payments = check(&world.url(), "");
    let seen = payments
        .observe(&looking(KEY, Duration::from_secs(20)))
        .await
        .unwrap();
    let now = world.world().now();
    let measures = payments.measure(&seen, now);
    let days = measures
        .iter()
        .filter(|measure| measure.name == "declines")
        .count();
    assert!(days >= 27, "{days}");
    let judged = payments.evaluate(&seen, now);
    let finding = only(&judged);
    assert_eq!(finding.severity, Severity::High, "{finding:?}");
    assert!(finding.rule.as_str().contains("normal"), "{finding:?}");
    let summary = judged.summary.as_str();
    assert!(
        summary.contains("yesterday ") && summary.contains(" failed (normal "),
        "{summary}"
    );
    let requests = world.world().ledger.requests.len();
    let mut again = looking(KEY, Duration::from_secs(20));
    again.baselines = Arc::new(Baselines::new(chrono_tz::UTC, measures));
    let seen = payments.observe(&again).await.unwrap();
    assert_eq!(
        payments.measure(&seen, now),
        [],
        "nothing is new to be learned"
    );
    let more = world.world().ledger.requests.len() - requests;
    assert!(more < requests, "{more} and {requests}");
    assert_eq!(
        only(&payments.evaluate(&seen, now)).severity,
        Severity::High
    );
}

#[tokio::test]
async fn what_happened_since_then_costs_one_request() {
    let world = company().open().await.expect("it opens");
    let mut looking = looking(KEY, Duration::from_secs(20));
    looking.since = Some(world.world().now() - DAY * 3);
    let payments = check(&world.url(), "");
    let judged = look(&payments, &world, &looking).await;
    assert_eq!(judged.unknown, []);
    assert_eq!(world.world().ledger.requests.len(), 1);
    let found = keys(&judged);
    assert!(
        found.contains(&"payments:payout/po_1".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"payments:invoice/in_3".to_owned()),
        "{found:?}"
    );
    assert!(
        !found
            .iter()
            .any(|key| key.contains("webhooks") || key.contains("in_2")),
        "{found:?}"
    );
    let unseen = judged.unseen.unwrap();
    assert!(
        unseen.contains(&"payments:webhooks".parse().unwrap())
            && unseen.contains(&"payments:invoice".parse().unwrap())
    );
    assert!(
        payments
            .measure(
                &payments.observe(&looking).await.unwrap(),
                world.world().now()
            )
            .is_empty()
    );
}

#[tokio::test]
async fn too_much_news_for_a_page_is_never_ok() {
    let world = stripe()
        .with_all((0..60).map(|i| {
            payment(&format!("pi_{i}"))
                .ago(TimeDelta::minutes(i + 5))
                .declined("do_not_honor")
        }))
        .open()
        .await
        .expect("it opens");
    let mut looking = looking(KEY, Duration::from_secs(20));
    looking.since = Some(world.world().now() - HOUR * 3);
    let judged = look(&check(&world.url(), ""), &world, &looking).await;
    assert_eq!(judged.unknown[0].cause, Cause::Truncated);
    assert_eq!(keys(&judged), ["payments:declines/do_not_honor"]);
}

#[tokio::test]
async fn a_stripe_that_is_down_is_unknown_whatever_ails_it() {
    for (trouble, cause) in [
        (Trouble::Unauthorized, Cause::Auth),
        (Trouble::Limited, Cause::RateLimited),
        (Trouble::Unavailable, Cause::Upstream),
        (Trouble::Garbage, Cause::Decode),
        (Trouble::Refuses, Cause::Network),
    ] {
        let world = company().open().await.expect("it opens");
        world.suffer(trouble).expect("it can");
        let judged = look_with("", KEY, &world).await;
        assert!(judged.findings.is_empty(), "{trouble:?}");
        assert!(
            judged.unknown.iter().any(|unknown| unknown.cause == cause),
            "{trouble:?}: {:?}",
            judged.unknown
        );
    }
    assert_eq!(section("").mode, Mode::Live);
}
