//! The way back: from an HTML form's fields to what Slack tells an app.

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::{
    field,
    json::{list, string},
    options, press,
};

/// An HTML form's fields, in their order.
pub(super) type Form<'a> = &'a [(String, String)];

/// What somebody used, and Slack's own fields of the action.
#[derive(Clone, Debug, PartialEq)]
pub struct Used {
    pub block: String,
    pub action: String,
    pub chosen: Value,
}

/// The element that a form's press is about, among a view's or a message's blocks, those of attachments too.
///
/// None if it is no longer there, or no longer offers what was pressed.
pub fn used(zone: Tz, blocks: &[Value], form: Form<'_>) -> Option<Used> {
    elements(blocks).into_iter().find_map(|(block, element)| {
        let action = string(element, "action_id");
        let name = press(block, action);
        let (_, pressed) = form.iter().find(|(it, _)| *it == name)?;
        Some(Used {
            block: block.to_owned(),
            action: action.to_owned(),
            chosen: chosen(zone, block, element, pressed, form)?,
        })
    })
}

/// The menu of that field's name whose choices the app knows, and its block.
pub fn suggesting<'a>(blocks: &'a [Value], name: &str) -> Option<(&'a str, &'a Value)> {
    let mut all = elements(blocks).into_iter();
    all.find(|(block, element)| {
        options::is_external(string(element, "type"))
            && field(block, string(element, "action_id")) == name
    })
}

/// `state.values` of all inputs of a message or a view, null where nothing is chosen.
/// <https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload>
pub fn state(zone: Tz, blocks: &[Value], form: Form<'_>) -> Value {
    let mut state = Map::new();
    for (block, element) in elements(blocks) {
        let action = string(element, "action_id");
        let Some((name, value)) = value(zone, element, &values(form, block, action)) else {
            continue;
        };
        let of_block = state.entry(block).or_insert_with(|| json!({}));
        of_block[action] = json!({ "type": element["type"], name: value });
    }
    Value::Object(state)
}

/// Whether there is anything to use.
pub(super) fn acts(blocks: &[Value]) -> bool {
    elements(blocks)
        .iter()
        .any(|(_, element)| string(element, "type") != "image")
}

/// Every element that somebody can use, with its block.
fn elements(blocks: &[Value]) -> Vec<(&str, &Value)> {
    let mut found = Vec::new();
    let mut left: Vec<&Value> = blocks.iter().rev().collect();
    while let Some(block) = left.pop() {
        let id = string(block, "block_id");
        let one = ["accessory", "element"]
            .into_iter()
            .map(|name| &block[name]);
        found.extend(one.filter(|it| it.is_object()).map(|element| (id, element)));
        match string(block, "type") {
            "carousel" => left.extend(list(block, "elements").iter().rev()),
            "container" => left.extend(list(block, "child_blocks").iter().rev()),
            "card" => found.extend(list(block, "actions").iter().map(|element| (id, element))),
            "actions" | "context_actions" => {
                found.extend(list(block, "elements").iter().map(|element| (id, element)));
            }
            _ => {}
        }
    }
    found
}

fn values<'a>(form: Form<'a>, block: &str, action: &str) -> Vec<&'a str> {
    let name = field(block, action);
    let given = form
        .iter()
        .filter(|(it, value)| *it == name && !value.is_empty());
    given.map(|(_, value)| value.as_str()).collect()
}

fn chosen(zone: Tz, block: &str, element: &Value, pressed: &str, form: Form<'_>) -> Option<Value> {
    let mut chosen = json!({ "type": element["type"] });
    let kind = string(element, "type");
    match kind {
        "button" | "workflow_button" | "icon_button" => {
            if string(element, "value") != pressed {
                return None;
            }
            copy(element, &["text", "value", "style"], &mut chosen);
        }
        "feedback_buttons" => {
            let both = [&element["positive_button"], &element["negative_button"]];
            let button = both.into_iter().find(|it| string(it, "value") == pressed)?;
            copy(button, &["text", "value"], &mut chosen);
        }
        "overflow" => chosen["selected_option"] = options::find(element, pressed)?.clone(),
        _ => {
            let action = string(element, "action_id");
            let (name, value) = value(zone, element, &values(form, block, action))?;
            chosen[name] = value;
            let initial = name.replacen("selected", "initial", 1);
            copy(element, &["placeholder", &initial], &mut chosen);
        }
    }
    Some(chosen)
}

fn copy(from: &Value, names: &[&str], to: &mut Value) {
    for name in names {
        if !from[*name].is_null() && to[*name].is_null() {
            to[*name] = from[*name].clone();
        }
    }
}

/// The name under which Slack tells an input's value, and the value. None for what is no input.
fn value(zone: Tz, element: &Value, given: &[&str]) -> Option<(&'static str, Value)> {
    let first = given.first().copied();
    let options = |find: &dyn Fn(&str) -> Option<Value>| {
        given.iter().filter_map(|it| find(it)).collect::<Value>()
    };
    let fixed = |value: &str| options::find(element, value).cloned();
    Some(match string(element, "type") {
        "plain_text_input" | "email_text_input" | "url_text_input" | "number_input" => {
            ("value", json!(first))
        }
        "rich_text_input" => ("rich_text_value", first.map_or(Value::Null, rich)),
        "file_input" => ("files", json!([])),
        "static_select" | "radio_buttons" => ("selected_option", json!(first.and_then(fixed))),
        "external_select" => ("selected_option", json!(first.and_then(options::suggested))),
        "multi_static_select" | "checkboxes" => ("selected_options", options(&fixed)),
        "multi_external_select" => ("selected_options", options(&options::suggested)),
        "users_select" => ("selected_user", json!(first)),
        "multi_users_select" => ("selected_users", json!(given)),
        "channels_select" => ("selected_channel", json!(first)),
        "multi_channels_select" => ("selected_channels", json!(given)),
        "conversations_select" => ("selected_conversation", json!(first)),
        "multi_conversations_select" => ("selected_conversations", json!(given)),
        "datepicker" => ("selected_date", json!(first)),
        "timepicker" => ("selected_time", json!(first)),
        "datetimepicker" => (
            "selected_date_time",
            json!(first.and_then(|it| stamp(zone, it))),
        ),
        _ => return None,
    })
}

/// Unix seconds of a `datetime-local` field's value; the earlier where a clock shows it twice.
fn stamp(zone: Tz, written: &str) -> Option<i64> {
    let formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let local = formats
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(written, format).ok())?;
    zone.from_local_datetime(&local)
        .earliest()
        .map(|at| at.timestamp())
}

fn rich(written: &str) -> Value {
    let text = json!({ "type": "text", "text": written });
    let section = json!({ "type": "rich_text_section", "elements": [text] });
    json!({ "type": "rich_text", "elements": [section] })
}
