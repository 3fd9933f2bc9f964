//! Mornings in the life of a company.

use chrono::TimeDelta;

use crate::world::{
    company::{Company, decide, stdout, text, verdict, walk},
    endpoints::{Answer, Service},
    sentry::{Issue, issue},
};

const A_DAY: TimeDelta = TimeDelta::days(1);

/// An error that needs somebody.
fn broken_cart() -> Issue {
    Issue {
        users: 212,
        ..issue(4501, "TypeError: cart is undefined")
    }
}

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
    assert_eq!(verdict(&walk(&bot).await), "3 ok");
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
        said.accepted && text(&said).contains("not reached"),
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
async fn a_line_of_the_file_that_was_changed_by_hand_is_a_finding() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    walk(&bot).await;
    let forged = company.log_file().replacen("1 needs you", "0 need you", 1);
    std::fs::write(&bot.log_path, forged).expect("it can be written");
    let round = walk(&bot).await;
    let found: Vec<&str> = round
        .triaged
        .rows()
        .map(|row| row.finding.key.subject())
        .collect();
    assert!(found.contains(&"file"), "{found:?}");
}

#[tokio::test]
async fn a_file_that_is_only_behind_catches_up_without_a_word() {
    let company = Company::with([]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    let behind = company.log_file();
    walk(&bot).await;
    std::fs::write(&bot.log_path, behind).expect("it can be written");
    assert_eq!(verdict(&walk(&bot).await), "3 ok");
    assert_eq!(
        company
            .log_file()
            .lines()
            .filter(|line| line.starts_with("- "))
            .count(),
        3
    );
}

#[tokio::test]
async fn a_service_that_is_down_stands_until_it_is_up() {
    let mut company = Company::with([]).await;
    let down = Service::start([
        Answer::status(503),
        Answer::status(503),
        Answer::status(503),
        Answer::status(503),
        Answer::status(200),
    ])
    .await;
    company.services.push(("web", down));
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
    assert_eq!(verdict(&walk(&bot).await), "3 ok");
    assert_eq!(company.sentry.world().issue(4501).assignee, None);
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

/// Changes the database behind the program's back.
async fn intrude(company: &Company, statements: &[&'static str]) {
    use sqlx::Connection;
    let url = format!("sqlite:{}/ops.db", company.folder.path().display());
    let mut connection = sqlx::SqliteConnection::connect(&url)
        .await
        .expect("the file is there");
    for statement in statements {
        sqlx::query(*statement)
            .execute(&mut connection)
            .await
            .expect("the intruder may do anything");
    }
    connection.close().await.expect("it closes");
}

#[tokio::test]
async fn a_broken_chain_is_never_ok_whatever_anybody_acknowledges() {
    let company = Company::with([]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    walk(&bot).await;
    let triggers = [
        "DROP TRIGGER IF EXISTS ops_log_bodies_erase_only",
        "PRAGMA writable_schema = ON",
        "DELETE FROM sqlite_master WHERE type = 'trigger'",
        "PRAGMA writable_schema = OFF",
    ];
    intrude(&company, &triggers).await;
    intrude(
        &company,
        &["UPDATE ops_log_bodies SET body = replace(body, '3 ok', '9 ok') WHERE seq = 1"],
    )
    .await;
    let found = walk(&bot).await;
    assert_eq!(
        found.triaged.needs_you[0].finding.key.to_string(),
        "ops-log:chain-1"
    );
    decide(&bot, "eve", "acknowledge ops-log:chain-1").await;
    let acknowledged = walk(&bot).await;
    assert!(
        acknowledged.triaged.verdict() != daily_ops::triage::Verdict::Ok,
        "{}",
        verdict(&acknowledged)
    );
    assert!(acknowledged.triaged.ok().all(|check| check != "ops-log"));
}

#[tokio::test]
async fn a_log_that_was_emptied_is_noticed() {
    let company = Company::with([]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    intrude(
        &company,
        &[
            "PRAGMA writable_schema = ON",
            "DELETE FROM sqlite_master WHERE type = 'trigger'",
            "PRAGMA writable_schema = OFF",
        ],
    )
    .await;
    let zeros = "UPDATE chain_head SET seq = 0, hash = '0000000000000000000000000000000000000000000000000000000000000000'";
    intrude(
        &company,
        &["DELETE FROM ops_log_bodies", "DELETE FROM ops_log", zeros],
    )
    .await;
    let round = walk(&bot).await;
    assert_eq!(
        round.triaged.needs_you[0].finding.severity,
        daily_ops::report::Severity::Critical
    );
}

#[tokio::test]
async fn a_decision_that_nobody_logged_is_noticed() {
    let company = Company::with([broken_cart()]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    decide(&bot, "anna", "acknowledge errors:4501").await;
    intrude(
        &company,
        &["INSERT INTO decisions SELECT 'errors:2', version, at, by_id, decision FROM decisions"],
    )
    .await;
    let round = walk(&bot).await;
    assert!(
        round
            .triaged
            .needs_you
            .iter()
            .any(|row| row.finding.key.to_string() == "ops-log:decisions"),
        "{:?}",
        round.triaged.needs_you
    );
}

#[tokio::test]
async fn a_head_that_is_gone_or_an_entry_before_the_first_is_named_by_verify() {
    let company = Company::with([]).await;
    company.says("daily").await;
    let untrigger = [
        "PRAGMA writable_schema = ON",
        "DELETE FROM sqlite_master WHERE type = 'trigger'",
        "PRAGMA writable_schema = OFF",
    ];
    intrude(&company, &untrigger).await;
    let copy = "INSERT INTO ops_log SELECT 0, at, kind, subject, body_hash, prev_hash, hash FROM ops_log WHERE seq = 1";
    intrude(&company, &[copy]).await;
    let output = company.says("log verify").await;
    assert!(
        output.status.code() == Some(1) && stdout(&output).contains("entry #0"),
        "{}",
        stdout(&output)
    );
    let refused = company.says("log rebuild").await;
    assert!(
        refused.status.code() == Some(1) && stdout(&refused).contains("nothing was changed"),
        "{}",
        stdout(&refused)
    );
    intrude(&company, &["DELETE FROM chain_head"]).await;
    let output = company.says("log verify").await;
    assert!(
        output.status.code() == Some(1) && stdout(&output).contains("the head of the log is gone"),
        "{}",
        stdout(&output)
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
