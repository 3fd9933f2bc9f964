//! What the app says in channels, and how it is read again.

use chrono::TimeDelta;
use daily_ops::sandbox::slack::{ANNA, BEN, GENERAL, LEFT, OPS, SECRET};
use serde_json::{Value, json};

use super::App;
use crate::world::slack::web_api::workspace;

#[tokio::test]
async fn a_message_is_echoed_with_what_slack_adds() {
    let app = App::new().await;
    let said = app.call("chat.postMessage", json!({
        "channel": "#ops", "text": "a & b <!here> <script>", "metadata": { "event_type": "e", "event_payload": { "n": 1 } },
        "blocks": [
            { "type": "section", "text": { "type": "mrkdwn", "text": "R&D" } },
            { "type": "actions", "elements": [{ "type": "button", "text": { "type": "plain_text", "text": "Go" } }] },
        ],
    })).await;
    let message = &said["message"];
    assert_eq!(said["channel"], OPS);
    assert_eq!(message["text"], "a &amp; b <!here> &lt;script&gt;");
    assert_eq!(
        message["blocks"][0]["text"],
        json!({ "type": "mrkdwn", "text": "R&amp;D", "verbatim": false })
    );
    let button = &message["blocks"][1]["elements"][0];
    assert_eq!(button["text"]["emoji"], true);
    let (block, action) = (&message["blocks"][1]["block_id"], &button["action_id"]);
    assert!(
        block.as_str().is_some_and(|id| id.len() == 5) && block != action,
        "{message}"
    );
    assert_eq!(message["metadata"]["event_payload"]["n"], 1);
    for name in [
        "type",
        "user",
        "bot_id",
        "app_id",
        "team",
        "ts",
        "bot_profile",
    ] {
        assert!(!message[name].is_null(), "{name}: {message}");
    }
    let history = app.form("conversations.history", &[("channel", OPS)]).await;
    assert_eq!(history["messages"][0]["blocks"][1]["block_id"], *block);
    assert_eq!(history["messages"][0]["metadata"], Value::Null);
}

#[tokio::test]
async fn only_a_changed_text_counts_as_edited() {
    let app = App::new().await;
    let ts = app.post("first").await;
    let blocks = json!([{ "type": "divider" }]);
    let with_blocks = json!({ "channel": OPS, "ts": ts, "text": "second", "blocks": blocks });
    let said = app.call("chat.update", with_blocks).await;
    assert_eq!(said["message"]["edited"], Value::Null, "{said}");
    let text = json!({ "channel": OPS, "ts": ts, "text": "third" });
    let said = app.call("chat.update", text).await;
    assert!(said["message"]["edited"]["ts"].is_string(), "{said}");
    assert_eq!(said["message"]["blocks"], Value::Null);
    let long = json!({ "channel": OPS, "ts": ts, "text": "x".repeat(4001) });
    assert_eq!(app.call("chat.update", long).await["error"], "msg_too_long");
}

#[tokio::test]
async fn a_thread_hangs_below_its_message() {
    let app = App::new().await;
    let root = app.post("root").await;
    let reply = |broadcast: bool| json!({ "channel": OPS, "text": "reply", "thread_ts": root, "reply_broadcast": broadcast });
    let first = app.call("chat.postMessage", reply(false)).await;
    assert_eq!(first["message"]["thread_ts"], root.as_str());
    app.call("chat.postMessage", reply(true)).await;
    let replies = app
        .form("conversations.replies", &[("channel", OPS), ("ts", &root)])
        .await;
    let parent = &replies["messages"][0];
    assert_eq!(replies["messages"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        (&parent["reply_count"], &parent["reply_users_count"]),
        (&json!(2), &json!(1))
    );
    let history = app.form("conversations.history", &[("channel", OPS)]).await;
    assert_eq!(history["messages"].as_array().map(Vec::len), Some(2));
    assert_eq!(history["messages"][0]["subtype"], "thread_broadcast");
    let link = app
        .form(
            "chat.getPermalink",
            &[
                ("channel", OPS),
                ("message_ts", first["ts"].as_str().unwrap()),
            ],
        )
        .await;
    assert!(
        link["permalink"]
            .as_str()
            .is_some_and(|it| it.contains("?thread_ts=")),
        "{link}"
    );
    for (thread, code) in [
        ("1.2", "invalid_thread_ts"),
        ("1700000000.000001", "thread_not_found"),
    ] {
        let args = json!({ "channel": OPS, "text": "x", "thread_ts": thread });
        assert_eq!(app.call("chat.postMessage", args).await["error"], code);
    }
}

#[tokio::test]
async fn a_message_for_later_is_posted_though_nobody_looks() {
    let app = App::new().await;
    let time = app.slack.world().time.clone();
    let at = time.now().timestamp() + 60;
    let later = json!({ "channel": OPS, "text": "later", "post_at": at });
    assert_eq!(app.call("chat.scheduleMessage", later).await["ok"], true);
    let mut changes = app.slack.changes();
    time.advance(chrono::TimeDelta::seconds(61));
    let posted = tokio::time::timeout(std::time::Duration::from_secs(20), changes.changed()).await;
    posted.expect("it is posted in time").expect("it is open");
    assert_eq!(app.slack.world().messages(OPS)[0].now().text, "later");
}

#[tokio::test]
async fn inviting_changes_nothing_where_everybody_is() {
    let app = App::new().await;
    let invite = |users: &str| json!({ "channel": OPS, "users": users });
    for (users, code) in [
        (",", "no_user"),
        (LEFT, "cant_invite"),
        (ANNA, "already_in_channel"),
    ] {
        let said = app.call("conversations.invite", invite(users)).await;
        assert_eq!(said["error"], code);
    }
    assert!(app.slack.world().people_in(OPS).contains(&ANNA.to_owned()));
}

#[tokio::test]
async fn a_person_is_written_to_in_a_conversation_of_their_own() {
    let app = App::new().await;
    let said = app
        .call(
            "chat.postMessage",
            json!({ "channel": ANNA, "text": "psst" }),
        )
        .await;
    let id = said["channel"].as_str().expect("it is an id");
    assert!(id.starts_with('D'), "{said}");
    let opened = app
        .call(
            "conversations.open",
            json!({ "users": ANNA, "return_im": true }),
        )
        .await;
    assert_eq!(
        (&opened["channel"]["id"], &opened["channel"]["user"]),
        (&json!(id), &json!(ANNA))
    );
    let members = app.form("conversations.members", &[("channel", id)]).await;
    assert_eq!(members["members"].as_array().map(Vec::len), Some(2));
    let nobody = json!({ "channel": "U0NOBODY", "text": "psst" });
    assert_eq!(
        app.call("chat.postMessage", nobody).await["error"],
        "channel_not_found"
    );
}

#[tokio::test]
async fn where_nothing_can_be_said_the_code_says_why() {
    let mut world = workspace();
    world.app.scopes.remove("chat:write.public");
    let app = App::of(world).await;
    for (args, code) in [
        (json!({ "channel": GENERAL, "text": "x" }), "not_in_channel"),
        (
            json!({ "channel": SECRET, "text": "x" }),
            "channel_not_found",
        ),
        (json!({ "channel": "old", "text": "x" }), "is_archived"),
        (json!({ "channel": OPS, "text": "" }), "no_text"),
        (
            json!({ "channel": OPS, "blocks": "nonsense" }),
            "invalid_blocks_format",
        ),
        (
            json!({ "channel": OPS, "blocks": [{ "type": "sektion" }] }),
            "invalid_blocks",
        ),
        (
            json!({ "channel": OPS, "text": "x", "markdown_text": "y" }),
            "markdown_text_conflict",
        ),
        (
            json!({ "channel": OPS, "text": "x", "metadata": { "event_type": "e" } }),
            "invalid_metadata_format",
        ),
        (
            json!({ "channel": OPS, "attachments": vec![json!({ "text": "x" }); 101] }),
            "too_many_attachments",
        ),
        (
            json!({ "channel": OPS, "text": "x", "username": "Someone" }),
            "missing_scope",
        ),
    ] {
        let said = app.call("chat.postMessage", args.clone()).await;
        assert_eq!(said["error"], code, "{args}");
    }
    let alone = json!({ "channel": OPS, "text": "x", "user": "U0NOBODY" });
    assert_eq!(
        app.call("chat.postEphemeral", alone).await["error"],
        "user_not_in_channel"
    );
    let ts = app.slack.world().say(OPS, BEN, "mine");
    let theirs = json!({ "channel": OPS, "ts": ts, "text": "yours" });
    assert_eq!(
        app.call("chat.update", theirs.clone()).await["error"],
        "cant_update_message"
    );
    assert_eq!(
        app.call("chat.delete", theirs).await["error"],
        "cant_delete_message"
    );
}

#[tokio::test]
async fn a_message_for_later_is_posted_when_its_time_has_come() {
    let app = App::new().await;
    let at = app.slack.world().now().timestamp() + 3600;
    let args = json!({ "channel": OPS, "text": "later", "post_at": at });
    assert_eq!(app.call("chat.scheduleMessage", args).await["post_at"], at);
    assert!(app.slack.world().messages(OPS).is_empty());
    app.slack.world().clock = TimeDelta::hours(2);
    assert_eq!(app.slack.world().messages(OPS)[0].now().text, "later");
    let past = json!({ "channel": OPS, "text": "late", "post_at": at });
    assert_eq!(
        app.call("chat.scheduleMessage", past).await["error"],
        "time_in_past"
    );
}
