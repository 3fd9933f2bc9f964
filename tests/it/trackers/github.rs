//! GitHub's issues as tickets.

use chrono::TimeDelta;
use daily_ops::{
    report::Cause,
    ticket::TicketState,
    trackers::{NotEnsured, Read, Tracker},
};
use proptest::prelude::*;
use url::Url;

use super::{
    ensure, ensure_at_last, few, gone, luck, marker, not_sent, now, open, refused, reopen, runtime,
    soon, tickets, turned_away,
};
use crate::world::{
    faults::Fault,
    trackers::{
        github::{GitHub, Limit, Repository, TOKEN},
        line, url,
    },
};

fn tracker_at(url: &Url, more: &str) -> Tracker {
    let toml =
        format!("tracker = 'github'\n[github]\nrepository = 'acme/web'\nurl = '{url}'\n{more}");
    tickets(&toml).tracker(Some(TOKEN.into()))
}

async fn described(describe: impl FnOnce(&mut Repository)) -> (GitHub, Tracker) {
    let github = GitHub::new(now());
    describe(&mut github.now());
    let tracker = tracker_at(&url(github.serve().await), "");
    (github, tracker)
}

#[tokio::test]
async fn a_ticket_is_an_issue_that_says_all_of_it() {
    let (github, tracker) = described(|_| {}).await;
    let ensured = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(ensured.ticket.name, "acme/web#1");
    assert_eq!(ensured.ticket.state, TicketState::Open);
    assert_eq!(
        ensured.ticket.url.unwrap().as_str(),
        "https://github.com/acme/web/issues/1"
    );
    assert_eq!(ensured.remark, None);
    let seen = github.now();
    let issue = &seen.issues[0];
    assert_eq!(issue.title, "Invoice in_1 is unpaid");
    assert_eq!(issue.labels, ["daily-ops", "payments", "severity: high"]);
    assert!(
        issue.body.starts_with("Open since Monday.\n\n- 3 attempts"),
        "{}",
        issue.body
    );
    assert!(issue.body.ends_with(&marker(1).comment()), "{}", issue.body);
}

#[tokio::test]
async fn asking_twice_gives_the_same_issue_and_another_number_another_one() {
    let (github, tracker) = described(|_| {}).await;
    let first = ensure(&tracker, &open()).await.unwrap();
    let again = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(github.now().issues.len(), 1);
    let next = daily_ops::ticket::TicketOrder::Open {
        marker: marker(2),
        draft: super::draft(),
    };
    assert_ne!(ensure(&tracker, &next).await.unwrap().ticket, first.ticket);
}

#[tokio::test]
async fn two_processes_at_once_have_one_issue_that_is_open() {
    for _ in 0..10 {
        let (github, one) = described(|_| {}).await;
        let other = tracker_at(&url(github.serve().await), "");
        let order = open();
        let (ones, others) = tokio::join!(ensure(&one, &order), ensure(&other, &order));
        let (ones, others) = (ones.unwrap().ticket.name, others.unwrap().ticket.name);
        let open = github.now().issues.iter().filter(|it| it.open).count();
        assert_eq!((open, ones), (1, others));
    }
}

#[tokio::test]
async fn of_two_that_were_made_at_once_the_older_one_stays_and_ours_is_closed() {
    let (github, tracker) = described(|world| {
        world.overtaken_by = Some(marker(1).comment());
    })
    .await;
    let ensured = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(ensured.ticket.name, "acme/web#1");
    assert_eq!(
        ensured.remark.unwrap().as_str(),
        "its duplicate acme/web#2 was closed"
    );
    let again = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(again.ticket.name, "acme/web#1");
    let seen = github.now();
    assert_eq!(
        seen.issues.iter().map(|it| it.open).collect::<Vec<_>>(),
        [true, false]
    );
    assert!(seen.issues[1].comments[0].1.contains("duplicate of #1"));
    assert!(seen.issues[0].comments.is_empty());
}

#[tokio::test]
async fn an_issue_behind_many_others_is_found_and_a_pull_request_is_none() {
    let (github, tracker) = described(|world| {
        let words = marker(1).comment();
        world.opened(TimeDelta::seconds(2), &words).is_pull_request = true;
        world.opened(TimeDelta::seconds(2), &words);
        for _ in 0..250 {
            world.opened(TimeDelta::seconds(1), "something else");
        }
    })
    .await;
    let ensured = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(ensured.ticket.name, "acme/web#2");
    assert_eq!(github.now().issues.len(), 252);
}

#[tokio::test]
async fn an_issue_from_before_the_database_was_lost_is_found_by_its_label() {
    let (github, tracker) = described(|world| {
        let old = world.opened(TimeDelta::days(40), &marker(1).comment());
        old.labels = vec!["daily-ops".to_owned()];
        old.open = false;
    })
    .await;
    let ensured = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(ensured.ticket.state, TicketState::Closed);
    assert_eq!(github.now().issues.len(), 1);
}

#[tokio::test]
async fn labels_and_assignees_that_were_dropped_are_told() {
    let github = GitHub::new(now());
    github.now().push = false;
    let tracker = tracker_at(&url(github.serve().await), "assignees = ['octocat']");
    let ensured = ensure(&tracker, &open()).await.unwrap();
    let remark = ensured.remark.unwrap();
    assert!(
        remark.as_str().contains(
            "dropped the labels daily-ops, payments, severity: high and the assignees octocat"
        ),
        "{}",
        remark.as_str()
    );
    let again = ensure(&tracker, &open()).await.unwrap();
    assert_eq!(again.remark, Some(remark));
    assert_eq!(github.now().issues.len(), 1, "found without its label");
}

#[tokio::test]
async fn what_the_repository_refuses_is_said_with_what_to_do() {
    type Describe = fn(&mut Repository);
    let worlds: [(Describe, &str); 4] = [
        (|world| world.has_issues = false, "switch issues on"),
        (
            |world| world.renamed = true,
            "the repository was renamed or moved: set `repository`",
        ),
        (
            |world| world.name = "acme/other".to_owned(),
            "check `repository` and `url` in [tickets.github]",
        ),
        (
            |world| world.people.clear(),
            "correct `assignees` in [tickets.github]",
        ),
    ];
    for (describe, named) in worlds {
        let github = GitHub::new(now());
        describe(&mut github.now());
        let tracker = tracker_at(&url(github.serve().await), "assignees = ['octocat']");
        let why = refused(&tracker, &open()).await;
        assert!(why.contains(named), "{why}");
        assert!(github.now().issues.is_empty());
    }
}

#[tokio::test]
async fn a_token_that_can_be_mended_is_waited_for() {
    let (github, tracker) = described(|world| world.write = false).await;
    let (why, _) = not_sent(&tracker, &open()).await;
    assert!(
        why.contains("give the token in GITHUB_TOKEN the permission Issues: read and write"),
        "{why}"
    );
    let wrong = tickets(&format!(
        "tracker = 'github'\n[github]\nrepository = 'acme/web'\nurl = '{}'",
        url(github.serve().await)
    ))
    .tracker(Some("ghp_wrong".into()));
    let (why, _) = not_sent(&wrong, &open()).await;
    assert!(why.contains("renew GITHUB_TOKEN"), "{why}");
}

#[tokio::test]
async fn limits_of_both_kinds_are_waited_out() {
    for (limit, wait) in [
        (Limit::Primary(1_800), 1_800),
        (Limit::Secondary(Some(90)), 90),
        (Limit::Secondary(None), 60),
    ] {
        let (_, tracker) = described(|world| world.limit = Some(limit)).await;
        let (why, asked) = not_sent(&tracker, &open()).await;
        assert_eq!(asked, Some(wait), "{why}");
        let why = tracker.read(&["acme/web#1".to_owned()], soon()).await;
        assert_eq!(why.unwrap_err().cause, Cause::RateLimited);
    }
}

#[tokio::test]
async fn a_closed_issue_is_explained_once_and_opened_once() {
    let (github, tracker) = described(|world| {
        world.opened(TimeDelta::days(3), &marker(1).comment()).open = false;
    })
    .await;
    for _ in 0..3 {
        let ensured = ensure(&tracker, &reopen("acme/web#1")).await.unwrap();
        assert_eq!(ensured.ticket.state, TicketState::Open);
    }
    {
        let seen = github.now();
        assert_eq!(seen.issues[0].comments.len(), 1);
        assert!(
            seen.issues[0].comments[0]
                .1
                .starts_with("It failed again.\n\n<!-- daily-ops:comment=")
        );
        assert_eq!(
            seen.requests
                .iter()
                .filter(|line| line.starts_with("PATCH"))
                .count(),
            1
        );
    }
    github.now().issues[0].open = false;
    let later = now() + TimeDelta::days(1);
    tracker
        .ensure(&reopen("acme/web#1"), later, soon())
        .await
        .unwrap();
    assert_eq!(
        github.now().issues[0].comments.len(),
        2,
        "another decision, another comment"
    );
}

#[tokio::test]
async fn a_ticket_that_was_explained_and_not_opened_is_not_called_untouched() {
    for plan in turned_away() {
        let github = GitHub::new(now());
        github
            .now()
            .opened(TimeDelta::days(3), &marker(1).comment())
            .open = false;
        let world = github.serve().await;
        let tracker = tracker_at(&line(world, plan.clone()).await, "");
        let result = ensure(&tracker, &reopen("acme/web#1")).await;
        let is_unsent = matches!(result, Err(NotEnsured::NotSent(_)));
        let is_explained = !github.now().issues[0].comments.is_empty();
        assert!(!(is_unsent && is_explained), "{plan:?}: {result:?}");
    }
}

#[tokio::test]
async fn an_issue_that_is_gone_is_not_reopened() {
    let (_, tracker) = described(|world| {
        world.deleted = vec![1];
        world.transferred = vec![2];
    })
    .await;
    for id in ["acme/web#1", "acme/web#2", "acme/web#3"] {
        let why = gone(&tracker, &reopen(id)).await;
        assert!(
            why.contains("deleted or moved") && why.contains("open a new ticket"),
            "{why}"
        );
    }
    let why = refused(&tracker, &reopen("../../user#1")).await;
    assert!(why.contains("names no issue"), "{why}");
}

#[tokio::test]
async fn two_hundred_tickets_are_read_in_a_few_requests() {
    let (github, tracker) = described(|world| {
        for number in 1..=200 {
            let issue = world.opened(TimeDelta::days(1), "");
            issue.labels = vec!["daily-ops".to_owned()];
            issue.open = number % 2 == 0;
        }
        world.deleted = vec![201];
        world.transferred = vec![202];
    })
    .await;
    let ids: Vec<String> = (1..=202)
        .map(|number| format!("acme/web#{number}"))
        .collect();
    let read = tracker.read(&ids, soon()).await.unwrap();
    assert_eq!(read.len(), ids.len());
    for (number, id) in (1..).zip(&ids) {
        match &read[id] {
            Read::Ticket(ticket) => {
                assert_eq!(ticket.state == TicketState::Open, number % 2 == 0, "{id}");
            }
            Read::Gone => assert!(number > 200, "{id}"),
        }
    }
    let requests = github.now().requests.len();
    assert!(requests <= 10, "{requests}");
}

#[tokio::test]
async fn a_repository_that_can_not_be_seen_makes_no_ticket_gone() {
    for describe in [
        (|world: &mut Repository| world.renamed = true) as fn(&mut Repository),
        |world| world.name = "acme/other".to_owned(),
        |world| world.has_issues = false,
    ] {
        let (_, tracker) = described(describe).await;
        let why = tracker.read(&["acme/web#1".to_owned()], soon()).await;
        why.unwrap_err();
    }
}

#[tokio::test]
async fn the_doctor_sees_what_would_stand_in_the_way() {
    type Describe = fn(&mut Repository);
    let worlds: [(Describe, &str); 6] = [
        (|world| world.archived = true, "is archived"),
        (|world| world.has_issues = false, "switch them on"),
        (
            |world| world.scopes = Some("read:org, gist"),
            "give it `repo`",
        ),
        (|world| world.scopes = Some(""), "are none: give it `repo`"),
        (|world| world.renamed = true, "renamed or moved"),
        (|world| world.name = "acme/other".to_owned(), "`repository`"),
    ];
    for (describe, named) in worlds {
        let (_, tracker) = described(describe).await;
        let why = tracker.probe(soon()).await.unwrap_err().to_string();
        assert!(why.contains(named), "{why}");
    }
    let (_, tracker) = described(|world| world.push = false).await;
    let said = tracker.probe(soon()).await.unwrap();
    assert!(
        said.contains("will drop labels") && said.contains("shows with the first one"),
        "{said}"
    );
}

#[tokio::test]
async fn an_answer_cut_off_after_the_effect_leaves_one_issue() {
    for fault in [
        Fault::Slow,
        Fault::ResetHalfWay,
        Fault::TruncatedBody,
        Fault::ServerError,
    ] {
        let github = GitHub::new(now());
        let world = github.serve().await;
        // Two looks, then the issue is made.
        let tracker = tracker_at(&line(world, vec![None, None, Some(fault)]).await, "");
        let first = ensure(&tracker, &open()).await;
        assert!(
            matches!(
                first,
                Err(daily_ops::trackers::NotEnsured::OutcomeUnknown(_))
            ),
            "{fault:?}: {first:?}"
        );
        assert_eq!(github.now().issues.len(), 1);
        ensure(&tracker, &open()).await.unwrap();
        assert_eq!(github.now().issues.len(), 1, "{fault:?}");
    }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn whatever_happens_on_the_line_there_is_one_issue_and_one_comment(luck in luck(), later in luck()) {
        runtime().block_on(async {
            let github = GitHub::new(now());
            let world = github.serve().await;
            let tracker = tracker_at(&line(world, luck).await, "");
            let ensured = ensure_at_last(&tracker, &open()).await;
            assert_eq!(github.now().issues.len(), 1);
            github.now().issues[0].open = false;
            let tracker = tracker_at(&line(world, later).await, "");
            let ensured = ensure_at_last(&tracker, &reopen(&ensured.ticket.id)).await;
            assert_eq!(ensured.ticket.state, TicketState::Open);
            let seen = github.now();
            assert!(seen.issues.len() == 1 && seen.issues[0].open);
            assert_eq!(seen.issues[0].comments.len(), 1);
        });
    }
}
