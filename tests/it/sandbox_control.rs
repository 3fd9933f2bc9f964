//! The sandbox's switches, as a program uses them.

use std::{sync::Arc, time::Duration};

use daily_ops::{
    command::Transport,
    sandbox::{Office, Options, page::Page},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

struct Switches {
    base: String,
    http: Client,
    stop: watch::Sender<bool>,
    office: Arc<Office>,
}

impl Switches {
    #[expect(clippy::disallowed_methods, reason = "a program of somebody else asks")]
    async fn open() -> Self {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let options = Options {
            keep: None,
            transport: Transport::Http,
            scenario: Some("broken-cart".to_owned()),
        };
        let office = Arc::new(Office::open(&options).await.expect("it opens"));
        let page = Page::bind(0).await.expect("a port is free");
        let base = format!("http://{}/control", page.address);
        let (stop, shutdown) = watch::channel(false);
        tokio::spawn(page.serve(Arc::clone(&office), shutdown));
        Self {
            base,
            http: Client::builder()
                .no_proxy()
                .build()
                .expect("it is a client"),
            stop,
            office,
        }
    }

    async fn ask(&self, method: Method, path: &str, said: Value) -> (u16, String) {
        let request = self.http.request(method, format!("{}{path}", self.base));
        let answer = request.body(said.to_string()).send().await;
        let answer = answer.expect("it answers");
        (
            answer.status().as_u16(),
            answer.text().await.expect("it is text"),
        )
    }

    async fn get(&self, path: &str) -> Value {
        let (status, text) = self.ask(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("it is JSON")
    }

    async fn put(&self, path: &str, said: Value) -> Value {
        let (status, text) = self.ask(Method::PUT, path, said).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("it is JSON")
    }

    async fn post(&self, path: &str, said: Value) -> Value {
        let (status, text) = self.ask(Method::POST, path, said).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str(&text).expect("it is JSON")
    }

    /// The first thing in what is there that is so, once it is.
    async fn until<T>(&self, path: &str, find: impl Fn(&Value) -> Option<T>) -> T {
        let mut changes = self.office.slack.changes();
        let finding = async {
            loop {
                if let Some(found) = find(&self.get(path).await) {
                    return found;
                }
                changes.changed().await.expect("it is open");
            }
        };
        match timeout(Duration::from_secs(30), finding).await {
            Ok(found) => found,
            Err(_) => panic!("waited in vain: {}", self.get(path).await),
        }
    }

    /// The bot asks who it is as soon as it listens.
    async fn until_the_bot_listens(&self) {
        let mut changes = self.office.slack.changes();
        let asked = async {
            while self.office.slack.world().called("auth.test") == 0 {
                changes.changed().await.expect("it is open");
            }
        };
        let asked = timeout(Duration::from_secs(30), asked).await;
        asked.expect("the bot begins");
    }

    async fn close(self) {
        self.stop.send_replace(true);
        self.office.close().await.expect("it ends well");
    }
}

/// The `ts` of a message with a button of that value's beginning, and the button.
fn button(messages: &Value, action: &str) -> Option<(String, Value)> {
    let messages = messages["messages"].as_array()?;
    messages.iter().find_map(|message| {
        let blocks = message["blocks"].as_array()?;
        let elements = blocks
            .iter()
            .filter_map(|block| block["elements"].as_array());
        let mut buttons = elements.flatten();
        let found = buttons.find(|it| it["type"] == "button" && it["text"]["text"] == action)?;
        Some((message["ts"].as_str()?.to_owned(), found.clone()))
    })
}

#[tokio::test]
async fn a_program_types_clicks_fills_in_and_sees_what_became_of_it() {
    let switches = Switches::open().await;
    let command = json!({ "user": "anna", "channel": "#ops", "line": "/ops daily" });
    switches.until_the_bot_listens().await;
    let acked = switches.post("/command", command).await;
    assert_eq!(acked["acked"], true, "{acked}");
    let (ts, found) = switches
        .until("/messages?channel=ops", |it| button(it, "Acknowledge"))
        .await;
    let click = json!({
        "user": "anna", "channel": "ops", "ts": ts, "action_id": found["action_id"], "value": found["value"],
    });
    assert_eq!(switches.post("/click", click).await["acked"], true);
    let deliveries = switches.get("/deliveries").await;
    let all = deliveries["deliveries"].as_array().expect("it is a list");
    assert_eq!(all.last().expect("there is one")["name"], "block_actions");
    let (_, calls) = switches.ask(Method::GET, "/calls", Value::Null).await;
    assert!(
        calls
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
    assert!(calls.contains("chat.postMessage") && !calls.contains("xoxb-"));
    switches.close().await;
}

#[tokio::test]
async fn a_program_says_edits_reacts_and_uses_shortcuts() {
    let switches = Switches::open().await;
    switches.until_the_bot_listens().await;
    let said = json!({ "user": "anna", "channel": "ops", "text": "hello" });
    let said = switches.post("/message", said).await;
    let on = |more: Value| {
        let mut asked = json!({ "user": "anna", "channel": "ops", "ts": said["ts"] });
        for (name, value) in more.as_object().into_iter().flatten() {
            asked[name] = value.clone();
        }
        asked
    };
    switches.post("/edit", on(json!({ "text": "bye" }))).await;
    let wave = on(json!({ "name": ":wave:" }));
    let put = switches.post("/reaction", wave.clone()).await;
    assert_eq!(put["reactions"], json!({ "wave": ["U0ANNA"] }));
    let taken = switches.post("/reaction", wave).await;
    assert_eq!(taken["reactions"], json!({}));
    let all = switches.get("/messages?channel=ops").await;
    let all = all["messages"].as_array().expect("it is a list");
    assert!(
        all.iter()
            .any(|it| it["ts"] == said["ts"] && it["text"] == "bye")
    );
    for asked in [
        json!({ "user": "anna", "callback_id": "unknown" }),
        on(json!({ "callback_id": "unknown" })),
    ] {
        let answer = switches.post("/shortcut", asked).await;
        assert!(answer["acked"].is_boolean(), "{answer}");
    }
    let names: Vec<_> = {
        let world = switches.office.slack.world();
        let all = world.delivery.deliveries.iter();
        all.map(|it| it.name.clone()).collect()
    };
    assert_eq!(names, ["shortcut", "message_action"]);
    assert_eq!(switches.get("/sockets").await["open"], 0);
    switches.post("/sockets", json!({ "end": "warning" })).await;
    switches.close().await;
}

#[tokio::test]
async fn faults_the_scenario_and_the_time_are_switched_and_shown() {
    let switches = Switches::open().await;
    let (_, help) = switches.ask(Method::GET, "", Value::Null).await;
    assert!(help.contains("PUT    /control/faults"), "{help}");
    let fault =
        json!({ "method": "response_url", "fault": "rate_limited", "seconds": 7, "times": 2 });
    let shown = switches.put("/faults", fault).await;
    assert_eq!(
        shown["faults"],
        json!([{ "method": "response_url", "fault": "rate_limited", "seconds": 7, "left": 2 }])
    );
    let (_, healed) = switches.ask(Method::DELETE, "/faults", Value::Null).await;
    assert_eq!(healed, r#"{"faults":[],"rate_limits":false}"#);
    let way = switches
        .put("/transport", json!({ "duplicate": true }))
        .await;
    assert_eq!(
        (&way["duplicate"], &way["refuse"]),
        (&json!(true), &json!(false))
    );
    let played = switches.put("/scenario", json!({ "name": "quiet" })).await;
    assert_eq!(played["playing"], "quiet");
    let all = switches.get("/switches").await;
    let switch = &all["switches"][0];
    let worst = &switch["choices"]
        .as_array()
        .and_then(|all| all.last())
        .expect("there is one")["value"];
    let turned = switches
        .put(
            "/switches",
            json!({ "name": switch["name"], "value": worst }),
        )
        .await;
    assert_eq!(turned["switches"][0]["value"], *worst);
    let before = switches.get("/time").await;
    let after = switches.post("/time", json!({ "by": "1h 30m" })).await;
    assert_ne!(before, after);
    switches.close().await;
}

#[tokio::test]
async fn a_refusal_says_what_is_right() {
    let switches = Switches::open().await;
    for (method, path, said, words) in [
        (
            Method::PUT,
            "/faults",
            json!({ "fault": "gremlins" }),
            "rate_limited",
        ),
        (
            Method::PUT,
            "/faults",
            json!({ "method": "chat.shout", "fault": "stall" }),
            "chat.shout",
        ),
        (
            Method::PUT,
            "/faults",
            json!({ "fault": "refused", "code": "no" }),
            "channel_not_found",
        ),
        (
            Method::PUT,
            "/faults",
            json!({ "falt": "stall" }),
            "unknown field",
        ),
        (
            Method::PUT,
            "/scenario",
            json!({ "name": "quite" }),
            "quiet",
        ),
        (Method::POST, "/time", json!({ "by": "soon" }), "1h 30m"),
        (
            Method::POST,
            "/time",
            json!({ "by": "290000years" }),
            "365days",
        ),
        (
            Method::POST,
            "/command",
            json!({ "user": "zoe", "channel": "ops", "line": "/ops" }),
            "Anna",
        ),
        (
            Method::POST,
            "/command",
            json!({ "user": "anna", "channel": "lunch", "line": "/ops" }),
            "general",
        ),
        (
            Method::POST,
            "/click",
            json!({ "user": "anna", "action_id": "x" }),
            "`view`",
        ),
        (
            Method::POST,
            "/submit",
            json!({ "user": "anna", "view": "V1" }),
            "no open view",
        ),
        (
            Method::POST,
            "/message",
            json!({ "user": "anna", "channel": "ops", "text": "x", "thread_ts": "1.2" }),
            "no message",
        ),
        (
            Method::POST,
            "/suggest",
            json!({ "user": "anna", "action_id": "x" }),
            "`view`",
        ),
        (
            Method::POST,
            "/sockets",
            json!({ "end": "softly" }),
            "refresh_requested",
        ),
        (Method::GET, "/nowhere", Value::Null, "GET /control"),
    ] {
        let (status, text) = switches.ask(method, path, said).await;
        assert!((400..500).contains(&status), "{status} {text}");
        let answer: Value = serde_json::from_str(&text).expect("it is JSON");
        let why = answer["error"].as_str().expect("it says why");
        assert!(why.contains(words), "{why}");
    }
    let from_elsewhere = switches
        .http
        .get(&switches.base)
        .header("origin", "https://evil.example");
    assert_eq!(
        from_elsewhere
            .send()
            .await
            .expect("it answers")
            .status()
            .as_u16(),
        403
    );
    switches.close().await;
}
