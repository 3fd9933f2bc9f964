//! What a person reads after a round.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daily_ops::{
    ops_log::Head,
    render::{self, terminal::Look},
    report::{Cause, CheckReport, Finding, Outcome, Remedy, Report, RunId, Severity, Unknown},
    ticket::Tickets,
    triage::{Action, Decision, Memory, Past, Person, Previous, Triaged, remember, triage},
};
use insta::assert_snapshot;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("it is a time")
}

fn finding(key: &str, severity: Severity, title: &str, rule: &str, magnitude: u64) -> Finding {
    let key = key.parse().expect("it is a key");
    let remedies = vec![Remedy::new("resolve", "Resolve in Sentry")];
    Finding {
        magnitude,
        remedies,
        evidence: vec!["seen".into()],
        ..Finding::new(key, severity, rule, title)
    }
}

fn looked(name: &str, findings: Vec<Finding>, summary: &str) -> CheckReport {
    CheckReport {
        unseen: None,
        aged: Vec::new(),
        name: name.to_owned(),
        outcome: Outcome::Looked,
        findings,
        summary: summary.into(),
        took_ms: 1200,
        measures: Vec::new(),
    }
}

fn report(started_at: DateTime<Utc>, checks: Vec<CheckReport>) -> Report {
    Report {
        run: RunId::of(started_at),
        started_at,
        finished_at: started_at + TimeDelta::milliseconds(1_430),
        checks,
    }
}

/// Friday: two errors, one of which was snoozed. Monday: production is down, one error is worse, one is gone.
fn monday() -> Triaged {
    let (friday, monday) = (at("2026-11-20T08:00:00Z"), at("2026-11-23T08:00:00Z"));
    let cart = |users| {
        finding(
            "errors:4501",
            Severity::High,
            "TypeError: cart is undefined",
            &format!("{users} users in 24 h, limit 100"),
            users,
        )
    };
    let login = finding(
        "errors:9",
        Severity::Medium,
        "login: timeout",
        "level error",
        3,
    );
    let fonts = finding(
        "errors:12",
        Severity::Medium,
        "fonts: 404",
        "level error",
        1,
    );
    let before = report(
        friday,
        vec![looked(
            "errors",
            vec![cart(120), login.clone(), fonts],
            "3 open",
        )],
    );
    let memory = remember(&Memory::new(), &before);
    let snooze = Decision {
        key: login.key.clone(),
        version: 1,
        at: friday + TimeDelta::hours(1),
        by: Person::at_terminal("anna"),
        action: Action::Snooze {
            until: friday + TimeDelta::days(7),
        },
        severity: Severity::Medium,
        magnitude: 3,
    };
    let down = finding(
        "health:production/api",
        Severity::Critical,
        "production api answers 503",
        "answers 503, expected 200, 2 of 2 tries",
        1,
    );
    let logs = CheckReport {
        outcome: Outcome::Unknown(vec![Unknown::new(
            Cause::Forbidden,
            "the log server answered 403 to GET /loki/api/v1/query: give the token read access",
        )]),
        ..looked("logs", Vec::new(), "")
    };
    let backups = CheckReport {
        outcome: Outcome::Off,
        ..looked("backups", Vec::new(), "")
    };
    let today = report(
        monday,
        vec![
            looked("health", vec![down], "production 1 of 2 ok"),
            looked("errors", vec![cart(350), login.clone()], "2 open"),
            logs,
            backups,
            looked("ops-log", Vec::new(), "12 entries"),
        ],
    );
    let previous = Previous {
        run: RunId::of(friday),
        started_at: friday,
    };
    triage(
        today,
        &Past {
            memory,
            history: BTreeMap::from([(login.key, vec![snooze])]),
            previous: Some(previous),
            ..Past::default()
        },
    )
}

const LOOK: Look = Look {
    colour: false,
    width: Some(100),
    zone: Tz::Europe__Berlin,
    all: false,
};

#[test]
fn the_verdict_comes_first_and_no_green_is_listed_before_what_needs_you() {
    assert_snapshot!(render::terminal::report(&monday(), &Tickets::new(), "log #13 · 9f3a12", LOOK), @"
    2 need you, 1 unknown, 1 ok
    Mon 23 Nov 09:00 CET · 4 checks in 1.4 s · run 20261123T080000.000000Z

    Needs you
      critical  health:production/api  production api answers 503
                                       answers 503, expected 200, 2 of 2 tries · new
      high      errors:4501            TypeError: cart is undefined
                                       350 users in 24 h, limit 100 · worse, for 3 d
      → daily-ops triage ack|snooze|resolve|handle|ticket KEY

    Unknown
      logs  the log server answered 403 to GET /loki/api/v1/query: give the token read access

    Since Fri 20 Nov 09:00 CET: 1 new, 1 worse, 1 gone
      gone  errors:12  fonts: 404 (after 3 d)

    Snoozed
      medium    errors:9  login: timeout
                          level error · for 3 d · snoozed until Fri 27 Nov 09:00 CET by anna, Fri 20 Nov
                          10:00 CET

    ok       ops-log  12 entries
    off      backups
    log #13 · 9f3a12
    ");
}

#[test]
fn a_narrow_terminal_cuts_and_wraps_but_a_pipe_gets_every_word() {
    let narrow = render::terminal::report(
        &monday(),
        &Tickets::new(),
        "log #13 · 9f3a12",
        Look {
            width: Some(60),
            ..LOOK
        },
    );
    assert!(
        narrow.lines().all(|line| unicode_width(line) <= 60),
        "{narrow}"
    );
    let piped = render::terminal::report(
        &monday(),
        &Tickets::new(),
        "log #13 · 9f3a12",
        Look {
            width: None,
            ..LOOK
        },
    );
    assert!(
        piped.contains(
            "the log server answered 403 to GET /loki/api/v1/query: give the token read access"
        ),
        "{piped}"
    );
}

fn unicode_width(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn a_quiet_day_is_said_in_a_few_lines() {
    let quiet = triage(
        report(
            at("2026-11-23T08:00:00Z"),
            vec![looked("health", Vec::new(), "production 2 of 2 ok")],
        ),
        &Past::default(),
    );
    assert_snapshot!(render::terminal::report(&quiet, &Tickets::new(), "log #1 · 9f3a12", LOOK), @"
    1 ok
    Mon 23 Nov 09:00 CET · 1 check in 1.4 s · run 20261123T080000.000000Z

    ok       health  production 2 of 2 ok
    log #1 · 9f3a12
    ");
}

#[test]
fn the_ops_log_gets_one_line_with_all_of_it() {
    assert_snapshot!(render::log_line(&monday(), 2).plain(), @"2 need you, 1 unknown, 1 ok · health 1 needs you (production 1 of 2 ok) · errors 1 needs you (2 open) · logs UNKNOWN: forbidden · backups off · ops-log ok (12 entries) · 1 new, 1 worse, 1 gone · 1 snoozed · 2 decisions since the last round");
}

#[test]
fn thousands_of_findings_are_counted_and_the_worst_are_shown() {
    let many: Vec<Finding> = (0..5_000)
        .map(|i| {
            finding(
                &format!("errors:{i}"),
                if i < 7 {
                    Severity::High
                } else {
                    Severity::Medium
                },
                "it broke",
                "level error",
                i,
            )
        })
        .collect();
    let today = triage(
        report(
            at("2026-11-23T08:00:00Z"),
            vec![looked("errors", many, "5,000 open")],
        ),
        &Past::default(),
    );
    let text = render::terminal::report(&today, &Tickets::new(), "log #1 · 9f3a12", LOOK);
    assert!(text.starts_with("5,000 need you\n"), "{text}");
    assert!(
        text.contains("and 4,980 more: 4,980 medium") && text.lines().count() < 60,
        "{text}"
    );
}

#[test]
fn the_json_report_keeps_its_names() {
    let json: serde_json::Value = serde_json::from_str(
        &render::json::report(&monday(), &Tickets::new(), &Head::START).expect("it can be written"),
    )
    .expect("it is JSON");
    let names = |value: &serde_json::Value| {
        value
            .as_object()
            .expect("it is an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_snapshot!(names(&json), @"checks counts finished_at gone log run schema started_at verdict");
    assert_snapshot!(names(&json["checks"][0]), @"cause findings name outcome reason summary took_ms");
    assert_snapshot!(names(&json["checks"][0]["findings"][0]), @"as_of began_at decision evidence failed key last_at link needs_you owner remedies rule runbook severity since state tickets title");
    assert_snapshot!(json["checks"][1]["findings"][1]["decision"], @r#"{"action":"snooze","at":"2026-11-20T09:00:00Z","back_because":null,"by":"terminal:anna","holds":true,"until":"2026-11-27T08:00:00Z"}"#);
    assert_snapshot!(names(&json["gone"][0]), @"key severity since title");
    assert_eq!(json["verdict"], "needs_you");
    assert_eq!(
        (
            json["checks"][2]["outcome"].as_str(),
            json["checks"][2]["cause"].as_str()
        ),
        (Some("unknown"), Some("forbidden"))
    );
}
