//! Modals, emoji, files, and blocks that are only tried.

use daily_ops::sandbox::slack::{ANNA, OPS};
use serde_json::{Value, json};

use super::{App, JSON, body};

fn modal(title: &str) -> Value {
    json!({ "type": "modal", "title": { "type": "plain_text", "text": title }, "blocks": [{ "type": "divider" }] })
}

#[tokio::test]
async fn modals_lie_upon_each_other_three_deep_and_change_only_as_they_were_seen() {
    let app = App::new().await;
    let trigger = || app.slack.world().trigger(ANNA);
    let none = json!({ "trigger_id": trigger(), "view": modal("x") });
    assert_eq!(app.call("views.push", none).await["error"], "not_found");
    let opened = app
        .call(
            "views.open",
            json!({ "trigger_id": trigger(), "view": modal("one") }),
        )
        .await;
    let root = &opened["view"]["id"];
    for name in [
        "id",
        "team_id",
        "type",
        "blocks",
        "private_metadata",
        "callback_id",
        "state",
        "hash",
        "title",
        "clear_on_close",
        "notify_on_close",
        "root_view_id",
        "app_id",
        "external_id",
        "app_installed_team_id",
        "bot_id",
    ] {
        assert!(!opened["view"][name].is_null(), "{name}: {opened}");
    }
    let push = || json!({ "trigger_id": trigger(), "view": modal("more") });
    let second = app.call("views.push", push()).await;
    assert_eq!(
        (
            &second["view"]["root_view_id"],
            &second["view"]["previous_view_id"]
        ),
        (root, root)
    );
    assert_eq!(app.call("views.push", push()).await["ok"], true);
    assert_eq!(
        app.call("views.push", push()).await["error"],
        "push_limit_reached"
    );
    let update = json!({ "view_id": root, "hash": opened["view"]["hash"], "view": modal("two") });
    assert_eq!(
        app.call("views.update", update.clone()).await["view"]["title"]["text"],
        "two"
    );
    assert_eq!(
        app.call("views.update", update).await["error"],
        "hash_conflict"
    );
    let mut large = modal("large");
    large["blocks"] = vec![
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(2900) } });
        90
    ]
    .into();
    let large = json!({ "view_id": root, "view": large });
    assert_eq!(
        app.call("views.update", large).await["error"],
        "view_too_large"
    );
    let home = json!({ "type": "home", "blocks": [{ "type": "divider" }] });
    let home = app
        .call("views.publish", json!({ "user_id": ANNA, "view": home }))
        .await;
    assert_eq!(home["view"]["type"], "home", "{home}");
    let wrong = json!({ "user_id": ANNA, "view": modal("x") });
    assert_eq!(
        app.call("views.publish", wrong).await["error"],
        "invalid_arguments"
    );
}

#[tokio::test]
async fn a_refused_view_can_be_mended_with_the_same_trigger() {
    let app = App::new().await;
    let trigger = app.slack.world().trigger(ANNA);
    let ask = |view: Value| {
        app.call(
            "views.open",
            json!({ "trigger_id": trigger.clone(), "view": view }),
        )
    };
    let long = modal("a title that is much longer than Slack allows");
    assert_eq!(ask(long).await["error"], "invalid_arguments");
    assert_eq!(ask(modal("short")).await["ok"], true);
    assert_eq!(ask(modal("again")).await["error"], "exchanged_trigger_id");
}

#[tokio::test]
async fn an_emoji_is_put_once_and_taken_back_once() {
    let app = App::new().await;
    let ts = app.post("hello").await;
    let item = json!({ "channel": OPS, "timestamp": ts, "name": "eyes" });
    for (method, error) in [
        ("reactions.add", Value::Null),
        ("reactions.add", "already_reacted".into()),
        ("reactions.remove", Value::Null),
        ("reactions.remove", "no_reaction".into()),
        ("pins.add", Value::Null),
        ("pins.add", "already_pinned".into()),
    ] {
        assert_eq!(
            app.call(method, item.clone()).await["error"],
            error,
            "{method}"
        );
    }
    let none = json!({ "name": "eyes" });
    assert_eq!(
        app.call("reactions.add", none).await["error"],
        "no_item_specified"
    );
}

#[tokio::test]
async fn a_file_goes_up_in_three_steps_and_comes_down_again() {
    let app = App::new().await;
    let begun = app
        .form(
            "files.getUploadURLExternal",
            &[("filename", "log.txt"), ("length", "5")],
        )
        .await;
    let files = json!([{ "id": begun["file_id"], "title": "The log" }]);
    let complete = json!({ "files": files, "channel_id": OPS, "initial_comment": "see" });
    assert_eq!(
        app.call("files.completeUploadExternal", complete.clone())
            .await["error"],
        "file_not_found"
    );
    let url = begun["upload_url"].as_str().expect("it is an address");
    let taken = app
        .http
        .post(url)
        .body("hello")
        .send()
        .await
        .expect("it answers");
    assert_eq!(taken.text().await.expect("it is text"), "OK - 5");
    let done = app.call("files.completeUploadExternal", complete).await;
    assert_eq!(done["files"][0]["title"], "The log", "{done}");
    let history = app.form("conversations.history", &[("channel", OPS)]).await;
    let private = history["messages"][0]["files"][0]["url_private"]
        .as_str()
        .expect("it is an address");
    let content = app
        .http
        .get(private)
        .send()
        .await
        .expect("it answers")
        .text()
        .await;
    assert_eq!(content.expect("it is text"), "hello");
}

#[tokio::test]
async fn blocks_can_be_tried_without_a_token() {
    let app = App::new().await;
    let ask = async |args: Value| {
        body(
            app.send("blocks.validate", JSON, "", args.to_string())
                .await,
        )
        .await
    };
    assert_eq!(
        ask(json!({ "blocks": [{ "type": "divider" }] })).await,
        json!({ "ok": true })
    );
    let refused = ask(json!({ "blocks": [{ "type": "header" }] })).await;
    assert_eq!(refused["error"], "invalid_blocks");
    assert_eq!(refused["errors"][0]["pointer"], "/blocks/0");
    assert_eq!(ask(json!({})).await["error"], "invalid_arguments");
}
