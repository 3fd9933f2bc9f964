//! Mornings in the life of a company.

use daily_ops::sandbox::world::health::State;

use crate::world::{
    company::{A_DAY, Company, verdict, walk},
    sentry::{Issue, broken_cart, issue},
};

#[tokio::test]
async fn the_first_round_says_what_needs_you_and_the_next_one_what_has_changed() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    let first = walk(&bot).await;
    assert_eq!(verdict(&first), "1 needs you, 2 ok");
    assert_eq!(
        first.triaged.needs_you[0].finding.rule.as_str(),
        "212 users in 24 h, limit 100"
    );

    company.later(A_DAY);
    company.sentry.world().issues.clear();
    let second = walk(&bot).await;
    assert_eq!(
        (verdict(&second).as_str(), second.triaged.gone.len()),
        ("3 ok", 1)
    );
}

#[tokio::test]
async fn a_scope_that_was_taken_away_is_unknown_and_what_stood_open_is_not_called_gone() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    company.later(A_DAY);
    company.sentry.world().scopes.remove("event:read");
    let dark = walk(&bot).await;
    assert_eq!(
        (
            verdict(&dark).as_str(),
            dark.triaged.gone.len(),
            dark.triaged.unknown[0].unseen.len()
        ),
        ("1 unknown, 2 ok", 0, 1)
    );
}

#[tokio::test]
async fn a_day_without_a_round_is_noticed_by_the_next_one_alone() {
    let company = Company::with([]).await;
    let mut bot = company.bot().await;
    bot.schedule.days = (0..7)
        .map(|day| chrono::Weekday::try_from(day).expect("a week has seven"))
        .collect();
    walk(&bot).await;
    company.later(A_DAY * 3);
    let late = walk(&bot).await;
    assert!(
        late.triaged.needs_you[0]
            .finding
            .title
            .as_str()
            .starts_with("no round on"),
        "{:?}",
        late.triaged.needs_you
    );
    assert_eq!(
        late.triaged.needs_you[0].finding.rule.as_str(),
        "2 days without a round, limit 0"
    );
    company.later(A_DAY);
    assert_eq!(verdict(&walk(&bot).await), "3 ok");
}

#[tokio::test]
async fn a_service_that_is_down_stands_until_it_is_up() {
    let mut company = Company::with([]).await;
    let web = company.opens("web").await;
    web.set(State::Down).expect("it can be broken");
    let bot = company.bot().await;
    let first = walk(&bot).await;
    assert_eq!(
        first.triaged.needs_you[0].finding.key.to_string(),
        "health:production/web"
    );
    let second = walk(&bot).await;
    assert_eq!(
        second.triaged.needs_you[0].since,
        first.triaged.needs_you[0].since
    );
    company.services[1]
        .set(State::Well)
        .expect("it can be mended");
    assert_eq!(verdict(&walk(&bot).await), "3 ok");
}

#[tokio::test]
async fn five_thousand_hostile_issues_make_one_readable_report() {
    let hostile = [
        "\u{1b}[2J\u{202e}evil",
        "](http://evil) `x` | y\n- forged",
        "<!channel> @everyone",
        "' OR 1=1 --",
        "\u{0}\u{feff}",
    ];
    let issues = (0..5_000).map(|id| {
        issue(
            10_000 + id,
            &format!("{} {id}", hostile[id as usize % hostile.len()]),
        )
    });
    let company = Company::with(issues).await;
    let bot = company.bot().await;
    let round = walk(&bot).await;
    assert_eq!(round.triaged.unknown, []);
    assert_eq!(verdict(&round), "5,000 need you, 2 ok");
    let again = walk(&bot).await;
    assert!(
        again
            .triaged
            .needs_you
            .iter()
            .all(|row| row.since == round.triaged.report.started_at)
    );
    assert_eq!(
        company
            .log_file()
            .lines()
            .filter(|line| line.starts_with("- "))
            .count(),
        2
    );
}

#[tokio::test]
async fn a_check_in_between_hides_neither_a_missed_day_nor_what_has_changed() {
    let company = Company::with([broken_cart()]).await;
    let mut bot = company.bot().await;
    bot.schedule.days = (0..7)
        .map(|day| chrono::Weekday::try_from(day).expect("a week has seven"))
        .collect();
    let first = walk(&bot).await;
    company.later(A_DAY * 2);
    let only = ["health".to_owned()];
    bot.round(
        Some(&only),
        &bot.checklist.progress(Some(&only)),
        &daily_ops::triage::Person::at_terminal("ben"),
        None,
        |_| {},
    )
    .await
    .expect("it is recorded");
    let next = walk(&bot).await;
    assert!(
        next.triaged
            .rows()
            .any(|row| row.finding.key.subject().starts_with("missed-"))
    );
    assert_eq!(
        next.triaged.previous.map(|previous| previous.run),
        Some(first.triaged.report.run)
    );
}

#[tokio::test]
async fn an_issue_of_a_level_that_nobody_has_heard_of_is_not_harmless() {
    let mut strange = issue(7, "what is this");
    strange.level = "catastrophic";
    let company = Company::with([strange]).await;
    let bot = company.bot().await;
    let round = walk(&bot).await;
    assert_eq!(
        round.triaged.needs_you[0].finding.rule.as_str(),
        "level catastrophic, 3 events in 24 h"
    );
}

#[tokio::test]
async fn without_a_history_nobody_knows_whether_an_issue_spikes() {
    let company = Company::with([Issue {
        level: "warning",
        ..issue(7, "slow query")
    }])
    .await;
    company.sentry.world().keeps_no_history = true;
    let bot = company.bot().await;
    let round = walk(&bot).await;
    assert_eq!(verdict(&round), "1 unknown, 2 ok");
    assert!(
        round.triaged.unknown[0].reasons[0]
            .reason
            .as_str()
            .contains("no history for 1 issue")
    );
}
