use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

#[derive(Clone, Debug, Default)]
pub struct Channel {
    pub name: String,
    pub is_private: bool,
    pub is_archived: bool,
    pub has_bot: bool,
    /// The one whom the bot talks to here; None: it is no direct message.
    pub person: Option<String>,
    /// The people in it; None: everybody.
    pub members: Option<BTreeSet<String>>,
    pub topic: String,
    pub purpose: String,
    /// Why posting is refused to a member: `restricted_action`.
    pub restricted: Option<&'static str>,
    /// Oldest first.
    pub messages: Vec<Posting>,
    /// The `ts` of each pinned message, in the order in which they were pinned.
    pub pins: Vec<String>,
}

impl Channel {
    /// As scopes name it: `channels`, `groups`, `im`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self {
                person: Some(_), ..
            } => "im",
            Self {
                is_private: true, ..
            } => "groups",
            _ => "channels",
        }
    }

    /// A message that is still there.
    pub fn message(&self, ts: &str) -> Option<&Posting> {
        let message = &self.messages[self.place(ts)?];
        (!message.deleted).then_some(message)
    }

    /// Where the message is, deleted or not.
    pub(in super::super) fn place(&self, ts: &str) -> Option<usize> {
        let by_ts = |message: &Posting| message.ts.as_str().cmp(ts);
        self.messages.binary_search_by(by_ts).ok()
    }

    /// The message that a reply to this one belongs under.
    pub(in super::super) fn root(&self, ts: &str) -> Option<String> {
        let message = self.message(ts)?;
        Some(message.thread.clone().unwrap_or_else(|| ts.to_owned()))
    }

    pub(in super::super) fn message_mut(&mut self, ts: &str) -> Option<&mut Posting> {
        let place = self.place(ts)?;
        let message = &mut self.messages[place];
        (!message.deleted).then_some(message)
    }

    /// What everybody sees below each message, oldest first.
    pub(in super::super) fn threads(&self) -> BTreeMap<&str, Vec<&Posting>> {
        let mut threads: BTreeMap<&str, Vec<&Posting>> = BTreeMap::new();
        for message in &self.messages {
            if let Some(thread) = message.thread.as_deref().filter(|_| message.is_public()) {
                threads.entry(thread).or_default().push(message);
            }
        }
        threads
    }

    /// What everybody sees below a message, oldest first.
    pub fn replies<'a>(&'a self, ts: &'a str) -> impl Iterator<Item = &'a Posting> {
        let below = self.place(ts).map_or(0, |place| place + 1);
        self.messages[below..]
            .iter()
            .filter(move |message| message.thread.as_deref() == Some(ts) && message.is_public())
    }
}

#[derive(Clone, Debug, Default)]
pub struct Posting {
    pub ts: String,
    pub user: String,
    /// The `ts` of the message that it replies to.
    pub thread: Option<String>,
    /// A reply that the channel shows as well.
    pub is_broadcast: bool,
    /// `me_message`, `channel_join`.
    pub subtype: Option<&'static str>,
    /// The name that the app gave itself for this message.
    pub username: Option<String>,
    /// `{"emoji": ":wave:"}` or `{"image_48": ..}`, likewise.
    pub icons: Option<Value>,
    /// The only one who sees it.
    pub only_for: Option<String>,
    /// Names of emoji, each with those who chose it.
    pub reactions: BTreeMap<String, Vec<String>>,
    /// Ids of the files that it shares.
    pub files: Vec<String>,
    /// What it was and is, oldest first; never empty.
    pub versions: Vec<Version>,
    pub deleted: bool,
}

impl Posting {
    /// It is there, for everybody.
    fn is_public(&self) -> bool {
        !self.deleted && self.only_for.is_none()
    }

    pub fn now(&self) -> &Version {
        self.versions.last().expect("a message has a version")
    }
}

/// A message between two edits.
#[derive(Clone, Debug, Default)]
pub struct Version {
    pub text: String,
    pub blocks: Vec<Value>,
    pub attachments: Vec<Value>,
    pub metadata: Value,
    /// When it became so, by an edit that Slack marks as `edited`.
    pub edited: Option<String>,
}

impl Version {
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Its own blocks, then those of its attachments.
    pub fn all_blocks(&self) -> Vec<Value> {
        let attached = self
            .attachments
            .iter()
            .filter_map(|it| it["blocks"].as_array());
        let all = std::iter::once(&self.blocks).chain(attached);
        all.flatten().cloned().collect()
    }

    /// The id of the attachment that this block is in; None: it is one of the message's own.
    pub(in super::super) fn attachment_of(&self, block: &Value) -> Option<&Value> {
        let is_it = |it: &Value| it["block_id"] == *block;
        if block.is_null() || self.blocks.iter().any(is_it) {
            return None;
        }
        let blocks = |it: &Value| {
            it["blocks"]
                .as_array()
                .is_some_and(|all| all.iter().any(is_it))
        };
        self.attachments
            .iter()
            .find(|it| blocks(it))
            .map(|it| &it["id"])
    }
}
