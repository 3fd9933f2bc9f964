//! The sandbox's switches, as a program uses them.

use std::{sync::Arc, time::Duration};

use daily_ops::{
    command::Transport,
    sandbox::{Office, Options, page::Page},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::sync::watch;

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
        for _ in 0..600 {
            if let Some(found) = find(&self.get(path).await) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited in vain: {}", self.get(path).await);
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
    switches
        .until("/messages?channel=ops&user=anna", |_| Some(()))
        .await;
    let mut acked = Value::Null;
    for _ in 0..600 {
        acked = switches.post("/command", command.clone()).await;
        if acked["acked"] == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
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
