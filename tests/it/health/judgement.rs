//! How the health check judges: pure, so the observations are made up.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    checks::{
        Check,
        health::{Answer, Attempt, Control, Failure, Fault, Health, Observation, Seen},
    },
    report::{Cause, FindingKey, Severity, Unknown},
};
use insta::assert_snapshot;
use proptest::prelude::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

fn health(endpoints: usize) -> Health {
    let endpoint = |i| {
        format!(
            "{{ name = \"e{i}\", environment = \"env{}\", url = \"https://e{i}.example/\", within = \"500ms\" }}",
            i % 9
        )
    };
    let endpoints: Vec<String> = (0..endpoints).map(endpoint).collect();
    toml::from_str(&format!("endpoints = [{}]", endpoints.join(", "))).unwrap()
}

fn answer() -> Answer {
    Answer {
        status: 200,
        latency: Duration::from_millis(40),
        expires: Some(now() + TimeDelta::days(60)),
        ..Answer::default()
    }
}

fn attempt(result: Result<Answer, Fault>) -> Attempt {
    let failure = |fault: Fault| Failure {
        fault,
        reason: format!("has the fault: {fault}").into(),
    };
    Attempt {
        at: now(),
        took: Duration::from_millis(50),
        result: result.map_err(|fault| Box::new(failure(fault))),
    }
}

fn bad() -> impl Strategy<Value = Attempt> {
    let faults = [
        Fault::Dns,
        Fault::Unreachable,
        Fault::ConnectTimeout,
        Fault::Refused,
        Fault::Tls,
        Fault::Timeout,
        Fault::BrokenOff,
        Fault::Garbled,
        Fault::Redirect,
    ];
    prop_oneof![
        prop::sample::select(faults.to_vec()).prop_map(Err),
        (100u16..600)
            .prop_filter("expected", |s| *s != 200)
            .prop_map(|status| Ok(Answer { status, ..answer() })),
        Just(Ok(Answer {
            lacks_text: true,
            ..answer()
        })),
        Just(Ok(Answer {
            login_page: true,
            ..answer()
        })),
        (501u64..9000).prop_map(|ms| Ok(Answer {
            latency: Duration::from_millis(ms),
            ..answer()
        })),
    ]
    .prop_map(attempt)
}

fn good() -> impl Strategy<Value = Attempt> {
    (0u64..=500).prop_map(|ms| {
        attempt(Ok(Answer {
            latency: Duration::from_millis(ms),
            ..answer()
        }))
    })
}

fn well() -> impl Strategy<Value = Seen> {
    let twice = |(first, second)| Seen::Twice(Box::new([first, second]));
    prop_oneof![good().prop_map(Seen::Once), (bad(), good()).prop_map(twice)]
}

fn ill() -> impl Strategy<Value = Seen> {
    prop_oneof![
        Just(Seen::NotAsked),
        Just(Seen::CouldNot(Box::new(Unknown::new(
            Cause::Refused,
            "never asked"
        )))),
        bad().prop_map(Seen::Once),
        bad().prop_map(|first| {
            let why = Unknown::new(Cause::OwnNetwork, "no descriptor left");
            Seen::NotAgain(Box::new((first, why)))
        }),
        (bad(), bad()).prop_map(|(first, second)| Seen::Twice(Box::new([first, second]))),
    ]
}

fn control() -> impl Strategy<Value = Control> {
    prop_oneof![
        Just(Control::NotAsked),
        Just(Control::Answered),
        Just(Control::Failed("refuses connections".into())),
    ]
}

proptest! {
    #[test]
    fn what_was_not_seen_to_be_well_is_never_ok(
        mut endpoints in prop::collection::vec(well(), 0..6),
        ill in ill(),
        place in any::<prop::sample::Index>(),
        forgotten in 0usize..3,
        control in control(),
    ) {
        endpoints.insert(place.index(endpoints.len() + 1), ill);
        let health = health(endpoints.len() + forgotten);
        let judged = health.evaluate(&Observation { endpoints, control }, now());
        prop_assert!(!judged.findings.is_empty() || !judged.unknown.is_empty());
        prop_assert!(forgotten == 0 || !judged.unknown.is_empty());
        let keys: std::collections::BTreeSet<_> = judged.findings.iter().map(|f| &f.key).collect();
        prop_assert_eq!(keys.len(), judged.findings.len());
    }

    #[test]
    fn what_is_neither_well_nor_found_is_named_as_unseen(
        endpoints in prop::collection::vec(prop_oneof![well(), ill()], 1..6),
        forgotten in 0usize..3,
        control in control(),
    ) {
        let health = health(endpoints.len() + forgotten);
        let well: Vec<bool> = endpoints.iter().map(is_well).collect();
        let judged = health.evaluate(&Observation { endpoints, control }, now());
        let Some(unseen) = &judged.unseen else {
            prop_assert!(!judged.unknown.is_empty());
            return Ok(());
        };
        for (place, endpoint) in health.endpoints.iter().enumerate() {
            let key = FindingKey::new("health", &format!("{}/{}", endpoint.environment, endpoint.name));
            let is_well = well.get(place) == Some(&true);
            let is_found = judged.findings.iter().any(|finding| key.covers(&finding.key));
            let is_unseen = unseen.iter().any(|unseen| unseen.covers(&key));
            prop_assert!(is_well || is_found || is_unseen, "{}: {:?}", key, judged);
            prop_assert!(!(is_well && is_unseen), "{}: {:?}", key, judged);
        }
    }

    #[test]
    fn what_was_seen_to_be_well_is_ok(
        endpoints in prop::collection::vec(well(), 1..6),
        control in control(),
    ) {
        let health = health(endpoints.len());
        let judged = health.evaluate(&Observation { endpoints, control }, now());
        prop_assert!(judged.findings.is_empty() && judged.unknown.is_empty());
        prop_assert_eq!(judged.unseen, Some(vec![]));
    }
}

/// Whether one of its attempts was good.
fn is_well(seen: &Seen) -> bool {
    let is_good = |attempt: &Attempt| {
        attempt.result.as_ref().is_ok_and(|answer| {
            answer.status == 200
                && !answer.lacks_text
                && !answer.login_page
                && answer.latency <= Duration::from_millis(500)
        })
    };
    seen.attempts().iter().any(is_good)
}

/// The keys of what was not seen of so many endpoints, or "anything".
fn unseen(endpoints: Vec<Seen>) -> String {
    let control = Control::NotAsked;
    let judged = health(endpoints.len()).evaluate(&Observation { endpoints, control }, now());
    judged.unseen.map_or("anything".to_owned(), |keys| {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        keys.join(", ")
    })
}

fn could_not(cause: Cause) -> Seen {
    Seen::CouldNot(Box::new(Unknown::new(cause, "was not asked")))
}

fn twice(fault: Fault) -> Seen {
    Seen::Twice(Box::new([attempt(Err(fault)), attempt(Err(fault))]))
}

#[test]
fn one_endpoint_that_could_not_be_seen_hides_no_other() {
    let well = Seen::Once(attempt(Ok(answer())));
    let once = Seen::Once(attempt(Err(Fault::Timeout)));
    for dark in [Seen::NotAsked, could_not(Cause::Refused), once] {
        let told = unseen(vec![well.clone(), dark, well.clone()]);
        assert_eq!(told, "health:env1/e1");
    }
}

#[test]
fn of_an_endpoint_that_is_down_its_aspects_are_unseen() {
    let well = Seen::Once(attempt(Ok(answer())));
    assert_snapshot!(
        unseen(vec![twice(Fault::Timeout), well.clone()]),
        @"health:env0/e0/latency, health:env0/e0/certificate"
    );
    let slow = || {
        attempt(Ok(Answer {
            latency: Duration::from_millis(812),
            ..answer()
        }))
    };
    assert_eq!(
        unseen(vec![Seen::Twice(Box::new([slow(), slow()])), well]),
        ""
    );
}

#[test]
fn where_the_whole_look_is_in_doubt_anything_may_be_unseen() {
    let well = Seen::Once(attempt(Ok(answer())));
    for endpoints in [
        vec![could_not(Cause::NotConfigured), well],
        vec![twice(Fault::Dns), twice(Fault::Dns)],
        vec![twice(Fault::Refused), Seen::NotAsked],
        vec![Seen::NotAsked, Seen::NotAsked],
    ] {
        assert_eq!(unseen(endpoints), "anything");
    }
}

#[test]
fn what_could_not_be_asked_again_says_why() {
    let why = "api looked bad once and could not be asked again: no descriptor left";
    let half = (
        attempt(Err(Fault::Timeout)),
        Unknown::new(Cause::OwnNetwork, why),
    );
    let observation = Observation {
        endpoints: vec![Seen::NotAgain(Box::new(half))],
        control: Control::NotAsked,
    };
    let judged = health(1).evaluate(&observation, now());
    assert_eq!(judged.unknown, [Unknown::new(Cause::OwnNetwork, why)]);
}

#[test]
fn a_certificate_is_judged_by_its_full_days() {
    let mut told = Vec::new();
    for hours in [15 * 24, 14 * 24, 14 * 24 - 1, 3 * 24, 3 * 24 - 1, 25, 1, -1] {
        let expires = Some(now() + TimeDelta::hours(hours));
        let seen = Seen::Once(attempt(Ok(Answer {
            expires,
            ..answer()
        })));
        let observation = Observation {
            endpoints: vec![seen],
            control: Control::NotAsked,
        };
        let judged = health(1).evaluate(&observation, now());
        told.push(match judged.findings.first() {
            None => format!("{hours} h: nothing"),
            Some(f) => format!(
                "{hours} h: {} {} ({}, {})",
                f.severity,
                f.title.as_str(),
                f.rule.as_str(),
                f.magnitude
            ),
        });
    }
    assert_snapshot!(told.join("\n"), @r#"
        360 h: nothing
        336 h: nothing
        335 h: medium env0 e0: the certificate expires in 13 days (13 days left, limit 14, 17)
        72 h: medium env0 e0: the certificate expires in 3 days (3 days left, limit 14, 27)
        71 h: high env0 e0: the certificate expires in 2 days (2 days left, limit 14, 28)
        25 h: high env0 e0: the certificate expires in 1 day (1 day left, limit 14, 29)
        1 h: high env0 e0: the certificate expires in 0 days (0 days left, limit 14, 30)
        -1 h: high env0 e0: the certificate expired on 2026-11-18 (0 days left, limit 14, 30)
        "#);
}

#[test]
fn an_endpoint_that_failed_in_two_ways_says_both() {
    let slow = attempt(Ok(Answer {
        latency: Duration::from_millis(812),
        ..answer()
    }));
    let down = attempt(Ok(Answer {
        status: 503,
        ..answer()
    }));
    let seen = Seen::Twice(Box::new([down, slow]));
    let observation = Observation {
        endpoints: vec![seen],
        control: Control::NotAsked,
    };
    let judged = health(1).evaluate(&observation, now());
    let [finding] = &judged.findings[..] else {
        panic!("{:?}", judged.findings)
    };
    assert_eq!(finding.severity, Severity::High);
    assert_snapshot!(finding.title.as_str(), @"env0 e0 answers 503");
    assert_snapshot!(finding.rule.as_str(), @"answers 503, expected 200, 1 of 2 tries, the other answers slowly: 812 ms");
}

#[test]
fn the_summary_names_six_environments_and_counts_the_rest() {
    let well = Seen::Once(attempt(Ok(answer())));
    let mut endpoints = vec![well; 20];
    endpoints[1] = Seen::NotAsked;
    endpoints[8] = Seen::Twice(Box::new([
        attempt(Err(Fault::Timeout)),
        attempt(Err(Fault::Timeout)),
    ]));
    let judged = health(20).evaluate(
        &Observation {
            endpoints,
            control: Control::NotAsked,
        },
        now(),
    );
    assert_snapshot!(judged.summary.as_str(), @"env0 3 of 3 ok, env1 2 of 3 ok (1 unknown), env2 2 of 2 ok, env3 2 of 2 ok, env4 2 of 2 ok, env5 2 of 2 ok, 3 more environments 5 of 6 ok");
}

#[test]
fn a_link_never_shows_a_query_or_a_secret() {
    let told = |url: &str| {
        let section =
            format!("endpoints = [{{ name = \"a\", environment = \"b\", url = \"{url}\" }}]");
        let health: Health = toml::from_str(&section).unwrap();
        let seen = Seen::Twice(Box::new([
            attempt(Err(Fault::Tls)),
            attempt(Err(Fault::Tls)),
        ]));
        let observation = Observation {
            endpoints: vec![seen],
            control: Control::NotAsked,
        };
        health
            .evaluate(&observation, now())
            .findings
            .remove(0)
            .link
            .map(String::from)
    };
    assert_eq!(
        told("https://a.example/h?token=abcdef#x").unwrap(),
        "https://a.example/h"
    );
    assert_eq!(told("https://a.example/hook/xoxb-123456789-abcdef"), None);
}
