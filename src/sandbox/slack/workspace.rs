//! A workspace: who is in it, which app is installed, and what was said.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use url::Url;

use super::{
    ANNA, APP_TOKEN, BEN, BOARD, BOT, Fault, GENERAL, GUEST, LEFT, Ledger, OLD, ON_CALL, OPS,
    OTHER_BOT, SECRET, SIGNING_SECRET, STRANGER, TEAM, TOKEN, TransportFaults,
};
use crate::sandbox::time::Time;

/// The description, which may be changed at any time, and what has become of it.
pub struct Workspace {
    pub team: String,
    pub enterprise: Option<String>,
    pub app: App,
    pub users: BTreeMap<String, Member>,
    pub groups: BTreeMap<String, Vec<String>>,
    pub channels: BTreeMap<String, Channel>,
    pub time: Time,
    /// How far its clock is ahead.
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
    /// What each user's App Home shows.
    pub homes: BTreeMap<String, View>,
    /// Every call, in the order of arrival, whatever became of it.
    pub calls: Vec<Call>,
    /// What goes wrong on the way to the app.
    pub transport: TransportFaults,
    pub delivery: Ledger,
    pub(super) faults: Vec<(String, Fault, usize)>,
    pub(super) triggers: BTreeMap<String, Trigger>,
    pub(super) addresses: BTreeMap<String, Address>,
    last: i64,
    /// Calls that wait to be carried out.
    pub(super) held: usize,
}

/// The one app that is installed.
#[derive(Clone, Debug)]
pub struct App {
    pub id: String,
    pub name: String,
    pub bot_id: String,
    /// The bot's own user.
    pub user: String,
    pub token: String,
    /// For Socket Mode.
    pub app_token: String,
    pub signing_secret: String,
    /// Why the bot's token is refused: `token_revoked`, `account_inactive`.
    pub dead: Option<&'static str>,
    pub scopes: BTreeSet<&'static str>,
    /// Offered by the composer; any other is handed to the app as well.
    pub commands: Vec<SlashCommand>,
    /// Where Slack's requests go while no Socket Mode connection is open.
    pub urls: RequestUrls,
    /// The events that it hears of: `message.channels`, `app_mention`.
    pub events: BTreeSet<&'static str>,
}

#[derive(Clone, Debug)]
pub struct SlashCommand {
    /// `/ops`.
    pub name: String,
    pub description: String,
    /// Such as `daily | help`.
    pub usage_hint: String,
}

#[derive(Clone, Debug, Default)]
pub struct RequestUrls {
    pub commands: Option<Url>,
    pub interactivity: Option<Url>,
    pub events: Option<Url>,
}

/// A `trigger_id`, which opens one view within 3 seconds.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    pub(super) at: DateTime<Utc>,
    pub(super) used: bool,
    pub(super) user: String,
}

/// A `response_url`: 5 uses in 30 minutes.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) at: DateTime<Utc>,
    pub(super) uses: usize,
    pub(super) user: String,
    pub(super) channel: String,
    /// The message that was clicked.
    #[expect(dead_code, reason = "read by `replace_original`")]
    pub(super) message: Option<String>,
}

/// A user; the fields are Slack's own.
#[derive(Clone, Debug, Default)]
pub struct Member {
    pub team: String,
    /// As others see it.
    pub real_name: String,
    /// What the company knows of them.
    pub title: String,
    pub enterprise: Option<String>,
    pub deleted: bool,
    pub is_bot: bool,
    pub is_restricted: bool,
    pub is_ultra_restricted: bool,
    pub is_stranger: bool,
    pub email: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Channel {
    pub name: String,
    pub is_private: bool,
    pub is_archived: bool,
    pub has_bot: bool,
    /// Why posting is refused to a member: `restricted_action`.
    pub restricted: Option<&'static str>,
    /// Oldest first.
    pub messages: Vec<Posting>,
}

#[derive(Clone, Debug)]
pub struct Posting {
    pub ts: String,
    pub user: String,
    /// The `ts` of the message that it replies to.
    pub thread: Option<String>,
    /// The only one who sees it.
    pub only_for: Option<String>,
    /// Names of emoji, each with those who chose it.
    pub reactions: BTreeMap<String, Vec<String>>,
    /// What it was and is, oldest first; never empty.
    pub versions: Vec<Version>,
    pub deleted: bool,
}

/// A message between two edits.
#[derive(Clone, Debug, Default)]
pub struct Version {
    pub text: String,
    pub blocks: Vec<Value>,
    pub attachments: Vec<Value>,
    pub metadata: Value,
}

impl Version {
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

impl Posting {
    pub fn now(&self) -> &Version {
        self.versions.last().expect("a message has a version")
    }
}

#[derive(Clone, Debug)]
pub struct View {
    pub id: String,
    /// Who sees it.
    pub user: String,
    pub is_open: bool,
    /// Of the view below it.
    pub previous: Option<String>,
    /// Changes with every update.
    pub hash: String,
    /// What it was and is, oldest first; never empty.
    pub versions: Vec<Value>,
}

impl View {
    pub fn now(&self) -> &Value {
        self.versions.last().expect("a view has a version")
    }
}

/// One call as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// `chat.postMessage`; `response/3` for an answering address.
    pub method: String,
    pub args: Value,
    /// None: none was sent.
    pub token: Option<String>,
}

impl Workspace {
    pub fn new(time: Time) -> Self {
        let home = |name: &str, title: &str| Member {
            team: TEAM.to_owned(),
            real_name: name.to_owned(),
            title: title.to_owned(),
            ..Member::default()
        };
        let users = [
            (
                ANNA,
                Member {
                    email: Some("anna@example.com".to_owned()),
                    ..home("Anna Berg", "On call this week")
                },
            ),
            (BEN, home("Ben Okafor", "Backend, may triage")),
            (
                GUEST,
                Member {
                    is_restricted: true,
                    ..home("Gil Moreau", "Guest, a contractor")
                },
            ),
            (
                BOT,
                Member {
                    is_bot: true,
                    ..home("Daily Ops", "App")
                },
            ),
            (
                OTHER_BOT,
                Member {
                    is_bot: true,
                    ..home("Deploys", "App")
                },
            ),
            (
                LEFT,
                Member {
                    deleted: true,
                    ..home("Lea Kim", "Has left")
                },
            ),
            (
                STRANGER,
                Member {
                    team: "T0ELSEWHERE".to_owned(),
                    real_name: "Sam Reyes".to_owned(),
                    title: "Of another workspace".to_owned(),
                    is_stranger: true,
                    ..Member::default()
                },
            ),
        ];
        let channel = |name: &str, is_private, is_archived, has_bot| Channel {
            name: name.to_owned(),
            is_private,
            is_archived,
            has_bot,
            ..Channel::default()
        };
        let channels = [
            (OPS, channel("ops", false, false, true)),
            (GENERAL, channel("general", false, false, false)),
            (BOARD, channel("board", true, false, true)),
            (SECRET, channel("secret", true, false, false)),
            (OLD, channel("old", false, true, true)),
        ];
        Self {
            team: TEAM.to_owned(),
            enterprise: None,
            app: App {
                id: "A0DAILYOPS".to_owned(),
                name: "Daily Ops".to_owned(),
                bot_id: "B0BOT".to_owned(),
                user: BOT.to_owned(),
                token: TOKEN.to_owned(),
                app_token: APP_TOKEN.to_owned(),
                signing_secret: SIGNING_SECRET.to_owned(),
                dead: None,
                scopes: ["commands", "chat:write", "users:read", "channels:history"].into(),
                commands: Vec::new(),
                urls: RequestUrls::default(),
                events: BTreeSet::new(),
            },
            users: users.map(|(id, user)| (id.to_owned(), user)).into(),
            groups: [(ON_CALL.to_owned(), vec![ANNA.to_owned(), BEN.to_owned()])].into(),
            channels: channels.map(|(id, it)| (id.to_owned(), it)).into(),
            time,
            clock: TimeDelta::zero(),
            page: 100,
            socket: None,
            refuses_blocks: false,
            views: Vec::new(),
            replies: Vec::new(),
            homes: BTreeMap::new(),
            calls: Vec::new(),
            transport: TransportFaults::default(),
            delivery: Ledger::default(),
            faults: Vec::new(),
            triggers: BTreeMap::new(),
            addresses: BTreeMap::new(),
            last: 0,
            held: 0,
        }
    }

    /// By its own clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.time.now() + self.clock
    }

    /// Spoils the next calls of a method (`chat.postMessage`, `response`).
    pub fn spoil(&mut self, method: &str, fault: Fault, times: usize) {
        self.faults.push((method.to_owned(), fault, times));
    }

    /// A `trigger_id`, good for 3 seconds and one use.
    pub fn trigger(&mut self, user: &str) -> String {
        let id = format!("{}.{}.{:032x}", self.count(), 987, self.last);
        let trigger = Trigger {
            at: self.now(),
            used: false,
            user: user.to_owned(),
        };
        self.triggers.insert(id.clone(), trigger);
        id
    }

    /// The number of an answering address, good for 30 minutes and 5 uses.
    pub(super) fn address(&mut self, user: &str, channel: &str, message: Option<&str>) -> String {
        let id = self.count().to_string();
        let address = Address {
            at: self.now(),
            uses: 0,
            user: user.to_owned(),
            channel: channel.to_owned(),
            message: message.map(str::to_owned),
        };
        self.addresses.insert(id.clone(), address);
        id
    }

    /// The messages of a channel that everybody sees, oldest first.
    pub fn messages(&self, channel: &str) -> Vec<&Posting> {
        self.channels[channel]
            .messages
            .iter()
            .filter(|message| !message.deleted && message.only_for.is_none())
            .collect()
    }

    /// Puts another user's message into a channel.
    pub fn say(&mut self, channel: &str, user: &str, text: &str) -> String {
        self.add(channel, user, Version::of(text))
    }

    /// How often a method was called.
    pub fn called(&self, method: &str) -> usize {
        self.calls
            .iter()
            .filter(|call| call.method == method)
            .count()
    }

    pub(super) fn add(&mut self, channel: &str, user: &str, version: Version) -> String {
        let ts = self.ts();
        let message = Posting {
            ts: ts.clone(),
            user: user.to_owned(),
            thread: None,
            only_for: None,
            reactions: BTreeMap::new(),
            versions: vec![version],
            deleted: false,
        };
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.messages.push(message);
        }
        ts
    }

    /// A message that only one user sees.
    pub(super) fn add_for(
        &mut self,
        channel: &str,
        user: &str,
        only_for: &str,
        version: Version,
    ) -> String {
        let ts = self.add(channel, user, version);
        if let Some(channel) = self.channels.get_mut(channel)
            && let Some(last) = channel.messages.last_mut()
        {
            last.only_for = Some(only_for.to_owned());
        }
        ts
    }

    pub(super) fn count(&mut self) -> i64 {
        self.last = self.now().timestamp_micros().max(self.last + 1);
        self.last
    }

    /// Unique and increasing, by its own clock.
    pub(super) fn ts(&mut self) -> String {
        let micros = self.count();
        format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}
