//! What holds for every message, whatever the findings say.

use chrono::TimeDelta;
use chrono_tz::Tz;
use daily_ops::{
    command::{Item, Press, View},
    ops_log::{Body, Entry, Hash, Kind, Sentence},
    render::slack::{
        self, Delivery, Finished, Message, Stage, limits,
        view::{self, Subject},
    },
    report::{CheckReport, Finding, FindingKey, Outcome, Remedy, Severity, Unknown, Verb},
    sandbox::slack::{wrong_blocks, wrong_view},
    ticket::{Draft, Marker, StoredTicket, Ticket, TicketState, TicketStatus},
    triage::{Action, Failed, Person},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::Value;
use slack_morphism::prelude::SlackView;

use super::rounds::{MESSAGE, Round, at, looked, slack, url};

/// By the product's own account, and by the one that the sandbox's Slack keeps.
fn taken(message: &Message) -> Result<(), String> {
    limits::validate(message).map_err(|wrong| format!("{wrong:?}"))?;
    let blocks = serde_json::to_value(&message.blocks).expect("it is JSON");
    nothing(wrong_blocks(blocks.as_array().expect("it is a list")))
}

fn taken_view(view: &SlackView) -> Result<(), String> {
    limits::validate_view(view).map_err(|wrong| format!("{wrong:?}"))?;
    nothing(wrong_view(&serde_json::to_value(view).expect("it is JSON")))
}

fn nothing(wrong: Vec<String>) -> Result<(), String> {
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ -~]{0,60}",
        1 => any::<String>(),
        1 => "\\PC{200,500}",
        1 => "[<>&|*_`~:@#!^{}]{0,400}",
        1 => Just("e\u{301}".repeat(900)),
        1 => Just(format!("e{}", "\u{301}".repeat(4_000))),
        1 => Just("👨‍👩‍👧".repeat(300)),
        1 => Just("<!channel> <@U012ABCDEF> <https://evil.example|*click*> :tada: @here".to_owned()),
    ]
}

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    let one = (
        select(Severity::ALL.to_vec()),
        text(),
        text(),
        text(),
        option::of(text()),
        any::<(bool, bool)>(),
        0u64..1_000,
    );
    vec(one, 0..60).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(
                |(i, (severity, title, rule, subject, owner, (linked, in_sentry), magnitude))| {
                    let key = FindingKey::new("errors", &format!("{i}/{subject}"));
                    let address = if linked {
                        let padding =
                            "x".repeat(usize::try_from(magnitude).expect("it is small") / 2);
                        url(&format!(
                            "https://acme.sentry.io/issues/{i}/?q=a|b&c=<{padding}>"
                        ))
                    } else {
                        url("javascript:alert(1)")
                    };
                    let remedies = if in_sentry {
                        vec![
                            Remedy::new("resolve", "Resolve in Sentry"),
                            Remedy::new("archive", "Archive until it escalates"),
                        ]
                    } else if linked {
                        Vec::new()
                    } else {
                        let read = vec![rule.as_str().into(), title.as_str().into()];
                        vec![
                            Remedy::confirmed(Verb::Pay, read.clone()),
                            Remedy::confirmed(Verb::Replay, read),
                        ]
                    };
                    Finding {
                        magnitude,
                        owner: owner.map(Into::into),
                        link: Some(address.clone()),
                        runbook: linked.then_some(address),
                        remedies,
                        evidence: vec![rule.as_str().into(); i],
                        ..Finding::new(key, severity, rule.as_str(), title.as_str())
                    }
                },
            )
            .collect()
    })
}

fn unknowns() -> impl Strategy<Value = Vec<CheckReport>> {
    vec(vec(text(), 1..4), 0..7).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(i, reasons)| CheckReport {
                outcome: Outcome::Unknown(
                    reasons
                        .into_iter()
                        .map(|reason| Unknown::new(daily_ops::report::Cause::Decode, reason))
                        .collect(),
                ),
                ..looked(&format!("check-{i}"), Vec::new())
            })
            .collect()
    })
}

fn action(which: usize, words: &str) -> Action {
    match which {
        0 => Action::Acknowledge {
            reason: Some(words.into()),
        },
        1 => Action::Assign {
            to: Person::from(words.to_owned()),
        },
        2 => Action::Snooze {
            until: at("2026-11-25T08:00:00Z"),
        },
        3 => Action::Resolve { reason: None },
        4 => Action::Note { text: words.into() },
        5 => Action::Handle { note: words.into() },
        6 => Action::Remedy { verb: Verb::Pay },
        7 => Action::Ticket {
            marker: Marker::stored(words.to_owned()),
            tracker: "GitHub".to_owned(),
            title: words.into(),
            again: false,
        },
        _ => Action::Archive,
    }
}

fn delivery(which: usize, words: &str) -> Delivery {
    match which {
        0 => Delivery::Pending {
            verb: words.to_owned(),
        },
        1 => Delivery::Done(words.into()),
        2 => Delivery::Retrying {
            sent: words.len().is_multiple_of(2),
            why: words.into(),
            at: at("2026-11-23T09:00:00Z"),
        },
        _ => Delivery::NeedsHuman(words.into()),
    }
}

fn a_ticket(key: &FindingKey, state: usize, is_there: bool, words: &str) -> StoredTicket {
    let (draft, now) = (
        Draft {
            title: words.to_owned(),
            body: words.to_owned(),
            severity: Severity::High,
            labels: Vec::new(),
        },
        at("2026-11-23T08:00:00Z"),
    );
    StoredTicket {
        marker: Marker::new(key, 1),
        number: 4,
        key: key.clone(),
        version: 1,
        tracker: if is_there { "GitHub" } else { "local" }.to_owned(),
        state: [
            TicketStatus::Wanted,
            TicketStatus::Open,
            TicketStatus::Closed,
            TicketStatus::Failed,
        ][state],
        draft: draft.tidy(),
        remote: is_there.then(|| Ticket {
            id: "1".to_owned(),
            name: words.to_owned(),
            url: Some(url("https://github.com/acme/web/issues/1")),
            state: TicketState::Open,
        }),
        wanted_at: now,
        closed_at: Some(now),
    }
}

prop_compose! {
    fn rounds()(
        findings in findings(),
        before in option::of(findings()),
        unknown in unknowns(),
        decided in vec((0usize..60, 0usize..9, any::<bool>(), text()), 0..20),
        filed in vec((0usize..60, 0usize..4, any::<bool>(), text()), 0..8),
        delivered in vec((0usize..60, 0usize..4, text()), 0..8),
        failed in vec((0usize..60, text()), 0..8),
        asked_by in option::of(text()),
        (is_late, has_newer) in any::<(bool, bool)>(),
    ) -> Round {
        let keys: Vec<FindingKey> = findings.iter().map(|finding| finding.key.clone()).collect();
        let mut checks = vec![looked("health", Vec::new()), looked("errors", findings)];
        checks.extend(unknown);
        let mut round = Round::of(checks);
        round.before = before.map(|findings| vec![looked("errors", findings)]);
        for (which, what, is_in_slack, words) in decided {
            if let Some(key) = keys.get(which) {
                let by = if is_in_slack { slack("U012ABCDEF") } else { Person::at_terminal(&words) };
                round.decide(&key.to_string(), by, action(what, &words));
            }
        }
        for (which, what, words) in delivered {
            if let Some(key) = keys.get(which) {
                round.deliveries.insert(key.clone(), delivery(what, &words));
            }
        }
        for (which, words) in failed {
            if let Some(key) = keys.get(which) {
                let failed = Failed { verb: Verb::Pay, at: round.started_at, why: words.into() };
                round.failed.insert(key.clone(), failed);
            }
        }
        for (which, state, is_there, words) in filed {
            if let Some(key) = keys.get(which) {
                round.tickets.insert(key.clone(), vec![a_ticket(key, state, is_there, &words)]);
            }
        }
        round.asked_by = asked_by.map(Person::from);
        round.late = is_late.then(|| round.started_at - TimeDelta::hours(2));
        round.newer = has_newer.then(|| url("https://acme.slack.com/archives/C1/p1"));
        round
    }
}

fn blocks(message: &Message) -> Vec<Value> {
    match serde_json::to_value(&message.blocks).expect("it is JSON") {
        Value::Array(blocks) => blocks,
        other => panic!("{other} is no list"),
    }
}

/// All values under that name, however deep.
fn all<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(name));
            fields.values().for_each(|value| all(value, name, found));
        }
        Value::Array(values) => values.iter().for_each(|value| all(value, name, found)),
        _ => {}
    }
}

fn strings(blocks: &[Value], name: &str) -> Vec<String> {
    let mut found = Vec::new();
    blocks.iter().for_each(|block| all(block, name, &mut found));
    found
        .into_iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn slack_takes_every_message(round in rounds()) {
        for message in [round.drawn(slack::message), round.drawn(slack::status)] {
            prop_assert_eq!(taken(&message), Ok(()));
            prop_assert!(message.blocks.len() <= 30, "{} blocks", message.blocks.len());
            let said = message.text.strip_prefix("Daily ops 23 Nov: ").expect("it says what it is");
            prop_assert!(!said.contains(['*', '`', '~', '<', '>']) && !said.contains("://"), "{}", said);
            let footer = strings(&blocks(&message)[message.blocks.len() - 1..], "text").concat();
            prop_assert!(footer.contains("run 20261123"), "not all of it had room");
        }
    }

    #[test]
    fn what_needs_somebody_is_shown_or_counted(round in rounds()) {
        let triaged = round.triaged();
        let blocks = blocks(&round.drawn(slack::message));
        let texts = strings(&blocks, "text");
        let counted: usize = texts
            .iter()
            .filter_map(|text| text.strip_prefix("*And ")?.split_once(" more need"))
            .map(|(number, _)| number.parse::<usize>().expect("it is a number"))
            .sum();
        let shown = round.drawn(|picture| {
            let keys = slack::shown(picture);
            let open = triaged.needs_you.iter().filter(|row| keys.contains(&row.finding.key)).count();
            slack::reply(&[Sentence::new().say(open.to_string())])
        });
        let shown: usize = shown.text.parse().expect("it is a number");
        prop_assert_eq!(shown + counted, triaged.needs_you.len());
    }

    #[test]
    fn a_button_leads_to_its_own_finding(round in rounds()) {
        let triaged = round.triaged();
        let findings: Vec<&Finding> = triaged.report.checks.iter().flat_map(|check| &check.findings).collect();
        let blocks = blocks(&round.drawn(slack::message));
        let mut pressed = 0;
        for pair in blocks.windows(2).filter(|pair| pair[1]["type"] == "actions") {
            let mut values = strings(&pair[1..], "value");
            for value in &mut values {
                if let Some((press, item)) = value.clone().split_once('|') {
                    prop_assert!(Press::named(press).is_some(), "{}", press);
                    *value = item.to_owned();
                }
                let item = Item::try_from(value.clone()).expect("it is an item");
                prop_assert_eq!(item.message.as_str(), MESSAGE);
                let finding = findings[item.finding.expect("it has one") as usize];
                let texts = strings(&pair[..1], "text");
                let key = finding.key.to_string();
                prop_assert!(texts.iter().any(|text| key.starts_with(text.trim_end_matches('…')) && text.starts_with("errors:")));
                prop_assert_eq!(item.seen, round.versions().get(&finding.key).copied().unwrap_or(0));
                pressed += 1;
            }
        }
        prop_assert_eq!(pressed == 0, round.newer.is_some() || slack_shows_nothing(&blocks));
    }

    #[test]
    fn no_text_is_left_to_slack_to_read_as_markup(round in rounds()) {
        let blocks = blocks(&round.drawn(slack::message));
        let mut objects = Vec::new();
        for name in ["text", "elements", "accessory", "options"] {
            blocks.iter().for_each(|block| all(block, name, &mut objects));
        }
        for object in objects.iter().flat_map(|it| it.as_array().cloned().unwrap_or_else(|| vec![(*it).clone()])) {
            match object["type"].as_str() {
                Some("mrkdwn") => prop_assert_eq!(&object["verbatim"], true),
                Some("plain_text") => prop_assert_eq!(&object["emoji"], false),
                _ => {}
            }
        }
        for url in strings(&blocks, "url") {
            prop_assert!(url.starts_with("https://"), "{}", url);
        }
        prop_assert!(strings(&blocks, "range").is_empty());
    }

    #[test]
    fn slack_takes_every_view(round in rounds(), view in select(vec![View::Acknowledge, View::Assign, View::Snooze, View::Note, View::Handle, View::Remedy(Verb::Pay)])) {
        let triaged = round.triaged();
        prop_assert_eq!(taken_view(&view::rest(&triaged, &round.tickets, &[], Tz::UTC)), Ok(()));
        let item = Item { message: MESSAGE.to_owned(), finding: Some(u32::MAX), seen: i64::MAX };
        for finding in triaged.report.checks.iter().flat_map(|check| &check.findings).take(8) {
            let history: Vec<_> = round.decisions.iter().filter(|it| it.key == finding.key).cloned().collect();
            let subject = Subject {
                finding,
                since: round.started_at,
                last_seen: round.started_at,
                history: &history,
                tickets: &[],
                delivery: round.deliveries.get(&finding.key),
                zone: Tz::UTC,
            };
            prop_assert_eq!(taken_view(&view::details(&subject)), Ok(()));
            let form = view::form(view, finding, &item, "C0123456789", "1763971200.000100", true);
            if let Some(form) = form {
                prop_assert_eq!(taken_view(&form), Ok(()));
            } else {
                prop_assert!(matches!(view, View::Remedy(_)));
            }
            let draft = Draft {
                title: finding.title.as_str().to_owned(),
                body: [finding.rule.as_str(), finding.title.as_str()].join("\n").repeat(4),
                severity: finding.severity,
                labels: vec![finding.rule.as_str().to_owned(); 3],
            };
            let form = view::ticket(&draft.tidy(), finding, &item, "C0123456789", "1763971200.000100");
            prop_assert_eq!(taken_view(&form), Ok(()));
        }
    }

    #[test]
    fn slack_takes_every_answer(lines in vec(vec((any::<bool>(), text()), 0..4), 0..40), why in text()) {
        let lines: Vec<Sentence> = lines
            .iter()
            .map(|pieces| {
                pieces.iter().fold(Sentence::new(), |line, (is_ours, words)| {
                    if *is_ours { line.say(words) } else { line.quote(words.as_str()) }
                })
            })
            .collect();
        prop_assert_eq!(taken(&slack::reply(&lines)), Ok(()));
        prop_assert_eq!(taken_view(&view::told(&why, &lines)), Ok(()));
    }

    #[test]
    fn slack_takes_every_part_of_the_log(entries in vec((text(), text()), 0..60)) {
        let entries: Vec<Entry> = entries
            .iter()
            .zip(1..)
            .map(|((by, words), seq)| Entry {
                seq,
                at: at("2026-11-23T08:00:00Z"),
                kind: Kind::Decision,
                subject: "errors:4501".to_owned(),
                body: Some(Body {
                    by: Person::from(by.clone()),
                    text: Sentence::new().say("snoozed").quote(words.as_str()),
                    checks: Vec::new(),
                    erased: Vec::new(),
                    decision: None,
                }),
                hash: Hash::ZERO,
            })
            .collect();
        prop_assert_eq!(taken(&slack::log(&entries, Tz::UTC)), Ok(()));
    }

    #[test]
    fn slack_takes_every_stage(names in vec(text(), 0..50), findings in 0usize..5_000, why in text()) {
        let round = Round::of(Vec::new());
        let checks: Vec<_> = names
            .into_iter()
            .enumerate()
            .map(|(i, name)| (name, (i % 2 == 0).then_some(Finished { looked: i % 4 == 0, findings, took_ms: 12 })))
            .collect();
        let running = slack::message(&round.picture(Stage::Running(&checks)));
        prop_assert_eq!(taken(&running), Ok(()));
        let why = why.into();
        let failed = slack::message(&round.picture(Stage::Failed(&why)));
        prop_assert_eq!(taken(&failed), Ok(()));
    }
}

fn slack_shows_nothing(blocks: &[Value]) -> bool {
    blocks.iter().all(|block| block["type"] != "actions")
}
