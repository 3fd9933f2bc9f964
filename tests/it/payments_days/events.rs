//! Events that were not delivered, and that grow older than what is looked at or kept.

use super::{DAY, Days};
use crate::world::stripe::{Account, endpoint, event};

const KEY: &str = "payments:webhooks/we_1/all";

/// Two events that an endpoint never got, the older one of six days ago.
fn missed(stripe: Account) -> Account {
    let one = |id: &str, age| event(id, "customer.updated").ago(age).missed_by("we_1");
    stripe
        .with(endpoint("we_1", "https://acme.example/stripe"))
        .with(one("evt_1", DAY * 6))
        .with(one("evt_2", DAY))
}

#[tokio::test]
async fn undelivered_events_do_not_shrink_away_while_nobody_deals_with_them() {
    let days = Days::of(missed).await;
    assert_eq!(days.now().await.row(KEY).finding.magnitude, 2);
    for step in [2, 10, 10] {
        let morning = days.after(DAY * step).await;
        assert_eq!(morning.needs_you(), [KEY]);
        assert_eq!(morning.row(KEY).finding.magnitude, 2);
    }
}

#[tokio::test]
async fn what_an_endpoint_missed_that_is_off_does_not_shrink_away() {
    let one = |id: &str, age| event(id, "customer.updated").ago(age).missed_by("we_1");
    let days = Days::of(|stripe| {
        let off = endpoint("we_1", "https://acme.example/stripe").disabled(DAY * 9);
        stripe
            .with(off)
            .with(one("evt_1", DAY * 6))
            .with(one("evt_2", DAY * 2))
    })
    .await;
    let key = "payments:endpoint/we_1";
    for _ in 0..4 {
        assert_eq!(days.after(DAY).await.row(key).finding.magnitude, 2);
    }
}

#[tokio::test]
async fn what_stripe_has_forgotten_stays_as_it_stood() {
    let days = Days::of(missed).await;
    days.now().await;
    for _ in 0..6 {
        let morning = days.after(DAY * 6).await;
        assert_eq!(morning.needs_you(), [KEY]);
        assert!(morning.gone().is_empty());
    }
    assert!(days.now().await.is_aged(KEY));
    days.somebody(&format!("handle {KEY} restored from a backup"))
        .await;
    let morning = days.after(DAY).await;
    assert_eq!((morning.shown(), morning.gone()), (vec![], vec![]));
}

#[tokio::test]
async fn events_that_somebody_handled_are_let_go_when_they_are_old() {
    let days = Days::of(missed).await;
    days.now().await;
    days.somebody(&format!("handle {KEY} replayed by hand"))
        .await;
    let morning = days.after(DAY * 9).await;
    assert_eq!((morning.shown(), morning.gone()), (vec![], vec![]));
}

#[tokio::test]
async fn old_events_that_were_delivered_at_last_are_gone() {
    let days = Days::of(missed).await;
    days.now().await;
    days.after(DAY * 5).await;
    for event in &mut days.stripe.world().live.events {
        event.missed_by.clear();
    }
    assert_eq!(days.after(DAY).await.gone(), [KEY]);
}

#[tokio::test]
async fn what_is_replayed_reaches_as_far_back_as_what_was_shown() {
    let days = Days::with("allow_event_retry = true\n", missed).await;
    days.now().await;
    days.after(DAY * 10).await;
    let said =
        crate::world::company::decide(&days.bot, "anna", &format!("resend {KEY} --dry-run")).await;
    let said = crate::world::company::text(&said);
    for id in ["evt_1", "evt_2"] {
        assert!(said.contains(id), "{id}: {said}");
    }
}

#[tokio::test]
async fn events_that_could_not_be_read_again_are_not_forgotten() {
    let days = Days::with("max_pages = 1\n", missed).await;
    let began = days.now().await.row(KEY).finding.began_at;
    days.company.later(DAY * 3);
    let new = |i| event(&format!("evt_new{i}"), "customer.updated").ago(DAY);
    let many = (0..120).map(|i| new(i).missed_by("we_1"));
    days.stripe.world().add_all(many);
    for _ in 0..2 {
        let morning = days.after(DAY).await;
        assert_eq!(morning.row(KEY).finding.began_at, began);
        assert!(!morning.reasons().is_empty());
    }
}
