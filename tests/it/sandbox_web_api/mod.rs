//! The local Slack's Web API, as Slack's own libraries ask it.

use daily_ops::sandbox::slack::{ANNA, APP_TOKEN, OPS, SCOPES, Slack, TOKEN, Workspace};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::world::slack::web_api::workspace;

mod answers;
mod connections;
mod saying;
mod surfaces;

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

    #[expect(clippy::disallowed_methods, reason = "a program of somebody else asks")]
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
