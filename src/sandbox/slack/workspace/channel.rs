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
        let mut messages = self.messages.iter();
        messages.find(|message| message.ts == ts && !message.deleted)
    }

    pub(in super::super) fn message_mut(&mut self, ts: &str) -> Option<&mut Posting> {
        let mut messages = self.messages.iter_mut();
        messages.find(|message| message.ts == ts && !message.deleted)
    }

    /// What everybody sees below a message, oldest first.
    pub fn replies<'a>(&'a self, ts: &'a str) -> impl Iterator<Item = &'a Posting> {
        self.messages.iter().filter(move |message| {
            message.thread.as_deref() == Some(ts) && !message.deleted && message.only_for.is_none()
        })
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
