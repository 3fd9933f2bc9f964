//! Events: who hears of what, and how often.

use daily_ops::sandbox::slack::{ANNA, BEN, BOARD, BOT, OPS, SECRET};
use serde_json::{Value, json};

use super::{Answer, App, calls, eventful, has_all_of, until};

const EVENT: &str = include_str!("../world/slack/samples/event_envelope.json");

fn events(app: &App) -> Vec<Value> {
    app.heard()
        .iter()
        .map(|heard| heard.payload()["event"].clone())
        .collect()
}

fn types(app: &App) -> Vec<String> {
    let said = |event: &Value| event["type"].as_str().unwrap().to_owned();
    events(app).iter().map(said).collect()
}

#[tokio::test]
async fn a_message_has_every_field_that_slack_sends() {
    let (slack, app) = eventful().await;
    let ts = slack.say(ANNA, OPS, "hi <all>", None);
    until(&slack, "it is heard", || !app.heard().is_empty()).await;
    let heard = app.heard().remove(0);
    assert!(heard.is_signed());
    assert_eq!(heard.header("content-type"), "application/json");
    let sample: Value = serde_json::from_str(EVENT).unwrap();
    // The sample shows a mention and a second attempt.
    has_all_of(
        &heard.payload(),
        &sample["payload"].to_string(),
        &["event.blocks.elements.elements.user_id"],
    );
    let event = &events(&app)[0];
    assert_eq!(event["text"], "hi &lt;all&gt;");
    assert_eq!(event["ts"], *ts);
    assert_eq!(event["channel_type"], "channel");
    assert_eq!(
        event["blocks"][0]["elements"][0]["elements"][0]["text"],
        "hi <all>"
    );
}

#[tokio::test]
async fn a_mention_is_an_event_of_its_own() {
    let (slack, app) = eventful().await;
    slack.say(ANNA, OPS, "@Daily Ops hello", None);
    until(&slack, "both are heard", || app.heard().len() == 2).await;
    let mut types = types(&app);
    types.sort();
    assert_eq!(types, ["app_mention", "message"]);
    assert_eq!(events(&app)[0]["text"], format!("<@{BOT}> hello"));
}

#[tokio::test]
async fn edits_removals_and_reactions_are_told() {
    let (slack, app) = eventful().await;
    let ts = slack.say(ANNA, OPS, "hi", None);
    until(&slack, "it is heard", || app.heard().len() == 1).await;
    slack.edit(OPS, &ts, "hello");
    until(&slack, "the edit is heard", || app.heard().len() == 2).await;
    let edit = &events(&app)[1];
    assert_eq!(edit["subtype"], "message_changed");
    assert_eq!(
        (&edit["previous_message"]["text"], &edit["message"]["text"]),
        (&json!("hi"), &json!("hello"))
    );
    slack.react(BEN, OPS, &ts, "wave");
    until(&slack, "the reaction is heard", || app.heard().len() == 3).await;
    slack.react(BEN, OPS, &ts, "wave");
    until(&slack, "that it is gone is heard", || {
        app.heard().len() == 4
    })
    .await;
    assert_eq!(types(&app)[2..], ["reaction_added", "reaction_removed"]);
    assert_eq!(events(&app)[2]["item_user"], ANNA);
    slack.world().channels.get_mut(OPS).unwrap().messages[0].deleted = true;
    until(&slack, "the removal is heard", || app.heard().len() == 5).await;
    assert_eq!(events(&app)[4]["deleted_ts"], *ts);
}

#[tokio::test]
async fn the_apps_own_messages_come_back_to_it() {
    let (slack, app) = eventful().await;
    calls(
        &slack,
        "chat.postMessage",
        json!({ "channel": OPS, "text": "mine" }),
    )
    .await;
    until(&slack, "it is heard", || !app.heard().is_empty()).await;
    let event = &events(&app)[0];
    assert_eq!(
        (&event["bot_id"], &event["user"]),
        (&json!("B0BOT"), &json!(BOT))
    );
}

#[tokio::test]
async fn nothing_is_told_of_what_the_app_may_not_see_or_did_not_ask_for() {
    let (slack, app) = eventful().await;
    slack.say(ANNA, SECRET, "without the bot", None);
    let alone = json!({ "channel": OPS, "user": ANNA, "text": "for her alone" });
    calls(&slack, "chat.postEphemeral", alone).await;
    slack.world().app.events.remove("message.channels");
    slack.say(ANNA, OPS, "unasked", None);
    slack.say(ANNA, BOARD, "with the bot", None);
    until(&slack, "the last is heard", || !app.heard().is_empty()).await;
    assert_eq!(events(&app)[0]["text"], "with the bot");
    assert_eq!(events(&app)[0]["channel_type"], "group");
    // Events are numbered as they are told of: between these two there was none, and none before.
    slack.say(ANNA, BOARD, "and again", None);
    until(&slack, "the next is heard", || app.heard().len() > 1).await;
    let numbers: Vec<_> = app
        .heard()
        .iter()
        .map(|it| it.payload()["event_id"].clone())
        .collect();
    assert_eq!(numbers, ["Ev0000000001", "Ev0000000002"]);
}

#[tokio::test]
async fn an_event_that_is_not_acked_is_told_again_at_once() {
    let (slack, app) = eventful().await;
    app.plan(Answer::Status(500));
    slack.say(ANNA, OPS, "hi", None);
    until(&slack, "it is heard twice", || app.heard().len() == 2).await;
    let [first, second] = &app.heard()[..] else {
        unreachable!()
    };
    assert_eq!(first.header("x-slack-retry-num"), "");
    assert_eq!(second.header("x-slack-retry-num"), "1");
    assert_eq!(second.header("x-slack-retry-reason"), "http_error");
    assert_eq!(first.payload()["event_id"], second.payload()["event_id"]);
}

#[tokio::test]
async fn an_app_can_ask_not_to_be_told_again() {
    let (slack, app) = eventful().await;
    app.plan(Answer::Enough);
    slack.say(ANNA, OPS, "first", None);
    until(&slack, "it is heard", || app.heard().len() == 1).await;
    slack.say(ANNA, OPS, "second", None);
    until(&slack, "the next is heard", || app.heard().len() == 2).await;
    let texts: Vec<_> = events(&app)
        .iter()
        .map(|event| event["text"].clone())
        .collect();
    assert_eq!(texts, ["first", "second"]);
}

#[tokio::test]
async fn whoever_opens_the_home_is_told_of() {
    let (slack, app) = eventful().await;
    slack.open_home(ANNA);
    until(&slack, "it is heard", || !app.heard().is_empty()).await;
    let event = &events(&app)[0];
    assert_eq!(
        (&event["type"], &event["tab"]),
        (&json!("app_home_opened"), &json!("home"))
    );
    assert_eq!(event["user"], ANNA);
}
