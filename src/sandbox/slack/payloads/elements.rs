//! Interactive elements: what is in them, and what an action on one says.

use serde_json::{Map, Value, json};

/// `values` of a state: by block, by action.
pub(in super::super) type Values = Map<String, Value>;

/// Every kind that holds something, and the field that says what.
const STATEFUL: [(&str, &str, &str); 18] = [
    ("plain_text_input", "value", "initial_value"),
    ("number_input", "value", "initial_value"),
    ("email_text_input", "value", "initial_value"),
    ("url_text_input", "value", "initial_value"),
    ("rich_text_input", "rich_text_value", "initial_value"),
    ("static_select", "selected_option", "initial_option"),
    ("external_select", "selected_option", "initial_option"),
    ("radio_buttons", "selected_option", "initial_option"),
    ("users_select", "selected_user", "initial_user"),
    ("channels_select", "selected_channel", "initial_channel"),
    (
        "conversations_select",
        "selected_conversation",
        "initial_conversation",
    ),
    ("datepicker", "selected_date", "initial_date"),
    ("timepicker", "selected_time", "initial_time"),
    ("datetimepicker", "selected_date_time", "initial_date_time"),
    ("checkboxes", "selected_options", "initial_options"),
    ("multi_static_select", "selected_options", "initial_options"),
    (
        "multi_external_select",
        "selected_options",
        "initial_options",
    ),
    ("file_input", "files", ""),
];
const SEVERAL: [(&str, &str, &str); 3] = [
    ("multi_users_select", "selected_users", "initial_users"),
    (
        "multi_channels_select",
        "selected_channels",
        "initial_channels",
    ),
    (
        "multi_conversations_select",
        "selected_conversations",
        "initial_conversations",
    ),
];

/// The fields that say what is in an element, and what it begins with.
fn fields(element: &Value) -> Option<(&'static str, &'static str)> {
    let kind = element["type"].as_str()?;
    let mut all = STATEFUL.iter().chain(&SEVERAL);
    let (_, field, initial) = all.find(|(name, ..)| *name == kind)?;
    Some((field, initial))
}

/// Every element of the blocks, those of cards and of blocks within blocks too, each with its block.
pub fn elements(blocks: &[Value]) -> Vec<(&Value, &Value)> {
    let mut found = Vec::new();
    let mut left: Vec<&Value> = blocks.iter().rev().collect();
    while let Some(block) = left.pop() {
        let list = |name: &str| block[name].as_array().into_iter().flatten();
        let single = [&block["accessory"], &block["element"]];
        let single = single.into_iter().filter(|it| it.is_object());
        found.extend(single.map(|element| (block, element)));
        match block["type"].as_str() {
            Some("carousel") => left.extend(list("elements").rev()),
            Some("container") => left.extend(list("child_blocks").rev()),
            Some("card") => found.extend(list("actions").map(|element| (block, element))),
            Some("actions" | "context_actions") => {
                found.extend(list("elements").map(|element| (block, element)));
            }
            _ => {}
        }
    }
    found
}

/// The element with these ids; an empty `block` stands for any.
pub(in super::super) fn find<'a>(
    blocks: &'a [Value],
    block: &str,
    action: &str,
) -> Option<(&'a Value, &'a Value)> {
    elements(blocks).into_iter().find(|(around, element)| {
        element["action_id"] == action && (block.is_empty() || around["block_id"] == block)
    })
}

/// What is in all fields. `chosen`: as the result.
pub(in super::super) fn values(blocks: &[Value], chosen: &Value) -> Values {
    let mut all = Values::new();
    for (block, element) in elements(blocks) {
        let id = block["block_id"].as_str().unwrap_or_default();
        let (Some(action), Some(begun)) = (element["action_id"].as_str(), held(element)) else {
            continue;
        };
        let now = &chosen[id][action];
        let now = if now.is_object() { now.clone() } else { begun };
        all.entry(id).or_insert_with(|| json!({}))[action] = now;
    }
    all
}

/// What an element begins with.
fn held(element: &Value) -> Option<Value> {
    let (field, initial) = fields(element)?;
    let mut value = element[initial].clone();
    if value.is_null()
        && (field.ends_with("s") && field.starts_with("selected_") || field == "files")
    {
        value = json!([]);
    }
    Some(json!({ "type": element["type"], field: value }))
}

/// What the state says of an element after this action.
pub(in super::super) fn state_after(element: &Value, action: &Value) -> Option<Value> {
    let (field, _) = fields(element)?;
    Some(json!({ "type": element["type"], field: action[field] }))
}

/// What an action says: what the element says of itself, and what was chosen.
pub(in super::super) fn action(block: &Value, element: &Value, chosen: &Value, at: &str) -> Value {
    let mut action = json!({
        "type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"],
    });
    let said = [
        "text",
        "value",
        "style",
        "url",
        "placeholder",
        "initial_option",
        "initial_options",
        "initial_user",
        "initial_users",
        "initial_channel",
        "initial_channels",
        "initial_conversation",
        "initial_conversations",
        "initial_date",
        "initial_time",
        "initial_date_time",
        "confirm",
    ];
    for name in said {
        if let Some(value) = element.get(name) {
            action[name] = value.clone();
        }
    }
    for (name, value) in chosen.as_object().into_iter().flatten() {
        action[name] = value.clone();
    }
    action["action_ts"] = at.into();
    action
}
