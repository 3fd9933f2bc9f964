//! Apps written with Slack's own frameworks run against the local Slack; tests/contract/bolt.sh brings them.

use std::{path::Path, process::Stdio, time::Duration};

use daily_ops::sandbox::{
    slack::{self, ALL_EVENTS, ANNA, BEN, Delivered, OPS, Place, RequestUrls, Slack, Workspace},
    time::Time,
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::world::{ports::free_address, skipped::needs};

const PATIENCE: Duration = Duration::from_secs(30);

/// An app at work in a workspace.
struct Stage {
    slack: Slack,
    _app: Child,
}

impl Stage {
    /// `app`: `app.js` or `app.py`. None: Bolt is not at hand.
    async fn set(app: &str, by_socket: bool) -> Option<Self> {
        let folder = needs("BOLT_FOLDER", "apps written with Slack's own frameworks")?;
        let mut workspace = Workspace::new(Time::real());
        workspace.app.events = ALL_EVENTS.into();
        workspace.app.scopes = [
            "app_mentions:read",
            "channels:history",
            "channels:read",
            "chat:write",
            "commands",
            "groups:history",
            "im:history",
            "reactions:read",
            "users:read",
        ]
        .into();
        let port = free_address().port();
        let url = format!("http://127.0.0.1:{port}/slack/events").parse().ok();
        if !by_socket {
            workspace.app.urls = RequestUrls {
                commands: url.clone(),
                interactivity: url.clone(),
                events: url,
            };
        }
        let slack = workspace.open().await.expect("it opens");
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/contract/bolt")
            .join(app);
        let mut command = if app == "app.js" {
            let mut node = Command::new("node");
            node.env("NODE_PATH", format!("{folder}/node_modules"));
            node
        } else {
            Command::new(format!("{folder}/venv/bin/python"))
        };
        command
            .arg(source)
            .env("SLACK_API_URL", format!("{}/", slack.url()))
            .env("SLACK_BOT_TOKEN", slack::TOKEN)
            .env("SLACK_APP_TOKEN", slack::APP_TOKEN)
            .env("SLACK_SIGNING_SECRET", slack::SIGNING_SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if !by_socket {
            command.env("PORT", port.to_string());
        }
        let mut app = command.spawn().expect("the app starts");
        let mut lines = BufReader::new(app.stdout.take().expect("it is piped")).lines();
        let ready = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line == "ready" {
                    return true;
                }
            }
            false
        };
        assert!(
            timeout(PATIENCE, ready).await.expect("it starts in time"),
            "the app ended"
        );
        // Nobody reads further; a full pipe would stop the app.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let stage = Self { slack, _app: app };
        if by_socket {
            stage
                .until("a socket is open", |slack| slack.sockets() > 0)
                .await;
        }
        Some(stage)
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Slack) -> bool) {
        let mut changes = self.slack.changes();
        let waiting = async {
            while !is_so(&self.slack) {
                changes.changed().await.expect("it is open");
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            let world = self.slack.world();
            panic!(
                "waited in vain until {what}:\n{:#?}\n{:#?}",
                world.channels[OPS], world.calls
            );
        }
    }

    /// Until somebody says exactly that in the channel. Returns its `ts`.
    async fn until_said(&self, text: &str) -> String {
        let said = |slack: &Slack| {
            let world = slack.world();
            let mut all = world.channels[OPS].messages.iter();
            all.find(|message| message.now().text == text)
                .map(|message| message.ts.clone())
        };
        self.until(&format!("`{text}` is said"), |slack| said(slack).is_some())
            .await;
        said(&self.slack).expect("it was said")
    }

    async fn types(&self, line: &str) {
        acked(&self.slack.command(ANNA, OPS, line).await);
    }

    /// The view that Anna sees, once one is open.
    async fn form(&self) -> String {
        let open = |slack: &Slack| {
            let world = slack.world();
            let open = world.views.iter().rev().find(|view| view.is_open);
            open.map(|view| view.id.clone())
        };
        self.until("a modal is open", |slack| open(slack).is_some())
            .await;
        open(&self.slack).expect("it is open")
    }

    async fn presses(&self, ts: &str, action: &str) {
        let place = Place::Message {
            channel: OPS.to_owned(),
            ts: ts.to_owned(),
        };
        acked(
            &self
                .slack
                .act(ANNA, &place, "decide", action, json!({}))
                .await,
        );
    }

    async fn orders_and_approves(&self, what: &str) {
        self.types(&format!("/order {what}")).await;
        let ts = self.until_said(&format!("Order: {what}")).await;
        self.presses(&ts, "approve").await;
        self.until("the message is updated", |slack| {
            let world = slack.world();
            let message = world.channels[OPS]
                .messages
                .iter()
                .find(|message| message.ts == ts);
            message.is_some_and(|message| message.now().text == format!("Approved by <@{ANNA}>"))
        })
        .await;
    }

    async fn answers_in_acks(&self) {
        self.types("/quick").await;
        self.until_said("Right away").await;
        self.types("/shout lunch is ready").await;
        let ts = self.until_said("LUNCH IS READY").await;
        let world = self.slack.world();
        let message = world.channels[OPS]
            .messages
            .iter()
            .find(|message| message.ts == ts);
        assert_eq!(message.and_then(|message| message.only_for.clone()), None);
    }

    async fn fills_a_form_in(&self) {
        self.types("/order with reasons").await;
        let ts = self.until_said("Order: with reasons").await;
        self.presses(&ts, "details").await;
        let view = self.form().await;
        let place = Place::View(view.clone());
        let options = self
            .slack
            .suggest(ANNA, &place, "product", "product", "ap")
            .await;
        let names: Vec<_> = options.iter().map(|option| &option["value"]).collect();
        assert_eq!(names, ["apples", "apricots"]);
        let state = |reason: &str| {
            json!({
                "reason": { "reason": { "type": "plain_text_input", "value": reason } },
                "product": { "product": { "type": "external_select", "selected_option": options[1] } },
            })
        };
        acked(&self.slack.submit(ANNA, &view, state("no")).await);
        assert_eq!(
            self.slack.world().delivery.refused[&view]["reason"],
            "Say a little more"
        );
        assert_eq!(self.form().await, view, "it stays open");
        acked(&self.slack.submit(ANNA, &view, state("we are hungry")).await);
        self.until_said(&format!("<@{ANNA}> wants apricots: we are hungry"))
            .await;
        assert!(!self.slack.world().views.iter().any(|view| view.is_open));
    }

    async fn closes_a_form_and_uses_shortcuts(&self) {
        self.types("/order nothing").await;
        let ts = self.until_said("Order: nothing").await;
        self.presses(&ts, "details").await;
        let view = self.form().await;
        self.slack.close(ANNA, &view).await;
        self.until_said("Never mind then").await;
        acked(&self.slack.message_shortcut(ANNA, OPS, &ts, "quote").await);
        self.until("it is quoted", |slack| {
            let world = slack.world();
            world
                .replies
                .iter()
                .any(|(_, said)| said["text"] == "> Order: nothing")
        })
        .await;
        acked(&self.slack.shortcut(ANNA, "new_order").await);
        let view = self.form().await;
        self.slack.close(ANNA, &view).await;
    }

    async fn hears_events(&self) {
        let ts = self.slack.say(BEN, OPS, "good morning all", None);
        self.until_said(&format!("Good morning, <@{BEN}>")).await;
        self.slack.say(ANNA, OPS, "@Daily Ops are you there?", None);
        self.until_said(&format!("You called, <@{ANNA}>?")).await;
        self.slack.react(BEN, OPS, &ts, "wave");
        self.until_said(":wave: noted").await;
        self.slack.open_home(ANNA);
        self.until("the Home is there", |slack| {
            let world = slack.world();
            let home = world.homes.get(ANNA).map(|home| home.now().to_string());
            home.is_some_and(|home| home.contains("Welcome, <@U0ANNA>"))
        })
        .await;
    }

    async fn does_everything(&self) {
        self.orders_and_approves("bread").await;
        self.answers_in_acks().await;
        self.fills_a_form_in().await;
        self.closes_a_form_and_uses_shortcuts().await;
        self.hears_events().await;
    }

    /// Its sockets are renewed and broken, and it works on.
    async fn reconnects(&self) {
        for reason in ["warning", "refresh_requested"] {
            let before = self.slack.world().called("apps.connections.open");
            self.slack.refresh_sockets(reason);
            self.until(&format!("it reconnects after {reason}"), |slack| {
                slack.world().called("apps.connections.open") > before
                    && slack.has_settled_sockets()
            })
            .await;
            self.orders_and_approves(&format!("after {reason}")).await;
        }
        self.slack.drop_sockets();
        self.until("the socket is gone", |slack| slack.sockets() == 0)
            .await;
        self.until("it is back", |slack| slack.sockets() > 0).await;
        self.orders_and_approves("after the break").await;
    }
}

#[track_caller]
fn acked(delivered: &Delivered) {
    assert!(
        matches!(delivered, Delivered::Acked { .. }),
        "{delivered:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bolt_for_javascript_works_over_http() {
    if let Some(stage) = Stage::set("app.js", false).await {
        stage.does_everything().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bolt_for_javascript_works_over_socket_mode_and_reconnects() {
    if let Some(stage) = Stage::set("app.js", true).await {
        stage.does_everything().await;
        stage.reconnects().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bolt_for_python_works_over_http() {
    if let Some(stage) = Stage::set("app.py", false).await {
        stage.does_everything().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bolt_for_python_works_over_socket_mode_and_reconnects() {
    if let Some(stage) = Stage::set("app.py", true).await {
        stage.does_everything().await;
        stage.reconnects().await;
    }
}
