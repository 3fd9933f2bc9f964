use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Refused, channel, person, read};
use crate::sandbox::{
    Office,
    slack::{Delivered, Place, Workspace, elements},
};

pub(super) fn told(delivered: Delivered) -> Json<Value> {
    Json(match delivered {
        Delivered::Acked { after, body } => {
            let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            json!({ "acked": true, "after_milliseconds": after, "body": body })
        }
        Delivered::Failed(why) => json!({ "acked": false, "error": why }),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    user: String,
    channel: String,
    line: String,
}

pub(super) async fn command(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Command = read(&body)?;
    let (user, channel) = {
        let world = office.slack.world();
        (
            person(&world, &asked.user)?,
            channel(&world, &asked.channel)?,
        )
    };
    if !asked.line.starts_with('/') {
        return Err(Refused::new("`line` begins with a slash: /ops daily"));
    }
    Ok(told(
        office.slack.command(&user, &channel, &asked.line).await,
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Click {
    user: String,
    channel: Option<String>,
    ts: Option<String>,
    view: Option<String>,
    block_id: Option<String>,
    action_id: String,
    value: Option<String>,
}

pub(super) async fn click(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Click = read(&body)?;
    let (user, place, (block, chosen)) = {
        let world = office.slack.world();
        let at = (asked.channel.as_deref(), asked.ts.as_deref());
        let (place, blocks) = place(&world, asked.view.as_deref(), at)?;
        (person(&world, &asked.user)?, place, meant(&asked, &blocks)?)
    };
    let slack = &office.slack;
    Ok(told(
        slack
            .act(&user, &place, &block, &asked.action_id, chosen)
            .await,
    ))
}

/// Where the element is, and what else is there.
pub(super) fn place(
    world: &Workspace,
    view: Option<&str>,
    (named, ts): (Option<&str>, Option<&str>),
) -> Result<(Place, Vec<Value>), Refused> {
    match (view, named, ts) {
        (Some(id), None, None) => {
            let mut views = world.views.iter().chain(world.homes.values());
            let view = views
                .find(|view| view.id == id && view.is_open)
                .ok_or_else(|| Refused::not_found(format!("no open view has the id {id:?}")))?;
            let blocks = view.now()["blocks"].as_array().cloned();
            Ok((Place::View(id.to_owned()), blocks.unwrap_or_default()))
        }
        (None, Some(named), Some(ts)) => {
            let id = channel(world, named)?;
            let message = world.channels[&id].message(ts);
            let message = message.ok_or_else(|| no_message(named, ts))?;
            let place = Place::Message {
                channel: id.clone(),
                ts: ts.to_owned(),
            };
            Ok((place, message.now().all_blocks()))
        }
        _ => Err(Refused::new(
            "either `channel` and `ts` are needed, or `view`",
        )),
    }
}

/// The block whose element is meant, and what is chosen there.
fn meant(asked: &Click, blocks: &[Value]) -> Result<(String, Value), Refused> {
    let mut there = Vec::new();
    for (block, element) in elements(blocks) {
        let id = block["block_id"].as_str().unwrap_or_default();
        let Some(action) = element["action_id"].as_str() else {
            continue;
        };
        there.push(format!("{id}/{action}"));
        let is_in = asked.block_id.as_deref().is_none_or(|block| block == id);
        if is_in
            && action == asked.action_id
            && let Some(chosen) = chosen(element, asked.value.as_deref())
        {
            return Ok((id.to_owned(), chosen));
        }
    }
    Err(Refused::not_found(format!(
        "no element there has the action_id {:?}, and that block_id and value if they are given; there are {}",
        asked.action_id,
        there.join(", ")
    )))
}

/// What Slack says of the choice; nothing, if the element doesn't offer it.
fn chosen(element: &Value, value: Option<&str>) -> Option<Value> {
    let option = |value: &str| {
        let options = element["options"].as_array().into_iter().flatten();
        let groups = element["option_groups"].as_array().into_iter().flatten();
        let grouped = groups.filter_map(|group| group["options"].as_array());
        let mut all = options.chain(grouped.flatten());
        all.find(|option| option["value"] == value).cloned()
    };
    let Some(value) = value else {
        return Some(json!({}));
    };
    let kind = element["type"].as_str().unwrap_or_default();
    Some(match kind {
        "button" | "icon_button" => {
            return (element["value"] == value).then(|| json!({}));
        }
        "feedback_buttons" => {
            let both = [&element["positive_button"], &element["negative_button"]];
            let pressed = both.into_iter().find(|it| it["value"] == value)?;
            json!({ "text": pressed["text"], "value": pressed["value"] })
        }
        "overflow" | "static_select" | "radio_buttons" => {
            json!({ "selected_option": option(value)? })
        }
        "checkboxes" | "multi_static_select" => {
            let all: Option<Vec<Value>> = value.split(',').map(option).collect();
            json!({ "selected_options": all? })
        }
        "external_select" => json!({ "selected_option": {
            "text": { "type": "plain_text", "text": value, "emoji": true }, "value": value,
        } }),
        "users_select" => json!({ "selected_user": value }),
        "channels_select" => json!({ "selected_channel": value }),
        "conversations_select" => json!({ "selected_conversation": value }),
        "datepicker" => json!({ "selected_date": value }),
        "timepicker" => json!({ "selected_time": value }),
        "datetimepicker" => json!({ "selected_date_time": value.parse::<i64>().ok()? }),
        _ => json!({ "value": value }),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Submission {
    user: String,
    view: String,
    #[serde(default)]
    values: Map<String, Value>,
}

pub(super) async fn submit(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Submission = read(&body)?;
    let user = open_view(&office, &asked.user, &asked.view)?;
    let mut values = asked.values;
    for (block, actions) in &mut values {
        let Value::Object(actions) = actions else {
            let why = format!("`values` is by block and action: {{{block:?}: {{\"action\": ..}}}}");
            return Err(Refused::new(why));
        };
        for value in actions.values_mut() {
            if let Value::String(typed) = value {
                *value = json!({ "type": "plain_text_input", "value": typed });
            }
        }
    }
    let delivered = office.slack.submit(&user, &asked.view, values.into());
    Ok(told(delivered.await))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    user: String,
    view: String,
}

pub(super) async fn close(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Closing = read(&body)?;
    let user = open_view(&office, &asked.user, &asked.view)?;
    office.slack.close(&user, &asked.view).await;
    Ok(Json(json!({ "closed": asked.view })))
}

/// Who it is, if the view is open for them.
fn open_view(office: &Office, user: &str, id: &str) -> Result<String, Refused> {
    let world = office.slack.world();
    let user = person(&world, user)?;
    let open: Vec<&str> = world
        .views
        .iter()
        .filter(|view| view.is_open && view.user == user)
        .map(|view| view.id.as_str())
        .collect();
    if open.contains(&id) {
        return Ok(user);
    }
    let open = open.join(", ");
    let why = format!("{user} has no open view {id:?}; open are: {open}");
    Err(Refused::not_found(why))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    user: String,
    channel: String,
    text: String,
    thread_ts: Option<String>,
}

pub(super) async fn say(State(office): State<Arc<Office>>, body: String) -> Answer {
    let asked: Said = read(&body)?;
    let (user, channel) = {
        let world = office.slack.world();
        (
            person(&world, &asked.user)?,
            channel(&world, &asked.channel)?,
        )
    };
    let thread = asked.thread_ts.as_deref();
    if let Some(ts) = thread
        && office.slack.world().channels[&channel]
            .message(ts)
            .is_none()
    {
        return Err(no_message(&asked.channel, ts));
    }
    let ts = office.slack.say(&user, &channel, &asked.text, thread);
    Ok(Json(json!({ "channel": channel, "ts": ts })))
}

pub(super) fn no_message(channel: &str, ts: &str) -> Refused {
    Refused::not_found(format!("no message of {channel:?} has the ts {ts:?}"))
}
