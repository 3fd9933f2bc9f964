//! What is asked in a chat is accepted once, and dealt with once, on both engines.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use daily_ops::{
    command::Form,
    ops_log::Kind,
    report::{Report, RunId},
    store::{Backlog, Begun, Decided, Filter, Receipt, Remembered, Store},
    triage::{Memory, Person, Verdict},
};
use futures_util::future::join_all;
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::timeout;

use crate::world::{
    chat::{CHANNEL, accept, filled_in, item_of, order, typed},
    database::{Database, on_each_engine, open},
    records::{a_run, at, decide, decision, effect, entry, intact, key},
};

const LEASE: TimeDelta = TimeDelta::minutes(1);

async fn claim(store: &Store, minute: i64) -> Option<(String, Receipt)> {
    let claimed = store
        .claim_asked(at(minute), LEASE)
        .await
        .expect("the inbox can be read");
    claimed.map(|(asked, receipt)| (asked.key, receipt))
}

#[tokio::test]
async fn of_many_deliveries_at_once_one_is_accepted() {
    on_each_engine(async |database| {
        let other = match database.postgres {
            true => Some(open(&database.url).await),
            false => None,
        };
        let stores = [&*database.store, other.as_ref().unwrap_or(&database.store)];
        let asked = typed("cmd:T1:1.2", "U0ANNA", "daily");
        let receipts = join_all((0..200).map(|n| accept(stores[n % 2], &asked, 0))).await;
        assert_eq!(receipts.iter().flatten().count(), 1);
        assert_eq!(
            database.store.backlog().await.unwrap(),
            Backlog {
                waiting: 1,
                oldest: Some(at(0)),
                unclaimed: Some(at(0) + LEASE),
            }
        );
        if let Some(other) = other {
            other.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_is_kept_while_everything_else_waits_for_the_database() {
    on_each_engine(async |database| {
        if !database.postgres {
            return;
        }
        let mut intruder = PgConnection::connect(&database.url).await.unwrap();
        let mut held = intruder.begin().await.unwrap();
        let lock = "LOCK TABLE effects IN ACCESS EXCLUSIVE MODE";
        held.execute(lock).await.unwrap();
        let waiting: Vec<_> = (0..12)
            .map(|_| {
                let store = Arc::clone(&database.store);
                tokio::spawn(async move { store.open_effects().await })
            })
            .collect();
        let locks = "SELECT 1 FROM pg_locks WHERE relation = 'effects'::regclass AND NOT granted";
        while database.raw(locks).await.unwrap() < 8 {
            tokio::task::yield_now().await;
        }
        let asked = typed("cmd:1", "U0ANNA", "daily");
        let kept = accept(&database.store, &asked, 0);
        let kept = timeout(Duration::from_secs(2), kept).await;
        assert!(kept.expect("it waits for nobody").is_some());
        held.rollback().await.unwrap();
        for waiting in waiting {
            assert_eq!(waiting.await.unwrap().unwrap(), []);
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_that_was_dealt_with_is_not_accepted_again() {
    on_each_engine(async |database| {
        let store = &database.store;
        let asked = typed("cmd:1", "U0ANNA", "help");
        let receipt = accept(store, &asked, 0).await.expect("it is new");
        assert!(store.finish_asked(receipt.clone()).await.unwrap());
        assert!(!store.finish_asked(receipt).await.unwrap());
        assert_eq!(accept(store, &asked, 5).await, None);
        assert_eq!(claim(store, 5).await, None);
        assert_eq!(store.backlog().await.unwrap(), Backlog::default());
    })
    .await;
}

#[tokio::test]
async fn what_was_accepted_is_taken_over_when_the_lease_has_run_out_the_oldest_first() {
    on_each_engine(async |database| {
        let store = &database.store;
        for (minute, name) in [(2, "c"), (0, "a"), (1, "b")] {
            accept(store, &typed(name, "U0ANNA", "daily"), minute).await;
        }
        assert_eq!(claim(store, 0).await, None);
        let (first, receipt) = claim(store, 1).await.expect("its lease has run out");
        assert_eq!(first, "a");
        assert_eq!(claim(store, 1).await, None);
        let (second, _) = claim(store, 2).await.expect("two leases have run out");
        assert_eq!(
            second, "a",
            "the oldest one, whose second lease has run out"
        );
        assert!(!store.finish_asked(receipt).await.unwrap());
        assert_eq!(
            claim(store, 2).await.map(|claimed| claimed.0).as_deref(),
            Some("b")
        );
        assert_eq!(claim(store, 2).await, None);
    })
    .await;
}

#[tokio::test]
async fn who_wakes_up_after_the_lease_writes_nothing() {
    on_each_engine(async |database| {
        let store = &database.store;
        let late = accept(store, &typed("cmd:1", "U0ANNA", "daily"), 0)
            .await
            .expect("it is new");
        let (_, receipt) = claim(store, 1).await.expect("the lease has run out");

        let words = entry(1, Kind::Denied, "anna", "denied");
        assert_eq!(store.deny(words.clone(), late.clone()).await.unwrap(), None);
        let decided = store
            .decide(
                decision("1", 1, "anna"),
                entry(1, Kind::Decision, "anna", "late"),
                Some(effect("1", 1, "anna")),
                Some(late.clone()),
            )
            .await
            .unwrap();
        assert_eq!(decided, Decided::Elsewhere);
        let begun = store
            .begin_round(CHANNEL, order(1), at(0), Some(late.clone()))
            .await
            .unwrap();
        assert_eq!(begun, Begun::Elsewhere);
        assert!(!store.finish_asked(late).await.unwrap());

        assert_eq!(store.head().await.unwrap().seq, 0);
        assert_eq!(store.history(&key("1")).await.unwrap(), []);
        assert_eq!(store.open_effects().await.unwrap(), []);
        assert_eq!(store.living_messages(CHANNEL).await.unwrap(), [""; 0]);
        assert_eq!(store.backlog().await.unwrap().waiting, 1);

        let denied = store.deny(words, receipt).await.unwrap();
        assert_eq!(denied.map(|entry| entry.seq), Some(1));
        assert_eq!(store.backlog().await.unwrap(), Backlog::default());
    })
    .await;
}

#[tokio::test]
async fn of_two_who_decide_at_once_one_does_and_the_others_request_stays_open_for_an_answer() {
    on_each_engine(async |database| {
        let store = &database.store;
        let names = ["anna", "ben", "cleo", "dora"];
        let receipts = join_all(names.map(async |name| {
            let asked = typed(&format!("act:{name}"), name, "");
            accept(store, &asked, 0).await.expect("it is new")
        }))
        .await;
        let decided = join_all(names.iter().zip(&receipts).map(|(name, receipt)| {
            store.decide(
                decision("1", 1, name),
                entry(1, Kind::Decision, name, "1"),
                Some(effect("1", 1, name)),
                Some(receipt.clone()),
            )
        }))
        .await;
        let decided: Vec<_> = decided.into_iter().map(Result::unwrap).collect();
        let conflicts = decided
            .iter()
            .filter(|decided| **decided == Decided::Conflict);
        assert_eq!(conflicts.count(), 3);
        assert_eq!(store.history(&key("1")).await.unwrap().len(), 1);
        assert_eq!(store.open_effects().await.unwrap().len(), 1);
        assert_eq!(store.backlog().await.unwrap().waiting, 3);
        assert_eq!(intact(store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn claims_side_by_side_never_meet() {
    on_each_engine(async |database| {
        let other = match database.postgres {
            true => Some(open(&database.url).await),
            false => None,
        };
        let stores = [&*database.store, other.as_ref().unwrap_or(&database.store)];
        for number in 0..40 {
            let asked = typed(&format!("cmd:{number}"), "U0ANNA", "daily");
            accept(&database.store, &asked, 0).await;
        }
        let drain = async |store: &Store| {
            let mut mine = Vec::new();
            while let Some((key, _)) = claim(store, 1).await {
                mine.push(key);
            }
            mine
        };
        let (a, b, c) = tokio::join!(drain(stores[0]), drain(stores[1]), drain(stores[0]));
        assert!(!b.is_empty(), "each finds some while others claim");
        let mut all = [a, b, c].concat();
        assert_eq!(all.len(), 40);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 40);
        if let Some(other) = other {
            other.close().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_that_cant_be_read_blocks_no_other() {
    on_each_engine(async |database| {
        let store = &database.store;
        accept(store, &typed("old", "U0ANNA", "daily"), -1).await;
        database
            .raw("UPDATE inbox SET asked = '{\"of\": \"another version\"}'")
            .await
            .unwrap();
        accept(store, &typed("new", "U0ANNA", "daily"), 0).await;
        let error = store.claim_asked(at(1), LEASE).await.unwrap_err();
        assert!(error.to_string().contains("another version"), "{error:#}");
        assert_eq!(
            claim(store, 1).await.map(|claimed| claimed.0).as_deref(),
            Some("new")
        );
        assert_eq!(store.backlog().await.unwrap().waiting, 2);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_cant_be_read_is_given_up_after_five_claims_and_logged() {
    on_each_engine(async |database| {
        let store = &database.store;
        accept(store, &typed("old", "U0ANNA", "daily"), -1).await;
        database
            .raw("UPDATE inbox SET asked = '{\"of\": \"another version\"}'")
            .await
            .unwrap();
        for minute in 0..4 {
            store.claim_asked(at(minute), LEASE).await.unwrap_err();
            let backlog = store.backlog().await.unwrap();
            assert_eq!(
                (backlog.waiting, backlog.unclaimed),
                (1, Some(at(minute) + LEASE)),
                "somebody looks at it again and again"
            );
        }
        assert_eq!(store.head().await.unwrap().seq, 0);
        let error = store.claim_asked(at(4), LEASE).await.unwrap_err();
        assert!(error.to_string().contains("given up"), "{error:#}");
        assert_eq!(store.backlog().await.unwrap(), Backlog::default());
        assert_eq!(claim(store, 99).await, None);
        let entries = store.entries(&Filter::newest(9)).await.unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].kind, Kind::Alert);
    })
    .await;
}

#[tokio::test]
async fn who_can_write_says_so_and_its_trace_is_removed_some_day() {
    on_each_engine(async |database| {
        let store = &database.store;
        let rows = async || {
            let counted = database.raw("UPDATE pulse SET at = at").await;
            counted.unwrap()
        };
        store.beat(at(0)).await.unwrap();
        store.beat(at(1)).await.unwrap();
        assert_eq!(rows().await, 1, "one row for each process");
        store.prune(at(24 * 60)).await.unwrap();
        assert_eq!(rows().await, 1);
        store.prune(at(24 * 60 + 2)).await.unwrap();
        assert_eq!(rows().await, 0);
        database.raw("DROP TABLE pulse").await.unwrap();
        let error = store.beat(at(2)).await.unwrap_err();
        assert!(format!("{error:#}").contains("takes no write"), "{error:#}");
    })
    .await;
}

#[tokio::test]
async fn a_restart_takes_up_at_once_what_was_claimed_where_nobody_else_can_have_it() {
    on_each_engine(async |database| {
        let store = &database.store;
        accept(store, &typed("cmd:1", "U0ANNA", "daily"), 0).await;
        store.release_claims().await.unwrap();
        let taken = claim(store, 0).await;
        assert_eq!(taken.is_some(), !database.postgres);
        if let Some((_, receipt)) = taken {
            assert!(store.finish_asked(receipt).await.unwrap());
            store.release_claims().await.unwrap();
            assert_eq!(claim(store, 0).await, None);
        }
    })
    .await;
}

/// Rows in which a word stands.
async fn rows_with_anna(database: &Database) -> [u64; 2] {
    [
        database
            .raw("UPDATE inbox SET fence = fence WHERE key LIKE '%U0ANNA%' OR CAST(asked AS TEXT) LIKE '%U0ANNA%'")
            .await
            .unwrap(),
        database
            .raw("UPDATE asked_rounds SET fence = fence WHERE CAST(asked AS TEXT) LIKE '%U0ANNA%'")
            .await
            .unwrap(),
    ]
}

#[tokio::test]
async fn who_is_erased_is_gone_from_what_was_asked_but_not_from_what_waits() {
    on_each_engine(async |database| {
        let store = &database.store;
        let item = item_of("0123456789abcdef");
        let note = Form::Note {
            text: "call me".to_owned(),
        };
        let to_anna = Form::Assign {
            to: "U0ANNA".to_owned(),
        };
        let done = [
            typed("act:T1:U0ANNA:1", "U0ANNA", "daily"),
            filled_in("act:T1:U0ANNA:2", "U0ANNA", "1.1", note, item.clone()),
            filled_in("3", "U0BEN", "1.1", to_anna, item),
            typed("4", "U0BEN", "triage assign errors:1 <@U0ANNA|anna>"),
            typed("5", "U0BEN", "triage ack errors:1"),
        ];
        for asked in &done {
            let receipt = accept(store, asked, 0).await.expect("it is new");
            assert!(store.finish_asked(receipt).await.unwrap());
        }
        accept(store, &typed("6", "U0ANNA", "status"), 0).await;
        store
            .begin_round(CHANNEL, order(0), at(0), None)
            .await
            .unwrap();
        assert_eq!(rows_with_anna(database).await, [5, 1]);

        let anna = Person::from("slack:U0ANNA".to_owned());
        let words = entry(1, Kind::Erased, "ben", "she asked for it");
        store.erase(anna, words).await.unwrap();
        assert_eq!(rows_with_anna(database).await, [1, 0]);
        assert_eq!(
            store.head().await.unwrap().seq,
            1,
            "the log says that something is gone"
        );
        for asked in &done {
            assert_eq!(accept(store, asked, 5).await, None, "it is still known");
        }
        assert_eq!(
            claim(store, 5).await.map(|claimed| claimed.0).as_deref(),
            Some("6")
        );
        let round = store
            .claim_round(at(0), LEASE)
            .await
            .unwrap()
            .expect("it is still run");
        assert_eq!(round.order.by.as_ref().map(Person::id), Some("erased"));
    })
    .await;
}

#[tokio::test]
async fn a_database_of_the_version_before_is_brought_up_to_date_with_all_it_holds() {
    on_each_engine(async |database| {
        let report = Report {
            run: RunId::of(at(0)),
            started_at: at(0),
            finished_at: at(0),
            checks: Vec::new(),
        };
        let run = a_run(
            &report,
            Verdict::Ok,
            Memory::new(),
            entry(0, Kind::Round, "anna", "1"),
        );
        database.store.record_run(run).await.unwrap();
        decide(&database.store, "1", 1).await;
        database.store.close().await;
        for statement in [
            "DROP TABLE messages",
            "DROP TABLE asked_rounds",
            "DROP TABLE inbox",
            "DROP TABLE summaries",
            "DROP TABLE pulse",
            "ALTER TABLE runs DROP COLUMN past",
            "DELETE FROM _sqlx_migrations WHERE version = 4",
        ] {
            database.raw(statement).await.unwrap();
        }
        let store = open(&database.url).await;
        let (kept, before) = store.run(&report.run).await.unwrap().expect("it is kept");
        assert_eq!((kept, before), (report, Remembered::default()));
        assert_eq!(store.history(&key("1")).await.unwrap().len(), 1);
        assert_eq!(store.open_effects().await.unwrap().len(), 1);
        assert_eq!(intact(&store).await, 2);
        assert!(
            accept(&store, &typed("1", "U0ANNA", "daily"), 0)
                .await
                .is_some()
        );
        store.close().await;
    })
    .await;
}
