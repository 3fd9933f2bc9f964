//! A described Slack workspace behind its Web API. Every answer derives from the description and from what was posted.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;
use url::Url;

mod block_rules;
mod methods;
mod server;

pub(crate) use server::Fault;

pub(crate) const TOKEN: &str = "xoxb-12345678901-abcdefghijklmnopqrstuvwx";
pub(crate) const APP_TOKEN: &str = "xapp-1-A0DAILYOPS-123-0123456789abcdef";
pub(crate) const TEAM: &str = "T0HOME";
/// The bot's own user.
pub(crate) const BOT: &str = "U0BOT";
/// A public channel with the bot.
pub(crate) const OPS: &str = "C0OPS";
/// A public channel without it.
pub(crate) const GENERAL: &str = "C0GENERAL";
/// A private channel with the bot, and one without.
pub(crate) const BOARD: &str = "G0BOARD";
pub(crate) const SECRET: &str = "G0SECRET";
/// Archived, with the bot.
pub(crate) const OLD: &str = "C0OLD";
/// Full members.
pub(crate) const ANNA: &str = "U0ANNA";
pub(crate) const BEN: &str = "U0BEN";
pub(crate) const GUEST: &str = "U0GUEST";
pub(crate) const OTHER_BOT: &str = "U0OTHERBOT";
pub(crate) const LEFT: &str = "U0LEFT";
/// Of another workspace, in a shared channel.
pub(crate) const STRANGER: &str = "U0STRANGER";
/// A user group: Anna and Ben.
pub(crate) const ON_CALL: &str = "S0ONCALL";

/// The description. A test changes it at any time.
pub(crate) struct Workspace {
    pub team: String,
    pub enterprise: Option<String>,
    pub token: String,
    pub app_token: String,
    /// Why the bot's token is refused: `token_revoked`, `account_inactive`.
    pub dead: Option<&'static str>,
    pub scopes: BTreeSet<&'static str>,
    pub users: BTreeMap<String, Member>,
    pub groups: BTreeMap<String, Vec<String>>,
    pub channels: BTreeMap<String, Channel>,
    /// How far its clock is ahead of the machine's.
    pub clock: TimeDelta,
    /// Messages of a page of history, whatever the caller asks for.
    pub page: usize,
    /// Where Socket Mode listens.
    pub socket: Option<Url>,
    /// Refuses every message with blocks.
    pub refuses_blocks: bool,
    /// In the order in which they were opened.
    pub views: Vec<View>,
    /// Each with the address that it was sent to.
    pub replies: Vec<(String, Value)>,
    /// Channel, user and what only that user sees.
    pub ephemerals: Vec<(String, String, Value)>,
    /// Every call, in the order of arrival, whatever became of it.
    pub calls: Vec<Call>,
    faults: Vec<(String, Fault, usize)>,
    triggers: BTreeMap<String, (DateTime<Utc>, bool)>,
    /// When each answering address was given out, and how often it was used.
    addresses: BTreeMap<String, (DateTime<Utc>, usize)>,
    last: i64,
    /// Calls that wait to be carried out.
    held: usize,
}

/// A user; the fields are Slack's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    pub team: String,
    pub enterprise: Option<String>,
    pub deleted: bool,
    pub is_bot: bool,
    pub is_restricted: bool,
    pub is_ultra_restricted: bool,
    pub is_stranger: bool,
    pub email: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Channel {
    pub is_private: bool,
    pub is_archived: bool,
    pub has_bot: bool,
    /// Why posting is refused to a member: `restricted_action`.
    pub restricted: Option<&'static str>,
    /// Oldest first.
    pub messages: Vec<Posting>,
}

#[derive(Clone, Debug)]
pub(crate) struct Posting {
    pub ts: String,
    pub user: String,
    /// What it was and is, oldest first; never empty.
    pub versions: Vec<Version>,
    pub deleted: bool,
}

/// A message between two edits.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub text: String,
    pub blocks: Vec<Value>,
    pub metadata: Value,
}

impl Posting {
    pub(crate) fn now(&self) -> &Version {
        self.versions.last().expect("a message has a version")
    }
}

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub id: String,
    /// What it was and is, oldest first; never empty.
    pub versions: Vec<Value>,
}

impl View {
    pub(crate) fn now(&self) -> &Value {
        self.versions.last().expect("a view has a version")
    }
}

/// One call as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `chat.postMessage`; `response/3` for an answering address.
    pub method: String,
    pub args: Value,
    /// None: none was sent.
    pub token: Option<String>,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let home = || Member {
            team: TEAM.to_owned(),
            ..Member::default()
        };
        let users = [
            (
                ANNA,
                Member {
                    email: Some("anna@example.com".to_owned()),
                    ..home()
                },
            ),
            (BEN, home()),
            (
                GUEST,
                Member {
                    is_restricted: true,
                    ..home()
                },
            ),
            (
                BOT,
                Member {
                    is_bot: true,
                    ..home()
                },
            ),
            (
                OTHER_BOT,
                Member {
                    is_bot: true,
                    ..home()
                },
            ),
            (
                LEFT,
                Member {
                    deleted: true,
                    ..home()
                },
            ),
            (
                STRANGER,
                Member {
                    team: "T0ELSEWHERE".to_owned(),
                    is_stranger: true,
                    ..Member::default()
                },
            ),
        ];
        let channel = |is_private, is_archived, has_bot| Channel {
            is_private,
            is_archived,
            has_bot,
            ..Channel::default()
        };
        let channels = [
            (OPS, channel(false, false, true)),
            (GENERAL, channel(false, false, false)),
            (BOARD, channel(true, false, true)),
            (SECRET, channel(true, false, false)),
            (OLD, channel(false, true, true)),
        ];
        Self {
            team: TEAM.to_owned(),
            enterprise: None,
            token: TOKEN.to_owned(),
            app_token: APP_TOKEN.to_owned(),
            dead: None,
            scopes: ["commands", "chat:write", "users:read", "channels:history"].into(),
            users: users.map(|(id, user)| (id.to_owned(), user)).into(),
            groups: [(ON_CALL.to_owned(), vec![ANNA.to_owned(), BEN.to_owned()])].into(),
            channels: channels.map(|(id, it)| (id.to_owned(), it)).into(),
            clock: TimeDelta::zero(),
            page: 100,
            socket: None,
            refuses_blocks: false,
            views: Vec::new(),
            replies: Vec::new(),
            ephemerals: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
            triggers: BTreeMap::new(),
            addresses: BTreeMap::new(),
            last: 0,
            held: 0,
        }
    }

    /// By its own clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the world lives in the time of the test"
        )]
        let now = Utc::now();
        now + self.clock
    }

    /// Spoils the next calls of a method (`chat.postMessage`, `response`).
    pub(crate) fn spoil(&mut self, method: &str, fault: Fault, times: usize) {
        self.faults.push((method.to_owned(), fault, times));
    }

    /// A `trigger_id`, good for 3 seconds and one use.
    pub(crate) fn trigger(&mut self) -> String {
        let id = format!("{}.{}.{:032x}", self.count(), 987, self.last);
        self.triggers.insert(id.clone(), (self.now(), false));
        id
    }

    /// The messages of a channel that are not deleted, oldest first.
    pub(crate) fn messages(&self, channel: &str) -> Vec<&Posting> {
        self.channels[channel]
            .messages
            .iter()
            .filter(|message| !message.deleted)
            .collect()
    }

    /// Puts another user's message into a channel.
    pub(crate) fn say(&mut self, channel: &str, user: &str, text: &str) -> String {
        let version = Version {
            text: text.to_owned(),
            blocks: Vec::new(),
            metadata: Value::Null,
        };
        self.add(channel, user, version)
    }

    /// How often a method was called.
    pub(crate) fn called(&self, method: &str) -> usize {
        self.calls
            .iter()
            .filter(|call| call.method == method)
            .count()
    }

    fn add(&mut self, channel: &str, user: &str, version: Version) -> String {
        let ts = self.ts();
        let message = Posting {
            ts: ts.clone(),
            user: user.to_owned(),
            versions: vec![version],
            deleted: false,
        };
        let channel = self.channels.get_mut(channel);
        channel
            .expect("the channel is described")
            .messages
            .push(message);
        ts
    }

    fn count(&mut self) -> i64 {
        self.last = self.now().timestamp_micros().max(self.last + 1);
        self.last
    }

    /// Unique and increasing, by its own clock.
    fn ts(&mut self) -> String {
        let micros = self.count();
        format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }

    /// Puts the workspace on a loopback address.
    pub(crate) async fn open(self) -> Slack {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(Mutex::new(self));
        let (release, gate) = watch::channel(0);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&world), gate));
        Slack {
            address,
            world,
            release,
            server: server.abort_handle(),
        }
    }
}

/// A workspace that can be asked; it closes when it is dropped.
pub(crate) struct Slack {
    pub address: SocketAddr,
    world: Arc<Mutex<Workspace>>,
    /// Counts the releases.
    release: watch::Sender<usize>,
    server: tokio::task::AbortHandle,
}

impl Slack {
    /// For `api_url`.
    pub(crate) fn url(&self) -> Url {
        format!("http://{}/api", self.address).parse().unwrap()
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, Workspace> {
        self.world.lock().unwrap()
    }

    /// An answering address, good for 30 minutes and 5 uses.
    pub(crate) fn response_url(&self) -> String {
        let mut world = self.world();
        let id = world.count().to_string();
        let now = world.now();
        world.addresses.insert(id.clone(), (now, 0));
        format!("http://{}/response/{id}", self.address)
    }

    /// Lets the calls that [`Fault::Late`] holds be carried out, and waits until they are.
    pub(crate) async fn release(&self) {
        self.release.send_modify(|releases| *releases += 1);
        while self.world().held > 0 {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A refusal as Slack words it.
fn refusal(code: &str) -> Value {
    json!({ "ok": false, "error": code })
}
