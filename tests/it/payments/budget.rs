//! What a look costs, and what becomes of what it can't afford.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use daily_ops::{
    checks::Earlier,
    report::{Finding, FindingKey, Severity},
};

use super::{
    ago, keys,
    stripe::{check, look, look_with, looking},
};
use crate::world::stripe::{KEY, endpoint, invoice, payment, payout, stripe, undelivered};

const DAY: TimeDelta = TimeDelta::days(1);
const HOOKS: &str = "https://acme.example/stripe";

/// Of an earlier look, which nobody has dealt with.
fn left_open(subject: &str, age: TimeDelta) -> Earlier {
    let key = FindingKey::new("payments", subject);
    Earlier {
        finding: Finding {
            began_at: chrono::DateTime::from_timestamp(ago(age), 0),
            ..Finding::new(key, Severity::High, "", "")
        },
        is_settled: false,
    }
}

#[tokio::test]
async fn what_a_look_costs_stays_below_fifty_requests_whatever_is_there_to_learn_and_to_read_again()
{
    let mut described = stripe()
        .with(endpoint("we_1", HOOKS))
        .with_all(undelivered(1_000, "customer.updated", "we_1"))
        .with_all((0..800).map(|i| {
            payment(&format!("pi_{i}"))
                .ago(DAY + TimeDelta::minutes(i * 48))
                .declined("do_not_honor")
        }));
    for i in 0..30 {
        described.add(
            invoice(&format!("in_{i}"))
                .of("cus_1")
                .ago(DAY * (60 + i))
                .declined("insufficient_funds"),
        );
    }
    let world = described.open().await.expect("it opens");
    let mut looking = looking(KEY, Duration::from_secs(20));
    looking.earlier = Arc::new(
        (0..30)
            .map(|i| left_open(&format!("invoice/in_{i}"), DAY * (60 + i)))
            .collect(),
    );
    let payments = check(&world.url(), "invoices_lookback = '30d'");
    let judged = look(&payments, &world, &looking).await;
    assert_eq!(judged.unknown, []);
    let requests = world.world().ledger.requests.len();
    assert!((40..50).contains(&requests), "{requests}");
}

#[tokio::test]
async fn one_budget_is_for_all_accounts_and_what_it_cuts_off_is_unknown() {
    let mut described = stripe().with(endpoint("we_1", HOOKS)).with_all(undelivered(
        900,
        "customer.updated",
        "we_1",
    ));
    described.connect("acct_1", payout("po_9").failed("could_not_process"));
    let world = described.open().await.expect("it opens");
    let toml = "accounts = ['acct_1']\nmax_requests = 25";
    let judged = look_with(toml, KEY, &world).await;
    assert!(world.world().ledger.requests.len() <= 25);
    let title = judged
        .findings
        .iter()
        .find(|finding| finding.key.subject().starts_with("webhooks/"))
        .map(|finding| finding.title.as_str());
    assert!(
        title.is_some_and(|title| title.contains("400+ events")),
        "{title:?}"
    );
    assert!(
        keys(&judged).contains(&"payments:acct_1/payout/po_9".to_owned()),
        "the others have their first pages: {:?}",
        keys(&judged)
    );
    let reason = judged.unknown[0].reason.as_str();
    assert!(
        reason.contains("at most 25 requests") && reason.contains("raise `max_requests`"),
        "{reason}"
    );
}
