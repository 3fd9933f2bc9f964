//! The company's Sentry on a quiet morning: whoever works in it, and the errors that they have triaged.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Course, Issue, Member, Organization, Project};
use crate::sandbox::{
    slack::{ANNA, BEN},
    time::Time,
};

/// Somebody who has an account in Sentry.
struct Person {
    id: u64,
    name: &'static str,
    email: &'static str,
    /// Their id there, if they are in the workspace.
    in_slack: Option<&'static str>,
}

const PEOPLE: [Person; 4] = [
    person(1, "John Doe", "john@example.com", None),
    person(2, "Anna", "anna@example.com", Some(ANNA)),
    person(3, "Ben", "ben@example.com", Some(BEN)),
    person(4, "Mei Tanaka", "mei@example.com", None),
];

/// Their ids in Slack, each with the e-mail address that Sentry knows.
pub(in crate::sandbox) fn in_slack() -> impl Iterator<Item = (&'static str, &'static str)> {
    PEOPLE
        .iter()
        .filter_map(|person| Some((person.in_slack?, person.email)))
}

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

/// What is wrong somewhere all the time: project, title, culprit.
pub(super) const NUISANCES: [(&str, &str, &str); 40] = [
    (
        "web",
        "TypeError: Cannot read properties of undefined (reading 'price')",
        "app/product in Price",
    ),
    (
        "api",
        "TimeoutError: the search did not answer within 800 ms",
        "search/query in run",
    ),
    (
        "web",
        "ChunkLoadError: Loading chunk 42 failed",
        "app/router in load",
    ),
    (
        "billing",
        "ValueError: '1.250,00' is no amount",
        "invoices/import in amount",
    ),
    (
        "api",
        "ConnectionResetError: the mail server hung up",
        "mail/send in deliver",
    ),
    (
        "web",
        "ResizeObserver loop limit exceeded",
        "app/gallery in measure",
    ),
    ("api", "KeyError: 'country'", "shipping/rates in quote"),
    (
        "billing",
        "StripeError: the card was declined twice with one key",
        "charges/create in charge",
    ),
    (
        "web",
        "SyntaxError: Unexpected token '<' is not valid JSON",
        "app/api in parse",
    ),
    (
        "api",
        "ValidationError: the weight is negative",
        "orders/models in validate",
    ),
    (
        "web",
        "AbortError: The user aborted a request",
        "app/suggest in fetch",
    ),
    (
        "api",
        "OperationalError: too many connections for role \"app\"",
        "db/pool in acquire",
    ),
    (
        "billing",
        "DeadlockDetected: while locking rows of invoices",
        "jobs/dunning in run",
    ),
    (
        "web",
        "QuotaExceededError: The quota has been exceeded",
        "app/cart in remember",
    ),
    (
        "api",
        "UnicodeDecodeError: invalid continuation byte",
        "catalog/import in read",
    ),
    (
        "web",
        "NetworkError when attempting to fetch resource",
        "app/api in request",
    ),
    (
        "api",
        "ClientDisconnect: the client hung up before the answer",
        "middleware/log in finish",
    ),
    (
        "billing",
        "ZeroDivisionError: division by zero",
        "reports/margin in share",
    ),
    (
        "web",
        "SecurityError: Blocked a frame with another origin",
        "app/pay in frame",
    ),
    (
        "api",
        "LockNotAvailable: orders is locked by another job",
        "jobs/archive in run",
    ),
    (
        "web",
        "TypeError: e.target.closest is not a function",
        "app/menu in open",
    ),
    (
        "api",
        "RateLimited: the geocoder wants a pause",
        "shipping/geo in locate",
    ),
    ("billing", "TaxError: no rate for 'XK'", "tax/rates in rate"),
    (
        "web",
        "Error: Hydration failed because the initial UI does not match",
        "app/root in hydrate",
    ),
    (
        "api",
        "MemoryError: the export is too big",
        "exports/csv in write",
    ),
    (
        "web",
        "ReferenceError: gtag is not defined",
        "app/consent in report",
    ),
    (
        "api",
        "SMTPRecipientsRefused: the address does not exist",
        "mail/send in deliver",
    ),
    (
        "billing",
        "DuplicateInvoice: the number was used before",
        "invoices/number in next",
    ),
    (
        "web",
        "InvalidStateError: The database connection is closing",
        "app/offline in store",
    ),
    (
        "api",
        "JSONDecodeError: expecting value in line 1",
        "partners/feed in parse",
    ),
    (
        "web",
        "RangeError: Invalid time value",
        "app/delivery in date",
    ),
    (
        "api",
        "PermissionError: the bucket refused the upload",
        "media/store in put",
    ),
    (
        "billing",
        "DunningError: the letter has no address",
        "jobs/dunning in letter",
    ),
    ("web", "TypeError: Failed to fetch", "app/api in request"),
    (
        "api",
        "StaleDataError: the order was changed meanwhile",
        "orders/save in commit",
    ),
    ("web", "NotAllowedError: play() failed", "app/video in play"),
    (
        "api",
        "IndexError: the parcel has no first item",
        "shipping/labels in print",
    ),
    (
        "billing",
        "CurrencyMismatch: EUR and CHF in one invoice",
        "invoices/sum in total",
    ),
    ("web", "Error: Minified error #185", "app/root in render"),
    (
        "api",
        "SSLError: the partner's certificate has expired",
        "partners/feed in fetch",
    ),
];
