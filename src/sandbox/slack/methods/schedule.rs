//! Messages that are posted later, by the workspace's own time.

use serde_json::{Value, json};

use super::{
    super::{Workspace, workspace::Scheduled},
    Answer, number, refuse, text,
};

/// <https://docs.slack.dev/reference/methods/chat.scheduleMessage>
const DAYS: i64 = 120;

impl Workspace {
    /// Whether anything was posted.
    pub(in super::super) fn post_what_is_due(&mut self) -> bool {
        if self.scheduled.is_empty() {
            return false;
        }
        let now = self.now().timestamp();
        let (due, later) = std::mem::take(&mut self.scheduled)
            .into_iter()
            .partition::<Vec<_>, _>(|message| message.at <= now);
        self.scheduled = later;
        for message in &due {
            if let Ok(version) = self.version(&message.args, false) {
                self.post_as_app(&message.channel, &message.args, version)
                    .ok();
            }
        }
        !due.is_empty()
    }
}

pub(super) fn add(world: &mut Workspace, args: &Value) -> Answer {
    let channel = world.postable(text(args, "channel"))?;
    let now = world.now().timestamp();
    let at = match number(args, "post_at") {
        None => return refuse("invalid_time"),
        Some(at) if at <= now => return refuse("time_in_past"),
        Some(at) if at > now + DAYS * 86_400 => return refuse("time_too_far"),
        Some(at) => at,
    };
    let version = world.version(args, false)?;
    let id = format!("Q{}", world.count());
    world.scheduled.push(Scheduled {
        id: id.clone(),
        channel: channel.clone(),
        at,
        args: args.clone(),
    });
    let app = &world.app;
    Ok(json!({
        "ok": true, "channel": channel, "scheduled_message_id": id, "post_at": at,
        "message": {
            "type": "delayed_message", "subtype": "bot_message", "text": version.text, "user": app.user,
            "bot_id": app.bot_id, "app_id": app.id, "team": world.team, "blocks": version.blocks,
            "attachments": version.attachments, "bot_profile": world.bot_profile(),
        },
    }))
}

pub(super) fn delete(world: &mut Workspace, args: &Value) -> Answer {
    let before = world.scheduled.len();
    world
        .scheduled
        .retain(|message| message.id != text(args, "scheduled_message_id"));
    if world.scheduled.len() == before {
        return refuse("invalid_scheduled_message_id");
    }
    Ok(json!({ "ok": true }))
}

pub(super) fn list(world: &mut Workspace, args: &Value) -> Answer {
    let wanted = text(args, "channel");
    let messages: Vec<Value> = world
        .scheduled
        .iter()
        .filter(|message| wanted.is_empty() || message.channel == wanted)
        .map(|message| {
            json!({
                "id": message.id, "channel_id": message.channel, "post_at": message.at,
                "date_created": world.now().timestamp(), "text": text(&message.args, "text"),
            })
        })
        .collect();
    Ok(
        json!({ "ok": true, "scheduled_messages": messages, "response_metadata": { "next_cursor": "" } }),
    )
}
