//! What people do in Slack: they type, click and fill in, and the app is told.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use url::{Url, form_urlencoded};

use super::{Slack, Version, Workspace};

/// Slack waits so long for the ack.
const ACK: Duration = Duration::from_secs(3);

/// Where an element is that somebody uses.
#[derive(Clone, Debug)]
pub enum Place {
    Message {
        channel: String,
        ts: String,
    },
    /// A modal or an App Home, by its id.
    View(String),
}

/// What somebody does with an element: Slack's own fields of the action, such as `{"value": ...}` for a button or
/// `{"selected_option": ...}` for a menu.
pub type Chosen = Value;

/// What became of a request to the app.
#[derive(Clone, Debug)]
pub enum Delivered {
    Acked {
        after: Duration,
        body: Value,
    },
    /// As Slack names it: `operation_timeout`, `dispatch_failed`.
    Failed(&'static str),
}

impl Slack {
    /// Somebody sends a line that begins with a slash.
    pub async fn command(&self, user: &str, channel: &str, line: &str) -> Delivered {
        let (command, text) = line.split_once(' ').unwrap_or((line, ""));
        let response_url = self.response_url(user, channel, None);
        let (form, url) = {
            let mut world = self.world();
            let trigger = world.trigger(user);
            let fields = [
                ("token", "deprecated"),
                ("team_id", &world.team),
                ("team_domain", "acme"),
                ("channel_id", channel),
                ("channel_name", &world.channels[channel].name),
                ("user_id", user),
                ("user_name", &user.to_lowercase()),
                ("command", command),
                ("text", text.trim()),
                ("api_app_id", &world.app.id),
                ("is_enterprise_install", "false"),
                ("response_url", &response_url),
                ("trigger_id", &trigger),
            ];
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            (form, world.app.urls.commands.clone())
        };
        let delivered = self.deliver(url, form).await;
        if let Delivered::Failed(why) = &delivered {
            let mut world = self.world();
            let version = Version::of(format!("{command} failed with the error \"{why}\""));
            world.add_for(channel, "USLACKBOT", user, version);
        }
        delivered
    }

    /// Somebody uses an element.
    pub async fn act(
        &self,
        user: &str,
        place: &Place,
        block: &str,
        action: &str,
        chosen: Chosen,
    ) -> Delivered {
        let Place::Message { channel, ts } = place else {
            return Delivered::Failed("dispatch_failed");
        };
        let response_url = self.response_url(user, channel, Some(ts));
        let (payload, url) = {
            let mut world = self.world();
            let trigger = world.trigger(user);
            let message = message(&world, channel, ts);
            let mut used = chosen;
            used["action_id"] = action.into();
            used["block_id"] = block.into();
            used["action_ts"] = world.ts().into();
            let payload = json!({
                "type": "block_actions", "user": person(&world, user), "api_app_id": world.app.id,
                "token": "deprecated", "trigger_id": trigger, "team": { "id": world.team, "domain": "acme" },
                "enterprise": null, "is_enterprise_install": false,
                "container": {
                    "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": false,
                },
                "channel": { "id": channel, "name": world.channels[channel].name },
                "message": message, "state": { "values": {} }, "response_url": response_url, "actions": [used],
            });
            (payload, world.app.urls.interactivity.clone())
        };
        self.deliver(url, interaction(&payload)).await
    }

    /// Somebody sends a modal off. `state`: Slack's `values`.
    pub async fn submit(&self, user: &str, view: &str, state: Value) -> Delivered {
        let (payload, url) = {
            let mut world = self.world();
            let trigger = world.trigger(user);
            let Some(open) = world.views.iter().find(|it| it.id == view) else {
                return Delivered::Failed("dispatch_failed");
            };
            let mut shown = open.now().clone();
            shown["id"] = open.id.clone().into();
            shown["hash"] = open.hash.clone().into();
            shown["team_id"] = world.team.clone().into();
            shown["state"] = json!({ "values": state });
            let payload = json!({
                "type": "view_submission", "user": person(&world, user), "api_app_id": world.app.id,
                "token": "deprecated", "trigger_id": trigger, "team": { "id": world.team, "domain": "acme" },
                "enterprise": null, "is_enterprise_install": false, "response_urls": [], "view": shown,
            });
            (payload, world.app.urls.interactivity.clone())
        };
        let delivered = self.deliver(url, interaction(&payload)).await;
        if let Delivered::Acked { .. } = &delivered {
            let mut world = self.world();
            if let Some(view) = world.views.iter_mut().find(|it| it.id == view) {
                view.is_open = false;
            }
        }
        delivered
    }

    /// Somebody closes a modal.
    pub async fn close(&self, user: &str, view: &str) {
        let mut world = self.world();
        let open = world.views.iter_mut();
        for view in open.filter(|it| it.id == view && it.user == user) {
            view.is_open = false;
        }
    }

    async fn deliver(&self, url: Option<Url>, body: String) -> Delivered {
        let Some(url) = url else {
            return Delivered::Failed("dispatch_failed");
        };
        let (now, secret) = {
            let world = self.world();
            (world.now(), world.app.signing_secret.clone())
        };
        let timestamp = now.timestamp().to_string();
        let request = Request::post(url.as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-slack-request-timestamp", &timestamp)
            .header(
                "x-slack-signature",
                sign(&secret, &timestamp, body.as_bytes()),
            )
            .body(Full::new(Bytes::from(body)));
        let Ok(request) = request else {
            return Delivered::Failed("dispatch_failed");
        };
        let client: Client<HttpConnector, Full<Bytes>> =
            Client::builder(TokioExecutor::new()).build_http();
        let since = Instant::now();
        let answered = timeout(ACK, async {
            let answer = client.request(request).await.ok()?;
            let status = answer.status();
            let body = answer.into_body().collect().await.ok()?.to_bytes();
            status.is_success().then_some(body)
        });
        match answered.await {
            Ok(Some(body)) => Delivered::Acked {
                after: since.elapsed(),
                body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            },
            Ok(None) => Delivered::Failed("dispatch_failed"),
            Err(_) => Delivered::Failed("operation_timeout"),
        }
    }
}

/// `v0`: <https://docs.slack.dev/authentication/verifying-requests-from-slack>.
fn sign(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("v0:{timestamp}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

fn interaction(payload: &Value) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("payload", &payload.to_string())
        .finish()
}

fn person(world: &Workspace, user: &str) -> Value {
    let team = world.users.get(user).map_or("", |member| &member.team);
    json!({ "id": user, "username": user.to_lowercase(), "name": user.to_lowercase(), "team_id": team })
}

fn message(world: &Workspace, channel: &str, ts: &str) -> Value {
    let messages = world.channels.get(channel).map(|it| &it.messages);
    let found = messages.and_then(|all| all.iter().find(|message| message.ts == ts));
    found.map_or(Value::Null, |message| world.shown(message, true))
}
