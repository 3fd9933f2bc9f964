//! Linear's issues as tickets.

use std::{fs, path::Path};

use chrono::TimeDelta;
use daily_ops::{
    report::Cause,
    ticket::TicketState,
    trackers::{NotEnsured, Read, Tracker},
};
use proptest::prelude::*;
use serde_json::Value;
use url::Url;

use super::{
    ensure, ensure_at_last, few, gone, luck, marker, not_sent, now, open, refused, reopen, runtime,
    soon, tickets, turned_away,
};
use crate::world::{
    faults::Fault,
    trackers::{
        line,
        linear::{INPUTS, KEY, Linear, Refusal, Workspace},
        url,
    },
};

fn tracker_at(url: &Url) -> Tracker {
    let toml = format!("tracker = 'linear'\n[linear]\nteam = 'ENG'\nurl = '{url}'");
    tickets(&toml).tracker(Some(KEY.into()))
}

async fn described(describe: impl FnOnce(&mut Workspace)) -> (Linear, Tracker) {
    let linear = Linear::new();
    describe(&mut linear.now());
    let tracker = tracker_at(&url(linear.serve().await));
    (linear, tracker)
}

#[tokio::test]
async fn a_ticket_is_an_issue_with_a_priority_and_the_labels_that_there_are() {
    let (linear, tracker) =
        described(|world| world.labels.push(("payments".to_owned(), true))).await;
    let ensured = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(ensured.ticket.name, "ENG-1");
    assert_eq!(
        ensured.ticket.url.unwrap().as_str(),
        "https://linear.app/acme/issue/ENG-1"
    );
    let remark = ensured.remark.unwrap();
    assert!(
        remark.as_str().contains("no labels payments:"),
        "{}",
        remark.as_str()
    );
    let seen = linear.now();
    let issue = &seen.issues[0];
    assert_eq!(
        (issue.title.as_str(), issue.priority),
        ("Invoice in_1 is unpaid", 2)
    );
    assert_eq!(
        issue.labels,
        ["daily-ops"],
        "`payments` belongs to another team"
    );
    assert!(
        issue
            .description
            .ends_with(&format!("`{}`", marker(1).words())),
        "{}",
        issue.description
    );
}

#[tokio::test]
async fn asking_twice_gives_the_same_issue() {
    let (linear, tracker) = described(|_| {}).await;
    let first = ensure(&tracker, &open()).await.unwrap();
    let again = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(first.ticket, again.ticket);
    assert_eq!(linear.now().issues.len(), 1);
}

#[tokio::test]
async fn two_callers_at_once_have_one_issue() {
    let (linear, tracker) = described(|_| {}).await;
    let (one, other) = (tracker.clone(), tracker);
    for _ in 0..20 {
        linear.now().issues.clear();
        let order = open();
        let (a, b) = tokio::join!(ensure(&one, &order), ensure(&other, &order));
        assert_eq!(a.unwrap().ticket, b.unwrap().ticket);
        assert_eq!(linear.now().issues.len(), 1);
    }
}

#[tokio::test]
async fn errors_mean_what_their_code_says_whatever_the_status() {
    for status in [200, 400] {
        for (code, named) in [
            ("AUTHENTICATION_ERROR", "renew LINEAR_API_KEY"),
            ("FORBIDDEN", "give the key in LINEAR_API_KEY write access"),
            ("RATELIMITED", "asked again later"),
        ] {
            let (linear, tracker) =
                described(|world| world.refusal = Some(Refusal::Code(status, code))).await;
            let (why, wait) = not_sent(&tracker, &open()).await;
            assert!(
                why.contains(named) && why.contains(code),
                "{status} {code}: {why}"
            );
            assert_eq!(
                wait,
                (code == "RATELIMITED").then_some(90),
                "{status} {code}"
            );
            let why = tracker.probe(soon()).await.unwrap_err();
            assert!(why.to_string().contains(named), "{why}");
            assert_eq!(linear.now().issues.len(), 0);
        }
    }
    let (_, tracker) =
        described(|world| world.refusal = Some(Refusal::Code(200, "RATELIMITED"))).await;
    let why = tracker.read(&["x".to_owned()], soon()).await.unwrap_err();
    assert_eq!(why.cause, Cause::RateLimited);
}

#[tokio::test]
async fn what_has_no_success_has_failed() {
    let (linear, tracker) = described(|world| world.refusal = Some(Refusal::NoSuccess)).await;
    let why = refused(&tracker, &open()).await;
    assert!(why.contains("`success: false`"), "{why}");
    assert!(linear.now().issues.is_empty());
}

#[tokio::test]
async fn a_team_that_is_not_there_is_named() {
    let (_, tracker) = described(|world| world.team = "OPS".to_owned()).await;
    let why = refused(&tracker, &open()).await;
    assert!(
        why.contains("no team with the key ENG") && why.contains("[tickets.linear]"),
        "{why}"
    );
    let why = tracker.probe(soon()).await.unwrap_err();
    assert_eq!(why.cause, Cause::NotFound);
}

#[tokio::test]
async fn the_doctor_says_which_labels_are_missing() {
    let (_, tracker) = described(|world| world.labels.clear()).await;
    let said = tracker.probe(soon()).await.unwrap();
    assert!(
        said.contains("the team ENG is there; it has no labels daily-ops"),
        "{said}"
    );
}

#[tokio::test]
async fn a_closed_issue_is_explained_once_and_begins_again() {
    for (state, archived) in [("s-done", false), ("s-canceled", true)] {
        let (linear, tracker) = described(|_| {}).await;
        let id = ensure(&tracker, &open()).await.unwrap().ticket.id;
        linear.now().issues[0].state = state;
        linear.now().issues[0].archived = archived;
        for _ in 0..3 {
            let ensured = ensure(&tracker, &reopen(&id)).await.unwrap();
            assert_eq!(ensured.ticket.state, TicketState::Open);
        }
        let later = now() + TimeDelta::days(1);
        tracker.ensure(&reopen(&id), later, soon()).await.unwrap();
        let seen = linear.now();
        assert_eq!(
            (seen.issues[0].state, seen.issues[0].archived),
            ("s-todo", false)
        );
        let texts: Vec<&str> = seen
            .comments
            .iter()
            .map(|(.., text)| text.as_str())
            .collect();
        assert_eq!(
            texts,
            ["It failed again.", "It failed again."],
            "one for each decision"
        );
    }
}

#[tokio::test]
async fn a_ticket_that_was_explained_and_not_opened_is_not_called_untouched() {
    for plan in turned_away() {
        let linear = Linear::new();
        let world = linear.serve().await;
        let opened = ensure(&tracker_at(&url(world)), &open()).await;
        let id = opened.unwrap().ticket.id;
        linear.now().issues[0].state = "s-done";
        let tracker = tracker_at(&line(world, plan.clone()).await);
        let result = ensure(&tracker, &reopen(&id)).await;
        let is_unsent = matches!(result, Err(NotEnsured::NotSent(_)));
        let is_explained = !linear.now().comments.is_empty();
        assert!(!(is_unsent && is_explained), "{plan:?}: {result:?}");
    }
}

#[tokio::test]
async fn a_deleted_issue_is_not_reopened_and_not_made_anew() {
    let (linear, tracker) = described(|_| {}).await;
    let id = ensure(&tracker, &open()).await.unwrap().ticket.id;
    linear.now().issues[0].trashed = true;
    let why = gone(&tracker, &reopen(&id)).await;
    assert!(
        why.contains("deleted in Linear") && why.contains("open a new ticket"),
        "{why}"
    );
    let found = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(found.ticket.state, TicketState::Closed);
    assert!(
        found
            .remark
            .unwrap()
            .as_str()
            .contains("restore it from the trash")
    );
    linear.now().issues.clear();
    gone(&tracker, &reopen(&id)).await;
}

#[tokio::test]
async fn a_team_that_can_not_be_seen_makes_no_ticket_gone() {
    let (linear, tracker) = described(|_| {}).await;
    let id = ensure(&tracker, &open()).await.unwrap().ticket.id;
    // As to a key that was taken out of the team.
    linear.now().issues.clear();
    linear.now().team = "OPS".to_owned();
    let why = tracker
        .read(std::slice::from_ref(&id), soon())
        .await
        .unwrap_err();
    assert_eq!(why.cause, Cause::NotFound);
    assert!(why.to_string().contains("access to that team"), "{why}");
    let (why, _) = not_sent(&tracker, &reopen(&id)).await;
    assert!(why.contains("access to that team"), "{why}");
}

#[tokio::test]
async fn a_hundred_issues_are_read_at_once_and_the_team_if_one_is_missing() {
    let (linear, tracker) = described(|_| {}).await;
    let id = ensure(&tracker, &open()).await.unwrap().ticket.id;
    let pattern = linear.now().issues[0].clone();
    let states = ["s-backlog", "s-doing", "s-done", "s-canceled"];
    for number in 0..98 {
        let mut issue = pattern.clone();
        (issue.id, issue.state) = (format!("id-{number}"), states[number % 4]);
        (issue.archived, issue.trashed) = (number % 8 == 2, number == 97);
        linear.now().issues.push(issue);
    }
    let mut ids: Vec<String> = (0..98).map(|number| format!("id-{number}")).collect();
    ids.extend([id, "id-nowhere".to_owned()]);
    linear.now().requests = 0;
    let read = tracker.read(&ids, soon()).await.unwrap();
    assert_eq!((read.len(), linear.now().requests), (100, 2));
    for number in 0..97 {
        let Read::Ticket(ticket) = &read[&format!("id-{number}")] else {
            panic!("{number}");
        };
        assert_eq!(
            ticket.state == TicketState::Open,
            number % 4 < 2,
            "{number}"
        );
    }
    assert_eq!(
        (&read["id-97"], &read["id-nowhere"]),
        (&Read::Gone, &Read::Gone)
    );
}

#[tokio::test]
async fn an_answer_cut_off_after_the_effect_is_made_good_in_the_same_try() {
    for fault in [
        Fault::Slow,
        Fault::ResetHalfWay,
        Fault::TruncatedBody,
        Fault::ServerError,
    ] {
        let linear = Linear::new();
        let world = linear.serve().await;
        let tracker = tracker_at(&line(world, vec![None, None, Some(fault)]).await);
        let ensured = ensure(&tracker, &open()).await;
        assert_eq!(ensured.unwrap().ticket.name, "ENG-1", "{fault:?}");
        assert_eq!(linear.now().issues.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_change_that_never_arrived_is_in_doubt() {
    let linear = Linear::new();
    let world = linear.serve().await;
    let tracker = tracker_at(&line(world, vec![None, None, Some(Fault::Refused)]).await);
    let doubt = ensure(&tracker, &open()).await;
    assert!(
        matches!(doubt, Err(NotEnsured::OutcomeUnknown(_))),
        "{doubt:?}"
    );
    ensure(&tracker, &open()).await.unwrap();
    assert_eq!(linear.now().issues.len(), 1);
}

#[tokio::test]
async fn a_refusal_is_believed_only_if_the_id_is_seen_to_be_free() {
    let world = Linear::new().serve().await;
    let unseen = [Some(Fault::Refused); 3];
    let faults = [&[None, None, Some(Fault::Forbidden)], &unseen[..]].concat();
    let tracker = tracker_at(&line(world, faults).await);
    let doubt = ensure(&tracker, &open()).await;
    assert!(
        matches!(doubt, Err(NotEnsured::OutcomeUnknown(_))),
        "{doubt:?}"
    );
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn whatever_happens_on_the_line_there_is_one_issue_and_one_comment(luck in luck(), later in luck()) {
        runtime().block_on(async {
            let linear = Linear::new();
            let world = linear.serve().await;
            let tracker = tracker_at(&line(world, luck).await);
            let order = open();
            let (one, other) = tokio::join!(ensure_at_last(&tracker, &order), ensure_at_last(&tracker, &order));
            assert_eq!(one.ticket, other.ticket);
            assert_eq!(linear.now().issues.len(), 1);
            linear.now().issues[0].state = "s-done";
            let tracker = tracker_at(&line(world, later).await);
            let order = reopen(&one.ticket.id);
            let (one, other) = tokio::join!(ensure_at_last(&tracker, &order), ensure_at_last(&tracker, &order));
            assert_eq!((one.ticket.state, other.ticket.state), (TicketState::Open, TicketState::Open));
            let seen = linear.now();
            assert_eq!((seen.issues.len(), seen.issues[0].state, seen.comments.len()), (1, "s-todo", 1));
        });
    }
}

#[test]
fn the_described_inputs_are_those_of_linears_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(whole) = fs::read_to_string(root.join("../shared/samples/linear/issue-inputs.json"))
    else {
        return;
    };
    let (ours, whole): (Value, Value) = (
        serde_json::from_str(INPUTS).unwrap(),
        serde_json::from_str(&whole).unwrap(),
    );
    for kind in ["IssueCreateInput", "CommentCreateInput"] {
        for (name, field) in ours[kind].as_object().unwrap() {
            assert_eq!(field, &whole[kind][name]["type"], "{kind}.{name}");
        }
    }
}
