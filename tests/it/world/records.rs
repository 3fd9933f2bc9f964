//! What a team's store holds: decisions, effects, entries.

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    checks::Order,
    ops_log::{Kind, NewEntry, Sentence},
    permissions::Permit,
    report::{FindingKey, Report, Severity},
    store::{Decided, Effect, NewEffect, NewRun, Remembered, Store},
    triage::{Action, Decision, Memory, Person, Verdict},
};

pub(crate) fn at(minute: i64) -> DateTime<Utc> {
    "2026-11-22T09:00:00.123456Z"
        .parse::<DateTime<Utc>>()
        .expect("it is a time")
        + TimeDelta::minutes(minute)
}

pub(crate) fn person(name: &str) -> Person {
    Person::at_terminal(name)
}

pub(crate) fn entry(minute: i64, kind: Kind, by: &str, words: &str) -> NewEntry {
    NewEntry {
        at: at(minute),
        kind,
        subject: "errors:4501".to_owned(),
        by: person(by),
        text: Sentence::new().say("saw ").quote(words),
        checks: vec!["errors".to_owned()],
    }
}

pub(crate) fn note(minute: i64) -> NewEntry {
    entry(minute, Kind::Round, "anna", "nothing")
}

pub(crate) fn key(subject: &str) -> FindingKey {
    FindingKey::new("errors", subject)
}

pub(crate) fn decision(subject: &str, version: i64, by: &str) -> Decision {
    Decision {
        key: key(subject),
        version,
        at: at(version),
        by: person(by),
        action: Action::Acknowledge {
            reason: Some("anna looks at it".into()),
        },
        severity: Severity::High,
        magnitude: 212,
    }
}

pub(crate) fn effect(subject: &str, version: i64, by: &str) -> NewEffect {
    let order = Order {
        reason: Some("fixed".into()),
        ..Order::new(&key(subject), "resolve", &person(by))
    };
    NewEffect::new(order, version, at(0), &Permit::at_terminal(by)).expect("nobody is charged")
}

pub(crate) async fn decide(store: &Store, subject: &str, version: i64) {
    let decided = store
        .decide(
            decision(subject, version, "anna"),
            entry(version, Kind::Decision, "anna", subject),
            Some(effect(subject, version, "anna")),
            None,
        )
        .await
        .expect("the decision is taken");
    assert!(matches!(decided, Decided::Recorded(_)), "{decided:?}");
}

pub(crate) async fn intact(store: &Store) -> u64 {
    store
        .verify(None)
        .await
        .expect("the log is readable")
        .expect("the log is intact")
        .entries
}

pub(crate) async fn claim(store: &Store, minute: i64) -> Option<Effect> {
    store
        .claim_effect(at(minute), TimeDelta::minutes(1))
        .await
        .expect("effects can be claimed")
}

/// A run that nobody asked for in a chat, and that remembers nothing.
pub(crate) fn a_run(report: &Report, verdict: Verdict, after: Memory, entry: NewEntry) -> NewRun {
    NewRun {
        report: report.clone(),
        verdict,
        before: Remembered::default(),
        after: Some(after),
        entry,
        claim: None,
    }
}
