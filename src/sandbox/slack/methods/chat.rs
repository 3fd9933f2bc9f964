//! What the app says: posted, edited, taken back.

use serde_json::{Value, json};

use super::{
    super::{Posting, Version, Workspace, refusal},
    Answer, is_set, refuse, text,
};

/// `chat.update` refuses longer texts. <https://docs.slack.dev/reference/methods/chat.update>
const EDITED_TEXT: usize = 4_000;

impl Workspace {
    /// The channel that is meant by an id, a name or a person, if the app may post there.
    pub(super) fn postable(&mut self, given: &str) -> Result<String, Value> {
        let id = self
            .meant(given)
            .ok_or_else(|| refusal("channel_not_found"))?;
        let everywhere = self.app.scopes.contains("chat:write.public");
        let channel = self.visible(&id)?;
        if channel.is_archived {
            return refuse("is_archived");
        }
        if !channel.has_bot && !everywhere {
            return refuse("not_in_channel");
        }
        if let Some(restricted) = channel.restricted {
            return refuse(restricted);
        }
        Ok(id)
    }

    fn meant(&mut self, given: &str) -> Option<String> {
        if self.channels.contains_key(given) {
            return Some(given.to_owned());
        }
        if let Some(user) = self.users.get(given) {
            let is_reachable = !user.deleted && !user.is_bot;
            return is_reachable.then(|| self.begin_direct(given));
        }
        let name = given.strip_prefix('#').unwrap_or(given);
        let mut channels = self.channels.iter();
        let found = channels.find(|(_, channel)| channel.person.is_none() && channel.name == name);
        found.map(|(id, _)| id.clone())
    }

    /// The message that a reply belongs under.
    fn thread(&self, channel: &str, args: &Value) -> Result<Option<String>, Value> {
        let ts = match text(args, "thread_ts") {
            "" => return Ok(None),
            ts => ts,
        };
        if !is_ts(ts) {
            return refuse("invalid_thread_ts");
        }
        let root = self.channels[channel].root(ts);
        Ok(Some(root.ok_or_else(|| refusal("thread_not_found"))?))
    }

    /// One's own message that everybody sees.
    fn own(&mut self, args: &Value, refused: &str) -> Result<&mut Posting, Value> {
        let user = self.app.user.clone();
        let channel = self.visible(text(args, "channel"))?;
        let message = channel
            .message_mut(text(args, "ts"))
            .filter(|message| message.only_for.is_none())
            .ok_or_else(|| refusal("message_not_found"))?;
        if message.user != user {
            return refuse(refused);
        }
        Ok(message)
    }

    /// Posts what the app says, and gives the message's `ts`.
    pub(super) fn post_as_app(
        &mut self,
        channel: &str,
        args: &Value,
        version: Version,
    ) -> Result<String, Value> {
        let thread = self.thread(channel, args)?;
        let (username, icons) = self.look(args)?;
        let user = self.app.user.clone();
        let ts = self.add(channel, &user, version);
        if let Some(message) = self
            .channels
            .get_mut(channel)
            .and_then(|channel| channel.messages.last_mut())
        {
            message.is_broadcast = thread.is_some() && is_set(args, "reply_broadcast");
            message.thread = thread;
            message.subtype = message.is_broadcast.then_some("thread_broadcast");
            message.username = username;
            message.icons = icons;
        }
        Ok(ts)
    }

    /// The name and the icons that the app gives itself.
    fn look(&self, args: &Value) -> Result<(Option<String>, Option<Value>), Value> {
        let given = |name| Some(text(args, name)).filter(|text| !text.is_empty());
        let (name, emoji, url) = (given("username"), given("icon_emoji"), given("icon_url"));
        if name.or(emoji).or(url).is_some() {
            self.need("chat:write.customize")?;
        }
        let icons = emoji
            .map(|emoji| json!({ "emoji": emoji }))
            .or_else(|| url.map(|url| json!({ "image_48": url })));
        Ok((name.map(str::to_owned), icons))
    }

    pub(super) fn last(&self, channel: &str) -> Value {
        let message = self.channels[channel].messages.last();
        message.map_or(Value::Null, |message| self.shown(message, true))
    }
}

/// `1700000000.000100`
pub(super) fn is_ts(text: &str) -> bool {
    text.split_once('.').is_some_and(|(seconds, micros)| {
        let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
        seconds.len() >= 9 && micros.len() == 6 && digits(seconds) && digits(micros)
    })
}

pub(super) fn post(world: &mut Workspace, args: &Value) -> Answer {
    let id = world.postable(text(args, "channel"))?;
    let version = world.version(args, false)?;
    let ts = world.post_as_app(&id, args, version)?;
    Ok(json!({ "ok": true, "channel": id, "ts": ts, "message": world.last(&id) }))
}

pub(super) fn me(world: &mut Workspace, args: &Value) -> Answer {
    let id = world.postable(text(args, "channel"))?;
    let version = world.version(args, false)?;
    let ts = world.post_as_app(&id, args, version)?;
    if let Some(channel) = world.channels.get_mut(&id)
        && let Some(message) = channel.message_mut(&ts)
    {
        message.subtype = Some("me_message");
    }
    Ok(json!({ "ok": true, "channel": id, "ts": ts }))
}

pub(super) fn update(world: &mut Workspace, args: &Value) -> Answer {
    let before = world.own(args, "cant_update_message")?.clone();
    if text(args, "text").chars().count() > EDITED_TEXT {
        return refuse("msg_too_long");
    }
    let keeps = |name: &str| args[name].is_null() && args["text"].is_null();
    let mut version = world.version(args, keeps("blocks") && !before.files.is_empty())?;
    if version.metadata.is_null() && args["metadata"].is_null() {
        version.metadata = before.now().metadata.clone();
    }
    if args["attachments"].is_null() && args["text"].is_null() && args["blocks"].is_null() {
        version.attachments = before.now().attachments.clone();
    }
    if version.blocks.is_empty() {
        version.edited = Some(world.ts());
    }
    let message = world.own(args, "cant_update_message")?;
    message.versions.push(version);
    let message = message.clone();
    Ok(json!({
        "ok": true, "channel": args["channel"], "ts": message.ts, "text": message.now().text,
        "message": world.shown(&message, true),
    }))
}

pub(super) fn delete(world: &mut Workspace, args: &Value) -> Answer {
    let message = world.own(args, "cant_delete_message")?;
    message.deleted = true;
    Ok(json!({ "ok": true, "channel": args["channel"], "ts": args["ts"] }))
}

pub(super) fn post_ephemeral(world: &mut Workspace, args: &Value) -> Answer {
    let id = world.postable(text(args, "channel"))?;
    let user = text(args, "user");
    if !world.channels[&id].has_bot {
        return refuse("not_in_channel");
    }
    if !world.people_in(&id).iter().any(|member| member == user) {
        return refuse("user_not_in_channel");
    }
    let version = world.version(args, false)?;
    let ts = world.post_as_app(&id, args, version)?;
    if let Some(channel) = world.channels.get_mut(&id)
        && let Some(message) = channel.message_mut(&ts)
    {
        message.only_for = Some(user.to_owned());
    }
    Ok(json!({ "ok": true, "message_ts": ts }))
}

pub(super) fn permalink(world: &mut Workspace, args: &Value) -> Answer {
    let (id, ts) = (text(args, "channel"), text(args, "message_ts"));
    let message = world
        .visible(id)?
        .message(ts)
        .ok_or_else(|| refusal("message_not_found"))?;
    let thread = message.thread.clone();
    let mut link = format!(
        "https://acme.slack.com/archives/{id}/p{}",
        ts.replace('.', "")
    );
    if let Some(thread) = thread {
        link.push_str(&format!("?thread_ts={thread}&cid={id}"));
    }
    Ok(json!({ "ok": true, "channel": id, "permalink": link }))
}
