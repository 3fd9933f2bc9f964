//! The store keeps runs, memory and decisions, on both engines.

use daily_ops::{
    ops_log::Kind,
    report::{Cause, CheckReport, Finding, FindingKey, Outcome, Report, RunId, Severity, Unknown},
    store::{Decided, LastRun, Store},
    triage::{Memory, Verdict, remember},
};

use crate::world::{
    database::on_each_engine,
    records::{a_run, at, decide, decision, effect, entry, intact, key, note},
};

fn finding(check: &str, subject: &str) -> Finding {
    Finding {
        key: FindingKey::new(check, subject),
        severity: Severity::High,
        rule: "212 users in 24 h, limit 100".into(),
        title: "a \u{0}title with <b>, 'quotes' and \"more\"; DROP TABLE runs; --".into(),
        magnitude: 212,
        began_at: Some(at(-60)),
        last_at: None,
        owner: None,
        link: Some(
            "https://sentry.example.com/issues/4501"
                .parse()
                .expect("it is a URL"),
        ),
        runbook: None,
        remedies: Vec::new(),
        can_be_resolved: true,
        evidence: vec!["line".into()],
    }
}

fn check(name: &str, outcome: Outcome, findings: Vec<Finding>) -> CheckReport {
    CheckReport {
        unseen: None,
        aged: Vec::new(),
        name: name.to_owned(),
        outcome,
        findings,
        summary: "2 of 2 ok".into(),
        took_ms: 12,
        measures: Vec::new(),
    }
}

fn report(minute: i64, checks: Vec<CheckReport>) -> Report {
    Report {
        run: RunId::of(at(minute)),
        started_at: at(minute),
        finished_at: at(minute),
        checks,
    }
}

async fn round(store: &Store, memory: &Memory, report: Report) -> Memory {
    let after = remember(memory, &report);
    store
        .record_run(a_run(&report, Verdict::NeedsYou, after.clone(), note(0)))
        .await
        .expect("the run is recorded");
    store.memory().await.expect("the memory is read")
}

#[tokio::test]
async fn a_run_is_read_back_as_it_was_recorded() {
    on_each_engine(async |database| {
        let store = &database.store;
        assert_eq!(store.last_run().await.unwrap(), None);
        let first = report(
            0,
            vec![check(
                "errors",
                Outcome::Looked,
                vec![finding("errors", "4501")],
            )],
        );
        let entry = store
            .record_run(a_run(&first, Verdict::NeedsYou, Memory::new(), note(0)))
            .await
            .unwrap();
        let second = report(5, vec![check("errors", Outcome::Looked, vec![])]);
        store
            .record_run(a_run(&second, Verdict::Ok, Memory::new(), note(5)))
            .await
            .unwrap();

        let last = store.last_run().await.unwrap().expect("there was a run");
        assert_eq!(
            (&last.run, last.started_at),
            (&second.run, second.started_at)
        );
        assert_eq!((entry.seq, store.head().await.unwrap().seq), (1, 2));
        assert_eq!(store.round_times(at(1)).await.unwrap(), [at(5)]);
    })
    .await;
}

#[tokio::test]
async fn a_check_has_a_last_run_of_its_own() {
    on_each_engine(async |database| {
        let store = &database.store;
        let both = report(
            0,
            vec![
                check("health", Outcome::Looked, vec![]),
                check("errors", Outcome::Looked, vec![]),
            ],
        );
        let health = report(5, vec![check("health", Outcome::Looked, vec![])]);
        round(store, &Memory::new(), both.clone()).await;
        round(store, &Memory::new(), health.clone()).await;
        let last = async |check| store.last_run_of(check).await.unwrap();
        let run = |report: Report| LastRun {
            run: report.run,
            started_at: report.started_at,
        };
        assert_eq!(last("health").await, Some(run(health)));
        assert_eq!(last("errors").await, Some(run(both)));
        assert_eq!(last("nothing").await, None);
    })
    .await;
}

#[tokio::test]
async fn decisions_are_counted_even_where_one_is_damaged() {
    on_each_engine(async |database| {
        let store = &database.store;
        store.append(note(0)).await.unwrap();
        for version in 1..=3 {
            decide(store, "1", version).await;
        }
        for guard in guards_of_bodies(database.postgres) {
            database.raw(guard).await.unwrap();
        }
        database
            .raw("UPDATE ops_log_bodies SET body = 'nonsense'")
            .await
            .unwrap();
        assert_eq!(store.decisions_since(at(2)).await.unwrap(), 2);
        assert_eq!(store.decisions_since(at(4)).await.unwrap(), 0);
    })
    .await;
}

fn guards_of_bodies(postgres: bool) -> &'static [&'static str] {
    if postgres {
        &["DROP TRIGGER ops_log_bodies_refuse_change ON ops_log_bodies"]
    } else {
        &["DROP TRIGGER ops_log_bodies_refuse_update"]
    }
}

#[tokio::test]
async fn a_check_that_is_off_or_was_not_asked_keeps_its_memory() {
    on_each_engine(async |database| {
        let store = &database.store;
        let both = report(
            0,
            vec![
                check("health", Outcome::Looked, vec![finding("health", "api")]),
                check("errors", Outcome::Looked, vec![finding("errors", "1")]),
            ],
        );
        let seen = round(store, &Memory::new(), both.clone()).await;
        assert_eq!(seen, remember(&Memory::new(), &both));

        let off = report(1, vec![check("health", Outcome::Off, vec![])]);
        assert_eq!(round(store, &Memory::new(), off).await, seen);

        let blind = Outcome::Unknown(vec![Unknown::new(Cause::Timeout, "no answer")]);
        assert_eq!(
            round(
                store,
                &seen,
                report(2, vec![check("health", blind, vec![])])
            )
            .await,
            seen
        );

        let gone = round(
            store,
            &seen,
            report(3, vec![check("errors", Outcome::Looked, vec![])]),
        )
        .await;
        assert_eq!(
            gone.keys().map(ToString::to_string).collect::<Vec<_>>(),
            ["health:api"]
        );
    })
    .await;
}

#[tokio::test]
async fn runs_are_kept_for_ninety_days() {
    on_each_engine(async |database| {
        let store = &database.store;
        let looked = |name| vec![check(name, Outcome::Looked, vec![])];
        let (old, young, now) = (
            report(0, looked("health")),
            report(24 * 60, looked("errors")),
            report(91 * 24 * 60 - 1, vec![]),
        );
        for report in [&old, &young, &now] {
            store
                .record_run(a_run(report, Verdict::Ok, Memory::new(), note(0)))
                .await
                .unwrap();
        }
        assert_eq!(store.last_run_of("health").await.unwrap(), None);
        let kept = store.last_run_of("errors").await.unwrap();
        assert_eq!(kept.map(|last| last.run), Some(young.run));
        assert_eq!(intact(store).await, 3);
    })
    .await;
}

#[tokio::test]
async fn of_two_decisions_on_one_version_the_second_changes_nothing() {
    on_each_engine(async |database| {
        let store = &database.store;
        decide(store, "1", 1).await;
        let late = store
            .decide(
                decision("1", 1, "bert"),
                entry(2, Kind::Decision, "bert", "late"),
                Some(effect("1", 9, "bert")),
                None,
            )
            .await
            .unwrap();
        assert_eq!(late, Decided::Conflict);
        decide(store, "1", 2).await;
        decide(store, "2", 1).await;

        let histories = store.decisions(&[key("1"), key("3")]).await.unwrap();
        assert_eq!(histories.len(), 1);
        assert_eq!(
            histories[&key("1")],
            [decision("1", 1, "anna"), decision("1", 2, "anna")]
        );
        assert_eq!(store.head().await.unwrap().seq, 3);
        assert_eq!(store.open_effects().await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_failing_part_takes_the_whole_decision_back() {
    on_each_engine(async |database| {
        let store = &database.store;
        decide(store, "1", 1).await;
        let twice = effect("1", 1, "anna");
        let error = store
            .decide(decision("1", 2, "anna"), note(2), Some(twice), None)
            .await
            .unwrap_err();
        assert!(
            format!("{error:#}").contains("resolve:errors:1:1"),
            "{error:#}"
        );
        assert_eq!(
            store.decisions(&[key("1")]).await.unwrap()[&key("1")].len(),
            1
        );
        assert_eq!(intact(store).await, 1);
        decide(store, "1", 2).await;
    })
    .await;
}
