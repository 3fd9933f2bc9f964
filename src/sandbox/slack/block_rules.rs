//! Slack's limits for blocks, written down a second time so that the product's own can't vouch for themselves.

use std::collections::BTreeSet;

use serde_json::Value;

/// What is wrong with a message's or a view's blocks, in Slack's words.
pub(super) fn broken(blocks: &[Value], most: usize) -> Option<String> {
    if blocks.len() > most {
        return Some(format!(
            "no more than {most} items allowed [json-pointer:/blocks]"
        ));
    }
    let mut ids = BTreeSet::new();
    for (place, block) in blocks.iter().enumerate() {
        let at =
            |what: &str, part: &str| Some(format!("{what} [json-pointer:/blocks/{place}{part}]"));
        if let Some(id) = block["block_id"].as_str()
            && !ids.insert(id)
        {
            return at("duplicate block_id", "/block_id");
        }
        if let Some((what, part)) = broken_block(block) {
            return at(&what, &part);
        }
    }
    None
}

/// What is wrong with a view.
pub(super) fn broken_view(view: &Value) -> Option<String> {
    let blocks = view["blocks"].as_array().cloned().unwrap_or_default();
    let too_long = |text: &Value, most| length(text) > most;
    if view["type"] != "modal" {
        return Some("unsupported type [json-pointer:/view/type]".to_owned());
    }
    if too_long(&view["title"]["text"], 24)
        || too_long(&view["submit"]["text"], 24)
        || too_long(&view["close"]["text"], 24)
        || too_long(&view["private_metadata"], 3000)
        || too_long(&view["callback_id"], 255)
    {
        return Some("a text is too long [json-pointer:/view]".to_owned());
    }
    if blocks.iter().any(|block| block["type"] == "input") && view["submit"].is_null() {
        return Some("missing required field: submit [json-pointer:/view]".to_owned());
    }
    broken(&blocks, 100)
}

fn length(text: &Value) -> usize {
    text.as_str().map_or(0, |text| text.chars().count())
}

type Wrong = Option<(String, String)>;

fn wrong(what: impl Into<String>, part: &str) -> Wrong {
    Some((what.into(), part.to_owned()))
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn broken_text(text: &Value, most: usize, part: &str) -> Wrong {
    match length(&text["text"]) {
        0 => wrong("must be more than 0 characters", part),
        n if n > most => wrong(format!("must be less than {} characters", most + 1), part),
        _ if text["type"] == "mrkdwn" && !text["emoji"].is_null() => {
            wrong("invalid additional property: emoji", part)
        }
        _ => None,
    }
}

fn broken_block(block: &Value) -> Wrong {
    match block["type"].as_str() {
        Some("section") => {
            let fields = list(block, "fields");
            if block["text"].is_null() && fields.is_empty() {
                return wrong("missing required field: text", "");
            }
            if fields.len() > 10 {
                return wrong("no more than 10 items allowed", "/fields");
            }
            let text = (!block["text"].is_null())
                .then(|| broken_text(&block["text"], 3000, "/text/text"))
                .flatten();
            text.or_else(|| {
                fields
                    .iter()
                    .find_map(|field| broken_text(field, 2000, "/fields"))
            })
            .or_else(|| broken_elements(std::slice::from_ref(&block["accessory"])))
        }
        Some("header") if block["text"]["type"] != "plain_text" => {
            wrong("unsupported type", "/text/type")
        }
        Some("header") => broken_text(&block["text"], 150, "/text/text"),
        Some("context") => {
            let elements = list(block, "elements");
            if elements.is_empty() || elements.len() > 10 {
                return wrong("between 1 and 10 items allowed", "/elements");
            }
            elements
                .iter()
                .filter(|element| element["type"] != "image")
                .find_map(|element| broken_text(element, 3000, "/elements"))
        }
        Some("actions") => {
            let elements = list(block, "elements");
            if elements.is_empty() || elements.len() > 25 {
                return wrong("between 1 and 25 items allowed", "/elements");
            }
            broken_elements(elements)
        }
        Some("input") => broken_text(&block["label"], 2000, "/label/text")
            .or_else(|| broken_elements(std::slice::from_ref(&block["element"]))),
        Some("divider" | "rich_text" | "image" | "markdown" | "table") => None,
        _ => wrong("unsupported type", "/type"),
    }
}

fn broken_elements(elements: &[Value]) -> Wrong {
    let mut ids = BTreeSet::new();
    for element in elements.iter().filter(|element| !element.is_null()) {
        if let Some(id) = element["action_id"].as_str()
            && (!ids.insert(id) || id.chars().count() > 255)
        {
            return wrong("duplicate or too long action_id", "/elements");
        }
        let bad = match element["type"].as_str() {
            Some("button") => broken_text(&element["text"], 75, "/elements").or_else(|| {
                (length(&element["value"]) > 2000)
                    .then(|| wrong("must be less than 2001 characters", "/elements"))
                    .flatten()
            }),
            Some("overflow") => broken_options(element, 5),
            Some("static_select") => broken_options(element, 100),
            _ => None,
        };
        if bad.is_some() {
            return bad;
        }
    }
    None
}

fn broken_options(element: &Value, most: usize) -> Wrong {
    let options = list(element, "options");
    if options.is_empty() || options.len() > most {
        return wrong(format!("between 1 and {most} items allowed"), "/options");
    }
    options.iter().find_map(|option| {
        broken_text(&option["text"], 75, "/options").or_else(|| {
            (length(&option["value"]) > 150)
                .then(|| wrong("must be less than 151 characters", "/options"))
                .flatten()
        })
    })
}
