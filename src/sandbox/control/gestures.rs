//! What people do with less than a command or a click: shortcuts, menus that ask, emoji, edits.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer, Refused, channel,
    people::{no_message, place, told},
    person, read,
};
use crate::sandbox::{
    Office,
    slack::{Posting, Workspace, elements},
};

/// The channel's id, and the message.
fn message<'a>(
    world: &'a Workspace,
    named: &str,
    ts: &str,
) -> Result<(String, &'a Posting), Refused> {
    let id = channel(world, named)?;
    let found = world.channels[&id].message(ts);
    let found = found.ok_or_else(|| no_message(named, ts))?;
    Ok((id, found))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shortcut {
    user: String,
    callback_id: String,
    channel: Option<String>,
    ts: Option<String>,
}

/// A global one, or one of a message.
pub(super) async fn shortcut(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Shortcut = read(&body)?;
    let slack = &office.slack;
    let (user, of) = {
        let world = slack.world();
        let of = match (&asked.channel, &asked.ts) {
            (None, None) => None,
            (Some(named), Some(ts)) => Some((message(&world, named, ts)?.0, ts)),
            _ => return Err(Refused::new("`channel` and `ts` are needed together")),
        };
        (person(&world, &asked.user)?, of)
    };
    let callback = &asked.callback_id;
    Ok(told(match of {
        None => slack.shortcut(&user, callback).await,
        Some((channel, ts)) => slack.message_shortcut(&user, &channel, ts, callback).await,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typing {
    user: String,
    channel: Option<String>,
    ts: Option<String>,
    view: Option<String>,
    block_id: Option<String>,
    action_id: String,
    #[serde(default)]
    typed: String,
}

pub(super) async fn suggest(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Typing = read(&body)?;
    let slack = &office.slack;
    let block = asked.block_id.unwrap_or_default();
    let action = &asked.action_id;
    let (user, place) = {
        let world = slack.world();
        let at = (asked.channel.as_deref(), asked.ts.as_deref());
        let (place, blocks) = place(&world, asked.view.as_deref(), at)?;
        let is_meant = |(_, element): &(&Value, &Value)| {
            let kind = element["type"].as_str().unwrap_or_default();
            element["action_id"] == action.as_str() && kind.ends_with("external_select")
        };
        if !elements(&blocks).iter().any(is_meant) {
            let why = format!("no external select there has the action_id {action:?}");
            return Err(Refused::not_found(why));
        }
        (person(&world, &asked.user)?, place)
    };
    let options = slack.suggest(&user, &place, &block, action, &asked.typed);
    Ok(Json(json!({ "options": options.await })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Emoji {
    user: String,
    channel: String,
    ts: String,
    name: String,
}

/// Puts it there, or takes it back.
pub(super) async fn react(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Emoji = read(&body)?;
    let (user, id) = {
        let world = office.slack.world();
        let (id, _) = message(&world, &asked.channel, &asked.ts)?;
        (person(&world, &asked.user)?, id)
    };
    let name = asked.name.trim_matches(':');
    office.slack.react(&user, &id, &asked.ts, name);
    let world = office.slack.world();
    let (_, now) = message(&world, &asked.channel, &asked.ts)?;
    Ok(Json(json!({ "reactions": now.reactions })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    user: String,
    channel: String,
    ts: String,
    text: String,
}

pub(super) async fn edit(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Edit = read(&body)?;
    let id = {
        let world = office.slack.world();
        let (id, said) = message(&world, &asked.channel, &asked.ts)?;
        let user = person(&world, &asked.user)?;
        if said.user != user {
            let why = format!("{} said that; only they can edit it", said.user);
            return Err(Refused::new(why));
        }
        id
    };
    office.slack.edit(&id, &asked.ts, &asked.text);
    Ok(Json(json!({ "channel": id, "ts": asked.ts })))
}

fn open(office: &Office) -> Json<Value> {
    Json(json!({ "open": office.slack.sockets() }))
}

pub(super) async fn sockets(State(office): State<Arc<Office>>) -> Json<Value> {
    open(&office)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sockets {
    end: String,
}

pub(super) async fn end_sockets(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Sockets = read(&body)?;
    let reasons = ["warning", "refresh_requested", "link_disabled"];
    match reasons.into_iter().find(|reason| *reason == asked.end) {
        Some(reason) => office.slack.refresh_sockets(reason),
        None if asked.end == "break" => office.slack.drop_sockets(),
        None => {
            let all = reasons.join(", ");
            return Err(Refused::new(format!("`end` is break or one of {all}")));
        }
    }
    Ok(open(&office))
}
