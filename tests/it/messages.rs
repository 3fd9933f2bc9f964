//! Messages follow what the database knows: claimed by one, quiet for progress, at once for decisions, on both engines.

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    ops_log::Kind,
    store::{Begun, Decided, MessageState, RoundOrder, Showing, Store, StoredMessage, Undelivered},
};
use futures_util::future::join_all;
use serde_json::json;

use crate::world::{
    chat::{CHANNEL, order},
    database::{on_each_engine, open},
    records::{at, decide, decision, entry, intact},
};

const LEASE: TimeDelta = TimeDelta::minutes(1);
const LONG_AGO: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// Asks for a round of its own, and gives its message's id.
async fn ask(store: &Store, name: &str) -> String {
    let before = store.living_messages(CHANNEL).await.unwrap();
    let order = RoundOrder {
        only: Some(vec![name.to_owned()]),
        ..order(0)
    };
    let begun = store.begin_round(CHANNEL, order, LONG_AGO, None).await;
    assert_eq!(begun.unwrap(), Begun::Started);
    let mut living = store.living_messages(CHANNEL).await.unwrap();
    living.retain(|id| !before.contains(id));
    living.pop().expect("it has a message")
}

async fn claim(store: &Store, minute: i64) -> Option<StoredMessage> {
    store
        .claim_message(at(minute), LEASE)
        .await
        .expect("messages can be claimed")
}

async fn message(store: &Store, id: &str) -> StoredMessage {
    let message = store.message(id).await.expect("it can be read");
    message.expect("it is kept")
}

fn shown(quiet_until: Option<i64>) -> Showing {
    Showing::Shown {
        ts: "1700000000.000100".to_owned(),
        digest: "d1".to_owned(),
        quiet_until: quiet_until.map(at),
        doubted_at: None,
        refused_blocks: None,
    }
}

async fn settle(store: &Store, message: &StoredMessage, showing: Showing) -> bool {
    store
        .settle_message(message, showing)
        .await
        .expect("it can be settled")
}

#[tokio::test]
async fn a_message_is_shown_once_per_change() {
    on_each_engine(async |database| {
        let store = &database.store;
        let id = ask(store, "health").await;
        let first = claim(store, 0).await.expect("it was never posted");
        assert_eq!(
            (&first.id, first.ts.as_deref(), first.attempts, first.state),
            (&id, None, 1, MessageState::Living)
        );
        assert_eq!(claim(store, 0).await, None, "somebody has it");
        assert!(store.mark_posting(&first, at(0)).await.unwrap());
        assert!(settle(store, &first, shown(None)).await);
        assert_eq!(claim(store, 9).await, None, "nothing has changed");

        store.refresh_messages().await.unwrap();
        let second = claim(store, 9).await.expect("something may have changed");
        assert_eq!(
            (
                second.ts.as_deref(),
                second.digest.as_deref(),
                second.attempts,
                second.first_sent_at
            ),
            (Some("1700000000.000100"), Some("d1"), 1, Some(at(0)))
        );
        store.refresh_messages().await.unwrap();
        assert!(settle(store, &second, shown(None)).await);
        assert!(
            claim(store, 9).await.is_some(),
            "it changed while it was shown"
        );
    })
    .await;
}

#[tokio::test]
async fn progress_keeps_quiet_for_a_while_and_a_decision_does_not_wait() {
    on_each_engine(async |database| {
        let store = &database.store;
        ask(store, "health").await;
        let round = store
            .claim_round(at(0), LEASE)
            .await
            .unwrap()
            .expect("it waits");
        let progress = async || {
            let kept = store.keep_progress(&round.claim(), json!([]), at(60)).await;
            assert!(kept.unwrap());
        };
        let first = claim(store, 0).await.expect("it was never posted");
        assert!(settle(store, &first, shown(Some(5))).await);
        progress().await;
        assert_eq!(claim(store, 4).await, None, "quiet until then");
        let second = claim(store, 5)
            .await
            .expect("it has been quiet long enough");

        // Decided while the picture of before was on its way: what that one asks for is not what the decision asks for.
        progress().await;
        decide(store, "1", 1).await;
        assert!(settle(store, &second, shown(Some(10))).await);
        let third = claim(store, 6).await.expect("a decision doesn't wait");
        assert!(settle(store, &third, shown(Some(12))).await);
        progress().await;
        assert_eq!(claim(store, 11).await, None, "and progress does again");
        assert!(claim(store, 12).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_message_in_doubt_is_looked_at_again_after_its_quiet_time_and_for_a_decision_at_once() {
    on_each_engine(async |database| {
        let store = &database.store;
        ask(store, "health").await;
        let doubted = |quiet_until| match shown(Some(quiet_until)) {
            Showing::Shown {
                ts,
                digest,
                quiet_until,
                refused_blocks,
                ..
            } => Showing::Shown {
                ts,
                digest,
                quiet_until,
                doubted_at: Some(at(0)),
                refused_blocks,
            },
            other => other,
        };
        let first = claim(store, 0).await.expect("it was never posted");
        assert!(settle(store, &first, doubted(5)).await);
        assert_eq!(claim(store, 4).await, None, "quiet until then");
        let second = claim(store, 5).await.expect("copies are looked for");

        decide(store, "1", 1).await;
        assert!(settle(store, &second, doubted(10)).await);
        let third = claim(store, 6).await.expect("decided while it was shown");
        assert!(settle(store, &third, doubted(12)).await);
        assert_eq!(claim(store, 11).await, None, "quiet again");
        decide(store, "1", 2).await;
        let fourth = claim(store, 11).await.expect("a decision doesn't wait");
        assert!(settle(store, &fourth, shown(Some(20))).await);
        assert_eq!(claim(store, 99).await, None, "no doubt is left");
    })
    .await;
}

#[tokio::test]
async fn a_wait_that_the_chat_asked_for_holds_for_decisions_too() {
    on_each_engine(async |database| {
        let store = &database.store;
        let id = ask(store, "health").await;
        let first = claim(store, 0).await.expect("it was never posted");
        let later = Showing::Later {
            not_before: at(30),
            error: "rate limited".into(),
        };
        assert!(settle(store, &first, later).await);
        decide(store, "1", 1).await;
        assert_eq!(claim(store, 29).await, None);
        assert_eq!(
            store.undelivered().await.unwrap(),
            Undelivered {
                messages: 1,
                failing: 1
            }
        );
        assert_eq!(
            message(store, &id)
                .await
                .last_error
                .as_ref()
                .map(|why| why.as_str()),
            Some("rate limited")
        );
        let second = claim(store, 30).await.expect("it may be tried again");
        assert_eq!(second.attempts, 2);
        assert!(settle(store, &second, shown(None)).await);
        assert_eq!(store.undelivered().await.unwrap(), Undelivered::default());
        let shown = message(store, &id).await;
        assert_eq!((shown.attempts, shown.last_error), (0, None));
    })
    .await;
}

#[tokio::test]
async fn blocks_that_were_refused_are_no_failure_to_deliver() {
    on_each_engine(async |database| {
        let store = &database.store;
        let id = ask(store, "health").await;
        let first = claim(store, 0).await.expect("it was never posted");
        let as_text = Showing::Shown {
            ts: "1.2".to_owned(),
            digest: "d1".to_owned(),
            quiet_until: None,
            doubted_at: None,
            refused_blocks: Some("invalid_blocks".into()),
        };
        assert!(settle(store, &first, as_text).await);
        store.refresh_messages().await.unwrap();
        let waiting = store.undelivered().await.unwrap();
        assert_eq!((waiting.messages, waiting.failing), (1, 0));
        let why = message(store, &id).await.last_error;
        assert_eq!(why.as_ref().map(|why| why.as_str()), Some("invalid_blocks"));
    })
    .await;
}

#[tokio::test]
async fn who_wakes_up_after_the_lease_posts_nothing_and_has_it_rendered_once_more() {
    on_each_engine(async |database| {
        let store = &database.store;
        let id = ask(store, "health").await;
        let late = claim(store, 0).await.expect("it was never posted");
        let quick = claim(store, 1).await.expect("the lease has run out");
        assert_eq!((quick.fence, quick.attempts), (2, 2));
        assert!(!store.mark_posting(&late, at(1)).await.unwrap());
        assert!(store.mark_posting(&quick, at(1)).await.unwrap());
        assert!(settle(store, &quick, shown(Some(60))).await);
        assert!(!settle(store, &late, Showing::Gone).await);
        let kept = message(store, &id).await;
        assert_eq!(
            (kept.state, kept.digest.as_deref(), kept.first_sent_at),
            (MessageState::Living, Some("d1"), Some(at(1)))
        );
        let again = claim(store, 1)
            .await
            .expect("an older picture may have come last");
        assert_eq!(again.wanted, quick.wanted + 1);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_was_never_posted_goes_first_and_one_that_fails_last() {
    on_each_engine(async |database| {
        let store = &database.store;
        let old = ask(store, "a").await;
        let first = claim(store, 0).await.expect("it waits");
        assert!(settle(store, &first, shown(None)).await);
        let failing = ask(store, "b").await;
        let tried = claim(store, 0).await.expect("it waits");
        let later = Showing::Later {
            not_before: at(0),
            error: "no answer".into(),
        };
        assert!(settle(store, &tried, later).await);
        let new = ask(store, "c").await;
        store.refresh_messages().await.unwrap();
        let mut order = Vec::new();
        while let Some(message) = claim(store, 0).await {
            order.push(message.id);
        }
        assert_eq!(order, [new, failing, old]);
    })
    .await;
}

#[tokio::test]
async fn a_newer_message_takes_the_buttons_off_the_older_ones() {
    on_each_engine(async |database| {
        let store = &database.store;
        let (older, gone, newer) = (
            ask(store, "a").await,
            ask(store, "b").await,
            ask(store, "c").await,
        );
        while let Some(message) = claim(store, 0).await {
            let showing = if message.id == gone {
                Showing::Gone
            } else {
                shown(Some(60))
            };
            assert!(settle(store, &message, showing).await);
        }
        let others = vec![
            older.clone(),
            gone.clone(),
            newer.clone(),
            "none".to_owned(),
        ];
        store.replace_messages(others, &newer).await.unwrap();
        assert_eq!(
            store.living_messages(CHANNEL).await.unwrap(),
            [newer.as_str()]
        );
        let old = message(store, &older).await;
        assert_eq!(
            (old.state, old.newer.as_deref()),
            (MessageState::Old, Some(newer.as_str()))
        );
        assert_eq!(message(store, &gone).await.state, MessageState::Gone);
        assert_eq!(message(store, &newer).await.state, MessageState::Living);
        let next = claim(store, 1).await.expect("it loses its buttons at once");
        assert_eq!(next.id, older);
        assert_eq!(
            claim(store, 99).await.map(|message| message.id),
            Some(older.clone())
        );

        assert!(
            settle(
                store,
                &claim(store, 200).await.expect("its lease is over"),
                shown(None)
            )
            .await
        );
        store.refresh_messages().await.unwrap();
        assert_eq!(
            claim(store, 300).await.map(|message| message.id),
            Some(newer),
            "only what lives follows"
        );
        assert_eq!(claim(store, 300).await, None);
    })
    .await;
}

#[tokio::test]
async fn what_was_posted_twice_and_found_once_is_looked_for_again() {
    on_each_engine(async |database| {
        let store = &database.store;
        let id = ask(store, "health").await;
        for minute in [0, 1] {
            let unsure = claim(store, minute).await.expect("it waits");
            let begun = store.mark_posting(&unsure, at(minute)).await;
            assert!(begun.expect("it is kept"));
            let found = Showing::Found {
                ts: "1700000000.000100".to_owned(),
            };
            if minute == 1 {
                assert!(settle(store, &unsure, found).await);
            }
        }
        let kept = message(store, &id).await;
        assert_eq!(kept.doubted_at, Some(at(1)), "the other may still come");
    })
    .await;
}

#[tokio::test]
async fn a_post_that_was_never_confirmed_is_adopted_once_where_it_is_found() {
    on_each_engine(async |database| {
        let store = &database.store;
        let id = ask(store, "health").await;
        assert!(
            !store.adopt_message(&id, "1.1").await.unwrap(),
            "it was never sent"
        );
        let lost = claim(store, 0).await.expect("it waits");
        assert!(store.mark_posting(&lost, at(0)).await.unwrap());
        let later = Showing::Later {
            not_before: at(0),
            error: "no answer".into(),
        };
        assert!(settle(store, &lost, later).await);
        assert!(store.adopt_message(&id, "1.1").await.unwrap());
        assert!(
            store.adopt_message(&id, "1.1").await.unwrap(),
            "somebody else clicks on it at the same moment"
        );
        assert!(!store.adopt_message(&id, "2.2").await.unwrap());
        assert!(!store.adopt_message("none", "2.2").await.unwrap());
        let again = claim(store, 0).await.expect("it is rendered where it is");
        assert_eq!(again.ts.as_deref(), Some("1.1"));
        assert_eq!(again.wanted, lost.wanted + 2);
    })
    .await;
}

#[tokio::test]
async fn a_restart_takes_messages_up_at_once_but_for_a_post_that_may_have_arrived() {
    on_each_engine(async |database| {
        let store = &database.store;
        let (unsent, sent) = (ask(store, "a").await, ask(store, "b").await);
        let both = [claim(store, 0).await, claim(store, 0).await];
        for message in both
            .into_iter()
            .flatten()
            .filter(|message| message.id == sent)
        {
            assert!(store.mark_posting(&message, at(0)).await.unwrap());
        }
        store.release_claims().await.unwrap();
        let taken = claim(store, 0).await.map(|message| message.id);
        assert_eq!(taken, (!database.postgres).then_some(unsent));
        assert_eq!(claim(store, 0).await, None);
        assert!(claim(store, 1).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn people_messages_and_rounds_side_by_side_never_wait_for_each_other_in_a_circle() {
    on_each_engine(async |database| {
        let other = match database.postgres {
            true => Some(open(&database.url).await),
            false => None,
        };
        let stores = [&*database.store, other.as_ref().unwrap_or(&database.store)];
        for number in 0..12 {
            ask(&database.store, &format!("check-{number}")).await;
        }
        let ids = database.store.living_messages(CHANNEL).await.unwrap();
        let decide = async |n: usize| {
            let subject = n.to_string();
            let decided = stores[n % 2]
                .decide(
                    decision(&subject, 1, "anna"),
                    entry(1, Kind::Decision, "anna", &subject),
                    None,
                    None,
                )
                .await;
            assert!(matches!(decided, Ok(Decided::Recorded(_))), "{decided:?}");
        };
        let replace = async |n: usize| {
            let mut older = ids[..6].to_vec();
            older.rotate_left(n % 6);
            stores[n % 2]
                .replace_messages(older, &ids[6])
                .await
                .unwrap();
        };
        let show = async |n: usize| {
            while let Some(message) = claim(stores[n % 2], 0).await {
                settle(stores[n % 2], &message, shown(None)).await;
            }
        };
        tokio::join!(
            join_all((0..40).map(decide)),
            join_all((0..12).map(replace)),
            join_all((0..4).map(show)),
        );
        assert_eq!(intact(&database.store).await, 40);
        if let Some(other) = other {
            other.close().await;
        }
    })
    .await;
}
