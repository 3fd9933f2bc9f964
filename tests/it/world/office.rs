//! The company at work: its bot serves, and people use it in their Slack.

use std::time::Duration;

use chrono::TimeDelta;
use daily_ops::{checks::registry, config::Config, serve::Service, slack::Lease};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    company::Company,
    ports::free_address,
    slack::{
        driver::{self, Answer, Click, Command, Submission, Who},
        web_api::{self, OPS, Slack},
    },
};

pub(crate) const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// Nothing in the test's own process takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Office {
    pub(crate) company: Company,
    pub(crate) slack: Slack,
    pub(crate) door: std::net::SocketAddr,
    pub(crate) admin: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    service: Option<JoinHandle<anyhow::Result<()>>>,
    /// Written into the configuration.
    pub(crate) more: String,
    pub(crate) transport: &'static str,
}

impl Office {
    /// Open, with these people allowed to triage: Anna and Ben.
    pub(crate) async fn open(company: Company) -> Self {
        let mut office = Self::closed(company).await;
        office.begin().await;
        office
    }

    pub(crate) async fn closed(company: Company) -> Self {
        Self {
            company,
            slack: web_api::workspace().open().await.expect("it opens"),
            door: free_address(),
            admin: free_address(),
            stop: watch::channel(false).0,
            service: None,
            more: String::new(),
            transport: "http",
        }
    }

    pub(crate) fn configuration(&self) -> String {
        format!(
            "{}[slack]\ntransport = \"{}\"\nchannel = \"{OPS}\"\napi_url = \"{}\"\n[server]\nlisten = \"{}\"\n\
             admin_listen = \"{}\"\n[permissions]\ntriage = [\"{}\", \"{}\"]\n{}",
            self.company.configuration(),
            self.transport,
            self.slack.url(),
            self.door,
            self.admin,
            web_api::ANNA,
            web_api::BEN,
            self.more,
        )
    }

    pub(crate) fn env(name: &str) -> Option<String> {
        match name {
            "SLACK_BOT_TOKEN" => Some(web_api::TOKEN.to_owned()),
            "SLACK_APP_TOKEN" => Some(web_api::APP_TOKEN.to_owned()),
            "SLACK_SIGNING_SECRET" => Some(SIGNING_SECRET.to_owned()),
            _ => Company::env(name),
        }
    }

    /// Starts the bot in this process, and waits until it is ready.
    pub(crate) async fn begin(&mut self) {
        self.start().await;
        self.until_ready().await;
    }

    pub(crate) async fn until_ready(&self) {
        self.until("it is ready", async || {
            self.ask("/readyz")
                .await
                .is_some_and(|answer| answer.status == 200)
        })
        .await;
    }

    pub(crate) async fn start(&mut self) {
        let config = Config::parse(&self.configuration(), &registry(), &Self::env)
            .unwrap_or_else(|error| panic!("{error:#}"));
        let mut bot = self.company.bot().await;
        bot.schedule = config.schedule;
        bot.people = config.people;
        let service = Service {
            bot: std::sync::Arc::new(bot),
            slack: config.slack.expect("there is a section"),
            server: config.server,
            permissions: config.permissions.expect("there is a section"),
            lease: Lease::default(),
        };
        let shutdown = self.stop.subscribe();
        self.service = Some(tokio::spawn(service.run(shutdown)));
    }

    /// Stops the bot as a signal does.
    pub(crate) async fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(service) = self.service.take() {
            service
                .await
                .expect("it did not panic")
                .expect("it ended well");
        }
        self.stop = watch::channel(false).0;
    }

    /// Waits for what is to come about by itself.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let begun = std::time::Instant::now();
        while !is_so().await {
            assert!(
                begun.elapsed() < PATIENCE,
                "waited in vain until {what}; the channel:\n{}\nprivately:\n{}",
                self.channel(OPS),
                self.told(),
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until a message of the channel says that.
    pub(crate) async fn until_said(&self, words: &str) {
        self.until(&format!("somebody says `{words}`"), async || {
            self.channel(OPS).contains(words)
        })
        .await;
    }

    /// Waits until one person alone is told that.
    pub(crate) async fn until_told(&self, words: &str) {
        self.until(&format!("somebody is told `{words}`"), async || {
            self.told().contains(words)
        })
        .await;
    }

    /// A route of the admin listener.
    pub(crate) async fn ask(&self, path: &str) -> Option<Answer> {
        use tokio::io::AsyncWriteExt;
        let mut stream = tokio::net::TcpStream::connect(self.admin).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        driver::answer(&mut stream).await
    }

    pub(crate) fn hand(&self) -> driver::Slack {
        driver::Slack {
            to: self.door,
            secret: SIGNING_SECRET,
            now: self.company.now(),
            headers: Vec::new(),
        }
    }

    /// For a bot in a process of its own, whose time is the machine's.
    pub(crate) fn hand_now(&self) -> driver::Slack {
        driver::Slack {
            now: self.slack.world().now(),
            ..self.hand()
        }
    }

    /// As `types`, for a bot in a process of its own.
    pub(crate) async fn types_now(&self, by: &'static str, text: &str) {
        let form = form(&self.command(by, text));
        let answer = self
            .hand_now()
            .post("/slack/commands", form.as_bytes())
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub(crate) fn command(&self, by: &'static str, text: &str) -> Value {
        let trigger = self.slack.world().trigger(by);
        let mut payload = Command {
            by: who(by),
            ..Command::new(text, &trigger)
        }
        .payload();
        payload["response_url"] = self.slack.response_url(by, OPS, None).into();
        payload
    }

    /// Somebody types `/ops ...` in the channel.
    pub(crate) async fn types(&self, by: &'static str, text: &str) -> Answer {
        self.send_command(&self.command(by, text)).await
    }

    pub(crate) async fn send_command(&self, payload: &Value) -> Answer {
        let form = form(payload);
        self.hand().post("/slack/commands", form.as_bytes()).await
    }

    /// A click on the first button or menu entry of that action in the newest message of the channel.
    pub(crate) fn clicks(&self, by: &'static str, press: &str) -> Value {
        let newest = self.slack.world().messages(OPS).len();
        self.clicks_in(newest - 1, by, press)
    }

    /// As `clicks`, in the message of that number.
    pub(crate) fn clicks_in(&self, message: usize, by: &'static str, press: &str) -> Value {
        let (ts, blocks) = {
            let world = self.slack.world();
            let message = world.messages(OPS)[message];
            (message.ts.clone(), message.now().blocks.clone())
        };
        let (action, value) = find(&json!(blocks), press)
            .unwrap_or_else(|| panic!("no `{press}` in:\n{}", self.channel(OPS)));
        let trigger = self.slack.world().trigger(by);
        let mut payload = Click {
            by: who(by),
            ..Click::on(
                if action == "more" { "more" } else { "button" },
                &value,
                &trigger,
            )
        }
        .payload();
        payload["actions"][0]["action_id"] = action.into();
        payload["container"]["message_ts"] = ts.clone().into();
        payload["message"]["ts"] = ts.clone().into();
        payload["channel"]["id"] = OPS.into();
        payload["container"]["channel_id"] = OPS.into();
        payload["response_url"] = self.slack.response_url(by, OPS, Some(&ts)).into();
        payload["trigger_id"] = trigger.into();
        payload
    }

    /// Clicks, and the click is accepted.
    pub(crate) async fn click(&self, by: &'static str, press: &str) {
        let answer = self.hand().interact(&self.clicks(by, press)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Fills the newest form in.
    pub(crate) async fn fills_in(
        &self,
        by: &'static str,
        form: &'static str,
        answer: Value,
    ) -> Answer {
        let (id, from) = {
            let world = self.slack.world();
            let view = world.views.last().expect("a view is open");
            let from = view.now()["private_metadata"].as_str();
            (view.id.clone(), from.unwrap_or_default().to_owned())
        };
        let mut payload = Submission {
            by: who(by),
            ..Submission::of(form, answer)
        }
        .payload();
        payload["view"]["id"] = id.into();
        payload["view"]["private_metadata"] = from.into();
        self.hand().interact(&payload).await
    }

    /// What stands in the channel now, as text.
    pub(crate) fn channel(&self, channel: &str) -> String {
        let world = self.slack.world();
        let messages = world.messages(channel);
        let texts = messages.iter().map(|message| {
            let now = message.now();
            format!("{}\n{}", now.text, read(&json!(now.blocks)))
        });
        texts.collect::<Vec<_>>().join("\n----\n")
    }

    /// What people were told alone, as text.
    pub(crate) fn told(&self) -> String {
        let world = self.slack.world();
        let texts = world
            .replies
            .iter()
            .map(|(_, reply)| read(&reply["blocks"]));
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The newest view, as text.
    pub(crate) fn view(&self) -> String {
        let world = self.slack.world();
        world
            .views
            .last()
            .map(|view| read(view.now()))
            .unwrap_or_default()
    }

    pub(crate) fn later(&self, time: TimeDelta) {
        self.company.later(time);
    }
}

fn who(user: &'static str) -> Who {
    Who {
        user,
        team: Some(if user == web_api::STRANGER {
            "T0ELSEWHERE"
        } else {
            web_api::TEAM
        }),
        here: Some(web_api::TEAM),
        enterprise: None,
    }
}

fn form(payload: &Value) -> String {
    let fields = payload.as_object().expect("it is an object").iter();
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields.map(|(name, value)| (name, value.as_str().unwrap_or_default())))
        .finish()
}

/// The action and value of the first button or menu entry for that press.
fn find(blocks: &Value, press: &str) -> Option<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match blocks {
        Value::Object(fields) => {
            if fields.get("action_id").is_some_and(|id| id == press) {
                return Some((press.to_owned(), text(&blocks["value"])));
            }
            if let Some(options) = blocks["options"].as_array() {
                let option = options
                    .iter()
                    .find(|option| text(&option["value"]).starts_with(&format!("{press}|")));
                if let Some(option) = option {
                    return Some((text(&blocks["action_id"]), text(&option["value"])));
                }
            }
            fields.values().find_map(|value| find(value, press))
        }
        Value::Array(items) => items.iter().find_map(|item| find(item, press)),
        _ => None,
    }
}

/// The words of blocks, a line each.
pub(crate) fn read(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let lines: Vec<String> = items
                .iter()
                .map(read)
                .filter(|line| !line.is_empty())
                .collect();
            lines.join(
                if items
                    .iter()
                    .all(|item| item.get("block_id").is_some() || item["type"] == "header")
                {
                    "\n"
                } else {
                    ""
                },
            )
        }
        Value::Object(fields) => match value["type"].as_str() {
            Some("user") => format!("<@{}>", value["user_id"].as_str().unwrap_or_default()),
            Some("emoji") => format!(":{}:", value["name"].as_str().unwrap_or_default()),
            Some("date") => value["fallback"].as_str().unwrap_or_default().to_owned(),
            Some("button") => format!("[{}]", read(&value["text"])),
            _ => [
                "title",
                "text",
                "fields",
                "elements",
                "blocks",
                "label",
                "accessory",
            ]
            .into_iter()
            .filter_map(|name| fields.get(name))
            .map(read)
            .collect(),
        },
        Value::String(text) => text.clone(),
        _ => String::new(),
    }
}
