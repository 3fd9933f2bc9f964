//! The local Slack's Web API, as Slack's own libraries ask it.

use chrono::TimeDelta;
use daily_ops::sandbox::slack::{
    ANNA, APP_TOKEN, BEN, Fault, GENERAL, OPS, SCOPES, SECRET, Slack, TOKEN, Workspace,
};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::world::slack::web_api::workspace;

const JSON: &str = "application/json; charset=utf-8";
const FORM: &str = "application/x-www-form-urlencoded";

struct App {
    slack: Slack,
    http: Client,
}

impl App {
    /// With every scope.
    async fn new() -> Self {
        let mut world = workspace();
        world.app.scopes = SCOPES.iter().copied().collect();
        Self::of(world).await
    }

    async fn of(world: Workspace) -> Self {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        Self {
            slack: world.open().await.expect("it opens"),
            http: Client::builder()
                .no_proxy()
                .build()
                .expect("it is a client"),
        }
    }

    async fn send(&self, method: &str, kind: &str, token: &str, body: String) -> Response {
        let url = format!("{}/{method}", self.slack.url());
        let mut request = self.http.post(url).header("content-type", kind).body(body);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.send().await.expect("it answers")
    }

    async fn call(&self, method: &str, args: Value) -> Value {
        body(self.send(method, JSON, TOKEN, args.to_string()).await).await
    }

    async fn form(&self, method: &str, args: &[(&str, &str)]) -> Value {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(args)
            .finish();
        body(self.send(method, FORM, TOKEN, form).await).await
    }

    async fn post(&self, text: &str) -> String {
        let said = self
            .call("chat.postMessage", json!({ "channel": OPS, "text": text }))
            .await;
        said["ts"].as_str().expect("it has a ts").to_owned()
    }

    /// Status and body of what is said at an answering address.
    async fn respond(&self, url: &str, said: Value) -> (u16, String) {
        let request = self.http.post(url).header("content-type", JSON);
        let answer = request.body(said.to_string()).send().await;
        let answer = answer.expect("it answers");
        (
            answer.status().as_u16(),
            answer.text().await.expect("it is text"),
        )
    }
}

async fn body(response: Response) -> Value {
    let text = response.text().await.expect("it is text");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test]
async fn arguments_come_as_json_as_a_form_and_in_the_address() {
    let app = App::new().await;
    let blocks = r#"[{"type":"divider"}]"#;
    let args = [
        ("channel", OPS),
        ("text", "hello"),
        ("blocks", blocks),
        ("token", TOKEN),
    ];
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(args)
        .finish();
    let by_form = body(app.send("chat.postMessage", FORM, "", form.clone()).await).await;
    let by_json = json!({ "channel": OPS, "text": "hello", "blocks": blocks, "unknown": [1] });
    let by_json = app.call("chat.postMessage", by_json).await;
    let url = format!("{}/chat.postMessage?{form}", app.slack.url());
    let by_address = app.http.request(Method::GET, url).send().await;
    let by_address = body(by_address.expect("it answers")).await;
    let multipart = "--x\r\ncontent-disposition: form-data; name=\"channel\"\r\n\r\nC0OPS\r\n\
        --x\r\ncontent-disposition: form-data; name=\"text\"\r\n\r\nhello\r\n--x--\r\n";
    let kind = "multipart/form-data; boundary=x";
    let by_parts = app.send("chat.postMessage", kind, TOKEN, multipart.to_owned());
    for said in [by_form, by_json, by_address, body(by_parts.await).await] {
        assert_eq!(said["message"]["text"], "hello", "{said}");
    }
    assert_eq!(app.slack.world().messages(OPS).len(), 4);
}

#[tokio::test]
async fn what_can_not_be_read_says_why() {
    let app = App::new().await;
    for (kind, sent, code) in [
        (JSON, "{", "invalid_json"),
        (JSON, "[]", "json_not_object"),
        ("application/xml", "<a/>", "invalid_post_type"),
    ] {
        let said = body(app.send("auth.test", kind, TOKEN, sent.to_owned()).await).await;
        assert_eq!(said["error"], code);
    }
    let nothing = body(app.send("auth.test", JSON, TOKEN, String::new()).await).await;
    assert_eq!(nothing["ok"], true);
    let ignored = app.call("users.info", json!({ "user": ANNA })).await;
    assert_eq!(ignored["error"], "invalid_arguments");
    assert_eq!(
        ignored["response_metadata"]["messages"],
        json!(["[ERROR] missing required field: user"])
    );
    assert_eq!(
        app.call("chat.whisper", json!({})).await["error"],
        "unknown_method"
    );
    assert_eq!(
        app.call("files.upload", json!({})).await["error"],
        "method_deprecated"
    );
}

#[tokio::test]
async fn a_missing_charset_is_remarked_upon_and_nothing_else() {
    let app = App::new().await;
    let answer = app.send("api.test", "application/json", "", r#"{"a":1}"#.to_owned());
    let said = body(answer.await).await;
    assert_eq!(said["ok"], true);
    assert_eq!(said["warning"], "missing_charset");
    assert_eq!(
        said["response_metadata"]["warnings"],
        json!(["missing_charset"])
    );
    assert_eq!(
        app.form("api.test", &[("a", "1")]).await["warning"],
        Value::Null
    );
}

#[tokio::test]
async fn a_token_is_asked_for_and_its_scopes_are_told() {
    let app = App::of(workspace()).await;
    for (token, code) in [
        ("", "not_authed"),
        ("xoxb-wrong", "invalid_auth"),
        (APP_TOKEN, "not_allowed_token_type"),
    ] {
        let answer = app.send("auth.test", JSON, token, String::new()).await;
        assert_eq!(body(answer).await["error"], code);
    }
    let answer = app.send("users.list", FORM, TOKEN, String::new()).await;
    let header = |name: &str| {
        answer.headers()[name]
            .to_str()
            .expect("it is text")
            .to_owned()
    };
    assert_eq!(header("x-accepted-oauth-scopes"), "users:read");
    assert_eq!(
        header("x-oauth-scopes"),
        "channels:history,chat:write,commands,users:read"
    );
    let refused = app.call("reactions.add", json!({ "name": "eyes" })).await;
    assert_eq!(refused["error"], "missing_scope");
    assert_eq!(refused["needed"], "reactions:write");
    assert_eq!(
        refused["provided"],
        "channels:history,chat:write,commands,users:read"
    );
}

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
async fn an_answering_address_takes_five_answers_in_thirty_minutes() {
    let app = App::new().await;
    let url = app.slack.response_url(ANNA, OPS, None);
    assert_eq!(
        app.respond(&url, json!({ "text": "only you" })).await,
        (200, "ok".to_owned())
    );
    let replaced = json!({ "text": "still only you", "replace_original": true });
    app.respond(&url, replaced).await;
    app.respond(
        &url,
        json!({ "text": "all", "response_type": "in_channel" }),
    )
    .await;
    {
        let world = app.slack.world();
        let all = &world.channels[OPS].messages;
        let shown: Vec<_> = all
            .iter()
            .map(|it| (it.now().text.as_str(), it.only_for.as_deref()))
            .collect();
        assert_eq!(shown, [("still only you", Some(ANNA)), ("all", None)]);
    }
    app.respond(&url, json!({ "delete_original": true })).await;
    assert!(app.slack.world().channels[OPS].messages[0].deleted);
    assert_eq!(app.respond(&url, json!({})).await.0, 200);
    assert_eq!(
        app.respond(&url, json!({ "text": "x" })).await,
        (404, "used_url".to_owned())
    );
    let old = app.slack.response_url(ANNA, OPS, None);
    app.slack.world().clock = TimeDelta::minutes(31);
    assert_eq!(
        app.respond(&old, json!({ "text": "x" })).await,
        (404, "expired_url".to_owned())
    );
}

#[tokio::test]
async fn the_clicked_message_is_replaced_where_it_stands() {
    let app = App::new().await;
    let ts = app.post("before").await;
    let url = app.slack.response_url(ANNA, OPS, Some(&ts));
    let said = json!({ "text": "after", "replace_original": true });
    assert_eq!(
        app.respond(&url, said).await,
        (200, r#"{"ok":true}"#.to_owned())
    );
    let world = app.slack.world();
    assert_eq!(world.messages(OPS)[0].now().text, "after");
    assert_eq!(world.messages(OPS).len(), 1);
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

#[tokio::test]
async fn rate_limits_hold_when_they_are_switched_on_and_faults_can_be_healed() {
    let app = App::new().await;
    app.slack.world().is_rate_limited = true;
    for _ in 0..20 {
        assert_eq!(app.form("users.list", &[]).await["ok"], true);
    }
    let answer = app.send("users.list", FORM, TOKEN, String::new()).await;
    assert_eq!(answer.status().as_u16(), 429);
    let wait: u64 = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .expect("it is a number");
    assert!((1..=60).contains(&wait), "{wait}");
    app.slack.world().is_rate_limited = false;
    app.slack
        .world()
        .spoil("*", Fault::Refused("fatal_error"), usize::MAX);
    for _ in 0..3 {
        assert_eq!(app.form("auth.test", &[]).await["error"], "fatal_error");
    }
    app.slack.world().heal(None);
    assert_eq!(app.form("auth.test", &[]).await["ok"], true);
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
