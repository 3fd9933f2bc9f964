//! What people say to each other, which the app hears of as events.

use serde_json::{Value, json};

use super::super::{Slack, Version, Workspace, payloads::escaped};

impl Slack {
    /// Somebody says something, below that message if it is there. `@Name` becomes a mention. Returns its `ts`.
    pub fn say(&self, user: &str, channel: &str, text: &str, thread: Option<&str>) -> String {
        let mut world = self.world();
        let text = world.with_mentions(text);
        let version = Version {
            blocks: vec![rich_text(&text)],
            text,
            ..Version::default()
        };
        let ts = world.add(channel, user, version);
        if let Some(channel) = world.channels.get_mut(channel) {
            let thread = thread.and_then(|ts| channel.root(ts));
            if let Some(last) = channel.messages.last_mut() {
                last.thread = thread;
            }
        }
        ts
    }

    /// Somebody edits what they said.
    pub fn edit(&self, channel: &str, ts: &str, text: &str) {
        let mut world = self.world();
        let text = world.with_mentions(text);
        let version = Version {
            blocks: vec![rich_text(&text)],
            text,
            ..Version::default()
        };
        let channel = world.channels.get_mut(channel);
        let mut messages = channel.into_iter().flat_map(|it| &mut it.messages);
        if let Some(message) = messages.find(|message| message.ts == ts) {
            message.versions.push(version);
        }
    }

    /// Somebody puts an emoji on a message, or takes it back.
    pub fn react(&self, user: &str, channel: &str, ts: &str, emoji: &str) {
        let mut world = self.world();
        let channel = world.channels.get_mut(channel);
        let mut messages = channel.into_iter().flat_map(|it| &mut it.messages);
        let Some(message) = messages.find(|message| message.ts == ts) else {
            return;
        };
        let users = message.reactions.entry(emoji.to_owned()).or_default();
        if users.iter().any(|it| it == user) {
            users.retain(|it| it != user);
        } else {
            users.push(user.to_owned());
        }
        message.reactions.retain(|_, users| !users.is_empty());
    }

    /// Somebody looks at the app's Home tab.
    pub fn open_home(&self, user: &str) {
        let event = {
            let mut world = self.world();
            let at = world.ts();
            let mut event = json!({
                "type": "app_home_opened", "user": user, "channel": world.direct(user), "tab": "home",
                "event_ts": at,
            });
            if let Some(home) = world.homes.get(user) {
                event["view"] = world.view_with(home, serde_json::Map::new());
            }
            event
        };
        self.shared.wire.happened.send(event).ok();
    }
}

impl Workspace {
    /// The conversation of one person with the app.
    pub(in super::super) fn direct(&self, user: &str) -> String {
        format!("D{}", user.trim_start_matches(['U', 'W']))
    }

    /// Escaped as Slack does, with `@Name` of the app and of people as mentions.
    fn with_mentions(&self, text: &str) -> String {
        let is_mention = |text: &str| text.contains("<@U") || text.contains("<#C");
        let mut text = if is_mention(text) {
            text.to_owned()
        } else {
            escaped(text)
        };
        let app = (self.app.name.as_str(), self.app.user.as_str());
        let people = self.users.iter();
        let people = people.map(|(id, member)| (member.real_name.as_str(), id.as_str()));
        for (name, id) in std::iter::once(app).chain(people) {
            if !name.is_empty() {
                text = text.replace(&format!("@{name}"), &format!("<@{id}>"));
            }
        }
        text
    }
}

/// The one block of what a person typed.
fn rich_text(text: &str) -> Value {
    let mut elements = Vec::new();
    let mut rest = text;
    let plain = |text: &str| {
        let text = text
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        json!({ "type": "text", "text": text })
    };
    while let Some((before, user, after)) = mention(rest) {
        if !before.is_empty() {
            elements.push(plain(before));
        }
        elements.push(json!({ "type": "user", "user_id": user }));
        rest = after;
    }
    if !rest.is_empty() {
        elements.push(plain(rest));
    }
    json!({
        "type": "rich_text", "block_id": "typed",
        "elements": [{ "type": "rich_text_section", "elements": elements }],
    })
}

/// The first mention of a user, with what stands before and after it.
fn mention(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("<@")?;
    let (user, after) = rest.split_once('>')?;
    Some((before, user.split('|').next().unwrap_or(user), after))
}
