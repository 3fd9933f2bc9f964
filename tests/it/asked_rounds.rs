//! Rounds that are asked for in a chat: begun once, run by one, recorded once, on both engines.

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    report::{Report, RunId},
    schedule::Schedule,
    store::{AskedRound, Begun, NewRun, RoundOrder, RoundState, Showing, Store},
    triage::{Memory, Verdict},
};
use futures_util::future::join_all;
use serde_json::json;

use crate::world::{
    chat::{CHANNEL, accept, order, typed},
    clockwork::{Time, bot},
    database::{on_each_engine, open},
    records::{a_run, at, intact, note},
};

const LEASE: TimeDelta = TimeDelta::minutes(1);
const LONG_AGO: DateTime<Utc> = DateTime::UNIX_EPOCH;

async fn begin(store: &Store, order: RoundOrder) -> Begun {
    store
        .begin_round(CHANNEL, order, LONG_AGO, None)
        .await
        .expect("it can be asked for")
}

async fn claim(store: &Store, minute: i64) -> Option<AskedRound> {
    store
        .claim_round(at(minute), LEASE)
        .await
        .expect("rounds can be claimed")
}

fn a_report(minute: i64) -> Report {
    Report {
        run: RunId::of(at(minute)),
        started_at: at(minute),
        finished_at: at(minute),
        checks: Vec::new(),
    }
}

fn run_of(round: &AskedRound, minute: i64) -> NewRun {
    NewRun {
        claim: Some(round.claim()),
        ..a_run(&a_report(minute), Verdict::Ok, Memory::new(), note(minute))
    }
}

#[tokio::test]
async fn of_fifty_who_ask_at_once_one_begins_and_the_others_are_shown_that_one() {
    on_each_engine(async |database| {
        let other = match database.postgres {
            true => Some(open(&database.url).await),
            false => None,
        };
        let stores = [&*database.store, other.as_ref().unwrap_or(&database.store)];
        let begun = join_all((0..50).map(async |n| {
            let store = stores[n % 2];
            let asked = typed(&format!("cmd:{n}"), "U0ANNA", "daily");
            let receipt = accept(store, &asked, 0).await;
            store
                .begin_round(CHANNEL, order(0), LONG_AGO, receipt)
                .await
                .expect("it can be asked for")
        }))
        .await;
        let started = begun.iter().filter(|begun| **begun == Begun::Started);
        assert_eq!(started.count(), 1);
        let ids = database.store.living_messages(CHANNEL).await.unwrap();
        assert_eq!(ids.len(), 1);
        let shown = begun
            .iter()
            .filter(|begun| matches!(begun, Begun::Running(round) if round.id == ids[0]));
        assert_eq!(shown.count(), 49);
        assert_eq!(database.store.backlog().await.unwrap().waiting, 0);
        if let Some(other) = other {
            other.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_the_same_is_told_by_channel_and_checks_whatever_their_order() {
    on_each_engine(async |database| {
        let store = &database.store;
        let only = |names: &[&str]| RoundOrder {
            only: Some(names.iter().map(ToString::to_string).collect()),
            ..order(0)
        };
        assert_eq!(begin(store, order(0)).await, Begun::Started);
        assert_eq!(begin(store, only(&["health"])).await, Begun::Started);
        assert_eq!(
            begin(store, only(&["health", "errors"])).await,
            Begun::Started
        );
        for same in [
            order(0),
            only(&["health"]),
            only(&["errors", "health"]),
            only(&["errors", "health", "errors"]),
        ] {
            let begun = begin(store, same).await;
            assert!(matches!(begun, Begun::Running(_)), "{begun:?}");
        }
        let elsewhere = store.begin_round("C0OTHER", order(0), LONG_AGO, None).await;
        assert_eq!(elsewhere.unwrap(), Begun::Started);
    })
    .await;
}

#[tokio::test]
async fn a_round_that_ended_a_moment_ago_is_shown_and_one_that_failed_is_begun_again() {
    on_each_engine(async |database| {
        let store = &database.store;
        begin(store, order(0)).await;
        let first = claim(store, 0).await.expect("it waits");
        store.record_run(run_of(&first, 5)).await.unwrap();
        let again = async |lately| {
            store
                .begin_round(CHANNEL, order(6), lately, None)
                .await
                .unwrap()
        };
        assert!(matches!(again(at(4)).await, Begun::Running(round) if round.id == first.id));
        assert_eq!(again(at(5)).await, Begun::Started);

        let second = claim(store, 6).await.expect("it waits");
        assert!(
            store
                .fail_round(&second.claim(), "no disk".into(), at(7))
                .await
                .unwrap()
        );
        let failed = store
            .asked_round(&second.id)
            .await
            .unwrap()
            .expect("it is kept");
        assert_eq!(
            (
                failed.state,
                failed.error.as_ref().map(|why| why.as_str()),
                failed.finished_at
            ),
            (RoundState::Failed, Some("no disk"), Some(at(7)))
        );
        assert_eq!(again(at(6)).await, Begun::Started);
    })
    .await;
}

#[tokio::test]
async fn whoever_asks_for_a_round_while_the_summary_is_made_is_shown_the_summary() {
    on_each_engine(async |database| {
        let store = &database.store;
        let summary = RoundOrder {
            by: None,
            due_at: Some(at(0)),
            ..order(0)
        };
        let day = at(0).date_naive();
        assert!(
            store
                .begin_summary(CHANNEL, day, summary.clone())
                .await
                .unwrap()
        );
        assert!(!store.begin_summary(CHANNEL, day, summary).await.unwrap());
        let begun = begin(store, order(1)).await;
        assert!(
            matches!(&begun, Begun::Running(round) if round.order.due_at == Some(at(0))),
            "{begun:?}"
        );
        let part = RoundOrder {
            only: Some(vec!["health".to_owned()]),
            ..order(1)
        };
        assert_eq!(begin(store, part).await, Begun::Started);
    })
    .await;
}

#[tokio::test]
async fn rounds_are_run_in_the_order_in_which_they_were_asked_for_but_one_that_failed_comes_last() {
    on_each_engine(async |database| {
        let store = &database.store;
        for minute in [3, 1, 2] {
            let order = RoundOrder {
                only: Some(vec![format!("check-{minute}")]),
                ..order(minute)
            };
            assert_eq!(begin(store, order).await, Begun::Started);
        }
        let first = claim(store, 5).await.expect("it waits");
        assert_eq!(
            (first.order.at, first.attempts, first.state),
            (at(1), 1, RoundState::Running)
        );
        assert!(
            store
                .keep_progress(&first.claim(), json!([]), at(5))
                .await
                .unwrap()
        );
        let mut rest = Vec::new();
        while let Some(round) = claim(store, 5).await {
            rest.push((round.order.at, round.attempts));
        }
        assert_eq!(rest, [(at(2), 1), (at(3), 1), (at(1), 2)]);
    })
    .await;
}

#[tokio::test]
async fn a_round_whose_lease_has_run_out_is_run_by_another_and_the_first_records_nothing() {
    on_each_engine(async |database| {
        let store = &database.store;
        begin(store, order(0)).await;
        let late = claim(store, 0).await.expect("it waits");
        assert_eq!(claim(store, 0).await, None);
        let round = claim(store, 1).await.expect("the lease has run out");
        assert_eq!((&round.id, round.fence, round.attempts), (&late.id, 2, 2));
        let wanted = store
            .message(&late.id)
            .await
            .unwrap()
            .expect("it is kept")
            .wanted;

        let error = store.record_run(run_of(&late, 2)).await.unwrap_err();
        assert!(error.to_string().contains("taken this over"), "{error:#}");
        assert!(
            !store
                .keep_progress(&late.claim(), json!(["late"]), at(9))
                .await
                .unwrap()
        );
        assert!(
            !store
                .fail_round(&late.claim(), "late".into(), at(2))
                .await
                .unwrap()
        );
        assert_eq!(store.last_run().await.unwrap(), None);
        assert_eq!(store.head().await.unwrap().seq, 0);
        let message = store.message(&late.id).await.unwrap().expect("it is kept");
        assert_eq!(message.wanted, wanted, "nothing has changed that it shows");

        assert!(
            store
                .keep_progress(&round.claim(), json!(["half"]), at(4))
                .await
                .unwrap()
        );
        assert_eq!(
            claim(store, 3).await,
            None,
            "a sign of life holds the claim"
        );
        store.record_run(run_of(&round, 3)).await.unwrap();
        let done = store
            .asked_round(&round.id)
            .await
            .unwrap()
            .expect("it is kept");
        assert_eq!(
            (done.state, done.run, done.progress),
            (
                RoundState::Done,
                Some(RunId::of(at(3))),
                Some(json!(["half"]))
            )
        );
        assert_eq!(claim(store, 99).await, None);
        assert_eq!(intact(store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn rounds_claimed_side_by_side_are_each_run_once() {
    on_each_engine(async |database| {
        let other = match database.postgres {
            true => Some(open(&database.url).await),
            false => None,
        };
        let stores = [&*database.store, other.as_ref().unwrap_or(&database.store)];
        for number in 0..20 {
            let channel = format!("C{number}");
            let begun = database
                .store
                .begin_round(&channel, order(0), LONG_AGO, None);
            assert_eq!(begun.await.unwrap(), Begun::Started);
        }
        let drain = async |store: &Store, minute: i64| {
            let mut mine = Vec::new();
            while let Some(round) = claim(store, 0).await {
                assert_eq!(round.fence, 1);
                store
                    .record_run(run_of(&round, minute + i64::try_from(mine.len()).unwrap()))
                    .await
                    .unwrap();
                mine.push(round.id);
            }
            mine
        };
        let (a, b, c) = tokio::join!(
            drain(stores[0], 100),
            drain(stores[1], 200),
            drain(stores[0], 300)
        );
        let mut all = [a, b, c].concat();
        assert_eq!(all.len(), 20);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 20);
        assert_eq!(intact(&database.store).await, 20);
        if let Some(other) = other {
            other.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_round_and_its_message_are_kept_as_long_as_its_run() {
    on_each_engine(async |database| {
        let store = &database.store;
        begin(store, order(0)).await;
        let old = claim(store, 0).await.expect("it waits");
        store.record_run(run_of(&old, 0)).await.unwrap();
        let message = store
            .claim_message(at(0), LEASE)
            .await
            .unwrap()
            .expect("it waits");
        let waiting = store.begin_round("C0OTHER", order(0), LONG_AGO, None).await;
        assert_eq!(waiting.unwrap(), Begun::Started);

        let later = 91 * 24 * 60;
        begin(store, order(later)).await;
        let second = claim(store, later).await.expect("it waits");
        assert_eq!(second.channel, "C0OTHER", "one that waits is never too old");
        store.record_run(run_of(&second, later)).await.unwrap();
        assert_eq!(store.asked_round(&old.id).await.unwrap(), None);
        assert_eq!(store.message(&old.id).await.unwrap(), None);
        assert!(store.message(&second.id).await.unwrap().is_some());
        assert_eq!(store.run(&RunId::of(at(0))).await.unwrap(), None);
        // Its poster was asleep all the while.
        assert!(!store.settle_message(&message, Showing::Gone).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_request_is_remembered_for_two_days() {
    on_each_engine(async |database| {
        let store = &database.store;
        let (done, open) = (
            typed("done", "U0ANNA", "help"),
            typed("open", "U0ANNA", "daily"),
        );
        let receipt = accept(store, &done, 0).await.expect("it is new");
        assert!(store.finish_asked(receipt).await.unwrap());
        accept(store, &open, 0).await;
        let prune = async |minute| {
            let run = a_run(&a_report(minute), Verdict::Ok, Memory::new(), note(0));
            store.record_run(run).await.unwrap();
        };
        prune(2 * 24 * 60).await;
        assert_eq!(accept(store, &done, 1).await, None);
        prune(2 * 24 * 60 + 1).await;
        assert!(
            accept(store, &done, 1).await.is_some(),
            "nobody sends it any more"
        );
        assert_eq!(accept(store, &open, 1).await, None, "what waits is kept");
    })
    .await;
}

fn seconds(seconds: i64) -> DateTime<Utc> {
    at(0) + TimeDelta::seconds(seconds)
}

#[tokio::test]
async fn a_round_that_cant_be_recorded_is_tried_three_times_and_then_its_message_says_why() {
    on_each_engine(async |database| {
        database.store.close().await;
        let clock = Time::at(at(0));
        let bot = bot(open(&database.url).await, Schedule::default(), &clock);
        begin(&bot.store, order(0)).await;
        let id = bot.store.living_messages(CHANNEL).await.unwrap().remove(0);
        database
            .raw("ALTER TABLE runs RENAME TO lost")
            .await
            .unwrap();
        for attempt in [1, 2, 3] {
            clock.set(seconds(attempt * 11));
            assert!(bot.run_asked_round().await.unwrap());
            let round = bot
                .store
                .asked_round(&id)
                .await
                .unwrap()
                .expect("it is kept");
            let expected = if attempt < 3 {
                RoundState::Running
            } else {
                RoundState::Failed
            };
            assert_eq!((round.state, round.attempts), (expected, attempt));
            assert!(!bot.run_asked_round().await.unwrap(), "not again at once");
        }
        let pictured = bot.picture(&id).await.unwrap().expect("it is kept");
        let why = pictured.round.error.expect("it says why");
        assert!(
            why.as_str().contains("could not be recorded"),
            "{}",
            why.as_str()
        );
        assert!(pictured.done.is_none());
        database
            .raw("ALTER TABLE lost RENAME TO runs")
            .await
            .unwrap();
        assert_eq!(bot.store.last_run().await.unwrap(), None);
        assert_eq!(bot.store.head().await.unwrap().seq, 0);
        assert_eq!(begin(&bot.store, order(2)).await, Begun::Started);
        assert!(bot.run_asked_round().await.unwrap());
        assert_eq!(intact(&bot.store).await, 1);
        bot.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_round_that_ends_the_process_each_time_is_given_up_as_well() {
    on_each_engine(async |database| {
        database.store.close().await;
        let clock = Time::at(at(9));
        let bot = bot(open(&database.url).await, Schedule::default(), &clock);
        begin(&bot.store, order(0)).await;
        let mut id = String::new();
        for minute in [0, 1, 2] {
            id = claim(&bot.store, minute)
                .await
                .expect("the one before died")
                .id;
        }
        assert!(bot.run_asked_round().await.unwrap());
        let round = bot
            .store
            .asked_round(&id)
            .await
            .unwrap()
            .expect("it is kept");
        let why = round.error.expect("it says why");
        assert_eq!(round.state, RoundState::Failed);
        assert!(why.as_str().contains("begun 3 times"), "{}", why.as_str());
        assert!(!bot.run_asked_round().await.unwrap());
        bot.store.close().await;
    })
    .await;
}
