//! What people do in Slack, built and signed as Slack does it.

use std::net::SocketAddr;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::form_urlencoded;

/// Somebody in a workspace.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) user: &'static str,
    /// The workspace of the account.
    pub(crate) team: Option<&'static str>,
    /// The workspace where it happens; none where the app is installed for the organisation.
    pub(crate) here: Option<&'static str>,
    pub(crate) enterprise: Option<&'static str>,
}

impl Default for Who {
    fn default() -> Self {
        Self {
            user: "U012ANNA",
            team: Some("T0HOME"),
            here: Some("T0HOME"),
            enterprise: None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) by: Who,
    pub(crate) text: String,
    pub(crate) trigger: String,
}

impl Command {
    pub(crate) fn new(text: &str, trigger: &str) -> Self {
        Self {
            by: Who::default(),
            text: text.to_owned(),
            trigger: trigger.to_owned(),
        }
    }

    pub(crate) fn payload(&self) -> Value {
        let mut payload = json!({
            "token": "gone", "team_domain": "acme", "channel_id": "C0OPS", "channel_name": "ops",
            "user_id": self.by.user, "user_name": "anna", "command": "/ops", "text": self.text,
            "api_app_id": "A0", "is_enterprise_install": self.by.here.is_none().to_string(),
            "response_url": "https://hooks.slack.com/commands/T0HOME/1/x", "trigger_id": self.trigger,
        });
        if let Some(team) = self.by.here {
            payload["team_id"] = team.into();
        }
        if let Some(enterprise) = self.by.enterprise {
            payload["enterprise_id"] = enterprise.into();
        }
        payload
    }

    pub(crate) fn form(&self) -> String {
        let payload = self.payload();
        let fields = payload.as_object().unwrap().iter();
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields.map(|(name, value)| (name, value.as_str().unwrap())))
            .finish()
    }
}

/// A button that is pressed, or an entry of a menu that is chosen.
#[derive(Clone, Debug)]
pub(crate) struct Click {
    pub(crate) by: Who,
    pub(crate) channel: &'static str,
    pub(crate) message: &'static str,
    pub(crate) action: &'static str,
    pub(crate) block: String,
    pub(crate) value: String,
    pub(crate) at: String,
}

impl Click {
    pub(crate) fn on(action: &'static str, value: &str, at: &str) -> Self {
        Self {
            by: Who::default(),
            channel: "C0OPS",
            message: "1700000000.000100",
            action,
            block: "b7Q".to_owned(),
            value: value.to_owned(),
            at: at.to_owned(),
        }
    }

    pub(crate) fn payload(&self) -> Value {
        let mut action =
            json!({ "action_id": self.action, "block_id": self.block, "action_ts": self.at });
        if self.action == "more" {
            action["type"] = "overflow".into();
            action["selected_option"] = json!({ "text": { "type": "plain_text", "text": "Note", "emoji": true }, "value": self.value });
        } else {
            action["type"] = "button".into();
            action["text"] = json!({ "type": "plain_text", "text": "Acknowledge", "emoji": true });
            action["value"] = self.value.clone().into();
        }
        json!({
            "type": "block_actions", "user": user(&self.by), "api_app_id": "A0", "token": "gone",
            "container": {
                "type": "message", "message_ts": self.message, "channel_id": self.channel, "is_ephemeral": false
            },
            "trigger_id": format!("1.2.{}", self.at), "team": team(&self.by), "enterprise": enterprise(&self.by),
            "is_enterprise_install": self.by.here.is_none(), "channel": { "id": self.channel, "name": "ops" },
            "message": {
                "type": "message", "user": "UBOT", "ts": self.message, "bot_id": "B0", "app_id": "A0",
                "text": "Daily ops", "blocks": [{ "type": "actions", "block_id": self.block, "elements": [action] }],
                "metadata": { "event_type": "daily_ops", "event_payload": { "message": "00000000000000aa" } },
            },
            "state": { "values": {} }, "response_url": "https://hooks.slack.com/actions/T0HOME/1/x",
            "actions": [action],
        })
    }
}

/// A form that is sent off.
#[derive(Clone, Debug)]
pub(crate) struct Submission {
    pub(crate) by: Who,
    pub(crate) form: &'static str,
    pub(crate) view: String,
    pub(crate) hash: String,
    /// What the modal carries: item, channel, message.
    pub(crate) from: String,
    /// The input's state.
    pub(crate) answer: Value,
}

impl Submission {
    pub(crate) fn of(form: &'static str, answer: Value) -> Self {
        Self {
            by: Who::default(),
            form,
            view: "V1".to_owned(),
            hash: "1.a".to_owned(),
            from: "00000000000000aa.3.0|C0OPS|1700000000.000100".to_owned(),
            answer,
        }
    }

    pub(crate) fn payload(&self) -> Value {
        json!({
            "type": "view_submission", "team": team(&self.by), "user": user(&self.by), "api_app_id": "A0",
            "token": "gone", "trigger_id": "1.2.3", "enterprise": enterprise(&self.by),
            "is_enterprise_install": self.by.here.is_none(), "response_urls": [],
            "view": {
                "id": self.view, "team_id": self.by.here, "type": "modal", "callback_id": self.form,
                "private_metadata": self.from, "hash": self.hash, "root_view_id": self.view,
                "state": { "values": { "answer": { "answer": self.answer } } },
                "title": { "type": "plain_text", "text": "Note" }, "blocks": [],
            },
        })
    }
}

fn user(who: &Who) -> Value {
    let mut user = json!({ "id": who.user, "username": "anna", "name": "anna" });
    if let Some(team) = who.team {
        user["team_id"] = team.into();
    }
    user
}

fn team(who: &Who) -> Value {
    who.here
        .map_or(Value::Null, |id| json!({ "id": id, "domain": "acme" }))
}

fn enterprise(who: &Who) -> Value {
    who.enterprise
        .map_or(Value::Null, |id| json!({ "id": id, "name": "Acme" }))
}

/// An interaction as it is posted.
pub(crate) fn interaction_form(payload: &Value) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &payload.to_string())
        .finish()
}

pub(crate) fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Slack's side of HTTP.
#[derive(Clone)]
pub(crate) struct Slack {
    pub(crate) to: SocketAddr,
    pub(crate) secret: &'static str,
    pub(crate) now: DateTime<Utc>,
    /// Sent with everything.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Slack {
    pub(crate) fn with_secret(&self, secret: &'static str) -> Self {
        Self {
            secret,
            ..self.clone()
        }
    }

    /// What was signed that long ago.
    pub(crate) fn late_by(&self, seconds: i64) -> Self {
        Self {
            now: self.now - TimeDelta::seconds(seconds),
            ..self.clone()
        }
    }

    pub(crate) fn retry(&self, number: u8) -> Self {
        let mut headers = self.headers.clone();
        headers.push(("x-slack-retry-num", number.to_string()));
        headers.push(("x-slack-retry-reason", "http_timeout".to_owned()));
        Self {
            headers,
            ..self.clone()
        }
    }

    pub(crate) async fn command(&self, command: &Command) -> Answer {
        self.post("/slack/commands", command.form().as_bytes())
            .await
    }

    pub(crate) async fn click(&self, click: &Click) -> Answer {
        self.interact(&click.payload()).await
    }

    pub(crate) async fn submit(&self, submission: &Submission) -> Answer {
        self.interact(&submission.payload()).await
    }

    pub(crate) async fn interact(&self, payload: &Value) -> Answer {
        let form = interaction_form(payload);
        self.post("/slack/interactions", form.as_bytes()).await
    }

    pub(crate) async fn event(&self, payload: &Value) -> Answer {
        self.post("/slack/events", payload.to_string().as_bytes())
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.to).await.unwrap();
        let head = self.head(path, body, true);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        answer(&mut stream).await.expect("it is answered")
    }

    /// The head of a request, signed for its body.
    pub(crate) fn head(&self, path: &str, body: &[u8], is_last: bool) -> String {
        let timestamp = self.now.timestamp().to_string();
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nhost: bot\r\ncontent-length: {}\r\nx-slack-request-timestamp: {timestamp}\r\n\
             x-slack-signature: {}\r\n",
            body.len(),
            sign(self.secret, &timestamp, body),
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if is_last {
            head.push_str("connection: close\r\n");
        }
        head.push_str("\r\n");
        head
    }
}

/// The answer that comes, or nothing where the connection ends without.
pub(crate) async fn answer(stream: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head
        .to_lowercase()
        .split_once("content-length: ")
        .and_then(|(_, rest)| rest.split("\r\n").next()?.parse().ok())
        .unwrap_or(0);
    while bytes.len() < length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes).unwrap();
    Some(Answer { status, body })
}
