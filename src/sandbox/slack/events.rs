//! Events: what has changed in the workspace, as far as the app may see it and asked to hear of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    Kind, Posting, Shared, Workspace,
    delivery::{Packet, tell},
};

/// Every event that there is here.
pub const ALL: [&str; 9] = [
    "app_home_opened",
    "app_mention",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
];

/// What was looked at already.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, Looks>);

#[derive(Default)]
struct Looks {
    has_bot: bool,
    messages: Vec<Mark>,
}

#[derive(Default)]
struct Mark {
    versions: usize,
    deleted: bool,
    reactions: BTreeMap<String, Vec<String>>,
}

/// Tells the app of what happens until it is dropped.
pub(super) async fn report(
    shared: Shared,
    mut seen: Seen,
    mut happening: mpsc::UnboundedReceiver<Value>,
) {
    let mut changes = shared.changed.subscribe();
    // Something may have happened before this began to run.
    changes.mark_changed();
    let mut telling = JoinSet::new();
    loop {
        let events = tokio::select! {
            changed = changes.changed() => {
                if changed.is_err() {
                    return;
                }
                seen.catch_up(&shared.enter())
            }
            event = happening.recv() => event.into_iter().collect(),
            Some(_) = telling.join_next(), if !telling.is_empty() => continue,
        };
        for event in events {
            if let Some(packet) = shared.event(event) {
                telling.spawn(tell(shared.clone(), packet));
            }
        }
    }
}

impl Seen {
    pub(super) fn of(world: &Workspace) -> Self {
        let mut seen = Self::default();
        seen.catch_up(world);
        seen
    }

    /// What has happened since.
    fn catch_up(&mut self, world: &Workspace) -> Vec<Value> {
        let mut events = Vec::new();
        for (id, channel) in &world.channels {
            let looks = self.0.entry(id.clone()).or_default();
            if channel.has_bot && !looks.has_bot && channel.person.is_none() {
                events.push(world.joined(id));
            }
            looks.has_bot = channel.has_bot;
            looks.messages.truncate(channel.messages.len());
            looks
                .messages
                .resize_with(channel.messages.len(), Mark::default);
            for (message, mark) in channel.messages.iter().zip(&mut looks.messages) {
                if mark.is_of(message) {
                    continue;
                }
                if channel.has_bot && message.only_for.is_none() {
                    events.extend(world.happened_to(id, message, mark));
                }
                *mark = Mark {
                    versions: message.versions.len(),
                    deleted: message.deleted,
                    reactions: message.reactions.clone(),
                };
            }
        }
        events
    }
}

impl Mark {
    fn is_of(&self, message: &Posting) -> bool {
        self.versions == message.versions.len()
            && self.deleted == message.deleted
            && self.reactions == message.reactions
    }
}

impl Shared {
    /// In its envelope, where the app asked for it: <https://docs.slack.dev/apis/events-api>.
    fn event(&self, event: Value) -> Option<Packet> {
        let world = self.enter();
        let name = event["type"].as_str()?.to_owned();
        let subscription = match event["channel_type"].as_str() {
            Some(kind) if name == "message" => match kind {
                "channel" => "message.channels",
                "group" => "message.groups",
                "im" => "message.im",
                _ => "message.mpim",
            },
            _ => &*name,
        };
        if !world.app.events.contains(subscription) {
            return None;
        }
        let number = self.wire.number();
        let payload = json!({
            "token": "not-for-verification", "team_id": world.team, "context_team_id": world.team,
            "context_enterprise_id": world.enterprise, "api_app_id": world.app.id, "event": event,
            "type": "event_callback", "event_id": format!("Ev{number:010}"), "event_time": world.now().timestamp(),
            "authorizations": [{
                "enterprise_id": world.enterprise, "team_id": world.team, "user_id": world.app.user, "is_bot": true,
                "is_enterprise_install": false,
            }],
            "is_ext_shared_channel": false, "event_context": format!("4-{number:010}"),
        });
        Some(Packet {
            kind: Kind::Event,
            name,
            payload,
        })
    }
}

impl Workspace {
    fn joined(&self, channel: &str) -> Value {
        let kind = if channel.starts_with('G') { "G" } else { "C" };
        json!({
            "type": "member_joined_channel", "user": self.app.user, "channel": channel, "channel_type": kind,
            "team": self.team, "event_ts": self.event_ts(),
        })
    }

    fn event_ts(&self) -> String {
        let now = self.now();
        format!("{}.{:06}", now.timestamp(), now.timestamp_subsec_micros())
    }

    fn happened_to(&self, channel: &str, message: &Posting, mark: &Mark) -> Vec<Value> {
        let mut events = Vec::new();
        for number in mark.versions..message.versions.len() {
            if number == 0 {
                events.extend(self.said(channel, message));
            } else {
                events.push(self.changed(channel, message, number));
            }
        }
        if message.deleted && !mark.deleted {
            let mut event = self.hidden(channel, "message_deleted");
            event["previous_message"] = self.shown(message, false);
            event["deleted_ts"] = message.ts.as_str().into();
            events.push(event);
        }
        events.extend(self.reacted(
            "reaction_added",
            channel,
            message,
            &mark.reactions,
            &message.reactions,
        ));
        events.extend(self.reacted(
            "reaction_removed",
            channel,
            message,
            &message.reactions,
            &mark.reactions,
        ));
        events
    }

    /// A message, and a mention of the app where it is one.
    fn said(&self, channel: &str, message: &Posting) -> Vec<Value> {
        let mut first = message.clone();
        first.versions.truncate(1);
        let mut event = self.shown(&first, false);
        event["channel"] = channel.into();
        event["event_ts"] = message.ts.as_str().into();
        let is_mine = message.user == self.app.user;
        if !is_mine {
            let (seconds, micros) = message.ts.split_once('.').unwrap_or((&message.ts, "0"));
            event["client_msg_id"] = format!("{seconds:0>8}-0000-4000-8000-{micros:0>12}").into();
        }
        if let Some(thread) = &message.thread {
            event["thread_ts"] = thread.as_str().into();
        }
        let mut mention = event.clone();
        let kind = self.channel_type(channel);
        event["channel_type"] = kind.into();
        let mentions = first.now().text.contains(&format!("<@{}>", self.app.user));
        if is_mine || kind == "im" || !mentions {
            return vec![event];
        }
        mention["type"] = "app_mention".into();
        vec![event, mention]
    }

    fn changed(&self, channel: &str, message: &Posting, number: usize) -> Value {
        let version = |number: usize| {
            let mut then = message.clone();
            then.versions.truncate(number + 1);
            self.shown(&then, false)
        };
        let mut event = self.hidden(channel, "message_changed");
        event["message"] = version(number);
        event["previous_message"] = version(number - 1);
        event
    }

    fn hidden(&self, channel: &str, subtype: &str) -> Value {
        let at = self.event_ts();
        json!({
            "type": "message", "subtype": subtype, "hidden": true, "channel": channel, "ts": at, "event_ts": at,
            "channel_type": self.channel_type(channel),
        })
    }

    fn channel_type(&self, channel: &str) -> &'static str {
        match self.channels.get(channel) {
            _ if channel.starts_with('D') => "im",
            Some(channel) if channel.is_private => "group",
            _ => "channel",
        }
    }

    /// Who is among the reactions after, and was not before.
    fn reacted(
        &self,
        kind: &str,
        channel: &str,
        message: &Posting,
        before: &BTreeMap<String, Vec<String>>,
        after: &BTreeMap<String, Vec<String>>,
    ) -> Vec<Value> {
        let had = |emoji: &str, user: &String| {
            let users = before.get(emoji);
            users.is_some_and(|users| users.contains(user))
        };
        let all = after
            .iter()
            .flat_map(|(emoji, users)| users.iter().map(move |user| (emoji, user)));
        all.filter(|(emoji, user)| !had(emoji, user))
            .map(|(emoji, user)| {
                json!({
                    "type": kind, "user": user, "reaction": emoji, "item_user": message.user,
                    "item": { "type": "message", "channel": channel, "ts": message.ts },
                    "event_ts": self.event_ts(),
                })
            })
            .collect()
    }
}
