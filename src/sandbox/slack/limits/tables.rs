//! What has a depth of its own: rich text and tables.

use serde_json::Value;

use super::{check::Check, length};

const ROWS: usize = 100;
const CELLS: usize = 20;
const CHARACTERS: usize = 10_000;

const INLINE: [&str; 9] = [
    "text",
    "link",
    "user",
    "usergroup",
    "channel",
    "emoji",
    "date",
    "broadcast",
    "color",
];

pub(super) fn rich_text(check: &mut Check, elements: &Value) {
    check.each(elements, usize::MAX, |check, part| {
        let kind = part["type"].as_str().unwrap_or_default();
        match kind {
            "rich_text_section" | "rich_text_preformatted" | "rich_text_quote" => {
                inline(check, &part["elements"]);
            }
            "rich_text_list" => {
                if !matches!(part["style"].as_str(), Some("bullet" | "ordered")) {
                    check.inside("style", |check| {
                        check.say(
                            "invalid_value",
                            "must be a valid enum value: bullet, ordered",
                        );
                    });
                }
                check.inside("elements", |check| {
                    check.each(&part["elements"], usize::MAX, |check, item| {
                        inline(check, &item["elements"]);
                    });
                });
            }
            _ => unsupported(check, kind),
        }
    });
}

fn unsupported(check: &mut Check, kind: &str) {
    check.inside("type", |check| {
        check.say("unsupported_type", format!("unsupported type: {kind}"));
    });
}

/// A section may be empty.
fn inline(check: &mut Check, elements: &Value) {
    check.inside("elements", |check| {
        let Value::Array(parts) = elements else {
            return check.say("invalid_type", "must provide an array");
        };
        for (place, part) in parts.iter().enumerate() {
            check.inside(place, |check| one(check, part));
        }
    });
}

fn one(check: &mut Check, part: &Value) {
    let kind = part["type"].as_str().unwrap_or_default();
    let field = match kind {
        "text" => "text",
        "link" => "url",
        "user" => "user_id",
        "usergroup" => "usergroup_id",
        "channel" => "channel_id",
        "emoji" => "name",
        "color" => "value",
        "broadcast" => "range",
        _ if INLINE.contains(&kind) => return,
        _ => return unsupported(check, kind),
    };
    match &part[field] {
        Value::Null => check.say("missing_field", format!("missing required field: {field}")),
        given => check.inside(field, |check| check.words(given, usize::MAX - 1, 1)),
    }
}

pub(super) fn rows(check: &mut Check, rows: &Value) {
    check.each(rows, ROWS, |check, row| {
        check.each(row, CELLS, |check, cell| {
            match cell["type"].as_str().unwrap_or_default() {
                "raw_text" => {
                    check.inside("text", |check| check.words(&cell["text"], CHARACTERS, 1));
                }
                "raw_number" => {}
                "rich_text" => {
                    check.inside("elements", |check| rich_text(check, &cell["elements"]));
                }
                kind => unsupported(check, kind),
            }
        });
    });
    if characters(rows) > CHARACTERS {
        let what = format!("must be less than {} characters", CHARACTERS + 1);
        check.say("too_long", what);
    }
}

fn characters(part: &Value) -> usize {
    match part {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, part)| match part {
                Value::String(_) if name == "text" => length(part),
                part => characters(part),
            })
            .sum(),
        Value::Array(parts) => parts.iter().map(characters).sum(),
        _ => 0,
    }
}
