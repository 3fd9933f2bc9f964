//! What is owed to the other side is claimed by one and settled once, on both engines.

use daily_ops::{
    checks::Applied,
    ops_log::{Kind, NewEntry},
    store::{Effect, EffectState, Settled, Settlement, Store},
    triage::{Action, Decision, Person},
};

use crate::world::{
    database::{on_each_engine, open},
    records::{at, claim, decide, decision, effect, entry, intact, key, note, person},
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
                None,
                Some(entry(1, Kind::Effect, "anna", "done")),
            )
            .await
            .unwrap();
        assert!(matches!(settled, Settled::Recorded(entries) if entries[0].seq == 2));

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
                None,
                Some(note(2)),
            )
            .await
            .unwrap();
        assert_eq!(late, Settled::FenceLost);
        assert_eq!(store.head().await.unwrap().seq, 1);

        let retry = Settlement::Retry {
            error: "no answer".into(),
            not_before: at(30),
            is_sent: true,
        };
        assert_eq!(
            store
                .settle_effect(&quick.effect_key, quick.fence, retry, None, None)
                .await
                .unwrap(),
            Settled::Recorded(Vec::new())
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

/// What takes a first decision about that finding back.
fn withdrawal(subject: &str) -> Option<(Decision, NewEntry)> {
    let undo = Decision {
        by: Person::program(),
        action: Action::Undo { version: 1 },
        ..decision(subject, 2, "anna")
    };
    let entry = NewEntry {
        subject: undo.key.to_string(),
        ..entry(2, Kind::Decision, "anna", "withdrawn")
    };
    Some((undo, entry))
}

async fn refused(store: &Store, effect: &Effect, subject: &str) -> Settled {
    let settled = store.settle_effect(
        &effect.effect_key,
        effect.fence,
        Settlement::Failed("403".into()),
        withdrawal(subject),
        Some(note(2)),
    );
    settled.await.unwrap()
}

#[tokio::test]
async fn what_is_refused_is_withdrawn_with_its_end_and_only_by_whoever_holds_the_claim() {
    on_each_engine(async |database| {
        let store = &database.store;
        decide(store, "1", 1).await;
        let slow = claim(store, 0).await.expect("one is due");
        let quick = claim(store, 2).await.expect("the lease has run out");
        assert_eq!(refused(store, &slow, "1").await, Settled::FenceLost);
        assert_eq!(store.history(&key("1")).await.unwrap().len(), 1);
        assert_eq!(store.head().await.unwrap().seq, 1);

        let settled = refused(store, &quick, "1").await;
        let Settled::Recorded(entries) = settled else {
            panic!("it holds the claim")
        };
        assert_eq!(
            entries
                .iter()
                .map(|entry| (entry.seq, entry.kind))
                .collect::<Vec<_>>(),
            [(2, Kind::Decision), (3, Kind::Round)]
        );
        let history = store.history(&key("1")).await.unwrap();
        assert_eq!(history[1].action, Action::Undo { version: 1 });
        assert_eq!(refused(store, &quick, "1").await, Settled::FenceLost);
        assert_eq!(intact(store).await, 3);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_withdrawn_over_a_newer_decision() {
    on_each_engine(async |database| {
        let store = &database.store;
        decide(store, "1", 1).await;
        let first = claim(store, 1).await.expect("one is due");
        decide(store, "1", 2).await;
        let settled = refused(store, &first, "1").await;
        assert!(
            matches!(&settled, Settled::Recorded(entries) if entries.len() == 1),
            "{settled:?}"
        );
        let history = store.history(&key("1")).await.unwrap();
        assert_eq!(history.len(), 2);
        assert_eq!(history[1].by, person("anna"));
        assert_eq!(claim(store, 1).await.expect("the next may go").version, 2);
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
async fn what_is_owed_is_as_old_as_its_decision_however_often_it_was_put_off() {
    on_each_engine(async |database| {
        let store = &database.store;
        assert_eq!(store.owed_since().await.unwrap(), None);
        decide(store, "1", 1).await;
        decide(store, "2", 1).await;
        let claimed = claim(store, 2).await.expect("one is due");
        let retry = Settlement::Retry {
            error: "no answer".into(),
            not_before: at(300),
            is_sent: false,
        };
        store
            .settle_effect(&claimed.effect_key, claimed.fence, retry, None, None)
            .await
            .unwrap();
        assert_eq!(store.owed_since().await.unwrap(), Some(at(1)));
        for minute in [300, 301] {
            let claimed = claim(store, minute).await.expect("both are due");
            let human = Settlement::NeedsHuman("look".into());
            store
                .settle_effect(&claimed.effect_key, claimed.fence, human, None, None)
                .await
                .unwrap();
        }
        assert_eq!(store.owed_since().await.unwrap(), None, "a person's turn");
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

#[test]
fn what_an_earlier_version_kept_is_still_read() {
    let read = |json: &str| -> Applied { serde_json::from_str(json).expect("it reads") };
    let done = read(r#"{"Done":{"said":"paid: 49 EUR","changed":true,"after":null}}"#);
    assert!(matches!(done, Applied::Done { changed: true, .. }));
    let ticketed = read(
        r#"{"Ticketed":{"said":"ticket a#1 in GitHub","ticket":{"id":"1","name":"a#1","url":null,"state":"open"}}}"#,
    );
    assert!(
        matches!(ticketed, Applied::Ticketed { remark: None, .. }),
        "{ticketed:?}"
    );
    let finding = daily_ops::report::Finding::new(
        key("1"),
        daily_ops::report::Severity::High,
        "a rule",
        "a title",
    );
    let mut kept = serde_json::to_value(&finding).expect("it is JSON");
    kept.as_object_mut()
        .expect("an object")
        .remove("can_be_resolved");
    let read: daily_ops::report::Finding = serde_json::from_value(kept).expect("it reads");
    assert_eq!(read, finding);
}
