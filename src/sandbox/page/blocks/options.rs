//! What menus, checkboxes and radio buttons offer.

use serde_json::Value;

use super::{
    html::Html,
    json::{list, string, text},
    layout::Surface,
    words::words,
};

pub(super) struct Group {
    pub(super) label: String,
    pub(super) choices: Vec<Choice>,
}

pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) html: Html,
    pub(super) description: Html,
    pub(super) is_chosen: bool,
}

/// Whether several controls make up the input.
pub(super) fn is_set(kind: &str) -> bool {
    matches!(kind, "radio_buttons" | "checkboxes") || kind.starts_with("multi_")
}

/// Whether the app is asked for the choices.
pub(super) fn is_external(kind: &str) -> bool {
    matches!(kind, "external_select" | "multi_external_select")
}

/// None for what offers no choice.
pub(super) fn of(surface: &Surface<'_>, element: &Value) -> Option<Vec<Group>> {
    let scene = surface.scene;
    Some(match string(element, "type") {
        "static_select" | "multi_static_select" | "radio_buttons" | "checkboxes" => {
            fixed(surface, element)
        }
        "external_select" | "multi_external_select" => {
            let chosen = initial_options(element);
            let choices = chosen.into_iter().map(|option| Choice {
                is_chosen: true,
                ..given(option)
            });
            vec![Group {
                label: String::new(),
                choices: choices.collect(),
            }]
        }
        "users_select" | "multi_users_select" => {
            vec![named(scene.people, "", element, "initial_user")]
        }
        "channels_select" | "multi_channels_select" => {
            vec![named(scene.channels, "#", element, "initial_channel")]
        }
        "conversations_select" | "multi_conversations_select" => {
            vec![named(scene.channels, "#", element, "initial_conversation")]
        }
        _ => return None,
    })
}

/// Of an app's answer: its options, or its groups of them.
pub(super) fn of_answer(options: &[Value]) -> Vec<Group> {
    let is_grouped = options.iter().any(|it| it["options"].is_array());
    let group = |label: &Value, options: &[Value]| Group {
        label: text(label).to_owned(),
        choices: options.iter().map(given).collect(),
    };
    if !is_grouped {
        return vec![group(&Value::Null, options)];
    }
    let groups = options.iter();
    groups
        .map(|it| group(&it["label"], list(it, "options")))
        .collect()
}

/// The app's own option, which comes back as it is.
fn given(option: &Value) -> Choice {
    let label = text(&option["text"]);
    Choice {
        value: option.to_string(),
        label: label.to_owned(),
        html: words(label),
        description: words(text(&option["description"])),
        is_chosen: false,
    }
}

fn initial_options(element: &Value) -> Vec<&Value> {
    let one = Some(&element["initial_option"]).filter(|it| it.is_object());
    one.into_iter()
        .chain(list(element, "initial_options"))
        .collect()
}

fn fixed(surface: &Surface<'_>, element: &Value) -> Vec<Group> {
    let chosen: Vec<&str> = initial_options(element)
        .iter()
        .map(|it| string(it, "value"))
        .collect();
    let group = |label: &Value, options: &[Value]| Group {
        label: surface.text(label).to_plain(),
        choices: options
            .iter()
            .map(|option| choice(surface, option, &chosen))
            .collect(),
    };
    let groups = list(element, "option_groups");
    if groups.is_empty() {
        return vec![group(&Value::Null, list(element, "options"))];
    }
    groups
        .iter()
        .map(|it| group(&it["label"], list(it, "options")))
        .collect()
}

fn choice(surface: &Surface<'_>, option: &Value, chosen: &[&str]) -> Choice {
    let html = surface.text(&option["text"]);
    let value = string(option, "value");
    Choice {
        value: value.to_owned(),
        label: html.to_plain(),
        html,
        description: surface.text(&option["description"]),
        is_chosen: chosen.contains(&value),
    }
}

/// `initial`: the field's name for one; its plural is a list.
fn named(all: &[(String, String)], sign: &str, element: &Value, initial: &str) -> Group {
    let many = list(element, &format!("{initial}s"))
        .iter()
        .filter_map(Value::as_str);
    let chosen: Vec<&str> = many.chain(element[initial].as_str()).collect();
    let choices = all.iter().map(|(id, name)| {
        let label = format!("{sign}{name}");
        Choice {
            value: id.clone(),
            html: words(&label),
            label,
            description: Html::default(),
            is_chosen: chosen.contains(&id.as_str()),
        }
    });
    Group {
        label: String::new(),
        choices: choices.collect(),
    }
}

/// The option of the element that has the value.
pub(super) fn find<'a>(element: &'a Value, value: &str) -> Option<&'a Value> {
    let grouped = list(element, "option_groups")
        .iter()
        .flat_map(|it| list(it, "options"));
    let mut all = list(element, "options").iter().chain(grouped);
    all.find(|option| option["value"].as_str() == Some(value))
}

/// An option of the app's answer, from a field's value: its text and value, and nothing else.
pub(super) fn suggested(written: &str) -> Option<Value> {
    let option: Value = serde_json::from_str(written).ok()?;
    let value = option["value"].as_str()?;
    let text = text(&option["text"]);
    let text = serde_json::json!({ "type": "plain_text", "text": text, "emoji": true });
    Some(serde_json::json!({ "text": text, "value": value }))
}
