//! Rounds of a described company, with what people have decided about them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use daily_ops::{
    ops_log::Head,
    render::slack::{Delivery, Done, Message, Picture, Stage},
    report::{
        Cause, CheckReport, Finding, FindingKey, Outcome, Remedy, Report, RunId, Severity, Unknown,
    },
    ticket::Tickets,
    triage::{Action, Decision, Failed, Memory, Past, Person, Previous, Triaged, remember, triage},
};
use url::Url;

pub(super) const MESSAGE: &str = "9f3a12bc00d4e5f6";

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("it is a time")
}

pub(super) fn slack(user: &str) -> Person {
    Person::from(format!("slack:{user}"))
}

pub(super) fn url(text: &str) -> Url {
    Url::parse(text).expect("it is an address")
}

pub(super) fn finding(key: &str, severity: Severity, title: &str, rule: &str) -> Finding {
    let key: FindingKey = key.parse().expect("it is a key");
    Finding {
        magnitude: 100,
        evidence: vec!["last seen on /checkout".into(), "release 2.41.0".into()],
        ..Finding::new(key, severity, rule, title)
    }
}

/// An issue in Sentry, where it can be resolved, assigned and archived.
pub(super) fn issue(number: u32, severity: Severity, title: &str, rule: &str) -> Finding {
    Finding {
        link: Some(url(&format!("https://acme.sentry.io/issues/{number}/"))),
        remedies: vec![
            Remedy::new("resolve", "Resolve in Sentry"),
            Remedy::new("assign", "Assign in Sentry"),
            Remedy::new("archive", "Archive until it escalates"),
        ],
        ..finding(&format!("errors:{number}"), severity, title, rule)
    }
}

pub(super) fn looked(name: &str, findings: Vec<Finding>) -> CheckReport {
    CheckReport {
        name: name.to_owned(),
        outcome: Outcome::Looked,
        findings,
        unseen: None,
        aged: Vec::new(),
        summary: "2 of 2 ok".into(),
        took_ms: 1_240,
        measures: Vec::new(),
    }
}

pub(super) fn blind(name: &str, cause: Cause, reason: &str) -> CheckReport {
    CheckReport {
        outcome: Outcome::Unknown(vec![Unknown::new(cause, reason)]),
        ..looked(name, Vec::new())
    }
}

/// A round, what went before it, and what people did after it.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) started_at: DateTime<Utc>,
    pub(super) before: Option<Vec<CheckReport>>,
    pub(super) checks: Vec<CheckReport>,
    pub(super) decisions: Vec<Decision>,
    pub(super) deliveries: BTreeMap<FindingKey, Delivery>,
    pub(super) failed: BTreeMap<FindingKey, Failed>,
    pub(super) tickets: Tickets,
    pub(super) asked_by: Option<Person>,
    pub(super) late: Option<DateTime<Utc>>,
    pub(super) missed: Vec<NaiveDate>,
    pub(super) newer: Option<Url>,
}

impl Round {
    pub(super) fn of(checks: Vec<CheckReport>) -> Self {
        Self {
            started_at: at("2026-11-23T08:00:00Z"),
            before: None,
            checks,
            decisions: Vec::new(),
            deliveries: BTreeMap::new(),
            failed: BTreeMap::new(),
            tickets: Tickets::new(),
            asked_by: None,
            late: None,
            missed: Vec::new(),
            newer: None,
        }
    }

    /// Somebody decides, a minute after the decision before.
    pub(super) fn decide(&mut self, key: &str, by: Person, action: Action) {
        let key: FindingKey = key.parse().expect("it is a key");
        let finding = self
            .checks
            .iter()
            .flat_map(|check| &check.findings)
            .find(|finding| finding.key == key)
            .expect("the round has it");
        let version = self.decisions.iter().filter(|it| it.key == key).count() + 1;
        self.decisions.push(Decision {
            version: i64::try_from(version).expect("it is small"),
            at: self.started_at
                + TimeDelta::minutes(12 + i64::try_from(self.decisions.len()).expect("few")),
            by,
            action,
            severity: finding.severity,
            magnitude: finding.magnitude,
            key,
        });
    }

    pub(super) fn triaged(&self) -> Triaged {
        let report = |started_at: DateTime<Utc>, checks: &[CheckReport]| Report {
            run: RunId::of(started_at),
            started_at,
            finished_at: started_at + TimeDelta::milliseconds(1_430),
            checks: checks.to_vec(),
        };
        let earlier = self.started_at - TimeDelta::days(3);
        let mut past = Past {
            failed: self.failed.clone(),
            ..Past::default()
        };
        if let Some(before) = &self.before {
            past.memory = remember(&Memory::new(), &report(earlier, before));
            past.previous = Some(Previous {
                run: RunId::of(earlier),
                started_at: earlier,
            });
        }
        for decision in &self.decisions {
            past.history
                .entry(decision.key.clone())
                .or_default()
                .push(decision.clone());
        }
        triage(report(self.started_at, &self.checks), &past)
    }

    pub(super) fn versions(&self) -> BTreeMap<FindingKey, i64> {
        self.decisions
            .iter()
            .map(|decision| (decision.key.clone(), decision.version))
            .collect()
    }

    /// What is drawn of the round as it stands now.
    pub(super) fn drawn(&self, draw: impl Fn(&Picture<'_>) -> Message) -> Message {
        let (triaged, versions) = (self.triaged(), self.versions());
        let head = Head {
            seq: 1_234,
            hash: "9f3a12".repeat(11)[..64].parse().expect("it is a hash"),
        };
        draw(&self.picture(Stage::Done(Done {
            notes: &BTreeMap::new(),
            tickets: &self.tickets,
            only: &[],
            triaged: &triaged,
            head: Some(&head),
            versions: &versions,
            deliveries: &self.deliveries,
            newer: self.newer.as_ref(),
        })))
    }

    pub(super) fn picture<'a>(&'a self, stage: Stage<'a>) -> Picture<'a> {
        Picture {
            message: MESSAGE,
            asked_by: self.asked_by.as_ref(),
            started_at: self.started_at,
            late: self.late,
            missed: &self.missed,
            zone: Tz::Europe__Berlin,
            next: Some(at("2026-11-24T08:00:00Z")),
            stage,
        }
    }
}

/// Production is down, one error is worse and one new, one is gone, the logs can't be seen.
pub(super) fn monday() -> Round {
    let cart = |rule, magnitude| Finding {
        magnitude,
        ..issue(4501, Severity::High, "TypeError: cart is undefined", rule)
    };
    let login = issue(9, Severity::Medium, "login: timeout", "level error");
    let fonts = issue(12, Severity::Medium, "fonts: 404", "level warning");
    let down = Finding {
        link: Some(url("https://api.example.com/healthz")),
        runbook: Some(url("https://wiki.example.com/runbooks/api")),
        ..finding(
            "health:production/api",
            Severity::Critical,
            "production api answers 503",
            "answers 503, expected 200, 2 of 2 tries",
        )
    };
    let off = CheckReport {
        outcome: Outcome::Off,
        ..looked("backups", Vec::new())
    };
    let mut round = Round::of(vec![
        looked("health", vec![down]),
        looked(
            "errors",
            vec![cart("350 users in 24 h, limit 100", 350), login.clone()],
        ),
        blind(
            "logs",
            Cause::Forbidden,
            "the log server answered 403 to GET /loki/api/v1/query: give the token read access",
        ),
        off,
        looked("ops-log", Vec::new()),
    ]);
    round.before = Some(vec![looked(
        "errors",
        vec![cart("120 users in 24 h, limit 100", 120), login, fonts],
    )]);
    round
}

/// Monday, ten minutes later: everything has been decided about, and the other side takes its time.
pub(super) fn decided() -> Round {
    let mut round = monday();
    let anna = slack("U012ABCDEF");
    round.decide(
        "health:production/api",
        anna.clone(),
        Action::Acknowledge {
            reason: Some("the data centre is on it".into()),
        },
    );
    round.decide("errors:4501", anna, Action::Resolve { reason: None });
    round.decide(
        "errors:9",
        Person::at_terminal("ben"),
        Action::Assign {
            to: slack("U099ZZZZZZ"),
        },
    );
    let deliveries = [
        (
            "errors:4501",
            Delivery::Pending {
                verb: "resolve".to_owned(),
            },
        ),
        (
            "errors:9",
            Delivery::Retrying {
                sent: false,
                why: "Sentry answered 503 to PUT /issues/9/".into(),
                at: at("2026-11-23T08:20:00Z"),
            },
        ),
    ];
    round.deliveries = deliveries
        .into_iter()
        .map(|(key, delivery)| (key.parse().expect("it is a key"), delivery))
        .collect();
    round
}

/// A round with that many errors.
pub(super) fn many(number: u32) -> Round {
    let issues = (0..number)
        .map(|i| {
            let severity = if i < 9 {
                Severity::High
            } else {
                Severity::Medium
            };
            issue(
                i + 1,
                severity,
                &format!("TypeError: field {i} of undefined"),
                "level error, 12 events in 24 h",
            )
        })
        .collect();
    Round::of(vec![looked("health", Vec::new()), looked("errors", issues)])
}

pub(super) fn quiet() -> Round {
    let mut round = Round::of(
        [
            "health",
            "errors",
            "logs",
            "payments",
            "rate-limits",
            "backups",
            "ops-log",
        ]
        .map(|name| looked(name, Vec::new()))
        .into(),
    );
    round.before = Some(round.checks.clone());
    round
}
