//! The round in Slack, from the word that is typed to the message that everybody sees.

use std::time::Duration;

use chrono::TimeDelta;
use daily_ops::ops_log::Kind;
use serde_json::json;

use crate::world::{
    company::Company,
    office::Office,
    sentry::broken_cart,
    slack::{
        socket_server::SocketMode,
        web_api::{ANNA, BEN, Fault, GENERAL, GUEST, OPS, STRANGER},
    },
};

const PATIENCE: Duration = Duration::from_secs(20);

async fn office() -> Office {
    Office::open(Company::with([broken_cart()]).await).await
}

#[tokio::test]
async fn a_round_that_is_asked_for_shows_itself_and_is_decided_about() {
    let mut office = office().await;
    assert_eq!(office.types(ANNA, "daily").await.status, 200);
    office.until_said("1 needs you").await;
    let channel = office.channel(OPS);
    assert!(channel.contains("<@U0ANNA>"), "{channel}");
    assert!(channel.contains("[Acknowledge]"), "{channel}");

    office.click(ANNA, "acknowledge").await;
    office.until_said("Acknowledged by <@U0ANNA>").await;
    assert!(!office.channel(OPS).contains("[Acknowledge]"));

    office.click(BEN, "undo").await;
    office.until_said("[Acknowledge]").await;
    office.end().await;
    let log = office.company.log_file();
    assert!(
        log.contains("acknowledged") && log.contains("undone"),
        "{log}"
    );
}

#[tokio::test]
async fn resolving_reaches_sentry_and_the_message_says_so() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    office.click(ANNA, "resolve").await;
    office.until_said("resolved in Sentry").await;
    let status = office.company.sentry.world().issues[0].status.to_owned();
    assert_eq!(status, "resolved");
    office.end().await;
}

#[tokio::test]
async fn a_click_that_comes_again_changes_nothing_and_the_second_person_hears_who_was_first() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    let click = office.clicks(ANNA, "acknowledge");
    let bens = office.clicks(BEN, "acknowledge");
    for number in 1..4 {
        let again = office.hand().retry(number).interact(&click).await;
        assert_eq!(again.status, 200);
    }
    office.until_said("Acknowledged by <@U0ANNA>").await;
    assert_eq!(office.hand().interact(&bens).await.status, 200);
    office.until_told("lready acknowledged by <@U0ANNA>").await;
    office.end().await;
    let log = office.company.log_file();
    assert_eq!(log.matches("acknowledged").count(), 1, "{log}");
}

#[tokio::test]
async fn a_note_is_written_in_a_window() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    office.click(BEN, "open.note").await;
    office
        .until("the form is there", async || {
            office
                .slack
                .world()
                .views
                .last()
                .is_some_and(|view| view.versions.len() == 2)
        })
        .await;
    let answer = json!({ "type": "plain_text_input", "value": "waits for *the* <vendor>" });
    assert_eq!(office.fills_in(BEN, "open.note", answer).await.body, "");
    office
        .until("it is in the log", async || {
            office.company.log_file().contains("noted")
        })
        .await;
    office.until_said("Note by <@U0BEN>: waits for").await;
    office.click(ANNA, "open.details").await;
    office
        .until("the details show the note", async || {
            office.view().contains("waits for *the* <vendor>")
        })
        .await;
    assert!(office.view().contains("<@U0BEN>"), "{}", office.view());
    office.end().await;
}

#[tokio::test]
async fn a_guest_is_refused_in_private_and_the_log_keeps_it() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    office.click(GUEST, "acknowledge").await;
    office.until_told("uests may not do that").await;
    office.end().await;
    assert!(office.company.log_file().contains("not allowed"));
    let bot = office.company.bot().await;
    let entries = bot
        .store
        .entries(&daily_ops::store::Filter::newest(1))
        .await
        .unwrap();
    assert_eq!(entries[0].kind, Kind::Denied);
    assert!(bot.store.open_effects().await.unwrap().is_empty());
    bot.store.close().await;
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_found_and_not_repeated() {
    let mut office = office().await;
    office
        .slack
        .world()
        .spoil("chat.postMessage", Fault::ResetAfter, 1);
    office.types(ANNA, "daily").await;
    office
        .until("it was posted", async || {
            !office.slack.world().messages(OPS).is_empty()
        })
        .await;
    office
        .until("it is found, and edited", async || {
            office.later(TimeDelta::seconds(1));
            office.channel(OPS).contains("1 needs you")
        })
        .await;
    assert_eq!(office.slack.world().messages(OPS).len(), 1);
    assert_eq!(office.slack.world().called("chat.postMessage"), 1);
    office.end().await;
}

#[tokio::test]
async fn a_post_that_slack_carries_out_late_leaves_one_message() {
    let mut office = office().await;
    office
        .slack
        .world()
        .spoil("chat.postMessage", Fault::Late, 1);
    office.types(ANNA, "daily").await;
    office
        .until("it was tried", async || {
            office.slack.world().called("chat.postMessage") == 1
        })
        .await;
    // Nobody finds it, so it is posted again; and then the first one comes about.
    office
        .until("it was given up", async || {
            office.later(TimeDelta::seconds(1));
            office.slack.world().called("chat.postMessage") == 2
        })
        .await;
    office.until_said("1 needs you").await;
    office.slack.release().await;
    office
        .until("the copy is gone", async || {
            office.later(TimeDelta::seconds(1));
            office.slack.world().called("chat.delete") > 0
                && office.slack.world().messages(OPS).len() == 1
        })
        .await;
    office.until_said("1 needs you").await;
    office.end().await;
}

#[tokio::test]
async fn blocks_that_are_refused_become_text_and_the_log_knows() {
    let mut office = office().await;
    office.slack.world().refuses_blocks = true;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    office.end().await;
    assert!(
        office.company.log_file().contains("text alone"),
        "{}",
        office.company.log_file()
    );
}

#[tokio::test]
async fn a_channel_without_the_bot_asks_for_an_invitation_and_then_has_its_message() {
    let mut office = office().await;
    office.slack.world().channels.get_mut(OPS).unwrap().has_bot = false;
    office.types(ANNA, "daily").await;
    office.until_told("/invite").await;
    office.slack.world().channels.get_mut(OPS).unwrap().has_bot = true;
    office
        .until("it is posted", async || {
            office.later(TimeDelta::seconds(1));
            office.channel(OPS).contains("1 needs you")
        })
        .await;
    office.end().await;
}

#[tokio::test]
async fn a_newer_round_takes_the_buttons_off_the_older_one_and_a_late_click_is_still_right() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    let late = office.clicks(BEN, "acknowledge");
    office.later(TimeDelta::minutes(10));
    office.types(BEN, "daily").await;
    office
        .until("the older one has no buttons", async || {
            let channel = office.channel(OPS);
            channel.matches("[Acknowledge]").count() == 1 && channel.contains("newer round")
        })
        .await;
    assert_eq!(office.hand().interact(&late).await.status, 200);
    office.until_said("Acknowledged by <@U0BEN>").await;
    office.end().await;
}

#[tokio::test]
async fn an_unknown_word_gets_the_nearest_right_one() {
    let mut office = office().await;
    office.types(ANNA, "dayly").await;
    office.until_told("did you mean daily").await;
    office.types(ANNA, "help").await;
    office.until_told("/ops daily").await;
    office.end().await;
}

#[tokio::test]
async fn the_summary_comes_by_itself_once_a_day_also_over_a_restart_and_an_outage_of_slack() {
    let mut office = Office::closed(Company::with([broken_cart()]).await).await;
    office.more = "[schedule]\ndaily = \"09:00\"\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n".to_owned();
    let now = office.company.now();
    let nine = now.date_naive().and_hms_opt(9, 0, 0).unwrap().and_utc() + TimeDelta::days(1);
    office.later(nine - now - TimeDelta::minutes(1));
    office.begin().await;
    let before = office.slack.world().messages(OPS).len();
    office
        .slack
        .world()
        .spoil("chat.postMessage", Fault::ResetBefore, 3);
    office.later(TimeDelta::minutes(2));
    office.end().await;
    office.begin().await;
    office
        .until("it is posted", async || {
            office.later(TimeDelta::seconds(1));
            office.slack.world().messages(OPS).len() > before
                && office.channel(OPS).contains("1 needs you")
        })
        .await;
    office.end().await;
    office.begin().await;
    office.end().await;
    assert_eq!(office.slack.world().messages(OPS).len(), before + 1);
    assert!(
        office.channel(OPS).contains("log #"),
        "{}",
        office.channel(OPS)
    );
}

#[tokio::test]
async fn whoever_watches_is_told_how_it_is() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    let metrics = office.ask("/metrics").await.unwrap();
    assert_eq!(metrics.status, 200);
    for name in [
        "daily_ops_ack_seconds",
        "daily_ops_run_seconds",
        "daily_ops_check_outcomes_total",
        "daily_ops_inbox_depth",
    ] {
        assert!(
            metrics.body.contains(name),
            "{name} is not in\n{}",
            metrics.body
        );
    }
    assert_eq!(office.ask("/healthz").await.unwrap().status, 200);
    assert_eq!(office.ask("/").await.unwrap().status, 404);
    office.end().await;
}

#[tokio::test]
async fn over_socket_mode_it_is_the_same_bot_and_ready_only_once_slack_said_hello() {
    let mut lines = SocketMode::start().await;
    lines.greet(false);
    let mut office = Office::closed(Company::with([broken_cart()]).await).await;
    office.transport = "socket";
    office.slack.world().socket = Some(lines.url());
    office.start().await;
    office
        .until("it says what it waits for", async || {
            let answer = office.ask("/readyz").await;
            answer.is_some_and(|answer| answer.status == 503 && answer.body.contains("socket"))
        })
        .await;
    let first = lines.line_within(PATIENCE).await.expect("it connects");
    first.send(&json!({ "type": "hello", "num_connections": 1 }).to_string());
    office.until_ready().await;

    let mut line = first;
    let command = office.command(ANNA, "daily");
    line.deliver("slash_commands", "e-1", &command, 0);
    assert_eq!(
        line.said().await.expect("it is acked")["envelope_id"],
        "e-1"
    );
    office.until_said("1 needs you").await;
    let click = office.clicks(BEN, "acknowledge");
    line.deliver("interactive", "e-2", &click, 0);
    line.deliver("interactive", "e-3", &click, 1);
    office.until_said("Acknowledged by <@U0BEN>").await;
    office.end().await;
    assert_eq!(office.company.log_file().matches("acknowledged").count(), 1);
}

#[tokio::test]
async fn a_person_of_another_workspace_is_refused_and_so_is_a_copied_button() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    office.click(STRANGER, "acknowledge").await;
    office.until_told("nly members of the workspace").await;
    let mut copy = office.clicks(ANNA, "acknowledge");
    copy["channel"]["id"] = GENERAL.into();
    copy["container"]["channel_id"] = GENERAL.into();
    assert_eq!(office.hand().interact(&copy).await.status, 200);
    office.until_told("another message").await;
    office.end().await;
    assert!(office.channel(OPS).contains("[Acknowledge]"));
}

#[tokio::test]
async fn what_is_gone_in_sentry_is_taken_back_in_the_message() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    office.company.sentry.world().issues.clear();
    office.click(ANNA, "resolve").await;
    office.until_said("taken back").await;
    office.until_said("[Acknowledge]").await;
    office.end().await;
}
