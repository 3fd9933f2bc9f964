//! A walk through blocks as they go over the wire, against the numbers of Slack's reference.
//! <https://docs.slack.dev/reference/block-kit/blocks>

use std::collections::BTreeSet;

use serde_json::Value;
use slack_morphism::prelude::SlackBlock;

/// Of every id.
pub(super) const ID: usize = 255;

const URL: usize = 3_000;

/// A limit that is broken, and where: `/blocks/3/text/text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub pointer: String,
    pub what: String,
}

#[derive(Default)]
pub(super) struct Inspection {
    found: Vec<Violation>,
    block_ids: BTreeSet<String>,
}

impl Inspection {
    pub(super) fn finish(self) -> Result<(), Vec<Violation>> {
        if self.found.is_empty() {
            Ok(())
        } else {
            Err(self.found)
        }
    }

    pub(super) fn refuse(&mut self, pointer: &str, what: impl Into<String>) {
        self.found.push(Violation {
            pointer: pointer.to_owned(),
            what: what.into(),
        });
    }

    pub(super) fn length(&mut self, pointer: &str, text: &str, least: usize, most: usize) {
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

    pub(super) fn blocks(
        &mut self,
        pointer: &str,
        blocks: &[SlackBlock],
        most: usize,
        in_view: bool,
    ) {
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

    pub(super) fn text_object(
        &mut self,
        pointer: &str,
        object: &Value,
        most: usize,
        must_be_plain: bool,
    ) {
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
            "static_select" => {
                self.options(pointer, element, 100);
                self.initial(pointer, element);
            }
            "users_select" => {}
            "plain_text_input" => {
                let most = element["max_length"].as_u64().unwrap_or(3_000);
                if most > 3_000 {
                    self.refuse(pointer, "max_length over 3000");
                }
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                self.optional(pointer, element, &[("initial_value", most)]);
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

    /// What is chosen from the beginning has to be one of the options, to the letter.
    fn initial(&mut self, pointer: &str, element: &Value) {
        let options = element["options"].as_array();
        let initial = &element["initial_option"];
        if !initial.is_null() && !options.is_some_and(|options| options.contains(initial)) {
            self.refuse(pointer, "an initial_option that is none of the options");
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
            "text" => {
                let text = element["text"].as_str().unwrap_or_default();
                if text.is_empty() || text.len() > 3_000 {
                    self.refuse(pointer, format!("{} bytes, 1 to 3000 allowed", text.len()));
                }
            }
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
