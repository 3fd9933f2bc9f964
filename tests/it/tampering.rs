//! A log that somebody changes behind the program's back.

use crate::world::{
    company::{Company, decide, stdout, verdict, walk},
    sentry::broken_cart,
};

/// What an intruder does first: the database refuses no change any more.
const WITHOUT_GUARDS: [&str; 3] = [
    "PRAGMA writable_schema = ON",
    "DELETE FROM sqlite_master WHERE type = 'trigger'",
    "PRAGMA writable_schema = OFF",
];

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
async fn a_broken_chain_is_never_ok_whatever_anybody_acknowledges() {
    let company = Company::with([]).await;
    let bot = company.bot().await;
    walk(&bot).await;
    walk(&bot).await;
    company.intrude(&WITHOUT_GUARDS).await;
    company
        .intrude(&["UPDATE ops_log_bodies SET body = replace(body, '3 ok', '9 ok') WHERE seq = 1"])
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
    company.intrude(&WITHOUT_GUARDS).await;
    let zeros = "UPDATE chain_head SET seq = 0, hash = '0000000000000000000000000000000000000000000000000000000000000000'";
    company
        .intrude(&["DELETE FROM ops_log_bodies", "DELETE FROM ops_log", zeros])
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
    company
        .intrude(&[
            "INSERT INTO decisions SELECT 'errors:2', version, at, by_id, decision FROM decisions",
        ])
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
async fn a_decision_that_was_changed_is_noticed_and_an_erased_one_is_not_taken_for_it() {
    let company = Company::with([broken_cart()]).await;
    company.says("daily").await;
    company
        .says("triage acknowledge errors:4501 --by ben")
        .await;
    assert_eq!(company.says("daily").await.status.code(), Some(0));
    company
        .says("log erase --person terminal:ben --reason left")
        .await;
    assert_eq!(company.says("daily").await.status.code(), Some(0));

    company.says("triage note errors:4501 look --by anna").await;
    company
        .intrude(&[
            "UPDATE decisions SET decision = replace(decision, 'look', 'fine') WHERE version = 2",
        ])
        .await;
    let output = company.says("daily").await;
    assert!(
        stdout(&output).contains("the decisions about errors:4501 were changed"),
        "{}",
        stdout(&output)
    );
}

#[tokio::test]
async fn a_head_that_is_gone_or_an_entry_before_the_first_is_named_by_verify() {
    let company = Company::with([]).await;
    company.says("daily").await;
    company.intrude(&WITHOUT_GUARDS).await;
    let copy = "INSERT INTO ops_log SELECT 0, at, kind, subject, body_hash, prev_hash, hash FROM ops_log WHERE seq = 1";
    company.intrude(&[copy]).await;
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
    company.intrude(&["DELETE FROM chain_head"]).await;
    let output = company.says("log verify").await;
    assert!(
        output.status.code() == Some(1) && stdout(&output).contains("the head of the log is gone"),
        "{}",
        stdout(&output)
    );
}

#[tokio::test]
async fn a_damaged_row_stops_no_round_and_lets_none_be_ok() {
    for damage in [
        "UPDATE memory SET known = '{'",
        "UPDATE decisions SET decision = '{'",
    ] {
        let company = Company::with([broken_cart()]).await;
        company.says("daily").await;
        company.says("triage acknowledge errors:4501").await;
        assert_eq!(company.says("daily").await.status.code(), Some(0));
        company.intrude(&[damage]).await;
        let output = company.says("daily").await;
        let text = stdout(&output);
        assert!(
            text.starts_with("1 needs you, 3 unknown")
                && text.matches("restore the database").count() == 1,
            "{damage}: {text}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_left_for_the_backup_however_many_rounds_come_by() {
    let company = Company::with([broken_cart()]).await;
    company.says("daily").await;
    company.says("triage acknowledge errors:4501").await;
    company
        .intrude(&[
            "CREATE TABLE backup AS SELECT * FROM memory",
            "UPDATE memory SET known = '{'",
        ])
        .await;
    for _ in 0..2 {
        let output = company.says("daily").await;
        let text = stdout(&output);
        assert!(
            text.contains("what earlier rounds left open could not be read"),
            "{text}"
        );
    }
    company
        .intrude(&[
            "DELETE FROM memory",
            "INSERT INTO memory SELECT * FROM backup",
        ])
        .await;
    let output = company.says("daily").await;
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}
