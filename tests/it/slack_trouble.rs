//! When Slack refuses, loses or delays something: nothing comes twice, and nothing vanishes without a word.

use chrono::TimeDelta;

use crate::world::{
    company::Company,
    office::Office,
    sentry::broken_cart,
    slack::web_api::{ANNA, BEN, Fault, GUEST, OPS},
};

const FOR_EVER: usize = usize::MAX;

async fn office() -> Office {
    Office::open(Company::with([broken_cart()]).await).await
}

fn spoil(office: &Office, method: &str, fault: Fault, times: usize) {
    office.slack.world().spoil(method, fault, times);
}

/// Waits while time goes by.
async fn until_later(office: &Office, what: &str, is_so: impl Fn(&Office) -> bool) {
    office
        .until(what, async || {
            office.later(TimeDelta::seconds(1));
            is_so(office)
        })
        .await;
}

#[tokio::test]
async fn a_text_in_the_place_of_refused_blocks_is_looked_for_where_its_answer_was_lost() {
    let mut office = office().await;
    spoil(
        &office,
        "chat.postMessage",
        Fault::Refused("invalid_blocks"),
        1,
    );
    spoil(&office, "chat.postMessage", Fault::ResetAfter, 1);
    office.types(ANNA, "daily").await;
    until_later(&office, "it is found, and edited", |office| {
        office.channel(OPS).contains("1 needs you")
    })
    .await;
    assert_eq!(office.slack.world().messages(OPS).len(), 1);
    assert_eq!(office.slack.world().called("chat.postMessage"), 2);
    office.end().await;
}

#[tokio::test]
async fn a_message_that_cant_be_edited_is_posted_anew_once_and_then_given_up_with_a_word() {
    let mut office = office().await;
    let fault = Fault::Refused("cant_update_message");
    spoil(&office, "chat.update", fault, FOR_EVER);
    office.types(ANNA, "daily").await;
    until_later(&office, "one message has the verdict", |office| {
        office.channel(OPS).contains("1 needs you") && office.slack.world().messages(OPS).len() == 1
    })
    .await;
    assert_eq!(office.slack.world().called("chat.postMessage"), 2);
    assert_eq!(office.told(), "");

    office.click(ANNA, "acknowledge").await;
    office
        .until("the log says that it is given up", async || {
            office.company.log_file().contains("given up")
        })
        .await;
    let metrics = office.ask("/metrics").await.expect("it is told");
    assert!(
        metrics.body.contains("daily_ops_messages_given_up_total"),
        "{}",
        metrics.body
    );
    office.until_told("it stays as it is").await;
    assert!(!office.told().contains("the round runs"));
    assert_eq!(office.slack.world().called("chat.postMessage"), 2);

    // The next one tries to take its buttons off.
    office.slack.world().heal(None);
    office.later(TimeDelta::minutes(1));
    office.types(ANNA, "daily").await;
    office
        .until("only the newer message has buttons", async || {
            let world = office.slack.world();
            let messages = world.messages(OPS);
            let has_buttons = |number: usize| {
                let blocks = serde_json::json!(messages[number].now().blocks).to_string();
                blocks.contains("open.details") || blocks.contains("acknowledge")
            };
            messages.len() == 2
                && !has_buttons(0)
                && messages[1].now().text.starts_with("Daily ops")
        })
        .await;
    office.end().await;
}

#[tokio::test]
async fn denied_attempts_without_an_entry_are_counted_when_the_service_stops() {
    let mut office = office().await;
    office.types(GUEST, "daily").await;
    office.until_told("nothing was changed").await;
    for _ in 0..3 {
        office.types(GUEST, "daily").await;
    }
    office.end().await;
    let file = office.company.log_file();
    assert!(file.contains("a round · 3 more"), "{file}");
}

#[tokio::test]
async fn a_message_that_somebody_deleted_stays_so() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    let click = office.clicks(ANNA, "acknowledge");
    spoil(
        &office,
        "chat.update",
        Fault::Refused("message_not_found"),
        1,
    );
    assert_eq!(office.hand().interact(&click).await.status, 200);
    office
        .until("the edit was tried", async || {
            office.company.log_file().contains("acknowledged")
                && office.slack.world().spoilt().is_empty()
        })
        .await;
    office.end().await;
    assert_eq!(office.slack.world().called("chat.postMessage"), 1);
    assert!(!office.company.log_file().contains("given up"));
}

#[tokio::test]
async fn whoever_asks_for_a_round_is_told_why_slack_does_not_take_its_message() {
    let mut office = office().await;
    for (number, code) in [
        "token_revoked",
        "missing_scope",
        "account_inactive",
        "restricted_action",
        "something_new",
    ]
    .into_iter()
    .enumerate()
    {
        office.later(TimeDelta::minutes(1));
        spoil(&office, "chat.postMessage", Fault::Refused(code), 1);
        office.types(ANNA, "daily").await;
        office.until_told(&format!("({code})")).await;
        until_later(&office, "it appears by itself", |office| {
            let world = office.slack.world();
            let messages = world.messages(OPS);
            messages.len() == number + 1 && messages[number].now().text.contains("1 needs you")
        })
        .await;
    }
    office.end().await;
}

/// At one minute before nine, with a summary at nine.
async fn before_nine() -> Office {
    let mut office = Office::closed(Company::with([broken_cart()]).await).await;
    office.more = "[schedule]\ndaily = \"09:00\"\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n".to_owned();
    let now = office.company.now();
    let nine = now
        .date_naive()
        .and_hms_opt(9, 0, 0)
        .expect("a time")
        .and_utc()
        + TimeDelta::days(1);
    office.later(nine - now - TimeDelta::minutes(1));
    office
}

/// Begins at nine, while Slack takes no message, until it was tried.
async fn nine_without_slack() -> Office {
    let mut office = before_nine().await;
    spoil(&office, "chat.postMessage", Fault::ServerError, FOR_EVER);
    office.later(TimeDelta::minutes(2));
    office.begin().await;
    office
        .until("it was tried", async || {
            office.slack.world().called("chat.postMessage") > 0
        })
        .await;
    office
}

#[tokio::test]
async fn a_summary_that_slack_takes_late_says_so_however_early_it_was_tried() {
    let mut office = nine_without_slack().await;
    office.later(TimeDelta::minutes(6));
    office.slack.world().heal(None);
    until_later(&office, "it is posted", |office| {
        office.channel(OPS).contains("1 needs you")
    })
    .await;
    office.end().await;
    let channel = office.channel(OPS);
    assert!(channel.contains("Late:"), "{channel}");
}

#[tokio::test]
async fn a_summary_that_slack_takes_for_six_hours_not_is_missed_and_the_next_one_mentions_it() {
    let mut office = nine_without_slack().await;
    let day = office.company.now().date_naive();
    office.later(TimeDelta::hours(6));
    until_later(&office, "the log says so", |office| {
        office.company.log_file().contains("was not posted")
    })
    .await;
    office.slack.world().heal(None);
    office.later(TimeDelta::hours(18));
    // The schedule is looked at when the bot begins.
    office.end().await;
    office.begin().await;
    until_later(&office, "the next one is posted", |office| {
        office.channel(OPS).contains("1 needs you")
    })
    .await;
    office.end().await;
    let channel = office.channel(OPS);
    assert_eq!(office.slack.world().messages(OPS).len(), 1, "{channel}");
    let missed = format!(
        "no summary is known to have come on {}",
        day.format("%a %-d %b")
    );
    assert!(channel.contains(&missed), "{channel}");
    assert_eq!(
        office.company.log_file().matches("was not posted").count(),
        1
    );
}

#[tokio::test]
async fn who_is_to_wait_is_told_that_nothing_is_to_be_done() {
    let mut office = office().await;
    spoil(&office, "users.info", Fault::ServerError, 1);
    office.types(ANNA, "daily").await;
    office.until_told("you need do nothing").await;
    assert!(!office.told().contains("try again"), "{}", office.told());
    office.later(TimeDelta::seconds(46));
    office.until_said("1 needs you").await;
    office.end().await;
}

#[tokio::test]
async fn a_window_is_filled_whichever_call_for_it_fails_once() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    for (method, fault) in [
        ("users.info", Fault::ServerError),
        ("views.open", Fault::ResetAfter),
        ("views.update", Fault::ServerError),
        ("views.update", Fault::RateLimited(1)),
        ("views.update", Fault::ResetAfter),
    ] {
        let windows = office.slack.world().views.len();
        spoil(&office, method, fault, 1);
        office.click(BEN, "open.details").await;
        office
            .until("the window is filled", async || {
                office.slack.world().views.len() == windows + 1
                    && office.slack.world().spoilt().is_empty()
                    && office.view().contains("cart is undefined")
            })
            .await;
    }
    office.end().await;
    assert_eq!(office.told(), "");
}

#[tokio::test]
async fn a_window_that_cant_be_looked_up_says_so() {
    let mut office = office().await;
    office.types(ANNA, "daily").await;
    office.until_said("1 needs you").await;
    spoil(&office, "users.info", Fault::ServerError, 3);
    office.click(BEN, "open.details").await;
    office
        .until("the window says so", async || {
            office.view().contains("could not be looked up")
        })
        .await;
    spoil(&office, "views.update", Fault::ServerError, 4);
    office.click(BEN, "open.details").await;
    office.until_told("window could not be filled").await;
    office.end().await;
}

#[tokio::test]
async fn a_request_that_comes_before_the_bot_is_ready_is_refused_at_once() {
    let mut office = Office::closed(Company::with([broken_cart()]).await).await;
    spoil(&office, "auth.test", Fault::ServerError, FOR_EVER);
    office.start().await;
    office
        .until("it listens", async || {
            tokio::net::TcpStream::connect(office.door).await.is_ok()
        })
        .await;
    assert_eq!(office.types(ANNA, "daily").await.status, 503);
    office.slack.world().heal(None);
    office.until_ready().await;
    assert_eq!(office.types(ANNA, "daily").await.status, 200);
    office.until_said("1 needs you").await;
    office.end().await;
    assert_eq!(office.slack.world().messages(OPS).len(), 1);
}

#[tokio::test]
async fn while_slack_refuses_the_token_the_bot_is_not_ready_and_says_why() {
    let mut office = office().await;
    spoil(&office, "*", Fault::Refused("token_revoked"), FOR_EVER);
    office.types(ANNA, "daily").await;
    office
        .until("it is not ready", async || {
            let answer = office.ask("/readyz").await;
            answer
                .is_some_and(|answer| answer.status == 503 && answer.body.contains("token_revoked"))
        })
        .await;
    office.slack.world().heal(None);
    office.until_ready().await;
    office.end().await;
}
