//! Each message and view as it goes over the wire, kept in `tests/golden/slack`: Slack's own SDK reads these as well.
//! `UPDATE_GOLDEN=1` writes them anew.

use std::{fs, path::PathBuf};

use chrono::NaiveDate;
use daily_ops::{
    command::{Item, View},
    ops_log::{Annex, Head, Kind, NewEntry, Salt, Sentence, seal},
    render::slack::{
        self, Delivery, Finished, Message, Stage, limits,
        view::{self, Subject},
    },
    report::{Cause, Finding, Remedy, Severity, Verb},
    ticket::Draft,
    triage::Action,
};
use serde::Serialize;
use slack_morphism::prelude::SlackView;

use super::rounds::{
    MESSAGE, Round, at, blind, decided, finding, issue, looked, many, monday, quiet, slack, url,
};

fn compare(name: &str, shown: &impl Serialize) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/slack")
        .join(format!("{name}.json"));
    let now = serde_json::to_string_pretty(&serde_json::to_value(shown).expect("it is JSON"))
        .expect("it is JSON")
        + "\n";
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever changes a message says so"
    )]
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &now).expect("the file can be written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        now, kept,
        "{name} has changed; if that is right, UPDATE_GOLDEN=1 writes it anew"
    );
}

fn is_message(name: &str, message: &Message) {
    assert_eq!(limits::validate(message), Ok(()), "{name}");
    compare(name, message);
}

fn is_view(name: &str, view: &SlackView) {
    assert_eq!(limits::validate_view(view), Ok(()), "{name}");
    compare(&format!("view-{name}"), view);
}

#[test]
fn a_round_begins_with_every_check_pending_and_fills_up() {
    let mut round = monday();
    round.asked_by = Some(slack("U012ABCDEF"));
    let finished = |findings| {
        Some(Finished {
            looked: true,
            findings,
            took_ms: 430,
        })
    };
    let blind = Finished {
        looked: false,
        findings: 0,
        took_ms: 5_020,
    };
    let pending = ["health", "errors", "logs", "ops-log"].map(|name| (name.to_owned(), None));
    is_message(
        "looking",
        &slack::message(&round.picture(Stage::Running(&pending))),
    );
    let mut filled = pending;
    filled[0].1 = finished(1);
    filled[2].1 = Some(blind);
    filled[3].1 = finished(0);
    is_message(
        "looking-half",
        &slack::message(&round.picture(Stage::Running(&filled))),
    );
}

#[test]
fn a_round_ends_in_a_verdict() {
    is_message("monday", &monday().drawn(slack::message));
    is_message("all-well", &quiet().drawn(slack::message));
    let unknown = Round::of(vec![
        looked("health", Vec::new()),
        blind(
            "errors",
            Cause::Timeout,
            "Sentry did not answer within 10 s: try again later",
        ),
    ]);
    is_message("unknown", &unknown.drawn(slack::message));
}

#[test]
fn a_round_that_failed_says_that_nothing_is_known() {
    let why = "the database could not be written: the disk is full, free some space".into();
    is_message(
        "failed",
        &slack::message(&monday().picture(Stage::Failed(&why))),
    );
}

#[test]
fn decisions_take_the_place_of_buttons() {
    is_message("decided", &decided().drawn(slack::message));
    let mut stuck = decided();
    stuck.deliveries.insert(
        "errors:4501".parse().expect("it is a key"),
        Delivery::NeedsHuman("Sentry answered 403 for 8 h: give the token write access".into()),
    );
    is_message("stuck", &stuck.drawn(slack::message));
}

#[test]
fn what_has_no_room_is_counted() {
    is_message("many", &many(60).drawn(slack::message));
}

#[test]
fn what_makes_the_message_too_long_for_slack_is_counted_as_well() {
    let mut round = many(60);
    for finding in &mut round.checks[1].findings {
        let long = url(&format!("https://acme.sentry.io/{}", "x".repeat(460)));
        finding.link = Some(long.clone());
        finding.runbook = Some(long);
        finding.rule = "y".repeat(300).into();
        finding.title = "z".repeat(300).into();
    }
    let shown = std::cell::Cell::new(0);
    let message = round.drawn(|picture| {
        shown.set(slack::shown(picture).len());
        slack::message(picture)
    });
    assert_eq!(limits::validate(&message), Ok(()));
    assert!((1..7).contains(&shown.get()), "{} rows", shown.get());
    let left_out = format!("*And {} more need you:*", 60 - shown.get());
    let blocks = serde_json::to_string(&message.blocks).expect("it is JSON");
    assert!(blocks.contains(&left_out), "{left_out} in {blocks}");
}

#[test]
fn a_late_round_says_so_and_what_was_missed() {
    let mut round = quiet();
    round.started_at = at("2026-11-23T10:12:00Z");
    round.late = Some(at("2026-11-23T08:00:00Z"));
    round.missed = [19, 20]
        .map(|day| NaiveDate::from_ymd_opt(2026, 11, day).expect("it is a day"))
        .into();
    is_message("late", &round.drawn(slack::message));
}

#[test]
fn an_older_message_loses_its_buttons() {
    let mut round = decided();
    round.newer = Some(url(
        "https://acme.slack.com/archives/C0123456789/p1763971200000100",
    ));
    is_message("superseded", &round.drawn(slack::message));
}

#[test]
fn one_person_gets_one_screen() {
    is_message("status", &monday().drawn(slack::status));
    is_message("help", &slack::help());
    let lines = [
        Sentence::new()
            .say("already acknowledged by ")
            .name(&slack("U012ABCDEF"))
            .say(", Mon 23 Nov 09:12 CET: nothing was changed"),
        Sentence::new()
            .say("no open finding is named `errors:45`; did you mean `errors:4501`? ")
            .quote("<!here> *now*"),
        Sentence::new().say("`/ops help` says what there is"),
    ];
    is_message("reply", &slack::reply(&lines));
}

#[test]
fn the_log_is_read_in_slack_as_well() {
    let entry = |minute: u32, kind, by: &str, text: Sentence| {
        let new = NewEntry {
            at: at(&format!("2026-11-23T08:{minute:02}:00Z")),
            kind,
            subject: "errors:4501".to_owned(),
            by: slack(by),
            text,
            checks: Vec::new(),
        };
        seal(&Head::START, new, Annex::default(), Salt([7; 16]))
            .expect("it can be sealed")
            .1
    };
    let mut erased = entry(20, Kind::Decision, "U012ABCDEF", Sentence::new());
    erased.body = None;
    let entries = [
        entry(
            0,
            Kind::Round,
            "U012ABCDEF",
            Sentence::new().say("2 need you, 1 unknown, 1 ok"),
        ),
        entry(
            12,
            Kind::Decision,
            "U012ABCDEF",
            Sentence::new()
                .say("acknowledged · errors:4501 ")
                .quote("<!channel> *cart* is `undefined`"),
        ),
        erased,
    ];
    is_message("log", &slack::log(&entries, chrono_tz::Tz::Europe__Berlin));
}

#[test]
fn hostile_titles_are_read_and_not_obeyed() {
    let hostile =
        "<!channel> *bold* _it_ ~no~ `code` :tada: <https://evil.example|ok> @here > &amp;";
    let mut round = Round::of(vec![
        looked("errors", vec![issue(1, Severity::High, hostile, hostile)]),
        blind("logs", Cause::Decode, hostile),
    ]);
    round.decide(
        "errors:1",
        daily_ops::triage::Person::at_terminal("<!here> *eve*"),
        Action::Snooze {
            until: at("2026-11-26T08:00:00Z"),
        },
    );
    is_message("hostile", &round.drawn(slack::message));
}

#[test]
fn forms_ask_for_one_thing() {
    let item = Item {
        message: MESSAGE.to_owned(),
        finding: Some(3),
        seen: 2,
    };
    let finding = issue(
        4501,
        Severity::High,
        "TypeError: cart is undefined",
        "350 users",
    );
    let form = |view, archive| {
        view::form(
            view,
            &finding,
            &item,
            "C0123456789",
            "1763971200.000100",
            archive,
        )
        .expect("it is a form")
    };
    is_view("acknowledge", &form(View::Acknowledge, true));
    is_view("assign", &form(View::Assign, true));
    is_view("snooze", &form(View::Snooze, true));
    is_view("snooze-here", &form(View::Snooze, false));
    is_view("note", &form(View::Note, true));
    is_view("handle", &form(View::Handle, true));
    let unpaid = Finding {
        remedies: vec![
            Remedy::confirmed(
                Verb::Pay,
                vec![
                    "customer: Beta GmbH (cus_1)".into(),
                    "amount: 49.00 EUR".into(),
                ],
            )
            .with("4900 eur".to_owned()),
        ],
        ..finding.clone()
    };
    let pay = View::Remedy(Verb::Pay);
    let confirmation = |finding| {
        view::form(
            pay,
            finding,
            &item,
            "C0123456789",
            "1763971200.000100",
            true,
        )
    };
    is_view("pay", &confirmation(&unpaid).expect("it is a form"));
    assert!(
        confirmation(&finding).is_none(),
        "its check offers no such thing"
    );
    let draft = Draft {
        title: "TypeError: cart is undefined".to_owned(),
        body: "**high**: 350 users\n\n- since Monday".to_owned(),
        severity: Severity::High,
        labels: vec!["daily-ops".to_owned(), "errors".to_owned()],
    };
    is_view(
        "ticket",
        &view::ticket(&draft, &finding, &item, "C0123456789", "1763971200.000100"),
    );
    is_view("loading", &view::loading());
    let told = [Sentence::new().say("this finding is gone: the newest round did not see it")];
    is_view("told", &view::told("Details", &told));
}

#[test]
fn details_hold_all_that_is_known() {
    let mut round = decided();
    let key = "errors:4501".parse().expect("it is a key");
    round.decide(
        "errors:4501",
        slack("U099ZZZZZZ"),
        Action::Note {
            text: "it is the new checkout".into(),
        },
    );
    round.decide(
        "errors:4501",
        slack("U099ZZZZZZ"),
        Action::Undo { version: 1 },
    );
    let finding = round
        .checks
        .iter()
        .flat_map(|check| &check.findings)
        .find(|finding| finding.key == key)
        .expect("it is there");
    let history: Vec<_> = round
        .decisions
        .iter()
        .filter(|decision| decision.key == key)
        .cloned()
        .collect();
    let done = Delivery::Done("resolved in Sentry".into());
    is_view(
        "details",
        &view::details(&Subject {
            finding,
            since: at("2026-11-20T08:00:00Z"),
            last_seen: at("2026-11-23T08:00:00Z"),
            history: &history,
            tickets: &[],
            delivery: Some(&done),
            zone: chrono_tz::Tz::Europe__Berlin,
        }),
    );
}

#[test]
fn the_rest_can_be_read() {
    let mut round = many(25);
    round.checks[0].findings.push(finding(
        "health:staging/web",
        Severity::Low,
        "staging web is slow",
        "1.2 s, limit 1 s",
    ));
    let triaged = round.triaged();
    let shown: Vec<_> = triaged.needs_you[..7]
        .iter()
        .map(|row| row.finding.key.clone())
        .collect();
    is_view(
        "rest",
        &view::rest(
            &triaged,
            &round.tickets,
            &shown,
            chrono_tz::Tz::Europe__Berlin,
        ),
    );
}
