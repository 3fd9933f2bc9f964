//! What `--keep` keeps beside the bot's database: the time, the story that was told, and what stands in Slack, without
//! which the bot's messages could not be edited and their buttons would lead nowhere.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    slack::{Posting, Version, Workspace},
    time::Time,
};

/// What changes together is written together.
const TOGETHER: Duration = Duration::from_millis(200);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) time: DateTime<Utc>,
    pub(super) scenario: String,
    /// By channel, oldest first.
    messages: BTreeMap<String, Vec<Message>>,
}

/// A message as it stands, without what it was before.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Message {
    ts: String,
    user: String,
    thread: Option<String>,
    is_broadcast: bool,
    only_for: Option<String>,
    reactions: BTreeMap<String, Vec<String>>,
    text: String,
    blocks: Vec<Value>,
    attachments: Vec<Value>,
    metadata: Value,
    edited: Option<String>,
}

impl Kept {
    fn path(folder: &Path) -> PathBuf {
        folder.join("slack.json")
    }

    /// None: nothing was kept there.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = Self::path(folder);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| format!("{} can't be read", path.display()))?,
        };
        let kept = serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is damaged; name another folder for `--keep`, or empty this one",
                path.display()
            )
        })?;
        Ok(Some(kept))
    }

    pub(super) fn of(world: &Workspace, scenario: &str) -> Self {
        let there = |channel: &&Posting| !channel.deleted;
        let channels = world.channels.iter().map(|(id, channel)| {
            let messages = channel.messages.iter().filter(there).map(Message::of);
            (id.clone(), messages.collect())
        });
        Self {
            time: world.now(),
            scenario: scenario.to_owned(),
            messages: channels.collect(),
        }
    }

    /// All of it or nothing.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = Self::path(folder);
        let fresh = folder.join("slack.json.new");
        let failed = || format!("{} can't be written", path.display());
        fs::write(&fresh, serde_json::to_vec(self)?).with_context(failed)?;
        fs::rename(&fresh, &path).with_context(failed)
    }

    /// Later than all that was kept.
    pub(super) fn begin(&self) -> DateTime<Utc> {
        self.time + TimeDelta::seconds(1)
    }

    pub(super) fn restore(self, world: &mut Workspace) {
        for (id, messages) in self.messages {
            if let Some(channel) = world.channels.get_mut(&id) {
                channel.messages = messages.into_iter().map(Posting::from).collect();
            }
        }
    }
}

impl Message {
    fn of(posting: &Posting) -> Self {
        let now = posting.now().clone();
        Self {
            ts: posting.ts.clone(),
            user: posting.user.clone(),
            thread: posting.thread.clone(),
            is_broadcast: posting.is_broadcast,
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
        Self {
            ts: message.ts,
            user: message.user,
            thread: message.thread,
            is_broadcast: message.is_broadcast,
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

/// Calls back after changes, until the shutdown.
pub(super) async fn after_changes(
    mut changes: watch::Receiver<u64>,
    mut shutdown: watch::Receiver<bool>,
    write: impl Fn() -> anyhow::Result<()>,
) {
    loop {
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            _ = shutdown.wait_for(|stop| *stop) => return,
        }
        tokio::time::sleep(TOGETHER).await;
        changes.mark_unchanged();
        if let Err(error) = write() {
            tracing::warn!("{error:#}");
        }
    }
}

/// When a sandbox begins that keeps nothing yet.
pub(super) fn time(kept: Option<&Kept>, fresh: DateTime<Utc>) -> Time {
    Time::running(kept.map_or(fresh, Kept::begin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::slack::{ANNA, OPS};
    use tempfile::TempDir;

    #[test]
    fn what_was_said_is_there_again() {
        let folder = TempDir::new().expect("a folder");
        assert!(Kept::read(folder.path()).expect("it is read").is_none());
        let mut world = Workspace::new(Time::real());
        let ts = world.say(OPS, ANNA, "Good morning");
        let kept = Kept::of(&world, "quiet");
        kept.write(folder.path()).expect("it is written");

        let again = Kept::read(folder.path())
            .expect("it is read")
            .expect("it is there");
        assert_eq!(again, kept);
        assert!(again.begin() > world.now());
        let mut fresh = Workspace::new(Time::real());
        again.restore(&mut fresh);
        assert_eq!(fresh.channels[OPS].messages[0].ts, ts);
        assert_eq!(fresh.channels[OPS].messages[0].now().text, "Good morning");
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = TempDir::new().expect("a folder");
        fs::write(folder.path().join("slack.json"), "{").expect("it is written");
        let error = Kept::read(folder.path()).expect_err("it is damaged");
        assert!(
            error.to_string().contains("slack.json is damaged"),
            "{error}"
        );
    }
}
