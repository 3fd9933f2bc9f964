//! A message as it stands, without what it was before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sandbox::slack::{Posting, Version};

/// What a message may be beside a plain one.
const SUBTYPES: [&str; 2] = ["me_message", "thread_broadcast"];

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Message {
    ts: String,
    user: String,
    thread: Option<String>,
    is_broadcast: bool,
    #[serde(default)]
    subtype: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    icons: Option<Value>,
    only_for: Option<String>,
    reactions: BTreeMap<String, Vec<String>>,
    text: String,
    blocks: Vec<Value>,
    attachments: Vec<Value>,
    metadata: Value,
    edited: Option<String>,
}

impl Message {
    pub(super) fn of(posting: &Posting) -> Self {
        let now = posting.now().clone();
        Self {
            ts: posting.ts.clone(),
            user: posting.user.clone(),
            thread: posting.thread.clone(),
            is_broadcast: posting.is_broadcast,
            subtype: posting.subtype.map(str::to_owned),
            username: posting.username.clone(),
            icons: posting.icons.clone(),
            only_for: posting.only_for.clone(),
            reactions: posting.reactions.clone(),
            text: now.text,
            blocks: now.blocks,
            attachments: now.attachments,
            metadata: now.metadata,
            edited: now.edited,
        }
    }
}

impl From<Message> for Posting {
    fn from(message: Message) -> Self {
        let is_it = |known: &&str| message.subtype.as_deref() == Some(*known);
        Self {
            subtype: SUBTYPES.into_iter().find(is_it),
            ts: message.ts,
            user: message.user,
            thread: message.thread,
            is_broadcast: message.is_broadcast,
            username: message.username,
            icons: message.icons,
            only_for: message.only_for,
            reactions: message.reactions,
            versions: vec![Version {
                text: message.text,
                blocks: message.blocks,
                attachments: message.attachments,
                metadata: message.metadata,
                edited: message.edited,
            }],
            ..Self::default()
        }
    }
}
