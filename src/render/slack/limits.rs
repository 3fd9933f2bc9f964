//! What Slack refuses, known before it is asked: every limit of the blocks that we build.

use std::collections::BTreeSet;

use serde_json::Value;
use slack_morphism::prelude::{SlackBlock, SlackView};

use super::Message;

/// Bytes of all texts and addresses of a message. Slack refuses more with `msg_blocks_too_long`, documents no number,
/// and was seen to do so from some 11,300 on. <https://github.com/slackapi/bolt-js/issues/2867>
pub const MESSAGE_SIZE: usize = 10_000;

/// Of the text beside the blocks: `chat.update` refuses more.
pub const TEXT: usize = 4_000;

const MESSAGE_BLOCKS: usize = 50;
const VIEW_BLOCKS: usize = 100;
const VIEW_SIZE: usize = 250_000;
const ID: usize = 255;
const URL: usize = 3_000;

/// A limit that is broken, and where: `/blocks/3/text/text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub pointer: String,
    pub what: String,
}

/// Bytes of all texts and addresses.
pub(super) fn size(blocks: &[SlackBlock]) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| match value {
                    Value::String(text) if matches!(name.as_str(), "text" | "url" | "fallback") => {
                        text.len()
                    }
                    other => of(other),
                })
                .sum(),
            Value::Array(values) => values.iter().map(of).sum(),
            _ => 0,
        }
    }
    serde_json::to_value(blocks).map_or(usize::MAX, |blocks| of(&blocks))
}

/// Whether Slack would take the message. Lengths are in bytes: Slack's documents say "characters", it was seen to count
/// more than that, and no other count is greater.
pub fn validate(message: &Message) -> Result<(), Vec<Violation>> {
    let mut inspection = Inspection::default();
    inspection.length("/text", &message.text, 1, TEXT);
    inspection.blocks("", &message.blocks, MESSAGE_BLOCKS, false);
    let size = size(&message.blocks);
    if size > MESSAGE_SIZE {
        inspection.refuse(
            "/blocks",
            format!("{size} bytes of text, {MESSAGE_SIZE} at most"),
        );
    }
    inspection.finish()
}

/// As [`validate`], for a view.
pub fn validate_view(view: &SlackView) -> Result<(), Vec<Violation>> {
    let mut inspection = Inspection::default();
    let SlackView::Modal(modal) = view else {
        inspection.refuse("/type", "only modals are opened");
        return inspection.finish();
    };
    let json = serde_json::to_value(view).unwrap_or_default();
    inspection.text_object("/title", &json["title"], 24, true);
    for name in ["submit", "close"] {
        if !json[name].is_null() {
            inspection.text_object(&format!("/{name}"), &json[name], 24, true);
        }
    }
    let id = modal.callback_id.as_ref().map_or("", |id| id.0.as_str());
    inspection.length("/callback_id", id, 1, ID);
    let metadata = modal.private_metadata.as_deref().unwrap_or_default();
    inspection.length("/private_metadata", metadata, 0, 3_000);
    inspection.blocks("", &modal.blocks, VIEW_BLOCKS, true);
    let asks = modal
        .blocks
        .iter()
        .any(|block| matches!(block, SlackBlock::Input(_)));
    if asks != modal.submit.is_some() {
        inspection.refuse(
            "/submit",
            "an input wants a submit button, and nothing else does",
        );
    }
    let size = json.to_string().len();
    if size > VIEW_SIZE {
        inspection.refuse("", format!("{size} bytes, {VIEW_SIZE} at most"));
    }
    inspection.finish()
}

#[derive(Default)]
struct Inspection {
    found: Vec<Violation>,
    block_ids: BTreeSet<String>,
}

impl Inspection {
    fn finish(self) -> Result<(), Vec<Violation>> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(self.found)
        }
    }

    fn refuse(&mut self, pointer: &str, what: impl Into<String>) {
        self.found.push(Violation {
            pointer: pointer.to_owned(),
            what: what.into(),
        });
    }

    fn length(&mut self, pointer: &str, text: &str, least: usize, most: usize) {
        if text.len() < least || (least > 0 && text.trim().is_empty()) {
            self.refuse(pointer, "empty");
        } else if text.len() > most {
            self.refuse(pointer, format!("{} bytes, {most} at most", text.len()));
        }
    }

    fn number(&mut self, pointer: &str, values: &[Value], most: usize) {
        if values.is_empty() || values.len() > most {
            self.refuse(
                pointer,
                format!("{} of them, 1 to {most} allowed", values.len()),
            );
        }
    }

    /// A string that has to be there.
    fn string(&mut self, pointer: &str, fields: &Value, name: &str, most: usize) {
        let text = fields[name].as_str().unwrap_or_default();
        self.length(&format!("{pointer}/{name}"), text, 1, most);
    }

    fn blocks(&mut self, pointer: &str, blocks: &[SlackBlock], most: usize, in_view: bool) {
        let pointer = format!("{pointer}/blocks");
        let Ok(Value::Array(blocks)) = serde_json::to_value(blocks) else {
            return self.refuse(&pointer, "not to be written as JSON");
        };
        self.number(&pointer, &blocks, most);
        for (place, block) in blocks.iter().enumerate() {
            self.block(&format!("{pointer}/{place}"), block, in_view);
        }
    }

    fn block(&mut self, pointer: &str, block: &Value, in_view: bool) {
        if let Some(id) = block["block_id"].as_str() {
            self.length(&format!("{pointer}/block_id"), id, 1, ID);
            if !self.block_ids.insert(id.to_owned()) {
                self.refuse(pointer, "a block_id that another block has");
            }
        }
        match block["type"].as_str().unwrap_or_default() {
            "header" => self.text_object(&format!("{pointer}/text"), &block["text"], 150, true),
            "section" => self.section(pointer, block),
            "context" => self.each(pointer, block, "elements", 10, |it, at, value| {
                it.text_object(at, value, 3_000, false);
            }),
            "actions" => {
                self.each(pointer, block, "elements", 25, Self::element);
                self.distinct(pointer, &block["elements"]);
            }
            "rich_text" => self.each(pointer, block, "elements", 100, Self::rich),
            "divider" => {}
            "input" if in_view => {
                self.text_object(&format!("{pointer}/label"), &block["label"], 2_000, true);
                if !block["hint"].is_null() {
                    self.text_object(&format!("{pointer}/hint"), &block["hint"], 2_000, true);
                }
                self.element(&format!("{pointer}/element"), &block["element"]);
            }
            other => self.refuse(
                pointer,
                format!("a block of type `{other}` has no place here"),
            ),
        }
    }

    fn section(&mut self, pointer: &str, block: &Value) {
        if block["text"].is_null() && block["fields"].is_null() {
            self.refuse(pointer, "neither text nor fields");
        }
        if !block["text"].is_null() {
            self.text_object(&format!("{pointer}/text"), &block["text"], 3_000, false);
        }
        if !block["fields"].is_null() {
            self.each(pointer, block, "fields", 10, |it, at, value| {
                it.text_object(at, value, 2_000, false);
            });
        }
        if !block["accessory"].is_null() {
            self.element(&format!("{pointer}/accessory"), &block["accessory"]);
        }
    }

    fn each(
        &mut self,
        pointer: &str,
        parent: &Value,
        name: &str,
        most: usize,
        inspect: impl Fn(&mut Self, &str, &Value),
    ) {
        let pointer = format!("{pointer}/{name}");
        let values = parent[name].as_array().cloned().unwrap_or_default();
        self.number(&pointer, &values, most);
        for (place, value) in values.iter().enumerate() {
            inspect(self, &format!("{pointer}/{place}"), value);
        }
    }

    fn distinct(&mut self, pointer: &str, elements: &Value) {
        let mut seen = BTreeSet::new();
        for element in elements.as_array().into_iter().flatten() {
            if !seen.insert(element["action_id"].as_str()) {
                self.refuse(pointer, "two elements with one action_id");
            }
        }
    }

    fn text_object(&mut self, pointer: &str, object: &Value, most: usize, must_be_plain: bool) {
        let text = object["text"].as_str().unwrap_or_default();
        self.length(&format!("{pointer}/text"), text, 1, most);
        match object["type"].as_str() {
            Some("plain_text") if object["verbatim"].is_null() => {}
            Some("mrkdwn") if !must_be_plain && object["emoji"].is_null() => {
                if !is_well_formed(text) {
                    self.refuse(pointer, "mrkdwn with a bare `<`, `>` or `&`");
                }
            }
            other => self.refuse(pointer, format!("text of type {other:?} has no place here")),
        }
    }

    fn element(&mut self, pointer: &str, element: &Value) {
        self.string(pointer, element, "action_id", ID);
        match element["type"].as_str().unwrap_or_default() {
            "button" => {
                self.text_object(&format!("{pointer}/text"), &element["text"], 75, true);
                self.optional(
                    pointer,
                    element,
                    &[("value", 2_000), ("url", URL), ("accessibility_label", 75)],
                );
            }
            "overflow" => self.options(pointer, element, 5),
            "static_select" => self.options(pointer, element, 100),
            "users_select" => {}
            "plain_text_input" => {
                if element["max_length"]
                    .as_u64()
                    .is_some_and(|most| most > 3_000)
                {
                    self.refuse(pointer, "max_length over 3000");
                }
            }
            other => self.refuse(
                pointer,
                format!("an element of type `{other}` has no place here"),
            ),
        }
        if !element["placeholder"].is_null() {
            self.text_object(
                &format!("{pointer}/placeholder"),
                &element["placeholder"],
                150,
                true,
            );
        }
    }

    fn optional(&mut self, pointer: &str, element: &Value, limits: &[(&str, usize)]) {
        for (name, most) in limits {
            if !element[name].is_null() {
                self.string(pointer, element, name, *most);
            }
        }
    }

    fn options(&mut self, pointer: &str, element: &Value, most: usize) {
        self.each(pointer, element, "options", most, |it, at, option| {
            it.text_object(&format!("{at}/text"), &option["text"], 75, true);
            it.string(at, option, "value", 75);
        });
    }

    /// Of `rich_text` no numbers are documented; what is empty is refused all the same.
    fn rich(&mut self, pointer: &str, element: &Value) {
        match element["type"].as_str().unwrap_or_default() {
            "rich_text_list" | "rich_text_section" => {
                self.each(pointer, element, "elements", 500, Self::rich);
            }
            "text" => self.string(pointer, element, "text", 3_000),
            "link" => {
                self.optional(pointer, element, &[("text", 3_000)]);
                self.string(pointer, element, "url", URL);
                let url = element["url"].as_str().unwrap_or_default();
                if !url.starts_with("https://") && !url.starts_with("http://") {
                    self.refuse(pointer, "a link that is neither http nor https");
                }
            }
            "emoji" => self.string(pointer, element, "name", ID),
            "user" => self.string(pointer, element, "user_id", ID),
            "date" => {
                self.string(pointer, element, "format", ID);
                if !element["timestamp"].is_i64() {
                    self.refuse(pointer, "a date without seconds");
                }
            }
            other => self.refuse(pointer, format!("`{other}` has no place in rich_text")),
        }
    }
}

/// Whether `<...>` are closed and of a known kind, and every other control character is an entity.
fn is_well_formed(text: &str) -> bool {
    const KINDS: [&str; 4] = ["!date^", "@U", "@W", "http"];
    let mut rest = text.to_owned();
    while let Some((start, after)) = rest
        .split_once('<')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
    {
        let Some((inside, after)) = after.split_once('>') else {
            return false;
        };
        if !KINDS.iter().any(|kind| inside.starts_with(kind)) {
            return false;
        }
        rest = start + &inside.replace(['<', '>'], "") + after;
    }
    let bare = rest
        .replace("&amp;", "")
        .replace("&lt;", "")
        .replace("&gt;", "");
    !bare.contains(['&', '>'])
}
