//! What is said in channels: posted, edited, taken back, read again.

use serde_json::{Value, json};

use super::{
    super::{BOT, Posting, Version, Workspace, block_rules, refusal},
    Answer, is_set, refuse, text,
};

impl Workspace {
    /// The new state of a message, or why it is refused.
    fn version(&self, args: &Value) -> Result<Version, Value> {
        let blocks = args["blocks"].as_array().cloned().unwrap_or_default();
        let said = text(args, "text");
        if blocks.is_empty() && said.is_empty() {
            return refuse("no_text");
        }
        let wrong = if self.refuses_blocks && !blocks.is_empty() {
            Some("no longer understood [json-pointer:/blocks/0]".to_owned())
        } else {
            block_rules::broken(&blocks, 50)
        };
        if let Some(wrong) = wrong {
            return Err(json!({
                "ok": false, "error": "invalid_blocks", "errors": [&wrong],
                "response_metadata": { "messages": [format!("[ERROR] {wrong}")] },
            }));
        }
        let metadata = &args["metadata"];
        if metadata.is_object() && metadata["event_type"].as_str().is_none_or(str::is_empty) {
            return refuse("invalid_metadata_format");
        }
        Ok(Version {
            text: said.chars().take(40_000).collect(),
            blocks,
            attachments: Vec::new(),
            metadata: metadata.clone(),
        })
    }

    /// The message as Slack shows it: with block ids of its own where none were given.
    pub(in super::super) fn shown(&self, message: &Posting, with_metadata: bool) -> Value {
        let now = message.now();
        let blocks: Vec<Value> = now
            .blocks
            .iter()
            .enumerate()
            .map(|(place, block)| {
                let mut block = block.clone();
                if block["block_id"].is_null() {
                    block["block_id"] = format!("b{place:03}").into();
                }
                block
            })
            .collect();
        let mut shown = json!({
            "type": "message", "user": message.user, "text": now.text, "ts": message.ts, "team": self.team,
        });
        if message.user == BOT {
            shown["bot_id"] = "B0BOT".into();
            shown["app_id"] = "A0DAILYOPS".into();
        }
        if !blocks.is_empty() {
            shown["blocks"] = blocks.into();
        } else if message.versions.len() > 1 {
            shown["edited"] = json!({ "user": message.user, "ts": message.ts });
        }
        if with_metadata && now.metadata.is_object() {
            shown["metadata"] = now.metadata.clone();
        }
        shown
    }
}

pub(super) fn post(world: &mut Workspace, args: &Value) -> Answer {
    world.need("chat:write")?;
    let id = text(args, "channel");
    let everywhere = world.app.scopes.contains("chat:write.public");
    let channel = world.visible(id)?;
    if channel.is_archived {
        return refuse("is_archived");
    }
    if !channel.has_bot && !everywhere {
        return refuse("not_in_channel");
    }
    if let Some(restricted) = channel.restricted {
        return refuse(restricted);
    }
    let version = world.version(args)?;
    let ts = world.add(id, BOT, version);
    let posted = world.channels[id].messages.last();
    let shown = posted.map(|message| world.shown(message, true));
    Ok(json!({ "ok": true, "channel": id, "ts": ts, "message": shown }))
}

pub(super) fn update(world: &mut Workspace, args: &Value) -> Answer {
    world.need("chat:write")?;
    let before = world.message(args)?.clone();
    if before.user != BOT {
        return refuse("cant_update_message");
    }
    if text(args, "text").chars().count() > 4000 {
        return refuse("msg_too_long");
    }
    let mut version = world.version(args)?;
    if version.metadata.is_null() {
        version.metadata = before.now().metadata.clone();
    }
    let message = world.message(args)?;
    message.versions.push(version);
    let message = message.clone();
    Ok(json!({
        "ok": true, "channel": args["channel"], "ts": message.ts, "text": message.now().text,
        "message": world.shown(&message, true),
    }))
}

pub(super) fn delete(world: &mut Workspace, args: &Value) -> Answer {
    world.need("chat:write")?;
    let message = world.message(args)?;
    if message.user != BOT {
        return refuse("cant_delete_message");
    }
    message.deleted = true;
    Ok(json!({ "ok": true, "channel": args["channel"], "ts": args["ts"] }))
}

pub(super) fn post_ephemeral(world: &mut Workspace, args: &Value) -> Answer {
    world.need("chat:write")?;
    let (id, user) = (text(args, "channel"), text(args, "user"));
    if !world.visible(id)?.has_bot {
        return refuse("not_in_channel");
    }
    if !world.users.contains_key(user) {
        return refuse("user_not_in_channel");
    }
    let version = world.version(args)?;
    let ts = world.add_for(id, BOT, user, version);
    Ok(json!({ "ok": true, "message_ts": ts }))
}

/// Newest first, as Slack pages it.
pub(super) fn history(world: &mut Workspace, args: &Value) -> Answer {
    let id = text(args, "channel");
    let channel = world.visible(id)?.clone();
    world.need(if channel.is_private {
        "groups:history"
    } else {
        "channels:history"
    })?;
    if !channel.has_bot {
        return refuse("not_in_channel");
    }
    let seconds = |ts: &str| ts.parse::<f64>().ok();
    let oldest = match text(args, "oldest") {
        "" => 0.0,
        oldest => seconds(oldest).ok_or_else(|| refusal("invalid_ts_oldest"))?,
    };
    let start: usize = match text(args, "cursor") {
        "" => 0,
        cursor => cursor.parse().map_err(|_| refusal("invalid_cursor"))?,
    };
    let matching: Vec<&Posting> = channel
        .messages
        .iter()
        .rev()
        .filter(|message| !message.deleted && message.only_for.is_none())
        .filter(|message| seconds(&message.ts).is_some_and(|at| at >= oldest))
        .collect();
    let page: Vec<Value> = matching
        .iter()
        .skip(start)
        .take(world.page)
        .map(|message| world.shown(message, is_set(args, "include_all_metadata")))
        .collect();
    let next = start + page.len();
    let more = next < matching.len();
    let cursor = if more {
        next.to_string()
    } else {
        String::new()
    };
    Ok(json!({
        "ok": true, "messages": page, "has_more": more, "response_metadata": { "next_cursor": cursor },
    }))
}
