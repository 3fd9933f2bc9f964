//! Tickets in trackers: one for each marker, whatever happens on the way.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daily_ops::{
    report::{FindingKey, Severity},
    ticket::{Draft, Marker, TicketOrder},
    trackers::{Ensured, NotEnsured, Tickets, Tracker},
    upstream::Settings,
};
use tokio::time::Instant;

use crate::world::faults::Fault;

mod github;
mod github_contract;
mod jira;
mod linear;

pub(crate) fn marker(number: u32) -> Marker {
    Marker::new(&FindingKey::new("payments", "invoice/in_1"), number)
}

fn draft() -> Draft {
    Draft {
        title: "Invoice in_1 is unpaid".to_owned(),
        body: "Open since Monday.\n\n- 3 attempts\n- see [Stripe](https://dashboard.stripe.com)"
            .to_owned(),
        severity: Severity::High,
        labels: vec!["payments".to_owned()],
    }
}

fn open() -> TicketOrder {
    TicketOrder::Open {
        marker: marker(1),
        draft: draft(),
    }
}

fn reopen(id: &str) -> TicketOrder {
    TicketOrder::Reopen {
        marker: marker(1),
        id: id.to_owned(),
        comment: "It failed again.".to_owned(),
    }
}

/// When the tests take place; nothing moves on but the network.
fn now() -> DateTime<Utc> {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn tickets(toml: &str) -> Tickets {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let mut tickets: Tickets = toml::from_str(toml).unwrap();
    tickets.validate().unwrap();
    tickets.settings = Settings {
        request: Duration::from_millis(250),
        first_wait: Duration::from_millis(1),
        ..Settings::default()
    };
    tickets
}

async fn ensure(tracker: &Tracker, order: &TicketOrder) -> Result<Ensured, NotEnsured> {
    tracker
        .ensure(order, now() - TimeDelta::seconds(5), soon())
        .await
}

/// As the outbox does it: again, as long as that can help.
async fn ensure_at_last(tracker: &Tracker, order: &TicketOrder) -> Ensured {
    for _ in 0..40 {
        match ensure(tracker, order).await {
            Ok(ensured) => return ensured,
            Err(NotEnsured::Refused(why) | NotEnsured::Gone(why)) => panic!("{}", why.as_str()),
            Err(NotEnsured::NotSent(_) | NotEnsured::OutcomeUnknown(_)) => {}
        }
    }
    panic!("no ticket after 40 tries");
}

async fn refused(tracker: &Tracker, order: &TicketOrder) -> String {
    match ensure(tracker, order).await {
        Err(NotEnsured::Refused(why)) => why.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

async fn gone(tracker: &Tracker, order: &TicketOrder) -> String {
    match ensure(tracker, order).await {
        Err(NotEnsured::Gone(why)) => why.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

async fn not_sent(tracker: &Tracker, order: &TicketOrder) -> (String, Option<u64>) {
    match ensure(tracker, order).await {
        Err(NotEnsured::NotSent(why)) => {
            (why.to_string(), why.asked_wait.map(|wait| wait.as_secs()))
        }
        other => panic!("{other:?}"),
    }
}

/// Plans in which one request after the other is turned away, and nothing else goes wrong.
fn turned_away() -> impl Iterator<Item = Vec<Option<Fault>>> {
    let faults = [Fault::Forbidden, Fault::TooManyRequests].into_iter();
    let plan = |fault, before| [vec![None; before], vec![Some(fault)]].concat();
    faults.flat_map(move |fault| (0..8).map(move |before| plan(fault, before)))
}

/// A run of luck, good and bad, of up to so many requests.
fn luck() -> impl proptest::strategy::Strategy<Value = Vec<Option<Fault>>> {
    let faults: Vec<Fault> = Fault::of_requests().collect();
    let one = proptest::option::weighted(0.6, proptest::sample::select(faults));
    proptest::collection::vec(one, 0..14)
}

/// Few cases, as each takes real time.
fn few() -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases: 24,
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_wrong_section_names_its_field() {
    for (toml, named) in [
        ("tracker = 'github'", "[tickets.github] with `repository`"),
        ("tracker = 'linear'", "[tickets.linear]"),
        ("tracker = 'jira'", "[tickets.jira]"),
        ("tracker = 'trello'", "unknown variant `trello`"),
        (
            "[github]\nrepository = 'acme/web'",
            "[tickets.github] is there, and nothing says that tickets go there: write `tracker = \"github\"`",
        ),
        ("[linear]\nteam = 'ENG'", "write `tracker = \"linear\"`"),
        (
            "[github]\nrepository = 'acme'",
            "in [tickets.github]: `repository`",
        ),
        (
            "[github]\nrepository = 'acme/web'\nurl = 'https://github.com'",
            "`url`",
        ),
        (
            "[github]\nrepository = 'acme/web'\nassignees = ['a b']",
            "`assignees`",
        ),
        ("[linear]\nteam = 'ENG-1'", "in [tickets.linear]: `team`"),
        (
            "[jira]\nurl = 'https://acme.atlassian.net'\nemail = 'a@b.c'\nproject = 'ops'",
            "in [tickets.jira]: `project`",
        ),
        (
            "[jira]\nurl = 'https://acme.atlassian.net'\nemail = 'a'\nproject = 'OPS'",
            "`email`",
        ),
        (
            "[jira]\nurl = 'https://acme.atlassian.net'\nemail = 'a@b.c'\nproject = 'OPS'\nfields = { summary = 'x' }",
            "`summary`",
        ),
        ("settings = 1", "unknown field `settings`"),
    ] {
        let error = match toml::from_str::<Tickets>(toml) {
            Err(error) => error.to_string(),
            Ok(tickets) => format!("{:#}", tickets.validate().unwrap_err()),
        };
        assert!(error.contains(named), "{toml}: {error}");
    }
}

#[test]
fn tickets_are_kept_in_the_database_where_nothing_else_is_said_or_that_is() {
    for toml in ["", "tracker = 'local'\n[github]\nrepository = 'acme/web'"] {
        let tickets = tickets(toml);
        assert!(tickets.tracker(None).is_local() && tickets.secret().is_none());
    }
}

#[tokio::test]
async fn a_missing_token_is_named() {
    for (toml, name) in [
        (
            "tracker = 'github'\n[github]\nrepository = 'acme/web'",
            "GITHUB_TOKEN",
        ),
        (
            "tracker = 'linear'\n[linear]\nteam = 'ENG'",
            "LINEAR_API_KEY",
        ),
        (
            "tracker = 'jira'\n[jira]\nurl = 'https://acme.atlassian.net'\nemail = 'a@b.c'\nproject = 'OPS'",
            "JIRA_API_TOKEN",
        ),
    ] {
        let tickets = tickets(toml);
        let tracker = tickets.tracker(None);
        assert_eq!(tickets.secret().unwrap().0, name);
        let wanted = format!("{name} is not set");
        let (why, _) = not_sent(&tracker, &open()).await;
        assert!(why.contains(&wanted), "{why}");
        let why = tracker.probe(soon()).await.unwrap_err().to_string();
        assert!(why.contains(&wanted), "{why}");
        let why = tracker.read(&["x".to_owned()], soon()).await.unwrap_err();
        assert!(why.to_string().contains(&wanted), "{why}");
    }
}
