//! The ops log in the database, on both engines.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    sync::Arc,
};

use daily_ops::{
    ops_log::{Kind, NewEntry, Sentence},
    report::{CheckReport, Finding, Outcome, Report, RunId, Severity},
    store::{Direction, Filter, Settlement, Store},
    triage::{Action, Memory, Verdict, remember},
};
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::task::JoinSet;

use crate::world::{
    company::{Company, stdout},
    database::{on_each_engine, open},
    records::{a_run, at, claim, decide, entry, intact, key, note, person},
};

#[tokio::test]
async fn a_thousand_writers_leave_a_chain_without_a_gap() {
    on_each_engine(async |database| {
        let other = if database.postgres {
            Some(Arc::new(open(&database.url).await))
        } else {
            None
        };
        let before = database.store.commits();
        let stores = [&database.store, other.as_ref().unwrap_or(&database.store)];
        let appends = if database.postgres { 200 } else { 1000 };
        let mut seqs = concurrently(stores, appends, 1000).await;
        seqs.sort_unstable();
        assert_eq!(seqs, (1..=appends).collect::<Vec<_>>());
        assert_eq!(intact(&database.store).await, appends as u64);
        if !database.postgres {
            let commits = database.store.commits() - before;
            assert!(commits <= 100, "{commits} commits for {appends} appends");
        }
        if let Some(other) = other {
            other.close().await;
        }
    })
    .await;
}

/// The numbers that concurrent appends through two stores were given.
async fn concurrently(stores: [&Arc<Store>; 2], appends: i64, at_once: usize) -> Vec<i64> {
    let mut appending = JoinSet::new();
    let mut seqs = Vec::new();
    for n in 0..appends {
        // PostgreSQL has few connections, and nobody waits for one for ever.
        if appending.len() == at_once {
            seqs.extend(appending.join_next().await);
        }
        let store = Arc::clone(stores[n as usize % 2]);
        appending.spawn(async move { store.append(note(n)).await.expect("it is appended").seq });
    }
    seqs.extend(appending.join_all().await.into_iter().map(Ok));
    seqs.into_iter()
        .map(|seq| seq.expect("no append panics"))
        .collect()
}

#[tokio::test]
async fn both_databases_refuse_to_change_the_log() {
    on_each_engine(async |database| {
        database.store.append(note(1)).await.unwrap();
        let mut attempts = vec![
            "UPDATE ops_log SET subject = 'other'",
            "DELETE FROM ops_log",
            "UPDATE ops_log_bodies SET body = 'other'",
            "UPDATE ops_log_bodies SET salt = NULL",
            "UPDATE ops_log_bodies SET seq = 7, salt = NULL, body = NULL",
            "DELETE FROM ops_log_bodies",
            "DELETE FROM chain_head",
            "INSERT INTO ops_log_bodies (seq, salt, body) VALUES (9, NULL, NULL)",
        ];
        if database.postgres {
            attempts.extend(["TRUNCATE ops_log_bodies", "TRUNCATE ops_log CASCADE"]);
        } else {
            attempts.extend([
                "INSERT OR REPLACE INTO ops_log SELECT seq, at, kind, 'other', body_hash, prev_hash, hash FROM ops_log",
                "INSERT OR REPLACE INTO ops_log_bodies SELECT seq, salt, 'other' FROM ops_log_bodies",
            ]);
        }
        for attempt in attempts {
            assert!(database.raw(attempt).await.is_err(), "{attempt}");
        }
        assert_eq!(intact(&database.store).await, 1);
        assert!(database.store.entries(&Filter::default()).await.unwrap()[0].body.is_some());
    })
    .await;
}

#[tokio::test]
async fn entries_are_found_by_word_kind_person_check_and_date() {
    on_each_engine(async |database| {
        let store = &database.store;
        store
            .append(entry(0, Kind::Round, "anna", "Checkout TIMES out"))
            .await
            .unwrap();
        store
            .append(entry(1, Kind::Alert, "bert", "checkout is back"))
            .await
            .unwrap();
        store
            .append(NewEntry {
                checks: vec!["health".to_owned()],
                subject: "health:api".to_owned(),
                ..entry(2, Kind::Round, "anna", "50%_off")
            })
            .await
            .unwrap();
        let find = async |filter: Filter| {
            let entries = store.entries(&filter).await.unwrap();
            entries.iter().map(|entry| entry.seq).collect::<Vec<_>>()
        };
        let all = Filter::default;
        assert_eq!(find(all()).await, [1, 2, 3]);
        assert_eq!(
            find(Filter {
                order: Direction::NewestFirst,
                limit: Some(2),
                ..all()
            })
            .await,
            [3, 2]
        );
        assert_eq!(
            find(Filter {
                words: vec!["checkout".into(), "times".into()],
                ..all()
            })
            .await,
            [1]
        );
        assert_eq!(
            find(Filter {
                words: vec!["health:api".into()],
                ..all()
            })
            .await,
            [3]
        );
        assert_eq!(
            find(Filter {
                words: vec!["%".into()],
                ..all()
            })
            .await,
            [3]
        );
        assert_eq!(
            find(Filter {
                kinds: vec![Kind::Round, Kind::Denied],
                ..all()
            })
            .await,
            [1, 3]
        );
        assert_eq!(
            find(Filter {
                person: Some("Bert".into()),
                ..all()
            })
            .await,
            [2]
        );
        assert_eq!(
            find(Filter {
                person: Some("terminal:anna".into()),
                ..all()
            })
            .await,
            [1, 3]
        );
        assert_eq!(
            find(Filter {
                checks: vec!["health".into()],
                ..all()
            })
            .await,
            [3]
        );
        assert_eq!(
            find(Filter {
                from: Some(at(1)),
                to: Some(at(2)),
                ..all()
            })
            .await,
            [2]
        );
        assert_eq!(
            find(Filter {
                limit: Some(0),
                ..all()
            })
            .await,
            [0_i64; 0]
        );
    })
    .await;
}

#[tokio::test]
async fn a_log_of_several_pages_is_walked_to_its_end() {
    on_each_engine(async |database| {
        let store = &database.store;
        let entries = if database.postgres { 1100 } else { 2100 };
        concurrently([store, store], entries, 250).await;
        let mut seen = Vec::new();
        store
            .visit(50, |record| {
                seen.push(record.seq);
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!(seen, (51..=entries).collect::<Vec<_>>());
        let newest = Filter {
            order: Direction::NewestFirst,
            words: vec!["nothing".into()],
            ..Filter::default()
        };
        assert_eq!(store.entries(&newest).await.unwrap().len() as i64, entries);
        assert_eq!(intact(store).await as i64, entries);
        let tail = store
            .verify_tail(1050)
            .await
            .unwrap()
            .expect("the tail is intact");
        assert_eq!((tail.entries, tail.head.seq), (1050, entries));
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_the_export() {
    let company = Company::with([]).await;
    let url = format!("sqlite:{}/ops.db", company.folder.path().display());
    let store = Arc::new(open(&url).await);
    concurrently([&store, &store], 2000, 250).await;
    store.close().await;
    // Who reads on meets an entry that can't be read.
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    raw.execute(
        "DROP TRIGGER ops_log_refuses_update; UPDATE ops_log SET hash = 'none' WHERE seq = 2000",
    )
    .await
    .unwrap();
    raw.close().await.unwrap();
    for format in ["jsonl", "markdown"] {
        let mut command = company.command();
        command.args(["log", "export", "--format", format]);
        let whole = command.output().unwrap();
        assert_eq!(whole.status.code(), Some(3));

        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.starts_with(['{', '#']), "{line}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{format}");
    }
}

#[tokio::test]
async fn a_file_that_is_only_behind_is_no_difference() {
    let company = Company::with([]).await;
    for _ in 0..2 {
        company.says("daily").await;
    }
    let file = company.log_file();
    let (before, _) = file.trim_end().rsplit_once('\n').unwrap();
    std::fs::write(
        company.folder.path().join("ops-log.md"),
        format!("{before}\n"),
    )
    .unwrap();
    let verified = company.says("log verify").await;
    let said = stdout(&verified);
    assert_eq!(verified.status.code(), Some(0), "{said}");
    assert!(
        said.starts_with("the chain holds: 2 entries, log #2"),
        "{said}"
    );
    assert!(
        said.ends_with(
            "is behind by 1 entry; the next round catches up, or `daily-ops log rebuild`\n"
        ),
        "{said}"
    );
    company.says("daily").await;
    let said = stdout(&company.says("log verify").await);
    assert!(said.ends_with("is the same to the byte\n"), "{said}");
}

#[tokio::test]
async fn a_person_is_erased_and_the_chain_still_fits() {
    on_each_engine(async |database| {
        let store = &database.store;
        store
            .append(entry(0, Kind::Round, "anna", "a quiet day"))
            .await
            .unwrap();
        store
            .append(entry(1, Kind::Alert, "bert", "Anna"))
            .await
            .unwrap();
        store
            .append(entry(2, Kind::Alert, "bert", "anna was asked"))
            .await
            .unwrap();
        decide(store, "1", 1).await;
        let claimed = claim(store, 1).await.unwrap();
        store
            .settle_effect(
                &claimed.effect_key,
                claimed.fence,
                Settlement::Failed("anna may not".into()),
                None,
                None,
            )
            .await
            .unwrap();

        let erased = store
            .erase(person("anna"), entry(3, Kind::Erased, "anna", "on request"))
            .await
            .unwrap();
        assert_eq!(erased, [1, 2, 4]);
        assert_eq!(intact(store).await, 5);
        let entries = store.entries(&Filter::default()).await.unwrap();
        assert_eq!(
            entries
                .iter()
                .filter(|entry| entry.body.is_none())
                .map(|entry| entry.seq)
                .collect::<Vec<_>>(),
            [1, 2, 4]
        );
        let last = entries[4].body.as_ref().expect("it is not erased");
        assert_eq!(
            (last.erased.as_slice(), last.by.id()),
            ([1, 2, 4].as_slice(), "erased")
        );

        let history = &store.decisions(&[key("1")]).await.unwrap()[&key("1")];
        assert_eq!(history[0].by.id(), "erased");
        assert_eq!(
            history[0].action,
            Action::Acknowledge {
                reason: Some("erased".into())
            }
        );
        let effect = store.effect_of(&key("1"), 1).await.unwrap().unwrap();
        let error = effect.last_error.expect("it failed");
        assert_eq!((effect.order.by.id(), error.as_str()), ("erased", "erased"));
    })
    .await;
}

#[tokio::test]
async fn who_is_named_is_found_as_well_as_who_wrote() {
    on_each_engine(async |database| {
        let store = &database.store;
        let assigned = NewEntry {
            text: Sentence::new().say("assigned to ").quote("anna"),
            ..entry(0, Kind::Decision, "bert", "")
        };
        store.append(assigned).await.unwrap();
        store
            .append(entry(1, Kind::Round, "bert", "anna in a title"))
            .await
            .unwrap();
        store
            .append(entry(2, Kind::Round, "anna", "a quiet day"))
            .await
            .unwrap();
        for person in ["anna", "terminal:Anna"] {
            let found = store
                .entries(&Filter {
                    person: Some(person.to_owned()),
                    ..Filter::default()
                })
                .await
                .unwrap();
            let seqs: Vec<i64> = found.iter().map(|entry| entry.seq).collect();
            assert_eq!(seqs, [1, 3], "{person}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_person_whose_name_is_a_word_is_erased_alone() {
    on_each_engine(async |database| {
        let store = &database.store;
        store
            .append(entry(0, Kind::Alert, "bert", "test failed as root"))
            .await
            .unwrap();
        store
            .append(entry(1, Kind::Round, "root", "a quiet day"))
            .await
            .unwrap();
        let erased = store
            .erase(person("root"), entry(2, Kind::Erased, "carl", "on request"))
            .await
            .unwrap();
        assert_eq!(erased, [2]);
    })
    .await;
}

#[tokio::test]
async fn a_person_who_only_owns_findings_is_taken_out_of_runs_and_memory() {
    on_each_engine(async |database| {
        let store = &database.store;
        let mut finding = Finding::new(key("1"), Severity::High, "rule", "anna's cart fails");
        finding.owner = Some("Anna".into());
        let report = Report {
            run: RunId::of(at(0)),
            started_at: at(0),
            finished_at: at(0),
            checks: vec![CheckReport {
                name: "errors".to_owned(),
                outcome: Outcome::Looked,
                findings: vec![finding],
                unseen: None,
                aged: Vec::new(),
                summary: "1 issue".into(),
                took_ms: 1,
                measures: Vec::new(),
            }],
        };
        let memory = remember(&Memory::new(), &report);
        let round = entry(0, Kind::Round, "bert", "1 needs you");
        store
            .record_run(a_run(&report, Verdict::NeedsYou, memory, round))
            .await
            .unwrap();
        assert!(
            store.memory().await.unwrap()[&key("1")]
                .finding
                .owner
                .is_some()
        );

        let erased = store
            .erase(person("anna"), entry(1, Kind::Erased, "carl", "on request"))
            .await
            .unwrap();
        assert_eq!((erased, intact(store).await), (Vec::new(), 2));
        let known = &store.memory().await.unwrap()[&key("1")];
        assert_eq!(known.finding.owner, None);
        assert_eq!(known.finding.title, "anna's cart fails".into());
        let left = database
            .raw("UPDATE runs SET verdict = verdict WHERE CAST(report AS TEXT) LIKE '%\"Anna\"%'")
            .await
            .unwrap();
        assert_eq!(left, 0);
    })
    .await;
}

#[tokio::test]
async fn an_erasure_may_itself_be_erased() {
    on_each_engine(async |database| {
        let store = &database.store;
        store
            .append(entry(0, Kind::Round, "anna", "one"))
            .await
            .unwrap();
        store
            .erase(person("anna"), entry(1, Kind::Erased, "bert", "on request"))
            .await
            .unwrap();
        let erased = store
            .erase(person("bert"), entry(2, Kind::Erased, "carl", "on request"))
            .await
            .unwrap();
        assert_eq!(erased, [2]);
        assert_eq!(intact(store).await, 3);
        let none = store
            .erase(
                person("nobody"),
                entry(3, Kind::Erased, "carl", "on request"),
            )
            .await
            .unwrap();
        assert_eq!((none, store.head().await.unwrap().seq), (Vec::new(), 3));
    })
    .await;
}
