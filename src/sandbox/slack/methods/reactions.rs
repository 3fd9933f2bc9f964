//! Emoji on messages, and pinned messages.

use serde_json::{Value, json};

use super::{
    super::{Posting, Workspace, refusal},
    Answer,
    chat::is_ts,
    refuse, shown, text,
};

/// A message that everybody sees, of a channel that the app is in.
fn item<'a>(world: &'a mut Workspace, args: &Value) -> Result<&'a mut Posting, Value> {
    let ts = text(args, "timestamp");
    if text(args, "channel").is_empty() || ts.is_empty() {
        return refuse("no_item_specified");
    }
    if !is_ts(ts) {
        return refuse("bad_timestamp");
    }
    let channel = world.visible(text(args, "channel"))?;
    if channel.is_archived {
        return refuse("is_archived");
    }
    if !channel.has_bot {
        return refuse("not_in_channel");
    }
    let message = channel
        .message_mut(ts)
        .filter(|message| message.only_for.is_none());
    message.ok_or_else(|| refusal("message_not_found"))
}

fn name(args: &Value) -> Result<String, Value> {
    let name = text(args, "name").trim_matches(':');
    let is_one = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-+:'".contains(c);
    if name.is_empty() || !name.chars().all(is_one) {
        return refuse("invalid_name");
    }
    Ok(name.to_owned())
}

pub(super) fn add(world: &mut Workspace, args: &Value) -> Answer {
    let (name, bot) = (name(args)?, world.app.user.clone());
    let users = item(world, args)?.reactions.entry(name).or_default();
    if users.contains(&bot) {
        return refuse("already_reacted");
    }
    users.push(bot);
    Ok(json!({ "ok": true }))
}

pub(super) fn remove(world: &mut Workspace, args: &Value) -> Answer {
    let (name, bot) = (name(args)?, world.app.user.clone());
    let reactions = &mut item(world, args)?.reactions;
    let users = reactions
        .get_mut(&name)
        .ok_or_else(|| refusal("no_reaction"))?;
    let before = users.len();
    users.retain(|user| *user != bot);
    if users.len() == before {
        return refuse("no_reaction");
    }
    if users.is_empty() {
        reactions.remove(&name);
    }
    Ok(json!({ "ok": true }))
}

pub(super) fn get(world: &mut Workspace, args: &Value) -> Answer {
    let message = item(world, args)?.clone();
    let mut shown = world.shown(&message, false);
    shown["reactions"] = shown::reactions(&message);
    Ok(json!({ "ok": true, "type": "message", "channel": args["channel"], "message": shown }))
}

pub(super) fn pin(world: &mut Workspace, args: &Value) -> Answer {
    let ts = item(world, args)?.ts.clone();
    let pins = &mut world.visible(text(args, "channel"))?.pins;
    if pins.contains(&ts) {
        return refuse("already_pinned");
    }
    pins.push(ts);
    Ok(json!({ "ok": true }))
}

pub(super) fn unpin(world: &mut Workspace, args: &Value) -> Answer {
    let ts = item(world, args)?.ts.clone();
    let pins = &mut world.visible(text(args, "channel"))?.pins;
    let before = pins.len();
    pins.retain(|pinned| *pinned != ts);
    if pins.len() == before {
        return refuse("no_pin");
    }
    Ok(json!({ "ok": true }))
}

pub(super) fn pins(world: &mut Workspace, args: &Value) -> Answer {
    let id = text(args, "channel");
    let channel = world.visible(id)?.clone();
    let messages = channel.pins.iter().filter_map(|ts| channel.message(ts));
    let items = messages.map(|message| {
        json!({
            "type": "message", "channel": id, "created": 1_700_000_000, "created_by": world.app.user,
            "message": world.shown(message, false),
        })
    });
    Ok(json!({ "ok": true, "items": items.collect::<Vec<_>>() }))
}
