//! What people ask, built and signed as Slack does it, and whether it was acked.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use url::form_urlencoded::Serializer;

use super::node::SIGNING;
use crate::world::slack::{driver::sign, web_api::TEAM};

/// How long Slack waits.
const PATIENCE: Duration = Duration::from_secs(3);

/// What has to come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// One decision, whatever others do.
    Certain { key: String, verb: &'static str },
    /// One decision about it, by whoever came first.
    Shared { key: String, verb: &'static str },
    /// One decision, or none because of somebody else's.
    Contested,
    /// One round, or the one that is under way there.
    Round { channel: String },
    /// Nothing that is kept.
    Look,
}

/// One request of a person of its own, so that all that comes of it can be told from the rest.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) user: String,
    pub(super) wish: Wish,
    path: &'static str,
    body: String,
    pub(super) acked: bool,
    pub(super) sent: usize,
}

impl Request {
    fn new(user: String, wish: Wish, path: &'static str, body: String) -> Self {
        Self {
            user,
            wish,
            path,
            body,
            acked: false,
            sent: 0,
        }
    }

    pub(super) fn command(
        user: String,
        wish: Wish,
        channel: &str,
        text: &str,
        reply: &str,
    ) -> Self {
        let body = Serializer::new(String::new())
            .append_pair("command", "/ops")
            .append_pair("text", text)
            .append_pair("team_id", TEAM)
            .append_pair("user_id", &user)
            .append_pair("channel_id", channel)
            .append_pair("response_url", reply)
            .append_pair("trigger_id", &format!("1.2.{user}"))
            .finish();
        Self::new(user, wish, "/slack/commands", body)
    }

    /// `button` is the element of the message that was clicked.
    pub(super) fn click(user: String, wish: Wish, at: &Place, button: &Value, reply: &str) -> Self {
        let payload = json!({
            "type": "block_actions", "user": { "id": user, "team_id": TEAM }, "team": { "id": TEAM },
            "container": { "type": "message", "message_ts": at.ts, "channel_id": at.channel },
            "channel": { "id": at.channel }, "trigger_id": format!("1.2.{user}"), "response_url": reply,
            "actions": [button],
        });
        Self::interaction(user, wish, &payload)
    }

    /// A form over the finding that `item` stands for.
    pub(super) fn form(
        user: String,
        wish: Wish,
        at: &Place,
        form: &str,
        item: &str,
        answer: Value,
    ) -> Self {
        let payload = json!({
            "type": "view_submission", "user": { "id": user, "team_id": TEAM }, "team": { "id": TEAM },
            "view": {
                "id": format!("V{user}"), "hash": "1.a", "type": "modal", "callback_id": form,
                "private_metadata": format!("{item}|{}|{}", at.channel, at.ts),
                "state": { "values": { "answer": { "answer": answer } } },
            },
        });
        Self::interaction(user, wish, &payload)
    }

    fn interaction(user: String, wish: Wish, payload: &Value) -> Self {
        let body = Serializer::new(String::new())
            .append_pair("payload", &payload.to_string())
            .finish();
        Self::new(user, wish, "/slack/interactions", body)
    }

    /// What its person alone was told.
    pub(super) fn answer_in(&self, told: &[(String, Value)]) -> Vec<String> {
        let own = told
            .iter()
            .filter(|(address, _)| self.body.contains(address.as_str()));
        own.map(|(_, answer)| answer["text"].to_string()).collect()
    }

    /// Delivers it once, in this second's name. True if it was acked.
    pub(super) async fn deliver(&mut self, to: SocketAddr) -> bool {
        self.sent += 1;
        let status = timeout(
            PATIENCE,
            post(to, self.path, self.body.as_bytes(), self.sent),
        )
        .await;
        let acked = matches!(status, Ok(Some(200)));
        if let Ok(Some(status)) = status {
            assert!(
                matches!(status, 200 | 503),
                "{status} to a request that is right: {}",
                self.body
            );
        }
        self.acked |= acked;
        acked
    }
}

/// Where a message stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) channel: String,
    pub(super) ts: String,
}

/// The status; none if the connection fails or ends before.
async fn post(to: SocketAddr, path: &str, body: &[u8], time: usize) -> Option<u16> {
    #[expect(clippy::disallowed_methods, reason = "signed in the time of the test")]
    let timestamp = chrono::Utc::now().timestamp().to_string();
    let signature = sign(SIGNING, &timestamp, body);
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: bot\r\nconnection: close\r\ncontent-length: {}\r\n\
         x-slack-request-timestamp: {timestamp}\r\nx-slack-signature: {signature}\r\n",
        body.len(),
    );
    if time > 1 {
        head.push_str(&format!("x-slack-retry-num: {}\r\n", time - 1));
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(to).await.ok()?;
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body).await.ok()?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
    }
    let line = String::from_utf8_lossy(&answer);
    line.split(' ').nth(1)?.parse().ok()
}
