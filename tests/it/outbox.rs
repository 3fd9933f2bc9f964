//! What is owed to the other side is claimed by one and settled once, on both engines.

use daily_ops::{
    checks::Applied,
    ops_log::Kind,
    store::{EffectState, Settled, Settlement, Store},
};

use crate::world::{
    database::{on_each_engine, open},
    records::{at, claim, decide, effect, entry, key, note},
};

#[tokio::test]
async fn an_effect_is_claimed_once_and_settled_with_its_entry() {
    on_each_engine(async |database| {
        let store = &database.store;
        decide(store, "1", 1).await;
        let claimed = claim(store, 1).await.expect("one is due");
        assert_eq!(
            (claimed.attempts, claimed.fence, claimed.state),
            (1, 1, EffectState::Running)
        );
        assert_eq!(claimed.order, effect("1", 1, "anna").order().clone());
        assert_eq!(claim(store, 1).await, None);

        assert!(store.mark_sent(&claimed, at(1)).await.unwrap());
        let done = Applied::Done {
            said: "resolved in Sentry".into(),
            changed: true,
            after: Some("unresolved".into()),
        };
        let settled = store
            .settle_effect(
                &claimed.effect_key,
                claimed.fence,
                Settlement::Done(done.clone()),
                Some(entry(1, Kind::Effect, "anna", "done")),
            )
            .await
            .unwrap();
        assert!(matches!(settled, Settled::Recorded(Some(entry)) if entry.seq == 2));

        let effect = store
            .effect_of(&key("1"), 1)
            .await
            .unwrap()
            .expect("it is kept");
        assert_eq!(
            (effect.state, effect.result, effect.first_sent_at),
            (EffectState::Done, Some(done), Some(at(1)))
        );
        assert_eq!(store.open_effects().await.unwrap(), []);
        assert_eq!(store.effect_of(&key("1"), 2).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn who_wakes_up_after_the_lease_settles_nothing() {
    on_each_engine(async |database| {
        let store = &database.store;
        decide(store, "1", 1).await;
        let slow = claim(store, 0).await.expect("one is due");
        let quick = claim(store, 2).await.expect("the lease has run out");
        assert_eq!((quick.fence, quick.attempts), (2, 2));

        assert!(!store.mark_sent(&slow, at(2)).await.unwrap());
        let late = store
            .settle_effect(
                &slow.effect_key,
                slow.fence,
                Settlement::Failed("late".into()),
                Some(note(2)),
            )
            .await
            .unwrap();
        assert_eq!(late, Settled::FenceLost);
        assert_eq!(store.head().await.unwrap().seq, 1);

        let retry = Settlement::Retry {
            error: "no answer".into(),
            not_before: at(30),
        };
        assert_eq!(
            store
                .settle_effect(&quick.effect_key, quick.fence, retry, None)
                .await
                .unwrap(),
            Settled::Recorded(None)
        );
        assert_eq!(claim(store, 29).await, None);
        let third = claim(store, 30).await.expect("it is due again");
        assert_eq!(
            (
                third.attempts,
                third.last_error.as_ref().map(|error| error.as_str())
            ),
            (3, Some("no answer"))
        );
        store
            .settle_effect(
                &third.effect_key,
                third.fence,
                Settlement::NeedsHuman("look".into()),
                None,
            )
            .await
            .unwrap();
        assert_eq!(
            store.open_effects().await.unwrap()[0].state,
            EffectState::NeedsHuman
        );
        assert_eq!(claim(store, 999).await, None);
    })
    .await;
}

#[tokio::test]
async fn the_effects_of_one_finding_go_in_the_order_of_its_decisions() {
    on_each_engine(async |database| {
        let store = &database.store;
        decide(store, "1", 1).await;
        decide(store, "1", 2).await;
        let first = claim(store, 1).await.expect("the first is due");
        assert_eq!(first.version, 1);
        assert_eq!(claim(store, 1).await, None);
        store
            .settle_effect(
                &first.effect_key,
                first.fence,
                Settlement::Failed("gone".into()),
                None,
            )
            .await
            .unwrap();
        assert_eq!(
            claim(store, 1)
                .await
                .expect("the second may go now")
                .version,
            2
        );
    })
    .await;
}

#[tokio::test]
async fn claims_side_by_side_never_meet() {
    on_each_engine(async |database| {
        for subject in 0..40 {
            decide(&database.store, &subject.to_string(), 1).await;
        }
        let other = if database.postgres {
            Some(open(&database.url).await)
        } else {
            None
        };
        let stores = [&database.store, other.as_ref().unwrap_or(&database.store)];
        let drain = async |store: &Store| {
            let mut mine = Vec::new();
            while let Some(effect) = claim(store, 1).await {
                assert_eq!(effect.fence, 1);
                mine.push(effect.effect_key);
            }
            mine
        };
        let (a, b, c) = tokio::join!(drain(stores[0]), drain(stores[1]), drain(stores[0]));
        let mut all = [a, b, c].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 40);
        if let Some(other) = other {
            other.close().await;
        }
    })
    .await;
}
