//! Jira's issues as tickets.

use chrono::TimeDelta;
use daily_ops::{
    report::Cause,
    ticket::TicketState,
    trackers::{NotEnsured, Read, Tracker},
};
use proptest::prelude::*;
use serde_json::json;
use url::Url;

use super::{
    ensure, ensure_at_last, few, gone, luck, marker, not_sent, now, open, refused, reopen, runtime,
    soon, tickets, turned_away,
};
use crate::world::{
    faults::Fault,
    trackers::{
        jira::{Bulk, EMAIL, Field, Jira, Project, TOKEN},
        line, url,
    },
};

fn tracker_with(url: &Url, token: &str, more: &str) -> Tracker {
    let toml = format!(
        "tracker = 'jira'\n[jira]\nproject = 'OPS'\nemail = '{EMAIL}'\nurl = '{url}'\n{more}"
    );
    tickets(&toml).tracker(Some(token.into()))
}

fn tracker_at(url: &Url) -> Tracker {
    tracker_with(url, TOKEN, "priorities = { high = 'High' }")
}

async fn described(describe: impl FnOnce(&mut Project)) -> (Jira, Tracker) {
    let jira = Jira::new();
    describe(&mut jira.now());
    let tracker = tracker_at(&url(jira.serve().await));
    (jira, tracker)
}

fn team() -> Field {
    Field {
        id: "customfield_10010",
        name: "Team",
        required: true,
        has_default: false,
        values: vec!["Backend", "Web"],
    }
}

#[tokio::test]
async fn a_ticket_is_an_issue_with_a_label_of_its_own() {
    let (jira, tracker) = described(|_| {}).await;
    let ensured = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(
        (ensured.ticket.id.as_str(), ensured.ticket.name.as_str()),
        ("10001", "OPS-1")
    );
    assert_eq!(ensured.ticket.state, TicketState::Open);
    assert!(
        ensured
            .ticket
            .url
            .unwrap()
            .path()
            .ends_with("/browse/OPS-1")
    );
    let seen = jira.now();
    let issue = &seen.issues[0];
    assert_eq!(issue.fields["summary"], "Invoice in_1 is unpaid");
    assert_eq!(issue.fields["priority"], json!({ "name": "High" }));
    assert_eq!(issue.fields["issuetype"], json!({ "name": "Task" }));
    let labels: Vec<&str> = issue.labels().collect();
    assert_eq!(labels, ["daily-ops", "payments", &marker(1).label()]);
    let text = issue.fields["description"].to_string();
    assert!(
        text.contains("Open since Monday.") && text.contains(&marker(1).words()),
        "{text}"
    );
}

#[tokio::test]
async fn asking_twice_gives_the_same_issue_even_while_the_search_lags() {
    for lags in [false, true] {
        let (jira, tracker) = described(|project| {
            for _ in 0..7 {
                project.made(json!({ "labels": [] }));
            }
            project.lags = lags;
        })
        .await;
        let first = ensure(&tracker, &open()).await.unwrap();
        for _ in 0..130 {
            jira.now().made(json!({ "labels": [] }));
        }
        assert_eq!(
            ensure(&tracker, &open()).await.unwrap(),
            first,
            "lags: {lags}"
        );
        assert_eq!(jira.now().issues.len(), 138);
    }
}

#[tokio::test]
async fn two_processes_at_once_have_one_issue_that_is_open() {
    for lags in [false, true].repeat(5) {
        let (jira, one) = described(|project| project.lags = lags).await;
        let other = tracker_at(&url(jira.serve().await));
        let order = open();
        let (ones, others) = tokio::join!(ensure(&one, &order), ensure(&other, &order));
        let (ones, others) = (ones.unwrap().ticket.name, others.unwrap().ticket.name);
        let seen = jira.now();
        let open = seen.issues.iter().filter(|it| it.status == "To Do").count();
        assert_eq!((open, ones), (1, others));
    }
}

#[tokio::test]
async fn of_two_that_were_made_at_once_the_older_one_stays_and_ours_is_closed() {
    for (lags, may_close) in [(false, true), (true, true), (false, false)] {
        let (jira, tracker) = described(|project| {
            project.made(json!({ "labels": [] }));
            (project.lags, project.is_overtaken) = (lags, true);
            if !may_close {
                project
                    .permissions
                    .retain(|name| *name != "TRANSITION_ISSUES");
            }
        })
        .await;
        let ensured = ensure(&tracker, &open()).await.unwrap();
        assert_eq!(ensured.ticket.name, "OPS-2", "lags: {lags}");
        let remark = ensured.remark.unwrap();
        let seen = jira.now();
        let statuses: Vec<&str> = seen.issues.iter().map(|it| it.status).collect();
        if may_close {
            assert_eq!(remark.as_str(), "its duplicate OPS-3 was closed");
            assert_eq!(statuses, ["To Do", "To Do", "Done"]);
        } else {
            let said = "OPS-3 is its duplicate: close it there";
            assert!(remark.as_str().starts_with(said), "{}", remark.as_str());
        }
        let said = seen.issues[2].comments[0].to_string();
        assert!(said.contains("A duplicate of OPS-2"), "{said}");
    }
}

#[tokio::test]
async fn an_issue_that_no_search_knows_is_found_where_many_can_not_be_fetched_at_once() {
    for bulk in [Bulk::Missing, Bulk::Failing] {
        let (jira, tracker) = described(|project| {
            project.made(json!({ "labels": [] }));
            (project.bulk, project.lags) = (bulk, true);
            for _ in 0..7 {
                project.made(json!({ "labels": [] })).is_gone = true;
            }
        })
        .await;
        let first = ensure(&tracker, &open()).await.unwrap();
        assert_eq!(ensure(&tracker, &open()).await.unwrap(), first, "{bulk:?}");
        assert_eq!(jira.now().there().len(), 2, "{bulk:?}");
        let id = first.ticket.id.clone();
        let read = tracker
            .read(std::slice::from_ref(&id), soon())
            .await
            .unwrap();
        assert_eq!(read[&id], Read::Ticket(first.ticket));
    }
}

#[tokio::test]
async fn a_severity_without_a_priority_takes_the_usual_one_or_says_that_it_has_none() {
    for (values, set) in [
        (vec!["Highest", "High", "Medium", "Low"], true),
        (vec!["P1"], false),
    ] {
        let jira = Jira::new();
        jira.now().screen[5].values = values;
        let tracker = tracker_with(&url(jira.serve().await), TOKEN, "");
        let ensured = ensure(&tracker, &open()).await.unwrap();
        let seen = jira.now();
        let priority = seen.issues[0].fields.get("priority");
        assert_eq!(priority, set.then(|| json!({ "name": "High" })).as_ref());
        let remark = ensured.remark.map(|remark| remark.as_str().to_owned());
        assert_eq!(remark.is_none(), set, "{remark:?}");
        assert!(
            remark.is_none_or(
                |said| said.contains("severity, high,") && said.contains("`priorities`")
            )
        );
        assert_eq!(seen.issues.len(), 1);
    }
}

#[tokio::test]
async fn without_the_bulk_route_the_search_alone_tells() {
    let (jira, tracker) = described(|project| project.bulk = Bulk::Missing).await;
    let first = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(ensure(&tracker, &open()).await.unwrap(), first);
    jira.now().issues[0].status = "Done";
    let id = first.ticket.id;
    let read = tracker
        .read(&[id.clone(), "7".to_owned()], soon())
        .await
        .unwrap();
    assert!(matches!(&read[&id], Read::Ticket(ticket) if ticket.state == TicketState::Closed));
    assert_eq!(read["7"], Read::Gone);
}

#[tokio::test]
async fn what_the_project_demands_is_said_with_what_to_write() {
    type Describe = fn(&mut Project);
    let worlds: [(Describe, &str); 5] = [
        (
            |project| project.screen.push(team()),
            "set `customfield_10010` in `fields` of [tickets.jira] (\"Team is required.\")",
        ),
        (
            |project| project.issue_types = vec!["Incident"],
            "correct `issue_type`",
        ),
        (
            |project| project.screen.retain(|field| field.id != "labels"),
            "put the field Labels on the project's create screen",
        ),
        (
            |project| project.screen.retain(|field| field.id != "priority"),
            "correct `priorities`",
        ),
        (
            |project| project.permissions.retain(|name| *name != "CREATE_ISSUES"),
            "the permission Create Issues",
        ),
    ];
    for (describe, named) in worlds {
        let (jira, tracker) = described(describe).await;
        let why = refused(&tracker, &open()).await;
        assert!(why.contains(named), "{why}");
        assert!(jira.now().issues.is_empty());
    }
    let jira = Jira::new();
    jira.now().screen.push(team());
    let more = "[jira.fields]\ncustomfield_10010 = { value = 'Backend' }";
    let tracker = tracker_with(&url(jira.serve().await), TOKEN, more);
    ensure(&tracker, &open()).await.unwrap();
    assert_eq!(
        jira.now().issues[0].fields["customfield_10010"],
        json!({ "value": "Backend" })
    );
}

#[tokio::test]
async fn the_doctor_sees_what_would_stand_in_the_way() {
    type Describe = fn(&mut Project);
    let worlds: [(Describe, &str); 6] = [
        (
            |project| project.screen.push(team()),
            "write `fields = { customfield_10010 = { value = \"Backend\" } }` into [tickets.jira]",
        ),
        (
            |project| project.issue_types = vec!["Incident", "Bug"],
            "to one of Incident, Bug",
        ),
        (
            |project| project.screen.retain(|field| field.id != "labels"),
            "the field Labels is not on",
        ),
        (
            |project| {
                project.screen[5].required = true;
                project.screen[5].values = vec!["P1", "P2"];
            },
            "demands a priority: set `priorities`",
        ),
        (
            |project| {
                project
                    .permissions
                    .retain(|name| *name != "TRANSITION_ISSUES")
            },
            "no TRANSITION_ISSUES in OPS",
        ),
        (
            |project| project.key = "OTHER".to_owned(),
            "`project` in [tickets.jira]",
        ),
    ];
    for (describe, named) in worlds {
        let (_, tracker) = described(describe).await;
        let why = tracker.probe(soon()).await.unwrap_err().to_string();
        assert!(why.contains(named), "{why}");
    }
    let (_, tracker) = described(|_| {}).await;
    let said = tracker.probe(soon()).await.unwrap();
    assert!(said.contains("of the type Task in OPS"), "{said}");
    let jira = Jira::new();
    let stray = tracker_with(
        &url(jira.serve().await),
        TOKEN,
        "fields = { customfield_1 = 'x' }",
    );
    let why = stray.probe(soon()).await.unwrap_err().to_string();
    assert!(
        why.contains("sets `customfield_1`, which is not on"),
        "{why}"
    );
}

#[tokio::test]
async fn a_stranger_makes_no_ticket_gone() {
    let jira = Jira::new();
    let world = url(jira.serve().await);
    ensure(&tracker_at(&world), &open()).await.unwrap();
    let stranger = tracker_with(&world, "wrong", "");
    let why = stranger
        .read(&["10001".to_owned()], soon())
        .await
        .unwrap_err();
    assert_eq!(why.cause, Cause::Auth);
    assert!(why.to_string().contains("renew JIRA_API_TOKEN"), "{why}");
    let (why, _) = not_sent(&stranger, &reopen("10001")).await;
    assert!(why.contains("renew JIRA_API_TOKEN"), "{why}");
    jira.now().permissions.clear();
    let why = tracker_at(&world)
        .read(&["10001".to_owned()], soon())
        .await
        .unwrap_err();
    assert!(why.to_string().contains("Browse Projects"), "{why}");
}

#[tokio::test]
async fn a_limit_is_waited_out() {
    let (_, tracker) = described(|project| project.limit = Some(75)).await;
    assert_eq!(not_sent(&tracker, &open()).await.1, Some(75));
    let why = tracker
        .read(&["10001".to_owned()], soon())
        .await
        .unwrap_err();
    assert_eq!(why.cause, Cause::RateLimited);
}

#[tokio::test]
async fn a_closed_issue_is_explained_once_and_moved_back() {
    let (jira, tracker) = described(|_| {}).await;
    let id = ensure(&tracker, &open()).await.unwrap().ticket.id;
    jira.now().issues[0].status = "Done";
    for _ in 0..3 {
        let ensured = ensure(&tracker, &reopen(&id)).await.unwrap();
        assert_eq!(ensured.ticket.state, TicketState::Open);
    }
    let later = now() + TimeDelta::days(1);
    tracker.ensure(&reopen(&id), later, soon()).await.unwrap();
    let seen = jira.now();
    assert_eq!(
        (seen.issues[0].status, seen.issues[0].comments.len()),
        ("To Do", 2)
    );
    let posts = seen
        .requests
        .iter()
        .filter(|line| line.starts_with("POST") && line.ends_with("/transitions"));
    assert_eq!(posts.count(), 1);
}

#[tokio::test]
async fn a_ticket_that_was_explained_and_not_opened_is_not_called_untouched() {
    for plan in turned_away() {
        let jira = Jira::new();
        let world = jira.serve().await;
        let opened = ensure(&tracker_at(&url(world)), &open()).await;
        let id = opened.unwrap().ticket.id;
        jira.now().issues[0].status = "Done";
        let tracker = tracker_at(&line(world, plan.clone()).await);
        let result = ensure(&tracker, &reopen(&id)).await;
        let is_unsent = matches!(result, Err(NotEnsured::NotSent(_)));
        let is_explained = !jira.now().issues[0].comments.is_empty();
        assert!(!(is_unsent && is_explained), "{plan:?}: {result:?}");
    }
}

#[tokio::test]
async fn an_issue_that_is_gone_or_stuck_is_not_reopened() {
    let (jira, tracker) = described(|_| {}).await;
    let id = ensure(&tracker, &open()).await.unwrap().ticket.id;
    jira.now().issues[0].status = "Done";
    jira.now()
        .permissions
        .retain(|name| *name != "TRANSITION_ISSUES");
    let why = refused(&tracker, &reopen(&id)).await;
    assert!(why.contains("the permission Transition Issues"), "{why}");
    assert!(
        jira.now().issues[0].comments.is_empty(),
        "nothing was said there"
    );
    jira.now().issues[0].is_gone = true;
    let why = gone(&tracker, &reopen(&id)).await;
    assert!(
        why.contains("deleted in Jira") && why.contains("open a new ticket"),
        "{why}"
    );
}

#[tokio::test]
async fn two_hundred_and_fifty_issues_are_read_in_three_requests() {
    let (jira, tracker) = described(|project| {
        for number in 1..=250 {
            let issue = project.made(json!({ "labels": [] }));
            issue.status = ["Done", "To Do", "In Progress"][number % 3];
        }
    })
    .await;
    let ids: Vec<String> = (1..=250)
        .map(|number| (10_000 + number).to_string())
        .collect();
    let read = tracker.read(&ids, soon()).await.unwrap();
    assert_eq!((read.len(), jira.now().requests.len()), (250, 3));
    for (number, id) in (1..).zip(&ids) {
        let Read::Ticket(ticket) = &read[id] else {
            panic!("{id}");
        };
        assert_eq!(ticket.state == TicketState::Closed, number % 3 == 0, "{id}");
    }
}

#[tokio::test]
async fn an_answer_cut_off_after_the_effect_leaves_one_issue() {
    for fault in [
        Fault::Slow,
        Fault::ResetHalfWay,
        Fault::TruncatedBody,
        Fault::ServerError,
    ] {
        let jira = Jira::new();
        jira.now().lags = true;
        let world = jira.serve().await;
        // Two searches and a look beyond, then the issue is made.
        let line = line(world, vec![None, None, None, Some(fault)]).await;
        let tracker = tracker_at(&line);
        let first = ensure(&tracker, &open()).await;
        let Err(NotEnsured::OutcomeUnknown(doubt)) = first else {
            panic!("{fault:?}: {first:?}");
        };
        assert!(doubt.asked_wait.is_some_and(|wait| wait.as_secs() >= 15));
        assert_eq!(jira.now().issues.len(), 1);
        ensure(&tracker, &open()).await.unwrap();
        assert_eq!(jira.now().issues.len(), 1, "{fault:?}");
    }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn whatever_happens_on_the_line_there_is_one_issue_and_one_comment(
        luck in luck(), later in luck(), lags: bool, strangers in 0..3_usize
    ) {
        runtime().block_on(async {
            let jira = Jira::new();
            for _ in 0..strangers {
                jira.now().made(json!({ "labels": [] }));
            }
            jira.now().lags = lags;
            let world = jira.serve().await;
            let tracker = tracker_at(&line(world, luck).await);
            let ensured = ensure_at_last(&tracker, &open()).await;
            assert_eq!(jira.now().there().len(), strangers + 1);
            jira.now().issues[strangers].status = "Done";
            let tracker = tracker_at(&line(world, later).await);
            let ensured = ensure_at_last(&tracker, &reopen(&ensured.ticket.id)).await;
            assert_eq!(ensured.ticket.state, TicketState::Open);
            let seen = jira.now();
            assert_eq!(seen.there().len(), strangers + 1);
            assert_eq!((seen.issues[strangers].status, seen.issues[strangers].comments.len()), ("To Do", 1));
        });
    }
}
