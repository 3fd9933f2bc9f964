//! Inputs: what is typed, chosen and picked, in input blocks and elsewhere.

use askama::Template;
use chrono::DateTime;
use serde_json::Value;

use super::{
    elements, field,
    html::Html,
    json::{string, text},
    layout::{Surface, unknown},
    options::{self, Group},
    press,
};

#[derive(Template)]
#[template(path = "sandbox/blocks.html", block = "input")]
struct Input<'a> {
    label: Html,
    is_group: bool,
    optional: bool,
    control: Html,
    send: Html,
    error: Option<&'a String>,
    hint: Html,
    id: String,
    described_by: Option<String>,
}

/// What surrounds a control.
pub(super) struct Around {
    required: bool,
    /// Its name, where no label says it.
    spoken: String,
    described_by: Option<String>,
}

impl Around {
    /// Of an element that stands for itself.
    pub(super) fn acting(element: &Value) -> Self {
        let label = match string(element, "accessibility_label") {
            "" => text(&element["placeholder"]),
            label => label,
        };
        let spoken = if label.is_empty() {
            string(element, "type").replace('_', " ")
        } else {
            label.to_owned()
        };
        Self {
            required: false,
            spoken,
            described_by: None,
        }
    }
}

/// An input block.
pub(super) fn block(surface: &Surface<'_>, block: &Value) -> Html {
    let (id, element) = (string(block, "block_id"), &block["element"]);
    let action = string(element, "action_id");
    let optional = block["optional"].as_bool().unwrap_or(false);
    let page_id = surface.id(id, action);
    let error = surface.errors.get(id);
    let hint = surface.text(&block["hint"]);
    let notes = [(error.is_some(), "error"), (!hint.is_empty(), "hint")];
    let notes: Vec<String> = notes
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, kind)| format!("{page_id}-{kind}"))
        .collect();
    let described_by = (!notes.is_empty()).then(|| notes.join(" "));
    let around = Around {
        required: !optional,
        spoken: String::new(),
        described_by: described_by.clone(),
    };
    let control = control(surface, &field(id, action), element, &around);
    let dispatches = block["dispatch_action"].as_bool().unwrap_or(false);
    Html::of(&Input {
        label: surface.text(&block["label"]),
        is_group: options::is_set(string(element, "type")),
        optional,
        send: if dispatches {
            elements::send(surface, &press(id, action), element)
        } else {
            Html::default()
        },
        control: control.unwrap_or_else(|| unknown(element, string(element, "type"))),
        error,
        hint,
        id: page_id,
        described_by,
    })
}

#[derive(Template)]
#[template(path = "sandbox/blocks_elements.html", block = "select")]
struct Select<'a> {
    name: &'a str,
    spoken: &'a str,
    described_by: Option<&'a String>,
    required: bool,
    autofocus: bool,
    placeholder: &'a str,
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "sandbox/blocks_elements.html", block = "choices")]
struct Choices<'a> {
    kind: &'static str,
    name: &'a str,
    spoken: &'a str,
    required: bool,
    boxed: bool,
    groups: Vec<Group>,
}

#[derive(Template)]
#[template(path = "sandbox/blocks_elements.html", block = "entry")]
struct Entry<'a> {
    kind: &'static str,
    is_long: bool,
    name: &'a str,
    initial: String,
    placeholder: &'a str,
    spoken: &'a str,
    described_by: Option<&'a String>,
    required: bool,
    autofocus: bool,
    attributes: Vec<(&'static str, String)>,
}

/// None for what is no input.
pub(super) fn control(
    surface: &Surface<'_>,
    name: &str,
    element: &Value,
    around: &Around,
) -> Option<Html> {
    let kind = string(element, "type");
    if kind == "file_input" {
        return Some(Html::text("Files can't be given here."));
    }
    if let Some(groups) = options::of(surface, element) {
        let menu = menu(name, element, around, groups);
        return Some(if options::is_external(kind) {
            external(name, element, menu)
        } else {
            menu
        });
    }
    entry(surface, name, element, around)
}

fn menu(name: &str, element: &Value, around: &Around, groups: Vec<Group>) -> Html {
    match string(element, "type") {
        "radio_buttons" => choices("radio", name, around, false, groups),
        "checkboxes" => choices("checkbox", name, around, false, groups),
        kind if kind.starts_with("multi_") => choices("checkbox", name, around, true, groups),
        _ => select(name, element, around, groups),
    }
}

#[derive(Template)]
#[template(path = "sandbox/blocks_elements.html", block = "external")]
struct External<'a> {
    name: &'a str,
    /// Characters that are typed before the app is asked.
    least: u64,
    placeholder: &'a str,
    menu: Html,
}

/// A menu with a field before it, for what is searched.
fn external(name: &str, element: &Value, menu: Html) -> Html {
    let placeholder = match text(&element["placeholder"]) {
        "" => "Type to search",
        placeholder => placeholder,
    };
    Html::of(&External {
        name,
        // Slack's own where the app says nothing.
        least: element["min_query_length"].as_u64().unwrap_or(3),
        placeholder,
        menu,
    })
}

pub(super) fn suggested(name: &str, element: &Value, options: &[Value]) -> Html {
    menu(
        name,
        element,
        &Around::acting(element),
        options::of_answer(options),
    )
}

fn choices(
    kind: &'static str,
    name: &str,
    around: &Around,
    boxed: bool,
    groups: Vec<Group>,
) -> Html {
    let required = around.required && kind == "radio";
    Html::of(&Choices {
        kind,
        name,
        spoken: &around.spoken,
        required,
        boxed,
        groups,
    })
}

fn select(name: &str, element: &Value, around: &Around, groups: Vec<Group>) -> Html {
    let placeholder = match text(&element["placeholder"]) {
        "" => "Choose an option",
        placeholder => placeholder,
    };
    Html::of(&Select {
        name,
        spoken: &around.spoken,
        described_by: around.described_by.as_ref(),
        required: around.required,
        autofocus: element["focus_on_load"].as_bool().unwrap_or(false),
        placeholder,
        groups,
    })
}

fn entry(surface: &Surface<'_>, name: &str, element: &Value, around: &Around) -> Option<Html> {
    let (kind, initial) = match string(element, "type") {
        "plain_text_input" => ("text", "initial_value"),
        "rich_text_input" => ("text", ""),
        "email_text_input" => ("email", "initial_value"),
        "url_text_input" => ("url", "initial_value"),
        "number_input" => ("number", "initial_value"),
        "datepicker" => ("date", "initial_date"),
        "timepicker" => ("time", "initial_time"),
        "datetimepicker" => ("datetime-local", "initial_date_time"),
        _ => return None,
    };
    let is_rich = string(element, "type") == "rich_text_input";
    let initial = match &element[initial] {
        Value::String(text) => text.clone(),
        Value::Number(stamp) if kind == "datetime-local" => {
            let at = stamp
                .as_i64()
                .and_then(|stamp| DateTime::from_timestamp(stamp, 0));
            let local = at.map(|at| at.with_timezone(&surface.scene.zone));
            local.map_or_else(String::new, |at| at.format("%Y-%m-%dT%H:%M").to_string())
        }
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    Some(Html::of(&Entry {
        kind,
        is_long: is_rich || element["multiline"].as_bool().unwrap_or(false),
        name,
        initial,
        placeholder: text(&element["placeholder"]),
        spoken: &around.spoken,
        described_by: around.described_by.as_ref(),
        required: around.required,
        autofocus: element["focus_on_load"].as_bool().unwrap_or(false),
        attributes: limits(kind, element),
    }))
}

fn limits(kind: &str, element: &Value) -> Vec<(&'static str, String)> {
    let own = |name: &str| match &element[name] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let any = || match element["is_decimal_allowed"].as_bool() {
        Some(true) => "any".to_owned(),
        _ => "1".to_owned(),
    };
    let limits = match kind {
        "number" => vec![
            ("min", own("min_value")),
            ("max", own("max_value")),
            ("step", any()),
        ],
        "text" => vec![
            ("minlength", own("min_length")),
            ("maxlength", own("max_length")),
        ],
        _ => Vec::new(),
    };
    limits
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}
