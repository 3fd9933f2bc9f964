//! What people do, as the app hears it, and what its acks come to.

use daily_ops::sandbox::slack::{ANNA, BEN, Delivered, Failure, GUEST, OPS, Place, SlashCommand};
use serde_json::json;

use super::{Answer, buttons, calls, has_all_of, option, posts, told, workspace};

const COMMAND: &str = include_str!("../world/slack/samples/slash_command.json");
const ACTIONS: &str = include_str!("../world/slack/samples/block_actions.json");

/// Of workspaces in an organisation.
pub(super) const GRID: [&str; 4] = [
    "enterprise_id",
    "enterprise_name",
    "team.enterprise_id",
    "team.enterprise_name",
];

#[tokio::test]
async fn a_command_has_every_field_that_slack_sends_and_is_signed() {
    let (slack, app) = workspace().await;
    slack.command(ANNA, OPS, "/lunch  at <noon> & later ").await;
    let heard = app.heard().remove(0);
    assert!(heard.is_signed());
    let said = heard.payload();
    has_all_of(&said, COMMAND, &GRID);
    assert_eq!(said["command"], "/lunch");
    assert_eq!(said["text"], "at &lt;noon&gt; &amp; later");
    assert_eq!(said["channel_name"], "ops");
}

#[tokio::test]
async fn a_click_has_every_field_that_slack_sends_and_the_message_as_it_is_stored() {
    let (slack, app) = workspace().await;
    let place = posts(&slack, buttons()).await;
    slack.act(ANNA, &place, "", "yes", json!({})).await;
    let said = app.last();
    has_all_of(&said, ACTIONS, &GRID);
    assert_eq!(said["container"]["is_ephemeral"], false);
    assert_eq!(said["message"]["blocks"][1]["block_id"], "answer");
    assert_eq!(said["actions"][0]["type"], "button");
    assert_eq!(said["actions"][0]["value"], "1");
    assert_eq!(said["actions"][0]["block_id"], "answer");
}

#[tokio::test]
async fn a_click_says_what_was_chosen_in_all_menus_of_the_message() {
    let (slack, app) = workspace().await;
    let place = posts(&slack, buttons()).await;
    slack.act(ANNA, &place, "", "yes", json!({})).await;
    let nothing =
        json!({ "answer": { "where": { "type": "static_select", "selected_option": null } } });
    assert_eq!(app.last()["state"]["values"], nothing);
    slack
        .act(
            ANNA,
            &place,
            "",
            "where",
            json!({ "selected_option": option("There") }),
        )
        .await;
    slack.act(ANNA, &place, "", "yes", json!({})).await;
    assert_eq!(
        app.last()["state"]["values"]["answer"]["where"]["selected_option"],
        option("There")
    );
    slack.act(BEN, &place, "", "yes", json!({})).await;
    assert_eq!(
        app.last()["state"]["values"],
        nothing,
        "what Anna chose is hers"
    );
}

#[tokio::test]
async fn a_late_click_carries_the_message_from_before_its_edit() {
    let (slack, app) = workspace().await;
    let place = posts(&slack, buttons()).await;
    let Place::Message { ts, .. } = &place else {
        unreachable!()
    };
    calls(
        &slack,
        "chat.update",
        json!({ "channel": OPS, "ts": ts, "text": "Eaten" }),
    )
    .await;
    let gone = slack.act(ANNA, &place, "", "yes", json!({})).await;
    assert!(matches!(gone, Delivered::Failed(_)), "the button is gone");
    slack
        .act_on(ANNA, &place, Some(0), "", "yes", json!({}))
        .await;
    assert_eq!(app.last()["message"]["text"], "Lunch?");
}

#[tokio::test]
async fn a_click_in_an_ephemeral_message_brings_no_message_and_is_for_its_reader_alone() {
    let (slack, app) = workspace().await;
    let args = json!({ "channel": OPS, "user": ANNA, "text": "Psst", "blocks": buttons() });
    let posted = calls(&slack, "chat.postEphemeral", args).await;
    let ts = posted["message_ts"].as_str().unwrap().to_owned();
    let place = Place::Message {
        channel: OPS.to_owned(),
        ts,
    };
    slack.act(ANNA, &place, "answer", "yes", json!({})).await;
    let said = app.last();
    assert_eq!(said["container"]["is_ephemeral"], true);
    assert_eq!(said.get("message"), None);
    let others = slack.act(BEN, &place, "answer", "yes", json!({})).await;
    assert!(matches!(others, Delivered::Failed(_)));
}

#[tokio::test]
async fn what_a_command_is_acked_with_is_shown_to_its_person_or_to_all() {
    let (slack, app) = workspace().await;
    app.plan(Answer::Text("Just you"));
    slack.command(ANNA, OPS, "/lunch").await;
    assert_eq!(told(&slack, ANNA), ["Just you"]);
    app.plan(Answer::Says(
        json!({ "response_type": "in_channel", "text": "All of you" }),
    ));
    slack.command(ANNA, OPS, "/lunch").await;
    let world = slack.world();
    let said: Vec<_> = world
        .messages(OPS)
        .iter()
        .map(|it| it.now().text.clone())
        .collect();
    assert_eq!(said, ["All of you"]);
}

#[tokio::test]
async fn a_command_that_fails_is_told_to_its_person_in_slacks_words() {
    let (slack, app) = workspace().await;
    app.plan(Answer::Status(500));
    slack.command(ANNA, OPS, "/lunch now").await;
    app.plan(Answer::Never);
    let delivered = slack.command(ANNA, OPS, "/lunch now").await;
    assert!(
        matches!(delivered, Delivered::Failed("operation_timeout")),
        "{delivered:?}"
    );
    assert_eq!(
        told(&slack, ANNA),
        [
            "/lunch failed with the error \"dispatch_failed\"",
            "/lunch failed with the error \"operation_timeout\"",
        ]
    );
    assert!(told(&slack, BEN).is_empty());
}

#[tokio::test]
async fn a_word_that_no_app_has_is_refused_by_slack_and_the_app_hears_nothing_of_it() {
    let (slack, app) = workspace().await;
    slack.world().app.commands.push(SlashCommand {
        name: "/ops".to_owned(),
        description: String::new(),
        usage_hint: String::new(),
    });
    slack.command(ANNA, OPS, "/pos daily").await;
    let said = told(&slack, ANNA).concat();
    assert!(said.contains("`/pos` is not a valid command"), "{said}");
    assert_eq!(app.heard().len(), 0);
}

#[tokio::test]
async fn a_click_that_fails_leaves_a_warning_until_one_works() {
    let (slack, app) = workspace().await;
    let place = posts(&slack, buttons()).await;
    app.plan(Answer::Status(503));
    slack.act(ANNA, &place, "", "yes", json!({})).await;
    let failure = Failure {
        user: ANNA.to_owned(),
        place: place.clone(),
        action: "yes".to_owned(),
        why: "dispatch_failed",
    };
    assert_eq!(slack.world().delivery.failures, [failure]);
    slack.act(ANNA, &place, "", "yes", json!({})).await;
    assert_eq!(slack.world().delivery.failures, []);
}

#[tokio::test]
async fn menus_ask_the_app_for_their_options() {
    let (slack, app) = workspace().await;
    let blocks = json!([{ "type": "actions", "block_id": "b", "elements": [
        { "type": "external_select", "action_id": "find", "min_query_length": 1 },
    ] }]);
    let place = posts(&slack, blocks).await;
    app.plan(Answer::Says(json!({ "options": [option("Soup")] })));
    let options = slack.suggest(ANNA, &place, "b", "find", "so").await;
    assert_eq!(options, [option("Soup")]);
    let said = app.last();
    assert_eq!(said["type"], "block_suggestion");
    assert_eq!(said["value"], "so");
    app.plan(Answer::Status(500));
    assert!(
        slack
            .suggest(ANNA, &place, "b", "find", "so")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn shortcuts_carry_their_callback_and_the_message() {
    let (slack, app) = workspace().await;
    slack.shortcut(GUEST, "order").await;
    assert_eq!(app.last()["type"], "shortcut");
    assert_eq!(app.last()["callback_id"], "order");
    let Place::Message { ts, .. } = posts(&slack, buttons()).await else {
        unreachable!()
    };
    slack.message_shortcut(GUEST, OPS, &ts, "quote").await;
    let said = app.last();
    assert_eq!(said["type"], "message_action");
    assert_eq!(said["message"]["text"], "Lunch?");
    assert_eq!(said["message_ts"], *ts);
}
