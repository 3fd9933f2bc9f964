//! A workspace: who is in it, which app is installed, and what was said.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use url::Url;

mod app;
mod call;
mod channel;
mod member;
mod passes;
pub(super) mod remembered;
mod upload;
mod view;

pub use app::{App, RequestUrls, SlashCommand};
pub use call::Call;
pub use channel::{Channel, Posting, Version};
pub use member::Member;
pub use upload::Upload;
pub use view::View;

pub(super) use call::Scheduled;
use passes::{Address, Trigger};

use super::{
    ANNA, APP_TOKEN, BEN, BOARD, BOT, GENERAL, GUEST, LEFT, Ledger, OLD, ON_CALL, OPS, OTHER_BOT,
    SECRET, SIGNING_SECRET, STRANGER, Spoiled, TEAM, TOKEN, TransportFaults,
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
    /// The latest, oldest first, each with the address that it was sent to.
    pub replies: VecDeque<(String, Value)>,
    /// What each user's App Home shows.
    pub homes: BTreeMap<String, View>,
    /// The latest calls, in the order of arrival, whatever became of them.
    pub calls: VecDeque<Call>,
    /// What goes wrong on the way to the app.
    pub transport: TransportFaults,
    pub delivery: Ledger,
    pub(super) faults: Vec<Spoiled>,
    /// By their ids.
    pub files: BTreeMap<String, Upload>,
    /// Whether each method may be called only as often as Slack documents.
    pub is_rate_limited: bool,
    /// Seconds of the epoch at which each method, and each channel for posting, was called in the last minute.
    pub(super) recent: BTreeMap<String, VecDeque<i64>>,
    pub(super) scheduled: Vec<Scheduled>,
    /// Where it is: `http://127.0.0.1:40123`, once it is open.
    pub(super) origin: String,
    pub(super) triggers: BTreeMap<String, Trigger>,
    pub(super) addresses: BTreeMap<String, Address>,
    last: i64,
    /// How many ids were made up.
    ids: u64,
    /// Calls that wait to be carried out.
    pub(super) held: usize,
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
                events: [].into(),
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
            replies: VecDeque::new(),
            homes: BTreeMap::new(),
            calls: VecDeque::new(),
            transport: TransportFaults::default(),
            delivery: Ledger::default(),
            faults: Vec::new(),
            files: BTreeMap::new(),
            is_rate_limited: false,
            recent: BTreeMap::new(),
            scheduled: Vec::new(),
            origin: String::new(),
            triggers: BTreeMap::new(),
            addresses: BTreeMap::new(),
            last: 0,
            ids: 0,
            held: 0,
        }
    }

    /// By its own clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.time.now() + self.clock
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

    /// How often a method was called, among the latest calls.
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
            versions: vec![version],
            ..Posting::default()
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

    /// Five letters and digits, as Slack names blocks and elements that have no name.
    pub(super) fn id(&mut self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        self.ids += 1;
        let mut left = self.ids.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        let mut id = String::new();
        for _ in 0..5 {
            let place = usize::try_from(left % 62).unwrap_or_default();
            id.push(char::from(LETTERS[place]));
            left /= 62;
        }
        id
    }
}
