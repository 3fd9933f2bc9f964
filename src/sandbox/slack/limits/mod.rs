//! Slack's rules for blocks and views, written down a second time so that the product's own can't vouch for themselves.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks>

use std::{collections::BTreeSet, fmt};

use serde_json::{Value, json};

use check::Check;

mod check;
mod elements;
mod objects;
mod places;
mod shapes;
mod tables;

/// Where blocks stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surface {
    Message,
    Modal,
    Home,
}

impl Surface {
    fn blocks(self) -> usize {
        match self {
            Self::Message => 50,
            Self::Modal | Self::Home => 100,
        }
    }
}

/// What is wrong where, in Slack's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    code: &'static str,
    message: String,
    /// `/blocks/0/text`
    pointer: String,
}

impl Wrong {
    pub(super) fn new(
        code: &'static str,
        message: impl Into<String>,
        pointer: impl Into<String>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            pointer: pointer.into(),
        }
    }

    /// As `blocks.validate` lists it.
    pub(super) fn as_json(&self) -> Value {
        let field = self.pointer.rsplit('/').next().unwrap_or_default();
        json!({
            "code": self.code, "message": self.message, "field": field, "pointer": self.pointer,
            "constraint": self.code,
        })
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [json-pointer:{}]", self.message, self.pointer)
    }
}

/// What is wrong with blocks.
pub(super) fn blocks(blocks: &[Value], surface: Surface) -> Vec<Wrong> {
    let mut check = Check::new(surface);
    check.inside("blocks", |check| all(check, blocks));
    check.wrong
}

/// What is wrong with a modal or an App Home.
pub(super) fn view(view: &Value) -> Vec<Wrong> {
    let surface = if view["type"] == "home" {
        Surface::Home
    } else {
        Surface::Modal
    };
    let mut check = Check::new(surface);
    check.inside("view", |check| {
        let shape = match view["type"].as_str() {
            Some("modal") => &shapes::MODAL,
            Some("home") => &shapes::HOME,
            _ => {
                return check.inside("type", |check| {
                    check.say(
                        "unsupported_type",
                        "must be a valid enum value: modal, home",
                    );
                });
            }
        };
        check.shape(view, shape);
        let Some(blocks) = view["blocks"].as_array() else {
            return;
        };
        check.inside("blocks", |check| all(check, blocks));
        let asks = blocks.iter().any(|block| block["type"] == "input");
        if asks && surface == Surface::Modal && view["submit"].is_null() {
            check.say(
                "missing_field",
                "missing required field: submit, which a modal with an input needs",
            );
        }
    });
    check.wrong
}

fn all(check: &mut Check, blocks: &[Value]) {
    let most = check.surface.blocks();
    if blocks.len() > most {
        check.say(
            "too_many_items",
            format!("no more than {most} items allowed"),
        );
    }
    let mut ids = BTreeSet::new();
    for (place, block) in blocks.iter().enumerate() {
        check.inside(place, |check| {
            check.block(block);
            let id = block["block_id"].as_str().filter(|id| !id.is_empty());
            if let Some(id) = id.filter(|id| !ids.insert(*id)) {
                check.inside("block_id", |check| {
                    check.say(
                        "duplicate_id",
                        format!("`block_id` {id:?} already exists for another block"),
                    );
                });
            }
        });
    }
    let tables = blocks.iter().filter(|block| block["type"] == "table");
    if check.surface == Surface::Message && tables.count() > 1 {
        check.say("only_one_table_allowed", "only one table is allowed");
    }
    let markdown = blocks.iter().filter(|block| block["type"] == "markdown");
    let length: usize = markdown.map(|block| length(&block["text"])).sum();
    if length > MARKDOWN {
        check.say(
            "too_long",
            format!("all markdown must be less than {} characters", MARKDOWN + 1),
        );
    }
}

/// Characters of all markdown blocks of a message.
const MARKDOWN: usize = 12_000;

/// No number is documented; so many were reported to be refused.
/// <https://github.com/slackapi/bolt-js/issues/2867>
const MESSAGE: usize = 11_341;

/// Whether the texts of the blocks are too much together.
pub(super) fn is_too_long(blocks: &[Value]) -> bool {
    fn of(part: &Value) -> usize {
        match part {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, part)| match part {
                    Value::String(_) if matches!(name.as_str(), "text" | "url") => length(part),
                    part => of(part),
                })
                .sum(),
            Value::Array(parts) => parts.iter().map(of).sum(),
            _ => 0,
        }
    }
    let counted = blocks
        .iter()
        .filter(|block| block["type"] != "markdown" && block["type"] != "table");
    counted.map(of).sum::<usize>() >= MESSAGE
}

fn length(text: &Value) -> usize {
    text.as_str().map_or(0, |text| text.chars().count())
}
