//! What `--keep` keeps beside the bot's database: the time, the story and what was done about it, and Slack's messages.
//!
//! Without the messages the bot could not edit them, and their buttons would lead nowhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::select_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

mod message;

use super::{
    slack::{Channel, Posting, Workspace},
    time::Time,
    world::World,
};
use message::Message;

/// What changes together is written together.
const TOGETHER: Duration = Duration::from_millis(200);
/// How old the kept time may become while nothing changes.
const TICK: Duration = Duration::from_secs(10);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    time: DateTime<Utc>,
    scenario: String,
    /// When that was told; the company's course follows from it.
    #[serde(default)]
    began: Option<DateTime<Utc>>,
    /// Each switch's position.
    #[serde(default)]
    switches: BTreeMap<String, String>,
    /// What the parts of the company were told from outside.
    #[serde(default)]
    told: BTreeMap<String, Value>,
    #[serde(default)]
    channels: BTreeMap<String, About>,
    /// By channel, oldest first.
    messages: BTreeMap<String, Vec<Message>>,
}

/// A channel without its messages.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct About {
    name: String,
    is_private: bool,
    is_archived: bool,
    has_bot: bool,
    person: Option<String>,
    members: Option<BTreeSet<String>>,
    topic: String,
    purpose: String,
    pins: Vec<String>,
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

    pub(super) fn of(slack: &Workspace, world: &World) -> Self {
        let there = |message: &&Posting| !message.deleted;
        let messages = slack.channels.iter().map(|(id, channel)| {
            let messages = channel.messages.iter().filter(there).map(Message::of);
            (id.clone(), messages.collect())
        });
        let channels = slack.channels.iter();
        let switches = world.switches().into_iter();
        let playing = world.playing();
        Self {
            time: slack.time.now(),
            scenario: playing.name.to_owned(),
            began: Some(world.began()),
            switches: switches
                .map(|switch| (switch.name, switch.chosen.to_owned()))
                .collect(),
            told: world.told_from_outside(),
            channels: channels
                .map(|(id, channel)| (id.clone(), About::of(channel)))
                .collect(),
            messages: messages.collect(),
        }
    }

    /// All of it or nothing, also if the process or the machine ends meanwhile.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = Self::path(folder);
        let fresh = folder.join("slack.json.new");
        let text = serde_json::to_vec(self)?;
        let written = || {
            let mut file = File::create(&fresh)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        written().with_context(|| format!("{} can't be written", path.display()))
    }

    /// Later than all that was kept.
    pub(super) fn begin(&self) -> DateTime<Utc> {
        self.time + TimeDelta::seconds(1)
    }

    /// The story, told anew from its beginning up to the kept time, and what was done about it.
    pub(super) async fn company(&self) -> anyhow::Result<World> {
        let began = self.began.unwrap_or(self.time).min(self.time);
        let time = Time::running(began);
        let world = World::open(time.clone()).await?;
        if let Err(error) = world.play(&self.scenario) {
            tracing::warn!(
                "what was kept can't be told again, so `{}` is told: {error:#}",
                World::FIRST
            );
            time.advance_to(self.begin());
            world.play(World::FIRST)?;
            return Ok(world);
        }
        time.advance_to(self.begin());
        world.tell_from_outside(&self.told);
        for switch in world.switches() {
            let kept = self.switches.get(&switch.name);
            if let Some(kept) = kept.filter(|kept| *kept != switch.chosen)
                && let Err(error) = world.switch(&switch.name, kept)
            {
                tracing::warn!("a switch stays as it is: {error:#}");
            }
        }
        Ok(world)
    }

    pub(super) fn restore(self, world: &mut Workspace) {
        for (id, about) in self.channels {
            about.restore(world.channels.entry(id).or_default());
        }
        for (id, messages) in self.messages {
            if let Some(channel) = world.channels.get_mut(&id) {
                channel.messages = messages.into_iter().map(Posting::from).collect();
            }
        }
    }
}

impl About {
    fn of(channel: &Channel) -> Self {
        let channel = channel.clone();
        Self {
            name: channel.name,
            is_private: channel.is_private,
            is_archived: channel.is_archived,
            has_bot: channel.has_bot,
            person: channel.person,
            members: channel.members,
            topic: channel.topic,
            purpose: channel.purpose,
            pins: channel.pins,
        }
    }

    fn restore(self, channel: &mut Channel) {
        channel.name = self.name;
        channel.is_private = self.is_private;
        channel.is_archived = self.is_archived;
        channel.has_bot = self.has_bot;
        channel.person = self.person;
        channel.members = self.members;
        channel.topic = self.topic;
        channel.purpose = self.purpose;
        channel.pins = self.pins;
    }
}

/// Calls back after changes, and now and then without one for the time's sake, until the shutdown.
pub(super) async fn after_changes<W: Future<Output = anyhow::Result<()>>>(
    mut changes: [watch::Receiver<u64>; 3],
    mut shutdown: watch::Receiver<bool>,
    write: impl Fn() -> W,
) {
    loop {
        let any = select_all(changes.iter_mut().map(|it| Box::pin(it.changed())));
        tokio::select! {
            (changed, ..) = any => if changed.is_err() { return },
            () = tokio::time::sleep(TICK) => {}
            _ = shutdown.wait_for(|stop| *stop) => return,
        }
        tokio::time::sleep(TOGETHER).await;
        changes.iter_mut().for_each(watch::Receiver::mark_unchanged);
        if let Err(error) = write().await {
            tracing::warn!("{error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn a_damaged_file_is_named() {
        let folder = TempDir::new().expect("a folder");
        assert!(Kept::read(folder.path()).expect("it is read").is_none());
        fs::write(folder.path().join("slack.json"), "{").expect("it is written");
        let error = Kept::read(folder.path()).expect_err("it is damaged");
        assert!(
            error.to_string().contains("slack.json is damaged"),
            "{error}"
        );
    }
}
