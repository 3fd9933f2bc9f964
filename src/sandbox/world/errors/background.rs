//! The company's Sentry on a quiet morning: whoever works in it, and the errors that they have triaged.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Course, Issue, Member, Organization, Project};
use crate::sandbox::{
    slack::{ANNA, BEN},
    time::Time,
};

/// Somebody who has an account in Sentry.
pub(super) struct Person {
    id: u64,
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    /// Their id there, if they are in the workspace.
    pub(super) in_slack: Option<&'static str>,
}

pub(super) const PEOPLE: [Person; 4] = [
    person(1, "John Doe", "john@example.com", None),
    person(2, "Anna", "anna@example.com", Some(ANNA)),
    person(3, "Ben", "ben@example.com", Some(BEN)),
    person(4, "Mei Tanaka", "mei@example.com", None),
];

const fn person(
    id: u64,
    name: &'static str,
    email: &'static str,
    in_slack: Option<&'static str>,
) -> Person {
    Person {
        id,
        name,
        email,
        in_slack,
    }
}

pub(super) fn organization(time: Time) -> Organization {
    let now = time.now();
    let project = |(id, slug): (u64, &str)| Project {
        id,
        slug: slug.to_owned(),
        accessible: true,
    };
    let member = |person: &Person| Member {
        user: Some(person.id),
        email: person.email.to_owned(),
        name: person.name.to_owned(),
    };
    Organization {
        projects: [(11, "web"), (12, "api"), (13, "billing")]
            .map(project)
            .into(),
        members: PEOPLE.iter().map(member).collect(),
        issues: triaged(now),
        outcomes: BTreeMap::from([("accepted".to_owned(), 4_816), ("filtered".to_owned(), 212)]),
        ..Organization::new(time)
    }
}

/// What was resolved or archived before, and happens no more or does no harm.
fn triaged(now: DateTime<Utc>) -> Vec<Issue> {
    let days = TimeDelta::days;
    let archived = |issue: Issue| Issue {
        status: "ignored",
        substatus: "archived_until_escalating",
        decided: Some(now - days(20)),
        ..issue
    };
    let resolved = |issue: Issue| Issue {
        status: "resolved",
        decided: Some(now - days(5)),
        ..issue
    };
    vec![
        archived(Issue::told(
            4102,
            "web",
            "ResizeObserver loop completed with undelivered notifications.",
            "app/layout in useColumns",
            Course::steady(now - days(190), 310),
        )),
        archived(Issue::told(
            4177,
            "web",
            "NotFoundError: Failed to execute 'removeChild' on 'Node'",
            "app/translate in unmount",
            Course::steady(now - days(120), 44),
        )),
        archived(Issue::told(
            4260,
            "api",
            "ClientDisconnect: the client hung up before the answer",
            "middleware/log in finish",
            Course::steady(now - days(88), 129),
        )),
        resolved(Issue::told(
            4388,
            "billing",
            "DeadlockDetected: while locking rows of invoices",
            "jobs/dunning in run",
            Course::surge(now - days(9), 61, days(1)),
        ))
        .given_to("user:4"),
        resolved(Issue::told(
            4431,
            "api",
            "KeyError: 'postcode'",
            "shipping/rates in quote",
            Course::surge(now - days(7), 96, days(1)),
        ))
        .given_to("user:2"),
    ]
}
