//! Messages, channels and files as Slack's answers and payloads show them.

use serde_json::{Map, Value, json};

use super::super::{Channel, Posting, Upload, View, Workspace};

impl Workspace {
    /// The message as Slack shows it.
    pub(in super::super) fn shown(&self, message: &Posting, with_metadata: bool) -> Value {
        let mut shown = self.alone(message, with_metadata);
        let mut channels = self.channels.values();
        if let Some(channel) = channels.find(|channel| channel.place(&message.ts).is_some()) {
            let replies: Vec<&Posting> = match message.thread {
                None => channel.replies(&message.ts).collect(),
                Some(_) => Vec::new(),
            };
            show_thread(channel, message, &replies, &mut shown);
        }
        shown
    }

    /// Without what its thread adds.
    fn alone(&self, message: &Posting, with_metadata: bool) -> Value {
        let now = message.now();
        let mut shown = json!({
            "type": "message", "user": message.user, "text": now.text, "ts": message.ts, "team": self.team,
        });
        if message.user == self.app.user {
            shown["bot_id"] = self.app.bot_id.clone().into();
            shown["app_id"] = self.app.id.clone().into();
            shown["bot_profile"] = self.bot_profile();
        }
        if let Some(subtype) = message.subtype {
            shown["subtype"] = subtype.into();
        }
        if let Some(name) = &message.username {
            shown["username"] = name.as_str().into();
            shown["subtype"] = "bot_message".into();
        }
        if let Some(icons) = &message.icons {
            shown["icons"] = icons.clone();
        }
        if !now.blocks.is_empty() {
            shown["blocks"] = now.blocks.clone().into();
        }
        if !now.attachments.is_empty() {
            shown["attachments"] = now.attachments.clone().into();
        }
        if let Some(ts) = &now.edited {
            shown["edited"] = json!({ "user": message.user, "ts": ts });
        }
        if with_metadata && now.metadata.is_object() {
            shown["metadata"] = now.metadata.clone();
        }
        if !message.files.is_empty() {
            let files = message.files.iter().filter_map(|id| self.files.get(id));
            shown["files"] = files.map(|file| self.file(file)).collect();
        }
        if !message.reactions.is_empty() {
            shown["reactions"] = reactions(message);
        }
        if message.only_for.is_some() {
            shown["is_ephemeral"] = true.into();
        }
        shown
    }

    /// Messages of one channel as `conversations.history` shows them.
    pub fn messages_json<'a>(
        &self,
        channel: &Channel,
        messages: impl Iterator<Item = &'a Posting>,
        with_metadata: bool,
    ) -> Vec<Value> {
        // One pass over the channel for all of them.
        let threads = channel.threads();
        let none = Vec::new();
        let shown = messages.map(|message| {
            let mut shown = self.alone(message, with_metadata);
            let replies = threads.get(message.ts.as_str()).unwrap_or(&none);
            show_thread(channel, message, replies, &mut shown);
            shown
        });
        shown.collect()
    }

    /// The view as `views.open` answers it.
    pub fn view_json(&self, view: &View) -> Value {
        self.view_with(view, Map::new())
    }

    pub(super) fn bot_profile(&self) -> Value {
        json!({
            "id": self.app.bot_id, "app_id": self.app.id, "user_id": self.app.user, "name": self.app.name,
            "icons": icons(), "deleted": false, "updated": 1_700_000_000, "team_id": self.team,
        })
    }

    /// Ids of those who are in a channel.
    pub fn people_in(&self, id: &str) -> Vec<String> {
        let Some(channel) = self.channels.get(id) else {
            return Vec::new();
        };
        let bot = channel.has_bot.then(|| self.app.user.clone());
        let people: Vec<String> = match (&channel.person, &channel.members) {
            (Some(person), _) => vec![person.clone()],
            (None, Some(members)) => members.iter().cloned().collect(),
            (None, None) => {
                let users = self.users.iter();
                let there = users.filter(|(id, user)| !user.deleted && **id != self.app.user);
                there.map(|(id, _)| id.clone()).collect()
            }
        };
        people.into_iter().chain(bot).collect()
    }

    /// The direct message with somebody, which is begun if there is none.
    pub fn begin_direct(&mut self, user: &str) -> String {
        let id = self.direct(user);
        self.channels.entry(id.clone()).or_insert_with(|| Channel {
            has_bot: true,
            is_private: true,
            person: Some(user.to_owned()),
            ..Channel::default()
        });
        id
    }

    pub(in super::super) fn channel(&self, id: &str) -> Value {
        let Some(channel) = self.channels.get(id) else {
            return Value::Null;
        };
        if let Some(person) = &channel.person {
            let deleted = self.users.get(person).is_some_and(|user| user.deleted);
            return json!({
                "id": id, "created": 1_700_000_000, "is_archived": false, "is_im": true, "is_org_shared": false,
                "context_team_id": self.team, "user": person, "is_user_deleted": deleted, "is_open": true,
                "last_read": "0000000000.000000", "latest": null, "unread_count": 0, "unread_count_display": 0,
                "priority": 0,
            });
        }
        let note = |value: &str| json!({ "value": value, "creator": "", "last_set": 0 });
        json!({
            "id": id, "name": channel.name, "name_normalized": channel.name, "is_channel": !channel.is_private,
            "is_group": channel.is_private, "is_im": false, "is_mpim": false, "is_private": channel.is_private,
            "created": 1_700_000_000, "creator": "USLACKBOT", "is_archived": channel.is_archived,
            "is_general": channel.name == "general", "unlinked": 0, "is_shared": false, "is_frozen": false,
            "is_org_shared": false, "is_ext_shared": false, "is_pending_ext_shared": false,
            "pending_shared": [], "pending_connected_team_ids": [], "shared_team_ids": [self.team],
            "context_team_id": self.team, "parent_conversation": null, "updated": 1_700_000_000_000_i64,
            "is_member": channel.has_bot, "topic": note(&channel.topic), "purpose": note(&channel.purpose),
            "properties": { "tabs": [] }, "previous_names": [],
        })
    }

    pub(super) fn file(&self, file: &Upload) -> Value {
        let kind = file.name.rsplit_once('.').map_or("text", |(_, end)| end);
        let mime = match kind {
            "png" => "image/png",
            "jpg" | "jpeg" => "image/jpeg",
            "gif" => "image/gif",
            "csv" => "text/csv",
            "json" => "application/json",
            "pdf" => "application/pdf",
            _ => "text/plain",
        };
        let url = format!("{}/files/{}/{}", self.origin, file.id, file.name);
        json!({
            "id": file.id, "created": 1_700_000_000, "timestamp": 1_700_000_000, "name": file.name,
            "title": file.title, "mimetype": mime, "filetype": kind, "pretty_type": kind.to_uppercase(),
            "user": self.app.user, "user_team": self.team, "editable": false, "size": file.length,
            "mode": "hosted", "is_external": false, "external_type": "", "is_public": true,
            "public_url_shared": false, "display_as_bot": false, "username": "", "url_private": url,
            "url_private_download": url, "permalink": url, "has_rich_preview": false, "file_access": "visible",
        })
    }
}

fn show_thread(channel: &Channel, message: &Posting, replies: &[&Posting], shown: &mut Value) {
    if let Some(thread) = &message.thread {
        shown["thread_ts"] = thread.as_str().into();
        if let Some(parent) = channel.message(thread) {
            shown["parent_user_id"] = parent.user.as_str().into();
        }
        return;
    }
    let Some(latest) = replies.last() else {
        return;
    };
    let mut users: Vec<&str> = Vec::new();
    for reply in replies {
        if !users.contains(&reply.user.as_str()) {
            users.push(&reply.user);
        }
    }
    shown["thread_ts"] = message.ts.as_str().into();
    shown["reply_count"] = replies.len().into();
    shown["reply_users_count"] = users.len().into();
    shown["reply_users"] = users.into();
    shown["latest_reply"] = latest.ts.as_str().into();
    shown["is_locked"] = false.into();
    shown["subscribed"] = false.into();
}

pub(super) fn icons() -> Value {
    let base = "https://a.slack-edge.com/80588/img/plugins/app";
    json!({
        "image_36": format!("{base}/bot_36.png"), "image_48": format!("{base}/bot_48.png"),
        "image_72": format!("{base}/service_72.png"),
    })
}

pub(super) fn reactions(message: &Posting) -> Value {
    let all = message
        .reactions
        .iter()
        .map(|(name, users)| json!({ "name": name, "users": users, "count": users.len() }));
    all.collect()
}
