//! What people decide, and what Sentry hears of it.

use chrono::TimeDelta;
use daily_ops::effects;

use crate::world::{
    company::{A_DAY, Company, decide, text, verdict, walk},
    sentry::{Issue, broken_cart},
};

#[tokio::test]
async fn an_acknowledged_issue_stays_quiet_tomorrow_and_the_log_says_who() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    let said = decide(&bot, "anna", "acknowledge errors:4501 --reason known").await;
    assert!(
        said.accepted
            && text(&said).starts_with("acknowledged · errors:4501 TypeError: cart is undefined"),
        "{}",
        text(&said)
    );
    company.later(A_DAY);
    assert_eq!(verdict(&walk(&bot).await), "1 in hand, 2 ok");
    assert!(
        company.log_file().contains(
            "acknowledged · errors:4501 `TypeError: cart is undefined` · `known` · by anna"
        ),
        "{}",
        company.log_file()
    );
}

#[tokio::test]
async fn the_second_person_hears_who_was_first() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    decide(&bot, "anna", "acknowledge errors:4501").await;
    let second = decide(&bot, "ben", "acknowledge errors:4501").await;
    assert!(
        !second.accepted && text(&second).starts_with("already acknowledged by anna"),
        "{}",
        text(&second)
    );
}

#[tokio::test]
async fn of_thirty_people_who_note_something_at_once_nobody_is_sent_away() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    let names: Vec<String> = (0..30).map(|number| format!("anna{number}")).collect();
    let notes = names
        .iter()
        .map(|name| decide(&bot, name, "note errors:4501 seen"));
    for said in futures_util::future::join_all(notes).await {
        assert!(said.accepted, "{}", text(&said));
    }
    let key = "errors:4501".parse().expect("it is a key");
    let history = bot.store.history(&key).await.expect("it can be read");
    assert_eq!(history.len(), 30);
}

#[tokio::test]
async fn resolve_reaches_sentry_with_a_note_and_the_issue_is_gone_tomorrow() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    let said = decide(&bot, "anna", "resolve errors:4501 --reason deployed").await;
    assert!(said.accepted, "{}", text(&said));
    assert_eq!(company.sentry.world().issue(4501).status, "resolved");
    assert!(company.sentry.world().notes[0].1.contains("anna"));
    company.later(A_DAY);
    let next = walk(&bot).await;
    assert_eq!(
        (verdict(&next).as_str(), next.triaged.gone.len()),
        ("3 ok", 1)
    );
}

#[tokio::test]
async fn what_was_resolved_in_sentry_meanwhile_is_left_alone() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    company.sentry.world().issue(4501).status = "resolved";
    let said = decide(&bot, "anna", "assign errors:4501 john@example.com").await;
    assert!(
        !said.accepted && text(&said).contains("nothing was changed"),
        "{}",
        text(&said)
    );
    assert_eq!(company.sentry.world().issue(4501).assignee, None);
    let shown = text(&decide(&bot, "anna", "show errors:4501").await);
    assert!(
        shown.contains("undone: assigned") || shown.contains("decision 1 undone"),
        "{shown}"
    );
}

#[tokio::test]
async fn undo_puts_back_what_sentry_held_before() {
    let owned = Issue {
        assignee: Some("team:8".to_owned()),
        ..broken_cart()
    };
    let company = Company::with([owned]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    decide(&bot, "anna", "assign errors:4501 anna@example.com").await;
    assert_eq!(
        company.sentry.world().issue(4501).assignee.as_deref(),
        Some("user:2")
    );
    let said = decide(&bot, "anna", "undo errors:4501").await;
    assert_eq!(
        company.sentry.world().issue(4501).assignee.as_deref(),
        Some("team:8"),
        "{}",
        text(&said)
    );
}

#[tokio::test]
async fn what_sentry_did_not_hear_is_kept_and_tried_again_with_the_next_round() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    company.sentry.world().maintenance = true;
    let said = decide(&bot, "anna", "resolve errors:4501").await;
    assert!(
        said.accepted && !said.settled && text(&said).contains("put off, nothing was sent"),
        "{}",
        text(&said)
    );

    company.later(TimeDelta::minutes(10));
    company.sentry.world().maintenance = false;
    walk(&bot).await;
    assert_eq!(company.sentry.world().issue(4501).status, "resolved");
    assert!(
        company.log_file().contains("resolve done"),
        "{}",
        company.log_file()
    );
}

#[tokio::test]
async fn an_undo_follows_what_it_undoes_even_if_sentry_was_away_for_both() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    company.sentry.world().maintenance = true;
    decide(&bot, "anna", "resolve errors:4501").await;
    decide(&bot, "anna", "undo errors:4501").await;
    company.sentry.world().maintenance = false;
    company.later(TimeDelta::hours(1));
    walk(&bot).await;
    assert_eq!(company.sentry.world().issue(4501).status, "unresolved");
    assert!(
        bot.store
            .open_effects()
            .await
            .expect("they can be read")
            .is_empty()
    );
}

#[tokio::test]
async fn what_sentry_never_hears_needs_a_human_in_the_end() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    company.sentry.world().maintenance = true;
    decide(&bot, "anna", "resolve errors:4501").await;
    for _ in 0..6 {
        company.later(TimeDelta::hours(6));
        walk(&bot).await;
    }
    let round = walk(&bot).await;
    let stuck = &round.triaged.needs_you[0].finding;
    assert_eq!(
        (stuck.key.to_string().as_str(), stuck.title.as_str()),
        (
            "ops-log:undelivered",
            "1 decision has not reached the other side: a human has to look"
        )
    );
    assert!(
        company.log_file().contains("resolve needs a human"),
        "{}",
        company.log_file()
    );
}

#[tokio::test]
async fn a_decision_that_was_taken_back_before_it_was_sent_never_is() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    company.sentry.world().maintenance = true;
    decide(&bot, "anna", "resolve errors:4501").await;
    decide(&bot, "anna", "undo errors:4501").await;
    company.sentry.world().maintenance = false;
    company.later(TimeDelta::hours(1));
    walk(&bot).await;
    let asked = company.sentry.world().asked.clone();
    assert!(
        !asked.iter().any(|request| request.starts_with("PUT")),
        "{asked:?}"
    );
    assert!(
        bot.store
            .open_effects()
            .await
            .expect("they can be read")
            .is_empty()
    );
}

#[tokio::test]
async fn what_the_other_side_refuses_is_taken_back_and_said() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    let said = decide(&bot, "anna", "assign errors:4501 nobody@example.com").await;
    assert!(
        !said.accepted && text(&said).contains("taken back"),
        "{}",
        text(&said)
    );
    company.later(A_DAY);
    assert_eq!(verdict(&walk(&bot).await), "1 needs you, 2 ok");
}

#[tokio::test]
async fn a_refusal_that_comes_late_is_said_by_the_round_that_hears_it() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    company.sentry.world().maintenance = true;
    decide(&bot, "anna", "assign errors:4501 nobody@example.com").await;
    company.sentry.world().maintenance = false;
    company.later(TimeDelta::hours(1));
    let round = walk(&bot).await;
    let keys: Vec<String> = round
        .triaged
        .needs_you
        .iter()
        .map(|row| row.finding.key.to_string())
        .collect();
    assert_eq!(keys, ["errors:4501", "ops-log:refused"]);
}

#[tokio::test]
async fn somebody_without_an_address_is_known_here_alone() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    assert!(
        decide(&bot, "anna", "assign errors:4501 ben")
            .await
            .accepted
    );
    assert_eq!(verdict(&walk(&bot).await), "1 in hand, 2 ok");
    assert_eq!(company.sentry.world().issue(4501).assignee, None);
}

#[tokio::test]
async fn sentry_is_left_alone_as_long_as_it_asks_to_be() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    company.sentry.world().maintenance = true;
    company.sentry.world().asks_to_wait = Some(3600);
    for words in ["resolve errors:4501", "undo errors:4501"] {
        decide(&bot, "anna", words).await;
    }
    decide(&bot, "anna", "assign errors:4501 #web").await;
    company.sentry.world().maintenance = false;

    company.later(TimeDelta::minutes(59));
    company.sentry.world().asked.clear();
    let next = effects::deliver_next(&bot.store, bot.sides(), &bot.clock);
    assert!(next.await.expect("the store answers").is_none());
    assert_eq!(company.sentry.world().asked, [""; 0]);

    company.later(TimeDelta::minutes(1));
    let next = effects::deliver_next(&bot.store, bot.sides(), &bot.clock);
    assert!(next.await.expect("the store answers").is_some());
}
