//! What an app hears from the local Slack, and what becomes of its answers.

mod elements;
mod events;
mod people;
mod sockets;

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use daily_ops::sandbox::{
    slack::{ALL_EVENTS, OPS, Place, RequestUrls, SIGNING_SECRET, Slack, TOKEN, Workspace},
    time::Time,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::world::slack::driver::sign;

const PATIENCE: Duration = Duration::from_secs(20);

/// One request as the app heard it.
#[derive(Clone, Debug)]
struct Heard {
    headers: HeaderMap,
    body: String,
}

impl Heard {
    /// The fields of a command, the payload of an interaction, or an event in its envelope.
    fn payload(&self) -> Value {
        if self.body.starts_with('{') {
            return serde_json::from_str(&self.body).unwrap();
        }
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(self.body.as_bytes())
            .into_owned()
            .collect();
        match &fields[..] {
            [(name, payload)] if name == "payload" => serde_json::from_str(payload).unwrap(),
            _ => fields
                .into_iter()
                .map(|(name, value)| (name, json!(value)))
                .collect(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    fn is_signed(&self) -> bool {
        let at = self.header("x-slack-request-timestamp");
        self.header("x-slack-signature") == sign(SIGNING_SECRET, at, self.body.as_bytes())
    }
}

/// How the app answers one request.
#[derive(Clone, Debug)]
enum Answer {
    Says(Value),
    Text(&'static str),
    Status(u16),
    /// As `Status`, and it asks not to be told again.
    Enough,
    Never,
}

/// An app that writes down what it hears. It acks whatever no answer was planned for.
#[derive(Clone, Default)]
struct App {
    heard: Arc<Mutex<Vec<Heard>>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl App {
    fn plan(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    fn last(&self) -> Value {
        self.heard().last().expect("it heard something").payload()
    }

    async fn listen(State(app): State<Self>, headers: HeaderMap, body: Bytes) -> Response {
        let body = String::from_utf8(body.to_vec()).unwrap();
        app.heard.lock().unwrap().push(Heard { headers, body });
        let answer = app.answers.lock().unwrap().pop_front();
        match answer {
            None => StatusCode::OK.into_response(),
            Some(Answer::Says(said)) => axum::Json(said).into_response(),
            Some(Answer::Text(said)) => said.into_response(),
            Some(Answer::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
            Some(Answer::Enough) => (StatusCode::GONE, [("x-slack-no-retry", "1")]).into_response(),
            Some(Answer::Never) => std::future::pending().await,
        }
    }
}

/// As `workspace`, with an app that asked for every event.
async fn eventful() -> (Slack, App) {
    let (slack, app) = workspace().await;
    slack.world().app.events = ALL_EVENTS.into();
    (slack, app)
}

/// A workspace with an app that hears of commands and clicks over HTTP.
async fn workspace() -> (Slack, App) {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let app = App::default();
    let routes = Router::new()
        .route("/", post(App::listen))
        .with_state(app.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .ok();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut workspace = Workspace::new(Time::real());
    workspace.app.urls = RequestUrls {
        commands: url.clone(),
        interactivity: url.clone(),
        events: url,
    };
    (workspace.open().await.unwrap(), app)
}

async fn until(slack: &Slack, what: &str, is_so: impl Fn() -> bool) {
    let mut changes = slack.changes();
    let waiting = async {
        while !is_so() {
            // An app's own notes are no change of the workspace.
            timeout(Duration::from_millis(20), changes.changed())
                .await
                .ok();
        }
    };
    assert!(
        timeout(PATIENCE, waiting).await.is_ok(),
        "waited in vain until {what}"
    );
}

/// The app says this in the channel.
async fn posts(slack: &Slack, blocks: Value) -> Place {
    let args = json!({ "channel": OPS, "text": "Lunch?", "blocks": blocks });
    let answer = calls(slack, "chat.postMessage", args).await;
    Place::Message {
        channel: OPS.to_owned(),
        ts: answer["ts"].as_str().unwrap().to_owned(),
    }
}

/// The app's own; the product's keeps to its own Slack.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The app calls a method, and it works.
async fn calls(slack: &Slack, method: &str, args: Value) -> Value {
    let answer = client()
        .post(format!("{}/{method}", slack.url()))
        .bearer_auth(TOKEN)
        .header("content-type", "application/json; charset=utf-8")
        .body(args.to_string())
        .send()
        .await
        .unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(answer["ok"], true, "{answer}");
    answer
}

fn buttons() -> Value {
    json!([
        { "type": "section", "block_id": "ask", "text": { "type": "mrkdwn", "text": "Lunch?" } },
        { "type": "actions", "block_id": "answer", "elements": [
            { "type": "button", "action_id": "yes", "text": { "type": "plain_text", "text": "Yes" }, "value": "1" },
            { "type": "static_select", "action_id": "where", "options": [option("Here"), option("There")] },
        ] },
    ])
}

fn option(text: &str) -> Value {
    json!({ "text": { "type": "plain_text", "text": text }, "value": text })
}

/// What only that person is told, oldest first.
fn told(slack: &Slack, user: &str) -> Vec<String> {
    let world = slack.world();
    let all = world.channels[OPS].messages.iter();
    all.filter(|message| message.only_for.as_deref() == Some(user))
        .map(|message| message.now().text.clone())
        .collect()
}

/// The names of all fields, with those of fields within.
fn keys(value: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        all.insert(name.clone());
        all.extend(
            keys(value)
                .into_iter()
                .map(|inner| format!("{name}.{inner}")),
        );
    }
    for item in value.as_array().into_iter().flatten() {
        all.extend(keys(item));
    }
    all
}

/// Every field of a real payload is there. `but`: what only other workspaces have.
#[track_caller]
fn has_all_of(ours: &Value, sample: &str, but: &[&str]) {
    let sample: Value = serde_json::from_str(sample).unwrap();
    let missing: Vec<_> = keys(&sample).difference(&keys(ours)).cloned().collect();
    let missing: Vec<_> = missing
        .iter()
        .filter(|key| !but.contains(&key.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?} are not in {ours:#}");
}
