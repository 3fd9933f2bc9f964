//! Tickets that their tracker refuses, has lost, or that were asked for in a tracker that is configured no more.

use chrono::TimeDelta;
use daily_ops::{
    ticket::{LOCAL, TicketStatus},
    triage::Verdict,
};

use super::{KEY, filing, it_comes_back, ticket, tickets};
use crate::world::{
    company::{A_DAY, decide, text, walk},
    trackers::github::Limit,
};

#[tokio::test]
async fn in_place_of_a_deleted_ticket_there_is_a_new_one() {
    let (company, bot, github) = filing("reopen").await;
    decide(&bot, "anna", &format!("ticket {KEY}")).await;
    {
        let mut world = github.now();
        world.issues.clear();
        world.deleted = vec![1];
    }
    company.later(TimeDelta::hours(1));
    walk(&bot).await;
    assert_eq!(tickets(&bot).await[0].state, TicketStatus::Gone);
    it_comes_back(&company, &bot).await;
    let all = tickets(&bot).await;
    assert_eq!((all.len(), all[0].state), (2, TicketStatus::Open));
    assert_ne!(all[0].marker, all[1].marker);
}

#[tokio::test]
async fn tickets_of_a_tracker_that_is_not_configured_any_more_are_unknown_and_can_be_closed_here() {
    let (mut company, bot, _github) = filing("reopen").await;
    decide(&bot, "anna", &format!("ticket {KEY}")).await;
    company.more.clear();
    bot.store.close().await;
    drop(bot);
    let bot = company.bot().await;
    let round = walk(&bot).await;
    let said = format!("{:?}", round.triaged.unknown);
    assert!(
        said.contains("1 open ticket in GitHub, which isn't configured any more"),
        "{said}"
    );
    let closed = ticket(&bot, "anna", "close acme/web#1").await;
    assert!(closed.accepted, "{}", text(&closed));
    assert!(walk(&bot).await.triaged.unknown.is_empty());
}

#[tokio::test]
async fn what_the_tracker_refuses_is_no_ticket_and_the_finding_needs_somebody_again() {
    let (_company, bot, github) = filing("reopen").await;
    github.now().has_issues = false;
    let said = decide(&bot, "anna", &format!("ticket {KEY}")).await;
    assert!(
        !said.accepted && text(&said).contains("no ticket: "),
        "{}",
        text(&said)
    );
    let round = walk(&bot).await;
    assert_eq!(round.triaged.verdict(), Verdict::NeedsYou);
    github.now().has_issues = true;
    let said = decide(&bot, "anna", &format!("ticket {KEY}")).await;
    assert!(said.accepted, "{}", text(&said));
    assert_eq!(github.now().issues.len(), 1);
}

#[tokio::test]
async fn what_can_not_be_opened_again_stays_closed_is_told_once_and_can_be_asked_for_again() {
    let (company, bot, github) = filing("reopen").await;
    decide(&bot, "anna", &format!("ticket {KEY}")).await;
    github.now().issues[0].open = false;
    company.later(TimeDelta::hours(1));
    walk(&bot).await;
    let closed = tickets(&bot).await.remove(0);
    github.now().has_issues = false;
    it_comes_back(&company, &bot).await;
    let refused = tickets(&bot).await.remove(0);
    assert_eq!(
        (
            refused.state,
            refused.closed_at,
            refused.wanted_at,
            refused.remote
        ),
        (
            TicketStatus::Closed,
            closed.closed_at,
            closed.wanted_at,
            closed.remote
        )
    );
    let told = |log: &str| {
        log.matches("it stays closed, and can be asked for again")
            .count()
    };
    let log = company.log_file();
    assert!(told(&log) > 0 && log.contains("switch issues on"), "{log}");
    company.later(A_DAY);
    let round = walk(&bot).await;
    assert_eq!(round.triaged.verdict(), Verdict::NeedsYou);
    assert_eq!(
        told(&company.log_file()),
        told(&log),
        "nobody has mended it"
    );

    github.now().has_issues = true;
    let said = decide(&bot, "anna", &format!("ticket {KEY}")).await;
    assert!(said.accepted, "{}", text(&said));
    let open: Vec<bool> = github.now().issues.iter().map(|it| it.open).collect();
    assert_eq!(open, [true]);
    let all = tickets(&bot).await;
    assert_eq!((all.len(), all[0].state), (1, TicketStatus::Open));
}

#[tokio::test]
async fn a_ticket_that_is_still_wanted_when_the_tracker_changes_goes_to_no_other_one() {
    let (mut company, bot, github) = filing("reopen").await;
    github.now().limit = Some(Limit::Secondary(Some(60)));
    decide(&bot, "anna", &format!("ticket {KEY}")).await;
    assert_eq!(tickets(&bot).await[0].state, TicketStatus::Wanted);
    company.more.clear();
    bot.store.close().await;
    drop(bot);
    let bot = company.bot().await;
    company.later(TimeDelta::hours(1));
    let round = walk(&bot).await;
    assert_eq!(round.triaged.verdict(), Verdict::NeedsYou);
    let refused = tickets(&bot).await.remove(0);
    assert_eq!(refused.state, TicketStatus::Failed);
    let log = company.log_file();
    // It was asked for when GitHub turned everything away.
    let said = "GitHub isn't configured any more: nothing was sent there";
    assert!(log.contains(said), "{said}: {log}");
    assert!(
        log.contains("ask for the ticket again to have one here"),
        "{log}"
    );

    let said = decide(&bot, "anna", &format!("ticket {KEY}")).await;
    assert!(
        said.accepted && text(&said).contains("it is `T-1`"),
        "{}",
        text(&said)
    );
    let kept = tickets(&bot).await.remove(0);
    assert_eq!(
        (kept.tracker.as_str(), kept.state),
        (LOCAL, TicketStatus::Open)
    );
}

#[tokio::test]
async fn what_could_not_be_had_for_hours_is_given_up_and_found_when_it_is_asked_for_again() {
    let (company, bot, github) = filing("reopen").await;
    github.now().write = false;
    decide(&bot, "anna", &format!("ticket {KEY}")).await;
    for _ in 0..6 {
        company.later(TimeDelta::hours(6));
        walk(&bot).await;
    }
    assert_eq!(tickets(&bot).await[0].state, TicketStatus::Failed);
    let log = company.log_file();
    assert!(
        log.contains("given up after 7 tries") && log.contains("Issues: read and write"),
        "{log}"
    );
    // It was opened all the same, long before it is asked for again, and without a label.
    let marker = tickets(&bot).await[0].marker.comment();
    {
        let mut world = github.now();
        world.write = true;
        world.opened(TimeDelta::zero(), &marker);
    }
    let said = decide(&bot, "anna", &format!("ticket {KEY}")).await;
    assert!(said.accepted, "{}", text(&said));
    let all = tickets(&bot).await;
    assert_eq!((all.len(), all[0].state), (1, TicketStatus::Open));
    assert_eq!(github.now().issues.len(), 1);
}
