//! What Slack makes of what it is given: ids where none were, defaults written out, and text escaped.

use serde_json::{Map, Value};

use super::super::Workspace;

/// Elements that can be used, and so have an `action_id`.
const USABLE: [&str; 29] = [
    "button",
    "channels_select",
    "checkboxes",
    "conversations_select",
    "datepicker",
    "datetimepicker",
    "email_text_input",
    "external_select",
    "feedback_buttons",
    "file_input",
    "icon_button",
    "multi_channels_select",
    "multi_conversations_select",
    "multi_external_select",
    "multi_static_select",
    "multi_users_select",
    "number_input",
    "overflow",
    "plain_text_input",
    "radio_buttons",
    "rich_text_input",
    "static_select",
    "timepicker",
    "url_source",
    "url_text_input",
    "users_select",
    "workflow_button",
    "users_input",
    "time_input",
];

impl Workspace {
    /// Blocks as Slack keeps them.
    pub(super) fn settled(&mut self, mut blocks: Vec<Value>) -> Vec<Value> {
        for block in &mut blocks {
            if let Value::Object(block) = block {
                self.name(block, "block_id");
                if block.get("type").is_some_and(|kind| kind == "input") {
                    block.entry("optional").or_insert(false.into());
                    block.entry("dispatch_action").or_insert(false.into());
                }
            }
            self.settle(block);
        }
        blocks
    }

    fn name(&mut self, part: &mut Map<String, Value>, field: &str) {
        if part.get(field).is_none_or(|id| id.is_null() || id == "") {
            part.insert(field.to_owned(), self.id().into());
        }
    }

    /// The blocks within a block.
    fn name_all(&mut self, block: &mut Map<String, Value>, field: &str) {
        let within = block.get_mut(field).and_then(Value::as_array_mut);
        for block in within.into_iter().flatten() {
            if let Value::Object(block) = block {
                self.name(block, "block_id");
            }
        }
    }

    fn settle(&mut self, part: &mut Value) {
        match part {
            Value::Array(parts) => parts.iter_mut().for_each(|part| self.settle(part)),
            Value::Object(fields) => {
                let kind = fields.get("type").and_then(Value::as_str);
                match kind {
                    Some("plain_text") => {
                        fields.entry("emoji").or_insert(true.into());
                    }
                    Some("mrkdwn") => {
                        fields.entry("verbatim").or_insert(false.into());
                        if let Some(Value::String(text)) = fields.get_mut("text") {
                            *text = escaped(text);
                        }
                    }
                    Some(kind) if USABLE.contains(&kind) => self.name(fields, "action_id"),
                    Some("carousel") => self.name_all(fields, "elements"),
                    Some("container") => self.name_all(fields, "child_blocks"),
                    _ => {}
                }
                fields.values_mut().for_each(|part| self.settle(part));
            }
            _ => {}
        }
    }
}

/// `&`, `<` and `>` as entities where they are neither one already nor part of a link or a mention.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match rest.as_bytes()[0] {
            b'<' => marked(rest),
            b'&' => entity(rest),
            _ => None,
        };
        let taken = length.unwrap_or(1);
        match (length, rest.as_bytes()[0]) {
            (Some(_), b'<') => out.push_str(&with_entities(&rest[..taken])),
            (Some(_), _) => out.push_str(&rest[..taken]),
            (None, b'&') => out.push_str("&amp;"),
            (None, b'<') => out.push_str("&lt;"),
            (None, _) => out.push_str("&gt;"),
        }
        rest = &rest[taken..];
    }
    out + rest
}

/// How long the link or the mention is that begins here.
fn marked(text: &str) -> Option<usize> {
    let end = text.find('>')?;
    let inside = &text[1..end];
    let is_one = inside.starts_with(['@', '#', '!'])
        || ["http://", "https://", "mailto:", "tel:", "slack://"]
            .iter()
            .any(|scheme| inside.starts_with(scheme));
    (is_one && !inside.contains(['<', '\n'])).then_some(end + 1)
}

fn entity(text: &str) -> Option<usize> {
    let entities = ["&amp;", "&lt;", "&gt;"];
    let found = entities.iter().find(|entity| text.starts_with(**entity))?;
    Some(found.len())
}

fn with_entities(link: &str) -> String {
    let mut out = String::with_capacity(link.len());
    for (at, c) in link.char_indices() {
        if c == '&' && entity(&link[at..]).is_none() {
            out.push_str("&amp;");
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::escaped;

    #[test]
    fn text_is_escaped_but_links_mentions_and_entities_stay() {
        for (given, kept) in [
            ("a & b", "a &amp; b"),
            ("a &amp; b &lt;", "a &amp; b &lt;"),
            ("1 < 2 > 0", "1 &lt; 2 &gt; 0"),
            (
                "<@U0ANNA> <!here> <#C0OPS|ops>",
                "<@U0ANNA> <!here> <#C0OPS|ops>",
            ),
            (
                "<https://x.example/?a=1&b=2|x>",
                "<https://x.example/?a=1&amp;b=2|x>",
            ),
            ("<b>bold</b>", "&lt;b&gt;bold&lt;/b&gt;"),
        ] {
            assert_eq!(escaped(given), kept);
        }
    }

    proptest! {
        #[test]
        fn escaping_twice_changes_nothing(text in "[<>&a-z@#!;:/ |é]{0,40}") {
            let once = escaped(&text);
            prop_assert_eq!(escaped(&once), once);
        }
    }
}
